//! `kubectl label` and `kubectl annotate`.
//!
//! Source: kubectl `pkg/cmd/label/label.go`, `pkg/cmd/annotate/annotate.go`.

use serde_json::{Map, Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print, resource::typed};

pub(super) fn label(kube: &mut Kube<'_, '_>) -> Done {
    change(kube, "labels", "label")
}

pub(super) fn annotate(kube: &mut Kube<'_, '_>) -> Done {
    change(kube, "annotations", "annotation")
}

fn change(kube: &mut Kube<'_, '_>, field: &'static str, word: &'static str) -> Done {
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let is_change =
        |arg: &&String| (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg.len() > 1);
    let (changes, resources): (Vec<String>, Vec<String>) = {
        let args = &kube.given.args;
        let first = args.iter().position(|a| is_change(&a)).unwrap_or(args.len());
        (args[first..].to_vec(), args[..first].to_vec())
    };
    let local = kube.given.on("local");
    if local && !resources.is_empty() {
        let example = if field == "labels" { "pod" } else { "rsrc" };
        return Fail::error(format!(
            "can only use local files by -f {example}.yaml or --filename={example}.json when --local=true is set"
        ));
    }
    if resources.is_empty() && !kube.given.has("filename") {
        return Fail::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if changes.is_empty() && !kube.given.on("list") {
        return Fail::error(format!("at least one {word} update is required"));
    }
    let mut set: Vec<(String, String)> = Vec::new();
    let mut gone: Vec<String> = Vec::new();
    for change in &changes {
        if let Some((key, value)) = change.split_once('=') {
            if field == "labels" && value.contains('=') {
                return Fail::error(format!("invalid label spec: {change}"));
            }
            let wrong = if field == "labels" { api::label::label_value_errors(value) } else { Vec::new() };
            if !wrong.is_empty() {
                return Fail::error(format!("invalid label value: {change:?}: {}", wrong.join("; ")));
            }
            set.push((key.to_owned(), value.to_owned()));
        } else if let Some(key) = change.strip_suffix('-') {
            gone.push(key.to_owned());
        } else {
            return Fail::error(match field {
                "labels" => format!("unknown label spec: {change}"),
                _ => format!("invalid annotation format: {change}"),
            });
        }
    }
    if let Some((key, _)) = set.iter().find(|(k, _)| gone.contains(k)) {
        return Fail::error(match field {
            "labels" => "can not both modify and remove a label in the same command".to_owned(),
            _ => format!(
                "can not both modify and remove the following annotation(s) in the same command: {key}"
            ),
        });
    }
    if kube.given.on("all") {
        for selector in ["selector", "field-selector"] {
            if kube.given.value(selector).is_some_and(|it| !it.is_empty()) {
                return Fail::error(format!("cannot set --all and --{selector} at the same time"));
            }
        }
    }
    let mut failed = Vec::new();
    let chosen: Vec<_> = if local {
        let manifests = kube.manifests()?.into_iter().collect::<Done<Vec<_>>>()?;
        manifests.into_iter().map(|it| ((it.kind, it.namespace, it.name), Some(it.value))).collect()
    } else {
        kube.chosen_from(&resources)?.into_iter().map(|at| (at, None)).collect()
    };
    let is_one = chosen.len() == 1 && !kube.given.on("all") && resources.join(" ").contains([' ', '/']);
    for ((kind, namespace, name), file) in chosen {
        let before = match file.map_or_else(|| kube.get(kind, &namespace, &name), Ok) {
            Ok(before) => before,
            Err(fail) => {
                failed.push(fail);
                continue;
            }
        };
        let own =
            field::at(&before, "metadata").get(field).and_then(Value::as_object).cloned().unwrap_or_default();
        if !kube.given.on("overwrite") {
            let clash: Vec<String> = set
                .iter()
                // UPSTREAM: the cause of a change may always be said anew.
                .filter(|(key, _)| field == "labels" || *key != "kubernetes.io/change-cause")
                .filter(|(key, wanted)| own.get(key).is_some_and(|has| has.as_str() != Some(wanted)))
                .map(|(key, _)| {
                    let has = own.get(key).map(field::word).unwrap_or_default();
                    match field {
                        "labels" => format!("'{key}' already has a value ({has}), and --overwrite is false"),
                        _ => format!("'{key}' already has a value ({has})"),
                    }
                })
                .collect();
            if let [only] = clash.as_slice() {
                failed.push(Fail::Error(if field == "labels" {
                    only.clone()
                } else {
                    format!("--overwrite is false but found the following declared annotation(s): {only}")
                }));
                continue;
            }
            if !clash.is_empty() {
                failed.push(Fail::Error(format!("[{}]", clash.join(", "))));
                continue;
            }
        }
        let mut patch = Map::new();
        for (key, value) in set.iter().filter(|(k, v)| own.get(k).and_then(Value::as_str) != Some(v)) {
            patch.insert(key.clone(), json!(value));
        }
        let removed: Vec<&String> = gone.iter().filter(|k| own.contains_key(*k)).collect();
        for key in gone.iter().filter(|k| !own.contains_key(*k)) {
            if field == "labels" {
                kube.out.line(&format!("label {key:?} not found."));
            }
        }
        patch.extend(removed.iter().map(|k| ((*k).clone(), Value::Null)));
        if kube.given.on("list") {
            let (indent, info) = (if is_one { "" } else { " " }, kind.info());
            if !is_one {
                kube.out.line(&format!("Listing {field} for {}.{}/{name}:", info.kind, info.group));
            }
            // What was asked for is shown, and not sent.
            let kept = own.iter().filter(|(key, _)| !patch.contains_key(*key));
            let shown: Map<String, Value> = kept
                .chain(patch.iter().filter(|(_, it)| !it.is_null()))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            for (key, value) in &shown {
                kube.out.line(&format!("{indent}{key}={}", field::word(value)));
            }
            continue;
        }
        let message = match (field, patch.is_empty()) {
            ("labels", true) => "not labeled",
            ("labels", false) if !removed.is_empty() => "unlabeled",
            ("labels", false) => "labeled",
            _ => "annotated",
        };
        let after = if patch.is_empty() {
            Ok(before)
        } else if local || dry == DryRun::Client {
            let mut after = before;
            api::patch::json_merge(&mut after, &json!({"metadata": {field: patch}}));
            Ok(after)
        } else {
            let mut body = json!({"metadata": {field: patch}});
            if let Some(version) = kube.given.value("resource-version").filter(|it| !it.is_empty()) {
                body["metadata"]["resourceVersion"] = version.into();
            }
            kube.patch((kind, &namespace, &name), body, dry == DryRun::Server)
        };
        match (after, &format) {
            (Ok(after), Some(format)) => print::structured(kube, format, after)?,
            (Ok(_), None) => kube.out.line(&format!("{} {message}{}", typed(kind, &name), dry.suffix())),
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}
