//! What must a volume say that is of one of the old sorts?
//!
//! Sorts that drivers outside Kubernetes took over: what they need is still asked of them. What FC, iSCSI and Flocker need together is not.
//! Source: `pkg/apis/core/validation/validation.go` (`validateRBDVolumeSource` and those beside it).

use serde::Serialize;
use serde_json::Value;

use super::report::{At, Report};

/// What each sort needs, by the name of its field.
const NEEDED: [(&str, &[&str]); 12] = [
    ("gcePersistentDisk", &["pdName"]),
    ("glusterfs", &["endpoints", "path"]),
    ("rbd", &["monitors", "image"]),
    ("cinder", &["volumeID"]),
    ("cephfs", &["monitors"]),
    ("azureFile", &["secretName", "shareName"]),
    ("flexVolume", &["driver"]),
    ("vsphereVolume", &["volumePath"]),
    ("photonPersistentDisk", &["pdID"]),
    ("portworxVolume", &["volumeID"]),
    ("scaleIO", &["gateway", "system", "volumeName"]),
    ("storageos", &["volumeName"]),
];

/// Looks at the source that `volume` has under `sort`. A secret of a volume of the whole cluster must say where it is.
pub(super) fn check(report: &mut Report, volume: &impl Serialize, sort: &str, at: &At<'_>, of_cluster: bool) {
    let field = if sort == "cephFS" { "cephfs" } else { sort };
    let Some((_, needed)) = NEEDED.iter().find(|(sort, _)| *sort == field) else { return };
    let whole = serde_json::to_value(volume).unwrap_or_default();
    let (source, at) = (&whole[field], at.field(field));
    let is_there = |value: &Value| match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        other => !other.is_null(),
    };
    for name in needed.iter().filter(|name| !is_there(&source[**name])) {
        report.required(&at.field(name), "");
    }
    let secret = &source["secretRef"];
    if !secret.is_null() && matches!(field, "cinder" | "storageos") {
        let at = at.field("secretRef");
        for name in ["name", "namespace"].into_iter().take(if of_cluster { 2 } else { 1 }) {
            if !is_there(&secret[name]) {
                report.required(&at.field(name), "");
            }
        }
    }
    let namespace = &source["secretNamespace"];
    if field == "azureFile" && of_cluster && !namespace.is_null() && !is_there(namespace) {
        report.required(&at.field("secretNamespace"), "");
    }
}
