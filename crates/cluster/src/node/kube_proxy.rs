//! Which backends does kube-proxy know for a Service's address?
//!
//! Rules as data, the same on every node: derived from Services and EndpointSlices, never stored.
//! Source: kubernetes `pkg/proxy` (endpoints that are ready; serving and terminating ones only if none is ready).

use std::net::IpAddr;

use api::{
    Kind,
    k8s::{
        core::v1::Service,
        discovery::v1::{Endpoint, EndpointSlice},
    },
};

use crate::{ClusterId, Store};

/// The way of one Service port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRule {
    /// The Service's namespace.
    pub namespace: String,
    /// The Service's name.
    pub name: String,
    /// The port's name; empty if it is the only one.
    pub port_name: String,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// The virtual address.
    pub cluster_ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// The port on every node, where there is one.
    pub node_port: Option<u16>,
    /// Where a connection may end, by address: one is picked at random.
    pub backends: Vec<Backend>,
}

/// One place where a connection may end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// The pod's address.
    pub ip: IpAddr,
    /// The port it serves.
    pub port: u16,
    /// The pod's name, where the slice says it.
    pub pod: Option<String>,
    /// The pod's node.
    pub node: Option<String>,
}

/// The rules of every Service of a cluster, by namespace, name and port.
#[must_use]
pub fn rules(store: &Store, cluster: ClusterId) -> Vec<ServiceRule> {
    store.list::<Service>(cluster, None).flat_map(|service| of_service(store, cluster, service)).collect()
}

/// The addresses where connections to a Service may end.
pub(crate) fn addresses(store: &Store, cluster: ClusterId, service: &Service) -> Vec<IpAddr> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (namespace, name) = (text(&service.metadata.namespace), text(&service.metadata.name));
    let ports = service.spec.iter().filter_map(|spec| spec.ports.as_ref()).flatten();
    let mut all: Vec<IpAddr> = ports
        .flat_map(|port| backends(store, cluster, &namespace, &name, &text(&port.name)))
        .map(|backend| backend.ip)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn of_service(store: &Store, cluster: ClusterId, service: &Service) -> Vec<ServiceRule> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (namespace, name) = (text(&service.metadata.namespace), text(&service.metadata.name));
    let Some(spec) = &service.spec else { return Vec::new() };
    // A headless Service has no address of its own: names alone lead to its pods.
    let Some(cluster_ip) = spec.cluster_ip.as_deref().and_then(|ip| ip.parse().ok()) else {
        return Vec::new();
    };
    let number = |port: i32| u16::try_from(port).unwrap_or_default();
    spec.ports
        .iter()
        .flatten()
        .map(|port| {
            let port_name = text(&port.name);
            ServiceRule {
                backends: backends(store, cluster, &namespace, &name, &port_name),
                namespace: namespace.clone(),
                name: name.clone(),
                port_name,
                protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
                cluster_ip,
                port: number(port.port),
                node_port: port.node_port.map(number),
            }
        })
        .collect()
}

fn backends(
    store: &Store,
    cluster: ClusterId,
    namespace: &str,
    service: &str,
    port_name: &str,
) -> Vec<Backend> {
    let slices = store.list::<EndpointSlice>(cluster, Some(namespace)).filter(|slice| {
        let labels = slice.metadata.labels.as_ref();
        labels.and_then(|l| l.get("kubernetes.io/service-name")).is_some_and(|name| name == service)
    });
    let mut all: Vec<(&Endpoint, u16)> = Vec::new();
    for slice in slices {
        let ports = slice.ports.iter().flatten();
        let port =
            ports.filter(|port| port.name.as_deref().unwrap_or_default() == port_name).find_map(|p| p.port);
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else { continue };
        all.extend(slice.endpoints.iter().map(|endpoint| (endpoint, port)));
    }
    let is = |endpoint: &Endpoint, ready: bool| {
        let conditions = endpoint.conditions.as_ref();
        let says = |flag: Option<bool>, unset| flag.unwrap_or(unset);
        if ready {
            conditions.is_none_or(|c| says(c.ready, true))
        } else {
            conditions.is_some_and(|c| says(c.serving, false) && says(c.terminating, false))
        }
    };
    let ready = all.iter().any(|(endpoint, _)| is(endpoint, true));
    let mut backends: Vec<Backend> = all
        .iter()
        .filter(|(endpoint, _)| is(endpoint, ready))
        .flat_map(|(endpoint, port)| endpoint.addresses.iter().map(move |ip| (*endpoint, ip, *port)))
        .filter_map(|(endpoint, ip, port)| {
            let target =
                endpoint.target_ref.as_ref().filter(|t| t.kind.as_deref() == Some(Kind::Pod.info().kind));
            Some(Backend {
                ip: ip.parse().ok()?,
                port,
                pod: target.and_then(|target| target.name.clone()),
                node: endpoint.node_name.clone(),
            })
        })
        .collect();
    backends.sort();
    backends.dedup();
    backends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::tests::fixture;

    #[test]
    fn a_service_leads_to_its_ready_pods() {
        let world = fixture("tiny");
        let rules = rules(world.store(), ClusterId(1));
        let dns: Vec<&ServiceRule> = rules.iter().filter(|rule| rule.name == "kube-dns").collect();
        let ports: Vec<(&str, &str, u16)> =
            dns.iter().map(|rule| (rule.port_name.as_str(), rule.protocol.as_str(), rule.port)).collect();
        assert_eq!(ports, [("dns", "UDP", 53), ("dns-tcp", "TCP", 53), ("metrics", "TCP", 9153)]);
        assert_eq!(dns[0].cluster_ip.to_string(), "172.20.0.10");
        let backends: Vec<String> = dns[0].backends.iter().map(|b| format!("{}:{}", b.ip, b.port)).collect();
        assert_eq!(backends, ["10.0.64.70:53", "10.0.64.71:53"]);
    }
}
