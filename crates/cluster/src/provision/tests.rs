//! Worlds of the fixtures, as their tools would make them.

use api::{
    SimDuration,
    k8s::core::v1::{Node, Pod},
    kinds::{aws::Subnet, cni::IpPool},
};

use crate::{ClusterId, Scenario, World, cloud::subnet, node::report};

/// A fixture's world.
pub(crate) fn fixture(name: &str) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons/fixtures").join(name);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a fixture")
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    files.sort();
    World::new(&Scenario::read(&files).expect("a scenario"), 7).expect("a world")
}

const HERE: ClusterId = ClusterId(1);

fn show(world: &World) {
    eprintln!("t={:?} facts={}", world.now(), world.facts().len());
    for node in world.store().list::<Node>(HERE, None) {
        let taints = node.spec.as_ref().and_then(|s| s.taints.clone()).unwrap_or_default();
        eprintln!("node {:?} ready={} {:?}", node.metadata.name, report::is_ready(node), taints.iter().map(|t| t.key.clone()).collect::<Vec<_>>());
    }
    for pod in world.store().list::<Pod>(HERE, None) {
        let status = pod.status.clone().unwrap_or_default();
        eprintln!("pod {:?} {:?} {:?} {:?} ready={:?}", pod.metadata.name, status.phase, pod.spec.as_ref().and_then(|s| s.node_name.clone()), status.pod_ip,
          status.container_statuses.unwrap_or_default().iter().map(|c| c.ready).collect::<Vec<_>>());
    }
    for pool in world.store().list::<IpPool>(HERE, None) {
        eprintln!("pool {:?}", cni::figures(pool, cni::COOLDOWN, world.now()));
    }
    for s in world.store().list::<Subnet>(ClusterId::WORLD, None) {
        eprintln!("subnet {:?} free {}", s.metadata.name, subnet::free(world.store(), s));
    }
}

#[test]
fn a_kind_cluster_gets_ready() {
    let world = fixture("kind1");
    show(&world);
}

#[test]
fn tiny_gets_ready() {
    let mut world = fixture("tiny");
    show(&world);
    world.settle(SimDuration::secs(600));
}
