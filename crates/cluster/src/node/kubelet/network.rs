//! Which address does a sandbox get?
//!
//! CNI ADD and DEL, as the runtime calls them: the node's own address on the host's network, ipamd's on EKS, kindnet's
//! on kind; on Fargate the one address of the micro-VM.

use std::net::{IpAddr, Ipv4Addr};

use api::{
    Resource,
    k8s::core::v1::{Node, Pod},
    kinds::{
        cni::IpPool,
        sim::{Machine, Sandbox},
    },
};
use ipnet::Ipv4Net;

use super::{host_network, owner};
use crate::{
    Turn,
    cloud::eni,
    node::{internal_ip, ipamd, is_ipv6},
    vpc_resource,
};

/// The plugin's own words when ipamd does not listen.
const NOT_LISTENING: &str = "add cmd: Error received from AddNetwork gRPC call: rpc error: code = Unavailable desc = \
     connection error: desc = \"transport: Error while dialing: dial tcp 127.0.0.1:50051: connect: connection refused\"";

/// The plugin's own words when ipamd has no address for the pod.
const NO_ADDRESS: &str = "add cmd: failed to assign an IP address to container";

/// The address of a pod's sandbox.
/// # Errors
/// The sentence that the runtime passes on.
pub(super) fn add(turn: &mut Turn<'_>, pod: &Pod, machine: &Machine) -> Result<IpAddr, String> {
    let node = machine.metadata.name.as_deref().unwrap_or_default();
    if host_network(pod) {
        let ip = turn.get::<Node>("", node).and_then(internal_ip).and_then(|ip| ip.parse().ok());
        return ip.ok_or_else(|| "the node has no address".to_owned());
    }
    if let Some(vm) = &machine.micro_vm {
        // The pod has its machine's ENI to itself.
        let eni = eni::get(turn.store(), &vm.eni).map(|eni| eni::address(turn.store(), turn.cluster(), eni));
        return eni.ok_or_else(|| "the micro-VM has no address".to_owned());
    }
    if let Some(cidr) = machine.pod_cidr {
        return kindnet(turn, node, cidr)
            .map(IpAddr::V4)
            .ok_or_else(|| format!("no IP addresses available in range set: {cidr}"));
    }
    if !ipamd::answers(turn, node) {
        return Err(NOT_LISTENING.to_owned());
    }
    if vpc_resource::asks(pod) && ipamd::gives_branches(turn, node) {
        // Not from the pool: the controller has made it, or ipamd has none to tell of.
        let has_trunk =
            turn.get::<IpPool>("", node).is_some_and(|pool| pool.enis.iter().any(|eni| eni.trunk));
        let branch = vpc_resource::annotated(pod, is_ipv6(turn.store(), turn.cluster()))
            .filter(|_| has_trunk)
            .map(|(_, address)| address);
        return branch.ok_or_else(|| NO_ADDRESS.to_owned());
    }
    let now = turn.now();
    let Some(mut pool) = turn.get::<IpPool>("", node).cloned() else { return Err(NOT_LISTENING.to_owned()) };
    let rest = pool.cooldown;
    let assigned = cni::assign(&mut pool, &owner(pod), rest, now);
    let served = if assigned.is_ok() { pool.served_at_once + 1 } else { 0 };
    if served != pool.served_at_once {
        pool.served_at_once = served;
        turn.put(pool.into_object());
    }
    assigned.map_err(|_| NO_ADDRESS.to_owned())
}

/// Whether an address could be had now.
pub(super) fn has_address(turn: &Turn<'_>, node: &str) -> bool {
    turn.get::<IpPool>("", node).is_some_and(|pool| cni::figures(pool, pool.cooldown, turn.now()).warm > 0)
}

/// Gives a sandbox's address back.
pub(super) fn release(turn: &mut Turn<'_>, sandbox: &Sandbox) {
    let Some(mut pool) = turn.get::<IpPool>("", &sandbox.node).cloned() else { return };
    let meta = &sandbox.metadata;
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = cni::SandboxId(format!("{}/{}", name(&meta.namespace), name(&meta.name)));
    if cni::release(&mut pool, &id, turn.now()).is_some() {
        turn.put(pool.into_object());
    }
}

/// The lowest address of the node's range that no sandbox has, behind the one it begins with and the bridge's.
fn kindnet(turn: &Turn<'_>, node: &str, cidr: Ipv4Net) -> Option<Ipv4Addr> {
    let taken: Vec<IpAddr> =
        turn.store().sandboxes_on(turn.cluster(), node).filter_map(|sandbox| sandbox.ip).collect();
    let (first, last) = (u32::from(cidr.addr()) + 2, u32::from(cidr.broadcast()));
    (first..last).map(Ipv4Addr::from).find(|ip| !taken.contains(&IpAddr::V4(*ip)))
}
