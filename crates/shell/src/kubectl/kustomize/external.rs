//! The `transformers` of a kustomization: its own fields, written as objects.
//!
//! MODEL: only the built-in ones are known; functions and plugins would have to be run.
//! Source: kustomize v5.5 `api/internal/target/kusttarget.go` (`configureExternalTransformers`), `api/internal/builtins`.

use serde_json::{Map, Value, json};

use super::{label, patch, read, replace, resource::Resources, transform};
use crate::kubectl::{Done, Fail, Kube, field};

pub(super) fn run(
    kube: &mut Kube<'_, '_>,
    path: &str,
    file: &Map<String, Value>,
    above: &[String],
    resources: &mut Resources,
) -> Done {
    for entry in read::texts(file, "transformers") {
        let inline = patch::objects(&entry);
        let configured = if inline.iter().any(Value::is_object) {
            inline
        } else {
            super::one(kube, path, &entry, above)?.all.into_iter().map(|it| it.object).collect()
        };
        for object in configured {
            one(kube, path, &object, resources)?;
        }
    }
    Ok(())
}

fn one(kube: &Kube<'_, '_>, path: &str, object: &Value, resources: &mut Resources) -> Done {
    let part = |name: &str| field::at(object, name).clone();
    let as_file = |fields: Value| fields.as_object().cloned().unwrap_or_default();
    match field::text(object, "kind") {
        "PrefixTransformer" => transform::run(&as_file(json!({"namePrefix": part("prefix")})), resources),
        "SuffixTransformer" => transform::run(&as_file(json!({"nameSuffix": part("suffix")})), resources),
        "NamespaceTransformer" => {
            transform::run(&as_file(json!({"namespace": part("metadata.namespace")})), resources)
        }
        "ImageTagTransformer" => transform::run(&as_file(json!({"images": [part("imageTag")]})), resources),
        "ReplicaCountTransformer" => {
            transform::run(&as_file(json!({"replicas": [part("replica")]})), resources)
        }
        "LabelTransformer" => {
            label::by_specs(resources, &part("labels"), field::list(object, "fieldSpecs"));
            Ok(())
        }
        "AnnotationsTransformer" => {
            label::by_specs(resources, &part("annotations"), field::list(object, "fieldSpecs"));
            Ok(())
        }
        "PatchTransformer" | "PatchJson6902Transformer" => {
            let jsonop = part("jsonOp");
            let inline = if jsonop.is_null() { part("patch") } else { jsonop };
            let entry = json!({"patch": inline, "path": part("path"), "target": part("target")});
            patch::run(kube, path, &as_file(json!({"patches": [entry]})), resources)
        }
        "PatchStrategicMergeTransformer" => {
            let file = as_file(json!({"patchesStrategicMerge": part("paths")}));
            patch::run(kube, path, &file, resources)
        }
        "ReplacementTransformer" => {
            replace::run(kube, path, &as_file(json!({"replacements": part("replacements")})), resources)
        }
        other => Err(Fail::Plain(format!(
            "lab: transformers of kind {other} of a kustomization are not simulated"
        ))),
    }
}
