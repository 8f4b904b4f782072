#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{Kind, k8s::core::v1::Pod};
use serde_json::{Value, json};

use super::super::tests::{make_ready, messages};
use crate::{
    World,
    fixture::{HERE, cluster, create, delete, get, list, merge, settle},
};

fn set(replicas: i32, more: &Value) -> Value {
    let mut spec = json!({"serviceName": "db", "replicas": replicas, "selector": {"matchLabels": {"app": "db"}},
        "template": {"metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}});
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec})
}

fn pods(world: &mut World) -> Vec<String> {
    list(world, Kind::Pod, "default", "", "").unwrap()
}

fn images(world: &World) -> Vec<String> {
    let pods = world.store().list::<Pod>(HERE, Some("default"));
    pods.map(|pod| pod.spec.clone().unwrap().containers.remove(0).image.unwrap_or_default()).collect()
}

fn image(world: &mut World, image: &str) {
    let containers = json!([{"name": "c", "image": image}]);
    merge(
        world,
        Kind::StatefulSet,
        "db",
        json!({"spec": {"template": {"spec": {"containers": containers}}}}),
    )
    .unwrap();
    settle(world);
}

fn scale(world: &mut World, replicas: i32) {
    merge(world, Kind::StatefulSet, "db", json!({"spec": {"replicas": replicas}})).unwrap();
    settle(world);
}

#[test]
fn pods_come_one_after_the_other_and_go_the_other_way_round() {
    let mut world = cluster();
    create(&mut world, set(3, &json!({}))).unwrap();
    settle(&mut world);
    assert_eq!(pods(&mut world), ["db-0"], "the next waits until this one is ready");
    make_ready(&mut world);
    assert_eq!(pods(&mut world), ["db-0", "db-1"]);
    make_ready(&mut world);
    make_ready(&mut world);
    assert_eq!(pods(&mut world), ["db-0", "db-1", "db-2"]);
    let pod = world.store().get::<Pod>(HERE, "default", "db-1").unwrap();
    let labels = pod.metadata.labels.as_ref().unwrap();
    assert_eq!(labels["apps.kubernetes.io/pod-index"], "1");
    assert_eq!(labels["statefulset.kubernetes.io/pod-name"], "db-1");
    // Recorded: `vectors/session`, `o-statefulset-ordinals`.
    assert_eq!(labels["controller-revision-hash"], "db-67956f8f98");
    let spec = pod.spec.as_ref().unwrap();
    assert_eq!((spec.hostname.as_deref(), spec.subdomain.as_deref()), (Some("db-1"), Some("db")));
    scale(&mut world, 1);
    assert_eq!(pods(&mut world), ["db-0"]);
    assert_eq!(
        messages(&world, "SuccessfulDelete"),
        ["delete Pod db-2 in StatefulSet db successful", "delete Pod db-1 in StatefulSet db successful"]
    );
}

#[test]
fn a_parallel_set_waits_for_nobody() {
    let mut world = cluster();
    create(&mut world, set(3, &json!({"podManagementPolicy": "Parallel", "ordinals": {"start": 5}})))
        .unwrap();
    settle(&mut world);
    assert_eq!(pods(&mut world), ["db-5", "db-6", "db-7"]);
    scale(&mut world, 1);
    assert_eq!(pods(&mut world), ["db-5"]);
}

#[test]
fn a_new_template_replaces_pods_from_the_top_down_to_the_partition() {
    let mut world = cluster();
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 1}});
    create(&mut world, set(3, &json!({"updateStrategy": partition}))).unwrap();
    for _ in 0..4 {
        make_ready(&mut world);
    }
    image(&mut world, "nginx:1.28");
    assert_eq!(images(&world), ["nginx:1.27", "nginx:1.27", "nginx:1.28"], "the new one is not ready yet");
    for _ in 0..3 {
        make_ready(&mut world);
    }
    assert_eq!(images(&world), ["nginx:1.27", "nginx:1.28", "nginx:1.28"]);
    delete(&mut world, Kind::Pod, "db-0").unwrap();
    settle(&mut world);
    assert_eq!(images(&world)[0], "nginx:1.27", "below the partition the old template counts");
    image(&mut world, "nginx:1.27");
    let revisions = world.store().objects(HERE, Kind::ControllerRevision, Some("default"));
    let numbers: Vec<Value> = revisions.map(|(_, it)| it.to_value()["revision"].clone()).collect();
    assert_eq!(numbers.len(), 2, "{numbers:?}");
    assert!(numbers.contains(&json!(3)), "the old template is the newest revision again: {numbers:?}");
}

#[test]
fn a_broken_pod_of_the_old_template_has_to_be_deleted_by_hand() {
    let mut world = cluster();
    create(&mut world, set(2, &json!({}))).unwrap();
    settle(&mut world);
    image(&mut world, "nginx:1.28");
    assert_eq!(images(&world), ["nginx:1.27"], "the set waits for it");
    delete(&mut world, Kind::Pod, "db-0").unwrap();
    settle(&mut world);
    assert_eq!(images(&world), ["nginx:1.28"]);
}

#[test]
fn claims_come_with_the_pods_and_stay_unless_the_policy_says_otherwise() {
    let claim = json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    for (when_scaled, left) in [("Retain", vec!["data-db-0", "data-db-1"]), ("Delete", vec!["data-db-0"])] {
        let mut world = cluster();
        let policy = json!({"whenScaled": when_scaled, "whenDeleted": "Retain"});
        create(
            &mut world,
            set(2, &json!({"volumeClaimTemplates": [claim], "persistentVolumeClaimRetentionPolicy": policy})),
        )
        .unwrap();
        for _ in 0..3 {
            make_ready(&mut world);
        }
        let pod = get(&mut world, Kind::Pod, "db-1").unwrap();
        let volume = pod.to_value().pointer("/spec/volumes/0/persistentVolumeClaim/claimName").cloned();
        assert_eq!(volume, Some(json!("data-db-1")));
        scale(&mut world, 1);
        settle(&mut world);
        assert_eq!(list(&mut world, Kind::PersistentVolumeClaim, "default", "", "").unwrap(), left);
    }
}
