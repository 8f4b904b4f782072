//! Whole clusters, from a fixture's files to running pods.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what must hold")]

use std::collections::BTreeSet;

use api::{
    Kind, SimDuration,
    k8s::core::v1::{Event, Node, Pod, Service},
};
use cluster::{
    ApiRequest, ApiVerb, ClusterId, PatchKind, Principal, Propagation, Reply, Request, Scenario, World,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const HERE: ClusterId = ClusterId(1);

fn fixture(name: &str, seed: u64) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons/fixtures").join(name);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a fixture")
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    files.sort();
    World::new(&Scenario::read(&files).expect("a scenario"), seed).expect("a world")
}

fn ask(world: &mut World, kind: Kind, namespace: &str, name: &str, verb: ApiVerb) -> Result<Reply, String> {
    let request = ApiRequest::new(HERE, verb, kind, namespace, name);
    world.request(&Principal::admin(), Request::Api(request)).map_err(|refusal| refusal.to_string())
}

fn create(world: &mut World, kind: Kind, value: Value) {
    ask(world, kind, "default", "", ApiVerb::Create(value)).expect("a legal object");
}

fn deployment(name: &str, replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]}}}})
}

fn pods<'w>(world: &'w World, app: &'w str) -> impl Iterator<Item = &'w Pod> {
    world.store().list::<Pod>(HERE, Some("default")).filter(move |pod| {
        pod.metadata.labels.as_ref().and_then(|labels| labels.get("app")).is_some_and(|it| it == app)
    })
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

#[test]
fn three_pods_spread_over_three_zones_run_and_stand_behind_their_service() {
    let mut world = fixture("tri", 7);
    create(&mut world, Kind::Deployment, deployment("web", 3));
    create(
        &mut world,
        Kind::Service,
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    );
    world.settle(SimDuration::secs(300));
    let nodes: BTreeSet<&str> =
        pods(&world, "web").filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref()).collect();
    assert_eq!(nodes.len(), 3);
    let phases: Vec<&str> = pods(&world, "web").map(phase).collect();
    assert_eq!(phases, ["Running"; 3]);
    let ready = world
        .store()
        .objects(HERE, Kind::EndpointSlice, Some("default"))
        .filter(|(key, _)| key.name.starts_with("web-"))
        .map(|(_, slice)| slice.to_value()["endpoints"].as_array().map_or(0, Vec::len))
        .sum::<usize>();
    assert_eq!(ready, 3);
    let service = world.store().get::<Service>(HERE, "default", "web").unwrap();
    assert!(service.spec.as_ref().unwrap().cluster_ip.is_some());

    // The manifest declares no port: nginx listens on 80 all the same.
    let from = pods(&world, "web").next().and_then(|pod| pod.metadata.name.clone()).unwrap();
    let traced = cluster::path::trace(&mut world, HERE, &from, "svc/web:80", None).unwrap();
    assert!(traced.trace.reachable(), "{:?}", traced.trace.blockers);
    assert!(traced.trace.hops.iter().all(|hop| !hop.packet.dst.is_unspecified()), "{:?}", traced.trace.hops);
}

#[test]
fn the_events_of_a_pod_are_those_of_a_real_one() {
    let mut world = fixture("duo", 7);
    create(
        &mut world,
        Kind::Pod,
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}),
    );
    world.settle(SimDuration::secs(300));
    let reasons: Vec<&str> = world
        .store()
        .list::<Event>(HERE, Some("default"))
        .filter(|event| event.involved_object.name.as_deref() == Some("web"))
        .filter_map(|event| event.reason.as_deref())
        .collect();
    assert_eq!(reasons, ["Scheduled", "Pulling", "Pulled", "Created", "Started"]);
}

#[test]
fn daemons_come_to_every_node() {
    let world = fixture("tri", 7);
    let nodes = world.store().list::<Node>(HERE, None).count();
    let daemons = world
        .store()
        .list::<Pod>(HERE, Some("kube-system"))
        .filter(|pod| pod.metadata.name.as_deref().is_some_and(|name| name.starts_with("aws-node-")))
        .filter(|pod| phase(pod) == "Running")
        .count();
    assert_eq!(daemons, nodes);
}

#[derive(Clone, Debug)]
enum Ask {
    Deploy(u8, u8),
    Scale(u8, u8),
    Image(u8, u8),
    Pod(u8),
    Delete(u8, bool),
    Wait(u16),
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let one = prop_oneof![
        (0..3_u8, 0..6_u8).prop_map(|(a, n)| Ask::Deploy(a, n)),
        (0..3_u8, 0..9_u8).prop_map(|(a, n)| Ask::Scale(a, n)),
        (0..3_u8, 0..4_u8).prop_map(|(a, n)| Ask::Image(a, n)),
        (0..4_u8).prop_map(Ask::Pod),
        (0..3_u8, any::<bool>()).prop_map(|(a, pod)| Ask::Delete(a, pod)),
        (0..20_000_u16).prop_map(Ask::Wait),
    ];
    proptest::collection::vec(one, 1..14)
}

fn play(world: &mut World, asks: &[Ask]) {
    for ask_ in asks {
        // A refusal is an answer, too.
        let _ = match ask_ {
            Ask::Deploy(a, n) => {
                let verb = ApiVerb::Create(deployment(&format!("d{a}"), u32::from(*n)));
                ask(world, Kind::Deployment, "default", "", verb)
            }
            Ask::Scale(a, n) => {
                let verb = ApiVerb::Patch(PatchKind::Merge, json!({"spec": {"replicas": n}}));
                ask(world, Kind::Deployment, "default", &format!("d{a}"), verb)
            }
            Ask::Image(a, n) => {
                let containers = json!([{"name": "nginx", "image": format!("nginx:1.{n}")}]);
                let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
                ask(
                    world,
                    Kind::Deployment,
                    "default",
                    &format!("d{a}"),
                    ApiVerb::Patch(PatchKind::Merge, patch),
                )
            }
            Ask::Pod(a) => {
                let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{a}")},
                    "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "700m"}}}]}});
                ask(world, Kind::Pod, "default", "", ApiVerb::Create(pod))
            }
            Ask::Delete(a, pod) => {
                let verb = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
                let (kind, name) = if *pod { (Kind::Pod, "p") } else { (Kind::Deployment, "d") };
                ask(world, kind, "default", &format!("{name}{a}"), verb)
            }
            Ask::Wait(millis) => {
                let until = world.now() + SimDuration::millis(u64::from(*millis));
                world.run_until(until, cluster::Budget::COMMAND);
                continue;
            }
        };
    }
    world.settle(SimDuration::secs(600));
}

fn check(world: &World) {
    let mut addresses = BTreeSet::new();
    for node in world.store().list::<Node>(HERE, None) {
        let name = node.metadata.name.as_deref().unwrap_or_default();
        let limit =
            node.status.as_ref().and_then(|it| it.allocatable.as_ref()?.get("pods")?.0.parse::<usize>().ok());
        let here = world
            .store()
            .pods_on(HERE, name)
            .filter(|pod| !matches!(phase(pod), "Succeeded" | "Failed"))
            .count();
        assert!(here <= limit.unwrap_or(0), "{name} holds {here} of {limit:?}");
    }
    for pod in world.store().list::<Pod>(HERE, None) {
        let spec = pod.spec.as_ref().unwrap();
        let ip = pod.status.as_ref().and_then(|it| it.pod_ip.clone());
        if let Some(ip) = ip.filter(|_| spec.host_network != Some(true) && phase(pod) == "Running") {
            assert!(addresses.insert(ip.clone()), "{ip} twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_requests_ends_well_and_the_same_way_twice(asks in asks(), seed in 0..5_u64) {
        let start = fixture("duo", seed);
        let (mut one, mut other) = (start.clone(), start);
        play(&mut one, &asks);
        play(&mut other, &asks);
        prop_assert_eq!(one.digest(), other.digest());
        check(&one);
    }
}
