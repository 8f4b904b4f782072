//! How do network ACLs come, and which one guards a subnet?
//!
//! Source: the VPC user guide (network ACLs), the Amazon EC2 API reference (`CreateNetworkAclEntry`).
//! MODEL: rules for IPv4 only; types of ICMP are not told apart.

use api::{
    Resource,
    kinds::aws::{NetworkAcl, NetworkAclEntry, Subnet},
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;

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

/// The one rule of a default ACL in each direction: everything passes.
fn all(egress: bool) -> NetworkAclEntry {
    NetworkAclEntry {
        number: 100,
        egress,
        protocol: "-1".to_owned(),
        ports: None,
        cidr: Ipv4Net::default(),
        allow: true,
    }
}

/// Whether it is a default ACL as it came: then it decides nothing.
#[must_use]
pub fn is_pristine(acl: &NetworkAcl) -> bool {
    acl.is_default && acl.entries == [all(false), all(true)]
}

/// Makes the default ACL of a VPC.
pub(crate) fn put_default(turn: &mut Turn<'_>, vpc: &str) {
    let name = id(turn, "acl", vpc, 0);
    let acl = NetworkAcl {
        metadata: ObjectMeta { name: Some(name), ..ObjectMeta::default() },
        vpc: vpc.to_owned(),
        is_default: true,
        entries: vec![all(false), all(true)],
    };
    turn.put(acl.into_object());
}
