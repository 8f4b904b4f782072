//! What was decided, and why?
//!
//! A [`Decision`] is written while deciding. It holds every node's verdict, every plugin's score with the numbers
//! behind it, and upstream's message; sentences and tables are made from it elsewhere.

use serde::Serialize;

use crate::plugin::{ClusterEvent, Code, Rejection};
use crate::reason::Reason;
use crate::requests::Amounts;
use crate::sample::Sampled;

/// How a cycle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// A node was found.
    Scheduled,
    /// No node does.
    Unschedulable,
    /// The pod has scheduling gates and was not tried.
    Gated,
    /// The scheduler could not go on.
    Error,
}

/// One scheduling attempt of one pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// `namespace/name`.
    pub pod: String,
    /// What the pod asks for.
    pub requests: Amounts,
    /// How it ended.
    pub outcome: Outcome,
    /// The node chosen.
    pub node: Option<String>,
    /// The plugin that refused the pod before any node was looked at: in PreEnqueue where the pod is gated, else in PreFilter.
    pub pre_filter_rejected: Option<Refusal>,
    /// The nodes that PreFilter left, where it left only some; sorted.
    pub pre_filter_nodes: Option<Vec<String>>,
    /// The pod was promised a node and that node passed, so no other was looked at.
    pub nominated_only: bool,
    /// The filters that had something to ask about this pod, in their order.
    pub asked: Vec<&'static str>,
    /// Every node that was looked at, by name.
    pub nodes: Vec<NodeVerdict>,
    /// Nodes with the best total, by name.
    pub ties: Vec<String>,
    /// Which of the ties was drawn, from 0.
    pub draw: Option<u64>,
    /// Text of the gate check, of the `PodScheduled` condition and of the `FailedScheduling` event.
    pub message: Option<String>,
    /// What preemption found, if it was tried and found something.
    pub preemption: Option<Preemption>,
    /// Why preemption found nothing, if it was tried.
    pub not_preempted: Vec<Reason>,
    /// Claims that binding to the node decides.
    pub volumes: Vec<VolumeBound>,
    /// The plugins that refused the pod or one of the nodes, by name; empty if the scheduler could not go on.
    pub rejected_by: Vec<&'static str>,
    /// Changes after which the pod is worth another try; empty if it was scheduled.
    pub retries_on: Vec<ClusterEvent>,
    /// If the pod had been promised a node by a preemption, it no longer is.
    pub promise_lost: bool,
    /// How far the cycle went, where it need not look at every node.
    pub sampled: Option<Sampled>,
    /// Nodes that were not looked at because enough had passed, by name; from 100 nodes on.
    pub not_looked_at: Vec<String>,
}

/// A refusal and who spoke it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The plugin.
    pub plugin: &'static str,
    /// How final it is.
    pub code: Code,
    /// Upstream's words.
    pub reasons: Vec<String>,
    /// The same reasons with the numbers behind them.
    pub because: Vec<Reason>,
}

/// What became of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeVerdict {
    /// Its name.
    pub node: String,
    /// How full it was at that moment.
    pub load: NodeLoad,
    /// The first filter that refused it.
    pub rejected: Option<Refusal>,
    /// One for each plugin that scored; empty if it was refused, or was the only one left.
    pub scores: Vec<PluginScore>,
    /// Sum of the weighted scores.
    pub total: i64,
}

/// How full a node is by what its pods request; the pod that is looked at is not among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeLoad {
    /// Pods on it, and how many it may hold.
    pub pods: (i64, i64),
    /// Requested and allocatable, in thousandths of a CPU.
    pub milli_cpu: (i64, i64),
    /// Requested and allocatable, in bytes.
    pub memory: (i64, i64),
}

/// One plugin's opinion of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginScore {
    /// The plugin.
    pub plugin: &'static str,
    /// Before normalisation.
    pub raw: i64,
    /// From 0 to 100.
    pub normalized: i64,
    /// What `raw` is compared with.
    pub scale: Scale,
    /// What it counts for.
    pub weight: i64,
    /// `normalized * weight`.
    pub weighted: i64,
    /// The numbers behind `raw`.
    pub arithmetic: Arithmetic,
}

/// The numbers behind a raw score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Arithmetic {
    /// Mean of `(allocatable - requested) * 100 / allocatable`, per resource, in whole numbers.
    LeastAllocated(Vec<Share>),
    /// `(1 - |a - b| / 2) * 100` for the two fractions `requested / allocatable`, each at most 1.
    Balanced(Vec<Share>),
    /// Number of `PreferNoSchedule` taints not tolerated; fewer is better.
    Taints(Vec<String>),
    /// Sum of the weights of the preferred terms that hold.
    PreferredNodes(Vec<i64>),
    /// `(sum - floor) * 100 / (ceiling - floor)`, the sum held between the two; an image counts `size * nodes / all`.
    Images {
        /// Images of the pod that the node has.
        images: Vec<ImageShare>,
        /// Nodes in the cluster.
        all: i64,
        /// Sum below which there is no score.
        floor: i64,
        /// Sum above which the score is full.
        ceiling: i64,
    },
    /// Sum over the constraints; fewer matching pods are better.
    Spread(Vec<SpreadShare>),
    /// A node without one of the labels that the pod's own constraints name: no score.
    Unspread,
    /// Sum of the weights of the terms, both ways, that hold in the node's topology.
    PodAffinity(Vec<TopologyShare>),
}

/// What a raw score is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Scale {
    /// Nothing: it is from 0 to 100 already.
    AsItIs,
    /// `100 * raw / most`.
    MoreIsBetter {
        /// The highest raw score of all nodes; 0 leaves every score at 0.
        most: i64,
    },
    /// `100 - 100 * raw / most`.
    FewerIsBetter {
        /// The highest raw score of all nodes; 0 gives every node 100.
        most: i64,
    },
    /// `100 * (most + least - raw) / most`.
    Evenness {
        /// The lowest raw score of the nodes that have the labels.
        least: i64,
        /// The highest; 0 gives every node 100.
        most: i64,
    },
    /// `100 * (raw - least) / (most - least)`.
    Range {
        /// The lowest raw score of all nodes.
        least: i64,
        /// The highest; where they are equal every node has 0.
        most: i64,
    },
}

/// A resource in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Its name.
    pub resource: &'static str,
    /// Requested by the pods of the node and this pod.
    pub requested: i64,
    /// What the node has.
    pub allocatable: i64,
}

/// An image in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageShare {
    /// Its name.
    pub image: String,
    /// Bytes.
    pub size: i64,
    /// Nodes that have it.
    pub nodes: i64,
}

/// A soft spreading constraint in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpreadShare {
    /// Node label of the domain.
    pub topology_key: String,
    /// Matching pods in the node's domain.
    pub pods: i64,
    /// Domains.
    pub domains: i64,
    /// `maxSkew` of the constraint.
    pub max_skew: i64,
}

/// Pods' affinities in a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TopologyShare {
    /// Node label of the topology.
    pub topology_key: String,
    /// Its value on the node.
    pub value: String,
    /// Sum of weights.
    pub weight: i64,
}

/// What preemption found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preemption {
    /// The node the pod is promised.
    pub nominated_node: String,
    /// Nodes that upstream's criteria cannot tell apart, by name.
    pub ties: Vec<String>,
    /// Pods to evict, `namespace/name`, the most important first.
    pub victims: Vec<String>,
    /// Every node where evicting helps, by name.
    pub candidates: Vec<Candidate>,
    /// The first criterion that left one node only; `None` where there was one from the beginning, or a tie at the end.
    pub decided_by: Option<Criterion>,
}

/// A node where evicting helps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Its name.
    pub node: String,
    /// Pods to evict, the most important first.
    pub victims: Vec<String>,
    /// How many of them a disruption budget protects.
    pub pdb_violations: i64,
    /// Priority of the most important of them.
    pub highest_priority: i64,
    /// Sum of their priorities.
    pub priorities: i64,
    /// When the first of the most important of them started, in seconds since 1970; `None` if none has.
    pub started: Option<i64>,
}

/// What preemption compares, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Criterion {
    /// Fewest victims that a disruption budget protects.
    Budgets,
    /// Lowest priority of the most important victim.
    HighestPriority,
    /// Smallest sum of priorities.
    Priorities,
    /// Fewest victims.
    Victims,
    /// Latest start of the most important victims.
    Started,
}

/// A claim that binding decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeBound {
    /// `namespace/name` of the claim.
    pub claim: String,
    /// Name of the volume, also if it is yet to be made.
    pub volume: String,
    /// Whether the volume is yet to be made.
    pub provisioned: bool,
}

impl Refusal {
    /// What `plugin` said, and the numbers behind it.
    #[must_use]
    pub fn of(plugin: &'static str, rejection: &Rejection, because: Vec<Reason>) -> Refusal {
        let reasons = rejection.reasons.iter().map(|it| it.clone().into_owned()).collect();
        Refusal { plugin, code: rejection.code, reasons, because }
    }
}

impl Decision {
    /// A decision in which nothing has been looked at.
    #[must_use]
    pub fn empty(pod: String, outcome: Outcome) -> Decision {
        Decision {
            pod,
            requests: Amounts::default(),
            outcome,
            node: None,
            pre_filter_rejected: None,
            pre_filter_nodes: None,
            nominated_only: false,
            asked: Vec::new(),
            nodes: Vec::new(),
            ties: Vec::new(),
            draw: None,
            message: None,
            preemption: None,
            not_preempted: Vec::new(),
            volumes: Vec::new(),
            rejected_by: Vec::new(),
            retries_on: Vec::new(),
            promise_lost: false,
            sampled: None,
            not_looked_at: Vec::new(),
        }
    }

    /// The text as it fits into an event: at most 1,024 bytes.
    #[must_use]
    pub fn event_message(&self) -> Option<String> {
        const MOST: usize = 1024;
        const CUT: &str = " ...";
        let message = self.message.as_deref()?;
        if message.len() <= MOST {
            return Some(message.to_owned());
        }
        let mut end = MOST - CUT.len();
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        Some(format!("{}{CUT}", &message[..end]))
    }

    /// Names of the nodes that passed every filter.
    pub fn feasible(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(|it| it.rejected.is_none()).map(|it| it.node.as_str())
    }
}
