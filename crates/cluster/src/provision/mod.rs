//! How do clusters and nodes come into the world?
//!
//! A [`Scenario`] becomes a [`World`] in which everything is in place and has settled; eksctl, kind and the lab make and
//! change clusters by [`Provision`] requests. Both go the same way: a scenario is what the tools would have made.

mod eks;
mod kind;
mod nodegroup;
#[cfg(test)]
mod properties;
mod request;
mod scenario;
#[cfg(test)]
pub(crate) mod tests;
mod vpc;

pub use eks::Eks;
pub use nodegroup::Nodegroups;
pub use request::Provision;
pub use scenario::{ActorSpec, ClusterFile, EndpointSpec, ImageSpec, RuleSpec, Scenario, SecurityGroupSpec};

use std::net::Ipv4Addr;

use api::{
    Diagnostic, FieldPath, Kind, Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::{EniOwner, Instance, InstanceState, SecurityGroup, SecurityGroupRule, Subnet},
        cni::PoolMode,
        eks::{EksCluster, Nodegroup},
        kind_config::{Node as NodeConfig, Role},
        sim::{Actor, ControlPlane, Image, Machine, Provider},
    },
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::{Value, json};

use crate::{
    ActorId, ApiRequest, ApiVerb, ClusterId, Key, Principal, Refusal, Request, Store, Turn, World, addons,
    cloud::{
        eni::{self, NewEni},
        instance, refuse,
    },
};

/// A scenario that has not settled after this long is begun as it is.
const SETTLE: SimDuration = SimDuration::secs(900);

impl World {
    /// The world that a scenario describes, after everything has come to rest.
    /// # Errors
    /// Everything that is wrong with the scenario.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        let mut world = World::empty(seed);
        let wrong = |message: String| vec![Diagnostic::error(FieldPath::root(), message)];
        lay(&mut world, scenario).map_err(|refusal| wrong(refusal.to_string()))?;
        world.settle(SETTLE);
        let refused: Vec<Diagnostic> = scenario
            .manifests
            .iter()
            .filter_map(|manifest| apply(&mut world, manifest).err())
            .flat_map(wrong)
            .collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        world.settle(SETTLE);
        world.begin();
        Ok(world)
    }
}

fn lay(world: &mut World, scenario: &Scenario) -> Result<(), Refusal> {
    let mut turn = Turn::new(world, ActorId("scenario"), ClusterId::WORLD, None);
    let turn = &mut turn;
    for spec in &scenario.images {
        turn.put(image(spec).into_object());
    }
    match &scenario.cluster {
        Some(ClusterFile::Eks(config)) => {
            let mut config = (**config).clone();
            if let Some(endpoint) = &scenario.endpoint {
                let doors = &mut config.vpc.cluster_endpoints;
                doors.public_access = endpoint.endpoint_public_access.or(doors.public_access);
                doors.private_access = endpoint.endpoint_private_access.or(doors.private_access);
                if let Some(cidrs) = &endpoint.public_access_cidrs {
                    config.vpc.public_access_cidrs.clone_from(cidrs);
                }
            }
            let name = config.metadata.name.clone();
            eks::create(turn, config)?;
            if let Some(cluster) = turn.get::<EksCluster>("", &name).cloned() {
                eks::activate(turn, cluster);
            }
            name_nodes(turn, scenario);
        }
        Some(ClusterFile::Kind(config)) => {
            let name = config.name.clone().unwrap_or_else(|| "kind".to_owned());
            kind::create(turn, &name, config, None)?;
        }
        None => {}
    }
    for spec in &scenario.security_groups {
        add_rules(turn, spec);
    }
    for spec in &scenario.actors {
        place(turn, spec)?;
    }
    Ok(())
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() }
}

fn image(spec: &ImageSpec) -> Image {
    Image {
        metadata: named(&spec.name),
        size: spec.size,
        pull_takes: spec.pull_takes,
        missing: spec.missing,
        ports: spec.ports.clone(),
        ends_after: spec.ends_after,
        exit_code: spec.exit_code,
        obeys_term: spec.obeys_term,
        log: spec.log.clone(),
    }
}

fn name_nodes(turn: &mut Turn<'_>, scenario: &Scenario) {
    for (group, names) in &scenario.nodes {
        if let Some(mut group) = turn.get::<Nodegroup>("", group).cloned() {
            group.node_names.clone_from(names);
            turn.put(group.into_object());
        }
    }
}

fn add_rules(turn: &mut Turn<'_>, spec: &SecurityGroupSpec) {
    let mut group = turn
        .get::<SecurityGroup>("", &spec.name)
        .cloned()
        .unwrap_or_else(|| SecurityGroup { metadata: named(&spec.name), ..SecurityGroup::default() });
    for rule in &spec.inbound {
        let port = rule.port.as_u64().and_then(|port| u16::try_from(port).ok());
        let peer = match rule.from.as_str() {
            "self" => spec.name.clone(),
            from => from.strip_prefix("sg/").unwrap_or(from).to_owned(),
        };
        let protocol = if port.is_some() { "tcp" } else { "-1" };
        group.inbound.push(SecurityGroupRule {
            protocol: protocol.to_owned(),
            ports: port.map(|port| (port, port)),
            peer,
        });
    }
    turn.put(group.into_object());
}

/// Somebody in a subnet takes an address of it, with a security group of their own.
fn place(turn: &mut Turn<'_>, spec: &ActorSpec) -> Result<(), Refusal> {
    let mut address = spec.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
    if let Some(subnet) = spec.at.strip_prefix("subnet/") {
        let vpc = turn.get::<Subnet>("", subnet).map(|s| s.vpc.clone()).unwrap_or_default();
        if turn.get::<SecurityGroup>("", &spec.name).is_none() {
            let all =
                SecurityGroupRule { protocol: "-1".to_owned(), ports: None, peer: "0.0.0.0/0".to_owned() };
            let group =
                SecurityGroup { metadata: named(&spec.name), vpc, inbound: Vec::new(), outbound: vec![all] };
            turn.put(group.into_object());
        }
        let new = NewEni {
            operation: "RunInstances",
            subnet,
            slots: 0,
            mode: PoolMode::SecondaryIp,
            owner: EniOwner::Instance,
            security_groups: vec![spec.name.clone()],
            address: spec.address,
            description: spec.name.clone(),
        };
        let made = eni::create(turn, new)?;
        address = eni::get(turn.store(), &made).map_or(address, |eni| eni.primary_ip);
    }
    let actor =
        Actor { metadata: named(&spec.name), at: spec.at.clone(), address, identity: spec.identity.clone() };
    turn.put(actor.into_object());
    Ok(())
}

/// Creates a manifest's object in the scenario's cluster, as its administrator.
fn apply(world: &mut World, manifest: &Value) -> Result<(), String> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
    let Some(kind) = Kind::of_manifest(version, kind) else {
        return Err(format!("no matches for kind \"{kind}\" in version \"{version}\""));
    };
    let namespace = match text("/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    let planes = world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let Some(cluster) = planes.into_iter().map(|plane| ClusterId(plane.id)).min() else {
        return Err(format!("{name}: the scenario has no cluster"));
    };
    let request = ApiRequest::new(cluster, ApiVerb::Create(manifest.clone()), kind, namespace, "");
    world
        .request(&Principal::admin(), Request::Api(request))
        .map(|_| ())
        .map_err(|refusal| refusal.to_string())
}

/// Answers one request of a tool.
/// # Errors
/// In the words of the tool or of the service behind it.
pub(crate) fn serve(world: &mut World, what: Provision) -> Result<Value, Refusal> {
    let mut turn = Turn::new(world, ActorId("provision"), ClusterId::WORLD, None);
    let turn = &mut turn;
    match what {
        Provision::CreateCluster(config) => eks::create(turn, *config)?,
        Provision::DeleteCluster { name } => delete_cluster(turn, &name)?,
        Provision::CreateNodegroup { cluster, group } => eks::create_nodegroup(turn, &cluster, &group)?,
        Provision::ScaleNodegroup { cluster, name, desired, min, max } => {
            scale(turn, &cluster, &name, desired, min, max)?;
        }
        Provision::DeleteNodegroup { cluster, name } => {
            let mut group = nodegroup_of(turn, &cluster, &name, "DeleteNodegroup")?;
            group.status = "DELETING".to_owned();
            group.since = turn.now();
            turn.put(group.into_object());
        }
        Provision::UpdateAddon { cluster, name, configuration_values } => {
            update_addon(turn, &cluster, &name, &configuration_values)?;
        }
        Provision::CreateKindCluster { name, config, image } => {
            kind::create(turn, &name, &config, image.as_deref())?;
        }
        Provision::DeleteKindCluster { name } => kind::delete(turn, &name),
        Provision::AddNode { cluster } => add_node(turn, cluster)?,
        Provision::SetMaxPods { cluster, node, max_pods } => set_max_pods(turn, cluster, &node, max_pods)?,
        Provision::RunKubelet { cluster, node, running } => run_kubelet(turn, cluster, &node, running)?,
        Provision::FailZone { zone } => fail_zone(turn, &zone),
        Provision::JoinNode { cluster, node, pod_cidr } => {
            let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
            let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let machine = Machine {
                metadata: named(&name),
                kubelet_running: true,
                network_ready: true,
                pod_cidr: Some(pod_cidr),
                started_at: there.now(),
                ..Machine::default()
            };
            crate::node::join::appear(&mut there, *node, machine)?;
        }
    }
    Ok(json!({}))
}

/// The part of the store of the cluster with this name, whoever runs it.
fn plane(store: &Store, name: &str) -> Option<ClusterId> {
    crate::node::cluster_named(store, name)
}

/// A part of the store that no cluster has had.
fn next_cluster(store: &Store) -> ClusterId {
    let planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    ClusterId(planes.into_iter().map(|plane| plane.id).max().unwrap_or(0) + 1)
}

/// CoreDNS's address: the tenth of the Services' block.
fn dns_address(services: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(services.network()) + 10)
}

fn nodegroup_of(turn: &Turn<'_>, cluster: &str, name: &str, operation: &str) -> Result<Nodegroup, Refusal> {
    let missing = |message: String| Refusal::from(refuse(operation, "ResourceNotFoundException", message));
    if turn.get::<EksCluster>("", cluster).is_none() {
        return Err(missing(format!("No cluster found for name: {cluster}.")));
    }
    let group = turn.get::<Nodegroup>("", name).filter(|group| group.cluster == cluster).cloned();
    group.ok_or_else(|| missing(format!("No node group found for name: {name}.")))
}

fn scale(
    turn: &mut Turn<'_>,
    cluster: &str,
    name: &str,
    desired: Option<u32>,
    min: Option<u32>,
    max: Option<u32>,
) -> Result<(), Refusal> {
    const OPERATION: &str = "UpdateNodegroupConfig";
    let mut group = nodegroup_of(turn, cluster, name, OPERATION)?;
    group.min_size = min.unwrap_or(group.min_size);
    group.max_size = max.unwrap_or(group.max_size);
    group.desired_size = desired.unwrap_or(group.desired_size);
    let (desired, min, max) = (group.desired_size, group.min_size, group.max_size);
    let wrong = |message: String| Err(refuse(OPERATION, "InvalidParameterException", message).into());
    if desired > max {
        return wrong(format!("desired capacity {desired} can't be greater than max size {max}"));
    }
    if desired < min {
        return wrong(format!("Minimum capacity {min} can't be greater than desired size {desired}"));
    }
    group.status = "UPDATING".to_owned();
    group.since = turn.now();
    turn.put(group.into_object());
    Ok(())
}

fn update_addon(turn: &mut Turn<'_>, cluster: &str, name: &str, settings: &str) -> Result<(), Refusal> {
    const OPERATION: &str = "UpdateAddon";
    let missing = |message: String| Refusal::from(refuse(OPERATION, "ResourceNotFoundException", message));
    let id = plane(turn.store(), cluster).filter(|_| turn.get::<EksCluster>("", cluster).is_some());
    let Some(id) = id else { return Err(missing(format!("No cluster found for name: {cluster}."))) };
    let (kind, object) = match name {
        "vpc-cni" => (Kind::DaemonSet, "aws-node"),
        "kube-proxy" => (Kind::DaemonSet, "kube-proxy"),
        "coredns" => (Kind::Deployment, "coredns"),
        _ => return Err(missing(format!("No addon: {name} found in cluster: {cluster}"))),
    };
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    let key = Key::new(id, kind, "kube-system", object);
    let Some(current) = there.store().object(&key).map(|object| (**object).clone()) else {
        return Err(missing(format!("No addon: {name} found in cluster: {cluster}")));
    };
    for object in addons::configured(vec![current], &eks::read_settings(settings)) {
        match object {
            api::Object::DaemonSet(it) => there.update(*it)?,
            api::Object::Deployment(it) => there.update(*it)?,
            _ => continue,
        };
    }
    Ok(())
}

fn delete_cluster(turn: &mut Turn<'_>, name: &str) -> Result<(), Refusal> {
    let Some(cluster) = turn.get::<EksCluster>("", name).cloned() else {
        let message = format!("No cluster found for name: {name}.");
        return Err(refuse("DeleteCluster", "ResourceNotFoundException", message).into());
    };
    let instances: Vec<String> = turn
        .list::<Instance>(None)
        .filter(|it| it.cluster.as_deref() == Some(name))
        .filter_map(|it| it.metadata.name.clone())
        .collect();
    for id in &instances {
        for eni in eni::of_instance(turn.store(), id)
            .iter()
            .filter_map(|e| e.metadata.name.clone())
            .collect::<Vec<_>>()
        {
            eni::delete(turn, &eni);
        }
        let key = turn.key(Kind::Instance, "", id);
        turn.remove(&key);
    }
    if let Some(id) = plane(turn.store(), name) {
        forget_cluster(turn, name, id);
    }
    let in_vpc: Vec<String> = turn
        .list::<Subnet>(None)
        .filter(|subnet| subnet.vpc == cluster.vpc)
        .filter_map(|subnet| subnet.metadata.name.clone())
        .collect();
    let gone: Vec<Key> = turn
        .store()
        .iter()
        .filter(|(key, object)| {
            let value = |field: &str| object.to_value().get(field).and_then(Value::as_str).map(str::to_owned);
            match key.kind {
                Kind::Vpc => *key.name == *cluster.vpc,
                Kind::Subnet | Kind::RouteTable | Kind::InternetGateway | Kind::SecurityGroup => {
                    value("vpc").as_deref() == Some(&cluster.vpc)
                }
                Kind::Eni | Kind::NatGateway => {
                    value("subnet").is_some_and(|subnet| in_vpc.contains(&subnet))
                }
                Kind::Nodegroup => value("cluster").as_deref() == Some(name),
                Kind::EksCluster => *key.name == *name,
                _ => false,
            }
        })
        .map(|(key, _)| key.clone())
        .collect();
    for key in gone {
        turn.remove(&key);
    }
    Ok(())
}

/// Everything of one control plane goes, with every wake for it.
fn forget_cluster(turn: &mut Turn<'_>, name: &str, id: ClusterId) {
    let gone: Vec<Key> =
        turn.store().iter().filter(|(key, _)| key.cluster == id).map(|(key, _)| key.clone()).collect();
    for key in gone {
        turn.remove(&key);
    }
    let key = turn.key(Kind::ControlPlane, "", name);
    turn.remove(&key);
    turn.world.forget_wakes(id);
}

fn add_node(turn: &mut Turn<'_>, cluster: ClusterId) -> Result<(), Refusal> {
    let planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let Some(plane) = planes.into_iter().find(|plane| plane.id == cluster.0).cloned() else {
        return Err(Refusal::Tool("there is no cluster".to_owned()));
    };
    let name = plane.metadata.name.clone().unwrap_or_default();
    match (plane.provider, plane.pod_cidr) {
        (Provider::Kind, Some(pods)) => {
            let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
            let worker = NodeConfig { role: Role::Worker, ..NodeConfig::default() };
            kind::add(&mut there, &name, &worker, &plane.version, pods, false)
        }
        _ => {
            let groups = turn.list::<Nodegroup>(None).filter(|group| group.cluster == name);
            let Some(mut group) = groups.into_iter().find(|group| group.taints.is_empty()).cloned() else {
                return Err(Refusal::Tool("the cluster has no node group without taints".to_owned()));
            };
            group.desired_size += 1;
            group.max_size = group.max_size.max(group.desired_size);
            group.status = "UPDATING".to_owned();
            turn.put(group.into_object());
            Ok(())
        }
    }
}

fn set_max_pods(turn: &mut Turn<'_>, cluster: ClusterId, node: &str, max_pods: u32) -> Result<(), Refusal> {
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    there.patch_status::<Node>("", node, |node| {
        let status = node.status.get_or_insert_default();
        for resources in [&mut status.capacity, &mut status.allocatable] {
            resources.get_or_insert_default().insert("pods".to_owned(), Quantity(max_pods.to_string()));
        }
    })?;
    crate::node::kubelet::restart(&mut there, node, max_pods)?;
    Ok(())
}

fn run_kubelet(turn: &mut Turn<'_>, cluster: ClusterId, node: &str, running: bool) -> Result<(), Refusal> {
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let Some(mut machine) = there.get::<Machine>("", node).cloned() else {
        return Err(api::ApiStatus::not_found(Kind::Node, node).into());
    };
    machine.kubelet_running = running;
    there.put(machine.into_object());
    Ok(())
}

/// MODEL: an instance of a failed zone looks stopped; EC2 would not say anything for a while.
fn fail_zone(turn: &mut Turn<'_>, zone: &str) {
    let hit: Vec<String> = turn
        .list::<Instance>(None)
        .filter(|it| it.state == InstanceState::Running)
        .filter(|it| turn.get::<Subnet>("", &it.subnet).is_some_and(|s| s.availability_zone == zone))
        .filter_map(|it| it.metadata.name.clone())
        .collect();
    for id in hit {
        instance::shut_down(turn, &id, false);
    }
}
