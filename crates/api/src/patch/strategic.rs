//! What does an object become under a strategic merge patch?
//!
//! Structs and maps merge field by field, lists by the keys their types declare; `$patch`, `$retainKeys`, `$setElementOrder` and
//! `$deleteFromPrimitiveList` direct it. A directive where nothing is to be merged stays as an unknown field.
//! Source: apimachinery `pkg/util/strategicpatch/patch.go`, `mergeMap` and below, 1.34.

use serde_json::{Map, Value};

use super::{DELETE_FROM, DIRECTIVE, ORDER, PatchError, RETAIN, shown};
use crate::{
    Kind,
    schema::{self, FieldSchema, Patch, Type, TypeSchema},
};

const BAD_RETAIN: &str = "invalid patch format of retainKeys";

/// Changes `target` by a strategic merge patch.
/// # Errors
/// The server's words; `target` may be half changed.
pub fn strategic_merge(kind: Kind, target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return Err(PatchError::Malformed("invalid JSON document".to_owned()));
    };
    merge_map(schema::root(kind), target, patch.clone())
}

fn internal<T>(why: impl Into<String>) -> Result<T, PatchError> {
    Err(PatchError::Internal(why.into()))
}

fn malformed<T>(why: &str) -> Result<T, PatchError> {
    Err(PatchError::Malformed(why.to_owned()))
}

fn no_merge_key<T>(item: &Value, key: &str) -> Result<T, PatchError> {
    internal(format!("map: {} does not contain declared merge key: {key}", shown(item)))
}

fn bad_directive<T>(directive: &Value, patch: &Map<String, Value>) -> Result<T, PatchError> {
    let patch = shown(&Value::Object(patch.clone()));
    internal(format!("unknown patch type: {} in map: {patch}", shown(directive)))
}

fn merge_map(
    schema: Option<&TypeSchema>,
    target: &mut Map<String, Value>,
    mut patch: Map<String, Value>,
) -> Result<(), PatchError> {
    match patch.get(DIRECTIVE) {
        Some(directive) if directive == "replace" => {
            patch.remove(DIRECTIVE);
            *target = patch;
            return Ok(());
        }
        Some(directive) if directive == "delete" => {
            target.clear();
            return Ok(());
        }
        Some(directive) => return bad_directive(directive, &patch),
        None => {}
    }
    retain_keys(target, &mut patch)?;
    merge_ordered(schema, target, &mut patch)?;
    for (name, mut value) in patch {
        let gone = name.strip_prefix(DELETE_FROM);
        let name = gone.unwrap_or(&name);
        if value.is_null() {
            target.remove(name);
            continue;
        }
        match (target.get_mut(name), &mut value) {
            (None, _) if gone.is_some() => {}
            (Some(Value::Object(old)), Value::Object(new)) => {
                let field = schema.and_then(|it| it.field(name));
                let new = std::mem::take(new);
                if field.is_some_and(|it| it.patch == Patch::Whole) {
                    *old = new;
                } else {
                    merge_map(within(field), old, new)?;
                }
            }
            (Some(Value::Array(old)), Value::Array(new)) if gone.is_some() => {
                old.retain(|item| !new.contains(item));
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let field = schema.and_then(|it| it.field(name));
                let new = std::mem::take(new);
                match field.map(|it| it.patch) {
                    Some(Patch::Merge { key, .. }) => merge_list(within(field), old, new, key)?,
                    Some(Patch::Replace | Patch::Whole | Patch::RetainKeys) | None => *old = new,
                }
            }
            (Some(_), _) if gone.is_some() => {}
            _ => match fresh(value) {
                Some(value) => {
                    target.insert(name.to_owned(), value);
                }
                None => {
                    target.remove(name);
                }
            },
        }
    }
    Ok(())
}

/// The struct in a field, or in the items of its list; values of maps have no schema of their own here.
fn within(field: Option<&FieldSchema>) -> Option<&'static TypeSchema> {
    field.filter(|it| !matches!(it.ty, Type::Map(_))).and_then(|it| it.ty.inner_object())
}

/// A value where there was nothing to merge with: without its nulls, and nothing at all if it is a directive.
fn fresh(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Some(Value::Object(kept.filter_map(|(name, value)| Some((name, fresh(value)?))).collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(fresh).collect())),
        other => Some(other),
    }
}

/// Takes away what `$retainKeys` does not name.
fn retain_keys(target: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), PatchError> {
    let Some(kept) = patch.remove(RETAIN) else { return Ok(()) };
    let Value::Array(kept) = kept else { return malformed(BAD_RETAIN) };
    let is_kept = |name: &String| kept.iter().any(|it| it == name);
    let mut sent = patch.iter().filter(|(name, value)| {
        !value.is_null() && !name.starts_with(DELETE_FROM) && !name.starts_with(ORDER)
    });
    if !sent.all(|(name, _)| is_kept(name)) {
        return malformed(BAD_RETAIN);
    }
    target.retain(|name, _| is_kept(name));
    Ok(())
}

/// Merges the lists whose order the patch gives, and takes them out of it.
fn merge_ordered(
    schema: Option<&TypeSchema>,
    target: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> Result<(), PatchError> {
    let ordered: Vec<String> = patch.keys().filter(|name| name.starts_with(ORDER)).cloned().collect();
    for directive in ordered {
        let order = match patch.remove(&directive) {
            Some(Value::Array(order)) => order,
            Some(other) => {
                return internal(format!("expected a []interface {{}}, but received a {}", go_type(&other)));
            }
            None => continue,
        };
        let name = directive.strip_prefix(ORDER).unwrap_or_default();
        let field = schema.and_then(|it| it.field(name));
        let (key, merges) = match field.map(|it| it.patch) {
            Some(Patch::Merge { key, .. }) => (key, true),
            Some(Patch::Replace | Patch::Whole | Patch::RetainKeys) | None => ("", false),
        };
        let change = patch.remove(name);
        let before = target.get(name).and_then(Value::as_array).cloned();
        let mut merged = match (before.clone(), change) {
            (None, None) => continue,
            (Some(old), None) => old,
            (old, Some(Value::Array(new))) => {
                in_order(&new, &order, key)?;
                match old {
                    None => match fresh(Value::Array(new)) {
                        Some(Value::Array(new)) => new,
                        _ => continue,
                    },
                    Some(mut old) if merges => {
                        merge_list(within(field), &mut old, new, key)?;
                        old
                    }
                    Some(_) => new,
                }
            }
            (_, Some(other)) => {
                return internal(format!("expected a []interface {{}}, but received a {}", go_type(&other)));
            }
        };
        if let Some(item) = merged.iter().find(|it| !key.is_empty() && it.get(key).is_none()) {
            return no_merge_key(item, key);
        }
        reorder(&mut merged, &before.unwrap_or_default(), &order, key);
        target.insert(name.to_owned(), Value::Array(merged));
    }
    Ok(())
}

fn merge_list(
    inner: Option<&TypeSchema>,
    target: &mut Vec<Value>,
    patch: Vec<Value>,
    key: &'static str,
) -> Result<(), PatchError> {
    let types: Vec<&str> = target.iter().chain(&patch).map(go_type).collect();
    if types.first() == Some(&"[]interface {}") {
        return Err(PatchError::Unfit("lists of lists are not supported".to_owned()));
    }
    if types.windows(2).any(|pair| pair[0] != pair[1]) {
        let lists = [target.clone(), patch].map(|list| shown(&Value::Array(list)));
        return internal(format!("list element types are not identical: [{}]", lists.join(" ")));
    }
    if types.first() != Some(&"map[string]interface {}") {
        let before = target.clone();
        for item in &patch {
            if !target.contains(item) {
                target.push(item.clone());
            }
        }
        reorder(target, &before, &patch, key);
        return Ok(());
    }
    let patch = carry_out(target, patch, key)?;
    let before = target.clone();
    for item in &patch {
        let Some(id) = item.get(key) else { return no_merge_key(item, key) };
        match (target.iter_mut().find(|old| old.get(key) == Some(id)), item) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_map(inner, old, new.clone())?,
            _ => target.push(item.clone()),
        }
    }
    reorder(target, &before, &patch, key);
    Ok(())
}

/// Carries out the items that are directives; the others.
fn carry_out(target: &mut Vec<Value>, patch: Vec<Value>, key: &str) -> Result<Vec<Value>, PatchError> {
    let (mut plain, mut replaces) = (Vec::with_capacity(patch.len()), false);
    for item in patch {
        let Value::Object(fields) = &item else { continue };
        match fields.get(DIRECTIVE) {
            None => plain.push(item),
            Some(directive) if directive == "delete" => match fields.get(key) {
                Some(id) => target.retain(|old| old.get(key) != Some(id)),
                None => return no_merge_key(&item, key),
            },
            Some(directive) if directive == "replace" => replaces = true,
            Some(directive) if directive == "merge" => {
                return internal("merging lists cannot yet be specified in the patch");
            }
            Some(directive) => return bad_directive(directive, fields),
        }
    }
    if replaces {
        *target = std::mem::take(&mut plain);
    }
    Ok(plain)
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
    let mut left = order.iter();
    for item in items.iter().filter(|item| key.is_empty() || item.get(DIRECTIVE).is_none()) {
        loop {
            let Some(wanted) = left.next() else {
                let (items, order) = (Value::Array(items.to_vec()), Value::Array(order.to_vec()));
                return internal(format!(
                    "The order in patch list:\n{}\n doesn't match {} list:\n{}\n",
                    shown(&items),
                    ORDER.trim_end_matches('/'),
                    shown(&order)
                ));
            };
            if let Some(keyless) = [item, wanted].iter().find(|it| !key.is_empty() && it.get(key).is_none()) {
                return no_merge_key(keyless, key);
            }
            let same = if key.is_empty() { item == wanted } else { item.get(key) == wanted.get(key) };
            if same {
                break;
            }
        }
    }
    Ok(())
}

/// The type of a decoded value, as Go names it.
fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(mut target: Value, patch: &Value) -> Value {
        strategic_merge(Kind::Pod, &mut target, patch).expect("patched");
        target
    }

    fn refused(kind: Kind, mut target: Value, patch: &Value) -> String {
        strategic_merge(kind, &mut target, patch).expect_err("refused").to_string()
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
        let pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let patch = json!({"spec": {"$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"$patch": "delete", "name": "a"}, {"name": "b", "image": "i"}]}});
        assert_eq!(
            refused(Kind::Pod, pod, &patch),
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
    fn a_directive_where_there_is_nothing_to_merge_with_stays_as_a_field() {
        let patch = json!({"spec": {"affinity": {"$retainKeys": ["a"], "nodeAffinity": null}}});
        assert_eq!(
            patched(json!({"spec": {}}), &patch),
            json!({"spec": {"affinity": {"$retainKeys": ["a"]}}})
        );
    }

    #[test]
    fn a_directive_that_nobody_knows_is_refused() {
        let deployment = json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}});
        let patch = json!({"spec": {"$patch": "nonsense"}});
        assert_eq!(
            refused(Kind::Deployment, deployment.clone(), &patch),
            "unknown patch type: nonsense in map: map[$patch:nonsense]"
        );
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "$patch": "bad"}]}}}});
        assert_eq!(
            refused(Kind::Deployment, deployment, &patch),
            "unknown patch type: bad in map: map[$patch:bad name:a]"
        );
    }

    #[test]
    fn a_list_item_without_its_key_is_refused() {
        let pod = json!({"spec": {"containers": [{"name": "a"}]}});
        assert_eq!(
            refused(Kind::Pod, pod, &json!({"spec": {"containers": [{"image": "x"}]}})),
            "map: map[image:x] does not contain declared merge key: name"
        );
    }

    #[test]
    fn a_field_that_is_sent_but_not_retained_is_refused() {
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["rollingUpdate"], "type": "Recreate"}}});
        let target = json!({"spec": {"strategy": {"type": "RollingUpdate"}}});
        assert_eq!(refused(Kind::Deployment, target, &patch), "invalid patch format of retainKeys");
    }

    #[test]
    fn a_list_where_there_was_none_is_taken_as_it_stands() {
        let patch = json!({"spec": {"ephemeralContainers": [{"image": "a"}, {"image": "b"}]}});
        assert_eq!(patched(json!({"spec": {}}), &patch), patch);
    }

    #[test]
    fn apply_lifts_a_gate_that_the_new_manifest_leaves_out() {
        let gates = json!({"spec": {"schedulingGates": [{"name": "x"}, {"name": "y"}], "containers": [{"name": "c"}]}});
        let new = json!({"spec": {"containers": [{"name": "c"}]}});
        let patch = super::super::three_way(Kind::Pod, &gates, &new, &gates);
        assert_eq!(patch, json!({"spec": {"schedulingGates": null}}));
        assert_eq!(patched(gates, &patch), new);
    }
}
