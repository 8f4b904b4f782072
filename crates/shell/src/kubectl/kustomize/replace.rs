//! Replacements: a value of one object stands in fields of others.
//!
//! Source: kustomize v5.5 `api/filters/replacement/replacement.go`, kyaml `yaml/match.go` (`PathMatcher`), `utils/pathsplitter.go`.

use serde_json::{Map, Value};

use super::{
    missing, patch, read,
    resource::{Resource, Resources, id},
};
use crate::{
    files,
    kubectl::{Done, Fail, Kube, field},
};

pub(super) fn run(
    kube: &Kube<'_, '_>,
    path: &str,
    file: &Map<String, Value>,
    resources: &mut Resources,
) -> Done {
    for entry in read::list(file, "replacements") {
        let named = field::text(entry, "path");
        if named.is_empty() {
            one(entry, resources)?;
            continue;
        }
        let place = files::resolve(path, named);
        let text = kube.shell.machine.files.read(&place).map_err(|_| Fail::Error(missing(&place, &place)))?;
        for entry in patch::objects(&text) {
            match entry {
                Value::Array(all) => all.iter().try_for_each(|entry| one(entry, resources))?,
                entry => one(&entry, resources)?,
            }
        }
    }
    Ok(())
}

fn one(entry: &Value, resources: &mut Resources) -> Done {
    let (source, targets) = (field::at(entry, "source"), field::at(entry, "targets"));
    let given = field::at(entry, "sourceValue");
    if (source.is_null() && given.is_null()) || targets.is_null() {
        return Fail::error("replacements must specify a source and at least one target");
    }
    let value = match (source.is_null(), given.is_null()) {
        (false, false) => return Fail::error("value and resource selectors are mutually exclusive"),
        (true, _) => given.clone(),
        (false, true) => value_of(source, resources)?,
    };
    for target in targets.as_array().into_iter().flatten() {
        let select = field::at(target, "select");
        if select.is_null() {
            return Fail::error("target must specify resources to select");
        }
        let rejects = field::list(target, "reject");
        let paths: Vec<String> = field::list(target, "fieldPaths").iter().map(field::word).collect();
        let paths = if paths.is_empty() { vec!["metadata.name".to_owned()] } else { paths };
        for resource in &mut resources.all {
            let chosen = selects(select, resource) && patch::is_labelled(resource, select);
            if !chosen || rejects.iter().any(|it| selects(it, resource) && patch::is_labelled(resource, it)) {
                continue;
            }
            for path in &paths {
                put(&mut resource.object, path, &value, field::at(target, "options"))?;
            }
        }
    }
    Ok(())
}

/// Whether a selector of group, version, kind, name and namespace means it, by any name it has had.
fn selects(selector: &Value, resource: &Resource) -> bool {
    let (group, version) = resource.group_version();
    let fits = |part: &str, own: &str| {
        let wanted = field::text(selector, part);
        wanted.is_empty() || wanted == own
    };
    fits("group", group)
        && fits("version", version)
        && fits("kind", resource.kind())
        && resource.names.iter().any(|name| fits("name", name))
        && fits("namespace", field::namespace(&resource.object))
}

fn value_of(source: &Value, resources: &Resources) -> Done<Value> {
    let text = |part: &str| field::text(source, part);
    let path = Some(text("fieldPath")).filter(|path| !path.is_empty()).unwrap_or("metadata.name");
    let shown = id([text("group"), text("version"), text("kind")], text("name"), text("namespace"));
    let mut found = resources.all.iter().filter(|it| selects(source, it));
    let selector = || format!("{shown}:{path}");
    let Some(resource) = found.next() else {
        return Fail::error(format!("nothing selected by {}", selector()));
    };
    if found.next().is_some() {
        return Fail::error(format!("multiple matches for selector {}", selector()));
    }
    let value = steps(path).iter().try_fold(&resource.object, |at, step| within(at, step));
    let Some(value) = value.filter(|value| !value.is_null()) else {
        return Fail::error(format!("fieldPath `{path}` is missing for replacement source {shown}"));
    };
    let options = field::at(source, "options");
    let mark = field::text(options, "delimiter");
    if mark.is_empty() {
        return Ok(value.clone());
    }
    if value.is_object() || value.is_array() {
        return Fail::error("delimiter option can only be used with scalar nodes");
    }
    let (text, index) = (field::word(value), field::int(options, "index"));
    let part = usize::try_from(index).ok().and_then(|index| text.split(mark).nth(index));
    part.map(Value::from)
        .ok_or_else(|| Fail::Error(format!("options.index {index} is out of bounds for value {text}")))
}

/// The steps of a path: cut at dots that are neither escaped nor in brackets.
fn steps(path: &str) -> Vec<String> {
    let (mut steps, mut depth) = (vec![String::new()], 0_u32);
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        let Some(last) = steps.last_mut() else { continue };
        match c {
            '\\' => last.extend(chars.next()),
            '.' if depth == 0 => steps.push(String::new()),
            c => {
                match c {
                    '[' => depth += 1,
                    ']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                last.push(c);
            }
        }
    }
    steps.into_iter().filter(|step| !step.is_empty()).collect()
}

/// `[name=web]`.
fn pair(step: &str) -> Option<(&str, &str)> {
    step.strip_prefix('[')?.strip_suffix(']')?.split_once('=')
}

fn within<'v>(at: &'v Value, step: &str) -> Option<&'v Value> {
    match (at, pair(step)) {
        (Value::Array(items), Some((key, wanted))) => {
            items.iter().find(|item| item.get(key).is_some_and(|own| field::word(own) == wanted))
        }
        (Value::Array(items), None) => items.get(step.parse::<usize>().ok()?),
        (at, _) => at.get(step),
    }
}

/// Puts a value at every place of an object that a path means.
fn put(object: &mut Value, path: &str, value: &Value, options: &Value) -> Done {
    let creates = field::at(options, "create") == &Value::Bool(true);
    let steps = steps(path);
    let mut found = 0;
    walk(object, &steps, creates, &mut |place| {
        found += 1;
        set(place, value, options)
    })?;
    if found == 0 {
        let done = if creates { "find or create" } else { "find" };
        return Fail::error(format!("unable to {done} field {path:?} in replacement target"));
    }
    Ok(())
}

fn walk(at: &mut Value, steps: &[String], creates: bool, act: &mut dyn FnMut(&mut Value) -> Done) -> Done {
    let Some((step, rest)) = steps.split_first() else { return act(at) };
    if at.is_null() && creates {
        *at = if pair(step).is_some() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match at {
        Value::Array(items) => {
            if let Some((key, wanted)) = pair(step) {
                let is_it = |item: &Value| item.get(key).is_some_and(|own| field::word(own) == wanted);
                if creates && !items.iter().any(is_it) {
                    items.push(serde_json::json!({ key: wanted }));
                }
                items.iter_mut().filter(|item| is_it(item)).try_for_each(|it| walk(it, rest, creates, act))
            } else if step == "*" {
                items.iter_mut().try_for_each(|it| walk(it, rest, creates, act))
            } else {
                let item = step.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                item.map_or(Ok(()), |item| walk(item, rest, creates, act))
            }
        }
        Value::Object(fields) if step == "*" => {
            fields.values_mut().try_for_each(|it| walk(it, rest, creates, act))
        }
        Value::Object(fields) => {
            if creates && !fields.contains_key(step) {
                fields.insert(step.clone(), Value::Null);
            }
            fields.get_mut(step).map_or(Ok(()), |inner| walk(inner, rest, creates, act))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// A field becomes the value, or with a delimiter one part of it does; what was a text or number stays one.
fn set(place: &mut Value, value: &Value, options: &Value) -> Done {
    let mark = field::text(options, "delimiter");
    let mut value = value.clone();
    if !mark.is_empty() {
        if place.is_object() || place.is_array() {
            return Fail::error("delimiter option can only be used with scalar nodes");
        }
        let own = field::word(place);
        let mut parts: Vec<String> = own.split(mark).map(str::to_owned).collect();
        let new = field::word(&value);
        match usize::try_from(field::int(options, "index")) {
            Err(_) => parts.insert(0, new),
            Ok(index) => match parts.get_mut(index) {
                Some(part) => *part = new,
                None => parts.push(new),
            },
        }
        value = parts.join(mark).into();
    }
    *place = match (&*place, &value) {
        (Value::String(_), Value::Number(_) | Value::Bool(_)) => field::word(&value).into(),
        (Value::Number(_) | Value::Bool(_), Value::String(text)) => serde_json::from_str(text)
            .ok()
            .filter(|it: &Value| !it.is_object() && !it.is_array())
            .unwrap_or(value),
        _ => value,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_a_field_is_replaced_where_the_path_leads() {
        let mut object =
            json!({"spec": {"c": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}], "n": 3}});
        let options = json!({"delimiter": ":", "index": 1});
        put(&mut object, "spec.c.[name=a].image", &json!("2"), &options).expect("replaced");
        put(&mut object, "spec.c.*.extra", &json!("e"), &json!({"create": true})).expect("made");
        put(&mut object, "spec.n", &json!("5"), &Value::Null).expect("replaced");
        assert_eq!(
            object,
            json!({"spec": {"c": [{"name": "a", "image": "x:2", "extra": "e"}, {"name": "b", "image": "y:1", "extra": "e"}], "n": 5}})
        );
        let lost = put(&mut object, "spec.q", &json!(1), &Value::Null).expect_err("not there");
        assert_eq!(lost.bare(), "unable to find field \"spec.q\" in replacement target");
    }
}
