//! Are NetworkPolicies and Ingresses legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/networking/validation`.

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::{
    meta::{self, text},
    name,
    report::{At, Report},
};
use crate::{
    default::blank,
    k8s::networking::v1::{
        HTTPIngressPath, IPBlock, Ingress, IngressBackend, IngressSpec, NetworkPolicy, NetworkPolicyPeer,
        NetworkPolicyPort,
    },
};

const SPEC: At<'static> = At::root("spec");

pub(super) fn network_policy(report: &mut Report, policy: &NetworkPolicy) {
    meta::object_meta(report, &policy.metadata, true, name::subdomain);
    policy_spec(report, policy);
}

pub(super) fn network_policy_update(report: &mut Report, new: &NetworkPolicy, old: &NetworkPolicy) {
    // UPSTREAM: looked at as a new one and as a changed one; what is wrong is said twice.
    network_policy(report, new);
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    policy_spec(report, new);
}

fn policy_spec(report: &mut Report, policy: &NetworkPolicy) {
    let Some(spec) = &policy.spec else { return };
    meta::label_selector(report, spec.pod_selector.as_ref(), &SPEC.field("podSelector"));
    let at = SPEC.field("ingress");
    for (index, rule) in spec.ingress.iter().flatten().enumerate() {
        let at = at.index(index);
        ports(report, rule.ports.as_deref(), &at.field("ports"));
        peers(report, rule.from.as_deref(), &at.field("from"));
    }
    let at = SPEC.field("egress");
    for (index, rule) in spec.egress.iter().flatten().enumerate() {
        let at = at.index(index);
        ports(report, rule.ports.as_deref(), &at.field("ports"));
        peers(report, rule.to.as_deref(), &at.field("to"));
    }
    let types = spec.policy_types.as_deref().unwrap_or_default();
    let at = SPEC.field("policyTypes");
    if types.len() > 2 {
        report.invalid(&at, &json!(types), "may not specify more than two policyTypes");
        return;
    }
    for (index, kind) in
        types.iter().enumerate().filter(|(_, it)| !matches!(it.as_str(), "Ingress" | "Egress"))
    {
        report.not_supported(&at.index(index), kind, &["Ingress", "Egress"]);
    }
}

fn ports(report: &mut Report, ports: Option<&[NetworkPolicyPort]>, at: &At<'_>) {
    for (index, port) in ports.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        if let Some(protocol) =
            port.protocol.as_ref().filter(|it| !matches!(it.as_str(), "TCP" | "UDP" | "SCTP"))
        {
            report.not_supported(&at.field("protocol"), protocol, &["TCP", "UDP", "SCTP"]);
        }
        let at_end = at.field("endPort");
        match (&port.port, port.end_port) {
            (Some(IntOrString::Int(number)), end) => {
                report.each_invalid(&at.field("port"), number, name::port_number(*number));
                let Some(end) = end else { continue };
                if end < *number {
                    // UPSTREAM: the value shown is the port's.
                    report.invalid(&at_end, number, "must be greater than or equal to `port`");
                }
                report.each_invalid(&at_end, &end, name::port_number(end));
            }
            (Some(IntOrString::String(named)), end) => {
                if let Some(end) = end {
                    report.invalid(&at_end, &end, "may not be specified when `port` is non-numeric");
                }
                report.each_invalid(&at.field("port"), named, name::port_name(named));
            }
            (None, Some(end)) => {
                report.invalid(&at_end, &end, "may not be specified when `port` is not specified");
            }
            (None, None) => {}
        }
    }
}

fn peers(report: &mut Report, peers: Option<&[NetworkPolicyPeer]>, at: &At<'_>) {
    for (index, peer) in peers.unwrap_or_default().iter().enumerate() {
        let at = at.index(index);
        meta::label_selector(report, peer.pod_selector.as_ref(), &at.field("podSelector"));
        meta::label_selector(report, peer.namespace_selector.as_ref(), &at.field("namespaceSelector"));
        if let Some(block) = &peer.ip_block {
            ip_block(report, block, &at.field("ipBlock"));
        }
        let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
        match (selects, peer.ip_block.is_some()) {
            (false, false) => report.required(&at, "must specify a peer"),
            (true, true) => report.forbidden(&at, "may not specify both ipBlock and another peer"),
            _ => {}
        }
    }
}

fn ip_block(report: &mut Report, block: &IPBlock, at: &At<'_>) {
    if block.cidr.is_empty() {
        report.required(&at.field("cidr"), "");
        return;
    }
    report.each_invalid(&at.field("cidr"), &block.cidr, name::cidr_errors(&block.cidr));
    let Some((address, length)) = name::cidr(&block.cidr) else { return };
    let at = at.field("except");
    for (index, except) in block.except.iter().flatten().enumerate() {
        report.each_invalid(&at.index(index), except, name::cidr_errors(except));
        let Some((inner, inner_length)) = name::cidr(except) else { continue };
        let within = ipnet::IpNet::new(address, length).is_ok_and(|block| block.contains(&inner));
        if !within || length >= inner_length {
            report.invalid(&at.index(index), except, "must be a strict subset of `cidr`");
        }
    }
}

pub(super) fn ingress(report: &mut Report, ingress: &Ingress) {
    const CLASS: &str = "kubernetes.io/ingress.class";
    meta::object_meta(report, &ingress.metadata, true, name::subdomain);
    let Some(spec) = &ingress.spec else {
        return ingress_spec(report, &IngressSpec::default());
    };
    ingress_spec(report, spec);
    let annotation = ingress.metadata.annotations.as_ref().and_then(|it| it.get(CLASS));
    if let (Some(annotation), Some(class)) = (annotation, &spec.ingress_class_name)
        && annotation != class
    {
        let why = "must match `ingressClassName` when both are specified";
        report.invalid(&At::root("annotations").field(CLASS), annotation, why);
    }
}

pub(super) fn ingress_update(report: &mut Report, new: &Ingress, old: &Ingress) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    meta::object_meta(report, &new.metadata, true, name::subdomain);
    ingress_spec(report, &new.spec.clone().unwrap_or_default());
}

fn ingress_spec(report: &mut Report, spec: &IngressSpec) {
    let rules = spec.rules.as_deref().unwrap_or_default();
    if rules.is_empty() && spec.default_backend.is_none() {
        report.invalid(&SPEC, &Value::Null, "either `defaultBackend` or `rules` must be specified");
    }
    if let Some(it) = &spec.default_backend {
        backend(report, it, &SPEC.field("defaultBackend"));
    }
    let at = SPEC.field("rules");
    for (index, rule) in rules.iter().enumerate() {
        let at = at.index(index);
        if let Some(host) = rule.host.as_ref().filter(|host| !host.is_empty()) {
            let at = at.field("host");
            if name::ip(host).is_some() {
                report.invalid(&at, host, "must be a DNS name, not an IP address");
            }
            report.each_invalid(&at, host, host_errors(host));
        }
        let Some(http) = &rule.http else { continue };
        let at = at.field("http.paths");
        if http.paths.is_empty() {
            report.required(&at, "");
        }
        for (index, it) in http.paths.iter().enumerate() {
            path(report, it, &at.index(index));
        }
    }
    let at = SPEC.field("tls");
    for (index, tls) in spec.tls.iter().flatten().enumerate() {
        let at = at.index(index);
        for (index, host) in tls.hosts.iter().flatten().enumerate() {
            report.each_invalid(&at.field("hosts").index(index), host, host_errors(host));
        }
        if let Some(secret) = tls.secret_name.as_ref().filter(|it| !it.is_empty()) {
            report.each_invalid(&at.field("secretName"), secret, name::subdomain(secret, false));
        }
    }
    if let Some(class) = &spec.ingress_class_name {
        report.each_invalid(&SPEC.field("ingressClassName"), class, name::subdomain(class, false));
    }
}

fn host_errors(host: &str) -> Vec<String> {
    if host.contains('*') { name::wildcard_subdomain(host) } else { name::subdomain(host, false) }
}

fn path(report: &mut Report, path: &HTTPIngressPath, at: &At<'_>) {
    const TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];
    let (given, at_path) = (text(path.path.as_ref()), at.field("path"));
    match path.path_type.as_str() {
        "" => {
            report.required(&at.field("pathType"), "pathType must be specified");
            return;
        }
        "Exact" | "Prefix" => {
            if !given.starts_with('/') {
                report.invalid(&at_path, given, "must be an absolute path");
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"].iter().filter(|part| given.contains(**part)) {
                report.invalid(&at_path, given, &format!("must not contain '{part}'"));
            }
            for end in ["/..", "/."].iter().filter(|end| given.ends_with(**end)) {
                report.invalid(&at_path, given, &format!("cannot end with '{end}'"));
            }
        }
        "ImplementationSpecific" => {
            if !given.is_empty() && !given.starts_with('/') {
                report.invalid(&at_path, given, "must be an absolute path");
            }
        }
        other => report.not_supported(&at.field("pathType"), other, TYPES),
    }
    backend(report, &path.backend, &at.field("backend"));
}

fn backend(report: &mut Report, backend: &IngressBackend, at: &At<'_>) {
    let Some(service) = &backend.service else {
        match &backend.resource {
            None => report.invalid(at, "", "resource or service backend is required"),
            Some(resource) => {
                for (field, value) in [("kind", &resource.kind), ("name", &resource.name)] {
                    if value.is_empty() {
                        report.required(&at.field("resource").field(field), "");
                    }
                    let place = at.field("resource");
                    let place = place.field(field);
                    report.each_invalid(&place, value, name::path_segment(value, false));
                }
            }
        }
        return;
    };
    if backend.resource.is_some() {
        report.invalid(at, "", "cannot set both resource and service backends");
        return;
    }
    let at_service = at.field("service");
    if service.name.is_empty() {
        report.required(&at_service.field("name"), "");
    } else {
        report.each_invalid(&at_service.field("name"), &service.name, name::label_1035(&service.name, false));
    }
    let port = service.port.clone().unwrap_or_default();
    match (!blank(port.name.as_ref()), port.number.filter(|it| *it != 0)) {
        (true, Some(_)) => report.invalid(at, "", "cannot set both port name & port number"),
        (true, None) => {
            let named = text(port.name.as_ref());
            report.each_invalid(&at_service.field("port.name"), named, name::port_name(named));
        }
        (false, Some(number)) => {
            report.each_invalid(&at_service.field("port.number"), &number, name::port_number(number));
        }
        (false, None) => report.required(at, "port name or number is required"),
    }
}
