//! How do network ACLs come, and which one guards a subnet?
//!
//! Source: the VPC user guide (network ACLs), the Amazon EC2 API reference (`CreateNetworkAclEntry`).
//! MODEL: rules for IPv4 only; types of ICMP are not told apart.

use api::{
    Resource,
    kinds::aws::{NetworkAcl, NetworkAclEntry, Subnet},
    meta::ObjectMeta,
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::{ClusterId, Store, Turn, cloud::id};

/// The ACL with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s NetworkAcl> {
    store.get(ClusterId::WORLD, "", name)
}

/// The ACL at the border of a subnet: its own, or its VPC's default one.
#[must_use]
pub fn of_subnet<'s>(store: &'s Store, subnet: &Subnet) -> Option<&'s NetworkAcl> {
    match &subnet.network_acl {
        Some(name) => get(store, name),
        None => {
            store.list::<NetworkAcl>(ClusterId::WORLD, None).find(|it| it.is_default && it.vpc == subnet.vpc)
        }
    }
}

/// The rules of a default ACL: everything passes in both directions, by one rule for each family of the VPC.
/// Source: VPC user guide (default network ACL: rules 100 and, of a VPC with an IPv6 block, 101).
fn all(ipv6: bool) -> Vec<NetworkAclEntry> {
    let entry = |number, cidr, egress| NetworkAclEntry {
        number,
        egress,
        protocol: "-1".to_owned(),
        ports: None,
        cidr,
        allow: true,
    };
    let families = [(100, IpNet::V4(Ipv4Net::default())), (101, IpNet::V6(Ipv6Net::default()))];
    let families = families.into_iter().take(if ipv6 { 2 } else { 1 });
    families.flat_map(|(number, cidr)| [false, true].map(|egress| entry(number, cidr, egress))).collect()
}

/// Whether it is a default ACL as it came: then it decides nothing.
#[must_use]
pub fn is_pristine(acl: &NetworkAcl) -> bool {
    acl.is_default && [false, true].iter().any(|ipv6| acl.entries == all(*ipv6))
}

/// Makes the default ACL of a VPC.
pub(crate) fn put_default(turn: &mut Turn<'_>, vpc: &str, ipv6: bool) {
    let name = id(turn, "acl", vpc, 0);
    let acl = NetworkAcl {
        metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() },
        vpc: vpc.to_owned(),
        is_default: true,
        entries: all(ipv6),
    };
    turn.put(acl.into_object());
}
