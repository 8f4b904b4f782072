//! `describe` for a kind without a describer of its own: every field by name.
//!
//! Source: kubectl `pkg/describe/describe.go` (`genericDescriber`, `printUnstructuredContent`).

use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::field::{namespace, text};

pub(super) fn object(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", text(o, "metadata.name")));
    w.line(0, format!("Namespace:\t{}", namespace(o)));
    template::marks(&mut w, o);
    w.line(0, format!("API Version:\t{}", text(o, "apiVersion")));
    w.line(0, format!("Kind:\t{}", text(o, "kind")));
    let mut rest = o.clone();
    if let Some(meta) = rest.get_mut("metadata").and_then(Value::as_object_mut) {
        for gone in ["name", "namespace", "labels", "annotations", "managedFields"] {
            meta.remove(gone);
        }
    }
    if let Value::Object(fields) = &mut rest {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    content(&mut w, 0, &rest);
    template::close(w, events)
}

fn content(w: &mut Writer, level: usize, value: &Value) {
    let Value::Object(fields) = value else { return };
    for (key, value) in fields {
        let title = words(key);
        match value {
            Value::Object(_) => {
                w.line(level, format!("{title}:"));
                content(w, level + 1, value);
            }
            Value::Array(items) => {
                w.line(level, format!("{title}:"));
                for item in items {
                    match item {
                        Value::Object(_) => content(w, level + 1, item),
                        other => w.line(level + 1, scalar(other)),
                    }
                }
            }
            other => w.line(level, format!("{title}:\t{}", scalar(other))),
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// `podSelector` as `Pod Selector`, `clusterIP` as `Cluster IP`.
fn words(key: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = key.chars().collect();
    for (i, c) in chars.iter().enumerate() {
        let begins = c.is_uppercase()
            && i > 0
            && (!chars[i - 1].is_uppercase() || chars.get(i + 1).is_some_and(|n| n.is_lowercase()));
        if begins {
            out.push(' ');
        }
        if i == 0 { out.extend(c.to_uppercase()) } else { out.push(*c) }
    }
    out
}
