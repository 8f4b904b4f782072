//! Which settings does aws-node refuse to start with?
//!
//! What its entry point says before it ends with code 1.
//! Source: amazon-vpc-cni-k8s `cmd/aws-vpc-cni/main.go` (`validateEnvVars`, `validateMTU`), v1.23.1.

use std::collections::BTreeMap;

use crate::WarmTargets;

/// The complaint, if there is one.
#[must_use]
pub fn refusal(env: &BTreeMap<String, String>) -> Option<String> {
    let text = |name: &str, unset: &'static str| env.get(name).map_or(unset, String::as_str).to_owned();
    let on = |name: &str| matches!(&*text(name, "false"), "1" | "t" | "T" | "true" | "True" | "TRUE");
    if text("AWS_VPC_K8S_PLUGIN_LOG_FILE", "") == "stdout" {
        return Some("AWS_VPC_K8S_PLUGIN_LOG_FILE cannot be set to stdout".to_owned());
    }
    let prefix = text("AWS_VPC_K8S_CNI_VETHPREFIX", "eni");
    if prefix.len() > 4 {
        return Some("AWS_VPC_K8S_CNI_VETHPREFIX cannot be longer than 4 characters".to_owned());
    }
    if ["eth", "lo", "vlan"].contains(&&*prefix) {
        let why = "AWS_VPC_K8S_CNI_VETHPREFIX cannot be set to reserved values 'eth', 'vlan', or 'lo'";
        return Some(why.to_owned());
    }
    let enforcing = text("POD_SECURITY_GROUP_ENFORCING_MODE", "strict");
    if on("ENABLE_POD_ENI") && !["strict", "standard"].contains(&&*enforcing) {
        let why = "POD_SECURITY_GROUP_ENFORCING_MODE must be set to either 'strict' or 'standard'";
        return Some(why.to_owned());
    }
    let cooldown = text("IP_COOLDOWN_PERIOD", "30");
    if cooldown.parse::<u32>().is_err() {
        return Some(format!("IP_COOLDOWN_PERIOD MUST be a valid positive integer. {cooldown} is invalid"));
    }
    let v6 = on("ENABLE_IPv6");
    if let Some(why) =
        ["AWS_VPC_ENI_MTU", "POD_MTU"].iter().find_map(|name| mtu(name, &text(name, "9001"), v6))
    {
        return Some(why);
    }
    // UPSTREAM: numbers are compared as text.
    let none = |name: &str| text(name, "0").as_str() <= "0";
    let targets = ["WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET"];
    (on("ENABLE_PREFIX_DELEGATION") && targets.iter().all(|name| none(name))).then(|| {
        "Setting WARM_PREFIX_TARGET = 0 is not supported while WARM_IP_TARGET/MINIMUM_IP_TARGET is not set. Please \
         configure either one of the WARM_{PREFIX/IP}_TARGET or MINIMUM_IP_TARGET env variables"
            .to_owned()
    })
}

/// Why ipamd ends at once with these targets, if it does.
/// Source: amazon-vpc-cni-k8s `pkg/ipamd/ipamd.go` (`isConfigValid`), v1.23.1.
#[must_use]
pub fn contradiction(targets: &WarmTargets, prefix_capable: bool, instance_type: &str) -> Option<String> {
    let why = match (targets.ipv4, targets.ipv6) {
        (true, true) => "IPv4 and IPv6 are both enabled. VPC CNI currently does not support dual stack mode",
        (false, false) => "IPv4 and IPv6 are both disabled. One of them have to be enabled",
        (false, true) if targets.custom_networking || !targets.prefix_delegation => {
            "IPv6 is supported only in Prefix Delegation mode. Custom Networking is not supported in IPv6 mode. Please set the env variables accordingly."
        }
        (false, true) if !prefix_capable => {
            return Some(format!(
                "Prefix Delegation is not supported on non-nitro instance {instance_type}. IPv6 is only supported in Prefix delegation Mode. "
            ));
        }
        (true, false) | (false, true) => return None,
    };
    Some(why.to_owned())
}

fn mtu(name: &str, value: &str, v6: bool) -> Option<String> {
    let (least, family) = if v6 { (1280, "IPv6") } else { (576, "IPv4") };
    match value.parse::<i64>() {
        Err(_) => Some(format!("{name} MUST be a valid integer. {value} is invalid")),
        Ok(mtu) if !(least..=9001).contains(&mtu) => Some(format!(
            "{name} cannot be less than {least} or greater than 9001 in {family}. {value} is invalid"
        )),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(env: &[(&str, &str)]) -> Option<String> {
        refusal(&env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_the_manifest_ships_is_accepted() {
        assert_eq!(
            said(&[("WARM_ENI_TARGET", "1"), ("WARM_PREFIX_TARGET", "1"), ("AWS_VPC_ENI_MTU", "9001")]),
            None
        );
        assert_eq!(said(&[("ENABLE_PREFIX_DELEGATION", "true"), ("WARM_PREFIX_TARGET", "1")]), None);
    }

    #[test]
    fn prefixes_without_any_target_are_refused() {
        let env = [("ENABLE_PREFIX_DELEGATION", "true"), ("WARM_PREFIX_TARGET", "0")];
        assert!(
            said(&env).is_some_and(|why| why.starts_with("Setting WARM_PREFIX_TARGET = 0 is not supported"))
        );
    }

    #[test]
    fn ipamd_serves_one_family_and_ipv6_by_prefixes_only() {
        let says = |env: &[(&str, &str)]| {
            let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            contradiction(&WarmTargets::from_env(&env), true, "m5.large")
        };
        assert_eq!(says(&[("ENABLE_IPv4", "true")]), None);
        assert!(
            says(&[("ENABLE_IPv4", "true"), ("ENABLE_IPv6", "true")])
                .is_some_and(|it| it.contains("dual stack"))
        );
        assert!(
            says(&[("ENABLE_IPv6", "true")]).is_some_and(|it| it.contains("only in Prefix Delegation mode"))
        );
        assert_eq!(says(&[("ENABLE_IPv6", "true"), ("ENABLE_PREFIX_DELEGATION", "true")]), None);
    }

    #[test]
    fn values_that_cannot_be_read_are_named() {
        let ip = Some("IP_COOLDOWN_PERIOD MUST be a valid positive integer. -1 is invalid".to_owned());
        assert_eq!(said(&[("IP_COOLDOWN_PERIOD", "-1")]), ip);
        let mtu =
            Some("AWS_VPC_ENI_MTU cannot be less than 576 or greater than 9001 in IPv4. 9002 is invalid");
        assert_eq!(said(&[("AWS_VPC_ENI_MTU", "9002")]).as_deref(), mtu);
    }
}
