//! `eksctl create|scale|upgrade nodegroup`.
//!
//! Source: eksctl `pkg/ctl/create/nodegroup.go`, `pkg/actions/nodegroup`, `pkg/eks/{client,nodegroup_service}.go`.

use ::cluster::{
    ClusterId, World,
    provision::{Provision, newest_image, release_of},
};
use api::{
    Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        eks::{Care, EksCluster, NodeRepairConfig, Nodegroup},
        eksctl::{ClusterConfig, NodeGroup},
    },
};

use super::{
    ask, cluster_name, config, critical, done, exists, included, log, named, patience,
    subnets::{self, No},
    tasks::Task,
    warn,
};
use crate::{flag::Given, kubectl::known, tool::Call};

/// Longest wait for a group: eksctl's `--timeout`.
pub(super) const LONGEST: SimDuration = SimDuration::secs(25 * 60);
/// Longest wait for an upgrade. Source: eksctl `pkg/ctl/upgrade/nodegroup.go` (45 minutes unless `--timeout` says otherwise).
const UPGRADE: SimDuration = SimDuration::secs(45 * 60);

pub(super) fn groups(world: &World, cluster: &str) -> Vec<Nodegroup> {
    let all = world.store().list::<Nodegroup>(ClusterId::WORLD, None);
    all.filter(|group| group.cluster == cluster).cloned().collect()
}

pub(super) fn name(group: &Nodegroup) -> &str {
    group.metadata.name.as_deref().unwrap_or_default()
}

/// Whether a node is of a group.
pub(super) fn is_of(node: &Node, group: &str) -> bool {
    let labels = node.metadata.labels.as_ref();
    labels.and_then(|it| it.get("alpha.eksctl.io/nodegroup-name")).is_some_and(|it| it == group)
}

/// Names of a group's nodes that are ready.
fn ready(world: &World, cluster: &str, group: &str) -> Vec<String> {
    let Some(plane) = known::plane(world, cluster) else { return Vec::new() };
    let nodes = world.store().list::<Node>(ClusterId(plane.id), None);
    nodes
        .filter(|node| {
            let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
            is_of(node, group) && conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
        })
        .filter_map(|node| node.meta().name.clone())
        .collect()
}

/// The groups that are asked for, by a file or by flags, and who looks after each.
fn wanted(
    call: &mut Call<'_, '_>,
    given: &Given,
    word: Option<&str>,
) -> Result<(String, Vec<(NodeGroup, Care)>), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let Some(config) = config else {
        // Flags make a managed group unless they say otherwise.
        let care = if given.not_off("managed") { Care::Managed } else { Care::SelfManaged };
        let managed_only = ["spot", "enable-node-repair", "instance-types"];
        if let Some(flag) = managed_only.into_iter().find(|flag| care == Care::SelfManaged && given.has(flag))
        {
            let why = format!("--{flag} is only valid with managed nodegroups (--managed)");
            return Err(format!("Error: couldn't create node group filter from command line options: {why}"));
        }
        let group = from_flags(given, word, call.shell.world)?;
        exists(call.shell.world, &cluster)?;
        checked(call.shell.world, &cluster, &group, care)?;
        return Ok((cluster, vec![(group, care)]));
    };
    exists(call.shell.world, &cluster)?;
    let own = config.node_groups.into_iter().map(|group| (group, Care::SelfManaged));
    let managed = config.managed_node_groups.into_iter().map(|group| (group, Care::Managed));
    Ok((cluster, own.chain(managed).collect()))
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, wanted) = wanted(call, given, word)?;
    // Without it the cluster is not told of the nodes' role, and nobody waits for them.
    let mapped = given.not_off("update-auth-configmap");
    let there: Vec<String> = groups(call.shell.world, &cluster).iter().map(|g| name(g).to_owned()).collect();
    let minor = minor(call.shell.world, &cluster);
    log(call, &format!("will use version {minor} for new nodegroup(s) based on control plane version"));
    for (group, care) in &wanted {
        let image = image(call.shell.world, &cluster, group, *care);
        log(call, &format!("nodegroup {:?} will use {image:?} [{}/{minor}]", group.name, group.family()));
    }
    let mut late = None;
    for (group, _) in &wanted {
        match subnets::check(call.shell.world, &cluster, group) {
            Ok(warning) => warning.into_iter().for_each(|it| warn(call, &it)),
            Err(No::Before(why)) => return Err(format!("Error: {why}")),
            Err(No::Misconfigured(found, why)) => {
                critical(call, &found);
                return Err(format!("Error: {why}"));
            }
            Err(No::Within(why)) => late = Some(why),
        }
    }
    if !there.is_empty() {
        log(call, &format!("{} existing nodegroup(s) ({}) will be excluded", there.len(), there.join(",")));
    }
    let new: Vec<(NodeGroup, Care)> =
        wanted.into_iter().filter(|(group, _)| !there.contains(&group.name)).collect();
    announce(call, &cluster, &new);
    log(call, "checking cluster stack for missing resources");
    log(call, "cluster stack has all required resources");
    if let Some(why) = late {
        return Err(failed(call, &cluster, &why));
    }
    let sizes: Vec<(String, u32, Care)> = new
        .iter()
        .map(|(g, care)| (g.name.clone(), g.desired_capacity.or(g.min_size).unwrap_or(2), *care))
        .collect();
    for (group, care) in new {
        let stack = format!("eksctl-{cluster}-nodegroup-{}", group.name);
        log(call, &format!("building {} stack {stack:?}", word_of(care)));
        log(call, &format!("deploying stack {stack:?}"));
        let group = Box::new(group);
        ask(call, Provision::CreateNodegroup { cluster: cluster.clone(), group, care, mapped })?;
    }
    for (group, _, _) in &sizes {
        log(call, &format!("waiting for CloudFormation stack \"eksctl-{cluster}-nodegroup-{group}\""));
    }
    joined(call, &cluster, &sizes, mapped, patience(given, LONGEST))?;
    log(call, "checking security group configuration for all nodegroups");
    log(call, "all nodegroups have up-to-date cloudformation templates");
    Ok(())
}

fn minor(world: &World, cluster: &str) -> String {
    let version = known::plane(world, cluster).map(|p| p.version.clone()).unwrap_or_default();
    version.trim_start_matches('v').split('.').take(2).collect::<Vec<_>>().join(".")
}

/// The image that eksctl looks up itself: of self-managed groups, and of families that EKS builds none of.
fn image(world: &World, cluster: &str, group: &NodeGroup, care: Care) -> String {
    let given = group.ami.clone().filter(|it| it.starts_with("ami-"));
    let looked_up = care == Care::SelfManaged || group.family().starts_with("Ubuntu");
    given
        .or_else(|| looked_up.then(|| newest_image(group.family(), &minor(world, cluster))))
        .unwrap_or_default()
}

fn word_of(care: Care) -> &'static str {
    if care == Care::Managed { "managed nodegroup" } else { "nodegroup" }
}

/// What is about to be made.
fn announce(call: &mut Call<'_, '_>, cluster: &str, new: &[(NodeGroup, Care)]) {
    let names: Vec<&str> = new.iter().map(|(g, _)| g.name.as_str()).collect();
    included(call, &names);
    let of = |wanted: Care| -> Vec<Task> {
        let own = new.iter().filter(|(_, care)| *care == wanted);
        own.map(|(g, care)| Task::One(format!("create {} {:?}", word_of(*care), g.name))).collect()
    };
    let mut all = Vec::new();
    for care in [Care::SelfManaged, Care::Managed] {
        let tasks = of(care);
        if !tasks.is_empty() {
            let count = tasks.len();
            let what = "will create a CloudFormation stack for each of";
            log(call, &format!("{what} {count} {}s in cluster {cluster:?}", word_of(care)));
            all.push(Task::parallel(tasks));
        }
    }
    let tree = Task::sequential(vec![Task::One("fix cluster compatibility".to_owned()), Task::parallel(all)]);
    log(call, &tree.describe());
}

/// A stack that could not be made.
fn failed(call: &mut Call<'_, '_>, cluster: &str, why: &str) -> String {
    let region = known::region(call.shell.world, cluster);
    log(
        call,
        "1 error(s) occurred and nodegroups haven't been created properly, you may wish to check CloudFormation console",
    );
    log(
        call,
        &format!(
            "to cleanup resources, run 'eksctl delete nodegroup --region={region} --cluster={cluster} --name=<name>' for each of the failed nodegroup"
        ),
    );
    critical(call, why);
    format!("Error: failed to create nodegroups for cluster {cluster:?}")
}

/// Waits until the nodes of new groups are there, and says so.
fn joined(
    call: &mut Call<'_, '_>,
    cluster: &str,
    sizes: &[(String, u32, Care)],
    mapped: bool,
    patience: SimDuration,
) -> Result<(), String> {
    // MODEL: a stack of a managed group is complete when its nodes are there; eksctl waits here for both at once.
    log(call, "no tasks");
    for care in [Care::SelfManaged, Care::Managed] {
        let of: Vec<&(String, u32, Care)> = sizes.iter().filter(|(_, _, whose)| *whose == care).collect();
        for (group, wanted, _) in
            of.iter().filter(|(_, wanted, _)| *wanted > 0 && (care == Care::Managed || mapped))
        {
            await_nodes(call, cluster, group, *wanted, patience)?;
        }
        done(call, &format!("created {} {}(s) in cluster {cluster:?}", of.len(), word_of(care)));
    }
    Ok(())
}

/// Waits for nodes of a group. Source: eksctl `pkg/eks/client.go` (`WaitForNodes`).
/// # Errors
/// When the time is over.
pub(super) fn await_nodes(
    call: &mut Call<'_, '_>,
    cluster: &str,
    group: &str,
    wanted: u32,
    patience: SimDuration,
) -> Result<(), String> {
    let enough = usize::try_from(wanted).unwrap_or(usize::MAX);
    let came =
        call.shell.wait_until(patience, call.out, |world| ready(world, cluster, group).len() >= enough);
    report(call, cluster, group);
    log(call, &format!("waiting for at least {wanted} node(s) to become ready in {group:?}"));
    if !came {
        return Err(format!(
            "Error: timed out waiting for at least {wanted} nodes to join the cluster and become ready in {group:?}: context deadline exceeded"
        ));
    }
    report(call, cluster, group);
    Ok(())
}

/// What eksctl objects to about a group that flags describe, and about the subnets of any.
fn checked(world: &World, cluster: &str, group: &NodeGroup, care: Care) -> Result<(), String> {
    let eks = world.store().get::<EksCluster>(ClusterId::WORLD, "", cluster);
    let mut config = ClusterConfig::default();
    cluster.clone_into(&mut config.metadata.name);
    config.metadata.region = known::region(world, cluster);
    config.metadata.version = eks.map(|it| it.version.clone());
    match care {
        Care::Managed => config.managed_node_groups.push(group.clone()),
        Care::SelfManaged => config.node_groups.push(group.clone()),
    }
    config.problem().map_or(Ok(()), |problem| Err(format!("Error: {problem}")))
}

fn report(call: &mut Call<'_, '_>, cluster: &str, group: &str) {
    let nodes = ready(call.shell.world, cluster, group);
    log(call, &format!("nodegroup {group:?} has {} node(s)", nodes.len()));
    for node in nodes {
        log(call, &format!("node {node:?} is ready"));
    }
}

fn from_flags(given: &Given, word: Option<&str>, world: &World) -> Result<NodeGroup, String> {
    let number = |flag: &str| given.int(flag).and_then(|n| u32::try_from(n).ok());
    let name = named(given, word)?.map(str::to_owned);
    let name = name.unwrap_or_else(|| {
        format!(
            "ng-{:08x}",
            ::cluster::draw::draw(world.seed(), "nodegroup", &world.now().0.to_string(), 0) & 0xffff_ffff
        )
    });
    let mut labels = std::collections::BTreeMap::new();
    for pair in given.list("node-labels").into_iter().filter(|p| !p.is_empty()) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(format!(
                "Error: invalid argument {pair:?} for \"--node-labels\" flag: {pair} must be formatted as key=value"
            ));
        };
        labels.insert(key.to_owned(), value.to_owned());
    }
    let words =
        |flag: &str| given.list(flag).into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect();
    Ok(NodeGroup {
        name,
        instance_type: given.value("node-type").map(str::to_owned),
        instance_types: words("instance-types"),
        spot: given.has("spot").then(|| given.on("spot")),
        desired_capacity: number("nodes"),
        min_size: number("nodes-min"),
        max_size: number("nodes-max"),
        labels,
        private_networking: given.has("node-private-networking").then(|| given.on("node-private-networking")),
        availability_zones: words("node-zones"),
        subnets: words("subnet-ids"),
        max_pods_per_node: number("max-pods-per-node"),
        volume_size: number("node-volume-size"),
        node_repair_config: given.has("enable-node-repair").then(|| NodeRepairConfig {
            enabled: Some(given.on("enable-node-repair")),
            ..NodeRepairConfig::default()
        }),
        ami: given.value("node-ami").map(str::to_owned),
        ami_family: given.value("node-ami-family").map(str::to_owned),
        ..NodeGroup::default()
    })
}

pub(super) fn scale(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let wanted = named(given, word)?;
    let Some(config) = config else {
        let Some(group) = wanted else {
            let why = "a config file is required when --name is not set or when scaling multiple nodegroups";
            return Err(format!("Error: {why}"));
        };
        let cluster = cluster_name(given, None)?;
        let sizes =
            Sizes { desired: given.int("nodes"), min: given.int("nodes-min"), max: given.int("nodes-max") };
        sizes.check().map_or(Ok(()), |why| Err(format!("Error: {why}")))?;
        exists(call.shell.world, &cluster)?;
        return scale_one(call, given, &cluster, group, &sizes);
    };
    let cluster = config.metadata.name.clone();
    let all: Vec<&NodeGroup> = config.node_groups.iter().chain(&config.managed_node_groups).collect();
    let meant: Vec<&NodeGroup> =
        all.into_iter().filter(|it| wanted.is_none_or(|name| it.name == name)).collect();
    match wanted {
        Some(name) if meant.is_empty() => {
            return Err(format!("Error: nodegroup {name} not found in config file"));
        }
        None if meant.is_empty() => return Err("Error: no nodegroups found in config file".to_owned()),
        _ => {}
    }
    exists(call.shell.world, &cluster)?;
    for group in meant {
        if group.desired_capacity.is_none() {
            return Err("Error: number of nodes must be 0 or greater".to_owned());
        }
        let number = |it: Option<u32>| it.map(i64::from);
        let sizes = Sizes {
            desired: number(group.desired_capacity),
            min: number(group.min_size),
            max: number(group.max_size),
        };
        scale_one(call, given, &cluster, &group.name, &sizes)?;
    }
    Ok(())
}

/// Sizes that are asked for.
struct Sizes {
    desired: Option<i64>,
    min: Option<i64>,
    max: Option<i64>,
}

impl Sizes {
    /// What eksctl objects to. Source: eksctl `pkg/ctl/cmdutils/scale.go` (`validateNumberOfNodesCLI`).
    fn check(&self) -> Option<&'static str> {
        let negative = |it: Option<i64>| it.is_some_and(|number| number < 0);
        let beyond = |one: Option<i64>, other: Option<i64>| one.zip(other).is_some_and(|(a, b)| a > b);
        match (self.desired, self.min, self.max) {
            (None, None, None) => Some("at least one of minimum, maximum and desired nodes must be set"),
            (desired, ..) if negative(desired) => Some("number of nodes must be 0 or greater"),
            (_, min, _) if negative(min) => Some("minimum of nodes must be 0 or greater"),
            (.., max) if negative(max) => Some("maximum of nodes must be 0 or greater"),
            (_, min, max) if beyond(min, max) => {
                Some("maximum number of nodes must be greater than minimum number of nodes")
            }
            (desired, _, max) if beyond(desired, max) => {
                Some("maximum number of nodes must be greater than or equal to number of nodes")
            }
            (desired, min, _) if beyond(min, desired) => {
                Some("minimum number of nodes must be fewer than or equal to number of nodes")
            }
            _ => None,
        }
    }
}

fn scale_one(
    call: &mut Call<'_, '_>,
    given: &Given,
    cluster: &str,
    group: &str,
    sizes: &Sizes,
) -> Result<(), String> {
    log(call, &format!("scaling nodegroup {group:?} in cluster {cluster}"));
    let number = |it: Option<i64>| it.and_then(|number| u32::try_from(number).ok());
    let what = Provision::ScaleNodegroup {
        cluster: cluster.to_owned(),
        name: group.to_owned(),
        desired: number(sizes.desired),
        min: number(sizes.min),
        max: number(sizes.max),
    };
    ask(call, what).map_err(|error| {
        let why = error.trim_start_matches("Error: ");
        format!("Error: failed to scale nodegroup {group:?} for cluster {cluster:?}, error: {why}")
    })?;
    log(call, "initiated scaling of nodegroup");
    if given.on("wait") {
        log(call, &format!("waiting for scaling of nodegroup {group:?} to complete"));
        call.shell.wait_until(patience(given, LONGEST), call.out, |world| {
            groups(world, cluster).iter().any(|it| name(it) == group && it.status == "ACTIVE")
        });
        log(call, "nodegroup successfully scaled");
        return Ok(());
    }
    let region = known::region(call.shell.world, cluster);
    let see = format!("eksctl get nodegroup --cluster {cluster} --region {region} --name {group}");
    log(call, &format!("to see the status of the scaling run `{see}`"));
    Ok(())
}

/// `eksctl upgrade nodegroup`. Source: eksctl `pkg/actions/nodegroup/upgrade.go` (`upgradeUsingStack`).
pub(super) fn upgrade(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let cluster = cluster_name(given, config(call, given)?.as_ref())?;
    let Some(wanted) = named(given, word)?.map(str::to_owned) else {
        return Err("Error: name must be set".to_owned());
    };
    exists(call.shell.world, &cluster)?;
    let find = |world: &World| groups(world, &cluster).into_iter().find(|g| name(g) == wanted);
    let Some(group) = find(call.shell.world).filter(|g| g.care == Care::Managed) else {
        let why = "upgrade is only supported for managed nodegroups; could not find one with name";
        return Err(format!("Error: {why} {wanted:?}"));
    };
    match group.status.as_str() {
        "ACTIVE" => {}
        "UPDATING" => {
            let why = "nodegroup is currently being updated, please retry the command after the existing update is complete";
            return Err(format!("Error: {why}"));
        }
        other => {
            let why = "nodegroup must be in \"ACTIVE\" state when upgrading a nodegroup; got state";
            return Err(format!("Error: {why} {other:?}"));
        }
    }
    let text = |flag: &str| given.value(flag).map(str::to_owned);
    let (minor, release) = (text("kubernetes-version"), text("release-version"));
    if minor.is_some() && release.is_some() {
        let why = "only one of kubernetes-version or release-version can be specified";
        return Err(format!("Error: {why}"));
    }
    let force = given.on("force-upgrade");
    log(call, &format!("setting ForceUpdateEnabled value to {force}"));
    let cluster_of = cluster.clone();
    let what =
        Provision::UpgradeNodegroup { cluster: cluster_of, name: wanted.clone(), minor, release, force };
    ask(call, what)?;
    let began = find(call.shell.world).unwrap_or_default();
    let release = release_of(&began);
    if began.image_release == group.release_version {
        log(call, &format!("nodegroup {wanted:?} is already up-to-date"));
    }
    log(call, &format!("will upgrade nodes to release version: {release}"));
    log(call, "upgrading nodegroup version");
    let stack = format!("eksctl-{cluster}-nodegroup-{wanted}");
    log(call, &format!("updating nodegroup stack {stack:?}"));
    log(call, &format!("waiting for CloudFormation stack {stack:?}"));
    let over = |world: &World| find(world).is_none_or(|g| g.updating().is_none());
    let came = call.shell.wait_until(patience(given, UPGRADE), call.out, over);
    let failed =
        find(call.shell.world).is_some_and(|g| g.updates.last().is_some_and(|it| it.status == "Failed"));
    if !came || failed {
        let why = if failed {
            "waiter state transitioned to Failure"
        } else {
            "exceeded max wait time for StackUpdateComplete waiter"
        };
        return Err(format!(
            "Error: error updating nodegroup stack: waiting for CloudFormation stack {stack:?}: {why}"
        ));
    }
    log(call, "nodegroup successfully upgraded");
    Ok(())
}
