//! Is a Service legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::{
    container, handler, internal,
    meta::{self, text},
    name,
    report::{At, Report},
};
use crate::k8s::core::v1::{Service, ServicePort, ServiceSpec};

const SPEC: At<'static> = At::root("spec");

/// A new Service.
pub(super) fn create(report: &mut Report, service: &Service) {
    meta::object_meta(report, &service.metadata, true, name::label_1035);
    if let Some(spec) = &service.spec {
        self::spec(report, spec);
    }
}

/// A changed Service.
pub(super) fn update(report: &mut Report, new: &Service, old: &Service) {
    meta::object_meta_update(report, &new.metadata, &old.metadata);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let balanced = |spec: &ServiceSpec| spec.type_.as_deref() == Some("LoadBalancer");
    if old.type_.as_deref() != Some("ExternalName") && new.type_.as_deref() != Some("ExternalName") {
        cluster_ips_update(report, new, old);
    }
    if balanced(old) && balanced(new) && old.load_balancer_class != new.load_balancer_class {
        let why = "may not change once set";
        report.invalid(&SPEC.field("loadBalancerClass"), &json!(new.load_balancer_class), why);
    }
    // UPSTREAM: looked at here and with the rest; what is wrong is said twice.
    load_balancer_class(report, new);
    if needs_health_check(old)
        && needs_health_check(new)
        && old.health_check_node_port != new.health_check_node_port
    {
        report.forbidden(&SPEC.field("healthCheckNodePort"), "field is immutable");
    }
    spec(report, new);
}

/// Whether the addresses and families of a Service go together, which is looked at before any is given.
pub(super) fn addresses(report: &mut Report, service: &Service) {
    if let Some(spec) = &service.spec {
        cluster_ips(report, spec);
    }
}

fn cluster_ips_update(report: &mut Report, new: &ServiceSpec, old: &ServiceSpec) {
    let before = old.cluster_ips.as_deref().unwrap_or_default();
    let after = new.cluster_ips.as_deref().unwrap_or_default();
    if let (Some(first), Some(now)) = (before.first(), after.first())
        && first != now
    {
        report.invalid(&SPEC.field("clusterIPs").index(0), &json!(after), "may not change once set");
    }
    if before.len() == 2 && after.len() == 2 && before[1] != after[1] {
        report.invalid(&SPEC.field("clusterIPs").index(1), &json!(after), "may not change once set");
    }
}

fn spec(report: &mut Report, spec: &ServiceSpec) {
    let kind = text(spec.type_.as_ref());
    let ports = spec.ports.as_deref().unwrap_or_default();
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    let headless = ips == ["None"];
    if ports.is_empty() && !headless && kind != "ExternalName" {
        report.required(&SPEC.field("ports"), "");
    }
    if headless && matches!(kind, "LoadBalancer" | "NodePort") {
        let why = format!("may not be set to 'None' for {kind} services");
        report.invalid(&SPEC.field("clusterIPs").index(0), "None", &why);
    }
    if kind == "ExternalName" {
        for (field, there) in [
            ("clusterIPs", !ips.is_empty()),
            ("ipFamilies", spec.ip_families.as_ref().is_some_and(|it| !it.is_empty())),
            ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
        ] {
            if there {
                report.forbidden(&SPEC.field(field), "may not be set for ExternalName services");
            }
        }
        let named = text(spec.external_name.as_ref());
        let named = named.strip_suffix('.').unwrap_or(named);
        if named.is_empty() {
            report.required(&SPEC.field("externalName"), "");
        } else {
            report.each_invalid(&SPEC.field("externalName"), named, name::subdomain(named, false));
        }
    }
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        service_port(report, port, ports.len() > 1, &mut names, &SPEC.field("ports").index(index));
    }
    meta::labels(report, spec.selector.as_ref(), &SPEC.field("selector"));
    session_affinity(report, spec);
    if kind != "ExternalName" {
        cluster_ips(report, spec);
    }
    for (index, ip) in spec.external_ips.iter().flatten().enumerate() {
        let at = SPEC.field("externalIPs");
        let at = at.index(index);
        report.each_invalid(&at, ip, name::ip_errors(ip));
        usable_address(report, ip, &at);
    }
    const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if kind.is_empty() {
        report.required(&SPEC.field("type"), "");
    } else if !TYPES.contains(&kind) {
        report.not_supported(&SPEC.field("type"), kind, TYPES);
    }
    port_conflicts(report, ports, kind);
    load_balancer(report, spec, kind);
    traffic_policies(report, spec, kind);
}

fn service_port<'s>(
    report: &mut Report,
    port: &'s ServicePort,
    needs_name: bool,
    names: &mut BTreeSet<&'s str>,
    at: &At<'_>,
) {
    let named = text(port.name.as_ref());
    if needs_name && named.is_empty() {
        report.required(&at.field("name"), "");
    } else if let Some(name) = port.name.as_ref().filter(|name| !name.is_empty()) {
        report.each_invalid(&at.field("name"), name, name::label(name));
        if !names.insert(name) {
            report.duplicate(&at.field("name"), name);
        }
    }
    report.each_invalid(&at.field("port"), &port.port, name::port_number(port.port));
    container::protocol(report, text(port.protocol.as_ref()), &at.field("protocol"));
    let target = port.target_port.clone().unwrap_or(IntOrString::Int(0));
    handler::port_or_name(report, &target, &at.field("targetPort"));
    if let Some(protocol) = &port.app_protocol {
        report.each_invalid(&at.field("appProtocol"), protocol, name::qualified(protocol));
    }
}

fn session_affinity(report: &mut Report, spec: &ServiceSpec) {
    const MOST: i32 = 86400;
    let at = SPEC.field("sessionAffinity");
    match text(spec.session_affinity.as_ref()) {
        "" => report.required(&at, ""),
        "ClientIP" => {
            let timeout = spec.session_affinity_config.as_ref().and_then(|it| it.client_ip.as_ref());
            if let Some(seconds) =
                timeout.and_then(|it| it.timeout_seconds).filter(|it| !(1..=MOST).contains(it))
            {
                let at = SPEC.field("sessionAffinityConfig.clientIP.timeoutSeconds");
                report.invalid(&at, &seconds, "must be greater than 0 and less than 86400");
            }
        }
        "None" => {
            if spec.session_affinity_config.is_some() {
                let why = "must not be set when session affinity is None";
                report.forbidden(&SPEC.field("sessionAffinityConfig"), why);
            }
        }
        other => report.not_supported(&at, other, &["ClientIP", "None"]),
    }
}

fn cluster_ips(report: &mut Report, spec: &ServiceSpec) {
    let at = SPEC.field("clusterIPs");
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    let one = text(spec.cluster_ip.as_ref());
    match (one, ips.first()) {
        ("", Some(_)) => report.invalid(&at, &json!(ips), "must be empty when `clusterIP` is not specified"),
        ("", None) => {}
        (_, None) => report.required(&at, ""),
        (one, Some(first)) if first != one => {
            report.invalid(&at, &json!(ips), "first value must match `clusterIP`");
        }
        _ => {}
    }
    let families = spec.ip_families.as_deref().unwrap_or_default();
    let at_families = SPEC.field("ipFamilies");
    let mut seen = BTreeSet::new();
    for (index, family) in families.iter().enumerate() {
        if !matches!(family.as_str(), "IPv4" | "IPv6") {
            report.not_supported(&at_families.index(index), family, &["IPv4", "IPv6"]);
        }
        if !seen.insert(family) {
            report.duplicate(&at_families.index(index), family);
        }
    }
    if let Some(policy) = &spec.ip_family_policy {
        const POLICIES: &[&str] = &["PreferDualStack", "RequireDualStack", "SingleStack"];
        if !POLICIES.contains(&policy.as_str()) {
            report.not_supported(&SPEC.field("ipFamilyPolicy"), policy, POLICIES);
        }
    }
    let mut wrong = false;
    for (index, ip) in ips.iter().enumerate() {
        if index == 0 && ip == "None" {
            if ips.len() > 1 {
                wrong = true;
                report.invalid(&at, &json!(ips), "'None' must be the first and only value");
            }
            continue;
        }
        let errors = name::ip_errors(ip);
        wrong |= !errors.is_empty();
        report.each_invalid(&at.index(index), ip, errors);
    }
    if ips.len() > 2 {
        report.invalid(&at, &json!(ips), "may only hold up to 2 values");
    }
    if wrong {
        return;
    }
    let parsed: Vec<_> = ips.iter().filter_map(|ip| name::ip(ip)).collect();
    if ips.len() > 1 && (parsed.len() != 2 || parsed[0].is_ipv4() == parsed[1].is_ipv4()) {
        report.invalid(&at, &json!(ips), "may specify no more than one IP for each IP family");
    }
    for (index, (ip, family)) in ips.iter().zip(families).enumerate() {
        let Some(is_v4) = name::ip(ip).map(|ip| ip.is_ipv4()) else { continue };
        if (family == "IPv4" && !is_v4) || (family == "IPv6" && is_v4) {
            let why = format!("expected an {family} value as indicated by `ipFamilies[{index}]`");
            report.invalid(&at.index(index), ip, &why);
        }
    }
}

/// An address that can be somebody else's; what is no address has been refused already.
pub(super) fn usable_address(report: &mut Report, text: &str, at: &At<'_>) {
    let Some(ip) = name::ip(text) else { return };
    let (link_local, link_local_multicast) = match ip {
        std::net::IpAddr::V4(ip) => (ip.is_link_local(), ip.octets()[..3] == [224, 0, 0]),
        std::net::IpAddr::V6(ip) => {
            (ip.segments()[0] & 0xffc0 == 0xfe80, ip.segments()[0] & 0xff0f == 0xff02)
        }
    };
    if ip.is_unspecified() {
        report.invalid(at, text, &format!("may not be unspecified ({text})"));
    }
    if ip.is_loopback() {
        report.invalid(at, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    }
    if link_local {
        report.invalid(at, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    }
    if link_local_multicast {
        report.invalid(at, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
    }
}

fn port_conflicts(report: &mut Report, ports: &[ServicePort], kind: &str) {
    let at = SPEC.field("ports");
    if kind == "ClusterIP" {
        for (index, _) in ports.iter().enumerate().filter(|(_, port)| port.node_port.unwrap_or_default() != 0)
        {
            report
                .forbidden(&at.index(index).field("nodePort"), "may not be used when `type` is 'ClusterIP'");
        }
    }
    let mut taken = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let Some(number) = port.node_port.filter(|number| *number != 0) else { continue };
        if !taken.insert((text(port.protocol.as_ref()), number)) {
            report.duplicate(&at.index(index).field("nodePort"), &number);
        }
    }
    let mut served = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let protocol = text(port.protocol.as_ref());
        if !served.insert((protocol, port.port)) {
            report.duplicate(&at.index(index), &internal::service_port(protocol, port.port));
        }
    }
}

fn load_balancer(report: &mut Report, spec: &ServiceSpec, kind: &str) {
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    let at = SPEC.field("LoadBalancerSourceRanges");
    if !ranges.is_empty() && kind != "LoadBalancer" {
        report.forbidden(&at, only);
    }
    for (index, range) in ranges.iter().enumerate() {
        let range = range.trim();
        report.each_invalid(&at.index(index), range, name::cidr_errors(range));
    }
    if spec.allocate_load_balancer_node_ports.is_some() && kind != "LoadBalancer" {
        report.forbidden(&SPEC.field("allocateLoadBalancerNodePorts"), only);
    }
    load_balancer_class(report, spec);
}

fn load_balancer_class(report: &mut Report, spec: &ServiceSpec) {
    let Some(class) = &spec.load_balancer_class else { return };
    let at = SPEC.field("loadBalancerClass");
    if text(spec.type_.as_ref()) == "LoadBalancer" {
        report.each_invalid(&at, class, name::qualified(class));
    } else {
        report.forbidden(&at, "may only be used when `type` is 'LoadBalancer'");
    }
}

fn traffic_policies(report: &mut Report, spec: &ServiceSpec, kind: &str) {
    let outside = matches!(kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()));
    let external = text(spec.external_traffic_policy.as_ref());
    let at = SPEC.field("externalTrafficPolicy");
    if outside {
        match external {
            "Cluster" | "Local" => {}
            "" => report.required(&at, ""),
            other => report.not_supported(&at, other, &["Cluster", "Local"]),
        }
    } else if !external.is_empty() {
        report.invalid(&at, external, "may only be set for externally-accessible services");
    }
    let at = SPEC.field("healthCheckNodePort");
    let number = spec.health_check_node_port.unwrap_or_default();
    if !needs_health_check(spec) {
        if number != 0 {
            let why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            report.invalid(&at, &number, why);
        }
    } else if number == 0 {
        report.required(&at, "");
    } else {
        report.each_invalid(&at, &number, name::port_number(number));
    }
    let at = SPEC.field("internalTrafficPolicy");
    match spec.internal_traffic_policy.as_deref() {
        None if matches!(kind, "NodePort" | "LoadBalancer" | "ClusterIP") => report.required(&at, ""),
        None | Some("Cluster" | "Local") => {}
        Some(other) => report.not_supported(&at, other, &["Cluster", "Local"]),
    }
    const WISHES: &[&str] = &["PreferClose", "PreferSameZone", "PreferSameNode"];
    if let Some(wish) = spec.traffic_distribution.as_ref().filter(|wish| !WISHES.contains(&wish.as_str())) {
        report.not_supported(&SPEC.field("trafficDistribution"), wish, WISHES);
    }
}

fn needs_health_check(spec: &ServiceSpec) -> bool {
    spec.type_.as_deref() == Some("LoadBalancer") && spec.external_traffic_policy.as_deref() == Some("Local")
}
