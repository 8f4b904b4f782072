//! What does the kubelet do while its container runtime does not answer?
//!
//! Containers that run go on: they are processes of their own. A new pod's sandbox cannot be made, which is said once; after
//! half a minute without an answer no pod is looked at until the runtime is back.
//! MODEL: a container that ends meanwhile is noticed when the runtime is back.
//! Source: kubelet `pkg/kubelet/kubelet.go` (`syncLoop`: "Skipping pod synchronization"), `kuberuntime_manager.go`;
//! containerd takes its socket with it when it is stopped.

use api::{
    ApiStatus, Resource, SimTime,
    k8s::core::v1::Pod,
    kinds::sim::{Machine, Sandbox, SandboxStep},
};

use super::{admit, say};
use crate::{EventType, Next, Turn, timing};

/// What gRPC says of a socket that is not there.
const NO_SOCKET: &str = "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial unix \
     /run/containerd/containerd.sock: connect: no such file or directory\"";

/// Moves a pod on as far as it goes without the runtime that was stopped at `stopped`.
pub(super) fn without(
    turn: &mut Turn<'_>,
    pod: &Pod,
    sandbox: Option<Sandbox>,
    machine: &Machine,
    stopped: SimTime,
) -> Result<Next, ApiStatus> {
    let now = turn.now();
    if now >= stopped + timing::RUNTIME_DOWN || pod.metadata.deletion_timestamp.is_some() {
        return Ok(Next::Done);
    }
    let Some(mut sandbox) = sandbox else { return admit::step(turn, pod, machine) };
    if sandbox.step != SandboxStep::Creating || sandbox.failures > 0 {
        return Ok(Next::Done);
    }
    if now < sandbox.due {
        return Ok(Next::After(sandbox.due.since(now)));
    }
    let message = format!("Failed to create pod sandbox: {NO_SOCKET}");
    say(turn, pod, None, EventType::Warning, "FailedCreatePodSandBox", &message);
    // UPSTREAM: the next try waits for a list of containers, which only the runtime can give.
    sandbox.failures += 1;
    turn.put(sandbox.into_object());
    Ok(Next::Done)
}
