//! Where labels and annotations of a kustomization go.

use serde_json::{Map, Value};

use super::{
    read,
    resource::{Resource, Resources},
};
use crate::kubectl::field;

/// Kinds with a pod's template right below their spec.
const TEMPLATED: [&str; 6] =
    ["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"];

pub(super) fn labels(file: &Map<String, Value>, resources: &mut Resources) {
    let on = |entry: &Value, name: &str| field::at(entry, name) == &Value::Bool(true);
    for entry in read::list(file, "labels") {
        let (selectors, templates) = (on(entry, "includeSelectors"), on(entry, "includeTemplates"));
        let pairs = field::at(entry, "pairs").as_object().cloned().unwrap_or_default();
        for resource in &mut resources.all {
            label(resource, &pairs, selectors, selectors || templates);
        }
    }
    let pairs = file.get("commonLabels").and_then(Value::as_object).cloned().unwrap_or_default();
    for resource in &mut resources.all {
        label(resource, &pairs, true, true);
    }
}

fn label(resource: &mut Resource, pairs: &Map<String, Value>, selectors: bool, templates: bool) {
    if pairs.is_empty() {
        return;
    }
    let kind = resource.kind().to_owned();
    let object = &mut resource.object;
    put(object, "metadata.labels", pairs);
    let templated = TEMPLATED.contains(&kind.as_str());
    if templates {
        if templated {
            put(object, "spec.template.metadata.labels", pairs);
        }
        if kind == "CronJob" {
            put(object, "spec.jobTemplate.metadata.labels", pairs);
            put(object, "spec.jobTemplate.spec.template.metadata.labels", pairs);
        }
    }
    if !selectors {
        return;
    }
    match kind.as_str() {
        "Service" | "ReplicationController" => put(object, "spec.selector", pairs),
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" => {
            put(object, "spec.selector.matchLabels", pairs);
        }
        "Job" | "PodDisruptionBudget" => there(object, "spec.selector.matchLabels", pairs),
        "CronJob" => there(object, "spec.jobTemplate.spec.selector.matchLabels", pairs),
        "NetworkPolicy" => {
            there(object, "spec.podSelector.matchLabels", pairs);
            for (rules, ends) in [("ingress", "from"), ("egress", "to")] {
                let rules = object["spec"].get_mut(rules).and_then(Value::as_array_mut).into_iter().flatten();
                let ends = rules.filter_map(|rule| rule.get_mut(ends)?.as_array_mut()).flatten();
                ends.for_each(|end| there(end, "podSelector.matchLabels", pairs));
            }
        }
        _ => {}
    }
    if kind == "StatefulSet"
        && let Some(claims) = object["spec"].get_mut("volumeClaimTemplates").and_then(Value::as_array_mut)
    {
        claims.iter_mut().for_each(|claim| put(claim, "metadata.labels", pairs));
    }
    if templated {
        spread(&mut object["spec"]["template"]["spec"], pairs);
    }
}

/// The selectors by which a pod is kept near others or apart.
fn spread(spec: &mut Value, pairs: &Map<String, Value>) {
    let Value::Object(spec) = spec else { return };
    for constraint in
        spec.get_mut("topologySpreadConstraints").and_then(Value::as_array_mut).into_iter().flatten()
    {
        there(constraint, "labelSelector.matchLabels", pairs);
    }
    for side in ["podAffinity", "podAntiAffinity"] {
        let Some(terms) = spec.get_mut("affinity").and_then(|it| it.get_mut(side)) else { continue };
        for (list, path) in [
            ("requiredDuringSchedulingIgnoredDuringExecution", "labelSelector.matchLabels"),
            ("preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm.labelSelector.matchLabels"),
        ] {
            for term in terms.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                there(term, path, pairs);
            }
        }
    }
}

pub(super) fn annotations(file: &Map<String, Value>, resources: &mut Resources) {
    let pairs = file.get("commonAnnotations").and_then(Value::as_object).cloned().unwrap_or_default();
    if pairs.is_empty() {
        return;
    }
    for resource in &mut resources.all {
        let kind = resource.kind().to_owned();
        put(&mut resource.object, "metadata.annotations", &pairs);
        if TEMPLATED.contains(&kind.as_str()) {
            put(&mut resource.object, "spec.template.metadata.annotations", &pairs);
        }
        if kind == "CronJob" {
            put(&mut resource.object, "spec.jobTemplate.metadata.annotations", &pairs);
            put(&mut resource.object, "spec.jobTemplate.spec.template.metadata.annotations", &pairs);
        }
    }
}

/// Adds pairs at the paths that field specs name, of the kinds they name.
pub(super) fn by_specs(resources: &mut Resources, pairs: &Value, specs: &[Value]) {
    let Value::Object(pairs) = pairs else { return };
    for resource in &mut resources.all {
        for spec in specs {
            let kind = field::text(spec, "kind");
            if !kind.is_empty() && kind != resource.kind() {
                continue;
            }
            let path = field::text(spec, "path").replace('/', ".");
            if field::at(spec, "create") == &Value::Bool(true) {
                put(&mut resource.object, &path, pairs);
            } else {
                there(&mut resource.object, &path, pairs);
            }
        }
    }
}

/// Adds pairs at a path, which is made where it is not there.
fn put(object: &mut Value, path: &str, pairs: &Map<String, Value>) {
    let place = field::make(object, path);
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    if let Value::Object(all) = place {
        all.extend(pairs.clone());
    }
}

/// Adds pairs at a path that is there.
fn there(object: &mut Value, path: &str, pairs: &Map<String, Value>) {
    if field::at(object, path).is_object() {
        put(object, path, pairs);
    }
}
