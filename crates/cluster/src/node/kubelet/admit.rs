//! May this pod run here?
//!
//! The kubelet checks again what the scheduler checked, for pods that came past it; and it takes no new pods that would
//! be the first to go under pressure. UPSTREAM: every pod counts against max pods, those on the host's network too.
//! For a critical pod that finds too little others are ended ([`super::preempt`]).
//! Source: kubelet `pkg/kubelet/lifecycle/predicate.go`, `eviction/eviction_manager.go` (`Admit`), `kubelet.go` (`rejectPod`);
//! `pkg/scheduler/eventhandlers.go` (`AdmissionCheck`).

use api::{
    ApiStatus, Resource,
    default::qos_class,
    k8s::core::v1::{ContainerPort, Node, Pod, PodSpec, Taint as WrittenTaint},
    kinds::sim::{ContainerWork, Machine, Sandbox, SandboxStep},
    meta::ObjectMeta,
};
use scheduler::{
    node_selector::RequiredNodes,
    requests::{Requests, allocatable},
    taint::{Effect, Taint, Toleration, tolerated},
};

use super::{
    host_network, mirror, names, preempt, resize, say,
    status::{self, Statuses},
};
use crate::{EventType, Next, Turn, node::report::NETWORK_NOT_READY, timing};

/// From this priority on a pod is critical: `SystemCriticalPriority`.
pub(crate) const CRITICAL: i32 = 2_000_000_000;

/// Takes a new pod in, sends it away, or lets it wait for the node's network.
pub(super) fn step(turn: &mut Turn<'_>, pod: &Pod, machine: &Machine) -> Result<Next, ApiStatus> {
    let node = machine.metadata.name.as_deref().unwrap_or_default();
    if let Some(why) = under_pressure(machine, pod) {
        return refuse(turn, pod, &why);
    }
    let reasons = reasons(turn, pod, node);
    if is_critical(pod) && !reasons.is_empty() && reasons.iter().all(|it| matches!(it, Reason::Lack(_))) {
        let lacks: Vec<Lack> = reasons.into_iter().filter_map(Reason::lack).collect();
        return match preempt::make_room(turn, pod, node, &lacks)? {
            Ok(wait) => Ok(wait),
            Err(why) => refuse(turn, pod, &why),
        };
    }
    // A critical pod is never refused for want of resources.
    let first = reasons.into_iter().find(|it| !is_critical(pod) || !matches!(it, Reason::Lack(_)));
    if let Some(why) = first {
        return refuse(turn, pod, &why.refusal());
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
        manifest: mirror::manifest(pod),
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
        probed_from: now,
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
    let limit = i64::from(max_pods);
    for pod in pods.iter().skip(usize::try_from(max_pods).unwrap_or(usize::MAX)) {
        let many = Lack { resource: "pods".to_owned(), requested: 1, used: limit, capacity: limit };
        refuse(turn, pod, &Reason::Lack(many).refusal())?;
    }
    Ok(())
}

fn work(spec: &PodSpec) -> Vec<ContainerWork> {
    let of = |name: &String, init| ContainerWork { name: name.clone(), init, ..ContainerWork::default() };
    let init = spec.init_containers.iter().flatten().map(|c| of(&c.name, true));
    init.chain(spec.containers.iter().map(|c| of(&c.name, false))).collect()
}

/// Why a pod is not taken in.
pub(super) struct Refusal {
    /// One word for the status.
    pub reason: String,
    /// The sentence of the event.
    pub message: String,
}

/// A resource that a node has too little of for a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    /// Its name; `pods` for their number.
    pub resource: String,
    /// What the pod asks for.
    pub requested: i64,
    /// What others have.
    pub used: i64,
    /// What there is.
    pub capacity: i64,
}

/// One thing by which a pod does not fit its node.
pub(super) enum Reason {
    /// It asks for more than is left.
    Lack(Lack),
    /// Something else: the plugin's name, and its words.
    Failed(&'static str, &'static str),
}

impl Reason {
    fn lack(self) -> Option<Lack> {
        match self {
            Reason::Lack(lack) => Some(lack),
            Reason::Failed(..) => None,
        }
    }

    fn refusal(self) -> Refusal {
        match self {
            Reason::Lack(Lack { resource, requested, used, capacity }) => Refusal {
                reason: format!("OutOf{resource}"),
                message: format!(
                    "Node didn't have enough resource: {resource}, requested: {requested}, used: {used}, capacity: {capacity}"
                ),
            },
            Reason::Failed(predicate, why) => Refusal {
                reason: predicate.to_owned(),
                message: format!("Predicate {predicate} failed: {why}"),
            },
        }
    }
}

/// `IsCriticalPod`: by its priority, or as one of the kubelet's own.
pub(super) fn is_critical(pod: &Pod) -> bool {
    let priority = pod.spec.as_ref().and_then(|spec| spec.priority);
    priority.is_some_and(|priority| priority >= CRITICAL) || mirror::is_mirror(pod)
}

/// Under pressure only what is critical comes in; memory holds back only who asks for nothing.
fn under_pressure(machine: &Machine, pod: &Pod) -> Option<Refusal> {
    let spec = pod.spec.as_ref()?;
    let names: Vec<&str> = machine.pressures.iter().map(|it| it.condition.as_str()).collect();
    if names.is_empty() || spec.priority.is_some_and(|priority| priority >= CRITICAL) {
        return None;
    }
    let taint = Taint {
        key: "node.kubernetes.io/memory-pressure".to_owned(),
        value: String::new(),
        effect: Effect::NoSchedule,
    };
    let spared = qos_class(spec) != "BestEffort" || tolerated(&tolerations(spec), &taint);
    if names == ["MemoryPressure"] && spared {
        return None;
    }
    let message = format!("The node had condition: [{}]. ", names.join(" "));
    Some(Refusal { reason: "Evicted".to_owned(), message })
}

fn tolerations(spec: &PodSpec) -> Vec<Toleration> {
    spec.tolerations.iter().flatten().filter_map(Toleration::of).collect()
}

/// The first thing by which a pod does not fit its node.
pub(super) fn unfit(turn: &Turn<'_>, pod: &Pod, name: &str) -> Option<Refusal> {
    reasons(turn, pod, name).into_iter().next().map(Reason::refusal)
}

/// Everything by which a pod does not fit its node: `AdmissionCheck` and `generalFilter`.
fn reasons(turn: &Turn<'_>, pod: &Pod, name: &str) -> Vec<Reason> {
    let (Some(node), Some(spec)) = (turn.get::<Node>("", name), pod.spec.as_ref()) else { return Vec::new() };
    let elsewhere = || {
        let wanted = RequiredNodes::of(spec)?;
        let labels = node.metadata.labels.clone().unwrap_or_default();
        let why = "node(s) didn't match Pod's node affinity/selector";
        (!wanted.matches(name, &labels)).then_some(Reason::Failed("NodeAffinity", why))
    };
    let taken = || {
        ports(spec).next()?;
        let here = others(turn, pod, name);
        let others = here.iter().filter_map(|pod| pod.spec.as_ref()).flat_map(ports);
        let others: Vec<&ContainerPort> = others.collect();
        let clash = ports(spec).any(|own| others.iter().any(|other| collide(own, other)));
        let why = "node(s) didn't have free ports for the requested pod ports";
        clash.then_some(Reason::Failed("NodePorts", why))
    };
    let tainted = || {
        let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        let drives_out = |taint: &&WrittenTaint| taint.effect == "NoExecute";
        let mut taints = taints.iter().filter(drives_out).filter_map(Taint::of);
        let why = "node(s) had taints that the pod didn't tolerate";
        let intolerable = taints.any(|taint| !tolerated(&tolerations(spec), &taint));
        (intolerable && !mirror::is_mirror(pod)).then_some(Reason::Failed("TaintToleration", why))
    };
    let lacks = if fits_beside_all(turn, spec, name) { Vec::new() } else { too_little(turn, node, pod) };
    let lacks = lacks.into_iter().map(Reason::Lack);
    lacks.chain(elsewhere()).chain(taken()).chain(tainted()).collect()
}

/// The pods that the kubelet of a node has taken in, but for this one.
fn others<'t>(turn: &'t Turn<'_>, pod: &Pod, node: &str) -> Vec<&'t Pod> {
    let all = turn.store().pods_on(turn.cluster(), node);
    let others = all.filter(|other| {
        let (namespace, name) = names(other);
        turn.get::<Sandbox>(namespace, name).is_some() && other.metadata.uid != pod.metadata.uid
    });
    others.collect()
}

/// Whether there is room for every pod that is bound to a node, this one and those not taken in yet among them: then nobody needs
/// to be asked one by one.
fn fits_beside_all(turn: &Turn<'_>, spec: &PodSpec, node: &str) -> bool {
    let table = turn.world().scheduling().nodes(turn.cluster());
    let Some(node) = table.find(node) else { return false };
    let row = table.row(node);
    let wants = Requests::of(spec, None).exact;
    i64::try_from(row.pods.len()).is_ok_and(|pods| pods <= row.allowed_pods)
        && wants.listed().into_iter().all(|(resource, _)| {
            table
                .resource(resource)
                .is_some_and(|it| table.requested(it, node) <= table.allocatable(it, node))
        })
}

/// UPSTREAM: what the node does not know of at all is no reason.
fn too_little(turn: &Turn<'_>, node: &Node, pod: &Pod) -> Vec<Lack> {
    let here = others(turn, pod, node.metadata.name.as_deref().unwrap_or_default());
    let offers = node.status.as_ref().map(|status| allocatable(status.allocatable.as_ref()));
    let (Some((offers, most)), Some(spec)) = (offers, pod.spec.as_ref()) else { return Vec::new() };
    let wants = Requests::of(spec, None).exact;
    let others: Vec<_> = here.iter().filter_map(|pod| Some(resize::allocated(pod)?.exact)).collect();
    let count = i64::try_from(here.len()).unwrap_or(i64::MAX);
    let lack = |resource: &str, requested: i64, used: i64, capacity: i64| Lack {
        resource: resource.to_owned(),
        requested,
        used,
        capacity,
    };
    let many = (count >= most).then(|| lack("pods", 1, count, most));
    let fixed = ["cpu", "memory", "ephemeral-storage"];
    let short = wants.listed().into_iter().filter_map(|(resource, requested)| {
        let capacity = offers.of(resource);
        let known = fixed.contains(&resource) || offers.scalars.contains_key(resource);
        let used: i64 = others.iter().map(|amounts| amounts.of(resource)).sum();
        (known && requested > capacity - used).then(|| lack(resource, requested, used, capacity))
    });
    many.into_iter().chain(short).collect()
}

/// Source: `GetHostPorts`: sidecars' ports count.
fn ports(spec: &PodSpec) -> impl Iterator<Item = &ContainerPort> {
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|it| it.restart_policy.as_deref() == Some("Always"));
    let all = sidecars.chain(&spec.containers).flat_map(|container| container.ports.iter().flatten());
    all.filter(|port| port.host_port.is_some_and(|port| port > 0))
}

fn collide(a: &ContainerPort, b: &ContainerPort) -> bool {
    let protocol = |port: &ContainerPort| port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
    let ip = |port: &ContainerPort| port.host_ip.clone().filter(|ip| !ip.is_empty() && ip != "0.0.0.0");
    let (x, y) = (ip(a), ip(b));
    a.host_port == b.host_port && protocol(a) == protocol(b) && (x.is_none() || y.is_none() || x == y)
}

/// UPSTREAM: the status is made anew, so that the pod loses the conditions that it had of the kubelet, `PodScheduled` too.
fn refuse(turn: &mut Turn<'_>, pod: &Pod, why: &Refusal) -> Result<Next, ApiStatus> {
    say(turn, pod, None, EventType::Warning, &why.reason, &why.message);
    let (namespace, name) = names(pod);
    let stamp = turn.stamp();
    let generation = pod.metadata.generation;
    turn.patch_status::<Pod>(namespace, name, |pod| {
        let class = pod.spec.as_ref().map(|spec| qos_class(spec).to_owned());
        let status = pod.status.get_or_insert_default();
        status.phase = Some("Failed".to_owned());
        status.reason = Some(why.reason.clone());
        status.message = Some(format!("Pod was rejected: {}", why.message));
        status.qos_class = class;
        status.observed_generation = generation;
        status.start_time.get_or_insert(stamp);
        let own = ["PodScheduled", "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"];
        let mut kept = status.conditions.take().unwrap_or_default();
        kept.retain(|it| !own.contains(&it.type_.as_str()));
        status.conditions = (!kept.is_empty()).then_some(kept);
        (status.container_statuses, status.init_container_statuses) = (None, None);
    })?;
    Ok(Next::Done)
}
