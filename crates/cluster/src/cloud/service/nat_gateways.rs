//! `ec2 describe-nat-gateways`, `create-nat-gateway`, `delete-nat-gateway`, `describe-addresses`, `allocate-address`, `release-address`.
//!
//! Source: the Amazon EC2 API reference (`NatGateway`, `Address`).

use api::kinds::aws::{ElasticIp, NatGateway, NatGatewayState};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, input::just, operation, second, tags};
use crate::{
    Turn,
    cloud::{ACCOUNT, eni, id, nat, subnet},
    node::join::region_of,
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeNatGateways", describe),
    operation("ec2", "CreateNatGateway", create),
    operation("ec2", "DeleteNatGateway", |turn, input| {
        let name = input.text("NatGatewayId");
        nat::delete(turn, &name)?;
        Ok(json!({ "NatGatewayId": name }))
    }),
    operation("ec2", "DescribeAddresses", addresses),
    operation("ec2", "AllocateAddress", allocate),
    operation("ec2", "ReleaseAddress", |turn, input| {
        nat::release(turn, &input.text("AllocationId")).map(|()| json!({}))
    }),
];

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let unknown = ("NatGatewayNotFound", "NAT gateway");
    let found =
        input.select::<NatGateway>(turn.store(), "NatGatewayIds", unknown, |it, filter| match filter {
            "nat-gateway-id" => just(it.metadata.name.as_deref().unwrap_or_default()),
            "subnet-id" => just(&it.subnet),
            "vpc-id" => just(vpc(turn, it)),
            "state" => just(nat::state(it)),
            _ => None,
        })?;
    Ok(json!({"NatGateways": found.into_iter().map(|it| shown(turn, it)).collect::<Vec<_>>()}))
}

fn vpc(turn: &Turn<'_>, it: &NatGateway) -> String {
    subnet::get(turn.store(), &it.subnet).map(|subnet| subnet.vpc.clone()).unwrap_or_default()
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let subnet = input.text("SubnetId");
    let allocation = input.text("AllocationId");
    if allocation.is_empty() {
        let message = "The request must include the AllocationId parameter. Add the required parameter and retry the request.";
        return Err(input.refuse("MissingParameter", message));
    }
    let name = (1..).map(|n| id(turn, "nat", &subnet, n)).find(|id| turn.get::<NatGateway>("", id).is_none());
    let name = name.unwrap_or_default();
    nat::create(turn, &name, input.metadata(&name), &subnet, &allocation, NatGatewayState::Pending)?;
    Ok(json!({"NatGateway": turn.get::<NatGateway>("", &name).map(|it| shown(turn, it))}))
}

fn shown(turn: &Turn<'_>, it: &NatGateway) -> Value {
    let eni = nat::eni_of(turn.store(), it);
    let tags = tags::shown(&it.metadata);
    json!({
        "CreateTime": second(turn, it.created_at),
        "DeleteTime": (it.state == NatGatewayState::Deleted).then(|| second(turn, it.since)),
        "NatGatewayAddresses": [{
            "AllocationId": it.allocation,
            "NetworkInterfaceId": eni.and_then(|eni| eni.metadata.name.clone()),
            "PrivateIp": eni.map(|eni| eni.primary_ip),
            "PublicIp": it.public_ip,
            "AssociationId": id(turn, "eipassoc", &it.allocation, 0),
            "IsPrimary": true,
            "Status": "succeeded",
        }],
        "NatGatewayId": it.metadata.name,
        "State": nat::state(it),
        "SubnetId": it.subnet,
        "VpcId": vpc(turn, it),
        "Tags": (!tags.is_empty()).then_some(tags),
        "ConnectivityType": "public",
        "AvailabilityMode": "zonal",
    })
}

fn addresses(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let unknown = ("InvalidAllocationID.NotFound", "allocation ID");
    let public = input.texts("PublicIps");
    let found =
        input.select::<ElasticIp>(turn.store(), "AllocationIds", unknown, |it, filter| match filter {
            "allocation-id" => just(it.metadata.name.as_deref().unwrap_or_default()),
            "public-ip" => just(it.public_ip),
            "domain" => just("vpc"),
            "network-interface-id" => Some(it.eni.iter().cloned().collect()),
            "private-ip-address" => Some(private(turn, it).into_iter().map(|ip| ip.to_string()).collect()),
            _ => None,
        })?;
    let wanted = |it: &&ElasticIp| public.is_empty() || public.contains(&it.public_ip.to_string());
    let found = found.into_iter().filter(wanted).map(|it| address(turn, it)).collect::<Vec<_>>();
    Ok(json!({ "Addresses": found }))
}

fn private(turn: &Turn<'_>, it: &ElasticIp) -> Option<std::net::Ipv4Addr> {
    it.eni.as_deref().and_then(|name| eni::get(turn.store(), name)).map(|eni| eni.primary_ip)
}

fn address(turn: &Turn<'_>, it: &ElasticIp) -> Value {
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let tags = tags::shown(&it.metadata);
    json!({
        "AllocationId": name,
        "AssociationId": it.eni.as_ref().map(|_| id(turn, "eipassoc", name, 0)),
        "Domain": "vpc",
        "NetworkInterfaceId": it.eni,
        "NetworkInterfaceOwnerId": it.eni.as_ref().map(|_| ACCOUNT),
        "PrivateIpAddress": private(turn, it),
        "Tags": (!tags.is_empty()).then_some(tags),
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": region(turn),
        "PublicIp": it.public_ip,
    })
}

fn region(turn: &Turn<'_>) -> Option<String> {
    let zone = turn.list::<api::kinds::aws::Subnet>(None).next().map(|it| it.availability_zone.clone());
    zone.map(|zone| region_of(&zone).to_owned())
}

fn allocate(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let made = nat::allocate(turn, |name| input.metadata(name));
    let public = nat::address(turn, &made, input.action)?.public_ip;
    Ok(json!({
        "AllocationId": made,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": region(turn),
        "Domain": "vpc",
        "PublicIp": public,
    }))
}
