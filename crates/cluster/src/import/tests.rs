use api::{SimDuration, kinds::sim::Provider};
use serde_json::json;

use api::{k8s::core::v1::Pod, kinds::sim::ControlPlane};

use super::{
    account::{Held, Missing, Why, account},
    outlook::{Change, NoOutlook, is_imagined, outlook},
    *,
};
use crate::{ClusterId, Principal, Request, Scenario, World, parts::Fault, provision::Provision};

const HERE: ClusterId = ClusterId(1);

fn node(name: &str, instance: &str, ip: &str, pods: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": "7",
            "labels": {"node.kubernetes.io/instance-type": "m5.large", "kubernetes.io/hostname": name}},
        "spec": {"providerID": format!("aws:///eu-west-1a/{instance}")},
        "status": {"addresses": [{"type": "InternalIP", "address": ip}],
            "capacity": {"cpu": "2", "memory": "7910360Ki", "pods": pods},
            "allocatable": {"cpu": "1930m", "memory": "7220184Ki", "pods": pods},
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-10-01T08:00:00Z"}],
            "nodeInfo": {"kubeletVersion": "v1.33.5-eks-113cf36"}}})
}

fn pod(name: &str, node: Option<&str>, ip: Option<&str>, cpu: &str) -> Value {
    let phase = if ip.is_some() { "Running" } else { "Pending" };
    let waiting = json!([{"name": "app", "ready": false, "restartCount": 0, "image": "app", "imageID": "",
        "state": {"waiting": {"reason": "ContainerCreating"}}}]);
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "9",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "rs", "controller": true}]},
        "spec": {"nodeName": node, "containers": [{"name": "app", "image": "app", "resources": {"requests": {"cpu": cpu}}}]},
        "status": {"phase": phase, "podIP": ip,
            "containerStatuses": if node.is_some() && ip.is_none() { waiting } else { json!([]) }}})
}

/// Two m5.large in a /28: one full of pods, and pods that wait for an address, for CPU, and for nothing that was given.
fn files() -> Vec<(String, String)> {
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [
        node("a", "i-a", "10.0.0.4", "4"), node("b", "i-b", "10.0.0.8", "2"),
        pod("one", Some("a"), Some("10.0.0.5"), "100m"), pod("two", Some("a"), Some("10.0.0.6"), "100m"),
        pod("no-address", Some("a"), None, "100m"), pod("too-big", None, None, "5"), pod("fits", None, None, "50m"),
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}},
    ]});
    let subnets = json!({"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/28",
        "AvailabilityZone": "eu-west-1a", "AvailableIpAddressCount": 5, "Tags": [{"Key": "kubernetes.io/cluster/shop", "Value": "owned"}]}]});
    let eni = |name: &str, instance: &str, ip: &str, more: &[&str]| {
        json!({"NetworkInterfaceId": name, "SubnetId": "subnet-1", "PrivateIpAddress": ip, "InterfaceType": "interface",
            "Attachment": {"InstanceId": instance, "DeviceIndex": 0},
            "PrivateIpAddresses": more.iter().map(|ip| json!({"Primary": false, "PrivateIpAddress": ip})).collect::<Vec<_>>()})
    };
    let interfaces = json!({"NetworkInterfaces": [
        eni("eni-a", "i-a", "10.0.0.4", &["10.0.0.5", "10.0.0.6"]), eni("eni-b", "i-b", "10.0.0.8", &[])]});
    vec![
        ("cluster.json".to_owned(), objects.to_string()),
        ("subnets.json".to_owned(), subnets.to_string()),
        ("interfaces.json".to_owned(), interfaces.to_string()),
    ]
}

fn imported(files: &[(String, String)]) -> World {
    let mut world = World::new(&Scenario::default(), 3).expect("an empty world");
    ask(&mut world, files).expect("it is imported");
    world
}

fn ask(world: &mut World, files: &[(String, String)]) -> Result<(), String> {
    let import = Import::read(files).map_err(|it| it.to_string())?;
    let what = Request::Provision(Provision::Import(Box::new(import)));
    world.request(&Principal::admin(), what).map(|_| ()).map_err(|it| it.to_string())
}

#[test]
fn a_cluster_is_as_it_was_and_stays_so() {
    let mut world = imported(&files());
    let plane = world.store().list::<ControlPlane>(ClusterId::WORLD, None).next().expect("a plane").clone();
    assert_eq!((plane.provider, plane.metadata.name.as_deref()), (Provider::Imported, Some("shop")));
    assert_eq!(plane.version, "v1.33.5-eks-113cf36");
    let pods = |world: &World| -> Vec<Pod> { world.store().list::<Pod>(HERE, None).cloned().collect() };
    let before = pods(&world);
    world.settle(SimDuration::secs(3_600));
    assert_eq!(pods(&world), before, "nobody clears away what has no owner here");
    let refused = world
        .request(&Principal::admin(), Request::Provision(Provision::Clear { cluster: HERE, fault: None }));
    assert!(refused.is_err_and(|it| it.to_string().starts_with("an imported cluster stands still")));
    let stop = Provision::Stop { cluster: HERE, fault: Fault::Part("api".to_owned()) };
    assert!(world.request(&Principal::admin(), Request::Provision(stop)).is_ok());
}

#[test]
fn addresses_are_counted_and_what_is_not_seen_is_said() {
    let it = account(&imported(&files()), HERE);
    assert_eq!(it.nodes[0].held, Some(Held { enis: 1, addresses: 3, spare: 0 }));
    assert_eq!((it.nodes[0].pods, it.nodes[0].max_pods), (3, 4));
    // Eleven can be had, four are held by what was given, five are free.
    assert_eq!((it.subnets[0].usable, it.subnets[0].free, it.subnets[0].held_unseen), (11, 5, 2));
    assert_eq!(it.missing, [Missing::Owners, Missing::AwsNode]);
    let without = account(&imported(&files()[..1]), HERE);
    assert_eq!(without.missing, [Missing::Subnets, Missing::Interfaces, Missing::Owners, Missing::AwsNode]);
    assert_eq!(without.nodes[0].held, None);
}

#[test]
fn a_waiting_pod_is_told_what_holds_it_up() {
    let it = account(&imported(&files()), HERE);
    let why =
        |name: &str| it.waiting.iter().find(|it| it.pod == format!("shop/{name}")).map(|it| it.why.clone());
    assert_eq!(why("no-address"), Some(Why::NoAddress("a".to_owned())));
    assert!(matches!(why("too-big"), Some(Why::NoNode(said)) if said.contains("2 Insufficient cpu")));
    assert!(matches!(why("fits"), Some(Why::Fits(_))));
    assert_eq!(it.waiting.len(), 3);
}

#[test]
fn prefixes_and_another_type_change_limits_addresses_and_placements() {
    let world = imported(&files());
    let then =
        outlook(&world, HERE, &Change { prefix_delegation: true, ..Change::default() }).expect("an outlook");
    assert_eq!((then.nodes[0].now.max_pods, then.nodes[0].max_pods), (4, 110));
    // Three pods use one prefix and another stays spare; a node without pods keeps the spare one.
    assert_eq!(then.nodes[0].held.map(|it| it.addresses), Some(33));
    assert_eq!(then.subnets[0].then, 5 - (33 - 3) - (17 - 1));
    assert_eq!(
        then.subnets[0].whole_blocks,
        Some(0),
        "a /28 has no whole block: five addresses are EC2's own"
    );
    let to = |from: &str, to: &str| Change {
        instance_type: Some((from.to_owned(), to.to_owned())),
        ..Change::default()
    };
    let larger = to("m5.large", "m6i.2xlarge");
    let then = outlook(&world, HERE, &larger).expect("an outlook");
    assert_eq!(then.nodes[1].max_pods, 58);
    let placed: Vec<bool> = then.pods.iter().map(|it| it.node.is_some()).collect();
    assert_eq!(placed, [true, true], "eight cores hold five");
    let none = to("t3.small", "m5.large");
    assert_eq!(
        outlook(&world, HERE, &none),
        Err(NoOutlook::NoNode("t3.small".to_owned(), vec!["m5.large".to_owned()]))
    );
}

#[test]
fn other_targets_work_on_the_pools_as_they_are() {
    let world = imported(&files());
    let lean = Change { warm_ip: Some(1), minimum_ip: Some(2), ..Change::default() };
    let then = outlook(&world, HERE, &lean).expect("an outlook");
    let (now, node) = (&then.nodes[0].now, &then.nodes[0]);
    assert_eq!((node.max_pods, node.instance_type.as_str()), (now.max_pods, now.instance_type.as_str()));
    assert_eq!(node.held.map(|it| it.spare), Some(1), "one in reserve, and no more");
    assert!(node.enis.iter().any(|eni| !is_imagined(eni.primary_ip)), "its ENIs are those that are there");
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let one = |text: &str| {
        Import::read(&[("f.yaml".to_owned(), text.to_owned())])
            .map(|_| ())
            .expect_err("a complaint")
            .to_string()
    };
    assert!(one("kind: List\nitems: [").starts_with("f.yaml:"), "{}", one("kind: List\nitems: ["));
    assert!(one("hello: 1").starts_with("f.yaml: this is neither"));
    assert!(one("apiVersion: v1\nkind: List\nitems: []").starts_with("there is no Node in it"));
    assert!(one("{\"Subnets\": [{\"SubnetId\": 4}]}").starts_with("f.yaml: Subnets: "));
    let twice = ask(&mut imported(&files()), &files());
    assert_eq!(twice, Err("a cluster called \"shop\" is here already".to_owned()));
}
