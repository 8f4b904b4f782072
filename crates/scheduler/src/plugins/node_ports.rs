//! Are the host ports free?
//!
//! A port is taken per protocol and address; `0.0.0.0` takes it on every address.
//! Source: `nodeports`, 1.34.

use crate::hint::Happening;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;

/// Keeps pods off nodes whose ports are taken.
pub struct NodePorts;

#[derive(Clone)]
struct Free;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        if cycle.pod.template.host_ports.is_empty() {
            PreFilter::Skip
        } else {
            PreFilter::Ready(Box::new(Free))
        }
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Node
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let Happening::Pod(Some(gone), None) = what else { return true };
        let wanted = &pod.template.host_ports;
        gone.template.host_ports.iter().any(|taken| wanted.iter().any(|port| taken.conflicts(port)))
    }
}

impl Filter for Free {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let taken = &cycle.table.row(node).ports;
        let mut wanted = cycle.pod.template.host_ports.iter();
        if wanted.any(|port| taken.iter().any(|it| it.conflicts(port))) {
            return Err(Rejection::unschedulable(reason::PORT_TAKEN));
        }
        Ok(())
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let taken = &cycle.table.row(node).ports;
        let wanted = cycle.pod.template.host_ports.iter();
        let both = wanted.filter(|port| taken.iter().any(|it| it.conflicts(port)));
        let ports: Vec<String> = both.map(|it| format!("{} {}:{}", it.protocol, it.ip, it.port)).collect();
        if ports.is_empty() { Vec::new() } else { vec![Reason::PortTaken { ports }] }
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, nodes, pod, why};

    #[test]
    fn a_host_port_is_taken_per_protocol() {
        let mut table = nodes(&["a"]);
        let port = |protocol: &str| {
            format!(
                r#"{{"containers": [{{"name": "c", "ports": [{{"containerPort": 53, "hostPort": 53, "protocol": "{protocol}"}}]}}]}}"#
            )
        };
        table.add_pod(&pod("dns", &port("UDP")), "a");
        assert_eq!(feasible(&table, &pod("other", &port("TCP"))), ["a"]);
        assert_eq!(
            why(&table, &pod("other", &port("UDP")), "a"),
            "NodePorts: node(s) didn't have free ports for the requested pod ports"
        );
    }
}
