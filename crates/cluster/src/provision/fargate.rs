//! How do Fargate profiles come and go?
//!
//! One at a time: while a profile of a cluster is created or deleted, no other one is. Nothing of a profile can be changed.
//! Deleting one deletes its pods; those that their owners make anew are admitted without it.
//! Source: Amazon EKS API reference (`CreateFargateProfile`, `DeleteFargateProfile`), EKS user guide (Fargate profile);
//! the refusals as tools print them (hashicorp/terraform#25059, eksctl-io/eksctl#5652, awslabs/eks-perf-tests#195).

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::{apps::v1::Deployment, core::v1::Pod},
    kinds::{
        aws::Subnet,
        eks::{EksCluster, FargateProfile},
        eksctl,
        sim::{ControlPlane, Machine},
    },
    meta::ObjectMeta,
};

use super::plane;
use crate::{
    AwsError, Change, ClusterId, Controller, Key, Next, Store, Turn,
    cloud::{ACCOUNT, refuse, subnet},
    node::{
        cluster_named,
        fargate::{COMPUTE_TYPE, PROFILE_LABEL},
        join::region_of,
    },
    parts::Process,
    timing,
};

/// Selectors of a profile, and labels of a selector. Source: EKS user guide (Fargate profile components).
const MOST: usize = 5;
/// Profiles of a cluster. Source: EKS service quotas.
const PROFILES: usize = 10;
/// How often it is looked whether a deleted profile's pods are gone.
const LOOK: SimDuration = SimDuration::secs(2);

/// Ends what takes a profile time.
pub struct FargateProfiles;

impl Controller for FargateProfiles {
    fn name(&self) -> &'static str {
        "eks-fargate-profile"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::FargateProfile && change.after.is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(mut profile) = turn.get::<FargateProfile>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let passed = turn.now().since(profile.since);
        let rest = |all: SimDuration| (passed < all).then(|| Next::After(SimDuration(all.0 - passed.0)));
        match profile.status.as_str() {
            "CREATING" => {
                if let Some(wait) = rest(timing::FARGATE_PROFILE_CREATE) {
                    return Ok(wait);
                }
                "ACTIVE".clone_into(&mut profile.status);
                profile.since = turn.now();
                turn.put(profile.into_object());
            }
            "DELETING" => {
                let empty = evict(turn, &profile);
                if let Some(wait) = rest(timing::FARGATE_PROFILE_DELETE) {
                    return Ok(wait);
                }
                if !empty {
                    return Ok(Next::After(LOOK));
                }
                turn.remove(key);
            }
            _ => {}
        }
        Ok(Next::Done)
    }
}

/// Deletes the pods that run by a profile; whether all of them and their machines are gone.
fn evict(turn: &mut Turn<'_>, profile: &FargateProfile) -> bool {
    let Some(cluster) = cluster_named(turn.store(), &profile.cluster) else { return true };
    let name = profile.metadata.name.as_deref().unwrap_or_default();
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let runs = |pod: &&Pod| {
        let labels = pod.metadata.labels.as_ref();
        let bound = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
        bound && labels.and_then(|it| it.get(PROFILE_LABEL)).is_some_and(|it| it == name)
    };
    let pods: Vec<(Key, bool)> = there
        .list::<Pod>(None)
        .filter(runs)
        .map(|pod| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let key = there.key(Kind::Pod, &text(&pod.metadata.namespace), &text(&pod.metadata.name));
            (key, pod.metadata.deletion_timestamp.is_some())
        })
        .collect();
    for (key, going) in &pods {
        if !going {
            // Without an API server it is tried again.
            let _ = there.delete(key, None);
        }
    }
    let machines = there.list::<Machine>(None);
    pods.is_empty() && !machines.filter_map(|it| it.micro_vm.as_ref()).any(|it| it.profile == name)
}

/// The profiles of a cluster, by name.
pub fn profiles<'s>(store: &'s Store, cluster: &'s str) -> impl Iterator<Item = &'s FargateProfile> {
    store.list::<FargateProfile>(ClusterId::WORLD, None).filter(move |it| it.cluster == cluster)
}

/// A profile of the cluster with this part of the store.
#[must_use]
pub fn profile_in<'s>(store: &'s Store, cluster: ClusterId, name: &str) -> Option<&'s FargateProfile> {
    let plane = store.list::<ControlPlane>(ClusterId::WORLD, None).find(|plane| plane.id == cluster.0)?;
    store.get(ClusterId::WORLD, plane.metadata.name.as_deref()?, name)
}

/// Begins a profile.
/// # Errors
/// In the words of EKS.
pub(crate) fn create(
    turn: &mut Turn<'_>,
    cluster: &str,
    wanted: &eksctl::FargateProfile,
) -> Result<(), AwsError> {
    const OPERATION: &str = "CreateFargateProfile";
    let no = |code: &str, message: String| Err(refuse(OPERATION, code, message));
    let Some(eks) = turn.get::<EksCluster>("", cluster).cloned() else {
        return no("ResourceNotFoundException", format!("No cluster found for name: {cluster}."));
    };
    let name = wanted.name.as_str();
    if turn.get::<FargateProfile>(cluster, name).is_some_and(|it| it.status != "DELETING") {
        let message = "A Fargate Profile already exists with this name in this cluster.";
        return no("ResourceInUseException", message.to_owned());
    }
    busy(turn, OPERATION, "create", cluster, name)?;
    if profiles(turn.store(), cluster).count() >= PROFILES {
        // MODEL: the words of this quota are not recorded.
        let message = format!("The cluster {cluster} has reached the limit of {PROFILES} Fargate profiles.");
        return no("ResourceLimitExceededException", message);
    }
    let labels = wanted.selectors.iter().map(|it| it.labels.len()).max().unwrap_or(0);
    if wanted.selectors.is_empty() || wanted.selectors.len() > MOST || labels > MOST {
        // MODEL: the words of these limits are not recorded.
        let message =
            format!("A Fargate Profile has one to {MOST} selectors, each with up to {MOST} labels.");
        return no("InvalidParameterException", message);
    }
    let subnets = match wanted.subnets.as_slice() {
        [] => eks.subnets.iter().filter(|it| !is_public(turn.store(), it)).cloned().collect(),
        named => named.to_vec(),
    };
    for name in &subnets {
        if let Err(missing) = subnet::asked_for(turn.store(), name, OPERATION) {
            return no("InvalidParameterException", missing.message);
        }
        if is_public(turn.store(), name) {
            let message = format!("Subnet {name} provided in Fargate Profile is not a private subnet");
            return no("InvalidParameterException", message);
        }
    }
    let about = format!("{cluster}/{name}");
    let seed = turn.world().seed();
    let zone = subnets.first().and_then(|it| turn.get::<Subnet>("", it));
    let region = zone.map(|it| region_of(&it.availability_zone).to_owned()).unwrap_or_default();
    let uid = crate::draw::uid(seed, &about, 0);
    let role = wanted.pod_execution_role_arn.clone().unwrap_or_else(|| {
        let unique = crate::draw::hex(seed, "fargate-role", cluster, 0, 12).to_uppercase();
        format!("arn:aws:iam::{ACCOUNT}:role/eksctl-{cluster}-fargate-FargatePodExecutionRole-{unique}")
    });
    let profile = FargateProfile {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(cluster.to_owned()),
            creation_timestamp: Some(turn.stamp()),
            labels: (!wanted.tags.is_empty()).then(|| wanted.tags.clone()),
            ..ObjectMeta::default()
        },
        cluster: cluster.to_owned(),
        arn: format!("arn:aws:eks:{region}:{ACCOUNT}:fargateprofile/{about}/{uid}"),
        pod_execution_role_arn: role,
        subnets,
        selectors: wanted.selectors.clone(),
        status: "CREATING".to_owned(),
        since: turn.now(),
    };
    turn.put(profile.into_object());
    Ok(())
}

/// Begins to delete a profile.
/// # Errors
/// In the words of EKS.
pub(crate) fn delete(turn: &mut Turn<'_>, cluster: &str, name: &str) -> Result<(), AwsError> {
    const OPERATION: &str = "DeleteFargateProfile";
    let mut profile = asked_for(turn.store(), OPERATION, cluster, name)?.clone();
    busy(turn, OPERATION, "Delete", cluster, name)?;
    "DELETING".clone_into(&mut profile.status);
    profile.since = turn.now();
    turn.put(profile.into_object());
    Ok(())
}

/// The profile that a call names.
/// # Errors
/// `ResourceNotFoundException`.
pub fn asked_for<'s>(
    store: &'s Store,
    operation: &str,
    cluster: &str,
    name: &str,
) -> Result<&'s FargateProfile, AwsError> {
    let missing = |message: String| refuse(operation, "ResourceNotFoundException", message);
    if store.get::<EksCluster>(ClusterId::WORLD, "", cluster).is_none() {
        return Err(missing(format!("No cluster found for name: {cluster}.")));
    }
    let profile = store.get::<FargateProfile>(ClusterId::WORLD, cluster, name);
    profile.ok_or_else(|| missing(format!("No Fargate Profile found with name: {name}.")))
}

/// One change of a cluster's profiles at a time.
fn busy(turn: &Turn<'_>, operation: &str, verb: &str, cluster: &str, name: &str) -> Result<(), AwsError> {
    let Some(other) = profiles(turn.store(), cluster).find(|it| it.status != "ACTIVE") else {
        return Ok(());
    };
    let (of, status) = (other.metadata.name.as_deref().unwrap_or_default(), &other.status);
    let message = format!(
        "Cannot {verb} Fargate Profile {name} because cluster {cluster} currently has Fargate profile {of} in status {status}"
    );
    Err(refuse(operation, "ResourceInUseException", message))
}

fn is_public(store: &Store, name: &str) -> bool {
    subnet::get(store, name).is_some_and(|it| subnet::is_public(store, it))
}

/// Makes the next profile of those that a cluster was asked for, once the one before is active; eksctl goes one by one.
/// Whether one is still to come.
pub(super) fn next(turn: &mut Turn<'_>, cluster: &mut EksCluster) -> bool {
    let name = cluster.metadata.name.clone().unwrap_or_default();
    if profiles(turn.store(), &name).any(|it| it.status != "ACTIVE") {
        return true;
    }
    let Some(config) = &mut cluster.pending else { return false };
    while !config.fargate_profiles.is_empty() {
        let wanted = config.fargate_profiles.remove(0);
        // The config was checked when the cluster was asked for; one that EKS refuses is left out.
        if create(turn, &name, &wanted).is_ok() {
            return true;
        }
    }
    schedule_coredns(turn, &name);
    false
}

/// Has CoreDNS admitted to Fargate, if a profile selects it: the deployment's annotation says so.
/// Source: eksctl `pkg/fargate/coredns/coredns.go` (`IsSchedulableOnFargate`, `ScheduleOnFargate`).
pub(super) fn schedule_coredns(turn: &mut Turn<'_>, cluster: &str) {
    let selects = |it: &FargateProfile| {
        it.selectors.iter().any(|it| {
            let component = it.labels.get("eks.amazonaws.com/component");
            it.namespace == "kube-system"
                && (it.labels.is_empty() || component.is_some_and(|it| it == "coredns"))
        })
    };
    let selected = profiles(turn.store(), cluster).any(selects);
    let Some(id) = plane(turn.store(), cluster).filter(|_| selected) else { return };
    let mut there = Turn::new(turn.world, turn.actor, id, turn.cause);
    // A cluster may have been made without CoreDNS.
    let _ = there.patch::<Deployment>("kube-system", "coredns", |it| {
        let template = &mut it.spec.get_or_insert_default().template;
        let annotations = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
        annotations.insert(COMPUTE_TYPE.to_owned(), "fargate".to_owned());
    });
}
