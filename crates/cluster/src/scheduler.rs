//! Which pods wait for a node, in which order, and what becomes of an attempt?
//!
//! The queue of kube-scheduler: a new pod is active; one with gates is not in the queue; one that no node would take
//! waits for an event that may help, rests for its back-off (1 s, doubling to 10 s) and is tried again; after five
//! minutes it is tried anyway. What the queue remembers is in `sim/QueuedPod`; the order of attempts is that of the
//! world's own queue, except that nobody is tried before a pod of higher priority.
//! The decision itself is the `scheduler` crate's; here it becomes a binding, an event, a condition.
//! Source: `pkg/scheduler/{schedule_one,eventhandlers}.go`, `pkg/scheduler/backend/queue/scheduling_queue.go`.

use std::{cmp::Reverse, collections::BTreeMap, rc::Rc};

use ::scheduler::{
    ClusterEvent, Decision, EventAction, EventResource, NodeTable, Outcome, PodInfo, PodKey, Profile, Version,
};
use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::core::v1::{Namespace, Node, Pod, PodCondition},
    kinds::sim::{ControlPlane, QueuedPod},
    meta::ObjectMeta,
};
use imbl::{GenericOrdSet, shared_ptr::RcK};

use crate::{ActorId, Change, ClusterId, Controller, EventType, Key, Next, Store, Turn, What};

mod stored;

pub(crate) use stored::typed;

/// The only profile of the lab's clusters.
const NAME: &str = "default-scheduler";
const INITIAL_BACK_OFF: SimDuration = SimDuration::secs(1);
const MAX_BACK_OFF: SimDuration = SimDuration::secs(10);
/// After this long a pod is tried again, whatever happened or did not.
const FLUSH: SimDuration = SimDuration::secs(300);
/// How long a pod steps back when one of higher priority is about to be tried.
const YIELD: SimDuration = SimDuration::millis(1);
/// Clusters up to this size get the explanation of every attempt at once; in larger ones it is made when asked for.
const EXPLAINED_NODES: usize = 100;

/// What decisions are made on: derived from the store, change by change.
///
/// INVARIANT: equals [`Cache::of`] of the same store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    tables: BTreeMap<ClusterId, Rc<NodeTable>>,
    /// Pods that were never tried, most important first.
    active: GenericOrdSet<(ClusterId, Reverse<i32>, Key), RcK>,
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
            Kind::Node => {
                let seen = |node: Option<&Object>| {
                    node.and_then(Node::of).map(|it| {
                        let status = it.status.as_ref();
                        let status = status.map(|it| (it.allocatable.clone(), it.images.clone()));
                        (it.metadata.labels.clone(), it.spec.clone(), status)
                    })
                };
                match after.and_then(Node::of) {
                    Some(node) if seen(before) != seen(after) => self.table(cluster).set_node(node),
                    Some(_) => {}
                    None => self.table(cluster).remove_node(&change.key.name),
                }
            }
            Kind::Namespace => match after.and_then(Namespace::of) {
                Some(namespace) => self.table(cluster).set_namespace(namespace),
                None => self.table(cluster).remove_namespace(&change.key.name),
            },
            Kind::Pod => {
                self.apply_pod(change);
                self.apply_active(&change.key, before.and_then(Pod::of), after.and_then(Pod::of), store);
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
            Kind::QueuedPod => {
                let key = Key { kind: Kind::Pod, ..change.key.clone() };
                let pod = store.object(&key).and_then(|pod| Pod::of(pod));
                self.apply_active(&key, pod, pod, store);
            }
            kind if stored::concerns(kind) => stored::apply(self.table(cluster), change),
            _ => {}
        }
    }

    fn apply_pod(&mut self, change: &Change) {
        let cluster = change.key.cluster;
        let placed = |pod: &Option<Rc<Object>>| {
            let pod = pod.as_deref().and_then(Pod::of)?;
            let node = bound_to(pod)?;
            (!is_finished(pod)).then(|| (node.to_owned(), pod.clone()))
        };
        match (placed(&change.before), placed(&change.after)) {
            (Some((_, before)), Some((_, after))) if looks_the_same(&before, &after) => {}
            (_, Some((node, pod))) => self.table(cluster).add_pod(&PodInfo::new(&pod), &node),
            (Some(_), None) => {
                self.table(cluster).remove_pod(&PodKey::new(&change.key.namespace, &change.key.name));
            }
            (None, None) => {}
        }
        let nominated = |pod: &Option<Rc<Object>>| {
            let pod = pod.as_deref().and_then(Pod::of).filter(|pod| bound_to(pod).is_none())?;
            let node = pod.status.as_ref()?.nominated_node_name.clone().filter(|node| !node.is_empty())?;
            Some((node, pod.clone()))
        };
        match (nominated(&change.before), nominated(&change.after)) {
            (_, Some((node, pod))) => self.table(cluster).nominate(&PodInfo::new(&pod), &node),
            (Some(_), None) => {
                self.table(cluster).withdraw(&PodKey::new(&change.key.namespace, &change.key.name));
            }
            (None, None) => {}
        }
    }

    fn apply_active(&mut self, key: &Key, before: Option<&Pod>, after: Option<&Pod>, store: &Store) {
        let entry = |pod: &Pod| (key.cluster, Reverse(priority(pod)), key.clone());
        let tried = store.object(&Key { kind: Kind::QueuedPod, ..key.clone() }).is_some();
        if let Some(before) = before.filter(|pod| bound_to(pod).is_none()) {
            self.active.remove(&entry(before));
        }
        if let Some(after) = after.filter(|pod| is_waiting(pod) && !tried) {
            self.active.insert(entry(after));
        }
    }

    fn table(&mut self, cluster: ClusterId) -> &mut NodeTable {
        Rc::make_mut(self.tables.entry(cluster).or_default())
    }

    /// The nodes of a cluster as the scheduler sees them.
    pub(crate) fn nodes(&self, cluster: ClusterId) -> Rc<NodeTable> {
        self.tables.get(&cluster).cloned().unwrap_or_default()
    }

    /// The highest priority of the pods that were never tried.
    fn highest(&self, cluster: ClusterId) -> Option<i32> {
        let first = Key { cluster, kind: Kind::EVERY[0], namespace: "".into(), name: "".into() };
        let (of, Reverse(priority), _) = self.active.range((cluster, Reverse(i32::MAX), first)..).next()?;
        (*of == cluster).then_some(*priority)
    }
}

fn bound_to(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

fn is_finished(pod: &Pod) -> bool {
    matches!(pod.status.as_ref().and_then(|it| it.phase.as_deref()), Some("Succeeded" | "Failed"))
}

fn priority(pod: &Pod) -> i32 {
    pod.spec.as_ref().and_then(|it| it.priority).unwrap_or(0)
}

fn is_gated(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|it| it.scheduling_gates.as_ref()).is_some_and(|gates| !gates.is_empty())
}

/// Whether this scheduler has to find the pod a node.
fn is_waiting(pod: &Pod) -> bool {
    let scheduler = pod.spec.as_ref().and_then(|it| it.scheduler_name.as_deref()).unwrap_or(NAME);
    bound_to(pod).is_none()
        && !is_gated(pod)
        && !is_finished(pod)
        && scheduler == NAME
        && pod.metadata.deletion_timestamp.is_none()
}

/// Whether nothing differs that the node table keeps.
fn looks_the_same(a: &Pod, b: &Pod) -> bool {
    let started = |pod: &Pod| pod.status.as_ref().and_then(|it| it.start_time.clone());
    let disrupted = |pod: &Pod| {
        let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
        conditions.into_iter().flatten().any(|it| it.type_ == "DisruptionTarget")
    };
    a.spec == b.spec
        && a.metadata.labels == b.metadata.labels
        && a.metadata.deletion_timestamp == b.metadata.deletion_timestamp
        && a.metadata.owner_references == b.metadata.owner_references
        && started(a) == started(b)
        && disrupted(a) == disrupted(b)
}

/// The actor.
pub(crate) struct Scheduler;

impl Controller for Scheduler {
    fn name(&self) -> &'static str {
        NAME
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::Pod {
            let before = change.before.as_deref().and_then(Pod::of).filter(|pod| bound_to(pod).is_none());
            match change.after.as_deref().and_then(Pod::of) {
                Some(pod) if is_waiting(pod) => {
                    let same = |old: &Pod| old.spec == pod.spec && old.metadata.labels == pod.metadata.labels;
                    if !before.is_some_and(same) {
                        wake(change.key.clone());
                    }
                }
                // What the queue remembers of it is to be forgotten.
                _ if before.is_some() => wake(change.key.clone()),
                _ => {}
            }
        }
        let events = events(change);
        if events.is_empty() {
            return;
        }
        let freed = events.iter().any(|event| event.ends_with("/Delete"));
        for (key, object) in store.objects(change.key.cluster, Kind::QueuedPod, None) {
            let Some(queued) = QueuedPod::of(object) else { continue };
            if queued.retries_on.is_empty() || queued.retries_on.iter().any(|it| events.contains(it)) {
                // A pod that went frees something: worth an attempt. Of other events upstream's plugins ask first
                // whether they help this pod; the queue's own key stands for that question.
                let kind = if freed { Kind::Pod } else { Kind::QueuedPod };
                wake(Key { kind, ..key.clone() });
            }
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let queued = turn.get::<QueuedPod>(&key.namespace, &key.name).cloned();
        let pod = turn.get::<Pod>(&key.namespace, &key.name).filter(|pod| is_waiting(pod)).cloned();
        let Some(pod) = pod else {
            if queued.is_some() {
                let key = turn.key(Kind::QueuedPod, &key.namespace, &key.name);
                turn.remove(&key);
            }
            return Ok(Next::Done);
        };
        let highest = turn.world().scheduling().highest(turn.cluster());
        if highest.is_some_and(|highest| highest > priority(&pod)) {
            return Ok(Next::After(YIELD));
        }
        let info = PodInfo::new(&pod);
        let table = turn.world().scheduling().nodes(turn.cluster());
        let profile = profile(turn.store(), turn.cluster());
        let attempts = queued.as_ref().map_or(0, |queued| queued.attempts);
        let pod_key = turn.key(Kind::Pod, &key.namespace, &key.name);
        let tie = turn.draw("tie", &pod_key, u64::from(attempts));
        if let Some(queued) = &queued {
            if key.kind == Kind::QueuedPod && ::scheduler::pick(&profile, &table, &info, tie).is_none() {
                return Ok(Next::Done);
            }
            // From 1.33 on a pod does not rest while nobody else wants to be tried.
            let rests = profile.version < Version::new(1, 33, 0) || highest.is_some();
            if rests && queued.back_off_until > turn.now() {
                return Ok(Next::After(queued.back_off_until.since(turn.now())));
            }
        }
        let decision = Rc::new(decide(&profile, &table, &info, tie));
        drop(table);
        conclude(turn, &pod, queued, &decision)?;
        if decision.node.is_some() && decision.outcome == Outcome::Scheduled {
            return Ok(Next::Done);
        }
        turn.remind(ActorId(NAME), pod_key, FLUSH);
        Ok(Next::Done)
    }
}

/// The decision: explained in full where the cluster is small enough to read it.
fn decide(profile: &Profile, table: &NodeTable, pod: &PodInfo, tie: u64) -> Decision {
    if table.len() <= EXPLAINED_NODES {
        return ::scheduler::schedule(profile, table, pod, tie);
    }
    match ::scheduler::pick(profile, table, pod, tie) {
        Some(pick) => {
            let mut decision = Decision::empty(pod.key.to_string(), Outcome::Scheduled);
            decision.node = Some(table.row(pick.node).name.to_string());
            decision
        }
        None => {
            let mut decision = ::scheduler::schedule(profile, table, pod, tie);
            decision.nodes = Vec::new();
            decision
        }
    }
}

/// The scheduler's profile in the words of the cluster's version.
pub(crate) fn profile(store: &Store, cluster: ClusterId) -> Profile {
    let profile = Profile::default_1_34();
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == cluster.0);
    match plane.and_then(|plane| version(&plane.version)) {
        Some(version) => profile.with_version(version),
        None => profile,
    }
}

/// `v1.34.2-eks-ecaa3a6`; without a patch the newest is meant.
fn version(text: &str) -> Option<Version> {
    let text = text.trim_start_matches('v').split(['-', '+']).next()?;
    let mut numbers = text.split('.').map(str::parse::<u32>);
    let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let patch = numbers.next().and_then(Result::ok).unwrap_or(99);
    Some(Version::new(major, minor, patch))
}

/// Binds, or says why not.
fn conclude(
    turn: &mut Turn<'_>,
    pod: &Pod,
    queued: Option<QueuedPod>,
    decision: &Rc<Decision>,
) -> Result<(), ApiStatus> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let name = pod.metadata.name.clone().unwrap_or_default();
    // What follows happens because of this decision.
    let decided = turn.fact(What::Decided(Rc::clone(decision)));
    turn.cause = Some(decided);
    let object = pod.clone().into_object();
    if let (Outcome::Scheduled, Some(node)) = (decision.outcome, &decision.node) {
        if queued.is_some() {
            let key = turn.key(Kind::QueuedPod, &namespace, &name);
            turn.remove(&key);
        }
        turn.bind(&namespace, &name, node)?;
        let message = format!("Successfully assigned {namespace}/{name} to {node}");
        turn.event_series(&object, EventType::Normal, "Binding", "Scheduled", &message);
        return Ok(());
    }
    let message = decision.message.clone().unwrap_or_default();
    remember(turn, pod, queued, decision, &message);
    let (how, condition_reason) = match decision.outcome {
        Outcome::Error => (EventType::Warning, "SchedulerError"),
        Outcome::Scheduled | Outcome::Unschedulable | Outcome::Gated => (EventType::Warning, "Unschedulable"),
    };
    turn.event_series(&object, how, "Scheduling", "FailedScheduling", &message);
    preempt(turn, pod, decision)?;
    let nominated = decision.preemption.as_ref().map(|it| it.nominated_node.clone());
    say_unschedulable(turn, &namespace, &name, condition_reason, &message, nominated)
}

fn remember(turn: &mut Turn<'_>, pod: &Pod, queued: Option<QueuedPod>, decision: &Decision, message: &str) {
    let mut queued = queued.unwrap_or_else(|| QueuedPod {
        metadata: ObjectMeta {
            name: pod.metadata.name.clone(),
            namespace: pod.metadata.namespace.clone(),
            ..ObjectMeta::default()
        },
        pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
        ..QueuedPod::default()
    });
    queued.attempts += 1;
    queued.tried_at = turn.now();
    queued.back_off_until = turn.now() + back_off(queued.attempts);
    queued.retries_on = decision.retries_on.iter().map(word).collect();
    message.clone_into(&mut queued.message);
    turn.put(queued.into_object());
}

/// One second after the first attempt, doubling to ten.
fn back_off(attempts: u32) -> SimDuration {
    let doubled = INITIAL_BACK_OFF.0 << attempts.saturating_sub(1).min(10);
    SimDuration(doubled.min(MAX_BACK_OFF.0))
}

/// Evicts the victims of a preemption.
fn preempt(turn: &mut Turn<'_>, pod: &Pod, decision: &Decision) -> Result<(), ApiStatus> {
    let Some(preemption) = &decision.preemption else { return Ok(()) };
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    for victim in &preemption.victims {
        let Some((namespace, name)) = victim.split_once('/') else { continue };
        let Some(found) = turn.get::<Pod>(namespace, name).cloned() else { continue };
        let stamp = turn.stamp();
        let observed_generation = found.metadata.generation;
        turn.patch_status::<Pod>(namespace, name, |victim| {
            let conditions = victim.status.get_or_insert_default().conditions.get_or_insert_default();
            conditions.retain(|it| it.type_ != "DisruptionTarget");
            conditions.push(PodCondition {
                type_: "DisruptionTarget".to_owned(),
                status: "True".to_owned(),
                reason: Some("PreemptionByScheduler".to_owned()),
                message: Some(format!("{NAME}: preempting to accommodate a higher priority pod")),
                last_transition_time: Some(stamp),
                observed_generation,
                ..PodCondition::default()
            });
        })?;
        let key = turn.key(Kind::Pod, namespace, name);
        turn.delete(&key, None)?;
        let message = format!("Preempted by pod {uid} on node {}", preemption.nominated_node);
        turn.event_series(&found.into_object(), EventType::Normal, "Preempting", "Preempted", &message);
    }
    Ok(())
}

/// Writes `PodScheduled=False`, unless it says so already.
fn say_unschedulable(
    turn: &mut Turn<'_>,
    namespace: &str,
    name: &str,
    reason: &str,
    message: &str,
    nominated: Option<String>,
) -> Result<(), ApiStatus> {
    let stamp = turn.stamp();
    turn.patch_status::<Pod>(namespace, name, |pod| {
        let generation = pod.metadata.generation;
        let status = pod.status.get_or_insert_default();
        if nominated.is_some() {
            status.nominated_node_name = nominated;
        }
        let conditions = status.conditions.get_or_insert_default();
        let had = conditions.iter().position(|it| it.type_ == "PodScheduled");
        let had = had.map(|at| conditions.remove(at));
        let since = had.filter(|it| it.status == "False").and_then(|it| it.last_transition_time);
        conditions.push(PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            last_transition_time: Some(since.unwrap_or(stamp)),
            observed_generation: generation,
            ..PodCondition::default()
        });
    })
    .map(drop)
}

/// An event as the queue remembers it: `Node/UpdateNodeTaint`.
fn word(event: &ClusterEvent) -> String {
    format!("{:?}/{:?}", event.resource, event.action)
}

/// What a change is to the scheduler.
fn events(change: &Change) -> Vec<String> {
    let event = |resource, action| word(&ClusterEvent { resource, action });
    let mut events = Vec::new();
    match change.key.kind {
        Kind::Node => {
            let of = |node: &Option<Rc<Object>>| node.as_deref().and_then(Node::of).cloned();
            match (of(&change.before), of(&change.after)) {
                (None, Some(_)) => events.push(event(EventResource::Node, EventAction::Add)),
                (Some(before), Some(after)) => {
                    let allocatable =
                        |node: &Node| node.status.as_ref().and_then(|it| it.allocatable.clone());
                    let taints =
                        |node: &Node| node.spec.as_ref().map(|it| (it.taints.clone(), it.unschedulable));
                    if allocatable(&before) != allocatable(&after) {
                        events.push(event(EventResource::Node, EventAction::UpdateNodeAllocatable));
                    }
                    if before.metadata.labels != after.metadata.labels {
                        events.push(event(EventResource::Node, EventAction::UpdateNodeLabel));
                    }
                    if taints(&before) != taints(&after) {
                        events.push(event(EventResource::Node, EventAction::UpdateNodeTaint));
                    }
                }
                (_, None) => {}
            }
        }
        Kind::Pod => {
            let of = |pod: &Option<Rc<Object>>| {
                pod.as_deref()
                    .and_then(Pod::of)
                    .filter(|pod| bound_to(pod).is_some() && !is_finished(pod))
                    .cloned()
            };
            match (of(&change.before), of(&change.after)) {
                (None, Some(_)) => events.push(event(EventResource::AssignedPod, EventAction::Add)),
                (Some(_), None) => events.push(event(EventResource::AssignedPod, EventAction::Delete)),
                (Some(before), Some(after)) if before.metadata.labels != after.metadata.labels => {
                    events.push(event(EventResource::AssignedPod, EventAction::UpdatePodLabel));
                }
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
        _ => events.extend(stored::event(change).as_ref().map(word)),
    }
    events
}

#[cfg(test)]
mod tests;
