//! What does the API server do with a request?
//!
//! [`serve`] takes one request through upstream's stages: authentication, authorization, decoding with defaults,
//! mutating admission, validation, validating admission, storage. Each stage leaves what it did in an [`Asked`] fact;
//! a refusal says where it stopped, in the server's words. Actors of the control plane write through the same stages
//! ([`Turn`](crate::Turn)), without a fact of their own: their [`Change`](crate::Change) says who wrote.
//! This module does not know who is on the other end of the wire, or how answers are printed.

pub(crate) mod addresses;
mod admission;
pub(crate) mod allocate;
mod bootstrap;
mod call;
mod create;
mod decode;
mod definitions;
mod delete;
mod difference;
mod events;
mod families;
mod go_values;
mod health;
mod names;
mod owners;
mod page;
mod read;
mod recorder;
mod review;
mod scale;
mod subresource;
#[cfg(test)]
mod tests;
mod turn;
mod update;

use std::rc::Rc;

use api::{ApiStatus, Kind, Object, Scope, validate::Release};

pub use crate::auth::beyond;
pub(crate) use admission::default_storage_class;
pub(crate) use bootstrap::root_ca;
pub use bootstrap::{bootstrap, defaults};
pub(crate) use call::Call;
pub(crate) use definitions::is_built_in;
pub use definitions::{custom_kinds, definition, kind_of_manifest, serves};
pub(crate) use delete::{CLEANUP, FOREGROUND, ORPHAN};
pub use events::{EventType, reference};
pub use read::Selected;
pub(crate) use recorder::Recorders;

use crate::{
    ActorId, ApiRequest, ApiVerb, Asked, ClusterId, Principal, Reply, World,
    auth::{self, Attributes},
    parts,
    request::Stage,
};

/// Answers one request of somebody outside the control plane.
/// # Errors
/// The server's refusal.
pub(crate) fn serve(world: &mut World, who: &Principal, request: ApiRequest) -> Result<Reply, ApiStatus> {
    let verb = verb(&request);
    let asked = Asked {
        who: who.clone(),
        verb,
        kind: Some(request.kind.stored()),
        namespace: request.namespace.clone(),
        name: request.name.clone(),
        subresource: request.subresource,
        dry_run: request.dry_run,
        passed: Vec::new(),
        refused: None,
        warnings: Vec::new(),
    };
    let silent = world.silence(&request).is_some();
    // Events are one resource served under two groups.
    let request = match request.kind {
        Kind::EventsV1 => ApiRequest { kind: Kind::Event, ..request },
        _ => request,
    };
    if verb == "create" && request.kind == Kind::Pod && request.subresource.is_empty() && !silent {
        admission::wait_for_default_account(world, &request);
    }
    let what = (request.kind, verb, request.name.clone());
    // Without storage everything is done but the write.
    let dry = request.dry_run || silent;
    let mut call = Call::asked(world, ActorId("kube-apiserver"), request.cluster, asked, dry);
    let cluster = request.cluster;
    call.manager.clone_from(&request.manager);
    call.strict = request.strict;
    call.spoken = request.kind;
    let mut answer = answer(&mut call, who, request);
    if silent && parts::needs_storage(&answer) {
        call.enter(Stage::Storage, "");
        answer = Err(parts::unanswered(what.0, what.1, &what.2));
    }
    if let Err(status) = &mut answer
        && release(call.world, cluster).minor < 33
    {
        go_values::write(status);
    }
    if let Err(status) = &answer {
        call.refuse(status);
    }
    call.record();
    answer
}

/// Asks for a path that is no object's, such as `openapi/v3`: whoever is somebody may read it.
/// # Errors
/// 401 for whom the server does not know.
pub(crate) fn published(
    world: &mut World,
    who: &Principal,
    cluster: ClusterId,
    path: &str,
) -> Result<(), ApiStatus> {
    let asked = Asked {
        who: who.clone(),
        verb: "get",
        kind: None,
        namespace: String::new(),
        name: path.to_owned(),
        subresource: "",
        dry_run: false,
        passed: Vec::new(),
        refused: None,
        warnings: Vec::new(),
    };
    let mut call = Call::asked(world, ActorId("kube-apiserver"), cluster, asked, false);
    let answer = identify(&mut call, who);
    if let Err(status) = &answer {
        call.refuse(status);
    }
    call.record();
    answer
}

fn answer(call: &mut Call<'_>, who: &Principal, request: ApiRequest) -> Result<Reply, ApiStatus> {
    identify(call, who)?;
    // UPSTREAM: a request for a namespace is one in that namespace (`RequestInfoFactory`).
    let namespace = match request.kind {
        Kind::Namespace => &request.name,
        _ => &request.namespace,
    };
    let attributes = Attributes {
        verb: call.verb(),
        subresource: request.subresource,
        namespace,
        name: &request.name,
        ..Attributes::of(request.kind)
    };
    call.enter(Stage::Authorization, "");
    if let Some(answer) = review::of_oneself(call, who, &request) {
        call.decided_by("RBAC");
        call.did("role", "ClusterRole/system:basic-user");
        return answer.map(Reply::Value);
    }
    permit(call, who, &attributes)?;

    let info = request.kind.info();
    if !serves(call.world.store(), request.cluster, request.kind) {
        return Err(no_such_resource());
    }
    if info.verbs == ["create"] && !matches!(request.verb, ApiVerb::Create(_)) {
        let list = matches!(request.verb, ApiVerb::List { .. });
        return Err(if list { method_not_allowed() } else { no_such_resource() });
    }
    if request.kind == Kind::Endpoints && release(call.world, request.cluster).minor >= 33 {
        call.warn("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice");
    }
    if request.kind == Kind::ComponentStatus {
        call.warn("v1 ComponentStatus is deprecated in v1.19+");
    }
    let version = definitions::version(call.world.store(), request.cluster, request.kind);
    if let Some(version) = &version {
        if let Some(words) = &version.deprecation {
            call.warn(words);
        }
        if request.subresource == "status" && !version.has_status {
            return Err(ApiStatus::not_found(request.kind, &request.name));
        }
    }
    let ApiRequest { verb, kind, namespace, name, subresource, .. } = request;
    let namespace = if info.scope == Scope::Namespaced { namespace } else { String::new() };
    let object = |object: Rc<Object>| Ok(Reply::Object(definitions::in_version(kind, object)));
    match (subresource, verb) {
        ("", ApiVerb::Create(value)) if review::is_of_others(kind) && value.is_object() => {
            Ok(Reply::Value(review::of_others(call, kind, value)))
        }
        ("", ApiVerb::Get) if kind == Kind::ComponentStatus => object(health::get(call, &name)?),
        ("", ApiVerb::List { label_selector, field_selector, .. }) if kind == Kind::ComponentStatus => {
            let selected =
                Selected::parse((call.world.store(), call.cluster), kind, &label_selector, &field_selector)?;
            health::list(call, &selected).map(Reply::List)
        }
        ("" | "status", ApiVerb::Get) => {
            call.enter(Stage::Storage, "");
            object(read::get(call, kind, &namespace, &name)?)
        }
        ("", ApiVerb::List { label_selector, field_selector, page }) => {
            call.enter(Stage::Storage, "");
            let selected =
                Selected::parse((call.world.store(), call.cluster), kind, &label_selector, &field_selector)?;
            page::read(call, kind, &namespace, &selected, &page).map(Reply::List)
        }
        ("", ApiVerb::Create(value)) => object(create::decoded(call, kind, &namespace, &name, &value)?),
        ("" | "status" | "finalize", ApiVerb::Update(value)) => {
            object(update::decoded(call, kind, &namespace, &name, subresource, &value)?)
        }
        ("" | "status", ApiVerb::Patch(how, patch)) => {
            object(update::patched(call, kind, &namespace, &name, subresource, how, &patch)?)
        }
        ("", ApiVerb::Delete { grace, propagation }) => {
            object(delete::delete(call, kind.stored(), &namespace, &name, grace, propagation)?)
        }
        (part, verb) => subresource::serve(call, kind.stored(), &namespace, &name, part, verb),
    }
}

/// Who is it, and may they act as whom they say?
fn identify(call: &mut Call<'_>, who: &Principal) -> Result<(), ApiStatus> {
    call.enter(Stage::Authentication, "");
    let real = who.real.as_deref().unwrap_or(who);
    call.decided_by(auth::authenticate(real)?);
    call.did("user", &real.user);
    call.did("groups", &real.groups.join(", "));
    let Some(real) = &who.real else { return Ok(()) };
    call.enter(Stage::Impersonation, "");
    call.did("user", &who.user);
    call.did("groups", &who.groups.join(", "));
    for what in auth::impersonations(who) {
        permit(call, real, &what)?;
    }
    Ok(())
}

/// May they? Notes which rule says so, or what they hold if none does.
fn permit(call: &mut Call<'_>, who: &Principal, what: &Attributes<'_>) -> Result<(), ApiStatus> {
    let (store, cluster) = (call.world.store(), call.cluster);
    match auth::authorize(store, cluster, who, what) {
        Ok(allowed) => {
            call.decided_by(allowed.by);
            if let Some(grant) = allowed.grant {
                call.did("binding", &grant.binding);
                call.did("role", &grant.role);
                call.did("subject", &grant.subject);
                call.did("rule", &grant.rule);
            }
            Ok(())
        }
        Err(status) => {
            for role in auth::held(store, cluster, who, what.namespace) {
                call.did("held", &role);
            }
            Err(status)
        }
    }
}

/// The release of a cluster's API server: texts follow it.
fn release(world: &World, cluster: ClusterId) -> Release {
    let planes = world.store().list::<api::kinds::sim::ControlPlane>(ClusterId::WORLD, None);
    let plane = planes.into_iter().find(|plane| plane.id == cluster.0);
    plane.map_or(Release::CURRENT, |plane| Release::of(&plane.version))
}

fn verb(request: &ApiRequest) -> &'static str {
    match &request.verb {
        ApiVerb::Get => "get",
        ApiVerb::List { .. } => "list",
        ApiVerb::Create(_) => "create",
        ApiVerb::Update(_) => "update",
        ApiVerb::Patch(..) => "patch",
        ApiVerb::Delete { .. } => "delete",
    }
}

/// A refusal that names no object.
pub(crate) fn status(code: u16, reason: &str, message: impl Into<String>) -> ApiStatus {
    ApiStatus {
        code,
        reason: reason.to_owned(),
        message: message.into(),
        causes: Vec::new(),
        name: String::new(),
        group: String::new(),
        kind: String::new(),
    }
}

/// 404 of a path that no API serves.
fn no_such_resource() -> ApiStatus {
    status(404, "NotFound", "the server could not find the requested resource")
}

/// 405 of a verb that a resource does not have.
fn method_not_allowed() -> ApiStatus {
    status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
}

/// 403 of an admission plugin: `pods "x" is forbidden: why`.
fn forbidden(kind: Kind, name: &str, why: &str) -> ApiStatus {
    let info = kind.info();
    let mut status = ApiStatus::forbidden(format!("{} \"{name}\" is forbidden: {why}", info.resource()));
    status.name = name.to_owned();
    status.group = info.group.to_owned();
    status.kind = info.plural.to_owned();
    status
}
