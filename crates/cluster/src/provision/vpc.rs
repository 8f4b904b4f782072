//! Which VPC does a cluster stand in?
//!
//! What eksctl's CloudFormation stack makes: a VPC with an internet gateway, one public and one private subnet a zone,
//! NAT gateways, VPC endpoints where there is no way out, and EKS's cross-account ENIs. Every ENI takes its address.
//! Source: eksctl `pkg/cfn/builder/vpc_ipv4.go`, `vpc_ipv6.go`, `pkg/vpc/vpc.go`; EKS user guide (VPC requirements).

use std::collections::BTreeMap;

use api::{
    Resource,
    kinds::{
        aws::{
            EndpointKind, Eni, EniOwner, InternetGateway, NatGatewayState, Route, RouteTable, SecurityGroup,
            SecurityGroupRule, Subnet, Vpc,
        },
        cni::PoolMode,
        eksctl::{ClusterConfig, NatGateways, SubnetSpec},
    },
    meta::ObjectMeta,
};
use cni::split;
use ipnet::{Ipv4Net, Ipv6Net};

use crate::{
    ClusterId, Refusal, Turn,
    cloud::{
        acl,
        endpoint::{self, NewEndpoint},
        eni::{self, NewEni},
        id, nat,
        security_group::{EVERY_IPV6, everywhere},
        subnet,
    },
};

/// eksctl's own block for a new VPC.
const DEFAULT_CIDR: &str = "192.168.0.0/16";

/// What was laid out.
pub(super) struct Laid {
    /// Name of the VPC.
    pub vpc: String,
    /// Its block.
    pub cidr: Ipv4Net,
    /// Names of its public subnets, by zone.
    pub public: Vec<String>,
    /// Names of its private subnets, by zone.
    pub private: Vec<String>,
    /// Name of the cluster security group.
    pub security_group: String,
}

/// Lays out a VPC for a cluster.
/// # Errors
/// In eksctl's words, if its block cannot be cut.
pub(super) fn lay(turn: &mut Turn<'_>, config: &ClusterConfig) -> Result<Laid, Refusal> {
    let cluster = config.metadata.name.clone();
    let cidr = match config.vpc.cidr {
        Some(cidr) => cidr,
        None => DEFAULT_CIDR.parse().map_err(|_| Refusal::Tool("no block".to_owned()))?,
    };
    let main = turn.store().get::<Vpc>(ClusterId::WORLD, "", "main").is_none();
    // The first VPC of a world has the short names that lessons use.
    let named = |short: &str| if main { short.to_owned() } else { format!("{cluster}-{short}") };
    let vpc = named("main");
    let meta = |name: &str| ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let extra = config.vpc.extra_cidrs.iter().filter_map(|text| text.parse::<Ipv4Net>().ok());
    let cidrs = std::iter::once(cidr).chain(extra).collect();
    let ipv6_cidr = config.is_ipv6().then(|| ipv6_block(turn, &cluster)).flatten();
    turn.put(
        Vpc { metadata: meta(&vpc), cidrs, ipv6_cidr, enable_dns_support: true, enable_dns_hostnames: true }
            .into_object(),
    );
    acl::put_default(turn, &vpc, ipv6_cidr.is_some());
    endpoint::put_default_group(turn, &vpc);
    let to = |destination: &str, target: &str| Route {
        destination: destination.to_owned(),
        target: target.to_owned(),
    };
    let route = |target: &str| to("0.0.0.0/0", target);
    let mut ipv6_way_out = None;
    let fully_private = config.private_cluster.enabled;
    let public_table = named("public");
    if !fully_private {
        let igw = id(turn, "igw", &vpc, 0);
        turn.put(
            InternetGateway { metadata: meta(&igw), vpc: vpc.clone(), egress_only: false }.into_object(),
        );
        let mut routes = vec![route(&igw)];
        if ipv6_cidr.is_some() {
            routes.push(to(EVERY_IPV6, &igw));
            let eigw = id(turn, "eigw", &vpc, 0);
            turn.put(
                InternetGateway { metadata: meta(&eigw), vpc: vpc.clone(), egress_only: true }.into_object(),
            );
            ipv6_way_out = Some(to(EVERY_IPV6, &eigw));
        }
        turn.put(RouteTable { metadata: meta(&public_table), vpc: vpc.clone(), routes }.into_object());
    }
    let main_table = subnet::main_route_table(turn, &vpc);
    turn.put(RouteTable { metadata: meta(&main_table), vpc: vpc.clone(), routes: Vec::new() }.into_object());
    let security_group = named("cluster-sg");
    let rule =
        |peer: &str| SecurityGroupRule { protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() };
    turn.put(
        SecurityGroup {
            metadata: ObjectMeta { annotations: Some(group_words(turn, &cluster)), ..meta(&security_group) },
            vpc: vpc.clone(),
            inbound: vec![rule(&security_group)],
            outbound: everywhere(ipv6_cidr.is_some()),
        }
        .into_object(),
    );
    let (public_specs, private_specs) = subnets(config, cidr)?;
    let count = public_specs.len() + private_specs.len();
    let blocks = ipv6_cidr.map(|block| split::ipv6(block, count)).unwrap_or_default();
    let (public_blocks, private_blocks) = blocks.split_at(public_specs.len().min(blocks.len()));
    let mut public = Vec::new();
    // eksctl makes neither public subnets nor an internet gateway for a fully private cluster.
    for (at, (name, spec)) in public_specs.iter().enumerate().filter(|_| !fully_private) {
        let ipv6 = public_blocks.get(at).copied();
        public.push(put_subnet(turn, &named(name), spec, ipv6, &vpc, &public_table, true));
    }
    let nats = nat_gateways(turn, config, &public, &named)?;
    let mut private = Vec::new();
    for (at, (name, spec)) in private_specs.iter().enumerate() {
        let table = named(&format!("private-{}", letter(spec)));
        let through = nats.get(at).or(nats.first());
        let routes = ipv6_way_out.iter().cloned().chain(through.map(|nat| route(nat))).collect();
        turn.put(RouteTable { metadata: meta(&table), vpc: vpc.clone(), routes }.into_object());
        let ipv6 = private_blocks.get(at).copied();
        private.push(put_subnet(turn, &named(name), spec, ipv6, &vpc, &table, false));
    }
    let shared =
        shared_node_group(turn, &named("shared-node-sg"), &vpc, &security_group, ipv6_cidr.is_some());
    if fully_private && !config.private_cluster.skip_endpoint_creation {
        endpoints(turn, config, &vpc, &private, &shared)?;
    }
    Ok(Laid { vpc, cidr, public, private, security_group })
}

/// The /56 that Amazon gives a VPC: drawn from a range of the region of Seoul.
fn ipv6_block(turn: &Turn<'_>, cluster: &str) -> Option<Ipv6Net> {
    const RANGE: u128 = 0x2406_da12 << 96;
    let drawn = crate::draw::draw(turn.world().seed(), "vpc-ipv6", cluster, 0) & 0xf_ffff;
    Ipv6Net::new((RANGE | u128::from(drawn) << 72).into(), 56).ok()
}

/// The group of eksctl's nodes, which endpoints have too. It and the cluster's own let each other's packets in.
/// Source: eksctl `pkg/cfn/builder/cluster.go` (`addResourcesForSecurityGroups`). MODEL: nodes of self-managed groups have the cluster's
/// group instead of this one and one of their own; the group of the control plane that eksctl makes beside EKS's is left out.
fn shared_node_group(turn: &mut Turn<'_>, name: &str, vpc: &str, cluster_group: &str, ipv6: bool) -> String {
    let rule =
        |peer: &str| SecurityGroupRule { protocol: "-1".to_owned(), ports: None, peer: peer.to_owned() };
    let words = [("description", "Communication between all nodes in the cluster")];
    let metadata = ObjectMeta {
        name: Some(name.to_owned()),
        annotations: Some(words.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
        ..ObjectMeta::default()
    };
    let inbound = vec![rule(name), rule(cluster_group)];
    let outbound = everywhere(ipv6);
    turn.put(SecurityGroup { metadata, vpc: vpc.to_owned(), inbound, outbound }.into_object());
    if let Some(mut own) = turn.get::<SecurityGroup>("", cluster_group).cloned() {
        own.inbound.push(rule(name));
        turn.put(own.into_object());
    }
    name.to_owned()
}

/// Services that every fully private cluster gets an endpoint of, in eksctl's order. Source: eksctl `endpoint_service.go`.
const REQUIRED_SERVICES: [&str; 5] = ["ec2", "ecr.api", "ecr.dkr", "s3", "sts"];

/// The VPC endpoints of a fully private cluster: a gateway for S3 and interfaces for the others, with private DNS.
/// Source: eksctl `pkg/cfn/builder/vpc_endpoint.go`.
fn endpoints(
    turn: &mut Turn<'_>,
    config: &ClusterConfig,
    vpc: &str,
    private: &[String],
    group: &str,
) -> Result<(), Refusal> {
    let more = config.private_cluster.additional_endpoint_services.iter().map(String::as_str);
    for service in REQUIRED_SERVICES.into_iter().chain(more) {
        let gateway = service == "s3";
        let table = |subnet: &String| subnet::get(turn.store(), subnet).map(|it| it.route_table.clone());
        let new = NewEndpoint {
            metadata: ObjectMeta::default(),
            vpc: vpc.to_owned(),
            kind: if gateway { EndpointKind::Gateway } else { EndpointKind::Interface },
            service: format!("com.amazonaws.{}.{service}", config.metadata.region),
            route_tables: private.iter().filter(|_| gateway).filter_map(table).collect(),
            subnets: if gateway { Vec::new() } else { private.to_vec() },
            security_groups: vec![group.to_owned()],
            private_dns: !gateway,
            available: true,
        };
        endpoint::create(turn, new)?;
    }
    Ok(())
}

/// Name and description of the group that EKS makes for a cluster.
/// Source: EKS user guide (security group requirements): `eks-cluster-sg-my-cluster-uniqueID`.
fn group_words(turn: &Turn<'_>, cluster: &str) -> BTreeMap<String, String> {
    let unique = crate::draw::draw(turn.world().seed(), "cluster-sg", cluster, 0) % 1_000_000_000;
    let description = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.";
    [("group-name", format!("eks-cluster-sg-{cluster}-{unique}")), ("description", description.to_owned())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

type Named = Vec<(String, SubnetSpec)>;

/// Public and private subnets, as the config names them or as eksctl cuts them.
fn subnets(config: &ClusterConfig, cidr: Ipv4Net) -> Result<(Named, Named), Refusal> {
    if let Some(given) = &config.vpc.subnets {
        let own = |all: &BTreeMap<String, SubnetSpec>| -> Named {
            all.iter()
                .map(|(name, spec)| {
                    let az = spec.az.clone().or_else(|| Some(name.clone()));
                    (name.clone(), SubnetSpec { az, ..spec.clone() })
                })
                .collect()
        };
        return Ok((own(&given.public), own(&given.private)));
    }
    let zones = zones(config);
    let wanted = u32::try_from(zones.len()).unwrap_or(u32::MAX);
    let split = split::eksctl(cidr, wanted).map_err(|error| Refusal::Tool(error.to_string()))?;
    let name = |side: &str, blocks: Vec<Ipv4Net>| -> Named {
        zones
            .iter()
            .zip(blocks)
            .map(|(zone, cidr)| {
                let spec = SubnetSpec { id: None, az: Some(zone.clone()), cidr: Some(cidr) };
                (format!("{side}-{}", letter(&spec)), spec)
            })
            .collect()
    };
    Ok((name("public", split.public), name("private", split.private)))
}

/// The zones of a new VPC: those asked for, or the region's first three.
fn zones(config: &ClusterConfig) -> Vec<String> {
    if !config.availability_zones.is_empty() {
        return config.availability_zones.clone();
    }
    ["a", "b", "c"].map(|letter| format!("{}{letter}", config.metadata.region)).to_vec()
}

fn letter(spec: &SubnetSpec) -> String {
    let zone = spec.az.as_deref().unwrap_or_default();
    zone.chars().last().map(String::from).unwrap_or_default()
}

fn put_subnet(
    turn: &mut Turn<'_>,
    name: &str,
    spec: &SubnetSpec,
    ipv6_cidr: Option<Ipv6Net>,
    vpc: &str,
    route_table: &str,
    public: bool,
) -> String {
    let Some(cidr) = spec.cidr else { return name.to_owned() };
    let role = if public { "kubernetes.io/role/elb" } else { "kubernetes.io/role/internal-elb" };
    let labels = BTreeMap::from([(role.to_owned(), "1".to_owned())]);
    let subnet = Subnet {
        metadata: ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..ObjectMeta::default() },
        vpc: vpc.to_owned(),
        cidr,
        ipv6_cidr,
        availability_zone: spec.az.clone().unwrap_or_default(),
        map_public_ip_on_launch: public,
        route_table: route_table.to_owned(),
        network_acl: None,
        reservations: Vec::new(),
        held_unseen: 0,
    };
    turn.put(subnet.into_object());
    name.to_owned()
}

fn nat_gateways(
    turn: &mut Turn<'_>,
    config: &ClusterConfig,
    public: &[String],
    named: &dyn Fn(&str) -> String,
) -> Result<Vec<String>, Refusal> {
    // A fully private cluster has no public subnet that one could stand in.
    let count = match config.vpc.nat.gateway {
        Some(NatGateways::Disable) => 0,
        Some(NatGateways::HighlyAvailable) => public.len(),
        Some(NatGateways::Single) | None => 1,
    };
    let mut nats = Vec::new();
    for subnet in public.iter().take(count) {
        let name = id(turn, "nat", subnet, 0);
        let tagged = |name: &str, tag: String| ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([("Name".to_owned(), tag)])),
            ..ObjectMeta::default()
        };
        let address = nat::allocate(turn, |name| tagged(name, named("nat-ip")));
        let state = NatGatewayState::Available;
        nat::create(turn, &name, tagged(&name, named("nat")), subnet, &address, state)?;
        nats.push(name);
    }
    Ok(nats)
}

/// EKS's own ENIs in the cluster's subnets: one in each of the first two zones.
/// Source: EKS user guide: two to four cross-account ENIs.
pub(super) fn cross_account_enis(
    turn: &mut Turn<'_>,
    cluster: &str,
    subnets: &[String],
    security_group: &str,
) -> Result<(), Refusal> {
    let mut zones = Vec::new();
    for name in subnets {
        let zone = subnet::get(turn.store(), name).map(|s| s.availability_zone.clone()).unwrap_or_default();
        if zones.len() == 2 || zones.contains(&zone) {
            continue;
        }
        zones.push(zone);
        let new = NewEni {
            operation: "CreateNetworkInterface",
            subnet: name,
            slots: 0,
            mode: PoolMode::SecondaryIp,
            owner: EniOwner::Eks,
            security_groups: vec![security_group.to_owned()],
            address: None,
            description: format!("Amazon EKS {cluster}"),
        };
        eni::create(turn, new)?;
    }
    Ok(())
}

/// The addresses of a cluster's own ENIs, by zone.
pub(super) fn cross_account_addresses(
    turn: &Turn<'_>,
    cluster: &str,
    id: ClusterId,
) -> Vec<std::net::IpAddr> {
    let wanted = format!("Amazon EKS {cluster}");
    let enis = turn.store().list::<Eni>(ClusterId::WORLD, None).filter(|eni| {
        let annotations = eni.metadata.annotations.as_ref();
        annotations.and_then(|a| a.get("description")).is_some_and(|description| *description == wanted)
    });
    let mut addresses: Vec<_> = enis.map(|eni| eni::address(turn.store(), id, eni)).collect();
    addresses.sort_unstable();
    addresses
}
