//! How long does a Job wait before it replaces a pod that failed?
//!
//! 10 s after the first failure since the last success, twice as long after each further one, at most 10 minutes.
//! Source: `pkg/controller/job/backoff_utils.go`.

use api::{SimDuration, SimTime, k8s::core::v1::Pod, meta::Time};

use super::super::{condition, phase, sim_time};
use crate::World;

const FIRST: SimDuration = SimDuration::secs(10);
const LONGEST: SimDuration = SimDuration::secs(600);

/// When a pod was over: when its last container ended, or when it was no longer ready, or when it was to go.
pub(super) fn finished_at(world: &World, pod: &Pod) -> SimTime {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_deref());
    let ends: Option<Vec<&Time>> = statuses
        .unwrap_or_default()
        .iter()
        .map(|it| it.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref())
        .collect();
    let last = ends.and_then(|all| all.into_iter().max_by_key(|time| time.0));
    let unready = condition(pod, "Ready").filter(|ready| ready.status == "False");
    if let Some(time) = last.or_else(|| unready.and_then(|it| it.last_transition_time.as_ref())) {
        return sim_time(world, time);
    }
    let meta = &pod.metadata;
    if let Some(going) = &meta.deletion_timestamp {
        let grace = SimDuration::secs(meta.deletion_grace_period_seconds.unwrap_or(0).unsigned_abs());
        return SimTime(sim_time(world, going).0.saturating_sub(grace.0));
    }
    meta.creation_timestamp.as_ref().map_or(SimTime(0), |time| sim_time(world, time))
}

/// The wait after so many failures in a row, the last of which was then.
pub(super) fn remaining(failures: u32, last: SimTime, now: SimTime) -> SimDuration {
    if failures == 0 {
        return SimDuration::ZERO;
    }
    let wait = (FIRST.0 << (failures - 1).min(6)).min(LONGEST.0);
    SimDuration(wait.saturating_sub(now.since(last).0))
}

/// The wait of a whole Job before its next pod.
///
/// MODEL: counted from the pods that are still there; upstream remembers failures also of those that were removed.
pub(super) fn of_job(world: &World, pods: &[Pod], failed: impl Fn(&Pod) -> bool) -> SimDuration {
    let at = |pod: &&Pod| finished_at(world, pod);
    let success = pods.iter().filter(|pod| phase(pod) == "Succeeded").map(|pod| at(&pod)).max();
    let since = pods.iter().filter(|pod| failed(pod)).map(|pod| at(&pod));
    let since: Vec<SimTime> = since.filter(|time| success.is_none_or(|success| *time > success)).collect();
    let Some(last) = since.iter().max() else { return SimDuration::ZERO };
    remaining(u32::try_from(since.len()).unwrap_or(u32::MAX), *last, world.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_ten_minutes() {
        let wait = |failures| remaining(failures, SimTime(0), SimTime(0)).as_secs();
        assert_eq!([0, 1, 2, 3, 7, 200].map(wait), [0, 10, 20, 40, 600, 600]);
        assert_eq!(remaining(2, SimTime(1000), SimTime(6000)).as_secs(), 15);
    }
}
