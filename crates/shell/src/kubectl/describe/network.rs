//! `describe` for Services and endpoints.

use api::Kind;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Kube,
    client::Selection,
    field::{at, int, list, name, name_of, namespace, text, word},
    print::cells::external_ip,
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
    if !text(o, "spec.externalName").is_empty() {
        w.line(0, format!("External Name:\t{}", text(o, "spec.externalName")));
    }
    if !text(o, "spec.loadBalancerIP").is_empty() {
        w.line(0, format!("Desired LoadBalancer IP:\t{}", text(o, "spec.loadBalancerIP")));
    }
    if !list(o, "status.loadBalancer.ingress").is_empty() {
        let shown = external_ip(o);
        let mode = text(&list(o, "status.loadBalancer.ingress")[0], "ipMode");
        let mode = if mode.is_empty() { String::new() } else { format!(" ({mode})") };
        w.line(0, format!("LoadBalancer Ingress:\t{shown}{mode}"));
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
fn of_slices(slices: &[Value], port_name: &str) -> String {
    if slices.is_empty() {
        return String::new();
    }
    let mut all = Vec::new();
    for slice in slices {
        for port in list(slice, "ports").iter().filter(|p| name_of(p) == port_name) {
            for endpoint in list(slice, "endpoints") {
                if at(endpoint, "conditions.ready") == &Value::Bool(false) {
                    continue;
                }
                all.extend(
                    list(endpoint, "addresses").iter().map(|a| format!("{}:{}", word(a), int(port, "port"))),
                );
            }
        }
    }
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    if all.len() > 3 { format!("{shown} + {} more...", all.len() - 3) } else { shown }
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
