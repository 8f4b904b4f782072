//! Custom networking: pods take addresses from the subnet that an ENIConfig names, nodes keep theirs.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::core::v1::{Node, Pod},
    kinds::{aws::Eni, cni::IpPool, eksctl::NodeGroup},
};
use cluster::{
    ApiRequest, ApiVerb, AwsRequest, ClusterId, Principal, Provision, Reply, Request, Scenario, World, check,
};
use serde_json::{Value, json};

const HERE: ClusterId = ClusterId(1);

fn fixture(name: &str) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons/fixtures").join(name);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    World::new(&Scenario::read(&files).unwrap(), 7).unwrap()
}

fn settle(world: &mut World) {
    world.settle(SimDuration::secs(900));
    assert_eq!(check::broken(world), Vec::<String>::new());
}

fn pass(world: &mut World, seconds: u64) {
    world.run_until(world.now() + SimDuration::secs(seconds), cluster::Budget::COMMAND);
}

fn ec2(world: &mut World, action: &'static str, input: Value) -> Result<Value, String> {
    let request = Request::Aws(AwsRequest { service: "ec2", action, input });
    match world.request(&Principal::admin(), request) {
        Ok(Reply::Value(value)) => Ok(value),
        Ok(other) => panic!("{other:?}"),
        Err(no) => Err(no.to_string()),
    }
}

fn create(world: &mut World, kind: Kind, value: Value) -> Result<(), String> {
    let request = ApiRequest::new(HERE, ApiVerb::Create(value), kind, "default", "");
    world.request(&Principal::admin(), Request::Api(request)).map(drop).map_err(|no| no.to_string())
}

/// A subnet for pods in the first zone, in a further block of the VPC.
fn pod_subnet(world: &mut World, zone: &str) -> String {
    let block = json!({"VpcId": "main", "CidrBlock": "100.64.0.0/16"});
    ec2(world, "AssociateVpcCidrBlock", block).expect("a block");
    let subnet = json!({"VpcId": "main", "CidrBlock": "100.64.0.0/19", "AvailabilityZone": zone});
    let made = ec2(world, "CreateSubnet", subnet).expect("a subnet");
    made["Subnet"]["SubnetId"].as_str().unwrap().to_owned()
}

fn switch_on(world: &mut World) {
    set(
        world,
        &json!({"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
        "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone"}),
    );
}

/// Sets variables of aws-node as the add-on's configuration.
fn set(world: &mut World, env: &Value) {
    let env = json!({ "env": env });
    let update = Provision::UpdateAddon {
        cluster: "podpath".to_owned(),
        name: "vpc-cni".to_owned(),
        configuration_values: env.to_string(),
    };
    world.request(&Principal::admin(), Request::Provision(update)).expect("an add-on");
}

fn new_group(world: &mut World) {
    let group = NodeGroup {
        name: "custom".to_owned(),
        instance_type: Some("t3.small".to_owned()),
        desired_capacity: Some(1),
        private_networking: Some(true),
        availability_zones: vec!["ap-northeast-2a".to_owned()],
        labels: [("pods".to_owned(), "custom".to_owned())].into(),
        ..NodeGroup::default()
    };
    let group = Provision::CreateNodegroup {
        cluster: "podpath".to_owned(),
        group: Box::new(group),
        care: api::kinds::eks::Care::Managed,
        mapped: true,
    };
    world.request(&Principal::admin(), Request::Provision(group)).expect("a node group");
}

fn eni_config(name: &str, subnet: &str, groups: &[&str]) -> Value {
    json!({"apiVersion": "crd.k8s.amazonaws.com/v1alpha1", "kind": "ENIConfig", "metadata": {"name": name},
        "spec": {"subnet": subnet, "securityGroups": groups}})
}

fn new_node(world: &World) -> (String, bool) {
    let is_new = |node: &&Node| node.metadata.labels.as_ref().is_some_and(|l| l.contains_key("pods"));
    let node = world.store().list::<Node>(HERE, None).find(is_new).expect("the node");
    let conditions = node.status.clone().unwrap().conditions.unwrap();
    (node.metadata.name.clone().unwrap(), conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

#[test]
fn pods_take_addresses_of_the_eni_configs_subnet_and_the_primary_eni_serves_none() {
    let mut world = fixture("tiny");
    let subnet = pod_subnet(&mut world, "ap-northeast-2a");
    switch_on(&mut world);
    create(&mut world, Kind::ENIConfig, eni_config("ap-northeast-2a", &subnet, &["cluster-sg"])).unwrap();
    settle(&mut world);
    new_group(&mut world);
    settle(&mut world);
    let (node, ready) = new_node(&world);
    assert!(ready);
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 8, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {
                "nodeSelector": {"pods": "custom"},
                "containers": [{"name": "web", "image": "registry.k8s.io/pause:3.10"}]}}}});
    create(&mut world, Kind::Deployment, deployment).unwrap();
    settle(&mut world);
    // t3.small: (3 - 1) ENIs x (4 - 1) addresses + 2 = 8 pods, two of them aws-node and kube-proxy on the host's network.
    let pool = world.store().get::<IpPool>(HERE, "", &node).unwrap();
    assert_eq!((pool.custom_networking, pool.max_pods), (true, 8));
    let web = world.store().list::<Pod>(HERE, Some("default"));
    let ips: Vec<String> = web.filter_map(|pod| pod.status.clone()?.pod_ip).collect();
    assert_eq!(ips.len(), 6, "{ips:?}");
    assert!(ips.iter().all(|ip| ip.starts_with("100.64.")), "{ips:?}");
    let of_node = world
        .store()
        .list::<Eni>(ClusterId::WORLD, None)
        .filter(|eni| pool.enis.iter().any(|held| Some(&held.name) == eni.metadata.name.as_ref()));
    for eni in of_node {
        let second = eni.device_index > 0;
        assert_eq!(eni.subnet == subnet, second, "{eni:?}");
        assert_eq!(eni.security_groups, ["cluster-sg"]);
        assert!(second || eni.secondary_ips.is_empty(), "{eni:?}");
    }
}

#[test]
fn a_node_without_its_eni_config_becomes_ready_when_it_comes() {
    let mut world = fixture("tiny");
    let subnet = pod_subnet(&mut world, "ap-northeast-2a");
    switch_on(&mut world);
    new_group(&mut world);
    settle(&mut world);
    let (node, ready) = new_node(&world);
    assert!(!ready);
    let pool = world.store().get::<IpPool>(HERE, "", &node).unwrap();
    let said = "eniconfig: eniconfig is not available; Failed to attach any ENIs for custom networking";
    assert_eq!(pool.error.as_deref(), Some(said));
    create(&mut world, Kind::ENIConfig, eni_config("ap-northeast-2a", &subnet, &[])).unwrap();
    pass(&mut world, 20);
    assert!(!new_node(&world).1, "ipamd has ended; its container waits for the liveness probe");
    pass(&mut world, 400);
    assert!(new_node(&world).1);
    assert_eq!(world.store().get::<IpPool>(HERE, "", &node).unwrap().error, None);
}

/// A subnet beside the nodes' own, with a tag.
fn tagged_subnet(world: &mut World, tag: &str) -> String {
    let subnet = pod_subnet(world, "ap-northeast-2a");
    tag_subnet(world, &subnet, tag);
    subnet
}

fn tag_subnet(world: &mut World, subnet: &str, tag: &str) {
    let tags = json!([{"Key": "kubernetes.io/role/cni", "Value": tag}]);
    ec2(world, "CreateTags", json!({"Resources": [subnet], "Tags": tags})).expect("a tag");
}

fn enis_in(world: &World, subnet: &str) -> usize {
    world.store().list::<Eni>(ClusterId::WORLD, None).filter(|eni| eni.subnet == subnet).count()
}

#[test]
fn new_enis_stand_in_the_tagged_subnet_that_has_most_room() {
    let mut world = fixture("tiny");
    let subnet = tagged_subnet(&mut world, "1");
    new_group(&mut world);
    settle(&mut world);
    set(&mut world, &json!({"MINIMUM_IP_TARGET": "5"}));
    settle(&mut world);
    assert_eq!(enis_in(&world, &subnet), 2, "one for each node of its zone");
    let mut world = fixture("tiny");
    let subnet = tagged_subnet(&mut world, "1");
    set(&mut world, &json!({"MINIMUM_IP_TARGET": "5", "ENABLE_SUBNET_DISCOVERY": "false"}));
    settle(&mut world);
    assert_eq!(enis_in(&world, &subnet), 0, "without discovery ENIs stand where their node stands");
}

#[test]
fn a_node_whose_subnet_is_kept_from_pods_takes_all_addresses_elsewhere() {
    let mut world = fixture("tiny");
    tag_subnet(&mut world, "private-a", "0");
    new_group(&mut world);
    settle(&mut world);
    let (node, _) = new_node(&world);
    let no_subnet = "no valid subnets available for ENI creation - all subnets are either not tagged or tagged with kubernetes.io/role/cni=0";
    let pool = world.store().get::<IpPool>(HERE, "", &node).unwrap().clone();
    assert_eq!((pool.error.as_deref(), pool.enis[0].excluded), (Some(no_subnet), true));
    let subnet = tagged_subnet(&mut world, "1");
    settle(&mut world);
    let pool = world.store().get::<IpPool>(HERE, "", &node).unwrap();
    assert_eq!(cni::figures(pool, pool.cooldown, world.now()).warm, 3);
    assert_eq!((pool.error.as_deref(), enis_in(&world, &subnet) > 0), (None, true));
}

#[test]
fn an_address_rests_as_long_as_the_environment_says() {
    let mut world = fixture("tiny");
    set(&mut world, &json!({"IP_COOLDOWN_PERIOD": "90"}));
    settle(&mut world);
    let pools = world.store().list::<IpPool>(HERE, None);
    assert!(pools.into_iter().all(|pool| pool.cooldown == SimDuration::secs(90)));
}

#[test]
fn aws_node_does_not_start_with_settings_that_its_entry_point_refuses() {
    let mut world = fixture("tiny");
    set(&mut world, &json!({"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "0"}));
    pass(&mut world, 120);
    let waiting = world.store().list::<Pod>(HERE, Some("kube-system")).any(|pod| {
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        statuses.into_iter().flatten().any(|it| {
            let waiting = it.state.as_ref().and_then(|state| state.waiting.as_ref());
            waiting.and_then(|it| it.reason.as_deref()) == Some("CrashLoopBackOff")
        })
    });
    assert!(waiting);
}

#[test]
fn an_eni_config_in_another_zone_helps_nobody() {
    let mut world = fixture("tiny");
    let subnet = pod_subnet(&mut world, "ap-northeast-2b");
    switch_on(&mut world);
    create(&mut world, Kind::ENIConfig, eni_config("ap-northeast-2a", &subnet, &[])).unwrap();
    new_group(&mut world);
    settle(&mut world);
    assert!(!new_node(&world).1);
    let left = world.store().list::<Eni>(ClusterId::WORLD, None).filter(|eni| eni.subnet == subnet).count();
    assert_eq!(left, 0, "what could not be attached is deleted again");
}

#[test]
fn a_cluster_without_the_vpc_cni_serves_no_eni_configs() {
    let mut world = fixture("kind1");
    let refused = create(&mut world, Kind::ENIConfig, eni_config("default", "x", &[])).unwrap_err();
    assert_eq!(refused, "the server could not find the requested resource");
}

#[test]
fn ec2_refuses_blocks_that_overlap_or_lie_outside() {
    let mut world = fixture("tiny");
    let subnet =
        |cidr: &str| json!({"VpcId": "main", "CidrBlock": cidr, "AvailabilityZone": "ap-northeast-2a"});
    let outside = ec2(&mut world, "CreateSubnet", subnet("100.64.0.0/24")).unwrap_err();
    assert!(outside.contains("(InvalidSubnet.Range)"), "{outside}");
    let taken = ec2(&mut world, "CreateSubnet", subnet("10.0.0.0/16")).unwrap_err();
    assert!(taken.contains("(InvalidSubnet.Conflict)"), "{taken}");
    let again = json!({"VpcId": "main", "CidrBlock": "10.0.0.0/16"});
    assert!(ec2(&mut world, "AssociateVpcCidrBlock", again).is_err());
}
