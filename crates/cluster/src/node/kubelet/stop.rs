//! How does a pod leave its node?
//!
//! Hooks, SIGTERM, up to the grace period, SIGKILL; sidecars after the others, the last one first; then the address goes back
//! and rests. A pod that was deleted is deleted for good, one that the kubelet itself ended says why.
//! Source: kubelet `pkg/kubelet/pod_workers.go` (`calculateEffectiveGracePeriod`), `kubelet.go` (`SyncTerminatingPod`),
//! `kuberuntime_container.go` (`killContainer`), `kuberuntime_termination_order.go`, `active_deadline.go`.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Resource, SimDuration, SimTime,
    k8s::core::v1::{Container, Pod},
    kinds::sim::{Machine, Sandbox, SandboxStep, StopCause},
};

use super::{
    container::{container_of, runs},
    end::{self, Stopping},
    network, say,
    status::{self, Statuses, is_sidecar},
};
use crate::{
    EventType::{Normal, Warning},
    Next, Turn, timing,
};

/// What the kubelet says of a pod that ran too long.
const DEADLINE: &str = "Pod was active on the node longer than the specified deadline";

/// Stops a pod step by step; deletes it at the end if it is to be deleted.
pub(super) fn step(turn: &mut Turn<'_>, pod: &Pod, sandbox: Option<Sandbox>) -> Result<Next, ApiStatus> {
    let key = super::key_of(turn.cluster(), pod);
    let deleted = pod.metadata.deletion_timestamp.is_some();
    let Some(mut sandbox) = sandbox else {
        if deleted {
            turn.delete(&key, Some(0))?;
        }
        return Ok(Next::Done);
    };
    let now = turn.now();
    let grace = grace(pod, &sandbox);
    let ends = ends(turn, pod, &sandbox, grace);
    if sandbox.step == SandboxStep::Stopping {
        // Somebody gave it less time than before.
        let least = SimDuration::secs(grace.max(2)) + queue(turn, &sandbox);
        sandbox.due = sandbox.due.min(now + least);
    } else {
        for (container, stopping) in &ends {
            let message = format!("Stopping container {}", container.name);
            say(turn, pod, Some(&container.name), Normal, "Killing", &message);
            if stopping.hook_failed {
                say(turn, pod, Some(&container.name), Warning, "FailedPreStopHook", "PreStopHook failed");
            }
        }
        let longest = ends.iter().map(|(_, stopping)| stopping.takes).max();
        sandbox.step = SandboxStep::Stopping;
        sandbox.due = now + longest.unwrap_or(SimDuration::ZERO) + queue(turn, &sandbox);
    }
    turn.put(sandbox.clone().into_object());
    if now < sandbox.due {
        return Ok(Next::After(sandbox.due.since(now)));
    }
    let is_told = turn.get::<Machine>("", &sandbox.node).is_none_or(|machine| !machine.played_at_once);
    if is_told || !deleted {
        report(turn, pod, &sandbox, &ends)?;
    }
    clear_up(turn, &sandbox);
    if deleted {
        turn.delete(&key, Some(0))?;
    }
    Ok(Next::Done)
}

/// Begins to stop a pod that nobody deleted; the status says why when it has ended.
pub(super) fn end(
    turn: &mut Turn<'_>,
    pod: &Pod,
    mut sandbox: Sandbox,
    cause: StopCause,
) -> Result<Next, ApiStatus> {
    sandbox.stopped_for = Some(cause);
    step(turn, pod, Some(sandbox))
}

/// When a pod has run as long as it may.
pub(super) fn deadline(turn: &Turn<'_>, pod: &Pod) -> Option<SimTime> {
    let allowed = pod.spec.as_ref()?.active_deadline_seconds?;
    let start = pod.status.as_ref()?.start_time.as_ref()?.0.as_millisecond();
    let since = u64::try_from(start - turn.world().epoch().as_millisecond()).unwrap_or(0);
    Some(SimTime(since) + SimDuration::secs(allowed.unsigned_abs()))
}

/// Ends a pod that has run too long. UPSTREAM: it is said each time the status is made, which is four times.
pub(super) fn too_long(turn: &mut Turn<'_>, pod: &Pod, sandbox: Sandbox) -> Result<Next, ApiStatus> {
    for _ in 0..4 {
        say(turn, pod, None, Normal, "DeadlineExceeded", DEADLINE);
    }
    let (reason, message) = ("DeadlineExceeded".to_owned(), DEADLINE.to_owned());
    end(turn, pod, sandbox, StopCause { reason, message, ..StopCause::default() })
}

/// Seconds that a pod's containers are given.
fn grace(pod: &Pod, sandbox: &Sandbox) -> u64 {
    let own = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
    let deletion = pod.metadata.deletion_grace_period_seconds.map(i64::unsigned_abs);
    let given = sandbox.stopped_for.as_ref().and_then(|cause| cause.grace);
    let shortest = [deletion, given].into_iter().flatten().min();
    shortest.unwrap_or(own.unwrap_or(30).unsigned_abs()).max(1)
}

/// The containers that run, and how each of them will end.
fn ends(turn: &Turn<'_>, pod: &Pod, sandbox: &Sandbox, grace: u64) -> Vec<(Container, Stopping)> {
    let ip = sandbox.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let mut all: BTreeMap<usize, Stopping> = BTreeMap::new();
    let mut stop = |at: usize, from: SimDuration| {
        let work = &sandbox.containers[at];
        let container = container_of(pod, &work.name);
        let stopping = end::stopping(turn, pod, &container, (&ip, work.since), grace, from);
        let takes = stopping.takes;
        all.insert(at, stopping);
        takes
    };
    let running = |at: &usize| runs(sandbox.containers[*at].step);
    let sidecar = |at: &usize| is_sidecar(pod, &sandbox.containers[*at].name);
    let count = sandbox.containers.len();
    let mut turn_comes = SimDuration::ZERO;
    for at in (0..count).filter(running).filter(|at| !sidecar(at)) {
        let takes = stop(at, SimDuration::ZERO);
        turn_comes = turn_comes.max(takes);
    }
    for at in (0..count).rev().filter(running).filter(sidecar) {
        let takes = stop(at, turn_comes);
        turn_comes = turn_comes.max(takes);
    }
    let named = |at: usize| container_of(pod, &sandbox.containers[at].name);
    all.into_iter().map(|(at, stopping)| (named(at), stopping)).collect()
}

/// How much later a pod ends because others of its node are being stopped: no two end at one moment.
fn queue(turn: &Turn<'_>, own: &Sandbox) -> SimDuration {
    let stops = |pod: &&Pod| {
        let (namespace, name) = super::names(pod);
        turn.get::<Sandbox>(namespace, name)
            .is_some_and(|it| it.step == SandboxStep::Stopping && it.pod_uid != own.pod_uid)
    };
    let others = turn.store().pods_on(turn.cluster(), &own.node).filter(stops);
    SimDuration(timing::STOP_APART.0 * u64::try_from(others.count()).unwrap_or(0))
}

/// The last status: every container has ended.
fn report(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: &Sandbox,
    ends: &[(Container, Stopping)],
) -> Result<(), ApiStatus> {
    let mut statuses = Statuses::of(pod);
    let stamp = turn.stamp();
    for (container, stopping) in ends {
        let reason = if stopping.exit_code == 0 { "Completed" } else { "Error" };
        statuses.end(&container.name, stopping.exit_code, reason, &stamp);
    }
    status::write_last(turn, pod, sandbox, &statuses)
}

/// Takes a sandbox down: its address goes back and rests.
pub(super) fn clear_up(turn: &mut Turn<'_>, sandbox: &Sandbox) {
    network::release(turn, sandbox);
    let meta = &sandbox.metadata;
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = turn.key(api::Kind::Sandbox, &name(&meta.namespace), &name(&meta.name));
    turn.remove(&key);
}
