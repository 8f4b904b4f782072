//! How does a body become an object?
//!
//! The words of decoding, defaulting and validation are the `api` crate's; here they become refusals of one request.
//! Source: apiserver `pkg/endpoints/handlers/{create,update,patch}.go`, `runtime/serializer`.

use api::{
    ApiStatus, Cause, Kind, Object,
    canonical::{as_given, canonical},
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
    let object = Object::from_value(kind, as_given(kind, decoded.value))
        .map_err(|error| cannot(kind, &format!("json: {error}")))?;
    let object = match object {
        Object::Stored(_) if kind != kind.stored() => {
            let value = api::autoscaling::to_v2(&object.to_value());
            Object::from_value(kind.stored(), value)
                .map_err(|error| cannot(kind, &format!("json: {error}")))?
        }
        Object::Stored(_) => stored_form(object),
        object => object,
    };
    Ok((object, unknown))
}

/// The object as it comes back from the storage: what is empty is not there.
///
/// Until it is written an empty list or selector is one that was given, and refusals show it so.
pub(super) fn stored_form(object: Object) -> Object {
    let kind = object.kind();
    Object::from_value(kind, canonical(kind, object.to_value())).unwrap_or(object)
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
/// 400, 422 or 500 with the server's words.
pub(super) fn patch(kind: Kind, value: &mut Value, how: PatchKind, patch: &Value) -> Result<(), ApiStatus> {
    let go = match patch {
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => "",
    };
    let wanted = match how {
        PatchKind::Json if go != "array" => "[]handlers.jsonPatchOp",
        PatchKind::Strategic | PatchKind::Merge if go != "object" => "map[string]interface {}",
        _ => "",
    };
    if !wanted.is_empty() && !go.is_empty() {
        let why = format!("json: cannot unmarshal {go} into Go value of type {wanted}");
        let strategic = how == PatchKind::Strategic;
        return Err(ApiStatus::bad_request(if strategic {
            why
        } else {
            format!("error decoding patch: {why}")
        }));
    }
    let changed = match how {
        PatchKind::Strategic => patch::strategic_merge(kind, value, patch),
        PatchKind::Json => patch::json_patch(value, patch),
        // What is applied to a subresource that is no object of its own merges as it stands.
        PatchKind::Merge | PatchKind::Apply { .. } => {
            patch::json_merge(value, patch);
            Ok(())
        }
    };
    changed.map_err(|error| match error {
        PatchError::Malformed(why) => ApiStatus::bad_request(why),
        PatchError::Internal(why) => super::status(500, "", why),
        // UPSTREAM: why it does not fit stays in the server's log.
        PatchError::Unfit(_) => {
            super::status(422, "Invalid", "the server rejected our request due to an error in our request")
        }
    })?;
    if how != PatchKind::Strategic {
        return Ok(());
    }
    patch::restore(kind, value).map_err(|why| patch_does_not_fit(how, patch, value, &why))?;
    // UPSTREAM: what a strategic patch says of the object's own type is not looked at.
    let info = kind.info();
    value["apiVersion"] = info.api_version().into();
    value["kind"] = info.kind.into();
    Ok(())
}

/// A refusal of a patch after which the object cannot be read.
pub(super) fn unreadable(how: PatchKind, patch: &Value, patched: &Value, error: &ApiStatus) -> ApiStatus {
    let why = error.message.split_once(" cannot be handled as a ").and_then(|(_, it)| it.split_once(": "));
    patch_does_not_fit(how, patch, patched, why.map_or(&error.message, |(_, why)| why))
}

fn patch_does_not_fit(how: PatchKind, patch: &Value, patched: &Value, why: &str) -> ApiStatus {
    // UPSTREAM: a strategic patch is shown itself, without what its directives took out of it; of any other its result.
    let shown = match how {
        PatchKind::Strategic => patch::shown(&directed(patch)),
        PatchKind::Merge | PatchKind::Json | PatchKind::Apply { .. } => {
            let mut whole = patched.clone();
            api::managed::unfold(&mut whole);
            api::typed::patched(&whole, &patch::opened(how == PatchKind::Json, patch))
        }
    };
    let message = format!("Invalid value: {shown:?}: {why}");
    let mut status = super::status(422, "Invalid", format!(" \"\" is invalid: patch: {message}"));
    let (reason, field) = ("FieldValueInvalid".to_owned(), "patch".to_owned());
    status.causes.push(Cause { reason, message, field });
    status
}

/// What is left of a strategic patch once it was carried out.
fn directed(patch: &Value) -> Value {
    match patch {
        Value::Object(fields) => {
            let ordered = |name: &str| fields.contains_key(&format!("$setElementOrder/{name}"));
            let left = fields.iter().filter(|(name, _)| {
                !name.starts_with("$setElementOrder/") && *name != "$retainKeys" && !ordered(name)
            });
            Value::Object(left.map(|(name, value)| (name.clone(), directed(value))).collect())
        }
        other => other.clone(),
    }
}

/// A refusal of a patch that leaves fields which the kind does not have.
pub(super) fn left_unknown(how: PatchKind, patch: &Value, patched: &Value, unknown: &[String]) -> ApiStatus {
    patch_does_not_fit(how, patch, patched, &format!("strict decoding error: {}", unknown.join(", ")))
}
