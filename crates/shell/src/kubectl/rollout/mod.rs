//! `kubectl rollout status|history|undo|restart|pause|resume`.
//!
//! Source: kubectl `pkg/polymorphichelpers/{rollout_status,history,rollback}.go`; recorded cases.

mod history;
mod status;
mod undo;

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, field::at, resource::typed};

const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";
const REVISION: &str = "deployment.kubernetes.io/revision";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let (below, args) = kube.given.word();
    if !super::below("rollout").contains(&below.as_str()) {
        let typed = kube.given.args.join(" ");
        return Fail::error(format!(
            "unknown command {typed:?}\nSee 'kubectl rollout -h' for help and examples"
        ));
    }
    if args.is_empty() && !kube.given.has("filename") {
        return Fail::error("required resource not specified");
    }
    if let Some(wrong) = kube.given.int("revision").filter(|revision| *revision < 0 && below == "history") {
        return Fail::error(format!("revision must be a positive integer: {wrong}"));
    }
    let chosen = kube.chosen_or_all(&args)?;
    if chosen.is_empty() && below == "restart" {
        let namespace = kube.namespace()?;
        kube.out.err(&format!("No resources found in {namespace} namespace."));
    }
    let mut failed = Vec::new();
    for (kind, namespace, name) in chosen {
        let place = (kind, namespace.as_str(), name.as_str());
        let done = match below.as_str() {
            "status" => status::run(kube, place),
            "history" => history::run(kube, place),
            "undo" => undo::run(kube, place),
            "restart" => restart(kube, place),
            "pause" => pause(kube, place, true),
            _ => pause(kube, place, false),
        };
        failed.extend(done.err());
    }
    super::get::finish(kube, failed)
}

type Place<'p> = (Kind, &'p str, &'p str);

fn restart(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    let live = kube.get(kind, namespace, name)?;
    // UPSTREAM: that it is an error is part of what is said, also among others.
    let refused = |why: &str| Err(Fail::Plain(format!("error: {} {name:?} {why}", kind.info().resource())));
    if at(&live, "spec.paused") == &Value::Bool(true) {
        return refused("can't restart paused deployment (run rollout resume first)");
    }
    if !matches!(kind, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet) {
        return refused("restarting is not supported");
    }
    let now = kube.shell.world.stamp(kube.shell.world.now()).0.to_string();
    if at(&live, "spec.template.metadata.annotations").get(RESTARTED).and_then(Value::as_str) == Some(&now) {
        return Fail::error(format!(
            "failed to create patch for {name}: if restart has already been triggered within the past second, please wait before attempting to trigger another"
        ));
    }
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: now}}}}});
    kube.patch(place, patch, false)?;
    kube.out.line(&format!("{} restarted", typed(kind, name)));
    Ok(())
}

fn pause(kube: &mut Kube<'_, '_>, place: Place<'_>, wanted: bool) -> Done {
    let (kind, namespace, name) = place;
    let live = kube.get(kind, namespace, name)?;
    let resource = kind.info().resource();
    if kind != Kind::Deployment {
        let word = if wanted { "pausing" } else { "resuming" };
        return Fail::error(format!("{resource} {name:?} {word} is not supported"));
    }
    let paused = at(&live, "spec.paused") == &Value::Bool(true);
    if paused == wanted {
        let word = if wanted { "already paused" } else { "not paused" };
        return Fail::error(format!("{resource} {name:?} is {word}"));
    }
    let patch = json!({"spec": {"paused": if wanted { json!(true) } else { Value::Null }}});
    kube.patch(place, patch, false)?;
    kube.out.line(&format!("{} {}", typed(kind, name), if wanted { "paused" } else { "resumed" }));
    Ok(())
}
