//! Does the pod tolerate the node's taints?
//!
//! Filters by `NoSchedule` and `NoExecute`, scores by the number of `PreferNoSchedule` taints that are not tolerated.
//! Source: `tainttoleration`, 1.34.

use crate::decision::{Arithmetic, Scale};
use crate::hint::Happening;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, Phase, Plugin, PreFilter, Reach, Rejection,
    Score, Verdict, most, normalize,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::table::NodeRef;
use crate::taint::{self, Effect, Taint};
use api::k8s::core::v1::Node;

/// Keeps pods off tainted nodes.
pub struct TaintToleration;

#[derive(Clone)]
struct Tolerated;

struct Bearable;

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::Filter, Phase::PreScore, Phase::Score]
    }

    fn pre_filter(&self, _cycle: &Cycle) -> PreFilter {
        PreFilter::Ready(Box::new(Tolerated))
    }

    fn pre_score(&self, _cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        Some(Box::new(Bearable))
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

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let Happening::Node(before, after) = what else { return true };
        let open = |node: Option<&Node>| {
            node.is_some_and(|it| {
                let taints = it.spec.iter().flat_map(|it| it.taints.iter().flatten()).filter_map(Taint::of);
                taints.filter(Taint::forbids).all(|it| taint::tolerated(&pod.template.tolerations, &it))
            })
        };
        open(*after) && !open(*before)
    }
}

/// The first taint that keeps the pod away.
fn forbidding<'a>(cycle: &Cycle<'a>, node: NodeRef) -> Option<&'a Taint> {
    let tolerations = &cycle.pod.template.tolerations;
    cycle.table.row(node).taints.iter().find(|it| it.forbids() && !taint::tolerated(tolerations, it))
}

impl Filter for Tolerated {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let Some(taint) = forbidding(cycle, node) else { return Ok(()) };
        Err(if cycle.profile.version.names_the_taint() {
            Rejection::unresolvable(reason::untolerated(&taint.key, &taint.value))
        } else {
            Rejection::unresolvable(reason::UNTOLERATED)
        })
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let Some(Taint { key, value, effect }) = forbidding(cycle, node) else { return Vec::new() };
        vec![Reason::Untolerated {
            key: key.clone(),
            value: value.clone(),
            effect: effect.text(),
            named: cycle.profile.version.names_the_taint(),
        }]
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// The node's soft taints that the pod does not bear.
fn unbearable<'a>(cycle: &Cycle<'a>, node: NodeRef) -> impl Iterator<Item = &'a Taint> {
    let tolerations = &cycle.pod.template.tolerations;
    cycle.table.row(node).taints.iter().filter(|taint| {
        taint.effect == Effect::PreferNoSchedule
            && !tolerations.iter().any(|it| it.softens() && it.tolerates(taint))
    })
}

impl Score for Bearable {
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        i64::try_from(unbearable(cycle, node).count()).unwrap_or(i64::MAX)
    }

    fn is_relative(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle, _nodes: &[NodeRef], scores: &mut [i64]) {
        normalize(scores, true);
    }

    fn scale(&self, _nodes: &[NodeRef], scores: &[i64]) -> Scale {
        Scale::FewerIsBetter { most: most(scores) }
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        Arithmetic::Taints(
            unbearable(cycle, node)
                .map(|it| format!("{}={}", it.key, it.value).trim_end_matches('=').to_owned())
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, named, nodes, pod, scores, why};
    use crate::{Profile, Version, schedule};

    #[test]
    fn a_pod_without_toleration_is_rejected_by_a_no_schedule_taint() {
        let table = nodes(&["a taint=gpu:NoSchedule", "b"]);
        assert_eq!(feasible(&table, &pod("web", "{}")), ["b"]);
        assert_eq!(why(&table, &pod("web", "{}"), "a"), "TaintToleration: node(s) had untolerated taint(s)");
    }

    #[test]
    fn older_schedulers_name_the_taint() {
        let profile = Profile::default_1_34().with_version(Version::new(1, 34, 1));
        let decision = schedule(&profile, &nodes(&["a taint=gpu:NoSchedule"]), &pod("web", "{}"), 0);
        let message = decision.message.unwrap_or_default();
        assert!(
            message.starts_with("0/1 nodes are available: 1 node(s) had untolerated taint {gpu: }."),
            "{message}"
        );
    }

    #[test]
    fn fewer_soft_taints_are_better() {
        let table = nodes(&[
            "a taint=x:PreferNoSchedule taint=y:PreferNoSchedule",
            "b taint=x:PreferNoSchedule",
            "c",
        ]);
        assert_eq!(
            scores(&table, &pod("web", "{}"), "TaintToleration"),
            [("a", 0), ("b", 50), ("c", 100)].map(named)
        );
    }
}
