//! What becomes of a claim?

use api::{
    ApiStatus, Kind, SimDuration,
    k8s::core::v1::{PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus, Pod},
};
use scheduler::storage;

use super::{BOUND_BY_CONTROLLER, PROVISIONERS, Part, change, read, reserve, resync, say, storage_of};
use crate::{EventType, Key, Next, Turn};

/// Looks at one claim.
pub(super) fn step(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let Some(claim) = read::<PersistentVolumeClaim>(turn, key) else { return Ok(Next::Done) };
    if storage::fully_bound(&claim) {
        return bound(turn, key, &claim).map(|()| Next::Done);
    }
    if !storage::volume_name(&claim).is_empty() {
        return asked_for(turn, key, &claim);
    }
    if let Some(class) = default_class(turn, &claim) {
        change::<PersistentVolumeClaim>(turn, key, Part::Rest, |it| {
            it.spec.get_or_insert_default().storage_class_name = Some(class);
        })?;
        return Ok(Next::Done);
    }
    let storage = storage_of(turn);
    let class = storage::claim_class(&claim);
    let notes = claim.metadata.annotations.as_ref();
    let chosen = notes.is_some_and(|it| it.contains_key(storage::SELECTED_NODE));
    let delayed = !chosen && storage.class(class).is_some_and(storage::waits_for_consumer);
    let found = if delayed {
        storage.reserved_volume(&claim)
    } else {
        storage.best_volume(&claim, None, &std::collections::BTreeSet::new())
    };
    if let Some(volume) = found {
        let name = volume.metadata.name.clone().unwrap_or_default();
        return bind(turn, key, &claim, &name).map(|()| Next::Done);
    }
    if delayed {
        waits(turn, key);
    } else if class.is_empty() {
        let message = "no persistent volumes available for this claim and no storage class is set";
        say(turn, key, EventType::Normal, "FailedBinding", message);
    } else {
        provision(turn, key, &claim, storage.class(class).map(|it| it.provisioner.as_str()))?;
    }
    pending(turn, key)?;
    Ok(again(turn))
}

/// At the next round: rounds come at the same moments for all claims.
fn again(turn: &Turn<'_>) -> Next {
    let period = resync(turn).0;
    Next::Every(SimDuration(period - turn.now().0 % period))
}

fn pending(turn: &mut Turn<'_>, key: &Key) -> Result<(), ApiStatus> {
    change::<PersistentVolumeClaim>(turn, key, Part::Status, |it| {
        it.status.get_or_insert_default().phase.get_or_insert_with(|| "Pending".to_owned());
    })
}

/// The default class, for a claim that names none at all (`RetroactiveDefaultStorageClass`).
fn default_class(turn: &Turn<'_>, claim: &PersistentVolumeClaim) -> Option<String> {
    let spec = claim.spec.as_ref()?;
    if spec.storage_class_name.is_some() || !storage::claim_class(claim).is_empty() {
        return None;
    }
    crate::apiserver::default_storage_class(turn.store(), turn.cluster())
}

/// A claim that waits for a pod says for which.
fn waits(turn: &mut Turn<'_>, key: &Key) {
    let uses = |pod: &&Pod| {
        let spec = pod.spec.as_ref();
        let done =
            matches!(pod.status.as_ref().and_then(|it| it.phase.as_deref()), Some("Succeeded" | "Failed"));
        !done
            && spec.and_then(|it| it.node_name.as_deref()).unwrap_or_default().is_empty()
            && super::protection::claims(pod).any(|it| it == *key.name)
    };
    let pods: Vec<String> = turn
        .list::<Pod>(Some(&key.namespace))
        .filter(uses)
        .map(|it| it.metadata.name.clone().unwrap_or_default())
        .collect();
    let (reason, message) = match &pods[..] {
        [] => ("WaitForFirstConsumer", "waiting for first consumer to be created before binding".to_owned()),
        [one] => ("WaitForPodScheduled", format!("waiting for pod {one} to be scheduled")),
        several => ("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", several.join(","))),
    };
    say(turn, key, EventType::Normal, reason, &message);
}

/// Asks the provisioner of the class for a volume (`provisionClaimOperationExternal`).
fn provision(
    turn: &mut Turn<'_>,
    key: &Key,
    claim: &PersistentVolumeClaim,
    provisioner: Option<&str>,
) -> Result<(), ApiStatus> {
    let Some(provisioner) = provisioner else {
        let message = format!("storageclass.storage.k8s.io {:?} not found", storage::claim_class(claim));
        say(turn, key, EventType::Warning, "ProvisioningFailed", &message);
        return Ok(());
    };
    if provisioner.starts_with("kubernetes.io/") {
        let message = format!("no volume plugin matched name: {provisioner}");
        say(turn, key, EventType::Warning, "ProvisioningFailed", &message);
        return Ok(());
    }
    change::<PersistentVolumeClaim>(turn, key, Part::Rest, |it| {
        let notes = it.metadata.annotations.get_or_insert_default();
        for note in PROVISIONERS {
            notes.insert(note.to_owned(), provisioner.to_owned());
        }
    })?;
    let message = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
         administrator. If volume creation is delayed, please verify that the provisioner is running and correctly \
         registered."
    );
    say(turn, key, EventType::Normal, "ExternalProvisioning", &message);
    Ok(())
}

/// The claim names its volume itself.
fn asked_for(turn: &mut Turn<'_>, key: &Key, claim: &PersistentVolumeClaim) -> Result<Next, ApiStatus> {
    let name = storage::volume_name(claim).to_owned();
    let at = Key::new(key.cluster, Kind::PersistentVolume, "", &name);
    let volume = read::<PersistentVolume>(turn, &at);
    let holder = volume.as_ref().and_then(|it| it.spec.as_ref()?.claim_ref.clone());
    let own = holder.as_ref().is_none_or(|it| {
        it.name == claim.metadata.name
            && it.namespace == claim.metadata.namespace
            && it.uid.as_ref().is_none_or(|uid| uid.is_empty() || Some(uid) == claim.metadata.uid.as_ref())
    });
    let Some(volume) = volume else {
        pending(turn, key)?;
        return Ok(again(turn));
    };
    if let Some(why) = mismatch(&volume, claim).filter(|_| holder.is_none()) {
        let message = format!("Cannot bind to requested volume {name:?}: {why}");
        say(turn, key, EventType::Warning, "VolumeMismatch", &message);
        pending(turn, key)?;
        return Ok(again(turn));
    }
    if own {
        return bind(turn, key, claim, &name).map(|()| Next::Done);
    }
    let message = format!("volume {name:?} already bound to a different claim.");
    say(turn, key, EventType::Warning, "FailedBinding", &message);
    pending(turn, key)?;
    Ok(again(turn))
}

/// Why a volume would not do (`checkVolumeSatisfyClaim`).
fn mismatch(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> Option<&'static str> {
    let (offer, wish) = (volume.spec.as_ref()?, claim.spec.as_ref()?);
    if storage::size(offer.capacity.as_ref()) < storage::requested(claim) {
        return Some("requested PV is too small");
    }
    if storage::volume_class(volume) != storage::claim_class(claim) {
        return Some("storageClassName does not match");
    }
    let mode = |it: &Option<String>| it.as_deref().unwrap_or("Filesystem").to_owned();
    if mode(&offer.volume_mode) != mode(&wish.volume_mode) {
        return Some("incompatible volumeMode");
    }
    let has = |mode: &String| offer.access_modes.iter().flatten().any(|it| it == mode);
    (!wish.access_modes.iter().flatten().all(has)).then_some("incompatible accessMode")
}

/// Claim and volume, in the order of the real controller's writes.
fn bind(turn: &mut Turn<'_>, key: &Key, claim: &PersistentVolumeClaim, name: &str) -> Result<(), ApiStatus> {
    let at = Key::new(key.cluster, Kind::PersistentVolume, "", name);
    reserve(turn, &at, claim)?;
    super::volume::set_phase(turn, &at, "Bound")?;
    change::<PersistentVolumeClaim>(turn, key, Part::Rest, |it| {
        let spec = it.spec.get_or_insert_default();
        let notes = it.metadata.annotations.get_or_insert_default();
        if spec.volume_name.as_deref().unwrap_or_default().is_empty() {
            spec.volume_name = Some(name.to_owned());
            notes.insert(BOUND_BY_CONTROLLER.to_owned(), "yes".to_owned());
        }
        notes.insert(storage::BIND_COMPLETED.to_owned(), "yes".to_owned());
    })?;
    let Some(volume) = read::<PersistentVolume>(turn, &at) else { return Ok(()) };
    change::<PersistentVolumeClaim>(turn, key, Part::Status, |it| it.status = Some(bound_status(&volume)))
}

fn bound_status(volume: &PersistentVolume) -> PersistentVolumeClaimStatus {
    let spec = volume.spec.clone().unwrap_or_default();
    PersistentVolumeClaimStatus {
        phase: Some("Bound".to_owned()),
        access_modes: spec.access_modes,
        capacity: spec.capacity,
        ..PersistentVolumeClaimStatus::default()
    }
}

/// A claim that has its volume: is it still there?
fn bound(turn: &mut Turn<'_>, key: &Key, claim: &PersistentVolumeClaim) -> Result<(), ApiStatus> {
    let at = Key::new(key.cluster, Kind::PersistentVolume, "", storage::volume_name(claim));
    let Some(volume) = read::<PersistentVolume>(turn, &at) else {
        let lost = claim.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Lost");
        if !lost {
            change::<PersistentVolumeClaim>(turn, key, Part::Status, |it| {
                it.status.get_or_insert_default().phase = Some("Lost".to_owned());
            })?;
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            say(turn, key, EventType::Warning, "ClaimLost", message);
        }
        return Ok(());
    };
    let holder = volume.spec.as_ref().and_then(|it| it.claim_ref.as_ref());
    if holder.is_none_or(|it| it.uid == claim.metadata.uid) {
        let phase = claim.status.as_ref().and_then(|it| it.phase.as_deref());
        if phase != Some("Bound") || holder.is_none() {
            return bind(turn, key, claim, &at.name);
        }
    }
    Ok(())
}
