#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, Resource, SimDuration,
    k8s::{
        apps::v1::Deployment,
        autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerStatus},
        core::v1::{ContainerState, ContainerStateRunning, ContainerStatus, Pod, PodCondition},
    },
    kinds::sim::Image,
    meta::ObjectMeta,
};
use serde_json::{Value, json};

use crate::{
    ActorId, Budget, ClusterId, Turn, World,
    controllers::tests::messages,
    fixture::{HERE, cluster, create, merge, settle},
};

fn wait(world: &mut World, seconds: u64) {
    let until = world.now() + SimDuration::secs(seconds);
    world.run_until(until, Budget::COMMAND);
}

fn load(world: &mut World, shared_cpu: u64) {
    let metadata = ObjectMeta { name: Some("web:1".to_owned()), ..ObjectMeta::default() };
    let image = Image { metadata, shared_cpu, ..Image::default() };
    world.put(ActorId("test"), None, ClusterId::WORLD, image.into_object());
}

/// A metrics server that is available.
fn serve_metrics(world: &mut World) {
    let server = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": {"a": "m"}}, "template": {"metadata": {"labels": {"a": "m"}},
            "spec": {"containers": [{"name": "c", "image": "metrics-server"}]}}}});
    create(world, server).unwrap();
    settle(world);
    start(world);
    settle(world);
}

/// Every new pod runs and is ready, as a kubelet would say.
fn start(world: &mut World) {
    let new = |pod: &&Pod| pod.status.as_ref().is_none_or(|it| it.phase.as_deref() != Some("Running"));
    let all = world.store().list::<Pod>(HERE, None).filter(new).map(|pod| pod.metadata.clone());
    for meta in all.collect::<Vec<_>>() {
        let (namespace, name) = (meta.namespace.unwrap(), meta.name.unwrap());
        let mut turn = Turn::new(world, ActorId("kubelet"), HERE, None);
        let stamp = turn.stamp();
        let write = |pod: &mut Pod| {
            let status = pod.status.get_or_insert_default();
            status.phase = Some("Running".to_owned());
            status.start_time = Some(stamp.clone());
            status.conditions = Some(vec![PodCondition {
                type_: "Ready".to_owned(),
                status: "True".to_owned(),
                last_transition_time: Some(stamp.clone()),
                ..PodCondition::default()
            }]);
            let running = ContainerStateRunning { started_at: Some(stamp) };
            status.container_statuses = Some(vec![ContainerStatus {
                name: "c".to_owned(),
                state: Some(ContainerState { running: Some(running), ..ContainerState::default() }),
                ..ContainerStatus::default()
            }]);
        };
        turn.patch_status::<Pod>(&namespace, &name, write).unwrap();
    }
}

fn world(replicas: i32, hpa: &Value) -> World {
    let mut world = cluster();
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                {"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "100m"}}}]}}}});
    create(&mut world, web).unwrap();
    let mut spec = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1, "maxReplicas": 10, "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50}}}]});
    spec.as_object_mut().unwrap().extend(hpa.as_object().unwrap().clone());
    let object = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"}, "spec": spec});
    create(&mut world, object).unwrap();
    settle(&mut world);
    start(&mut world);
    world
}

fn rounds(world: &mut World, number: u64) {
    for _ in 0..number {
        wait(world, 15);
        start(world);
    }
}

fn size(world: &World) -> i32 {
    world.store().get::<Deployment>(HERE, "default", "web").unwrap().spec.as_ref().unwrap().replicas.unwrap()
}

fn status(world: &World) -> HorizontalPodAutoscalerStatus {
    world.store().get::<HorizontalPodAutoscaler>(HERE, "default", "web").unwrap().status.clone().unwrap()
}

fn conditions(world: &World) -> Vec<String> {
    let all = status(world).conditions.unwrap_or_default();
    all.into_iter()
        .map(|it| format!("{}={} {}", it.type_, it.status, it.reason.unwrap_or_default()))
        .collect()
}

#[test]
fn below_its_bounds_it_needs_no_metrics() {
    let mut world = world(1, &json!({"minReplicas": 2}));
    rounds(&mut world, 1);
    assert_eq!(size(&world), 2);
    assert_eq!(conditions(&world), ["AbleToScale=True SucceededRescale"]);
    let said = "New size: 2; reason: Current number of replicas below Spec.MinReplicas";
    assert_eq!(messages(&world, "SuccessfulRescale"), [said]);
}

#[test]
fn without_a_metrics_server_it_says_so() {
    let mut world = world(1, &json!({}));
    rounds(&mut world, 1);
    assert_eq!(
        conditions(&world),
        ["AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetResourceMetric"]
    );
    assert!(messages(&world, "FailedComputeMetricsReplicas")[0].starts_with(
        "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get \
         cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics"
    ));
}

#[test]
fn it_grows_until_the_load_is_shared_by_enough() {
    let mut world = world(1, &json!({}));
    serve_metrics(&mut world);
    load(&mut world, 400);
    rounds(&mut world, 8);
    assert_eq!(size(&world), 8);
    assert_eq!(
        conditions(&world),
        [
            "AbleToScale=True ReadyForNewScale",
            "ScalingActive=True ValidMetricFound",
            "ScalingLimited=False DesiredWithinRange"
        ]
    );
    let current = status(&world).current_metrics.unwrap().remove(0).resource.unwrap().current;
    assert_eq!((current.average_utilization, current.average_value.unwrap().0), (Some(50), "50m".to_owned()));
    // Four times the request is eight times the target, but at first it takes four at most.
    let why = "reason: cpu resource utilization (percentage of request) above target";
    let mut said = messages(&world, "SuccessfulRescale");
    said.sort();
    assert_eq!(said, [format!("New size: 4; {why}"), format!("New size: 8; {why}")]);
}

#[test]
fn it_shrinks_after_five_minutes_of_rest() {
    let mut world = world(4, &json!({}));
    serve_metrics(&mut world);
    load(&mut world, 200);
    rounds(&mut world, 4);
    assert_eq!(size(&world), 4);
    load(&mut world, 40);
    rounds(&mut world, 10);
    assert_eq!(size(&world), 4);
    assert_eq!(conditions(&world)[0], "AbleToScale=True ScaleDownStabilized");
    rounds(&mut world, 14);
    assert_eq!(size(&world), 1);
    assert!(
        messages(&world, "SuccessfulRescale")
            .contains(&"New size: 1; reason: All metrics below target".to_owned())
    );
}

#[test]
fn a_missing_target_and_a_second_autoscaler_are_told() {
    let mut world =
        world(1, &json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "no"}}));
    rounds(&mut world, 1);
    assert_eq!(messages(&world, "FailedGetScale"), ["deployments.apps \"no\" not found"]);
    let target =
        json!({"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    merge(&mut world, Kind::HorizontalPodAutoscaler, "web", target.clone()).unwrap();
    let mut spec = target["spec"].clone();
    spec["maxReplicas"] = json!(3);
    let two = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "two"},
        "spec": spec});
    create(&mut world, two).unwrap();
    rounds(&mut world, 1);
    assert_eq!(
        messages(&world, "AmbiguousSelector")[0],
        "pods by selector app=web are controlled by multiple HPAs: [default/two default/web]"
    );
}
