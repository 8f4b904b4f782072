//! `autoscaling describe-auto-scaling-groups`, `set-desired-capacity`, `describe-scaling-activities`: the groups under node groups.
//!
//! Source: the Amazon EC2 Auto Scaling API reference.

use api::{
    Resource,
    kinds::{
        aws::{Instance, InstanceState, Subnet},
        eks::{Activity, Care, Nodegroup},
    },
};
use serde_json::{Value, json};

use super::{Answer, Input, Operation, launch_templates, moment, operation};
use crate::{
    AwsError, ClusterId, Turn,
    provision::nodegroup::{group_name, key, key_of},
};

pub(super) const OPERATIONS: &[Operation] = &[
    operation("autoscaling", "DescribeAutoScalingGroups", |turn, input| {
        let names = input.texts("AutoScalingGroupNames");
        let all = groups(turn);
        let all = all.iter().filter(|it| names.is_empty() || names.contains(&group_name(it)));
        Ok(json!({"AutoScalingGroups": all.map(|it| shown(turn, it)).collect::<Vec<_>>()}))
    }),
    operation("autoscaling", "SetDesiredCapacity", set_desired),
    operation("autoscaling", "SuspendProcesses", |turn, input| suspend(turn, input, true)),
    operation("autoscaling", "ResumeProcesses", |turn, input| suspend(turn, input, false)),
    operation("autoscaling", "DescribeScalingActivities", |turn, input| {
        let name = input.text("AutoScalingGroupName");
        let all = groups(turn);
        let all = all.iter().filter(|it| name.is_empty() || group_name(it) == name);
        let mut activities: Vec<(&Nodegroup, &Activity)> =
            all.flat_map(|group| group.activities.iter().map(move |it| (group, it))).collect();
        // The last one comes first.
        activities.sort_by_key(|(_, it)| std::cmp::Reverse(it.at));
        Ok(
            json!({"Activities": activities.into_iter().map(|(group, it)| activity(turn, group, it)).collect::<Vec<_>>()}),
        )
    }),
];

fn groups(turn: &Turn<'_>) -> Vec<Nodegroup> {
    turn.store().list::<Nodegroup>(ClusterId::WORLD, None).cloned().collect()
}

fn named(turn: &Turn<'_>, input: &Input<'_>) -> Result<Nodegroup, AwsError> {
    let name = input.text("AutoScalingGroupName");
    let found = groups(turn).into_iter().find(|it| group_name(it) == name);
    let message = || format!("AutoScalingGroup name not found - AutoScalingGroup '{name}' not found");
    found.ok_or_else(|| input.refuse("ValidationError", message()))
}

/// EKS takes the size over that its Auto Scaling group is given.
fn set_desired(turn: &mut Turn<'_>, input: &Input<'_>) -> Answer {
    let mut group = named(turn, input)?;
    let wanted =
        input.value["DesiredCapacity"].as_u64().and_then(|it| u32::try_from(it).ok()).unwrap_or_default();
    if wanted > group.max_size {
        let message = format!(
            "New SetDesiredCapacity value {wanted} is above max value {} for the AutoScalingGroup.",
            group.max_size
        );
        return Err(input.refuse("ValidationError", message));
    }
    if wanted < group.min_size {
        let message = format!(
            "New SetDesiredCapacity value {wanted} is below min value {} for the AutoScalingGroup.",
            group.min_size
        );
        return Err(input.refuse("ValidationError", message));
    }
    group.desired_size = wanted;
    turn.put(group.into_object());
    Ok(json!({}))
}

/// The processes of a group that can be suspended. Source: Auto Scaling user guide (types of processes).
/// MODEL: those that the lab's groups have not are kept without effect.
const PROCESSES: [&str; 9] = [
    "AZRebalance",
    "AddToLoadBalancer",
    "AlarmNotification",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
];

/// Suspends processes of a group, or resumes them; all without a name.
fn suspend(turn: &mut Turn<'_>, input: &Input<'_>, stop: bool) -> Answer {
    let mut group = named(turn, input)?;
    let named = input.texts("ScalingProcesses");
    if let Some(unknown) = named.iter().find(|it| !PROCESSES.contains(&it.as_str())) {
        let message = format!("The following process types are invalid: {unknown}.");
        return Err(input.refuse("ValidationError", message));
    }
    let meant = |name: &str| named.is_empty() || named.iter().any(|it| it == name);
    group.suspended.retain(|it| !meant(it));
    if stop {
        group.suspended.extend(PROCESSES.into_iter().filter(|it| meant(it)).map(str::to_owned));
        group.suspended.sort();
    }
    turn.put(group.into_object());
    Ok(json!({}))
}

fn shown(turn: &Turn<'_>, it: &Nodegroup) -> Value {
    let key = key(&it.cluster, it.metadata.name.as_deref().unwrap_or_default());
    let zone = |subnet: &str| {
        turn.get::<Subnet>("", subnet).map(|it| it.availability_zone.clone()).unwrap_or_default()
    };
    let mut zones: Vec<String> = it.subnets.iter().map(|subnet| zone(subnet)).collect();
    zones.sort();
    zones.dedup();
    let surge = it.capacity() - it.desired_size;
    let live = turn.list::<Instance>(None).filter(|i| key_of(i).as_ref() == Some(&key));
    let live = live.filter(|i| i.state != InstanceState::Terminated || !i.left_group);
    let instances = live.map(|i| {
        let well =
            matches!(i.state, InstanceState::Pending | InstanceState::Running) && i.impaired_since.is_none();
        let state = match i.state {
            _ if i.left_group => "Terminating",
            InstanceState::Pending => "Pending",
            InstanceState::Running
            | InstanceState::ShuttingDown
            | InstanceState::Stopping
            | InstanceState::Stopped
            | InstanceState::Terminated => "InService",
        };
        json!({
            "InstanceId": i.metadata.name,
            "InstanceType": i.instance_type,
            "AvailabilityZone": zone(&i.subnet),
            "LifecycleState": state,
            "HealthStatus": if well { "Healthy" } else { "Unhealthy" },
            "ProtectedFromScaleIn": false,
        })
    });
    json!({
        "AutoScalingGroupName": group_name(it),
        "LaunchTemplate": (it.care == Care::SelfManaged).then(|| template(turn, it)).flatten(),
        "MixedInstancesPolicy": (it.care == Care::Managed).then(|| json!({
            "LaunchTemplate": {
                "LaunchTemplateSpecification": template(turn, it),
                "Overrides": it.instance_types.iter().map(|name| json!({"InstanceType": name})).collect::<Vec<_>>(),
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": if it.spot { 0 } else { 100 },
                "SpotAllocationStrategy": if it.spot { "capacity-optimized" } else { "lowest-price" },
            },
        })),
        "MinSize": it.min_size,
        "MaxSize": it.max_size + surge,
        "DesiredCapacity": it.capacity(),
        "DefaultCooldown": 300,
        "AvailabilityZones": zones,
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 15,
        "Instances": instances.collect::<Vec<_>>(),
        "CreatedTime": moment(turn, it.created_at),
        "SuspendedProcesses": it.suspended.iter().map(|name| json!({"ProcessName": name, "SuspensionReason": "User suspended"})).collect::<Vec<_>>(),
        "VPCZoneIdentifier": it.subnets.join(","),
        "EnabledMetrics": [],
        "TerminationPolicies": ["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        "NewInstancesProtectedFromScaleIn": false,
        "CapacityRebalance": it.capacity_rebalance,
    })
}

/// The launch template of a group, in the version of its last update.
fn template(turn: &Turn<'_>, it: &Nodegroup) -> Option<Value> {
    let name = launch_templates::launched_from(it)?;
    let updates = it.updates.iter().filter(|update| update.kind == "VersionUpdate").count();
    let version = if it.care == Care::Managed { updates + 1 } else { 1 };
    let id = launch_templates::id_of(turn, &name);
    Some(json!({"LaunchTemplateId": id, "LaunchTemplateName": name, "Version": version.to_string()}))
}

fn activity(turn: &Turn<'_>, group: &Nodegroup, it: &Activity) -> Value {
    json!({
        "ActivityId": it.id,
        "AutoScalingGroupName": group_name(group),
        "Description": it.description,
        "Cause": it.cause,
        "StartTime": moment(turn, it.at),
        "EndTime": moment(turn, it.at),
        "StatusCode": it.status,
        "StatusMessage": Some(&it.message).filter(|text| !text.is_empty()),
        "Progress": 100,
        "Details": "{}",
        "AutoScalingGroupState": (group.status == "DELETING").then_some("Deleted"),
    })
}
