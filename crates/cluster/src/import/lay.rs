//! How does what was given become things in a world?

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use api::{
    Kind, Object, Resource,
    k8s::core::v1::{Namespace, Node, Pod, Service},
    kinds::{
        aws::{Eni, Instance, InstanceState, Subnet, Vpc},
        cni::{IpPool, PoolAddress, PoolBlock, PoolEni, PoolMode},
        sim::{ControlPlane, Part, PartRole, Provider},
    },
    meta::ObjectMeta,
};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Import, aws::DescribedSubnet};
use crate::{
    ClusterId, Refusal, Turn, What,
    cloud::{eni, instance, subnet},
    node::{internal_ip, ipamd},
    parts, scheduler,
};

/// The name of a cluster that nothing names.
const NAMELESS: &str = "imported";
/// Tags and labels that name a cluster: the node's by eksctl, the subnet's by whoever made it.
const NODE_LABEL: &str = "alpha.eksctl.io/cluster-name";
const SUBNET_TAG: &str = "kubernetes.io/cluster/";

/// Puts an imported cluster beside the others; its name.
/// # Errors
/// One of that name is there.
pub(crate) fn lay(turn: &mut Turn<'_>, import: Import) -> Result<String, Refusal> {
    let nodes: Vec<Node> = import.objects.iter().filter_map(|it| Node::of(it).cloned()).collect();
    let name = name(&nodes, &import.subnets);
    let planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    if planes.into_iter().any(|it| it.metadata.name.as_deref() == Some(&name)) {
        return Err(Refusal::Tool(format!("a cluster called {name:?} is here already")));
    }
    set_clock(turn, &import.objects);
    let id = crate::provision::next_cluster(turn.store());
    begin(turn, id, &name, &import.objects, &nodes);
    let enis: Vec<Eni> = import.interfaces.iter().flatten().map(|it| it.eni(turn.now())).collect();
    account(turn, &import.subnets, enis);
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    for node in &nodes {
        machine(&mut there, node);
    }
    for object in import.objects {
        there.world.restore(id, object);
    }
    for node in &nodes {
        pool(&mut there, node);
    }
    decide(&mut there);
    Ok(name)
}

fn name(nodes: &[Node], subnets: &[DescribedSubnet]) -> String {
    let label = nodes.iter().find_map(|node| node.metadata.labels.as_ref()?.get(NODE_LABEL).cloned());
    let tags = subnets.iter().flat_map(|subnet| &subnet.tags);
    let mut tags = tags.filter_map(|tag| tag.key.strip_prefix(SUBNET_TAG).map(str::to_owned));
    label.or_else(|| tags.next()).unwrap_or_else(|| NAMELESS.to_owned())
}

/// A world in which nothing has happened takes the clock of the newest thing that was given, so that ages read as they did.
fn set_clock(turn: &mut Turn<'_>, objects: &[Object]) {
    if turn.store().iter().next().is_some() {
        return;
    }
    let newest = objects.iter().filter_map(|object| newest(&object.to_value())).max();
    if let Some(newest) = newest {
        turn.world.set_epoch(newest);
    }
}

/// The latest time that stands in an object.
fn newest(value: &Value) -> Option<jiff::Timestamp> {
    match value {
        Value::String(text) if text.len() >= 20 && text.ends_with('Z') => text.parse().ok(),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::Object(map) => map.values().filter_map(newest).max(),
        _ => None,
    }
}

/// The control plane, as far as it can be known, with what every API server has; nothing in it moves.
fn begin(turn: &mut Turn<'_>, id: ClusterId, name: &str, objects: &[Object], nodes: &[Node]) {
    let version =
        nodes.iter().filter_map(|node| Some(&node.status.as_ref()?.node_info.as_ref()?.kubelet_version));
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        id: id.0,
        provider: Provider::Imported,
        version: version.max().cloned().unwrap_or_default(),
        service_cidr: service_cidr(objects),
        pod_cidr: None,
    };
    turn.put(plane.clone().into_object());
    parts::lay(turn, &plane, &[]);
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    let idle = |part: &&Part| matches!(part.role, PartRole::Scheduler | PartRole::ControllerManager);
    let idle: Vec<Part> = there.list::<Part>(None).filter(idle).cloned().collect();
    for part in idle {
        let since = there.now();
        there.put(Part { running: false, since, ..part }.into_object());
    }
    crate::apiserver::bootstrap(turn.world, id, &[]);
    let seen: BTreeSet<&str> = objects.iter().map(Object::namespace).filter(|it| !it.is_empty()).collect();
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    for namespace in seen {
        if there.get::<Namespace>("", namespace).is_none()
            && let Ok(object) = Object::from_value(Kind::Namespace, json!({"metadata": {"name": namespace}}))
        {
            there.put(object);
        }
    }
}

/// The block that the Service `kubernetes` has its address from; the usual length, for its own is not given.
fn service_cidr(objects: &[Object]) -> IpNet {
    let services = objects.iter().filter_map(Service::of);
    let own = services.filter(|it| it.metadata.name.as_deref() == Some("kubernetes"));
    let address = own.filter_map(|it| it.spec.as_ref()?.cluster_ip.as_ref()?.parse().ok()).next();
    let address = address.unwrap_or(IpAddr::from([172, 20, 0, 1]));
    // EKS gives a /108 of IPv6.
    let length = if address.is_ipv6() { 108 } else { 16 };
    IpNet::new(address, length).map(|net| net.trunc()).unwrap_or_default()
}

/// Subnets and interfaces. What EC2 says is taken and no given interface holds is counted, not placed.
fn account(turn: &mut Turn<'_>, subnets: &[DescribedSubnet], enis: Vec<Eni>) {
    let vpcs: BTreeSet<&str> =
        subnets.iter().map(|it| it.vpc_id.as_str()).filter(|it| !it.is_empty()).collect();
    for vpc in vpcs {
        if turn.get::<Vpc>("", vpc).is_none() {
            // Its blocks are not given: those of its subnets are what is known of them.
            let cidrs = subnets.iter().filter(|it| it.vpc_id == vpc).map(|it| it.cidr_block).collect();
            let metadata = ObjectMeta { name: Some(vpc.to_owned()), ..ObjectMeta::default() };
            let ipv6_cidr = None;
            let vpc =
                Vpc { metadata, cidrs, ipv6_cidr, enable_dns_support: true, enable_dns_hostnames: true };
            turn.put(vpc.into_object());
        }
    }
    for described in subnets {
        turn.put(described.subnet(0).into_object());
    }
    for eni in enis {
        turn.put(eni.into_object());
    }
    for described in subnets {
        let seen = subnet::free(turn.store(), &described.subnet(0));
        let unseen = seen.saturating_sub(described.available_ip_address_count);
        if unseen > 0 {
            turn.put(described.subnet(unseen).into_object());
        }
    }
}

/// The instance under a node, as far as node and interfaces tell.
fn machine(there: &mut Turn<'_>, node: &Node) {
    let Some((zone, id)) = provider(node) else { return };
    let Some(private_ip) = internal_ip(node).and_then(|ip| ip.parse().ok()) else { return };
    let label = |key: &str| node.metadata.labels.as_ref()?.get(key).cloned();
    let of_zone = |it: &&Subnet| it.availability_zone == zone || it.availability_zone.is_empty();
    let mut subnets = there.store().list::<Subnet>(ClusterId::WORLD, None).filter(of_zone);
    let subnet = subnets.find(|it| it.cidr.contains(&private_ip)).and_then(|it| it.metadata.name.clone());
    drop(subnets);
    let now = there.now();
    let instance = Instance {
        metadata: ObjectMeta { name: Some(id.to_owned()), ..ObjectMeta::default() },
        instance_type: label("node.kubernetes.io/instance-type").unwrap_or_default(),
        subnet: subnet.unwrap_or_default(),
        private_ip,
        public_ip: None,
        state: InstanceState::Running,
        since: now,
        node: node.metadata.name.clone(),
        cluster: None,
        nodegroup: None,
        launched_at: now,
        user_data: BTreeMap::new(),
        drain: None,
        spot: label("eks.amazonaws.com/capacityType").as_deref() == Some("SPOT"),
        rebalance_recommended: None,
        interruption_notice: None,
        impaired_since: None,
        state_reason: None,
        left_group: false,
    };
    there.put(instance.into_object());
}

/// Zone and instance of `aws:///ap-northeast-2a/i-0abc`.
fn provider(node: &Node) -> Option<(&str, &str)> {
    let id = node.spec.as_ref()?.provider_id.as_deref()?.strip_prefix("aws:///")?;
    id.split_once('/').filter(|(_, id)| id.starts_with("i-"))
}

/// The pool of a node whose interfaces are given: its blocks, and which pod holds which address.
fn pool(there: &mut Turn<'_>, node: &Node) {
    let name = node.metadata.name.clone().unwrap_or_default();
    let Some((_, id)) = provider(node) else { return };
    let Some(instance) = instance::get(there.store(), id).cloned() else { return };
    let mut enis: Vec<&Eni> = there.store().enis_of(id).collect();
    enis.sort_by_key(|eni| eni.device_index);
    if enis.is_empty() {
        return;
    }
    let pods: Vec<&Pod> = there.store().pods_on(there.cluster(), &name).collect();
    let holder = |block: &IpNet| {
        let held = pods.iter().filter(|pod| !is_on_host(pod)).filter_map(|pod| {
            let ip = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
            let (namespace, name) = (pod.metadata.namespace.as_deref()?, pod.metadata.name.as_deref()?);
            block.contains(&ip).then(|| PoolAddress {
                ip,
                sandbox: Some(format!("{namespace}/{name}")),
                unassigned_at: None,
            })
        });
        let mut held: Vec<PoolAddress> = held.collect();
        held.sort_by_key(|it| it.ip);
        held
    };
    let blocks = |eni: &Eni| -> Vec<PoolBlock> {
        eni::blocks_of(eni).into_iter().map(|cidr| PoolBlock { cidr, addresses: holder(&cidr) }).collect()
    };
    let primary_subnet = enis[0].subnet.clone();
    let custom = enis.iter().any(|eni| eni.subnet != primary_subnet);
    let pool = IpPool {
        metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
        node: name,
        instance_type: instance.instance_type.clone(),
        mode: match enis.iter().any(|eni| !eni.prefixes.is_empty()) {
            _ if enis[0].ipv6_prefix.is_some() => PoolMode::Ipv6Prefix,
            true => PoolMode::Prefix,
            false => PoolMode::SecondaryIp,
        },
        custom_networking: custom,
        max_pods: ipamd::pods_allowed(node),
        enis: enis
            .iter()
            .map(|eni| PoolEni {
                name: eni.metadata.name.clone().unwrap_or_default(),
                device_index: eni.device_index,
                excluded: custom && eni.device_index == 0,
                trunk: eni.trunk,
                created_at: eni.created_at,
                blocks: blocks(eni),
            })
            .collect(),
        ..IpPool::default()
    };
    there.put(pool.into_object());
}

/// Whether a pod uses its node's address.
pub(super) fn is_on_host(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true))
}

/// What a scheduler would say now to each pod that waits for one.
fn decide(there: &mut Turn<'_>) {
    for decision in scheduler::opinions(there) {
        there.fact(What::Decided(decision));
    }
}
