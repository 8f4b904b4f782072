//! How many nodes are enough, and which come first?
//!
//! From 100 nodes on, kube-scheduler stops looking once so many have passed every filter, and begins the next pod where
//! it stopped. Nodes come zone by turns, so that a sample has nodes of every zone.
//! MODEL: within a zone nodes come by name, as after a start of the scheduler, not in the order in which they joined;
//! and nodes are looked at one after the other, where the real one looks at 16 at once and may look at a few more.
//! Source: `numFeasibleNodesToFind` and `findNodesThatPassFilters` of `pkg/scheduler/schedule_one.go`,
//! `nodeTree.list` of `pkg/scheduler/backend/cache/node_tree.go`, 1.34.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::table::{NodeRef, NodeTable, ZONE};

const REGION: &str = "topology.kubernetes.io/region";
/// Fewer nodes than these are always enough to look at them all.
const MIN_FEASIBLE: usize = 100;
/// The share never falls below this many percent.
const MIN_PERCENTAGE: usize = 5;

/// How a cycle goes about nodes that are too many to look at them all.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Every node, in the order of [`order`].
    pub order: &'a [NodeRef],
    /// Where in it to begin.
    pub start: usize,
}

/// How far a cycle went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sampled {
    /// Where in the order of nodes it began.
    pub start: usize,
    /// How many nodes were looked at.
    pub looked_at: usize,
    /// How many nodes there were to look at.
    pub of: usize,
    /// How many that pass were enough.
    pub enough: usize,
}

/// How many nodes that pass are enough (`percentageOfNodesToScore: 0`).
#[must_use]
pub fn enough(nodes: usize) -> usize {
    if nodes < MIN_FEASIBLE {
        return nodes;
    }
    let percentage = 50_usize.saturating_sub(nodes / 125).max(MIN_PERCENTAGE);
    (nodes * percentage / 100).max(MIN_FEASIBLE)
}

/// Every node, zones taking turns.
#[must_use]
pub fn order(table: &NodeTable) -> Vec<NodeRef> {
    let mut zones: Vec<Vec<NodeRef>> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for node in table.nodes() {
        let labels = &table.row(node).labels;
        let label = |key: &str| labels.get(key).map_or("", String::as_str);
        let zone = *known.entry((label(REGION), label(ZONE))).or_insert(zones.len());
        match zones.get_mut(zone) {
            Some(nodes) => nodes.push(node),
            None => zones.push(vec![node]),
        }
    }
    let longest = zones.iter().map(Vec::len).max().unwrap_or(0);
    (0..longest).flat_map(|at| zones.iter().filter_map(move |nodes| nodes.get(at).copied())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{nodes, pod};
    use crate::{Profile, pick_sampled, schedule_sampled};

    /// `TestNumFeasibleNodesToFind` of `schedule_one_test.go`.
    #[test]
    fn the_larger_the_cluster_the_smaller_the_share() {
        assert_eq!([10, 99, 100, 1000, 5000, 6000].map(enough), [10, 99, 100, 420, 500, 300]);
    }

    /// `TestNodeTree_List`-like: zones take turns until they are exhausted.
    #[test]
    fn zones_take_turns() {
        let zone = |line: &str| line.replace("zone", ZONE);
        let lines = ["a zone=1", "b zone=1", "c zone=1", "d zone=2", "e zone=3", "f zone=3"].map(zone);
        let table = nodes(&lines.each_ref().map(String::as_str));
        let names: Vec<_> = order(&table).into_iter().map(|it| table.row(it).name.to_string()).collect();
        assert_eq!(names, ["a", "d", "e", "b", "f", "c"]);
    }

    #[test]
    fn the_next_pod_is_looked_at_where_the_last_one_stopped() {
        let lines: Vec<String> =
            (0..150).map(|i| format!("n{i:03}{}", if i < 10 { " cordoned" } else { "" })).collect();
        let table = nodes(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let order = order(&table);
        let (profile, web) = (Profile::default_1_34(), pod("web", "{}"));
        let first = schedule_sampled(&profile, &table, &web, 0, &Sample { order: &order, start: 0 });
        let sampled = first.sampled.expect("a sample");
        // Ten were cordoned; a hundred that pass are enough.
        assert_eq!((sampled.looked_at, sampled.of, sampled.enough), (110, 150, 100));
        assert_eq!((first.feasible().count(), first.not_looked_at.len()), (100, 40));
        assert_eq!(first.not_looked_at[0], "n110");
        let start = crate::next_start(first.sampled, 0, table.len());
        let second = schedule_sampled(&profile, &table, &web, 0, &Sample { order: &order, start });
        assert_eq!((start, second.not_looked_at[0].as_str()), (110, "n070"));
        let (picked, sampled) = pick_sampled(&profile, &table, &web, 0, &Sample { order: &order, start });
        assert_eq!(sampled, second.sampled);
        assert_eq!(picked.map(|it| table.row(it.node).name.to_string()), second.node);
    }
}
