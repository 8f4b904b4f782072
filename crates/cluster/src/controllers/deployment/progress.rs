//! What does a Deployment say of itself: its numbers, and the conditions that make `rollout status` end?
//!
//! Source: `pkg/controller/deployment/{sync,progress}.go`, `pkg/controller/deployment/util/deployment_util.go`.

use api::{
    ApiStatus, SimDuration,
    k8s::apps::v1::{Deployment, DeploymentCondition, DeploymentStatus},
};

use super::rollout::{Rollout, actual, available, ready, wanted};
use crate::{Next, Turn};

/// Says how the rollout goes, and looks again when its deadline would pass.
pub(super) fn progress(turn: &mut Turn<'_>, rollout: &Rollout) -> Result<Next, ApiStatus> {
    let mut status = status_of(turn, rollout);
    let now = turn.stamp();
    let had = rollout.deployment.status.clone().unwrap_or_default();
    let current = condition(&rollout.deployment, "Progressing").cloned();
    let is_settled = status.replicas == status.updated_replicas
        && current.as_ref().and_then(|c| c.reason.as_deref()) == Some("NewReplicaSetAvailable");
    let about = rollout.new.as_ref().map_or_else(
        || format!("Deployment \"{}\"", rollout.name()),
        |set| format!("ReplicaSet \"{}\"", set.metadata.name.as_deref().unwrap_or_default()),
    );
    let n = |number: Option<i32>| number.unwrap_or(0);
    let complete = rollout.is_complete(
        n(status.updated_replicas),
        n(status.replicas),
        n(status.available_replicas),
        status.observed_generation.unwrap_or(0),
    );
    if rollout.has_deadline() && !is_settled {
        if complete {
            let done = format!("{about} has successfully progressed.");
            set_condition(&mut status, said("Progressing", "NewReplicaSetAvailable", done), &now);
        } else if moves(&had, &status) {
            let mut moving = said("Progressing", "ReplicaSetUpdated", format!("{about} is progressing."));
            renew(status.conditions.get_or_insert_default(), &mut moving, &now);
        } else if timed_out(rollout, current.as_ref(), &now) {
            let late = DeploymentCondition {
                status: "False".to_owned(),
                ..said(
                    "Progressing",
                    "ProgressDeadlineExceeded",
                    format!("{about} has timed out progressing."),
                )
            };
            set_condition(&mut status, late, &now);
        }
    }
    note_failures(rollout, &mut status, &now);
    let left = deadline_left(rollout, &status, &now);
    write_status(turn, rollout, status)?;
    // Waiting for a deadline is not work: most Deployments are done before.
    Ok(if complete { Next::Done } else { left.map_or(Next::Done, Next::Every) })
}

pub(super) fn status_of(turn: &Turn<'_>, rollout: &Rollout) -> DeploymentStatus {
    let sum = |of| rollout.sum(of);
    let shown = |number: i32| Some(number).filter(|number| *number != 0);
    let up = sum(available);
    let had = rollout.deployment.status.clone().unwrap_or_default();
    let mut status = DeploymentStatus {
        observed_generation: rollout.deployment.metadata.generation,
        replicas: shown(sum(actual)),
        updated_replicas: shown(rollout.new.as_ref().map_or(0, actual)),
        ready_replicas: shown(sum(ready)),
        available_replicas: shown(up),
        unavailable_replicas: shown(sum(wanted).wrapping_sub(up).max(0)),
        collision_count: had.collision_count,
        conditions: had.conditions,
        ..DeploymentStatus::default()
    };
    let enough = up >= rollout.replicas() - rollout.max_unavailable();
    let condition = if enough {
        said("Available", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
    } else {
        DeploymentCondition {
            status: "False".to_owned(),
            ..said(
                "Available",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.".to_owned(),
            )
        }
    };
    set_condition(&mut status, condition, &turn.stamp());
    status
}

fn moves(had: &DeploymentStatus, now: &DeploymentStatus) -> bool {
    let n = |number: Option<i32>| number.unwrap_or(0);
    n(now.updated_replicas) > n(had.updated_replicas)
        || n(now.replicas) - n(now.updated_replicas) < n(had.replicas) - n(had.updated_replicas)
        || n(now.ready_replicas) > n(had.ready_replicas)
        || n(now.available_replicas) > n(had.available_replicas)
}

fn timed_out(rollout: &Rollout, current: Option<&DeploymentCondition>, now: &api::meta::Time) -> bool {
    let Some(current) = current else { return false };
    match current.reason.as_deref() {
        Some("NewReplicaSetAvailable") => false,
        Some("ProgressDeadlineExceeded") => true,
        _ => {
            let since = current.last_update_time.as_ref().map_or(0, |time| time.0.as_second());
            since + i64::from(rollout.spec.progress_deadline_seconds.unwrap_or(600)) < now.0.as_second()
        }
    }
}

/// Until a second after the deadline, if one is running.
fn deadline_left(rollout: &Rollout, status: &DeploymentStatus, now: &api::meta::Time) -> Option<SimDuration> {
    let seconds = rollout.spec.progress_deadline_seconds.filter(|_| rollout.has_deadline())?;
    let current = status.conditions.as_ref()?.iter().find(|c| c.type_ == "Progressing")?;
    if current.reason.as_deref() == Some("ProgressDeadlineExceeded") {
        return None;
    }
    let since = current.last_update_time.as_ref()?.0.as_second();
    let left = since + i64::from(seconds) + 1 - now.0.as_second();
    Some(SimDuration::secs(u64::try_from(left.max(1)).unwrap_or(1)))
}

/// Passes on what a set could not create.
fn note_failures(rollout: &Rollout, status: &mut DeploymentStatus, now: &api::meta::Time) {
    let failure = rollout.new.iter().chain(&rollout.old).find_map(|set| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|c| c.type_ == "ReplicaFailure" && c.status == "True")
    });
    match failure {
        Some(failure) => {
            let reason = failure.reason.clone().unwrap_or_default();
            set_condition(
                status,
                said("ReplicaFailure", &reason, failure.message.clone().unwrap_or_default()),
                now,
            );
        }
        None => status.conditions.get_or_insert_default().retain(|c| c.type_ != "ReplicaFailure"),
    }
}

pub(super) fn write_status(
    turn: &mut Turn<'_>,
    rollout: &Rollout,
    status: DeploymentStatus,
) -> Result<(), ApiStatus> {
    if rollout.deployment.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let mut deployment = rollout.deployment.clone();
    deployment.status = Some(status);
    turn.update_status(deployment).map(drop)
}

pub(super) fn condition<'d>(deployment: &'d Deployment, type_: &str) -> Option<&'d DeploymentCondition> {
    deployment.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

/// A condition that holds.
pub(super) fn said(type_: &str, reason: &str, message: String) -> DeploymentCondition {
    DeploymentCondition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        ..DeploymentCondition::default()
    }
}

/// Writes a condition, unless it says nothing new; its transition time moves with its status only.
pub(super) fn set_condition(
    status: &mut DeploymentStatus,
    mut condition: DeploymentCondition,
    now: &api::meta::Time,
) {
    let conditions = status.conditions.get_or_insert_default();
    let had = conditions.iter().find(|had| had.type_ == condition.type_);
    if had.is_some_and(|had| had.status == condition.status && had.reason == condition.reason) {
        return;
    }
    renew(conditions, &mut condition, now);
}

fn renew(
    conditions: &mut Vec<DeploymentCondition>,
    condition: &mut DeploymentCondition,
    now: &api::meta::Time,
) {
    let had = conditions.iter().find(|had| had.type_ == condition.type_ && had.status == condition.status);
    let since = had.and_then(|had| had.last_transition_time.clone()).unwrap_or_else(|| now.clone());
    condition.last_transition_time = Some(since);
    condition.last_update_time = Some(now.clone());
    conditions.retain(|had| had.type_ != condition.type_);
    conditions.push(condition.clone());
}
