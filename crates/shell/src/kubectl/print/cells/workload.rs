//! Rows of what keeps pods running.

use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::field::{at, int, list, pairs, selector, text, word};

fn containers(o: &Value, template: &str) -> (String, String) {
    let all = list(at(o, template), "containers");
    let column = |field: &str| all.iter().map(|c| text(c, field)).collect::<Vec<_>>().join(",");
    (column("name"), column("image"))
}

pub(super) fn deployment(o: &Value, now: Timestamp) -> Vec<String> {
    let (names, images) = containers(o, "spec.template.spec");
    vec![
        name(o),
        format!("{}/{}", int(o, "status.readyReplicas"), int(o, "spec.replicas")),
        int(o, "status.updatedReplicas").to_string(),
        int(o, "status.availableReplicas").to_string(),
        created(o, now),
        names,
        images,
        selector(at(o, "spec.selector"), "<none>"),
    ]
}

pub(super) fn replica_set(o: &Value, now: Timestamp) -> Vec<String> {
    let (names, images) = containers(o, "spec.template.spec");
    let shown = if text(o, "kind") == "ReplicationController" {
        pairs(o, "spec.selector", "<none>")
    } else {
        selector(at(o, "spec.selector"), "<none>")
    };
    vec![
        name(o),
        int(o, "spec.replicas").to_string(),
        int(o, "status.replicas").to_string(),
        int(o, "status.readyReplicas").to_string(),
        created(o, now),
        names,
        images,
        shown,
    ]
}

pub(super) fn daemon_set(o: &Value, now: Timestamp) -> Vec<String> {
    let (names, images) = containers(o, "spec.template.spec");
    vec![
        name(o),
        int(o, "status.desiredNumberScheduled").to_string(),
        int(o, "status.currentNumberScheduled").to_string(),
        int(o, "status.numberReady").to_string(),
        int(o, "status.updatedNumberScheduled").to_string(),
        int(o, "status.numberAvailable").to_string(),
        pairs(o, "spec.template.spec.nodeSelector", "<none>"),
        created(o, now),
        names,
        images,
        selector(at(o, "spec.selector"), "<none>"),
    ]
}

pub(super) fn stateful_set(o: &Value, now: Timestamp) -> Vec<String> {
    let (names, images) = containers(o, "spec.template.spec");
    vec![
        name(o),
        format!("{}/{}", int(o, "status.readyReplicas"), int(o, "spec.replicas")),
        created(o, now),
        names,
        images,
    ]
}

pub(super) fn pod_template(o: &Value) -> Vec<String> {
    let (names, images) = containers(o, "template.spec");
    vec![name(o), names, images, pairs(o, "template.metadata.labels", "<none>")]
}

pub(super) fn controller_revision(o: &Value, now: Timestamp) -> Vec<String> {
    let owner =
        list(o, "metadata.ownerReferences").iter().find(|r| at(r, "controller") == &Value::Bool(true));
    let owner = owner.map_or("<none>".to_owned(), |r| {
        let group = text(r, "apiVersion").split_once('/').map_or(String::new(), |(g, _)| format!(".{g}"));
        format!("{}{group}/{}", text(r, "kind").to_lowercase(), text(r, "name"))
    });
    vec![name(o), owner, int(o, "revision").to_string(), created(o, now)]
}

pub(super) fn disruption_budget(o: &Value, now: Timestamp) -> Vec<String> {
    let limit = |path: &str| or(&word(at(o, path)), "N/A").to_owned();
    vec![
        name(o),
        limit("spec.minAvailable"),
        limit("spec.maxUnavailable"),
        int(o, "status.disruptionsAllowed").to_string(),
        created(o, now),
    ]
}

pub(super) fn autoscaler(o: &Value, now: Timestamp) -> Vec<String> {
    let reference =
        format!("{}/{}", text(o, "spec.scaleTargetRef.kind"), text(o, "spec.scaleTargetRef.name"));
    vec![
        name(o),
        reference,
        targets(o),
        or(&word(at(o, "spec.minReplicas")), "<unset>").to_owned(),
        int(o, "spec.maxReplicas").to_string(),
        int(o, "status.currentReplicas").to_string(),
        created(o, now),
    ]
}

fn targets(o: &Value) -> String {
    let specs = list(o, "spec.metrics");
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let statuses = list(o, "status.currentMetrics");
    let all: Vec<String> = specs
        .iter()
        .enumerate()
        .map(|(i, spec)| {
            // Which field holds the metric follows from its type: `ContainerResource` is in `containerResource`.
            let mut letters = text(spec, "type").chars();
            let field: String =
                letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect();
            let target = at(spec, &format!("{field}.target"));
            let now = statuses.get(i).map(|status| at(status, &format!("{field}.current")));
            let current = |key: &str, unit: &str| match now.map(|now| word(at(now, key))) {
                Some(value) if !value.is_empty() => format!("{value}{unit}"),
                Some(_) | None => "<unknown>".to_owned(),
            };
            let average = word(at(target, "averageValue"));
            match field.as_str() {
                "resource" | "containerResource" => {
                    let resource = text(spec, &format!("{field}.name"));
                    if !average.is_empty() {
                        return format!("{resource}: {}/{average}", current("averageValue", ""));
                    }
                    let wanted = match word(at(target, "averageUtilization")).as_str() {
                        "" => "<auto>".to_owned(),
                        percent => format!("{percent}%"),
                    };
                    format!("{resource}: {}/{wanted}", current("averageUtilization", "%"))
                }
                "pods" => format!("{}/{average}", current("averageValue", "")),
                "object" | "external" if !average.is_empty() => {
                    format!("{}/{average} (avg)", current("averageValue", ""))
                }
                "object" | "external" => {
                    format!("{}/{}", current("value", ""), word(at(target, "value")))
                }
                _ => "<unknown type>".to_owned(),
            }
        })
        .collect();
    let most = 2;
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > most { format!("{shown} + {} more...", all.len() - most) } else { shown }
}
