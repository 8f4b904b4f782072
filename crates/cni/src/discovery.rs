//! In which subnet does ipamd try to create an ENI?
//!
//! Source: amazon-vpc-cni-k8s `pkg/awsutils/awsutils.go` (`createENI`, `isSubnetValidForENICreation`), with
//! `ENABLE_SUBNET_DISCOVERY=true`.

use std::collections::BTreeMap;

/// A subnet of the node's VPC and zone, as DescribeSubnets shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Free addresses.
    pub free: u32,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// No subnet may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no valid subnets available for ENI creation - all subnets are either not tagged or tagged with kubernetes.io/role/cni=0"
)]
pub struct NoSubnet;

/// The subnets to try, in order: most free addresses first.
///
/// `cluster` is `CLUSTER_NAME`; empty means that cluster tags are not looked at.
/// # Errors
/// [`NoSubnet`].
pub fn order(candidates: &[Candidate], node_subnet: &str, cluster: &str) -> Result<Vec<String>, NoSubnet> {
    let mut fit: Vec<&Candidate> = candidates.iter().filter(|c| is_valid(c, node_subnet, cluster)).collect();
    fit.sort_by_key(|c| std::cmp::Reverse(c.free));
    if fit.is_empty() { Err(NoSubnet) } else { Ok(fit.into_iter().map(|c| c.id.clone()).collect()) }
}

fn is_valid(subnet: &Candidate, node_subnet: &str, cluster: &str) -> bool {
    const CLUSTER_TAG: &str = "kubernetes.io/cluster/";
    match subnet.tags.get("kubernetes.io/role/cni").map(String::as_str) {
        Some("0") => false,
        None => subnet.id == node_subnet,
        Some(_) => {
            let mut clusters = subnet.tags.keys().filter_map(|key| key.strip_prefix(CLUSTER_TAG)).peekable();
            cluster.is_empty() || clusters.peek().is_none() || clusters.any(|name| name == cluster)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_untagged_subnet_serves_only_its_own_nodes() {
        let plain = |id: &str, free| Candidate { id: id.to_owned(), free, tags: BTreeMap::new() };
        let two = [plain("a", 5), plain("b", 50)];
        assert_eq!(order(&two, "a", "lab"), Ok(vec!["a".to_owned()]));
        assert_eq!(order(&two, "c", "lab"), Err(NoSubnet));
    }
}
