//! Which node, and why not the others?
//!
//! [`schedule`] decides for one pod on a [`NodeTable`] and says everything about it: every node, every plugin, every
//! score, and kube-scheduler's own message. It is a pure function; ties are broken by a number that it is given.
//! This crate does not know about the store, about binding, about time or about randomness.
//! Source: kube-scheduler 1.34, default profile; every node is scored (`percentageOfNodesToScore: 100`).
//!
//! ```
//! use scheduler::{NodeTable, Outcome, PodInfo, Profile, schedule};
//! let pod = PodInfo::new(&serde_json::from_str(r#"{"metadata": {"name": "web"}, "spec": {"containers": []}}"#)?);
//! let decision = schedule(&Profile::default_1_34(), &NodeTable::default(), &pod, 0);
//! assert_eq!(decision.outcome, Outcome::Unschedulable);
//! assert_eq!(decision.message.as_deref(), Some("no nodes available to schedule pods"));
//! # Ok::<(), serde_json::Error>(())
//! ```

pub mod class;
pub mod decision;
pub mod disk;
pub mod disruption;
mod filter;
#[cfg(test)]
mod fixture;
pub mod formula;
pub mod go_sort;
pub mod hint;
mod history;
mod kin;
mod logarithm;
mod message;
pub mod migration;
pub mod node_selector;
pub mod owner;
mod placed;
pub mod plugin;
pub mod plugins;
pub mod pod;
pub mod pod_affinity;
mod preempt;
mod print;
pub mod profile;
pub mod reason;
pub mod registry;
pub mod replay;
pub mod requests;
pub mod sample;
mod score;
pub mod spread;
pub mod storage;
pub mod table;
pub mod taint;
mod tie;
pub mod what_if;
pub mod workload;

pub use decision::{Decision, NodeLoad, NodeVerdict, Outcome, PluginScore, Refusal};
pub use plugin::{ClusterEvent, Code, EventAction, EventResource};
pub use pod::{PodInfo, PodKey};
pub use profile::{Profile, Version};
pub use reason::Reason;
pub use sample::{Sample, Sampled};
pub use table::NodeTable;

use filter::{PreFiltered, Walked};
use plugin::{Cycle, Rejection};

/// What kube-scheduler says where there is no node at all.
const NO_NODES: &str = "no nodes available to schedule pods";

/// One scheduling attempt of a pod, explained in full.
///
/// `tie` says which of the best nodes to take, by name, modulo their number; from 1.36 on nothing is drawn.
#[must_use]
pub fn schedule(profile: &Profile, table: &NodeTable, pod: &PodInfo, tie: u64) -> Decision {
    decide(profile, table, pod, tie, None)
}

/// The same where enough nodes are enough (`percentageOfNodesToScore` left to the scheduler).
#[must_use]
pub fn schedule_sampled(
    profile: &Profile,
    table: &NodeTable,
    pod: &PodInfo,
    tie: u64,
    sample: &Sample,
) -> Decision {
    decide(profile, table, pod, tie, Some(sample))
}

/// Where the cycle after this one begins, in the order of nodes.
#[must_use]
pub fn next_start(sampled: Option<Sampled>, start: usize, nodes: usize) -> usize {
    (start + sampled.map_or(0, |it| it.looked_at)) % nodes.max(1)
}

fn decide(
    profile: &Profile,
    table: &NodeTable,
    pod: &PodInfo,
    tie: u64,
    sample: Option<&Sample>,
) -> Decision {
    let cycle = Cycle { profile, table, pod };
    if let Some(gated) = pre_enqueue(&cycle) {
        return gated;
    }
    let mut decision = Decision::empty(pod.key.to_string(), Outcome::Unschedulable);
    decision.requests = pod.template.requests.exact.clone();
    if table.is_empty() {
        decision.message = Some(NO_NODES.to_owned());
        decision.promise_lost = true;
        return decision;
    }
    let ready = match filter::pre_filter(&cycle) {
        PreFiltered::Ready(ready) => ready,
        PreFiltered::Rejected(plugin, reason) => {
            let rejection = Rejection::unresolvable(reason.words());
            decision.rejected_by = vec![plugin.name()];
            decision.pre_filter_rejected = Some(Refusal::of(plugin.name(), &rejection, vec![reason]));
            decision.retries_on = plugin.retries_on().to_vec();
            return message::unschedulable(&cycle, decision, None);
        }
    };
    decision.pre_filter_nodes = ready.names.as_ref().map(|names| names.iter().cloned().collect());
    let walked = match ready.nominated(&cycle) {
        Some(walked) => {
            decision.nominated_only = true;
            walked
        }
        None => {
            let mut walked = ready.walk(&cycle, sample);
            ready.add_promised(&cycle, &mut walked);
            walked
        }
    };
    decision.asked = ready.asked();
    decision.nodes = walked.verdicts(&cycle, &ready);
    decision.sampled = walked.sampled;
    if walked.sampled.is_some_and(|it| it.looked_at < it.of) {
        decision.not_looked_at = ready.not_among(&cycle, &decision.nodes);
    }
    if let Some(error) = walked.error() {
        decision.outcome = Outcome::Error;
        decision.message = Some(error);
        decision.promise_lost = true;
        return decision;
    }
    decision.rejected_by = walked.rejected_by(&ready);
    decision.retries_on = retries_on(&cycle, &decision.rejected_by);
    if walked.feasible.is_empty() {
        return message::unschedulable(&cycle, decision, Some((&ready, &walked)));
    }
    bind(&cycle, decision, &walked, tie)
}

/// A node and how it was found, without the explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The node.
    pub node: table::NodeRef,
    /// Its weighted total; 0 where it was the only one left.
    pub total: i64,
    /// How many nodes passed every filter.
    pub feasible: usize,
    /// How many shared the best total.
    pub ties: usize,
}

/// The node that [`schedule`] would choose, as fast as it can be said; `None` where it would choose none.
#[must_use]
pub fn pick(profile: &Profile, table: &NodeTable, pod: &PodInfo, tie: u64) -> Option<Pick> {
    let cycle = Cycle { profile, table, pod };
    if pre_enqueue(&cycle).is_some() {
        return None;
    }
    let PreFiltered::Ready(ready) = filter::pre_filter(&cycle) else { return None };
    let feasible = match ready.nominated(&cycle) {
        Some(walked) => walked.feasible,
        None => ready.feasible(&cycle)?,
    };
    best(&cycle, &feasible, tie)
}

/// The same where enough nodes are enough; and how far it went.
#[must_use]
pub fn pick_sampled(
    profile: &Profile,
    table: &NodeTable,
    pod: &PodInfo,
    tie: u64,
    sample: &Sample,
) -> (Option<Pick>, Option<Sampled>) {
    let cycle = Cycle { profile, table, pod };
    if pre_enqueue(&cycle).is_some() {
        return (None, None);
    }
    let PreFiltered::Ready(ready) = filter::pre_filter(&cycle) else { return (None, None) };
    let walked = ready.nominated(&cycle).unwrap_or_else(|| ready.walk(&cycle, Some(sample)));
    let found = if walked.error().is_some() { None } else { best(&cycle, &walked.feasible, tie) };
    (found, walked.sampled)
}

fn best(cycle: &Cycle, feasible: &[table::NodeRef], tie: u64) -> Option<Pick> {
    if let [only] = *feasible {
        return Some(Pick { node: only, total: 0, feasible: 1, ties: 1 });
    }
    let totals = score::totals(cycle, feasible);
    let best = totals.iter().copied().max()?;
    let ties: Vec<_> =
        feasible.iter().zip(&totals).filter(|(_, total)| **total == best).map(|(node, _)| *node).collect();
    let drawn = if tie::is_drawn(cycle.profile) {
        *ties.get(draw(tie, ties.len()))?
    } else {
        tie::first(cycle.table, feasible.iter().copied().zip(totals.iter().copied()))?
    };
    Some(Pick { node: drawn, total: best, feasible: feasible.len(), ties: ties.len() })
}

/// What may turn the refusals of these plugins.
fn retries_on(cycle: &Cycle, rejected_by: &[&str]) -> Vec<ClusterEvent> {
    let refusing = cycle.profile.plugins.iter().filter(|it| rejected_by.contains(&it.plugin.name()));
    let events: std::collections::BTreeSet<_> = refusing.flat_map(|it| it.plugin.retries_on()).collect();
    events.into_iter().copied().collect()
}

fn pre_enqueue(cycle: &Cycle) -> Option<Decision> {
    let refused = |it: &profile::Enabled| Some((it.plugin, it.plugin.pre_enqueue(cycle.pod).err()?));
    let (plugin, rejection) = cycle.profile.plugins.iter().find_map(refused)?;
    let mut decision = Decision::empty(cycle.pod.key.to_string(), Outcome::Gated);
    decision.requests = cycle.pod.template.requests.exact.clone();
    decision.message = Some(rejection.reasons.join(", "));
    decision.retries_on = plugin.retries_on().to_vec();
    let because = vec![Reason::Gated { gates: cycle.pod.template.gates.clone() }];
    decision.pre_filter_rejected = Some(Refusal::of(plugin.name(), &rejection, because));
    Some(decision)
}

fn bind(cycle: &Cycle, mut decision: Decision, walked: &Walked, tie: u64) -> Decision {
    let feasible = &walked.feasible;
    if feasible.len() > 1 {
        score::explain(cycle, feasible, &mut decision.nodes);
    }
    let passed = || decision.nodes.iter().filter(|it| it.rejected.is_none());
    let best = passed().map(|it| it.total).max();
    decision.ties = passed().filter(|it| Some(it.total) == best).map(|it| it.node.clone()).collect();
    let drawn = if tie::is_drawn(cycle.profile) {
        Some(draw(tie, decision.ties.len()))
    } else {
        let totals = passed().filter_map(|it| Some((cycle.table.find(&it.node)?, it.total)));
        let first = tie::first(cycle.table, totals).map(|node| cycle.table.row(node).name.to_string());
        decision.ties.iter().position(|it| Some(it) == first.as_ref())
    };
    decision.node = drawn.and_then(|drawn| decision.ties.get(drawn).cloned());
    decision.draw = drawn.and_then(|drawn| u64::try_from(drawn).ok());
    let node = decision.node.as_deref().and_then(|name| cycle.table.find(name));
    let reserve = |it: &profile::Enabled| node.map(|node| it.plugin.reserve(cycle, node)).unwrap_or_default();
    decision.volumes = cycle.profile.plugins.iter().flat_map(reserve).collect();
    decision.outcome = Outcome::Scheduled;
    decision.rejected_by = Vec::new();
    decision.retries_on = Vec::new();
    decision
}

fn draw(tie: u64, ties: usize) -> usize {
    let count = u64::try_from(ties.max(1)).unwrap_or(1);
    usize::try_from(tie % count).unwrap_or(0)
}
