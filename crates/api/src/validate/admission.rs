//! Is a ValidatingAdmissionPolicy or its binding legal?
//!
//! Every expression must be one that can be read and that uses known names.
//! Source: `pkg/apis/admissionregistration/validation/validation.go`.

use serde_json::Value;

use super::{
    meta, name,
    report::{At, Report, Written},
};
use crate::{Stored, cel::Program};

/// Names that a policy's expressions may use.
const NAMES: [&str; 6] = ["object", "oldObject", "request", "namespaceObject", "authorizer", "variables"];
const REASONS: [&str; 4] = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"];

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
    let mut names = NAMES.to_vec();
    if !spec["paramKind"].is_null() {
        names.push("params");
        let at = at.field("paramKind");
        for field in ["apiVersion", "kind"] {
            if text(&spec["paramKind"][field]).is_empty() {
                report.required(&at.field(field), "");
            }
        }
    }
    match text(&spec["failurePolicy"]) {
        "" | "Fail" | "Ignore" => {}
        other => report.not_supported(&at.field("failurePolicy"), other, &["Fail", "Ignore"]),
    }
    constraints(report, &spec["matchConstraints"], &at.field("matchConstraints"));
    for (n, condition) in items(&spec["matchConditions"]) {
        let list = at.field("matchConditions");
        let at = list.index(n);
        if text(&condition["name"]).is_empty() {
            report.required(&at.field("name"), "");
        }
        expression(report, &condition["expression"], &at.field("expression"), &names);
    }
    for (n, variable) in items(&spec["variables"]) {
        let list = at.field("variables");
        let at = list.index(n);
        if text(&variable["name"]).is_empty() {
            report.required(&at.field("name"), "name is not specified");
        }
        expression(report, &variable["expression"], &at.field("expression"), &names);
    }
    let has_annotations = spec["auditAnnotations"].as_array().is_some_and(|it| !it.is_empty());
    if items(&spec["validations"]).next().is_none() && !has_annotations {
        let why = "validations or auditAnnotations must contain at least one item";
        report.required(&at.field("validations"), why);
        report.required(&at.field("auditAnnotations"), why);
    }
    for (n, validation) in items(&spec["validations"]) {
        let list = at.field("validations");
        let at = list.index(n);
        expression(report, &validation["expression"], &at.field("expression"), &names);
        let message = text(&validation["message"]);
        if !message.is_empty() && message.trim().is_empty() {
            report.invalid(&at.field("message"), message, "message must be non-empty if specified");
        } else if message.trim().contains('\n') {
            report.invalid(&at.field("message"), message, "message must not contain line breaks");
        } else if text(&validation["expression"]).trim().contains('\n') && message.is_empty() {
            let why = "message must be specified if expression contains line breaks";
            report.required(&at.field("message"), why);
        }
        if !text(&validation["messageExpression"]).is_empty() {
            let at = at.field("messageExpression");
            expression(report, &validation["messageExpression"], &at, &names);
        }
        let reason = text(&validation["reason"]);
        if !reason.is_empty() && !REASONS.contains(&reason) {
            report.not_supported(&at.field("reason"), reason, &REASONS);
        }
    }
}

fn constraints(report: &mut Report, rules: &Value, at: &At<'_>) {
    if rules.is_null() {
        report.required(at, "");
        return;
    }
    if items(&rules["resourceRules"]).next().is_none() {
        report.required(&at.field("resourceRules"), "");
    }
    let list = at.field("resourceRules");
    for (n, rule) in items(&rules["resourceRules"]) {
        let at = list.index(n);
        for field in ["operations", "apiGroups", "apiVersions", "resources"] {
            if items(&rule[field]).next().is_none() {
                report.required(&at.field(field), "");
            }
        }
        let operations = at.field("operations");
        for (n, operation) in items(&rule["operations"]) {
            let known = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
            if !known.contains(&text(operation)) {
                report.not_supported(&operations.index(n), text(operation), &known);
            }
        }
    }
}

fn expression(report: &mut Report, value: &Value, at: &At<'_>, names: &[&str]) {
    let words = text(value);
    if words.trim().is_empty() {
        report.required(at, "expression is not specified");
    } else if let Err(error) = Program::compile(words, names) {
        report.invalid(at, words, &error);
    }
}

pub(super) fn binding(report: &mut Report, stored: &Stored) {
    meta::object_meta(report, &stored.metadata, false, name::subdomain);
    let spec = stored.body.get("spec").unwrap_or(&Value::Null);
    let at = At::root("spec");
    if text(&spec["policyName"]).is_empty() {
        report.required(&at.field("policyName"), "");
    }
    if !spec["paramRef"].is_null() {
        let at = at.field("paramRef");
        let (by_name, by_label) =
            (!text(&spec["paramRef"]["name"]).is_empty(), !spec["paramRef"]["selector"].is_null());
        if by_name && by_label {
            report.forbidden(&at.field("name"), "name and selector are mutually exclusive");
        } else if !by_name && !by_label {
            report.required(&at, "one of name or selector must be specified");
        }
        if text(&spec["paramRef"]["parameterNotFoundAction"]).is_empty() {
            report.required(&at.field("parameterNotFoundAction"), "");
        }
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
        report.invalid(&list, &Written("[\"Deny\",\"Warn\"]".to_owned()), why);
    }
    if seen.is_empty() {
        report.required(&list, "at least one validation action is required");
    }
}
