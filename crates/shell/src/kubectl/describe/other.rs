//! `describe` for namespaces, their limits and configuration.

use api::Kind;
use base64::Engine as _;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Kube,
    client::Selection,
    field::{at, int, list, map, name, pairs, text, word},
};

pub(super) fn namespace(kube: &mut Kube<'_, '_>, o: &Value) -> Done<String> {
    let mut w = Writer::default();
    template::head(&mut w, o, false);
    template::marks(&mut w, o);
    w.line(0, format!("Status:\t{}", text(o, "status.phase")));
    let conditions = list(o, "status.conditions");
    if !conditions.is_empty() {
        w.raw("Conditions:\n  Type\tStatus\tLastTransitionTime\tReason\tMessage\n  ----\t------\t------------------\t------\t-------\n");
        for c in conditions {
            w.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}\t{}",
                    text(c, "type"),
                    text(c, "status"),
                    crate::kubectl::age::long(text(c, "lastTransitionTime")),
                    text(c, "reason"),
                    text(c, "message")
                ),
            );
        }
    }
    let mut quotas = kube.list(Kind::ResourceQuota, name(o), &Selection::default())?;
    quotas.sort_by(|a, b| name(a).cmp(name(b)));
    w.line(0, "");
    w.line(0, if quotas.is_empty() { "No resource quota." } else { "Resource Quotas" });
    for quota in &quotas {
        w.line(1, format!("Name:\t{}", name(quota)));
        scopes(&mut w, quota, 1, "* ");
        w.line(1, "Resource\tUsed\tHard");
        w.line(1, "--------\t---\t---");
        for (resource, hard) in map(quota, "status.hard") {
            let used = at(quota, "status.used").get(resource).map_or("0".to_owned(), word);
            w.line(1, format!("{resource}\t{used}\t{}", word(hard)));
        }
    }
    let limits = kube.list(Kind::LimitRange, name(o), &Selection::default())?;
    w.line(0, "");
    if limits.is_empty() {
        w.line(0, "No LimitRange resource.");
    } else {
        w.line(0, "Resource Limits");
        limit_head(&mut w, " ");
    }
    for range in &limits {
        limit_rows(&mut w, range, " ");
    }
    Ok(template::close(w, None))
}

/// What scopes of a quota mean.
const SCOPES: [(&str, &str); 4] = [
    (
        "Terminating",
        "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system.",
    ),
    (
        "NotTerminating",
        "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate.",
    ),
    (
        "BestEffort",
        "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service.",
    ),
    (
        "NotBestEffort",
        "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service.",
    ),
];

fn scopes(w: &mut Writer, quota: &Value, level: usize, bullet: &str) {
    let mut all: Vec<String> = list(quota, "spec.scopes").iter().map(word).collect();
    all.sort();
    if !all.is_empty() {
        w.line(level, format!("Scopes:\t{}", all.join(", ")));
    }
    for scope in &all {
        if let Some((_, help)) = SCOPES.iter().find(|(known, _)| known == scope) {
            w.line(level, format!("{bullet}{help}"));
        }
    }
}

pub(super) fn limit_range(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    limit_head(&mut w, "");
    limit_rows(&mut w, o, "");
    template::close(w, None)
}

fn limit_head(w: &mut Writer, indent: &str) {
    let titles = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio";
    w.line(0, format!("{indent}{titles}"));
    let dashes = "----\t--------\t---\t---\t---------------\t-------------\t-----------------------";
    w.line(0, format!("{indent}{dashes}"));
}

fn limit_rows(w: &mut Writer, range: &Value, indent: &str) {
    for item in list(range, "spec.limits") {
        let mut resources: Vec<&str> = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
            .iter()
            .flat_map(|f| map(item, f).map(|(k, _)| k))
            .collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cells: Vec<String> = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"]
                .iter()
                .map(|field| at(item, field).get(resource).map_or("-".to_owned(), word))
                .collect();
            w.line(0, format!("{indent}{}\t{resource}\t{}", text(item, "type"), cells.join("\t")));
        }
    }
}

pub(super) fn config_map(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.raw("\nData\n====\n");
    for (key, value) in map(o, "data") {
        w.raw(&format!("{key}:\n----\n{}\n\n", word(value)));
    }
    w.raw("\nBinaryData\n====\n");
    for (key, value) in map(o, "binaryData") {
        let bytes = word(value).trim_end_matches('=').len() * 3 / 4;
        w.raw(&format!("{key}: {bytes} bytes\n"));
    }
    w.raw("\n");
    template::close(w, events)
}

pub(super) fn secret(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.raw(&format!("\nType:\t{}\n\nData\n====\n", text(o, "type")));
    for (key, value) in map(o, "data") {
        let value = word(value);
        let token = key == "token" && text(o, "type") == "kubernetes.io/service-account-token";
        match base64::engine::general_purpose::STANDARD.decode(&value) {
            Ok(bytes) if token => w.raw(&format!("{key}:\t{}\n", String::from_utf8_lossy(&bytes))),
            Ok(bytes) => w.raw(&format!("{key}:\t{} bytes\n", bytes.len())),
            Err(_) => {}
        }
    }
    template::close(w, None)
}

pub(super) fn quota(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    scopes(&mut w, o, 0, " * ");
    w.line(0, "Resource\tUsed\tHard");
    w.line(0, "--------\t----\t----");
    for (resource, hard) in map(o, "status.hard") {
        let used = at(o, "status.used").get(resource).map_or("0".to_owned(), word);
        w.line(0, format!("{resource}\t{used}\t{}", word(hard)));
    }
    template::close(w, None)
}

pub(super) fn disruption_budget(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    for (title, path) in [("Min available", "spec.minAvailable"), ("Max unavailable", "spec.maxUnavailable")]
    {
        if !at(o, path).is_null() {
            w.line(0, format!("{title}:\t{}", word(at(o, path))));
            break;
        }
    }
    let selector = match at(o, "spec.selector") {
        Value::Null => "<unset>".to_owned(),
        selector => crate::kubectl::field::selector(selector, "<none>"),
    };
    w.line(0, format!("Selector:\t{selector}"));
    w.line(0, "Status:");
    for (title, path) in [
        ("Allowed disruptions", "status.disruptionsAllowed"),
        ("Current", "status.currentHealthy"),
        ("Desired", "status.desiredHealthy"),
        ("Total", "status.expectedPods"),
    ] {
        w.line(2, format!("{title}:\t{}", int(o, path)));
    }
    template::close(w, events)
}

pub(super) fn priority_class(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    w.line(0, format!("Name:\t{}", name(o)));
    w.line(0, format!("Value:\t{}", int(o, "value")));
    w.line(0, format!("GlobalDefault:\t{}", at(o, "globalDefault") == &Value::Bool(true)));
    w.line(0, format!("PreemptionPolicy:\t{}", text(o, "preemptionPolicy")));
    w.line(0, format!("Description:\t{}", text(o, "description")));
    w.line(0, format!("Annotations:\t{}", pairs(o, "metadata.annotations", "<none>")));
    template::close(w, events)
}
