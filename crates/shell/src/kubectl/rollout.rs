//! `kubectl rollout status|history|undo|restart|pause|resume`.
//!
//! Source: kubectl `pkg/polymorphichelpers/{rollout_status,history,rollback}.go`; recorded cases.

use api::{Kind, SimDuration};
use cluster::PatchKind;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    client::Selection,
    describe::template,
    field::{self, at, condition, int as number, list, text},
    resource::typed,
};

const REVISION: &str = "deployment.kubernetes.io/revision";
const CAUSE: &str = "kubernetes.io/change-cause";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let mut args = kube.given.args.clone();
    if args.is_empty() {
        kube.out.out("Manage the rollout of one or many resources.\n");
        return Ok(());
    }
    let below = args.remove(0);
    if !super::below("rollout").contains(&below.as_str()) {
        return Fail::error(format!(
            "unknown command {below:?}\nSee 'kubectl rollout -h' for help and examples"
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
            "status" => status(kube, place),
            "history" => history(kube, place),
            "undo" => undo(kube, place),
            "restart" => restart(kube, place),
            "pause" => pause(kube, place, true),
            _ => pause(kube, place, false),
        };
        failed.extend(done.err());
    }
    super::get::finish(kube, failed)
}

type Place<'p> = (Kind, &'p str, &'p str);

fn status(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    kube.get(kind, namespace, name)?;
    let limit =
        kube.given.value("timeout").and_then(crate::text::sleep::seconds).filter(|t| *t > SimDuration::ZERO);
    let watch = kube.given.not_off("watch");
    let mut said = String::new();
    let mut ended: Option<Done> = None;
    let reached = kube.wait(limit, |kube| {
        let Some(object) = kube.peek(kind, namespace, name) else {
            ended = Some(Fail::error("object has been deleted"));
            return Ok(true);
        };
        match word(kind, name, &object) {
            Ok((line, done)) => {
                if line != said {
                    kube.out.line(&line);
                    said = line;
                }
                Ok(done || !watch)
            }
            Err(fail) => {
                ended = Some(Err(fail));
                Ok(true)
            }
        }
    })?;
    match ended {
        Some(result) => result,
        None if reached => Ok(()),
        None => Fail::error("timed out waiting for the condition"),
    }
}

fn word(kind: Kind, name: &str, o: &Value) -> Done<(String, bool)> {
    let observed = number(o, "metadata.generation") <= number(o, "status.observedGeneration");
    let wanted = number(o, "spec.replicas");
    let (updated, available) = (number(o, "status.updatedReplicas"), number(o, "status.availableReplicas"));
    Ok(match kind {
        Kind::Deployment if !observed => {
            ("Waiting for deployment spec update to be observed...".to_owned(), false)
        }
        Kind::Deployment => {
            if condition(o, "Progressing").is_some_and(|c| text(c, "reason") == "ProgressDeadlineExceeded") {
                return Fail::error(format!("deployment {name:?} exceeded its progress deadline"));
            }
            let replicas = number(o, "status.replicas");
            if updated < wanted {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {updated} out of {wanted} new replicas have been updated..."
                    ),
                    false,
                )
            } else if replicas > updated {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {} old replicas are pending termination...",
                        replicas - updated
                    ),
                    false,
                )
            } else if available < updated {
                (
                    format!(
                        "Waiting for deployment {name:?} rollout to finish: {available} of {updated} updated replicas are available..."
                    ),
                    false,
                )
            } else {
                (format!("deployment {name:?} successfully rolled out"), true)
            }
        }
        Kind::DaemonSet => {
            if text(o, "spec.updateStrategy.type") != "RollingUpdate" {
                return Fail::error("rollout status is only available for RollingUpdate strategy type");
            }
            let desired = number(o, "status.desiredNumberScheduled");
            let updated = number(o, "status.updatedNumberScheduled");
            let available = number(o, "status.numberAvailable");
            if !observed {
                ("Waiting for daemon set spec update to be observed...".to_owned(), false)
            } else if updated < desired {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {updated} out of {desired} new pods have been updated..."
                    ),
                    false,
                )
            } else if available < desired {
                (
                    format!(
                        "Waiting for daemon set {name:?} rollout to finish: {available} of {desired} updated pods are available..."
                    ),
                    false,
                )
            } else {
                (format!("daemon set {name:?} successfully rolled out"), true)
            }
        }
        Kind::StatefulSet => {
            if text(o, "spec.updateStrategy.type") != "RollingUpdate" {
                return Fail::error("rollout status is only available for RollingUpdate strategy type");
            }
            let rolling = at(o, "spec.updateStrategy.rollingUpdate");
            let partition = number(o, "spec.updateStrategy.rollingUpdate.partition");
            let ready = number(o, "status.readyReplicas");
            if !observed {
                ("Waiting for statefulset spec update to be observed...".to_owned(), false)
            } else if ready < wanted {
                (format!("Waiting for {} pods to be ready...", wanted - ready), false)
            } else if !rolling.is_null() {
                if updated < wanted - partition {
                    (
                        format!(
                            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
                            wanted - partition
                        ),
                        false,
                    )
                } else {
                    (format!("partitioned roll out complete: {updated} new pods have been updated..."), true)
                }
            } else if text(o, "status.updateRevision") != text(o, "status.currentRevision") {
                (
                    format!(
                        "waiting for statefulset rolling update to complete {updated} pods at revision {}...",
                        text(o, "status.updateRevision")
                    ),
                    false,
                )
            } else {
                (
                    format!(
                        "statefulset rolling update complete {} pods at revision {}...",
                        number(o, "status.currentReplicas"),
                        text(o, "status.currentRevision")
                    ),
                    true,
                )
            }
        }
        other => {
            let info = other.info();
            let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
            return Fail::error(format!("no status viewer has been implemented for {}{group}", info.kind));
        }
    })
}

/// The revisions of an object, oldest first: number, change cause, template.
/// One of an object's old templates.
struct Revision {
    number: i64,
    cause: String,
    template: Value,
    /// What its ReplicaSet, or its ControllerRevision, carries.
    annotations: serde_json::Map<String, Value>,
}

fn revisions(kube: &mut Kube<'_, '_>, (kind, namespace, name): Place<'_>) -> Done<Vec<Revision>> {
    let owner = kube.get(kind, namespace, name)?;
    let labels = field::selector(at(&owner, "spec.selector"), "");
    let selection = Selection { labels, fields: String::new() };
    let history = if kind == Kind::Deployment { Kind::ReplicaSet } else { Kind::ControllerRevision };
    let owned = kube.list(history, namespace, &selection)?;
    let mut all: Vec<Revision> = owned
        .iter()
        .filter(|o| {
            list(o, "metadata.ownerReferences").iter().any(|r| at(r, "uid") == at(&owner, "metadata.uid"))
        })
        .map(|o| {
            let annotations = at(o, "metadata.annotations").as_object().cloned().unwrap_or_default();
            let annotation = |key: &str| annotations.get(key).map(field::word).unwrap_or_default();
            let cause = annotation(CAUSE);
            let (number, template) = if kind == Kind::Deployment {
                let mut template = at(o, "spec.template").clone();
                if !cause.is_empty() {
                    field::make(&mut template, "metadata.annotations")[CAUSE] = cause.clone().into();
                }
                (annotation(REVISION).parse().unwrap_or(0), template)
            } else {
                let mut template = at(o, "data.spec.template").clone();
                // How the controller wants the template to be merged is no part of it.
                if let Value::Object(fields) = &mut template {
                    fields.remove("$patch");
                }
                (number(o, "revision"), template)
            };
            Revision { number, cause, template, annotations }
        })
        .collect();
    all.sort_by_key(|it| it.number);
    Ok(all)
}

/// The annotations of a Deployment that goes back: its own marks, and what the old ReplicaSet carries besides marks.
fn annotations_back(live: &Value, old: &Revision) -> Value {
    const MARKS: [&str; 6] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    ];
    let own = at(live, "metadata.annotations").as_object().cloned().unwrap_or_default();
    let own = own.into_iter().filter(|(key, _)| MARKS.contains(&key.as_str()));
    let others = old.annotations.clone().into_iter().filter(|(key, _)| !MARKS.contains(&key.as_str()));
    Value::Object(own.chain(others).collect())
}

/// Whether a kind keeps its old templates.
fn has_history(kind: Kind, what: &str) -> Done {
    match kind {
        Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet => Ok(()),
        other => Fail::error(format!("no {what} has been implemented for {:?}", other.info().kind)),
    }
}

fn history(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    kube.get(kind, namespace, name)?;
    has_history(kind, "history viewer")?;
    let all = revisions(kube, place)?;
    let wanted = kube.given.int("revision").unwrap_or(0);
    let header = typed(kind, name);
    if wanted > 0 {
        let Some(chosen) = all.iter().find(|it| it.number == wanted) else {
            return Fail::error("unable to find the specified revision");
        };
        let text = template::bare(&chosen.template);
        kube.out.out(&format!("{header} with revision #{wanted}\n{text}\n"));
        return Ok(());
    }
    kube.out.out(&format!("{header} \nREVISION  CHANGE-CAUSE\n"));
    for Revision { number, cause, .. } in all {
        let cause = if cause.is_empty() { "<none>" } else { &cause };
        kube.out.line(&format!("{number:<10}{cause}"));
    }
    kube.out.out("\n");
    Ok(())
}

fn undo(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    let dry = DryRun::of(kube)?;
    let live = kube.get(kind, namespace, name)?;
    has_history(kind, "rollbacker")?;
    let all = revisions(kube, place)?;
    let wanted = kube.given.int("to-revision").unwrap_or(0);
    let chosen = if wanted > 0 {
        all.iter().find(|it| it.number == wanted)
    } else {
        all.len().checked_sub(2).and_then(|i| all.get(i))
    };
    let Some(chosen) = chosen else {
        return Fail::error(if wanted > 0 {
            format!("unable to find specified revision {wanted} in history")
        } else {
            // UPSTREAM: a Deployment is said to have no history, the others no last revision.
            match kind {
                Kind::Deployment => {
                    format!("no rollout history found for {} {name:?}", kind.info().singular())
                }
                _ => "no last revision to roll back to".to_owned(),
            }
        });
    };
    if kind == Kind::Deployment && at(&live, "spec.paused") == &Value::Bool(true) {
        return Fail::error(format!(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/{name}' and try again"
        ));
    }
    let revision = chosen.number;
    let mut template = chosen.template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    if let Some(annotations) = template.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubernetes.io/change-cause");
        if annotations.is_empty()
            && let Some(meta) = template.pointer_mut("/metadata").and_then(Value::as_object_mut)
        {
            meta.remove("annotations");
        }
    }
    let line = typed(kind, name);
    let same = |a: &Value, b: &Value| {
        let clean = |v: &Value| {
            let mut v = v.clone();
            if let Some(meta) = v.get_mut("metadata").and_then(Value::as_object_mut) {
                meta.remove("creationTimestamp");
            }
            v
        };
        clean(a) == clean(b)
    };
    if same(at(&live, "spec.template"), &template) {
        kube.out
            .line(&format!("{line} skipped rollback (current template already matches revision {revision})"));
        return Ok(());
    }
    if dry != DryRun::Client {
        let mut patch = vec![json!({"op": "replace", "path": "/spec/template", "value": template})];
        if kind == Kind::Deployment {
            let annotations = annotations_back(&live, chosen);
            // A Deployment without any has no such field to replace.
            patch.push(json!({"op": "add", "path": "/metadata/annotations", "value": annotations}));
        }
        kube.patch_part(place, "", PatchKind::Json, Value::Array(patch), dry == DryRun::Server)?;
    }
    kube.out.line(&format!("{line} rolled back{}", dry.suffix()));
    Ok(())
}

fn restart(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    let live = kube.get(kind, namespace, name)?;
    if at(&live, "spec.paused") == &Value::Bool(true) {
        return Fail::error(format!(
            "{} {name:?} can't restart paused deployment (run rollout resume first)",
            kind.info().resource()
        ));
    }
    if !matches!(kind, Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet) {
        return Fail::error(format!("{} {name:?} restarting is not supported", kind.info().resource()));
    }
    let now = kube.shell.world.stamp(kube.shell.world.now()).0.to_string();
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}});
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
