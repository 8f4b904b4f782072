//! What does the control plane do about the difference between what is wanted and what is?
//!
//! One file per controller of kube-controller-manager, each with its own events. All of them are level-triggered: a
//! reconcile looks at the store and moves one step. Source: `pkg/controller/*`, Kubernetes 1.34.

pub(crate) mod attach_detach;
mod certificates;
mod cronjob;
mod daemonset;
mod definition;
mod deployment;
mod disruption;
mod endpoints;
mod endpointslice;
mod endpointslice_mirroring;
mod garbage;
mod horizontal;
mod job;
mod namespace;
mod node_lifecycle;
pub(crate) mod persistent_volume;
mod pod_gc;
mod policy_status;
mod replicaset;
mod resource_quota;
mod revision;
mod role_aggregation;
mod service_account;
mod service_cidr;
mod statefulset;
mod taint_eviction;
#[cfg(test)]
mod tests;
mod token;

use std::rc::Rc;

use api::{
    ApiStatus, Kind, Object, Resource, SimTime,
    k8s::core::v1::{Pod, PodCondition, PodTemplateSpec},
    meta::{ObjectMeta, OwnerReference, Time},
};

pub(crate) use daemonset::FailedPods;
pub(crate) use horizontal::Recommendations;
pub(crate) use persistent_volume::protection::{
    OF_CLAIM as CLAIM_PROTECTION, OF_VOLUME as VOLUME_PROTECTION,
};

use crate::{Controller, EventType, Turn, World, draw};

/// Every controller of the control plane, in the order in which they hear of a change.
pub(crate) static CONTROLLERS: &[&(dyn Controller + Sync)] = &[
    &definition::DefinitionController,
    &namespace::NamespaceController,
    &service_account::ServiceAccountController,
    &token::TokensController,
    &deployment::DeploymentController,
    &replicaset::OF_SETS,
    &replicaset::OF_CONTROLLERS,
    &daemonset::DaemonSetController,
    &statefulset::StatefulSetController,
    &cronjob::CronJobController,
    &job::JobController,
    &job::ttl::TtlAfterFinished,
    &horizontal::HorizontalPodAutoscaling,
    &endpointslice::EndpointSliceController,
    &endpointslice_mirroring::EndpointSliceMirroring,
    &endpoints::EndpointsController,
    &disruption::DisruptionController,
    &resource_quota::ResourceQuotaController,
    &role_aggregation::ClusterRoleAggregation,
    &garbage::GarbageCollector,
    &node_lifecycle::NodeLifecycle,
    &taint_eviction::TaintEviction,
    &pod_gc::PodGc,
    &persistent_volume::PersistentVolumeBinder,
    &attach_detach::AttachDetach,
    &persistent_volume::protection::ClaimProtection,
    &persistent_volume::protection::VolumeProtection,
    &persistent_volume::expand::VolumeExpand,
    &policy_status::PolicyStatus,
    &service_cidr::ServiceCidrs,
    &certificates::Approving,
    &certificates::Signing,
    &certificates::Cleaning,
];

/// The owner that manages the object, if there is one.
pub(crate) fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// Creates a pod for what owns it, in whose name it is said how that went. Source: `RealPodControl` of `controller_utils.go`.
fn create_pod(turn: &mut Turn<'_>, owner: &Object, pod: Pod) -> Result<(), ApiStatus> {
    match turn.create(pod) {
        Ok(pod) => {
            let message = format!("Created pod: {}", pod.name());
            turn.event(owner, EventType::Normal, "SuccessfulCreate", &message);
            Ok(())
        }
        Err(refusal) => {
            let message = format!("Error creating: {}", refusal.message);
            turn.event(owner, EventType::Warning, "FailedCreate", &message);
            Err(refusal)
        }
    }
}

/// A reference that makes `owner` the manager of what carries it.
fn managed_by<R: Resource>(owner: &R) -> OwnerReference {
    let info = R::KIND.info();
    OwnerReference {
        api_version: info.api_version(),
        kind: info.kind.to_owned(),
        name: owner.meta().name.clone().unwrap_or_default(),
        uid: owner.meta().uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

fn is_managed_by(meta: &ObjectMeta, uid: &str) -> bool {
    controller_of(meta).is_some_and(|owner| owner.uid == uid)
}

/// Makes `owner` the manager of a pod that has none.
fn adopt<R: Resource>(turn: &mut Turn<'_>, owner: &R, pod: &str) -> Result<Rc<Object>, ApiStatus> {
    let namespace = owner.meta().namespace.as_deref().unwrap_or_default();
    turn.patch::<Pod>(namespace, pod, |pod| {
        pod.metadata.owner_references.get_or_insert_default().push(managed_by(owner));
    })
}

/// Takes `owner` from a pod that it no longer chooses.
fn let_go<R: Resource>(turn: &mut Turn<'_>, owner: &R, pod: &str) -> Result<Rc<Object>, ApiStatus> {
    let meta = owner.meta();
    let uid = meta.uid.as_deref().unwrap_or_default();
    turn.patch::<Pod>(meta.namespace.as_deref().unwrap_or_default(), pod, |pod| {
        pod.metadata.owner_references.get_or_insert_default().retain(|owner| owner.uid != uid);
    })
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Neither ended nor going.
pub(crate) fn is_active(pod: &Pod) -> bool {
    !matches!(phase(pod), "Succeeded" | "Failed") && pod.metadata.deletion_timestamp.is_none()
}

fn condition<'p>(pod: &'p Pod, type_: &str) -> Option<&'p PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Since when a pod has been ready.
pub(crate) fn ready_since(pod: &Pod) -> Option<&Time> {
    condition(pod, "Ready")
        .filter(|ready| ready.status == "True")
        .and_then(|ready| ready.last_transition_time.as_ref())
}

/// Whether it has been ready for `min_seconds`.
fn is_available(pod: &Pod, min_seconds: i32, now: &Time) -> bool {
    is_ready(pod)
        && (min_seconds == 0
            || ready_since(pod)
                .is_some_and(|since| since.0.as_second() + i64::from(min_seconds) <= now.0.as_second()))
}

/// The pod that a template asks for, owned by `owner`; still without a name.
fn pod_from(template: &PodTemplateSpec, namespace: &str, base: &str, owner: OwnerReference) -> Pod {
    let meta = template.metadata.clone().unwrap_or_default();
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{base}-")),
            namespace: Some(namespace.to_owned()),
            labels: meta.labels,
            annotations: meta.annotations,
            finalizers: meta.finalizers,
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        spec: template.spec.clone(),
        status: None,
    }
}

/// The hash that tells one template from another, as the real controllers of this release write it.
fn template_hash(turn: &Turn<'_>, template: &PodTemplateSpec, collisions: Option<i32>) -> String {
    draw::safe_encode(&api::dump::hash(template, collisions, turn.release()).to_string())
}

/// A moment as the world counts it.
fn sim_time(world: &World, time: &Time) -> SimTime {
    let millis = time.0.as_millisecond() - world.epoch().as_millisecond();
    SimTime(u64::try_from(millis).unwrap_or(0))
}

/// A number of pods written as a number or as a share of all.
fn share(
    of: i32,
    written: Option<&k8s_openapi::apimachinery::pkg::util::intstr::IntOrString>,
    or: &str,
    up: bool,
) -> i32 {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
    let percent = |text: &str| {
        let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
        let exact = i64::from(of) * percent;
        let whole = if up { (exact + 99).div_euclid(100) } else { exact.div_euclid(100) };
        i32::try_from(whole).unwrap_or(i32::MAX)
    };
    match written {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(text)) => percent(text),
        None => percent(or),
    }
}

/// The kind and name of an object's manager, where the store still has it.
fn manager(object: &Object, kind: Kind) -> Option<&OwnerReference> {
    controller_of(object.meta()).filter(|owner| owner.kind == kind.info().kind)
}
