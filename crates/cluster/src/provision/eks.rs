//! How does an EKS cluster come to be?
//!
//! A VPC at once, a control plane after its ten minutes, then add-ons and node groups: the order in which eksctl waits.
//! Source: eksctl `pkg/ctl/create/cluster.go`; EKS API reference.

use api::{
    ApiStatus, Kind, Resource,
    kinds::{
        eks::{Care, EksCluster, FargateProfile},
        eksctl::ClusterConfig,
        sim::{ControlPlane, Provider},
    },
    meta::ObjectMeta,
};
use ipnet::IpNet;

use super::{fargate, nodegroup, release, vpc};
use crate::{
    Change, ClusterId, Controller, Key, Next, Note, Refusal, Store, Turn, What, addons, apiserver,
    cloud::{cluster_updated, refuse},
    parts::{self, Process},
    timing, vpc_resource,
};

/// The version of a cluster whose config names none. Source: eksctl, `DefaultVersion`.
pub(crate) const DEFAULT_VERSION: &str = "1.34";

/// Brings new clusters up.
pub struct Eks;

impl Controller for Eks {
    fn name(&self) -> &'static str {
        "eks"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let object = change.after.as_deref();
        match change.key.kind {
            Kind::EksCluster if object.is_some() => wake(change.key.clone()),
            Kind::FargateProfile => {
                if let Some(profile) = object.and_then(FargateProfile::of) {
                    wake(Key::new(ClusterId::WORLD, Kind::EksCluster, "", &profile.cluster));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(cluster) = turn.get::<EksCluster>("", &key.name).cloned() else { return Ok(Next::Done) };
        if cluster.status == "UPDATING" {
            return Ok(update(turn, cluster));
        }
        if cluster.status != "CREATING" {
            go_on(turn, cluster);
            return Ok(Next::Done);
        }
        let passed = turn.now().since(cluster.since);
        if passed < timing::CLUSTER_CREATE {
            return Ok(Next::After(api::SimDuration(timing::CLUSTER_CREATE.0 - passed.0)));
        }
        activate(turn, cluster);
        Ok(Next::Done)
    }
}

/// Ends the update of a cluster in its time.
fn update(turn: &mut Turn<'_>, mut cluster: EksCluster) -> Next {
    let kind = cluster.updates.last().map(|it| it.kind.clone()).unwrap_or_default();
    let takes = if kind == "VersionUpdate" { timing::CLUSTER_UPGRADE } else { timing::CLUSTER_UPDATE };
    let passed = turn.now().since(cluster.since);
    if passed < takes {
        return Next::After(api::SimDuration(takes.0 - passed.0));
    }
    cluster.since = turn.now();
    let name = cluster.metadata.name.clone().unwrap_or_default();
    let version = cluster_updated(&mut cluster);
    turn.put(cluster.into_object());
    let plane = turn.get::<ControlPlane>("", &name).cloned();
    if let (Some(version), Some(mut plane)) = (version, plane) {
        plane.version = release::kubelet(&release::latest(&version));
        turn.put(plane.into_object());
    }
    Next::Done
}

/// What was asked for with a cluster that is there: its Fargate profiles, one after the other.
fn go_on(turn: &mut Turn<'_>, mut cluster: EksCluster) {
    if cluster.pending.is_none() {
        return;
    }
    let before = cluster.pending.clone();
    if !fargate::next(turn, &mut cluster) {
        cluster.pending = None;
    }
    if cluster.pending != before {
        turn.put(cluster.into_object());
    }
}

/// Begins a cluster: its VPC and its own ENIs are there, its control plane is on the way.
/// # Errors
/// In the words of EKS or eksctl.
pub(super) fn create(turn: &mut Turn<'_>, config: ClusterConfig) -> Result<(), Refusal> {
    let name = config.metadata.name.clone();
    if turn.get::<EksCluster>("", &name).is_some() || super::plane(turn.store(), &name).is_some() {
        let message = format!("Cluster already exists with name: {name}");
        return Err(refuse("CreateCluster", "ResourceInUseException", message).into());
    }
    for group in config.managed_node_groups.iter().chain(&config.node_groups) {
        nodegroup::check(group)?;
    }
    let laid = vpc::lay(turn, &config)?;
    let subnets: Vec<String> = laid.private.iter().chain(&laid.public).cloned().collect();
    vpc::cross_account_enis(turn, &name, &subnets, &laid.security_group)?;
    let network = config.kubernetes_network_config.service_ipv4_cidr.map(IpNet::V4);
    let ipv6 = config.is_ipv6();
    let endpoints = config.vpc.cluster_endpoints;
    let fully_private = config.private_cluster.enabled;
    let id = crate::draw::hex(turn.world().seed(), "endpoint", &name, 0, 32).to_uppercase();
    let region = config.metadata.region.clone();
    let cluster = EksCluster {
        metadata: ObjectMeta {
            name: Some(name),
            creation_timestamp: Some(turn.stamp()),
            ..ObjectMeta::default()
        },
        version: config.metadata.version.clone().unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
        status: "CREATING".to_owned(),
        vpc: laid.vpc,
        subnets,
        service_cidr: match (network, ipv6) {
            (Some(network), false) => network,
            (_, true) => ipv6_service_cidr(turn, &config.metadata.name),
            (None, false) => service_cidr(laid.cidr),
        },
        // MODEL: eksctl closes the public door of a fully private cluster when all else is there; here it is never open.
        endpoint_public_access: endpoints.public_access.unwrap_or(true) && !fully_private,
        endpoint_private_access: endpoints.private_access.unwrap_or(false) || fully_private,
        public_access_cidrs: if config.vpc.public_access_cidrs.is_empty() {
            // Source: EKS API reference (`publicAccessCidrs`).
            ["0.0.0.0/0", "::/0"].into_iter().take(if ipv6 { 2 } else { 1 }).map(str::to_owned).collect()
        } else {
            config.vpc.public_access_cidrs.clone()
        },
        // Source: EKS user guide (cluster API server endpoint: `eks-cluster.region.api.aws` of IPv6 clusters).
        endpoint: format!("https://{id}.gr7.{region}.{}", if ipv6 { "api.aws" } else { "eks.amazonaws.com" }),
        cluster_security_group: laid.security_group,
        since: turn.now(),
        pending: Some(Box::new(config)),
        access_entries: Vec::new(),
        logging: Vec::new(),
        updates: Vec::new(),
    };
    turn.put(cluster.into_object());
    Ok(())
}

/// EKS takes the block that the VPC does not use. Source: EKS API reference (`serviceIpv4Cidr`).
fn service_cidr(vpc: ipnet::Ipv4Net) -> IpNet {
    let third = if vpc.network().octets()[0] == 10 { [172, 20] } else { [10, 100] };
    IpNet::new([third[0], third[1], 0, 0].into(), 16).unwrap_or(IpNet::V4(vpc))
}

/// A /108 of a unique local /48. Source: EKS user guide (IPv6 clusters: "assigns service addresses from … fc00::/7"), with the
/// example `fd30:3087:b6c2::/108`.
fn ipv6_service_cidr(turn: &Turn<'_>, cluster: &str) -> IpNet {
    let drawn =
        u128::from(crate::draw::draw(turn.world().seed(), "service-ipv6", cluster, 0) & 0xff_ffff_ffff);
    let network = (0xfd_u128 << 120) | (drawn << 80);
    IpNet::new(std::net::IpAddr::V6(network.into()), 108).unwrap_or_default()
}

/// The control plane answers: what it holds from the first second, add-ons, node groups.
pub(super) fn activate(turn: &mut Turn<'_>, mut cluster: EksCluster) {
    let config = cluster.pending.take().unwrap_or_default();
    let name = cluster.metadata.name.clone().unwrap_or_default();
    let id = super::next_cluster(turn.store());
    let plane = ControlPlane {
        metadata: ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() },
        id: id.0,
        provider: Provider::Eks,
        version: release::kubelet(&release::latest(&cluster.version)),
        service_cidr: cluster.service_cidr,
        pod_cidr: None,
    };
    turn.put(plane.clone().into_object());
    let zones = parts::zones(&config.metadata.region, &config.availability_zones);
    parts::lay(turn, &plane, &zones);
    let addresses = vpc::cross_account_addresses(turn, &name, id);
    cluster.status = "ACTIVE".to_owned();
    cluster.since = turn.now();
    let profiles = config.fargate_profiles.clone();
    cluster.pending = (!profiles.is_empty())
        .then(|| Box::new(ClusterConfig { fargate_profiles: profiles, ..ClusterConfig::default() }));
    turn.put(cluster.clone().into_object());
    apiserver::bootstrap(turn.world, id, &addresses);
    let there = &mut Turn::new(turn.world, turn.actor, id, turn.cause);
    addons::install(there, vpc_resource::definitions());
    install_addons(turn, &cluster, &config);
    let managed = config.managed_node_groups.iter().map(|group| (group, Care::Managed));
    for (group, care) in managed.chain(config.node_groups.iter().map(|group| (group, Care::SelfManaged))) {
        // The config was checked when the cluster was asked for.
        let _ = nodegroup::create(turn, &name, group, nodegroup::By::Eksctl { care, mapped: true });
    }
}

/// The add-ons that eksctl makes of itself, with what the config says of them, and those that it names beside them.
fn install_addons(turn: &mut Turn<'_>, cluster: &EksCluster, config: &ClusterConfig) {
    let all = config.addons_config.disable_default_addons != Some(true);
    let further = config.addons.iter().map(|it| it.name.as_str()).filter(|it| !addons::DEFAULT.contains(it));
    for name in addons::DEFAULT.into_iter().chain(further) {
        let given = config.addons.iter().find(|it| it.name == name);
        if !all && given.is_none() {
            continue;
        }
        let version = given.and_then(|it| it.version.as_deref()).filter(|version| *version != "latest");
        let values = given.and_then(|it| it.configuration_values.as_deref()).unwrap_or_default();
        let wanted = addons::Wanted { version, values, resolve: addons::Resolve::Overwrite };
        if let Err(error) = addons::create(turn, cluster, name, &wanted) {
            let about = turn.key(Kind::EksCluster, "", &cluster.metadata.name.clone().unwrap_or_default());
            turn.fact(What::Noted(Note::Refused { about, message: error.to_string() }));
        }
    }
}
