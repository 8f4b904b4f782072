//! `ec2 describe-subnets`, `create-subnet`, `delete-subnet`, `modify-subnet-attribute`.
//!
//! Source: the Amazon EC2 API reference (`Subnet`).

use api::{Kind, Resource, kinds::aws::Subnet};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, input::just, operation, tags, vpcs::two_at_once};
use crate::{
    ClusterId, Key, Turn,
    cloud::{ACCOUNT, id as cloud_id, subnet},
    node::join::{region_of, zone_id},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeSubnets", describe),
    operation("ec2", "CreateSubnet", create),
    operation("ec2", "DeleteSubnet", delete),
    operation("ec2", "ModifySubnetAttribute", modify),
];

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let ids = input.texts("SubnetIds");
    for id in &ids {
        subnet::asked_for(turn.store(), id, input.action)?;
    }
    let mut found = Vec::new();
    for it in turn.store().list::<Subnet>(ClusterId::WORLD, None) {
        let id = it.metadata.name.as_deref().unwrap_or_default();
        let wanted = ids.is_empty() || ids.iter().any(|wanted| wanted == id);
        let tags = it.metadata.labels.clone().unwrap_or_default();
        let passes = input.passes(|filter| match filter {
            "subnet-id" => just(id),
            "vpc-id" => just(&it.vpc),
            "availability-zone" | "availabilityZone" => just(&it.availability_zone),
            "cidr-block" | "cidr" | "cidrBlock" => just(it.cidr),
            "ipv6-cidr-block-association.ipv6-cidr-block" => {
                Some(it.ipv6_cidr.iter().map(ToString::to_string).collect())
            }
            "map-public-ip-on-launch" => just(it.map_public_ip_on_launch),
            "available-ip-address-count" => just(subnet::free(turn.store(), it)),
            "state" => just("available"),
            "tag-key" => Some(tags.keys().cloned().collect()),
            other => Some(tags.get(other.strip_prefix("tag:")?).cloned().into_iter().collect()),
        })?;
        if wanted && passes {
            found.push(shown(turn, it));
        }
    }
    Ok(json!({ "Subnets": found }))
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (vpc, zone) = (input.text("VpcId"), input.text("AvailabilityZone"));
    let made = subnet::create(turn, &vpc, &input.text("CidrBlock"), &zone)?;
    Ok(json!({ "Subnet": subnet::get(turn.store(), &made).map(|it| shown(turn, it)) }))
}

/// # Errors
/// `InvalidSubnetID.NotFound`; `DependencyViolation` while an interface stands in it.
fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let id = input.text("SubnetId");
    subnet::asked_for(turn.store(), &id, input.action)?;
    if turn.store().enis_in(&id).next().is_some() {
        let message = format!("The subnet '{id}' has dependencies and cannot be deleted.");
        return Err(input.refuse("DependencyViolation", message));
    }
    turn.remove(&Key::new(ClusterId::WORLD, Kind::Subnet, "", &id));
    Ok(json!({}))
}

/// Whether instances get public addresses. One attribute at a time.
/// MODEL: the other attributes are refused, for the lab does not follow them.
/// # Errors
/// `InvalidSubnetID.NotFound`, `InvalidParameterCombination`, `MissingParameter`.
fn modify(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut it = subnet::asked_for(turn.store(), &input.text("SubnetId"), input.action)?.clone();
    let given: Vec<&str> = input
        .value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .filter(|name| *name != "SubnetId")
        .collect();
    match given.as_slice() {
        [] => Err(input.refuse("MissingParameter", "The request must contain the parameter attribute")),
        ["MapPublicIpOnLaunch"] => {
            it.map_public_ip_on_launch = input.value["MapPublicIpOnLaunch"]["Value"].as_bool() == Some(true);
            turn.put(it.into_object());
            Ok(json!({}))
        }
        [other] => {
            let message = format!("lab: the attribute {other} of a subnet is not available here");
            Err(input.refuse("InvalidParameterValue", message))
        }
        _ => Err(two_at_once(input)),
    }
}

fn shown(turn: &Turn<'_>, it: &Subnet) -> Value {
    let id = it.metadata.name.as_deref().unwrap_or_default();
    let region = region_of(&it.availability_zone);
    let tags = tags::shown(&it.metadata);
    json!({
        "AvailabilityZoneId": zone_id(&it.availability_zone),
        "MapCustomerOwnedIpOnLaunch": false,
        "OwnerId": ACCOUNT,
        "AssignIpv6AddressOnCreation": it.ipv6_cidr.is_some(),
        "Ipv6CidrBlockAssociationSet": it.ipv6_cidr.iter().map(|cidr| json!({
            "AssociationId": cloud_id(turn, "subnet-cidr-assoc", &cidr.to_string(), 0),
            "Ipv6CidrBlock": cidr,
            "Ipv6CidrBlockState": {"State": "associated"},
        })).collect::<Vec<_>>(),
        "Tags": (!tags.is_empty()).then_some(tags),
        "SubnetArn": format!("arn:aws:ec2:{region}:{ACCOUNT}:subnet/{id}"),
        "EnableDns64": false,
        "Ipv6Native": false,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": false,
            "EnableResourceNameDnsAAAARecord": false,
        },
        "SubnetId": id,
        "State": "available",
        "VpcId": it.vpc,
        "CidrBlock": it.cidr,
        "AvailableIpAddressCount": subnet::free(turn.store(), it),
        "AvailabilityZone": it.availability_zone,
        "DefaultForAz": false,
        "MapPublicIpOnLaunch": it.map_public_ip_on_launch,
    })
}
