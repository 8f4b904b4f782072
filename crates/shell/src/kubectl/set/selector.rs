//! `kubectl set selector`: only Services can be given another here. Source: kubectl `pkg/cmd/set/set_selector.go`.

use api::{Kind, label};
use cluster::PatchKind;
use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    set::{Picked, picked, said},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let Some((text, targets)) = args.split_last() else { return Fail::error("one selector is required") };
    let wanted = read(text)?;
    let local_alone = kube.given.on("local") && !kube.given.has("filename");
    if local_alone || (targets.is_empty() && !kube.given.has("filename")) {
        return Fail::error(crate::kubectl::resource::NO_RESOURCE);
    }
    for one in picked(kube, targets)? {
        change(kube, &one, &wanted)?;
    }
    Ok(())
}

fn change(kube: &mut Kube<'_, '_>, one: &Picked, wanted: &Selector) -> Done {
    if one.kind != Kind::Service {
        return Fail::error("setting a selector is only supported for Services");
    }
    let wanted = match wanted {
        Selector::Labels(labels) => labels,
        Selector::Expressions(shown) => {
            return Fail::error(format!("match expression [{shown}] not supported on this object"));
        }
    };
    let dry = DryRun::of(kube)?;
    let mut after = one.live.clone();
    crate::kubectl::field::make(&mut after, "spec")["selector"] = Value::Object(wanted.clone());
    if !one.local && dry != DryRun::Client {
        let mut patch = api::patch::three_way(one.kind, &one.live, &after, &one.live);
        if let Some(revision) = kube.given.value("resource-version") {
            patch["metadata"] = json!({"resourceVersion": revision});
        }
        let at = (one.kind, one.namespace.as_str(), one.name.as_str());
        after = kube.patch_part(at, "", PatchKind::Strategic, patch, dry == DryRun::Server)?;
    }
    said(kube, one.kind, &one.name, after, "selector updated")
}

/// A selector as far as it can be a Service's.
enum Selector {
    Labels(Map<String, Value>),
    /// As Go prints what it cannot be.
    Expressions(String),
}

fn read(text: &str) -> Done<Selector> {
    let wrong = |error: &dyn std::fmt::Display| Fail::Error(error.to_string());
    label::Selector::parse(text).map_err(|error| wrong(&error))?;
    if text.contains("!=") {
        return Fail::error("\"!=\" is not a valid label selector operator");
    }
    let has = |word: &str| text.split_whitespace().any(|it| it == word);
    if has("in") || has("notin") || text.contains('!') || !text.contains('=') {
        return Ok(Selector::Expressions(expression(text)));
    }
    let labels = text.split(',').filter_map(|pair| pair.split_once('='));
    let labels = labels.map(|(key, value)| {
        (key.trim_end_matches('=').trim().to_owned(), value.trim_start_matches('=').trim().into())
    });
    Ok(Selector::Labels(labels.collect()))
}

/// `{a In [b c]}`.
fn expression(text: &str) -> String {
    let text = text.trim();
    let (key, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let values: Vec<&str> = rest
        .split_once('(')
        .map(|(_, values)| values.trim_end_matches(')').split(',').map(str::trim).collect())
        .unwrap_or_default();
    let operator = match (rest.split_whitespace().next(), key.strip_prefix('!')) {
        (Some("notin"), _) => "NotIn",
        (Some(_), _) => "In",
        (None, Some(_)) => "DoesNotExist",
        (None, None) => "Exists",
    };
    format!("{{{} {operator} [{}]}}", key.trim_start_matches('!'), values.join(" "))
}
