//! Which addresses of a subnet are taken, and by whom?
//!
//! The taken ones are those of the ENIs that stand in it: there is no second count that could differ.

use std::net::Ipv4Addr;

use api::kinds::aws::{Eni, Subnet};
use cni::subnet::SubnetAddresses;
use ipnet::Ipv4Net;

use crate::{AwsError, ClusterId, Store, cloud::refuse};

/// The subnet with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s Subnet> {
    store.get(ClusterId::WORLD, "", name)
}

/// The ENIs that stand in a subnet, by name.
pub fn enis<'s>(store: &'s Store, subnet: &'s str) -> impl Iterator<Item = &'s Eni> {
    store.list::<Eni>(ClusterId::WORLD, None).filter(move |eni| eni.subnet == subnet)
}

/// Free and taken addresses of a subnet.
#[must_use]
pub fn addresses(store: &Store, subnet: &Subnet) -> SubnetAddresses {
    let mut addresses = SubnetAddresses::new(subnet.cidr);
    for eni in enis(store, subnet.metadata.name.as_deref().unwrap_or_default()) {
        addresses.take(eni.primary_ip);
        for ip in &eni.secondary_ips {
            addresses.take(*ip);
        }
        for prefix in &eni.prefixes {
            addresses.take_prefix(*prefix);
        }
    }
    addresses
}

/// Free single addresses.
#[must_use]
pub fn free(store: &Store, subnet: &Subnet) -> u32 {
    addresses(store, subnet).free()
}

/// What a request for addresses would get. Nothing is taken: an ENI has to hold them.
/// # Errors
/// `InvalidSubnetID.NotFound`, `InsufficientFreeAddressesInSubnet` or `InsufficientCidrBlocks`.
pub(crate) fn offer(
    store: &Store,
    subnet: &str,
    operation: &str,
    wanted: Wanted,
) -> Result<(Vec<Ipv4Addr>, Vec<Ipv4Net>), AwsError> {
    let Some(subnet) = get(store, subnet) else {
        let message = format!("The subnet ID '{subnet}' does not exist");
        return Err(refuse(operation, "InvalidSubnetID.NotFound", message));
    };
    let mut left = addresses(store, subnet);
    let no = |error: cni::subnet::Exhausted| refuse(operation, &error.to_string(), error.message());
    let singles = left.assign(wanted.addresses).map_err(no)?;
    let prefixes = left.assign_prefixes(wanted.prefixes).map_err(no)?;
    Ok((singles, prefixes))
}

/// How much to ask a subnet for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub addresses: u32,
    pub prefixes: u32,
}
