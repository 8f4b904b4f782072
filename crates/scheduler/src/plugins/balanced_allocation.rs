//! Would CPU and memory of the node be used evenly?
//!
//! Pods that ask for neither are not scored.
//! Source: `noderesources/balanced_allocation.go`, 1.34; its float arithmetic is followed operation by operation.

use crate::decision::{Arithmetic, Share};
use crate::plugin::{Cycle, MAX_NODE_SCORE, Phase, Plugin, Reach, Score};
use crate::pod::PodInfo;
use crate::table::{NodeRef, ResourceRef};

/// Likes nodes that stay balanced.
pub struct NodeResourcesBalancedAllocation;

struct Balanced;

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreScore, Phase::Score]
    }

    fn pre_score(&self, cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        let exact = &cycle.pod.template.requests.exact;
        if exact.milli_cpu == 0 && exact.memory == 0 { None } else { Some(Box::new(Balanced)) }
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Node
    }
}

fn shares(cycle: &Cycle, node: NodeRef) -> [Share; 2] {
    let (table, exact) = (cycle.table, &cycle.pod.template.requests.exact);
    let share = |resource, at, amount| Share {
        resource,
        requested: table.requested(at, node).saturating_add(amount),
        allocatable: table.allocatable(at, node),
    };
    [share("cpu", ResourceRef::CPU, exact.milli_cpu), share("memory", ResourceRef::MEMORY, exact.memory)]
}

impl Score for Balanced {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        let fraction = |it: &Share| {
            (it.allocatable != 0).then(|| (it.requested as f64 / it.allocatable as f64).min(1.0))
        };
        let [cpu, memory] = shares(cycle, node);
        let deviation = match (fraction(&cpu), fraction(&memory)) {
            (Some(cpu), Some(memory)) => ((cpu - memory) / 2.0).abs(),
            (_, _) => 0.0,
        };
        ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        Arithmetic::Balanced(shares(cycle, node).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{named, nodes, pod, scores};

    #[test]
    fn an_even_use_of_cpu_and_memory_scores_higher() {
        let table = nodes(&["a cpu=4 memory=4Gi", "b cpu=8 memory=4Gi"]);
        let even = pod(
            "web",
            r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "2Gi"}}}]}"#,
        );
        assert_eq!(
            scores(&table, &even, "NodeResourcesBalancedAllocation"),
            [("a", 100), ("b", 87)].map(named)
        );
    }

    #[test]
    fn a_pod_that_asks_for_nothing_is_not_scored() {
        assert_eq!(scores(&nodes(&["a", "b"]), &pod("web", "{}"), "NodeResourcesBalancedAllocation"), []);
    }
}
