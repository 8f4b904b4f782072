//! Which moment of a CronJob's schedule is due, and which comes next?
//!
//! Source: `pkg/controller/cronjob/utils.go` (`mostRecentScheduleTime`, `nextScheduleTimeDuration`).

use api::{
    SimDuration,
    k8s::batch::v1::{CronJob, CronJobSpec},
    schedule::{self, Schedule},
};
use jiff::{Timestamp, tz::TimeZone};

/// Clocks may differ: a moment is looked at so much later.
const DELTA: SimDuration = SimDuration::millis(100);
/// From so many missed moments on there is a warning.
const MANY: i64 = 100;

/// What has gone by since a CronJob last did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missed {
    /// From when on it was looked.
    since: Timestamp,
    /// The last moment that is not in the future.
    pub last: Option<Timestamp>,
    /// How many there were, roughly.
    count: i64,
}

impl Missed {
    /// Whether there were so many that something must be wrong.
    pub(super) fn is_too_many(&self) -> bool {
        self.count > MANY
    }
}

/// A CronJob's schedule and the clock that it goes by.
pub(super) struct Calendar {
    schedule: Schedule,
    zone: TimeZone,
}

impl Calendar {
    /// # Errors
    /// What the schedule cannot be read for.
    pub(super) fn of(spec: &CronJobSpec) -> Result<Self, String> {
        let schedule = Schedule::parse(&spec.schedule)?;
        // A zone in the schedule itself is an old way, which still works where it was let in.
        let inside = spec.schedule.split_once("TZ=").and_then(|(_, rest)| rest.split(' ').next());
        let named = inside.or(spec.time_zone.as_deref()).and_then(schedule::zone);
        Ok(Self { schedule, zone: named.unwrap_or(TimeZone::UTC) })
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next(after, &self.zone)
    }

    /// # Errors
    /// A schedule that never comes round.
    pub(super) fn missed(&self, job: &CronJob, now: Timestamp, deadline: bool) -> Result<Missed, String> {
        let created = job.metadata.creation_timestamp.as_ref();
        let last = job.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
        let mut since = last.or(created).map_or(now, |time| time.0);
        let seconds = job.spec.as_ref().and_then(|spec| spec.starting_deadline_seconds);
        if let Some(seconds) = seconds.filter(|_| deadline) {
            let earliest = Timestamp::from_second(now.as_second().saturating_sub(seconds));
            since = earliest.map_or(since, |earliest| earliest.max(since));
        }
        let none = Missed { since, last: None, count: 0 };
        let Some(first) = self.next(since) else {
            // A day that no year has: the library says the beginning of time, twice.
            return Err("time difference between two schedules is less than 1 second".to_owned());
        };
        if now < first {
            return Ok(none);
        }
        let Some(second) = self.next(first).filter(|second| now >= *second) else {
            return Ok(Missed { last: Some(first), ..none });
        };
        let between = (second.as_second() - first.as_second()).max(1);
        let count = (now.as_second() - first.as_second()) / between + 1;
        // Near the end of what was missed, by its first interval; from there step by step.
        let near = Timestamp::from_second(first.as_second() + (count - 2) * between).unwrap_or(first);
        let mut last = None;
        let mut at = self.next(near);
        while let Some(time) = at.filter(|time| *time <= now) {
            last = Some(time);
            at = self.next(time);
        }
        Ok(Missed { since, last, count })
    }

    /// How long until the next moment.
    pub(super) fn wait(&self, job: &CronJob, now: Timestamp) -> Option<SimDuration> {
        let from = match self.missed(job, now, false) {
            Ok(Missed { last: Some(last), .. }) => last,
            Ok(Missed { since, count: 0, .. }) => since,
            Ok(_) | Err(_) => now,
        };
        let next = self.next(from)?;
        let millis = next.as_millisecond().saturating_sub(now.as_millisecond());
        Some(SimDuration(u64::try_from(millis).unwrap_or(0) + DELTA.0))
    }

    /// A moment as a Job's annotation writes it.
    pub(super) fn written(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned(self.zone.clone());
        let seconds = zoned.offset().seconds();
        let clock = zoned.strftime("%Y-%m-%dT%H:%M:%S");
        if seconds == 0 { format!("{clock}Z") } else { format!("{clock}{}", zoned.strftime("%:z")) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests say what must hold")]

    use serde_json::json;

    use super::*;

    fn missed(schedule: &str, created: &str, now: &str, deadline: Option<i64>) -> (String, bool) {
        let job: CronJob =
            serde_json::from_value(json!({"metadata": {"name": "a", "creationTimestamp": created},
            "spec": {"schedule": schedule, "jobTemplate": {}, "startingDeadlineSeconds": deadline}}))
            .expect("a CronJob");
        let calendar = Calendar::of(job.spec.as_ref().expect("a spec")).expect("a schedule");
        let missed = calendar.missed(&job, now.parse().expect("a time"), true).expect("moments");
        (missed.last.map(|time| time.to_string()).unwrap_or_default(), missed.is_too_many())
    }

    #[test]
    fn the_last_missed_moment_is_due_and_a_hundred_are_too_many() {
        let created = "2026-03-02T09:00:00Z";
        let due = |schedule, now| missed(schedule, created, now, None);
        assert_eq!(due("*/5 * * * *", "2026-03-02T09:04:59Z"), (String::new(), false));
        assert_eq!(due("*/5 * * * *", "2026-03-02T09:06:00Z"), ("2026-03-02T09:05:00Z".to_owned(), false));
        assert_eq!(due("*/5 * * * *", "2026-03-02T10:01:00Z"), ("2026-03-02T10:00:00Z".to_owned(), false));
        assert_eq!(due("* * * * *", "2026-03-02T12:00:30Z"), ("2026-03-02T12:00:00Z".to_owned(), true));
        assert_eq!(due("@every 7s", "2026-03-02T09:00:30Z"), ("2026-03-02T09:00:28Z".to_owned(), false));
        assert_eq!(
            missed("* * * * *", created, "2026-03-02T12:00:30Z", Some(200)),
            ("2026-03-02T12:00:00Z".to_owned(), false),
            "a deadline forgets what is older"
        );
    }
}
