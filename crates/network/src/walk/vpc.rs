//! Through the VPC: security group, network ACL, route, gateway, and the same on the other side.

use std::net::IpAddr;

use super::{Step, Target, Walk};
use crate::{
    nacl::{self, CLIENT_PORT},
    network::RouteTable,
    owner::{self, Owner},
    route::{self, Way},
    security_group::{self, Direction},
    trace::{HopKind, Rule},
};

impl<'n> Walk<'n> {
    /// From an ENI to the packet's destination. `announce` shows the ENI and its security groups as hops.
    pub(crate) fn vpc_leg(&mut self, from: Option<Owner<'n>>, announce: bool) -> Step {
        let Some(from) = from else { return self.stop(format!("eni:none:{}", self.packet.src)) };
        if announce {
            self.pass(HopKind::Eni, from.eni.clone());
        }
        let (port, to) = (self.packet.port, self.packet.dst);
        // A load balancer without security groups of its own is not filtered.
        if announce || !from.groups.is_empty() {
            self.filter_out(&from, announce);
        }
        let destination = owner::owner_of(self.net, to);
        let to_subnet = destination.as_ref().map(|it| it.subnet).or_else(|| self.subnet_of(to));
        if to_subnet == Some(from.subnet) {
            return self.reach_eni(destination, None);
        }
        self.border(from.subnet, Direction::Out, to, port);
        let Some(table) = route::table_of(self.net, from.subnet) else {
            return self.stop(format!("route:none:{}:{to}", from.subnet));
        };
        match route::lookup(self.net, table, to) {
            Way::Local => {
                if announce {
                    self.along_local_route(table);
                }
                self.reach_eni(destination, Some(from.subnet))
            }
            Way::Via { target, destination } => self.through(from.subnet, table, target, destination),
            Way::Blackhole { destination } => {
                self.stop(format!("route:blackhole:{}:{destination}", table.id))
            }
            Way::None => self.stop(format!("route:none:{}:{to}", table.id)),
        }
    }

    /// Through a gateway or an endpoint that a route names.
    fn through(&mut self, subnet: &str, table: &RouteTable, target: String, destination: String) -> Step {
        let rule = Rule::Route { destination, target: target.clone() };
        self.hop(HopKind::Route, format!("{}:{target}", table.id), rule);
        let kind = target.split('-').next().unwrap_or_default();
        match kind {
            "igw" | "eigw" => self.out_by_igw(&target, subnet),
            "nat" => self.out_by_nat(&target, subnet),
            "vpce" => {
                self.pass(HopKind::Vpce, target);
                self.reached_outside()
            }
            "pcx" | "tgw" | "vgw" => self.out_by_peer(kind, &target),
            _ => self.stop(format!("route:not-local:{}:{target}", table.id)),
        }
    }

    fn out_by_igw(&mut self, igw: &str, subnet: &str) -> Step {
        let to = self.packet.dst;
        if private(to) {
            return self.stop(format!("igw:private-destination:{to}"));
        }
        let from = self.packet.src;
        // An IPv6 address is public as it is: nothing is put in its place.
        if from.is_ipv6() {
            self.pass(HopKind::Igw, igw.to_owned());
            self.reply_into(subnet, to);
            return self.reached_outside();
        }
        let Some(public) = owner::public_of(self.net, from) else {
            return self.stop(format!("igw:no-public-ip:{from}"));
        };
        self.hop(HopKind::Igw, igw.to_owned(), Rule::Rewrote(from));
        self.packet.src = public;
        self.reply_into(subnet, to);
        self.reached_outside()
    }

    fn out_by_nat(&mut self, nat: &str, subnet: &str) -> Step {
        let Some(gateway) = self.net.gateways.get(nat) else {
            return self.stop(format!("nat:deleted:{nat}"));
        };
        if let Some(state) = gateway.state.as_deref().filter(|state| *state != "available") {
            return self.stop(format!("nat:{state}:{nat}"));
        }
        let (from, to, port) = (self.packet.src, self.packet.dst, self.packet.port);
        let own_subnet = gateway.subnet.as_deref().unwrap_or_default();
        if own_subnet != subnet {
            self.border(own_subnet, Direction::In, from, port);
        }
        self.hop(HopKind::Nat, nat.to_owned(), Rule::Rewrote(from));
        self.border(own_subnet, Direction::Out, to, port);
        let Some(table) = route::table_of(self.net, own_subnet) else {
            return self.stop(format!("route:nat-no-igw:{own_subnet}"));
        };
        let (target, destination) = match route::lookup(self.net, table, to) {
            Way::Via { target, destination } if target.starts_with("igw-") => (target, destination),
            Way::Local | Way::Via { .. } | Way::Blackhole { .. } | Way::None => {
                return self.stop(format!("route:nat-no-igw:{}", table.id));
            }
        };
        let rule = Rule::Route { destination, target: target.clone() };
        self.hop(HopKind::Route, format!("{}:{target}", table.id), rule);
        if private(to) {
            return self.stop(format!("igw:private-destination:{to}"));
        }
        self.hop(HopKind::Igw, target, Rule::Rewrote(from));
        if let Some(public) = gateway.public_ip {
            self.packet.src = public;
        }
        self.reply_into(own_subnet, to);
        if own_subnet != subnet {
            self.reply_out_of(own_subnet, from);
            self.reply_into(subnet, to);
        }
        self.reached_outside()
    }

    fn out_by_peer(&mut self, kind: &str, id: &str) -> Step {
        let hop = match kind {
            "pcx" => HopKind::Pcx,
            "tgw" => HopKind::Tgw,
            _ => HopKind::Vgw,
        };
        self.pass(hop, id.to_owned());
        let (from, to) = (self.packet.src, self.packet.dst);
        let gateway = self.net.gateways.get(id);
        if !gateway.is_some_and(|it| it.remote_cidrs.iter().any(|cidr| cidr.contains(&to))) {
            return self.stop(format!("gateway:no-remote:{id}"));
        }
        if !gateway.is_some_and(|it| it.return_cidrs.iter().any(|cidr| cidr.contains(&from))) {
            return self.stop(format!("return-route:none:{id}:{from}"));
        }
        self.reached_outside()
    }

    /// Into the ENI that owns the packet's destination; `from` is the subnet it comes from, if another.
    pub(crate) fn reach_eni(&mut self, destination: Option<Owner<'n>>, from: Option<&str>) -> Step {
        let (src, port) = (self.packet.src, self.packet.port);
        let Some(destination) = destination else {
            return self.stop(format!("ip:unused:{}", self.packet.dst));
        };
        if from.is_some() {
            self.border(destination.subnet, Direction::In, src, port);
        }
        self.filter_in(&destination.eni, destination.groups, src);
        self.pass(HopKind::Eni, destination.eni.clone());
        if let Some(from) = from {
            self.reply_out_of(destination.subnet, src);
            self.reply_into(from, self.packet.dst);
        }
        self.arrive(destination)
    }

    /// The route that every table has: to the VPC itself.
    pub(crate) fn along_local_route(&mut self, table: &RouteTable) {
        let rule = Rule::Route { destination: "local".to_owned(), target: "local".to_owned() };
        self.hop(HopKind::Route, format!("{}:local", table.id), rule);
    }

    /// The security groups of an ENI, for what goes out. `announce` shows the rule that lets it as a hop.
    pub(crate) fn filter_out(&mut self, from: &Owner, announce: bool) {
        let (proto, port, to) = (self.probe.proto.as_str(), self.packet.port, self.packet.dst);
        match security_group::allows(self.net, from.groups, Direction::Out, to, &[], proto, port) {
            Some(rule) if announce => self.hop(HopKind::SgOut, from.eni.clone(), rule),
            Some(_) => {}
            None => self.deny(format!("sg:out:{}", from.eni)),
        }
    }

    /// The security groups of an ENI, for what comes in.
    pub(crate) fn filter_in(&mut self, eni: &str, groups: &[String], src: IpAddr) {
        let (proto, port, also) = (self.probe.proto.as_str(), self.packet.port, self.sender_groups);
        match security_group::allows(self.net, groups, Direction::In, src, also, proto, port) {
            Some(rule) => self.hop(HopKind::SgIn, eni.to_owned(), rule),
            None => self.deny(format!("sg:in:{eni}")),
        }
    }

    /// The network ACL at the border of a subnet.
    pub(crate) fn border(&mut self, subnet: &str, direction: Direction, peer: IpAddr, port: u16) {
        let Some(said) = nacl::check(self.net, subnet, direction, peer, &self.probe.proto, port) else {
            return;
        };
        let (kind, word) = match direction {
            Direction::In => (HopKind::NaclIn, "in"),
            Direction::Out => (HopKind::NaclOut, "out"),
        };
        if said.allowed {
            self.hop(kind, said.acl, Rule::Nacl { number: said.number });
        } else {
            self.deny(format!("nacl:{word}:{}", said.place()));
        }
    }

    /// The reply on its way out of the subnet that it comes from, to the client's own port.
    pub(crate) fn reply_out_of(&mut self, subnet: &str, client: IpAddr) {
        let said = nacl::check(self.net, subnet, Direction::Out, client, &self.probe.proto, CLIENT_PORT);
        if let Some(said) = said.filter(|said| !said.allowed) {
            self.deny(format!("nacl:return-out:{}", said.place()));
        }
    }

    /// The reply on its way into the client's subnet.
    pub(crate) fn reply_into(&mut self, subnet: &str, server: IpAddr) {
        let said = nacl::check(self.net, subnet, Direction::In, server, &self.probe.proto, CLIENT_PORT);
        if let Some(said) = said.filter(|said| !said.allowed) {
            self.deny(format!("nacl:return-in:{}", said.place()));
        }
    }

    /// What lies at the end of a way out of the VPC.
    fn reached_outside(&mut self) -> Step {
        match self.target {
            Target::External(external) => {
                self.pass(HopKind::External, external.name.clone());
                let port = self.packet.port;
                if external.ports.as_ref().is_some_and(|ports| !ports.contains(&port)) {
                    self.deny(format!("external:refused:{}:{port}", external.name));
                }
                Ok(())
            }
            Target::Aws(service) => {
                self.pass(HopKind::Aws, service.to_owned());
                Ok(())
            }
            Target::Api => self.public_endpoint(),
            Target::Node(node) => {
                self.pass(HopKind::Node, node.name.clone());
                Ok(())
            }
            Target::Pod(pod) => {
                self.pass(HopKind::Node, pod.node.clone());
                self.pass(HopKind::Pod, pod.id());
                self.listens(pod)
            }
            Target::Address | Target::NodePort(_) => {
                self.pass(HopKind::Internet, String::new());
                Ok(())
            }
        }
    }

    fn subnet_of(&self, ip: IpAddr) -> Option<&'n str> {
        self.net
            .subnets
            .iter()
            .find(|subnet| subnet.cidr.contains(&ip) || subnet.ipv6_cidr.is_some_and(|it| it.contains(&ip)))
            .map(|subnet| subnet.id.as_str())
    }
}

/// Whether an address cannot be on the internet. Sources: RFC 1918, RFC 6598, RFC 3927; RFC 4193, RFC 4291.
fn private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || (a == 100 && (64..128).contains(&b)) || ip.is_link_local()
        }
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
