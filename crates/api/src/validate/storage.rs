//! Are the storage drivers' own objects legal: CSIDrivers, CSINodes, capacities, attachments, attribute classes?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/storage/validation`, `pkg/registry/storage/*/strategy.go`.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    internal, meta, name, persistent_volume,
    report::{At, Report},
    resources,
    volume::csi_driver as driver_name,
};
use crate::k8s::storage::v1::{
    CSIDriver, CSIDriverSpec, CSINode, CSIStorageCapacity, VolumeAttachment, VolumeAttributesClass,
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn csi_driver(report: &mut Report, driver: &CSIDriver) {
    meta::object_meta(report, &driver.metadata, false, name::subdomain);
    csi_driver_spec(report, &driver.spec);
}

pub(super) fn csi_driver_update(report: &mut Report, new: &CSIDriver, old: &CSIDriver) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    csi_driver_spec(report, &new.spec);
    let (new, old) = (&new.spec, &old.spec);
    // UPSTREAM: the field is attachRequired.
    meta::immutable(report, &new.attach_required, &old.attach_required, &SPEC.field("attachedRequired"));
    let at = SPEC.field("volumeLifecycleModes");
    meta::immutable(report, &new.volume_lifecycle_modes, &old.volume_lifecycle_modes, &at);
}

fn csi_driver_spec(report: &mut Report, spec: &CSIDriverSpec) {
    const POLICIES: &[&str] = &["File", "None", "ReadWriteOnceWithFSType"];
    if let Some(policy) = spec.fs_group_policy.as_ref().filter(|it| !POLICIES.contains(&it.as_str())) {
        report.not_supported(&SPEC.field("fsGroupPolicy"), policy, POLICIES);
    }
    let mut audiences = BTreeSet::new();
    let at = SPEC.field("tokenRequests");
    for (index, request) in spec.token_requests.iter().flatten().enumerate() {
        let at = at.index(index);
        if !audiences.insert(&request.audience) {
            report.duplicate(&at.field("audience"), &request.audience);
            continue;
        }
        let Some(seconds) = request.expiration_seconds else { continue };
        if seconds < 600 {
            let why = "may not specify a duration less than 10 minutes";
            report.invalid(&at.field("expirationSeconds"), &seconds, why);
        }
        if seconds > 1 << 32 {
            let why = "may not specify a duration larger than 2^32 seconds";
            report.invalid(&at.field("expirationSeconds"), &seconds, why);
        }
    }
    const MODES: &[&str] = &["Persistent", "Ephemeral"];
    for mode in spec.volume_lifecycle_modes.iter().flatten().filter(|it| !MODES.contains(&it.as_str())) {
        report.not_supported(&SPEC.field("volumeLifecycleModes"), mode, MODES);
    }
    if let Some(seconds) = spec.node_allocatable_update_period_seconds.filter(|it| *it < 10) {
        let at = SPEC.field("nodeAllocatableUpdatePeriodSeconds");
        report.invalid(&at, &seconds, "must be greater than or equal to 10 seconds");
    }
}

pub(super) fn csi_node(report: &mut Report, node: &CSINode) {
    const LONGEST_ID: usize = 256;
    meta::object_meta(report, &node.metadata, false, name::subdomain);
    let mut names = BTreeSet::new();
    let at = SPEC.field("drivers");
    for (index, driver) in node.spec.drivers.iter().enumerate() {
        let at = at.index(index);
        driver_name(report, &driver.name, &at.field("name"));
        if driver.node_id.is_empty() {
            report.required(&at.field("nodeID"), "");
        }
        if driver.node_id.len() > LONGEST_ID {
            let why = format!("must be {LONGEST_ID} characters or less");
            report.invalid(&at.field("nodeID"), &driver.node_id, &why);
        }
        let count = driver.allocatable.as_ref().and_then(|it| it.count).unwrap_or_default();
        report.not_negative(&at.field("allocatable.count"), count.into());
        if !names.insert(&driver.name) {
            report.duplicate(&at.field("name"), &driver.name);
        }
        let mut keys = BTreeSet::new();
        for key in driver.topology_keys.iter().flatten() {
            if key.is_empty() {
                report.required(&at, "");
            }
            if !keys.insert(key) {
                report.duplicate(&at, key);
            }
            report.each_invalid(&at, key, name::qualified(key));
        }
    }
}

pub(super) fn csi_node_update(report: &mut Report, new: &CSINode, old: &CSINode) {
    // UPSTREAM: looked at as a new node and as a changed one; what is wrong is said twice.
    csi_node(report, new);
    csi_node(report, new);
    for before in &old.spec.drivers {
        for now in new.spec.drivers.iter().filter(|it| it.name == before.name && *it != before) {
            let allocatable = now
                .allocatable
                .as_ref()
                .map_or_else(|| "null".to_owned(), |it| internal::object(&[("Count", json!(it.count))]).0);
            let shown = format!(
                "{{\"Name\":{},\"NodeID\":{},\"TopologyKeys\":{},\"Allocatable\":{allocatable}}}",
                json!(now.name),
                json!(now.node_id),
                json!(now.topology_keys),
            );
            report.invalid(&SPEC.field("drivers"), &super::report::Written(shown), "field is immutable");
        }
    }
}

pub(super) fn csi_storage_capacity(report: &mut Report, capacity: &CSIStorageCapacity) {
    meta::object_meta(report, &capacity.metadata, true, name::subdomain);
    meta::label_selector(report, capacity.node_topology.as_ref(), &At::root("nodeTopology"));
    let class = &capacity.storage_class_name;
    report.each_invalid(&At::root("storageClassName"), class, name::subdomain(class, false));
    if let Some(amount) = &capacity.capacity {
        resources::not_negative_amount(report, amount, &At::root("capacity"));
    }
}

pub(super) fn csi_storage_capacity_update(
    report: &mut Report,
    new: &CSIStorageCapacity,
    old: &CSIStorageCapacity,
) {
    csi_storage_capacity(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    meta::immutable(report, &new.node_topology, &old.node_topology, &At::root("nodeTopology"));
    meta::immutable(report, &new.storage_class_name, &old.storage_class_name, &At::root("storageClassName"));
}

pub(super) fn volume_attachment(report: &mut Report, attachment: &VolumeAttachment) {
    volume_attachment_of_old(report, attachment);
    driver_name(report, &attachment.spec.attacher, &SPEC.field("attacher"));
    if let Some(volume) = &attachment.spec.source.persistent_volume_name {
        let at = SPEC.field("source.persistentVolumeName");
        report.each_invalid(&at, volume, name::subdomain(volume, false));
    }
}

pub(super) fn volume_attachment_update(report: &mut Report, new: &VolumeAttachment, old: &VolumeAttachment) {
    // UPSTREAM: looked at twice; what is wrong is said twice.
    volume_attachment_of_old(report, new);
    volume_attachment_of_old(report, new);
    if new.spec != old.spec {
        let source = internal::object(&[
            ("PersistentVolumeName", json!(new.spec.source.persistent_volume_name)),
            ("InlineVolumeSpec", json!(new.spec.source.inline_volume_spec)),
        ]);
        let shown = format!(
            "{{\"Attacher\":{},\"Source\":{},\"NodeName\":{}}}",
            json!(new.spec.attacher),
            source.0,
            json!(new.spec.node_name),
        );
        report.invalid(&SPEC, &super::report::Written(shown), "field is immutable");
    }
}

/// What held before `v1`, and still holds for what is stored.
fn volume_attachment_of_old(report: &mut Report, attachment: &VolumeAttachment) {
    meta::object_meta(report, &attachment.metadata, false, name::subdomain);
    let spec = &attachment.spec;
    if spec.attacher.is_empty() {
        report.required(&SPEC.field("attacher"), "");
    }
    let at = SPEC.field("source");
    const ONE: &str = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match (&spec.source.inline_volume_spec, &spec.source.persistent_volume_name) {
        (None, None) => report.required(&at, ONE),
        (Some(_), Some(_)) => report.forbidden(&at, ONE),
        (None, Some(volume)) if volume.is_empty() => {
            report.required(&at.field("persistentVolumeName"), "must specify non empty persistentVolumeName");
        }
        (None, Some(_)) => {}
        (Some(inline), None) => {
            persistent_volume::inline_volume(report, inline, &at.field("inlineVolumeSpec"));
        }
    }
    report.each_invalid(&SPEC.field("nodeName"), &spec.node_name, name::subdomain(&spec.node_name, false));
}

pub(super) fn volume_attributes_class(report: &mut Report, class: &VolumeAttributesClass) {
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    persistent_volume::provisioner(report, &class.driver_name, &At::root("driverName"));
    let parameters = class.parameters.as_ref();
    let at = At::root("parameters");
    persistent_volume::parameters(report, parameters, &at);
    if parameters.is_none_or(std::collections::BTreeMap::is_empty) {
        report.required(&at, "must contain at least one key/value pair");
    }
}

pub(super) fn volume_attributes_class_update(
    report: &mut Report,
    new: &VolumeAttributesClass,
    old: &VolumeAttributesClass,
) {
    // UPSTREAM: looked at before and after; what is wrong is said twice.
    volume_attributes_class(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if new.driver_name != old.driver_name {
        report.forbidden(&At::root("driverName"), "updates to driverName are forbidden.");
    }
    if new.parameters != old.parameters {
        report.forbidden(&At::root("parameters"), "updates to parameters are forbidden.");
    }
    volume_attributes_class(report, new);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Kind, decode, default, validate};

    fn causes(kind: Kind, object: &Value) -> Vec<String> {
        let mut object = decode::decode(kind, object).expect("an object");
        default::apply_defaults(&mut object);
        validate::create(&object).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    #[test]
    fn a_driver_asks_for_one_token_of_an_audience_and_long_enough() {
        let driver = json!({"metadata": {"name": "a"}, "spec": {"fsGroupPolicy": "x", "tokenRequests": [
            {"audience": "a", "expirationSeconds": 599}, {"audience": "a"}]}});
        assert_eq!(
            causes(Kind::CSIDriver, &driver),
            [
                r#"spec.fsGroupPolicy: Unsupported value: "x": supported values: "File", "None", "ReadWriteOnceWithFSType""#,
                "spec.tokenRequests[0].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes",
                r#"spec.tokenRequests[1].audience: Duplicate value: "a""#,
            ]
        );
    }

    #[test]
    fn an_attachment_says_which_volume() {
        let attachment = json!({"metadata": {"name": "a"},
            "spec": {"attacher": "a", "nodeName": "n", "source": {}}});
        let why = "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName";
        assert_eq!(causes(Kind::VolumeAttachment, &attachment), [why]);
    }

    #[test]
    fn a_volume_has_one_source() {
        let volume = json!({"metadata": {"name": "a"}, "spec": {"capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/a"}, "nfs": {"server": "a", "path": "/b"}}});
        let why = "spec.nfs: Forbidden: may not specify more than 1 volume type";
        assert_eq!(causes(Kind::PersistentVolume, &volume), [why]);
    }
}
