//! Which pods are a Job's, and how do they come and go?
//!
//! Each carries a finalizer until the Job has counted it, so that none is lost. Source:
//! `pkg/controller/job/job_controller.go` (`getPodsForJob`, `manageJob`), `pkg/controller/controller_utils.go`.

use std::cmp::Reverse;

use api::{
    ApiStatus, Kind, Object, Resource,
    k8s::{
        batch::v1::{Job, JobSpec},
        core::v1::Pod,
    },
    label::Selector,
};

use super::{
    super::{create_pod, is_active, is_managed_by, is_ready, managed_by, phase, pod_from, ready_since},
    index,
    policy::{self, Action},
};
use crate::{EventType, Key, Turn};

/// Held until its Job has counted it.
pub(super) const TRACKED: &str = "batch.kubernetes.io/job-tracking";

/// Whether the Job has still to count it.
pub(super) fn is_tracked(pod: &Pod) -> bool {
    pod.metadata.finalizers.iter().flatten().any(|it| it == TRACKED)
}

/// On its way out, and not over yet.
pub(super) fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some() && !matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether a pod counts as failed: it has, or, unless only failed ones are replaced, it is going.
pub(super) fn has_failed(pod: &Pod, spec: &JobSpec) -> bool {
    phase(pod) == "Failed" || spec.pod_replacement_policy.as_deref() != Some("Failed") && is_terminating(pod)
}

/// The Job's pods by name, after adopting and letting go.
pub(super) fn claim(turn: &mut Turn<'_>, job: &Job, spec: &JobSpec) -> Result<Vec<Pod>, ApiStatus> {
    let meta = &job.metadata;
    let uid = meta.uid.clone().unwrap_or_default();
    let namespace = meta.namespace.clone().unwrap_or_default();
    let selector = spec.selector.as_ref().and_then(|it| Selector::from_label_selector(it).ok());
    let chosen = |pod: &Pod| {
        selector.as_ref().is_some_and(|it| it.matches(&pod.metadata.labels.clone().unwrap_or_default()))
    };
    let owned = turn.store().owned_by(turn.cluster(), &uid).filter_map(|(_, it)| Pod::of(it));
    let owned = owned.filter(|pod| is_managed_by(&pod.metadata, &uid)).cloned();
    let (mut pods, lost): (Vec<Pod>, Vec<Pod>) = owned.partition(|pod| chosen(pod));
    let orphans = turn.store().orphan_pods(turn.cluster(), &namespace);
    let found = orphans.filter(|pod| is_active(pod) && chosen(pod));
    let found: Vec<String> = found.filter_map(|pod| pod.metadata.name.clone()).collect();
    for pod in lost {
        turn.patch::<Pod>(&namespace, name(&pod), |pod| {
            pod.metadata.owner_references.get_or_insert_default().retain(|owner| owner.uid != uid);
            pod.metadata.finalizers.get_or_insert_default().retain(|it| it != TRACKED);
        })?;
    }
    for name in found.iter().filter(|_| meta.deletion_timestamp.is_none()) {
        let adopted = turn.patch::<Pod>(&namespace, name, |pod| {
            pod.metadata.owner_references.get_or_insert_default().push(managed_by(job));
            pod.metadata.finalizers.get_or_insert_default().push(TRACKED.to_owned());
        })?;
        pods.extend(Pod::of(&adopted).cloned());
    }
    Ok(pods)
}

pub(super) fn name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

/// The key of a pod.
pub(super) fn key(turn: &Turn<'_>, pod: &Pod) -> Key {
    turn.key(Kind::Pod, pod.metadata.namespace.as_deref().unwrap_or_default(), name(pod))
}

/// Lets go of a pod that is counted; one that is gone already needs none.
pub(super) fn untrack(turn: &mut Turn<'_>, pod: &Pod) -> Result<(), ApiStatus> {
    let key = key(turn, pod);
    match turn.take_finalizer(&key, TRACKED) {
        Err(refusal) if refusal.code != 404 => Err(refusal),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Deletes a pod and says so.
pub(super) fn delete(turn: &mut Turn<'_>, job: &Object, pod: &Pod) -> Result<(), ApiStatus> {
    let (key, name) = (key(turn, pod), name(pod));
    match turn.delete(&key, None) {
        Ok(_) => turn.event(job, EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {name}")),
        // Somebody was faster.
        Err(refusal) if refusal.code == 404 => {}
        Err(refusal) => {
            let message = format!("Error deleting: {}", refusal.message);
            turn.event(job, EventType::Warning, "FailedDelete", &message);
            return Err(refusal);
        }
    }
    Ok(())
}

/// Creates pods, one, two, four, … at a time, until one is refused; how many, and the refusal. `indexes` are theirs, each
/// with the pod that it replaces.
pub(super) fn create(
    turn: &mut Turn<'_>,
    (job, spec, object): (&Job, &JobSpec, &Object),
    count: usize,
    indexes: &[(i32, Option<&Pod>)],
) -> (usize, Option<ApiStatus>) {
    let (namespace, base) = (object.namespace(), object.name());
    let mut plain = pod_from(&spec.template, namespace, base, managed_by(job));
    let finalizers = plain.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|it| it == TRACKED) {
        finalizers.push(TRACKED.to_owned());
    }
    let (mut made, mut tried, mut batch, mut refused) = (0, 0, 1, None);
    while tried < count && refused.is_none() {
        for _ in 0..batch.min(count - tried) {
            let mut pod = plain.clone();
            if let Some((index, replaced)) = indexes.get(tried) {
                index::give(&mut pod, job, *index);
                if spec.backoff_limit_per_index.is_some() {
                    count_failures(&mut pod, spec, *replaced);
                }
            }
            tried += 1;
            match create_pod(turn, object, pod) {
                Ok(()) => made += 1,
                Err(refusal) => refused = Some(refusal),
            }
        }
        batch *= 2;
    }
    (made, refused)
}

/// The pod that stands for another of its index carries on its count.
fn count_failures(pod: &mut Pod, spec: &JobSpec, replaced: Option<&Pod>) {
    let (mut counted, mut ignored) = (0, 0);
    if let Some(replaced) = replaced {
        (counted, ignored) = index::failures(replaced);
        match policy::of(spec, replaced) {
            Action::Ignore => ignored += 1,
            Action::Count | Action::FailIndex | Action::FailJob(_) => counted += 1,
        }
    }
    let notes = pod.metadata.annotations.get_or_insert_default();
    notes.insert(index::FAILURES.to_owned(), counted.to_string());
    if ignored > 0 {
        notes.insert(index::IGNORED.to_owned(), ignored.to_string());
    }
}

/// Active pods that have to go: at least so many, and of an indexed Job every one whose index is taken or void.
pub(super) fn to_remove<'p>(spec: &JobSpec, active: &[&'p Pod], at_least: usize) -> Vec<&'p Pod> {
    let mut sorted = active.to_vec();
    // The least is removed first: without a node, pending, not ready, ready or made for a short time, often restarted.
    sorted.sort_by_key(|pod| {
        let running = match phase(pod) {
            "Pending" => 0,
            "Unknown" => 1,
            _ => 2,
        };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        let restarts = statuses.into_iter().flatten().map(|it| it.restart_count).max().unwrap_or(0);
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let ready = ready_since(pod).map(|time| Reverse(time.0));
        (!node.is_empty(), running, is_ready(pod), ready, Reverse(restarts), Reverse(created))
    });
    let mut removed: Vec<&Pod> = Vec::new();
    let mut left: Vec<&Pod> = Vec::new();
    for (at, pod) in sorted.iter().enumerate() {
        let own = index::valid(pod, spec);
        let twin = || sorted[at + 1..].iter().any(|other| index::valid(other, spec) == own);
        if index::is_indexed(spec) && (own.is_none() || twin()) {
            removed.push(pod);
        } else {
            left.push(pod);
        }
    }
    let more = at_least.saturating_sub(removed.len());
    removed.extend(left.into_iter().take(more));
    removed
}
