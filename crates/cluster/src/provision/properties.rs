//! Rules that hold whatever is asked: no address twice, none outside its subnet, no node over capacity, accounts exact.

use api::{
    Kind, SimDuration,
    k8s::core::v1::Pod,
    kinds::aws::{EniOwner, Instance},
    kinds::{cni::PoolMode, eksctl::NodeGroup},
};
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::json;

use super::tests::fixture;
use crate::{
    ActorId, ApiRequest, ApiVerb, AwsRequest, Budget, ClusterId, PatchKind, Principal, Propagation,
    Provision, Request, Turn, World, check,
    cloud::eni::{self, NewEni},
};

const HERE: ClusterId = ClusterId(1);

/// One thing that a learner may do.
#[derive(Clone, Debug)]
enum Deed {
    Replicas(u32),
    Nodes(u32),
    Environment(&'static str),
    MaxPods(u32),
    DeletePod(usize),
    Instance(&'static str, usize),
    NewGroup(u32),
    Pass(u64),
    Settle,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..40_u32).prop_map(Deed::Replicas),
        2 => (0..4_u32).prop_map(Deed::Nodes),
        1 => prop_oneof![
            Just(r#"{"env": {"ENABLE_PREFIX_DELEGATION": "true"}}"#),
            Just(r#"{"env": {"WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": "5"}}"#),
            Just(r#"{"env": {"WARM_ENI_TARGET": "0"}}"#),
        ].prop_map(Deed::Environment),
        1 => (5..60_u32).prop_map(Deed::MaxPods),
        2 => (0..40_usize).prop_map(Deed::DeletePod),
        1 => (prop_oneof![Just("StopInstances"), Just("StartInstances"), Just("TerminateInstances")], 0..4_usize)
            .prop_map(|(action, at)| Deed::Instance(action, at)),
        1 => (1..3_u32).prop_map(Deed::NewGroup),
        3 => (1..90_u64).prop_map(Deed::Pass),
        2 => Just(Deed::Settle),
    ]
}

/// Does it; what is refused is refused.
fn perform(world: &mut World, deed: &Deed) {
    let admin = Principal::admin();
    let cluster = || "podpath".to_owned();
    let request = match deed {
        Deed::Replicas(replicas) => Request::Api(ApiRequest::new(
            HERE,
            ApiVerb::Patch(PatchKind::Merge, json!({"spec": {"replicas": replicas}})),
            Kind::Deployment,
            "default",
            "web",
        )),
        Deed::Nodes(nodes) => Request::Provision(Provision::ScaleNodegroup {
            cluster: cluster(),
            name: "small".to_owned(),
            desired: Some(*nodes),
            min: None,
            max: None,
        }),
        Deed::Environment(settings) => Request::Provision(Provision::UpdateAddon {
            cluster: cluster(),
            name: "vpc-cni".to_owned(),
            configuration_values: (*settings).to_owned(),
        }),
        Deed::MaxPods(max_pods) => Request::Provision(Provision::SetMaxPods {
            cluster: HERE,
            node: "worker-a".to_owned(),
            max_pods: *max_pods,
        }),
        Deed::DeletePod(at) => {
            let pods: Vec<String> = world
                .store()
                .list::<Pod>(HERE, Some("default"))
                .filter_map(|pod| pod.metadata.name.clone())
                .collect();
            let Some(name) = pods.get(at % pods.len().max(1)) else { return };
            let verb = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
            Request::Api(ApiRequest::new(HERE, verb, Kind::Pod, "default", name))
        }
        Deed::Instance(action, at) => {
            let all: Vec<String> = world
                .store()
                .list::<Instance>(ClusterId::WORLD, None)
                .filter_map(|it| it.metadata.name.clone())
                .collect();
            let Some(id) = all.get(at % all.len().max(1)) else { return };
            Request::Aws(AwsRequest { service: "ec2", action, input: json!({"InstanceIds": [id]}) })
        }
        Deed::NewGroup(nodes) => {
            let group = NodeGroup {
                name: "more".to_owned(),
                instance_type: Some("t3.medium".to_owned()),
                desired_capacity: Some(*nodes),
                private_networking: Some(true),
                ..NodeGroup::default()
            };
            Request::Provision(Provision::CreateNodegroup {
                cluster: cluster(),
                group: Box::new(group),
                care: api::kinds::eks::Care::Managed,
                mapped: true,
            })
        }
        Deed::Pass(seconds) => {
            world.run_until(world.now() + SimDuration::secs(*seconds), Budget::COMMAND);
            return;
        }
        Deed::Settle => {
            world.settle(SimDuration::secs(600));
            return;
        }
    };
    let _ = world.request(&admin, request);
}

#[test]
fn no_sequence_of_deeds_breaks_a_rule() {
    let mut base = fixture("tiny");
    let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "registry.k8s.io/pause:3.10"}]}}}});
    super::lay::apply(&mut base, &manifest).expect("a Deployment");
    base.settle(SimDuration::secs(600));
    proptest!(ProptestConfig { cases: 40, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() },
        |(deeds in prop::collection::vec(deed(), 1..12))| {
        let mut world = base.clone();
        for deed in &deeds {
            perform(&mut world, deed);
            prop_assert_eq!(check::broken(&world), Vec::<String>::new(), "after {:?}", deed);
        }
        world.settle(SimDuration::secs(900));
        prop_assert_eq!(check::broken(&world), Vec::<String>::new(), "at rest");
    });
}

/// One call of EC2 on its own.
#[derive(Clone, Copy, Debug)]
enum Call {
    Create { slots: u32, prefix: bool },
    Assign { at: usize, count: u32, prefix: bool },
    Unassign { at: usize },
    Delete { at: usize },
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (0..6_u32, any::<bool>()).prop_map(|(slots, prefix)| Call::Create { slots, prefix }),
        (0..9_usize, 1..6_u32, any::<bool>()).prop_map(|(at, count, prefix)| Call::Assign {
            at,
            count,
            prefix
        }),
        (0..9_usize).prop_map(|at| Call::Unassign { at }),
        (0..9_usize).prop_map(|at| Call::Delete { at }),
    ]
}

#[test]
fn subnet_accounting_is_exact_after_any_sequence_of_calls() {
    let base = fixture("tiny");
    proptest!(ProptestConfig { cases: 200, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..ProptestConfig::default() },
        |(calls in prop::collection::vec(call(), 1..40))| {
        let mut world = base.clone();
        let mut made: Vec<String> = Vec::new();
        for call in calls {
            let mut turn = Turn::new(&mut world, ActorId("test"), ClusterId::WORLD, None);
            let mode = |prefix| if prefix { PoolMode::Prefix } else { PoolMode::SecondaryIp };
            let pick = |made: &[String], at: usize| made.get(at % made.len().max(1)).cloned().unwrap_or_default();
            match call {
                Call::Create { slots, prefix } => made.extend(eni::create(&mut turn, NewEni {
                    operation: "CreateNetworkInterface",
                    subnet: "private-a",
                    slots,
                    mode: mode(prefix),
                    owner: EniOwner::Instance,
                    security_groups: Vec::new(),
                    address: None,
                    description: String::new(),
                }).ok()),
                Call::Assign { at, count, prefix } => {
                    let _ = eni::assign(&mut turn, &pick(&made, at), count, mode(prefix));
                }
                Call::Unassign { at } => {
                    let name = pick(&made, at);
                    let blocks: Vec<_> = eni::get(turn.store(), &name)
                        .map(|eni| eni::blocks_of(eni).into_iter().rev().take(2).collect())
                        .unwrap_or_default();
                    eni::unassign(&mut turn, &name, &blocks);
                }
                Call::Delete { at } => {
                    let name = pick(&made, at);
                    eni::delete(&mut turn, &name);
                    made.retain(|other| *other != name);
                }
            }
            prop_assert_eq!(check::broken(&world), Vec::<String>::new(), "after {:?}", call);
        }
    });
}
