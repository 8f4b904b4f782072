//! Is a security context legal?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use super::{
    internal, name, os,
    report::{At, Report},
    volume::descending_path,
};
use crate::k8s::core::v1::{AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext};

/// A container's.
pub(super) fn of_container(report: &mut Report, context: &SecurityContext, host_users: bool, at: &At<'_>) {
    if let Some(user) = context.run_as_user {
        report.each_invalid(&at.field("runAsUser"), &user, name::user_or_group(user));
    }
    if let Some(group) = context.run_as_group {
        report.each_invalid(&at.field("runAsGroup"), &group, name::user_or_group(group));
    }
    if let Some(mount) = &context.proc_mount {
        let at = at.field("procMount");
        if !matches!(mount.as_str(), "Default" | "Unmasked") {
            report.not_supported(&at, mount, &["Default", "Unmasked"]);
        }
        if host_users && mount == "Unmasked" {
            report.invalid(&at, mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(report, context.seccomp_profile.as_ref(), &at.field("seccompProfile"));
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            let why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            report.invalid(at, &internal::security_context(context), why);
        }
        let added = context.capabilities.as_ref().and_then(|it| it.add.as_ref());
        for _ in added.into_iter().flatten().filter(|capability| *capability == "CAP_SYS_ADMIN") {
            let why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            report.invalid(at, &internal::security_context(context), why);
        }
    }
    os::windows_options(report, context.windows_options.as_ref(), &at.field("windowsOptions"));
    app_armor(report, context.app_armor_profile.as_ref(), &at.field("appArmorProfile"));
}

/// A pod's.
pub(super) fn of_pod(report: &mut Report, context: &PodSecurityContext, spec: &PodSpec, at: &At<'_>) {
    if let Some(group) = context.fs_group {
        report.each_invalid(&at.field("fsGroup"), &group, name::user_or_group(group));
    }
    if let Some(user) = context.run_as_user {
        report.each_invalid(&at.field("runAsUser"), &user, name::user_or_group(user));
    }
    if let Some(group) = context.run_as_group {
        report.each_invalid(&at.field("runAsGroup"), &group, name::user_or_group(group));
    }
    for (index, group) in context.supplemental_groups.iter().flatten().enumerate() {
        report.each_invalid(&at.field("supplementalGroups").index(index), group, name::user_or_group(*group));
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let why = "ShareProcessNamespace and HostPID cannot both be enabled";
        report.invalid(&at.field("shareProcessNamespace"), &true, why);
    }
    sysctls(report, context, &at.field("sysctls"));
    if let Some(policy) = &context.fs_group_change_policy
        && !matches!(policy.as_str(), "OnRootMismatch" | "Always")
    {
        report.not_supported(&at.field("fsGroupChangePolicy"), policy, &["Always", "OnRootMismatch"]);
    }
    seccomp(report, context.seccomp_profile.as_ref(), &at.field("seccompProfile"));
    os::windows_options(report, context.windows_options.as_ref(), &at.field("windowsOptions"));
    app_armor(report, context.app_armor_profile.as_ref(), &at.field("appArmorProfile"));
    if let Some(policy) = &context.supplemental_groups_policy
        && !matches!(policy.as_str(), "Merge" | "Strict")
    {
        report.not_supported(&at.field("supplementalGroupsPolicy"), policy, &["Merge", "Strict"]);
    }
    if let Some(policy) = &context.se_linux_change_policy
        && policy != "Recursive"
    {
        report.not_supported(&at.field("seLinuxChangePolicy"), policy, &["Recursive"]);
    }
}

fn sysctls(report: &mut Report, context: &PodSecurityContext, at: &At<'_>) {
    const WHY: &str = r"must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let segment = |part: &str| {
        part.bytes().next().is_some_and(inner)
            && part.bytes().last().is_some_and(inner)
            && part.bytes().all(|b| inner(b) || b == b'-' || b == b'_')
    };
    let mut seen = std::collections::BTreeSet::new();
    for (index, sysctl) in context.sysctls.iter().flatten().enumerate() {
        let at = at.index(index);
        let at = at.field("name");
        if sysctl.name.is_empty() {
            report.required(&at, "");
        } else if sysctl.name.len() > 253 || !sysctl.name.split(['.', '/']).all(segment) {
            report.invalid(&at, &sysctl.name, WHY);
        } else if !seen.insert(&sysctl.name) {
            report.duplicate(&at, &sysctl.name);
        }
    }
}

fn seccomp(report: &mut Report, profile: Option<&SeccompProfile>, at: &At<'_>) {
    let Some(profile) = profile else { return };
    match profile.type_.as_str() {
        "Localhost" | "RuntimeDefault" | "Unconfined" => {}
        "" => report.required(&at.field("type"), "type is required when seccompProfile is set"),
        other => {
            report.not_supported(&at.field("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]);
        }
    }
    match &profile.localhost_profile {
        None if profile.type_ == "Localhost" => {
            report.required(&at.field("localhostProfile"), "must be set when seccomp type is Localhost");
        }
        Some(path) if profile.type_ == "Localhost" => {
            descending_path(report, path, &at.field("localhostProfile"));
        }
        Some(path) => {
            let shown = format!("{{\"Type\":{:?},\"LocalhostProfile\":{path:?}}}", profile.type_);
            let why = "can only be set when seccomp type is Localhost";
            report.invalid(&at.field("localhostProfile"), &super::report::Written(shown), why);
        }
        None => {}
    }
}

fn app_armor(report: &mut Report, profile: Option<&AppArmorProfile>, at: &At<'_>) {
    let Some(profile) = profile else { return };
    let local = profile.localhost_profile.as_ref();
    match profile.type_.as_str() {
        "Localhost" => match local {
            None => {
                report.required(&at.field("localhostProfile"), "must be set when AppArmor type is Localhost");
            }
            Some(path) => {
                let at = at.field("localhostProfile");
                if path.trim() != path {
                    report.invalid(&at, path, "must not be padded with whitespace");
                } else if path.is_empty() {
                    report.required(&at, "must be set when AppArmor type is Localhost");
                }
                if path.len() > 4095 {
                    report.too_long(&at, 4095);
                }
            }
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(path) = local {
                let why = "can only be set when AppArmor type is Localhost";
                report.invalid(&at.field("localhostProfile"), path, why);
            }
        }
        "" => report.required(&at.field("type"), "type is required when appArmorProfile is set"),
        other => {
            report.not_supported(&at.field("type"), other, &["Localhost", "RuntimeDefault", "Unconfined"]);
        }
    }
}
