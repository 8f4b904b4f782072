//! How do ENIs come, get addresses, and go?
//!
//! Every call is granted whole or refused with EC2's code. Addresses count from the call on; attaching and detaching
//! take the time of `timing.rs`.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use api::{
    Kind, Resource,
    kinds::{
        aws::{Attachment, Eni, EniOwner, SecurityGroup},
        cni::PoolMode,
    },
    meta::ObjectMeta,
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::{
    AwsError, ClusterId, Key, Store, Turn,
    cloud::{
        id, instance, refuse,
        subnet::{self, Wanted},
    },
    node::is_ipv6,
};

/// The ENI with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s Eni> {
    store.get(ClusterId::WORLD, "", name)
}

/// The ENIs of an instance, by device number.
#[must_use]
pub fn of_instance<'s>(store: &'s Store, instance: &str) -> Vec<&'s Eni> {
    let mut enis: Vec<&Eni> = store.enis_of(instance).collect();
    enis.sort_by_key(|eni| eni.device_index);
    enis
}

/// Addresses that an ENI takes from its subnet: its own, and 16 for each prefix.
#[must_use]
pub fn addresses(eni: &Eni) -> u32 {
    let all = 1 + eni.secondary_ips.len() + 16 * eni.prefixes.len();
    u32::try_from(all).unwrap_or(u32::MAX)
}

/// The address by which a cluster knows an ENI: the one of its own family.
#[must_use]
pub fn address(store: &Store, cluster: ClusterId, eni: &Eni) -> IpAddr {
    let ipv6 = eni.ipv6_address.filter(|_| is_ipv6(store, cluster));
    ipv6.map_or(IpAddr::V4(eni.primary_ip), IpAddr::V6)
}

/// The ENI of a subnet that is described so.
#[must_use]
pub fn described<'s>(store: &'s Store, subnet: &str, description: &str) -> Option<&'s Eni> {
    store.enis_in(subnet).find(|eni| {
        let annotations = eni.metadata.annotations.as_ref();
        annotations.and_then(|all| all.get("description")).is_some_and(|it| it == description)
    })
}

/// What a new ENI is for.
#[derive(Clone, Debug)]
pub(crate) struct NewEni<'a> {
    /// The call that EC2 blames.
    pub operation: &'a str,
    /// Name of its subnet.
    pub subnet: &'a str,
    /// How many slots to fill, and with what.
    pub slots: u32,
    pub mode: PoolMode,
    pub owner: EniOwner,
    pub security_groups: Vec<String>,
    /// Its address, where somebody wants a certain one.
    pub address: Option<Ipv4Addr>,
    /// As the console's description column shows it.
    pub description: String,
}

/// The branches of a trunk ENI, by name; those of released pods too.
pub fn branches<'s>(store: &'s Store, trunk: &'s Eni) -> impl Iterator<Item = &'s Eni> {
    let name = trunk.metadata.name.as_deref().unwrap_or_default();
    let all = store.list::<Eni>(ClusterId::WORLD, None);
    all.filter(move |eni| eni.branch.as_ref().is_some_and(|it| it.trunk == name))
}

fn wanted(own: u32, slots: u32, mode: PoolMode) -> Wanted {
    match mode {
        PoolMode::SecondaryIp => Wanted { addresses: own + slots, prefixes: 0 },
        PoolMode::Prefix => Wanted { addresses: own, prefixes: slots },
        PoolMode::Ipv6Prefix => Wanted { addresses: own, prefixes: 0 },
    }
}

/// Makes an ENI with its own address and `slots` more; gives its name.
/// # Errors
/// If a security group or the subnet is not there, or the subnet has not enough; nothing is taken.
pub(crate) fn create(turn: &mut Turn<'_>, new: NewEni<'_>) -> Result<String, AwsError> {
    let known = |group: &&String| turn.get::<SecurityGroup>("", group).is_some();
    if let Some(unknown) = new.security_groups.iter().find(|group| !known(group)) {
        let message = format!("The security group '{unknown}' does not exist");
        return Err(refuse(new.operation, "InvalidGroup.NotFound", message));
    }
    let drawn = u32::from(new.address.is_none());
    let offered = subnet::offer(turn.store(), new.subnet, new.operation, wanted(drawn, new.slots, new.mode))?;
    let (mut addresses, prefixes) = offered;
    let first = match new.address {
        Some(address) => subnet::named_address(turn.store(), new.subnet, new.operation, address)?,
        None => addresses.remove(0),
    };
    addresses.retain(|address| *address != first);
    // AWS gives no id twice, though an address comes again.
    let drawn = (turn.now().0..).map(|n| id(turn, "eni", &first.to_string(), n));
    let name = drawn.into_iter().find(|name| get(turn.store(), name).is_none());
    let name = name.unwrap_or_default();
    let ipv6_address = subnet::get(turn.store(), new.subnet).and_then(|it| it.ipv6_cidr);
    let ipv6_address = ipv6_address.map(|block| ipv6_address_in(turn, block, &name));
    let mut metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
    metadata.annotations.get_or_insert_default().insert("description".to_owned(), new.description);
    let now = turn.now();
    let eni = Eni {
        metadata,
        subnet: new.subnet.to_owned(),
        primary_ip: first,
        secondary_ips: addresses,
        prefixes,
        ipv6_address,
        ipv6_prefix: None,
        security_groups: new.security_groups,
        owner: new.owner,
        trunk: false,
        branch: None,
        instance: None,
        device_index: 0,
        attachment: Attachment::Available,
        created_at: now,
        since: now,
    };
    turn.put(eni.into_object());
    Ok(name)
}

/// Begins to attach an ENI to an instance under a device number.
/// # Errors
/// `AttachmentLimitExceeded` if the instance has as many as its type allows; `InvalidParameterCombination` if it stands in
/// another zone.
pub(crate) fn attach(turn: &mut Turn<'_>, name: &str, to: &str, device_index: u32) -> Result<(), AwsError> {
    const OPERATION: &str = "AttachNetworkInterface";
    let allowed = instance::limits(turn.store(), to).map_or(u32::MAX, |limits| limits.enis);
    let has = of_instance(turn.store(), to).len() as u64;
    if has >= u64::from(allowed) {
        let message = format!("Interface count {} exceeds the limit for the instance", has + 1);
        return Err(refuse(OPERATION, "AttachmentLimitExceeded", message));
    }
    let zone = |subnet: &str| subnet::get(turn.store(), subnet).map(|it| it.availability_zone.clone());
    let of = get(turn.store(), name).and_then(|eni| zone(&eni.subnet));
    if of != instance::get(turn.store(), to).and_then(|it| zone(&it.subnet)) {
        let message = "You may not attach a network interface to an instance if they are not in the same availability zone";
        return Err(refuse(OPERATION, "InvalidParameterCombination", message));
    }
    let now = turn.now();
    change(turn, name, |eni| {
        eni.instance = Some(to.to_owned());
        eni.device_index = device_index;
        eni.attachment = Attachment::Attaching;
        eni.since = now;
    });
    Ok(())
}

/// Fills `count` more slots of an ENI; gives the new blocks.
/// # Errors
/// `PrivateIpAddressLimitExceeded` if its slots do not suffice; or as the subnet says.
pub(crate) fn assign(
    turn: &mut Turn<'_>,
    name: &str,
    count: u32,
    mode: PoolMode,
) -> Result<Vec<IpNet>, AwsError> {
    const OPERATION: &str = "AssignPrivateIpAddresses";
    if mode == PoolMode::Ipv6Prefix {
        return assign_ipv6_prefix(turn, name).map(|prefix| vec![prefix.into()]);
    }
    let Some(eni) = get(turn.store(), name) else {
        let message = format!("The networkInterface ID '{name}' does not exist");
        return Err(refuse(OPERATION, "InvalidNetworkInterfaceID.NotFound", message));
    };
    let filled = (eni.secondary_ips.len() + eni.prefixes.len()) as u64;
    let slots = eni.instance.as_deref().and_then(|i| instance::limits(turn.store(), i));
    if slots
        .is_some_and(|limits| filled + u64::from(count) > u64::from(limits.ipv4_per_eni.saturating_sub(1)))
    {
        let message = format!("The number of private addresses for {name} exceeds the limit.");
        return Err(refuse(OPERATION, "PrivateIpAddressLimitExceeded", message));
    }
    let subnet = eni.subnet.clone();
    let (addresses, prefixes) = subnet::offer(turn.store(), &subnet, OPERATION, wanted(0, count, mode))?;
    let blocks = blocks(&addresses, &prefixes).collect();
    change(turn, name, |eni| {
        eni.secondary_ips.extend(addresses);
        eni.secondary_ips.sort_unstable();
        eni.prefixes.extend(prefixes);
        eni.prefixes.sort_unstable();
    });
    Ok(blocks)
}

fn blocks(addresses: &[Ipv4Addr], prefixes: &[Ipv4Net]) -> impl Iterator<Item = IpNet> {
    let single = |ip: &Ipv4Addr| IpNet::V4((*ip).into());
    addresses.iter().map(single).chain(prefixes.iter().copied().map(IpNet::V4))
}

/// The blocks of an ENI that can serve pods, whatever the mode.
pub(crate) fn blocks_of(eni: &Eni) -> Vec<IpNet> {
    blocks(&eni.secondary_ips, &eni.prefixes).chain(eni.ipv6_prefix.map(IpNet::V6)).collect()
}

/// Gives blocks of an ENI back to its subnet.
pub(crate) fn unassign(turn: &mut Turn<'_>, name: &str, blocks: &[IpNet]) {
    change(turn, name, |eni| {
        eni.secondary_ips.retain(|ip| !blocks.contains(&IpNet::V4((*ip).into())));
        eni.prefixes.retain(|prefix| !blocks.contains(&IpNet::V4(*prefix)));
    });
}

/// The address of a subnet's /64 that an ENI gets.
///
/// MODEL: EC2 does not document how it picks; the lab draws the lower half.
fn ipv6_address_in(turn: &Turn<'_>, block: Ipv6Net, name: &str) -> Ipv6Addr {
    let drawn = crate::draw::draw(turn.world().seed(), "ipv6-address", name, 0);
    Ipv6Addr::from(u128::from(block.network()) | u128::from(drawn))
}

/// Gives an ENI that has none an address of its subnet's /64.
/// # Errors
/// `InvalidParameterValue` where the subnet has no IPv6 block.
pub(crate) fn assign_ipv6_address(turn: &mut Turn<'_>, name: &str) -> Result<Ipv6Addr, AwsError> {
    let of = get(turn.store(), name).map(|eni| eni.subnet.clone()).unwrap_or_default();
    let block = ipv6_block(turn, &of)?;
    let address = ipv6_address_in(turn, block, name);
    change(turn, name, |eni| eni.ipv6_address = Some(address));
    Ok(address)
}

/// The /64 of a subnet.
fn ipv6_block(turn: &Turn<'_>, of: &str) -> Result<Ipv6Net, AwsError> {
    let message = || format!("Subnet {of} does not have an IPv6 CIDR block associated.");
    let block = subnet::get(turn.store(), of).and_then(|it| it.ipv6_cidr);
    block.ok_or_else(|| refuse("AssignIpv6Addresses", "InvalidParameterValue", message()))
}

/// Gives an ENI a /80 of its subnet that no other has.
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`, `InvalidParameterValue` where the subnet has no IPv6 block, `InsufficientCidrBlocks`.
fn assign_ipv6_prefix(turn: &mut Turn<'_>, name: &str) -> Result<Ipv6Net, AwsError> {
    const OPERATION: &str = "AssignIpv6Addresses";
    let Some(eni) = get(turn.store(), name) else {
        let message = format!("The networkInterface ID '{name}' does not exist");
        return Err(refuse(OPERATION, "InvalidNetworkInterfaceID.NotFound", message));
    };
    let block = ipv6_block(turn, &eni.subnet)?;
    let taken: BTreeSet<Ipv6Net> = turn
        .store()
        .enis_in(&eni.subnet)
        .flat_map(|it| it.ipv6_prefix.into_iter().chain(it.ipv6_address.and_then(eightieth)))
        .collect();
    // The first and the last hold addresses that EC2 keeps.
    let width = u128::from(u16::MAX) - 1;
    let start = u128::from(crate::draw::draw(turn.world().seed(), "ipv6-prefix", name, 0)) % width;
    let base = u128::from(block.network());
    let prefix = (0..width)
        .filter_map(|step| eightieth(Ipv6Addr::from(base | ((1 + (start + step) % width) << 48))))
        .find(|prefix| !taken.contains(prefix));
    let Some(prefix) = prefix else {
        let full = cni::subnet::Exhausted::Blocks;
        return Err(refuse(OPERATION, &full.to_string(), full.message()));
    };
    change(turn, name, |eni| eni.ipv6_prefix = Some(prefix));
    Ok(prefix)
}

/// The /80 that an address lies in.
fn eightieth(address: Ipv6Addr) -> Option<Ipv6Net> {
    Ipv6Net::new(address, 80).ok().map(|block| block.trunc())
}

/// Begins to detach an ENI; it is deleted when that is done.
pub(crate) fn detach(turn: &mut Turn<'_>, name: &str) {
    let now = turn.now();
    change(turn, name, |eni| {
        eni.attachment = Attachment::Detaching;
        eni.since = now;
    });
}

/// The attachment is there.
pub(crate) fn attached(turn: &mut Turn<'_>, name: &str) {
    let now = turn.now();
    change(turn, name, |eni| {
        eni.attachment = Attachment::Attached;
        eni.since = now;
    });
}

/// Deletes an ENI that nothing holds.
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`; `InvalidParameterValue` if it is in use.
pub(crate) fn delete_unused(turn: &mut Turn<'_>, name: &str) -> Result<(), AwsError> {
    const OPERATION: &str = "DeleteNetworkInterface";
    let Some(eni) = get(turn.store(), name) else {
        let message = format!("The networkInterface ID '{name}' does not exist");
        return Err(refuse(OPERATION, "InvalidNetworkInterfaceID.NotFound", message));
    };
    if eni.owner != EniOwner::Account {
        let message = format!("Network interface '{name}' is currently in use.");
        return Err(refuse(OPERATION, "InvalidParameterValue", message));
    }
    delete(turn, name);
    Ok(())
}

/// Deletes an ENI; its addresses are free again.
pub(crate) fn delete(turn: &mut Turn<'_>, name: &str) {
    let key = Key::new(ClusterId::WORLD, Kind::Eni, "", name);
    turn.remove(&key);
}

pub(crate) fn change(turn: &mut Turn<'_>, name: &str, edit: impl FnOnce(&mut Eni)) {
    if let Some(mut eni) = get(turn.store(), name).cloned() {
        edit(&mut eni);
        turn.put(eni.into_object());
    }
}
