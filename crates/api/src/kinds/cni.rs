//! What ipamd keeps in memory on each node: ENIs, their addresses, and who holds them.
//!
//! Plain state; the rules are in the `cni` crate. Source: amazon-vpc-cni-k8s, the data store's model.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{SimTime, meta::ObjectMeta};

/// How a node gets pod addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolMode {
    /// One slot, one address.
    #[default]
    SecondaryIp,
    /// One slot, one /28 of 16 addresses.
    Prefix,
}

/// One address that was handed out at least once from a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolAddress {
    /// The address.
    pub ip: Ipv4Addr,
    /// The sandbox that holds it: `<namespace>/<pod>`.
    pub sandbox: Option<String>,
    /// When it was last given back; it rests 30 s from then.
    pub unassigned_at: Option<SimTime>,
}

/// A block of an ENI: a /32 in secondary-address mode, a /28 in prefix mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolBlock {
    /// The block.
    pub cidr: Ipv4Net,
    /// Its addresses that were ever handed out, ascending.
    pub addresses: Vec<PoolAddress>,
}

/// One attached ENI as ipamd sees it. The primary address is never in the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolEni {
    /// Name of the `aws/Eni`.
    pub name: String,
    /// Device number: 0 is the primary ENI.
    pub device_index: u32,
    /// Whether its addresses may not go to pods (custom networking's primary, or a subnet tagged so).
    pub excluded: bool,
    /// Whether it is the trunk of branch ENIs.
    pub trunk: bool,
    /// When it came into the store.
    pub created_at: SimTime,
    /// Its blocks, ascending.
    pub blocks: Vec<PoolBlock>,
}

/// What ipamd on one node knows. `metadata.name` is the node's name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpPool {
    /// The node's name.
    pub metadata: ObjectMeta,
    /// Name of the node, as lessons ask for it.
    pub node: String,
    /// Such as `t3.small`.
    pub instance_type: String,
    /// How this node gets addresses; fixed while the node lives only in what it already holds.
    pub mode: PoolMode,
    /// Whether ENIConfigs choose the subnet of pod ENIs.
    pub custom_networking: bool,
    /// The kubelet's limit.
    pub max_pods: u32,
    /// Attached ENIs, by device number.
    pub enis: Vec<PoolEni>,
    /// When it last gave addresses back to EC2.
    pub last_shrink: Option<SimTime>,
    /// Until when it asks EC2 for nothing, after an empty subnet.
    pub back_off_until: Option<SimTime>,
}
