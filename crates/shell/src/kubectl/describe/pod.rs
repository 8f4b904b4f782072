//! `describe pod`.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    container::{self, containers},
    template,
    volume::volumes,
    writer::Writer,
};
use crate::kubectl::{
    age,
    field::{at, condition, int, list, text, word},
};

pub(super) fn pod(o: &Value, events: Option<&str>, now: Timestamp) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    if !at(o, "spec.priority").is_null() {
        w.line(0, format!("Priority:\t{}", int(o, "spec.priority")));
    }
    for (title, path) in [
        ("Priority Class Name", "spec.priorityClassName"),
        ("Runtime Class Name", "spec.runtimeClassName"),
        ("Service Account", "spec.serviceAccountName"),
    ] {
        if !text(o, path).is_empty() {
            w.line(0, format!("{title}:\t{}", text(o, path)));
        }
    }
    match text(o, "spec.nodeName") {
        "" => w.line(0, "Node:\t<none>"),
        node => w.line(0, format!("Node:\t{node}/{}", text(o, "status.hostIP"))),
    }
    if !text(o, "status.startTime").is_empty() {
        w.line(0, format!("Start Time:\t{}", age::long(text(o, "status.startTime"))));
    }
    template::marks(&mut w, o);
    let over = matches!(text(o, "status.phase"), "Succeeded" | "Failed");
    if at(o, "metadata.deletionTimestamp").is_null() || over {
        w.line(0, format!("Status:\t{}", text(o, "status.phase")));
    } else {
        let lasts = age::since(text(o, "metadata.deletionTimestamp"), now);
        w.line(0, format!("Status:\tTerminating (lasts {lasts})"));
        w.line(0, format!("Termination Grace Period:\t{}s", int(o, "metadata.deletionGracePeriodSeconds")));
    }
    for (title, path) in [("Reason", "status.reason"), ("Message", "status.message")] {
        if !text(o, path).is_empty() {
            w.line(0, format!("{title}:\t{}", text(o, path)));
        }
    }
    let seccomp = at(o, "spec.securityContext.seccompProfile");
    if !seccomp.is_null() {
        w.line(0, format!("SeccompProfile:\t{}", text(seccomp, "type")));
        if text(seccomp, "type") == "Localhost" {
            w.line(0, format!("LocalhostProfile:\t{}", text(seccomp, "localhostProfile")));
        }
    }
    w.line(0, format!("IP:\t{}", text(o, "status.podIP")));
    let ips = list(o, "status.podIPs");
    if ips.is_empty() {
        w.line(0, "IPs:\t<none>");
    } else {
        w.line(0, "IPs:");
        for ip in ips {
            w.line(1, format!("IP:\t{}", text(ip, "ip")));
        }
    }
    template::controlled(&mut w, o);
    if !text(o, "status.nominatedNodeName").is_empty() {
        w.line(0, format!("NominatedNodeName:\t{}", text(o, "status.nominatedNodeName")));
    }
    if !at(o, "spec.resources").is_null() {
        w.line(0, "Resources:");
        container::resources(&mut w, at(o, "spec"), 1);
    }
    let inits = list(o, "spec.initContainers");
    if !inits.is_empty() {
        let statuses = list(o, "status.initContainerStatuses");
        containers(&mut w, "Init Containers", inits, statuses, "", Some(o));
    }
    let statuses = list(o, "status.containerStatuses");
    containers(&mut w, "Containers", list(o, "spec.containers"), statuses, "", Some(o));
    let ephemeral = list(o, "spec.ephemeralContainers");
    if !ephemeral.is_empty() {
        let statuses = list(o, "status.ephemeralContainerStatuses");
        containers(&mut w, "Ephemeral Containers", ephemeral, statuses, "", Some(o));
    }
    let gates = list(o, "spec.readinessGates");
    if !gates.is_empty() {
        w.line(0, "Readiness Gates:\n  Type\tStatus");
        for gate in gates {
            let kind = text(gate, "conditionType");
            let status = condition(o, kind).map_or("<none>", |c| text(c, "status"));
            w.line(1, format!("{kind} \t{status} "));
        }
    }
    let conditions = list(o, "status.conditions");
    if !conditions.is_empty() {
        w.line(0, "Conditions:\n  Type\tStatus");
        for condition in conditions {
            w.line(1, format!("{} \t{} ", text(condition, "type"), text(condition, "status")));
        }
    }
    volumes(&mut w, list(o, "spec.volumes"), "");
    w.line(0, format!("QoS Class:\t{}", word(at(o, "status.qosClass"))));
    template::labels(&mut w, "", "Node-Selectors", at(o, "spec.nodeSelector"));
    template::tolerations(&mut w, "", list(o, "spec.tolerations"));
    template::spread(&mut w, list(o, "spec.topologySpreadConstraints"), "");
    template::close(w, events)
}
