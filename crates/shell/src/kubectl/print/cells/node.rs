//! The row of a node.

use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::field::{at, condition, list, map, text, word};

pub(super) fn node(o: &Value, now: Timestamp) -> Vec<String> {
    let address = |kind: &str| {
        let found = list(o, "status.addresses").iter().find(|a| text(a, "type") == kind);
        found.map_or("<none>", |a| text(a, "address")).to_owned()
    };
    vec![
        name(o),
        status(o),
        roles(o),
        created(o, now),
        text(o, "status.nodeInfo.kubeletVersion").to_owned(),
        address("InternalIP"),
        address("ExternalIP"),
        or(text(o, "status.nodeInfo.osImage"), "<unknown>").to_owned(),
        or(text(o, "status.nodeInfo.kernelVersion"), "<unknown>").to_owned(),
        or(text(o, "status.nodeInfo.containerRuntimeVersion"), "<unknown>").to_owned(),
    ]
}

fn status(o: &Value) -> String {
    let ready = match condition(o, "Ready").map(|c| text(c, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let closed = at(o, "spec.unschedulable") == &Value::Bool(true);
    format!("{ready}{}", if closed { ",SchedulingDisabled" } else { "" })
}

/// The roles that labels give a node.
#[must_use]
pub(crate) fn roles(o: &Value) -> String {
    let mut roles: Vec<String> = map(o, "metadata.labels")
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role.to_owned()),
            None => (key == "kubernetes.io/role").then(|| word(value)),
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.sort();
    roles.dedup();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}
