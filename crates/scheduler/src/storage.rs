//! Which claims, volumes, classes and drivers are there?
//!
//! What the volume plugins look at, and the few rules of claims and volumes that several of them share.
//! Source: `component-helpers/storage/volume`, 1.34.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::k8s::core::v1::{
    CSIPersistentVolumeSource, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectReference,
    PersistentVolume, PersistentVolumeClaim, PersistentVolumeSpec, TopologySelectorTerm, VolumeNodeAffinity,
};
use api::k8s::storage::v1::{CSINode, StorageClass};
use api::quantity::Quantity;

use crate::decision::VolumeBound;
use crate::migration;
use crate::node_selector::{Labels, Terms};
use crate::pod_affinity::compiled;
use crate::table::ZONE;

/// A claim and its volume know of each other.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// The node the scheduler has chosen for the pod that a claim waits for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// What the volume plugins look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// By namespace and name.
    claims: BTreeMap<(String, String), Rc<PersistentVolumeClaim>>,
    /// By name.
    volumes: BTreeMap<String, Rc<PersistentVolume>>,
    /// By name.
    classes: BTreeMap<String, Rc<StorageClass>>,
    /// By the node's name.
    drivers: BTreeMap<String, Rc<CSINode>>,
}

impl Storage {
    /// A claim by namespace and name.
    #[must_use]
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&PersistentVolumeClaim> {
        self.claims.get(&(namespace.to_owned(), name.to_owned())).map(Rc::as_ref)
    }

    /// A volume by name.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&PersistentVolume> {
        self.volumes.get(name).map(Rc::as_ref)
    }

    /// Every volume, by name.
    pub fn volumes(&self) -> impl Iterator<Item = &PersistentVolume> {
        self.volumes.values().map(Rc::as_ref)
    }

    /// A class by name.
    #[must_use]
    pub fn class(&self, name: &str) -> Option<&StorageClass> {
        self.classes.get(name).map(Rc::as_ref)
    }

    /// The smallest volume that would do for a claim, on a node with `labels` or anywhere; a volume reserved for the
    /// claim comes before all others.
    #[must_use]
    pub fn best_volume(
        &self,
        claim: &PersistentVolumeClaim,
        labels: Option<&Labels>,
        chosen: &BTreeSet<String>,
    ) -> Option<&PersistentVolume> {
        let spec = claim.spec.as_ref()?;
        let class = claim_class(claim);
        let selector = spec.selector.as_ref().map(|it| compiled(Some(it)));
        let mut best: Option<(&PersistentVolume, Quantity)> = None;
        for volume in self.volumes() {
            let Some(offer) = volume.spec.as_ref() else { continue };
            let name = volume.metadata.name.as_deref().unwrap_or_default();
            let reserved = offer.claim_ref.as_ref().map(|it| {
                let same = it.name == claim.metadata.name
                    && it.namespace.as_deref().unwrap_or("default")
                        == claim.metadata.namespace.as_deref().unwrap_or("default");
                same && it
                    .uid
                    .as_ref()
                    .is_none_or(|uid| uid.is_empty() || Some(uid) == claim.metadata.uid.as_ref())
            });
            let size = size(offer.capacity.as_ref());
            let attributes = |it: &Option<String>| it.clone().unwrap_or_default();
            let mode = |it: &Option<String>| it.as_deref().unwrap_or("Filesystem") == "Block";
            if chosen.contains(name)
                || volume_class(volume) != class
                || reserved == Some(false)
                || size < requested(claim)
                || mode(&offer.volume_mode) != mode(&spec.volume_mode)
                || attributes(&offer.volume_attributes_class_name)
                    != attributes(&spec.volume_attributes_class_name)
                || volume.metadata.deletion_timestamp.is_some()
            {
                continue;
            }
            let reachable = labels.is_none_or(|labels| reachable(volume, labels));
            if reserved == Some(true) {
                return reachable.then_some(volume);
            }
            let empty = Labels::new();
            let own = volume.metadata.labels.as_ref().unwrap_or(&empty);
            let selected = selector.as_ref().is_none_or(|it| it.as_ref().is_some_and(|it| it.matches(own)));
            let available = volume.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Available");
            let modes = spec.access_modes.iter().flatten();
            let accessible =
                modes.into_iter().all(|it| offer.access_modes.iter().flatten().any(|has| has == it));
            if available && selected && reachable && accessible && best.as_ref().is_none_or(|it| size < it.1)
            {
                best = Some((volume, size));
            }
        }
        best.map(|(volume, _)| volume)
    }

    /// The volume that is reserved for a claim, if it would do.
    #[must_use]
    pub fn reserved_volume(&self, claim: &PersistentVolumeClaim) -> Option<&PersistentVolume> {
        let found = self.best_volume(claim, None, &BTreeSet::new())?;
        found.spec.as_ref()?.claim_ref.as_ref().map(|_| found)
    }

    /// Whether a volume that is bound can be used on a node with `labels`.
    #[must_use]
    pub fn usable(&self, volume: &PersistentVolume, node: &str, labels: &Labels) -> bool {
        let drivers = self.drivers.get(node).map(Rc::as_ref);
        migration::affinity(volume, drivers).is_none_or(|it| Terms::of(&it).matches("", labels))
    }

    /// How many volumes a node can attach, by CSI driver; a driver without a limit is not listed.
    #[must_use]
    pub fn limits(&self, node: &str) -> BTreeMap<&str, i64> {
        let drivers = self.drivers.get(node).map(|it| it.spec.drivers.as_slice()).unwrap_or_default();
        let limit =
            |it: &'_ api::k8s::storage::v1::CSINodeDriver| it.allocatable.as_ref()?.count.map(i64::from);
        drivers.iter().filter_map(|it| Some((it.name.as_str(), limit(it)?))).collect()
    }

    /// Adds a claim or takes over its changes.
    pub fn set_claim(&mut self, claim: &PersistentVolumeClaim) {
        let namespace = claim.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let name = claim.metadata.name.clone().unwrap_or_default();
        self.claims.insert((namespace, name), Rc::new(claim.clone()));
    }

    /// Forgets a claim.
    pub fn remove_claim(&mut self, namespace: &str, name: &str) {
        self.claims.remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Adds a volume or takes over its changes.
    pub fn set_volume(&mut self, volume: &PersistentVolume) {
        self.volumes.insert(volume.metadata.name.clone().unwrap_or_default(), Rc::new(volume.clone()));
    }

    /// Forgets a volume.
    pub fn remove_volume(&mut self, name: &str) {
        self.volumes.remove(name);
    }

    /// Adds a class or takes over its changes.
    pub fn set_class(&mut self, class: &StorageClass) {
        self.classes.insert(class.metadata.name.clone().unwrap_or_default(), Rc::new(class.clone()));
    }

    /// Forgets a class.
    pub fn remove_class(&mut self, name: &str) {
        self.classes.remove(name);
    }

    /// Adds a node's drivers or takes over their changes.
    pub fn set_drivers(&mut self, node: &CSINode) {
        self.drivers.insert(node.metadata.name.clone().unwrap_or_default(), Rc::new(node.clone()));
    }

    /// Forgets a node's drivers.
    pub fn remove_drivers(&mut self, node: &str) {
        self.drivers.remove(node);
    }

    /// Takes over what a decision for a node with `labels` has decided about claims, as if the volume controllers had
    /// done their work: volumes are bound, and made in the node's zone where they are yet to be made.
    pub fn bind(&mut self, decided: &[VolumeBound], labels: &Labels) {
        for VolumeBound { claim, volume, provisioned } in decided {
            let Some((namespace, name)) = claim.split_once('/') else { continue };
            let Some(found) = self.claims.get_mut(&(namespace.to_owned(), name.to_owned())) else { continue };
            let claim = Rc::make_mut(found);
            claim.spec.get_or_insert_default().volume_name = Some(volume.clone());
            let annotations = claim.metadata.annotations.get_or_insert_default();
            annotations.insert(BIND_COMPLETED.to_owned(), "yes".to_owned());
            let made = if *provisioned {
                provisioned_for(claim, volume, labels)
            } else {
                self.volumes.get(volume).map(|it| (**it).clone()).unwrap_or_default()
            };
            let bound = bound_to(made, claim);
            self.volumes.insert(volume.clone(), Rc::new(bound));
        }
    }
}

fn bound_to(mut volume: PersistentVolume, claim: &PersistentVolumeClaim) -> PersistentVolume {
    volume.spec.get_or_insert_default().claim_ref = Some(ObjectReference {
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
        ..ObjectReference::default()
    });
    volume.status.get_or_insert_default().phase = Some("Bound".to_owned());
    volume
}

/// MODEL: every volume that is made is an EBS volume in the zone of the pod's node.
fn provisioned_for(claim: &PersistentVolumeClaim, name: &str, labels: &Labels) -> PersistentVolume {
    let zone = NodeSelectorRequirement {
        key: ZONE.to_owned(),
        operator: "In".to_owned(),
        values: Some(labels.get(ZONE).cloned().into_iter().collect()),
    };
    let term = NodeSelectorTerm { match_expressions: Some(vec![zone]), match_fields: None };
    let spec = claim.spec.clone().unwrap_or_default();
    let mut volume = PersistentVolume::default();
    volume.metadata.name = Some(name.to_owned());
    volume.spec = Some(PersistentVolumeSpec {
        capacity: spec.resources.and_then(|it| it.requests),
        access_modes: spec.access_modes,
        storage_class_name: spec.storage_class_name,
        csi: Some(CSIPersistentVolumeSource {
            driver: "ebs.csi.aws.com".to_owned(),
            volume_handle: format!("vol-{name}"),
            ..CSIPersistentVolumeSource::default()
        }),
        node_affinity: Some(VolumeNodeAffinity {
            required: Some(NodeSelector { node_selector_terms: vec![term] }),
        }),
        ..PersistentVolumeSpec::default()
    });
    volume
}

/// A claim's class; empty if it has none.
#[must_use]
pub fn claim_class(claim: &PersistentVolumeClaim) -> &str {
    let beta = claim.metadata.annotations.as_ref().and_then(|it| it.get(BETA_CLASS));
    let class = claim.spec.as_ref().and_then(|it| it.storage_class_name.as_ref());
    beta.or(class).map_or("", String::as_str)
}

/// A volume's class; empty if it has none.
#[must_use]
pub fn volume_class(volume: &PersistentVolume) -> &str {
    let beta = volume.metadata.annotations.as_ref().and_then(|it| it.get(BETA_CLASS));
    let class = volume.spec.as_ref().and_then(|it| it.storage_class_name.as_ref());
    beta.or(class).map_or("", String::as_str)
}

/// The volume a claim names; empty if none.
#[must_use]
pub fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|it| it.volume_name.as_deref()).unwrap_or_default()
}

/// Whether binding has been completed.
#[must_use]
pub fn fully_bound(claim: &PersistentVolumeClaim) -> bool {
    let completed = |it: &Labels| it.contains_key(BIND_COMPLETED);
    !volume_name(claim).is_empty() && claim.metadata.annotations.as_ref().is_some_and(completed)
}

/// Whether a class waits for a pod before it binds.
#[must_use]
pub fn waits_for_consumer(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

/// Whether a volume can be used on a node with `labels`.
#[must_use]
pub fn reachable(volume: &PersistentVolume, labels: &Labels) -> bool {
    let affinity = volume.spec.as_ref().and_then(|it| it.node_affinity.as_ref());
    affinity.and_then(|it| it.required.as_ref()).is_none_or(|it| Terms::of(it).matches("", labels))
}

/// The `storage` a claim asks for or a volume has.
#[must_use]
pub fn size(
    list: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
) -> Quantity {
    let written = list.and_then(|it| it.get("storage"));
    written.and_then(|it| Quantity::parse(&it.0).ok()).unwrap_or(Quantity::ZERO)
}

/// What a claim asks for.
#[must_use]
pub fn requested(claim: &PersistentVolumeClaim) -> Quantity {
    let resources = claim.spec.as_ref().and_then(|it| it.resources.as_ref());
    size(resources.and_then(|it| it.requests.as_ref()))
}

/// Whether a class allows volumes on a node with `labels`: terms are alternatives, none allows every node.
#[must_use]
pub fn allowed(terms: &[TopologySelectorTerm], labels: &Labels) -> bool {
    let holds = |term: &TopologySelectorTerm| {
        let expressions = term.match_label_expressions.as_deref().unwrap_or_default();
        !expressions.is_empty()
            && expressions.iter().all(|it| labels.get(&it.key).is_some_and(|value| it.values.contains(value)))
    };
    terms.is_empty() || terms.iter().any(holds)
}
