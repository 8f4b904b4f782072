//! What does one metric ask for?
//!
//! Resources are measured by the metrics server. Nobody in a lab serves custom or external metrics, so these fail as they
//! do where no adapter is installed. Source: `horizontal.go` (`computeReplicasForMetric`), `metrics/client.go`.

use api::{
    k8s::{
        autoscaling::v2::{
            ContainerResourceMetricStatus, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus,
            ResourceMetricStatus,
        },
        core::v1::Pod,
    },
    quantity::{Format, Quantity},
};

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Amount;

use super::replicas::{self, Aim, Proposal, Target};
use crate::Turn;

/// Why a metric says nothing.
pub(super) struct Failure {
    /// Of the event and the condition.
    pub reason: &'static str,
    /// What failed, for the message about all metrics.
    pub what: String,
    /// Why.
    pub message: String,
}

const NO_CUSTOM: &str = "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered";

/// A size, the metric's name, and what was measured.
pub(super) fn compute(
    turn: &Turn<'_>,
    metric: &MetricSpec,
    pods: &[Pod],
    current: i32,
    namespace: &str,
) -> Result<(i32, String, MetricStatus), Failure> {
    let type_ = metric.type_.clone();
    if let Some(it) = &metric.resource {
        let (name, aim) = (it.name.clone(), (it.name.as_str(), None));
        let computed = resource(turn, aim, &it.target, pods, current).map_err(|message| Failure {
            reason: "FailedGetResourceMetric",
            what: format!("failed to get {name} resource metric value"),
            message,
        });
        let (replicas, shown, value) = computed?;
        let status = ResourceMetricStatus { name, current: value };
        return Ok((
            replicas,
            shown,
            MetricStatus { type_, resource: Some(status), ..MetricStatus::default() },
        ));
    }
    if let Some(it) = &metric.container_resource {
        let (name, container) = (it.name.clone(), it.container.clone());
        let aim = (it.name.as_str(), Some(it.container.as_str()));
        let computed = resource(turn, aim, &it.target, pods, current).map_err(|message| Failure {
            reason: "FailedGetContainerResourceMetric",
            what: format!("failed to get {name} container metric value"),
            message,
        });
        let (replicas, shown, value) = computed?;
        let container_resource = Some(ContainerResourceMetricStatus { name, container, current: value });
        return Ok((replicas, shown, MetricStatus { type_, container_resource, ..MetricStatus::default() }));
    }
    Err(unserved(metric, namespace))
}

fn unserved(metric: &MetricSpec, namespace: &str) -> Failure {
    let (reason, what, message) = if let Some(it) = &metric.pods {
        let message = format!("unable to get metric {}: {NO_CUSTOM}", it.metric.name);
        ("FailedGetPodsMetric", "failed to get pods metric value", message)
    } else if let Some(it) = &metric.object {
        let of = &it.described_object;
        // UPSTREAM: the parts of this sentence are in the wrong order.
        let message = format!(
            "unable to get metric {}: {} on {namespace} {}/{NO_CUSTOM}",
            it.metric.name, of.kind, of.name
        );
        ("FailedGetObjectMetric", "failed to get object metric value", message)
    } else {
        let name = metric.external.as_ref().map(|it| it.metric.name.clone()).unwrap_or_default();
        let message = format!(
            "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics API: \
             the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
        );
        return Failure {
            reason: "FailedGetExternalMetric",
            what: format!("failed to get {name} external metric value"),
            message,
        };
    };
    Failure { reason, what: what.to_owned(), message }
}

fn resource(
    turn: &Turn<'_>,
    (name, container): (&str, Option<&str>),
    target: &MetricTarget,
    pods: &[Pod],
    current: i32,
) -> Result<(i32, String, MetricValueStatus), String> {
    let of = if container.is_some() { "container resource" } else { "resource" };
    let milli = |value: i64| Amount(Quantity::from_milli(value, Format::DecimalSi).canonical());
    let wanted = target.average_value.as_ref().and_then(|it| Quantity::parse(&it.0).ok());
    let (target, shown, what) = match (wanted, target.average_utilization) {
        (Some(value), _) => (Target::AverageValue(value.milli_value()), format!("{name} {of}"), "usage"),
        (None, Some(percent)) => {
            let shown = format!("{name} {of} utilization (percentage of request)");
            (Target::Utilization(percent), shown, "utilization")
        }
        (None, None) => {
            return Err(
                "invalid resource metric source: neither an average utilization target nor an average \
                        value (usage) target was set"
                    .to_owned(),
            );
        }
    };
    let aim = Aim { resource: name, container, target };
    let proposal = replicas::propose(turn, pods, current, &aim);
    let Proposal { replicas, utilization, average } =
        proposal.map_err(|why| format!("failed to get {name} {what}: {why}"))?;
    let value = MetricValueStatus {
        average_utilization: utilization,
        average_value: Some(milli(average)),
        value: None,
    };
    Ok((replicas, shown, value))
}
