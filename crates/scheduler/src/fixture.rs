//! Small clusters for tests, a line for each node.

use api::k8s::core::v1::{Node, Pod};
use serde_json::{Value, json};

use crate::{NodeTable, PodInfo, Profile, schedule};

/// Nodes such as `a cpu=4 memory=4Gi pods=10 taint=gpu:NoSchedule image=web:1 cordoned disk=ssd`: other words are labels.
pub(crate) fn nodes(lines: &[&str]) -> NodeTable {
    let mut table = NodeTable::default();
    lines.iter().for_each(|line| table.set_node(&node(line)));
    table
}

/// One such node.
pub(crate) fn node(line: &str) -> Node {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    let mut labels = json!({"kubernetes.io/hostname": name});
    let mut allocatable = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
    let (mut taints, mut images, mut cordoned) = (Vec::new(), Vec::new(), false);
    for word in words {
        match word.split_once('=') {
            None => cordoned |= word == "cordoned",
            Some(("cpu" | "memory" | "pods", _)) => {
                let (resource, amount) = word.split_once('=').unwrap_or_default();
                allocatable[resource] = json!(amount);
            }
            Some(("taint", taint)) => {
                let (key, effect) = taint.split_once(':').unwrap_or_default();
                taints.push(json!({"key": key, "effect": effect}));
            }
            Some(("image", image)) => images.push(json!({"names": [image], "sizeBytes": 500_000_000})),
            Some((key, value)) => labels[key] = json!(value),
        }
    }
    read(
        json!({"metadata": {"name": name, "labels": labels}, "spec": {"taints": taints, "unschedulable": cordoned},
        "status": {"allocatable": allocatable, "images": images}}),
    )
}

/// A pod labelled with its own name, from the JSON of its spec.
pub(crate) fn pod(name: &str, spec: &str) -> PodInfo {
    PodInfo::new(&pod_object(name, spec))
}

/// The same pod as it is written.
pub(crate) fn pod_object(name: &str, spec: &str) -> Pod {
    let mut spec: Value = serde_json::from_str(spec).expect("a pod spec");
    if spec.get("containers").is_none() {
        spec["containers"] = json!([]);
    }
    read(json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

/// Names of the nodes that pass.
pub(crate) fn feasible(table: &NodeTable, pod: &PodInfo) -> Vec<String> {
    schedule(&Profile::default_1_34(), table, pod, 0).feasible().map(str::to_owned).collect()
}

/// Who refused the node, and why.
pub(crate) fn why(table: &NodeTable, pod: &PodInfo, node: &str) -> String {
    let decision = schedule(&Profile::default_1_34(), table, pod, 0);
    let refusal = decision.nodes.into_iter().find(|it| it.node == node).and_then(|it| it.rejected);
    refusal.map(|it| format!("{}: {}", it.plugin, it.reasons.join(", "))).unwrap_or_default()
}

/// The normalised scores that a plugin gives; none if it gives none.
pub(crate) fn scores(table: &NodeTable, pod: &PodInfo, plugin: &str) -> Vec<(String, i64)> {
    let decision = schedule(&Profile::default_1_34(), table, pod, 0);
    let of = |it: crate::NodeVerdict| {
        let score = it.scores.iter().find(|score| score.plugin == plugin)?;
        Some((it.node.clone(), score.normalized))
    };
    decision.nodes.into_iter().filter_map(of).collect()
}

pub(crate) fn named((node, score): (&str, i64)) -> (String, i64) {
    (node.to_owned(), score)
}
