//! Which backends does kube-proxy know for a Service, and which may this client get?
//!
//! Every ready endpoint gets the same share of new connections. `internalTrafficPolicy: Local` leaves those on the
//! client's node, `externalTrafficPolicy: Local` those on the node that was asked; if none is left the packet is
//! dropped. Source: Kubernetes documents, virtual IPs and service proxies.

use std::net::IpAddr;

use crate::network::{Network, Node, Pod, PortRef, Service, ServicePort};

/// Where a Service can send a connection.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'n> {
    /// Its address.
    pub ip: IpAddr,
    /// The pod; none for the API servers behind `default/kubernetes`.
    pub pod: Option<&'n Pod>,
}

impl Endpoint<'_> {
    /// `ns/name`, or the address.
    #[must_use]
    pub fn id(&self) -> String {
        self.pod.map_or_else(|| self.ip.to_string(), Pod::id)
    }
}

/// The ready endpoints of a Service, by namespace and name of the pod.
#[must_use]
pub fn ready<'n>(network: &'n Network, service: &Service) -> Vec<Endpoint<'n>> {
    if let Some(addresses) = &service.endpoints {
        return addresses.iter().map(|ip| Endpoint { ip: *ip, pod: pod_at(network, *ip) }).collect();
    }
    // A Service that selects by nothing has no pods.
    let Some(selector) = service.selector.as_ref().filter(|it| !it.is_empty()) else { return Vec::new() };
    let mut pods: Vec<&Pod> = network
        .pods
        .iter()
        .filter(|pod| pod.ns == service.ns && pod.ready)
        .filter(|pod| selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value)))
        .collect();
    pods.sort_by(|a, b| (&a.ns, &a.name).cmp(&(&b.ns, &b.name)));
    pods.into_iter().filter_map(|pod| pod.ip.map(|ip| Endpoint { ip, pod: Some(pod) })).collect()
}

fn pod_at(network: &Network, ip: IpAddr) -> Option<&Pod> {
    let here = || network.pods.iter().filter(|pod| pod.ip == Some(ip));
    here().find(|pod| !pod.host_network).or_else(|| here().next())
}

/// A Service as the rules of a node have it: as it is, unless the node's kube-proxy has stopped. `None` if they do not.
#[must_use]
pub fn on<'n>(node: &'n Node, service: &'n Service) -> Option<&'n Service> {
    match &node.rules {
        None => Some(service),
        Some(rules) => rules.iter().find(|it| it.id() == service.id() && it.cluster_ip == service.cluster_ip),
    }
}

/// The endpoints that a sender's node may choose from: `pod:ns/name` or `node:name`.
#[must_use]
pub fn choices<'n>(network: &'n Network, from: &str, service: &'n Service) -> Vec<Endpoint<'n>> {
    let node = match from.split_once(':') {
        Some(("pod", id)) => network.pods.iter().find(|pod| pod.id() == id).map(|pod| pod.node.as_str()),
        Some(("node", name)) => Some(name),
        _ => None,
    };
    let node = network.nodes.iter().find(|it| Some(it.name.as_str()) == node);
    node.map_or(Some(service), |node| on(node, service)).map_or_else(Vec::new, |it| ready(network, it))
}

/// The endpoints on one node.
#[must_use]
pub fn local<'n>(endpoints: &[Endpoint<'n>], node: &str) -> Vec<Endpoint<'n>> {
    endpoints.iter().copied().filter(|it| it.pod.is_some_and(|pod| pod.node == node)).collect()
}

/// The endpoint that was asked for, or the first.
#[must_use]
pub fn pick<'n>(endpoints: &[Endpoint<'n>], wanted: Option<&str>) -> Option<Endpoint<'n>> {
    wanted
        .and_then(|wanted| endpoints.iter().find(|it| it.id() == wanted))
        .or_else(|| endpoints.first())
        .copied()
}

/// The port that a connection to `port` gets at `endpoint`.
/// # Errors
/// The name of a target port that no container of this pod declares.
pub fn target_port(port: &ServicePort, endpoint: &Endpoint<'_>, proto: &str) -> Result<u16, String> {
    match &port.target_port {
        None => Ok(port.port),
        Some(PortRef::Number(number)) => Ok(*number),
        Some(PortRef::Name(name)) => endpoint
            .pod
            .and_then(|pod| {
                pod.ports.iter().find(|declared| {
                    declared.name.as_deref() == Some(name)
                        && declared.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(proto)
                })
            })
            .map(|declared| declared.container_port)
            .ok_or_else(|| name.clone()),
    }
}

/// The port of a Service with this number and protocol.
#[must_use]
pub fn port<'s>(service: &'s Service, number: u16, proto: &str) -> Option<&'s ServicePort> {
    service.ports.iter().find(|port| port.port == number && same_protocol(port, proto))
}

/// The port of a Service with this number on every node.
#[must_use]
pub fn node_port<'s>(service: &'s Service, number: u16, proto: &str) -> Option<&'s ServicePort> {
    service.ports.iter().find(|port| port.node_port == Some(number) && same_protocol(port, proto))
}

fn same_protocol(port: &ServicePort, proto: &str) -> bool {
    port.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(proto)
}
