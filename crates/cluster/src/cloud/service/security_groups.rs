//! `ec2 describe-security-groups`, `describe-security-group-rules`, `create-security-group`, `delete-security-group`,
//! `authorize-security-group-…`, `revoke-security-group-…`.
//!
//! A rule has one peer; EC2 shows those of one protocol and one range of ports together as a permission.
//! Source: the Amazon EC2 API reference (`SecurityGroup`, `IpPermission`, `SecurityGroupRule`).

use std::collections::BTreeMap;

use api::{
    Kind, Resource,
    kinds::aws::{Eni, SecurityGroup, SecurityGroupRule, Vpc},
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
    cloud::{ACCOUNT, id, security_group::everywhere, subnet},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeSecurityGroups", describe),
    operation("ec2", "DescribeSecurityGroupRules", rules),
    operation("ec2", "CreateSecurityGroup", create),
    operation("ec2", "DeleteSecurityGroup", delete),
    operation("ec2", "AuthorizeSecurityGroupIngress", |turn, input| authorize(turn, input, false)),
    operation("ec2", "AuthorizeSecurityGroupEgress", |turn, input| authorize(turn, input, true)),
    operation("ec2", "RevokeSecurityGroupIngress", |turn, input| revoke(turn, input, false)),
    operation("ec2", "RevokeSecurityGroupEgress", |turn, input| revoke(turn, input, true)),
];

const UNKNOWN: (&str, &str) = ("InvalidGroup.NotFound", "security group");

fn name(it: &SecurityGroup) -> &str {
    it.metadata.name.as_deref().unwrap_or_default()
}

fn annotation<'g>(it: &'g SecurityGroup, key: &str) -> Option<&'g String> {
    it.metadata.annotations.as_ref().and_then(|all| all.get(key))
}

/// The name of a group beside its id.
pub(super) fn group_name(it: &SecurityGroup) -> String {
    annotation(it, "group-name").cloned().unwrap_or_else(|| name(it).to_owned())
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let found =
        input.select::<SecurityGroup>(turn.store(), "GroupIds", UNKNOWN, |it, filter| match filter {
            "group-id" => just(name(it)),
            "group-name" => just(group_name(it)),
            "vpc-id" => just(&it.vpc),
            "owner-id" => just(ACCOUNT),
            "description" => just(annotation(it, "description").map_or("", String::as_str)),
            "ip-permission.group-id" => Some(it.inbound.iter().map(|rule| rule.peer.clone()).collect()),
            "ip-permission.cidr" => Some(it.inbound.iter().map(|rule| rule.peer.clone()).collect()),
            "ip-permission.protocol" => Some(it.inbound.iter().map(|rule| rule.protocol.clone()).collect()),
            "ip-permission.from-port" => {
                Some(it.inbound.iter().filter_map(|rule| Some(rule.ports?.0.to_string())).collect())
            }
            "ip-permission.to-port" => {
                Some(it.inbound.iter().filter_map(|rule| Some(rule.ports?.1.to_string())).collect())
            }
            _ => None,
        })?;
    let names = input.texts("GroupNames");
    let wanted = |it: &&SecurityGroup| names.is_empty() || names.contains(&group_name(it));
    let found = found.into_iter().filter(wanted).map(|it| shown(turn, it)).collect::<Vec<_>>();
    Ok(json!({ "SecurityGroups": found }))
}

fn shown(turn: &Turn<'_>, it: &SecurityGroup) -> Value {
    let tags = tags::shown(&it.metadata);
    json!({
        "GroupId": name(it),
        "IpPermissionsEgress": permissions(&it.outbound),
        "Tags": (!tags.is_empty()).then_some(tags),
        "VpcId": it.vpc,
        "SecurityGroupArn": arn(turn, it),
        "OwnerId": ACCOUNT,
        "GroupName": group_name(it),
        "Description": annotation(it, "description").map_or("", String::as_str),
        "IpPermissions": permissions(&it.inbound),
    })
}

fn arn(turn: &Turn<'_>, it: &SecurityGroup) -> String {
    let region = subnet::region(turn.store(), &it.vpc);
    format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group/{}", name(it))
}

/// Whether a rule's other side is a block, not a group.
fn block(rule: &SecurityGroupRule) -> bool {
    rule.peer.parse::<IpNet>().is_ok()
}

fn permissions(rules: &[SecurityGroupRule]) -> Vec<Value> {
    type Key = (String, Option<(u16, u16)>);
    let mut by: BTreeMap<Key, Vec<&SecurityGroupRule>> = BTreeMap::new();
    for rule in rules {
        by.entry((rule.protocol.clone(), rule.ports)).or_default().push(rule);
    }
    let shown = |((protocol, ports), rules): (Key, Vec<&SecurityGroupRule>)| {
        let blocks =
            |ipv6: bool| rules.iter().filter(move |rule| block(rule) && rule.peer.contains(':') == ipv6);
        let groups = rules.iter().filter(|rule| !block(rule));
        json!({
            "IpProtocol": protocol,
            "FromPort": ports.map(|it| it.0),
            "ToPort": ports.map(|it| it.1),
            "UserIdGroupPairs": groups.map(|it| json!({"UserId": ACCOUNT, "GroupId": it.peer})).collect::<Vec<_>>(),
            "IpRanges": blocks(false).map(|it| json!({"CidrIp": it.peer})).collect::<Vec<_>>(),
            "Ipv6Ranges": blocks(true).map(|it| json!({"CidrIpv6": it.peer})).collect::<Vec<_>>(),
            "PrefixListIds": [],
        })
    };
    by.into_iter().map(shown).collect()
}

fn rule_id(turn: &Turn<'_>, group: &str, egress: bool, rule: &SecurityGroupRule) -> String {
    let SecurityGroupRule { protocol, ports, peer } = rule;
    id(turn, "sgr", &format!("{group} {egress} {protocol} {ports:?} {peer}"), 0)
}

/// Every rule of a group with its direction: those for what goes out first, as EC2 lists them.
fn each(it: &SecurityGroup) -> impl Iterator<Item = (bool, &SecurityGroupRule)> {
    let out = it.outbound.iter().map(|rule| (true, rule));
    out.chain(it.inbound.iter().map(|rule| (false, rule)))
}

fn rules(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let wanted = input.texts("SecurityGroupRuleIds");
    let mut found: Vec<(String, Value)> = Vec::new();
    for group in turn.list::<SecurityGroup>(None) {
        for (egress, rule) in each(group) {
            let id = rule_id(turn, name(group), egress, rule);
            let passes = input.passes(|filter| match filter {
                "group-id" => just(name(group)),
                "security-group-rule-id" => just(&id),
                other => other.strip_prefix("tag:").map(|_| Vec::new()),
            })?;
            if passes && (wanted.is_empty() || wanted.contains(&id)) {
                found.push((id, rule_shown(turn, group, egress, rule)));
            }
        }
    }
    if let Some(unknown) = wanted.iter().find(|id| !found.iter().any(|(it, _)| it == *id)) {
        let message = absent("security group rule ID", unknown);
        return Err(input.refuse("InvalidSecurityGroupRuleId.NotFound", message));
    }
    Ok(json!({"SecurityGroupRules": found.into_iter().map(|(_, it)| it).collect::<Vec<_>>()}))
}

fn rule_shown(turn: &Turn<'_>, group: &SecurityGroup, egress: bool, rule: &SecurityGroupRule) -> Value {
    let id = rule_id(turn, name(group), egress, rule);
    let region = subnet::region(turn.store(), &group.vpc);
    let arn = format!("arn:aws:ec2:{region}:{ACCOUNT}:security-group-rule/{id}");
    json!({
        "SecurityGroupRuleId": id,
        "GroupId": name(group),
        "GroupOwnerId": ACCOUNT,
        "IsEgress": egress,
        "IpProtocol": rule.protocol,
        "FromPort": rule.ports.map_or(-1, |it| i32::from(it.0)),
        "ToPort": rule.ports.map_or(-1, |it| i32::from(it.1)),
        "CidrIpv4": (block(rule) && !rule.peer.contains(':')).then_some(&rule.peer),
        "CidrIpv6": (block(rule) && rule.peer.contains(':')).then_some(&rule.peer),
        "ReferencedGroupInfo": (!block(rule)).then(|| json!({"GroupId": rule.peer, "UserId": ACCOUNT})),
        "Tags": [],
        "SecurityGroupRuleArn": arn,
    })
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let (group, vpc) = (input.text("GroupName"), input.text("VpcId"));
    if turn.get::<Vpc>("", &vpc).is_none() {
        // MODEL: the account has no default VPC.
        let (code, message) = match vpc.as_str() {
            "" => ("VPCIdNotSpecified", "No default VPC for this user".to_owned()),
            vpc => ("InvalidVpcID.NotFound", absent("vpc ID", vpc)),
        };
        return Err(input.refuse(code, message));
    }
    if turn.list::<SecurityGroup>(None).any(|it| it.vpc == vpc && group_name(it) == group) {
        let message = format!("The security group '{group}' already exists for VPC '{vpc}'");
        return Err(input.refuse("InvalidGroup.Duplicate", message));
    }
    let about = format!("{vpc} {group}");
    let made =
        (0..).map(|n| id(turn, "sg", &about, n)).find(|it| turn.get::<SecurityGroup>("", it).is_none());
    let mut metadata = input.metadata(&made.unwrap_or_default());
    let own = [("group-name", group), ("description", input.text("Description"))];
    metadata.annotations = Some(own.map(|(key, value)| (key.to_owned(), value)).into());
    let ipv6 = turn.get::<Vpc>("", &vpc).is_some_and(|vpc| vpc.ipv6_cidr.is_some());
    let made = SecurityGroup { metadata, vpc, inbound: Vec::new(), outbound: everywhere(ipv6) };
    turn.put(made.clone().into_object());
    let tags = tags::shown(&made.metadata);
    Ok(json!({
        "GroupId": name(&made),
        "Tags": (!tags.is_empty()).then_some(tags),
        "SecurityGroupArn": arn(turn, &made),
    }))
}

/// The group that a request names, by id or by name.
/// # Errors
/// `InvalidGroup.NotFound`.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<SecurityGroup, AwsError> {
    let (id, by_name) = (input.text("GroupId"), input.text("GroupName"));
    let found = turn
        .list::<SecurityGroup>(None)
        .find(|it| name(it) == id || (id.is_empty() && !by_name.is_empty() && group_name(it) == by_name));
    let wanted = if id.is_empty() { by_name } else { id };
    found.cloned().ok_or_else(|| input.refuse(UNKNOWN.0, absent(UNKNOWN.1, &wanted)))
}

fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let group = named(turn, input)?;
    let own = name(&group);
    let held = turn.list::<Eni>(None).any(|eni| eni.security_groups.iter().any(|it| it == own));
    let names_it = |it: &SecurityGroup| name(it) != own && each(it).any(|(_, rule)| rule.peer == own);
    if held || turn.list::<SecurityGroup>(None).any(names_it) {
        let message = format!("resource {own} has a dependent object");
        return Err(input.refuse("DependencyViolation", message));
    }
    let key = Key::new(ClusterId::WORLD, Kind::SecurityGroup, "", own);
    turn.remove(&key);
    Ok(json!({ "GroupId": own }))
}

/// The rules that a request describes by its permissions.
/// # Errors
/// `InvalidParameterValue` for a block that is none; `InvalidGroup.NotFound`; `InvalidParameterValue` for a range of ports.
fn described(turn: &Turn<'_>, input: &Input<'_>) -> Result<Vec<SecurityGroupRule>, AwsError> {
    let mut rules = Vec::new();
    for permission in input.value["IpPermissions"].as_array().into_iter().flatten() {
        let protocol = match permission["IpProtocol"].as_str().unwrap_or("-1") {
            "6" => "tcp",
            "17" => "udp",
            "1" => "icmp",
            other => other,
        };
        let port = |name: &str| permission[name].as_i64();
        let ports = match (protocol, port("FromPort"), port("ToPort")) {
            ("-1", _, _) | (_, None, _) => None,
            (_, Some(-1), _) => None,
            (_, Some(from), to) => {
                let to = to.unwrap_or(from);
                let (Ok(first), Ok(last)) = (u16::try_from(from), u16::try_from(to)) else {
                    let message =
                        format!("Invalid value '{from}-{to}' for portRange. Must be in range 0-65535");
                    return Err(input.refuse("InvalidParameterValue", message));
                };
                Some((first, last))
            }
        };
        let mut add = |peer: String| {
            rules.push(SecurityGroupRule { protocol: protocol.to_owned(), ports, peer });
        };
        for (ranges, member, ipv6) in [("IpRanges", "CidrIp", false), ("Ipv6Ranges", "CidrIpv6", true)] {
            for range in permission[ranges].as_array().into_iter().flatten() {
                let text = range[member].as_str().unwrap_or_default();
                let cidr = text.parse::<IpNet>().ok().filter(|cidr| cidr.addr().is_ipv6() == ipv6);
                let Some(cidr) = cidr else {
                    let message = format!("CIDR block {text} is malformed");
                    return Err(input.refuse("InvalidParameterValue", message));
                };
                add(cidr.trunc().to_string());
            }
        }
        for pair in permission["UserIdGroupPairs"].as_array().into_iter().flatten() {
            let text = |name: &str| pair[name].as_str().unwrap_or_default();
            let wanted = [text("GroupId"), text("GroupName")].into_iter().find(|it| !it.is_empty());
            let wanted = wanted.unwrap_or_default();
            let group =
                turn.list::<SecurityGroup>(None).find(|it| name(it) == wanted || group_name(it) == wanted);
            let group = group.ok_or_else(|| input.refuse(UNKNOWN.0, absent(UNKNOWN.1, wanted)))?;
            add(name(group).to_owned());
        }
    }
    Ok(rules)
}

fn side(group: &mut SecurityGroup, egress: bool) -> &mut Vec<SecurityGroupRule> {
    if egress { &mut group.outbound } else { &mut group.inbound }
}

fn authorize(turn: &mut Turn<'_>, input: &Input<'_>, egress: bool) -> Answer {
    let mut group = named(turn, input)?;
    let rules = described(turn, input)?;
    if rules.is_empty() {
        let message = "Missing source specification: include source security group or CIDR information";
        return Err(input.refuse("MissingParameter", message));
    }
    for rule in &rules {
        if side(&mut group, egress).contains(rule) {
            let protocol = rule.protocol.to_uppercase();
            let ports = rule.ports.map(|(from, to)| format!(", from port: {from}, to port: {to}"));
            let message = format!(
                "the specified rule \"peer: {}, {}{}, ALLOW\" already exists",
                rule.peer,
                if protocol == "-1" { "ALL" } else { &protocol },
                ports.unwrap_or_default(),
            );
            return Err(input.refuse("InvalidPermission.Duplicate", message));
        }
        side(&mut group, egress).push(rule.clone());
    }
    turn.put(group.clone().into_object());
    let shown = rules.iter().map(|rule| rule_shown(turn, &group, egress, rule)).collect::<Vec<_>>();
    Ok(json!({"Return": true, "SecurityGroupRules": shown}))
}

fn revoke(turn: &mut Turn<'_>, input: &Input<'_>, egress: bool) -> Answer {
    let mut group = named(turn, input)?;
    let own = name(&group).to_owned();
    let ids = input.texts("SecurityGroupRuleIds");
    let mut gone = described(turn, input)?;
    for wanted in &ids {
        let all = side(&mut group, egress);
        let Some(rule) = all.iter().find(|rule| rule_id(turn, &own, egress, rule) == *wanted) else {
            let message = absent("security group rule ID", wanted);
            return Err(input.refuse("InvalidSecurityGroupRuleId.NotFound", message));
        };
        gone.push(rule.clone());
    }
    if gone.iter().any(|rule| !side(&mut group, egress).contains(rule)) {
        let message = "The specified rule does not exist in this security group.";
        return Err(input.refuse("InvalidPermission.NotFound", message));
    }
    side(&mut group, egress).retain(|rule| !gone.contains(rule));
    turn.put(group.into_object());
    let shown = gone.iter().map(|rule| {
        json!({
            "SecurityGroupRuleId": rule_id(turn, &own, egress, rule),
            "GroupId": own,
            "IsEgress": egress,
            "IpProtocol": rule.protocol,
            "FromPort": rule.ports.map_or(-1, |it| i32::from(it.0)),
            "ToPort": rule.ports.map_or(-1, |it| i32::from(it.1)),
            "CidrIpv4": block(rule).then_some(&rule.peer),
            "ReferencedGroupId": (!block(rule)).then_some(&rule.peer),
        })
    });
    Ok(json!({"Return": true, "RevokedSecurityGroupRules": shown.collect::<Vec<_>>()}))
}
