//! Would it help to evict somebody?
//!
//! On every node that a filter refused for a reason that evictions can lift, all pods of lower priority are taken away;
//! if the pod then fits, as many as possible are put back, the most important first.
//! Source: `framework/preemption` and `plugins/defaultpreemption`, 1.34.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::decision::{Candidate, Criterion, Preemption};
use crate::disruption::DisruptionBudget;
use crate::filter::{Ready, Walked};
use crate::go_sort::{self, Go};
use crate::message::fit_error;
use crate::plugin::{Code, Cycle};
use crate::pod::PodInfo;
use crate::reason::{NO_VICTIMS, NOT_HELPFUL, Reason};
use crate::table::{NodeRef, NodeTable};

/// So many candidates are enough, if one of them breaks no budget (`minCandidateNodesAbsolute`,
/// `minCandidateNodesPercentage`). MODEL: upstream begins at a random node, here it is the first.
const MIN_CANDIDATES: usize = 100;
const MIN_CANDIDATES_PERCENTAGE: usize = 10;

/// What came of it.
pub(crate) enum Attempt {
    Found(Preemption),
    /// There is no node where it helps: upstream's words, and the reasons behind them.
    Failed(String, Vec<Reason>),
    /// It was not tried.
    NotTried(Reason),
}

/// Pods to evict from one node, the most important first.
struct Victims {
    node: NodeRef,
    pods: Vec<Rc<PodInfo>>,
    violations: i64,
}

/// Looks for the node where evicting pods costs least. `looked` is `None` where PreFilter refused the pod.
pub(crate) fn preempt(cycle: &Cycle, looked: Option<(&Ready, &Walked)>) -> Attempt {
    if let Some(why) = not_eligible(cycle, looked) {
        return Attempt::NotTried(why);
    }
    let all = cycle.table.len();
    let mut candidates = Vec::new();
    let mut failed: Vec<String> = Vec::new();
    let mut asked = 0;
    if let Some((ready, walked)) = looked {
        let helpful = walked.refused.iter().filter(|(_, _, it)| it.code == Code::Unschedulable);
        let nodes: Vec<NodeRef> = helpful.map(|(node, _, _)| *node).collect();
        asked = nodes.len();
        let enough = (asked * MIN_CANDIDATES_PERCENTAGE / 100).max(MIN_CANDIDATES);
        // What-ifs are made on one copy; every node leaves it as it found it.
        let mut table = if nodes.is_empty() { NodeTable::default() } else { cycle.table.clone() };
        for node in nodes {
            match victims(cycle, &mut table, ready, node) {
                Ok(victims) => candidates.push(victims),
                Err(reasons) => failed.extend(reasons),
            }
            if candidates.len() >= enough && candidates.iter().any(|it| it.violations == 0) {
                break;
            }
        }
    }
    if candidates.is_empty() {
        let reasons = failed.iter().map(|it| (it.as_str(), 1));
        let text = fit_error(all, reasons.chain([(NOT_HELPFUL, all - asked)]));
        return Attempt::Failed(text, hopeless(&failed, all - asked));
    }
    Attempt::Found(choose(cycle, &candidates))
}

/// Why no node would do, node by node counted together.
fn hopeless(failed: &[String], not_asked: usize) -> Vec<Reason> {
    let count = |nodes: usize| i64::try_from(nodes).unwrap_or(i64::MAX);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for words in failed {
        *counts.entry(words).or_insert(0) += 1;
    }
    let mut reasons: Vec<Reason> = counts
        .into_iter()
        .map(|(words, nodes)| match words {
            NO_VICTIMS => Reason::NoVictims { nodes: count(nodes) },
            words => Reason::StillNoRoom { nodes: count(nodes), words: words.to_owned() },
        })
        .collect();
    if not_asked > 0 {
        reasons.push(Reason::NotHelpful { nodes: count(not_asked) });
    }
    reasons
}

fn not_eligible(cycle: &Cycle, looked: Option<(&Ready, &Walked)>) -> Option<Reason> {
    let pod = cycle.pod;
    if pod.template.never_preempts {
        return Some(Reason::NeverPreempts {});
    }
    let node = cycle.table.find(pod.nominated_node.as_deref()?)?;
    // A node that was not looked at counts as one where nothing helps.
    let hopeless = looked.is_none_or(|(_, walked)| {
        !walked.refused.iter().any(|it| it.0 == node && it.2.code == Code::Unschedulable)
    });
    let making_room = |it: &Rc<PodInfo>| it.preempted && it.terminating && it.priority() < pod.priority();
    (!hopeless && cycle.table.row(node).pods.iter().any(making_room))
        .then(|| Reason::MakingRoom { node: cycle.table.row(node).name.to_string() })
}

/// The smallest set of pods to evict from a node, or why that does not help. `table` is left as it was.
fn victims(
    cycle: &Cycle,
    table: &mut NodeTable,
    ready: &Ready,
    node: NodeRef,
) -> Result<Victims, Vec<String>> {
    let name = table.row(node).name.clone();
    let lower = |it: &&Rc<PodInfo>| it.priority() < cycle.pod.priority();
    let mut potential: Vec<Rc<PodInfo>> = table.row(node).pods.iter().filter(lower).cloned().collect();
    if potential.is_empty() {
        return Err(vec![NO_VICTIMS.to_owned()]);
    }
    go_sort::sort(Go::V1_24, &mut potential, |a, b| importance(a) < importance(b));
    let mut ready = ready.clone();
    for pod in &potential {
        table.remove_pod(&pod.key);
        ready.pod_removed(&Cycle { table, ..*cycle }, pod, node);
    }
    let fits = ready.ask(&Cycle { table, ..*cycle }, node);
    let result = match fits {
        Err((_, rejection)) => Err(rejection.reasons.iter().map(ToString::to_string).collect()),
        Ok(()) => {
            let (protected, others) = by_protection(&potential, cycle.table.budgets());
            let of_both = !protected.is_empty() && !others.is_empty();
            let mut evicted = Vec::new();
            let mut violations = 0;
            for (pod, violating) in
                protected.into_iter().map(|it| (it, true)).chain(others.into_iter().map(|it| (it, false)))
            {
                table.place(Rc::clone(pod), &name);
                ready.pod_added(&Cycle { table, ..*cycle }, pod, node);
                if ready.ask(&Cycle { table, ..*cycle }, node).is_err() {
                    table.remove_pod(&pod.key);
                    ready.pod_removed(&Cycle { table, ..*cycle }, pod, node);
                    evicted.push(Rc::clone(pod));
                    violations += i64::from(violating);
                }
            }
            if of_both {
                go_sort::sort(Go::V1_24, &mut evicted, |a, b| importance(a) < importance(b));
            }
            Ok(Victims { node, pods: evicted, violations })
        }
    };
    for pod in &potential {
        table.place(Rc::clone(pod), &name);
    }
    result
}

/// Sorts the most important first: higher priority, then earlier start.
fn importance(pod: &PodInfo) -> (std::cmp::Reverse<i32>, i64) {
    (std::cmp::Reverse(pod.priority()), pod.started.unwrap_or(i64::MAX))
}

/// Pods whose eviction breaks a budget, and the others; order is kept. Each pod uses up the budgets it comes under.
fn by_protection<'p, 'b>(
    pods: &'p [Rc<PodInfo>],
    budgets: impl Iterator<Item = &'b DisruptionBudget>,
) -> (Vec<&'p Rc<PodInfo>>, Vec<&'p Rc<PodInfo>>) {
    let mut left: Vec<(&DisruptionBudget, i64)> = budgets.map(|it| (it, it.disruptions_allowed)).collect();
    pods.iter().partition(|pod| {
        let mut violated = false;
        for (_, allowed) in left.iter_mut().filter(|(budget, _)| budget.protects(pod)) {
            *allowed -= 1;
            violated |= *allowed < 0;
        }
        violated
    })
}

/// Upstream's criteria, one after the other; what they cannot tell apart is a tie.
fn choose(cycle: &Cycle, candidates: &[Victims]) -> Preemption {
    let priorities = |it: &Victims| it.pods.iter().map(|pod| i64::from(pod.priority())).collect::<Vec<_>>();
    let earliest = |it: &Victims| {
        let highest = it.pods.first().map(|pod| pod.priority());
        let first = it.pods.iter().filter(|pod| Some(pod.priority()) == highest);
        first.map(|pod| pod.started.unwrap_or(i64::MAX)).min()
    };
    let cost = |it: &Victims| {
        let priorities = priorities(it);
        let highest = priorities.first().copied().unwrap_or(i64::MIN);
        // Upstream makes every priority positive, so that more victims never cost less.
        let sum: i64 = priorities.iter().map(|priority| priority + i64::from(i32::MAX) + 1).sum();
        (it.violations, highest, sum, it.pods.len(), std::cmp::Reverse(earliest(it)))
    };
    let mut by_cost: BTreeMap<_, Vec<&Victims>> = BTreeMap::new();
    for candidate in candidates {
        by_cost.entry(cost(candidate)).or_default().push(candidate);
    }
    let name = |it: &Victims| cycle.table.row(it.node).name.to_string();
    let keys = |it: &Victims| it.pods.iter().map(|pod| pod.key.to_string()).collect::<Vec<_>>();
    let mut listed: Vec<Candidate> = candidates
        .iter()
        .map(|it| Candidate {
            node: name(it),
            victims: keys(it),
            pdb_violations: it.violations,
            highest_priority: priorities(it).first().copied().unwrap_or(0),
            priorities: priorities(it).iter().sum(),
            started: earliest(it).filter(|it| *it != i64::MAX),
        })
        .collect();
    listed.sort_by(|a, b| a.node.cmp(&b.node));
    let decided_by = decided_by(&by_cost.keys().copied().collect::<Vec<_>>());
    let best = by_cost.into_values().next().unwrap_or_default();
    let mut ties: Vec<(String, Vec<String>)> = best.into_iter().map(|it| (name(it), keys(it))).collect();
    ties.sort();
    let (nominated_node, victims) = ties.first().cloned().unwrap_or_default();
    let ties: Vec<String> = ties.into_iter().map(|(name, _)| name).collect();
    let decided_by = decided_by.filter(|_| ties.len() == 1);
    Preemption { nominated_node, ties, victims, candidates: listed, decided_by }
}

/// Violated budgets, highest priority, sum of priorities, victims, earliest start.
type Cost = (i64, i64, i64, usize, std::cmp::Reverse<Option<i64>>);

/// The criterion by which the last of the others lost against the cheapest; costs from the lowest.
fn decided_by(costs: &[Cost]) -> Option<Criterion> {
    let (best, others) = costs.split_first()?;
    let lost = |it: &Cost| match () {
        () if it.0 != best.0 => Criterion::Budgets,
        () if it.1 != best.1 => Criterion::HighestPriority,
        () if it.2 != best.2 => Criterion::Priorities,
        () if it.3 != best.3 => Criterion::Victims,
        () => Criterion::Started,
    };
    others.iter().map(lost).max()
}

#[cfg(test)]
mod tests {
    use crate::fixture::{nodes, pod};
    use crate::{Profile, schedule};

    fn spec(cpu: &str, priority: i32) -> String {
        format!(
            r#"{{"priority": {priority}, "containers": [{{"name": "c", "resources": {{"requests": {{"cpu": "{cpu}"}}}}}}]}}"#
        )
    }

    #[test]
    fn no_more_pods_are_evicted_than_needed_and_the_least_important_first() {
        let mut table = nodes(&["a cpu=4"]);
        table.add_pod(&pod("low", &spec("2", 1)), "a");
        table.add_pod(&pod("high", &spec("2", 5)), "a");
        let decision = schedule(&Profile::default_1_34(), &table, &pod("web", &spec("2", 10)), 0);
        let found = decision.preemption.expect("a preemption");
        assert_eq!((found.nominated_node.as_str(), found.victims), ("a", vec!["default/low".to_owned()]));
        assert_eq!(decision.message.as_deref(), Some("0/1 nodes are available: 1 Insufficient cpu."));
    }

    /// `GetOffsetAndNumCandidates` and `DryRunPreemption`.
    #[test]
    fn a_hundred_candidates_are_enough() {
        let lines: Vec<String> = (0..130).map(|i| format!("n{i:03} cpu=4")).collect();
        let mut table = nodes(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        for line in &lines {
            table.add_pod(&pod(&line[..4], &spec("4", 1)), &line[..4]);
        }
        let decision = schedule(&Profile::default_1_34(), &table, &pod("web", &spec("2", 10)), 0);
        assert_eq!(decision.preemption.expect("a preemption").candidates.len(), 100);
    }

    #[test]
    fn pods_of_equal_priority_are_not_evicted() {
        let mut table = nodes(&["a cpu=4"]);
        table.add_pod(&pod("there", &spec("4", 10)), "a");
        let decision = schedule(&Profile::default_1_34(), &table, &pod("web", &spec("2", 10)), 0);
        assert_eq!(
            decision.message.as_deref(),
            Some(
                "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
            )
        );
    }

    #[test]
    fn a_pod_that_has_been_promised_a_node_keeps_its_room() {
        let mut table = nodes(&["a cpu=4"]);
        table.nominate(&pod("promised", &spec("4", 10)), "a");
        let decision = schedule(&Profile::default_1_34(), &table, &pod("web", &spec("2", 10)), 0);
        assert_eq!(decision.node, None);
        let more = schedule(&Profile::default_1_34(), &table, &pod("web", &spec("2", 11)), 0);
        assert_eq!(more.node.as_deref(), Some("a"));
    }
}
