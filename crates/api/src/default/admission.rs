//! What does the API server write into a ValidatingAdmissionPolicy, its binding, and a configuration of webhooks?
//!
//! Source: `pkg/apis/admissionregistration/v1/defaults.go`.

use serde_json::{Map, Value, json};

use crate::{Kind, Stored};

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

/// What a configuration of webhooks leaves open.
pub(super) fn webhooks(stored: &mut Stored) {
    let is_mutating = stored.kind == Kind::MutatingWebhookConfiguration;
    let hooks = stored.body.get_mut("webhooks").and_then(Value::as_array_mut);
    for hook in hooks.into_iter().flatten().filter_map(Value::as_object_mut) {
        let mut or = |field: &str, value: Value| {
            hook.entry(field).or_insert(value);
        };
        or("failurePolicy", json!("Fail"));
        or("matchPolicy", json!("Equivalent"));
        or("namespaceSelector", json!({}));
        or("objectSelector", json!({}));
        or("timeoutSeconds", json!(10));
        if is_mutating {
            or("reinvocationPolicy", json!("Never"));
        }
        for rule in hook.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(rule) = rule {
                rule.entry("scope").or_insert_with(|| json!("*"));
            }
        }
        let service = hook.get_mut("clientConfig").and_then(|it| it.get_mut("service"));
        if let Some(Value::Object(service)) = service {
            service.entry("port").or_insert_with(|| json!(443));
        }
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
