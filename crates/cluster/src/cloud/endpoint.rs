//! How do VPC endpoints come and go?
//!
//! A gateway endpoint is routes to a service's prefix list; an interface endpoint is an ENI with an address in each of its
//! subnets, and, with private DNS, the answer to the service's name inside the VPC.
//! Source: the Amazon EC2 API reference (`CreateVpcEndpoint`), the AWS PrivateLink guide.

use std::net::Ipv4Addr;

use api::{
    Kind, Resource,
    kinds::{
        aws::{EndpointKind, Eni, EniOwner, RouteTable, SecurityGroup, VpcEndpoint},
        cni::PoolMode,
    },
    meta::ObjectMeta,
};
use ipnet::Ipv4Net;

use crate::{
    AwsError, ClusterId, Key, Store, Turn,
    cloud::{
        eni::{self, NewEni},
        id, refuse, subnet,
    },
};

/// The services that the lab knows by name, and whether each has a gateway endpoint. An interface endpoint they all have.
/// Source: the AWS PrivateLink guide (services that integrate); DynamoDB and S3 have gateways.
pub const SERVICES: [(&str, bool); 18] = [
    ("autoscaling", false),
    ("cloudformation", false),
    ("dynamodb", true),
    ("ec2", false),
    ("ec2messages", false),
    ("ecr.api", false),
    ("ecr.dkr", false),
    ("eks", false),
    ("eks-auth", false),
    ("elasticfilesystem", false),
    ("elasticloadbalancing", false),
    ("kms", false),
    ("logs", false),
    ("s3", true),
    ("secretsmanager", false),
    ("ssm", false),
    ("ssmmessages", false),
    ("sts", false),
];

/// The short name of a service: `ecr.api` of `com.amazonaws.ap-northeast-2.ecr.api`.
#[must_use]
pub fn short(service: &str) -> &str {
    service.splitn(4, '.').nth(3).unwrap_or_default()
}

/// The public address that a service's name answers.
///
/// MODEL: the real ones are many and change; those of a documentation block stand for them (RFC 5737).
#[must_use]
pub fn public_address(service: &str) -> Ipv4Addr {
    let at = SERVICES.iter().position(|(name, _)| *name == service).unwrap_or_default();
    Ipv4Addr::new(192, 0, 2, u8::try_from(8 * at + 1).unwrap_or_default())
}

/// The block of a service's public addresses: what its prefix list holds.
#[must_use]
pub fn prefix(service: &str) -> Ipv4Net {
    Ipv4Net::new(public_address(service), 29).map(|net| net.trunc()).unwrap_or_default()
}

/// Id of a service's prefix list.
pub(crate) fn prefix_list(turn: &Turn<'_>, service: &str) -> String {
    id(turn, "pl", short(service), 0)
}

/// The endpoint with this name.
#[must_use]
pub fn get<'s>(store: &'s Store, name: &str) -> Option<&'s VpcEndpoint> {
    store.get(ClusterId::WORLD, "", name)
}

/// The ENIs of an interface endpoint, in the order of its subnets.
pub fn enis<'s>(store: &'s Store, endpoint: &'s VpcEndpoint) -> impl Iterator<Item = &'s Eni> {
    let own = description(endpoint.metadata.name.as_deref().unwrap_or_default());
    endpoint.subnets.iter().filter_map(move |subnet| eni::described(store, subnet, &own))
}

/// Source: the AWS PrivateLink guide (endpoint network interfaces).
fn description(name: &str) -> String {
    format!("VPC Endpoint Interface {name}")
}

/// What to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewEndpoint {
    /// Without a name: it is drawn.
    pub metadata: ObjectMeta,
    pub vpc: String,
    pub kind: EndpointKind,
    pub service: String,
    pub route_tables: Vec<String>,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    pub private_dns: bool,
    /// Whether it is ready at once.
    pub available: bool,
}

const OPERATION: &str = "CreateVpcEndpoint";

fn no(message: String) -> AwsError {
    refuse(OPERATION, "InvalidParameter", message)
}

/// Makes an endpoint; gives its id.
/// # Errors
/// `InvalidVpcID.NotFound`, `InvalidServiceName`, `InvalidParameter`, `RouteAlreadyExists`, `DuplicateSubnetsInSameZone`, and
/// whatever keeps an ENI from its address; nothing is made then.
pub(crate) fn create(turn: &mut Turn<'_>, new: NewEndpoint) -> Result<String, AwsError> {
    let vpc = subnet::vpc_named(turn, &new.vpc, OPERATION)?;
    let known = SERVICES.iter().find(|(name, _)| *name == short(&new.service));
    let Some((_, gateway)) = known.filter(|_| new.service.starts_with("com.amazonaws.")) else {
        let message = format!("The Vpc Endpoint Service '{}' does not exist", new.service);
        return Err(refuse(OPERATION, "InvalidServiceName", message));
    };
    match new.kind {
        EndpointKind::Gateway => {
            if !gateway {
                let why = "Endpoint type (Gateway) does not match available service types ([Interface]).";
                return Err(no(why.to_owned()));
            }
            if !new.subnets.is_empty() {
                let why =
                    "Subnet IDs are only supported for Interface and GatewayLoadBalancer type VPC Endpoints.";
                return Err(no(why.to_owned()));
            }
            let lead = |table: &&String| {
                let mut all = turn.list::<VpcEndpoint>(None).filter(|it| it.service == new.service);
                all.any(|it| it.route_tables.contains(table))
            };
            for table in &new.route_tables {
                if turn.get::<RouteTable>("", table).is_none() {
                    let message = format!("The routeTable ID '{table}' does not exist");
                    return Err(refuse(OPERATION, "InvalidRouteTableID.NotFound", message));
                }
            }
            if let Some(table) = new.route_tables.iter().find(lead) {
                let list = prefix_list(turn, &new.service);
                let message =
                    format!("route table {table} already has a route with destination-prefix-list-id {list}");
                return Err(refuse(OPERATION, "RouteAlreadyExists", message));
            }
        }
        EndpointKind::Interface => {
            if !new.route_tables.is_empty() {
                return Err(no(
                    "Route table IDs are only supported for Gateway type VPC Endpoint.".to_owned()
                ));
            }
            if new.private_dns && !(vpc.enable_dns_support && vpc.enable_dns_hostnames) {
                let why = "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for";
                return Err(no(format!("{why} {}", new.vpc)));
            }
            let same = |it: &VpcEndpoint| it.vpc == new.vpc && it.service == new.service && it.private_dns;
            if new.private_dns && turn.list::<VpcEndpoint>(None).any(same) {
                let name = private_name(&new.service);
                let why =
                    "private-dns-enabled cannot be set because there is already a conflicting DNS domain for";
                return Err(no(format!("{why} {name} in the VPC {}", new.vpc)));
            }
        }
    }
    let about = format!("{} {}", new.vpc, new.service);
    let name = (0..).map(|n| id(turn, "vpce", &about, n)).find(|name| get(turn.store(), name).is_none());
    let name = name.unwrap_or_default();
    let groups = if new.security_groups.is_empty() {
        vec![default_group(turn, &new.vpc)]
    } else {
        new.security_groups
    };
    let endpoint = VpcEndpoint {
        metadata: ObjectMeta { name: Some(name.clone()), ..new.metadata },
        vpc: new.vpc,
        kind: new.kind,
        service: new.service,
        route_tables: new.route_tables,
        subnets: Vec::new(),
        security_groups: if new.kind == EndpointKind::Interface { groups } else { Vec::new() },
        private_dns: new.private_dns && new.kind == EndpointKind::Interface,
        available: new.available || new.kind == EndpointKind::Gateway,
        created_at: turn.now(),
    };
    turn.put(endpoint.into_object());
    if let Err(error) = add_subnets(turn, &name, &new.subnets, OPERATION) {
        delete(turn, &name);
        return Err(error);
    }
    Ok(name)
}

/// Gives an interface endpoint an ENI in further subnets, one in a zone.
/// # Errors
/// `InvalidSubnetID.NotFound`, `DuplicateSubnetsInSameZone`, `InsufficientFreeAddressesInSubnet`. Those before stay.
pub(crate) fn add_subnets(
    turn: &mut Turn<'_>,
    name: &str,
    subnets: &[String],
    operation: &str,
) -> Result<(), AwsError> {
    for subnet in subnets {
        let Some(mut endpoint) = get(turn.store(), name).cloned() else { return Ok(()) };
        let zone = subnet::asked_for(turn.store(), subnet, operation)?.availability_zone.clone();
        let stands = |other: &String| {
            subnet::get(turn.store(), other).is_some_and(|other| other.availability_zone == zone)
        };
        if endpoint.subnets.iter().any(stands) {
            let message =
                format!("Found another VPC endpoint subnet in the availability zone of the subnet {subnet}");
            return Err(refuse(operation, "DuplicateSubnetsInSameZone", message));
        }
        let new = NewEni {
            operation,
            subnet,
            slots: 0,
            mode: PoolMode::SecondaryIp,
            owner: EniOwner::Endpoint,
            security_groups: endpoint.security_groups.clone(),
            address: None,
            description: description(name),
        };
        eni::create(turn, new)?;
        endpoint.subnets.push(subnet.clone());
        turn.put(endpoint.into_object());
    }
    Ok(())
}

/// Takes the ENIs of an interface endpoint out of subnets.
pub(crate) fn remove_subnets(turn: &mut Turn<'_>, name: &str, subnets: &[String]) {
    let Some(mut endpoint) = get(turn.store(), name).cloned() else { return };
    let own = description(name);
    for subnet in subnets {
        let eni = eni::described(turn.store(), subnet, &own).and_then(|eni| eni.metadata.name.clone());
        if let Some(eni) = eni {
            eni::delete(turn, &eni);
        }
    }
    endpoint.subnets.retain(|it| !subnets.contains(it));
    turn.put(endpoint.into_object());
}

/// Writes the security groups of an interface endpoint, and of its ENIs.
pub(crate) fn set_groups(turn: &mut Turn<'_>, name: &str, groups: &[String]) {
    let Some(mut endpoint) = get(turn.store(), name).cloned() else { return };
    let enis: Vec<String> =
        enis(turn.store(), &endpoint).filter_map(|eni| eni.metadata.name.clone()).collect();
    for eni in enis {
        eni::change(turn, &eni, |eni| eni.security_groups = groups.to_vec());
    }
    endpoint.security_groups = groups.to_vec();
    turn.put(endpoint.into_object());
}

/// An interface endpoint is ready.
pub(super) fn ready(turn: &mut Turn<'_>, name: &str) {
    if let Some(endpoint) = get(turn.store(), name).cloned() {
        turn.put(VpcEndpoint { available: true, ..endpoint }.into_object());
    }
}

/// Deletes an endpoint with its ENIs. MODEL: at once; EC2 shows it `deleting` for a while.
pub(crate) fn delete(turn: &mut Turn<'_>, name: &str) {
    let Some(endpoint) = get(turn.store(), name).cloned() else { return };
    remove_subnets(turn, name, &endpoint.subnets);
    turn.remove(&Key::new(ClusterId::WORLD, Kind::VpcEndpoint, "", name));
}

/// The name that a service's private DNS answers.
pub(crate) fn private_name(service: &str) -> String {
    let region = service.split('.').nth(2).unwrap_or_default();
    match short(service).split_once('.') {
        Some(("ecr", "dkr")) => format!("*.dkr.ecr.{region}.amazonaws.com"),
        Some((family, part)) => format!("{part}.{family}.{region}.amazonaws.com"),
        None => format!("{}.{region}.amazonaws.com", short(service)),
    }
}

/// The security group that a VPC comes with.
pub(crate) fn default_group(turn: &Turn<'_>, vpc: &str) -> String {
    id(turn, "sg", &format!("{vpc} default"), 0)
}

/// Makes it: whoever has it may speak with whoever has it. Source: the VPC user guide (default security groups).
pub(crate) fn put_default_group(turn: &mut Turn<'_>, vpc: &str) {
    let name = default_group(turn, vpc);
    let rule = |peer: &str| api::kinds::aws::SecurityGroupRule {
        protocol: "-1".to_owned(),
        ports: None,
        peer: peer.to_owned(),
    };
    let words = [("group-name", "default"), ("description", "default VPC security group")];
    let group = SecurityGroup {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            annotations: Some(words.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        },
        vpc: vpc.to_owned(),
        inbound: vec![rule(&name)],
        outbound: vec![rule("0.0.0.0/0")],
    };
    turn.put(group.into_object());
}
