//! Is a StatefulSet legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/apps/validation`.

use serde_json::json;

use super::{
    internal,
    meta::{self, text},
    name, persistent_volume, pod,
    report::{At, Report},
    workload::{always_restarts, chooses, matches, mismatch, own_selector},
};
use crate::k8s::{
    apps::v1::{StatefulSet, StatefulSetSpec},
    core::v1::{PersistentVolumeClaimVolumeSource, PodTemplateSpec, Volume},
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn create(report: &mut Report, it: &StatefulSet) {
    meta::object_meta(report, &it.metadata, true, name::label_name);
    if let Some(spec) = &it.spec {
        self::spec(report, spec, Tolerates { old_fields: false, pods: false });
    }
}

pub(super) fn update(report: &mut Report, new: &StatefulSet, old: &StatefulSet) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let mut before = Report::default();
    spec(&mut before, old, Tolerates { old_fields: true, pods: false });
    spec(report, new, Tolerates { old_fields: true, pods: !before.causes.is_empty() });
    let kept = StatefulSetSpec {
        replicas: old.replicas,
        template: old.template.clone(),
        update_strategy: old.update_strategy.clone(),
        min_ready_seconds: old.min_ready_seconds,
        ordinals: old.ordinals.clone(),
        revision_history_limit: old.revision_history_limit,
        persistent_volume_claim_retention_policy: old.persistent_volume_claim_retention_policy.clone(),
        ..new.clone()
    };
    if !meta::same(&kept, old) {
        report.forbidden(&SPEC, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
    }
}

/// What a changed set may have wrong because it may have had it wrong before.
#[derive(Clone, Copy)]
struct Tolerates {
    /// The service's name and the claims, which cannot change.
    old_fields: bool,
    /// The pods.
    pods: bool,
}

fn spec(report: &mut Report, spec: &StatefulSetSpec, tolerates: Tolerates) {
    let at = SPEC.field("podManagementPolicy");
    match text(spec.pod_management_policy.as_ref()) {
        "OrderedReady" | "Parallel" => {}
        "" => report.required(&at, ""),
        other => report.invalid(&at, other, "must be 'OrderedReady' or 'Parallel'"),
    }
    if let Some(strategy) = &spec.update_strategy {
        let at = SPEC.field("updateStrategy");
        let shown = |it: &k8s_openapi::api::apps::v1::RollingUpdateStatefulSetStrategy| {
            internal::object(&[
                ("Partition", json!(it.partition.unwrap_or_default())),
                ("MaxUnavailable", json!(it.max_unavailable)),
            ])
        };
        match (text(strategy.type_.as_ref()), &strategy.rolling_update) {
            ("", _) => report.required(&at, ""),
            ("OnDelete", Some(rolling)) => {
                let why = "only allowed for updateStrategy 'RollingUpdate'";
                report.invalid(&at.field("rollingUpdate"), &shown(rolling), why);
            }
            ("RollingUpdate", Some(rolling)) => {
                let at = at.field("rollingUpdate");
                report.not_negative(&at.field("partition"), rolling.partition.unwrap_or_default().into());
            }
            ("OnDelete" | "RollingUpdate", None) => {}
            (other, rolling) => {
                let shown = internal::strategy(other, rolling.as_ref().map(shown));
                report.invalid(&at, &shown, "must be 'RollingUpdate' or 'OnDelete'");
            }
        }
    }
    if let Some(policy) = &spec.persistent_volume_claim_retention_policy {
        let at = SPEC.field("persistentVolumeClaimRetentionPolicy");
        for (field, value) in [("whenDeleted", &policy.when_deleted), ("whenScaled", &policy.when_scaled)] {
            let value = text(value.as_ref());
            if !matches!(value, "Retain" | "Delete") {
                report.not_supported(&at.field(field), value, &["Retain", "Delete"]);
            }
        }
    }
    let at_claims = SPEC.field("volumeClaimTemplates");
    let claims = spec.volume_claim_templates.iter().flatten();
    for (index, claim) in claims.enumerate().filter(|_| !tolerates.old_fields) {
        if let Some(spec) = &claim.spec {
            persistent_volume::claim_spec(report, spec, &at_claims.index(index).field("spec"));
        }
    }
    report.not_negative(&SPEC.field("replicas"), spec.replicas.unwrap_or_default().into());
    report.not_negative(&SPEC.field("minReadySeconds"), spec.min_ready_seconds.unwrap_or_default().into());
    if let Some(start) = spec.ordinals.as_ref().and_then(|it| it.start) {
        report.not_negative(&SPEC.field("ordinals.start"), start.into());
    }
    let service = text(spec.service_name.as_ref());
    if !tolerates.old_fields && !service.is_empty() {
        report.each_invalid(&SPEC.field("serviceName"), service, name::label(service));
    }
    own_selector(report, &spec.selector, "statefulset");
    match chooses(&spec.selector) {
        None => report.invalid(&SPEC.field("selector"), &internal::label_selector(&spec.selector), ""),
        Some(selector) => {
            if !selector.is_everything() && !matches(&selector, &spec.template) {
                mismatch(report, &spec.template);
            }
            let at = SPEC.field("template");
            if !tolerates.pods {
                pod::template(report, &template_with_claims(spec), &at);
            }
            // UPSTREAM: its metadata is looked at by itself too; what is wrong there is said twice.
            pod::template_metadata(report, &spec.template, &at);
        }
    }
    always_restarts(report, &spec.template, "StatefulSet");
}

/// The template as its pods will have it: a volume for each claim; names in the network come with the pod.
fn template_with_claims(spec: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = spec.template.clone();
    let Some(pod) = &mut template.spec else { return template };
    pod.subdomain = None;
    pod.hostname = None;
    let mut volumes: Vec<Volume> = Vec::new();
    for claim in spec.volume_claim_templates.iter().flatten() {
        let named = text(claim.metadata.name.as_ref()).to_owned();
        if volumes.iter().any(|it| it.name == named) {
            continue;
        }
        let source = PersistentVolumeClaimVolumeSource { claim_name: named.clone(), read_only: None };
        volumes.push(Volume { name: named, persistent_volume_claim: Some(source), ..Volume::default() });
    }
    if !volumes.is_empty() {
        let own = pod.volumes.take().unwrap_or_default();
        let claimed: Vec<String> = volumes.iter().map(|it| it.name.clone()).collect();
        volumes.extend(own.into_iter().filter(|it| !claimed.contains(&it.name)));
        pod.volumes = Some(volumes);
    }
    template
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn the_pods_of_a_set_are_looked_at_with_the_volumes_of_its_claims() {
        let set = json!({"metadata": {"name": "db", "namespace": "default"}, "spec": {
            "selector": {"matchLabels": {"a": "b"}}, "serviceName": "A",
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [
                {"name": "c", "image": "i", "volumeMounts": [
                    {"name": "data", "mountPath": "/d"}, {"name": "logs", "mountPath": "/l"}]}]}},
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}});
        let mut set = decode::decode(Kind::StatefulSet, &set).expect("a set");
        default::apply_defaults(&mut set);
        let causes = validate::create(&set);
        let fields: Vec<&str> = causes.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["spec.serviceName", "spec.template.spec.containers[0].volumeMounts[1].name"]);
        assert_eq!(causes[1].message, "Not found: \"logs\"");
    }
}
