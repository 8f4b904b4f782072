//! Worlds of the fixtures, as their tools would make them, and what lessons do in them.

use api::{
    Kind, Resource, SimDuration,
    k8s::core::v1::{Event, Node, Pod},
    kinds::{cni::IpPool, eks::Nodegroup, eksctl::NodeGroup, kind_config},
};
use cni::{PoolFigures, PoolMode};
use serde_json::json;

use crate::{
    ApiRequest, ApiVerb, ClusterId, Principal, Provision, Request, Scenario, World, check, node::report,
};

const HERE: ClusterId = ClusterId(1);

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

pub(super) fn settle(world: &mut World) {
    world.settle(SimDuration::secs(900));
    assert_eq!(check::broken(world), Vec::<String>::new());
}

pub(super) fn ask(world: &mut World, what: Provision) -> Result<(), String> {
    world.request(&Principal::admin(), Request::Provision(what)).map(|_| ()).map_err(|no| no.to_string())
}

pub(super) fn deploy(world: &mut World, replicas: u32) {
    let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
                "name": "web", "image": "registry.k8s.io/pause:3.10",
                "resources": {"requests": {"cpu": "100m", "memory": "32Mi"}}}]}}}});
    super::lay::apply(world, &manifest).expect("a Deployment");
    settle(world);
}

fn running(world: &World, node: Option<&str>) -> usize {
    let pods = world.store().list::<Pod>(HERE, Some("default"));
    let fits = |pod: &&Pod| {
        let on = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
        phase == Some("Running")
            && (node.is_none() || on == node)
            && pod.metadata.deletion_timestamp.is_none()
    };
    pods.filter(fits).count()
}

fn pool(world: &World, node: &str) -> PoolFigures {
    let pool = world.store().get::<IpPool>(HERE, "", node).expect("a pool");
    cni::figures(pool, pool.cooldown, world.now())
}

pub(super) fn nodes(world: &World) -> Vec<String> {
    world
        .store()
        .list::<Node>(HERE, None)
        .map(|node| node.metadata.name.clone().unwrap_or_default())
        .collect()
}

fn said(world: &World, reason: &str) -> bool {
    let events = world.store().list::<Event>(HERE, None);
    events.into_iter().any(|event| event.reason.as_deref() == Some(reason))
}

fn worker_group(name: &str, instance_type: &str, max_pods: Option<u32>) -> Provision {
    let group = NodeGroup {
        name: name.to_owned(),
        instance_type: Some(instance_type.to_owned()),
        desired_capacity: Some(1),
        max_pods_per_node: max_pods,
        labels: [("podpath/role".to_owned(), "worker".to_owned())].into(),
        ..NodeGroup::default()
    };
    Provision::CreateNodegroup {
        cluster: "podpath".to_owned(),
        group: Box::new(group),
        care: api::kinds::eks::Care::Managed,
        mapped: true,
    }
}

fn addon(settings: &str) -> Provision {
    Provision::UpdateAddon {
        cluster: "podpath".to_owned(),
        name: "vpc-cni".to_owned(),
        configuration_values: settings.to_owned(),
    }
}

fn delete_small() -> Provision {
    Provision::DeleteNodegroup { cluster: "podpath".to_owned(), name: "small".to_owned() }
}

#[test]
fn every_fixture_is_a_world_with_ready_nodes() {
    for (name, count) in
        [("empty", 0), ("kwok", 0), ("kind1", 1), ("tiny", 2), ("duo", 2), ("tri", 3), ("farg", 3)]
    {
        let world = fixture(name);
        assert_eq!(world.digest(), fixture(name).digest(), "{name} is the same world each time");
        assert_eq!(check::broken(&world), Vec::<String>::new());
        assert_eq!(nodes(&world).len(), count, "{name}");
        assert!(world.store().list::<Node>(HERE, None).all(report::is_ready), "{name}");
        let pods: Vec<&Pod> = world.store().list::<Pod>(HERE, None).collect();
        let ready = |pod: &&&Pod| {
            let status = pod.status.as_ref();
            status.and_then(|s| s.phase.as_deref()) == Some("Running")
                && status.is_some_and(|s| s.container_statuses.iter().flatten().all(|c| c.ready))
        };
        assert_eq!(pods.iter().filter(ready).count(), pods.len(), "{name}");
    }
}

#[test]
fn a_manifest_of_what_is_there_already_changes_it() {
    let mut world = fixture("tiny");
    let manifest = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-a", "labels": {"disk": "ssd"}},
        "spec": {"taints": [{"key": "dedicated", "value": "search", "effect": "NoSchedule"}]}});
    super::lay::apply(&mut world, &manifest).expect("a change");
    let node = world.store().get::<Node>(HERE, "", "worker-a").expect("the node");
    let labels = node.metadata.labels.clone().unwrap_or_default();
    assert_eq!((labels["disk"].as_str(), labels["podpath/role"].as_str()), ("ssd", "worker"));
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.clone()).unwrap_or_default();
    assert_eq!(taints.iter().map(|taint| taint.key.as_str()).collect::<Vec<_>>(), ["dedicated"]);
}

#[test]
fn a_t3_small_runs_nine_pods_beside_its_two() {
    let mut world = fixture("tiny");
    deploy(&mut world, 12);
    assert_eq!(running(&world, Some("worker-a")), 9);
    let figures = pool(&world, "worker-a");
    assert_eq!((figures.enis, figures.used, figures.max_pods), (3, 9, 11));
    assert_eq!((figures.warm, figures.mode), (0, PoolMode::SecondaryIp));
}

#[test]
fn a_bigger_type_seats_all_twelve_once_the_small_one_is_gone() {
    let mut world = fixture("tiny");
    deploy(&mut world, 12);
    ask(&mut world, worker_group("big", "t3.medium", None)).expect("a node group");
    settle(&mut world);
    assert_eq!(running(&world, None), 12);
    ask(&mut world, delete_small()).expect("a deletion");
    settle(&mut world);
    assert!(!nodes(&world).contains(&"worker-a".to_owned()));
    assert!(world.store().get::<Nodegroup>(ClusterId::WORLD, "podpath", "small").is_none());
    assert_eq!(running(&world, None), 12);
}

#[test]
fn more_max_pods_alone_bind_pods_that_get_no_address() {
    let mut world = fixture("tiny");
    deploy(&mut world, 12);
    let raise = Provision::SetMaxPods { cluster: HERE, node: "worker-a".to_owned(), max_pods: 30 };
    ask(&mut world, raise).expect("a limit");
    settle(&mut world);
    let figures = pool(&world, "worker-a");
    assert_eq!((figures.max_pods, figures.warm, running(&world, None)), (30, 0, 9));
    assert!(said(&world, "FailedCreatePodSandBox"));
    let bound = world
        .store()
        .pods_on(HERE, "worker-a")
        .filter(|pod| pod.metadata.namespace.as_deref() == Some("default"));
    assert_eq!(bound.count(), 12);
}

#[test]
fn prefixes_seat_twelve_on_a_new_t3_small() {
    let mut world = fixture("tiny");
    deploy(&mut world, 12);
    ask(&mut world, addon(r#"{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}"#)).expect("an add-on");
    settle(&mut world);
    ask(&mut world, worker_group("street", "t3.small", Some(20))).expect("a node group");
    settle(&mut world);
    ask(&mut world, delete_small()).expect("a deletion");
    settle(&mut world);
    assert_eq!(running(&world, None), 12);
    let node = nodes(&world).into_iter().find(|name| name != "system-b").expect("the new node");
    let figures = pool(&world, &node);
    assert_eq!((figures.mode, figures.max_pods, figures.used), (PoolMode::Prefix, 20, 12));
}

#[test]
fn without_aws_node_nobody_hands_out_addresses() {
    let mut world = fixture("tiny");
    let key = crate::Key::new(HERE, Kind::DaemonSet, "kube-system", "aws-node");
    let verb = ApiVerb::Delete { grace: None, propagation: crate::Propagation::Background };
    let request = ApiRequest::new(HERE, verb, key.kind, "kube-system", "aws-node");
    world.request(&Principal::admin(), Request::Api(request)).expect("a deletion");
    settle(&mut world);
    deploy(&mut world, 1);
    assert_eq!(running(&world, None), 0);
    assert!(said(&world, "FailedCreatePodSandBox"));
    assert!(world.store().list::<Node>(HERE, None).all(report::is_ready), "the node stays ready");
}

#[test]
fn custom_networking_leaves_room_for_eight() {
    let mut world = fixture("tiny");
    ask(&mut world, addon(r#"{"env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}}"#)).expect("an add-on");
    settle(&mut world);
    ask(&mut world, worker_group("custom", "t3.small", None)).expect("a node group");
    settle(&mut world);
    let mut pools = world.store().list::<IpPool>(HERE, None);
    assert!(pools.any(|pool| pool.custom_networking && pool.max_pods == 8));
}

#[test]
fn a_second_node_is_named_as_ec2_names_it() {
    let mut world = fixture("tiny");
    let scale = Provision::ScaleNodegroup {
        cluster: "podpath".to_owned(),
        name: "small".to_owned(),
        desired: Some(2),
        min: None,
        max: None,
    };
    ask(&mut world, scale).expect("a size");
    settle(&mut world);
    let new = nodes(&world).into_iter().find(|name| name.starts_with("ip-10-0-64-")).expect("a new node");
    assert!(new.ends_with(".ap-northeast-2.compute.internal"), "{new}");
    let node = world.store().get::<Node>(HERE, "", &new).expect("the node");
    let labels = node.metadata.labels.clone().unwrap_or_default();
    assert_eq!(labels["eks.amazonaws.com/nodegroup"], "small");
    assert_eq!(labels["podpath/role"], "worker");
}

#[test]
fn a_node_that_follows_at_the_same_address_is_another_instance() {
    let mut world = fixture("tiny");
    let nodes_of = |world: &mut World, count| {
        let (cluster, name) = ("podpath".to_owned(), "small".to_owned());
        ask(world, Provision::ScaleNodegroup { cluster, name, desired: Some(count), min: Some(0), max: None })
    };
    nodes_of(&mut world, 0).expect("a size");
    world.run_until(world.now() + SimDuration::secs(33), crate::Budget::COMMAND);
    nodes_of(&mut world, 1).expect("a size");
    settle(&mut world);
    assert!(!nodes(&world).contains(&"worker-a".to_owned()), "{:?}", nodes(&world));
}

#[test]
fn eks_refuses_in_its_own_words() {
    let mut world = fixture("tiny");
    let refused = ask(&mut world, worker_group("odd", "t9.huge", None)).expect_err("a refusal");
    assert!(refused.ends_with("The following supplied instance types do not exist: [t9.huge]"), "{refused}");
    let scale = Provision::ScaleNodegroup {
        cluster: "podpath".to_owned(),
        name: "small".to_owned(),
        desired: Some(9),
        min: None,
        max: None,
    };
    let refused = ask(&mut world, scale).expect_err("a refusal");
    assert!(refused.ends_with("desired capacity 9 can't be greater than max size 4"), "{refused}");
}

#[test]
fn a_kind_cluster_comes_and_goes() {
    let mut world = fixture("empty");
    let kind = |image: &str| Provision::CreateKindCluster {
        name: "myk8s".to_owned(),
        config: Box::new(kind_config::Cluster::default()),
        image: Some(image.to_owned()),
    };
    ask(&mut world, kind("kindest/node:v1.32.2")).expect("a cluster");
    settle(&mut world);
    let node = world.store().get::<Node>(HERE, "", "myk8s-control-plane").expect("the node");
    let status = node.status.clone().unwrap_or_default();
    assert_eq!(status.node_info.expect("info").kubelet_version, "v1.32.2");
    assert_eq!(status.addresses.expect("addresses")[0].address, "172.18.0.2");
    assert!(ask(&mut world, kind("x")).is_err());
    let before = world.store().list::<Pod>(HERE, None).count();
    assert_eq!(before, 9);
    ask(&mut world, Provision::AddNode { cluster: HERE }).expect("a worker");
    settle(&mut world);
    assert!(nodes(&world).contains(&"myk8s-worker".to_owned()));
    ask(&mut world, Provision::DeleteKindCluster { name: "myk8s".to_owned() }).expect("a deletion");
    assert_eq!(world.store().iter().filter(|(key, _)| key.cluster == HERE).count(), 0);
}

#[test]
fn a_stopped_instance_takes_its_kubelet_along() {
    let mut world = fixture("duo");
    let instance = world
        .store()
        .list::<api::kinds::aws::Instance>(ClusterId::WORLD, None)
        .find(|it| it.node.as_deref() == Some("worker-a"))
        .and_then(|it| it.meta().name.clone())
        .expect("the instance");
    let groups = world.store().list::<Nodegroup>(ClusterId::WORLD, None);
    let group = groups.map(crate::provision::group_name).next().expect("the group");
    let ask = |world: &mut World, action| {
        let input = json!({"InstanceIds": [instance]});
        let request = crate::AwsRequest { service: "ec2", action, input };
        world.request(&Principal::admin(), Request::Aws(request)).expect("a change");
        world.run_until(world.now() + SimDuration::secs(120), crate::Budget::COMMAND);
    };
    // Its group would replace it.
    let input = json!({"AutoScalingGroupName": group, "ScalingProcesses": ["ReplaceUnhealthy"]});
    let request = crate::AwsRequest { service: "autoscaling", action: "SuspendProcesses", input };
    world.request(&Principal::admin(), Request::Aws(request)).expect("a change");
    ask(&mut world, "StopInstances");
    let ready =
        |world: &World| report::is_ready(world.store().get::<Node>(HERE, "", "worker-a").expect("the node"));
    assert!(!ready(&world));
    ask(&mut world, "StartInstances");
    settle(&mut world);
    assert!(ready(&world));
    assert!(said(&world, "SandboxChanged"));
    let restarts: Vec<i32> = world
        .store()
        .pods_on(HERE, "worker-a")
        .flat_map(|pod| pod.status.as_ref().and_then(|s| s.container_statuses.clone()).unwrap_or_default())
        .map(|status| status.restart_count)
        .collect();
    assert!(restarts.iter().all(|count| *count == 1), "{restarts:?}");
}
