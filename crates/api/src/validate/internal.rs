//! How does the API server print its own structs?
//!
//! Some causes show a value as the server's internal Go type in JSON: Go's field names, in their order, unset ones as
//! null. Only the shapes that causes really show are here. Source: kubernetes v1.34.1 `pkg/apis/core/types.go`,
//! `pkg/apis/apps/types.go`.

use serde_json::{Value, json};

use super::{diff::unified, report::Written};
use crate::k8s::core::v1::{
    Capabilities, EphemeralContainer, PersistentVolumeClaimSpec, PersistentVolumeSpec, PodResourceClaim,
    PodSpec, PodTemplateSpec, ScopeSelector, ScopedResourceSelectorRequirement, SecurityContext, Taint,
};
use crate::meta::{LabelSelector, OwnerReference};

/// The structs that are printed whole.
static TYPES: &str = include_str!("../../data/internal-types.txt");

/// A JSON object whose fields stand in the order given.
pub(super) fn object(fields: &[(&str, Value)]) -> Written {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    Written(format!("{{{}}}", fields.join(",")))
}

/// A label selector, as the API itself writes it.
pub(super) fn label_selector(selector: &LabelSelector) -> Written {
    let mut parts = Vec::new();
    if let Some(labels) = selector.match_labels.as_ref().filter(|it| !it.is_empty()) {
        parts.push(format!("\"matchLabels\":{}", json!(labels)));
    }
    if let Some(list) = selector.match_expressions.as_ref().filter(|it| !it.is_empty()) {
        let each = list.iter().map(|it| {
            let values = it.values.as_ref().filter(|it| !it.is_empty());
            let values = values.map(|it| format!(",\"values\":{}", json!(it))).unwrap_or_default();
            format!("{{\"key\":{},\"operator\":{}{values}}}", json!(it.key), json!(it.operator))
        });
        parts.push(format!("\"matchExpressions\":[{}]", each.collect::<Vec<_>>().join(",")));
    }
    Written(format!("{{{}}}", parts.join(",")))
}

/// A container's security context.
pub(super) fn security_context(context: &SecurityContext) -> Written {
    let capabilities = context
        .capabilities
        .as_ref()
        .map(|Capabilities { add, drop }| format!("{{\"Add\":{},\"Drop\":{}}}", json!(add), json!(drop)));
    let nested = |value: Option<Value>| value.unwrap_or_default().to_string();
    let selinux = context.se_linux_options.as_ref().map(|it| {
        let text = |field: &Option<String>| json!(field.as_deref().unwrap_or_default());
        object(&[
            ("User", text(&it.user)),
            ("Role", text(&it.role)),
            ("Type", text(&it.type_)),
            ("Level", text(&it.level)),
        ])
        .0
    });
    let seccomp = context
        .seccomp_profile
        .as_ref()
        .map(|it| object(&[("Type", json!(it.type_)), ("LocalhostProfile", json!(it.localhost_profile))]).0);
    let app_armor = context
        .app_armor_profile
        .as_ref()
        .map(|it| object(&[("Type", json!(it.type_)), ("LocalhostProfile", json!(it.localhost_profile))]).0);
    let null = || "null".to_owned();
    Written(format!(
        "{{\"Capabilities\":{},\"Privileged\":{},\"SELinuxOptions\":{},\"WindowsOptions\":null,\"RunAsUser\":{},\"RunAsGroup\":{},\"RunAsNonRoot\":{},\"ReadOnlyRootFilesystem\":{},\"AllowPrivilegeEscalation\":{},\"ProcMount\":{},\"SeccompProfile\":{},\"AppArmorProfile\":{}}}",
        capabilities.unwrap_or_else(null),
        nested(context.privileged.map(Value::from)),
        selinux.unwrap_or_else(null),
        nested(context.run_as_user.map(Value::from)),
        nested(context.run_as_group.map(Value::from)),
        nested(context.run_as_non_root.map(Value::from)),
        nested(context.read_only_root_filesystem.map(Value::from)),
        nested(context.allow_privilege_escalation.map(Value::from)),
        nested(context.proc_mount.clone().map(Value::from)),
        seccomp.unwrap_or_else(null),
        app_armor.unwrap_or_else(null),
    ))
}

/// A service's port, as far as duplicates are told by it.
pub(super) fn service_port(protocol: &str, port: i32) -> Written {
    object(&[
        ("Name", json!("")),
        ("Protocol", json!(protocol)),
        ("AppProtocol", Value::Null),
        ("Port", json!(port)),
        ("TargetPort", json!(0)),
        ("NodePort", json!(0)),
    ])
}

/// A quota's selector of scopes.
pub(super) fn scope_selector(selector: &ScopeSelector) -> Written {
    let rule = |it: &ScopedResourceSelectorRequirement| {
        let fields = [
            ("ScopeName", json!(it.scope_name)),
            ("Operator", json!(it.operator)),
            ("Values", json!(it.values)),
        ];
        object(&fields).0
    };
    let rules = selector.match_expressions.as_ref().map_or_else(
        || "null".to_owned(),
        |rules| format!("[{}]", rules.iter().map(rule).collect::<Vec<_>>().join(",")),
    );
    Written(format!("{{\"MatchExpressions\":{rules}}}"))
}

/// An owner, in the order of its fields.
pub(super) fn owner(owner: &OwnerReference) -> Written {
    let mut fields = vec![
        ("apiVersion", json!(owner.api_version)),
        ("kind", json!(owner.kind)),
        ("name", json!(owner.name)),
        ("uid", json!(owner.uid)),
    ];
    fields.extend(owner.controller.map(|it| ("controller", json!(it))));
    fields.extend(owner.block_owner_deletion.map(|it| ("blockOwnerDeletion", json!(it))));
    object(&fields)
}

/// A pod's resource claim.
pub(super) fn resource_claim(claim: &PodResourceClaim) -> Written {
    object(&[
        ("Name", json!(claim.name)),
        ("ResourceClaimName", json!(claim.resource_claim_name)),
        ("ResourceClaimTemplateName", json!(claim.resource_claim_template_name)),
    ])
}

/// A node's taint.
pub(super) fn taint(taint: &Taint) -> Written {
    object(&[
        ("Key", json!(taint.key)),
        ("Value", json!(taint.value.as_deref().unwrap_or_default())),
        ("Effect", json!(taint.effect)),
        ("TimeAdded", json!(taint.time_added)),
    ])
}

/// An update strategy whose type is not known; nothing else of it can be set then.
pub(super) fn strategy(type_: &str, rolling_update: Option<Written>) -> Written {
    let rolling = rolling_update.map_or_else(|| "null".to_owned(), |it| it.0);
    Written(format!("{{\"Type\":{type_:?},\"RollingUpdate\":{rolling}}}"))
}

/// The difference between two pods' specs.
pub(super) fn pod_spec_diff(old: &PodSpec, new: &PodSpec) -> String {
    let dump = |spec: &PodSpec| lines(&dumped("PodSpec", &pod_spec_value(json!(spec))));
    unified(&dump(old), &dump(new))
}

/// The difference between two claims' specs.
pub(super) fn claim_spec_diff(old: &PersistentVolumeClaimSpec, new: &PersistentVolumeClaimSpec) -> String {
    let dump = |spec: &PersistentVolumeClaimSpec| lines(&dumped("PersistentVolumeClaimSpec", &json!(spec)));
    unified(&dump(old), &dump(new))
}

/// The difference between two volumes' sources.
pub(super) fn volume_source_diff(old: &PersistentVolumeSpec, new: &PersistentVolumeSpec) -> String {
    let dump = |spec: &PersistentVolumeSpec| lines(&dumped("PersistentVolumeSource", &json!(spec)));
    unified(&dump(old), &dump(new))
}

/// A struct of this name as the server prints it whole; `null` if it is not there.
pub(super) fn whole(name: &str, value: &Value) -> Written {
    if value.is_null() {
        return Written("null".to_owned());
    }
    let mut out = String::new();
    dumped(name, value).compact(&mut out);
    Written(out)
}

/// The difference between two ephemeral containers.
pub(super) fn ephemeral_container_diff(old: &EphemeralContainer, new: &EphemeralContainer) -> String {
    let dump = |it: &EphemeralContainer| lines(&dumped("EphemeralContainer", &json!(it)));
    unified(&dump(old), &dump(new))
}

/// A pod template, as a Job that must not change shows it.
pub(super) fn pod_template(template: &PodTemplateSpec) -> Written {
    let mut value = json!(template);
    if let Some(spec) = value.get_mut("spec") {
        *spec = pod_spec_value(spec.take());
    }
    let mut out = String::new();
    dumped("PodTemplateSpec", &value).compact(&mut out);
    Written(out)
}

/// The server keeps what a pod shares with its host in the security context.
fn pod_spec_value(mut spec: Value) -> Value {
    if spec["containers"].as_array().is_some_and(Vec::is_empty) {
        spec["containers"] = Value::Null;
    }
    const SHARED: &[&str] = &["hostNetwork", "hostPID", "hostIPC", "hostUsers", "shareProcessNamespace"];
    let shared: Vec<(&str, Value)> = SHARED.iter().map(|name| (*name, spec[*name].take())).collect();
    if let Some(context) = spec.get_mut("securityContext").and_then(Value::as_object_mut) {
        context.extend(shared.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    spec
}

/// JSON whose objects keep their order.
enum Dump {
    Leaf(String),
    List(Vec<Dump>),
    Object(Vec<(String, Dump)>),
}

impl Dump {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Dump::List(items.iter().map(Self::of).collect()),
            Value::Object(fields) => {
                Dump::Object(fields.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect())
            }
            // Go writes these three so that JSON may stand in HTML.
            other => {
                let text = other.to_string();
                Dump::Leaf(text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"))
            }
        }
    }

    fn compact(&self, out: &mut String) {
        match self {
            Dump::Leaf(text) => out.push_str(text),
            Dump::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    item.compact(out);
                }
                out.push(']');
            }
            Dump::Object(fields) => {
                out.push('{');
                for (index, (name, value)) in fields.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    out.push_str(&format!("{name:?}:"));
                    value.compact(out);
                }
                out.push('}');
            }
        }
    }

    fn indented(&self, depth: usize, out: &mut String) {
        let (open, close, count) = match self {
            Dump::Leaf(text) => return out.push_str(text),
            Dump::List(items) => ('[', ']', items.len()),
            Dump::Object(fields) => ('{', '}', fields.len()),
        };
        out.push(open);
        for index in 0..count {
            out.push_str(if index == 0 { "\n" } else { ",\n" });
            out.push_str(&" ".repeat(depth + 1));
            match self {
                Dump::Leaf(_) => {}
                Dump::List(items) => items[index].indented(depth + 1, out),
                Dump::Object(fields) => {
                    let (name, value) = &fields[index];
                    out.push_str(&format!("{name:?}: "));
                    value.indented(depth + 1, out);
                }
            }
        }
        if count > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(depth));
        }
        out.push(close);
    }
}

fn lines(dump: &Dump) -> Vec<String> {
    let mut out = String::new();
    dump.indented(0, &mut out);
    out.lines().map(str::to_owned).collect()
}

/// The API's JSON of an object in the shape of the server's struct of this name.
fn dumped(name: &str, value: &Value) -> Dump {
    let block = TYPES.split('\n').skip_while(|line| *line != name).skip(1);
    let fields = block.take_while(|line| line.starts_with(' ')).map(str::trim_start);
    let given = |field: &str| {
        let fields = value.as_object().into_iter().flatten();
        let mut same = fields.filter(|(name, _)| name.eq_ignore_ascii_case(field)).map(|(_, value)| value);
        same.next().filter(|value| !value.is_null())
    };
    let mut out = Vec::new();
    for line in fields {
        if line == "@" {
            for field in ["name", "labels", "annotations"] {
                if let Some(value) = value.get("metadata").and_then(|it| it.get(field)) {
                    out.push((field.to_owned(), Dump::of(value)));
                }
            }
            continue;
        }
        let (field, code) = line.split_once(' ').unwrap_or((line, "?"));
        let (mark, of) = code.split_at(1);
        let dump = match (mark, given(field)) {
            ("=" | "?", Some(value)) if !of.is_empty() => dumped(of, value),
            ("[", Some(Value::Array(items))) => {
                Dump::List(items.iter().map(|item| dumped(of, item)).collect())
            }
            (_, Some(value)) => Dump::of(value),
            ("=", None) => dumped(of, &Value::Null),
            ("s", None) => Dump::Leaf("\"\"".to_owned()),
            ("i", None) => Dump::Leaf("0".to_owned()),
            ("b", None) => Dump::Leaf("false".to_owned()),
            ("q", None) => Dump::Leaf("\"0\"".to_owned()),
            (_, None) => Dump::Leaf("null".to_owned()),
        };
        out.push((field.to_owned(), dump));
    }
    Dump::Object(out)
}
