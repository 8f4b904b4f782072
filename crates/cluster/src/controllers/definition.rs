//! May a CustomResourceDefinition have the names it asks for, and is it served yet?
//!
//! Names are unique within a group; the first to ask has them. A definition with all its names is established at once. One that is
//! deleted takes its objects with it.
//! Source: apiextensions-apiserver `pkg/controller/{status,establish,finalizer}`.

use api::{ApiStatus, Kind, Object, SimDuration, Stored, custom::Definition};
use serde_json::{Value, json};

use crate::{
    Change, Controller, Key, Next, Store, Turn,
    apiserver::{CLEANUP, is_built_in},
    parts::Process,
};

/// How often it is looked whether the objects of a definition that goes are gone.
/// Source: apiextensions-apiserver `pkg/controller/finalizer/crd_finalizer.go`.
const LOOK: SimDuration = SimDuration::secs(5);

/// The controller.
pub(crate) struct DefinitionController;

impl Controller for DefinitionController {
    fn name(&self) -> &'static str {
        "customresourcedefinition-controller"
    }

    fn process(&self) -> Process {
        Process::Client
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind != Kind::CustomResourceDefinition {
            return;
        }
        wake(change.key.clone());
        if change.after.is_none() {
            // Names that were taken may be free now.
            let others = store.objects(change.key.cluster, Kind::CustomResourceDefinition, None);
            others.for_each(|(key, _)| wake(key.clone()));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(stored)) = turn.store().object(key).map(|object| (**object).clone()) else {
            return Ok(Next::Done);
        };
        let Some(definition) = Definition::of(&stored) else { return Ok(Next::Done) };
        if stored.metadata.deletion_timestamp.is_some() {
            return clean_up(turn, key, &stored, &definition);
        }
        let status = status(turn, key, &stored, &definition);
        if stored.body.get("status") != Some(&status) {
            let mut stored = stored;
            stored.body.insert("status".to_owned(), status);
            turn.update_status_object(Object::Stored(stored))?;
        }
        Ok(Next::Done)
    }
}

/// Deletes the objects of a definition that goes; lets it go after the last.
fn clean_up(
    turn: &mut Turn<'_>,
    key: &Key,
    stored: &Stored,
    definition: &Definition,
) -> Result<Next, ApiStatus> {
    if !stored.metadata.finalizers.iter().flatten().any(|it| it == CLEANUP) {
        return Ok(Next::Done);
    }
    let terminating = json!({
        "lastTransitionTime": turn.stamp(), "message": "CustomResource deletion is in progress",
        "reason": "InstanceDeletionInProgress", "status": "True", "type": "Terminating",
    });
    let mut stored = stored.clone();
    let status = stored.body.entry("status").or_insert_with(|| json!({}));
    if let Some(conditions) = status["conditions"].as_array_mut()
        && !conditions.iter().any(|it| it["type"] == "Terminating")
    {
        conditions.push(terminating);
        turn.update_status_object(Object::Stored(Box::new(stored)))?;
    }
    let kind = definition.versions.first().map(|version| definition.kind(&version.name));
    if let Some(kind) = kind.filter(|_| !is_built_in(definition)) {
        let objects = turn.store().objects(turn.cluster(), kind, None);
        let objects: Vec<(Key, bool)> =
            objects.map(|(key, object)| (key.clone(), object.meta().deletion_timestamp.is_some())).collect();
        let mut left = false;
        for (key, going) in objects {
            if !going {
                turn.delete(&key, None)?;
            }
            left |= turn.store().object(&key).is_some();
        }
        if left {
            return Ok(Next::After(LOOK));
        }
    }
    turn.take_finalizer(key, CLEANUP)?;
    Ok(Next::Done)
}

/// A name that somebody else in the group has.
fn taken(name: &str) -> String {
    format!("{name:?} is already in use")
}

fn status(turn: &Turn<'_>, key: &Key, stored: &Stored, definition: &Definition) -> Value {
    let others: Vec<Value> = turn
        .store()
        .objects(turn.cluster(), Kind::CustomResourceDefinition, None)
        .filter(|(other, _)| *other != key)
        .filter_map(|(_, object)| match &**object {
            Object::Stored(it) if it.body.get("spec").is_some_and(|s| s["group"] == *definition.group) => {
                Some(it.body.get("status")?["acceptedNames"].clone())
            }
            _ => None,
        })
        .collect();
    let is_taken = |name: &str| {
        others.iter().any(|names| {
            let short = names["shortNames"].as_array().into_iter().flatten();
            names["plural"] == name || names["singular"] == name || short.into_iter().any(|it| it == name)
        })
    };
    let is_kind_taken =
        |name: &str| others.iter().any(|names| names["kind"] == name || names["listKind"] == name);
    let mut accepted = serde_json::Map::new();
    let mut conflict: Option<(&str, String)> = None;
    let mut take = |field: &str, value: Value, wrong: Option<(&'static str, String)>| match wrong {
        Some(wrong) => conflict = Some(wrong),
        None => {
            accepted.insert(field.to_owned(), value);
        }
    };
    let one = |name: &str, reason: &'static str, is_taken: bool| is_taken.then(|| (reason, taken(name)));
    let Definition { plural, singular, kind, list_kind, short, categories, .. } = definition;
    take("plural", json!(plural), one(plural, "PluralConflict", is_taken(plural)));
    take("singular", json!(singular), one(singular, "SingularConflict", is_taken(singular)));
    let wrong: Vec<String> = short.iter().filter(|it| is_taken(it)).map(|it| taken(it)).collect();
    let wrong = match wrong.as_slice() {
        [] => None,
        [one] => Some(("ShortNamesConflict", one.clone())),
        many => Some(("ShortNamesConflict", format!("[{}]", many.join(", ")))),
    };
    if !short.is_empty() {
        take("shortNames", json!(short), wrong);
    }
    take("kind", json!(kind), one(kind, "KindConflict", is_kind_taken(kind)));
    take("listKind", json!(list_kind), one(list_kind, "ListKindConflict", is_kind_taken(list_kind)));
    if !categories.is_empty() {
        accepted.insert("categories".to_owned(), json!(categories));
    }
    let names = match &conflict {
        None => ("True", "NoConflicts", "no conflicts found"),
        Some((reason, message)) => ("False", *reason, message.as_str()),
    };
    let established = if conflict.is_none() {
        ("True", "InitialNamesAccepted", "the initial names have been accepted")
    } else {
        ("False", "NotAccepted", "not all names are accepted")
    };
    let before = stored.body.get("status").unwrap_or(&Value::Null);
    let condition = |type_: &str, (is, reason, message): (&str, &str, &str)| {
        let old = before["conditions"].as_array().into_iter().flatten().find(|it| it["type"] == type_);
        match old {
            // Once established, always established.
            Some(old) if type_ == "Established" && old["status"] == "True" => old.clone(),
            Some(old) if old["status"] == is && old["reason"] == reason && old["message"] == message => {
                old.clone()
            }
            Some(_) | None => json!({
                "lastTransitionTime": turn.stamp(), "message": message, "reason": reason, "status": is, "type": type_,
            }),
        }
    };
    let versions = definition.versions.iter().filter(|version| version.storage);
    let mut kept: Vec<Value> = before["storedVersions"].as_array().cloned().unwrap_or_default();
    for version in versions {
        if !kept.iter().any(|it| *it == version.name) {
            kept.push(json!(version.name));
        }
    }
    json!({
        "acceptedNames": accepted,
        "conditions": [condition("NamesAccepted", names), condition("Established", established)],
        "storedVersions": kept,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]
    #![allow(clippy::needless_pass_by_value, reason = "a line of JSON is handed over")]
    use serde_json::{Value, json};

    use crate::{
        Request, World,
        apiserver::kind_of_manifest,
        fixture::{HERE, cluster, create, delete, settle},
        request::{ApiRequest, ApiVerb, PatchKind, Principal, Reply},
    };

    fn define(world: &mut World, plural: &str, kind: &str, more: Value) {
        let mut version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer", "minimum": 1}, "mode": {"type": "string", "default": "a"}}},
                "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}});
        version.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.lab.example.com")}, "spec": {"group": "lab.example.com", "scope": "Namespaced",
                "names": {"plural": plural, "kind": kind, "shortNames": ["wx"]}, "versions": [version]}});
        create(world, definition).unwrap();
        settle(world);
    }

    fn ask(world: &mut World, verb: ApiVerb, part: &'static str, name: &str) -> Result<Value, String> {
        let kind =
            kind_of_manifest(world.store(), HERE, "lab.example.com/v1", "Widget").ok_or("no such kind")?;
        let request = ApiRequest::new(HERE, verb, kind, "default", name).of(part);
        match world.request(&Principal::admin(), Request::Api(request)).map_err(|it| it.to_string())? {
            Reply::Object(object) => Ok(object.to_value()),
            Reply::Value(value) => Ok(value),
            Reply::List(_) => Err("a list".to_owned()),
        }
    }

    fn widget(spec: Value) -> ApiVerb {
        ApiVerb::Create(
            json!({"apiVersion": "lab.example.com/v1", "kind": "Widget", "metadata": {"name": "x"}, "spec": spec}),
        )
    }

    #[test]
    fn a_defined_kind_is_served_checked_and_defaulted() {
        let mut world = cluster();
        define(&mut world, "widgets", "Widget", json!({}));
        let made = ask(&mut world, widget(json!({"size": 3})), "", "").unwrap();
        assert_eq!(made["spec"], json!({"size": 3, "mode": "a"}));
        assert_eq!(made["metadata"]["generation"], 1);
        assert_eq!(
            ask(&mut world, widget(json!({"size": 0})), "", "").unwrap_err(),
            "Widget.lab.example.com \"x\" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"
        );
        assert_eq!(
            ask(&mut world, widget(json!({"size": 1, "extra": 1})), "", "").unwrap_err(),
            "Widget in version \"v1\" cannot be handled as a Widget: strict decoding error: unknown field \"spec.extra\""
        );
    }

    #[test]
    fn a_definition_that_goes_takes_its_objects_with_it() {
        let mut world = cluster();
        define(&mut world, "widgets", "Widget", json!({}));
        ask(&mut world, widget(json!({"size": 3})), "", "").unwrap();
        delete(&mut world, api::Kind::CustomResourceDefinition, "widgets.lab.example.com").unwrap();
        settle(&mut world);
        assert_eq!(ask(&mut world, ApiVerb::Get, "", "x").unwrap_err(), "no such kind");
        define(&mut world, "widgets", "Widget", json!({}));
        assert!(ask(&mut world, ApiVerb::Get, "", "x").unwrap_err().contains("not found"));
    }

    #[test]
    fn status_and_scale_have_doors_where_the_definition_says_so() {
        let mut world = cluster();
        let scale = json!({"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"});
        define(&mut world, "widgets", "Widget", json!({"subresources": {"status": {}, "scale": scale}}));
        ask(&mut world, widget(json!({"size": 3})), "", "").unwrap();
        let merge = |patch: Value| ApiVerb::Patch(PatchKind::Merge, patch);
        let main = merge(json!({"status": {"size": 9}}));
        assert_eq!(ask(&mut world, main.clone(), "", "x").unwrap()["status"], json!(null));
        assert_eq!(ask(&mut world, main, "status", "x").unwrap()["status"], json!({"size": 9}));
        let scaled = ask(&mut world, merge(json!({"spec": {"replicas": 5}})), "scale", "x").unwrap();
        assert_eq!(scaled["spec"], json!({"replicas": 5}));
        assert_eq!(scaled["status"], json!({"replicas": 9}));
        let now = ask(&mut world, ApiVerb::Get, "", "x").unwrap();
        assert_eq!((&now["spec"]["size"], &now["metadata"]["generation"]), (&json!(5), &json!(2)));
    }

    #[test]
    fn a_name_that_is_taken_keeps_a_definition_from_being_served() {
        let mut world = cluster();
        define(&mut world, "widgets", "Widget", json!({}));
        define(&mut world, "gadgets", "Gadget", json!({}));
        assert_eq!(kind_of_manifest(world.store(), HERE, "lab.example.com/v1", "Gadget"), None);
        let key = crate::Key::new(HERE, api::Kind::CustomResourceDefinition, "", "gadgets.lab.example.com");
        let status = world.store().object(&key).unwrap().to_value()["status"].clone();
        assert_eq!(status["conditions"][0]["reason"], "ShortNamesConflict");
        assert_eq!(status["conditions"][0]["message"], "\"wx\" is already in use");
        assert_eq!(status["conditions"][1]["status"], "False");
    }
}
