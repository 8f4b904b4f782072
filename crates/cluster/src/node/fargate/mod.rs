//! How big is the micro-VM of a Fargate pod, and which profile is it of?
//!
//! Pure rules for the admission webhook and the scheduler ([`launch`]); what no pod may ask for is in [`unsupported`].
//! Source: the EKS user guide (Fargate pod configuration, Fargate profiles).

mod launch;
#[cfg(test)]
mod tests;
mod unsupported;
#[cfg(test)]
mod world_tests;

use std::collections::BTreeMap;

use api::{
    k8s::core::v1::{Container, PodSpec},
    kinds::eks::FargateSelector,
    quantity::Quantity,
};

use crate::cloud::alike;

pub use launch::FargateScheduler;
pub(crate) use unsupported::is_of_daemon_set;
pub use unsupported::unsupported;

/// The scheduler of pods that a profile takes.
pub const SCHEDULER: &str = "fargate-scheduler";

/// Annotation of a pod (`ec2` keeps it off Fargate), label and taint of a node.
pub const COMPUTE_TYPE: &str = "eks.amazonaws.com/compute-type";

/// Memory that the micro-VM keeps for kubelet, kube-proxy and containerd, in MiB.
pub const OVERHEAD_MIB: u64 = 256;

/// vCPU in thousandths; least and most memory in MiB; the step between.
const SIZES: [(u64, u64, u64, u64); 7] = [
    (250, 512, 2048, 512),
    (500, 1024, 4096, 1024),
    (1000, 2048, 8192, 1024),
    (2000, 4096, 16_384, 1024),
    (4000, 8192, 30_720, 1024),
    (8000, 16_384, 61_440, 4096),
    (16_000, 32_768, 122_880, 8192),
];

/// The most that a pod may have, the overhead included.
pub const LARGEST: Size = {
    let (cpu_milli, _, memory_mib, _) = SIZES[SIZES.len() - 1];
    Size { cpu_milli, memory_mib }
};

/// CPU in thousandths and memory in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Thousandths of a vCPU.
    pub cpu_milli: u64,
    /// MiB.
    pub memory_mib: u64,
}

/// What a pod asks for: all its containers together, or its largest init container.
#[must_use]
pub fn requested(containers: &[Size], init: &[Size]) -> Size {
    let most = |of: fn(&Size) -> u64| init.iter().map(of).max().unwrap_or(0);
    let sum = |of: fn(&Size) -> u64| containers.iter().map(of).sum::<u64>();
    Size {
        cpu_milli: sum(|s| s.cpu_milli).max(most(|s| s.cpu_milli)),
        memory_mib: sum(|s| s.memory_mib).max(most(|s| s.memory_mib)),
    }
}

/// The smallest micro-VM that has what a pod asks for and the overhead; `None` if there is none.
#[must_use]
pub fn size(requested: Size) -> Option<Size> {
    let memory = requested.memory_mib + OVERHEAD_MIB;
    SIZES.iter().find_map(|&(cpu_milli, least, most, step)| {
        // The smallest has half a gigabyte, then whole ones.
        let mut offered = (0..).map(|n| least + n * step).take_while(|offer| *offer <= most);
        let fits = cpu_milli >= requested.cpu_milli;
        let memory_mib = offered.find(|offer| *offer >= memory && (*offer != 1536 || cpu_milli != 250))?;
        fits.then_some(Size { cpu_milli, memory_mib })
    })
}

impl Size {
    /// Of thousandths of a CPU and bytes; a part of a MiB counts as one.
    fn of((cpu_milli, bytes): (u64, u64)) -> Self {
        Self { cpu_milli, memory_mib: bytes.div_ceil(1 << 20) }
    }

    /// As the annotation `CapacityProvisioned` says it: `0.25vCPU 0.5GB`.
    #[must_use]
    pub fn annotation(self) -> String {
        format!("{}vCPU {}GB", self.cpu_milli as f64 / 1000.0, self.memory_mib as f64 / 1024.0)
    }
}

/// GiB of disk that come with every micro-VM.
pub const DISK_GIB: u64 = 20;
/// The most that a pod may ask for.
pub const LARGEST_DISK_GIB: u64 = 175;

/// The disk of a micro-VM for so many bytes asked for: more than was asked, where that is beyond what comes with it.
///
/// MODEL: the one figure that is written down, 115 GiB for 100, is taken for a rule: 15 % more.
/// Source: EKS user guide (Fargate pod configuration: storage).
#[must_use]
pub fn disk_gib(bytes: u64) -> u64 {
    let asked = bytes.div_ceil(1 << 30);
    if asked <= DISK_GIB { DISK_GIB } else { (asked * 115).div_ceil(100) }
}

/// Bytes of ephemeral storage that a pod asks for: all its containers together, or its largest init container.
pub(crate) fn storage(spec: &PodSpec) -> u64 {
    let of = |it: &Container| {
        let written = it.resources.as_ref()?.requests.as_ref()?.get("ephemeral-storage")?;
        let amount = Quantity::parse(&written.0).ok()?.value();
        Some(amount.max(0).unsigned_abs())
    };
    let together = spec.containers.iter().filter_map(of).fold(0, u64::saturating_add);
    spec.init_containers.iter().flatten().filter_map(of).max().unwrap_or(0).max(together)
}

/// How a pod came to its size: the arithmetic, step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizing {
    /// All containers that run side by side: sidecars count with them.
    pub together: Size,
    /// The largest init container.
    pub init: Size,
    /// The larger of the two, for each resource.
    pub requested: Size,
    /// The micro-VM; none is large enough without one.
    pub size: Option<Size>,
}

/// What a pod is sized by: its requests; limits count where a container has only those.
///
/// MODEL: AWS does not say how sidecars among init containers count; they run as long as the others, so they count with them.
#[must_use]
pub fn sizing(spec: &PodSpec) -> Sizing {
    let init = spec.init_containers.iter().flatten();
    let (sidecars, init): (Vec<&Container>, Vec<&Container>) =
        init.partition(|it| it.restart_policy.as_deref() == Some("Always"));
    let together = spec.containers.iter().chain(sidecars).map(asks);
    let sum =
        together.fold((0, 0), |sum: (u64, u64), it| (sum.0.saturating_add(it.0), sum.1.saturating_add(it.1)));
    let largest = init.into_iter().map(asks).fold((0, 0), |most, it| (most.0.max(it.0), most.1.max(it.1)));
    let (together, init) = (Size::of(sum), Size::of(largest));
    let requested = requested(&[together], &[init]);
    Sizing { together, init, requested, size: size(requested) }
}

/// Thousandths of a CPU and bytes.
fn asks(container: &Container) -> (u64, u64) {
    let amount = |name: &str| {
        let resources = container.resources.as_ref()?;
        let list = [&resources.requests, &resources.limits];
        let written = list.into_iter().flatten().find_map(|it| it.get(name))?;
        Quantity::parse(&written.0).ok()
    };
    let milli = amount("cpu").map_or(0, |it| it.milli_value());
    let bytes = amount("memory").map_or(0, |it| it.value());
    (milli.max(0).unsigned_abs(), bytes.max(0).unsigned_abs())
}

/// Whether a selector means a pod of `namespace` with `labels`: the namespace and every label.
#[must_use]
pub fn selects(selector: &FargateSelector, namespace: &str, labels: &BTreeMap<String, String>) -> bool {
    alike(&selector.namespace, namespace)
        && selector
            .labels
            .iter()
            .all(|(key, value)| labels.iter().any(|(k, v)| alike(key, k) && alike(value, v)))
}

/// Label by which a pod names its profile.
pub const PROFILE_LABEL: &str = "eks.amazonaws.com/fargate-profile";

/// The profiles that a pod matches, by name; the first one takes it, or the one that its label names.
#[must_use]
pub fn matching<'p>(
    profiles: &'p BTreeMap<String, Vec<FargateSelector>>,
    namespace: &str,
    labels: &BTreeMap<String, String>,
) -> (Vec<&'p str>, Option<&'p str>) {
    let names: Vec<&str> = profiles
        .iter()
        .filter(|(_, selectors)| selectors.iter().any(|it| selects(it, namespace, labels)))
        .map(|(name, _)| name.as_str())
        .collect();
    let chosen = match labels.get(PROFILE_LABEL) {
        Some(named) => names.iter().copied().find(|name| name == named),
        None => names.first().copied(),
    };
    (names, chosen)
}
