//! What would the scheduler decide about a pod if something were different?
//!
//! A [`Subject`] is a pod of a world with all that the scheduler knows at that moment; [`Subject::ask`] puts the question
//! of [`scheduler::what_if`] to it. The world is only read: nothing is written, no fact, no event.

use std::rc::Rc;

use ::scheduler::{
    NodeTable, Profile,
    what_if::{Question, edit},
};
use api::{
    Kind, Resource,
    k8s::{
        apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
        core::v1::{Node, Pod, PodSpec},
    },
    kinds::{eks::Nodegroup, sim::QueuedPod},
    meta::ObjectMeta,
};

use crate::{ClusterId, Key, World, scheduler};

/// A pod and what the scheduler knows at that moment.
pub struct Subject<'w> {
    /// The pod.
    pub pod: &'w Pod,
    /// Whose template it comes from, if it has one that can be changed.
    pub owner: Option<Owner<'w>>,
    /// What the scheduling queue remembers of it.
    pub queued: Option<&'w QueuedPod>,
    /// Whether an owner of a kind whose template cannot be changed made it.
    pub is_fixed: bool,
    world: &'w World,
    cluster: ClusterId,
    table: Rc<NodeTable>,
    profile: Profile,
    tie: u64,
}

/// The object whose pod template a pod comes from.
pub struct Owner<'w> {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: &'w str,
    /// The spec of its template.
    pub template: PodSpec,
}

impl<'w> Subject<'w> {
    /// A pod of a world, by its name.
    #[must_use]
    pub fn of(world: &'w World, cluster: ClusterId, namespace: &str, name: &str) -> Option<Subject<'w>> {
        let store = world.store();
        let pod = store.get::<Pod>(cluster, namespace, name)?;
        let queued = store.get::<QueuedPod>(cluster, namespace, name);
        let key = Key::new(cluster, Kind::Pod, namespace, name);
        let attempts = queued.map_or(0, |it| u64::from(it.attempts));
        let owner = owner(world, cluster, pod);
        Some(Subject {
            pod,
            is_fixed: owner.is_none() && controller(&pod.metadata).is_some(),
            owner,
            queued,
            world,
            cluster,
            table: world.scheduling().nodes(cluster),
            profile: scheduler::profile(store, cluster),
            // The draw of the next attempt.
            tie: world.draw("tie", &key, attempts),
        })
    }

    /// The world it is in.
    #[must_use]
    pub fn world(&self) -> &'w World {
        self.world
    }

    /// The cluster it is in.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// The scheduler's configuration in that cluster.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Asks about it.
    pub fn ask<R>(&self, ask: impl FnOnce(&Question) -> R) -> R {
        let store = self.world.store();
        let node = |name: &str| store.get::<Node>(self.cluster, "", name).cloned();
        let like = |name: &str| like(self.world, self.cluster, name);
        ask(&Question {
            profile: &self.profile,
            table: &self.table,
            pod: self.pod,
            tie: self.tie,
            node: &node,
            like: &like,
        })
    }
}

/// The managed node group of a node.
#[must_use]
pub fn node_group<'w>(world: &'w World, cluster: ClusterId, node: &str) -> Option<&'w Nodegroup> {
    let labels = world.store().get::<Node>(cluster, "", node)?.metadata.labels.as_ref()?;
    let (of, name) =
        labels.get("alpha.eksctl.io/cluster-name").zip(labels.get("eks.amazonaws.com/nodegroup"))?;
    world.store().get::<Nodegroup>(ClusterId::WORLD, of, name)
}

/// What one more node would be that comes from where this one came from: with the labels and taints of the node group,
/// not with those that were written on this one since.
fn like(world: &World, cluster: ClusterId, name: &str) -> Option<Node> {
    let mut node = world.store().get::<Node>(cluster, "", name)?.clone();
    let labels = node.metadata.labels.get_or_insert_default();
    labels.retain(|key, _| !edit::is_ours(key));
    let taints = &mut node.spec.get_or_insert_default().taints;
    *taints = None;
    if let Some(group) = node_group(world, cluster, name) {
        labels.extend(group.labels.clone());
        *taints = Some(group.taints.clone());
    }
    Some(node)
}

fn controller(meta: &ObjectMeta) -> Option<(&str, &str)> {
    let owner = meta.owner_references.iter().flatten().find(|it| it.controller == Some(true))?;
    Some((owner.kind.as_str(), owner.name.as_str()))
}

/// The topmost owner with a template that can be changed.
///
/// MODEL: Jobs have none: their template is fixed, and who wants another has to make another Job.
fn owner<'w>(world: &'w World, cluster: ClusterId, pod: &'w Pod) -> Option<Owner<'w>> {
    let store = world.store();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let (kind, name) = controller(&pod.metadata)?;
    match kind {
        "ReplicaSet" => {
            let set = store.get::<ReplicaSet>(cluster, namespace, name)?;
            if let Some(("Deployment", above)) = controller(set.meta()) {
                let deployment = store.get::<Deployment>(cluster, namespace, above)?;
                let template = deployment.spec.as_ref()?.template.spec.clone()?;
                return Some(Owner { kind: Kind::Deployment, name: above, template });
            }
            let template = set.spec.as_ref()?.template.as_ref()?.spec.clone()?;
            Some(Owner { kind: Kind::ReplicaSet, name, template })
        }
        "StatefulSet" => {
            let set = store.object(&Key::new(cluster, Kind::StatefulSet, namespace, name))?;
            let template = scheduler::typed::<StatefulSet>(Some(set))?.spec?.template.spec?;
            Some(Owner { kind: Kind::StatefulSet, name, template })
        }
        "DaemonSet" => {
            let set = store.get::<DaemonSet>(cluster, namespace, name)?;
            let template = set.spec.as_ref()?.template.spec.clone()?;
            Some(Owner { kind: Kind::DaemonSet, name, template })
        }
        _ => None,
    }
}
