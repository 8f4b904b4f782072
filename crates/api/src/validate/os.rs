//! Does a pod ask its operating system for what that has?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`: `validateOS`, `validateLinux`, `validateWindows`,
//! `validateWindowsHostProcessPod`, `validateWindowsSecurityContextOptions`.

use super::{
    name,
    report::{At, Report},
};
use crate::k8s::core::v1::{PodSpec, SecurityContext, WindowsSecurityContextOptions};

/// `spec.os` and what it forbids; `at` is the pod's spec.
pub(super) fn os(report: &mut Report, spec: &PodSpec, os: &str, at: &At<'_>) {
    match os {
        "linux" => linux(report, spec, at),
        "windows" => windows(report, spec, at),
        "" => report.required(&at.field("os.name"), ""),
        other => report.not_supported(&at.field("os"), other, &["linux", "windows"]),
    }
}

fn linux(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    const WHY: &str = "windows options cannot be set for a linux pod";
    if spec.security_context.as_ref().is_some_and(|it| it.windows_options.is_some()) {
        report.forbidden(&at.field("securityContext.windowsOptions"), WHY);
    }
    for (field, index, context) in contexts(spec) {
        if context.is_some_and(|it| it.windows_options.is_some()) {
            report.forbidden(&at.field(field).index(index).field("securityContext.windowsOptions"), WHY);
        }
    }
}

fn windows(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    const WHY: &str = "cannot be set for a windows pod";
    let none = Default::default();
    let context = spec.security_context.as_ref().unwrap_or(&none);
    for (field, there) in [
        ("securityContext.appArmorProfile", context.app_armor_profile.is_some()),
        ("securityContext.seLinuxOptions", context.se_linux_options.is_some()),
        ("hostUsers", spec.host_users.is_some()),
        ("hostPID", spec.host_pid == Some(true)),
        ("hostIPC", spec.host_ipc == Some(true)),
        ("securityContext.seccompProfile", context.seccomp_profile.is_some()),
        ("securityContext.fsGroup", context.fs_group.is_some()),
        ("securityContext.fsGroupChangePolicy", context.fs_group_change_policy.is_some()),
        ("securityContext.sysctls", context.sysctls.as_ref().is_some_and(|it| !it.is_empty())),
        ("shareProcessNamespace", spec.share_process_namespace.is_some()),
        ("securityContext.runAsUser", context.run_as_user.is_some()),
        ("securityContext.runAsGroup", context.run_as_group.is_some()),
        ("securityContext.supplementalGroups", context.supplemental_groups.is_some()),
        ("securityContext.supplementalGroupsPolicy", context.supplemental_groups_policy.is_some()),
        ("securityContext.seLinuxChangePolicy", context.se_linux_change_policy.is_some()),
    ] {
        if there {
            report.forbidden(&at.field(field), WHY);
        }
    }
    for (field, index, context) in contexts(spec) {
        let Some(context) = context else { continue };
        let at = at.field(field);
        let at = at.index(index);
        let at = at.field("securityContext");
        for (field, there) in [
            ("appArmorProfile", context.app_armor_profile.is_some()),
            ("seLinuxOptions", context.se_linux_options.is_some()),
            ("seccompProfile", context.seccomp_profile.is_some()),
            ("capabilities", context.capabilities.is_some()),
            ("readOnlyRootFilesystem", context.read_only_root_filesystem.is_some()),
            ("privileged", context.privileged.is_some()),
            ("allowPrivilegeEscalation", context.allow_privilege_escalation.is_some()),
            ("procMount", context.proc_mount.is_some()),
            ("runAsUser", context.run_as_user.is_some()),
            ("runAsGroup", context.run_as_group.is_some()),
        ] {
            if there {
                report.forbidden(&at.field(field), WHY);
            }
        }
    }
}

/// Containers that are processes of the host: all of them or none, and in the host's network.
pub(super) fn host_processes(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    let own = |options: Option<&WindowsSecurityContextOptions>| options.and_then(|it| it.host_process);
    let of_pod = own(spec.security_context.as_ref().and_then(|it| it.windows_options.as_ref()));
    let (mut all, mut hosts) = (0, 0);
    for (field, index, context) in contexts(spec) {
        all += 1;
        let of_container = own(context.and_then(|it| it.windows_options.as_ref()));
        if let (Some(pod), Some(container)) = (of_pod, of_container)
            && pod != container
        {
            let why = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            let at = at.field(field);
            let at = at.index(index);
            report.invalid(&at.field("securityContext.windowsOptions.hostProcess"), &container, &why);
        }
        hosts += i32::from(of_container.or(of_pod) == Some(true));
    }
    if hosts == 0 {
        return;
    }
    if hosts != all {
        let why =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        report.invalid(at, "", why);
    }
    if spec.host_network != Some(true) {
        let why = "hostNetwork must be true if pod contains any hostProcess containers";
        report.invalid(&at.field("hostNetwork"), &false, why);
    }
}

/// The Windows part of a security context.
pub(super) fn windows_options(
    report: &mut Report,
    options: Option<&WindowsSecurityContextOptions>,
    at: &At<'_>,
) {
    let Some(options) = options else { return };
    if let Some(name) = &options.gmsa_credential_spec_name {
        report.each_invalid(&at.field("gmsaCredentialSpecName"), name, name::subdomain(name, false));
    }
    if let Some(spec) = &options.gmsa_credential_spec {
        const MOST: usize = 64 * 1024;
        let at = at.field("gmsaCredentialSpec");
        if spec.is_empty() {
            report.invalid(&at, spec, "gmsaCredentialSpec cannot be an empty string");
        } else if spec.len() > MOST {
            report.invalid(&at, spec, "gmsaCredentialSpec size must be under 64 KiB");
        }
    }
    if let Some(user) = &options.run_as_user_name {
        let at = at.field("runAsUserName");
        for why in user_name(user) {
            report.invalid(&at, user, &why);
        }
    }
}

/// What is wrong with `user` or `domain\user`.
fn user_name(text: &str) -> Vec<String> {
    let one = |why: &str| vec![why.to_owned()];
    if text.is_empty() {
        return one("runAsUserName cannot be an empty string");
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        return one("runAsUserName cannot contain control characters");
    }
    let parts: Vec<&str> = text.split('\\').collect();
    let (domain, user) = match parts.as_slice() {
        [user] => (None, *user),
        [domain, user] => (Some(*domain), *user),
        _ => return one("runAsUserName cannot contain more than one backslash"),
    };
    let mut out = Vec::new();
    if domain.is_some_and(|it| it.len() >= 256) {
        out.push("runAsUserName's Domain length must be under 256 characters".to_owned());
    }
    if domain.is_some_and(|it| !(is_net_bios(it) || is_domain_name(it))) {
        out.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format".to_owned());
    }
    if user.is_empty() {
        out.push("runAsUserName's User cannot be empty".to_owned());
    } else if user.len() > 104 {
        out.push("runAsUserName's User length must not be longer than 104 characters".to_owned());
    }
    if !user.is_empty() && user.chars().all(|c| matches!(c, '.' | ' ')) {
        out.push("runAsUserName's User cannot contain only periods or spaces".to_owned());
    }
    if user.chars().any(|c| r#""/\:;|=,+*?<>@[]"#.contains(c)) {
        let why = r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#;
        out.push(why.to_owned());
    }
    out
}

fn is_net_bios(domain: &str) -> bool {
    let refused = r#"\/:*?"<>|"#;
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && !domain.chars().any(|c| refused.contains(c))
}

fn is_domain_name(domain: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric();
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().next().is_some_and(inner)
            && part.bytes().last().is_some_and(inner)
            && part.bytes().all(|b| inner(b) || b == b'-')
    };
    domain.split('.').all(part)
}

/// The security contexts of all containers, with their places.
fn contexts(spec: &PodSpec) -> impl Iterator<Item = (&'static str, usize, Option<&SecurityContext>)> {
    let init = spec.init_containers.iter().flatten().map(|it| it.security_context.as_ref());
    let main = spec.containers.iter().map(|it| it.security_context.as_ref());
    let later = spec.ephemeral_containers.iter().flatten().map(|it| it.security_context.as_ref());
    let named = |field: &'static str| move |(index, it)| (field, index, it);
    (init.enumerate().map(named("initContainers")))
        .chain(main.enumerate().map(named("containers")))
        .chain(later.enumerate().map(named("ephemeralContainers")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(spec: &Value) -> Vec<String> {
        let spec: PodSpec = serde_json::from_value(spec.clone()).expect("a spec");
        let mut report = Report::default();
        os(&mut report, &spec, spec.os.as_ref().map_or("", |it| &it.name), &At::root("spec"));
        host_processes(&mut report, &spec, &At::root("spec"));
        report.causes.into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect()
    }

    #[test]
    fn what_only_the_other_system_has_is_forbidden() {
        let container = json!({"name": "c", "securityContext": {"privileged": true, "runAsUser": 1}});
        assert_eq!(
            said(&json!({"os": {"name": "windows"}, "hostPID": true, "containers": [container]})),
            [
                "spec.hostPID: Forbidden: cannot be set for a windows pod",
                "spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod",
                "spec.containers[0].securityContext.runAsUser: Forbidden: cannot be set for a windows pod"
            ]
        );
        let options = json!({"windowsOptions": {"runAsUserName": "a"}});
        assert_eq!(
            said(&json!({"os": {"name": "linux"}, "securityContext": options, "containers": []})),
            ["spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod"]
        );
    }

    #[test]
    fn host_processes_are_alone_in_the_hosts_network() {
        let host = json!({"name": "a", "securityContext": {"windowsOptions": {"hostProcess": true}}});
        let spec = json!({"os": {"name": "windows"}, "containers": [host, {"name": "b"}]});
        assert_eq!(
            said(&spec),
            [
                "spec: Invalid value: \"\": If pod contains any hostProcess containers then all containers must be HostProcess containers",
                "spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers"
            ]
        );
    }

    #[test]
    fn user_names_are_read_as_windows_reads_them() {
        for (name, wrong) in [
            ("ContainerAdministrator", 0),
            ("NT AUTHORITY\\SYSTEM", 0),
            ("a\\b\\c", 1),
            ("...", 1),
            ("a@b", 1),
            ("", 1),
            ("d*\\user", 1),
        ] {
            assert_eq!(user_name(name).len(), wrong, "{name}");
        }
    }
}
