//! Which objects beside nodes and pods does the scheduler look at?
//!
//! Claims, volumes, classes, drivers and disruption budgets are typed on their way into the node table; StatefulSets are
//! already.

use ::scheduler::{ClusterEvent, EventAction, EventResource, NodeTable, disruption::DisruptionBudget};
use api::{
    Kind, Object, Resource,
    k8s::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolume, PersistentVolumeClaim},
        policy::v1::PodDisruptionBudget,
        storage::v1::{CSINode, StorageClass},
    },
};
use serde::de::DeserializeOwned;

use crate::{Change, Key};

/// Whether the scheduler looks at objects of this kind.
pub(super) fn concerns(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PersistentVolumeClaim
            | Kind::PersistentVolume
            | Kind::StorageClass
            | Kind::CSINode
            | Kind::PodDisruptionBudget
            | Kind::StatefulSet
    )
}

/// Takes over one change of such an object.
pub(super) fn apply(table: &mut NodeTable, change: &Change) {
    let Key { kind, namespace, name, .. } = &change.key;
    let after = change.after.as_deref();
    match kind {
        Kind::PersistentVolumeClaim => match typed::<PersistentVolumeClaim>(after) {
            Some(claim) => table.storage.set_claim(&claim),
            None => table.storage.remove_claim(namespace, name),
        },
        Kind::PersistentVolume => match typed::<PersistentVolume>(after) {
            Some(volume) => table.storage.set_volume(&volume),
            None => table.storage.remove_volume(name),
        },
        Kind::StorageClass => match typed::<StorageClass>(after) {
            Some(class) => table.storage.set_class(&class),
            None => table.storage.remove_class(name),
        },
        Kind::CSINode => match typed::<CSINode>(after) {
            Some(drivers) => table.storage.set_drivers(&drivers),
            None => table.storage.remove_drivers(name),
        },
        Kind::PodDisruptionBudget => match typed::<PodDisruptionBudget>(after) {
            Some(budget) => table.set_budget(DisruptionBudget::of(&budget)),
            None => table.remove_budget(namespace, name),
        },
        Kind::StatefulSet => match after.and_then(StatefulSet::of) {
            Some(set) => table.owners.set_stateful_set(set),
            None => table.owners.remove("StatefulSet", namespace, name),
        },
        _ => {}
    }
}

/// What such a change is to pods that wait.
pub(super) fn event(change: &Change) -> Option<ClusterEvent> {
    let resource = match change.key.kind {
        Kind::PersistentVolumeClaim => EventResource::PersistentVolumeClaim,
        Kind::PersistentVolume => EventResource::PersistentVolume,
        Kind::StorageClass => EventResource::StorageClass,
        Kind::CSINode => EventResource::CSINode,
        _ => return None,
    };
    let action = match (&change.before, &change.after) {
        (None, Some(_)) => EventAction::Add,
        (Some(_), Some(_)) => EventAction::Update,
        (_, None) => EventAction::Delete,
    };
    Some(ClusterEvent { resource, action })
}

/// An object without behaviour of its own, typed.
pub(crate) fn typed<T: DeserializeOwned>(object: Option<&Object>) -> Option<T> {
    match object? {
        Object::Stored(stored) => stored.typed().ok(),
        other => serde_json::from_value(other.to_value()).ok(),
    }
}
