//! What does a pod's status say?
//!
//! Phase and conditions follow from the containers' statuses; the kubelet writes them together.
//! Source: kubelet `pkg/kubelet/kubelet_pods.go` (`getPhase`), `pkg/kubelet/status/generate.go`.

use api::{
    ApiStatus,
    k8s::core::v1::{
        ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, HostIP, Node, Pod,
        PodCondition, PodIP, PodStatus,
    },
    kinds::sim::{Sandbox, SandboxStep},
    meta::Time,
};

use super::names;
use crate::{Turn, node::internal_ip};

/// The statuses of a pod's containers, to be edited.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statuses {
    init: Vec<ContainerStatus>,
    app: Vec<ContainerStatus>,
}

impl Statuses {
    /// As the pod has them; containers without one wait.
    pub(super) fn of(pod: &Pod) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let status = pod.status.clone().unwrap_or_default();
        let has_init = spec.init_containers.as_ref().is_some_and(|init| !init.is_empty());
        let fill =
            |old: Option<Vec<ContainerStatus>>, containers: &[api::k8s::core::v1::Container], why: &str| {
                let old = old.unwrap_or_default();
                let of = |c: &api::k8s::core::v1::Container| {
                    old.iter().find(|s| s.name == c.name).cloned().unwrap_or_else(|| ContainerStatus {
                        name: c.name.clone(),
                        image: c.image.clone().unwrap_or_default(),
                        started: Some(false),
                        last_state: Some(ContainerState::default()),
                        state: Some(waiting(why, None)),
                        ..ContainerStatus::default()
                    })
                };
                containers.iter().map(of).collect::<Vec<_>>()
            };
        let why = if has_init { "PodInitializing" } else { "ContainerCreating" };
        Self {
            init: fill(
                status.init_container_statuses,
                spec.init_containers.as_deref().unwrap_or_default(),
                "PodInitializing",
            ),
            app: fill(status.container_statuses, &spec.containers, why),
        }
    }

    /// Ends every container that is said to run, as the runtime reports those of a machine's last run; says whether
    /// there were any. Source: kubelet `convertToAPIContainerStatuses`: exit code 255, reason `Unknown`.
    pub(super) fn end_all(&mut self, now: &Time) -> bool {
        let mut any = false;
        for status in self.init.iter_mut().chain(&mut self.app) {
            let running = status.state.as_ref().and_then(|state| state.running.as_ref());
            let Some(started_at) = running.map(|running| running.started_at.clone()) else { continue };
            any = true;
            status.ready = false;
            status.started = Some(false);
            status.state = Some(terminated(ContainerStateTerminated {
                container_id: status.container_id.clone(),
                exit_code: 255,
                reason: Some("Unknown".to_owned()),
                started_at,
                finished_at: Some(now.clone()),
                ..ContainerStateTerminated::default()
            }));
        }
        any
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&mut ContainerStatus> {
        self.init.iter_mut().chain(&mut self.app).find(|status| status.name == name)
    }
}

pub(super) fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

pub(super) fn terminated(state: ContainerStateTerminated) -> ContainerState {
    ContainerState { terminated: Some(state), ..ContainerState::default() }
}

/// Writes the status as the containers have it now.
pub(super) fn write(turn: &mut Turn<'_>, pod: &Pod, sandbox: &Sandbox) -> Result<(), ApiStatus> {
    write_with(turn, pod, sandbox, &Statuses::of(pod))
}

/// Writes the status with these container statuses, if anything differs.
pub(super) fn write_with(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: &Sandbox,
    statuses: &Statuses,
) -> Result<(), ApiStatus> {
    let host = turn.get::<Node>("", &sandbox.node).and_then(internal_ip).map(str::to_owned);
    let stamp = turn.stamp();
    let new = assemble(pod, sandbox, statuses, host, &stamp);
    let (namespace, name) = names(pod);
    let current = turn.get::<Pod>(namespace, name).and_then(|pod| pod.status.as_ref());
    if current == Some(&new) {
        return Ok(());
    }
    turn.patch_status::<Pod>(namespace, name, |pod| pod.status = Some(new)).map(|_| ())
}

fn assemble(
    pod: &Pod,
    sandbox: &Sandbox,
    statuses: &Statuses,
    host: Option<String>,
    now: &Time,
) -> PodStatus {
    let mut status = pod.status.clone().unwrap_or_default();
    let generation = pod.metadata.generation;
    status.phase = Some(phase(pod, statuses).to_owned());
    status.host_ips = host.clone().map(|ip| vec![HostIP { ip }]);
    status.host_ip = host;
    status.start_time.get_or_insert_with(|| now.clone());
    if sandbox.step == SandboxStep::Ready || status.pod_ip.is_none() {
        status.pod_ip = sandbox.ip.map(|ip| ip.to_string());
        status.pod_ips = sandbox.ip.map(|ip| vec![PodIP { ip: ip.to_string() }]);
    }
    status.init_container_statuses = (!statuses.init.is_empty()).then(|| statuses.init.clone());
    status.container_statuses = Some(statuses.app.clone());
    status.observed_generation = generation;
    set_conditions(pod, sandbox, statuses, &mut status, now);
    status
}

fn phase(pod: &Pod, statuses: &Statuses) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let mut counts = (0, 0, 0, 0);
    let (waits, runs, stopped, well) = (&mut counts.0, &mut counts.1, &mut counts.2, &mut counts.3);
    let code = |state: &Option<ContainerState>| state.as_ref()?.terminated.as_ref().map(|t| t.exit_code);
    for status in &statuses.app {
        let state = status.state.clone().unwrap_or_default();
        if state.running.is_some() {
            *runs += 1;
        } else if let Some(code) = code(&status.state) {
            *stopped += 1;
            *well += u32::from(code == 0);
        } else if code(&status.last_state).is_some() {
            *stopped += 1;
        } else {
            *waits += 1;
        }
    }
    if init_pending(pod, statuses) {
        let failed = statuses.init.iter().any(|s| code(&s.state).is_some_and(|code| code != 0));
        return if failed && policy == "Never" { "Failed" } else { "Pending" };
    }
    // A pod that is being deleted has ended for good, whatever its policy (`podIsTerminal`).
    let policy = if pod.metadata.deletion_timestamp.is_some() { "Never" } else { policy };
    match (*waits, *runs, *stopped, policy) {
        (1.., ..) | (0, 0, 0, _) => "Pending",
        (_, 1.., ..) | (_, _, _, "Always") => "Running",
        (_, _, stopped, _) if stopped == *well => "Succeeded",
        (_, _, _, "Never") => "Failed",
        _ => "Running",
    }
}

/// Whether an init container has not ended well yet. One that restarts for ever is done once it has started.
fn init_pending(pod: &Pod, statuses: &Statuses) -> bool {
    let specs = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
    statuses.init.iter().any(|status| {
        let sidecar =
            specs.iter().any(|c| c.name == status.name && c.restart_policy.as_deref() == Some("Always"));
        let ended_well =
            status.state.as_ref().and_then(|s| s.terminated.as_ref()).is_some_and(|t| t.exit_code == 0);
        if sidecar { status.started != Some(true) } else { !ended_well }
    })
}

fn set_conditions(pod: &Pod, sandbox: &Sandbox, statuses: &Statuses, status: &mut PodStatus, now: &Time) {
    let finished = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    let names =
        |all: Vec<&ContainerStatus>| all.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(" ");
    let incomplete = statuses.init.iter().filter(|_| init_pending(pod, statuses)).collect::<Vec<_>>();
    let unready: Vec<&ContainerStatus> = statuses.app.iter().filter(|s| !s.ready).collect();
    let completed = || Some(("PodCompleted", None));
    let initialized = if incomplete.is_empty() {
        if status.phase.as_deref() == Some("Succeeded") { Ok(completed()) } else { Ok(None) }
    } else {
        let message = format!("containers with incomplete status: [{}]", names(incomplete));
        Err(("ContainersNotInitialized", Some(message)))
    };
    let containers = match (finished, unready.is_empty()) {
        (true, _) if status.phase.as_deref() == Some("Succeeded") => Err(("PodCompleted", None)),
        (true, _) => Err(("PodFailed", None)),
        (false, true) => Ok(None),
        (false, false) => {
            Err(("ContainersNotReady", Some(format!("containers with unready status: [{}]", names(unready)))))
        }
    };
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    let closed: Vec<&str> = gates
        .iter()
        .map(|gate| gate.condition_type.as_str())
        .filter(|gate| !status.conditions.iter().flatten().any(|c| c.type_ == *gate && c.status == "True"))
        .collect();
    let ready = match &containers {
        Ok(_) if !closed.is_empty() => {
            let missing = closed.iter().map(|gate| {
                let there = status.conditions.iter().flatten().any(|c| c.type_ == **gate);
                if there {
                    format!("the status of pod readiness gate \"{gate}\" is not \"True\", but False")
                } else {
                    format!("corresponding condition of pod readiness gate \"{gate}\" does not exist.")
                }
            });
            Err(("ReadinessGatesNotReady", Some(missing.collect::<Vec<_>>().join(", "))))
        }
        other => other.clone(),
    };
    let network = sandbox.ip.is_some() && !finished;
    let sandboxed = if network { Ok(None) } else { Err(("", None)) };
    for (type_, verdict) in [
        ("PodReadyToStartContainers", sandboxed),
        ("Initialized", initialized),
        ("Ready", ready),
        ("ContainersReady", containers),
        ("PodScheduled", Ok(None)),
    ] {
        let (ok, said) = match verdict {
            Ok(said) => (true, said),
            Err(said) => (false, Some(said)),
        };
        let said: Option<(&str, Option<String>)> = said;
        put(status, pod.metadata.generation, type_, ok, said, now);
    }
    sort(status);
}

fn put(
    status: &mut PodStatus,
    generation: Option<i64>,
    type_: &str,
    ok: bool,
    said: Option<(&str, Option<String>)>,
    now: &Time,
) {
    let (reason, message) = said.unwrap_or_default();
    let all = status.conditions.get_or_insert_default();
    let word = if ok { "True" } else { "False" };
    let old = all.iter().position(|c| c.type_ == type_);
    let since =
        old.map(|at| &all[at]).filter(|c| c.status == word).and_then(|c| c.last_transition_time.clone());
    let new = PodCondition {
        type_: type_.to_owned(),
        status: word.to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        message,
        last_transition_time: since.or_else(|| Some(now.clone())),
        observed_generation: generation,
        ..PodCondition::default()
    };
    match old {
        Some(at) => all[at] = new,
        None => all.push(new),
    }
}

/// UPSTREAM: others' conditions keep their place before the kubelet's, which come in a fixed order.
fn sort(status: &mut PodStatus) {
    const ORDER: [&str; 5] =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    if let Some(all) = &mut status.conditions {
        all.sort_by_key(|c| ORDER.iter().position(|o| *o == c.type_).map_or(0, |at| at + 1));
    }
}
