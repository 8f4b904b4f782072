//! How does an instance become a node, and how does a node go?
//!
//! A running instance of a node group boots, reads its user data and registers a Node that is not ready: nobody hands
//! out addresses yet. When the instance is terminated, its Node goes and with it what the machine knew.
//! Source: awslabs/amazon-eks-ami (nodeadm); kubelet registration; cloud-provider `cloud-node-lifecycle-controller`.

use std::{collections::BTreeMap, net::Ipv4Addr};

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::core::v1::{ConfigMap, Node},
    kinds::{
        aws::{Instance, InstanceState, Subnet},
        eks::{Care, EksCluster, Nodegroup},
        eksctl::DEFAULT_AMI_FAMILY,
        sim::{ControlPlane, Machine, Provider, Sandbox},
    },
    meta::ObjectMeta,
};
use serde_json::{Value, json};

use crate::{
    Change, ClusterId, Controller, EventType, Key, Next, Note, Store, Turn, What,
    cloud::{eni, instance},
    node::{
        capacity, cluster_named, image_list, kubelet,
        reach::{self, Unreachable},
        report,
    },
    parts::Process,
    provision::{ami, nodegroup, release},
    timing,
};

/// `user_data`: the kubelet's limit.
pub(crate) const MAX_PODS: &str = "maxPods";
/// `user_data`: the number of pods that the memory reservation counts.
pub(crate) const RESERVED_FOR: &str = "reservedForPods";
/// `user_data`: the family of its image.
pub(crate) const AMI_FAMILY: &str = "amiFamily";
/// `user_data`: GiB of its disk.
pub(crate) const DISK_GIB: &str = "diskGib";
/// `user_data`: the node's name, where the scenario gives one.
pub(crate) const NODE_NAME: &str = "nodeName";

/// Boots machines into nodes and clears up after them.
pub struct Nodeadm;

impl Controller for Nodeadm {
    fn name(&self) -> &'static str {
        "nodeadm"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind != Kind::Instance {
            return;
        }
        let instance = change.after.as_deref().and_then(Instance::of);
        let cluster =
            instance.and_then(|it| it.cluster.as_deref()).and_then(|name| cluster_named(store, name));
        if let Some(cluster) = cluster {
            // The key stands for the instance, in the part of the store that its cluster has.
            wake(Key { cluster, ..change.key.clone() });
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(it) = instance::get(turn.store(), &key.name).cloned() else { return Ok(Next::Done) };
        let passed = turn.now().since(it.since);
        let wait = |all: SimDuration| Next::After(SimDuration(all.0 - passed.0));
        match (it.state, it.node.clone()) {
            (InstanceState::Running, node) if it.impaired_since.is_some() => {
                node.into_iter().for_each(|node| stop(turn, &node));
            }
            (InstanceState::Running, node) => {
                if passed < timing::NODE_BOOT {
                    return Ok(wait(timing::NODE_BOOT));
                }
                match node {
                    None => return register(turn, it),
                    Some(node) => boot_again(turn, &it, &node),
                }
            }
            (InstanceState::Stopping | InstanceState::Stopped | InstanceState::ShuttingDown, Some(node)) => {
                stop(turn, &node);
                if it.state == InstanceState::ShuttingDown {
                    vanish(turn, &node);
                }
            }
            (InstanceState::Terminated, Some(node)) => {
                if passed < timing::NODE_GONE {
                    return Ok(wait(timing::NODE_GONE));
                }
                forget(turn, it, &node);
            }
            _ => {}
        }
        Ok(Next::Done)
    }
}

// MODEL: a kubelet of Amazon Linux 2023 from 1.34 on ends its pods before its machine goes, within 150 seconds (amazon-eks-ami
// #2390); here it stops at once.
fn stop(turn: &mut Turn<'_>, node: &str) {
    if let Some(mut machine) = turn.get::<Machine>("", node).filter(|m| m.kubelet_running).cloned() {
        machine.kubelet_running = false;
        turn.put(machine.into_object());
    }
}

/// A machine that boots again has lost its sandboxes, and with them their addresses; the kubelet makes new ones.
fn boot_again(turn: &mut Turn<'_>, it: &Instance, node: &str) {
    // A kubelet that somebody stopped since the machine came up stays stopped.
    let booted = |machine: &Machine| machine.kubelet_running || machine.started_at >= it.since;
    if turn.get::<Machine>("", node).is_none_or(booted) {
        return;
    }
    let lost: Vec<Sandbox> = turn.store().sandboxes_on(turn.cluster(), node).cloned().collect();
    for sandbox in lost {
        kubelet::lose(turn, &sandbox);
    }
    if let Some(mut machine) = turn.get::<Machine>("", node).cloned() {
        machine.kubelet_running = true;
        machine.started_at = turn.now();
        (machine.runtime_stopped, machine.proxy_stopped) = (None, None);
        turn.put(machine.into_object());
    }
}

/// What ran on a machine that goes for good is gone before its ENIs are: others may have their addresses at once. Its Node stays a while.
fn vanish(turn: &mut Turn<'_>, node: &str) {
    let sandboxes: Vec<Key> = turn
        .store()
        .objects(turn.cluster(), Kind::Sandbox, None)
        .filter(|(_, object)| Sandbox::of(object).is_some_and(|sandbox| sandbox.node == node))
        .map(|(key, _)| key.clone())
        .collect();
    for key in sandboxes {
        turn.remove(&key);
    }
}

fn forget(turn: &mut Turn<'_>, mut it: Instance, node: &str) {
    if let Some(object) = turn.store().object(&turn.key(Kind::Node, "", node)).cloned() {
        let message = format!("Deleting node {node} because it does not exist in the cloud provider");
        turn.event(&object, EventType::Normal, "DeletingNode", &message);
    }
    for key in [Kind::IpPool, Kind::Machine].map(|kind| turn.key(kind, "", node)) {
        turn.remove(&key);
    }
    let key = turn.key(Kind::Node, "", node);
    let lease = turn.key(Kind::Lease, "kube-node-lease", node);
    turn.remove(&lease);
    // A node that somebody deleted by hand is gone already.
    let _ = turn.delete(&key, Some(0));
    it.node = None;
    turn.put(it.into_object());
}

/// EC2's private DNS name of an address in a region.
pub(crate) fn private_dns_name(address: Ipv4Addr, region: &str) -> String {
    format!("ip-{}.{region}.compute.internal", address.to_string().replace('.', "-"))
}

fn register(turn: &mut Turn<'_>, mut it: Instance) -> Result<Next, ApiStatus> {
    let group =
        nodegroup::key_of(&it).and_then(|key| turn.get::<Nodegroup>(&key.namespace, &key.name)).cloned();
    if let Some(no) = reach::blocked(turn.world(), turn.cluster(), &it) {
        return Ok(unheard(turn, &it, &no));
    }
    if group.as_ref().is_some_and(|group| !is_mapped(turn, group)) {
        return Ok(in_vain(turn, &it, "Unauthorized"));
    }
    let Some(of) = instance::limits(turn.store(), it.metadata.name.as_deref().unwrap_or_default()) else {
        return Ok(Next::Done);
    };
    let zone = turn.get::<Subnet>("", &it.subnet).map(|s| s.availability_zone.clone()).unwrap_or_default();
    let region = region_of(&zone).to_owned();
    let dns = private_dns_name(it.private_ip, &region);
    let name = it.user_data.get(NODE_NAME).cloned().unwrap_or_else(|| dns.clone());
    let number = |key: &str, or: u32| it.user_data.get(key).and_then(|n| n.parse().ok()).unwrap_or(or);
    let max_pods = number(MAX_PODS, cni::max_pods::formula(of.enis, of.ipv4_per_eni));
    let family = it.user_data.get(AMI_FAMILY).map_or(DEFAULT_AMI_FAMILY, String::as_str);
    let disk = ami::file_system_ki(family, number(DISK_GIB, ami::EKS_DISK_GIB));
    let (capacity, allocatable) = capacity::of_instance(of, max_pods, number(RESERVED_FOR, max_pods), disk);
    let labels = labels(&it, group.as_ref(), &zone, &dns, of.arch);
    let taints: Vec<Value> = group
        .iter()
        .flat_map(|group| &group.taints)
        .map(|taint| serde_json::to_value(taint).unwrap_or_default())
        .collect();
    let id = it.metadata.name.clone().unwrap_or_default();
    let release = it.user_data.get(nodegroup::IMAGE).cloned();
    let version = release.as_deref().map_or_else(|| kubelet_version(turn), release::kubelet);
    let system = ami::system(family, &release::minor_of(&version), of.arch);
    let own = eni::of_instance(turn.store(), it.metadata.name.as_deref().unwrap_or_default());
    let own = own.first().map(|primary| eni::address(turn.store(), turn.cluster(), primary));
    let own = own.unwrap_or(it.private_ip.into());
    let addresses = json!([
        {"type": "InternalIP", "address": own},
        {"type": "InternalDNS", "address": dns},
        {"type": "Hostname", "address": dns},
    ]);
    let machine = Machine {
        metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
        instance: Some(id.clone()),
        kubelet_running: true,
        started_at: turn.now(),
        images: vec![image_list::PAUSE.to_owned()],
        ..Machine::default()
    };
    let node = json!({
        "metadata": {"name": name, "labels": labels, "annotations": {
            "alpha.kubernetes.io/provided-node-ip": own,
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        }},
        "spec": {"providerID": format!("aws:///{zone}/{id}"), "taints": taints},
        "status": {
            "addresses": addresses,
            "allocatable": allocatable,
            "capacity": capacity,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": of.arch,
                "bootID": crate::draw::uid(turn.world().seed(), &id, 1),
                "containerRuntimeVersion": system.runtime,
                "kernelVersion": system.kernel,
                "kubeProxyVersion": "",
                "kubeletVersion": version,
                "machineID": id.replace("i-", "ec2"),
                "operatingSystem": "linux",
                "osImage": system.os_image,
                "systemUUID": id.replace("i-", "ec2"),
            },
        },
    });
    it.node = Some(name);
    turn.put(it.into_object());
    appear(turn, node, machine)?;
    Ok(Next::Done)
}

/// Whether a cluster knows the role of a group's nodes: by an access entry, or by its `aws-auth` ConfigMap.
/// Source: EKS user guide (access entries; aws-auth).
fn is_mapped(turn: &Turn<'_>, group: &Nodegroup) -> bool {
    let eks = turn.store().get::<EksCluster>(ClusterId::WORLD, "", &group.cluster);
    if eks.is_none_or(|eks| eks.access_entries.iter().any(|it| it.principal_arn == group.role)) {
        return true;
    }
    let roles =
        turn.get::<ConfigMap>("kube-system", "aws-auth").and_then(|map| map.data.as_ref()?.get("mapRoles"));
    let roles = roles
        .map(|text| api::text::read(text))
        .and_then(|it| it.documents.first().map(api::text::Document::to_value));
    roles.as_ref().and_then(Value::as_array).into_iter().flatten().any(|entry| {
        let groups = entry["groups"].as_array().into_iter().flatten();
        entry["rolearn"].as_str() == Some(&group.role)
            && groups.into_iter().any(|it| it.as_str() == Some("system:nodes"))
    })
}

/// Nobody answers, and it tries again. Source: net/http and client-go's words for a dial that times out.
fn unheard(turn: &mut Turn<'_>, it: &Instance, no: &Unreachable) -> Next {
    let host = match no.what {
        "api" => {
            let eks = it
                .cluster
                .as_deref()
                .and_then(|name| turn.store().get::<EksCluster>(ClusterId::WORLD, "", name));
            eks.map(|eks| eks.endpoint.clone()).unwrap_or_default()
        }
        service => format!("https://{service}.amazonaws.com"),
    };
    in_vain(turn, it, &format!("{host}: dial tcp: i/o timeout ({})", no.code))
}

/// The kubelet's registration fails, and it tries again.
/// Source: kubelet `pkg/kubelet/kubelet_node_status.go` (`registerWithAPIServer`: it waits twice as long each time, up to 7 s).
fn in_vain(turn: &mut Turn<'_>, it: &Instance, why: &str) -> Next {
    const RETRY: SimDuration = SimDuration::secs(7);
    let since = turn.now().since(it.since);
    if since.0 < timing::NODE_BOOT.0 + RETRY.0 {
        let zone = turn.store().get::<Subnet>(ClusterId::WORLD, "", &it.subnet);
        let region = zone.map(|zone| region_of(&zone.availability_zone).to_owned()).unwrap_or_default();
        let dns = private_dns_name(it.private_ip, &region);
        let message = format!("\"Unable to register node with API server\" err=\"{why}\" node=\"{dns}\"");
        let about =
            Key::new(ClusterId::WORLD, Kind::Instance, "", it.metadata.name.as_deref().unwrap_or_default());
        turn.fact(What::Noted(Note::Refused { about, message }));
    }
    Next::Every(RETRY)
}

/// Registers a node that is not ready yet, with the machine under it.
pub(crate) fn appear(turn: &mut Turn<'_>, node: Value, machine: Machine) -> Result<(), ApiStatus> {
    let Ok(node) = serde_json::from_value::<Node>(node) else { return Ok(()) };
    let (name, status) = (node.metadata.name.clone().unwrap_or_default(), node.status.clone());
    turn.create(node)?;
    let stamp = turn.stamp();
    let images = image_list::list(turn.store(), &machine);
    turn.patch_status::<Node>("", &name, |node| {
        node.status = status;
        node.status.get_or_insert_default().images = images;
        report::set_conditions(node, &report::pressures(), &stamp);
        report::set_conditions(node, &[report::ready(false)], &stamp);
    })?;
    turn.put(machine.into_object());
    report::say(turn, &name, "Starting", "Starting kubelet.");
    // UPSTREAM: nobody has measured the file system of images yet, which is complained of.
    report::warn(turn, &name, "InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
    for (reason, word) in [
        ("NodeHasSufficientMemory", "NodeHasSufficientMemory"),
        ("NodeHasNoDiskPressure", "NodeHasNoDiskPressure"),
        ("NodeHasSufficientPID", "NodeHasSufficientPID"),
    ] {
        report::say(turn, &name, reason, &format!("Node {name} status is now: {word}"));
    }
    report::say(turn, &name, "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    Ok(())
}

/// `ap-northeast-2` of `ap-northeast-2a`.
#[must_use]
pub fn region_of(zone: &str) -> &str {
    zone.trim_end_matches(|c: char| c.is_ascii_lowercase())
}

/// The version of a node's kubelet: that of the control plane.
pub(crate) fn kubelet_version(turn: &Turn<'_>) -> String {
    let planes = turn.store().list::<ControlPlane>(ClusterId::WORLD, None);
    let plane =
        planes.into_iter().find(|plane| plane.id == turn.cluster().0 && plane.provider == Provider::Eks);
    plane.map(|plane| plane.version.clone()).unwrap_or_default()
}

fn labels(
    it: &Instance,
    group: Option<&Nodegroup>,
    zone: &str,
    dns: &str,
    arch: &str,
) -> BTreeMap<String, String> {
    let region = region_of(zone);
    let mut labels: BTreeMap<String, String> = [
        ("beta.kubernetes.io/arch", arch),
        ("beta.kubernetes.io/instance-type", &it.instance_type),
        ("beta.kubernetes.io/os", "linux"),
        ("failure-domain.beta.kubernetes.io/region", region),
        ("failure-domain.beta.kubernetes.io/zone", zone),
        ("kubernetes.io/arch", arch),
        ("kubernetes.io/hostname", dns),
        ("kubernetes.io/os", "linux"),
        ("node.kubernetes.io/instance-type", &it.instance_type),
        ("topology.k8s.aws/zone-id", &zone_id(zone)),
        ("topology.kubernetes.io/region", region),
        ("topology.kubernetes.io/zone", zone),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    if let (Some(group), Some(name)) = (group, it.nodegroup.as_deref()) {
        let mut add = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
        add("alpha.eksctl.io/cluster-name", &group.cluster);
        add("alpha.eksctl.io/nodegroup-name", name);
        if group.care == Care::Managed {
            let lot = if group.spot { "SPOT" } else { "ON_DEMAND" };
            add("eks.amazonaws.com/capacityType", lot);
            add("eks.amazonaws.com/nodegroup", name);
            add("eks.amazonaws.com/nodegroup-image", &image_id(it));
        } else if let Some(id) = it.metadata.name.as_deref() {
            // Source: eksctl `pkg/nodebootstrap/al2023.go`, `pkg/apis/eksctl.io/v1alpha5/types.go`.
            add("alpha.eksctl.io/instance-id", id);
            add("node-lifecycle", if it.spot { "spot" } else { "on-demand" });
        }
        labels.extend(group.labels.clone());
    }
    labels
}

/// The image that an instance was launched from: one id for each family and release.
pub(crate) fn image_id(it: &Instance) -> String {
    let family = it.user_data.get(AMI_FAMILY).map_or(DEFAULT_AMI_FAMILY, String::as_str);
    release::image_id(family, it.user_data.get(nodegroup::IMAGE).map(String::as_str).unwrap_or_default())
}

/// MODEL: the letter of a zone differs between accounts; the lab's letters follow the ids.
pub(crate) fn zone_id(zone: &str) -> String {
    let region = region_of(zone);
    let mut parts = region.split('-');
    let area = parts.next().unwrap_or_default();
    let direction: String = parts.next().map(short_direction).unwrap_or_default();
    let number = parts.next().unwrap_or_default();
    let letter = zone.chars().last().map_or(1, |c| u32::from(c).saturating_sub(u32::from('a')) + 1);
    format!("{area}{direction}{number}-az{letter}")
}

fn short_direction(word: &str) -> String {
    match word {
        "northeast" => "ne".to_owned(),
        "northwest" => "nw".to_owned(),
        "southeast" => "se".to_owned(),
        "southwest" => "sw".to_owned(),
        other => other.chars().take(1).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_names_its_region_and_id() {
        assert_eq!(region_of("ap-northeast-2a"), "ap-northeast-2");
        assert_eq!(zone_id("ap-northeast-2a"), "apne2-az1");
        assert_eq!(zone_id("us-east-1f"), "use1-az6");
    }
}
