//! `kubectl taint`. Source: kubectl `pkg/cmd/taint/{taint,utils}.go`.

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print};

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    let args = kube.given.args.clone();
    let is_taint = |arg: &String| arg.contains('=') || arg.contains(':') || arg.ends_with('-');
    let first = args.iter().position(is_taint).unwrap_or(args.len());
    let (resources, changes) = args.split_at(first);
    if resources.is_empty() {
        return Fail::error("one or more resources must be specified as <resource> <name>");
    }
    if changes.is_empty() {
        return Fail::error("at least one taint update is required");
    }
    let (add, gone) = changes_of(changes).map_err(|fail| match fail {
        Fail::Error(text) => Fail::Error(format!("{text}\nSee 'kubectl taint -h' for help and examples")),
        other => other,
    })?;
    // UPSTREAM: what is named is what was to go, without an effect where none was given.
    let both: Vec<String> = add
        .iter()
        .flat_map(|(key, _, effect)| {
            gone.iter().filter(move |(k, e)| k == key && (e.is_empty() || e == effect))
        })
        .map(|(key, effect)| format!("{key}={effect}"))
        .collect();
    if !both.is_empty() {
        return Fail::error(format!(
            "can not both modify and remove the following taint(s) in the same command: {}",
            both.join(", ")
        ));
    }
    if !matches!(Kind::of_resource(resources[0].split('/').next().unwrap_or_default()), Some(Kind::Node)) {
        return Fail::error(format!(
            "invalid resource type {}, only node types are supported",
            resources[0].split('/').next().unwrap_or_default()
        ));
    }
    let mut failed = Vec::new();
    for (_, _, node) in kube.chosen_from(resources)? {
        let done = one(kube, &node, &add, &gone, dry);
        match done {
            // UPSTREAM: that nothing was sent, or nothing kept, is not said.
            Ok((word, after)) => match &format {
                Some(format) => print::structured(kube, format, after)?,
                None => kube.out.line(&format!("node/{node} {word}")),
            },
            Err(fail) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// Key, value and effect of what is added; key and effect of what is taken away.
type Changes = (Vec<(String, String, String)>, Vec<(String, String)>);

fn changes_of(changes: &[String]) -> Done<Changes> {
    let mut add: Vec<(String, String, String)> = Vec::new();
    let mut gone: Vec<(String, String)> = Vec::new();
    for change in changes {
        let spec = change.trim_end_matches('-');
        let parts: Vec<&str> = spec.split(':').collect();
        let (pair, effect) = match parts.as_slice() {
            [key] => (*key, ""),
            [pair, effect] => (*pair, *effect),
            _ => return Fail::error(format!("invalid taint spec: {spec}")),
        };
        if parts.len() == 2 && !EFFECTS.contains(&effect) {
            return Fail::error(format!("invalid taint effect: {effect}, unsupported taint effect"));
        }
        let (key, value) = match pair.split_once('=').filter(|_| parts.len() == 2) {
            Some((_, value)) if value.contains('=') => {
                return Fail::error(format!("invalid taint spec: {spec}"));
            }
            Some((key, value)) => (key, value),
            None => (pair, ""),
        };
        for wrong in [api::label::label_value_errors(value), api::label::qualified_name_errors(key)] {
            if !wrong.is_empty() {
                return Fail::error(format!("invalid taint spec: {spec}, {}", wrong.join("; ")));
            }
        }
        if change.ends_with('-') {
            gone.push((key.to_owned(), effect.to_owned()));
        } else if effect.is_empty() {
            return Fail::error(format!("invalid taint spec: {spec}"));
        } else if add.iter().any(|(k, _, e)| k == key && e == effect) {
            return Fail::error(format!(
                "duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"
            ));
        } else {
            add.push((key.to_owned(), value.to_owned(), effect.to_owned()));
        }
    }
    Ok((add, gone))
}

fn one(
    kube: &mut Kube<'_, '_>,
    node: &str,
    add: &[(String, String, String)],
    gone: &[(String, String)],
    dry: DryRun,
) -> Done<(&'static str, Value)> {
    let live = kube.get(Kind::Node, "", node)?;
    let mut taints: Vec<Value> = field::list(&live, "spec.taints").to_vec();
    let same = |taint: &Value, key: &str, effect: &str| {
        field::text(taint, "key") == key && (effect.is_empty() || field::text(taint, "effect") == effect)
    };
    for (key, effect) in gone {
        let before = taints.len();
        taints.retain(|t| !same(t, key, effect));
        if taints.len() == before {
            let effect = if effect.is_empty() { String::new() } else { format!(":{effect}") };
            return Fail::error(format!("taint \"{key}{effect}\" not found"));
        }
    }
    let overwrite = kube.given.on("overwrite");
    let already: Vec<&str> = add
        .iter()
        .filter(|(key, _, effect)| taints.iter().any(|t| same(t, key, effect)))
        .map(|(key, ..)| key.as_str())
        .collect();
    if !overwrite && !already.is_empty() {
        return Fail::error(format!(
            "node {node} already has {} taint(s) with same effect(s) and --overwrite is false",
            already.join(",")
        ));
    }
    // UPSTREAM: new taints stand before the old ones.
    let mut new = Vec::new();
    for (key, value, effect) in add {
        taints.retain(|t| !same(t, key, effect));
        new.push(match value.as_str() {
            "" => json!({"key": key, "effect": effect}),
            value => json!({"key": key, "value": value, "effect": effect}),
        });
    }
    new.append(&mut taints);
    let mut after = live;
    *field::make(&mut after, "spec.taints") = Value::Array(new);
    if dry != DryRun::Client {
        after = kube.update(Kind::Node, "", node, after, dry == DryRun::Server)?;
    }
    let word = match (add.is_empty(), gone.is_empty()) {
        (true, _) => "untainted",
        // UPSTREAM: whoever may overwrite is said to have done so.
        (false, true) if overwrite => "modified",
        (false, true) => "tainted",
        (false, false) => "modified",
    };
    Ok((word, after))
}
