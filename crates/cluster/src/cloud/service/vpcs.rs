//! `ec2 describe-vpcs`, `describe-prefix-lists`, `describe-vpc-attribute`, `modify-vpc-attribute`.
//!
//! Source: the Amazon EC2 API reference (`Vpc`).

use api::{Resource, kinds::aws::Vpc};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, input::just, operation, tags};
use crate::{
    AwsError, Turn,
    cloud::{
        ACCOUNT,
        endpoint::{self, SERVICES},
        id, subnet,
    },
    node::join::region_of,
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeVpcs", describe),
    operation("ec2", "DescribeVpcAttribute", attribute),
    operation("ec2", "ModifyVpcAttribute", modify),
    operation("ec2", "DescribePrefixLists", prefix_lists),
];

const UNKNOWN: (&str, &str) = ("InvalidVpcID.NotFound", "vpc ID");

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let found = input.select::<Vpc>(turn.store(), "VpcIds", UNKNOWN, |it, filter| match filter {
        "vpc-id" => just(it.metadata.name.as_deref().unwrap_or_default()),
        "cidr" => just(it.cidrs.first()?),
        "cidr-block-association.cidr-block" => Some(it.cidrs.iter().map(ToString::to_string).collect()),
        "is-default" => just(false),
        "owner-id" => just(ACCOUNT),
        "state" => just("available"),
        _ => None,
    })?;
    Ok(json!({"Vpcs": found.into_iter().map(|it| shown(turn, it)).collect::<Vec<_>>()}))
}

fn shown(turn: &Turn<'_>, it: &Vpc) -> Value {
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let tags = tags::shown(&it.metadata);
    json!({
        "OwnerId": ACCOUNT,
        "InstanceTenancy": "default",
        "Ipv6CidrBlockAssociationSet": it.ipv6_cidr.map(|cidr| json!([{
            "AssociationId": id(turn, "vpc-cidr-assoc", &format!("{name} {cidr}"), 0),
            "Ipv6CidrBlock": cidr,
            "Ipv6CidrBlockState": {"State": "associated"},
            "NetworkBorderGroup": subnet::region(turn.store(), name),
            "Ipv6Pool": "Amazon",
        }])),
        "CidrBlockAssociationSet": it.cidrs.iter().map(|cidr| json!({
            "AssociationId": id(turn, "vpc-cidr-assoc", &format!("{name} {cidr}"), 0),
            "CidrBlock": cidr,
            "CidrBlockState": {"State": "associated"},
        })).collect::<Vec<_>>(),
        "IsDefault": false,
        "Tags": (!tags.is_empty()).then_some(tags),
        "VpcId": name,
        "State": "available",
        "CidrBlock": it.cidrs.first(),
        "DhcpOptionsId": id(turn, "dopt", "", 0),
    })
}

fn attribute(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let vpc = subnet::vpc_named(turn, &input.text("VpcId"), input.action)?;
    let (name, value) = match input.text("Attribute").as_str() {
        "enableDnsSupport" => ("EnableDnsSupport", vpc.enable_dns_support),
        "enableDnsHostnames" => ("EnableDnsHostnames", vpc.enable_dns_hostnames),
        "enableNetworkAddressUsageMetrics" => ("EnableNetworkAddressUsageMetrics", false),
        other => {
            let message = format!("Value ({other}) for parameter attribute is invalid. Unknown attribute.");
            return Err(input.refuse("InvalidParameterValue", message));
        }
    };
    Ok(json!({"VpcId": vpc.metadata.name, name: {"Value": value}}))
}

/// Names are given only where addresses are resolved at all.
/// # Errors
/// `InvalidVpcID.NotFound`; `InvalidParameterCombination` for two attributes at once.
fn modify(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut vpc = subnet::vpc_named(turn, &input.text("VpcId"), input.action)?;
    let given = |name: &str| input.value[name]["Value"].as_bool();
    match (given("EnableDnsSupport"), given("EnableDnsHostnames")) {
        (Some(_), Some(_)) => return Err(two_at_once(input)),
        (Some(support), None) => vpc.enable_dns_support = support,
        (None, Some(hostnames)) => vpc.enable_dns_hostnames = hostnames,
        (None, None) => {}
    }
    turn.put(vpc.into_object());
    Ok(json!({}))
}

pub(super) fn two_at_once(input: &Input<'_>) -> AwsError {
    input.refuse("InvalidParameterCombination", "Fields for multiple attribute types specified.")
}

/// The prefix lists of services with gateway endpoints.
fn prefix_lists(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let wanted = input.texts("PrefixListIds");
    let region = turn.list::<api::kinds::aws::Subnet>(None).next();
    let region = region.map(|it| region_of(&it.availability_zone).to_owned()).unwrap_or_default();
    let mut found = Vec::new();
    for (short, _) in SERVICES.iter().filter(|(_, gateway)| *gateway) {
        let name = format!("com.amazonaws.{region}.{short}");
        let own = endpoint::prefix_list(turn, &name);
        let passes = input.passes(|filter| match filter {
            "prefix-list-id" => just(&own),
            "prefix-list-name" => just(&name),
            _ => None,
        })?;
        if passes && (wanted.is_empty() || wanted.contains(&own)) {
            let blocks = vec![endpoint::prefix(short)];
            found.push(json!({"Cidrs": blocks, "PrefixListId": own, "PrefixListName": name}));
        }
    }
    Ok(json!({ "PrefixLists": found }))
}
