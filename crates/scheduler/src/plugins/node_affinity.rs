//! Is it one of the nodes the pod demands or prefers?
//!
//! `nodeSelector`, required and preferred node affinity, `matchFields`. Cluster-wide added affinity is not configured.
//! Source: `nodeaffinity`, 1.34.

use crate::decision::{Arithmetic, Scale};
use crate::hint::Happening;
use crate::node_selector::{Labels, RequiredNodes, Term};
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Score, Verdict, most, normalize,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;
use api::k8s::core::v1::Node;

/// Keeps pods on the nodes they choose.
pub struct NodeAffinity;

#[derive(Clone)]
struct Required;

struct Preferred;

impl Plugin for NodeAffinity {
    fn name(&self) -> &'static str {
        "NodeAffinity"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter, Phase::PreScore, Phase::Score]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let Some(required) = &cycle.pod.template.required_nodes else { return PreFilter::Skip };
        match required.named() {
            None => PreFilter::Ready(Box::new(Required)),
            Some(names) if names.is_empty() => PreFilter::Rejected(Reason::Conflicting {}),
            Some(names) => PreFilter::Narrowed(Box::new(Required), names),
        }
    }

    fn pre_score(&self, cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        cycle.pod.template.preferred_nodes.as_ref().map(|_| Box::new(Preferred) as Box<dyn Score>)
    }

    fn reach(&self, pod: &PodInfo) -> Reach {
        let template = &pod.template;
        let terms = template.preferred_nodes.iter().flatten().map(|(_, term)| term);
        let required = template.required_nodes.iter().flat_map(RequiredNodes::terms);
        if required.chain(terms).any(Term::names_nodes) { Reach::Cluster } else { Reach::Shape }
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeLabel),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let Happening::Node(before, after) = what else { return true };
        let chosen = |node: Option<&Node>| {
            let none = Labels::new();
            node.is_some_and(|it| {
                let labels = it.metadata.labels.as_ref().unwrap_or(&none);
                let name = it.metadata.name.as_deref().unwrap_or_default();
                pod.template.required_nodes.as_ref().is_none_or(|it| it.matches(name, labels))
            })
        };
        chosen(*after) && !chosen(*before)
    }
}

impl Filter for Required {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let row = cycle.table.row(node);
        let required = cycle.pod.template.required_nodes.as_ref();
        if required.is_none_or(|it| it.matches(&row.name, &row.labels)) {
            return Ok(());
        }
        Err(Rejection::unresolvable(reason::NOT_CHOSEN))
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let row = cycle.table.row(node);
        let required = cycle.pod.template.required_nodes.as_ref();
        let Some(broken) = required.map(|it| it.broken(&row.name, &row.labels)).filter(|it| !it.is_empty())
        else {
            return Vec::new();
        };
        let asked = required.map(|it| it.keys()).unwrap_or_default();
        let labels = row.labels.iter().filter(|(key, _)| asked.contains(key.as_str()));
        vec![Reason::NotChosen {
            broken,
            labels: labels.map(|(key, value)| format!("{key}={value}")).collect(),
        }]
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// Weights of the preferred terms that the node meets.
fn weights<'a>(cycle: &Cycle<'a>, node: NodeRef) -> impl Iterator<Item = i64> + 'a {
    let row = cycle.table.row(node);
    let terms = cycle.pod.template.preferred_nodes.iter().flatten();
    terms.filter(|(_, term)| term.matches(&row.name, &row.labels)).map(|(weight, _)| *weight)
}

impl Score for Preferred {
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        weights(cycle, node).sum()
    }

    fn is_relative(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle, _nodes: &[NodeRef], scores: &mut [i64]) {
        normalize(scores, false);
    }

    fn scale(&self, _nodes: &[NodeRef], scores: &[i64]) -> Scale {
        Scale::MoreIsBetter { most: most(scores) }
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        Arithmetic::PreferredNodes(weights(cycle, node).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, named, nodes, pod, scores, why};
    use crate::{Profile, schedule};

    #[test]
    fn a_node_selector_leaves_the_nodes_with_the_label() {
        let table = nodes(&["a disk=ssd", "b disk=hdd", "c"]);
        let picky = pod("web", r#"{"nodeSelector": {"disk": "ssd"}}"#);
        assert_eq!(feasible(&table, &picky), ["a"]);
        assert_eq!(
            why(&table, &picky, "c"),
            "NodeAffinity: node(s) didn't match Pod's node affinity/selector"
        );
    }

    #[test]
    fn match_fields_leave_the_other_nodes_out_of_sight() {
        let table = nodes(&["a", "b", "c"]);
        let pinned = pod(
            "web",
            r#"{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["d"]}]}]}}}}"#,
        );
        let decision = schedule(&Profile::default_1_34(), &table, &pinned, 0);
        assert_eq!(decision.pre_filter_nodes, Some(vec!["d".to_owned()]));
        assert_eq!(decision.nodes, []);
        assert_eq!(
            decision.message.as_deref(),
            Some(
                "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
            )
        );
    }

    #[test]
    fn preferred_terms_add_their_weights() {
        let table = nodes(&["a disk=ssd gen=6", "b disk=ssd", "c"]);
        let fond = pod(
            "web",
            r#"{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 30, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}},
            {"weight": 10, "preference": {"matchExpressions": [{"key": "gen", "operator": "Gt", "values": ["5"]}]}}]}}}"#,
        );
        assert_eq!(scores(&table, &fond, "NodeAffinity"), [("a", 100), ("b", 75), ("c", 0)].map(named));
    }

    #[test]
    fn a_preference_for_nothing_is_scored_all_the_same() {
        let table = nodes(&["a", "b"]);
        let vague = pod(
            "web",
            r#"{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {}}]}}}"#,
        );
        assert_eq!(scores(&table, &vague, "NodeAffinity"), [("a", 0), ("b", 0)].map(named));
    }
}
