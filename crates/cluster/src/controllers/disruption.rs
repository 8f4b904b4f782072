//! How many pods of a budget may go at once?
//!
//! As many as are healthy beyond what the budget wants. Evictions ask for it; nothing else does.
//! Source: `pkg/controller/disruption/disruption.go`.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    ApiStatus, Kind, Object, Resource,
    k8s::{apps::v1::ReplicaSet, core::v1::Pod},
    label::Selector,
};
use serde_json::{Value, json};

use super::{controller_of, is_ready, manager, phase};
use crate::{Change, Controller, Key, Next, Store, Turn};

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
                let budgets =
                    store.objects(change.key.cluster, Kind::PodDisruptionBudget, Some(&change.key.namespace));
                budgets.for_each(|(key, _)| wake(key.clone()));
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(stored)) = turn.store().object(key).map(|object| (**object).clone()) else {
            return Ok(Next::Done);
        };
        let spec = stored.body.get("spec").cloned().unwrap_or_default();
        let pods = chosen(turn, &key.namespace, &spec);
        let healthy =
            pods.iter().filter(|pod| is_ready(pod) && pod.metadata.deletion_timestamp.is_none()).count();
        let (expected, desired) = expectation(turn, &key.namespace, &spec, &pods);
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
fn expectation(turn: &Turn<'_>, namespace: &str, spec: &Value, pods: &[Pod]) -> (i64, i64) {
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let part = |written: &Value, of: i64| match written {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (of * percent + 99).div_euclid(100)
        }
        number => number.as_i64().unwrap_or(0),
    };
    if let Some(most) = spec.get("maxUnavailable") {
        let expected = scale(turn, namespace, pods);
        return (expected, (expected - part(most, expected)).max(0));
    }
    match spec.get("minAvailable") {
        Some(least @ Value::String(_)) => {
            let expected = scale(turn, namespace, pods);
            (expected, part(least, expected))
        }
        Some(least) => (count, part(least, count)),
        None => (count, 0),
    }
}

/// What the controllers of these pods want, each counted once.
fn scale(turn: &Turn<'_>, namespace: &str, pods: &[Pod]) -> i64 {
    let owners: BTreeSet<(String, String)> = pods
        .iter()
        .filter_map(|pod| controller_of(&pod.metadata))
        .map(|owner| (owner.kind.clone(), owner.name.clone()))
        .collect();
    let mut seen = BTreeSet::new();
    let mut wanted = 0;
    for (kind, name) in owners {
        let kinds = [Kind::ReplicaSet, Kind::StatefulSet, Kind::ReplicationController];
        let Some(kind) = kinds.into_iter().find(|it| it.info().kind == kind) else { continue };
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
    wanted
}
