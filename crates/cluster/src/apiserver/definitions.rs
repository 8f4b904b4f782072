//! Which kinds have the definitions of a cluster added?
//!
//! A definition counts once its names are accepted and it is established. Objects are stored as they came, whichever version that was;
//! a reader gets them in the version it asks for, because nothing is converted.
//! Source: apiextensions-apiserver `pkg/apiserver/customresource_handler.go`.

use std::rc::Rc;

use api::{
    Cause, Domain, Kind, Object, Stored,
    custom::{Blocked, Definition, Scale, Version},
};
use serde_json::Value;

use crate::{ClusterId, Key, Store};

/// Every definition that is established.
fn established(store: &Store, cluster: ClusterId) -> impl Iterator<Item = Definition> {
    let objects = store.objects(cluster, Kind::CustomResourceDefinition, None);
    let definitions = objects.filter_map(|(_, object)| match &**object {
        Object::Stored(stored) => Definition::of(stored),
        _ => None,
    });
    definitions.filter(|definition| definition.established && !is_built_in(definition))
}

/// Whether the registry of kinds has a row for what is defined.
pub(crate) fn is_built_in(definition: &Definition) -> bool {
    Kind::EVERY.iter().any(|kind| {
        let info = kind.info();
        info.group == definition.group && info.plural == definition.plural
    })
}

/// The kinds that an API server serves because of definitions, by group and plural, preferred versions first.
#[must_use]
pub fn custom_kinds(store: &Store, cluster: ClusterId) -> Vec<Kind> {
    established(store, cluster).flat_map(|definition| definition.served()).collect()
}

/// The kind that a manifest means at this API server.
#[must_use]
pub fn kind_of_manifest(store: &Store, cluster: ClusterId, api_version: &str, kind: &str) -> Option<Kind> {
    Kind::of_manifest(api_version, kind).or_else(|| {
        let custom = custom_kinds(store, cluster).into_iter();
        custom.into_iter().find(|it| it.info().kind == kind && it.info().api_version() == api_version)
    })
}

/// The definition of a custom kind; `None` for every other kind.
#[must_use]
pub fn definition(store: &Store, cluster: ClusterId, kind: Kind) -> Option<Definition> {
    let Kind::Custom(custom) = kind else { return None };
    let key = Key::new(cluster, Kind::CustomResourceDefinition, "", &custom.info().resource());
    match &**store.object(&key)? {
        Object::Stored(stored) => Definition::of(stored),
        _ => None,
    }
}

/// The version of a custom kind that is spoken of; `None` for every other kind.
pub(super) fn version(store: &Store, cluster: ClusterId, kind: Kind) -> Option<Version> {
    let definition = definition(store, cluster, kind)?;
    definition.versions.into_iter().find(|version| version.name == kind.info().version)
}

/// Whether an API server serves a kind: a custom one only where its definition was installed.
#[must_use]
pub fn serves(store: &Store, cluster: ClusterId, kind: Kind) -> bool {
    let info = kind.info();
    if let Kind::Custom(_) = kind {
        let definition = definition(store, cluster, kind);
        return definition.is_some_and(|definition| {
            definition.established && definition.version(info.version).is_some_and(|version| version.served)
        });
    }
    let defined = || Key::new(cluster, Kind::CustomResourceDefinition, "", &info.resource());
    info.domain() == Domain::Kubernetes && (!info.is_custom() || store.object(&defined()).is_some())
}

/// A custom object in the version that `kind` names, with that version's defaults; any other as it is.
pub(super) fn as_asked(version: Option<&Version>, kind: Kind, object: &Rc<Object>) -> Rc<Object> {
    let Some(version) = version else { return in_version(kind, Rc::clone(object)) };
    let mut value = object.to_value();
    version.read(&mut value);
    match Stored::from_value(kind, value) {
        Ok(stored) => Rc::new(Object::Stored(Box::new(stored))),
        Err(_) => Rc::clone(object),
    }
}

/// The JSON form of an object as `kind` says it, where that is another version than the one in which it is stored.
pub(super) fn said_in(kind: Kind, value: Value) -> Value {
    if kind == Kind::AutoscalerV1 { api::autoscaling::to_v1(&value) } else { value }
}

/// An object as `kind` says it.
pub(super) fn in_version(kind: Kind, object: Rc<Object>) -> Rc<Object> {
    if kind != Kind::AutoscalerV1 || object.kind() == kind {
        return object;
    }
    Object::from_value(kind, said_in(kind, object.to_value())).map_or(object, Rc::new)
}

/// What a custom kind's schema holds against an object, alone or after `old`.
pub(super) fn check(version: &Version, old: Option<&Object>, object: &Object) -> Vec<Cause> {
    let (old, object) = (old.map(Object::to_value), object.to_value());
    let mut causes = version.check(old.as_ref(), &object);
    if let Some(scale) = &version.scale {
        causes.extend(unscalable(scale, &object));
    }
    if !version.has_rules() {
        return causes;
    }
    if !Blocked::by(&causes) {
        causes.extend(version.ask(old.as_ref(), &object));
    } else {
        causes.push(Cause {
            reason: "FieldValueInvalid".to_owned(),
            message:
                "Invalid value: null: some validation rules were not checked because the object was invalid; \
                      correct the existing errors to complete validation"
                    .to_owned(),
            field: "<nil>".to_owned(),
        });
    }
    causes
}

/// What is wrong at the places where `scale` looks. Source: apiextensions-apiserver
/// `pkg/registry/customresource/validator.go`, apimachinery `pkg/apis/meta/v1/unstructured/helpers.go`.
fn unscalable(scale: &Scale, object: &Value) -> Vec<Cause> {
    let invalid = |path: &str, shown: String, why: String| Cause {
        reason: "FieldValueInvalid".to_owned(),
        message: format!("Invalid value: {shown}: {why}"),
        field: path.to_owned(),
    };
    let mut causes = Vec::new();
    for path in [&scale.spec, &scale.status] {
        match found(object, path, "int64", |it| it.is_i64() || it.is_u64()) {
            Err(why) => causes.push(invalid(path, "0".to_owned(), why)),
            Ok(None) => {}
            Ok(Some(number)) => {
                let many = number.as_i64().unwrap_or(i64::MAX);
                let why = if many < 0 {
                    "should be a non-negative integer"
                } else if many > i64::from(i32::MAX) {
                    "should be less than or equal to math.MaxInt32 (2147483647)"
                } else {
                    continue;
                };
                causes.push(invalid(path, many.to_string(), why.to_owned()));
            }
        }
    }
    if let Some(path) = &scale.selector
        && let Err(why) = found(object, path, "string", Value::is_string)
    {
        causes.push(invalid(path, "\"\"".to_owned(), why));
    }
    causes
}

/// The value at a path, if it is of the type that is wanted.
fn found<'v>(
    object: &'v Value,
    path: &str,
    wanted: &str,
    fits: impl Fn(&Value) -> bool,
) -> Result<Option<&'v Value>, String> {
    let mut value = object;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        if !value.is_object() {
            return Err(wrong_type(path, value, "map[string]interface{}"));
        }
        match value.get(name) {
            None => return Ok(None),
            Some(next) => value = next,
        }
    }
    if fits(value) { Ok(Some(value)) } else { Err(wrong_type(path, value, wanted)) }
}

fn wrong_type(path: &str, value: &Value, wanted: &str) -> String {
    let (shown, is) = match value {
        Value::Null => ("<nil>".to_owned(), "<nil>"),
        Value::Bool(it) => (it.to_string(), "bool"),
        Value::Number(it) if it.is_f64() => (it.to_string(), "float64"),
        Value::Number(it) => (it.to_string(), "int64"),
        Value::String(it) => (it.clone(), "string"),
        Value::Array(_) => (api::patch::shown(value), "[]interface {}"),
        Value::Object(_) => (api::patch::shown(value), "map[string]interface {}"),
    };
    format!("{path} accessor error: {shown} is of the type {is}, expected {wanted}")
}

/// The number at a simple JSON path such as `.spec.replicas`.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').filter(|name| !name.is_empty()).try_fold(value, |value, name| value.get(name))
}

/// Writes a value at a simple JSON path; structs on the way are made.
pub(super) fn put(value: &mut Value, path: &str, new: Value) {
    let mut place = value;
    for name in path.split('.').filter(|name| !name.is_empty()) {
        if !place.is_object() {
            *place = Value::Object(serde_json::Map::new());
        }
        place = &mut place[name];
    }
    *place = new;
}
