//! Which pods go when a node runs short?
//!
//! What the processes of a node have taken is compared with what it has. Below the threshold the node has a condition, for five
//! minutes longer than it lasts, and one pod after another is ended: first who uses more than it asked for, then by priority,
//! then by how much more. Pods that write more than their limit go whatever the node has.
//! When the disk is short, images that nobody uses go before pods do ([`images`]).
//! MODEL: a process takes all its memory and disk a second after its start; the threshold of inodes and of process ids is never
//! reached; there are no soft thresholds, as EKS sets none.
//! Source: kubelet `pkg/kubelet/eviction` (`eviction_manager.go`, `helpers.go`); nodeadm's `evictionHard`: memory.available
//! 100Mi, nodefs.available 10 %.

use std::cmp::Reverse;

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::{Container, Node, Pod},
    kinds::sim::{ContainerStep, Image, Machine, Pressure, Sandbox, StopCause},
    quantity::{Format, Quantity},
};

use super::{
    images,
    kubelet::{self, image, process},
};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn, metrics, node::report, parts::Process};

/// Bytes of memory below which pods are evicted.
const LEAST_MEMORY: i64 = 100 << 20;
/// Bytes that a system disk holds beside what pods write. MODEL: Amazon Linux 2023 with its packages, in one figure.
const SYSTEM_DISK: i64 = 3 << 30;
/// How much room an image takes for each byte of its pull. MODEL: layers are compressed to a third or so.
pub(super) const UNPACKED: i64 = 3;
/// From one look to the next (`evictionMonitoringPeriod`).
const MONITOR: SimDuration = SimDuration::secs(10);
/// So long a condition lasts after it was last seen (`evictionPressureTransitionPeriod`).
const TRANSITION: SimDuration = SimDuration::secs(300);
/// What a container must take at least for the node to look again.
const NOTABLE: u64 = 64 << 20;

/// Looks after what is left of a node's memory and disk.
pub struct Evictions;

impl Controller for Evictions {
    fn name(&self) -> &'static str {
        "kubelet-eviction-manager"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let Some(pod) = change.after.as_deref().and_then(Pod::of) else { return };
        let Some(node) = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) else { return };
        if takes_much(store, pod) {
            wake(Key::new(change.key.cluster, Kind::Machine, "", node));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let machine = turn.get::<Machine>("", &key.name).filter(|it| it.kubelet_running && !it.played);
        let Some(mut machine) = machine.cloned() else { return Ok(Next::Done) };
        let now = turn.now();
        let looked = Look::at(turn, &machine);
        if let Some((at, message)) = looked.over_limit() {
            return evict(turn, &looked.pods[at], message, false).map(|()| Next::After(MONITOR));
        }
        let collects = images::collect(turn, &mut machine, looked.disk);
        let short = looked.short();
        for (condition, _) in &short {
            let known = machine.pressures.iter_mut().find(|it| it.condition == *condition);
            match known {
                Some(pressure) => pressure.seen = now,
                None => machine.pressures.push(Pressure { condition: (*condition).to_owned(), seen: now }),
            }
        }
        machine.pressures.retain(|it| now.since(it.seen) < TRANSITION);
        let lasts =
            machine.pressures.iter().map(|it| TRANSITION.0.saturating_sub(now.since(it.seen).0)).min();
        if turn.get::<Machine>("", &key.name).is_some_and(|old| *old != machine) {
            turn.put(machine.into_object());
        }
        if let Some((_, resource)) = short.first() {
            let message = format!("Attempting to reclaim {resource}");
            report::warn(turn, &key.name, "EvictionThresholdMet", &message);
            // What nobody uses goes first: if that is enough nobody has to.
            if *resource == Short::Disk && images::free(turn, &key.name, i64::MAX) > 0 {
                let machine = turn.get::<Machine>("", &key.name).cloned().unwrap_or_default();
                if Look::at(turn, &machine).short().is_empty() {
                    return Ok(Next::After(MONITOR));
                }
            }
            let Some(at) = looked.first_to_go(*resource) else { return Ok(Next::Every(MONITOR)) };
            let message = looked.message(*resource, at);
            return evict(turn, &looked.pods[at], message, true).map(|()| Next::After(MONITOR));
        }
        let lasts = lasts.into_iter().chain(collects.map(|at| at.since(now).0)).min();
        Ok(match (looked.settles_in, lasts) {
            (Some(wait), _) => Next::After(wait),
            (None, Some(wait)) => Next::Every(SimDuration(wait.max(1))),
            (None, None) => Next::Done,
        })
    }
}

/// What is short, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Short {
    Memory,
    Disk,
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Short::Memory => "memory",
            Short::Disk => "ephemeral-storage",
        })
    }
}

/// A container that runs: what it takes, and what it asked for.
struct Taken {
    container: Container,
    memory: i64,
    disk: i64,
}

/// A pod that runs, with what it takes.
struct Running {
    pod: Pod,
    containers: Vec<Taken>,
    /// Bytes that it wrote into volumes of its own, by their names.
    volumes: Vec<(String, i64)>,
}

/// What a node's pods take of it now.
struct Look {
    pods: Vec<Running>,
    memory: (i64, i64),
    disk: (i64, i64),
    /// How long until every process has what it wants.
    settles_in: Option<SimDuration>,
}

impl Look {
    fn at(turn: &Turn<'_>, machine: &Machine) -> Look {
        let name = machine.metadata.name.as_deref().unwrap_or_default();
        let node = turn.get::<Node>("", name);
        let capacity = node.and_then(|it| it.status.as_ref()?.capacity.as_ref());
        let has = |resource: &str| {
            let text = capacity.and_then(|it| it.get(resource));
            text.and_then(|it| Quantity::parse(&it.0).ok()).map_or(i64::MAX / 2, |it| it.value())
        };
        let mut settles_in = None::<SimDuration>;
        let mut pods = Vec::new();
        for pod in turn.store().pods_on(turn.cluster(), name) {
            let (namespace, named) = kubelet::names(pod);
            let Some(sandbox) = turn.get::<Sandbox>(namespace, named).filter(|it| it.stopped_for.is_none())
            else {
                continue;
            };
            let runs = sandbox.containers.iter().filter(|it| it.step == ContainerStep::Running);
            let mut running = Running { pod: pod.clone(), containers: Vec::new(), volumes: Vec::new() };
            for work in runs {
                let left = process::FILLS.0.saturating_sub(turn.now().since(work.since).0);
                if left > 0 {
                    settles_in = Some(settles_in.map_or(SimDuration(left), |it| it.min(SimDuration(left))));
                    continue;
                }
                running.add(turn.store(), kubelet::container_of(pod, &work.name));
            }
            if !running.containers.is_empty() {
                pods.push(running);
            }
        }
        let all = |of: fn(&Running) -> i64| pods.iter().map(of).sum::<i64>();
        let images = machine.images.iter().map(|it| image::of(turn.store(), it).size);
        let images = i64::try_from(images.sum::<u64>()).unwrap_or(i64::MAX / 8).saturating_mul(UNPACKED);
        let (memory, disk) = (has("memory"), has("ephemeral-storage"));
        let free_memory = memory - metrics::SYSTEM.1 - all(Running::memory);
        let free_disk = disk - SYSTEM_DISK - images - all(Running::disk);
        Look { memory: (free_memory, memory), disk: (free_disk, disk), pods, settles_in }
    }

    fn threshold(&self, of: Short) -> (i64, i64) {
        match of {
            Short::Memory => (self.memory.0, LEAST_MEMORY),
            Short::Disk => (self.disk.0, self.disk.1 / 10),
        }
    }

    fn short(&self) -> Vec<(&'static str, Short)> {
        let all = [("MemoryPressure", Short::Memory), ("DiskPressure", Short::Disk)];
        let is_short = |of: Short| {
            let (free, least) = self.threshold(of);
            free < least
        };
        all.into_iter().filter(|(_, of)| is_short(*of)).collect()
    }

    /// The pod that is ended next: `rankMemoryPressure`, `rankDiskPressureFunc`.
    fn first_to_go(&self, of: Short) -> Option<usize> {
        let priority = |it: &Running| it.pod.spec.as_ref().and_then(|spec| spec.priority).unwrap_or(0);
        let candidates = (0..self.pods.len()).filter(|at| priority(&self.pods[*at]) < kubelet::CRITICAL);
        candidates.min_by_key(|at| {
            let it = &self.pods[*at];
            let above = it.used(of) - it.requested(of);
            (Reverse(above > 0), priority(it), Reverse(above))
        })
    }

    /// `evictionMessage`.
    fn message(&self, of: Short, at: usize) -> String {
        let (free, least) = self.threshold(of);
        let mut message = format!(
            "The node was low on resource: {of}. Threshold quantity: {}, available: {}. ",
            written(least),
            written(free.max(0))
        );
        for it in &self.pods[at].containers {
            let used = if of == Short::Memory { it.memory } else { it.disk };
            let request = request(&it.container, of);
            if used > request.as_ref().map_or(0, Quantity::value) {
                let request = request.map_or_else(|| "0".to_owned(), |it| it.canonical());
                message += &format!(
                    "Container {} was using {}, request is {request}, has larger consumption of {of}. ",
                    it.container.name,
                    written(used)
                );
            }
        }
        message
    }

    /// A pod that has written more than it may, and what is said of it: `localStorageEviction`.
    fn over_limit(&self) -> Option<(usize, String)> {
        self.pods.iter().enumerate().find_map(|(at, it)| Some((at, it.over_limit()?)))
    }
}

impl Running {
    fn add(&mut self, store: &Store, container: Container) {
        let image = image::of(store, container.image.as_deref().unwrap_or_default());
        let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX / 8);
        let memory = metrics::memory(&container, &image);
        let mut disk = whole(image.disk);
        for (path, bytes) in process::writes(&container) {
            match volume_at(&self.pod, &container, &path) {
                Some(volume) => self.volumes.push((volume, whole(bytes))),
                None => disk += whole(bytes),
            }
        }
        self.containers.push(Taken { container, memory, disk });
    }

    fn memory(&self) -> i64 {
        self.containers.iter().map(|it| it.memory).sum()
    }

    fn disk(&self) -> i64 {
        let volumes: i64 = self.volumes.iter().map(|(_, bytes)| bytes).sum();
        self.containers.iter().map(|it| it.disk).sum::<i64>() + volumes
    }

    fn used(&self, of: Short) -> i64 {
        if of == Short::Memory { self.memory() } else { self.disk() }
    }

    fn requested(&self, of: Short) -> i64 {
        self.containers.iter().filter_map(|it| request(&it.container, of)).map(|it| it.value()).sum()
    }

    fn over_limit(&self) -> Option<String> {
        for volume in self.pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten()) {
            let limit =
                volume.empty_dir.as_ref().and_then(|it| Quantity::parse(&it.size_limit.as_ref()?.0).ok());
            let used: i64 =
                self.volumes.iter().filter(|(name, _)| *name == volume.name).map(|(_, it)| it).sum();
            if let Some(limit) = limit.filter(|limit| limit.sign() > 0 && used > limit.value()) {
                let (name, limit) = (&volume.name, limit.canonical());
                return Some(format!("Usage of EmptyDir volume {name:?} exceeds the limit {limit:?}. "));
            }
        }
        let limit = |it: &Taken| {
            let limits = it.container.resources.as_ref()?.limits.as_ref()?;
            Quantity::parse(&limits.get("ephemeral-storage")?.0).ok()
        };
        let limits: Vec<Quantity> = self.containers.iter().filter_map(limit).collect();
        let total: i64 = limits.iter().map(Quantity::value).sum();
        if !limits.is_empty() && self.disk() > total {
            let total = if limits.len() == 1 { limits[0].canonical() } else { written(total) };
            return Some(format!(
                "Pod ephemeral local storage usage exceeds the total limit of containers {total}. "
            ));
        }
        self.containers.iter().find_map(|it| {
            let limit = limit(it).filter(|limit| limit.value() != 0 && it.disk > limit.value())?;
            let name = &it.container.name;
            Some(format!(
                "Container {name} exceeded its local ephemeral storage limit {:?}. ",
                limit.canonical()
            ))
        })
    }
}

fn request(container: &Container, of: Short) -> Option<Quantity> {
    let requests = container.resources.as_ref()?.requests.as_ref()?;
    Quantity::parse(&requests.get(&of.to_string())?.0).ok()
}

fn written(bytes: i64) -> String {
    Quantity::new(bytes, Format::BinarySi).canonical()
}

/// The `emptyDir` into which a container writes at a path.
fn volume_at(pod: &Pod, container: &Container, path: &str) -> Option<String> {
    let mounts = container.volume_mounts.iter().flatten();
    let under =
        |mount: &str| path.strip_prefix(mount.trim_end_matches('/')).is_some_and(|it| it.starts_with('/'));
    let mount = mounts.filter(|it| under(&it.mount_path)).max_by_key(|it| it.mount_path.len())?;
    let mut volumes = pod.spec.as_ref()?.volumes.iter().flatten();
    let volume = volumes.find(|it| it.name == mount.name)?;
    volume.empty_dir.as_ref().map(|_| volume.name.clone())
}

/// Whether a pod could bring its node into need.
fn takes_much(store: &Store, pod: &Pod) -> bool {
    let described = store.list::<Image>(crate::ClusterId::WORLD, None).any(|it| it.memory > 0 || it.disk > 0);
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    containers.into_iter().any(|container| {
        let image = || image::of(store, container.image.as_deref().unwrap_or_default());
        let own = process::memory(container, &Image::default()) >= NOTABLE
            || !process::writes(container).is_empty();
        own || (described && (image().memory >= NOTABLE || image().disk >= NOTABLE))
    })
}

/// Ends a pod at once: `evictPod`.
fn evict(turn: &mut Turn<'_>, it: &Running, message: String, disrupts: bool) -> Result<(), ApiStatus> {
    kubelet::say(turn, &it.pod, None, EventType::Warning, "Evicted", &message);
    let disruption = disrupts.then(|| message.clone());
    kubelet::end(
        turn,
        &it.pod,
        StopCause { reason: "Evicted".to_owned(), message, grace: Some(1), disruption },
    )
}
