//! Does the pod name its node itself?
//!
//! Source: `nodename`, 1.34.

use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;

/// Keeps pods off nodes other than `spec.nodeName`.
pub struct NodeName;

#[derive(Clone)]
struct Named;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        if cycle.pod.template.node_name.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Ready(Box::new(Named))
        }
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        if pod.template.node_name.is_empty() { Reach::Shape } else { Reach::Cluster }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const { &[ClusterEvent::new(EventResource::Node, EventAction::Add)] }
    }
}

impl Filter for Named {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        if *cycle.table.row(node).name == *cycle.pod.template.node_name {
            return Ok(());
        }
        Err(Rejection::unresolvable(reason::OTHER_NODE))
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        match self.filter(cycle, node) {
            Ok(()) => Vec::new(),
            Err(_) => vec![Reason::OtherNode { wanted: cycle.pod.template.node_name.clone() }],
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
    fn a_pod_that_names_its_node_fits_no_other() {
        let table = nodes(&["a", "b"]);
        let named = pod("web", r#"{"nodeName": "b"}"#);
        assert_eq!(feasible(&table, &named), ["b"]);
        assert_eq!(why(&table, &named, "a"), "NodeName: node(s) didn't match the requested node name");
    }
}
