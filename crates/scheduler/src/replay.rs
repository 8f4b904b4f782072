//! What follows from this recorded scenario?
//!
//! [`outcomes`] builds a table from the scenario's objects, decides for the pods of its queue one after the other, and
//! writes what happened in the words of the recordings. [`disagreement`] compares that with what was recorded from
//! kube-scheduler 1.34.1. It serves `podpath conform scheduler` and the tests.

use std::rc::Rc;

use api::Resource;
use api::default::apply_defaults;
use api::k8s::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, Service};
use api::k8s::policy::v1::PodDisruptionBudget;
use api::k8s::storage::v1::{CSINode, StorageClass};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::decision::{Candidate, Preemption};
use crate::disruption::DisruptionBudget;
use crate::{Decision, NodeTable, Outcome, PodInfo, PodKey, Profile, Refusal, Version, schedule};

/// 2025-05-31T23:00:00Z: when pods that were there before have started.
const BEFORE: i64 = 1_748_732_400;
/// 2025-06-01T00:00:00Z: when the first pod of the queue starts.
const BEGIN: i64 = 1_748_736_000;
/// More attempts than any preemption needs.
const MOST_ATTEMPTS: usize = 10;

/// Where a scenario and its recording differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Such as `default/web-3 attempts[0].message`.
    pub at: String,
    /// What was recorded.
    pub wanted: String,
    /// What came out.
    pub got: String,
}

/// The first field of `case.expect` that does not come out of `case.input`; `None` if all do.
#[must_use]
pub fn disagreement(case: &Value) -> Option<Disagreement> {
    let got = outcomes(&case["input"]);
    let wanted = case["expect"].as_array().map(Vec::as_slice).unwrap_or_default();
    wanted.iter().enumerate().find_map(|(i, wanted)| {
        let got = got.get(i).unwrap_or(&Value::Null);
        let pod = wanted["pod"].as_str().unwrap_or_default();
        differs(&format!("{pod} "), wanted, got)
    })
}

fn differs(at: &str, wanted: &Value, got: &Value) -> Option<Disagreement> {
    match (wanted, got) {
        (Value::Object(fields), Value::Object(_)) => fields.iter().find_map(|(name, wanted)| {
            let dot = if at.ends_with(' ') { "" } else { "." };
            differs(&format!("{at}{dot}{name}"), wanted, &got[name])
        }),
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let mut pairs = wanted.iter().zip(got).enumerate();
            pairs.find_map(|(i, (wanted, got))| differs(&format!("{at}[{i}]"), wanted, got))
        }
        (wanted, got) if wanted == got => None,
        (wanted, got) => {
            Some(Disagreement { at: at.to_owned(), wanted: wanted.to_string(), got: got.to_string() })
        }
    }
}

/// One entry for each pod of the scenario's queue, as the recordings have it.
#[must_use]
pub fn outcomes(input: &Value) -> Vec<Value> {
    watched(input, &mut |_| {})
}

/// The same, and shows every decision on the way, attempt by attempt.
pub fn watched(input: &Value, seen: &mut dyn FnMut(&Decision)) -> Vec<Value> {
    let profile = Profile::default_1_34().with_version(Version::new(1, 34, 1));
    let mut table = table(input);
    let queue = list::<Pod>(input, "queue");
    queue
        .into_iter()
        .map(defaulted)
        .zip(0..)
        .map(|(pod, i)| decide(&profile, &mut table, &pod, BEGIN + i, seen))
        .collect()
}

fn list<T: DeserializeOwned>(input: &Value, field: &str) -> Vec<T> {
    let items = input[field].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|it| serde_json::from_value(it.clone()).ok()).collect()
}

/// The cluster before the first decision.
#[must_use]
pub fn table(input: &Value) -> NodeTable {
    let mut table = NodeTable::default();
    list::<Node>(input, "nodes").iter().for_each(|it| table.set_node(it));
    let mut default = Namespace::default();
    default.metadata.name = Some("default".to_owned());
    table.set_namespace(&default);
    list::<Namespace>(input, "namespaces").iter().for_each(|it| table.set_namespace(it));
    list::<Service>(input, "services").iter().for_each(|it| table.owners.set_service(it));
    list(input, "replicaSets").iter().for_each(|it| table.owners.set_replica_set(it));
    list(input, "statefulSets").iter().for_each(|it| table.owners.set_stateful_set(it));
    let storage = &mut table.storage;
    list::<StorageClass>(input, "storageClasses").iter().for_each(|it| storage.set_class(it));
    list::<CSINode>(input, "csiNodes").iter().for_each(|it| storage.set_drivers(it));
    list::<PersistentVolume>(input, "persistentVolumes").iter().for_each(|it| storage.set_volume(it));
    list::<PersistentVolumeClaim>(input, "persistentVolumeClaims")
        .iter()
        .for_each(|it| storage.set_claim(it));
    for budget in list::<PodDisruptionBudget>(input, "podDisruptionBudgets") {
        table.set_budget(DisruptionBudget::of(&budget));
    }
    for pod in list::<Pod>(input, "pods").into_iter().map(defaulted) {
        let over = |phase: &str| phase == "Succeeded" || phase == "Failed";
        if pod.status.as_ref().and_then(|it| it.phase.as_deref()).is_some_and(over) {
            continue;
        }
        let mut info = PodInfo::new(&pod);
        info.started.get_or_insert(BEFORE);
        let node = info.template.node_name.clone();
        match &info.nominated_node {
            _ if !node.is_empty() => table.add_pod(&info, &node),
            Some(promised) => table.nominate(&info, &promised.clone()),
            None => {}
        }
    }
    table
}

fn decide(
    profile: &Profile,
    table: &mut NodeTable,
    pod: &Pod,
    start: i64,
    seen: &mut dyn FnMut(&Decision),
) -> Value {
    let mut pod = PodInfo::new(pod);
    let name = pod.key.to_string();
    let assigned = pod.template.node_name.clone();
    if !assigned.is_empty() {
        pod.started = Some(start);
        table.add_pod(&pod, &assigned);
        return json!({"pod": name, "result": "AlreadyAssigned", "node": assigned});
    }
    let mut attempts = Vec::new();
    while attempts.len() < MOST_ATTEMPTS {
        let decision = schedule(profile, table, &pod, 0);
        seen(&decision);
        if decision.outcome == Outcome::Gated {
            let condition = json!({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
                "message": "Scheduling is blocked due to non-empty scheduling gates"});
            return json!({"pod": name, "result": "SchedulingGated", "preEnqueue": decision.message,
                "condition": condition});
        }
        attempts.push(attempt(&decision));
        if let Some(node) = &decision.node {
            pod.started = Some(start);
            pod.nominated_node = None;
            table.withdraw(&pod.key);
            table.place(Rc::new(pod.clone()), node);
            let labels = table.find(node).map(|it| Rc::clone(&table.row(it).labels)).unwrap_or_default();
            table.storage.bind(&decision.volumes, &labels);
            return json!({"pod": name, "result": "Scheduled", "node": node, "attempts": attempts});
        }
        let Some(found) = decision.preemption else {
            table.withdraw(&pod.key);
            let result = if decision.outcome == Outcome::Error { "Error" } else { "Unschedulable" };
            return json!({"pod": name, "result": result, "attempts": attempts});
        };
        for victim in &found.victims {
            if let Some((namespace, name)) = victim.split_once('/') {
                table.remove_pod(&PodKey::new(namespace, name));
            }
        }
        // Pods of lower priority that were promised the node look elsewhere.
        let promised = table.nominated(&found.nominated_node);
        let lower: Vec<PodKey> =
            promised.filter(|it| it.priority() < pod.priority()).map(|it| it.key.clone()).collect();
        lower.iter().for_each(|key| table.withdraw(key));
        pod.nominated_node = Some(found.nominated_node.clone());
        table.nominate(&pod, &found.nominated_node);
    }
    json!({"pod": name, "result": "Unschedulable", "attempts": attempts})
}

/// A decision as the recordings have an attempt.
#[must_use]
pub fn attempt(decision: &Decision) -> Value {
    let mut it = Map::new();
    let mut put = |name: &str, value: Value| it.insert(name.to_owned(), value);
    put("outcome", json!(decision.outcome));
    if let Some(refusal) = &decision.pre_filter_rejected {
        put("preFilterRejected", refused(refusal));
    }
    if let Some(names) = &decision.pre_filter_nodes {
        put("preFilterNodes", json!(names));
    }
    if decision.nominated_only {
        put("nominatedOnly", json!(true));
    }
    put("feasible", json!(decision.feasible().collect::<Vec<_>>()));
    let rejected =
        decision.nodes.iter().filter_map(|it| Some((it.node.clone(), refused(it.rejected.as_ref()?))));
    put("rejected", Value::Object(rejected.collect()));
    let scored = decision.nodes.iter().filter(|it| !it.scores.is_empty());
    let scores = scored.map(|it| {
        let weighted = it.scores.iter().map(|score| (score.plugin.to_owned(), json!(score.weighted)));
        (it.node.clone(), json!({"total": it.total, "weighted": weighted.collect::<Map<_, _>>()}))
    });
    put("scores", Value::Object(scores.collect()));
    put("ties", json!(decision.ties));
    put("node", json!(decision.node));
    let volume = |it: &crate::decision::VolumeBound| json!({"pvc": it.claim, "pv": it.volume, "provisioned": it.provisioned});
    put("volumes", decision.volumes.iter().map(volume).collect());
    if let Some(message) = &decision.message {
        put("message", json!(message));
        put("eventMessage", json!(decision.event_message()));
        put(
            "reason",
            json!(if decision.outcome == Outcome::Error { "SchedulerError" } else { "Unschedulable" }),
        );
    }
    if let Some(found) = &decision.preemption {
        put("preemption", preemption(found));
    }
    Value::Object(it)
}

fn refused(refusal: &Refusal) -> Value {
    json!({"plugin": refusal.plugin, "code": refusal.code, "reasons": refusal.reasons})
}

fn preemption(found: &Preemption) -> Value {
    let candidate = |it: &Candidate| json!({"node": it.node, "victims": it.victims, "numPDBViolations": it.pdb_violations});
    json!({"nominatedNode": found.nominated_node, "ties": found.ties, "victims": found.victims,
        "candidates": found.candidates.iter().map(candidate).collect::<Vec<_>>()})
}

/// A pod as the API server would have it.
fn defaulted(pod: Pod) -> Pod {
    let mut object = pod.into_object();
    apply_defaults(&mut object);
    object.get::<Pod>().cloned().unwrap_or_default()
}
