//! What does an eksctl config file ask for?
//!
//! `ClusterConfig` of `eksctl.io/v1alpha5`. The fields that shape the lab's world are typed; everything else that
//! eksctl knows is kept in `other` and marked. A field that eksctl does not know is refused in eksctl's words.
//! Source: eksctl 0.2xx, `pkg/apis/eksctl.io/v1alpha5` (types, validation), `pkg/eks/api.go` (reading).

mod family;
mod image;

pub use image::DEFAULT_AMI_FAMILY;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Diagnostic, FieldPath, Severity, decode,
    field::Step,
    kinds::eks::{FargateSelector, NodeRepairConfig},
    schema,
    text::Document,
};

/// The one version eksctl reads.
pub const API_VERSION: &str = "eksctl.io/v1alpha5";

/// Reads a config file's document: what it asks for, unless it cannot be read, and all remarks on it.
///
/// Every error is a whole message of eksctl's; it stops at the first, [`refusal`].
#[must_use]
pub fn read(document: &Document) -> (Option<ClusterConfig>, Vec<Diagnostic>) {
    let mut found = Vec::new();
    if let Some(error) = document.duplicate_error() {
        let at = document.duplicates.first().map(|it| it.span);
        let error = Diagnostic::error(FieldPath::root(), format!("error converting YAML to JSON: {error}"));
        found.push(Diagnostic { span: at, ..error });
    }
    let Some(schema) = schema::definition("eksctl.v1alpha5.ClusterConfig") else { return (None, found) };
    let (decoded, wrong) = decode::look(schema, document.value());
    for unknown in decoded.unknown {
        let name = unknown.field.0.last().map(|step| match step {
            Step::Field(name) | Step::Key(name) => name.clone(),
            Step::Index(index) => index.to_string(),
        });
        let message = format!("{DECODING}json: unknown field {:?}", name.unwrap_or_default());
        let span = document.key_span_of(&unknown.field);
        let error = Diagnostic::error(unknown.field, message).hint("unknown-field");
        found.push(Diagnostic { span, ..error });
    }
    let at = |field: FieldPath, message: String| {
        let span = document.span_of(&field);
        Diagnostic { span, ..Diagnostic::error(field, message) }
    };
    for wrong in wrong {
        found.push(at(wrong.field, format!("{DECODING}{}", wrong.message)));
    }
    if let Some(version) = document.api_version().filter(|version| *version != API_VERSION) {
        let message = format!(
            "no kind \"ClusterConfig\" is registered for version \"{version}\" in scheme \"k8s.io/client-go/kubernetes/scheme/register.go:83\""
        );
        found.push(at(FieldPath::of("apiVersion"), message));
    }
    if !found.is_empty() {
        return (None, found);
    }
    let mut value = decoded.value;
    if let Value::Object(fields) = &mut value {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    match serde_json::from_value::<ClusterConfig>(value) {
        Ok(config) => {
            found.extend(config.problems().into_iter().map(|(field, message)| at(field, message)));
            found.extend(config.kept().into_iter().map(|field| {
                let message = format!("{field} is kept, not simulated");
                let kept = at(field, message).hint("not-simulated");
                Diagnostic { severity: Severity::Info, ..kept }
            }));
            (Some(config), found)
        }
        Err(error) => (None, vec![at(FieldPath::root(), format!("{DECODING}{error}"))]),
    }
}

const DECODING: &str = "error unmarshaling JSON: while decoding JSON: ";

/// What eksctl prints after `Error: `, if it refuses the file: the first error.
#[must_use]
pub fn refusal(file: &str, found: &[Diagnostic]) -> Option<String> {
    let first = found.iter().find(|it| it.severity == Severity::Error)?;
    // Rules about values are said without the file's name.
    let reading = first.message.starts_with("error ") || first.message.starts_with("no kind ");
    Some(if reading {
        format!("loading config file {file:?}: {}", first.message)
    } else {
        first.message.clone()
    })
}

impl ClusterConfig {
    /// What eksctl prints after `Error: ` of a config that flags gave.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.problems().into_iter().next().map(|(_, message)| message)
    }

    /// What eksctl objects to, in its words, as far as the lab's worlds depend on it.
    fn problems(&self) -> Vec<(FieldPath, String)> {
        let mut out = Vec::new();
        for (field, value) in
            [("metadata.name", &self.metadata.name), ("metadata.region", &self.metadata.region)]
        {
            if value.is_empty() {
                out.push((FieldPath::of(field), format!("{field} must be set")));
            }
        }
        let endpoints = self.vpc.cluster_endpoints;
        if self.private_cluster.enabled && endpoints != ClusterEndpoints::default() {
            let message = "vpc.clusterEndpoints cannot be set for a fully-private cluster (privateCluster.enabled) as the endpoint access defaults to private-only";
            out.push((FieldPath::of("vpc.clusterEndpoints"), message.to_owned()));
        }
        if endpoints.public_access == Some(false) && endpoints.private_access != Some(true) {
            let message = "Kubernetes API access must have one of public or private clusterEndpoints enabled";
            out.push((FieldPath::of("vpc.clusterEndpoints"), message.to_owned()));
        }
        if let Some(cidr) = self.vpc.cidr.filter(|cidr| !(16..=24).contains(&cidr.prefix_len())) {
            let message = format!("VPC CIDR prefix must be between /16 and /24 (got {cidr})");
            out.push((FieldPath::of("vpc.cidr"), message));
        }
        if let Some(problem) = self.private_cluster.problem() {
            out.push((FieldPath::of("privateCluster.additionalEndpointServices"), problem));
        }
        out.extend(self.family_problem());
        let mut names = BTreeSet::new();
        for (list, groups) in
            [("nodeGroups", &self.node_groups), ("managedNodeGroups", &self.managed_node_groups)]
        {
            for (index, group) in groups.iter().enumerate() {
                let field = FieldPath::of(list).index(index);
                let mut say = |name: &str, message: String| out.push((field.field(name), message));
                let path = field.to_string();
                if group.name.is_empty() {
                    say("name", format!("{path}.name must be set"));
                } else if !names.insert(&group.name) {
                    say("name", format!("{path}.name {:?} is not unique", group.name));
                }
                if self.private_cluster.enabled && group.private_networking != Some(true) {
                    let message =
                        format!("{path}.privateNetworking must be enabled for a fully-private cluster");
                    say("privateNetworking", message);
                }
                if !group.subnets.is_empty() && !group.availability_zones.is_empty() {
                    let message =
                        format!("only one of {path}.subnets or {path}.availabilityZones should be set");
                    say("subnets", message);
                }
                if let Some(message) = group.image_problem(&path, self.metadata.version.as_deref()) {
                    say("amiFamily", message);
                }
                if group.instance_type.is_some() && !group.instance_types.is_empty() {
                    let message =
                        format!("only one of instanceType or instanceTypes can be specified ({path})");
                    say("instanceTypes", message);
                }
                match (group.min_size, group.desired_capacity, group.max_size) {
                    (Some(min), Some(desired), _) if desired < min => {
                        let message =
                            format!("cannot use --nodes-min={min} and --nodes={desired} at the same time");
                        say("desiredCapacity", message);
                    }
                    (_, Some(desired), Some(max)) if desired > max => {
                        let message =
                            format!("cannot use --nodes-max={max} and --nodes={desired} at the same time");
                        say("desiredCapacity", message);
                    }
                    (Some(min), _, Some(max)) if max < min => {
                        let message =
                            format!("cannot use --nodes-min={min} and --nodes-max={max} at the same time");
                        say("maxSize", message);
                    }
                    _ => {}
                }
            }
        }
        for (index, profile) in self.fargate_profiles.iter().enumerate() {
            let field = FieldPath::of("fargateProfiles").index(index);
            out.extend(profile.problem().map(|message| (field, message)));
        }
        out
    }

    /// The fields that are kept without effect.
    fn kept(&self) -> Vec<FieldPath> {
        let of = |at: FieldPath, other: &BTreeMap<String, Value>| -> Vec<FieldPath> {
            other.keys().map(|name| at.field(name)).collect()
        };
        let mut out = of(FieldPath::root(), &self.other);
        out.extend(of(FieldPath::of("metadata"), &self.metadata.other));
        out.extend(of(FieldPath::of("vpc"), &self.vpc.other));
        out.extend(of(FieldPath::of("kubernetesNetworkConfig"), &self.kubernetes_network_config.other));
        out.extend(of(FieldPath::of("iam"), &self.iam.other));
        for (list, groups) in
            [("nodeGroups", &self.node_groups), ("managedNodeGroups", &self.managed_node_groups)]
        {
            for (index, group) in groups.iter().enumerate() {
                let at = FieldPath::of(list).index(index);
                out.extend(of(at.clone(), &group.other));
                let mixed = group.instances_distribution.iter();
                out.extend(mixed.flat_map(|it| of(at.field("instancesDistribution"), &it.other)));
            }
        }
        for (index, profile) in self.fargate_profiles.iter().enumerate() {
            out.extend(of(FieldPath::of("fargateProfiles").index(index), &profile.other));
        }
        for (index, addon) in self.addons.iter().enumerate() {
            out.extend(of(FieldPath::of("addons").index(index), &addon.other));
        }
        out
    }
}

/// A cluster as eksctl is told to make it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterConfig {
    /// Name, region, version.
    pub metadata: ClusterMeta,
    /// Zones for a new VPC's subnets; three of the region's if empty.
    pub availability_zones: Vec<String>,
    /// The VPC to make or to use.
    pub vpc: ClusterVpc,
    /// Address family and Service addresses.
    pub kubernetes_network_config: KubernetesNetworkConfig,
    /// Managed node groups.
    pub managed_node_groups: Vec<NodeGroup>,
    /// Self-managed node groups.
    pub node_groups: Vec<NodeGroup>,
    /// Fargate profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fargate_profiles: Vec<FargateProfile>,
    /// Add-ons with their settings.
    pub addons: Vec<Addon>,
    /// How add-ons are chosen.
    pub addons_config: AddonsConfig,
    /// OIDC, service accounts, pod identities.
    pub iam: ClusterIam,
    /// Whether the cluster has no way to the internet.
    pub private_cluster: PrivateCluster,
    /// Fields that eksctl knows and the lab keeps without acting on them.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What the cluster is called and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterMeta {
    /// The cluster's name.
    pub name: String,
    /// Such as `ap-northeast-2`.
    pub region: String,
    /// Such as `1.34`; eksctl's default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The VPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterVpc {
    /// A VPC that is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The block of a new one; `192.168.0.0/16` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<Ipv4Net>,
    /// Further blocks.
    #[serde(rename = "extraCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub extra_cidrs: Vec<String>,
    /// Subnets by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnets: Option<ClusterSubnets>,
    /// How private subnets reach out.
    pub nat: ClusterNat,
    /// Which doors the API endpoint has.
    pub cluster_endpoints: ClusterEndpoints,
    /// Who may use the public door; everybody if empty.
    #[serde(rename = "publicAccessCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub public_access_cidrs: Vec<String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Subnets by name (often the zone's).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterSubnets {
    /// Behind NAT.
    pub private: BTreeMap<String, SubnetSpec>,
    /// With a route to the internet gateway.
    pub public: BTreeMap<String, SubnetSpec>,
}

/// One subnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SubnetSpec {
    /// A subnet that is there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its zone; its name in the map if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub az: Option<String>,
    /// Its block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<Ipv4Net>,
}

/// NAT gateways.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterNat {
    /// How many; one if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<NatGateways>,
}

/// How many NAT gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NatGateways {
    /// None.
    Disable,
    /// One for the VPC.
    Single,
    /// One in each zone.
    HighlyAvailable,
}

/// The doors of the API endpoint; absent means eksctl's default: public only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterEndpoints {
    /// From inside the VPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_access: Option<bool>,
    /// From the internet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_access: Option<bool>,
}

/// A cluster without a way to the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrivateCluster {
    /// Whether it is one.
    pub enabled: bool,
    /// Whether eksctl makes no VPC endpoints.
    pub skip_endpoint_creation: bool,
    /// Services that get an endpoint beside those that nodes need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub additional_endpoint_services: Vec<String>,
}

impl PrivateCluster {
    /// Services that get an endpoint only on demand. Source: eksctl `endpoint_service.go`.
    const OPTIONAL: [&str; 3] = ["cloudformation", "autoscaling", "logs"];

    /// What eksctl objects to.
    fn problem(&self) -> Option<String> {
        let more = &self.additional_endpoint_services;
        if !self.enabled || more.is_empty() {
            return None;
        }
        if self.skip_endpoint_creation {
            return Some("privateCluster.additionalEndpointServices cannot be set when privateCluster.skipEndpointCreation is true".to_owned());
        }
        let mut seen = BTreeSet::new();
        let why = more.iter().find_map(|service| {
            if !Self::OPTIONAL.contains(&service.as_str()) {
                return Some(format!("unsupported endpoint service {service:?}"));
            }
            (!seen.insert(service)).then(|| format!("found duplicate endpoint service: {service:?}"))
        })?;
        Some(format!("invalid value in privateCluster.additionalEndpointServices: {why}"))
    }
}

/// Addresses of Services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct KubernetesNetworkConfig {
    /// `IPv4` or `IPv6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_family: Option<String>,
    /// The block of Service addresses.
    #[serde(rename = "serviceIPv4CIDR", skip_serializing_if = "Option::is_none")]
    pub service_ipv4_cidr: Option<Ipv4Net>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A node group, managed or self-managed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeGroup {
    /// Its name.
    pub name: String,
    /// The one instance type; `m5.large` if neither field is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_type: Option<String>,
    /// Several to choose from (managed groups).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_types: Vec<String>,
    /// Spot instances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot: Option<bool>,
    /// Wanted nodes; two if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_capacity: Option<u32>,
    /// Least number of nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u32>,
    /// Most nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u32>,
    /// Labels of its nodes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Taints of its nodes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "taints")]
    pub taints: Vec<NodeGroupTaint>,
    /// Whether its nodes stand in private subnets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_networking: Option<bool>,
    /// Zones of its nodes; all of the cluster's if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub availability_zones: Vec<String>,
    /// Subnets of its nodes, by id or name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
    /// The kubelet's limit, instead of the formula.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_pods_per_node: Option<u32>,
    /// Such as `AmazonLinux2023`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ami_family: Option<String>,
    /// The image, where it is a certain one: `ami-…` (self-managed groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ami: Option<String>,
    /// Root volume in GiB; 80 if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_size: Option<u32>,
    /// Release of the image (managed groups): `1.34.2-20251120`; the newest if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_version: Option<String>,
    /// How many nodes an update takes away at once (managed groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_config: Option<NodeGroupUpdateConfig>,
    /// Whether EKS repairs its nodes (managed groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_repair_config: Option<NodeRepairConfig>,
    /// Spot and on-demand instances of one group (self-managed groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances_distribution: Option<InstancesDistribution>,
    /// AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Which instances of a self-managed group are spot ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstancesDistribution {
    /// Types to choose from.
    pub instance_types: Vec<String>,
    /// So many are on-demand in any case; none if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_demand_base_capacity: Option<u32>,
    /// So many of a hundred beyond them are on-demand; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_demand_percentage_above_base_capacity: Option<u32>,
    /// Whether one that EC2 is likely to want back is replaced before.
    pub capacity_rebalance: bool,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How many nodes an update takes away at once: a number, or a part of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeGroupUpdateConfig {
    /// So many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable: Option<u32>,
    /// So many of a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_unavailable_percentage: Option<u32>,
}

/// A taint of a node group's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeGroupTaint {
    /// Its key.
    pub key: String,
    /// Its value; may be empty.
    pub value: String,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// A Fargate profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FargateProfile {
    /// Its name.
    pub name: String,
    /// The role of its pods; one that eksctl makes if absent.
    #[serde(rename = "podExecutionRoleARN", skip_serializing_if = "Option::is_none")]
    pub pod_execution_role_arn: Option<String>,
    /// Which pods.
    pub selectors: Vec<FargateSelector>,
    /// Subnets, by id or name; the cluster's private ones if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subnets: Vec<String>,
    /// AWS tags.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl FargateProfile {
    /// What eksctl objects to, in its words. Source: `FargateProfile.Validate` of `v1alpha5/validation.go`.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let name = &self.name;
        if name.is_empty() {
            return Some("invalid Fargate profile: empty name".to_owned());
        }
        if name.starts_with("eks-") {
            return Some(format!("invalid Fargate profile {name:?}: name should NOT start with \"eks-\""));
        }
        if self.selectors.is_empty() {
            return Some(format!("invalid Fargate profile {name:?}: no profile selector"));
        }
        let nowhere = self.selectors.iter().position(|it| it.namespace.is_empty())?;
        Some(format!(
            "invalid Fargate profile {name:?}: invalid profile selector at index #{nowhere}: empty namespace"
        ))
    }
}

/// An add-on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Addon {
    /// Such as `vpc-cni`.
    pub name: String,
    /// A version, or `latest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Settings, as JSON or YAML text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_values: Option<String>,
    /// `none`, `overwrite` or `preserve`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_conflicts: Option<String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// How add-ons are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AddonsConfig {
    /// Pod identities for add-ons that recommend them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_apply_pod_identity_associations: Option<bool>,
    /// Leave out vpc-cni, kube-proxy, coredns and metrics-server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_default_addons: Option<bool>,
}

/// Identity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterIam {
    /// Whether an OIDC provider is made.
    #[serde(rename = "withOIDC", skip_serializing_if = "Option::is_none")]
    pub with_oidc: Option<bool>,
    /// Service accounts with roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service_accounts: Vec<Value>,
    /// Pod identities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pod_identity_associations: Vec<Value>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// Taints as a list, or in the older form `key: value:effect` of self-managed groups.
fn taints<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<NodeGroupTaint>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        List(Vec<NodeGroupTaint>),
        Map(BTreeMap<String, String>),
    }
    Ok(match Option::<Either>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Either::List(taints)) => taints,
        Some(Either::Map(taints)) => taints
            .into_iter()
            .map(|(key, spelt)| {
                let (value, effect) = spelt.split_once(':').unwrap_or(("", &spelt));
                NodeGroupTaint { key, value: value.to_owned(), effect: effect.to_owned() }
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn config(text: &str) -> ClusterConfig {
        read(&text::read(text).documents[0]).0.expect("a config")
    }

    #[test]
    fn a_config_gives_its_vpc_and_its_groups() {
        let config = config(
            "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: tri, region: ap-northeast-2, version: \"1.34\"}\n\
             vpc: {cidr: 10.0.0.0/16, clusterEndpoints: {privateAccess: true}}\n\
             managedNodeGroups:\n- {name: a, instanceType: m5.large, desiredCapacity: 3, taints: [{key: gpu, effect: NoSchedule}], ssh: {allow: false}}\n",
        );
        assert_eq!(config.metadata.version.as_deref(), Some("1.34"));
        assert_eq!(config.vpc.cluster_endpoints.private_access, Some(true));
        assert_eq!(config.managed_node_groups[0].desired_capacity, Some(3));
        assert_eq!(config.managed_node_groups[0].taints[0].key, "gpu");
        assert!(config.managed_node_groups[0].other.contains_key("ssh"));
        assert!(config.other.is_empty());
    }

    #[test]
    fn a_field_that_eksctl_does_not_know_is_refused_in_its_words() {
        let text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a, region: b}\nvpc:\n  cdir: 10.0.0.0/16\n";
        let (config, found) = read(&text::read(text).documents[0]);
        assert!(config.is_none());
        assert_eq!(found[0].span.map(|span| span.line), Some(5));
        assert_eq!(
            refusal("cluster.yaml", &found).as_deref(),
            Some(
                "loading config file \"cluster.yaml\": error unmarshaling JSON: while decoding JSON: json: unknown field \"cdir\""
            )
        );
    }

    #[test]
    fn sizes_that_contradict_each_other_are_refused() {
        let text = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: a, region: b}\nmanagedNodeGroups:\n- {name: x, minSize: 3, desiredCapacity: 2}\n";
        let (_, found) = read(&text::read(text).documents[0]);
        assert_eq!(found[0].message, "cannot use --nodes-min=3 and --nodes=2 at the same time");
    }
}
