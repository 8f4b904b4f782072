//! What does a machine image bring to a node?
//!
//! Its type in EKS's words, the name of its system, its file system, and how its bootstrap reserves memory.
//! Source: eksctl `pkg/apis/eksctl.io/v1alpha5/amitype.go`; amazon-eks-ami `CHANGELOG.md` (v20251120), nodeadm's
//! `internal/kubelet/config.go` and the `bootstrap.sh` of Amazon Linux 2; bottlerocket `schnauzer` (`kube_reserve_memory`).
//! MODEL: of one family every release has the same system; Windows nodes are not simulated.

use api::kinds::{eks::Nodegroup, eksctl::DEFAULT_AMI_FAMILY};

/// GiB of a node group's disk that EKS makes where nothing is said. Source: EKS API reference (`CreateNodegroup`: `diskSize`).
pub(crate) const EKS_DISK_GIB: u32 = 20;
/// GiB of one that eksctl makes. Source: eksctl, `DefaultNodeVolumeSize`.
pub(crate) const EKSCTL_DISK_GIB: u32 = 80;

/// What a node tells of its system.
pub(crate) struct System {
    pub os_image: String,
    pub kernel: String,
    pub runtime: &'static str,
}

/// The columns of eksctl's table: for x86 and arm64 each a plain one, one for NVIDIA GPUs, one for Neuron.
type Types = [&'static str; 6];

const TYPES: [(&str, Types); 4] = [
    (
        DEFAULT_AMI_FAMILY,
        [
            "AL2023_x86_64_STANDARD",
            "AL2023_x86_64_NVIDIA",
            "AL2023_x86_64_NEURON",
            "AL2023_ARM_64_STANDARD",
            "AL2023_ARM_64_NVIDIA",
            "",
        ],
    ),
    ("AmazonLinux2", ["AL2_x86_64", "AL2_x86_64_GPU", "AL2_x86_64_GPU", "AL2_ARM_64", "", ""]),
    (
        "Bottlerocket",
        [
            "BOTTLEROCKET_x86_64",
            "BOTTLEROCKET_x86_64_NVIDIA",
            "BOTTLEROCKET_x86_64",
            "BOTTLEROCKET_ARM_64",
            "BOTTLEROCKET_ARM_64_NVIDIA",
            "BOTTLEROCKET_ARM_64",
        ],
    ),
    (
        "BottlerocketFips",
        [
            "BOTTLEROCKET_x86_64_FIPS",
            "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
            "BOTTLEROCKET_x86_64_FIPS",
            "BOTTLEROCKET_ARM_64_FIPS",
            "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
            "BOTTLEROCKET_ARM_64_FIPS",
        ],
    ),
];

/// The type of the images of a family for an instance type; `CUSTOM` where EKS builds none.
pub(crate) fn ami_type(family: &str, instance_type: &str) -> &'static str {
    let Some((_, types)) = TYPES.iter().find(|(name, _)| *name == family) else { return "CUSTOM" };
    let arm = usize::from(is_arm(instance_type)) * 3;
    let special = match () {
        () if is_nvidia(instance_type) => types[arm + 1],
        () if ["inf", "trn"].iter().any(|it| instance_type.starts_with(it)) => types[arm + 2],
        () => "",
    };
    if special.is_empty() { types[arm] } else { special }
}

/// The family whose images have a type; nothing of a type that there is not.
pub(crate) fn family_of(ami_type: &str) -> Option<&'static str> {
    TYPES.iter().find(|(_, types)| types.contains(&ami_type)).map(|(name, _)| *name)
}

fn is_arm(instance_type: &str) -> bool {
    cni::limits::of(instance_type).is_some_and(|of| of.arch == "arm64")
}

/// Source: eksctl `pkg/utils/instance`: the families of EC2 with NVIDIA GPUs; those of g4ad are AMD's.
fn is_nvidia(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let numbered = |letter: char| {
        family.strip_prefix(letter).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    (numbered('p') || numbered('g')) && family != "g4ad"
}

/// What a node of a family says of its system.
/// MODEL: of Ubuntu and of Bottlerocket's kernel one build each, of late 2025.
pub(crate) fn system(family: &str, minor: &str, arch: &str) -> System {
    let machine = if arch == "arm64" { "aarch64" } else { "x86_64" };
    let (os_image, kernel, runtime) = match family {
        "AmazonLinux2" => {
            ("Amazon Linux 2".to_owned(), format!("5.10.245-241.978.amzn2.{machine}"), "containerd://1.7.29")
        }
        name if name.starts_with("Bottlerocket") => {
            let fips = if name.ends_with("Fips") { "-fips" } else { "" };
            let os = format!("Bottlerocket OS {BOTTLEROCKET} (aws-k8s-{minor}{fips})");
            (os, "6.12.40".to_owned(), "containerd://2.1.4+bottlerocket")
        }
        name if name.starts_with("Ubuntu") => {
            let (os, kernel) = match name.trim_start_matches("UbuntuPro").trim_start_matches("Ubuntu") {
                "2004" => ("Ubuntu 20.04.6 LTS", "5.15.0-1084-aws"),
                "2204" => ("Ubuntu 22.04.5 LTS", "6.8.0-1040-aws"),
                "2404" => ("Ubuntu 24.04.3 LTS", "6.14.0-1015-aws"),
                _ => ("Ubuntu 26.04 LTS", "7.0.0-1001-aws"),
            };
            (os.to_owned(), kernel.to_owned(), "containerd://1.7.28")
        }
        _ => (
            "Amazon Linux 2023.9.20251117".to_owned(),
            format!("6.12.55-74.119.amzn2023.{machine}"),
            "containerd://2.1.4",
        ),
    };
    System { os_image, kernel, runtime }
}

/// The release of Bottlerocket that nodes run. Source: bottlerocket-os/bottlerocket#4663 (October 2025).
const BOTTLEROCKET: &str = "1.49.0";

/// KiB of the file system that a disk of so many GiB gives the kubelet.
///
/// XFS of Amazon Linux: what is short of the disk is the same for 20 and 80 GiB. XFS of Bottlerocket's data volume: a log of 64 MiB at
/// least, a 2048th of it. Source: recorded nodes (20 GiB: `20959212Ki`, 80 GiB: `83873772Ki`; Bottlerocket, 20 GiB: `20414Mi`).
/// MODEL: ext4 of Ubuntu takes a thirtieth.
pub(crate) fn file_system_ki(family: &str, gib: u32) -> i64 {
    const SHORT_KI: i64 = 12_308;
    let disk = i64::from(gib) << 20;
    match family {
        name if name.starts_with("Bottlerocket") => disk - (disk / 2048).max(64 << 10) - (2 << 10),
        name if name.starts_with("Ubuntu") => disk - disk / 30,
        _ => disk - SHORT_KI,
    }
}

/// Whether the memory that is kept for the system follows the kubelet's own limit of pods, not that of the instance type's table.
/// Bottlerocket knows one setting only.
pub(crate) fn reserves_for_its_limit(family: &str) -> bool {
    family.starts_with("Bottlerocket")
}

/// A release as EKS names it: a group of Bottlerocket shows the system's own, one of an image that EKS did not build its id.
/// MODEL: the commit in Bottlerocket's name is drawn, and one version stands for each day's build.
pub(crate) fn release(ami_type: &str, family: &str, release: &str) -> String {
    match ami_type {
        "CUSTOM" => super::release::image_id(family, release),
        name if name.starts_with("BOTTLEROCKET") => {
            format!("{BOTTLEROCKET}-{}", crate::draw::hex(0, "bottlerocket", release, 0, 8))
        }
        _ => release.to_owned(),
    }
}

/// The release that the nodes of a group get, as EKS names it.
#[must_use]
pub fn release_of(group: &Nodegroup) -> String {
    release(&group.ami_type, &group.ami_family, &group.image_release)
}

/// The image that the nodes of a group get.
#[must_use]
pub fn image_of(group: &Nodegroup) -> String {
    super::release::image_id(&group.ami_family, &group.image_release)
}

/// The newest image of a family for a minor.
#[must_use]
pub fn newest_image(family: &str, minor: &str) -> String {
    super::release::image_id(family, &super::release::latest(minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_an_image_follows_family_and_machine() {
        for (family, machine, wanted) in [
            (DEFAULT_AMI_FAMILY, "m5.large", "AL2023_x86_64_STANDARD"),
            (DEFAULT_AMI_FAMILY, "m7g.large", "AL2023_ARM_64_STANDARD"),
            (DEFAULT_AMI_FAMILY, "g5.xlarge", "AL2023_x86_64_NVIDIA"),
            (DEFAULT_AMI_FAMILY, "inf2.xlarge", "AL2023_x86_64_NEURON"),
            ("AmazonLinux2", "g4ad.xlarge", "AL2_x86_64"),
            ("Bottlerocket", "p4d.24xlarge", "BOTTLEROCKET_x86_64_NVIDIA"),
            ("Ubuntu2204", "m5.large", "CUSTOM"),
        ] {
            assert_eq!(ami_type(family, machine), wanted, "{family} {machine}");
        }
        assert_eq!(family_of("BOTTLEROCKET_ARM_64"), Some("Bottlerocket"));
        assert_eq!(family_of("DOS"), None);
    }

    #[test]
    fn file_systems_are_those_of_recorded_nodes() {
        assert_eq!(file_system_ki(DEFAULT_AMI_FAMILY, 80), 83_873_772);
        assert_eq!(file_system_ki(DEFAULT_AMI_FAMILY, 20), 20_959_212);
        assert_eq!(file_system_ki("Bottlerocket", 20), 20_414 << 10);
    }
}
