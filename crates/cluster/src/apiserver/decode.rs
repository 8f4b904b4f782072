//! How does a body become an object?
//!
//! The words of decoding, defaulting and validation are the `api` crate's; here they become refusals of one request.
//! Source: apiserver `pkg/endpoints/handlers/{create,update,patch}.go`, `runtime/serializer`.

use api::{
    ApiStatus, Cause, Kind, Object,
    canonical::canonical,
    custom::Version,
    decode,
    patch::{self, PatchError},
    validate::Release,
};
use serde_json::Value;

use crate::{PatchKind, apiserver::definitions};

/// Reads a body as `kind`; a field that the kind does not have is refused, as `kubectl` asks for it.
/// # Errors
/// 400 with the decoder's words.
pub(super) fn strict(kind: Kind, version: Option<&Version>, value: &Value) -> Result<Object, ApiStatus> {
    let (object, unknown) = lax(kind, version, value)?;
    if unknown.is_empty() {
        return Ok(object);
    }
    Err(cannot(kind, &format!("strict decoding error: {}", unknown.join(", "))))
}

/// Reads a body as `kind`, with what is said of fields that the kind does not have.
/// # Errors
/// 400 with the decoder's words.
pub(super) fn lax(
    kind: Kind,
    version: Option<&Version>,
    value: &Value,
) -> Result<(Object, Vec<String>), ApiStatus> {
    if let Some(version) = version {
        let mut value = value.clone();
        let unknown = version.read(&mut value);
        let unknown = unknown.into_iter().map(|field| format!("unknown field {field:?}")).collect();
        let object =
            Object::from_value(kind, value).map_err(|error| cannot(kind, &format!("json: {error}")))?;
        return Ok((object, unknown));
    }
    let decoded = decode::read(kind, value).map_err(|error| cannot(kind, &error.message))?;
    let unknown = decoded.unknown.into_iter().map(|error| error.message).collect();
    let object = Object::from_value(kind, canonical(kind, decoded.value))
        .map_err(|error| cannot(kind, &format!("json: {error}")))?;
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
pub(super) fn validate(
    version: Option<&Version>,
    old: Option<&Object>,
    object: &Object,
) -> Result<(), ApiStatus> {
    let mut causes = match old {
        None => api::validate::create(object),
        Some(old) => api::validate::update(old, object),
    };
    if let Some(version) = version {
        causes.extend(definitions::check(version, old, object));
    }
    if causes.is_empty() { Ok(()) } else { Err(ApiStatus::invalid(object.kind(), object.name(), causes)) }
}

/// What the server says beside its answer.
pub(super) fn warnings(old: Option<&Object>, object: &Object, release: Release) -> Vec<String> {
    match old {
        None => api::validate::warnings(object, release),
        Some(old) => api::validate::warnings_on_update(old, object, release),
    }
}

/// Changes an object's JSON form as the patch says.
/// # Errors
/// 422 with the server's words.
pub(super) fn patch(kind: Kind, value: &mut Value, how: PatchKind, patch: &Value) -> Result<(), ApiStatus> {
    let changed = match how {
        PatchKind::Merge => {
            patch::json_merge(value, patch);
            Ok(())
        }
        PatchKind::Strategic => patch::strategic_merge(kind, value, patch),
        PatchKind::Json => patch::json_patch(value, patch),
        // What is applied to a subresource that is no object of its own merges as it stands.
        PatchKind::Apply { .. } => {
            patch::json_merge(value, patch);
            Ok(())
        }
    };
    changed.map_err(|error| match (how, error) {
        // UPSTREAM: what is wrong with a strategic patch is told as if the server had failed (`interpretStrategicMergePatchError`).
        (PatchKind::Strategic, PatchError::Malformed(why)) => ApiStatus::bad_request(why),
        (PatchKind::Strategic, error) => super::status(500, "", error.to_string()),
        // UPSTREAM: what is wrong with any other stays in the server's log.
        _ => super::status(422, "Invalid", "the server rejected our request due to an error in our request"),
    })
}

/// A refusal of a strategic patch after which a field would have the wrong type.
pub(super) fn mistyped(patch: &Value, error: &ApiStatus) -> ApiStatus {
    let type_ = error.message.rsplit_once("of type ").map_or("", |(_, type_)| type_);
    let message = format!("patch: Invalid value: {:?}: unrecognized type: {type_}", go(patch));
    super::status(422, "Invalid", message)
}

/// A refusal of a patch that leaves fields which the kind does not have.
pub(super) fn left_unknown(how: PatchKind, patch: &Value, patched: &Value, unknown: &[String]) -> ApiStatus {
    // UPSTREAM: a strategic patch is shown itself, of any other its result.
    let shown = match how {
        PatchKind::Strategic => go(patch),
        PatchKind::Merge | PatchKind::Json | PatchKind::Apply { .. } => api::emit::compact(patched),
    };
    let message = format!("Invalid value: {shown:?}: strict decoding error: {}", unknown.join(", "));
    let mut status = super::status(422, "Invalid", format!(" \"\" is invalid: patch: {message}"));
    let (reason, field) = ("FieldValueInvalid".to_owned(), "patch".to_owned());
    status.causes.push(Cause { reason, message, field });
    status
}

/// A value as Go prints it with `%+v`.
fn go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}:{}", go(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(go).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
