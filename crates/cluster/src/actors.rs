//! THE REGISTRY of actors: everything that acts when the world changes, one line each.

use crate::{
    ActorId, Controller, cloud,
    node::{ipamd, join, kubelet, report},
};

/// Every actor, in the order in which they hear of a change.
pub(crate) static ACTORS: &[&(dyn Controller + Sync)] =
    &[&cloud::Ec2, &join::Nodeadm, &report::NodeStatus, &ipamd::Ipamd, &kubelet::Kubelet];

/// The actor with this name.
pub(crate) fn find(id: ActorId) -> Option<&'static (dyn Controller + Sync)> {
    ACTORS.iter().copied().find(|actor| actor.name() == id.0)
}
