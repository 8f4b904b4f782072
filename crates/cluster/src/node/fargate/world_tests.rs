//! What becomes of pods in a world with profiles.

use api::{
    Kind, SimDuration,
    k8s::core::v1::{Event, Node, Pod},
    kinds::{
        aws::{Eni, EniOwner},
        eks::{FargateProfile, FargateSelector},
        eksctl,
        sim::Machine,
    },
};
use serde_json::{Value, json};

use crate::{
    ClusterId, Principal, Provision, Request, World, check,
    fixture::{HERE, create, delete},
    node::report,
    provision::tests::fixture,
};

fn ask(world: &mut World, what: Provision) -> Result<(), String> {
    world.request(&Principal::admin(), Request::Provision(what)).map(|_| ()).map_err(|no| no.to_string())
}

fn settle(world: &mut World) {
    world.settle(SimDuration::secs(900));
    assert_eq!(check::broken(world), Vec::<String>::new());
}

fn profile(name: &str, namespace: &str, labels: &[(&str, &str)]) -> Provision {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let selector = FargateSelector { namespace: namespace.to_owned(), labels };
    Provision::CreateFargateProfile {
        cluster: "podpath".to_owned(),
        profile: Box::new(eksctl::FargateProfile {
            name: name.to_owned(),
            selectors: vec![selector],
            ..eksctl::FargateProfile::default()
        }),
    }
}

fn pod(name: &str, spec: &Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"fargate": "yes"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}});
    if let (Some(own), Some(more)) = (pod["spec"].as_object_mut(), spec.as_object()) {
        own.extend(more.clone());
    }
    pod
}

fn world() -> World {
    let mut world = fixture("farg");
    ask(&mut world, profile("jobs", "default", &[("fargate", "yes")])).expect("a profile");
    settle(&mut world);
    world
}

fn read<'w>(world: &'w World, name: &str) -> &'w Pod {
    world.store().get::<Pod>(HERE, "default", name).expect("the pod")
}

fn node_of(world: &World, name: &str) -> String {
    read(world, name).spec.as_ref().and_then(|it| it.node_name.clone()).unwrap_or_default()
}

fn said(world: &World, reason: &str) -> Vec<String> {
    let events = world.store().list::<Event>(HERE, Some("default"));
    let of = events.filter(|event| event.reason.as_deref() == Some(reason));
    of.filter_map(|event| event.message.clone()).collect()
}

fn vm_enis(world: &World) -> usize {
    let enis = world.store().list::<Eni>(ClusterId::WORLD, None);
    enis.filter(|eni| eni.owner == EniOwner::Fargate).count()
}

#[test]
fn a_selected_pod_gets_a_node_of_its_own() {
    let mut world = world();
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    settle(&mut world);
    let (it, on) = (read(&world, "a"), node_of(&world, "a"));
    let spec = it.spec.as_ref().expect("a spec");
    assert_eq!(spec.scheduler_name.as_deref(), Some("fargate-scheduler"));
    assert_eq!(spec.priority, Some(2_000_001_000));
    let annotations = it.metadata.annotations.clone().unwrap_or_default();
    assert_eq!(annotations["CapacityProvisioned"], "0.25vCPU 0.5GB");
    let address = it.status.as_ref().and_then(|it| it.pod_ip.clone()).expect("an address");
    assert_eq!(on, format!("fargate-ip-{}.ap-northeast-2.compute.internal", address.replace('.', "-")));
    let node = world.store().get::<Node>(HERE, "", &on).expect("its node");
    assert!(report::is_ready(node));
    assert_eq!(said(&world, "Scheduled"), [format!("Successfully assigned default/a to {on}")]);
    let daemons = world.store().pods_on(HERE, &on).count();
    assert_eq!((daemons, vm_enis(&world)), (1, 1), "nothing but the pod runs there");
}

#[test]
fn machine_node_and_eni_go_with_the_pod() {
    let mut world = world();
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    settle(&mut world);
    let on = node_of(&world, "a");
    delete(&mut world, Kind::Pod, "a").expect("it goes");
    settle(&mut world);
    assert!(world.store().get::<Node>(HERE, "", &on).is_none());
    assert!(world.store().get::<Machine>(HERE, "", &on).is_none());
    assert_eq!(vm_enis(&world), 0);
}

#[test]
fn a_pod_that_is_deleted_before_its_machine_is_up_leaves_nothing() {
    let mut world = world();
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    world.run_until(world.now() + SimDuration::secs(5), crate::Budget(100_000));
    assert_eq!(vm_enis(&world), 1);
    delete(&mut world, Kind::Pod, "a").expect("it goes");
    settle(&mut world);
    assert_eq!((vm_enis(&world), world.store().list::<Machine>(HERE, None).count()), (0, 3));
}

#[test]
fn a_pod_that_was_there_before_the_profile_stays_where_it_is() {
    let mut world = fixture("farg");
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    ask(&mut world, profile("jobs", "default", &[])).expect("a profile");
    settle(&mut world);
    assert!(node_of(&world, "a").starts_with("worker-"));
}

#[test]
fn the_first_profile_by_name_takes_a_pod_unless_its_label_names_another() {
    let mut world = world();
    ask(&mut world, profile("a-first", "def*", &[])).expect("a profile");
    settle(&mut world);
    create(&mut world, pod("plain", &json!({}))).expect("a pod");
    let mut named = pod("named", &json!({}));
    named["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"] = json!("jobs");
    create(&mut world, named).expect("a pod");
    let of = |name: &str| {
        let labels = read(&world, name).metadata.labels.clone().unwrap_or_default();
        labels["eks.amazonaws.com/fargate-profile"].clone()
    };
    assert_eq!((of("plain"), of("named")), ("a-first".to_owned(), "jobs".to_owned()));
}

#[test]
fn what_fargate_does_not_run_is_said_and_left() {
    let mut world = world();
    let container = json!([{"name": "c", "image": "nginx:1.27", "securityContext": {"privileged": true}}]);
    create(&mut world, pod("root", &json!({"containers": container}))).expect("a pod");
    let container = json!([{"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "17"}}}]);
    create(&mut world, pod("huge", &json!({"containers": container}))).expect("a pod");
    settle(&mut world);
    assert_eq!(
        said(&world, "FailedScheduling"),
        [
            "Your pod's cpu/memory requirements exceed the max Fargate configuration",
            "Pod not supported on Fargate: invalid SecurityContext fields: Privileged",
        ]
    );
    assert_eq!((node_of(&world, "root"), node_of(&world, "huge"), vm_enis(&world)), <_>::default());
}

#[test]
fn profiles_change_one_at_a_time_and_only_in_private_subnets() {
    let mut world = fixture("farg");
    ask(&mut world, profile("one", "default", &[])).expect("a profile");
    let busy = ask(&mut world, profile("two", "default", &[])).expect_err("one at a time");
    assert!(busy.ends_with("Cannot create Fargate Profile two because cluster podpath currently has Fargate profile one in status CREATING"), "{busy}");
    settle(&mut world);
    let Provision::CreateFargateProfile { cluster, mut profile } = profile("two", "default", &[]) else {
        unreachable!()
    };
    profile.subnets = vec!["public-a".to_owned()];
    let public = ask(&mut world, Provision::CreateFargateProfile { cluster, profile }).expect_err("public");
    assert!(
        public.ends_with("Subnet public-a provided in Fargate Profile is not a private subnet"),
        "{public}"
    );
}

#[test]
fn with_its_profile_a_pod_goes() {
    let mut world = world();
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    settle(&mut world);
    let gone = Provision::DeleteFargateProfile { cluster: "podpath".to_owned(), name: "jobs".to_owned() };
    ask(&mut world, gone).expect("it goes");
    settle(&mut world);
    assert!(world.store().get::<Pod>(HERE, "default", "a").is_none());
    assert!(world.store().get::<FargateProfile>(ClusterId::WORLD, "podpath", "jobs").is_none());
    assert_eq!(vm_enis(&world), 0);
}

#[test]
fn a_daemon_set_that_tolerates_everything_finds_no_room_there() {
    let mut world = world();
    create(&mut world, pod("a", &json!({}))).expect("a pod");
    settle(&mut world);
    let labels = json!({"app": "agent", "fargate": "yes"});
    let spec =
        json!({"tolerations": [{"operator": "Exists"}], "containers": [{"name": "c", "image": "busybox"}]});
    let set = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}}});
    create(&mut world, set).expect("a DaemonSet");
    settle(&mut world);
    let why = said(&world, "FailedScheduling");
    assert!(why.iter().any(|it| it.contains("1 Too many pods")), "{why:?}");
}
