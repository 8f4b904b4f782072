//! What happens when a container's process ends, or has to?
//!
//! The kubelet notices at its next look at the runtime; then the restart policy decides, and the back-off says when. One
//! that must go is told so, given its hook and its grace period, and killed.
//! Source: kubelet `kuberuntime_manager.go` (`doBackOff`, `computePodActions`), `kuberuntime_container.go` (`killContainer`),
//! `pkg/api/v1/pod/util.go` (`ContainerShouldRestart`).

use api::{
    SimDuration, SimTime,
    k8s::core::v1::{Container, Pod},
    kinds::sim::{ContainerStep, Ending},
};

use super::{
    back_off,
    container::{Pass, process_of},
    health::Health,
    image,
    process::KILLED,
    pull::wait_as,
    start::hook_of,
    status::is_sidecar,
};
use crate::{
    EventType::{Normal, Warning},
    Turn, timing,
};

/// Why a container that runs is killed.
pub(super) struct Kill {
    /// What the event says.
    pub message: String,
    /// Seconds that it is given.
    pub grace: Option<i64>,
    /// What its hook was told, if that failed.
    pub failed: Option<String>,
}

/// Seconds that every container is given, whatever was asked: `minimumGracePeriodInSeconds`.
const SHORTEST_GRACE: u64 = 2;

impl Pass<'_, '_> {
    /// Starts a container, at first or again, unless it is too early for that.
    pub(super) fn begin(&mut self, at: usize) {
        let now = self.turn.now();
        let work = &self.sandbox.containers[at];
        if let Some(ended) = work.ended_at {
            if let Some(wait) = back_off::lasting(work.crash, ended, now) {
                return self.crash_loop(at, wait);
            }
            self.sandbox.containers[at].crash = Some(back_off::longer(work.crash, ended, now));
        }
        self.ensure_image(at);
    }

    fn crash_loop(&mut self, at: usize, wait: SimDuration) {
        let name = self.sandbox.containers[at].name.clone();
        let pod = self.pod_format();
        self.say(
            at,
            Warning,
            "BackOff",
            &format!("Back-off restarting failed container {name} in pod {pod}"),
        );
        let length = super::container::go_duration(wait);
        let message = format!("back-off {length} restarting failed container={name} pod={pod}");
        self.edit(at, |s| wait_as(s, "CrashLoopBackOff", message));
        let next = (!self.machine.played).then(|| self.until_next_sync(at));
        self.enter(at, ContainerStep::CrashBackOff, next);
    }

    /// The process has ended by itself, or for want of memory.
    pub(super) fn ended(&mut self, at: usize) {
        let container = self.container(at);
        let process = process_of(self.turn, &container);
        let code = process.ends.map_or(0, |(_, code)| code);
        let reason = match (process.out_of_memory, code) {
            (true, _) => "OOMKilled",
            (false, 0) => "Completed",
            (false, _) => "Error",
        };
        self.over(at, code, reason);
        self.sandbox.containers[at].ended_at = Some(self.turn.now());
        let init = self.sandbox.containers[at].init;
        if !self.restarts(&container, init, code) {
            return self.enter(at, ContainerStep::Exited, None);
        }
        if self.machine.played {
            return self.begin(at);
        }
        self.enter(at, ContainerStep::Ended, Some(timing::RELIST));
    }

    fn over(&mut self, at: usize, code: i32, reason: &str) {
        let name = self.sandbox.containers[at].name.clone();
        let stamp = self.turn.stamp();
        self.statuses.end(&name, code, reason, &stamp);
        let work = &self.sandbox.containers[at];
        // Only what is to end is ready by its end.
        let done = work.init && !is_sidecar(self.pod, &name) && code == 0;
        self.edit(at, |s| s.ready = done);
    }

    /// Whether a container is started again after it ended with `code`.
    pub(super) fn restarts(&self, container: &Container, init: bool, code: i32) -> bool {
        if init && container.restart_policy.as_deref() == Some("Always") {
            return true;
        }
        if self.sandbox.containers.iter().any(|work| work.ephemeral && work.name == container.name) {
            return false;
        }
        match self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) {
            Some("Never") => false,
            Some("OnFailure") => code != 0,
            _ => !init || code != 0,
        }
    }

    /// Has a container killed that will be started again, if its pod's policy lets it.
    pub(super) fn kill(&mut self, at: usize, kill: Kill) {
        let container = self.container(at);
        let init = self.sandbox.containers[at].init;
        self.say(at, Normal, "Killing", &kill.message);
        let grace = kill.grace.unwrap_or(30).unsigned_abs();
        let ip = self.sandbox.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let stop = stopping(
            self.turn,
            self.pod,
            &container,
            (&ip, self.sandbox.containers[at].since),
            grace,
            SimDuration::ZERO,
        );
        if stop.hook_failed {
            self.say(at, Warning, "FailedPreStopHook", "PreStopHook failed");
        }
        let restart = self.restarts(&container, init, stop.exit_code.max(1));
        let work = &mut self.sandbox.containers[at];
        work.ending = Some(Ending { exit_code: stop.exit_code, restart, hook: kill.failed });
        self.enter(at, ContainerStep::Stopping, Some(stop.takes));
    }

    /// A container that was killed has ended.
    pub(super) fn stopped(&mut self, at: usize) {
        let ending = self.sandbox.containers[at].ending.take().unwrap_or_default();
        let reason = if ending.exit_code == 0 { "Completed" } else { "Error" };
        self.over(at, ending.exit_code, reason);
        let now = self.turn.now();
        if !ending.restart {
            return self.enter(at, ContainerStep::Exited, None);
        }
        if let Some(failed) = ending.hook {
            self.sandbox.containers[at].ended_at = Some(now);
            self.edit(at, |s| wait_as(s, "PostStartHookError", failed));
            return self.enter(at, ContainerStep::Ended, Some(timing::RELIST));
        }
        // UPSTREAM: whether it is too early is asked of the process before this one: the end of this one is not known yet.
        self.begin(at);
        self.sandbox.containers[at].ended_at = Some(now);
    }
}

/// How a container that is told to stop will end.
pub(super) struct Stopping {
    /// From the order to the end.
    pub takes: SimDuration,
    /// Its exit code.
    pub exit_code: i32,
    /// Whether its preStop hook failed.
    pub hook_failed: bool,
}

/// A preStop hook, then the wait until its turn comes (`from`), SIGTERM, the rest of the grace period, SIGKILL.
pub(super) fn stopping(
    turn: &Turn<'_>,
    pod: &Pod,
    container: &Container,
    (ip, since): (&str, SimTime),
    grace: u64,
    from: SimDuration,
) -> Stopping {
    let process = process_of(turn, container);
    let grace = SimDuration::secs(grace);
    let hook = container.lifecycle.as_ref().and_then(|it| it.pre_stop.as_ref()).filter(|_| grace.0 > 0);
    let machine = super::machine_of(turn, pod).cloned().unwrap_or_default();
    let image = image::of(turn.store(), container.image.as_deref().unwrap_or_default());
    let health = Health { container, image: &image, process: &process, since, ip, machine: &machine };
    let ran = hook.filter(|_| !machine.played).map(|hook| hook_of(&health, hook, turn.now()));
    let (hooked, hook_failed) = match ran {
        None => (SimDuration::ZERO, false),
        Some(Ok(takes)) => (takes.min(grace), false),
        Some(Err(_)) => (SimDuration::ZERO, true),
    };
    let hooked = hooked.max(from.min(grace));
    let left = SimDuration::secs(grace.as_secs().saturating_sub(hooked.as_secs()).max(SHORTEST_GRACE));
    let obeys = process.obeys_term;
    let takes = hooked + if obeys { timing::TERM.min(left) } else { left };
    Stopping { takes, exit_code: if obeys { 0 } else { KILLED }, hook_failed }
}
