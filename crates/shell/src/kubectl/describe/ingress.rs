//! `describe` for Ingresses and their classes.

use api::Kind;
use serde_json::Value;

use super::{network, template, writer::Writer};
use crate::kubectl::{
    Fail, Kube,
    client::Selection,
    field::{at, int, list, name, name_of, namespace, text, word},
};

pub(super) fn ingress(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::labels(&mut w, "", "Labels", at(o, "metadata.labels"));
    w.line(0, format!("Namespace:\t{}", namespace(o)));
    w.line(0, format!("Address:\t{}", addresses(o)));
    let class = at(o, "spec.ingressClassName").as_str().unwrap_or("<none>");
    w.line(0, format!("Ingress Class:\t{class}"));
    let fallback = match at(o, "spec.defaultBackend") {
        Value::Null => "<default>".to_owned(),
        backend => describe(kube, namespace(o), backend),
    };
    w.line(0, format!("Default backend:\t{fallback}"));
    if !list(o, "spec.tls").is_empty() {
        w.line(0, "TLS:");
    }
    for tls in list(o, "spec.tls") {
        let hosts: Vec<String> = list(tls, "hosts").iter().map(word).collect();
        let hosts = hosts.join(",");
        match text(tls, "secretName") {
            "" => w.line(1, format!("SNI routes {hosts}")),
            secret => w.line(1, format!("{secret} terminates {hosts}")),
        }
    }
    w.line(0, "Rules:");
    w.line(1, "Host\tPath\tBackends");
    w.line(1, "----\t----\t--------");
    let mut none = true;
    for rule in list(o, "spec.rules").iter().filter(|r| !at(r, "http").is_null()) {
        none = false;
        let host = match text(rule, "host") {
            "" => "*",
            host => host,
        };
        w.line(1, format!("{host}\t"));
        for path in list(rule, "http.paths") {
            let backend = describe(kube, namespace(o), at(path, "backend"));
            w.line(2, format!("\t{} \t{backend}", text(path, "path")));
        }
    }
    if none {
        w.line(1, format!("*\t*\t{fallback}"));
    }
    template::annotations(&mut w, "", at(o, "metadata.annotations"));
    template::close(w, events)
}

fn addresses(o: &Value) -> String {
    let mut all: Vec<&str> = list(o, "status.loadBalancer.ingress")
        .iter()
        .map(|i| if text(i, "ip").is_empty() { text(i, "hostname") } else { text(i, "ip") })
        .filter(|a| !a.is_empty())
        .collect();
    all.sort_unstable();
    all.dedup();
    all.join(",")
}

/// `web:80 (10.20.1.21:80)`.
fn describe(kube: &mut Kube<'_, '_>, space: &str, backend: &Value) -> String {
    let service = at(backend, "service");
    if service.is_null() {
        let resource = at(backend, "resource");
        if resource.is_null() {
            return String::new();
        }
        let group = at(resource, "apiGroup").as_str().unwrap_or("<none>");
        return format!("APIGroup: {group}, Kind: {}, Name: {}", text(resource, "kind"), name_of(resource));
    }
    let (number, port) = (int(service, "port.number"), text(service, "port.name"));
    let shown = if number == 0 { port.to_owned() } else { number.to_string() };
    let shown = format!("{}:{shown}", name_of(service));
    let inside = match endpoints(kube, space, service, (number, port)) {
        Ok(endpoints) => endpoints,
        Err(fail) => format!("<error: {}>", fail.bare()),
    };
    format!("{shown} ({inside})")
}

fn endpoints(
    kube: &mut Kube<'_, '_>,
    space: &str,
    backend: &Value,
    (number, port): (i64, &str),
) -> Result<String, Fail> {
    let labels = format!("kubernetes.io/service-name={}", name_of(backend));
    let slices = kube.list(Kind::EndpointSlice, space, &Selection { labels, fields: String::new() })?;
    let service = kube.get(Kind::Service, space, name_of(backend))?;
    let named = list(&service, "spec.ports").iter().rev().find(|p| {
        if number != 0 && int(p, "port") == number { true } else { !port.is_empty() && name_of(p) == port }
    });
    Ok(network::of_slices(&slices, named.map_or("", |p| name_of(p))))
}

pub(super) fn class(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    template::marks(&mut w, o);
    w.line(0, format!("Controller:\t{}", text(o, "spec.controller")));
    let parameters = at(o, "spec.parameters");
    if !parameters.is_null() {
        w.line(0, "Parameters:");
        for (title, field) in [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")] {
            if field != "apiGroup" || !at(parameters, field).is_null() {
                w.line(1, format!("{title}:\t{}", text(parameters, field)));
            }
        }
    }
    template::close(w, events)
}
