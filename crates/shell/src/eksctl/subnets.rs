//! In which subnets may eksctl put a new node group?
//!
//! Source: eksctl `pkg/actions/nodegroup/create.go` (`validateSubnetsAvailability`), `pkg/vpc/vpc.go` (`SelectNodeGroupSubnets`,
//! `ValidateLegacySubnetsForNodeGroups`).
//! MODEL: the maps of subnets that eksctl writes into its errors as Go prints them are left out.

use ::cluster::{ClusterId, World};
use api::kinds::{aws::Subnet, eks::EksCluster, eksctl::NodeGroup};

/// A subnet of the cluster, and whether it is a public one.
struct Known<'w> {
    name: &'w str,
    zone: &'w str,
    public: bool,
}

fn known<'w>(world: &'w World, eks: &'w EksCluster) -> Vec<Known<'w>> {
    let store = world.store();
    let all = eks.subnets.iter().filter_map(|name| {
        let subnet = store.get::<Subnet>(ClusterId::WORLD, "", name)?;
        let roles = subnet.metadata.labels.as_ref();
        let public = roles.is_some_and(|it| it.contains_key("kubernetes.io/role/elb"));
        Some(Known { name, zone: &subnet.availability_zone, public })
    });
    all.collect()
}

/// Why eksctl makes no group.
pub(super) enum No {
    /// It says so before it does anything.
    Before(String),
    /// The same, with a remark on what is wrong.
    Misconfigured(String, String),
    /// It finds out while it writes the group's stack.
    Within(String),
}

/// What eksctl objects to. Gives a warning, if there is one.
/// # Errors
/// In eksctl's words.
pub(super) fn check(world: &World, cluster: &str, group: &NodeGroup) -> Result<Option<String>, No> {
    let Some(eks) = world.store().get::<EksCluster>(ClusterId::WORLD, "", cluster) else { return Ok(None) };
    let own = known(world, eks);
    let private = group.private_networking == Some(true);
    let network = if private { "private" } else { "public" };
    let gone = |from: &str| {
        format!(
            "all {network} subnets from {from}, that the cluster was originally created on, have been deleted; to create {network} nodegroups within {from} please manually set valid {network} subnets via nodeGroup.SubnetIDs"
        )
    };
    if group.subnets.is_empty() {
        let fitting: Vec<&Known<'_>> = own.iter().filter(|it| it.public != private).collect();
        let lacking = group.availability_zones.iter().find(|zone| fitting.iter().all(|it| it.zone != **zone));
        if let Some(zone) = lacking {
            return Err(No::Before(gone(zone)));
        }
        if fitting.is_empty() {
            return Err(No::Before(gone(&eks.vpc)));
        }
    }
    let mut warning = None;
    for wanted in &group.subnets {
        match own.iter().find(|it| it.name == wanted) {
            Some(it) if !it.public && !private => {
                return Err(selecting(
                    private,
                    &format!(
                        "subnet {wanted} is specified as private in ClusterConfig, thus must only be used when `privateNetworking` is enabled"
                    ),
                ));
            }
            Some(it) if it.public && private => {
                warning = Some(format!(
                    "public subnet {wanted} is being used with `privateNetworking` enabled, please ensure this is the desired behaviour"
                ));
            }
            Some(_) => {}
            None => elsewhere(world, eks, wanted).map_err(|why| selecting(private, &why))?,
        }
    }
    without_public_addresses(world, eks, &own, group, cluster)?;
    Ok(warning)
}

/// Only public subnets are looked at beforehand.
fn selecting(private: bool, why: &str) -> No {
    let why = format!("could not select subnets from subnet IDs: {why}");
    if private { No::Within(why) } else { No::Before(format!("could not find public subnets: {why}")) }
}

/// A subnet of the account that the cluster was not made with.
fn elsewhere(world: &World, eks: &EksCluster, wanted: &str) -> Result<(), String> {
    match world.store().get::<Subnet>(ClusterId::WORLD, "", wanted) {
        None => Err(format!(
            "operation error EC2: DescribeSubnets, https response error StatusCode: 400, api error InvalidSubnetID.NotFound: The subnet ID '{wanted}' does not exist"
        )),
        Some(subnet) if subnet.vpc != eks.vpc => {
            Err(format!("subnet with ID {wanted:?} is not in the attached VPC with ID {:?}", eks.vpc))
        }
        Some(_) => Ok(()),
    }
}

/// Nodes of public subnets need public addresses, unless the endpoint can be reached inside.
fn without_public_addresses(
    world: &World,
    eks: &EksCluster,
    own: &[Known<'_>],
    group: &NodeGroup,
    cluster: &str,
) -> Result<(), No> {
    if group.private_networking == Some(true) || eks.endpoint_private_access {
        return Ok(());
    }
    let meant = |it: &&Known<'_>| match (group.subnets.is_empty(), group.availability_zones.is_empty()) {
        (false, _) => group.subnets.iter().any(|name| name == it.name),
        (true, false) => it.public && group.availability_zones.iter().any(|zone| zone == it.zone),
        (true, true) => it.public,
    };
    let maps = |it: &Known<'_>| {
        let subnet = world.store().get::<Subnet>(ClusterId::WORLD, "", it.name);
        subnet.is_some_and(|it| it.map_public_ip_on_launch)
    };
    let wrong: Vec<&str> = own.iter().filter(meant).filter(|it| !maps(it)).map(|it| it.name).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let found = format!(
        "found mis-configured or non-public subnets [{}]. Expected public subnets with property \"MapPublicIpOnLaunch\" enabled. Without it new nodes won't get an IP assigned",
        wrong.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(" ")
    );
    let fix = format!("eksctl utils update-legacy-subnet-settings --cluster {cluster}");
    let why = "subnets for one or more new nodegroups don't meet requirements. To fix this, please run";
    Err(No::Misconfigured(found, format!("{why} `{fix}`")))
}
