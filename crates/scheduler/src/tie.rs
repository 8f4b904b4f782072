//! Which of several best nodes is it?
//!
//! Up to 1.35 one of them is drawn. From 1.36 on it is the one on top of a heap that is made from the nodes in the scheduler's
//! order. UPSTREAM: the draw was lost when the choice became a heap: its random numbers are set for extenders only.
//! Source: `newSortedNodeScores`, `prioritizeNodes` of `pkg/scheduler/schedule_one.go`, 1.36; Go's `container/heap`.

use std::collections::BTreeMap;

use crate::{
    Profile,
    profile::Version,
    sample,
    table::{NodeRef, NodeTable},
};

/// Whether the version draws one of the best.
pub(crate) fn is_drawn(profile: &Profile) -> bool {
    profile.version < Version::new(1, 36, 0)
}

/// The node on top of the heap.
pub(crate) fn first(table: &NodeTable, totals: impl Iterator<Item = (NodeRef, i64)>) -> Option<NodeRef> {
    let mut heap: Vec<(NodeRef, i64)> = totals.collect();
    let places: BTreeMap<NodeRef, usize> = sample::order(table).into_iter().zip(0..).collect();
    heap.sort_by_key(|(node, _)| places.get(node));
    for start in (0..heap.len() / 2).rev() {
        sink(&mut heap, start);
    }
    heap.first().map(|(node, _)| *node)
}

/// `down` of `container/heap`: equals stay where they are.
fn sink(heap: &mut [(NodeRef, i64)], mut at: usize) {
    loop {
        let (left, right) = (2 * at + 1, 2 * at + 2);
        let total = |at: usize| heap.get(at).map(|(_, total)| *total);
        let Some(of_left) = total(left) else { return };
        let child = if total(right).is_some_and(|of_right| of_right > of_left) { right } else { left };
        if total(child) <= total(at) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::nodes;

    #[test]
    fn the_top_of_the_heap_is_not_always_the_first_of_the_best() {
        let table = nodes(&["a", "b", "c", "d"]);
        let named = |totals: [i64; 4]| {
            let node = first(&table, table.nodes().zip(totals)).expect("nodes");
            table.row(node).name.to_string()
        };
        assert_eq!(named([5, 5, 5, 5]), "a");
        assert_eq!(named([1, 5, 5, 1]), "b");
        assert_eq!(named([1, 2, 5, 5]), "d");
    }
}
