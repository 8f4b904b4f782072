//! Are budgets, roles, autoscalers, quotas and limit ranges legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/{policy,rbac,autoscaling,core}/validation`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;
use serde_json::json;

use super::{
    internal,
    meta::{self, text},
    name,
    report::{At, Report},
    resources,
    workload::{at_most_all, count_or_percent},
};
use crate::{
    k8s::{
        autoscaling::v2::{CrossVersionObjectReference, HorizontalPodAutoscaler, MetricSpec, MetricTarget},
        core::v1::{LimitRange, LimitRangeItem, ResourceQuota},
        policy::v1::PodDisruptionBudget,
        rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
    },
    meta::ObjectMeta,
    quantity::Quantity,
};

const SPEC: At<'static> = At::root("spec");
const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn pod_disruption_budget(report: &mut Report, budget: &PodDisruptionBudget) {
    meta::object_meta(report, &budget.metadata, true, name::subdomain);
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
        let shown = internal::object(&[
            ("MinAvailable", json!(least)),
            ("Selector", json!(spec.selector)),
            ("MaxUnavailable", json!(most)),
            ("UnhealthyPodEvictionPolicy", json!(spec.unhealthy_pod_eviction_policy)),
        ]);
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
            kind @ ("User" | "Group") => {
                if !named {
                    let why = format!("{} name cannot be empty", kind.to_lowercase());
                    report.invalid(&at.field("name"), &subject.name, &why);
                }
                if group != RBAC {
                    report.not_supported(&at.field("apiGroup"), group, &[RBAC]);
                }
            }
            other => report.not_supported(&at.field("kind"), other, &["ServiceAccount", "User", "Group"]),
        }
    }
}

pub(super) fn horizontal_pod_autoscaler(report: &mut Report, it: &HorizontalPodAutoscaler) {
    meta::object_meta(report, &it.metadata, true, name::subdomain);
    autoscaler_spec(report, it);
}

pub(super) fn horizontal_pod_autoscaler_update(
    report: &mut Report,
    new: &HorizontalPodAutoscaler,
    old: &HorizontalPodAutoscaler,
) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    autoscaler_spec(report, new);
}

fn autoscaler_spec(report: &mut Report, it: &HorizontalPodAutoscaler) {
    let Some(spec) = &it.spec else { return };
    let least = spec.min_replicas.unwrap_or(1);
    if least < 1 {
        report.invalid(&SPEC.field("minReplicas"), &least, "must be greater than or equal to 1");
    }
    if spec.max_replicas < 1 {
        report.invalid(&SPEC.field("maxReplicas"), &spec.max_replicas, "must be greater than 0");
    }
    if spec.max_replicas < least {
        let why = "must be greater than or equal to `minReplicas`";
        report.invalid(&SPEC.field("maxReplicas"), &spec.max_replicas, why);
    }
    scaled(report, &spec.scale_target_ref, &SPEC.field("scaleTargetRef"));
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    let at = SPEC.field("metrics");
    for (index, metric) in metrics.iter().enumerate() {
        self::metric(report, metric, &at.index(index));
    }
    if least == 0 && !metrics.iter().any(|it| matches!(it.type_.as_str(), "Object" | "External")) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        report.forbidden(&at, why);
    }
}

fn scaled(report: &mut Report, target: &CrossVersionObjectReference, at: &At<'_>) {
    for (field, value) in [("kind", &target.kind), ("name", &target.name)] {
        if value.is_empty() {
            report.required(&at.field(field), "");
        } else {
            report.each_invalid(&at.field(field), value, name::path_segment(value, false));
        }
    }
    let version = text(target.api_version.as_ref());
    if !version.contains('/') && target.kind != "ReplicationController" {
        report.invalid(&at.field("apiVersion"), version, "apiVersion must specify API group");
    }
}

fn metric(report: &mut Report, metric: &MetricSpec, at: &At<'_>) {
    const TYPES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
    if metric.type_.is_empty() {
        report.required(&at.field("type"), "must specify a metric source type");
    }
    if !TYPES.contains(&metric.type_.as_str()) {
        report.not_supported(&at.field("type"), &metric.type_, TYPES);
    }
    let sources = [
        ("Object", "object", metric.object.is_some()),
        ("External", "external", metric.external.is_some()),
        ("Pods", "pods", metric.pods.is_some()),
        ("Resource", "resource", metric.resource.is_some()),
        ("ContainerResource", "containerResource", metric.container_resource.is_some()),
    ];
    if let Some(resource) = &metric.resource {
        resource_target(report, &resource.name, &resource.target, &at.field("resource"));
    }
    if let Some(resource) = &metric.container_resource {
        let at = at.field("containerResource");
        if resource.container.is_empty() {
            report.required(&at.field("container"), "must specify a container");
        }
        resource_target(report, &resource.name, &resource.target, &at);
    }
    if let Some((_, field, _)) = sources.iter().find(|(kind, _, there)| *kind == metric.type_ && !there) {
        report.required(&at.field(field), "must populate information for the given metric source");
    }
    for (_, field, _) in sources.iter().filter(|(kind, _, there)| *kind != metric.type_ && *there) {
        report.forbidden(&at.field(field), "must populate the given metric source only");
    }
}

fn resource_target(report: &mut Report, name: &str, target: &MetricTarget, at: &At<'_>) {
    if name.is_empty() {
        report.required(&at.field("name"), "must specify a resource name");
    }
    let at = at.field("target");
    match target.type_.as_str() {
        "Utilization" | "Value" | "AverageValue" => {}
        "" => report.required(&at.field("type"), "must specify a metric target type"),
        other => {
            report.invalid(&at.field("type"), other, "must be either Utilization, Value, or AverageValue");
        }
    }
    for (field, amount) in [("value", &target.value), ("averageValue", &target.average_value)] {
        if let Some(amount) =
            amount.as_ref().filter(|it| Quantity::parse(&it.0).is_ok_and(|it| it.sign() <= 0))
        {
            report.invalid(&at.field(field), &amount.0, "must be positive");
        }
    }
    if let Some(percent) = target.average_utilization.filter(|it| *it < 1) {
        report.invalid(&at.field("averageUtilization"), &percent, "must be greater than 0");
    }
    match (target.average_utilization, &target.average_value) {
        (None, None) => {
            let why = "must set either a target raw value or a target utilization";
            report.required(&at.field("averageUtilization"), why);
        }
        (Some(_), Some(_)) => {
            let why = "may not set both a target raw value and a target utilization";
            report.forbidden(&at.field("averageValue"), why);
        }
        _ => {}
    }
}

pub(super) fn resource_quota(report: &mut Report, quota: &ResourceQuota) {
    meta::object_meta(report, &quota.metadata, true, name::subdomain);
    quota_spec(report, quota);
}

pub(super) fn resource_quota_update(report: &mut Report, new: &ResourceQuota, old: &ResourceQuota) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    quota_spec(report, new);
    let scopes = |quota: &ResourceQuota| {
        let listed = quota.spec.as_ref().and_then(|it| it.scopes.clone()).unwrap_or_default();
        listed.into_iter().collect::<BTreeSet<String>>()
    };
    if scopes(new) != scopes(old) {
        let shown = json!(new.spec.as_ref().and_then(|it| it.scopes.as_ref()));
        report.invalid(&SPEC.field("scopes"), &shown, "field is immutable");
    }
}

fn quota_spec(report: &mut Report, quota: &ResourceQuota) {
    let Some(spec) = &quota.spec else { return };
    let at = SPEC.field("hard");
    for (name, amount) in spec.hard.iter().flatten() {
        resources::quota_resource_name(report, name, &at.key(name));
        resources::amount_of(report, name, amount, &at.key(name));
    }
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let at = SPEC.field("scopes");
    for scope in scopes {
        let fits: Option<fn(&str) -> bool> = match scope.as_str() {
            "Terminating"
            | "NotTerminating"
            | "NotBestEffort"
            | "PriorityClass"
            | "CrossNamespacePodAffinity" => {
                Some(|it| it == "pods" || matches!(it.split('.').next_back(), Some("cpu" | "memory")))
            }
            "BestEffort" => Some(|it| it == "pods"),
            "VolumeAttributesClass" => Some(|it| matches!(it, "persistentvolumeclaims" | "requests.storage")),
            _ => None,
        };
        let Some(fits) = fits else {
            report.invalid(&at, &json!(scopes), "unsupported scope");
            continue;
        };
        for _ in
            spec.hard.iter().flatten().filter(|(name, _)| resources::is_quota_resource(name) && !fits(name))
        {
            report.invalid(&at, &json!(scopes), "unsupported scope applied to resource");
        }
    }
    let has = |name: &str| scopes.iter().any(|it| it == name);
    for (a, b) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if has(a) && has(b) {
            report.invalid(&at, &json!(scopes), "conflicting scopes");
        }
    }
}

pub(super) fn limit_range(report: &mut Report, range: &LimitRange) {
    meta::object_meta(report, &range.metadata, true, name::subdomain);
    let Some(spec) = &range.spec else { return };
    let at = SPEC.field("limits");
    let mut types = BTreeSet::new();
    for (index, item) in spec.limits.iter().enumerate() {
        let at = at.index(index);
        let errors = name::qualified(&item.type_);
        let standard = matches!(item.type_.as_str(), "Pod" | "Container" | "PersistentVolumeClaim");
        if !errors.is_empty() {
            report.each_invalid(&at.field("type"), &item.type_, errors);
        } else if !item.type_.contains('/') && !standard {
            let why = "must be a standard limit type or fully qualified";
            report.invalid(&at.field("type"), &item.type_, why);
        }
        if !types.insert(&item.type_) {
            report.duplicate(&at.field("type"), &item.type_);
        }
        limit_range_item(report, item, &at);
    }
}

fn limit_range_item(report: &mut Report, item: &LimitRangeItem, at: &At<'_>) {
    let names = |report: &mut Report, field: &str, list: &Option<BTreeMap<String, Amount>>| {
        for name in list.iter().flatten().map(|(name, _)| name) {
            resources::limit_range_resource_name(report, &item.type_, name, &at.field(field).key(name));
        }
    };
    names(report, "max", &item.max);
    names(report, "min", &item.min);
    let is_pod = item.type_ == "Pod";
    for (field, list) in [("default", &item.default), ("defaultRequest", &item.default_request)] {
        if !is_pod {
            names(report, field, list);
        } else if list.as_ref().is_some_and(|it| !it.is_empty()) {
            report.forbidden(&at.field(field), "may not be specified when `type` is 'Pod'");
        }
    }
    let of = |list: &Option<BTreeMap<String, Amount>>, name: &str| {
        list.as_ref().and_then(|it| it.get(name)).and_then(|it| Quantity::parse(&it.0).ok())
    };
    if item.type_ == "PersistentVolumeClaim"
        && of(&item.min, "storage").or(of(&item.max, "storage")).is_none()
    {
        let why = "either minimum or maximum storage value is required, but neither was provided";
        report.required(&at.field("limits"), why);
    }
    names(report, "maxLimitRequestRatio", &item.max_limit_request_ratio);
    let mut keys: BTreeSet<&String> = BTreeSet::new();
    for list in [&item.max, &item.min, &item.max_limit_request_ratio] {
        keys.extend(list.iter().flatten().map(|(name, _)| name));
    }
    if !is_pod {
        for list in [&item.default, &item.default_request] {
            keys.extend(list.iter().flatten().map(|(name, _)| name));
        }
    }
    for key in keys {
        let (min, max) = (of(&item.min, key), of(&item.max, key));
        let default = of(&item.default, key).filter(|_| !is_pod);
        let request = of(&item.default_request, key).filter(|_| !is_pod);
        let mut over = |field: &str, shown: &Quantity, low: (&str, &Quantity), high: (&str, &Quantity)| {
            if low.1 > high.1 {
                let why = format!(
                    "{} value {} is greater than {} value {}",
                    low.0,
                    low.1.canonical(),
                    high.0,
                    high.1.canonical()
                );
                report.invalid(&at.field(field).key(key), &shown.canonical(), &why);
            }
        };
        if let (Some(min), Some(max)) = (&min, &max) {
            over("min", min, ("min", min), ("max", max));
        }
        if let (Some(min), Some(request)) = (&min, &request) {
            over("defaultRequest", request, ("min", min), ("default request", request));
        }
        if let (Some(request), Some(max)) = (&request, &max) {
            over("defaultRequest", request, ("default request", request), ("max", max));
        }
        if let (Some(request), Some(default)) = (&request, &default) {
            over("defaultRequest", request, ("default request", request), ("default limit", default));
        }
        if let (Some(min), Some(default)) = (&min, &default) {
            over("default", min, ("min", min), ("default", default));
        }
        if let (Some(default), Some(max)) = (&default, &max) {
            over("default", max, ("default", default), ("max", max));
        }
        if let Some(ratio) = of(&item.max_limit_request_ratio, key).filter(|it| it.milli_value() < 1000) {
            let why = format!("ratio {} is less than 1", ratio.canonical());
            report.invalid(&at.field("maxLimitRequestRatio").key(key), &ratio.canonical(), &why);
        }
    }
}
