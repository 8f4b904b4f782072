//! Which family of addresses does a cluster ask for, and does eksctl let it?
//!
//! Source: eksctl `pkg/apis/eksctl.io/v1alpha5/validation.go`, `pkg/cfn/builder/nodegroup.go`.

use serde_json::Value;

use super::ClusterConfig;
use crate::FieldPath;

/// Source: eksctl `pkg/cfn/builder/nodegroup.go`.
const UNMANAGED_IPV6: &str = "unmanaged nodegroups are not supported with IPv6 clusters";

impl ClusterConfig {
    /// Whether pods and Services are to have IPv6 addresses.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        let family = self.kubernetes_network_config.ip_family.as_deref();
        family.is_some_and(|family| family.eq_ignore_ascii_case("IPv6"))
    }

    /// What eksctl objects to in the family of addresses: the first of its rules that is broken.
    /// Source: eksctl `v1alpha5/validation.go` (`validateKubernetesNetworkConfig`, `ValidateVPCConfig`), `pkg/cfn/builder/nodegroup.go`.
    pub(super) fn family_problem(&self) -> Option<(FieldPath, String)> {
        let network = &self.kubernetes_network_config;
        let at = |field: &str, message: String| Some((FieldPath::of(field), message));
        if !self.is_ipv6() {
            let family = network.ip_family.as_deref().unwrap_or_default();
            let known = family.is_empty() || family.eq_ignore_ascii_case("IPv4");
            let message = || format!("invalid value {family:?} for ipFamily; allowed are IPv4 and IPv6");
            let of_ipv6 = ["ipv6Cidr", "ipv6Pool"].iter().any(|field| self.vpc.other.contains_key(*field));
            return match (known, of_ipv6) {
                (false, _) => at("kubernetesNetworkConfig.ipFamily", message()),
                (true, true) => {
                    let why = "Ipv6Cidr and Ipv6CidrPool are only supported when IPFamily is set to IPv6";
                    at("vpc.ipv6Cidr", why.to_owned())
                }
                (true, false) => None,
            };
        }
        if network.service_ipv4_cidr.is_some() {
            let why = "service IPv4 CIDR is not supported with IPv6";
            return at("kubernetesNetworkConfig.serviceIPv4CIDR", why.to_owned());
        }
        let addon = |name: &str| self.addons.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        let auto_mode = self.other.get("autoModeConfig").is_some_and(|it| it["enabled"] == true);
        if !auto_mode {
            if addon("coredns").is_none() {
                let why = "the default core addons must be defined for IPv6; missing addon(s): coredns; either define them or use EKS Auto Mode";
                return at("addons", why.to_owned());
            }
            if let Some(cni) = addon("vpc-cni") {
                let agent = addon("eks-pod-identity-agent").is_some();
                if !agent && self.iam.with_oidc != Some(true) {
                    let why = "either pod identity or oidc needs to be enabled if IPv6 is set; set either one or use EKS Auto Mode";
                    return at("iam.withOIDC", why.to_owned());
                }
                let by_itself = self.addons_config.auto_apply_pod_identity_associations == Some(true)
                    || cni.other.get("useDefaultPodIdentityAssociations").is_some_and(|it| it == true)
                    || cni
                        .other
                        .get("podIdentityAssociations")
                        .is_some_and(|it| it != &Value::Array(Vec::new()));
                if agent && !by_itself {
                    let why = "Set one of: addonsConfig.autoApplyPodIdentityAssociations, useDefaultPodIdentityAssociations on the vpc-cni addon, apply a custom pod identity on the vpc-cni addon";
                    return at("addons", why.to_owned());
                }
            }
        }
        let numbers = |text: &str| -> Vec<u32> {
            let plain = text.trim_start_matches('v').split('-').next().unwrap_or_default();
            plain.split('.').filter_map(|part| part.parse().ok()).collect()
        };
        let cni =
            addon("vpc-cni").and_then(|it| it.version.as_deref()).filter(|it| !matches!(*it, "" | "latest"));
        if cni.is_some_and(|version| numbers(version) < vec![1, 10, 0]) {
            let why = "vpc-cni version must be at least version 1.10.0 for IPv6";
            return at("addons", why.to_owned());
        }
        if self.metadata.version.as_deref().is_some_and(|version| numbers(version) < vec![1, 21]) {
            return at("metadata.version", "cluster version must be >= 1.21".to_owned());
        }
        if self.vpc.other.get("autoAllocateIPv6").is_some_and(|it| it == true) {
            return at("vpc.autoAllocateIPv6", "auto allocate ipv6 is not supported with IPv6".to_owned());
        }
        if self.vpc.nat.gateway.is_some() {
            return at("vpc.nat", "setting NAT is not supported with IPv6".to_owned());
        }
        if self.other.contains_key("localZones") {
            return at("localZones", "localZones are not supported with IPv6".to_owned());
        }
        // MODEL: eksctl says so when it comes to the node group's own stack, after the cluster's.
        let unmanaged = !self.node_groups.is_empty();
        unmanaged.then(|| (FieldPath::of("nodeGroups"), UNMANAGED_IPV6.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};
    use crate::text;

    #[test]
    fn an_ipv6_cluster_needs_what_eksctl_asks_of_it() {
        let said = |more: &str| {
            let text = format!(
                "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: a, region: b, version: \"1.34\"}}\n\
                 kubernetesNetworkConfig: {{ipFamily: IPv6}}\n{more}"
            );
            let (_, found) = read(&text::read(&text).documents[0]);
            found.first().map(|it| it.message.clone())
        };
        let addons = "addons: [{name: vpc-cni}, {name: coredns}, {name: kube-proxy}]\n";
        let oidc = "iam: {withOIDC: true}\n";
        assert_eq!(said(&format!("{addons}{oidc}")), None);
        assert!(said(oidc).is_some_and(|it| it.contains("missing addon(s): coredns")));
        assert!(said(addons).is_some_and(|it| it.starts_with("either pod identity or oidc")));
        let nat = said(&format!("{addons}{oidc}vpc: {{nat: {{gateway: Single}}}}\n"));
        assert_eq!(nat.as_deref(), Some("setting NAT is not supported with IPv6"));
        let unmanaged = said(&format!("{addons}{oidc}nodeGroups: [{{name: x}}]\n"));
        assert_eq!(unmanaged.as_deref(), Some(UNMANAGED_IPV6));
    }
}
