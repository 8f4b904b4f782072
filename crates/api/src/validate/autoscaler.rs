//! Is an autoscaler legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/autoscaling/validation`, `pkg/registry/autoscaling/horizontalpodautoscaler`.

use super::{
    meta::{self, text},
    name,
    report::{At, Report},
    resources,
};
use crate::{
    k8s::autoscaling::v2::{
        CrossVersionObjectReference, HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec,
        MetricIdentifier, MetricSpec, MetricTarget,
    },
    quantity::Quantity,
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn create(report: &mut Report, it: &HorizontalPodAutoscaler) {
    meta::object_meta(report, &it.metadata, true, name::subdomain);
    if let Some(new) = &it.spec {
        spec(report, new, None);
    }
}

pub(super) fn update(report: &mut Report, new: &HorizontalPodAutoscaler, old: &HorizontalPodAutoscaler) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if let Some(new) = &new.spec {
        spec(report, new, old.spec.as_ref());
    }
}

/// A reference that an update leaves alone keeps a version that would be refused today.
fn spec(report: &mut Report, spec: &HorizontalPodAutoscalerSpec, old: Option<&HorizontalPodAutoscalerSpec>) {
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
    let target = &spec.scale_target_ref;
    let kept = old.map(|it| &it.scale_target_ref);
    let kept = kept.is_some_and(|it| it.api_version == target.api_version && it.kind == target.kind);
    // The one kind of the core group that can be scaled.
    let core = text(target.api_version.as_ref()) == "v1" && target.kind == "ReplicationController";
    let version = if kept {
        Version::Any
    } else if core {
        Version::OfAnyGroup
    } else {
        Version::OfAGroup
    };
    reference(report, target, version, &SPEC.field("scaleTargetRef"));
    let metrics = spec.metrics.as_deref().unwrap_or_default();
    let at = SPEC.field("metrics");
    for (index, metric) in metrics.iter().enumerate() {
        self::metric(report, metric, &at.index(index));
    }
    if least == 0 && !metrics.iter().any(|it| matches!(it.type_.as_str(), "Object" | "External")) {
        let why = "must specify at least one Object or External metric to support scaling to zero replicas";
        report.forbidden(&at, why);
    }
    let Some(behavior) = &spec.behavior else { return };
    rules(report, behavior.scale_up.as_ref(), &SPEC.field("behavior.scaleUp"));
    rules(report, behavior.scale_down.as_ref(), &SPEC.field("behavior.scaleDown"));
}

/// What may stand in a reference's `apiVersion`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    Any,
    OfAnyGroup,
    OfAGroup,
}

fn reference(report: &mut Report, target: &CrossVersionObjectReference, version: Version, at: &At<'_>) {
    for (field, value) in [("kind", &target.kind), ("name", &target.name)] {
        if value.is_empty() {
            report.required(&at.field(field), "");
        } else {
            report.each_invalid(&at.field(field), value, name::path_segment(value, false));
        }
    }
    let written = text(target.api_version.as_ref());
    let slashes = written.matches('/').count();
    let grouped = slashes == 1 && !written.starts_with('/');
    match version {
        Version::Any => {}
        _ if slashes > 1 => {
            let why = format!("unexpected GroupVersion string: {written}");
            report.invalid(&at.field("apiVersion"), written, &why);
        }
        Version::OfAGroup if !grouped => {
            report.invalid(&at.field("apiVersion"), written, "apiVersion must specify API group");
        }
        Version::OfAGroup | Version::OfAnyGroup => {}
    }
}

fn rules(report: &mut Report, rules: Option<&HPAScalingRules>, at: &At<'_>) {
    let Some(rules) = rules else { return };
    if let Some(seconds) = rules.stabilization_window_seconds {
        let at = at.field("stabilizationWindowSeconds");
        if seconds < 0 {
            report.invalid(&at, &seconds, "must be greater than or equal to zero");
        }
        if seconds > 3600 {
            report.invalid(&at, &seconds, "must be less than or equal to 3600");
        }
    }
    const CHOICES: &[&str] = &["Disabled", "Max", "Min"];
    if let Some(choice) = rules.select_policy.as_ref().filter(|it| !CHOICES.contains(&it.as_str())) {
        report.not_supported(&at.field("selectPolicy"), choice, CHOICES);
    }
    let policies = rules.policies.as_deref().unwrap_or_default();
    let at_policies = at.field("policies");
    if policies.is_empty() {
        report.required(&at_policies, "must specify at least one Policy");
    }
    for (index, policy) in policies.iter().enumerate() {
        let at = at_policies.index(index);
        if !matches!(policy.type_.as_str(), "Pods" | "Percent") {
            report.not_supported(&at.field("type"), &policy.type_, &["Percent", "Pods"]);
        }
        for (field, number) in [("value", policy.value), ("periodSeconds", policy.period_seconds)] {
            if number <= 0 {
                report.invalid(&at.field(field), &number, "must be greater than zero");
            }
        }
        if policy.period_seconds > 1800 {
            let why = "must be less than or equal to 1800";
            report.invalid(&at.field("periodSeconds"), &policy.period_seconds, why);
        }
    }
}

fn metric(report: &mut Report, metric: &MetricSpec, at: &At<'_>) {
    const TYPES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
    let known = TYPES.contains(&metric.type_.as_str());
    if metric.type_.is_empty() {
        report.required(&at.field("type"), "must specify a metric source type");
    }
    if !known {
        report.not_supported(&at.field("type"), &metric.type_, TYPES);
    }
    let sources = [
        ("Object", "object", metric.object.is_some()),
        ("External", "external", metric.external.is_some()),
        ("Pods", "pods", metric.pods.is_some()),
        ("Resource", "resource", metric.resource.is_some()),
        ("ContainerResource", "containerResource", metric.container_resource.is_some()),
    ];
    // UPSTREAM: only the first of several sources is looked at.
    if let Some((kind, field, _)) = sources.iter().find(|(_, _, there)| *there) {
        source(report, metric, kind, &at.field(field));
    }
    if let Some((_, field, _)) = sources.iter().find(|(kind, _, there)| *kind == metric.type_ && !there) {
        report.required(&at.field(field), "must populate information for the given metric source");
    }
    if !known {
        report.not_supported(&at.field("type"), &metric.type_, TYPES);
    }
    if sources.iter().filter(|(_, _, there)| *there).count() > 1 {
        for (_, field, _) in sources.iter().filter(|(kind, _, there)| *kind != metric.type_ && *there) {
            report.forbidden(&at.field(field), "must populate the given metric source only");
        }
    }
}

fn source(report: &mut Report, metric: &MetricSpec, kind: &str, at: &At<'_>) {
    let at_average = at.field("target.averageValue");
    match kind {
        "Object" => {
            let Some(it) = &metric.object else { return };
            reference(report, &it.described_object, Version::OfAnyGroup, &at.field("describedObject"));
            identifier(report, &it.metric, &at.field("metric"));
            target(report, &it.target, &at.field("target"));
            if it.target.value.is_none() && it.target.average_value.is_none() {
                report.required(&at_average, "must set either a target value or averageValue");
            }
        }
        "External" => {
            let Some(it) = &metric.external else { return };
            identifier(report, &it.metric, &at.field("metric"));
            target(report, &it.target, &at.field("target"));
            match (&it.target.value, &it.target.average_value) {
                (None, None) => {
                    let why = "must set either a target value for metric or a per-pod target";
                    report.required(&at_average, why);
                }
                (Some(_), Some(_)) => {
                    let why = "may not set both a target value for metric and a per-pod target";
                    report.forbidden(&at.field("target.value"), why);
                }
                _ => {}
            }
        }
        "Pods" => {
            let Some(it) = &metric.pods else { return };
            identifier(report, &it.metric, &at.field("metric"));
            target(report, &it.target, &at.field("target"));
            if it.target.average_value.is_none() {
                report.required(&at_average, "must specify a positive target averageValue");
            }
        }
        "Resource" => {
            let Some(it) = &metric.resource else { return };
            if it.name.is_empty() {
                report.required(&at.field("name"), "must specify a resource name");
            }
            resource_target(report, &it.target, at);
        }
        _ => {
            let Some(it) = &metric.container_resource else { return };
            if it.name.is_empty() {
                report.required(&at.field("name"), "must specify a resource name");
            } else {
                resources::container_resource_name(report, &it.name, &at.field("name"));
            }
            if it.container.is_empty() {
                report.required(&at.field("container"), "must specify a container");
            } else {
                report.each_invalid(&at.field("container"), &it.container, name::label(&it.container));
            }
            resource_target(report, &it.target, at);
        }
    }
}

fn identifier(report: &mut Report, metric: &MetricIdentifier, at: &At<'_>) {
    let at = at.field("name");
    if metric.name.is_empty() {
        report.required(&at, "must specify a metric name");
    } else {
        report.each_invalid(&at, &metric.name, name::path_segment(&metric.name, false));
    }
}

fn resource_target(report: &mut Report, target: &MetricTarget, at: &At<'_>) {
    let at = at.field("target");
    self::target(report, target, &at);
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

fn target(report: &mut Report, target: &MetricTarget, at: &At<'_>) {
    if target.type_.is_empty() {
        report.required(&at.field("type"), "must specify a metric target type");
    }
    if !matches!(target.type_.as_str(), "Utilization" | "Value" | "AverageValue") {
        let why = "must be either Utilization, Value, or AverageValue";
        report.invalid(&at.field("type"), &target.type_, why);
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
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, decode, default, validate};

    fn said(spec: &Value) -> Vec<String> {
        let it = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": spec});
        let mut it = decode::decode(Kind::HorizontalPodAutoscaler, &it).expect("an autoscaler");
        default::apply_defaults(&mut it);
        validate::create(&it).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    fn target(version: &str) -> Value {
        json!({"apiVersion": version, "kind": "Deployment", "name": "a"})
    }

    #[test]
    fn a_target_needs_a_version_with_a_group() {
        let of = |version| said(&json!({"maxReplicas": 1, "scaleTargetRef": target(version)}));
        assert_eq!(of("apps/v1"), Vec::<String>::new());
        let at = "spec.scaleTargetRef.apiVersion: Invalid value: ";
        assert_eq!(of("v1"), [format!("{at}\"v1\": apiVersion must specify API group")]);
        assert_eq!(of("x/y/z"), [format!("{at}\"x/y/z\": unexpected GroupVersion string: x/y/z")]);
    }

    #[test]
    fn scaling_rules_have_bounds() {
        let behavior = json!({"scaleUp": {"stabilizationWindowSeconds": 3601, "selectPolicy": "Most",
            "policies": [{"type": "Pods", "value": 0, "periodSeconds": 1801}]}, "scaleDown": {"policies": []}});
        let spec = json!({"maxReplicas": 1, "scaleTargetRef": target("apps/v1"), "behavior": behavior});
        assert_eq!(
            said(&spec),
            [
                "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
                "spec.behavior.scaleUp.selectPolicy: Unsupported value: \"Most\": supported values: \"Disabled\", \"Max\", \"Min\"",
                "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
                "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
                "spec.behavior.scaleDown.policies: Required value: must specify at least one Policy"
            ]
        );
    }
}
