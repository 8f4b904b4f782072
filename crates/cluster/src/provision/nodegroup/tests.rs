//! Node groups come, change, and go, as EKS and Auto Scaling do it.

use api::{
    SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::Instance,
        eks::{Care, Nodegroup, UpdatePhase},
        eksctl::NodeGroup,
    },
};
use serde_json::{Value, json};

use crate::{
    AwsRequest, Budget, ClusterId, Note, Principal, Provision, Reply, Request, World,
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
