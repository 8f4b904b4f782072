//! `kubectl taint`. Source: kubectl `pkg/cmd/taint/{taint,utils}.go`.

use api::Kind;
use serde_json::{Value, json};

use crate::{
    flag::{Flag, optional, switch, value},
    kubectl::{Done, Fail, Kube, apply::DryRun, field},
};

pub(super) const FLAGS: &[Flag] = &[
    value("selector", 'l'),
    value("output", 'o'),
    value("field-manager", '\0'),
    value("validate", '\0'),
    optional("dry-run", "unchanged"),
    switch("overwrite", '\0'),
    switch("all", '\0'),
];

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let dry = DryRun::of(kube)?;
    let args = kube.given.args.clone();
    let is_taint = |arg: &String| arg.contains('=') || arg.contains(':') || arg.ends_with('-');
    let first = args.iter().position(is_taint).unwrap_or(args.len());
    let (resources, changes) = args.split_at(first);
    if resources.is_empty() {
        return Fail::error(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        );
    }
    if changes.is_empty() {
        return Fail::error("at least one taint update is required");
    }
    let mut add: Vec<(String, String, String)> = Vec::new();
    let mut gone: Vec<(String, String)> = Vec::new();
    for change in changes {
        if let Some(change) = change.strip_suffix('-') {
            let (key, effect) = change.split_once(':').unwrap_or((change, ""));
            gone.push((key.split('=').next().unwrap_or(key).to_owned(), effect.to_owned()));
            continue;
        }
        let Some((pair, effect)) = change.split_once(':') else {
            return Fail::error(format!("unknown taint spec: {change}"));
        };
        if !EFFECTS.contains(&effect) {
            return Fail::error(format!("invalid taint effect: {effect}, unsupported taint effect"));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut wrong = api::label::qualified_name_errors(key);
        wrong.extend(api::label::label_value_errors(value));
        if !wrong.is_empty() {
            return Fail::error(format!("invalid taint spec: {change}, {}", wrong.join("; ")));
        }
        add.push((key.to_owned(), value.to_owned(), effect.to_owned()));
    }
    let mut failed = Vec::new();
    for (_, _, node) in kube.chosen_from(resources)? {
        let done = one(kube, &node, &add, &gone, dry);
        match done {
            Ok(word) => kube.out.line(&format!("node/{node} {word}{}", dry.suffix())),
            Err(fail) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

fn one(
    kube: &mut Kube<'_, '_>,
    node: &str,
    add: &[(String, String, String)],
    gone: &[(String, String)],
    dry: DryRun,
) -> Done<&'static str> {
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
    if !overwrite && add.iter().any(|(key, _, effect)| taints.iter().any(|t| same(t, key, effect))) {
        return Fail::error(format!(
            "node {node} already has a taint(s) with same effect(s) and --overwrite is false"
        ));
    }
    let replaced = add.iter().any(|(key, _, effect)| taints.iter().any(|t| same(t, key, effect)));
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
    if dry != DryRun::Client {
        let mut wanted = live.clone();
        *field::make(&mut wanted, "spec.taints") = Value::Array(new);
        kube.update(Kind::Node, "", node, wanted, dry == DryRun::Server)?;
    }
    Ok(match (add.is_empty(), gone.is_empty()) {
        (true, _) => "untainted",
        (false, true) if replaced => "modified",
        (false, true) => "tainted",
        (false, false) => "modified",
    })
}
