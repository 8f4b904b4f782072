//! Load balancers: a connection to them, and another from them to a target.
//!
//! NLB with instance targets keeps the client's address; with address targets it shows its own, unless told to keep the
//! client's. ALB and CLB always show their own. Source: Elastic Load Balancing documents, client IP preservation.

use std::net::IpAddr;

use super::{NOWHERE, Origin, Step, Target, Walk};
use crate::{
    kube_proxy::{self, Endpoint},
    network::{LoadBalancer, Node, Service},
    owner::{self, Owner},
    route::{self, Way},
    security_group::Direction,
    trace::HopKind,
};

impl<'n> Walk<'n> {
    /// To a Service by its load balancer.
    pub(crate) fn go_to_load_balancer(&mut self, origin: Origin<'n>, service: &'n Service) -> Step {
        let port = self.packet.port;
        let Some(lb) = &service.lb else { return self.stop(format!("unknown:{}", self.probe.to)) };
        // An ALB's listeners come from an Ingress, not from the Service's ports.
        let serves = kube_proxy::port(service, port, &self.probe.proto).is_some();
        let alb = lb.kind == "alb";
        if !serves && !alb {
            return self.stop(format!("svc:no-port:{}:{port}", service.id()));
        }
        let internet = matches!(origin, Origin::External(it) if it.via.is_none());
        if internet && lb.scheme == "internal" {
            return self.stop(format!("lb:internal:{}", service.id()));
        }
        if !lb.listeners.as_ref().map_or(serves, |listeners| listeners.contains(&port)) {
            return self.stop(format!("lb:no-listener:{}:{port}", service.id()));
        }
        let client = self.packet.src;
        let ranges = service.source_ranges.as_deref().unwrap_or_default();
        if !ranges.is_empty() && !ranges.iter().any(|cidr| cidr.contains(&client)) {
            return self.stop(format!("lb:source-ranges:{client}"));
        }
        let Some((subnet, ip)) = lb.ips.first_key_value() else {
            return self.stop(format!("lb:no-healthy-targets:{}", service.id()));
        };
        self.packet.dst = *ip;
        let kind = if lb.kind.is_empty() { "nlb" } else { lb.kind.as_str() };
        let own = Owner {
            eni: format!("{kind}:{}", service.name),
            subnet,
            groups: &lb.sgs,
            behind: owner::Behind::ControlPlane,
        };
        self.first_leg(origin, &own, client)?;
        let hop = match kind {
            "alb" => HopKind::Alb,
            "clb" => HopKind::Clb,
            _ => HopKind::Nlb,
        };
        self.pass(hop, service.id());
        self.second_leg(service, lb, &own, client)
    }

    /// From the client to the load balancer's ENI.
    fn first_leg(&mut self, origin: Origin<'n>, own: &Owner<'n>, client: IpAddr) -> Step {
        let port = self.packet.port;
        let sender = match origin {
            Origin::External(external) if external.via.is_none() => {
                self.in_by_igw(own.subnet, client)?;
                None
            }
            Origin::External(external) => {
                self.pass(HopKind::Tgw, external.via.clone().unwrap_or_default());
                None
            }
            Origin::Pod(pod, node) => {
                if pod.host_network {
                    owner::node_owner(node)
                } else {
                    owner::pod_owner(self.net, pod)
                }
            }
            Origin::Node(node) => owner::node_owner(node),
            Origin::Host(host) => Some(owner::host_owner(host)),
            Origin::ControlPlane(_) => None,
        };
        let from_subnet = sender.as_ref().map(|it| it.subnet);
        if let Some(sender) = sender {
            self.pass(HopKind::Eni, sender.eni.clone());
            self.filter_out(&sender, true);
            if sender.subnet != own.subnet {
                self.border(sender.subnet, Direction::Out, self.packet.dst, port);
                let Some(table) = route::table_of(self.net, sender.subnet) else {
                    return self.stop(format!("route:none:{}:{}", sender.subnet, self.packet.dst));
                };
                if route::lookup(self.net, table, self.packet.dst) != Way::Local {
                    return self.stop(format!("route:not-local:{}:{}", table.id, self.packet.dst));
                }
                self.along_local_route(table);
            }
        }
        if from_subnet != Some(own.subnet) {
            self.border(own.subnet, Direction::In, client, port);
        }
        if !own.groups.is_empty() {
            self.filter_in(&own.eni, own.groups, client);
        }
        self.pass(HopKind::Eni, own.eni.clone());
        if from_subnet != Some(own.subnet) {
            self.reply_out_of(own.subnet, client);
        }
        Ok(())
    }

    /// From the load balancer to one of its targets.
    fn second_leg(
        &mut self,
        service: &'n Service,
        lb: &'n LoadBalancer,
        own: &Owner<'n>,
        client: IpAddr,
    ) -> Step {
        let endpoints = kube_proxy::ready(self.net, service);
        let instances = lb.target != "ip";
        let target = if instances { self.instance(service, &endpoints) } else { None };
        let chosen = kube_proxy::pick(&endpoints, self.probe.pick.as_deref());
        let (Some(chosen), true) = (chosen, !instances || target.is_some()) else {
            return self.stop(format!("lb:no-healthy-targets:{}", service.id()));
        };
        let number = self.packet.port;
        let port = kube_proxy::port(service, number, &self.probe.proto).or_else(|| service.ports.first());
        let Some(port) = port else { return self.stop(format!("svc:no-port:{}:{number}", service.id())) };
        let (ip, number) = match target {
            Some(node) => (node.address(), port.node_port.unwrap_or(number)),
            None => match kube_proxy::target_port(port, &chosen, &self.probe.proto) {
                Ok(number) => (Some(chosen.ip), number),
                Err(name) => return self.stop(format!("svc:named-port-missing:{}:{name}", chosen.id())),
            },
        };
        self.packet.dst = ip.unwrap_or(NOWHERE);
        self.packet.port = number;
        self.pass(HopKind::Target, format!("{}:{number}", self.packet.dst));
        let keeps_client = match lb.kind.as_str() {
            "alb" | "clb" => false,
            _ => lb.preserve.unwrap_or(instances),
        };
        let own_ip = lb.ips.first_key_value().map(|(_, ip)| *ip);
        self.packet.src = if keeps_client { client } else { own_ip.unwrap_or(client) };
        self.sender_groups = &lb.sgs;
        self.target = match target {
            Some(_) => Target::NodePort(service),
            None => chosen.pod.map_or(Target::Address, Target::Pod),
        };
        self.vpc_leg(Some(own.clone()), false)
    }

    /// The instance that a load balancer sends to: the one asked for, or the first healthy one.
    fn instance(&self, service: &Service, endpoints: &[Endpoint<'n>]) -> Option<&'n Node> {
        let local = service.etp.as_deref() == Some("Local");
        let healthy = |node: &&'n Node| {
            !node.fargate
                && !node.hybrid
                && node.ready != Some(false)
                && (!local || !kube_proxy::local(endpoints, &node.name).is_empty())
        };
        let wanted = self.probe.pick_node.as_deref();
        let mut nodes = self.net.nodes.iter().filter(healthy);
        match wanted {
            Some(name) => self.net.nodes.iter().filter(healthy).find(|node| node.name == name),
            None => nodes.next(),
        }
    }
}
