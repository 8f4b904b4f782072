//! Which claim gets which volume?
//!
//! A claim takes the smallest volume that would do, or has one made by the provisioner of its class; where the class
//! waits for a consumer, the scheduler chooses first. A volume whose claim is gone is released, kept, deleted or scrubbed.
//! This module does not make volumes: [`crate::cloud::ebs`] does.
//! Source: `pkg/controller/volume/persistentvolume/pv_controller.go`, 1.34.

mod claim;
pub(crate) mod expand;
pub(crate) mod protection;
mod recycle;
#[cfg(test)]
mod tests;
mod volume;

use std::rc::Rc;

use api::{
    ApiStatus, Kind, Object, SimDuration,
    k8s::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim},
    kinds::sim::ControlPlane,
};
use scheduler::storage::{self, Storage};

use crate::{Change, ClusterId, Controller, EventType, Key, Next, Store, Turn, scheduler::typed};

/// What the controller has bound itself, and may unbind.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// The provisioner that is to make a claim's volume, in the older and the newer annotation.
const PROVISIONERS: [&str; 2] =
    ["volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"];
/// How often claims without a volume are looked at again.
/// Source: `--pvclaimbinder-sync-period`, 15 s.
const RESYNC: u64 = 15;
/// On a `sim/ControlPlane`: that period in seconds, where it is not the default.
const PERIOD: &str = "podpath/pvclaimbinder-sync-period-seconds";

/// The controller; events know it by this name.
pub(crate) struct PersistentVolumeBinder;

impl Controller for PersistentVolumeBinder {
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let cluster = change.key.cluster;
        match change.key.kind {
            Kind::PersistentVolumeClaim => {
                let volume = |claim: &PersistentVolumeClaim| storage::volume_name(claim).to_owned();
                let named = typed(change.after.as_deref().or(change.before.as_deref())).map(|it| volume(&it));
                match (&change.after, named.filter(|it| !it.is_empty())) {
                    (Some(_), _) if !is_own_note(change) => wake(change.key.clone()),
                    (Some(_), _) => {}
                    (None, Some(name)) => wake(Key::new(cluster, Kind::PersistentVolume, "", &name)),
                    (None, None) => {}
                }
            }
            Kind::PersistentVolume => {
                if change.after.is_some() {
                    wake(change.key.clone());
                }
                let volume = typed::<PersistentVolume>(change.after.as_deref().or(change.before.as_deref()));
                if let Some(claim) = volume.and_then(|it| claim_of(&it, cluster)) {
                    wake(claim);
                } else if is_new_offer(change) {
                    let claims = store.objects(cluster, Kind::PersistentVolumeClaim, None);
                    claims.for_each(|(key, _)| wake(key.clone()));
                }
            }
            Kind::Pod => recycle::watch(change, wake),
            // MODEL: claims without a class hear of a default one at once, not within 15 s.
            Kind::StorageClass if change.after.is_some() => {
                let claims = store.objects(cluster, Kind::PersistentVolumeClaim, None);
                let nameless = |it: &Object| {
                    typed::<PersistentVolumeClaim>(Some(it))
                        .is_some_and(|it| it.spec.is_none_or(|it| it.storage_class_name.is_none()))
                };
                claims.filter(|(_, it)| nameless(it)).for_each(|(key, _)| wake(key.clone()));
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        match key.kind {
            Kind::PersistentVolumeClaim => claim::step(turn, key),
            _ => volume::step(turn, key),
        }
    }
}

/// Whether a claim was handed to a provisioner, or was called pending, and nothing else changed: whoever did so still has it
/// in hand, and to the real controller a new claim is pending from the beginning.
fn is_own_note(change: &Change) -> bool {
    let (Some(before), Some(after)) = (change.before.as_deref(), change.after.as_deref()) else {
        return false;
    };
    let bare = |it: &Object| {
        let mut value = it.to_value();
        value["metadata"]["resourceVersion"].take();
        value["metadata"]["managedFields"].take();
        let mut notes = it.meta().annotations.clone().unwrap_or_default();
        notes.retain(|note, _| !PROVISIONERS.contains(&note.as_str()));
        value["metadata"]["annotations"] = serde_json::json!(notes);
        if value["status"]["phase"].as_str().is_none_or(|phase| phase == "Pending") {
            value["status"].take();
        }
        value
    };
    before != after && bare(before) == bare(after)
}

/// MODEL: pending claims hear of a new volume at once; the real controller looks at them again within 15 s.
fn is_new_offer(change: &Change) -> bool {
    let available = |it: &Option<Rc<Object>>| {
        typed::<PersistentVolume>(it.as_deref())
            .and_then(|it| it.status?.phase)
            .is_some_and(|phase| phase == "Available")
    };
    !available(&change.before) && available(&change.after)
}

/// The claim a volume is reserved for.
fn claim_of(volume: &PersistentVolume, cluster: ClusterId) -> Option<Key> {
    let claim = volume.spec.as_ref()?.claim_ref.as_ref()?;
    let namespace = claim.namespace.as_deref()?;
    Some(Key::new(cluster, Kind::PersistentVolumeClaim, namespace, claim.name.as_deref()?))
}

/// How often claims without a volume are looked at again.
fn resync(turn: &Turn<'_>) -> SimDuration {
    let mut planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let plane = planes.find(|plane| plane.id == turn.cluster().0);
    let written = plane.and_then(|plane| plane.metadata.annotations.as_ref()?.get(PERIOD)?.parse().ok());
    SimDuration::secs(written.filter(|seconds| *seconds > 0).unwrap_or(RESYNC))
}

/// Volumes, claims and classes as they are now.
fn storage_of(turn: &Turn<'_>) -> Storage {
    turn.world().scheduling().nodes(turn.cluster()).storage.clone()
}

pub(crate) fn read<T: serde::de::DeserializeOwned>(turn: &Turn<'_>, key: &Key) -> Option<T> {
    typed(turn.store().object(key).map(Rc::as_ref))
}

/// Writes a claim or volume, but not its status; nothing if nothing differs.
pub(crate) fn change<T: serde::de::DeserializeOwned + serde::Serialize>(
    turn: &mut Turn<'_>,
    key: &Key,
    part: Part,
    change: impl FnOnce(&mut T),
) -> Result<(), ApiStatus> {
    let Some(Object::Stored(mut stored)) = turn.store().object(key).map(|it| (**it).clone()) else {
        return Ok(());
    };
    let before = stored.clone();
    stored.edit(change);
    if stored == before {
        return Ok(());
    }
    match part {
        Part::Rest => turn.update_object(Object::Stored(stored)).map(drop),
        Part::Status => turn.update_status_object(Object::Stored(stored)).map(drop),
    }
}

/// What of an object is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Its status.
    Status,
    /// Everything else.
    Rest,
}

/// A reference to a claim, as volumes hold it.
pub(crate) fn reference(claim: &PersistentVolumeClaim) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
        resource_version: claim.metadata.resource_version.clone(),
        ..ObjectReference::default()
    }
}

/// Reserves a volume for a claim (`bindVolumeToClaim`).
pub(crate) fn reserve(
    turn: &mut Turn<'_>,
    volume: &Key,
    claim: &PersistentVolumeClaim,
) -> Result<(), ApiStatus> {
    change::<PersistentVolume>(turn, volume, Part::Rest, |it| {
        let spec = it.spec.get_or_insert_default();
        let held = spec.claim_ref.as_ref();
        if held.is_none() {
            let notes = it.metadata.annotations.get_or_insert_default();
            notes.insert(BOUND_BY_CONTROLLER.to_owned(), "yes".to_owned());
        }
        if held.and_then(|it| it.uid.as_ref()) != claim.metadata.uid.as_ref() {
            spec.claim_ref = Some(reference(claim));
        }
    })
}

fn say(turn: &mut Turn<'_>, key: &Key, how: EventType, reason: &str, message: &str) {
    if let Some(about) = turn.store().object(key).cloned() {
        turn.event(&about, how, reason, message);
    }
}
