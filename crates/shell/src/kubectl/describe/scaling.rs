//! `describe hpa`.

use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    age,
    field::{at, int, list, name_of, text, word},
};

pub(super) fn autoscaler(o: &Value, events: Option<&str>) -> String {
    let mut w = Writer::default();
    template::head(&mut w, o, true);
    template::marks(&mut w, o);
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    let target = at(o, "spec.scaleTargetRef");
    w.line(0, format!("Reference:\t{}/{}", text(target, "kind"), name_of(target)));
    w.line(0, "Metrics:\t( current / target )");
    for (i, metric) in list(o, "spec.metrics").iter().enumerate() {
        let current = list(o, "status.currentMetrics").get(i).unwrap_or(&Value::Null);
        w.line(1, metric_line(metric, current));
    }
    let least = at(o, "spec.minReplicas").as_i64().map_or("<unset>".to_owned(), |n| n.to_string());
    w.line(0, format!("Min replicas:\t{least}"));
    w.line(0, format!("Max replicas:\t{}", int(o, "spec.maxReplicas")));
    if !at(o, "spec.behavior").is_null() {
        w.line(0, "Behavior:");
        for (title, field) in [("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")] {
            direction(&mut w, title, at(o, "spec.behavior").get(field).unwrap_or(&Value::Null));
        }
    }
    w.line(
        0,
        format!(
            "{} pods:\t{} current / {} desired",
            text(target, "kind"),
            int(o, "status.currentReplicas"),
            int(o, "status.desiredReplicas")
        ),
    );
    let conditions = list(o, "status.conditions");
    if !conditions.is_empty() {
        w.line(0, "Conditions:");
        w.line(1, "Type\tStatus\tReason\tMessage");
        w.line(1, "----\t------\t------\t-------");
        for c in conditions {
            let cells: Vec<&str> =
                ["type", "status", "reason", "message"].iter().map(|f| text(c, f)).collect();
            w.line(1, cells.join("\t"));
        }
    }
    template::close(w, events)
}

/// `resource cpu on pods  (as a percentage of request):`, then what is and what is wanted.
fn metric_line(metric: &Value, current: &Value) -> String {
    let kind = text(metric, "type");
    let field = match kind {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        other => return format!("<unknown metric type {other:?}>"),
    };
    let (spec, now) = (at(metric, field), at(current, field));
    let target = at(spec, "target");
    let shown = |what: &str| match at(at(now, "current"), what) {
        Value::Null if now.is_null() => "<unknown>".to_owned(),
        Value::Null => "0".to_owned(),
        value => word(value),
    };
    let name = text(spec, "metric.name");
    let average = !at(target, "averageValue").is_null();
    let value = |what: &str| format!("{} / {}", shown(what), word(at(target, what)));
    let resource = || match kind {
        "Resource" => format!("resource {} on pods", name_of(spec)),
        _ => format!("resource {} of container \"{}\" on pods", name_of(spec), text(spec, "container")),
    };
    match kind {
        "External" if average => {
            let known = !at(now, "current.averageValue").is_null();
            let current = if known { shown("averageValue") } else { "<unknown>".to_owned() };
            format!("{name:?} (target average value):\t{current} / {}", word(at(target, "averageValue")))
        }
        "External" => format!("{name:?} (target value):\t{}", value("value")),
        "Pods" => format!("{name:?} on pods:\t{}", value("averageValue")),
        "Object" => {
            let about = at(spec, "describedObject");
            let (what, of) = if text(target, "type") == "AverageValue" {
                ("target average value", "averageValue")
            } else {
                ("target value", "value")
            };
            format!("\"{name}\" on {}/{} ({what}):\t{}", text(about, "kind"), name_of(about), value(of))
        }
        _ if average => format!("{}:\t{}", resource(), value("averageValue")),
        _ => {
            let current = match at(now, "current.averageUtilization").as_i64() {
                Some(percent) => format!("{percent}% ({})", shown("averageValue")),
                None => "<unknown>".to_owned(),
            };
            let target = at(target, "averageUtilization").as_i64();
            let target = target.map_or("<auto>".to_owned(), |percent| format!("{percent}%"));
            format!("{}  (as a percentage of request):\t{current} / {target}", resource())
        }
    }
}

fn direction(w: &mut Writer, title: &str, rules: &Value) {
    if rules.is_null() {
        return;
    }
    w.line(1, format!("{title}:"));
    if let Some(seconds) = at(rules, "stabilizationWindowSeconds").as_i64() {
        w.line(2, format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = list(rules, "policies");
    if !policies.is_empty() {
        w.line(2, format!("Select Policy: {}", at(rules, "selectPolicy").as_str().unwrap_or("Max")));
        w.line(2, "Policies:");
    }
    for policy in policies {
        w.line(
            3,
            format!(
                "- Type: {}\tValue: {}\tPeriod: {} seconds",
                text(policy, "type"),
                int(policy, "value"),
                int(policy, "periodSeconds")
            ),
        );
    }
}
