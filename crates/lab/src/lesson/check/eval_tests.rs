use std::rc::Rc;

use std::collections::BTreeMap;

use api::{FieldPath, Kind, Object, SimTime};
use cluster::{ActorId, Change, ClusterId, Fact, Key, What, World};
use serde_json::{Value, json};

use super::*;
use crate::lesson::{check::paths::NoPaths, fields::Errors, snapshot::Snapshot};

fn pod(name: &str, app: &str, phase: &str) -> Value {
    json!({"metadata": {"namespace": "default", "name": name, "labels": {"app": app}},
        "spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}}}]},
        "status": {"phase": phase}})
}

/// A snapshot of these pods.
fn pods(values: &[Value]) -> Snapshot {
    let mut snapshot = Snapshot::of(&World::empty(1));
    for (seq, value) in values.iter().enumerate() {
        let object = Object::from_value(Kind::Pod, value.clone()).expect("a pod");
        let key = Key::of(ClusterId(1), &object);
        let change = Change { key, before: None, after: Some(Rc::new(object)), revision: seq as u64 + 1 };
        let fact = Fact {
            seq: seq as u64,
            at: SimTime::ZERO,
            actor: ActorId("t"),
            cause: None,
            what: What::Changed(change),
        };
        snapshot.take(&fact);
    }
    snapshot
}

fn check(value: &Value) -> Check {
    let mut errors = Errors::default();
    let check = Check::read(value, &FieldPath::root(), &mut errors);
    check.unwrap_or_else(|| panic!("{:?}", errors.0))
}

fn ask_with(snapshot: &Snapshot, value: &Value, log: &Log, lets: &Lets) -> Outcome {
    eval(&check(value), Moment { snapshot, log, lets, paths: &NoPaths })
}

fn ask(snapshot: &Snapshot, value: &Value) -> Outcome {
    ask_with(snapshot, value, &Log::default(), &Lets::new())
}

#[test]
fn a_count_says_how_many_there_are_and_how_many_are_wanted() {
    let world = pods(&[pod("a", "web", "Running"), pod("b", "web", "Pending"), pod("c", "db", "Running")]);
    let outcome = ask(
        &world,
        &json!({"count": {"of": {"kind": "Pod", "labels": {"app": "web"}, "status": {"phase": "Running"}}, "is": 2}}),
    );
    assert_eq!(outcome.ok, Truth::No);
    assert_eq!((outcome.got.as_deref(), outcome.want.as_deref()), (Some("1"), Some("2")));
    assert_eq!(outcome.nearest.as_deref(), Some("Pod/b"));
}

#[test]
fn the_nearest_object_is_named_with_its_first_field_that_differs() {
    let world = pods(&[pod("other", "db", "Running"), pod("web-7c", "web", "Pending")]);
    let outcome = ask(
        &world,
        &json!({"exists": {"kind": "Pod", "labels": {"app": "web"}, "status": {"phase": "Running"}}}),
    );
    assert_eq!(
        outcome.why,
        Some(Why::Differs { object: "Pod/other".to_owned(), field: "metadata.labels.app".to_owned() })
    );
    let outcome = ask(
        &world,
        &json!({"exists": {"kind": "Pod", "name": "web-7c", "labels": {"app": "web"}, "status": {"phase": "Running"}}}),
    );
    assert_eq!(outcome.nearest.as_deref(), Some("Pod/web-7c"));
    assert_eq!((outcome.got.as_deref(), outcome.want.as_deref()), (Some("Pending"), Some("Running")));
}

#[test]
fn an_unbound_reference_is_unknown_also_under_not() {
    let world = pods(&[]);
    let exists = json!({"exists": {"kind": "Pod", "name": "w", "metadata": {"uid": {"$ref": "uid"}}}});
    assert_eq!(ask(&world, &exists).ok, Truth::Unknown);
    assert_eq!(ask(&world, &json!({"not": exists})).ok, Truth::Unknown);
    let lets = Lets::from([("uid".to_owned(), json!("1"))]);
    assert_eq!(ask_with(&world, &json!({"not": exists}), &Log::default(), &lets).ok, Truth::Yes);
}

#[test]
fn operators_compare_as_they_say() {
    let world = pods(&[pod("a", "web", "Running")]);
    let cpu = |op: Value| {
        let spec = json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": op}}}]});
        ask(&world, &json!({"exists": {"kind": "Pod", "spec": spec}})).ok
    };
    let table = [
        (json!("0.1"), Truth::Yes),
        (json!({"$lt": "100m"}), Truth::No),
        (json!({"$lte": "100m", "$gt": "99m"}), Truth::Yes),
        (json!({"$in": ["1", "100m"]}), Truth::Yes),
        (json!({"$nin": ["1", "100m"]}), Truth::No),
        (json!({"$re": "^1.*m$"}), Truth::Yes),
        (json!({"$present": true}), Truth::Yes),
        (json!({"$absent": true}), Truth::No),
        (json!({"$ne": "1"}), Truth::Yes),
        (json!({"$len": 4}), Truth::Yes),
    ];
    for (op, want) in table {
        assert_eq!(cpu(op.clone()), want, "{op}");
    }
}

#[test]
fn only_wants_no_others_and_each_wants_all() {
    let mut two = pod("a", "web", "Running");
    two["spec"]["schedulingGates"] = json!([{"name": "x"}, {"name": "y"}]);
    let world = pods(&[two]);
    let gates =
        |op: Value| ask(&world, &json!({"exists": {"kind": "Pod", "spec": {"schedulingGates": op}}})).ok;
    assert_eq!(gates(json!([{"name": "x"}])), Truth::Yes);
    assert_eq!(gates(json!({"$only": [{"name": "x"}]})), Truth::No);
    assert_eq!(gates(json!({"$only": [{"name": "y"}, {"name": "x"}]})), Truth::Yes);
    assert_eq!(gates(json!({"$each": {"name": {"$re": "^[xy]$"}}})), Truth::Yes);
    assert_eq!(gates(json!({"$each": {"name": "x"}})), Truth::No);
}

#[test]
fn a_pod_of_another_namespace_is_another_pod() {
    let mut other = pod("a", "web", "Running");
    other["metadata"]["namespace"] = json!("kube-system");
    let world = pods(&[other]);
    assert_eq!(ask(&world, &json!({"exists": {"kind": "Pod", "name": "a"}})).ok, Truth::No);
    assert_eq!(
        ask(&world, &json!({"exists": {"kind": "Pod", "name": "a", "namespace": "kube-system"}})).ok,
        Truth::Yes
    );
}

#[test]
fn what_was_done_before_a_goal_does_not_count_since_it() {
    let world = pods(&[]);
    let deed = |to: &str| Deed {
        at: SimTime::ZERO,
        action: "trace".to_owned(),
        with: BTreeMap::from([("to".to_owned(), to.to_owned())]),
    };
    let mut log = Log::default();
    log.deeds.push_back(deed("api"));
    let since = json!({"did": {"action": "trace", "to": "api", "since": "g"}});
    assert_eq!(ask_with(&world, &since, &log, &Lets::new()).ok, Truth::Unknown);
    log.marks.insert("g".to_owned(), 1);
    assert_eq!(ask_with(&world, &since, &log, &Lets::new()).ok, Truth::No);
    log.deeds.push_back(deed("api"));
    assert_eq!(ask_with(&world, &since, &log, &Lets::new()).ok, Truth::Yes);
}
