//! What is known of an imported cluster's addresses and waiting pods, and what is not?

use api::{
    k8s::core::v1::{Node, Pod},
    kinds::{
        aws::{Eni, Instance, Subnet},
        cni::IpPool,
    },
};
use cni::SandboxId;
use serde::Serialize;

use super::lay::is_on_host;
use crate::{
    ClusterId, Store, World,
    cloud::{self, eni},
    node::ipamd::pods_allowed,
    what_if::Subject,
};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    /// Its name.
    pub name: String,
    /// Its instance type; empty if nothing says it.
    pub instance_type: String,
    /// The kubelet's limit.
    pub max_pods: u32,
    /// Pods on it that have not ended.
    pub pods: u32,
    /// Those of them that need an address of their own.
    pub with_address: u32,
    /// What its interfaces hold; nothing if they are not given.
    pub held: Option<Held>,
}

/// What a node's interfaces hold of its subnets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// Interfaces.
    pub enis: u32,
    /// Addresses, the interfaces' own included.
    pub addresses: u32,
    /// Addresses that pods could have and no pod has.
    pub spare: u32,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetRow {
    /// Its id.
    pub name: String,
    /// Its block.
    pub cidr: String,
    /// Addresses that EC2 does not keep for itself.
    pub usable: u32,
    /// Free ones.
    pub free: u32,
    /// Taken by something that was not given.
    pub held_unseen: u32,
}

/// A pod that does not run, and what holds it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// `namespace/name`.
    pub pod: String,
    /// What owns it, as `namespace/kind/name`; a ReplicaSet's Deployment where its name tells it.
    pub owner: Option<String>,
    /// What holds it up.
    pub why: Why,
}

/// What holds a pod up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// No node takes it: the scheduler's message.
    NoNode(String),
    /// A node would take it by all that was given: what holds it up was not.
    Fits(String),
    /// It has a node, and the node has no address for it.
    NoAddress(String),
    /// It has a node, and its containers wait: the reason that its status gives.
    OnNode {
        /// The node.
        node: String,
        /// Such as `ContainerCreating`.
        reason: String,
        /// As the status says it.
        message: String,
    },
}

/// Something that was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Missing {
    /// `aws ec2 describe-subnets`.
    Subnets,
    /// `aws ec2 describe-network-interfaces`.
    Interfaces,
    /// The controllers of pods: nothing is made or replaced.
    Owners,
    /// Pods of kube-system: the CNI's settings stand in aws-node's.
    AwsNode,
}

/// An imported cluster in figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Nodes by name.
    pub nodes: Vec<NodeRow>,
    /// Subnets by name.
    pub subnets: Vec<SubnetRow>,
    /// Pods that do not run.
    pub waiting: Vec<Waiting>,
    /// What was not given.
    pub missing: Vec<Missing>,
}

/// The figures of a cluster as it is.
#[must_use]
pub fn account(world: &World, cluster: ClusterId) -> Account {
    let store = world.store();
    let nodes = nodes(store, cluster);
    let subnets: Vec<SubnetRow> =
        store.list::<Subnet>(ClusterId::WORLD, None).map(|it| subnet(store, it)).collect();
    let pods = || store.list::<Pod>(cluster, None);
    let waiting =
        pods().filter(|pod| phase(pod) == "Pending").map(|pod| waiting(world, cluster, pod)).collect();
    let owned =
        |pod: &Pod| pod.metadata.owner_references.iter().flatten().any(|it| it.controller == Some(true));
    let missing = [
        (Missing::Subnets, subnets.is_empty()),
        (Missing::Interfaces, nodes.iter().any(|node| node.held.is_none())),
        (Missing::Owners, pods().any(owned)),
        (Missing::AwsNode, !pods().any(crate::node::ipamd::is_aws_node)),
    ];
    Account {
        nodes,
        subnets,
        waiting,
        missing: missing.into_iter().filter(|(_, so)| *so).map(|(what, _)| what).collect(),
    }
}

/// The nodes of a cluster by name, with what they hold.
pub(super) fn nodes(store: &Store, cluster: ClusterId) -> Vec<NodeRow> {
    store.list::<Node>(cluster, None).map(|node| row(store, cluster, node)).collect()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|it| it.phase.as_deref()).unwrap_or_default()
}

/// The instance that a node runs on, as far as it is known.
pub(super) fn instance_of<'s>(store: &'s Store, node: &str) -> Option<&'s Instance> {
    store.instances_of(node).next()
}

/// Pods on a node that have not ended.
fn living<'s>(store: &'s Store, cluster: ClusterId, node: &str) -> impl Iterator<Item = &'s Pod> {
    store.pods_on(cluster, node).filter(|pod| !matches!(phase(pod), "Succeeded" | "Failed"))
}

/// Pods on a node that have not ended and need an address of their own, as ipamd calls them.
pub(super) fn pods_with_address(store: &Store, cluster: ClusterId, node: &str) -> Vec<SandboxId> {
    let own = living(store, cluster, node).filter(|pod| !is_on_host(pod));
    let name = |it: &Option<String>| it.clone().unwrap_or_default();
    own.map(|it| SandboxId(format!("{}/{}", name(&it.metadata.namespace), name(&it.metadata.name)))).collect()
}

fn row(store: &Store, cluster: ClusterId, node: &Node) -> NodeRow {
    let name = node.metadata.name.clone().unwrap_or_default();
    let label = node.metadata.labels.as_ref().and_then(|it| it.get("node.kubernetes.io/instance-type"));
    let instance = instance_of(store, &name).and_then(|it| it.metadata.name.as_deref());
    let enis: Vec<&Eni> = instance.map(|it| store.enis_of(it).collect()).unwrap_or_default();
    let pool = store.get::<IpPool>(cluster, "", &name);
    let held = pool.filter(|_| !enis.is_empty()).map(|pool| Held {
        enis: u32::try_from(enis.len()).unwrap_or(u32::MAX),
        addresses: enis.iter().map(|it| eni::addresses(it)).sum(),
        spare: cni::figures(pool, cni::COOLDOWN, api::SimTime::ZERO).available(),
    });
    NodeRow {
        instance_type: label.cloned().unwrap_or_default(),
        max_pods: pods_allowed(node),
        pods: u32::try_from(living(store, cluster, &name).count()).unwrap_or(u32::MAX),
        with_address: u32::try_from(pods_with_address(store, cluster, &name).len()).unwrap_or(u32::MAX),
        held,
        name,
    }
}

fn subnet(store: &Store, it: &Subnet) -> SubnetRow {
    SubnetRow {
        name: it.metadata.name.clone().unwrap_or_default(),
        cidr: it.cidr.to_string(),
        usable: cni::subnet::usable(it.cidr),
        free: cloud::subnet::free(store, it),
        held_unseen: it.held_unseen,
    }
}

fn waiting(world: &World, cluster: ClusterId, pod: &Pod) -> Waiting {
    let (namespace, name) = (
        pod.metadata.namespace.as_deref().unwrap_or_default(),
        pod.metadata.name.as_deref().unwrap_or_default(),
    );
    let node = pod.spec.as_ref().and_then(|it| it.node_name.clone()).filter(|it| !it.is_empty());
    let why = match node {
        None => match Subject::of(world, cluster, namespace, name).map(|it| it.ask(|it| it.decide(&[]))) {
            Some(decision) => match decision.node {
                Some(node) => Why::Fits(node),
                None => Why::NoNode(decision.message.unwrap_or_default()),
            },
            None => Why::NoNode(String::new()),
        },
        Some(node) => {
            let pool = world.store().get::<IpPool>(cluster, "", &node);
            let spare = pool.map(|pool| cni::figures(pool, cni::COOLDOWN, api::SimTime::ZERO).available());
            let (reason, message) = held_up(pod);
            match (spare, reason.as_str()) {
                (Some(0), "ContainerCreating" | "PodInitializing") if !is_on_host(pod) => {
                    Why::NoAddress(node)
                }
                _ => Why::OnNode { node, reason, message },
            }
        }
    };
    Waiting { pod: format!("{namespace}/{name}"), owner: owner(pod, namespace), why }
}

/// What owns a pod. A ReplicaSet of a Deployment is called after it and after the hash of its template.
///
/// Source: kubernetes, pkg/controller/deployment/sync.go (getNewReplicaSet).
fn owner(pod: &Pod, namespace: &str) -> Option<String> {
    let owner = pod.metadata.owner_references.iter().flatten().find(|it| it.controller == Some(true))?;
    let hash = pod.metadata.labels.as_ref().and_then(|it| it.get("pod-template-hash"));
    let deployment = hash.and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'));
    Some(match deployment.filter(|_| owner.kind == "ReplicaSet") {
        Some(name) => format!("{namespace}/deployment/{name}"),
        None => format!("{namespace}/{}/{}", owner.kind.to_lowercase(), owner.name),
    })
}

/// Why the first container of a pod waits, as its status says it.
fn held_up(pod: &Pod) -> (String, String) {
    let status = pod.status.as_ref();
    let all = status.map(|it| it.init_container_statuses.iter().chain(&it.container_statuses).flatten());
    let mut waits = all.into_iter().flatten().filter_map(|it| it.state.as_ref()?.waiting.as_ref());
    let first = waits.next();
    let said = |it: &Option<String>| it.clone().unwrap_or_default();
    first.map_or_else(|| ("Pending".to_owned(), String::new()), |it| (said(&it.reason), said(&it.message)))
}
