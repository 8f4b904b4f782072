//! Services: from a stable address to one of its pods.

use super::{NOWHERE, Origin, Step, Target, Walk};
use crate::{
    kube_proxy::{self, Endpoint},
    network::{Node, Service, ServicePort},
    owner,
    trace::{Backend, HopKind, Rule},
};

impl<'n> Walk<'n> {
    /// To a Service by its name or its ClusterIP.
    pub(crate) fn go_to_service(&mut self, origin: Origin<'n>, service: &'n Service) -> Step {
        if service.headless() {
            return self.go_to_headless(origin, service);
        }
        let cluster_ip = service.cluster_ip.clone().unwrap_or_default();
        if let Ok(ip) = cluster_ip.parse() {
            self.packet.dst = ip;
        }
        let node = match origin {
            Origin::Pod(_, node) | Origin::Node(node) => node,
            Origin::Host(_) | Origin::External(_) | Origin::ControlPlane(_) => {
                return self.stop(format!("clusterip:outside-cluster:{cluster_ip}"));
            }
        };
        let Some(service) = kube_proxy::on(node, service) else {
            return self.stop(format!("svc:no-rule:{}:{}", node.name, service.id()));
        };
        let Some(port) = kube_proxy::port(service, self.packet.port, &self.probe.proto) else {
            return self.stop(format!("svc:no-port:{}:{}", service.id(), self.packet.port));
        };
        let mut endpoints = kube_proxy::ready(self.net, service);
        let all = count(&endpoints);
        self.hop(HopKind::KubeProxy, format!("{}:{cluster_ip}", service.id()), Rule::OneOf(all));
        if endpoints.is_empty() {
            return self.stop(format!("svc:no-endpoints:{}", service.id()));
        }
        if service.itp.as_deref() == Some("Local") {
            endpoints = kube_proxy::local(&endpoints, &node.name);
            if endpoints.is_empty() {
                return self.stop(format!("itp-local:no-local-endpoint:{}", service.id()));
            }
        }
        let Some(chosen) = self.translate(port, &endpoints)? else { return Ok(()) };
        let own = self.packet.src;
        if let Origin::Pod(pod, node) = origin
            && pod.ip == Some(chosen.ip)
        {
            self.packet.src = node.address().unwrap_or(own);
            self.hop(HopKind::Masq, "hairpin".to_owned(), Rule::Rewrote(own));
        }
        self.target = backend(service, &chosen);
        self.go_to_address(origin, chosen.ip)
    }

    /// A headless Service is only a name: it answers every ready pod, and the client goes there directly.
    fn go_to_headless(&mut self, origin: Origin<'n>, service: &'n Service) -> Step {
        let endpoints = kube_proxy::ready(self.net, service);
        self.trace.records = endpoints.iter().map(|it| it.ip).collect();
        let Some(chosen) = kube_proxy::pick(&endpoints, self.probe.pick.as_deref()) else {
            return self.stop(format!("dns:no-records:{}", service.id()));
        };
        let answers = Rule::Answers(self.trace.records.clone());
        self.hop(HopKind::Dns, format!("A:{}", chosen.ip), answers);
        self.target = backend(service, &chosen);
        self.go_to_address(origin, chosen.ip)
    }

    /// To a node's port: `NODE/ns/service`.
    pub(crate) fn go_to_node_port(&mut self, origin: Origin<'n>, name: &str) -> Step {
        let mut parts = name.splitn(2, '/');
        let (node, service) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (Some(node), Some(service)) = (
            self.net.nodes.iter().find(|it| it.name == node),
            self.net.services.iter().find(|it| it.id() == service),
        ) else {
            return self.stop(format!("unknown:{}", self.probe.to));
        };
        if kube_proxy::node_port(service, self.packet.port, &self.probe.proto).is_none() {
            return self.stop(format!("svc:no-port:{}:{}", service.id(), self.packet.port));
        }
        self.target = Target::NodePort(service);
        self.go_to_address(origin, node.address().unwrap_or(NOWHERE))
    }

    /// What a node does with a packet for one of its node ports.
    pub(crate) fn node_port_rules(&mut self, node: &'n Node, service: &'n Service) -> Step {
        let Some(service) = kube_proxy::on(node, service) else {
            return self.stop(format!("svc:no-rule:{}:{}", node.name, service.id()));
        };
        let Some(port) = kube_proxy::node_port(service, self.packet.port, &self.probe.proto) else {
            return self.stop(format!("svc:no-port:{}:{}", service.id(), self.packet.port));
        };
        let mut endpoints = kube_proxy::ready(self.net, service);
        self.hop(HopKind::KubeProxy, format!("{}:nodePort", service.id()), Rule::OneOf(count(&endpoints)));
        if endpoints.is_empty() {
            return self.stop(format!("svc:no-endpoints:{}", service.id()));
        }
        let local = service.etp.as_deref() == Some("Local");
        if local {
            endpoints = kube_proxy::local(&endpoints, &node.name);
            if endpoints.is_empty() {
                return self.stop(format!("etp-local:no-local-endpoint:{}:{}", node.name, service.id()));
            }
        }
        let Some(chosen) = self.translate(port, &endpoints)? else { return Ok(()) };
        let Some(pod) = chosen.pod else { return Ok(()) };
        self.packet.dst = chosen.ip;
        self.target = Target::Pod(pod);
        if !local {
            let before = self.packet.src;
            self.packet.src = node.address().unwrap_or(before);
            self.hop(HopKind::Masq, self.packet.src.to_string(), Rule::Rewrote(before));
        }
        if pod.node == node.name && !self.strict(pod) {
            return if pod.host_network { self.at_node(node) } else { self.reach_pod(node, pod) };
        }
        self.sender_groups = &[];
        self.vpc_leg(owner::node_owner(node), true)
    }

    /// Picks a backend and rewrites the packet for it.
    fn translate(
        &mut self,
        port: &ServicePort,
        endpoints: &[Endpoint<'n>],
    ) -> Result<Option<Endpoint<'n>>, super::Stop> {
        let all = count(endpoints);
        self.trace.backends = endpoints
            .iter()
            .map(|it| Backend { pod: it.pod.map(super::super::network::Pod::id), ip: it.ip, one_in: all })
            .collect();
        let Some(chosen) = kube_proxy::pick(endpoints, self.probe.pick.as_deref()) else { return Ok(None) };
        let before = self.packet.dst;
        match kube_proxy::target_port(port, &chosen, &self.probe.proto) {
            Ok(number) => self.packet.port = number,
            Err(name) => {
                self.stop(format!("svc:named-port-missing:{}:{name}", chosen.id()))?;
            }
        }
        let component = format!("{}:{}", chosen.ip, self.packet.port);
        self.hop(HopKind::Dnat, component, Rule::Rewrote(before));
        Ok(Some(chosen))
    }
}

/// What stands at the end of a Service: a pod, an API server, or nobody any more.
fn backend<'n>(service: &Service, chosen: &Endpoint<'n>) -> Target<'n> {
    match chosen.pod {
        Some(pod) => Target::Pod(pod),
        None if service.ns == "default" && service.name == "kubernetes" => Target::Api,
        None => Target::Address,
    }
}

fn count(endpoints: &[Endpoint<'_>]) -> u32 {
    u32::try_from(endpoints.len()).unwrap_or(u32::MAX)
}
