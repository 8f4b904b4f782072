//! Which pods has everybody forgotten?
//!
//! Pods bound to a node that is no more, after the node has been gone for a while. Source:
//! `pkg/controller/podgc/gc_controller.go` (every 20 s; a quarantine of 40 s).

use api::{
    ApiStatus, Kind, SimDuration,
    k8s::core::v1::{Node, Pod, PodCondition},
};

use super::phase;
use crate::{Change, Controller, Key, Next, Store, Turn};

/// How long a node has to be gone before its pods are.
const QUARANTINE: SimDuration = SimDuration::secs(40);

/// The controller.
pub(crate) struct PodGc;

impl Controller for PodGc {
    fn name(&self) -> &'static str {
        "pod-garbage-collector-controller"
    }

    fn reaction(&self) -> SimDuration {
        QUARANTINE
    }

    fn is_awaited(&self) -> bool {
        false
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Node if change.after.is_none() => wake(change.key.clone()),
            Kind::Pod if change.before.is_none() => {
                let pod = change.after.as_ref().and_then(|pod| pod.get::<Pod>());
                let node = pod.and_then(|pod| pod.spec.as_ref()?.node_name.as_deref()).unwrap_or_default();
                if !node.is_empty() && store.get::<Node>(change.key.cluster, "", node).is_none() {
                    wake(Key::new(change.key.cluster, Kind::Node, "", node));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if turn.get::<Node>("", &key.name).is_some() {
            return Ok(Next::Done);
        }
        let pods: Vec<Pod> = turn.store().pods_on(turn.cluster(), &key.name).cloned().collect();
        let stamp = turn.stamp();
        for pod in pods {
            let namespace = pod.metadata.namespace.clone().unwrap_or_default();
            let name = pod.metadata.name.clone().unwrap_or_default();
            if !matches!(phase(&pod), "Succeeded" | "Failed") {
                let observed_generation = pod.metadata.generation;
                turn.patch_status::<Pod>(&namespace, &name, |pod| {
                    let status = pod.status.get_or_insert_default();
                    status.phase = Some("Failed".to_owned());
                    let conditions = status.conditions.get_or_insert_default();
                    conditions.retain(|condition| condition.type_ != "DisruptionTarget");
                    conditions.push(PodCondition {
                        type_: "DisruptionTarget".to_owned(),
                        status: "True".to_owned(),
                        reason: Some("DeletionByPodGC".to_owned()),
                        message: Some("PodGC: node no longer exists".to_owned()),
                        last_transition_time: Some(stamp.clone()),
                        observed_generation,
                        ..PodCondition::default()
                    });
                })?;
            }
            let key = turn.key(Kind::Pod, &namespace, &name);
            turn.delete(&key, Some(0))?;
        }
        Ok(Next::Done)
    }
}
