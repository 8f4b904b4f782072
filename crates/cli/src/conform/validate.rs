//! Does the lab decode, default and validate as kube-apiserver v1.34.1?
//!
//! A case is a manifest and what the server answers to a create, or a change of a stored object. Every field of
//! `expect` is compared.

use api::{
    ApiStatus, Cause, Kind, Object, Scope, canonical, decode, default, meta, patch,
    text::{self, Document},
    validate,
};
use serde_json::{Map, Value, json};

use super::{Disagreement, Outcome};

const UID: &str = "00000000-0000-4000-8000-000000000000";
const FILE: &str = "manifest.yaml";
/// The server that the cases were recorded from.
const RECORDED: validate::Release = validate::Release { minor: 34, patch: 1 };

/// One case.
pub(crate) fn run(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default();
    let text = case["yaml"].as_str().unwrap_or_default();
    let got = match case.get("old").and_then(Value::as_str) {
        Some(old) => update(old, text),
        None => create(text),
    };
    let wanted = case["expect"].as_object().into_iter().flatten();
    let differing = wanted
        .filter(|(_, value)| !value.is_null())
        .find(|(field, value)| got.get(*field).unwrap_or(&Value::Null) != *value);
    vec![match differing {
        None => Ok(()),
        Some((field, value)) => Err(Disagreement {
            id: id.to_owned(),
            at: field.clone(),
            wanted: value.to_string(),
            got: got.get(field).unwrap_or(&Value::Null).to_string(),
        }),
    }]
}

/// What the server and kubectl say to a new manifest, in the shape of `expect`.
fn create(text: &str) -> Map<String, Value> {
    let reading = text::read(text);
    let document = reading.documents.first();
    let mut posted = post(document, true);
    let kubectl = post(document, false);
    posted.insert("kubectl_ok".to_owned(), kubectl["ok"].clone());
    if let Some(said) = kubectl.get("kubectl") {
        posted.insert("kubectl".to_owned(), said.clone());
    }
    posted
}

/// A create of the body; `raw` as it is, else as kubectl sends it, in which a key stands once.
fn post(document: Option<&Document>, raw: bool) -> Map<String, Value> {
    let Some(document) = document else { return answer("mapping", "", &[]) };
    if let Some(error) = &document.error {
        let mut out = answer("yaml", &error.message, &[]);
        let said = document.kubectl_error().unwrap_or_default();
        out.insert("kubectl".to_owned(), json!(format!("error: error parsing {FILE}: {said}")));
        return out;
    }
    let value = document.value();
    let kind = match decode::mapping(value) {
        Ok(kind) => kind,
        Err(error) => {
            let mut out = answer("mapping", &error.to_string(), &[]);
            out.insert("kubectl".to_owned(), json!(format!("error: {}", error.kubectl(value, FILE))));
            return out;
        }
    };
    let refused = |strict: Vec<String>, why: &str| {
        let message = decode::bad_request(kind, why);
        let mut out = answer("decode", &message, &strict);
        out.insert("reason".to_owned(), json!("BadRequest"));
        let said = format!("Error from server (BadRequest): error when creating \"{FILE}\": {message}");
        out.insert("kubectl".to_owned(), json!(said));
        out
    };
    let decoded = match decode::read(kind, value) {
        Ok(decoded) => decoded,
        Err(error) => return refused(Vec::new(), &error.message),
    };
    let duplicates = document.duplicate_error().filter(|_| raw);
    let unknown = decoded.unknown.iter().map(|it| it.message.clone());
    let strict: Vec<String> = duplicates.into_iter().chain(unknown).collect();
    if !strict.is_empty() {
        let why = format!("strict decoding error: {}", strict.join(", "));
        return refused(strict, &why);
    }
    let Ok(mut object) = Object::from_value(kind, decoded.value) else {
        return refused(Vec::new(), "the lab cannot hold what it decoded");
    };
    admit(&mut object);
    let warnings = validate::warnings(&object, RECORDED);
    let causes = validate::create(&object);
    let mut out = if causes.is_empty() {
        let mut out = answer("created", "", &[]);
        out.remove("message");
        out.insert("ok".to_owned(), json!(true));
        out.insert("defaulted".to_owned(), stored(&object));
        out
    } else {
        invalid(kind, &object, causes)
    };
    if !warnings.is_empty() {
        out.insert("warnings".to_owned(), json!(warnings));
    }
    out
}

/// What happens to an object between decoding and validation; the conventions of FORMAT.md for names and uids.
fn admit(object: &mut Object) {
    default::apply_defaults(object);
    let scope = object.kind().info().scope;
    let metadata = object.meta_mut();
    if scope == Scope::Namespaced && metadata.namespace.as_deref().unwrap_or_default().is_empty() {
        metadata.namespace = Some("default".to_owned());
    }
    metadata.uid = Some(UID.to_owned());
    let named = metadata.name.as_deref().is_some_and(|name| !name.is_empty());
    if let Some(prefix) = metadata.generate_name.clone().filter(|prefix| !named && !prefix.is_empty()) {
        metadata.name = Some(format!("{prefix}xxxxx"));
    }
    default::prepare_for_create(object, &now());
}

fn now() -> meta::Time {
    serde_json::from_value(json!("2025-06-01T00:00:00Z")).unwrap_or_else(|_| unreachable!("a constant"))
}

/// The stored object as the cases have it.
fn stored(object: &Object) -> Value {
    let mut value = canonical::canonical(object.kind(), object.to_value());
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "creationTimestamp", "managedFields", "resourceVersion"] {
            metadata.remove(field);
        }
    }
    hide_now(&mut value);
    value
}

fn hide_now(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_now),
        Value::Object(fields) => {
            for (name, value) in fields {
                if matches!(name.as_str(), "lastTransitionTime" | "lastPhaseTransitionTime")
                    && value.is_string()
                {
                    *value = json!("<now>");
                } else {
                    hide_now(value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn invalid(kind: Kind, object: &Object, causes: Vec<Cause>) -> Map<String, Value> {
    let errors: Vec<String> = causes.iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
    let status = ApiStatus::invalid(kind, object.name(), causes);
    let mut out = answer("validation", &status.message, &[]);
    out.insert("reason".to_owned(), json!("Invalid"));
    let info = kind.info();
    let head = format!("The {} \"{}\" is invalid: ", info.kind, object.name());
    // kubectl says the same thing once.
    let mut once: Vec<String> = Vec::new();
    for error in &errors {
        if !once.contains(error) {
            once.push(error.clone());
        }
    }
    let said = match once.as_slice() {
        [one] => format!("{head}{one}"),
        many => format!("{head}\n* {}", many.join("\n* ")),
    };
    out.insert("kubectl".to_owned(), json!(said));
    out.insert("errors".to_owned(), json!(errors));
    out.insert(
        "causes".to_owned(),
        json!(
            status
                .causes
                .iter()
                .map(|it| json!({"field": it.field, "reason": it.reason, "message": it.message}))
                .collect::<Vec<_>>()
        ),
    );
    out
}

fn answer(stage: &str, message: &str, strict: &[String]) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("ok".to_owned(), json!(false));
    out.insert("stage".to_owned(), json!(stage));
    out.insert("strict_errors".to_owned(), json!(strict));
    out.insert("errors".to_owned(), json!([]));
    out.insert("message".to_owned(), json!(message));
    out
}

/// What kubectl sends and the server answers when a changed manifest is applied over a stored object.
fn update(old: &str, new: &str) -> Map<String, Value> {
    let manifest =
        |text: &str| text::read(text).documents.first().map(Document::to_value).unwrap_or_default();
    let (before, after) = (manifest(old), manifest(new));
    let decoded = |value: &Value| {
        let kind = decode::mapping(value).ok()?;
        decode::decode(kind, value).ok()
    };
    let Some(mut live) = decoded(&before) else { return answer("decode", "", &[]) };
    admit(&mut live);
    let kind = live.kind();
    let live_value = canonical::canonical(kind, live.to_value());
    let patch = patch::three_way(kind, &before, &after, &live_value);
    let mut patched = live_value.clone();
    let applied = patch::strategic_merge(kind, &mut patched, &patch);
    let changed = applied.ok().and_then(|()| decoded(&patched));
    let Some(mut changed) = changed else { return answer("decode", "", &[]) };
    default::apply_defaults(&mut changed);
    // What is stored has been through defaulting once more when it is read.
    default::apply_defaults(&mut live);
    default::prepare_for_update(&mut changed, &live);
    let causes = validate::update(&live, &changed);
    let mut out = if causes.is_empty() {
        let mut out = answer("updated", "", &[]);
        out.remove("message");
        out.insert("ok".to_owned(), json!(true));
        out.insert("defaulted".to_owned(), stored(&changed));
        out
    } else {
        invalid(kind, &changed, causes)
    };
    out.insert("kubectl_ok".to_owned(), out["ok"].clone());
    out.insert("patch".to_owned(), patch);
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn disagreeing(file: &str) -> Vec<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/validate").join(file);
        let cases = super::super::documents(&path).expect("recorded cases");
        cases.iter().flat_map(run).filter_map(Result::err).map(|it| it.id).collect()
    }

    #[test]
    fn every_recorded_create_is_answered_as_the_real_server_answered() {
        assert_eq!(disagreeing("open.jsonl.gz"), Vec::<String>::new());
    }

    #[test]
    fn the_smaller_kinds_are_answered_as_the_real_server_answered() {
        // Recorded from a running kube-apiserver 1.34.9: creates with `dryRun=All&fieldValidation=Strict` of manifests
        // with random faults, without what admission adds.
        assert_eq!(disagreeing("kinds.jsonl.gz"), Vec::<String>::new());
    }

    #[test]
    fn no_recorded_manifest_gets_a_wrong_indentation_back() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/validate/open.jsonl.gz");
        let cases = super::super::documents(&path).expect("recorded cases");
        let legal = cases.iter().filter(|case| case["expect"]["ok"] == true);
        let (mut restored, mut wrong) = (0, Vec::new());
        for case in legal {
            let there = case["yaml"].as_str().unwrap_or_default();
            let flat: String = there.lines().map(|line| format!("{}\n", line.trim_start())).collect();
            let values = |text: &str| -> Vec<Value> {
                text::read(text).documents.iter().map(Document::to_value).collect()
            };
            match text::reindent(&flat) {
                Some(again) if values(&again) == values(there) => restored += 1,
                Some(_) => wrong.push(case["id"].clone()),
                None => {}
            }
        }
        assert_eq!(wrong, Vec::<Value>::new());
        assert!(restored > 20, "{restored} restored");
    }

    #[test]
    fn recorded_updates_are_answered_as_the_real_server_answered() {
        assert_eq!(disagreeing("update.jsonl.gz"), Vec::<String>::new());
    }
}
