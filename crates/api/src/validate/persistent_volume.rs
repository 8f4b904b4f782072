//! Are volumes, claims and storage classes legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`, `pkg/apis/storage/validation`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    affinity, internal, meta,
    meta::text,
    name, old_volume,
    report::{At, Report},
    volume::{self, csi_driver},
};
use crate::{
    k8s::{
        core::v1::{
            PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec, PersistentVolumeSpec,
            SecretReference,
        },
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
    }
    access_modes(report, modes, &at_modes);
    let at_capacity = at.field("capacity");
    let capacity = spec.capacity.as_ref().filter(|it| !it.is_empty());
    if capacity.is_none() {
        report.required(&at_capacity, "");
    }
    if capacity.is_none_or(|it| it.len() > 1 || !it.contains_key("storage")) {
        report.not_supported(&at_capacity, &json!(capacity), &["storage"]);
    }
    for (name, amount) in capacity.into_iter().flatten() {
        let at = at_capacity.key(name);
        if let Some(Ok(owed)) = amount
            .0
            .strip_prefix('-')
            .map(Quantity::parse)
            .filter(|it| it.as_ref().is_ok_and(|it| it.sign() > 0))
        {
            report.invalid(&at, &-owed.value(), "must be a valid resource quantity");
        }
        if Quantity::parse(&amount.0).is_ok_and(|it| it.sign() <= 0) {
            report.invalid(&at, &amount.0, "must be greater than zero");
        }
    }
    let reclaim = text(spec.persistent_volume_reclaim_policy.as_ref());
    let at_reclaim = at.field("persistentVolumeReclaimPolicy");
    if !matches!(reclaim, "" | "Delete" | "Recycle" | "Retain") {
        report.not_supported(&at_reclaim, reclaim, &["Delete", "Recycle", "Retain"]);
    }
    if let Some(affinity) = &spec.node_affinity {
        let at = at.field("nodeAffinity.required");
        match &affinity.required {
            None => report.required(&at, "must specify required node constraints"),
            Some(selector) => affinity::node_selector(report, selector, &at),
        }
    }
    source(report, spec, &at);
    let root = spec.host_path.as_ref().is_some_and(|it| volume::is_root(&it.path));
    if root && reclaim == "Recycle" {
        report.forbidden(&at_reclaim, "may not be 'recycle' for a hostPath mount of '/'");
    }
    if let Some(class) = spec.storage_class_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("storageClassName"), class, name::subdomain(class, false));
    }
    volume_mode(report, spec.volume_mode.as_ref(), &at.field("volumeMode"));
    let Some(class) = &spec.volume_attributes_class_name else { return };
    let at_class = at.field("volumeAttributesClassName");
    if class.is_empty() {
        report.required(&at_class, "an empty string is disallowed");
    } else {
        report.each_invalid(&at_class, class, name::subdomain(class, false));
    }
    if spec.csi.is_none() {
        let why = "has to be specified when using volumeAttributesClassName";
        report.required(&at.field("csi"), why);
    }
}

/// What an attachment says of a volume that is not an object of its own.
pub(super) fn inline_volume(report: &mut Report, spec: &PersistentVolumeSpec, at: &At<'_>) {
    const INLINE: &str = "may not be specified in the context of inline volumes";
    if spec.claim_ref.is_some() {
        report.forbidden(&at.field("claimRef"), INLINE);
    }
    if spec.capacity.as_ref().is_some_and(|it| !it.is_empty()) {
        report.forbidden(&at.field("capacity"), INLINE);
    }
    if spec.csi.is_none() {
        report.required(&at.field("csi"), "has to be specified in the context of inline volumes");
    }
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        report.required(&at.field("accessModes"), "");
    }
    access_modes(report, modes, &at.field("accessModes"));
    if !matches!(text(spec.persistent_volume_reclaim_policy.as_ref()), "" | "Retain") {
        let why = "may only be Retain in the context of inline volumes";
        report.forbidden(&at.field("persistentVolumeReclaimPolicy"), why);
    }
    if spec.node_affinity.is_some() {
        report.forbidden(&at.field("nodeAffinity"), INLINE);
    }
    source(report, spec, at);
    if !text(spec.storage_class_name.as_ref()).is_empty() {
        report.forbidden(&at.field("storageClassName"), INLINE);
    }
    if spec.volume_mode.as_ref().is_some_and(|mode| mode != "Filesystem") {
        let why = "may not specify volumeMode other than Filesystem in the context of inline volumes";
        report.forbidden(&at.field("volumeMode"), why);
    }
}

/// The source of a volume: exactly one, and right.
// MODEL: of the sources that no EKS cluster offers, only the number is looked at.
fn source(report: &mut Report, spec: &PersistentVolumeSpec, at: &At<'_>) {
    let mut count = 0;
    let mut another = |report: &mut Report, field: &str| {
        count += 1;
        if count > 1 {
            report.forbidden(&at.field(field), "may not specify more than 1 volume type");
        }
        count == 1
    };
    if let Some(it) = spec.host_path.as_ref().filter(|_| another(report, "hostPath")) {
        volume::host_path(report, it, &at.field("hostPath"));
    }
    if spec.gce_persistent_disk.is_some() && another(report, "gcePersistentDisk") {
        old_volume::check(report, spec, "gcePersistentDisk", at, true);
    }
    if let Some(it) =
        spec.aws_elastic_block_store.as_ref().filter(|_| another(report, "awsElasticBlockStore"))
    {
        volume::elastic_block_store(report, it, &at.field("awsElasticBlockStore"));
    }
    for (field, there) in [("glusterfs", spec.glusterfs.is_some()), ("flocker", spec.flocker.is_some())] {
        if there && another(report, field) {
            old_volume::check(report, spec, field, at, true);
        }
    }
    if let Some(it) = spec.nfs.as_ref().filter(|_| another(report, "nfs")) {
        volume::nfs(report, it, &at.field("nfs"));
    }
    for (field, there) in [
        ("rbd", spec.rbd.is_some()),
        ("quobyte", spec.quobyte.is_some()),
        ("cephFS", spec.cephfs.is_some()),
        ("iscsi", spec.iscsi.is_some()),
        ("cinder", spec.cinder.is_some()),
        ("fc", spec.fc.is_some()),
        ("azureFile", spec.azure_file.is_some()),
        ("vsphereVolume", spec.vsphere_volume.is_some()),
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some()),
        ("portworxVolume", spec.portworx_volume.is_some()),
        ("azureDisk", spec.azure_disk.is_some()),
        ("scaleIO", spec.scale_io.is_some()),
    ] {
        if there && another(report, field) {
            old_volume::check(report, spec, field, at, true);
        }
    }
    if let Some(it) = spec.local.as_ref().filter(|_| another(report, "local")) {
        let at_path = at.field("local");
        let at_path = at_path.field("path");
        if it.path.is_empty() {
            report.required(&at_path, "");
        } else {
            volume::no_backsteps(report, &it.path, &at_path);
        }
        if spec.node_affinity.is_none() {
            report.required(&at.field("nodeAffinity"), "Local volume requires node affinity");
        }
    }
    if spec.storageos.is_some() && another(report, "storageos") {
        old_volume::check(report, spec, "storageos", at, true);
    }
    if let Some(it) = spec.csi.as_ref().filter(|_| another(report, "csi")) {
        let at = at.field("csi");
        csi_driver(report, &it.driver, &at.field("driver"));
        if it.volume_handle.is_empty() {
            report.required(&at.field("volumeHandle"), "");
        }
        for (field, secret) in [
            ("controllerPublishSecretRef", &it.controller_publish_secret_ref),
            ("controllerExpandSecretRef", &it.controller_expand_secret_ref),
            ("nodePublishSecretRef", &it.node_publish_secret_ref),
            ("nodeExpandSecretRef", &it.node_expand_secret_ref),
        ] {
            if let Some(secret) = secret {
                secret_reference(report, secret, &at.field(field));
            }
        }
    }
    if count == 0 && spec.flex_volume.is_none() {
        report.required(at, "must specify a volume type");
    }
}

fn secret_reference(report: &mut Report, secret: &SecretReference, at: &At<'_>) {
    match text(secret.name.as_ref()) {
        "" => report.required(&at.field("name"), ""),
        named => report.each_invalid(&at.field("name"), named, name::subdomain(named, false)),
    }
    match text(secret.namespace.as_ref()) {
        "" => report.required(&at.field("namespace"), ""),
        named => report.each_invalid(&at.field("namespace"), named, name::label(named)),
    }
}

/// A changed volume: its source, mode and place stay.
pub(super) fn volume_update(report: &mut Report, new: &PersistentVolume, old: &PersistentVolume) {
    // UPSTREAM: looked at as a new volume and as a changed one; what is wrong is said twice.
    volume(report, new);
    volume(report, new);
    let (Some(now), Some(before)) = (&new.spec, &old.spec) else { return };
    let diff = internal::volume_source_diff(before, now);
    if !diff.is_empty() {
        let why = format!("spec.persistentvolumesource is immutable after creation\n{diff}");
        report.forbidden(&At::root("spec.persistentvolumesource"), &why);
    }
    meta::immutable(report, &now.volume_mode, &before.volume_mode, &At::root("volumeMode"));
    if before.node_affinity.is_some() && now.node_affinity != before.node_affinity {
        let why = "field is immutable, except for updating from beta label to GA";
        let affinity = internal::whole("VolumeNodeAffinity", &json!(now.node_affinity));
        report.invalid(&At::root("nodeAffinity"), &affinity, why);
    }
}

pub(super) fn storage_class(report: &mut Report, class: &StorageClass) {
    meta::object_meta(report, &class.metadata, false, name::subdomain);
    provisioner(report, &class.provisioner, &At::root("provisioner"));
    parameters(report, class.parameters.as_ref(), &At::root("parameters"));
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
    // UPSTREAM: the list begins with as many empty terms as there are terms, so that an empty one stands twice.
    let topologies = class.allowed_topologies.as_deref().unwrap_or_default();
    let mut terms: Vec<BTreeMap<&String, BTreeSet<&String>>> = vec![BTreeMap::new(); topologies.len()];
    for (index, term) in topologies.iter().enumerate() {
        let at = at.index(index);
        let at_term = at;
        let mut wanted = BTreeMap::new();
        let at = at.field("matchLabelExpressions");
        for (index, expression) in term.match_label_expressions.iter().flatten().enumerate() {
            let at = at.index(index);
            if expression.values.is_empty() {
                report.required(&at.field("values"), "");
            }
            let mut seen = BTreeSet::new();
            for (index, value) in expression.values.iter().enumerate() {
                if !seen.insert(value) {
                    report.duplicate(&at.field("values").index(index), value);
                }
            }
            report.each_invalid(&at.field("key"), &expression.key, name::qualified(&expression.key));
            if wanted.contains_key(&expression.key) {
                report.duplicate(&at.field("key"), &expression.key);
            }
            wanted.insert(&expression.key, seen);
        }
        for _ in terms.iter().filter(|before| **before == wanted) {
            report.duplicate(&at_term.field("matchLabelExpressions"), "");
        }
        terms.push(wanted);
    }
}

/// Who makes the volumes of a class.
pub(super) fn provisioner(report: &mut Report, provisioner: &str, at: &At<'_>) {
    if provisioner.is_empty() {
        report.required(at, "");
    } else {
        report.each_invalid(at, provisioner, name::qualified(&provisioner.to_lowercase()));
    }
}

/// What a class tells its driver.
pub(super) fn parameters(report: &mut Report, parameters: Option<&BTreeMap<String, String>>, at: &At<'_>) {
    const MOST: usize = 512;
    const LARGEST: usize = 256 * 1024;
    let Some(parameters) = parameters else { return };
    if parameters.len() > MOST {
        report.too_long(at, MOST);
        return;
    }
    if parameters.contains_key("") {
        report.invalid(at, "", "field can not be empty.");
    }
    if parameters.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > LARGEST {
        report.too_long(at, LARGEST);
    }
}

pub(super) fn storage_class_update(report: &mut Report, new: &StorageClass, old: &StorageClass) {
    storage_class(report, new);
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
