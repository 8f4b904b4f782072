//! Are events, leases and controller revisions legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation/events.go`, `pkg/apis/{coordination,apps}/validation`.

use serde_json::{Value, json};

use super::{
    meta::{self, text},
    name,
    report::{At, Report},
};
use crate::{
    k8s::{apps::v1::ControllerRevision, coordination::v1::Lease, core::v1::Event},
    meta::ObjectMeta,
};

/// An event in the way of old, which says nothing of metadata.
pub(super) fn event(report: &mut Report, event: &Event) {
    let own = text(event.metadata.namespace.as_ref());
    let involved = text(event.involved_object.namespace.as_ref());
    let at_namespace = At::root("involvedObject.namespace");
    const DIFFERS: &str = "does not match event.namespace";
    if event.event_time.is_none() {
        let right = if involved.is_empty() { matches!(own, "" | "default") } else { own == involved };
        if !right {
            report.invalid(&at_namespace, involved, DIFFERS);
        }
    } else {
        if involved.is_empty() && !matches!(own, "default" | "kube-system") {
            report.invalid(&at_namespace, involved, DIFFERS);
        }
        let at = At::root("reportingComponent");
        let reporter = text(event.reporting_component.as_ref());
        if reporter.is_empty() {
            report.required(&at, "");
        }
        report.each_invalid(&at, reporter, name::qualified(reporter));
        for (field, value, most) in [
            ("reportingInstance", &event.reporting_instance, 128),
            ("action", &event.action, 128),
            ("reason", &event.reason, 128),
        ] {
            let value = text(value.as_ref());
            if value.is_empty() {
                report.required(&At::root(field), "");
            }
            if value.len() > most {
                report.invalid(&At::root(field), "", &format!("can have at most {most} characters"));
            }
        }
        if text(event.message.as_ref()).len() > 1024 {
            report.invalid(&At::root("message"), "", "can have at most 1024 characters");
        }
    }
    report.each_invalid(&At::root("namespace"), own, name::subdomain(own, false));
}

pub(super) fn lease(report: &mut Report, lease: &Lease) {
    meta::object_meta(report, &lease.metadata, true, name::subdomain);
    lease_spec(report, lease);
}

pub(super) fn lease_update(report: &mut Report, new: &Lease, old: &ObjectMeta) {
    meta::object_meta_update(report, &new.metadata, old);
    lease_spec(report, new);
}

fn lease_spec(report: &mut Report, lease: &Lease) {
    let Some(spec) = &lease.spec else { return };
    let at = At::root("spec");
    if let Some(seconds) = spec.lease_duration_seconds.filter(|it| *it <= 0) {
        report.invalid(&at.field("leaseDurationSeconds"), &seconds, "must be greater than 0");
    }
    if let Some(number) = spec.lease_transitions.filter(|it| *it < 0) {
        report.invalid(&at.field("leaseTransitions"), &number, "must be greater than or equal to 0");
    }
}

pub(super) fn controller_revision(report: &mut Report, revision: &ControllerRevision) {
    revision_itself(report, revision);
    match revision.data.as_ref().map(|it| &it.0) {
        None | Some(Value::Null) => report.required(&At::root("data"), "data is mandatory"),
        Some(Value::Object(_)) => {}
        Some(_) => report.required(&At::root("data"), "data must be a valid JSON object"),
    }
}

pub(super) fn controller_revision_update(
    report: &mut Report,
    new: &ControllerRevision,
    old: &ControllerRevision,
) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    revision_itself(report, new);
    if new.data != old.data {
        let data = new.data.as_ref().map(|it| &it.0);
        report.invalid(&At::root("data"), &json!(data), "field is immutable");
    }
}

fn revision_itself(report: &mut Report, revision: &ControllerRevision) {
    meta::object_meta(report, &revision.metadata, true, name::subdomain);
    report.not_negative(&At::root("revision"), revision.revision);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, decode, validate};

    fn causes(kind: Kind, object: &Value) -> Vec<String> {
        let object = decode::decode(kind, object).expect("an object");
        validate::create(&object).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    #[test]
    fn an_event_stands_beside_what_it_is_about() {
        let event = json!({"metadata": {"name": "A b", "namespace": "default"}, "involvedObject": {"namespace": "x"}});
        let why = r#"involvedObject.namespace: Invalid value: "x": does not match event.namespace"#;
        assert_eq!(causes(Kind::Event, &event), [why]);
        let event = json!({"metadata": {"name": "a/b", "namespace": "default"}, "involvedObject": {}});
        assert_eq!(
            causes(Kind::Event, &event),
            [r#"metadata.name: Invalid value: "a/b": may not contain '/'"#]
        );
    }

    #[test]
    fn a_revision_is_an_object() {
        let revision = json!({"metadata": {"name": "a", "namespace": "default"}, "revision": 1, "data": [1]});
        let why = "data: Required value: data must be a valid JSON object";
        assert_eq!(causes(Kind::ControllerRevision, &revision), [why]);
    }
}
