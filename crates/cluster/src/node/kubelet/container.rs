//! How do a pod's containers come up, fail and come up again?
//!
//! Init containers one after the other, then the others in their order; each is pulled, created and started. What is
//! over its time moves on. Waits that a person would call work (a pull, a start, a first probe) are told apart from
//! those that may go on for ever (back-off).

use api::{
    ApiStatus, Resource, SimDuration, SimTime,
    k8s::core::v1::{
        Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStatus, Pod,
    },
    kinds::sim::{ContainerStep, Machine, Sandbox},
};

use super::{
    image, next, probe, process, say,
    status::{self, Statuses, terminated, waiting},
};
use crate::{
    EventType::{Normal, Warning},
    Next, Turn, timing,
};

/// Moves every container on that is over its time, and writes what changed.
pub(super) fn step(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: Sandbox,
    machine: &Machine,
) -> Result<Next, ApiStatus> {
    let before = sandbox.clone();
    let mut it = Pass { turn, pod, machine: machine.clone(), statuses: Statuses::of(pod), sandbox };
    // Each container moves at most a few steps at one moment: a wait lies between them.
    for _ in 0..4 * it.sandbox.containers.len() {
        if !(0..it.sandbox.containers.len()).any(|at| it.advance(at)) {
            break;
        }
    }
    let Pass { turn, statuses, sandbox, .. } = it;
    status::write_with(turn, pod, &sandbox, &statuses)?;
    if sandbox != before {
        turn.put(sandbox.clone().into_object());
    }
    Ok(wait(turn.now(), &sandbox))
}

fn wait(now: SimTime, sandbox: &Sandbox) -> Next {
    let (mut work, mut idle) = (None::<SimTime>, None::<SimTime>);
    let mut note = |at: SimTime, is_work: bool| {
        let slot = if is_work { &mut work } else { &mut idle };
        *slot = Some(slot.map_or(at, |old| old.min(at)));
    };
    for it in &sandbox.containers {
        if let Some(due) = it.due {
            // A process that will end by itself is no work: it may take days.
            let soon = it.step == ContainerStep::Running && due.since(it.since) <= SimDuration::secs(60);
            note(due, matches!(it.step, ContainerStep::Pulling | ContainerStep::Starting) || soon);
        }
        if let Some(at) = it.probe_at {
            // A probe that failed once may fail for ever.
            note(at, it.step != ContainerStep::Running || it.failures == 0);
        }
    }
    next(now, work, idle)
}

struct Pass<'p, 'w> {
    turn: &'p mut Turn<'w>,
    pod: &'p Pod,
    machine: Machine,
    statuses: Statuses,
    sandbox: Sandbox,
}

impl Pass<'_, '_> {
    fn container(&self, name: &str) -> Container {
        let spec = self.pod.spec.as_ref();
        let all = spec.into_iter().flat_map(|s| s.init_containers.iter().flatten().chain(&s.containers));
        all.into_iter().find(|c| c.name == name).cloned().unwrap_or_default()
    }

    fn say(&mut self, at: usize, how: crate::EventType, reason: &str, message: &str) {
        let name = self.sandbox.containers[at].name.clone();
        say(self.turn, self.pod, Some(&name), how, reason, message);
    }

    fn enter(&mut self, at: usize, step: ContainerStep, takes: Option<SimDuration>) {
        let now = self.turn.now();
        let work = &mut self.sandbox.containers[at];
        work.step = step;
        work.since = now;
        work.due = takes.map(|takes| now + takes);
    }

    fn edit(&mut self, at: usize, edit: impl FnOnce(&mut ContainerStatus)) {
        let name = self.sandbox.containers[at].name.clone();
        if let Some(status) = self.statuses.get(&name) {
            edit(status);
        }
    }

    /// Moves one container on; says whether it moved.
    fn advance(&mut self, at: usize) -> bool {
        let now = self.turn.now();
        let work = &self.sandbox.containers[at];
        let over = work.due.is_some_and(|due| due <= now);
        let probed = work.probe_at.is_some_and(|probe| probe <= now);
        match work.step {
            ContainerStep::Waiting if self.may_begin(at) => self.begin(at),
            ContainerStep::Pulling if over => self.pulled(at),
            ContainerStep::PullBackOff if over => self.begin(at),
            ContainerStep::PullBackOff if probed => self.backs_off(at),
            ContainerStep::ConfigError if over || self.missing_config(at).is_none() => self.create(at),
            ContainerStep::Starting if over => self.start(at),
            ContainerStep::Running if over => self.ended(at),
            ContainerStep::Running if probed => self.probe(at),
            ContainerStep::CrashBackOff if over => self.begin(at),
            _ => return false,
        }
        true
    }

    /// Init containers wait for those before them to be done; the others for all init containers, and for the one
    /// before to be started or to have failed.
    fn may_begin(&self, at: usize) -> bool {
        let me = &self.sandbox.containers[at];
        self.sandbox.containers[..at].iter().all(|before| {
            if before.init {
                let sidecar = self.container(&before.name).restart_policy.as_deref() == Some("Always");
                before.step == ContainerStep::Exited || (sidecar && before.step == ContainerStep::Running)
            } else {
                debug_assert!(!me.init, "init containers come first");
                !matches!(
                    before.step,
                    ContainerStep::Waiting | ContainerStep::Pulling | ContainerStep::Starting
                )
            }
        })
    }

    fn begin(&mut self, at: usize) {
        let container = self.container(&self.sandbox.containers[at].name);
        let named = container.image.clone().unwrap_or_default();
        let there = self.machine.images.contains(&named);
        let policy = container.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
        self.sandbox.containers[at].probe_at = None;
        match (policy, there) {
            ("Never", false) => {
                let message = format!("Container image \"{named}\" is not present with pull policy of Never");
                self.say(at, Warning, "ErrImageNeverPull", &message);
                self.edit(at, |s| s.state = Some(waiting("ErrImageNeverPull", Some(message))));
                self.enter(at, ContainerStep::PullBackOff, Some(timing::BACK_OFF_MAX));
            }
            ("Always", _) | (_, false) => {
                self.say(at, Normal, "Pulling", &format!("Pulling image \"{named}\""));
                let image = image::of(self.turn.store(), &named);
                self.enter(at, ContainerStep::Pulling, Some(image::pull_time(&image)));
            }
            (_, true) => {
                let message = format!("Container image \"{named}\" already present on machine");
                self.say(at, Normal, "Pulled", &message);
                self.create(at);
            }
        }
    }

    fn pulled(&mut self, at: usize) {
        let named = self.container(&self.sandbox.containers[at].name).image.unwrap_or_default();
        let image = image::of(self.turn.store(), &named);
        if image.missing {
            return self.pull_failed(at, &named);
        }
        let took = go_duration(image::pull_time(&image));
        let message = format!(
            "Successfully pulled image \"{named}\" in {took} ({took} including waiting). Image size: {} bytes.",
            image.size
        );
        self.say(at, Normal, "Pulled", &message);
        self.remember(&named);
        self.create(at);
    }

    /// The runtime keeps the image.
    fn remember(&mut self, named: &str) {
        let name = self.machine.metadata.name.clone().unwrap_or_default();
        let known = |machine: &&Machine| machine.images.iter().any(|image| image == named);
        let Some(mut machine) = self.turn.get::<Machine>("", &name).filter(|m| !known(m)).cloned() else {
            return;
        };
        machine.images.push(named.to_owned());
        machine.images.sort_unstable();
        self.machine = machine.clone();
        self.turn.put(machine.into_object());
    }

    fn pull_failed(&mut self, at: usize, named: &str) {
        let full = image::canonical(named);
        let why = format!(
            "failed to pull and unpack image \"{full}\": failed to resolve reference \"{full}\": pull access denied, \
             repository does not exist or may require authorization: server message: insufficient_scope: \
             authorization failed"
        );
        self.say(at, Warning, "Failed", &format!("Failed to pull image \"{named}\": {why}"));
        self.say(at, Warning, "Failed", "Error: ErrImagePull");
        self.edit(at, |s| s.state = Some(waiting("ErrImagePull", Some(why))));
        let wait = self.back_off(at);
        self.enter(at, ContainerStep::PullBackOff, Some(wait));
        // The next look at the pod finds the back-off and says so.
        self.sandbox.containers[at].probe_at = Some(self.turn.now() + SimDuration::secs(1));
    }

    fn backs_off(&mut self, at: usize) {
        let named = self.container(&self.sandbox.containers[at].name).image.unwrap_or_default();
        self.sandbox.containers[at].probe_at = None;
        self.say(at, Normal, "BackOff", &format!("Back-off pulling image \"{named}\""));
        self.say(at, Warning, "Failed", "Error: ImagePullBackOff");
        let message = format!("Back-off pulling image \"{named}\"");
        self.edit(at, |s| s.state = Some(waiting("ImagePullBackOff", Some(message))));
    }

    /// The wait after one more failure in a row.
    fn back_off(&mut self, at: usize) -> SimDuration {
        let work = &mut self.sandbox.containers[at];
        let wait = timing::BACK_OFF.0 << work.failures.min(5);
        work.failures += 1;
        SimDuration(wait.min(timing::BACK_OFF_MAX.0))
    }

    fn missing_config(&self, at: usize) -> Option<String> {
        missing_config(self.turn, self.pod, &self.container(&self.sandbox.containers[at].name))
    }

    fn create(&mut self, at: usize) {
        if let Some(missing) = self.missing_config(at) {
            self.say(at, Warning, "Failed", &format!("Error: {missing}"));
            self.edit(at, |s| s.state = Some(waiting("CreateContainerConfigError", Some(missing))));
            self.enter(at, ContainerStep::ConfigError, Some(timing::BACK_OFF));
            return;
        }
        self.enter(at, ContainerStep::Starting, Some(timing::CONTAINER_START));
    }

    fn start(&mut self, at: usize) {
        let name = self.sandbox.containers[at].name.clone();
        let container = self.container(&name);
        let named = container.image.clone().unwrap_or_default();
        self.say(at, Normal, "Created", &format!("Created container: {name}"));
        self.say(at, Normal, "Started", &format!("Started container {name}"));
        let image = image::of(self.turn.store(), &named);
        let process = process::of(&container, &image);
        let now = self.turn.now();
        self.enter(at, ContainerStep::Running, process.ends.map(|(after, _)| after));
        let probe = container.startup_probe.as_ref().or(container.readiness_probe.as_ref());
        self.sandbox.containers[at].probe_at = probe.map(|probe| now + probe::first_after(probe));
        let key = super::key_of(self.turn.cluster(), self.pod);
        let id = self.turn.hex(&name, &key, now.0, 64);
        let stamp = self.turn.stamp();
        let full = image::canonical(&named);
        let digest = crate::draw::hex(0, "image", &full, 0, 64);
        let unprobed = probe.is_none();
        let no_startup = container.startup_probe.is_none();
        self.edit(at, |s| {
            let restarted = s.state.as_ref().is_some_and(|state| state.terminated.is_some());
            if restarted {
                s.last_state.clone_from(&s.state);
            }
            s.restart_count += i32::from(s.container_id.is_some());
            s.container_id = Some(format!("containerd://{id}"));
            s.image_id = format!("{}@sha256:{digest}", image::without_tag(&full));
            s.image = full;
            s.started = Some(no_startup);
            s.ready = unprobed;
            let running = ContainerStateRunning { started_at: Some(stamp) };
            s.state = Some(ContainerState { running: Some(running), ..ContainerState::default() });
        });
    }

    fn ended(&mut self, at: usize) {
        let work = &self.sandbox.containers[at];
        let (name, init) = (work.name.clone(), work.init);
        let container = self.container(&name);
        let image = image::of(self.turn.store(), container.image.as_deref().unwrap_or_default());
        let code = process::of(&container, &image).ends.map_or(0, |(_, code)| code);
        let stamp = self.turn.stamp();
        let mut state = None;
        self.edit(at, |s| {
            let started =
                s.state.as_ref().and_then(|s| s.running.as_ref()).and_then(|r| r.started_at.clone());
            let ended = terminated(ContainerStateTerminated {
                container_id: s.container_id.clone(),
                exit_code: code,
                reason: Some(if code == 0 { "Completed" } else { "Error" }.to_owned()),
                started_at: started,
                finished_at: Some(stamp),
                ..ContainerStateTerminated::default()
            });
            s.ready = init && code == 0;
            s.started = Some(false);
            s.state = Some(ended.clone());
            state = Some(ended);
        });
        self.sandbox.containers[at].probe_at = None;
        if !self.restarts(&container, init, code) {
            return self.enter(at, ContainerStep::Exited, None);
        }
        // UPSTREAM: the first restart comes at once.
        if self.sandbox.containers[at].failures == 0 {
            self.sandbox.containers[at].failures = 1;
            return self.begin(at);
        }
        self.sandbox.containers[at].failures -= 1;
        let wait = self.back_off(at);
        self.sandbox.containers[at].failures += 1;
        let (namespace, pod) = super::names(self.pod);
        let uid = self.pod.metadata.uid.clone().unwrap_or_default();
        let about = format!("{name} in pod {pod}_{namespace}({uid})");
        self.say(at, Warning, "BackOff", &format!("Back-off restarting failed container {about}"));
        let length = go_duration(wait);
        let message =
            format!("back-off {length} restarting failed container={name} pod={pod}_{namespace}({uid})");
        self.edit(at, |s| {
            s.last_state = state;
            s.state = Some(waiting("CrashLoopBackOff", Some(message)));
        });
        self.enter(at, ContainerStep::CrashBackOff, Some(wait));
    }

    fn restarts(&self, container: &Container, init: bool, code: i32) -> bool {
        if container.restart_policy.as_deref() == Some("Always") {
            return true;
        }
        match self.pod.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref()) {
            Some("Never") => false,
            Some("OnFailure") => code != 0,
            _ => !init || code != 0,
        }
    }

    fn probe(&mut self, at: usize) {
        let name = self.sandbox.containers[at].name.clone();
        let container = self.container(&name);
        let image = image::of(self.turn.store(), container.image.as_deref().unwrap_or_default());
        let ip = self.sandbox.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let now = self.turn.now();
        let started = self.statuses.get(&name).is_some_and(|s| s.started == Some(true));
        let (probe, word) = match (&container.startup_probe, &container.readiness_probe) {
            (Some(probe), _) if !started => (probe.clone(), "Startup"),
            (_, Some(probe)) => (probe.clone(), "Readiness"),
            _ => return self.sandbox.containers[at].probe_at = None,
        };
        match probe::run(&probe, &container, &image, &ip, &self.machine) {
            Ok(()) if word == "Startup" && container.readiness_probe.is_some() => {
                self.edit(at, |s| s.started = Some(true));
                self.sandbox.containers[at].probe_at = Some(now);
            }
            Ok(()) => {
                self.edit(at, |s| {
                    s.started = Some(true);
                    s.ready = true;
                });
                self.sandbox.containers[at].probe_at = None;
            }
            Err(why) => {
                self.say(at, Warning, "Unhealthy", &format!("{word} probe failed: {why}"));
                let work = &mut self.sandbox.containers[at];
                work.failures += 1;
                work.probe_at = Some(now + probe::period(&probe));
            }
        }
    }
}

/// The first thing that a container's environment needs and does not find.
fn missing_config(turn: &Turn<'_>, pod: &Pod, container: &Container) -> Option<String> {
    use api::k8s::core::v1::{ConfigMap, Secret};
    let (namespace, _) = super::names(pod);
    let config = |name: &str, optional: Option<bool>| {
        (optional != Some(true) && turn.get::<ConfigMap>(namespace, name).is_none())
            .then(|| format!("configmap \"{name}\" not found"))
    };
    let secret = |name: &str, optional: Option<bool>| {
        (optional != Some(true) && turn.get::<Secret>(namespace, name).is_none())
            .then(|| format!("secret \"{name}\" not found"))
    };
    let from = container.env_from.iter().flatten().find_map(|from| {
        let map = from.config_map_ref.as_ref().and_then(|r| config(&r.name, r.optional));
        map.or_else(|| from.secret_ref.as_ref().and_then(|r| secret(&r.name, r.optional)))
    });
    from.or_else(|| {
        container.env.iter().flatten().filter_map(|var| var.value_from.as_ref()).find_map(|from| {
            let map = from.config_map_key_ref.as_ref().and_then(|r| config(&r.name, r.optional));
            map.or_else(|| from.secret_key_ref.as_ref().and_then(|r| secret(&r.name, r.optional)))
        })
    })
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
