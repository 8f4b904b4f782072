//! `eksctl create|get|update|delete addon`.
//!
//! Source: eksctl `pkg/actions/addon`, `pkg/ctl/{create,get,update,delete}/addon.go`. MODEL: no IAM roles are made.

use ::cluster::{ClusterId, Principal, Refusal, Reply, Request, World, request::AwsRequest};
use api::{
    SimDuration,
    kinds::{eks::Addon, eksctl},
};
use serde_json::{Value, json};

use super::{cluster_name, config, exists, log};
use crate::{flag::Given, tool::Call};

/// Longest wait for an add-on. Source: eksctl, `--timeout`.
const LONGEST: SimDuration = SimDuration::secs(25 * 60);

fn all(world: &World, cluster: &str) -> Vec<Addon> {
    let all = world.store().list::<Addon>(ClusterId::WORLD, None);
    all.filter(|addon| addon.cluster == cluster).cloned().collect()
}

fn eks(call: &mut Call<'_, '_>, action: &'static str, input: Value) -> Result<(), String> {
    let request = Request::Aws(AwsRequest { service: "eks", action, input });
    match call.shell.world.request(&Principal::admin(), request) {
        Ok(Reply::Object(_) | Reply::List(_) | Reply::Value(_)) => Ok(()),
        Err(Refusal::Aws(error)) => Err(format!(
            "operation error EKS: {}, https response error StatusCode: {}, {}: {}",
            error.operation,
            if error.code == "ResourceNotFoundException" { 404 } else { 400 },
            error.code,
            error.message
        )),
        Err(other) => Err(other.to_string()),
    }
}

/// The add-ons that a command is about: those of the config file, or the one that flags name.
fn wanted(
    call: &mut Call<'_, '_>,
    given: &Given,
    word: Option<&str>,
) -> Result<(String, Vec<eksctl::Addon>), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let addons = match config {
        Some(config) => config.addons,
        None => {
            let name = given.value("name").or(word).ok_or("Error: name is required")?.to_owned();
            let version = given.value("version").map(str::to_owned);
            vec![eksctl::Addon { name, version, ..eksctl::Addon::default() }]
        }
    };
    Ok((cluster, addons))
}

fn input(cluster: &str, addon: &eksctl::Addon, force: bool) -> Value {
    let mut input = json!({"clusterName": cluster, "addonName": addon.name});
    if let Some(version) = addon.version.as_ref().filter(|version| *version != "latest") {
        input["addonVersion"] = json!(version);
    }
    if let Some(values) = &addon.configuration_values {
        input["configurationValues"] = json!(values);
    }
    let how = addon.resolve_conflicts.as_ref().map(|how| how.to_uppercase());
    if let Some(how) = if force { Some("OVERWRITE".to_owned()) } else { how } {
        input["resolveConflicts"] = json!(how);
    }
    input
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word)?;
    for addon in &addons {
        if all(call.shell.world, &cluster).iter().any(|it| it.addon == addon.name) {
            log(call, &format!("addon {:?} already exists in cluster {cluster:?}", addon.name));
            continue;
        }
        log(call, &format!("creating addon: {}", addon.name));
        let asked = eks(call, "CreateAddon", input(&cluster, addon, given.on("force")));
        asked.map_err(|why| format!("Error: failed to create addon {:?}: {why}", addon.name))?;
        log(call, "successfully created addon");
    }
    Ok(())
}

pub(super) fn update(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word)?;
    for addon in &addons {
        let found = all(call.shell.world, &cluster).into_iter().find(|it| it.addon == addon.name);
        log(
            call,
            &format!(
                "Kubernetes version {:?} in use by cluster {cluster:?}",
                minor(call.shell.world, &cluster)
            ),
        );
        if addon.version.is_none() {
            let there = found.map(|it| it.version).unwrap_or_default();
            log(call, &format!("no new version provided, preserving existing version: {there}"));
        }
        log(call, &format!("updating addon {:?}", addon.name));
        let asked = eks(call, "UpdateAddon", input(&cluster, addon, given.on("force")));
        asked.map_err(|why| format!("Error: failed to update addon {:?}: {why}", addon.name))?;
        if given.on("wait") {
            let name = addon.name.clone();
            let rests = |world: &World| {
                all(world, &cluster).iter().any(|it| it.addon == name && it.status != "UPDATING")
            };
            call.shell.wait_until(LONGEST, call.out, rests);
        }
    }
    Ok(())
}

fn minor(world: &World, cluster: &str) -> String {
    let found = world.store().get::<api::kinds::eks::EksCluster>(ClusterId::WORLD, "", cluster);
    found.map(|it| it.version.clone()).unwrap_or_default()
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word)?;
    for addon in &addons {
        log(call, &format!("deleting addon: {}", addon.name));
        let input =
            json!({"clusterName": cluster, "addonName": addon.name, "preserve": given.on("preserve")});
        let asked = eks(call, "DeleteAddon", input);
        asked.map_err(|why| format!("Error: failed to delete addon {:?}: {why}", addon.name))?;
        log(call, &format!("deleted addon: {}", addon.name));
        log(call, "no associated IAM stacks found");
    }
    Ok(())
}

pub(super) fn get(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let name = given.value("name").or(word);
    let found: Vec<Addon> = all(call.shell.world, &cluster)
        .into_iter()
        .filter(|it| name.is_none_or(|name| it.addon == name))
        .collect();
    if let (Some(name), true) = (name, found.is_empty()) {
        return Err(format!(
            "Error: failed to get addon {name:?}: operation error EKS: DescribeAddon, https response error StatusCode: 404, ResourceNotFoundException: No addon: {name} found in cluster: {cluster}"
        ));
    }
    log(
        call,
        &format!("Kubernetes version {:?} in use by cluster {cluster:?}", minor(call.shell.world, &cluster)),
    );
    if name.is_none() {
        log(call, "getting all addons");
    }
    let head = ["NAME", "VERSION", "STATUS", "ISSUES", "IAMROLE", "UPDATE AVAILABLE", "CONFIGURATION VALUES"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for it in found {
        rows.push(vec![
            it.addon,
            it.version,
            it.status,
            it.issues.len().to_string(),
            String::new(),
            String::new(),
            it.configuration_values,
        ]);
    }
    for row in rows {
        // Columns are parted by tabs.
        call.out.line(&row.join("\t"));
    }
    Ok(())
}
