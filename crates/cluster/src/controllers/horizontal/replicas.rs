//! How many pods would bring the measured value to its target?
//!
//! Pods that are not ready yet count as using nothing when more are wanted, and pods without a measurement as using all
//! when fewer are, so that neither decides; within a tenth of the target nothing changes.
//! Source: `pkg/controller/podautoscaler/replica_calculator.go`, `metrics/utilization.go`.

use std::collections::BTreeMap;

use api::{
    SimDuration,
    k8s::core::v1::{Container, Pod},
    meta::Time,
    quantity::Quantity,
};

use super::super::{condition, phase, sim_time};
use crate::{Turn, metrics};

/// A deviation that nothing is done about. Source: `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;
/// A young pod's CPU is looked at only once it is ready. Source: `--horizontal-pod-autoscaler-cpu-initialization-period`.
const INITIALIZATION: SimDuration = SimDuration::secs(300);
/// Readiness lost so soon after the start was never there. Source: `--horizontal-pod-autoscaler-initial-readiness-delay`.
const FIRST_READINESS: SimDuration = SimDuration::secs(30);

/// What is measured and aimed at.
pub(super) struct Aim<'a> {
    /// `cpu` or `memory`.
    pub resource: &'a str,
    /// Only this container's, if named.
    pub container: Option<&'a str>,
    /// The value wanted.
    pub target: Target,
}

/// The value wanted.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Percent of what is requested.
    Utilization(i32),
    /// Thousandths for each pod.
    AverageValue(i64),
}

/// How many pods, and what was measured.
pub(super) struct Proposal {
    pub replicas: i32,
    /// Percent of the requests, where that is aimed at.
    pub utilization: Option<i32>,
    /// Thousandths for each pod.
    pub average: i64,
}

/// Thousandths used by pod.
type Values<'p> = BTreeMap<&'p str, i64>;

fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// The pods by what may be made of their measurements.
struct Groups<'p> {
    ready: usize,
    unready: Vec<&'p str>,
    missing: Vec<&'p str>,
    values: Values<'p>,
}

/// # Errors
/// Why nothing can be computed, in the controller's words.
pub(super) fn propose(
    turn: &Turn<'_>,
    pods: &[Pod],
    current: i32,
    aim: &Aim<'_>,
) -> Result<Proposal, String> {
    let unable = |why: String| format!("unable to get metrics for resource {}: {why}", aim.resource);
    if !metrics::is_served(turn.store(), turn.cluster()) {
        let why = "the server could not find the requested resource (get pods.metrics.k8s.io)";
        return Err(unable(format!("unable to fetch metrics from resource metrics API: {why}")));
    }
    let values = measured(turn, pods, aim).map_err(unable)?;
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let mut groups = group(turn, pods, aim.resource, values);
    if groups.values.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let requests = match aim.target {
        Target::Utilization(_) => requests(pods, aim)?,
        Target::AverageValue(_) => Values::new(),
    };
    let ratio = |values: &Values<'_>| ratio(values, &requests, aim.target);
    let (share, utilization, average) = ratio(&groups.values)?;
    let kept = |replicas: i32| Proposal { replicas, utilization, average };
    let within = |share: f64| (1.0 - share).abs() <= TOLERANCE;
    let many = |share: f64, pods: usize| (share * pods as f64).ceil() as i32;
    let more_with_unready = !groups.unready.is_empty() && share > 1.0;
    if !more_with_unready && groups.missing.is_empty() {
        let replicas = if within(share) { current } else { many(share, groups.ready) };
        return Ok(kept(replicas));
    }
    for pod in &groups.missing {
        let assumed = match aim.target {
            _ if share > 1.0 => 0,
            Target::Utilization(percent) => {
                requests.get(pod).copied().unwrap_or(0) * i64::from(percent.max(100)) / 100
            }
            Target::AverageValue(value) => value,
        };
        if (share - 1.0).abs() > f64::EPSILON {
            groups.values.insert(pod, assumed);
        }
    }
    if more_with_unready {
        for pod in &groups.unready {
            groups.values.insert(pod, 0);
        }
    }
    let (again, ..) = ratio(&groups.values)?;
    if within(again) || (share < 1.0 && again > 1.0) || (share > 1.0 && again < 1.0) {
        return Ok(kept(current));
    }
    let replicas = many(again, groups.values.len());
    let turned = (again < 1.0 && replicas > current) || (again > 1.0 && replicas < current);
    Ok(kept(if turned { current } else { replicas }))
}

/// What is known of the pods.
fn measured<'p>(turn: &Turn<'_>, pods: &'p [Pod], aim: &Aim<'_>) -> Result<Values<'p>, String> {
    let mut values = Values::new();
    let mut seen = false;
    for pod in pods {
        let Some(all) = metrics::of_pod(turn.world(), turn.cluster(), pod) else { continue };
        seen = true;
        let mut of_aim =
            all.iter().filter(|it| aim.container.is_none_or(|name| it.container == name)).peekable();
        if of_aim.peek().is_none() {
            let container = aim.container.unwrap_or_default();
            let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
            return Err(format!(
                "container {container} not present in metrics for pod {namespace}/{}",
                name(pod)
            ));
        }
        let sum: Option<i64> = of_aim.map(|it| it.of(aim.resource)).sum();
        if let Some(sum) = sum {
            values.insert(name(pod), sum);
        }
    }
    if seen { Ok(values) } else { Err("no metrics returned from resource metrics API".to_owned()) }
}

fn group<'p>(turn: &Turn<'_>, pods: &'p [Pod], resource: &str, values: Values<'p>) -> Groups<'p> {
    let mut groups = Groups { ready: 0, unready: Vec::new(), missing: Vec::new(), values };
    for pod in pods {
        let own = name(pod);
        if pod.metadata.deletion_timestamp.is_some() || phase(pod) == "Failed" {
            groups.values.remove(own);
        } else if phase(pod) == "Pending" {
            groups.values.remove(own);
            groups.unready.push(own);
        } else if !groups.values.contains_key(own) {
            groups.missing.push(own);
        } else if resource == "cpu" && is_unready(turn, pod) {
            groups.values.remove(own);
            groups.unready.push(own);
        } else {
            groups.ready += 1;
        }
    }
    groups
}

/// Whether a pod's CPU says nothing yet.
fn is_unready(turn: &Turn<'_>, pod: &Pod) -> bool {
    let start = pod.status.as_ref().and_then(|status| status.start_time.as_ref());
    let (Some(ready), Some(start)) = (condition(pod, "Ready"), start) else { return true };
    let at = |time: &Time| sim_time(turn.world(), time);
    let since = ready.last_transition_time.as_ref().map_or(at(start), at);
    let down = ready.status == "False";
    if at(start) + INITIALIZATION > turn.now() {
        down || turn.now() < since + metrics::RESOLUTION
    } else {
        down && at(start) + FIRST_READINESS > since
    }
}

/// What each pod asks for, thousandths.
fn requests<'p>(pods: &'p [Pod], aim: &Aim<'_>) -> Result<Values<'p>, String> {
    let mut requests = Values::new();
    for pod in pods {
        let spec = pod.spec.as_ref();
        let sidecars = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
        let sidecars = sidecars.filter(|it| it.restart_policy.as_deref() == Some("Always"));
        let all = spec.into_iter().flat_map(|spec| &spec.containers).chain(sidecars);
        let mut sum = 0_i64;
        for container in all.filter(|it| aim.container.is_none_or(|name| it.name == name)) {
            let Some(amount) = requested(container, aim.resource) else {
                return Err(format!(
                    "missing request for {} in container {} of Pod {}",
                    aim.resource,
                    container.name,
                    name(pod)
                ));
            };
            sum = sum.saturating_add(amount);
        }
        requests.insert(name(pod), sum);
    }
    Ok(requests)
}

fn requested(container: &Container, resource: &str) -> Option<i64> {
    let all = container.resources.as_ref()?.requests.as_ref()?;
    Quantity::parse(&all.get(resource)?.0).ok().map(|amount| amount.milli_value())
}

/// The measured by the wanted, the percentage, and the average.
fn ratio(
    values: &Values<'_>,
    requests: &Values<'_>,
    target: Target,
) -> Result<(f64, Option<i32>, i64), String> {
    let pods = i64::try_from(values.len()).unwrap_or(i64::MAX).max(1);
    match target {
        Target::AverageValue(wanted) => {
            let average = values.values().sum::<i64>() / pods;
            Ok((average as f64 / wanted as f64, None, average))
        }
        Target::Utilization(wanted) => {
            let known = values.iter().filter(|(pod, _)| requests.contains_key(*pod));
            let (used, number) = known.fold((0_i64, 0_i64), |(sum, n), (_, value)| (sum + value, n + 1));
            let asked: i64 =
                values.keys().filter_map(|pod| requests.get(pod)).fold(0, |sum, it| sum.saturating_add(*it));
            if asked == 0 {
                return Err("no metrics returned matched known pods".to_owned());
            }
            let percent = i32::try_from(used.saturating_mul(100) / asked).unwrap_or(i32::MAX);
            Ok((f64::from(percent) / f64::from(wanted), Some(percent), used / number.max(1)))
        }
    }
}
