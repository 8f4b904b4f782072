//! How evenly does a pod want to be spread?
//!
//! Constraints of `topologySpreadConstraints`, compiled, with the defaults that the plugin itself applies.
//! Source: `podtopologyspread/common.go`, 1.34.

use api::k8s::core::v1::{PodSpec, TopologySpreadConstraint};
use api::label::{Operator, Selector};

use crate::node_selector::Labels;
use crate::pod_affinity::{compiled, merge};

/// One constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// How much fuller than the emptiest domain a domain may be.
    pub max_skew: i64,
    /// Node label whose value makes a domain.
    pub topology_key: String,
    /// `DoNotSchedule`; otherwise `ScheduleAnyway`.
    pub hard: bool,
    /// Pods that count; `None` counts none.
    pub selector: Option<Selector>,
    /// Fewer domains than this count as if one were empty.
    pub min_domains: i64,
    /// `nodeAffinityPolicy: Honor`: nodes the pod cannot choose do not count.
    pub honors_affinity: bool,
    /// `nodeTaintsPolicy: Honor`: nodes whose taints the pod does not tolerate do not count.
    pub honors_taints: bool,
}

/// The constraints of a pod with `labels`.
#[must_use]
pub fn constraints(spec: &PodSpec, labels: &Labels) -> Vec<Constraint> {
    spec.topology_spread_constraints.iter().flatten().map(|it| constraint(it, labels)).collect()
}

fn constraint(written: &TopologySpreadConstraint, labels: &Labels) -> Constraint {
    let mut selector = compiled(written.label_selector.as_ref());
    if let Some(selector) = &mut selector {
        merge(selector, written.match_label_keys.iter().flatten(), Operator::In, labels);
    }
    Constraint {
        max_skew: i64::from(written.max_skew),
        topology_key: written.topology_key.clone(),
        hard: written.when_unsatisfiable != "ScheduleAnyway",
        selector,
        min_domains: i64::from(written.min_domains.unwrap_or(1)),
        honors_affinity: written.node_affinity_policy.as_deref() != Some("Ignore"),
        honors_taints: written.node_taints_policy.as_deref() == Some("Honor"),
    }
}
