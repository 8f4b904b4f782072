//! ConfigMaps and Secrets that a kustomization makes, and the hash at the end of their names.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    missing, read,
    resource::{Resource, Resources},
};
use crate::{
    files,
    kubectl::{Done, Fail, Kube, field},
};

/// The hash of a ConfigMap or Secret as it stands at the end of a name; `name` is what counts as its own.
///
/// UPSTREAM: kubectl counts the name, kustomize the empty text.
pub(in crate::kubectl) fn hashed(object: &Value, name: &str) -> String {
    let data = |field: &str| object.get(field).filter(|it| !it.is_null()).cloned();
    let kind = field::text(object, "kind");
    // UPSTREAM: where there is no data kustomize counts an empty text.
    let none = if name.is_empty() { json!("") } else { json!({}) };
    let mut counted = json!({"kind": kind, "name": name, "data": data("data").unwrap_or(none)});
    if kind == "Secret" {
        counted["type"] = data("type").unwrap_or(json!(""));
    }
    for more in ["binaryData", "stringData"] {
        if let Some(value) = data(more) {
            counted[more] = value;
        }
    }
    if let Some(value) = data("immutable").filter(|_| !name.is_empty()) {
        counted["immutable"] = value;
    }
    let digest = Sha256::digest(api::emit::compact(&counted));
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    // No vowels, no words.
    hex.chars()
        .map(|c| match c {
            '0' => 'g',
            '1' => 'h',
            '3' => 'k',
            'a' => 'm',
            'e' => 't',
            other => other,
        })
        .collect()
}

/// What the generators of a kustomization add.
pub(super) fn run(
    kube: &Kube<'_, '_>,
    path: &str,
    file: &Map<String, Value>,
    resources: &mut Resources,
) -> Done {
    for (generator, kind, word) in
        [("configMapGenerator", "ConfigMap", "configmap"), ("secretGenerator", "Secret", "secret")]
    {
        for args in read::list(file, generator) {
            let name = field::text(args, "name");
            if name.is_empty() {
                return Fail::error(format!("a {word} must have a name"));
            }
            let mut data = Map::new();
            pairs(kube, path, args, &mut data)
                .map_err(|fail| Fail::Error(format!("loading KV pairs: {}", fail.bare())))?;
            let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
            if kind == "Secret" {
                let given = field::text(args, "type");
                object["type"] = if given.is_empty() { "Opaque" } else { given }.into();
                for value in data.values_mut() {
                    *value = STANDARD.encode(value.as_str().unwrap_or_default()).into();
                }
            }
            if !data.is_empty() {
                object["data"] = data.into();
            }
            let namespace = field::text(args, "namespace");
            if !namespace.is_empty() {
                object["metadata"]["namespace"] = namespace.into();
            }
            let shared = file.get("generatorOptions").unwrap_or(&Value::Null);
            let own = field::at(args, "options");
            for part in ["labels", "annotations"] {
                let all = [shared, own].into_iter().flat_map(|it| field::map(it, part));
                let all: Map<String, Value> =
                    all.map(|(key, value)| (key.to_owned(), value.clone())).collect();
                if !all.is_empty() {
                    object["metadata"][part] = all.into();
                }
            }
            let on = |name: &str| [shared, own].iter().any(|it| field::at(it, name) == &Value::Bool(true));
            if on("immutable") {
                object["immutable"] = true.into();
            }
            let hash = !on("disableNameSuffixHash");
            place(resources, Resource { hash, ..Resource::new(object) }, field::text(args, "behavior"))?;
        }
    }
    Ok(())
}

/// Adds it, or changes the one there is.
fn place(resources: &mut Resources, made: Resource, behavior: &str) -> Done {
    if !matches!(behavior, "merge" | "replace") {
        return resources.add(made).map_err(Fail::Error);
    }
    let there = resources.all.iter_mut().find(|it| it.kind() == made.kind() && it.is_called(made.name()));
    let Some(there) = there else {
        return Fail::error(format!(
            "merging from generator &{{0xc0009a2820 <nil>}}: id resid.ResId{{Gvk:resid.Gvk{{Group:\"\", Version:\"v1\", Kind:\"{}\", isClusterScoped:false}}, Name:\"{}\", Namespace:\"{}\"}} does not exist; cannot {behavior} or replace",
            made.kind(),
            made.name(),
            field::namespace(&made.object)
        )
        .replace("cannot replace or", "cannot merge or"));
    };
    for part in ["data", "metadata.labels", "metadata.annotations"] {
        let mut all = Map::new();
        let before = (part != "data" || behavior == "merge").then(|| field::at(&there.object, part));
        for from in before.into_iter().chain([field::at(&made.object, part)]) {
            all.extend(from.as_object().cloned().unwrap_or_default());
        }
        if !all.is_empty() {
            *field::make(&mut there.object, part) = all.into();
        }
    }
    there.hash = made.hash;
    Ok(())
}

fn pairs(kube: &Kube<'_, '_>, path: &str, args: &Value, data: &mut Map<String, Value>) -> Done {
    let read = |file: &str| {
        let place = files::resolve(path, file);
        let text = kube.shell.machine.files.read(&place);
        text.map_err(|_| Fail::Error(missing(&place, &place)))
    };
    let texts = |name: &str| field::list(args, name).iter().filter_map(Value::as_str);
    let mut put = |key: &str, value: &str| {
        if data.contains_key(key) {
            let (kind, name) = ("configmap", field::text(args, "name"));
            return Fail::error(format!(
                "cannot add key {key:?}, another key by that name already exists in {kind} {name}"
            ));
        }
        data.insert(key.to_owned(), value.into());
        Ok(())
    };
    for file in texts("envs").chain(args.get("env").and_then(Value::as_str)) {
        let text =
            read(file).map_err(|fail| Fail::Error(format!("env source files: [{file}]: {}", fail.bare())))?;
        for line in text.lines().map(str::trim_start).filter(|it| !it.is_empty() && !it.starts_with('#')) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            put(key, value)?;
        }
    }
    let listed: Vec<&str> = texts("literals").collect();
    for literal in &listed {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Fail::error(format!(
                "literal sources [{}]: invalid literal source {literal}, expected key=value",
                listed.join(" ")
            ));
        };
        put(key, unquoted(value))?;
    }
    let listed: Vec<&str> = texts("files").collect();
    for source in &listed {
        let (key, file) = source.split_once('=').unwrap_or((files::base(source), source));
        let text = read(file)
            .map_err(|fail| Fail::Error(format!("file sources: [{}]: {}", listed.join(" "), fail.bare())))?;
        put(key, &text)?;
    }
    Ok(())
}

/// A literal's value without the quotes around it.
fn unquoted(text: &str) -> &str {
    let within = |quote: char| {
        text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).filter(|_| text.len() > 1)
    };
    within('"').or_else(|| within('\'')).unwrap_or(text)
}
