//! Would the pod's siblings still be spread evenly?
//!
//! Hard constraints filter by skew, soft ones score. Pods without constraints get two soft ones from what their Services
//! and controller select.
//! Source: `podtopologyspread`, 1.34; its float arithmetic is followed operation by operation.

use std::collections::{BTreeMap, BTreeSet};

use api::k8s::core::v1::Node;

use crate::decision::{Arithmetic, Scale, SpreadShare};
use crate::hint::Happening;
use crate::kin::Meant;
use crate::logarithm::ln;
use crate::node_selector::Labels;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, MAX_NODE_SCORE, Phase, Plugin, PreFilter, Reach,
    Rejection, Score, Verdict,
};
use crate::pod::PodInfo;
use crate::reason::{self, Reason};
use crate::spread::Constraint;
use crate::table::{HOSTNAME, NodeRef, ZONE};
use crate::taint;

/// Keeps pods of a kind apart.
pub struct PodTopologySpread;

/// Matching pods in every domain of one hard constraint.
#[derive(Clone)]
struct Domains {
    constraint: Constraint,
    matching: BTreeMap<String, i64>,
    /// The emptiest domain, or 0 where there are fewer domains than `minDomains`.
    least: i64,
}

#[derive(Clone)]
struct Skew {
    hard: Vec<Domains>,
}

struct Evenness {
    soft: Vec<SoftDomains>,
    /// Nodes without one of the labels; they get no score.
    ignored: BTreeSet<NodeRef>,
}

/// One soft constraint: matching pods in every domain that a node that passed is in.
struct SoftDomains {
    constraint: Constraint,
    siblings: Meant,
    matching: Matching,
    domains: usize,
    weight: f64,
}

/// Matching pods by domain, as domains of its key are told apart.
enum Matching {
    /// Every node is a domain of its own: its pods are counted when it is scored.
    Nodes,
    /// By the number of the zone; none where no node passed.
    Zones(Vec<Option<i64>>),
    /// By the label's value.
    Values(BTreeMap<String, i64>),
}

impl Matching {
    /// None yet in any domain of these nodes.
    fn of(key: &str, cycle: &Cycle, nodes: &[NodeRef]) -> Self {
        match key {
            HOSTNAME => Matching::Nodes,
            ZONE if nodes.iter().all(|node| cycle.table.zone_of(*node).is_some()) => {
                let mut zones = vec![None; cycle.table.zone_count()];
                for zone in nodes.iter().filter_map(|node| cycle.table.zone_of(*node)) {
                    zones[zone] = Some(0);
                }
                Matching::Zones(zones)
            }
            _ => {
                let value =
                    |node: &NodeRef| cycle.table.row(*node).domain(key).unwrap_or_default().to_owned();
                Matching::Values(nodes.iter().map(|node| (value(node), 0)).collect())
            }
        }
    }

    fn domains(&self, nodes: &[NodeRef]) -> usize {
        match self {
            Matching::Nodes => nodes.len(),
            Matching::Zones(zones) => zones.iter().flatten().count(),
            Matching::Values(values) => values.len(),
        }
    }

    /// The count of a node's domain.
    fn of_node(&mut self, cycle: &Cycle, node: NodeRef, constraint: &Constraint) -> Option<&mut i64> {
        match self {
            Matching::Nodes => None,
            Matching::Zones(zones) => zones.get_mut(cycle.table.zone_of(node)?)?.as_mut(),
            Matching::Values(values) => values.get_mut(domain(cycle, node, constraint)),
        }
    }
}

impl Plugin for PodTopologySpread {
    fn name(&self) -> &'static str {
        "PodTopologySpread"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter, Phase::PreScore, Phase::Score]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let hard: Vec<&Constraint> = cycle.pod.template.spread.iter().filter(|it| it.hard).collect();
        if hard.is_empty() {
            return PreFilter::Skip;
        }
        let domains =
            |it: &&Constraint| Domains { constraint: (*it).clone(), matching: BTreeMap::new(), least: 0 };
        let mut domains: Vec<Domains> = hard.iter().map(domains).collect();
        let siblings: Vec<Meant> = hard.iter().map(|it| siblings(it, cycle)).collect();
        for node in cycle.table.nodes().filter(|node| has_labels(cycle, *node, hard.iter().copied())) {
            for (it, siblings) in domains.iter_mut().zip(&siblings) {
                if counts(&it.constraint, cycle, node) {
                    let pods = matching(siblings, cycle, node);
                    *it.matching.entry(domain(cycle, node, &it.constraint).to_owned()).or_insert(0) += pods;
                }
            }
        }
        domains.iter_mut().for_each(Domains::find_least);
        PreFilter::Ready(Box::new(Skew { hard: domains }))
    }

    fn pre_score(&self, cycle: &Cycle, nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        let own = &cycle.pod.template.spread;
        let constraints = if own.is_empty() {
            default_constraints(cycle)
        } else {
            own.iter().filter(|it| !it.hard).cloned().collect()
        };
        if constraints.is_empty() {
            return None;
        }
        // Nodes without a zone still get spread by hostname, unless the pod itself has asked for both.
        let strict = !own.is_empty();
        let labelled = |node: &NodeRef| !strict || has_labels(cycle, *node, constraints.iter());
        let (eligible, ignored): (Vec<NodeRef>, Vec<NodeRef>) = nodes.iter().copied().partition(labelled);
        let mut soft: Vec<SoftDomains> =
            constraints.iter().map(|it| SoftDomains::of(it.clone(), cycle, &eligible)).collect();
        let mut single: Vec<&mut SoftDomains> =
            soft.iter_mut().filter_map(|it| (!it.count_whole(cycle, strict)).then_some(it)).collect();
        if !single.is_empty() {
            for node in cycle.table.nodes().filter(labelled) {
                for SoftDomains { constraint, siblings, matching: domains, .. } in &mut single {
                    let Some(pods) = domains.of_node(cycle, node, constraint) else { continue };
                    if counts(constraint, cycle, node) {
                        *pods += matching(siblings, cycle, node);
                    }
                }
            }
        }
        Some(Box::new(Evenness { soft, ignored: ignored.into_iter().collect() }))
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Siblings
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Add),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::UpdatePodLabel),
                ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodLabel),
                ClusterEvent::new(EventResource::UnscheduledPod, EventAction::UpdatePodToleration),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::Delete),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeLabel),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeTaint),
            ]
        }
    }

    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let hard = || pod.template.spread.iter().filter(|it| it.hard);
        let selects = |it: &Constraint, other: &PodInfo| {
            it.selector.as_ref().is_some_and(|it| it.matches(&other.template.labels))
        };
        let involved = |other: &PodInfo| {
            other.key == pod.key
                || (!other.template.node_name.is_empty() && other.key.namespace == pod.key.namespace)
        };
        match what {
            Happening::Pod(before, after)
                if ![before, after].into_iter().flatten().all(|it| involved(it)) =>
            {
                false
            }
            Happening::Pod(Some(before), Some(after)) => {
                let patient = before.template.tolerations != after.template.tolerations;
                (after.key == pod.key && patient && hard().any(|it| it.honors_taints))
                    || hard().any(|it| selects(it, before) != selects(it, after))
            }
            Happening::Pod(None, Some(other)) | Happening::Pod(Some(other), None) => {
                hard().any(|it| selects(it, other))
            }
            Happening::Node(before, after) => {
                let value = |node: &Node, it: &Constraint| {
                    node.metadata.labels.as_ref()?.get(&it.topology_key).cloned()
                };
                let inside = |node: &Option<&Node>| {
                    node.is_some_and(|node| hard().all(|it| value(node, it).is_some()))
                };
                let taints =
                    |node: &Node| node.spec.as_ref().and_then(|it| it.taints.clone()).unwrap_or_default();
                match (before, after) {
                    (Some(was), Some(is)) if inside(before) && inside(after) => {
                        hard().any(|it| value(was, it) != value(is, it)) || taints(was) != taints(is)
                    }
                    (Some(_), Some(_)) => inside(before) != inside(after),
                    (before, after) => inside(before) || inside(after),
                }
            }
            _ => true,
        }
    }
}

/// The pods that a constraint counts. UPSTREAM: an empty selector counts none, though it matches all.
fn siblings(constraint: &Constraint, cycle: &Cycle) -> Meant {
    let selector = constraint.selector.as_ref().filter(|it| !it.is_empty());
    let selected = |labels: &Labels| selector.is_some_and(|it| it.matches(labels));
    cycle.table.kins.meant(&cycle.pod.key.namespace, selected)
}

/// How many of them are on a node.
fn matching(siblings: &Meant, cycle: &Cycle, node: NodeRef) -> i64 {
    cycle.table.kins.pods(siblings, node.index())
}

/// The node's value of the constraint's label; empty where it has none.
fn domain<'a>(cycle: &Cycle<'a>, node: NodeRef, constraint: &Constraint) -> &'a str {
    cycle.table.row(node).domain(&constraint.topology_key).unwrap_or_default()
}

fn has_labels<'c>(
    cycle: &Cycle,
    node: NodeRef,
    mut constraints: impl Iterator<Item = &'c Constraint>,
) -> bool {
    let row = cycle.table.row(node);
    constraints.all(|it| row.domain(&it.topology_key).is_some())
}

/// Whether the pods of a node count, by `nodeAffinityPolicy` and `nodeTaintsPolicy`.
pub(crate) fn counts(constraint: &Constraint, cycle: &Cycle, node: NodeRef) -> bool {
    let row = cycle.table.row(node);
    let template = &cycle.pod.template;
    let chosen = || template.required_nodes.as_ref().is_none_or(|it| it.matches(&row.name, &row.labels));
    let tolerated = || {
        let mut forbidding = row.taints.iter().filter(|it| it.forbids());
        forbidding.all(|it| taint::tolerated(&template.tolerations, it))
    };
    (!constraint.honors_affinity || chosen()) && (!constraint.honors_taints || tolerated())
}

/// Whether [`counts`] holds for whatever node.
fn counts_everywhere(constraint: &Constraint, cycle: &Cycle) -> bool {
    (!constraint.honors_affinity || cycle.pod.template.required_nodes.is_none()) && !constraint.honors_taints
}

/// The constraints of pods that have none: soft, by hostname and by zone.
pub(crate) fn default_constraints(cycle: &Cycle) -> Vec<Constraint> {
    let selector = cycle.table.owners.selector(cycle.pod);
    if selector.is_empty() {
        return Vec::new();
    }
    let constraint = |(key, max_skew): (&str, i64)| Constraint {
        max_skew,
        topology_key: key.to_owned(),
        hard: false,
        selector: Some(selector.clone()),
        min_domains: 1,
        honors_affinity: true,
        honors_taints: false,
    };
    [(HOSTNAME, 3), (ZONE, 5)].into_iter().map(constraint).collect()
}

/// What a pod in one of so many domains counts for: more domains hold fewer pods each, the logarithm keeps them comparable.
#[allow(clippy::cast_precision_loss, reason = "upstream's arithmetic")]
pub(crate) fn weight(domains: usize) -> f64 {
    ln((domains + 2) as f64)
}

/// The raw score of a node, from matching pods, weight and `maxSkew` of each constraint.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
pub(crate) fn unevenness(constraints: impl Iterator<Item = (i64, f64, i64)>) -> i64 {
    let mut score = 0.0;
    for (pods, weight, max_skew) in constraints {
        score += pods as f64 * weight + (max_skew - 1) as f64;
    }
    score.round() as i64
}

/// The normalised score of a raw one between the least and the most; the most is at least 0.
pub(crate) fn evenness(score: i64, least: i64, most: i64) -> i64 {
    if most == 0 { MAX_NODE_SCORE } else { MAX_NODE_SCORE * (most + least - score) / most }
}

impl Domains {
    fn find_least(&mut self) {
        let domains = i64::try_from(self.matching.len()).unwrap_or(i64::MAX);
        let emptiest = self.matching.values().min().copied().unwrap_or(0);
        self.least = if domains < self.constraint.min_domains { 0 } else { emptiest };
    }
}

impl Skew {
    fn change(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef, by: i64) {
        if pod.key.namespace != cycle.pod.key.namespace
            || !has_labels(cycle, node, self.hard.iter().map(|it| &it.constraint))
        {
            return;
        }
        for it in &mut self.hard {
            let selected = it.constraint.selector.as_ref().is_some_and(|it| it.matches(&pod.template.labels));
            if selected && counts(&it.constraint, cycle, node) {
                *it.matching.entry(domain(cycle, node, &it.constraint).to_owned()).or_insert(0) += by;
                it.find_least();
            }
        }
    }
}

impl Filter for Skew {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        let row = cycle.table.row(node);
        for Domains { constraint, matching, least } in &self.hard {
            let Some(domain) = row.domain(&constraint.topology_key) else {
                return Err(Rejection::unresolvable(reason::NO_DOMAIN));
            };
            let own = constraint.selector.as_ref().is_some_and(|it| it.matches(&cycle.pod.template.labels));
            let pods = matching.get(domain).copied().unwrap_or(0);
            if pods + i64::from(own) - least > constraint.max_skew {
                return Err(Rejection::unschedulable(reason::SKEWED));
            }
        }
        Ok(())
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let labels = &cycle.table.row(node).labels;
        let reason = |Domains { constraint, matching, least }: &Domains| {
            let key = constraint.topology_key.clone();
            let Some(domain) = labels.get(&key).cloned() else { return Some(Reason::NoDomain { key }) };
            let own = constraint.selector.as_ref().is_some_and(|it| it.matches(&cycle.pod.template.labels));
            let pods = matching.get(&domain).copied().unwrap_or(0);
            (pods + i64::from(own) - least > constraint.max_skew).then(|| Reason::Skewed {
                key,
                domain,
                pods,
                own: i64::from(own),
                least: *least,
                max_skew: constraint.max_skew,
                domains: i64::try_from(matching.len()).unwrap_or(i64::MAX),
                min_domains: constraint.min_domains,
            })
        };
        self.hard.iter().find_map(reason).into_iter().collect()
    }

    fn pod_added(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef) {
        self.change(cycle, pod, node, 1);
    }

    fn pod_removed(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef) {
        self.change(cycle, pod, node, -1);
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

impl SoftDomains {
    fn of(constraint: Constraint, cycle: &Cycle, nodes: &[NodeRef]) -> SoftDomains {
        let matching = Matching::of(&constraint.topology_key, cycle, nodes);
        let domains = matching.domains(nodes);
        let siblings = siblings(&constraint, cycle);
        SoftDomains { constraint, siblings, matching, domains, weight: weight(domains) }
    }

    /// Counts without a look at every node, where that can be: single nodes are counted when they are scored, and zones as
    /// a whole if every node of them counts. Says whether it could.
    fn count_whole(&mut self, cycle: &Cycle, strict: bool) -> bool {
        match &mut self.matching {
            Matching::Nodes => true,
            Matching::Zones(zones) if !strict && counts_everywhere(&self.constraint, cycle) => {
                for (zone, pods) in zones.iter_mut().enumerate() {
                    *pods = pods.map(|_| cycle.table.kins.pods_in(&self.siblings, zone));
                }
                true
            }
            Matching::Zones(_) | Matching::Values(_) => false,
        }
    }

    /// Matching pods in the node's domain; `None` where the node has no such label.
    fn pods(&self, cycle: &Cycle, node: NodeRef) -> Option<i64> {
        let value = || cycle.table.row(node).domain(&self.constraint.topology_key);
        Some(match &self.matching {
            Matching::Nodes => {
                value()?;
                matching(&self.siblings, cycle, node)
            }
            Matching::Zones(zones) => zones[cycle.table.zone_of(node)?].unwrap_or(0),
            Matching::Values(values) => values.get(value()?).copied().unwrap_or(0),
        })
    }
}

impl Evenness {
    /// The lowest and the highest of the raw scores.
    fn ends(&self, nodes: &[NodeRef], scores: &[i64]) -> (i64, i64) {
        let scored = || nodes.iter().zip(scores.iter()).filter(|(node, _)| !self.ignored.contains(node));
        let least = scored().map(|(_, score)| *score).min().unwrap_or(i64::MAX);
        (least, scored().map(|(_, score)| *score).max().unwrap_or(0).max(0))
    }
}

impl Score for Evenness {
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        if self.ignored.contains(&node) {
            return 0;
        }
        let counted = |it: &SoftDomains| Some((it.pods(cycle, node)?, it.weight, it.constraint.max_skew));
        unevenness(self.soft.iter().filter_map(counted))
    }

    fn is_relative(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle, nodes: &[NodeRef], scores: &mut [i64]) {
        let (least, most) = self.ends(nodes, scores);
        for (node, score) in nodes.iter().zip(scores) {
            *score = if self.ignored.contains(node) { 0 } else { evenness(*score, least, most) };
        }
    }

    fn scale(&self, nodes: &[NodeRef], scores: &[i64]) -> Scale {
        let (least, most) = self.ends(nodes, scores);
        Scale::Evenness { least, most }
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        let share = |it: &SoftDomains| {
            Some(SpreadShare {
                topology_key: it.constraint.topology_key.clone(),
                pods: it.pods(cycle, node)?,
                domains: i64::try_from(it.domains).unwrap_or(i64::MAX),
                max_skew: it.constraint.max_skew,
            })
        };
        if self.ignored.contains(&node) {
            return Arithmetic::Unspread;
        }
        Arithmetic::Spread(self.soft.iter().filter_map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, named, nodes, pod, scores, why};

    fn spread(zone_or_host: &str, when: &str) -> String {
        format!(
            r#"{{"topologySpreadConstraints": [{{"maxSkew": 1, "topologyKey": "{zone_or_host}", "whenUnsatisfiable": "{when}",
                "labelSelector": {{"matchLabels": {{"app": "web"}}}}}}]}}"#
        )
    }

    #[test]
    fn a_domain_may_be_fuller_than_the_emptiest_by_the_skew() {
        let mut table = nodes(&["a zone=1", "b zone=1", "c zone=2", "d"]);
        let web = pod("web", &spread("zone", "DoNotSchedule"));
        assert_eq!(feasible(&table, &web), ["a", "b", "c"]);
        let mut other = pod("web", "{}");
        other.key.name = "other".to_owned();
        table.add_pod(&other, "a");
        assert_eq!(feasible(&table, &web), ["c"]);
        assert_eq!(
            why(&table, &web, "b"),
            "PodTopologySpread: node(s) didn't match pod topology spread constraints"
        );
        assert_eq!(
            why(&table, &web, "d"),
            "PodTopologySpread: node(s) didn't match pod topology spread constraints (missing required label)"
        );
    }

    #[test]
    fn the_emptier_host_scores_higher() {
        let mut table = nodes(&["a", "b"]);
        let mut other = pod("web", "{}");
        other.key.name = "other".to_owned();
        table.add_pod(&other, "a");
        let web = pod("web", &spread("kubernetes.io/hostname", "ScheduleAnyway"));
        assert_eq!(scores(&table, &web, "PodTopologySpread"), [("a", 0), ("b", 100)].map(named));
    }
}
