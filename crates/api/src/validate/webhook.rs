//! Is a configuration of admission webhooks legal, and is a rule that says which requests are meant?
//!
//! Source: `pkg/apis/admissionregistration/validation/validation.go`; apiserver `pkg/util/webhook/validation.go`.

use serde_json::Value;

use super::{
    admission, meta, name,
    report::{At, Report, Written},
};
use crate::{Stored, cel::PolicyNames, emit::compact, meta::LabelSelector};

const VERSIONS: [&str; 2] = ["v1", "v1beta1"];
const FORM: &str = "; desired format: https://host[/path]";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> impl Iterator<Item = (usize, &Value)> {
    value.as_array().into_iter().flatten().enumerate()
}

pub(super) fn configuration(report: &mut Report, stored: &Stored) {
    meta::object_meta(report, &stored.metadata, false, name::subdomain);
    let nothing = Value::Null;
    let hooks = stored.body.get("webhooks").unwrap_or(&nothing);
    let list = At::root("webhooks");
    let mut seen: Vec<&str> = Vec::new();
    for (n, hook) in items(hooks) {
        let at = list.index(n);
        webhook(report, hook, &at);
        review_versions(report, &hook["admissionReviewVersions"], &at.field("admissionReviewVersions"));
        let name = text(&hook["name"]);
        if !name.is_empty() && seen.contains(&name) {
            report.duplicate(&at.field("name"), name);
        }
        seen.push(name);
    }
}

fn webhook(report: &mut Report, hook: &Value, at: &At<'_>) {
    let name = text(&hook["name"]);
    let place = at.field("name");
    if name.is_empty() {
        report.required(&place, "");
    } else {
        let wrong = name::subdomain(name, false);
        if !wrong.is_empty() {
            report.invalid(&place, name, &wrong.join(","));
        } else if name.split('.').count() < 3 {
            report.invalid(&place, name, "should be a domain with at least three segments separated by dots");
        }
    }
    let rules = at.field("rules");
    for (n, it) in items(&hook["rules"]) {
        rule(report, it, &rules.index(n));
    }
    let one_of = |report: &mut Report, field: &str, known: &[&str]| {
        let said = &hook[field];
        if !said.is_null() && !known.contains(&text(said)) {
            report.not_supported(&at.field(field), text(said), known);
        }
    };
    one_of(report, "failurePolicy", &["Fail", "Ignore"]);
    one_of(report, "matchPolicy", &["Equivalent", "Exact"]);
    if hook["sideEffects"].is_null() {
        report.required(&at.field("sideEffects"), "must specify one of None, NoneOnDryRun");
    }
    one_of(report, "sideEffects", &["None", "NoneOnDryRun"]);
    if let Some(seconds) = hook["timeoutSeconds"].as_i64().filter(|it| !(1..=30).contains(it)) {
        let why = "the timeout value must be between 1 and 30 seconds";
        report.invalid(&at.field("timeoutSeconds"), &seconds, why);
    }
    for field in ["namespaceSelector", "objectSelector"] {
        selector(report, &hook[field], &at.field(field));
    }
    one_of(report, "reinvocationPolicy", &["IfNeeded", "Never"]);
    client(report, &hook["clientConfig"], &at.field("clientConfig"));
    let names = PolicyNames { authorizer: true, ..PolicyNames::default() };
    admission::match_conditions(report, &hook["matchConditions"], &at.field("matchConditions"), names);
}

/// A selector as it is written.
pub(super) fn selector(report: &mut Report, selector: &Value, at: &At<'_>) {
    let selector = serde_json::from_value::<LabelSelector>(selector.clone()).ok();
    meta::label_selector(report, selector.as_ref(), at);
}

/// Where the webhook is called.
fn client(report: &mut Report, client: &Value, at: &At<'_>) {
    let (url, service) = (&client["url"], &client["service"]);
    if url.is_null() == service.is_null() {
        report.required(at, "exactly one of url or service is required");
    } else if !url.is_null() {
        address(report, text(url), &at.field("url"));
    } else {
        let at = at.field("service");
        // UPSTREAM: name and namespace are handed over in each other's place, so one that is missing is said of the other.
        for (field, said_of) in [("namespace", "name"), ("name", "namespace")] {
            if text(&service[field]).is_empty() {
                report.required(&at.field(said_of), "");
            }
        }
        if let Some(port) = service["port"].as_i64().filter(|it| !(1..=65535).contains(it)) {
            let why = "port is not valid: must be between 1 and 65535, inclusive";
            report.invalid(&at.field("port"), &port, why);
        }
        service_path(report, text(&service["path"]), &at.field("path"));
    }
}

fn service_path(report: &mut Report, path: &str, at: &At<'_>) {
    if path.is_empty() || path == "/" {
        return;
    }
    if path == "//" {
        report.invalid(at, path, "segment[0] may not be empty");
        return;
    }
    if !path.starts_with('/') {
        report.invalid(at, path, "must start with a '/'");
    }
    // UPSTREAM: the first letter is left out, whatever it is.
    let mut letters = path.chars();
    letters.next();
    let steps = letters.as_str();
    for (n, step) in steps.strip_suffix('/').unwrap_or(steps).split('/').enumerate() {
        if step.is_empty() {
            report.invalid(at, path, &format!("segment[{n}] may not be empty"));
        }
        for why in name::subdomain(step, false).iter().filter(|_| !step.is_empty()) {
            report.invalid(at, path, &format!("segment[{n}]: {why}"));
        }
    }
}

fn address(report: &mut Report, url: &str, at: &At<'_>) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    if scheme != "https" {
        report.invalid(at, scheme, &format!("'https' is the only allowed URL scheme{FORM}"));
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = rest.split('/').next().unwrap_or_default();
    let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
    if host.is_empty() || scheme.is_empty() {
        report.invalid(at, "", &format!("host must be specified{FORM}"));
    }
    if !user.is_empty() {
        report.invalid(at, user, "user information is not permitted in the URL");
    }
    if !fragment.is_empty() {
        report.invalid(at, fragment, "fragments are not permitted in the URL");
    }
    if !query.is_empty() {
        report.invalid(at, query, "query parameters are not permitted in the URL");
    }
}

fn review_versions(report: &mut Report, versions: &Value, at: &At<'_>) {
    if items(versions).next().is_none() {
        report.required(at, &format!("must specify one of {}", VERSIONS.join(", ")));
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    for (n, version) in items(versions) {
        let version = text(version);
        if seen.contains(&version) {
            report.invalid(&at.index(n), version, "duplicate version");
            continue;
        }
        seen.push(version);
        report.each_invalid(&at.index(n), version, name::label_1035(version, false));
    }
    if !seen.iter().any(|it| VERSIONS.contains(it)) {
        let why = format!("must include at least one of {}", VERSIONS.join(", "));
        report.invalid(at, &Written(compact(versions)), &why);
    }
}

/// Which requests are meant.
pub(super) fn rule(report: &mut Report, rule: &Value, at: &At<'_>) {
    const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
    let all_or_some = |report: &mut Report, field: &str, what: &str| {
        let list = &rule[field];
        if items(list).next().is_none() {
            report.required(&at.field(field), "");
        }
        if items(list).count() > 1 && items(list).any(|(_, it)| it == "*") {
            let why = format!("if '*' is present, must not specify other {what}");
            report.invalid(&at.field(field), &Written(compact(list)), &why);
        }
    };
    all_or_some(report, "operations", "operations");
    let operations = at.field("operations");
    for (n, operation) in items(&rule["operations"]) {
        if !OPERATIONS.contains(&text(operation)) {
            report.not_supported(&operations.index(n), text(operation), &OPERATIONS);
        }
    }
    all_or_some(report, "apiGroups", "API groups");
    all_or_some(report, "apiVersions", "API versions");
    let versions = at.field("apiVersions");
    for (n, version) in items(&rule["apiVersions"]) {
        if text(version).is_empty() {
            report.required(&versions.index(n), "");
        }
    }
    resources(report, &rule["resources"], &at.field("resources"));
    if !rule["scope"].is_null() && !["*", "Cluster", "Namespaced"].contains(&text(&rule["scope"])) {
        report.not_supported(&at.field("scope"), text(&rule["scope"]), &["*", "Cluster", "Namespaced"]);
    }
}

fn resources(report: &mut Report, resources: &Value, at: &At<'_>) {
    let all: Vec<&str> = items(resources).map(|(_, it)| text(it)).collect();
    if all.is_empty() {
        report.required(at, "");
    }
    let (mut every_part, mut every_resource): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut has_plain = false;
    for (n, it) in all.iter().enumerate() {
        if it.is_empty() {
            report.required(&at.index(n), "");
            continue;
        }
        let Some((of, part)) = it.split_once('/') else {
            // UPSTREAM: only the last one that names no part counts.
            has_plain = *it != "*";
            continue;
        };
        if every_part.contains(&of) {
            report.invalid(&at.index(n), *it, &format!("if '{of}/*' is present, must not specify {it}"));
        }
        if every_resource.contains(&part) {
            report.invalid(&at.index(n), *it, &format!("if '*/{part}' is present, must not specify {it}"));
        }
        if part == "*" {
            every_part.push(of);
        }
        if of == "*" {
            every_resource.push(part);
        }
    }
    if all.len() > 1 && all.contains(&"*/*") {
        let why = "if '*/*' is present, must not specify other resources";
        report.invalid(at, &Written(compact(resources)), why);
    }
    if all.contains(&"*") && has_plain {
        let why = "if '*' is present, must not specify other resources without subresources";
        report.invalid(at, &Written(compact(resources)), why);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn a_configuration_of_webhooks_is_refused_in_the_servers_words() {
        let value = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "inject"}, "webhooks": [{"name": "inject", "clientConfig": {"url": "http://example.com"},
                "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*", "CREATE"], "resources": ["*"]}],
                "sideEffects": "Some", "admissionReviewVersions": [], "timeoutSeconds": 60, "reinvocationPolicy": "Maybe"}]});
        let mut object = decode::decode(Kind::MutatingWebhookConfiguration, &value).expect("a configuration");
        default::apply_defaults(&mut object);
        let said: Vec<String> =
            validate::create(&object).iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
        // As kube-apiserver 1.34 says it.
        assert_eq!(
            said,
            [
                "webhooks[0].name: Invalid value: \"inject\": should be a domain with at least three segments separated by dots",
                "webhooks[0].rules[0].operations: Invalid value: [\"*\",\"CREATE\"]: if '*' is present, must not specify other operations",
                "webhooks[0].sideEffects: Unsupported value: \"Some\": supported values: \"None\", \"NoneOnDryRun\"",
                "webhooks[0].timeoutSeconds: Invalid value: 60: the timeout value must be between 1 and 30 seconds",
                "webhooks[0].reinvocationPolicy: Unsupported value: \"Maybe\": supported values: \"IfNeeded\", \"Never\"",
                "webhooks[0].clientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
                "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
            ]
        );
    }
}
