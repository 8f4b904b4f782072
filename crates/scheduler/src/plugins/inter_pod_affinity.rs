//! Are the pods there that this pod wants near, and away those it wants far?
//!
//! Required terms filter, both the pod's own and other pods' anti-affinity to it; preferred terms score, both ways, and
//! other pods' required affinity to this pod counts 1.
//! Source: `interpodaffinity`, 1.34.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::decision::{Arithmetic, Scale, TopologyShare};
use crate::hint::Happening;
use crate::node_selector::Labels;
use crate::plugin::{
    ClusterEvent, Cycle, EventAction, EventResource, Filter, MAX_NODE_SCORE, Phase, Plugin, PreFilter, Reach,
    Rejection, Score, Verdict,
};
use crate::pod::PodInfo;
use crate::pod_affinity::AffinityTerm;
use crate::reason::{self, Reason};
use crate::table::{NodeRef, NodeTable};
use api::k8s::core::v1::Node;

/// What another pod's required affinity to this pod counts for (`hardPodAffinityWeight`).
pub(crate) const HARD_POD_AFFINITY_WEIGHT: i64 = 1;

/// Keeps pods near or far.
pub struct InterPodAffinity;

/// Numbers by node label and value.
type Topologies = BTreeMap<String, BTreeMap<String, i64>>;

/// Matching pods by topology. INVARIANT: no entry is 0.
#[derive(Clone, Default)]
struct Counts(Topologies);

#[derive(Clone, Default)]
struct Required {
    near: Counts,
    far: Counts,
    others_far: Counts,
}

struct Preferred(Topologies);

static NO_LABELS: Labels = Labels::new();

impl Plugin for InterPodAffinity {
    fn name(&self) -> &'static str {
        "InterPodAffinity"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreFilter, Phase::Filter, Phase::PreScore, Phase::Score]
    }

    fn pre_filter(&self, cycle: &Cycle) -> PreFilter {
        let mut required = Required::default();
        for (node, pods) in cycle.table.with_affinity() {
            for pod in pods {
                required.count_others(cycle, pod, node, 1);
            }
        }
        let own = &cycle.pod.template.affinity;
        let none = own.required.is_empty() && own.required_anti.is_empty();
        if none && required.others_far.0.is_empty() {
            return PreFilter::Skip;
        }
        if !none {
            for node in cycle.table.nodes() {
                for pod in &cycle.table.row(node).pods {
                    required.count_own(cycle, pod, node, 1);
                }
            }
        }
        PreFilter::Ready(Box::new(required))
    }

    fn pre_score(&self, cycle: &Cycle, _nodes: &[NodeRef]) -> Option<Box<dyn Score>> {
        let own = &cycle.pod.template.affinity;
        let mut scores = Topologies::new();
        if own.preferred.is_empty() && own.preferred_anti.is_empty() {
            for (node, pods) in cycle.table.with_affinity() {
                pods.iter().for_each(|pod| weigh_others(&mut scores, cycle, pod, node));
            }
        } else {
            for node in cycle.table.nodes() {
                for pod in &cycle.table.row(node).pods {
                    weigh_own(&mut scores, cycle, pod, node);
                    weigh_others(&mut scores, cycle, pod, node);
                }
            }
        }
        if scores.is_empty() { None } else { Some(Box::new(Preferred(scores))) }
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Pods
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Add),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::Delete),
                ClusterEvent::new(EventResource::AssignedPod, EventAction::UpdatePodLabel),
                ClusterEvent::new(EventResource::Node, EventAction::Add),
                ClusterEvent::new(EventResource::Node, EventAction::UpdateNodeLabel),
            ]
        }
    }

    /// UPSTREAM: the labels of namespaces are not looked at, of several anti-affinity terms all have to match, and the end
    /// of a pod whose own anti-affinity kept this pod away does not call it back.
    fn helps(&self, pod: &PodInfo, what: &Happening) -> bool {
        let (near, far) = (&pod.template.affinity.required, &pod.template.affinity.required_anti);
        let all = |terms: &[AffinityTerm], other: &PodInfo| {
            !terms.is_empty() && terms.iter().all(|it| it.matches(other, &NO_LABELS))
        };
        match what {
            Happening::Pod(before, after)
                if [before, after].into_iter().flatten().any(|it| it.template.node_name.is_empty()) =>
            {
                false
            }
            Happening::Pod(Some(before), Some(after)) => {
                (!all(near, before) && all(near, after)) || (all(far, before) && !all(far, after))
            }
            Happening::Pod(None, Some(new)) => all(near, new),
            Happening::Pod(Some(gone), None) => all(far, gone),
            Happening::Node(before, Some(after)) => {
                let value = |node: &Node, key: &str| node.metadata.labels.as_ref()?.get(key).cloned();
                let moved = |it: &AffinityTerm| {
                    let (was, is) = (
                        before.and_then(|node| value(node, &it.topology_key)),
                        value(after, &it.topology_key),
                    );
                    (was, is)
                };
                near.iter().map(moved).any(|(was, is)| is.is_some() && was != is)
                    || far.iter().map(moved).any(|(was, is)| before.is_none() || (was.is_some() && was != is))
            }
            _ => true,
        }
    }
}

fn namespace<'t>(table: &'t NodeTable, pod: &PodInfo) -> &'t Labels {
    table.namespace(&pod.key.namespace).unwrap_or(&NO_LABELS)
}

fn matches(term: &AffinityTerm, cycle: &Cycle, pod: &PodInfo) -> bool {
    term.matches(pod, namespace(cycle.table, pod))
}

/// Whether a term of the pod that is being decided for means `pod`.
fn own_matches(term: &AffinityTerm, cycle: &Cycle, pod: &PodInfo) -> bool {
    term.matches_as_own(pod, namespace(cycle.table, pod), cycle.profile.version)
}

fn topology<'t>(term: &AffinityTerm, cycle: &Cycle<'t>, node: NodeRef) -> Option<&'t String> {
    cycle.table.row(node).labels.get(&term.topology_key)
}

impl Counts {
    fn change(&mut self, term: &AffinityTerm, cycle: &Cycle, node: NodeRef, by: i64) {
        let Some(value) = topology(term, cycle, node) else { return };
        let values = self.0.entry(term.topology_key.clone()).or_default();
        let count = values.entry(value.clone()).or_insert(0);
        *count += by;
        if *count == 0 {
            values.remove(value);
            if values.is_empty() {
                self.0.remove(&term.topology_key);
            }
        }
    }

    fn at(&self, key: &str, value: &str) -> i64 {
        self.0.get(key).and_then(|values| values.get(value)).copied().unwrap_or(0)
    }
}

impl Required {
    /// A pod that this pod may want near or far.
    fn count_own(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef, by: i64) {
        let own = &cycle.pod.template.affinity;
        if !own.required.is_empty() && own.required.iter().all(|term| own_matches(term, cycle, pod)) {
            own.required.iter().for_each(|term| self.near.change(term, cycle, node, by));
        }
        for term in own.required_anti.iter().filter(|term| own_matches(term, cycle, pod)) {
            self.far.change(term, cycle, node, by);
        }
    }

    /// A pod that may want this pod far.
    fn count_others(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef, by: i64) {
        for term in pod.template.affinity.required_anti.iter().filter(|it| matches(it, cycle, cycle.pod)) {
            self.others_far.change(term, cycle, node, by);
        }
    }

    fn near_enough(&self, cycle: &Cycle, node: NodeRef) -> bool {
        let terms = &cycle.pod.template.affinity.required;
        let mut there = true;
        for term in terms {
            let Some(value) = topology(term, cycle, node) else { return false };
            there &= self.near.at(&term.topology_key, value) > 0;
        }
        // The first of pods that want each other near has nobody to be near to.
        there || (self.near.0.is_empty() && terms.iter().all(|term| own_matches(term, cycle, cycle.pod)))
    }

    fn far_enough(&self, cycle: &Cycle, node: NodeRef) -> bool {
        cycle.pod.template.affinity.required_anti.iter().all(|term| {
            topology(term, cycle, node).is_none_or(|value| self.far.at(&term.topology_key, value) <= 0)
        })
    }

    fn far_from_others(&self, cycle: &Cycle, node: NodeRef) -> bool {
        let labels = &cycle.table.row(node).labels;
        self.others_far.0.iter().all(|(key, values)| {
            labels.get(key).and_then(|value| values.get(value)).is_none_or(|count| *count <= 0)
        })
    }
}

impl Filter for Required {
    fn filter(&self, cycle: &Cycle, node: NodeRef) -> Verdict {
        if !self.near_enough(cycle, node) {
            return Err(Rejection::unresolvable(reason::NOT_NEAR));
        }
        if !self.far_enough(cycle, node) {
            return Err(Rejection::unschedulable(reason::NOT_FAR));
        }
        if !self.far_from_others(cycle, node) {
            return Err(Rejection::unschedulable(reason::OTHERS_KEEP_AWAY));
        }
        Ok(())
    }

    fn reasons(&self, cycle: &Cycle, node: NodeRef) -> Vec<Reason> {
        let (own, labels) = (&cycle.pod.template.affinity, &cycle.table.row(node).labels);
        if !self.near_enough(cycle, node) {
            let place = |term: &AffinityTerm| match topology(term, cycle, node) {
                Some(value) => (self.near.at(&term.topology_key, value) == 0)
                    .then(|| format!("{}={value}", term.topology_key)),
                None => Some(term.topology_key.clone()),
            };
            return vec![Reason::NotNear { places: own.required.iter().filter_map(place).collect() }];
        }
        let far = own.required_anti.iter().find_map(|term| {
            let value = topology(term, cycle, node)?;
            let pods = self.far.at(&term.topology_key, value);
            let place = format!("{}={value}", term.topology_key);
            (pods > 0).then_some(Reason::NotFar { place, pods })
        });
        let others = || {
            self.others_far.0.iter().find_map(|(key, values)| {
                let value = labels.get(key)?;
                let pods = values.get(value).copied().filter(|it| *it > 0)?;
                Some(Reason::OthersKeepAway { place: format!("{key}={value}"), pods })
            })
        };
        far.or_else(others).into_iter().collect()
    }

    fn pod_added(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef) {
        self.count_own(cycle, pod, node, 1);
        self.count_others(cycle, pod, node, 1);
    }

    fn pod_removed(&mut self, cycle: &Cycle, pod: &PodInfo, node: NodeRef) {
        self.count_own(cycle, pod, node, -1);
        self.count_others(cycle, pod, node, -1);
    }

    fn boxed(&self) -> Box<dyn Filter> {
        Box::new(self.clone())
    }
}

/// Adds a term's weight to the topology of the node.
fn weigh(scores: &mut Topologies, cycle: &Cycle, term: &AffinityTerm, weight: i64, node: NodeRef) {
    if let Some(value) = topology(term, cycle, node) {
        *scores.entry(term.topology_key.clone()).or_default().entry(value.clone()).or_insert(0) += weight;
    }
}

/// What this pod prefers.
fn weigh_own(scores: &mut Topologies, cycle: &Cycle, pod: &Rc<PodInfo>, node: NodeRef) {
    let own = &cycle.pod.template.affinity;
    let near = own.preferred.iter().map(|(weight, term)| (*weight, term));
    let far = own.preferred_anti.iter().map(|(weight, term)| (-weight, term));
    for (weight, term) in near.chain(far).filter(|(_, term)| own_matches(term, cycle, pod)) {
        weigh(scores, cycle, term, weight, node);
    }
}

/// What a pod that is there prefers.
fn weigh_others(scores: &mut Topologies, cycle: &Cycle, pod: &Rc<PodInfo>, node: NodeRef) {
    let theirs = &pod.template.affinity;
    let required = theirs.required.iter().map(|term| (HARD_POD_AFFINITY_WEIGHT, term));
    let near = theirs.preferred.iter().map(|(weight, term)| (*weight, term));
    let far = theirs.preferred_anti.iter().map(|(weight, term)| (-weight, term));
    let all = required.chain(near).chain(far);
    for (weight, term) in all.filter(|(_, term)| matches(term, cycle, cycle.pod)) {
        weigh(scores, cycle, term, weight, node);
    }
}

/// The normalised score of a raw one between the least and the most.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "upstream's arithmetic")]
pub(crate) fn liking(score: i64, least: i64, most: i64) -> i64 {
    if most == least {
        return 0;
    }
    (MAX_NODE_SCORE as f64 * ((score - least) as f64 / (most - least) as f64)) as i64
}

impl Preferred {
    fn shares<'a>(
        &'a self,
        cycle: &Cycle<'a>,
        node: NodeRef,
    ) -> impl Iterator<Item = (&'a str, &'a str, i64)> {
        let labels = &cycle.table.row(node).labels;
        self.0.iter().filter_map(|(key, values)| {
            let value = labels.get(key)?;
            Some((key.as_str(), value.as_str(), *values.get(value)?))
        })
    }
}

/// The lowest and the highest score.
fn ends(scores: &[i64]) -> (i64, i64) {
    (scores.iter().copied().min().unwrap_or(0), scores.iter().copied().max().unwrap_or(0))
}

impl Score for Preferred {
    fn score(&self, cycle: &Cycle, node: NodeRef) -> i64 {
        self.shares(cycle, node).map(|(_, _, weight)| weight).sum()
    }

    fn is_relative(&self) -> bool {
        true
    }

    fn normalize(&self, _cycle: &Cycle, _nodes: &[NodeRef], scores: &mut [i64]) {
        let (least, most) = ends(scores);
        scores.iter_mut().for_each(|score| *score = liking(*score, least, most));
    }

    fn scale(&self, _nodes: &[NodeRef], scores: &[i64]) -> Scale {
        let (least, most) = ends(scores);
        Scale::Range { least, most }
    }

    fn arithmetic(&self, cycle: &Cycle, node: NodeRef) -> Arithmetic {
        let share = |(key, value, weight): (&str, &str, i64)| TopologyShare {
            topology_key: key.to_owned(),
            value: value.to_owned(),
            weight,
        };
        Arithmetic::PodAffinity(self.shares(cycle, node).map(share).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{feasible, named, nodes, pod, scores, why};
    use crate::{Profile, Version, schedule};

    fn required(affinity: &str, app: &str) -> String {
        format!(
            r#"{{"affinity": {{"{affinity}": {{"requiredDuringSchedulingIgnoredDuringExecution": [
                {{"topologyKey": "zone", "labelSelector": {{"matchLabels": {{"app": "{app}"}}}}}}]}}}}}}"#
        )
    }

    #[test]
    fn a_pod_goes_where_the_pods_are_that_it_wants_near() {
        let mut table = nodes(&["a zone=1", "b zone=1", "c zone=2"]);
        table.add_pod(&pod("db", "{}"), "a");
        let web = pod("web", &required("podAffinity", "db"));
        assert_eq!(feasible(&table, &web), ["a", "b"]);
        assert_eq!(why(&table, &web, "c"), "InterPodAffinity: node(s) didn't match pod affinity rules");
    }

    #[test]
    fn the_first_of_pods_that_want_each_other_near_goes_anywhere_with_the_label() {
        let table = nodes(&["a zone=1", "b"]);
        assert_eq!(feasible(&table, &pod("web", &required("podAffinity", "web"))), ["a"]);
        assert_eq!(feasible(&table, &pod("web", &required("podAffinity", "db"))), [""; 0]);
    }

    #[test]
    fn anti_affinity_holds_both_ways() {
        let mut table = nodes(&["a zone=1", "b zone=2"]);
        table.add_pod(&pod("shy", &required("podAntiAffinity", "web")), "a");
        let web = pod("web", "{}");
        assert_eq!(
            why(&table, &web, "a"),
            "InterPodAffinity: node(s) didn't satisfy existing pods anti-affinity rules"
        );
        let shy = pod("web", &required("podAntiAffinity", "shy"));
        assert_eq!(why(&table, &shy, "a"), "InterPodAffinity: node(s) didn't match pod anti-affinity rules");
    }

    #[test]
    fn other_pods_required_affinity_counts_a_little() {
        let mut table = nodes(&["a zone=1", "b zone=2"]);
        table.add_pod(&pod("fan", &required("podAffinity", "web")), "a");
        let web = pod("web", "{}");
        assert_eq!(scores(&table, &web, "InterPodAffinity"), [("a", 100), ("b", 0)].map(named));
    }

    /// kubernetes/kubernetes#141526.
    #[test]
    fn namespaces_that_a_pod_excludes_count_all_the_same() {
        let mut table = nodes(&["a zone=1", "b zone=2"]);
        table.set_namespace(
            &serde_json::from_str(r#"{"metadata": {"name": "default", "labels": {"team": "x"}}}"#)
                .expect("a namespace"),
        );
        table.add_pod(&pod("db", "{}"), "a");
        let shy = |operator: &str| {
            let spec = format!(
                r#"{{"affinity": {{"podAntiAffinity": {{"requiredDuringSchedulingIgnoredDuringExecution": [
                {{"topologyKey": "zone", "labelSelector": {{"matchLabels": {{"app": "db"}}}}, "namespaceSelector":
                {{"matchExpressions": [{{"key": "team", "operator": "{operator}"}}]}}}}]}}}}}}"#
            );
            pod("web", &spec)
        };
        let nodes = |version, pod| {
            let profile = Profile::default_1_34().with_version(version);
            schedule(&profile, &table, pod, 0).feasible().map(str::to_owned).collect::<Vec<_>>()
        };
        let excludes = shy("DoesNotExist");
        assert_eq!(nodes(Version::new(1, 34, 1), &excludes), ["b"]);
        assert_eq!(nodes(Version::new(1, 33, 5), &excludes), ["a", "b"]);
        assert_eq!(nodes(Version::new(1, 33, 5), &shy("Exists")), ["b"]);
    }
}
