//! Which pods does a `NoExecute` taint drive out, and when?
//!
//! At once those that do not tolerate it, after the shortest of their `tolerationSeconds` the others.
//! Source: `pkg/controller/tainteviction/taint_eviction.go`.

use ::scheduler::taint;
use api::{
    ApiStatus, Kind, Resource, SimDuration, SimTime,
    k8s::core::v1::{Node, ObjectReference, Pod, PodCondition, Taint, Toleration},
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
                let (had, has) = (taints(&change.before), taints(&change.after));
                let are_some = |taints: &Option<Vec<Taint>>| taints.as_ref().is_some_and(|it| !it.is_empty());
                if (are_some(&had) || are_some(&has)) && had != has {
                    wake(change.key.clone());
                }
            }
            Kind::Pod => {
                let node = |pod: &Option<std::rc::Rc<api::Object>>| {
                    pod.as_deref().and_then(Pod::of).and_then(|pod| pod.spec.as_ref()?.node_name.clone())
                };
                let (had, has) = (node(&change.before), node(&change.after));
                if let Some(node) = had.clone().or(has.clone()).filter(|_| had.is_none() || has.is_none()) {
                    wake(Key::new(change.key.cluster, Kind::Node, "", &node));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if key.kind == Kind::Pod {
            return time_is_up(turn, key);
        }
        cancel(turn, &key.name);
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
    let stamp = turn.stamp();
    let observed_generation = pod.metadata.generation;
    turn.patch_status::<Pod>(&namespace, &name, |pod| {
        let all = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        all.retain(|condition| condition.type_ != "DisruptionTarget");
        all.push(PodCondition {
            type_: "DisruptionTarget".to_owned(),
            status: "True".to_owned(),
            reason: Some("DeletionByTaintManager".to_owned()),
            message: Some("Taint manager: deleting due to NoExecute taint".to_owned()),
            last_transition_time: Some(stamp),
            observed_generation,
            ..PodCondition::default()
        });
    })?;
    let key = turn.key(Kind::Pod, &namespace, &name);
    turn.delete(&key, None).map(drop)
}

/// Forgets whose time runs here though it need not: the pod is gone, or nothing drives it out any more.
fn cancel(turn: &mut Turn<'_>, node: &str) {
    for key in turn.expected(ActorId(NAME), Kind::Pod) {
        let runs = match turn.get::<Pod>(&key.namespace, &key.name) {
            None => false,
            Some(pod) if pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node) => {
                let taints = turn.get::<Node>("", node).map(no_execute).unwrap_or_default();
                !taints.is_empty() && matches!(patience(pod, &taints), Patience::Seconds(_))
            }
            Some(_) => true,
        };
        if !runs {
            turn.expect_no_more(ActorId(NAME), &key);
            let about = ObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(key.name.to_string()),
                namespace: Some(key.namespace.to_string()),
                ..ObjectReference::default()
            };
            let message = format!("Cancelling deletion of Pod {}/{}", key.namespace, key.name);
            turn.event_from(NAME, "", &about, EventType::Normal, "TaintManagerEviction", &message);
        }
    }
}
