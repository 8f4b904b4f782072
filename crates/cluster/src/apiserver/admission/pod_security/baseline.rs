//! What does the baseline standard forbid?
//!
//! Known privilege escalations. One function for each revision of a check; the words are upstream's.
//! Source: `k8s.io/pod-security-admission`, `policy/check_*.go`.

use std::collections::BTreeSet;

use api::k8s::core::v1::{LifecycleHandler, Probe, SELinuxOptions};

use super::check::{Subject, Violation, containers, plural, quoted, setters};

type Verdict = Option<Violation>;

const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

const SYSCTLS: [(u32, &str); 14] = [
    (0, "kernel.shm_rmid_forced"),
    (0, "net.ipv4.ip_local_port_range"),
    (0, "net.ipv4.tcp_syncookies"),
    (0, "net.ipv4.ping_group_range"),
    (0, "net.ipv4.ip_unprivileged_port_start"),
    (27, "net.ipv4.ip_local_reserved_ports"),
    (29, "net.ipv4.tcp_keepalive_time"),
    (29, "net.ipv4.tcp_fin_timeout"),
    (29, "net.ipv4.tcp_keepalive_intvl"),
    (29, "net.ipv4.tcp_keepalive_probes"),
    (32, "net.ipv4.tcp_rmem"),
    (32, "net.ipv4.tcp_wmem"),
    (37, "net.ipv4.tcp_slow_start_after_idle"),
    (37, "net.ipv4.tcp_notsent_lowat"),
];

const SELINUX_TYPES: [&str; 4] = ["", "container_t", "container_init_t", "container_kvm_t"];

fn sorted<T: AsRef<str>>(items: &BTreeSet<T>) -> Vec<&str> {
    items.iter().map(AsRef::as_ref).collect()
}

pub(super) fn app_armor(subject: &Subject<'_>) -> Verdict {
    let is_bad = |type_: &str| !matches!(type_, "RuntimeDefault" | "Localhost");
    let mut values = BTreeSet::new();
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.app_armor_profile.as_ref());
    let pod = pod.filter(|profile| is_bad(&profile.type_));
    values.extend(pod.map(|profile| profile.type_.as_str()));
    let mut bad = Vec::new();
    for part in subject.parts() {
        let profile = part.security.and_then(|it| it.app_armor_profile.as_ref());
        if let Some(profile) = profile.filter(|profile| is_bad(&profile.type_)) {
            bad.push(part.name);
            values.insert(&profile.type_);
        }
    }
    let is_allowed =
        |value: &str| value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
    let annotations = subject.meta.annotations.iter().flatten();
    let annotations: Vec<String> = annotations
        .filter(|(key, value)| key.starts_with(APP_ARMOR_ANNOTATION) && !is_allowed(value))
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    let mut who: Vec<String> = setters(pod.is_some(), &bad).into_iter().collect();
    if !annotations.is_empty() {
        who.push(plural("annotation", "annotations", annotations.len()).to_owned());
    }
    if who.is_empty() {
        return None;
    }
    let values: Vec<&str> =
        sorted(&values).into_iter().chain(annotations.iter().map(String::as_str)).collect();
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
    let detail = format!("{} must not set AppArmor profile type to {}", who.join(" and "), quoted(&values));
    Some(Violation::new(reason, detail))
}

pub(super) fn capabilities(subject: &Subject<'_>) -> Verdict {
    let (mut bad, mut added) = (Vec::new(), BTreeSet::new());
    for part in subject.parts() {
        let add = part.security.and_then(|it| it.capabilities.as_ref()?.add.as_ref());
        let wrong: Vec<&String> =
            add.into_iter().flatten().filter(|c| !CAPABILITIES.contains(&c.as_str())).collect();
        if !wrong.is_empty() {
            bad.push(part.name);
            added.extend(wrong);
        }
    }
    let detail = || {
        let added = quoted(&sorted(&added));
        format!("{} must not include {added} in securityContext.capabilities.add", containers(&bad))
    };
    (!bad.is_empty()).then(|| Violation::new("non-default capabilities", detail()))
}

pub(super) fn host_namespaces(subject: &Subject<'_>) -> Verdict {
    let spec = subject.spec;
    let shared: Vec<&str> = [
        ("hostNetwork=true", spec.host_network),
        ("hostPID=true", spec.host_pid),
        ("hostIPC=true", spec.host_ipc),
    ]
    .into_iter()
    .filter_map(|(said, is_shared)| (is_shared == Some(true)).then_some(said))
    .collect();
    (!shared.is_empty()).then(|| Violation::new("host namespaces", shared.join(", ")))
}

pub(super) fn host_path(subject: &Subject<'_>) -> Verdict {
    let volumes = subject.spec.volumes.iter().flatten().filter(|volume| volume.host_path.is_some());
    let volumes: Vec<&str> = volumes.map(|volume| volume.name.as_str()).collect();
    let detail = || format!("{} {}", plural("volume", "volumes", volumes.len()), quoted(&volumes));
    (!volumes.is_empty()).then(|| Violation::new("hostPath volumes", detail()))
}

pub(super) fn host_ports(subject: &Subject<'_>) -> Verdict {
    let (mut bad, mut ports) = (Vec::new(), BTreeSet::new());
    for part in subject.parts() {
        let taken = part.ports.iter().filter_map(|port| port.host_port).filter(|port| *port != 0);
        let taken: Vec<String> = taken.map(|port| port.to_string()).collect();
        if !taken.is_empty() {
            bad.push(part.name);
            ports.extend(taken);
        }
    }
    let detail = || {
        format!(
            "{} {} {} {}",
            containers(&bad),
            plural("uses", "use", bad.len()),
            plural("hostPort", "hostPorts", ports.len()),
            sorted(&ports).join(", ")
        )
    };
    (!bad.is_empty()).then(|| Violation::new("hostPort", detail()))
}

pub(super) fn probe_hosts(subject: &Subject<'_>) -> Verdict {
    let (mut bad, mut hosts) = (BTreeSet::new(), BTreeSet::new());
    let of_probe = |probe: &Probe| {
        [
            probe.http_get.as_ref().and_then(|it| it.host.clone()),
            probe.tcp_socket.as_ref().and_then(|it| it.host.clone()),
        ]
    };
    let of_handler = |handler: &LifecycleHandler| {
        [
            handler.http_get.as_ref().and_then(|it| it.host.clone()),
            handler.tcp_socket.as_ref().and_then(|it| it.host.clone()),
        ]
    };
    for part in subject.parts() {
        let handlers = part.lifecycle.map(|it| [it.post_start.as_ref(), it.pre_stop.as_ref()]);
        let asked = part.probes.into_iter().flatten().flat_map(of_probe);
        let told = handlers.into_iter().flatten().flatten().flat_map(of_handler);
        let named: Vec<String> = asked.chain(told).flatten().filter(|host| !host.is_empty()).collect();
        if !named.is_empty() {
            bad.insert(part.name);
            hosts.extend(named);
        }
    }
    let detail = || {
        format!(
            "{} {} {} {}",
            containers(&sorted(&bad)),
            plural("uses", "use", bad.len()),
            plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
            quoted(&sorted(&hosts))
        )
    };
    (!bad.is_empty()).then(|| Violation::new("probe or lifecycle host", detail()))
}

pub(super) fn privileged(subject: &Subject<'_>) -> Verdict {
    let bad = subject.parts().filter(|part| part.security.and_then(|it| it.privileged) == Some(true));
    let bad: Vec<&str> = bad.map(|part| part.name).collect();
    let detail = || format!("{} must not set securityContext.privileged=true", containers(&bad));
    (!bad.is_empty()).then(|| Violation::new("privileged", detail()))
}

pub(super) fn proc_mount(subject: &Subject<'_>) -> Verdict {
    let (mut bad, mut types) = (Vec::new(), BTreeSet::new());
    for part in subject.parts() {
        let mount = part.security.and_then(|it| it.proc_mount.as_deref());
        if let Some(mount) = mount.filter(|mount| *mount != "Default") {
            bad.push(part.name);
            types.insert(mount);
        }
    }
    let detail = || {
        format!("{} must not set securityContext.procMount to {}", containers(&bad), quoted(&sorted(&types)))
    };
    (!bad.is_empty()).then(|| Violation::new("procMount", detail()))
}

pub(super) fn proc_mount_of_host_users(subject: &Subject<'_>) -> Verdict {
    if subject.has_own_users() { None } else { proc_mount(subject) }
}

pub(super) fn selinux(subject: &Subject<'_>) -> Verdict {
    selinux_of(subject, |type_| SELINUX_TYPES.contains(&type_))
}

pub(super) fn selinux_with_engine(subject: &Subject<'_>) -> Verdict {
    selinux_of(subject, |type_| SELINUX_TYPES.contains(&type_) || type_ == "container_engine_t")
}

fn selinux_of(subject: &Subject<'_>, is_allowed: fn(&str) -> bool) -> Verdict {
    let (mut types, mut user, mut role) = (BTreeSet::new(), false, false);
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let mut is_bad = |options: &SELinuxOptions| {
        let type_ = options.type_.as_deref().unwrap_or_default();
        let wrong = !is_allowed(type_);
        if wrong {
            types.insert(type_.to_owned());
        }
        user |= is_set(&options.user);
        role |= is_set(&options.role);
        wrong || is_set(&options.user) || is_set(&options.role)
    };
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.se_linux_options.as_ref());
    let pod = pod.is_some_and(&mut is_bad);
    let mut bad = Vec::new();
    for part in subject.parts() {
        if part.security.and_then(|it| it.se_linux_options.as_ref()).is_some_and(&mut is_bad) {
            bad.push(part.name);
        }
    }
    let who = setters(pod, &bad)?;
    let mut what = Vec::new();
    if !types.is_empty() {
        what.push(format!("{} {}", plural("type", "types", types.len()), quoted(&sorted(&types))));
    }
    if user {
        what.push("user may not be set".to_owned());
    }
    if role {
        what.push("role may not be set".to_owned());
    }
    let detail = format!("{who} set forbidden securityContext.seLinuxOptions: {}", what.join("; "));
    Some(Violation::new("seLinuxOptions", detail))
}

pub(super) fn seccomp_annotations(subject: &Subject<'_>) -> Verdict {
    let keys = subject.parts().map(|part| format!("{SECCOMP_CONTAINER}{}", part.name));
    let is_allowed = |value: &str| {
        matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
    };
    let annotations = subject.meta.annotations.as_ref()?;
    let forbidden: BTreeSet<String> = std::iter::once(SECCOMP_POD.to_owned())
        .chain(keys)
        .filter_map(|key| {
            let value = annotations.get(&key).filter(|value| !is_allowed(value))?;
            Some(format!("{key}={value:?}"))
        })
        .collect();
    let detail = || {
        let annotations = plural("annotation", "annotations", forbidden.len());
        format!("forbidden {annotations} {}", sorted(&forbidden).join(", "))
    };
    (!forbidden.is_empty()).then(|| Violation::new("seccompProfile", detail()))
}

/// Whether a profile's type is one that the standards let pass.
pub(super) fn is_valid_seccomp(type_: &str) -> bool {
    matches!(type_, "Localhost" | "RuntimeDefault")
}

pub(super) fn seccomp(subject: &Subject<'_>) -> Verdict {
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.seccomp_profile.as_ref());
    let pod = pod.map(|profile| profile.type_.as_str()).filter(|type_| !is_valid_seccomp(type_));
    let mut values: BTreeSet<&str> = pod.into_iter().collect();
    let mut bad = Vec::new();
    for part in subject.parts() {
        let profile = part.security.and_then(|it| it.seccomp_profile.as_ref());
        if let Some(profile) = profile.filter(|profile| !is_valid_seccomp(&profile.type_)) {
            bad.push(part.name);
            values.insert(&profile.type_);
        }
    }
    let who = setters(pod.is_some(), &bad)?;
    let values = quoted(&sorted(&values));
    let detail = format!("{who} must not set securityContext.seccompProfile.type to {values}");
    Some(Violation::new("seccompProfile", detail))
}

fn sysctls_since(subject: &Subject<'_>, version: u32) -> Verdict {
    let is_safe = |name: &str| SYSCTLS.iter().any(|(since, safe)| *since <= version && *safe == name);
    let sysctls = subject.spec.security_context.as_ref().and_then(|it| it.sysctls.as_ref());
    let names = sysctls.into_iter().flatten().map(|sysctl| sysctl.name.as_str());
    let unsafe_: Vec<&str> = names.filter(|name| !is_safe(name)).collect();
    (!unsafe_.is_empty()).then(|| Violation::new("forbidden sysctls", unsafe_.join(", ")))
}

pub(super) fn sysctls(subject: &Subject<'_>) -> Verdict {
    sysctls_since(subject, 0)
}

pub(super) fn sysctls_27(subject: &Subject<'_>) -> Verdict {
    sysctls_since(subject, 27)
}

pub(super) fn sysctls_29(subject: &Subject<'_>) -> Verdict {
    sysctls_since(subject, 29)
}

pub(super) fn sysctls_32(subject: &Subject<'_>) -> Verdict {
    sysctls_since(subject, 32)
}

pub(super) fn sysctls_37(subject: &Subject<'_>) -> Verdict {
    sysctls_since(subject, 37)
}

pub(super) fn host_process(subject: &Subject<'_>) -> Verdict {
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.windows_options.as_ref());
    let pod = pod.is_some_and(|options| options.host_process == Some(true));
    let is_host = |part: &super::check::Part<'_>| {
        let options = part.security.and_then(|it| it.windows_options.as_ref());
        options.is_some_and(|options| options.host_process == Some(true))
    };
    let bad: Vec<&str> = subject.parts().filter(is_host).map(|part| part.name).collect();
    let who = setters(pod, &bad)?;
    let detail = format!("{who} must not set securityContext.windowsOptions.hostProcess=true");
    Some(Violation::new("hostProcess", detail))
}
