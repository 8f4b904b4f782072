//! `eksctl create|get|update|delete addon`.
//!
//! Source: eksctl 0.230 `pkg/actions/addon`, `pkg/ctl/{create,get,update,delete}/addon.go`, `pkg/ctl/cmdutils/addon.go`.
//! MODEL: no IAM roles and no OIDC provider are made; eksctl's remarks about them are left out.

use ::cluster::{ClusterId, Principal, Refusal, Reply, Request, World, request::AwsRequest};
use api::{
    SimDuration,
    kinds::{eks::Addon, eksctl},
};
use serde_json::{Value, json};

use super::{
    cluster_name, config, exists, log,
    print::{self, Form},
};
use crate::{flag::Given, tool::Call};

/// Longest wait for an add-on. Source: eksctl, `--timeout`.
const LONGEST: SimDuration = SimDuration::secs(25 * 60);

fn all(world: &World, cluster: &str) -> Vec<Addon> {
    let all = world.store().list::<Addon>(ClusterId::WORLD, None);
    all.filter(|addon| addon.cluster == cluster).cloned().collect()
}

fn eks(call: &mut Call<'_, '_>, action: &'static str, input: Value) -> Result<Value, String> {
    let request = Request::Aws(AwsRequest { service: "eks", action, input });
    match call.shell.world.request(&Principal::admin(), request) {
        Ok(Reply::Value(answer)) => Ok(answer),
        Ok(Reply::Object(_) | Reply::List(_)) => Ok(Value::Null),
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
    unnamed: &str,
) -> Result<(String, Vec<eksctl::Addon>), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    let addons = match config {
        Some(config) => config.addons,
        None => {
            let name = given.value("name").or(word).unwrap_or_default().to_owned();
            let version = given.value("version").map(str::to_owned);
            vec![eksctl::Addon { name, version, ..eksctl::Addon::default() }]
        }
    };
    if addons.is_empty() {
        return Err("Error: no addons specified".to_owned());
    }
    if addons.iter().any(|addon| addon.name.is_empty()) {
        return Err(format!("Error: {unnamed}"));
    }
    exists(call.shell.world, &cluster)?;
    let minor = minor(call.shell.world, &cluster);
    log(call, &format!("Kubernetes version {minor:?} in use by cluster {cluster:?}"));
    Ok((cluster, addons))
}

fn minor(world: &World, cluster: &str) -> String {
    let found = world.store().get::<api::kinds::eks::EksCluster>(ClusterId::WORLD, "", cluster);
    found.map(|it| it.version.clone()).unwrap_or_default()
}

/// The versions of an add-on for a cluster, the latest first, and whether each is the default one.
fn versions(call: &mut Call<'_, '_>, cluster: &str, addon: &str) -> Result<Vec<(String, bool)>, String> {
    let minor = minor(call.shell.world, cluster);
    let input = json!({"addonName": addon, "kubernetesVersion": minor});
    let answer = eks(call, "DescribeAddonVersions", input)?;
    let all = answer["addons"][0]["addonVersions"].as_array().into_iter().flatten();
    let read = |it: &Value| {
        let default = it["compatibilities"][0]["defaultVersion"].as_bool() == Some(true);
        Some((it["addonVersion"].as_str()?.to_owned(), default))
    };
    Ok(all.filter_map(read).collect())
}

/// The version that a command means: the default one, the latest, the one itself, or the latest that contains the words.
fn matching(call: &mut Call<'_, '_>, cluster: &str, addon: &eksctl::Addon) -> Result<String, String> {
    let all = versions(call, cluster, &addon.name)?;
    let asked = addon.version.as_deref().unwrap_or_default();
    let found = match asked {
        _ if all.is_empty() => return Err(format!("no versions available for {:?}", addon.name)),
        "" => all.iter().find(|(_, default)| *default).or(all.first()),
        "latest" => all.first(),
        asked => all
            .iter()
            .find(|(version, _)| version == asked)
            .or_else(|| all.iter().find(|(version, _)| version.contains(asked))),
    };
    let none = || format!("no version(s) found matching {asked:?} for {:?}", addon.name);
    found.map(|(version, _)| version.clone()).ok_or_else(none)
}

fn input(cluster: &str, addon: &eksctl::Addon, version: &str, force: bool) -> Value {
    let mut input = json!({"clusterName": cluster, "addonName": addon.name, "addonVersion": version});
    if let Some(values) = &addon.configuration_values {
        input["configurationValues"] = json!(values);
    }
    let how = addon.resolve_conflicts.as_ref().map(|how| how.to_uppercase());
    if let Some(how) = if force { Some("OVERWRITE".to_owned()) } else { how } {
        input["resolveConflicts"] = json!(how);
    }
    input
}

/// Waits for an add-on. Not for CoreDNS without node groups in the config: it would be degraded.
fn wait(call: &mut Call<'_, '_>, cluster: &str, addon: &str, nodes: bool) -> Result<(), String> {
    if addon == "coredns" && !nodes {
        return Ok(());
    }
    let status = |world: &World| {
        let found = all(world, cluster).into_iter().find(|it| it.addon == addon);
        found.map(|it| it.status).unwrap_or_default()
    };
    let over = |world: &World| matches!(status(world).as_str(), "ACTIVE" | "CREATE_FAILED" | "DEGRADED");
    let came = call.shell.wait_until(LONGEST, call.out, over);
    match status(call.shell.world).as_str() {
        "ACTIVE" => log(call, &format!("addon {addon:?} active")),
        other if came => return Err(format!("Error: addon status transitioned to {other:?}")),
        other => {
            return Err(format!(
                "Error: timed out waiting for addon {addon:?} to become active, status: {other:?}"
            ));
        }
    }
    Ok(())
}

/// What eksctl prints of a refusal of its own.
fn said(why: &str) -> String {
    format!("Error: {why}")
}

pub(super) fn create(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word, "name is required")?;
    for addon in &addons {
        let name = &addon.name;
        let there = |it: &Addon| it.addon == *name && it.status != "CREATE_FAILED";
        if all(call.shell.world, &cluster).iter().any(there) {
            let present = "is already present on the cluster, as an EKS managed addon, skipping creation";
            log(call, &format!("{name:?} addon {present}"));
            continue;
        }
        let version = matching(call, &cluster, addon).map_err(|why| said(&why))?;
        if !given.on("force") && matches!(name.as_str(), "coredns" | "kube-proxy" | "vpc-cni") {
            log(
                call,
                "when creating an addon to replace an existing application, e.g. CoreDNS, kube-proxy & VPC-CNI the --force flag will ensure the currently deployed configuration is replaced",
            );
        }
        log(call, &format!("creating addon: {name}"));
        let asked = eks(call, "CreateAddon", input(&cluster, addon, &version, given.on("force")));
        asked.map_err(|why| format!("Error: failed to create {name:?} addon: {why}"))?;
        wait(call, &cluster, name, false)?;
    }
    Ok(())
}

pub(super) fn update(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word, "name is required")?;
    for addon in &addons {
        let name = &addon.name;
        let found = all(call.shell.world, &cluster).into_iter().find(|it| it.addon == *name);
        let there = found.ok_or_else(|| absent(&cluster, name))?.version;
        let version = if addon.version.is_none() {
            log(call, &format!("no new version provided, preserving existing version: {there}"));
            there
        } else {
            let version = matching(call, &cluster, addon)
                .map_err(|why| format!("Error: failed to fetch addon version: {why}"))?;
            if version != there {
                log(call, &format!("new version provided {version}"));
            }
            version
        };
        log(call, "updating addon");
        let asked = eks(call, "UpdateAddon", input(&cluster, addon, &version, given.on("force")));
        asked.map_err(|why| format!("Error: failed to update addon {name:?}: {why}"))?;
        wait(call, &cluster, name, false)?;
    }
    Ok(())
}

fn absent(cluster: &str, name: &str) -> String {
    format!(
        "Error: failed to get addon {name:?}: operation error EKS: DescribeAddon, https response error StatusCode: 404, ResourceNotFoundException: No addon: {name} found in cluster: {cluster}"
    )
}

pub(super) fn delete(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let (cluster, addons) = wanted(call, given, word, "must specify addon name")?;
    // UPSTREAM: only the first of a file goes.
    let Some(addon) = addons.first() else { return Ok(()) };
    let (name, preserve) = (&addon.name, given.on("preserve"));
    log(
        call,
        &if preserve {
            format!("deleting addon {name:?} and preserving its resources")
        } else {
            format!("deleting addon: {name}")
        },
    );
    let there = all(call.shell.world, &cluster).iter().any(|it| it.addon == *name);
    if !there {
        log(call, &format!("addon {name:?} does not exist"));
        return match preserve {
            true => Ok(()),
            false => Err("Error: could not find addon or associated IAM stack(s) to delete".to_owned()),
        };
    }
    let input = json!({"clusterName": cluster, "addonName": name, "preserve": preserve});
    let asked = eks(call, "DeleteAddon", input);
    asked.map_err(|why| format!("Error: failed to delete addon {name:?}: {why}"))?;
    if !preserve {
        log(call, &format!("deleted addon: {name}"));
        log(call, "no associated IAM stacks found");
    }
    Ok(())
}

pub(super) fn get(call: &mut Call<'_, '_>, given: &Given, word: Option<&str>) -> Result<(), String> {
    let config = config(call, given)?;
    let cluster = cluster_name(given, config.as_ref())?;
    exists(call.shell.world, &cluster)?;
    let name = given.value("name").or(word);
    let (minor, form) = (minor(call.shell.world, &cluster), Form::of(given)?);
    aside(call, form, &format!("Kubernetes version {minor:?} in use by cluster {cluster:?}"));
    let found: Vec<Addon> = all(call.shell.world, &cluster)
        .into_iter()
        .filter(|it| name.is_none_or(|name| it.addon == name))
        .collect();
    match name {
        Some(name) if found.is_empty() => return Err(absent(&cluster, name)),
        Some(_) => {}
        None => aside(call, form, "getting all addons"),
    }
    let mut summaries = Vec::new();
    for it in found {
        let all = versions(call, &cluster, &it.addon).map_err(|why| said(&why))?;
        summaries.push(Summary::of(it, &all));
    }
    if form != Form::Table {
        print::data(call, form, &summaries);
        return Ok(());
    }
    if summaries.is_empty() {
        call.out.line("No addons found");
        return Ok(());
    }
    log(
        call,
        "to see issues for an addon run `eksctl get addon --name <addon-name> --cluster <cluster-name>`",
    );
    let rows = summaries.iter().map(Summary::row).collect();
    call.out.out(&print::table(&HEADER, rows));
    // MODEL: issues of add-ons name no resources.
    for issue in summaries.iter().filter(|_| name.is_some()).flat_map(|it| it.issues.iter().flatten()) {
        call.out.line(&format!("Issue: {{Code:{} Message:{} ResourceIDs:[]}}", issue.code, issue.message));
    }
    Ok(())
}

/// A remark beside data goes where it cannot be taken for some.
fn aside(call: &mut Call<'_, '_>, form: Form, text: &str) {
    if form == Form::Table {
        log(call, text);
    } else {
        let line = super::marked(call.shell.world, "ℹ", text);
        call.out.err(&line);
    }
}

const HEADER: [&str; 9] = [
    "NAME",
    "VERSION",
    "STATUS",
    "ISSUES",
    "IAMROLE",
    "UPDATE AVAILABLE",
    "CONFIGURATION VALUES",
    "NAMESPACE",
    "POD IDENTITY ASSOCIATION ROLES",
];

/// An add-on as eksctl sums it up. Source: eksctl `pkg/actions/addon/get.go` (`Summary`).
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    name: String,
    version: String,
    newer_version: String,
    #[serde(rename = "IAMRole")]
    iam_role: String,
    status: String,
    configuration_values: String,
    namespace_config: Option<()>,
    issues: Option<Vec<Issue>>,
    pod_identity_associations: Option<()>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
struct Issue {
    code: String,
    message: String,
    #[serde(rename = "ResourceIDs")]
    resource_ids: Option<()>,
}

impl Summary {
    fn of(it: Addon, all: &[(String, bool)]) -> Self {
        let newer =
            all.iter().map(|(version, _)| version.as_str()).take_while(|version| *version != it.version);
        let known = all.iter().any(|(version, _)| *version == it.version);
        let newer: Vec<&str> = if known { newer.collect() } else { Vec::new() };
        let issue = |it: api::kinds::eks::AddonIssue| Issue {
            code: it.code,
            message: it.message,
            resource_ids: None,
        };
        let issues: Vec<Issue> = it.issues.into_iter().map(issue).collect();
        Self {
            name: it.addon,
            version: it.version,
            newer_version: newer.join(","),
            iam_role: String::new(),
            status: it.status,
            configuration_values: it.configuration_values,
            namespace_config: None,
            issues: (!issues.is_empty()).then_some(issues),
            pod_identity_associations: None,
        }
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            self.version.clone(),
            self.status.clone(),
            self.issues.as_ref().map_or(0, Vec::len).to_string(),
            self.iam_role.clone(),
            self.newer_version.clone(),
            self.configuration_values.clone(),
            "-".to_owned(),
            String::new(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Machine, Output, run};

    /// What the lines say after `eksctl create cluster`, without the time of day; and the status of the last.
    fn said(lines: &str) -> (String, i32) {
        let (mut machine, mut world) = (Machine::default(), cluster::World::empty(1));
        let made = "eksctl create cluster --name lab --nodes 1 --zones ap-northeast-2a,ap-northeast-2b";
        assert_eq!(run(made, &mut machine, &mut world, &mut Output::default()), 0);
        let mut out = Output::default();
        let status = run(lines, &mut machine, &mut world, &mut out);
        let all = out.stdout() + &out.stderr();
        let untimed = all.lines().map(|line| match line.split_once(" [") {
            Some((time, rest)) if time.len() == 19 => format!("[{rest}\n"),
            _ => format!("{line}\n"),
        });
        (untimed.collect(), status)
    }

    const IN_USE: &str = "[ℹ]  Kubernetes version \"1.34\" in use by cluster \"lab\"\n";

    #[test]
    fn what_is_there_is_not_made_again() {
        let present = "[ℹ]  \"kube-proxy\" addon is already present on the cluster, as an EKS managed addon, skipping creation\n";
        assert_eq!(
            said("eksctl create addon --cluster lab --name kube-proxy"),
            (format!("{IN_USE}{present}"), 0)
        );
    }

    #[test]
    fn an_addon_goes_and_comes_in_eksctls_words() {
        let gone = "[ℹ]  deleting addon: kube-proxy\n[ℹ]  deleted addon: kube-proxy\n[ℹ]  no associated IAM stacks found\n";
        let force = "[ℹ]  when creating an addon to replace an existing application, e.g. CoreDNS, kube-proxy & VPC-CNI the --force flag will ensure the currently deployed configuration is replaced\n";
        let came = "[ℹ]  creating addon: kube-proxy\n[ℹ]  addon \"kube-proxy\" active\n";
        assert_eq!(
            said(
                "eksctl delete addon --cluster lab --name kube-proxy; lab wait 60s; eksctl create addon --cluster lab --name kube-proxy --version latest"
            ),
            (format!("{IN_USE}{gone}{IN_USE}{force}{came}"), 0)
        );
        let none = "[ℹ]  deleting addon: x\n[ℹ]  addon \"x\" does not exist\nError: could not find addon or associated IAM stack(s) to delete\n";
        assert_eq!(said("eksctl delete addon --cluster lab --name x"), (format!("{IN_USE}{none}"), 1));
        assert_eq!(
            said("eksctl delete addon --cluster lab"),
            ("Error: must specify addon name\n".to_owned(), 1)
        );
        let (words, status) = said("eksctl create addon --cluster lab --name kube-proxy-2");
        assert!(
            words.contains("Error: no versions available for \"kube-proxy-2\"") && status == 1,
            "{words}"
        );
    }

    #[test]
    fn the_table_has_eksctls_columns_and_says_what_is_newer() {
        let (words, status) = said("eksctl get addon --cluster lab");
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines[1], "[ℹ]  getting all addons");
        assert!(
            lines[2].starts_with("[ℹ]  to see issues for an addon run `eksctl get addon --name"),
            "{words}"
        );
        assert_eq!(
            lines[3].split('\t').filter(|it| !it.is_empty()).collect::<Vec<_>>(),
            [
                "NAME",
                "VERSION",
                "STATUS",
                "ISSUES",
                "IAMROLE",
                "UPDATE AVAILABLE",
                "CONFIGURATION VALUES",
                "NAMESPACE",
                "POD IDENTITY ASSOCIATION ROLES"
            ]
        );
        assert_eq!((lines.len(), status), (7, 0), "{words}");
    }
}
