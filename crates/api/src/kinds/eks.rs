//! EKS resources. `endpointPublicAccess` and its neighbours stand at the top level, as lessons name them.
//! Source of the words: the Amazon EKS API reference.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{SimTime, k8s::core::v1::Taint, kinds::eksctl::ClusterConfig, meta::ObjectMeta};

/// An EKS cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EksCluster {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Such as `1.34`.
    pub version: String,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub status: String,
    /// Name of its VPC.
    pub vpc: String,
    /// Names of the subnets it was given.
    pub subnets: Vec<String>,
    /// Addresses of Services.
    pub service_ipv4_cidr: Ipv4Net,
    /// Whether the endpoint's name answers a public address.
    pub endpoint_public_access: bool,
    /// Whether it answers private addresses inside the VPC.
    pub endpoint_private_access: bool,
    /// Who may use the public door.
    pub public_access_cidrs: Vec<String>,
    /// The endpoint's host name.
    pub endpoint: String,
    /// Name of the cluster security group.
    pub cluster_security_group: String,
    /// Since when it has this status.
    pub since: SimTime,
    /// What is still to be made of it: node groups and add-ons come once it is active.
    pub pending: Option<Box<ClusterConfig>>,
}

/// A managed node group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Nodegroup {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Name of its cluster.
    pub cluster: String,
    /// Types to choose from, the first preferred.
    pub instance_types: Vec<String>,
    /// Names of the subnets its nodes stand in.
    pub subnets: Vec<String>,
    /// Least number of nodes.
    pub min_size: u32,
    /// Most nodes.
    pub max_size: u32,
    /// Wanted nodes.
    pub desired_size: u32,
    /// Labels of its nodes.
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes.
    pub taints: Vec<Taint>,
    /// `maxPodsPerNode` of eksctl.
    pub max_pods_per_node: Option<u32>,
    /// `CREATING`, `ACTIVE`, `UPDATING` or `DELETING`.
    pub status: String,
    /// Since when.
    pub since: SimTime,
    /// Names that a scenario gives its nodes, in the order of their launch; EC2's own names come after.
    pub node_names: Vec<String>,
    /// Instances launched so far.
    pub launched: u32,
}

/// A Fargate profile: which pods Fargate takes, and where it puts them. It cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FargateProfile {
    /// Name and tags (as labels).
    pub metadata: ObjectMeta,
    /// Name of its cluster.
    pub cluster: String,
    /// Its ARN.
    pub arn: String,
    /// ARN of the role by which Fargate pulls images and writes logs.
    pub pod_execution_role_arn: String,
    /// Names of the subnets that pods get their addresses of; all private.
    pub subnets: Vec<String>,
    /// Which pods: any one of them has to match.
    pub selectors: Vec<FargateSelector>,
    /// `CREATING`, `ACTIVE` or `DELETING`.
    pub status: String,
    /// Since when.
    pub since: SimTime,
}

/// One selector of a Fargate profile. `*` stands for any letters, `?` for exactly one, in all of its words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FargateSelector {
    /// The pod's namespace.
    #[serde(default)]
    pub namespace: String,
    /// Labels that the pod must have, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}
