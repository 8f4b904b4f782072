//! Containers with their states, probes, variables and mounts.

use api::quantity::Quantity;
use serde_json::Value;

use super::writer::Writer;
use crate::kubectl::{
    age,
    field::{at, int, list, map, name_of, text, word},
};

/// `Containers:` and its kind; with their statuses where there are some.
pub(super) fn containers(
    w: &mut Writer,
    label: &str,
    all: &[Value],
    statuses: &[Value],
    space: &str,
    pod: Option<&Value>,
) {
    let none = if all.is_empty() { " <none>" } else { "" };
    w.raw(&format!("{space}{label}:{none}\n"));
    for container in all {
        let status = statuses.iter().find(|s| name_of(s) == name_of(container));
        let indent = if space.is_empty() { "" } else { " " };
        w.line(1, format!("{indent}{}:", name_of(container)));
        if let Some(status) = status {
            w.line(2, format!("Container ID:\t{}", text(status, "containerID")));
        }
        w.line(2, format!("Image:\t{}", text(container, "image")));
        if let Some(status) = status {
            w.line(2, format!("Image ID:\t{}", text(status, "imageID")));
        }
        for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
            let ports = list(container, "ports").iter();
            let shown: Vec<String> = ports.map(|p| format!("{}/{}", int(p, field), protocol(p))).collect();
            match shown.len() {
                0 => w.line(2, format!("{title}:\t<none>")),
                1 => w.line(2, format!("{title}:\t{}", shown[0])),
                _ => w.line(2, format!("{title}s:\t{}", shown.join(", "))),
            }
        }
        let seccomp = at(container, "securityContext.seccompProfile");
        if !seccomp.is_null() {
            w.line(2, format!("SeccompProfile:\t{}", text(seccomp, "type")));
            if text(seccomp, "type") == "Localhost" {
                w.line(3, format!("LocalhostProfile:\t{}", text(seccomp, "localhostProfile")));
            }
        }
        for (title, field) in [("Command", "command"), ("Args", "args")] {
            if !list(container, field).is_empty() {
                w.line(2, format!("{title}:"));
                for line in list(container, field)
                    .iter()
                    .flat_map(|a| word(a).split('\n').map(str::to_owned).collect::<Vec<_>>())
                {
                    w.line(3, line);
                }
            }
        }
        if let Some(status) = status {
            state(w, "State", at(status, "state"));
            if !at(status, "lastState.terminated").is_null() {
                state(w, "Last State", at(status, "lastState"));
            }
            w.line(
                2,
                format!(
                    "Ready:\t{}",
                    if at(status, "ready") == &Value::Bool(true) { "True" } else { "False" }
                ),
            );
            w.line(2, format!("Restart Count:\t{}", int(status, "restartCount")));
        }
        resources(w, container, 2);
        for (title, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if !at(container, field).is_null() {
                w.line(2, format!("{title}:\t{}", probe(at(container, field))));
            }
        }
        environment(w, container, pod);
        mounts(w, container);
    }
}

/// `Limits:` and `Requests:` of what has `resources`.
pub(super) fn resources(w: &mut Writer, of: &Value, level: usize) {
    for (title, field) in [("Limits", "resources.limits"), ("Requests", "resources.requests")] {
        if map(of, field).next().is_some() {
            w.line(level, format!("{title}:"));
        }
        for (resource, amount) in map(of, field) {
            w.line(level + 1, format!("{resource}:\t{}", word(amount)));
        }
    }
}

fn protocol(port: &Value) -> &str {
    match text(port, "protocol") {
        "" => "TCP",
        protocol => protocol,
    }
}

fn state(w: &mut Writer, title: &str, state: &Value) {
    let moment = |of: &Value, field: &str| age::long(text(of, field));
    if let Some(running) = state.get("running") {
        w.line(2, format!("{title}:\tRunning"));
        w.line(3, format!("Started:\t{}", moment(running, "startedAt")));
    } else if let Some(ended) = state.get("terminated") {
        w.line(2, format!("{title}:\tTerminated"));
        if !text(ended, "reason").is_empty() {
            w.line(3, format!("Reason:\t{}", text(ended, "reason")));
        }
        if !text(ended, "message").is_empty() {
            w.line(3, format!("Message:\t{}", text(ended, "message")));
        }
        w.line(3, format!("Exit Code:\t{}", int(ended, "exitCode")));
        if int(ended, "signal") > 0 {
            w.line(3, format!("Signal:\t{}", int(ended, "signal")));
        }
        w.line(3, format!("Started:\t{}", moment(ended, "startedAt")));
        w.line(3, format!("Finished:\t{}", moment(ended, "finishedAt")));
    } else {
        w.line(2, format!("{title}:\tWaiting"));
        let reason = text(state, "waiting.reason");
        if !reason.is_empty() {
            w.line(3, format!("Reason:\t{reason}"));
        }
    }
}

/// A probe on one line.
fn probe(probe: &Value) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        int(probe, "initialDelaySeconds"),
        int(probe, "timeoutSeconds"),
        int(probe, "periodSeconds"),
        int(probe, "successThreshold"),
        int(probe, "failureThreshold")
    );
    if let Some(exec) = probe.get("exec") {
        let command: Vec<String> = list(exec, "command").iter().map(word).collect();
        return format!("exec [{}] {attributes}", command.join(" "));
    }
    if let Some(get) = probe.get("httpGet") {
        let scheme = text(get, "scheme").to_lowercase();
        let scheme = if scheme.is_empty() { "http" } else { &scheme };
        let path = text(get, "path");
        let slash = if path.starts_with('/') || path.is_empty() { "" } else { "/" };
        return format!(
            "http-get {scheme}://{}:{}{slash}{path} {attributes}",
            text(get, "host"),
            word(at(get, "port"))
        );
    }
    if let Some(socket) = probe.get("tcpSocket") {
        return format!("tcp-socket {}:{} {attributes}", text(socket, "host"), word(at(socket, "port")));
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!("grpc <pod>:{} {} {attributes}", int(grpc, "port"), text(grpc, "service"));
    }
    format!("unknown {attributes}")
}

fn environment(w: &mut Writer, container: &Value, pod: Option<&Value>) {
    let from = list(container, "envFrom");
    if !from.is_empty() {
        w.line(2, "Environment Variables from:");
        for source in from {
            let (kind, of) = match source.get("configMapRef") {
                Some(of) => ("ConfigMap", of),
                None => ("Secret", at(source, "secretRef")),
            };
            let prefix = text(source, "prefix");
            let prefix = if prefix.is_empty() { String::new() } else { format!(" with prefix '{prefix}'") };
            let optional = at(of, "optional") == &Value::Bool(true);
            w.line(3, format!("{}\t{kind}{prefix}\tOptional: {optional}", name_of(of)));
        }
    }
    let all = list(container, "env");
    if all.is_empty() {
        w.line(2, "Environment:\t<none>");
        return;
    }
    w.line(2, "Environment:");
    for variable in all {
        let name = name_of(variable);
        let source = at(variable, "valueFrom");
        let optional = |of: &str| at(source, of).get("optional") == Some(&Value::Bool(true));
        if source.is_null() {
            for (i, line) in text(variable, "value").split('\n').enumerate() {
                if i == 0 {
                    w.line(3, format!("{name}:\t{line}"));
                } else {
                    w.line(3, format!("\t{line}"));
                }
            }
        } else if let Some(field) = source.get("fieldRef") {
            let path = text(field, "fieldPath");
            // UPSTREAM: only these two are looked up.
            let known = matches!(path, "metadata.name" | "metadata.namespace");
            let value = pod.filter(|_| known).map(|p| word(at(p, path))).unwrap_or_default();
            let version = match text(field, "apiVersion") {
                "" => "v1",
                version => version,
            };
            w.line(3, format!("{name}:\t{value} ({version}:{path})"));
        } else if let Some(resource) = source.get("resourceFieldRef") {
            let what = text(resource, "resource");
            w.line(3, format!("{name}:\t{} ({what})", amount(container, resource)));
        } else if let Some(key) = source.get("secretKeyRef") {
            w.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {}",
                    text(key, "key"),
                    name_of(key),
                    optional("secretKeyRef")
                ),
            );
        } else if let Some(key) = source.get("configMapKeyRef") {
            w.line(
                3,
                format!(
                    "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {}",
                    text(key, "key"),
                    name_of(key),
                    optional("configMapKeyRef")
                ),
            );
        }
    }
}

/// What a variable from a resource of its container is set to.
fn amount(container: &Value, reference: &Value) -> String {
    let what = text(reference, "resource");
    let Some((kind, resource)) = what.split_once('.') else { return String::new() };
    let parse = |value: &Value| Quantity::parse(&word(value)).ok().filter(|q| q.sign() > 0);
    let of =
        parse(at(container, "resources").get(kind).and_then(|r| r.get(resource)).unwrap_or(&Value::Null));
    let units = |q: &Quantity| if resource == "cpu" { q.milli_value() } else { q.value() };
    let one = if resource == "cpu" { 1000 } else { 1 };
    let divisor = parse(at(reference, "divisor")).map_or(one, |d| units(&d)).max(1);
    let count = of.map_or(0, |q| units(&q)) as f64 / divisor as f64;
    match count.ceil() as i64 {
        0 if matches!(what, "limits.cpu" | "limits.memory") => "node allocatable".to_owned(),
        count => count.to_string(),
    }
}

fn mounts(w: &mut Writer, container: &Value) {
    let mut all: Vec<&Value> = list(container, "volumeMounts").iter().collect();
    let none = if all.is_empty() { "\t<none>" } else { "" };
    all.sort_by_key(|m| text(m, "mountPath"));
    w.line(2, format!("Mounts:{none}"));
    for mount in all {
        let mut flags =
            vec![if at(mount, "readOnly") == &Value::Bool(true) { "ro".to_owned() } else { "rw".to_owned() }];
        if !text(mount, "subPath").is_empty() {
            flags.push(format!("path={:?}", text(mount, "subPath")));
        }
        w.line(3, format!("{} from {} ({})", text(mount, "mountPath"), name_of(mount), flags.join(",")));
    }
    let mut devices: Vec<&Value> = list(container, "volumeDevices").iter().collect();
    if !devices.is_empty() {
        devices.sort_by_key(|d| text(d, "devicePath"));
        // UPSTREAM: the word for no mounts is printed here again.
        w.line(2, format!("Devices:{none}"));
        for device in devices {
            w.line(3, format!("{} from {}", text(device, "devicePath"), name_of(device)));
        }
    }
}
