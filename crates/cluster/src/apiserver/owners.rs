//! Whose are the fields after a write?
//!
//! Noted for whoever says as which manager it writes, and for the control plane and kubelets where somebody was noted before. MODEL:
//! what they make themselves, such as a ReplicaSet and its pods, has no owners until somebody else writes it; then those it
//! must have had are noted too.
//! Source: apiserver `pkg/endpoints/handlers/{create,update,patch}.go`.

use std::rc::Rc;

use api::{
    ApiStatus, Kind, Object,
    custom::Version,
    managed::{self, Of, Writer},
    meta::ManagedFieldsEntry,
};
use serde_json::Value;

use crate::{
    actors,
    apiserver::{Call, create, decode, definitions, update},
    request::Stage,
};

fn of(kind: Kind, version: Option<&Version>) -> Of<'_> {
    Of { kind, schema: version.map(|version| &version.schema) }
}

/// Fields that only a status subresource writes, where the kind has one.
fn splits(version: Option<&Version>) -> bool {
    version.is_none_or(|version| version.has_status)
}

/// The owners of what is stored; for who asks as a manager also those that nobody has noted yet.
fn of_live(call: &Call<'_>, old: Option<&Object>) -> Vec<ManagedFieldsEntry> {
    let Some(old) = old else { return Vec::new() };
    match &old.meta().managed_fields {
        Some(noted) => noted.clone(),
        None if call.manager.is_empty() => Vec::new(),
        None => {
            let mut made = old.to_value();
            managed::complete(&mut made);
            let owners = serde_json::from_value(made["metadata"]["managedFields"].take()).unwrap_or_default();
            managed::given(owners).unwrap_or_default()
        }
    }
}

/// Notes in `new` whose its fields are after this write; who does not say as which manager it writes changes no owner.
pub(super) fn note(call: &mut Call<'_>, old: Option<&Object>, new: &mut Object, part: &str) {
    let named = managed::given(new.meta_mut().managed_fields.take());
    let had = named.filter(|_| part.is_empty()).unwrap_or_else(|| of_live(call, old));
    if call.manager.is_empty() && !had.is_empty() {
        actors::manager(call.actor).clone_into(&mut call.manager);
    }
    let owners = match call.owners.take() {
        Some(owners) => owners,
        None if call.manager.is_empty() => had,
        None => {
            let version = definitions::version(call.world.store(), call.cluster, new.kind());
            // Who speaks another version of the kind owns fields of that version.
            let spoken = if call.spoken.stored() == new.kind() { call.spoken } else { new.kind() };
            let said = |object: &Object| definitions::said_in(spoken, object.to_value());
            let now = call.world.stamp(call.world.now());
            let writer =
                Writer { manager: &call.manager, part, now: &now, splits_status: splits(version.as_ref()) };
            let before = old.map_or(Value::Null, said);
            managed::update(of(spoken, version.as_ref()), &had, &before, &said(new), writer)
        }
    };
    new.meta_mut().managed_fields = (!owners.is_empty()).then_some(owners);
    call.owned(new);
}

/// Merges what a manager wants into what there is; makes it if there is nothing.
pub(super) fn apply(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    part: &'static str,
    force: bool,
    manifest: &Value,
) -> Result<Rc<Object>, ApiStatus> {
    call.enter(Stage::Decoding, "");
    let version = definitions::version(call.world.store(), call.cluster, kind);
    let key = call.key(kind, namespace, name);
    let live = call.world.store().object(&key).cloned();
    let had = of_live(call, live.as_deref());
    let now = call.world.stamp(call.world.now());
    let writer = Writer { manager: &call.manager, part, now: &now, splits_status: splits(version.as_ref()) };
    let before = live.as_ref().map_or(Value::Null, |live| definitions::said_in(kind, live.to_value()));
    let (merged, owners) =
        managed::apply(of(kind, version.as_ref()), &had, &before, manifest, writer, force)?;
    call.owners = Some(owners);
    match live {
        None => create::decoded(call, kind, namespace, name, &merged),
        Some(_) => update::update(call, part, decode::strict(kind, version.as_ref(), &merged)?),
    }
}
