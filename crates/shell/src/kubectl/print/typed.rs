//! JSON in the order in which Go writes the fields of its structs.
//!
//! What a generator of `kubectl create` made is such a struct; what came from a file or a list is a map, sorted by key.

use serde_json::Value;

/// Fields in the order of their structs, where one stands before another.
const ORDER: &[&str] = &[
    "apiGroup",
    "kind",
    "apiVersion",
    "groups",
    "metadata",
    "name",
    "image",
    "versions",
    "preferredVersion",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "items",
    "command",
    "args",
    "protocol",
    "port",
    "targetPort",
    "nodePort",
    "ports",
    "env",
    "resources",
    "imagePullPolicy",
    "containers",
    "restartPolicy",
    "replicas",
    "minAvailable",
    "selector",
    "clusterIP",
    "schedule",
    "template",
    "jobTemplate",
    "strategy",
    "maxUnavailable",
    "ingressClassName",
    "defaultBackend",
    "path",
    "pathType",
    "backend",
    "tls",
    "hosts",
    "secretName",
    "host",
    "http",
    "rules",
    "data",
    "verbs",
    "apiGroups",
    "resourceNames",
    "nonResourceURLs",
    "subjects",
    "roleRef",
    "aggregationRule",
    "hard",
    "scopes",
    "type",
    "externalName",
    "scaleTargetRef",
    "minReplicas",
    "maxReplicas",
    "targetCPUUtilizationPercentage",
    "value",
    "globalDefault",
    "description",
    "preemptionPolicy",
    "spec",
    "status",
    "preferences",
    "cluster",
    "server",
    "insecure-skip-tls-verify",
    "clusters",
    "user",
    "users",
    "contexts",
    "current-context",
];

/// Who wrote which fields.
const MANAGED: &[&str] =
    &["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];

/// Maps: their keys are the learner's, and sorted.
const MAPS: &[&str] = &["labels", "annotations", "data", "matchLabels", "hard", "limits", "requests"];

/// One object, four blanks a level, without the final newline.
pub(crate) fn json(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, "", value, 0);
    out
}

/// One object on one line.
pub(crate) fn compact(value: &Value) -> String {
    let mut out = String::new();
    line(&mut out, "", value);
    out
}

/// The fields of an object in their order.
fn sorted<'v>(of: &str, fields: &'v serde_json::Map<String, Value>) -> Vec<(&'v String, &'v Value)> {
    let rank = |key: &str| match (of, key) {
        // A context's namespace stands behind what it is a context of, and who somebody is before their groups.
        ("context", "namespace") => usize::MAX,
        ("managedFields", key) => MANAGED.iter().position(|it| *it == key).unwrap_or(MANAGED.len()),
        ("userInfo", "username") => 1,
        ("userInfo", "uid") => 2,
        // A reference to a role begins with its group, every other one with its kind.
        (_, "kind") if of != "roleRef" => 0,
        (_, key) => 3 + ORDER.iter().position(|k| *k == key).unwrap_or(ORDER.len()),
    };
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    if !MAPS.contains(&of) {
        sorted.sort_by_key(|(key, _)| rank(key));
    }
    sorted
}

fn line(out: &mut String, of: &str, value: &Value) {
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (i, (key, value)) in sorted(of, fields).into_iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&format!("{}:", Value::from(key.as_str())));
                line(out, key, value);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                line(out, of, item);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn write(out: &mut String, of: &str, value: &Value, level: usize) {
    let pad = |level: usize| "    ".repeat(level);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let sorted = sorted(of, fields);
            out.push_str("{\n");
            for (i, (key, value)) in sorted.iter().enumerate() {
                out.push_str(&format!("{}{}: ", pad(level + 1), Value::from(key.as_str())));
                write(out, key, value, level + 1);
                out.push_str(if i + 1 < sorted.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}}}", pad(level)));
        }
        Value::Array(items) if !items.is_empty() => {
            out.push_str("[\n");
            for (i, item) in items.iter().enumerate() {
                out.push_str(&pad(level + 1));
                write(out, of, item, level + 1);
                out.push_str(if i + 1 < items.len() { ",\n" } else { "\n" });
            }
            out.push_str(&format!("{}]", pad(level)));
        }
        other => out.push_str(&other.to_string()),
    }
}
