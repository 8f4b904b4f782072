//! Are ReplicationControllers and PodTemplates legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/registry/core/replicationcontroller/strategy.go`.

use serde_json::json;

use super::{
    meta::{self, text},
    name, pod,
    report::{At, Report},
};
use crate::k8s::core::v1::{PodTemplate, ReplicationController};

const SPEC: At<'static> = At::root("spec");

pub(super) fn replication_controller(report: &mut Report, it: &ReplicationController) {
    meta::object_meta(report, &it.metadata, true, name::subdomain);
    spec(report, it);
}

pub(super) fn replication_controller_update(
    report: &mut Report,
    new: &ReplicationController,
    old: &ReplicationController,
) {
    // UPSTREAM: looked at as a new one and as a changed one; what is wrong is said twice.
    replication_controller(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    spec(report, new);
}

fn spec(report: &mut Report, it: &ReplicationController) {
    let Some(spec) = &it.spec else { return };
    report.not_negative(&SPEC.field("minReadySeconds"), spec.min_ready_seconds.unwrap_or_default().into());
    let selector = spec.selector.as_ref().filter(|it| !it.is_empty());
    if selector.is_none() {
        report.required(&SPEC.field("selector"), "");
    }
    match spec.replicas {
        None => report.required(&SPEC.field("replicas"), ""),
        Some(replicas) => report.not_negative(&SPEC.field("replicas"), replicas.into()),
    }
    let at = SPEC.field("template");
    let Some(template) = &spec.template else {
        report.required(&at, "");
        return;
    };
    let labels = template.metadata.as_ref().and_then(|it| it.labels.as_ref());
    let chosen = |key: &String, value: &String| labels.and_then(|it| it.get(key)) == Some(value);
    if selector.is_some_and(|it| !it.iter().all(|(key, value)| chosen(key, value))) {
        let why = "`selector` does not match template `labels`";
        report.invalid(&at.field("metadata.labels"), &json!(labels), why);
    }
    pod::template(report, template, &at);
    let Some(spec) = &template.spec else { return };
    let at = at.field("spec");
    let policy = text(spec.restart_policy.as_ref());
    if policy != "Always" {
        report.not_supported(&at.field("restartPolicy"), policy, &["Always"]);
    }
    if spec.active_deadline_seconds.is_some() {
        let why = "activeDeadlineSeconds in ReplicationController is not Supported";
        report.forbidden(&at.field("activeDeadlineSeconds"), why);
    }
}

pub(super) fn pod_template(report: &mut Report, it: &PodTemplate) {
    meta::object_meta(report, &it.metadata, true, name::subdomain);
    if let Some(template) = &it.template {
        pod::template(report, template, &At::root("template"));
    }
}

pub(super) fn pod_template_update(report: &mut Report, new: &PodTemplate, old: &PodTemplate) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if let Some(template) = &new.template {
        pod::template(report, template, &At::root("template"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn a_controller_chooses_the_pods_it_makes() {
        let controller = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {"selector": {"a": "c"},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        let mut controller = decode::decode(Kind::ReplicationController, &controller).expect("a controller");
        default::apply_defaults(&mut controller);
        let causes = validate::create(&controller);
        assert_eq!(causes.len(), 1);
        assert_eq!(
            causes[0].message,
            r#"Invalid value: {"a":"b"}: `selector` does not match template `labels`"#
        );
    }
}
