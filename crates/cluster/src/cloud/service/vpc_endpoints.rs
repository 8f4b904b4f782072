//! `ec2 describe-vpc-endpoints`, `describe-vpc-endpoint-services`, `create-vpc-endpoint`, `modify-vpc-endpoint`, `delete-vpc-endpoints`.
//!
//! Source: the Amazon EC2 API reference (`VpcEndpoint`, `ServiceDetail`). MODEL: policies of endpoints are not kept.

use api::{
    Resource,
    kinds::aws::{EndpointKind, SecurityGroup, VpcEndpoint},
};
use serde_json::{Value, json};

use super::{
    Answer, Input, Operation,
    input::{absent, just},
    operation, second,
    security_groups::group_name,
    tags,
};
use crate::{
    AwsError, Turn,
    cloud::{
        ACCOUNT,
        endpoint::{self, NewEndpoint, SERVICES, private_name, short},
        subnet,
    },
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeVpcEndpoints", describe),
    operation("ec2", "DescribeVpcEndpointServices", services),
    operation("ec2", "CreateVpcEndpoint", create),
    operation("ec2", "ModifyVpcEndpoint", modify),
    operation("ec2", "DeleteVpcEndpoints", delete),
];

const UNKNOWN: (&str, &str) = ("InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id");

fn kind(it: &VpcEndpoint) -> &'static str {
    match it.kind {
        EndpointKind::Gateway => "Gateway",
        EndpointKind::Interface => "Interface",
    }
}

fn state(it: &VpcEndpoint) -> &'static str {
    if it.available { "available" } else { "pending" }
}

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let found =
        input.select::<VpcEndpoint>(turn.store(), "VpcEndpointIds", UNKNOWN, |it, filter| match filter {
            "vpc-endpoint-id" => just(it.metadata.name.as_deref().unwrap_or_default()),
            "vpc-endpoint-type" => just(kind(it)),
            "vpc-endpoint-state" => just(state(it)),
            "vpc-id" => just(&it.vpc),
            "service-name" => just(&it.service),
            _ => None,
        })?;
    Ok(json!({"VpcEndpoints": found.into_iter().map(|it| shown(turn, it)).collect::<Vec<_>>()}))
}

fn shown(turn: &Turn<'_>, it: &VpcEndpoint) -> Value {
    let name = it.metadata.name.as_deref().unwrap_or_default();
    let interface = it.kind == EndpointKind::Interface;
    let group =
        |id: &String| json!({"GroupId": id, "GroupName": turn.get::<SecurityGroup>("", id).map(group_name)});
    let enis: Vec<_> = endpoint::enis(turn.store(), it).filter_map(|eni| eni.metadata.name.clone()).collect();
    let region = subnet::region(turn.store(), &it.vpc);
    let letters = crate::draw::hex(turn.world().seed(), "vpce-dns", name, 0, 8);
    let own = format!("{name}-{letters}.{}.{region}.vpce.amazonaws.com", short(&it.service));
    let names = interface.then_some(own).into_iter().chain(it.private_dns.then(|| private_name(&it.service)));
    json!({
        "VpcEndpointId": name,
        "VpcEndpointType": kind(it),
        "VpcId": it.vpc,
        "ServiceName": it.service,
        "State": state(it),
        "RouteTableIds": it.route_tables,
        "SubnetIds": it.subnets,
        "Groups": it.security_groups.iter().map(group).collect::<Vec<_>>(),
        "IpAddressType": interface.then_some("ipv4"),
        "PrivateDnsEnabled": it.private_dns,
        "RequesterManaged": false,
        "NetworkInterfaceIds": enis,
        "DnsEntries": names.map(|name| json!({"DnsName": name})).collect::<Vec<_>>(),
        "CreationTimestamp": second(turn, it.created_at),
        "Tags": tags::shown(&it.metadata),
        "OwnerId": ACCOUNT,
    })
}

fn services(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let wanted = input.texts("ServiceNames");
    let region =
        match turn.list::<api::kinds::aws::Vpc>(None).next().and_then(|it| it.metadata.name.as_deref()) {
            Some(vpc) => subnet::region(turn.store(), vpc),
            None => String::new(),
        };
    let (mut names, mut details) = (Vec::new(), Vec::new());
    for (short, gateway) in SERVICES {
        let name = format!("com.amazonaws.{region}.{short}");
        let kinds = gateway.then_some("Gateway").into_iter().chain(["Interface"]);
        for kind in kinds {
            let passes = input.passes(|filter| match filter {
                "service-name" => just(&name),
                "service-type" => just(kind),
                "owner" => just("amazon"),
                _ => None,
            })?;
            if !passes || !(wanted.is_empty() || wanted.contains(&name)) {
                continue;
            }
            if names.last() != Some(&name) {
                names.push(name.clone());
            }
            details.push(json!({
                "ServiceName": name,
                "ServiceType": [{"ServiceType": kind}],
                "Owner": "amazon",
                "PrivateDnsName": (kind == "Interface").then(|| private_name(&name)),
                "VpcEndpointPolicySupported": true,
                "AcceptanceRequired": false,
                "ManagesVpcEndpoints": false,
            }));
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        let message = format!("The Vpc Endpoint Service '{unknown}' does not exist");
        return Err(input.refuse("InvalidServiceName", message));
    }
    Ok(json!({"ServiceNames": names, "ServiceDetails": details}))
}

/// The security groups that a request names.
/// # Errors
/// `InvalidGroup.NotFound`.
fn groups(turn: &Turn<'_>, input: &Input<'_>, parameter: &str) -> Result<Vec<String>, AwsError> {
    let groups = input.texts(parameter);
    match groups.iter().find(|group| turn.get::<SecurityGroup>("", group).is_none()) {
        Some(unknown) => Err(input.refuse("InvalidGroup.NotFound", absent("security group", unknown))),
        None => Ok(groups),
    }
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let kind = match input.text("VpcEndpointType").as_str() {
        "" | "Gateway" => EndpointKind::Gateway,
        "Interface" => EndpointKind::Interface,
        other => {
            let message = format!("The VPC endpoint type {other} is not available in this lab.");
            return Err(input.refuse("UnsupportedOperation", message));
        }
    };
    let new = NewEndpoint {
        metadata: input.metadata(""),
        vpc: input.text("VpcId"),
        kind,
        service: input.text("ServiceName"),
        route_tables: input.texts("RouteTableIds"),
        subnets: input.texts("SubnetIds"),
        security_groups: groups(turn, input, "SecurityGroupIds")?,
        // The default for services of AWS is to answer their own name.
        private_dns: input.value["PrivateDnsEnabled"].as_bool().unwrap_or(true),
        available: false,
    };
    let made = endpoint::create(turn, new)?;
    Ok(json!({"VpcEndpoint": endpoint::get(turn.store(), &made).map(|it| shown(turn, it))}))
}

fn modify(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let name = input.text("VpcEndpointId");
    let Some(mut it) = endpoint::get(turn.store(), &name).cloned() else {
        return Err(input.refuse(UNKNOWN.0, absent(UNKNOWN.1, &name)));
    };
    let added = groups(turn, input, "AddSecurityGroupIds")?;
    let removed = input.texts("RemoveSecurityGroupIds");
    match it.kind {
        EndpointKind::Gateway => {
            let gone = input.texts("RemoveRouteTableIds");
            it.route_tables.retain(|table| !gone.contains(table));
            for table in input.texts("AddRouteTableIds") {
                if turn.get::<api::kinds::aws::RouteTable>("", &table).is_none() {
                    let message = absent("routeTable ID", &table);
                    return Err(input.refuse("InvalidRouteTableID.NotFound", message));
                }
                if !it.route_tables.contains(&table) {
                    it.route_tables.push(table);
                }
            }
            turn.put(it.into_object());
        }
        EndpointKind::Interface => {
            if let Some(private) = input.value["PrivateDnsEnabled"].as_bool() {
                it.private_dns = private;
                turn.put(it.clone().into_object());
            }
            if !added.is_empty() || !removed.is_empty() {
                it.security_groups.retain(|group| !removed.contains(group));
                it.security_groups.extend(added);
                it.security_groups.dedup();
                endpoint::set_groups(turn, &name, &it.security_groups);
            }
            endpoint::remove_subnets(turn, &name, &input.texts("RemoveSubnetIds"));
            endpoint::add_subnets(turn, &name, &input.texts("AddSubnetIds"), input.action)?;
        }
    }
    Ok(json!({"Return": true}))
}

/// What cannot be deleted is told of one by one.
fn delete(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut left = Vec::new();
    for name in input.texts("VpcEndpointIds") {
        if endpoint::get(turn.store(), &name).is_none() {
            let error = json!({"Code": UNKNOWN.0, "Message": absent(UNKNOWN.1, &name)});
            left.push(json!({"Error": error, "ResourceId": name}));
        }
        endpoint::delete(turn, &name);
    }
    Ok(json!({ "Unsuccessful": left }))
}
