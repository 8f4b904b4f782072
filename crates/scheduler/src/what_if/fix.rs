//! What is the least that has to change for a pod to fit?
//!
//! Node by node: what refuses the pod there is answered by one edit after another until the node passes. Every set of
//! edits that is returned has been decided on again, and no smaller part of it would do. Sets are found smallest first;
//! of equally large ones the milder stands first.
//!
//! MODEL: the search is bounded. It follows at most [`MOST_NODES`] nodes, one or more of each way in which nodes refuse
//! the pod, the nearest to fitting first, tries at most [`MOST_EDITS`] edits beside lifted gates, and stops after a number
//! of questions that shrinks with the size of the cluster. [`Fixes::complete`] says whether it came to its end.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Edit, Question, answer::Refused, edit, trial::Trial};
use crate::filter::{self, PreFiltered, Ready};
use crate::plugin::Cycle;
use crate::reason::Reason;
use crate::table::{NodeRef, ResourceRef};
use crate::{Pick, pick, taint};

/// Nodes that are followed.
pub const MOST_NODES: usize = 12;
/// Edits of one fix, lifted gates apart.
pub const MOST_EDITS: usize = 4;
/// Fixes that are returned.
pub const MOST_FIXES: usize = 12;
/// Fixes that are returned of those that differ only in which node or pod they change.
const MOST_ALIKE: usize = 2;
/// Questions asked in a small cluster.
const MOST_QUESTIONS: usize = 600;
/// Questions times nodes in a large one.
const MOST_VISITS: usize = 60_000;

/// A set of edits after which the pod fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// The edits; without any one of them the pod does not fit.
    pub edits: Vec<Edit>,
    /// The node it would then take.
    pub node: String,
    /// That node's weighted total; `None` where it is the only one left and nothing is scored.
    pub total: Option<i64>,
    /// How many nodes would then pass.
    pub feasible: usize,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fixes {
    /// Best first.
    pub fixes: Vec<Fix>,
    /// Whether everything within the bounds of size was tried.
    pub complete: bool,
}

/// The smallest sets of edits after which the pod fits; none if it fits as it is.
#[must_use]
pub fn smallest(question: &Question) -> Fixes {
    let mut search = Search::new(question);
    if search.fits(&[]).is_some() {
        return Fixes { fixes: Vec::new(), complete: true };
    }
    search.run();
    search.ranked()
}

struct Search<'q> {
    question: Question<'q>,
    trial: Trial<'q>,
    /// Answers to "does it fit somewhere then", by edits.
    known: BTreeMap<Vec<Edit>, Option<Pick>>,
    names: BTreeMap<Vec<Edit>, String>,
    found: BTreeSet<Vec<Edit>>,
    left: usize,
}

/// What became of one node after edits.
enum Step {
    Passes,
    Refused(Vec<Edit>),
}

impl<'q> Search<'q> {
    fn new(question: &Question<'q>) -> Self {
        let left = MOST_QUESTIONS.min(MOST_VISITS / question.table.len().max(1));
        Search {
            question: *question,
            trial: Trial::new(question),
            known: BTreeMap::new(),
            names: BTreeMap::new(),
            found: BTreeSet::new(),
            left,
        }
    }

    /// The node that would be taken after edits, which are in order.
    fn fits(&mut self, edits: &[Edit]) -> Option<Pick> {
        if let Some(known) = self.known.get(edits) {
            return *known;
        }
        self.left = self.left.saturating_sub(1);
        let tie = self.question.tie;
        let picked = self.trial.with(edits, |cycle| {
            let picked = pick(cycle.profile, cycle.table, cycle.pod, tie)?;
            Some((picked, cycle.table.row(picked.node).name.to_string()))
        });
        self.known.insert(edits.to_vec(), picked.as_ref().map(|it| it.0));
        let (picked, name) = picked?;
        self.names.insert(edits.to_vec(), name);
        Some(picked)
    }

    fn run(&mut self) {
        let spec = self.question.pod.spec.as_ref();
        let gates = spec.into_iter().flat_map(|it| it.scheduling_gates.iter().flatten());
        let mut first: Vec<Edit> = gates.map(|it| Edit::LiftGate { gate: it.name.clone() }).collect();
        first.sort_unstable();
        let most = first.len() + MOST_EDITS;
        let mut seen: BTreeSet<(Vec<Edit>, NodeRef)> = BTreeSet::new();
        let mut frontier: Vec<(Vec<Edit>, NodeRef)> =
            self.nodes(&first).into_iter().map(|node| (first.clone(), node)).collect();
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for (edits, node) in frontier {
                if self.left == 0 {
                    return;
                }
                if self.found.iter().any(|found| found.iter().all(|it| edits.contains(it))) {
                    continue;
                }
                match self.ask(&edits, node) {
                    Step::Passes => self.record(&edits),
                    Step::Refused(answers) if edits.len() < most => {
                        for answer in answers {
                            let mut more = edits.clone();
                            more.push(answer);
                            more.sort_unstable();
                            if seen.insert((more.clone(), node)) {
                                next.push((more, node));
                            }
                        }
                    }
                    Step::Refused(_) => {}
                }
            }
            frontier = next;
        }
    }

    /// What one node says after edits: the fresh one, if there is one.
    fn ask(&mut self, edits: &[Edit], node: NodeRef) -> Step {
        self.left = self.left.saturating_sub(1);
        let fresh = edits.iter().any(|it| matches!(it, Edit::AddNode { .. }));
        let fresh_name = self.trial.fresh().to_owned();
        let pod = self.question.pod;
        self.trial.with(edits, |cycle| {
            let node = if fresh { cycle.table.find(&fresh_name).unwrap_or(node) } else { node };
            let refused =
                |reason: &Reason| Step::Refused(Refused { pod, edits, cycle, node, fresh, reason }.answers());
            let ready = match filter::pre_filter(cycle) {
                PreFiltered::Ready(ready) => ready,
                PreFiltered::Rejected(_, reason) => return refused(&reason),
            };
            if ready.names.as_ref().is_some_and(|it| !it.contains(&*cycle.table.row(node).name)) {
                return refused(&Reason::Conflicting {});
            }
            match ready.reasons(cycle, node).first() {
                None => Step::Passes,
                Some(reason) => refused(reason),
            }
        })
    }

    /// Notes the smallest parts of a set that do; the set itself, if no smaller part does. A pod is looked at only when all
    /// its gates are lifted, so these belong to every part.
    fn record(&mut self, edits: &[Edit]) {
        let (gates, rest): (Vec<&Edit>, Vec<&Edit>) =
            edits.iter().partition(|it| matches!(it, Edit::LiftGate { .. }));
        let masks = 1u32 << rest.len().min(MOST_EDITS);
        for size in 0..=rest.len() {
            let mut enough = false;
            for mask in (0..masks).filter(|mask| mask.count_ones() as usize == size) {
                let chosen = rest.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, it)| it);
                let part: Vec<Edit> = gates.iter().chain(chosen).map(|it| (*it).clone()).collect();
                if !part.is_empty() && self.fits(&part).is_some() {
                    self.found.insert(part);
                    enough = true;
                }
            }
            if enough {
                return;
            }
        }
    }

    /// Nodes to follow: of each way in which nodes refuse the pod the one with most room, then the next ones; those with
    /// the fewest refusals first.
    fn nodes(&mut self, first: &[Edit]) -> Vec<NodeRef> {
        self.trial.with(first, |cycle| {
            let ready = match filter::pre_filter(cycle) {
                PreFiltered::Ready(ready) => Some(ready),
                PreFiltered::Rejected(..) => None,
            };
            let mut groups: BTreeMap<(usize, Vec<String>), Vec<NodeRef>> = BTreeMap::new();
            for node in cycle.table.nodes() {
                let all = ready.as_ref().map(|it| refusals(it, cycle, node)).unwrap_or_default();
                groups.entry((all.len(), all)).or_default().push(node);
            }
            for group in groups.values_mut() {
                group.sort_by_cached_key(|node| room(cycle, *node));
            }
            let longest = groups.values().map(Vec::len).max().unwrap_or(0);
            let rounds =
                (0..longest).flat_map(|at| groups.values().filter_map(move |group| group.get(at).copied()));
            rounds.take(MOST_NODES).collect()
        })
    }

    fn ranked(self) -> Fixes {
        let mut fixes: Vec<Fix> = Vec::new();
        for edits in &self.found {
            let (Some(Some(pick)), Some(node)) = (self.known.get(edits), self.names.get(edits)) else {
                continue;
            };
            let total = (pick.feasible > 1).then_some(pick.total);
            fixes.push(Fix { edits: edits.clone(), node: node.clone(), total, feasible: pick.feasible });
        }
        fixes.sort_by_cached_key(|fix| {
            let weight: u32 = fix.edits.iter().map(Edit::weight).sum();
            (fix.edits.len(), weight, fix.edits.clone())
        });
        let mut kept: Vec<Fix> = Vec::new();
        for fix in fixes {
            if let Some(other) = kept.iter_mut().find(|it| self.says_the_same(&it.edits, &fix.edits)) {
                if asks_more(&fix.edits, &other.edits) {
                    *other = fix;
                }
            } else if kept.iter().filter(|it| are_alike(&it.edits, &fix.edits)).count() < MOST_ALIKE {
                kept.push(fix);
            }
        }
        kept.truncate(MOST_FIXES);
        Fixes { fixes: kept, complete: self.left > 0 }
    }

    /// Whether two sets differ only in how low a request becomes, or in which of two like nodes a fresh one is like.
    fn says_the_same(&self, a: &[Edit], b: &[Edit]) -> bool {
        let same = |(a, b): (&Edit, &Edit)| match (a, b) {
            (
                Edit::Request { container: ac, resource: ar, .. },
                Edit::Request { container: bc, resource: br, .. },
            ) => ac == bc && ar == br,
            (Edit::AddNode { like: a }, Edit::AddNode { like: b }) => {
                let fresh = |name: &str| (self.question.like)(name).map(|it| edit::fresh_node(&it, ""));
                a == b || fresh(a) == fresh(b)
            }
            _ => a == b,
        };
        a.len() == b.len() && a.iter().zip(b).all(same)
    }
}

/// Whether two sets do the same to different nodes or pods.
fn are_alike(a: &[Edit], b: &[Edit]) -> bool {
    let same = |(a, b): (&Edit, &Edit)| match (a, b) {
        (Edit::Uncordon { .. }, Edit::Uncordon { .. }) | (Edit::DeletePod { .. }, Edit::DeletePod { .. }) => {
            true
        }
        (Edit::Label { key: ak, value: av, .. }, Edit::Label { key: bk, value: bv, .. }) => {
            (ak, av) == (bk, bv)
        }
        (Edit::Unlabel { key: a, .. }, Edit::Unlabel { key: b, .. }) => a == b,
        (Edit::RemoveTaint { key: ak, effect: ae, .. }, Edit::RemoveTaint { key: bk, effect: be, .. }) => {
            (ak, ae) == (bk, be)
        }
        (Edit::RaiseMaxPods { pods: a, .. }, Edit::RaiseMaxPods { pods: b, .. }) => a == b,
        _ => a == b,
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// Whether the first of two sets that say the same leaves the pod more.
fn asks_more(a: &[Edit], b: &[Edit]) -> bool {
    let amounts = |edits: &[Edit]| -> Vec<i128> {
        let of = |it: &Edit| match it {
            Edit::Request { amount, .. } => {
                api::quantity::Quantity::parse(amount).ok().map(|it| i128::from(it.milli_value()))
            }
            _ => None,
        };
        edits.iter().filter_map(of).collect()
    };
    let (a, b) = (amounts(a), amounts(b));
    a != b && a.iter().zip(&b).all(|(a, b)| a >= b)
}

/// Everything that refuses the pod on a node, not only what refuses first.
fn refusals(ready: &Ready, cycle: &Cycle, node: NodeRef) -> Vec<String> {
    let row = cycle.table.row(node);
    let mut all = Vec::new();
    if ready.names.as_ref().is_some_and(|it| !it.contains(&*row.name)) {
        all.push("matchFields".to_owned());
    }
    all.extend(ready.every_reason(cycle, node).iter().map(|it| it.words().into_owned()));
    let tolerations = &cycle.pod.template.tolerations;
    let untolerated = row.taints.iter().filter(|it| it.forbids() && !taint::tolerated(tolerations, it));
    // The plugin stops at the first of them, and does not name it.
    all.extend(untolerated.map(|it| format!("{}={}:{}", it.key, it.value, it.effect.text())));
    all
}

/// Sorts nodes with more room first, then by name.
fn room(cycle: &Cycle, node: NodeRef) -> (i64, i64, i64, String) {
    let table = cycle.table;
    let free = |resource| table.requested(resource, node).saturating_sub(table.allocatable(resource, node));
    let row = table.row(node);
    let pods = i64::try_from(row.pods.len()).unwrap_or(i64::MAX).saturating_sub(row.allowed_pods);
    (free(ResourceRef::CPU), free(ResourceRef::MEMORY), pods, row.name.to_string())
}
