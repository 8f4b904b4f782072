//! The picture of worlds built by hand: `tests/views/*.json` at the root, one object a line.

use api::{Kind, Object, SimTime};
use cluster::{ClusterId, Store};
use serde_json::Value;

use super::*;
use crate::view::Moment;

/// A store holding the objects of a file.
fn store(json: &str) -> Store {
    let objects: Vec<Value> = serde_json::from_str(json).expect("a list of objects");
    let mut store = Store::default();
    for value in objects {
        let name = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let kind = Kind::EVERY
            .iter()
            .copied()
            .find(|kind| kind.info().kind == name("kind") && kind.info().api_version() == name("apiVersion"))
            .expect("a kind");
        let object = Object::from_value(kind, value.clone()).expect("an object of its kind");
        let cluster = match kind.info().scope {
            api::Scope::World => ClusterId::WORLD,
            api::Scope::Cluster | api::Scope::Namespaced => ClusterId(1),
        };
        store.put(cluster, object);
    }
    store
}

fn picture(form: Form) -> Scene {
    let store = store(include_str!("../../../../../tests/views/full-node.json"));
    let clock = "2026-03-02T09:00:54Z".parse().expect("a moment");
    scene(Moment { store: &store, now: SimTime(54_000), clock }, ClusterId(1), form, None)
}

fn inside(inner: Rect, outer: Rect) -> bool {
    inner.x >= outer.x
        && inner.y >= outer.y
        && inner.x + inner.w <= outer.x + outer.w
        && inner.y + inner.h <= outer.y + outer.h
}

#[test]
fn a_t3_small_shows_three_cards_of_four_slots() {
    let scene = picture(Form::Desk);
    let node = scene.nodes.iter().find(|n| n.name == "worker-a").expect("the node");
    assert_eq!(node.size, NodeSize::Large);
    assert_eq!((node.rect.w, node.rect.h), (432, 274));
    assert_eq!(node.enis.iter().map(|e| (e.used, e.seats)).collect::<Vec<_>>(), [(3, 3); 3]);
    assert!(node.full());
    assert_eq!((node.pods, node.max_pods, node.host_pods), (11, 11, 2));
}

#[test]
fn every_pod_in_a_slot_stands_within_its_slot() {
    let scene = picture(Form::Desk);
    let slots: Vec<Rect> =
        scene.nodes.iter().flat_map(|n| &n.enis).flat_map(|e| &e.slots).map(|s| s.rect).collect();
    let seated: Vec<&PodMark> = scene.pods.iter().filter(|p| p.seat == Seat::Slot).collect();
    assert_eq!(seated.len(), 9);
    for pod in seated {
        assert!(slots.iter().any(|slot| inside(pod.rect, *slot)), "{} sits in no slot", pod.name);
    }
}

#[test]
fn boxes_stand_within_the_boxes_that_hold_them() {
    let scene = picture(Form::Desk);
    for node in &scene.nodes {
        assert!(scene.subnets.iter().any(|s| inside(node.rect, s.rect)), "{} in no subnet", node.name);
    }
    for subnet in &scene.subnets {
        assert!(scene.zones.iter().any(|z| inside(subnet.rect, *z)), "{} in no zone", subnet.id);
    }
    for zone in &scene.zones {
        assert!(inside(*zone, scene.networks[0].rect), "a zone outside the VPC");
    }
}

#[test]
fn a_subnet_counts_its_free_addresses_without_the_five_of_aws() {
    let scene = picture(Form::Desk);
    let private = scene.subnets.iter().find(|s| s.id == "Subnet/priv-a").expect("the subnet");
    assert_eq!((private.free, private.total), (46, 59));
    assert!(!private.public);
    assert!(scene.subnets.iter().find(|s| s.id == "Subnet/pub-a").expect("the other").public);
}

#[test]
fn waiting_pods_stand_at_the_door_oldest_first() {
    let scene = picture(Form::Desk);
    let door = &scene.control_plane.as_ref().expect("a control plane").door;
    assert_eq!((door.pending, door.gated, door.oldest_secs, door.more), (3, 0, Some(14), 0));
    assert_eq!(scene.pods.iter().filter(|p| p.seat == Seat::Door).count(), 3);
}

#[test]
fn the_same_state_gives_the_same_picture() {
    assert_eq!(picture(Form::Desk), picture(Form::Desk));
}

#[test]
fn a_phone_shows_one_node_large_within_its_width() {
    let scene = picture(Form::Phone);
    let node = scene.nodes.iter().find(|n| n.size == NodeSize::Large).expect("one large node");
    assert_eq!((node.name.as_str(), node.rect.w), ("worker-a", 342));
    assert!(scene.pods.iter().all(|p| p.rect.x + p.rect.w <= 390));
    assert_eq!(scene.nodes.len(), 2);
}

#[test]
fn a_subnet_where_nothing_is_drawn_says_what_stands_there_all_the_same() {
    let session =
        crate::Session::new(crate::library::scenario("street").expect("a fixture"), 1).expect("a session");
    let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
    let undrawn = |id: &str| scene.subnets.iter().find(|it| it.id == id).map(|it| (it.empty, it.undrawn));
    assert_eq!(undrawn("Subnet/scattered-a"), Some((true, 8)));
    assert_eq!(undrawn("Subnet/spare-a"), Some((true, 0)));
    assert_eq!(undrawn("Subnet/pods-a"), Some((false, 0)));
}

#[test]
fn a_pod_that_waits_for_an_address_is_not_hidden_by_those_that_need_none() {
    let book = crate::library::lesson("no-free-ip").expect("the incident");
    let mut session =
        crate::Session::of_lesson(book.scenario.clone(), book.lesson.clone(), 41).expect("a session");
    session.settle(api::SimDuration::secs(60));
    let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
    let node = scene.nodes.iter().find(|node| node.name == "worker-a").expect("the node");
    let waits: Vec<Rect> = scene
        .pods
        .iter()
        .filter(|pod| pod.seat == Seat::Node && inside(pod.rect, node.rect))
        .map(|pod| pod.rect)
        .collect();
    assert_eq!(waits.len(), 1);
    let apart =
        |a: Rect, b: Rect| a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
    let moved = |label: Rect| label.moved_by(node.rect.x, node.rect.y);
    assert!(node.host.iter().all(|label| apart(label.rect, waits[0]) && apart(moved(label.rect), waits[0])));
}

/// The world of a fixture after some lines.
fn after(fixture: &str, lines: &[&str]) -> crate::Session {
    let scenario = crate::library::scenario(fixture).expect("a fixture");
    let mut session = crate::Session::new(scenario, 1).expect("a session");
    lines.iter().for_each(|line| drop(session.run_line(line)));
    session
}

#[test]
fn a_load_balancer_stands_in_every_subnet_that_it_has_an_address_of() {
    let line = "kubectl create service loadbalancer web --tcp=80";
    let session = after("tri", &[line, "lab wait idle"]);
    let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
    let mut parts = scene.parts.iter().filter(|part| part.kind == PartKind::LoadBalancer);
    let stands = |part: &Part| scene.subnets.iter().any(|it| it.public && inside(part.rect, it.rect));
    assert!(parts.clone().all(|part| part.name == "web" && stands(part)));
    assert_eq!(parts.by_ref().count(), 3);
}

#[test]
fn cards_of_different_sizes_do_not_lie_on_each_other() {
    let lines = [
        "eksctl create fargateprofile --cluster podpath --name all --namespace default",
        "kubectl create deployment web --image=nginx --replicas=7",
        "lab wait idle",
    ];
    let session = after("farg", &lines);
    let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
    assert!(scene.nodes.iter().filter(|node| node.fargate).count() > 4);
    for (index, node) in scene.nodes.iter().enumerate() {
        let apart =
            |a: Rect, b: Rect| a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        assert!(scene.nodes[index + 1..].iter().all(|it| apart(it.rect, node.rect)), "{}", node.id);
    }
}

#[test]
fn on_a_phone_tiles_lead_to_every_node() {
    let scale = "eksctl scale nodegroup --cluster podpath --name main --nodes 30 --nodes-max 30";
    let session = after("tri", &[scale, "lab wait idle"]);
    let moment = Moment::of(session.world());
    let (mut seen, mut focus) = (std::collections::BTreeSet::new(), None::<String>);
    for _ in 0..3 {
        let scene = scene(moment, ClusterId(1), Form::Phone, focus.as_deref());
        let (onward, shown): (Vec<&NodeBox>, Vec<&NodeBox>) =
            scene.nodes.iter().partition(|node| node.name.starts_with('+'));
        seen.extend(shown.iter().map(|node| node.id.clone()));
        focus = onward.first().and_then(|node| node.id.strip_prefix("Node/")).map(str::to_owned);
    }
    assert_eq!(seen.len(), 30);
}

#[test]
fn an_import_shows_what_was_given_and_names_what_was_not() {
    let mut given = after(
        "pool",
        &[
            "kubectl create deployment web --image=nginx",
            "kubectl expose deployment web --port=80",
            "lab wait idle",
        ],
    );
    let dump = given.run_line("kubectl get nodes,pods,svc,deploy -A -o yaml").output.stdout();
    let session = after("empty", &[&format!("cat > c.yaml <<'END'\n{dump}END\nlab import c.yaml")]);
    let scene = scene(Moment::of(session.world()), ClusterId(1), Form::Desk, None);
    assert_eq!(scene.networks.iter().map(|it| it.kind).collect::<Vec<_>>(), [NetworkKind::NotGiven]);
    assert!(scene.nodes.iter().all(|node| node.enis.is_empty()), "no socket is made up");
    let service = scene.services.iter().find(|it| it.name == "web").expect("its strip");
    assert_eq!(service.endpoints.iter().map(|it| it.ready).collect::<Vec<_>>(), [true]);
}
