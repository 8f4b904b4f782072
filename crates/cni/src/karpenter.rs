//! What does Karpenter expect a node of a type to offer, before one is there?
//!
//! Source: Karpenter's AWS provider, `pkg/providers/instancetype/types.go`; its published instance table (AL2023).

use crate::{kube_reserved, limits::InstanceType, max_pods};

/// What pods may use of a node, as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocatable {
    /// CPU, in thousandths.
    pub cpu_milli: i64,
    /// Memory, in MiB.
    pub memory_mib: i64,
    /// Pods.
    pub pods: u32,
    /// Branch ENIs, as far as Karpenter's table knows.
    pub pod_eni: u32,
}

/// Memory that an arm64 instance never shows, in MiB.
const ARM64_HIDDEN_MIB: i64 = 64;

/// The allocatable resources of a type. `overhead` is `vmMemoryOverheadPercent` in thousandths: 75 unless set.
///
/// A type whose size no table gives has none.
#[must_use]
pub fn allocatable(of: &InstanceType, overhead: i64) -> Option<Allocatable> {
    let vcpu = of.vcpu?;
    let installed = i64::try_from(of.memory_mib?).ok()?;
    let shown = installed - if of.arch == "arm64" { ARM64_HIDDEN_MIB } else { 0 };
    let capacity = shown - (shown * overhead + 999) / 1000;
    let pods = max_pods::formula(of.enis, of.ipv4_per_eni);
    Some(Allocatable {
        cpu_milli: i64::from(vcpu) * 1000 - kube_reserved::cpu_milli(vcpu),
        memory_mib: kube_reserved::allocatable_memory_mib(capacity, pods),
        pods,
        pod_eni: of.branch_enis.filter(|_| knows_trunk(of.name)).unwrap_or(0),
    })
}

/// Whether Karpenter's own table of limits has a trunk for a type.
///
/// UPSTREAM: it is generated apart from the resource controller's and lags behind: no branch ENIs for two new families,
/// hpc7g, and the metal sizes of the eighth generation with more network or EBS bandwidth, though a node of these gets them.
fn knows_trunk(name: &str) -> bool {
    let (family, size) = name.split_once('.').unwrap_or((name, ""));
    let eighth = family.get(1..).is_some_and(|rest| rest.starts_with('8'))
        && family.ends_with(['b', 'n'])
        && !matches!(family, "c8in" | "m8azn");
    let lags = matches!(family, "c9g" | "c9gd" | "hpc7g") || (eighth && size.starts_with("metal"));
    !lags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn an_m5_large_offers_what_karpenter_publishes() {
        let large = allocatable(limits::of("m5.large").expect("a type"), 75).expect("a size");
        assert_eq!(large, Allocatable { cpu_milli: 1930, memory_mib: 6903, pods: 29, pod_eni: 9 });
    }

    #[test]
    fn new_types_are_published_without_branch_enis() {
        let pod_eni = |name| allocatable(limits::of(name).expect("a type"), 75).expect("a size").pod_eni;
        assert_eq!(["c9g.xlarge", "m8ib.metal-96xl", "m8ib.large"].map(pod_eni), [0, 0, 8]);
    }
}
