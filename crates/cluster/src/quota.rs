//! What does an object count for in a quota?
//!
//! Objects by number, pods and claims also by what they ask for. Source: `pkg/quota/v1/evaluator/core`.

use std::collections::BTreeMap;

use api::{
    Kind, Scope,
    quantity::{Format, Quantity},
};
use serde_json::Value;

use crate::{ClusterId, Store};

/// Amounts by the names that a quota gives them.
pub(crate) type Amounts = BTreeMap<String, Quantity>;

/// Kinds that a quota counts by their plain plural.
const PLAIN: [Kind; 7] = [
    Kind::Pod,
    Kind::Service,
    Kind::ConfigMap,
    Kind::Secret,
    Kind::ReplicationController,
    Kind::ResourceQuota,
    Kind::PersistentVolumeClaim,
];

/// Nothing of anything.
pub(crate) fn zero() -> Quantity {
    Quantity::new(0, Format::DecimalSi)
}

fn number(count: usize) -> Quantity {
    Quantity::new(i64::try_from(count).unwrap_or(i64::MAX), Format::DecimalSi)
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn amount(of: &Value, what: &str, resource: &str) -> Option<Quantity> {
    let value = of.get("resources")?.get(what)?.get(resource)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Quantity::parse(&text).ok()
}

/// What one object counts for, without amounts of zero.
pub(crate) fn usage(kind: Kind, object: &Value) -> Amounts {
    let info = kind.info();
    let mut out = Amounts::new();
    let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
    out.insert(format!("count/{}{group}", info.plural), number(1));
    // A pod that is over asks for nothing any more.
    if kind == Kind::Pod && matches!(text(object, "/status/phase"), "Succeeded" | "Failed") {
        return out;
    }
    if PLAIN.contains(&kind) {
        out.insert(info.plural.to_owned(), number(1));
    }
    match kind {
        Kind::Pod => out.extend(pod(object)),
        Kind::Service => {
            let kind = text(object, "/spec/type");
            if kind == "LoadBalancer" {
                out.insert("services.loadbalancers".to_owned(), number(1));
            }
            if matches!(kind, "NodePort" | "LoadBalancer") {
                out.insert("services.nodeports".to_owned(), number(items(object, "/spec/ports").len()));
            }
        }
        Kind::PersistentVolumeClaim => {
            let spec = object.get("spec").unwrap_or(&Value::Null);
            if let Some(storage) = amount(spec, "requests", "storage") {
                let class = text(object, "/spec/storageClassName");
                if !class.is_empty() {
                    let of = format!("{class}.storageclass.storage.k8s.io");
                    out.insert(format!("{of}/requests.storage"), storage.clone());
                    out.insert(format!("{of}/persistentvolumeclaims"), number(1));
                }
                out.insert("requests.storage".to_owned(), storage);
            }
        }
        _ => {}
    }
    out
}

/// What a pod asks for and may use: its containers together, or the largest of those that run before them.
fn pod(object: &Value) -> Amounts {
    let mut out = Amounts::new();
    for what in ["requests", "limits"] {
        let mut all = Amounts::new();
        let each = |container: &Value| -> Vec<(String, Quantity)> {
            let named = container.pointer(&format!("/resources/{what}")).and_then(Value::as_object);
            let names = named.into_iter().flatten().map(|(name, _)| name.clone());
            names.filter_map(|name| Some((name.clone(), amount(container, what, &name)?))).collect()
        };
        let sidecar = |c: &&Value| text(c, "/restartPolicy") == "Always";
        let inits = items(object, "/spec/initContainers");
        for container in items(object, "/spec/containers").iter().chain(inits.iter().filter(sidecar)) {
            for (name, amount) in each(container) {
                let sum = all.remove(&name).unwrap_or_else(zero) + &amount;
                all.insert(name, sum);
            }
        }
        for container in inits.iter().filter(|c| !sidecar(c)) {
            for (name, amount) in each(container) {
                let most = all.remove(&name).unwrap_or_else(zero).max(amount);
                all.insert(name, most);
            }
        }
        for (name, amount) in all {
            if what == "requests" && matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
                out.insert(name.clone(), amount.clone());
            }
            out.insert(format!("{what}.{name}"), amount);
        }
    }
    out
}

/// Whether a quota is about this object, by its scopes.
pub(crate) fn in_scope(quota: &Value, kind: Kind, object: &Value) -> bool {
    let plain = items(quota, "/spec/scopes").iter().filter_map(Value::as_str).map(|s| (s, "Exists", &[][..]));
    let selected = items(quota, "/spec/scopeSelector/matchExpressions")
        .iter()
        .map(|e| (text(e, "/scopeName"), text(e, "/operator"), items(e, "/values")));
    let mut scopes = plain.chain(selected).peekable();
    if scopes.peek().is_none() {
        return true;
    }
    if kind != Kind::Pod {
        return false;
    }
    let best_effort = {
        let all = items(object, "/spec/containers").iter().chain(items(object, "/spec/initContainers"));
        all.into_iter().all(|c| {
            ["requests", "limits"].iter().all(|what| {
                ["cpu", "memory"].iter().all(|r| amount(c, what, r).is_none_or(|a| a.sign() == 0))
            })
        })
    };
    let ends = object.pointer("/spec/activeDeadlineSeconds").is_some_and(|v| !v.is_null());
    scopes.all(|(scope, operator, values)| match scope {
        "Terminating" => ends,
        "NotTerminating" => !ends,
        "BestEffort" => best_effort,
        "NotBestEffort" => !best_effort,
        "PriorityClass" => {
            let class = text(object, "/spec/priorityClassName");
            let named = values.iter().any(|v| v.as_str() == Some(class));
            match operator {
                "In" => named,
                "NotIn" => !named,
                "DoesNotExist" => class.is_empty(),
                _ => !class.is_empty(),
            }
        }
        _ => false,
    })
}

/// What a quota bounds.
pub(crate) fn hard(quota: &Value) -> Amounts {
    let fields = quota.pointer("/spec/hard").and_then(Value::as_object).into_iter().flatten();
    let read = |value: &Value| {
        Quantity::parse(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)).ok()
    };
    fields.filter_map(|(name, value)| Some((name.clone(), read(value)?))).collect()
}

/// What the objects of a namespace count for in a quota: every bound that it sets, also those that nothing counts for.
pub(crate) fn used(store: &Store, cluster: ClusterId, namespace: &str, quota: &Value) -> Amounts {
    let mut out: Amounts = hard(quota).into_keys().map(|name| (name, zero())).collect();
    let counted = |kind: &&Kind| {
        let info = kind.info();
        let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
        let own = format!("count/{}{group}", info.plural);
        info.scope == Scope::Namespaced
            && (PLAIN.contains(kind) || out.contains_key(&own))
            && info.domain() == api::Domain::Kubernetes
    };
    let mut custom = crate::apiserver::custom_kinds(store, cluster);
    custom.dedup();
    let kinds: Vec<Kind> = Kind::EVERY.iter().chain(&custom).filter(counted).copied().collect();
    for kind in kinds {
        for (_, object) in store.objects(cluster, kind, Some(namespace)) {
            let object = object.to_value();
            if !in_scope(quota, kind, &object) {
                continue;
            }
            for (name, amount) in usage(kind, &object) {
                if let Some(sum) = out.get_mut(&name) {
                    *sum = std::mem::replace(sum, zero()) + &amount;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_counts_for_its_containers_or_its_largest_init_container() {
        let pod = json!({"spec": {
            "containers": [{"resources": {"requests": {"cpu": "100m"}}}, {"resources": {"requests": {"cpu": "200m"}}}],
            "initContainers": [{"resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}}]}});
        let usage = usage(Kind::Pod, &pod);
        let shown = |name: &str| usage.get(name).map(Quantity::canonical);
        assert_eq!(shown("requests.cpu").as_deref(), Some("300m"));
        assert_eq!(shown("memory").as_deref(), Some("1Gi"));
        assert_eq!(shown("pods").as_deref(), Some("1"));
    }

    #[test]
    fn scopes_choose_the_pods_that_count() {
        let quota = json!({"spec": {"scopes": ["BestEffort"]}});
        assert!(in_scope(&quota, Kind::Pod, &json!({"spec": {"containers": [{}]}})));
        let asks = json!({"spec": {"containers": [{"resources": {"requests": {"cpu": "1"}}}]}});
        assert!(!in_scope(&quota, Kind::Pod, &asks));
    }
}
