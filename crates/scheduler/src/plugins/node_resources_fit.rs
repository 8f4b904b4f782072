//! Is there room, and where is most left?
//!
//! Filters by pods, CPU, memory, local storage and scalar resources; scores by LeastAllocated over CPU and memory,
//! each weighing 1. A request larger than the whole node is not worth a preemption.
//! Source: `noderesources/fit.go`, `least_allocated.go`, 1.34.

use std::borrow::Cow;

use api::k8s::core::v1::Node;

use crate::decision::{Arithmetic, Share};
use crate::hint::Happening;
use crate::plugin::{
    ClusterEvent, Code, Cycle, EventAction, EventResource, Filter, MAX_NODE_SCORE, Phase, Plugin, PreFilter,
    Reach, Rejection, Score, Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::requests::allocatable;
use crate::table::{NodeRef, ResourceRef};

/// Keeps pods off nodes without room.
pub struct NodeResourcesFit;

/// What the pod asks for; a resource that no node has and no pod has asked for has no column yet.
#[derive(Clone)]
struct Wanted {
    /// The resource, where it is short upstream's words, its column, how much.
    amounts: Vec<(String, Cow<'static, str>, Option<ResourceRef>, i64)>,
}

struct LeastAllocated;

impl Plugin for NodeResourcesFit {
    fn name(&self) -> &'static str {
        "NodeResourcesFit"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter, Phase::PreScore, Phase::Score]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let exact = &cycle.pod.template.requests.exact;
        let fixed = [
            ("cpu", ResourceRef::CPU, exact.milli_cpu),
            ("memory", ResourceRef::MEMORY, exact.memory),
            ("ephemeral-storage", ResourceRef::EPHEMERAL_STORAGE, exact.ephemeral_storage),
        ];
        let fixed = fixed.into_iter().map(|(name, at, amount)| (name, Some(at), amount));
        let scalars = exact.scalars.iter().map(|(name, it)| (name.as_str(), cycle.table.resource(name), *it));
        let wanted = fixed.chain(scalars).filter(|(_, _, amount)| *amount > 0);
        let amounts =
            wanted.map(|(name, at, it)| (name.to_owned(), reason::insufficient(name), at, it)).collect();
        PreFilter::Ready(Box::new(Wanted { amounts }))
    }

    fn pre_score(&self, _cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        Some(Box::new(LeastAllocated))
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Node
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::UpdatePodScaleDown),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeAllocatable),
                ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodScaleDown),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let (before, after) = match what {
            Happening::Node(before, Some(after)) => (before, after),
            Happening::Pod(Some(before), Some(after)) => {
                let (was, is) = (&before.template.requests.exact, &after.template.requests.exact);
                let wanted = pod.template.requests.exact.listed();
                let frees = || wanted.iter().any(|(resource, _)| was.of(resource) > is.of(resource));
                return after.key == pod.key || (!after.template.node_name.is_empty() && frees());
            }
            _ => return true,
        };
        let room = |node: &Node| allocatable(node.status.as_ref().and_then(|it| it.allocatable.as_ref()));
        let wanted = pod.template.requests.exact.listed();
        let (now, pods) = room(after);
        let fits = pods > 0 && wanted.iter().all(|(resource, amount)| *amount <= now.of(resource));
        fits && before.map(room).is_none_or(|(was, had)| {
            pods > had || wanted.iter().any(|(resource, _)| now.of(resource) > was.of(resource))
        })
    }
}

impl Filter for Wanted {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let row = cycle.table.row(node);
        let mut reasons = Vec::new();
        let mut code = Code::Unschedulable;
        if i64::try_from(row.pods.len()).unwrap_or(i64::MAX) >= row.allowed_pods {
            reasons.push(Cow::Borrowed(reason::TOO_MANY_PODS));
        }
        for (_, reason, resource, amount) in &self.amounts {
            let (allocatable, requested) = resource
                .map_or((0, 0), |it| (cycle.table.allocatable(it, node), cycle.table.requested(it, node)));
            if *amount > allocatable.saturating_sub(requested) {
                reasons.push(reason.clone());
                if *amount > allocatable && cycle.profile.version.knows_hopeless_requests() {
                    code = Code::UnschedulableAndUnresolvable;
                }
            }
        }
        if reasons.is_empty() { Ok(()) } else { Err(Rejection { code, reasons }) }
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let row = cycle.table.row(node);
        let pods = i64::try_from(row.pods.len()).unwrap_or(i64::MAX);
        let mut reasons = Vec::new();
        if pods >= row.allowed_pods {
            reasons.push(Reason::TooManyPods { pods, limit: row.allowed_pods });
        }
        for (resource, _, at, wanted) in &self.amounts {
            let (allocatable, used) =
                at.map_or((0, 0), |it| (cycle.table.allocatable(it, node), cycle.table.requested(it, node)));
            if *wanted > allocatable.saturating_sub(used) {
                let resource = resource.clone();
                reasons.push(Reason::Insufficient { resource, wanted: *wanted, used, allocatable });
            }
        }
        reasons
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// CPU and memory as they would be with the pod there; a container that asks for nothing counts for something.
fn shares(cycle: &Cycle, node: NodeRef) -> [Share; 2] {
    let (table, requests) = (cycle.table, &cycle.pod.template.requests);
    [
        Share {
            resource: "cpu",
            requested: table.nonzero_milli_cpu(node).saturating_add(requests.wanted.milli_cpu),
            allocatable: table.allocatable(ResourceRef::CPU, node),
        },
        Share {
            resource: "memory",
            requested: table.nonzero_memory(node).saturating_add(requests.wanted.memory),
            allocatable: table.allocatable(ResourceRef::MEMORY, node),
        },
    ]
}

impl Score for LeastAllocated {
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for Share { requested, allocatable, .. } in shares(cycle, node) {
            if allocatable == 0 {
                continue;
            }
            weights += 1;
            if requested <= allocatable {
                sum += allocatable.saturating_sub(requested).saturating_mul(MAX_NODE_SCORE) / allocatable;
            }
        }
        if weights == 0 { 0 } else { sum / weights }
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        Arithmetic::LeastAllocated(shares(cycle, node).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{named, nodes, pod, scores, why};
    use crate::{Profile, schedule};

    #[test]
    fn every_resource_that_is_short_is_named() {
        let table = nodes(&["a cpu=1 memory=1Gi pods=0"]);
        let big = pod(
            "big",
            r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "2Gi", "example.com/gpu": "1"}}}]}"#,
        );
        assert_eq!(
            why(&table, &big, "a"),
            "NodeResourcesFit: Too many pods, Insufficient cpu, Insufficient memory, Insufficient example.com/gpu"
        );
    }

    #[test]
    fn a_request_larger_than_the_node_is_not_worth_a_preemption() {
        let big = pod("big", r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "2"}}}]}"#);
        let decision = schedule(&Profile::default_1_34(), &nodes(&["a cpu=1"]), &big, 0);
        assert_eq!(
            decision.message.as_deref(),
            Some(
                "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
            )
        );
    }

    #[test]
    fn the_emptier_node_scores_higher() {
        let mut table = nodes(&["a cpu=4 memory=4Gi", "b cpu=4 memory=4Gi"]);
        let half =
            r#"{"containers": [{"name": "c", "resources": {"requests": {"cpu": "2", "memory": "2Gi"}}}]}"#;
        table.add_pod(&pod("there", half), "a");
        assert_eq!(scores(&table, &pod("web", half), "NodeResourcesFit"), [("a", 0), ("b", 50)].map(named));
    }
}
