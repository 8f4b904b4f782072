//! `describe` for what keeps pods running.

use api::Kind;
use serde_json::Value;

use super::{storage, template, writer::Writer};
use crate::kubectl::{
    Done, Kube, age,
    client::Selection,
    field::{self, at, int, list, name, namespace, text, word},
};

fn selector(o: &Value) -> String {
    field::selector(at(o, "spec.selector"), "")
}

/// Pods by phase.
fn pods_status(kube: &mut Kube<'_, '_>, o: &Value, labels: &str) -> Done<String> {
    let selection = Selection { labels: labels.to_owned(), fields: String::new() };
    let pods = kube.list(Kind::Pod, namespace(o), &selection)?;
    let owned = |p: &&Value| {
        list(p, "metadata.ownerReferences")
            .iter()
            .any(|r| at(r, "controller") == &Value::Bool(true) && at(r, "uid") == at(o, "metadata.uid"))
    };
    let count = |phase: &str| pods.iter().filter(owned).filter(|p| text(p, "status.phase") == phase).count();
    Ok(format!(
        "Pods Status:\t{} Running / {} Waiting / {} Succeeded / {} Failed",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    ))
}

fn conditions(w: &mut Writer, o: &Value) {
    let all = list(o, "status.conditions");
    if !all.is_empty() {
        w.raw("Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
        for c in all {
            w.line(1, format!("{} \t{}\t{}", text(c, "type"), text(c, "status"), text(c, "reason")));
        }
    }
}

pub(super) fn deployment(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    template::marks(&mut w, o);
    w.line(0, format!("Selector:\t{}", selector(o)));
    w.line(
        0,
        format!(
            "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable",
            int(o, "spec.replicas"),
            int(o, "status.updatedReplicas"),
            int(o, "status.replicas"),
            int(o, "status.availableReplicas"),
            int(o, "status.unavailableReplicas")
        ),
    );
    w.line(0, format!("StrategyType:\t{}", text(o, "spec.strategy.type")));
    w.line(0, format!("MinReadySeconds:\t{}", int(o, "spec.minReadySeconds")));
    let rolling = at(o, "spec.strategy.rollingUpdate");
    if !rolling.is_null() {
        w.line(
            0,
            format!(
                "RollingUpdateStrategy:\t{} max unavailable, {} max surge",
                word(at(rolling, "maxUnavailable")),
                word(at(rolling, "maxSurge"))
            ),
        );
    }
    template::template(&mut w, at(o, "spec.template"));
    conditions(&mut w, o);
    let selection = Selection { labels: field::selector(at(o, "spec.selector"), ""), fields: String::new() };
    let mut sets = kube.list(Kind::ReplicaSet, namespace(o), &selection)?;
    sets.retain(|s| {
        list(s, "metadata.ownerReferences").iter().any(|r| at(r, "uid") == at(o, "metadata.uid"))
    });
    let wanted = clean(at(o, "spec.template"));
    let (new, old): (Vec<Value>, Vec<Value>) =
        sets.into_iter().partition(|s| clean(at(s, "spec.template")) == wanted);
    let shown = |sets: &[Value]| {
        let all: Vec<String> = sets
            .iter()
            .map(|s| {
                format!(
                    "{} ({}/{} replicas created)",
                    name(s),
                    int(s, "status.replicas"),
                    int(s, "spec.replicas")
                )
            })
            .collect();
        if all.is_empty() { "<none>".to_owned() } else { all.join(", ") }
    };
    if !(old.is_empty() && new.is_empty()) {
        w.line(0, format!("OldReplicaSets:\t{}", shown(&old)));
        w.line(0, format!("NewReplicaSet:\t{}", shown(&new)));
    }
    Ok(template::close(w, events))
}

/// A template without the label that tells revisions apart.
fn clean(template: &Value) -> Value {
    let mut own = template.clone();
    if let Some(labels) = own.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    own
}

pub(super) fn replica_set(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("Selector:\t{}", selector(o)));
    template::marks(&mut w, o);
    template::controlled(&mut w, o);
    w.line(
        0,
        format!("Replicas:\t{} current / {} desired", int(o, "status.replicas"), int(o, "spec.replicas")),
    );
    w.line(0, pods_status(kube, o, &field::selector(at(o, "spec.selector"), ""))?);
    template::template(&mut w, at(o, "spec.template"));
    conditions(&mut w, o);
    Ok(template::close(w, events))
}

pub(super) fn daemon_set(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> Done<String> {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    // UPSTREAM: a DaemonSet's namespace is not shown before 1.33.
    w.line(0, format!("Selector:\t{}", selector(o)));
    w.line(0, format!("Node-Selector:\t{}", template::selector(o, "spec.template.spec.nodeSelector")));
    template::marks(&mut w, o);
    for (title, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        w.line(0, format!("{title}: {}", int(at(o, "status"), field)));
    }
    w.line(0, pods_status(kube, o, &field::selector(at(o, "spec.selector"), ""))?);
    template::template(&mut w, at(o, "spec.template"));
    Ok(template::close(w, events))
}

pub(super) fn stateful_set(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    w.line(0, format!("Selector:\t{}", selector(o)));
    template::marks(&mut w, o);
    w.line(
        0,
        format!("Replicas:\t{} desired | {} total", int(o, "spec.replicas"), int(o, "status.replicas")),
    );
    w.line(0, format!("Update Strategy:\t{}", text(o, "spec.updateStrategy.type")));
    let rolling = at(o, "spec.updateStrategy.rollingUpdate");
    if !at(rolling, "partition").is_null() {
        w.line(1, format!("Partition:\t{}", int(rolling, "partition")));
        if !at(rolling, "maxUnavailable").is_null() {
            w.line(1, format!("MaxUnavailable:\t{}", word(at(rolling, "maxUnavailable"))));
        }
    }
    w.line(0, pods_status(kube, o, &field::selector(at(o, "spec.selector"), ""))?);
    template::template(&mut w, at(o, "spec.template"));
    storage::claim_templates(&mut w, o);
    Ok(template::close(w, events))
}

pub(super) fn replication_controller(
    kube: &mut Kube<'_, '_>,
    o: &Value,
    events: Option<&str>,
) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, format!("Selector:\t{}", template::selector(o, "spec.selector")));
    template::marks(&mut w, o);
    w.line(
        0,
        format!("Replicas:\t{} current / {} desired", int(o, "status.replicas"), int(o, "spec.replicas")),
    );
    w.line(0, pods_status(kube, o, &field::pairs(o, "spec.selector", ""))?);
    template::template(&mut w, at(o, "spec.template"));
    conditions(&mut w, o);
    Ok(template::close(w, events))
}
