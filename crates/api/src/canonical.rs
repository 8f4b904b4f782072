//! How does the API server write an object down?
//!
//! Go writes some fields though nothing was put there (`status: {}`, `resources: {}`) and leaves others out when they
//! are empty (`labels: {}`). [`canonical`] does the same to the JSON of any object, so that what is stored and printed
//! has the real one's shape. Quantities are not touched here: [`crate::default`] has written them canonically.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Kind,
    schema::{self, Type, TypeSchema, Written},
};

/// The object as the API server would write it; kinds without a schema stay as they are.
#[must_use]
pub fn canonical(kind: Kind, value: Value) -> Value {
    written(kind, value, Empty::Dropped)
}

/// The same of an object that was just read: lists and maps that were given empty are still there.
///
/// Until it is stored the server tells them from what was not given, and its refusals show which it was.
#[must_use]
pub fn as_given(kind: Kind, value: Value) -> Value {
    written(kind, value, Empty::Kept)
}

/// What becomes of empty lists and maps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    Dropped,
    Kept,
}

fn written(kind: Kind, mut value: Value, empty: Empty) -> Value {
    if let (Some(schema), Value::Object(fields)) = (schema::root(kind), &mut value) {
        object(schema, fields, empty);
    }
    value
}

/// Whether two values say the same, an empty struct, list or map being as good as none.
///
/// An object that was read back has the empty structs that Go writes; one that was just made has not.
#[must_use]
pub fn same<T: Serialize>(a: &T, b: &T) -> bool {
    bare(json!(a)) == bare(json!(b))
}

fn bare(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().map(|item| bare(item).unwrap_or_default()).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> =
                fields.into_iter().filter_map(|(name, value)| Some((name, bare(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        other => Some(other),
    }
}

// INVARIANT: the fields of a schema and those of a JSON object are both sorted by name: one walk meets all.
fn object(schema: &TypeSchema, fields: &mut Map<String, Value>, empty: Empty) {
    let mut known = schema.fields.iter().peekable();
    let mut missing = Vec::new();
    fields.retain(|name, value| {
        while let Some(field) = known.next_if(|field| field.name < name.as_str()) {
            missing.push(field);
        }
        let Some(field) = known.next_if(|field| field.name == name) else { return true };
        if value.is_null() {
            missing.push(field);
            return false;
        }
        typed(&field.ty, value, empty);
        if empty == Empty::Kept && (value.is_array() || value.is_object()) {
            return true;
        }
        // UPSTREAM: the storage's form knows no empty list; one that is always written comes back as none.
        let always = matches!(field.written, Written::Always | Written::OrNull);
        if always && value.as_array().is_some_and(Vec::is_empty) {
            *value = Value::Null;
        }
        field.written != Written::UnlessEmpty || !is_empty(value)
    });
    for field in missing.into_iter().chain(known) {
        let value = match field.written {
            Written::Always => zero(&field.ty),
            Written::OrNull => Value::Null,
            Written::WhenSet | Written::UnlessEmpty => continue,
        };
        fields.insert(field.name.to_owned(), value);
    }
}

fn typed(ty: &Type, value: &mut Value, empty: Empty) {
    match (ty, value) {
        (Type::Object(id), Value::Object(fields)) => object(id.schema(), fields, empty),
        (Type::List(item), Value::Array(items)) => {
            items.iter_mut().for_each(|value| typed(item, value, empty));
        }
        (Type::Map(item), Value::Object(fields)) => {
            fields.values_mut().for_each(|value| typed(item, value, empty));
        }
        _ => {}
    }
}

fn zero(ty: &Type) -> Value {
    match ty {
        Type::Text => Value::from(""),
        Type::Boolean => Value::from(false),
        Type::Int32 | Type::Int64 | Type::Float | Type::IntOrString => Value::from(0),
        Type::Quantity => Value::from("0"),
        Type::Object(id) => {
            let mut fields = Map::new();
            object(id.schema(), &mut fields, Empty::Dropped);
            Value::Object(fields)
        }
        Type::Time | Type::MicroTime | Type::Bytes | Type::Any | Type::List(_) | Type::Map(_) => Value::Null,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_struct_says_as_much_as_none() {
        assert!(same(&json!({"a": {}, "b": [], "c": 0}), &json!({"c": 0})));
        assert!(!same(&json!({"a": [{}, 1]}), &json!({"a": [1]})));
    }

    #[test]
    fn empty_fields_go_and_structs_without_pointer_stay() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": {}},
            "spec": {"hostNetwork": false, "containers": [{"name": "c", "env": []}], "nodeName": ""}});
        let written = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": [{"name": "c", "resources": {}}]}, "status": {}});
        assert_eq!(canonical(Kind::Pod, pod), written);
    }
}
