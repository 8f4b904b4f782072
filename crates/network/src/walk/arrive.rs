//! Arriving: the node, its rules, the pod's policy, the process.

use super::{Step, Target, Walk};
use crate::{
    network::{Node, Pod},
    owner::{Behind, Owner},
    policy::{self, Verdict},
    security_group::Direction,
    trace::{HopKind, Rule},
};

impl<'n> Walk<'n> {
    /// Behind the ENI that owns the packet's destination.
    pub(crate) fn arrive(&mut self, at: Owner<'n>) -> Step {
        match at.behind {
            Behind::Pod(pod) => {
                if pod.fargate {
                    return self.process(pod);
                }
                let Some(node) = self.net.nodes.iter().find(|node| node.name == pod.node) else {
                    return self.stop(format!("unknown:node:{}", pod.node));
                };
                self.pass(HopKind::Node, node.name.clone());
                self.reach_pod(node, pod)
            }
            Behind::Node(node) => {
                self.pass(HopKind::Node, node.name.clone());
                self.at_node(node)
            }
            Behind::Host(host) => {
                self.pass(HopKind::Host, host.name.clone());
                Ok(())
            }
            Behind::ControlPlane => {
                if matches!(self.target, Target::Api) {
                    self.pass(HopKind::XEni, at.eni);
                    self.pass(HopKind::ApiServer, String::new());
                }
                Ok(())
            }
            Behind::Endpoint(service) => {
                self.pass(HopKind::Vpce, at.eni);
                self.pass(HopKind::Aws, service.to_owned());
                Ok(())
            }
        }
    }

    /// At a node's own address: a node port, a pod on the node's network, or the node itself.
    pub(crate) fn at_node(&mut self, node: &'n Node) -> Step {
        match self.target {
            Target::NodePort(service) => self.node_port_rules(node, service),
            Target::Pod(pod) if pod.host_network => self.process(pod),
            Target::Pod(_)
            | Target::Address
            | Target::External(_)
            | Target::Aws(_)
            | Target::Api
            | Target::Node(_) => Ok(()),
        }
    }

    /// From the node's stack to the pod: policy, veth, process.
    pub(crate) fn reach_pod(&mut self, node: &Node, pod: &'n Pod) -> Step {
        let src = self.packet.src;
        let own_node = node.enis.iter().any(|eni| eni.ip == src);
        if policy::enforced(self.net, pod) && !own_node && pod.ip != Some(src) {
            let (proto, port) = (self.probe.proto.as_str(), self.packet.port);
            match policy::check(self.net, pod, Direction::In, src, Some(pod), proto, port) {
                Verdict::NotIsolated => {}
                Verdict::Allowed(names) => self.hop(HopKind::PolicyIngress, pod.id(), Rule::Policies(names)),
                Verdict::Denied(names) => {
                    self.deny(format!("policy:ingress:{}:{}", pod.id(), names.join(",")));
                }
            }
        }
        let rule = Rule::IpRule { priority: 512, table: "main".to_owned() };
        self.hop(HopKind::Veth, pod.id(), rule);
        self.process(pod)
    }

    fn process(&mut self, pod: &Pod) -> Step {
        self.pass(HopKind::Pod, pod.id());
        self.listens(pod)
    }

    /// Whether a container of the pod listens on the packet's port. Its declared ports are taken as where it listens.
    pub(crate) fn listens(&mut self, pod: &Pod) -> Step {
        let port = self.packet.port;
        let open = pod.ports.iter().any(|declared| {
            declared.container_port == port
                && declared.protocol.as_deref().unwrap_or("TCP").eq_ignore_ascii_case(&self.probe.proto)
        });
        if !open {
            self.deny(format!("pod:refused:{}:{port}", pod.id()));
        }
        Ok(())
    }
}
