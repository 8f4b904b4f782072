//! How does a new object come into the store?
//!
//! Source: apiserver `pkg/registry/rest/create.go` and the kinds' strategies (`PrepareForCreate`).

use std::rc::Rc;

use api::{ApiStatus, Kind, Object, Scope};
use serde_json::Value;

use crate::{
    apiserver::{Call, admission, allocate, decode, definitions, names, owners},
    request::Stage,
};

/// Creates from a request's body.
pub(super) fn decoded(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    value: &Value,
) -> Result<Rc<Object>, ApiStatus> {
    call.enter(Stage::Decoding, "");
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let mut object = decode::strict(kind, version.as_ref(), value)?;
    if let (Some(version), Object::Stored(stored)) = (&version, &mut object)
        && version.has_status
    {
        stored.body.remove("status");
    }
    if !name.is_empty() && object.meta().name.is_none() {
        object.meta_mut().name = Some(name.to_owned());
    }
    create(call, namespace, object)
}

/// Creates an object that is one already.
pub(super) fn create(
    call: &mut Call<'_>,
    namespace: &str,
    mut object: Object,
) -> Result<Rc<Object>, ApiStatus> {
    let kind = object.kind();
    match_namespace(&mut object, namespace)?;
    call.see(&object);
    decode::default(&mut object);
    call.changed(&object);
    owners::note(call, None, &mut object, "");
    if definitions::definition(call.world.store(), call.cluster, kind).is_some_and(|it| it.going) {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(super::forbidden(kind, object.name(), why));
    }
    admission::mutate(call, None, &mut object, "")?;
    call.no_escalation(&object, None)?;
    call.enter(Stage::Validation, "");
    prepare(call, &mut object)?;
    allocate::on_create(call, &mut object)?;
    call.named(object.name());
    let version = definitions::version(call.world.store(), call.cluster, kind);
    decode::validate(version.as_ref(), None, &object)?;
    for warning in decode::warnings(None, &object, super::release(call.world, call.cluster)) {
        call.warn(&warning);
    }
    call.changed(&object);
    admission::validate(call, None, &object, "")?;
    let key = call.key(kind, object.namespace(), object.name());
    call.enter(Stage::Storage, "");
    if call.world.store().object(&key).is_some() {
        let mut status = ApiStatus::already_exists(kind, object.name());
        if call.world.store().object(&key).is_some_and(|it| it.meta().deletion_timestamp.is_some()) {
            status.message = format!("object is being deleted: {}", status.message);
        }
        return Err(status);
    }
    // UPSTREAM: defaults come again when an object is read back, in a dry run too: the phase of a claim, the labels that
    // a Job's template has got meanwhile, which are its own if it has none.
    decode::default(&mut object);
    if call.is_asked() {
        object = decode::stored_form(object);
    }
    Ok(call.write(object))
}

fn match_namespace(object: &mut Object, namespace: &str) -> Result<(), ApiStatus> {
    if object.kind().info().scope != Scope::Namespaced {
        object.meta_mut().namespace = None;
        return Ok(());
    }
    match object.namespace() {
        "" => object.meta_mut().namespace = Some(namespace.to_owned()),
        own if own == namespace => {}
        _ => {
            return Err(ApiStatus::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}

/// Fills in what only the server may say.
fn prepare(call: &mut Call<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let kind = object.kind();
    let meta = object.meta();
    if meta.name.as_deref().unwrap_or_default().is_empty()
        && let Some(base) = meta.generate_name.clone().filter(|base| !base.is_empty())
    {
        let name = names::generate(call.world, call.cluster, kind, object.namespace(), &base)?;
        object.meta_mut().name = Some(name);
    }
    // UPSTREAM: alone among kinds it gets a name if it has none. Source: `pkg/registry/core/limitrange/strategy.go`.
    if kind == Kind::LimitRange && object.name().is_empty() {
        let unnamed = call.key(kind, object.namespace(), "");
        object.meta_mut().name = Some(names::uid_of(call.world, &unnamed));
    }
    let key = call.key(kind, object.namespace(), object.name());
    let uid = names::uid_of(call.world, &key);
    let stamp = call.world.stamp(call.world.now());
    let meta = object.meta_mut();
    meta.uid = Some(uid);
    meta.creation_timestamp = Some(stamp.clone());
    meta.deletion_timestamp = None;
    meta.deletion_grace_period_seconds = None;
    meta.resource_version = None;
    meta.self_link = None;
    if kind == Kind::Namespace {
        meta.labels
            .get_or_insert_default()
            .insert("kubernetes.io/metadata.name".to_owned(), key.name.to_string());
    }
    // Who asks for a certificate is not theirs to say.
    if let (Object::Stored(request), Some(who)) = (&mut *object, call.who())
        && kind == Kind::CertificateSigningRequest
        && let Some(spec) = request.body.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.retain(|field, _| !matches!(field.as_str(), "uid" | "extra"));
        spec.insert("username".to_owned(), who.user.as_str().into());
        spec.insert("groups".to_owned(), who.groups.clone().into());
    }
    api::default::prepare_for_create(object, &stamp);
    Ok(())
}
