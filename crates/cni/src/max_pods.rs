//! How many pods may a node run?
//!
//! The kubelet counts every pod, those on the host's network too; hence the `+ 2` for aws-node and kube-proxy.
//! Source: amazon-vpc-cni-k8s `misc/eni-max-pods.txt`; amazon-eks-ami `max-pods-calculator.sh`; the EKS user guide
//! (choosing an instance type); Karpenter's `ENILimitedPods`.

use crate::limits::{Hypervisor, InstanceType};

/// Addresses in one /28 prefix.
pub const ADDRESSES_PER_PREFIX: u32 = 16;
/// aws-node and kube-proxy: they use the host's network and need no address of their own.
pub const HOST_NETWORK_PODS: u32 = 2;

/// ENIs × (addresses per ENI − 1) + 2.
#[must_use]
pub fn formula(enis: u32, ipv4_per_eni: u32) -> u32 {
    enis * ipv4_per_eni.saturating_sub(1) + HOST_NETWORK_PODS
}

/// How a node will hand out addresses, as the calculator's flags say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--cni-prefix-delegation-enabled`.
    pub prefix_delegation: bool,
    /// `--cni-custom-networking-enabled`.
    pub custom_networking: bool,
    /// `--cni-max-eni`.
    pub max_eni: Option<u32>,
    /// `--show-max-allowed`: without the recommended upper limit.
    pub show_max_allowed: bool,
}

/// What the calculator of the EKS-optimised image recommends; managed node groups apply it.
///
/// UPSTREAM: the limit of 110 or 250 holds in secondary-address mode as well, and bare metal counts as unable to hold
/// prefixes.
#[must_use]
pub fn calculator(enis: u32, ipv4_per_eni: u32, vcpu: u32, hypervisor: Hypervisor, flags: Flags) -> u32 {
    let enis = flags.max_eni.map_or(enis, |max| max.min(enis));
    let enis = if flags.custom_networking { enis.saturating_sub(1) } else { enis };
    let per_slot =
        if flags.prefix_delegation && hypervisor == Hypervisor::Nitro { ADDRESSES_PER_PREFIX } else { 1 };
    let allowed = enis * ipv4_per_eni.saturating_sub(1) * per_slot + HOST_NETWORK_PODS;
    if flags.show_max_allowed {
        return allowed;
    }
    allowed.min(if vcpu > 30 { 250 } else { 110 })
}

/// [`calculator`] for a type of the table.
#[must_use]
pub fn recommended(of: &InstanceType, flags: Flags) -> u32 {
    calculator(of.enis, of.ipv4_per_eni, of.vcpu.unwrap_or(1), of.hypervisor, flags)
}

/// On Auto Mode nodes: the formula, at most 110.
#[must_use]
pub fn auto_mode(enis: u32, ipv4_per_eni: u32) -> u32 {
    formula(enis, ipv4_per_eni).min(110)
}

/// What Karpenter expects of a node: `reserved_enis` are left out, `pods_per_core` limits further.
#[must_use]
pub fn karpenter(
    enis: u32,
    ipv4_per_eni: u32,
    vcpu: u32,
    reserved_enis: u32,
    pods_per_core: Option<u32>,
) -> u32 {
    let limited = formula(enis.saturating_sub(reserved_enis), ipv4_per_eni);
    pods_per_core.filter(|per_core| *per_core > 0).map_or(limited, |per_core| limited.min(per_core * vcpu))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::of;

    #[test]
    fn the_formula_gives_the_published_numbers() {
        for (name, pods) in [("t3.small", 11), ("t3.medium", 17), ("m5.large", 29), ("m5.24xlarge", 737)] {
            let t = of(name).expect("a type");
            assert_eq!(formula(t.enis, t.ipv4_per_eni), pods, "{name}");
        }
    }

    #[test]
    fn custom_networking_costs_one_eni() {
        let flags = Flags { custom_networking: true, ..Flags::default() };
        assert_eq!(recommended(of("t3.small").expect("a type"), flags), 8);
        assert_eq!(recommended(of("m5.large").expect("a type"), flags), 20);
    }

    #[test]
    fn prefixes_are_capped_at_110_on_small_types() {
        let flags = Flags { prefix_delegation: true, ..Flags::default() };
        let large = of("m5.large").expect("a type");
        assert_eq!(recommended(large, flags), 110);
        assert_eq!(recommended(large, Flags { show_max_allowed: true, ..flags }), 434);
    }
}
