//! `eksctl create|get|delete cluster`, `eksctl utils write-kubeconfig`.

use ::cluster::{
    ClusterId, World,
    provision::{Provision, fargate_profiles},
};
use api::{
    SimDuration,
    kinds::{
        eks::{EksCluster, FargateSelector, Nodegroup},
        eksctl::{ClusterConfig, FargateProfile, NodeGroup},
    },
};

use super::{VERSION, ask, cluster_name, config, done, exists, log};
use crate::{flag::Given, kubectl::known, tool::Call};

/// Longest wait for a cluster and its groups: eksctl's `--timeout`.
const LONGEST: SimDuration = SimDuration::secs(25 * 60);

fn cluster<'w>(world: &'w World, name: &str) -> Option<&'w EksCluster> {
    world.store().get(ClusterId::WORLD, "", name)
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = match config(call, given)? {
        Some(config) => config,
        None => from_flags(given, word),
    };
    let (name, region) = (config.metadata.name.clone(), config.metadata.region.clone());
    let version = config.metadata.version.clone().unwrap_or_else(|| "1.34".to_owned());
    let fully_private = config.private_cluster.enabled;
    let profiles: Vec<String> = config.fargate_profiles.iter().map(|it| it.name.clone()).collect();
    let groups: Vec<String> = config.managed_node_groups.iter().map(|g| g.name.clone()).collect();
    log(call, &format!("eksctl version {VERSION}"));
    log(call, &format!("using region {region}"));
    ask(call, Provision::CreateCluster(Box::new(config)))?;
    log(call, &format!("using Kubernetes version {version}"));
    let kinds: Vec<&str> = [("Fargate profile", profiles.is_empty()), ("managed nodes", groups.is_empty())]
        .into_iter()
        .filter(|(_, none)| !none)
        .map(|(kind, _)| kind)
        .collect();
    let with = if kinds.is_empty() { String::new() } else { format!(" with {}", kinds.join(" and ")) };
    log(call, &format!("creating EKS cluster {name:?} in {region:?} region{with}"));
    if !groups.is_empty() {
        let verb = if groups.len() == 1 { "nodegroup" } else { "nodegroups" };
        log(call, &format!("{} {verb} ({}) will be created", groups.len(), groups.join(", ")));
        log(
            call,
            &format!(
                "will create a CloudFormation stack for cluster itself and {} managed nodegroup stack(s)",
                groups.len()
            ),
        );
    } else {
        log(call, "will create a CloudFormation stack for cluster itself");
    }
    log(call, &format!("building cluster stack \"eksctl-{name}-cluster\""));
    log(call, &format!("deploying stack \"eksctl-{name}-cluster\""));
    log(call, &format!("waiting for CloudFormation stack \"eksctl-{name}-cluster\""));
    let active = |world: &World| cluster(world, &name).is_some_and(|c| c.status == "ACTIVE");
    call.shell.wait_until(LONGEST, call.out, active);
    for group in &groups {
        log(call, &format!("building managed nodegroup stack \"eksctl-{name}-nodegroup-{group}\""));
        log(call, &format!("deploying stack \"eksctl-{name}-nodegroup-{group}\""));
    }
    let settled = |world: &World| {
        let all = world.store().list::<Nodegroup>(ClusterId::WORLD, None);
        all.filter(|g| g.cluster == name).all(|g| g.status == "ACTIVE")
    };
    call.shell.wait_until(LONGEST, call.out, settled);
    for profile in &profiles {
        log(call, &format!("creating Fargate profile {profile:?} on EKS cluster {name:?}"));
        call.shell.wait_until(LONGEST, call.out, |world| {
            let mut of = fargate_profiles(world.store(), &name);
            of.any(|it| it.metadata.name.as_deref() == Some(profile) && it.status == "ACTIVE")
        });
        log(call, &format!("created Fargate profile {profile:?} on EKS cluster {name:?}"));
    }
    if let Some(plane) = known::plane(call.shell.world, &name) {
        let (context, entry, user) = known::entries(call.shell.world, plane);
        call.shell.machine.kubeconfig.add(context, entry, user);
    }
    done(call, "saved kubeconfig as \"/home/user/.kube/config\"");
    log(call, "no tasks");
    done(call, &format!("all EKS cluster resources for {name:?} have been created"));
    if fully_private {
        log(call, "disabling public endpoint access for the cluster");
        log(
            call,
            &format!(
                "fully private cluster {name:?} has been created. For subsequent operations, eksctl must be run from within the cluster's VPC, a peered VPC or some other means like AWS Direct Connect"
            ),
        );
    }
    done(call, &format!("EKS cluster {name:?} in {region:?} region is ready"));
    Ok(())
}

fn from_flags(given: &Given, word: Option<&str>) -> ClusterConfig {
    let number = |flag: &str| given.int(flag).and_then(|n| u32::try_from(n).ok());
    let mut config = ClusterConfig::default();
    config.metadata.name = given.value("name").or(word).unwrap_or("lab").to_owned();
    config.metadata.region = given.value("region").unwrap_or("ap-northeast-2").to_owned();
    config.metadata.version = given.value("version").map(str::to_owned);
    config.availability_zones =
        given.list("zones").into_iter().filter(|z| !z.is_empty()).map(str::to_owned).collect();
    config.vpc.cidr = given.value("vpc-cidr").and_then(|c| c.parse().ok());
    if given.on("fargate") {
        let selectors = ["default", "kube-system"];
        config.fargate_profiles.push(FargateProfile {
            name: "fp-default".to_owned(),
            selectors: selectors
                .map(|it| FargateSelector { namespace: it.to_owned(), ..FargateSelector::default() })
                .to_vec(),
            ..FargateProfile::default()
        });
    }
    if !given.on("without-nodegroup") && !given.on("fargate") {
        config.managed_node_groups.push(NodeGroup {
            name: given.value("nodegroup-name").unwrap_or("ng-1").to_owned(),
            instance_type: given.value("node-type").map(str::to_owned),
            desired_capacity: number("nodes"),
            min_size: number("nodes-min"),
            max_size: number("nodes-max"),
            max_pods_per_node: number("max-pods-per-node"),
            ..NodeGroup::default()
        });
    }
    config
}

pub(super) fn get(call: &mut Call<'_, '_>) -> Result<(), String> {
    let all = call.shell.world.store().list::<EksCluster>(ClusterId::WORLD, None);
    let names: Vec<String> = all.filter_map(|c| c.metadata.name.clone()).collect();
    if names.is_empty() {
        call.out.err("No clusters found");
        return Ok(());
    }
    call.out.line("NAME\tREGION\t\tEKSCTL CREATED");
    for name in names {
        let region = known::region(call.shell.world, &name);
        call.out.line(&format!("{name}\t{region}\tTrue"));
    }
    Ok(())
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let name = match (given.value("name").or(word), &config) {
        (Some(name), _) => name.to_owned(),
        (None, Some(config)) => config.metadata.name.clone(),
        (None, None) => return Err("Error: --name must be set".to_owned()),
    };
    exists(call.shell.world, &name)?;
    log(call, &format!("deleting EKS cluster {name:?}"));
    let entries = known::plane(call.shell.world, &name).map(|p| known::entries(call.shell.world, p).0.name);
    ask(call, Provision::DeleteCluster { name: name.clone() })?;
    call.shell.wait_until(LONGEST, call.out, |world| cluster(world, &name).is_none());
    if let Some(context) = entries {
        call.shell.machine.kubeconfig.remove(&context);
        done(call, "kubeconfig has been updated");
    }
    log(call, &format!("will delete stack \"eksctl-{name}-cluster\""));
    done(call, "all cluster resources were deleted");
    Ok(())
}

pub(super) fn write_kubeconfig(call: &mut Call<'_, '_>, given: &Given) -> Result<(), String> {
    let name = cluster_name(given, None)?;
    exists(call.shell.world, &name)?;
    if let Some(plane) = known::plane(call.shell.world, &name) {
        let (context, entry, user) = known::entries(call.shell.world, plane);
        call.shell.machine.kubeconfig.add(context, entry, user);
    }
    done(call, "saved kubeconfig as \"/home/user/.kube/config\"");
    Ok(())
}
