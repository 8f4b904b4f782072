//! Who is the pod with this ordinal?
//!
//! Its name, host name, labels and claims follow from the set and the number alone.
//! Source: `pkg/controller/statefulset/stateful_set_utils.go`.

use api::{
    Kind, Resource, Stored,
    k8s::{
        apps::v1::StatefulSet,
        core::v1::{PersistentVolumeClaimVolumeSource, Pod, PodTemplateSpec, Volume},
    },
    meta::{ObjectMeta, OwnerReference},
};
use serde_json::Value;

use super::super::{managed_by, pod_from, revision::HASH_LABEL};

const NAME_LABEL: &str = "statefulset.kubernetes.io/pod-name";
const INDEX_LABEL: &str = "apps.kubernetes.io/pod-index";

/// The set and the number in a pod's name; `None` for other names.
pub(super) fn of_name(name: &str) -> Option<(&str, i64)> {
    let (set, ordinal) = name.rsplit_once('-')?;
    let digits = !ordinal.is_empty() && ordinal.bytes().all(|it| it.is_ascii_digit());
    Some((set, ordinal.parse::<i32>().ok().filter(|_| digits)?.into()))
}

/// A pod's number; -1 if its name has none.
pub(super) fn ordinal(pod: &Pod) -> i64 {
    of_name(pod.metadata.name.as_deref().unwrap_or_default()).map_or(-1, |(_, ordinal)| ordinal)
}

/// The revision that a pod was made of.
pub(super) fn revision(pod: &Pod) -> &str {
    pod.metadata.labels.as_ref().and_then(|all| all.get(HASH_LABEL)).map_or("", String::as_str)
}

/// The pod of an ordinal, made of a revision.
pub(super) fn pod(set: &StatefulSet, ordinal: i64, (name, data): (&str, &Value)) -> Pod {
    let template = data.pointer("/spec/template").cloned().unwrap_or_default();
    let template: PodTemplateSpec = serde_json::from_value(template).unwrap_or_default();
    let meta = &set.metadata;
    let set_name = meta.name.as_deref().unwrap_or_default();
    let mut pod =
        pod_from(&template, meta.namespace.as_deref().unwrap_or_default(), set_name, managed_by(set));
    let own = format!("{set_name}-{ordinal}");
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(NAME_LABEL.to_owned(), own.clone());
    labels.insert(INDEX_LABEL.to_owned(), ordinal.to_string());
    labels.insert(HASH_LABEL.to_owned(), name.to_owned());
    pod.metadata.name = Some(own.clone());
    let service = set.spec.as_ref().and_then(|it| it.service_name.clone());
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(own);
    spec.subdomain = service.filter(|it| !it.is_empty());
    let claims = claims(set, ordinal);
    let others = spec.volumes.take().unwrap_or_default();
    let of_claim = |(template, claim): &(String, Stored)| Volume {
        name: template.clone(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim.metadata.name.clone().unwrap_or_default(),
            read_only: None,
        }),
        ..Volume::default()
    };
    let replaced = |it: &Volume| claims.iter().any(|(template, _)| *template == it.name);
    let volumes: Vec<Volume> =
        claims.iter().map(of_claim).chain(others.into_iter().filter(|it| !replaced(it))).collect();
    spec.volumes = (!volumes.is_empty()).then_some(volumes);
    pod
}

/// The claims of an ordinal, each with the name of its template.
pub(super) fn claims(set: &StatefulSet, ordinal: i64) -> Vec<(String, Stored)> {
    let Some(spec) = &set.spec else { return Vec::new() };
    let set_name = set.metadata.name.as_deref().unwrap_or_default();
    let of = |template: &api::k8s::core::v1::PersistentVolumeClaim| {
        let name = template.metadata.name.clone().unwrap_or_default();
        let value = serde_json::to_value(template).ok()?;
        let mut claim = Stored::from_value(Kind::PersistentVolumeClaim, value).ok()?;
        let mut labels = template.metadata.labels.clone().unwrap_or_default();
        labels.extend(spec.selector.match_labels.clone().unwrap_or_default());
        claim.metadata = ObjectMeta {
            name: Some(format!("{name}-{set_name}-{ordinal}")),
            namespace: set.metadata.namespace.clone(),
            labels: (!labels.is_empty()).then_some(labels),
            annotations: template.metadata.annotations.clone(),
            ..ObjectMeta::default()
        };
        claim.body.remove("status");
        Some((name, claim))
    };
    spec.volume_claim_templates.iter().flatten().filter_map(of).collect()
}

/// Who owns a pod's claims, by the set's retention policy: whoever takes them along when it goes.
pub(super) fn owner_of_claims(set: &StatefulSet, pod: &Pod, condemned: bool) -> Option<OwnerReference> {
    let policy = set.spec.as_ref().and_then(|it| it.persistent_volume_claim_retention_policy.as_ref())?;
    let deletes = |word: Option<&String>| word.is_some_and(|it| it == "Delete");
    let owner = if condemned && deletes(policy.when_scaled.as_ref()) {
        managed_by(pod)
    } else if deletes(policy.when_deleted.as_ref()) {
        managed_by(set)
    } else {
        return None;
    };
    Some(owner)
}

/// Whether a pod belongs to a set by its name.
pub(super) fn is_named_after(pod: &Pod, set: &StatefulSet) -> bool {
    let name = pod.meta().name.as_deref().unwrap_or_default();
    of_name(name).is_some_and(|(parent, _)| Some(parent) == set.metadata.name.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_at_the_end_of_a_name_is_an_ordinal() {
        assert_eq!(of_name("db-0"), Some(("db", 0)));
        assert_eq!(of_name("a-b-12"), Some(("a-b", 12)));
        assert_eq!(of_name("db-x1"), None);
        assert_eq!(of_name("db-+1"), None);
        assert_eq!(of_name("db"), None);
    }
}
