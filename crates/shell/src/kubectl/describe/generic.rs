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
    let mut rest = o.clone();
    if let Some(meta) = rest.get_mut("metadata").and_then(Value::as_object_mut) {
        for gone in ["name", "namespace", "labels", "annotations", "managedFields"] {
            meta.remove(gone);
        }
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

/// `podSelector` as `Pod Selector`, `clusterIPs` as `Cluster I Ps`.
///
/// UPSTREAM: words are cut as fatih/camelcase cuts them, and only these acronyms are known.
fn words(key: &str) -> String {
    if key.chars().any(|c| !c.is_alphabetic() && c != '-') {
        return key.to_owned();
    }
    let title = |part: &String| match part.to_uppercase() {
        upper if matches!(upper.as_str(), "API" | "URL" | "UID" | "OSB" | "GUID") => upper,
        _ => {
            let mut letters = part.chars();
            letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
        }
    };
    camel(key).iter().map(title).collect::<Vec<_>>().join(" ")
}

/// Runs of small letters, of capitals, and of the rest; the last capital of a run begins the small ones after it.
fn camel(key: &str) -> Vec<String> {
    let class = |c: char| {
        if c.is_lowercase() {
            1
        } else if c.is_uppercase() {
            2
        } else {
            3
        }
    };
    let mut runs: Vec<String> = Vec::new();
    let mut last = 0;
    for c in key.chars() {
        match runs.last_mut() {
            Some(run) if class(c) == last => run.push(c),
            _ => runs.push(c.to_string()),
        }
        last = class(c);
    }
    for i in 1..runs.len() {
        let capitals = runs[i - 1].chars().next().is_some_and(char::is_uppercase);
        if capitals
            && runs[i].chars().next().is_some_and(char::is_lowercase)
            && let Some(c) = runs[i - 1].pop()
        {
            runs[i].insert(0, c);
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_become_words() {
        for (key, wanted) in [
            ("apiVersion", "API Version"),
            ("podSelector", "Pod Selector"),
            ("uid", "UID"),
            ("clusterIP", "Cluster IP"),
            ("clusterIPs", "Cluster I Ps"),
            ("f:status", "f:status"),
        ] {
            assert_eq!(words(key), wanted);
        }
    }
}
