//! What does the API server write into an object that says nothing of it?
//!
//! [`apply_defaults`] fills what the API's defaulting fills on every write; [`prepare_for_create`] is what the server
//! does once, before it validates a new object: status emptied, generation one. Neither knows about other objects:
//! addresses, node ports, service accounts and priorities are given by admission and allocation.
//! Source: kubernetes v1.34.1, `pkg/apis/*/v1/defaults.go`, `zz_generated.defaults.go`, `pkg/registry/*/strategy.go`.

mod admission;
mod apps;
mod batch;
mod definition;
mod gate;
mod pod;
mod policy;
mod prepare;
mod service;
mod storage;

pub(crate) use self::pod::container_requests;
pub use self::prepare::{prepare_for_create, prepare_for_update, prepare_signing, qos_class};

use crate::{Kind, Object};

/// Fills the defaults of a kind; kinds without defaults stay as they are.
pub fn apply_defaults(object: &mut Object) {
    match object {
        Object::Pod(pod) => pod::pod(pod),
        Object::Deployment(deployment) => apps::deployment(deployment),
        Object::ReplicaSet(replica_set) => apps::replica_set(replica_set),
        Object::DaemonSet(daemon_set) => apps::daemon_set(daemon_set),
        Object::StatefulSet(stateful_set) => apps::stateful_set(stateful_set),
        Object::Job(job) => batch::job(job),
        Object::CronJob(cron_job) => batch::cron_job(cron_job),
        Object::HorizontalPodAutoscaler(it) => policy::horizontal_pod_autoscaler(it),
        Object::Service(service) => service::service(service),
        Object::Endpoints(endpoints) => service::endpoints(endpoints),
        Object::EndpointSlice(slice) => service::endpoint_slice(slice),
        Object::Namespace(namespace) => policy::namespace(namespace),
        Object::Secret(secret) => blank_to(&mut secret.type_, "Opaque"),
        Object::Node(node) => policy::node(node),
        Object::PriorityClass(class) => missing_to(&mut class.preemption_policy, "PreemptLowerPriority"),
        Object::Stored(stored) => match stored.kind {
            Kind::NetworkPolicy => stored.edit(policy::network_policy),
            Kind::RoleBinding => stored.edit(policy::role_binding),
            Kind::ClusterRoleBinding => stored.edit(policy::cluster_role_binding),
            Kind::ResourceQuota => stored.edit(policy::resource_quota),
            Kind::LimitRange => stored.edit(policy::limit_range),
            Kind::PersistentVolume => stored.edit(storage::persistent_volume),
            Kind::PersistentVolumeClaim => stored.edit(storage::persistent_volume_claim),
            Kind::StorageClass => stored.edit(storage::storage_class),
            Kind::CSIDriver => stored.edit(storage::csi_driver),
            Kind::IngressClass => stored.edit(policy::ingress_class),
            Kind::ReplicationController => stored.edit(apps::replication_controller),
            Kind::PodTemplate => stored.edit(apps::pod_template),
            Kind::CustomResourceDefinition => definition::definition(stored),
            Kind::ValidatingAdmissionPolicy => admission::policy(stored),
            Kind::ValidatingAdmissionPolicyBinding => admission::binding(stored),
            Kind::ValidatingWebhookConfiguration | Kind::MutatingWebhookConfiguration => {
                admission::webhooks(stored);
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a string says nothing.
pub(crate) fn blank(text: Option<&String>) -> bool {
    text.is_none_or(String::is_empty)
}

fn blank_to(text: &mut Option<String>, default: &str) {
    if blank(text.as_ref()) {
        *text = Some(default.to_owned());
    }
}

/// The same where an empty text is an answer, and a wrong one.
fn missing_to(text: &mut Option<String>, default: &str) {
    text.get_or_insert_with(|| default.to_owned());
}

fn zero_to(number: &mut Option<i32>, default: i32) {
    if number.unwrap_or_default() == 0 {
        *number = Some(default);
    }
}
