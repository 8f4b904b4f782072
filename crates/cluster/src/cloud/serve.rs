//! What does EC2 answer to a request from outside?
//!
//! The few calls that the lab's scenes and lessons make. Input and output have the service's own names.

use api::kinds::{
    aws::{Eni, EniOwner, Instance, InstanceState, Subnet},
    cni::PoolMode,
};
use serde_json::{Value, json};

use crate::{
    ActorId, AwsError, AwsRequest, ClusterId, Turn, World,
    cloud::{
        eni::{self, NewEni},
        instance, refuse, reservation, subnet, tags,
    },
};

/// Answers one request.
/// # Errors
/// The service's refusal.
pub(crate) fn serve(world: &mut World, request: &AwsRequest) -> Result<Value, AwsError> {
    let mut turn = Turn::new(world, ActorId("ec2"), ClusterId::WORLD, None);
    let turn = &mut turn;
    match (request.service, request.action) {
        ("ec2", "StopInstances") => {
            change(turn, request, "StoppingInstances", |t, i| instance::shut_down(t, i, false))
        }
        ("ec2", "TerminateInstances") => {
            change(turn, request, "TerminatingInstances", |t, i| instance::shut_down(t, i, true))
        }
        ("ec2", "StartInstances") => change(turn, request, "StartingInstances", instance::start),
        ("ec2", "DescribeInstances") => {
            Ok(json!({ "Reservations": instances(turn, &ids(request, "InstanceIds")) }))
        }
        ("ec2", "DescribeNetworkInterfaces") => {
            let enis = turn.store().list::<Eni>(ClusterId::WORLD, None);
            Ok(json!({ "NetworkInterfaces": enis.map(interface).collect::<Vec<_>>() }))
        }
        ("ec2", "CreateNetworkInterface") => create_interface(turn, request),
        ("ec2", "DeleteNetworkInterface") => {
            eni::delete_unused(turn, &one(request, "NetworkInterfaceId")).map(|()| Value::Null)
        }
        ("ec2", "CreateSubnetCidrReservation") => reservation::create(
            turn,
            &one(request, "SubnetId"),
            &one(request, "Cidr"),
            &one(request, "ReservationType"),
            &one(request, "Description"),
        ),
        ("ec2", "GetSubnetCidrReservations") => reservation::of(turn, &one(request, "SubnetId")),
        ("ec2", "DeleteSubnetCidrReservation") => {
            reservation::delete(turn, &one(request, "SubnetCidrReservationId"))
        }
        ("ec2", "CreateTags" | "DeleteTags") => tags::change(turn, request),
        ("ec2", "DescribeSubnets") => Ok(json!({ "Subnets": subnets(turn, &ids(request, "SubnetIds")) })),
        ("ec2", "AssociateVpcCidrBlock") => {
            subnet::extend_vpc(turn, &one(request, "VpcId"), &one(request, "CidrBlock"))
        }
        ("ec2", "CreateSubnet") => {
            let zone = one(request, "AvailabilityZone");
            let made = subnet::create(turn, &one(request, "VpcId"), &one(request, "CidrBlock"), &zone)?;
            Ok(json!({ "Subnet": subnets(turn, &[made]).pop() }))
        }
        (_, action) => Err(refuse(
            action,
            "InvalidAction",
            format!("The action {action} is not valid for this web service."),
        )),
    }
}

fn ids(request: &AwsRequest, field: &str) -> Vec<String> {
    request.input[field]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// A parameter that has one value.
fn one(request: &AwsRequest, field: &str) -> String {
    ids(request, field).pop().or_else(|| request.input[field].as_str().map(str::to_owned)).unwrap_or_default()
}

fn change(
    turn: &mut Turn<'_>,
    request: &AwsRequest,
    answer: &str,
    act: impl Fn(&mut Turn<'_>, &str),
) -> Result<Value, AwsError> {
    let ids = ids(request, "InstanceIds");
    if let Some(unknown) = ids.iter().find(|id| instance::get(turn.store(), id).is_none()) {
        let message = format!("The instance ID '{unknown}' does not exist");
        return Err(refuse(request.action, "InvalidInstanceID.NotFound", message));
    }
    let mut changes = Vec::new();
    for id in ids {
        let before = state(turn, &id);
        act(turn, &id);
        changes.push(json!({"InstanceId": id, "CurrentState": state(turn, &id), "PreviousState": before}));
    }
    Ok(json!({ answer: changes }))
}

fn state(turn: &Turn<'_>, id: &str) -> Value {
    let (code, name) = match instance::get(turn.store(), id).map(|it| it.state) {
        Some(InstanceState::Pending) => (0, "pending"),
        Some(InstanceState::Running) => (16, "running"),
        Some(InstanceState::ShuttingDown) => (32, "shutting-down"),
        Some(InstanceState::Stopping) => (64, "stopping"),
        Some(InstanceState::Stopped) => (80, "stopped"),
        Some(InstanceState::Terminated) | None => (48, "terminated"),
    };
    json!({"Code": code, "Name": name})
}

fn instances(turn: &Turn<'_>, ids: &[String]) -> Vec<Value> {
    let all = turn.store().list::<Instance>(ClusterId::WORLD, None);
    all.filter_map(|it| Some((it.metadata.name.as_deref()?, it)))
        .filter(|(id, _)| ids.is_empty() || ids.iter().any(|wanted| wanted == id))
        .map(|(id, it)| {
            json!({"Instances": [{
                "InstanceId": id,
                "InstanceType": it.instance_type,
                "PrivateIpAddress": it.private_ip,
                "PublicIpAddress": it.public_ip,
                "State": state(turn, id),
                "SubnetId": it.subnet,
                "LaunchTime": turn.world().stamp(it.launched_at),
            }]})
        })
        .collect()
}

/// An interface with an address of the subnet: the one that was named, or the lowest.
fn create_interface(turn: &mut Turn<'_>, request: &AwsRequest) -> Result<Value, AwsError> {
    let named = one(request, "PrivateIpAddress");
    let address = match named.parse() {
        Ok(address) => Some(address),
        Err(_) if named.is_empty() => None,
        Err(_) => {
            let message = format!("invalid value for parameter address: {named}");
            return Err(refuse(request.action, "InvalidParameterValue", message));
        }
    };
    let subnet = one(request, "SubnetId");
    let new = NewEni {
        operation: request.action,
        subnet: &subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Account,
        security_groups: ids(request, "Groups"),
        address,
        description: one(request, "Description"),
    };
    let made = eni::create(turn, new)?;
    Ok(json!({ "NetworkInterface": eni::get(turn.store(), &made).map(interface) }))
}

fn interface(eni: &Eni) -> Value {
    let own = std::iter::once((eni.primary_ip, true));
    let addresses = own.chain(eni.secondary_ips.iter().map(|ip| (*ip, false)));
    let addresses = addresses.map(|(ip, primary)| json!({"PrivateIpAddress": ip, "Primary": primary}));
    json!({
        "NetworkInterfaceId": eni.metadata.name,
        "SubnetId": eni.subnet,
        "PrivateIpAddress": eni.primary_ip,
        "PrivateIpAddresses": addresses.collect::<Vec<_>>(),
        "Ipv4Prefixes": eni.prefixes.iter().map(|p| json!({"Ipv4Prefix": p})).collect::<Vec<_>>(),
        "Groups": eni.security_groups.iter().map(|g| json!({"GroupName": g})).collect::<Vec<_>>(),
        "Description": eni.metadata.annotations.as_ref().and_then(|a| a.get("description")),
        "Attachment": eni.instance.as_ref().map(|i| json!({"InstanceId": i, "DeviceIndex": eni.device_index})),
    })
}

fn subnets(turn: &Turn<'_>, ids: &[String]) -> Vec<Value> {
    let all = turn.store().list::<Subnet>(ClusterId::WORLD, None);
    all.filter(|it| ids.is_empty() || ids.iter().any(|id| Some(id) == it.metadata.name.as_ref()))
        .map(|it| {
            json!({
                "SubnetId": it.metadata.name,
                "VpcId": it.vpc,
                "CidrBlock": it.cidr,
                "AvailabilityZone": it.availability_zone,
                "AvailableIpAddressCount": subnet::free(turn.store(), it),
                "State": "available",
                "MapPublicIpOnLaunch": it.map_public_ip_on_launch,
                "Tags": tags::shown(&it.metadata),
            })
        })
        .collect()
}
