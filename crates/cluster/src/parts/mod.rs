//! Which parts of a control plane run, and who stands still without them?
//!
//! A part is a `sim/Part`; what runs on a node is the node's `sim/Machine`. A controller whose process does not run hears nothing and does
//! nothing; without an API server, or without a majority of etcd's members, nobody who asks the API server gets on.
//! Back again, a process lists before it watches: everything that is there is new to it, and it catches up by itself.
//! A cluster without parts (a recorded one) has all of them, and they run.
//! This module does not know what the controllers do.
//! Source: etcd documents (quorum); client-go `tools/leaderelection`, `tools/cache/reflector.go`.

mod rejoin;
mod standing;
mod storage;
mod switch;
#[cfg(test)]
mod tests;

use api::{
    Resource, SimTime,
    kinds::sim::{ControlPlane, Part, PartRole, Provider},
    meta::ObjectMeta,
};

pub(crate) use rejoin::Rejoin;
pub(crate) use standing::Standing;
pub use storage::Silence;
pub(crate) use storage::{needs_storage, silence, unanswered};
pub use switch::{Fault, UnknownFault};
pub(crate) use switch::{clear, stop};

use crate::{ClusterId, Store, Turn};

/// In which process an actor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// kube-controller-manager.
    ControllerManager,
    /// kube-scheduler.
    Scheduler,
    /// One of its own, on a node or beside it, that asks the API server.
    Client,
    /// One that gets on without the API server: AWS, the tools, ipamd.
    Alone,
}

/// The parts of a cluster, by name.
pub fn of(store: &Store, cluster: ClusterId) -> impl Iterator<Item = &Part> {
    store.list::<Part>(cluster, None)
}

/// The parts that a new control plane begins with.
///
/// EKS runs at least two API servers, and etcd on three members in three zones.
/// MODEL: scheduler and controller manager run beside every API server there, one of each at work; here each is one part.
/// Source: EKS user guide, "Amazon EKS architecture".
pub(crate) fn lay(turn: &mut Turn<'_>, plane: &ControlPlane, zones: &[String]) {
    let managed = plane.provider == Provider::Eks;
    let named = |role: PartRole, count: usize| {
        let zones: Vec<Option<String>> = match managed {
            true => zones.iter().take(count).cloned().map(Some).collect(),
            false => vec![None],
        };
        zones.into_iter().map(move |zone| (role, zone)).collect::<Vec<_>>()
    };
    let parts = named(PartRole::ApiServer, 2)
        .into_iter()
        .chain(named(PartRole::Etcd, 3))
        .chain([(PartRole::Scheduler, None), (PartRole::ControllerManager, None)]);
    let mut there = Turn::new(turn.world, turn.actor, ClusterId(plane.id), turn.cause);
    for (role, zone) in parts {
        let name = match zone.as_deref().and_then(|zone| zone.chars().last()) {
            Some(letter) => format!("{}-{letter}", word(role)),
            None => word(role).to_owned(),
        };
        let metadata = ObjectMeta { name: Some(name), ..ObjectMeta::default() };
        let part = Part { metadata, role, zone, running: true, ..Part::default() };
        there.put(part.into_object());
    }
}

/// Three zones of a region, those that the cluster uses first: the control plane's own network has three.
pub(crate) fn zones(region: &str, used: &[String]) -> Vec<String> {
    let mut zones: Vec<String> = used.iter().take(3).cloned().collect();
    for letter in ["a", "b", "c"] {
        let zone = format!("{region}{letter}");
        if zones.len() < 3 && !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    zones.sort();
    zones
}

/// What one calls a part of this role.
#[must_use]
pub fn word(role: PartRole) -> &'static str {
    match role {
        PartRole::ApiServer => "api",
        PartRole::Etcd => "etcd",
        PartRole::Scheduler => "scheduler",
        PartRole::ControllerManager => "controller-manager",
    }
}

/// From when the API server has not been able to answer, by the parts of its cluster; `None` while it can.
pub(crate) fn silent_since(parts: &[&Part]) -> Option<SimTime> {
    let of = |role: PartRole| parts.iter().filter(move |part| part.role == role);
    let mut stops: Vec<SimTime> =
        of(PartRole::Etcd).filter(|part| !part.running).map(|part| part.since).collect();
    stops.sort_unstable();
    // With three members the second that stops takes the majority with it.
    let members = of(PartRole::Etcd).count();
    let no_quorum = (members > 0).then(|| stops.get(members.div_ceil(2) - 1)).flatten().copied();
    let no_server = of(PartRole::ApiServer).map(|part| (!part.running).then_some(part.since)).collect();
    let no_server: Option<Vec<SimTime>> = no_server;
    let no_server = no_server.and_then(|stops| stops.into_iter().max());
    [no_quorum, no_server].into_iter().flatten().min()
}

/// When the controller manager began to look, if it has been started anew: what it sees for the first time is fresh to it.
pub(crate) fn controllers_since(store: &Store, cluster: ClusterId) -> SimTime {
    let part = store.get::<Part>(cluster, "", word(PartRole::ControllerManager));
    part.map_or(SimTime::ZERO, |part| part.acts_from)
}
