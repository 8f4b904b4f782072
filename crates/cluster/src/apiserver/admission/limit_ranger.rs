//! Does a pod keep to the limits of its namespace, and what has it where it says nothing?
//!
//! Source: `plugin/pkg/admission/limitranger/admission.go`, the sentences included.

use std::collections::BTreeMap;

use api::{ApiStatus, Kind, Object, quantity::Quantity};
use serde_json::{Value, json};

use super::Review;
use crate::{apiserver::forbidden, quota};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// The limits of the namespace, one by one.
fn limits(review: &Review<'_>, namespace: &str) -> Vec<Value> {
    let ranges = review.world.store().objects(review.cluster, Kind::LimitRange, Some(namespace));
    ranges
        .flat_map(|(_, range)| range.to_value()["spec"]["limits"].as_array().cloned().unwrap_or_default())
        .collect()
}

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    if object.kind() != Kind::Pod {
        return Ok(());
    }
    let limits = limits(review, object.namespace());
    if limits.is_empty() {
        return Ok(());
    }
    let mut value = object.to_value();
    let mut notes = Vec::new();
    for limit in limits.iter().filter(|l| l["type"] == "Container") {
        for (list, word) in [("containers", "container"), ("initContainers", "init container")] {
            let Some(containers) = value["spec"][list].as_array_mut() else { continue };
            for container in containers {
                let name = container["name"].as_str().unwrap_or_default().to_owned();
                for (from, to, what) in
                    [("defaultRequest", "requests", "request"), ("default", "limits", "limit")]
                {
                    let set = fill(container, &limit[from], to);
                    if !set.is_empty() {
                        notes.push(format!("{} {what} for {word} {name}", set.join(", ")));
                    }
                }
            }
        }
    }
    if notes.is_empty() {
        return Ok(());
    }
    let note = format!("LimitRanger plugin set: {}", notes.join("; "));
    if value["metadata"]["annotations"].is_null() {
        value["metadata"]["annotations"] = json!({});
    }
    value["metadata"]["annotations"][ANNOTATION] = note.into();
    if let Ok(changed) = Object::from_value(Kind::Pod, value) {
        *object = changed;
    }
    Ok(())
}

/// Gives a container what it does not say; the resources that it got.
fn fill(container: &mut Value, defaults: &Value, to: &str) -> Vec<String> {
    let mut set = Vec::new();
    for (resource, amount) in defaults.as_object().into_iter().flatten() {
        if container["resources"][to][resource].is_null() {
            if container["resources"].is_null() {
                container["resources"] = json!({});
            }
            if container["resources"][to].is_null() {
                container["resources"][to] = json!({});
            }
            container["resources"][to][resource] = amount.clone();
            set.push(resource.clone());
        }
    }
    set
}

pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let kind = object.kind();
    let limits = limits(review, object.namespace());
    if limits.is_empty() {
        return Ok(());
    }
    let value = object.to_value();
    let mut wrong = Vec::new();
    for limit in &limits {
        match (limit["type"].as_str().unwrap_or_default(), kind) {
            ("Container", Kind::Pod) => {
                for list in ["containers", "initContainers"] {
                    for container in value["spec"][list].as_array().into_iter().flatten() {
                        let resources = &container["resources"];
                        check(
                            "Container",
                            limit,
                            &read(&resources["requests"]),
                            &read(&resources["limits"]),
                            &mut wrong,
                        );
                    }
                }
            }
            ("Pod", Kind::Pod) => {
                let all = quota::usage(Kind::Pod, &value);
                let of = |prefix: &str| {
                    let own =
                        all.iter().filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone())));
                    own.collect::<BTreeMap<_, _>>()
                };
                check("Pod", limit, &of("requests."), &of("limits."), &mut wrong);
            }
            ("PersistentVolumeClaim", Kind::PersistentVolumeClaim) => {
                let asked = read(&value["spec"]["resources"]["requests"]);
                // A claim has no limits: what it asks for stands for both.
                check("PersistentVolumeClaim", limit, &asked, &asked, &mut wrong);
            }
            _ => {}
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(forbidden(kind, object.name(), one)),
        many => Err(forbidden(kind, object.name(), &format!("[{}]", many.join(", ")))),
    }
}

fn read(amounts: &Value) -> BTreeMap<String, Quantity> {
    let fields = amounts.as_object().into_iter().flatten();
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    fields.filter_map(|(name, value)| Some((name.clone(), Quantity::parse(&text(value)).ok()?))).collect()
}

type Amounts = BTreeMap<String, Quantity>;

/// What one limit has against what is asked for and what may be used.
fn check(of: &str, limit: &Value, requests: &Amounts, limits: &Amounts, wrong: &mut Vec<String>) {
    for (resource, least) in read(&limit["min"]) {
        let bound = format!("minimum {resource} usage per {of} is {}", least.canonical());
        let (asked, most) = (requests.get(&resource), limits.get(&resource));
        match (asked, most) {
            (None, _) => wrong.push(format!("{bound}.  No request is specified")),
            (Some(asked), _) if *asked < least => {
                wrong.push(format!("{bound}, but request is {}", asked.canonical()));
            }
            (_, Some(most)) if *most < least => {
                wrong.push(format!("{bound}, but limit is {}", most.canonical()));
            }
            _ => {}
        }
    }
    for (resource, largest) in read(&limit["max"]) {
        let bound = format!("maximum {resource} usage per {of} is {}", largest.canonical());
        let (asked, most) = (requests.get(&resource), limits.get(&resource));
        match (asked, most) {
            (Some(asked), _) if of == "PersistentVolumeClaim" && *asked > largest => {
                wrong.push(format!("{bound}, but request is {}", asked.canonical()));
            }
            (_, None) => wrong.push(format!("{bound}.  No limit is specified")),
            (_, Some(most)) if *most > largest => {
                wrong.push(format!("{bound}, but limit is {}", most.canonical()));
            }
            (Some(asked), _) if *asked > largest => {
                wrong.push(format!("{bound}, but request is {}", asked.canonical()));
            }
            _ => {}
        }
    }
    for (resource, ratio) in read(&limit["maxLimitRequestRatio"]) {
        let bound = format!("{resource} max limit to request ratio per {of} is {}", ratio.canonical());
        let some = |amount: Option<&Quantity>| amount.filter(|a| a.sign() > 0).map(Quantity::milli_value);
        match (some(requests.get(&resource)), some(limits.get(&resource))) {
            (None, _) => wrong.push(format!("{bound}, but no request is specified or request is 0")),
            (_, None) => wrong.push(format!("{bound}, but no limit is specified or limit is 0")),
            (Some(asked), Some(most)) => {
                let has = most as f64 / asked as f64;
                if has > ratio.milli_value() as f64 / 1000.0 {
                    wrong.push(format!("{bound}, but provided ratio is {has:.6}"));
                }
            }
        }
    }
}
