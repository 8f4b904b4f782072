//! JSON patch: `add`, `remove`, `replace`, `move`, `copy`, `test` at JSON pointers.
//!
//! Source: evanphx/json-patch v4, the API server's own; it is laxer than RFC 6902 here and there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::PatchError;

/// Changes `target` by a list of operations; all or, at the first that fails, none that a caller should keep.
/// # Errors
/// The words of evanphx/json-patch, which kubectl shows where it patches by itself.
pub fn json_patch(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Array(operations) = patch else {
        return Err(PatchError::Malformed(
            "json: cannot unmarshal object into Go value of type jsonpatch.Patch".to_owned(),
        ));
    };
    operations.iter().try_for_each(|operation| apply(target, operation).map_err(PatchError::Unfit))
}

fn apply(target: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |name: &str| operation.get(name).and_then(Value::as_str);
    let Some(op) = text("op") else { return Err("Unexpected kind: unknown".to_owned()) };
    let path = || {
        text("path").ok_or_else(|| {
            format!("{op} operation failed to decode path: operation missing path field: missing value")
        })
    };
    let from = || {
        text("from").ok_or_else(|| {
            format!("{op} operation failed to decode from: operation, missing from field: missing value")
        })
    };
    let value = operation.get("value").unwrap_or(&Value::Null);
    match op {
        "add" => {
            let place = Place::of(target, path()?, "add", "missing path: ", true)?;
            place.add(value.clone(), "add")
        }
        "remove" => Place::of(target, path()?, "remove", "missing path: ", true)?.remove("remove").map(drop),
        "replace" => {
            let path = path()?;
            if path.is_empty() {
                if value.is_object() || value.is_array() {
                    *target = value.clone();
                }
                return Ok(());
            }
            Place::of(target, path, "replace", "missing path: ", false)?.replace(value.clone())
        }
        "move" => {
            let (from, to) = (from()?, path()?);
            let moved = Place::of(target, from, "move", "missing from path: ", false)?.remove("move")?;
            Place::of(target, to, "move", "missing destination path: ", false)?.add(moved, "move")
        }
        "copy" => {
            let (from, to) = (from()?, path()?);
            let copied = Place::of(target, from, "copy", "missing from path: ", false)?.get("copy")?;
            Place::of(target, to, "copy", "missing destination path: ", false)?.add(copied, "copy")
        }
        "test" => {
            let path = path()?;
            let found = if path.is_empty() {
                target.clone()
            } else {
                Place::of(target, path, "test", "is missing path: ", false)?.get("test")?
            };
            if found == *value { Ok(()) } else { Err(format!("testing value {path} failed: test failed")) }
        }
        other => Err(format!("Unexpected kind: {other}")),
    }
}

/// A key or index in the object or list that holds it.
struct Place<'a> {
    holder: &'a mut Value,
    key: String,
    path: &'a str,
}

impl<'a> Place<'a> {
    /// UPSTREAM: what stands before the first slash is not looked at, and nothing stands at the root.
    fn of(
        target: &'a mut Value,
        path: &'a str,
        op: &str,
        missing: &str,
        quoted: bool,
    ) -> Result<Self, String> {
        let found = path.split_once('/').and_then(|(_, rest)| {
            let (parents, key) =
                rest.rsplit_once('/').map_or((None, rest), |(parents, key)| (Some(parents), key));
            let mut holder = target;
            for part in parents.into_iter().flat_map(|it| it.split('/')) {
                let part = decoded(part);
                holder = match holder {
                    Value::Object(fields) => fields.get_mut(&part)?,
                    Value::Array(items) => {
                        let at = index(&part, items.len())?;
                        items.get_mut(at)?
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
                };
            }
            (holder.is_object() || holder.is_array()).then(|| Self { holder, key: decoded(key), path })
        });
        let doc = if missing.starts_with("is ") { "" } else { "doc is " };
        let shown = if quoted { format!("{path:?}") } else { path.to_owned() };
        found.ok_or_else(|| format!("{op} operation does not apply: {doc}{missing}{shown}: missing value"))
    }

    /// What stands there; nothing is as good as null in an object.
    fn get(&self, op: &str) -> Result<Value, String> {
        match &*self.holder {
            Value::Array(items) => {
                let found = index(&self.key, items.len()).and_then(|at| items.get(at));
                found.cloned().ok_or_else(|| self.no_index(op))
            }
            other => Ok(other.get(&self.key).cloned().unwrap_or(Value::Null)),
        }
    }

    fn add(self, value: Value, op: &str) -> Result<(), String> {
        let none = self.no_index(op);
        match self.holder {
            Value::Object(fields) => {
                fields.insert(self.key, value);
            }
            Value::Array(items) if self.key == "-" => items.push(value),
            Value::Array(items) => {
                let at = index(&self.key, items.len() + 1).filter(|at| *at <= items.len());
                items.insert(at.ok_or(none)?, value);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(none),
        }
        Ok(())
    }

    /// UPSTREAM: in an object this adds what was not there.
    fn replace(self, value: Value) -> Result<(), String> {
        let none =
            format!("replace operation does not apply: doc is missing key: {}: missing value", self.path);
        match self.holder {
            Value::Array(items) => {
                let place = index(&self.key, items.len()).and_then(|at| items.get_mut(at));
                *place.ok_or(none)? = value;
                Ok(())
            }
            _ => self.add(value, "replace"),
        }
    }

    fn remove(self, op: &str) -> Result<Value, String> {
        let none = self.no_index(op);
        match self.holder {
            Value::Array(items) => {
                let at = index(&self.key, items.len()).filter(|at| *at < items.len());
                Ok(items.remove(at.ok_or(none)?))
            }
            Value::Object(fields) => fields.remove(&self.key).ok_or_else(|| {
                let (path, key) = (self.path, &self.key);
                format!(
                    "error in {op} for path: '{path}': Unable to remove nonexistent key: {key}: missing value"
                )
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(none),
        }
    }

    fn no_index(&self, op: &str) -> String {
        let (path, key) = (self.path, &self.key);
        format!(
            "error in {op} for path: '{path}': Unable to access invalid index: {key}: invalid index referenced"
        )
    }
}

/// The ways to the values that a JSON patch, or a merge patch, takes apart: their fields are sorted afterwards.
#[must_use]
pub fn opened(is_json_patch: bool, patch: &Value) -> BTreeSet<Vec<String>> {
    let mut ways = BTreeSet::from([Vec::new()]);
    if !is_json_patch {
        open_merged(patch, &mut Vec::new(), &mut ways);
        return ways;
    }
    let pointers = patch.as_array().into_iter().flatten().flat_map(|it| [&it["path"], &it["from"]]);
    for pointer in pointers.filter_map(Value::as_str) {
        let way: Vec<String> = pointer.split('/').skip(1).map(decoded).collect();
        ways.extend((0..way.len()).map(|end| way[..end].to_vec()));
    }
    ways
}

fn open_merged(patch: &Value, way: &mut Vec<String>, ways: &mut BTreeSet<Vec<String>>) {
    for (name, value) in patch.as_object().into_iter().flatten().filter(|(_, value)| value.is_object()) {
        way.push(name.clone());
        ways.insert(way.clone());
        open_merged(value, way, ways);
        way.pop();
    }
}

fn decoded(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// UPSTREAM: an index below nought counts from the end.
fn index(key: &str, length: usize) -> Option<usize> {
    let at: i64 = key.parse().ok()?;
    let length = i64::try_from(length).ok()?;
    usize::try_from(if at < 0 { at + length } else { at }).ok()
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
    fn a_missing_key_is_replaced_and_copied_as_if_it_were_null() {
        let mut target = json!({"a": [1, 2]});
        let patch = json!([
            {"op": "replace", "path": "/x", "value": 1},
            {"op": "copy", "from": "/nothing", "path": "/y"},
            {"op": "remove", "path": "/a/-1"},
            {"op": "add", "path": "a/b", "value": 5}
        ]);
        json_patch(&mut target, &patch).expect("patched");
        assert_eq!(target, json!({"a": [1], "x": 1, "y": null, "b": 5}));
    }

    #[test]
    fn what_does_not_apply_is_named() {
        let cases = [
            (
                json!({"op": "add", "path": "/x/y", "value": 1}),
                "add operation does not apply: doc is missing path: \"/x/y\": missing value",
            ),
            (
                json!({"op": "remove", "path": "/x"}),
                "error in remove for path: '/x': Unable to remove nonexistent key: x: missing value",
            ),
            (
                json!({"op": "replace", "path": "/a/7", "value": 1}),
                "replace operation does not apply: doc is missing key: /a/7: missing value",
            ),
            (json!({"op": "test", "path": "/x", "value": 1}), "testing value /x failed: test failed"),
            (json!({"op": "frob", "path": "/x"}), "Unexpected kind: frob"),
        ];
        for (operation, wanted) in cases {
            let said = json_patch(&mut json!({"a": []}), &json!([operation])).expect_err("no");
            assert_eq!(said.to_string(), wanted);
        }
    }
}
