//! When does a kind node have a network?
//!
//! As soon as its kindnet pod runs: it writes the CNI configuration. Source: kind, `images/kindnetd`.

use api::{
    ApiStatus, Kind, Resource,
    k8s::core::v1::Pod,
    kinds::sim::{ContainerStep, Machine, Sandbox},
};

use crate::{Change, Controller, Key, Next, Store, Turn, parts::Process};

/// Writes the CNI configuration of kind nodes.
pub struct Kindnet;

impl Controller for Kindnet {
    fn name(&self) -> &'static str {
        "kindnet"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let pod = change.after.as_deref().and_then(Pod::of).filter(|pod| is_kindnet(pod));
        if let Some(node) = pod.and_then(|pod| pod.spec.as_ref()?.node_name.as_deref()) {
            wake(Key::new(change.key.cluster, Kind::Machine, "", node));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let running = |pod: &Pod| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let sandbox = turn.get::<Sandbox>(&text(&pod.metadata.namespace), &text(&pod.metadata.name));
            sandbox.is_some_and(|s| s.containers.iter().any(|work| work.step == ContainerStep::Running))
        };
        let runs = turn.store().pods_on(turn.cluster(), &key.name).any(|pod| is_kindnet(pod) && running(pod));
        if let Some(mut machine) =
            turn.get::<Machine>("", &key.name).filter(|m| runs && !m.network_ready).cloned()
        {
            machine.network_ready = true;
            turn.put(machine.into_object());
        }
        Ok(Next::Done)
    }
}

fn is_kindnet(pod: &Pod) -> bool {
    pod.metadata.labels.as_ref().and_then(|l| l.get("app")).is_some_and(|app| app == "kindnet")
}
