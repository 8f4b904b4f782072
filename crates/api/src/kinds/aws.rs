//! EC2 resources, as far as a pod's address and a packet's way depend on them.
//!
//! `metadata.name` is the resource's id (`subnet-…`, `eni-…`) or, in a scenario, the name that the scenario gave it.
//! Source of the words: the Amazon EC2 API reference.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::{SimTime, meta::ObjectMeta};

/// A virtual private cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vpc {
    /// Name and tags (as labels).
    pub metadata: ObjectMeta,
    /// Its address blocks, the primary one first.
    pub cidrs: Vec<Ipv4Net>,
    /// Its IPv6 block, a /56.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Whether the resolver at the base address plus two answers.
    pub enable_dns_support: bool,
    /// Whether instances get public names.
    pub enable_dns_hostnames: bool,
}

/// A subnet: one block of a VPC in one availability zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// Name and tags (as labels).
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// Its block, /16 to /28.
    pub cidr: Ipv4Net,
    /// Its IPv6 block, a /64: every interface made in it gets an address of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr: Option<Ipv6Net>,
    /// Such as `ap-northeast-2a`.
    pub availability_zone: String,
    /// Whether instances get a public address.
    pub map_public_ip_on_launch: bool,
    /// Name of its route table.
    pub route_table: String,
    /// Name of its network ACL; `None` for the VPC's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acl: Option<String>,
    /// Ranges that EC2 does not hand out as single addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<CidrReservation>,
    /// Addresses that EC2 says are taken, by interfaces that an import was not given.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_unseen: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What a reserved range of a subnet is kept for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReservationType {
    /// Prefixes of network interfaces.
    Prefix,
    /// Whoever names an address of it.
    Explicit,
}

/// A subnet CIDR reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CidrReservation {
    /// Its id, `scr-…`.
    pub id: String,
    /// The range, inside the subnet's.
    pub cidr: Ipv4Net,
    /// What for.
    #[serde(rename = "type")]
    pub kind: ReservationType,
    /// As it was given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Destination block, or a prefix list (`pl-…`).
    pub destination: String,
    /// `local`, or the id of a gateway (`igw-…`, `eigw-…`, `nat-…`).
    pub target: String,
}

/// A route table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteTable {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// Its routes; the VPC's own blocks are routed `local` without being listed.
    pub routes: Vec<Route>,
}

/// An internet gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InternetGateway {
    /// Name (`igw-…`, `eigw-…`) and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// Whether it is an egress-only one: IPv6 goes out by it, nothing comes in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub egress_only: bool,
}

/// The life of a NAT gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NatGatewayState {
    /// Being made.
    Pending,
    /// It translates.
    #[default]
    Available,
    /// Going: nothing passes any more.
    Deleting,
    /// Gone; it stays to be seen for a while.
    Deleted,
}

/// A NAT gateway; its ENI is an object of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NatGateway {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Name of the public subnet it stands in.
    pub subnet: String,
    /// Its elastic address.
    pub public_ip: Ipv4Addr,
    /// Name of that address (`eipalloc-…`).
    #[serde(default)]
    pub allocation: String,
    /// Where it is in its life.
    #[serde(default)]
    pub state: NatGatewayState,
    /// When it was made.
    #[serde(default)]
    pub created_at: SimTime,
    /// Since when it is in this state.
    #[serde(default)]
    pub since: SimTime,
}

/// An Elastic IP address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ElasticIp {
    /// Name (`eipalloc-…`) and tags.
    pub metadata: ObjectMeta,
    /// The address.
    pub public_ip: Ipv4Addr,
    /// Name of the ENI that it is associated with.
    pub eni: Option<String>,
}

/// What a VPC endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndpointKind {
    /// Routes to a prefix list; nothing stands in a subnet.
    #[default]
    Gateway,
    /// An ENI with an address in each subnet.
    Interface,
}

/// A VPC endpoint: a door from a VPC to an AWS service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VpcEndpoint {
    /// Name (`vpce-…`) and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EndpointKind,
    /// Such as `com.amazonaws.ap-northeast-2.s3`.
    pub service: String,
    /// Of a gateway endpoint: names of the route tables that lead to it.
    pub route_tables: Vec<String>,
    /// Of an interface endpoint: names of the subnets that it stands in.
    pub subnets: Vec<String>,
    /// Of an interface endpoint: names of its security groups.
    pub security_groups: Vec<String>,
    /// Whether the service's own name answers its addresses inside the VPC.
    pub private_dns: bool,
    /// Whether it is ready.
    pub available: bool,
    /// When it was made.
    pub created_at: SimTime,
}

/// What a load balancer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LoadBalancerKind {
    /// A Classic Load Balancer.
    #[default]
    Classic,
    /// A Network Load Balancer.
    Network,
}

/// A listener of a load balancer and where it leads on every instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// The node port behind it.
    pub node_port: u16,
    /// `TCP` or `UDP`.
    pub protocol: String,
}

/// A load balancer that a Service of a cluster has; an ENI stands for it in each of its subnets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Its name and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: LoadBalancerKind,
    /// Whether its name answers private addresses.
    pub internal: bool,
    /// Its name in DNS.
    pub dns_name: String,
    /// Names of the subnets that it stands in.
    pub subnets: Vec<String>,
    /// Names of its security groups.
    pub security_groups: Vec<String>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Name of the EKS cluster whose Service it is for.
    pub cluster: String,
    /// That Service: `namespace/name`.
    pub service: String,
    /// When it was made.
    pub created_at: SimTime,
}

/// One rule of a network ACL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAclEntry {
    /// The lowest one that matches decides; 1 to 32766.
    pub number: u32,
    /// Whether it is for what goes out.
    pub egress: bool,
    /// A protocol's number, `-1` for all.
    pub protocol: String,
    /// First and last port; `None` for all.
    pub ports: Option<(u16, u16)>,
    /// Where what comes in is from, or what goes out is to.
    pub cidr: IpNet,
    /// Whether it lets pass.
    pub allow: bool,
}

/// A network ACL: numbered rules at the border of subnets, stateless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkAcl {
    /// Name (`acl-…`) and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// Whether it is that of subnets without one of their own.
    pub is_default: bool,
    /// Its rules by direction and number; what none matches is denied.
    pub entries: Vec<NetworkAclEntry>,
}

/// One rule of a security group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroupRule {
    /// `tcp`, `udp`, `icmp` or `-1` for all.
    pub protocol: String,
    /// First and last port; `None` for all.
    pub ports: Option<(u16, u16)>,
    /// A block, or the name of a security group.
    pub peer: String,
}

/// A security group: stateful, allow rules only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityGroup {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Name of its VPC.
    pub vpc: String,
    /// Allowed in.
    pub inbound: Vec<SecurityGroupRule>,
    /// Allowed out.
    pub outbound: Vec<SecurityGroupRule>,
}

/// Whose ENI it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EniOwner {
    /// An instance of the account.
    Instance,
    /// EKS: the cross-account ENI of a control plane.
    Eks,
    /// A NAT gateway.
    Nat,
    /// An interface VPC endpoint.
    Endpoint,
    /// A load balancer.
    LoadBalancer,
    /// Fargate: the one of a micro-VM.
    Fargate,
    /// A pod with security groups of its own: a branch of a trunk ENI.
    Branch,
    /// The account itself: attached to nothing, or to something that the lab does not know.
    Account,
}

/// What makes an ENI a branch of another. Source: EC2 `AssociateTrunkInterface`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Branch {
    /// Name of the trunk ENI.
    pub trunk: String,
    /// The VLAN on the trunk that is its own.
    pub vlan: u32,
    /// The pod that it was made for: `namespace/name`.
    pub pod: String,
    /// That pod's uid.
    pub pod_uid: String,
    /// When its pod had gone: it is deleted a while later.
    pub released_at: Option<SimTime>,
}

/// How an ENI stands to its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attachment {
    /// Created, not attached.
    Available,
    /// Being attached.
    Attaching,
    /// Attached.
    Attached,
    /// Being detached.
    Detaching,
}

/// An elastic network interface. Takes one address for itself and one per secondary address or 16 per prefix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Eni {
    /// Name (`eni-…`) and tags.
    pub metadata: ObjectMeta,
    /// Name of its subnet.
    pub subnet: String,
    /// Its primary address.
    pub primary_ip: Ipv4Addr,
    /// Its secondary addresses, ascending.
    pub secondary_ips: Vec<Ipv4Addr>,
    /// Its /28 prefixes, ascending.
    pub prefixes: Vec<Ipv4Net>,
    /// Its IPv6 address, where its subnet has such a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<Ipv6Addr>,
    /// Its IPv6 prefix, a /80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_prefix: Option<Ipv6Net>,
    /// Names of its security groups.
    pub security_groups: Vec<String>,
    /// Whose it is.
    pub owner: EniOwner,
    /// Whether it is the trunk of branch ENIs.
    #[serde(default)]
    pub trunk: bool,
    /// Of which trunk it is a branch.
    #[serde(default)]
    pub branch: Option<Branch>,
    /// Name of the instance it is attached to.
    pub instance: Option<String>,
    /// Device number on that instance: 0 is its primary ENI.
    pub device_index: u32,
    /// How it stands to its instance.
    pub attachment: Attachment,
    /// When it was created.
    pub created_at: SimTime,
    /// Since when it stands so to its instance.
    pub since: SimTime,
}

/// The life of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Booting.
    Pending,
    /// Up.
    Running,
    /// Going down, to be stopped.
    Stopping,
    /// Going down for good.
    ShuttingDown,
    /// Stopped, can start again.
    Stopped,
    /// Gone.
    Terminated,
}

/// How far a node is with being drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Drain {
    /// Since when.
    pub since: SimTime,
    /// Since when no pod is left.
    pub empty_since: Option<SimTime>,
}

/// An EC2 instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Name (`i-…`) and tags.
    pub metadata: ObjectMeta,
    /// Such as `t3.small`.
    pub instance_type: String,
    /// Name of its subnet.
    pub subnet: String,
    /// Its private address: that of its primary ENI.
    pub private_ip: Ipv4Addr,
    /// Its public address.
    pub public_ip: Option<Ipv4Addr>,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Since when.
    pub since: SimTime,
    /// Name of the node it runs, once it has joined.
    pub node: Option<String>,
    /// Name of the EKS cluster it is to join.
    pub cluster: Option<String>,
    /// Name of the node group that made it.
    pub nodegroup: Option<String>,
    /// When it was launched.
    pub launched_at: SimTime,
    /// Other settings of its launch: max pods, labels, taints, as `nodeadm` reads them.
    pub user_data: BTreeMap<String, String>,
    /// How far its node is with being drained before it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// Whether it is a spot instance.
    #[serde(default, skip_serializing_if = "is_false")]
    pub spot: bool,
    /// When EC2 said that it is likely to want it back: the rebalance recommendation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebalance_recommended: Option<SimTime>,
    /// When EC2 said that it takes it back: two minutes later it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption_notice: Option<SimTime>,
    /// Since when nothing reaches it, because its zone has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impaired_since: Option<SimTime>,
    /// Why it went, in EC2's words: `Server.SpotInstanceTermination`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Whether its Auto Scaling group has let go of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left_group: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_false(it: &bool) -> bool {
    !it
}

/// An availability zone that has failed; one that works is not written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityZone {
    /// Name: `ap-northeast-2a`.
    pub metadata: ObjectMeta,
    /// Since when.
    pub impaired_since: SimTime,
}
