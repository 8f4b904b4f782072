//! Is a manifest of the form that its kind's schema gives?
//!
//! Asked before anything is merged. Only the form counts: what stands in a text or a number is validation's.
//! Source: structured-merge-diff `typed/{validate,helpers}.go`.

use serde_json::Value;

use super::{
    set::shown,
    shape::{Form, Listed, Shape},
    walk::{DEEPEST, step},
};

/// What does not fit, as messages write it: `.spec.replica: field not declared in schema`; empty if all fits.
pub(super) fn misfits(shape: Shape<'_>, manifest: &Value) -> Vec<String> {
    let mut out = Vec::new();
    look(shape, manifest, "", &mut out);
    out
}

fn look(shape: Shape<'_>, value: &Value, path: &str, out: &mut Vec<String>) {
    let say = |what: String, out: &mut Vec<String>| {
        out.push(if path.is_empty() { what } else { format!("{path}: {what}") });
    };
    if value.is_null() || path.len() > DEEPEST * 64 {
        return;
    }
    match shape.form() {
        Form::Any => {}
        Form::Fields { closed } => {
            let Some(fields) = value.as_object() else {
                return say(format!("expected map, got {}", boxed(value)), out);
            };
            for (name, value) in fields {
                let (own, is_named) = shape.field(name, path.is_empty());
                let at = format!("{path}.{name}");
                if closed && !is_named {
                    out.push(format!("{at}: field not declared in schema"));
                } else {
                    look(own, value, &at, out);
                }
            }
        }
        Form::List => {
            let Some(items) = value.as_array() else {
                return say(format!("expected list, got {}", boxed(value)), out);
            };
            items_of(shape, items, path, out);
        }
        Form::Text if !value.is_string() => {
            say(format!("expected string, got &value.valueUnstructured{{Value:{}}}", syntax(value)), out);
        }
        Form::Number if !value.is_number() => {
            say(format!("expected numeric (int or float), got {}", type_of(value)), out);
        }
        Form::Boolean if !value.is_boolean() => {
            say(format!("expected boolean, got {}", boxed(value)), out);
        }
        Form::Text | Form::Number | Form::Boolean => {}
    }
}

fn items_of(shape: Shape<'_>, items: &[Value], path: &str, out: &mut Vec<String>) {
    let listed = shape.listed();
    let mut seen: Vec<String> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if let Some(why) = unkeyed(&listed, item) {
            // UPSTREAM: such an item has no path, so nothing is said of those after it.
            return out.push(format!("{path}: element {at}: {why}"));
        }
        let key = step(&listed, item).unwrap_or_else(|| format!("i:{at}"));
        if seen.contains(&key) {
            out.push(format!("{path}: duplicate entries for key {}", shown(&key)));
        }
        look(shape.item(), item, &format!("{path}{}", shown(&key)), out);
        seen.push(key);
    }
}

/// Why an item cannot be told from others.
fn unkeyed(listed: &Listed, item: &Value) -> Option<String> {
    let text = match (listed, item) {
        (Listed::Whole, _) => return None,
        (Listed::Keys(_), Value::Null) => "associative list with keys may not have a null element",
        (Listed::Keys(keys), Value::Object(fields)) => {
            let has = keys.iter().any(|(name, default)| fields.contains_key(name) || default.is_some());
            let names: Vec<String> = keys.iter().map(|(name, _)| format!("{name:?}")).collect();
            return (!has).then(|| {
                format!(
                    "associative list with keys has an element that omits all key fields [{}] (and doesn't have \
                     default values for any key fields)",
                    names.join(" ")
                )
            });
        }
        (Listed::Keys(_), _) => "associative list with keys may not have non-map elements",
        (Listed::Values, Value::Object(_)) => {
            "associative list without keys has an element that's a map type"
        }
        (Listed::Values, Value::Array(_)) => "not supported: associative list with lists as elements",
        (Listed::Values, Value::Null) => {
            "associative list without keys has an element that's an explicit null"
        }
        (Listed::Values, _) => return None,
    };
    Some(text.to_owned())
}

/// `&{map[name:c]}`: a value in its box, as Go prints it.
fn boxed(value: &Value) -> String {
    format!("&{{{}}}", plain(value))
}

/// `map[name:c]`: Go's `%v`.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(name, value)| format!("{name}:{}", plain(value)));
            format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
        }
    }
}

/// `map[string]interface {}{"name":"c"}`: Go's `%#v`.
fn syntax(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(syntax).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(name, value)| format!("{name:?}:{}", syntax(value)));
            format!("map[string]interface {{}}{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Go's `%T`.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
