//! How long is the wait after failures in a row?
//!
//! Ten seconds, then twice as long each time, at most five minutes; what went well for twice the longest wait is forgotten.
//! Source: `k8s.io/client-go/util/flowcontrol/backoff.go`; kubelet `kubelet.go` (`initialCrashLoopBackOff`,
//! `MaxCrashLoopBackOff`, `imageBackOffPeriod`, `MaxImageBackOff`).

use api::{SimDuration, SimTime, kinds::sim::BackOff};

use crate::timing;

/// The wait that still lasts, counted from `event`.
pub(super) fn lasting(entry: Option<BackOff>, event: SimTime, now: SimTime) -> Option<SimDuration> {
    let entry = entry.filter(|entry| !has_expired(entry, event))?;
    (now.since(event) < entry.wait).then_some(entry.wait)
}

/// The wait after one more failure, at `event`.
pub(super) fn longer(entry: Option<BackOff>, event: SimTime, now: SimTime) -> BackOff {
    let wait = match entry.filter(|entry| !has_expired(entry, event)) {
        None => timing::BACK_OFF,
        Some(entry) => SimDuration((entry.wait.0 * 2).min(timing::BACK_OFF_MAX.0)),
    };
    BackOff { wait, since: now }
}

fn has_expired(entry: &BackOff, event: SimTime) -> bool {
    event.since(entry.since).0 > timing::BACK_OFF_MAX.0 * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_five_minutes_and_start_again_after_ten_quiet_minutes() {
        let (mut entry, mut now, mut waits) = (None, SimTime::ZERO, Vec::new());
        for _ in 0..7 {
            let next = longer(entry, now, now);
            waits.push(next.wait.as_secs());
            (entry, now) = (Some(next), now + next.wait);
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
        let since = entry.unwrap_or_default().since;
        assert_eq!(longer(entry, since + SimDuration::secs(600), now).wait, SimDuration::secs(300));
        assert_eq!(longer(entry, since + SimDuration::secs(601), now).wait, SimDuration::secs(10));
    }
}
