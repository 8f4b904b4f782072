//! Is it time for another Job?
//!
//! At each moment of its schedule a CronJob makes a Job, named by the minutes since 1970, unless the last one is to be
//! waited for; finished ones beyond its history go. Source: `pkg/controller/cronjob/cronjob_controllerv2.go` at v1.34.

mod calendar;
#[cfg(test)]
mod tests;

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        batch::v1::{CronJob, CronJobSpec, Job},
        core::v1::ObjectReference,
    },
    meta::{ObjectMeta, Time},
    schedule,
};
use jiff::Timestamp;

use self::calendar::Calendar;
use super::{job::is_finished, managed_by, manager};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

/// When a Job was to start.
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/// Added to a CronJob's name in a key: only its calendar is to be looked at. No object's name has it.
const CALENDAR: &str = "/calendar";

/// The controller.
pub(crate) struct CronJobController;

impl Controller for CronJobController {
    fn name(&self) -> &'static str {
        "cronjob-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::CronJob => {
                let schedule = |object: &Object| {
                    let spec = CronJob::of(object).and_then(|job| job.spec.as_ref());
                    spec.map(|spec| (spec.schedule.clone(), spec.time_zone.clone()))
                };
                let moved = matches!((&change.before, &change.after), (Some(before), Some(after))
                    if schedule(before) != schedule(after));
                let mut key = change.key.clone();
                if moved {
                    // UPSTREAM: another schedule counts from now: what it would have had done before is not made up for.
                    key.name = format!("{}{CALENDAR}", key.name).into();
                }
                wake(key);
            }
            Kind::Job => {
                for job in [&change.before, &change.after].into_iter().flatten() {
                    if let Some(owner) = manager(job, Kind::CronJob) {
                        let (cluster, namespace) = (change.key.cluster, &change.key.namespace);
                        wake(Key::new(cluster, Kind::CronJob, namespace, &owner.name));
                    }
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let (name, only_calendar) = match key.name.strip_suffix(CALENDAR) {
            Some(name) => (name, true),
            None => (&*key.name, false),
        };
        let Some(cron) = turn.get::<CronJob>(&key.namespace, name).cloned() else { return Ok(Next::Done) };
        if only_calendar {
            let calendar = cron.spec.as_ref().and_then(|spec| Calendar::of(spec).ok());
            if let Some(wait) = calendar.and_then(|it| it.wait(&cron, now(turn))) {
                turn.remind(turn.actor(), turn.key(Kind::CronJob, &key.namespace, name), wait);
            }
            return Ok(Next::Done);
        }
        let before = cron.status.clone();
        let uid = cron.metadata.uid.clone().unwrap_or_default();
        let owned = turn.store().owned_by(turn.cluster(), &uid);
        let jobs: Vec<Job> = owned.filter_map(|(_, object)| Job::of(object)).cloned().collect();
        let object = cron.clone().into_object();
        let mut round = Round { cron, object, jobs };
        let outcome = round.sync(turn);
        round.clean(turn);
        if round.cron.status != before {
            let mut cron = round.cron;
            cron.metadata.resource_version = None;
            turn.update_status(cron)?;
        }
        Ok(outcome?.map_or(Next::Done, Next::Every))
    }
}

fn now(turn: &Turn<'_>) -> Timestamp {
    let now = i64::try_from(turn.now().0).unwrap_or(i64::MAX);
    let millis = turn.world().epoch().as_millisecond().saturating_add(now);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// One look at a CronJob.
struct Round {
    cron: CronJob,
    object: Object,
    jobs: Vec<Job>,
}

impl Round {
    fn say(&self, turn: &mut Turn<'_>, reason: &str, message: &str) {
        turn.event(&self.object, EventType::Normal, reason, message);
    }

    fn warn(&self, turn: &mut Turn<'_>, reason: &str, message: &str) {
        turn.event(&self.object, EventType::Warning, reason, message);
    }

    fn active(&self) -> Vec<ObjectReference> {
        self.cron.status.as_ref().and_then(|status| status.active.clone()).unwrap_or_default()
    }

    fn set_active(&mut self, active: Vec<ObjectReference>) {
        self.cron.status.get_or_insert_default().active = (!active.is_empty()).then_some(active);
    }

    fn no_longer_active(&mut self, uid: Option<&String>) {
        let mut active = self.active();
        active.retain(|it| it.uid.as_ref() != uid);
        self.set_active(active);
    }

    /// Makes the Job that is due, if one is; how long until the next.
    fn sync(&mut self, turn: &mut Turn<'_>) -> Result<Option<SimDuration>, ApiStatus> {
        self.look_at_jobs(turn);
        let Some(spec) = self.cron.spec.clone() else { return Ok(None) };
        if self.cron.metadata.deletion_timestamp.is_some() {
            return Ok(None);
        }
        if let Some(zone) = spec.time_zone.as_deref().filter(|zone| schedule::zone(zone).is_none()) {
            let message = format!("invalid timeZone: {zone:?}: unknown time zone {zone}");
            self.warn(turn, "UnknownTimeZone", &message);
            return Ok(None);
        }
        if spec.suspend == Some(true) {
            return Ok(None);
        }
        if spec.schedule.contains("TZ") {
            let message = format!(
                "CRON_TZ or TZ used in schedule {:?} is not officially supported, see \
                 https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
                spec.schedule
            );
            self.warn(turn, "UnsupportedSchedule", &message);
        }
        let calendar = match Calendar::of(&spec) {
            Ok(calendar) => calendar,
            Err(why) => {
                let message = format!("unparseable schedule: {:?} : {why}", spec.schedule);
                self.warn(turn, "UnparseableSchedule", &message);
                return Ok(None);
            }
        };
        let now = now(turn);
        let missed = match calendar.missed(&self.cron, now, true) {
            Ok(missed) => missed,
            Err(why) => {
                let message = format!("invalid schedule: {} : {why}", spec.schedule);
                self.warn(turn, "InvalidSchedule", &message);
                return Ok(None);
            }
        };
        let Some(due) = missed.last else { return Ok(calendar.wait(&self.cron, now)) };
        if missed.is_too_many() {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check \
                           clock skew";
            self.warn(turn, "TooManyMissedTimes", message);
        }
        self.start(turn, &spec, &calendar, due)?;
        Ok(calendar.wait(&self.cron, now))
    }

    /// Compares the Jobs that are there with those that are known to run.
    fn look_at_jobs(&mut self, turn: &mut Turn<'_>) {
        for job in self.jobs.clone() {
            let (uid, name) = (job.metadata.uid.as_ref(), job.metadata.name.clone().unwrap_or_default());
            let known = self.active().iter().any(|it| it.uid.as_ref() == uid);
            let end = is_finished(&job).map(|it| it.type_.clone());
            match (known, end) {
                (false, None) => {
                    let message = format!("Saw a job that the controller did not create or forgot: {name}");
                    self.warn(turn, "UnexpectedJob", &message);
                }
                (true, None) => {}
                (true, Some(end)) => {
                    self.no_longer_active(uid);
                    let message = format!("Saw completed job: {name}, condition: {end}");
                    self.say(turn, "SawCompletedJob", &message);
                    self.note_success(&job);
                }
                (false, Some(_)) => self.note_success(&job),
            }
        }
        for it in self.active() {
            if self.jobs.iter().any(|job| job.metadata.uid == it.uid) {
                continue;
            }
            let message = format!("Active job went missing: {}", it.name.clone().unwrap_or_default());
            self.say(turn, "MissingJob", &message);
            self.no_longer_active(it.uid.as_ref());
        }
    }

    fn note_success(&mut self, job: &Job) {
        let ended = job.status.as_ref().and_then(|status| status.completion_time.clone());
        let status = self.cron.status.get_or_insert_default();
        let later = |ended: &Time| status.last_successful_time.as_ref().is_none_or(|had| ended.0 > had.0);
        if let Some(ended) = ended.filter(later) {
            status.last_successful_time = Some(ended);
        }
    }

    /// Makes the Job of this moment, unless something speaks against it.
    fn start(
        &mut self,
        turn: &mut Turn<'_>,
        spec: &CronJobSpec,
        calendar: &Calendar,
        due: Timestamp,
    ) -> Result<(), ApiStatus> {
        let late = now(turn).as_millisecond() - due.as_millisecond();
        if spec.starting_deadline_seconds.is_some_and(|most| late > most.saturating_mul(1000)) {
            let time = due.strftime("%a, %d %b %Y %H:%M:%S +0000");
            self.warn(turn, "MissSchedule", &format!("Missed scheduled time to start a job: {time}"));
            return Ok(());
        }
        let name = format!("{}-{}", self.object.name(), due.as_second().div_euclid(60));
        let active = self.active();
        let last = self.cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
        if active.iter().any(|it| it.name.as_deref() == Some(&name)) || last.is_some_and(|it| it.0 == due) {
            return Ok(());
        }
        match spec.concurrency_policy.as_deref() {
            Some("Forbid") if !active.is_empty() => {
                let message =
                    "Not starting job because prior execution is running and concurrency policy is Forbid";
                self.say(turn, "JobAlreadyActive", message);
                return Ok(());
            }
            Some("Replace") => {
                for it in active {
                    self.delete(turn, it.name.as_deref().unwrap_or_default(), it.uid.as_ref())?;
                }
            }
            _ => {}
        }
        let job = match turn.create(self.job(spec, &name, calendar.written(due))) {
            Ok(job) => job,
            Err(refusal) if refusal.reason == "AlreadyExists" => return Err(refusal),
            Err(refusal) => {
                self.warn(turn, "FailedCreate", &format!("Error creating job: {}", refusal.message));
                return Err(refusal);
            }
        };
        self.say(turn, "SuccessfulCreate", &format!("Created job {name}"));
        let mut active = self.active();
        active.push(crate::apiserver::reference(&job));
        self.set_active(active);
        self.cron.status.get_or_insert_default().last_schedule_time = Some(Time(due));
        Ok(())
    }

    fn job(&self, spec: &CronJobSpec, name: &str, at: String) -> Job {
        let template = spec.job_template.metadata.clone().unwrap_or_default();
        let mut annotations = template.annotations.unwrap_or_default();
        annotations.insert(SCHEDULED_AT.to_owned(), at);
        Job {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                namespace: self.cron.metadata.namespace.clone(),
                labels: template.labels,
                annotations: Some(annotations),
                owner_references: Some(vec![managed_by(&self.cron)]),
                ..ObjectMeta::default()
            },
            spec: spec.job_template.spec.clone(),
            status: None,
        }
    }

    fn delete(&mut self, turn: &mut Turn<'_>, name: &str, uid: Option<&String>) -> Result<(), ApiStatus> {
        let key = turn.key(Kind::Job, self.object.namespace(), name);
        if let Err(refusal) = turn.delete(&key, None) {
            self.warn(turn, "FailedDelete", &format!("Deleted job: {}", refusal.message));
            return Err(refusal);
        }
        self.no_longer_active(uid);
        self.say(turn, "SuccessfulDelete", &format!("Deleted job {name}"));
        Ok(())
    }

    /// Removes the oldest of the finished Jobs beyond the history.
    fn clean(&mut self, turn: &mut Turn<'_>) {
        let spec = self.cron.spec.clone().unwrap_or_default();
        let limits =
            [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)];
        for (end, limit) in limits {
            let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else { continue };
            let ended = |job: &&Job| is_finished(job).is_some_and(|it| it.type_ == end);
            let mut jobs: Vec<Job> = self.jobs.iter().filter(ended).cloned().collect();
            let start = |job: &Job| job.status.as_ref().and_then(|it| it.start_time.as_ref().map(|it| it.0));
            jobs.sort_by_key(|job| (start(job).is_none(), start(job), job.metadata.name.clone()));
            let surplus = jobs.len().saturating_sub(limit);
            for job in jobs.into_iter().take(surplus).filter(|job| job.metadata.deletion_timestamp.is_none())
            {
                let name = job.metadata.name.clone().unwrap_or_default();
                // What cannot go now goes when the next Job ends.
                drop(self.delete(turn, &name, job.metadata.uid.as_ref()));
            }
        }
    }
}
