//! What becomes of a static pod whose mirror is deleted?
//!
//! A static pod is a file on its node: the kubelet runs it whatever the API server says, and shows it there as a mirror pod.
//! Who deletes the mirror sees it come back with a new uid; its containers never stopped.
//! MODEL: those of a mirror that is deleted by force are started anew.
//! Source: kubelet `kubelet.go` (`tryReconcileMirrorPods`), `pkg/kubelet/pod/mirror_client.go`.

use api::{ApiStatus, Resource, k8s::core::v1::Pod, kinds::sim::Sandbox, meta::ObjectMeta};

use super::stop;
use crate::{Key, Turn};

/// What marks a mirror pod.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// Whether a pod is what the API server shows of a static one.
pub(super) fn is_mirror(pod: &Pod) -> bool {
    pod.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(MIRROR))
}

/// What a mirror pod is made from again.
pub(super) fn manifest(pod: &Pod) -> Option<Box<Pod>> {
    let meta = &pod.metadata;
    is_mirror(pod).then(|| {
        Box::new(Pod {
            metadata: ObjectMeta {
                name: meta.name.clone(),
                namespace: meta.namespace.clone(),
                labels: meta.labels.clone(),
                annotations: meta.annotations.clone(),
                owner_references: meta.owner_references.clone(),
                ..ObjectMeta::default()
            },
            spec: pod.spec.clone(),
            status: None,
        })
    })
}

/// Shows a static pod again whose mirror is gone, or is to go.
/// # Errors
/// A refusal by the API server.
pub(super) fn restore(
    turn: &mut Turn<'_>,
    key: &Key,
    mirror: Option<&Pod>,
    mut sandbox: Sandbox,
) -> Result<(), ApiStatus> {
    let Some(manifest) = sandbox.manifest.clone() else { return Ok(()) };
    let Some(mirror) = mirror else {
        stop::clear_up(turn, &sandbox);
        return turn.create(*manifest).map(|_| ());
    };
    turn.delete(key, Some(0))?;
    let created = turn.create(*manifest)?;
    sandbox.pod_uid = created.meta().uid.clone().unwrap_or_default();
    turn.put(sandbox.into_object());
    let mut status = mirror.status.clone().unwrap_or_default();
    status.observed_generation = created.meta().generation;
    turn.patch_status::<Pod>(&key.namespace, &key.name, |pod| pod.status = Some(status))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]

    use api::Kind;
    use serde_json::json;

    use crate::{
        ApiVerb,
        node::kubelet::tests::{ask, delete, pod, state, status, wait, world},
    };

    /// Expected: `kubelet.go` (`tryReconcileMirrorPods`).
    #[test]
    fn a_mirror_pod_that_is_deleted_comes_back_and_its_containers_go_on() {
        let mut world = world();
        let mirror = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default",
                "annotations": {"kubernetes.io/config.mirror": "x", "kubernetes.io/config.source": "file"}},
            "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "nginx"}]}});
        ask(&mut world, Kind::Pod, "", ApiVerb::Create(mirror));
        wait(&mut world, 20);
        let uid = |world: &crate::World| pod(world).metadata.uid.clone().unwrap();
        let (old, before) = (uid(&world), status(&world, "c").clone());
        delete(&mut world);
        wait(&mut world, 1);
        assert_ne!(uid(&world), old);
        assert_eq!((state(&world, "c").as_str(), status(&world, "c")), ("Running", &before));
        wait(&mut world, 60);
        assert!(pod(&world).metadata.deletion_timestamp.is_none() && state(&world, "c") == "Running");
    }
}
