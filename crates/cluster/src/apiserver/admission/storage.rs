//! What does admission add to claims and volumes?
//!
//! A finalizer that keeps them while they are in use, and the default class for a claim that names none.
//! Source: `plugin/pkg/admission/storage/{storageobjectinuseprotection,storageclass/setdefault}`, 1.34.

use api::{ApiStatus, Kind, Object, quantity::Quantity};
use serde_json::{Value, json};

use super::Review;
use crate::{
    ClusterId, Store,
    apiserver::forbidden,
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

fn asked(claim: &Object) -> Option<Quantity> {
    let Object::Stored(claim) = claim else { return None };
    let size = claim.body.get("spec")?.pointer("/resources/requests/storage")?;
    let text = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
    Quantity::parse(&text).ok()
}

/// Whether a claim asks for more than it did.
pub(super) fn grows(review: &Review<'_>, object: &Object) -> bool {
    let is_claim = object.kind() == Kind::PersistentVolumeClaim && review.part.is_empty();
    is_claim && review.old.is_some_and(|old| asked(old).is_some_and(|had| asked(object) > Some(had)))
}

/// Only what is bound may grow, and only where its class allows it.
/// Source: `plugin/pkg/admission/storage/persistentvolume/resize`.
pub(super) fn resize(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let Object::Stored(claim) = object else { return Ok(()) };
    let field = |path: &str| {
        let (part, rest) = path.split_once('/').unwrap_or((path, ""));
        claim.body.get(part).and_then(|it| it.get(rest)).and_then(Value::as_str).unwrap_or_default()
    };
    let refused = |why: &str| Err(forbidden(object.kind(), object.name(), why));
    if field("status/phase") != "Bound" {
        return refused("Only bound persistent volume claims can be expanded");
    }
    let named = claim.metadata.annotations.as_ref().and_then(|it| it.get(BETA_CLASS));
    let class = named.map_or_else(|| field("spec/storageClassName"), String::as_str);
    let key = crate::Key::new(review.cluster, Kind::StorageClass, "", class);
    let allows = match review.world.store().object(&key).map(|it| &**it) {
        Some(Object::Stored(class)) => class.body.get("allowVolumeExpansion") == Some(&Value::Bool(true)),
        _ => false,
    };
    if allows {
        return Ok(());
    }
    refused(
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    )
}
