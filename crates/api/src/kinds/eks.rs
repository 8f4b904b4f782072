//! EKS resources. `endpointPublicAccess` and its neighbours stand at the top level, as lessons name them.
//! Source of the words: the Amazon EKS API reference.

use std::collections::BTreeMap;

use ipnet::IpNet;
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
    /// Addresses of Services: a block of the cluster's family.
    pub service_cidr: IpNet,
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
    /// Which IAM principals the cluster knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_entries: Vec<AccessEntry>,
    /// Kinds of the control plane's logs that go to CloudWatch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logging: Vec<String>,
    /// Its changes, oldest first; the last one may still go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Update>,
}

impl EksCluster {
    /// Its region, by its endpoint: `ID.gr7.REGION.eks.amazonaws.com`, `ID.gr7.REGION.api.aws`.
    #[must_use]
    pub fn region(&self) -> &str {
        self.endpoint.split('.').nth(2).unwrap_or_default()
    }
}

/// An IAM principal that a cluster knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessEntry {
    /// ARN of the role or user.
    pub principal_arn: String,
    /// `STANDARD`, or for the role of nodes `EC2_LINUX`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was made.
    pub created_at: SimTime,
}

/// Who looks after the nodes of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Care {
    /// EKS: it makes the Auto Scaling group, maps the role, drains and replaces.
    #[default]
    Managed,
    /// Whoever made it: EKS does not know of it.
    SelfManaged,
}

/// How many nodes an update may take away at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MaxUnavailable {
    /// So many.
    Nodes(u32),
    /// So many of a hundred, one at least.
    Percentage(u32),
}

impl Default for MaxUnavailable {
    fn default() -> Self {
        Self::Nodes(1)
    }
}

/// Whether and how EKS repairs the nodes of a managed group by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeRepairConfig {
    /// Whether it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// With more unhealthy nodes than this nothing is repaired any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unhealthy_node_threshold_count: Option<u32>,
    /// The same, of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unhealthy_node_threshold_percentage: Option<u32>,
    /// So many are repaired at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_nodes_repaired_count: Option<u32>,
    /// The same, of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel_nodes_repaired_percentage: Option<u32>,
    /// Other waits and actions for single conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_repair_config_overrides: Vec<NodeRepairOverride>,
}

/// What EKS does about one condition, instead of its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeRepairOverride {
    /// Such as `Ready`, `NetworkingReady`.
    pub node_monitoring_condition: String,
    /// The condition's reason.
    pub node_unhealthy_reason: String,
    /// Minutes that it waits.
    pub min_repair_wait_time_mins: u64,
    /// `Replace`, `Reboot` or `NoAction`.
    pub repair_action: String,
}

/// Something wrong with a node group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Issue {
    /// Such as `AsgInstanceLaunchFailures`.
    pub code: String,
    /// EKS's words.
    pub message: String,
    /// Instances, subnets or groups that it is about.
    pub resource_ids: Vec<String>,
}

/// How far the change of a node group's version is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UpdatePhase {
    /// A launch template of the new version is made.
    #[default]
    Setup,
    /// New nodes come, one at least in each zone.
    ScaleUp,
    /// Old nodes are drained and replaced.
    Upgrade,
    /// The nodes that came first go again.
    ScaleDown,
    /// It is over, for better or worse.
    Over,
}

/// A change of a node group, as `describe-update` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its id, a UUID.
    pub id: String,
    /// `VersionUpdate` or `ConfigUpdate`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `InProgress`, `Successful` or `Failed`.
    pub status: String,
    /// What it changes: `ReleaseVersion` and its value.
    pub params: Vec<(String, String)>,
    /// When it was asked for.
    pub created_at: SimTime,
    /// Why it failed.
    pub errors: Vec<Issue>,
    /// How far it is.
    pub phase: UpdatePhase,
    /// Since when.
    pub since: SimTime,
    /// Whether pods are deleted that a budget keeps from being evicted.
    pub force: bool,
    /// Nodes beyond the wanted size while it lasts.
    pub surge: u32,
}

/// Something that an Auto Scaling group did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// Its id, a UUID.
    pub id: String,
    /// Such as `Launching a new EC2 instance: i-…`.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When.
    pub at: SimTime,
    /// `Successful` or `Failed`.
    pub status: String,
    /// EC2's words, if it failed.
    pub message: String,
}

/// A node group: a managed one, or one that somebody manages himself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
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
    /// `CREATING`, `ACTIVE`, `UPDATING`, `DEGRADED`, `CREATE_FAILED` or `DELETING`.
    pub status: String,
    /// Since when.
    pub since: SimTime,
    /// Who looks after its nodes.
    pub care: Care,
    /// Whether its instances are spot ones.
    pub spot: bool,
    /// Such as `AL2023_x86_64_STANDARD`.
    pub ami_type: String,
    /// Family of its images in eksctl's words: `AmazonLinux2023`, `Bottlerocket`.
    pub ami_family: String,
    /// GiB of its nodes' disk.
    pub disk_size: u32,
    /// Name of the launch template that it was made with; `None` where EKS has only its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_template: Option<String>,
    /// Release of the image that new nodes get: `1.34.2-20251120`.
    pub image_release: String,
    /// Release of the group: that of its image after the last update that succeeded.
    pub release_version: String,
    /// Nodes that an update may take away at once.
    pub max_unavailable: MaxUnavailable,
    /// ARN of its nodes' role.
    pub role: String,
    /// When it was made.
    pub created_at: SimTime,
    /// Whether EKS repairs its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_repair_config: Option<NodeRepairConfig>,
    /// What is wrong with it.
    pub issues: Vec<Issue>,
    /// Its changes, oldest first; the last one may still go on.
    pub updates: Vec<Update>,
    /// What its Auto Scaling group did last, oldest first.
    pub activities: Vec<Activity>,
    /// Names that a scenario gives its nodes, in the order of their launch; EC2's own names come after.
    pub node_names: Vec<String>,
    /// Instances launched so far.
    pub launched: u32,
    /// Instances that were not well and went, and whose successors are still to come.
    pub unhealthy: u32,
    /// Processes of its Auto Scaling group that somebody suspended: `ReplaceUnhealthy`.
    pub suspended: Vec<String>,
    /// Instances that are on-demand ones whatever the group is, and of those beyond them so many of a hundred (self-managed
    /// groups with an instances distribution).
    pub on_demand: Option<(u32, u32)>,
    /// Whether its Auto Scaling group replaces spot instances that EC2 is likely to want back.
    pub capacity_rebalance: bool,
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

impl Nodegroup {
    /// The update that goes on.
    #[must_use]
    pub fn updating(&self) -> Option<&Update> {
        self.updates.last().filter(|it| it.status == "InProgress")
    }

    /// Nodes that its Auto Scaling group wants: those of its size, and those that an update adds.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.desired_size + self.updating().map_or(0, |it| it.surge)
    }

    /// How many nodes an update may take away at once: one at least, a hundred at most.
    #[must_use]
    pub fn parallel(&self) -> u32 {
        match self.max_unavailable {
            MaxUnavailable::Nodes(nodes) => nodes.clamp(1, 100),
            MaxUnavailable::Percentage(part) => (self.desired_size * part / 100).clamp(1, 100),
        }
    }
}

/// What is wrong with an add-on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddonIssue {
    /// Such as `InsufficientNumberOfReplicas`.
    pub code: String,
    /// In EKS's words.
    pub message: String,
}

/// An add-on of a cluster. `metadata.name` is `<cluster>/<add-on>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Addon {
    /// Name and tags.
    pub metadata: ObjectMeta,
    /// Name of its cluster.
    pub cluster: String,
    /// Such as `vpc-cni`.
    pub addon: String,
    /// Such as `v1.21.1-eksbuild.7`.
    pub version: String,
    /// Its settings, as they were given: JSON or YAML; empty for none.
    pub configuration_values: String,
    /// `CREATING`, `ACTIVE`, `DEGRADED`, `UPDATING`, `UPDATE_FAILED`, `CREATE_FAILED` or `DELETING`.
    pub status: String,
    /// Since when.
    pub since: SimTime,
    /// When it was made.
    pub created_at: SimTime,
    /// What is wrong with it.
    pub issues: Vec<AddonIssue>,
}
