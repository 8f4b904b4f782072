//! What happens on a node?
//!
//! A machine boots and joins ([`join`]), reports itself ([`report`]), runs pods ([`kubelet`]), ends them when it runs short ([`eviction`]), hands out addresses
//! ([`ipamd`]) and keeps rules for Services ([`kube_proxy`]). Each is an actor whose memory is in the store: machines,
//! sandboxes, address pools. Nothing here places a pod.

pub mod capacity;
pub mod eviction;
pub mod fargate;
mod image_list;
mod images;
pub mod ipamd;
pub mod join;
pub mod kindnet;
pub mod kube_proxy;
pub mod kubelet;
pub mod kwok;
mod reach;
pub mod report;

use api::{
    k8s::core::v1::{Node, Pod},
    kinds::sim::ControlPlane,
};

use crate::{ClusterId, Store};

/// Which part of the store a cluster's own is.
#[must_use]
pub fn cluster_named(store: &Store, name: &str) -> Option<ClusterId> {
    store.get::<ControlPlane>(ClusterId::WORLD, "", name).map(|plane| ClusterId(plane.id))
}

/// Whether pods and Services of a cluster have IPv6 addresses.
#[must_use]
pub fn is_ipv6(store: &Store, cluster: ClusterId) -> bool {
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0);
    plane.is_some_and(|plane| plane.service_cidr.addr().is_ipv6())
}

/// The address a node reports as its own.
#[must_use]
pub fn internal_ip(node: &Node) -> Option<&str> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.as_str())
}

/// Whether a pod has ended for good.
pub(crate) fn finished(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}
