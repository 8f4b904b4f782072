//! How often was a pod tried, what had it tried, and how did it come to its node?
//!
//! From the facts: every attempt is one, and its cause says what woke the pod. What it waits for is the queue's own record.

use std::rc::Rc;

use api::{Kind, Resource, SimTime, k8s::core::v1::Pod, kinds::sim::QueuedPod};
use cluster::{ActorId, Change, ClusterId, Fact, What};
use scheduler::{ClusterEvent, Decision, decision::Outcome};

use super::Moment;

/// Who writes what was asked for.
const SERVER: ActorId = ActorId("kube-apiserver");

/// One attempt to find a pod a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: usize,
    /// When.
    pub at: SimTime,
    /// How it ended.
    pub outcome: Outcome,
    /// The node that was found.
    pub node: Option<String>,
    /// Upstream's message where none was.
    pub message: Option<String>,
    /// What had the pod tried, as far as the facts say.
    pub woken: Option<Woken>,
}

/// What had a pod tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Woken {
    /// It was new, or had just become free to be tried.
    New,
    /// An object changed: kind and name.
    Changed(&'static str, String),
    /// An object came.
    Came(&'static str, String),
    /// An object went.
    Went(&'static str, String),
    /// It had waited for so long that it was tried anyway.
    Time,
}

/// What a pod that was tried in vain waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Attempts so far.
    pub attempts: u32,
    /// Until when it rests; it may be over.
    pub back_off_until: SimTime,
    /// Whether it rests at the moment that is looked at.
    pub rests: bool,
}

/// How a pod came to its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The scheduler chose this one.
    Scheduler(String),
    /// The pod was made for this node, and the scheduler looked at no other.
    OnlyNode(String),
    /// Its manifest names this node.
    ByName(String),
    /// The kubelet of this node runs it from a file.
    Static(String),
    /// It was there when the world began.
    Before(String),
}

/// The attempts of a pod (`namespace/name`) among facts, oldest first.
#[must_use]
pub fn attempts<'f>(
    facts: impl Iterator<Item = &'f Rc<Fact>>,
    cause: impl Fn(u64) -> Option<Rc<Fact>>,
    pod: &str,
) -> Vec<Attempt> {
    let decided = facts.filter_map(|fact| match &fact.what {
        What::Decided(decision) if decision.pod == pod => Some((fact, decision)),
        _ => None,
    });
    let attempt = |(index, (fact, decision)): (usize, (&Rc<Fact>, &Rc<Decision>))| Attempt {
        number: index + 1,
        at: fact.at,
        outcome: decision.outcome,
        node: decision.node.clone(),
        message: decision.message.clone(),
        woken: fact.cause.and_then(&cause).and_then(|cause| woken(&cause, pod)),
    };
    decided.enumerate().map(attempt).collect()
}

fn woken(cause: &Fact, pod: &str) -> Option<Woken> {
    let change = match &cause.what {
        What::Changed(change) => change,
        // Its own last attempt had it tried again, after a long time.
        What::Decided(decision) if decision.pod == pod => return Some(Woken::Time),
        _ => return None,
    };
    let kind = change.key.kind;
    let name = change.key.name.to_string();
    let own = kind == Kind::Pod && format!("{}/{name}", change.key.namespace) == pod;
    Some(match change {
        Change { before: None, .. } if own => Woken::New,
        _ if kind == Kind::QueuedPod => Woken::Time,
        Change { before: None, .. } => Woken::Came(kind.info().kind, name),
        Change { after: None, .. } => Woken::Went(kind.info().kind, name),
        Change { .. } => Woken::Changed(kind.info().kind, name),
    })
}

/// What the queue remembers of a pod; `None` for one that was never tried in vain, or has its node.
#[must_use]
pub fn waiting(moment: Moment<'_>, cluster: ClusterId, pod: &str) -> Option<Waiting> {
    let (namespace, name) = pod.split_once('/')?;
    let queued = moment.store.get::<QueuedPod>(cluster, namespace, name)?;
    Some(Waiting {
        attempts: queued.attempts,
        back_off_until: queued.back_off_until,
        rests: queued.back_off_until > moment.now,
    })
}

/// How a pod came to its node; `None` if it has none. `facts` from the newest.
#[must_use]
pub fn placed<'f>(
    pod: &Pod,
    decision: Option<&Decision>,
    mut facts: impl Iterator<Item = &'f Rc<Fact>>,
) -> Option<Placed> {
    let node = pod.spec.as_ref()?.node_name.clone().filter(|it| !it.is_empty())?;
    let meta = pod.meta();
    let owners = meta.owner_references.iter().flatten();
    if let Some(decision) = decision.filter(|it| it.node.as_ref() == Some(&node)) {
        let daemon = owners.clone().any(|it| it.kind == "DaemonSet");
        let alone = decision.pre_filter_nodes.as_ref().is_some_and(|it| it.len() == 1);
        return Some(if daemon && alone { Placed::OnlyNode(node) } else { Placed::Scheduler(node) });
    }
    let mirror = meta.annotations.iter().flatten().any(|(key, _)| key == "kubernetes.io/config.mirror");
    if mirror || owners.clone().any(|it| it.kind == "Node") {
        return Some(Placed::Static(node));
    }
    let born = facts.find_map(|fact| match &fact.what {
        What::Changed(Change { key, before: None, after: Some(after), .. }) if key.kind == Kind::Pod => {
            let same = Pod::of(after).is_some_and(|it| it.metadata.uid == meta.uid);
            same.then(|| (fact.actor, Pod::of(after).and_then(|it| it.spec.as_ref()?.node_name.clone())))
        }
        _ => None,
    });
    Some(match born {
        Some((actor, Some(named))) if actor == SERVER && named == node => Placed::ByName(node),
        _ => Placed::Before(node),
    })
}

/// The events after which a pod is tried again, those of one thing together.
#[must_use]
pub fn retries(decision: &Decision) -> Vec<ClusterEvent> {
    let mut events = decision.retries_on.clone();
    events.sort_unstable();
    events.dedup();
    events
}
