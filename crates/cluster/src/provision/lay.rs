//! How does a scenario become things in a world?
//!
//! Clusters go the way that their tools go; images, actors and further rules come from the scenario's own file.

use std::net::Ipv4Addr;

use api::{
    Kind, Resource, Scope,
    kinds::{
        aws::{EniOwner, SecurityGroup, SecurityGroupRule, Subnet},
        cni::PoolMode,
        eks::{EksCluster, Nodegroup},
        sim::{Actor, ControlPlane, Image},
    },
};
use serde_json::Value;

use super::{
    ActorSpec, ClusterFile, ImageSpec, InterfaceSpec, Scenario, SecurityGroupSpec, eks, kind, kwok, named,
};
use crate::{
    ActorId, ApiRequest, ApiVerb, ClusterId, Key, PatchKind, Principal, Refusal, Request, Turn, World,
    cloud::eni::{self, NewEni},
};

pub(super) fn lay(world: &mut World, scenario: &Scenario) -> Result<(), Refusal> {
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
            name_nodes(turn, scenario, &name);
        }
        Some(ClusterFile::Kind(config)) => {
            let name = config.name.clone().unwrap_or_else(|| "kind".to_owned());
            kind::create(turn, &name, config, None)?;
        }
        Some(ClusterFile::Kwok { version }) => kwok::create(turn, version),
        None => {}
    }
    for spec in &scenario.interfaces {
        stand(turn, spec)?;
    }
    for spec in &scenario.security_groups {
        add_rules(turn, spec);
    }
    for spec in &scenario.actors {
        place(turn, spec)?;
    }
    Ok(())
}

fn image(spec: &ImageSpec) -> Image {
    Image {
        metadata: named(&spec.name),
        size: spec.size,
        pull_takes: spec.pull_takes,
        missing: spec.missing,
        ports: spec.ports.clone(),
        serves_after: spec.serves_after,
        hangs_after: spec.hangs_after,
        answers: spec.answers.clone(),
        user: spec.user.clone(),
        ends_after: spec.ends_after,
        exit_code: spec.exit_code,
        obeys_term: spec.obeys_term,
        cpu: spec.cpu,
        shared_cpu: spec.shared_cpu,
        memory: spec.memory,
        disk: spec.disk,
        log: spec.log.clone(),
    }
}

fn name_nodes(turn: &mut Turn<'_>, scenario: &Scenario, cluster: &str) {
    for (group, names) in &scenario.nodes {
        if let Some(mut group) = turn.get::<Nodegroup>(cluster, group).cloned() {
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

/// Interfaces of the account take their addresses.
fn stand(turn: &mut Turn<'_>, spec: &InterfaceSpec) -> Result<(), Refusal> {
    for address in &spec.addresses {
        let new = NewEni {
            operation: "CreateNetworkInterface",
            subnet: &spec.subnet,
            slots: 0,
            mode: PoolMode::SecondaryIp,
            owner: EniOwner::Account,
            security_groups: Vec::new(),
            address: Some(*address),
            description: spec.description.clone(),
        };
        eni::create(turn, new)?;
    }
    Ok(())
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

/// Applies a manifest in the scenario's cluster, as its administrator: what is there already is changed.
pub(super) fn apply(world: &mut World, manifest: &Value) -> Result<(), String> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
    let Some(kind) = Kind::of_manifest(version, kind) else {
        return Err(format!("no matches for kind \"{kind}\" in version \"{version}\""));
    };
    let namespace = match text("/metadata/namespace") {
        _ if kind.info().scope == Scope::Cluster => "",
        "" => "default",
        namespace => namespace,
    };
    let planes = world.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let Some(cluster) = planes.into_iter().map(|plane| ClusterId(plane.id)).min() else {
        return Err(format!("{name}: the scenario has no cluster"));
    };
    let there = world.store().object(&Key::new(cluster, kind, namespace, name)).is_some();
    let request = if there {
        let patch = ApiVerb::Patch(PatchKind::Strategic, manifest.clone());
        ApiRequest::new(cluster, patch, kind, namespace, name)
    } else {
        ApiRequest::new(cluster, ApiVerb::Create(manifest.clone()), kind, namespace, "")
    };
    world
        .request(&Principal::admin(), Request::Api(request))
        .map(|_| ())
        .map_err(|refusal| refusal.to_string())
}
