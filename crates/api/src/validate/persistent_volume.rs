//! Are volumes, claims and storage classes legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/apis/storage/validation`.

use serde_json::json;

use super::{
    affinity, internal, meta,
    meta::text,
    name,
    report::{At, Report},
    volume::csi_driver,
};
use crate::{
    k8s::{
        core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec},
        storage::v1::StorageClass,
    },
    quantity::Quantity,
};

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

pub(super) fn claim(report: &mut Report, claim: &PersistentVolumeClaim) {
    meta::object_meta(report, &claim.metadata, true, name::subdomain);
    if let Some(spec) = &claim.spec {
        claim_spec(report, spec, &At::root("spec"));
    }
}

/// The spec of a claim, by itself or in a template.
pub(super) fn claim_spec(report: &mut Report, spec: &PersistentVolumeClaimSpec, at: &At<'_>) {
    let (modes, at_modes) = (spec.access_modes.as_deref().unwrap_or_default(), at.field("accessModes"));
    if modes.is_empty() {
        report.required(&at_modes, "at least 1 access mode is required");
    }
    meta::label_selector(report, spec.selector.as_ref(), &at.field("selector"));
    access_modes(report, modes, &at_modes);
    let at_storage = at.field("resources");
    let at_storage = at_storage.key("storage");
    let requests = spec.resources.as_ref().and_then(|it| it.requests.as_ref());
    match requests.and_then(|it| it.get("storage")) {
        None => report.required(&at_storage, ""),
        Some(amount) if Quantity::parse(&amount.0).is_ok_and(|it| it.sign() <= 0) => {
            report.invalid(&at_storage, &amount.0, "must be greater than zero");
        }
        Some(_) => {}
    }
    if let Some(class) = spec.storage_class_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("storageClassName"), class, name::subdomain(class, false));
    }
    volume_mode(report, spec.volume_mode.as_ref(), &at.field("volumeMode"));
    let (source, source_ref) = (&spec.data_source, &spec.data_source_ref);
    if let Some(it) = source {
        data_source(report, (&it.name, &it.kind, it.api_group.as_ref()), &at.field("dataSource"));
    }
    if let Some(it) = source_ref {
        let at = at.field("dataSourceRef");
        data_source(report, (&it.name, &it.kind, it.api_group.as_ref()), &at);
        if let Some(namespace) = it.namespace.as_ref().filter(|it| !it.is_empty()) {
            report.each_invalid(&at.field("namespace"), namespace, name::label(namespace));
        }
    }
    if let (Some(source), Some(source_ref)) = (source, source_ref) {
        // UPSTREAM: what is shown here is a path, and a path has no JSON.
        if !text(source_ref.namespace.as_ref()).is_empty() {
            report.invalid(at, &json!({}), "may not be specified when dataSourceRef.namespace is specified");
        } else if (&source.name, &source.kind, &source.api_group)
            != (&source_ref.name, &source_ref.kind, &source_ref.api_group)
        {
            report.invalid(at, &json!({}), "must match dataSourceRef");
        }
    }
    if let Some(class) = spec.volume_attributes_class_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("volumeAttributesClassName"), class, name::subdomain(class, false));
    }
}

fn data_source(report: &mut Report, source: (&String, &String, Option<&String>), at: &At<'_>) {
    let (named, kind, group) = source;
    for (field, value) in [("name", named), ("kind", kind)] {
        if value.is_empty() {
            report.required(&at.field(field), "");
        }
    }
    let group = text(group);
    if group.is_empty() {
        if kind != "PersistentVolumeClaim" {
            let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            report.invalid(at, kind, why);
        }
    } else {
        report.each_invalid(&at.field("apiGroup"), group, name::subdomain(group, false));
    }
}

/// A changed claim: only its size and class of attributes may change, and only once it is bound.
pub(super) fn claim_update(report: &mut Report, new: &PersistentVolumeClaim, old: &PersistentVolumeClaim) {
    // UPSTREAM: looked at as a new claim and as a changed one; what is wrong is said twice.
    claim(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    claim(report, new);
    let bound = new.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Bound");
    let (Some(now), Some(before)) = (&new.spec, &old.spec) else { return };
    let storage = |spec: &PersistentVolumeClaimSpec| {
        spec.resources.as_ref().and_then(|it| it.requests.as_ref()).and_then(|it| it.get("storage").cloned())
    };
    let mut kept = now.clone();
    let mut stored = before.clone();
    if text(stored.volume_name.as_ref()).is_empty() {
        stored.volume_name.clone_from(&kept.volume_name);
    }
    // A claim without a class may get one later (`validateStorageClassUpgradeFromNil`).
    let beta = "volume.beta.kubernetes.io/storage-class";
    if before.storage_class_name.is_none()
        && !old.metadata.annotations.as_ref().is_some_and(|it| it.contains_key(beta))
    {
        kept.storage_class_name = None;
    }
    if bound {
        kept.volume_attributes_class_name.clone_from(&before.volume_attributes_class_name);
        let requests = kept.resources.as_mut().and_then(|it| it.requests.as_mut());
        if let (Some(requests), Some(amount)) = (requests, storage(before)) {
            requests.insert("storage".to_owned(), amount);
        }
    }
    if !meta::same(&kept, &stored) {
        let why = format!(
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n{}",
            internal::claim_spec_diff(&stored, &kept)
        );
        report.forbidden(&At::root("spec"), &why);
    }
    let amount = |spec| storage(spec).and_then(|it| Quantity::parse(&it.0).ok());
    let capacity = old.status.as_ref().and_then(|it| it.capacity.as_ref()).and_then(|it| it.get("storage"));
    let capacity = capacity.and_then(|it| Quantity::parse(&it.0).ok());
    if let (Some(now), Some(before)) = (amount(now), amount(before))
        && now < before
        && capacity.map_or(now.sign() <= 0, |capacity| now <= capacity)
    {
        let why = "field can not be less than status.capacity";
        report.forbidden(&At::root("spec.resources.requests.storage"), why);
    }
    meta::immutable(report, &now.volume_mode, &before.volume_mode, &At::root("volumeMode"));
}

fn access_modes(report: &mut Report, modes: &[String], at: &At<'_>) {
    for mode in modes.iter().filter(|mode| !MODES.contains(&mode.as_str())) {
        report.not_supported(at, mode, MODES);
    }
    let alone = |mode: &String| mode == "ReadWriteOncePod";
    if modes.iter().any(alone) && modes.iter().any(|it| !alone(it) && MODES.contains(&it.as_str())) {
        report.forbidden(at, "may not use ReadWriteOncePod with other access modes");
    }
}

fn volume_mode(report: &mut Report, mode: Option<&String>, at: &At<'_>) {
    if let Some(mode) = mode.filter(|mode| !matches!(mode.as_str(), "Block" | "Filesystem")) {
        report.not_supported(at, mode, &["Block", "Filesystem"]);
    }
}

pub(super) fn volume(report: &mut Report, volume: &PersistentVolume) {
    meta::object_meta(report, &volume.metadata, false, name::subdomain);
    let Some(spec) = &volume.spec else { return };
    let at = At::root("spec");
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    let at_modes = at.field("accessModes");
    if modes.is_empty() {
        report.required(&at_modes, "");
    } else {
        access_modes(report, modes, &at_modes);
    }
    let capacity = spec.capacity.as_ref().filter(|it| !it.is_empty());
    let at_capacity = at.field("capacity");
    match capacity {
        None => report.required(&at_capacity, ""),
        Some(list) => {
            if list.len() > 1 || !list.contains_key("storage") {
                let names: Vec<&String> = list.keys().collect();
                report.not_supported(&at_capacity, &json!(names), &["storage"]);
            }
            for (name, amount) in list {
                if Quantity::parse(&amount.0).is_ok_and(|it| it.sign() <= 0) {
                    report.invalid(&at_capacity.key(name), &amount.0, "must be greater than zero");
                }
            }
        }
    }
    if let Some(policy) = spec.persistent_volume_reclaim_policy.as_ref().filter(|it| !it.is_empty())
        && !matches!(policy.as_str(), "Delete" | "Recycle" | "Retain")
    {
        let at = at.field("persistentVolumeReclaimPolicy");
        report.not_supported(&at, policy, &["Delete", "Recycle", "Retain"]);
    }
    if let Some(affinity) = &spec.node_affinity {
        let at = at.field("nodeAffinity.required");
        match &affinity.required {
            None => report.required(&at, "must specify required node constraints"),
            Some(selector) => affinity::node_selector(report, selector, &at),
        }
    }
    let mut sources = 0;
    if let Some(it) = &spec.host_path {
        sources += 1;
        let at = at.field("hostPath");
        if it.path.is_empty() {
            report.required(&at.field("path"), "");
        }
    }
    if let Some(it) = &spec.csi {
        sources += 1;
        let at = at.field("csi");
        csi_driver(report, &it.driver, &at.field("driver"));
        if it.volume_handle.is_empty() {
            report.required(&at.field("volumeHandle"), "");
        }
    }
    for there in [
        spec.aws_elastic_block_store.is_some(),
        spec.nfs.is_some(),
        spec.local.is_some(),
        spec.gce_persistent_disk.is_some(),
        spec.iscsi.is_some(),
        spec.fc.is_some(),
        spec.rbd.is_some(),
        spec.cephfs.is_some(),
        spec.cinder.is_some(),
        spec.azure_disk.is_some(),
        spec.azure_file.is_some(),
        spec.flex_volume.is_some(),
        spec.glusterfs.is_some(),
        spec.quobyte.is_some(),
        spec.vsphere_volume.is_some(),
        spec.portworx_volume.is_some(),
        spec.scale_io.is_some(),
        spec.storageos.is_some(),
        spec.photon_persistent_disk.is_some(),
        spec.flocker.is_some(),
    ] {
        sources += i32::from(there);
    }
    if sources == 0 {
        report.required(&at, "must specify a volume type");
    }
    if let Some(class) = spec.storage_class_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("storageClassName"), class, name::subdomain(class, false));
    }
    volume_mode(report, spec.volume_mode.as_ref(), &at.field("volumeMode"));
}

/// A changed volume: its source, mode and place stay.
pub(super) fn volume_update(report: &mut Report, new: &PersistentVolume, old: &PersistentVolume) {
    // UPSTREAM: looked at as a new volume and as a changed one; what is wrong is said twice.
    volume(report, new);
    volume(report, new);
    let (Some(now), Some(before)) = (&new.spec, &old.spec) else { return };
    if now.csi != before.csi
        || now.host_path != before.host_path
        || now.local != before.local
        || now.nfs != before.nfs
    {
        let why = format!(
            "spec.persistentvolumesource is immutable after creation\n{}",
            internal::volume_source_diff(before, now)
        );
        report.forbidden(&At::root("spec.persistentvolumesource"), &why);
    }
    meta::immutable(report, &now.volume_mode, &before.volume_mode, &At::root("volumeMode"));
    if before.node_affinity.is_some() && now.node_affinity != before.node_affinity {
        report.invalid(&At::root("nodeAffinity"), &json!(now.node_affinity), "field is immutable");
    }
}

pub(super) fn storage_class(report: &mut Report, class: &StorageClass) {
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    if class.provisioner.is_empty() {
        report.required(&At::root("provisioner"), "");
    } else {
        let lower = class.provisioner.to_lowercase();
        report.each_invalid(&At::root("provisioner"), &class.provisioner, name::qualified(&lower));
    }
    let at = At::root("parameters");
    if class.parameters.iter().flatten().any(|(key, _)| key.is_empty()) {
        report.invalid(&at, "", "field can not be empty.");
    }
    match text(class.reclaim_policy.as_ref()) {
        "" | "Delete" | "Retain" => {}
        other => report.not_supported(&At::root("reclaimPolicy"), other, &["Delete", "Retain"]),
    }
    match class.volume_binding_mode.as_deref() {
        None => report.required(&At::root("volumeBindingMode"), ""),
        Some("Immediate" | "WaitForFirstConsumer") => {}
        Some(other) => {
            let known = ["Immediate", "WaitForFirstConsumer"];
            report.not_supported(&At::root("volumeBindingMode"), other, &known);
        }
    }
    let at = At::root("allowedTopologies");
    for (index, term) in class.allowed_topologies.iter().flatten().enumerate() {
        let at = at.index(index);
        let at = at.field("matchLabelExpressions");
        for (index, expression) in term.match_label_expressions.iter().flatten().enumerate() {
            let at = at.index(index);
            if expression.values.is_empty() {
                report.required(&at.field("values"), "");
            }
            let mut seen = std::collections::BTreeSet::new();
            for (index, value) in expression.values.iter().enumerate() {
                if !seen.insert(value) {
                    report.duplicate(&at.field("values").index(index), value);
                }
            }
            report.each_invalid(&at.field("key"), &expression.key, name::qualified(&expression.key));
        }
    }
}

pub(super) fn storage_class_update(report: &mut Report, new: &StorageClass, old: &StorageClass) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    if new.parameters != old.parameters {
        report.forbidden(&At::root("parameters"), "updates to parameters are forbidden.");
    }
    if new.provisioner != old.provisioner {
        report.forbidden(&At::root("provisioner"), "updates to provisioner are forbidden.");
    }
    if new.reclaim_policy != old.reclaim_policy {
        report.forbidden(&At::root("reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
    }
    let at = At::root("volumeBindingMode");
    meta::immutable(report, &new.volume_binding_mode, &old.volume_binding_mode, &at);
}
