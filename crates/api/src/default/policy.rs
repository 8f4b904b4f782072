//! What do the smaller kinds get that do not ask for it?

use super::{blank_to, missing_to, pod::round_up};
use crate::{
    k8s::{
        autoscaling::v2::{
            HPAScalingPolicy, HorizontalPodAutoscaler, MetricSpec, MetricTarget, ResourceMetricSource,
        },
        core::v1::{LimitRange, Namespace, Node, ResourceQuota},
        networking::v1::{IngressClass, NetworkPolicy},
        rbac::v1::{ClusterRoleBinding, RoleBinding, Subject},
    },
    meta::ObjectMeta,
};

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) fn namespace(namespace: &mut Namespace) {
    let ObjectMeta { name, labels, .. } = &mut namespace.metadata;
    if let Some(name) = name.as_ref().filter(|name| !name.is_empty()) {
        labels.get_or_insert_default().insert("kubernetes.io/metadata.name".to_owned(), name.clone());
    }
    blank_to(&mut namespace.status.get_or_insert_default().phase, "Active");
}

pub(super) fn node(node: &mut Node) {
    if let Some(spec) = &mut node.spec {
        // UPSTREAM: the older field for one block of addresses wins over the list that followed it.
        let first = spec.pod_cidrs.as_ref().and_then(|it| it.first());
        match (&spec.pod_cidr, first) {
            (Some(one), first) if !one.is_empty() && first != Some(one) => {
                spec.pod_cidrs = Some(vec![one.clone()]);
            }
            (_, first) => spec.pod_cidr = first.cloned(),
        }
    }
    let Some(status) = &mut node.status else { return };
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
    for list in [&mut status.capacity, &mut status.allocatable].into_iter().flatten() {
        round_up(list);
    }
}

pub(super) fn horizontal_pod_autoscaler(autoscaler: &mut HorizontalPodAutoscaler) {
    // UPSTREAM: a missing spec is an empty one in Go.
    let spec = autoscaler.spec.get_or_insert_default();
    spec.min_replicas.get_or_insert(1);
    let metrics = spec.metrics.get_or_insert_default();
    if metrics.is_empty() {
        let target = MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(80),
            ..MetricTarget::default()
        };
        let resource = Some(ResourceMetricSource { name: "cpu".to_owned(), target });
        metrics.push(MetricSpec { type_: "Resource".to_owned(), resource, ..MetricSpec::default() });
    }
    let Some(behavior) = &mut spec.behavior else { return };
    let policy = |type_: &str, value| HPAScalingPolicy { type_: type_.to_owned(), value, period_seconds: 15 };
    let up = behavior.scale_up.get_or_insert_default();
    up.stabilization_window_seconds.get_or_insert(0);
    up.select_policy.get_or_insert_with(|| "Max".to_owned());
    up.policies.get_or_insert_with(|| vec![policy("Pods", 4), policy("Percent", 100)]);
    let down = behavior.scale_down.get_or_insert_default();
    down.select_policy.get_or_insert_with(|| "Max".to_owned());
    down.policies.get_or_insert_with(|| vec![policy("Percent", 100)]);
    // The feature that reads it, HPAConfigurableTolerance, is off.
    up.tolerance = None;
    down.tolerance = None;
}

pub(super) fn resource_quota(quota: &mut ResourceQuota) {
    if let Some(hard) = quota.spec.as_mut().and_then(|it| it.hard.as_mut()) {
        round_up(hard);
    }
}

pub(super) fn network_policy(policy: &mut NetworkPolicy) {
    let Some(spec) = &mut policy.spec else { return };
    let ingress = spec.ingress.iter_mut().flatten().filter_map(|rule| rule.ports.as_mut());
    let egress = spec.egress.iter_mut().flatten().filter_map(|rule| rule.ports.as_mut());
    for port in ingress.chain(egress).flatten() {
        missing_to(&mut port.protocol, "TCP");
    }
    let types = spec.policy_types.get_or_insert_default();
    if types.is_empty() {
        types.push("Ingress".to_owned());
        if spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()) {
            types.push("Egress".to_owned());
        }
    }
}

pub(super) fn ingress_class(class: &mut IngressClass) {
    if let Some(parameters) = class.spec.as_mut().and_then(|it| it.parameters.as_mut()) {
        parameters.scope.get_or_insert_with(|| "Cluster".to_owned());
    }
}

pub(super) fn role_binding(binding: &mut RoleBinding) {
    if binding.role_ref.api_group.is_empty() {
        binding.role_ref.api_group = RBAC.to_owned();
    }
    binding.subjects.iter_mut().flatten().for_each(subject);
}

pub(super) fn cluster_role_binding(binding: &mut ClusterRoleBinding) {
    if binding.role_ref.api_group.is_empty() {
        binding.role_ref.api_group = RBAC.to_owned();
    }
    binding.subjects.iter_mut().flatten().for_each(subject);
}

fn subject(subject: &mut Subject) {
    if matches!(subject.kind.as_str(), "User" | "Group") {
        blank_to(&mut subject.api_group, RBAC);
    }
}

pub(super) fn limit_range(limit_range: &mut LimitRange) {
    let Some(spec) = &mut limit_range.spec else { return };
    for item in &mut spec.limits {
        let lists = [&mut item.max, &mut item.min, &mut item.default, &mut item.default_request];
        for list in lists.into_iter().chain([&mut item.max_limit_request_ratio]).flatten() {
            round_up(list);
        }
    }
    for item in spec.limits.iter_mut().filter(|item| item.type_ == "Container") {
        let default = item.default.get_or_insert_default();
        for (name, amount) in item.max.iter().flatten() {
            default.entry(name.clone()).or_insert_with(|| amount.clone());
        }
        let request = item.default_request.get_or_insert_default();
        for (name, amount) in default.iter().chain(item.min.iter().flatten()) {
            request.entry(name.clone()).or_insert_with(|| amount.clone());
        }
    }
}
