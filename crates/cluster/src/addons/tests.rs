//! Add-ons: their manifests, their settings, and what EKS does with both.

use api::{Kind, SimDuration, kinds::eks::Addon};
use serde_json::{Value, json};

use super::*;
use crate::{
    AwsRequest, ClusterId, Principal, Reply, Request, World, fixture::HERE, provision::tests::fixture,
};

#[test]
fn every_document_of_every_manifest_is_an_object() {
    for (manifest, count) in [
        (AWS_NODE, 6),
        (KUBE_PROXY, 4),
        (COREDNS, 4),
        (KIND, 9),
        (METRICS_SERVER, 9),
        (POD_IDENTITY_AGENT, 2),
    ] {
        assert_eq!(objects(manifest, &[("ENDPOINT", "https://x"), ("DNS", "10.96.0.10")]).len(), count);
    }
}

#[test]
fn coredns_keeps_off_fargate_unless_its_settings_say_otherwise() {
    let written = |values: Value| {
        let all = objects(COREDNS, &[("DNS", "10.96.0.10")]).into_iter();
        let all = all.map(|it| coredns_on_eks(it, &values));
        let set = all.into_iter().find(|it| it.kind() == Kind::Deployment).expect("a Deployment").to_value();
        set["spec"]["template"]["metadata"]["annotations"][COMPUTE_TYPE].clone()
    };
    assert_eq!(written(Value::Null), json!("ec2"));
    assert_eq!(written(json!({"computeType": "Fargate"})), Value::Null);
}

#[test]
fn configuration_values_change_the_environment() {
    let values = json!({"env": {"WARM_IP_TARGET": "2", "WARM_ENI_TARGET": "0"}});
    let all = configure::configured("vpc-cni", objects(AWS_NODE, &[]), &values);
    let daemon_set = all.iter().find(|o| o.kind() == Kind::DaemonSet).expect("a DaemonSet").to_value();
    let env = daemon_set["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
    assert!(env.contains(r#"{"name":"WARM_ENI_TARGET","value":"0"}"#));
    assert!(env.contains(r#"{"name":"WARM_IP_TARGET","value":"2"}"#));
}

fn eks(world: &mut World, action: &'static str, input: Value) -> Result<Value, String> {
    let mut input = input;
    input["clusterName"] = json!("podpath");
    let request = Request::Aws(AwsRequest { service: "eks", action, input });
    match world.request(&Principal::admin(), request) {
        Ok(Reply::Value(value)) => Ok(value),
        Ok(other) => panic!("{other:?}"),
        Err(no) => Err(no.to_string()),
    }
}

fn settle(world: &mut World) {
    world.settle(SimDuration::secs(600));
}

fn update(world: &mut World, env: &Value, resolve: &str) -> Result<Value, String> {
    let values = json!({ "env": env }).to_string();
    let done = eks(
        world,
        "UpdateAddon",
        json!({"addonName": "vpc-cni", "configurationValues": values, "resolveConflicts": resolve}),
    );
    settle(world);
    done
}

/// A variable of the DaemonSet.
fn env(world: &World, name: &str) -> Option<String> {
    crate::node::ipamd::settings(world.store(), HERE).get(name).cloned()
}

fn set_env(world: &mut World, name: &str, value: &str) {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "aws-node", "env": [{"name": name, "value": value}]}]}}}});
    let verb = crate::ApiVerb::Patch(crate::PatchKind::Strategic, patch);
    let request = crate::ApiRequest::new(HERE, verb, Kind::DaemonSet, "kube-system", "aws-node");
    world.request(&Principal::admin(), Request::Api(request)).expect("a patch");
    settle(world);
}

fn addon(world: &World, name: &str) -> Addon {
    world.store().get::<Addon>(ClusterId::WORLD, "", &format!("podpath/{name}")).expect("an add-on").clone()
}

#[test]
fn eksctls_own_addons_become_active() {
    let mut world = fixture("tiny");
    let listed = eks(&mut world, "ListAddons", json!({})).expect("a list");
    assert_eq!(listed["addons"], json!(["coredns", "kube-proxy", "vpc-cni"]));
    let shown = eks(&mut world, "DescribeAddon", json!({"addonName": "vpc-cni"})).expect("an add-on");
    assert_eq!(
        (&shown["addon"]["status"], &shown["addon"]["addonVersion"]),
        (&json!("ACTIVE"), &json!("v1.21.1-eksbuild.7"))
    );
    let no = eks(&mut world, "DescribeAddon", json!({"addonName": "nothing"})).expect_err("a refusal");
    assert!(no.ends_with("No addon: nothing found in cluster: podpath"), "{no}");
}

#[test]
fn settings_replace_those_before_and_are_checked() {
    let mut world = fixture("tiny");
    update(&mut world, &json!({"WARM_IP_TARGET": "2", "WARM_ENI_TARGET": "0"}), "NONE").expect("an update");
    assert_eq!(
        (env(&world, "WARM_IP_TARGET"), env(&world, "WARM_ENI_TARGET")),
        (Some("2".to_owned()), Some("0".to_owned()))
    );
    update(&mut world, &json!({}), "NONE").expect("an update");
    assert_eq!((env(&world, "WARM_IP_TARGET"), env(&world, "WARM_ENI_TARGET")), (None, Some("1".to_owned())));
    let no = update(&mut world, &json!({"WARM_IP_TARGET": 2}), "NONE").expect_err("a refusal");
    assert!(
        no.ends_with(
            "Json schema validation failed with error: [$.env.WARM_IP_TARGET: integer found, string expected]"
        ),
        "{no}"
    );
}

#[test]
fn what_somebody_else_has_set_is_a_conflict() {
    let mut world = fixture("tiny");
    set_env(&mut world, "WARM_ENI_TARGET", "3");
    set_env(&mut world, "MAX_ENI", "2");
    update(&mut world, &json!({"WARM_ENI_TARGET": "2"}), "NONE").expect("an update");
    let failed = addon(&world, "vpc-cni");
    assert_eq!(
        (failed.status.as_str(), failed.issues[0].code.as_str()),
        ("UPDATE_FAILED", "ConfigurationConflict")
    );
    let field = "DaemonSet.apps aws-node - .spec.template.spec.containers[name=\"aws-node\"].env[name=\"WARM_ENI_TARGET\"].value";
    assert!(failed.issues[0].message.ends_with(field), "{}", failed.issues[0].message);
    update(&mut world, &json!({"WARM_ENI_TARGET": "2"}), "PRESERVE").expect("an update");
    assert_eq!(
        (env(&world, "WARM_ENI_TARGET").as_deref(), addon(&world, "vpc-cni").status.as_str()),
        (Some("3"), "ACTIVE")
    );
    update(&mut world, &json!({"WARM_ENI_TARGET": "2"}), "OVERWRITE").expect("an update");
    assert_eq!(env(&world, "WARM_ENI_TARGET").as_deref(), Some("2"));
    assert_eq!(env(&world, "MAX_ENI").as_deref(), Some("2"), "what no manifest names is nobody's business");
}

#[test]
fn metrics_are_served_once_the_metrics_server_is_asked_for() {
    let mut world = fixture("duo");
    assert!(!crate::metrics::is_served(world.store(), HERE));
    let values = json!({"replicas": 1}).to_string();
    eks(&mut world, "CreateAddon", json!({"addonName": "metrics-server", "configurationValues": values}))
        .expect("an add-on");
    settle(&mut world);
    assert_eq!(addon(&world, "metrics-server").status, "ACTIVE");
    assert!(crate::metrics::is_served(world.store(), HERE));
}

#[test]
fn the_pod_identity_agent_runs_on_every_node() {
    let mut world = fixture("duo");
    eks(&mut world, "CreateAddon", json!({"addonName": "eks-pod-identity-agent"})).expect("an add-on");
    settle(&mut world);
    assert_eq!(addon(&world, "eks-pod-identity-agent").status, "ACTIVE");
    let set: Option<&api::k8s::apps::v1::DaemonSet> =
        world.store().get(HERE, "kube-system", "eks-pod-identity-agent");
    assert_eq!(set.and_then(|it| Some(it.status.as_ref()?.number_ready)), Some(2));
}

#[test]
fn coredns_scales_with_the_cluster_if_it_is_to() {
    let mut world = fixture("duo");
    let values = json!({"autoScaling": {"enabled": true, "minReplicas": 3, "maxReplicas": 5}}).to_string();
    eks(&mut world, "UpdateAddon", json!({"addonName": "coredns", "configurationValues": values}))
        .expect("an update");
    settle(&mut world);
    let set: &api::k8s::apps::v1::Deployment =
        world.store().get(HERE, "kube-system", "coredns").expect("CoreDNS");
    assert_eq!(set.spec.as_ref().and_then(|it| it.replicas), Some(3));
}

#[test]
fn coredns_without_room_is_degraded() {
    let mut world = fixture("tiny");
    let values = json!({"nodeSelector": {"there": "is-none"}}).to_string();
    eks(&mut world, "UpdateAddon", json!({"addonName": "coredns", "configurationValues": values}))
        .expect("an update");
    settle(&mut world);
    world.run_until(world.now() + SimDuration::secs(60), crate::Budget::COMMAND);
    let found = addon(&world, "coredns");
    assert_eq!(
        (found.status.as_str(), found.issues[0].code.as_str()),
        ("DEGRADED", "InsufficientNumberOfReplicas")
    );
}

#[test]
fn an_addon_goes_with_its_objects_and_comes_again() {
    let mut world = fixture("tiny");
    eks(&mut world, "DeleteAddon", json!({"addonName": "kube-proxy"})).expect("a deletion");
    settle(&mut world);
    let set = |world: &World| {
        world.store().get::<api::k8s::apps::v1::DaemonSet>(HERE, "kube-system", "kube-proxy").is_some()
    };
    assert!(!set(&world));
    let wrong = json!({"addonName": "kube-proxy", "addonVersion": "v1.20.0-eksbuild.1"});
    let no = eks(&mut world, "CreateAddon", wrong).expect_err("a refusal");
    assert!(no.ends_with("Addon version specified is not supported"), "{no}");
    eks(&mut world, "CreateAddon", json!({"addonName": "kube-proxy"})).expect("an add-on");
    settle(&mut world);
    assert_eq!((set(&world), addon(&world, "kube-proxy").status.as_str()), (true, "ACTIVE"));
    let no = eks(&mut world, "CreateAddon", json!({"addonName": "kube-proxy"})).expect_err("a refusal");
    assert!(no.ends_with("Addon already exists."), "{no}");
}
