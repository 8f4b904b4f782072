//! Is a request one that a policy speaks of?
//!
//! Source: `k8s.io/apiserver/pkg/admission/plugin/policy/matching`, `pkg/admission/plugin/webhook/predicates`.

use std::collections::BTreeMap;

use api::{Kind, Scope, k8s::core::v1::Namespace, label::Selector};
use serde_json::Value;

use super::{Asked, Review};

/// Whether `rules` cover a request. A policy without rules covers nothing, a binding without rules everything.
pub(in crate::apiserver::admission) fn covers(
    review: &Review<'_>,
    asked: &Asked,
    rules: &Value,
    must_say: bool,
) -> bool {
    if rules.is_null() {
        return !must_say;
    }
    let listed: Vec<&Value> = rules["resourceRules"].as_array().into_iter().flatten().collect();
    let excluded = rules["excludeResourceRules"].as_array().into_iter().flatten();
    let is_named = listed.iter().any(|rule| names(rule, asked)) || (listed.is_empty() && !must_say);
    is_named
        && !excluded.into_iter().any(|rule| names(rule, asked))
        && in_namespace(review, asked, &rules["namespaceSelector"])
        && (selects(&rules["objectSelector"], &asked.object) || selects(&rules["objectSelector"], &asked.old))
}

fn holds(list: &Value, word: &str) -> bool {
    list.as_array().into_iter().flatten().any(|it| it == "*" || it == word)
}

fn names(rule: &Value, asked: &Asked) -> bool {
    let info = asked.kind.info();
    let resource = match asked.part {
        "" | "finalize" => info.plural.to_owned(),
        part => format!("{}/{part}", info.plural),
    };
    let is_resource = rule["resources"].as_array().into_iter().flatten().any(|it| {
        let it = it.as_str().unwrap_or_default();
        let (of, part) = it.split_once('/').map_or((it, ""), |(of, part)| (of, part));
        let (own, own_part) = resource.split_once('/').unwrap_or((&resource, ""));
        (of == "*" || of == own) && (part == own_part || part == "*")
    });
    let scope = match rule["scope"].as_str() {
        Some("Cluster") => info.scope == Scope::Cluster,
        Some("Namespaced") => info.scope == Scope::Namespaced,
        Some(_) | None => true,
    };
    let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
    let name = &asked.request["name"];
    is_resource
        && scope
        && holds(&rule["apiGroups"], info.group)
        && holds(&rule["apiVersions"], info.version)
        && holds(&rule["operations"], &asked.operation)
        && names.is_none_or(|names| names.contains(name))
}

fn parse(selector: &Value) -> Option<Selector> {
    let selector = serde_json::from_value(selector.clone()).ok()?;
    Selector::from_label_selector(&selector).ok()
}

fn in_namespace(review: &Review<'_>, asked: &Asked, selector: &Value) -> bool {
    if selector.is_null() || selector.as_object().is_some_and(serde_json::Map::is_empty) {
        return true;
    }
    let Some(selector) = parse(selector) else { return true };
    let labels = if asked.kind == Kind::Namespace {
        labels(if asked.object.is_null() { &asked.old } else { &asked.object })
    } else if asked.kind.info().scope == Scope::Namespaced {
        let name = asked.request["namespace"].as_str().unwrap_or_default();
        let namespace = review.world.store().get::<Namespace>(review.cluster, "", name);
        namespace.and_then(|it| it.metadata.labels.clone()).unwrap_or_default()
    } else {
        return true;
    };
    selector.matches(&labels)
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default()
}

fn selects(selector: &Value, object: &Value) -> bool {
    if selector.is_null() || selector.as_object().is_some_and(serde_json::Map::is_empty) {
        return true;
    }
    !object.is_null() && parse(selector).is_none_or(|selector| selector.matches(&labels(object)))
}
