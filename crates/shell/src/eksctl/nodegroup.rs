//! `eksctl create|get|scale|delete nodegroup`.

use ::cluster::{
    ClusterId, World,
    provision::{Provision, group_name, release_of},
};
use api::{
    Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        eks::{Care, EksCluster, Nodegroup},
        eksctl::{ClusterConfig, NodeGroup},
    },
};

use super::{ask, cluster_name, config, done, exists, log};
use crate::{flag::Given, kubectl::known, tool::Call};

/// Longest wait for a group: eksctl's `--timeout`.
const LONGEST: SimDuration = SimDuration::secs(25 * 60);
/// Longest wait for an upgrade. Source: eksctl `pkg/ctl/upgrade/nodegroup.go` (45 minutes unless `--timeout` says otherwise).
const UPGRADE: SimDuration = SimDuration::secs(45 * 60);

fn groups(world: &World, cluster: &str) -> Vec<Nodegroup> {
    let all = world.store().list::<Nodegroup>(ClusterId::WORLD, None);
    all.filter(|group| group.cluster == cluster).cloned().collect()
}

fn name(group: &Nodegroup) -> &str {
    group.metadata.name.as_deref().unwrap_or_default()
}

/// Names of a group's nodes that are ready.
fn ready(world: &World, cluster: &str, group: &str) -> Vec<String> {
    let Some(plane) = known::plane(world, cluster) else { return Vec::new() };
    let nodes = world.store().list::<Node>(ClusterId(plane.id), None);
    nodes
        .filter(|node| {
            let label = node.metadata.labels.as_ref().and_then(|l| l.get("alpha.eksctl.io/nodegroup-name"));
            let conditions = node.status.iter().flat_map(|s| s.conditions.iter().flatten());
            label.is_some_and(|l| l == group)
                && conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
        })
        .filter_map(|node| node.meta().name.clone())
        .collect()
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    // Flags make a managed group unless they say otherwise.
    let care = if given.not_off("managed") { Care::Managed } else { Care::SelfManaged };
    let wanted: Vec<(NodeGroup, Care)> = match config {
        Some(config) => {
            let own = config.node_groups.into_iter().map(|group| (group, Care::SelfManaged));
            config.managed_node_groups.into_iter().map(|group| (group, Care::Managed)).chain(own).collect()
        }
        None => {
            let group = from_flags(given, word, call.shell.world)?;
            checked(call.shell.world, &cluster, &group, care)?;
            vec![(group, care)]
        }
    };
    // Without it the cluster is not told of the nodes' role, and nobody waits for them.
    let mapped = given.not_off("update-auth-configmap");
    let present: Vec<String> =
        groups(call.shell.world, &cluster).iter().map(|g| name(g).to_owned()).collect();
    let new: Vec<(NodeGroup, Care)> =
        wanted.into_iter().filter(|(group, _)| !present.contains(&group.name)).collect();
    let version = known::plane(call.shell.world, &cluster).map(|p| p.version.clone()).unwrap_or_default();
    let minor: Vec<&str> = version.trim_start_matches('v').split('.').take(2).collect();
    let minor = minor.join(".");
    log(call, &format!("will use version {minor} for new nodegroup(s) based on control plane version"));
    for (group, _) in &new {
        log(call, &format!("nodegroup {:?} will use \"\" [{}/{minor}]", group.name, group.family()));
    }
    if !present.is_empty() {
        log(
            call,
            &format!("{} existing nodegroup(s) ({}) will be excluded", present.len(), present.join(",")),
        );
    }
    let names: Vec<String> = new.iter().map(|(g, _)| g.name.clone()).collect();
    if names.is_empty() {
        log(call, "no tasks");
        done(call, &format!("created 0 nodegroup(s) in cluster {cluster:?}"));
        done(call, &format!("created 0 managed nodegroup(s) in cluster {cluster:?}"));
        return Ok(());
    }
    log(
        call,
        &format!(
            "{} nodegroup ({}) was included (based on the include/exclude rules)",
            names.len(),
            names.join(", ")
        ),
    );
    let count = |wanted: Care| new.iter().filter(|(_, care)| *care == wanted).count();
    let (managed, own) = (count(Care::Managed), count(Care::SelfManaged));
    for (count, kind) in [(own, "nodegroups"), (managed, "managed nodegroups")] {
        if count > 0 {
            let what = "will create a CloudFormation stack for each of";
            log(call, &format!("{what} {count} {kind} in cluster {cluster:?}"));
        }
    }
    let word = |care: Care| if care == Care::Managed { "managed nodegroup" } else { "nodegroup" };
    let tasks: Vec<String> =
        new.iter().map(|(g, care)| format!("create {} {:?}", word(*care), g.name)).collect();
    log(
        call,
        &format!(
            " \n2 sequential tasks: {{ fix cluster compatibility, 1 task: {{ {} task{}: {{ {} }} }} \n}}",
            names.len(),
            if names.len() > 1 { "s" } else { "" },
            tasks.join(", ")
        ),
    );
    log(call, "checking cluster stack for missing resources");
    log(call, "cluster stack has all required resources");
    let sizes: Vec<(String, u32, Care)> = new
        .iter()
        .map(|(g, care)| (g.name.clone(), g.desired_capacity.or(g.min_size).unwrap_or(2), *care))
        .collect();
    for (group, care) in new {
        let stack = format!("eksctl-{cluster}-nodegroup-{}", group.name);
        let group = Box::new(group);
        ask(call, Provision::CreateNodegroup { cluster: cluster.clone(), group, care, mapped })?;
        log(call, &format!("building {} stack {stack:?}", word(care)));
        log(call, &format!("deploying stack {stack:?}"));
    }
    for (group, wanted, care) in &sizes {
        log(call, &format!("waiting for CloudFormation stack \"eksctl-{cluster}-nodegroup-{group}\""));
        if *care == Care::SelfManaged && !mapped {
            continue;
        }
        let enough = usize::try_from(*wanted).unwrap_or(usize::MAX);
        let came =
            call.shell.wait_until(LONGEST, call.out, |world| ready(world, &cluster, group).len() >= enough);
        if !came {
            return Err(format!(
                "Error: timed out waiting for at least {wanted} nodes to join the cluster and become ready in {group:?}: context deadline exceeded"
            ));
        }
    }
    log(call, "no tasks");
    for (kind, word) in [(Care::SelfManaged, "nodegroup"), (Care::Managed, "managed nodegroup")] {
        let of: Vec<&(String, u32, Care)> = sizes.iter().filter(|(_, _, care)| *care == kind).collect();
        for (group, wanted, _) in of.iter().filter(|_| kind == Care::Managed || mapped) {
            report(call, &cluster, group);
            log(call, &format!("waiting for at least {wanted} node(s) to become ready in {group:?}"));
            report(call, &cluster, group);
        }
        done(call, &format!("created {} {word}(s) in cluster {cluster:?}", of.len()));
    }
    log(call, "checking security group configuration for all nodegroups");
    log(call, "all nodegroups have up-to-date cloudformation templates");
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
    let name = given.value("name").or(word).map(str::to_owned);
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
        ami_family: given.value("node-ami-family").map(str::to_owned),
        ..NodeGroup::default()
    })
}

pub(super) fn get(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let wanted = given.value("name").or(word).map(str::to_owned);
    let found: Vec<Nodegroup> = groups(call.shell.world, &cluster)
        .into_iter()
        .filter(|g| wanted.as_deref().is_none_or(|w| w == name(g)))
        .collect();
    if found.is_empty() {
        return match wanted {
            Some(wanted) => Err(format!("Error: nodegroup with name {wanted} not found")),
            None => {
                call.out.err("No nodegroups found");
                Ok(())
            }
        };
    }
    match given.value("output") {
        None | Some("table") => {}
        Some("json") => {
            let all: Vec<Summary> = found.iter().map(|group| Summary::of(group, &cluster)).collect();
            call.out.line(&in_order(&all));
            return Ok(());
        }
        Some(other) => {
            return Err(format!("lab: eksctl get nodegroup --output {other} is not available here"));
        }
    }
    call.out.line("CLUSTER\tNODEGROUP\tSTATUS\tCREATED\t\t\tMIN SIZE\tMAX SIZE\tDESIRED CAPACITY\tINSTANCE TYPE\tIMAGE ID\t\tASG NAME\tTYPE");
    for group in found {
        let managed = group.care == Care::Managed;
        let created = group.metadata.creation_timestamp.as_ref().map(|t| t.0.to_string()).unwrap_or_default();
        call.out.line(&format!(
            "{cluster}\t{}\t{}\t{created}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            name(&group),
            if managed { group.status.as_str() } else { "CREATE_COMPLETE" },
            group.min_size,
            group.max_size,
            group.desired_size,
            group.instance_types.join(","),
            if managed { group.ami_type.as_str() } else { "" },
            group_name(&group),
            if managed { "managed" } else { "unmanaged" },
        ));
    }
    Ok(())
}

/// What `get nodegroup --output json` prints. Source: eksctl `pkg/actions/nodegroup/get.go` (`Summary`).
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stack_name: String,
    cluster: String,
    name: String,
    status: String,
    max_size: u32,
    min_size: u32,
    desired_capacity: u32,
    instance_type: String,
    #[serde(rename = "ImageID")]
    image_id: String,
    creation_time: String,
    #[serde(rename = "NodeInstanceRoleARN")]
    role: String,
    auto_scaling_group_name: String,
    version: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

impl Summary {
    fn of(group: &Nodegroup, cluster: &str) -> Self {
        let managed = group.care == Care::Managed;
        let created = group.metadata.creation_timestamp.as_ref().map(|at| at.0.to_string());
        let version: Vec<&str> = group.release_version.split('.').take(2).collect();
        Self {
            stack_name: format!("eksctl-{cluster}-nodegroup-{}", name(group)),
            cluster: cluster.to_owned(),
            name: name(group).to_owned(),
            status: if managed { group.status.clone() } else { "CREATE_COMPLETE".to_owned() },
            max_size: group.max_size,
            min_size: group.min_size,
            desired_capacity: group.desired_size,
            instance_type: group.instance_types.join(","),
            image_id: if managed { group.ami_type.clone() } else { String::new() },
            creation_time: created.unwrap_or_default(),
            role: group.role.clone(),
            auto_scaling_group_name: group_name(group),
            version: version.join("."),
            kind: if managed { "managed" } else { "unmanaged" },
        }
    }
}

/// JSON with its fields in order, four blanks deep.
fn in_order(all: &[Summary]) -> String {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written =
        serde::Serialize::serialize(all, &mut serde_json::Serializer::with_formatter(&mut bytes, format));
    // Texts and numbers always have a JSON form.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default()
}

pub(super) fn scale(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let Some(group) = given.value("name").or(word).map(str::to_owned) else {
        return Err("Error: --name must be set".to_owned());
    };
    let number = |flag: &str| given.int(flag).and_then(|n| u32::try_from(n).ok());
    let (desired, min, max) = (number("nodes"), number("nodes-min"), number("nodes-max"));
    if desired.is_none() && min.is_none() && max.is_none() {
        return Err("Error: at least one of minimum, maximum and desired nodes must be set".to_owned());
    }
    if let Some(now) = groups(call.shell.world, &cluster).iter().find(|g| name(g) == group) {
        let (low, high) = (min.unwrap_or(now.min_size), max.unwrap_or(now.max_size));
        if let Some(desired) = desired {
            if desired > high {
                return Err(format!(
                    "Error: the desired nodes {desired} is greater than current nodes-max/maxSize {high}"
                ));
            }
            if desired < low {
                return Err(format!(
                    "Error: the desired nodes {desired} is less than current nodes-min/minSize {low}"
                ));
            }
        }
    }
    log(call, &format!("scaling nodegroup {group:?} in cluster {cluster}"));
    ask(call, Provision::ScaleNodegroup { cluster: cluster.clone(), name: group.clone(), desired, min, max })
        .map_err(|error| {
            error.replace(
                "Error: operation",
                &format!(
                    "Error: failed to scale nodegroup {group:?} for cluster {cluster:?}, error: operation"
                ),
            )
        })?;
    log(call, "initiated scaling of nodegroup");
    let region = known::region(call.shell.world, &cluster);
    log(
        call,
        &format!(
            "to see the status of the scaling run `eksctl get nodegroup --cluster {cluster} --region {region} --name {group}`"
        ),
    );
    Ok(())
}

/// `eksctl upgrade nodegroup`. Source: eksctl `pkg/actions/nodegroup/upgrade.go` (`upgradeUsingStack`).
pub(super) fn upgrade(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let cluster = cluster_name(given, config(call, given)?.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let Some(wanted) = given.value("name").or(word).map(str::to_owned) else {
        return Err("Error: --name must be set".to_owned());
    };
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
    let came = call.shell.wait_until(UPGRADE, call.out, over);
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

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let names: Vec<String> = match config {
        Some(config) => config.managed_node_groups.iter().map(|g| g.name.clone()).collect(),
        None => match given.value("name").or(word) {
            Some(name) => vec![name.to_owned()],
            None => return Err("Error: --name must be set".to_owned()),
        },
    };
    let count = names.len();
    log(
        call,
        &format!(
            "{count} nodegroup ({}) was included (based on the include/exclude rules)",
            names.join(", ")
        ),
    );
    if given.not_off("drain") {
        log(call, &format!("will drain {count} nodegroup(s) in cluster {cluster:?}"));
        log(call, "starting parallel draining, max in-flight of 1");
    }
    for group in &names {
        let nodes = ready(call.shell.world, &cluster, group);
        ask(call, Provision::DeleteNodegroup { cluster: cluster.clone(), name: group.clone() })?;
        if given.not_off("drain") {
            for node in &nodes {
                log(call, &format!("cordon node {node:?}"));
            }
            done(call, &format!("drained all nodes: [{}]", nodes.join(" ")));
        }
    }
    log(call, &format!("will delete {count} nodegroups from cluster {cluster:?}"));
    let tasks: Vec<String> = names.iter().map(|n| format!("delete nodegroup {n:?} [async]")).collect();
    log(
        call,
        &format!(
            "1 task: {{ {count} task{}: {{ {} }} }}",
            if count > 1 { "s" } else { "" },
            tasks.join(", ")
        ),
    );
    for group in &names {
        log(call, &format!("will delete stack \"eksctl-{cluster}-nodegroup-{group}\""));
    }
    if given.on("wait") {
        call.shell.wait_until(LONGEST, call.out, |world| {
            !groups(world, &cluster).iter().any(|g| names.iter().any(|n| n == name(g)))
        });
    }
    done(call, &format!("deleted {count} nodegroup(s) from cluster {cluster:?}"));
    Ok(())
}
