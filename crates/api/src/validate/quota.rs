//! Are quotas and limit ranges legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/apis/core/helper`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;
use serde_json::json;

use super::{
    internal, meta, name,
    report::{At, Report},
    resources,
};
use crate::{
    k8s::core::v1::{LimitRange, LimitRangeItem, ResourceQuota, ResourceQuotaSpec},
    quantity::Quantity,
};

const SPEC: At<'static> = At::root("spec");

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
    scopes(report, spec);
    scope_selector(report, spec);
}

fn scopes(report: &mut Report, spec: &ResourceQuotaSpec) {
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let at = SPEC.field("scopes");
    for scope in scopes {
        if !STANDARD.contains(&scope.as_str()) {
            report.invalid(&at, &json!(scopes), "unsupported scope");
        }
        for _ in spec.hard.iter().flatten().filter(|(name, _)| !fits(scope, name)) {
            report.invalid(&at, &json!(scopes), "unsupported scope applied to resource");
        }
    }
    conflicts(report, spec, &scopes.iter().map(String::as_str).collect(), &at);
}

fn scope_selector(report: &mut Report, spec: &ResourceQuotaSpec) {
    let Some(selector) = &spec.scope_selector else { return };
    let at = SPEC.field("scopeSelector.matchExpressions");
    let rules = selector.match_expressions.as_deref().unwrap_or_default();
    for rule in rules {
        let (scope, operator) = (rule.scope_name.as_str(), rule.operator.as_str());
        let values = rule.values.as_deref().unwrap_or_default();
        if !STANDARD.contains(&scope) {
            report.invalid(&at.field("scopeName"), scope, "unsupported scope");
        }
        for _ in spec.hard.iter().flatten().filter(|(name, _)| !fits(scope, name)) {
            report.invalid(&at, &internal::scope_selector(selector), "unsupported scope applied to resource");
        }
        if BY_PODS.contains(&scope) && operator != "Exists" {
            let why = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            report.invalid(&at.field("operator"), operator, why);
        }
        match operator {
            "In" | "NotIn" if values.is_empty() => {
                let why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
                report.required(&at.field("values"), why);
            }
            "In" | "NotIn" => {}
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    let why =
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
                    report.invalid(&at.field("values"), &json!(values), why);
                }
            }
            other => report.invalid(&at.field("operator"), other, "not a valid selector operator"),
        }
    }
    conflicts(report, spec, &rules.iter().map(|it| it.scope_name.as_str()).collect(), &at);
}

const COMPUTE: &[&str] = &["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const BY_PODS: &[&str] =
    &["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "Terminating"];
const STANDARD: &[&str] = &[
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];

/// Whether a scope can narrow what is counted under this name; it has no say about names of other making.
fn fits(scope: &str, name: &str) -> bool {
    if !resources::is_quota_resource(name) {
        return true;
    }
    match scope {
        "Terminating"
        | "NotTerminating"
        | "NotBestEffort"
        | "PriorityClass"
        | "CrossNamespacePodAffinity" => matches!(name, "pods" | "cpu" | "memory") || COMPUTE.contains(&name),
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

/// UPSTREAM: a conflict is shown by the list of scopes, also where a selector made it.
fn conflicts(report: &mut Report, spec: &ResourceQuotaSpec, scopes: &BTreeSet<&str>, at: &At<'_>) {
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|scope| scopes.contains(scope)) {
            report.invalid(at, &json!(spec.scopes), "conflicting scopes");
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
        if let (Some(ratio), Some(min), Some(max)) = (of(&item.max_limit_request_ratio, key), &min, &max) {
            #[expect(clippy::cast_precision_loss, reason = "the server divides as Go's float64")]
            let (most, asked) =
                (max.milli_value() as f64 / min.milli_value() as f64, ratio.milli_value() as f64 / 1000.0);
            if asked > most {
                let why = format!("ratio {} is greater than max/min = {most:.6}", ratio.canonical());
                report.invalid(&at.field("maxLimitRequestRatio").key(key), &ratio.canonical(), &why);
            }
        }
        if let (Some(default), Some(request)) = (&default, &request)
            && !resources::may_overcommit(key)
            && default != request
        {
            let (default, request) = (default.canonical(), request.canonical());
            let why =
                format!("default value {default} must equal to defaultRequest value {request} in {key}");
            report.invalid(&at.field("defaultRequest").key(key), &request, &why);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, decode, default, validate};

    fn said(kind: Kind, spec: &Value) -> Vec<String> {
        let it = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": spec});
        let mut it = decode::decode(kind, &it).expect("an object");
        default::apply_defaults(&mut it);
        validate::create(&it).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    #[test]
    fn a_scope_must_fit_what_is_counted_and_exist() {
        let rule = json!({"scopeName": "BestEffort", "operator": "In"});
        let spec = json!({"hard": {"requests.cpu": "1"}, "scopeSelector": {"matchExpressions": [rule]}});
        assert_eq!(
            said(Kind::ResourceQuota, &spec),
            [
                "spec.scopeSelector.matchExpressions: Invalid value: {\"MatchExpressions\":[{\"ScopeName\":\"BestEffort\",\"Operator\":\"In\",\"Values\":null}]}: unsupported scope applied to resource",
                "spec.scopeSelector.matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
                "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            ]
        );
    }

    #[test]
    fn what_may_not_be_overcommitted_has_one_default() {
        let item = json!({"type": "Container", "default": {"nvidia.com/gpu": "2"}, "defaultRequest": {"nvidia.com/gpu": "1"}});
        assert_eq!(
            said(Kind::LimitRange, &json!({"limits": [item]})),
            [
                "spec.limits[0].defaultRequest[nvidia.com/gpu]: Invalid value: \"1\": default value 2 must equal to defaultRequest value 1 in nvidia.com/gpu"
            ]
        );
    }

    #[test]
    fn a_ratio_fits_between_least_and_most() {
        let item = json!({"type": "Container", "min": {"cpu": "1"}, "max": {"cpu": "2"}, "maxLimitRequestRatio": {"cpu": "3"}});
        assert_eq!(
            said(Kind::LimitRange, &json!({"limits": [item]})),
            [
                "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"3\": ratio 3 is greater than max/min = 2.000000"
            ]
        );
    }
}
