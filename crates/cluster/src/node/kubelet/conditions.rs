//! Which conditions does the kubelet set on a pod?
//!
//! They follow from the phase and the containers' statuses; what others set is kept before them.
//! Source: kubelet `pkg/kubelet/status/generate.go`, `kubelet_pods.go` (`generateAPIPodStatus`).

use api::{
    k8s::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus},
    meta::Time,
};

use super::status::{Statuses, is_sidecar};

/// A reason and a message; both may be empty.
type Said = (&'static str, String);

/// Writes the five conditions that are the kubelet's own.
pub(super) fn set(pod: &Pod, sandboxed: bool, statuses: &Statuses, status: &mut PodStatus, now: &Time) {
    let phase = status.phase.clone().unwrap_or_default();
    let containers = containers_ready(pod, statuses, &phase);
    let ready = match &containers {
        Ok(()) => gates(pod, status),
        Err(said) => Err(said.clone()),
    };
    let network = if sandboxed { Ok(()) } else { Err(("", String::new())) };
    for (type_, verdict) in [
        ("PodReadyToStartContainers", network),
        ("Initialized", initialized(pod, statuses, &phase)),
        ("Ready", ready),
        ("ContainersReady", containers),
        ("PodScheduled", Ok(())),
    ] {
        let completed = type_ == "Initialized" && phase == "Succeeded" && verdict.is_ok();
        let (word, (reason, message)) = match verdict {
            Ok(()) if completed => ("True", ("PodCompleted", String::new())),
            Ok(()) => ("True", ("", String::new())),
            Err(said) => ("False", said),
        };
        put(status, pod.metadata.generation, type_, word, (reason, &message), now);
    }
    sort(status);
}

fn names<'s>(all: impl Iterator<Item = &'s ContainerStatus>) -> String {
    all.map(|status| status.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// UPSTREAM: the restartable init containers are named first, then the others as the spec has them.
fn containers_ready(pod: &Pod, statuses: &Statuses, phase: &str) -> Result<(), Said> {
    match phase {
        "Succeeded" => return Err(("PodCompleted", String::new())),
        "Failed" => return Err(("PodFailed", String::new())),
        _ => {}
    }
    let sidecars = statuses.init().iter().filter(|status| is_sidecar(pod, &status.name));
    let unready = names(sidecars.chain(statuses.app()).filter(|status| !status.ready));
    if unready.is_empty() {
        return Ok(());
    }
    Err(("ContainersNotReady", format!("containers with unready status: [{unready}]")))
}

fn initialized(pod: &Pod, statuses: &Statuses, phase: &str) -> Result<(), Said> {
    let app_started = statuses.app().iter().any(|status| {
        status.state.as_ref().is_some_and(|state| state.running.is_some() || state.terminated.is_some())
            || status.last_state.as_ref().is_some_and(|state| state.terminated.is_some())
    });
    if phase == "Succeeded" || app_started {
        return Ok(());
    }
    let is_done = |status: &ContainerStatus| {
        if is_sidecar(pod, &status.name) { status.started == Some(true) } else { status.ready }
    };
    let incomplete = names(statuses.init().iter().filter(|status| !is_done(status)));
    if incomplete.is_empty() {
        return Ok(());
    }
    Err(("ContainersNotInitialized", format!("containers with incomplete status: [{incomplete}]")))
}

fn gates(pod: &Pod, status: &PodStatus) -> Result<(), Said> {
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    let closed: Vec<String> = gates
        .iter()
        .filter_map(|gate| {
            let type_ = &gate.condition_type;
            match status.conditions.iter().flatten().find(|c| c.type_ == *type_) {
                None => {
                    Some(format!("corresponding condition of pod readiness gate {type_:?} does not exist."))
                }
                Some(c) if c.status != "True" => Some(format!(
                    "the status of pod readiness gate {type_:?} is not \"True\", but {}",
                    c.status
                )),
                Some(_) => None,
            }
        })
        .collect();
    if closed.is_empty() {
        return Ok(());
    }
    Err(("ReadinessGatesNotReady", closed.join(", ")))
}

/// Writes one condition; the time of its transition moves with its status only.
pub(super) fn put(
    status: &mut PodStatus,
    generation: Option<i64>,
    type_: &str,
    word: &str,
    (reason, message): (&str, &str),
    now: &Time,
) {
    let all = status.conditions.get_or_insert_default();
    let old = all.iter().position(|c| c.type_ == type_);
    let since =
        old.map(|at| &all[at]).filter(|c| c.status == word).and_then(|c| c.last_transition_time.clone());
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let new = PodCondition {
        type_: type_.to_owned(),
        status: word.to_owned(),
        reason: text(reason),
        message: text(message),
        last_transition_time: since.or_else(|| Some(now.clone())),
        observed_generation: generation,
        ..PodCondition::default()
    };
    match old {
        Some(at) => all[at] = new,
        None => all.push(new),
    }
}

/// The kubelet's own conditions, in the order in which it writes them.
pub(super) const ORDER: [&str; 5] =
    ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];

/// UPSTREAM: others' conditions keep their place before the kubelet's, which come in a fixed order.
fn sort(status: &mut PodStatus) {
    if let Some(all) = &mut status.conditions {
        all.sort_by_key(|c| ORDER.iter().position(|o| *o == c.type_).map_or(0, |at| at + 1));
    }
}
