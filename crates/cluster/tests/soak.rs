//! Does everything that must hold in a world hold after any sequence of operations?
//!
//! Learners' requests, AWS calls, faults and the passing of time, drawn at random, on clusters that are short of addresses;
//! [`check::broken`] looks at the whole world after each. `cargo xtask soak` draws ten times as many: it sets `PODPATH_SOAK`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::core::v1::{Node, Pod},
    kinds::aws::{Eni, Instance, Subnet},
    kinds::eks::Nodegroup,
};
use cluster::{
    ApiRequest, ApiVerb, AwsRequest, Budget, ClusterId, PatchKind, Principal, Propagation, Provision,
    Request, Scenario, World, check, parts::Fault,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};

const HERE: ClusterId = ClusterId(1);
/// How many operations are drawn, unless the environment says otherwise.
const OPERATIONS: u32 = 100_000;
/// How many follow one another in one world.
const LENGTH: u32 = 50;

/// One operation. A number picks among what is there, so that it means something in every world.
#[derive(Clone, Debug)]
enum Op {
    Deploy(u8, u8),
    Scale(u8, u8),
    Image(u8, u8),
    DeleteDeployment(u8),
    DeletePod(u16, bool),
    Evict(u16),
    Setting(u8, u8),
    Cordon(u8, bool),
    DeleteNode(u8),
    MaxPods(u8, u8),
    Group(u8, u8),
    Instance(u8, u8),
    Interface(u8),
    DeleteInterface(u8),
    Reserve(u8, u8, bool),
    Stop(u8, u8),
    Clear,
    Millis(u16),
    Seconds(u16),
}

/// Variables of `aws-node`, and values that change something.
const SETTINGS: [(&str, &[&str]); 6] = [
    ("WARM_ENI_TARGET", &["0", "1", "2"]),
    ("WARM_IP_TARGET", &["", "1", "3", "8"]),
    ("MINIMUM_IP_TARGET", &["", "2", "10"]),
    ("WARM_PREFIX_TARGET", &["", "1", "2"]),
    ("ENABLE_PREFIX_DELEGATION", &["true", "false"]),
    ("MAX_ENI", &["", "1", "2"]),
];

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let one = prop_oneof![
        3 => (0..3_u8, 0..12_u8).prop_map(|(a, n)| Op::Deploy(a, n)),
        5 => (0..3_u8, 0..25_u8).prop_map(|(a, n)| Op::Scale(a, n)),
        1 => (0..3_u8, 0..4_u8).prop_map(|(a, n)| Op::Image(a, n)),
        1 => (0..3_u8).prop_map(Op::DeleteDeployment),
        3 => any::<(u16, bool)>().prop_map(|(at, now)| Op::DeletePod(at, now)),
        1 => any::<u16>().prop_map(Op::Evict),
        3 => any::<(u8, u8)>().prop_map(|(name, value)| Op::Setting(name, value)),
        1 => any::<(u8, bool)>().prop_map(|(at, on)| Op::Cordon(at, on)),
        1 => any::<u8>().prop_map(Op::DeleteNode),
        1 => (any::<u8>(), 0..20_u8).prop_map(|(at, n)| Op::MaxPods(at, n)),
        1 => (any::<u8>(), 0..5_u8).prop_map(|(at, n)| Op::Group(at, n)),
        2 => any::<(u8, u8)>().prop_map(|(at, what)| Op::Instance(at, what)),
        2 => any::<u8>().prop_map(Op::Interface),
        1 => any::<u8>().prop_map(Op::DeleteInterface),
        1 => any::<(u8, u8, bool)>().prop_map(|(at, block, explicit)| Op::Reserve(at, block, explicit)),
        1 => any::<(u8, u8)>().prop_map(|(part, at)| Op::Stop(part, at)),
        1 => Just(Op::Clear),
        6 => (0..4_000_u16).prop_map(Op::Millis),
        1 => (0..120_u16).prop_map(Op::Seconds),
    ];
    proptest::collection::vec(one, LENGTH as usize)
}

fn fixture(name: &str) -> World {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons/fixtures").join(name);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a fixture")
        .map(|entry| entry.expect("a file").path())
        .map(|path| (path.to_string_lossy().into_owned(), std::fs::read_to_string(&path).expect("text")))
        .collect();
    files.sort();
    World::new(&Scenario::read(&files).expect("a scenario"), 7).expect("a world")
}

/// Asks; a refusal is an answer, too.
fn ask(world: &mut World, kind: Kind, (namespace, name): (&str, &str), verb: ApiVerb) {
    let request = ApiRequest::new(HERE, verb, kind, namespace, name);
    drop(world.request(&Principal::admin(), Request::Api(request)));
}

fn ec2(world: &mut World, action: &'static str, input: Value) {
    let request = Request::Aws(AwsRequest { service: "ec2", action, input });
    drop(world.request(&Principal::admin(), request));
}

fn provision(world: &mut World, what: Provision) {
    drop(world.request(&Principal::admin(), Request::Provision(what)));
}

/// One of several names; none of none.
fn one_of(names: Vec<String>, at: impl Into<usize>) -> Option<String> {
    let at = at.into().checked_rem(names.len())?;
    names.into_iter().nth(at)
}

fn named<'n>(names: impl Iterator<Item = &'n Option<String>>) -> Vec<String> {
    names.flatten().cloned().collect()
}

fn node(world: &World, at: u8) -> Option<String> {
    one_of(named(world.store().list::<Node>(HERE, None).map(|it| &it.metadata.name)), at)
}

fn subnet(world: &World, at: u8) -> Option<(String, ipnet::Ipv4Net)> {
    let all: Vec<&Subnet> = world.store().list::<Subnet>(ClusterId::WORLD, None).collect();
    let it = all.get(usize::from(at).checked_rem(all.len())?)?;
    Some((it.metadata.name.clone()?, it.cidr))
}

fn pod(world: &World, at: u16) -> Option<(String, String)> {
    let all: Vec<&Pod> = world.store().list::<Pod>(HERE, None).collect();
    let meta = &all.get(usize::from(at).checked_rem(all.len())?)?.metadata;
    Some((meta.namespace.clone()?, meta.name.clone()?))
}

fn deployment(name: &str, replicas: u8) -> Value {
    json!({"metadata": {"name": name}, "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}}}})
}

fn play(world: &mut World, op: &Op) -> Option<()> {
    let of = |a: &u8| format!("d{a}");
    match op {
        Op::Deploy(a, n) => {
            ask(world, Kind::Deployment, ("default", ""), ApiVerb::Create(deployment(&of(a), *n)));
        }
        Op::Scale(a, n) => {
            let patch = ApiVerb::Patch(PatchKind::Merge, json!({"spec": {"replicas": n}}));
            ask(world, Kind::Deployment, ("default", &of(a)), patch);
        }
        Op::Image(a, n) => {
            let containers = json!([{"name": "web", "image": format!("nginx:1.{n}")}]);
            let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            let patch = ApiVerb::Patch(PatchKind::Strategic, patch);
            ask(world, Kind::Deployment, ("default", &of(a)), patch);
        }
        Op::DeleteDeployment(a) => {
            let delete = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
            ask(world, Kind::Deployment, ("default", &of(a)), delete);
        }
        Op::DeletePod(at, now) => {
            let (namespace, name) = pod(world, *at)?;
            let grace = now.then_some(0);
            let delete = ApiVerb::Delete { grace, propagation: Propagation::Background };
            ask(world, Kind::Pod, (&namespace, &name), delete);
        }
        Op::Evict(at) => {
            let (namespace, name) = pod(world, *at)?;
            let eviction = json!({"metadata": {"name": name, "namespace": namespace}});
            let request = ApiRequest::new(HERE, ApiVerb::Create(eviction), Kind::Pod, &namespace, &name);
            let request = request.of("eviction");
            drop(world.request(&Principal::admin(), Request::Api(request)));
        }
        Op::Setting(name, value) => {
            let (name, values) = SETTINGS[usize::from(*name) % SETTINGS.len()];
            let value = values[usize::from(*value) % values.len()];
            let env = match value {
                "" => json!({"name": name, "$patch": "delete"}),
                value => json!({"name": name, "value": value}),
            };
            let patch =
                json!({"spec": {"template": {"spec": {"containers": [{"name": "aws-node", "env": [env]}]}}}});
            let patch = ApiVerb::Patch(PatchKind::Strategic, patch);
            ask(world, Kind::DaemonSet, ("kube-system", "aws-node"), patch);
        }
        Op::Cordon(at, on) => {
            let node = node(world, *at)?;
            let patch = ApiVerb::Patch(PatchKind::Merge, json!({"spec": {"unschedulable": on}}));
            ask(world, Kind::Node, ("", &node), patch);
        }
        Op::DeleteNode(at) => {
            let node = node(world, *at)?;
            let delete = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
            ask(world, Kind::Node, ("", &node), delete);
        }
        Op::MaxPods(at, n) => {
            let node = node(world, *at)?;
            provision(world, Provision::SetMaxPods { cluster: HERE, node, max_pods: u32::from(*n) });
        }
        Op::Group(at, n) => {
            let node = node(world, *at)?;
            let labels = world.store().get::<Node>(HERE, "", &node)?.metadata.labels.as_ref()?;
            let name = labels.get("eks.amazonaws.com/nodegroup")?.clone();
            let cluster = world.store().list::<Nodegroup>(ClusterId::WORLD, None).next()?.cluster.clone();
            let desired = Some(u32::from(*n));
            provision(world, Provision::ScaleNodegroup { cluster, name, desired, min: None, max: None });
        }
        Op::Instance(at, what) => {
            let all = world.store().list::<Instance>(ClusterId::WORLD, None);
            let id = one_of(named(all.map(|it| &it.metadata.name)), *at)?;
            let actions = ["StopInstances", "StartInstances", "StartInstances", "TerminateInstances"];
            ec2(world, actions[usize::from(*what) % actions.len()], json!({"InstanceIds": [id]}));
        }
        Op::Interface(at) => {
            let (subnet, _) = subnet(world, *at)?;
            ec2(world, "CreateNetworkInterface", json!({"SubnetId": subnet}));
        }
        Op::DeleteInterface(at) => {
            let all = world.store().list::<Eni>(ClusterId::WORLD, None);
            let id = one_of(named(all.map(|it| &it.metadata.name)), *at)?;
            ec2(world, "DeleteNetworkInterface", json!({"NetworkInterfaceId": id}));
        }
        Op::Reserve(at, block, explicit) => {
            let (subnet, cidr) = subnet(world, *at)?;
            let blocks: Vec<ipnet::Ipv4Net> = cidr.subnets(28).ok()?.collect();
            let cidr = blocks[usize::from(*block) % blocks.len()].to_string();
            let kind = if *explicit { "explicit" } else { "prefix" };
            let input = json!({"SubnetId": subnet, "Cidr": cidr, "ReservationType": kind});
            ec2(world, "CreateSubnetCidrReservation", input);
        }
        Op::Stop(part, at) => {
            let node = node(world, *at)?;
            let parts = ["scheduler", "controller-manager", "etcd-a", "kube-apiserver"];
            let fault = match part % 6 {
                0 => Fault::Kubelet(node),
                1 => Fault::Runtime(node),
                other => Fault::Part(parts[usize::from(other) - 2].to_owned()),
            };
            provision(world, Provision::Stop { cluster: HERE, fault });
        }
        Op::Clear => provision(world, Provision::Clear { cluster: HERE, fault: None }),
        Op::Millis(millis) => pass(world, SimDuration::millis(u64::from(*millis))),
        Op::Seconds(seconds) => pass(world, SimDuration::secs(u64::from(*seconds))),
    }
    Some(())
}

fn pass(world: &mut World, time: SimDuration) {
    let ran = world.run_until(world.now() + time, Budget::COMMAND);
    assert_eq!(ran.ended, cluster::Ended::Reached, "the world chases its own tail");
}

/// A share of the operations, in worlds that begin as a fixture.
fn soak(name: &str, share: u32) {
    let wanted = std::env::var("PODPATH_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(OPERATIONS);
    let start = fixture(name);
    let cases = (wanted / share).div_ceil(LENGTH);
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    let outcome = runner.run(&ops(), |ops| {
        let mut world = start.clone();
        for (count, op) in ops.iter().enumerate() {
            play(&mut world, op);
            let broken = check::broken(&world);
            prop_assert!(broken.is_empty(), "after operation {count}, {op:?}: {broken:#?}");
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// Nodes of the smallest types in subnets of sixteen addresses.
#[test]
fn every_invariant_holds_where_addresses_are_short() {
    soak("narrow", 2);
}

#[test]
fn every_invariant_holds_where_pools_are_warm() {
    soak("pool", 4);
}

#[test]
fn every_invariant_holds_in_two_zones() {
    soak("duo", 4);
}
