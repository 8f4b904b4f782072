//! THE REGISTRY of actors: everything that acts when the world changes, one line each.
//!
//! The controllers of the control plane have a registry of their own, beside them.

use crate::{
    ActorId, Controller, cloud,
    controllers::CONTROLLERS,
    node::{ipamd, join, kindnet, kubelet, kwok, report},
    parts, provision, scheduler,
};

/// Actors outside the controller manager: the scheduler, the cloud, machines, what runs on nodes, who makes them.
static OTHERS: &[&(dyn Controller + Sync)] = &[
    &scheduler::Scheduler,
    &cloud::Ec2,
    &cloud::ebs::EbsCsi,
    &join::Nodeadm,
    &report::NodeStatus,
    &ipamd::Ipamd,
    &kindnet::Kindnet,
    &kwok::Kwok,
    &kubelet::Kubelet,
    &provision::Eks,
    &provision::Nodegroups,
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
