//! What ipamd keeps in memory on each node: ENIs, their addresses, and who holds them; and what it reads of ENIConfigs.
//!
//! Plain state; the rules are in the `cni` crate. Source: amazon-vpc-cni-k8s, the data store's model,
//! `pkg/apis/crd/v1alpha1/eniconfig_types.go`.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{SimDuration, SimTime, meta::ObjectMeta};

/// Where the pods of some nodes get their addresses, under custom networking.
///
/// Its CustomResourceDefinition preserves unknown fields and checks none, so that anything may stand in `spec`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EniConfig {
    /// Its name; often that of an availability zone.
    pub metadata: ObjectMeta,
    /// `subnet` and `securityGroups`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub spec: Value,
}

impl EniConfig {
    /// Name of the subnet of the pods' ENIs; empty if it says none.
    #[must_use]
    pub fn subnet(&self) -> &str {
        self.spec["subnet"].as_str().unwrap_or_default()
    }

    /// Names of the security groups of the pods' ENIs; none for those of the node.
    #[must_use]
    pub fn security_groups(&self) -> Vec<String> {
        let groups = self.spec["securityGroups"].as_array();
        groups.into_iter().flatten().filter_map(|group| group.as_str().map(str::to_owned)).collect()
    }
}

/// How a node gets pod addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolMode {
    /// One slot, one address.
    #[default]
    SecondaryIp,
    /// One slot, one /28 of 16 addresses.
    Prefix,
    /// One IPv6 /80 on the primary ENI, for every pod that the node will ever have.
    Ipv6Prefix,
}

/// One address that was handed out at least once from a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolAddress {
    /// The address.
    pub ip: IpAddr,
    /// The sandbox that holds it: `<namespace>/<pod>`.
    pub sandbox: Option<String>,
    /// When it was last given back; it rests for the pool's `cooldown` from then.
    pub unassigned_at: Option<SimTime>,
}

/// A block of an ENI: a /32 in secondary-address mode, a /28 in prefix mode, a /80 of IPv6.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PoolBlock {
    /// The block.
    pub cidr: IpNet,
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
    /// Addresses handed out since ipamd last called EC2 or last had none to give.
    #[serde(default)]
    pub served_at_once: u32,
    /// When it last gave addresses back to EC2.
    pub last_shrink: Option<SimTime>,
    /// Until when it asks EC2 for nothing, after an empty subnet.
    pub back_off_until: Option<SimTime>,
    /// How long an address rests before the next pod can have it: `IP_COOLDOWN_PERIOD`.
    #[serde(default)]
    pub cooldown: SimDuration,
    /// What ipamd's log says of the last thing that it could not do; `None` once it could.
    #[serde(default)]
    pub error: Option<String>,
    /// The start of the container in which ipamd has set its node up and answers.
    #[serde(default)]
    pub serves_since: Option<SimTime>,
    /// The start of the container in which ipamd gave up: it does nothing until the container starts again.
    #[serde(default)]
    pub gave_up: Option<SimTime>,
}
