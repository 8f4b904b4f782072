//! Who makes the volumes that claims ask for, and attaches them?
//!
//! The EBS CSI driver: for a claim handed to it, a volume in the zone of the node that the scheduler has chosen, or in
//! one of the cluster's zones where nobody has; once released, a volume is deleted if its class says so.
//! MODEL: the driver is taken to be installed in every cluster, and its volumes cost and count nothing.
//! Source: kubernetes-sigs/aws-ebs-csi-driver v1.5x; external-provisioner `pkg/controller/controller.go` and
//! sig-storage-lib-external-provisioner `controller.go` for the events' words.

use api::{
    ApiStatus, Kind, Object, SimTime, Stored,
    k8s::{
        core::v1::{Node, PersistentVolume, PersistentVolumeClaim},
        storage::v1::{StorageClass, VolumeAttachment},
    },
    meta::Time,
};
use scheduler::storage;
use serde_json::{Value, json};

use crate::{
    Change, Controller, EventType, Key, Next, Store, Turn, World, controllers::persistent_volume::reference,
    parts::Process, scheduler::typed, timing,
};

/// The driver's name, which classes give as their provisioner.
pub(crate) const DRIVER: &str = "ebs.csi.aws.com";
const PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const FINALIZER: &str = "external-provisioner.volume.kubernetes.io/finalizer";
const ATTACHER: &str = "external-attacher/ebs-csi-aws-com";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The driver's controller.
pub(crate) struct EbsCsi;

impl Controller for EbsCsi {
    fn name(&self) -> &'static str {
        DRIVER
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::PersistentVolumeClaim => {
                let asks =
                    |it: Option<&Object>| typed(it).is_some_and(|it| is_asked(store, &change.key, &it));
                if asks(change.after.as_deref()) && !asks(change.before.as_deref()) {
                    wake(change.key.clone());
                }
            }
            Kind::PersistentVolume
                if typed(change.after.as_deref()).is_some_and(|it| is_to_go(&it) || is_to_be_let_go(&it)) =>
            {
                wake(change.key.clone());
            }
            Kind::VolumeAttachment => {
                let goes = |it: &Option<std::rc::Rc<Object>>| {
                    it.as_deref().is_some_and(|it| it.meta().deletion_timestamp.is_some())
                };
                if change.after.is_some()
                    && (change.before.is_none() || goes(&change.before) != goes(&change.after))
                {
                    wake(change.key.clone());
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let object = turn.store().object(key).cloned();
        match key.kind {
            Kind::VolumeAttachment => return attach(turn, key),
            Kind::PersistentVolumeClaim => {
                let Some(claim) = typed::<PersistentVolumeClaim>(object.as_deref()) else {
                    return Ok(Next::Done);
                };
                let message = format!(
                    "External provisioner is provisioning volume for claim \"{}/{}\"",
                    key.namespace, key.name
                );
                say(turn, &claim, "Provisioning", &message);
                let volume = format!("pvc-{}", claim.metadata.uid.as_deref().unwrap_or_default());
                let volume = Key::new(key.cluster, Kind::PersistentVolume, "", &volume);
                turn.wake(turn.actor(), volume, timing::VOLUME_CREATE);
            }
            _ => match typed::<PersistentVolume>(object.as_deref()) {
                None => make(turn, key)?,
                Some(volume) if is_to_go(&volume) => {
                    if volume.metadata.deletion_timestamp.is_none() {
                        turn.delete(key, None)?;
                    }
                    if turn.store().object(key).is_some() {
                        turn.take_finalizer(key, FINALIZER)?;
                    }
                }
                Some(volume) if is_to_be_let_go(&volume) => turn.take_finalizer(key, FINALIZER).map(drop)?,
                Some(_) => {}
            },
        }
        Ok(Next::Done)
    }
}

/// Attaches a volume or detaches it, and says so when it is done.
fn attach(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let Some(Object::Stored(mut stored)) = turn.store().object(key).map(|it| (**it).clone()) else {
        return Ok(Next::Done);
    };
    let Ok(found) = stored.typed::<VolumeAttachment>() else { return Ok(Next::Done) };
    let held = found.metadata.finalizers.iter().flatten().any(|it| it == ATTACHER);
    let begun = sim_time(
        turn.world(),
        found.metadata.deletion_timestamp.as_ref().or(found.metadata.creation_timestamp.as_ref()),
    );
    let over = begun + timing::VOLUME_ATTACH;
    let attached = found.status.as_ref().is_some_and(|it| it.attached);
    let goes = found.metadata.deletion_timestamp.is_some();
    if found.spec.attacher != DRIVER || (goes && !held) || (!goes && attached) {
        return Ok(Next::Done);
    }
    if !held {
        stored.metadata.finalizers.get_or_insert_default().push(ATTACHER.to_owned());
        turn.update_object(Object::Stored(stored))?;
        return Ok(Next::After(timing::VOLUME_ATTACH));
    }
    if turn.now() < over {
        return Ok(Next::After(over.since(turn.now())));
    }
    if goes {
        turn.take_finalizer(key, ATTACHER)?;
    } else {
        stored.body.insert("status".to_owned(), json!({"attached": true}));
        turn.update_status_object(Object::Stored(stored))?;
    }
    Ok(Next::Done)
}

/// When something was made or deleted, to the second.
fn sim_time(world: &World, time: Option<&Time>) -> SimTime {
    let millis = time.map_or(0, |time| time.0.as_millisecond() - world.epoch().as_millisecond());
    SimTime(u64::try_from(millis).unwrap_or(0))
}

/// Whether a claim has been handed to this driver, and all is known that it has to know.
fn is_asked(store: &Store, key: &Key, claim: &PersistentVolumeClaim) -> bool {
    let note = |name: &str| claim.metadata.annotations.as_ref().and_then(|it| it.get(name));
    let class = Key::new(key.cluster, Kind::StorageClass, "", storage::claim_class(claim));
    let class = typed::<StorageClass>(store.object(&class).map(std::rc::Rc::as_ref));
    let waits = class.as_ref().is_some_and(storage::waits_for_consumer);
    note(PROVISIONER).is_some_and(|it| it == DRIVER)
        && storage::volume_name(claim).is_empty()
        && claim.metadata.deletion_timestamp.is_none()
        && (!waits || note(storage::SELECTED_NODE).is_some())
}

/// Whether a volume of this driver is left over and to be deleted.
fn is_to_go(volume: &PersistentVolume) -> bool {
    let own = volume.metadata.annotations.as_ref().and_then(|it| it.get(PROVISIONED_BY));
    let policy = volume.spec.as_ref().and_then(|it| it.persistent_volume_reclaim_policy.as_deref());
    let phase = volume.status.as_ref().and_then(|it| it.phase.as_deref());
    let held = volume.metadata.finalizers.iter().flatten().any(|it| it == FINALIZER);
    own.is_some_and(|it| it == DRIVER) && policy == Some("Delete") && phase == Some("Released") && held
}

/// Whether a volume of this driver is to be kept, so that nothing holds its object when that goes.
///
/// MODEL: the provisioner lets go of it as soon as the policy says so.
/// Source: sig-storage-lib-external-provisioner, `handleProtectionFinalizer`.
fn is_to_be_let_go(volume: &PersistentVolume) -> bool {
    let own = volume.metadata.annotations.as_ref().and_then(|it| it.get(PROVISIONED_BY));
    let policy = volume.spec.as_ref().and_then(|it| it.persistent_volume_reclaim_policy.as_deref());
    let held = volume.metadata.finalizers.iter().flatten().any(|it| it == FINALIZER);
    let goes = volume.metadata.deletion_timestamp.is_some();
    own.is_some_and(|it| it == DRIVER) && policy != Some("Delete") && held && goes
}

fn say(turn: &mut Turn<'_>, claim: &PersistentVolumeClaim, reason: &str, message: &str) {
    let pod = turn.hex("ebs-csi", &turn.key(Kind::CSIDriver, "", DRIVER), 0, 10);
    let component = format!("{DRIVER}_ebs-csi-controller-{pod}");
    turn.event_from(&component, "", &reference(claim), EventType::Normal, reason, message);
}

/// The volume is there: its object follows.
fn make(turn: &mut Turn<'_>, key: &Key) -> Result<(), ApiStatus> {
    let claims = turn.store().objects(key.cluster, Kind::PersistentVolumeClaim, None);
    let uid = key.name.strip_prefix("pvc-").unwrap_or_default();
    let claim = claims.map(|(_, it)| it).find(|it| it.meta().uid.as_deref() == Some(uid)).cloned();
    let Some(claim) = typed::<PersistentVolumeClaim>(claim.as_deref()) else { return Ok(()) };
    if !storage::volume_name(&claim).is_empty() {
        return Ok(());
    }
    let class = turn.key(Kind::StorageClass, "", storage::claim_class(&claim));
    let class =
        typed::<StorageClass>(turn.store().object(&class).map(std::rc::Rc::as_ref)).unwrap_or_default();
    let Ok(stored) = Stored::from_value(Kind::PersistentVolume, volume(turn, key, &claim, &class)) else {
        return Ok(());
    };
    turn.create_object(Object::Stored(Box::new(stored)))?;
    say(turn, &claim, "ProvisioningSucceeded", &format!("Successfully provisioned volume {}", key.name));
    Ok(())
}

fn volume(turn: &Turn<'_>, key: &Key, claim: &PersistentVolumeClaim, class: &StorageClass) -> Value {
    let spec = claim.spec.clone().unwrap_or_default();
    let parameters = class.parameters.clone().unwrap_or_default();
    let format = parameters.get("csi.storage.k8s.io/fstype").map_or("ext4", String::as_str);
    let mut value = json!({
        "metadata": {
            "name": &*key.name,
            "annotations": {
                PROVISIONED_BY: DRIVER,
                "volume.kubernetes.io/provisioner-deletion-secret-name": "",
                "volume.kubernetes.io/provisioner-deletion-secret-namespace": "",
            },
            "finalizers": [FINALIZER],
        },
        "spec": {
            "accessModes": spec.access_modes,
            "capacity": {"storage": spec.resources.and_then(|it| it.requests).and_then(|it| it.get("storage").cloned())},
            "claimRef": reference(claim),
            "csi": {
                "driver": DRIVER,
                "fsType": format,
                "volumeAttributes": {"storage.kubernetes.io/csiProvisionerIdentity": DRIVER},
                "volumeHandle": crate::cloud::id(turn, "vol", &key.name, 0),
            },
            "persistentVolumeReclaimPolicy": class.reclaim_policy.as_deref().unwrap_or("Delete"),
            "storageClassName": storage::claim_class(claim),
            "volumeMode": spec.volume_mode.as_deref().unwrap_or("Filesystem"),
        },
    });
    if let Some(options) = class.mount_options.as_ref().filter(|it| !it.is_empty()) {
        value["spec"]["mountOptions"] = json!(options);
    }
    if let Some(zone) = zone(turn, key, claim, class) {
        value["spec"]["nodeAffinity"] = json!({"required": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}]}});
    }
    value
}

/// The zone of the chosen node, or one of those the class allows.
fn zone(turn: &Turn<'_>, key: &Key, claim: &PersistentVolumeClaim, class: &StorageClass) -> Option<String> {
    let chosen = claim.metadata.annotations.as_ref().and_then(|it| it.get(storage::SELECTED_NODE));
    let terms = class.allowed_topologies.as_deref().unwrap_or_default();
    let zone = |node: &Node| {
        let labels = node.metadata.labels.as_ref()?;
        storage::allowed(terms, labels).then(|| labels.get(ZONE).cloned()).flatten()
    };
    if let Some(node) = chosen {
        return turn.get::<Node>("", node)?.metadata.labels.as_ref()?.get(ZONE).cloned();
    }
    let mut zones: Vec<String> = turn.list::<Node>(None).filter_map(zone).collect();
    zones.sort();
    zones.dedup();
    let drawn = turn.draw("volume-zone", key, 0) % u64::try_from(zones.len()).ok().filter(|it| *it > 0)?;
    zones.into_iter().nth(usize::try_from(drawn).ok()?)
}
