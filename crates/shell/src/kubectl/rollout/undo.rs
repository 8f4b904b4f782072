//! `kubectl rollout undo`. Source: kubectl `pkg/polymorphichelpers/rollback.go`.

use api::Kind;
use cluster::PatchKind;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    describe::template,
    field::at,
    print,
    resource::typed,
    rollout::{
        Place, REVISION,
        history::{Revision, has_history, revisions},
    },
};

pub(super) fn run(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    let dry = DryRun::of(kube)?;
    let live = kube.get(kind, namespace, name)?;
    has_history(kind, "rollbacker", "rollbacker")?;
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
    if dry == DryRun::Client {
        if let Some(print::Format::Name) = print::format(kube, false)? {
            kube.out.line(&typed(kind, name));
            return Ok(());
        }
        let text = template::bare(&chosen.template);
        let before = if kind == Kind::Deployment { "" } else { "will roll back to " };
        kube.out.line(&format!("{} {before}{text}{}", typed(kind, name), dry.suffix()));
        return Ok(());
    }
    if kind == Kind::Deployment && at(&live, "spec.paused") == &Value::Bool(true) {
        return Fail::error(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        );
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
    let mut patch = vec![json!({"op": "replace", "path": "/spec/template", "value": template})];
    if kind == Kind::Deployment {
        let annotations = annotations_back(&live, chosen);
        // A Deployment without any has no such field to replace.
        patch.push(json!({"op": "add", "path": "/metadata/annotations", "value": annotations}));
    }
    kube.patch_part(place, "", PatchKind::Json, Value::Array(patch), dry == DryRun::Server)?;
    kube.out.line(&format!("{line} rolled back{}", dry.suffix()));
    Ok(())
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
