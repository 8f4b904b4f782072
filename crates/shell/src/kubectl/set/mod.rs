//! `kubectl set image|resources|env|serviceaccount|selector|subject`. Source: kubectl `pkg/cmd/set`.
//!
//! Each verb makes of an object what it shall be; what differs is sent as a patch. With `--local` the objects are those of the files,
//! and nobody is asked.

mod account;
mod env;
mod image;
mod resources;
mod selector;
mod subject;

use api::Kind;
use cluster::PatchKind;
use serde_json::{Map, Value};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    client::has_schema,
    field,
    print::{self, Format},
    resource::{NO_RESOURCE, typed},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let (below, args) = kube.given.word();
    match below.as_str() {
        "image" => image::run(kube, &args),
        "resources" => resources::run(kube, &args),
        "env" => env::run(kube, &args),
        "selector" => selector::run(kube, &args),
        "serviceaccount" => account::run(kube, &args),
        "subject" => subject::run(kube, &args),
        _ => {
            let typed = kube.given.args.join(" ");
            Fail::error(format!("unknown command {typed:?}\nSee 'kubectl set -h' for help and examples"))
        }
    }
}

/// Where the pod's spec stands in an object of a kind.
pub(super) fn pod_spec(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        Kind::Deployment
        | Kind::ReplicaSet
        | Kind::DaemonSet
        | Kind::StatefulSet
        | Kind::Job
        | Kind::ReplicationController => Some("spec.template.spec"),
        _ => None,
    }
}

/// One of the objects that shall change.
struct Picked {
    kind: Kind,
    namespace: String,
    name: String,
    live: Value,
    /// Whether it was read from a file, and the server is not asked.
    local: bool,
}

impl Picked {
    /// As messages name it: `deployments/web`; of a file alone nobody knows the resource.
    fn shown(&self) -> String {
        let info = self.kind.info();
        let word = if self.local { info.singular() } else { info.plural.to_owned() };
        format!("{word}/{}", self.name)
    }

    /// The pod's spec in it, as it is now.
    fn spec(&self) -> Done<Value> {
        let info = self.kind.info();
        let path = pod_spec(self.kind).ok_or_else(|| {
            Fail::Error(format!(
                "{} the object is not a pod or does not have a pod template: *{}.{}",
                self.shown(),
                info.version,
                info.kind
            ))
        })?;
        Ok(field::at(&self.live, path).clone())
    }

    /// The object with another pod's spec.
    fn with_spec(&self, spec: Value) -> Value {
        let mut after = self.live.clone();
        *field::make(&mut after, pod_spec(self.kind).unwrap_or("spec")) = spec;
        after
    }
}

/// The objects that the arguments name, all of them read before any is changed.
fn picked(kube: &mut Kube<'_, '_>, targets: &[String]) -> Done<Vec<Picked>> {
    if kube.given.on("local") {
        let manifests = kube.manifests()?;
        return manifests
            .into_iter()
            .map(|manifest| {
                let it = manifest?;
                Ok(Picked {
                    kind: it.kind,
                    namespace: it.namespace,
                    name: it.name,
                    live: it.value,
                    local: true,
                })
            })
            .collect();
    }
    if targets.is_empty() && !kube.given.has("filename") {
        return Fail::error(NO_RESOURCE);
    }
    let mut found = Vec::new();
    for (kind, namespace, name) in kube.chosen_from(targets)? {
        let live = kube.get(kind, &namespace, &name)?;
        found.push(Picked { kind, namespace, name, live, local: false });
    }
    Ok(found)
}

/// `--local` goes with files and nothing else.
fn only_files(kube: &Kube<'_, '_>) -> Done {
    if kube.given.on("local") && !kube.given.has("filename") {
        return Fail::error(
            "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
        );
    }
    Ok(())
}

/// Sends what differs and says so; nothing where nothing does.
fn send(kube: &mut Kube<'_, '_>, picked: &Picked, after: Value, message: &str) -> Done {
    let dry = DryRun::of(kube)?;
    let Picked { kind, namespace, name, live, local } = picked;
    let patch = api::patch::three_way(*kind, live, &after, live);
    if patch.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    let after = if *local || dry == DryRun::Client {
        after
    } else {
        let how = if has_schema(*kind) { PatchKind::Strategic } else { PatchKind::Merge };
        kube.patch_part((*kind, namespace, name), "", how, patch, dry == DryRun::Server)?
    };
    said(kube, *kind, name, after, message)
}

/// What a changed object is told as.
fn said(kube: &mut Kube<'_, '_>, kind: Kind, name: &str, after: Value, message: &str) -> Done {
    let dry = DryRun::of(kube)?;
    match print::format(kube, false)? {
        Some(Format::Json) => {
            kube.out.line(&print::typed::json(&print::typed::of_client(kind, after)));
            Ok(())
        }
        Some(format) => print::structured(kube, &format, print::typed::of_client(kind, after)),
        None => {
            kube.out.line(&format!("{} {message}{}", typed(kind, name), dry.suffix()));
            Ok(())
        }
    }
}

/// The refusal of a patch, as these verbs tell it.
fn not_patched(what: &str) -> impl Fn(Fail) -> Fail + '_ {
    move |fail| match fail {
        Fail::Server(status) => Fail::Error(format!("failed to patch {what}: {}", status.message)),
        other => other,
    }
}

/// Resources, and the changes behind them.
fn split(args: &[String]) -> (Vec<String>, Vec<String>) {
    let is_change = |arg: &&String| arg.contains('=') || (arg.len() > 1 && arg.ends_with('-'));
    let at = args.iter().position(|arg| is_change(&arg)).unwrap_or(args.len());
    (args[..at].to_vec(), args[at..].to_vec())
}
