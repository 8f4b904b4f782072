//! Are a container's mounts and devices legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::BTreeSet;

use super::{
    container::Around,
    report::{At, Report},
    volume::descending_path,
};
use crate::k8s::core::v1::{Container, VolumeMount};

/// `volumeMounts`.
pub(super) fn mounts(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let mut points = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at_one = at.index(index);
        if mount.name.is_empty() {
            report.required(&at_one.field("name"), "");
        }
        if !around.volumes.contains_key(mount.name.as_str()) {
            report.not_found(&at_one.field("name"), &mount.name, "");
        }
        if mount.mount_path.is_empty() {
            report.required(&at_one.field("mountPath"), "");
        }
        if !points.insert(&mount.mount_path) {
            report.invalid(&at_one.field("mountPath"), &mount.mount_path, "must be unique");
        }
        if devices.iter().any(|device| device.name == mount.name) {
            report.invalid(&at_one.field("name"), &mount.name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.device_path == mount.mount_path) {
            let why = "must not already exist as a path in volumeDevices";
            report.invalid(&at_one.field("mountPath"), &mount.mount_path, why);
        }
        let sub_path = mount.sub_path.as_ref().filter(|path| !path.is_empty());
        if let Some(path) = sub_path {
            descending_path(report, path, &at.field("subPath"));
        }
        if let Some(path) = mount.sub_path_expr.as_ref().filter(|path| !path.is_empty()) {
            if sub_path.is_some() {
                let why = "subPathExpr and subPath are mutually exclusive";
                report.invalid(&at_one.field("subPathExpr"), path, why);
            }
            descending_path(report, path, &at.field("subPathExpr"));
        }
        propagation(report, mount, container, at);
    }
}

fn propagation(report: &mut Report, mount: &VolumeMount, container: &Container, at: &At<'_>) {
    const KNOWN: &[&str] = &["Bidirectional", "HostToContainer", "None"];
    if let Some(propagation) = &mount.mount_propagation {
        let at = at.field("mountPropagation");
        if !KNOWN.contains(&propagation.as_str()) {
            report.not_supported(&at, propagation, KNOWN);
        }
        let privileged = container.security_context.as_ref().and_then(|it| it.privileged) == Some(true);
        if propagation == "Bidirectional" && !privileged {
            report
                .forbidden(&at, "Bidirectional mount propagation is available only to privileged containers");
        }
    }
    let at = at.field("recursiveReadOnly");
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                report.forbidden(&at, "may only be specified when readOnly is true");
            }
            if mount.mount_propagation.as_deref().is_some_and(|it| it != "None") {
                report.forbidden(&at, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => report.not_supported(&at, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

/// `volumeDevices`.
pub(super) fn devices(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in container.volume_devices.iter().flatten().enumerate() {
        let at_one = at.index(index);
        if device.name.is_empty() {
            report.required(&at_one.field("name"), "");
        }
        if names.contains(&device.name) {
            report.invalid(&at_one.field("name"), &device.name, "must be unique");
        }
        match around.volumes.get(device.name.as_str()) {
            None => report.not_found(&at_one.field("name"), &device.name, ""),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let why =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                report.invalid(&at_one.field("name"), &device.name, why);
            }
            Some(_) => {}
        }
        let at_path = at_one.field("devicePath");
        if device.device_path.is_empty() {
            report.required(&at_path, "");
        }
        if paths.contains(&device.device_path) {
            report.invalid(&at_path, &device.device_path, "must be unique");
        }
        if device.device_path.split('/').any(|part| part == "..") {
            report.invalid(&at_path, &device.device_path, "can not contain backsteps ('..')");
        } else {
            paths.insert(&device.device_path);
        }
        if mounts.iter().any(|mount| mount.name == device.name) {
            report.invalid(&at_one.field("name"), &device.name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| mount.mount_path == device.device_path) {
            report.invalid(&at_path, &device.device_path, "must not already exist as a path in volumeMounts");
        }
        if !device.name.is_empty() {
            names.insert(&device.name);
        }
    }
}
