//! What can be changed in a network so that a packet passes?

use ipnet::IpNet;
use k8s_openapi::{
    api::networking::v1::{
        IPBlock, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use serde::Serialize;

use crate::{
    network::{Labels, NaclRule, Network, PortRef, Route, SecurityRule, Service, ServicePort},
    security_group::Direction,
};

/// Whom a NetworkPolicy's rule lets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Peer {
    /// The pods of a namespace that carry these labels.
    Pods {
        /// Their namespace.
        namespace: String,
        /// What they carry.
        labels: Labels,
    },
    /// Addresses.
    Block(IpNet),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "edit")]
pub enum Edit {
    /// A security group lets something more.
    SecurityGroupRule {
        /// The group.
        group: String,
        /// Which way.
        direction: Direction,
        /// The rule.
        rule: SecurityRule,
    },
    /// A network ACL gets a rule.
    NaclRule {
        /// The list.
        acl: String,
        /// Which way.
        direction: Direction,
        /// The rule; its number stands before those that deny.
        rule: NaclRule,
    },
    /// A route table gets a route, or another target for one that it has.
    Route {
        /// The table.
        table: String,
        /// A block.
        destination: String,
        /// A gateway.
        target: String,
    },
    /// What lies behind a gateway learns the way back.
    ReturnRoute {
        /// The gateway.
        gateway: String,
        /// Where the packet comes from.
        source: IpNet,
    },
    /// The API endpoint is public too.
    PublicAccess,
    /// The public door opens for a block.
    PublicCidr {
        /// The block.
        block: IpNet,
    },
    /// A NetworkPolicy lets something more.
    PolicyRule {
        /// Its namespace.
        namespace: String,
        /// Its name.
        policy: String,
        /// Which way.
        direction: Direction,
        /// Whom.
        peer: Peer,
        /// `TCP` or `UDP`.
        protocol: String,
        /// The pod's own port.
        port: u16,
    },
    /// A Service gets a port.
    ServicePort {
        /// `namespace/name`.
        service: String,
        /// The port.
        port: u16,
        /// That of the pods.
        target: u16,
        /// `TCP` or `UDP`.
        protocol: String,
    },
    /// A Service's port leads to another port of its pods.
    TargetPort {
        /// `namespace/name`.
        service: String,
        /// The Service's port.
        port: u16,
        /// That of the pods.
        target: u16,
    },
    /// A Service selects other pods.
    Selector {
        /// `namespace/name`.
        service: String,
        /// What they carry.
        selector: Labels,
    },
    /// A Service's traffic policy becomes `Cluster`.
    TrafficPolicy {
        /// `namespace/name`.
        service: String,
        /// `externalTrafficPolicy`, or else the internal one.
        external: bool,
    },
    /// A load balancer lets a block.
    SourceRange {
        /// `namespace/name`.
        service: String,
        /// The block.
        block: IpNet,
    },
    /// The control plane learns of an on-premises network.
    RemoteNetwork {
        /// Of pods, or else of nodes.
        pods: bool,
        /// The block.
        block: IpNet,
    },
    /// The VPC's resolver answers.
    DnsSupport,
}

impl Edit {
    /// Changes the network; what it does not find stays as it is.
    pub fn apply(&self, network: &mut Network) {
        match self {
            Edit::SecurityGroupRule { group, direction, rule } => {
                for found in network.sgs.iter_mut().filter(|it| it.id == *group) {
                    match direction {
                        Direction::In => found.inbound.push(rule.clone()),
                        Direction::Out => found.outbound.push(rule.clone()),
                    }
                }
            }
            Edit::NaclRule { acl, direction, rule } => {
                for found in network.nacls.iter_mut().filter(|it| it.id == *acl) {
                    match direction {
                        Direction::In => found.inbound.push(rule.clone()),
                        Direction::Out => found.outbound.push(rule.clone()),
                    }
                }
            }
            Edit::Route { table, destination, target } => {
                for found in network.route_tables.iter_mut().filter(|it| it.id == *table) {
                    found.routes.retain(|it| it.dst != *destination);
                    let (dst, via) = (destination.clone(), target.clone());
                    found.routes.push(Route { dst, via, state: None });
                }
            }
            Edit::ReturnRoute { gateway, source } => {
                if let Some(found) = network.gateways.get_mut(gateway) {
                    found.return_cidrs.push(*source);
                }
            }
            Edit::PublicAccess => network.cluster.endpoint.public = true,
            Edit::PublicCidr { block } => network.cluster.endpoint.public_cidrs.push(*block),
            Edit::PolicyRule { namespace, policy, direction, peer, protocol, port } => {
                let named =
                    |it: &&mut crate::network::Policy| it.namespace == *namespace && it.name == *policy;
                for found in network.policies.iter_mut().filter(named) {
                    let peer = policy_peer(namespace, peer);
                    let ports = Some(vec![NetworkPolicyPort {
                        port: Some(IntOrString::Int(i32::from(*port))),
                        protocol: Some(protocol.clone()),
                        end_port: None,
                    }]);
                    match direction {
                        Direction::In => found
                            .spec
                            .ingress
                            .get_or_insert_default()
                            .push(NetworkPolicyIngressRule { from: Some(vec![peer]), ports }),
                        Direction::Out => found
                            .spec
                            .egress
                            .get_or_insert_default()
                            .push(NetworkPolicyEgressRule { to: Some(vec![peer]), ports }),
                    }
                }
            }
            Edit::ServicePort { service, port, target, protocol } => on_service(network, service, |it| {
                it.ports.push(ServicePort {
                    name: None,
                    port: *port,
                    target_port: Some(PortRef::Number(*target)),
                    node_port: None,
                    protocol: Some(protocol.clone()),
                });
            }),
            Edit::TargetPort { service, port, target } => on_service(network, service, |it| {
                for found in it.ports.iter_mut().filter(|it| it.port == *port) {
                    found.target_port = Some(PortRef::Number(*target));
                }
            }),
            Edit::Selector { service, selector } => on_service(network, service, |it| {
                it.selector = Some(selector.clone());
                it.endpoints = None;
            }),
            Edit::TrafficPolicy { service, external } => on_service(network, service, |it| {
                *(if *external { &mut it.etp } else { &mut it.itp }) = Some("Cluster".to_owned());
            }),
            Edit::SourceRange { service, block } => on_service(network, service, |it| {
                it.source_ranges.get_or_insert_default().push(*block);
            }),
            Edit::RemoteNetwork { pods, block } => {
                let cluster = &mut network.cluster;
                let known =
                    if *pods { &mut cluster.remote_pod_networks } else { &mut cluster.remote_node_networks };
                known.get_or_insert_default().push(*block);
            }
            Edit::DnsSupport => network.vpc.dns_support = true,
        }
    }
}

/// A node whose kube-proxy has stopped keeps the Service that it knew.
fn on_service(network: &mut Network, id: &str, change: impl Fn(&mut Service)) {
    network.services.iter_mut().filter(|it| it.id() == id).for_each(change);
}

/// The peer as a rule of a policy in `namespace` writes it.
#[must_use]
pub fn policy_peer(namespace: &str, peer: &Peer) -> NetworkPolicyPeer {
    let labelled = |labels: Labels| LabelSelector { match_labels: Some(labels), match_expressions: None };
    match peer {
        Peer::Pods { namespace: own, labels } => NetworkPolicyPeer {
            pod_selector: Some(labelled(labels.clone())),
            namespace_selector: (own != namespace)
                .then(|| labelled([("kubernetes.io/metadata.name".to_owned(), own.clone())].into())),
            ip_block: None,
        },
        Peer::Block(block) => NetworkPolicyPeer {
            ip_block: Some(IPBlock { cidr: block.to_string(), except: None }),
            ..NetworkPolicyPeer::default()
        },
    }
}
