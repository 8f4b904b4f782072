//! What does the autoscaler remember of what it thought and did?
//!
//! The sizes it recommended and the changes it made, for as long as its rules look back. Nobody sees these; they are
//! lost with the process. Source: `pkg/controller/podautoscaler/horizontal.go` (`recommendations`, `scaleUpEvents`).

use api::{SimDuration, SimTime, digest::Digest};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::{ClusterId, Key};

/// Rules look back an hour at most.
const LONGEST: SimDuration = SimDuration::secs(3600);

/// What is remembered of one autoscaler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// Sizes that it recommended.
    pub(super) recommended: Vec<(SimTime, i32)>,
    /// Changes that it made: pods added, or removed if negative.
    pub(super) changes: Vec<(SimTime, i32)>,
}

impl Past {
    /// Pods added and pods removed since then.
    pub(super) fn changed(&self, since: SimTime) -> (i32, i32) {
        let recent = self.changes.iter().filter(|(at, _)| *at > since).map(|(_, change)| *change);
        recent.fold((0, 0), |(up, down), change| (up + change.max(0), down + (-change).max(0)))
    }

    fn forget(&mut self, now: SimTime) {
        let recent = |(at, _): &(SimTime, i32)| now.since(*at) <= LONGEST;
        self.recommended.retain(recent);
        self.changes.retain(recent);
    }
}

/// What is remembered of all autoscalers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recommendations(GenericOrdMap<Key, Past, RcK>);

impl Recommendations {
    /// The past of an autoscaler; a new one begins with the size that is found.
    pub(super) fn of(&mut self, key: &Key, found: i32, now: SimTime) -> Past {
        let fresh = || Past { recommended: vec![(now, found)], changes: Vec::new() };
        self.0.get(key).cloned().unwrap_or_else(fresh)
    }

    /// Keeps what is recent.
    pub(super) fn keep(&mut self, key: &Key, mut past: Past, now: SimTime) {
        past.forget(now);
        self.0.insert(key.clone(), past);
    }

    /// The autoscaler is gone.
    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    /// A cluster is gone, and its control plane with it.
    pub(crate) fn forget_cluster(&mut self, cluster: ClusterId) {
        let others = self.0.iter().filter(|(key, _)| key.cluster != cluster);
        self.0 = others.map(|(key, past)| (key.clone(), past.clone())).collect();
    }

    /// Adds everything, in order.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        for (key, past) in &self.0 {
            digest.number(u64::from(key.cluster.0)).bytes(key.to_string().as_bytes());
            for (at, size) in past.recommended.iter().chain(&past.changes) {
                digest.number(at.0).number(u64::from(size.unsigned_abs()));
            }
        }
    }
}
