//! Which address does a sandbox get, and when may the next one have it?
//!
//! [`assign`] and [`release`] are CNI ADD and DEL as ipamd answers them. An address given back rests for
//! [`COOLDOWN`], so that no packet meant for the old pod reaches a new one.
//! MODEL: ipamd walks its ENIs and blocks in the random order of a Go map; the lab walks them by device number, then by
//! address.
//! Source: amazon-vpc-cni-k8s `pkg/ipamd/datastore/data_store.go` (`AssignPodIPv4Address`,
//! `AssignPodIPv6Address`, `UnassignPodIPAddress`).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use api::{SimDuration, SimTime};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    IpPool, PoolAddress, PoolBlock,
    pool::{prefix_len, rests},
};

/// How long an address rests unless `IP_COOLDOWN_PERIOD` says otherwise.
pub const COOLDOWN: SimDuration = SimDuration::secs(30);

/// Whose address it is: `<namespace>/<pod>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SandboxId(pub String);

/// Why there is no address. The text is ipamd's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// Nothing free that does not rest.
    #[error("AssignPodIPAddress: no available IP/Prefix addresses")]
    Empty,
}

/// The address of a sandbox: the one it has, or the first that is free and rested.
/// # Errors
/// [`NoAddress::Empty`]; the pool is unchanged.
pub fn assign(
    pool: &mut IpPool,
    sandbox: &SandboxId,
    rest: SimDuration,
    now: SimTime,
) -> Result<IpAddr, NoAddress> {
    if let Some(ip) = holder(pool, sandbox) {
        return Ok(ip);
    }
    let wanted = prefix_len(pool.mode);
    pool.enis
        .iter_mut()
        .filter(|eni| !eni.excluded)
        .flat_map(|eni| eni.blocks.iter_mut())
        .filter(|block| block.cidr.prefix_len() == wanted)
        .find_map(|block| take(block, sandbox, rest, now))
        .ok_or(NoAddress::Empty)
}

/// Gives a sandbox's address back; says which one it was. One that holds none changes nothing.
pub fn release(pool: &mut IpPool, sandbox: &SandboxId, now: SimTime) -> Option<IpAddr> {
    let address = pool
        .enis
        .iter_mut()
        .flat_map(|eni| eni.blocks.iter_mut())
        .flat_map(|block| block.addresses.iter_mut())
        .find(|address| address.sandbox.as_deref() == Some(&sandbox.0))?;
    address.sandbox = None;
    address.unassigned_at = Some(now);
    Some(address.ip)
}

/// The address that a sandbox holds.
#[must_use]
pub fn holder(pool: &IpPool, sandbox: &SandboxId) -> Option<IpAddr> {
    pool.enis
        .iter()
        .flat_map(|eni| &eni.blocks)
        .flat_map(|block| &block.addresses)
        .find(|address| address.sandbox.as_deref() == Some(&sandbox.0))
        .map(|address| address.ip)
}

/// An address that was used before and has rested comes first, then the lowest that nobody ever had.
fn take(block: &mut PoolBlock, sandbox: &SandboxId, rest: SimDuration, now: SimTime) -> Option<IpAddr> {
    let rested =
        block.addresses.iter_mut().find(|a| a.sandbox.is_none() && !rests(a.unassigned_at, rest, now));
    if let Some(address) = rested {
        address.sandbox = Some(sandbox.0.clone());
        address.unassigned_at = None;
        return Some(address.ip);
    }
    let (at, ip) = every(block.cidr)
        .find_map(|ip| block.addresses.binary_search_by_key(&ip, |a| a.ip).err().map(|at| (at, ip)))?;
    block.addresses.insert(at, PoolAddress { ip, sandbox: Some(sandbox.0.clone()), unassigned_at: None });
    Some(ip)
}

/// Every address of a block, the first and the last too.
fn every(block: IpNet) -> Box<dyn Iterator<Item = IpAddr>> {
    match block {
        IpNet::V4(it) => {
            let (first, last) = (u32::from(it.network()), u32::from(it.broadcast()));
            Box::new((first..=last).map(|number| Ipv4Addr::from(number).into()))
        }
        IpNet::V6(it) => {
            let (first, last) = (u128::from(it.network()), u128::from(it.broadcast()));
            Box::new((first..=last).map(|number| Ipv6Addr::from(number).into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PoolMode, pool::tests::pool};

    fn pod(name: &str) -> SandboxId {
        SandboxId(format!("default/{name}"))
    }

    fn add(pool: &mut IpPool, name: &str, secs: u64) -> Option<String> {
        assign(pool, &pod(name), COOLDOWN, SimTime(secs * 1000)).ok().map(|ip| ip.to_string())
    }

    #[test]
    fn asking_twice_gives_the_same_address() {
        let mut p = pool("eth0=10.0.0.5,10.0.0.6");
        assert_eq!(add(&mut p, "a", 0).as_deref(), Some("10.0.0.5"));
        assert_eq!(add(&mut p, "a", 1).as_deref(), Some("10.0.0.5"));
    }

    #[test]
    fn an_address_rests_thirty_seconds() {
        let mut p = pool("eth0=10.0.0.5");
        add(&mut p, "a", 0);
        release(&mut p, &pod("a"), SimTime(1000));
        assert_eq!(add(&mut p, "b", 31), None, "exactly thirty seconds is not enough");
        assert_eq!(add(&mut p, "b", 32).as_deref(), Some("10.0.0.5"));
    }

    #[test]
    fn in_a_prefix_the_other_fifteen_serve_meanwhile() {
        let mut p = pool("eth0=10.0.0.16/28");
        p.mode = PoolMode::Prefix;
        assert_eq!(add(&mut p, "a", 0).as_deref(), Some("10.0.0.16"));
        release(&mut p, &pod("a"), SimTime(0));
        assert_eq!(add(&mut p, "b", 1).as_deref(), Some("10.0.0.17"));
        assert_eq!(add(&mut p, "c", 40).as_deref(), Some("10.0.0.16"), "used and rested comes first");
    }

    #[test]
    fn an_ipv6_prefix_serves_from_its_first_address_and_lets_addresses_rest_too() {
        let mut p = pool("eth0=2600:1f13:b66:8203:34e5::/80");
        p.mode = PoolMode::Ipv6Prefix;
        assert_eq!(add(&mut p, "a", 0).as_deref(), Some("2600:1f13:b66:8203:34e5::"));
        assert_eq!(add(&mut p, "b", 0).as_deref(), Some("2600:1f13:b66:8203:34e5::1"));
        release(&mut p, &pod("a"), SimTime(0));
        assert_eq!(add(&mut p, "c", 1).as_deref(), Some("2600:1f13:b66:8203:34e5::2"));
        assert_eq!(add(&mut p, "d", 40).as_deref(), Some("2600:1f13:b66:8203:34e5::"));
    }

    #[test]
    fn an_excluded_eni_serves_no_pod() {
        let mut p = pool("eth0=10.0.0.5");
        p.enis[0].excluded = true;
        assert_eq!(add(&mut p, "a", 0), None);
    }
}
