//! How are clusters and nodes changed that are there?
//!
//! Sizes, settings, limits and faults. What takes time is only begun here.

use api::{
    Resource,
    k8s::core::v1::Node,
    kinds::{
        eks::{Care, EksCluster, Nodegroup},
        kind_config::{Node as NodeConfig, Role},
        sim::{ControlPlane, Machine, Provider},
    },
};
use ipnet::Ipv4Net;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::{kind, named, nodegroup};
use crate::{ClusterId, Refusal, Turn, addons, cloud::refuse};

/// The group's nodes are drained and terminated, then the group is gone.
pub(crate) fn delete_nodegroup(turn: &mut Turn<'_>, cluster: &str, name: &str) -> Result<(), Refusal> {
    let mut group = nodegroup_of(turn, cluster, name, "DeleteNodegroup")?;
    group.status = "DELETING".to_owned();
    group.since = turn.now();
    turn.put(group.into_object());
    Ok(())
}

pub(crate) fn scale(
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
    if group.care == Care::SelfManaged && !(min..=max).contains(&desired) {
        // Nobody stands between the group and Auto Scaling.
        let message = format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        );
        return Err(refuse("UpdateAutoScalingGroup", "ValidationError", message).into());
    }
    if desired > max {
        return wrong(format!("desired capacity {desired} can't be greater than max size {max}"));
    }
    if desired < min {
        return wrong(format!("Minimum capacity {min} can't be greater than desired size {desired}"));
    }
    if group.care == Care::Managed {
        let mut update = nodegroup::begun(turn, &group, "ConfigUpdate");
        let sizes = [("MinSize", min), ("MaxSize", max), ("DesiredSize", desired)];
        update.params = sizes.map(|(name, size)| (name.to_owned(), size.to_string())).to_vec();
        group.updates.push(update);
        group.status = "UPDATING".to_owned();
    }
    group.since = turn.now();
    turn.put(group.into_object());
    Ok(())
}

/// A managed group comes to another version.
pub(super) fn upgrade(
    turn: &mut Turn<'_>,
    cluster: &str,
    name: &str,
    (minor, release): (Option<&str>, Option<&str>),
    force: bool,
) -> Result<(), Refusal> {
    let group = nodegroup_of(turn, cluster, name, "UpdateNodegroupVersion")?;
    nodegroup::update_version(turn, group, minor, release, force).map(drop)
}

pub(super) fn update_addon(
    turn: &mut Turn<'_>,
    cluster: &str,
    name: &str,
    settings: &str,
) -> Result<(), Refusal> {
    let missing =
        |message: String| Refusal::from(refuse("UpdateAddon", "ResourceNotFoundException", message));
    let Some(found) = turn.get::<EksCluster>("", cluster).cloned() else {
        return Err(missing(format!("No cluster found for name: {cluster}.")));
    };
    let wanted = addons::Wanted { version: None, values: settings, resolve: addons::Resolve::Overwrite };
    Ok(addons::update(turn, &found, name, &wanted).map(drop)?)
}

pub(super) fn add_node(turn: &mut Turn<'_>, cluster: ClusterId) -> Result<(), Refusal> {
    let planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let Some(plane) = planes.into_iter().find(|plane| plane.id == cluster.0).cloned() else {
        return Err(Refusal::Tool("there is no cluster".to_owned()));
    };
    let name = plane.metadata.name.clone().unwrap_or_default();
    match (plane.provider, plane.pod_cidr) {
        (Provider::Imported, _) => Err(Refusal::Tool(crate::import::STANDS_STILL.to_owned())),
        (Provider::Kwok, _) => {
            Err(Refusal::Tool("a node of this cluster is a manifest: apply one of kind Node".to_owned()))
        }
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

pub(super) fn set_max_pods(
    turn: &mut Turn<'_>,
    cluster: ClusterId,
    node: &str,
    max_pods: u32,
) -> Result<(), Refusal> {
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

/// A node that no tool made, on a machine of its own.
pub(super) fn join(
    turn: &mut Turn<'_>,
    cluster: ClusterId,
    node: Value,
    pod_cidr: Ipv4Net,
) -> Result<(), Refusal> {
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
    Ok(crate::node::join::appear(&mut there, node, machine)?)
}

fn nodegroup_of(turn: &Turn<'_>, cluster: &str, name: &str, operation: &str) -> Result<Nodegroup, Refusal> {
    let missing = |message: String| Refusal::from(refuse(operation, "ResourceNotFoundException", message));
    if turn.get::<EksCluster>("", cluster).is_none() {
        return Err(missing(format!("No cluster found for name: {cluster}.")));
    }
    let group = turn.get::<Nodegroup>(cluster, name).cloned();
    group.ok_or_else(|| missing(format!("No node group found for name: {name}.")))
}
