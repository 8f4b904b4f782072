//! How are the parts of the control plane, as the API server finds when it asks them?
//!
//! These objects are never stored: each request asks anew, the scheduler and the controller manager at the ports that kubeadm
//! and EKS give them beside the API server. A recorded control plane has no parts, and nothing listens there.
//! Source: kubernetes `pkg/registry/core/componentstatus`, `pkg/registry/core/rest/storage_core.go` (`componentStatusStorage`).

use std::rc::Rc;

use api::{
    ApiStatus, Kind, Object,
    kinds::sim::{Part, PartRole},
};
use serde_json::json;

use super::{Call, read::Selected, status};
use crate::{parts, request::List};

/// UPSTREAM: the order in which they happen to answer; a refused connection and a local one are about as fast as each other.
const ASKED: [(&str, Option<(PartRole, u16)>); 3] = [
    ("scheduler", Some((PartRole::Scheduler, 10259))),
    ("controller-manager", Some((PartRole::ControllerManager, 10257))),
    // Without etcd this very request would not be answered.
    ("etcd-0", None),
];

pub(super) fn get(call: &Call<'_>, name: &str) -> Result<Rc<Object>, ApiStatus> {
    let asked = ASKED.iter().find(|(known, _)| *known == name);
    // UPSTREAM: the resource's name is in the singular here.
    let (name, place) =
        asked.ok_or_else(|| status(404, "NotFound", format!("componentstatus \"{name}\" not found")))?;
    found(call, name, *place)
}

pub(super) fn list(call: &Call<'_>, selected: &Selected) -> Result<List, ApiStatus> {
    let mut items = Vec::new();
    for (name, place) in ASKED {
        let object = found(call, name, place)?;
        if selected.accepts(&object) {
            items.push(object);
        }
    }
    Ok(List { items, ..List::default() })
}

fn found(call: &Call<'_>, name: &str, place: Option<(PartRole, u16)>) -> Result<Rc<Object>, ApiStatus> {
    let runs = |role: PartRole| {
        let store = call.world.store();
        parts::of(store, call.cluster).any(|part: &Part| part.role == role && part.running)
    };
    let refused = place.filter(|(role, _)| !runs(*role)).map(|(_, port)| {
        format!(
            "Get \"https://127.0.0.1:{port}/healthz\": dial tcp 127.0.0.1:{port}: connect: connection refused"
        )
    });
    let value = json!({
        "apiVersion": "v1",
        "kind": "ComponentStatus",
        "metadata": {"name": name},
        "conditions": [{
            "type": "Healthy",
            "status": if refused.is_some() { "False" } else { "True" },
            "message": refused.unwrap_or_else(|| "ok".to_owned()),
        }],
    });
    let object = Object::from_value(Kind::ComponentStatus, value);
    object.map(Rc::new).map_err(|error| ApiStatus::bad_request(error.to_string()))
}
