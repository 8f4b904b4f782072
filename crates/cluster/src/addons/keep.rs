//! How does an add-on come, change and go, and how is it?
//!
//! EKS applies its objects and looks at its workload. MODEL: applying takes a few seconds, and an add-on that lacks replicas
//! is degraded at once.
//! Source: the EKS API reference (`Addon`, `AddonIssue`); addons.md §2.

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        apps::v1::{DaemonSet, Deployment},
        core::v1::Node,
    },
    kinds::eks::{Addon, AddonIssue, EksCluster},
    meta::ObjectMeta,
};

use super::{Resolve, apply::apply, render, schema, settings, versions};
use crate::{
    AwsError, Change, ClusterId, Controller, Key, Next, Store, Turn, cloud::refuse, node::cluster_named,
    parts::Process,
};

/// How long EKS needs to apply an add-on.
const APPLY: SimDuration = SimDuration::secs(5);

/// What is asked for.
pub(crate) struct Wanted<'a> {
    /// The latest, or on an update the one that is there, if absent.
    pub version: Option<&'a str>,
    /// `configurationValues`.
    pub values: &'a str,
    pub resolve: Resolve,
}

/// The add-on of a cluster.
pub(crate) fn find<'s>(store: &'s Store, cluster: &str, addon: &str) -> Option<&'s Addon> {
    store.get(ClusterId::WORLD, "", &format!("{cluster}/{addon}"))
}

fn name(cluster: &EksCluster) -> String {
    cluster.metadata.name.clone().unwrap_or_default()
}

fn check(cluster: &EksCluster, addon: &str, wanted: &Wanted<'_>, operation: &str) -> Result<(), AwsError> {
    let wrong = |message: String| Err(refuse(operation, "InvalidParameterException", message));
    let known = versions(addon, &cluster.version);
    if known.is_empty() {
        return wrong("Addon specified is not supported".to_owned());
    }
    let fits =
        |version: &&str| known.iter().any(|it| it == version || it.split('-').next() == Some(*version));
    if wanted.version.is_some_and(|version| !fits(&version)) {
        return wrong("Addon version specified is not supported".to_owned());
    }
    schema::refusal(addon, &settings(wanted.values)).map_or(Ok(()), wrong)
}

/// The whole version of one that may be without its build.
fn whole(cluster: &EksCluster, addon: &str, version: Option<&str>) -> String {
    let known = versions(addon, &cluster.version);
    let found = known.iter().find(|it| version.is_none_or(|version| it.starts_with(version)));
    found.copied().unwrap_or_default().to_owned()
}

/// Makes an add-on.
/// # Errors
/// `InvalidParameterException`, `ResourceInUseException`.
pub(crate) fn create(
    turn: &mut Turn<'_>,
    cluster: &EksCluster,
    addon: &str,
    wanted: &Wanted<'_>,
) -> Result<Addon, AwsError> {
    const OPERATION: &str = "CreateAddon";
    if find(turn.store(), &name(cluster), addon).is_some() {
        return Err(refuse(OPERATION, "ResourceInUseException", "Addon already exists."));
    }
    check(cluster, addon, wanted, OPERATION)?;
    let now = turn.now();
    let mut made = Addon {
        metadata: ObjectMeta { name: Some(format!("{}/{addon}", name(cluster))), ..ObjectMeta::default() },
        cluster: name(cluster),
        addon: addon.to_owned(),
        version: whole(cluster, addon, wanted.version),
        configuration_values: wanted.values.to_owned(),
        status: "CREATING".to_owned(),
        since: now,
        created_at: now,
        issues: Vec::new(),
    };
    let objects = render(cluster, addon, &made.version, wanted.values);
    write(turn, &mut made, &[], objects, wanted.resolve, "CREATE_FAILED");
    turn.put(made.clone().into_object());
    Ok(made)
}

/// Changes version and settings of an add-on: those that are given take the place of those before.
/// # Errors
/// `ResourceNotFoundException`, `InvalidParameterException`.
pub(crate) fn update(
    turn: &mut Turn<'_>,
    cluster: &EksCluster,
    addon: &str,
    wanted: &Wanted<'_>,
) -> Result<Addon, AwsError> {
    const OPERATION: &str = "UpdateAddon";
    let mut found = asked_for(turn.store(), cluster, addon, OPERATION)?;
    check(cluster, addon, wanted, OPERATION)?;
    let before = render(cluster, addon, &found.version, &found.configuration_values);
    let version =
        wanted.version.map_or(found.version.clone(), |version| whole(cluster, addon, Some(version)));
    let objects = render(cluster, addon, &version, wanted.values);
    found.status = "UPDATING".to_owned();
    found.since = turn.now();
    found.issues = Vec::new();
    if write(turn, &mut found, &before, objects, wanted.resolve, "UPDATE_FAILED") {
        found.version = version;
        found.configuration_values = wanted.values.to_owned();
    }
    turn.put(found.clone().into_object());
    Ok(found)
}

/// Deletes an add-on, and its objects unless they are to stay.
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) fn delete(
    turn: &mut Turn<'_>,
    cluster: &EksCluster,
    addon: &str,
    preserve: bool,
) -> Result<Addon, AwsError> {
    let mut found = asked_for(turn.store(), cluster, addon, "DeleteAddon")?;
    found.status = "DELETING".to_owned();
    found.since = turn.now();
    turn.put(found.clone().into_object());
    if let Some(id) = cluster_named(turn.store(), &found.cluster).filter(|_| !preserve) {
        let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
        for object in render(cluster, addon, &found.version, &found.configuration_values) {
            let key = Key::new(id, object.kind(), object.namespace(), object.name());
            // One that is gone already need not go.
            let _ = there.delete(&key, None);
        }
    }
    Ok(found)
}

/// The add-on that a call names.
/// # Errors
/// `ResourceNotFoundException`.
pub(crate) fn asked_for(
    store: &Store,
    cluster: &EksCluster,
    addon: &str,
    operation: &str,
) -> Result<Addon, AwsError> {
    let message = || format!("No addon: {addon} found in cluster: {}", name(cluster));
    let found = find(store, &name(cluster), addon).cloned();
    found.ok_or_else(|| refuse(operation, "ResourceNotFoundException", message()))
}

/// Applies objects; says whether that went well.
fn write(
    turn: &mut Turn<'_>,
    addon: &mut Addon,
    before: &[Object],
    objects: Vec<Object>,
    how: Resolve,
    failed: &str,
) -> bool {
    let Some(id) = cluster_named(turn.store(), &addon.cluster) else { return false };
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    let Err(message) = apply(&mut there, before, objects, how) else { return true };
    addon.status = failed.to_owned();
    addon.issues = vec![AddonIssue { code: "ConfigurationConflict".to_owned(), message }];
    false
}

/// Looks after the status of add-ons.
pub struct Addons;

impl Controller for Addons {
    fn name(&self) -> &'static str {
        "eks-addon"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Addon if change.after.is_some() => wake(change.key.clone()),
            // CoreDNS may be to follow the number of nodes.
            Kind::Node if change.before.is_none() || change.after.is_none() => {
                let of = store.list::<Addon>(ClusterId::WORLD, None).filter(|it| {
                    it.addon == "coredns" && cluster_named(store, &it.cluster) == Some(change.key.cluster)
                });
                for addon in of {
                    wake(Key::new(
                        ClusterId::WORLD,
                        Kind::Addon,
                        "",
                        addon.metadata.name.as_deref().unwrap_or_default(),
                    ));
                }
            }
            Kind::DaemonSet | Kind::Deployment if &*change.key.namespace == "kube-system" => {
                let of = store.list::<Addon>(ClusterId::WORLD, None).filter(|addon| {
                    workload(&addon.addon) == &*change.key.name
                        && cluster_named(store, &addon.cluster) == Some(change.key.cluster)
                });
                for addon in of {
                    let name = addon.metadata.name.as_deref().unwrap_or_default();
                    wake(Key::new(ClusterId::WORLD, Kind::Addon, "", name));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(mut addon) = turn.get::<Addon>("", &key.name).cloned() else { return Ok(Next::Done) };
        let passed = turn.now().since(addon.since);
        let begun = matches!(addon.status.as_str(), "CREATING" | "UPDATING" | "DELETING");
        if begun && passed < APPLY {
            return Ok(Next::After(SimDuration(APPLY.0 - passed.0)));
        }
        if addon.status == "DELETING" {
            turn.remove(key);
            return Ok(Next::Done);
        }
        if addon.status.ends_with("_FAILED") {
            return Ok(Next::Done);
        }
        autoscale(turn, &addon);
        let (status, issues) = match health(turn.store(), &addon) {
            Health::Well => ("ACTIVE", Vec::new()),
            Health::Starting if begun => return Ok(Next::Done),
            Health::Starting => return Ok(Next::Done),
            Health::Short => ("DEGRADED", vec![short()]),
        };
        if addon.status != status || addon.issues != issues {
            addon.status = status.to_owned();
            (addon.issues, addon.since) = (issues, turn.now());
            turn.put(addon.into_object());
        }
        Ok(Next::Done)
    }
}

/// Replicas of CoreDNS, where EKS is to choose them: one for 16 nodes and one for 256 cores, whichever is more, within its limits.
/// Source: EKS user guide (scale CoreDNS pods for high DNS traffic). MODEL: the numbers are those of the cluster-proportional autoscaler, the
/// limits' defaults 2 and 10; EKS looks again from time to time, here with every node.
fn autoscale(turn: &mut Turn<'_>, addon: &Addon) {
    let values = settings(&addon.configuration_values);
    let wanted = &values["autoScaling"];
    let Some(id) = cluster_named(turn.store(), &addon.cluster).filter(|_| addon.addon == "coredns") else {
        return;
    };
    if wanted["enabled"] != true {
        return;
    }
    let limit = |name: &str, or: u64| wanted[name].as_u64().unwrap_or(or);
    let (mut nodes, mut cores) = (0_u64, 0_u64);
    for node in turn.store().list::<Node>(id, None) {
        nodes += 1;
        let cpu = node.status.iter().find_map(|it| it.capacity.as_ref()?.get("cpu")?.0.parse::<u64>().ok());
        cores += cpu.unwrap_or(0);
    }
    let (low, high) = (limit("minReplicas", 2), limit("maxReplicas", 10));
    let replicas = nodes.div_ceil(16).max(cores.div_ceil(256)).max(low).min(high.max(low));
    let replicas = i32::try_from(replicas).unwrap_or(i32::MAX);
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    let has = there.get::<Deployment>("kube-system", "coredns").and_then(|it| it.spec.as_ref()?.replicas);
    if has.is_some_and(|has| has != replicas) {
        // Without an API server it is tried again with the next change.
        let _ = there.patch::<Deployment>("kube-system", "coredns", |it| {
            it.spec.get_or_insert_default().replicas = Some(replicas);
        });
    }
}

fn short() -> AddonIssue {
    let message = "The add-on is unhealthy because it doesn't have the desired number of replicas.";
    AddonIssue { code: "InsufficientNumberOfReplicas".to_owned(), message: message.to_owned() }
}

/// The workload that an add-on is judged by.
fn workload(addon: &str) -> &str {
    if addon == "vpc-cni" { "aws-node" } else { addon }
}

enum Health {
    Well,
    Starting,
    Short,
}

fn health(store: &Store, addon: &Addon) -> Health {
    let Some(id) = cluster_named(store, &addon.cluster) else { return Health::Starting };
    let name = workload(&addon.addon);
    if let Some(set) = store.get::<DaemonSet>(id, "kube-system", name) {
        let status = set.status.clone().unwrap_or_default();
        let ready = status.number_ready >= status.desired_number_scheduled;
        return if ready { Health::Well } else { Health::Starting };
    }
    let Some(deployment) = store.get::<Deployment>(id, "kube-system", name) else { return Health::Short };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let whole =
        status.available_replicas.unwrap_or(0) >= wanted && status.updated_replicas.unwrap_or(0) >= wanted;
    if whole { Health::Well } else { Health::Short }
}
