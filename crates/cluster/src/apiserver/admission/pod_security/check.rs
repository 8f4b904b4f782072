//! Which checks make up a standard?
//!
//! THE REGISTRY of checks, in upstream's order: those of the baseline by their name, then those of the restricted
//! level. A check has revisions, each from a minor release on; a restricted one may stand in for one of the baseline.
//! Source: `k8s.io/pod-security-admission`, `policy/{registry,checks,helpers,visitor}.go`.

use api::{
    k8s::core::v1::{Container, ContainerPort, Lifecycle, PodSpec, Probe, SecurityContext},
    meta::ObjectMeta,
};

use super::{
    baseline,
    policy::{Level, Standard},
    restricted,
};

/// A pod, or the template of one.
pub(super) struct Subject<'a> {
    pub(super) meta: &'a ObjectMeta,
    pub(super) spec: &'a PodSpec,
}

/// What a container of any sort says that the standards look at.
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) security: Option<&'a SecurityContext>,
    pub(super) ports: &'a [ContainerPort],
    pub(super) probes: [Option<&'a Probe>; 3],
    pub(super) lifecycle: Option<&'a Lifecycle>,
}

impl<'a> Subject<'a> {
    /// Every container: init containers first, then the pod's own, then ephemeral ones.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        let own = |c: &'a Container| Part {
            name: &c.name,
            security: c.security_context.as_ref(),
            ports: c.ports.as_deref().unwrap_or_default(),
            probes: [c.liveness_probe.as_ref(), c.readiness_probe.as_ref(), c.startup_probe.as_ref()],
            lifecycle: c.lifecycle.as_ref(),
        };
        let spec = self.spec;
        let ephemeral = spec.ephemeral_containers.iter().flatten().map(|c| Part {
            name: &c.name,
            security: c.security_context.as_ref(),
            ports: c.ports.as_deref().unwrap_or_default(),
            probes: [c.liveness_probe.as_ref(), c.readiness_probe.as_ref(), c.startup_probe.as_ref()],
            lifecycle: c.lifecycle.as_ref(),
        });
        spec.init_containers.iter().flatten().map(own).chain(spec.containers.iter().map(own)).chain(ephemeral)
    }

    pub(super) fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }

    /// Whether the pod has a user namespace of its own, which makes root inside it harmless outside.
    pub(super) fn has_own_users(&self) -> bool {
        self.spec.host_users == Some(false)
    }
}

/// What a check holds against a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) reason: String,
    pub(super) detail: String,
}

impl Violation {
    pub(super) fn new(reason: &str, detail: String) -> Self {
        Self { reason: reason.to_owned(), detail }
    }
}

type Run = fn(&Subject<'_>) -> Option<Violation>;

struct Check {
    name: &'static str,
    level: Level,
    /// From which minor release on which revision holds, oldest first.
    since: &'static [(u32, Run)],
    /// The baseline check that is not asked where this one is.
    instead_of: Option<&'static str>,
}

const fn base(name: &'static str, since: &'static [(u32, Run)]) -> Check {
    Check { name, level: Level::Baseline, since, instead_of: None }
}

const fn strict(name: &'static str, since: &'static [(u32, Run)], instead_of: Option<&'static str>) -> Check {
    Check { name, level: Level::Restricted, since, instead_of }
}

const CHECKS: &[Check] = &[
    base("appArmorProfile", &[(0, baseline::app_armor)]),
    base("capabilities_baseline", &[(0, baseline::capabilities)]),
    base("hostNamespaces", &[(0, baseline::host_namespaces)]),
    base("hostPathVolumes", &[(0, baseline::host_path)]),
    base("hostPorts", &[(0, baseline::host_ports)]),
    base("hostProbesAndHostLifecycle", &[(34, baseline::probe_hosts)]),
    base("privileged", &[(0, baseline::privileged)]),
    base("procMount", &[(0, baseline::proc_mount), (35, baseline::proc_mount_of_host_users)]),
    base("seLinuxOptions", &[(0, baseline::selinux), (31, baseline::selinux_with_engine)]),
    base("seccompProfile_baseline", &[(0, baseline::seccomp_annotations), (19, baseline::seccomp)]),
    base(
        "sysctls",
        &[
            (0, baseline::sysctls),
            (27, baseline::sysctls_27),
            (29, baseline::sysctls_29),
            (32, baseline::sysctls_32),
            (37, baseline::sysctls_37),
        ],
    ),
    base("windowsHostProcess", &[(0, baseline::host_process)]),
    strict("allowPrivilegeEscalation", &[(8, restricted::escalation), (25, restricted::escalation_25)], None),
    strict(
        "capabilities_restricted",
        &[(22, restricted::capabilities), (25, restricted::capabilities_25)],
        Some("capabilities_baseline"),
    ),
    strict("procMount_restricted", &[(35, baseline::proc_mount)], Some("procMount")),
    strict("restrictedVolumes", &[(0, restricted::volumes)], Some("hostPathVolumes")),
    strict("runAsNonRoot", &[(0, restricted::non_root), (35, restricted::non_root_of_host_users)], None),
    strict("runAsUser", &[(23, restricted::user), (35, restricted::user_of_host_users)], None),
    strict(
        "seccompProfile_restricted",
        &[(19, restricted::seccomp), (25, restricted::seccomp_25)],
        Some("seccompProfile_baseline"),
    ),
];

/// What a standard holds against a pod, at an API server of minor release `newest`.
pub(super) fn run(standard: Standard, newest: u32, subject: &Subject<'_>) -> Vec<Violation> {
    let version = standard.version.unwrap_or(newest).min(newest);
    let asked: Vec<(&Check, Run)> = CHECKS
        .iter()
        .filter(|check| check.level <= standard.level)
        .filter_map(|check| {
            let (_, run) = check.since.iter().rfind(|(since, _)| *since <= version)?;
            Some((check, *run))
        })
        .collect();
    let is_replaced = |name: &str| asked.iter().any(|(check, _)| check.instead_of == Some(name));
    asked.iter().filter(|(check, _)| !is_replaced(check.name)).filter_map(|(_, run)| run(subject)).collect()
}

/// `container "a"`, `containers "a", "b"`.
pub(super) fn containers(names: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", names.len()), quoted(names))
}

/// `"a", "b"`.
pub(super) fn quoted<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    format!("\"{}\"", items.join("\", \""))
}

/// Which of two words goes with a count.
pub(super) fn plural(one: &'static str, many: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { many }
}

/// Who says something wrong: `pod and container "a"`; nothing if nobody does.
pub(super) fn setters(pod: bool, names: &[&str]) -> Option<String> {
    let mut who = Vec::new();
    if pod {
        who.push("pod".to_owned());
    }
    if !names.is_empty() {
        who.push(containers(names));
    }
    (!who.is_empty()).then(|| who.join(" and "))
}
