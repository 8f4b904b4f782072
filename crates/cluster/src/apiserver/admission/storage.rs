//! What does admission add to claims and volumes?
//!
//! A finalizer that keeps them while they are in use, and the default class for a claim that names none.
//! Source: `plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass/setdefault}`, 1.34.

use api::{ApiStatus, Kind, Object};
use serde_json::{Value, json};

use super::Review;
use crate::{
    ClusterId, Store,
    controllers::{CLAIM_PROTECTION, VOLUME_PROTECTION},
};

const IS_DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";
const IS_DEFAULT_BETA: &str = "storageclass.beta.kubernetes.io/is-default-class";
const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// The class of claims that name none: of several default classes the newest, then the first by name.
pub(crate) fn default_storage_class(store: &Store, cluster: ClusterId) -> Option<String> {
    let classes = store.objects(cluster, Kind::StorageClass, None).map(|(_, it)| it);
    let is_default = |it: &&std::rc::Rc<Object>| {
        let notes = it.meta().annotations.as_ref();
        [IS_DEFAULT, IS_DEFAULT_BETA]
            .iter()
            .any(|key| notes.and_then(|it| it.get(*key)).is_some_and(|it| it == "true"))
    };
    let created = |it: &Object| it.meta().creation_timestamp.as_ref().map(|it| it.0);
    classes
        .filter(is_default)
        .min_by_key(|it| (std::cmp::Reverse(created(it)), it.name().to_owned()))
        .map(|it| it.name().to_owned())
}

pub(super) fn protect(_: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let finalizer = match object.kind() {
        Kind::PersistentVolumeClaim => CLAIM_PROTECTION,
        Kind::PersistentVolume => VOLUME_PROTECTION,
        Kind::VolumeAttributesClass => "kubernetes.io/vac-protection",
        _ => return Ok(()),
    };
    let finalizers = object.meta().finalizers.iter().flatten();
    if !finalizers.into_iter().any(|it| it == finalizer) {
        object.meta_mut().finalizers.get_or_insert_default().push(finalizer.to_owned());
    }
    Ok(())
}

pub(super) fn set_class(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Stored(claim) = object else { return Ok(()) };
    let named = claim.metadata.annotations.as_ref().is_some_and(|it| it.contains_key(BETA_CLASS));
    if named {
        return Ok(());
    }
    let Some(Value::Object(spec)) = claim.body.get_mut("spec") else { return Ok(()) };
    if spec.get("storageClassName").is_some_and(|it| !it.is_null()) {
        return Ok(());
    }
    if let Some(class) = default_storage_class(review.world.store(), review.cluster) {
        spec.insert("storageClassName".to_owned(), json!(class));
    }
    Ok(())
}
