//! One actor's turn: what it may read, and how it writes.

use std::rc::Rc;

use api::{Kind, Object, Resource, SimDuration, SimTime, meta::Time};

use crate::{
    ActorId, ClusterId, Controller, Key, Store, World, actors,
    draw::{hex, suffix},
    fact::What,
    queue::Wake,
};

/// One actor's turn, within one part of the store.
///
/// Reads and writes go to the cluster of the key that woke the actor; kinds of the world itself are found from
/// everywhere. Every write becomes a fact whose cause is what woke the actor.
pub struct Turn<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) actor: ActorId,
    pub(crate) cluster: ClusterId,
    pub(crate) cause: Option<u64>,
}

impl<'w> Turn<'w> {
    pub(crate) fn new(world: &'w mut World, actor: ActorId, cluster: ClusterId, cause: Option<u64>) -> Self {
        Self { world, actor, cluster, cause }
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> ActorId {
        self.actor
    }

    /// Whose part of the store this is about.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// Simulated time.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.world.now()
    }

    /// Simulated time as objects write it, in whole seconds.
    #[must_use]
    pub fn stamp(&self) -> Time {
        self.world.stamp(self.world.now())
    }

    /// The whole world, to look at.
    #[must_use]
    pub fn world(&self) -> &World {
        self.world
    }

    /// The store, to look at.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.world.store()
    }

    /// The object of type `R` with this name.
    #[must_use]
    pub fn get<R: Resource>(&self, namespace: &str, name: &str) -> Option<&R> {
        self.world.store().get(self.cluster, namespace, name)
    }

    /// All objects of type `R`: of one namespace, or of all.
    pub fn list<'s, R: Resource + 's>(&'s self, namespace: Option<&'s str>) -> impl Iterator<Item = &'s R> {
        self.world.store().list(self.cluster, namespace)
    }

    /// The key of a name in this part of the store.
    #[must_use]
    pub fn key(&self, kind: Kind, namespace: &str, name: &str) -> Key {
        Key::new(self.cluster, kind, namespace, name)
    }

    /// A number drawn for this purpose and key.
    #[must_use]
    pub fn draw(&self, purpose: &str, key: &Key, n: u64) -> u64 {
        self.world.draw(purpose, key, n)
    }

    /// A generated name's suffix, drawn for this purpose and key.
    #[must_use]
    pub fn suffix(&self, purpose: &str, key: &Key, n: u64) -> String {
        suffix(self.world.seed(), purpose, &format!("{}/{key}", key.cluster.0), n, 5)
    }

    /// Hexadecimal digits drawn for this purpose and key.
    #[must_use]
    pub fn hex(&self, purpose: &str, key: &Key, n: u64, length: usize) -> String {
        hex(self.world.seed(), purpose, &format!("{}/{key}", key.cluster.0), n, length)
    }

    /// Takes a token of the actor's client for a call, which may still have to come.
    pub(crate) fn call(&mut self) {
        let (actor, cluster, now) = (self.actor, self.cluster, self.now());
        if let Some(rate) = actors::find(actor).and_then(Controller::client) {
            self.world.clients().call(cluster, actor, rate, now);
        }
    }

    /// How long the actor's client has to wait before its next call; nothing if it need not.
    #[must_use]
    pub fn throttled(&self) -> Option<SimDuration> {
        self.world.throttled(self.cluster, self.actor)
    }

    /// Has `key` wait for so long in the line of the actor's client, with a token of its own; whatever wakes it before
    /// finds it waiting.
    pub fn wait_in_line(&mut self, key: &Key, wait: SimDuration) -> SimDuration {
        let (actor, now) = (self.actor, self.now());
        if let Some(rate) = actors::find(actor).and_then(Controller::client) {
            self.world.clients().hold(actor, rate, key, (now, now + wait));
        }
        wait
    }

    /// Writes an object as it is, past the API server: for kinds that none serves, and for the API server itself.
    pub fn put(&mut self, object: Object) -> Rc<Object> {
        let (actor, cause, cluster) = (self.actor, self.cause, self.cluster);
        self.world.put(actor, cause, cluster, object)
    }

    /// Removes an object, past the API server.
    pub fn remove(&mut self, key: &Key) -> Option<Rc<Object>> {
        self.world.remove(self.actor, self.cause, key)
    }

    /// Records something that happened; its number can be the cause of others.
    pub fn fact(&mut self, what: What) -> u64 {
        self.world.fact(self.actor, self.cause, what)
    }

    /// Has an actor look at a key after `wait`.
    pub fn wake(&mut self, actor: ActorId, key: Key, wait: SimDuration) {
        let cause = self.cause;
        let at = self.now() + wait;
        self.world.wake_at(at, Wake { actor, key, cause, periodic: false });
    }

    /// Has an actor look at a key after `wait`, if nothing happens before; nobody waits for it.
    pub fn remind(&mut self, actor: ActorId, key: Key, wait: SimDuration) {
        let cause = self.cause;
        let at = self.now() + wait;
        self.world.wake_at(at, Wake { actor, key, cause, periodic: true });
    }

    /// The objects of a kind that an actor is to look at later, in this part of the store.
    #[must_use]
    pub fn expected(&mut self, actor: ActorId, kind: Kind) -> Vec<Key> {
        let cluster = self.cluster;
        self.world.queue().keys_of(actor, cluster, kind).cloned().collect()
    }

    /// Has an actor not look at a key that it was to look at.
    pub fn expect_no_more(&mut self, actor: ActorId, key: &Key) {
        self.world.queue().cancel(actor, key);
    }
}
