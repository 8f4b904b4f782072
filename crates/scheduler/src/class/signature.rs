//! What was a pod's template compiled from?
//!
//! A [`Signature`] writes down, byte after byte, all that [`Template::of`](crate::pod::Template) reads of a pod: pods with
//! the same bytes have the same template. A pod is read once, and two pods are compared as two rows of bytes: pods that
//! wait lie far apart in memory, and looking twice at each would cost more than all else.
//! What plugins do not read is left out, so that it separates no templates: commands, probes, most volumes.

use std::collections::BTreeMap;

use api::k8s::core::v1::{Container, Pod, PodSpec, Volume};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Serialize;

/// Bytes that say what a pod is compiled from. Kept from pod to pod for its memory.
#[derive(Default)]
pub(super) struct Signature {
    bytes: Vec<u8>,
    /// Where the part ends that is not about labels and owners.
    shared: usize,
}

impl Signature {
    /// Writes down another pod.
    pub(super) fn write(&mut self, pod: &Pod) {
        self.bytes.clear();
        let meta = &pod.metadata;
        self.optional(meta.namespace.as_deref());
        if let Some(spec) = &pod.spec {
            self.spec(spec);
        }
        self.shared = self.bytes.len();
        self.map(meta.labels.as_ref(), |value| value);
        for owner in meta.owner_references.iter().flatten().filter(|it| it.controller == Some(true)) {
            self.text(&owner.api_version);
            self.text(&owner.kind);
            self.text(&owner.name);
        }
    }

    /// All of it.
    pub(super) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// Without labels and owners.
    pub(super) fn shared(&self) -> &[u8] {
        &self.bytes[..self.shared]
    }

    fn spec(&mut self, spec: &PodSpec) {
        self.containers(&spec.containers);
        self.containers(spec.init_containers.as_deref().unwrap_or_default());
        self.number(spec.priority.unwrap_or(0));
        self.optional(spec.preemption_policy.as_deref());
        self.optional(spec.node_name.as_deref());
        self.map(spec.node_selector.as_ref(), |value| value);
        self.map(spec.overhead.as_ref(), amount);
        self.map(spec.resources.as_ref().and_then(|it| it.requests.as_ref()), amount);
        self.json(spec.scheduling_gates.as_ref());
        self.json(spec.tolerations.as_ref());
        self.json(spec.affinity.as_ref());
        self.json(spec.topology_spread_constraints.as_ref());
        spec.volumes.iter().flatten().filter(|it| is_read(it)).for_each(|it| self.json(Some(it)));
    }

    fn containers(&mut self, containers: &[Container]) {
        self.length(containers.len());
        for container in containers {
            self.optional(container.image.as_deref());
            self.optional(container.restart_policy.as_deref());
            self.map(container.resources.as_ref().and_then(|it| it.requests.as_ref()), amount);
            self.json(container.ports.as_ref());
        }
    }

    fn map<V>(&mut self, map: Option<&BTreeMap<String, V>>, text: impl Fn(&V) -> &String) {
        self.length(map.map_or(0, BTreeMap::len));
        for (key, value) in map.into_iter().flatten() {
            self.text(key);
            self.text(text(value));
        }
    }

    fn optional(&mut self, text: Option<&str>) {
        self.bytes.push(u8::from(text.is_some()));
        text.into_iter().for_each(|it| self.text(it));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn length(&mut self, length: usize) {
        self.bytes.extend_from_slice(&length.to_le_bytes());
    }

    fn number(&mut self, number: i32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// What is rarely there and has many parts.
    fn json(&mut self, value: Option<&impl Serialize>) {
        self.bytes.push(u8::from(value.is_some()));
        if let Some(value) = value {
            // Memory takes all that is written, and parts of a pod can be written as JSON: they came as JSON.
            let _: Result<(), _> = serde_json::to_writer(&mut self.bytes, value);
        }
    }
}

/// Looks at all that nearly every pod has, and waits for none of it: the next pod can be looked at meanwhile.
pub(super) fn skim(pod: &Pod) {
    let first = |text: Option<&String>| text.and_then(|it| it.as_bytes().first()).copied().unwrap_or(0);
    let meta = &pod.metadata;
    let mut seen = u8::from(pod.status.is_some()) ^ u8::from(meta.owner_references.is_some());
    seen ^= u8::from(meta.deletion_timestamp.is_some());
    if let Some(spec) = &pod.spec {
        let there = [
            spec.affinity.is_some(),
            spec.init_containers.is_some(),
            spec.node_name.is_some(),
            spec.node_selector.is_some(),
            spec.overhead.is_some(),
            spec.preemption_policy.is_some(),
            spec.priority.is_some(),
            spec.resources.is_some(),
            spec.scheduling_gates.is_some(),
            spec.tolerations.is_some(),
            spec.topology_spread_constraints.is_some(),
            spec.volumes.is_some(),
        ];
        seen ^= there.into_iter().fold(0, |seen, it| seen ^ u8::from(it));
        if let Some(it) = spec.containers.first() {
            seen ^= u8::from(it.ports.is_some())
                ^ u8::from(it.restart_policy.is_some())
                ^ first(it.image.as_ref());
            let requests = it.resources.as_ref().and_then(|it| it.requests.as_ref());
            for (key, value) in requests.into_iter().flatten() {
                seen ^= first(Some(key)) ^ first(Some(&value.0));
            }
        }
    }
    for (key, value) in meta.labels.iter().flatten() {
        seen ^= first(Some(key)) ^ first(Some(value));
    }
    seen ^= first(meta.name.as_ref()) ^ first(meta.namespace.as_ref());
    std::hint::black_box(seen);
}

fn amount(quantity: &Quantity) -> &String {
    &quantity.0
}

/// Whether plugins may look at a volume: these they do not.
fn is_read(volume: &Volume) -> bool {
    volume.config_map.is_none()
        && volume.secret.is_none()
        && volume.projected.is_none()
        && volume.downward_api.is_none()
        && volume.empty_dir.is_none()
        && volume.host_path.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::Template;
    use serde_json::{Value, json};

    /// A pod with something at a path, as in a JSON patch.
    fn pod(path: &str, value: Value) -> Pod {
        let mut pod = json!({
            "metadata": {"name": "p", "namespace": "n", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "resources": {}}], "initContainers": [{"name": "i"}]},
        });
        let (parent, name) = path.rsplit_once('/').expect("a path");
        pod.pointer_mut(parent).expect("a parent")[name] = value;
        serde_json::from_value(pod).expect("a pod")
    }

    fn bytes(pod: &Pod) -> Vec<u8> {
        let mut signature = Signature::default();
        signature.write(pod);
        signature.whole().to_vec()
    }

    #[test]
    fn pods_whose_templates_differ_have_different_signatures() {
        let term = json!({"topologyKey": "k", "labelSelector": {}});
        let ports = json!([{"containerPort": 1, "hostPort": 1}]);
        let volumes = [
            json!({"persistentVolumeClaim": {"claimName": "c"}}),
            json!({"ephemeral": {}}),
            json!({"gcePersistentDisk": {"pdName": "d"}}),
            json!({"awsElasticBlockStore": {"volumeID": "d"}}),
            json!({"iscsi": {"iqn": "q", "lun": 0, "targetPortal": "t"}}),
            json!({"rbd": {"image": "i", "monitors": ["m"]}}),
            json!({"azureDisk": {"diskName": "d", "diskURI": "u"}}),
            json!({"cinder": {"volumeID": "d"}}),
        ];
        let volumes = volumes.into_iter().map(|mut it| {
            it["name"] = json!("v");
            ("/spec/volumes", json!([it]))
        });
        let others = [
            ("/metadata/namespace", json!("m")),
            ("/metadata/labels/app", json!("b")),
            ("/metadata/labels/other", json!("a")),
            (
                "/metadata/ownerReferences",
                json!([{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "u", "controller": true}]),
            ),
            (
                "/metadata/ownerReferences",
                json!([{"apiVersion": "v2", "kind": "K", "name": "o", "uid": "u", "controller": true}]),
            ),
            ("/spec/priority", json!(1)),
            ("/spec/preemptionPolicy", json!("Never")),
            ("/spec/nodeName", json!("n")),
            ("/spec/nodeSelector", json!({"a": "b"})),
            ("/spec/overhead", json!({"cpu": "1"})),
            ("/spec/resources", json!({"requests": {"cpu": "3"}})),
            ("/spec/schedulingGates", json!([{"name": "g"}])),
            ("/spec/tolerations", json!([{"key": "t", "operator": "Exists"}])),
            (
                "/spec/affinity",
                json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}),
            ),
            (
                "/spec/affinity",
                json!({"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}),
            ),
            (
                "/spec/affinity",
                json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}),
            ),
            (
                "/spec/topologySpreadConstraints",
                json!([{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}]),
            ),
            ("/spec/containers/0/image", json!("i")),
            ("/spec/containers/0/resources/requests", json!({"cpu": "2"})),
            ("/spec/containers/0/ports", ports.clone()),
            ("/spec/initContainers/0/image", json!("i")),
            ("/spec/initContainers/0/resources", json!({"requests": {"cpu": "2"}})),
            ("/spec/initContainers/0/restartPolicy", json!("Always")),
        ];
        let mut known: Vec<(Vec<u8>, String, Template)> = Vec::new();
        for (path, value) in volumes.chain(others) {
            let pod = pod(path, value);
            let (bytes, template) = (bytes(&pod), Template::of(&pod));
            for (other, named, known) in &known {
                assert!(*other != bytes || *known == template, "{named} and {path}");
            }
            known.push((bytes, path.to_owned(), template));
        }
        let distinct: std::collections::BTreeSet<_> = known.iter().map(|it| &it.0).collect();
        assert_eq!(distinct.len(), known.len());
    }

    #[test]
    fn what_no_plugin_reads_separates_no_templates() {
        let plain = bytes(&pod("/metadata/name", json!("p")));
        for (path, value) in [
            ("/metadata/name", json!("q")),
            ("/metadata/annotations", json!({"a": "b"})),
            ("/spec/containers/0/command", json!(["sleep"])),
            ("/spec/volumes", json!([{"name": "v", "emptyDir": {}}])),
            ("/status", json!({"phase": "Running"})),
        ] {
            assert_eq!(bytes(&pod(path, value)), plain, "{path}");
        }
    }
}
