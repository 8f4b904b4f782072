//! How do load balancers come and go?
//!
//! One ENI in each of its subnets, with an address of it; an ENI of a zone takes what comes for that zone.
//! MODEL: a Classic Load Balancer grows with its traffic, by further ENIs; here it stays with one in a zone.
//! Source: Elastic Load Balancing user guides (network interfaces, DNS names), cloud-provider-aws `pkg/providers/v1/aws_loadbalancer.go`.

use api::{
    Kind, Resource,
    kinds::{
        aws::{Eni, EniOwner, LoadBalancer, LoadBalancerKind},
        cni::PoolMode,
    },
};

use crate::{
    AwsError, ClusterId, Key, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        subnet,
    },
    node::join::region_of,
};

/// The load balancer with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s LoadBalancer> {
    store.get(ClusterId::WORLD, "", name)
}

/// The load balancer of a Service of a cluster.
#[must_use]
pub fn of_service<'s>(store: &'s Store, cluster: &str, service: &str) -> Option<&'s LoadBalancer> {
    store
        .list::<LoadBalancer>(ClusterId::WORLD, None)
        .find(|it| it.cluster == cluster && it.service == service)
}

/// Its ENIs.
pub fn enis<'s>(store: &'s Store, it: &'s LoadBalancer) -> impl Iterator<Item = &'s Eni> {
    let wanted = description(it);
    it.subnets.iter().filter_map(move |subnet| eni::described(store, subnet, &wanted))
}

fn name(it: &LoadBalancer) -> &str {
    it.metadata.name.as_deref().unwrap_or_default()
}

/// The part of its DNS name that only it has.
pub(crate) fn unique(turn: &Turn<'_>, it: &LoadBalancer) -> String {
    let seed = turn.world().seed();
    match it.kind {
        LoadBalancerKind::Classic => {
            (1_000_000_000 + crate::draw::draw(seed, "elb", name(it), 0) % 1_000_000_000).to_string()
        }
        LoadBalancerKind::Network => crate::draw::hex(seed, "elb", name(it), 0, 16),
    }
}

fn description(it: &LoadBalancer) -> String {
    match it.kind {
        LoadBalancerKind::Classic => format!("ELB {}", name(it)),
        LoadBalancerKind::Network => {
            let unique = it.dns_name.split('.').next().and_then(|first| first.rsplit_once('-'));
            format!("ELB net/{}/{}", name(it), unique.map_or("", |(_, unique)| unique))
        }
    }
}

/// Makes a load balancer in its subnets; its name in DNS is drawn.
/// # Errors
/// If a subnet has no address left; then nothing is taken.
pub(crate) fn create(turn: &mut Turn<'_>, mut it: LoadBalancer) -> Result<(), AwsError> {
    let zone = it.subnets.first().and_then(|first| subnet::get(turn.store(), first));
    let region = zone.map(|zone| region_of(&zone.availability_zone).to_owned()).unwrap_or_default();
    let (unique, own) = (unique(turn, &it), name(&it).to_owned());
    it.dns_name = match it.kind {
        LoadBalancerKind::Classic => {
            let internal = if it.internal { "internal-" } else { "" };
            format!("{internal}{own}-{unique}.{region}.elb.amazonaws.com")
        }
        LoadBalancerKind::Network => format!("{own}-{unique}.elb.{region}.amazonaws.com"),
    };
    let mut made = Vec::new();
    for subnet in &it.subnets {
        let new = NewEni {
            operation: "CreateLoadBalancer",
            subnet,
            slots: 0,
            mode: PoolMode::SecondaryIp,
            owner: EniOwner::LoadBalancer,
            security_groups: it.security_groups.clone(),
            address: None,
            description: description(&it),
        };
        match eni::create(turn, new) {
            Ok(eni) => made.push(eni),
            Err(error) => {
                made.iter().for_each(|eni| eni::delete(turn, eni));
                return Err(error);
            }
        }
    }
    it.created_at = turn.now();
    turn.put(it.into_object());
    Ok(())
}

/// Deletes a load balancer; the addresses of its ENIs are free again.
pub(crate) fn delete(turn: &mut Turn<'_>, name: &str) {
    let Some(it) = get(turn.store(), name).cloned() else { return };
    let own: Vec<String> = enis(turn.store(), &it).filter_map(|eni| eni.metadata.name.clone()).collect();
    for eni in own {
        eni::delete(turn, &eni);
    }
    turn.remove(&Key::new(ClusterId::WORLD, Kind::LoadBalancer, "", name));
}
