//! Which fields of an object are computed rather than stored?
//!
//! `Subnet.free`, `Subnet.freeBlocks`, `Node.podsUsed`, `Node.maxPods`, `Pod.status.display`, and the whole of `sim/IpPool`. They are
//! read-only and exist only in checks: nothing here is state.

use std::rc::Rc;

use api::{Object, SimTime, k8s::core::v1::Pod, kinds::cni::IpPool};
use cluster::cloud::subnet;
use serde_json::{Value, json};

use super::{check::Pattern, snapshot::Snapshot};

/// `value` with the derived fields that `body` asks for.
pub(super) fn add(
    snapshot: &Snapshot,
    object: &Rc<Object>,
    value: &Rc<Value>,
    body: &[(String, Pattern)],
) -> Rc<Value> {
    let asks = |field: &str| body.iter().any(|(name, _)| name == field);
    match &**object {
        Object::IpPool(it) => Rc::new(pool(it, snapshot.at)),
        Object::Subnet(it) if asks("free") || asks("freeBlocks") => {
            let addresses = subnet::addresses(&snapshot.store, it);
            let mut value = Value::clone(value);
            value["free"] = json!(addresses.free());
            value["freeBlocks"] = json!(addresses.free_blocks().len());
            Rc::new(value)
        }
        Object::Node(it) if asks("podsUsed") || asks("maxPods") => {
            let name = it.metadata.name.as_deref().unwrap_or_default();
            let max = value.pointer("/status/allocatable/pods").and_then(Value::as_str);
            let mut value = Value::clone(value);
            value["maxPods"] = max.and_then(|max| max.parse::<u64>().ok()).map_or(Value::Null, Value::from);
            value["podsUsed"] = json!(pods_on(name, snapshot));
            Rc::new(value)
        }
        Object::Pod(_) if asks_display(body) => {
            let mut value = Value::clone(value);
            value["status"]["display"] = json!(display(&value));
            Rc::new(value)
        }
        _ => Rc::clone(value),
    }
}

fn asks_display(body: &[(String, Pattern)]) -> bool {
    body.iter().any(|(name, pattern)| {
        name == "status"
            && matches!(pattern, Pattern::Subset(fields) if fields.iter().any(|(n, _)| n == "display"))
    })
}

/// An address pool in numbers: attached = used + cooling down + warm.
fn pool(pool: &IpPool, now: SimTime) -> Value {
    serde_json::to_value(cni::figures(pool, pool.cooldown, now)).unwrap_or_default()
}

/// Pods that a kubelet counts against its limit: bound to it and not finished.
fn pods_on(node: &str, snapshot: &Snapshot) -> usize {
    snapshot
        .store
        .list::<Pod>(snapshot.cluster(), None)
        .filter(|pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.as_deref() == Some(node)))
        .filter(|pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            !matches!(phase, Some("Succeeded" | "Failed"))
        })
        .count()
}

/// The word that kubectl prints under STATUS.
/// Source: kubernetes `pkg/printers/internalversion`, `printPod`.
fn display(pod: &Value) -> String {
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str);
    let mut word = text("/status/reason").or(text("/status/phase")).unwrap_or_default().to_owned();
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    if conditions.clone().any(|c| c["type"] == "PodScheduled" && c["reason"] == "SchedulingGated") {
        "SchedulingGated".clone_into(&mut word);
    }
    let containers = pod.pointer("/status/containerStatuses").and_then(Value::as_array);
    for status in containers.into_iter().flatten().rev() {
        for state in ["waiting", "terminated"] {
            if let Some(reason) = status["state"][state]["reason"].as_str().filter(|r| !r.is_empty()) {
                reason.clone_into(&mut word);
            }
        }
    }
    if text("/metadata/deletionTimestamp").is_some()
        && !matches!(text("/status/phase"), Some("Succeeded" | "Failed"))
    {
        "Terminating".clone_into(&mut word);
    }
    word
}
