//! What do containers use of a node, and who can tell?
//!
//! A container uses what its image's entry says: so much each, and its part of what all of them share. It is measured by
//! a metrics server, if the cluster has one, some time after its start.
//! Source: metrics-server (`--metric-resolution` 15 s), kubelet `/metrics/resource`.

use api::{
    SimDuration,
    k8s::{
        apps::v1::Deployment,
        core::v1::{Container, Pod},
    },
    kinds::sim::Image,
    quantity::Quantity,
};

use crate::{
    ClusterId, Store, World,
    node::kubelet::{image, process},
};

/// From one measurement to the next; a container is measured for so long before anything is said of it.
pub const RESOLUTION: SimDuration = SimDuration::secs(15);
/// What an idle process uses, thousandths of a CPU. MODEL: one figure for all images that nobody described.
const IDLE_CPU: u64 = 1;
/// Its memory, bytes.
const IDLE_MEMORY: u64 = 8 << 20;
/// Kernel, kubelet and container runtime of a node: thousandths of a CPU, bytes. MODEL: an idle AL2023 node; one figure for
/// all types.
pub(crate) const SYSTEM: (i64, i64) = (35, 500 << 20);

/// What one container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Its name.
    pub container: String,
    /// Thousandths of a CPU.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

impl Usage {
    /// Thousandths of what the resource is counted in; `None` for one that is not measured.
    #[must_use]
    pub fn of(&self, resource: &str) -> Option<i64> {
        match resource {
            "cpu" => Some(self.cpu),
            "memory" => Some(self.memory.saturating_mul(1000)),
            _ => None,
        }
    }
}

/// Whether somebody answers for `metrics.k8s.io`: a metrics server that is available.
#[must_use]
pub fn is_served(store: &Store, cluster: ClusterId) -> bool {
    let server: Option<&Deployment> = store.get(cluster, "kube-system", "metrics-server");
    server.and_then(|it| it.status.as_ref()?.available_replicas).is_some_and(|available| available > 0)
}

/// What the containers of a running pod use; `None` while nothing is known of it.
#[must_use]
pub fn of_pod(world: &World, cluster: ClusterId, pod: &Pod) -> Option<Vec<Usage>> {
    let spec = pod.spec.as_ref()?;
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Running") {
        return None;
    }
    let measured = |container: &Container| {
        let statuses = status.container_statuses.iter().flatten();
        let running = statuses
            .filter(|it| it.name == container.name)
            .find_map(|it| it.state.as_ref()?.running.as_ref());
        let since = running.and_then(|it| it.started_at.as_ref())?;
        let now = world.epoch().as_millisecond() + i64::try_from(world.now().0).unwrap_or(i64::MAX);
        let is_measured = now - since.0.as_millisecond() >= i64::try_from(RESOLUTION.0).unwrap_or(i64::MAX);
        is_measured.then(|| usage(world, cluster, container))
    };
    spec.containers.iter().map(measured).collect()
}

/// What a node uses: its pods, and what runs beside them. Thousandths of a CPU, and bytes.
#[must_use]
pub fn of_node(world: &World, cluster: ClusterId, node: &str) -> (i64, i64) {
    let pods = world.store().pods_on(cluster, node).filter_map(|pod| of_pod(world, cluster, pod));
    pods.flatten().fold(SYSTEM, |(cpu, memory), it| (cpu + it.cpu, memory + it.memory))
}

fn usage(world: &World, cluster: ClusterId, container: &Container) -> Usage {
    let named = container.image.as_deref().unwrap_or_default();
    let image = image::of(world.store(), named);
    let shared = match image.shared_cpu {
        0 => 0,
        all => all / running(world.store(), cluster, named).max(1),
    };
    let cpu = (image.cpu + shared).max(IDLE_CPU);
    Usage {
        container: container.name.clone(),
        cpu: at_most(cpu, limit(container, "cpu").map(|it| it.milli_value())),
        memory: memory(container, &image),
    }
}

/// Bytes of memory that a running container takes, never more than its limit.
pub(crate) fn memory(container: &Container, image: &Image) -> i64 {
    let wanted = match process::memory(container, image) {
        0 => IDLE_MEMORY,
        wanted => wanted,
    };
    at_most(wanted, limit(container, "memory").map(|it| it.value()))
}

fn limit(container: &Container, resource: &str) -> Option<Quantity> {
    let limits = container.resources.as_ref()?.limits.as_ref()?;
    Quantity::parse(&limits.get(resource)?.0).ok()
}

fn at_most(used: u64, limit: Option<i64>) -> i64 {
    let used = i64::try_from(used).unwrap_or(i64::MAX);
    limit.map_or(used, |limit| used.min(limit))
}

/// Running containers of an image.
fn running(store: &Store, cluster: ClusterId, image: &str) -> u64 {
    let pods = store.list::<Pod>(cluster, None);
    let pods = pods.filter(|pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        phase == Some("Running") && pod.metadata.deletion_timestamp.is_none()
    });
    let containers = pods.flat_map(|pod| pod.spec.iter().flat_map(|spec| &spec.containers));
    u64::try_from(containers.filter(|it| it.image.as_deref() == Some(image)).count()).unwrap_or(u64::MAX)
}
