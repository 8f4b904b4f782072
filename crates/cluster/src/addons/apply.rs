//! What does EKS change when it applies an add-on?
//!
//! The fields of the manifest, as server-side apply by EKS would: what somebody else has set to another value is a conflict,
//! which `resolveConflicts` decides. What a manifest no longer names goes, unless somebody else has set it.
//! MODEL: whose a field is, is told by whether it still has the value that EKS gave it.
//! Source: the EKS API reference (`resolveConflicts`); the message: amazon-vpc-cni-k8s issue #2607.

use api::Object;
use serde_json::Value;

use crate::{Key, Turn};

/// What happens to fields that somebody else has set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolve {
    /// Nothing is changed at all.
    None,
    /// They get EKS's value.
    Overwrite,
    /// They stay.
    Preserve,
}

/// A step into an object: a field, or the element of a list with this name or place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Named(String),
    At(usize),
}

type Leaves = Vec<(Vec<Step>, Value)>;

/// Applies objects that were `before` (as EKS last rendered them).
/// # Errors
/// The message of `ConfigurationConflict`; nothing is changed.
pub(crate) fn apply(
    turn: &mut Turn<'_>,
    before: &[Object],
    objects: Vec<Object>,
    how: Resolve,
) -> Result<(), String> {
    let mut conflicts = Vec::new();
    let mut writes = Vec::new();
    for object in objects {
        let key = Key::new(turn.cluster(), object.kind(), object.namespace(), object.name());
        let Some(live) = turn.store().object(&key).map(|live| live.to_value()) else {
            writes.push((object, true));
            continue;
        };
        let was = before.iter().find(|it| it.kind() == object.kind() && it.name() == object.name());
        let (was, new) =
            (was.map(|it| leaves(&it.to_value())).unwrap_or_default(), leaves(&object.to_value()));
        let mut value = live.clone();
        for (path, wanted) in &new {
            let (is, had) = (get(&live, path), find(&was, path));
            if is == Some(wanted) {
                continue;
            }
            if had.is_none_or(|had| is.is_some_and(|is| is != had)) && is.is_some() {
                conflicts.push(format!("{} {} - {}", title(&object), object.name(), shown(path)));
                if how == Resolve::Preserve {
                    continue;
                }
            }
            put(&mut value, path, wanted);
        }
        for (path, had) in was.iter().filter(|(path, _)| find(&new, path).is_none()) {
            if get(&live, path) == Some(had) {
                remove(&mut value, path);
            }
        }
        if value != live
            && let Ok(changed) = Object::from_value(object.kind(), value)
        {
            writes.push((changed, false));
        }
    }
    if how == Resolve::None && !conflicts.is_empty() {
        return Err(format!(
            "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:\n{}",
            conflicts.join("\n")
        ));
    }
    for (object, new) in writes {
        // A refusal is of an object that somebody deletes at this moment; the next update makes it anew.
        let _ = if new { turn.create_object(object) } else { turn.update_object(object) };
    }
    Ok(())
}

/// Every scalar of what an add-on says of an object, by its path. Status and what the server fills in are not its own.
fn leaves(value: &Value) -> Leaves {
    let mut out = Vec::new();
    for (field, inner) in value.as_object().into_iter().flatten() {
        if ["spec", "data", "rules"].contains(&field.as_str()) {
            walk(inner, &mut vec![Step::Field(field.clone())], &mut out);
        }
    }
    out
}

fn walk(value: &Value, path: &mut Vec<Step>, out: &mut Leaves) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                path.push(Step::Field(field.clone()));
                walk(inner, path, out);
                path.pop();
            }
        }
        Value::Array(items) if items.iter().all(|item| item["name"].is_string()) => {
            for item in items {
                path.push(Step::Named(item["name"].as_str().unwrap_or_default().to_owned()));
                walk(item, path, out);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                path.push(Step::At(at));
                walk(item, path, out);
                path.pop();
            }
        }
        scalar => out.push((path.clone(), scalar.clone())),
    }
}

fn find<'l>(leaves: &'l Leaves, path: &[Step]) -> Option<&'l Value> {
    leaves.iter().find(|(at, _)| at == path).map(|(_, value)| value)
}

fn get<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Field(field) => value.get(field),
        Step::Named(name) => value.as_array()?.iter().find(|item| item["name"] == name.as_str()),
        Step::At(at) => value.get(at),
    })
}

fn put(value: &mut Value, path: &[Step], new: &Value) {
    let Some((step, rest)) = path.split_first() else {
        *value = new.clone();
        return;
    };
    match step {
        Step::Field(field) => {
            if !value.is_object() {
                *value = Value::Object(serde_json::Map::new());
            }
            put(&mut value[field], rest, new);
        }
        Step::Named(_) | Step::At(_) => {
            if !value.is_array() {
                *value = Value::Array(Vec::new());
            }
            let Value::Array(items) = value else { return };
            let place = match step {
                Step::Named(name) => items.iter().position(|item| item["name"] == name.as_str()),
                Step::At(at) => Some(*at).filter(|at| *at < items.len()),
                Step::Field(_) => None,
            };
            let at = place.unwrap_or_else(|| {
                items.push(Value::Null);
                items.len() - 1
            });
            put(&mut items[at], rest, new);
        }
    }
}

/// Takes a scalar out; a variable goes with its value.
fn remove(value: &mut Value, path: &[Step]) {
    let parent = path.len() - 1;
    if let [list @ .., Step::Named(name)] = &path[..parent]
        && list.last() == Some(&Step::Field("env".to_owned()))
    {
        if let Some(items) = at_mut(value, list).and_then(Value::as_array_mut) {
            items.retain(|item| item["name"] != name.as_str());
        }
    } else if let (Some(fields), Step::Field(field)) =
        (at_mut(value, &path[..parent]).and_then(Value::as_object_mut), &path[parent])
    {
        fields.remove(field);
    }
}

fn at_mut<'v>(value: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Field(field) => value.get_mut(field),
        Step::Named(name) => value.as_array_mut()?.iter_mut().find(|item| item["name"] == name.as_str()),
        Step::At(at) => value.get_mut(at),
    })
}

/// `DaemonSet.apps`.
fn title(object: &Object) -> String {
    let info = object.kind().info();
    if info.group.is_empty() { info.kind.to_owned() } else { format!("{}.{}", info.kind, info.group) }
}

fn shown(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Field(field) => format!(".{field}"),
            Step::Named(name) => format!("[name={name:?}]"),
            Step::At(at) => format!("[{at}]"),
        })
        .collect()
}
