//! What does a pod's status say?
//!
//! Phase and conditions follow from the containers' statuses; the kubelet writes them together.
//! Source: kubelet `pkg/kubelet/kubelet_pods.go` (`getPhase`, `generateAPIPodStatus`, `convertToAPIContainerStatuses`),
//! `pkg/kubelet/status/status_manager.go` (`TerminatePod`, `mergePodStatus`).

use api::{
    ApiStatus,
    default::qos_class,
    k8s::core::v1::{
        Container, ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, HostIP,
        Node, Pod, PodIP, PodStatus,
    },
    kinds::sim::{ContainerStep, Machine, Sandbox, SandboxStep},
    meta::Time,
};

use super::{conditions, ephemeral, names};
use crate::{Turn, node::internal_ip};

/// The code of a container that nobody knows the end of.
const LOST: i32 = 137;

/// The statuses of a pod's containers, to be edited.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Statuses {
    init: Vec<ContainerStatus>,
    app: Vec<ContainerStatus>,
    ephemeral: Vec<ContainerStatus>,
}

impl Statuses {
    /// As the pod has them; containers without one wait.
    pub(super) fn of(pod: &Pod) -> Self {
        let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
        let init = spec.and_then(|it| it.init_containers.as_deref()).unwrap_or_default();
        let why = if init.is_empty() { "ContainerCreating" } else { "PodInitializing" };
        let fill = |old: Option<&Vec<ContainerStatus>>, containers: &[Container], started: Option<bool>| {
            let old = old.map(Vec::as_slice).unwrap_or_default();
            let of = |c: &Container| {
                old.iter().find(|s| s.name == c.name).cloned().unwrap_or_else(|| ContainerStatus {
                    name: c.name.clone(),
                    image: c.image.clone().unwrap_or_default(),
                    started,
                    last_state: Some(ContainerState::default()),
                    state: Some(waiting(why, None)),
                    ..ContainerStatus::default()
                })
            };
            containers.iter().map(of).collect::<Vec<_>>()
        };
        let added: Vec<Container> = ephemeral::all(pod).map(ephemeral::as_container).collect();
        let app = spec.map(|it| it.containers.as_slice()).unwrap_or_default();
        Self {
            init: fill(status.and_then(|it| it.init_container_statuses.as_ref()), init, Some(false)),
            app: fill(status.and_then(|it| it.container_statuses.as_ref()), app, Some(false)),
            ephemeral: fill(status.and_then(|it| it.ephemeral_container_statuses.as_ref()), &added, None),
        }
    }

    /// Those of the init containers, in their order.
    pub(super) fn init(&self) -> &[ContainerStatus] {
        &self.init
    }

    /// Those of the others, as the spec orders them.
    pub(super) fn app(&self) -> &[ContainerStatus] {
        &self.app
    }

    /// Ends every container that is said to run, as the runtime reports those of a machine's last run; says whether
    /// there were any. Source: kubelet `convertToAPIContainerStatuses`: exit code 255, reason `Unknown`.
    pub(super) fn end_all(&mut self, now: &Time) -> bool {
        let mut any = false;
        for status in self.init.iter_mut().chain(&mut self.app).chain(&mut self.ephemeral) {
            let running = status.state.as_ref().and_then(|state| state.running.as_ref());
            let Some(started_at) = running.map(|running| running.started_at.clone()) else { continue };
            any = true;
            status.ready = false;
            status.started = status.started.map(|_| false);
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
        let all = self.init.iter_mut().chain(&mut self.app).chain(&mut self.ephemeral);
        all.into_iter().find(|status| status.name == name)
    }

    /// Ends a container's status as its process ended.
    pub(super) fn end(&mut self, name: &str, code: i32, reason: &str, now: &Time) {
        let Some(status) = self.get(name) else { return };
        let running = status.state.as_ref().and_then(|state| state.running.as_ref());
        let started_at = running.and_then(|running| running.started_at.clone());
        status.ready = false;
        status.started = status.started.map(|_| false);
        status.state = Some(terminated(ContainerStateTerminated {
            container_id: status.container_id.clone(),
            exit_code: code,
            reason: Some(reason.to_owned()),
            started_at,
            finished_at: Some(now.clone()),
            ..ContainerStateTerminated::default()
        }));
    }

    /// What is said of containers when the pod has ended: one that waits for a restart has ended as it last did; one that
    /// never ran is lost, once the pod was initialized.
    fn finish(&mut self, pod: &Pod) {
        for status in self.init.iter_mut().chain(&mut self.app) {
            status.ready &= status.state.as_ref().is_some_and(|state| state.terminated.is_some());
            let last = status.last_state.as_ref().filter(|last| last.terminated.is_some());
            if let (true, Some(last)) = (is_waiting(status), last) {
                status.state = Some(last.clone());
            }
        }
        let begun = |status: &ContainerStatus| !is_waiting(status);
        let initialized = self.init.is_empty()
            || self.app.iter().any(begun)
            || self.init.iter().all(|status| is_sidecar(pod, &status.name) || status.ready);
        let first_lost = self.init.iter().rposition(begun).map_or(1, |at| at + 1).min(self.init.len());
        let lost = self.init[..first_lost].iter_mut();
        for status in lost.chain(self.app.iter_mut().filter(|_| initialized)) {
            if status.state.as_ref().is_none_or(|state| state.terminated.is_none()) {
                status.state = Some(terminated(ContainerStateTerminated {
                    exit_code: LOST,
                    reason: Some("ContainerStatusUnknown".to_owned()),
                    message: Some(
                        "The container could not be located when the pod was terminated".to_owned(),
                    ),
                    ..ContainerStateTerminated::default()
                }));
            }
        }
    }
}

fn is_waiting(status: &ContainerStatus) -> bool {
    status.state.as_ref().is_none_or(|state| state.running.is_none() && state.terminated.is_none())
}

/// Whether it is an init container that goes on running beside the others.
pub(super) fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let init = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    init.filter(|c| c.name == name).any(|c| c.restart_policy.as_deref() == Some("Always"))
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
    save(turn, pod, sandbox, statuses, false)
}

/// Writes the last status: every container has ended, and the pod with them.
pub(super) fn write_last(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: &Sandbox,
    statuses: &Statuses,
) -> Result<(), ApiStatus> {
    let mut statuses = statuses.clone();
    statuses.finish(pod);
    save(turn, pod, sandbox, &statuses, true)
}

fn save(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: &Sandbox,
    statuses: &Statuses,
    last: bool,
) -> Result<(), ApiStatus> {
    let host = turn.get::<Node>("", &sandbox.node).and_then(internal_ip).map(str::to_owned);
    let stamp = turn.stamp();
    let mut new = assemble(pod, sandbox, statuses, host, &stamp, last);
    if let Some(machine) = turn.get::<Machine>("", &sandbox.node).filter(|machine| machine.played) {
        as_played(&mut new, statuses);
        if machine.played_at_once && statuses.app.iter().chain(&statuses.init).all(is_being_made) {
            return Ok(());
        }
    }
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
    last: bool,
) -> PodStatus {
    let mut status = pod.status.clone().unwrap_or_default();
    let generation = pod.metadata.generation;
    let before = status.phase.clone().unwrap_or_else(|| "Pending".to_owned());
    let runs = |it: ContainerStep| {
        matches!(it, ContainerStep::Running | ContainerStep::Hook | ContainerStep::Stopping)
    };
    let phase = phase(pod, statuses, last).to_owned();
    let over = matches!(phase.as_str(), "Succeeded" | "Failed");
    status.phase = Some(match &sandbox.stopped_for {
        _ if matches!(before.as_str(), "Succeeded" | "Failed") => before,
        Some(_) if last => "Failed".to_owned(),
        // The API hears of the end when nothing runs any more.
        _ if !last && over && sandbox.containers.iter().any(|it| runs(it.step)) => before,
        _ if last && !over => "Failed".to_owned(),
        _ => phase,
    });
    if let (Some(cause), true) = (&sandbox.stopped_for, last) {
        (status.reason, status.message) = (Some(cause.reason.clone()), Some(cause.message.clone()));
        if let Some(message) = &cause.disruption {
            let said = ("TerminationByKubelet", message.as_str());
            conditions::put(&mut status, generation, "DisruptionTarget", "True", said, now);
        }
    }
    status.host_ips = host.clone().map(|ip| vec![HostIP { ip }]);
    status.host_ip = host;
    status.start_time.get_or_insert_with(|| now.clone());
    if let Some(spec) = &pod.spec {
        status.qos_class.get_or_insert_with(|| qos_class(spec).to_owned());
    }
    if sandbox.step == SandboxStep::Ready || status.pod_ip.is_none() {
        status.pod_ip = sandbox.ip.map(|ip| ip.to_string());
        status.pod_ips = sandbox.ip.map(|ip| vec![PodIP { ip: ip.to_string() }]);
    }
    status.init_container_statuses = (!statuses.init.is_empty()).then(|| statuses.init.clone());
    // Those of init containers stand as in the spec, the others by name. Source: kubelet `convertToAPIContainerStatuses`.
    let by_name = |mut all: Vec<ContainerStatus>| {
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    };
    status.container_statuses = Some(by_name(statuses.app.clone()));
    status.ephemeral_container_statuses =
        (!statuses.ephemeral.is_empty()).then(|| by_name(statuses.ephemeral.clone()));
    status.observed_generation = generation;
    let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    conditions::set(pod, sandbox.ip.is_some() && !over, statuses, &mut status, now);
    status
}

/// What a recorder's kubelet writes instead: everything in the order of the spec, others' conditions behind its own, and a pod runs
/// only when no init container does, not even a sidecar.
fn as_played(status: &mut PodStatus, statuses: &Statuses) {
    status.container_statuses = Some(statuses.app.clone());
    if let Some(all) = &mut status.conditions {
        all.sort_by_key(|it| !conditions::ORDER.contains(&it.type_.as_str()));
    }
    let ended = |it: &ContainerStatus| it.state.as_ref().is_some_and(|state| state.terminated.is_some());
    if status.phase.as_deref() == Some("Running") && !statuses.init.iter().all(ended) {
        status.phase = Some("Pending".to_owned());
    }
}

/// Whether a container has neither run nor failed.
fn is_being_made(status: &ContainerStatus) -> bool {
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
    matches!(reason, Some("ContainerCreating" | "PodInitializing"))
}

/// `getPhase`: `is_terminal` if nothing will be started any more.
fn phase(pod: &Pod, statuses: &Statuses, is_terminal: bool) -> &'static str {
    let policy = pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always");
    let code = |state: &Option<ContainerState>| state.as_ref()?.terminated.as_ref().map(|t| t.exit_code);
    let is_running = |s: &ContainerStatus| s.state.as_ref().is_some_and(|state| state.running.is_some());
    let (mut pending, mut pending_sidecars, mut failed) = (0, 0, 0);
    let (mut running, mut waits, mut stopped, mut well) = (0, 0, 0, 0);
    for status in &statuses.init {
        let ended = code(&status.state).or(if is_waiting(status) { code(&status.last_state) } else { None });
        match (is_sidecar(pod, &status.name), is_running(status), ended) {
            (false, true, _) | (false, false, None) => pending += 1,
            (false, false, Some(code)) => failed += u32::from(code != 0),
            (true, true, _) => {
                running += 1;
                pending_sidecars += u32::from(status.started != Some(true));
            }
            // What restarts for ever and has ended does not count.
            (true, false, Some(_)) => {}
            (true, false, None) => {
                pending_sidecars += 1;
                waits += 1;
            }
        }
    }
    for status in &statuses.app {
        if is_running(status) {
            running += 1;
        } else if let Some(code) = code(&status.state) {
            stopped += 1;
            well += u32::from(code == 0);
        } else if code(&status.last_state).is_some() {
            stopped += 1;
        } else {
            waits += 1;
        }
    }
    if failed > 0 && policy == "Never" {
        return "Failed";
    }
    // Once a container ran, sidecars that start again do not make the pod wait.
    // Source: kubelet `pkg/kubelet/container/helpers.go` (`HasAnyActiveRegularContainerStarted`).
    let begun = |it: &ContainerStatus| is_running(it) || code(&it.state).or(code(&it.last_state)).is_some();
    let begun = statuses.app.iter().any(begun);
    if pending > 0 || (pending_sidecars > 0 && !begun) || waits > 0 {
        return "Pending";
    }
    match (running, stopped, policy) {
        (1.., ..) => "Running",
        (0, 0, _) => "Pending",
        (0, _, _) if is_terminal => {
            if stopped == well {
                "Succeeded"
            } else {
                "Failed"
            }
        }
        (_, _, "Always") => "Running",
        _ if stopped == well => "Succeeded",
        (_, _, "Never") => "Failed",
        _ => "Running",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(policy: &str, init: &Value, app: &Value) -> Pod {
        let named = |all: &Value| -> Vec<Value> {
            let of = |it: &Value| json!({"name": it["name"], "image": "a", "restartPolicy": it["policy"]});
            all.as_array().map(|all| all.iter().map(of).collect()).unwrap_or_default()
        };
        let statuses = |all: &Value| -> Vec<Value> {
            let of = |it: &Value| {
                json!({"name": it["name"], "image": "a", "imageID": "", "ready": it["ready"] == true, "restartCount": 0,
                    "started": it["started"], "state": it["state"], "lastState": it["last"]})
            };
            all.as_array().map(|all| all.iter().map(of).collect()).unwrap_or_default()
        };
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"restartPolicy": policy, "initContainers": named(init), "containers": named(app)},
            "status": {"initContainerStatuses": statuses(init), "containerStatuses": statuses(app)}});
        serde_json::from_value(value).expect("a pod")
    }

    fn ended(code: i32) -> Value {
        json!({"terminated": {"exitCode": code}})
    }

    fn runs() -> Value {
        json!({"running": {}})
    }

    fn waits() -> Value {
        json!({"waiting": {"reason": "CrashLoopBackOff"}})
    }

    /// Expected: `kubelet_pods_test.go` (`TestPodPhaseWithRestartAlways` and its like).
    #[test]
    fn the_phase_follows_from_states_and_policy() {
        let one = |state: Value, last: Value| json!([{"name": "a", "state": state, "last": last}]);
        let none = || json!({});
        for (policy, app, want) in [
            ("Always", one(waits(), none()), "Pending"),
            ("Always", one(runs(), none()), "Running"),
            ("Always", one(ended(0), none()), "Running"),
            ("Always", one(waits(), ended(1)), "Running"),
            ("OnFailure", one(ended(0), none()), "Succeeded"),
            ("OnFailure", one(ended(1), none()), "Running"),
            ("OnFailure", one(waits(), ended(1)), "Running"),
            ("Never", one(ended(0), none()), "Succeeded"),
            ("Never", one(ended(1), none()), "Failed"),
        ] {
            let pod = pod(policy, &json!([]), &app);
            assert_eq!(phase(&pod, &Statuses::of(&pod), false), want, "{policy} {app}");
        }
    }

    /// Expected: `kubelet_pods_test.go` (`TestPodPhaseWithRestartNeverInitContainers`,
    /// `…RestartableInitContainers`).
    #[test]
    fn init_containers_keep_a_pod_pending_or_fail_it() {
        let sidecar = |state: Value, started: bool| json!([{"name": "s", "policy": "Always", "state": state, "started": started}]);
        let plain = |state: Value| json!([{"name": "i", "state": state, "ready": true}]);
        let app = |state: Value| json!([{"name": "a", "state": state}]);
        for (policy, init, state, want) in [
            ("Never", plain(runs()), waits(), "Pending"),
            ("Never", plain(ended(1)), waits(), "Failed"),
            ("Always", plain(ended(1)), waits(), "Pending"),
            ("Always", plain(ended(0)), runs(), "Running"),
            ("Never", sidecar(runs(), true), ended(0), "Running"),
            ("Never", sidecar(ended(0), false), ended(0), "Succeeded"),
            ("Never", sidecar(ended(137), false), ended(0), "Succeeded"),
            ("Always", sidecar(runs(), false), runs(), "Running"),
            ("Always", sidecar(runs(), false), waits(), "Pending"),
            ("OnFailure", sidecar(runs(), false), ended(1), "Running"),
        ] {
            let pod = pod(policy, &init, &app(state));
            assert_eq!(phase(&pod, &Statuses::of(&pod), false), want, "{policy} {init}");
        }
    }

    /// Expected: `status_manager.go` (`TerminatePod`).
    #[test]
    fn a_pod_that_ends_before_its_container_ran_has_failed_and_the_container_is_lost() {
        let pod = pod("Always", &json!([]), &json!([{"name": "a", "state": waits()}]));
        let mut statuses = Statuses::of(&pod);
        statuses.finish(&pod);
        let state = statuses.app[0].state.clone().and_then(|state| state.terminated).expect("an end");
        assert_eq!((state.exit_code, state.reason.as_deref()), (137, Some("ContainerStatusUnknown")));
    }
}
