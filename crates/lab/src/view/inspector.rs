//! The facts of one thing, and the object as the API would print it.

use api::{Kind, Object};
use cluster::{ClusterId, Key};

use super::{Moment, amount, pod};

/// What a fact is about; its name is in `words`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the facts' own names")]
pub enum Label {
    Namespace,
    Node,
    Address,
    Status,
    Restarts,
    Image,
    Cpu,
    Memory,
    Owner,
    Gates,
    InstanceType,
    Price,
    Zone,
    Pods,
    Version,
    Taints,
    Cidr,
    Ipv6,
    Free,
    Subnet,
    Attachment,
    Created,
}

/// What the inspector shows of a thing besides why.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// Its kind.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Facts, in order.
    pub rows: Vec<(Label, String)>,
    /// Whether the lab gives it behaviour.
    pub simulated: bool,
    /// The whole object as JSON; nothing for what the store does not hold.
    pub object: serde_json::Value,
    /// The command that prints it, for those that kubectl can print.
    pub command: Option<String>,
}

/// An object as the API prints it.
#[must_use]
pub fn yaml(object: &serde_json::Value) -> String {
    api::emit::yaml(object)
}

/// The key in the store of what the scene calls `id`.
#[must_use]
pub fn key_of(cluster: ClusterId, id: &str) -> Option<Key> {
    let (kind, rest) = id.split_once('/')?;
    let kind = Kind::EVERY.iter().copied().find(|k| {
        // Of two kinds with one name the scene shows the one that has a place: `aws/Subnet`, core `Event`.
        k.info().kind == kind && !matches!(k.info().group, "events.k8s.io" | "eks")
    })?;
    let (namespace, name) = rest.split_once('/').unwrap_or(("", rest));
    Some(Key::new(cluster, kind, namespace, name))
}

/// The sheet of a thing.
#[must_use]
pub fn sheet(moment: Moment<'_>, cluster: ClusterId, id: &str) -> Option<Sheet> {
    let key = key_of(cluster, id)?;
    let object = moment.store.object(&key)?;
    let info = key.kind.info();
    let namespaced = !key.namespace.is_empty() && &*key.namespace != "default";
    let kubernetes = info.domain() == api::Domain::Kubernetes;
    let flag = if namespaced { format!(" -n {}", key.namespace) } else { String::new() };
    Some(Sheet {
        kind: info.kind,
        name: key.name.to_string(),
        namespace: key.namespace.to_string(),
        rows: rows(object),
        simulated: info.simulated,
        object: shown(object),
        command: kubernetes.then(|| format!("kubectl get {} {}{flag} -o yaml", info.singular(), key.name)),
    })
}

/// An object without the list of its fields' owners, as `kubectl` shows it.
fn shown(object: &Object) -> serde_json::Value {
    let mut value = object.to_value();
    if let Some(serde_json::Value::Object(meta)) = value.get_mut("metadata") {
        meta.remove("managedFields");
    }
    value
}

fn rows(object: &Object) -> Vec<(Label, String)> {
    let mut out: Vec<(Label, String)> = Vec::new();
    let mut add = |label: Label, value: Option<String>| {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            out.push((label, value));
        }
    };
    match object {
        Object::Pod(it) => {
            let spec = it.spec.as_ref();
            let status = it.status.as_ref();
            add(Label::Status, status.and_then(|s| s.phase.clone()));
            add(Label::Node, spec.and_then(|s| s.node_name.clone()));
            add(Label::Address, status.and_then(|s| s.pod_ip.clone()));
            let gates = spec.and_then(|s| s.scheduling_gates.as_ref());
            add(
                Label::Gates,
                gates.map(|all| all.iter().map(|g| g.name.as_str()).collect::<Vec<_>>().join(", ")),
            );
            let owner = it.metadata.owner_references.as_ref().and_then(|all| all.first());
            add(Label::Owner, owner.map(|o| format!("{}/{}", o.kind, o.name)));
            let images =
                spec.map(|s| s.containers.iter().filter_map(|c| c.image.clone()).collect::<Vec<_>>());
            add(Label::Image, images.map(|all| all.join(", ")));
            let cpu = amount::requested(it, "cpu");
            add(Label::Cpu, (cpu > 0).then(|| format!("{cpu}m")));
            let memory = amount::requested(it, "memory") / 1000 / (1 << 20);
            add(Label::Memory, (memory > 0).then(|| format!("{memory}Mi")));
            let restarts: i32 = status
                .and_then(|s| s.container_statuses.as_ref())
                .map_or(0, |all| all.iter().map(|c| c.restart_count).sum());
            add(Label::Restarts, Some(restarts.to_string()));
            if pod::on_host_network(it) {
                add(Label::Attachment, Some("hostNetwork".to_owned()));
            }
        }
        Object::Node(it) => {
            let label = |key: &str| it.metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
            let instance_type = label("node.kubernetes.io/instance-type");
            let known = instance_type.as_deref().and_then(cni::limits::of);
            add(Label::InstanceType, instance_type.clone());
            add(Label::Price, known.and_then(|it| it.price).map(|price| format!("{price} USD/h")));
            add(Label::Zone, label("topology.kubernetes.io/zone"));
            let status = it.status.as_ref();
            let internal = status
                .and_then(|s| s.addresses.as_ref())
                .and_then(|all| all.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.clone()));
            add(Label::Address, internal);
            let amount_of = |name: &str| {
                status.and_then(|s| s.allocatable.as_ref()).and_then(|all| all.get(name)).map(|q| q.0.clone())
            };
            add(Label::Pods, amount_of("pods"));
            add(Label::Cpu, amount_of("cpu"));
            add(Label::Memory, amount_of("memory"));
            add(Label::Version, status.and_then(|s| s.node_info.as_ref()).map(|i| i.kubelet_version.clone()));
        }
        Object::Subnet(it) => {
            add(Label::Cidr, Some(it.cidr.to_string()));
            add(Label::Ipv6, it.ipv6_cidr.map(|cidr| cidr.to_string()));
            add(Label::Zone, Some(it.availability_zone.clone()));
        }
        Object::Vpc(it) => {
            let blocks: Vec<String> = it.cidrs.iter().map(ToString::to_string).collect();
            add(Label::Cidr, Some(blocks.join(", ")));
            add(Label::Ipv6, it.ipv6_cidr.map(|cidr| cidr.to_string()));
        }
        Object::Eni(it) => {
            add(Label::Address, Some(it.primary_ip.to_string()));
            add(Label::Ipv6, it.ipv6_address.map(|address| address.to_string()));
            add(Label::Ipv6, it.ipv6_prefix.map(|prefix| prefix.to_string()));
            add(Label::Subnet, Some(it.subnet.clone()));
            add(
                Label::Attachment,
                serde_json::to_value(it.attachment).ok().and_then(|v| v.as_str().map(str::to_owned)),
            );
        }
        Object::Part(it) => {
            add(Label::Zone, it.zone.clone());
        }
        Object::Service(it) => {
            add(Label::Address, it.spec.as_ref().and_then(|s| s.cluster_ip.clone()));
        }
        _ => {}
    }
    out
}
