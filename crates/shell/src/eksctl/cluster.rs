//! `eksctl create|upgrade|delete cluster`, `eksctl utils write-kubeconfig`.
//!
//! Source: eksctl `pkg/ctl/create/cluster.go`, `pkg/actions/cluster/{upgrade,owned,delete}.go`, `pkg/eks/{tasks,versions_manager}.go`.

use ::cluster::{
    AwsRequest, ClusterId, Principal, Refusal, Reply, Request, World,
    provision::{Provision, fargate_profiles},
};
use api::{
    SimDuration,
    kinds::{
        aws::Subnet,
        eks::{Addon, Care, EksCluster, FargateSelector, Nodegroup},
        eksctl::{ClusterConfig, FargateProfile, NodeGroup},
    },
};
use serde_json::{Value, json};

use super::{
    VERSION, ask, cluster_name, config, done, drain, exists, included, log, named,
    nodegroup::{LONGEST, await_nodes, groups, name as name_of},
    patience, refused,
    tasks::Task,
    warn,
};
use crate::{flag::Given, kubectl::known, tool::Call};

/// eksctl's own file of contexts.
const KUBECONFIG: &str = "/home/user/.kube/config";
/// Add-ons that eksctl makes of itself; the last one comes when the nodes are there. Source: eksctl, `known_addons.go`.
const DEFAULT_ADDONS: [&str; 4] = ["vpc-cni", "kube-proxy", "coredns", "metrics-server"];
/// Longest wait for an upgrade. Source: eksctl `pkg/ctl/upgrade/cluster.go`.
const UPGRADE: SimDuration = SimDuration::secs(65 * 60);

fn cluster<'w>(world: &'w World, name: &str) -> Option<&'w EksCluster> {
    world.store().get(ClusterId::WORLD, "", name)
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let by_file = config(call, given)?;
    let from_file = by_file.is_some();
    let config = match by_file {
        Some(config) => config,
        None => from_flags(given, word)?,
    };
    let zones = &config.availability_zones;
    if zones.len() == 1 {
        let why = format!("only 1 zone(s) specified [{}], 2 are required (can be non-unique)", zones[0]);
        return Err(format!("Error: {why}"));
    }
    if let Some(problem) = config.problem().filter(|_| !from_file) {
        return Err(format!("Error: {problem}"));
    }
    let new = New { from_file, patience: patience(given, LONGEST), config };
    log(call, &format!("eksctl version {VERSION}"));
    log(call, &format!("using region {}", new.config.metadata.region));
    ask(call, Provision::CreateCluster(Box::new(new.config.clone())))?;
    new.announce(call);
    new.wait(call);
    new.report(call)
}

/// A cluster that is being made.
struct New {
    from_file: bool,
    patience: SimDuration,
    config: ClusterConfig,
}

impl New {
    fn name(&self) -> &str {
        &self.config.metadata.name
    }

    /// Every group and who looks after it, as eksctl goes through them.
    fn groups(&self) -> impl Iterator<Item = (&NodeGroup, Care)> {
        let own = self.config.node_groups.iter().map(|it| (it, Care::SelfManaged));
        own.chain(self.config.managed_node_groups.iter().map(|it| (it, Care::Managed)))
    }

    /// The add-ons that nobody named.
    fn added(&self) -> Vec<&'static str> {
        if self.config.addons_config.disable_default_addons == Some(true) {
            return Vec::new();
        }
        let named = |name: &&str| self.config.addons.iter().any(|it| it.name.eq_ignore_ascii_case(name));
        DEFAULT_ADDONS.into_iter().filter(|name| !named(name)).collect()
    }

    /// What is about to be made.
    fn announce(&self, call: &mut Call<'_, '_>) {
        let (name, region) = (self.name(), &self.config.metadata.region);
        let minor = cluster(call.shell.world, name).map(|it| it.version.clone()).unwrap_or_default();
        self.zones(call);
        for (group, _) in self.groups() {
            log(call, &format!("nodegroup {:?} will use \"\" [{}/{minor}]", group.name, group.family()));
        }
        log(call, &format!("using Kubernetes version {minor}"));
        let (own, managed) = (self.config.node_groups.len(), self.config.managed_node_groups.len());
        let kinds = [
            ("Fargate profile", self.config.fargate_profiles.len()),
            ("managed nodes", managed),
            ("un-managed nodes", own),
        ];
        let with: Vec<&str> =
            kinds.into_iter().filter(|(_, count)| *count > 0).map(|(kind, _)| kind).collect();
        log(call, &format!("creating EKS cluster {name:?} in {region:?} region with {}", with.join(" and ")));
        if self.from_file {
            self.stacks(call, own, managed);
        } else if own + managed > 0 {
            let kind = if managed > 0 { "managed nodegroup" } else { "nodegroup" };
            log(
                call,
                &format!(
                    "will create 2 separate CloudFormation stacks for cluster itself and the initial {kind}"
                ),
            );
        }
        log(
            call,
            &format!(
                "if you encounter any issues, check CloudFormation console or try 'eksctl utils describe-stacks --region={region} --cluster={name}'"
            ),
        );
        self.features(call);
        let added = self.added();
        if !added.is_empty() {
            log(
                call,
                &format!(
                    "default addons {} were not specified, will install them as EKS addons",
                    added.join(", ")
                ),
            );
        }
        log(call, &self.tasks().describe());
    }

    /// Zones and blocks of a VPC that eksctl makes.
    fn zones(&self, call: &mut Call<'_, '_>) {
        if self.config.vpc.subnets.is_some() {
            return;
        }
        let Some(eks) = cluster(call.shell.world, self.name()) else { return };
        let store = call.shell.world.store();
        let mut zones: Vec<(String, [String; 2])> = Vec::new();
        for name in &eks.subnets {
            let Some(it) = store.get::<Subnet>(ClusterId::WORLD, "", name) else { continue };
            let at = zones.iter().position(|(zone, _)| *zone == it.availability_zone).unwrap_or_else(|| {
                zones.push((it.availability_zone.clone(), [String::new(), String::new()]));
                zones.len() - 1
            });
            zones[at].1[usize::from(!it.map_public_ip_on_launch)] = it.cidr.to_string();
        }
        if self.config.availability_zones.is_empty() {
            let names: Vec<&str> = zones.iter().map(|(zone, _)| zone.as_str()).collect();
            log(call, &format!("setting availability zones to [{}]", names.join(" ")));
        }
        for (zone, [public, private]) in zones.iter().filter(|(_, [public, _])| !public.is_empty()) {
            log(call, &format!("subnets for {zone} - public:{public} private:{private}"));
        }
    }

    fn stacks(&self, call: &mut Call<'_, '_>, own: usize, managed: usize) {
        let mut names: Vec<&str> = self.groups().map(|(group, _)| group.name.as_str()).collect();
        names.sort_unstable();
        included(call, &names);
        for (count, kind) in [(own, "nodegroup"), (managed, "managed nodegroup")] {
            if count > 0 {
                log(
                    call,
                    &format!(
                        "will create a CloudFormation stack for cluster itself and {count} {kind} stack(s)"
                    ),
                );
            }
        }
    }

    fn features(&self, call: &mut Call<'_, '_>) {
        let (name, region) = (self.name(), &self.config.metadata.region);
        let endpoints = self.config.vpc.cluster_endpoints;
        let public = endpoints.public_access.unwrap_or(true);
        let private = endpoints.private_access.unwrap_or(self.config.private_cluster.enabled);
        let values =
            format!("{{publicAccess={public}, privateAccess={private}}} for cluster {name:?} in {region:?}");
        let how = if public && !private { "default of" } else { "provided values" };
        log(call, &format!("Kubernetes API endpoint access will use {how} {values}"));
        log(call, &format!("CloudWatch logging will not be enabled for cluster {name:?} in {region:?}"));
        log(
            call,
            &format!(
                "you can enable it with 'eksctl utils update-cluster-logging --enable-types={{SPECIFY-YOUR-LOG-TYPES-HERE (e.g. all)}} --region={region} --cluster={name}'"
            ),
        );
    }

    /// Source: eksctl `pkg/cfn/manager/create_tasks.go`, `pkg/eks/tasks.go`.
    fn tasks(&self) -> Task {
        let one = |words: &str| Task::One(words.to_owned());
        let mut extra =
            vec![Task::sequential(vec![one("create addons")]), one("wait for control plane to become ready")];
        if !self.config.fargate_profiles.is_empty() {
            extra.push(one("create fargate profiles"));
        }
        let of = |care: Care| -> Vec<Task> {
            let own = self.groups().filter(|(_, whose)| *whose == care);
            let kind = if care == Care::Managed { "managed nodegroup" } else { "nodegroup" };
            own.map(|(group, _)| Task::One(format!("create {kind} {:?}", group.name))).collect()
        };
        let kinds = [of(Care::SelfManaged), of(Care::Managed)].into_iter().filter(|it| !it.is_empty());
        let kinds: Vec<Task> = kinds.map(|it| Task::parallel(it).counted_as_one()).collect();
        let mut after = vec![Task::sequential(extra).counted_as_one()];
        if !kinds.is_empty() {
            after.push(Task::parallel(kinds).counted_as_one());
        }
        Task::sequential(vec![
            Task::One(format!("create cluster control plane {:?}", self.name())),
            Task::sequential(after).counted_as_one(),
        ])
    }

    /// Waits for each stack in its turn.
    fn wait(&self, call: &mut Call<'_, '_>) {
        let name = self.name();
        let stack = format!("eksctl-{name}-cluster");
        log(call, &format!("building cluster stack {stack:?}"));
        log(call, &format!("deploying stack {stack:?}"));
        log(call, &format!("waiting for CloudFormation stack {stack:?}"));
        call.shell.wait_until(self.patience, call.out, |world| {
            cluster(world, name).is_some_and(|it| it.status == "ACTIVE")
        });
        let late = |addon: &&str| !DEFAULT_ADDONS[..3].contains(addon) && *addon != "eks-pod-identity-agent";
        let all: Vec<String> = addons(call.shell.world, name);
        for addon in all.iter().map(String::as_str).filter(|it| !late(it)) {
            log(call, &format!("creating addon: {addon}"));
            log(call, &format!("successfully created addon: {addon}"));
        }
        for profile in self.config.fargate_profiles.iter().map(|it| it.name.as_str()) {
            log(call, &format!("creating Fargate profile {profile:?} on EKS cluster {name:?}"));
            call.shell.wait_until(self.patience, call.out, |world| {
                let mut of = fargate_profiles(world.store(), name);
                of.any(|it| it.metadata.name.as_deref() == Some(profile) && it.status == "ACTIVE")
            });
            log(call, &format!("created Fargate profile {profile:?} on EKS cluster {name:?}"));
        }
        for (group, care) in self.groups() {
            let stack = format!("eksctl-{name}-nodegroup-{}", group.name);
            let kind = if care == Care::Managed { "managed nodegroup" } else { "nodegroup" };
            log(call, &format!("building {kind} stack {stack:?}"));
            log(call, &format!("deploying stack {stack:?}"));
            log(call, &format!("waiting for CloudFormation stack {stack:?}"));
        }
        call.shell.wait_until(self.patience, call.out, |world| {
            groups(world, name).iter().filter(|it| it.care == Care::Managed).all(|it| it.status == "ACTIVE")
        });
    }

    /// What is there now.
    fn report(&self, call: &mut Call<'_, '_>) -> Result<(), String> {
        let (name, region) = (self.name(), &self.config.metadata.region);
        log(call, "waiting for the control plane to become ready");
        if let Some(plane) = known::plane(call.shell.world, name) {
            let (context, entry, user) = known::entries(call.shell.world, plane);
            call.shell.machine.kubeconfig.add(context, entry, user);
        }
        done(call, &format!("saved kubeconfig as {KUBECONFIG:?}"));
        log(call, "no tasks");
        done(call, &format!("all EKS cluster resources for {name:?} have been created"));
        for (care, kind) in [(Care::SelfManaged, "nodegroup"), (Care::Managed, "managed nodegroup")] {
            let of: Vec<&NodeGroup> =
                self.groups().filter(|(_, whose)| *whose == care).map(|(group, _)| group).collect();
            for group in &of {
                let wanted = group.desired_capacity.or(group.min_size).unwrap_or(2);
                if wanted > 0 {
                    await_nodes(call, name, &group.name, wanted, self.patience)?;
                }
            }
            if !of.is_empty() {
                done(call, &format!("created {} {kind}(s) in cluster {name:?}", of.len()));
            }
        }
        let all = addons(call.shell.world, name);
        let late = all.iter().filter(|it| !DEFAULT_ADDONS[..3].contains(&it.as_str()));
        for addon in late.filter(|it| *it != "eks-pod-identity-agent") {
            log(call, &format!("creating addon: {addon}"));
            log(call, &format!("successfully created addon: {addon}"));
        }
        log(call, &format!("kubectl command should work with {KUBECONFIG:?}, try 'kubectl get nodes'"));
        if self.config.private_cluster.enabled {
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
}

fn addons(world: &World, cluster: &str) -> Vec<String> {
    let all = world.store().list::<Addon>(ClusterId::WORLD, None).filter(|it| it.cluster == cluster);
    all.map(|it| it.addon.clone()).collect()
}

fn from_flags(given: &Given, word: Option<&str>) -> Result<ClusterConfig, String> {
    let number = |flag: &str| given.int(flag).and_then(|n| u32::try_from(n).ok());
    let words = |flag: &str| -> Vec<String> {
        given.list(flag).into_iter().filter(|it| !it.is_empty()).map(str::to_owned).collect()
    };
    let mut config = ClusterConfig::default();
    config.metadata.name = named(given, word)?.unwrap_or("lab").to_owned();
    config.metadata.region = given.value("region").unwrap_or("ap-northeast-2").to_owned();
    config.metadata.version = given.value("version").map(str::to_owned);
    config.availability_zones = words("zones");
    config.vpc.cidr = match given.value("vpc-cidr") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            format!("Error: invalid argument {text:?} for \"--vpc-cidr\" flag: invalid CIDR address: {text}")
        })?),
    };
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
        let group = NodeGroup {
            name: given.value("nodegroup-name").unwrap_or("ng-1").to_owned(),
            instance_type: given.value("node-type").map(str::to_owned),
            instance_types: words("instance-types"),
            spot: given.has("spot").then(|| given.on("spot")),
            desired_capacity: number("nodes"),
            min_size: number("nodes-min"),
            max_size: number("nodes-max"),
            max_pods_per_node: number("max-pods-per-node"),
            private_networking: given
                .has("node-private-networking")
                .then(|| given.on("node-private-networking")),
            availability_zones: words("node-zones"),
            volume_size: number("node-volume-size"),
            ami_family: given.value("node-ami-family").map(str::to_owned),
            ..NodeGroup::default()
        };
        if given.not_off("managed") {
            config.managed_node_groups.push(group);
        } else {
            config.node_groups.push(group);
        }
    }
    Ok(config)
}

/// `eksctl upgrade cluster`: to the next minor, if it is approved.
pub(super) fn upgrade(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let wanted = given.value("version").map(str::to_owned);
    let wanted = wanted.or(config.as_ref().and_then(|it| it.metadata.version.clone()));
    let name = match (named(given, word)?, &config) {
        (Some(name), _) => name.to_owned(),
        (None, Some(config)) => config.metadata.name.clone(),
        (None, None) => return Err("Error: --name must be set".to_owned()),
    };
    exists(call.shell.world, &name)?;
    if config.is_some() {
        warn(
            call,
            "NOTE: cluster VPC (subnets, routing & NAT Gateway) configuration changes are not yet implemented",
        );
    }
    let version = |world: &World| cluster(world, &name).map(|it| it.version.clone()).unwrap_or_default();
    let now = version(call.shell.world);
    let approved = given.on("approve");
    let next = next_version(call, &now, wanted.as_deref())?;
    if let Some(next) = &next {
        let prefix = if approved { "will" } else { "(plan) would" };
        log(
            call,
            &format!(
                "{prefix} upgrade cluster {name:?} control plane from current version {now:?} to {next:?}"
            ),
        );
    } else {
        log(call, "no cluster version update required");
    }
    if let Some(next) = next.as_ref().filter(|_| approved) {
        let input = json!({"name": name, "version": next});
        let request = AwsRequest { service: "eks", action: "UpdateClusterVersion", input };
        match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
            Ok(_) => {}
            Err(Refusal::Aws(error)) => return Err(format!("Error: {}", refused(&error))),
            Err(other) => return Err(format!("Error: {other}")),
        }
        log(call, &format!("waiting for requested \"VersionUpdate\" in cluster {name:?} to succeed"));
        let came = call.shell.wait_until(patience(given, UPGRADE), call.out, |world| version(world) == *next);
        if !came {
            return Err("Error: exceeded max wait time for UpdateActive waiter".to_owned());
        }
        done(call, &format!("cluster {name:?} control plane has been upgraded to version {next:?}"));
        log(call, "you will need to follow the upgrade procedure for all of nodegroups and add-ons");
    }
    log(call, "checking security group configuration for all nodegroups");
    log(call, "all nodegroups have up-to-date cloudformation templates");
    if next.is_some() && !approved {
        warn(call, "no changes were applied, run again with '--approve' to apply the changes");
    }
    Ok(())
}

/// The minor that a cluster comes to. Source: eksctl `pkg/eks/versions_manager.go` (`ResolveUpgradeVersion`).
fn next_version(call: &mut Call<'_, '_>, now: &str, wanted: Option<&str>) -> Result<Option<String>, String> {
    let request = AwsRequest { service: "eks", action: "DescribeClusterVersions", input: json!({}) };
    let answer = match call.shell.world.request(&Principal::admin(), Request::Aws(request)) {
        Ok(Reply::Value(answer)) => answer,
        Ok(Reply::Object(_) | Reply::List(_)) | Err(_) => Value::Null,
    };
    let minor = |text: &str| text.split('.').nth(1).and_then(|it| it.parse::<u32>().ok()).unwrap_or_default();
    let all = answer["clusterVersions"].as_array().into_iter().flatten();
    let mut there: Vec<&str> = all.filter_map(|it| it["clusterVersion"].as_str()).collect();
    there.sort_by_key(|it| minor(it));
    let next = there.iter().find(|it| minor(it) == minor(now) + 1).map(|&it| it.to_owned());
    let Some(wanted) = wanted.filter(|it| !it.is_empty() && *it != "auto") else {
        if next.is_none() {
            log(call, &format!("control plane is already on latest version {now:?}"));
        }
        return Ok(next);
    };
    if !there.contains(&wanted) {
        return Err(format!("Error: control plane version {wanted:?} is not supported"));
    }
    if wanted == now {
        return Ok(None);
    }
    if next.as_deref() == Some(wanted) {
        return Ok(next);
    }
    if minor(wanted) < minor(now) {
        return Err("lab: eksctl upgrade cluster to an earlier version is not available here".to_owned());
    }
    Err(format!(
        "Error: upgrading more than one version at a time is not supported. Found upgrade from {now:?} to {wanted:?}. Please upgrade to {:?} first",
        next.unwrap_or_default()
    ))
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let name = match (named(given, word)?, &config) {
        (Some(name), _) => name.to_owned(),
        (None, Some(config)) => config.metadata.name.clone(),
        (None, None) => return Err("Error: --name must be set".to_owned()),
    };
    exists(call.shell.world, &name)?;
    log(call, &format!("deleting EKS cluster {name:?}"));
    let all: Vec<Nodegroup> = groups(call.shell.world, &name);
    if !all.is_empty() {
        // EKS drains its own groups.
        let own: Vec<String> =
            all.iter().filter(|it| it.care == Care::SelfManaged).map(|it| name_of(it).to_owned()).collect();
        log(call, &format!("will drain {} unmanaged nodegroup(s) in cluster {name:?}", own.len()));
        if let Err(error) = drain::empty(call, given, &name, &own, true) {
            if !given.on("force") {
                return Err(error);
            }
            let why = error.trim_start_matches("Error: ");
            warn(
                call,
                &format!(
                    "an error occurred during nodegroups draining, force=true so proceeding with deletion: {why:?}"
                ),
            );
        }
    }
    let profiles: Vec<String> =
        fargate_profiles(call.shell.world.store(), &name).filter_map(|it| it.metadata.name.clone()).collect();
    for profile in &profiles {
        log(call, &format!("deleting Fargate profile {profile:?}"));
        ask(call, Provision::DeleteFargateProfile { cluster: name.clone(), name: profile.clone() })?;
        call.shell.wait_until(patience(given, LONGEST), call.out, |world| {
            fargate_profiles(world.store(), &name).all(|it| it.metadata.name.as_ref() != Some(profile))
        });
        log(call, &format!("deleted Fargate profile {profile:?}"));
    }
    log(call, &format!("deleted {} Fargate profile(s)", profiles.len()));
    let entries = known::plane(call.shell.world, &name).map(|p| known::entries(call.shell.world, p).0.name);
    if let Some(context) = entries {
        call.shell.machine.kubeconfig.remove(&context);
        done(call, "kubeconfig has been updated");
    }
    log(
        call,
        "cleaning up AWS load balancers created by Kubernetes objects of Kind Service, Ingress, or Gateway",
    );
    let stacks: Vec<String> =
        all.iter().map(|it| format!("eksctl-{name}-nodegroup-{}", name_of(it))).collect();
    let deletes = all.iter().map(|it| Task::One(format!("delete nodegroup {:?}", name_of(it))));
    let suffix = if given.on("wait") { "" } else { " [async]" };
    let mut tasks = vec![Task::parallel(deletes.collect()).counted_as_one()];
    tasks.retain(|it| !it.is_empty());
    tasks.push(Task::One(format!("delete cluster control plane {name:?}{suffix}")));
    log(call, &Task::sequential(tasks).describe());
    ask(call, Provision::DeleteCluster { name: name.clone() })?;
    for stack in &stacks {
        log(call, &format!("will delete stack {stack:?}"));
        log(call, &format!("waiting for stack {stack:?} to get deleted"));
    }
    call.shell.wait_until(patience(given, LONGEST), call.out, |world| cluster(world, &name).is_none());
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
    done(call, &format!("saved kubeconfig as {KUBECONFIG:?}"));
    Ok(())
}
