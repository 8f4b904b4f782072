//! As whom does a pod speak to the API server?
//!
//! As its namespace's `default` account unless it names another; its token comes as a projected volume mounted into
//! every container. Source: `plugin/pkg/admission/serviceaccount/admission.go`.

use api::{
    ApiStatus, Kind, Object, SimDuration,
    k8s::core::v1::{Container, Namespace, Pod, PodSpec, ServiceAccount, Volume, VolumeMount},
};
use serde_json::json;

use super::Review;
use crate::{ApiRequest, Budget, World, apiserver::forbidden, draw::suffix};

/// Where containers find their token.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Life of a bound token: an hour and seven seconds, which marks it as one that may be extended.
const EXPIRATION_SECONDS: i64 = 3607;
/// How long the plugin asks again for a default account that is not there yet: 10 times, up to 100 ms apart.
const PATIENCE: SimDuration = SimDuration::secs(1);

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let Object::Pod(pod) = object else { return Ok(()) };
    let name = pod_name(pod);
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let seed = format!(
        "{}/{namespace}/{name}@{}#{}",
        review.cluster.0,
        review.world.now().0,
        review.world.store().revision()
    );
    let spec = pod.spec.get_or_insert_default();
    if spec.service_account_name.as_deref().unwrap_or_default().is_empty() {
        spec.service_account_name = Some("default".to_owned());
    }
    spec.service_account.clone_from(&spec.service_account_name);
    let account_name = spec.service_account_name.clone().unwrap_or_default();
    let Some(account) = review.world.store().get::<ServiceAccount>(review.cluster, &namespace, &account_name)
    else {
        let why = format!(
            "error looking up service account {namespace}/{account_name}: serviceaccount \"{account_name}\" not found"
        );
        return Err(forbidden(Kind::Pod, &name, &why));
    };
    let wanted =
        spec.automount_service_account_token.or(account.automount_service_account_token).unwrap_or(true);
    if wanted {
        mount(spec, &seed, review.world.seed());
    }
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        spec.image_pull_secrets.clone_from(&account.image_pull_secrets);
    }
    Ok(())
}

fn pod_name(pod: &Pod) -> String {
    pod.metadata.name.clone().or_else(|| pod.metadata.generate_name.clone()).unwrap_or_default()
}

fn mount(spec: &mut PodSpec, key: &str, seed: u64) {
    let has = |name: &str| spec.volumes.iter().flatten().any(|volume| volume.name == name);
    let mut n = 0;
    let mut name = volume_name(seed, key, n);
    while has(&name) {
        n += 1;
        name = volume_name(seed, key, n);
    }
    let mut used = false;
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        used |= mount_into(container, &name);
    }
    if used {
        spec.volumes.get_or_insert_default().push(volume(name));
    }
}

fn volume_name(seed: u64, key: &str, n: u64) -> String {
    format!("kube-api-access-{}", suffix(seed, "kube-api-access", key, n, 5))
}

fn mount_into(container: &mut Container, name: &str) -> bool {
    let mounts = container.volume_mounts.get_or_insert_default();
    if mounts.iter().any(|mount| mount.mount_path == MOUNT_PATH) {
        return false;
    }
    mounts.push(VolumeMount {
        name: name.to_owned(),
        read_only: Some(true),
        mount_path: MOUNT_PATH.to_owned(),
        ..VolumeMount::default()
    });
    true
}

fn volume(name: String) -> Volume {
    let projected = json!({
        "defaultMode": 420,
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": EXPIRATION_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
            ]}},
        ],
    });
    Volume { name, projected: serde_json::from_value(projected).ok(), ..Volume::default() }
}

/// Lets time pass until the default account of a young namespace is there, as the plugin asks again for it.
pub(in crate::apiserver) fn wait_for_default_account(world: &mut World, request: &ApiRequest) {
    let last = world.now() + PATIENCE;
    let missing = |world: &World| {
        let namespace = world.store().get::<Namespace>(request.cluster, "", &request.namespace);
        namespace.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none())
            && world.store().get::<ServiceAccount>(request.cluster, &request.namespace, "default").is_none()
    };
    while missing(world) && !world.is_exhausted() {
        match world.next_at() {
            Some(at) if at <= last => world.run_until(at, Budget::COMMAND),
            _ => return,
        };
    }
}
