//! Rows of Services, endpoints, Ingresses.

use api::host_port::join;
use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::field::{at, int, list, pairs, text, word};

pub(super) fn service(o: &Value, now: Timestamp) -> Vec<String> {
    let ports: Vec<String> = list(o, "spec.ports")
        .iter()
        .map(|p| {
            let node = int(p, "nodePort");
            let node = if node > 0 { format!(":{node}") } else { String::new() };
            format!("{}{node}/{}", int(p, "port"), text(p, "protocol"))
        })
        .collect();
    vec![
        name(o),
        text(o, "spec.type").to_owned(),
        match (text(o, "spec.type"), text(o, "spec.clusterIP")) {
            (_, "") => "<none>",
            (_, ip) => ip,
        }
        .to_owned(),
        external_ip(o),
        if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") },
        created(o, now),
        pairs(o, "spec.selector", "<none>"),
    ]
}

/// The EXTERNAL-IP cell of a Service.
#[must_use]
pub(super) fn external_ip(o: &Value) -> String {
    let own: Vec<String> = list(o, "spec.externalIPs").iter().map(word).collect();
    match text(o, "spec.type") {
        "ExternalName" => text(o, "spec.externalName").to_owned(),
        "LoadBalancer" => {
            let mut all = ingress_points(o);
            all.extend(own);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ if own.is_empty() => "<none>".to_owned(),
        _ => own.join(","),
    }
}

/// The PARENTREF cell of an IPAddress: `services/default/web`.
/// Source: `printIPAddress` of `pkg/printers/internalversion/printers.go`.
pub(super) fn parent(o: &Value) -> String {
    let parent = at(o, "spec.parentRef");
    if parent.is_null() {
        return "<none>".to_owned();
    }
    let group = text(parent, "group");
    let resource = text(parent, "resource").to_lowercase();
    let resource = if group.is_empty() { resource } else { format!("{resource}.{}", group.to_lowercase()) };
    let place = [resource.as_str(), text(parent, "namespace"), text(parent, "name")];
    place.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("/")
}

fn ingress_points(o: &Value) -> Vec<String> {
    list(o, "status.loadBalancer.ingress")
        .iter()
        .map(|i| or(text(i, "ip"), text(i, "hostname")).to_owned())
        .filter(|p| !p.is_empty())
        .collect()
}

/// The ENDPOINTS cell, at most `most` of them.
#[must_use]
pub(crate) fn endpoints(o: &Value, most: usize) -> String {
    if list(o, "subsets").is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for subset in list(o, "subsets") {
        let addresses = || list(subset, "addresses").iter().map(|a| text(a, "ip"));
        if list(subset, "ports").is_empty() {
            all.extend(addresses().map(str::to_owned));
        }
        for port in list(subset, "ports") {
            all.extend(addresses().map(|ip| join(ip, int(port, "port"))));
        }
    }
    short(&all, most, "")
}

fn short(all: &[String], most: usize, none: &str) -> String {
    if all.is_empty() {
        return none.to_owned();
    }
    let shown = all.iter().take(most).cloned().collect::<Vec<_>>().join(",");
    if all.len() > most { format!("{shown} + {} more...", all.len() - most) } else { shown }
}

pub(super) fn endpoint_slice(o: &Value, now: Timestamp) -> Vec<String> {
    let ports: Vec<String> = list(o, "ports")
        .iter()
        .map(|p| match (at(p, "port"), text(p, "name")) {
            (Value::Null, "") => "*".to_owned(),
            (Value::Null, name) => name.to_owned(),
            (port, _) => word(port),
        })
        .collect();
    let addresses: Vec<String> =
        list(o, "endpoints").iter().flat_map(|e| list(e, "addresses")).map(word).collect();
    vec![
        name(o),
        text(o, "addressType").to_owned(),
        short(&ports, 3, "<unset>"),
        short(&addresses, 3, "<unset>"),
        created(o, now),
    ]
}

pub(super) fn ingress(o: &Value, now: Timestamp) -> Vec<String> {
    let hosts: Vec<String> =
        list(o, "spec.rules").iter().map(|r| text(r, "host").to_owned()).filter(|h| !h.is_empty()).collect();
    let ports = if list(o, "spec.tls").is_empty() { "80" } else { "80, 443" };
    vec![
        name(o),
        or(text(o, "spec.ingressClassName"), "<none>").to_owned(),
        short(&hosts, 3, "*"),
        ingress_points(o).join(","),
        ports.to_owned(),
        created(o, now),
    ]
}

pub(super) fn ingress_class(o: &Value, now: Timestamp) -> Vec<String> {
    let parameters = at(o, "spec.parameters");
    let shown = if parameters.is_null() {
        "<none>".to_owned()
    } else {
        let group = text(parameters, "apiGroup");
        let kind = text(parameters, "kind");
        let kind = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        format!("{kind}/{}", text(parameters, "name"))
    };
    vec![name(o), text(o, "spec.controller").to_owned(), shown, created(o, now)]
}
