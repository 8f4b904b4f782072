//! Whose address is this?

use std::net::IpAddr;

use crate::network::{Host, Network, Node, Pod};

/// What stands behind an address inside the VPC.
#[derive(Clone, Copy)]
pub(crate) enum Behind<'n> {
    Pod(&'n Pod),
    Node(&'n Node),
    Host(&'n Host),
    ControlPlane,
    Endpoint(&'n str),
}

/// The ENI that owns an address.
#[derive(Clone)]
pub(crate) struct Owner<'n> {
    pub eni: String,
    pub subnet: &'n str,
    pub groups: &'n [String],
    pub behind: Behind<'n>,
}

/// The owner of an address inside the VPC.
pub(crate) fn owner_of(network: &Network, ip: IpAddr) -> Option<Owner<'_>> {
    if let Some(pod) = network.pods.iter().find(|pod| pod.ip == Some(ip) && !pod.host_network)
        && let Some(owner) = pod_owner(network, pod)
    {
        return Some(owner);
    }
    for node in &network.nodes {
        if let Some(eni) = node.enis.iter().find(|eni| eni.ip == ip || eni.ipv4 == Some(ip)) {
            return Some(Owner {
                eni: eni.id.clone(),
                subnet: &eni.subnet,
                groups: &eni.sgs,
                behind: Behind::Node(node),
            });
        }
    }
    if let Some(host) = network.hosts.iter().find(|host| host.ip == ip || host.ipv6 == Some(ip)) {
        return Some(host_owner(host));
    }
    if let Some(eni) = network.cluster.cross_account_enis.iter().find(|eni| eni.ip == ip) {
        return Some(Owner {
            eni: eni.id.clone(),
            subnet: &eni.subnet,
            groups: &eni.sgs,
            behind: Behind::ControlPlane,
        });
    }
    for endpoint in &network.vpc_endpoints {
        if let Some((subnet, _)) = endpoint.ips.iter().find(|(_, address)| **address == ip) {
            return Some(Owner {
                eni: endpoint.id.clone(),
                subnet,
                groups: &endpoint.sgs,
                behind: Behind::Endpoint(&endpoint.service),
            });
        }
    }
    None
}

/// The ENI that carries a pod's own address: its branch ENI, or the one of its node that owns the address.
pub(crate) fn pod_owner<'n>(network: &'n Network, pod: &'n Pod) -> Option<Owner<'n>> {
    if let Some(branch) = &pod.branch_eni {
        return Some(Owner {
            eni: branch.id.clone(),
            subnet: &branch.subnet,
            groups: &branch.sgs,
            behind: Behind::Pod(pod),
        });
    }
    let node = network.nodes.iter().find(|node| node.name == pod.node)?;
    let eni = match &pod.eni {
        Some(id) => node.enis.iter().find(|eni| eni.id == *id),
        None => node.enis.first(),
    }?;
    Some(Owner { eni: eni.id.clone(), subnet: &eni.subnet, groups: &eni.sgs, behind: Behind::Pod(pod) })
}

/// The primary ENI of a node.
pub(crate) fn node_owner(node: &Node) -> Option<Owner<'_>> {
    let eni = node.enis.first()?;
    Some(Owner { eni: eni.id.clone(), subnet: &eni.subnet, groups: &eni.sgs, behind: Behind::Node(node) })
}

/// The ENI of a host. A host has one, named after it.
pub(crate) fn host_owner(host: &Host) -> Owner<'_> {
    Owner {
        eni: format!("eni-{}", host.name),
        subnet: &host.subnet,
        groups: &host.sgs,
        behind: Behind::Host(host),
    }
}

/// The groups of the ENI that owns an address, as a security group rule's peer sees them.
pub(crate) fn groups_of(network: &Network, ip: IpAddr) -> &[String] {
    owner_of(network, ip).map(|owner| owner.groups).unwrap_or_default()
}

/// The public address that an internet gateway puts in place of a private one.
pub(crate) fn public_of(network: &Network, ip: IpAddr) -> Option<IpAddr> {
    network
        .nodes
        .iter()
        .find(|node| node.enis.first().is_some_and(|eni| eni.ip == ip || eni.ipv4 == Some(ip)))
        .and_then(|node| node.public_ip)
        .or_else(|| network.hosts.iter().find(|host| host.ip == ip).and_then(|host| host.public_ip))
}
