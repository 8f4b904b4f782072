//! Which class has an Ingress that names none, and is there the runtime class that a pod names?
//!
//! Source: `plugin/pkg/admission/network/defaultingressclass`, `plugin/pkg/admission/runtimeclass`, 1.34. MODEL: what a runtime
//! class says of overhead and scheduling is not taken over.

use api::{ApiStatus, Kind, Object};
use serde_json::json;

use super::Review;
use crate::{Key, apiserver::forbidden};

const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
const BY_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// Gives a new Ingress the default class; of several the newest, then the first by name.
pub(super) fn ingress(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Stored(ingress) = object else { return Ok(()) };
    let named = ingress.metadata.annotations.as_ref().is_some_and(|it| it.contains_key(BY_ANNOTATION));
    let has = ingress.body.get("spec").and_then(|spec| spec.get("ingressClassName"));
    if named || has.is_some_and(|class| !class.is_null()) {
        return Ok(());
    }
    let classes = review.world.store().objects(review.cluster, Kind::IngressClass, None);
    let marked = classes.map(|(_, class)| class).filter(|class| {
        let notes = class.meta().annotations.as_ref();
        notes.and_then(|it| it.get(IS_DEFAULT)).is_some_and(|it| it == "true")
    });
    let age = |class: &Object| class.meta().creation_timestamp.as_ref().map(|it| it.0);
    let chosen = marked.min_by_key(|class| (std::cmp::Reverse(age(class)), class.name().to_owned()));
    if let Some(class) = chosen {
        ingress.body.entry("spec").or_insert_with(|| json!({}))["ingressClassName"] = json!(class.name());
    }
    Ok(())
}

/// Whether a pod names a runtime class at all.
pub(super) fn is_named(object: &Object) -> bool {
    matches!(object, Object::Pod(pod) if pod.spec.as_ref().is_some_and(|spec| spec.runtime_class_name.is_some()))
}

/// Refuses a pod whose runtime class is not there.
pub(super) fn runtime(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Pod(pod) = &*object else { return Ok(()) };
    let named = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_deref()).unwrap_or_default();
    let key = Key::new(review.cluster, Kind::RuntimeClass, "", named);
    if named.is_empty() || review.world.store().object(&key).is_some() {
        return Ok(());
    }
    Err(forbidden(Kind::Pod, object.name(), &format!("pod rejected: RuntimeClass \"{named}\" not found")))
}
