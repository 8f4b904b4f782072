//! Are disruption budgets, roles and their bindings legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/{policy,rbac}/validation`.

use serde_json::{Value, json};

use super::{
    internal,
    meta::{self, text},
    name,
    report::{At, Report, Written},
    workload::{at_most_all, count_or_percent},
};
use crate::{
    k8s::{
        policy::v1::PodDisruptionBudget,
        rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
    },
    label::Selector,
    meta::ObjectMeta,
};

const SPEC: At<'static> = At::root("spec");
const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn pod_disruption_budget(report: &mut Report, budget: &PodDisruptionBudget) {
    budget_spec(report, budget);
}

pub(super) fn pod_disruption_budget_update(
    report: &mut Report,
    new: &PodDisruptionBudget,
    old: &PodDisruptionBudget,
) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    budget_spec(report, new);
}

fn budget_spec(report: &mut Report, budget: &PodDisruptionBudget) {
    let Some(spec) = &budget.spec else { return };
    let (least, most) = (spec.min_available.as_ref(), spec.max_unavailable.as_ref());
    if least.is_some() && most.is_some() {
        let selector = spec.selector.as_ref().map_or("null".to_owned(), |it| internal::label_selector(it).0);
        let shown = Written(format!(
            "{{\"MinAvailable\":{},\"Selector\":{selector},\"MaxUnavailable\":{},\"UnhealthyPodEvictionPolicy\":{}}}",
            json!(least),
            json!(most),
            json!(spec.unhealthy_pod_eviction_policy),
        ));
        report.invalid(&SPEC, &shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for (field, value) in [("minAvailable", least), ("maxUnavailable", most)] {
        count_or_percent(report, value, &SPEC.field(field));
        at_most_all(report, value, &SPEC.field(field));
    }
    meta::label_selector(report, spec.selector.as_ref(), &SPEC.field("selector"));
    const POLICIES: &[&str] = &["AlwaysAllow", "IfHealthyBudget"];
    if let Some(policy) =
        spec.unhealthy_pod_eviction_policy.as_ref().filter(|it| !POLICIES.contains(&it.as_str()))
    {
        report.not_supported(&SPEC.field("unhealthyPodEvictionPolicy"), policy, POLICIES);
    }
}

pub(super) fn role(report: &mut Report, role: &Role) {
    meta::object_meta(report, &role.metadata, true, name::path_segment);
    rules(report, role.rules.as_deref(), true);
}

pub(super) fn cluster_role(report: &mut Report, role: &ClusterRole) {
    meta::object_meta(report, &role.metadata, false, name::path_segment);
    rules(report, role.rules.as_deref(), false);
    let Some(aggregation) = &role.aggregation_rule else { return };
    let at = At::root("aggregationRule.clusterRoleSelectors");
    let selectors = aggregation.cluster_role_selectors.as_deref().unwrap_or_default();
    if selectors.is_empty() {
        let why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        report.required(&at, why);
    }
    for (index, selector) in selectors.iter().enumerate() {
        let at = at.index(index);
        meta::label_selector(report, Some(selector), &at);
        if Selector::from_label_selector(selector).is_err() {
            report.invalid(&at, &Value::Null, "invalid label selector.");
        }
    }
}

fn rules(report: &mut Report, rules: Option<&[PolicyRule]>, namespaced: bool) {
    let at = At::root("rules");
    for (index, rule) in rules.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|it| !it.is_empty());
        if rule.verbs.is_empty() {
            report.required(&at.field("verbs"), "verbs must contain at least one value");
        }
        if some(&rule.non_resource_urls) {
            let shown = json!(rule.non_resource_urls);
            let at = at.field("nonResourceURLs");
            if namespaced {
                report.invalid(&at, &shown, "namespaced rules cannot apply to non-resource URLs");
            }
            if some(&rule.api_groups) || some(&rule.resources) || some(&rule.resource_names) {
                let why = "rules cannot apply to both regular resources and non-resource URLs";
                report.invalid(&at, &shown, why);
            }
            continue;
        }
        if !some(&rule.api_groups) {
            report.required(&at.field("apiGroups"), "resource rules must supply at least one api group");
        }
        if !some(&rule.resources) {
            report.required(&at.field("resources"), "resource rules must supply at least one resource");
        }
    }
}

pub(super) fn role_binding(report: &mut Report, it: &RoleBinding) {
    binding(report, &it.metadata, &it.role_ref, it.subjects.as_deref(), true);
}

pub(super) fn cluster_role_binding(report: &mut Report, it: &ClusterRoleBinding) {
    binding(report, &it.metadata, &it.role_ref, it.subjects.as_deref(), false);
}

/// What a role binding and its stored form must agree in.
pub(super) fn binding_update(
    report: &mut Report,
    new: (&ObjectMeta, &RoleRef),
    old: (&ObjectMeta, &RoleRef),
) {
    meta::object_meta_update(report, new.0, old.0);
    if new.1 != old.1 {
        let shown = internal::object(&[
            ("APIGroup", json!(new.1.api_group)),
            ("Kind", json!(new.1.kind)),
            ("Name", json!(new.1.name)),
        ]);
        report.invalid(&At::root("roleRef"), &shown, "cannot change roleRef");
    }
}

fn binding(
    report: &mut Report,
    metadata: &ObjectMeta,
    role: &RoleRef,
    subjects: Option<&[Subject]>,
    namespaced: bool,
) {
    meta::object_meta(report, metadata, namespaced, name::path_segment);
    let at = At::root("roleRef");
    if role.api_group != RBAC {
        report.not_supported(&at.field("apiGroup"), &role.api_group, &[RBAC]);
    }
    match (role.kind.as_str(), namespaced) {
        ("ClusterRole", _) | ("Role", true) => {}
        (other, true) => report.not_supported(&at.field("kind"), other, &["Role", "ClusterRole"]),
        (other, false) => report.not_supported(&at.field("kind"), other, &["ClusterRole"]),
    }
    if role.name.is_empty() {
        report.required(&at.field("name"), "");
    } else {
        report.each_invalid(&at.field("name"), &role.name, name::path_segment(&role.name, false));
    }
    let at = At::root("subjects");
    for (index, subject) in subjects.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        let named = !subject.name.is_empty();
        if !named {
            report.required(&at.field("name"), "");
        }
        let group = text(subject.api_group.as_ref());
        match subject.kind.as_str() {
            "ServiceAccount" => {
                if named {
                    report.each_invalid(
                        &at.field("name"),
                        &subject.name,
                        name::subdomain(&subject.name, false),
                    );
                }
                if !group.is_empty() {
                    report.not_supported(&at.field("apiGroup"), group, &[""]);
                }
                if !namespaced && text(subject.namespace.as_ref()).is_empty() {
                    report.required(&at.field("namespace"), "");
                }
            }
            "User" | "Group" => {
                if group != RBAC {
                    report.not_supported(&at.field("apiGroup"), group, &[RBAC]);
                }
            }
            other => report.not_supported(&at.field("kind"), other, &["ServiceAccount", "User", "Group"]),
        }
    }
}
