//! What are decisions made on, and whose turn is it?
//!
//! The node table of every cluster and the four parts of its queue, kept up to date change by change. Pods that were
//! never tried have no record in the store: that they wait is all there is to know.
//! INVARIANT: but for [`Cache::starts`], equals [`Cache::of`] of the same store.

use std::{cmp::Reverse, collections::BTreeMap, rc::Rc};

use ::scheduler::{NodeTable, PodInfo, PodKey, sample, table::NodeRef};
use api::{
    Kind, Object, Resource, SimTime,
    digest::Digest,
    k8s::core::v1::{Namespace, Node, Pod, ResourceRequirements},
    kinds::sim::{QueuePlace, QueuedPod},
};
use imbl::{GenericOrdSet, shared_ptr::RcK};

use super::{bound_to, is_finished, is_waiting, priority, stored};
use crate::{Change, ClusterId, Key, Store};

/// Amounts as objects write them, by name.
type Resources = BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>;
/// Who comes first: higher priority, then who waits longer, in seconds and then by the version of the object.
type Rank = (Reverse<i32>, i64, u64, Key);
type Set<T> = GenericOrdSet<T, RcK>;

/// The queue of one cluster.
#[derive(Clone, Debug, Default, PartialEq)]
struct Line {
    /// To be tried.
    active: Set<Rank>,
    /// Refused and called back: until when they rest, and who of those comes first.
    resting: Set<(SimTime, Rank)>,
    /// Those the scheduler could not go on with, until when they rest.
    failing: Set<(SimTime, Key)>,
    /// Refused, since when.
    parked: Set<(SimTime, Key)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    tables: BTreeMap<ClusterId, Rc<NodeTable>>,
    /// The order in which nodes are sampled, where it has been asked for since the nodes changed.
    orders: BTreeMap<ClusterId, Rc<[NodeRef]>>,
    /// Where in it the next cycle begins: what the scheduler's process remembers.
    starts: BTreeMap<ClusterId, usize>,
    lines: BTreeMap<ClusterId, Line>,
}

/// The part of the queue a pod is in.
#[derive(PartialEq)]
enum Slot {
    Active(Rank),
    Resting((SimTime, Rank)),
    Failing((SimTime, Key)),
    Parked((SimTime, Key)),
}

impl Cache {
    /// The cache of a store, from scratch.
    #[cfg(test)]
    pub(crate) fn of(store: &Store) -> Self {
        let mut cache = Self::default();
        for (key, object) in store.iter() {
            let after = Some(Rc::clone(object));
            cache.apply(&Change { key: key.clone(), before: None, after, revision: 0 }, store);
        }
        cache
    }

    /// Takes over one change.
    pub(crate) fn apply(&mut self, change: &Change, store: &Store) {
        let cluster = change.key.cluster;
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        match change.key.kind {
            Kind::Node => self.apply_node(change),
            Kind::Namespace => match after.and_then(Namespace::of) {
                Some(namespace) => self.table(cluster).set_namespace(namespace),
                None => self.table(cluster).remove_namespace(&change.key.name),
            },
            Kind::Pod => {
                let queued = store.object(&Key { kind: Kind::QueuedPod, ..change.key.clone() });
                let queued = queued.and_then(|it| QueuedPod::of(it));
                let (before, after) = (before.and_then(Pod::of), after.and_then(Pod::of));
                self.apply_pod(&change.key, (before, queued), (after, queued));
            }
            Kind::QueuedPod => {
                let key = Key { kind: Kind::Pod, ..change.key.clone() };
                let pod = store.object(&key).and_then(|pod| Pod::of(pod));
                let (before, after) = (before.and_then(QueuedPod::of), after.and_then(QueuedPod::of));
                self.apply_pod(&key, (pod, before), (pod, after));
            }
            Kind::Service => {
                let table = self.table(cluster);
                match after.and_then(|it| it.get()) {
                    Some(service) => table.owners.set_service(service),
                    None => table.owners.remove("Service", &change.key.namespace, &change.key.name),
                }
            }
            Kind::ReplicaSet => {
                let selector = |set: Option<&Object>| {
                    set.and_then(|it| {
                        it.get::<api::k8s::apps::v1::ReplicaSet>()?
                            .spec
                            .as_ref()
                            .map(|it| it.selector.clone())
                    })
                };
                match after.and_then(|it| it.get()) {
                    Some(set) if selector(before) != selector(after) => {
                        self.table(cluster).owners.set_replica_set(set);
                    }
                    Some(_) => {}
                    None => self.table(cluster).owners.remove(
                        "ReplicaSet",
                        &change.key.namespace,
                        &change.key.name,
                    ),
                }
            }
            kind if stored::concerns(kind) => stored::apply(self.table(cluster), change),
            _ => {}
        }
    }

    fn apply_node(&mut self, change: &Change) {
        let cluster = change.key.cluster;
        let seen = |node: Option<&Object>| {
            node.and_then(Node::of).map(|it| {
                let status = it.status.as_ref();
                let status = status.map(|it| (it.allocatable.clone(), it.images.clone()));
                (it.metadata.labels.clone(), it.spec.clone(), status)
            })
        };
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        match after.and_then(Node::of) {
            Some(_) if seen(before) == seen(after) => return,
            Some(node) => self.table(cluster).set_node(node),
            None => self.table(cluster).remove_node(&change.key.name),
        }
        self.orders.remove(&cluster);
    }

    fn apply_pod(
        &mut self,
        key: &Key,
        before: (Option<&Pod>, Option<&QueuedPod>),
        after: (Option<&Pod>, Option<&QueuedPod>),
    ) {
        let (was, is) = (slot(key, before), slot(key, after));
        if was != is {
            self.take(key.cluster, was);
            self.insert(key.cluster, is);
        }
        let id = PodKey::new(&key.namespace, &key.name);
        match (placed(before), placed(after)) {
            (Some((was, old)), Some((is, new))) if was == is && looks_the_same(old, new) => {}
            (_, Some((node, pod))) => {
                let (pod, node) = (PodInfo::new(pod), node.to_owned());
                self.table(key.cluster).add_pod(&pod, &node);
            }
            (Some(_), None) => self.table(key.cluster).remove_pod(&id),
            (None, None) => {}
        }
        match (nominated(before.0), nominated(after.0)) {
            (Some((was, old)), Some((is, new))) if was == is && looks_the_same(old, new) => {}
            (_, Some((node, pod))) => {
                let (pod, node) = (PodInfo::new(pod), node.to_owned());
                self.table(key.cluster).nominate(&pod, &node);
            }
            (Some(_), None) => self.table(key.cluster).withdraw(&id),
            (None, None) => {}
        }
    }

    fn take(&mut self, cluster: ClusterId, slot: Option<Slot>) {
        let Some(slot) = slot else { return };
        let line = self.lines.entry(cluster).or_default();
        match slot {
            Slot::Active(at) => drop(line.active.remove(&at)),
            Slot::Resting(at) => drop(line.resting.remove(&at)),
            Slot::Failing(at) => drop(line.failing.remove(&at)),
            Slot::Parked(at) => drop(line.parked.remove(&at)),
        }
        if *line == Line::default() {
            self.lines.remove(&cluster);
        }
    }

    fn insert(&mut self, cluster: ClusterId, slot: Option<Slot>) {
        let Some(slot) = slot else { return };
        let line = self.lines.entry(cluster).or_default();
        match slot {
            Slot::Active(at) => drop(line.active.insert(at)),
            Slot::Resting(at) => drop(line.resting.insert(at)),
            Slot::Failing(at) => drop(line.failing.insert(at)),
            Slot::Parked(at) => drop(line.parked.insert(at)),
        }
    }

    fn table(&mut self, cluster: ClusterId) -> &mut NodeTable {
        Rc::make_mut(self.tables.entry(cluster).or_default())
    }

    /// The nodes of a cluster as the scheduler sees them.
    pub(crate) fn nodes(&self, cluster: ClusterId) -> Rc<NodeTable> {
        self.tables.get(&cluster).cloned().unwrap_or_default()
    }

    /// The order in which the nodes of a cluster are sampled, and where the next cycle begins.
    pub(super) fn order(&mut self, cluster: ClusterId) -> (Rc<[NodeRef]>, usize) {
        let nodes = self.nodes(cluster);
        let order = self.orders.entry(cluster).or_insert_with(|| sample::order(&nodes).into());
        (Rc::clone(order), self.starts.get(&cluster).copied().unwrap_or(0))
    }

    /// Where the next cycle begins.
    pub(super) fn set_start(&mut self, cluster: ClusterId, start: usize) {
        self.starts.insert(cluster, start);
    }

    /// Who is to be tried next.
    pub(super) fn first_active(&self, cluster: ClusterId) -> Option<Key> {
        self.lines.get(&cluster)?.active.get_min().map(|(_, _, _, key)| key.clone())
    }

    /// Who rests for the shortest time yet, and until when.
    pub(super) fn first_resting(&self, cluster: ClusterId) -> Option<(SimTime, Key)> {
        let (until, (_, _, _, key)) = self.lines.get(&cluster)?.resting.get_min()?;
        Some((*until, key.clone()))
    }

    /// The same of those the scheduler could not go on with.
    pub(super) fn first_failing(&self, cluster: ClusterId) -> Option<(SimTime, Key)> {
        self.lines.get(&cluster)?.failing.get_min().cloned()
    }

    /// Who has been waiting for help for the longest time, and since when.
    pub(super) fn first_parked(&self, cluster: ClusterId) -> Option<(SimTime, Key)> {
        self.lines.get(&cluster)?.parked.get_min().cloned()
    }

    /// Who waits, in which part of the queue: for tests.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> String {
        format!("{:?}", self.lines)
    }

    /// Adds what does not follow from the store.
    pub(crate) fn digest(&self, digest: &mut Digest) {
        for (cluster, start) in &self.starts {
            digest.number(u64::from(cluster.0)).number(u64::try_from(*start).unwrap_or(u64::MAX));
        }
    }
}

fn slot(key: &Key, (pod, queued): (Option<&Pod>, Option<&QueuedPod>)) -> Option<Slot> {
    let pod = pod.filter(|pod| is_waiting(pod))?;
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    // What is remembered may be of a pod of the same name that is gone.
    let queued = queued.filter(|it| it.pod_uid == uid);
    let created = || pod.metadata.creation_timestamp.as_ref().map_or(0, |it| it.0.as_second());
    let since = queued.map_or_else(created, |it| it.since);
    let version = pod.metadata.resource_version.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0);
    let rank = (Reverse(priority(pod)), since, version, key.clone());
    let Some(queued) = queued else { return Some(Slot::Active(rank)) };
    match queued.place {
        QueuePlace::Active => Some(Slot::Active(rank)),
        QueuePlace::BackOff if queued.refused_by.is_empty() => {
            Some(Slot::Failing((queued.back_off_until, key.clone())))
        }
        QueuePlace::BackOff => Some(Slot::Resting((queued.back_off_until, rank))),
        QueuePlace::Unschedulable => Some(Slot::Parked((queued.tried_at, key.clone()))),
        QueuePlace::Binding => None,
    }
}

/// The node a pod takes room on: the one it is bound to, or that it has been given.
fn placed<'p>((pod, queued): (Option<&'p Pod>, Option<&'p QueuedPod>)) -> Option<(&'p str, &'p Pod)> {
    let pod = pod.filter(|pod| !is_finished(pod))?;
    let given = || queued.filter(|it| it.place == QueuePlace::Binding)?.node.as_deref();
    Some((bound_to(pod).or_else(given)?, pod))
}

fn nominated(pod: Option<&Pod>) -> Option<(&str, &Pod)> {
    let pod = pod.filter(|pod| bound_to(pod).is_none())?;
    let node = pod.status.as_ref()?.nominated_node_name.as_deref().filter(|node| !node.is_empty())?;
    Some((node, pod))
}

/// Whether the statuses of two pods say the same of what their containers have, and whether it may be changed.
pub(super) fn has_the_same(a: &Pod, b: &Pod) -> bool {
    fn told(pod: &Pod) -> impl Iterator<Item = (&str, Option<&ResourceRequirements>, Option<&Resources>)> {
        let status = pod.status.iter();
        let all =
            status.flat_map(|it| it.container_statuses.iter().chain(&it.init_container_statuses).flatten());
        all.filter(|it| it.resources.is_some() || it.allocated_resources.is_some())
            .map(|it| (it.name.as_str(), it.resources.as_ref(), it.allocated_resources.as_ref()))
    }
    let pending = |pod: &Pod| {
        let mut conditions = pod.status.iter().flat_map(|it| it.conditions.iter().flatten());
        conditions.find(|it| it.type_ == "PodResizePending").and_then(|it| it.reason.clone())
    };
    told(a).eq(told(b)) && pending(a) == pending(b)
}

/// Whether nothing differs that the node table keeps.
fn looks_the_same(a: &Pod, b: &Pod) -> bool {
    let started = |pod: &Pod| pod.status.as_ref().and_then(|it| it.start_time.clone());
    let disrupted = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
        conditions.into_iter().flatten().any(|it| it.type_ == "DisruptionTarget")
    };
    a.spec == b.spec
        && has_the_same(a, b)
        && a.metadata.labels == b.metadata.labels
        && a.metadata.deletion_timestamp == b.metadata.deletion_timestamp
        && a.metadata.owner_references == b.metadata.owner_references
        && started(a) == started(b)
        && disrupted(a) == disrupted(b)
}
