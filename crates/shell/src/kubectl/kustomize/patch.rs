//! The patches of a kustomization.

use api::{emit, label::Selector};
use serde_json::{Map, Value};

use super::{
    missing, read,
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
    let text_of = |name: &str| {
        let place = files::resolve(path, name);
        kube.shell.machine.files.read(&place).map_err(|_| missing(&place, &place))
    };
    for entry in read::texts(file, "patchesStrategicMerge") {
        // An entry is the patch itself, or the file that holds it.
        let text = text_of(&entry).map_or_else(|_| entry.clone(), |text| text.to_string());
        for patch in objects(&text) {
            strategic(resources, &Value::Null, &patch)?;
        }
    }
    for entry in read::list(file, "patches").chain(read::list(file, "patchesJson6902")) {
        let trouble = |why: String| {
            let config = emit::yaml(entry);
            Fail::Error(format!(
                "trouble configuring builtin PatchTransformer with config: `\n{config}`: {why}"
            ))
        };
        let (inline, named) = (field::text(entry, "patch"), field::text(entry, "path"));
        let text = match (inline.is_empty(), named.is_empty()) {
            (false, true) => inline.to_owned(),
            (true, false) => text_of(named)
                .map_err(|why| trouble(format!("failed to get the patch file from path({named}): {why}")))?
                .to_string(),
            (false, false) => return Err(trouble("patch and path can't be set at the same time".to_owned())),
            (true, true) => return Err(trouble("must specify one of patch and path in\n".to_owned())),
        };
        let said = if inline.is_empty() { format!("path: {named:?}") } else { format!("patch: {inline:?}") };
        let parsed = objects(&text);
        let target = field::at(entry, "target");
        match parsed.as_slice() {
            [operations @ Value::Array(_)] => by_operations(resources, target, operations, &trouble)?,
            [] => return Err(trouble(format!("unable to parse SM or JSON patch from [{said}]"))),
            patches if patches.iter().all(|it| it["kind"].is_string()) => {
                for patch in patches {
                    strategic(resources, target, patch)?;
                }
            }
            _ => {
                let said = if inline.is_empty() { said } else { format!("patch: {inline:?}") };
                return Err(trouble(format!("unable to parse SM or JSON patch from [{said}]")));
            }
        }
    }
    Ok(())
}

/// The objects of a text, without empty ones.
pub(super) fn objects(text: &str) -> Vec<Value> {
    let reading = api::text::read(text);
    reading.documents.iter().map(api::text::Document::to_value).filter(|it| !it.is_null()).collect()
}

fn by_operations(
    resources: &mut Resources,
    target: &Value,
    operations: &Value,
    trouble: &dyn Fn(String) -> Fail,
) -> Done {
    if target.is_null() {
        return Err(trouble("must specify a target for JSON patch".to_owned()));
    }
    for resource in resources.all.iter_mut().filter(|it| is_meant(it, target)) {
        let patched = api::patch::json_patch(&mut resource.object, operations);
        patched.map_err(|error| Fail::Error(error.to_string()))?;
        follow(resource);
    }
    Ok(())
}

fn strategic(resources: &mut Resources, target: &Value, patch: &Value) -> Done {
    let version = field::text(patch, "apiVersion");
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let (kind, name) = (field::text(patch, "kind"), field::name(patch));
    let meant: Vec<usize> = (0..resources.all.len())
        .filter(|at| {
            let it = &resources.all[*at];
            if target.is_null() { it.kind() == kind && it.is_called(name) } else { is_meant(it, target) }
        })
        .collect();
    if meant.is_empty() && target.is_null() {
        let id = id([group, version, kind], name, field::namespace(patch));
        return Fail::error(format!("no matches for Id {id}; failed to find unique target for patch {id}"));
    }
    for at in meant.into_iter().rev() {
        if field::text(patch, "$patch") == "delete" {
            resources.all.remove(at);
            continue;
        }
        let resource = &mut resources.all[at];
        let (own_kind, own_name) = (resource.kind().to_owned(), resource.name().to_owned());
        let mut patch = patch.clone();
        // What the patch is called chooses its target and changes nothing.
        if let Some(meta) = patch.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.insert("name".to_owned(), own_name.into());
        }
        if let Some(fields) = patch.as_object_mut() {
            fields.insert("kind".to_owned(), own_kind.into());
            fields.remove("apiVersion");
        }
        let merged = match resource.known() {
            Some(kind) => api::patch::strategic_merge(kind, &mut resource.object, &patch),
            None => {
                api::patch::json_merge(&mut resource.object, &patch);
                Ok(())
            }
        };
        merged.map_err(|error| Fail::Error(error.to_string()))?;
        reorder(&mut resource.object, &patch);
    }
    Ok(())
}

/// A name that a patch changed is one more name.
fn follow(resource: &mut Resource) {
    let name = resource.name().to_owned();
    if !resource.is_called(&name) {
        resource.names.push(name);
    }
}

/// Whether a target means it; every part is a pattern for the whole.
fn is_meant(resource: &Resource, target: &Value) -> bool {
    let (group, version) = resource.group_version();
    let fits = |part: &str, own: &str| {
        let pattern = field::text(target, part);
        pattern.is_empty() || regex::Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|it| it.is_match(own))
    };
    fits("group", group)
        && fits("version", version)
        && fits("kind", resource.kind())
        && resource.names.iter().any(|name| fits("name", name))
        && fits("namespace", field::namespace(&resource.object))
        && is_labelled(resource, target)
}

/// Whether the selectors of a target mean its labels and annotations.
pub(super) fn is_labelled(resource: &Resource, target: &Value) -> bool {
    let selected = |part: &str, of: &str| {
        let text = field::text(target, part);
        let own = field::map(&resource.object, of).map(|(k, v)| (k.to_owned(), field::word(v))).collect();
        text.is_empty() || Selector::parse(text).is_ok_and(|selector| selector.matches(&own))
    };
    selected("labelSelector", "metadata.labels") && selected("annotationSelector", "metadata.annotations")
}

/// Fields by which elements of lists are known.
const KEYS: [&str; 7] = ["mountPath", "devicePath", "ip", "type", "topologyKey", "name", "containerPort"];

/// UPSTREAM: what a patch names stands first in a merged list, in the patch's order.
fn reorder(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, inner) in patch {
                if let Some(own) = target.get_mut(key) {
                    reorder(own, inner);
                }
            }
        }
        (Value::Array(target), Value::Array(patch)) => {
            let known = |key: &&str| patch.iter().chain(target.iter()).all(|it| it.get(key).is_some());
            let Some(key) = KEYS.into_iter().find(|key| known(key)) else { return };
            target.sort_by_key(|it| {
                patch.iter().position(|other| other[key] == it[key]).unwrap_or(patch.len())
            });
            for own in target.iter_mut() {
                if let Some(inner) = patch.iter().find(|other| other[key] == own[key]) {
                    reorder(own, inner);
                }
            }
        }
        _ => {}
    }
}
