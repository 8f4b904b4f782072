//! What do the rules of a schema, in CEL, say of an object?
//!
//! A rule stands where its `self` is; one that names `oldSelf` is asked only of what was there before.
//! Source: apiextensions-apiserver `pkg/apiserver/schema/cel/validation.go`.

use serde_json::Value;

use super::{declared::declared, schema::field};
use crate::{
    Cause,
    cel::{BUDGET, Program, Scope, Type, Val},
    validate::shown,
};

/// The names that a rule may use, for what a schema describes.
pub(crate) fn names(rule: &Value, type_: &Type) -> [(&'static str, Type); 2] {
    let old = if rule["optionalOldSelf"] == true { Type::optional(type_.clone()) } else { type_.clone() };
    [("self", type_.clone()), ("oldSelf", old)]
}

/// How deep objects are followed.
const DEEPEST: usize = 64;

/// What every rule of the schema holds against `object`.
pub(super) fn ask(schema: &Value, old: Option<&Value>, object: &Value) -> Vec<Cause> {
    let (mut out, mut budget) = (Vec::new(), BUDGET);
    walk(schema, old, object, "", 0, &mut budget, &mut out);
    out
}

fn walk(
    schema: &Value,
    old: Option<&Value>,
    value: &Value,
    path: &str,
    depth: usize,
    budget: &mut u64,
    out: &mut Vec<Cause>,
) {
    // What did not change is not asked again.
    if depth > DEEPEST || old == Some(value) {
        return;
    }
    let rules = schema["x-kubernetes-validations"].as_array().filter(|rules| !rules.is_empty());
    let is_root = path.is_empty() || schema["x-kubernetes-embedded-resource"] == true;
    if let Some((rules, seen)) = rules.zip(rules.and_then(|_| declared(schema, is_root))) {
        for rule in rules {
            out.extend(one(rule, &schema["type"], &seen.type_, old, value, path, budget));
        }
    }
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let (own, below) = field(schema, path, name);
                let old = old.and_then(|old| old.get(name));
                walk(own, old, value, &below, depth + 1, budget, out);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(&schema["items"], None, item, &format!("{path}[{at}]"), depth + 1, budget, out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn one(
    rule: &Value,
    shown_type: &Value,
    type_: &Type,
    old: Option<&Value>,
    value: &Value,
    path: &str,
    budget: &mut u64,
) -> Option<Cause> {
    let words = rule["rule"].as_str().unwrap_or_default();
    let names = names(rule, type_);
    let optional = rule["optionalOldSelf"] == true;
    let mut scope = Scope::default();
    scope.names.insert("self", Val::typed(value, type_));
    let before = old.map(|old| Val::typed(old, type_));
    if optional {
        scope.names.insert("oldSelf", Val::Optional(before.map(std::rc::Rc::new)));
    } else if let Some(before) = before {
        scope.names.insert("oldSelf", before);
    }
    let program = Program::compile(words, &names);
    if !optional && old.is_none() && program.as_ref().is_ok_and(|program| program.uses("oldSelf")) {
        return None;
    }
    let said = match program.and_then(|program| program.run(&scope, budget)) {
        Ok(Val::Bool(true)) => return None,
        Ok(_) => {
            let made = rule["messageExpression"].as_str();
            let made = made.and_then(|it| Program::compile(it, &names).ok()?.run(&scope, budget).ok());
            let made = made.and_then(|it| it.as_text().map(|it| it.trim().to_owned()));
            let written = rule["message"].as_str().map(str::trim).filter(|it| !it.is_empty());
            made.filter(|it| !it.is_empty() && !it.contains('\n'))
                .or_else(|| written.map(str::to_owned))
                .unwrap_or_else(|| format!("failed rule: {}", words.trim()))
        }
        Err(error) => {
            let rule = rule["message"].as_str().filter(|it| !it.is_empty()).unwrap_or(words).trim();
            let said = match error.as_str() {
                error if error.starts_with("no such overload") => format!(
                    "'{error}': call arguments did not match a supported operator, function or macro signature for rule: {rule}"
                ),
                _ if error.contains("cost budget") => error,
                error if error.starts_with("operation cancelled") => {
                    format!(
                        "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {rule}"
                    )
                }
                _ => format!("{error} evaluating rule: {rule}"),
            };
            let message = format!("Invalid value: {}: {said}", shown(shown_type));
            return Some(Cause { reason: "FieldValueInvalid".to_owned(), message, field: place(path) });
        }
    };
    let field = place(&format!("{path}{}", rule["fieldPath"].as_str().unwrap_or_default()));
    let reason = rule["reason"].as_str().unwrap_or("FieldValueInvalid").to_owned();
    let message = match reason.as_str() {
        "FieldValueRequired" => format!("Required value: {said}"),
        "FieldValueForbidden" => format!("Forbidden: {said}"),
        "FieldValueDuplicate" => format!("Duplicate value: {}: {said}", kind_of(value)),
        _ => format!("Invalid value: {}: {said}", kind_of(value)),
    };
    Some(Cause { reason, message, field })
}

/// The place as a cause names it.
fn place(path: &str) -> String {
    match path.trim_start_matches('.') {
        "" => "<nil>".to_owned(),
        path => path.to_owned(),
    }
}

/// UPSTREAM: of a struct or list only its type is shown, of a scalar its value.
fn kind_of(value: &Value) -> String {
    match value {
        Value::Object(_) => "\"object\"".to_owned(),
        Value::Array(_) => "\"array\"".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => shown(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_asked_where_it_stands() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"most": {"type": "integer"},
            "size": {"type": "integer", "x-kubernetes-validations": [{"rule": "self >= oldSelf", "message": "may only grow"}]}},
            "x-kubernetes-validations": [{"rule": "self.size <= self.most", "messageExpression": "'more than ' + string(self.most)"}]}}});
        let said = |old: Option<&Value>, new: &Value| {
            let causes = ask(&schema, old, new);
            causes.iter().map(|it| format!("{}: {}", it.field, it.message)).collect::<Vec<_>>()
        };
        let big = json!({"spec": {"size": 5, "most": 3}});
        assert_eq!(said(None, &big), ["spec: Invalid value: \"object\": more than 3"]);
        let (old, new) = (json!({"spec": {"size": 3, "most": 9}}), json!({"spec": {"size": 2, "most": 9}}));
        assert_eq!(said(Some(&old), &new), ["spec.size: Invalid value: 2: may only grow"]);
        assert_eq!(
            said(None, &json!({"spec": {"size": 1}})),
            ["spec: Invalid value: \"object\": no such key: most evaluating rule: self.size <= self.most"]
        );
    }
}
