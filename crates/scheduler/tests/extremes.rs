//! Does any amount that a node or a pod can name make a decision fall over?
//!
//! Nodes and pods at the ends of what a quantity holds, in every combination: an overflow is a panic here. What comes out
//! must still be a decision: scores from 0 to 100, a node that passed, or a message.

use api::k8s::core::v1::{Node, Pod};
use scheduler::{NodeTable, Outcome, PodInfo, Profile, decision::NodeVerdict, schedule};
use serde_json::{Value, json};

/// Nothing, zero, one, the most that thousandths can be taken of, the most that 64 bits hold, and more than that.
const AMOUNTS: [Option<&str>; 6] =
    [None, Some("0"), Some("1"), Some("9223372036854775"), Some("9223372036854775807"), Some("9999Ei")];

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

fn amounts(cpu: Option<&str>, memory: Option<&str>) -> Value {
    let named = [("cpu", cpu), ("memory", memory)];
    named.into_iter().filter_map(|(name, amount)| Some((name.to_owned(), json!(amount?)))).collect()
}

fn node(name: &str, cpu: Option<&str>, memory: Option<&str>) -> Node {
    let mut allocatable = amounts(cpu, memory);
    allocatable["pods"] = json!("3");
    read(
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "status": {"allocatable": allocatable}}),
    )
}

fn pod(name: &str, cpu: Option<&str>, memory: Option<&str>) -> PodInfo {
    let requests = json!({"requests": amounts(cpu, memory)});
    let container = |name: &str| json!({"name": name, "image": "web:1", "resources": requests});
    let pod: Pod = read(json!({"metadata": {"name": name, "namespace": "default"}, "spec": {
        "containers": [container("a"), container("b")], "initContainers": [container("i")], "overhead": amounts(cpu, memory)}}));
    PodInfo::new(&pod)
}

fn is_sound(verdict: &NodeVerdict) -> bool {
    verdict.scores.iter().all(|score| (0..=100).contains(&score.normalized)) && verdict.total >= 0
}

#[test]
fn no_amount_makes_a_decision_overflow() {
    for cpu in AMOUNTS {
        for memory in AMOUNTS {
            for asked in AMOUNTS {
                let mut table = NodeTable::default();
                for name in ["a", "b"] {
                    table.set_node(&node(name, cpu, memory));
                }
                // Two that are there already: their sum is more than either.
                table.add_pod(&pod("x", asked, asked), "a");
                table.add_pod(&pod("y", asked, asked), "a");
                let decision = schedule(&Profile::default_1_34(), &table, &pod("z", asked, asked), 0);
                let about = format!("{cpu:?} {memory:?} {asked:?}: {decision:#?}");
                assert!(decision.nodes.iter().all(is_sound), "{about}");
                match decision.outcome {
                    Outcome::Scheduled => {
                        assert!(decision.feasible().any(|n| Some(n) == decision.node.as_deref()), "{about}");
                    }
                    _ => assert!(
                        decision.message.is_some_and(|it| it.starts_with("0/2 nodes are available: ")),
                        "{about}"
                    ),
                }
            }
        }
    }
}

#[test]
fn a_node_that_offers_nothing_takes_nothing() {
    let mut table = NodeTable::default();
    table.set_node(&read(json!({"metadata": {"name": "a"}})));
    let decision = schedule(&Profile::default_1_34(), &table, &pod("z", None, None), 0);
    let message = "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: \
        1 No preemption victims found for incoming pod.";
    assert_eq!(decision.message.as_deref(), Some(message));
}
