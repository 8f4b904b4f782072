//! How do a pod's containers come up, fail and come up again?
//!
//! Init containers one after the other, then the others in their order; each is pulled ([`super::pull`]), created and
//! started ([`super::start`]), probed ([`super::probe`]), ended and started again ([`super::end`]). What is over its time
//! moves on. Waits that a person would call work (a pull, a start, a first probe) are told apart from those that may go on
//! for ever (back-off).
//! Source: kubelet `pkg/kubelet/kuberuntime/kuberuntime_manager.go` (`computePodActions`, `SyncPod`).

use std::borrow::Cow;

use api::{
    ApiStatus, Resource, SimDuration, SimTime,
    k8s::core::v1::{Container, ContainerStatus, Pod},
    kinds::sim::{ContainerStep, ContainerWork, Image, Machine, Sandbox},
};

use super::{
    ephemeral, image, next, process, say,
    status::{self, Statuses, is_sidecar},
    stop,
};
use crate::{Next, Turn, timing};

/// Moves every container on that is over its time, and writes what changed.
pub(super) fn step(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: Sandbox,
    machine: &Machine,
) -> Result<Next, ApiStatus> {
    let before = sandbox.clone();
    let mut sandbox = sandbox;
    if !machine.played {
        ephemeral::take_in(pod, &mut sandbox);
    }
    let mut it = Pass { turn, pod, machine: Cow::Borrowed(machine), statuses: Statuses::of(pod), sandbox };
    it.resize();
    // Each container moves at most a few steps at one moment: a wait lies between them.
    for _ in 0..4 * it.sandbox.containers.len() {
        it.sandbox.initialized |=
            it.sandbox.containers.iter().all(|work| !work.init || it.is_initialized(work));
        if !(0..it.sandbox.containers.len()).any(|at| it.advance(at)) {
            break;
        }
    }
    if it.is_over() && it.sandbox.containers.iter().any(|work| runs(work.step)) {
        let Pass { turn, statuses, sandbox, .. } = it;
        status::write_with(turn, pod, &sandbox, &statuses)?;
        turn.put(sandbox.clone().into_object());
        let (namespace, name) = super::names(pod);
        let pod = turn.get::<Pod>(namespace, name).cloned().unwrap_or_else(|| pod.clone());
        return stop::step(turn, &pod, Some(sandbox));
    }
    let wait = it.wait();
    let Pass { turn, statuses, sandbox, .. } = it;
    status::write_with(turn, pod, &sandbox, &statuses)?;
    if sandbox != before {
        turn.put(sandbox.into_object());
    }
    Ok(wait)
}

/// Whether a process is there.
pub(super) fn runs(step: ContainerStep) -> bool {
    matches!(step, ContainerStep::Running | ContainerStep::Hook | ContainerStep::Stopping)
}

/// One look at all containers of a pod.
pub(super) struct Pass<'p, 'w> {
    pub turn: &'p mut Turn<'w>,
    pub pod: &'p Pod,
    pub machine: Cow<'p, Machine>,
    pub statuses: Statuses,
    pub sandbox: Sandbox,
}

impl Pass<'_, '_> {
    pub(super) fn container(&self, at: usize) -> Container {
        container_of(self.pod, &self.sandbox.containers[at].name)
    }

    pub(super) fn image(&self, container: &Container) -> Image {
        image::of(self.turn.store(), container.image.as_deref().unwrap_or_default())
    }

    pub(super) fn say(&mut self, at: usize, how: crate::EventType, reason: &str, message: &str) {
        let name = self.sandbox.containers[at].name.clone();
        say(self.turn, self.pod, Some(&name), how, reason, message);
    }

    pub(super) fn enter(&mut self, at: usize, step: ContainerStep, takes: Option<SimDuration>) {
        let now = self.turn.now();
        let work = &mut self.sandbox.containers[at];
        work.step = step;
        work.since = now;
        work.due = takes.map(|takes| now + takes);
    }

    pub(super) fn edit(&mut self, at: usize, edit: impl FnOnce(&mut ContainerStatus)) {
        let name = self.sandbox.containers[at].name.clone();
        if let Some(status) = self.statuses.get(&name) {
            edit(status);
        }
    }

    /// From a sync that failed to the next one. Source: `pod_workers.go` (`completeWork`): 10 s and up to half as much.
    pub(super) fn until_next_sync(&self, at: usize) -> SimDuration {
        let key = super::key_of(self.turn.cluster(), self.pod);
        let jitter = self.turn.draw(&self.sandbox.containers[at].name, &key, self.turn.now().0) % 5000;
        SimDuration(timing::BACK_OFF.0 + jitter)
    }

    /// Moves one container on; says whether it moved.
    fn advance(&mut self, at: usize) -> bool {
        let now = self.turn.now();
        let work = &self.sandbox.containers[at];
        let over = work.due.is_some_and(|due| due <= now);
        match work.step {
            ContainerStep::Waiting if self.may_begin(at) => self.begin(at),
            ContainerStep::Pulling if over => self.pulled(at),
            ContainerStep::PullBackOff | ContainerStep::CrashBackOff if over => self.begin(at),
            ContainerStep::ConfigError if over => self.begin(at),
            ContainerStep::ConfigError if self.machine.played && self.refusal(at).is_none() => {
                self.create(at);
            }
            ContainerStep::Starting if over => self.start(at),
            ContainerStep::Hook if over => self.hooked(at),
            ContainerStep::Running if over => self.ended(at),
            ContainerStep::Running => return self.probe(at),
            ContainerStep::Stopping if over => self.stopped(at),
            ContainerStep::Ended if over => self.begin(at),
            _ => return false,
        }
        true
    }

    /// Init containers wait for those before them to be done; the others for all init containers, and for the one
    /// before to be started or to have failed. What was put into the pod since waits for nothing.
    fn may_begin(&self, at: usize) -> bool {
        let all = &self.sandbox.containers;
        if all[at].ephemeral {
            return true;
        }
        if !all[at].init && !self.sandbox.initialized {
            return false;
        }
        all[..at].iter().filter(|before| before.init == all[at].init).all(|before| {
            if before.init {
                return self.is_initialized(before);
            }
            use ContainerStep::{Hook, Pulling, Starting, Waiting};
            !matches!(before.step, Waiting | Pulling | Starting | Hook)
        })
    }

    /// Whether the one after this init container may begin.
    fn is_initialized(&self, work: &ContainerWork) -> bool {
        if is_sidecar(self.pod, &work.name) {
            let probed = container_of(self.pod, &work.name).startup_probe.is_some() && !self.machine.played;
            return work.step == ContainerStep::Running && (!probed || work.startup.result == Some(true));
        }
        work.step == ContainerStep::Exited
            && self.statuses.init().iter().any(|s| s.name == work.name && s.ready)
    }

    /// Whether nothing is left to run but what runs beside it: `KillPod`.
    fn is_over(&self) -> bool {
        let all = &self.sandbox.containers;
        let failed = |work: &ContainerWork| {
            work.init && work.step == ContainerStep::Exited && !self.is_initialized(work)
        };
        all.iter().any(failed)
            || all.iter().all(|work| work.init || work.ephemeral || work.step == ContainerStep::Exited)
    }

    fn wait(&self) -> Next {
        let (mut work, mut idle) = (None::<SimTime>, None::<SimTime>);
        let mut note = |at: SimTime, is_work: bool| {
            let slot = if is_work { &mut work } else { &mut idle };
            *slot = Some(slot.map_or(at, |old| old.min(at)));
        };
        for (i, it) in self.sandbox.containers.iter().enumerate() {
            if let Some(due) = it.due {
                use ContainerStep::{ConfigError, Ended, Hook, PullBackOff, Pulling, Starting, Stopping};
                // A process that will end by itself is no work: it may take days.
                let soon = it.step == ContainerStep::Running && due.since(it.since) <= SimDuration::secs(60);
                let hopeful = it.step == ConfigError && self.refusal(i).is_none();
                let works = matches!(it.step, Pulling | Starting | Hook | Stopping | Ended);
                // The look that follows a first failure at once.
                let follows = it.step == PullBackOff && due.since(it.since) <= SimDuration::secs(1);
                note(due, works || soon || hopeful || follows);
            }
            for probing in [&it.startup, &it.readiness, &it.liveness] {
                if let Some(at) = probing.at.filter(|_| it.step == ContainerStep::Running) {
                    // A probe that failed once may fail for ever.
                    note(at, probing.result != Some(true) && probing.last != Some(false));
                }
            }
        }
        next(self.turn.now(), work, idle)
    }
}

/// A container of a pod by its name.
pub(crate) fn container_of(pod: &Pod, name: &str) -> Container {
    let spec = pod.spec.as_ref();
    let all = spec.into_iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
    let added = || ephemeral::all(pod).find(|c| c.name == name).map(ephemeral::as_container);
    all.into_iter().find(|c| c.name == name).cloned().or_else(added).unwrap_or_default()
}

/// What a container's process does.
pub(super) fn process_of(turn: &Turn<'_>, container: &Container) -> process::Process {
    let image = image::of(turn.store(), container.image.as_deref().unwrap_or_default());
    process::of(container, &image)
}

/// A length of time as Go prints it: `120ms`, `2.31s`, `1m20s`.
pub(crate) fn go_duration(time: SimDuration) -> String {
    let (minutes, millis) = (time.0 / 60_000, time.0 % 60_000);
    if time.0 < 1000 {
        return format!("{}ms", time.0);
    }
    let seconds = format!("{}.{:03}", millis / 1000, millis % 1000);
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    if minutes == 0 { format!("{seconds}s") } else { format!("{minutes}m{seconds}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_printed_as_go_prints_them() {
        for (millis, text) in
            [(120, "120ms"), (2310, "2.31s"), (10_000, "10s"), (80_000, "1m20s"), (300_000, "5m0s")]
        {
            assert_eq!(go_duration(SimDuration(millis)), text);
        }
    }
}
