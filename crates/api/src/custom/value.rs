//! Does an object keep to its schema, and in whose words does it not?
//!
//! The words are those of kube-openapi's validators (`spec.size in body should be greater than or equal to 1`), carried in causes
//! as the API server carries them. After an update, what was wrong before and did not change is let be.
//! Source: kube-openapi `pkg/validation/{validate,errors}`, apiextensions-apiserver `pkg/apiserver/validation`,
//! `pkg/apiserver/schema/listtype`.

use regex::Regex;
use serde_json::Value;

use super::{format, schema::field};
use crate::{Cause, validate::shown};

/// Causes after which rules in CEL are not asked any more.
pub struct Blocked;

impl Blocked {
    /// Whether one of the causes is of that sort.
    #[must_use]
    pub fn by(causes: &[Cause]) -> bool {
        const REASONS: [&str; 5] = [
            "FieldValueNotSupported",
            "FieldValueRequired",
            "FieldValueTooLong",
            "FieldValueTooMany",
            "FieldValueTypeInvalid",
        ];
        causes.iter().any(|cause| REASONS.contains(&cause.reason.as_str()))
    }
}

/// How deep objects are followed.
const DEEPEST: usize = 64;

/// Everything that the schema holds against `object`.
pub(super) fn check(schema: &Value, old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let mut out = Vec::new();
    if schema.is_object() {
        one(schema, old, object, "", 0, &mut out);
        let repeated = |object: &Value| {
            let mut found = Vec::new();
            lists(schema, object, "", 0, &mut found);
            found
        };
        if old.is_none_or(|old| repeated(old).is_empty()) {
            out.extend(repeated(object));
        }
    }
    out
}

fn cause(reason: &str, path: &str, message: String) -> Cause {
    let field = path.strip_prefix('.').unwrap_or(path);
    let field = if field.is_empty() { "<nil>" } else { field };
    Cause { reason: format!("FieldValue{reason}"), message, field: field.to_owned() }
}

fn invalid(path: &str, value: &Value, words: &str) -> Cause {
    cause("Invalid", path, format!("Invalid value: {}: {words}", shown(value)))
}

/// A cause whose own words say where it is.
fn placeless(words: &str) -> Cause {
    Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: \"\": {words}"),
        field: "<nil>".to_owned(),
    }
}

/// The type of a value in JSON schema's words.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_whole(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn one(schema: &Value, old: Option<&Value>, value: &Value, path: &str, depth: usize, out: &mut Vec<Cause>) {
    if depth > DEEPEST || old == Some(value) {
        return;
    }
    of_type(schema, value, path, out);
    if value.is_null() {
        of_enum(schema, value, path, out);
        return;
    }
    junctors(schema, value, path, depth, out);
    match value {
        Value::String(text) => of_text(schema, text, path, out),
        Value::Number(_) => of_number(schema, value, path, out),
        Value::Array(items) => of_list(schema, old, items, path, depth, out),
        Value::Null | Value::Bool(_) | Value::Object(_) => {}
    }
    of_enum(schema, value, path, out);
    if let Value::Object(fields) = value {
        of_fields(schema, old, fields, path, depth, out);
    }
}

fn of_type(schema: &Value, value: &Value, path: &str, out: &mut Vec<Cause>) {
    let wanted: Vec<&str> = if schema["x-kubernetes-int-or-string"] == true {
        vec!["integer", "string"]
    } else {
        schema["type"].as_str().into_iter().collect()
    };
    if wanted.is_empty() || (value.is_null() && schema["nullable"] == true) {
        return;
    }
    let is = type_of(value);
    let fits = wanted.contains(&is)
        || (is == "integer" && wanted.contains(&"number"))
        || (is == "number" && wanted.contains(&"integer") && is_whole(value));
    if !fits {
        let words = format!("{path} in body must be of type {}: \"{is}\"", wanted.join(","));
        out.push(cause("TypeInvalid", path, format!("Invalid value: \"{is}\": {words}")));
    }
}

fn of_enum(schema: &Value, value: &Value, path: &str, out: &mut Vec<Cause>) {
    let Some(allowed) = schema["enum"].as_array().filter(|allowed| !allowed.is_empty()) else { return };
    if allowed.contains(value) {
        return;
    }
    let listed: Vec<String> = allowed
        .iter()
        .map(|it| match it {
            Value::String(_) => shown(it),
            other => format!("\"{other}\""),
        })
        .collect();
    let message = format!("Unsupported value: {}: supported values: {}", shown(value), listed.join(", "));
    out.push(cause("NotSupported", path, message));
}

fn of_text(schema: &Value, text: &str, path: &str, out: &mut Vec<Cause>) {
    let letters = text.chars().count() as u64;
    let value = Value::String(text.to_owned());
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    // UPSTREAM: of length and pattern only the first that fails is said.
    if let Some(most) = schema["maxLength"].as_u64().filter(|most| letters > *most) {
        out.push(cause("TooLong", path, format!("Too long: may not be more than {most} bytes")));
    } else if let Some(least) = schema["minLength"].as_u64().filter(|least| letters < *least) {
        let words = format!("{path} in body should be at least {least} chars long");
        out.push(invalid(path, &value, &words));
    } else if !pattern.is_empty() && Regex::new(pattern).is_ok_and(|pattern| !pattern.is_match(text)) {
        out.push(invalid(path, &value, &format!("{path} in body should match '{pattern}'")));
    }
    let format = schema["format"].as_str().unwrap_or_default();
    if !format::is(format, text) {
        let words = format!("{path} in body must be of type {format}: {}", shown(&value));
        out.push(cause("TypeInvalid", path, format!("Invalid value: {}: {words}", shown(&value))));
    }
}

/// A bound as Go prints it: whole for whole values.
fn bound(limit: f64, value: &Value) -> String {
    if limit.fract() == 0.0 && limit.abs() < 1e21 || (value.is_i64() && limit.fract() == 0.0) {
        format!("{limit:.0}")
    } else {
        format!("{limit}")
    }
}

fn of_number(schema: &Value, value: &Value, path: &str, out: &mut Vec<Cause>) {
    let Some(number) = value.as_f64() else { return };
    if let Some(factor) = schema["multipleOf"].as_f64().filter(|factor| *factor > 0.0)
        && (number / factor).fract() != 0.0
    {
        let words = format!("{path} in body should be a multiple of {}", bound(factor, value));
        out.push(invalid(path, value, &words));
    }
    let is_exclusive = |name: &str| schema[name] == true;
    if let Some(least) = schema["minimum"].as_f64() {
        let exclusive = is_exclusive("exclusiveMinimum");
        if number < least || (exclusive && number <= least) {
            let how = if exclusive { "greater than" } else { "greater than or equal to" };
            let words = format!("{path} in body should be {how} {}", bound(least, value));
            out.push(invalid(path, value, &words));
        }
    }
    if let Some(most) = schema["maximum"].as_f64() {
        let exclusive = is_exclusive("exclusiveMaximum");
        if number > most || (exclusive && number >= most) {
            let how = if exclusive { "less than" } else { "less than or equal to" };
            let words = format!("{path} in body should be {how} {}", bound(most, value));
            out.push(invalid(path, value, &words));
        }
    }
}

fn of_list(
    schema: &Value,
    old: Option<&Value>,
    items: &[Value],
    path: &str,
    depth: usize,
    out: &mut Vec<Cause>,
) {
    if let Some(of_item) = schema.get("items").filter(|it| it.is_object()) {
        for (at, item) in items.iter().enumerate() {
            let before = old.and_then(|old| same_item(schema, old, item));
            one(of_item, before, item, &format!("{path}[{at}]"), depth + 1, out);
        }
    }
    let count = items.len() as u64;
    if let Some(least) = schema["minItems"].as_u64().filter(|least| count < *least) {
        let words = format!("{path} in body should have at least {least} items");
        out.push(invalid(path, &count.into(), &words));
    }
    if let Some(most) = schema["maxItems"].as_u64().filter(|most| count > *most) {
        out.push(too_many(path, count, most));
    }
}

fn too_many(path: &str, count: u64, most: u64) -> Cause {
    let items = if most == 1 { "item" } else { "items" };
    cause("TooMany", path, format!("Too many: {count}: must have at most {most} {items}"))
}

/// The item that `item` was before, where its list says which keys tell.
fn same_item<'o>(schema: &Value, old: &'o Value, item: &Value) -> Option<&'o Value> {
    if schema["x-kubernetes-list-type"] != "map" {
        return None;
    }
    let keys = schema["x-kubernetes-list-map-keys"].as_array()?;
    let is_same = |it: &&Value| keys.iter().filter_map(Value::as_str).all(|key| it[key] == item[key]);
    old.as_array()?.iter().find(is_same)
}

fn of_fields(
    schema: &Value,
    old: Option<&Value>,
    fields: &serde_json::Map<String, Value>,
    path: &str,
    depth: usize,
    out: &mut Vec<Cause>,
) {
    let count = fields.len() as u64;
    if let Some(least) = schema["minProperties"].as_u64().filter(|least| count < *least) {
        let words = format!("{path} in body should have at least {least} properties");
        out.push(invalid(path, &count.into(), &words));
    }
    if let Some(most) = schema["maxProperties"].as_u64().filter(|most| count > *most) {
        out.push(too_many(path, count, most));
    }
    let own = schema["properties"].as_object();
    let every = schema.get("additionalProperties").filter(|it| it.is_object());
    for (name, value) in fields {
        let before = old.and_then(|old| old.get(name));
        match own.and_then(|own| own.get(name)) {
            Some(field) => {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                one(field, before, value, &below, depth + 1, out);
            }
            None => {
                if let Some(every) = every {
                    one(every, before, value, &format!("{path}.{name}"), depth + 1, out);
                }
            }
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            out.push(cause("Required", &format!("{path}.{name}"), "Required value".to_owned()));
        }
    }
}

/// `anyOf`, `oneOf`, `allOf`, `not`.
fn junctors(schema: &Value, value: &Value, path: &str, depth: usize, out: &mut Vec<Cause>) {
    let each = |name: &str| -> Vec<Vec<Cause>> {
        let schemas = schema[name].as_array().into_iter().flatten();
        let failures = schemas.map(|schema| {
            let mut found = Vec::new();
            one(schema, None, value, path, depth + 1, &mut found);
            found
        });
        failures.collect()
    };
    let any = each("anyOf");
    if !any.is_empty() && !any.iter().any(Vec::is_empty) {
        out.push(placeless(&format!("{path:?} must validate at least one schema (anyOf)")));
        out.extend(any.into_iter().next().unwrap_or_default());
    }
    let one_of = each("oneOf");
    let right = one_of.iter().filter(|failures| failures.is_empty()).count();
    if !one_of.is_empty() && right != 1 {
        let found = match right {
            0 => "Found none valid".to_owned(),
            _ => format!("Found {right} valid alternatives"),
        };
        out.push(placeless(&format!("{path:?} must validate one and only one schema (oneOf). {found}")));
        if right == 0 {
            out.extend(one_of.into_iter().next().unwrap_or_default());
        }
    }
    let all = each("allOf");
    let right = all.iter().filter(|failures| failures.is_empty()).count();
    if right != all.len() {
        let none = if right == 0 { ". None validated" } else { "" };
        out.extend(all.into_iter().flatten());
        out.push(placeless(&format!("{path:?} must validate all the schemas (allOf){none}")));
    }
    if let Some(not) = schema.get("not").filter(|not| not.is_object()) {
        let mut found = Vec::new();
        one(not, None, value, path, depth + 1, &mut found);
        if found.is_empty() {
            out.push(placeless(&format!("{path:?} must not validate the schema (not)")));
        }
    }
}

/// What lists hold twice that are sets, or maps by a key.
fn lists(schema: &Value, value: &Value, path: &str, depth: usize, out: &mut Vec<Cause>) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let (own, below) = field(schema, path, name);
                lists(own, value, &below, depth + 1, out);
            }
        }
        Value::Array(items) => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let key = |item: &Value| match (schema["x-kubernetes-list-type"].as_str(), keys) {
                (Some("set"), _) => Some(item.clone()),
                (Some("map"), Some(keys)) => Some(
                    keys.iter()
                        .filter_map(Value::as_str)
                        .filter_map(|key| Some((key.to_owned(), item.get(key)?.clone())))
                        .collect(),
                ),
                _ => None,
            };
            let mut seen: Vec<(Value, usize)> = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let Some(key) = key(item) else { break };
                match seen.iter_mut().find(|(had, _)| *had == key) {
                    None => seen.push((key, 1)),
                    Some((_, times)) => {
                        *times += 1;
                        // UPSTREAM: a third and later one is not named again.
                        if *times == 2 {
                            let message = format!("Duplicate value: {}", shown(&key));
                            out.push(cause("Duplicate", &format!("{path}[{at}]"), message));
                        }
                    }
                }
            }
            for (at, item) in items.iter().enumerate() {
                lists(&schema["items"], item, &format!("{path}[{at}]"), depth + 1, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
#[allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(schema: Value, spec: Value) -> String {
        let schema = json!({"type": "object", "properties": {"spec": schema}});
        let causes = check(&schema, None, &json!({"spec": spec}));
        causes.iter().map(|it| format!("{}: {}", it.field, it.message)).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn each_rule_speaks_as_kube_openapi_speaks() {
        for (schema, spec, words) in [
            (
                json!({"type": "integer", "minimum": 1}),
                json!(0),
                "spec: Invalid value: 0: spec in body should be greater than or equal to 1",
            ),
            (
                json!({"type": "integer", "maximum": 5, "exclusiveMaximum": true}),
                json!(5),
                "spec: Invalid value: 5: spec in body should be less than 5",
            ),
            (
                json!({"type": "integer"}),
                json!("2"),
                "spec: Invalid value: \"string\": spec in body must be of type integer: \"string\"",
            ),
            (
                json!({"type": "string", "enum": ["a", "b"]}),
                json!("z"),
                "spec: Unsupported value: \"z\": supported values: \"a\", \"b\"",
            ),
            (
                json!({"type": "string", "pattern": "^[a-z]+$"}),
                json!("A"),
                "spec: Invalid value: \"A\": spec in body should match '^[a-z]+$'",
            ),
            (
                json!({"type": "string", "minLength": 2}),
                json!("a"),
                "spec: Invalid value: \"a\": spec in body should be at least 2 chars long",
            ),
            (
                json!({"type": "string", "maxLength": 2}),
                json!("abc"),
                "spec: Too long: may not be more than 2 bytes",
            ),
            (
                json!({"type": "array", "maxItems": 1, "items": {"type": "string"}}),
                json!(["a", 1]),
                "spec[1]: Invalid value: \"integer\": spec[1] in body must be of type string: \"integer\" | spec: Too many: 2: must have at most 1 item",
            ),
            (
                json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}),
                json!({}),
                "spec.a: Required value",
            ),
            (
                json!({"x-kubernetes-int-or-string": true}),
                json!(true),
                "spec: Invalid value: \"boolean\": spec in body must be of type integer,string: \"boolean\"",
            ),
            (
                json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}),
                json!({"a": 1, "b": 1}),
                "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives",
            ),
            (
                json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"], "items": {"type": "object"}}),
                json!([{"n": "a"}, {"n": "a"}]),
                "spec[1]: Duplicate value: {\"n\":\"a\"}",
            ),
        ] {
            assert_eq!(said(schema, spec), words);
        }
    }

    #[test]
    fn what_was_wrong_before_and_did_not_change_is_let_be() {
        let schema = json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}, "b": {"type": "string"}}});
        let old = json!({"a": 1, "b": "x"});
        assert!(check(&schema, Some(&old), &json!({"a": 1, "b": "y"})).is_empty());
        assert_eq!(check(&schema, Some(&old), &json!({"a": 2, "b": "y"})).len(), 1);
    }
}
