//! Containers, volumes, labels: what pods and pod templates have in common.

use serde_json::Value;

use super::writer::{Writer, align};
use crate::kubectl::{
    age,
    field::{at, int, list, map, name_of, pairs, text, word},
};

/// Longest annotation on one line.
const LONGEST: usize = 140;

/// `Labels:` and its kind: one pair a line.
pub(super) fn labels(w: &mut Writer, indent: &str, title: &str, of: &Value) {
    let fields: Vec<String> =
        of.as_object().into_iter().flatten().map(|(k, v)| format!("{k}={}", word(v))).collect();
    multiline(w, indent, title, &fields);
}

fn multiline(w: &mut Writer, indent: &str, title: &str, lines: &[String]) {
    if lines.is_empty() {
        w.raw(&format!("{indent}{title}:\t<none>\n"));
    }
    for (i, line) in lines.iter().enumerate() {
        if i == 0 {
            w.raw(&format!("{indent}{title}:\t{line}\n"));
        } else {
            w.raw(&format!("{indent}\t{line}\n"));
        }
    }
}

/// `Annotations:`, without what kubectl keeps there for itself.
pub(super) fn annotations(w: &mut Writer, indent: &str, of: &Value) {
    let mut lines = Vec::new();
    for (key, value) in of.as_object().into_iter().flatten() {
        if key == "kubectl.kubernetes.io/last-applied-configuration" {
            continue;
        }
        let value = word(value);
        let value = value.strip_suffix('\n').unwrap_or(&value);
        if value.chars().count() < LONGEST.saturating_sub(key.len() + 2) && !value.contains('\n') {
            lines.push(format!("{key}: {value}"));
        } else {
            lines.push(format!("{key}:"));
            for line in value.split('\n') {
                let short: String = line.chars().take(LONGEST - 2).collect();
                let dots = if short.len() < line.len() { "..." } else { "" };
                lines.push(format!("  {short}{dots}"));
            }
        }
    }
    multiline(w, indent, "Annotations", &lines);
}

/// `Tolerations:`.
pub(super) fn tolerations(w: &mut Writer, indent: &str, of: &[Value]) {
    let lines: Vec<String> = of
        .iter()
        .map(|t| {
            let mut line = text(t, "key").to_owned();
            if !text(t, "value").is_empty() {
                line.push_str(&format!("={}", text(t, "value")));
            }
            if !text(t, "effect").is_empty() {
                line.push_str(&format!(":{}", text(t, "effect")));
            }
            if text(t, "operator") == "Exists" && text(t, "value").is_empty() {
                line.push_str(if line.is_empty() { "op=Exists" } else { " op=Exists" });
            }
            if let Some(seconds) = at(t, "tolerationSeconds").as_i64() {
                line.push_str(&format!(" for {seconds}s"));
            }
            line
        })
        .collect();
    multiline(w, indent, "Tolerations", &lines);
}

/// `Pod Template:` with all below it.
pub(super) fn template(w: &mut Writer, template: &Value) {
    w.line(0, "Pod Template:");
    body(w, template);
}

fn body(w: &mut Writer, template: &Value) {
    labels(w, "  ", "Labels", at(template, "metadata.labels"));
    if map(template, "metadata.annotations").next().is_some() {
        annotations(w, "  ", at(template, "metadata.annotations"));
    }
    let spec = at(template, "spec");
    if !text(spec, "serviceAccountName").is_empty() {
        w.line(1, format!("Service Account:\t{}", text(spec, "serviceAccountName")));
    }
    if !list(spec, "initContainers").is_empty() {
        containers(w, "Init Containers", list(spec, "initContainers"), &[], "  ", None);
    }
    containers(w, "Containers", list(spec, "containers"), &[], "  ", None);
    volumes(w, list(spec, "volumes"), "  ");
    spread(w, list(spec, "topologySpreadConstraints"), "  ");
    if !text(spec, "priorityClassName").is_empty() {
        w.line(1, format!("Priority Class Name:\t{}", text(spec, "priorityClassName")));
    }
    labels(w, "  ", "Node-Selectors", at(spec, "nodeSelector"));
    tolerations(w, "  ", list(spec, "tolerations"));
}

/// The template as `rollout history --revision` shows it: cells are not aligned.
pub(in crate::kubectl) fn bare(value: &Value) -> String {
    let mut w = Writer::default();
    template(&mut w, value);
    w.unaligned()
}

/// `Topology Spread Constraints:`.
pub(super) fn spread(w: &mut Writer, constraints: &[Value], indent: &str) {
    let lines: Vec<String> = constraints
        .iter()
        .map(|c| {
            let selector = crate::kubectl::field::selector(at(c, "labelSelector"), "");
            let selector =
                if selector.is_empty() { String::new() } else { format!(" for selector {selector}") };
            format!(
                "{}:{} when max skew {} is exceeded{selector}",
                text(c, "topologyKey"),
                text(c, "whenUnsatisfiable"),
                int(c, "maxSkew")
            )
        })
        .collect();
    if !lines.is_empty() {
        multiline(w, indent, "Topology Spread Constraints", &lines);
    }
}

/// `Containers:` and its kind; with their statuses where there are some.
pub(super) fn containers(
    w: &mut Writer,
    label: &str,
    all: &[Value],
    statuses: &[Value],
    space: &str,
    pod: Option<&Value>,
) {
    w.raw(&format!("{space}{label}:\n"));
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
        for (title, field) in [("Limits", "resources.limits"), ("Requests", "resources.requests")] {
            if map(container, field).next().is_some() {
                w.line(2, format!("{title}:"));
                for (resource, amount) in map(container, field) {
                    w.line(3, format!("{resource}:\t{}", word(amount)));
                }
            }
        }
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
            let value = pod.map(|p| word(at(p, path))).unwrap_or_default();
            let version = match text(field, "apiVersion") {
                "" => "v1",
                version => version,
            };
            w.line(3, format!("{name}:\t{value} ({version}:{path})"));
        } else if let Some(resource) = source.get("resourceFieldRef") {
            w.line(3, format!("{name}:\t ({})", text(resource, "resource")));
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

fn mounts(w: &mut Writer, container: &Value) {
    let mut all: Vec<&Value> = list(container, "volumeMounts").iter().collect();
    if all.is_empty() {
        w.line(2, "Mounts:\t<none>");
        return;
    }
    all.sort_by_key(|m| text(m, "mountPath"));
    w.line(2, "Mounts:");
    for mount in all {
        let mut flags =
            vec![if at(mount, "readOnly") == &Value::Bool(true) { "ro".to_owned() } else { "rw".to_owned() }];
        if !text(mount, "subPath").is_empty() {
            flags.push(format!("path={:?}", text(mount, "subPath")));
        }
        w.line(3, format!("{} from {} ({})", text(mount, "mountPath"), name_of(mount), flags.join(",")));
    }
}

/// `Volumes:`.
pub(super) fn volumes(w: &mut Writer, all: &[Value], space: &str) {
    if all.is_empty() {
        w.raw(&format!("{space}Volumes:\t<none>\n"));
        return;
    }
    w.raw(&format!("{space}Volumes:\n"));
    for volume in all {
        let indent = if space.is_empty() { "" } else { " " };
        w.line(1, format!("{indent}{}:", name_of(volume)));
        let optional = |of: &Value| match at(of, "optional") {
            Value::Null => "false".to_owned(),
            other => other.to_string(),
        };
        let lines: Vec<String> = if let Some(dir) = volume.get("emptyDir") {
            let limit = word(at(dir, "sizeLimit"));
            vec![
                "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)".to_owned(),
                format!("Medium:\t{}", text(dir, "medium")),
                format!("SizeLimit:\t{}", if limit.is_empty() { "<unset>" } else { &limit }),
            ]
        } else if let Some(map) = volume.get("configMap") {
            vec![
                "Type:\tConfigMap (a volume populated by a ConfigMap)".to_owned(),
                format!("Name:\t{}", name_of(map)),
                format!("Optional:\t{}", optional(map)),
            ]
        } else if let Some(secret) = volume.get("secret") {
            vec![
                "Type:\tSecret (a volume populated by a Secret)".to_owned(),
                format!("SecretName:\t{}", text(secret, "secretName")),
                format!("Optional:\t{}", optional(secret)),
            ]
        } else if let Some(host) = volume.get("hostPath") {
            vec![
                "Type:\tHostPath (bare host directory volume)".to_owned(),
                format!("Path:\t{}", text(host, "path")),
                format!("HostPathType:\t{}", text(host, "type")),
            ]
        } else if let Some(claim) = volume.get("persistentVolumeClaim") {
            vec![
                "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"
                    .to_owned(),
                format!("ClaimName:\t{}", text(claim, "claimName")),
                format!("ReadOnly:\t{}", at(claim, "readOnly") == &Value::Bool(true)),
            ]
        } else if let Some(projected) = volume.get("projected") {
            let mut lines = vec![
                "Type:\tProjected (a volume that contains injected data from multiple sources)".to_owned(),
            ];
            for source in list(projected, "sources") {
                if let Some(secret) = source.get("secret") {
                    lines.push(format!("SecretName:\t{}", name_of(secret)));
                    lines.push(format!("SecretOptionalName:\t{}", nil(at(secret, "optional"))));
                } else if source.get("downwardAPI").is_some() {
                    lines.push("DownwardAPI:\ttrue".to_owned());
                } else if let Some(map) = source.get("configMap") {
                    lines.push(format!("ConfigMapName:\t{}", name_of(map)));
                    lines.push(format!("ConfigMapOptional:\t{}", nil(at(map, "optional"))));
                } else if let Some(token) = source.get("serviceAccountToken") {
                    lines.push(format!("TokenExpirationSeconds:\t{}", int(token, "expirationSeconds")));
                }
            }
            lines
        } else {
            vec!["<unknown>".to_owned()]
        };
        for line in lines {
            w.line(2, line);
        }
    }
}

fn nil(value: &Value) -> String {
    if value.is_null() { "<nil>".to_owned() } else { value.to_string() }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn selector(o: &Value, path: &str) -> String {
    pairs(o, path, "<none>")
}

/// The head of almost every description.
pub(super) fn head(w: &mut Writer, o: &Value, namespaced: bool) {
    w.line(0, format!("Name:\t{}", crate::kubectl::field::name(o)));
    if namespaced {
        w.line(0, format!("Namespace:\t{}", crate::kubectl::field::namespace(o)));
    }
}

/// Labels and annotations of an object.
pub(super) fn marks(w: &mut Writer, o: &Value) {
    labels(w, "", "Labels", at(o, "metadata.labels"));
    annotations(w, "", at(o, "metadata.annotations"));
}

/// Closes a description with its events.
pub(super) fn close(mut w: Writer, events: Option<&str>) -> String {
    if let Some(events) = events {
        w.raw(events);
    }
    align(&w.unaligned())
}
