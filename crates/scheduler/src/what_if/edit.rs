//! Which single changes can be imagined, and what do they do to a pod or a node?
//!
//! An [`Edit`] is one change that a person could make: on the pod's side (in its manifest or its owner's template) or on
//! the nodes' side. It changes objects, so whatever is decided afterwards is decided on real objects. It does not know
//! how one would type it, nor whether it helps.

use std::collections::BTreeMap;

use api::k8s::core::v1::{Container, Node, Pod, PodSpec, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;
use serde::{Deserialize, Serialize};

use crate::table::HOSTNAME;

/// Taints with these prefixes follow a condition of the node: who takes one away gets it back.
const CONDITION_TAINTS: [&str; 2] = ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"];
/// The taint that goes with `kubectl cordon`.
const CORDONED: &str = "node.kubernetes.io/unschedulable";

/// One change. Where an edit names a place in a list of the pod, the place is that of the pod as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Edit {
    /// Pod: a scheduling gate goes.
    LiftGate {
        /// Its name.
        gate: String,
    },
    /// Pod: a toleration more.
    Tolerate {
        /// The taint's key.
        key: String,
        /// The taint's value; may be empty.
        value: String,
        /// The taint's effect.
        effect: String,
    },
    /// Pod: a container asks for another amount.
    Request {
        /// Its name; empty for the pod as a whole.
        container: String,
        /// Such as `cpu`.
        resource: String,
        /// Such as `100m`.
        amount: String,
    },
    /// Pod: a key of the node selector goes.
    DropNodeSelector {
        /// The key.
        key: String,
    },
    /// Pod: a spreading constraint goes.
    DropSpread {
        /// Its place in `topologySpreadConstraints`.
        at: u32,
        /// Its node label.
        topology_key: String,
    },
    /// Pod: a required term of pod affinity goes.
    DropPodAffinity {
        /// Its place.
        at: u32,
        /// Its node label.
        topology_key: String,
    },
    /// Pod: a required term of pod anti-affinity goes.
    DropPodAntiAffinity {
        /// Its place.
        at: u32,
        /// Its node label.
        topology_key: String,
    },
    /// Pod: required node affinity goes, all of it: its terms are alternatives, so one less would make it narrower.
    DropNodeAffinity,
    /// Pod: a container's port no longer takes a port of the node.
    DropHostPort {
        /// The node's port.
        port: i32,
        /// `TCP`, `UDP` or `SCTP`.
        protocol: String,
    },
    /// Node: takes new pods again.
    Uncordon {
        /// Its name.
        node: String,
    },
    /// Node: a label more, or another value of one.
    Label {
        /// Its name.
        node: String,
        /// The label's key.
        key: String,
        /// The label's value.
        value: String,
    },
    /// Node: a label less.
    Unlabel {
        /// Its name.
        node: String,
        /// The label's key.
        key: String,
    },
    /// Node: a taint less.
    RemoveTaint {
        /// Its name.
        node: String,
        /// The taint's key.
        key: String,
        /// The taint's effect.
        effect: String,
    },
    /// Cluster: one more node of the same kind.
    AddNode {
        /// The node it is like.
        like: String,
    },
    /// Node: may hold more pods.
    RaiseMaxPods {
        /// Its name.
        node: String,
        /// How many then.
        pods: i64,
    },
    /// Cluster: another pod goes.
    DeletePod {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// Who has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The pod, or the template it comes from.
    Pod,
    /// A node, or the set of nodes.
    Node,
}

impl Edit {
    /// Who has to change.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            Edit::LiftGate { .. }
            | Edit::Tolerate { .. }
            | Edit::Request { .. }
            | Edit::DropNodeSelector { .. }
            | Edit::DropSpread { .. }
            | Edit::DropPodAffinity { .. }
            | Edit::DropPodAntiAffinity { .. }
            | Edit::DropNodeAffinity
            | Edit::DropHostPort { .. } => Side::Pod,
            Edit::Uncordon { .. }
            | Edit::Label { .. }
            | Edit::Unlabel { .. }
            | Edit::RemoveTaint { .. }
            | Edit::AddNode { .. }
            | Edit::RaiseMaxPods { .. }
            | Edit::DeletePod { .. } => Side::Node,
        }
    }

    /// The node it changes, for an edit that changes one.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        match self {
            Edit::Uncordon { node }
            | Edit::Label { node, .. }
            | Edit::Unlabel { node, .. }
            | Edit::RemoveTaint { node, .. }
            | Edit::RaiseMaxPods { node, .. } => Some(node),
            Edit::LiftGate { .. }
            | Edit::Tolerate { .. }
            | Edit::Request { .. }
            | Edit::DropNodeSelector { .. }
            | Edit::DropSpread { .. }
            | Edit::DropPodAffinity { .. }
            | Edit::DropPodAntiAffinity { .. }
            | Edit::DropNodeAffinity
            | Edit::DropHostPort { .. }
            | Edit::AddNode { .. }
            | Edit::DeletePod { .. } => None,
        }
    }

    /// How much it disturbs what runs: of fixes with equally many edits, the milder one is better.
    #[must_use]
    pub fn weight(&self) -> u32 {
        match self {
            Edit::LiftGate { .. } => 0,
            Edit::Tolerate { .. } => 1,
            Edit::Request { .. } => 2,
            Edit::DropNodeSelector { .. }
            | Edit::DropSpread { .. }
            | Edit::DropPodAffinity { .. }
            | Edit::DropPodAntiAffinity { .. }
            | Edit::DropNodeAffinity => 3,
            Edit::DropHostPort { .. } => 4,
            Edit::Uncordon { .. } => 5,
            Edit::Label { .. } | Edit::Unlabel { .. } | Edit::RemoveTaint { .. } => 6,
            Edit::AddNode { .. } => 7,
            Edit::RaiseMaxPods { .. } => 8,
            Edit::DeletePod { .. } => 9,
        }
    }
}

/// Whether a taint follows a condition of its node, or says what kind of machine it is: not for people to take away.
#[must_use]
pub fn is_given(taint: &str) -> bool {
    CONDITION_TAINTS.iter().any(|prefix| taint.starts_with(prefix))
        || taint == "eks.amazonaws.com/compute-type"
}

/// Whether a label is a person's to set. Others say what the machine is or where it stands; writing something else there
/// would not make it so.
#[must_use]
pub fn is_ours(label: &str) -> bool {
    let Some((domain, _)) = label.split_once('/') else { return true };
    let belongs =
        |owner: &str| domain == owner || domain.strip_suffix(owner).is_some_and(|it| it.ends_with('.'));
    let free = ["node-role.kubernetes.io", "node-restriction.kubernetes.io"];
    free.contains(&domain)
        || !["kubernetes.io", "k8s.io", "amazonaws.com", "eksctl.io", "karpenter.sh"].into_iter().any(belongs)
}

/// The pod after edits; those of the nodes' side do nothing here.
#[must_use]
pub fn edited_pod(pod: &Pod, edits: &[Edit]) -> Pod {
    let mut pod = pod.clone();
    if let Some(spec) = &mut pod.spec {
        edit_spec(spec, edits);
    }
    pod
}

/// Makes edits in a pod's spec or in that of a template.
pub fn edit_spec(spec: &mut PodSpec, edits: &[Edit]) {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    // From the end: what goes from a list does not move what is named before it.
    edits.sort_unstable();
    for edit in edits.into_iter().rev() {
        edit_one(spec, edit);
    }
}

fn edit_one(spec: &mut PodSpec, edit: &Edit) {
    match edit {
        Edit::LiftGate { gate } => {
            shrink(&mut spec.scheduling_gates, |gates| gates.retain(|it| it.name != *gate));
        }
        Edit::Tolerate { key, value, effect } => {
            let equal = !value.is_empty();
            spec.tolerations.get_or_insert_default().push(Toleration {
                key: Some(key.clone()),
                operator: Some(if equal { "Equal" } else { "Exists" }.to_owned()),
                value: equal.then(|| value.clone()),
                effect: Some(effect.clone()),
                ..Toleration::default()
            });
        }
        Edit::Request { container, resource, amount } => {
            let amount = Written(amount.clone());
            let resources = if container.is_empty() {
                Some(spec.resources.get_or_insert_default())
            } else {
                containers(spec)
                    .find(|it| it.name == *container)
                    .map(|it| it.resources.get_or_insert_default())
            };
            if let Some(resources) = resources {
                resources.requests.get_or_insert_default().insert(resource.clone(), amount);
            }
        }
        Edit::DropNodeSelector { key } => {
            let selector = spec.node_selector.get_or_insert_default();
            selector.remove(key);
            spec.node_selector = spec.node_selector.take().filter(|it| !it.is_empty());
        }
        Edit::DropSpread { at, .. } => shrink(&mut spec.topology_spread_constraints, |all| remove(all, *at)),
        Edit::DropPodAffinity { at, .. } => {
            if let Some(near) = spec.affinity.as_mut().and_then(|it| it.pod_affinity.as_mut()) {
                shrink(&mut near.required_during_scheduling_ignored_during_execution, |all| remove(all, *at));
            }
        }
        Edit::DropPodAntiAffinity { at, .. } => {
            if let Some(far) = spec.affinity.as_mut().and_then(|it| it.pod_anti_affinity.as_mut()) {
                shrink(&mut far.required_during_scheduling_ignored_during_execution, |all| remove(all, *at));
            }
        }
        Edit::DropNodeAffinity => {
            if let Some(affinity) = spec.affinity.as_mut().and_then(|it| it.node_affinity.as_mut()) {
                affinity.required_during_scheduling_ignored_during_execution = None;
            }
        }
        Edit::DropHostPort { port, protocol } => {
            let taken = |it: &api::k8s::core::v1::ContainerPort| {
                it.host_port == Some(*port) && it.protocol.as_deref().unwrap_or("TCP") == protocol
            };
            for port in containers(spec).flat_map(|it| it.ports.iter_mut().flatten()).filter(|it| taken(it)) {
                (port.host_port, port.host_ip) = (None, None);
            }
        }
        Edit::Uncordon { .. }
        | Edit::Label { .. }
        | Edit::Unlabel { .. }
        | Edit::RemoveTaint { .. }
        | Edit::AddNode { .. }
        | Edit::RaiseMaxPods { .. }
        | Edit::DeletePod { .. } => {}
    }
}

fn containers(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.init_containers.iter_mut().flatten().chain(&mut spec.containers)
}

/// Changes a list; an empty one is no list.
fn shrink<T>(list: &mut Option<Vec<T>>, change: impl FnOnce(&mut Vec<T>)) {
    if let Some(all) = list {
        change(all);
    }
    *list = list.take().filter(|it| !it.is_empty());
}

fn remove<T>(all: &mut Vec<T>, at: u32) {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    if at < all.len() {
        all.remove(at);
    }
}

/// The node after edits; those that concern another, or no node, do nothing here.
#[must_use]
pub fn edited_node(node: &Node, edits: &[Edit]) -> Node {
    let mut node = node.clone();
    let name = node.metadata.name.clone().unwrap_or_default();
    for edit in edits.iter().filter(|it| it.node() == Some(name.as_str())) {
        let spec = node.spec.get_or_insert_default();
        match edit {
            Edit::Uncordon { .. } => {
                spec.unschedulable = None;
                shrink(&mut spec.taints, |taints| taints.retain(|it| it.key != CORDONED));
            }
            Edit::RemoveTaint { key, effect, .. } => {
                shrink(&mut spec.taints, |taints| taints.retain(|it| it.key != *key || it.effect != *effect));
            }
            Edit::Label { key, value, .. } => {
                node.metadata.labels.get_or_insert_default().insert(key.clone(), value.clone());
            }
            Edit::Unlabel { key, .. } => {
                node.metadata.labels.get_or_insert_default().remove(key);
            }
            Edit::RaiseMaxPods { pods, .. } => {
                let allocatable = node.status.get_or_insert_default().allocatable.get_or_insert_default();
                allocatable.insert("pods".to_owned(), Written(pods.to_string()));
            }
            Edit::LiftGate { .. }
            | Edit::Tolerate { .. }
            | Edit::Request { .. }
            | Edit::DropNodeSelector { .. }
            | Edit::DropSpread { .. }
            | Edit::DropPodAffinity { .. }
            | Edit::DropPodAntiAffinity { .. }
            | Edit::DropNodeAffinity
            | Edit::DropHostPort { .. }
            | Edit::AddNode { .. }
            | Edit::DeletePod { .. } => {}
        }
    }
    node
}

/// A fresh node like another: the same machine and labels under a name of its own, nothing wrong with it, no image on it.
#[must_use]
pub fn fresh_node(like: &Node, name: &str) -> Node {
    let mut labels: BTreeMap<String, String> = like.metadata.labels.clone().unwrap_or_default();
    labels.insert(HOSTNAME.to_owned(), name.to_owned());
    let mut node = Node::default();
    node.metadata.name = Some(name.to_owned());
    node.metadata.labels = Some(labels);
    let taints = like.spec.as_ref().and_then(|it| it.taints.clone()).unwrap_or_default();
    let kept = |key: &str| !CONDITION_TAINTS.iter().any(|prefix| key.starts_with(prefix));
    node.spec.get_or_insert_default().taints = Some(taints.into_iter().filter(|it| kept(&it.key)).collect());
    let status = like.status.as_ref();
    node.status.get_or_insert_default().allocatable = status.and_then(|it| it.allocatable.clone());
    node
}
