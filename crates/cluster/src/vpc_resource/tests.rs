//! Security groups for pods, from the add-on's setting to the branch that is deleted.

use api::{
    Kind, Object, SimDuration,
    k8s::core::v1::{Event, Node, Pod},
    kinds::{aws::Eni, eksctl::NodeGroup},
};
use serde_json::{Value, json};

use super::{POD_ENI, annotated, policy_kind};
use crate::{
    ApiRequest, ApiVerb, Budget, ClusterId, Principal, Provision, Request, World, check,
    fixture::{self, HERE, delete},
    network,
    provision::tests::fixture,
};

fn settle(world: &mut World) {
    world.settle(SimDuration::secs(900));
    assert_eq!(check::broken(world), Vec::<String>::new());
}

fn pass(world: &mut World, seconds: u64) {
    world.run_until(world.now() + SimDuration::secs(seconds), Budget::COMMAND);
    assert_eq!(check::broken(world), Vec::<String>::new());
}

fn ask(world: &mut World, what: Provision) {
    world.request(&Principal::admin(), Request::Provision(what)).expect("no refusal");
}

fn set(world: &mut World, settings: &Value) {
    let (cluster, name) = ("podpath".to_owned(), "vpc-cni".to_owned());
    ask(world, Provision::UpdateAddon { cluster, name, configuration_values: settings.to_string() });
}

/// A cluster with the feature on and one node of a type with branches, beside those of the fixture.
fn with_trunk(instance_type: &str, init: &Value) -> (World, String) {
    let mut world = fixture("tiny");
    set(&mut world, &json!({"env": {"ENABLE_POD_ENI": "true"}, "init": {"env": init}}));
    settle(&mut world);
    let group = NodeGroup {
        name: "own".to_owned(),
        instance_type: Some(instance_type.to_owned()),
        desired_capacity: Some(1),
        private_networking: Some(true),
        labels: [("own".to_owned(), "yes".to_owned())].into(),
        ..NodeGroup::default()
    };
    let (group, care) = (Box::new(group), api::kinds::eks::Care::Managed);
    ask(&mut world, Provision::CreateNodegroup { cluster: "podpath".to_owned(), group, care, mapped: true });
    settle(&mut world);
    let is_new = |node: &&Node| node.metadata.labels.as_ref().is_some_and(|all| all.contains_key("own"));
    let node = world.store().list::<Node>(HERE, None).find(is_new).expect("the node");
    let name = node.metadata.name.clone().expect("a name");
    (world, name)
}

fn policy(world: &mut World, groups: &[&str]) {
    let policy = json!({"apiVersion": "vpcresources.k8s.aws/v1beta1", "kind": "SecurityGroupPolicy",
        "metadata": {"name": "db"}, "spec": {"podSelector": {"matchLabels": {"app": "db"}},
            "securityGroups": {"groupIds": groups}}});
    let request = ApiRequest::new(HERE, ApiVerb::Create(policy), policy_kind(), "default", "");
    world.request(&Principal::admin(), Request::Api(request)).expect("a policy");
}

fn db(world: &mut World, name: &str) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "db"}},
        "spec": {"nodeSelector": {"own": "yes"}, "containers": [{"name": "c", "image": "nginx:1.27",
            "readinessProbe": {"httpGet": {"port": 80}}}]}});
    fixture::create(world, pod).expect("a pod");
}

fn pod(world: &World, name: &str) -> Pod {
    world.store().get::<Pod>(HERE, "default", name).expect("the pod").clone()
}

fn ready(world: &World, name: &str) -> bool {
    let conditions = pod(world, name).status.and_then(|status| status.conditions).unwrap_or_default();
    conditions.iter().any(|it| it.type_ == "Ready" && it.status == "True")
}

fn said(world: &World, reason: &str) -> Vec<String> {
    let events = world.store().list::<Event>(HERE, None);
    let of = events.filter(|event| event.reason.as_deref() == Some(reason));
    of.filter_map(|event| event.message.clone()).collect()
}

fn branches(world: &World) -> usize {
    world.store().list::<Eni>(ClusterId::WORLD, None).filter(|eni| eni.branch.is_some()).count()
}

#[test]
fn a_pod_that_a_policy_means_gets_a_branch_with_its_groups() {
    let (mut world, node) = with_trunk("m5.large", &json!({"DISABLE_TCP_EARLY_DEMUX": "true"}));
    let offered = world
        .store()
        .get::<Node>(HERE, "", &node)
        .and_then(|node| Some(node.status.as_ref()?.allocatable.as_ref()?.get(POD_ENI)?.0.clone()));
    assert_eq!(offered.as_deref(), Some("9"));
    assert_eq!(said(&world, "NodeTrunkInitiated"), ["The node has trunk interface initialized successfully"]);
    policy(&mut world, &["cluster-sg"]);
    db(&mut world, "db");
    settle(&mut world);
    assert!(ready(&world, "db"));
    let (id, address) = annotated(&pod(&world, "db"), false).expect("an annotation");
    assert_eq!(pod(&world, "db").status.and_then(|status| status.pod_ip), Some(address.to_string()));
    let groups = ["Pod will get the following Security Groups [cluster-sg]"];
    assert_eq!(said(&world, "SecurityGroupRequested"), groups);
    let allocated = &said(&world, "ResourceAllocated")[0];
    assert!(
        allocated.starts_with(&format!("Allocated [{{\"eniId\":\"{id}\",\"ifAddress\":\"02:")),
        "{allocated}"
    );
    let seen = network::of(&world, HERE);
    let seen = seen.pods.iter().find(|pod| pod.name == "db").and_then(|pod| pod.branch_eni.clone());
    assert_eq!(seen.map(|branch| (branch.vlan, branch.sgs)), Some((1, vec!["cluster-sg".to_owned()])));
    delete(&mut world, Kind::Pod, "db").expect("a deletion");
    pass(&mut world, 40);
    assert_eq!(branches(&world), 1, "it rests for a minute");
    pass(&mut world, 60);
    assert_eq!(branches(&world), 0);
}

#[test]
fn types_without_a_trunk_are_named_and_their_pods_wait() {
    let (mut world, _) = with_trunk("t3.medium", &json!({}));
    policy(&mut world, &["cluster-sg"]);
    db(&mut world, "db");
    settle(&mut world);
    let unsupported =
        "The instance type t3.medium is not supported for trunk interface (Security Group for Pods)";
    assert!(said(&world, "Unsupported").contains(&unsupported.to_owned()));
    let waits = said(&world, "FailedScheduling");
    assert!(waits.iter().any(|why| why.contains("Insufficient vpc.amazonaws.com/pod-eni")), "{waits:?}");
}

#[test]
fn in_strict_mode_probes_come_through_only_without_early_demultiplexing() {
    let (mut world, _) = with_trunk("m5.large", &json!({}));
    policy(&mut world, &["cluster-sg"]);
    db(&mut world, "db");
    pass(&mut world, 60);
    assert!(!ready(&world, "db"));
    assert!(said(&world, "Unhealthy").iter().any(|why| why.contains("context deadline exceeded")));
    set(
        &mut world,
        &json!({"env": {"ENABLE_POD_ENI": "true"}, "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}}),
    );
    pass(&mut world, 120);
    assert!(ready(&world, "db"));
}

#[test]
fn a_group_that_is_not_there_is_said_and_asked_for_again() {
    let (mut world, _) = with_trunk("m5.large", &json!({"DISABLE_TCP_EARLY_DEMUX": "true"}));
    policy(&mut world, &["sg-none"]);
    db(&mut world, "db");
    pass(&mut world, 60);
    let failed = said(&world, "BranchAllocationFailed");
    assert!(
        failed[0].ends_with("api error InvalidGroup.NotFound: The security group 'sg-none' does not exist")
    );
    let sandbox = said(&world, "FailedCreatePodSandBox");
    assert!(sandbox[0].ends_with("add cmd: failed to assign an IP address to container"), "{sandbox:?}");
}

#[test]
fn branches_are_as_many_as_the_type_allows_and_rest_before_the_next() {
    let (mut world, _) = with_trunk("m5.large", &json!({"DISABLE_TCP_EARLY_DEMUX": "true"}));
    policy(&mut world, &["cluster-sg"]);
    for n in 0..10 {
        db(&mut world, &format!("db-{n}"));
    }
    settle(&mut world);
    assert_eq!(branches(&world), 9);
    let waiting = (0..10).map(|n| format!("db-{n}")).find(|name| !ready(&world, name)).expect("one waits");
    let other = (0..10).map(|n| format!("db-{n}")).find(|name| *name != waiting).expect("another");
    delete(&mut world, Kind::Pod, &other).expect("a deletion");
    pass(&mut world, 30);
    assert!(!ready(&world, &waiting), "its node has room again, its trunk has not");
    pass(&mut world, 120);
    assert!(ready(&world, &waiting));
}

#[test]
fn nobody_else_writes_the_annotation() {
    let mut world = fixture("tiny");
    let mut forged = fixture::pod("forged");
    forged["metadata"]["annotations"] = json!({POD_ENI: "[]"});
    let refused = fixture::create(&mut world, forged).expect_err("a refusal");
    let words = "admission webhook \"vpod.vpc.k8s.aws\" denied the request: pod cannot be created with vpc.amazonaws.com/pod-eni annotation";
    assert_eq!(refused, words);
    assert!(super::definitions().iter().all(|it| matches!(it, Object::Stored(_))));
}
