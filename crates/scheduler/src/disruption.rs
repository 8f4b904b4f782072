//! Which pods does a disruption budget protect from preemption?
//!
//! Source: `filterPodsWithPDBViolation` of the DefaultPreemption plugin, 1.34.

use std::collections::BTreeSet;

use api::k8s::policy::v1::PodDisruptionBudget;
use api::label::Selector;

use crate::pod::PodInfo;
use crate::pod_affinity::compiled;

/// A PodDisruptionBudget as far as preemption looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisruptionBudget {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Pods it protects; `None` protects none.
    pub selector: Option<Selector>,
    /// How many it lets go now.
    pub disruptions_allowed: i64,
    /// Pods whose eviction has been counted already.
    pub disrupted: BTreeSet<String>,
}

impl DisruptionBudget {
    /// A budget as written.
    #[must_use]
    pub fn of(budget: &PodDisruptionBudget) -> DisruptionBudget {
        let status = budget.status.as_ref();
        let disrupted = status.and_then(|it| it.disrupted_pods.as_ref());
        DisruptionBudget {
            namespace: budget.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            name: budget.metadata.name.clone().unwrap_or_default(),
            selector: compiled(budget.spec.as_ref().and_then(|it| it.selector.as_ref())),
            disruptions_allowed: status.map_or(0, |it| i64::from(it.disruptions_allowed)),
            disrupted: disrupted.into_iter().flatten().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Whether evicting the pod would count.
    #[must_use]
    pub fn protects(&self, pod: &PodInfo) -> bool {
        // UPSTREAM: pods without labels, and budgets with an empty selector, are passed over.
        self.namespace == pod.key.namespace
            && !pod.template.labels.is_empty()
            && self.selector.as_ref().is_some_and(|it| !it.is_empty() && it.matches(&pod.template.labels))
            && !self.disrupted.contains(&pod.key.name)
    }
}
