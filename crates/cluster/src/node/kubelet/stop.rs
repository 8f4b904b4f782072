//! How does a pod leave its node?
//!
//! SIGTERM, up to the grace period, SIGKILL; then the address goes back and rests, and the kubelet deletes the pod for
//! good. Source: kubelet `pkg/kubelet/pod_workers.go`, `kuberuntime_container.go` (`killContainer`).

use api::{
    ApiStatus, Resource, SimDuration,
    k8s::core::v1::{Container, ContainerStateTerminated, Pod},
    kinds::sim::{ContainerStep, Sandbox, SandboxStep},
};

use super::{
    image, network, process, say,
    status::{self, Statuses, terminated},
};
use crate::{EventType, Next, Turn, timing};

/// Code of a process that was killed, and of one that obeyed.
const KILLED: i32 = 137;

/// Stops a pod step by step, and deletes it at the end.
pub(super) fn step(turn: &mut Turn<'_>, pod: &Pod, sandbox: Option<Sandbox>) -> Result<Next, ApiStatus> {
    let key = super::key_of(turn.cluster(), pod);
    let Some(mut sandbox) = sandbox else {
        turn.delete(&key, Some(0))?;
        return Ok(Next::Done);
    };
    let now = turn.now();
    if sandbox.step != SandboxStep::Stopping {
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30).unsigned_abs();
        let running: Vec<Container> = running(pod, &sandbox);
        for container in &running {
            let message = format!("Stopping container {}", container.name);
            say(turn, pod, Some(&container.name), EventType::Normal, "Killing", &message);
        }
        let longest = running.iter().map(|c| takes(turn, c, SimDuration::secs(grace))).max();
        sandbox.step = SandboxStep::Stopping;
        sandbox.due = now + longest.unwrap_or(SimDuration::ZERO) + queue(turn, &sandbox);
        turn.put(sandbox.clone().into_object());
    }
    if now < sandbox.due {
        return Ok(Next::After(sandbox.due.since(now)));
    }
    report(turn, pod, &sandbox)?;
    clear_up(turn, &sandbox);
    turn.delete(&key, Some(0))?;
    Ok(Next::Done)
}

/// How much later a pod ends because others of its node are being stopped: no two end at one moment.
fn queue(turn: &Turn<'_>, own: &Sandbox) -> SimDuration {
    let stops = |pod: &&Pod| {
        let (namespace, name) = super::names(pod);
        turn.get::<Sandbox>(namespace, name).is_some_and(|it| it.step == SandboxStep::Stopping)
    };
    let others = turn.store().pods_on(turn.cluster(), &own.node).filter(stops);
    SimDuration(timing::STOP_APART.0 * u64::try_from(others.count()).unwrap_or(0))
}

fn running(pod: &Pod, sandbox: &Sandbox) -> Vec<Container> {
    let spec = pod.spec.clone().unwrap_or_default();
    let all = spec.init_containers.into_iter().flatten().chain(spec.containers);
    let runs = |name: &str| {
        sandbox.containers.iter().any(|work| work.name == name && work.step == ContainerStep::Running)
    };
    all.filter(|container| runs(&container.name)).collect()
}

/// From SIGTERM to the end of a container's process.
fn takes(turn: &Turn<'_>, container: &Container, grace: SimDuration) -> SimDuration {
    let hook =
        container.lifecycle.as_ref().and_then(|l| l.pre_stop.as_ref()).and_then(|hook| hook.sleep.as_ref());
    let hook = SimDuration::secs(hook.map_or(0, |sleep| sleep.seconds.unsigned_abs()));
    if obeys(turn, container) { SimDuration(hook.0 + timing::TERM.0).min(grace) } else { grace }
}

fn obeys(turn: &Turn<'_>, container: &Container) -> bool {
    let image = image::of(turn.store(), container.image.as_deref().unwrap_or_default());
    process::of(container, &image).obeys_term
}

/// The last status: every container has ended.
fn report(turn: &mut Turn<'_>, pod: &Pod, sandbox: &Sandbox) -> Result<(), ApiStatus> {
    let mut statuses = Statuses::of(pod);
    let stamp = turn.stamp();
    for container in running(pod, sandbox) {
        let code = if obeys(turn, &container) { 0 } else { KILLED };
        if let Some(status) = statuses.get(&container.name) {
            let started =
                status.state.as_ref().and_then(|s| s.running.as_ref()).and_then(|r| r.started_at.clone());
            status.ready = false;
            status.started = Some(false);
            status.state = Some(terminated(ContainerStateTerminated {
                container_id: status.container_id.clone(),
                exit_code: code,
                reason: Some(if code == 0 { "Completed" } else { "Error" }.to_owned()),
                started_at: started,
                finished_at: Some(stamp.clone()),
                ..ContainerStateTerminated::default()
            }));
        }
    }
    status::write_with(turn, pod, sandbox, &statuses)
}

/// Takes a sandbox down: its address goes back and rests.
pub(super) fn clear_up(turn: &mut Turn<'_>, sandbox: &Sandbox) {
    network::release(turn, sandbox);
    let meta = &sandbox.metadata;
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = turn.key(api::Kind::Sandbox, &name(&meta.namespace), &name(&meta.name));
    turn.remove(&key);
}
