//! Is this object legal, and if not, in the API server's words?
//!
//! [`create`] and [`update`] list every cause in the server's order; [`warnings`] what it accepts with a remark. The
//! object must be decoded, defaulted and prepared. One file per kind or family of kinds; what they share is in `name`,
//! `meta`, `container` (with `env`, `mount`, `handler`), `volume`, `affinity`, `resources`, `security`, `report`. Rules that need other objects (quotas,
//! priorities, allocated addresses) are not here.
//! Source: kubernetes v1.34.1, `pkg/apis/*/validation`, `pkg/registry/*/strategy.go`; recorded cases in
//! `tests/vectors/validate`.
//!
//! ```
//! use api::{Kind, decode, default, validate};
//! let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "Web", "namespace": "default"},
//!     "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
//! let mut pod = decode::decode(Kind::Pod, &pod).expect("a pod");
//! default::apply_defaults(&mut pod);
//! assert_eq!(validate::create(&pod)[0].field, "metadata.name");
//! ```

mod admission;
mod affinity;
mod autoscaler;
mod batch;
mod cluster_network;
mod container;
mod definition;
mod diff;
mod endpoints;
mod env;
mod handler;
mod internal;
mod job_policy;
mod meta;
mod mount;
pub(crate) mod name;
mod networking;
mod node;
mod old_volume;
mod os;
mod persistent_volume;
mod pod;
mod pod_parts;
mod pod_update;
mod policy;
mod quota;
mod record;
pub(crate) mod regexp;
mod replication;
mod report;
mod resources;
mod rules;
mod runtime_class;
mod security;
mod selectable;
mod service;
mod signing;
mod stateful_set;
mod storage;
mod volume;
mod warning;
mod webhook;
mod workload;

use serde::de::DeserializeOwned;

use self::report::Report;
use crate::{
    Cause, Domain, Kind, Object, Scope, Stored,
    k8s::{
        core::v1::{Pod, Service},
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    },
};

pub use self::name::ip;
pub(crate) use self::report::shown;
pub use self::warning::{Release, warnings, warnings_on_update};

/// What is wrong with a new object.
#[must_use]
pub fn create(object: &Object) -> Vec<Cause> {
    let mut report = Report::default();
    let out = &mut report;
    match object {
        Object::Pod(it) => pod::create(out, it),
        Object::Deployment(it) => workload::deployment(out, it),
        Object::ReplicaSet(it) => workload::replica_set(out, it),
        Object::DaemonSet(it) => workload::daemon_set(out, it),
        Object::StatefulSet(it) => stateful_set::create(out, it),
        Object::Job(it) => batch::job(out, it),
        Object::CronJob(it) => batch::cron_job(out, it),
        Object::HorizontalPodAutoscaler(it) => autoscaler::create(out, it),
        Object::Service(it) => service::create(out, it),
        Object::Node(it) => node::node(out, it),
        Object::Namespace(it) => node::namespace(out, it),
        Object::ConfigMap(it) => node::config_map(out, it),
        Object::Secret(it) => node::secret(out, it),
        Object::ServiceAccount(it) => node::service_account(out, it),
        Object::PriorityClass(it) => node::priority_class(out, it),
        Object::Endpoints(it) => endpoints::endpoints(out, it, None),
        Object::EndpointSlice(it) => endpoints::endpoint_slice(out, it, None),
        Object::Event(it) => record::event(out, it),
        Object::Lease(it) => record::lease(out, it),
        Object::Stored(it) => match it.kind {
            Kind::PersistentVolume => with(it, |it| persistent_volume::volume(out, it)),
            Kind::PersistentVolumeClaim => with(it, |it| persistent_volume::claim(out, it)),
            Kind::StorageClass => with(it, |it| persistent_volume::storage_class(out, it)),
            Kind::NetworkPolicy => with(it, |it| networking::network_policy(out, it)),
            Kind::Ingress => with(it, |it| networking::ingress(out, it)),
            Kind::PodDisruptionBudget => with(it, |it| policy::pod_disruption_budget(out, it)),
            Kind::Role => with(it, |it| policy::role(out, it)),
            Kind::ClusterRole => with(it, |it| policy::cluster_role(out, it)),
            Kind::RoleBinding => with(it, |it| policy::role_binding(out, it)),
            Kind::ClusterRoleBinding => with(it, |it| policy::cluster_role_binding(out, it)),
            Kind::ResourceQuota => with(it, |it| quota::resource_quota(out, it)),
            Kind::LimitRange => with(it, |it| quota::limit_range(out, it)),
            Kind::ReplicationController => with(it, |it| replication::replication_controller(out, it)),
            Kind::PodTemplate => with(it, |it| replication::pod_template(out, it)),
            Kind::ControllerRevision => with(it, |it| record::controller_revision(out, it)),
            Kind::IngressClass => with(it, |it| cluster_network::ingress_class(out, it)),
            Kind::IPAddress => with(it, |it| cluster_network::ip_address(out, it)),
            Kind::ServiceCIDR => with(it, |it| cluster_network::service_cidr(out, it)),
            Kind::RuntimeClass => with(it, |it| runtime_class::runtime_class(out, it)),
            Kind::CSIDriver => with(it, |it| storage::csi_driver(out, it)),
            Kind::CSINode => with(it, |it| storage::csi_node(out, it)),
            Kind::CSIStorageCapacity => with(it, |it| storage::csi_storage_capacity(out, it)),
            Kind::VolumeAttachment => with(it, |it| storage::volume_attachment(out, it)),
            Kind::VolumeAttributesClass => with(it, |it| storage::volume_attributes_class(out, it)),
            Kind::CustomResourceDefinition => definition::create(out, it),
            Kind::ValidatingAdmissionPolicy => admission::policy(out, it),
            Kind::ValidatingAdmissionPolicyBinding => admission::binding(out, it),
            Kind::CertificateSigningRequest => signing::create(out, it),
            Kind::ValidatingWebhookConfiguration | Kind::MutatingWebhookConfiguration => {
                webhook::configuration(out, it);
            }
            // The core group's have no group behind the version: `v1.`.
            Kind::APIService => metadata_only(out, object, name::path_segment),
            _ => metadata_only(out, object, name::subdomain),
        },
        _ => metadata_only(out, object, name::subdomain),
    }
    if report.causes.is_empty() {
        // UPSTREAM: whoever looked at nothing but the rest is looked at here, by the widest rule for names.
        let info = object.kind().info();
        if info.domain() == Domain::Kubernetes {
            let namespaced = info.scope == Scope::Namespaced;
            meta::generic_object_meta(&mut report, object.meta(), namespaced, name::path_segment);
        }
    }
    report.causes
}

/// What is wrong with a change of a stored object.
#[must_use]
pub fn update(old: &Object, new: &Object) -> Vec<Cause> {
    let mut report = Report::default();
    let out = &mut report;
    let namespaced = new.kind().info().scope == Scope::Namespaced;
    meta::common_update(out, new.meta(), old.meta(), namespaced);
    match (new, old) {
        (Object::Pod(new), Object::Pod(old)) => pod_update::update(out, new, old),
        (Object::Deployment(new), Object::Deployment(old)) => workload::deployment_update(out, new, old),
        (Object::ReplicaSet(new), Object::ReplicaSet(old)) => workload::replica_set_update(out, new, old),
        (Object::DaemonSet(new), Object::DaemonSet(old)) => workload::daemon_set_update(out, new, old),
        (Object::StatefulSet(new), Object::StatefulSet(old)) => stateful_set::update(out, new, old),
        (Object::Job(new), Object::Job(old)) => batch::job_update(out, new, old),
        (Object::CronJob(new), Object::CronJob(old)) => batch::cron_job_update(out, new, old),
        (Object::HorizontalPodAutoscaler(new), Object::HorizontalPodAutoscaler(old)) => {
            autoscaler::update(out, new, old);
        }
        (Object::Service(new), Object::Service(old)) => service::update(out, new, old),
        (Object::Namespace(new), Object::Namespace(old)) => node::namespace_update(out, new, old),
        (Object::Node(new), Object::Node(old)) => node::node_update(out, new, old),
        (Object::ServiceAccount(new), Object::ServiceAccount(old)) => {
            meta::object_meta_update(out, &new.metadata, &old.metadata);
            node::service_account(out, new);
        }
        (Object::ConfigMap(new), Object::ConfigMap(old)) => node::config_map_update(out, new, old),
        (Object::Secret(new), Object::Secret(old)) => node::secret_update(out, new, old),
        (Object::PriorityClass(new), Object::PriorityClass(old)) => {
            node::priority_class_update(out, new, old);
        }
        (Object::Endpoints(new), Object::Endpoints(old)) => endpoints::endpoints(out, new, Some(old)),
        (Object::EndpointSlice(new), Object::EndpointSlice(old)) => {
            endpoints::endpoint_slice(out, new, Some(old));
        }
        (Object::Event(new), Object::Event(old)) => {
            meta::object_meta_update(out, &new.metadata, &old.metadata);
            record::event(out, new);
        }
        (Object::Lease(new), Object::Lease(old)) => record::lease_update(out, new, &old.metadata),
        (Object::Stored(new), Object::Stored(old)) => match new.kind {
            Kind::CertificateSigningRequest => signing::update(out, new, old, None),
            Kind::ReplicationController => {
                with_both(new, old, |new, old| replication::replication_controller_update(out, new, old));
            }
            Kind::PodTemplate => {
                with_both(new, old, |new, old| replication::pod_template_update(out, new, old));
            }
            Kind::ControllerRevision => {
                with_both(new, old, |new, old| record::controller_revision_update(out, new, old));
            }
            Kind::IngressClass => {
                with_both(new, old, |new, old| cluster_network::ingress_class_update(out, new, old));
            }
            Kind::IPAddress => {
                with_both(new, old, |new, old| cluster_network::ip_address_update(out, new, old));
            }
            Kind::ServiceCIDR => {
                with_both(new, old, |new, old| cluster_network::service_cidr_update(out, new, old));
            }
            Kind::RuntimeClass => {
                with_both(new, old, |new, old| runtime_class::runtime_class_update(out, new, old));
            }
            Kind::CSIDriver => with_both(new, old, |new, old| storage::csi_driver_update(out, new, old)),
            Kind::CSINode => with_both(new, old, |new, old| storage::csi_node_update(out, new, old)),
            Kind::CSIStorageCapacity => {
                with_both(new, old, |new, old| storage::csi_storage_capacity_update(out, new, old));
            }
            Kind::VolumeAttachment => {
                with_both(new, old, |new, old| storage::volume_attachment_update(out, new, old));
            }
            Kind::VolumeAttributesClass => {
                with_both(new, old, |new, old| storage::volume_attributes_class_update(out, new, old));
            }
            Kind::StorageClass => {
                with_both(new, old, |new, old| persistent_volume::storage_class_update(out, new, old));
            }
            Kind::PersistentVolume => {
                with_both(new, old, |new, old| persistent_volume::volume_update(out, new, old));
            }
            Kind::PersistentVolumeClaim => {
                with_both(new, old, |new, old| persistent_volume::claim_update(out, new, old));
            }
            Kind::NetworkPolicy => {
                with_both(new, old, |new, old| networking::network_policy_update(out, new, old));
            }
            Kind::Ingress => with_both(new, old, |new, old| networking::ingress_update(out, new, old)),
            Kind::PodDisruptionBudget => {
                with_both(new, old, |new, old| policy::pod_disruption_budget_update(out, new, old));
            }
            Kind::RoleBinding => with_both(new, old, |new: &RoleBinding, old: &RoleBinding| {
                // UPSTREAM: the kinds of RBAC are looked at twice.
                policy::role_binding(out, new);
                policy::role_binding(out, new);
                policy::binding_update(out, (&new.metadata, &new.role_ref), (&old.metadata, &old.role_ref));
            }),
            Kind::ClusterRoleBinding => {
                with_both(new, old, |new: &ClusterRoleBinding, old: &ClusterRoleBinding| {
                    policy::cluster_role_binding(out, new);
                    policy::cluster_role_binding(out, new);
                    policy::binding_update(
                        out,
                        (&new.metadata, &new.role_ref),
                        (&old.metadata, &old.role_ref),
                    );
                });
            }
            Kind::Role => with_both(new, old, |new, old: &Role| {
                policy::role(out, new);
                policy::role(out, new);
                meta::object_meta_update(out, &new.metadata, &old.metadata);
            }),
            Kind::ClusterRole => with_both(new, old, |new, old: &ClusterRole| {
                policy::cluster_role(out, new);
                policy::cluster_role(out, new);
                meta::object_meta_update(out, &new.metadata, &old.metadata);
            }),
            Kind::LimitRange => with(new, |it| quota::limit_range(out, it)),
            Kind::ResourceQuota => {
                with_both(new, old, |new, old| quota::resource_quota_update(out, new, old));
            }
            Kind::CustomResourceDefinition => definition::update(out, new, old),
            Kind::ValidatingAdmissionPolicy => {
                meta::object_meta_update(out, &new.metadata, &old.metadata);
                admission::policy(out, new);
            }
            Kind::ValidatingAdmissionPolicyBinding => {
                meta::object_meta_update(out, &new.metadata, &old.metadata);
                admission::binding(out, new);
            }
            Kind::ValidatingWebhookConfiguration | Kind::MutatingWebhookConfiguration => {
                meta::object_meta_update(out, &new.metadata, &old.metadata);
                webhook::configuration(out, new);
            }
            _ => meta::object_meta_update(out, &new.metadata, &old.metadata),
        },
        _ => meta::object_meta_update(out, new.meta(), old.meta()),
    }
    report.causes
}

/// What is wrong with a change of a signing request's status that comes through `part`.
#[must_use]
pub fn update_signing(old: &Stored, new: &Stored, part: &str) -> Vec<Cause> {
    let mut report = Report::default();
    let door = if part == "approval" { signing::Door::Approval } else { signing::Door::Status };
    signing::update(&mut report, new, old, Some(door));
    report.causes
}

/// What is wrong with a pod that was changed through one of its doors, `ephemeralcontainers` or `resize`.
#[must_use]
pub fn update_part(old: &Pod, new: &Pod, part: &str) -> Vec<Cause> {
    let mut report = Report::default();
    meta::common_update(&mut report, &new.metadata, &old.metadata, true);
    if part == "resize" {
        pod_parts::resize(&mut report, new, old);
    } else {
        pod_parts::ephemeral_containers(&mut report, new, old);
    }
    report.causes
}

/// What is wrong with the addresses that a Service asks for; the server looks at these before it gives any.
#[must_use]
pub fn service_addresses(service: &Service) -> Vec<Cause> {
    let mut report = Report::default();
    service::addresses(&mut report, service);
    report.causes
}

/// A kind that is only stored, or that only the server writes: its name at least must be legal.
fn metadata_only(report: &mut Report, object: &Object, rule: meta::NameRule) {
    let info = object.kind().info();
    if info.domain() == Domain::Kubernetes {
        meta::object_meta(report, object.meta(), info.scope == Scope::Namespaced, rule);
    }
}

fn with<T: DeserializeOwned>(stored: &Stored, check: impl FnOnce(&T)) {
    if let Ok(typed) = stored.typed::<T>() {
        check(&typed);
    }
}

fn with_both<T: DeserializeOwned>(new: &Stored, old: &Stored, check: impl FnOnce(&T, &T)) {
    if let (Ok(new), Ok(old)) = (new.typed::<T>(), old.typed::<T>()) {
        check(&new, &old);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn a_stateful_set_may_mount_what_its_claim_templates_promise() {
        let set = json!({"metadata": {"name": "db", "namespace": "default"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
                {"name": "c", "image": "i", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}});
        let mut set = decode::decode(Kind::StatefulSet, &set).expect("a set");
        default::apply_defaults(&mut set);
        assert_eq!(validate::create(&set), []);
    }

    #[test]
    fn a_selector_that_is_empty_is_not_one_that_is_missing() {
        let words = |selector| {
            let set = json!({"metadata": {"name": "a", "namespace": "default"}, "spec": {"selector": selector,
                "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
            let mut set = decode::decode(Kind::ReplicaSet, &set).expect("a set");
            default::apply_defaults(&mut set);
            validate::create(&set).remove(0).message
        };
        assert_eq!(words(json!({})), "Invalid value: {}: empty selector is invalid for deployment");
        assert_eq!(words(json!(null)), "Required value");
    }
}
