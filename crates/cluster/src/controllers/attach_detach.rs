//! Which volumes are attached to which node?
//!
//! A volume of the EBS CSI driver is attached to a node as long as a pod there that has not finished uses it. What is wanted
//! is a VolumeAttachment; the driver carries it out and says so in its status, and then the pod and the node hear of it.
//! Another node has to wait until a volume that only one may have is given back.
//! MODEL: volumes of other drivers are taken to need no attachment. Source: `pkg/controller/volume/attachdetach`,
//! `pkg/volume/csi/csi_attacher.go`, `pkg/volume/util/operationexecutor`.

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Object, Resource, Stored,
    k8s::{
        core::v1::{AttachedVolume, Node, PersistentVolume, PersistentVolumeClaim, Pod},
        storage::v1::VolumeAttachment,
    },
};
use scheduler::storage;
use serde_json::json;

use super::{
    persistent_volume::{protection::claims, read},
    phase,
};
use crate::{
    Change, Controller, EventType, Key, Next, Store, Turn, cloud::ebs::DRIVER, draw, scheduler::typed,
};

/// The controller.
pub(crate) struct AttachDetach;

impl Controller for AttachDetach {
    fn name(&self) -> &'static str {
        "attachdetach-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let cluster = change.key.cluster;
        match change.key.kind {
            Kind::Pod => {
                let pods = [&change.before, &change.after].into_iter().flatten();
                for pod in pods.filter_map(|pod| Pod::of(pod)).filter(|pod| claims(pod).next().is_some()) {
                    if let Some(node) = node_of(pod) {
                        wake(Key::new(cluster, Kind::Node, "", node));
                    }
                }
            }
            Kind::VolumeAttachment => {
                let found = typed::<VolumeAttachment>(change.after.as_deref().or(change.before.as_deref()));
                let Some(found) = found else { return };
                wake(Key::new(cluster, Kind::Node, "", &found.spec.node_name));
                if change.after.is_none() {
                    // Somebody may wait for what was given back.
                    for node in store.list::<Node>(cluster, None) {
                        wake(Key::new(
                            cluster,
                            Kind::Node,
                            "",
                            node.metadata.name.as_deref().unwrap_or_default(),
                        ));
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let wanted = wanted(turn, &key.name);
        let found: Vec<VolumeAttachment> =
            attachments(turn).filter(|it| it.spec.node_name == *key.name).collect();
        let name = |it: &VolumeAttachment| it.metadata.name.clone().unwrap_or_default();
        for gone in found.iter().filter(|it| !wanted.contains_key(&name(it))) {
            if gone.metadata.deletion_timestamp.is_none() {
                forget(turn, key, gone)?;
                turn.delete(&turn.key(Kind::VolumeAttachment, "", &name(gone)), None)?;
            }
        }
        for (attachment, use_) in &wanted {
            match found.iter().find(|it| name(it) == *attachment) {
                Some(it) if is_attached(it) => report(turn, key, use_)?,
                Some(_) => {}
                None if taken(turn, key, use_) => {}
                None => attach(turn, key, attachment, use_)?,
            }
        }
        Ok(Next::Done)
    }
}

/// A volume that pods of a node use.
struct Use {
    volume: PersistentVolume,
    pods: Vec<Pod>,
}

impl Use {
    fn name(&self) -> &str {
        self.volume.metadata.name.as_deref().unwrap_or_default()
    }

    /// The volume as nodes name it.
    fn unique(&self) -> String {
        format!("kubernetes.io/csi/{DRIVER}^{}", handle(&self.volume).unwrap_or_default())
    }
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

/// The driver's own name of a volume, where the volume is the driver's.
fn handle(volume: &PersistentVolume) -> Option<&str> {
    let source = volume.spec.as_ref()?.csi.as_ref()?;
    (source.driver == DRIVER).then_some(source.volume_handle.as_str())
}

/// The volumes that a pod uses and that have to be attached.
fn volumes_of(turn: &Turn<'_>, pod: &Pod) -> Vec<PersistentVolume> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let volume = |claim: String| {
        let claim: PersistentVolumeClaim =
            read(turn, &turn.key(Kind::PersistentVolumeClaim, namespace, &claim))?;
        read::<PersistentVolume>(turn, &turn.key(Kind::PersistentVolume, "", storage::volume_name(&claim)))
    };
    claims(pod).filter_map(volume).filter(|volume| handle(volume).is_some()).collect()
}

/// What a node should have, by the names of the attachments.
fn wanted(turn: &Turn<'_>, node: &str) -> BTreeMap<String, Use> {
    let mut wanted: BTreeMap<String, Use> = BTreeMap::new();
    for pod in turn.store().pods_on(turn.cluster(), node).filter(|pod| !is_over(pod)) {
        for volume in volumes_of(turn, pod) {
            let name = attachment(node, &volume);
            wanted.entry(name).or_insert_with(|| Use { volume, pods: Vec::new() }).pods.push(pod.clone());
        }
    }
    wanted
}

fn is_over(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// The name of an attachment: upstream hashes volume, driver and node.
fn attachment(node: &str, volume: &PersistentVolume) -> String {
    let about = format!("{}{DRIVER}{node}", handle(volume).unwrap_or_default());
    format!("csi-{}", draw::hex(0, "attachment", &about, 0, 64))
}

fn attachments<'t>(turn: &'t Turn<'_>) -> impl Iterator<Item = VolumeAttachment> + 't {
    let all = turn.store().objects(turn.cluster(), Kind::VolumeAttachment, None);
    all.filter_map(|(_, it)| typed::<VolumeAttachment>(Some(it)))
}

fn is_attached(it: &VolumeAttachment) -> bool {
    it.status.as_ref().is_some_and(|status| status.attached)
}

/// Whether every volume that a pod needs is attached to its node.
pub(crate) fn is_ready(turn: &Turn<'_>, pod: &Pod) -> bool {
    let Some(node) = node_of(pod) else { return true };
    volumes_of(turn, pod).iter().all(|volume| {
        let at = turn.key(Kind::VolumeAttachment, "", &attachment(node, volume));
        read::<VolumeAttachment>(turn, &at).as_ref().is_some_and(is_attached)
    })
}

fn attach(turn: &mut Turn<'_>, node: &Key, name: &str, use_: &Use) -> Result<(), ApiStatus> {
    let wish = json!({"metadata": {"name": name}, "spec": {"attacher": DRIVER, "nodeName": &*node.name,
        "source": {"persistentVolumeName": use_.name()}}});
    if let Ok(stored) = Stored::from_value(Kind::VolumeAttachment, wish) {
        turn.create_object(Object::Stored(Box::new(stored)))?;
    }
    Ok(())
}

/// Tells node and pods, once, that the volume is there.
fn report(turn: &mut Turn<'_>, node: &Key, use_: &Use) -> Result<(), ApiStatus> {
    let unique = use_.unique();
    let told =
        turn.get::<Node>("", &node.name).and_then(|node| node.status.as_ref()?.volumes_attached.as_ref());
    if turn.get::<Node>("", &node.name).is_none()
        || told.is_some_and(|all| all.iter().any(|it| it.name == unique))
    {
        return Ok(());
    }
    turn.patch_status::<Node>("", &node.name, |node| {
        let all = node.status.get_or_insert_default().volumes_attached.get_or_insert_default();
        all.push(AttachedVolume { name: unique, device_path: String::new() });
    })?;
    let message = format!("AttachVolume.Attach succeeded for volume {:?} ", use_.name());
    for pod in &use_.pods {
        turn.event(&pod.clone().into_object(), EventType::Normal, "SuccessfulAttachVolume", &message);
    }
    Ok(())
}

/// Takes a volume from what its node is told.
fn forget(turn: &mut Turn<'_>, node: &Key, gone: &VolumeAttachment) -> Result<(), ApiStatus> {
    let volume = gone.spec.source.persistent_volume_name.clone().unwrap_or_default();
    let volume = turn.key(Kind::PersistentVolume, "", &volume);
    let volume = read::<PersistentVolume>(turn, &volume);
    let Some(unique) = volume.map(|volume| Use { volume, pods: Vec::new() }.unique()) else { return Ok(()) };
    if turn.get::<Node>("", &node.name).is_none() {
        return Ok(());
    }
    turn.patch_status::<Node>("", &node.name, |node| {
        let all = &mut node.status.get_or_insert_default().volumes_attached;
        all.iter_mut().for_each(|all| all.retain(|it| it.name != unique));
        all.take_if(|all| all.is_empty());
    })?;
    Ok(())
}

/// Whether another node has a volume that only one may have; its pods are told once.
fn taken(turn: &mut Turn<'_>, node: &Key, use_: &Use) -> bool {
    let modes = use_.volume.spec.iter().flat_map(|spec| spec.access_modes.iter().flatten());
    if modes.into_iter().any(|mode| matches!(mode.as_str(), "ReadWriteMany" | "ReadOnlyMany")) {
        return false;
    }
    let holders: Vec<String> = attachments(turn)
        .filter(|it| it.spec.source.persistent_volume_name.as_deref() == Some(use_.name()))
        .map(|it| it.spec.node_name)
        .filter(|holder| *holder != *node.name)
        .collect();
    if holders.is_empty() {
        return false;
    }
    let uses = |pod: &&Pod| {
        !is_over(pod) && volumes_of(turn, pod).iter().any(|it| it.metadata.name == use_.volume.metadata.name)
    };
    let users: Vec<Pod> = holders
        .iter()
        .flat_map(|holder| {
            turn.store().pods_on(turn.cluster(), holder).filter(uses).cloned().collect::<Vec<_>>()
        })
        .collect();
    for pod in &use_.pods {
        let (own, others): (Vec<&Pod>, Vec<&Pod>) =
            users.iter().partition(|other| other.metadata.namespace == pod.metadata.namespace);
        let names: Vec<&str> = own.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect();
        let why = match (names.as_slice(), others.len()) {
            ([], 0) => "Volume is already exclusively attached to one node and can't be attached to another"
                .to_owned(),
            ([], others) => format!("Volume is already used by {others} pod(s) in different namespaces"),
            (names, 0) => format!("Volume is already used by pod(s) {}", names.join(", ")),
            (names, others) => format!(
                "Volume is already used by pod(s) {} and {others} pod(s) in different namespaces",
                names.join(", ")
            ),
        };
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let told = turn.store().events_about(turn.cluster(), uid).any(|(_, event)| {
            event
                .get::<api::k8s::core::v1::Event>()
                .is_some_and(|it| it.reason.as_deref() == Some("FailedAttachVolume"))
        });
        if !told {
            let message = format!("Multi-Attach error for volume {:?} {why}", use_.name());
            turn.event(&pod.clone().into_object(), EventType::Warning, "FailedAttachVolume", &message);
        }
    }
    true
}
