//! Does a pod keep to the Pod Security Standard of its namespace?
//!
//! The namespace's labels name a level and a version for three modes. `enforce` refuses pods, `warn` speaks to whoever
//! writes a pod or the template of one, `audit` goes to the audit log, which the lab does not keep. A namespace whose
//! enforced level changes is told which of its pods would not be let in again.
//! Source: `k8s.io/pod-security-admission` v0.34 and later, `admission/admission.go`.

mod baseline;
mod check;
mod policy;
mod restricted;

use std::collections::BTreeMap;

use api::{
    ApiStatus, Kind, Object,
    k8s::core::v1::{Namespace, Pod, PodSpec, PodTemplate, PodTemplateSpec, ReplicationController},
};

use self::{
    check::{Subject, Violation},
    policy::{Level, Policy, Standard},
};
use super::Review;
use crate::apiserver::{forbidden, release};

/// Objects to a write, and says what else there is to say of it.
/// Whether it looks at such an object: a pod, what has a template of one, a namespace.
pub(super) fn concerns(object: &Object) -> bool {
    matches!(object, Object::Namespace(_) | Object::Pod(_)) || has_template(object.kind())
}

pub(super) fn validate(
    review: &Review<'_>,
    object: &Object,
    warnings: &mut Vec<String>,
) -> Result<(), ApiStatus> {
    match object {
        Object::Namespace(namespace) if review.part.is_empty() => of_namespace(review, namespace, warnings),
        Object::Namespace(_) => Ok(()),
        Object::Pod(pod) => of_pod(review, pod, warnings),
        _ => {
            of_template(review, object, warnings);
            Ok(())
        }
    }
}

fn of_pod(review: &Review<'_>, pod: &Pod, warnings: &mut Vec<String>) -> Result<(), ApiStatus> {
    let Some(policy) = policy_of(review, pod.metadata.namespace.as_deref()) else { return Ok(()) };
    if let Some(Object::Pod(old)) = review.old
        && !is_significant(pod, old)
    {
        return Ok(());
    }
    let Some(spec) = &pod.spec else { return Ok(()) };
    let subject = Subject { meta: &pod.metadata, spec };
    let found = violations(review, policy.enforce, &subject);
    if !found.is_empty() {
        let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, details(&found));
        return Err(forbidden(Kind::Pod, pod.metadata.name.as_deref().unwrap_or_default(), &why));
    }
    warn(review, policy.warn, &subject, warnings);
    Ok(())
}

fn of_template(review: &Review<'_>, object: &Object, warnings: &mut Vec<String>) {
    if !review.part.is_empty() {
        return;
    }
    let Some(policy) = policy_of(review, Some(object.namespace())) else { return };
    if policy.warn.level == Level::Privileged {
        return;
    }
    let Some(template) = template(object) else { return };
    let meta = template.metadata.unwrap_or_default();
    let spec = template.spec.unwrap_or_default();
    warn(review, policy.warn, &Subject { meta: &meta, spec: &spec }, warnings);
}

fn warn(review: &Review<'_>, standard: Standard, subject: &Subject<'_>, warnings: &mut Vec<String>) {
    let found = violations(review, standard, subject);
    if !found.is_empty() {
        warnings.push(format!("would violate PodSecurity \"{standard}\": {}", details(&found)));
    }
}

/// What the labels of a namespace ask for; `None` where they ask for nothing.
fn policy_of(review: &Review<'_>, namespace: Option<&str>) -> Option<Policy> {
    let namespace = review.world.store().get::<Namespace>(review.cluster, "", namespace?)?;
    let (policy, wrong) = Policy::of(namespace.metadata.labels.as_ref());
    (!wrong.is_empty() || !policy.is_privileged()).then_some(policy)
}

fn of_namespace(
    review: &Review<'_>,
    namespace: &Namespace,
    warnings: &mut Vec<String>,
) -> Result<(), ApiStatus> {
    let (new, wrong) = Policy::of(namespace.metadata.labels.as_ref());
    let name = namespace.metadata.name.as_deref().unwrap_or_default();
    let old = match review.old {
        Some(Object::Namespace(old)) => Some(Policy::of(old.metadata.labels.as_ref())),
        _ => None,
    };
    let was_wrong = old.as_ref().is_some_and(|(_, before)| *before == wrong);
    if !wrong.is_empty() && !was_wrong {
        return Err(ApiStatus::invalid(Kind::Namespace, name, wrong));
    }
    let Some((old, _)) = old else { return Ok(()) };
    let is_relaxed = new.enforce.version == old.enforce.version && new.enforce.level <= old.enforce.level;
    if new.enforce.level != Level::Privileged && !is_relaxed {
        warnings.extend(of_existing_pods(review, name, new.enforce));
    }
    Ok(())
}

/// What is said of the pods that are there when the enforced level changes.
fn of_existing_pods(review: &Review<'_>, namespace: &str, enforce: Standard) -> Vec<String> {
    let mut by_reason: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for pod in review.world.store().list::<Pod>(review.cluster, Some(namespace)) {
        let spec = pod.spec.clone().unwrap_or_default();
        let found = violations(review, enforce, &Subject { meta: &pod.metadata, spec: &spec });
        if found.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = found.iter().map(|violation| violation.reason.as_str()).collect();
        // Pods come by name, so the first one seen is the first by name.
        let name = pod.metadata.name.clone().unwrap_or_default();
        by_reason.entry(reasons.join(", ")).or_insert((name, 0)).1 += 1;
    }
    let mut lines: Vec<String> = by_reason
        .into_iter()
        .map(|(reasons, (pod, count))| match count {
            1 => format!("{pod}: {reasons}"),
            2 => format!("{pod} (and 1 other pod): {reasons}"),
            _ => format!("{pod} (and {} other pods): {reasons}", count - 1),
        })
        .collect();
    lines.sort();
    if !lines.is_empty() {
        let first = format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{enforce}\""
        );
        lines.insert(0, first);
    }
    lines
}

fn violations(review: &Review<'_>, standard: Standard, subject: &Subject<'_>) -> Vec<Violation> {
    check::run(standard, release(review.world, review.cluster).minor, subject)
}

/// `reason (detail), reason (detail)`.
fn details(found: &[Violation]) -> String {
    let one = |it: &Violation| format!("{} ({})", it.reason, it.detail);
    found.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Whether an update touches what the standards look at and may change: a container's image, or a new container.
fn is_significant(new: &Pod, old: &Pod) -> bool {
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return true };
    let images = |spec: &PodSpec| {
        let own: Vec<_> = spec.containers.iter().map(|c| c.image.clone()).collect();
        let init: Vec<_> = spec.init_containers.iter().flatten().map(|c| c.image.clone()).collect();
        (own, init)
    };
    let had = |name: &str, image: &Option<String>| {
        old.ephemeral_containers.iter().flatten().any(|c| c.name == name && c.image == *image)
    };
    images(new) != images(old) || new.ephemeral_containers.iter().flatten().any(|c| !had(&c.name, &c.image))
}

/// Whether objects of this kind carry the template of a pod.
fn has_template(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ReplicationController
            | Kind::PodTemplate
            | Kind::ReplicaSet
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
    )
}

fn template(object: &Object) -> Option<PodTemplateSpec> {
    match object {
        Object::ReplicaSet(it) => it.spec.as_ref()?.template.clone(),
        Object::Deployment(it) => Some(it.spec.as_ref()?.template.clone()),
        Object::StatefulSet(it) => Some(it.spec.as_ref()?.template.clone()),
        Object::DaemonSet(it) => Some(it.spec.as_ref()?.template.clone()),
        Object::Job(it) => it.spec.as_ref().map(|it| it.template.clone()),
        Object::CronJob(it) => Some(it.spec.as_ref()?.job_template.spec.as_ref()?.template.clone()),
        Object::Stored(it) => match it.kind {
            Kind::PodTemplate => it.typed::<PodTemplate>().ok()?.template,
            Kind::ReplicationController => it.typed::<ReplicationController>().ok()?.spec?.template,
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
