//! What must hold for every sequence of changes.

use std::collections::BTreeMap;

use api::k8s::core::v1::{Node, Pod};
use proptest::prelude::*;
use scheduler::class::Classes;
use scheduler::{NodeTable, PodInfo, Profile, pick, schedule};
use serde_json::{Value, json};

/// A change: what happens, to which node, to which pod, in which variant.
type Change = (u8, u8, u8, u8);

fn node(name: u8, variant: u8) -> Node {
    let zone = ["a", "b", "c"][usize::from(variant % 3)];
    let taints = if variant % 5 == 4 { json!([{"key": "gpu", "effect": "NoSchedule"}]) } else { json!([]) };
    let soft = if variant % 7 == 3 { json!([{"key": "old", "effect": "PreferNoSchedule"}]) } else { taints };
    let mut allocatable = json!({"cpu": format!("{}", 1 + variant % 4), "memory": "4Gi", "pods": "6"});
    if variant.is_multiple_of(2) {
        allocatable["example.com/gpu"] = json!("2");
    }
    let images =
        if variant % 3 == 1 { json!([{"names": ["web:1"], "sizeBytes": 500_000_000}]) } else { json!([]) };
    read(
        json!({"metadata": {"name": format!("n{name}"), "labels": {"kubernetes.io/hostname": format!("n{name}"), "topology.kubernetes.io/zone": zone}},
        "spec": {"taints": soft, "unschedulable": variant % 11 == 10}, "status": {"allocatable": allocatable, "images": images}}),
    )
}

fn pod(name: u8, variant: u8) -> PodInfo {
    let app = ["web", "db"][usize::from(variant % 2)];
    let selector = json!({"matchLabels": {"app": app}});
    let mut container = json!({"name": "c", "image": "web:1", "resources": {"requests": {"cpu": format!("{}m", 100 * u32::from(variant % 5)), "memory": "64Mi"}}});
    let mut spec = json!({"priority": variant % 3});
    match variant % 8 {
        1 => {
            container["ports"] = json!([{"containerPort": 80, "hostPort": 80}]);
        }
        2 => {
            container["resources"]["requests"]["example.com/gpu"] = json!("1");
        }
        3 => {
            spec["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}]);
        }
        4 => {
            spec["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"}]}});
        }
        5 => {
            spec["affinity"] = json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10, "podAffinityTerm": {"labelSelector": selector, "topologyKey": "topology.kubernetes.io/zone"}}]}});
        }
        6 => {
            spec["topologySpreadConstraints"] = json!([{"maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}]);
        }
        7 => {
            spec["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
        }
        _ => {}
    }
    spec["containers"] = json!([container]);
    PodInfo::new(&read::<Pod>(
        json!({"metadata": {"name": format!("p{name}"), "labels": {"app": app}}, "spec": spec}),
    ))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

/// Changes a table, and beside it the objects that are there afterwards.
#[derive(Default)]
struct Cluster {
    table: NodeTable,
    nodes: BTreeMap<u8, u8>,
    pods: BTreeMap<u8, (u8, u8)>,
}

impl Cluster {
    fn change(&mut self, (what, at, name, variant): Change) {
        match what % 5 {
            0 | 1 => {
                self.table.set_node(&node(at, variant));
                self.nodes.insert(at, variant);
            }
            2 | 3 => {
                self.table.add_pod(&pod(name, variant), &format!("n{at}"));
                self.pods.insert(name, (variant, at));
            }
            _ if variant % 4 == 0 => {
                self.table.remove_node(&format!("n{at}"));
                self.nodes.remove(&at);
            }
            _ => {
                self.table.remove_pod(&pod(name, 0).key);
                self.pods.remove(&name);
            }
        }
    }

    /// The same objects in another order, pods before nodes.
    fn rebuilt(&self) -> NodeTable {
        let mut table = NodeTable::default();
        for (name, (variant, at)) in self.pods.iter().rev() {
            table.add_pod(&pod(*name, *variant), &format!("n{at}"));
        }
        for (name, variant) in self.nodes.iter().rev() {
            table.set_node(&node(*name, *variant));
        }
        table
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec((any::<u8>(), 0u8..6, 0u8..12, any::<u8>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_after_any_changes_equals_the_table_built_afresh(changes in changes()) {
        let mut cluster = Cluster::default();
        for change in changes {
            cluster.change(change);
            prop_assert!(cluster.table == cluster.rebuilt());
        }
    }

    #[test]
    fn a_decision_does_not_depend_on_the_order_of_the_changes(changes in changes(), wanted in any::<u8>(), tie in any::<u64>()) {
        let mut cluster = Cluster::default();
        changes.into_iter().for_each(|change| cluster.change(change));
        let (profile, wanted) = (Profile::default_1_34(), pod(99, wanted));
        let decision = schedule(&profile, &cluster.table, &wanted, tie);
        prop_assert_eq!(&decision, &schedule(&profile, &cluster.rebuilt(), &wanted, tie));
    }

    #[test]
    fn what_is_remembered_of_a_class_stays_true(changes in changes(), wanted in prop::collection::vec(any::<u8>(), 4), tie in any::<u64>()) {
        let mut cluster = Cluster::default();
        let mut classes = Classes::new(Profile::default_1_34());
        for change in changes {
            cluster.change(change);
            for (name, wanted) in (90..).zip(&wanted) {
                let wanted = pod(name, *wanted);
                let remembered = classes.pick(&cluster.table, &wanted, tie);
                prop_assert_eq!(remembered, pick(&Profile::default_1_34(), &cluster.table, &wanted, tie));
            }
        }
    }

    #[test]
    fn the_short_answer_equals_the_explained_one(changes in changes(), wanted in any::<u8>(), tie in any::<u64>()) {
        let mut cluster = Cluster::default();
        changes.into_iter().for_each(|change| cluster.change(change));
        let (profile, wanted) = (Profile::default_1_34(), pod(99, wanted));
        let decision = schedule(&profile, &cluster.table, &wanted, tie);
        let picked = pick(&profile, &cluster.table, &wanted, tie);
        prop_assert_eq!(decision.node, picked.map(|it| cluster.table.row(it.node).name.to_string()));
        prop_assert_eq!(decision.ties.len(), picked.map_or(0, |it| it.ties));
    }
}
