//! How is a node emptied before its instance goes?
//!
//! It is cordoned, and its pods are evicted by the API, which asks their budgets; the pods of DaemonSets stay. Nobody waits longer
//! than a quarter of an hour for a node.
//! Source: EKS user guide (managed node update behavior, upgrade phase; managed node groups: scaling).

use api::{
    Kind, Resource, SimDuration,
    k8s::core::v1::{Node, Pod},
    kinds::aws::{Drain, Instance},
};
use serde_json::json;

use crate::{
    ApiRequest, ApiVerb, ClusterId, Key, Note, Principal, Refusal, Request, Turn, What, node::cluster_named,
};

/// So long EKS waits for the pods of a node to leave.
pub(super) const LIMIT: SimDuration = SimDuration::secs(15 * 60);

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// No pod is left; for so long.
    Empty(SimDuration),
    /// Pods are leaving, or cannot leave yet.
    Going,
    /// Some did not leave within [`LIMIT`].
    Overdue,
}

/// Goes on emptying the node of an instance. With `force` pods that a budget keeps are deleted.
pub(super) fn drain(turn: &mut Turn<'_>, it: &Instance, force: bool) -> Drained {
    let now = turn.now();
    let mut drain = it.drain.unwrap_or(Drain { since: now, empty_since: None });
    let pods = match place(turn, it) {
        Some((cluster, node)) => {
            set_unschedulable(turn, cluster, &node, true);
            evict(turn, cluster, &node, force)
        }
        None => 0,
    };
    drain.empty_since = if pods == 0 { drain.empty_since.or(Some(now)) } else { None };
    if it.drain != Some(drain)
        && let Some(mut it) = turn.get::<Instance>("", it.meta().name.as_deref().unwrap_or_default()).cloned()
    {
        it.drain = Some(drain);
        turn.put(it.into_object());
    }
    match drain.empty_since {
        Some(empty) => Drained::Empty(now.since(empty)),
        None if now.since(drain.since) >= LIMIT => Drained::Overdue,
        None => Drained::Going,
    }
}

/// The node that an instance runs.
pub(super) fn place(turn: &Turn<'_>, it: &Instance) -> Option<(ClusterId, String)> {
    let cluster = cluster_named(turn.store(), it.cluster.as_deref()?)?;
    Some((cluster, it.node.clone()?))
}

/// Cordons a node, or takes that back.
pub(super) fn set_unschedulable(turn: &mut Turn<'_>, cluster: ClusterId, node: &str, wanted: bool) {
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let is = |node: &Node| node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
    if there.get::<Node>("", node).is_some_and(|node| is(node) != wanted) {
        let _ = there.patch::<Node>("", node, |node| {
            node.spec.get_or_insert_default().unschedulable = wanted.then_some(true);
        });
    }
}

/// Evicts the pods of a node; says how many are still there.
fn evict(turn: &mut Turn<'_>, cluster: ClusterId, node: &str, force: bool) -> usize {
    let pods: Vec<(String, String, bool)> = turn
        .store()
        .pods_on(cluster, node)
        .filter(|pod| !stays(pod))
        .map(|pod| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let going = pod.metadata.deletion_timestamp.is_some();
            (text(&pod.metadata.namespace), text(&pod.metadata.name), going)
        })
        .collect();
    for (namespace, name, going) in &pods {
        if *going {
            continue;
        }
        if force {
            let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
            let _ = there.delete(&Key::new(cluster, Kind::Pod, namespace, name), None);
            continue;
        }
        let body = json!({"apiVersion": "policy/v1", "kind": "Eviction",
            "metadata": {"namespace": namespace, "name": name}});
        let request = ApiRequest::new(cluster, ApiVerb::Create(body), Kind::Pod, namespace, name);
        // MODEL: the role that EKS gives its node manager is not written down; it may do everything here.
        let manager = Principal { user: "eks:node-manager".to_owned(), ..Principal::admin() };
        if let Err(refusal) = turn.world.request(&manager, Request::Api(request.of("eviction"))) {
            say(turn, Key::new(cluster, Kind::Pod, namespace, name), &refusal);
        }
    }
    pods.len()
}

/// A refusal is told once for each pod and node, not at every try.
fn say(turn: &mut Turn<'_>, about: Key, refusal: &Refusal) {
    let message = refusal.to_string();
    let told = turn.world().facts().iter().rev().take(TOLD).any(|fact| match &fact.what {
        What::Noted(Note::Refused { about: of, message: said }) => *of == about && *said == message,
        _ => false,
    });
    if !told {
        turn.fact(What::Noted(Note::Refused { about, message }));
    }
}

/// Among so many facts a refusal counts as told.
const TOLD: usize = 500;

/// Pods of DaemonSets and of the node itself are not evicted.
fn stays(pod: &Pod) -> bool {
    let owners = pod.metadata.owner_references.iter().flatten();
    owners.into_iter().any(|owner| matches!(owner.kind.as_str(), "DaemonSet" | "Node"))
}
