//! May a claim or a volume that is being deleted go?
//!
//! A claim stays while a pod that has not finished uses it, a volume while it is bound.
//! Source: `pkg/controller/volume/pvcprotection` and `pvprotection`, 1.34.

use api::{
    ApiStatus, Kind,
    k8s::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod},
};

use super::read;
use crate::{Change, Controller, Key, Next, Store, Turn};

/// Set on every claim.
pub(crate) const OF_CLAIM: &str = "kubernetes.io/pvc-protection";
/// Set on every volume.
pub(crate) const OF_VOLUME: &str = "kubernetes.io/pv-protection";

/// Lets claims go that nobody uses.
pub(crate) struct ClaimProtection;

/// Lets volumes go that are not bound.
pub(crate) struct VolumeProtection;

/// Names of the claims that a pod uses, those made from it among them.
pub(crate) fn claims(pod: &Pod) -> impl Iterator<Item = String> + '_ {
    let volumes = pod.spec.iter().flat_map(|it| it.volumes.iter().flatten());
    volumes.filter_map(|it| {
        let named = it.persistent_volume_claim.as_ref().map(|it| it.claim_name.clone());
        let pod = pod.metadata.name.as_deref().unwrap_or_default();
        named.or_else(|| it.ephemeral.as_ref().map(|_| format!("{pod}-{}", it.name)))
    })
}

impl Controller for ClaimProtection {
    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let Key { cluster, kind, namespace, .. } = &change.key;
        match kind {
            Kind::PersistentVolumeClaim if change.after.is_some() => wake(change.key.clone()),
            Kind::Pod => {
                let pod = change.before.as_deref().and_then(<Pod as api::Resource>::of);
                for claim in pod.into_iter().flat_map(claims) {
                    wake(Key::new(*cluster, Kind::PersistentVolumeClaim, namespace, &claim));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(claim) = read::<PersistentVolumeClaim>(turn, key) else { return Ok(Next::Done) };
        let held = claim.metadata.finalizers.iter().flatten().any(|it| it == OF_CLAIM);
        let uses = |pod: &Pod| {
            let phase = pod.status.as_ref().and_then(|it| it.phase.as_deref());
            !matches!(phase, Some("Succeeded" | "Failed")) && claims(pod).any(|it| it == *key.name)
        };
        if held && claim.metadata.deletion_timestamp.is_some() && !turn.list(Some(&key.namespace)).any(uses) {
            turn.take_finalizer(key, OF_CLAIM)?;
        }
        Ok(Next::Done)
    }
}

impl Controller for VolumeProtection {
    fn name(&self) -> &'static str {
        "pv-protection-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::PersistentVolume && change.after.is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(volume) = read::<PersistentVolume>(turn, key) else { return Ok(Next::Done) };
        let held = volume.metadata.finalizers.iter().flatten().any(|it| it == OF_VOLUME);
        let bound = volume.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Bound");
        if held && volume.metadata.deletion_timestamp.is_some() && !bound {
            turn.take_finalizer(key, OF_VOLUME)?;
        }
        Ok(Next::Done)
    }
}
