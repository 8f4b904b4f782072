//! What can a packet meet?
//!
//! [`Network`] is the plain input of every trace and the schema of recorded path cases: VPC, subnets, routes, security
//! groups, NACLs, nodes, pods, Services, policies. All lists are optional and unknown keys are ignored.
//! This module does not know about a store or about time.

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::NetworkPolicySpec;
use serde::{Deserialize, Serialize};

/// Labels of a pod or a namespace.
pub type Labels = BTreeMap<String, String>;

/// Everything that decides where a packet goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// The customer's VPC.
    pub vpc: Vpc,
    /// Its subnets.
    pub subnets: Vec<Subnet>,
    /// Their route tables.
    pub route_tables: Vec<RouteTable>,
    /// Internet, NAT, peering, VPN and transit gateways by id.
    pub gateways: BTreeMap<String, Gateway>,
    /// VPC endpoints of AWS services.
    pub vpc_endpoints: Vec<VpcEndpoint>,
    /// Security groups.
    pub sgs: Vec<SecurityGroup>,
    /// Network ACLs.
    pub nacls: Vec<Nacl>,
    /// The EKS cluster.
    pub cluster: Cluster,
    /// kube-proxy's settings.
    pub kube_proxy: KubeProxy,
    /// The VPC CNI's settings.
    pub cni: Cni,
    /// The cluster's nodes.
    pub nodes: Vec<Node>,
    /// EC2 machines that are not nodes.
    pub hosts: Vec<Host>,
    /// What lies outside the VPC.
    pub external: Vec<External>,
    /// Labels by namespace.
    pub namespaces: BTreeMap<String, Labels>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Services.
    pub services: Vec<Service>,
    /// NetworkPolicies.
    pub policies: Vec<Policy>,
    /// Public addresses of AWS services by their short name.
    pub aws: BTreeMap<String, AwsService>,
}

/// A VPC.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Vpc {
    /// Its id.
    pub id: String,
    /// Every block gives each route table an implicit `local` route.
    pub cidrs: Vec<IpNet>,
    /// Whether its resolver answers.
    pub dns_support: bool,
    /// Whether private zones apply.
    pub dns_hostnames: bool,
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    /// Its id.
    pub id: String,
    /// Its block.
    pub cidr: IpNet,
    /// Its IPv6 block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr: Option<IpNet>,
    /// Its availability zone.
    #[serde(default)]
    pub az: String,
    /// Its route table.
    pub rt: String,
    /// Its network ACL; absent = the default one, which allows all both ways.
    pub nacl: Option<String>,
}

/// A route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    /// Its id.
    pub id: String,
    /// Its routes beside the local ones.
    #[serde(default)]
    pub routes: Vec<Route>,
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    /// A block, or `pl-<service>`.
    pub dst: String,
    /// A gateway or endpoint; its prefix tells its kind.
    pub via: String,
    /// `blackhole` when the target is gone.
    pub state: Option<String>,
}

/// A gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Gateway {
    /// `igw`, `eigw`, `nat`, `peering`, `vgw` or `tgw`.
    pub kind: String,
    /// For a NAT gateway: the subnet it stands in.
    pub subnet: Option<String>,
    /// For a NAT gateway: its elastic address.
    pub public_ip: Option<IpAddr>,
    /// For a NAT gateway: other than `available` when it does not work.
    pub state: Option<String>,
    /// What lies behind it.
    pub remote_cidrs: Vec<IpNet>,
    /// Sources that the far side can route back to.
    pub return_cidrs: Vec<IpNet>,
}

/// A VPC endpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VpcEndpoint {
    /// Its id.
    pub id: String,
    /// `gateway` or `interface`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `s3` or `ecr.api`.
    pub service: String,
    /// For a gateway endpoint: the route tables that lead to it.
    pub route_tables: Vec<String>,
    /// For an interface endpoint: its address in each subnet.
    pub ips: BTreeMap<String, IpAddr>,
    /// For an interface endpoint: its security groups.
    pub sgs: Vec<String>,
    /// Whether the service's public name answers these addresses inside the VPC.
    pub private_dns: bool,
}

/// A security group: allow rules, stateful.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Its id.
    pub id: String,
    /// Allowed in.
    #[serde(rename = "in", default)]
    pub inbound: Vec<SecurityRule>,
    /// Allowed out.
    #[serde(rename = "out", default)]
    pub outbound: Vec<SecurityRule>,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SecurityRule {
    /// `tcp`, `udp` or `-1`.
    pub proto: String,
    /// First port; absent = all.
    pub from: Option<u16>,
    /// Last port.
    pub to: Option<u16>,
    /// A block, or the id of a security group.
    pub peer: String,
}

/// A network ACL: numbered rules, stateless.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nacl {
    /// Its id.
    pub id: String,
    /// Rules for what comes in.
    #[serde(rename = "in", default)]
    pub inbound: Vec<NaclRule>,
    /// Rules for what goes out.
    #[serde(rename = "out", default)]
    pub outbound: Vec<NaclRule>,
}

/// A rule of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NaclRule {
    /// Its number: the lowest that matches decides.
    pub n: u32,
    /// `tcp`, `udp` or `-1`.
    pub proto: String,
    /// First port; absent = all.
    pub from: Option<u16>,
    /// Last port.
    pub to: Option<u16>,
    /// Source of what comes in, destination of what goes out.
    pub cidr: IpNet,
    /// `allow` or `deny`.
    pub action: String,
}

/// An EKS cluster as the network sees it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cluster {
    /// Its API endpoint.
    pub endpoint: Endpoint,
    /// EKS-owned ENIs in the customer's subnets.
    pub cross_account_enis: Vec<CrossAccountEni>,
    /// Addresses of Services.
    pub service_cidr: Option<IpNet>,
    /// Address of the cluster's DNS Service.
    pub dns_ip: Option<IpAddr>,
    /// On-premises nodes that the control plane knows; absent = not asked.
    pub remote_node_networks: Option<Vec<IpNet>>,
    /// On-premises pods that the control plane knows.
    pub remote_pod_networks: Option<Vec<IpNet>>,
}

/// The API endpoint's settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Endpoint {
    /// Public access.
    pub public: bool,
    /// Private access.
    pub private: bool,
    /// Who may use the public door.
    pub public_cidrs: Vec<IpNet>,
    /// The public door's address.
    pub public_ip: Option<IpAddr>,
}

/// An ENI of EKS in a subnet of the customer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CrossAccountEni {
    /// Its id.
    pub id: String,
    /// Its address.
    pub ip: IpAddr,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    #[serde(default)]
    pub sgs: Vec<String>,
}

/// kube-proxy's settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KubeProxy {
    /// `iptables` or `ipvs`.
    pub mode: String,
}

/// The VPC CNI's settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cni {
    /// `AWS_VPC_K8S_CNI_EXTERNALSNAT`.
    pub external_snat: bool,
    /// `AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS`.
    pub exclude_snat_cidrs: Vec<IpNet>,
    /// `POD_SECURITY_GROUP_ENFORCING_MODE`: `strict` or `standard`.
    pub sgpp: String,
    /// Whether NetworkPolicies are enforced.
    pub network_policy: bool,
}

/// A node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Public address of its primary ENI.
    pub public_ip: Option<IpAddr>,
    /// Whether it is a Fargate micro-VM.
    pub fargate: bool,
    /// Whether it stands on premises.
    pub hybrid: bool,
    /// On premises: its address.
    pub ip: Option<IpAddr>,
    /// On premises: the gateway that leads to it.
    pub via: Option<String>,
    /// Whether it is Ready; absent = yes.
    pub ready: Option<bool>,
    /// Its ENIs, the primary one first.
    pub enis: Vec<Eni>,
    /// The Services in its rules, where its kube-proxy has stopped following them; absent = all, as they are.
    pub rules: Option<Vec<Service>>,
}

impl Node {
    /// The node's own address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.enis.first().map(|eni| eni.ip).or(self.ip)
    }

    /// The node's own address of the family of `to`.
    #[must_use]
    pub fn address_towards(&self, to: IpAddr) -> Option<IpAddr> {
        let other = || self.enis.first().and_then(|eni| eni.ipv4).filter(IpAddr::is_ipv4);
        let own = self.address()?;
        if own.is_ipv6() && to.is_ipv4() { other() } else { Some(own) }
    }
}

/// An ENI of a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Eni {
    /// Its id.
    pub id: String,
    /// Its device number.
    #[serde(default)]
    pub dev: u32,
    /// Its primary address; in an IPv6 cluster the IPv6 one.
    pub ip: IpAddr,
    /// In an IPv6 cluster: its IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<IpAddr>,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    #[serde(default)]
    pub sgs: Vec<String>,
}

/// An EC2 machine that is not a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// In a subnet with an IPv6 block: its IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<IpAddr>,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    #[serde(default)]
    pub sgs: Vec<String>,
    /// Its public address.
    pub public_ip: Option<IpAddr>,
}

/// A machine outside the VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct External {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: IpAddr,
    /// Where it listens; absent = everywhere.
    pub ports: Option<Vec<u16>>,
    /// The gateway that leads to it; absent = the internet.
    pub via: Option<String>,
}

/// A pod.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    #[serde(default)]
    pub labels: Labels,
    /// Its node.
    pub node: String,
    /// Its address.
    pub ip: Option<IpAddr>,
    /// The node's ENI that owns the address.
    pub eni: Option<String>,
    /// Whether it is Ready.
    #[serde(default)]
    pub ready: bool,
    /// Whether it uses its node's network as it is.
    #[serde(default)]
    pub host_network: bool,
    /// Whether it runs on Fargate.
    #[serde(default)]
    pub fargate: bool,
    /// Its own ENI, with security groups for pods.
    pub branch_eni: Option<BranchEni>,
    /// Where it listens.
    #[serde(default)]
    pub ports: Vec<PodPort>,
}

impl Pod {
    /// `namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.ns, self.name)
    }
}

/// A branch ENI.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BranchEni {
    /// Its id.
    pub id: String,
    /// Its VLAN on the trunk.
    pub vlan: u32,
    /// Its subnet.
    pub subnet: String,
    /// Its security groups.
    #[serde(default)]
    pub sgs: Vec<String>,
}

/// A port that a container declares; taken as where it listens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodPort {
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub container_port: u16,
    /// `TCP` unless given.
    pub protocol: Option<String>,
}

/// A Service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// `ClusterIP`, `NodePort` or `LoadBalancer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its address, `None` for a headless one.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Option<String>,
    /// Which pods.
    pub selector: Option<Labels>,
    /// Addresses of its endpoints, where they are written out; without them every ready pod that it selects is one. Those that are
    /// no pods are the API servers behind `default/kubernetes`.
    pub endpoints: Option<Vec<IpAddr>>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// `externalTrafficPolicy`.
    pub etp: Option<String>,
    /// `internalTrafficPolicy`.
    pub itp: Option<String>,
    /// Where load balancers ask each node whether it has endpoints.
    pub health_check_node_port: Option<u16>,
    /// `sessionAffinity: ClientIP`: for how many seconds.
    pub affinity_seconds: Option<u32>,
    /// `loadBalancerSourceRanges`.
    pub source_ranges: Option<Vec<IpNet>>,
    /// Its load balancer.
    pub lb: Option<LoadBalancer>,
}

impl Service {
    /// `namespace/name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.ns, self.name)
    }

    /// Whether it has no address of its own.
    #[must_use]
    pub fn headless(&self) -> bool {
        self.cluster_ip.as_deref() == Some("None")
    }
}

/// A port of a Service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePort {
    /// Its name.
    pub name: Option<String>,
    /// Its number.
    pub port: u16,
    /// Number or name on the pod; absent = `port`.
    pub target_port: Option<PortRef>,
    /// Its number on every node.
    pub node_port: Option<u16>,
    /// `TCP` unless given.
    pub protocol: Option<String>,
}

/// A port by number or by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PortRef {
    /// By number.
    Number(u16),
    /// By the name that a container gives it.
    Name(String),
}

/// A load balancer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancer {
    /// `nlb`, `alb` or `clb`.
    pub kind: String,
    /// `ip` or `instance`.
    pub target: String,
    /// `internet-facing` or `internal`.
    pub scheme: String,
    /// Its address in each subnet.
    pub ips: BTreeMap<String, IpAddr>,
    /// Its security groups.
    pub sgs: Vec<String>,
    /// Its public address.
    pub public_ip: Option<IpAddr>,
    /// Whether targets see the client's address; absent = the kind's default.
    pub preserve: Option<bool>,
    /// Its listeners; absent = the Service's ports.
    pub listeners: Option<Vec<u16>>,
}

/// A NetworkPolicy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// What it says.
    pub spec: NetworkPolicySpec,
}

/// Public addresses of an AWS service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AwsService {
    /// One address that its name answers.
    pub ip: IpAddr,
    /// Its prefix list.
    #[serde(default)]
    pub prefixes: Vec<IpNet>,
}
