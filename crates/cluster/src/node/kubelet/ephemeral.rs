//! How does a container get into a pod that runs?
//!
//! `kubectl debug` writes it into the spec through a door of its own; the kubelet starts it beside whatever the pod is at,
//! once. It is never ready, never started again, and nothing waits for it.
//! Source: kubelet `kuberuntime_manager.go` (`computePodActions`, `SyncPod` step 5), `kuberuntime_container.go`
//! (`getTargetID`), `kubelet_pods.go` (`generateAPIPodStatus`).

use api::{
    k8s::core::v1::{Container, EphemeralContainer, Pod},
    kinds::sim::{ContainerWork, Sandbox},
};

/// Takes in hand the containers that a pod was given since.
pub(super) fn take_in(pod: &Pod, sandbox: &mut Sandbox) {
    for container in all(pod) {
        if sandbox.containers.iter().all(|work| work.name != container.name) {
            let name = container.name.clone();
            sandbox.containers.push(ContainerWork { name, ephemeral: true, ..ContainerWork::default() });
        }
    }
}

/// Those that a pod has been given.
pub(super) fn all(pod: &Pod) -> impl Iterator<Item = &EphemeralContainer> {
    pod.spec.iter().flat_map(|spec| spec.ephemeral_containers.iter().flatten())
}

/// The container whose processes an ephemeral one is to see, if that was never made.
pub(super) fn lacks_target(pod: &Pod, name: &str) -> Option<String> {
    let target = all(pod).find(|it| it.name == name)?.target_container_name.clone()?;
    let status = pod.status.as_ref();
    let statuses = status.into_iter().flat_map(|it| {
        it.container_statuses
            .iter()
            .chain(&it.init_container_statuses)
            .chain(&it.ephemeral_container_statuses)
    });
    let made = statuses.flatten().any(|it| it.name == target && it.container_id.is_some());
    (!target.is_empty() && !made).then(|| format!("unable to find target container {target}"))
}

/// What it has in common with other containers.
pub(super) fn as_container(of: &EphemeralContainer) -> Container {
    let of = of.clone();
    Container {
        args: of.args,
        command: of.command,
        env: of.env,
        env_from: of.env_from,
        image: of.image,
        image_pull_policy: of.image_pull_policy,
        name: of.name,
        resources: of.resources,
        security_context: of.security_context,
        stdin: of.stdin,
        stdin_once: of.stdin_once,
        tty: of.tty,
        volume_mounts: of.volume_mounts,
        working_dir: of.working_dir,
        ..Container::default()
    }
}
