//! Is a ValidatingAdmissionPolicy or its binding legal?
//!
//! Every expression must be one that can be read and that uses known names.
//! Source: `pkg/apis/admissionregistration/validation/validation.go`.

use serde_json::Value;

use super::{
    meta, name,
    report::{At, Report, Written},
    webhook,
};
use crate::{
    Stored,
    cel::{PolicyNames, Program, Type, policy_names},
};

const REASONS: [&str; 3] = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

pub(super) fn policy(report: &mut Report, stored: &Stored) {
    meta::object_meta(report, &stored.metadata, false, name::subdomain);
    let spec = stored.body.get("spec").unwrap_or(&Value::Null);
    let at = At::root("spec");
    match text(&spec["failurePolicy"]) {
        "" | "Fail" | "Ignore" => {}
        other => report.not_supported(&at.field("failurePolicy"), other, &["Fail", "Ignore"]),
    }
    let params = (!spec["paramKind"].is_null()).then_some(&Type::Dyn);
    if params.is_some() {
        param_kind(report, &spec["paramKind"], &at.field("paramKind"));
    }
    let constraints = &spec["matchConstraints"];
    if constraints.is_null() {
        report.required(&at.field("matchConstraints"), "");
    } else {
        match_resources(report, constraints, &at.field("matchConstraints"));
        if items(&constraints["resourceRules"]).next().is_none() {
            report.required(&at.field("matchConstraints.resourceRules"), "");
        }
    }
    let plain = PolicyNames { params, authorizer: true, ..PolicyNames::default() };
    match_conditions(report, &spec["matchConditions"], &at.field("matchConditions"), plain);
    let mut variables: Vec<(String, Type)> = Vec::new();
    let has_variables = items(&spec["variables"]).next().is_some();
    let list = at.field("variables");
    for (n, variable) in items(&spec["variables"]) {
        let at = list.index(n);
        let name = text(&variable["name"]);
        if name.trim().is_empty() {
            report.required(&at.field("name"), "name is not specified");
        } else if !is_identifier(name) {
            report.invalid(&at.field("name"), name, "must be a valid CEL identifier");
        }
        let words = text(&variable["expression"]);
        if words.trim().is_empty() {
            report.required(&at.field("expression"), "expression is not specified");
        } else {
            let names = PolicyNames { variables: Some(&variables), ..plain };
            let found = expression(report, words, &at.field("expression"), names, &[]);
            // UPSTREAM: a variable that is wrong is still one.
            variables.push((name.to_owned(), found.unwrap_or(Type::Dyn)));
        }
    }
    let names = PolicyNames { variables: has_variables.then_some(&variables), ..plain };
    if items(&spec["validations"]).next().is_none() && items(&spec["auditAnnotations"]).next().is_none() {
        let why = "validations or auditAnnotations must contain at least one item";
        report.required(&at.field("validations"), why);
        report.required(&at.field("auditAnnotations"), why);
    }
    let list = at.field("validations");
    for (n, it) in items(&spec["validations"]) {
        validation(report, it, &list.index(n), names);
    }
    let list = at.field("auditAnnotations");
    let mut keys: Vec<&str> = Vec::new();
    for (n, it) in items(&spec["auditAnnotations"]) {
        let at = list.index(n);
        let (key, words) = (text(&it["key"]), text(&it["valueExpression"]).trim());
        let whole = format!("{}/{key}", stored.metadata.name.as_deref().unwrap_or_default());
        report.each_invalid(&at.field("key"), &*whole, name::qualified(&whole));
        if words.is_empty() {
            report.required(&at.field("valueExpression"), "valueExpression is not specified");
        } else {
            expression(report, words, &at.field("valueExpression"), names, &[Type::Text, Type::Null]);
        }
        if keys.contains(&key) {
            report.duplicate(&at.field("key"), key);
        }
        keys.push(key);
    }
}

/// Conditions beside the rules, which say whether a request is meant.
pub(super) fn match_conditions(
    report: &mut Report,
    conditions: &Value,
    list: &At<'_>,
    names: PolicyNames<'_>,
) {
    let mut seen: Vec<&str> = Vec::new();
    for (n, condition) in items(conditions) {
        let at = list.index(n);
        if text(&condition["expression"]).trim().is_empty() {
            report.required(&at.field("expression"), "");
        } else {
            let condition = text(&condition["expression"]).trim();
            expression(report, condition, &at.field("expression"), names, &[Type::Bool]);
        }
        let name = text(&condition["name"]);
        if name.is_empty() {
            report.required(&at.field("name"), "");
        } else {
            report.each_invalid(&at.field("name"), name, name::qualified(name));
            if seen.contains(&name) {
                report.duplicate(&at.field("name"), name);
            }
            seen.push(name);
        }
    }
}

fn validation(report: &mut Report, validation: &Value, at: &At<'_>, names: PolicyNames<'_>) {
    let words = text(&validation["expression"]);
    if words.trim().is_empty() {
        report.required(&at.field("expression"), "expression is not specified");
    } else {
        expression(report, words, &at.field("expression"), names, &[Type::Bool]);
    }
    let made = text(&validation["messageExpression"]);
    if !made.is_empty() && made.trim().is_empty() {
        report.invalid(&at.field("messageExpression"), made, "must be non-empty if specified");
    } else if !made.is_empty() {
        let names = PolicyNames { authorizer: false, ..names };
        expression(report, made, &at.field("messageExpression"), names, &[Type::Text]);
    }
    let message = text(&validation["message"]);
    if !message.is_empty() && message.trim().is_empty() {
        report.invalid(&at.field("message"), message, "must be non-empty if specified");
    } else if message.trim().contains(['\n', '\r']) {
        report.invalid(&at.field("message"), message, "must not contain line breaks");
    }
    let reason = text(&validation["reason"]);
    if !reason.is_empty() && !REASONS.contains(&reason) {
        report.not_supported(&at.field("reason"), reason, &REASONS);
    }
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Of which kind the parameters are.
fn param_kind(report: &mut Report, kind: &Value, at: &At<'_>) {
    let written = text(&kind["apiVersion"]);
    let place = at.field("apiVersion");
    let (group, version) = written.split_once('/').unwrap_or(("", written));
    if written.is_empty() {
        report.required(&place, "");
    } else if version.contains('/') {
        report.invalid(&place, written, &format!("unexpected GroupVersion string: {written}"));
    } else {
        let wrong = name::subdomain(group, false);
        if !group.is_empty() && !wrong.is_empty() {
            report.invalid(&place, group, &wrong.join(","));
        }
        let wrong = name::label_1035(version, false);
        if version.is_empty() {
            report.invalid(&place, written, "version must be specified");
        } else if !wrong.is_empty() {
            report.invalid(&place, version, &wrong.join(","));
        }
    }
    let kind = text(&kind["kind"]);
    let wrong = name::label_1035(&kind.to_lowercase(), false);
    if kind.is_empty() {
        report.required(&at.field("kind"), "");
    } else if !wrong.is_empty() {
        let why = format!("may have mixed case, but should otherwise match: {}", wrong.join(","));
        report.invalid(&at.field("kind"), kind, &why);
    }
}

/// Which requests are meant.
fn match_resources(report: &mut Report, resources: &Value, at: &At<'_>) {
    let policy = text(&resources["matchPolicy"]);
    if !["Equivalent", "Exact"].contains(&policy) {
        report.not_supported(&at.field("matchPolicy"), policy, &["Equivalent", "Exact"]);
    }
    for field in ["namespaceSelector", "objectSelector"] {
        webhook::selector(report, &resources[field], &at.field(field));
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        let list = at.field(field);
        for (n, rule) in items(&resources[field]) {
            let at = list.index(n);
            let names = at.field("resourceNames");
            let mut seen: Vec<&str> = Vec::new();
            for (n, name) in items(&rule["resourceNames"]) {
                let name = text(name);
                report.each_invalid(&names.index(n), name, name::path_segment(name, false));
                if seen.contains(&name) {
                    report.duplicate(&names.index(n), name);
                }
                seen.push(name);
            }
            webhook::rule(report, rule, &at);
        }
    }
}

/// Compiles an expression whose answer is of one of the `wanted` types; any, if none is named.
fn expression(
    report: &mut Report,
    words: &str,
    at: &At<'_>,
    names: PolicyNames<'_>,
    wanted: &[Type],
) -> Option<Type> {
    match Program::compile(words, &policy_names(names)) {
        Err(error) => {
            report.invalid(at, words, &format!("compilation failed: {error}"));
            None
        }
        Ok(program) => {
            let found = program.result().clone();
            if !wanted.is_empty() && !wanted.contains(&found) {
                let shown =
                    |it: &Type| if *it == Type::Null { "null_type".to_owned() } else { it.to_string() };
                let listed: Vec<String> = wanted.iter().map(shown).collect();
                let wanted = match listed.as_slice() {
                    [one] => one.clone(),
                    many => format!("one of [{}]", many.join(" ")),
                };
                report.invalid(at, words, &format!("must evaluate to {wanted} but got {}", shown(&found)));
            }
            Some(found)
        }
    }
}

pub(super) fn binding(report: &mut Report, stored: &Stored) {
    meta::object_meta(report, &stored.metadata, false, name::subdomain);
    let spec = stored.body.get("spec").unwrap_or(&Value::Null);
    let at = At::root("spec");
    let policy = text(&spec["policyName"]);
    if policy.is_empty() {
        report.required(&at.field("policyName"), "");
    } else {
        report.each_invalid(&at.field("policyName"), policy, name::subdomain(policy, false));
    }
    if !spec["paramRef"].is_null() {
        param_ref(report, &spec["paramRef"], &at.field("paramRef"));
    }
    if !spec["matchResources"].is_null() {
        match_resources(report, &spec["matchResources"], &at.field("matchResources"));
    }
    let list = at.field("validationActions");
    let mut seen: Vec<&str> = Vec::new();
    for (n, action) in items(&spec["validationActions"]) {
        let action = text(action);
        if !["Audit", "Deny", "Warn"].contains(&action) {
            report.not_supported(&list.index(n), action, &["Audit", "Deny", "Warn"]);
        }
        if seen.contains(&action) {
            report.duplicate(&list.index(n), action);
        }
        seen.push(action);
    }
    if seen.contains(&"Deny") && seen.contains(&"Warn") {
        let why = "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
        report.invalid(&list, &Written(crate::emit::compact(&spec["validationActions"])), why);
    }
    if seen.is_empty() {
        report.required(&list, "at least one validation action is required");
    }
}

/// Which objects a policy's parameters are.
fn param_ref(report: &mut Report, params: &Value, at: &At<'_>) {
    let (name, by_label) = (text(&params["name"]), !params["selector"].is_null());
    let why = "name and selector are mutually exclusive";
    if !name.is_empty() {
        report.each_invalid(&at.field("name"), name, name::path_segment(name, false));
        if by_label {
            report.forbidden(&at.field("name"), why);
        }
    }
    if by_label {
        webhook::selector(report, &params["selector"], &at.field("selector"));
        if !name.is_empty() {
            report.forbidden(&at.field("selector"), why);
        }
    } else if name.is_empty() {
        report.required(at, "one of name or selector must be specified");
    }
    let at = at.field("parameterNotFoundAction");
    match text(&params["parameterNotFoundAction"]) {
        "" => report.required(&at, ""),
        "Deny" | "Allow" => {}
        other => report.not_supported(&at, other, &["Deny", "Allow"]),
    }
}
