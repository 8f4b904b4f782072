//! Who gives pods network interfaces of their own?
//!
//! EKS's vpc-resource-controller. Every EC2 node has a CNINode; where ipamd asks there for `SecurityGroupsForPods`, the
//! node's instance gets a trunk ENI and the node offers `vpc.amazonaws.com/pod-eni`. A pod that a SecurityGroupPolicy means
//! asks for one ([`crate::apiserver`]'s admission) and, once it is on a node, gets a branch ENI, which an annotation tells
//! ipamd of. Branches of pods that are gone rest before they are deleted.
//! MODEL: a trunk's limit of branches comes from the instance table; no finalizer keeps a CNINode.
//! Source: amazon-vpc-resource-controller-k8s at b8d4251, `pkg/node/manager`, `pkg/provider/branch`.

mod branch;
pub(crate) mod policy;
#[cfg(test)]
mod tests;
mod trunk;

use std::net::IpAddr;

use api::{
    ApiStatus, Kind, Object, Stored,
    custom::Definition,
    k8s::core::v1::{Node, Pod},
    kinds::aws::{Eni, InstanceState},
};
use serde_json::{Value, json};

use crate::{
    Change, ClusterId, Controller, Key, Next, Store, Turn, addons, cloud::instance, node::cluster_named,
    parts::Process,
};

/// What a node offers, a pod asks for, and an annotation describes.
pub(crate) const POD_ENI: &str = "vpc.amazonaws.com/pod-eni";
/// The security groups of a pod's own machine on Fargate, with commas between them.
pub(crate) const FARGATE_GROUPS: &str = "fargate.amazonaws.com/pod-sg";
/// What ipamd writes into a CNINode.
const FEATURE: &str = "SecurityGroupsForPods";
const CUSTOM_NETWORKING: &str = "CustomNetworking";

const CRDS: &str = include_str!("crds.yaml");

/// The definitions that EKS puts into every cluster.
pub(crate) fn definitions() -> Vec<Object> {
    addons::objects(CRDS, &[])
}

thread_local! {
    static KINDS: (Kind, Kind) = {
        let kind = |plural: &str, version: &str| {
            let all = definitions();
            let mut found = all.iter().filter_map(|object| match object {
                Object::Stored(stored) => Definition::of(stored),
                _ => None,
            });
            let found = found.find(|definition| definition.plural == plural);
            found.map_or(Kind::CustomResourceDefinition, |definition| definition.kind(version))
        };
        (kind("securitygrouppolicies", "v1beta1"), kind("cninodes", "v1alpha1"))
    };
}

/// SecurityGroupPolicy.
pub(crate) fn policy_kind() -> Kind {
    KINDS.with(|kinds| kinds.0)
}

/// CNINode.
fn cni_node_kind() -> Kind {
    KINDS.with(|kinds| kinds.1)
}

/// Whether a pod asks for a branch ENI; only its first container is looked at.
pub(crate) fn asks(pod: &Pod) -> bool {
    let first = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    let limits = first.and_then(|container| container.resources.as_ref()?.limits.as_ref());
    limits.is_some_and(|limits| limits.contains_key(POD_ENI))
}

/// Whether a pod has a branch ENI.
pub(crate) fn is_annotated(pod: &Pod) -> bool {
    [false, true].iter().any(|ipv6| annotated(pod, *ipv6).is_some())
}

/// The branch ENI that a pod's annotation names: its id and its address of the cluster's family.
pub(crate) fn annotated(pod: &Pod, ipv6: bool) -> Option<(String, IpAddr)> {
    let text = pod.metadata.annotations.as_ref()?.get(POD_ENI)?;
    let first = serde_json::from_str::<Value>(text).ok()?.get(0)?.clone();
    let address = if ipv6 { &first["ipv6Addr"] } else { &first["privateIp"] };
    Some((first["eniId"].as_str()?.to_owned(), address.as_str()?.parse().ok()?))
}

/// The value of a feature of a node's CNINode, if it has that feature.
fn feature(store: &Store, cluster: ClusterId, node: &str, name: &str) -> Option<String> {
    let object = store.object(&Key::new(cluster, cni_node_kind(), "", node))?;
    let Object::Stored(cni_node) = &**object else { return None };
    let features = cni_node.body.get("spec")?.get("features")?.as_array()?;
    let found = features.iter().find(|feature| feature["name"] == name)?;
    Some(found["value"].as_str().unwrap_or_default().to_owned())
}

/// What ipamd writes: that its node wants a trunk, and under custom networking which ENIConfig says where.
pub(crate) fn ask_for_trunk(turn: &mut Turn<'_>, node: &str, eni_config: Option<&str>) {
    let Some(object) = turn.store().object(&turn.key(cni_node_kind(), "", node)).cloned() else { return };
    let Object::Stored(cni_node) = &*object else { return };
    let mut wanted = Vec::new();
    wanted.extend(eni_config.map(|name| json!({"name": CUSTOM_NETWORKING, "value": name})));
    wanted.push(json!({ "name": FEATURE }));
    let mut cni_node: Stored = (**cni_node).clone();
    let mut spec = cni_node.body.get("spec").cloned().unwrap_or_else(|| json!({}));
    if spec["features"] != json!(wanted) {
        spec["features"] = json!(wanted);
        cni_node.body.insert("spec".to_owned(), spec);
        // A refusal is a conflict with another writer: the container's next start tries again.
        let _ = turn.update_object(Object::Stored(Box::new(cni_node)));
    }
}

/// Gives nodes trunks and pods branches.
pub struct VpcResourceController;

impl Controller for VpcResourceController {
    fn name(&self) -> &'static str {
        "vpc-resource-controller"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let object = change.after.as_deref().or(change.before.as_deref());
        let Some(object) = object else { return };
        let cluster = change.key.cluster;
        match object {
            Object::Node(node) if provided(node) => wake(change.key.clone()),
            Object::Stored(stored) if stored.kind == cni_node_kind() => {
                wake(Key::new(cluster, Kind::Node, "", &change.key.name));
            }
            Object::Pod(pod) if asks(pod) => wake(change.key.clone()),
            Object::Eni(eni) => {
                let trunk = match &eni.branch {
                    Some(branch) => store.get::<Eni>(ClusterId::WORLD, "", &branch.trunk),
                    None => Some(&**eni).filter(|eni| eni.trunk),
                };
                let of = trunk.and_then(|trunk| instance::get(store, trunk.instance.as_deref()?));
                let there = of.and_then(|it| cluster_named(store, it.cluster.as_deref()?));
                if let (Some(cluster), Some(node)) = (there, of.and_then(|it| it.node.as_deref())) {
                    wake(Key::new(cluster, Kind::Node, "", node));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        match key.kind {
            Kind::Pod => branch::keep(turn, key),
            _ => trunk::keep(turn, &key.name),
        }
    }
}

/// Whether a node is an EC2 instance.
fn provided(node: &Node) -> bool {
    let provider = node.spec.as_ref().and_then(|spec| spec.provider_id.as_deref());
    provider.is_some_and(|provider| provider.starts_with("aws:///") && provider.contains("/i-"))
}

/// The instance that a node runs on.
fn instance_of(store: &Store, node: &str) -> Option<api::kinds::aws::Instance> {
    store.instances_of(node).find(|it| it.state == InstanceState::Running).cloned()
}

/// The trunk of an instance.
fn trunk_of<'s>(store: &'s Store, instance: &str) -> Option<&'s Eni> {
    store.enis_of(instance).find(|eni| eni.trunk)
}
