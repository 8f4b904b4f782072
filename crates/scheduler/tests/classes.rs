//! What is remembered of pods and nodes gives the decision from scratch, whatever has happened in between.

use std::rc::Rc;

use api::k8s::apps::v1::ReplicaSet;
use api::k8s::core::v1::{Namespace, Node, Pod, Service};
use proptest::prelude::*;
use scheduler::class::Classes;
use scheduler::{NodeTable, Outcome, PodInfo, Profile, schedule};
use serde_json::{Value, json};

/// A sequence of choices out of one number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.roll(list.len() as u64)).expect("a place in a list")].clone()
    }

    /// Up to two, once in so many times.
    fn rarely_some(&mut self, sides: u64, make: impl FnMut(&mut Dice) -> Value) -> Value {
        let most = if self.one_in(sides) { 2 } else { 0 };
        self.some(most, make)
    }

    fn some(&mut self, most: u64, mut make: impl FnMut(&mut Dice) -> Value) -> Value {
        let count = self.roll(most + 1);
        (0..count).map(|_| make(self)).collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

const KEYS: [&str; 4] = ["kubernetes.io/hostname", "topology.kubernetes.io/zone", "rack", "disk"];

fn node(dice: &mut Dice, name: u64) -> Node {
    let mut labels = json!({});
    // Mostly its own name, at times another's or none.
    if !dice.one_in(12) {
        let host = if dice.one_in(8) { dice.roll(6) } else { name };
        labels["kubernetes.io/hostname"] = json!(format!("n{host}"));
    }
    if !dice.one_in(10) {
        let zone = if dice.one_in(20) { "" } else { dice.of(&["a", "b", "c"]) };
        labels["topology.kubernetes.io/zone"] = json!(zone);
    }
    if dice.one_in(2) {
        labels["rack"] = json!(format!("r{}", dice.roll(4)));
    }
    if dice.one_in(2) {
        labels["disk"] = json!(dice.of(&["ssd", "hdd", "5", "9"]));
    }
    let taints = dice.rarely_some(3, |dice| {
        json!({"key": dice.of(&["gpu", "old", "spot"]), "value": dice.of(&["", "x"]),
            "effect": dice.of(&["NoSchedule", "PreferNoSchedule", "PreferNoSchedule", "NoExecute"])})
    });
    let mut allocatable = json!({"cpu": dice.of(&["1", "2", "4"]), "memory": dice.of(&["2Gi", "4Gi"]), "pods": dice.of(&["3", "6", "20"])});
    if dice.one_in(3) {
        allocatable["example.com/gpu"] = json!(dice.of(&["1", "2"]));
    }
    let images = dice.rarely_some(3, |dice| {
        json!({"names": [dice.of(&["web:1", "db:1"])], "sizeBytes": dice.of(&[90_000_000, 700_000_000])})
    });
    read(json!({"metadata": {"name": format!("n{name}"), "labels": labels},
        "spec": {"taints": taints, "unschedulable": dice.one_in(15)},
        "status": {"allocatable": allocatable, "images": images}}))
}

fn selector(dice: &mut Dice) -> Value {
    match dice.roll(8) {
        0 => json!({}),
        1 => Value::Null,
        2 => json!({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}),
        3 => json!({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}),
        4 => json!({"matchLabels": {"tier": dice.of(&["a", "b"])}}),
        _ => json!({"matchLabels": {"app": dice.of(&["web", "db"])}}),
    }
}

fn label_keys(dice: &mut Dice) -> Value {
    if dice.one_in(6) { json!(["tier"]) } else { Value::Null }
}

fn constraint(dice: &mut Dice) -> Value {
    let mut it = json!({"maxSkew": 1 + dice.roll(3), "topologyKey": dice.of(&KEYS), "labelSelector": selector(dice),
        "whenUnsatisfiable": dice.of(&["DoNotSchedule", "ScheduleAnyway"]), "matchLabelKeys": label_keys(dice)});
    if dice.one_in(5) {
        it["minDomains"] = json!(1 + dice.roll(4));
    }
    if dice.one_in(3) {
        it["nodeAffinityPolicy"] = json!(dice.of(&["Honor", "Ignore"]));
        it["nodeTaintsPolicy"] = json!(dice.of(&["Honor", "Ignore"]));
    }
    it
}

fn term(dice: &mut Dice) -> Value {
    let mut it = json!({"topologyKey": dice.of(&KEYS), "labelSelector": selector(dice)});
    match dice.roll(8) {
        0 => it["namespaces"] = json!(["other"]),
        1 => it["namespaceSelector"] = json!({}),
        2 => it["namespaceSelector"] = json!({"matchLabels": {"team": "x"}}),
        3 => it["matchLabelKeys"] = label_keys(dice),
        4 => it["mismatchLabelKeys"] = label_keys(dice),
        _ => {}
    }
    it
}

fn weighted(dice: &mut Dice) -> Value {
    json!({"weight": dice.of(&[1, 10, 100]), "podAffinityTerm": term(dice)})
}

fn node_term(dice: &mut Dice) -> Value {
    if dice.one_in(15) {
        let operator = dice.of(&["In", "NotIn"]);
        let name = format!("n{}", dice.roll(6));
        return json!({"matchFields": [{"key": "metadata.name", "operator": operator, "values": [name]}]});
    }
    json!({"matchExpressions": [match dice.roll(4) {
        0 => json!({"key": "disk", "operator": "Gt", "values": ["6"]}),
        1 => json!({"key": "rack", "operator": "Exists"}),
        2 => json!({"key": "kubernetes.io/hostname", "operator": "NotIn", "values": ["n1", "n2"]}),
        _ => json!({"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a", "b"]}),
    }]})
}

fn affinity(dice: &mut Dice) -> Value {
    let mut it = json!({});
    let pods = |dice: &mut Dice| {
        let required = dice.rarely_some(2, term);
        let preferred = dice.some(2, weighted);
        json!({"requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred})
    };
    if dice.one_in(3) {
        it["podAffinity"] = pods(dice);
    }
    if dice.one_in(2) {
        it["podAntiAffinity"] = pods(dice);
    }
    if dice.one_in(4) {
        it["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
            json!({"nodeSelectorTerms": [node_term(dice)]});
    }
    if dice.one_in(4) {
        it["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"] =
            dice.some(2, |dice| json!({"weight": dice.of(&[1, 20]), "preference": node_term(dice)}));
    }
    it
}

fn container(dice: &mut Dice) -> Value {
    let mut it = json!({"name": "c", "image": dice.of(&["web:1", "db:1", "none"])});
    let mut requests = json!({});
    if !dice.one_in(5) {
        requests = json!({"cpu": dice.of(&["50m", "100m", "500m"]), "memory": dice.of(&["64Mi", "256Mi"])});
    }
    if dice.one_in(10) {
        requests[dice.of(&["example.com/gpu", "example.com/fpga"])] = json!("1");
    }
    it["resources"]["requests"] = requests;
    if dice.one_in(8) {
        it["ports"] = json!([{"containerPort": 80, "hostPort": dice.of(&[80, 81]), "protocol": dice.of(&["TCP", "UDP"])}]);
    }
    it
}

fn pod(dice: &mut Dice, name: &str) -> Pod {
    let mut labels = json!({"app": dice.of(&["web", "db"])});
    if dice.one_in(2) {
        labels["tier"] = json!(dice.of(&["a", "b"]));
    }
    let mut spec = json!({"containers": [container(dice)], "priority": dice.roll(2)});
    if dice.one_in(2) {
        spec["topologySpreadConstraints"] = dice.some(2, constraint);
    }
    if dice.one_in(2) {
        spec["affinity"] = affinity(dice);
    }
    if dice.one_in(6) {
        spec["nodeSelector"] = json!({"disk": dice.of(&["ssd", "hdd"])});
    }
    if dice.one_in(3) {
        spec["tolerations"] = dice.some(2, |dice| {
            json!({"key": dice.of(&["gpu", "old"]), "operator": "Exists",
                "effect": dice.of(&["NoSchedule", "PreferNoSchedule"])})
        });
    }
    if dice.one_in(25) {
        spec["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    }
    if dice.one_in(25) {
        spec["volumes"] =
            json!([{"name": "d", "awsElasticBlockStore": {"volumeID": dice.of(&["vol-1", "vol-2"])}}]);
    }
    if dice.one_in(30) {
        spec["nodeName"] = json!("n1");
    }
    let mut metadata =
        json!({"name": name, "namespace": dice.of(&["default", "default", "other"]), "labels": labels});
    if dice.one_in(4) {
        metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": dice.of(&["web", "db"]), "uid": "u", "controller": true}]);
    }
    if dice.one_in(15) {
        metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    read(json!({"metadata": metadata, "spec": spec}))
}

/// A few templates, so that pods have siblings.
fn sibling(dice: &mut Dice, name: &str, seed: u64) -> Pod {
    let template = dice.roll(7);
    let mut pod = pod(&mut Dice(seed.wrapping_mul(31).wrapping_add(template)), name);
    if dice.one_in(4) {
        let labels = pod.metadata.labels.get_or_insert_default();
        labels.insert("app".to_owned(), dice.of(&["web", "db", "x"]).to_owned());
    }
    pod
}

struct Cluster {
    table: NodeTable,
    classes: Classes,
    seed: u64,
}

impl Cluster {
    fn change(&mut self, number: u64) -> Result<(), TestCaseError> {
        let dice = &mut Dice(number);
        match dice.roll(24) {
            0..=2 => {
                let name = dice.roll(9);
                self.table.set_node(&node(dice, name));
            }
            3 if dice.one_in(2) => self.table.remove_node(&format!("n{}", dice.roll(9))),
            4 => {
                let labels = json!({"team": dice.of(&["x", "y"])});
                let namespace: Namespace =
                    read(json!({"metadata": {"name": dice.of(&["default", "other"]), "labels": labels}}));
                self.table.set_namespace(&namespace);
            }
            5 if dice.one_in(2) => {
                let service: Service = read(json!({"metadata": {"name": "s", "namespace": "default"},
                    "spec": {"selector": {"app": dice.of(&["web", "db"])}}}));
                self.table.owners.set_service(&service);
            }
            5 => self.table.owners.remove("Service", "default", "s"),
            6 if dice.one_in(2) => {
                let set: ReplicaSet =
                    read(json!({"metadata": {"name": dice.of(&["web", "db"]), "namespace": "default"},
                    "spec": {"selector": {"matchLabels": {"tier": "a"}}}}));
                self.table.owners.set_replica_set(&set);
            }
            6 => self.table.owners.remove("ReplicaSet", "default", "web"),
            7..=9 => {
                let name = format!("p{}", dice.roll(30));
                for namespace in ["default", "other"] {
                    self.table.remove_pod(&scheduler::PodKey::new(namespace, &name));
                }
            }
            10..=12 => {
                let name = format!("p{}", dice.roll(30));
                let pod = PodInfo::new(&sibling(dice, &name, self.seed));
                self.table.add_pod(&pod, &format!("n{}", dice.roll(10)));
            }
            13 if dice.one_in(4) => {
                let pod = PodInfo::new(&pod(dice, "promised"));
                self.table.nominate(&pod, &format!("n{}", dice.roll(9)));
            }
            13 => {
                for namespace in ["default", "other"] {
                    self.table.withdraw(&scheduler::PodKey::new(namespace, "promised"));
                }
            }
            _ => {
                let name = format!("p{}", dice.roll(30));
                let pod = sibling(dice, &name, self.seed);
                self.try_pod(&pod, dice)?;
            }
        }
        Ok(())
    }

    /// Places a pod, after comparing.
    fn try_pod(&mut self, pod: &Pod, dice: &mut Dice) -> Result<(), TestCaseError> {
        let tie = dice.roll(1000);
        let info = if dice.one_in(4) { PodInfo::new(pod) } else { self.classes.compile(pod) };
        prop_assert_eq!(&info, &PodInfo::new(pod));
        let decision = schedule(&Profile::default_1_34(), &self.table, &info, tie);
        let picked = self.classes.pick(&self.table, &info, tie);
        let row = |node| self.table.row(node).name.to_string();
        let got = picked.map(|it| (row(it.node), it.total, it.feasible, it.ties));
        let wanted = (decision.outcome == Outcome::Scheduled).then(|| {
            let node = decision.node.clone().unwrap_or_default();
            let total = decision.nodes.iter().find(|it| it.node == node).map_or(0, |it| it.total);
            (node, total, decision.feasible().count(), decision.ties.len())
        });
        prop_assert_eq!(got, wanted, "{} {:?}", serde_json::to_string(pod).unwrap_or_default(), decision);
        if let Some(picked) = picked {
            self.table.bind(&Rc::new(info), picked.node);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_remembered_answer_is_the_decision_from_scratch(
        seed in any::<u64>(),
        nodes in prop::collection::vec(any::<u64>(), 1..9),
        changes in prop::collection::vec(any::<u64>(), 1..120),
    ) {
        let classes = Classes::new(Profile::default_1_34());
        let mut cluster = Cluster { table: NodeTable::default(), classes, seed };
        for (name, number) in (0..).zip(nodes) {
            cluster.table.set_node(&node(&mut Dice(number), name));
        }
        for change in changes {
            cluster.change(change)?;
        }
    }
}
