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

pub use pointer::json_patch;

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";

/// Why a patch cannot be applied, in the API server's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A list item without the key by which its list merges.
    #[error("map: {0} does not contain declared merge key: {1}")]
    NoMergeKey(String, &'static str),
    /// A directive nobody knows.
    #[error("unknown patch type found: {0}")]
    UnknownDirective(String),
    /// `$setElementOrder` leaves out an item of the patch, or has it elsewhere.
    #[error("The order in patch list:\n{0}\n doesn't match $setElementOrder list:\n{1}\n")]
    Order(String, String),
    /// The patch is no object or no list of operations.
    #[error("{0}")]
    Malformed(String),
}

/// Changes `target` by a strategic merge patch.
/// # Errors
/// The server's words; `target` may be half changed.
pub fn strategic_merge(kind: Kind, target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return Err(PatchError::Malformed("invalid JSON document".to_owned()));
    };
    merge_object(schema::root(kind), target, patch)
}

fn merge_object(
    schema: Option<&TypeSchema>,
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
) -> Result<(), PatchError> {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        Some("replace") => {
            *target =
                patch.iter().filter(|(k, _)| *k != DIRECTIVE).map(|(k, v)| (k.clone(), v.clone())).collect();
            return Ok(());
        }
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(PatchError::UnknownDirective(other.to_owned())),
    }
    if let Some(Value::Array(kept)) = patch.get(RETAIN) {
        target.retain(|name, _| kept.iter().any(|k| k == name));
    }
    for (list, order) in patch.iter().filter_map(|(k, v)| Some((k.strip_prefix(ORDER)?, v.as_array()?))) {
        if let (Some(Value::Array(items)), Some(Patch::Merge { key, .. })) =
            (patch.get(list), schema.and_then(|s| s.field(list)).map(|f| f.patch))
        {
            in_order(items, order, key)?;
        }
    }
    let before = target.clone();
    for (name, value) in patch {
        if name == DIRECTIVE || name == RETAIN || name.starts_with(ORDER) {
            continue;
        }
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            if let (Some(Value::Array(items)), Value::Array(gone)) = (target.get_mut(list), value) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if value.is_null() {
            target.remove(name);
            continue;
        }
        let field = schema.and_then(|s| s.field(name));
        let inner = field.and_then(|f| f.ty.inner_object());
        let merge_key = match field.map(|f| f.patch) {
            Some(Patch::Merge { key, .. }) => Some(key),
            Some(Patch::Replace | Patch::Whole | Patch::RetainKeys) | None => None,
        };
        match (target.get_mut(name), value, merge_key) {
            (Some(Value::Object(old)), Value::Object(new), _)
                if !matches!(field.map(|f| f.patch), Some(Patch::Whole)) =>
            {
                let inner = if matches!(field.map(|f| &f.ty), Some(Type::Map(_))) { None } else { inner };
                merge_object(inner, old, new)?;
            }
            (Some(Value::Array(old)), Value::Array(new), Some(key)) => merge_list(inner, old, new, key)?,
            (None, Value::Object(new), _) => {
                let mut fresh = Map::new();
                merge_object(inner, &mut fresh, new)?;
                target.insert(name.clone(), Value::Object(fresh));
            }
            (None, Value::Array(new), Some(_)) => {
                target.insert(name.clone(), Value::Array(fresh_list(inner, new)?));
            }
            (_, value, _) => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
    for (name, order) in patch.iter().filter_map(|(k, v)| k.strip_prefix(ORDER).map(|n| (n, v))) {
        let key = match schema.and_then(|s| s.field(name)).map(|f| f.patch) {
            Some(Patch::Merge { key, .. }) => key,
            Some(Patch::Replace | Patch::Whole | Patch::RetainKeys) | None => continue,
        };
        if let (Some(Value::Array(items)), Value::Array(order)) = (target.get_mut(name), order) {
            let before = before.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            reorder(items, before, order, key);
        }
    }
    Ok(())
}

/// A list where there was none: as the patch has it, its directives carried out. Keys are not looked at.
fn fresh_list(inner: Option<&TypeSchema>, patch: &[Value]) -> Result<Vec<Value>, PatchError> {
    let mut out = Vec::with_capacity(patch.len());
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none_or(|d| d != "delete")) {
        match item {
            Value::Object(item) => {
                let mut fresh = Map::new();
                merge_object(inner, &mut fresh, item)?;
                out.push(Value::Object(fresh));
            }
            other => out.push(other.clone()),
        }
    }
    Ok(out)
}

fn merge_list(
    inner: Option<&TypeSchema>,
    target: &mut Vec<Value>,
    patch: &[Value],
    key: &'static str,
) -> Result<(), PatchError> {
    let before = target.clone();
    if key.is_empty() {
        for item in patch {
            if !target.contains(item) {
                target.push(item.clone());
            }
        }
        reorder(target, &before, patch, key);
        return Ok(());
    }
    let replaces =
        |item: &Value| item.get(DIRECTIVE).is_some_and(|d| d == "replace") && item.get(key).is_none();
    if patch.iter().any(replaces) {
        *target = patch.iter().filter(|item| !replaces(item)).cloned().collect();
        return Ok(());
    }
    for item in patch {
        let Some(id) = item.get(key) else {
            return Err(PatchError::NoMergeKey(go_map(item), key));
        };
        let at = target.iter().position(|old| old.get(key) == Some(id));
        if item.get(DIRECTIVE).is_some_and(|d| d == "delete") {
            target.retain(|old| old.get(key) != Some(id));
            continue;
        }
        match (at.and_then(|at| target.get_mut(at)), item) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_object(inner, old, new)?,
            (_, Value::Object(new)) => {
                let mut fresh = Map::new();
                merge_object(inner, &mut fresh, new)?;
                target.push(Value::Object(fresh));
            }
            (_, other) => target.push(other.clone()),
        }
    }
    reorder(target, &before, patch, key);
    Ok(())
}

/// Puts the items named in `order` in that order among the others, which keep theirs.
///
/// `before` is the list before the patch. Source: `normalizeElementOrder`, `mergeSortedSlice` of strategicpatch.
fn reorder(items: &mut Vec<Value>, before: &[Value], order: &[Value], key: &str) {
    let id = |item: &Value| {
        if key.is_empty() { item.clone() } else { item.get(key).cloned().unwrap_or(Value::Null) }
    };
    let wanted: Vec<Value> = order.iter().map(id).collect();
    let known: Vec<Value> = before.iter().map(id).collect();
    let place = |ids: &[Value], item: &Value| ids.iter().position(|w| *w == id(item));
    let all = std::mem::take(items).into_iter();
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        all.partition(|item| place(&wanted, item).is_some());
    named.sort_by_key(|item| place(&wanted, item));
    others.sort_by_key(|item| place(&known, item).unwrap_or(usize::MAX));
    let (mut named, mut others) = (named.into_iter().peekable(), others.into_iter().peekable());
    loop {
        let take_other = match (named.peek(), others.peek()) {
            (None, None) => return,
            (Some(_), None) => false,
            (None, Some(_)) => true,
            // UPSTREAM: an item that is new stands before the others that are left.
            (Some(n), Some(o)) => matches!((place(&known, o), place(&known, n)), (Some(o), Some(n)) if o < n),
        };
        items.extend(if take_other { others.next() } else { named.next() });
    }
}

/// Whether the items of a patch come in the order that the patch gives the whole list.
/// Source: `validatePatchWithSetOrderList` of strategicpatch.
fn in_order(items: &[Value], order: &[Value], key: &'static str) -> Result<(), PatchError> {
    if items.is_empty() || order.is_empty() {
        return Ok(());
    }
    let same = |a: &Value, b: &Value| if key.is_empty() { a == b } else { a.get(key) == b.get(key) };
    let mut left = order.iter();
    for item in items.iter().filter(|item| key.is_empty() || item.get(DIRECTIVE).is_none()) {
        if !left.any(|wanted| same(item, wanted)) {
            let go = |list: &[Value]| go_map(&Value::Array(list.to_vec()));
            return Err(PatchError::Order(go(items), go(order)));
        }
    }
    Ok(())
}

fn go_map(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().map(|(k, v)| format!("{k}:{}", go_map(v))).collect();
            format!("map[{}]", inner.join(" "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(go_map).collect::<Vec<_>>().join(" "))
        }
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
    let find = |list: &'_ [Value], id: &Value| list.iter().find(|i| i.get(key) == Some(id)).cloned();
    let mut changes = Vec::new();
    let mut met: Vec<Value> = Vec::new();
    for item in new {
        let id = item.get(key).cloned().unwrap_or(Value::Null);
        // An item whose key stood before already is a further one.
        let now = find(live, &id).filter(|_| !met.contains(&id));
        met.push(id.clone());
        match (now, item) {
            (Some(Value::Object(now)), Value::Object(wanted)) => {
                let before = find(last, &id);
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
        if find(new, id).is_none() && find(live, id).is_some() {
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

    fn patched(mut target: Value, patch: &Value) -> Value {
        strategic_merge(Kind::Pod, &mut target, patch).expect("patched");
        target
    }

    #[test]
    fn containers_merge_by_name_and_ports_by_number() {
        let pod = json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}});
        let patch =
            json!({"spec": {"containers": [{"name": "b", "image": "z"}, {"name": "c", "image": "w"}]}});
        assert_eq!(
            patched(pod, &patch),
            json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "z"}, {"name": "c", "image": "w"}]}})
        );
        // A new item stands before those the patch does not name, as recorded.
        let pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let patch = json!({"spec": {"containers": [{"name": "side"}]}});
        assert_eq!(patched(pod, &patch), json!({"spec": {"containers": [{"name": "side"}, {"name": "a"}]}}));
    }

    #[test]
    fn an_order_that_leaves_out_an_item_of_the_patch_is_refused() {
        let mut pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"$patch": "delete", "name": "a"}, {"name": "b", "image": "i"}]}});
        let refused = strategic_merge(Kind::Pod, &mut pod, &patch).expect_err("refused").to_string();
        assert_eq!(
            refused,
            "The order in patch list:\n[map[$patch:delete name:a] map[image:i name:b]]\n doesn't match \
             $setElementOrder list:\n[map[name:a]]\n"
        );
    }

    #[test]
    fn directives_delete_replace_and_order() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}], "schedulingGates": [{"name": "g"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
            "schedulingGates": [{"$patch": "delete", "name": "g"}]}});
        assert_eq!(
            patched(pod, &patch),
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a"}], "schedulingGates": []}})
        );
        let whole = patched(
            json!({"metadata": {"labels": {"a": "1"}}}),
            &json!({"metadata": {"labels": {"$patch": "replace", "b": "2"}}}),
        );
        assert_eq!(whole, json!({"metadata": {"labels": {"b": "2"}}}));
    }

    #[test]
    fn a_list_item_without_its_key_is_refused() {
        let mut pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let error = strategic_merge(Kind::Pod, &mut pod, &json!({"spec": {"containers": [{"image": "x"}]}}))
            .expect_err("no");
        assert_eq!(error.to_string(), "map: map[image:x] does not contain declared merge key: name");
    }

    #[test]
    fn apply_removes_only_what_the_last_manifest_had() {
        let last = json!({"metadata": {"labels": {"a": "1", "b": "2"}}});
        let new = json!({"metadata": {"labels": {"a": "1"}}});
        let live = json!({"metadata": {"labels": {"a": "1", "b": "2", "mine": "3"}, "uid": "u"}});
        assert_eq!(three_way(Kind::Pod, &last, &new, &live), json!({"metadata": {"labels": {"b": null}}}));
        assert_eq!(three_way(Kind::Pod, &new, &new, &live), json!({}));
    }

    #[test]
    fn apply_lifts_a_gate_that_the_new_manifest_leaves_out() {
        let gates = json!({"spec": {"schedulingGates": [{"name": "x"}, {"name": "y"}], "containers": [{"name": "c"}]}});
        let new = json!({"spec": {"containers": [{"name": "c"}]}});
        let patch = three_way(Kind::Pod, &gates, &new, &gates);
        assert_eq!(patch, json!({"spec": {"schedulingGates": null}}));
        assert_eq!(patched(gates, &patch), new);
    }

    #[test]
    fn a_merge_patch_removes_with_null() {
        let mut target = json!({"a": {"b": 1, "c": 2}});
        json_merge(&mut target, &json!({"a": {"b": null, "d": 3}}));
        assert_eq!(target, json!({"a": {"c": 2, "d": 3}}));
    }

    #[test]
    fn a_list_where_there_was_none_is_taken_as_it_stands() {
        let patch = json!({"spec": {"ephemeralContainers": [{"image": "a"}, {"image": "b"}]}});
        assert_eq!(patched(json!({"spec": {}}), &patch), patch);
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
