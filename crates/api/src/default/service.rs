//! What do Services and endpoints get that do not ask for it?

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{blank, blank_to, missing_to};
use crate::k8s::{
    core::v1::{ClientIPConfig, Endpoints, Service, SessionAffinityConfig},
    discovery::v1::EndpointSlice,
};

pub(super) fn service(service: &mut Service) {
    let spec = service.spec.get_or_insert_default();
    blank_to(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config = spec.session_affinity_config.take().and_then(|it| it.client_ip);
            let timeout_seconds = config.and_then(|it| it.timeout_seconds).or(Some(10800));
            let client_ip = Some(ClientIPConfig { timeout_seconds });
            spec.session_affinity_config = Some(SessionAffinityConfig { client_ip });
        }
        _ => {}
    }
    blank_to(&mut spec.type_, "ClusterIP");
    for port in spec.ports.iter_mut().flatten() {
        blank_to(&mut port.protocol, "TCP");
        let unset = match &port.target_port {
            None | Some(IntOrString::Int(0)) => true,
            Some(IntOrString::String(name)) => name.is_empty(),
            Some(IntOrString::Int(_)) => false,
        };
        if unset {
            port.target_port = Some(IntOrString::Int(port.port));
        }
    }
    let kind = spec.type_.as_deref().unwrap_or_default();
    let outside = matches!(kind, "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()));
    if outside && blank(spec.external_traffic_policy.as_ref()) {
        spec.external_traffic_policy = Some("Cluster".to_owned());
    }
    if matches!(kind, "NodePort" | "LoadBalancer" | "ClusterIP") && spec.internal_traffic_policy.is_none() {
        spec.internal_traffic_policy = Some("Cluster".to_owned());
    }
    if kind == "LoadBalancer" {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
    }
}

pub(super) fn endpoints(endpoints: &mut Endpoints) {
    for port in endpoints.subsets.iter_mut().flatten().filter_map(|it| it.ports.as_mut()).flatten() {
        blank_to(&mut port.protocol, "TCP");
    }
}

pub(super) fn endpoint_slice(slice: &mut EndpointSlice) {
    for port in slice.ports.iter_mut().flatten() {
        port.name.get_or_insert_default();
        missing_to(&mut port.protocol, "TCP");
    }
}
