//! How fast may a part of the control plane ask?
//!
//! A client of the API server takes a token for every call; without one it waits. A work queue lets a key that failed
//! wait, longer each time. Both are memories of processes, lost with them and seen by nobody: so they stand beside the
//! queue of wakes and not in the store.
//! Source: client-go `util/flowcontrol/throttle.go`, `util/workqueue/default_rate_limiters.go`; kube-controller-manager
//! `--kube-api-qps` (20) and `--kube-api-burst` (30), for each controller's own client.

use api::{SimDuration, SimTime, digest::Digest};
use imbl::{GenericOrdMap, shared_ptr::RcK};

use crate::{ActorId, ClusterId, Key};

/// How many calls at once, and how many after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// From one token to the next.
    pub every: SimDuration,
    /// Tokens of a full bucket.
    pub burst: u64,
}

impl Rate {
    /// A controller of kube-controller-manager, by its flags' defaults.
    pub const CONTROLLER_MANAGER: Self = Self { every: SimDuration::millis(50), burst: 30 };

    fn full(self) -> u64 {
        self.every.0 * self.burst
    }
}

/// Tokens, counted by the time that they took to come. A debt is possible: somebody was let in who waits for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    spent: u64,
    at: SimTime,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: Rate, now: SimTime) -> Self {
        Self { rate, spent: 0, at: now }
    }

    fn come(&mut self, now: SimTime) {
        self.spent = self.spent.saturating_sub(now.since(self.at).0);
        self.at = now;
    }

    /// Takes a token, which may still have to come.
    pub(crate) fn take(&mut self, now: SimTime) {
        self.come(now);
        self.spent += self.rate.every.0;
    }

    /// Takes a token if there is one.
    pub(crate) fn try_take(&mut self, now: SimTime) -> bool {
        let may = self.wait(now) == SimDuration::ZERO;
        if may {
            self.take(now);
        }
        may
    }

    fn give_back(&mut self) {
        self.spent = self.spent.saturating_sub(self.rate.every.0);
    }

    /// How long until there is a token.
    pub(crate) fn wait(&self, now: SimTime) -> SimDuration {
        let spent = self.spent.saturating_sub(now.since(self.at).0);
        SimDuration((spent + self.rate.every.0).saturating_sub(self.rate.full()))
    }

    pub(crate) fn digest(&self, digest: &mut Digest) {
        digest.number(self.spent).number(self.at.0);
    }
}

/// One controller's client.
#[derive(Clone, Debug)]
struct Client {
    bucket: Bucket,
    /// Keys that wait for a call, each with the moment when its token comes.
    waiting: GenericOrdMap<Key, SimTime, RcK>,
}

/// What clients and work queues remember.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    of: GenericOrdMap<(ClusterId, ActorId), Client, RcK>,
    failures: GenericOrdMap<(ActorId, Key), u32, RcK>,
}

/// First wait of a work queue after a failure; it doubles each time.
const FIRST_RETRY: SimDuration = SimDuration::millis(5);
/// The longest such wait.
const LONGEST_RETRY: SimDuration = SimDuration::secs(1000);

impl Clients {
    fn client(&mut self, cluster: ClusterId, actor: ActorId, rate: Rate, now: SimTime) -> &mut Client {
        let fresh = || Client { bucket: Bucket::new(rate, now), waiting: GenericOrdMap::new() };
        self.of.entry((cluster, actor)).or_insert_with(fresh)
    }

    /// Whether an actor may turn to `key` now; if not, until when it waits in the line of its client.
    pub(crate) fn admit(&mut self, actor: ActorId, rate: Rate, key: &Key, now: SimTime) -> Option<SimTime> {
        let client = self.client(key.cluster, actor, rate, now);
        match client.waiting.get(key) {
            Some(&turn) if turn > now => return Some(turn),
            Some(_) => {
                client.waiting.remove(key);
                client.bucket.give_back();
                return None;
            }
            None => {}
        }
        let wait = client.bucket.wait(now);
        if wait == SimDuration::ZERO {
            return None;
        }
        self.hold(actor, rate, key, (now, now + wait));
        Some(now + wait)
    }

    /// Puts `key` into the line of its client, with a token of its own.
    pub(crate) fn hold(&mut self, actor: ActorId, rate: Rate, key: &Key, (now, until): (SimTime, SimTime)) {
        let client = self.client(key.cluster, actor, rate, now);
        if client.waiting.insert(key.clone(), until).is_none() {
            client.bucket.take(now);
        }
    }

    /// A call was made.
    pub(crate) fn call(&mut self, cluster: ClusterId, actor: ActorId, rate: Rate, now: SimTime) {
        self.client(cluster, actor, rate, now).bucket.take(now);
    }

    /// How long until a client has a token; nothing if it has one.
    pub(crate) fn wait(&self, cluster: ClusterId, actor: ActorId, now: SimTime) -> Option<SimDuration> {
        let wait = self.of.get(&(cluster, actor))?.bucket.wait(now);
        (wait > SimDuration::ZERO).then_some(wait)
    }

    /// A key failed: how long it waits.
    pub(crate) fn failed(&mut self, actor: ActorId, key: &Key) -> SimDuration {
        let before = self.failures.entry((actor, key.clone())).or_insert(0);
        let wait = FIRST_RETRY.0.checked_shl(*before).unwrap_or(u64::MAX).min(LONGEST_RETRY.0);
        *before = (*before + 1).min(32);
        SimDuration(wait)
    }

    /// A key did not fail.
    pub(crate) fn succeeded(&mut self, actor: ActorId, key: &Key) {
        if !self.failures.is_empty() {
            self.failures.remove(&(actor, key.clone()));
        }
    }

    /// Whether a key failed when it was last looked at.
    pub(crate) fn fails(&self, actor: ActorId, key: &Key) -> bool {
        self.failures.contains_key(&(actor, key.clone()))
    }

    /// A process is gone, and what this actor of it remembered.
    pub(crate) fn forget(&mut self, cluster: ClusterId, actor: ActorId) {
        self.of.remove(&(cluster, actor));
        let others = self.failures.iter().filter(|((of, key), _)| *of != actor || key.cluster != cluster);
        self.failures = others.map(pair).collect();
    }

    /// A cluster is gone, and its control plane with it.
    pub(crate) fn forget_cluster(&mut self, cluster: ClusterId) {
        self.of = self.of.iter().filter(|((of, _), _)| *of != cluster).map(pair).collect();
        self.failures =
            self.failures.iter().filter(|((_, key), _)| key.cluster != cluster).map(pair).collect();
    }

    /// Adds everything, in order.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        for ((cluster, actor), client) in &self.of {
            digest.number(u64::from(cluster.0)).bytes(actor.0.as_bytes());
            client.bucket.digest(digest);
            client.waiting.iter().for_each(|(key, at)| {
                digest.bytes(key.to_string().as_bytes()).number(at.0);
            });
        }
        for ((actor, key), failures) in &self.failures {
            digest.bytes(actor.0.as_bytes()).bytes(key.to_string().as_bytes()).number(u64::from(*failures));
        }
    }
}

fn pair<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Kind;

    const A: ActorId = ActorId("a");
    const RATE: Rate = Rate::CONTROLLER_MANAGER;

    fn key(name: &str) -> Key {
        Key::new(ClusterId(1), Kind::ReplicaSet, "d", name)
    }

    #[test]
    fn a_full_bucket_gives_thirty_calls_and_then_twenty_a_second() {
        let mut bucket = Bucket::new(RATE, SimTime(0));
        assert_eq!((0..40).filter(|_| bucket.try_take(SimTime(0))).count(), 30);
        let later = (1..=10_000).filter(|millis| bucket.try_take(SimTime(*millis))).count();
        assert_eq!(later, 200);
    }

    #[test]
    fn keys_wait_in_one_line_and_each_gets_its_own_moment() {
        let mut clients = Clients::default();
        for _ in 0..30 {
            clients.call(ClusterId(1), A, RATE, SimTime(0));
        }
        assert_eq!(clients.admit(A, RATE, &key("x"), SimTime(0)), Some(SimTime(50)));
        assert_eq!(clients.admit(A, RATE, &key("y"), SimTime(0)), Some(SimTime(100)));
        assert_eq!(
            clients.admit(A, RATE, &key("x"), SimTime(2)),
            Some(SimTime(50)),
            "told again, it still waits"
        );
        assert_eq!(clients.admit(A, RATE, &key("x"), SimTime(50)), None);
    }

    #[test]
    fn a_key_that_fails_again_and_again_waits_twice_as_long_each_time() {
        let mut clients = Clients::default();
        let waits: Vec<u64> = (0..4).map(|_| clients.failed(A, &key("x")).0).collect();
        assert_eq!(waits, [5, 10, 20, 40]);
        assert_eq!((0..40).map(|_| clients.failed(A, &key("x"))).last(), Some(LONGEST_RETRY));
        clients.succeeded(A, &key("x"));
        assert_eq!(clients.failed(A, &key("x")), FIRST_RETRY);
    }
}
