//! Reading a kustomization file.

use serde_json::{Map, Value};

use crate::{
    files::Entry,
    kubectl::{Done, Fail, Kube},
};

/// Fields that are still read, and what stands for them now.
pub(super) const DEPRECATED: &[(&str, &str)] = &[
    ("commonLabels", "labels"),
    ("bases", "resources"),
    ("imageTags", "images"),
    ("patches_json6902", "patches"),
    ("patchesJson6902", "patches"),
    ("patchesStrategicMerge", "patches"),
    ("vars", "replacements"),
];

/// Every field, with the Go type it has.
const FIELDS: &[(&str, &str)] = &[
    ("apiVersion", "string"),
    ("kind", "string"),
    ("metadata", "types.ObjectMeta"),
    ("openapi", "map[string]string"),
    ("namePrefix", "string"),
    ("nameSuffix", "string"),
    ("namespace", "string"),
    ("commonLabels", "map[string]string"),
    ("labels", "[]types.Label"),
    ("commonAnnotations", "map[string]string"),
    ("patchesStrategicMerge", "[]types.PatchStrategicMerge"),
    ("patchesJson6902", "[]types.Patch"),
    ("patches", "[]types.Patch"),
    ("images", "[]types.Image"),
    ("imageTags", "[]types.Image"),
    ("replacements", "[]types.ReplacementField"),
    ("replicas", "[]types.Replica"),
    ("vars", "[]types.Var"),
    ("sortOptions", "types.SortOptions"),
    ("resources", "[]string"),
    ("components", "[]string"),
    ("crds", "[]string"),
    ("bases", "[]string"),
    ("configMapGenerator", "[]types.ConfigMapArgs"),
    ("secretGenerator", "[]types.SecretArgs"),
    ("helmGlobals", "types.HelmGlobals"),
    ("helmCharts", "[]types.HelmChart"),
    ("helmChartInflationGenerator", "[]types.HelmChartArgs"),
    ("generatorOptions", "types.GeneratorOptions"),
    ("configurations", "[]string"),
    ("generators", "[]string"),
    ("transformers", "[]string"),
    ("validators", "[]string"),
    ("buildMetadata", "[]string"),
];

/// The kustomization of a directory.
pub(super) fn kustomization(kube: &Kube<'_, '_>, path: &str) -> Done<Map<String, Value>> {
    let files = &kube.shell.machine.files;
    let found: Vec<_> = super::FILES
        .iter()
        .filter_map(|name| match files.get(&format!("{path}/{name}")) {
            Some(Entry::File(text)) => Some(text.to_string()),
            Some(Entry::Directory) | None => None,
        })
        .collect();
    let text = match found.as_slice() {
        [] => {
            return Fail::error(format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{path}'"
            ));
        }
        [one] => one,
        _ => return Fail::error(format!("Found multiple kustomization files under: {path}")),
    };
    let reading = api::text::read(text);
    let document = reading.documents.first();
    if let Some(error) = document.and_then(api::text::Document::kubectl_error) {
        let why = error.trim_start_matches("error converting YAML to JSON: ").to_owned();
        return Fail::error(format!("invalid Kustomization: {why}"));
    }
    let fields = match document.map(api::text::Document::to_value) {
        None | Some(Value::Null) => return Fail::error("kustomization.yaml is empty"),
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            return Fail::error(format!(
                "invalid Kustomization: json: cannot unmarshal {} into Go value of type types.Kustomization",
                word(&other)
            ));
        }
    };
    let mut empty = true;
    for (name, value) in &fields {
        let Some((_, wanted)) = FIELDS.iter().find(|(known, _)| known == name) else {
            return Fail::error(format!("invalid Kustomization: json: unknown field {name:?}"));
        };
        let fits = match (value, *wanted) {
            (Value::Null, _) | (Value::String(_), "string") => true,
            (Value::Array(_), wanted) => wanted.starts_with("[]"),
            (Value::Object(_), wanted) => wanted != "string" && !wanted.starts_with("[]"),
            _ => false,
        };
        if !fits {
            return Fail::error(format!(
                "invalid Kustomization: json: cannot unmarshal {} into Go struct field Kustomization.{name} of type {wanted}",
                word(value)
            ));
        }
        empty &= matches!(name.as_str(), "apiVersion" | "kind");
    }
    if empty {
        return Fail::error("kustomization.yaml is empty");
    }
    let given = |name: &str| fields.get(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    if let Some(charts) = given("helmCharts") {
        let chart = api::emit::yaml(&charts[0]);
        return Fail::error(format!(
            "trouble configuring builtin HelmChartInflationGenerator with config: `\n{chart}`: must specify --enable-helm"
        ));
    }
    for name in ["generators", "validators", "configurations"] {
        if given(name).is_some() {
            return Err(Fail::Plain(format!("lab: {name} of a kustomization are not simulated")));
        }
    }
    Ok(fields)
}

/// Whether the kustomization of a directory is one or a component.
pub(super) fn kind(kube: &Kube<'_, '_>, path: &str) -> Done<String> {
    let file = kustomization(kube, path)?;
    let kind = file.get("kind").and_then(Value::as_str).filter(|kind| !kind.is_empty());
    Ok(kind.unwrap_or("Kustomization").to_owned())
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "array",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Object(_) => "object",
        Value::Null | Value::String(_) => "string",
    }
}

/// A field that lists texts.
pub(super) fn texts(fields: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = fields.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A field that lists what has fields itself.
pub(super) fn list<'f>(fields: &'f Map<String, Value>, name: &str) -> impl Iterator<Item = &'f Value> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten()
}
