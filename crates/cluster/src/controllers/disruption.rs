//! How many pods of a budget may go at once?
//!
//! As many as are healthy beyond what the budget wants. Evictions ask for it; nothing else does.
//! Source: `pkg/controller/disruption/disruption.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    ApiStatus, Kind, Object, Resource, Stored,
    k8s::{apps::v1::ReplicaSet, core::v1::Pod},
    label::Selector,
};
use serde_json::{Value, json};

use super::{controller_of, is_ready, manager, phase};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn, apiserver::reference};

/// The controller.
pub(crate) struct DisruptionController;

impl Controller for DisruptionController {
    fn name(&self) -> &'static str {
        "disruption-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::PodDisruptionBudget if change.after.is_some() => wake(change.key.clone()),
            Kind::Pod => {
                let Some(pod) = change.after.as_ref().or(change.before.as_ref()) else { return };
                match budgets_of(store, &change.key, pod).as_slice() {
                    [] => {}
                    [_, _, ..] if change.after.is_some() => wake(change.key.clone()),
                    [first, ..] => wake(first.clone()),
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if key.kind == Kind::Pod {
            let Some(pod) = turn.store().object(key).cloned() else { return Ok(Next::Done) };
            let budgets = budgets_of(turn.store(), key, &pod);
            let Some(first) = budgets.first() else { return Ok(Next::Done) };
            if budgets.len() > 1 {
                let message = format!(
                    "Pod {:?}/{:?} matches multiple PodDisruptionBudgets.  Chose {:?} arbitrarily.",
                    &*key.namespace, &*key.name, &*first.name
                );
                event(turn, &pod, EventType::Warning, "MultiplePodDisruptionBudgets", &message);
            }
            return self.reconcile(turn, first);
        }
        let Some(Object::Stored(stored)) = turn.store().object(key).map(|object| (**object).clone()) else {
            return Ok(Next::Done);
        };
        let spec = stored.body.get("spec").cloned().unwrap_or_default();
        let pods = chosen(turn, &key.namespace, &spec);
        let healthy =
            pods.iter().filter(|pod| is_ready(pod) && pod.metadata.deletion_timestamp.is_none()).count();
        let about = Object::Stored(stored.clone());
        if pods.is_empty() {
            event(turn, &about, EventType::Normal, "NoPods", "No matching pods found");
        }
        let (expected, desired) = match expectation(turn, &key.namespace, &spec, &pods) {
            Ok(expectation) => expectation,
            Err(why) => {
                let message = format!("Failed to calculate the number of expected pods: {why}");
                event(turn, &about, EventType::Warning, "CalculateExpectedPodCountFailed", &message);
                fail(turn, *stored, &why)?;
                return Ok(Next::Done);
            }
        };
        let counts_sets = spec.get("maxUnavailable").is_some() || spec["minAvailable"].is_string();
        if counts_sets && pods.iter().any(|pod| controller_of(&pod.metadata).is_none()) {
            event(turn, &about, EventType::Warning, "UnmanagedPods", &unmanaged(&spec["selector"]));
        }
        let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
        let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
        let had = stored.body.get("status").cloned().unwrap_or_default();
        let (word, reason) =
            if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
        let same = had.pointer("/conditions/0/status").and_then(Value::as_str) == Some(word);
        let since = had.pointer("/conditions/0/lastTransitionTime").filter(|_| same).cloned();
        let since = since.unwrap_or_else(|| serde_json::to_value(turn.stamp()).unwrap_or_default());
        let generation = stored.metadata.generation;
        let status = json!({
            "conditions": [{"type": "DisruptionAllowed", "status": word, "reason": reason, "message": "",
                "lastTransitionTime": since, "observedGeneration": generation}],
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": generation,
        });
        if status != had {
            let mut stored = stored;
            stored.body.insert("status".to_owned(), status);
            turn.update_status_object(Object::Stored(stored))?;
        }
        Ok(Next::Done)
    }
}

/// The controller speaks under the name that its client has.
fn event(turn: &mut Turn<'_>, about: &Object, how: EventType, reason: &str, message: &str) {
    turn.event_from("controllermanager", "", &reference(about), how, reason, message);
}

/// The budgets that choose a pod. UPSTREAM: a change of the pod is told to one of them alone, and that is nearly always the
/// one that was there first.
fn budgets_of(store: &Store, at: &Key, pod: &Object) -> Vec<Key> {
    let nothing = BTreeMap::new();
    let labels = pod.meta().labels.as_ref().unwrap_or(&nothing);
    let chooses = |budget: &Object| match budget {
        Object::Stored(stored) => {
            let selector = stored.body.get("spec").and_then(|spec| spec.get("selector")).cloned();
            let selector = selector.and_then(|it| serde_json::from_value(it).ok());
            let selector = selector.and_then(|it| Selector::from_label_selector(&it).ok());
            selector.is_some_and(|it| !it.is_empty() && it.matches(labels))
        }
        _ => false,
    };
    let all = store.objects(at.cluster, Kind::PodDisruptionBudget, Some(&at.namespace));
    let mut found: Vec<_> = all
        .filter(|(_, budget)| chooses(budget))
        .map(|(key, budget)| (budget.meta().creation_timestamp.clone(), key.clone()))
        .collect();
    found.sort();
    found.into_iter().map(|(_, key)| key).collect()
}

/// Writes that nothing may be disrupted, for it is not known how much there should be.
fn fail(turn: &mut Turn<'_>, mut stored: Stored, why: &str) -> Result<(), ApiStatus> {
    let had = stored.body.get("status").cloned().unwrap_or_default();
    let same = had.pointer("/conditions/0/status").and_then(Value::as_str) == Some("False");
    let since = had.pointer("/conditions/0/lastTransitionTime").filter(|_| same).cloned();
    let since = since.unwrap_or_else(|| serde_json::to_value(turn.stamp()).unwrap_or_default());
    let mut condition = json!({"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed",
        "message": why, "lastTransitionTime": since});
    let observed = had.get("observedGeneration").cloned();
    if let Some(observed) = observed.clone() {
        condition["observedGeneration"] = observed;
    }
    let mut status = json!({"currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0});
    if let (Some(status), Some(had)) = (status.as_object_mut(), had.as_object()) {
        status.extend(had.clone());
    }
    status["disruptionsAllowed"] = json!(0);
    status["conditions"] = json!([condition]);
    if status != had {
        stored.body.insert("status".to_owned(), status);
        turn.update_status_object(Object::Stored(Box::new(stored)))?;
    }
    Ok(())
}

/// What is said of pods that nobody manages, where a share of what their managers want is asked for.
fn unmanaged(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels: String =
        labels.map(|(key, value)| format!("{key}: {},", value.as_str().unwrap_or_default())).collect();
    let expressions = selector["matchExpressions"].as_array().into_iter().flatten().map(|it| {
        let values: Vec<&str> =
            it["values"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let text = |field: &str| it[field].as_str().unwrap_or_default();
        format!("{{{} {} [{}]}},", text("key"), text("operator"), values.join(" "))
    });
    let expressions: String = expressions.collect();
    let selector = format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{labels}}},MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    );
    format!(
        "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to an integer value."
    )
}

fn chosen(turn: &Turn<'_>, namespace: &str, spec: &Value) -> Vec<Pod> {
    let selector = spec.get("selector").cloned().and_then(|it| serde_json::from_value(it).ok());
    let Some(selector) = selector.and_then(|it| Selector::from_label_selector(&it).ok()) else {
        return Vec::new();
    };
    let nothing = BTreeMap::new();
    let pods = turn.list::<Pod>(Some(namespace)).filter(|pod| !matches!(phase(pod), "Succeeded" | "Failed"));
    pods.filter(|pod| selector.matches(pod.metadata.labels.as_ref().unwrap_or(&nothing))).cloned().collect()
}

/// How many pods there should be, and how many of them have to stay.
fn expectation(turn: &Turn<'_>, namespace: &str, spec: &Value, pods: &[Pod]) -> Result<(i64, i64), String> {
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let part = |written: &Value, of: i64| match written {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (of * percent + 99).div_euclid(100)
        }
        number => number.as_i64().unwrap_or(0),
    };
    if let Some(most) = spec.get("maxUnavailable") {
        let expected = scale(turn, namespace, pods)?;
        return Ok((expected, (expected - part(most, expected)).max(0)));
    }
    Ok(match spec.get("minAvailable") {
        Some(least @ Value::String(_)) => {
            let expected = scale(turn, namespace, pods)?;
            (expected, part(least, expected))
        }
        Some(least) => (count, part(least, count)),
        None => (count, 0),
    })
}

/// What the controllers of these pods want, each counted once.
/// # Errors
/// The controller's sentence about one that has no scale.
fn scale(turn: &Turn<'_>, namespace: &str, pods: &[Pod]) -> Result<i64, String> {
    let owners: BTreeSet<(String, String, String)> = pods
        .iter()
        .filter_map(|pod| controller_of(&pod.metadata))
        .map(|owner| (owner.api_version.clone(), owner.kind.clone(), owner.name.clone()))
        .collect();
    let mut seen = BTreeSet::new();
    let mut wanted = 0;
    for (version, kind, name) in owners {
        let kinds = [Kind::ReplicaSet, Kind::StatefulSet, Kind::ReplicationController];
        let Some(kind) = kinds.into_iter().find(|it| it.info().kind == kind) else {
            match Kind::of_manifest(&version, &kind) {
                Some(kind) => {
                    return Err(format!(
                        "{} does not implement the scale subresource",
                        kind.info().resource()
                    ));
                }
                None => continue,
            }
        };
        let mut key = turn.key(kind, namespace, &name);
        // Pods of one Deployment may be of several sets.
        if let Some(set) = turn.get::<ReplicaSet>(namespace, &name).filter(|_| kind == Kind::ReplicaSet)
            && let Some(owner) = manager(&set.clone().into_object(), Kind::Deployment)
        {
            key = turn.key(Kind::Deployment, namespace, &owner.name);
        }
        if seen.insert(key.clone()) {
            let object = turn.store().object(&key).map(|object| object.to_value());
            wanted += object.and_then(|it| it.pointer("/spec/replicas").and_then(Value::as_i64)).unwrap_or(0);
        }
    }
    Ok(wanted)
}
