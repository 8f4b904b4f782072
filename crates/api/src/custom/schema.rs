//! What of an object does a structural schema know, and what does it add?
//!
//! Source: apiextensions-apiserver `pkg/apiserver/schema/{pruning,defaulting}/algorithm.go`.

use serde_json::{Map, Value};

const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

fn on(schema: &Value, extension: &str) -> bool {
    schema[extension] == true
}

/// The schema of a field of an object at `path`, and where it is.
pub(super) fn field<'s>(schema: &'s Value, path: &str, name: &str) -> (&'s Value, String) {
    match schema["properties"].get(name) {
        Some(own) if path.is_empty() => (own, name.to_owned()),
        Some(own) => (own, format!("{path}.{name}")),
        None => (&schema["additionalProperties"], format!("{path}[{name}]")),
    }
}

/// The schema of a field; `Some(Null)` for one that may hold anything known to nobody.
fn of_field<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    match schema["properties"].get(name) {
        Some(own) => Some(own),
        None => match schema.get("additionalProperties") {
            None | Some(Value::Null | Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(&Value::Null),
            Some(every) => Some(every),
        },
    }
}

/// Drops the fields that the schema does not know; their paths in order.
pub(super) fn prune(object: &mut Value, schema: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    if let Value::Object(fields) = object
        && !schema.is_null()
    {
        let kept: Vec<(String, Value)> =
            META.iter().filter_map(|name| Some(((*name).to_owned(), fields.remove(*name)?))).collect();
        walk(object, Some(schema), "", &mut unknown);
        if let Value::Object(fields) = object {
            fields.extend(kept);
        }
    }
    unknown.sort();
    unknown
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn walk(value: &mut Value, schema: Option<&Value>, path: &str, unknown: &mut Vec<String>) {
    let schema = schema.filter(|schema| schema.is_object());
    let keeps = schema.is_some_and(|schema| on(schema, "x-kubernetes-preserve-unknown-fields"));
    match value {
        Value::Object(fields) => {
            let mut gone = Vec::new();
            for (name, value) in fields.iter_mut() {
                let is_meta = schema.is_some_and(|schema| on(schema, "x-kubernetes-embedded-resource"))
                    && META.contains(&name.as_str());
                if is_meta {
                    continue;
                }
                match schema.and_then(|schema| of_field(schema, name)) {
                    Some(own) => walk(value, Some(own), &below(path, name), unknown),
                    None if keeps => {}
                    None => gone.push(name.clone()),
                }
            }
            for name in gone {
                fields.remove(&name);
                unknown.push(below(path, &name));
            }
        }
        Value::Array(items) => {
            let of_item = schema.and_then(|schema| schema.get("items"));
            if keeps && of_item.is_none() {
                return;
            }
            for (at, item) in items.iter_mut().enumerate() {
                walk(item, of_item, &format!("{path}[{at}]"), unknown);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Fills in the defaults, from the outside in; a `null` that the schema does not allow counts as nothing.
pub(super) fn fill(value: &mut Value, schema: &Value) {
    match value {
        Value::Object(fields) => {
            fill_fields(fields, schema);
            for (name, value) in fields.iter_mut() {
                if let Some(own) = of_field(schema, name) {
                    fill(value, own);
                }
            }
        }
        Value::Array(items) => {
            if let Some(of_item) = schema.get("items") {
                for item in items {
                    fill(item, of_item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fill_fields(fields: &mut Map<String, Value>, schema: &Value) {
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        let Some(default) = own.get("default").filter(|default| !default.is_null()) else { continue };
        let is_missing = match fields.get(name) {
            None => true,
            Some(Value::Null) => own["nullable"] != true,
            Some(_) => false,
        };
        if is_missing {
            fields.insert(name.clone(), default.clone());
        }
    }
}

/// Whether a rule in CEL stands anywhere in the schema.
pub(super) fn has_rules(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            fields.contains_key("x-kubernetes-validations") || fields.values().any(has_rules)
        }
        Value::Array(items) => items.iter().any(has_rules),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(schema: Value, mut object: Value) -> (Value, Vec<String>) {
        let unknown = prune(&mut object, &schema);
        fill(&mut object, &schema);
        (object, unknown)
    }

    #[test]
    fn what_the_schema_does_not_know_is_dropped_and_named() {
        let schema = json!({"type": "object", "properties": {
            "spec": {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "object", "properties": {"a": {}}}}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "map": {"type": "object", "additionalProperties": {"type": "string"}}}});
        let object = json!({"kind": "X", "metadata": {"name": "x"}, "zap": 1, "free": {"z": {"y": 1}}, "map": {"any": "1"},
            "spec": {"list": [{"a": 1, "b": 2}], "extra": {"deep": 1}}});
        let (object, unknown) = read(schema, object);
        assert_eq!(unknown, ["spec.extra", "spec.list[0].b", "zap"]);
        let left = json!({"kind": "X", "metadata": {"name": "x"}, "free": {"z": {"y": 1}}, "map": {"any": "1"}, "spec": {"list": [{"a": 1}]}});
        assert_eq!(object, left);
    }

    #[test]
    fn defaults_are_filled_from_the_outside_in() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "default": {}, "properties": {
            "size": {"type": "integer", "default": 3}, "none": {"type": "string", "nullable": true, "default": "x"}}}}});
        assert_eq!(read(schema.clone(), json!({})).0, json!({"spec": {"size": 3, "none": "x"}}));
        let half = json!({"spec": {"size": null, "none": null}});
        assert_eq!(read(schema, half).0, json!({"spec": {"size": 3, "none": null}}));
    }
}
