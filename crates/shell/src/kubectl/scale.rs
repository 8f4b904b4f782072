//! `kubectl scale`.

use api::Kind;
use cluster::{ApiRequest, ApiVerb, ClusterId, PatchKind, Reply};
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print, resource::typed};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let Some(replicas) = kube.given.int("replicas") else {
        return Fail::error("required flag(s) \"replicas\" not set");
    };
    if replicas < 0 {
        return Fail::error(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    }
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    let targets = kube.chosen()?;
    if targets.is_empty() {
        return Fail::error("no objects passed to scale");
    }
    // UPSTREAM: only if none of them can be read there is nothing to scale.
    let mut all_missing = !kube.given.has("filename");
    let mut failed = Vec::new();
    let mut missing = Vec::new();
    for (kind, namespace, name) in targets {
        let scaled = one(kube, (kind, &namespace, &name), replicas, dry);
        match scaled {
            Ok(live) => {
                all_missing = false;
                if let Some(format) = format.as_ref().filter(|it| !matches!(it, print::Format::Name)) {
                    print::structured(kube, format, live)?;
                    continue;
                }
                let line = format!("{} scaled{}", typed(kind, &name), dry.suffix());
                let short = kube.given.value("output") == Some("name");
                kube.out.line(if short { line.split(' ').next().unwrap_or(&line) } else { &line });
            }
            // UPSTREAM: what cannot be read is said to be nothing to scale, unless its kind cannot be scaled at all.
            Err(Fail::Server(status))
                if all_missing && (status.code == 403 || (status.code == 404 && !status.name.is_empty())) =>
            {
                missing.push(status.message);
            }
            Err(fail) => failed.push(fail),
        }
    }
    match missing.as_slice() {
        [] => {}
        [one] => failed.insert(0, Fail::Error(format!("no objects passed to scale {one}"))),
        all => failed.insert(0, Fail::Error(format!("no objects passed to scale [{}]", all.join(", ")))),
    }
    super::get::finish(kube, failed)
}

fn one(kube: &mut Kube<'_, '_>, at: (Kind, &str, &str), replicas: i64, dry: DryRun) -> Done<Value> {
    // UPSTREAM: a manifest is not compared with what there is; a kind that cannot be scaled has no such part.
    let scales = matches!(
        at.0,
        Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::ReplicationController
            | Kind::Custom(_)
    );
    if kube.given.has("filename") && !scales {
        return Err(Fail::Plain(super::raw::MISSING.to_owned()));
    }
    let live = kube.get(at.0, at.1, at.2)?;
    if let Some(current) = kube.given.int("current-replicas").filter(|c| *c >= 0) {
        // Where a definition keeps the number, only the server knows.
        let asked = ApiRequest::new(ClusterId::WORLD, ApiVerb::Get, at.0, at.1, at.2).of("scale");
        let now = match at.0 {
            Kind::Custom(_) => match kube.ask(asked)? {
                Reply::Value(scale) => field::int(&scale, "spec.replicas"),
                Reply::Object(_) | Reply::List(_) => 0,
            },
            _ => field::int(&live, "spec.replicas"),
        };
        if now != current {
            return Fail::error(format!("Expected replicas to be {current}, was {now}"));
        }
    }
    if let Some(wanted) = kube.given.value("resource-version").filter(|it| !it.is_empty()) {
        let now = field::text(&live, "metadata.resourceVersion");
        if now != wanted {
            return Fail::error(format!("Expected resource version to be {wanted}, was {now}"));
        }
    }
    if dry == DryRun::Client {
        return Ok(live);
    }
    let patch = json!({"spec": {"replicas": replicas}});
    kube.patch_part(at, "scale", PatchKind::Merge, patch, dry == DryRun::Server)?;
    if kube.given.on("record") {
        kube.patch_part(at, "", PatchKind::Merge, json!({}), dry == DryRun::Server)?;
    }
    // UPSTREAM: what is printed is the object as it was read.
    Ok(live)
}
