//! What does the restricted standard forbid beyond the baseline?
//!
//! Whatever current hardening practice does without. One function for each revision of a check; the words are upstream's.
//! Source: `k8s.io/pod-security-admission`, `policy/check_*.go`.

use std::collections::BTreeSet;

use api::k8s::core::v1::Volume;

use super::{
    baseline::is_valid_seccomp,
    check::{Subject, Violation, containers, plural, quoted, setters},
};

type Verdict = Option<Violation>;

/// The pods of Windows nodes have none of these fields to set.
fn unless_windows(subject: &Subject<'_>, check: fn(&Subject<'_>) -> Verdict) -> Verdict {
    if subject.is_windows() { None } else { check(subject) }
}

fn unless_own_users(subject: &Subject<'_>, check: fn(&Subject<'_>) -> Verdict) -> Verdict {
    if subject.has_own_users() { None } else { check(subject) }
}

pub(super) fn escalation(subject: &Subject<'_>) -> Verdict {
    let bad = subject
        .parts()
        .filter(|part| part.security.and_then(|it| it.allow_privilege_escalation) != Some(false));
    let bad: Vec<&str> = bad.map(|part| part.name).collect();
    let detail = || format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&bad));
    (!bad.is_empty()).then(|| Violation::new("allowPrivilegeEscalation != false", detail()))
}

pub(super) fn escalation_25(subject: &Subject<'_>) -> Verdict {
    unless_windows(subject, escalation)
}

pub(super) fn capabilities(subject: &Subject<'_>) -> Verdict {
    let (mut keeping, mut adding, mut added) = (Vec::new(), Vec::new(), BTreeSet::new());
    for part in subject.parts() {
        let capabilities = part.security.and_then(|it| it.capabilities.as_ref());
        if !capabilities.and_then(|it| it.drop.as_ref()).is_some_and(|drop| drop.iter().any(|c| c == "ALL")) {
            keeping.push(part.name);
        }
        let add = capabilities.and_then(|it| it.add.as_ref()).into_iter().flatten();
        let wrong: Vec<&str> = add.map(String::as_str).filter(|c| *c != "NET_BIND_SERVICE").collect();
        if !wrong.is_empty() {
            adding.push(part.name);
            added.extend(wrong);
        }
    }
    let mut details = Vec::new();
    if !keeping.is_empty() {
        details
            .push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&keeping)));
    }
    if !adding.is_empty() {
        let added: Vec<&str> = added.into_iter().collect();
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            containers(&adding),
            quoted(&added)
        ));
    }
    (!details.is_empty()).then(|| Violation::new("unrestricted capabilities", details.join("; ")))
}

pub(super) fn capabilities_25(subject: &Subject<'_>) -> Verdict {
    unless_windows(subject, capabilities)
}

/// The type of a volume that the standard does not know to be harmless.
fn restricted_type(volume: &Volume) -> Option<&'static str> {
    let is_harmless = volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.image.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some();
    if is_harmless {
        return None;
    }
    let types = [
        ("hostPath", volume.host_path.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("fc", volume.fc.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("storageos", volume.storageos.is_some()),
    ];
    Some(types.into_iter().find(|(_, is_there)| *is_there).map_or("unknown", |(name, _)| name))
}

pub(super) fn volumes(subject: &Subject<'_>) -> Verdict {
    let (mut bad, mut types) = (Vec::new(), BTreeSet::new());
    for volume in subject.spec.volumes.iter().flatten() {
        if let Some(type_) = restricted_type(volume) {
            bad.push(volume.name.as_str());
            types.insert(type_);
        }
    }
    let types: Vec<&str> = types.into_iter().collect();
    let detail = || {
        format!(
            "{} {} {} {} {}",
            plural("volume", "volumes", bad.len()),
            quoted(&bad),
            plural("uses", "use", bad.len()),
            plural("restricted volume type", "restricted volume types", types.len()),
            quoted(&types)
        )
    };
    (!bad.is_empty()).then(|| Violation::new("restricted volume types", detail()))
}

pub(super) fn non_root(subject: &Subject<'_>) -> Verdict {
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.run_as_non_root);
    let (mut saying_no, mut silent) = (Vec::new(), Vec::new());
    for part in subject.parts() {
        match part.security.and_then(|it| it.run_as_non_root) {
            Some(false) => saying_no.push(part.name),
            None if pod != Some(true) => silent.push(part.name),
            Some(true) | None => {}
        }
    }
    let detail = match setters(pod == Some(false), &saying_no) {
        Some(who) => format!("{who} must not set securityContext.runAsNonRoot=false"),
        None if silent.is_empty() => return None,
        None => format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&silent)),
    };
    Some(Violation::new("runAsNonRoot != true", detail))
}

pub(super) fn non_root_of_host_users(subject: &Subject<'_>) -> Verdict {
    unless_own_users(subject, non_root)
}

pub(super) fn user(subject: &Subject<'_>) -> Verdict {
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.run_as_user) == Some(0);
    let bad = subject.parts().filter(|part| part.security.and_then(|it| it.run_as_user) == Some(0));
    let bad: Vec<&str> = bad.map(|part| part.name).collect();
    let who = setters(pod, &bad)?;
    Some(Violation::new("runAsUser=0", format!("{who} must not set runAsUser=0")))
}

pub(super) fn user_of_host_users(subject: &Subject<'_>) -> Verdict {
    unless_own_users(subject, user)
}

pub(super) fn seccomp(subject: &Subject<'_>) -> Verdict {
    let pod = subject.spec.security_context.as_ref().and_then(|it| it.seccomp_profile.as_ref());
    let pod = pod.map(|profile| profile.type_.as_str());
    let mut values: BTreeSet<&str> = pod.into_iter().filter(|type_| !is_valid_seccomp(type_)).collect();
    let is_pod_wrong = !values.is_empty();
    let is_pod_right = pod.is_some() && !is_pod_wrong;
    let (mut wrong, mut silent) = (Vec::new(), Vec::new());
    for part in subject.parts() {
        match part.security.and_then(|it| it.seccomp_profile.as_ref()) {
            Some(profile) if !is_valid_seccomp(&profile.type_) => {
                wrong.push(part.name);
                values.insert(&profile.type_);
            }
            None if !is_pod_right => silent.push(part.name),
            Some(_) | None => {}
        }
    }
    let values: Vec<&str> = values.into_iter().collect();
    let detail = match setters(is_pod_wrong, &wrong) {
        Some(who) => {
            format!("{who} must not set securityContext.seccompProfile.type to {}", quoted(&values))
        }
        None if silent.is_empty() => return None,
        None => format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            containers(&silent)
        ),
    };
    Some(Violation::new("seccompProfile", detail))
}

pub(super) fn seccomp_25(subject: &Subject<'_>) -> Verdict {
    unless_windows(subject, seccomp)
}
