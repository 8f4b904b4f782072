//! `CreateTags` and `DeleteTags`.
//!
//! Tags are the labels of an object's metadata. Source: the Amazon EC2 API reference.

use api::{
    Object, Resource,
    kinds::aws::{Eni, Instance, RouteTable, SecurityGroup, Subnet, Vpc},
    meta::ObjectMeta,
};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, operation};
use crate::{ClusterId, Store, Turn};

pub(super) const OPERATIONS: &[Operation] =
    &[operation("ec2", "CreateTags", change), operation("ec2", "DeleteTags", change)];

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

fn resource(store: &Store, name: &str) -> Option<Object> {
    fn of<R: Resource + Clone>(store: &Store, name: &str) -> Option<Object> {
        store.get::<R>(ClusterId::WORLD, "", name).cloned().map(Resource::into_object)
    }
    of::<Subnet>(store, name)
        .or_else(|| of::<Vpc>(store, name))
        .or_else(|| of::<Eni>(store, name))
        .or_else(|| of::<Instance>(store, name))
        .or_else(|| of::<SecurityGroup>(store, name))
        .or_else(|| of::<RouteTable>(store, name))
}

fn tags(given: &Value) -> Vec<(String, Option<String>)> {
    let each = given.as_array().into_iter().flatten();
    each.filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str().map(str::to_owned))))
        .collect()
}
