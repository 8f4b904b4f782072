//! Which pods does a `NoExecute` taint drive out, and when?
//!
//! At once those that do not tolerate it, after the shortest of their `tolerationSeconds` the others.
//! Source: `pkg/controller/tainteviction/taint_eviction.go`.

use ::scheduler::taint;
use api::{
    ApiStatus, Kind, Resource, SimDuration, SimTime,
    k8s::core::v1::{Node, Pod, Taint, Toleration},
};

use super::sim_time;
use crate::{ActorId, Change, Controller, EventType, Key, Next, Store, Turn};

/// The controller.
pub(crate) struct TaintEviction;

const NAME: &str = "taint-eviction-controller";

impl Controller for TaintEviction {
    fn name(&self) -> &'static str {
        NAME
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Node => {
                let taints = |node: &Option<std::rc::Rc<api::Object>>| {
                    node.as_deref().and_then(Node::of).map(no_execute)
                };
                let now = taints(&change.after);
                if now.as_ref().is_some_and(|taints| !taints.is_empty()) && now != taints(&change.before) {
                    wake(change.key.clone());
                }
            }
            Kind::Pod => {
                let node = |pod: &Option<std::rc::Rc<api::Object>>| {
                    pod.as_deref().and_then(Pod::of).and_then(|pod| pod.spec.as_ref()?.node_name.clone())
                };
                if let Some(bound) = node(&change.after).filter(|_| node(&change.before).is_none()) {
                    wake(Key::new(change.key.cluster, Kind::Node, "", &bound));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if key.kind == Kind::Pod {
            return time_is_up(turn, key);
        }
        let Some(taints) =
            turn.get::<Node>("", &key.name).map(no_execute).filter(|taints| !taints.is_empty())
        else {
            return Ok(Next::Done);
        };
        let pods: Vec<Pod> = turn.store().pods_on(turn.cluster(), &key.name).cloned().collect();
        for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            match patience(pod, &taints) {
                Patience::None => evict(turn, pod)?,
                Patience::Seconds(seconds) => {
                    let name = pod.metadata.name.as_deref().unwrap_or_default();
                    let key =
                        turn.key(Kind::Pod, pod.metadata.namespace.as_deref().unwrap_or_default(), name);
                    turn.remind(ActorId(NAME), key, SimDuration::secs(seconds));
                }
                Patience::Endless => {}
            }
        }
        Ok(Next::Done)
    }
}

fn time_is_up(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let Some(pod) = turn.get::<Pod>(&key.namespace, &key.name).cloned() else { return Ok(Next::Done) };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    let taints = turn.get::<Node>("", node).map(no_execute).unwrap_or_default();
    if taints.is_empty() || pod.metadata.deletion_timestamp.is_some() {
        return Ok(Next::Done);
    }
    match patience(&pod, &taints) {
        Patience::None => evict(turn, &pod)?,
        Patience::Seconds(seconds) => {
            // The taint may have gone and come back since this was noted.
            let added = taints
                .iter()
                .filter_map(|it| it.time_added.as_ref())
                .map(|it| sim_time(turn.world(), it))
                .max();
            let due = added.unwrap_or(SimTime::ZERO) + SimDuration::secs(seconds);
            if due > turn.now() {
                return Ok(Next::Every(due.since(turn.now())));
            }
            evict(turn, &pod)?;
        }
        Patience::Endless => {}
    }
    Ok(Next::Done)
}

enum Patience {
    None,
    Seconds(u64),
    Endless,
}

fn no_execute(node: &Node) -> Vec<Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    taints.into_iter().flatten().filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

/// How long a pod bears all of these taints.
fn patience(pod: &Pod, taints: &[Taint]) -> Patience {
    let tolerations: &[Toleration] =
        pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
    let mut seconds: Option<i64> = None;
    for taint in taints.iter().filter_map(taint::Taint::of) {
        let used =
            tolerations.iter().find(|it| taint::Toleration::of(it).is_some_and(|it| it.tolerates(&taint)));
        let Some(used) = used else { return Patience::None };
        if let Some(bears) = used.toleration_seconds {
            seconds = Some(seconds.map_or(bears, |has| has.min(bears)));
        }
    }
    match seconds {
        None => Patience::Endless,
        Some(seconds) if seconds <= 0 => Patience::None,
        Some(seconds) => Patience::Seconds(seconds.unsigned_abs()),
    }
}

fn evict(turn: &mut Turn<'_>, pod: &Pod) -> Result<(), ApiStatus> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let name = pod.metadata.name.clone().unwrap_or_default();
    let message = format!("Marking for deletion Pod {namespace}/{name}");
    turn.event(&pod.clone().into_object(), EventType::Normal, "TaintManagerEviction", &message);
    let key = turn.key(Kind::Pod, &namespace, &name);
    turn.delete(&key, None).map(drop)
}
