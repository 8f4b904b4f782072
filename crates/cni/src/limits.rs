//! What does an instance type allow?
//!
//! Only the default network card counts: a p5.48xlarge has 2 ENIs here, not 64. Cells that no source gives are `None`.
//! Source: `data/instance-types.csv`, joined from amazon-vpc-cni-k8s, amazon-vpc-resource-controller-k8s,
//! amazon-eks-ami, Karpenter and cluster-autoscaler tables of 2026; prices are us-east-1, on demand.

use std::sync::OnceLock;

/// Who runs the machine: prefix delegation needs `Nitro` or `Metal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hypervisor {
    /// AWS Nitro.
    Nitro,
    /// The older generation.
    Xen,
    /// No hypervisor.
    Metal,
}

/// One instance type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstanceType {
    /// Such as `t3.small`.
    pub name: &'static str,
    /// Virtual CPUs.
    pub vcpu: Option<u32>,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// `amd64` or `arm64`.
    pub arch: &'static str,
    /// ENIs of the default network card.
    pub enis: u32,
    /// IPv4 addresses per ENI, its own included.
    pub ipv4_per_eni: u32,
    /// Who runs the machine.
    pub hypervisor: Hypervisor,
    /// Branch ENIs for pods with security groups; `None` where no trunk ENI is possible.
    pub branch_enis: Option<u32>,
    /// GPUs.
    pub gpu: u32,
    /// Dollars an hour in us-east-1.
    pub price: Option<&'static str>,
}

impl InstanceType {
    /// Whether slots can hold /28 prefixes.
    #[must_use]
    pub fn prefix_capable(&self) -> bool {
        match self.hypervisor {
            Hypervisor::Nitro | Hypervisor::Metal => true,
            Hypervisor::Xen => false,
        }
    }
}

/// The type of that name.
#[must_use]
pub fn of(instance_type: &str) -> Option<&'static InstanceType> {
    let types = every();
    types.binary_search_by(|t| t.name.cmp(instance_type)).ok().map(|at| &types[at])
}

/// Every type, by name.
#[must_use]
pub fn every() -> &'static [InstanceType] {
    static TYPES: OnceLock<Vec<InstanceType>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let rows = include_str!("../data/instance-types.csv").lines().skip(1);
        let mut types: Vec<InstanceType> = rows.filter_map(read).collect();
        types.sort_unstable_by(|a, b| a.name.cmp(b.name));
        types
    })
}

fn read(row: &'static str) -> Option<InstanceType> {
    let mut cells = row.split(',');
    Some(InstanceType {
        name: cells.next()?,
        vcpu: cells.next()?.parse().ok(),
        memory_mib: cells.next()?.parse().ok(),
        arch: cells.next()?,
        enis: cells.next()?.parse().ok()?,
        ipv4_per_eni: cells.next()?.parse().ok()?,
        hypervisor: match cells.next()? {
            "nitro" => Hypervisor::Nitro,
            "metal" => Hypervisor::Metal,
            _ => Hypervisor::Xen,
        },
        branch_enis: cells.next()?.parse().ok(),
        gpu: cells.next()?.parse().unwrap_or(0),
        price: cells.next().filter(|price| !price.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        assert_eq!(every().len(), include_str!("../data/instance-types.csv").lines().count() - 1);
        assert_eq!(every().len(), 1392);
    }

    #[test]
    fn types_have_the_published_limits() {
        let small = of("t3.small").expect("a type");
        assert_eq!(
            (small.enis, small.ipv4_per_eni, small.vcpu, small.memory_mib),
            (3, 4, Some(2), Some(2048))
        );
        assert_eq!(of("t3.small").and_then(|t| t.branch_enis), None, "the t family takes no trunk");
        assert_eq!(of("m5.large").and_then(|t| t.branch_enis), Some(9));
        assert!(!of("t2.medium").expect("a type").prefix_capable());
        assert!(of("c5.metal").expect("a type").prefix_capable());
        assert!(of("t9.huge").is_none());
    }
}
