//! Are a pod's volumes legal?
//!
//! The kinds of volume that EKS workloads use are looked into; the others only count.
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    env::{field_selector, resource_field_selector},
    meta, name, old_volume, persistent_volume,
    report::{At, Report},
};
use crate::{
    default::blank,
    k8s::core::v1::{
        AWSElasticBlockStoreVolumeSource, DownwardAPIVolumeFile, HostPathVolumeSource, KeyToPath,
        NFSVolumeSource, ProjectedVolumeSource, Volume,
    },
    meta::ObjectMeta,
};

const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// The volumes that are right, by name.
pub(super) fn volumes<'v>(
    report: &mut Report,
    volumes: &'v [Volume],
    metadata: Option<&ObjectMeta>,
    at: &At<'_>,
) -> BTreeMap<&'v str, &'v Volume> {
    let mut right = BTreeMap::new();
    for (index, volume) in volumes.iter().enumerate() {
        let at = at.index(index);
        let before = report.causes.len();
        source(report, volume, metadata, &at);
        if volume.name.is_empty() {
            report.required(&at.field("name"), "");
        } else {
            report.each_invalid(&at.field("name"), &volume.name, name::label(&volume.name));
        }
        if right.contains_key(volume.name.as_str()) {
            report.duplicate(&at.field("name"), &volume.name);
        }
        if report.causes.len() == before {
            right.insert(volume.name.as_str(), volume);
        }
    }
    right
}

/// The source of a volume: exactly one, and right.
fn source(report: &mut Report, volume: &Volume, metadata: Option<&ObjectMeta>, at: &At<'_>) {
    let mut count = 0;
    let mut another = |report: &mut Report, field: &str| {
        count += 1;
        if count > 1 {
            report.forbidden(&at.field(field), "may not specify more than 1 volume type");
        }
        count == 1
    };
    if let Some(it) = &volume.empty_dir {
        another(report, "emptyDir");
        let negative = it.size_limit.as_ref().is_some_and(|limit| limit.0.starts_with('-'));
        if negative {
            report.forbidden(
                &at.field("emptyDir.sizeLimit"),
                "SizeLimit field must be a valid resource quantity",
            );
        }
    }
    if let Some(it) = volume.host_path.as_ref().filter(|_| another(report, "hostPath")) {
        host_path(report, it, &at.field("hostPath"));
    }
    if volume.git_repo.is_some() {
        another(report, "gitRepo");
    }
    if volume.gce_persistent_disk.is_some() && another(report, "gcePersistentDisk") {
        old_volume::check(report, volume, "gcePersistentDisk", at, false);
    }
    if let Some(it) =
        volume.aws_elastic_block_store.as_ref().filter(|_| another(report, "awsElasticBlockStore"))
    {
        elastic_block_store(report, it, &at.field("awsElasticBlockStore"));
    }
    if let Some(it) = volume.secret.as_ref().filter(|_| another(report, "secret")) {
        let at = at.field("secret");
        if blank(it.secret_name.as_ref()) {
            report.required(&at.field("secretName"), "");
        }
        mode(report, it.default_mode, &at.field("defaultMode"));
        keys(report, it.items.as_deref(), &at.field("items"));
    }
    if let Some(it) = volume.nfs.as_ref().filter(|_| another(report, "nfs")) {
        nfs(report, it, &at.field("nfs"));
    }
    for (field, there) in [
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("flocker", volume.flocker.is_some()),
    ] {
        if there && another(report, field) {
            old_volume::check(report, volume, field, at, false);
        }
    }
    if let Some(it) =
        volume.persistent_volume_claim.as_ref().filter(|_| another(report, "persistentVolumeClaim"))
        && it.claim_name.is_empty()
    {
        report.required(&at.field("persistentVolumeClaim.claimName"), "");
    }
    for (field, there) in [
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephFS", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
    ] {
        if there && another(report, field) {
            old_volume::check(report, volume, field, at, false);
        }
    }
    // UPSTREAM: its name is misspelt where there is more than one source.
    if let Some(it) = volume.downward_api.as_ref().filter(|_| another(report, "downwarAPI")) {
        let at = at.field("downwardAPI");
        mode(report, it.default_mode, &at.field("defaultMode"));
        for file in it.items.iter().flatten() {
            downward_file(report, file, &at);
        }
    }
    if volume.fc.is_some() {
        another(report, "fc");
    }
    if let Some(it) = volume.config_map.as_ref().filter(|_| another(report, "configMap")) {
        let at = at.field("configMap");
        if it.name.is_empty() {
            report.required(&at.field("name"), "");
        }
        mode(report, it.default_mode, &at.field("defaultMode"));
        keys(report, it.items.as_deref(), &at.field("items"));
    }
    for (field, there) in [
        ("azureFile", volume.azure_file.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
    ] {
        if there && another(report, field) {
            old_volume::check(report, volume, field, at, false);
        }
    }
    if let Some(it) = volume.projected.as_ref().filter(|_| another(report, "projected")) {
        projected(report, it, &at.field("projected"));
    }
    if volume.scale_io.is_some() && another(report, "scaleIO") {
        old_volume::check(report, volume, "scaleIO", at, false);
    }
    if let Some(it) = volume.csi.as_ref().filter(|_| another(report, "csi")) {
        csi_driver(report, &it.driver, &at.field("csi.driver"));
    }
    if let Some(it) = volume.ephemeral.as_ref().filter(|_| another(report, "ephemeral")) {
        let at_template = at.field("ephemeral.volumeClaimTemplate");
        match &it.volume_claim_template {
            None => report.required(&at_template, ""),
            Some(template) => {
                let metadata = template.metadata.as_ref();
                meta::annotations(
                    report,
                    metadata.and_then(|it| it.annotations.as_ref()),
                    &at_template.field("metadata.annotations"),
                );
                meta::labels(
                    report,
                    metadata.and_then(|it| it.labels.as_ref()),
                    &at_template.field("metadata.labels"),
                );
                nothing_else(report, metadata, &at_template.field("metadata"));
                persistent_volume::claim_spec(report, &template.spec, &at_template.field("spec"));
            }
        }
        let pod = metadata.and_then(|it| it.name.as_ref()).filter(|name| !name.is_empty());
        // That the volume has no name is said elsewhere.
        if let Some(pod) = pod.filter(|_| !volume.name.is_empty()) {
            let claim = format!("{pod}-{}", volume.name);
            for why in name::subdomain(&claim, false) {
                report.invalid(&at.field("name"), &volume.name, &format!("PVC name {claim:?}: {why}"));
            }
        }
    }
    if let Some(it) = volume.image.as_ref().filter(|_| another(report, "image"))
        && metadata.is_some()
        && blank(it.reference.as_ref())
    {
        report.required(&at.field("image.reference"), "");
    }
    if count == 0 {
        report.required(at, "must specify a volume type");
    }
}

/// A place on the node.
pub(super) fn host_path(report: &mut Report, it: &HostPathVolumeSource, at: &At<'_>) {
    const TYPES: &[&str] = &[
        "",
        "BlockDevice",
        "CharDevice",
        "Directory",
        "DirectoryOrCreate",
        "File",
        "FileOrCreate",
        "Socket",
    ];
    if it.path.is_empty() {
        report.required(&at.field("path"), "");
        return;
    }
    no_backsteps(report, &it.path, &at.field("path"));
    if let Some(type_) = it.type_.as_ref().filter(|type_| !TYPES.contains(&type_.as_str())) {
        report.not_supported(&at.field("type"), type_, TYPES);
    }
}

/// An EBS volume in the way of old.
pub(super) fn elastic_block_store(report: &mut Report, it: &AWSElasticBlockStoreVolumeSource, at: &At<'_>) {
    if it.volume_id.is_empty() {
        report.required(&at.field("volumeID"), "");
    }
    if let Some(partition) = it.partition.filter(|partition| !(0..=255).contains(partition)) {
        report.invalid(&at.field("partition"), &partition, "must be between 1 and 255, inclusive");
    }
}

/// A share of a file server.
pub(super) fn nfs(report: &mut Report, it: &NFSVolumeSource, at: &At<'_>) {
    if it.server.is_empty() {
        report.required(&at.field("server"), "");
    }
    if it.path.is_empty() {
        report.required(&at.field("path"), "");
    }
    if !it.path.starts_with('/') {
        report.invalid(&at.field("path"), &it.path, "must be an absolute path");
    }
}

/// Whether a path leads to `/` when it is walked.
pub(super) fn is_root(path: &str) -> bool {
    path.starts_with('/') && path.split('/').all(|part| matches!(part, "" | "." | ".."))
}

fn mode(report: &mut Report, mode: Option<i32>, at: &At<'_>) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        report.invalid(at, &mode, MODE);
    }
}

fn keys(report: &mut Report, items: Option<&[KeyToPath]>, at: &At<'_>) {
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        key_to_path(report, item, &at.index(index));
    }
}

fn key_to_path(report: &mut Report, item: &KeyToPath, at: &At<'_>) {
    if item.key.is_empty() {
        report.required(&at.field("key"), "");
    }
    if item.path.is_empty() {
        report.required(&at.field("path"), "");
    }
    local_path(report, &item.path, &at.field("path"));
    mode(report, item.mode, &at.field("mode"));
}

/// What a template may say of its claim is its labels and annotations. Source: `ValidateTemplateObjectMeta`.
fn nothing_else(report: &mut Report, metadata: Option<&ObjectMeta>, at: &At<'_>) {
    let Some(meta) = metadata else { return };
    let text = |it: &Option<String>| it.as_deref().is_some_and(|it| !it.is_empty());
    for (is_set, field) in [
        (text(&meta.name), "name"),
        (text(&meta.generate_name), "generateName"),
        (text(&meta.namespace), "namespace"),
        (text(&meta.self_link), "selfLink"),
        (text(&meta.uid), "uID"),
        (text(&meta.resource_version), "resourceVersion"),
        (meta.generation.is_some_and(|it| it != 0), "generation"),
        (meta.creation_timestamp.is_some(), "creationTimestamp"),
        (meta.deletion_timestamp.is_some(), "deletionTimestamp"),
        (meta.deletion_grace_period_seconds.is_some(), "deletionGracePeriodSeconds"),
        (meta.owner_references.is_some(), "ownerReferences"),
        (meta.finalizers.is_some(), "finalizers"),
        (meta.managed_fields.is_some(), "managedFields"),
    ] {
        if is_set {
            report.forbidden(&at.field(field), "cannot be set");
        }
    }
}

fn downward_file(report: &mut Report, file: &DownwardAPIVolumeFile, at: &At<'_>) {
    const FIELDS: &[&str] =
        &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
    if file.path.is_empty() {
        report.required(&at.field("path"), "");
    }
    local_path(report, &file.path, &at.field("path"));
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), other) => {
            field_selector(report, field, FIELDS, &at.field("fieldRef"));
            if other.is_some() {
                report.invalid(
                    at,
                    "resource",
                    "fieldRef and resourceFieldRef can not be specified simultaneously",
                );
            }
        }
        (None, Some(resource)) => {
            resource_field_selector(report, resource, true, &at.field("resourceFieldRef"));
        }
        (None, None) => report.required(at, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(report, file.mode, &at.field("mode"));
}

fn projected(report: &mut Report, projected: &ProjectedVolumeSource, at: &At<'_>) {
    mode(report, projected.default_mode, &at.field("defaultMode"));
    let mut paths = BTreeSet::new();
    let at_sources = at.field("sources");
    for (index, source) in projected.sources.iter().flatten().enumerate() {
        let at_source = at_sources.index(index);
        let mut count = 0;
        let named = [
            ("secret", source.secret.as_ref().map(|it| (&it.name, it.items.as_deref()))),
            ("configMap", source.config_map.as_ref().map(|it| (&it.name, it.items.as_deref()))),
        ];
        for (field, it) in named {
            let Some((name, items)) = it else { continue };
            count += 1;
            let at_named = at_source.field(field);
            if name.is_empty() {
                report.required(&at_named.field("name"), "");
            }
            for (index, item) in items.unwrap_or_default().iter().enumerate() {
                key_to_path(report, item, &at_named.field("items").index(index));
                if !item.path.is_empty() && !paths.insert(item.path.clone()) {
                    report.invalid(at, name, "conflicting duplicate paths");
                }
            }
        }
        if let Some(it) = &source.downward_api {
            count += 1;
            for file in it.items.iter().flatten() {
                downward_file(report, file, &at_source.field("downwardAPI"));
                if !file.path.is_empty() && !paths.insert(file.path.clone()) {
                    report.invalid(at, &file.path, "conflicting duplicate paths");
                }
            }
        }
        if let Some(it) = &source.service_account_token {
            count += 1;
            let seconds = it.expiration_seconds.unwrap_or(3600);
            let at_seconds = at_source.field("serviceAccountToken.expirationSeconds");
            if seconds < 600 {
                report.invalid(&at_seconds, &seconds, "may not specify a duration less than 10 minutes");
            }
            if seconds > 1 << 32 {
                report.invalid(&at_seconds, &seconds, "may not specify a duration larger than 2^32 seconds");
            }
            if it.path.is_empty() {
                report.required(&at.field("path"), "");
            } else {
                local_path(report, &it.path, &at.field("path"));
            }
        }
        count +=
            i32::from(source.cluster_trust_bundle.is_some()) + i32::from(source.pod_certificate.is_some());
        if count > 1 {
            report.forbidden(&at_source, "may not specify more than 1 volume type per source");
        }
    }
}

/// The name of a CSI driver.
pub(super) fn csi_driver(report: &mut Report, driver: &str, at: &At<'_>) {
    if driver.is_empty() {
        report.required(at, "");
    }
    if driver.len() > 63 {
        report.too_long(at, 63);
    }
    report.each_invalid(at, driver, name::subdomain(&driver.to_lowercase(), false));
}

/// A path that must not lead upwards.
pub(super) fn no_backsteps(report: &mut Report, path: &str, at: &At<'_>) {
    if path.split('/').any(|part| part == "..") {
        report.invalid(at, path, "must not contain '..'");
    }
}

/// A relative path that does not lead upwards.
pub(super) fn descending_path(report: &mut Report, path: &str, at: &At<'_>) {
    if path.starts_with('/') {
        report.invalid(at, path, "must be a relative path");
    }
    no_backsteps(report, path, at);
}

fn local_path(report: &mut Report, path: &str, at: &At<'_>) {
    descending_path(report, path, at);
    if path.starts_with("..") && !path.starts_with("../") {
        report.invalid(at, path, "must not start with '..'");
    }
}
