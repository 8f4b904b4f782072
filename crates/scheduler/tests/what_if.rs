//! What must hold for every fix: it fixes, none of it is superfluous, and looking for it changes nothing.

use api::k8s::core::v1::{Node, Pod};
use proptest::prelude::*;
use scheduler::what_if::{Edit, Question, edit, fix, offers};
use scheduler::{NodeTable, Outcome, PodInfo, Profile, schedule};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

fn node(name: usize, variant: u16) -> Node {
    let bit = |at: u16| variant >> at & 1 == 1;
    let mut taints = Vec::new();
    if bit(0) && bit(1) {
        taints.push(json!({"key": "team", "value": "a", "effect": "NoSchedule"}));
    }
    if bit(2) && bit(3) {
        taints.push(json!({"key": "old", "effect": "NoExecute"}));
    }
    let zone = ["x", "y"][usize::from(bit(4))];
    let mut labels =
        json!({"kubernetes.io/hostname": format!("n{name}"), "topology.kubernetes.io/zone": zone});
    if bit(5) {
        labels["disk"] = json!("ssd");
    }
    let allocatable = json!({"cpu": format!("{}", 1 + variant % 3), "memory": "2Gi", "pods": format!("{}", 2 + variant % 4)});
    read(json!({"metadata": {"name": format!("n{name}"), "labels": labels},
        "spec": {"taints": taints, "unschedulable": bit(6) && bit(7)}, "status": {"allocatable": allocatable}}))
}

fn pod(name: &str, variant: u16) -> Pod {
    let bit = |at: u16| variant >> at & 1 == 1;
    let app = ["web", "db"][usize::from(bit(0))];
    let selector = json!({"matchLabels": {"app": app}});
    let mut container = json!({"name": "c", "resources": {"requests": {"cpu": format!("{}m", 300 * (variant % 5)), "memory": format!("{}Mi", 300 * (variant % 3))}}});
    let mut spec = json!({});
    if bit(1) && bit(2) {
        container["ports"] = json!([{"containerPort": 80, "hostPort": 80}]);
    }
    if bit(3) && bit(4) {
        spec["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector},
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}]);
    }
    if bit(5) {
        spec["nodeSelector"] = json!({"disk": "ssd"});
    }
    if bit(6) && bit(7) {
        spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}]}});
    }
    if bit(8) && bit(9) {
        spec["affinity"]["podAffinity"] = json!({"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": {"matchLabels": {"app": "other"}}, "topologyKey": "topology.kubernetes.io/zone"}]});
    }
    if bit(10) && bit(11) && bit(1) {
        spec["schedulingGates"] = json!([{"name": "later"}]);
    }
    spec["containers"] = json!([container]);
    let mut owner = json!([]);
    if bit(9) {
        owner = json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "1", "controller": true}]);
    }
    read(json!({"metadata": {"name": name, "labels": {"app": app}, "ownerReferences": owner}, "spec": spec}))
}

/// Objects, from which tables are built.
#[derive(Clone)]
struct Cluster {
    nodes: Vec<Node>,
    pods: Vec<(Pod, String)>,
}

fn table(cluster: &Cluster, reversed: bool) -> NodeTable {
    let mut table = NodeTable::default();
    let order = |len: usize| (0..len).map(move |at| if reversed { len - 1 - at } else { at });
    order(cluster.nodes.len()).for_each(|at| table.set_node(&cluster.nodes[at]));
    order(cluster.pods.len())
        .for_each(|at| table.add_pod(&PodInfo::new(&cluster.pods[at].0), &cluster.pods[at].1));
    table
}

/// The cluster's objects after edits.
fn edited(cluster: &Cluster, edits: &[Edit]) -> Cluster {
    let mut after = cluster.clone();
    for node in &mut after.nodes {
        *node = edit::edited_node(node, edits);
    }
    for it in edits {
        match it {
            Edit::AddNode { like } => {
                let found =
                    cluster.nodes.iter().find(|it| it.metadata.name.as_ref() == Some(like)).expect("a node");
                after.nodes.push(edit::fresh_node(found, "new-node"));
                for (pod, _) in cluster.pods.iter().filter(|(pod, at)| {
                    at == like && pod.metadata.owner_references.as_ref().is_some_and(|it| !it.is_empty())
                }) {
                    let mut pod = pod.clone();
                    pod.metadata.name = pod.metadata.name.map(|it| format!("{it}@new-node"));
                    after.pods.push((pod, "new-node".to_owned()));
                }
            }
            Edit::DeletePod { name, .. } => {
                after.pods.retain(|(pod, _)| pod.metadata.name.as_ref() != Some(name));
            }
            _ => {}
        }
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_fix_is_verified_from_scratch_and_no_part_of_it_would_do(
        nodes in prop::collection::vec(any::<u16>(), 1..6),
        pods in prop::collection::vec((any::<u16>(), 0usize..6), 0..12),
        wanted in any::<u16>(),
        tie in any::<u64>(),
    ) {
        let nodes: Vec<Node> = nodes.iter().enumerate().map(|(at, variant)| node(at, *variant)).collect();
        let pods = pods.iter().enumerate().filter(|(_, (_, node))| *node < nodes.len());
        let pods = pods.map(|(at, (variant, node))| (pod(&format!("p{at}"), *variant), format!("n{node}"))).collect();
        let cluster = Cluster { nodes, pods };
        let (profile, wanted) = (Profile::default_1_34(), pod("wanted", wanted));
        let find = |name: &str| cluster.nodes.iter().find(|it| it.metadata.name.as_deref() == Some(name)).cloned();
        let before = table(&cluster, false);
        let question = Question { profile: &profile, table: &before, pod: &wanted, tie, node: &find, like: &find };
        let found = fix::smallest(&question);
        prop_assert!(before == table(&cluster, true), "looking changes nothing");
        let other = table(&cluster, true);
        prop_assert_eq!(&found, &fix::smallest(&Question { table: &other, ..question }));
        let decide = |edits: &[Edit]| {
            let after = table(&edited(&cluster, edits), true);
            schedule(&profile, &after, &PodInfo::new(&edit::edited_pod(&wanted, edits)), tie)
        };
        prop_assert!(found.fixes.is_empty() || decide(&[]).outcome != Outcome::Scheduled);
        for fix in &found.fixes {
            let decision = decide(&fix.edits);
            prop_assert_eq!(decision.node.as_ref(), Some(&fix.node));
            prop_assert_eq!(decision.feasible().count(), fix.feasible);
            prop_assert_eq!(&decision, &question.decide(&fix.edits));
            for mask in 0..(1usize << fix.edits.len()) - 1 {
                let part: Vec<Edit> = fix.edits.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, it)| it.clone()).collect();
                prop_assert_ne!(decide(&part).outcome, Outcome::Scheduled, "{:?} of {:?}", part, fix.edits);
            }
        }
        for offer in offers(&question, &decide(&[])) {
            prop_assert_eq!(question.decide(std::slice::from_ref(&offer)), decide(&[offer]));
        }
    }
}
