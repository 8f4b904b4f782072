//! A cluster whose pods and Services have IPv6 addresses only.

use std::net::{IpAddr, Ipv6Addr};

use api::{
    k8s::{
        core::v1::{Node, Pod, Service},
        discovery::v1::EndpointSlice,
    },
    kinds::{
        aws::{Eni, EniOwner, Subnet, Vpc},
        cni::{IpPool, PoolMode},
    },
};
use ipnet::IpNet;
use serde_json::json;

use super::tests::{deploy, fixture, settle};
use crate::{ClusterId, World, node::internal_ip, path::trace};

const HERE: ClusterId = ClusterId(1);

fn web() -> World {
    let mut world = fixture("ipv6");
    deploy(&mut world, 20);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    super::lay::apply(&mut world, &service).expect("a Service");
    settle(&mut world);
    world
}

fn own(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.host_network != Some(true))
}

fn address(pod: &Pod) -> Ipv6Addr {
    let status = pod.status.clone().unwrap_or_default();
    let ip = status.pod_ip.unwrap_or_default();
    assert_eq!(status.pod_ips.unwrap_or_default().len(), 1, "one family only");
    ip.parse().unwrap_or_else(|_| panic!("{:?} has {ip:?}", pod.metadata.name))
}

#[test]
fn the_vpc_has_a_56_and_every_subnet_a_64_of_it() {
    let world = fixture("ipv6");
    let vpc = world.store().list::<Vpc>(ClusterId::WORLD, None).next().expect("a VPC");
    let block = vpc.ipv6_cidr.expect("a block");
    assert_eq!(block.prefix_len(), 56);
    let subnets = world.store().list::<Subnet>(ClusterId::WORLD, None);
    let mut blocks: Vec<_> = subnets.map(|it| it.ipv6_cidr.expect("a block")).collect();
    blocks.sort_unstable();
    blocks.dedup();
    assert_eq!(blocks.len(), 4);
    assert!(blocks.iter().all(|it| it.prefix_len() == 64 && block.contains(it)));
}

#[test]
fn a_node_serves_all_its_pods_from_one_80_of_its_primary_eni() {
    let world = web();
    for node in world.store().list::<Node>(HERE, None) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let pool = world.store().get::<IpPool>(HERE, "", name).expect("a pool");
        assert_eq!((pool.mode, pool.enis.len(), pool.enis[0].blocks.len()), (PoolMode::Ipv6Prefix, 1, 1));
        let block = pool.enis[0].blocks[0].cidr;
        assert_eq!(block.prefix_len(), 80);
        let eni = world.store().get::<Eni>(ClusterId::WORLD, "", &pool.enis[0].name).expect("an ENI");
        assert_eq!(eni.ipv6_prefix.map(IpNet::V6), Some(block));
        assert_eq!(crate::cloud::eni::addresses(eni), 1, "of IPv4 it takes its own only");
        assert_eq!(internal_ip(node), eni.ipv6_address.map(|ip| ip.to_string()).as_deref());
        let pods: Vec<_> = world.store().pods_on(HERE, name).collect();
        assert!(pods.iter().filter(|pod| own(pod)).count() >= 10);
        for pod in pods {
            let ip = IpAddr::V6(address(pod));
            assert_eq!(own(pod), block.contains(&ip), "{:?} {ip}", pod.metadata.name);
        }
        let pods = node.status.as_ref().and_then(|it| it.allocatable.as_ref()).map(|it| it["pods"].0.clone());
        assert_eq!(pods.as_deref(), Some("110"));
    }
}

#[test]
fn services_have_addresses_of_a_unique_local_108() {
    let world = web();
    let plane = world.store().list::<api::kinds::sim::ControlPlane>(ClusterId::WORLD, None).next();
    let range = plane.expect("a control plane").service_cidr;
    assert_eq!((range.prefix_len(), range.to_string().starts_with("fd")), (108, true));
    for service in world.store().list::<Service>(HERE, None) {
        let spec = service.spec.clone().unwrap_or_default();
        let ip: IpAddr = spec.cluster_ip.as_deref().expect("an address").parse().expect("an address");
        assert!(range.contains(&ip), "{ip}");
        assert_eq!(spec.ip_families.as_deref(), Some(["IPv6".to_owned()].as_slice()));
    }
    let dns = world.store().get::<Service>(HERE, "kube-system", "kube-dns").expect("a Service");
    let dns = dns.spec.as_ref().and_then(|spec| spec.cluster_ip.clone()).unwrap_or_default();
    assert!(dns.ends_with("::a"), "{dns}");
    for slice in world.store().list::<EndpointSlice>(HERE, None) {
        assert_eq!(slice.address_type, "IPv6", "{:?}", slice.metadata.name);
        let addresses = slice.endpoints.iter().flat_map(|it| &it.addresses);
        assert!(addresses.into_iter().all(|ip| ip.parse::<Ipv6Addr>().is_ok()));
    }
}

#[test]
fn a_service_of_the_other_family_is_refused() {
    let mut world = fixture("ipv6");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old", "namespace": "default"},
        "spec": {"ipFamilies": ["IPv4"], "ports": [{"port": 80}]}});
    let no = super::lay::apply(&mut world, &service).expect_err("no IPv4 here");
    assert!(
        no.contains("spec.ipFamilies[0]: Invalid value: \"IPv4\": not configured on this cluster"),
        "{no}"
    );
}

#[test]
fn packets_of_pods_keep_their_address_and_reach_ipv4_by_their_nodes() {
    let mut world = web();
    let pod = world.store().list::<Pod>(HERE, Some("default")).next().and_then(|it| it.metadata.name.clone());
    let pod = format!("pod/{}", pod.expect("a pod"));
    let words = |world: &mut World, to: &str| {
        let traced = trace(world, HERE, &pod, to, None).expect("both ends are there");
        assert_eq!(traced.trace.blockers, [], "{to}");
        traced.trace.hops.iter().map(|hop| hop.kind.word()).collect::<Vec<_>>()
    };
    assert!(words(&mut world, "svc/kubernetes:443").contains(&"dnat"));
    let away = words(&mut world, "[2600:1f14::1]:443");
    assert!(away.contains(&"igw") && !away.contains(&"snat") && !away.contains(&"nat"), "{away:?}");
    let old = words(&mut world, "198.51.100.9:443");
    assert!(old.contains(&"snat") && old.contains(&"nat"), "{old:?}");
}

#[test]
fn eks_owned_and_nat_enis_count_in_their_subnets() {
    let world = fixture("ipv6");
    for subnet in world.store().list::<Subnet>(ClusterId::WORLD, None) {
        let name = subnet.metadata.name.as_deref().unwrap_or_default();
        let held: u32 = world.store().enis_in(name).map(crate::cloud::eni::addresses).sum();
        let services = world.store().enis_in(name).filter(|eni| eni.owner != EniOwner::Instance).count();
        assert!(services > 0 || held > 0 || name == "public-b", "{name}");
        let free = crate::cloud::subnet::free(world.store(), subnet);
        assert_eq!(free + held, cni::subnet::usable(subnet.cidr));
    }
}
