//! Has every node that should have one its daemon pod?
//!
//! The controller makes a pod for each such node and names the node in the pod's affinity; the scheduler binds it. New
//! templates replace pods node by node, by taking the old one away first or by putting the new one beside it. Pods that
//! match and have no owner are adopted, pods that no longer match are let go.
//! Source: `pkg/controller/daemon/{daemon_controller,update}.go`.

mod failed;
mod manage;
mod node;
mod roll;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        apps::v1::{DaemonSet, DaemonSetStatus},
        core::v1::{Node, Pod},
    },
    label::Selector,
};

pub(crate) use self::failed::FailedPods;
use self::node::{Rules, target, tolerate};
use super::{
    adopt, controller_of, is_available, is_managed_by, is_ready, let_go, manager, phase,
    revision::{self, HASH_LABEL},
    template_hash,
};
use crate::{Change, ClusterId, Controller, Key, Next, Store, Turn};

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// The controller.
pub(crate) struct DaemonSetController;

impl Controller for DaemonSetController {
    fn name(&self) -> &'static str {
        "daemonset-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let key =
            |namespace: &str, name: &str| Key::new(change.key.cluster, Kind::DaemonSet, namespace, name);
        match change.key.kind {
            Kind::DaemonSet => wake(change.key.clone()),
            Kind::Pod => {
                for pod in [&change.before, &change.after].into_iter().flatten() {
                    if let Some(owner) = manager(pod, Kind::DaemonSet) {
                        wake(key(&change.key.namespace, &owner.name));
                    }
                }
                // An orphan may belong to any set that chooses it.
                if let Some(pod) = change.after.as_ref().filter(|pod| controller_of(pod.meta()).is_none()) {
                    let sets = store.list::<DaemonSet>(change.key.cluster, Some(&change.key.namespace));
                    for set in sets.filter(|set| chooses(set)(pod.meta().labels.as_ref())) {
                        wake(key(&change.key.namespace, set.metadata.name.as_deref().unwrap_or_default()));
                    }
                }
            }
            Kind::Node => {
                let seen = |node: &Option<std::rc::Rc<Object>>| {
                    node.as_deref()
                        .and_then(Node::of)
                        .map(|node| (node.metadata.labels.clone(), node.spec.clone()))
                };
                if seen(&change.before) != seen(&change.after) {
                    for set in store.list::<DaemonSet>(change.key.cluster, None) {
                        if concerns(store, change, set) {
                            let meta = &set.metadata;
                            let namespace = meta.namespace.as_deref().unwrap_or_default();
                            wake(key(namespace, meta.name.as_deref().unwrap_or_default()));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(set) = turn.get::<DaemonSet>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        if set.metadata.deletion_timestamp.is_some() {
            return Ok(Next::Done);
        }
        let hash = revise(turn, &set)?;
        claim(turn, &set)?;
        let before = turn.store().clone();
        let plan = Plan::of(&before, turn.cluster(), &set, hash.clone());
        let mut again = None;
        let outcome = manage::carry_out(turn, &set, &plan, &mut again).and_then(|acted| {
            // Upstream waits until it has seen what it did.
            if acted { Ok(()) } else { roll::roll(turn, &set, &plan) }
        });
        let now = turn.store().clone();
        let is_changed = now.revision() != before.revision();
        let after = if is_changed { Plan::of(&now, turn.cluster(), &set, hash) } else { plan };
        if outcome.is_ok() {
            let limit = set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
            let live: BTreeSet<String> = after.hashes().map(|hash| format!("{}-{hash}", key.name)).collect();
            let uid = set.metadata.uid.as_deref().unwrap_or_default();
            // Revisions that pods still have count, and stay all the same.
            let old = revision::all(turn, uid).len().saturating_sub(1);
            revision::trim(turn, uid, &live, old.saturating_sub(usize::try_from(limit).unwrap_or(0)))?;
        }
        let seconds = min_ready(&set);
        let status = after.status(turn, &set);
        let waits = seconds > 0 && status.number_ready != status.number_available.unwrap_or(0);
        write_status(turn, set, status)?;
        outcome?;
        // A pod becomes available by time alone.
        let available = waits.then(|| SimDuration::secs(seconds.unsigned_abs().into()));
        Ok(available.into_iter().chain(again).min().map_or(Next::Done, Next::After))
    }
}

/// Whether a node's change is one for this set: a pod has to come or to go, or may be where it should be again. What the
/// status counts is not looked at, so that a taint which lets pods stay is seen at the next occasion only.
/// Source: `syncNodeUpdate` of `daemon_controller.go`.
fn concerns(store: &Store, change: &Change, set: &DaemonSet) -> bool {
    // UPSTREAM: nobody listens for nodes that go; their pods are collected later.
    let Some(node) = change.after.as_deref().and_then(Node::of) else { return false };
    let mut spec = set.spec.as_ref().and_then(|spec| spec.template.spec.clone()).unwrap_or_default();
    tolerate(&mut spec);
    let (wanted, kept) = Rules::of(&spec).judge(node);
    let uid = set.metadata.uid.as_deref().unwrap_or_default();
    let here =
        store.pods_on(change.key.cluster, &change.key.name).any(|pod| is_managed_by(&pod.metadata, uid));
    let misplaced = set.status.as_ref().is_some_and(|status| status.number_misscheduled > 0);
    if here { !kept || misplaced } else { wanted }
}

/// Whether the set looks for pods with such labels.
fn chooses(set: &DaemonSet) -> impl Fn(Option<&BTreeMap<String, String>>) -> bool + use<> {
    let selector = set.spec.as_ref().and_then(|spec| Selector::from_label_selector(&spec.selector).ok());
    let selector = selector.filter(|selector| !selector.is_empty());
    move |labels| selector.as_ref().is_some_and(|it| it.matches(labels.unwrap_or(&BTreeMap::new())))
}

/// Adopts pods that the set chooses and nobody manages, and lets go those that it no longer chooses.
fn claim(turn: &mut Turn<'_>, set: &DaemonSet) -> Result<(), ApiStatus> {
    let uid = set.metadata.uid.clone().unwrap_or_default();
    let namespace = set.metadata.namespace.clone().unwrap_or_default();
    let name = |pod: &Pod| pod.metadata.name.clone().unwrap_or_default();
    let chooses = chooses(set);
    let own = turn.store().owned_by(turn.cluster(), &uid).filter_map(|(_, pod)| Pod::of(pod));
    let own = own.filter(|pod| is_managed_by(&pod.metadata, &uid));
    let lost: Vec<String> = own.filter(|pod| !chooses(pod.metadata.labels.as_ref())).map(name).collect();
    let orphans = turn.store().orphan_pods(turn.cluster(), &namespace);
    let orphans = orphans.filter(|pod| pod.metadata.deletion_timestamp.is_none());
    let found: Vec<String> = orphans.filter(|pod| chooses(pod.metadata.labels.as_ref())).map(name).collect();
    for pod in lost {
        let_go(turn, set, &pod)?;
    }
    for pod in found {
        adopt(turn, set, &pod)?;
    }
    Ok(())
}

fn min_ready(set: &DaemonSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0)
}

/// One node and the set's pods on it.
struct Place<'s> {
    node: &'s str,
    /// Whether a pod should come here.
    wanted: bool,
    /// Whether a pod that is here may stay.
    kept: bool,
    /// Those with a node before those without, running before pending, ready and old ones first.
    pods: Vec<&'s Pod>,
}

impl<'s> Place<'s> {
    /// Pods that are not being deleted.
    fn alive(&self) -> impl Iterator<Item = &'s Pod> {
        self.pods.iter().copied().filter(|pod| pod.metadata.deletion_timestamp.is_none())
    }
}

/// A set's pods by node.
struct Plan<'s> {
    hash: String,
    places: Vec<Place<'s>>,
    /// Pods on nodes that are no more.
    stray: Vec<&'s Pod>,
    /// Pods that have ended and are being deleted: nobody counts them.
    over: Vec<&'s Pod>,
}

impl<'s> Plan<'s> {
    fn of(store: &'s Store, cluster: ClusterId, set: &DaemonSet, hash: String) -> Self {
        let uid = set.metadata.uid.as_deref().unwrap_or_default();
        let mut by_node: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
        let pods = store.owned_by(cluster, uid).filter_map(|(_, pod)| Pod::of(pod));
        let pods = pods.filter(|pod| is_managed_by(&pod.metadata, uid));
        let (over, pods): (Vec<&Pod>, Vec<&Pod>) = pods.partition(|pod| {
            matches!(phase(pod), "Failed" | "Succeeded") && pod.metadata.deletion_timestamp.is_some()
        });
        for pod in pods {
            by_node.entry(target(pod)).or_default().push(pod);
        }
        by_node.values_mut().for_each(|pods| pods.sort_by_key(|pod| rank(pod)));
        let mut spec = set.spec.as_ref().and_then(|spec| spec.template.spec.clone()).unwrap_or_default();
        tolerate(&mut spec);
        let rules = Rules::of(&spec);
        let places = store.list::<Node>(cluster, None).map(|node| {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            let (wanted, kept) = rules.judge(node);
            Place { pods: by_node.remove(name).unwrap_or_default(), node: name, wanted, kept }
        });
        let places = places.collect();
        Self { hash, places, stray: by_node.into_values().flatten().collect(), over }
    }

    /// The hash of the present template and those of all pods.
    fn hashes(&self) -> impl Iterator<Item = &String> {
        let pods = self.places.iter().flat_map(|place| &place.pods).chain(&self.stray).chain(&self.over);
        let pods = pods.copied();
        let of_pods = pods.filter_map(|pod| pod.metadata.labels.as_ref()?.get(HASH_LABEL));
        of_pods.chain([&self.hash])
    }

    fn is_current(&self, pod: &Pod) -> bool {
        pod.metadata.labels.as_ref().and_then(|labels| labels.get(HASH_LABEL)) == Some(&self.hash)
    }

    fn status(&self, turn: &Turn<'_>, set: &DaemonSet) -> DaemonSetStatus {
        let now = turn.stamp();
        let mut status = DaemonSetStatus {
            observed_generation: set.metadata.generation,
            collision_count: set.status.as_ref().and_then(|status| status.collision_count),
            conditions: set.status.as_ref().and_then(|status| status.conditions.clone()),
            ..DaemonSetStatus::default()
        };
        let (mut available, mut updated) = (0, 0);
        for place in &self.places {
            let pod = place.pods.first().copied();
            if !place.wanted {
                status.number_misscheduled += i32::from(pod.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = pod else { continue };
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(is_ready(pod));
            available += i32::from(is_available(pod, min_ready(set), &now));
            updated += i32::from(self.is_current(pod));
        }
        let unavailable = status.desired_number_scheduled - available;
        let shown = |number: i32| Some(number).filter(|number| *number != 0);
        status.number_available = shown(available);
        status.updated_number_scheduled = shown(updated);
        status.number_unavailable = shown(unavailable);
        status
    }
}

/// Pods are sorted by it: the first is the one that counts. Source: `podByCreationTimestampAndPhase`.
fn rank(pod: &Pod) -> (Reverse<bool>, Option<jiff::Timestamp>, Option<&str>) {
    let bound = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()).is_some_and(|it| !it.is_empty());
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (Reverse(bound), created, pod.metadata.name.as_deref())
}

fn write_status(turn: &mut Turn<'_>, mut set: DaemonSet, status: DaemonSetStatus) -> Result<(), ApiStatus> {
    if set.status.as_ref() != Some(&status) {
        set.status = Some(status);
        set.metadata.resource_version = None;
        turn.update_status(set)?;
    }
    Ok(())
}

/// The hash of the present template, as the ControllerRevision that remembers it has it.
fn revise(turn: &mut Turn<'_>, set: &DaemonSet) -> Result<String, ApiStatus> {
    let Some(spec) = &set.spec else { return Ok(String::new()) };
    revision::adopt(turn, set, Selector::from_label_selector(&spec.selector).ok().as_ref())?;
    let data = revision::data_of(&spec.template, turn.release());
    let collisions = set.status.as_ref().and_then(|status| status.collision_count);
    let newest = revision::newest(turn, set, data, |turn, _| {
        let hash = template_hash(turn, &spec.template, collisions);
        let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.clone());
        let mut labels = labels.unwrap_or_default();
        labels.insert(HASH_LABEL.to_owned(), hash.clone());
        (hash, labels)
    })?;
    Ok(newest.hash)
}
