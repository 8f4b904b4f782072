//! `ec2 describe-route-tables`, `create-route-table`, `associate-route-table`, `create-route`, `replace-route`, `delete-route`.
//!
//! Source: the Amazon EC2 API reference (`RouteTable`, `Route`), the VPC user guide (route tables).

use api::{
    Resource,
    kinds::aws::{InternetGateway, NatGateway, Route, RouteTable, Subnet, Vpc, VpcEndpoint},
};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::{Value, json};

use super::{
    Answer, Input, Operation,
    input::{absent, just},
    operation, tags,
};
use crate::{
    AwsError, Turn,
    cloud::{ACCOUNT, endpoint, id, nat, subnet},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("ec2", "DescribeRouteTables", describe),
    operation("ec2", "CreateRouteTable", create),
    operation("ec2", "AssociateRouteTable", associate),
    operation("ec2", "CreateRoute", put_route),
    operation("ec2", "ReplaceRoute", put_route),
    operation("ec2", "DeleteRoute", delete_route),
];

const UNKNOWN: (&str, &str) = ("InvalidRouteTableID.NotFound", "routeTable ID");

fn describe(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let found =
        input.select::<RouteTable>(turn.store(), "RouteTableIds", UNKNOWN, |it, filter| match filter {
            "route-table-id" | "association.route-table-id" => {
                just(it.metadata.name.as_deref().unwrap_or_default())
            }
            "vpc-id" => just(&it.vpc),
            "owner-id" => just(ACCOUNT),
            "association.main" => just(is_main(turn, it)),
            "association.subnet-id" => Some(subnets(turn, it)),
            "route.destination-cidr-block" => Some(
                routes(turn, it).iter().filter_map(|route| text(route, "DestinationCidrBlock")).collect(),
            ),
            "route.gateway-id" => {
                Some(routes(turn, it).iter().filter_map(|route| text(route, "GatewayId")).collect())
            }
            "route.nat-gateway-id" => {
                Some(routes(turn, it).iter().filter_map(|route| text(route, "NatGatewayId")).collect())
            }
            _ => None,
        })?;
    Ok(json!({"RouteTables": found.into_iter().map(|it| shown(turn, it)).collect::<Vec<_>>()}))
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}

fn name(it: &RouteTable) -> &str {
    it.metadata.name.as_deref().unwrap_or_default()
}

/// Whether it is the one of subnets that are associated with none.
fn is_main(turn: &Turn<'_>, it: &RouteTable) -> bool {
    name(it) == subnet::main_route_table(turn, &it.vpc)
}

/// The subnets that are associated with it by name.
fn subnets(turn: &Turn<'_>, it: &RouteTable) -> Vec<String> {
    let of = turn.list::<Subnet>(None).filter(|subnet| subnet.route_table == name(it) && !is_main(turn, it));
    of.filter_map(|subnet| subnet.metadata.name.clone()).collect()
}

fn association(turn: &Turn<'_>, table: &str, subnet: &str) -> String {
    id(turn, "rtbassoc", &format!("{table} {subnet}"), 0)
}

fn shown(turn: &Turn<'_>, it: &RouteTable) -> Value {
    let entry = |main: bool, subnet: Option<&String>| {
        json!({
            "Main": main,
            "RouteTableAssociationId": association(turn, name(it), subnet.map_or("main", String::as_str)),
            "RouteTableId": name(it),
            "SubnetId": subnet,
            "AssociationState": {"State": "associated"},
        })
    };
    let own = subnets(turn, it);
    let associations = is_main(turn, it).then(|| entry(true, None)).into_iter();
    json!({
        "Associations": associations.chain(own.iter().map(|subnet| entry(false, Some(subnet)))).collect::<Vec<_>>(),
        "PropagatingVgws": [],
        "RouteTableId": name(it),
        "Routes": routes(turn, it),
        "Tags": tags::shown(&it.metadata),
        "VpcId": it.vpc,
        "OwnerId": ACCOUNT,
    })
}

/// What EC2 calls a destination of its family.
fn member(destination: &str) -> &'static str {
    if destination.contains(':') { "DestinationIpv6CidrBlock" } else { "DestinationCidrBlock" }
}

/// Its routes as EC2 shows them: the VPC's own blocks first, then those that somebody made.
fn routes(turn: &Turn<'_>, it: &RouteTable) -> Vec<Value> {
    let vpc = turn.get::<Vpc>("", &it.vpc);
    let cidrs =
        |vpc: &Vpc| vpc.cidrs.iter().copied().map(IpNet::V4).chain(vpc.ipv6_cidr.map(IpNet::V6)).collect();
    let cidrs: Vec<IpNet> = vpc.map(cidrs).unwrap_or_default();
    let local = cidrs.into_iter().map(|cidr| {
        json!({
            member(&cidr.to_string()): cidr,
            "GatewayId": "local",
            "Origin": "CreateRouteTable",
            "State": "active",
        })
    });
    let own = it.routes.iter().filter(|route| route.target != "local").map(|route| {
        let by = match route.target.split('-').next() {
            Some("nat") => "NatGatewayId",
            Some("eigw") => "EgressOnlyInternetGatewayId",
            _ => "GatewayId",
        };
        json!({
            member(&route.destination): route.destination,
            by: route.target,
            "Origin": "CreateRoute",
            "State": if nat::leads_somewhere(turn.store(), &route.target) { "active" } else { "blackhole" },
        })
    });
    let endpoints = turn
        .list::<VpcEndpoint>(None)
        .filter(|endpoint| endpoint.route_tables.iter().any(|table| table == name(it)));
    let lists = endpoints.map(|endpoint| {
        json!({
            "DestinationPrefixListId": endpoint::prefix_list(turn, &endpoint.service),
            "GatewayId": endpoint.metadata.name,
            "Origin": "CreateRoute",
            "State": "active",
        })
    });
    local.chain(own).chain(lists).collect()
}

fn create(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let vpc = subnet::vpc_named(turn, &input.text("VpcId"), input.action)?;
    let vpc = vpc.metadata.name.unwrap_or_default();
    let made = (1..).map(|n| id(turn, "rtb", &vpc, n)).find(|id| turn.get::<RouteTable>("", id).is_none());
    let made = made.unwrap_or_default();
    let table = RouteTable { metadata: input.metadata(&made), vpc, routes: Vec::new() };
    turn.put(table.clone().into_object());
    Ok(json!({ "RouteTable": shown(turn, &table) }))
}

/// The route table that a request names.
/// # Errors
/// `InvalidRouteTableID.NotFound`.
fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<RouteTable, AwsError> {
    let wanted = input.text("RouteTableId");
    let found = turn.get::<RouteTable>("", &wanted).cloned();
    found.ok_or_else(|| input.refuse(UNKNOWN.0, absent(UNKNOWN.1, &wanted)))
}

fn associate(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let table = named(turn, input)?;
    let mut subnet = subnet::asked_for(turn.store(), &input.text("SubnetId"), input.action)?.clone();
    let of = subnet.metadata.name.clone().unwrap_or_default();
    if subnet.vpc != table.vpc {
        let message = format!("Route table {} and subnet {of} belong to different networks", name(&table));
        return Err(input.refuse("InvalidParameterValue", message));
    }
    if subnet.route_table != subnet::main_route_table(turn, &subnet.vpc) && !subnet.route_table.is_empty() {
        let message = format!(
            "the specified association for route table {} conflicts with an existing association",
            name(&table)
        );
        return Err(input.refuse("Resource.AlreadyAssociated", message));
    }
    name(&table).clone_into(&mut subnet.route_table);
    turn.put(subnet.into_object());
    let association = association(turn, name(&table), &of);
    Ok(json!({"AssociationId": association, "AssociationState": {"State": "associated"}}))
}

/// The destination of a request's route.
fn destination(input: &Input<'_>) -> Result<String, AwsError> {
    let (block, ipv6_block) = (input.text("DestinationCidrBlock"), input.text("DestinationIpv6CidrBlock"));
    if !ipv6_block.is_empty() {
        let parsed = ipv6_block.parse::<Ipv6Net>().map(|cidr| cidr.trunc().to_string());
        return parsed.map_err(|_| {
            let why = "is invalid. This is not a valid CIDR block.";
            let message = format!("Value ({ipv6_block}) for parameter destinationIpv6CidrBlock {why}");
            input.refuse("InvalidParameterValue", message)
        });
    }
    match block.parse::<Ipv4Net>() {
        Ok(cidr) => Ok(cidr.trunc().to_string()),
        Err(_) if block.is_empty() => {
            let message = "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId";
            Err(input.refuse("MissingParameter", message))
        }
        Err(_) => {
            let why = "is invalid. This is not a valid CIDR block.";
            let message = format!("Value ({block}) for parameter destinationCidrBlock {why}");
            Err(input.refuse("InvalidParameterValue", message))
        }
    }
}

fn put_route(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut table = named(turn, input)?;
    let destination = destination(input)?;
    let targets = ["NatGatewayId", "EgressOnlyInternetGatewayId", "GatewayId"].map(|it| input.text(it));
    let target = targets.into_iter().find(|it| !it.is_empty()).unwrap_or_default();
    let vpc_of = |target: &str| {
        let nat = turn.get::<NatGateway>("", target).and_then(|nat| subnet::get(turn.store(), &nat.subnet));
        let igw = turn.get::<InternetGateway>("", target);
        nat.map(|subnet| subnet.vpc.clone()).or_else(|| igw.map(|igw| igw.vpc.clone()))
    };
    let Some(vpc) = vpc_of(&target) else {
        let (code, noun) = match target.split('-').next() {
            Some("nat") => ("InvalidNatGatewayID.NotFound", "NatGateway ID"),
            Some("") | None => {
                let message = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId, carrierGatewayId, vpcEndpointId, coreNetworkArn, odbNetworkArn or instanceId";
                return Err(input.refuse("MissingParameter", message));
            }
            Some(_) => ("InvalidGatewayID.NotFound", "gateway ID"),
        };
        return Err(input.refuse(code, absent(noun, &target)));
    };
    if vpc != table.vpc {
        let message =
            format!("route table {} and network gateway {target} belong to different networks", name(&table));
        return Err(input.refuse("InvalidParameterValue", message));
    }
    let cidrs = turn.get::<Vpc>("", &table.vpc).map(|vpc| vpc.cidrs.clone()).unwrap_or_default();
    let had = table.routes.iter_mut().find(|route| route.destination == destination);
    match (input.action, had) {
        ("CreateRoute", Some(_)) => {
            let message = format!("The route identified by {destination} already exists.");
            return Err(input.refuse("RouteAlreadyExists", message));
        }
        ("CreateRoute", None) if cidrs.iter().any(|cidr| cidr.to_string() == destination) => {
            let message = format!("The route identified by {destination} already exists.");
            return Err(input.refuse("RouteAlreadyExists", message));
        }
        ("CreateRoute", None) => table.routes.push(Route { destination, target }),
        (_, Some(route)) => route.target = target,
        (_, None) => return Err(no_route(input, &table, &destination)),
    }
    turn.put(table.into_object());
    Ok(if input.action == "CreateRoute" { json!({"Return": true}) } else { json!({}) })
}

fn no_route(input: &Input<'_>, table: &RouteTable, destination: &str) -> AwsError {
    let message =
        format!("no route with destination-cidr-block {destination} in route table {}", name(table));
    input.refuse("InvalidRoute.NotFound", message)
}

fn delete_route(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut table = named(turn, input)?;
    let destination = destination(input)?;
    let before = table.routes.len();
    table.routes.retain(|route| route.destination != destination);
    if table.routes.len() == before {
        return Err(no_route(input, &table, &destination));
    }
    turn.put(table.into_object());
    Ok(json!({}))
}
