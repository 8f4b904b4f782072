//! How does an Auto Scaling group launch, and what does it remember?
//!
//! One instance after the other, each in the subnet that has the fewest; a refusal is an activity of the group, and an issue of the
//! node group. Source: Auto Scaling user guide (verify a scaling activity; troubleshoot), EKS user guide (node group errors).

use std::collections::BTreeMap;

use api::{
    Resource,
    kinds::{
        aws::Instance,
        eks::{Activity, Care, EksCluster, Issue, Nodegroup},
    },
};
use cni::{WarmTargets, limits, max_pods};

use super::{IMAGE, RETRY, found};
use crate::{
    AwsError, Key, Next, Note, Turn, What,
    cloud::{
        instance::{self, Launch},
        refuse,
        zone::NO_CAPACITY,
    },
    node::{
        cluster_named, ipamd,
        join::{AMI_FAMILY, DISK_GIB, MAX_PODS, NODE_NAME, RESERVED_FOR},
    },
    provision::ami,
};

/// So many activities a group remembers. MODEL: the service keeps those of six weeks.
const ACTIVITIES: usize = 50;

/// Why an instance goes that is too many.
pub(super) const SHRINKING: &str = "in response to a difference between desired and actual capacity";

/// Launches so many instances more.
pub(super) fn more(
    turn: &mut Turn<'_>,
    key: &Key,
    group: &Nodegroup,
    live: &[Instance],
    missing: usize,
) -> Next {
    if group.suspended.iter().any(|it| it == "Launch") {
        return Next::Done;
    }
    let mut here = live.to_vec();
    for has in live.len()..live.len() + missing {
        match launch(turn, key, group, &here) {
            Ok(new) => {
                let id = new.metadata.name.clone().unwrap_or_default();
                let (at, why) = (moment(turn), reason(turn, key, has));
                remember(turn, key, |activity| {
                    activity.description = format!("Launching a new EC2 instance: {id}");
                    activity.cause = format!("At {at} an instance was {why}.");
                });
                here.push(new);
            }
            Err(error) => {
                refused(turn, key, group, &error);
                return Next::Every(RETRY);
            }
        }
    }
    Next::Done
}

/// What an instance is launched for, as activities say it.
fn reason(turn: &mut Turn<'_>, key: &Key, has: usize) -> String {
    match found(turn, key) {
        Some(mut group) if group.unhealthy > 0 => {
            group.unhealthy -= 1;
            turn.put(group.into_object());
            "launched in response to an unhealthy instance needing to be replaced".to_owned()
        }
        _ => {
            let to = has + 1;
            format!(
                "started in response to a difference between desired and actual capacity, increasing the capacity from {has} to {to}"
            )
        }
    }
}

/// One more instance that went is to be replaced.
pub(super) fn succeed(turn: &mut Turn<'_>, key: &Key) {
    if let Some(mut group) = found(turn, key) {
        group.unhealthy += 1;
        turn.put(group.into_object());
    }
}

/// Whether the next instance is a spot one: an instances distribution wants so many on-demand ones first, and a part of the rest.
/// Source: Auto Scaling user guide (`OnDemandBaseCapacity`, `OnDemandPercentageAboveBaseCapacity`: a fraction counts for on-demand).
fn is_spot(group: &Nodegroup, live: &[Instance]) -> bool {
    let Some((base, percentage)) = group.on_demand else { return group.spot };
    let (base, all) = (base as usize, live.len() + 1);
    let wanted = base.min(all) + (all.saturating_sub(base) * percentage as usize).div_ceil(100);
    live.iter().filter(|it| !it.spot).count() >= wanted
}

fn launch(
    turn: &mut Turn<'_>,
    key: &Key,
    group: &Nodegroup,
    live: &[Instance],
) -> Result<Instance, AwsError> {
    let count = |subnet: &str| live.iter().filter(|it| it.subnet == subnet).count();
    let mut subnets = group.subnets.clone();
    subnets.sort_by_key(|subnet| count(subnet));
    let launched = found(turn, key).map_or(0, |it| it.launched);
    let node_name = group.node_names.get(launched as usize).cloned();
    let security_group = turn.get::<EksCluster>("", &group.cluster).map(|c| c.cluster_security_group.clone());
    let mut launch = Launch {
        instance_type: group.instance_types.first().cloned().unwrap_or_default(),
        subnet: String::new(),
        security_groups: security_group.into_iter().collect(),
        cluster: Some(group.cluster.clone()),
        nodegroup: Some(key.name.to_string()),
        user_data: user_data(turn, group, node_name),
        spot: is_spot(group, live),
    };
    let mut answer =
        Err(refuse("RunInstances", "InvalidSubnetID.NotFound", "The subnet ID '' does not exist"));
    for subnet in subnets {
        launch.subnet = subnet;
        answer = instance::run(turn, launch.clone());
        match &answer {
            // Where one zone has no machine to give, the next is asked.
            Err(error) if error.code == NO_CAPACITY => failed(turn, key, group, error),
            Ok(_) | Err(_) => break,
        }
    }
    let id = answer?;
    if let Some(mut current) = found(turn, key) {
        current.launched += 1;
        turn.put(current.into_object());
    }
    let made = instance::get(turn.store(), &id).cloned();
    made.ok_or_else(|| refuse("RunInstances", "InternalError", "An internal error has occurred"))
}

/// What a group says of a launch that EC2 refused.
fn sentence(group: &Nodegroup, error: &AwsError) -> String {
    let lot = if group.spot { "Spot" } else { "On-Demand" };
    let AwsError { code, message, .. } = error;
    format!("Could not launch {lot} Instances. {code} - {message} Launching EC2 instance failed.")
}

/// The group remembers a launch that EC2 refused.
fn failed(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup, error: &AwsError) {
    let message = sentence(group, error);
    let at = moment(turn);
    remember(turn, key, |activity| {
        activity.description = "Launching a new EC2 instance.".to_owned();
        activity.cause = format!(
            "At {at} an instance was started in response to a difference between desired and actual capacity."
        );
        activity.status = "Failed".to_owned();
        activity.message = message;
    });
}

/// It is the worse for a launch that was refused everywhere; a refusal that is told already is not told again.
fn refused(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup, error: &AwsError) {
    if error.code != NO_CAPACITY {
        failed(turn, key, group, error);
    }
    let message = sentence(group, error);
    turn.fact(What::Noted(Note::Refused { about: key.clone(), message: error.to_string() }));
    let Some(mut group) = found(turn, key) else { return };
    let issue = issue(&group, error, message);
    if group.care == Care::Managed && group.issues.iter().all(|it| it.message != issue.message) {
        group.issues = vec![issue];
        if group.status == "ACTIVE" {
            group.status = "DEGRADED".to_owned();
        }
        turn.put(group.into_object());
    }
}

/// What EKS says of the health of a group whose launch was refused.
/// Source: EKS API reference (`Issue`); falcosecurity/test-infra#1164 (a full subnet). MODEL: the sentence about a subnet that is gone.
fn issue(group: &Nodegroup, error: &AwsError, message: String) -> Issue {
    let asg = vec![group_name(group)];
    let (code, message, resource_ids) = match error.code.as_str() {
        "InsufficientFreeAddressesInSubnet" => {
            let message = "Amazon AutoScaling was unable to launch instances because there are not enough free addresses in the subnet associated with your AutoScaling group(s).";
            ("InsufficientFreeAddresses", message.to_owned(), asg)
        }
        "InvalidSubnetID.NotFound" => ("Ec2SubnetNotFound", error.message.clone(), group.subnets.clone()),
        _ => ("AsgInstanceLaunchFailures", message, asg),
    };
    Issue { code: code.to_owned(), message, resource_ids }
}

/// The group remembers that it ends an instance, and why.
pub(super) fn ended(turn: &mut Turn<'_>, key: &Key, id: &str, why: &str) {
    let at = moment(turn);
    remember(turn, key, |activity| {
        activity.description = format!("Terminating EC2 instance: {id}");
        activity.cause = format!("At {at} an instance was taken out of service {why}.");
    });
    if let Some(mut it) = instance::get(turn.store(), id).cloned() {
        it.left_group = true;
        turn.put(it.into_object());
    }
}

fn remember(turn: &mut Turn<'_>, key: &Key, write: impl FnOnce(&mut Activity)) {
    let Some(mut group) = found(turn, key) else { return };
    let count = format!("{}-{}-{}", group.launched, group.activities.len(), turn.now().0);
    let mut activity = Activity {
        id: crate::draw::uid(
            turn.world().seed(),
            &format!("activity {}/{} {count}", key.namespace, key.name),
            0,
        ),
        at: turn.now(),
        status: "Successful".to_owned(),
        ..Activity::default()
    };
    write(&mut activity);
    // A refusal that repeats itself is one activity: the first.
    let repeats = |it: &&Activity| it.status == "Failed" && it.message == activity.message;
    if group.activities.last().as_ref().filter(|it| repeats(it)).is_some() {
        return;
    }
    group.activities.push(activity);
    let over = group.activities.len().saturating_sub(ACTIVITIES);
    group.activities.drain(..over);
    turn.put(group.into_object());
}

fn moment(turn: &Turn<'_>) -> String {
    turn.stamp().0.to_string()
}

/// Name of a group's Auto Scaling group. Source: EKS, `eks-NAME-UUID`; eksctl, the name of its CloudFormation stack.
#[must_use]
pub fn group_name(group: &Nodegroup) -> String {
    let name = group.metadata.name.as_deref().unwrap_or_default();
    let seed = group.created_at.0;
    match group.care {
        Care::Managed => {
            format!("eks-{name}-{}", crate::draw::uid(seed, &format!("asg {}/{name}", group.cluster), 0))
        }
        Care::SelfManaged => format!(
            "eksctl-{}-nodegroup-{name}-NodeGroup-{}",
            group.cluster,
            crate::draw::hex(seed, "asg", &format!("{}/{name}", group.cluster), 0, 12).to_uppercase()
        ),
    }
}

/// What the image's bootstrap finds. For a managed group EKS works out max pods from the CNI's settings at the time of the launch; the
/// bootstrap of a self-managed one knows its table only. A number in the group's config overrides it for the kubelet, but (except for
/// Bottlerocket) not for the memory that is reserved.
///
/// Source: EKS user guide (choosing an instance type: max pods of managed node groups); nodeadm `internal/kubelet/eni_max_pods.go`.
fn user_data(turn: &Turn<'_>, group: &Nodegroup, node_name: Option<String>) -> BTreeMap<String, String> {
    let of = group.instance_types.first().and_then(|t| limits::of(t));
    let targets = cni_targets(turn, &group.cluster);
    let flags = max_pods::Flags {
        prefix_delegation: targets.prefix_delegation,
        custom_networking: targets.custom_networking,
        max_eni: targets.max_eni,
        show_max_allowed: false,
    };
    let table = of.map_or(110, |of| max_pods::formula(of.enis, of.ipv4_per_eni));
    let own = match group.care {
        Care::Managed => of.map_or(110, |of| max_pods::recommended(of, flags)),
        Care::SelfManaged => table,
    };
    let max_pods = group.max_pods_per_node.unwrap_or(own);
    let reserved = match group.max_pods_per_node {
        Some(limit) if ami::reserves_for_its_limit(&group.ami_family) => limit,
        Some(_) => table,
        None => own,
    };
    let mut data = BTreeMap::from([
        (MAX_PODS.to_owned(), max_pods.to_string()),
        (RESERVED_FOR.to_owned(), reserved.to_string()),
        (AMI_FAMILY.to_owned(), group.ami_family.clone()),
        (DISK_GIB.to_owned(), group.disk_size.to_string()),
    ]);
    data.insert(IMAGE.to_owned(), group.image_release.clone());
    data.extend(node_name.map(|name| (NODE_NAME.to_owned(), name)));
    data
}

/// The settings of a cluster's aws-node DaemonSet.
fn cni_targets(turn: &Turn<'_>, cluster: &str) -> WarmTargets {
    let id = cluster_named(turn.store(), cluster);
    WarmTargets::from_env(&id.map(|id| ipamd::settings(turn.store(), id)).unwrap_or_default())
}
