//! Which daemon pods of older templates make way now?
//!
//! Source: `rollingUpdate` of `pkg/controller/daemon/update.go`.

use api::{
    ApiStatus,
    k8s::{apps::v1::DaemonSet, core::v1::Pod},
};

use super::{
    Place, Plan,
    manage::{max_surge, sync},
    min_ready,
};
use crate::{
    Turn,
    controllers::{is_available, share},
};

/// Replaces pods of older templates as far as the strategy allows now.
/// # Errors
/// A refusal by the API server.
pub(super) fn roll(turn: &mut Turn<'_>, set: &DaemonSet, plan: &Plan<'_>) -> Result<(), ApiStatus> {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.clone()).unwrap_or_default();
    if strategy.type_.as_deref() == Some("OnDelete") {
        return Ok(());
    }
    let wanted = i32::try_from(plan.places.iter().filter(|place| place.wanted).count()).unwrap_or(i32::MAX);
    let written = strategy.rolling_update.and_then(|rolling| rolling.max_unavailable);
    let unavailable = written.map_or(1, |written| share(wanted, Some(&written), "", true));
    let surge = max_surge(set, wanted);
    let now = turn.stamp();
    let serves = |pod: &Pod| is_available(pod, min_ready(set), &now);
    // Nodes that want a pod or have one.
    let places = plan.places.iter().filter(|place| place.wanted || !place.pods.is_empty());
    if surge == 0 {
        // Neither surge nor unavailability would be a standstill.
        let unavailable = if unavailable == 0 { 1 } else { unavailable };
        let surplus = making_way(plan, places, unavailable, serves);
        sync(turn, set, plan, &surplus, &[])
    } else {
        let (surplus, lacking) = beside(plan, places, (surge, wanted), serves);
        sync(turn, set, plan, &surplus, &lacking)
    }
}

/// The new and the old pod of a node; `None` if there are several of either.
fn pair<'p>(plan: &Plan<'_>, place: &Place<'p>) -> Option<(Option<&'p Pod>, Option<&'p Pod>)> {
    let (new, old): (Vec<&Pod>, Vec<&Pod>) = place.alive().partition(|pod| plan.is_current(pod));
    (new.len() <= 1 && old.len() <= 1).then(|| (new.first().copied(), old.first().copied()))
}

/// Old pods that go first and are replaced after: those that serve nobody, and others as far as `unavailable` goes.
fn making_way<'a, 'p: 'a>(
    plan: &Plan<'_>,
    places: impl Iterator<Item = &'a Place<'p>>,
    unavailable: i32,
    serves: impl Fn(&Pod) -> bool,
) -> Vec<&'p Pod> {
    let (mut idle, mut candidates) = (Vec::new(), Vec::new());
    let mut missing = 0;
    for place in places {
        match pair(plan, place) {
            Some((Some(new), None)) => missing += i32::from(!serves(new)),
            Some((None, Some(old))) if !serves(old) => {
                idle.push(old);
                missing += 1;
            }
            Some((None, Some(old))) => candidates.push(old),
            // The rest is not for here to mend, and counts as unavailable.
            Some((None, None) | (Some(_), Some(_))) | None => missing += 1,
        }
    }
    let room = usize::try_from(unavailable - missing).unwrap_or(0);
    idle.into_iter().chain(candidates.into_iter().take(room)).collect()
}

/// Old pods that may go, and nodes that get a new pod beside the old one.
fn beside<'a, 'p: 'a>(
    plan: &Plan<'_>,
    places: impl Iterator<Item = &'a Place<'p>>,
    (surge, wanted): (i32, i32),
    serves: impl Fn(&Pod) -> bool,
) -> (Vec<&'p Pod>, Vec<&'p str>) {
    let (mut surplus, mut misplaced) = (Vec::new(), Vec::new());
    let (mut at_once, mut candidates) = (Vec::new(), Vec::new());
    let (mut surging, mut serving) = (0, 0);
    for place in places {
        let Some((new, old)) = pair(plan, place) else {
            surging += 1;
            continue;
        };
        serving += i32::from(old.or(new).is_some_and(&serves));
        match (new, old) {
            (_, None) => {}
            (None, Some(old)) if !place.wanted => {
                if serves(old) { &mut misplaced } else { &mut surplus }.push(old);
            }
            (None, Some(old)) => {
                if serves(old) { &mut candidates } else { &mut at_once }.push(place.node);
            }
            (Some(new), Some(_)) if !serves(new) => surging += 1,
            (Some(_), Some(old)) => surplus.push(old),
        }
    }
    // A pod where none should be goes only when one elsewhere serves in its place.
    let spare = usize::try_from(serving - wanted).unwrap_or(0);
    surplus.extend(misplaced.into_iter().take(spare));
    let room = usize::try_from(surge - surging).unwrap_or(0);
    at_once.extend(candidates.into_iter().take(room));
    (surplus, at_once)
}
