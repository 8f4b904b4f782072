//! `kubectl apply`: client-side, by three-way patch.
//!
//! What the last manifest had is kept in an annotation; a field goes only if the last manifest had it and the new one has not.
//! Source: kubectl `pkg/cmd/apply/{apply,patcher}.go`, `pkg/util/apply.go`.

mod last;
mod server_side;

use std::collections::BTreeMap;

use api::{Kind, SimDuration, emit, label::Selector, patch};
use cluster::{PatchKind, Propagation};
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    client::has_schema,
    field,
    print::{self, Format},
    resource::typed,
    source::Manifest,
};

pub(super) use api::managed::LAST_APPLIED as LAST;

/// Whether and how a command only pretends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    No,
    Client,
    Server,
}

impl DryRun {
    /// Reads `--dry-run`.
    pub(super) fn of(kube: &mut Kube<'_, '_>) -> Done<Self> {
        match kube.given.value("dry-run") {
            None | Some("none" | "false") => Ok(Self::No),
            Some("client") => Ok(Self::Client),
            Some("server") => Ok(Self::Server),
            Some("unchanged" | "true") => {
                kube.out.err("W0302 09:00:00.000000    4242 helpers.go:703] --dry-run is deprecated and can be replaced with --dry-run=client.");
                Ok(Self::Client)
            }
            Some(other) => Fail::error(format!(
                "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
            )),
        }
    }

    /// What messages add.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::No => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    match kube.command.as_str() {
        "apply view-last-applied" => return last::view(kube),
        "apply set-last-applied" => return last::set(kube),
        "apply edit-last-applied" => return last::edit(kube),
        _ => {}
    }
    let format = print::format(kube, false)?;
    if !kube.given.args.is_empty() {
        return Err(Fail::Error(format!(
            "Unexpected args: [{}]\nSee 'kubectl apply -h' for help and examples",
            kube.given.args.join(" ")
        )));
    }
    if !kube.given.has("filename") {
        return Fail::error("must specify one of -f and -k");
    }
    if kube.given.on("server-side") && kube.given.on("force") {
        return Fail::error("--force cannot be used with --server-side");
    }
    if kube.given.on("server-side") && kube.given.value("dry-run") == Some("client") {
        return Fail::error(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        );
    }
    if kube.given.on("force-conflicts") && !kube.given.on("server-side") {
        return Fail::error("--force-conflicts only works with --server-side");
    }
    if kube.given.on("prune")
        && !kube.given.on("all")
        && kube.given.value("selector").is_none_or(str::is_empty)
    {
        return Fail::error(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        );
    }
    if kube.given.on("prune") {
        super::prune::listed(kube)?;
    }
    let dry = DryRun::of(kube)?;
    let mut failed = Vec::new();
    let mut applied = Vec::new();
    let mut any = false;
    let chosen = kube.selection().labels;
    let chosen = Selector::parse(&chosen).map_err(|error| Fail::Error(error.to_string()))?;
    // What cannot be read is told of first: everything is read before anything is applied.
    let mut readable = Vec::new();
    for manifest in kube.manifests()? {
        match manifest {
            // A selector also chooses among the manifests.
            Ok(m) if !chosen.matches(&labels(&m.value)) => {}
            Ok(m) => readable.push(m),
            Err(fail) => failed.push(fail),
        }
    }
    any |= !failed.is_empty();
    let unreadable = failed.len();
    for manifest in readable {
        any = true;
        match one(kube, manifest, dry) {
            Ok((line, object)) => {
                if format.is_none() {
                    kube.out.line(&line);
                }
                applied.push((line, object));
            }
            Err(fail) => failed.push(fail),
        }
    }
    if !any {
        return Fail::error("no objects passed to apply");
    }
    if unreadable > 1 && failed.len() > unreadable {
        // UPSTREAM: what was wrong with the files is one failure among those of the objects.
        let said: Vec<String> = failed.drain(..unreadable).map(|fail| fail.bare()).collect();
        failed.insert(0, Fail::Error(format!("[{}]", said.join(", "))));
    }
    if kube.given.on("prune") && failed.is_empty() {
        let objects: Vec<Value> = applied.iter().map(|(_, object)| object.clone()).collect();
        super::prune::run(kube, &objects, dry)?;
    }
    match format {
        None => {}
        Some(Format::Name) => {
            for (line, _) in &applied {
                kube.out.line(line.split(' ').next().unwrap_or(line));
            }
        }
        Some(format) => {
            let mut objects: Vec<Value> = applied.into_iter().map(|(_, object)| object).collect();
            if objects.len() == 1 {
                print::structured(kube, &format, objects.remove(0))?;
            } else if !objects.is_empty() {
                // UPSTREAM: this list is a struct of kubectl's own, and its metadata is empty.
                let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": objects});
                match format {
                    Format::Json => {
                        let mut list = list;
                        for item in list["items"].as_array_mut().into_iter().flatten() {
                            print::hide_managed(item, kube);
                        }
                        kube.out.line(&print::typed::json(&list));
                    }
                    format => print::structured(kube, &format, list)?,
                }
            }
        }
    }
    super::get::finish(kube, failed)
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    field::map(object, "metadata.labels").map(|(key, value)| (key.to_owned(), field::word(value))).collect()
}

/// With `--save-config`: a manifest with itself in its annotation.
pub(super) fn saved(kube: &Kube<'_, '_>, manifest: Value) -> Value {
    if kube.given.on("save-config") { modified(&manifest) } else { manifest }
}

/// The same for an object that kubectl made itself, in the order of its type's fields.
pub(super) fn saved_typed(kube: &Kube<'_, '_>, mut object: Value) -> Value {
    if kube.given.on("save-config") {
        let text = format!("{}\n", print::typed::compact(&object));
        let annotations = field::make(&mut object, "metadata.annotations");
        if annotations.is_null() {
            *annotations = json!({});
        }
        annotations[LAST] = text.into();
    }
    object
}

/// The manifest with itself in its annotation.
fn modified(manifest: &Value) -> Value {
    let mut own = manifest.clone();
    let annotations = field::make(&mut own, "metadata.annotations");
    if !annotations.is_object() {
        *annotations = json!({});
    }
    if let Value::Object(all) = annotations {
        all.remove(LAST);
    }
    let text = format!("{}\n", emit::compact(&own));
    let mut with = own;
    field::make(&mut with, "metadata.annotations")[LAST] = text.into();
    with
}

/// That what there is could not be had.
fn retrieving(kind: Kind, namespace: &str, name: &str, source: &str, why: &str) -> String {
    let info = kind.info();
    let version = info.api_version();
    let prefix = if info.group.is_empty() { format!("/{}", info.version) } else { version };
    format!(
        "error when retrieving current configuration of:\nResource: \"{prefix}, Resource={}\", GroupVersionKind: \"{prefix}, Kind={}\"\nName: {name:?}, Namespace: {namespace:?}\nfrom server for: {source:?}: {why}",
        info.plural, info.kind
    )
}

fn one(kube: &mut Kube<'_, '_>, manifest: Manifest, dry: DryRun) -> Done<(String, Value)> {
    let Manifest { source, kind, namespace, name, value: wanted } = manifest;
    let info = kind.info();
    if name.is_empty() {
        let generated = field::text(&wanted, "metadata.generateName");
        if !generated.is_empty() {
            return Fail::error(format!("from {generated}: cannot use generate name with apply"));
        }
        return Fail::error(retrieving(kind, &namespace, "", &source, "resource name may not be empty"));
    }
    let server_dry = dry == DryRun::Server;
    let message = |what: &str| format!("{} {what}{}", typed(kind, &name), dry.suffix());
    if kube.given.on("server-side") {
        let object = server_side::apply(kube, (kind, &namespace, &name), &wanted, server_dry)?;
        warn_if_deleting(kube, &object);
        return Ok((message("serverside-applied"), object));
    }
    let new = modified(&wanted);
    let sent = kube.validated(kind, &new);
    let live = match kube.get(kind, &namespace, &name) {
        Ok(live) => live,
        Err(fail) if fail.is_not_found() => {
            let object = if dry == DryRun::Client {
                new
            } else {
                kube.create(kind, &namespace, sent, server_dry)
                    .map_err(|fail| fail.when("creating", &source))?
            };
            return Ok((message("created"), object));
        }
        Err(Fail::Server(mut status)) => {
            status.message = retrieving(kind, &namespace, &name, &source, &status.message);
            return Err(Fail::Server(status));
        }
        Err(fail) => return Err(fail),
    };
    if dry == DryRun::Client {
        // UPSTREAM: whether anything differs is not looked at.
        return Ok((message("configured"), live));
    }
    let annotation = field::at(&live, "metadata.annotations").get(LAST).and_then(Value::as_str);
    if annotation.is_none() {
        kube.out.err(&format!(
            "Warning: resource {}/{name} is missing the {LAST} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.",
            info.plural
        ));
    }
    let last = annotation.and_then(|a| serde_json::from_str(a).ok()).unwrap_or(Value::Null);
    let change = patch::three_way(kind, &last, &new, &live);
    if change.as_object().is_some_and(serde_json::Map::is_empty) {
        warn_if_deleting(kube, &live);
        return Ok((message("unchanged"), live));
    }
    // A change in nothing but fields that the server drops is a change to kubectl.
    let change = if sent == new { change } else { patch::three_way(kind, &last, &sent, &live) };
    if change.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok((message("configured"), live));
    }
    let how = if has_schema(kind) { PatchKind::Strategic } else { PatchKind::Merge };
    let text = emit::compact(&change);
    let at = (kind, namespace.as_str(), name.as_str());
    let patched = match kube.patch_part(at, "", how, change, server_dry) {
        Err(Fail::Server(status))
            if kube.given.on("force") && matches!(status.reason.as_str(), "Conflict" | "Invalid") =>
        {
            // What cannot be changed is made anew.
            let text = emit::compact(&new);
            replaced(kube, at, sent, live).map_err(|fail| (text, "", fail))
        }
        done => done.map_err(|fail| (text, "error when patching ", fail)),
    };
    let object = patched.map_err(|(text, doing, fail)| match fail {
        Fail::Server(mut status) => {
            let resource = if info.group.is_empty() { format!("/{}", info.version) } else { info.api_version() };
            status.message = format!(
                "error when applying patch:\n{text}\nto:\nResource: \"{resource}, Resource={}\", GroupVersionKind: \"{resource}, Kind={}\"\nName: {name:?}, Namespace: {namespace:?}\nfor: {source:?}: {}{}",
                info.plural,
                info.kind,
                if doing.is_empty() { String::new() } else { format!("{doing}{source:?}: ") },
                status.message
            );
            Fail::Server(status)
        }
        other => other,
    })?;
    warn_if_deleting(kube, &object);
    Ok((message("configured"), object))
}

/// `--force`: deletes an object and makes it anew; what cannot be made leaves the old one there.
/// Source: `deleteAndCreate` of kubectl `pkg/cmd/apply/patcher.go`.
fn replaced(kube: &mut Kube<'_, '_>, at: (Kind, &str, &str), wanted: Value, mut live: Value) -> Done<Value> {
    let (kind, namespace, name) = at;
    let grace = kube.given.int("grace-period").and_then(|seconds| u64::try_from(seconds).ok());
    kube.remove(at, grace, Propagation::Background, false)?;
    let limit = kube
        .given
        .value("timeout")
        .and_then(crate::text::sleep::seconds)
        .filter(|limit| *limit > SimDuration::ZERO);
    if !kube.wait(limit, |kube| Ok(kube.peek(kind, namespace, name).is_none()))? {
        return Fail::error("context deadline exceeded");
    }
    kube.create(kind, namespace, wanted, false).inspect_err(|_| {
        if let Some(Value::Object(meta)) = live.get_mut("metadata") {
            meta.remove("resourceVersion");
        }
        // The first failure is the one that is told.
        let _ = kube.create(kind, namespace, live, false);
    })
}

fn warn_if_deleting(kube: &mut Kube<'_, '_>, object: &Value) {
    if !field::at(object, "metadata.deletionTimestamp").is_null() {
        let name = field::name(object);
        kube.out
            .err(&format!("Warning: Detected changes to resource {name} which is currently being deleted."));
    }
}
