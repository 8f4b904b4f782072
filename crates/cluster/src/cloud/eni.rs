//! How do ENIs come, get addresses, and go?
//!
//! Every call is granted whole or refused with EC2's code. Addresses count from the call on; attaching and detaching
//! take the time of `timing.rs`.

use std::net::Ipv4Addr;

use api::{
    Kind, Resource,
    kinds::{
        aws::{Attachment, Eni, EniOwner, SecurityGroup},
        cni::PoolMode,
    },
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;

use crate::{
    AwsError, ClusterId, Key, Store, Turn,
    cloud::{
        id, instance, refuse,
        subnet::{self, Wanted},
    },
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
    let mut metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
    metadata.annotations.get_or_insert_default().insert("description".to_owned(), new.description);
    let now = turn.now();
    let eni = Eni {
        metadata,
        subnet: new.subnet.to_owned(),
        primary_ip: first,
        secondary_ips: addresses,
        prefixes,
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
) -> Result<Vec<Ipv4Net>, AwsError> {
    const OPERATION: &str = "AssignPrivateIpAddresses";
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
    let blocks = addresses.iter().copied().map(Ipv4Net::from).chain(prefixes.iter().copied()).collect();
    change(turn, name, |eni| {
        eni.secondary_ips.extend(addresses);
        eni.secondary_ips.sort_unstable();
        eni.prefixes.extend(prefixes);
        eni.prefixes.sort_unstable();
    });
    Ok(blocks)
}

/// Gives blocks of an ENI back to its subnet.
pub(crate) fn unassign(turn: &mut Turn<'_>, name: &str, blocks: &[Ipv4Net]) {
    change(turn, name, |eni| {
        eni.secondary_ips.retain(|ip| !blocks.contains(&Ipv4Net::from(*ip)));
        eni.prefixes.retain(|prefix| !blocks.contains(prefix));
    });
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
