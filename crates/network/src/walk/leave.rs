//! Leaving: egress policy, the node's own routing, source translation, the ENI that carries it.

use std::net::IpAddr;

use super::{Origin, Step, Target, Walk};
use crate::{
    network::{Network, Node, Pod},
    owner::{self, Owner},
    policy::{self, Verdict},
    security_group::Direction,
    trace::{HopKind, Rule},
};

impl<'n> Walk<'n> {
    /// Goes to an address, from wherever the walk began; names and Services are translated already.
    pub(crate) fn go_to_address(&mut self, origin: Origin<'n>, to: IpAddr) -> Step {
        self.packet.dst = to;
        match origin {
            Origin::Pod(pod, node) => {
                self.egress_policy(pod);
                if let Some(destination) = self.on_node(node, Some(pod)) {
                    return self.inside(node, destination);
                }
                if node.hybrid {
                    return self.enter_from_gateway(node.via.as_deref(), self.packet.src);
                }
                let carrier = self.carrier(pod, node);
                self.vpc_leg(carrier, true)
            }
            Origin::Node(node) if node.hybrid => {
                self.enter_from_gateway(node.via.as_deref(), self.packet.src)
            }
            Origin::Node(node) => {
                self.packet.src = node.address_towards(to).unwrap_or(self.packet.src);
                if let Some(destination) = self.on_node(node, None) {
                    return self.inside(node, destination);
                }
                self.vpc_leg(owner::node_owner(node), true)
            }
            Origin::Host(host) => {
                self.packet.src = host.ipv6.filter(|_| to.is_ipv6()).unwrap_or(host.ip);
                self.vpc_leg(Some(owner::host_owner(host)), true)
            }
            Origin::External(external) => match &external.via {
                Some(gateway) => self.enter_from_gateway(Some(gateway), external.ip),
                None => self.enter_from_internet(external.ip),
            },
            Origin::ControlPlane(eni) => {
                self.known_on_premises()?;
                let carrier = Owner {
                    eni: eni.id.clone(),
                    subnet: &eni.subnet,
                    groups: &eni.sgs,
                    behind: owner::Behind::ControlPlane,
                };
                self.vpc_leg(Some(carrier), true)
            }
        }
    }

    /// NetworkPolicy egress of the source pod, on the translated address and port.
    fn egress_policy(&mut self, pod: &Pod) {
        if !policy::enforced(self.net, pod) || pod.ip == Some(self.packet.dst) {
            return;
        }
        // A pod that is called by its address has its ports' names all the same.
        let by_address =
            || self.net.pods.iter().find(|it| it.ip == Some(self.packet.dst) && !it.host_network);
        let target = match self.target {
            Target::Pod(pod) => Some(pod),
            _ => by_address(),
        };
        let said = policy::check(
            self.net,
            pod,
            Direction::Out,
            self.packet.dst,
            target,
            &self.probe.proto,
            self.packet.port,
        );
        match said {
            Verdict::NotIsolated => {}
            Verdict::Allowed(names) => self.hop(HopKind::PolicyEgress, pod.id(), Rule::Policies(names)),
            Verdict::Denied(names) => self.deny(format!("policy:egress:{}:{}", pod.id(), names.join(","))),
        }
    }

    /// What the packet reaches without leaving `node`; none if it must leave.
    ///
    /// A pod whose branch ENI is enforced strictly always leaves, and so does whoever talks to it.
    fn on_node(&self, node: &'n Node, from: Option<&Pod>) -> Option<Inside<'n>> {
        if from.is_some_and(|pod| pod.fargate || self.strict(pod)) {
            return None;
        }
        if let Some(pod) =
            self.net.pods.iter().find(|pod| pod.ip == Some(self.packet.dst) && !pod.host_network)
        {
            return (pod.node == node.name && !self.strict(pod)).then_some(Inside::Pod(pod));
        }
        node.enis
            .iter()
            .any(|eni| eni.ip == self.packet.dst || eni.ipv4 == Some(self.packet.dst))
            .then_some(Inside::Node)
    }

    fn inside(&mut self, node: &'n Node, destination: Inside<'n>) -> Step {
        match destination {
            Inside::Pod(pod) => self.reach_pod(node, pod),
            Inside::Node => self.at_node(node),
        }
    }

    /// Whether all traffic of this pod goes through its branch ENI.
    pub(crate) fn strict(&self, pod: &Pod) -> bool {
        pod.branch_eni.is_some() && self.net.cni.sgpp != "standard"
    }

    /// The ENI that carries a pod's packet, after source translation.
    ///
    /// To outside the VPC the CNI puts the node's primary address in place of the pod's and sends by the primary ENI,
    /// unless told that something else translates. IPv6 is not translated; an IPv6 pod reaches IPv4 by its node's address.
    /// Source: VPC CNI, SNAT chain; ip rules 1024 and 1536; `cmd/egress-cni-plugin` (169.254.172.0/22).
    fn carrier(&mut self, pod: &'n Pod, node: &'n Node) -> Option<Owner<'n>> {
        if pod.host_network {
            self.packet.src = node.address_towards(self.packet.dst).unwrap_or(self.packet.src);
            return owner::node_owner(node);
        }
        let to = self.packet.dst;
        // An IPv6 pod has a host-local IPv4 address beside its own, for what speaks IPv4 only; its node translates that.
        let by_plugin = self.packet.src.is_ipv6() && to.is_ipv4();
        let snat = !pod.fargate
            && !self.strict(pod)
            && to.is_ipv4()
            && !self.net.cni.external_snat
            && !in_vpc(self.net, to)
            && !self.net.cni.exclude_snat_cidrs.iter().any(|cidr| cidr.contains(&to));
        if !snat && !by_plugin {
            return owner::pod_owner(self.net, pod);
        }
        let primary = node.address_towards(to)?;
        let before = self.packet.src;
        self.packet.src = primary;
        self.hop(HopKind::Snat, primary.to_string(), Rule::Rewrote(before));
        owner::node_owner(node)
    }

    /// The control plane sends to on-premises addresses only if it was told of their networks.
    fn known_on_premises(&mut self) -> Step {
        let to = self.packet.dst;
        let (networks, word) = match self.target {
            Target::Node(node) if node.hybrid => {
                (&self.net.cluster.remote_node_networks, "remoteNodeNetworks")
            }
            Target::Pod(pod) if self.net.nodes.iter().any(|node| node.hybrid && node.name == pod.node) => {
                (&self.net.cluster.remote_pod_networks, "remotePodNetworks")
            }
            _ => return Ok(()),
        };
        let known = networks.iter().flatten().any(|cidr| cidr.contains(&to));
        if known { Ok(()) } else { self.stop(format!("hybrid:not-in-{word}:{to}")) }
    }
}

/// What a packet reaches on the node where it already is.
#[derive(Clone, Copy)]
enum Inside<'n> {
    Pod(&'n Pod),
    Node,
}

/// Whether an address belongs to the VPC.
pub(crate) fn in_vpc(network: &Network, ip: IpAddr) -> bool {
    network.vpc.cidrs.iter().any(|cidr| cidr.contains(&ip))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Probe, trace};

    #[test]
    fn a_named_port_of_a_policy_is_found_on_a_pod_that_is_called_by_its_address() {
        let eni = json!({"id": "eni-1", "dev": 0, "ip": "10.0.0.10", "subnet": "s", "sgs": []});
        let pod = |name: &str, ip: &str, port: &str| {
            json!({"ns": "default", "name": name, "labels": {"app": name}, "node": "n", "ip": ip, "eni": "eni-1",
                "ready": true, "ports": [{"name": port, "containerPort": 8080}]})
        };
        let egress = json!({"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Egress"],
            "egress": [{"ports": [{"port": "web"}]}]});
        let world = json!({"vpc": {"id": "v", "cidrs": ["10.0.0.0/16"]}, "cni": {"networkPolicy": true},
            "subnets": [{"id": "s", "cidr": "10.0.0.0/24", "az": "a", "rt": "r"}], "nodes": [{"name": "n", "enis": [eni]}],
            "pods": [pod("a", "10.0.0.11", "web"), pod("b", "10.0.0.12", "web"), pod("c", "10.0.0.13", "other")],
            "policies": [{"name": "p", "namespace": "default", "spec": egress}]});
        let network = serde_json::from_value(world).expect("a world");
        let reached = |to: &str| {
            let probe = json!({"from": "pod:default/a", "to": to, "port": 8080, "proto": "tcp"});
            let probe: Probe = serde_json::from_value(probe).expect("a probe");
            trace(&network, &probe).reachable()
        };
        assert!(reached("ip:10.0.0.12"));
        assert!(!reached("ip:10.0.0.13"));
    }
}
