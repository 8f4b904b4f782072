//! Which nodes does a daemon's template ask for, and which is a daemon pod for?
//!
//! Source: `NodeShouldRunDaemonPod` of `daemon_controller.go`, `pkg/controller/daemon/util/daemonset_util.go`.

use std::collections::BTreeMap;

use ::scheduler::{node_selector::RequiredNodes, taint};
use api::k8s::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec, Toleration,
};

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// Where a pod is, or is to be.
pub(super) fn target(pod: &Pod) -> &str {
    let Some(spec) = &pod.spec else { return "" };
    if let Some(node) = spec.node_name.as_deref().filter(|node| !node.is_empty()) {
        return node;
    }
    let affinity = spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref());
    let required = affinity.and_then(|it| it.required_during_scheduling_ignored_during_execution.as_ref());
    let terms = required.into_iter().flat_map(|it| &it.node_selector_terms);
    let mut fields = terms.filter_map(|term| term.match_fields.as_ref()).flatten();
    let named = fields.find(|field| field.key == "metadata.name").and_then(|field| field.values.as_ref());
    named.and_then(|values| values.first()).map_or("", String::as_str)
}

/// What a template asks of a node.
pub(super) struct Rules {
    node_name: Option<String>,
    required: Option<RequiredNodes>,
    tolerations: Vec<taint::Toleration>,
}

impl Rules {
    pub(super) fn of(spec: &PodSpec) -> Self {
        Self {
            node_name: spec.node_name.clone().filter(|name| !name.is_empty()),
            required: RequiredNodes::of(spec),
            tolerations: spec.tolerations.iter().flatten().filter_map(taint::Toleration::of).collect(),
        }
    }

    /// Whether a pod should come, and whether one that is there may stay.
    pub(super) fn judge(&self, node: &Node) -> (bool, bool) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let labels = node.metadata.labels.as_ref().unwrap_or(&NO_LABELS);
        let fits = self.node_name.as_deref().is_none_or(|wanted| wanted == name)
            && self.required.as_ref().is_none_or(|required| required.matches(name, labels));
        if !fits {
            return (false, false);
        }
        let taints =
            node.spec.iter().filter_map(|spec| spec.taints.as_ref()).flatten().filter_map(taint::Taint::of);
        let open: Vec<taint::Taint> =
            taints.filter(|it| it.forbids() && !taint::tolerated(&self.tolerations, it)).collect();
        (open.is_empty(), open.iter().all(|it| it.effect != taint::Effect::NoExecute))
    }
}

/// What every daemon pod tolerates.
pub(super) fn tolerate(spec: &mut PodSpec) {
    let own_network = spec.host_network != Some(true);
    let taints = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("network-unavailable", "NoSchedule"),
    ];
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in taints.into_iter().take(if own_network { 6 } else { 7 }) {
        let toleration = Toleration {
            key: Some(format!("node.kubernetes.io/{key}")),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let same = |had: &Toleration| (&had.key, &had.effect) == (&toleration.key, &toleration.effect);
        match tolerations.iter_mut().find(|had| same(had)) {
            Some(had) => *had = toleration,
            None => tolerations.push(toleration),
        }
    }
}

/// Names the node in the pod's required affinity, in the place of every other field term.
pub(super) fn aim(spec: &mut PodSpec, node: &str) {
    let name = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let affinity = spec.affinity.get_or_insert_default().node_affinity.get_or_insert_default();
    let required = affinity
        .required_during_scheduling_ignored_during_execution
        .get_or_insert_with(|| NodeSelector { node_selector_terms: Vec::new() });
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_fields = Some(vec![name.clone()]);
    }
}
