//! What does a node's pool hold?
//!
//! [`figures`] counts; the others put blocks and ENIs in and take them out. An ENI's primary address is never in the
//! pool. Blocks of the other mode, left after a change of mode, do not count; neither do excluded ENIs.
//! Source: amazon-vpc-cni-k8s `pkg/ipamd/datastore/data_store.go` (`GetIPStats`).

use api::{SimDuration, SimTime};
use ipnet::IpNet;
use serde::Serialize;

use crate::{IpPool, PoolBlock, PoolEni, PoolMode, targets::addresses_per_slot};

/// A pool in numbers, named as lessons name them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolFigures {
    /// The node.
    pub node: String,
    /// How it gets addresses.
    pub mode: PoolMode,
    /// The kubelet's limit.
    pub max_pods: u32,
    /// Whether ENIConfigs choose the subnet.
    pub custom_networking: bool,
    /// Attached ENIs, trunk and excluded ones included.
    pub enis: u32,
    /// Addresses of the pool, in use or not. The 2^48 of a /80 are more than this can say: it says the most it can.
    pub attached: u32,
    /// Blocks of 16, or the one /80, where there are any.
    pub prefixes: u32,
    /// Prefixes without a pod.
    pub free_prefixes: u32,
    /// Addresses that pods hold.
    pub used: u32,
    /// Addresses that rest before they can be had again.
    pub cooldown: u32,
    /// Addresses that a pod could get now.
    pub warm: u32,
    /// Addresses handed out since ipamd last called EC2 or last had none to give.
    pub served_at_once: u32,
}

impl PoolFigures {
    /// What every formula of ipamd calls available: resting addresses count, though they cannot be had yet.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.attached - self.used
    }
}

/// Counts a pool at a moment.
#[must_use]
pub fn figures(pool: &IpPool, rest: SimDuration, now: SimTime) -> PoolFigures {
    let mut f = PoolFigures {
        node: pool.node.clone(),
        mode: pool.mode,
        max_pods: pool.max_pods,
        custom_networking: pool.custom_networking,
        enis: pool.enis.len() as u32,
        served_at_once: pool.served_at_once,
        ..PoolFigures::default()
    };
    for block in pool.enis.iter().filter(|eni| !eni.excluded).flat_map(|eni| blocks(eni, pool.mode)) {
        f.attached = f.attached.saturating_add(addresses_per_slot(pool.mode));
        let held = held(block);
        f.used += held;
        f.cooldown += resting(block, rest, now);
        if pool.mode != PoolMode::SecondaryIp {
            f.prefixes += 1;
            f.free_prefixes += u32::from(held == 0);
        }
    }
    f.warm = f.attached - f.used - f.cooldown;
    f
}

/// Puts an ENI in, by device number.
pub fn add_eni(pool: &mut IpPool, eni: PoolEni) {
    let at = pool.enis.partition_point(|e| e.device_index < eni.device_index);
    pool.enis.insert(at, eni);
}

/// Puts a block in; one that is there already stays as it is.
pub fn add_block(eni: &mut PoolEni, cidr: IpNet) {
    if let Err(at) = eni.blocks.binary_search_by_key(&cidr.network(), |b| b.cidr.network()) {
        eni.blocks.insert(at, PoolBlock { cidr, addresses: Vec::new() });
    }
}

/// Takes a block out; whatever it held is gone with it.
pub fn remove_block(eni: &mut PoolEni, cidr: IpNet) {
    eni.blocks.retain(|b| b.cidr != cidr);
}

/// The blocks of an ENI that count in a mode.
pub(crate) fn blocks(eni: &PoolEni, mode: PoolMode) -> impl DoubleEndedIterator<Item = &PoolBlock> {
    let prefix_len = prefix_len(mode);
    eni.blocks.iter().filter(move |block| block.cidr.prefix_len() == prefix_len)
}

pub(crate) fn prefix_len(mode: PoolMode) -> u8 {
    match mode {
        PoolMode::SecondaryIp => 32,
        PoolMode::Prefix => 28,
        PoolMode::Ipv6Prefix => 80,
    }
}

/// Addresses of a block that sandboxes hold.
pub(crate) fn held(block: &PoolBlock) -> u32 {
    block.addresses.iter().filter(|a| a.sandbox.is_some()).count() as u32
}

/// Addresses of a block that rest.
pub(crate) fn resting(block: &PoolBlock, rest: SimDuration, now: SimTime) -> u32 {
    block.addresses.iter().filter(|a| a.sandbox.is_none() && rests(a.unassigned_at, rest, now)).count() as u32
}

/// UPSTREAM: an address still rests when exactly the whole period has passed.
pub(crate) fn rests(unassigned_at: Option<SimTime>, rest: SimDuration, now: SimTime) -> bool {
    unassigned_at.is_some_and(|at| now.since(at) <= rest)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A pool in one line: `eth0=10.0.0.4,10.0.0.5 eth1=10.0.0.16/28`.
    pub(crate) fn pool(text: &str) -> IpPool {
        let mut pool = IpPool { node: "a".to_owned(), max_pods: 110, ..IpPool::default() };
        for (index, eni) in text.split_whitespace().enumerate() {
            let (name, blocks) = eni.split_once('=').expect("eth0=…");
            let mut it = PoolEni {
                name: name.to_owned(),
                device_index: index as u32,
                excluded: false,
                trunk: false,
                created_at: SimTime::ZERO,
                blocks: Vec::new(),
            };
            for block in blocks.split(',').filter(|b| !b.is_empty()) {
                let text = if block.contains('/') { block.to_owned() } else { format!("{block}/32") };
                add_block(&mut it, text.parse().expect("a block"));
            }
            add_eni(&mut pool, it);
        }
        pool
    }

    #[test]
    fn blocks_of_the_other_mode_do_not_count() {
        let mut pool = pool("eth0=10.0.0.4,10.0.0.16/28");
        assert_eq!(figures(&pool, SimDuration::ZERO, SimTime::ZERO).attached, 1);
        pool.mode = PoolMode::Prefix;
        assert_eq!(figures(&pool, SimDuration::ZERO, SimTime::ZERO).attached, 16);
    }
}
