//! Rows of configuration, events, quotas, bindings.

use jiff::Timestamp;
use serde_json::Value;

use super::{created, name, or};
use crate::kubectl::{
    age,
    field::{at, int, list, map, text, word},
};

pub(super) fn config_map(o: &Value, now: Timestamp) -> Vec<String> {
    let count = map(o, "data").count() + map(o, "binaryData").count();
    vec![name(o), count.to_string(), created(o, now)]
}

pub(super) fn secret(o: &Value, now: Timestamp) -> Vec<String> {
    vec![name(o), text(o, "type").to_owned(), map(o, "data").count().to_string(), created(o, now)]
}

/// Source: kubernetes `pkg/printers/internalversion` (`printComponentStatus`).
pub(super) fn component_status(o: &Value) -> Vec<String> {
    let healthy = list(o, "conditions").iter().find(|it| text(it, "type") == "Healthy");
    let Some(found) = healthy else {
        return vec![name(o), "Unknown".to_owned(), String::new(), String::new()];
    };
    let status = if text(found, "status") == "True" { "Healthy" } else { "Unhealthy" };
    vec![name(o), status.to_owned(), text(found, "message").to_owned(), text(found, "error").to_owned()]
}

/// When an event was seen last and first, and how often.
#[must_use]
pub(crate) fn event_times(o: &Value) -> (String, String, i64) {
    let first = or(text(o, "firstTimestamp"), text(o, "eventTime"));
    let last = or(text(o, "lastTimestamp"), first);
    let (last, count) = match at(o, "series") {
        Value::Null => (last, int(o, "count").max(1)),
        series => (or(text(series, "lastObservedTime"), last), int(series, "count")),
    };
    (last.to_owned(), first.to_owned(), count)
}

pub(super) fn event(o: &Value, now: Timestamp) -> Vec<String> {
    let (last, first, count) = event_times(o);
    let about = at(o, "involvedObject");
    let about = if about.is_null() { at(o, "regarding") } else { about };
    let source = text(o, "source.component");
    let source = if source.is_empty() { text(o, "reportingComponent").to_owned() } else { source.to_owned() };
    let host = match text(o, "source.host") {
        "" => text(o, "reportingInstance"),
        host => host,
    };
    let source = if host.is_empty() { source } else { format!("{source}, {host}") };
    let message = or(text(o, "message"), text(o, "note")).trim().to_owned();
    vec![
        age::since(&last, now),
        text(o, "type").to_owned(),
        text(o, "reason").to_owned(),
        format!("{}/{}", text(about, "kind").to_lowercase(), text(about, "name")),
        text(about, "fieldPath").to_owned(),
        source,
        message,
        age::since(&first, now),
        count.to_string(),
        name(o),
    ]
}

pub(super) fn quota(o: &Value, now: Timestamp) -> Vec<String> {
    let mut requests = Vec::new();
    let mut limits = Vec::new();
    for (resource, hard) in map(o, "status.hard") {
        let used = word(at(o, "status.used").get(resource).unwrap_or(&Value::Null));
        let cell = format!("{resource}: {used}/{}", word(hard));
        if resource.starts_with("limits") { limits.push(cell) } else { requests.push(cell) }
    }
    vec![name(o), requests.join(", "), limits.join(", "), created(o, now)]
}

/// What became of a request to sign a certificate.
pub(crate) fn signing_status(o: &Value) -> String {
    let has = |wanted: &str| list(o, "status.conditions").iter().any(|it| text(it, "type") == wanted);
    let mut condition = match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }
    .to_owned();
    if has("Failed") {
        condition.push_str(",Failed");
    }
    if !text(o, "status.certificate").is_empty() {
        condition.push_str(",Issued");
    }
    condition
}

/// Source: kubernetes `pkg/printers/internalversion` (`printCertificateSigningRequest`).
pub(super) fn signing_request(o: &Value, now: Timestamp) -> Vec<String> {
    let asked = at(o, "spec.expirationSeconds").as_i64();
    vec![
        name(o),
        created(o, now),
        text(o, "spec.signerName").to_owned(),
        text(o, "spec.username").to_owned(),
        asked.map_or_else(|| "<none>".to_owned(), age::human),
        signing_status(o),
    ]
}

pub(super) fn priority_class(o: &Value, now: Timestamp) -> Vec<String> {
    vec![
        name(o),
        int(o, "value").to_string(),
        (at(o, "globalDefault") == &Value::Bool(true)).to_string(),
        created(o, now),
        or(text(o, "preemptionPolicy"), "PreemptLowerPriority").to_owned(),
    ]
}

pub(super) fn flow_schema(o: &Value, now: Timestamp) -> Vec<String> {
    let dangling = list(o, "status.conditions").iter().find(|it| text(it, "type") == "Dangling");
    vec![
        name(o),
        text(o, "spec.priorityLevelConfiguration.name").to_owned(),
        int(o, "spec.matchingPrecedence").to_string(),
        or(text(o, "spec.distinguisherMethod.type"), "<none>").to_owned(),
        created(o, now),
        dangling.map_or("?", |it| text(it, "status")).to_owned(),
    ]
}

pub(super) fn priority_level(o: &Value, now: Timestamp) -> Vec<String> {
    let limited = at(o, "spec.limited");
    let queuing = at(limited, "limitResponse.queuing");
    let number = |of: &Value, path: &str| or(&word(at(of, path)), "<none>").to_owned();
    vec![
        name(o),
        text(o, "spec.type").to_owned(),
        number(limited, "nominalConcurrencyShares"),
        number(queuing, "queues"),
        number(queuing, "handSize"),
        number(queuing, "queueLengthLimit"),
        created(o, now),
    ]
}

/// Source: kube-aggregator `pkg/registry/apiservice/storage` (`ConvertToTable`).
pub(super) fn api_service(o: &Value, now: Timestamp) -> Vec<String> {
    let service = match at(o, "spec.service") {
        Value::Null => "Local".to_owned(),
        service => format!("{}/{}", text(service, "namespace"), text(service, "name")),
    };
    let available = list(o, "status.conditions").iter().find(|it| text(it, "type") == "Available");
    let available = match available {
        None => "Unknown".to_owned(),
        Some(it) if text(it, "status") == "True" => "True".to_owned(),
        Some(it) => format!("{} ({})", text(it, "status"), text(it, "reason")),
    };
    vec![name(o), service, available, created(o, now)]
}

pub(super) fn role_binding(o: &Value, now: Timestamp) -> Vec<String> {
    let subjects = |kind: &str| {
        let all = list(o, "subjects").iter().filter(|s| text(s, "kind") == kind);
        let names = all.map(|s| match text(s, "namespace") {
            "" => text(s, "name").to_owned(),
            namespace => format!("{namespace}/{}", text(s, "name")),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    vec![
        name(o),
        format!("{}/{}", text(o, "roleRef.kind"), text(o, "roleRef.name")),
        created(o, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

pub(super) fn admission_policy(o: &Value, now: Timestamp) -> Vec<String> {
    let kind = match at(o, "spec.paramKind") {
        Value::Null => "<unset>".to_owned(),
        param => format!("{}/{}", text(param, "apiVersion"), text(param, "kind")),
    };
    vec![name(o), list(o, "spec.validations").len().to_string(), kind, created(o, now)]
}

pub(super) fn admission_policy_binding(o: &Value, now: Timestamp) -> Vec<String> {
    let param = match at(o, "spec.paramRef") {
        Value::Null => "<unset>".to_owned(),
        param => match text(param, "namespace") {
            "" => or(text(param, "name"), "*").to_owned(),
            namespace => format!("{namespace}/{}", text(param, "name")),
        },
    };
    vec![name(o), text(o, "spec.policyName").to_owned(), param, created(o, now)]
}

#[cfg(test)]
mod tests {
    use crate::text::tests::sh;

    #[test]
    fn the_parts_of_the_control_plane_are_asked_anew_each_time() {
        let (out, err, _) =
            sh("kind create cluster 2>/dev/null; kubectl get cs; lab fault stop scheduler >/dev/null; \
             kubectl get componentstatuses scheduler --no-headers; kubectl get cs nope");
        let rows: Vec<&str> = out.lines().map(str::trim_end).collect();
        assert_eq!(
            rows,
            [
                "NAME                 STATUS    MESSAGE   ERROR",
                "scheduler            Healthy   ok",
                "controller-manager   Healthy   ok",
                "etcd-0               Healthy   ok",
                "scheduler   Unhealthy   Get \"https://127.0.0.1:10259/healthz\": dial tcp 127.0.0.1:10259: connect: connection refused",
            ]
        );
        let warning = "Warning: v1 ComponentStatus is deprecated in v1.19+\n";
        assert_eq!(
            err,
            format!(
                "{warning}{warning}{warning}Error from server (NotFound): componentstatus \"nope\" not found\n"
            )
        );
    }
}
