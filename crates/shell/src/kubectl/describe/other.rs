//! `describe` for namespaces and configuration.

use api::Kind;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Kube,
    client::Selection,
    field::{at, list, map, name, text, word},
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
    let quotas = kube.list(Kind::ResourceQuota, name(o), &Selection::default()).unwrap_or_default();
    w.line(0, "");
    if quotas.is_empty() {
        w.line(0, "No resource quota.");
    } else {
        w.line(0, "Resource Quotas");
        for (i, quota) in quotas.iter().enumerate() {
            if i > 0 {
                w.line(0, "");
            }
            w.line(1, format!("Name:\t{}", name(quota)));
            w.line(1, "Resource\tUsed\tHard");
            w.line(1, "--------\t---\t---");
            for (resource, hard) in map(quota, "status.hard") {
                let used = at(quota, "status.used").get(resource).map(word).unwrap_or_default();
                w.line(1, format!("{resource}\t{used}\t{}", word(hard)));
            }
        }
    }
    let limits = kube.list(Kind::LimitRange, name(o), &Selection::default()).unwrap_or_default();
    w.line(0, "");
    if limits.is_empty() {
        w.line(0, "No LimitRange resource.");
    } else {
        w.line(0, "Resource Limits");
        w.line(0, " Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio");
        w.line(0, " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------");
        for range in &limits {
            limit_rows(&mut w, range);
        }
    }
    Ok(template::close(w, None))
}

fn limit_rows(w: &mut Writer, range: &Value) {
    for item in list(range, "spec.limits") {
        let mut resources: Vec<&str> = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"]
            .iter()
            .flat_map(|f| map(item, f).map(|(k, _)| k))
            .collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cell = |field: &str| match at(item, field).get(resource) {
                Some(amount) => word(amount),
                None => "-".to_owned(),
            };
            w.line(
                0,
                format!(
                    " {}\t{resource}\t{}\t{}\t{}\t{}\t{}",
                    text(item, "type"),
                    cell("min"),
                    cell("max"),
                    cell("defaultRequest"),
                    cell("default"),
                    cell("maxLimitRequestRatio")
                ),
            );
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
        let bytes = word(value).trim_end_matches('=').len() * 3 / 4;
        w.raw(&format!("{key}:\t{bytes} bytes\n"));
    }
    template::close(w, None)
}

pub(super) fn role_binding(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, false);
    template::marks(&mut w, o);
    w.line(0, "Role:");
    w.line(1, format!("Kind:\t{}", text(o, "roleRef.kind")));
    w.line(1, format!("Name:\t{}", text(o, "roleRef.name")));
    w.line(0, "Subjects:");
    w.line(1, "Kind\tName\tNamespace");
    w.line(1, "----\t----\t---------");
    for subject in list(o, "subjects") {
        w.line(
            1,
            format!("{}\t{}\t{}", text(subject, "kind"), text(subject, "name"), text(subject, "namespace")),
        );
    }
    template::close(w, None)
}

pub(super) fn quota(o: &Value) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    w.line(0, "Resource\tUsed\tHard");
    w.line(0, "--------\t----\t----");
    for (resource, hard) in map(o, "status.hard") {
        let used = at(o, "status.used").get(resource).map(word).unwrap_or_default();
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
        }
    }
    let selector = crate::kubectl::field::selector(at(o, "spec.selector"), "<none>");
    w.line(0, format!("Selector:\t{selector}"));
    w.line(0, "Status:");
    for (title, path) in [
        ("Allowed disruptions", "status.disruptionsAllowed"),
        ("Current", "status.currentHealthy"),
        ("Desired", "status.desiredHealthy"),
        ("Total", "status.expectedPods"),
    ] {
        w.line(2, format!("{title}:\t{}", word(at(o, path))));
    }
    template::close(w, events)
}

pub(super) fn account(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    let names = |path: &str| {
        let all: Vec<&str> = list(o, path).iter().map(|s| text(s, "name")).collect();
        if all.is_empty() { "<none>".to_owned() } else { all.join("\n\t") }
    };
    w.line(0, format!("Image pull secrets:\t{}", names("imagePullSecrets")));
    w.line(0, format!("Mountable secrets:\t{}", names("secrets")));
    w.line(0, "Tokens:\t<none>");
    template::close(w, events)
}
