use api::{
    Kind, SimDuration,
    k8s::{
        core::v1::{Event, Node, Pod},
        discovery::v1::EndpointSlice,
    },
    kinds::sim::Part,
};
use serde_json::json;

use crate::{
    ApiRequest, ApiVerb, Budget, Principal, Propagation, Refusal, Request, World,
    fixture::{HERE, create, delete, merge, pod, settle},
    network,
    node::report,
    parts::{Fault, Silence},
    path,
    provision::{Provision, tests::fixture},
};

fn ask(world: &mut World, what: Provision) {
    world.request(&Principal::admin(), Request::Provision(what)).expect("it is called so");
}

fn stop(world: &mut World, fault: Fault) {
    ask(world, Provision::Stop { cluster: HERE, fault });
}

fn clear(world: &mut World, fault: Fault) {
    ask(world, Provision::Clear { cluster: HERE, fault: Some(fault) });
}

fn part(name: &str) -> Fault {
    Fault::Part(name.to_owned())
}

fn pass(world: &mut World, seconds: u64) {
    world.run_until(world.now() + SimDuration::secs(seconds), Budget::COMMAND);
}

/// Three pods of a Deployment `web` behind a Service, and a client on worker-a.
fn shop() -> World {
    let mut world = fixture("tri");
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}}}});
    create(&mut world, web).expect("a Deployment");
    create(&mut world, service("web")).expect("a Service");
    let mut client = pod("client");
    client["spec"]["nodeName"] = json!("worker-a");
    create(&mut world, client).expect("a pod");
    settle(&mut world);
    world
}

fn service(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
}

fn pods<'w>(world: &'w World, app: &'w str) -> Vec<&'w Pod> {
    let is = move |pod: &&Pod| {
        pod.metadata.labels.as_ref().and_then(|all| all.get("app")).is_some_and(|it| it == app)
    };
    world.store().list::<Pod>(HERE, Some("default")).filter(is).collect()
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

fn reaches(world: &mut World, from: &str, to: &str) -> Vec<String> {
    let traced = path::trace(world, HERE, from, to, None).expect("both ends are there");
    traced.trace.blockers.iter().map(|it| it.code.clone()).collect()
}

fn read(world: &mut World, verb: ApiVerb, name: &str) -> Result<(), String> {
    let request = ApiRequest::new(HERE, verb, Kind::Pod, "default", name);
    world.request(&Principal::admin(), Request::Api(request)).map(drop).map_err(|refusal| refusal.to_string())
}

fn said(world: &World, about: &str, reason: &str) -> Vec<String> {
    let about = |it: &&Event| it.involved_object.name.as_deref().is_some_and(|name| name == about);
    let events = world.store().list::<Event>(HERE, None).filter(about);
    let events = events.filter(|it| it.reason.as_deref() == Some(reason));
    events.filter_map(|it| it.message.clone()).collect()
}

#[test]
fn eks_has_two_api_servers_and_three_members_of_etcd() {
    let world = fixture("tri");
    let names: Vec<&str> =
        world.store().list::<Part>(HERE, None).filter_map(|it| it.metadata.name.as_deref()).collect();
    assert_eq!(names, ["api-a", "api-b", "controller-manager", "etcd-a", "etcd-b", "etcd-c", "scheduler"]);
}

#[test]
fn without_the_scheduler_a_pod_has_no_node_and_nobody_says_why() {
    let mut world = shop();
    stop(&mut world, part("scheduler"));
    create(&mut world, pod("late")).expect("a pod");
    pass(&mut world, 60);
    assert_eq!(node_of(pods(&world, "late")[0]), None);
    assert!(pods(&world, "late")[0].status.as_ref().is_some_and(|it| it.conditions.is_none()));
    assert_eq!(said(&world, "late", "FailedScheduling"), Vec::<String>::new());
    clear(&mut world, part("scheduler"));
    settle(&mut world);
    assert!(node_of(pods(&world, "late")[0]).is_some());
}

#[test]
fn a_pod_that_was_refused_is_tried_again_by_a_scheduler_that_starts_anew() {
    let mut world = shop();
    let mut big = pod("big");
    big["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "64"}});
    create(&mut world, big).expect("a pod");
    settle(&mut world);
    let decisions = |world: &World| {
        world
            .facts()
            .iter()
            .filter(|it| matches!(&it.what, crate::What::Decided(it) if it.pod == "default/big"))
            .count()
    };
    let before = decisions(&world);
    stop(&mut world, part("scheduler"));
    clear(&mut world, part("scheduler"));
    settle(&mut world);
    assert_eq!(decisions(&world), before + 1);
}

#[test]
fn without_the_controller_manager_nothing_is_replaced_and_no_slice_follows() {
    let mut world = shop();
    stop(&mut world, part("controller-manager"));
    let gone = pods(&world, "web")[0].metadata.name.clone().expect("a name");
    delete(&mut world, Kind::Pod, &gone).expect("it is there");
    pass(&mut world, 60);
    assert_eq!(pods(&world, "web").len(), 2);
    let endpoints = |world: &World| {
        world
            .store()
            .list::<EndpointSlice>(HERE, Some("default"))
            .filter(|it| {
                it.metadata
                    .labels
                    .as_ref()
                    .and_then(|all| all.get("kubernetes.io/service-name"))
                    .is_some_and(|it| it == "web")
            })
            .map(|it| it.endpoints.len())
            .sum::<usize>()
    };
    assert_eq!(endpoints(&world), 3, "one of them is dead, and nobody has said so");
    clear(&mut world, part("controller-manager"));
    settle(&mut world);
    assert_eq!((pods(&world, "web").len(), endpoints(&world)), (3, 3));
}

#[test]
fn the_controller_manager_takes_up_what_was_deleted_while_it_was_away() {
    let mut world = shop();
    stop(&mut world, part("controller-manager"));
    delete(&mut world, Kind::Deployment, "web").expect("it is there");
    pass(&mut world, 60);
    assert_eq!(pods(&world, "web").len(), 3, "nobody collects what nobody owns");
    clear(&mut world, part("controller-manager"));
    settle(&mut world);
    assert_eq!(pods(&world, "web").len(), 0);
}

#[test]
fn one_member_less_is_nothing_and_two_less_is_no_quorum() {
    let mut world = shop();
    stop(&mut world, part("etcd-a"));
    assert_eq!(read(&mut world, ApiVerb::Get, "client"), Ok(()));
    stop(&mut world, part("etcd-b"));
    let slow = "the server was unable to return a response in the time allotted, but may still be processing the request (get pods client)";
    assert_eq!(read(&mut world, ApiVerb::Get, "client"), Err(slow.to_owned()));
    let list = ApiVerb::List {
        label_selector: String::new(),
        field_selector: String::new(),
        page: crate::request::Page::default(),
    };
    assert!(read(&mut world, list, "").expect_err("no quorum").ends_with("(get pods)"));
    assert_eq!(create(&mut world, pod("late")).expect_err("no quorum"), "etcdserver: request timed out");
    let delete = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
    let late = "Timeout: request did not complete within requested timeout - context deadline exceeded";
    assert_eq!(read(&mut world, delete, "client"), Err(late.to_owned()));
    assert_eq!(
        reaches(&mut world, "pod/client", "svc/web:80"),
        Vec::<String>::new(),
        "traffic does not ask etcd"
    );
}

#[test]
fn what_is_refused_before_storage_is_refused_without_quorum_too() {
    let mut world = shop();
    stop(&mut world, part("etcd"));
    let bad =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a b"}, "spec": {"containers": []}});
    assert!(create(&mut world, bad).expect_err("it is not legal").contains("is invalid"));
    let nobody = Principal::system("dev");
    let request = ApiRequest::new(HERE, ApiVerb::Get, Kind::Pod, "default", "client");
    let refusal = world.request(&nobody, Request::Api(request)).expect_err("nobody allows it");
    assert!(matches!(refusal, Refusal::Api(status) if status.code == 403));
}

#[test]
fn while_nothing_can_be_written_nobody_changes_anything_and_afterwards_all_catch_up() {
    let mut world = shop();
    for name in ["etcd", "api", "scheduler", "controller-manager"] {
        stop(&mut world, part(name));
    }
    let before = world.store().revision();
    pass(&mut world, 600);
    assert_eq!(world.store().revision(), before);
    assert_eq!(
        world.silence(&ApiRequest::new(HERE, ApiVerb::Get, Kind::Pod, "default", "client")),
        Some(Silence::NoServer)
    );
    ask(&mut world, Provision::Clear { cluster: HERE, fault: None });
    merge(&mut world, Kind::Deployment, "web", json!({"spec": {"replicas": 4}})).expect("it answers");
    settle(&mut world);
    pass(&mut world, 120);
    assert_eq!(pods(&world, "web").iter().filter(|pod| node_of(pod).is_some()).count(), 4);
    assert!(world.store().list::<Node>(HERE, None).all(report::is_ready), "no node was given up");
}

#[test]
fn an_outage_that_no_lease_notices_costs_no_time_and_a_longer_one_costs_a_lease() {
    for (outage, waits) in [(5, 0), (60, 15)] {
        let mut world = shop();
        stop(&mut world, part("etcd"));
        pass(&mut world, outage);
        clear(&mut world, part("etcd"));
        let now = world.now();
        let leads = world.store().get::<Part>(HERE, "", "controller-manager").map(|it| it.acts_from);
        assert_eq!(leads, Some(now + SimDuration::secs(waits)), "after {outage} s");
    }
}

#[test]
fn the_silence_of_a_kubelet_begins_anew_for_a_controller_that_starts_anew() {
    let mut world = shop();
    stop(&mut world, part("controller-manager"));
    stop(&mut world, Fault::Kubelet("worker-a".to_owned()));
    pass(&mut world, 300);
    let ready = |world: &World| {
        let node = world.store().get::<Node>(HERE, "", "worker-a").expect("a node");
        report::condition(node, "Ready").map(|it| it.status.clone())
    };
    assert_eq!(ready(&world).as_deref(), Some("True"), "nobody has given it up");
    clear(&mut world, part("controller-manager"));
    pass(&mut world, 15 + 45);
    assert_eq!(ready(&world).as_deref(), Some("True"));
    pass(&mut world, 10);
    assert_eq!(ready(&world).as_deref(), Some("Unknown"));
}

#[test]
fn without_its_runtime_a_node_starts_nothing_and_says_so() {
    let mut world = shop();
    stop(&mut world, Fault::Runtime("worker-a".to_owned()));
    let mut late = pod("late");
    late["spec"]["nodeName"] = json!("worker-a");
    create(&mut world, late).expect("a pod");
    settle(&mut world);
    let words = said(&world, "late", "FailedCreatePodSandBox");
    assert_eq!(words.len(), 1, "one try, and no second without the runtime");
    assert!(
        words[0].contains("dial unix /run/containerd/containerd.sock: connect: no such file or directory")
    );
    assert_eq!(reaches(&mut world, "pod/client", "svc/web:80"), Vec::<String>::new());
}

#[test]
fn a_node_without_its_runtime_is_not_ready_in_the_kubelets_words() {
    let mut world = shop();
    stop(&mut world, Fault::Runtime("worker-a".to_owned()));
    let ready = |world: &World| {
        let node = world.store().get::<Node>(HERE, "", "worker-a").expect("a node");
        report::condition(node, "Ready").map(|it| (it.status.clone(), it.message.clone().unwrap_or_default()))
    };
    pass(&mut world, 29);
    assert_eq!(ready(&world).map(|it| it.0).as_deref(), Some("True"));
    pass(&mut world, 12);
    assert_eq!(ready(&world), Some(("False".to_owned(), "container runtime is down".to_owned())));
    pass(&mut world, 150);
    let later = ready(&world).expect("a condition").1;
    let words = "[container runtime is down, PLEG is not healthy: pleg was last seen active 3m";
    assert!(later.starts_with(words) && later.ends_with("ago; threshold is 3m0s]"), "{later}");
    clear(&mut world, Fault::Runtime("worker-a".to_owned()));
    pass(&mut world, 12);
    assert_eq!(ready(&world).map(|it| it.0).as_deref(), Some("True"));
}

#[test]
fn where_kube_proxy_has_stopped_old_services_answer_and_new_ones_do_not() {
    let mut world = shop();
    stop(&mut world, Fault::KubeProxy("worker-a".to_owned()));
    create(&mut world, service("fresh")).expect("a Service");
    settle(&mut world);
    assert_eq!(reaches(&mut world, "pod/client", "svc/web:80"), Vec::<String>::new());
    assert_eq!(reaches(&mut world, "pod/client", "svc/fresh:80"), ["svc:no-rule:worker-a:default/fresh"]);
    assert_eq!(reaches(&mut world, "Node/worker-b", "svc/fresh:80"), Vec::<String>::new());
    clear(&mut world, Fault::KubeProxy("worker-a".to_owned()));
    assert_eq!(reaches(&mut world, "pod/client", "svc/fresh:80"), Vec::<String>::new());
}

#[test]
fn stale_rules_send_to_pods_that_are_gone() {
    let mut world = shop();
    stop(&mut world, Fault::KubeProxy("worker-a".to_owned()));
    merge(&mut world, Kind::Deployment, "web", json!({"spec": {"replicas": 0}})).expect("a Deployment");
    settle(&mut world);
    assert!(!reaches(&mut world, "pod/client", "svc/web:80").is_empty());
    let network = network::of(&world, HERE);
    let known = network.nodes.iter().find(|it| it.name == "worker-a").and_then(|it| it.rules.as_ref());
    let web = known.and_then(|all| all.iter().find(|it| it.id() == "default/web"));
    assert_eq!(web.and_then(|it| it.endpoints.as_ref()).map(Vec::len), Some(3));
}

#[test]
fn nothing_is_called_so_and_the_answer_says_what_is() {
    let mut world = fixture("tri");
    let what = Provision::Stop { cluster: HERE, fault: part("etdc") };
    let refusal = world.request(&Principal::admin(), Request::Provision(what)).expect_err("a typing error");
    assert_eq!(
        refusal.to_string(),
        "no part \"etdc\" in this cluster; there are api-a, api-b, controller-manager, etcd-a, etcd-b, etcd-c, scheduler"
    );
}
