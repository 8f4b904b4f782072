//! Node groups come, change, and go, as EKS and Auto Scaling do it.

use api::{
    SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::{Instance, InstanceState},
        eks::{Care, Nodegroup, UpdatePhase},
        eksctl::{InstancesDistribution, NodeGroup},
    },
};
use serde_json::{Value, json};

use crate::{
    AwsRequest, Budget, ClusterId, Note, Principal, Provision, Reply, Request, World,
    parts::Fault,
    provision::tests::{ask, deploy, fixture, nodes, settle},
};

const HERE: ClusterId = ClusterId(1);
const OLD: &str = "1.34.1-20251112";
const NEW: &str = "1.34.2-20251120";

fn aws(
    world: &mut World,
    service: &'static str,
    action: &'static str,
    input: Value,
) -> Result<Value, String> {
    match world.request(&Principal::admin(), Request::Aws(AwsRequest { service, action, input })) {
        Ok(Reply::Value(value)) => Ok(value),
        Ok(other) => panic!("{other:?}"),
        Err(no) => Err(no.to_string()),
    }
}

fn group(name: &str, nodes: u32, care: Care, mapped: bool) -> Provision {
    let group = NodeGroup {
        name: name.to_owned(),
        instance_type: Some("t3.small".to_owned()),
        desired_capacity: Some(nodes),
        max_size: Some(4),
        private_networking: Some(true),
        release_version: (care == Care::Managed).then(|| OLD.to_owned()),
        ..NodeGroup::default()
    };
    Provision::CreateNodegroup { cluster: "podpath".to_owned(), group: Box::new(group), care, mapped }
}

fn found(world: &World, name: &str) -> Nodegroup {
    world.store().get::<Nodegroup>(ClusterId::WORLD, "podpath", name).expect("the group").clone()
}

fn run(world: &mut World, seconds: u64) {
    world.run_until(world.now() + SimDuration::secs(seconds), Budget::COMMAND);
}

/// `duo` without its own group, with two nodes of an old release and two `web` pods on them.
fn old_nodes(budget: u32) -> World {
    let mut world = fixture("duo");
    ask(&mut world, group("old", 2, Care::Managed, true)).expect("a group");
    settle(&mut world);
    let delete = Provision::DeleteNodegroup { cluster: "podpath".to_owned(), name: "small".to_owned() };
    ask(&mut world, delete).expect("a deletion");
    settle(&mut world);
    deploy(&mut world, 2);
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
        "spec": {"minAvailable": budget, "selector": {"matchLabels": {"app": "web"}}}});
    crate::provision::lay::apply(&mut world, &budget).expect("a budget");
    settle(&mut world);
    world
}

fn update(world: &mut World, force: bool) -> Result<Value, String> {
    let input = json!({"clusterName": "podpath", "nodegroupName": "old", "force": force});
    aws(world, "eks", "UpdateNodegroupVersion", input)
}

fn versions(world: &World) -> Vec<String> {
    let all = world.store().list::<Node>(HERE, None);
    all.filter_map(|node| Some(node.status.as_ref()?.node_info.as_ref()?.kubelet_version.clone())).collect()
}

#[test]
fn an_update_brings_new_nodes_before_it_takes_the_old_ones() {
    let mut world = old_nodes(1);
    assert_eq!(versions(&world), ["v1.34.1-eks-113cf36", "v1.34.1-eks-113cf36"]);
    update(&mut world, false).expect("an update");
    let again = update(&mut world, false).expect_err("a refusal");
    assert!(again.contains("ResourceInUseException"), "{again}");
    run(&mut world, 100);
    assert_eq!(nodes(&world).len(), 4, "one more in each of two zones");
    assert_eq!(found(&world, "old").updates.last().map(|it| it.phase), Some(UpdatePhase::Upgrade));
    settle(&mut world);
    assert_eq!(versions(&world), ["v1.34.2-eks-ecaa3a6", "v1.34.2-eks-ecaa3a6"]);
    let group = found(&world, "old");
    assert_eq!((group.status.as_str(), group.release_version.as_str()), ("ACTIVE", NEW));
    assert_eq!(group.updates.last().map(|it| it.status.as_str()), Some("Successful"));
}

#[test]
fn a_budget_that_lets_nothing_go_ends_the_update_unless_it_is_forced() {
    let mut world = old_nodes(2);
    update(&mut world, false).expect("an update");
    run(&mut world, 20 * 60);
    let group = found(&world, "old");
    let failed = group.updates.last().expect("the update");
    assert_eq!((failed.status.as_str(), failed.errors[0].code.as_str()), ("Failed", "PodEvictionFailure"));
    assert_eq!(group.release_version, OLD);
    let held = world.facts().iter().any(|fact| match &fact.what {
        crate::What::Noted(Note::Refused { message, .. }) => message.contains("disruption budget"),
        _ => false,
    });
    assert!(held, "the refusal is a fact");
    settle(&mut world);
    update(&mut world, true).expect("an update");
    settle(&mut world);
    assert_eq!(found(&world, "old").release_version, NEW);
}

#[test]
fn a_node_whose_role_nobody_mapped_boots_and_never_joins() {
    let mut world = fixture("duo");
    ask(&mut world, group("own", 1, Care::SelfManaged, false)).expect("a group");
    run(&mut world, 300);
    assert_eq!(nodes(&world).len(), 2);
    let unknown = world.facts().iter().any(|fact| match &fact.what {
        crate::What::Noted(Note::Refused { message, .. }) => message.contains("err=\"Unauthorized\""),
        _ => false,
    });
    assert!(unknown);
    let role = found(&world, "own").role;
    let entry = json!({"clusterName": "podpath", "principalArn": role, "type": "EC2_LINUX"});
    aws(&mut world, "eks", "CreateAccessEntry", entry).expect("an entry");
    run(&mut world, 60);
    assert_eq!(nodes(&world).len(), 3);
    let listed = aws(&mut world, "eks", "ListNodegroups", json!({"clusterName": "podpath"})).expect("a list");
    assert_eq!(listed, json!({"nodegroups": ["small"]}), "EKS does not know of it");
}

#[test]
fn an_instance_that_ends_is_replaced() {
    let mut world = fixture("duo");
    let id =
        world.store().list::<Instance>(ClusterId::WORLD, None).next().and_then(|it| it.metadata.name.clone());
    aws(&mut world, "ec2", "TerminateInstances", json!({"InstanceIds": [id]})).expect("an end");
    settle(&mut world);
    assert_eq!(nodes(&world).len(), 2);
    assert_eq!(found(&world, "small").launched, 3);
}

/// What a group did last, with its causes and without their moments.
fn causes(world: &World, group: &str) -> Vec<String> {
    let activities = found(world, group).activities;
    let causes =
        activities.iter().map(|it| it.cause.split_once("Z an instance was ").map_or("", |(_, why)| why));
    causes.map(str::to_owned).collect()
}

#[test]
fn an_instance_that_stops_is_terminated_and_replaced_unless_that_is_suspended() {
    let mut world = fixture("duo");
    let id =
        world.store().list::<Instance>(ClusterId::WORLD, None).next().and_then(|it| it.metadata.name.clone());
    aws(&mut world, "ec2", "StopInstances", json!({"InstanceIds": [id]})).expect("a stop");
    settle(&mut world);
    let state =
        world.store().get::<Instance>(ClusterId::WORLD, "", &id.unwrap_or_default()).map(|it| it.state);
    assert_eq!(state, Some(InstanceState::Terminated));
    assert_eq!(nodes(&world).len(), 2);
    let causes = causes(&world, "small");
    assert_eq!(
        causes[2..],
        [
            "taken out of service in response to an EC2 health check indicating it has been terminated or stopped.",
            "launched in response to an unhealthy instance needing to be replaced.",
        ]
    );
}

/// `duo` with one spot node beside its own; gives the node.
fn spot(care: Care) -> (World, String) {
    let mut world = fixture("duo");
    let own = care == Care::SelfManaged;
    let all_spot =
        InstancesDistribution { on_demand_percentage_above_base_capacity: Some(0), ..Default::default() };
    let group = NodeGroup {
        name: "cheap".to_owned(),
        instance_type: Some("t3.small".to_owned()),
        desired_capacity: Some(1),
        private_networking: Some(true),
        spot: (!own).then_some(true),
        instances_distribution: own.then_some(all_spot),
        ..NodeGroup::default()
    };
    let cluster = "podpath".to_owned();
    ask(&mut world, Provision::CreateNodegroup { cluster, group: Box::new(group), care, mapped: true })
        .expect("a group");
    settle(&mut world);
    let node = world
        .store()
        .list::<Instance>(ClusterId::WORLD, None)
        .find(|it| it.spot)
        .and_then(|it| it.node.clone());
    (world, node.expect("a spot node"))
}

fn fault(world: &mut World, fault: Fault) {
    ask(world, Provision::Stop { cluster: HERE, fault }).expect("a fault");
}

fn cordoned(world: &World, node: &str) -> Option<bool> {
    let node = world.store().get::<Node>(HERE, "", node)?;
    Some(node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true)))
}

#[test]
fn a_managed_group_replaces_a_spot_node_at_risk_before_it_drains_it() {
    let (mut world, node) = spot(Care::Managed);
    fault(&mut world, Fault::Rebalance(node.clone()));
    run(&mut world, 30);
    assert_eq!(cordoned(&world, &node), Some(false), "its successor still boots");
    run(&mut world, 60);
    assert!(cordoned(&world, &node).unwrap_or(true));
    settle(&mut world);
    assert_eq!(cordoned(&world, &node), None);
    assert_eq!((nodes(&world).len(), found(&world, "cheap").launched), (3, 2));
}

#[test]
fn with_the_notice_a_managed_spot_node_is_drained_at_once_and_another_is_lost_after_two_minutes() {
    let (mut world, node) = spot(Care::Managed);
    fault(&mut world, Fault::Interruption(node.clone()));
    run(&mut world, 5);
    assert_eq!(cordoned(&world, &node), Some(true));
    let (mut world, node) = spot(Care::SelfManaged);
    fault(&mut world, Fault::Interruption(node.clone()));
    run(&mut world, 115);
    assert_eq!(cordoned(&world, &node), Some(false), "nobody handles the notice");
    assert_eq!(found(&world, "cheap").launched, 1);
    settle(&mut world);
    assert_eq!((cordoned(&world, &node), found(&world, "cheap").launched), (None, 2));
    let lost = world.store().list::<Instance>(ClusterId::WORLD, None).find_map(|it| it.state_reason.clone());
    assert_eq!(lost.as_deref(), Some("Server.SpotInstanceTermination: Spot instance termination"));
}

#[test]
fn an_on_demand_instance_is_not_interrupted() {
    let mut world = fixture("duo");
    let no =
        ask(&mut world, Provision::Stop { cluster: HERE, fault: Fault::Interruption("worker-a".to_owned()) });
    assert!(no.is_err_and(|no| no.to_string().contains("Spot Instances only")));
}

#[test]
fn a_node_that_is_ill_for_half_an_hour_is_repaired_where_that_is_asked_for() {
    let ill = |enabled: bool| {
        let mut world = fixture("duo");
        let input = json!({"clusterName": "podpath", "nodegroupName": "small", "nodeRepairConfig": {"enabled": enabled}});
        aws(&mut world, "eks", "UpdateNodegroupConfig", input).expect("a change");
        settle(&mut world);
        fault(&mut world, Fault::Kubelet("worker-a".to_owned()));
        run(&mut world, 29 * 60);
        assert_eq!(found(&world, "small").launched, 2);
        run(&mut world, 10 * 60);
        (found(&world, "small").launched, nodes(&world).len())
    };
    assert_eq!((ill(true), ill(false)), ((3, 2), (2, 2)));
}

#[test]
fn an_instance_that_does_not_reach_the_api_server_never_joins() {
    let mut world = fixture("duo");
    let mut cluster = world
        .store()
        .get::<api::kinds::eks::EksCluster>(ClusterId::WORLD, "", "podpath")
        .expect("it")
        .clone();
    (cluster.endpoint_private_access, cluster.public_access_cidrs) = (false, vec!["192.0.2.0/24".to_owned()]);
    let mut turn = crate::Turn::new(&mut world, crate::ActorId("test"), ClusterId::WORLD, None);
    turn.put(api::Resource::into_object(cluster));
    ask(&mut world, group("far", 1, Care::Managed, true)).expect("a group");
    run(&mut world, 26 * 60);
    let told = world.facts().iter().any(|fact| match &fact.what {
        crate::What::Noted(Note::Refused { message, .. }) => {
            message.contains("i/o timeout (api:cidr-not-allowed")
        }
        _ => false,
    });
    assert!(told);
    let failed = found(&world, "far");
    assert_eq!(
        (failed.status.as_str(), failed.issues[0].code.as_str()),
        ("CREATE_FAILED", "NodeCreationFailure")
    );
}

#[test]
fn when_a_zone_fails_its_nodes_come_back_in_another() {
    let mut world = fixture("duo");
    let zone_of = |world: &World| -> Vec<String> {
        let label = "topology.kubernetes.io/zone";
        let all = world.store().list::<Node>(HERE, None);
        all.filter_map(|node| node.metadata.labels.as_ref()?.get(label).cloned()).collect()
    };
    assert_eq!(zone_of(&world), ["ap-northeast-2a", "ap-northeast-2b"]);
    fault(&mut world, Fault::Zone("ap-northeast-2a".to_owned()));
    run(&mut world, 100);
    let states: Vec<InstanceState> =
        world.store().list::<Instance>(ClusterId::WORLD, None).map(|it| it.state).collect();
    assert_eq!(states, [InstanceState::Running; 2], "EC2 still says so");
    settle(&mut world);
    assert_eq!(zone_of(&world), ["ap-northeast-2b", "ap-northeast-2b"]);
    let failed = found(&world, "small").activities.into_iter().find(|it| it.status == "Failed");
    assert!(failed.is_some_and(|it| {
        it.message.contains("InsufficientInstanceCapacity - We currently do not have sufficient")
    }));
    let unknown = Provision::Stop { cluster: HERE, fault: Fault::Zone("ap-northeast-2z".to_owned()) };
    assert!(ask(&mut world, unknown).is_err());
}

#[test]
fn a_zone_that_comes_back_in_time_keeps_its_nodes() {
    let mut world = fixture("duo");
    let before = nodes(&world);
    let zone = Fault::Zone("ap-northeast-2a".to_owned());
    fault(&mut world, zone.clone());
    run(&mut world, 100);
    ask(&mut world, Provision::Clear { cluster: HERE, fault: Some(zone) }).expect("it comes back");
    settle(&mut world);
    assert_eq!((nodes(&world), found(&world, "small").launched), (before, 2));
}

#[test]
fn a_release_that_there_is_not_is_refused() {
    let mut world = fixture("duo");
    let input =
        json!({"clusterName": "podpath", "nodegroupName": "small", "releaseVersion": "1.34.9-20251120"});
    let no = aws(&mut world, "eks", "UpdateNodegroupVersion", input).expect_err("a refusal");
    assert!(
        no.ends_with("Requested release version 1.34.9-20251120 is not valid for kubernetes version 1.34."),
        "{no}"
    );
}

#[test]
fn two_clusters_may_have_a_group_of_one_name_each() {
    let mut world = fixture("duo");
    let other = json!({"metadata": {"name": "other", "region": "ap-northeast-2"},
        "managedNodeGroups": [{"name": "small", "instanceType": "t3.small", "desiredCapacity": 1}]});
    let other = serde_json::from_value(other).expect("a config");
    ask(&mut world, Provision::CreateCluster(Box::new(other))).expect("a cluster");
    run(&mut world, 900);
    let size = |world: &World, cluster| {
        world.store().get::<Nodegroup>(ClusterId::WORLD, cluster, "small").map(|it| it.desired_size)
    };
    assert_eq!((size(&world, "podpath"), size(&world, "other")), (Some(2), Some(1)));
    let scale = Provision::ScaleNodegroup {
        cluster: "other".to_owned(),
        name: "small".to_owned(),
        desired: Some(0),
        min: Some(0),
        max: None,
    };
    ask(&mut world, scale).expect("a size");
    settle(&mut world);
    assert_eq!(nodes(&world).len(), 2, "the other cluster keeps its nodes");
}

#[test]
fn what_ran_on_a_terminated_instance_is_gone_before_its_node() {
    let mut world = fixture("duo");
    let all = world.store().list::<Instance>(ClusterId::WORLD, None);
    let of = all.filter_map(|it| Some((it.metadata.name.clone()?, it.node.clone()?)));
    let of: Vec<(String, String)> = of.collect();
    let busy = |(_, node): &(String, String)| world.store().sandboxes_on(HERE, node).next().is_some();
    let (id, node) = of.into_iter().find(busy).expect("a node");
    aws(&mut world, "ec2", "TerminateInstances", json!({"InstanceIds": [id]})).expect("it goes");
    let state = |world: &World| world.store().get::<Instance>(ClusterId::WORLD, "", &id).map(|it| it.state);
    while state(&world) != Some(InstanceState::Terminated) {
        run(&mut world, 1);
    }
    assert!(world.store().get::<Node>(HERE, "", &node).is_some());
    assert_eq!(world.store().sandboxes_on(HERE, &node).count(), 0);
}

#[test]
fn a_managed_group_in_public_subnets_without_public_addresses_fails() {
    let mut world = fixture("duo");
    let subnet = json!({"SubnetId": "public-a", "MapPublicIpOnLaunch": {"Value": false}});
    aws(&mut world, "ec2", "ModifySubnetAttribute", subnet).expect("it is changed");
    let input =
        json!({"clusterName": "podpath", "nodegroupName": "bare", "subnets": ["public-a"], "nodeRole": "r"});
    aws(&mut world, "eks", "CreateNodegroup", input).expect("it is taken");
    run(&mut world, 60);
    let group = found(&world, "bare");
    assert_eq!((group.status.as_str(), group.launched), ("CREATE_FAILED", 0));
    assert_eq!(group.issues[0].code, "Ec2SubnetInvalidConfiguration");
}
