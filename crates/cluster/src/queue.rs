//! Who wakes when?
//!
//! A wake is one actor looking at one key. The same pair is queued once and the earlier time wins, so a controller
//! that is told ten things at once looks once.

use api::{Kind, SimTime, digest::Digest};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::{ActorId, ClusterId, Key};

/// One actor is to look at one key.
#[derive(Clone, Debug)]
pub struct Wake {
    /// Who.
    pub actor: ActorId,
    /// At what.
    pub key: Key,
    /// The fact that led to it.
    pub cause: Option<u64>,
    /// Whether it comes again and again by itself (leases, resyncs), so that waiting for it is no sign of work.
    pub periodic: bool,
}

/// All wakes to come, by time and then in the order of asking.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    due: GenericOrdMap<(SimTime, u64), Wake, RcK>,
    of: GenericOrdMap<(ActorId, Key), (SimTime, u64), RcK>,
    next: u64,
    working: u64,
}

impl Queue {
    /// Queues a wake, or brings an existing one of the same pair forward.
    pub fn push(&mut self, at: SimTime, wake: Wake) {
        let pair = (wake.actor, wake.key.clone());
        let mut wake = wake;
        if let Some(&slot) = self.of.get(&pair) {
            let sooner = at < slot.0;
            let Some(old) = self.due.get(&slot) else { return };
            if !sooner && (!old.periodic || wake.periodic) {
                return;
            }
            // A pair that has work to do keeps the earlier time and counts as work.
            wake.periodic &= old.periodic;
            let at = at.min(slot.0);
            self.take(slot);
            self.insert(at, pair, wake);
            return;
        }
        self.insert(at, pair, wake);
    }

    fn insert(&mut self, at: SimTime, pair: (ActorId, Key), wake: Wake) {
        let slot = (at, self.next);
        self.next += 1;
        self.working += u64::from(!wake.periodic);
        self.of.insert(pair, slot);
        self.due.insert(slot, wake);
    }

    fn take(&mut self, slot: (SimTime, u64)) -> Option<Wake> {
        let wake = self.due.remove(&slot)?;
        self.of.remove(&(wake.actor, wake.key.clone()));
        self.working -= u64::from(!wake.periodic);
        Some(wake)
    }

    /// Takes the first wake that is due at or before `until`.
    pub fn pop(&mut self, until: SimTime) -> Option<(SimTime, Wake)> {
        let slot = self.due.get_min()?.0;
        if slot.0 > until {
            return None;
        }
        self.take(slot).map(|wake| (slot.0, wake))
    }

    /// When the next wake is due.
    #[must_use]
    pub fn next_at(&self) -> Option<SimTime> {
        self.due.get_min().map(|((at, _), _)| *at)
    }

    /// When the next wake that is not periodic is due.
    #[must_use]
    pub fn next_work_at(&self) -> Option<SimTime> {
        if self.working == 0 {
            return None;
        }
        self.due.iter().find(|(_, wake)| !wake.periodic).map(|((at, _), _)| *at)
    }

    /// Wakes that are not periodic, in order, and when they are due.
    pub fn works(&self) -> impl Iterator<Item = (SimTime, &Wake)> {
        self.due.iter().filter(|(_, wake)| !wake.periodic).map(|((at, _), wake)| (*at, wake))
    }

    /// The objects of a kind that an actor is to look at.
    pub fn keys_of(&self, actor: ActorId, cluster: ClusterId, kind: Kind) -> impl Iterator<Item = &Key> {
        let first = (actor, Key::new(cluster, kind, "", ""));
        let of_actor = self.of.range(first..).map(|(pair, _)| pair);
        let keys = of_actor.take_while(move |(of, _)| *of == actor).map(|(_, key)| key);
        keys.take_while(move |key| key.cluster == cluster && key.kind == kind)
    }

    /// Drops the wake of a pair, if there is one.
    pub fn cancel(&mut self, actor: ActorId, key: &Key) {
        if let Some(&slot) = self.of.get(&(actor, key.clone())) {
            self.take(slot);
        }
    }

    /// Drops every wake of one cluster, when the cluster is gone.
    pub fn forget_cluster(&mut self, cluster: ClusterId) {
        let gone: Vec<_> =
            self.due.iter().filter(|(_, w)| w.key.cluster == cluster).map(|(slot, _)| *slot).collect();
        for slot in gone {
            self.take(slot);
        }
    }

    /// Forgets why anybody is to wake: the facts that led to it are gone.
    pub fn forget_causes(&mut self) {
        self.due =
            self.due.iter().map(|(slot, wake)| (*slot, Wake { cause: None, ..wake.clone() })).collect();
    }

    /// Adds the wakes in order.
    pub fn digest(&self, digest: &mut Digest) {
        for ((at, _), wake) in &self.due {
            digest.number(at.0).bytes(wake.actor.0.as_bytes()).bytes(wake.key.to_string().as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake(name: &str, periodic: bool) -> Wake {
        Wake { actor: ActorId("a"), key: Key::new(ClusterId(1), Kind::Pod, "d", name), cause: None, periodic }
    }

    #[test]
    fn one_pair_is_queued_once_and_the_earlier_time_wins() {
        let mut queue = Queue::default();
        queue.push(SimTime(9), wake("x", false));
        queue.push(SimTime(5), wake("x", false));
        queue.push(SimTime(7), wake("x", false));
        assert_eq!(queue.pop(SimTime(100)).map(|(at, _)| at), Some(SimTime(5)));
        assert!(queue.pop(SimTime(100)).is_none());
    }

    #[test]
    fn periodic_wakes_are_not_work() {
        let mut queue = Queue::default();
        queue.push(SimTime(5), wake("x", true));
        assert_eq!(queue.next_work_at(), None);
        queue.push(SimTime(9), wake("x", false));
        assert_eq!(
            queue.next_work_at(),
            Some(SimTime(5)),
            "the pair now has work, and keeps the earlier time"
        );
    }
}
