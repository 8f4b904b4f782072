//! Names, namespaces, labels, replicas and images, in kustomize's order.

use api::Scope;
use serde_json::{Map, Value};

use super::{label, read, resource::Resources};
use crate::kubectl::{Done, Fail, field};

/// Kinds whose names nothing is put before or behind.
const UNNAMED: [&str; 3] = ["APIService", "CustomResourceDefinition", "Namespace"];
/// Kinds that replicas are about.
const REPLICATED: [&str; 4] = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

pub(super) fn run(file: &Map<String, Value>, resources: &mut Resources) -> Done {
    let text = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
    let namespace = text("namespace");
    if !namespace.is_empty() {
        for resource in &mut resources.all {
            if resource.kind() == "Namespace" {
                resource.rename(namespace.to_owned());
            } else if resource.known().is_none_or(|kind| kind.info().scope == Scope::Namespaced) {
                resource.object["metadata"]["namespace"] = namespace.into();
            }
        }
        accounts(resources, namespace);
    }
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    for resource in resources.all.iter_mut().filter(|it| !UNNAMED.contains(&it.kind())) {
        resource.rename(format!("{prefix}{}{suffix}", resource.name()));
    }
    label::labels(file, resources);
    label::annotations(file, resources);
    for entry in read::list(file, "replicas") {
        let name = field::text(entry, "name");
        let mut found = false;
        for resource in &mut resources.all {
            if REPLICATED.contains(&resource.kind()) && resource.is_called(name) {
                *field::make(&mut resource.object, "spec.replicas") = field::at(entry, "count").clone();
                found = true;
            }
        }
        if !found {
            let kinds = REPLICATED.map(|kind| format!("{kind}.[noVer].[noGrp]")).join(" ");
            return Fail::error(format!(
                "resource with name {name} does not match a config with the following GVK [{kinds}]"
            ));
        }
    }
    for entry in read::list(file, "images") {
        for resource in &mut resources.all {
            images(&mut resource.object, entry);
        }
    }
    Ok(())
}

/// The accounts that bindings name, where they are the default one or built here too.
fn accounts(resources: &mut Resources, namespace: &str) {
    let accounts: Vec<Vec<String>> =
        resources.all.iter().filter(|it| it.kind() == "ServiceAccount").map(|it| it.names.clone()).collect();
    for resource in resources.all.iter_mut().filter(|it| it.kind().ends_with("RoleBinding")) {
        let subjects = resource.object.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            let name = field::text(subject, "name").to_owned();
            let ours = name == "default" || accounts.iter().any(|names| names.contains(&name));
            if field::text(subject, "kind") == "ServiceAccount" && ours {
                subject["namespace"] = namespace.into();
            }
        }
    }
}

/// Another image for every container that has this one.
fn images(at: &mut Value, entry: &Value) {
    match at {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let ("containers" | "initContainers", Value::Array(containers)) =
                    (name.as_str(), &mut *value)
                {
                    for container in containers {
                        if let Some(Value::String(image)) = container.get_mut("image") {
                            *image = changed(image, entry);
                        }
                    }
                } else {
                    images(value, entry);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| images(item, entry)),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

fn changed(image: &str, entry: &Value) -> String {
    let (bare, digest) = image.split_once('@').map_or((image, None), |(bare, digest)| (bare, Some(digest)));
    let slash = bare.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match bare[slash..].find(':') {
        Some(at) => (&bare[..slash + at], Some(&bare[slash + at + 1..])),
        None => (bare, None),
    };
    if name != field::text(entry, "name") {
        return image.to_owned();
    }
    let given = |part: &str| Some(field::word(field::at(entry, part))).filter(|it| !it.is_empty());
    let given = |part: &str| if field::at(entry, part).is_null() { None } else { given(part) };
    let name = given("newName").unwrap_or_else(|| name.to_owned());
    let suffix = given("tagSuffix").unwrap_or_default();
    match (given("newTag"), given("digest")) {
        (Some(tag), Some(digest)) => format!("{name}:{tag}@{digest}"),
        (None, Some(digest)) => format!("{name}@{digest}"),
        (Some(tag), None) => format!("{name}:{tag}"),
        (None, None) => {
            let tag = tag.map(|tag| format!(":{tag}{suffix}")).unwrap_or_default();
            let digest = digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            format!("{name}{tag}{digest}")
        }
    }
}
