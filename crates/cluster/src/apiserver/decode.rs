//! How does a body become an object?
//!
//! The words of decoding, defaulting and validation are the `api` crate's; here they become refusals of one request.
//! Source: apiserver `pkg/endpoints/handlers/{create,update,patch}.go`, `runtime/serializer`.

use api::{ApiStatus, Kind, Object, decode};
use serde_json::Value;

use crate::PatchKind;

/// Reads a body as `kind`; a field that the kind does not have is refused, as `kubectl` asks for it.
/// # Errors
/// 400 with the decoder's words.
pub(super) fn strict(kind: Kind, value: &Value) -> Result<Object, ApiStatus> {
    let (object, unknown) = lax(kind, value)?;
    if unknown.is_empty() {
        return Ok(object);
    }
    Err(cannot(kind, &format!("strict decoding error: {}", unknown.join(", "))))
}

/// Reads a body as `kind`, with what is said of fields that the kind does not have.
/// # Errors
/// 400 with the decoder's words.
pub(super) fn lax(kind: Kind, value: &Value) -> Result<(Object, Vec<String>), ApiStatus> {
    let decoded = decode::read(kind, value).map_err(|error| cannot(kind, &error.message))?;
    let unknown = decoded.unknown.into_iter().map(|error| error.message).collect();
    let object =
        Object::from_value(kind, decoded.value).map_err(|error| cannot(kind, &format!("json: {error}")))?;
    Ok((object, unknown))
}

fn cannot(kind: Kind, why: &str) -> ApiStatus {
    let info = kind.info();
    let (kind, version) = (info.kind, info.version);
    ApiStatus::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
}

/// Fills in what the object's version defaults.
pub(super) fn default(object: &mut Object) {
    api::default::apply_defaults(object);
}

/// Whether `object` is legal, alone or after `old`.
/// # Errors
/// 422 with every cause.
pub(super) fn validate(old: Option<&Object>, object: &Object) -> Result<(), ApiStatus> {
    let causes = match old {
        None => api::validate::create(object),
        Some(old) => api::validate::update(old, object),
    };
    if causes.is_empty() { Ok(()) } else { Err(ApiStatus::invalid(object.kind(), object.name(), causes)) }
}

/// What the server says beside its answer.
pub(super) fn warnings(object: &Object) -> Vec<String> {
    api::validate::warnings(object)
}

/// Changes an object's JSON form as the patch says.
/// # Errors
/// 400 or 422 with the server's words.
pub(super) fn patch(_kind: Kind, value: &mut Value, how: PatchKind, patch: &Value) -> Result<(), ApiStatus> {
    match how {
        PatchKind::Merge | PatchKind::Strategic => merge(value, patch),
        PatchKind::Json => return Err(super::method_not_allowed()),
    }
    Ok(())
}

/// RFC 7386.
fn merge(value: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        value.clone_from(patch);
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Value::Object(fields) = value else { return };
    for (name, patch) in patch {
        if patch.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), patch);
        }
    }
}
