//! What of a pod may change?
//!
//! Images, the deadline, more tolerations, fewer gates; while it is gated also a narrower node selector and affinity.
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation` `ValidatePodUpdate`.

use super::{
    affinity, internal, meta,
    meta::text,
    pod,
    report::{At, Report, Written},
};
use crate::k8s::core::v1::{Container, NodeSelectorTerm, Pod, PodSpec, Toleration};

const SPEC: At<'static> = At::root("spec");
const MAY_CHANGE: &str = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// A changed pod.
pub(super) fn update(report: &mut Report, new: &Pod, old: &Pod) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    pod::metadata_and_spec(report, new);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let (new, old) = (&as_stored(new), &as_stored(old));
    let init = |spec: &PodSpec| spec.init_containers.clone().unwrap_or_default();
    let same_number = containers(report, &new.containers, &old.containers, &SPEC.field("containers"))
        && containers(report, &init(new), &init(old), &SPEC.field("initContainers"));
    if !same_number || !deadline(report, new, old) {
        return;
    }
    let no_tolerations = Vec::new();
    let tolerations = new.tolerations.as_ref().unwrap_or(&no_tolerations);
    let before = old.tolerations.as_ref().unwrap_or(&no_tolerations);
    only_added_tolerations(report, tolerations, before, &SPEC.field("tolerations"));
    only_removed_gates(report, new, old);
    if meta::same(new, old) {
        return;
    }
    let mut kept = new.clone();
    for (container, old) in kept.containers.iter_mut().zip(&old.containers) {
        container.image.clone_from(&old.image);
    }
    let old_init = old.init_containers.iter().flatten();
    for (container, old) in kept.init_containers.iter_mut().flatten().zip(old_init) {
        container.image.clone_from(&old.image);
    }
    kept.active_deadline_seconds = old.active_deadline_seconds;
    kept.scheduling_gates.clone_from(&old.scheduling_gates);
    kept.tolerations.clone_from(&old.tolerations);
    if old.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        while_gated(report, &mut kept, old);
    }
    if !meta::same(&kept, old) {
        report.forbidden(&SPEC, &format!("{MAY_CHANGE}\n{}", internal::pod_spec_diff(old, &kept)));
    }
}

/// A name that is empty is not there, nor is a switch that is off: so the server compares.
fn as_stored(spec: &PodSpec) -> PodSpec {
    let mut spec = spec.clone();
    for name in [
        &mut spec.node_name,
        &mut spec.service_account_name,
        &mut spec.service_account,
        &mut spec.hostname,
        &mut spec.subdomain,
        &mut spec.priority_class_name,
    ] {
        *name = name.take().filter(|it| !it.is_empty());
    }
    for shared in [&mut spec.host_network, &mut spec.host_pid, &mut spec.host_ipc] {
        *shared = shared.take().filter(|it| *it);
    }
    spec
}

fn containers(report: &mut Report, new: &[Container], old: &[Container], at: &At<'_>) -> bool {
    if new.len() != old.len() {
        report.forbidden(at, "pod updates may not add or remove containers");
        return false;
    }
    for (index, container) in new.iter().enumerate() {
        let image = text(container.image.as_ref());
        if image.is_empty() {
            report.required(&at.index(index).field("image"), "");
        }
        if image.trim() != image {
            report.invalid(
                &at.index(index).field("image"),
                image,
                "must not have leading or trailing whitespace",
            );
        }
    }
    true
}

fn deadline(report: &mut Report, new: &PodSpec, old: &PodSpec) -> bool {
    let at = SPEC.field("activeDeadlineSeconds");
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(now), _) if !(0..=i64::from(i32::MAX)).contains(&now) => {
            report.invalid(&at, &now, "must be between 0 and 2147483647, inclusive");
            false
        }
        (Some(now), Some(before)) if before < now => {
            report.invalid(&at, &now, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let why = "must not update from a positive integer to nil value";
            report.invalid(&at, &serde_json::Value::Null, why);
            true
        }
        _ => true,
    }
}

fn only_added_tolerations(report: &mut Report, new: &[Toleration], old: &[Toleration], at: &At<'_>) {
    for before in old {
        let kept = new
            .iter()
            .any(|now| *now == Toleration { toleration_seconds: now.toleration_seconds, ..before.clone() });
        if !kept {
            report.forbidden(at, "existing toleration can not be modified except its tolerationSeconds");
            return;
        }
    }
    affinity::tolerations(report, new, at);
}

fn only_removed_gates(report: &mut Report, new: &PodSpec, old: &PodSpec) {
    let before = old.scheduling_gates.as_deref().unwrap_or_default();
    let at = SPEC.field("schedulingGates");
    for (index, gate) in new.scheduling_gates.iter().flatten().enumerate() {
        if !before.iter().any(|old| old.name == gate.name) {
            let why = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            report.forbidden(&at.index(index).field("name"), &why);
        }
    }
}

/// A gated pod may become pickier about its node.
fn while_gated(report: &mut Report, kept: &mut PodSpec, old: &PodSpec) {
    if !meta::same(&kept.node_selector, &old.node_selector) {
        let now = kept.node_selector.as_ref();
        let has = |key, value| now.is_some_and(|now| now.get(key) == Some(value));
        if old.node_selector.iter().flatten().any(|(key, value)| !has(key, value)) {
            let why = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            report.invalid(&SPEC.field("nodeSelector"), &serde_json::json!(now), why);
        }
        kept.node_selector.clone_from(&old.node_selector);
    }
    let of = |spec: &PodSpec| spec.affinity.as_ref().and_then(|it| it.node_affinity.clone());
    let (now, before) = (of(kept), of(old));
    if !meta::same(&now, &before) {
        let required = |it: &Option<k8s_openapi::api::core::v1::NodeAffinity>| {
            it.as_ref().and_then(|it| it.required_during_scheduling_ignored_during_execution.clone())
        };
        narrower(report, required(&now), required(&before));
        let mut affinity = kept.affinity.take().unwrap_or_default();
        affinity.node_affinity = before;
        let empty = affinity == Default::default() && old.affinity.is_none();
        kept.affinity = (!empty).then_some(affinity);
    }
}

fn narrower(
    report: &mut Report,
    new: Option<k8s_openapi::api::core::v1::NodeSelector>,
    old: Option<k8s_openapi::api::core::v1::NodeSelector>,
) {
    let at = SPEC.field("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    let Some(old) = old else { return };
    let at = at.field("nodeSelectorTerms");
    let terms = new.map(|it| it.node_selector_terms).unwrap_or_default();
    if terms.len() != old.node_selector_terms.len() {
        let why = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        let shown: Vec<String> = terms.iter().map(|it| internal_term(it).0).collect();
        let shown = if shown.is_empty() { "null".to_owned() } else { format!("[{}]", shown.join(",")) };
        report.invalid(&at, &Written(shown), why);
        return;
    }
    for (index, (now, before)) in terms.iter().zip(&old.node_selector_terms).enumerate() {
        let expressions = now.match_expressions.as_deref().unwrap_or_default();
        let fields = now.match_fields.as_deref().unwrap_or_default();
        let kept = before.match_expressions.iter().flatten().all(|it| expressions.contains(it))
            && before.match_fields.iter().flatten().all(|it| fields.contains(it));
        if !kept {
            let why = "only additions are allowed (no mutations or deletions)";
            report.invalid(&at.index(index), &internal_term(now), why);
        }
    }
}
fn internal_term(term: &NodeSelectorTerm) -> Written {
    internal::whole("NodeSelectorTerm", &serde_json::json!(term))
}
