//! Which JSON patch turns one value into another?
//!
//! Source: RFC 6902. Entries that go from a list are removed from its end forwards; entries that come stand at its end.

use serde_json::{Value, json};

/// Operations that turn `before` into `after`, which both stand at `path`.
pub(super) fn patch(path: &str, before: &Value, after: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    compare(path, before, after, &mut operations);
    operations
}

fn compare(path: &str, before: &Value, after: &Value, out: &mut Vec<Value>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let at = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match new.get(key) {
                    Some(other) => compare(&at, value, other, out),
                    None => out.push(json!({"op": "remove", "path": at})),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                let at = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                out.push(json!({"op": "add", "path": at, "value": value}));
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}/{at}"), old, new, out);
            }
        }
        (Value::Array(old), Value::Array(new)) if new.starts_with(old) => {
            out.extend(
                new[old.len()..]
                    .iter()
                    .map(|it| json!({"op": "add", "path": format!("{path}/-"), "value": it})),
            );
        }
        (Value::Array(old), Value::Array(new)) => match gone(old, new) {
            Some(gone) => {
                out.extend(
                    gone.into_iter().rev().map(|at| json!({"op": "remove", "path": format!("{path}/{at}")})),
                );
            }
            None => out.push(json!({"op": "replace", "path": path, "value": after})),
        },
        _ => out.push(json!({"op": "replace", "path": path, "value": after})),
    }
}

/// Places of a list that are missing in a shorter one, if nothing else differs.
fn gone(old: &[Value], new: &[Value]) -> Option<Vec<usize>> {
    let mut left = new.iter().peekable();
    let mut gone = Vec::new();
    for (at, value) in old.iter().enumerate() {
        if left.next_if(|it| *it == value).is_none() {
            gone.push(at);
        }
    }
    left.next().is_none().then_some(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_makes_the_one_into_the_other() {
        let cases = [
            (json!({"a": {"x/y": 1, "z": 2}}), json!({"a": {"z": 3}})),
            (json!({"a": [1, 2, 3, 4]}), json!({"a": [2, 4]})),
            (json!({"a": [1]}), json!({"a": [1, 2, 3]})),
            (json!({"a": [1, 2]}), json!({"a": [3]})),
            (json!({"a": [{"b": 1}, {"b": 2}]}), json!({"a": [{"b": 1}, {"c": 2}]})),
            (json!({}), json!({"a": [1]})),
        ];
        for (mut before, after) in cases {
            let operations = patch("", &before, &after);
            api::patch::json_patch(&mut before, &Value::Array(operations)).expect("a patch");
            assert_eq!(before, after);
        }
    }
}
