//! Are a pod's containers legal?
//!
//! Their environment is looked at in `env`, their mounts in `mount`, their probes and hooks in `handler`.
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    env,
    handler::{self, Purpose},
    meta::text,
    mount, name,
    report::{At, Report},
    resources::{self, Owner},
    security,
};
use crate::{
    default::blank,
    k8s::core::v1::{Container, ContainerPort, EphemeralContainer, PodSpec, Volume},
};

/// What containers need to know of their pod.
pub(super) struct Around<'s> {
    /// Its legal volumes by name.
    pub volumes: BTreeMap<&'s str, &'s Volume>,
    /// The names of its resource claims.
    pub claims: BTreeSet<&'s str>,
    /// `terminationGracePeriodSeconds`.
    pub grace: Option<i64>,
    /// `restartPolicy`.
    pub restart_policy: &'s str,
    /// `hostUsers`.
    pub host_users: bool,
    /// `os.name`.
    pub os: Option<&'s str>,
}

/// `spec.containers`.
pub(super) fn containers(report: &mut Report, containers: &[Container], around: &Around<'_>, at: &At<'_>) {
    if containers.is_empty() {
        report.required(at, "");
        return;
    }
    let mut names = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        let at = at.index(index);
        common(report, container, around, &at);
        if !names.insert(container.name.as_str()) {
            report.duplicate(&at.field("name"), &container.name);
        }
        running(report, container, around, &at);
        if container.restart_policy.is_some() {
            report.forbidden(&at.field("restartPolicy"), "may not be set for non-init containers");
        }
    }
    host_ports(report, containers, at);
}

/// `spec.initContainers`.
pub(super) fn init_containers(
    report: &mut Report,
    containers: &[Container],
    regular: &[Container],
    around: &Around<'_>,
    at: &At<'_>,
) {
    let mut names: BTreeSet<&str> = regular.iter().map(|it| it.name.as_str()).collect();
    for (index, container) in containers.iter().enumerate() {
        let at_one = at.index(index);
        common(report, container, around, &at_one);
        let policy = container.restart_policy.as_deref();
        if let Some(policy) = policy.filter(|policy| *policy != "Always") {
            report.not_supported(&at_one.field("restartPolicy"), policy, &["Always"]);
        }
        if names.contains(container.name.as_str()) {
            report.duplicate(&at_one.field("name"), &container.name);
        } else if !container.name.is_empty() {
            names.insert(&container.name);
        }
        host_ports(report, std::slice::from_ref(container), at);
        if policy == Some("Always") {
            running(report, container, around, &at_one);
        } else {
            for (field, there) in [
                ("lifecycle", container.lifecycle.is_some()),
                ("livenessProbe", container.liveness_probe.is_some()),
                ("readinessProbe", container.readiness_probe.is_some()),
                ("startupProbe", container.startup_probe.is_some()),
            ] {
                if there {
                    let why = "may not be set for init containers without restartPolicy=Always";
                    report.forbidden(&at_one.field(field), why);
                }
            }
        }
    }
}

/// `spec.ephemeralContainers`.
pub(super) fn ephemeral_containers(
    report: &mut Report,
    containers: &[EphemeralContainer],
    spec: &PodSpec,
    around: &Around<'_>,
    at: &At<'_>,
) {
    let others = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let others: BTreeSet<&str> = others.map(|it| it.name.as_str()).collect();
    let mut names = others.clone();
    for (index, ephemeral) in containers.iter().enumerate() {
        let at = at.index(index);
        // The two structs share all fields but the target's name.
        let shared = serde_json::to_value(ephemeral).and_then(serde_json::from_value::<Container>);
        if let Ok(container) = shared {
            common(report, &container, around, &at);
            padded_image(report, &container, &at);
        }
        if !names.insert(&ephemeral.name) {
            report.duplicate(&at.field("name"), &ephemeral.name);
        }
        let target = text(ephemeral.target_container_name.as_ref());
        if !target.is_empty() && !others.contains(target) {
            report.not_found(&at.field("targetContainerName"), target, "");
        }
        let resources = ephemeral.resources.as_ref();
        for (field, there) in [
            ("ports", ephemeral.ports.is_some()),
            ("resources", resources.is_some_and(|it| *it != Default::default())),
            ("livenessProbe", ephemeral.liveness_probe.is_some()),
            ("readinessProbe", ephemeral.readiness_probe.is_some()),
            ("startupProbe", ephemeral.startup_probe.is_some()),
            ("lifecycle", ephemeral.lifecycle.is_some()),
        ] {
            if there {
                report.forbidden(&at.field(field), "cannot be set for an Ephemeral Container");
            }
        }
    }
}

fn running(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    if let Some(lifecycle) = &container.lifecycle {
        handler::lifecycle(report, lifecycle, around, &at.field("lifecycle"));
    }
    if let Some(probe) = &container.liveness_probe {
        handler::probe(report, probe, Purpose::Liveness, around, &at.field("livenessProbe"));
    }
    if let Some(probe) = &container.readiness_probe {
        handler::probe(report, probe, Purpose::Readiness, around, &at.field("readinessProbe"));
    }
    if let Some(probe) = &container.startup_probe {
        handler::probe(report, probe, Purpose::Startup, around, &at.field("startupProbe"));
    }
}

fn common(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    if container.name.is_empty() {
        report.required(&at.field("name"), "");
    } else {
        report.each_invalid(&at.field("name"), &container.name, name::label(&container.name));
    }
    if blank(container.image.as_ref()) {
        report.required(&at.field("image"), "");
    }
    match text(container.termination_message_policy.as_ref()) {
        "File" | "FallbackToLogsOnError" => {}
        "" => report.required(&at.field("terminationMessagePolicy"), ""),
        other => {
            report.not_supported(
                &at.field("terminationMessagePolicy"),
                other,
                &["File", "FallbackToLogsOnError"],
            );
        }
    }
    ports(report, container.ports.as_deref().unwrap_or_default(), &at.field("ports"));
    env::env(report, container.env.as_deref().unwrap_or_default(), &at.field("env"));
    env::env_from(report, container.env_from.as_deref().unwrap_or_default(), &at.field("envFrom"));
    mount::mounts(report, container, around, &at.field("volumeMounts"));
    mount::devices(report, container, around, &at.field("volumeDevices"));
    pull_policy(report, text(container.image_pull_policy.as_ref()), &at.field("imagePullPolicy"));
    if let Some(resources) = &container.resources {
        resources::requirements(report, resources, Owner::Container, &around.claims, &at.field("resources"));
    }
    resize_policy(report, container, around, &at.field("resizePolicy"));
    if let Some(context) = &container.security_context {
        security::of_container(report, context, around.host_users, &at.field("securityContext"));
    }
}

fn ports(report: &mut Report, ports: &[ContainerPort], at: &At<'_>) {
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let at = at.index(index);
        if let Some(name) = port.name.as_ref().filter(|name| !name.is_empty()) {
            let errors = name::port_name(name);
            if !errors.is_empty() {
                report.each_invalid(&at.field("name"), name, errors);
            } else if !names.insert(name) {
                report.duplicate(&at.field("name"), name);
            }
        }
        if port.container_port == 0 {
            report.required(&at.field("containerPort"), "");
        } else {
            let number = port.container_port;
            report.each_invalid(&at.field("containerPort"), &number, name::port_number(number));
        }
        if let Some(number) = port.host_port.filter(|number| *number != 0) {
            report.each_invalid(&at.field("hostPort"), &number, name::port_number(number));
        }
        protocol(report, text(port.protocol.as_ref()), &at.field("protocol"));
    }
}

/// `TCP`, `UDP` or `SCTP`.
pub(super) fn protocol(report: &mut Report, protocol: &str, at: &At<'_>) {
    match protocol {
        "TCP" | "UDP" | "SCTP" => {}
        "" => report.required(at, ""),
        other => report.not_supported(at, other, &["SCTP", "TCP", "UDP"]),
    }
}

fn host_ports(report: &mut Report, containers: &[Container], at: &At<'_>) {
    let mut taken = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (number, port) in container.ports.iter().flatten().enumerate() {
            let Some(host_port) = port.host_port.filter(|it| *it != 0) else { continue };
            let used =
                format!("{}/{}/{host_port}", text(port.protocol.as_ref()), text(port.host_ip.as_ref()));
            if taken.contains(&used) {
                report.duplicate(&at.index(index).field("ports").index(number).field("hostPort"), &used);
            } else {
                taken.insert(used);
            }
        }
    }
}
fn pull_policy(report: &mut Report, policy: &str, at: &At<'_>) {
    match policy {
        "Always" | "IfNotPresent" | "Never" => {}
        "" => report.required(at, ""),
        other => report.not_supported(at, other, &["Always", "IfNotPresent", "Never"]),
    }
}

fn resize_policy(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    let mut seen = BTreeSet::new();
    for (index, policy) in container.resize_policy.iter().flatten().enumerate() {
        if !seen.insert(&policy.resource_name) {
            report.duplicate(&at.index(index), &policy.resource_name);
        }
        match policy.resource_name.as_str() {
            "cpu" | "memory" => {}
            "" => report.required(at, ""),
            other => report.not_supported(at, other, &["cpu", "memory"]),
        }
        match policy.restart_policy.as_str() {
            "NotRequired" | "RestartContainer" => {}
            "" => report.required(at, ""),
            other => report.not_supported(at, other, &["NotRequired", "RestartContainer"]),
        }
        if around.restart_policy == "Never" && policy.restart_policy != "NotRequired" {
            let why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            report.invalid(at, &policy.restart_policy, why);
        }
    }
}

/// Images of pods themselves, not of templates, must not be padded.
pub(super) fn only_for_pods(report: &mut Report, containers: &[Container], at: &At<'_>) {
    for (index, container) in containers.iter().enumerate() {
        padded_image(report, container, &at.index(index));
    }
}

fn padded_image(report: &mut Report, container: &Container, at: &At<'_>) {
    let image = text(container.image.as_ref());
    if image.trim() != image {
        report.invalid(&at.field("image"), image, "must not have leading or trailing whitespace");
    }
}
