//! What does a node say about itself, and how often?
//!
//! The kubelet writes its conditions when they change and renews its lease for ever; waiting for a lease is no work.
//! Source: kubelet `pkg/kubelet/nodestatus/setters.go`, `pkg/kubelet/kubelet_node_status.go`.

use api::{
    ApiStatus, Kind, Resource, SimTime,
    k8s::{
        coordination::v1::{Lease, LeaseSpec},
        core::v1::{Node, NodeCondition, ObjectReference},
    },
    kinds::sim::{Machine, Pressure},
    meta::{MicroTime, ObjectMeta, OwnerReference, Time},
};

use crate::{
    Change, Controller, EventType, Key, Next, Store, Turn,
    node::{image_list, kubelet::go_duration},
    parts::Process,
    timing,
};

/// Why a node without a CNI configuration is not ready.
pub(crate) const NETWORK_NOT_READY: &str = "container runtime network not ready: NetworkReady=false \
     reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

/// Keeps a node's Ready condition true to its machine, and renews its lease.
pub struct NodeStatus;

impl Controller for NodeStatus {
    fn name(&self) -> &'static str {
        "kubelet-node-status"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::Machine && change.after.is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(machine) = turn.get::<Machine>("", &key.name).filter(|m| m.kubelet_running).cloned() else {
            return Ok(Next::Done);
        };
        let Some(node) = turn.get::<Node>("", &key.name) else { return Ok(Next::Done) };
        let was = condition(node, "Ready").map(|c| (c.status.clone(), c.message.clone()));
        let down = without_runtime(&machine, turn.now());
        let condition = match &down {
            Some(why) => not_ready(why),
            None => ready(machine.network_ready),
        };
        let turns = was.as_ref().map(|(status, _)| status) != Some(&condition.status);
        if turns || (down.is_some() && was.map(|(_, message)| message) != Some(condition.message.clone())) {
            let stamp = turn.stamp();
            let becomes_ready = machine.network_ready && down.is_none();
            turn.patch_status::<Node>("", &key.name, |node| {
                set_conditions(node, &[condition], &stamp);
            })?;
            if becomes_ready {
                say(turn, &key.name, "NodeReady", &format!("Node {} status is now: NodeReady", key.name));
            } else if turns && down.is_some() {
                say(
                    turn,
                    &key.name,
                    "NodeNotReady",
                    &format!("Node {} status is now: NodeNotReady", key.name),
                );
            }
        }
        tell_pressures(turn, &machine)?;
        let images = image_list::tell(turn, &machine)?;
        renew(turn, &key.name);
        // Whether the runtime answers is noticed at the next report, which is no work to wait for unless it is new.
        let notices = machine.runtime_stopped.is_some() && down.is_none();
        let renews = images.map_or(timing::LEASE, |due| due.since(turn.now()).min(timing::LEASE));
        Ok(if notices { Next::After(renews) } else { Next::Every(renews) })
    }
}

/// Writes the conditions of pressure that have changed, and says so.
fn tell_pressures(turn: &mut Turn<'_>, machine: &Machine) -> Result<(), ApiStatus> {
    let name = machine.metadata.name.clone().unwrap_or_default();
    let now = under(&machine.pressures);
    let Some(node) = turn.get::<Node>("", &name) else { return Ok(()) };
    let is_new =
        |new: &&NodeCondition| condition(node, &new.type_).is_some_and(|old| old.status != new.status);
    let changed: Vec<NodeCondition> = now.iter().filter(is_new).cloned().collect();
    if changed.is_empty() {
        return Ok(());
    }
    let stamp = turn.stamp();
    turn.patch_status::<Node>("", &name, |node| set_conditions(node, &changed, &stamp))?;
    for condition in &changed {
        let word = word(condition);
        say(turn, &name, word, &format!("Node {name} status is now: {word}"));
    }
    Ok(())
}

/// One condition of a node.
#[must_use]
pub fn condition<'n>(node: &'n Node, type_: &str) -> Option<&'n NodeCondition> {
    node.status.as_ref()?.conditions.as_ref()?.iter().find(|c| c.type_ == type_)
}

/// Whether a node is ready.
#[must_use]
pub fn is_ready(node: &Node) -> bool {
    condition(node, "Ready").is_some_and(|c| c.status == "True")
}

fn said(type_: &str, status: &str, reason: &str, message: &str) -> NodeCondition {
    NodeCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        ..NodeCondition::default()
    }
}

/// Ready, or why not.
pub(crate) fn ready(network: bool) -> NodeCondition {
    if network {
        said("Ready", "True", "KubeletReady", "kubelet is posting ready status")
    } else {
        not_ready(NETWORK_NOT_READY)
    }
}

fn not_ready(why: &str) -> NodeCondition {
    said("Ready", "False", "KubeletNotReady", why)
}

/// What the kubelet complains of while its runtime does not answer; `None` while it does, and for the first half minute.
/// Source: kubelet `pkg/kubelet/runtime.go` (`runtimeErrors`), `pkg/kubelet/pleg/generic.go` (`Healthy`).
fn without_runtime(machine: &Machine, now: SimTime) -> Option<String> {
    let silent = now.since(machine.runtime_stopped?);
    let down = "container runtime is down";
    match silent {
        it if it < timing::RUNTIME_DOWN => None,
        it if it <= timing::PLEG_THRESHOLD => Some(down.to_owned()),
        it => {
            let (seen, limit) = (go_duration(it), go_duration(timing::PLEG_THRESHOLD));
            Some(format!(
                "[{down}, PLEG is not healthy: pleg was last seen active {seen} ago; threshold is {limit}]"
            ))
        }
    }
}

/// Nothing is short.
pub(crate) fn pressures() -> [NodeCondition; 3] {
    under(&[])
}

/// What is short, and what is not. MODEL: no node of the lab runs out of process ids.
fn under(short: &[Pressure]) -> [NodeCondition; 3] {
    let is_short = |condition: &str| short.iter().any(|it| it.condition == condition);
    [
        if is_short("MemoryPressure") {
            said(
                "MemoryPressure",
                "True",
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
            )
        } else {
            said(
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            )
        },
        if is_short("DiskPressure") {
            said("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")
        } else {
            said("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")
        },
        said("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ]
}

/// What the event says of a pressure that came or went.
fn word(condition: &NodeCondition) -> &'static str {
    match (condition.type_.as_str(), condition.status.as_str()) {
        ("MemoryPressure", "True") => "NodeHasInsufficientMemory",
        ("MemoryPressure", _) => "NodeHasSufficientMemory",
        ("DiskPressure", "True") => "NodeHasDiskPressure",
        ("DiskPressure", _) => "NodeHasNoDiskPressure",
        (_, "True") => "NodeHasInsufficientPID",
        _ => "NodeHasSufficientPID",
    }
}

/// Writes conditions; the time of transition moves only where the status does.
pub(crate) fn set_conditions(node: &mut Node, conditions: &[NodeCondition], now: &Time) {
    let all = node.status.get_or_insert_default().conditions.get_or_insert_default();
    for new in conditions {
        let mut new = new.clone();
        new.last_heartbeat_time = Some(now.clone());
        new.last_transition_time = Some(now.clone());
        match all.iter_mut().find(|old| old.type_ == new.type_) {
            Some(old) => {
                if old.status == new.status {
                    new.last_transition_time.clone_from(&old.last_transition_time);
                }
                *old = new;
            }
            None => all.push(new),
        }
    }
}

/// Says something about a node, as its kubelet. UPSTREAM: the kubelet gives the node's name for its uid.
pub(crate) fn say(turn: &mut Turn<'_>, node: &str, reason: &str, message: &str) {
    tell(turn, node, EventType::Normal, reason, message);
}

/// Warns of something about a node.
pub(crate) fn warn(turn: &mut Turn<'_>, node: &str, reason: &str, message: &str) {
    tell(turn, node, EventType::Warning, reason, message);
}

fn tell(turn: &mut Turn<'_>, node: &str, how: EventType, reason: &str, message: &str) {
    let about = ObjectReference {
        kind: Some("Node".to_owned()),
        name: Some(node.to_owned()),
        uid: Some(node.to_owned()),
        ..ObjectReference::default()
    };
    turn.event_from("kubelet", node, &about, how, reason, message);
}

fn renew(turn: &mut Turn<'_>, node: &str) {
    const NAMESPACE: &str = "kube-node-lease";
    let millis = turn.world().epoch().as_millisecond().saturating_add_unsigned(turn.now().0);
    let now = jiff::Timestamp::from_millisecond(millis).map(MicroTime).ok();
    if let Some(mut lease) = turn.get::<Lease>(NAMESPACE, node).cloned() {
        lease.spec.get_or_insert_default().renew_time = now;
        turn.put(lease.into_object());
        return;
    }
    let owner = turn.get::<Node>("", node).map(|node| OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        name: node.metadata.name.clone().unwrap_or_default(),
        uid: node.metadata.uid.clone().unwrap_or_default(),
        ..OwnerReference::default()
    });
    let lease = Lease {
        metadata: ObjectMeta {
            name: Some(node.to_owned()),
            namespace: Some(NAMESPACE.to_owned()),
            owner_references: owner.map(|owner| vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(node.to_owned()),
            lease_duration_seconds: Some(40),
            renew_time: now,
            ..LeaseSpec::default()
        }),
    };
    // The namespace is there from the cluster's first second; without it there is nothing to keep.
    let _ = turn.create(lease);
}
