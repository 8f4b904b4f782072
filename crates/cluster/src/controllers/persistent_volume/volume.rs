//! What becomes of a volume?

use api::{
    ApiStatus,
    k8s::core::v1::{PersistentVolume, PersistentVolumeClaim},
};
use scheduler::storage;

use super::{Part, change, claim_of, read, recycle, say};
use crate::{EventType, Key, Next, Turn};

/// The provisioner that made a volume.
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";

/// Looks at one volume: available, bound, or released by a claim that is gone. Provisioners delete what is theirs;
/// what nobody made is deleted by the volume plugin of its source, of which there is one.
pub(super) fn step(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let Some(volume) = read::<PersistentVolume>(turn, key) else { return Ok(Next::Done) };
    let holder = volume.spec.as_ref().and_then(|it| it.claim_ref.as_ref());
    let uid = holder.and_then(|it| it.uid.clone()).filter(|it| !it.is_empty());
    let phase = match uid {
        None => "Available",
        Some(uid) => {
            let claim =
                claim_of(&volume, key.cluster).and_then(|it| read::<PersistentVolumeClaim>(turn, &it));
            match claim.filter(|it| it.metadata.uid.as_ref() == Some(&uid)) {
                None => return release(turn, key, &volume).map(|()| Next::Done),
                Some(claim) if storage::volume_name(&claim) == &*key.name => "Bound",
                // The claim is about to be told.
                Some(_) => return Ok(Next::Done),
            }
        }
    };
    set_phase(turn, key, phase)?;
    Ok(Next::Done)
}

/// The claim is gone: what becomes of the volume is written in its policy (`reclaimVolume`).
fn release(turn: &mut Turn<'_>, key: &Key, volume: &PersistentVolume) -> Result<(), ApiStatus> {
    let phase = volume.status.as_ref().and_then(|it| it.phase.as_deref());
    // UPSTREAM: a failure stays to be seen.
    if !matches!(phase, Some("Released" | "Failed")) {
        set_phase(turn, key, "Released")?;
    }
    let policy = volume.spec.as_ref().and_then(|it| it.persistent_volume_reclaim_policy.as_deref());
    let failed = match policy {
        Some("Delete") => delete(volume),
        Some("Recycle") => return recycle::step(turn, key, volume),
        Some(_) | None => Ok(false),
    };
    match failed {
        Ok(true) => turn.delete(key, None).map(drop),
        Ok(false) => Ok(()),
        Err((reason, message)) => fail(turn, key, volume, reason, &message),
    }
}

/// The volume could not be reclaimed, which is said once.
pub(super) fn fail(
    turn: &mut Turn<'_>,
    key: &Key,
    volume: &PersistentVolume,
    reason: &str,
    message: &str,
) -> Result<(), ApiStatus> {
    if volume.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Failed") {
        return Ok(());
    }
    let stamp = turn.stamp();
    change::<PersistentVolume>(turn, key, Part::Status, |it| {
        let status = it.status.get_or_insert_default();
        status.phase = Some("Failed".to_owned());
        status.message = Some(message.to_owned());
        status.last_phase_transition_time = Some(stamp);
    })?;
    say(turn, key, EventType::Warning, reason, message);
    Ok(())
}

/// Whether the controller deletes what is behind a volume itself, or why it cannot; a provisioner's is left to it.
/// Source: `findDeletablePlugin` of `pv_controller.go`, `hostPathDeleter` of `pkg/volume/hostpath`, 1.34.
fn delete(volume: &PersistentVolume) -> Result<bool, (&'static str, String)> {
    let name = volume.metadata.name.as_deref().unwrap_or_default();
    let failed = |why: String| Err(("VolumeFailedDelete", why));
    let Some(spec) = &volume.spec else { return Ok(false) };
    let maker = volume.metadata.annotations.as_ref().and_then(|it| it.get(PROVISIONED_BY));
    match maker.map(String::as_str).unwrap_or_default() {
        "" if spec.csi.is_some() => return Ok(false),
        "" | "kubernetes.io/host-path" => {}
        other if other.starts_with("kubernetes.io/") => {
            return failed(format!("no volume plugin matched name: {other}"));
        }
        _ => return Ok(false),
    }
    if let Some(source) = &spec.host_path {
        // UPSTREAM: the expression is not anchored.
        let below = source.path.split_once("/tmp/").is_some_and(|(_, rest)| !rest.is_empty());
        return match below {
            true => Ok(true),
            false => failed(format!(
                "host_path deleter only supports /tmp/.+ but received provided {}",
                source.path
            )),
        };
    }
    let known = spec.nfs.is_some() || spec.fc.is_some() || spec.iscsi.is_some();
    let why = if known { "no deletable volume plugin matched" } else { "no volume plugin matched" };
    failed(format!("error getting deleter volume plugin for volume {name:?}: {why}"))
}

/// Writes the phase, unless it is so already.
pub(super) fn set_phase(turn: &mut Turn<'_>, key: &Key, phase: &str) -> Result<(), ApiStatus> {
    let stamp = turn.stamp();
    change::<PersistentVolume>(turn, key, Part::Status, |it| {
        let status = it.status.get_or_insert_default();
        if status.phase.as_deref() != Some(phase) {
            status.phase = Some(phase.to_owned());
            status.message = None;
            status.last_phase_transition_time = Some(stamp);
        }
    })
}
