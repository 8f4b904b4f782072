//! How is a volume made ready for its next claim?
//!
//! A pod empties it and goes; then the volume is offered again. Only directories of a host and NFS exports can be treated so, and
//! the policy has been deprecated for long: provisioners delete and make anew.
//! MODEL: what else is said of the pod before it ends is not repeated on the volume; a volume that failed stays so, where the real
//! controller tries again each time it hears of it.
//! Source: `recycleVolumeOperation`, `unbindVolume` of `pv_controller.go`; `pkg/volume/util/recyclerclient`,
//! `NewPersistentVolumeRecyclerPodTemplate` of `pkg/volume/plugins.go`, `CalculateTimeoutForVolume`; recorded
//! kube-controller-manager 1.34.

use api::{
    ApiStatus, Kind,
    k8s::core::v1::{PersistentVolume, Pod},
};
use scheduler::storage;
use serde_json::{Value, json};

use super::{BOUND_BY_CONTROLLER, Part, change, claim_of, protection, read, say, volume};
use crate::{Change, EventType, Key, Turn, controllers::phase};

/// What the pods are called, before the volume's name.
const NAME: &str = "recycler-for-";
/// Where they are.
const NAMESPACE: &str = "default";
/// What they do.
const SCRUB: &str =
    "test -e /scrub && find /scrub -mindepth 1 -delete && test -z \"$(ls -A /scrub)\" || exit 1";

/// The volume whose pod changed.
pub(super) fn watch(change: &Change, wake: &mut dyn FnMut(Key)) {
    if &*change.key.namespace == NAMESPACE
        && let Some(volume) = change.key.name.strip_prefix(NAME)
    {
        wake(Key::new(change.key.cluster, Kind::PersistentVolume, "", volume));
    }
}

/// One step: the pod is made, waited for, and taken away.
pub(super) fn step(turn: &mut Turn<'_>, key: &Key, of: &PersistentVolume) -> Result<(), ApiStatus> {
    let failed = "VolumeFailedRecycle";
    let Some(pod) = pod_for(of) else {
        return volume::fail(turn, key, of, failed, "No recycler plugin found for the volume!");
    };
    let at = turn.key(Kind::Pod, NAMESPACE, &format!("{NAME}{}", key.name));
    let Some(made) = read::<Pod>(turn, &at) else {
        if of.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Failed") {
            return Ok(());
        }
        if let Some(users) = users(turn, key.cluster, of) {
            say(turn, key, EventType::Normal, failed, &format!("Volume is used by pods: {users}"));
            return Ok(());
        }
        let pod: Pod = serde_json::from_value(pod).unwrap_or_default();
        return turn.create(pod).map(drop);
    };
    match phase(&made) {
        "Succeeded" => {
            turn.delete(&at, None)?;
            say(turn, key, EventType::Normal, "VolumeRecycled", "Volume recycled");
            offer(turn, key)
        }
        "Failed" => {
            turn.delete(&at, None)?;
            let why = made.status.and_then(|it| it.message).filter(|it| !it.is_empty());
            let why = why.unwrap_or_else(|| "pod failed, pod.Status.Message unknown".to_owned());
            let message = format!("Recycle failed: failed to recycle volume: {why}");
            volume::fail(turn, key, of, failed, &message)
        }
        _ => Ok(()),
    }
}

/// Pods that still use the claim that the volume had, if that is gone.
fn users(turn: &Turn<'_>, cluster: crate::ClusterId, of: &PersistentVolume) -> Option<String> {
    let claim = claim_of(of, cluster).filter(|it| turn.store().object(it).is_none())?;
    let uses = |pod: &&Pod| {
        !matches!(phase(pod), "Succeeded" | "Failed")
            && protection::claims(pod).any(|name| name == *claim.name)
    };
    let named = |pod: &Pod| format!("{}/{}", claim.namespace, pod.metadata.name.clone().unwrap_or_default());
    let users: Vec<String> = turn.list::<Pod>(Some(&claim.namespace)).filter(uses).map(named).collect();
    (!users.is_empty()).then(|| users.join(","))
}

/// Lets the next claim have the volume; one that was reserved by hand stays reserved by name.
fn offer(turn: &mut Turn<'_>, key: &Key) -> Result<(), ApiStatus> {
    change::<PersistentVolume>(turn, key, Part::Rest, |it| {
        let notes = it.metadata.annotations.get_or_insert_default();
        let own = notes.remove(BOUND_BY_CONTROLLER).is_some();
        it.metadata.annotations = it.metadata.annotations.take().filter(|all| !all.is_empty());
        let spec = it.spec.get_or_insert_default();
        if own {
            spec.claim_ref = None;
        } else if let Some(claim) = &mut spec.claim_ref {
            claim.uid = None;
        }
    })?;
    volume::set_phase(turn, key, "Available")
}

/// The pod that empties a volume; nothing where nobody knows how.
fn pod_for(of: &PersistentVolume) -> Option<Value> {
    let spec = of.spec.as_ref()?;
    // The shortest time, of each kind; a GiB more takes half a minute more.
    let (least, source) = match (&spec.host_path, &spec.nfs) {
        (Some(host), _) => (60, json!({"hostPath": {"path": host.path}})),
        (None, Some(nfs)) => (300, json!({"nfs": {"server": nfs.server, "path": nfs.path}})),
        (None, None) => return None,
    };
    let gib = storage::size(spec.capacity.as_ref()).value() / (1 << 30);
    let mut volume = json!({"name": "vol"});
    volume.as_object_mut()?.extend(source.as_object().cloned()?);
    Some(json!({
        "metadata": {"name": format!("{NAME}{}", of.metadata.name.as_deref()?), "namespace": NAMESPACE},
        "spec": {
            "activeDeadlineSeconds": (gib * 30).max(least),
            "restartPolicy": "Never",
            "volumes": [volume],
            "containers": [{
                "name": "pv-recycler",
                "image": "registry.k8s.io/build-image/debian-base:bookworm-v1.0.6",
                "command": ["/bin/sh"],
                "args": ["-c", SCRUB],
                "volumeMounts": [{"name": "vol", "mountPath": "/scrub"}],
            }],
        },
    }))
}
