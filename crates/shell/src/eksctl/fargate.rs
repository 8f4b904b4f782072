//! `eksctl create|get|delete fargateprofile`.
//!
//! Source: eksctl `pkg/ctl/cmdutils/fargate.go`, `pkg/actions/fargate`, `pkg/eks/fargate.go`, `pkg/fargate`.

use std::collections::BTreeMap;

use ::cluster::{
    World,
    provision::{Provision, fargate_profiles},
};
use api::{
    SimDuration,
    k8s::{apps::v1::Deployment, core::v1::Pod},
    kinds::{
        eks::{FargateProfile, FargateSelector},
        eksctl,
    },
};
use serde::Serialize;

use super::{
    ask, cluster_name, config, exists, log, named,
    print::{self, Form},
};
use crate::{
    flag::{Flag, Given, value},
    kubectl::known,
    tool::Call,
};

/// Flags of these commands alone; where a letter means something else elsewhere, it means this here.
pub(super) const FLAGS: &[Flag] = &[value("namespace", '\0'), value("labels", 'l'), value("tags", 't')];

/// Longest wait for a profile: eksctl's `--timeout`.
const LONGEST: SimDuration = SimDuration::secs(25 * 60);

fn found<'w>(world: &'w World, cluster: &'w str, name: &str) -> Option<&'w FargateProfile> {
    fargate_profiles(world.store(), cluster).find(|it| it.metadata.name.as_deref() == Some(name))
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let wanted = match config {
        Some(config) => config.fargate_profiles,
        None => vec![from_flags(given, word, call.shell.world)?],
    };
    if let Some(problem) = wanted.iter().find_map(eksctl::FargateProfile::problem) {
        return Err(format!("Error: {problem}"));
    }
    exists(call.shell.world, &cluster)?;
    for profile in wanted {
        create_one(call, &cluster, profile)?;
    }
    coredns(call, &cluster)
}

fn create_one(call: &mut Call<'_, '_>, cluster: &str, profile: eksctl::FargateProfile) -> Result<(), String> {
    let name = profile.name.clone();
    let on = format!("Fargate profile {name:?}");
    if found(call.shell.world, cluster, &name).is_some() {
        log(call, &format!("{on} already exists on EKS cluster {cluster:?}"));
        return Ok(());
    }
    log(call, &format!("creating {on} on EKS cluster {cluster:?}"));
    let asked = Provision::CreateFargateProfile { cluster: cluster.to_owned(), profile: Box::new(profile) };
    match ask(call, asked) {
        Ok(()) => {}
        Err(error) if error.contains("ResourceInUseException") => {
            log(
                call,
                &format!(
                    "either {on} already exists on EKS cluster {cluster:?} or another profile is being created/deleted, no action taken"
                ),
            );
            return Ok(());
        }
        Err(error) => {
            let why = error.trim_start_matches("Error: ");
            return Err(format!(
                "Error: could not create fargate profiles: failed to create {on} on EKS cluster {cluster:?}: failed to create {on}: {why}"
            ));
        }
    }
    let active = |world: &World| found(world, cluster, &name).is_some_and(|it| it.status == "ACTIVE");
    call.shell.wait_until(LONGEST, call.out, active);
    log(call, &format!("created {on} on EKS cluster {cluster:?}"));
    Ok(())
}

/// A profile that selects CoreDNS moves it to Fargate.
fn coredns(call: &mut Call<'_, '_>, cluster: &str) -> Result<(), String> {
    let Some(id) = known::plane(call.shell.world, cluster).map(|it| ::cluster::ClusterId(it.id)) else {
        return Ok(());
    };
    let is_meant = |world: &World| {
        let it = world.store().get::<Deployment>(id, "kube-system", "coredns");
        let template = it.and_then(|it| it.spec.as_ref()?.template.metadata.as_ref()?.annotations.as_ref());
        template
            .is_some_and(|it| it.get("eks.amazonaws.com/compute-type").map(String::as_str) == Some("fargate"))
    };
    if is_meant(call.shell.world) {
        return Ok(());
    }
    ask(call, Provision::ScheduleCoreDns { cluster: cluster.to_owned() })?;
    if !is_meant(call.shell.world) {
        return Ok(());
    }
    log(call, "\"coredns\" is now schedulable onto Fargate");
    let is_there = |world: &World| {
        let pods: Vec<&Pod> = world
            .store()
            .list::<Pod>(id, Some("kube-system"))
            .filter(|it| {
                it.metadata
                    .labels
                    .as_ref()
                    .is_some_and(|it| it.get("k8s-app").is_some_and(|it| it == "kube-dns"))
            })
            .collect();
        let runs = |it: &&Pod| {
            let on = it.spec.as_ref().and_then(|it| it.node_name.as_deref());
            let phase = it.status.as_ref().and_then(|it| it.phase.as_deref());
            phase == Some("Running") && on.is_some_and(|on| on.starts_with("fargate-"))
        };
        !pods.is_empty() && pods.iter().all(runs)
    };
    if !call.shell.wait_until(LONGEST, call.out, is_there) {
        return Err("Error: timed out while waiting for \"coredns\" to be scheduled on Fargate".to_owned());
    }
    log(call, "\"coredns\" is now scheduled onto Fargate");
    log(call, "\"coredns\" pods are now scheduled onto Fargate");
    Ok(())
}

fn from_flags(given: &Given, word: Option<&str>, world: &World) -> Result<eksctl::FargateProfile, String> {
    let name = named(given, word)?.map_or_else(|| any_name(world), str::to_owned);
    if name.starts_with("eks-") {
        return Err("Error: invalid Fargate profile: name should NOT start with \"eks-\"".to_owned());
    }
    let Some(namespace) = given.value("namespace").filter(|it| !it.is_empty()) else {
        return Err("Error: invalid Fargate profile: empty selector namespace".to_owned());
    };
    let selector = FargateSelector { namespace: namespace.to_owned(), labels: pairs(given, "labels")? };
    Ok(eksctl::FargateProfile {
        name,
        selectors: vec![selector],
        tags: pairs(given, "tags")?,
        ..eksctl::FargateProfile::default()
    })
}

/// `fp-` and eight of sixteen letters.
fn any_name(world: &World) -> String {
    let count = world.store().list::<FargateProfile>(::cluster::ClusterId::WORLD, None).count();
    let n = u64::try_from(count).unwrap_or(0);
    format!("fp-{}", ::cluster::draw::hex(world.seed(), "fargate-profile", "", n, 8))
}

fn pairs(given: &Given, flag: &str) -> Result<BTreeMap<String, String>, String> {
    let words = given.list(flag).into_iter().filter(|it| !it.is_empty());
    words
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(format!(
                "Error: invalid argument {pair:?} for \"--{flag}\" flag: {pair} must be formatted as key=value"
            )),
        })
        .collect()
}

/// A profile as eksctl prints it, its fields in eksctl's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'p> {
    name: &'p str,
    #[serde(rename = "podExecutionRoleARN")]
    role: &'p str,
    selectors: &'p [FargateSelector],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    subnets: &'p [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'p BTreeMap<String, String>>,
    status: &'p str,
}

pub(super) fn get(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let wanted = named(given, word)?;
    exists(call.shell.world, &cluster)?;
    if let Some(name) = wanted.filter(|name| found(call.shell.world, &cluster, name).is_none()) {
        return Err(format!(
            "Error: failed to get Fargate profile {name:?}: operation error EKS: DescribeFargateProfile, https response error StatusCode: 404, ResourceNotFoundException: No Fargate Profile found with name: {name}."
        ));
    }
    let profiles: Vec<FargateProfile> = fargate_profiles(call.shell.world.store(), &cluster)
        .filter(|it| wanted.is_none_or(|name| it.metadata.name.as_deref() == Some(name)))
        .cloned()
        .collect();
    let shown: Vec<Shown<'_>> = profiles
        .iter()
        .map(|it| Shown {
            name: it.metadata.name.as_deref().unwrap_or_default(),
            role: &it.pod_execution_role_arn,
            selectors: &it.selectors,
            subnets: &it.subnets,
            tags: it.metadata.labels.as_ref(),
            status: &it.status,
        })
        .collect();
    match Form::of(given)? {
        Form::Table => call.out.out(&table(&shown)),
        form => print::data(call, form, &shown),
    }
    Ok(())
}

/// One line for each selector.
fn table(profiles: &[Shown<'_>]) -> String {
    let labels = |all: Option<&BTreeMap<String, String>>| {
        let pairs: Vec<String> = all.into_iter().flatten().map(|(k, v)| format!("{k}={v}")).collect();
        if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
    };
    let header = [
        "NAME",
        "SELECTOR_NAMESPACE",
        "SELECTOR_LABELS",
        "POD_EXECUTION_ROLE_ARN",
        "SUBNETS",
        "TAGS",
        "STATUS",
    ];
    let mut rows = Vec::new();
    for it in profiles {
        let subnets = if it.subnets.is_empty() { "<none>".to_owned() } else { it.subnets.join(",") };
        rows.extend(it.selectors.iter().map(|selector| {
            vec![
                it.name.to_owned(),
                selector.namespace.clone(),
                labels(Some(&selector.labels)),
                it.role.to_owned(),
                subnets.clone(),
                labels(it.tags),
                it.status.to_owned(),
            ]
        }));
    }
    print::table(&header, rows)
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let Some(name) = named(given, word)?.map(str::to_owned) else {
        return Err("Error: invalid Fargate profile: empty name".to_owned());
    };
    exists(call.shell.world, &cluster)?;
    if given.on("wait") {
        log(call, &format!("deleting Fargate profile {name:?} on EKS cluster {cluster:?}"));
    }
    let asked = Provision::DeleteFargateProfile { cluster: cluster.clone(), name: name.clone() };
    ask(call, asked).map_err(|error| {
        let why = error.trim_start_matches("Error: ");
        format!("Error: failed to delete Fargate profile {name:?}: {why}")
    })?;
    if given.on("wait") {
        call.shell.wait_until(LONGEST, call.out, |world| found(world, &cluster, &name).is_none());
    }
    log(call, &format!("deleted Fargate profile {name:?} on EKS cluster {cluster:?}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_eksctls_own() {
        // eksctl `pkg/fargate/print_test.go`.
        let tags = BTreeMap::from(
            ["app", "env"].map(|it| (it.to_owned(), if it == "app" { "my-app" } else { "test" }.to_owned())),
        );
        let of = |namespace: &str, labels: &BTreeMap<String, String>| FargateSelector {
            namespace: namespace.to_owned(),
            labels: labels.clone(),
        };
        let prod = [of("prod", &BTreeMap::from([("env".to_owned(), "prod".to_owned())]))];
        let test = [of("default", &BTreeMap::new()), of("kube-system", &tags)];
        let role = "arn:aws:iam::123:role/root";
        let subnets = ["subnet-prod".to_owned(), "subnet-d34dc0w".to_owned()];
        let shown = [
            Shown {
                name: "fp-prod",
                role,
                selectors: &prod,
                subnets: &subnets,
                tags: None,
                status: "ACTIVE",
            },
            Shown {
                name: "fp-test",
                role,
                selectors: &test,
                subnets: &[],
                tags: Some(&tags),
                status: "ACTIVE",
            },
        ];
        let wanted = "NAME\tSELECTOR_NAMESPACE\tSELECTOR_LABELS\t\tPOD_EXECUTION_ROLE_ARN\t\tSUBNETS\t\t\t\tTAGS\t\t\tSTATUS\n\
            fp-prod\tprod\t\t\tenv=prod\t\tarn:aws:iam::123:role/root\tsubnet-prod,subnet-d34dc0w\t<none>\t\t\tACTIVE\n\
            fp-test\tdefault\t\t\t<none>\t\t\tarn:aws:iam::123:role/root\t<none>\t\t\t\tapp=my-app,env=test\tACTIVE\n\
            fp-test\tkube-system\t\tapp=my-app,env=test\tarn:aws:iam::123:role/root\t<none>\t\t\t\tapp=my-app,env=test\tACTIVE\n";
        assert_eq!(table(&shown), wanted);
    }
}
