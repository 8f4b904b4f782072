//! What do volumes, claims and storage classes get that do not ask for it?

use super::{blank_to, pod::round_up};
use crate::k8s::{
    core::v1::{PersistentVolume, PersistentVolumeClaim},
    storage::v1::StorageClass,
};

pub(super) fn persistent_volume(volume: &mut PersistentVolume) {
    blank_to(&mut volume.status.get_or_insert_default().phase, "Pending");
    let spec = volume.spec.get_or_insert_default();
    blank_to(&mut spec.persistent_volume_reclaim_policy, "Retain");
    blank_to(&mut spec.volume_mode, "Filesystem");
    if let Some(capacity) = &mut spec.capacity {
        round_up(capacity);
    }
}

pub(super) fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    blank_to(&mut claim.status.get_or_insert_default().phase, "Pending");
    let spec = claim.spec.get_or_insert_default();
    blank_to(&mut spec.volume_mode, "Filesystem");
    if let Some(resources) = &mut spec.resources {
        for list in [&mut resources.limits, &mut resources.requests].into_iter().flatten() {
            round_up(list);
        }
    }
}

pub(super) fn storage_class(class: &mut StorageClass) {
    blank_to(&mut class.reclaim_policy, "Delete");
    blank_to(&mut class.volume_binding_mode, "Immediate");
}
