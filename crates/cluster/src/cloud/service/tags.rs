//! `CreateTags`, `DeleteTags` and `DescribeTags`.
//!
//! Tags are the labels of an object's metadata. Source: the Amazon EC2 API reference.

use std::rc::Rc;

use api::{Kind, Object, meta::ObjectMeta};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, input::just, operation};
use crate::{ClusterId, Key, Store, Turn};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "CreateTags", change),
    operation("ec2", "DeleteTags", change),
    operation("ec2", "DescribeTags", describe),
];

/// Writes every tag to every resource, or takes it away.
/// # Errors
/// `InvalidID` for the first resource that is not there; nothing is written.
fn change(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut found = Vec::new();
    for name in input.texts("Resources") {
        let message = || format!("The ID '{name}' is not valid");
        let object = resource(turn.store(), &name).ok_or_else(|| input.refuse("InvalidID", message()))?;
        found.push(object);
    }
    for mut object in found {
        let tags = object.meta_mut().labels.get_or_insert_default();
        for (key, value) in self::tags(&input.value["Tags"]) {
            match input.action {
                "CreateTags" => {
                    tags.insert(key, value.unwrap_or_default());
                }
                // One with a value goes only if that is the value that it has.
                _ if value.is_none() || tags.get(&key) == value.as_ref() => {
                    tags.remove(&key);
                }
                _ => {}
            }
        }
        turn.put(object);
    }
    Ok(json!({}))
}

/// The tags of a resource as EC2 shows them.
pub(super) fn shown(metadata: &ObjectMeta) -> Vec<Value> {
    let tags = metadata.labels.iter().flatten();
    tags.map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// What EC2 calls a kind of resource.
fn kind_of(object: &Object) -> Option<&'static str> {
    Some(match object.kind() {
        Kind::ElasticIp => "elastic-ip",
        Kind::Eni => "network-interface",
        Kind::Instance => "instance",
        Kind::InternetGateway => "internet-gateway",
        Kind::NatGateway => "natgateway",
        Kind::NetworkAcl => "network-acl",
        Kind::RouteTable => "route-table",
        Kind::SecurityGroup => "security-group",
        Kind::Subnet => "subnet",
        Kind::Vpc => "vpc",
        Kind::VpcEndpoint => "vpc-endpoint",
        _ => return None,
    })
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut found = Vec::new();
    for (_, object) in turn.store().iter() {
        let Some(kind) = kind_of(object) else { continue };
        let meta = object.meta();
        let id = meta.name.as_deref().unwrap_or_default();
        let tags = match object.as_ref() {
            Object::Instance(it) => super::instances::tags(it),
            _ => meta.labels.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect(),
        };
        for (key, value) in tags {
            let passes = input.passes(|filter| match filter {
                "resource-id" => just(id),
                "resource-type" => just(kind),
                "key" => just(&key),
                "value" => just(&value),
                other => other
                    .strip_prefix("tag:")
                    .map(|of| if of == key { vec![value.clone()] } else { Vec::new() }),
            })?;
            if passes {
                found.push(json!({"Key": key, "ResourceId": id, "ResourceType": kind, "Value": value}));
            }
        }
    }
    Ok(json!({ "Tags": found }))
}

fn resource(store: &Store, name: &str) -> Option<Object> {
    let named = |(key, _): &(&Key, &Rc<Object>)| key.cluster == ClusterId::WORLD && *key.name == *name;
    let mut all = store.iter().filter(named).filter(|(_, object)| kind_of(object).is_some());
    all.next().map(|(_, object)| object.as_ref().clone())
}

fn tags(given: &Value) -> Vec<(String, Option<String>)> {
    let each = given.as_array().into_iter().flatten();
    each.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str().map(str::to_owned))))
        .collect()
}
