//! What does a Job need now?
//!
//! Too many failures or too much time end it, and so does enough success; otherwise pods come and go until as many run
//! as should. Source: `pkg/controller/job/job_controller.go` (`syncJob`, `manageJob`).

use api::{
    ApiStatus, Object, Resource, SimDuration,
    k8s::{
        batch::v1::{Job, JobSpec},
        core::v1::Pod,
    },
};

use super::{
    super::{is_active, is_ready, phase, sim_time},
    backoff,
    index::{self, Indexes},
    pods,
    policy::{self, Action},
    status::{self, Finish},
};
use crate::{EventType, Turn};

/// Most pods made or removed in one go.
const BURST: i32 = 500;

/// One look at a Job.
pub(super) struct Round {
    pub(super) job: Job,
    pub(super) spec: JobSpec,
    pub(super) object: Object,
    pub(super) pods: Vec<Pod>,
    pub(super) active: i32,
    pub(super) ready: i32,
    pub(super) terminating: i32,
    succeeded: i32,
    failed: i32,
    pub(super) done: Indexes,
    pub(super) spoilt: Indexes,
    pub(super) finish: Option<Finish>,
    /// When to look again though nothing happens.
    pub(super) wait: Option<SimDuration>,
    /// What ended is noted, and is to be counted now.
    pub(super) goes_on: bool,
}

fn count(pods: &[Pod], holds: impl Fn(&Pod) -> bool) -> i32 {
    i32::try_from(pods.iter().filter(|pod| holds(pod)).count()).unwrap_or(i32::MAX)
}

impl Round {
    /// What is there, before anything is done.
    pub(super) fn new(mut job: Job, spec: JobSpec, mut pods: Vec<Pod>) -> Self {
        let object = job.clone().into_object();
        pods.sort_by_key(index::of);
        let status = job.status.get_or_insert_default();
        let uncounted = status.uncounted_terminated_pods.get_or_insert_default().clone();
        let noted = |list: &Option<Vec<String>>, pod: &Pod| {
            list.iter().flatten().any(|uid| Some(uid) == pod.metadata.uid.as_ref())
        };
        // New ones: not counted yet, and of an index that the Job has.
        let fresh = |pod: &Pod| {
            pods::is_tracked(pod) && (!index::is_indexed(&spec) || index::valid(pod, &spec).is_some())
        };
        let succeeded =
            count(&pods, |pod| fresh(pod) && phase(pod) == "Succeeded" && !noted(&uncounted.succeeded, pod));
        let failed = count(&pods, |pod| {
            fresh(pod)
                && pods::has_failed(pod, &spec)
                && !noted(&uncounted.failed, pod)
                && policy::of(&spec, pod) != Action::Ignore
        });
        let listed =
            |list: &Option<Vec<String>>| i32::try_from(list.as_ref().map_or(0, Vec::len)).unwrap_or(i32::MAX);
        Self {
            succeeded: status.succeeded.unwrap_or(0) + succeeded + listed(&uncounted.succeeded),
            failed: status.failed.unwrap_or(0) + failed + listed(&uncounted.failed),
            active: count(&pods, is_active),
            ready: count(&pods, |pod| is_active(pod) && is_ready(pod)),
            terminating: count(&pods, pods::is_terminating),
            done: Indexes::default(),
            spoilt: Indexes::default(),
            finish: None,
            wait: None,
            goes_on: false,
            job,
            spec,
            object,
            pods,
        }
    }

    fn is_suspended(&self) -> bool {
        self.spec.suspend == Some(true)
    }

    pub(super) fn has_failed(&self, pod: &Pod) -> bool {
        pods::has_failed(pod, &self.spec)
    }

    /// Looks, acts, and writes down what is.
    pub(super) fn sync(&mut self, turn: &mut Turn<'_>) -> Result<(), ApiStatus> {
        let stamp = turn.stamp();
        if !self.is_suspended() {
            self.job.status.get_or_insert_default().start_time.get_or_insert_with(|| stamp.clone());
        }
        self.finish = status::already_ending(&self.job).or_else(|| self.failed_by_policy());
        if self.finish.is_none() {
            self.finish = self.limits(turn);
        }
        if index::is_indexed(&self.spec) {
            self.count_indexes();
        }
        let mut acted = Ok(());
        let mut moved = false;
        if self.finish.is_some() {
            acted = self.stop_all(turn);
        } else {
            let managed = self.job.metadata.deletion_timestamp.is_none();
            if managed {
                acted = self.manage(turn);
            }
            let enough = match self.spec.completions {
                None => self.succeeded > 0,
                Some(completions) => self.succeeded >= completions,
            };
            if enough && self.active == 0 {
                let message = "Reached expected number of succeeded pods".to_owned();
                self.finish = Some(Finish::Success { reason: "CompletionsReached".to_owned(), message });
            } else if managed {
                moved = self.tell_suspension(turn);
            }
        }
        self.track(turn, moved)?;
        acted
    }

    fn failed_by_policy(&self) -> Option<Finish> {
        self.pods.iter().filter(|pod| self.has_failed(pod)).find_map(|pod| {
            let Action::FailJob(message) = policy::of(&self.spec, pod) else { return None };
            Some(Finish::failure("PodFailurePolicy", &message))
        })
    }

    /// Too many failures, or too much time.
    fn limits(&mut self, turn: &Turn<'_>) -> Option<Finish> {
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if self.failed > limit || self.restarted_too_often(limit) {
            return Some(Finish::failure(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        let deadline = self.spec.active_deadline_seconds.filter(|_| !self.is_suspended())?;
        let start = self.job.status.as_ref()?.start_time.as_ref()?;
        let until = sim_time(turn.world(), start) + SimDuration::secs(deadline.unsigned_abs());
        if turn.now() >= until {
            return Some(Finish::failure(
                "DeadlineExceeded",
                "Job was active longer than specified deadline",
            ));
        }
        self.look_again(until.since(turn.now()));
        None
    }

    fn look_again(&mut self, wait: SimDuration) {
        self.wait = Some(self.wait.map_or(wait, |had| had.min(wait)));
    }

    /// Pods that restart their containers themselves count by their restarts.
    fn restarted_too_often(&self, limit: i32) -> bool {
        let policy = self.spec.template.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
        if policy != Some("OnFailure") {
            return false;
        }
        let statuses = self.pods.iter().filter(|pod| matches!(phase(pod), "Running" | "Pending"));
        let statuses = statuses.filter_map(|pod| pod.status.as_ref()).flat_map(|status| {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        });
        let restarts: i32 = statuses.map(|status| status.restart_count).sum();
        if limit == 0 { restarts > 0 } else { restarts >= limit }
    }

    /// What of an indexed Job is done and spoilt, and whether that ends it.
    fn count_indexes(&mut self) {
        let completions = self.spec.completions.unwrap_or(0);
        let status = self.job.status.clone().unwrap_or_default();
        let before = |text: &Option<String>| Indexes::parse(text.as_deref().unwrap_or_default(), completions);
        let valid = |pod: &Pod| index::valid(pod, &self.spec).filter(|_| pods::is_tracked(pod));
        let new = self.pods.iter().filter(|pod| phase(pod) == "Succeeded").filter_map(valid);
        self.done = before(&status.completed_indexes).with(new);
        self.succeeded = self.done.total();
        if let Some(limit) = self.spec.backoff_limit_per_index {
            let spoilt = |pod: &&Pod| {
                self.has_failed(pod)
                    && match policy::of(&self.spec, pod) {
                        Action::FailIndex => true,
                        Action::Ignore => false,
                        Action::Count | Action::FailJob(_) => index::failures(pod).0 >= limit,
                    }
            };
            let new = self.pods.iter().filter(spoilt).filter_map(valid);
            self.spoilt = before(&status.failed_indexes).with(new);
            let total = self.spoilt.total();
            if self.finish.is_some() {
            } else if self.spec.max_failed_indexes.is_some_and(|most| total > most) {
                let message = "Job has exceeded the specified maximal number of failed indexes";
                self.finish = Some(Finish::failure("MaxFailedIndexesExceeded", message));
            } else if total > 0 && total + self.succeeded >= completions {
                self.finish = Some(Finish::failure("FailedIndexes", "Job has failed indexes"));
            }
        }
        if self.finish.is_none()
            && let Some(message) = policy::succeeded(&self.spec, &self.done)
        {
            self.finish = Some(Finish::Success { reason: "SuccessPolicy".to_owned(), message });
        }
    }

    /// The Job ends: nothing goes on. Who could not be deleted keeps it from ending.
    fn stop_all(&mut self, turn: &mut Turn<'_>) -> Result<(), ApiStatus> {
        let active: Vec<&Pod> = self.pods.iter().filter(|pod| is_active(pod)).collect();
        let mut refused = Ok(());
        let (mut deleted, mut ready) = (0, 0);
        for pod in &active {
            match pods::delete(turn, &self.object, pod) {
                Ok(()) => deleted += 1,
                Err(refusal) => refused = Err(refusal),
            }
            ready += i32::from(is_ready(pod));
        }
        if deleted != self.active {
            self.finish = None;
        }
        self.active -= deleted;
        self.terminating += deleted;
        self.ready -= ready;
        refused
    }

    /// Makes or removes pods until as many run as should.
    fn manage(&mut self, turn: &mut Turn<'_>) -> Result<(), ApiStatus> {
        let parallelism = self.spec.parallelism.unwrap_or(1);
        let wanted = match self.spec.completions {
            _ if self.is_suspended() => 0,
            None if self.succeeded > 0 => self.active,
            None => parallelism,
            Some(completions) => (completions - self.succeeded).min(parallelism).max(0),
        };
        let too_many = usize::try_from((self.active - wanted).max(0)).unwrap_or(0);
        let active: Vec<&Pod> = self.pods.iter().filter(|pod| is_active(pod)).collect();
        let surplus: Vec<Pod> = pods::to_remove(&self.spec, &active, too_many)
            .into_iter()
            .take(BURST as usize)
            .cloned()
            .collect();
        if !surplus.is_empty() || self.is_suspended() {
            return self.remove(turn, &surplus);
        }
        let held =
            if self.spec.pod_replacement_policy.as_deref() == Some("Failed") { self.terminating } else { 0 };
        let missing = (wanted - held - self.active).min(BURST);
        if missing > 0 { self.create(turn, missing) } else { Ok(()) }
    }

    fn remove(&mut self, turn: &mut Turn<'_>, surplus: &[Pod]) -> Result<(), ApiStatus> {
        for pod in surplus {
            pods::untrack(turn, pod)?;
            pods::delete(turn, &self.object, pod)?;
            self.active -= 1;
            self.terminating += 1;
            self.ready -= i32::from(is_ready(pod));
        }
        Ok(())
    }

    fn create(&mut self, turn: &mut Turn<'_>, missing: i32) -> Result<(), ApiStatus> {
        let per_index = self.spec.backoff_limit_per_index.is_some();
        let mut wait = SimDuration::ZERO;
        if !per_index {
            wait = backoff::of_job(turn.world(), &self.pods, |pod| self.has_failed(pod));
        }
        let mut indexes: Vec<(i32, Option<Pod>)> = Vec::new();
        let mut count = usize::try_from(missing).unwrap_or(0);
        if index::is_indexed(&self.spec) && wait == SimDuration::ZERO {
            let replaced = self.last_failures();
            let all: Vec<(i32, Option<Pod>)> = self
                .pending(count)
                .into_iter()
                .map(|index| (index, replaced.iter().find(|pod| index::of(pod) == Some(index)).cloned()))
                .collect();
            let waits = |pod: &Option<Pod>| match pod {
                Some(pod) if per_index => {
                    let (counted, ignored) = index::failures(pod);
                    let failures = (counted + ignored + 1).unsigned_abs();
                    backoff::remaining(failures, backoff::finished_at(turn.world(), pod), turn.now())
                }
                Some(_) | None => SimDuration::ZERO,
            };
            let now = |it: &(i32, Option<Pod>)| waits(&it.1) == SimDuration::ZERO;
            if !all.is_empty() && !all.iter().any(now) {
                wait = all.iter().map(|(_, pod)| waits(pod)).min().unwrap_or_default();
            }
            indexes = all.into_iter().filter(now).collect();
            count = indexes.len();
        }
        if wait > SimDuration::ZERO {
            self.look_again(wait);
            return Ok(());
        }
        let indexes: Vec<(i32, Option<&Pod>)> = indexes.iter().map(|(at, pod)| (*at, pod.as_ref())).collect();
        let (made, refused) = pods::create(turn, (&self.job, &self.spec, &self.object), count, &indexes);
        self.active += i32::try_from(made).unwrap_or(i32::MAX);
        refused.map_or(Ok(()), Err)
    }

    /// The first indexes that nobody works at.
    fn pending(&self, count: usize) -> Vec<i32> {
        let only_failed = self.spec.pod_replacement_policy.as_deref() == Some("Failed");
        let taken = |pod: &&Pod| is_active(pod) || only_failed && pods::is_terminating(pod);
        let taken = self.pods.iter().filter(taken).filter_map(index::of);
        let closed = self.done.union(&self.spoilt).with(taken);
        closed.first_missing(count, self.spec.completions.unwrap_or(0))
    }

    /// Of each index that has to be done again, the pod that failed last: its finalizer stays until another carries its
    /// count on.
    pub(super) fn last_failures(&self) -> Vec<Pod> {
        if self.spec.backoff_limit_per_index.is_none() {
            return Vec::new();
        }
        let busy: Vec<i32> = self.pods.iter().filter(|pod| is_active(pod)).filter_map(index::of).collect();
        let mut last: Vec<Pod> = Vec::new();
        for pod in self.pods.iter().filter(|pod| pods::is_tracked(pod) && self.has_failed(pod)) {
            let Some(own) = index::valid(pod, &self.spec) else { continue };
            if self.done.has(own) || self.spoilt.has(own) || busy.contains(&own) {
                continue;
            }
            let total = |pod: &Pod| index::failures(pod).0 + index::failures(pod).1;
            match last.iter_mut().find(|it| index::of(it) == Some(own)) {
                Some(had) if total(had) <= total(pod) => *had = pod.clone(),
                Some(_) => {}
                None => last.push(pod.clone()),
            }
        }
        last
    }

    /// Keeps the condition `Suspended`; whether it changed.
    fn tell_suspension(&mut self, turn: &mut Turn<'_>) -> bool {
        let stamp = turn.stamp();
        let (holds, reason, message) = if self.is_suspended() {
            (true, "JobSuspended", "Job suspended")
        } else {
            (false, "JobResumed", "Job resumed")
        };
        let status = self.job.status.get_or_insert_default();
        let conditions = status.conditions.get_or_insert_default();
        let changed = status::ensure(conditions, ("Suspended", holds, reason, message), &stamp);
        if changed {
            let event = if holds { "Suspended" } else { "Resumed" };
            turn.event(&self.object, EventType::Normal, event, message);
            if !holds {
                // The deadline counts from here.
                status.start_time = Some(stamp);
            }
        }
        changed
    }
}
