//! How does a managed node group come to a new version?
//!
//! A launch template of the new image; new nodes, one at least in each zone; then each old node is drained and replaced, as many at once as
//! may be unavailable; then the nodes beyond the size go again.
//! Source: EKS user guide (managed node update behavior). MODEL: the surge begins with one node a zone and grows up to two; after a failed
//! update the old nodes may be used again and the group launches the old image.

use api::{
    Resource, SimDuration,
    k8s::core::v1::Node,
    kinds::{
        aws::{Instance, Subnet},
        eks::{Issue, Nodegroup, Update, UpdatePhase},
    },
};

use super::{
    CHECK, IMAGE,
    drain::{self, Drained},
    found, instances, is_ready,
};
use crate::{Key, Next, Note, Turn, What, cloud::instance, timing};

/// New nodes that are not ready by then fail the update.
/// MODEL: EKS does not publish the time; the field sees 15 to 30 minutes.
pub(super) const NODES_READY: SimDuration = SimDuration::secs(25 * 60);
/// From the last pod's leaving to the end of an instance: the service controller is to notice.
const REST: SimDuration = SimDuration::secs(60);
/// On nodes that are about to go.
const EXCLUDE: &str = "node.kubernetes.io/exclude-from-external-load-balancers";

/// Goes one step further with the update of a group.
pub(super) fn step(turn: &mut Turn<'_>, key: &Key) -> Next {
    let Some(group) = found(turn, key) else { return Next::Done };
    let Some(update) = group.updating().filter(|it| it.kind == "VersionUpdate").cloned() else {
        return Next::Done;
    };
    let passed = turn.now().since(update.since);
    let live = instances(turn.store(), key);
    let is_old = |it: &Instance| it.user_data.get(IMAGE) != Some(&group.image_release);
    let (old, new): (Vec<Instance>, Vec<Instance>) = live.into_iter().partition(is_old);
    let zones = zones(turn, &old);
    match update.phase {
        UpdatePhase::Setup if passed < timing::NODEGROUP_SETUP => {
            Next::After(SimDuration(timing::NODEGROUP_SETUP.0 - passed.0))
        }
        UpdatePhase::Setup if old.is_empty() => end(turn, key, None),
        UpdatePhase::Setup => {
            let surge = u32::try_from(zones.len()).unwrap_or(1).max(group.parallel());
            enter(turn, key, UpdatePhase::ScaleUp, surge)
        }
        UpdatePhase::ScaleUp => {
            let missing = zones.iter().any(|zone| !self::zones(turn, &new).contains(zone));
            let whole = new.len() >= update.surge as usize && new.iter().all(|it| is_ready(turn.store(), it));
            let most = 2 * u32::try_from(zones.len()).unwrap_or(1);
            match (whole, missing) {
                (true, false) => {
                    old.iter().for_each(|it| set_aside(turn, it));
                    enter(turn, key, UpdatePhase::Upgrade, update.surge)
                }
                (true, true) if update.surge < most => {
                    enter(turn, key, UpdatePhase::ScaleUp, update.surge + 1)
                }
                _ if passed >= NODES_READY => {
                    let ids = new.iter().filter(|it| !is_ready(turn.store(), it));
                    let ids = ids.filter_map(|it| it.meta().name.clone()).collect();
                    let why = "Couldn't proceed with upgrade process as new nodes are not joining node group";
                    let message = format!("{why} {}", key.name);
                    end(
                        turn,
                        key,
                        Some(Issue { code: "NodeCreationFailure".to_owned(), message, resource_ids: ids }),
                    )
                }
                _ => Next::After(CHECK),
            }
        }
        UpdatePhase::Upgrade if old.is_empty() => {
            if new.len() < group.capacity() as usize || !new.iter().all(|it| is_ready(turn.store(), it)) {
                return Next::After(CHECK);
            }
            enter(turn, key, UpdatePhase::ScaleDown, update.surge)
        }
        UpdatePhase::Upgrade => replace(turn, key, &group, &update, &old),
        UpdatePhase::ScaleDown if update.surge > 0 => {
            if new.len() > group.capacity() as usize {
                return Next::After(CHECK);
            }
            enter(turn, key, UpdatePhase::ScaleDown, update.surge - 1)
        }
        UpdatePhase::ScaleDown if new.len() > group.capacity() as usize => Next::After(CHECK),
        UpdatePhase::ScaleDown => end(turn, key, None),
        UpdatePhase::Over => Next::Done,
    }
}

/// Drains as many old nodes as may be unavailable at once, and ends those that are empty.
fn replace(turn: &mut Turn<'_>, key: &Key, group: &Nodegroup, update: &Update, old: &[Instance]) -> Next {
    let mut chosen: Vec<&Instance> = old.iter().filter(|it| it.drain.is_some()).collect();
    let mut rest: Vec<&Instance> = old.iter().filter(|it| it.drain.is_none()).collect();
    let draw = |it: &&Instance| {
        let id = it.meta().name.as_deref().unwrap_or_default();
        crate::draw::draw(turn.world().seed(), "nodegroup-update", &format!("{}/{id}", update.id), 0)
    };
    rest.sort_by_key(draw);
    // A node that ends is unavailable until its successor is ready.
    let live = instances(turn.store(), key);
    let absent = (group.capacity() as usize)
        .saturating_sub(live.iter().filter(|it| is_ready(turn.store(), it)).count());
    let free = (group.parallel() as usize).saturating_sub(chosen.len() + absent);
    chosen.extend(rest.into_iter().take(free));
    let mut next = SimDuration::secs(5);
    for it in chosen {
        match drain::drain(turn, it, update.force) {
            Drained::Empty(passed) if passed >= REST => {
                let id = it.meta().name.clone().unwrap_or_default();
                super::launch::ended(turn, key, &id, "in response to a user request");
                instance::shut_down(turn, &id, true);
            }
            Drained::Empty(_) => {}
            Drained::Going => next = CHECK,
            Drained::Overdue => {
                let message = format!(
                    "Reached max retries while trying to evict pods from nodes in node group {}",
                    key.name
                );
                let issue = Issue {
                    code: "PodEvictionFailure".to_owned(),
                    message,
                    resource_ids: it.node.iter().cloned().collect(),
                };
                return end(turn, key, Some(issue));
            }
        }
    }
    Next::After(next)
}

/// The zones in which instances stand, each once.
fn zones(turn: &Turn<'_>, of: &[Instance]) -> Vec<String> {
    let zone =
        |it: &Instance| turn.get::<Subnet>("", &it.subnet).map(|subnet| subnet.availability_zone.clone());
    let mut zones: Vec<String> = of.iter().filter_map(zone).collect();
    zones.sort();
    zones.dedup();
    zones
}

/// No new pod comes to an old node, and no load balancer sends to it.
fn set_aside(turn: &mut Turn<'_>, it: &Instance) {
    let Some((cluster, node)) = drain::place(turn, it) else { return };
    drain::set_unschedulable(turn, cluster, &node, true);
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let _ = there.patch::<Node>("", &node, |node| {
        node.metadata.labels.get_or_insert_default().insert(EXCLUDE.to_owned(), "true".to_owned());
    });
}

fn enter(turn: &mut Turn<'_>, key: &Key, phase: UpdatePhase, surge: u32) -> Next {
    let now = turn.now();
    let about = key.clone();
    let Some(mut group) = found(turn, key) else { return Next::Done };
    let release = group.image_release.clone();
    if let Some(update) = group.updates.last_mut() {
        (update.phase, update.since, update.surge) = (phase, now, surge);
    }
    turn.put(group.into_object());
    let step = match phase {
        UpdatePhase::Setup => "NodegroupUpdateSetup",
        UpdatePhase::ScaleUp => "NodegroupUpdateScaleUp",
        UpdatePhase::Upgrade => "NodegroupUpdateUpgrade",
        UpdatePhase::ScaleDown => "NodegroupUpdateScaleDown",
        UpdatePhase::Over => "NodegroupUpdateOver",
    };
    let detail = vec![("release", release), ("surge", surge.to_string())];
    turn.fact(What::Noted(Note::Step { name: step, about, detail }));
    Next::After(CHECK)
}

/// The update is over: for better without an issue, for worse with one.
fn end(turn: &mut Turn<'_>, key: &Key, issue: Option<Issue>) -> Next {
    let now = turn.now();
    let Some(mut group) = found(turn, key) else { return Next::Done };
    let failed = issue.is_some();
    if let Some(update) = group.updates.last_mut() {
        update.status = if failed { "Failed" } else { "Successful" }.to_owned();
        (update.phase, update.since, update.surge) = (UpdatePhase::Over, now, 0);
        update.errors.extend(issue.clone());
    }
    if failed {
        group.image_release.clone_from(&group.release_version);
    } else {
        group.release_version.clone_from(&group.image_release);
    }
    (group.status, group.since) = ("ACTIVE".to_owned(), now);
    turn.put(group.into_object());
    let about = key.clone();
    match issue {
        Some(issue) => {
            let message = format!("{}: {}", issue.code, issue.message);
            turn.fact(What::Noted(Note::Refused { about, message }));
            for it in instances(turn.store(), key) {
                take_back(turn, it);
            }
        }
        None => {
            turn.fact(What::Noted(Note::Step { name: "NodegroupUpdateOver", about, detail: Vec::new() }));
        }
    }
    Next::Done
}

/// A node that was to go stays.
fn take_back(turn: &mut Turn<'_>, mut it: Instance) {
    let Some((cluster, node)) = drain::place(turn, &it) else { return };
    drain::set_unschedulable(turn, cluster, &node, false);
    let mut there = Turn::new(turn.world, turn.actor, cluster, turn.cause);
    let _ = there.patch::<Node>("", &node, |node| {
        node.metadata.labels.iter_mut().for_each(|labels| _ = labels.remove(EXCLUDE));
    });
    it.drain = None;
    turn.put(it.into_object());
}
