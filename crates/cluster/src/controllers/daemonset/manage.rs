//! Which daemon pods are missing, and which are too many?
//!
//! Source: `podsShouldBeOnNode` and `syncNodes` of `daemon_controller.go`.

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{apps::v1::DaemonSet, core::v1::Pod},
};

use super::{
    Place, Plan, TEMPLATE_GENERATION, min_ready,
    node::{aim, tolerate},
};
use crate::{
    EventType, Turn,
    controllers::{
        create_pod, is_available, is_ready, managed_by, phase, pod_from, revision::HASH_LABEL, share,
    },
};

const GENERATION_LABEL: &str = "pod-template-generation";

/// Makes pods for nodes that lack one and removes those that should not be; whether there was anything to do. Puts into `again`
/// when a pod that failed may go.
/// # Errors
/// A refusal by the API server.
pub(super) fn carry_out(
    turn: &mut Turn<'_>,
    set: &DaemonSet,
    plan: &Plan<'_>,
    again: &mut Option<SimDuration>,
) -> Result<bool, ApiStatus> {
    let surges = max_surge(set, i32::MAX) > 0;
    let (mut lacking, mut surplus) = (Vec::new(), Vec::new());
    for place in &plan.places {
        if place.wanted && place.pods.is_empty() {
            lacking.push(place.node);
        } else if place.kept {
            let running = without_ended(turn, set, place, &mut surplus, again);
            if surges {
                if running.is_empty() && place.wanted {
                    lacking.push(place.node);
                }
                excess(turn, set, plan, &running, &mut surplus);
            } else {
                surplus.extend(running.into_iter().skip(1));
            }
        } else {
            surplus.extend(place.alive());
        }
    }
    // Upstream leaves those that were bound to the collector of pods; a pod that still waits has no place to go.
    let waiting = plan.stray.iter().copied().filter(|pod| pod.metadata.deletion_timestamp.is_none());
    surplus.extend(
        waiting.filter(|pod| {
            pod.spec.as_ref().and_then(|it| it.node_name.as_ref()).is_none_or(String::is_empty)
        }),
    );
    let acted = !lacking.is_empty() || !surplus.is_empty();
    sync(turn, set, plan, &surplus, &lacking)?;
    Ok(acted)
}

/// Removes these pods and makes one for each of these nodes.
/// # Errors
/// A refusal by the API server.
pub(super) fn sync(
    turn: &mut Turn<'_>,
    set: &DaemonSet,
    plan: &Plan<'_>,
    surplus: &[&Pod],
    lacking: &[&str],
) -> Result<(), ApiStatus> {
    let object = set.clone().into_object();
    let mut outcome = Ok(());
    for node in lacking {
        outcome = outcome.and(create(turn, set, &object, &plan.hash, node));
    }
    for pod in surplus {
        outcome = outcome.and(remove(turn, &object, pod));
    }
    outcome
}

/// How many pods may stand beside those that they replace.
pub(super) fn max_surge(set: &DaemonSet, nodes: i32) -> i32 {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref());
    if strategy.is_some_and(|it| it.type_.as_deref() == Some("OnDelete")) {
        return 0;
    }
    let written = strategy.and_then(|it| it.rolling_update.as_ref()).and_then(|it| it.max_surge.as_ref());
    written.map_or(0, |written| share(nodes, Some(written), "", true))
}

/// The pods of a node that run or will; those that have ended are to go, and it is said.
fn without_ended<'p>(
    turn: &mut Turn<'_>,
    set: &DaemonSet,
    place: &Place<'p>,
    surplus: &mut Vec<&'p Pod>,
    again: &mut Option<SimDuration>,
) -> Vec<&'p Pod> {
    let (ended, running): (Vec<&Pod>, Vec<&Pod>) =
        place.alive().partition(|pod| matches!(phase(pod), "Failed" | "Succeeded"));
    if ended.is_empty() {
        return running;
    }
    let object = set.clone().into_object();
    for pod in ended {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        if phase(pod) == "Failed" {
            let (cluster, now) = (turn.cluster(), turn.now());
            let wait = turn.world.failed_daemon_pods().wait(cluster, set, place.node, now);
            if wait.is_some() {
                *again = again.iter().copied().chain(wait).min();
                continue;
            }
        }
        let (how, reason, word, end) = match phase(pod) {
            "Failed" => (EventType::Warning, "FailedDaemonPod", "failed", "kill"),
            _ => (EventType::Normal, "SucceededDaemonPod", "succeeded", "delete"),
        };
        let message = format!(
            "Found {word} daemon pod {}/{name} on node {}, will try to {end} it",
            object.namespace(),
            place.node
        );
        turn.event(&object, how, reason, &message);
        surplus.push(pod);
    }
    running
}

/// Where pods may stand beside each other: all but the first of each template, and the old one once the new one serves
/// or the old one does not.
fn excess<'p>(
    turn: &Turn<'_>,
    set: &DaemonSet,
    plan: &Plan<'_>,
    running: &[&'p Pod],
    surplus: &mut Vec<&'p Pod>,
) {
    if running.len() <= 1 {
        return;
    }
    let (mut new, mut old) = (None, None);
    for pod in running.iter().copied() {
        let first = if plan.is_current(pod) { &mut new } else { &mut old };
        if first.is_none() {
            *first = Some(pod);
        } else {
            surplus.push(pod);
        }
    }
    if let (Some(new), Some(old)) = (new, old)
        && (!is_ready(old) || is_available(new, min_ready(set), &turn.stamp()))
    {
        surplus.push(old);
    }
}

fn create(
    turn: &mut Turn<'_>,
    set: &DaemonSet,
    object: &Object,
    hash: &str,
    node: &str,
) -> Result<(), ApiStatus> {
    let template = set.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let mut pod = pod_from(&template, object.namespace(), object.name(), managed_by(set));
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(HASH_LABEL.to_owned(), hash.to_owned());
    labels.insert(GENERATION_LABEL.to_owned(), template_generation(set));
    let spec = pod.spec.get_or_insert_default();
    tolerate(spec);
    aim(spec, node);
    create_pod(turn, object, pod)
}

fn remove(turn: &mut Turn<'_>, object: &Object, pod: &Pod) -> Result<(), ApiStatus> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let key = turn.key(Kind::Pod, object.namespace(), name);
    match turn.delete(&key, None) {
        Ok(_) => turn.event(object, EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {name}")),
        Err(refusal) if refusal.code == 404 => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(())
}

fn template_generation(set: &DaemonSet) -> String {
    let text = set.metadata.annotations.as_ref().and_then(|all| all.get(TEMPLATE_GENERATION)).cloned();
    text.unwrap_or_else(|| "1".to_owned())
}
