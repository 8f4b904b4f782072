//! What may a plugin say, and when?
//!
//! Phases and names are upstream's. A [`Plugin`] is stateless; what it works out for one pod is a [`Filter`] or a
//! [`Score`], which the cycle keeps while it walks the nodes. Filters can be told of pods that come and go, so that
//! preemption can ask "and without that one?".
//! This module does not know which plugins there are.
//!
//! ```
//! use scheduler::plugin::{Cycle, Filter, Phase, Plugin, PreFilter, Rejection, Verdict};
//! use scheduler::{reason::Reason, table::NodeRef};
//!
//! struct NoWednesdays;
//! #[derive(Clone)]
//! struct Today(bool);
//!
//! impl Plugin for NoWednesdays {
//!     fn name(&self) -> &'static str { "NoWednesdays" }
//!     fn phases(&self) -> &'static [Phase] { &[Phase::Filter] }
//!     fn pre_filter(&self, _: &Cycle) -> PreFilter { PreFilter::Ready(Box::new(Today(false))) }
//! }
//! impl Filter for Today {
//!     fn filter(&self, _: &Cycle, _: NodeRef) -> Verdict {
//!         if self.0 { Err(Rejection::unresolvable("it is Wednesday")) } else { Ok(()) }
//!     }
//!     fn reasons(&self, _: &Cycle, _: NodeRef) -> Vec<Reason> { Vec::new() }
//!     fn boxed(&self) -> Box<dyn Filter> { Box::new(self.clone()) }
//! }
//! ```

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::decision::{Arithmetic, Scale, VolumeBound};
use crate::hint::Happening;
use crate::pod::PodInfo;
use crate::profile::Profile;
use crate::reason::Reason;
use crate::table::{NodeRef, NodeTable};

/// The best score of a plugin.
pub const MAX_NODE_SCORE: i64 = 100;

/// A stage of the scheduling cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Phase {
    /// May the pod enter the queue?
    PreEnqueue,
    /// What order are pods tried in?
    QueueSort,
    /// What holds for every node?
    PreFilter,
    /// Does this node do?
    Filter,
    /// No node does: can something be done?
    PostFilter,
    /// What is needed to compare nodes?
    PreScore,
    /// How good is this node?
    Score,
    /// Claim what the pod needs on the node.
    Reserve,
    /// Prepare what must be ready before the pod starts.
    PreBind,
    /// Write the node into the pod.
    Bind,
}

/// What a plugin's word on a node follows from, beside the pod's template.
///
/// [`crate::class`] keeps what follows from little, and asks plugins of the widest reach every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// What the node is like whatever pods are on it, and of its labels only those that the pod's node selector and node
    /// affinity name.
    Shape,
    /// The same, and how much of the node the pods on it take.
    Node,
    /// How many pods like this one are in which topology: `crate::class::spread` counts them.
    Siblings,
    /// Which pods are in which topology, and what they say of each other: `crate::class::affinity` counts them.
    Pods,
    /// Anything.
    Cluster,
}

/// How final a refusal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Code {
    /// Evicting pods may help.
    Unschedulable,
    /// Evicting pods cannot help.
    UnschedulableAndUnresolvable,
    /// The scheduler itself could not go on.
    Error,
}

/// A refusal with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// How final it is.
    pub code: Code,
    /// Upstream's words.
    pub reasons: Vec<Cow<'static, str>>,
}

impl Rejection {
    /// A refusal that evictions may lift.
    #[must_use]
    pub fn unschedulable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::Unschedulable, reasons: vec![reason.into()] }
    }

    /// A refusal that evictions cannot lift.
    #[must_use]
    pub fn unresolvable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::UnschedulableAndUnresolvable, reasons: vec![reason.into()] }
    }

    /// The scheduler cannot go on.
    #[must_use]
    pub fn error(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Code::Error, reasons: vec![reason.into()] }
    }
}

/// What a filter says of a node.
pub type Verdict = Result<(), Rejection>;

/// What everybody may look at during one cycle.
#[derive(Clone, Copy)]
pub struct Cycle<'a> {
    /// The configuration.
    pub profile: &'a Profile,
    /// The cluster.
    pub table: &'a NodeTable,
    /// The pod that wants a node.
    pub pod: &'a PodInfo,
}

/// What a plugin says before nodes are looked at.
pub enum PreFilter {
    /// Nothing to do for this pod.
    Skip,
    /// Ask this for every node.
    Ready(Box<dyn Filter>),
    /// Ask this, and only for nodes of these names.
    Narrowed(Box<dyn Filter>, BTreeSet<String>),
    /// No node can do, and evicting pods cannot help.
    Rejected(Reason),
}

/// What a plugin has worked out for one pod before it looks at nodes.
pub trait Filter {
    /// Whether the node does.
    /// # Errors
    /// Why it does not.
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict;
    /// The reasons of a refusal with the numbers behind them, in the words and order of [`Filter::filter`]; none for a node
    /// that passes. Asked only when a decision is explained.
    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason>;
    /// A pod has been put on a node; `cycle` shows it there.
    fn pod_added(&mut self, _cycle: &Cycle, _pod: &PodInfo, _node: NodeRef) {}
    /// A pod has been taken from a node; `cycle` no longer shows it there.
    fn pod_removed(&mut self, _cycle: &Cycle, _pod: &PodInfo, _node: NodeRef) {}
    /// A copy, for a what-if.
    fn boxed(&self) -> Box<dyn Filter>;
}

/// What a plugin has worked out for one pod and the nodes that passed.
pub trait Score {
    /// The raw score of a node.
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64;
    /// Whether a score means something only beside those of the other nodes: [`Score::normalize`] is more than nothing.
    fn is_relative(&self) -> bool {
        false
    }
    /// Brings raw scores of all nodes to 0..=[`MAX_NODE_SCORE`].
    fn normalize(&self, _cycle: &Cycle, _nodes: &[NodeRef], _scores: &mut [i64]) {}
    /// What [`Score::normalize`] compares a raw score with, given the raw scores of all nodes.
    fn scale(&self, _nodes: &[NodeRef], _scores: &[i64]) -> Scale {
        Scale::AsItIs
    }
    /// The numbers behind a raw score.
    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic;
}

/// A rule of the scheduler. Every part but name and phases is optional.
pub trait Plugin: Sync {
    /// Upstream's name.
    fn name(&self) -> &'static str;
    /// Where it takes part.
    fn phases(&self) -> &'static [Phase];
    /// Whether the pod may enter the queue.
    /// # Errors
    /// Why not.
    fn pre_enqueue(&self, _pod: &PodInfo) -> Verdict {
        Ok(())
    }
    /// What holds for every node.
    fn pre_filter(&self, _cycle: &Cycle) -> PreFilter {
        PreFilter::Skip
    }
    /// How to compare the nodes that passed; `None` if the plugin does not care for this pod.
    fn pre_score(&self, _cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        None
    }
    /// What binding the pod to a node decides about its claims.
    fn reserve(&self, _cycle: &Cycle, _node: NodeRef) -> Vec<VolumeBound> {
        Vec::new()
    }
    /// What its word on a node follows from, for this pod.
    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Cluster
    }
    /// What may turn its refusal.
    fn retries_on(&self) -> &'static [ClusterEvent] {
        &[]
    }
    /// Whether what happened, which is among [`Plugin::retries_on`], may turn its refusal of this pod.
    fn helps(&self, _pod: &PodInfo, _what: &Happening) -> bool {
        true
    }
}

/// What a change happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs, reason = "upstream's own names")]
pub enum EventResource {
    Node,
    /// A pod that has a node.
    AssignedPod,
    /// The pod itself.
    UnscheduledPod,
    PersistentVolumeClaim,
    PersistentVolume,
    StorageClass,
    CSINode,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[allow(missing_docs, reason = "upstream's own names")]
pub enum EventAction {
    Add,
    Delete,
    Update,
    UpdateNodeAllocatable,
    UpdateNodeLabel,
    UpdateNodeTaint,
    UpdatePodLabel,
    UpdatePodScaleDown,
    UpdatePodToleration,
    UpdatePodSchedulingGatesEliminated,
}

/// A change in the cluster after which a pod is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ClusterEvent {
    /// What it happens to.
    pub resource: EventResource,
    /// What happens.
    pub action: EventAction,
}

impl ClusterEvent {
    /// An event.
    #[must_use]
    pub const fn new(resource: EventResource, action: EventAction) -> Self {
        Self { resource, action }
    }
}

/// The highest of some scores, at least 0.
#[must_use]
pub fn most(scores: &[i64]) -> i64 {
    scores.iter().copied().max().unwrap_or(0).max(0)
}

/// Scales scores so that the best is [`MAX_NODE_SCORE`]; `reverse` makes the lowest the best.
///
/// Source: `DefaultNormalizeScore`. If every score is 0 they stay 0, or become the best of all in reverse.
pub fn normalize(scores: &mut [i64], reverse: bool) {
    let most = most(scores);
    for score in scores {
        let scaled = if most == 0 { 0 } else { MAX_NODE_SCORE * *score / most };
        *score = match (reverse, most) {
            (true, 0) => MAX_NODE_SCORE,
            (true, _) => MAX_NODE_SCORE - scaled,
            (false, 0) => *score,
            (false, _) => scaled,
        };
    }
}
