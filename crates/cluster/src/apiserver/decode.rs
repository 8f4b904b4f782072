//! How does a body become an object?
//!
//! The words of decoding, defaulting and validation are the `api` crate's; here they become refusals of one request.
//! Source: apiserver `pkg/endpoints/handlers/create.go`, `runtime/serializer`.

use api::{ApiStatus, Kind, Object};
use serde_json::Value;

use crate::PatchKind;

/// Reads a body as `kind`, strictly, and fills in what its version defaults.
/// # Errors
/// 400 with the decoder's words.
pub(super) fn decode(kind: Kind, value: Value) -> Result<Object, ApiStatus> {
    let info = kind.info();
    let cannot = |why: String| {
        ApiStatus::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {why}",
            info.kind, info.version, info.kind
        ))
    };
    let object = Object::from_value(kind, value).map_err(|error| cannot(error.to_string()))?;
    Ok(object)
}

/// Fills in what the object's version defaults.
pub(super) fn default(_object: &mut Object) {}

/// Whether `object` is legal, alone or after `old`.
/// # Errors
/// 422 with every cause.
pub(super) fn validate(_old: Option<&Object>, _object: &Object) -> Result<(), ApiStatus> {
    Ok(())
}

/// What the server says beside its answer.
pub(super) fn warnings(_object: &Object) -> Vec<String> {
    Vec::new()
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
