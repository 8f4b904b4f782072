//! Does a pod get a network interface of its own?
//!
//! The webhooks of EKS's vpc-resource-controller: `mpod.vpc.k8s.aws` has a pod that a SecurityGroupPolicy means ask for
//! one, or tells Fargate which groups the pod's machine gets; `vpod.vpc.k8s.aws` keeps others from writing what the controller annotates.
//! Source: amazon-vpc-resource-controller-k8s `webhooks/core/{pod,annotation_validation}_webhook.go`.

use api::{ApiStatus, Object, k8s::core::v1::Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::Review;
use crate::vpc_resource::{FARGATE_GROUPS, POD_ENI, policy};

/// Whether a new pod could be meant: pods on the host's network and those of Windows are not.
pub(super) fn concerns(review: &Review<'_>, object: &Object) -> bool {
    let Object::Pod(pod) = object else { return false };
    let Some(spec) = &pod.spec else { return false };
    let os = spec.node_selector.as_ref().and_then(|all| all.get("kubernetes.io/os"));
    policy::are_in(review.world.store(), review.cluster, object.namespace())
        && spec.host_network != Some(true)
        && (on_fargate(pod) || os.is_none_or(|os| os != "windows"))
}

fn on_fargate(pod: &Pod) -> bool {
    pod.metadata.labels.as_ref().is_some_and(|all| all.contains_key("eks.amazonaws.com/fargate-profile"))
}

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let namespace = object.namespace().to_owned();
    let Object::Pod(pod) = object else { return Ok(()) };
    let groups = policy::groups(review.world.store(), review.cluster, &namespace, pod);
    if groups.is_empty() {
        return Ok(());
    }
    if on_fargate(pod) {
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert(FARGATE_GROUPS.to_owned(), groups.join(","));
        return Ok(());
    }
    let first = pod.spec.as_mut().and_then(|spec| spec.containers.first_mut());
    if let Some(container) = first {
        let resources = container.resources.get_or_insert_default();
        for amounts in [&mut resources.limits, &mut resources.requests] {
            amounts.get_or_insert_default().insert(POD_ENI.to_owned(), Quantity("1".to_owned()));
        }
    }
    Ok(())
}

/// The controller alone writes the annotation; it comes as a part of the system.
pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let of = |object: &Object| object.meta().annotations.as_ref().and_then(|all| all.get(POD_ENI)).cloned();
    let (old, new) = (review.old.and_then(of), of(object));
    let why = if review.is_create() && new.is_some() {
        format!("pod cannot be created with {POD_ENI} annotation")
    } else if review.who.is_some() && old != new {
        "annotation is not set by vpc-resource-controller".to_owned()
    } else {
        return Ok(());
    };
    let message = format!("admission webhook \"vpod.vpc.k8s.aws\" denied the request: {why}");
    Err(ApiStatus::forbidden(message))
}

/// Whether a pod's annotation may be about to change.
pub(super) fn is_annotated(review: &Review<'_>, object: &Object) -> bool {
    let of =
        |object: &Object| object.meta().annotations.as_ref().is_some_and(|all| all.contains_key(POD_ENI));
    review.part.is_empty()
        && matches!(object, Object::Pod(_))
        && (of(object) || review.old.is_some_and(of))
        && super::on_eks(review)
}
