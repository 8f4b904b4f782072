//! Are the wishes of a pod about its node legal: affinity, tolerations, spreading?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use super::{
    meta::{label_selector, text},
    name,
    report::{At, Report},
};
use crate::{
    k8s::core::v1::{
        Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinityTerm, Toleration,
        TopologySpreadConstraint, WeightedPodAffinityTerm,
    },
    meta::LabelSelector,
};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// `spec.affinity`.
pub(super) fn affinity(report: &mut Report, affinity: &Affinity, at: &At<'_>) {
    if let Some(node) = &affinity.node_affinity {
        let at = at.field("nodeAffinity");
        if let Some(selector) = &node.required_during_scheduling_ignored_during_execution {
            node_selector(report, selector, &at.field(REQUIRED));
        }
        let at = at.field(PREFERRED);
        let preferred = node.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        for (index, term) in preferred.enumerate() {
            let at = at.index(index);
            weight(report, term.weight, &at);
            node_selector_term(report, &term.preference, false, &at.field("preference"));
        }
    }
    if let Some(pods) = &affinity.pod_affinity {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.as_deref();
        pod_terms(report, required, preferred, &at.field("podAffinity"));
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        let required = pods.required_during_scheduling_ignored_during_execution.as_deref();
        let preferred = pods.preferred_during_scheduling_ignored_during_execution.as_deref();
        pod_terms(report, required, preferred, &at.field("podAntiAffinity"));
    }
}

fn weight(report: &mut Report, weight: i32, at: &At<'_>) {
    if !(1..=100).contains(&weight) {
        report.invalid(&at.field("weight"), &weight, "must be in the range 1-100");
    }
}

/// A node selector: at least one term.
pub(super) fn node_selector(report: &mut Report, selector: &NodeSelector, at: &At<'_>) {
    let at = at.field("nodeSelectorTerms");
    if selector.node_selector_terms.is_empty() {
        report.required(&at, "must have at least one node selector term");
    }
    for (index, term) in selector.node_selector_terms.iter().enumerate() {
        node_selector_term(report, term, true, &at.index(index));
    }
}

fn node_selector_term(report: &mut Report, term: &NodeSelectorTerm, values: bool, at: &At<'_>) {
    let at_expressions = at.field("matchExpressions");
    for (index, requirement) in term.match_expressions.iter().flatten().enumerate() {
        expression(report, requirement, values, &at_expressions.index(index));
    }
    let at_fields = at.field("matchFields");
    for (index, requirement) in term.match_fields.iter().flatten().enumerate() {
        let at = at_fields.index(index);
        let values = requirement.values.as_deref().unwrap_or_default();
        match requirement.operator.as_str() {
            "In" | "NotIn" => {
                if values.len() != 1 {
                    let why =
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
                    report.required(&at.field("values"), why);
                }
            }
            other => report.invalid(&at.field("operator"), other, "not a valid selector operator"),
        }
        if requirement.key == "metadata.name" {
            for (index, value) in values.iter().enumerate() {
                report.each_invalid(&at.field("values").index(index), value, name::subdomain(value, false));
            }
        } else {
            report.invalid(&at.field("key"), &requirement.key, "not a valid field selector key");
        }
    }
}

fn expression(report: &mut Report, requirement: &NodeSelectorRequirement, strict: bool, at: &At<'_>) {
    let values = requirement.values.as_deref().unwrap_or_default();
    let at_values = at.field("values");
    match requirement.operator.as_str() {
        "In" | "NotIn" => {
            if values.is_empty() {
                report.required(&at_values, "must be specified when `operator` is 'In' or 'NotIn'");
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                report.forbidden(
                    &at_values,
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                );
            }
        }
        "Gt" | "Lt" => {
            if values.len() != 1 {
                report.required(&at_values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        }
        other => report.invalid(&at.field("operator"), other, "not a valid selector operator"),
    }
    report.each_invalid(&at.field("key"), &requirement.key, name::qualified(&requirement.key));
    if strict {
        for (index, value) in values.iter().enumerate() {
            report.each_invalid(&at_values.index(index), value, name::label_value(value));
        }
    }
}

fn pod_terms(
    report: &mut Report,
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    at: &At<'_>,
) {
    let at_required = at.field(REQUIRED);
    for (index, term) in required.unwrap_or_default().iter().enumerate() {
        pod_term(report, term, &at_required.index(index));
    }
    let at_preferred = at.field(PREFERRED);
    for (index, term) in preferred.unwrap_or_default().iter().enumerate() {
        let at = at_preferred.index(index);
        weight(report, term.weight, &at);
        pod_term(report, &term.pod_affinity_term, &at.field("podAffinityTerm"));
    }
}

fn pod_term(report: &mut Report, term: &PodAffinityTerm, at: &At<'_>) {
    label_selector(report, term.label_selector.as_ref(), &at.field("labelSelector"));
    label_selector(report, term.namespace_selector.as_ref(), &at.field("namespaceSelector"));
    for namespace in term.namespaces.iter().flatten() {
        report.each_invalid(&at.field("namespace"), namespace, name::label_name(namespace, false));
    }
    let selector = term.label_selector.as_ref();
    let matching = term.match_label_keys.as_deref().unwrap_or_default();
    let differing = term.mismatch_label_keys.as_deref().unwrap_or_default();
    label_keys(report, matching, differing, selector, at);
    let at = at.field("topologyKey");
    if term.topology_key.is_empty() {
        report.required(&at, "can not be empty");
    }
    report.each_invalid(&at, &term.topology_key, name::qualified(&term.topology_key));
}

fn label_keys(
    report: &mut Report,
    matching: &[String],
    differing: &[String],
    selector: Option<&LabelSelector>,
    at: &At<'_>,
) {
    for (field, keys) in [("matchLabelKeys", matching), ("mismatchLabelKeys", differing)] {
        let at = at.field(field);
        if selector.is_none() && !keys.is_empty() {
            report.forbidden(&at, "must not be specified when labelSelector is not set");
            continue;
        }
        for (index, key) in keys.iter().enumerate() {
            report.each_invalid(&at.index(index), key, name::qualified(key));
        }
    }
    if let Some(selector) = selector {
        // The server has merged the keys already, so a key that stands there twice was there before.
        let mut seen: Vec<&str> =
            selector.match_labels.iter().flatten().map(|(key, _)| key.as_str()).collect();
        for requirement in selector.match_expressions.iter().flatten() {
            let key = requirement.key.as_str();
            if let Some(index) = matching.iter().position(|it| it == key).filter(|_| seen.contains(&key)) {
                report.invalid(&at.index(index), key, "exists in both matchLabelKeys and labelSelector");
            }
            seen.push(key);
        }
    }
    for (index, key) in matching.iter().enumerate().filter(|(_, key)| differing.contains(key)) {
        let at = at.field("matchLabelKeys");
        report.invalid(&at.index(index), key, "exists in both matchLabelKeys and mismatchLabelKeys");
    }
}

/// `spec.tolerations`.
pub(super) fn tolerations(report: &mut Report, tolerations: &[Toleration], at: &At<'_>) {
    for (index, toleration) in tolerations.iter().enumerate() {
        let at = at.index(index);
        let key = text(toleration.key.as_ref());
        let (operator, value) = (text(toleration.operator.as_ref()), text(toleration.value.as_ref()));
        let effect = text(toleration.effect.as_ref());
        let at_operator = at.field("operator");
        if !key.is_empty() {
            report.each_invalid(&at.field("key"), key, name::qualified(key));
        }
        if key.is_empty() && operator != "Exists" {
            let why =
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
            report.invalid(&at_operator, operator, why);
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            let why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
            report.invalid(&at.field("effect"), effect, why);
        }
        match operator {
            "Equal" | "" => {
                let errors = name::label_value(value);
                if !errors.is_empty() {
                    report.invalid(&at_operator, value, &errors.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    report.invalid(&at_operator, value, "value must be empty when `operator` is 'Exists'");
                }
            }
            other => report.not_supported(&at_operator, other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() {
            taint_effect(report, effect, &at.field("effect"));
        }
    }
}

/// The effect of a taint or toleration; required if it is empty.
pub(super) fn taint_effect(report: &mut Report, effect: &str, at: &At<'_>) {
    match effect {
        "NoSchedule" | "PreferNoSchedule" | "NoExecute" => {}
        "" => report.required(at, ""),
        other => report.not_supported(at, other, &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    }
}

/// `spec.topologySpreadConstraints`.
pub(super) fn spread(report: &mut Report, constraints: &[TopologySpreadConstraint], at: &At<'_>) {
    for (index, constraint) in constraints.iter().enumerate() {
        let at = at.index(index);
        report.positive(&at.field("maxSkew"), constraint.max_skew.into());
        if constraint.topology_key.is_empty() {
            report.required(&at.field("topologyKey"), "can not be empty");
        }
        let action = constraint.when_unsatisfiable.as_str();
        if !matches!(action, "DoNotSchedule" | "ScheduleAnyway") {
            report.not_supported(
                &at.field("whenUnsatisfiable"),
                action,
                &["DoNotSchedule", "ScheduleAnyway"],
            );
        }
        let repeats = constraints[index + 1..].iter().any(|other| {
            other.topology_key == constraint.topology_key
                && other.when_unsatisfiable == constraint.when_unsatisfiable
        });
        if repeats {
            let pair = format!("{{{}, {action}}}", constraint.topology_key);
            report.duplicate(&at.field("{topologyKey, whenUnsatisfiable}"), &pair);
        }
        if let Some(domains) = constraint.min_domains {
            report.positive(&at.field("minDomains"), domains.into());
            if action != "DoNotSchedule" {
                let why = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
                report.invalid(&at.field("minDomains"), &domains, &why);
            }
        }
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy.as_ref().filter(|it| !matches!(it.as_str(), "Honor" | "Ignore")) {
                report.not_supported(&at.field(field), policy, &["Honor", "Ignore"]);
            }
        }
        let keys = constraint.match_label_keys.as_deref().unwrap_or_default();
        label_keys(report, keys, &[], constraint.label_selector.as_ref(), &at);
        label_selector(report, constraint.label_selector.as_ref(), &at.field("labelSelector"));
    }
}
