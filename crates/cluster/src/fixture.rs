//! A small cluster for tests: one control plane, one administrator, requests in one line.
#![allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]

use std::rc::Rc;

use api::{
    Kind, Object, Resource, SimDuration,
    kinds::sim::{ControlPlane, Provider},
    meta::ObjectMeta,
};
use serde_json::{Value, json};

use crate::{
    ActorId, ApiRequest, ApiVerb, ClusterId, PatchKind, Principal, Propagation, Reply, Request, World,
    apiserver,
    request::{List, Page},
};

/// The only cluster of these tests.
pub(crate) const HERE: ClusterId = ClusterId(1);

/// A fresh cluster, after everything has settled.
pub(crate) fn cluster() -> World {
    let mut world = World::empty(7);
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some("lab".to_owned()), ..ObjectMeta::default() },
        id: HERE.0,
        provider: Provider::Eks,
        version: "v1.34.2-eks-ecaa3a6".to_owned(),
        service_cidr: "172.20.0.0/16".parse().expect("a block"),
        pod_cidr: None,
    };
    world.put(ActorId("scenario"), None, ClusterId::WORLD, plane.into_object());
    apiserver::bootstrap(&mut world, HERE, &["10.0.0.10".parse().expect("an address")]);
    settle(&mut world);
    world
}

pub(crate) fn settle(world: &mut World) {
    world.settle(SimDuration::secs(600));
}

fn ask(world: &mut World, kind: Kind, namespace: &str, name: &str, verb: ApiVerb) -> Result<Reply, String> {
    let request = ApiRequest::new(HERE, verb, kind, namespace, name);
    world.request(&Principal::admin(), Request::Api(request)).map_err(|refusal| refusal.to_string())
}

fn object(reply: Reply) -> Rc<Object> {
    match reply {
        Reply::Object(object) => object,
        Reply::List(_) | Reply::Value(_) => panic!("one object was expected"),
    }
}

/// Creates; `default` is the namespace of what needs one and names none.
pub(crate) fn create(world: &mut World, value: Value) -> Result<Rc<Object>, String> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let kind = Kind::of_manifest(&text("/apiVersion"), &text("/kind")).expect("a kind");
    let namespace = match text("/metadata/namespace").as_str() {
        "" => "default".to_owned(),
        namespace => namespace.to_owned(),
    };
    ask(world, kind, &namespace, "", ApiVerb::Create(value)).map(object)
}

pub(crate) fn get(world: &mut World, kind: Kind, name: &str) -> Result<Rc<Object>, String> {
    ask(world, kind, "default", name, ApiVerb::Get).map(object)
}

/// A part of a list in the namespace `default`.
pub(crate) fn page(world: &mut World, kind: Kind, page: Page) -> Result<List, String> {
    let (label_selector, field_selector) = (String::new(), String::new());
    match ask(world, kind, "default", "", ApiVerb::List { label_selector, field_selector, page })? {
        Reply::List(list) => Ok(list),
        Reply::Object(_) | Reply::Value(_) => panic!("a list was expected"),
    }
}

pub(crate) fn list(
    world: &mut World,
    kind: Kind,
    namespace: &str,
    labels: &str,
    fields: &str,
) -> Result<Vec<String>, String> {
    let verb = ApiVerb::List {
        label_selector: labels.to_owned(),
        field_selector: fields.to_owned(),
        page: Page::default(),
    };
    match ask(world, kind, namespace, "", verb)? {
        Reply::List(list) => Ok(list.items.iter().map(|object| object.name().to_owned()).collect()),
        Reply::Object(_) | Reply::Value(_) => panic!("a list was expected"),
    }
}

pub(crate) fn merge(world: &mut World, kind: Kind, name: &str, patch: Value) -> Result<Rc<Object>, String> {
    ask(world, kind, "default", name, ApiVerb::Patch(PatchKind::Merge, patch)).map(object)
}

pub(crate) fn replace(world: &mut World, object_: &Object) -> Result<Rc<Object>, String> {
    let verb = ApiVerb::Update(object_.to_value());
    ask(world, object_.kind(), object_.namespace(), object_.name(), verb).map(object)
}

pub(crate) fn delete(world: &mut World, kind: Kind, name: &str) -> Result<Rc<Object>, String> {
    let verb = ApiVerb::Delete { grace: None, propagation: Propagation::Background };
    ask(world, kind, "default", name, verb).map(object)
}

pub(crate) fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}})
}

pub(crate) fn config(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}
