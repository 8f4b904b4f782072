//! What does kind make on the laptop?
//!
//! Containers that are nodes, in Docker's network 172.18.0.0/16; the first runs the control plane as static pods.
//! Source: kind v0.27 (node names, networks, taints); kubeadm's static pods.

use std::net::Ipv4Addr;

use api::{
    Kind, Resource,
    kinds::{
        kind_config::{Cluster, Node as NodeConfig, Role},
        sim::{ControlPlane, Machine, Provider},
    },
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::{
    ClusterId, Refusal, Turn, addons, apiserver,
    node::{capacity, join},
    parts,
};

/// kind's own node image. Source: kind v0.27.
const DEFAULT_IMAGE: &str = "kindest/node:v1.32.2";
/// The first address that Docker gives in kind's network; .1 is the gateway.
const FIRST: u32 = 0xac12_0002;

/// Makes a cluster: its API server answers at once, its first node joins and gets ready by itself.
/// # Errors
/// In kind's words, if there is one of that name.
pub(super) fn create(
    turn: &mut Turn<'_>,
    name: &str,
    config: &Cluster,
    image: Option<&str>,
) -> Result<(), Refusal> {
    if super::plane(turn.store(), name).is_some() {
        return Err(Refusal::Tool(format!(
            "failed to create cluster: node(s) already exist for a cluster with the name \"{name}\""
        )));
    }
    let mut nodes = config.nodes.clone();
    if nodes.is_empty() {
        nodes.push(NodeConfig { role: Role::ControlPlane, ..NodeConfig::default() });
    }
    let version = nodes[0].image.as_deref().or(image).map_or(DEFAULT_IMAGE, |image| image);
    let version = version_of(version);
    let pods = subnet(&config.networking.pod_subnet, Ipv4Net::new(Ipv4Addr::new(10, 244, 0, 0), 16));
    let services = subnet(&config.networking.service_subnet, Ipv4Net::new(Ipv4Addr::new(10, 96, 0, 0), 16));
    let (Some(pods), Some(services)) = (pods, services) else {
        return Err(Refusal::Tool("failed to create cluster: invalid network".to_owned()));
    };
    let id = super::next_cluster(turn.store());
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        id: id.0,
        provider: Provider::Kind,
        version: version.clone(),
        service_cidr: services.into(),
        pod_cidr: Some(pods),
    };
    turn.put(plane.clone().into_object());
    parts::lay(turn, &plane, &[]);
    let first = next_address(turn);
    apiserver::bootstrap(turn.world, id, &[first.into()]);
    let there = &mut Turn::new(turn.world, turn.actor, id, turn.cause);
    install(there, &version, pods, services);
    let single = nodes.len() == 1;
    for node in &nodes {
        add(there, name, node, &version, pods, single)?;
    }
    Ok(())
}

fn subnet(text: &str, default: Result<Ipv4Net, ipnet::PrefixLenError>) -> Option<Ipv4Net> {
    if text.is_empty() { default.ok() } else { text.parse().ok() }
}

/// `v1.32.2` of `kindest/node:v1.32.2@sha256:…`.
fn version_of(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    image.rsplit_once(':').map_or("v1.32.2", |(_, tag)| tag).to_owned()
}

fn install(turn: &mut Turn<'_>, version: &str, pods: Ipv4Net, services: Ipv4Net) {
    let dns = super::dns_address(services.into());
    let coredns = match version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok()) {
        Some(..=30) => "registry.k8s.io/coredns/coredns:v1.11.1",
        Some(31 | 32) => "registry.k8s.io/coredns/coredns:v1.11.3",
        Some(33) => "registry.k8s.io/coredns/coredns:v1.12.0",
        _ => "registry.k8s.io/coredns/coredns:v1.12.1",
    };
    let words =
        [("KUBERNETES", version), ("POD_SUBNET", &pods.to_string()), ("DNS", &dns), ("COREDNS", coredns)];
    let objects =
        addons::objects(addons::COREDNS, &words).into_iter().chain(addons::objects(addons::KIND, &words));
    addons::install(turn, objects.collect());
}

/// The lowest address of Docker's network that no node has.
fn next_address(turn: &Turn<'_>) -> Ipv4Addr {
    let planes: Vec<ClusterId> =
        turn.store().list::<ControlPlane>(ClusterId::WORLD, None).map(|p| ClusterId(p.id)).collect();
    let taken: Vec<String> = planes
        .iter()
        .flat_map(|id| turn.store().list::<api::k8s::core::v1::Node>(*id, None))
        .filter_map(|node| crate::node::internal_ip(node).map(str::to_owned))
        .collect();
    (FIRST..).map(Ipv4Addr::from).find(|ip| !taken.contains(&ip.to_string())).unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Adds one node; `single` is a control plane that runs ordinary pods too, because nothing else does.
pub(super) fn add(
    turn: &mut Turn<'_>,
    cluster: &str,
    config: &NodeConfig,
    version: &str,
    pods: Ipv4Net,
    single: bool,
) -> Result<(), Refusal> {
    let base = match config.role {
        Role::ControlPlane => format!("{cluster}-control-plane"),
        Role::Worker => format!("{cluster}-worker"),
    };
    let free = |name: &String| turn.get::<Machine>("", name).is_none();
    let numbered = (2..).map(|n| format!("{base}{n}"));
    let Some(name) = std::iter::once(base.clone()).chain(numbered).find(free) else { return Ok(()) };
    let ip = next_address(turn);
    let at = turn.list::<Machine>(None).count();
    let pod_cidr = pods.subnets(24).ok().and_then(|mut all| all.nth(at)).unwrap_or(pods);
    let control = config.role == Role::ControlPlane;
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    });
    if control {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
    }
    for (key, value) in &config.labels {
        labels[key] = json!(value);
    }
    let taints = if control && !single {
        json!([{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}])
    } else {
        Value::Null
    };
    let resources = capacity::of_laptop();
    let node = json!({
        "metadata": {"name": name, "labels": labels, "annotations": {
            "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock",
            "node.alpha.kubernetes.io/ttl": "0",
            "volumes.kubernetes.io/controller-managed-attach-detach": "true",
        }},
        "spec": {
            "podCIDR": pod_cidr, "podCIDRs": [pod_cidr], "taints": taints,
            "providerID": format!("kind://docker/{cluster}/{name}"),
        },
        "status": {
            "addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
            "allocatable": resources,
            "capacity": resources,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": crate::draw::uid(turn.world().seed(), &name, 1),
                "containerRuntimeVersion": "containerd://2.0.2",
                "kernelVersion": "6.8.0-1021-aws",
                "kubeProxyVersion": version,
                "kubeletVersion": version,
                "machineID": crate::draw::hex(turn.world().seed(), "machine", &name, 0, 32),
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 12 (bookworm)",
                "systemUUID": crate::draw::uid(turn.world().seed(), &name, 2),
            },
        },
    });
    let machine = Machine {
        metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
        kubelet_running: true,
        pod_cidr: Some(pod_cidr),
        started_at: turn.now(),
        images: packed(version),
        ..Machine::default()
    };
    join::appear(turn, node, machine)?;
    if control {
        static_pods(turn, &name, version);
    }
    Ok(())
}

/// Images that kind's node image brings along.
fn packed(version: &str) -> Vec<String> {
    let mut images: Vec<String> =
        ["kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"]
            .iter()
            .map(|part| format!("registry.k8s.io/{part}:{version}"))
            .collect();
    images.extend(
        [
            "docker.io/kindest/kindnetd:v20250214-acbabc1a",
            "docker.io/kindest/local-path-provisioner:v20250214-acbabc1a",
            "registry.k8s.io/coredns/coredns:v1.11.3",
            "registry.k8s.io/etcd:3.5.16-0",
            "registry.k8s.io/pause:3.10",
        ]
        .map(str::to_owned),
    );
    images
}

/// The control plane's own pods: files of the kubelet, shown by the API server as mirror pods.
fn static_pods(turn: &mut Turn<'_>, node: &str, version: &str) {
    let seen = turn.stamp().0.to_string();
    let uid = turn.get::<api::k8s::core::v1::Node>("", node).and_then(|n| n.metadata.uid.clone());
    for (part, image, cpu, memory) in [
        ("etcd", "registry.k8s.io/etcd:3.5.16-0".to_owned(), "100m", Some("100Mi")),
        ("kube-apiserver", format!("registry.k8s.io/kube-apiserver:{version}"), "250m", None),
        (
            "kube-controller-manager",
            format!("registry.k8s.io/kube-controller-manager:{version}"),
            "200m",
            None,
        ),
        ("kube-scheduler", format!("registry.k8s.io/kube-scheduler:{version}"), "100m", None),
    ] {
        let hash = crate::draw::hex(0, part, version, 0, 32);
        let mut requests = json!({"cpu": cpu});
        if let Some(memory) = memory {
            requests["memory"] = json!(memory);
        }
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": format!("{part}-{node}"),
                "namespace": "kube-system",
                "labels": {"component": part, "tier": "control-plane"},
                "annotations": {
                    "kubernetes.io/config.hash": hash,
                    "kubernetes.io/config.mirror": hash,
                    "kubernetes.io/config.seen": seen,
                    "kubernetes.io/config.source": "file",
                },
                "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": true}],
            },
            "spec": {
                "nodeName": node,
                "hostNetwork": true,
                "priorityClassName": "system-node-critical",
                "tolerations": [{"operator": "Exists", "effect": "NoExecute"}],
                "containers": [{"name": part, "image": image, "command": [part], "resources": {"requests": requests}}],
            },
        });
        if let Ok(pod) = api::Object::from_value(Kind::Pod, pod) {
            addons::install(turn, vec![pod]);
        }
    }
}

/// Removes a cluster with everything in it.
pub(super) fn delete(turn: &mut Turn<'_>, name: &str) {
    if let Some(id) = super::plane(turn.store(), name) {
        super::remove::forget_cluster(turn, name, id);
    }
}
