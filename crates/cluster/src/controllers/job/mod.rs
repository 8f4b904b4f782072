//! Has the work been done often enough, or failed too often?
//!
//! A Job runs pods until so many have succeeded, each counted once: a pod is first noted in the status as uncounted,
//! then loses its finalizer, then is a number. What ends a Job is a condition of its own (`SuccessCriteriaMet`,
//! `FailureTarget`) before its last pod is gone, and `Complete` or `Failed` after.
//! Source: `pkg/controller/job/job_controller.go` at v1.34.

mod backoff;
mod index;
mod pods;
mod policy;
mod round;
mod status;
#[cfg(test)]
mod tests;
pub(super) mod ttl;

use api::{
    ApiStatus, Kind, Object, SimDuration,
    k8s::{
        batch::v1::{Job, JobCondition},
        core::v1::Pod,
    },
};

use self::round::Round;
pub(super) use self::status::is_finished;
use super::{controller_of, is_active, manager, phase};
use crate::{Change, Controller, Key, Next, Store, Turn};

/// News of pods are gathered for so long before the Job is looked at. Source: `syncJobBatchPeriod`.
const GATHER: SimDuration = SimDuration::secs(1);
/// From noting what has ended to counting it: others see what is between. MODEL: each write takes some milliseconds, more
/// for many pods; one figure here.
const STEP: SimDuration = SimDuration::millis(5);

/// The controller.
pub(crate) struct JobController;

impl Controller for JobController {
    fn name(&self) -> &'static str {
        "job-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let wish = |object: &Object| (object.meta().generation, object.meta().deletion_timestamp.clone());
        match (change.key.kind, &change.before, &change.after) {
            (Kind::Job, Some(before), Some(after)) if wish(before) == wish(after) => {}
            (Kind::Job, _, Some(_)) => wake(change.key.clone()),
            (Kind::Job, Some(gone), None) => {
                let uid = gone.meta().uid.as_deref().unwrap_or_default();
                let owned = store.owned_by(change.key.cluster, uid);
                owned.filter(|(key, _)| key.kind == Kind::Pod).for_each(|(key, _)| wake(key.clone()));
            }
            (Kind::Pod, _, Some(pod)) if controller_of(pod.meta()).is_none_or(|it| it.kind == "Job") => {
                wake(change.key.clone());
            }
            // MODEL: a pod that is gone is news at once; upstream gathers these too.
            (Kind::Pod, Some(gone), None) => {
                if let Some(owner) = manager(gone, Kind::Job) {
                    wake(Key::new(change.key.cluster, Kind::Job, &change.key.namespace, &owner.name));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        if key.kind == Kind::Pod {
            return hear_of(turn, key);
        }
        let Some(job) = turn.get::<Job>(&key.namespace, &key.name).cloned() else { return Ok(Next::Done) };
        let Some(spec) = job.spec.clone() else { return Ok(Next::Done) };
        let elsewhere = spec.managed_by.as_deref().is_some_and(|by| by != "kubernetes.io/job-controller");
        if elsewhere || is_finished(&job).is_some() {
            return Ok(Next::Done);
        }
        let pods = pods::claim(turn, &job, &spec)?;
        let mut round = Round::new(job, spec, pods);
        round.sync(turn)?;
        if round.goes_on {
            return Ok(Next::After(STEP));
        }
        Ok(round.wait.map_or(Next::Done, Next::Every))
    }
}

/// News of a pod: its Job looks at it soon, and one without a Job needs to wait for none.
fn hear_of(turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
    let Some(pod) = turn.get::<Pod>(&key.namespace, &key.name).cloned() else { return Ok(Next::Done) };
    let Some(owner) = controller_of(&pod.metadata) else {
        // An orphan may belong to any Job that chooses it.
        let jobs = turn.list::<Job>(Some(&key.namespace)).filter_map(|job| job.metadata.name.clone());
        let jobs: Vec<String> = jobs.filter(|_| is_active(&pod)).collect();
        for name in jobs {
            let job = turn.key(Kind::Job, &key.namespace, &name);
            turn.wake(turn.actor(), job, GATHER);
        }
        if pods::is_tracked(&pod) && pod.metadata.deletion_timestamp.is_some() {
            pods::untrack(turn, &pod)?;
        }
        return Ok(Next::Done);
    };
    let job = turn.get::<Job>(&key.namespace, &owner.name);
    match job.filter(|job| job.metadata.uid.as_deref() == Some(&owner.uid)) {
        Some(job) if is_finished(job).is_none() => {
            let job = turn.key(Kind::Job, &key.namespace, &owner.name);
            turn.wake(turn.actor(), job, GATHER);
        }
        Some(_) | None if pods::is_tracked(&pod) => pods::untrack(turn, &pod)?,
        Some(_) | None => {}
    }
    Ok(Next::Done)
}

fn condition<'j>(job: &'j Job, type_: &str) -> Option<&'j JobCondition> {
    let all = job.status.as_ref()?.conditions.iter().flatten();
    all.into_iter().find(|it| it.type_ == type_ && it.status == "True")
}
