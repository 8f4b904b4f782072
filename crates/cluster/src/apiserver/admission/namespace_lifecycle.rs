//! Is there a namespace to put it in, and may this one go?
//!
//! Source: apiserver `pkg/admission/plugin/namespace/lifecycle`.

use api::{ApiStatus, Kind, Object, k8s::core::v1::Namespace};

use super::Review;
use crate::apiserver::forbidden;

/// Namespaces that may not be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let name = object.namespace();
    let Some(namespace) = review.world.store().get::<Namespace>(review.cluster, "", name) else {
        return Err(ApiStatus::not_found(Kind::Namespace, name));
    };
    if namespace.metadata.deletion_timestamp.is_some() {
        let why = format!("unable to create new content in namespace {name} because it is being terminated");
        let named = object.name();
        let named =
            if named.is_empty() { object.meta().generate_name.as_deref().unwrap_or_default() } else { named };
        return Err(forbidden(object.kind(), named, &why));
    }
    Ok(())
}

pub(super) fn validate_delete(object: &Object) -> Result<(), ApiStatus> {
    if object.kind() == Kind::Namespace && IMMORTAL.contains(&object.name()) {
        return Err(forbidden(Kind::Namespace, object.name(), "this namespace may not be deleted"));
    }
    Ok(())
}
