//! Which families of machine images does eksctl know?
//!
//! Source: eksctl `pkg/apis/eksctl.io/v1alpha5/types.go` (`SupportedAMIFamilies`), `defaults.go`, `validation.go`.

use super::NodeGroup;

/// The family of a group that names none.
pub const DEFAULT_AMI_FAMILY: &str = "AmazonLinux2023";

/// Every family, in eksctl's order.
const AMI_FAMILIES: [&str; 18] = [
    DEFAULT_AMI_FAMILY,
    "AmazonLinux2",
    "UbuntuPro2604",
    "Ubuntu2604",
    "UbuntuPro2404",
    "Ubuntu2404",
    "UbuntuPro2204",
    "Ubuntu2204",
    "UbuntuPro2004",
    "Ubuntu2004",
    "Bottlerocket",
    "BottlerocketFips",
    "WindowsServer2019CoreContainer",
    "WindowsServer2019FullContainer",
    "WindowsServer2022CoreContainer",
    "WindowsServer2022FullContainer",
    "WindowsServer2025CoreContainer",
    "WindowsServer2025FullContainer",
];

/// Families that eksctl knew once.
const DEPRECATED: [&str; 2] = ["WindowsServer20H2CoreContainer", "WindowsServer2004CoreContainer"];

impl NodeGroup {
    /// Its family of images, as eksctl spells it whatever the case of its letters.
    #[must_use]
    pub fn family(&self) -> &str {
        let given = self.ami_family.as_deref().filter(|it| !it.is_empty()).unwrap_or(DEFAULT_AMI_FAMILY);
        AMI_FAMILIES.into_iter().find(|it| it.eq_ignore_ascii_case(given)).unwrap_or(given)
    }

    /// What eksctl objects to about its image; `path` is where the group stands.
    pub(super) fn image_problem(&self, path: &str, version: Option<&str>) -> Option<String> {
        let family = self.family();
        if DEPRECATED.contains(&family) {
            let more = "For more information, head to the Amazon documentation on Windows AMIs (https://docs.aws.amazon.com/eks/latest/userguide/eks-optimized-windows-ami.html)";
            return Some(format!("AMI Family {family} is deprecated. {more}"));
        }
        if !AMI_FAMILIES.contains(&family) {
            let all = AMI_FAMILIES.join(", ");
            return Some(format!("AMI Family {family} is not supported - use one of: {all}"));
        }
        if self.ami.as_deref().is_some_and(|it| it.starts_with("ami-")) {
            if self.ami_family.is_none() {
                return Some("when using a custom AMI, amiFamily needs to be explicitly set via config file or via --node-ami-family flag".to_owned());
            }
            let boots = family == DEFAULT_AMI_FAMILY || is_of(family, &["Bottlerocket", "WindowsServer"]);
            if !boots && !self.other.contains_key("overrideBootstrapCommand") {
                return Some(format!(
                    "{path}.overrideBootstrapCommand is required when using a custom AMI based on {family} ({path}.ami)"
                ));
            }
        }
        let minor = version.and_then(|it| it.split('.').nth(1)).and_then(|it| it.parse::<u32>().ok());
        // AWS builds no images of Amazon Linux 2 for 1.33 and later.
        let gone = family == "AmazonLinux2" && minor.is_some_and(|minor| minor >= 33);
        gone.then(|| {
            format!("AmazonLinux2 is not supported for Kubernetes version {}", version.unwrap_or_default())
        })
    }
}

/// Whether the name of a family begins with one of these words.
fn is_of(family: &str, words: &[&str]) -> bool {
    words.iter().any(|word| family.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_known_whatever_the_case_of_its_letters() {
        let group = |family: &str| NodeGroup { ami_family: Some(family.to_owned()), ..NodeGroup::default() };
        assert_eq!(NodeGroup::default().family(), "AmazonLinux2023");
        assert_eq!(group("bottlerocket").family(), "Bottlerocket");
        assert_eq!(group("bottlerocket").image_problem("nodeGroups[0]", Some("1.34")), None);
        let unknown = group("Debian").image_problem("nodeGroups[0]", None).unwrap_or_default();
        assert!(unknown.starts_with("AMI Family Debian is not supported - use one of: AmazonLinux2023, "));
        let old = group("AmazonLinux2");
        assert_eq!(old.image_problem("nodeGroups[0]", Some("1.32")), None);
        let too_old = old.image_problem("nodeGroups[0]", Some("1.33"));
        assert_eq!(too_old.as_deref(), Some("AmazonLinux2 is not supported for Kubernetes version 1.33"));
    }
}
