//! Which addresses of a subnet are taken, and by whom?
//!
//! The taken ones are those of the ENIs that stand in it: there is no second count that could differ. A VPC can get
//! further blocks, and subnets in them.

use std::net::Ipv4Addr;

use api::{
    Resource,
    kinds::aws::{RouteTable, Subnet, Vpc},
    meta::ObjectMeta,
};
use cni::subnet::{SubnetAddresses, overlap};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::{
    AwsError, ClusterId, Store, Turn,
    cloud::{id, refuse},
    node::join::region_of,
};

/// The subnet with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s Subnet> {
    store.get(ClusterId::WORLD, "", name)
}

/// The subnet that a call names.
/// # Errors
/// `InvalidSubnetID.NotFound`.
pub(crate) fn asked_for<'s>(store: &'s Store, name: &str, operation: &str) -> Result<&'s Subnet, AwsError> {
    let message = || format!("The subnet ID '{name}' does not exist");
    get(store, name).ok_or_else(|| refuse(operation, "InvalidSubnetID.NotFound", message()))
}

/// Free and taken addresses of a subnet.
#[must_use]
pub fn addresses(store: &Store, subnet: &Subnet) -> SubnetAddresses {
    let held = store.held(subnet.metadata.name.as_deref().unwrap_or_default());
    held.map_or_else(|| SubnetAddresses::new(subnet.cidr), |held| held.addresses.clone())
}

/// Whether a subnet's route table leads to an internet gateway.
#[must_use]
pub fn is_public(store: &Store, subnet: &Subnet) -> bool {
    // MODEL: the routes of an imported subnet are not given; one whose instances get public addresses is taken for public.
    if subnet.route_table.is_empty() {
        return subnet.map_public_ip_on_launch;
    }
    let table = store.get::<RouteTable>(ClusterId::WORLD, "", &subnet.route_table);
    table.is_some_and(|table| table.routes.iter().any(|route| route.target.starts_with("igw")))
}

/// Free single addresses.
#[must_use]
pub fn free(store: &Store, subnet: &Subnet) -> u32 {
    if !subnet.reservations.is_empty() {
        return addresses(store, subnet).free().saturating_sub(subnet.held_unseen);
    }
    let held = store.held(subnet.metadata.name.as_deref().unwrap_or_default());
    let taken = held.map_or(0, |held| held.taken).saturating_add(subnet.held_unseen);
    cni::subnet::usable(subnet.cidr).saturating_sub(taken)
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
    let subnet = asked_for(store, subnet, operation)?;
    let mut left = addresses(store, subnet);
    let no = |error: cni::subnet::Exhausted| refuse(operation, &error.to_string(), error.message());
    let singles = left.assign(wanted.addresses).map_err(no)?;
    let prefixes = left.assign_prefixes(wanted.prefixes).map_err(no)?;
    Ok((singles, prefixes))
}

/// The address that somebody names, if it can be had.
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidParameterValue`, `InvalidIPAddress.InUse`.
pub(crate) fn named_address(
    store: &Store,
    name: &str,
    operation: &str,
    address: Ipv4Addr,
) -> Result<Ipv4Addr, AwsError> {
    let subnet = asked_for(store, name, operation)?;
    let (first, last) = cni::subnet::usable_range(subnet.cidr);
    let (code, message) = if !subnet.cidr.contains(&address) {
        let why = "does not fall within the subnet's address range";
        ("InvalidParameterValue", format!("Address {address} {why}"))
    } else if !(first..=last).contains(&address) {
        ("InvalidParameterValue", format!("Address {address} is in subnet's reserved address range"))
    } else if !addresses(store, subnet).is_free(address) {
        ("InvalidIPAddress.InUse", format!("Address {address} is in use."))
    } else {
        return Ok(address);
    };
    Err(refuse(operation, code, message))
}

/// How much to ask a subnet for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub addresses: u32,
    pub prefixes: u32,
}

/// Gives a VPC a further block.
/// # Errors
/// `InvalidVpcID.NotFound`, `InvalidVpc.Range`.
pub(crate) fn extend_vpc(turn: &mut Turn<'_>, vpc: &str, block: &str) -> Result<Value, AwsError> {
    const OPERATION: &str = "AssociateVpcCidrBlock";
    let mut found = vpc_named(turn, vpc, OPERATION)?;
    let cidr = block_of(block, OPERATION)?;
    if !(16..=28).contains(&cidr.prefix_len()) || found.cidrs.iter().any(|had| overlap(had, &cidr)) {
        return Err(refuse(OPERATION, "InvalidVpc.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    found.cidrs.push(cidr);
    turn.put(found.into_object());
    let state = json!({"State": "associating"});
    let association = id(turn, "vpc-cidr-assoc", block, 0);
    Ok(
        json!({"CidrBlockAssociation": {"AssociationId": association, "CidrBlock": cidr, "CidrBlockState": state}, "VpcId": vpc}),
    )
}

/// Makes a subnet, with the VPC's main route table: nothing but the VPC is routed. Gives its id.
/// # Errors
/// `InvalidVpcID.NotFound`, `InvalidSubnet.Range`, `InvalidSubnet.Conflict`.
pub(crate) fn create(turn: &mut Turn<'_>, vpc: &str, block: &str, zone: &str) -> Result<String, AwsError> {
    const OPERATION: &str = "CreateSubnet";
    let found = vpc_named(turn, vpc, OPERATION)?;
    let cidr = block_of(block, OPERATION)?;
    if !(16..=28).contains(&cidr.prefix_len()) || !found.cidrs.iter().any(|of| of.contains(&cidr)) {
        return Err(refuse(OPERATION, "InvalidSubnet.Range", format!("The CIDR '{cidr}' is invalid.")));
    }
    if turn.list::<Subnet>(None).filter(|other| other.vpc == vpc).any(|other| overlap(&other.cidr, &cidr)) {
        let message = format!("The CIDR '{cidr}' conflicts with another subnet");
        return Err(refuse(OPERATION, "InvalidSubnet.Conflict", message));
    }
    let named = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let table = main_route_table(turn, vpc);
    if turn.get::<RouteTable>("", &table).is_none() {
        turn.put(
            RouteTable { metadata: named(&table), vpc: vpc.to_owned(), routes: Vec::new() }.into_object(),
        );
    }
    let name = id(turn, "subnet", block, 0);
    let subnet = Subnet {
        metadata: named(&name),
        vpc: vpc.to_owned(),
        cidr,
        ipv6_cidr: None,
        availability_zone: zone.to_owned(),
        map_public_ip_on_launch: false,
        route_table: table,
        network_acl: None,
        reservations: Vec::new(),
        held_unseen: 0,
    };
    turn.put(subnet.into_object());
    Ok(name)
}

/// The region that a VPC's subnets lie in; empty if it has none.
pub(crate) fn region(store: &Store, vpc: &str) -> String {
    let mut all = store.list::<Subnet>(ClusterId::WORLD, None).filter(|it| it.vpc == vpc);
    all.next().map(|it| region_of(&it.availability_zone).to_owned()).unwrap_or_default()
}

/// Name of the route table that a VPC comes with.
pub(crate) fn main_route_table(turn: &Turn<'_>, vpc: &str) -> String {
    id(turn, "rtb", vpc, 0)
}

/// The VPC that a call names.
/// # Errors
/// `InvalidVpcID.NotFound`.
pub(crate) fn vpc_named(turn: &Turn<'_>, name: &str, operation: &str) -> Result<Vpc, AwsError> {
    let message = || format!("The vpc ID '{name}' does not exist");
    turn.get::<Vpc>("", name).cloned().ok_or_else(|| refuse(operation, "InvalidVpcID.NotFound", message()))
}

fn block_of(text: &str, operation: &str) -> Result<Ipv4Net, AwsError> {
    let message =
        || format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
    let parsed = text.parse::<Ipv4Net>().map(|block| block.trunc());
    parsed.map_err(|_| refuse(operation, "InvalidParameterValue", message()))
}
