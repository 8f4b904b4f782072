//! What does a node of a type say it has?
//!
//! MODEL: the kernel takes part of an instance's memory before the kubelet counts it. For five types the lab knows the
//! figure of a real node; for the others it takes Karpenter's 7.5 %. MODEL: systems differ by some MiB more; here they do not.
//! Source: node objects recorded from EKS (AL2023); cni-spec §7.

use std::collections::BTreeMap;

use api::quantity::Format;
use cni::{kube_reserved, limits::InstanceType};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Memory of real nodes, in KiB.
const MEASURED_KI: [(&str, i64); 5] = [
    ("c5.large", 3_762_940),
    ("m5.large", 7_910_360),
    ("m5.xlarge", 15_896_604),
    ("r5.large", 15_896_988),
    ("t3.medium", 3_919_520),
];

/// Resources by name, as a node's status holds them.
pub(crate) type Resources = BTreeMap<String, Quantity>;

/// Capacity and allocatable of an EC2 node. `reserved_for` is the number of pods that the memory reservation counts, `disk_ki` the
/// file system that pods write to.
pub(crate) fn of_instance(
    of: &InstanceType,
    max_pods: u32,
    reserved_for: u32,
    disk_ki: i64,
) -> (Resources, Resources) {
    let vcpu = of.vcpu.unwrap_or(1);
    let memory = memory_ki(of);
    let kept = (kube_reserved::memory_mib(reserved_for) + kube_reserved::EVICTION_MEMORY_MIB) * 1024;
    let cpu = i64::from(vcpu) * 1000 - kube_reserved::cpu_milli(vcpu);
    let disk = disk_ki << 10;
    let common = |cpu: String, disk: i64, memory: i64| {
        resources(&[
            ("cpu", cpu),
            ("ephemeral-storage", api::quantity::Quantity::new(disk, Format::BinarySi).canonical()),
            ("hugepages-1Gi", "0".to_owned()),
            ("hugepages-2Mi", "0".to_owned()),
            ("memory", format!("{memory}Ki")),
            ("pods", max_pods.to_string()),
        ])
    };
    let free = disk - evicted_below(disk) - KEPT_DISK;
    (common(vcpu.to_string(), disk, memory), common(format!("{cpu}m"), free, memory - kept))
}

/// Bytes of disk that are kept for the system: [`kube_reserved::EPHEMERAL_STORAGE`].
const KEPT_DISK: i64 = 1 << 30;

/// Free space of a disk below which pods are evicted: a tenth of it.
///
/// UPSTREAM: the kubelet keeps the tenth as a number of 32 bits, 13421773 / 2²⁷, a little more than a tenth.
/// Source: `pkg/kubelet/eviction/helpers.go`, `api/types.go` (`ThresholdValue.Percentage`).
fn evicted_below(bytes: i64) -> i64 {
    i64::try_from((i128::from(bytes) * 13_421_773) >> 27).unwrap_or_default()
}

fn memory_ki(of: &InstanceType) -> i64 {
    let installed = i64::try_from(of.memory_mib.unwrap_or(1024)).unwrap_or(1024);
    let measured = MEASURED_KI.iter().find(|(name, _)| *name == of.name).map(|(_, ki)| *ki);
    measured.unwrap_or_else(|| (installed - (installed * 75 + 999) / 1000) * 1024)
}

/// Capacity of a kind node: the laptop's. MODEL: 8 cores and 16 GiB, nothing reserved.
pub(crate) fn of_laptop() -> Resources {
    resources(&[
        ("cpu", "8".to_owned()),
        ("ephemeral-storage", "263174212Ki".to_owned()),
        ("hugepages-1Gi", "0".to_owned()),
        ("hugepages-2Mi", "0".to_owned()),
        ("memory", "16393260Ki".to_owned()),
        ("pods", "110".to_owned()),
    ])
}

fn resources(pairs: &[(&str, String)]) -> Resources {
    pairs.iter().map(|(name, amount)| ((*name).to_owned(), Quantity(amount.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cni::limits;

    #[test]
    fn an_m5_large_has_what_the_recorded_node_has() {
        let (capacity, allocatable) =
            of_instance(limits::of("m5.large").expect("a type"), 29, 29, 83_873_772);
        assert_eq!(capacity["memory"].0, "7910360Ki");
        assert_eq!(allocatable["memory"].0, "7220184Ki");
        assert_eq!(allocatable["cpu"].0, "1930m");
        assert_eq!(capacity["ephemeral-storage"].0, "83873772Ki");
        assert_eq!(allocatable["ephemeral-storage"].0, "76224326324");
    }

    #[test]
    fn a_t3_small_with_110_pods_has_329_mebibytes_left() {
        let (_, allocatable) = of_instance(limits::of("t3.small").expect("a type"), 110, 110, 20_959_212);
        assert_eq!(allocatable["memory"].0, format!("{}Ki", 329 * 1024));
        assert_eq!(allocatable["ephemeral-storage"].0, "18242267924");
    }
}
