//! Has every node that should have one its daemon pod?
//!
//! The controller makes a pod for each such node and names the node in the pod's affinity; the scheduler binds it. New
//! templates replace pods node by node. Source: `pkg/controller/daemon/{daemon_controller,update}.go`,
//! `pkg/controller/daemon/util/daemonset_util.go`.

use std::collections::{BTreeMap, BTreeSet};

use ::scheduler::{node_selector::RequiredNodes, taint};
use api::{
    ApiStatus, Kind, Object, Resource,
    k8s::{
        apps::v1::{DaemonSet, DaemonSetStatus},
        core::v1::{Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration},
    },
    label::Selector,
};

use super::{
    create_pod, is_available, is_managed_by, is_ready, managed_by, manager, phase, pod_from,
    revision::{self, HASH_LABEL},
    share, template_hash,
};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

const GENERATION_LABEL: &str = "pod-template-generation";
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
        let plan = Plan::of(turn, &set, hash);
        plan.carry_out(turn, &set)?;
        let after = Plan::of(turn, &set, plan.hash.clone());
        let (uid, name) = (set.metadata.uid.clone().unwrap_or_default(), key.name.clone());
        let limit = set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
        let live: BTreeSet<String> = after.hashes().map(|hash| format!("{name}-{hash}")).collect();
        after.write_status(turn, set)?;
        if let Ok(limit) = usize::try_from(limit) {
            revision::trim(turn, &uid, &live, limit)?;
        }
        Ok(Next::Done)
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

/// One node and the set's pods on it.
struct Place {
    node: String,
    /// Whether a pod should come here.
    wanted: bool,
    /// Whether a pod that is here may stay.
    kept: bool,
    pods: Vec<Pod>,
}

struct Plan {
    hash: String,
    places: Vec<Place>,
    /// Pods on nodes that are no more.
    stray: Vec<Pod>,
}

impl Plan {
    fn of(turn: &Turn<'_>, set: &DaemonSet, hash: String) -> Self {
        let uid = set.metadata.uid.clone().unwrap_or_default();
        let mut by_node: BTreeMap<String, Vec<Pod>> = BTreeMap::new();
        let pods = turn.store().owned_by(turn.cluster(), &uid).filter_map(|(_, pod)| Pod::of(pod));
        for pod in pods.filter(|pod| is_managed_by(&pod.metadata, &uid)) {
            by_node.entry(target(pod)).or_default().push(pod.clone());
        }
        let mut spec = set.spec.as_ref().and_then(|spec| spec.template.spec.clone()).unwrap_or_default();
        tolerate(&mut spec);
        let rules = Rules::of(&spec);
        let places = turn.list::<Node>(None).map(|node| {
            let name = node.metadata.name.clone().unwrap_or_default();
            let (wanted, kept) = rules.judge(node);
            Place { pods: by_node.remove(&name).unwrap_or_default(), node: name, wanted, kept }
        });
        let places = places.collect();
        Self { hash, places, stray: by_node.into_values().flatten().collect() }
    }

    fn carry_out(&self, turn: &mut Turn<'_>, set: &DaemonSet) -> Result<(), ApiStatus> {
        let object = set.clone().into_object();
        for pod in self.stray.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            remove(turn, &object, pod)?;
        }
        for place in &self.places {
            let alive: Vec<&Pod> =
                place.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
            if place.wanted && place.pods.is_empty() {
                self.create(turn, set, &object, &place.node)?;
            } else if !place.kept {
                for pod in alive {
                    remove(turn, &object, pod)?;
                }
            } else {
                tidy(turn, &object, &place.node, alive)?;
            }
        }
        self.roll(turn, set, &object)
    }

    fn create(
        &self,
        turn: &mut Turn<'_>,
        set: &DaemonSet,
        object: &Object,
        node: &str,
    ) -> Result<(), ApiStatus> {
        let template = set.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
        let (namespace, name) = (object.namespace(), object.name());
        let mut pod = pod_from(&template, namespace, name, managed_by(set));
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert(HASH_LABEL.to_owned(), self.hash.clone());
        labels.insert(GENERATION_LABEL.to_owned(), template_generation(set));
        let spec = pod.spec.get_or_insert_default();
        tolerate(spec);
        aim(spec, node);
        create_pod(turn, object, pod)
    }

    /// Deletes pods of older templates: those that serve nobody at once, others as far as `maxUnavailable` goes.
    fn roll(&self, turn: &mut Turn<'_>, set: &DaemonSet, object: &Object) -> Result<(), ApiStatus> {
        let spec = set.spec.clone().unwrap_or_default();
        let strategy = spec.update_strategy.unwrap_or_default();
        if strategy.type_.as_deref() == Some("OnDelete") {
            return Ok(());
        }
        let rolling = strategy.rolling_update.unwrap_or_default();
        let wanted: Vec<&Place> = self.places.iter().filter(|place| place.wanted).collect();
        let count = i32::try_from(wanted.len()).unwrap_or(i32::MAX);
        let mut room = match rolling.max_unavailable.as_ref() {
            Some(written) => share(count, Some(written), "", true),
            None => 1,
        };
        let now = turn.stamp();
        let up = |pod: &Pod| is_available(pod, spec.min_ready_seconds.unwrap_or(0), &now);
        let (mut idle, mut serving) = (Vec::new(), Vec::new());
        for place in wanted {
            let alive: Vec<&Pod> =
                place.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
            match alive.as_slice() {
                [pod] if self.is_current(pod) => room -= i32::from(!up(pod)),
                [pod] if !up(pod) => idle.push(*pod),
                [pod] => serving.push(*pod),
                _ => room -= 1,
            }
        }
        let room = usize::try_from(room).unwrap_or(0);
        for pod in idle.into_iter().chain(serving.into_iter().take(room)) {
            // It may be gone already, by what was done above.
            if turn.get::<Pod>(object.namespace(), pod.metadata.name.as_deref().unwrap_or_default()).is_some()
            {
                remove(turn, object, pod)?;
            }
        }
        Ok(())
    }

    /// The hash of the present template and those of all pods.
    fn hashes(&self) -> impl Iterator<Item = &String> {
        let pods = self.places.iter().flat_map(|place| &place.pods).chain(&self.stray);
        let of_pods = pods.filter_map(|pod| pod.metadata.labels.as_ref()?.get(HASH_LABEL));
        of_pods.chain([&self.hash])
    }

    fn is_current(&self, pod: &Pod) -> bool {
        pod.metadata.labels.as_ref().and_then(|labels| labels.get(HASH_LABEL)) == Some(&self.hash)
    }

    fn write_status(&self, turn: &mut Turn<'_>, mut set: DaemonSet) -> Result<(), ApiStatus> {
        let now = turn.stamp();
        let seconds = set.spec.as_ref().and_then(|spec| spec.min_ready_seconds).unwrap_or(0);
        let mut status = DaemonSetStatus {
            observed_generation: set.metadata.generation,
            collision_count: set.status.as_ref().and_then(|status| status.collision_count),
            conditions: set.status.as_ref().and_then(|status| status.conditions.clone()),
            ..DaemonSetStatus::default()
        };
        let (mut available, mut updated) = (0, 0);
        for place in &self.places {
            let pod = place
                .pods
                .iter()
                .min_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
            if !place.wanted {
                status.number_misscheduled += i32::from(pod.is_some());
                continue;
            }
            status.desired_number_scheduled += 1;
            let Some(pod) = pod else { continue };
            status.current_number_scheduled += 1;
            status.number_ready += i32::from(is_ready(pod));
            available += i32::from(is_available(pod, seconds, &now));
            updated += i32::from(self.is_current(pod));
        }
        let unavailable = status.desired_number_scheduled - available;
        let shown = |number: i32| Some(number).filter(|number| *number != 0);
        status.number_available = shown(available);
        status.updated_number_scheduled = shown(updated);
        status.number_unavailable = shown(unavailable);
        if set.status.as_ref() != Some(&status) {
            set.status = Some(status);
            set.metadata.resource_version = None;
            turn.update_status(set)?;
        }
        Ok(())
    }
}

/// Where a pod is, or is to be.
fn target(pod: &Pod) -> String {
    let spec = pod.spec.clone().unwrap_or_default();
    if let Some(node) = spec.node_name.filter(|node| !node.is_empty()) {
        return node;
    }
    let required = spec
        .affinity
        .and_then(|it| it.node_affinity)
        .and_then(|it| it.required_during_scheduling_ignored_during_execution);
    let names =
        required.into_iter().flat_map(|it| it.node_selector_terms).filter_map(|term| term.match_fields);
    let named = names.flatten().find(|field| field.key == "metadata.name").and_then(|field| field.values);
    named.and_then(|values| values.into_iter().next()).unwrap_or_default()
}

/// What a template asks of a node.
struct Rules {
    node_name: Option<String>,
    required: Option<RequiredNodes>,
    tolerations: Vec<taint::Toleration>,
}

impl Rules {
    fn of(spec: &PodSpec) -> Self {
        Self {
            node_name: spec.node_name.clone().filter(|name| !name.is_empty()),
            required: RequiredNodes::of(spec),
            tolerations: spec.tolerations.iter().flatten().filter_map(taint::Toleration::of).collect(),
        }
    }

    /// Whether a pod should come, and whether one that is there may stay.
    fn judge(&self, node: &Node) -> (bool, bool) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let labels = node.metadata.labels.clone().unwrap_or_default();
        let fits = self.node_name.as_deref().is_none_or(|wanted| wanted == name)
            && self.required.as_ref().is_none_or(|required| required.matches(name, &labels));
        if !fits {
            return (false, false);
        }
        let taints =
            node.spec.iter().filter_map(|spec| spec.taints.as_ref()).flatten().filter_map(taint::Taint::of);
        let open: Vec<taint::Taint> =
            taints.filter(|it| it.forbids() && !taint::tolerated(&self.tolerations, it)).collect();
        (open.is_empty(), open.iter().all(|it| it.effect != taint::Effect::NoExecute))
    }
}

/// What every daemon pod tolerates.
fn tolerate(spec: &mut PodSpec) {
    let own_network = spec.host_network != Some(true);
    let taints = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"),
    ];
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in taints.into_iter().take(if own_network { 6 } else { 7 }) {
        let toleration = Toleration {
            key: Some(format!("node.kubernetes.io/{key}")),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let same = |had: &Toleration| (&had.key, &had.effect) == (&toleration.key, &toleration.effect);
        match tolerations.iter_mut().find(|had| same(had)) {
            Some(had) => *had = toleration,
            None => tolerations.push(toleration),
        }
    }
}

/// Names the node in the pod's required affinity, in the place of every other field term.
fn aim(spec: &mut PodSpec, node: &str) {
    let name = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = spec.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .get_or_insert_with(|| NodeSelector { node_selector_terms: Vec::new() });
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_fields = Some(vec![name.clone()]);
    }
}

fn remove(turn: &mut Turn<'_>, object: &Object, pod: &Pod) -> Result<(), ApiStatus> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let key = turn.key(Kind::Pod, object.namespace(), name);
    match turn.delete(&key, None) {
        Ok(_) => turn.event(object, EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {name}")),
        Err(refusal) if refusal.code == 404 => {}
        Err(refusal) => return Err(refusal),
    }
    Ok(())
}

/// Removes pods that have ended, and all but the oldest of several.
fn tidy(turn: &mut Turn<'_>, object: &Object, node: &str, pods: Vec<&Pod>) -> Result<(), ApiStatus> {
    let (ended, mut running): (Vec<&Pod>, Vec<&Pod>) =
        pods.into_iter().partition(|pod| matches!(phase(pod), "Failed" | "Succeeded"));
    for pod in ended {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let (how, reason, word) = match phase(pod) {
            "Failed" => (EventType::Warning, "FailedDaemonPod", "failed"),
            _ => (EventType::Normal, "SucceededDaemonPod", "succeeded"),
        };
        let end = if word == "failed" { "kill" } else { "delete" };
        let message = format!(
            "Found {word} daemon pod {}/{name} on node {node}, will try to {end} it",
            object.namespace()
        );
        turn.event(object, how, reason, &message);
        remove(turn, object, pod)?;
    }
    running.sort_by_key(|pod| pod.metadata.creation_timestamp.clone().map(|time| time.0));
    for pod in running.into_iter().skip(1) {
        remove(turn, object, pod)?;
    }
    Ok(())
}

fn template_generation(set: &DaemonSet) -> String {
    let text = set.metadata.annotations.as_ref().and_then(|all| all.get(TEMPLATE_GENERATION)).cloned();
    text.unwrap_or_else(|| "1".to_owned())
}

/// The hash of the present template, with a ControllerRevision that remembers it.
fn revise(turn: &mut Turn<'_>, set: &DaemonSet) -> Result<String, ApiStatus> {
    let Some(spec) = &set.spec else { return Ok(String::new()) };
    let collisions = set.status.as_ref().and_then(|status| status.collision_count);
    let hash = template_hash(&spec.template, collisions);
    let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.clone());
    let mut labels = labels.unwrap_or_default();
    labels.insert(HASH_LABEL.to_owned(), hash.clone());
    revision::adopt(turn, set, Selector::from_label_selector(&spec.selector).ok().as_ref())?;
    revision::newest(turn, set, (revision::data_of(&set.clone().into_object()), &hash, labels))?;
    Ok(hash)
}
