//! Is the node cordoned?
//!
//! A pod that tolerates `node.kubernetes.io/unschedulable` does not mind.
//! Source: `nodeunschedulable`, 1.34.

use api::k8s::core::v1::Node;

use crate::hint::Happening;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;
use crate::taint::{self, Taint};

/// Keeps pods off cordoned nodes.
pub struct NodeUnschedulable;

#[derive(Clone)]
struct Uncordoned {
    tolerated: bool,
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let tolerated = taint::tolerated(&cycle.pod.template.tolerations, &Taint::unschedulable());
        PreFilter::Ready(Box::new(Uncordoned { tolerated }))
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Shape
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeTaint),
                ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodToleration),
            ]
        }
    }

    fn helps(&self, _pod: &PodInfo, what: &Happening) -> bool {
        let open = |node: Option<&Node>| {
            node.is_some_and(|it| it.spec.as_ref().and_then(|it| it.unschedulable) != Some(true))
        };
        match what {
            Happening::Node(before, after) => open(*after) && !open(*before),
            Happening::Pod(_, Some(own)) => {
                taint::tolerated(&own.template.tolerations, &Taint::unschedulable())
            }
            _ => true,
        }
    }
}

impl Filter for Uncordoned {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        if cycle.table.row(node).unschedulable && !self.tolerated {
            return Err(Rejection::unresolvable(reason::CORDONED));
        }
        Ok(())
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        match self.filter(cycle, node) {
            Ok(()) => Vec::new(),
            Err(_) => vec![Reason::Cordoned {}],
        }
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, nodes, pod, why};

    #[test]
    fn a_cordoned_node_takes_only_pods_that_tolerate_it() {
        let table = nodes(&["a cordoned", "b"]);
        assert_eq!(feasible(&table, &pod("web", "{}")), ["b"]);
        assert_eq!(why(&table, &pod("web", "{}"), "a"), "NodeUnschedulable: node(s) were unschedulable");
        let patient = pod(
            "web",
            r#"{"tolerations": [{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]}"#,
        );
        assert_eq!(feasible(&table, &patient), ["a", "b"]);
    }
}
