//! Which class has an Ingress that names none?
//!
//! Source: `plugin/pkg/admission/network/defaultingressclass`, 1.34.

use api::{ApiStatus, Kind, Object};
use serde_json::json;

use super::Review;

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
