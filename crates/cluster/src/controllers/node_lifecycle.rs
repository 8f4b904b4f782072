//! Does this node still speak, and what do its conditions mean for pods?
//!
//! A kubelet that has been silent for the grace period makes its node `Unknown`; conditions become taints, and pods of
//! a node that is not ready are not ready. Heartbeats are not written one by one: while a machine's kubelet runs, its
//! node speaks; once it stops, the last renewal of its lease counts.
//! Source: `pkg/controller/nodelifecycle/node_lifecycle_controller.go`.

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration, SimTime,
    k8s::{
        coordination::v1::Lease,
        core::v1::{Event, Node, NodeCondition, ObjectReference, Pod, Taint},
    },
    kinds::sim::{ControlPlane, Machine},
};

use super::ready_since;
use crate::{Change, ClusterId, Controller, EventType, Key, Next, Store, Turn, apiserver, parts, timing};

const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";
/// From one look at all nodes to the next (`--node-monitor-period`).
const MONITOR: SimDuration = SimDuration::secs(5);
/// On a `sim/ControlPlane`: the grace period in seconds, where it is not the default.
const GRACE: &str = "podpath/node-monitor-grace-period-seconds";

/// Conditions other than Ready that keep pods away while they hold.
const PRESSURES: [(&str, &str); 4] = [
    ("MemoryPressure", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "node.kubernetes.io/disk-pressure"),
    ("NetworkUnavailable", "node.kubernetes.io/network-unavailable"),
    ("PIDPressure", "node.kubernetes.io/pid-pressure"),
];

/// The controller.
pub(crate) struct NodeLifecycle;

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let key = Key::new(change.key.cluster, Kind::Node, "", &change.key.name);
        match change.key.kind {
            Kind::Node => {
                wake(key);
                // How many nodes are ready decides on the taints of those that are not.
                let is_ready = |node: &Option<std::rc::Rc<Object>>| {
                    node.as_deref().and_then(Node::of).is_some_and(|node| ready(node) == "True")
                };
                if is_ready(&change.before) != is_ready(&change.after) {
                    let all = store.list::<Node>(change.key.cluster, None);
                    for node in all.filter(|node| !matches!(ready(node), "" | "True")) {
                        let name = node.metadata.name.as_deref().unwrap_or_default();
                        wake(Key::new(change.key.cluster, Kind::Node, "", name));
                    }
                }
            }
            Kind::Machine if change.after.is_some() && store.object(&key).is_some() => wake(key),
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let held = turn.store().object(&turn.key(Kind::Node, "", &key.name)).cloned();
        let Some(node) = held.as_deref().and_then(Node::of) else {
            match key.kind {
                Kind::Node => {
                    // It looks around every five seconds, and remembers whom it knew by their leases.
                    let known = turn.key(Kind::Lease, "kube-node-lease", &key.name);
                    turn.remind(turn.actor(), known, MONITOR);
                }
                _ => farewell(turn, &key.name),
            }
            return Ok(Next::Done);
        };
        if key.kind != Kind::Node {
            return Ok(Next::Done);
        }
        greet(turn, node);
        let mut next = Next::Done;
        if let Some(due) = silent_until(turn, &key.name) {
            if due > turn.now() {
                // Silence is not work: the world goes on meanwhile.
                next = Next::Every(due.since(turn.now()));
            } else if ready(node) != "Unknown" {
                give_up(turn, node)?;
            }
        }
        let held = turn.store().object(key).cloned();
        let Some(node) = held.as_deref().and_then(Node::of) else { return Ok(Next::Done) };
        if let Some(wait) = taint(turn, node)? {
            next = Next::After(wait);
        }
        if ready(node) != "True" {
            mark_pods(turn, node)?;
        }
        Ok(next)
    }
}

fn conditions(node: &Node) -> impl Iterator<Item = &NodeCondition> {
    node.status.iter().filter_map(|status| status.conditions.as_ref()).flatten()
}

/// `True`, `False` or `Unknown`; empty before the kubelet has said anything.
fn ready(node: &Node) -> &str {
    conditions(node).find(|it| it.type_ == "Ready").map_or("", |it| it.status.as_str())
}

fn greet(turn: &mut Turn<'_>, node: &Node) {
    let uid = node.metadata.uid.as_deref().unwrap_or_default();
    let greeted = turn
        .store()
        .events_about(turn.cluster(), uid)
        .filter_map(|(_, event)| Event::of(event))
        .any(|event| event.reason.as_deref() == Some("RegisteredNode"));
    if greeted {
        return;
    }
    let created = node.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
    if created.is_none_or(|created| turn.stamp().0.as_second() - created > 5) {
        return;
    }
    let name = node.metadata.name.clone().unwrap_or_default();
    let message = format!("Node {name} event: Registered Node {name} in Controller");
    turn.event(&node.clone().into_object(), EventType::Normal, "RegisteredNode", &message);
}

/// Says that a node is gone. MODEL: without its uid, which nobody remembers.
fn farewell(turn: &mut Turn<'_>, name: &str) {
    let about = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Node".to_owned()),
        name: Some(name.to_owned()),
        ..ObjectReference::default()
    };
    let message = format!("Node {name} event: Removing Node {name} from Controller");
    turn.event_from("node-controller", "", &about, EventType::Normal, "RemovingNode", &message);
}

/// When the node's silence is taken for an answer; `None` while its kubelet runs.
fn silent_until(turn: &Turn<'_>, node: &str) -> Option<SimTime> {
    turn.get::<Machine>("", node).filter(|machine| !machine.kubelet_running)?;
    let lease = turn.get::<Lease>("kube-node-lease", node);
    let renewed = lease.and_then(|lease| lease.spec.as_ref()?.renew_time.as_ref());
    let last = renewed.map_or(SimTime::ZERO, |renewed| {
        let millis = renewed.0.as_millisecond() - turn.world().epoch().as_millisecond();
        SimTime(u64::try_from(millis).unwrap_or(0))
    });
    // To a controller that was started anew the silence begins with its own first look.
    Some(last.max(parts::controllers_since(turn.store(), turn.cluster())) + grace(turn))
}

fn grace(turn: &Turn<'_>) -> SimDuration {
    let plane =
        turn.store().list::<ControlPlane>(ClusterId::WORLD, None).find(|it| it.id == turn.cluster().0);
    let seconds = plane.and_then(|plane| plane.metadata.annotations.as_ref()?.get(GRACE)?.parse().ok());
    seconds.map_or(timing::NODE_MONITOR_GRACE, SimDuration::secs)
}

fn give_up(turn: &mut Turn<'_>, node: &Node) -> Result<(), ApiStatus> {
    let name = node.metadata.name.clone().unwrap_or_default();
    let stamp = turn.stamp();
    turn.patch_status::<Node>("", &name, |node| {
        let all = node.status.get_or_insert_default().conditions.get_or_insert_default();
        for condition in all.iter_mut() {
            "Unknown".clone_into(&mut condition.status);
            condition.reason = Some("NodeStatusUnknown".to_owned());
            condition.message = Some("Kubelet stopped posting node status.".to_owned());
            condition.last_transition_time = Some(stamp.clone());
        }
    })?;
    let message = format!("Node {name} status is now: NodeNotReady");
    turn.event(&node.clone().into_object(), EventType::Normal, "NodeNotReady", &message);
    Ok(())
}

/// Makes taints of conditions and of `kubectl cordon`; those of others stay. How long one still has to wait, if one does.
fn taint(turn: &mut Turn<'_>, node: &Node) -> Result<Option<SimDuration>, ApiStatus> {
    let had = node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    let of_ready = match ready(node) {
        "True" => None,
        "Unknown" => Some(UNREACHABLE),
        _ => Some(NOT_READY),
    };
    wanted.extend(of_ready.map(|key| (key, "NoSchedule")));
    for (type_, key) in PRESSURES {
        if conditions(node).any(|it| it.type_ == type_ && it.status == "True") {
            wanted.push((key, "NoSchedule"));
        }
    }
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        wanted.push((UNSCHEDULABLE, "NoSchedule"));
    }
    // UPSTREAM: when no node is ready the trouble is taken to be the control plane's own, and nobody is driven out.
    let is_any_ready = || turn.list::<Node>(None).any(|node| ready(node) == "True");
    // Before the kubelet has reported once there is nothing to drive out.
    let mut wait = None;
    if let Some(key) = of_ready.filter(|_| !ready(node).is_empty() && is_any_ready()) {
        let is_tainted = had.iter().any(drives_out);
        match if is_tainted { Pace::Now } else { pace(turn, node) } {
            Pace::Now => wanted.push((key, "NoExecute")),
            Pace::After(rest) => wait = Some(rest),
            Pace::Never => {}
        }
    }
    let ours = |taint: &Taint| match taint.effect.as_str() {
        "NoSchedule" => {
            [NOT_READY, UNREACHABLE, UNSCHEDULABLE].contains(&taint.key.as_str())
                || PRESSURES.iter().any(|(_, key)| *key == taint.key)
        }
        "NoExecute" => drives_out(taint),
        _ => false,
    };
    let is = |taint: &Taint, (key, effect): (&str, &str)| taint.key == key && taint.effect == effect;
    let mut taints: Vec<Taint> =
        had.iter().filter(|taint| !ours(taint) || wanted.iter().any(|it| is(taint, *it))).cloned().collect();
    for (key, effect) in wanted {
        if !taints.iter().any(|taint| is(taint, (key, effect))) {
            let time_added = Some(turn.stamp());
            taints.push(Taint { key: key.to_owned(), effect: effect.to_owned(), value: None, time_added });
        }
    }
    if taints != had {
        let name = node.metadata.name.clone().unwrap_or_default();
        turn.patch::<Node>("", &name, |node| {
            node.spec.get_or_insert_default().taints = (!taints.is_empty()).then_some(taints);
        })?;
    }
    Ok(wait)
}

fn drives_out(taint: &Taint) -> bool {
    taint.effect == "NoExecute" && [NOT_READY, UNREACHABLE].contains(&taint.key.as_str())
}

/// When pods may be driven from one more node of a zone.
enum Pace {
    Now,
    After(SimDuration),
    /// Not while so many nodes of the zone are not ready.
    Never,
}

/// One node of a zone every ten seconds, and fewer or none while most of the zone's nodes are not ready: then the trouble is
/// rather the zone's than theirs. A zone without any ready node goes at the usual pace.
/// Source: `handleDisruption`, `ComputeZoneState` (three nodes at least, 55 %), `ReducedQPSFunc`; `--node-eviction-rate` 0.1,
/// `--secondary-node-eviction-rate` 0.01 in zones of more than `--large-cluster-size-threshold` 50 nodes, none in smaller ones.
/// MODEL: the last node of a zone counts by its taint; one that has gone or come back since is forgotten.
fn pace(turn: &Turn<'_>, node: &Node) -> Pace {
    fn zone(node: &Node) -> [Option<&String>; 2] {
        let label = |key: &str| node.metadata.labels.as_ref()?.get(key);
        ["topology.kubernetes.io/region", "topology.kubernetes.io/zone"].map(label)
    }
    let own = zone(node);
    let (mut up, mut down, mut last) = (0_usize, 0_usize, None);
    for it in turn.list::<Node>(None).filter(|it| zone(it) == own) {
        if ready(it) == "True" {
            up += 1;
        } else {
            down += 1;
        }
        let taints = it.spec.iter().filter_map(|spec| spec.taints.as_ref()).flatten();
        let added =
            taints.filter(|it| drives_out(it)).filter_map(|it| it.time_added.as_ref()).map(|it| it.0).max();
        last = last.max(added);
    }
    let partly = up > 0 && down > 2 && down * 100 >= (up + down) * 55;
    let every = match (partly, up + down > 50) {
        (false, _) => SimDuration::secs(10),
        (true, true) => SimDuration::secs(100),
        (true, false) => return Pace::Never,
    };
    let Some(last) = last else { return Pace::Now };
    let passed = turn.stamp().0.as_second() - last.as_second();
    let passed = SimDuration::secs(u64::try_from(passed).unwrap_or(0));
    if passed >= every { Pace::Now } else { Pace::After(SimDuration(every.0 - passed.0)) }
}

/// What was ready before the node ceased to be is ready no more. Pods that start on a node which was never ready (those
/// that make it ready) are left alone.
fn mark_pods(turn: &mut Turn<'_>, node: &Node) -> Result<(), ApiStatus> {
    let name = node.metadata.name.clone().unwrap_or_default();
    let since =
        conditions(node).find(|it| it.type_ == "Ready").and_then(|it| it.last_transition_time.clone());
    let before = |pod: &Pod| match (ready_since(pod), &since) {
        (Some(pod), Some(node)) => pod.0 <= node.0,
        (Some(_), None) | (None, _) => false,
    };
    let pods: Vec<Pod> =
        turn.store().pods_on(turn.cluster(), &name).filter(|pod| before(pod)).cloned().collect();
    let stamp = turn.stamp();
    for pod in pods {
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let name = pod.metadata.name.clone().unwrap_or_default();
        turn.patch_status::<Pod>(&namespace, &name, |pod| {
            let all = pod.status.get_or_insert_default().conditions.get_or_insert_default();
            for ready in all.iter_mut().filter(|it| it.type_ == "Ready") {
                "False".clone_into(&mut ready.status);
                ready.last_transition_time = Some(stamp.clone());
            }
        })?;
        let about = apiserver::reference(&pod.into_object());
        turn.event_from(
            "node-controller",
            "",
            &about,
            EventType::Warning,
            "NodeNotReady",
            "Node is not ready",
        );
    }
    Ok(())
}
