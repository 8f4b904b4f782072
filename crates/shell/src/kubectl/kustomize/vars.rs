//! Variables: `$(NAME)` in a container's words stands for a field of some object, names as they are in the end.
//!
//! Source: kustomize v5.5 `api/internal/accumulator/{resaccumulator,refvartransformer}.go`, `konfig/builtinpluginconsts/varreference.go`.

use serde_json::Value;

use super::resource::Resources;
use crate::kubectl::{Done, Fail, field};

/// Fields whose texts may name variables, by the field that holds them; an empty one holds any.
const READ: [(&str, &str); 9] = [
    ("containers", "args"),
    ("containers", "command"),
    ("initContainers", "args"),
    ("initContainers", "command"),
    ("env", "value"),
    ("volumeMounts", "mountPath"),
    ("nfs", "server"),
    ("rules", "host"),
    ("tls", "hosts"),
];

/// Puts the values of all variables where they are named.
pub(super) fn resolve(resources: &mut Resources) -> Done {
    let mut values = Vec::new();
    for var in &resources.vars {
        let object = field::at(var, "objref");
        let (kind, name) = (field::text(object, "kind"), field::text(object, "name"));
        let path = Some(field::text(var, "fieldref.fieldpath")).filter(|it| !it.is_empty());
        let called = field::text(var, "name");
        let found = resources.all.iter().find(|it| it.kind() == kind && it.is_called(name));
        let Some(found) = found else {
            return Fail::error(format!(
                "var '{{{called} {{{{kind: {kind}}} {name} }} {{{}}}}}' cannot be mapped to a field in the set of known resources",
                path.unwrap_or("metadata.name")
            ));
        };
        let value = field::at(&found.object, path.unwrap_or("metadata.name")).clone();
        values.push((format!("$({called})"), value));
    }
    if !values.is_empty() {
        resources.all.iter_mut().for_each(|it| walk(&mut it.object, "", "", false, &values));
    }
    Ok(())
}

fn walk(at: &mut Value, parent: &str, name: &str, reads: bool, values: &[(String, Value)]) {
    match at {
        Value::Object(fields) => {
            for (key, value) in fields {
                let marks = matches!(name, "labels" | "annotations") && parent == "metadata";
                walk(value, name, key, marks || READ.contains(&(name, key)), values);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, parent, name, reads, values)),
        Value::String(text) if reads => {
            // UPSTREAM: a field that is nothing but a variable takes its value with its type.
            if let Some((_, value)) = values.iter().find(|(var, _)| var == text) {
                *at = value.clone();
                return;
            }
            for (var, value) in values {
                *text = text.replace(var, &field::word(value));
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
