//! How much does ipamd want to hold in reserve, and how much may it hold?
//!
//! Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`getWarmENITarget` and its neighbours, `getMaxENI`).

use std::collections::BTreeMap;

use api::{SimDuration, kinds::cni::PoolMode};
use serde::Serialize;

use crate::{assign::COOLDOWN, limits::InstanceType, max_pods::ADDRESSES_PER_PREFIX};

/// The targets that the environment of aws-node sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WarmTargets {
    /// `WARM_ENI_TARGET`: whole ENIs in reserve.
    pub warm_eni: u32,
    /// `WARM_IP_TARGET`: addresses in reserve; overrides ENIs and prefixes.
    pub warm_ip: u32,
    /// `MINIMUM_IP_TARGET`: the floor of the pool.
    pub minimum_ip: u32,
    /// `WARM_PREFIX_TARGET`: prefixes without a pod in reserve.
    pub warm_prefix: u32,
    /// `MAX_ENI`.
    pub max_eni: Option<u32>,
    /// `ENABLE_IPv4`.
    pub ipv4: bool,
    /// `ENABLE_IPv6`.
    pub ipv6: bool,
    /// `ENABLE_PREFIX_DELEGATION`.
    pub prefix_delegation: bool,
    /// `AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG`.
    pub custom_networking: bool,
    /// `ENABLE_POD_ENI`.
    pub pod_eni: bool,
    /// `ENABLE_SUBNET_DISCOVERY`.
    pub subnet_discovery: bool,
    /// `IP_COOLDOWN_PERIOD`.
    pub cooldown: SimDuration,
    /// `AWS_MANAGE_ENIS_NON_SCHEDULABLE`: whether the pool grows on a cordoned node too.
    pub manage_non_schedulable: bool,
    /// Whether growth rests now: the node is cordoned or going. Set by who knows the node.
    pub paused: bool,
}

impl WarmTargets {
    /// As the environment says it. An absent variable has the code's default, which differs from the shipped manifest's
    /// for `WARM_PREFIX_TARGET`; a negative or unreadable number counts as 0.
    #[must_use]
    pub fn from_env(env: &BTreeMap<String, String>) -> Self {
        let number = |name: &str, unset: u32| env.get(name).map_or(unset, |v| v.parse().unwrap_or(0));
        let switch = |name: &str, unset: bool| match env.get(name).map(String::as_str) {
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => true,
            Some("0" | "f" | "F" | "false" | "False" | "FALSE") => false,
            _ => unset,
        };
        Self {
            warm_eni: number("WARM_ENI_TARGET", 1),
            warm_ip: number("WARM_IP_TARGET", 0),
            minimum_ip: number("MINIMUM_IP_TARGET", 0),
            warm_prefix: number("WARM_PREFIX_TARGET", 0),
            max_eni: Some(number("MAX_ENI", 0)).filter(|max| *max >= 1),
            ipv4: switch("ENABLE_IPv4", false),
            ipv6: switch("ENABLE_IPv6", false),
            prefix_delegation: switch("ENABLE_PREFIX_DELEGATION", false),
            custom_networking: switch("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", false),
            pod_eni: switch("ENABLE_POD_ENI", false),
            subnet_discovery: switch("ENABLE_SUBNET_DISCOVERY", true),
            cooldown: env
                .get("IP_COOLDOWN_PERIOD")
                .and_then(|v| v.parse().ok())
                .map_or(COOLDOWN, SimDuration::secs),
            manage_non_schedulable: switch("AWS_MANAGE_ENIS_NON_SCHEDULABLE", false),
            paused: false,
        }
    }

    /// Whether targets in addresses are set: they override ENIs and prefixes.
    #[must_use]
    pub fn in_addresses(&self) -> bool {
        self.warm_ip != 0 || self.minimum_ip != 0
    }
}

/// What the instance allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EniLimits {
    /// ENIs of the default network card.
    pub enis: u32,
    /// Addresses per ENI, its own included.
    pub ipv4_per_eni: u32,
    /// Whether slots can hold prefixes.
    pub prefix_capable: bool,
    /// Whether a trunk ENI can be attached.
    pub trunk_capable: bool,
}

impl EniLimits {
    /// The limits of a type of the table.
    #[must_use]
    pub fn of(instance_type: &InstanceType) -> Self {
        Self {
            enis: instance_type.enis,
            ipv4_per_eni: instance_type.ipv4_per_eni,
            prefix_capable: instance_type.prefix_capable(),
            trunk_capable: instance_type.branch_enis.is_some(),
        }
    }

    /// Prefixes where they are wanted and possible; ipamd falls back to single addresses otherwise.
    #[must_use]
    pub fn mode(&self, targets: &WarmTargets) -> PoolMode {
        if targets.ipv6 {
            PoolMode::Ipv6Prefix
        } else if targets.prefix_delegation && self.prefix_capable {
            PoolMode::Prefix
        } else {
            PoolMode::SecondaryIp
        }
    }

    /// Slots of one ENI that can serve pods: all but its own address.
    #[must_use]
    pub fn slots_per_eni(&self) -> u32 {
        self.ipv4_per_eni.saturating_sub(1)
    }

    /// Pod addresses that one ENI can give in that mode.
    #[must_use]
    pub fn addresses_per_eni(&self, mode: PoolMode) -> u32 {
        self.slots_per_eni().saturating_mul(addresses_per_slot(mode))
    }

    /// ENIs that ipamd may use.
    #[must_use]
    pub fn max_enis(&self, targets: &WarmTargets) -> u32 {
        targets.max_eni.map_or(self.enis, |max| max.min(self.enis))
    }
}

/// Addresses that one slot holds; of the 2^48 of a /80 as many as a number of this size can say.
#[must_use]
pub(crate) fn addresses_per_slot(mode: PoolMode) -> u32 {
    match mode {
        PoolMode::SecondaryIp => 1,
        PoolMode::Prefix => ADDRESSES_PER_PREFIX,
        PoolMode::Ipv6Prefix => u32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_variables_have_the_codes_defaults() {
        let targets = WarmTargets::from_env(&BTreeMap::new());
        assert_eq!((targets.warm_eni, targets.warm_prefix, targets.in_addresses()), (1, 0, false));
        assert!(targets.subnet_discovery);
        assert_eq!(targets.cooldown, SimDuration::secs(30));
    }

    #[test]
    fn a_negative_or_unreadable_target_counts_as_zero() {
        let env = BTreeMap::from([
            ("WARM_IP_TARGET".to_owned(), "-3".to_owned()),
            ("WARM_ENI_TARGET".to_owned(), "two".to_owned()),
        ]);
        let targets = WarmTargets::from_env(&env);
        assert_eq!((targets.warm_ip, targets.warm_eni), (0, 0));
    }

    #[test]
    fn xen_falls_back_to_single_addresses() {
        let env = BTreeMap::from([("ENABLE_PREFIX_DELEGATION".to_owned(), "true".to_owned())]);
        let limits = EniLimits::of(crate::limits::of("t2.medium").expect("a type"));
        assert_eq!(limits.mode(&WarmTargets::from_env(&env)), PoolMode::SecondaryIp);
    }
}
