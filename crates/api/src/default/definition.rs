//! What does the API server write into a CustomResourceDefinition?
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/v1/defaults.go`, `pkg/registry/customresourcedefinition/strategy.go`.

use serde_json::{Value, json};

use crate::Stored;

/// The names that follow from others, and that nothing is converted.
pub(super) fn definition(stored: &mut Stored) {
    let Some(Value::Object(spec)) = stored.body.get_mut("spec") else { return };
    spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
    let Some(Value::Object(names)) = spec.get_mut("names") else { return };
    let kind = names.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_blank = |names: &serde_json::Map<String, Value>, name: &str| {
        names.get(name).and_then(Value::as_str).unwrap_or_default().is_empty()
    };
    if is_blank(names, "singular") {
        names.insert("singular".to_owned(), kind.to_lowercase().into());
    }
    if is_blank(names, "listKind") && !kind.is_empty() {
        names.insert("listKind".to_owned(), format!("{kind}List").into());
    }
}

/// The status of a new definition: nothing but the version that will be stored.
pub(super) fn of_new(stored: &mut Stored) {
    let versions = stored.body.get("spec").and_then(|spec| spec["versions"].as_array());
    let kept: Vec<Value> = versions
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let status = json!({
        "conditions": null,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": kept,
    });
    stored.body.insert("status".to_owned(), status);
}
