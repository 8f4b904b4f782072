//! Who plays a node that is only a manifest?
//!
//! In a kwok cluster every Node that appears gets a machine without hardware: it is ready at once, offers what its
//! status says and runs what is bound to it. Its pods get addresses of a block of the node's own.
//! Source: kwok v0.7, `kustomize/stage/node/fast`. MODEL: kwok's pods run at once; ours pull and start as anywhere else.

use std::collections::BTreeSet;

use api::{
    ApiStatus, Kind, Resource,
    k8s::core::v1::{Node, NodeAddress},
    kinds::sim::{ControlPlane, Machine, Provider},
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;

use super::{internal_ip, report};
use crate::{Change, ClusterId, Controller, Key, Next, Store, Turn, parts::Process};

/// Plays the nodes of kwok clusters.
pub struct Kwok;

impl Controller for Kwok {
    fn name(&self) -> &'static str {
        "kwok-controller"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let comes_or_goes = change.before.is_none() || change.after.is_none();
        if change.key.kind == Kind::Node && comes_or_goes && block(store, change.key.cluster).is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let machine = turn.get::<Machine>("", &key.name).is_some();
        match (turn.get::<Node>("", &key.name).is_some(), machine) {
            (true, false) => play(turn, &key.name)?,
            (false, true) => {
                let key = turn.key(Kind::Machine, "", &key.name);
                turn.remove(&key);
            }
            (true, true) | (false, false) => {}
        }
        Ok(Next::Done)
    }
}

/// The addresses of all pods of a kwok cluster.
pub(super) fn block(store: &Store, cluster: ClusterId) -> Option<Ipv4Net> {
    let mut planes = store.list::<ControlPlane>(ClusterId::WORLD, None);
    planes.find(|it| it.id == cluster.0 && it.provider == Provider::Kwok).and_then(|it| it.pod_cidr)
}

fn play(turn: &mut Turn<'_>, name: &str) -> Result<(), ApiStatus> {
    let taken: BTreeSet<Ipv4Net> =
        turn.list::<Machine>(None).filter_map(|machine| machine.pod_cidr).collect();
    let all = block(turn.store(), turn.cluster()).and_then(|all| all.subnets(24).ok());
    let Some(pods) = all.and_then(|mut all| all.find(|it| !taken.contains(it))) else { return Ok(()) };
    let stamp = turn.stamp();
    turn.patch_status::<Node>("", name, |node| {
        if internal_ip(node).is_none() {
            let address = pods.hosts().next().map(|ip| ip.to_string()).unwrap_or_default();
            let address = NodeAddress { type_: "InternalIP".to_owned(), address };
            node.status.get_or_insert_default().addresses.get_or_insert_default().push(address);
        }
        report::set_conditions(node, &report::pressures(), &stamp);
        report::set_conditions(node, &[report::ready(true)], &stamp);
    })?;
    let machine = Machine {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        kubelet_running: true,
        network_ready: true,
        pod_cidr: Some(pods),
        started_at: turn.now(),
        ..Machine::default()
    };
    turn.put(machine.into_object());
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::SimDuration;
    use serde_json::json;

    use super::*;
    use crate::{Scenario, World};

    const FILE: &str = "apiVersion: config.kwok.x-k8s.io/v1alpha1\nkind: KwokctlConfiguration\n\
        options: {kubeVersion: v1.34.1}\n";
    const HERE: ClusterId = ClusterId(1);

    fn world(manifests: &str) -> World {
        let file = ("cluster.yaml".to_owned(), format!("{FILE}---\n{manifests}"));
        World::new(&Scenario::read(&[file]).expect("a scenario"), 1).expect("a world")
    }

    #[test]
    fn a_node_that_is_applied_is_ready_and_offers_what_it_says() {
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"},
            "status": {"allocatable": {"cpu": "1930m", "pods": "4"}}});
        let mut world = world(&node.to_string());
        let node = world.store().get::<Node>(HERE, "", "a").expect("the node").clone();
        let offered = node.status.clone().and_then(|it| it.allocatable).unwrap_or_default();
        assert_eq!((report::is_ready(&node), offered["pods"].0.as_str()), (true, "4"));
        world.settle(SimDuration::secs(600));
        let node = world.store().get::<Node>(HERE, "", "a").expect("the node");
        assert!(report::is_ready(node), "it goes on speaking");
        assert_eq!(node.spec.clone().and_then(|spec| spec.taints), None);
    }

    #[test]
    fn there_is_room_for_a_large_cluster() {
        let nodes: Vec<String> = (0..300)
            .map(|n| {
                json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": format!("n{n}")}}).to_string()
            })
            .collect();
        let world = world(&nodes.join("\n---\n"));
        assert_eq!(world.store().list::<Node>(HERE, None).filter(|it| report::is_ready(it)).count(), 300);
    }
}
