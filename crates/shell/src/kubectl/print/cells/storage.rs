//! Rows of volumes, claims and classes.

use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::field::{at, list, map, text, word};

/// `RWO,ROX`.
#[must_use]
pub(crate) fn modes(value: &Value, path: &str) -> String {
    // UPSTREAM: in this order, each once, whatever the order of the list.
    const SHORT: [(&str, &str); 4] = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let given = list(value, path);
    let some = SHORT.iter().filter(|(mode, _)| given.iter().any(|g| g == mode));
    some.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

pub(super) fn volume(o: &Value, now: Timestamp) -> Vec<String> {
    let claim = match text(o, "spec.claimRef.name") {
        "" => String::new(),
        claim => format!("{}/{claim}", text(o, "spec.claimRef.namespace")),
    };
    let gone = !at(o, "metadata.deletionTimestamp").is_null();
    vec![
        name(o),
        word(at(o, "spec.capacity.storage")),
        modes(o, "spec.accessModes"),
        text(o, "spec.persistentVolumeReclaimPolicy").to_owned(),
        if gone { "Terminating" } else { text(o, "status.phase") }.to_owned(),
        claim,
        text(o, "spec.storageClassName").to_owned(),
        or(text(o, "spec.volumeAttributesClassName"), "<unset>").to_owned(),
        text(o, "status.reason").to_owned(),
        created(o, now),
        or(text(o, "spec.volumeMode"), "<unset>").to_owned(),
    ]
}

pub(super) fn claim(o: &Value, now: Timestamp) -> Vec<String> {
    let bound = !text(o, "spec.volumeName").is_empty();
    let gone = !at(o, "metadata.deletionTimestamp").is_null();
    vec![
        name(o),
        if gone { "Terminating" } else { text(o, "status.phase") }.to_owned(),
        text(o, "spec.volumeName").to_owned(),
        // UPSTREAM: a claim that only names its volume has a capacity of zero.
        if bound { or(&word(at(o, "status.capacity.storage")), "0").to_owned() } else { String::new() },
        if bound { modes(o, "status.accessModes") } else { String::new() },
        text(o, "spec.storageClassName").to_owned(),
        or(text(o, "spec.volumeAttributesClassName"), "<unset>").to_owned(),
        created(o, now),
        or(text(o, "spec.volumeMode"), "<unset>").to_owned(),
    ]
}

pub(super) fn class(o: &Value, now: Timestamp) -> Vec<String> {
    let default = map(o, "metadata.annotations")
        .any(|(k, v)| k.ends_with("storageclass.kubernetes.io/is-default-class") && v == "true");
    let named = format!("{}{}", name(o), if default { " (default)" } else { "" });
    vec![
        named,
        text(o, "provisioner").to_owned(),
        or(text(o, "reclaimPolicy"), "Delete").to_owned(),
        or(text(o, "volumeBindingMode"), "Immediate").to_owned(),
        (at(o, "allowVolumeExpansion") == &Value::Bool(true)).to_string(),
        created(o, now),
    ]
}

pub(super) fn attachment(o: &Value, now: Timestamp) -> Vec<String> {
    vec![
        name(o),
        text(o, "spec.attacher").to_owned(),
        text(o, "spec.source.persistentVolumeName").to_owned(),
        text(o, "spec.nodeName").to_owned(),
        (at(o, "status.attached") == &Value::Bool(true)).to_string(),
        created(o, now),
    ]
}

pub(super) fn driver(o: &Value, now: Timestamp) -> Vec<String> {
    let on = |path: &str| (at(o, path) == &Value::Bool(true)).to_string();
    let some = |path: &str, key: &str| {
        let all: Vec<&str> =
            list(o, path).iter().map(|it| it.as_str().unwrap_or_else(|| text(it, key))).collect();
        if all.is_empty() { "<unset>".to_owned() } else { all.join(",") }
    };
    let attaches = at(o, "spec.attachRequired") != &Value::Bool(false);
    vec![
        name(o),
        attaches.to_string(),
        on("spec.podInfoOnMount"),
        on("spec.storageCapacity"),
        some("spec.tokenRequests", "audience"),
        on("spec.requiresRepublish"),
        some("spec.volumeLifecycleModes", ""),
        created(o, now),
    ]
}
