//! Does a Fargate profile take this pod?
//!
//! EKS's own mutating webhook: a new pod that an active profile selects gets the scheduler of Fargate, the profile's name as a
//! label and the priority of a critical pod. A pod that is there already is never looked at again.
//!
//! MODEL: its MutatingWebhookConfiguration is not among the cluster's objects. That pods of DaemonSets are left alone is not
//! written anywhere; clusters whose profiles select `kube-system` run aws-node on their EC2 nodes all the same.
//! Source: EKS user guide (Fargate profile); pods as people have recorded them (aws/containers-roadmap#1976).

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Object,
    k8s::{core::v1::Pod, scheduling::v1::PriorityClass},
    kinds::{
        eks::{FargateProfile, FargateSelector},
        sim::ControlPlane,
    },
};

use super::Review;
use crate::{
    ClusterId,
    node::fargate::{COMPUTE_TYPE, PROFILE_LABEL, SCHEDULER, is_of_daemon_set, matching},
};

/// As the webhook is called.
pub(super) const NAME: &str = "0500-amazon-eks-fargate-mutation.amazonaws.com";

/// Pods take the priority of the node's own.
const PRIORITY_CLASS: &str = "system-node-critical";

/// The selectors of this cluster's active profiles, by name.
fn profiles(review: &Review<'_>) -> BTreeMap<String, Vec<FargateSelector>> {
    let store = review.world.store();
    let mut planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    let plane = planes.find(|plane| plane.id == review.cluster.0);
    let Some(cluster) = plane.and_then(|plane| plane.metadata.name.as_deref()) else {
        return BTreeMap::new();
    };
    crate::provision::fargate_profiles(store, cluster)
        .filter(|it| it.status == "ACTIVE")
        .map(|it: &FargateProfile| (it.metadata.name.clone().unwrap_or_default(), it.selectors.clone()))
        .collect()
}

/// Whether the webhook is asked at all: only where a profile is.
pub(super) fn concerns(review: &Review<'_>, object: &Object) -> bool {
    review.is_create() && object.kind() == Kind::Pod && !profiles(review).is_empty()
}

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let Some(profile) = taken_by(&profiles(review), pod) else { return Ok(()) };
    pod.metadata.labels.get_or_insert_default().insert(PROFILE_LABEL.to_owned(), profile);
    let spec = pod.spec.get_or_insert_default();
    spec.scheduler_name = Some(SCHEDULER.to_owned());
    if let Some(class) = review.world.store().get::<PriorityClass>(review.cluster, "", PRIORITY_CLASS) {
        spec.priority_class_name = Some(PRIORITY_CLASS.to_owned());
        spec.priority = Some(class.value);
    }
    Ok(())
}

/// The profile that takes a pod.
fn taken_by(profiles: &BTreeMap<String, Vec<FargateSelector>>, pod: &Pod) -> Option<String> {
    let annotations = pod.metadata.annotations.as_ref();
    let stays = annotations.and_then(|it| it.get(COMPUTE_TYPE)).is_some_and(|it| it == "ec2");
    if stays || is_of_daemon_set(pod) {
        return None;
    }
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    matching(profiles, namespace, &labels).1.map(str::to_owned)
}
