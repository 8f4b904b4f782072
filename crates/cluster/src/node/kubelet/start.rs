//! How is a container created and started?
//!
//! What its environment needs must be there, and it must not run as root where it may not; its program must be in the
//! image; then its postStart hook runs, and the next container waits for that.
//! MODEL: which programs an image has is known of a few images of Docker Hub's library only.
//! Source: kubelet `kuberuntime_container.go` (`startContainer`), `security_context_others.go`, `pkg/kubelet/lifecycle/handlers.go`;
//! runc's words for a program that is not there; containerd's reason `StartError`.

use api::{
    SimDuration,
    k8s::core::v1::{
        Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStatus,
        ContainerUser, LifecycleHandler, LinuxContainerUser, VolumeMountStatus,
    },
    kinds::sim::{ContainerStep, Image, Probing},
    meta::Time,
};

use super::{
    container::{Pass, container_of},
    end::Kill,
    env, ephemeral,
    health::Health,
    image, mount, names, process,
    pull::wait_as,
    status::{is_sidecar, terminated},
    volume,
};
use crate::{
    EventType::{Normal, Warning},
    timing,
};

/// What an OCI runtime could not start ends with this code.
const NOT_STARTED: i32 = 128;

impl Pass<'_, '_> {
    /// `name_namespace(uid)`, as the kubelet prints a pod.
    pub(super) fn pod_format(&self) -> String {
        let (namespace, pod) = names(self.pod);
        format!("{pod}_{namespace}({})", self.pod.metadata.uid.as_deref().unwrap_or_default())
    }

    /// Why a container cannot be created now.
    pub(super) fn refusal(&self, at: usize) -> Option<String> {
        let container = self.container(at);
        let missing = env::of(self.turn.store(), self.turn.cluster(), self.pod, &container).err();
        let missing = ephemeral::lacks_target(self.pod, &container.name).or(missing);
        let missing =
            missing.or_else(|| mount::refusal(self.turn.store(), self.turn.cluster(), self.pod, &container));
        missing.or_else(|| self.runs_as_root(&container).filter(|_| !self.machine.played))
    }

    fn runs_as_root(&self, container: &Container) -> Option<String> {
        let pod = self.pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        let own = container.security_context.as_ref();
        let non_root = own.and_then(|it| it.run_as_non_root).or(pod.and_then(|it| it.run_as_non_root));
        let user = own.and_then(|it| it.run_as_user).or(pod.and_then(|it| it.run_as_user));
        if non_root != Some(true) || user.is_some_and(|user| user != 0) {
            return None;
        }
        let about = format!("(pod: {:?}, container: {})", self.pod_format(), container.name);
        if user == Some(0) {
            return Some(format!("container's runAsUser breaks non-root policy {about}"));
        }
        let named = self.image(container).user.unwrap_or_default();
        match named.split(':').next().unwrap_or_default() {
            "" | "0" => Some(format!("container has runAsNonRoot and image will run as root {about}")),
            user if user.parse::<u32>().is_ok() => None,
            user => Some(format!(
                "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root \
                 {about}"
            )),
        }
    }

    pub(super) fn create(&mut self, at: usize) {
        if let Some(why) = self.refusal(at) {
            self.say(at, Warning, "Failed", &format!("Error: {why}"));
            self.edit(at, |s| wait_as(s, "CreateContainerConfigError", why));
            let wait = self.until_next_sync(at);
            return self.enter(at, ContainerStep::ConfigError, Some(wait));
        }
        if !self.machine.played {
            let (store, cluster) = (self.turn.store(), self.turn.cluster());
            volume::look(store, cluster, self.pod, &mut self.sandbox);
            let container = container_of(self.pod, &self.sandbox.containers[at].name);
            self.sandbox.containers[at].given =
                volume::given(store, cluster, self.pod, &container, &self.sandbox);
        }
        self.enter(at, ContainerStep::Starting, Some(timing::CONTAINER_START));
    }

    pub(super) fn start(&mut self, at: usize) {
        let name = self.sandbox.containers[at].name.clone();
        let container = self.container(at);
        let image = self.image(&container);
        self.say(at, Normal, "Created", &format!("Created container: {name}"));
        self.identify(at, &container, &image);
        let lacks = process::not_found(&container).filter(|_| !self.machine.played);
        if let Some(program) = lacks {
            return self.cannot_run(at, &program);
        }
        self.say(at, Normal, "Started", &format!("Started container {name}"));
        let process = process::of(&container, &image);
        let stamp = self.turn.stamp();
        self.enter(at, ContainerStep::Running, process.ends.map(|(after, _)| after));
        self.probe_from_start(at, &container);
        let probed = container.startup_probe.is_some() && !self.machine.played;
        let ready = !probed && container.readiness_probe.is_none();
        let ephemeral = self.sandbox.containers[at].ephemeral;
        let ready = ready && !ephemeral && (!self.sandbox.containers[at].init || is_sidecar(self.pod, &name));
        self.edit(at, |s| {
            s.started = (!ephemeral).then_some(!probed);
            s.ready = ready;
            let running = ContainerStateRunning { started_at: Some(stamp) };
            s.state = Some(ContainerState { running: Some(running), ..ContainerState::default() });
        });
        let hook = container.lifecycle.as_ref().and_then(|it| it.post_start.as_ref());
        if let Some(hook) = hook.filter(|_| !self.machine.played) {
            let takes = self.run_hook(at, hook).unwrap_or_default();
            self.enter(at, ContainerStep::Hook, Some(takes));
        }
    }

    /// The runtime's part of a status: a new id, the image's digest, one restart more.
    fn identify(&mut self, at: usize, container: &Container, image: &Image) {
        let named = container.image.clone().unwrap_or_default();
        let key = super::key_of(self.turn.cluster(), self.pod);
        let id = self.turn.hex(&container.name, &key, self.turn.now().0, 64);
        let full = image::canonical(&named);
        let digest = image::digest(&full);
        let details = (!self.machine.played).then(|| self.details(container, image));
        self.edit(at, |s| {
            if s.state.as_ref().is_some_and(|state| state.terminated.is_some()) {
                s.last_state.clone_from(&s.state);
            }
            s.restart_count += i32::from(s.container_id.is_some());
            s.container_id = Some(format!("containerd://{id}"));
            s.image_id = format!("{}@sha256:{digest}", image::without_tag(&full));
            s.image = full;
            if let Some(details) = details {
                s.volume_mounts = details.volume_mounts;
                s.resources = details.resources;
                s.allocated_resources = details.allocated_resources;
                s.user = details.user;
            }
        });
    }

    /// What a status says beside states. Source: `convertToAPIContainerStatuses`.
    fn details(&self, container: &Container, image: &Image) -> ContainerStatus {
        let mounts = container.volume_mounts.iter().flatten().map(|mount| VolumeMountStatus {
            name: mount.name.clone(),
            mount_path: mount.mount_path.clone(),
            read_only: mount.read_only.filter(|only| *only),
            recursive_read_only: (mount.read_only == Some(true)).then(|| "Disabled".to_owned()),
        });
        let mounts: Vec<VolumeMountStatus> = mounts.collect();
        let pod = self.pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        let own = container.security_context.as_ref();
        let named = image.user.as_deref().and_then(|user| user.split(':').next()?.parse::<i64>().ok());
        let uid =
            own.and_then(|it| it.run_as_user).or(pod.and_then(|it| it.run_as_user)).or(named).unwrap_or(0);
        let gid = own.and_then(|it| it.run_as_group).or(pod.and_then(|it| it.run_as_group)).unwrap_or(0);
        let mut groups = vec![gid];
        groups.extend(pod.and_then(|it| it.fs_group));
        groups.extend(pod.iter().flat_map(|it| it.supplemental_groups.iter().flatten()));
        groups.dedup();
        let linux = LinuxContainerUser { uid, gid, supplemental_groups: Some(groups) };
        let resources = container.resources.clone().unwrap_or_default();
        ContainerStatus {
            volume_mounts: (!mounts.is_empty()).then_some(mounts),
            allocated_resources: resources.requests.clone(),
            resources: Some(resources),
            user: Some(ContainerUser { linux: Some(linux) }),
            ..ContainerStatus::default()
        }
    }

    /// The runtime made the container and could not start its process.
    fn cannot_run(&mut self, at: usize, program: &str) {
        let why = format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
             unable to start container process: error during container init: exec: {program:?}: executable file not found \
             in $PATH"
        );
        self.say(at, Warning, "Failed", &format!("Error: {why}"));
        let stamp = self.turn.stamp();
        let epoch = Time(jiff::Timestamp::UNIX_EPOCH);
        self.edit(at, |s| {
            s.started = s.started.map(|_| false);
            s.ready = false;
            s.state = Some(terminated(ContainerStateTerminated {
                container_id: s.container_id.clone(),
                exit_code: NOT_STARTED,
                reason: Some("StartError".to_owned()),
                message: Some(why.clone()),
                started_at: Some(epoch),
                finished_at: Some(stamp),
                ..ContainerStateTerminated::default()
            }));
        });
        self.sandbox.containers[at].ended_at = Some(self.turn.now());
        let container = self.container(at);
        let init = self.sandbox.containers[at].init;
        if !self.restarts(&container, init, NOT_STARTED) {
            return self.enter(at, ContainerStep::Exited, None);
        }
        self.edit(at, |s| wait_as(s, "RunContainerError", why));
        // News of the container that ended makes the next look follow at once.
        self.enter(at, ContainerStep::Ended, Some(timing::RELIST));
    }

    /// How long a postStart hook takes.
    /// # Errors
    /// The message of the container's state.
    fn run_hook(&self, at: usize, hook: &LifecycleHandler) -> Result<SimDuration, String> {
        let container = self.container(at);
        let image = self.image(&container);
        let process = process::of(&container, &image);
        let ip = self.sandbox.ip.map(|ip| ip.to_string()).unwrap_or_default();
        let now = self.turn.now();
        let health = Health {
            container: &container,
            image: &image,
            process: &process,
            since: now,
            ip: &ip,
            machine: &self.machine,
        };
        hook_of(&health, hook, now).map_err(|why| {
            let about = format!("for Container {:?} in Pod {:?} failed - error: ", container.name, self.pod_format());
            match (&hook.exec, &hook.http_get) {
                (Some(exec), _) => {
                    let words = exec.command.clone().unwrap_or_default().join(" ");
                    format!(
                        "Exec lifecycle hook ([{words}]) {about}command '{words}' exited with 1: {why}, message: {why:?}"
                    )
                }
                (None, Some(get)) => {
                    let path = get.path.as_deref().unwrap_or_default();
                    format!("HTTP lifecycle hook ({path}) {about}{why}")
                }
                (None, None) => why,
            }
        })
    }

    /// The postStart hook is through: well, or the container is killed for it.
    pub(super) fn hooked(&mut self, at: usize) {
        let container = self.container(at);
        let hook = container.lifecycle.as_ref().and_then(|it| it.post_start.clone()).unwrap_or_default();
        match self.run_hook(at, &hook) {
            Ok(_) => {
                // The hook began with the process.
                let since = self.sandbox.containers[at].since;
                let process = process::of(&container, &self.image(&container));
                let work = &mut self.sandbox.containers[at];
                work.step = ContainerStep::Running;
                work.due = process.ends.map(|(after, _)| since + after);
            }
            Err(why) => {
                self.say(at, Warning, "FailedPostStartHook", "PostStartHook failed");
                self.edit(at, |s| s.ready = false);
                let grace = self.pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds);
                let kill = Kill { message: "FailedPostStartHook".to_owned(), grace, failed: Some(why) };
                self.kill(at, kill);
            }
        }
    }

    /// Probes begin anew with every process.
    fn probe_from_start(&mut self, at: usize, container: &Container) {
        let work = &mut self.sandbox.containers[at];
        (work.startup, work.readiness, work.liveness) =
            (Probing::default(), Probing::default(), Probing::default());
        if !self.machine.played && container.startup_probe.is_some() {
            self.plan_probe(at, super::probe::Kind::Startup, false);
        } else {
            self.plan_probe(at, super::probe::Kind::Readiness, true);
            self.plan_probe(at, super::probe::Kind::Liveness, false);
        }
    }
}

/// How long a hook takes.
/// # Errors
/// Why it failed.
pub(super) fn hook_of(
    health: &Health<'_>,
    hook: &LifecycleHandler,
    now: api::SimTime,
) -> Result<SimDuration, String> {
    if let Some(sleep) = &hook.sleep {
        return Ok(SimDuration::secs(sleep.seconds.unsigned_abs()));
    }
    if let Some(exec) = &hook.exec {
        return health.command(exec.command.as_deref().unwrap_or_default(), None, now);
    }
    // UPSTREAM: what HTTP answers does not matter, so long as it answers.
    let answered = hook.http_get.as_ref().map_or(Ok(()), |get| health.get(get, SimDuration::ZERO, now));
    match answered {
        Err(why) if !why.starts_with("HTTP probe failed") => Err(why),
        Ok(()) | Err(_) => Ok(SimDuration::ZERO),
    }
}
