//! What does one pod look like from outside?
//!
//! Its state as one of nine looks, and its two short names. The words that kubectl prints are the shell's business.

use api::k8s::core::v1::{ContainerStatus, Pod};

/// The look of a pod: shape first, glyph second, colour third.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PodState {
    /// A gate is on it: the scheduler does not look at it.
    Gated,
    /// No node yet.
    Pending,
    /// Has a node, does not run yet.
    Creating,
    /// Runs and is ready, or has no readiness to speak of.
    Running,
    /// Runs, and is not ready.
    NotReady,
    /// A container cannot start, or the pod failed.
    Failed,
    /// Is being deleted.
    Terminating,
    /// Ran to its end.
    Completed,
}

impl PodState {
    /// How bad, for a tile that shows only its worst pod: higher is worse.
    #[must_use]
    pub fn badness(self) -> u8 {
        match self {
            PodState::Failed => 7,
            PodState::NotReady => 6,
            PodState::Pending => 5,
            PodState::Gated => 4,
            PodState::Creating => 3,
            PodState::Terminating => 2,
            PodState::Running => 1,
            PodState::Completed => 0,
        }
    }

    /// The class that the style sheet knows it by.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            PodState::Gated => "gate",
            PodState::Pending => "pend",
            PodState::Creating => "create",
            PodState::Running => "run",
            PodState::NotReady => "notready",
            PodState::Failed => "fail",
            PodState::Terminating | PodState::Completed => "term",
        }
    }
}

/// The state of a pod, from its object alone.
#[must_use]
pub fn state(pod: &Pod) -> PodState {
    if pod.metadata.deletion_timestamp.is_some() {
        return PodState::Terminating;
    }
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let bound = spec.is_some_and(|s| s.node_name.is_some());
    if !bound {
        let gated = spec.and_then(|s| s.scheduling_gates.as_ref()).is_some_and(|gates| !gates.is_empty());
        return if gated { PodState::Gated } else { PodState::Pending };
    }
    match status.and_then(|s| s.phase.as_deref()) {
        Some("Succeeded") => PodState::Completed,
        Some("Failed") => PodState::Failed,
        Some("Running") if stuck(pod) => PodState::Failed,
        Some("Running") if ready(pod) => PodState::Running,
        Some("Running") => PodState::NotReady,
        _ if stuck(pod) => PodState::Failed,
        _ => PodState::Creating,
    }
}

/// Whether the pod's own `Ready` condition is true.
#[must_use]
pub fn ready(pod: &Pod) -> bool {
    pod.status
        .as_ref()
        .and_then(|s| s.conditions.as_ref())
        .is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

/// Whether a container waits for a reason that will not pass by itself.
fn stuck(pod: &Pod) -> bool {
    let waits = |status: &ContainerStatus| {
        let reason = status.state.as_ref().and_then(|s| s.waiting.as_ref()).and_then(|w| w.reason.as_deref());
        matches!(reason, Some(reason) if !matches!(reason, "ContainerCreating" | "PodInitializing"))
    };
    pod.status.as_ref().and_then(|s| s.container_statuses.as_ref()).is_some_and(|all| all.iter().any(waits))
}

/// Whether it uses its node's own network and sits in no slot.
#[must_use]
pub fn on_host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|s| s.host_network == Some(true))
}

/// The workload it belongs to: `web` for `web-6c9f7d5b8-x7q2k`, its own name if nobody made it.
#[must_use]
pub fn workload(pod: &Pod) -> String {
    let own = pod.metadata.name.clone().unwrap_or_default();
    let Some(owner) = pod.metadata.owner_references.as_ref().and_then(|all| all.first()) else { return own };
    match owner.kind.as_str() {
        "ReplicaSet" => owner.name.rsplit_once('-').map_or(owner.name.clone(), |(name, _)| name.to_owned()),
        "Node" => own.strip_suffix(&format!("-{}", owner.name)).unwrap_or(&own).to_owned(),
        _ => owner.name.clone(),
    }
}

/// The name cut in the middle, so that what differs stays: `web-…x7q2k`.
#[must_use]
pub fn short_name(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= most {
        return name.to_owned();
    }
    let tail = 5.min(most.saturating_sub(2));
    let head = most.saturating_sub(tail + 1).clamp(1, 4);
    let first: String = letters.iter().take(head).collect();
    let last: String = letters.iter().skip(letters.len() - tail).collect();
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn pod(value: Value) -> Pod {
        serde_json::from_value(value).expect("a pod")
    }

    #[test]
    fn a_pod_without_a_node_is_pending_or_gated() {
        assert_eq!(state(&pod(json!({"spec": {"containers": []}}))), PodState::Pending);
        let gated = json!({"spec": {"containers": [], "schedulingGates": [{"name": "a.io/b"}]}});
        assert_eq!(state(&pod(gated)), PodState::Gated);
    }

    #[test]
    fn a_running_pod_is_not_ready_until_its_condition_says_so() {
        let of = |ready: &str| {
            state(&pod(json!({"spec": {"nodeName": "a", "containers": []},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})))
        };
        assert_eq!(of("True"), PodState::Running);
        assert_eq!(of("False"), PodState::NotReady);
    }

    #[test]
    fn waiting_for_a_reason_other_than_creation_is_failure() {
        let of = |reason: &str| {
            state(&pod(json!({"spec": {"nodeName": "a", "containers": []}, "status": {"phase": "Pending",
                "containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                    "state": {"waiting": {"reason": reason}}}]}})))
        };
        assert_eq!(of("ContainerCreating"), PodState::Creating);
        assert_eq!(of("ImagePullBackOff"), PodState::Failed);
    }

    #[test]
    fn a_workload_is_the_deployment_behind_the_replica_set() {
        let owned = |kind: &str, name: &str| {
            workload(&pod(json!({"metadata": {"name": "x", "ownerReferences":
                [{"kind": kind, "name": name, "apiVersion": "v1", "uid": ""}]}})))
        };
        assert_eq!(owned("ReplicaSet", "web-6c9f7d5b8"), "web");
        assert_eq!(owned("DaemonSet", "aws-node"), "aws-node");
        assert_eq!(workload(&pod(json!({"metadata": {"name": "hello"}}))), "hello");
    }

    #[test]
    fn a_long_name_is_cut_in_the_middle() {
        assert_eq!(short_name("web-6c9f7d5b8-x7q2k", 10), "web-…x7q2k");
        assert_eq!(short_name("hello", 10), "hello");
    }
}
