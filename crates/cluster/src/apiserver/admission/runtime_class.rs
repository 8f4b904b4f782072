//! What does a pod get from the runtime class that it names?
//!
//! The overhead, which is nobody else's to set, and where such pods may run. Source:
//! `plugin/pkg/admission/runtimeclass`, `pkg/util/tolerations`, 1.34.

use api::{
    ApiStatus, Kind, Object,
    k8s::{
        core::v1::{PodSpec, Toleration},
        node::v1::{RuntimeClass, Scheduling},
    },
};

use super::Review;
use crate::{Key, apiserver::forbidden};

const DIFFERS: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/// Whether a pod names a runtime class, or says what one would say.
pub(super) fn concerns(object: &Object) -> bool {
    let Object::Pod(pod) = object else { return false };
    pod.spec.as_ref().is_some_and(|spec| spec.runtime_class_name.is_some() || spec.overhead.is_some())
}

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let class = class_of(review, object)?;
    let refuse = |name: &str, why: &str| Err(forbidden(Kind::Pod, name, why));
    let name = object.name().to_owned();
    let (Some(class), Object::Pod(pod)) = (class, object) else { return Ok(()) };
    let spec = pod.spec.get_or_insert_default();
    if let Some(overhead) = class.overhead {
        let given = spec.overhead.as_ref().filter(|it| !it.is_empty());
        if given.is_some_and(|given| Some(given) != overhead.pod_fixed.as_ref()) {
            return refuse(&name, DIFFERS);
        }
        spec.overhead = overhead.pod_fixed;
    }
    match class.scheduling {
        Some(scheduling) => schedule(spec, scheduling).or_else(|why| refuse(&name, &why)),
        None => Ok(()),
    }
}

pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let class = class_of(review, object)?;
    let Object::Pod(pod) = object else { return Ok(()) };
    let given = pod.spec.as_ref().and_then(|spec| spec.overhead.as_ref());
    match class.and_then(|class| class.overhead) {
        Some(overhead) if given != overhead.pod_fixed.as_ref() => {
            Err(forbidden(Kind::Pod, object.name(), DIFFERS))
        }
        None if given.is_some() => {
            let why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";
            Err(forbidden(Kind::Pod, object.name(), why))
        }
        Some(_) | None => Ok(()),
    }
}

fn class_of(review: &Review<'_>, object: &Object) -> Result<Option<RuntimeClass>, ApiStatus> {
    let Object::Pod(pod) = object else { return Ok(None) };
    let named = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_deref());
    let Some(named) = named.filter(|named| !named.is_empty()) else { return Ok(None) };
    let key = Key::new(review.cluster, Kind::RuntimeClass, "", named);
    match review.world.store().object(&key).map(|it| &**it) {
        Some(Object::Stored(class)) => Ok(class.typed().ok()),
        _ => {
            let why = format!("pod rejected: RuntimeClass \"{named}\" not found");
            Err(forbidden(Kind::Pod, object.name(), &why))
        }
    }
}

/// Adds where pods of the class may run to where this one may.
fn schedule(spec: &mut PodSpec, scheduling: Scheduling) -> Result<(), String> {
    for (key, value) in scheduling.node_selector.into_iter().flatten() {
        let selector = spec.node_selector.get_or_insert_default();
        if let Some(own) = selector.get(&key).filter(|own| **own != value) {
            return Err(format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own}"
            ));
        }
        selector.insert(key, value);
    }
    let mut all = spec.tolerations.take().unwrap_or_default();
    all.extend(scheduling.tolerations.into_iter().flatten());
    spec.tolerations = Some(merged(&all)).filter(|it| !it.is_empty());
    Ok(())
}

/// The tolerations without those that another one covers; of equal ones the first.
fn merged(all: &[Toleration]) -> Vec<Toleration> {
    let mut out: Vec<Toleration> = Vec::new();
    for (n, one) in all.iter().enumerate() {
        let before = out.iter().any(|it| covers(it, one));
        let after = all.iter().skip(n + 1).any(|it| it != one && covers(it, one));
        if !before && !after {
            out.push(one.clone());
        }
    }
    out
}

fn covers(wide: &Toleration, one: &Toleration) -> bool {
    fn text(field: Option<&String>) -> &str {
        field.map_or("", String::as_str)
    }
    if wide == one {
        return true;
    }
    let (key, operator) = (text(wide.key.as_ref()), text(wide.operator.as_ref()));
    let effect = text(wide.effect.as_ref());
    if text(one.key.as_ref()) != key && (!key.is_empty() || operator != "Exists") {
        return false;
    }
    if !effect.is_empty() && text(one.effect.as_ref()) != effect {
        return false;
    }
    if let Some(most) = wide.toleration_seconds.filter(|_| effect == "NoExecute")
        && one.toleration_seconds.is_none_or(|seconds| seconds > most)
    {
        return false;
    }
    match operator {
        "Equal" | "" => {
            text(one.operator.as_ref()) == "Equal" && text(one.value.as_ref()) == text(wide.value.as_ref())
        }
        "Exists" => true,
        _ => false,
    }
}
