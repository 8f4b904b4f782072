//! How is a VPC's block cut into subnets?
//!
//! Source: eksctl `pkg/vpc/vpc.go` ([`eksctl`]); the arithmetic of CIDR blocks ([`equal`]).

use ipnet::{Ipv4Net, Ipv6Net};

/// Why a block cannot be cut so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// eksctl takes /16 to /24.
    #[error("VPC CIDR prefix must be between /16 and /24")]
    EksctlPrefix,
    /// eksctl cuts at most 16.
    #[error("cannot create more than 16 subnets, {0} requested")]
    TooMany(u32),
    /// A VPC is /16 to /28.
    #[error("VPC CIDR must be between /16 and /28")]
    VpcPrefix,
    /// A subnet is /28 at least.
    #[error("subnets would be smaller than /28")]
    TooSmall,
}

/// What eksctl makes of a VPC: one public and one private subnet a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EksctlSplit {
    /// One a zone.
    pub public: Vec<Ipv4Net>,
    /// One a zone.
    pub private: Vec<Ipv4Net>,
    /// What stays.
    pub unused: Vec<Ipv4Net>,
}

/// Public subnets first, then private ones: eighths of the VPC up to four zones, sixteenths up to eight.
/// # Errors
/// In eksctl's words.
pub fn eksctl(vpc: Ipv4Net, zones: u32) -> Result<EksctlSplit, SplitError> {
    if !(16..=24).contains(&vpc.prefix_len()) {
        return Err(SplitError::EksctlPrefix);
    }
    let wanted = zones.saturating_mul(2);
    let more = match wanted {
        0..=8 => 3,
        9..=16 => 4,
        _ => return Err(SplitError::TooMany(wanted)),
    };
    let zones = zones as usize;
    let mut parts = parts(vpc, vpc.prefix_len() + more);
    let mut unused = parts.split_off(zones * 2);
    if zones == 1 {
        // UPSTREAM: with one zone eksctl names no subnet as left over.
        unused.clear();
    }
    let private = parts.split_off(zones);
    Ok(EksctlSplit { public: parts, private, unused })
}

/// `n` equal subnets and how many of the same size are left.
/// # Errors
/// If the VPC or the subnets would have a size that EC2 refuses.
pub fn equal(vpc: Ipv4Net, n: u32) -> Result<(Vec<Ipv4Net>, u32), SplitError> {
    if !(16..=28).contains(&vpc.prefix_len()) {
        return Err(SplitError::VpcPrefix);
    }
    let parts_wanted = n.max(1).checked_next_power_of_two().ok_or(SplitError::TooSmall)?;
    let prefix = u32::from(vpc.prefix_len()) + parts_wanted.trailing_zeros();
    let prefix = u8::try_from(prefix).ok().filter(|p| *p <= 28).ok_or(SplitError::TooSmall)?;
    let mut subnets = parts(vpc, prefix);
    let unallocated = parts_wanted - n;
    subnets.truncate(n as usize);
    Ok((subnets, unallocated))
}

/// The first `n` /64 of a VPC's /56, as CloudFormation's `Fn::Cidr` cuts them. Source: eksctl `pkg/cfn/builder/vpc.go`.
#[must_use]
pub fn ipv6(vpc: Ipv6Net, n: usize) -> Vec<Ipv6Net> {
    vpc.trunc().subnets(64).map(|all| all.take(n).collect()).unwrap_or_default()
}

fn parts(vpc: Ipv4Net, prefix: u8) -> Vec<Ipv4Net> {
    vpc.trunc().subnets(prefix).map(Iterator::collect).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().expect("a block")
    }

    #[test]
    fn three_zones_of_a_16_get_19s() {
        let split = eksctl(net("192.168.0.0/16"), 3).expect("a split");
        assert_eq!(split.public, [net("192.168.0.0/19"), net("192.168.32.0/19"), net("192.168.64.0/19")]);
        assert_eq!(split.private, [net("192.168.96.0/19"), net("192.168.128.0/19"), net("192.168.160.0/19")]);
        assert_eq!(split.unused, [net("192.168.192.0/19"), net("192.168.224.0/19")]);
    }

    #[test]
    fn five_subnets_leave_three() {
        let (subnets, left) = equal(net("10.0.0.0/24"), 5).expect("a split");
        assert_eq!((subnets.len(), subnets[0].prefix_len(), left), (5, 27, 3));
    }
}
