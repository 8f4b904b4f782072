//! Are the rules in CEL of a definition's schema such that they can be asked?
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go` (`ValidateCustomResourceDefinitionOpenAPISchema`),
//! `pkg/apiserver/schema/cel/compilation.go`.

use serde_json::Value;

use super::report::{At, Report, Written};
use crate::{
    cel::{Program, Type},
    custom::{declared, rule_names},
};

/// How deep a schema is followed.
const DEEPEST: usize = 64;

const REASONS: [&str; 4] =
    ["FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Looks at the rules of a schema; those of one that is not structural are not compiled.
pub(super) fn check(report: &mut Report, schema: &Value, at: &At<'_>, is_structural: bool) {
    walk(report, schema, at, is_structural, true, 0);
}

fn walk(report: &mut Report, schema: &Value, at: &At<'_>, is_structural: bool, is_root: bool, depth: usize) {
    if depth > DEEPEST || !schema.is_object() {
        return;
    }
    walk(
        report,
        &schema["additionalProperties"],
        &at.field("additionalProperties"),
        is_structural,
        false,
        depth + 1,
    );
    let properties = at.field("properties");
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        walk(report, own, &properties.key(name), is_structural, false, depth + 1);
    }
    walk(report, &schema["items"], &at.field("items"), is_structural, false, depth + 1);
    let rules: Vec<&Value> = schema["x-kubernetes-validations"].as_array().into_iter().flatten().collect();
    if rules.is_empty() {
        return;
    }
    let list = at.field("x-kubernetes-validations");
    for (n, rule) in rules.iter().enumerate() {
        written(report, rule, schema, &list.index(n));
    }
    let is_resource = is_root || schema["x-kubernetes-embedded-resource"] == true;
    if let Some(type_) = declared(schema, is_resource).filter(|_| is_structural) {
        for (n, rule) in rules.iter().enumerate() {
            compiled(report, rule, &type_, &list.index(n));
        }
    }
}

/// What a rule says beside its expression.
fn written(report: &mut Report, rule: &Value, schema: &Value, at: &At<'_>) {
    let (words, message) = (text(&rule["rule"]), text(&rule["message"]));
    if words.trim().is_empty() {
        report.required(&at.field("rule"), "rule is not specified");
    }
    if !message.is_empty() && message.trim().is_empty() {
        report.invalid(&at.field("message"), message, "must be non-empty if specified");
    } else if message.trim().contains('\n') {
        report.invalid(&at.field("message"), message, "must not contain line breaks");
    } else if words.trim().contains('\n') && message.trim().is_empty() {
        report.required(&at.field("message"), "message must be specified if rule contains line breaks");
    }
    let made = text(&rule["messageExpression"]);
    if !made.is_empty() && made.trim().is_empty() {
        report.required(&at.field("messageExpression"), "must be non-empty if specified");
    }
    let reason = text(&rule["reason"]);
    if !reason.is_empty() && !REASONS.contains(&reason) {
        let mut listed = REASONS;
        listed.sort_unstable();
        report.not_supported(&at.field("reason"), reason, &listed);
    }
    let path = text(&rule["fieldPath"]);
    if path.is_empty() {
        return;
    }
    let at = at.field("fieldPath");
    if path.trim().is_empty() {
        report.invalid(&at, path, "must be non-empty if specified");
    } else if path.trim().contains('\n') {
        report.invalid(&at, path, "must not contain line breaks");
    } else if !leads_somewhere(schema, path) {
        report.invalid(&at, path, "must be a valid path");
    }
}

/// Whether a path such as `.spec.size` names a field of the schema.
fn leads_somewhere(schema: &Value, path: &str) -> bool {
    let mut at = schema;
    let Some(path) = path.strip_prefix('.') else { return path.starts_with('[') };
    for name in path.split(['.', '[']) {
        let name = name.trim_end_matches(']').trim_matches('\'');
        at = match (at["properties"].as_object(), at.get("additionalProperties")) {
            (Some(fields), _) => match fields.get(name) {
                Some(own) => own,
                None => return false,
            },
            (None, Some(every)) => every,
            (None, None) => return false,
        };
    }
    true
}

fn compiled(report: &mut Report, rule: &Value, type_: &Type, at: &At<'_>) {
    let words = text(&rule["rule"]);
    if words.trim().is_empty() {
        return;
    }
    let names = rule_names(rule, type_);
    // The whole rule is shown, as Go prints its struct.
    let wrong = match Program::compile(words, &names) {
        Err(error) => Some(format!("compilation failed: {error}")),
        Ok(program) if *program.result() != Type::Bool => {
            Some("cel expression must evaluate to a bool".to_owned())
        }
        Ok(program) => {
            if rule["optionalOldSelf"] == true && !program.uses("oldSelf") {
                let why = "may not be set if oldSelf is not used in rule";
                report.invalid(&at.field("optionalOldSelf"), &true, why);
            }
            None
        }
    };
    if let Some(why) = wrong {
        report.invalid(&at.field("rule"), &Written(shown_rule(rule)), &why);
        return;
    }
    let made = text(&rule["messageExpression"]);
    if made.trim().is_empty() {
        return;
    }
    let wrong = match Program::compile(made, &names) {
        Err(error) => Some(format!("messageExpression compilation failed: {error}")),
        Ok(program) if *program.result() != Type::Text => {
            Some("messageExpression must evaluate to a string".to_owned())
        }
        Ok(_) => None,
    };
    if let Some(why) = wrong {
        report.invalid(&at.field("messageExpression"), &Written(shown_rule(rule)), &why);
    }
}

/// A rule as Go's JSON encoder writes its struct.
fn shown_rule(rule: &Value) -> String {
    let or_null = |name: &str| match &rule[name] {
        Value::Null => "null".to_owned(),
        value => super::shown(value),
    };
    let word = |name: &str| {
        let quoted = super::shown(&Value::String(text(&rule[name]).to_owned()));
        quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    };
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}",
        word("rule"),
        word("message"),
        word("messageExpression"),
        or_null("reason"),
        word("fieldPath"),
        or_null("optionalOldSelf"),
    )
}
