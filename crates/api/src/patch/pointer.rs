//! JSON patch: `add`, `remove`, `replace`, `move`, `copy`, `test` at JSON pointers.

use serde_json::Value;

use super::PatchError;

/// Changes `target` by a list of operations; all or, at the first that fails, none that a caller should keep.
/// # Errors
/// The words of evanphx/json-patch, as the API server passes them on.
pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Array(operations) = patch else {
        return Err(PatchError::Malformed(
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch".to_owned(),
        ));
    };
    operations.iter().try_for_each(|operation| apply(target, operation))
}

fn apply(target: &mut Value, operation: &Value) -> Result<(), PatchError> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str).unwrap_or_default();
    let (op, path) = (text("op"), text("path"));
    let missing = |what: &str| {
        PatchError::Malformed(format!(
            "{what} operation does not apply: doc is missing path: {path:?}: missing value"
        ))
    };
    let absent = |what: &str| {
        PatchError::Malformed(format!(
            "{what} operation does not apply: doc is missing key: {path}: missing value"
        ))
    };
    match op {
        "add" => add(target, path, operation.get("value").cloned().unwrap_or(Value::Null))
            .ok_or_else(|| missing("add")),
        "remove" => remove(target, path).map(drop).ok_or_else(|| {
            PatchError::Malformed(format!(
                "remove operation does not apply: doc is missing path: {path:?}: missing value"
            ))
        }),
        "replace" => {
            let place = target.pointer_mut(path).ok_or_else(|| absent("replace"))?;
            *place = operation.get("value").cloned().unwrap_or(Value::Null);
            Ok(())
        }
        "move" => {
            let value = remove(target, text("from")).ok_or_else(|| missing("move"))?;
            add(target, path, value).ok_or_else(|| missing("move"))
        }
        "copy" => {
            let value = target.pointer(text("from")).cloned().ok_or_else(|| missing("copy"))?;
            add(target, path, value).ok_or_else(|| missing("copy"))
        }
        "test" => {
            let wanted = operation.get("value").unwrap_or(&Value::Null);
            if target.pointer(path).unwrap_or(&Value::Null) == wanted {
                Ok(())
            } else {
                Err(PatchError::Malformed(format!("testing value {path} failed: test failed")))
            }
        }
        other => Err(PatchError::Malformed(format!("Unexpected kind: {other}"))),
    }
}

fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *target = value;
        return Some(());
    }
    let (parent, last) = split(path)?;
    match target.pointer_mut(parent)? {
        Value::Object(fields) => {
            fields.insert(last, value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let at: usize = last.parse().ok()?;
            if at > items.len() {
                return None;
            }
            items.insert(at, value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    }
    Some(())
}

fn remove(target: &mut Value, path: &str) -> Option<Value> {
    let (parent, last) = split(path)?;
    match target.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&last),
        Value::Array(items) => {
            let at: usize = last.parse().ok()?;
            (at < items.len()).then(|| items.remove(at))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operations_follow_pointers() {
        let mut target = json!({"a": [1, 2], "b/c": 3});
        let patch = json!([
            {"op": "add", "path": "/a/-", "value": 3},
            {"op": "remove", "path": "/a/0"},
            {"op": "replace", "path": "/b~1c", "value": 4},
            {"op": "test", "path": "/a/0", "value": 2}
        ]);
        json_patch(&mut target, &patch).expect("patched");
        assert_eq!(target, json!({"a": [2, 3], "b/c": 4}));
    }

    #[test]
    fn a_missing_place_is_named() {
        let error = json_patch(&mut json!({}), &json!([{"op": "replace", "path": "/x", "value": 1}]))
            .expect_err("no");
        assert_eq!(
            error.to_string(),
            "replace operation does not apply: doc is missing key: /x: missing value"
        );
    }
}
