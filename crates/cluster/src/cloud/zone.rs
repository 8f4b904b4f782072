//! What happens to EC2 when an availability zone fails?
//!
//! Its instances run on for all that the API says, but nothing reaches them: their status checks fail. No instance is launched there.
//! Back again, the machines boot.
//! MODEL: subnets, NAT gateways and load balancers of the zone stay as they are; an instance that is terminated there goes as fast as any.
//! Source: EC2 user guide (status checks; instance launch issues: insufficient instance capacity); AWS Fault Injection Service, scenario
//! "AZ Availability: Power Interruption".

use api::{
    Kind, Resource,
    kinds::aws::{AvailabilityZone, Instance, InstanceState, Subnet},
    meta::ObjectMeta,
};

use crate::{ClusterId, Key, Note, Store, Turn, What};

/// The code of a refusal for want of machines.
pub(crate) const NO_CAPACITY: &str = "InsufficientInstanceCapacity";

fn of(store: &Store, subnet: &str) -> String {
    let subnet = store.get::<Subnet>(ClusterId::WORLD, "", subnet);
    subnet.map(|it| it.availability_zone.clone()).unwrap_or_default()
}

/// The zones that there are subnets in, each once.
pub(crate) fn all(store: &Store) -> Vec<String> {
    let subnets = store.list::<Subnet>(ClusterId::WORLD, None);
    let mut zones: Vec<String> = subnets.map(|it| it.availability_zone.clone()).collect();
    zones.sort();
    zones.dedup();
    zones
}

/// The zones that have failed.
pub(crate) fn failed(store: &Store) -> Vec<String> {
    let failed = store.list::<AvailabilityZone>(ClusterId::WORLD, None);
    failed.filter_map(|it| it.metadata.name.clone()).collect()
}

/// Whether there is a machine of a type to be had in the zone of a subnet; else EC2's words.
pub(crate) fn has_capacity(turn: &Turn<'_>, instance_type: &str, subnet: &str) -> Result<(), String> {
    let store = turn.store();
    let zone = of(store, subnet);
    let failed = failed(store);
    if !failed.contains(&zone) {
        return Ok(());
    }
    let others: Vec<String> = all(store).into_iter().filter(|it| !failed.contains(it)).collect();
    let others =
        if others.is_empty() { String::new() } else { format!(" or choosing {}", others.join(", ")) };
    Err(format!(
        "We currently do not have sufficient {instance_type} capacity in the Availability Zone you requested ({zone}). Our system will be working on provisioning additional capacity. You can currently get {instance_type} capacity by not specifying an Availability Zone in your request{others}."
    ))
}

/// A zone fails, or comes back.
pub(crate) fn set(turn: &mut Turn<'_>, zone: &str, works: bool) {
    let now = turn.now();
    let about = Key::new(ClusterId::WORLD, Kind::AvailabilityZone, "", zone);
    let failed = turn.store().object(&about).is_some();
    if failed != works {
        return;
    }
    if works {
        turn.remove(&about);
    } else {
        let metadata = ObjectMeta { name: Some(zone.to_owned()), ..ObjectMeta::default() };
        turn.put(AvailabilityZone { metadata, impaired_since: now }.into_object());
    }
    let name = if works { "ZoneRecovered" } else { "ZoneFailed" };
    turn.fact(What::Noted(Note::Step { name, about, detail: Vec::new() }));
    let up = |it: &&Instance| matches!(it.state, InstanceState::Pending | InstanceState::Running);
    let hit: Vec<Instance> = turn
        .list::<Instance>(None)
        .filter(up)
        .filter(|it| of(turn.store(), &it.subnet) == zone)
        .cloned()
        .collect();
    for mut it in hit {
        if works {
            // The machine has power again, and boots.
            (it.impaired_since, it.since) = (None, now);
        } else {
            it.impaired_since = Some(now);
        }
        turn.put(it.into_object());
    }
}
