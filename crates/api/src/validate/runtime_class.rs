//! Is a RuntimeClass legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/node/validation`.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    affinity, internal, meta, name,
    report::{At, Report},
    resources::{self, Owner},
};
use crate::k8s::{
    core::v1::{ResourceRequirements, Toleration},
    node::v1::RuntimeClass,
};

pub(super) fn runtime_class(report: &mut Report, class: &RuntimeClass) {
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    report.each_invalid(&At::root("handler"), &class.handler, name::label(&class.handler));
    if let Some(overhead) = &class.overhead {
        let limits =
            ResourceRequirements { limits: overhead.pod_fixed.clone(), ..ResourceRequirements::default() };
        resources::requirements(report, &limits, Owner::Container, &BTreeSet::new(), &At::root("overhead"));
    }
    let Some(scheduling) = &class.scheduling else { return };
    let at = At::root("scheduling");
    meta::labels(report, scheduling.node_selector.as_ref(), &at.field("nodeSelector"));
    let at = at.field("tolerations");
    let tolerations = scheduling.tolerations.as_deref().unwrap_or_default();
    affinity::tolerations(report, tolerations, &at.field("tolerations"));
    let mut seen: Vec<Toleration> = Vec::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        let key = Toleration { toleration_seconds: None, ..toleration.clone() };
        if seen.contains(&key) {
            report.duplicate(&at.index(index), &internal::whole("Toleration", &json!(toleration)));
        } else {
            seen.push(key);
        }
    }
}

pub(super) fn runtime_class_update(report: &mut Report, new: &RuntimeClass, old: &RuntimeClass) {
    runtime_class(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    meta::immutable(report, &new.handler, &old.handler, &At::root("handler"));
}
