#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, Resource, SimDuration,
    k8s::{
        apps::v1::{Deployment, ReplicaSet},
        core::v1::{Event, Pod, PodCondition},
    },
};
use serde_json::{Value, json};

use crate::{
    ActorId, ApiRequest, ApiVerb, Budget, Principal, Propagation, Request, Turn, World,
    fixture::{HERE, cluster, config, create, delete, get, list, merge, settle},
};

fn deployment(name: &str, replicas: i32, image: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "nginx", "image": image}]}}}})
}

/// Every pod becomes ready, as a kubelet would say.
pub(super) fn make_ready(world: &mut World) {
    for name in list(world, Kind::Pod, "default", "", "").unwrap() {
        let mut turn = Turn::new(world, ActorId("kubelet"), HERE, None);
        let stamp = turn.stamp();
        let written = turn.patch_status::<Pod>("default", &name, |pod| {
            let status = pod.status.get_or_insert_default();
            status.phase = Some("Running".to_owned());
            status.pod_ip.get_or_insert_with(|| format!("10.1.0.{}", name.len()));
            status.conditions = Some(vec![PodCondition {
                type_: "Ready".to_owned(),
                status: "True".to_owned(),
                last_transition_time: Some(stamp),
                ..PodCondition::default()
            }]);
        });
        written.unwrap();
    }
    settle(world);
}

pub(super) fn messages(world: &World, reason: &str) -> Vec<String> {
    let events = world.store().list::<Event>(HERE, None);
    let chosen = events.filter(|event| event.reason.as_deref() == Some(reason));
    chosen.map(|event| event.message.clone().unwrap_or_default()).collect()
}

fn sets(world: &World) -> Vec<(i32, Option<String>)> {
    let revision = |set: &ReplicaSet| {
        set.metadata.annotations.as_ref()?.get("deployment.kubernetes.io/revision").cloned()
    };
    let mut sets: Vec<_> = world
        .store()
        .list::<ReplicaSet>(HERE, Some("default"))
        .map(|set| (set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(-1), revision(set)))
        .collect();
    sets.sort_by(|a, b| a.1.cmp(&b.1));
    sets
}

fn reason(world: &World, type_: &str) -> String {
    let deployment = world.store().get::<Deployment>(HERE, "default", "web").unwrap();
    let conditions = deployment.status.as_ref().unwrap().conditions.as_ref().unwrap();
    conditions
        .iter()
        .find(|it| it.type_ == type_)
        .map(|it| it.reason.clone().unwrap_or_default())
        .unwrap_or_default()
}

#[test]
fn a_deployment_makes_a_set_and_the_set_makes_pods() {
    let mut world = cluster();
    create(&mut world, deployment("web", 3, "nginx:1.27")).unwrap();
    settle(&mut world);
    let pods = list(&mut world, Kind::Pod, "default", "", "").unwrap();
    let set = list(&mut world, Kind::ReplicaSet, "default", "", "").unwrap().remove(0);
    assert_eq!(pods.len(), 3);
    assert!(
        pods.iter().all(|pod| pod.starts_with(&format!("{set}-")) && pod.len() == set.len() + 6),
        "{pods:?}"
    );
    assert_eq!(messages(&world, "ScalingReplicaSet"), [format!("Scaled up replica set {set} from 0 to 3")]);
    assert_eq!(messages(&world, "SuccessfulCreate").len(), 3);
    assert_eq!(reason(&world, "Available"), "MinimumReplicasUnavailable");
    make_ready(&mut world);
    assert_eq!(reason(&world, "Available"), "MinimumReplicasAvailable");
    assert_eq!(reason(&world, "Progressing"), "NewReplicaSetAvailable");
    let web = get(&mut world, Kind::Deployment, "web").unwrap();
    assert_eq!(web.meta().generation, Some(1));
    assert_eq!(web.meta().annotations.as_ref().unwrap()["deployment.kubernetes.io/revision"], "1");
}

#[test]
fn a_new_template_moves_pods_within_surge_and_unavailable() {
    let mut world = cluster();
    create(&mut world, deployment("web", 3, "nginx:1.27")).unwrap();
    settle(&mut world);
    make_ready(&mut world);
    create_image(&mut world, "nginx:1.28");
    // 25 % of 3: one more, none less.
    assert_eq!(sets(&world), [(3, Some("1".into())), (1, Some("2".into()))]);
    make_ready(&mut world);
    make_ready(&mut world);
    make_ready(&mut world);
    assert_eq!(sets(&world), [(0, Some("1".into())), (3, Some("2".into()))]);
    create_image(&mut world, "nginx:1.27");
    for _ in 0..4 {
        make_ready(&mut world);
    }
    assert_eq!(sets(&world), [(0, Some("2".into())), (3, Some("3".into()))], "the old set is used again");
}

fn create_image(world: &mut World, image: &str) {
    let containers = json!([{"name": "nginx", "image": image}]);
    merge(
        world,
        Kind::Deployment,
        "web",
        json!({"spec": {"template": {"spec": {"containers": containers}}}}),
    )
    .unwrap();
    settle(world);
}

#[test]
fn scaling_keeps_the_set_and_says_from_and_to() {
    let mut world = cluster();
    create(&mut world, deployment("web", 3, "nginx:1.27")).unwrap();
    settle(&mut world);
    make_ready(&mut world);
    merge(&mut world, Kind::Deployment, "web", json!({"spec": {"replicas": 5}})).unwrap();
    settle(&mut world);
    make_ready(&mut world);
    merge(&mut world, Kind::Deployment, "web", json!({"spec": {"replicas": 0}})).unwrap();
    settle(&mut world);
    let set = list(&mut world, Kind::ReplicaSet, "default", "", "").unwrap().remove(0);
    assert_eq!(
        messages(&world, "ScalingReplicaSet"),
        [
            format!("Scaled up replica set {set} from 0 to 3"),
            format!("Scaled up replica set {set} from 3 to 5"),
            format!("Scaled down replica set {set} from 5 to 0"),
        ]
    );
}

#[test]
fn a_deleted_pod_is_replaced() {
    let mut world = cluster();
    create(&mut world, deployment("web", 2, "nginx:1.27")).unwrap();
    settle(&mut world);
    let before = list(&mut world, Kind::Pod, "default", "", "").unwrap();
    delete(&mut world, Kind::Pod, &before[0]).unwrap();
    settle(&mut world);
    let after = list(&mut world, Kind::Pod, "default", "", "").unwrap();
    assert_eq!(after.len(), 2);
    assert!(!after.contains(&before[0]));
}

#[test]
fn what_a_deleted_owner_owned_goes_too_unless_it_is_orphaned() {
    for (propagation, left) in
        [(Propagation::Background, 0), (Propagation::Foreground, 0), (Propagation::Orphan, 1)]
    {
        let mut world = cluster();
        create(&mut world, deployment("web", 2, "nginx:1.27")).unwrap();
        settle(&mut world);
        let verb = ApiVerb::Delete { grace: None, propagation };
        let request = ApiRequest::new(HERE, verb, Kind::Deployment, "default", "web");
        world.request(&Principal::admin(), Request::Api(request)).unwrap();
        settle(&mut world);
        assert!(get(&mut world, Kind::Deployment, "web").is_err(), "{propagation:?}");
        assert_eq!(
            list(&mut world, Kind::ReplicaSet, "default", "", "").unwrap().len(),
            left,
            "{propagation:?}"
        );
        assert_eq!(
            list(&mut world, Kind::Pod, "default", "", "").unwrap().len(),
            2 * left,
            "{propagation:?}"
        );
    }
}

#[test]
fn a_namespace_takes_everything_in_it_along() {
    let mut world = cluster();
    create(&mut world, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
        .unwrap();
    let mut inside = config("c");
    inside["metadata"]["namespace"] = json!("shop");
    create(&mut world, inside).unwrap();
    settle(&mut world);
    assert_eq!(list(&mut world, Kind::ServiceAccount, "shop", "", "").unwrap(), ["default"]);
    delete(&mut world, Kind::Namespace, "shop").unwrap();
    assert_eq!(
        get(&mut world, Kind::Namespace, "shop").unwrap().to_value()["status"]["phase"],
        "Terminating"
    );
    world.run_until(world.now() + SimDuration::secs(4), Budget::COMMAND);
    assert_eq!(
        list(&mut world, Kind::ConfigMap, "shop", "", "").unwrap().len(),
        2,
        "it is left alone at first"
    );
    world.run_until(world.now() + SimDuration::secs(2), Budget::COMMAND);
    assert!(get(&mut world, Kind::Namespace, "shop").is_err());
    assert!(list(&mut world, Kind::ConfigMap, "shop", "", "").unwrap().is_empty());
}

#[test]
fn a_pod_may_come_into_a_namespace_of_this_instant() {
    let mut world = cluster();
    create(&mut world, json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}))
        .unwrap();
    let mut pod = crate::fixture::pod("web");
    pod["metadata"]["namespace"] = json!("shop");
    create(&mut world, pod).unwrap();
}

#[test]
fn a_service_has_its_ready_pods_in_a_slice_and_in_endpoints() {
    let mut world = cluster();
    create(&mut world, deployment("web", 2, "nginx:1.27")).unwrap();
    create(
        &mut world,
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
    )
    .unwrap();
    settle(&mut world);
    let slices =
        list(&mut world, Kind::EndpointSlice, "default", "kubernetes.io/service-name=web", "").unwrap();
    assert_eq!(slices.len(), 1);
    let slice = get(&mut world, Kind::EndpointSlice, &slices[0]).unwrap().to_value();
    assert_eq!(slice["endpoints"], json!([]));
    make_ready(&mut world);
    let slice = get(&mut world, Kind::EndpointSlice, &slices[0]).unwrap().to_value();
    assert_eq!(slice["endpoints"].as_array().unwrap().len(), 2);
    assert_eq!(slice["endpoints"][0]["conditions"]["ready"], true);
    assert_eq!(slice["ports"], json!([{"name": "", "port": 80, "protocol": "TCP"}]));
    let endpoints = get(&mut world, Kind::Endpoints, "web").unwrap().to_value();
    assert_eq!(endpoints["subsets"][0]["ports"], json!([{"port": 80, "protocol": "TCP"}]));
    delete(&mut world, Kind::Service, "web").unwrap();
    settle(&mut world);
    assert!(get(&mut world, Kind::Endpoints, "web").is_err());
    assert!(get(&mut world, Kind::EndpointSlice, &slices[0]).is_err());
}

#[test]
fn a_pod_that_matches_and_has_no_owner_is_adopted_and_counts() {
    let mut world = cluster();
    let mut pod = crate::fixture::pod("lone");
    pod["metadata"]["labels"] = json!({"app": "web"});
    create(&mut world, pod).unwrap();
    let mut set = deployment("web", 2, "nginx:1.27");
    set["kind"] = json!("ReplicaSet");
    create(&mut world, set).unwrap();
    settle(&mut world);
    assert_eq!(list(&mut world, Kind::Pod, "default", "", "").unwrap().len(), 2);
    assert!(get(&mut world, Kind::Pod, "lone").unwrap().meta().owner_references.is_some());
}

#[test]
fn settling_does_not_wait_for_a_deadline() {
    let mut world = cluster();
    create(&mut world, deployment("web", 1, "nginx:1.27")).unwrap();
    let before = world.now();
    settle(&mut world);
    assert!(world.now().since(before) < SimDuration::secs(5));
    world.run_until(before + SimDuration::secs(700), Budget::COMMAND);
    assert_eq!(reason(&world, "Progressing"), "ProgressDeadlineExceeded");
    assert!(ReplicaSet::KIND.info().simulated);
}

#[test]
fn a_budget_lets_go_what_is_healthy_beyond_it() {
    let mut world = cluster();
    create(&mut world, deployment("web", 2, "nginx:1.27")).unwrap();
    create(
        &mut world,
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "p"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}),
    )
    .unwrap();
    settle(&mut world);
    make_ready(&mut world);
    let pods = list(&mut world, Kind::Pod, "default", "", "").unwrap();
    let mut evict = |name: &str| {
        let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
        let request = ApiRequest::new(HERE, ApiVerb::Create(body), Kind::Pod, "default", name).of("eviction");
        world.request(&Principal::admin(), Request::Api(request)).map(drop).map_err(|it| it.to_string())
    };
    evict(&pods[0]).unwrap();
    assert_eq!(
        evict(&pods[1]).unwrap_err(),
        "Cannot evict pod as it would violate the pod's disruption budget."
    );
}

fn taints(world: &mut World) -> Vec<String> {
    let node = get(world, Kind::Node, "a").unwrap().to_value();
    let taints = node["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let word = |it: &Value| format!("{}:{}", it["key"].as_str().unwrap(), it["effect"].as_str().unwrap());
    taints.iter().map(word).collect()
}

/// Recorded from a real controller: a control plane that hears from no node at all blames itself.
#[test]
fn the_last_node_falls_silent_and_keeps_its_pods() {
    let mut world = cluster();
    node_with_pod(&mut world);
    stop_kubelet(&mut Turn::new(&mut world, ActorId("test"), HERE, None), true);
    world.run_until(world.now() + SimDuration::secs(600), Budget::COMMAND);
    assert_eq!(taints(&mut world), ["node.kubernetes.io/unreachable:NoSchedule"]);
    assert!(get(&mut world, Kind::Pod, "web").unwrap().meta().deletion_timestamp.is_none());
}

/// A node whose kubelet runs, with one running pod on it.
fn node_with_pod(world: &mut World) {
    let node = json!({"metadata": {"name": "a"}, "status": {
        "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"},
        "conditions": [{"type": "Ready", "status": "True"}]}});
    let node: api::k8s::core::v1::Node = serde_json::from_value(node).unwrap();
    let mut turn = Turn::new(world, ActorId("kubelet"), HERE, None);
    turn.create(node).unwrap();
    stop_kubelet(&mut turn, false);
    let mut pod = crate::fixture::pod("web");
    pod["spec"]["nodeName"] = json!("a");
    create(world, pod).unwrap();
    make_ready(world);
}

fn stop_kubelet(turn: &mut Turn<'_>, stopped: bool) {
    let metadata = api::meta::ObjectMeta { name: Some("a".to_owned()), ..Default::default() };
    let machine = api::kinds::sim::Machine {
        metadata,
        kubelet_running: !stopped,
        network_ready: true,
        ..Default::default()
    };
    turn.put(machine.into_object());
}

#[test]
fn a_silent_node_becomes_unknown_and_loses_its_pods_after_their_patience() {
    let mut world = cluster();
    node_with_pod(&mut world);
    let other: api::k8s::core::v1::Node = serde_json::from_value(json!({"metadata": {"name": "b"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]}}))
    .unwrap();
    Turn::new(&mut world, ActorId("kubelet"), HERE, None).create(other).unwrap();
    assert!(taints(&mut world).is_empty());
    stop_kubelet(&mut Turn::new(&mut world, ActorId("test"), HERE, None), true);
    make_ready(&mut world);
    world.run_until(world.now() + SimDuration::secs(60), Budget::COMMAND);
    let keys = ["NoSchedule", "NoExecute"].map(|effect| format!("node.kubernetes.io/unreachable:{effect}"));
    assert_eq!(taints(&mut world), keys);
    assert_eq!(messages(&world, "NodeNotReady").len(), 2, "one on the node, one on its pod");
    assert!(get(&mut world, Kind::Pod, "web").unwrap().meta().deletion_timestamp.is_none());
    world.run_until(world.now() + SimDuration::secs(300), Budget::COMMAND);
    assert_eq!(messages(&world, "TaintManagerEviction"), ["Marking for deletion Pod default/web"]);
    assert!(get(&mut world, Kind::Pod, "web").unwrap().meta().deletion_timestamp.is_some());
}

#[test]
fn pods_of_a_node_that_is_gone_are_collected() {
    let mut world = cluster();
    node_with_pod(&mut world);
    delete(&mut world, Kind::Node, "a").unwrap();
    world.run_until(world.now() + SimDuration::secs(41), Budget::COMMAND);
    assert!(get(&mut world, Kind::Pod, "web").is_err());
}

#[test]
fn a_daemon_comes_to_each_node_and_follows_its_labels() {
    let mut world = cluster();
    node_with_pod(&mut world);
    let mut set = deployment("agent", 1, "nginx:1.27");
    set["kind"] = json!("DaemonSet");
    set["spec"].as_object_mut().unwrap().remove("replicas");
    create(&mut world, set).unwrap();
    settle(&mut world);
    let pods = list(&mut world, Kind::Pod, "default", "app=agent", "spec.nodeName=a").unwrap();
    assert_eq!(pods.len(), 1);
    let template = json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}});
    merge(&mut world, Kind::DaemonSet, "agent", template).unwrap();
    settle(&mut world);
    let going = get(&mut world, Kind::Pod, &pods[0]).map(|pod| pod.meta().deletion_timestamp.is_some());
    assert!(going.unwrap_or(true));
    let set = get(&mut world, Kind::DaemonSet, "agent").unwrap().to_value();
    assert_eq!(set["status"]["desiredNumberScheduled"], 0);
    assert_eq!(set["metadata"]["annotations"]["deprecated.daemonset.template.generation"], "2");
}

#[test]
fn a_replication_controller_keeps_its_number_of_pods() {
    let mut world = cluster();
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    create(
        &mut world,
        json!({"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"app": "web"}, "template": template}}),
    )
    .unwrap();
    settle(&mut world);
    let pods = list(&mut world, Kind::Pod, "default", "app=web", "").unwrap();
    let owner = get(&mut world, Kind::Pod, &pods[0]).unwrap().meta().owner_references.clone().unwrap();
    assert_eq!(
        (pods.len(), owner[0].kind.as_str(), owner[0].api_version.as_str()),
        (2, "ReplicationController", "v1")
    );
    merge(&mut world, Kind::ReplicationController, "web", json!({"spec": {"replicas": 1}})).unwrap();
    make_ready(&mut world);
    let status = get(&mut world, Kind::ReplicationController, "web").unwrap().to_value()["status"].clone();
    assert_eq!((&status["replicas"], &status["readyReplicas"]), (&json!(1), &json!(1)));
}
