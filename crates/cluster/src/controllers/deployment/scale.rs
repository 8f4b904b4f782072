//! How many pods does each set of a Deployment get now, and who says so?
//!
//! Source: `pkg/controller/deployment/{sync,rolling}.go`.

use api::{ApiStatus, Resource, k8s::apps::v1::ReplicaSet};

use super::rollout::{self, Rollout, available, wanted};
use crate::{EventType, Turn};

/// Scales without rolling: the one active set, or all in proportion.
pub(super) fn scale(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<(), ApiStatus> {
    let replicas = rollout.replicas();
    let active: Vec<usize> = (0..rollout.old.len()).filter(|at| wanted(&rollout.old[*at]) > 0).collect();
    let new_active = rollout.new.as_ref().is_some_and(|set| wanted(set) > 0);
    match (active.as_slice(), new_active) {
        ([], _) if rollout.new.is_some() => return resize_new(turn, rollout, replicas).map(drop),
        ([], _) => {
            let latest = rollout.old.len().checked_sub(1);
            return latest.map_or(Ok(()), |at| resize_old(turn, rollout, at, replicas).map(drop));
        }
        ([only], false) => return resize_old(turn, rollout, *only, replicas).map(drop),
        _ => {}
    }
    let saturated = rollout.new.as_ref().is_some_and(|set| {
        wanted(set) == replicas
            && available(set) == replicas
            && set
                .metadata
                .annotations
                .as_ref()
                .and_then(|all| all.get(rollout::DESIRED_REPLICAS))
                .is_some_and(|noted| *noted == replicas.to_string())
    });
    if saturated {
        for at in active {
            resize_old(turn, rollout, at, 0)?;
        }
        return Ok(());
    }
    if rollout.is_rolling() { scale_in_proportion(turn, rollout, &active) } else { Ok(()) }
}

/// Spreads a change of size over all active sets by their share, the rest going to the largest.
fn scale_in_proportion(
    turn: &mut Turn<'_>,
    rollout: &mut Rollout,
    active: &[usize],
) -> Result<(), ApiStatus> {
    let replicas = rollout.replicas();
    let total = rollout.sum(wanted);
    let allowed = if replicas > 0 { rollout.most() } else { 0 };
    let add = allowed.wrapping_sub(total);
    // `None` is the new set. Growing, the newest of equal size comes first; shrinking, the oldest.
    let mut sets: Vec<(Option<usize>, i32)> =
        active.iter().map(|at| (Some(*at), wanted(&rollout.old[*at]))).collect();
    sets.extend(rollout.new.as_ref().filter(|set| wanted(set) > 0).map(|set| (None, wanted(set))));
    let age = |at: Option<usize>| at.unwrap_or(usize::MAX);
    sets.sort_by(|a, b| {
        let by_age = if add > 0 { age(b.0).cmp(&age(a.0)) } else { age(a.0).cmp(&age(b.0)) };
        b.1.cmp(&a.1).then(by_age)
    });
    let noted_most = |rollout: &Rollout, at: Option<usize>| {
        let set = at.map_or(rollout.new.as_ref(), |at| rollout.old.get(at));
        let noted = set
            .and_then(|set| set.metadata.annotations.as_ref())
            .and_then(|all| all.get(rollout::MAX_REPLICAS));
        noted.and_then(|text| text.parse::<i32>().ok()).filter(|most| *most > 0)
    };
    let mut added = 0;
    let mut sizes = Vec::new();
    for (at, has) in &sets {
        let most = noted_most(rollout, *at)
            .unwrap_or(rollout.deployment.status.as_ref().and_then(|s| s.replicas).unwrap_or(0));
        let exact = f64::from(*has) * f64::from(allowed) / f64::from(most.max(1));
        #[allow(clippy::cast_possible_truncation, reason = "a number of pods, rounded as upstream does")]
        let part = exact.round() as i32 - has;
        let part = if add > 0 { part.min(add - added) } else { part.max(add - added) };
        let part = if add == 0 { 0 } else { part };
        added += part;
        sizes.push(has + part);
    }
    if let Some(first) = sizes.first_mut() {
        *first = (*first + add - added).max(0);
    }
    for ((at, _), to) in sets.into_iter().zip(sizes) {
        match at {
            Some(at) => resize_old(turn, rollout, at, to)?,
            None => resize_new(turn, rollout, to)?,
        };
    }
    Ok(())
}

/// Takes pods from old sets: first those that are not available anyway, then as many as may be missing.
pub(super) fn shrink_old(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<bool, ApiStatus> {
    if rollout.old.iter().all(|set| wanted(set) == 0) {
        return Ok(false);
    }
    let least = rollout.replicas() - rollout.max_unavailable();
    let all = rollout.sum(wanted);
    let unready = rollout.new.as_ref().map_or(0, |set| wanted(set) - available(set));
    let most = all - least - unready;
    if most <= 0 {
        return Ok(false);
    }
    let mut taken = 0;
    for at in 0..rollout.old.len() {
        let set = &rollout.old[at];
        let (has, up) = (wanted(set), available(set));
        if taken >= most {
            break;
        }
        if has == 0 || has == up {
            continue;
        }
        let count = (most - taken).min(has - up);
        resize_old(turn, rollout, at, has - count)?;
        taken += count;
    }
    let mut spare = rollout.sum(available) - least;
    let mut scaled = taken > 0;
    for at in 0..rollout.old.len() {
        let has = wanted(&rollout.old[at]);
        if spare <= 0 {
            break;
        }
        if has == 0 {
            continue;
        }
        let count = has.min(spare);
        resize_old(turn, rollout, at, has - count)?;
        spare -= count;
        scaled = true;
    }
    Ok(scaled)
}

pub(super) fn resize_new(turn: &mut Turn<'_>, rollout: &mut Rollout, to: i32) -> Result<bool, ApiStatus> {
    let Some(mut set) = rollout.new.take() else { return Ok(false) };
    let scaled = resize(turn, rollout, &mut set, to);
    rollout.new = Some(set);
    scaled
}

pub(super) fn resize_old(
    turn: &mut Turn<'_>,
    rollout: &mut Rollout,
    at: usize,
    to: i32,
) -> Result<bool, ApiStatus> {
    let mut set = rollout.old[at].clone();
    let scaled = resize(turn, rollout, &mut set, to)?;
    rollout.old[at] = set;
    Ok(scaled)
}

/// Scales one set and says so; whether it had another size.
fn resize(turn: &mut Turn<'_>, rollout: &Rollout, set: &mut ReplicaSet, to: i32) -> Result<bool, ApiStatus> {
    let from = wanted(set);
    let mut next = set.clone();
    next.spec.get_or_insert_default().replicas = Some(to);
    let noted = rollout::note_replicas(rollout, &mut next);
    if from == to && !noted {
        return Ok(false);
    }
    let written = turn.update(next)?;
    *set = ReplicaSet::of(&written).cloned().unwrap_or_default();
    if from != to {
        let name = set.metadata.name.clone().unwrap_or_default();
        say_scaled(turn, rollout, if from < to { "up" } else { "down" }, &name, from, to);
    }
    Ok(from != to)
}

pub(super) fn say_scaled(turn: &mut Turn<'_>, rollout: &Rollout, way: &str, set: &str, from: i32, to: i32) {
    let message = format!("Scaled {way} replica set {set} from {from} to {to}");
    let about = rollout.deployment.clone().into_object();
    turn.event(&about, EventType::Normal, "ScalingReplicaSet", &message);
}
