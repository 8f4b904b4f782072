//! May this pod run here?
//!
//! The kubelet checks again what the scheduler checked, for pods that came past it. UPSTREAM: every pod counts against
//! max pods, those on the host's network too. Source: kubelet `pkg/kubelet/lifecycle/predicate.go`.

use api::{
    ApiStatus, Resource,
    k8s::core::v1::{Node, Pod, PodSpec},
    kinds::sim::{ContainerWork, Machine, Sandbox, SandboxStep},
    meta::ObjectMeta,
    quantity::Quantity,
};

use super::{
    host_network, names, say,
    status::{self, Statuses},
};
use crate::{EventType, Next, Turn, node::report::NETWORK_NOT_READY, timing};

/// Takes a new pod in, sends it away, or lets it wait for the node's network.
pub(super) fn step(turn: &mut Turn<'_>, pod: &Pod, machine: &Machine) -> Result<Next, ApiStatus> {
    let node = machine.metadata.name.as_deref().unwrap_or_default();
    if let Some(lack) = lack(turn, pod, node) {
        return refuse(turn, pod, &lack);
    }
    if !host_network(pod) && !machine.network_ready {
        let message = format!("network is not ready: {NETWORK_NOT_READY}");
        say(turn, pod, None, EventType::Warning, "NetworkNotReady", &message);
        return Ok(Next::Done);
    }
    let (namespace, name) = names(pod);
    let now = turn.now();
    let key = super::key_of(turn.cluster(), pod);
    let sandbox = Sandbox {
        metadata: ObjectMeta {
            namespace: Some(namespace.to_owned()),
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
        node: node.to_owned(),
        id: turn.hex("sandbox", &key, now.0, 64),
        step: SandboxStep::Creating,
        due: now + timing::SANDBOX,
        containers: pod.spec.as_ref().map(work).unwrap_or_default(),
        ..Sandbox::default()
    };
    let mut statuses = Statuses::of(pod);
    if statuses.end_all(&turn.stamp()) {
        let message = "Pod sandbox changed, it will be killed and re-created.";
        say(turn, pod, None, EventType::Normal, "SandboxChanged", message);
    }
    status::write_with(turn, pod, &sandbox, &statuses)?;
    turn.put(sandbox.into_object());
    Ok(Next::After(timing::SANDBOX))
}

/// Takes the pods of a node in again, oldest first, as a kubelet that starts anew does; those beyond its limit fail.
/// # Errors
/// A refusal of a status by the API server.
pub(super) fn again(turn: &mut Turn<'_>, node: &str, max_pods: u32) -> Result<(), ApiStatus> {
    let mut pods: Vec<Pod> = turn
        .store()
        .pods_on(turn.cluster(), node)
        .filter(|pod| !crate::node::finished(pod))
        .cloned()
        .collect();
    pods.retain(|pod| {
        let (namespace, name) = names(pod);
        turn.get::<Sandbox>(namespace, name).is_some()
    });
    pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
    let (used, capacity) = (i64::from(max_pods), i64::from(max_pods));
    for pod in pods.iter().skip(usize::try_from(max_pods).unwrap_or(usize::MAX)) {
        refuse(turn, pod, &Lack { resource: "pods", requested: 1, used, capacity })?;
    }
    Ok(())
}

fn work(spec: &PodSpec) -> Vec<ContainerWork> {
    let of = |name: &String, init| ContainerWork { name: name.clone(), init, ..ContainerWork::default() };
    let init = spec.init_containers.iter().flatten().map(|c| of(&c.name, true));
    init.chain(spec.containers.iter().map(|c| of(&c.name, false))).collect()
}

struct Lack {
    resource: &'static str,
    requested: i64,
    used: i64,
    capacity: i64,
}

fn lack(turn: &Turn<'_>, pod: &Pod, node: &str) -> Option<Lack> {
    let allocatable = turn.get::<Node>("", node)?.status.as_ref()?.allocatable.as_ref()?;
    let amount = |name: &str| allocatable.get(name).map_or(0, |q| value(name, &q.0));
    let here: Vec<&Pod> = turn
        .store()
        .pods_on(turn.cluster(), node)
        .filter(|other| {
            let (namespace, name) = names(other);
            turn.get::<Sandbox>(namespace, name).is_some() && other.metadata.uid != pod.metadata.uid
        })
        .collect();
    let check = |resource: &'static str, requested: i64, used: i64| {
        let capacity = amount(resource);
        (requested > 0 && requested + used > capacity).then_some(Lack { resource, requested, used, capacity })
    };
    let sum = |name: &str| here.iter().map(|pod| requested(pod, name)).sum::<i64>();
    let pods = i64::try_from(here.len()).unwrap_or(i64::MAX);
    check("pods", 1, pods)
        .or_else(|| check("cpu", requested(pod, "cpu"), sum("cpu")))
        .or_else(|| check("memory", requested(pod, "memory"), sum("memory")))
}

fn value(resource: &str, text: &str) -> i64 {
    let Ok(quantity) = Quantity::parse(text) else { return 0 };
    if resource == "cpu" { quantity.milli_value() } else { quantity.value() }
}

/// What a pod requests: its containers together, or its largest init container.
fn requested(pod: &Pod, resource: &str) -> i64 {
    let Some(spec) = &pod.spec else { return 0 };
    let of = |container: &api::k8s::core::v1::Container| {
        let requests = container.resources.as_ref().and_then(|r| r.requests.as_ref());
        requests.and_then(|r| r.get(resource)).map_or(0, |q| value(resource, &q.0))
    };
    let together: i64 = spec.containers.iter().map(of).sum();
    spec.init_containers.iter().flatten().map(of).max().unwrap_or(0).max(together)
}

fn refuse(turn: &mut Turn<'_>, pod: &Pod, lack: &Lack) -> Result<Next, ApiStatus> {
    let Lack { resource, requested, used, capacity } = lack;
    let why = format!(
        "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
    );
    let reason = format!("OutOf{resource}");
    say(turn, pod, None, EventType::Warning, &reason, &why);
    let (namespace, name) = names(pod);
    let stamp = turn.stamp();
    turn.patch_status::<Pod>(namespace, name, |pod| {
        let status = pod.status.get_or_insert_default();
        status.phase = Some("Failed".to_owned());
        status.reason = Some(reason);
        status.message = Some(format!("Pod was rejected: {why}"));
        status.start_time = Some(stamp);
    })?;
    Ok(Next::Done)
}
