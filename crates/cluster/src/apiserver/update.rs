//! How does an object in the store change?
//!
//! A write that changes nothing is no write: the resourceVersion stays. Source: apiserver
//! `pkg/registry/rest/update.go`, `pkg/registry/generic/registry/store.go`, `pkg/endpoints/handlers/patch.go`.

use std::rc::Rc;

use api::{
    ApiStatus, Cause, Kind, Object,
    k8s::core::v1::{Container, Pod},
    parts,
};
use serde_json::Value;

use crate::{
    PatchKind,
    apiserver::{Call, admission, allocate, create, decode, definitions, owners, read},
    request::Stage,
};

/// What the optimistic lock says.
const MODIFIED: &str =
    "the object has been modified; please apply your changes to the latest version and try again";

/// Kinds of which an update makes what is not there. Source: `AllowCreateOnUpdate` of their strategies.
// MODEL: who may update may make them; upstream asks for the right to create as well.
const CREATED_BY_UPDATE: [Kind; 10] = [
    Kind::ClusterRole,
    Kind::ClusterRoleBinding,
    Kind::Endpoints,
    Kind::Event,
    Kind::Lease,
    Kind::LimitRange,
    Kind::Role,
    Kind::RoleBinding,
    Kind::RuntimeClass,
    Kind::Service,
];

/// Replaces by a request's body.
pub(super) fn decoded(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    part: &'static str,
    value: &Value,
) -> Result<Rc<Object>, ApiStatus> {
    call.enter(Stage::Decoding, "");
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let mut object = decode::strict(kind, version.as_ref(), value)?;
    if !namespace.is_empty() && object.namespace().is_empty() {
        object.meta_mut().namespace = Some(namespace.to_owned());
    }
    is_at(&object, namespace, name)?;
    if let Some(uid) = object.meta().uid.as_deref().filter(|uid| !uid.is_empty())
        && let Some(old) = call.world.store().object(&call.key(kind, namespace, name))
        && old.meta().uid.as_deref() != Some(uid)
    {
        let had = old.meta().uid.as_deref().unwrap_or_default();
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition \
             failed: UID in precondition: {uid}, UID in object meta: {had}",
            storage_path(kind, namespace, name, call.dry_run)
        );
        return Err(ApiStatus::conflict(kind, name, &why));
    }
    let there = call.world.store().object(&call.key(kind, namespace, name)).is_some();
    names_its_revision(&object, there)?;
    update(call, part, object)
}

/// Changes by a patch of the stored object's JSON form.
pub(super) fn patched(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    part: &'static str,
    how: PatchKind,
    patch: &Value,
) -> Result<Rc<Object>, ApiStatus> {
    if let PatchKind::Apply { force } = how {
        return owners::apply(call, kind, namespace, name, part, force, patch);
    }
    call.look_up();
    let old = read::get(call, kind, namespace, name)?;
    call.enter(Stage::Decoding, "");
    let mut value = old.to_value();
    let version = definitions::version(call.world.store(), call.cluster, kind);
    if version.is_some() && how == PatchKind::Strategic {
        return Err(unsupported());
    }
    decode::patch(kind, &mut value, how, patch)?;
    let (object, unknown) = decode::lax(kind, version.as_ref(), &value)
        .map_err(|error| decode::unreadable(how, patch, &value, &error))?;
    if call.strict && !unknown.is_empty() {
        return Err(decode::left_unknown(how, patch, &value, &unknown));
    }
    for field in unknown {
        call.warn(&field);
    }
    is_at(&object, namespace, name)?;
    update(call, part, object)
}

/// Whether an object calls itself as its URL does.
fn is_at(object: &Object, namespace: &str, name: &str) -> Result<(), ApiStatus> {
    if object.namespace() != namespace && !(object.name().is_empty() && object.namespace().is_empty()) {
        return Err(ApiStatus::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    match object.name() {
        "" => Err(ApiStatus::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        own if own == name => Ok(()),
        own => Err(ApiStatus::bad_request(format!(
            "the name of the object ({own}) does not match the name on the URL ({name})"
        ))),
    }
}

/// Whether a whole object says which revision it replaces, where its kind wants that; and whether that is one.
fn names_its_revision(object: &Object, there: bool) -> Result<(), ApiStatus> {
    let revision = object.meta().resource_version.as_deref().unwrap_or_default();
    let digits = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
    if revision.is_empty() {
        let kind = object.kind();
        let blind = !there || is_replaced_blindly(kind);
        return if blind { Ok(()) } else { Err(revision_missing(kind, object.name())) };
    }
    // UPSTREAM: what is no number is no refusal of the request, but an error of the server.
    let why = match revision.parse::<u64>() {
        Ok(_) if digits => return Ok(()),
        Err(_) if digits => "value out of range",
        _ => "invalid syntax",
    };
    Err(super::status(500, "", format!("strconv.ParseUint: parsing {revision:?}: {why}")))
}

/// `AllowUnconditionalUpdate` of the kinds' strategies.
fn is_replaced_blindly(kind: Kind) -> bool {
    !matches!(
        kind,
        Kind::Custom(_)
            | Kind::CustomResourceDefinition
            | Kind::APIService
            | Kind::ValidatingAdmissionPolicy
            | Kind::ValidatingAdmissionPolicyBinding
            | Kind::ValidatingWebhookConfiguration
            | Kind::MutatingWebhookConfiguration
            | Kind::Lease
            | Kind::RuntimeClass
            | Kind::PodDisruptionBudget
            | Kind::CSIDriver
            | Kind::CSINode
            | Kind::CSIStorageCapacity
            | Kind::VolumeAttachment
    )
}

/// 422, which names the resource where others name the kind.
fn revision_missing(kind: Kind, name: &str) -> ApiStatus {
    let info = kind.info();
    let message = "Invalid value: 0: must be specified for an update".to_owned();
    let (reason, field) = ("FieldValueInvalid".to_owned(), "metadata.resourceVersion".to_owned());
    let said = format!("{} \"{name}\" is invalid: {field}: {message}", info.resource());
    let mut status = super::status(422, "Invalid", said);
    name.clone_into(&mut status.name);
    info.group.clone_into(&mut status.group);
    info.plural.clone_into(&mut status.kind);
    status.causes.push(Cause { reason, message, field });
    status
}

/// Where an object stands in etcd, as errors of the storage name it.
fn storage_path(kind: Kind, namespace: &str, name: &str, dry_run: bool) -> String {
    let folder = match kind {
        Kind::Service => "services/specs",
        Kind::Endpoints => "services/endpoints",
        Kind::Node => "minions",
        Kind::Ingress => "ingress",
        Kind::ReplicationController => "controllers",
        kind => kind.info().plural,
    };
    let group = match kind {
        Kind::Custom(_) => format!("{}/", kind.info().group),
        _ => String::new(),
    };
    let place = if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") };
    // UPSTREAM: a dry run does not come as far as the root of the storage.
    let root = if dry_run { "" } else { "/registry" };
    format!("{root}/{group}{folder}/{place}")
}

/// Writes `object` over the stored one: its status through `status`, everything else otherwise.
pub(super) fn update(
    call: &mut Call<'_>,
    part: &'static str,
    mut object: Object,
) -> Result<Rc<Object>, ApiStatus> {
    let kind = object.kind();
    let key = call.key(kind, object.namespace(), object.name());
    call.look_up();
    let Some(old) = call.world.store().object(&key).cloned() else {
        if CREATED_BY_UPDATE.contains(&kind) && part.is_empty() {
            let namespace = object.namespace().to_owned();
            return create::create(call, &namespace, object);
        }
        return Err(ApiStatus::not_found(kind, object.name()));
    };
    unchanged_since(&old, &object)?;
    call.see(&old);
    decode::default(&mut object);
    if matches!(part, "status" | "approval") {
        let mut next = (*old).clone();
        parts::take_status(&object, &mut next);
        if kind == Kind::Deployment {
            // UPSTREAM: a Deployment's status may bring annotations; its controller writes the revision that way.
            next.meta_mut().annotations.clone_from(&object.meta().annotations);
        }
        if let (Object::Stored(next), Object::Stored(old), Kind::CertificateSigningRequest) =
            (&mut next, &*old, kind)
        {
            api::default::prepare_signing(next, old, part, &call.world.stamp(call.world.now()));
        }
        object = next;
        call.changed(&object);
        owners::note(call, Some(&old), &mut object, part);
        if let Some(version) = definitions::version(call.world.store(), call.cluster, kind) {
            call.enter(Stage::Validation, "");
            decode::validate(Some(&version), Some(&old), &object)?;
        }
        if let (Object::Stored(new), Object::Stored(old), Kind::CertificateSigningRequest) =
            (&object, &*old, kind)
        {
            call.enter(Stage::Validation, "");
            let causes = api::validate::update_signing(old, new, part);
            if !causes.is_empty() {
                return Err(ApiStatus::invalid(kind, object.name(), causes));
            }
        }
        if kind == Kind::CertificateSigningRequest {
            admission::validate(call, Some(&old), &object, part)?;
        }
    } else if let (Object::Pod(before), Object::Pod(pod), "ephemeralcontainers" | "resize") =
        (&*old, &mut object, part)
    {
        take_part(before, pod, part);
        call.changed(&object);
        owners::note(call, Some(&old), &mut object, part);
        parts::move_generation(&old, &mut object);
        call.enter(Stage::Validation, "");
        if let Object::Pod(pod) = &object {
            let causes = api::validate::update_part(before, pod, part);
            if !causes.is_empty() {
                return Err(ApiStatus::invalid(kind, object.name(), causes));
            }
        }
        admission::validate(call, Some(&old), &object, part)?;
    } else {
        let version = definitions::version(call.world.store(), call.cluster, kind);
        keep_system_fields(&old, &mut object);
        call.changed(&object);
        owners::note(call, Some(&old), &mut object, part);
        admission::mutate(call, Some(&old), &mut object, part)?;
        call.no_escalation(&object, Some(&old))?;
        allocate::on_update(call, &old, &mut object)?;
        if version.as_ref().is_some_and(|version| !version.has_status) {
            parts::move_generation_of_whole(&old, &mut object);
        } else if part == "finalize" {
            parts::take_status(&old, &mut object);
        } else {
            api::default::prepare_for_update(&mut object, &old);
        }
        call.enter(Stage::Validation, "");
        decode::validate(version.as_ref(), Some(&old), &object)?;
        for warning in decode::warnings(Some(&old), &object, super::release(call.world, call.cluster)) {
            call.warn(&warning);
        }
        admission::validate(call, Some(&old), &object, part)?;
    }
    store(call, &old, object)
}

/// Writes `object`, which is `old` but for its status: the control plane's own way, which has nothing to look up or to copy.
pub(super) fn own_status(
    call: &mut Call<'_>,
    old: &Rc<Object>,
    mut object: Object,
) -> Result<Rc<Object>, ApiStatus> {
    debug_assert!(
        // A Deployment's may bring annotations, as above.
        object.kind() == Kind::Deployment || {
            let mut same = object.clone();
            parts::take_status(old, &mut same);
            same == **old
        },
        "something else than the status of {} changed",
        object.name()
    );
    owners::note(call, Some(old), &mut object, "status");
    store(call, old, object)
}

/// Leaves in `pod` of what a door of its own brought only what that door is for.
fn take_part(before: &Pod, pod: &mut Pod, part: &str) {
    let given = std::mem::replace(pod, before.clone()).spec.unwrap_or_default();
    let spec = pod.spec.get_or_insert_default();
    if part == "ephemeralcontainers" {
        spec.ephemeral_containers = given.ephemeral_containers;
        return;
    }
    let named = |list: &[Container]| list.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    let amounts = |list: &mut Vec<Container>, given: Vec<Container>| {
        // Other containers are left for validation to refuse.
        if named(list) != named(&given) {
            *list = given;
            return;
        }
        for (container, given) in list.iter_mut().zip(given) {
            container.resources = given.resources;
            container.resize_policy = given.resize_policy;
        }
    };
    amounts(&mut spec.containers, given.containers);
    if let Some(list) = &mut spec.init_containers {
        amounts(list, given.init_containers.unwrap_or_default());
    }
}

/// Writes what an update or a subresource made of `old`; removes it if nothing holds it back any more.
pub(super) fn store(call: &mut Call<'_>, old: &Rc<Object>, object: Object) -> Result<Rc<Object>, ApiStatus> {
    let object = if call.is_asked() { decode::stored_form(object) } else { object };
    if object == **old {
        return Ok(Rc::clone(old));
    }
    if is_released(&object) {
        let key = call.key(object.kind(), object.namespace(), object.name());
        call.remove(&key);
        let mut last = object;
        last.meta_mut().resource_version = Some(call.world.store().revision().to_string());
        return Ok(Rc::new(last));
    }
    Ok(call.write(object))
}

/// Whether a deleted object has lost its last finalizer.
fn is_released(object: &Object) -> bool {
    let meta = object.meta();
    let held = meta.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    let held_by_spec = match object {
        Object::Namespace(namespace) => {
            namespace.spec.as_ref().and_then(|s| s.finalizers.as_ref()).is_some_and(|f| !f.is_empty())
        }
        _ => false,
    };
    meta.deletion_timestamp.is_some()
        && meta.deletion_grace_period_seconds.unwrap_or(0) == 0
        && !held
        && !held_by_spec
}

fn unchanged_since(old: &Object, new: &Object) -> Result<(), ApiStatus> {
    let (kind, name) = (old.kind(), old.name());
    match new.meta().resource_version.as_deref() {
        None | Some("") => Ok(()),
        same if same == old.meta().resource_version.as_deref() => Ok(()),
        Some(_) => Err(ApiStatus::conflict(kind, name, MODIFIED)),
    }
}

/// 415: custom kinds have no Go types, so nothing says how a strategic patch would merge.
fn unsupported() -> ApiStatus {
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    super::status(415, "UnsupportedMediaType", message)
}

fn keep_system_fields(old: &Object, object: &mut Object) {
    let before = old.meta();
    let meta = object.meta_mut();
    if meta.uid.as_deref().unwrap_or_default().is_empty() {
        meta.uid.clone_from(&before.uid);
    }
    meta.creation_timestamp.clone_from(&before.creation_timestamp);
    if before.deletion_timestamp.is_some() {
        meta.deletion_timestamp.clone_from(&before.deletion_timestamp);
    }
    meta.deletion_grace_period_seconds =
        meta.deletion_grace_period_seconds.or(before.deletion_grace_period_seconds);
    meta.generation = before.generation;
    meta.resource_version.clone_from(&before.resource_version);
    meta.self_link = None;
    if let Object::Namespace(namespace) = object {
        let name = namespace.metadata.name.clone().unwrap_or_default();
        let labels = namespace.metadata.labels.get_or_insert_default();
        labels.insert("kubernetes.io/metadata.name".to_owned(), name);
    }
}
