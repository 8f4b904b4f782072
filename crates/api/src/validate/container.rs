//! Are a pod's containers legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{
    meta::text,
    name,
    report::{At, Report},
    resources::{self, Owner},
    security,
    volume::descending_path,
};
use crate::{
    default::blank,
    k8s::core::v1::{
        Container, ContainerPort, EnvFromSource, EnvVar, EphemeralContainer, ExecAction, GRPCAction,
        HTTPGetAction, Lifecycle, ObjectFieldSelector, PodSpec, Probe, ResourceFieldSelector, SleepAction,
        TCPSocketAction, Volume, VolumeMount,
    },
    quantity::Quantity,
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
        self::lifecycle(report, lifecycle, around, &at.field("lifecycle"));
    }
    if let Some(probe) = &container.liveness_probe {
        self::probe(report, probe, Purpose::Liveness, around, &at.field("livenessProbe"));
    }
    if let Some(probe) = &container.readiness_probe {
        self::probe(report, probe, Purpose::Readiness, around, &at.field("readinessProbe"));
    }
    if let Some(probe) = &container.startup_probe {
        self::probe(report, probe, Purpose::Startup, around, &at.field("startupProbe"));
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
    env(report, container.env.as_deref().unwrap_or_default(), &at.field("env"));
    env_from(report, container.env_from.as_deref().unwrap_or_default(), &at.field("envFrom"));
    mounts(report, container, around, &at.field("volumeMounts"));
    devices(report, container, around, &at.field("volumeDevices"));
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

fn env(report: &mut Report, vars: &[EnvVar], at: &At<'_>) {
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

fn env_from(report: &mut Report, sources: &[EnvFromSource], at: &At<'_>) {
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

fn mounts(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    let mut points = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at_one = at.index(index);
        if mount.name.is_empty() {
            report.required(&at_one.field("name"), "");
        }
        if !around.volumes.contains_key(mount.name.as_str()) {
            report.not_found(&at_one.field("name"), &mount.name, "");
        }
        if mount.mount_path.is_empty() {
            report.required(&at_one.field("mountPath"), "");
        }
        if !points.insert(&mount.mount_path) {
            report.invalid(&at_one.field("mountPath"), &mount.mount_path, "must be unique");
        }
        if devices.iter().any(|device| device.name == mount.name) {
            report.invalid(&at_one.field("name"), &mount.name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.device_path == mount.mount_path) {
            let why = "must not already exist as a path in volumeDevices";
            report.invalid(&at_one.field("mountPath"), &mount.mount_path, why);
        }
        let sub_path = mount.sub_path.as_ref().filter(|path| !path.is_empty());
        if let Some(path) = sub_path {
            descending_path(report, path, &at.field("subPath"));
        }
        if let Some(path) = mount.sub_path_expr.as_ref().filter(|path| !path.is_empty()) {
            if sub_path.is_some() {
                let why = "subPathExpr and subPath are mutually exclusive";
                report.invalid(&at_one.field("subPathExpr"), path, why);
            }
            descending_path(report, path, &at.field("subPathExpr"));
        }
        propagation(report, mount, container, at);
    }
}

fn propagation(report: &mut Report, mount: &VolumeMount, container: &Container, at: &At<'_>) {
    const KNOWN: &[&str] = &["Bidirectional", "HostToContainer", "None"];
    if let Some(propagation) = &mount.mount_propagation {
        let at = at.field("mountPropagation");
        if !KNOWN.contains(&propagation.as_str()) {
            report.not_supported(&at, propagation, KNOWN);
        }
        let privileged = container.security_context.as_ref().and_then(|it| it.privileged) == Some(true);
        if propagation == "Bidirectional" && !privileged {
            report
                .forbidden(&at, "Bidirectional mount propagation is available only to privileged containers");
        }
    }
    let at = at.field("recursiveReadOnly");
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                report.forbidden(&at, "may only be specified when readOnly is true");
            }
            if mount.mount_propagation.as_deref().is_some_and(|it| it != "None") {
                report.forbidden(&at, "may only be specified when mountPropagation is None or not specified");
            }
        }
        Some(other) => report.not_supported(&at, other, &["Disabled", "Enabled", "IfPossible"]),
    }
}

fn devices(report: &mut Report, container: &Container, around: &Around<'_>, at: &At<'_>) {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let (mut names, mut paths) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in container.volume_devices.iter().flatten().enumerate() {
        let at_one = at.index(index);
        if device.name.is_empty() {
            report.required(&at_one.field("name"), "");
        }
        if names.contains(&device.name) {
            report.invalid(&at_one.field("name"), &device.name, "must be unique");
        }
        match around.volumes.get(device.name.as_str()) {
            None => report.not_found(&at_one.field("name"), &device.name, ""),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let why =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                report.invalid(&at_one.field("name"), &device.name, why);
            }
            Some(_) => {}
        }
        let at_path = at_one.field("devicePath");
        if device.device_path.is_empty() {
            report.required(&at_path, "");
        }
        if paths.contains(&device.device_path) {
            report.invalid(&at_path, &device.device_path, "must be unique");
        }
        if device.device_path.split('/').any(|part| part == "..") {
            report.invalid(&at_path, &device.device_path, "can not contain backsteps ('..')");
        } else {
            paths.insert(&device.device_path);
        }
        if mounts.iter().any(|mount| mount.name == device.name) {
            report.invalid(&at_one.field("name"), &device.name, "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| mount.mount_path == device.device_path) {
            report.invalid(&at_path, &device.device_path, "must not already exist as a path in volumeMounts");
        }
        if !device.name.is_empty() {
            names.insert(&device.name);
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Liveness,
    Readiness,
    Startup,
}

fn probe(report: &mut Report, probe: &Probe, purpose: Purpose, around: &Around<'_>, at: &At<'_>) {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    handler.check(report, around.grace, at);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        report.not_negative(&at.field(field), value.unwrap_or_default().into());
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        report.invalid(&at.field("terminationGracePeriodSeconds"), &seconds, "must be greater than 0");
    }
    match purpose {
        Purpose::Liveness | Purpose::Startup => {
            let threshold = probe.success_threshold.unwrap_or_default();
            if threshold != 1 {
                report.invalid(&at.field("successThreshold"), &threshold, "must be 1");
            }
        }
        Purpose::Readiness => {
            if let Some(seconds) = probe.termination_grace_period_seconds {
                let at = at.field("terminationGracePeriodSeconds");
                report.invalid(&at, &seconds, "must not be set for readinessProbes");
            }
        }
    }
}

fn lifecycle(report: &mut Report, lifecycle: &Lifecycle, around: &Around<'_>, at: &At<'_>) {
    for (field, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        let Some(it) = handler else { continue };
        let handler = Handler {
            exec: it.exec.as_ref(),
            http_get: it.http_get.as_ref(),
            tcp_socket: it.tcp_socket.as_ref(),
            grpc: None,
            sleep: it.sleep.as_ref(),
        };
        handler.check(report, around.grace, &at.field(field));
    }
    if lifecycle.stop_signal.is_some() && around.os.is_none() {
        let why = "may not be set for containers with empty `spec.os.name`";
        report.forbidden(&at.field("stopSignal"), why);
    }
}

/// What a probe or hook does.
struct Handler<'h> {
    exec: Option<&'h ExecAction>,
    http_get: Option<&'h HTTPGetAction>,
    tcp_socket: Option<&'h TCPSocketAction>,
    grpc: Option<&'h GRPCAction>,
    sleep: Option<&'h SleepAction>,
}

impl Handler<'_> {
    fn check(&self, report: &mut Report, grace: Option<i64>, at: &At<'_>) {
        let mut count = 0;
        let mut another = |report: &mut Report, field: &str| {
            count += 1;
            if count > 1 {
                report.forbidden(&at.field(field), "may not specify more than 1 handler type");
            }
            count == 1
        };
        if let Some(exec) = self.exec.filter(|_| another(report, "exec"))
            && exec.command.as_ref().is_none_or(Vec::is_empty)
        {
            report.required(&at.field("exec.command"), "");
        }
        if let Some(get) = self.http_get.filter(|_| another(report, "httpGet")) {
            let at = at.field("httpGet");
            if blank(get.path.as_ref()) {
                report.required(&at.field("path"), "");
            }
            port_or_name(report, &get.port, &at.field("port"));
            let scheme = text(get.scheme.as_ref());
            if !matches!(scheme, "HTTP" | "HTTPS") {
                report.not_supported(&at.field("scheme"), scheme, &["HTTP", "HTTPS"]);
            }
            for header in get.http_headers.iter().flatten() {
                report.each_invalid(&at.field("httpHeaders"), &header.name, name::http_header(&header.name));
            }
        }
        if let Some(tcp) = self.tcp_socket.filter(|_| another(report, "tcpSocket")) {
            port_or_name(report, &tcp.port, &at.field("tcpSocket.port"));
        }
        if let Some(grpc) = self.grpc.filter(|_| another(report, "grpc")) {
            port_or_name(report, &IntOrString::Int(grpc.port), &at.field("grpc.port"));
        }
        if let Some(sleep) = self.sleep.filter(|_| another(report, "sleep"))
            && let Some(grace) = grace.filter(|grace| sleep.seconds < 0 || sleep.seconds > *grace)
        {
            let why = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
            report.invalid(&at.field("sleep"), &sleep.seconds, &why);
        }
        if count == 0 {
            report.required(at, "must specify a handler type");
        }
    }
}

/// A port by number or name.
pub(super) fn port_or_name(report: &mut Report, port: &IntOrString, at: &At<'_>) {
    match port {
        IntOrString::Int(number) => report.each_invalid(at, number, name::port_number(*number)),
        IntOrString::String(name) => report.each_invalid(at, name, name::port_name(name)),
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
