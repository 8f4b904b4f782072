//! Which fields differ, which does a manifest name, and what do two objects make together?
//!
//! Source: structured-merge-diff `typed/{compare,tofieldset,merge,remove}.go`.

use serde_json::{Map, Value};

use super::{
    set::Set,
    shape::{Listed, Shape},
};

/// How deep objects are followed.
pub(super) const DEEPEST: usize = 64;

/// What became of the fields.
#[derive(Default)]
pub(super) struct Changed {
    pub(super) added: Set,
    pub(super) removed: Set,
    pub(super) modified: Set,
}

impl Changed {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.modified.is_empty()
    }
}

/// The step to an item of a list; `None` if the list is owned as a whole.
pub(super) fn step(listed: &Listed, item: &Value) -> Option<String> {
    match listed {
        Listed::Whole => None,
        Listed::Values => Some(format!("v:{item}")),
        Listed::Keys(keys) => {
            let key: Map<String, Value> = keys
                .iter()
                .filter_map(|(name, default)| {
                    let value = item.get(name).or(default.as_ref())?;
                    Some((name.clone(), value.clone()))
                })
                .collect();
            Some(format!("k:{}", Value::Object(key)))
        }
    }
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

pub(super) fn compare(shape: Shape<'_>, old: &Value, new: &Value) -> Changed {
    let mut changed = Changed::default();
    differ(shape, Some(old), Some(new), &mut Vec::new(), &mut changed);
    changed
}

fn differ(
    shape: Shape<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<String>,
    changed: &mut Changed,
) {
    if old == new || path.len() > DEEPEST {
        return;
    }
    let leaf = |changed: &mut Changed, path: &[String]| match (old, new) {
        (None, _) => changed.added.insert(path),
        (_, None) => changed.removed.insert(path),
        _ => changed.modified.insert(path),
    };
    // Nothing but `null` is there, and takes the form of the other side.
    let is = |form: fn(&Value) -> bool| {
        let fits = |side: Option<&Value>| side.is_none_or(|value| value.is_null() || form(value));
        fits(old) && fits(new) && (old.is_some_and(form) || new.is_some_and(form))
    };
    let (is_map, is_list) = (is(Value::is_object), is(Value::is_array));
    let listed = if is_list { shape.listed() } else { Listed::Whole };
    let is_leaf = (is_blank(old) && is_blank(new))
        || (is_map && shape.is_whole())
        || (is_list && matches!(listed, Listed::Whole))
        || !(is_map || is_list);
    if is_leaf {
        leaf(changed, path);
        return;
    }
    if is_map {
        let empty = Map::new();
        let a = old.and_then(Value::as_object).unwrap_or(&empty);
        let b = new.and_then(Value::as_object).unwrap_or(&empty);
        let is_root = path.is_empty();
        for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
            path.push(format!("f:{name}"));
            differ(shape.field(name, is_root).0, a.get(name), b.get(name), path, changed);
            path.pop();
        }
    } else {
        let items = |list: Option<&Value>| -> Vec<(String, Value)> {
            let items = list.and_then(Value::as_array).into_iter().flatten();
            items.filter_map(|item| Some((step(&listed, item)?, item.clone()))).collect()
        };
        let (a, b) = (items(old), items(new));
        let find = |list: &[(String, Value)], step: &str| {
            list.iter().find(|(it, _)| it == step).map(|(_, item)| item.clone())
        };
        let steps =
            a.iter().chain(b.iter().filter(|(step, _)| find(&a, step).is_none())).map(|(step, _)| step);
        for step in steps {
            path.push(step.clone());
            differ(shape.item(), find(&a, step).as_ref(), find(&b, step).as_ref(), path, changed);
            path.pop();
        }
    }
    if !path.is_empty() && (old.is_none() || new.is_none()) {
        leaf(changed, path);
    }
}

/// The fields that a manifest names.
pub(super) fn fields(shape: Shape<'_>, manifest: &Value) -> Set {
    let mut set = Set::default();
    name(shape, manifest, &mut Vec::new(), &mut set);
    set
}

fn name(shape: Shape<'_>, value: &Value, path: &mut Vec<String>, set: &mut Set) {
    if path.len() > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) if !shape.is_whole() => {
            let is_root = path.is_empty();
            for (field, value) in fields {
                let (own, is_named) = shape.field(field, is_root);
                path.push(format!("f:{field}"));
                name(own, value, path, set);
                let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if is_empty || !is_named {
                    set.insert(path);
                }
                path.pop();
            }
        }
        Value::Array(items) => {
            let listed = shape.listed();
            if matches!(listed, Listed::Whole) {
                set.insert(path);
                return;
            }
            for item in items {
                if let Some(step) = step(&listed, item) {
                    path.push(step);
                    name(shape.item(), item, path, set);
                    set.insert(path);
                    path.pop();
                }
            }
        }
        _ => set.insert(path),
    }
}

/// A manifest over an object: what it names takes the place of what was there, the rest stays.
pub(super) fn merge(shape: Shape<'_>, live: &Value, manifest: &Value) -> Value {
    merge_at(shape, live, manifest, 0)
}

fn merge_at(shape: Shape<'_>, live: &Value, manifest: &Value, depth: usize) -> Value {
    match (live, manifest) {
        (Value::Object(live), Value::Object(wanted)) if !shape.is_whole() && depth <= DEEPEST => {
            let mut out = live.clone();
            for (name, value) in wanted {
                let own = shape.field(name, depth == 0).0;
                let merged = match live.get(name) {
                    Some(live) => merge_at(own, live, value, depth + 1),
                    None => value.clone(),
                };
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Value::Array(live), Value::Array(wanted)) if depth <= DEEPEST => {
            let listed = shape.listed();
            if matches!(listed, Listed::Whole) {
                return manifest.clone();
            }
            let find = |list: &[Value], wanted: &Option<String>| {
                list.iter().position(|item| step(&listed, item) == *wanted)
            };
            // The manifest's items in its order, each where the first of them stood; what it does not name stays around them.
            let mut out: Vec<Value> = Vec::new();
            let mut next = 0;
            for item in live {
                match find(wanted, &step(&listed, item)) {
                    None => out.push(item.clone()),
                    Some(at) => {
                        while next <= at {
                            let item = &wanted[next];
                            let merged = match find(live, &step(&listed, item)) {
                                Some(had) => merge_at(shape.item(), &live[had], item, depth + 1),
                                None => item.clone(),
                            };
                            out.push(merged);
                            next += 1;
                        }
                    }
                }
            }
            out.extend(wanted[next.min(wanted.len())..].iter().map(|item| {
                match find(live, &step(&listed, item)) {
                    Some(had) => merge_at(shape.item(), &live[had], item, depth + 1),
                    None => item.clone(),
                }
            }));
            Value::Array(out)
        }
        _ => manifest.clone(),
    }
}

/// Takes the fields of `gone` out, unless they are kept or something below them is.
pub(super) fn remove(shape: Shape<'_>, value: &mut Value, gone: &Set, kept: &Set) {
    remove_at(shape, value, gone, Some(kept), 0);
}

fn remove_at(shape: Shape<'_>, value: &mut Value, gone: &Set, kept: Option<&Set>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    let is_kept = |step: &str| {
        kept.is_some_and(|kept| {
            kept.members().contains(step) || kept.below(step).is_some_and(|it| !it.is_empty())
        })
    };
    match value {
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            for name in names {
                let step = format!("f:{name}");
                if gone.members().contains(&step) && !is_kept(&step) {
                    fields.remove(&name);
                    continue;
                }
                if let (Some(inner), Some(value)) = (gone.below(&step), fields.get_mut(&name)) {
                    let own = shape.field(&name, depth == 0).0;
                    remove_at(own, value, inner, kept.and_then(|kept| kept.below(&step)), depth + 1);
                    if is_blank(Some(value)) && !is_kept(&step) {
                        fields.remove(&name);
                    }
                }
            }
        }
        Value::Array(items) => {
            let listed = shape.listed();
            items.retain_mut(|item| {
                let Some(step) = step(&listed, item) else { return true };
                if gone.members().contains(&step) && !is_kept(&step) {
                    return false;
                }
                if let Some(inner) = gone.below(&step) {
                    let kept = kept.and_then(|kept| kept.below(&step));
                    remove_at(shape.item(), item, inner, kept, depth + 1);
                }
                true
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
