//! How often was a pod tried, what had it tried, and how did it come to its node?
//!
//! From the facts: every attempt is one, and so is that the queue called the pod back, with what helped as its cause. What it
//! waits for is the queue's own record.

use std::rc::Rc;

use api::{
    Kind, Object, Resource, SimTime,
    k8s::core::v1::Pod,
    kinds::sim::{QueuePlace, QueuedPod},
};
use cluster::{ActorId, Change, ClusterId, Fact, What, timing};
use scheduler::{ClusterEvent, Decision, decision::Outcome};

use super::Moment;

/// Who writes what was asked for.
const SERVER: ActorId = ActorId("kube-apiserver");

/// One attempt to find a pod a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The fact that it is.
    pub fact: u64,
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
    /// What had the pod tried.
    pub woken: Woken,
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
    /// The scheduler could not go on, and its rest after that was over.
    Rested,
}

/// Where a decision stands among all that were made, about whatever pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its number, from 1.
    pub number: usize,
    /// The fact of the decision before it.
    pub before: Option<u64>,
    /// The fact of the decision after it.
    pub after: Option<u64>,
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
    let mut all: Vec<Attempt> = Vec::new();
    // What became of it in the queue since its last attempt.
    let mut moved = Woken::New;
    for fact in facts {
        match &fact.what {
            What::Decided(decision) if decision.pod == pod => {
                all.push(Attempt {
                    fact: fact.seq,
                    number: all.len() + 1,
                    at: fact.at,
                    outcome: decision.outcome,
                    node: decision.node.clone(),
                    message: decision.message.clone(),
                    woken: std::mem::replace(&mut moved, Woken::Rested),
                });
            }
            What::Changed(change) if is_called_back(change, pod) => {
                // What may help calls a pod back as soon as the scheduler hears of it.
                let helped = fact.cause.and_then(&cause).filter(|it| fact.at.since(it.at) <= timing::WATCH);
                moved = helped.and_then(|it| helped_by(&it)).unwrap_or(Woken::Time);
            }
            _ => {}
        }
    }
    all
}

/// Whether a change is that the queue no longer waits for something that may help this pod.
fn is_called_back(change: &Change, pod: &str) -> bool {
    let key = &change.key;
    let own = key.kind == Kind::QueuedPod && pod.split_once('/') == Some((&*key.namespace, &*key.name));
    let waits = |it: &Option<Rc<Object>>| {
        it.as_deref().and_then(QueuedPod::of).is_some_and(|it| it.place == QueuePlace::Unschedulable)
    };
    own && waits(&change.before) && change.after.is_some() && !waits(&change.after)
}

fn helped_by(fact: &Fact) -> Option<Woken> {
    let What::Changed(change) = &fact.what else { return None };
    let (kind, name) = (change.key.kind.info().kind, change.key.name.to_string());
    Some(match change {
        _ if change.key.kind == Kind::QueuedPod => return None,
        Change { before: None, .. } => Woken::Came(kind, name),
        Change { after: None, .. } => Woken::Went(kind, name),
        Change { .. } => Woken::Changed(kind, name),
    })
}

/// Where the decision that is the fact `decided` stands among facts; `None` if it is not among them.
#[must_use]
pub fn turn<'f>(facts: impl Iterator<Item = &'f Rc<Fact>>, decided: u64) -> Option<Turn> {
    let mut before = None;
    let decisions = facts.filter(|fact| matches!(fact.what, What::Decided(_)));
    let mut decisions = decisions.map(|fact| fact.seq).enumerate();
    while let Some((index, fact)) = decisions.next() {
        if fact == decided {
            let after = decisions.next().map(|(_, fact)| fact);
            return Some(Turn { number: index + 1, before, after });
        }
        before = Some(fact);
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Session, library};

    #[test]
    fn every_attempt_has_a_place_among_its_pods_and_among_all_decisions() {
        let scenario = library::scenario("duo").expect("a fixture");
        let mut session = Session::new(scenario, 1).expect("a session");
        let lines = [
            "kubectl cordon worker-a worker-b",
            "kubectl run web --image=nginx",
            "lab wait 5s",
            "kubectl run api --image=nginx",
            "lab wait 5s",
            "kubectl uncordon worker-a",
            "lab wait idle",
        ];
        lines.iter().for_each(|line| drop(session.run_line(line)));
        let facts = session.facts();
        let cause = |seq| facts.get(usize::try_from(seq).ok()?).cloned();
        let tried = attempts(facts.iter(), cause, "default/web");
        let ends: Vec<Option<&str>> = tried.iter().map(|it| it.node.as_deref()).collect();
        assert_eq!(ends, [None, Some("worker-a")]);
        let first = turn(facts.iter(), tried[0].fact).expect("a decision");
        let other = turn(facts.iter(), first.after.expect("the other pod's")).expect("a decision");
        assert_eq!((other.number, other.before), (first.number + 1, Some(tried[0].fact)));
        assert_eq!(turn(facts.iter(), 0), None);
    }

    #[test]
    fn what_had_a_pod_tried_again_is_found_behind_the_queue() {
        let scenario = library::scenario("duo").expect("a fixture");
        let mut session = Session::new(scenario, 1).expect("a session");
        let lines = [
            "kubectl cordon worker-a worker-b",
            "kubectl run web --image=nginx",
            "lab wait 6m",
            "kubectl label node worker-a a=b",
            "kubectl uncordon worker-a",
            "lab wait idle",
        ];
        lines.iter().for_each(|line| drop(session.run_line(line)));
        let facts = session.facts();
        let cause = |seq| facts.get(usize::try_from(seq).ok()?).cloned();
        let woken: Vec<_> =
            attempts(facts.iter(), cause, "default/web").into_iter().map(|it| it.woken).collect();
        assert_eq!(woken, [Woken::New, Woken::Time, Woken::Changed("Node", "worker-a".to_owned())]);
    }
}
