//! How is a range of a subnet kept for prefixes, or for those who name its addresses?
//!
//! Source: the VPC user guide (subnet CIDR reservations), the EC2 API reference (`CreateSubnetCidrReservation`).
//! MODEL: the words of its refusals are not documented; the codes are those that EC2 uses for such parameters.

use api::{
    Resource,
    kinds::aws::{CidrReservation, ReservationType, Subnet},
};
use cni::subnet::overlap;
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::{
    AwsError, ClusterId, Turn,
    cloud::{id, refuse, subnet},
};

/// Reserves a range; what is taken in it stays taken.
/// # Errors
/// `InvalidSubnetID.NotFound`; `InvalidParameterValue` for a type that there is not, or a range that is none, lies outside
/// the subnet, or overlaps another one.
pub(super) fn create(
    turn: &mut Turn<'_>,
    name: &str,
    range: &str,
    kind: &str,
    description: &str,
) -> Result<Value, AwsError> {
    const OPERATION: &str = "CreateSubnetCidrReservation";
    let mut found = subnet::asked_for(turn.store(), name, OPERATION)?.clone();
    let no = |message: String| refuse(OPERATION, "InvalidParameterValue", message);
    let kind = match kind {
        "prefix" => ReservationType::Prefix,
        "explicit" => ReservationType::Explicit,
        other => {
            return Err(no(format!("Value ({other}) for parameter ReservationType is invalid.")));
        }
    };
    let cidr: Ipv4Net =
        range.parse().map_err(|_| no(format!("Value ({range}) for parameter cidr is invalid.")))?;
    if cidr != cidr.trunc() || !found.cidr.contains(&cidr) {
        return Err(no(format!("The CIDR {range} is not within the subnet's CIDR {}.", found.cidr)));
    }
    let overlaps = |other: &&CidrReservation| overlap(&other.cidr, &cidr);
    if let Some(other) = found.reservations.iter().find(overlaps) {
        return Err(no(format!("The CIDR {range} conflicts with the reservation {}.", other.cidr)));
    }
    let made = CidrReservation {
        id: id(turn, "scr", &format!("{name} {cidr}"), 0),
        cidr,
        kind,
        description: description.to_owned(),
    };
    let answer = json!({ "SubnetCidrReservation": shown(&made, name) });
    found.reservations.push(made);
    turn.put(found.into_object());
    Ok(answer)
}

/// The reservations of a subnet.
/// # Errors
/// `InvalidSubnetID.NotFound`.
pub(super) fn of(turn: &Turn<'_>, name: &str) -> Result<Value, AwsError> {
    let found = subnet::asked_for(turn.store(), name, "GetSubnetCidrReservations")?;
    let all = found.reservations.iter().map(|it| shown(it, name)).collect::<Vec<_>>();
    Ok(json!({"SubnetIpv4CidrReservations": all, "SubnetIpv6CidrReservations": []}))
}

/// Gives a range back; what is taken in it stays taken.
/// # Errors
/// `InvalidSubnetCidrReservationID.NotFound`.
pub(super) fn delete(turn: &mut Turn<'_>, wanted: &str) -> Result<Value, AwsError> {
    let all = turn.store().list::<Subnet>(ClusterId::WORLD, None);
    let found = all.into_iter().find(|it| it.reservations.iter().any(|r| r.id == wanted)).cloned();
    let Some(mut found) = found else {
        let message = format!("The subnet CIDR reservation ID '{wanted}' does not exist");
        return Err(refuse(
            "DeleteSubnetCidrReservation",
            "InvalidSubnetCidrReservationID.NotFound",
            message,
        ));
    };
    let name = found.metadata.name.clone().unwrap_or_default();
    let gone = found.reservations.iter().find(|it| it.id == wanted).map(|it| shown(it, &name));
    found.reservations.retain(|it| it.id != wanted);
    turn.put(found.into_object());
    Ok(json!({ "DeletedSubnetCidrReservation": gone }))
}

fn shown(it: &CidrReservation, subnet: &str) -> Value {
    let mut shown = json!({
        "SubnetCidrReservationId": it.id,
        "SubnetId": subnet,
        "Cidr": it.cidr,
        "ReservationType": it.kind,
        "OwnerId": crate::cloud::ACCOUNT,
    });
    if !it.description.is_empty() {
        shown["Description"] = json!(it.description);
    }
    shown
}
