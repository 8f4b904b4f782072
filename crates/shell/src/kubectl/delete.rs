//! `kubectl delete`: asks, and waits in simulated time until the objects are gone.

use api::{Kind, Scope, SimDuration};
use cluster::Propagation;

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    field,
    resource::{NO_RESOURCE, typed},
};

type At = (Kind, String, String);

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    if let Some(other) = kube
        .given
        .value("cascade")
        .filter(|c| !matches!(*c, "background" | "foreground" | "orphan" | "true" | "false"))
    {
        return Fail::error(format!(
            "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
        ));
    }
    if let Some(path) = kube.given.value("raw").map(str::to_owned) {
        return super::raw::delete(kube, &path);
    }
    if let Some(output) = kube.given.value("output").filter(|it| !matches!(*it, "" | "name")) {
        return Fail::error(format!("unexpected -o output mode: {output}. We only support '-o name'"));
    }
    if kube.given.on("all") && kube.selection().any() {
        return Fail::error("setting 'all' parameter but found a non empty selector. ");
    }
    if kube.given.on("now") && kube.given.int("grace-period").is_some_and(|g| g >= 0) {
        return Fail::error("--now and --grace-period cannot be specified together");
    }
    let force = kube.given.on("force");
    if force && (kube.given.on("now") || kube.given.int("grace-period").is_some_and(|grace| grace > 0)) {
        return Fail::error("--force and --grace-period greater than 0 cannot be specified together");
    }
    if kube.given.args.is_empty()
        && !kube.given.has("filename")
        && (kube.given.on("all") || kube.selection().any())
    {
        return Fail::error("at least one resource must be specified to use a selector");
    }
    let mut failed = Vec::new();
    let targets = targets(kube, &mut failed)?;
    let mut grace = kube.given.int("grace-period").filter(|g| *g >= 0);
    if kube.given.on("now") {
        grace = Some(1);
    }
    if force && grace.is_none() {
        grace = Some(0);
    }
    if !force && grace == Some(0) {
        // UPSTREAM: without --force a period of 0 becomes 1, and the object is waited for.
        grace = Some(1);
    }
    if force && grace == Some(0) {
        kube.out.err("Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.");
    }
    let propagation = match kube.given.value("cascade") {
        Some("orphan" | "false") => Propagation::Orphan,
        Some("foreground") => Propagation::Foreground,
        Some(_) | None => Propagation::Background,
    };
    let mut gone: Vec<At> = Vec::new();
    let mut warns = kube.given.value("namespace").is_some_and(|it| !it.is_empty());
    for (kind, namespace, name) in targets {
        let info = kind.info();
        if warns && info.scope != Scope::Namespaced {
            kube.out.err("Warning: deleting cluster-scoped resources, not scoped to the provided namespace");
            warns = false;
        }
        let seconds = grace.and_then(|g| u64::try_from(g).ok());
        // UPSTREAM: nobody looks whether what was named is there.
        let asked = if dry == DryRun::Client {
            Ok(())
        } else {
            kube.remove((kind, &namespace, &name), seconds, propagation, dry == DryRun::Server)
        };
        match asked {
            Ok(()) => {
                let how = if force && grace == Some(0) { "force deleted" } else { "deleted" };
                let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
                let line = match kube.given.value("output") {
                    Some("name") => typed(kind, &name),
                    _ => format!("{}{group} {name:?} {how}{}", info.singular(), dry.suffix()),
                };
                kube.out.line(&line);
                gone.push((kind, namespace, name));
            }
            Err(fail) if fail.is_not_found() && kube.given.on("ignore-not-found") => {}
            Err(fail) => failed.push(match kube.given.value("filename") {
                Some("-") => fail.when("deleting", "STDIN"),
                Some(file) => fail.when("deleting", file),
                None => fail,
            }),
        }
    }
    let waits = kube.given.not_off("wait") && dry == DryRun::No && !(force && grace == Some(0));
    // UPSTREAM: nobody waits once one of them was refused.
    if waits && failed.is_empty() && !gone.is_empty() {
        let limit = kube
            .given
            .value("timeout")
            .and_then(crate::text::sleep::seconds)
            .filter(|t| *t > SimDuration::ZERO);
        let mut still = gone;
        let done = kube.wait(limit, |kube| {
            let mut left = Vec::new();
            for at in std::mem::take(&mut still) {
                if is_there(kube, &at) {
                    left.push(at);
                }
            }
            still = left;
            Ok(still.is_empty())
        })?;
        if !done && let Some((kind, _, name)) = still.first() {
            return Fail::error(format!(
                "timed out waiting for the condition on {}/{name}",
                kind.info().plural
            ));
        }
    }
    super::get::finish(kube, failed)
}

/// Whether the object, or one that came in its place before it was seen gone, is still there.
fn is_there(kube: &mut Kube<'_, '_>, (kind, namespace, name): &At) -> bool {
    match kube.peek(*kind, namespace, name) {
        Some(object) => !field::at(&object, "metadata.deletionTimestamp").is_null(),
        None => false,
    }
}

fn targets(kube: &mut Kube<'_, '_>, failed: &mut Vec<Fail>) -> Done<Vec<At>> {
    let args = kube.given.args.clone();
    let mut targets = Vec::new();
    if kube.given.has("filename") {
        for manifest in kube.manifests()? {
            match manifest {
                Ok(m) => targets.push((m.kind, m.namespace, m.name)),
                Err(fail) => failed.push(fail),
            }
        }
        return Ok(targets);
    }
    if args.is_empty() {
        return Fail::error(NO_RESOURCE);
    }
    let asks = kube.asks(&args)?;
    let selection = kube.selection();
    let listed = kube.given.on("all") || !selection.labels.is_empty() || !selection.fields.is_empty();
    let every = kube.given.on("all-namespaces");
    for ask in asks.asks {
        let namespace = kube.scope(ask.kind)?;
        match ask.name {
            Some(_) if every => {
                return Fail::error("a resource cannot be retrieved by name across all namespaces");
            }
            Some(_) if selection.any() => {
                return Fail::error("name cannot be provided when a selector is specified");
            }
            Some(_) if kube.given.on("all") => {
                return Fail::error("name cannot be provided when a selector is specified");
            }
            Some(name) => targets.push((ask.kind, namespace, name)),
            None if listed => {
                for object in kube.list(ask.kind, &namespace, &selection)? {
                    targets.push((
                        ask.kind,
                        field::namespace(&object).to_owned(),
                        field::name(&object).to_owned(),
                    ));
                }
            }
            None => return Fail::error("resource(s) were provided, but no name was specified"),
        }
    }
    if targets.is_empty() {
        kube.out.line("No resources found");
    }
    Ok(targets)
}
