//! What does a new security group let out?

use api::kinds::aws::SecurityGroupRule;

/// Every address of IPv6.
pub(crate) const EVERY_IPV6: &str = "::/0";

/// The outbound rules of a new group: a VPC with an IPv6 block lets that out too.
/// Source: VPC user guide (security group rules: "If you associated an IPv6 CIDR block with your VPC").
pub(crate) fn everywhere(ipv6: bool) -> Vec<SecurityGroupRule> {
    let rule =
        |peer: &str| SecurityGroupRule { protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() };
    std::iter::once(rule("0.0.0.0/0")).chain(ipv6.then(|| rule(EVERY_IPV6))).collect()
}
