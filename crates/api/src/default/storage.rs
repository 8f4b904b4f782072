//! What do volumes, claims and storage classes get that do not ask for it?

use super::{blank_to, missing_to, pod::round_up};
use crate::k8s::{
    core::v1::{PersistentVolume, PersistentVolumeClaim},
    storage::v1::{CSIDriver, StorageClass},
};

pub(super) fn persistent_volume(volume: &mut PersistentVolume) {
    blank_to(&mut volume.status.get_or_insert_default().phase, "Pending");
    let spec = volume.spec.get_or_insert_default();
    blank_to(&mut spec.persistent_volume_reclaim_policy, "Retain");
    missing_to(&mut spec.volume_mode, "Filesystem");
    if let Some(capacity) = &mut spec.capacity {
        round_up(capacity);
    }
    if let Some(path) = &mut spec.host_path {
        path.type_.get_or_insert_default();
    }
    if let Some(source) = &mut spec.iscsi {
        blank_to(&mut source.iscsi_interface, "default");
    }
    if let Some(source) = &mut spec.rbd {
        blank_to(&mut source.pool, "rbd");
        blank_to(&mut source.user, "admin");
        blank_to(&mut source.keyring, "/etc/ceph/keyring");
    }
    if let Some(source) = &mut spec.azure_disk {
        missing_to(&mut source.caching_mode, "ReadWrite");
        missing_to(&mut source.kind, "Shared");
        missing_to(&mut source.fs_type, "ext4");
        source.read_only.get_or_insert(false);
    }
    if let Some(source) = &mut spec.scale_io {
        blank_to(&mut source.storage_mode, "ThinProvisioned");
        blank_to(&mut source.fs_type, "xfs");
    }
}

pub(super) fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    blank_to(&mut claim.status.get_or_insert_default().phase, "Pending");
    let spec = claim.spec.get_or_insert_default();
    missing_to(&mut spec.volume_mode, "Filesystem");
    if let Some(resources) = &mut spec.resources {
        for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
            round_up(list);
        }
    }
}

pub(super) fn storage_class(class: &mut StorageClass) {
    missing_to(&mut class.reclaim_policy, "Delete");
    missing_to(&mut class.volume_binding_mode, "Immediate");
}

pub(super) fn csi_driver(driver: &mut CSIDriver) {
    let spec = &mut driver.spec;
    spec.attach_required.get_or_insert(true);
    spec.pod_info_on_mount.get_or_insert(false);
    spec.storage_capacity.get_or_insert(false);
    spec.fs_group_policy.get_or_insert_with(|| "ReadWriteOnceWithFSType".to_owned());
    let modes = spec.volume_lifecycle_modes.get_or_insert_default();
    if modes.is_empty() {
        modes.push("Persistent".to_owned());
    }
    spec.requires_republish.get_or_insert(false);
    spec.se_linux_mount.get_or_insert(false);
}
