//! `CreateTags` and `DeleteTags`.
//!
//! Tags are the labels of an object's metadata. Source: the Amazon EC2 API reference.

use api::{
    Object, Resource,
    kinds::aws::{Eni, Instance, RouteTable, SecurityGroup, Subnet, Vpc},
    meta::ObjectMeta,
};
use serde_json::{Value, json};

use crate::{AwsError, AwsRequest, ClusterId, Store, Turn, cloud::refuse};

/// Writes every tag to every resource, or takes it away.
/// # Errors
/// `InvalidID` for the first resource that is not there; nothing is written.
pub(super) fn change(turn: &mut Turn<'_>, request: &AwsRequest) -> Result<Value, AwsError> {
    let named = request.input["Resources"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut found = Vec::new();
    for name in named {
        let message = || format!("The ID '{name}' is not valid");
        let object =
            resource(turn.store(), name).ok_or_else(|| refuse(request.action, "InvalidID", message()))?;
        found.push(object);
    }
    for mut object in found {
        let tags = object.meta_mut().labels.get_or_insert_default();
        for (key, value) in self::tags(&request.input["Tags"]) {
            match request.action {
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
    Ok(Value::Null)
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

/// Tags as structures, or in the CLI's short form `Key=…,Value=…`.
fn tags(given: &Value) -> Vec<(String, Option<String>)> {
    let part = |text: &str, name: &str| {
        text.split(',').find_map(|part| Some(part.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
    };
    let each = given.as_array().into_iter().flatten();
    each.filter_map(|tag| match tag.as_str() {
        Some(text) => Some((part(text, "Key")?, part(text, "Value"))),
        None => Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str().map(str::to_owned))),
    })
    .collect()
}
