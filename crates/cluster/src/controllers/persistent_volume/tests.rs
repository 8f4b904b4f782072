#![allow(clippy::unwrap_used, reason = "tests say what must hold")]

use api::{
    Kind, SimDuration,
    k8s::core::v1::{Event, Node, Pod},
};
use serde_json::{Value, json};

use crate::{
    ActorId, Budget, World,
    fixture::{HERE, cluster, create, delete, get, merge, pod, settle},
};

fn class(world: &mut World, name: &str, mode: &str) {
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": "ebs.csi.aws.com", "volumeBindingMode": mode});
    create(world, class).unwrap();
}

fn claim(world: &mut World, name: &str, class: &str, size: &str) {
    create(world, json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": class, "resources": {"requests": {"storage": size}}}}))
    .unwrap();
    settle(world);
}

fn volume(world: &mut World, name: &str, size: &str) {
    create(
        world,
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual",
        "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": "/v"}}}),
    )
    .unwrap();
    settle(world);
}

fn node(world: &mut World, name: &str, zone: &str) {
    let node = json!({"metadata": {"name": name, "labels": {"topology.kubernetes.io/zone": zone}}, "status": {
        "allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"},
        "conditions": [{"type": "Ready", "status": "True"}]}});
    let mut turn = crate::Turn::new(world, ActorId("kubelet"), HERE, None);
    turn.create(serde_json::from_value::<Node>(node).unwrap()).unwrap();
    settle(world);
}

fn uses(name: &str, claim: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": claim}}]);
    pod
}

fn phase(world: &mut World, kind: Kind, name: &str) -> String {
    get(world, kind, name).unwrap().to_value()["status"]["phase"].as_str().unwrap_or_default().to_owned()
}

fn node_of(world: &World, name: &str) -> Option<String> {
    world.store().get::<Pod>(HERE, "default", name)?.spec.as_ref()?.node_name.clone()
}

fn reasons(world: &World, about: &str) -> Vec<String> {
    let events = world.store().list::<Event>(HERE, None);
    let events = events.filter(|it| it.involved_object.name.as_deref() == Some(about));
    events.filter_map(|it| it.reason.clone()).collect()
}

#[test]
fn a_claim_takes_the_smallest_volume_that_would_do() {
    let mut world = cluster();
    volume(&mut world, "large", "50Gi");
    volume(&mut world, "small", "5Gi");
    claim(&mut world, "data", "manual", "3Gi");
    let bound = get(&mut world, Kind::PersistentVolumeClaim, "data").unwrap().to_value();
    assert_eq!(
        (&bound["spec"]["volumeName"], &bound["status"]["capacity"]["storage"]),
        (&json!("small"), &json!("5Gi"))
    );
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "small"), "Bound");
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "large"), "Available");
}

#[test]
fn a_claim_in_use_stays_until_its_pod_is_gone_and_its_volume_is_released() {
    let mut world = cluster();
    node(&mut world, "a", "1");
    volume(&mut world, "vol", "5Gi");
    claim(&mut world, "data", "manual", "3Gi");
    create(&mut world, uses("web", "data")).unwrap();
    settle(&mut world);
    delete(&mut world, Kind::PersistentVolumeClaim, "data").unwrap();
    settle(&mut world);
    assert!(get(&mut world, Kind::PersistentVolumeClaim, "data").is_ok());
    world.remove(ActorId("kubelet"), None, &crate::Key::new(HERE, Kind::Pod, "default", "web"));
    settle(&mut world);
    assert!(get(&mut world, Kind::PersistentVolumeClaim, "data").is_err());
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "vol"), "Released");
    merge(&mut world, Kind::PersistentVolume, "vol", json!({"spec": {"claimRef": null}})).unwrap();
    settle(&mut world);
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "vol"), "Available");
}

/// `BindPodVolumes`: the node first, then the volume in its zone, then the pod.
#[test]
fn a_pod_with_a_claim_that_waits_for_it_gets_a_volume_where_it_goes() {
    let mut world = cluster();
    node(&mut world, "a", "zone-a");
    class(&mut world, "gp3", "WaitForFirstConsumer");
    claim(&mut world, "data", "gp3", "4Gi");
    assert_eq!(reasons(&world, "data"), ["WaitForFirstConsumer"]);
    create(&mut world, uses("db", "data")).unwrap();
    world.run_until(world.now() + SimDuration::secs(1), Budget::COMMAND);
    assert_eq!(node_of(&world, "db"), None, "its volume is being made");
    settle(&mut world);
    assert_eq!(node_of(&world, "db").as_deref(), Some("a"));
    let bound = get(&mut world, Kind::PersistentVolumeClaim, "data").unwrap().to_value();
    let made =
        get(&mut world, Kind::PersistentVolume, bound["spec"]["volumeName"].as_str().unwrap()).unwrap();
    let zone = "/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0/values/0";
    assert_eq!(made.to_value().pointer(zone), Some(&json!("zone-a")));
    assert!(reasons(&world, "data").contains(&"ProvisioningSucceeded".to_owned()));
    delete(&mut world, Kind::PersistentVolumeClaim, "data").unwrap();
    world.remove(ActorId("kubelet"), None, &crate::Key::new(HERE, Kind::Pod, "default", "db"));
    settle(&mut world);
    assert!(get(&mut world, Kind::PersistentVolume, made.name()).is_err(), "its class says so");
}

/// `bindTimeoutSeconds` and `handleBindingCycleError`.
#[test]
fn a_volume_that_nobody_makes_is_waited_for_ten_minutes() {
    let mut world = cluster();
    node(&mut world, "a", "zone-a");
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "nfs"},
        "provisioner": "example.com/nfs", "volumeBindingMode": "WaitForFirstConsumer"});
    create(&mut world, class).unwrap();
    claim(&mut world, "data", "nfs", "4Gi");
    create(&mut world, uses("db", "data")).unwrap();
    world.run_until(world.now() + SimDuration::secs(602), Budget::COMMAND);
    let events = world.store().list::<Event>(HERE, None);
    let said: Vec<_> = events
        .filter(|it| it.reason.as_deref() == Some("FailedScheduling"))
        .filter_map(|it| it.message.clone())
        .collect();
    assert_eq!(
        said,
        ["running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded"]
    );
}

#[test]
fn a_claim_without_a_class_gets_the_default_one_even_later() {
    let mut world = cluster();
    create(
        &mut world,
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    )
    .unwrap();
    settle(&mut world);
    assert_eq!(reasons(&world, "data"), ["FailedBinding"]);
    class(&mut world, "gp3", "WaitForFirstConsumer");
    let notes = json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    merge(&mut world, Kind::StorageClass, "gp3", notes).unwrap();
    settle(&mut world);
    let found = get(&mut world, Kind::PersistentVolumeClaim, "data").unwrap().to_value();
    assert_eq!(found["spec"]["storageClassName"], "gp3");
}

#[test]
fn a_volume_is_attached_to_a_node_while_a_pod_there_uses_it() {
    let mut world = cluster();
    node(&mut world, "a", "zone-a");
    class(&mut world, "gp3", "WaitForFirstConsumer");
    claim(&mut world, "data", "gp3", "4Gi");
    create(&mut world, uses("db", "data")).unwrap();
    settle(&mut world);
    let attached = |world: &World| {
        let all = world.store().objects(HERE, Kind::VolumeAttachment, None);
        all.map(|(_, it)| it.to_value()["status"]["attached"] == true).collect::<Vec<_>>()
    };
    let told = |world: &World| {
        let node = world.store().get::<Node>(HERE, "", "a").unwrap().clone();
        node.status.unwrap().volumes_attached.map_or(0, |all| all.len())
    };
    assert_eq!((attached(&world), told(&world)), (vec![true], 1));
    assert_eq!(reasons(&world, "db"), ["Scheduled", "SuccessfulAttachVolume"]);
    world.remove(ActorId("kubelet"), None, &crate::Key::new(HERE, Kind::Pod, "default", "db"));
    settle(&mut world);
    assert_eq!((attached(&world), told(&world)), (vec![], 0));
}

#[test]
fn a_volume_that_one_node_has_is_not_given_to_another() {
    let mut world = cluster();
    node(&mut world, "a", "zone-a");
    class(&mut world, "gp3", "Immediate");
    claim(&mut world, "data", "gp3", "4Gi");
    create(&mut world, uses("one", "data")).unwrap();
    settle(&mut world);
    node(&mut world, "b", "zone-a");
    let mut second = uses("two", "data");
    second["spec"]["nodeName"] = json!("b");
    create(&mut world, second).unwrap();
    settle(&mut world);
    let events = world.store().list::<Event>(HERE, None);
    let said: Vec<_> = events
        .filter(|it| it.reason.as_deref() == Some("FailedAttachVolume"))
        .filter_map(|it| it.message.clone())
        .collect();
    let volume =
        get(&mut world, Kind::PersistentVolumeClaim, "data").unwrap().to_value()["spec"]["volumeName"]
            .clone();
    assert_eq!(
        said,
        [format!("Multi-Attach error for volume {volume} Volume is already used by pod(s) one")]
    );
}

/// Expected: a recorded kube-controller-manager 1.34.
#[test]
fn a_host_s_directory_is_deleted_below_tmp_only() {
    let mut world = cluster();
    for (name, path) in [("kept", "/mnt/a"), ("gone", "/tmp/a")] {
        let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": name,
            "persistentVolumeReclaimPolicy": "Delete", "hostPath": {"path": path}});
        let object =
            json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec});
        create(&mut world, object).unwrap();
        settle(&mut world);
        claim(&mut world, name, name, "1Gi");
        delete(&mut world, Kind::PersistentVolumeClaim, name).unwrap();
        settle(&mut world);
    }
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "kept"), "Failed");
    let failed = "host_path deleter only supports /tmp/.+ but received provided /mnt/a";
    assert_eq!(crate::controllers::tests::messages(&world, "VolumeFailedDelete"), [failed]);
    assert!(get(&mut world, Kind::PersistentVolume, "gone").is_err());
}

/// Expected: a recorded kube-controller-manager 1.34.
#[test]
fn a_volume_to_be_recycled_is_emptied_by_a_pod_and_offered_again() {
    let mut world = cluster();
    let spec = json!({"capacity": {"storage": "70Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "old",
        "persistentVolumeReclaimPolicy": "Recycle", "hostPath": {"path": "/srv/old"}});
    let object =
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "old"}, "spec": spec});
    create(&mut world, object).unwrap();
    settle(&mut world);
    claim(&mut world, "data", "old", "20Gi");
    delete(&mut world, Kind::PersistentVolumeClaim, "data").unwrap();
    settle(&mut world);
    let pod = get(&mut world, Kind::Pod, "recycler-for-old").unwrap().to_value();
    assert_eq!(pod["spec"]["activeDeadlineSeconds"], 2100);
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "old"), "Released");
    let mut turn = crate::Turn::new(&mut world, ActorId("kubelet"), HERE, None);
    let done = |pod: &mut Pod| pod.status.get_or_insert_default().phase = Some("Succeeded".to_owned());
    turn.patch_status::<Pod>("default", "recycler-for-old", done).unwrap();
    settle(&mut world);
    assert_eq!(phase(&mut world, Kind::PersistentVolume, "old"), "Available");
    assert_eq!(reasons(&world, "old"), ["VolumeRecycled"]);
    let volume = get(&mut world, Kind::PersistentVolume, "old").unwrap().to_value();
    assert!(volume["spec"]["claimRef"].is_null() && volume["metadata"]["annotations"].is_null());
}
