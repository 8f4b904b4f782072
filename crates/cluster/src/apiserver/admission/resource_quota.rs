//! Is there enough left of what the namespace may have?
//!
//! Source: `pkg/admission/plugin/resourcequota/controller.go`. MODEL: what is used is counted when somebody asks, where upstream
//! keeps the sum in the quota's status; the answers are the same.

use api::{ApiStatus, Kind, Object, Scope};
use serde_json::Value;

use super::Review;
use crate::{
    apiserver::forbidden,
    quota::{self, Amounts},
};

/// What every container must say for itself where a quota bounds it.
const REQUIRED: [&str; 6] =
    ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// New objects; of old ones those that may come to ask for more.
pub(super) fn concerns(review: &Review<'_>, object: &Object) -> bool {
    match (object.kind(), review.part) {
        (Kind::Service | Kind::PersistentVolumeClaim, "") | (Kind::Pod, "resize") => true,
        _ => review.is_create() && object.kind().info().scope == Scope::Namespaced,
    }
}

pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let (store, cluster, kind) = (review.world.store(), review.cluster, object.kind());
    if store.objects(cluster, Kind::ResourceQuota, Some(object.namespace())).next().is_none() {
        return Ok(());
    }
    let value = object.to_value();
    let mut asked = quota::usage(kind, &value);
    if let Some(old) = review.old {
        // What it had already is in what is used.
        let had = quota::usage(kind, &old.to_value());
        asked = asked
            .into_iter()
            .filter_map(|(name, now)| match had.get(&name) {
                Some(had) if now <= *had => None,
                Some(had) => Some((name, now - had)),
                None => Some((name, now)),
            })
            .collect();
        if asked.is_empty() {
            return Ok(());
        }
    }
    for (key, quota) in store.objects(cluster, Kind::ResourceQuota, Some(object.namespace())) {
        let quota = quota.to_value();
        if !quota::in_scope(&quota, kind, &value) {
            continue;
        }
        let hard = quota::hard(&quota);
        if kind == Kind::Pod
            && let Some(missing) = missing(&value, &hard)
        {
            let why = format!("failed quota: {}: must specify {missing}", key.name);
            return Err(forbidden(kind, object.name(), &why));
        }
        if !asked.keys().any(|name| hard.contains_key(name)) {
            continue;
        }
        let used = quota::used(store, cluster, object.namespace(), &quota);
        let over: Vec<&String> = hard
            .iter()
            .filter(|(name, most)| {
                let (Some(asked), Some(used)) = (asked.get(*name), used.get(*name)) else { return false };
                used.clone() + asked > **most
            })
            .map(|(name, _)| name)
            .collect();
        if !over.is_empty() {
            let list = |of: &Amounts| {
                let shown =
                    over.iter().filter_map(|name| Some(format!("{name}={}", of.get(*name)?.canonical())));
                shown.collect::<Vec<_>>().join(",")
            };
            let why = format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                key.name,
                list(&asked),
                list(&used),
                list(&hard)
            );
            return Err(forbidden(kind, object.name(), &why));
        }
    }
    Ok(())
}

/// What containers do not say though the quota bounds it: `requests.cpu for: a,b; …`.
fn missing(pod: &Value, hard: &Amounts) -> Option<String> {
    let mut all = Vec::new();
    for name in REQUIRED.iter().filter(|name| hard.contains_key(**name)) {
        let (what, resource) = name.split_once('.').unwrap_or(("requests", name));
        let mut containers: Vec<&str> = ["containers", "initContainers"]
            .iter()
            .flat_map(|list| pod["spec"][list].as_array().into_iter().flatten())
            .filter(|c| c["resources"][what][resource].is_null())
            .filter_map(|c| c["name"].as_str())
            .collect();
        containers.sort_unstable();
        if !containers.is_empty() {
            all.push(format!("{name} for: {}", containers.join(",")));
        }
    }
    all.sort();
    (!all.is_empty()).then(|| all.join("; "))
}
