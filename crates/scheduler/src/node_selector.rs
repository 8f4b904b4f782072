//! Which nodes does this node selector or node affinity choose?
//!
//! Terms are alternatives, the requirements of a term must all hold, an empty term chooses nothing.
//! Source: `k8s.io/component-helpers/scheduling/corev1/nodeaffinity`, 1.34.

use std::collections::{BTreeMap, BTreeSet};

use api::k8s::core::v1::{NodeSelector as Written, NodeSelectorRequirement, NodeSelectorTerm, PodSpec};
use api::label::{Operator, Requirement};

/// A node's labels or a pod's.
pub type Labels = BTreeMap<String, String>;

/// `nodeSelector` and the required part of node affinity, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredNodes {
    /// `nodeSelector`: each label equal.
    pub labels: Labels,
    /// Terms of the required affinity; `None` where the pod has none.
    pub terms: Option<Terms>,
}

/// Alternatives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms(Vec<Term>);

/// Requirements on labels and on the name of a node, all of which must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    labels: Vec<Requirement>,
    names: Vec<Requirement>,
    valid: bool,
}

impl RequiredNodes {
    /// What a pod demands of its node; `None` if nothing.
    #[must_use]
    pub fn of(spec: &PodSpec) -> Option<RequiredNodes> {
        let affinity = spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref());
        let required =
            affinity.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
        if required.is_none() && spec.node_selector.is_none() {
            return None;
        }
        Some(RequiredNodes {
            labels: spec.node_selector.clone().unwrap_or_default(),
            terms: required.map(Terms::of),
        })
    }

    /// Whether a node will do.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        self.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.terms.as_ref().is_none_or(|terms| terms.matches(name, labels))
    }

    /// What of it does not hold for a node, as `kubectl -l` writes it: of the node selector, then of every term. Empty if the
    /// node will do.
    #[must_use]
    pub fn broken(&self, name: &str, labels: &Labels) -> Vec<Vec<String>> {
        if self.matches(name, labels) {
            return Vec::new();
        }
        let unequal = self.labels.iter().filter(|(key, value)| labels.get(*key) != Some(*value));
        let selector: Vec<String> = unequal.map(|(key, value)| format!("{key}={value}")).collect();
        if !selector.is_empty() {
            return vec![selector];
        }
        self.terms.iter().flat_map(|it| &it.0).map(|term| term.broken(name, labels)).collect()
    }

    /// The labels it looks at.
    #[must_use]
    pub fn keys(&self) -> BTreeSet<&str> {
        let terms = self.terms.iter().flat_map(|it| &it.0).flat_map(|it| &it.labels);
        self.labels.keys().map(String::as_str).chain(terms.map(|it| it.key.as_str())).collect()
    }

    /// The terms of the required affinity.
    pub(crate) fn terms(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().flat_map(|it| &it.0)
    }

    /// The names that `matchFields` leaves, where every term names nodes.
    #[must_use]
    pub fn named(&self) -> Option<BTreeSet<String>> {
        let terms = &self.terms.as_ref()?.0;
        let names = |term: &Term| {
            let lists = term.names.iter().filter(|it| it.operator == Operator::In);
            let sets = lists.map(|it| it.values.iter().cloned().collect::<BTreeSet<String>>());
            sets.reduce(|a, b| a.intersection(&b).cloned().collect())
        };
        if terms.is_empty() {
            return None;
        }
        terms.iter().map(names).try_fold(BTreeSet::new(), |mut all, names| {
            all.extend(names?);
            Some(all)
        })
    }
}

impl Terms {
    /// The terms of a node selector as written.
    #[must_use]
    pub fn of(selector: &Written) -> Terms {
        Terms(selector.node_selector_terms.iter().map(Term::of).collect())
    }

    /// Whether one term holds.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        self.0.iter().any(|term| term.matches(name, labels))
    }
}

impl Term {
    /// A term as written.
    #[must_use]
    pub fn of(term: &NodeSelectorTerm) -> Term {
        let read = |list: &Option<Vec<NodeSelectorRequirement>>| {
            list.iter().flatten().map(requirement).collect::<Option<Vec<_>>>()
        };
        let (labels, names) = (read(&term.match_expressions), read(&term.match_fields));
        let valid = labels.is_some() && names.is_some();
        Term { labels: labels.unwrap_or_default(), names: names.unwrap_or_default(), valid }
    }

    /// The requirements that do not hold, as `kubectl -l` writes them.
    fn broken(&self, name: &str, labels: &Labels) -> Vec<String> {
        let labels = self.labels.iter().filter(|it| !it.holds(labels.get(&it.key).map(String::as_str)));
        let names = self.names.iter().filter(|it| !it.holds(Some(name)));
        labels.chain(names).map(ToString::to_string).collect()
    }

    /// Whether it asks for anything at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.valid && self.labels.is_empty() && self.names.is_empty()
    }

    /// Whether it looks at the node's name.
    pub(crate) fn names_nodes(&self) -> bool {
        !self.names.is_empty()
    }

    /// Keys of the labels that it looks at.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &String> {
        self.labels.iter().map(|it| &it.key)
    }

    /// Whether every requirement holds. An empty term holds for no node.
    #[must_use]
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        self.valid
            && !self.is_empty()
            && self.labels.iter().all(|it| it.holds(labels.get(&it.key).map(String::as_str)))
            && self.names.iter().all(|it| it.holds(Some(name)))
    }
}

/// `None` for an operator that does not exist; validation refuses it.
fn requirement(written: &NodeSelectorRequirement) -> Option<Requirement> {
    let operator = match written.operator.as_str() {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::GreaterThan,
        "Lt" => Operator::LessThan,
        _ => return None,
    };
    Some(Requirement {
        key: written.key.clone(),
        operator,
        values: written.values.clone().unwrap_or_default(),
    })
}
