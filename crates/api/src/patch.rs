//! What does an object become under a patch?
//!
//! Strategic merge (lists by their merge keys, `$patch`, `$retainKeys`, `$setElementOrder`, `$deleteFromPrimitiveList`), JSON
//! merge patch, JSON patch, and the three-way patch that `kubectl apply` computes. All work on the JSON form.
//! Source: apimachinery `strategicpatch`, `jsonmergepatch`; RFC 7386, RFC 6902; evanphx/json-patch v4 for its messages.

use serde_json::{Map, Value, json};

use crate::{
    Kind,
    schema::{self, Patch, Type, TypeSchema},
};

mod pointer;
mod restore;
mod strategic;

pub use pointer::{json_patch, opened};
pub use restore::restore;
pub use strategic::strategic_merge;

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Why a patch cannot be applied, in the API server's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch has not the form of a patch.
    #[error("{0}")]
    Malformed(String),
    /// The patch does not fit the object.
    #[error("{0}")]
    Unfit(String),
    /// What the server tells as if it had failed itself.
    #[error("{0}")]
    Internal(String),
}

/// A value as Go prints it with `%v`.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().map(|(k, v)| format!("{k}:{}", shown(v))).collect();
            format!("map[{}]", inner.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// Changes `target` by a JSON merge patch.
pub fn json_merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(fields) = target {
        for (name, value) in patch {
            if value.is_null() {
                fields.remove(name);
            } else {
                json_merge(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// The patch that `kubectl apply` sends: what changed between the object and the new manifest, and what the last manifest had
/// and the new one has not. An empty object if nothing is to be done.
#[must_use]
pub fn three_way(kind: Kind, last: &Value, new: &Value, live: &Value) -> Value {
    let fields = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
    let (last, new, live) = (fields(last), fields(new), fields(live));
    Value::Object(diff_object(schema::root(kind), &last, &new, &live))
}

fn diff_object(
    schema: Option<&TypeSchema>,
    last: &Map<String, Value>,
    new: &Map<String, Value>,
    live: &Map<String, Value>,
) -> Map<String, Value> {
    let mut patch = Map::new();
    let nothing = Map::new();
    for (name, wanted) in new {
        let field = schema.and_then(|s| s.field(name));
        let inner = field.and_then(|f| f.ty.inner_object());
        let old = last.get(name);
        match (live.get(name), wanted) {
            (None, Value::Null) => {}
            // What the last manifest had in it is taken away even where the object has nothing of it.
            (None, Value::Object(wanted)) if field.is_none_or(|f| f.patch != Patch::Whole) => {
                let inner = if matches!(field.map(|f| &f.ty), Some(Type::Map(_))) { None } else { inner };
                let before = old.and_then(Value::as_object).unwrap_or(&nothing);
                patch.insert(name.clone(), Value::Object(diff_object(inner, before, wanted, &nothing)));
            }
            (None, wanted) => {
                patch.insert(name.clone(), wanted.clone());
            }
            // UPSTREAM: what is replaced whole is sent also when it is the same.
            (Some(Value::Object(_)), Value::Object(wanted))
                if field.is_some_and(|f| f.patch == Patch::Whole) =>
            {
                patch.insert(name.clone(), Value::Object(wanted.clone()));
            }
            (Some(Value::Object(now)), Value::Object(wanted)) => {
                let inner = if matches!(field.map(|f| &f.ty), Some(Type::Map(_))) { None } else { inner };
                let before = old.and_then(Value::as_object).unwrap_or(&nothing);
                let mut changes = diff_object(inner, before, wanted, now);
                if !changes.is_empty() {
                    if matches!(field.map(|f| f.patch), Some(Patch::RetainKeys)) {
                        changes.insert(RETAIN.to_owned(), wanted.keys().cloned().map(Value::from).collect());
                    }
                    patch.insert(name.clone(), Value::Object(changes));
                }
            }
            (Some(Value::Array(now)), Value::Array(wanted)) => {
                let before = old.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
                match field.map(|f| f.patch) {
                    Some(Patch::Merge { key, retain_keys }) => {
                        diff_list(inner, name, before, wanted, now, (key, retain_keys), &mut patch);
                    }
                    Some(Patch::Replace | Patch::Whole | Patch::RetainKeys) | None => {
                        if now != wanted {
                            patch.insert(name.clone(), Value::Array(wanted.clone()));
                        }
                    }
                }
            }
            (Some(now), wanted) => {
                if now != wanted {
                    patch.insert(name.clone(), wanted.clone());
                }
            }
        }
    }
    for name in last.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

fn diff_list(
    inner: Option<&TypeSchema>,
    name: &str,
    last: &[Value],
    new: &[Value],
    live: &[Value],
    (key, retain_keys): (&'static str, bool),
    patch: &mut Map<String, Value>,
) {
    if key.is_empty() {
        let added: Vec<Value> = new.iter().filter(|i| !live.contains(i)).cloned().collect();
        let gone: Vec<Value> = last.iter().filter(|i| !new.contains(i)).cloned().collect();
        if added.is_empty() && gone.is_empty() {
            return;
        }
        if !new.is_empty() {
            patch.insert(format!("{ORDER}{name}"), Value::Array(new.to_vec()));
        }
        if !gone.is_empty() {
            patch.insert(format!("{DELETE_FROM}{name}"), Value::Array(gone));
        }
        if !added.is_empty() {
            patch.insert(name.to_owned(), Value::Array(added));
        }
        return;
    }
    let nothing = Map::new();
    let has = |list: &[Value], id: &Value| list.iter().any(|i| i.get(key) == Some(id));
    let mut changes = Vec::new();
    let mut met: Vec<Value> = Vec::new();
    for item in new {
        let id = item.get(key).cloned().unwrap_or(Value::Null);
        // Items of one key meet in their order; one that meets none is a further one.
        let earlier = met.iter().filter(|it| **it == id).count();
        let nth = |list: &[Value]| list.iter().filter(|i| i.get(key) == Some(&id)).nth(earlier).cloned();
        let now = nth(live);
        met.push(id.clone());
        match (now, item) {
            (Some(Value::Object(now)), Value::Object(wanted)) => {
                let before = nth(last);
                let before = before.as_ref().and_then(Value::as_object).unwrap_or(&nothing);
                let mut change = diff_object(inner, before, wanted, &now);
                if !change.is_empty() {
                    if retain_keys {
                        change.insert(RETAIN.to_owned(), wanted.keys().cloned().map(Value::from).collect());
                    }
                    change.insert(key.to_owned(), id);
                    changes.push(Value::Object(change));
                }
            }
            _ => changes.push(item.clone()),
        }
    }
    for old in last {
        let Some(id) = old.get(key) else { continue };
        if !has(new, id) && has(live, id) {
            changes.push(json!({ DIRECTIVE: "delete", key: id }));
        }
    }
    let ids = |list: &[Value]| -> Vec<Value> { list.iter().filter_map(|i| i.get(key)).cloned().collect() };
    let here = ids(new);
    let kept: Vec<Value> = ids(live).into_iter().filter(|id| here.contains(id)).collect();
    let ordered = here.iter().filter(|id| kept.contains(id)).eq(kept.iter());
    if changes.is_empty() && ordered {
        return;
    }
    let order: Vec<Value> = here.into_iter().map(|id| json!({ key: id })).collect();
    if !order.is_empty() {
        patch.insert(format!("{ORDER}{name}"), Value::Array(order));
    }
    if !changes.is_empty() {
        patch.insert(name.to_owned(), Value::Array(changes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apply_removes_only_what_the_last_manifest_had() {
        let last = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
        let new = json!({"metadata": {"labels": {"a": "1"}}});
        let live = json!({"metadata": {"labels": {"a": "1", "b": "2", "mine": "3"}, "uid": "u"}});
        assert_eq!(three_way(Kind::Pod, &last, &new, &live), json!({"metadata": {"labels": {"b": null}}}));
        assert_eq!(three_way(Kind::Pod, &new, &new, &live), json!({}));
    }

    #[test]
    fn items_of_one_key_meet_in_their_order() {
        let port = |name: &str| json!({"containerPort": 53, "name": name});
        let pod = |ports: Value| json!({"spec": {"containers": [{"name": "c", "ports": ports}]}});
        let both = pod(json!([port("dns"), port("dns-tcp")]));
        assert_eq!(three_way(Kind::Pod, &both, &both, &both), json!({}));
    }

    #[test]
    fn a_merge_patch_removes_with_null() {
        let mut target = json!({"a": {"b": 1, "c": 2}});
        json_merge(&mut target, &json!({"a": {"b": null, "d": 3}}));
        assert_eq!(target, json!({"a": {"c": 2, "d": 3}}));
    }

    #[test]
    fn a_list_that_is_emptied_has_no_order() {
        let with = json!({"spec": {"containers": [{"name": "a"}]}});
        let none = json!({"spec": {"containers": []}});
        assert_eq!(
            three_way(Kind::Pod, &with, &none, &with),
            json!({"spec": {"containers": [{"$patch": "delete", "name": "a"}]}})
        );
    }

    #[test]
    fn what_the_last_manifest_had_is_taken_away_where_the_object_has_it_elsewhere() {
        let last = json!({"stringData": {"password": "a"}});
        let new = json!({"stringData": {}});
        let live = json!({"data": {"password": "YQ=="}});
        assert_eq!(three_way(Kind::Secret, &last, &new, &live), json!({"stringData": {"password": null}}));
    }
}
