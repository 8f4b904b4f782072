//! Is the metadata of an object legal?
//!
//! Source: apimachinery `api/validation/objectmeta.go`, `apis/meta/v1/validation/validation.go` v0.34.1.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::{
    internal, name,
    report::{At, Report, Written},
};
pub(super) use crate::canonical::same;
use crate::{
    default::blank,
    meta::{LabelSelector, ObjectMeta, OwnerReference},
};

/// What keeps a text from being a kind's name; true if letters will be added to it.
pub(super) type NameRule = fn(&str, bool) -> Vec<String>;

/// The metadata of a new object.
pub(super) fn object_meta(report: &mut Report, meta: &ObjectMeta, namespaced: bool, rule: NameRule) {
    generic_object_meta(report, meta, namespaced, rule);
    kube_finalizers(report, meta);
}

/// The same of kinds that are not of the server's own groups: their finalizers may be called anything.
pub(super) fn generic_object_meta(report: &mut Report, meta: &ObjectMeta, namespaced: bool, rule: NameRule) {
    let at = At::root("metadata");
    if let Some(prefix) = meta.generate_name.as_ref().filter(|prefix| !prefix.is_empty()) {
        report.each_invalid(&at.field("generateName"), prefix, rule(prefix, true));
    }
    match meta.name.as_ref().filter(|name| !name.is_empty()) {
        None => report.required(&at.field("name"), "name or generateName is required"),
        Some(name) => report.each_invalid(&at.field("name"), name, rule(name, false)),
    }
    match (namespaced, meta.namespace.as_ref().filter(|it| !it.is_empty())) {
        (true, None) => report.required(&at.field("namespace"), ""),
        (true, Some(namespace)) => {
            report.each_invalid(&at.field("namespace"), namespace, name::label_name(namespace, false));
        }
        (false, Some(_)) => report.forbidden(&at.field("namespace"), "not allowed on this type"),
        (false, None) => {}
    }
    report.not_negative(&at.field("generation"), meta.generation.unwrap_or_default());
    labels(report, meta.labels.as_ref(), &at.field("labels"));
    annotations(report, meta.annotations.as_ref(), &at.field("annotations"));
    owners(report, meta.owner_references.as_deref().unwrap_or_default(), &at.field("ownerReferences"));
    finalizers(report, meta.finalizers.as_deref().unwrap_or_default(), &at.field("finalizers"));
}

fn kube_finalizers(report: &mut Report, meta: &ObjectMeta) {
    for (index, finalizer) in meta.finalizers.iter().flatten().enumerate() {
        kube_finalizer(report, finalizer, &At::root("metadata").field("finalizers").index(index));
    }
}

fn finalizers(report: &mut Report, finalizers: &[String], at: &At<'_>) {
    for finalizer in finalizers {
        report.each_invalid(at, finalizer, name::qualified(finalizer));
    }
    let has = |name: &str| finalizers.iter().any(|it| it == name);
    if has("orphan") && has("foregroundDeletion") {
        let why = "finalizer orphan and foregroundDeletion cannot be both set";
        report.invalid(at, &json!(finalizers), why);
    }
}

/// What every changed object is held to before its kind's own rules: it is looked at as a new one and as a changed one.
/// Source: `validateCommonFields` of the registry.
pub(super) fn common_update(report: &mut Report, new: &ObjectMeta, old: &ObjectMeta, namespaced: bool) {
    generic_object_meta(report, new, namespaced, name::path_segment);
    generic_object_meta_update(report, new, old);
}

/// The metadata of a changed object, as the rules of most kinds look at it again; `old` is the stored one.
///
/// UPSTREAM: what is wrong with it is therefore said several times.
pub(super) fn object_meta_update(report: &mut Report, new: &ObjectMeta, old: &ObjectMeta) {
    generic_object_meta_update(report, new, old);
    kube_finalizers(report, new);
}

/// The same of kinds that are not of the server's own groups.
pub(super) fn generic_object_meta_update(report: &mut Report, new: &ObjectMeta, old: &ObjectMeta) {
    let at = At::root("metadata");
    if old.deletion_timestamp.is_some() {
        let finalizers = new.finalizers.as_deref().unwrap_or_default();
        let before = old.finalizers.as_deref().unwrap_or_default();
        let mut added: Vec<&String> = finalizers.iter().filter(|it| !before.contains(it)).collect();
        added.sort_unstable();
        added.dedup();
        if !added.is_empty() {
            let shown: Vec<String> = added.iter().map(|it| format!("{it:?}")).collect();
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                shown.join(", ")
            );
            report.forbidden(&at.field("finalizers"), &why);
        }
    }
    if new.generation.unwrap_or_default() < old.generation.unwrap_or_default() {
        let generation = new.generation.unwrap_or_default();
        report.invalid(&at.field("generation"), &generation, "must not be decremented");
    }
    for (field, new, old) in [
        ("name", &new.name, &old.name),
        ("namespace", &new.namespace, &old.namespace),
        ("uid", &new.uid, &old.uid),
    ] {
        if new.as_deref().unwrap_or_default() != old.as_deref().unwrap_or_default() {
            report.invalid(&at.field(field), new.as_deref().unwrap_or_default(), "field is immutable");
        }
    }
    immutable(report, &new.deletion_timestamp, &old.deletion_timestamp, &at.field("deletionTimestamp"));
    immutable(
        report,
        &new.deletion_grace_period_seconds,
        &old.deletion_grace_period_seconds,
        &at.field("deletionGracePeriodSeconds"),
    );
    labels(report, new.labels.as_ref(), &at.field("labels"));
    annotations(report, new.annotations.as_ref(), &at.field("annotations"));
    owners(report, new.owner_references.as_deref().unwrap_or_default(), &at.field("ownerReferences"));
}

/// Labels; the path does not name the key.
pub(super) fn labels(report: &mut Report, labels: Option<&BTreeMap<String, String>>, at: &At<'_>) {
    for (key, value) in labels.into_iter().flatten() {
        report.each_invalid(at, key, name::qualified(key));
        report.each_invalid(at, value, name::label_value(value));
    }
}

/// Annotations: keys like labels', values of any kind up to 256 kB in all.
pub(super) fn annotations(report: &mut Report, annotations: Option<&BTreeMap<String, String>>, at: &At<'_>) {
    const MOST: usize = 256 * 1024;
    for key in annotations.into_iter().flatten().map(|(key, _)| key) {
        report.each_invalid(at, key, name::qualified(&key.to_lowercase()));
    }
    let size: usize = annotations.into_iter().flatten().map(|(key, value)| key.len() + value.len()).sum();
    if size > MOST {
        report.too_long(at, MOST);
    }
}

/// A label selector.
pub(super) fn label_selector(report: &mut Report, selector: Option<&LabelSelector>, at: &At<'_>) {
    let Some(selector) = selector else { return };
    labels(report, selector.match_labels.as_ref(), &at.field("matchLabels"));
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let at = at.field("matchExpressions");
        let at = at.index(index);
        let values = requirement.values.as_deref().unwrap_or_default();
        match requirement.operator.as_str() {
            "In" | "NotIn" if values.is_empty() => {
                report.required(&at.field("values"), "must be specified when `operator` is 'In' or 'NotIn'");
            }
            "In" | "NotIn" => {}
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    let why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                    report.forbidden(&at.field("values"), why);
                }
            }
            other => report.invalid(&at.field("operator"), other, "not a valid selector operator"),
        }
        report.each_invalid(&at.field("key"), &requirement.key, name::qualified(&requirement.key));
        for (index, value) in values.iter().enumerate() {
            report.each_invalid(&at.field("values").index(index), value, name::label_value(value));
        }
    }
}

fn owners(report: &mut Report, owners: &[OwnerReference], at: &At<'_>) {
    let mut controller: Option<String> = None;
    for owner in owners {
        let group = owner.api_version.split_once('/');
        let version = group.map_or(owner.api_version.as_str(), |(_, version)| version);
        if version.is_empty() || version.contains('/') {
            report.invalid(&at.field("apiVersion"), &owner.api_version, "version must not be empty");
        }
        for (field, value) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
            if value.is_empty() {
                report.invalid(&at.field(field), value, "must not be empty");
            }
        }
        if owner.api_version == "v1" && owner.kind == "Event" {
            let why = "/v1, Kind=Event is disallowed from being an owner";
            report.invalid(at, &internal::owner(owner), why);
        }
        if owner.controller == Some(true) {
            let named = format!("{}/{}", owner.kind, owner.name);
            match &controller {
                Some(first) => {
                    let why = format!(
                        "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {named}"
                    );
                    let shown: Vec<String> = owners.iter().map(|it| internal::owner(it).0).collect();
                    report.invalid(at, &Written(format!("[{}]", shown.join(","))), &why);
                }
                None => controller = Some(named),
            }
        }
    }
}

pub(super) fn kube_finalizer(report: &mut Report, finalizer: &str, at: &At<'_>) {
    const STANDARD: &[&str] = &["kubernetes", "orphan", "foregroundDeletion"];
    if !finalizer.contains('/') && !STANDARD.contains(&finalizer) {
        report.invalid(at, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

/// Whether a field that must not change has changed.
pub(super) fn immutable<T: Serialize>(report: &mut Report, new: &T, old: &T, at: &At<'_>) {
    if !same(new, old) {
        report.invalid(at, &json!(new), "field is immutable");
    }
}

/// The same of a workload's selector.
pub(super) fn immutable_selector(
    report: &mut Report,
    new: Option<&LabelSelector>,
    old: Option<&LabelSelector>,
) {
    // A selector that is empty is one that was left out, as far as Deployments and their like can tell.
    let new = new.filter(|it| it.match_labels.is_some() || it.match_expressions.is_some());
    if !same(&new, &old) {
        let shown = new.map_or_else(|| Written("null".to_owned()), internal::label_selector);
        report.invalid(&At::root("spec.selector"), &shown, "field is immutable");
    }
}

/// The string of a field, empty if unset.
pub(super) fn text(field: Option<&String>) -> &str {
    if blank(field) { "" } else { field.map_or("", String::as_str) }
}
