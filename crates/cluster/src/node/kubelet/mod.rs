//! What does the kubelet do with the pods of its node?
//!
//! Admits a bound pod, sets up its sandbox, pulls, starts, probes, restarts, stops; and says all of it in the pod's
//! status and events, in the kubelet's words. What it has in hand is the pod's `sim/Sandbox`: a step and when it is
//! over. Source: kubelet `pkg/kubelet` at v1.34 (`kubelet.go`, `kuberuntime`, `images`, `status`).

mod admit;
mod back_off;
mod conditions;
mod container;
mod end;
pub mod env;
mod ephemeral;
mod health;
pub mod image;
pub mod inside;
mod mirror;
mod mount;
mod network;
mod preempt;
mod probe;
pub mod process;
mod pull;
mod resize;
mod runtime;
mod sandbox;
mod start;
mod status;
mod stop;
#[cfg(test)]
pub(super) mod tests;
mod volume;

pub(crate) use admit::CRITICAL;
pub(crate) use container::{container_of, go_duration};

use api::{
    ApiStatus, Kind, Resource, SimDuration, SimTime,
    k8s::{
        core::v1::{Node, ObjectReference, Pod},
        storage::v1::VolumeAttachment,
    },
    kinds::{
        cni::IpPool,
        sim::{ContainerStep, Machine, Sandbox, SandboxStep, StopCause},
    },
};

use crate::{
    ActorId, Change, Controller, EventType, Key, Next, Store, Turn, node::finished, parts::Process,
    scheduler::typed,
};

/// Runs the pods of every node.
pub struct Kubelet;

impl Controller for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Pod => {
                wake(change.key.clone());
                resize::wake_deferred(change, store, wake);
            }
            Kind::Machine => wake_pods(change, store, wake),
            Kind::IpPool if has_grown(change) => wake_pods(change, store, wake),
            Kind::VolumeAttachment => wake_waiting_for_volume(change, store, wake),
            Kind::ConfigMap | Kind::Secret => {
                if change.before.is_none() {
                    wake_waiting_for_config(change, store, wake);
                }
                volume::wake_holders(change, store, wake);
            }
            _ => {}
        }
    }

    /// What it wrote into a pod's status it knows; a resize goes on from one write to the next.
    /// Source: `kubelet.go` (`HandlePodReconcile`).
    fn heeds_own(&self, change: &Change) -> bool {
        let pods = [&change.before, &change.after].map(|object| object.as_deref().and_then(Pod::of));
        match pods {
            [Some(before), Some(after)] => resize::is_under_way(before) || resize::is_under_way(after),
            _ => true,
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let held = turn.store().object(key).cloned();
        let pod = held.as_deref().and_then(Pod::of);
        let sandbox = turn.get::<Sandbox>(&key.namespace, &key.name).cloned();
        let is_static = sandbox.as_ref().is_some_and(|it| it.manifest.is_some() && node_runs(turn, &it.node));
        let goes = pod.is_none_or(|pod| pod.metadata.deletion_timestamp.is_some());
        if let (true, Some(sandbox)) = (is_static && goes, &sandbox) {
            return mirror::restore(turn, key, pod, sandbox.clone()).map(|()| Next::Done);
        }
        let Some(pod) = pod else {
            if let Some(sandbox) = sandbox {
                stop::clear_up(turn, &sandbox);
            }
            return Ok(Next::Done);
        };
        let sandbox = match sandbox {
            Some(other) if pod.metadata.uid.as_deref() != Some(&other.pod_uid) => {
                stop::clear_up(turn, &other);
                None
            }
            sandbox => sandbox,
        };
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
        let machine = turn.store().object(&turn.key(Kind::Machine, "", node)).cloned();
        let Some(machine) = machine.as_deref().and_then(Machine::of).filter(|it| it.kubelet_running) else {
            return Ok(Next::Done);
        };
        if let Some(stopped) = machine.runtime_stopped.filter(|_| !finished(pod)) {
            return runtime::without(turn, pod, sandbox, machine, stopped);
        }
        let stopping = sandbox.as_ref().is_some_and(|it| it.step == SandboxStep::Stopping);
        if pod.metadata.deletion_timestamp.is_some() || stopping {
            return stop::step(turn, pod, sandbox);
        }
        let deadline = stop::deadline(turn, pod).filter(|_| !finished(pod));
        let now = turn.now();
        let next = match sandbox {
            Some(sandbox) if deadline.is_some_and(|at| at <= now) => {
                return stop::too_long(turn, pod, sandbox);
            }
            Some(sandbox) if finished(pod) => {
                stop::clear_up(turn, &sandbox);
                Ok(Next::Done)
            }
            Some(sandbox) if matches!(sandbox.step, SandboxStep::Creating | SandboxStep::Mounting) => {
                sandbox::step(turn, pod, sandbox, machine)
            }
            Some(sandbox) => {
                let resizes = if machine.played { None } else { resize::step(turn, pod)? };
                if let Some(next @ Next::After(_)) = resizes {
                    return Ok(next);
                }
                // Its conditions may have changed.
                let held = turn.store().object(key).cloned();
                let pod = held.as_deref().and_then(Pod::of).unwrap_or(pod);
                let mut sandbox = sandbox;
                let written = sandbox.written.clone();
                let due = volume::refresh(turn, pod, &mut sandbox);
                if sandbox.written != written {
                    turn.put(sandbox.clone().into_object());
                }
                let next = container::step(turn, pod, sandbox, machine);
                let next = next.map(|next| due.map_or(next, |at| sooner(next, at.since(now))));
                match resizes {
                    Some(Next::Every(retry)) => next.map(|next| sooner(next, retry)),
                    Some(Next::Done | Next::After(_)) | None => next,
                }
            }
            None if finished(pod) => Ok(Next::Done),
            None => admit::step(turn, pod, machine),
        };
        let deadline = stop::deadline(turn, pod).or(deadline).filter(|_| !finished(pod));
        next.map(|next| deadline.map_or(next, |at| sooner(next, at.since(now))))
    }
}

/// Starts a node's kubelet anew with another limit: pods beyond it fail.
pub(crate) fn restart(turn: &mut Turn<'_>, node: &str, max_pods: u32) -> Result<(), ApiStatus> {
    admit::again(turn, node, max_pods)
}

/// A sandbox is gone with its machine's last run.
pub(crate) fn lose(turn: &mut Turn<'_>, sandbox: &Sandbox) {
    stop::clear_up(turn, sandbox);
}

/// Ends a pod that nobody deleted, and has the kubelet see to it.
pub(crate) fn end(turn: &mut Turn<'_>, pod: &Pod, cause: StopCause) -> Result<(), ApiStatus> {
    let (namespace, name) = names(pod);
    let Some(sandbox) = turn.get::<Sandbox>(namespace, name).cloned() else { return Ok(()) };
    if let Next::After(wait) | Next::Every(wait) = stop::end(turn, pod, sandbox, cause)? {
        let key = key_of(turn.cluster(), pod);
        turn.wake(ActorId(Kubelet.name()), key, wait);
    }
    Ok(())
}

fn node_runs(turn: &Turn<'_>, node: &str) -> bool {
    turn.get::<Machine>("", node).is_some_and(|machine| machine.kubelet_running)
        && turn.get::<Node>("", node).is_some_and(|node| node.metadata.deletion_timestamp.is_none())
}

fn machine_of<'t>(turn: &'t Turn<'_>, pod: &Pod) -> Option<&'t Machine> {
    turn.get("", pod.spec.as_ref()?.node_name.as_deref()?)
}

fn wake_pods(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    for pod in store.pods_on(change.key.cluster, &change.key.name) {
        wake(key_of(change.key.cluster, pod));
    }
}

fn wake_waiting_for_config(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    for sandbox in store.list::<Sandbox>(change.key.cluster, Some(&change.key.namespace)) {
        let waits = sandbox.step == SandboxStep::Mounting
            || sandbox.containers.iter().any(|work| work.step == ContainerStep::ConfigError);
        if waits {
            let name = sandbox.metadata.name.as_deref().unwrap_or_default();
            wake(Key::new(change.key.cluster, Kind::Pod, &change.key.namespace, name));
        }
    }
}

fn wake_waiting_for_volume(change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
    let Some(it) = typed::<VolumeAttachment>(change.after.as_deref()) else { return };
    for pod in store.pods_on(change.key.cluster, &it.spec.node_name) {
        wake(key_of(change.key.cluster, pod));
    }
}

/// Whether a pool has more addresses than before.
fn has_grown(change: &Change) -> bool {
    let size = |object: Option<&std::rc::Rc<api::Object>>| {
        let pool = object.and_then(|object| IpPool::of(object));
        pool.map_or(0, |pool| pool.enis.iter().map(|eni| eni.blocks.len()).sum::<usize>())
    };
    size(change.after.as_ref()) > size(change.before.as_ref())
}

fn key_of(cluster: crate::ClusterId, pod: &Pod) -> Key {
    let meta = &pod.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Key::new(cluster, Kind::Pod, &text(&meta.namespace), &text(&meta.name))
}

/// Namespace and name of a pod.
pub(crate) fn names(pod: &Pod) -> (&str, &str) {
    let meta = &pod.metadata;
    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// `namespace/name`: whose address it is, to ipamd.
fn owner(pod: &Pod) -> cni::SandboxId {
    let (namespace, name) = names(pod);
    cni::SandboxId(format!("{namespace}/{name}"))
}

fn host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.host_network == Some(true))
}

/// Says something about a pod, or about one of its containers.
pub(crate) fn say(
    turn: &mut Turn<'_>,
    pod: &Pod,
    container: Option<&str>,
    how: EventType,
    reason: &str,
    message: &str,
) {
    let (namespace, name) = names(pod);
    let about = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        uid: pod.metadata.uid.clone(),
        resource_version: pod.metadata.resource_version.clone(),
        field_path: container.map(|container| field_path(pod, container)),
    };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    turn.event_from("kubelet", &node, &about, how, reason, message);
}

fn field_path(pod: &Pod, container: &str) -> String {
    let init = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    let list = if init.is_some_and(|all| all.iter().any(|c| c.name == container)) {
        "initContainers"
    } else if ephemeral::all(pod).any(|it| it.name == container) {
        "ephemeralContainers"
    } else {
        "containers"
    };
    format!("spec.{list}{{{container}}}")
}

/// What is next, and a moment at which something ends by itself.
fn sooner(next: Next, wait: SimDuration) -> Next {
    let wait = wait.max(SimDuration(1));
    match next {
        Next::Done => Next::Every(wait),
        Next::After(work) => Next::After(work.min(wait)),
        Next::Every(idle) => Next::Every(idle.min(wait)),
    }
}

/// The first of several moments, seen from now; a wait that is part of work, or one that may go on for ever.
fn next(now: SimTime, work: Option<SimTime>, idle: Option<SimTime>) -> Next {
    let wait = |at: SimTime| at.since(now).max(SimDuration(1));
    match (work, idle) {
        (Some(work), Some(idle)) => Next::After(wait(work.min(idle))),
        (Some(work), None) => Next::After(wait(work)),
        (None, Some(idle)) => Next::Every(wait(idle)),
        (None, None) => Next::Done,
    }
}
