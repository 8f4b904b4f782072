//! THE REGISTRY of actors: everything that acts when the world changes, one line each.
//!
//! The controllers of the control plane have a registry of their own, beside them.

use crate::{
    ActorId, Controller, addons, cloud, cloud_controller,
    controllers::CONTROLLERS,
    node::{eviction, fargate, ipamd, join, kindnet, kubelet, kwok, report},
    parts, provision, scheduler, vpc_resource,
};

/// Actors outside the controller manager: the scheduler, the cloud, machines, what runs on nodes, who makes them.
static OTHERS: &[&(dyn Controller + Sync)] = &[
    &scheduler::Scheduler,
    &cloud::Ec2,
    &cloud_controller::ServiceController,
    &cloud::ebs::EbsCsi,
    &join::Nodeadm,
    &report::NodeStatus,
    &ipamd::Ipamd,
    &vpc_resource::VpcResourceController,
    &kindnet::Kindnet,
    &kwok::Kwok,
    &kubelet::Kubelet,
    &eviction::Evictions,
    &fargate::FargateScheduler,
    &provision::Eks,
    &provision::Nodegroups,
    &addons::Addons,
    &provision::FargateProfiles,
    &parts::Rejoin,
];

/// Every actor, in the order in which they hear of a change.
pub(crate) fn all() -> impl Iterator<Item = &'static (dyn Controller + Sync)> {
    CONTROLLERS.iter().chain(OTHERS).copied()
}

/// The actor with this name.
pub(crate) fn find(id: ActorId) -> Option<&'static (dyn Controller + Sync)> {
    all().find(|actor| actor.name() == id.0)
}

/// As which manager of fields an actor writes; empty for who is noted nowhere.
pub(crate) fn manager(id: ActorId) -> &'static str {
    let is = |actor: &(dyn Controller + Sync)| actor.name() == id.0;
    if id.0 == "customresourcedefinition-controller" {
        // It lives in the API server.
        "kube-apiserver"
    } else if CONTROLLERS.iter().any(|actor| is(*actor)) {
        "kube-controller-manager"
    } else if is(&scheduler::Scheduler) {
        "kube-scheduler"
    } else if is(&kubelet::Kubelet) || is(&report::NodeStatus) || is(&eviction::Evictions) {
        "kubelet"
    } else {
        ""
    }
}
