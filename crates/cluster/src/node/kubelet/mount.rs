//! Do a pod's volumes have what they are made from?
//!
//! A volume of a ConfigMap or Secret that is not there, or has not a key that the volume names, keeps the pod waiting; each
//! try says so, and each look at the pod that waited for two minutes in vain. MODEL: the pod hears at once of what was
//! missing, where the kubelet waits for its next try. Source: kubelet `pkg/volume/{configmap,secret,projected}`,
//! `pkg/volume/util/operationexecutor` (the words), `pkg/util/goroutinemap/exponentialbackoff`.

use std::{cell::RefCell, collections::BTreeSet};

use api::{
    SimDuration,
    k8s::core::v1::{ConfigMap, Container, KeyToPath, Pod, Secret, Volume, VolumeMount},
};

use super::env;
use crate::{ClusterId, Store, Turn};

/// How long before the next try: half a second, then twice as long each time.
pub(super) fn retry(failures: u32) -> SimDuration {
    SimDuration((500 << failures.min(8)).min(122_000))
}

/// So long one look at a pod waits for its volumes (`podAttachAndMountTimeout`).
pub(super) const WAIT: SimDuration = SimDuration::secs(123);

/// What is said when it has waited in vain: `WaitForAttachAndMount`.
pub(super) fn waited(mut volumes: Vec<&str>) -> String {
    volumes.sort_unstable();
    format!(
        "Unable to attach or mount volumes: unmounted volumes=[{}], unattached volumes=[], failed to process volumes=[]: \
         context deadline exceeded",
        volumes.join(" ")
    )
}

/// The volumes that cannot be made, and what the event of a try says of each.
pub(super) fn missing(turn: &Turn<'_>, pod: &Pod) -> Vec<(String, String)> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let said = volumes.filter_map(|volume| {
        let why = lack(turn, super::names(pod).0, volume)?;
        Some((volume.name.clone(), format!("MountVolume.SetUp failed for volume {:?} : {why}", volume.name)))
    });
    said.collect()
}

/// The part of a volume that a container is given, if it is not given all of it.
/// # Errors
/// Variables that its `subPathExpr` needs and does not find: `ExpandContainerVolumeMounts`.
pub(super) fn part_of_volume(
    store: &Store,
    cluster: ClusterId,
    pod: &Pod,
    container: &Container,
    mount: &VolumeMount,
) -> Result<Option<String>, String> {
    if let Some(path) = mount.sub_path.as_ref().filter(|path| !path.is_empty()) {
        return Ok(Some(path.clone()));
    }
    let Some(written) = mount.sub_path_expr.as_ref().filter(|path| !path.is_empty()) else { return Ok(None) };
    let known = env::declared(store, cluster, pod, container).unwrap_or_default();
    let lost = RefCell::new(BTreeSet::new());
    let path = env::expand(written, |name| {
        let value =
            known.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default();
        if value.is_empty() {
            lost.borrow_mut().insert(name.to_owned());
        }
        Some(value)
    });
    let lost: Vec<String> = lost.into_inner().into_iter().collect();
    if lost.is_empty() { Ok(Some(path)) } else { Err(format!("missing value for {}", lost.join(", "))) }
}

/// Why what a container wants mounted cannot be: `makeMounts`.
pub(super) fn refusal(store: &Store, cluster: ClusterId, pod: &Pod, container: &Container) -> Option<String> {
    container.volume_mounts.iter().flatten().find_map(|mount| {
        let path = match part_of_volume(store, cluster, pod, container, mount) {
            Err(why) => return Some(why),
            Ok(path) => path?,
        };
        if path.starts_with('/') {
            return Some(format!("error SubPath `{path}` must not be an absolute path"));
        }
        let steps_back = path.split('/').any(|part| part == "..");
        steps_back.then(|| format!("unable to provision SubPath `{path}`: must not contain '..'"))
    })
}

fn lack(turn: &Turn<'_>, namespace: &str, volume: &Volume) -> Option<String> {
    let config = |name: &str, optional: Option<bool>, items: Option<&Vec<KeyToPath>>| {
        let found = turn.get::<ConfigMap>(namespace, name).map(|map| {
            let text = map.data.iter().flat_map(|data| data.keys());
            text.chain(map.binary_data.iter().flat_map(|data| data.keys())).cloned().collect()
        });
        part(("configmap", "configmap references non-existent config key"), name, optional, items, found)
    };
    let secret = |name: &str, optional: Option<bool>, items: Option<&Vec<KeyToPath>>| {
        let found = turn.get::<Secret>(namespace, name);
        let found = found.map(|it| it.data.iter().flat_map(|data| data.keys()).cloned().collect());
        part(("secret", "references non-existent secret key"), name, optional, items, found)
    };
    if let Some(it) = &volume.config_map {
        return config(&it.name, it.optional, it.items.as_ref());
    }
    if let Some(it) = &volume.secret {
        return secret(it.secret_name.as_deref().unwrap_or_default(), it.optional, it.items.as_ref());
    }
    if let Some(it) = &volume.host_path {
        return not_of_type(&it.path, it.type_.as_deref().unwrap_or_default());
    }
    let sources = volume.projected.iter().flat_map(|it| it.sources.iter().flatten());
    let lacks: Vec<String> = sources
        .filter_map(|source| {
            let map =
                source.config_map.as_ref().and_then(|it| config(&it.name, it.optional, it.items.as_ref()));
            map.or_else(|| {
                source.secret.as_ref().and_then(|it| secret(&it.name, it.optional, it.items.as_ref()))
            })
        })
        .collect();
    match lacks.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// Sockets of a node, and files that it has; what lies under the other roots is taken for directories.
const SOCKETS: [&str; 4] = [
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
];
const FILES: [&str; 6] = [
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/os-release",
    "/etc/resolv.conf",
    "/run/xtables.lock",
];
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/fuse"];
const ROOTS: [&str; 15] = [
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/proc", "/root", "/run", "/sys", "/tmp",
    "/usr", "/var/lib", "/var/log",
];

/// Source: `pkg/volume/hostpath/host_path.go` (`checkTypeInternal`).
fn not_of_type(path: &str, type_: &str) -> Option<String> {
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let (socket, file, device) = (SOCKETS.contains(&path), FILES.contains(&path), DEVICES.contains(&path));
    // MODEL: what is directly under a root of the system is there; deeper, only what Kubernetes itself keeps there.
    let known = [
        "/etc/kubernetes",
        "/etc/cni",
        "/opt/cni",
        "/var/lib/kubelet",
        "/var/log/pods",
        "/var/log/containers",
        "/lib/modules",
        "/usr/share",
        "/usr/local",
        "/usr/lib",
        "/sys/fs",
        "/var/lib/containerd",
        "/etc/ssl",
    ];
    let under =
        |all: &[&str]| all.iter().any(|it| path.strip_prefix(it).is_some_and(|rest| rest.starts_with('/')));
    let directory = ["/", "/var", "/var/run", "/mnt", "/media", "/srv"].contains(&path)
        || ROOTS.contains(&path)
        || known.contains(&path)
        || (under(&known) && !socket && !file);
    let (fits, what) = match type_ {
        "Directory" => (directory, "a directory"),
        "DirectoryOrCreate" => (!socket && !file && !device, "a directory"),
        "File" => (file, "a file"),
        "FileOrCreate" => (!directory && !socket && !device, "a file"),
        "Socket" => (socket, "a socket file"),
        "CharDevice" => (device, "a character device"),
        "BlockDevice" => (path.starts_with("/dev/nvme") || path.starts_with("/dev/xvd"), "a block device"),
        _ => (true, ""),
    };
    (!fits).then(|| format!("hostPath type check failed: {path} is not {what}"))
}

/// What an object, or one of the keys asked for, is missed by.
fn part(
    (kind, no_key): (&str, &str),
    name: &str,
    optional: Option<bool>,
    items: Option<&Vec<KeyToPath>>,
    keys: Option<BTreeSet<String>>,
) -> Option<String> {
    if optional == Some(true) {
        return None;
    }
    let Some(keys) = keys else { return Some(format!("{kind} {name:?} not found")) };
    let lost = items.into_iter().flatten().find(|item| !keys.contains(&item.key))?;
    Some(format!("{no_key}: {}", lost.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: `pkg/volume/hostpath/host_path.go`.
    #[test]
    fn a_path_of_the_node_must_be_what_the_volume_says() {
        let why = |what: &str| Some(format!("hostPath type check failed: /data is not {what}"));
        assert_eq!(not_of_type("/data", "Directory"), why("a directory"));
        assert_eq!(not_of_type("/data", "File"), why("a file"));
        assert_eq!(not_of_type("/data", "Socket"), why("a socket file"));
        for (path, type_) in [
            ("/data", ""),
            ("/data", "DirectoryOrCreate"),
            ("/var/log", "Directory"),
            ("/lib/modules", "Directory"),
            ("/run/containerd/containerd.sock", "Socket"),
            ("/run/xtables.lock", "FileOrCreate"),
        ] {
            assert_eq!(not_of_type(path, type_), None, "{path} {type_}");
        }
    }
}
