//! Are Nodes, Namespaces, ConfigMaps, Secrets, ServiceAccounts and PriorityClasses legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/apis/scheduling/validation`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    affinity, internal,
    meta::{self, text},
    name,
    report::{At, Report},
    resources,
};
use crate::k8s::{
    core::v1::{ConfigMap, Namespace, Node, Secret, ServiceAccount, Taint},
    scheduling::v1::PriorityClass,
};

const META: At<'static> = At::root("metadata");
/// Most bytes of data in a ConfigMap or Secret.
const MOST: usize = 1024 * 1024;

pub(super) fn node(report: &mut Report, node: &Node) {
    meta::object_meta(report, &node.metadata, false, name::subdomain);
    let spec = node.spec.as_ref();
    // UPSTREAM: taints are named under metadata, where they once stood as an annotation.
    taints(report, spec.and_then(|it| it.taints.as_deref()).unwrap_or_default(), &META.field("taints"));
    node_amounts(report, node);
    let blocks = spec.and_then(|it| it.pod_cidrs.as_deref()).unwrap_or_default();
    for (index, block) in blocks.iter().enumerate() {
        let at = At::root("spec.podCIDRs");
        report.each_invalid(&at.index(index), block, name::cidr_errors(block));
    }
    if blocks.len() > 1 {
        one_of_each_family(report, blocks, &At::root("spec.podCIDRs"));
    }
}

/// A node has one block of addresses, or one of each family.
fn one_of_each_family(report: &mut Report, blocks: &[String], at: &At<'_>) {
    let broken = blocks.iter().enumerate().find(|(_, block)| name::cidr(block).is_none());
    if let Some((index, block)) = broken {
        let why = format!(
            "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{index}]: <nil> (invalid CIDR address: {block})"
        );
        report.internal(at, &why);
    }
    let has = |v4: bool| {
        let mut families = blocks.iter().filter_map(|it| name::cidr(it));
        families.any(|(address, _)| address.is_ipv4() == v4)
    };
    if broken.is_some() || blocks.len() > 2 || !(has(true) && has(false)) {
        report.invalid(at, &json!(blocks), "may specify no more than one CIDR for each IP family");
    }
}

pub(super) fn node_update(report: &mut Report, new: &Node, old: &Node) {
    // UPSTREAM: a changed Node is looked at as a new one and as a changed one; what is wrong is said twice.
    node(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    node_amounts(report, new);
    let (new, old) = (new.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
    if old.pod_cidrs.as_ref().is_some_and(|it| !it.is_empty()) && old.pod_cidrs != new.pod_cidrs {
        let why = "node updates may not change podCIDR except from \"\" to valid";
        report.forbidden(&At::root("spec.podCIDRs"), why);
    }
    if !text(old.provider_id.as_ref()).is_empty() && old.provider_id != new.provider_id {
        let why = "node updates may not change providerID except from \"\" to valid";
        report.forbidden(&At::root("spec.providerID"), why);
    }
    taints(report, new.taints.as_deref().unwrap_or_default(), &META.field("taints"));
    if text(new.external_id.as_ref()) != text(old.external_id.as_ref()) {
        report.forbidden(&At::root("spec.externalID"), "may not be updated");
    }
}

fn node_amounts(report: &mut Report, node: &Node) {
    let Some(status) = &node.status else { return };
    for (field, list) in [("status.capacity", &status.capacity), ("status.allocatable", &status.allocatable)]
    {
        for (name, amount) in list.iter().flatten() {
            let at = At::root(field);
            resources::amount_of(report, name, amount, &at.field(name));
        }
    }
}

fn taints(report: &mut Report, taints: &[Taint], at: &At<'_>) {
    let mut seen = BTreeSet::new();
    for (index, taint) in taints.iter().enumerate() {
        let at = at.index(index);
        report.each_invalid(&at.field("key"), &taint.key, name::qualified(&taint.key));
        let value = text(taint.value.as_ref());
        let errors = name::label_value(value);
        if !errors.is_empty() {
            report.invalid(&at.field("value"), value, &errors.join(";"));
        }
        affinity::taint_effect(report, &taint.effect, &at.field("effect"));
        if !seen.insert((&taint.effect, &taint.key)) {
            let why = "taints must be unique by key and effect pair";
            report.duplicate_because(&at, &internal::taint(taint), why);
        }
    }
}

pub(super) fn namespace(report: &mut Report, namespace: &Namespace) {
    meta::object_meta(report, &namespace.metadata, false, name::label_name);
    let at = At::root("spec.finalizers");
    for finalizer in namespace.spec.iter().filter_map(|it| it.finalizers.as_ref()).flatten() {
        report.each_invalid(&at, finalizer, name::qualified(finalizer));
        meta::kube_finalizer(report, finalizer, &at);
    }
}

pub(super) fn namespace_update(report: &mut Report, new: &Namespace, old: &Namespace) {
    // UPSTREAM: a changed Namespace is looked at as a new one too; what is wrong is said twice.
    namespace(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
}

pub(super) fn config_map(report: &mut Report, map: &ConfigMap) {
    meta::object_meta(report, &map.metadata, true, name::subdomain);
    let none = BTreeMap::new();
    let binary = map.binary_data.as_ref().unwrap_or(&none);
    let mut size = 0;
    for (key, value) in map.data.iter().flatten() {
        let at = At::root("data");
        report.each_invalid(&at.key(key), key, name::config_key(key));
        if binary.contains_key(key) {
            report.invalid(&at.key(key), key, "duplicate of key present in binaryData");
        }
        size += value.len();
    }
    for (key, value) in binary {
        let at = At::root("binaryData");
        report.each_invalid(&at.key(key), key, name::config_key(key));
        size += value.0.len();
    }
    if size > MOST {
        report.too_long(&At::root(""), MOST);
    }
}

pub(super) fn config_map_update(report: &mut Report, new: &ConfigMap, old: &ConfigMap) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if old.immutable == Some(true) {
        frozen(report, "immutable", new.immutable == Some(true));
        frozen(report, "data", new.data == old.data);
        frozen(report, "binaryData", new.binary_data == old.binary_data);
    }
    config_map(report, new);
}

fn frozen(report: &mut Report, field: &str, same: bool) {
    if !same {
        report.forbidden(&At::root(field), "field is immutable when `immutable` is set");
    }
}

pub(super) fn secret(report: &mut Report, secret: &Secret) {
    meta::object_meta(report, &secret.metadata, true, name::subdomain);
    let at = At::root("data");
    let none = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&none);
    for key in data.keys() {
        report.each_invalid(&at.key(key), key, name::config_key(key));
    }
    if data.values().map(|value| value.0.len()).sum::<usize>() > MOST {
        report.too_long(&at, MOST);
    }
    let has = |key: &str| data.contains_key(key);
    let needs = |report: &mut Report, key: &str| report.required(&at.key(key), "");
    match text(secret.type_.as_ref()) {
        "kubernetes.io/service-account-token" => {
            const KEY: &str = "kubernetes.io/service-account.name";
            let named = secret.metadata.annotations.as_ref().and_then(|it| it.get(KEY));
            if text(named).is_empty() {
                report.required(&At::root("metadata.annotations").key(KEY), "");
            }
        }
        kind @ ("kubernetes.io/dockercfg" | "kubernetes.io/dockerconfigjson") => {
            let key = kind.strip_prefix("kubernetes.io/").map_or_else(String::new, |name| format!(".{name}"));
            match data.get(&key) {
                None => needs(report, &key),
                Some(value) => {
                    if let Some(why) = crate::json::error(&String::from_utf8_lossy(&value.0)) {
                        report.invalid(&at.key(&key), "<secret contents redacted>", &why);
                    }
                }
            }
        }
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            needs(report, "username");
            needs(report, "password");
        }
        "kubernetes.io/ssh-auth" if data.get("ssh-privatekey").is_none_or(|value| value.0.is_empty()) => {
            needs(report, "ssh-privatekey");
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"] {
                if !has(key) {
                    needs(report, key);
                }
            }
        }
        _ => {}
    }
}

pub(super) fn secret_update(report: &mut Report, new: &Secret, old: &Secret) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    meta::immutable(report, &new.type_, &old.type_, &At::root("type"));
    if old.immutable == Some(true) {
        frozen(report, "immutable", new.immutable == Some(true));
        frozen(report, "data", new.data == old.data);
    }
    secret(report, new);
}

pub(super) fn service_account(report: &mut Report, account: &ServiceAccount) {
    meta::object_meta(report, &account.metadata, true, name::subdomain);
}

pub(super) fn priority_class(report: &mut Report, class: &PriorityClass) {
    const HIGHEST: i32 = 1_000_000_000;
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    let named = text(class.metadata.name.as_ref());
    let system = matches!(named, "system-node-critical" | "system-cluster-critical");
    if named.starts_with("system-") && !system {
        let why = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {named} is not a known system priority class"
        );
        report.forbidden(&META.field("name"), &why);
    } else if class.value > HIGHEST && !system {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        report.forbidden(&At::root("value"), &why);
    }
    match class.preemption_policy.as_deref() {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => report.required(&At::root("preemptionPolicy"), ""),
        Some(other) => {
            report.not_supported(&At::root("preemptionPolicy"), other, &["PreemptLowerPriority", "Never"]);
        }
    }
}

pub(super) fn priority_class_update(report: &mut Report, new: &PriorityClass, old: &PriorityClass) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if new.value != old.value {
        report.forbidden(&At::root("value"), "may not be changed in an update.");
    }
    meta::immutable(report, &new.preemption_policy, &old.preemption_policy, &At::root("preemptionPolicy"));
}
