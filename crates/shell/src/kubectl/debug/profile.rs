//! What a profile of `kubectl debug` makes of a pod and its debugging container.

use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, field};

/// How one debugs.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    Inside,
    Copy,
    Node,
}

/// `--profile`.
#[derive(Clone, Copy)]
pub(super) enum Profile {
    Legacy,
    General,
    Baseline,
    Restricted,
    Netadmin,
    Sysadmin,
}

impl Profile {
    pub(super) fn of(kube: &Kube<'_, '_>) -> Done<Self> {
        Ok(match kube.given.value("profile") {
            None | Some("legacy") => Self::Legacy,
            Some("general") => Self::General,
            Some("baseline") => Self::Baseline,
            Some("restricted") => Self::Restricted,
            Some("netadmin") => Self::Netadmin,
            Some("sysadmin") => Self::Sysadmin,
            Some(other) => return Fail::error(format!("unknown profile: {other}")),
        })
    }

    /// Changes the pod around the container, and the container, which stands apart from it meanwhile.
    pub(super) fn apply(self, kube: &Kube<'_, '_>, style: Style, pod: &mut Value, container: &mut Value) {
        match self {
            Self::Legacy => {}
            Self::General if style == Style::Node => clear(container),
            Self::General => add(container, &["SYS_PTRACE"]),
            Self::Baseline => clear(container),
            Self::Restricted => {
                container["securityContext"] = json!({"runAsNonRoot": true,
                    "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": false,
                    "seccompProfile": {"type": "RuntimeDefault"}});
            }
            Self::Netadmin => add(container, &["NET_ADMIN", "NET_RAW"]),
            Self::Sysadmin => context(container)["privileged"] = true.into(),
        }
        match (style, self) {
            (Style::Inside, _) | (Style::Node, Self::Baseline | Self::Restricted) => {}
            (Style::Node, _) => {
                if !matches!(self, Self::Netadmin) {
                    pod["spec"]["volumes"] = json!([{"name": "host-root", "hostPath": {"path": "/"}}]);
                    container["volumeMounts"] = json!([{"mountPath": "/host", "name": "host-root"}]);
                }
                for namespace in ["hostNetwork", "hostPID", "hostIPC"] {
                    pod["spec"][namespace] = true.into();
                }
            }
            (Style::Copy, Self::Legacy) => forget(pod, "labels"),
            (Style::Copy, _) => {
                bare(kube, pod);
                if field::at(pod, "spec.shareProcessNamespace").is_null() {
                    pod["spec"]["shareProcessNamespace"] = true.into();
                }
            }
        }
    }
}

fn context(container: &mut Value) -> &mut Value {
    let context = &mut container["securityContext"];
    if context.is_null() {
        *context = json!({});
    }
    context
}

fn clear(container: &mut Value) {
    if let Value::Object(fields) = container {
        fields.remove("securityContext");
    }
}

fn add(container: &mut Value, capabilities: &[&str]) {
    let all = field::make(context(container), "capabilities.add");
    if all.is_null() {
        *all = json!([]);
    }
    if let Value::Array(all) = all {
        all.extend(capabilities.iter().map(|it| Value::from(*it)));
    }
}

fn forget(pod: &mut Value, part: &str) {
    if let Some(Value::Object(meta)) = pod.get_mut("metadata") {
        meta.remove(part);
    }
}

/// Takes from a copy what the flags do not keep.
fn bare(kube: &Kube<'_, '_>, pod: &mut Value) {
    for (part, flag) in [("labels", "keep-labels"), ("annotations", "keep-annotations")] {
        if !kube.given.on(flag) {
            forget(pod, part);
        }
    }
    let Some(Value::Object(spec)) = pod.get_mut("spec") else { return };
    if !kube.given.not_off("keep-init-containers") {
        spec.remove("initContainers");
    }
    for container in spec.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten() {
        let Value::Object(fields) = container else { continue };
        for (probe, flag) in [
            ("livenessProbe", "keep-liveness"),
            ("readinessProbe", "keep-readiness"),
            ("startupProbe", "keep-startup"),
        ] {
            if !kube.given.on(flag) {
                fields.remove(probe);
            }
        }
    }
}
