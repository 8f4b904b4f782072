//! What does an Auto Scaling group do about an instance that is not well?
//!
//! One that stopped, ended or does not answer any more leaves the group, is terminated, and another comes. With capacity rebalancing, which
//! EKS turns on for its groups, one that EC2 is likely to want back gets its successor first; EKS then drains its node. A group that
//! somebody manages himself has neither: its instance is lost when EC2 takes it.
//! Source: Auto Scaling user guide (health checks for instances in an Auto Scaling group; capacity rebalancing; suspend and resume
//! processes); EKS user guide (managed node group capacity types).

use api::{
    Kind, SimDuration,
    kinds::{
        aws::{Instance, InstanceState},
        eks::Nodegroup,
    },
};

use super::{CHECK, launch, let_go, members, sooner};
use crate::{Key, Next, Note, Turn, What, cloud::instance};

/// From the end of an instance to the group's notice of it. MODEL: the service looks all the time; one figure here.
const NOTICED: SimDuration = SimDuration::secs(20);
/// From the failure of a zone to status checks that the group acts on.
/// MODEL: EC2 checks every minute, and Auto Scaling waits some minutes for a check that failed to pass again; one figure here.
const STATUS_CHECKS: SimDuration = SimDuration::secs(180);

/// Takes instances out that are not well.
pub(super) fn check(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup) -> Next {
    if group
        .suspended
        .iter()
        .any(|it| matches!(it.as_str(), "HealthCheck" | "ReplaceUnhealthy" | "Terminate"))
    {
        return Next::Done;
    }
    let mut next = Next::Done;
    for it in members(turn.store(), key) {
        let (since, wait, why) = match (it.state, it.impaired_since) {
            (InstanceState::Pending | InstanceState::Running, None) => continue,
            (InstanceState::Pending | InstanceState::Running, Some(since)) => {
                (since, STATUS_CHECKS, "in response to an EC2 instance status checks failure")
            }
            (_, _) => {
                let why = "in response to an EC2 health check indicating it has been terminated or stopped";
                (it.since, NOTICED, why)
            }
        };
        let passed = turn.now().since(since);
        if passed < wait {
            next = sooner(next, Next::After(SimDuration(wait.0 - passed.0)));
            continue;
        }
        let id = it.metadata.name.clone().unwrap_or_default();
        launch::ended(turn, key, &id, why);
        let about = turn.key(Kind::Instance, "", &id);
        let detail = vec![("node", it.node.clone().unwrap_or_default())];
        turn.fact(What::Noted(Note::Step { name: "InstanceTakenOut", about, detail }));
        launch::succeed(turn, key);
        instance::shut_down(turn, &id, true);
    }
    next
}

/// Replaces an instance that EC2 is likely to want back: with the notice its node is drained at once, else when the successor is ready.
pub(super) fn replace(turn: &mut Turn<'_>, group: &Nodegroup, it: &Instance, succeeded: bool) -> Next {
    if it.interruption_notice.is_none() && !succeeded {
        return Next::After(CHECK);
    }
    // MODEL: nobody has recorded the cause of this activity.
    let_go(turn, group, it, "in response to an EC2 instance rebalance recommendation")
}
