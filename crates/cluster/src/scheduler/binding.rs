//! When does a pod whose volumes are not ready yet get its node?
//!
//! The node is chosen; now volumes that are there are reserved for the pod's claims, and the provisioners of the others
//! are told the node. Once a second it is looked whether all are bound; then the pod is. Meanwhile the pod takes its room
//! on the node, and others are tried.
//! Source: `PreBind` of `volumebinding/volume_binding.go`, `BindPodVolumes` and `checkBindings` of `binder.go`, 1.34.

use ::scheduler::{Decision, storage};
use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::{PersistentVolumeClaim, Pod},
    kinds::sim::{QueuePlace, QueuedPod},
};

use super::{bind, fail, fresh, stored};
use crate::{
    ActorId, Key, Next, Turn,
    cloud::ebs,
    controllers::persistent_volume::{Part, change, reserve},
};

/// How often it is looked.
const LOOK: SimDuration = SimDuration::secs(1);
/// How long volumes may take (`bindTimeoutSeconds`).
const TIMEOUT: SimDuration = SimDuration::secs(600);

/// Has the volumes of a pod prepared on its node.
pub(super) fn begin(
    turn: &mut Turn<'_>,
    pod: &Pod,
    queued: Option<QueuedPod>,
    decision: &Decision,
    node: &str,
) -> Result<(), ApiStatus> {
    let mut queued = queued.unwrap_or_else(|| fresh(pod));
    queued.place = QueuePlace::Binding;
    queued.node = Some(node.to_owned());
    queued.tried_at = turn.now();
    let key =
        turn.key(Kind::QueuedPod, queued.metadata.namespace.as_deref().unwrap_or_default(), pod_name(pod));
    turn.put(queued.into_object());
    for volume in &decision.volumes {
        let Some((namespace, name)) = volume.claim.split_once('/') else { continue };
        let claim = turn.key(Kind::PersistentVolumeClaim, namespace, name);
        if volume.provisioned {
            change::<PersistentVolumeClaim>(turn, &claim, Part::Rest, |it| {
                let notes = it.metadata.annotations.get_or_insert_default();
                notes.insert(storage::SELECTED_NODE.to_owned(), node.to_owned());
            })?;
        } else if let Some(found) = read(turn, &claim) {
            let volume = turn.key(Kind::PersistentVolume, "", &volume.volume);
            reserve(turn, &volume, &found)?;
        }
    }
    turn.wake(ActorId(super::NAME), key, LOOK);
    Ok(())
}

fn pod_name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default()
}

fn read(turn: &Turn<'_>, key: &Key) -> Option<PersistentVolumeClaim> {
    stored::typed(turn.store().object(key).map(std::rc::Rc::as_ref))
}

/// Looks whether all claims are bound.
pub(super) fn look(turn: &mut Turn<'_>, pod: &Pod, queued: QueuedPod) -> Result<Next, ApiStatus> {
    let Some(node) = queued.node.clone() else { return Ok(Next::Done) };
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let (mut ready, mut hopeful) = (true, true);
    for name in crate::controllers::persistent_volume::protection::claims(pod) {
        let key = turn.key(Kind::PersistentVolumeClaim, &namespace, &name);
        let claim = read(turn, &key);
        let Some(claim) = claim.filter(|it| it.metadata.deletion_timestamp.is_none()) else {
            let why = format!("pvc \"{namespace}/{name}\" is being deleted");
            return give_up(turn, pod, queued, &why);
        };
        if !storage::fully_bound(&claim) {
            ready = false;
            hopeful &= storage_is_made(turn, &claim);
        }
    }
    if ready {
        bind(turn, pod, Some(queued), &node)?;
        return Ok(Next::Done);
    }
    if turn.now() >= queued.tried_at + TIMEOUT {
        return give_up(turn, pod, queued, "context deadline exceeded");
    }
    Ok(if hopeful { Next::After(LOOK) } else { Next::Every(LOOK) })
}

/// Whether somebody is about to make the volume, or it is there.
fn storage_is_made(turn: &Turn<'_>, claim: &PersistentVolumeClaim) -> bool {
    let table = turn.world().scheduling().nodes(turn.cluster());
    let class = table.storage.class(storage::claim_class(claim));
    let ours = class.is_some_and(|it| it.provisioner == ebs::DRIVER);
    ours || table.storage.reserved_volume(claim).is_some()
}

fn give_up(turn: &mut Turn<'_>, pod: &Pod, queued: QueuedPod, why: &str) -> Result<Next, ApiStatus> {
    let message = format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}");
    fail(turn, pod, Some(queued), &message)?;
    Ok(Next::Done)
}
