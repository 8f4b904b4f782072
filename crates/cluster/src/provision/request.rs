//! What can be asked of the tools that make clusters and nodes?

use api::kinds::{
    eks::Care,
    eksctl::{ClusterConfig, FargateProfile, NodeGroup},
    kind_config,
};

use ipnet::Ipv4Net;
use serde_json::Value;

use crate::{ClusterId, import::Import, parts::Fault};

/// One thing asked of eksctl, kind or the lab. What takes time goes on by itself afterwards.
#[derive(Clone, Debug)]
pub enum Provision {
    /// `eksctl create cluster`.
    CreateCluster(Box<ClusterConfig>),
    /// `eksctl delete cluster`.
    DeleteCluster {
        /// Its name.
        name: String,
    },
    /// `eksctl create nodegroup`.
    CreateNodegroup {
        /// Name of the cluster.
        cluster: String,
        /// What to make.
        group: Box<NodeGroup>,
        /// Who looks after it.
        care: Care,
        /// Whether the cluster is told of its nodes' role.
        mapped: bool,
    },
    /// `eksctl upgrade nodegroup`: the newest release of a minor, or a certain one.
    UpgradeNodegroup {
        /// Name of the cluster.
        cluster: String,
        /// Name of the group.
        name: String,
        /// Such as `1.34`; the group's own if absent.
        minor: Option<String>,
        /// Such as `1.34.2-20251120`; the newest if absent.
        release: Option<String>,
        /// Whether pods are deleted that a budget keeps from being evicted.
        force: bool,
    },
    /// `eksctl scale nodegroup`; what is absent stays.
    ScaleNodegroup {
        /// Name of the cluster.
        cluster: String,
        /// Name of the group.
        name: String,
        /// Wanted nodes.
        desired: Option<u32>,
        /// Least number of nodes.
        min: Option<u32>,
        /// Most nodes.
        max: Option<u32>,
    },
    /// `eksctl delete nodegroup`: its nodes are drained, then terminated.
    DeleteNodegroup {
        /// Name of the cluster.
        cluster: String,
        /// Name of the group.
        name: String,
    },
    /// `eksctl create fargateprofile`, `aws eks create-fargate-profile`.
    CreateFargateProfile {
        /// Name of the cluster.
        cluster: String,
        /// What to make.
        profile: Box<FargateProfile>,
    },
    /// `eksctl delete fargateprofile`: its pods are deleted.
    DeleteFargateProfile {
        /// Name of the cluster.
        cluster: String,
        /// Name of the profile.
        name: String,
    },
    /// The end of `eksctl create fargateprofile`: CoreDNS moves to Fargate if a profile selects it.
    ScheduleCoreDns {
        /// Name of the cluster.
        cluster: String,
    },
    /// `eksctl update addon`: `configurationValues` as JSON or YAML text.
    UpdateAddon {
        /// Name of the cluster.
        cluster: String,
        /// Such as `vpc-cni`.
        name: String,
        /// The settings.
        configuration_values: String,
    },
    /// `kind create cluster`.
    CreateKindCluster {
        /// Its name.
        name: String,
        /// Its nodes and network.
        config: Box<kind_config::Cluster>,
        /// Node image for nodes that name none.
        image: Option<String>,
    },
    /// `kind delete cluster`.
    DeleteKindCluster {
        /// Its name.
        name: String,
    },
    /// `lab node add`: one more worker.
    AddNode {
        /// The cluster.
        cluster: ClusterId,
    },
    /// `lab node set-max-pods`: the kubelet starts again with another limit.
    SetMaxPods {
        /// The cluster.
        cluster: ClusterId,
        /// The node.
        node: String,
        /// The limit.
        max_pods: u32,
    },
    /// `lab fault stop` and `lab fault az`: something stops.
    Stop {
        /// The cluster.
        cluster: ClusterId,
        /// What stops.
        fault: Fault,
    },
    /// `lab fault clear` and `lab node restart`: what was stopped runs again.
    Clear {
        /// The cluster.
        cluster: ClusterId,
        /// What runs again; everything without a name.
        fault: Option<Fault>,
    },
    /// `lab import`: somebody's own cluster, as it was.
    Import(Box<Import>),
    /// A node that no tool of the lab made: its object as it is, on a machine whose pods get addresses of a block.
    JoinNode {
        /// The cluster.
        cluster: ClusterId,
        /// The Node with its status, conditions left out.
        node: Box<Value>,
        /// Addresses of its pods.
        pod_cidr: Ipv4Net,
    },
}
