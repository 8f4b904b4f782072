//! What stands in the cells of a kind's table?
//!
//! THE REGISTRY of printers is [`cells`]; the columns' names, with a star where `-o wide` is needed, are `data/table-columns.txt`, recorded
//! from a real API server. Source: kubernetes `pkg/printers/internalversion/printers.go` v1.32.

mod batch;
mod network;
mod node;
mod other;
mod pod;
mod storage;
mod workload;

use api::Kind;
use jiff::Timestamp;
use serde_json::Value;

use crate::kubectl::{age, field};

pub(crate) use node::roles;
pub(crate) use other::{event_times, signing_status};
pub(crate) use pod::essence;
pub(crate) use storage::modes;

static COLUMNS: &str = include_str!("../../../../data/table-columns.txt");

/// A column's name, and whether it is shown only by `-o wide`.
pub(crate) type Column = (&'static str, bool);

/// The columns of a kind.
#[must_use]
pub(crate) fn columns(kind: Kind) -> Vec<Column> {
    let resource = kind.info().resource();
    let found = COLUMNS.lines().find_map(|line| line.strip_prefix(&resource)?.strip_prefix(": "));
    let names = found.unwrap_or("NAME,AGE");
    names.split(',').map(|n| n.strip_suffix('*').map_or((n, false), |n| (n, true))).collect()
}

/// The cells of one object, in the order of [`columns`].
#[must_use]
pub(crate) fn cells(kind: Kind, o: &Value, now: Timestamp) -> Vec<String> {
    match kind {
        Kind::Pod => pod::pod(o, now),
        Kind::Node => node::node(o, now),
        Kind::Namespace => vec![name(o), field::text(o, "status.phase").to_owned(), created(o, now)],
        Kind::Service => network::service(o, now),
        Kind::Endpoints => vec![name(o), network::endpoints(o, 3), created(o, now)],
        Kind::EndpointSlice => network::endpoint_slice(o, now),
        Kind::Ingress => network::ingress(o, now),
        Kind::IngressClass => network::ingress_class(o, now),
        Kind::NetworkPolicy => {
            vec![name(o), field::selector(field::at(o, "spec.podSelector"), "<none>"), created(o, now)]
        }
        Kind::Deployment => workload::deployment(o, now),
        Kind::ReplicaSet | Kind::ReplicationController => workload::replica_set(o, now),
        Kind::DaemonSet => workload::daemon_set(o, now),
        Kind::StatefulSet => workload::stateful_set(o, now),
        Kind::PodTemplate => workload::pod_template(o),
        Kind::ControllerRevision => workload::controller_revision(o, now),
        Kind::PodDisruptionBudget => workload::disruption_budget(o, now),
        Kind::HorizontalPodAutoscaler => workload::autoscaler(o, now),
        Kind::AutoscalerV1 => workload::autoscaler(&api::autoscaling::to_v2(o), now),
        Kind::Job => batch::job(o, now),
        Kind::CronJob => batch::cron_job(o, now),
        Kind::PersistentVolume => storage::volume(o, now),
        Kind::PersistentVolumeClaim => storage::claim(o, now),
        Kind::StorageClass => storage::class(o, now),
        Kind::CSINode => vec![name(o), field::list(o, "spec.drivers").len().to_string(), created(o, now)],
        Kind::VolumeAttachment => storage::attachment(o, now),
        Kind::CSIDriver => storage::driver(o, now),
        Kind::ValidatingWebhookConfiguration | Kind::MutatingWebhookConfiguration => {
            vec![name(o), field::list(o, "webhooks").len().to_string(), created(o, now)]
        }
        Kind::ComponentStatus => other::component_status(o),
        Kind::ConfigMap => other::config_map(o, now),
        Kind::Secret => other::secret(o, now),
        Kind::ServiceAccount => {
            vec![name(o), field::list(o, "secrets").len().to_string(), created(o, now)]
        }
        Kind::Event | Kind::EventsV1 => other::event(o, now),
        Kind::ResourceQuota => other::quota(o, now),
        Kind::Lease => vec![name(o), field::text(o, "spec.holderIdentity").to_owned(), created(o, now)],
        Kind::PriorityClass => other::priority_class(o, now),
        Kind::RuntimeClass => vec![name(o), field::text(o, "handler").to_owned(), created(o, now)],
        Kind::RoleBinding | Kind::ClusterRoleBinding => other::role_binding(o, now),
        Kind::ValidatingAdmissionPolicy => other::admission_policy(o, now),
        Kind::ValidatingAdmissionPolicyBinding => other::admission_policy_binding(o, now),
        Kind::CertificateSigningRequest => other::signing_request(o, now),
        Kind::FlowSchema => other::flow_schema(o, now),
        Kind::PriorityLevelConfiguration => other::priority_level(o, now),
        Kind::APIService => other::api_service(o, now),
        Kind::IPAddress => vec![name(o), network::parent(o)],
        Kind::ServiceCIDR => {
            let blocks: Vec<String> = field::list(o, "spec.cidrs").iter().map(field::word).collect();
            vec![name(o), blocks.join(","), created(o, now)]
        }
        Kind::Role | Kind::ClusterRole | Kind::LimitRange | Kind::CustomResourceDefinition => {
            vec![name(o), field::text(o, "metadata.creationTimestamp").to_owned()]
        }
        other => {
            // A kind without a printer of its own: every column it has but name and age stays empty.
            let cell = |(column, _): &Column| match *column {
                "NAME" => name(o),
                "AGE" => created(o, now),
                _ => "<none>".to_owned(),
            };
            columns(other).iter().map(cell).collect()
        }
    }
}

fn name(o: &Value) -> String {
    field::name(o).to_owned()
}

fn created(o: &Value, now: Timestamp) -> String {
    age::since(field::text(o, "metadata.creationTimestamp"), now)
}

fn or<'t>(text: &'t str, none: &'t str) -> &'t str {
    if text.is_empty() { none } else { text }
}
