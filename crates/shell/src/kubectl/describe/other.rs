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
