//! `describe` for Services and endpoints.

use api::{Kind, host_port::join};
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Kube,
    client::Selection,
    field::{at, int, list, name, name_of, namespace, text, word},
};

pub(super) fn service(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.line(0, format!("Selector:\t{}", template::selector(o, "spec.selector")));
    let kind = text(o, "spec.type");
    w.line(0, format!("Type:\t{kind}"));
    if !text(o, "spec.ipFamilyPolicy").is_empty() {
        w.line(0, format!("IP Family Policy:\t{}", text(o, "spec.ipFamilyPolicy")));
    }
    let joined = |path: &str, none: &str| {
        let all: Vec<String> = list(o, path).iter().map(word).collect();
        if all.is_empty() { none.to_owned() } else { all.join(",") }
    };
    w.line(0, format!("IP Families:\t{}", joined("spec.ipFamilies", "<none>")));
    w.line(0, format!("IP:\t{}", text(o, "spec.clusterIP")));
    w.line(0, format!("IPs:\t{}", joined("spec.clusterIPs", "<none>")));
    if !list(o, "spec.externalIPs").is_empty() {
        w.line(0, format!("External IPs:\t{}", joined("spec.externalIPs", "")));
    }
    for (title, path) in
        [("Desired LoadBalancer IP", "spec.loadBalancerIP"), ("External Name", "spec.externalName")]
    {
        if !text(o, path).is_empty() {
            w.line(0, format!("{title}:\t{}", text(o, path)));
        }
    }
    let ingress: Vec<String> = list(o, "status.loadBalancer.ingress")
        .iter()
        .map(|i| match (text(i, "ip"), text(i, "ipMode")) {
            ("", _) => text(i, "hostname").to_owned(),
            (ip, "") => ip.to_owned(),
            (ip, mode) => format!("{ip} ({mode})"),
        })
        .collect();
    if !ingress.is_empty() {
        w.line(0, format!("LoadBalancer Ingress:\t{}", ingress.join(", ")));
    }
    let selection =
        Selection { labels: format!("kubernetes.io/service-name={}", name(o)), fields: String::new() };
    let slices = kube.list(Kind::EndpointSlice, namespace(o), &selection)?;
    for port in list(o, "spec.ports") {
        let port_name = match name_of(port) {
            "" => "<unset>",
            name => name,
        };
        let protocol = text(port, "protocol");
        w.line(0, format!("Port:\t{port_name}\t{}/{protocol}", int(port, "port")));
        w.line(0, format!("TargetPort:\t{}/{protocol}", word(at(port, "targetPort"))));
        if int(port, "nodePort") != 0 {
            w.line(0, format!("NodePort:\t{port_name}\t{}/{protocol}", int(port, "nodePort")));
        }
        w.line(0, format!("Endpoints:\t{}", of_slices(&slices, name_of(port))));
    }
    w.line(0, format!("Session Affinity:\t{}", text(o, "spec.sessionAffinity")));
    for (title, path) in [
        ("External Traffic Policy", "spec.externalTrafficPolicy"),
        ("Internal Traffic Policy", "spec.internalTrafficPolicy"),
    ] {
        if !text(o, path).is_empty() {
            w.line(0, format!("{title}:\t{}", text(o, path)));
        }
    }
    if int(o, "spec.healthCheckNodePort") != 0 {
        w.line(0, format!("HealthCheck NodePort:\t{}", int(o, "spec.healthCheckNodePort")));
    }
    let ranges: Vec<String> = list(o, "spec.loadBalancerSourceRanges").iter().map(word).collect();
    if !ranges.is_empty() {
        w.line(0, format!("LoadBalancer Source Ranges:\t{}", ranges.join(",")));
    }
    Ok(template::close(w, events))
}

/// Ready endpoints behind a port, at most three.
pub(super) fn of_slices(slices: &[Value], port_name: &str) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    // The first three, and whether anything came after them.
    let (mut shown, mut count, mut more) = (Vec::new(), 0_usize, false);
    let mut add = |endpoint: &Value, port: Option<&Value>| {
        more |= shown.len() == 3;
        if at(endpoint, "conditions.ready") == &Value::Bool(false) {
            return;
        }
        count += 1;
        if !more {
            let address = list(endpoint, "addresses").first().map(word).unwrap_or_default();
            shown.push(port.map_or(address.clone(), |port| join(&address, int(port, "port"))));
        }
    };
    for slice in slices {
        let ports = list(slice, "ports");
        if ports.is_empty() {
            list(slice, "endpoints").iter().for_each(|endpoint| add(endpoint, None));
        }
        for port in ports.iter().filter(|p| name_of(p) == port_name) {
            list(slice, "endpoints").iter().for_each(|endpoint| add(endpoint, Some(port)));
        }
    }
    let text = shown.join(",");
    // UPSTREAM: an endpoint that is not ready counts as more, though not in the number.
    if more { format!("{text} + {} more...", count as i64 - 3) } else { text }
}

pub(super) fn endpoints(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.line(0, "Subsets:");
    for subset in list(o, "subsets") {
        for (title, field) in [("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")] {
            let all: Vec<&str> = list(subset, field).iter().map(|a| text(a, "ip")).collect();
            let shown = if all.is_empty() { "<none>".to_owned() } else { all.join(",") };
            w.line(1, format!("{title}:\t{shown}"));
        }
        if !list(subset, "ports").is_empty() {
            w.line(1, "Ports:");
            w.line(2, "Name\tPort\tProtocol");
            w.line(2, "----\t----\t--------");
            for port in list(subset, "ports") {
                let shown = match name_of(port) {
                    "" => "<unset>",
                    name => name,
                };
                w.line(2, format!("{shown}\t{}\t{}", int(port, "port"), text(port, "protocol")));
            }
        }
        w.line(0, "");
    }
    template::close(w, events)
}

pub(super) fn slice(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.line(0, format!("AddressType:\t{}", text(o, "addressType")));
    let unset = |value: &Value| if value.is_null() { "<unset>".to_owned() } else { word(value) };
    if list(o, "ports").is_empty() {
        w.line(0, "Ports: <unset>");
    } else {
        w.line(0, "Ports:");
        w.line(1, "Name\tPort\tProtocol");
        w.line(1, "----\t----\t--------");
    }
    for port in list(o, "ports") {
        let name = if name_of(port).is_empty() { "<unset>" } else { name_of(port) };
        w.line(1, format!("{name}\t{}\t{}", unset(at(port, "port")), text(port, "protocol")));
    }
    let endpoints = list(o, "endpoints");
    w.line(0, if endpoints.is_empty() { "Endpoints: <none>" } else { "Endpoints:" });
    for endpoint in endpoints {
        let addresses: Vec<String> = list(endpoint, "addresses").iter().map(word).collect();
        let addresses = if addresses.is_empty() { "<none>".to_owned() } else { addresses.join(", ") };
        w.line(1, format!("- Addresses:\t{addresses}"));
        w.line(2, "Conditions:");
        w.line(3, format!("Ready:\t{}", unset(at(endpoint, "conditions.ready"))));
        w.line(2, format!("Hostname:\t{}", unset(at(endpoint, "hostname"))));
        let target = at(endpoint, "targetRef");
        if !target.is_null() {
            w.line(2, format!("TargetRef:\t{}/{}", text(target, "kind"), name_of(target)));
        }
        w.line(2, format!("NodeName:\t{}", unset(at(endpoint, "nodeName"))));
        w.line(2, format!("Zone:\t{}", unset(at(endpoint, "zone"))));
    }
    template::close(w, events)
}
