//! Which rules does a ClusterRole have that is made of others?
//!
//! Those of every role that its selectors choose, selector by selector and by name, each rule once.
//! Source: `pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go`.

use api::{ApiStatus, Kind, Object, Stored, label::Selector, meta::LabelSelector};
use serde_json::Value;

use crate::{Change, Controller, Key, Next, Store, Turn};

/// The controller.
pub(crate) struct ClusterRoleAggregation;

impl Controller for ClusterRoleAggregation {
    fn name(&self) -> &'static str {
        "clusterrole-aggregation-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::ClusterRole {
            let roles = store.objects(change.key.cluster, Kind::ClusterRole, None);
            roles.filter(|(_, role)| !selectors(role).is_empty()).for_each(|(key, _)| wake(key.clone()));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(stored)) = turn.store().object(key).map(|object| (**object).clone()) else {
            return Ok(Next::Done);
        };
        let chosen = selectors(&Object::Stored(stored.clone()));
        if chosen.is_empty() {
            return Ok(Next::Done);
        }
        let mut rules: Vec<Value> = Vec::new();
        for selector in &chosen {
            for (at, role) in turn.store().objects(key.cluster, Kind::ClusterRole, None) {
                let labels = role.meta().labels.clone().unwrap_or_default();
                if at == key || !selector.matches(&labels) {
                    continue;
                }
                for rule in
                    body(role).and_then(|role| role.body.get("rules")?.as_array()).into_iter().flatten()
                {
                    if !rules.contains(rule) {
                        rules.push(rule.clone());
                    }
                }
            }
        }
        let had = stored.body.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if had != rules {
            let mut stored = stored;
            stored.body.insert("rules".to_owned(), Value::Array(rules));
            turn.update_object(Object::Stored(stored))?;
        }
        Ok(Next::Done)
    }
}

fn body(role: &Object) -> Option<&Stored> {
    match role {
        Object::Stored(stored) => Some(stored),
        _ => None,
    }
}

/// What an aggregated role is made of; none for any other.
fn selectors(role: &Object) -> Vec<Selector> {
    let rule = body(role).and_then(|role| role.body.get("aggregationRule"));
    let written = rule.and_then(|rule| rule.get("clusterRoleSelectors")?.as_array());
    let read = |value: &Value| {
        let selector: LabelSelector = serde_json::from_value(value.clone()).ok()?;
        Selector::from_label_selector(&selector).ok()
    };
    written.into_iter().flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use serde_json::json;

    use super::*;
    use crate::fixture::{cluster, create, delete, get, settle};

    fn role(name: &str, labels: &Value, more: (&str, &Value)) -> Value {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": name, "labels": labels}, more.0: more.1})
    }

    #[test]
    fn an_aggregated_role_has_the_rules_of_those_it_chooses_and_loses_them_again() {
        let mut world = cluster();
        let rule = json!([{"apiGroups": ["lab.example.com"], "resources": ["widgets"], "verbs": ["get"]}]);
        let made_of = json!({"clusterRoleSelectors": [{"matchLabels": {"to": "all"}}]});
        create(&mut world, role("whole", &json!({}), ("aggregationRule", &made_of))).unwrap();
        for name in ["a", "b"] {
            create(&mut world, role(name, &json!({"to": "all"}), ("rules", &rule))).unwrap();
        }
        settle(&mut world);
        let rules =
            |world: &mut _| get(world, Kind::ClusterRole, "whole").unwrap().to_value()["rules"].clone();
        assert_eq!(rules(&mut world), rule, "the same rule stands once");
        for name in ["a", "b"] {
            delete(&mut world, Kind::ClusterRole, name).unwrap();
        }
        settle(&mut world);
        assert_eq!(rules(&mut world), json!([]));
    }
}
