//! What happened, and whom may it help?
//!
//! A change of the store in the scheduler's words, and the refused pods for which it is worth another try: the plugins
//! that refused them are asked, one by one ([`::scheduler::hint`]).
//! Source: `pkg/scheduler/eventhandlers.go` and `pkg/scheduler/framework/events.go`, 1.34.

use ::scheduler::{
    ClusterEvent, EventAction, EventResource, PodInfo, hint, hint::Happening, requests::Requests,
};
use api::{
    Kind, Object, Resource,
    k8s::{
        core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod},
        storage::v1::{CSINode, StorageClass},
    },
    kinds::sim::{QueuePlace, QueuedPod},
};

use super::{bound_to, cache, is_finished, is_waiting, stored};
use crate::{Change, Key, Store};

/// An event as the queue remembers it: `Node/UpdateNodeTaint`.
pub(super) fn word(event: ClusterEvent) -> String {
    format!("{:?}/{:?}", event.resource, event.action)
}

/// Tells of every refused pod that `change` may help.
pub(super) fn call_back(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    let cluster = change.key.cluster;
    if store.objects(cluster, Kind::QueuedPod, None).next().is_none() {
        return;
    }
    let own = Kind::Pod == change.key.kind;
    let of_pod = if own { own_events(change) } else { Vec::new() };
    let (events, released) = (events(change), released(change));
    if of_pod.is_empty() && events.is_empty() && released.is_none() {
        return;
    }
    let objects = Objects::of(change);
    for (key, object) in store.objects(cluster, Kind::QueuedPod, None) {
        let Some(queued) = QueuedPod::of(object).filter(|it| it.place == QueuePlace::Unschedulable) else {
            continue;
        };
        let same = own && key.namespace == change.key.namespace && key.name == change.key.name;
        let events = if same { &of_pod } else { &events };
        let gone = released
            .filter(|_| !same)
            .map(|most| (ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete), most));
        let concerned = |event: &&ClusterEvent| hint::concerns(&queued.refused_by, **event);
        if !events.iter().chain(gone.as_ref().map(|it| &it.0)).any(|it| concerned(&it)) {
            continue;
        }
        let pod = Key { kind: Kind::Pod, ..key.clone() };
        let Some(pod) = store.object(&pod).and_then(|it| Pod::of(it)).filter(|it| is_waiting(it)) else {
            continue;
        };
        let gone = gone.filter(|(_, most)| super::priority(pod) <= *most).map(|it| it.0);
        let pod = PodInfo::new(pod);
        let what = objects.happening();
        let mut heard = events.iter().chain(&gone).filter(concerned);
        if heard.any(|event| hint::helps(&queued.refused_by, *event, &what, &pod)) {
            wake(key.clone());
        }
    }
}

/// The objects of a change, compiled where plugins want them so.
enum Objects {
    Node(Box<(Option<Node>, Option<Node>)>),
    Pod(Box<(Option<PodInfo>, Option<PodInfo>)>),
    Claim(Box<(Option<PersistentVolumeClaim>, Option<PersistentVolumeClaim>)>),
    Volume(Box<(Option<PersistentVolume>, Option<PersistentVolume>)>),
    Class(Box<(Option<StorageClass>, Option<StorageClass>)>),
    Drivers(Box<(Option<CSINode>, Option<CSINode>)>),
}

impl Objects {
    fn of(change: &Change) -> Objects {
        let (before, after) = (change.before.as_deref(), change.after.as_deref());
        match change.key.kind {
            Kind::Node => Objects::Node(Box::new((
                before.and_then(Node::of).cloned(),
                after.and_then(Node::of).cloned(),
            ))),
            Kind::PersistentVolumeClaim => {
                Objects::Claim(Box::new((stored::typed(before), stored::typed(after))))
            }
            Kind::PersistentVolume => {
                Objects::Volume(Box::new((stored::typed(before), stored::typed(after))))
            }
            Kind::StorageClass => Objects::Class(Box::new((stored::typed(before), stored::typed(after)))),
            Kind::CSINode => Objects::Drivers(Box::new((stored::typed(before), stored::typed(after)))),
            // Only pods are left that anybody waits for.
            _ => {
                // A pod that comes to a node is new there, one that has finished is gone.
                let unbound = after.and_then(Pod::of).is_some_and(|pod| bound_to(pod).is_none());
                let info = |pod: Option<&Object>| {
                    let pod = pod.and_then(Pod::of).filter(|pod| !is_finished(pod))?;
                    (bound_to(pod).is_some() || unbound || after.is_none()).then(|| PodInfo::new(pod))
                };
                Objects::Pod(Box::new((info(before), info(after))))
            }
        }
    }

    fn happening(&self) -> Happening<'_> {
        match self {
            Objects::Node(it) => Happening::Node(it.0.as_ref(), it.1.as_ref()),
            Objects::Pod(it) => Happening::Pod(it.0.as_ref(), it.1.as_ref()),
            Objects::Claim(it) => Happening::Claim(it.0.as_ref(), it.1.as_ref()),
            Objects::Volume(it) => Happening::Volume(it.0.as_ref(), it.1.as_ref()),
            Objects::Class(it) => Happening::Class(it.0.as_ref(), it.1.as_ref()),
            Objects::Drivers(it) => Happening::Drivers(it.0.as_ref(), it.1.as_ref()),
        }
    }
}

/// What a change of a pod that waits is to itself.
fn own_events(change: &Change) -> Vec<ClusterEvent> {
    let waiting = |it: Option<&Object>| it.and_then(Pod::of).is_some_and(is_waiting);
    let (before, after) = (change.before.as_deref(), change.after.as_deref());
    if !waiting(before) || !waiting(after) {
        return Vec::new();
    }
    let (Some(before), Some(after)) = (before.and_then(Pod::of), after.and_then(Pod::of)) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let tolerations = |pod: &Pod| pod.spec.as_ref().and_then(|it| it.tolerations.clone());
    if before.metadata.labels != after.metadata.labels {
        events.push(ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodLabel));
    }
    if asks_for_less(before, after) {
        events.push(ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodScaleDown));
    }
    if tolerations(before) != tolerations(after) {
        events.push(ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodToleration));
    }
    events
}

/// What a change is to pods that wait.
fn events(change: &Change) -> Vec<ClusterEvent> {
    match change.key.kind {
        Kind::Node => node_events(change),
        Kind::Pod => pod_events(change),
        _ => stored::event(change).into_iter().collect(),
    }
}

fn node_events(change: &Change) -> Vec<ClusterEvent> {
    let event = |action| ClusterEvent::new(EventResource::Node, action);
    let (before, after) =
        (change.before.as_deref().and_then(Node::of), change.after.as_deref().and_then(Node::of));
    match (before, after) {
        (None, Some(_)) => vec![event(EventAction::Add)],
        (Some(before), Some(after)) => {
            let allocatable = |node: &Node| node.status.as_ref().and_then(|it| it.allocatable.clone());
            let taints = |node: &Node| {
                let spec = node.spec.as_ref();
                (spec.and_then(|it| it.taints.clone()), spec.and_then(|it| it.unschedulable) == Some(true))
            };
            let mut events = Vec::new();
            if before.metadata.labels != after.metadata.labels {
                events.push(event(EventAction::UpdateNodeLabel));
            }
            if taints(before) != taints(after) {
                events.push(event(EventAction::UpdateNodeTaint));
            }
            if allocatable(before) != allocatable(after) {
                events.push(event(EventAction::UpdateNodeAllocatable));
            }
            events
        }
        (Some(_), None) => vec![event(EventAction::Delete)],
        (None, None) => Vec::new(),
    }
}

fn pod_events(change: &Change) -> Vec<ClusterEvent> {
    let event = |action| ClusterEvent::new(EventResource::AssignedPod, action);
    let (before, after) =
        (change.before.as_deref().and_then(Pod::of), change.after.as_deref().and_then(Pod::of));
    let assigned = |pod: &Pod| bound_to(pod).is_some() && !is_finished(pod);
    let (was, is) = (before.is_some_and(assigned), after.is_some_and(assigned));
    match (before, after) {
        (Some(before), Some(after)) if was && is => {
            let mut events = Vec::new();
            if before.metadata.labels != after.metadata.labels {
                events.push(event(EventAction::UpdatePodLabel));
            }
            if asks_for_less(before, after) {
                events.push(event(EventAction::UpdatePodScaleDown));
            }
            events
        }
        (_, _) if is => vec![event(EventAction::Add)],
        (_, _) if was => vec![event(EventAction::Delete)],
        (_, _) => Vec::new(),
    }
}

/// The priority of a waiting pod that is no longer promised the node it was: those that matter no more than it were held off
/// that node. Source: `getLEPriorityPreCheck` of `eventhandlers.go`, 1.34.
fn released(change: &Change) -> Option<i32> {
    let promised = |pod: &Pod| {
        let node = pod.status.as_ref().and_then(|it| it.nominated_node_name.clone())?;
        (bound_to(pod).is_none() && !node.is_empty()).then_some(node)
    };
    let before = change.before.as_deref().and_then(Pod::of)?;
    let node = promised(before)?;
    let still = change.after.as_deref().and_then(Pod::of).and_then(promised).is_some_and(|it| it == node);
    (!still).then(|| super::priority(before))
}

/// Whether less is held for a pod: its resize is through, or cannot be had.
/// Source: `extractPodScaleDown` of `framework/events.go`, 1.34.
fn asks_for_less(before: &Pod, after: &Pod) -> bool {
    if before.spec == after.spec && cache::has_the_same(before, after) {
        return false;
    }
    let requests = |pod: &Pod| pod.spec.as_ref().map(|spec| Requests::of(spec, pod.status.as_ref()).exact);
    let (Some(before), Some(after)) = (requests(before), requests(after)) else { return false };
    before.listed().iter().any(|(resource, amount)| after.of(resource) < *amount)
}
