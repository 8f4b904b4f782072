//! `ec2 describe-network-acls`, `create-network-acl`, `delete-network-acl`, `…-network-acl-entry`, `replace-network-acl-association`.
//!
//! Source: the Amazon EC2 API reference (`NetworkAcl`).

use api::{
    Kind, Resource,
    kinds::aws::{NetworkAcl, NetworkAclEntry, Subnet, Vpc},
};
use ipnet::IpNet;
use serde_json::{Value, json};

use super::{
    Answer, Input, Operation,
    input::{absent, just},
    operation, tags,
};
use crate::{
    AwsError, ClusterId, Key, Turn,
    cloud::{ACCOUNT, acl, id, subnet},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeNetworkAcls", describe),
    operation("ec2", "CreateNetworkAcl", create),
    operation("ec2", "DeleteNetworkAcl", delete),
    operation("ec2", "CreateNetworkAclEntry", put_entry),
    operation("ec2", "ReplaceNetworkAclEntry", put_entry),
    operation("ec2", "DeleteNetworkAclEntry", delete_entry),
    operation("ec2", "ReplaceNetworkAclAssociation", associate),
];

const UNKNOWN: (&str, &str) = ("InvalidNetworkAclID.NotFound", "networkAcl ID");

/// The number under which EC2 shows what denies the rest.
const REST: u32 = 32767;

fn name(it: &NetworkAcl) -> &str {
    it.metadata.name.as_deref().unwrap_or_default()
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let found =
        input.select::<NetworkAcl>(turn.store(), "NetworkAclIds", UNKNOWN, |it, filter| match filter {
            "network-acl-id" | "association.network-acl-id" => just(name(it)),
            "association.subnet-id" => Some(guarded(turn, it)),
            "association.association-id" => {
                Some(guarded(turn, it).iter().map(|subnet| association(turn, name(it), subnet)).collect())
            }
            "default" => just(it.is_default),
            "vpc-id" => just(&it.vpc),
            "owner-id" => just(ACCOUNT),
            _ => None,
        })?;
    Ok(json!({"NetworkAcls": found.into_iter().map(|it| shown(turn, it)).collect::<Vec<_>>()}))
}

/// Names of the subnets that it guards.
fn guarded(turn: &Turn<'_>, it: &NetworkAcl) -> Vec<String> {
    let of = |subnet: &&Subnet| acl::of_subnet(turn.store(), subnet).is_some_and(|acl| name(acl) == name(it));
    turn.list::<Subnet>(None).filter(of).filter_map(|subnet| subnet.metadata.name.clone()).collect()
}

fn association(turn: &Turn<'_>, acl: &str, subnet: &str) -> String {
    id(turn, "aclassoc", &format!("{acl} {subnet}"), 0)
}

fn shown(turn: &Turn<'_>, it: &NetworkAcl) -> Value {
    let associations = guarded(turn, it).into_iter().map(|subnet| {
        json!({
            "NetworkAclAssociationId": association(turn, name(it), &subnet),
            "NetworkAclId": name(it),
            "SubnetId": subnet,
        })
    });
    let rest = |number: u32, cidr: &str, egress: bool| {
        let (protocol, cidr) = ("-1".to_owned(), cidr.parse().ok()?);
        Some(NetworkAclEntry { number, egress, protocol, ports: None, cidr, allow: false })
    };
    let ipv6 = turn.get::<Vpc>("", &it.vpc).is_some_and(|vpc| vpc.ipv6_cidr.is_some());
    let families = [(REST, "0.0.0.0/0"), (REST + 1, "::/0")];
    let rests = families.into_iter().take(if ipv6 { 2 } else { 1 });
    let rests = rests
        .flat_map(|(number, cidr)| [true, false].into_iter().filter_map(move |it| rest(number, cidr, it)));
    let mut entries: Vec<NetworkAclEntry> = it.entries.iter().cloned().chain(rests).collect();
    entries.sort_by_key(|entry| (!entry.egress, entry.number));
    json!({
        "Associations": associations.collect::<Vec<_>>(),
        "Entries": entries.iter().map(entry_shown).collect::<Vec<_>>(),
        "IsDefault": it.is_default,
        "NetworkAclId": name(it),
        "Tags": tags::shown(&it.metadata),
        "VpcId": it.vpc,
        "OwnerId": ACCOUNT,
    })
}

fn entry_shown(it: &NetworkAclEntry) -> Value {
    let family = if it.cidr.addr().is_ipv6() { "Ipv6CidrBlock" } else { "CidrBlock" };
    json!({
        family: it.cidr,
        "Egress": it.egress,
        "PortRange": it.ports.map(|(from, to)| json!({"From": from, "To": to})),
        "Protocol": it.protocol,
        "RuleAction": if it.allow { "allow" } else { "deny" },
        "RuleNumber": it.number,
    })
}

/// The ACL that a request names.
/// # Errors
/// `InvalidNetworkAclID.NotFound`.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<NetworkAcl, AwsError> {
    let wanted = input.text("NetworkAclId");
    let found = acl::get(turn.store(), &wanted).cloned();
    found.ok_or_else(|| input.refuse(UNKNOWN.0, absent(UNKNOWN.1, &wanted)))
}

/// One without rules: it denies everything.
fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let vpc = subnet::vpc_named(turn, &input.text("VpcId"), input.action)?.metadata.name.unwrap_or_default();
    let made = (1..).map(|n| id(turn, "acl", &vpc, n)).find(|id| acl::get(turn.store(), id).is_none());
    let metadata = input.metadata(&made.unwrap_or_default());
    let made = NetworkAcl { metadata, vpc, is_default: false, entries: Vec::new() };
    turn.put(made.clone().into_object());
    Ok(json!({ "NetworkAcl": shown(turn, &made) }))
}

fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let it = named(turn, input)?;
    if it.is_default {
        let message = format!("cannot delete default network ACL {}", name(&it));
        return Err(input.refuse("InvalidParameterValue", message));
    }
    if !guarded(turn, &it).is_empty() {
        let message = format!("The networkAcl '{}' has dependencies and cannot be deleted.", name(&it));
        return Err(input.refuse("DependencyViolation", message));
    }
    turn.remove(&Key::new(ClusterId::WORLD, Kind::NetworkAcl, "", name(&it)));
    Ok(json!({}))
}

/// The number and direction of the rule that a request is about.
fn which(input: &Input<'_>) -> Result<(u32, bool), AwsError> {
    let number = input.value["RuleNumber"].as_u64().and_then(|number| u32::try_from(number).ok());
    let egress = input.value["Egress"].as_bool() == Some(true);
    match number.filter(|number| (1..REST).contains(number)) {
        Some(number) => Ok((number, egress)),
        None => {
            let number = &input.value["RuleNumber"];
            let message = format!(
                "Value ({number}) for parameter ruleNumber is invalid. Rule number must be between 1 and 32766."
            );
            Err(input.refuse("InvalidParameterValue", message))
        }
    }
}

fn entry(input: &Input<'_>) -> Result<NetworkAclEntry, AwsError> {
    let (number, egress) = which(input)?;
    let wrong = |name: &str, value: &str| {
        let message = format!("Value ({value}) for parameter {name} is invalid.");
        input.refuse("InvalidParameterValue", message)
    };
    // Source: AWS CLI 2, `awscli/customizations/ec2/protocolarg.py`.
    let protocol = match input.text("Protocol").as_str() {
        "tcp" => "6".to_owned(),
        "udp" => "17".to_owned(),
        "icmp" => "1".to_owned(),
        "all" => "-1".to_owned(),
        number if number.parse::<i16>().is_ok_and(|it| (-1..=255).contains(&it)) => number.to_owned(),
        other => return Err(wrong("protocol", other)),
    };
    let (block, ipv6_block) = (input.text("CidrBlock"), input.text("Ipv6CidrBlock"));
    let cidr = match ipv6_block.is_empty() {
        true => block.parse().map(IpNet::V4).map_err(|_| wrong("cidrBlock", &block))?,
        false => ipv6_block.parse().map(IpNet::V6).map_err(|_| wrong("ipv6CidrBlock", &ipv6_block))?,
    }
    .trunc();
    let allow = match input.text("RuleAction").as_str() {
        "allow" => true,
        "deny" => false,
        other => return Err(wrong("ruleAction", other)),
    };
    let range = &input.value["PortRange"];
    let port = |name: &str| range[name].as_u64().and_then(|port| u16::try_from(port).ok());
    let ports = match (protocol.as_str(), port("From"), port("To")) {
        ("6" | "17", Some(from), Some(to)) => Some((from, to)),
        ("6" | "17", _, _) => {
            let message = "The request must contain the parameter portRange";
            return Err(input.refuse("MissingParameter", message));
        }
        _ => None,
    };
    Ok(NetworkAclEntry { number, egress, protocol, ports, cidr, allow })
}

fn no_entry(input: &Input<'_>, number: u32, egress: bool) -> AwsError {
    let direction = if egress { "egress" } else { "ingress" };
    input.refuse("InvalidNetworkAclEntry.NotFound", format!("no {direction} entry with number {number}"))
}

fn put_entry(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut it = named(turn, input)?;
    let new = entry(input)?;
    let had = it.entries.iter_mut().find(|old| (old.number, old.egress) == (new.number, new.egress));
    match (input.action, had) {
        ("CreateNetworkAclEntry", Some(_)) => {
            let message = format!("The network acl entry identified by {} already exists.", new.number);
            return Err(input.refuse("NetworkAclEntryAlreadyExists", message));
        }
        ("CreateNetworkAclEntry", None) => it.entries.push(new),
        (_, Some(old)) => *old = new,
        (_, None) => return Err(no_entry(input, new.number, new.egress)),
    }
    it.entries.sort_by_key(|entry| (entry.egress, entry.number));
    turn.put(it.into_object());
    Ok(json!({}))
}

fn delete_entry(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut it = named(turn, input)?;
    let (number, egress) = which(input)?;
    let before = it.entries.len();
    it.entries.retain(|entry| (entry.number, entry.egress) != (number, egress));
    if it.entries.len() == before {
        return Err(no_entry(input, number, egress));
    }
    turn.put(it.into_object());
    Ok(json!({}))
}

fn associate(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let it = named(turn, input)?;
    let wanted = input.text("AssociationId");
    let is = |subnet: &&Subnet| {
        let own = subnet.metadata.name.as_deref().unwrap_or_default();
        acl::of_subnet(turn.store(), subnet).is_some_and(|acl| association(turn, name(acl), own) == wanted)
    };
    let Some(mut subnet) = turn.list::<Subnet>(None).find(is).cloned() else {
        return Err(input.refuse("InvalidAssociationID.NotFound", absent("association ID", &wanted)));
    };
    if subnet.vpc != it.vpc {
        let own = subnet.metadata.name.as_deref().unwrap_or_default();
        let message = format!("network ACL {} and subnet {own} belong to different networks", name(&it));
        return Err(input.refuse("InvalidParameterValue", message));
    }
    subnet.network_acl = (!it.is_default).then(|| name(&it).to_owned());
    let new = association(turn, name(&it), subnet.metadata.name.as_deref().unwrap_or_default());
    turn.put(subnet.into_object());
    Ok(json!({ "NewAssociationId": new }))
}
