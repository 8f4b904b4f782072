//! What of a pod will Fargate not run, and how does it say so?
//!
//! Every check speaks; their sentences are joined. Source: the pod validator of the kubelet that AWS builds for Fargate
//! (`pkg/kubelet/lifecycle`, a public fork of Kubernetes); the events of `fargate-scheduler` that people have recorded, which
//! give the order (kubernetes-sigs/aws-efs-csi-driver#589, freegroup/kube-s3#14).

use api::k8s::core::v1::{
    Container, PersistentVolume, PersistentVolumeClaim, Pod, PodSpec, SecurityContext, Volume,
};

use crate::{ClusterId, Key, Store, scheduler::typed};

/// Capabilities that may be added: those that containerd gives every container.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Why Fargate does not run a pod; `None` if it does.
#[must_use]
pub fn unsupported(store: &Store, cluster: ClusterId, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let checks = [daemon_set(pod), fields(spec), contexts(spec), volumes(store, cluster, namespace, spec)];
    let rest = [devices(spec), ports(spec)];
    let said: Vec<String> = checks.into_iter().chain(rest).flatten().collect();
    (!said.is_empty()).then(|| format!("Pod not supported on Fargate: {}", said.join(", ")))
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.init_containers.iter().flatten().chain(&spec.containers)
}

fn daemon_set(pod: &Pod) -> Option<String> {
    is_of_daemon_set(pod).then(|| "DaemonSet not supported".to_owned())
}

/// Whether a DaemonSet made a pod.
pub(crate) fn is_of_daemon_set(pod: &Pod) -> bool {
    pod.metadata.owner_references.iter().flatten().any(|owner| owner.kind == "DaemonSet")
}

fn fields(spec: &PodSpec) -> Option<String> {
    let asked = [("HostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)];
    let named: Vec<&str> = asked.iter().filter(|(_, on)| *on == Some(true)).map(|(name, _)| *name).collect();
    (!named.is_empty()).then(|| format!("fields not supported: {}", named.join(", ")))
}

fn contexts(spec: &PodSpec) -> Option<String> {
    let said: Vec<String> =
        containers(spec).filter_map(|it| context(it.security_context.as_ref()?)).collect();
    (!said.is_empty()).then(|| format!("invalid SecurityContext fields: {}", said.join(",")))
}

fn context(of: &SecurityContext) -> Option<String> {
    let mut said = Vec::new();
    let added = of.capabilities.iter().flat_map(|it| it.add.iter().flatten());
    let refused: Vec<&str> = added.map(String::as_str).filter(|it| !CAPABILITIES.contains(it)).collect();
    if !refused.is_empty() {
        said.push(format!("Capabilities added: {}", refused.join(", ")));
    }
    if of.allow_privilege_escalation == Some(true) {
        said.push("AllowPrivilegeEscalation".to_owned());
    }
    if of.privileged == Some(true) {
        said.push("Privileged".to_owned());
    }
    (!said.is_empty()).then(|| said.join(", "))
}

fn volumes(store: &Store, cluster: ClusterId, namespace: &str, spec: &PodSpec) -> Option<String> {
    let all = spec.volumes.iter().flatten();
    let said: Vec<String> = all.filter_map(|it| volume(store, cluster, namespace, it)).collect();
    (!said.is_empty()).then(|| format!("volumes not supported: {}", said.join(", ")))
}

fn volume(store: &Store, cluster: ClusterId, namespace: &str, it: &Volume) -> Option<String> {
    let plain = it.empty_dir.is_some()
        || it.secret.is_some()
        || it.config_map.is_some()
        || it.projected.is_some()
        || it.downward_api.is_some()
        || it.nfs.is_some();
    if plain {
        return None;
    }
    let Some(source) = &it.persistent_volume_claim else {
        return Some(format!("{} is of an unsupported volume Type", it.name));
    };
    let why = claim(store, cluster, namespace, &source.claim_name)?;
    Some(format!("{} not supported because: {why}", it.name))
}

/// Only what is bound to a volume of EFS can be mounted.
fn claim(store: &Store, cluster: ClusterId, namespace: &str, name: &str) -> Option<String> {
    let stored = |key: &Key| store.object(key).map(std::rc::Rc::as_ref);
    let key = Key::new(cluster, api::Kind::PersistentVolumeClaim, namespace, name);
    let Some(claim) = typed::<PersistentVolumeClaim>(stored(&key)) else {
        return Some(format!("persistentvolumeclaim {name:?} not found"));
    };
    let bound = claim.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Bound");
    let volume = claim.spec.as_ref().and_then(|it| it.volume_name.clone()).filter(|_| bound);
    let Some(volume) = volume else { return Some(format!("PVC {name} not bound")) };
    let key = Key::new(cluster, api::Kind::PersistentVolume, "", &volume);
    let found = typed::<PersistentVolume>(stored(&key));
    let driver = found.and_then(|it| it.spec?.csi).map(|it| it.driver);
    match driver.as_deref() {
        Some("efs.csi.aws.com") => None,
        Some(other) => Some(format!("PVC {name} bound to invalid PV {volume} with CSI Driver: {other}")),
        None => Some(format!("PVC {name} bound to invalid PV {volume} with nil CSI spec")),
    }
}

fn devices(spec: &PodSpec) -> Option<String> {
    let has = containers(spec).any(|it| it.volume_devices.as_ref().is_some_and(|it| !it.is_empty()));
    has.then(|| "volumeDevices not supported".to_owned())
}

fn ports(spec: &PodSpec) -> Option<String> {
    let mut ports = containers(spec).flat_map(|it| it.ports.iter().flatten());
    let on_host = ports.any(|it| {
        it.host_port.is_some_and(|port| port > 0) || it.host_ip.as_deref().is_some_and(|ip| !ip.is_empty())
    });
    on_host.then(|| "port contains HostIP or HostPort".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(spec: &Value) -> Option<String> {
        let pod = json!({"metadata": {"name": "p", "namespace": "default"}, "spec": spec});
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        unsupported(&Store::default(), ClusterId(1), &pod)
    }

    #[test]
    fn what_people_have_seen_is_said_word_for_word() {
        let privileged = json!({"name": "c", "securityContext": {"privileged": true}});
        let table = [
            (
                json!({"hostNetwork": true, "containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}),
                "fields not supported: HostNetwork, port contains HostIP or HostPort",
            ),
            (
                json!({"containers": [privileged, privileged]}),
                "invalid SecurityContext fields: Privileged,Privileged",
            ),
            (
                json!({"containers": [privileged], "volumes": [{"name": "mntdatas3fs", "hostPath": {"path": "/mnt"}}]}),
                "invalid SecurityContext fields: Privileged, volumes not supported: mntdatas3fs is of an unsupported volume Type",
            ),
            (
                json!({"containers": [{"name": "c", "securityContext": {"capabilities": {"add": ["DAC_READ_SEARCH", "CHOWN"]}}}]}),
                "invalid SecurityContext fields: Capabilities added: DAC_READ_SEARCH",
            ),
            (
                json!({"containers": [{"name": "c"}], "volumes": [{"name": "persistence", "persistentVolumeClaim": {"claimName": "data"}}]}),
                "volumes not supported: persistence not supported because: persistentvolumeclaim \"data\" not found",
            ),
        ];
        for (spec, words) in table {
            assert_eq!(said(&spec).as_deref(), Some(&*format!("Pod not supported on Fargate: {words}")));
        }
    }

    #[test]
    fn an_ordinary_pod_is_run() {
        let volumes = json!([{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "b"}}]);
        assert_eq!(said(&json!({"containers": [{"name": "c"}], "volumes": volumes})), None);
    }
}
