//! What is an autoscaler in the first version of its API?
//!
//! It is stored and known in the second. The first has one number for the use of CPU; whatever else there is stands in annotations while it is
//! spoken, so that nothing is lost on the way. Source: `pkg/apis/autoscaling/v1/conversion.go`, `pkg/apis/autoscaling/annotations.go`.

use serde_json::{Map, Value, json};

/// Metrics other than the use of CPU.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
/// What the metrics were.
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
/// How fast it scales.
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
/// Its conditions.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// The goal of who names none, in per cent of what is requested.
const USUAL: u32 = 80;

/// An autoscaler of version 2 as version 1 says it.
#[must_use]
pub fn to_v1(v2: &Value) -> Value {
    let mut v1 = v2.clone();
    let spec = fields(v2, "spec");
    let mut status = fields(v2, "status");
    let mut annotations = take_annotations(&mut v1);
    let mut say = |name: &str, text: String| annotations.insert(name.to_owned(), text.into());
    let metrics = list(&v2["spec"]["metrics"]);
    let use_of_cpu = |metric: &Value| {
        let number = &metric["resource"]["target"]["averageUtilization"];
        (metric["type"] == "Resource" && metric["resource"]["name"] == "cpu" && !number.is_null())
            .then(|| number.clone())
    };
    let others: Vec<String> = metrics.iter().filter(|it| use_of_cpu(it).is_none()).map(metric_text).collect();
    if !others.is_empty() {
        say(METRICS, array(&others));
    }
    let current = list(&v2["status"]["currentMetrics"]);
    if !current.is_empty() {
        say(CURRENT, array(&current.iter().map(current_text).collect::<Vec<_>>()));
    }
    if v2["spec"]["behavior"].is_object() {
        say(BEHAVIOR, behavior_text(&v2["spec"]["behavior"]));
    }
    let conditions = list(&v2["status"]["conditions"]);
    if !conditions.is_empty() {
        let order = ["type", "status", "lastTransitionTime", "reason", "message"];
        let texts = conditions.iter().map(|it| object(&order.map(|name| (name, there(&it[name])))));
        say(CONDITIONS, array(&texts.collect::<Vec<_>>()));
    }
    put_annotations(&mut v1, annotations);
    let mut kept = Map::new();
    for name in ["scaleTargetRef", "minReplicas", "maxReplicas"] {
        kept.extend(spec.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    let cpu = metrics.iter().find_map(use_of_cpu);
    kept.extend(cpu.map(|number| ("targetCPUUtilizationPercentage".to_owned(), number)));
    let used = current.iter().rev().find_map(|it| {
        let number = &it["resource"]["current"]["averageUtilization"];
        (it["type"] == "Resource" && it["resource"]["name"] == "cpu" && !number.is_null()).then_some(number)
    });
    status.extend(used.map(|number| ("currentCPUUtilizationPercentage".to_owned(), number.clone())));
    status.retain(|name, _| !matches!(name.as_str(), "currentMetrics" | "conditions"));
    for name in ["currentReplicas", "desiredReplicas"] {
        status.entry(name).or_insert(json!(0));
    }
    v1["apiVersion"] = "autoscaling/v1".into();
    v1["spec"] = kept.into();
    v1["status"] = status.into();
    v1
}

/// An autoscaler of version 1 as version 2 says it.
#[must_use]
pub fn to_v2(v1: &Value) -> Value {
    let mut v2 = v1.clone();
    let (mut spec, mut status) = (fields(v1, "spec"), fields(v1, "status"));
    let said = |name: &str| -> Option<Value> {
        serde_json::from_str(v1["metadata"]["annotations"][name].as_str()?).ok()
    };
    let target = |percent: Value| {
        json!({"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": percent}}})
    };
    let mut metrics: Vec<Value> =
        said(METRICS).iter().flat_map(|it| list(it).to_vec()).map(|it| metric(&it)).collect();
    metrics.extend(spec.remove("targetCPUUtilizationPercentage").filter(|it| !it.is_null()).map(target));
    if metrics.is_empty() {
        metrics.push(target(USUAL.into()));
    }
    spec.insert("metrics".to_owned(), metrics.into());
    let behavior = said(BEHAVIOR)
        .map(|it| named_small(&it))
        .filter(|it| it.as_object().is_some_and(|it| !it.is_empty()));
    spec.extend(behavior.map(|it| ("behavior".to_owned(), it)));
    let used = status.remove("currentCPUUtilizationPercentage").filter(|it| !it.is_null());
    let current = said(CURRENT).map(|it| list(&it).iter().map(current).collect());
    let current = current.or_else(|| {
        let of = |used| json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": used}}}]);
        used.map(of)
    });
    status.extend(current.map(|it| ("currentMetrics".to_owned(), it)));
    status.extend(said(CONDITIONS).map(|it| ("conditions".to_owned(), it)));
    let annotations = take_annotations(&mut v2);
    put_annotations(&mut v2, annotations);
    v2["apiVersion"] = "autoscaling/v2".into();
    v2["spec"] = spec.into();
    if v1.get("status").is_some() || !status.is_empty() {
        v2["status"] = status.into();
    }
    v2
}

fn fields(of: &Value, name: &str) -> Map<String, Value> {
    of[name].as_object().cloned().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Takes the annotations out, without those that only version 1 has.
fn take_annotations(object: &mut Value) -> Map<String, Value> {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let taken = metadata.and_then(|metadata| metadata.remove("annotations"));
    let mut annotations = taken.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
    annotations.retain(|name, _| ![METRICS, CURRENT, BEHAVIOR, CONDITIONS].contains(&name.as_str()));
    annotations
}

fn put_annotations(object: &mut Value, annotations: Map<String, Value>) {
    if !annotations.is_empty() {
        object["metadata"]["annotations"] = annotations.into();
    }
}

/// A value as text, if it is there.
fn there(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

/// A struct in Go's order, without what is not there.
fn object(fields: &[(&str, Option<String>)]) -> String {
    let fields = fields.iter().filter_map(|(name, text)| Some(format!("{name:?}:{}", text.as_ref()?)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn array(texts: &[String]) -> String {
    format!("[{}]", texts.join(","))
}

/// The name by which both versions call the source of a metric: `pods` of `Pods`.
fn source_of(metric: &Value) -> &'static str {
    match metric["type"].as_str() {
        Some("Object") => "object",
        Some("Pods") => "pods",
        Some("ContainerResource") => "containerResource",
        Some("External") => "external",
        _ => "resource",
    }
}

fn about(described: &Value) -> Option<String> {
    Some(object(&["kind", "name", "apiVersion"].map(|name| (name, there(&described[name])))))
}

fn metric_text(metric: &Value) -> String {
    let name = source_of(metric);
    let source = &metric[name];
    let (id, target) = (&source["metric"], &source["target"]);
    let or_zero = |value: &Value| there(value).or_else(|| Some("\"0\"".to_owned()));
    let (average, percent) = (there(&target["averageValue"]), there(&target["averageUtilization"]));
    let (called, selector) = (there(&id["name"]), there(&id["selector"]));
    let text = match name {
        "object" => object(&[
            ("target", about(&source["describedObject"])),
            ("metricName", called),
            ("targetValue", or_zero(&target["value"])),
            ("selector", selector),
            ("averageValue", average),
        ]),
        "pods" => object(&[
            ("metricName", called),
            ("targetAverageValue", or_zero(&target["averageValue"])),
            ("selector", selector),
        ]),
        "external" => object(&[
            ("metricName", called),
            ("metricSelector", selector),
            ("targetValue", there(&target["value"])),
            ("targetAverageValue", average),
        ]),
        _ => object(&[
            ("name", there(&source["name"])),
            ("targetAverageUtilization", percent),
            ("targetAverageValue", average),
            ("container", there(&source["container"])),
        ]),
    };
    object(&[("type", there(&metric["type"])), (name, Some(text))])
}

fn metric(v1: &Value) -> Value {
    let name = source_of(v1);
    let source = &v1[name];
    let id = |selector: &str| present(&[("name", &source["metricName"]), ("selector", &source[selector])]);
    let target = |how: &str, fields: &[(&str, &Value)]| {
        let mut target = present(fields);
        target["type"] = how.into();
        target
    };
    let average = &source["targetAverageValue"];
    let percent = &source["targetAverageUtilization"];
    let made = match name {
        "object" => {
            let how = if source["averageValue"].is_null() { "Value" } else { "AverageValue" };
            let goal = [("value", &source["targetValue"]), ("averageValue", &source["averageValue"])];
            json!({"describedObject": source["target"], "metric": id("selector"), "target": target(how, &goal)})
        }
        "pods" => {
            json!({"metric": id("selector"), "target": target("AverageValue", &[("averageValue", average)])})
        }
        "external" => {
            let how = if source["targetValue"].is_null() { "AverageValue" } else { "Value" };
            let goal = [("value", &source["targetValue"]), ("averageValue", average)];
            json!({"metric": id("metricSelector"), "target": target(how, &goal)})
        }
        _ => {
            let how = if percent.is_null() { "AverageValue" } else { "Utilization" };
            let goal = target(how, &[("averageValue", average), ("averageUtilization", percent)]);
            let mut made = present(&[("name", &source["name"]), ("container", &source["container"])]);
            made["target"] = goal;
            made
        }
    };
    json!({"type": v1["type"], name: made})
}

fn current_text(status: &Value) -> String {
    let name = source_of(status);
    let source = &status[name];
    let (id, now) = (&source["metric"], &source["current"]);
    let or_zero = |value: &Value| there(value).or_else(|| Some("\"0\"".to_owned()));
    let (called, selector) = (there(&id["name"]), there(&id["selector"]));
    let text = match name {
        "object" => object(&[
            ("target", about(&source["describedObject"])),
            ("metricName", called),
            ("currentValue", or_zero(&now["value"])),
            ("selector", selector),
            ("averageValue", there(&now["averageValue"])),
        ]),
        "pods" => object(&[
            ("metricName", called),
            ("currentAverageValue", or_zero(&now["averageValue"])),
            ("selector", selector),
        ]),
        "external" => object(&[
            ("metricName", called),
            ("metricSelector", selector),
            ("currentValue", or_zero(&now["value"])),
            ("currentAverageValue", there(&now["averageValue"])),
        ]),
        _ => object(&[
            ("name", there(&source["name"])),
            ("currentAverageUtilization", there(&now["averageUtilization"])),
            ("currentAverageValue", or_zero(&now["averageValue"])),
            ("container", there(&source["container"])),
        ]),
    };
    object(&[("type", there(&status["type"])), (name, Some(text))])
}

fn current(v1: &Value) -> Value {
    let name = source_of(v1);
    let source = &v1[name];
    let id = |selector: &str| present(&[("name", &source["metricName"]), ("selector", &source[selector])]);
    let made = match name {
        "object" => json!({"describedObject": source["target"], "metric": id("selector"),
            "current": present(&[("value", &source["currentValue"]), ("averageValue", &source["averageValue"])])}),
        "pods" => json!({"metric": id("selector"),
            "current": present(&[("averageValue", &source["currentAverageValue"])])}),
        "external" => json!({"metric": id("metricSelector"),
            "current": present(&[("value", &source["currentValue"]), ("averageValue", &source["currentAverageValue"])])}),
        _ => {
            let mut made = present(&[("name", &source["name"]), ("container", &source["container"])]);
            made["current"] = present(&[
                ("averageValue", &source["currentAverageValue"]),
                ("averageUtilization", &source["currentAverageUtilization"]),
            ]);
            made
        }
    };
    json!({"type": v1["type"], name: made})
}

fn present(fields: &[(&str, &Value)]) -> Value {
    let there = fields.iter().filter(|(_, value)| !value.is_null());
    Value::Object(there.map(|(name, value)| ((*name).to_owned(), (*value).clone())).collect())
}

/// UPSTREAM: the server's own structs are written, whose fields begin with a capital.
fn behavior_text(behavior: &Value) -> String {
    let null = |text: Option<String>| Some(text.unwrap_or_else(|| "null".to_owned()));
    let rules = |rules: &Value| {
        let policy = |it: &Value| {
            object(&[
                ("Type", there(&it["type"])),
                ("Value", there(&it["value"])),
                ("PeriodSeconds", there(&it["periodSeconds"])),
            ])
        };
        let policies = list(&rules["policies"]).iter().map(policy).collect::<Vec<_>>();
        rules.is_object().then(|| {
            object(&[
                ("StabilizationWindowSeconds", null(there(&rules["stabilizationWindowSeconds"]))),
                ("SelectPolicy", null(there(&rules["selectPolicy"]))),
                ("Policies", null((!policies.is_empty()).then(|| array(&policies)))),
                ("Tolerance", null(there(&rules["tolerance"]))),
            ])
        })
    };
    object(&[
        ("ScaleUp", null(rules(&behavior["scaleUp"]))),
        ("ScaleDown", null(rules(&behavior["scaleDown"]))),
    ])
}

/// The same value with field names that begin small, without what is null.
fn named_small(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let small = |name: &String| {
                let mut letters = name.chars();
                letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
            };
            let there = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (small(name), named_small(value))).collect())
        }
        Value::Array(items) => items.iter().map(named_small).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_version_1_lacks_stands_in_annotations_and_comes_back() {
        let v2 = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {"maxReplicas": 6, "scaleTargetRef": {"kind": "Deployment", "name": "web"}, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "10"}}},
                {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60, "selectPolicy": "Max",
                    "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}}}});
        let v1 = to_v1(&v2);
        assert_eq!(v1["spec"]["targetCPUUtilizationPercentage"], 60);
        assert_eq!(
            v1["metadata"]["annotations"][METRICS],
            r#"[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"10"}}]"#
        );
        assert_eq!(
            v1["metadata"]["annotations"][BEHAVIOR],
            r#"{"ScaleUp":null,"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}"#
        );
        let mut back = to_v2(&v1);
        back.as_object_mut().map(|it| it.remove("status"));
        assert_eq!(back, v2);
    }

    #[test]
    fn who_names_no_goal_gets_eighty_per_cent_of_cpu() {
        let v2 = to_v2(&json!({"apiVersion": "autoscaling/v1", "spec": {"maxReplicas": 3}}));
        assert_eq!(v2["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 80);
    }
}
