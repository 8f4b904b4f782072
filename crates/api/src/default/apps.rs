//! What do Deployments, ReplicaSets, DaemonSets and StatefulSets get that do not ask for it?

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{blank_to, pod::pod_spec, storage};
use crate::k8s::{
    apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet},
    core::v1::{PodTemplate, PodTemplateSpec, ReplicationController},
};

pub(super) fn template(template: &mut PodTemplateSpec) {
    pod_spec(template.spec.get_or_insert_default());
}

pub(super) fn deployment(deployment: &mut Deployment) {
    let spec = deployment.spec.get_or_insert_default();
    spec.replicas.get_or_insert(1);
    spec.revision_history_limit.get_or_insert(10);
    spec.progress_deadline_seconds.get_or_insert(600);
    let strategy = spec.strategy.get_or_insert_default();
    blank_to(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = strategy.rolling_update.get_or_insert_default();
        rolling.max_unavailable.get_or_insert_with(|| IntOrString::String("25%".to_owned()));
        rolling.max_surge.get_or_insert_with(|| IntOrString::String("25%".to_owned()));
    }
    template(&mut spec.template);
}

pub(super) fn replica_set(replica_set: &mut ReplicaSet) {
    let spec = replica_set.spec.get_or_insert_default();
    spec.replicas.get_or_insert(1);
    template(spec.template.get_or_insert_default());
}

pub(super) fn daemon_set(daemon_set: &mut DaemonSet) {
    let spec = daemon_set.spec.get_or_insert_default();
    spec.revision_history_limit.get_or_insert(10);
    let strategy = spec.update_strategy.get_or_insert_default();
    blank_to(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = strategy.rolling_update.get_or_insert_default();
        rolling.max_unavailable.get_or_insert(IntOrString::Int(1));
        rolling.max_surge.get_or_insert(IntOrString::Int(0));
    }
    template(&mut spec.template);
}

pub(super) fn stateful_set(stateful_set: &mut StatefulSet) {
    let spec = stateful_set.spec.get_or_insert_default();
    blank_to(&mut spec.pod_management_policy, "OrderedReady");
    let strategy = spec.update_strategy.get_or_insert_default();
    if super::blank(strategy.type_.as_ref()) {
        strategy.type_ = Some("RollingUpdate".to_owned());
        strategy.rolling_update.get_or_insert_default();
    }
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        strategy.rolling_update.get_or_insert_default().partition.get_or_insert(0);
    }
    let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
    blank_to(&mut retention.when_deleted, "Retain");
    blank_to(&mut retention.when_scaled, "Retain");
    spec.replicas.get_or_insert(1);
    spec.revision_history_limit.get_or_insert(10);
    template(&mut spec.template);
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        storage::persistent_volume_claim(claim);
    }
}

pub(super) fn replication_controller(controller: &mut ReplicationController) {
    let spec = controller.spec.get_or_insert_default();
    let labels = spec.template.as_ref().and_then(|it| it.metadata.as_ref()).and_then(|it| it.labels.clone());
    if let Some(labels) = labels {
        if spec.selector.as_ref().is_none_or(std::collections::BTreeMap::is_empty) {
            spec.selector = Some(labels.clone());
        }
        if controller.metadata.labels.as_ref().is_none_or(std::collections::BTreeMap::is_empty) {
            controller.metadata.labels = Some(labels);
        }
    }
    spec.replicas.get_or_insert(1);
    if let Some(it) = &mut spec.template {
        template(it);
    }
}

pub(super) fn pod_template(it: &mut PodTemplate) {
    template(it.template.get_or_insert_default());
}
