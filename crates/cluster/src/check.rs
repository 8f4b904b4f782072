//! What must hold in every world, whatever was asked of it?
//!
//! [`broken`] names every rule that does not hold: addresses, ENIs, pools and nodes. Tests call it after every step.

use std::{collections::BTreeMap, net::IpAddr};

use api::{
    k8s::core::v1::{Node, Pod},
    kinds::{
        aws::{Eni, Subnet},
        cni::IpPool,
        sim::{ControlPlane, Sandbox},
    },
};
use cni::subnet::SubnetAddresses;

use crate::{
    ClusterId, World,
    cloud::{eni, instance, subnet},
    node::finished,
};

/// Every rule that does not hold, in words.
#[must_use]
pub fn broken(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    subnets(world, &mut broken);
    enis(world, &mut broken);
    branches(world, &mut broken);
    let planes = world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    for cluster in planes.into_iter().map(|plane| ClusterId(plane.id)) {
        pools(world, cluster, &mut broken);
        nodes(world, cluster, &mut broken);
        pod_addresses(world, cluster, &mut broken);
    }
    broken
}

/// No address twice, none outside its subnet, none of EC2's own; the count of free ones is exact.
fn subnets(world: &World, broken: &mut Vec<String>) {
    for it in world.store().list::<Subnet>(ClusterId::WORLD, None) {
        let name = it.metadata.name.as_deref().unwrap_or_default();
        let mut left = SubnetAddresses::new(it.cidr);
        let mut taken = 0;
        for eni in world.store().enis_in(name) {
            for ip in std::iter::once(&eni.primary_ip).chain(&eni.secondary_ips) {
                taken += 1;
                if !left.take(*ip) {
                    broken.push(format!("{ip} of {:?} is not free in {name}", eni.metadata.name));
                }
            }
            for prefix in &eni.prefixes {
                taken += 16;
                if !left.take_prefix(*prefix) {
                    broken.push(format!("{prefix} of {:?} is not free in {name}", eni.metadata.name));
                }
            }
        }
        let addresses = subnet::addresses(world.store(), it);
        let free = addresses.free() + addresses.set_aside();
        if free + taken != cni::subnet::usable(it.cidr) {
            broken.push(format!("{name}: {free} free and {taken} taken of {}", cni::subnet::usable(it.cidr)));
        }
    }
}

/// An ENI's slots and an instance's ENIs stay within the type's limits; a device number is taken once.
fn enis(world: &World, broken: &mut Vec<String>) {
    let mut devices: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for eni in world.store().list::<Eni>(ClusterId::WORLD, None) {
        let (name, Some(of)) = (eni.metadata.name.as_deref().unwrap_or_default(), eni.instance.as_deref())
        else {
            continue;
        };
        *counts.entry(of).or_default() += 1;
        if let Some(other) = devices.insert((of, eni.device_index), name) {
            broken.push(format!("{other} and {name} are device {} of {of}", eni.device_index));
        }
        let slots =
            instance::limits(world.store(), of).map_or(0, |limits| limits.ipv4_per_eni.saturating_sub(1));
        if eni.secondary_ips.len() + eni.prefixes.len() > slots as usize {
            broken.push(format!("{name} holds more than {slots} slots"));
        }
    }
    for (of, count) in counts {
        let most = instance::limits(world.store(), of).map_or(0, |limits| limits.enis);
        if count > most {
            broken.push(format!("{of} has {count} ENIs of {most}"));
        }
    }
}

/// A branch has a trunk that is there and a VLAN of its own on it; a trunk has no more branches than its type allows.
fn branches(world: &World, broken: &mut Vec<String>) {
    let mut vlans: BTreeMap<(&str, u32), &str> = BTreeMap::new();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for eni in world.store().list::<Eni>(ClusterId::WORLD, None) {
        let name = eni.metadata.name.as_deref().unwrap_or_default();
        if eni.trunk && eni.secondary_ips.len() + eni.prefixes.len() > 0 {
            broken.push(format!("{name} is a trunk and holds addresses for pods"));
        }
        let Some(branch) = &eni.branch else { continue };
        *counts.entry(&branch.trunk).or_default() += 1;
        if let Some(other) = vlans.insert((&branch.trunk, branch.vlan), name) {
            broken.push(format!("{other} and {name} are VLAN {} of {}", branch.vlan, branch.trunk));
        }
    }
    for (trunk, count) in counts {
        let of =
            world.store().get::<Eni>(ClusterId::WORLD, "", trunk).and_then(|trunk| trunk.instance.as_deref());
        let limits = of.and_then(|of| instance::limits(world.store(), of));
        let most = limits.and_then(|limits| limits.branch_enis).unwrap_or(0);
        if count > most {
            broken.push(format!("{trunk} has {count} branches of {most}"));
        }
    }
}

/// A pool holds only blocks that EC2 gave its ENIs, and hands out only addresses of its blocks, each once.
fn pools(world: &World, cluster: ClusterId, broken: &mut Vec<String>) {
    for pool in world.store().list::<IpPool>(cluster, None) {
        for held in &pool.enis {
            let Some(eni) = world.store().get::<Eni>(ClusterId::WORLD, "", &held.name) else { continue };
            for block in &held.blocks {
                if !eni::blocks_of(eni).contains(&block.cidr) {
                    broken.push(format!("{} of {} is in the pool and not in EC2", block.cidr, held.name));
                }
                for address in block.addresses.iter().filter(|address| !block.cidr.contains(&address.ip)) {
                    broken.push(format!("{} is not of {}", address.ip, block.cidr));
                }
            }
        }
    }
}

/// The kubelet runs no more pods than its limit.
fn nodes(world: &World, cluster: ClusterId, broken: &mut Vec<String>) {
    for node in world.store().list::<Node>(cluster, None) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let limit =
            node.status.as_ref().and_then(|s| s.allocatable.as_ref()?.get("pods")?.0.parse::<usize>().ok());
        let runs = world.store().pods_on(cluster, name).filter(|pod| !finished(pod)).filter(|pod| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let meta = &pod.metadata;
            world.store().get::<Sandbox>(cluster, &text(&meta.namespace), &text(&meta.name)).is_some()
        });
        let (runs, limit) = (runs.count(), limit.unwrap_or(usize::MAX));
        if runs > limit {
            broken.push(format!("{name} runs {runs} pods of {limit}"));
        }
    }
}

/// Two pods with a network of their own never have the same address.
fn pod_addresses(world: &World, cluster: ClusterId, broken: &mut Vec<String>) {
    let mut owners: BTreeMap<IpAddr, String> = BTreeMap::new();
    for pod in world.store().list::<Pod>(cluster, None) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (namespace, name) = (text(&pod.metadata.namespace), text(&pod.metadata.name));
        let own = pod.spec.as_ref().is_some_and(|spec| spec.host_network != Some(true));
        let sandbox = world.store().get::<Sandbox>(cluster, &namespace, &name);
        let Some(ip) = sandbox.filter(|_| own).and_then(|sandbox| sandbox.ip) else { continue };
        if let Some(other) = owners.insert(ip, name.clone()) {
            broken.push(format!("{other} and {name} both have {ip}"));
        }
    }
}
