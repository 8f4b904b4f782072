//! The walk itself: one connection attempt, hop by hop, in travel order.
//!
//! A check that fails is a blocker. Where a lifted rule would let the packet go on (security group, NACL, policy, allow
//! list) the walk goes on as a ghost, so that every blocker shows; where there is nowhere to go it ends.
//! Order of checks: the rules recorded with the path cases, "order of checks".

mod arrive;
mod leave;
mod load_balancer;
mod outside;
mod service;
mod vpc;

use std::net::{IpAddr, Ipv4Addr};

use crate::{
    network::{CrossAccountEni, External, Host, Network, Node, Pod, Service},
    trace::{Blocker, Hop, HopKind, Packet, Probe, Rule, Trace},
};

/// The address of what is not found yet.
const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// There is nowhere to go from here.
pub(crate) struct Stop;

/// One step of the walk.
pub(crate) type Step = Result<(), Stop>;

/// Where a walk begins.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'n> {
    Pod(&'n Pod, &'n Node),
    Node(&'n Node),
    Host(&'n Host),
    External(&'n External),
    ControlPlane(&'n CrossAccountEni),
}

/// Where it is to end.
#[derive(Clone, Copy)]
pub(crate) enum Target<'n> {
    Pod(&'n Pod),
    Address,
    External(&'n External),
    Aws(&'n str),
    Api,
    Node(&'n Node),
    NodePort(&'n Service),
}

pub(crate) struct Walk<'n> {
    pub net: &'n Network,
    pub probe: &'n Probe,
    pub trace: Trace,
    pub packet: Packet,
    pub target: Target<'n>,
    /// Security groups that the sender has beside those of the ENI that owns the packet's source: a load balancer's.
    pub sender_groups: &'n [String],
}

/// Traces one connection attempt.
#[must_use]
pub fn trace(network: &Network, probe: &Probe) -> Trace {
    let nowhere = Packet { src: NOWHERE, dst: NOWHERE, port: probe.port };
    let mut walk = Walk {
        net: network,
        probe,
        trace: Trace::default(),
        packet: nowhere,
        target: Target::Address,
        sender_groups: &[],
    };
    // A walk that stops early has said why in its blockers.
    let _ = walk.run();
    walk.address();
    walk.trace
}

impl<'n> Walk<'n> {
    fn run(&mut self) -> Step {
        let Some(origin) = self.origin() else {
            return self.stop(format!("unknown:{}", self.probe.from));
        };
        if self.probe.to == "pull" {
            return self.pull(origin);
        }
        self.begin(origin);
        self.towards(origin)
    }

    fn origin(&self) -> Option<Origin<'n>> {
        let net = self.net;
        let (kind, name) = self.probe.from.split_once(':').unwrap_or((self.probe.from.as_str(), ""));
        match kind {
            "pod" => {
                let pod = find_pod(net, name)?;
                let node = net.nodes.iter().find(|node| node.name == pod.node)?;
                Some(Origin::Pod(pod, node))
            }
            "node" => net.nodes.iter().find(|node| node.name == name).map(Origin::Node),
            "host" => net.hosts.iter().find(|host| host.name == name).map(Origin::Host),
            "ext" => net.external.iter().find(|it| it.name == name).map(Origin::External),
            "cp" => net.cluster.cross_account_enis.first().map(Origin::ControlPlane),
            _ => None,
        }
    }

    /// The first hops: the sender and the machine it runs on.
    fn begin(&mut self, origin: Origin<'n>) {
        self.packet.src = match origin {
            Origin::Pod(pod, node) => {
                if pod.host_network { node.address() } else { pod.ip }.unwrap_or(NOWHERE)
            }
            Origin::Node(node) => node.address().unwrap_or(NOWHERE),
            Origin::Host(host) => host.ip,
            Origin::External(external) => external.ip,
            Origin::ControlPlane(eni) => eni.ip,
        };
        match origin {
            Origin::Pod(pod, node) => {
                self.pass(HopKind::Pod, pod.id());
                if pod.host_network {
                    self.pass(HopKind::Node, node.name.clone());
                } else if !pod.fargate && self.probe.to != self.probe.from {
                    self.pass(HopKind::Veth, pod.id());
                    self.pass(HopKind::Node, node.name.clone());
                }
            }
            Origin::Node(node) => self.pass(HopKind::Node, node.name.clone()),
            Origin::Host(host) => self.pass(HopKind::Host, host.name.clone()),
            Origin::External(external) => self.pass(HopKind::External, external.name.clone()),
            Origin::ControlPlane(eni) => {
                self.pass(HopKind::ApiServer, String::new());
                self.pass(HopKind::XEni, eni.id.clone());
            }
        }
    }

    /// The first hops are noted before their destination is looked up: they carry the same packet as those that follow.
    fn address(&mut self) {
        let known = |dst: &IpAddr| !dst.is_unspecified();
        let dst = self.trace.hops.iter().map(|hop| hop.packet.dst).find(known).unwrap_or(self.packet.dst);
        for hop in self.trace.hops.iter_mut().take_while(|hop| !known(&hop.packet.dst)) {
            hop.packet.dst = dst;
        }
    }

    /// Finds what the probe means and goes there.
    fn towards(&mut self, origin: Origin<'n>) -> Step {
        let net = self.net;
        let (kind, name) = self.probe.to.split_once(':').unwrap_or((self.probe.to.as_str(), ""));
        match kind {
            "pod" => {
                let Some(pod) = find_pod(net, name) else {
                    return self.stop(format!("unknown:{}", self.probe.to));
                };
                self.go_to_pod(origin, pod)
            }
            "svc" => match find_service(net, name) {
                Some(service) => self.go_to_service(origin, service),
                None => self.stop(format!("dns:no-records:{name}")),
            },
            "ip" => match name.parse() {
                Ok(ip) => self.go_to_ip(origin, ip),
                Err(_) => self.stop(format!("unknown:{}", self.probe.to)),
            },
            "ext" => match net.external.iter().find(|it| it.name == name) {
                Some(external) => {
                    self.target = Target::External(external);
                    self.go_to_address(origin, external.ip)
                }
                None => self.stop(format!("unknown:{}", self.probe.to)),
            },
            "aws" => self.go_to_aws(origin, name),
            "api" => self.go_to_api(origin),
            "node" => match net.nodes.iter().find(|node| node.name == name) {
                Some(node) => {
                    self.target = Target::Node(node);
                    self.go_to_address(origin, node.address().unwrap_or(NOWHERE))
                }
                None => self.stop(format!("unknown:{}", self.probe.to)),
            },
            "nodeport" => self.go_to_node_port(origin, name),
            "lb" => match find_service(net, name) {
                Some(service) => self.go_to_load_balancer(origin, service),
                None => self.stop(format!("unknown:{}", self.probe.to)),
            },
            _ => self.stop(format!("unknown:{}", self.probe.to)),
        }
    }

    fn go_to_pod(&mut self, origin: Origin<'n>, pod: &'n Pod) -> Step {
        self.target = Target::Pod(pod);
        if let Origin::Pod(from, _) = origin
            && std::ptr::eq(from, pod)
        {
            self.pass(HopKind::Lo, String::new());
            self.pass(HopKind::Pod, pod.id());
            return self.listens(pod);
        }
        let ip = if pod.host_network {
            self.net.nodes.iter().find(|node| node.name == pod.node).and_then(Node::address)
        } else {
            pod.ip
        };
        self.go_to_address(origin, ip.unwrap_or(NOWHERE))
    }

    fn go_to_ip(&mut self, origin: Origin<'n>, ip: IpAddr) -> Step {
        let text = ip.to_string();
        if let Some(service) = self.net.services.iter().find(|it| it.cluster_ip.as_deref() == Some(&text)) {
            return self.go_to_service(origin, service);
        }
        self.target = match self.net.pods.iter().find(|pod| pod.ip == Some(ip) && !pod.host_network) {
            Some(pod) => Target::Pod(pod),
            None => Target::Address,
        };
        self.go_to_address(origin, ip)
    }

    /// Three names in a row, as a container runtime pulls an image: registry, manifest, layers.
    fn pull(&mut self, origin: Origin<'n>) -> Step {
        for service in ["ecr.api", "ecr.dkr", "s3"] {
            if service == "ecr.api" {
                self.begin(origin);
            } else if let Origin::Node(node) = origin {
                self.packet.src = node.address().unwrap_or(NOWHERE);
            }
            self.packet.port = 443;
            let before = self.trace.blockers.len();
            let done = self.go_to_aws(origin, service);
            for blocker in &mut self.trace.blockers[before..] {
                blocker.code.push_str(&format!("({service})"));
            }
            done?;
        }
        Ok(())
    }

    /// A hop with nothing to decide.
    pub(crate) fn pass(&mut self, kind: HopKind, component: String) {
        self.hop(kind, component, Rule::Passage);
    }

    /// A hop and the rule that decided.
    pub(crate) fn hop(&mut self, kind: HopKind, component: String, rule: Rule) {
        let ghost = !self.trace.blockers.is_empty();
        self.trace.hops.push(Hop { kind, component, packet: self.packet, rule, ghost });
    }

    /// Blocked, but where it would go on is known.
    pub(crate) fn deny(&mut self, code: String) {
        self.trace.blockers.push(Blocker { code, after: self.trace.hops.len(), packet: self.packet });
    }

    /// Blocked, and there is nowhere to go.
    pub(crate) fn stop(&mut self, code: String) -> Step {
        self.deny(code);
        Err(Stop)
    }
}

fn find_pod<'n>(net: &'n Network, id: &str) -> Option<&'n Pod> {
    let (ns, name) = id.split_once('/')?;
    net.pods.iter().find(|pod| pod.ns == ns && pod.name == name)
}

fn find_service<'n>(net: &'n Network, id: &str) -> Option<&'n Service> {
    let (ns, name) = id.split_once('/')?;
    net.services.iter().find(|service| service.ns == ns && service.name == name)
}
