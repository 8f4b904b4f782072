//! How long does a large cluster take to come to rest?
//!
//! An EKS cluster of 1,000 nodes gets a Deployment of 30,000 pods, and everything that follows happens: pods are made, placed,
//! given addresses, started, and become endpoints. Simulated time does not count; the time of this machine does.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use api::{Kind, SimDuration, k8s::core::v1::Pod};
use cluster::{ApiRequest, ApiVerb, ClusterId, Principal, Request, Scenario, World};
use serde_json::json;

use crate::say;

/// Nodes and pods: a tenth of the goal, and the goal.
const SIZES: [(u32, u32); 2] = [(100, 3_000), (1_000, 30_000)];
const HERE: ClusterId = ClusterId(1);
/// Nothing takes longer.
const LIMIT: SimDuration = SimDuration::secs(6 * 3_600);

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run() {
    for (nodes, pods) in SIZES {
        let files = [("cluster.yaml".to_owned(), config(nodes))];
        let start = Instant::now();
        let world = Scenario::read(&files).and_then(|scenario| World::new(&scenario, 1));
        let Ok(mut world) = world else { continue };
        say::line(format_args!("settle/{nodes}/nodes {:.2} s", start.elapsed().as_secs_f64()));
        let web = json!({"metadata": {"name": "web"}, "spec": {"replicas": pods,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
                "name": "web", "image": "registry.k8s.io/pause:3.10",
                "resources": {"requests": {"cpu": "20m", "memory": "16Mi"}}}]}}}});
        let (began, steps) = (world.now(), world.steps());
        let start = Instant::now();
        let verb = ApiVerb::Create(web);
        let asked = ApiRequest::new(HERE, verb, Kind::Deployment, "default", "");
        if world.request(&Principal::admin(), Request::Api(asked)).is_err() {
            continue;
        }
        while running(&world) < pods && world.now().since(began) < LIMIT && !world.is_exhausted() {
            let before = world.steps();
            world.settle(SimDuration::secs(300));
            if world.steps() == before {
                break;
            }
        }
        say::line(format_args!("settle/{nodes}/pods {:.2} s", start.elapsed().as_secs_f64()));
        say::line(format_args!("settle/{nodes}/running {} pods", running(&world)));
        say::line(format_args!("settle/{nodes}/simulated {} s", world.now().since(began).as_secs()));
        say::line(format_args!("settle/{nodes}/steps {}", world.steps() - steps));
    }
}

fn running(world: &World) -> u32 {
    let pods = world.store().list::<Pod>(HERE, Some("default"));
    let runs = |pod: &&Pod| pod.status.as_ref().and_then(|it| it.phase.as_deref()) == Some("Running");
    u32::try_from(pods.filter(runs).count()).unwrap_or(u32::MAX)
}

/// Three zones with a /18 of addresses each.
pub(super) fn config(nodes: u32) -> String {
    let group = |zone: &str, nodes: u32| {
        format!(
            "  - {{name: group-{zone}, instanceType: m5.xlarge, desiredCapacity: {nodes}, minSize: 0, maxSize: {nodes}, \
             privateNetworking: true, subnets: [private-{zone}]}}\n"
        )
    };
    let third = nodes / 3;
    format!(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: large, region: ap-northeast-2, version: '1.34'}}\n\
         vpc:\n  cidr: 10.0.0.0/16\n  nat: {{gateway: Single}}\n  subnets:\n    public:\n      \
         public-a: {{az: ap-northeast-2a, cidr: 10.0.192.0/24}}\n      public-b: {{az: ap-northeast-2b, cidr: 10.0.193.0/24}}\n      \
         public-c: {{az: ap-northeast-2c, cidr: 10.0.194.0/24}}\n    private:\n      \
         private-a: {{az: ap-northeast-2a, cidr: 10.0.0.0/18}}\n      private-b: {{az: ap-northeast-2b, cidr: 10.0.64.0/18}}\n      \
         private-c: {{az: ap-northeast-2c, cidr: 10.0.128.0/18}}\n\
         addons: [{{name: vpc-cni}}, {{name: kube-proxy}}, {{name: coredns}}]\nmanagedNodeGroups:\n{}{}{}",
        group("a", third),
        group("b", third),
        group("c", nodes - 2 * third)
    )
}
