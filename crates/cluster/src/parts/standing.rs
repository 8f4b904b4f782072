//! Whose turns are not taken at the moment?
//!
//! INVARIANT: a function of the store's parts, kept beside it so that a step need not ask.

use std::collections::BTreeMap;

use api::{
    SimTime,
    kinds::sim::{Part, PartRole},
};

use super::{Process, silent_since};
use crate::{ClusterId, Store};

/// From when each process of a cluster acts; `None` for not at all.
#[derive(Clone, Copy, Debug)]
struct From {
    clients: Option<SimTime>,
    scheduler: Option<SimTime>,
    controllers: Option<SimTime>,
}

/// Clusters of which some part has been stopped at some time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing(BTreeMap<ClusterId, From>);

impl Standing {
    /// Takes over a change of a cluster's parts.
    pub(crate) fn apply(&mut self, store: &Store, cluster: ClusterId) {
        let parts: Vec<&Part> = super::of(store, cluster).collect();
        if parts.iter().all(|part| part.running && part.acts_from == SimTime::ZERO) {
            self.0.remove(&cluster);
            return;
        }
        let speaks = silent_since(&parts).is_none();
        let from = |role: fn(PartRole) -> bool| {
            let of = || parts.iter().filter(|part| role(part.role));
            let runs = of().next().is_none() || of().any(|part| part.running);
            (speaks && runs).then(|| of().map(|part| part.acts_from).max().unwrap_or(SimTime::ZERO))
        };
        let from = From {
            clients: from(|role| matches!(role, PartRole::ApiServer | PartRole::Etcd)),
            scheduler: from(|role| role == PartRole::Scheduler),
            controllers: from(|role| role == PartRole::ControllerManager),
        };
        self.0.insert(cluster, from);
    }

    /// Whether an actor of this process does not get its turn.
    pub(crate) fn halts(&self, cluster: ClusterId, process: Process, now: SimTime) -> bool {
        let Some(from) = self.0.get(&cluster) else { return false };
        let from = match process {
            Process::ControllerManager => from.controllers,
            Process::Scheduler => from.scheduler,
            Process::Client => from.clients,
            Process::Alone => return false,
        };
        from.is_none_or(|from| now < from)
    }
}
