//! What is remarked on claims, volumes and their classes?
//!
//! Source: kubernetes v1.34.1 `pkg/api/persistentvolumeclaim/util.go`, `pkg/api/persistentvolume/util.go`,
//! `pkg/api/storage/util.go`.

use super::{
    super::{meta::text, report::At},
    deprecated_label, fraction, pod,
};
use crate::{
    k8s::{
        core::v1::{PersistentVolume, PersistentVolumeClaimSpec},
        storage::v1::StorageClass,
    },
    meta::ObjectMeta,
};

/// The class was an annotation once.
pub(super) fn old_class(out: &mut Vec<String>, metadata: &ObjectMeta) {
    const KEY: &str = "volume.beta.kubernetes.io/storage-class";
    if metadata.annotations.as_ref().is_some_and(|it| it.contains_key(KEY)) {
        out.push(format!(
            "metadata.annotations[{KEY}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
}

/// A claim's amounts.
pub(super) fn claim(out: &mut Vec<String>, spec: &PersistentVolumeClaimSpec, at: &At<'_>) {
    let Some(resources) = &spec.resources else { return };
    fraction(out, resources.requests.as_ref(), "storage", &at.field("resources.requests"));
    fraction(out, resources.limits.as_ref(), "storage", &at.field("resources.limits"));
}

/// A volume.
pub(super) fn persistent(out: &mut Vec<String>, it: &PersistentVolume) {
    old_class(out, &it.metadata);
    let Some(spec) = &it.spec else { return };
    if text(spec.persistent_volume_reclaim_policy.as_ref()) == "Recycle" {
        out.push("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.".to_owned());
    }
    let at = At::root("spec.nodeAffinity.required.nodeSelectorTerms");
    let terms = spec.node_affinity.iter().filter_map(|it| it.required.as_ref());
    for (index, term) in terms.flat_map(|it| &it.node_selector_terms).enumerate() {
        pod::node_selector_term(out, term, false, &at.index(index));
    }
    for (field, there, why) in [
        ("photonPersistentDisk", spec.photon_persistent_disk.is_some(), "v1.11, non-functional in v1.16+"),
        ("scaleIO", spec.scale_io.is_some(), "v1.16, non-functional in v1.22+"),
        ("storageOS", spec.storageos.is_some(), "v1.22, non-functional in v1.25+"),
        ("glusterfs", spec.glusterfs.is_some(), "v1.25, non-functional in v1.26+"),
        ("cephfs", spec.cephfs.is_some(), "v1.28, non-functional in v1.31+"),
        ("rbd", spec.rbd.is_some(), "v1.28, non-functional in v1.31+"),
    ] {
        if there {
            out.push(format!("spec.{field}: deprecated in {why}"));
        }
    }
}

/// A class's topologies.
pub(super) fn class(out: &mut Vec<String>, it: &StorageClass) {
    for (term, topology) in it.allowed_topologies.iter().flatten().enumerate() {
        for (index, label) in topology.match_label_expressions.iter().flatten().enumerate() {
            if let Some(instead) = deprecated_label(&label.key) {
                out.push(format!("allowedTopologies[{term}].matchLabelExpressions[{index}].key: {instead}"));
            }
        }
    }
}
