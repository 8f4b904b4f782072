//! Who has to go for a more important pod?
//!
//! The victims that the decision names are told so, deleted with their own grace periods, and the pod is promised the
//! node. It is tried again when a victim is gone for good, as after any other end of a pod.
//! MODEL: the calls take no time, where the real scheduler makes them beside its next attempts
//! (`SchedulerAsyncPreemption`).
//! Source: `prepareCandidate` and `preemptPod` of `pkg/scheduler/framework/preemption/preemption.go`, 1.34.

use ::scheduler::Decision;
use api::{
    ApiStatus, Kind, Resource,
    k8s::core::v1::{Pod, PodCondition},
};

use super::{NAME, bound_to, priority};
use crate::{EventType, Turn};

/// Evicts the victims of a preemption, the most important last, and withdraws the promises of less important pods.
pub(super) fn evict(turn: &mut Turn<'_>, pod: &Pod, decision: &Decision) -> Result<(), ApiStatus> {
    let Some(preemption) = &decision.preemption else { return Ok(()) };
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    for victim in &preemption.victims {
        let Some((namespace, name)) = victim.split_once('/') else { continue };
        let Some(found) = turn.get::<Pod>(namespace, name).cloned() else { continue };
        if found.metadata.deletion_timestamp.is_some() {
            continue;
        }
        disrupt(turn, namespace, name, &found)?;
        let key = turn.key(Kind::Pod, namespace, name);
        turn.delete(&key, None)?;
        let message = format!("Preempted by pod {uid} on node {}", preemption.nominated_node);
        turn.event_series(&found.into_object(), EventType::Normal, "Preempting", "Preempted", &message);
    }
    withdraw(turn, pod, &preemption.nominated_node)
}

fn disrupt(turn: &mut Turn<'_>, namespace: &str, name: &str, found: &Pod) -> Result<(), ApiStatus> {
    let (stamp, observed_generation) = (turn.stamp(), found.metadata.generation);
    turn.patch_status::<Pod>(namespace, name, |victim| {
        let conditions = victim.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.retain(|it| it.type_ != "DisruptionTarget");
        conditions.push(PodCondition {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
            reason: Some("PreemptionByScheduler".to_owned()),
            message: Some(format!("{NAME}: preempting to accommodate a higher priority pod")),
            last_transition_time: Some(stamp),
            observed_generation,
            ..PodCondition::default()
        });
    })
    .map(drop)
}

/// Less important pods that were promised the node may no longer fit there.
fn withdraw(turn: &mut Turn<'_>, pod: &Pod, node: &str) -> Result<(), ApiStatus> {
    let table = turn.world().scheduling().nodes(turn.cluster());
    let lower: Vec<_> = table
        .nominated(node)
        .filter(|it| it.priority() < priority(pod) && it.key != ::scheduler::PodKey::of(pod))
        .map(|it| it.key.clone())
        .collect();
    drop(table);
    for key in lower {
        if turn.get::<Pod>(&key.namespace, &key.name).is_some_and(|it| bound_to(it).is_none()) {
            turn.patch_status::<Pod>(&key.namespace, &key.name, |it| {
                it.status.get_or_insert_default().nominated_node_name = None;
            })?;
        }
    }
    Ok(())
}
