//! Which releases of the EKS-optimised image are there?
//!
//! A release is named after the kubelet in it and the day it was built: `1.34.2-20251120`. The lab's newest is that of late 2025.
//! Source: awslabs/amazon-eks-ami, `CHANGELOG.md` (AL2023 releases v20251029 to v20251120).
//! MODEL: the system around the kubelet is the same in each.

use api::kinds::eksctl::DEFAULT_AMI_FAMILY;

/// The days of builds, newest first.
const BUILDS: [&str; 4] = ["20251120", "20251112", "20251108", "20251029"];

/// The patch of a minor in a build.
fn patch(minor: &str, build: &str) -> u32 {
    match minor {
        "1.31" => 13,
        "1.32" => 9,
        "1.33" => 5,
        "1.34" if build == "20251120" => 2,
        "1.34" => 1,
        _ => 0,
    }
}

/// Every release of a minor, newest first.
pub(crate) fn of_minor(minor: &str) -> Vec<String> {
    BUILDS.iter().map(|build| format!("{minor}.{}-{build}", patch(minor, build))).collect()
}

/// The newest release of a minor.
pub(crate) fn latest(minor: &str) -> String {
    of_minor(minor).into_iter().next().unwrap_or_default()
}

/// The id of the image of a family and a release. MODEL: ids differ between regions and architectures; here there is one each.
pub(crate) fn image_id(family: &str, release: &str) -> String {
    let seen = if family == DEFAULT_AMI_FAMILY { release.to_owned() } else { format!("{family} {release}") };
    format!("ami-0{}", crate::draw::hex(0, "ami", &seen, 0, 16))
}

/// The minor of a release: `1.34`.
pub(crate) fn minor_of(release: &str) -> String {
    let numbers = release.trim_start_matches('v').split('-').next().unwrap_or_default();
    numbers.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The kubelet's version in a release: `v1.34.2-eks-ecaa3a6`.
/// Source: nodes of late 2025 as `kubectl get nodes` shows them (1.34.2: `eks-ecaa3a6`; 1.34.1 and 1.33.5: `eks-113cf36`, the latter
/// built again later). MODEL: of the other patches no node is recorded; the API server's own build has another suffix.
pub(crate) fn kubelet(release: &str) -> String {
    let number = release.split('-').next().unwrap_or_default();
    let build = match number {
        "1.31.13" | "1.32.9" | "1.33.5" | "1.34.1" => "eks-113cf36",
        _ => "eks-ecaa3a6",
    };
    format!("v{number}-{build}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_named_after_its_kubelet_and_its_day() {
        assert_eq!(latest("1.34"), "1.34.2-20251120");
        assert!(of_minor("1.34").contains(&"1.34.1-20251112".to_owned()));
        assert_eq!(minor_of("1.34.1-20251112"), "1.34");
        assert_eq!(kubelet("1.34.2-20251120"), "v1.34.2-eks-ecaa3a6");
        assert_eq!(kubelet(&latest("1.33")), "v1.33.5-eks-113cf36");
        assert_eq!(kubelet(&latest("1.35")), "v1.35.0-eks-ecaa3a6");
    }
}
