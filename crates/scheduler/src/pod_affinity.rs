//! Which pods does this pod want near, and which far?
//!
//! Terms of `podAffinity` and `podAntiAffinity`, compiled. A term without namespaces and without a namespace selector
//! means the pod's own namespace; a selector that is absent chooses nothing, an empty one everything.
//! Source: `framework.AffinityTerm` and `GetAffinityTerms`, 1.34.

use std::collections::BTreeSet;

use api::k8s::core::v1::{Affinity, PodAffinityTerm, WeightedPodAffinityTerm};
use api::label::{Operator, Requirement, Selector};
use api::meta::LabelSelector;

use crate::node_selector::Labels;
use crate::pod::PodInfo;
use crate::profile::Version;

/// A term: pods of some namespaces with some labels, in the same value of a node label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AffinityTerm {
    namespaces: BTreeSet<String>,
    /// `None` chooses no namespace.
    namespace_selector: Option<Selector>,
    /// `None` chooses no pod.
    selector: Option<Selector>,
    /// Node label whose value makes a topology.
    pub topology_key: String,
}

/// Everything a pod says of other pods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodAffinity {
    /// Must be near.
    pub required: Vec<AffinityTerm>,
    /// Must be far.
    pub required_anti: Vec<AffinityTerm>,
    /// Better near, with weights.
    pub preferred: Vec<(i64, AffinityTerm)>,
    /// Better far, with weights.
    pub preferred_anti: Vec<(i64, AffinityTerm)>,
}

impl PodAffinity {
    /// Compiles the two affinities of a pod in `namespace` with `labels`.
    #[must_use]
    pub fn of(affinity: Option<&Affinity>, namespace: &str, labels: &Labels) -> PodAffinity {
        let near = affinity.and_then(|it| it.pod_affinity.as_ref());
        let far = affinity.and_then(|it| it.pod_anti_affinity.as_ref());
        let required = |list: Option<&Vec<PodAffinityTerm>>| {
            list.into_iter().flatten().map(|it| AffinityTerm::of(it, namespace, labels)).collect()
        };
        let preferred = |list: Option<&Vec<WeightedPodAffinityTerm>>| {
            let weighted = |it: &WeightedPodAffinityTerm| {
                (i64::from(it.weight), AffinityTerm::of(&it.pod_affinity_term, namespace, labels))
            };
            list.into_iter().flatten().map(weighted).collect()
        };
        PodAffinity {
            required: required(
                near.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref()),
            ),
            required_anti: required(
                far.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref()),
            ),
            preferred: preferred(
                near.and_then(|it| it.preferred_during_scheduling_ignored_during_execution.as_ref()),
            ),
            preferred_anti: preferred(
                far.and_then(|it| it.preferred_during_scheduling_ignored_during_execution.as_ref()),
            ),
        }
    }

    /// Whether the pod says nothing of other pods.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == PodAffinity::default()
    }
}

impl AffinityTerm {
    /// Compiles a term of a pod in `namespace` with `labels`.
    #[must_use]
    pub fn of(term: &PodAffinityTerm, namespace: &str, labels: &Labels) -> AffinityTerm {
        let mut namespaces: BTreeSet<String> = term.namespaces.iter().flatten().cloned().collect();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.insert(namespace.to_owned());
        }
        let mut selector = compiled(term.label_selector.as_ref());
        if let Some(selector) = &mut selector {
            merge(selector, term.match_label_keys.iter().flatten(), Operator::In, labels);
            merge(selector, term.mismatch_label_keys.iter().flatten(), Operator::NotIn, labels);
        }
        AffinityTerm {
            namespaces,
            namespace_selector: compiled(term.namespace_selector.as_ref()),
            selector,
            topology_key: term.topology_key.clone(),
        }
    }

    /// Whether a pod is meant, given the labels of its namespace.
    #[must_use]
    pub fn matches(&self, pod: &PodInfo, namespace_labels: &Labels) -> bool {
        self.chooses(&pod.key.namespace, &pod.template.labels, namespace_labels)
    }

    /// The same for a term of the pod that is being decided for.
    #[must_use]
    pub fn matches_as_own(&self, pod: &PodInfo, namespace_labels: &Labels, version: Version) -> bool {
        self.chooses_as_own(&pod.key.namespace, &pod.template.labels, namespace_labels, version)
    }

    /// Whether pods with these labels are meant by the pod that is being decided for.
    pub(crate) fn chooses_as_own(
        &self,
        namespace: &str,
        labels: &Labels,
        namespace_labels: &Labels,
        version: Version,
    ) -> bool {
        self.chooses(namespace, labels, namespace_labels)
            || (version.forgets_namespace_labels() && self.chooses(namespace, labels, &Labels::new()))
    }

    /// Whether pods with these labels are meant.
    pub(crate) fn chooses(&self, namespace: &str, labels: &Labels, namespace_labels: &Labels) -> bool {
        let there = self.namespaces.contains(namespace)
            || self.namespace_selector.as_ref().is_some_and(|it| it.matches(namespace_labels));
        there && self.selector.as_ref().is_some_and(|it| it.matches(labels))
    }
}

/// A selector that upstream could not read chooses nothing; validation refuses it before.
pub(crate) fn compiled(selector: Option<&LabelSelector>) -> Option<Selector> {
    Selector::from_label_selector(selector?).ok()
}

/// Adds what `matchLabelKeys` and `mismatchLabelKeys` mean for a pod with `labels`: only keys that the pod has count.
///
/// The API server merges the keys on create, so the requirement may be there already.
pub(crate) fn merge<'k>(
    selector: &mut Selector,
    keys: impl Iterator<Item = &'k String>,
    operator: Operator,
    labels: &Labels,
) {
    for (key, value) in keys.filter_map(|key| labels.get_key_value(key)) {
        let same = Requirement { key: key.clone(), operator, values: vec![value.clone()] };
        if !selector.requirements.contains(&same) {
            selector.requirements.push(same);
        }
    }
}
