//! JSON in the order in which Go writes the fields of its structs.
//!
//! What kubectl makes itself, and what the server sends, are such structs; what came from a file or a list is a map, sorted by key, and so is
//! an object of a custom kind. The order is that of the API's schema; for what is no object of it (a kubeconfig, discovery) it is [`OTHERS`].

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{
    Kind,
    schema::{self, Type, TypeSchema},
};

/// Fields of structs that the schema does not have, where one stands before another.
const OTHERS: &[&str] = &[
    "clientVersion",
    "kustomizeVersion",
    "serverVersion",
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
    "command",
    "args",
    "env",
    "kind",
    "apiVersion",
    "metadata",
    "groups",
    "name",
    "singularName",
    "namespaced",
    "versions",
    "preferredVersion",
    "preferences",
    "cluster",
    "server",
    "insecure-skip-tls-verify",
    "clusters",
    "user",
    "users",
    "contexts",
    "current-context",
    "namespace",
    "uid",
    "resourceVersion",
    "continue",
    "remainingItemCount",
    "creationTimestamp",
    "audiences",
    "expirationSeconds",
    "boundObjectRef",
    "token",
    "expirationTimestamp",
    "spec",
    "items",
    "type",
    "object",
    "status",
];

/// How the fields of a value stand.
#[derive(Clone, Copy)]
enum Order {
    /// As in this struct.
    Struct(&'static TypeSchema),
    /// As in a list whose items are such structs.
    List(&'static TypeSchema),
    /// As in a struct that the schema does not have.
    Other,
    /// Of a type.
    Of(&'static Type),
    /// As they are.
    Sorted,
}

/// One object, four blanks a level, without the final newline.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, Order::of(value), value, 0);
    out
}

/// One object on one line.
#[must_use]
pub fn compact(value: &Value) -> String {
    let mut line = Line { out: String::new(), opened: &BTreeSet::new(), at: Vec::new() };
    line.write(Order::of(value), value);
    line.out
}

/// One object on one line after a patch that changed fields of `opened`, each a way of names and numbers: these were taken apart, so that
/// their fields are sorted, and all others are as they were written. Source: evanphx/json-patch v4, `partialDoc` and `lazyNode`.
#[must_use]
pub fn patched(value: &Value, opened: &BTreeSet<Vec<String>>) -> String {
    let mut line = Line { out: String::new(), opened, at: Vec::new() };
    line.write(Order::of(value), value);
    line.out
}

/// An object as a struct of kubectl's own: fields that are always written are there though nobody set them.
#[must_use]
pub fn of_client(kind: Kind, value: Value) -> Value {
    let mut value = crate::canonical::canonical(kind, value);
    if let Some(root) = schema::root(kind) {
        dated(root, &mut value);
    }
    value
}

/// UPSTREAM: kubectl 1.32 writes a time of creation also where there is none.
fn dated(of: &TypeSchema, value: &mut Value) {
    let Value::Object(fields) = value else { return };
    if of.name() == "ObjectMeta" {
        fields.entry("creationTimestamp").or_insert(Value::Null);
    }
    for field in &of.fields {
        match (field.ty.inner_object(), fields.get_mut(field.name)) {
            (Some(inner), Some(Value::Array(items))) => {
                items.iter_mut().for_each(|item| dated(inner, item));
            }
            (Some(inner), Some(value)) => dated(inner, value),
            (None, _) | (_, None) => {}
        }
    }
}

impl Order {
    /// By what an object says it is.
    fn of(value: &Value) -> Self {
        let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let (version, name) = (word("apiVersion"), word("kind"));
        let known = |name: &str| Kind::of_manifest(version, name).and_then(schema::root);
        let list = || name.strip_suffix("List").and_then(known);
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let built_in = group.is_empty() || Kind::EVERY.iter().any(|kind| kind.info().group == group);
        match (known(name), list()) {
            (Some(object), _) => Self::Struct(object),
            (None, Some(item)) => Self::List(item),
            (None, None) if !built_in => Self::Sorted,
            (None, None) => Self::Other,
        }
    }

    /// That of what stands in a field.
    fn below(self, name: &str, value: &Value) -> Self {
        match self {
            Self::Struct(of) => of.field(name).map_or(Self::Sorted, |field| Self::Of(&field.ty)),
            Self::List(item) if name == "items" => Self::List(item),
            Self::Of(Type::Object(id)) => Self::Struct(id.schema()).below(name, value),
            Self::Of(Type::Map(item)) => Self::Of(item),
            Self::Other if value.get("apiVersion").is_some() && value.get("kind").is_some() => {
                Self::of(value)
            }
            Self::List(_) | Self::Other => Self::Other,
            Self::Of(_) | Self::Sorted => Self::Sorted,
        }
    }

    /// That of an item of a list.
    fn item(self, value: &Value) -> Self {
        match self {
            Self::List(item) => Self::Struct(item),
            Self::Of(Type::List(item)) => Self::Of(item),
            // What a `List` holds was read, not made.
            Self::Other if value.get("apiVersion").is_some() && value.get("kind").is_some() => Self::Sorted,
            other => other,
        }
    }

    /// The fields in their order.
    fn sorted(self, fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
        let among = |of: &[&str], name: &str| of.iter().position(|it| *it == name).unwrap_or(of.len());
        let in_struct = |of: &TypeSchema, name: &str| of.field(name).map_or(usize::MAX, |it| it.place.into());
        let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
        match self {
            Self::Struct(of) => sorted.sort_by_key(|(name, _)| in_struct(of, name)),
            Self::Of(Type::Object(id)) => sorted.sort_by_key(|(name, _)| in_struct(id.schema(), name)),
            Self::List(_) | Self::Other => sorted.sort_by_key(|(name, _)| among(OTHERS, name)),
            Self::Of(_) | Self::Sorted => {}
        }
        sorted
    }
}

/// One line as it is being written.
struct Line<'o> {
    out: String,
    opened: &'o BTreeSet<Vec<String>>,
    /// The way to what is being written, if anything was opened.
    at: Vec<String>,
}

impl Line<'_> {
    fn write(&mut self, order: Order, value: &Value) {
        match value {
            Value::Object(fields) => {
                let opened = self.opened.contains(&self.at);
                let sorted = if opened { fields.iter().collect() } else { order.sorted(fields) };
                self.out.push('{');
                for (i, (name, value)) in sorted.into_iter().enumerate() {
                    self.out.push_str(if i > 0 { "," } else { "" });
                    self.out.push_str(&format!("{}:", Value::from(name.as_str())));
                    self.below(|| name.clone(), order.below(name, value), value);
                }
                self.out.push('}');
            }
            Value::Array(items) => {
                self.out.push('[');
                for (i, item) in items.iter().enumerate() {
                    self.out.push_str(if i > 0 { "," } else { "" });
                    self.below(|| i.to_string(), order.item(item), item);
                }
                self.out.push(']');
            }
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn below(&mut self, step: impl FnOnce() -> String, order: Order, value: &Value) {
        if self.opened.is_empty() {
            return self.write(order, value);
        }
        self.at.push(step());
        self.write(order, value);
        self.at.pop();
    }
}

fn write(out: &mut String, order: Order, value: &Value, level: usize) {
    let pad = |level: usize| "    ".repeat(level);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let sorted = order.sorted(fields);
            out.push_str("{\n");
            for (i, (name, value)) in sorted.iter().enumerate() {
                out.push_str(&format!("{}{}: ", pad(level + 1), Value::from(name.as_str())));
                write(out, order.below(name, value), value, level + 1);
                out.push_str(if i + 1 < sorted.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}}}", pad(level)));
        }
        Value::Array(items) if !items.is_empty() => {
            out.push_str("[\n");
            for (i, item) in items.iter().enumerate() {
                out.push_str(&pad(level + 1));
                write(out, order.item(item), item, level + 1);
                out.push_str(if i + 1 < items.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}]", pad(level)));
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_stand_as_in_the_go_struct() {
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"labels": {"b": "", "a": ""}, "name": "web",
            "ownerReferences": [{"apiVersion": "apps/v1", "controller": true, "kind": "Deployment", "name": "web", "uid": "1"}]},
            "spec": {"template": {"spec": {"dnsPolicy": "ClusterFirst", "containers": [{"imagePullPolicy": "Always", "image": "nginx", "name": "c"}]}}}});
        assert_eq!(
            compact(&set),
            r#"{"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":"web","labels":{"a":"","b":""},"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"1","controller":true}]},"spec":{"template":{"spec":{"containers":[{"name":"c","image":"nginx","imagePullPolicy":"Always"}],"dnsPolicy":"ClusterFirst"}}}}"#
        );
        let list = json!({"apiVersion": "v1", "items": [{"metadata": {"namespace": "a", "name": "b"}}], "kind": "PodList", "metadata": {}});
        assert_eq!(
            compact(&list),
            r#"{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[{"metadata":{"name":"b","namespace":"a"}}]}"#
        );
        let custom = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"namespace": "a", "name": "b"}});
        assert_eq!(
            compact(&custom),
            r#"{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"b","namespace":"a"}}"#
        );
    }

    #[test]
    fn a_patch_sorts_the_fields_of_what_it_took_apart() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "a", "name": "b"},
            "spec": {"replicas": "two", "paused": true, "strategy": {"rollingUpdate": {}, "type": "RollingUpdate"}}});
        let opened = [vec![], vec!["spec".to_owned()]].into();
        assert_eq!(
            patched(&deployment, &opened),
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"b","namespace":"a"},"spec":{"paused":true,"replicas":"two","strategy":{"type":"RollingUpdate","rollingUpdate":{}}}}"#
        );
    }

    #[test]
    fn a_struct_of_kubectl_has_what_is_always_written() {
        let made = of_client(
            Kind::Pod,
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c"}]}}),
        );
        assert_eq!(
            compact(&made),
            r#"{"kind":"Pod","apiVersion":"v1","metadata":{"creationTimestamp":null},"spec":{"containers":[{"name":"c","resources":{}}]},"status":{}}"#
        );
    }
}
