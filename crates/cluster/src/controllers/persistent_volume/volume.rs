//! What becomes of a volume?

use api::{
    ApiStatus,
    k8s::core::v1::{PersistentVolume, PersistentVolumeClaim},
};
use scheduler::storage;

use super::{Part, change, claim_of, read};
use crate::{Key, Next, Turn};

/// Looks at one volume: available, bound, or released by a claim that is gone. Provisioners delete what is theirs.
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
                None => "Released",
                Some(claim) if storage::volume_name(&claim) == &*key.name => "Bound",
                // The claim is about to be told.
                Some(_) => return Ok(Next::Done),
            }
        }
    };
    set_phase(turn, key, phase)?;
    Ok(Next::Done)
}

/// Writes the phase, unless it is so already.
pub(super) fn set_phase(turn: &mut Turn<'_>, key: &Key, phase: &str) -> Result<(), ApiStatus> {
    let stamp = turn.stamp();
    change::<PersistentVolume>(turn, key, Part::Status, |it| {
        let status = it.status.get_or_insert_default();
        if status.phase.as_deref() != Some(phase) {
            status.phase = Some(phase.to_owned());
            status.last_phase_transition_time = Some(stamp);
        }
    })
}
