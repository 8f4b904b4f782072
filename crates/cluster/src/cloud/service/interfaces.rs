//! `ec2 describe-network-interfaces`, `create-network-interface`, `delete-network-interface`, `assign-ipv6-addresses`,
//! `unassign-ipv6-addresses`.
//!
//! Source: the Amazon EC2 API reference (`NetworkInterface`, `InstanceNetworkInterface`).

use api::kinds::{
    aws::{Attachment, Eni, EniOwner, SecurityGroup},
    cni::PoolMode,
};
use serde_json::{Map, Value, json};

use super::{Answer, Input, Operation, input::just, operation, second, security_groups::group_name, tags};
use crate::{
    AwsError, ClusterId, Turn,
    cloud::{
        ACCOUNT,
        eni::{self, NewEni},
        subnet,
    },
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeNetworkInterfaces", describe),
    operation("ec2", "CreateNetworkInterface", create),
    operation("ec2", "DeleteNetworkInterface", |turn, input| {
        eni::delete_unused(turn, &input.text("NetworkInterfaceId")).map(|()| json!({}))
    }),
    operation("ec2", "AssignIpv6Addresses", assign_ipv6),
    operation("ec2", "UnassignIpv6Addresses", unassign_ipv6),
];

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let ids = input.texts("NetworkInterfaceIds");
    if let Some(unknown) = ids.iter().find(|id| eni::get(turn.store(), id).is_none()) {
        let message = format!("The networkInterface ID '{unknown}' does not exist");
        return Err(input.refuse("InvalidNetworkInterfaceID.NotFound", message));
    }
    let mut found = Vec::new();
    for eni in turn.store().list::<Eni>(ClusterId::WORLD, None) {
        let id = eni.metadata.name.as_deref().unwrap_or_default();
        let wanted = ids.is_empty() || ids.iter().any(|wanted| wanted == id);
        let passes = input.passes(|filter| match filter {
            "network-interface-id" => just(id),
            "subnet-id" => just(&eni.subnet),
            "vpc-id" => just(vpc(turn, eni).unwrap_or_default()),
            "availability-zone" => just(zone(turn, eni).unwrap_or_default()),
            "description" => just(description(eni)),
            "status" => just(status(eni)),
            "interface-type" => just(kind(eni)),
            "requester-managed" => just(managed(eni)),
            "private-ip-address" => just(eni.primary_ip),
            "ipv6-addresses.ipv6-address" => Some(eni.ipv6_address.iter().map(ToString::to_string).collect()),
            "group-id" => Some(eni.security_groups.clone()),
            "attachment.instance-id" => Some(eni.instance.iter().cloned().collect()),
            "addresses.private-ip-address" => Some(addresses(eni).map(|(ip, _)| ip.to_string()).collect()),
            _ => None,
        })?;
        if wanted && passes {
            found.push(shown(turn, eni));
        }
    }
    Ok(json!({ "NetworkInterfaces": found }))
}

/// An interface with an address of the subnet: the one that was named, or the lowest.
fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let named = input.text("PrivateIpAddress");
    let address = match named.parse() {
        Ok(address) => Some(address),
        Err(_) if named.is_empty() => None,
        Err(_) => {
            let message = format!("invalid value for parameter address: {named}");
            return Err(input.refuse("InvalidParameterValue", message));
        }
    };
    let subnet = input.text("SubnetId");
    let new = NewEni {
        operation: input.action,
        subnet: &subnet,
        slots: 0,
        mode: PoolMode::SecondaryIp,
        owner: EniOwner::Account,
        security_groups: input.texts("Groups"),
        address,
        description: input.text("Description"),
    };
    let made = eni::create(turn, new)?;
    Ok(json!({ "NetworkInterface": eni::get(turn.store(), &made).map(|eni| shown(turn, eni)) }))
}

/// An interface whose IPv6 addresses somebody may change by hand.
/// MODEL: those of nodes are ipamd's, those of services their own; an interface has one address and one prefix at most.
/// # Errors
/// `InvalidNetworkInterfaceID.NotFound`.
fn own(turn: &Turn<'_>, input: &Input<'_>) -> Result<Eni, AwsError> {
    let name = input.text("NetworkInterfaceId");
    let Some(eni) = eni::get(turn.store(), &name).cloned() else {
        let message = format!("The networkInterface ID '{name}' does not exist");
        return Err(input.refuse("InvalidNetworkInterfaceID.NotFound", message));
    };
    if eni.owner == EniOwner::Account {
        return Ok(eni);
    }
    let message = format!("lab: the IPv6 addresses of {name} are not changed by hand here");
    Err(input.refuse("OperationNotPermitted", message))
}

/// One address, or one prefix; which one, EC2 chooses.
/// # Errors
/// As [`own`]; `MissingParameter`, `InvalidParameterValue`, `InsufficientCidrBlocks`.
fn assign_ipv6(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let eni = own(turn, input)?;
    let name = input.text("NetworkInterfaceId");
    let named = ["Ipv6Addresses", "Ipv6Prefixes"].into_iter().any(|it| !input.texts(it).is_empty());
    let count = |parameter: &str| input.value[parameter].as_u64().unwrap_or_default();
    let (addresses, prefixes) = (count("Ipv6AddressCount"), count("Ipv6PrefixCount"));
    let more =
        addresses > u64::from(eni.ipv6_address.is_none()) || prefixes > u64::from(eni.ipv6_prefix.is_none());
    if named || more {
        let message = "lab: an interface gets one IPv6 address and one prefix of EC2's choice here";
        return Err(input.refuse("InvalidParameterValue", message));
    }
    if addresses + prefixes == 0 {
        let message = "Either the number of IPv6 addresses or the addresses themselves have to be given";
        return Err(input.refuse("MissingParameter", message));
    }
    let mut answer =
        json!({"NetworkInterfaceId": name, "AssignedIpv6Addresses": [], "AssignedIpv6Prefixes": []});
    if addresses > 0 {
        answer["AssignedIpv6Addresses"] = json!([eni::assign_ipv6_address(turn, &name)?]);
    }
    if prefixes > 0 {
        answer["AssignedIpv6Prefixes"] = json!(eni::assign(turn, &name, 1, PoolMode::Ipv6Prefix)?);
    }
    Ok(answer)
}

/// # Errors
/// As [`own`]; `InvalidParameterValue` for what the interface has not.
fn unassign_ipv6(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let eni = own(turn, input)?;
    let name = input.text("NetworkInterfaceId");
    let (addresses, prefixes) = (input.texts("Ipv6Addresses"), input.texts("Ipv6Prefixes"));
    let has = |text: &String| eni.ipv6_address.is_some_and(|it| text.parse() == Ok(it));
    let held = |text: &String| eni.ipv6_prefix.is_some_and(|it| text.parse() == Ok(it));
    let unknown = addresses.iter().find(|it| !has(it)).or_else(|| prefixes.iter().find(|it| !held(it)));
    if let Some(unknown) = unknown {
        let message =
            format!("Some of the specified IPv6 addresses are not assigned to interface {name}: {unknown}");
        return Err(input.refuse("InvalidParameterValue", message));
    }
    eni::change(turn, &name, |eni| {
        eni.ipv6_address = eni.ipv6_address.filter(|_| addresses.is_empty());
        eni.ipv6_prefix = eni.ipv6_prefix.filter(|_| prefixes.is_empty());
    });
    Ok(json!({
        "NetworkInterfaceId": name,
        "UnassignedIpv6Addresses": addresses,
        "UnassignedIpv6Prefixes": prefixes,
    }))
}

fn vpc(turn: &Turn<'_>, eni: &Eni) -> Option<String> {
    subnet::get(turn.store(), &eni.subnet).map(|subnet| subnet.vpc.clone())
}

fn zone(turn: &Turn<'_>, eni: &Eni) -> Option<String> {
    subnet::get(turn.store(), &eni.subnet).map(|subnet| subnet.availability_zone.clone())
}

fn description(eni: &Eni) -> String {
    let annotations = eni.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get("description")).cloned().unwrap_or_default()
}

/// What a service holds is in use, whatever it is attached to.
fn status(eni: &Eni) -> &'static str {
    match (&eni.owner, eni.attachment) {
        (
            EniOwner::Eks
            | EniOwner::Nat
            | EniOwner::Endpoint
            | EniOwner::LoadBalancer
            | EniOwner::Fargate
            | EniOwner::Branch,
            _,
        ) => "in-use",
        (_, Attachment::Available) => "available",
        (_, Attachment::Attaching | Attachment::Attached | Attachment::Detaching) => "in-use",
    }
}

fn kind(eni: &Eni) -> &'static str {
    match eni.owner {
        EniOwner::Nat => "nat_gateway",
        EniOwner::Endpoint => "vpc_endpoint",
        EniOwner::Branch => "branch",
        EniOwner::LoadBalancer if description(eni).starts_with("ELB net/") => "network_load_balancer",
        EniOwner::Instance if eni.trunk => "trunk",
        EniOwner::Instance
        | EniOwner::Eks
        | EniOwner::Fargate
        | EniOwner::LoadBalancer
        | EniOwner::Account => "interface",
    }
}

/// Whether a service manages it for the account.
fn managed(eni: &Eni) -> bool {
    let owned = |owner: &EniOwner| {
        matches!(owner, EniOwner::Eks | EniOwner::Nat | EniOwner::Endpoint | EniOwner::Fargate)
    };
    owned(&eni.owner) || eni.owner == EniOwner::LoadBalancer
}

fn attachment(turn: &Turn<'_>, eni: &Eni) -> Option<Value> {
    let state = match eni.attachment {
        Attachment::Available => return None,
        Attachment::Attaching => "attaching",
        Attachment::Attached => "attached",
        Attachment::Detaching => "detaching",
    };
    let id = eni.metadata.name.as_deref().unwrap_or_default();
    Some(json!({
        "AttachTime": second(turn, eni.created_at),
        "AttachmentId": crate::cloud::id(turn, "eni-attach", id, 0),
        "DeleteOnTermination": true,
        "DeviceIndex": eni.device_index,
        "NetworkCardIndex": 0,
        "InstanceId": eni.instance,
        "InstanceOwnerId": ACCOUNT,
        "Status": state,
    }))
}

/// Its addresses, and whether each is the primary one.
fn addresses(eni: &Eni) -> impl Iterator<Item = (std::net::Ipv4Addr, bool)> {
    std::iter::once((eni.primary_ip, true)).chain(eni.secondary_ips.iter().map(|ip| (*ip, false)))
}

/// What both describe-network-interfaces and describe-instances show of an interface.
fn common(turn: &Turn<'_>, eni: &Eni) -> Map<String, Value> {
    let prefixes: Vec<Value> = eni.prefixes.iter().map(|prefix| json!({ "Ipv4Prefix": prefix })).collect();
    let addresses: Vec<Value> =
        addresses(eni).map(|(ip, primary)| json!({"Primary": primary, "PrivateIpAddress": ip})).collect();
    let ipv6: Vec<Value> =
        eni.ipv6_address.iter().map(|ip| json!({"Ipv6Address": ip, "IsPrimaryIpv6": false})).collect();
    [
        ("Attachment", json!(attachment(turn, eni))),
        ("Description", json!(description(eni))),
        ("Groups", json!(groups(turn, eni))),
        ("InterfaceType", json!(kind(eni))),
        ("Ipv6Addresses", json!(ipv6)),
        ("NetworkInterfaceId", json!(eni.metadata.name)),
        ("OwnerId", json!(ACCOUNT)),
        ("PrivateIpAddress", json!(eni.primary_ip)),
        ("PrivateIpAddresses", json!(addresses)),
        ("Ipv4Prefixes", json!((!prefixes.is_empty()).then_some(prefixes))),
        ("Ipv6Prefixes", json!(eni.ipv6_prefix.map(|prefix| [json!({ "Ipv6Prefix": prefix })]))),
        ("SourceDestCheck", json!(eni.owner != EniOwner::Nat)),
        ("Status", json!(status(eni))),
        ("SubnetId", json!(eni.subnet)),
        ("VpcId", json!(vpc(turn, eni))),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// An interface as `describe-network-interfaces` shows it.
fn shown(turn: &Turn<'_>, eni: &Eni) -> Value {
    let mut shown = common(turn, eni);
    shown.insert("AvailabilityZone".to_owned(), json!(zone(turn, eni)));
    shown.insert("Ipv6Address".to_owned(), json!(eni.ipv6_address));
    shown.insert("RequesterManaged".to_owned(), json!(managed(eni)));
    shown.insert("TagSet".to_owned(), json!(tags::shown(&eni.metadata)));
    Value::Object(shown)
}

fn groups(turn: &Turn<'_>, eni: &Eni) -> Vec<Value> {
    let name = |group: &String| turn.get::<SecurityGroup>("", group).map(group_name);
    eni.security_groups.iter().map(|group| json!({"GroupId": group, "GroupName": name(group)})).collect()
}

/// An interface as its instance shows it.
pub(super) fn of_instance(turn: &Turn<'_>, eni: &Eni) -> Value {
    let mut shown = common(turn, eni);
    if let Some(fields) = shown.get_mut("Attachment").and_then(Value::as_object_mut) {
        // The instance is known here.
        fields.retain(|name, _| !name.starts_with("Instance"));
    }
    Value::Object(shown)
}
