//! How does a Job count its pods, each exactly once?
//!
//! Ended pods are noted in the status by uid, then lose their finalizer, then are numbers; a crash between two of these
//! loses nothing. Source: `pkg/controller/job/job_controller.go` (`trackJobStatusAndRemoveFinalizers`).

use std::collections::BTreeSet;

use api::{
    ApiStatus, Resource,
    k8s::{
        batch::v1::{Job, JobCondition, JobStatus},
        core::v1::Pod,
    },
    meta::Time,
};

use super::{
    condition,
    index::{self, Indexes},
    phase, pods,
    policy::{self, Action},
    round::Round,
};
use crate::{EventType, Turn};

/// Most pods noted at once, for the status has to stay small.
const MOST: usize = 500;

/// How a Job ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It has what it wanted.
    Success {
        /// Such as `CompletionsReached`.
        reason: String,
        /// In words.
        message: String,
    },
    /// It will not get it.
    Failure {
        /// Such as `BackoffLimitExceeded`.
        reason: String,
        /// In words.
        message: String,
    },
}

impl Finish {
    pub(super) fn failure(reason: &str, message: &str) -> Self {
        Self::Failure { reason: reason.to_owned(), message: message.to_owned() }
    }

    /// The condition that says so before the last pod is gone, the one that says so at the end, reason and message.
    fn words(&self) -> (&'static str, &'static str, &str, &str) {
        match self {
            Self::Success { reason, message } => ("SuccessCriteriaMet", "Complete", reason, message),
            Self::Failure { reason, message } => ("FailureTarget", "Failed", reason, message),
        }
    }
}

/// `Complete` or `Failed`, when it is over.
pub(in super::super) fn is_finished(job: &Job) -> Option<&JobCondition> {
    condition(job, "Complete").or_else(|| condition(job, "Failed"))
}

/// What an earlier look decided.
pub(super) fn already_ending(job: &Job) -> Option<Finish> {
    let words =
        |it: &JobCondition| (it.reason.clone().unwrap_or_default(), it.message.clone().unwrap_or_default());
    if let Some((reason, message)) = condition(job, "SuccessCriteriaMet").map(words) {
        return Some(Finish::Success { reason, message });
    }
    let (reason, message) = condition(job, "FailureTarget").map(words)?;
    Some(Finish::Failure { reason, message })
}

/// Makes a condition be so; one that never held need not be said not to. Whether anything changed.
pub(super) fn ensure(
    conditions: &mut Vec<JobCondition>,
    (type_, holds, reason, message): (&str, bool, &str, &str),
    now: &Time,
) -> bool {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let new = JobCondition {
        type_: type_.to_owned(),
        status: if holds { "True" } else { "False" }.to_owned(),
        reason: text(reason),
        message: text(message),
        last_probe_time: Some(now.clone()),
        last_transition_time: Some(now.clone()),
    };
    let same =
        |it: &JobCondition| (&it.status, &it.reason, &it.message) == (&new.status, &new.reason, &new.message);
    match conditions.iter_mut().find(|it| it.type_ == type_) {
        Some(had) if same(had) => false,
        Some(had) => {
            *had = new;
            true
        }
        None if holds => {
            conditions.push(new);
            true
        }
        None => false,
    }
}

/// Noted pods without a finalizer become numbers.
fn settle(status: &mut JobStatus, tracked: &BTreeSet<String>) {
    let Some(uncounted) = &mut status.uncounted_terminated_pods else { return };
    for (list, number) in
        [(&mut uncounted.succeeded, &mut status.succeeded), (&mut uncounted.failed, &mut status.failed)]
    {
        let Some(uids) = list else { continue };
        let before = uids.len();
        uids.retain(|uid| tracked.contains(uid));
        let counted = i32::try_from(before - uids.len()).unwrap_or(i32::MAX);
        *number = Some(number.unwrap_or(0) + counted).filter(|number| *number > 0);
        list.take_if(|uids| uids.is_empty());
    }
}

impl Round {
    /// Notes what has ended, and the next time counts it, lets it go, and ends the Job when all is counted.
    pub(super) fn track(&mut self, turn: &mut Turn<'_>, moved: bool) -> Result<(), ApiStatus> {
        let positive = |number: i32| Some(number).filter(|number| *number != 0);
        let mut status = self.job.status.clone().unwrap_or_default();
        let mut dirty = moved
            || status.active != positive(self.active)
            || status.ready != Some(self.ready)
            || status.terminating != Some(self.terminating);
        status.active = positive(self.active);
        status.ready = Some(self.ready);
        status.terminating = Some(self.terminating);
        let mut tracked: BTreeSet<String> = self
            .pods
            .iter()
            .filter(|pod| pods::is_tracked(pod))
            .filter_map(|pod| pod.metadata.uid.clone())
            .collect();
        let before = status.clone();
        settle(&mut status, &tracked);
        let (ended, all) = self.note_ended(&mut status);
        dirty |= status != before;
        if let Some(finish) = &self.finish {
            let (interim, _, reason, message) = finish.words();
            let conditions = status.conditions.get_or_insert_default();
            dirty |= ensure(conditions, (interim, true, reason, message), &turn.stamp());
        }
        if dirty {
            self.write(turn, status)?;
            if !ended.is_empty() || self.finish.is_some() {
                self.goes_on = true;
            }
            return Ok(());
        }
        for pod in &ended {
            pods::untrack(turn, pod)?;
            tracked.remove(pod.metadata.uid.as_deref().unwrap_or_default());
        }
        let before = status.clone();
        settle(&mut status, &tracked);
        let over = self.finish.clone().filter(|_| all && self.terminating == 0);
        let uncounted = status.uncounted_terminated_pods.clone().unwrap_or_default();
        let over = over.filter(|_| uncounted.succeeded.is_none() && uncounted.failed.is_none());
        if let Some(finish) = &over {
            let (_, last, reason, message) = finish.words();
            let stamp = turn.stamp();
            ensure(status.conditions.get_or_insert_default(), (last, true, reason, message), &stamp);
            if last == "Complete" {
                status.completion_time = Some(stamp);
            }
        }
        if status != before {
            self.write(turn, status)?;
        }
        if let Some(finish) = over {
            self.tell(turn, &finish);
        }
        Ok(())
    }

    /// Notes which pods have ended; those that may lose their finalizer, and whether these are all.
    fn note_ended(&self, status: &mut JobStatus) -> (Vec<Pod>, bool) {
        let indexed = index::is_indexed(&self.spec);
        let replaced = self.last_failures();
        let failing = matches!(self.finish, Some(Finish::Failure { .. }));
        let uncounted = status.uncounted_terminated_pods.get_or_insert_default();
        let mut done = Vec::new();
        let (mut ended, mut all) = (Vec::new(), true);
        let completed = status.completed_indexes.as_deref().unwrap_or_default();
        let before = Indexes::parse(completed, self.spec.completions.unwrap_or(0));
        for pod in self.pods.iter().filter(|pod| pods::is_tracked(pod)) {
            let (failed, good) = (self.has_failed(pod), phase(pod) == "Succeeded");
            let free = self.job.metadata.deletion_timestamp.is_some() || self.finish.is_some() || good;
            let waited_for = replaced.iter().any(|it| it.metadata.uid == pod.metadata.uid);
            if !free && (!failed || waited_for) {
                continue;
            }
            ended.push(pod.clone());
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            let has = |list: &Option<Vec<String>>| list.iter().flatten().any(|it| *it == uid);
            let valid = index::valid(pod, &self.spec);
            if good && !has(&uncounted.failed) {
                match valid {
                    Some(index) if indexed && !before.has(index) => done.push(index),
                    Some(_) | None if !indexed && !has(&uncounted.succeeded) => {
                        uncounted.succeeded.get_or_insert_default().push(uid);
                    }
                    Some(_) | None => {}
                }
            } else if (failed || failing)
                && !has(&uncounted.failed)
                && (!indexed || valid.is_some())
                && policy::of(&self.spec, pod) != Action::Ignore
            {
                uncounted.failed.get_or_insert_default().push(uid);
            }
            let noted = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
            if done.len() + noted(&uncounted.succeeded) + noted(&uncounted.failed) >= MOST {
                all = false;
                break;
            }
        }
        if indexed {
            let now = self.done.with(done);
            let number = now.total();
            status.succeeded = Some(number).filter(|number| *number > 0);
            status.completed_indexes = Some(now.to_string()).filter(|text| !text.is_empty());
            if self.spec.backoff_limit_per_index.is_some() {
                status.failed_indexes = Some(self.spoilt.to_string());
            }
        }
        (ended, all)
    }

    fn write(&mut self, turn: &mut Turn<'_>, status: JobStatus) -> Result<(), ApiStatus> {
        let mut job = self.job.clone();
        job.status = Some(status);
        // What was done to its pods does not change the Job itself.
        job.metadata.resource_version = None;
        let written = turn.update_status(job)?;
        if let Some(job) = Job::of(&written) {
            self.job = job.clone();
        }
        Ok(())
    }

    fn tell(&self, turn: &mut Turn<'_>, finish: &Finish) {
        match finish {
            Finish::Success { .. } => {
                let succeeded = self.job.status.as_ref().and_then(|status| status.succeeded).unwrap_or(0);
                if self.spec.completions.is_some_and(|wanted| succeeded > wanted) {
                    let message = "Too many succeeded pods running after completion count reached";
                    turn.event(&self.object, EventType::Warning, "TooManySucceededPods", message);
                }
                turn.event(&self.object, EventType::Normal, "Completed", "Job completed");
            }
            Finish::Failure { reason, message } => {
                turn.event(&self.object, EventType::Warning, reason, message);
            }
        }
    }
}
