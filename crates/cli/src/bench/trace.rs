//! How many paths can be followed in a second?
//!
//! Every pod of a cluster asks every other, as the matrix of who reaches whom does: on its node and across nodes, with security
//! groups, a NetworkPolicy that selects all, and routes.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use api::SimDuration;
use cluster::{ApiRequest, ApiVerb, ClusterId, Principal, Request, Scenario, World};
use network::{Network, matrix};
use serde_json::json;

use super::settle::config;
use crate::say;

const HERE: ClusterId = ClusterId(1);
const NODES: u32 = 9;
const PODS: u32 = 200;

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run() {
    let Some(network) = network() else { return };
    let names: Vec<String> =
        network.pods.iter().filter(|it| it.ns == "default").map(network::network::Pod::id).collect();
    let start = Instant::now();
    let reached = matrix::pods(&network, &names, 80, "TCP");
    let seconds = start.elapsed().as_secs_f64();
    let traces = u32::try_from(names.len() * names.len()).unwrap_or(u32::MAX);
    let through = reached.iter().flatten().filter(|it| **it).count();
    say::line(format_args!("trace/{PODS}-pods/reached {through} of {traces}"));
    say::line(format_args!("trace/{PODS}-pods/matrix {:.0} traces/s", f64::from(traces) / seconds));
}

fn network() -> Option<Network> {
    let files = [("cluster.yaml".to_owned(), config(NODES))];
    let mut world = World::new(&Scenario::read(&files).ok()?, 1).ok()?;
    let web = json!({"metadata": {"name": "web"}, "spec": {"replicas": PODS, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
            "name": "web", "image": "registry.k8s.io/pause:3.10", "ports": [{"containerPort": 80}]}]}}}});
    let policy = json!({"metadata": {"name": "web"}, "spec": {"podSelector": {},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": 80}]}]}});
    for (kind, object) in [(api::Kind::Deployment, web), (api::Kind::NetworkPolicy, policy)] {
        let asked = ApiRequest::new(HERE, ApiVerb::Create(object), kind, "default", "");
        world.request(&Principal::admin(), Request::Api(asked)).ok()?;
    }
    world.settle(SimDuration::secs(1_800));
    let mut network = cluster::network::of(&world, HERE);
    network.cni.network_policy = true;
    Some(network)
}
