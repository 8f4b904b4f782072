#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, Resource, SimDuration, SimTime,
    k8s::core::v1::{Event, Node, Pod},
    kinds::sim::{QueuePlace, QueuedPod},
};
use serde_json::{Value, json};

use super::{Cache, back_off, rests_until};
use crate::{
    ActorId, What, World,
    fixture::{HERE, cluster, create, delete, get, list, merge, pod, settle},
};
use ::scheduler::Version;

fn add_node(world: &mut World, name: &str, pods: u32) {
    let node = json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "status": {
        "allocatable": {"cpu": "2", "memory": "4Gi", "pods": pods.to_string()},
        "conditions": [{"type": "Ready", "status": "True"}]}});
    let node: Node = serde_json::from_value(node).unwrap();
    let mut turn = crate::Turn::new(world, ActorId("kubelet"), HERE, None);
    turn.create(node).unwrap();
    settle(world);
}

fn node_of(world: &World, name: &str) -> Option<String> {
    world.store().get::<Pod>(HERE, "default", name)?.spec.as_ref()?.node_name.clone()
}

fn decisions(world: &World) -> usize {
    world.facts().iter().filter(|fact| matches!(fact.what, What::Decided(_))).count()
}

fn said(world: &World, reason: &str) -> Vec<String> {
    let events = world.store().list::<Event>(HERE, None).filter(|it| it.reason.as_deref() == Some(reason));
    events.map(|it| it.message.clone().unwrap_or_default()).collect()
}

fn scheduled_condition(world: &mut World, name: &str) -> Value {
    let pod = get(world, Kind::Pod, name).unwrap().to_value();
    let conditions = pod["status"]["conditions"].as_array().unwrap().clone();
    conditions.into_iter().find(|it| it["type"] == "PodScheduled").unwrap()
}

#[test]
fn a_pod_is_bound_and_the_decision_is_told() {
    let mut world = cluster();
    add_node(&mut world, "a", 10);
    create(&mut world, pod("web")).unwrap();
    settle(&mut world);
    assert_eq!(node_of(&world, "web").as_deref(), Some("a"));
    assert_eq!(said(&world, "Scheduled"), ["Successfully assigned default/web to a"]);
    assert_eq!(scheduled_condition(&mut world, "web")["status"], "True");
    assert_eq!(decisions(&world), 1);
}

#[test]
fn without_nodes_a_pod_waits_for_one() {
    let mut world = cluster();
    create(&mut world, pod("web")).unwrap();
    settle(&mut world);
    assert_eq!(said(&world, "FailedScheduling"), ["no nodes available to schedule pods"]);
    assert_eq!(scheduled_condition(&mut world, "web")["reason"], "Unschedulable");
    assert!(world.store().get::<QueuedPod>(HERE, "default", "web").is_some());
    add_node(&mut world, "a", 10);
    assert_eq!(node_of(&world, "web").as_deref(), Some("a"));
    assert!(world.store().get::<QueuedPod>(HERE, "default", "web").is_none());
}

#[test]
fn a_gated_pod_is_not_tried_until_its_gates_are_gone() {
    let mut world = cluster();
    add_node(&mut world, "a", 10);
    let mut gated = pod("web");
    gated["spec"]["schedulingGates"] = json!([{"name": "example.com/hold"}]);
    create(&mut world, gated).unwrap();
    settle(&mut world);
    assert_eq!((node_of(&world, "web"), decisions(&world)), (None, 0));
    assert!(said(&world, "FailedScheduling").is_empty());
    merge(&mut world, Kind::Pod, "web", json!({"spec": {"schedulingGates": null}})).unwrap();
    settle(&mut world);
    assert_eq!(node_of(&world, "web").as_deref(), Some("a"));
}

#[test]
fn a_full_node_leaves_the_rest_pending_until_a_pod_goes() {
    let mut world = cluster();
    add_node(&mut world, "a", 2);
    for name in ["x", "y", "z"] {
        create(&mut world, pod(name)).unwrap();
        settle(&mut world);
    }
    assert_eq!(node_of(&world, "z"), None);
    let message = &said(&world, "FailedScheduling")[0];
    assert!(message.starts_with("0/1 nodes are available: 1 Too many pods."), "{message}");
    assert_eq!(scheduled_condition(&mut world, "z")["message"], json!(message));
    world.remove(ActorId("test"), None, &crate::Key::new(HERE, Kind::Pod, "default", "x"));
    settle(&mut world);
    assert_eq!(node_of(&world, "z").as_deref(), Some("a"));
}

#[test]
fn an_uncordoned_node_takes_what_waited_for_it() {
    let mut world = cluster();
    add_node(&mut world, "a", 10);
    let cordon = |world: &mut World, on: bool| {
        let patch = json!({"spec": {"unschedulable": if on { json!(true) } else { Value::Null }}});
        merge(world, Kind::Node, "a", patch).unwrap();
        settle(world);
    };
    cordon(&mut world, true);
    create(&mut world, pod("web")).unwrap();
    settle(&mut world);
    assert_eq!(node_of(&world, "web"), None);
    cordon(&mut world, false);
    assert_eq!(node_of(&world, "web").as_deref(), Some("a"));
    assert_eq!(said(&world, "FailedScheduling").len(), 1, "what does not help is no attempt");
}

#[test]
fn the_more_important_pod_is_tried_first() {
    let mut world = cluster();
    add_node(&mut world, "a", 1);
    create(
        &mut world,
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"},
        "value": 100, "preemptionPolicy": "Never"}),
    )
    .unwrap();
    create(&mut world, pod("low")).unwrap();
    let mut high = pod("high");
    high["spec"]["priorityClassName"] = json!("high");
    create(&mut world, high).unwrap();
    settle(&mut world);
    assert_eq!(node_of(&world, "high").as_deref(), Some("a"));
    assert_eq!(node_of(&world, "low"), None);
}

fn queued(world: &World, name: &str) -> QueuedPod {
    world.store().get::<QueuedPod>(HERE, "default", name).unwrap().clone()
}

fn run(world: &mut World, secs: u64) {
    world.run_until(world.now() + SimDuration::secs(secs), crate::Budget::COMMAND);
}

/// A pod that asks for so much CPU.
fn sized(name: &str, cpu: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": cpu}});
    pod
}

/// `flushUnschedulablePodsLeftover`: every 30 s, those that wait for more than five minutes.
#[test]
fn a_waiting_pod_is_tried_again_after_five_minutes() {
    let mut world = cluster();
    add_node(&mut world, "a", 0);
    create(&mut world, pod("web")).unwrap();
    settle(&mut world);
    let before = decisions(&world);
    run(&mut world, 299);
    assert_eq!(decisions(&world), before);
    run(&mut world, 32);
    assert_eq!(decisions(&world), before + 1);
}

/// `calculateBackoffDuration`, `getBackoffTime` and `isPodBackingoff`.
#[test]
fn a_back_off_doubles_to_ten_seconds_and_ends_with_its_second() {
    assert_eq!([1, 2, 3, 4, 5, 9].map(|n| back_off(n).as_secs()), [1, 2, 4, 8, 10, 10]);
    let until = |minor| rests_until(SimTime(1_300), 1, Version::new(1, minor, 0)).0;
    assert_eq!((until(32), until(34)), (2_300, 3_000));
}

/// `handleSchedulingFailure` with `ErrNoNodesAvailable`: no plugin refused it, so it is not left to events.
#[test]
fn without_nodes_a_pod_is_tried_again_and_again() {
    let mut world = cluster();
    create(&mut world, pod("web")).unwrap();
    run(&mut world, 20);
    // At 0, 2, 5, 10 and 19 s: one, two, four and eight seconds, each to the end of its second.
    assert_eq!(decisions(&world), 5);
    assert_eq!((queued(&world, "web").place, queued(&world, "web").errors), (QueuePlace::BackOff, 5));
}

/// `isPodWorthRequeuing`: the refusers are asked.
#[test]
fn what_does_not_help_is_no_attempt() {
    let mut world = cluster();
    add_node(&mut world, "a", 10);
    create(&mut world, sized("big", "3")).unwrap();
    settle(&mut world);
    let queue = queued(&world, "big");
    assert_eq!(
        (queue.refused_by, queue.place),
        (vec!["NodeResourcesFit".to_owned()], QueuePlace::Unschedulable)
    );
    let before = decisions(&world);
    add_node(&mut world, "b", 10);
    merge(&mut world, Kind::Node, "b", json!({"metadata": {"labels": {"x": "y"}}})).unwrap();
    settle(&mut world);
    assert_eq!(decisions(&world), before, "another node too small, and a label");
    create(&mut world, pod("small")).unwrap();
    settle(&mut world);
    world.remove(ActorId("test"), None, &crate::Key::new(HERE, Kind::Pod, "default", "small"));
    settle(&mut world);
    assert_eq!(decisions(&world), before + 2, "the small pod, and the big one once that is gone");
}

/// `lessBackoffCompletedWithPriority`, `PrioritySort.Less`: priority, then who waits longer.
#[test]
fn the_pod_that_waits_longer_is_tried_first() {
    let mut world = cluster();
    add_node(&mut world, "a", 1);
    create(&mut world, pod("there")).unwrap();
    settle(&mut world);
    for name in ["z", "y", "x"] {
        create(&mut world, pod(name)).unwrap();
        run(&mut world, 3);
    }
    world.remove(ActorId("test"), None, &crate::Key::new(HERE, Kind::Pod, "default", "there"));
    settle(&mut world);
    assert_eq!(["x", "y", "z"].map(|it| node_of(&world, it)), [None, None, Some("a".to_owned())]);
}

/// `addAllEventHandlers`: pods are handed to the queue in the order in which they are created.
#[test]
fn pods_of_one_moment_are_tried_in_the_order_of_their_creation() {
    let mut world = cluster();
    add_node(&mut world, "a", 2);
    for name in ["z", "a", "m"] {
        create(&mut world, pod(name)).unwrap();
    }
    settle(&mut world);
    assert_eq!(["z", "a", "m"].map(|it| node_of(&world, it).is_some()), [true, true, false]);
}

fn important(world: &mut World, name: &str, value: i32) {
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name},
        "value": value});
    create(world, class).unwrap();
}

fn nominated(world: &World, name: &str) -> Option<String> {
    world.store().get::<Pod>(HERE, "default", name)?.status.as_ref()?.nominated_node_name.clone()
}

/// `prepareCandidate`: the victim ends in its own time, the promise is kept, a lower promise is withdrawn.
#[test]
fn a_preempting_pod_waits_for_its_victims_end() {
    let mut world = cluster();
    add_node(&mut world, "a", 1);
    important(&mut world, "high", 100);
    important(&mut world, "higher", 200);
    create(&mut world, pod("low")).unwrap();
    settle(&mut world);
    for class in ["high", "higher"] {
        let mut pod = pod(class);
        pod["spec"]["priorityClassName"] = json!(class);
        create(&mut world, pod).unwrap();
        settle(&mut world);
    }
    let low = world.store().get::<Pod>(HERE, "default", "low").unwrap();
    assert!(low.metadata.deletion_timestamp.is_some());
    assert_eq!((nominated(&world, "high"), nominated(&world, "higher")), (None, Some("a".to_owned())));
    assert_eq!(node_of(&world, "higher"), None);
    world.remove(ActorId("kubelet"), None, &crate::Key::new(HERE, Kind::Pod, "default", "low"));
    settle(&mut world);
    assert_eq!((node_of(&world, "higher"), node_of(&world, "high")), (Some("a".to_owned()), None));
    assert_eq!(said(&world, "Preempted").len(), 1);
}

/// `getLEPriorityPreCheck`: a promise held nobody off who matters more.
#[test]
fn a_promise_that_ends_calls_back_whom_it_held_off() {
    let mut world = cluster();
    add_node(&mut world, "a", 1);
    important(&mut world, "high", 100);
    important(&mut world, "higher", 200);
    create(&mut world, pod("low")).unwrap();
    settle(&mut world);
    let mut high = sized("high", "100m");
    high["spec"]["priorityClassName"] = json!("high");
    create(&mut world, high).unwrap();
    settle(&mut world);
    assert_eq!(nominated(&world, "high").as_deref(), Some("a"));
    create(&mut world, sized("other", "1000")).unwrap();
    let mut more = sized("more", "1000");
    more["spec"]["priorityClassName"] = json!("higher");
    create(&mut world, more).unwrap();
    run(&mut world, 15);
    let tried = |world: &World| ["other", "more"].map(|name| queued(world, name).attempts);
    assert_eq!(tried(&world), [1, 1]);
    delete(&mut world, Kind::Pod, "high").unwrap();
    run(&mut world, 15);
    assert_eq!(tried(&world), [2, 1]);
}

#[test]
fn a_deleted_pod_is_forgotten_by_the_queue() {
    let mut world = cluster();
    create(&mut world, pod("web")).unwrap();
    settle(&mut world);
    delete(&mut world, Kind::Pod, "web").unwrap();
    settle(&mut world);
    assert!(world.store().get::<QueuedPod>(HERE, "default", "web").is_none());
}

#[test]
fn the_cache_equals_one_built_from_scratch() {
    let mut world = cluster();
    for step in 0..60_u64 {
        let draw = crate::draw::draw(3, "step", "", step);
        let name = format!("p{}", draw % 7);
        match draw >> 8 & 7 {
            0..=3 => drop(create(&mut world, pod(&name))),
            4 => drop(delete(&mut world, Kind::Pod, &name)),
            5 if step < 40 => add_node_if_new(&mut world, &format!("n{}", draw % 3)),
            6 => {
                let key = crate::Key::new(HERE, Kind::Node, "", &format!("n{}", draw % 3));
                world.remove(ActorId("test"), None, &key);
            }
            _ => drop(merge(&mut world, Kind::Pod, &name, json!({"metadata": {"labels": {"x": name}}}))),
        }
        world.settle(SimDuration::secs(3));
        let fresh = Cache::of(world.store());
        assert_eq!(world.scheduling().waiting(), fresh.waiting(), "step {step}");
        assert_eq!(rows(world.scheduling()), rows(&fresh), "step {step}");
    }
    assert!(!list(&mut world, Kind::Pod, "default", "", "").unwrap().is_empty());
}

fn add_node_if_new(world: &mut World, name: &str) {
    if world.store().get::<Node>(HERE, "", name).is_none() {
        add_node(world, name, 3);
    }
}

/// Nodes by name with their rows and sums.
fn rows(cache: &Cache) -> Vec<String> {
    let table = cache.nodes(HERE);
    let mut rows: Vec<String> = table
        .nodes()
        .map(|at| format!("{:?} {} {}", table.row(at), table.nonzero_milli_cpu(at), table.nonzero_memory(at)))
        .collect();
    rows.sort();
    assert_eq!(Node::KIND, Kind::Node);
    rows
}

#[test]
fn a_pod_waits_for_its_claim_and_goes_where_the_volume_is() {
    let mut world = cluster();
    add_node(&mut world, "a", 10);
    let mut wants = pod("db");
    wants["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    create(&mut world, wants).unwrap();
    settle(&mut world);
    let said = scheduled_condition(&mut world, "db");
    assert_eq!(
        said["message"],
        "0/1 nodes are available: persistentvolumeclaim \"data\" not found. not found"
    );
    create(
        &mut world,
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "vol"}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/v"}}}),
    )
    .unwrap();
    create(&mut world, json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data",
        "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}, "spec": {"volumeName": "vol", "storageClassName": "",
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}))
    .unwrap();
    settle(&mut world);
    assert_eq!(node_of(&world, "db").as_deref(), Some("a"));
}

#[test]
fn a_decision_in_a_large_cluster_is_explained_when_asked_for() {
    let mut world = cluster();
    (0..120).for_each(|n| add_node(&mut world, &format!("node-{n:03}"), 10));
    create(&mut world, pod("one")).unwrap();
    create(&mut world, pod("two")).unwrap();
    let before = world.clone();
    settle(&mut world);
    let told = world.facts().iter().filter_map(|fact| match &fact.what {
        What::Decided(decision) => Some((fact, decision)),
        _ => None,
    });
    for (fact, told) in told {
        assert!(told.nodes.is_empty());
        let full = before.explained(fact.seq, fact.at, &told.pod).unwrap();
        assert_eq!((&full.pod, &full.node, full.outcome), (&told.pod, &told.node, told.outcome));
        assert_eq!(full.nodes.len() + full.not_looked_at.len(), 120);
        assert!(full.nodes.iter().all(|node| !node.scores.is_empty()));
    }
    assert_eq!(decisions(&world), 2);
}
