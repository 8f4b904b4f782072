//! What does the API server write into a ValidatingAdmissionPolicy and its binding?
//!
//! Source: `pkg/apis/admissionregistration/v1/defaults.go`.

use serde_json::{Map, Value, json};

use crate::Stored;

/// What a policy leaves open.
pub(super) fn policy(stored: &mut Stored) {
    let Some(Value::Object(spec)) = stored.body.get_mut("spec") else { return };
    spec.entry("failurePolicy").or_insert_with(|| json!("Fail"));
    if let Some(Value::Object(rules)) = spec.get_mut("matchConstraints") {
        match_resources(rules);
    }
}

/// What a binding leaves open.
pub(super) fn binding(stored: &mut Stored) {
    let Some(Value::Object(spec)) = stored.body.get_mut("spec") else { return };
    if let Some(Value::Object(rules)) = spec.get_mut("matchResources") {
        match_resources(rules);
    }
}

fn match_resources(rules: &mut Map<String, Value>) {
    rules.entry("matchPolicy").or_insert_with(|| json!("Equivalent"));
    rules.entry("namespaceSelector").or_insert_with(|| json!({}));
    rules.entry("objectSelector").or_insert_with(|| json!({}));
    for list in ["resourceRules", "excludeResourceRules"] {
        for rule in rules.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(rule) = rule {
                rule.entry("scope").or_insert_with(|| json!("*"));
            }
        }
    }
}
