//! Are a container's environment variables legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use super::{
    meta::text,
    name,
    report::{At, Report},
};
use crate::{
    default::blank,
    k8s::core::v1::{EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector},
    quantity::Quantity,
};

/// `env`.
pub(super) fn env(report: &mut Report, vars: &[EnvVar], at: &At<'_>) {
    for (index, var) in vars.iter().enumerate() {
        let at = at.index(index);
        if var.name.is_empty() {
            report.required(&at.field("name"), "");
        } else {
            report.each_invalid(&at.field("name"), &var.name, name::env_var(&var.name));
        }
        value_from(report, var, &at.field("valueFrom"));
    }
}

fn value_from(report: &mut Report, var: &EnvVar, at: &At<'_>) {
    const FIELDS: &[&str] = &[
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    let Some(source) = &var.value_from else { return };
    let mut count = 0;
    if let Some(field) = &source.field_ref {
        count += 1;
        field_selector(report, field, FIELDS, &at.field("fieldRef"));
    }
    if let Some(resource) = &source.resource_field_ref {
        count += 1;
        resource_field_selector(report, resource, false, &at.field("resourceFieldRef"));
    }
    let keys = [
        ("configMapKeyRef", source.config_map_key_ref.as_ref().map(|it| (&it.name, &it.key))),
        ("secretKeyRef", source.secret_key_ref.as_ref().map(|it| (&it.name, &it.key))),
    ];
    for (field, it) in keys {
        let Some((name, key)) = it else { continue };
        count += 1;
        let at = at.field(field);
        report.each_invalid(&at.field("name"), name, name::subdomain(name, false));
        if key.is_empty() {
            report.required(&at.field("key"), "");
        } else {
            report.each_invalid(&at.field("key"), key, name::config_key(key));
        }
    }
    if count == 0 {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`";
        report.invalid(at, "", why);
    } else if !blank(var.value.as_ref()) {
        report.invalid(at, "", "may not be specified when `value` is not empty");
    } else if count > 1 {
        report.invalid(at, "", "may not have more than one field specified at a time");
    }
}

/// A field of the pod itself; `fields` are those that may be named here.
pub(super) fn field_selector(
    report: &mut Report,
    selector: &ObjectFieldSelector,
    fields: &[&str],
    at: &At<'_>,
) {
    const KNOWN: &[&str] = &[
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
        "spec.host",
    ];
    let path = selector.field_path.as_str();
    if path.is_empty() {
        report.required(&at.field("fieldPath"), "");
        return;
    }
    let at_path = at.field("fieldPath");
    if selector.api_version.as_deref().is_some_and(|version| version != "v1") {
        let why = format!(
            "error converting fieldPath: unsupported pod version: {}",
            text(selector.api_version.as_ref())
        );
        report.invalid(&at_path, path, &why);
        return;
    }
    let subscripted = path.strip_suffix("']").and_then(|it| it.split_once("['"));
    match subscripted {
        Some(("metadata.annotations", key)) => {
            report.each_invalid(at, &key.to_lowercase(), name::qualified(&key.to_lowercase()));
        }
        Some(("metadata.labels", key)) => report.each_invalid(at, key, name::qualified(key)),
        Some((other, _)) => {
            let why = format!("error converting fieldPath: field label does not support subscript: {other}");
            report.invalid(&at_path, path, &why);
        }
        None if !KNOWN.contains(&path) => {
            let why = format!("error converting fieldPath: field label not supported: {path}");
            report.invalid(&at_path, path, &why);
        }
        None if !fields.contains(&path) => report.not_supported(&at_path, path, fields),
        None => {}
    }
}

/// A limit or request of a container; in a volume the container must be named.
pub(super) fn resource_field_selector(
    report: &mut Report,
    selector: &ResourceFieldSelector,
    volume: bool,
    at: &At<'_>,
) {
    const RESOURCES: &[&str] = &[
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    const SIZES: &[&str] =
        &["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let resource = selector.resource.as_str();
    let huge = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if volume && blank(selector.container_name.as_ref()) {
        report.required(&at.field("containerName"), "");
    } else if resource.is_empty() {
        report.required(&at.field("resource"), "");
    } else if !RESOURCES.contains(&resource) && !huge {
        report.not_supported(&at.field("resource"), resource, RESOURCES);
    }
    let Some(divisor) = selector.divisor.as_ref().and_then(|it| Quantity::parse(&it.0).ok()) else { return };
    if divisor.sign() == 0 {
        return;
    }
    let written = divisor.canonical();
    let (allowed, words): (&[&str], &str) = match resource.split_once('.').map_or("", |(_, name)| name) {
        "cpu" => (&["1m", "1"], "1m and 1 are supported with the cpu resource"),
        "memory" => (
            SIZES,
            "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource",
        ),
        "ephemeral-storage" => (
            SIZES,
            "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the local ephemeral storage resource",
        ),
        _ if huge => (
            SIZES,
            "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the hugepages resource",
        ),
        _ => return,
    };
    if !allowed.contains(&written.as_str()) {
        report.invalid(&at.field("divisor"), resource, &format!("only divisor's values {words}"));
    }
}

/// `envFrom`.
pub(super) fn env_from(report: &mut Report, sources: &[EnvFromSource], at: &At<'_>) {
    for (index, source) in sources.iter().enumerate() {
        let at_one = at.index(index);
        if let Some(prefix) = source.prefix.as_ref().filter(|prefix| !prefix.is_empty()) {
            report.each_invalid(&at_one.field("prefix"), prefix, name::env_var(prefix));
        }
        let mut count = 0;
        for (field, it) in [
            ("configMapRef", source.config_map_ref.as_ref().map(|it| &it.name)),
            ("secretRef", source.secret_ref.as_ref().map(|it| &it.name)),
        ] {
            let Some(name) = it else { continue };
            count += 1;
            let at_name = at_one.field(field);
            let at_name = at_name.field("name");
            if name.is_empty() {
                report.required(&at_name, "");
            } else {
                report.each_invalid(&at_name, name, name::subdomain(name, true));
            }
        }
        if count == 0 {
            report.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
        } else if count > 1 {
            report.invalid(at, "", "may not have more than one field specified at a time");
        }
    }
}
