//! Which claims, volumes, classes and drivers are there?

use std::collections::BTreeMap;

use api::k8s::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::k8s::storage::v1::{CSINode, StorageClass};
use std::rc::Rc;

use crate::decision::VolumeBound;

/// What the volume plugins look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// By namespace and name.
    pub claims: BTreeMap<(String, String), Rc<PersistentVolumeClaim>>,
    /// By name.
    pub volumes: BTreeMap<String, Rc<PersistentVolume>>,
    /// By name.
    pub classes: BTreeMap<String, Rc<StorageClass>>,
    /// By the node's name.
    pub drivers: BTreeMap<String, Rc<CSINode>>,
}

impl Storage {
    /// A claim by namespace and name.
    #[must_use]
    pub fn claim(&self, namespace: &str, name: &str) -> Option<&PersistentVolumeClaim> {
        self.claims.get(&(namespace.to_owned(), name.to_owned())).map(Rc::as_ref)
    }

    /// Takes over what a decision for `node` has decided about claims.
    pub fn bind(&mut self, _decided: &[VolumeBound], _node: &str) {}

    /// Adds a claim or takes over its changes.
    pub fn set_claim(&mut self, claim: &PersistentVolumeClaim) {
        let namespace = claim.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let name = claim.metadata.name.clone().unwrap_or_default();
        self.claims.insert((namespace, name), Rc::new(claim.clone()));
    }

    /// Adds a volume or takes over its changes.
    pub fn set_volume(&mut self, volume: &PersistentVolume) {
        self.volumes.insert(volume.metadata.name.clone().unwrap_or_default(), Rc::new(volume.clone()));
    }

    /// Adds a class or takes over its changes.
    pub fn set_class(&mut self, class: &StorageClass) {
        self.classes.insert(class.metadata.name.clone().unwrap_or_default(), Rc::new(class.clone()));
    }

    /// Adds a node's drivers or takes over their changes.
    pub fn set_drivers(&mut self, node: &CSINode) {
        self.drivers.insert(node.metadata.name.clone().unwrap_or_default(), Rc::new(node.clone()));
    }
}
