//! What does the kubelet keep for itself?
//!
//! Source: amazon-eks-ami `nodeadm/internal/kubelet/config.go`; each range of cores is floored by itself.

/// Memory at which pods are evicted, in MiB.
pub const EVICTION_MEMORY_MIB: i64 = 100;

/// Disk kept for the system.
pub const EPHEMERAL_STORAGE: &str = "1Gi";

/// CPU kept for the system, in thousandths: 6 % of the first core, 1 % of the second, 0.5 % of the third and fourth,
/// 0.25 % of the rest.
#[must_use]
pub fn cpu_milli(vcpu: u32) -> i64 {
    let ranges: [(u32, u32, i64); 4] = [(0, 1, 600), (1, 2, 100), (2, 4, 50), (4, u32::MAX, 25)];
    ranges
        .iter()
        .map(|&(from, to, per_10_000)| i64::from(vcpu.clamp(from, to) - from) * 1000 * per_10_000 / 10_000)
        .sum()
}

/// Memory kept for the system, in MiB.
///
/// `max_pods` is the number the instance's table or `maxPodsExpression` gives: a `maxPods` written over it in a
/// drop-in does not change the reservation.
#[must_use]
pub fn memory_mib(max_pods: u32) -> i64 {
    11 * i64::from(max_pods) + 255
}

/// Memory left for pods, in MiB; negative where the node cannot work.
#[must_use]
pub fn allocatable_memory_mib(capacity_mib: i64, max_pods: u32) -> i64 {
    capacity_mib - memory_mib(max_pods) - EVICTION_MEMORY_MIB
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_reserved_by_ranges_of_cores() {
        for (vcpu, milli) in [(1, 60), (2, 70), (4, 80), (8, 90), (16, 110), (36, 160), (48, 190), (96, 310)]
        {
            assert_eq!(cpu_milli(vcpu), milli, "{vcpu} cores");
        }
    }

    #[test]
    fn memory_follows_the_number_of_pods() {
        assert_eq!(memory_mib(29), 574);
        assert_eq!(memory_mib(250), 3005);
        assert_eq!(allocatable_memory_mib(2048, 110), 483);
    }
}
