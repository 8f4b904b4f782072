//! How far is this Deployment's rollout, and what is its next step?
//!
//! One ReplicaSet per template; pods move from the old ones to the new one within `maxSurge` and `maxUnavailable`, or
//! all at once (Recreate). Every template keeps its hash, every rollout gets a revision.
//! Source: `pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go`.

use api::{
    ApiStatus, Kind, Resource, SimDuration,
    k8s::{
        apps::v1::{Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet, ReplicaSetSpec},
        core::v1::Pod,
    },
    label::Selector,
    meta::ObjectMeta,
};

use super::{
    controller_of, is_managed_by, managed_by, manager, phase,
    rollout::{self, HASH_LABEL, REVISION, Rollout, actual, available, ready, revision, wanted},
    template_hash,
};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

/// The controller.
pub(crate) struct DeploymentController;

impl Controller for DeploymentController {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let key = |name: &str| Key::new(change.key.cluster, Kind::Deployment, &change.key.namespace, name);
        match change.key.kind {
            Kind::Deployment => wake(change.key.clone()),
            Kind::ReplicaSet => {
                for set in [&change.before, &change.after].into_iter().flatten() {
                    if let Some(owner) = manager(set, Kind::Deployment) {
                        wake(key(&owner.name));
                    }
                }
                if let Some(set) = change.after.as_ref().filter(|set| controller_of(set.meta()).is_none()) {
                    let all = store.list::<Deployment>(change.key.cluster, Some(&change.key.namespace));
                    for deployment in all.filter(|it| chooses(it, set.meta())) {
                        wake(key(deployment.metadata.name.as_deref().unwrap_or_default()));
                    }
                }
            }
            // Recreate waits for the last old pod to be gone.
            Kind::Pod if change.after.is_none() => {
                let set = change.before.as_ref().and_then(|pod| manager(pod, Kind::ReplicaSet));
                let set = set.map(|owner| {
                    Key::new(change.key.cluster, Kind::ReplicaSet, &change.key.namespace, &owner.name)
                });
                let owner =
                    set.and_then(|key| store.object(&key)).and_then(|set| manager(set, Kind::Deployment));
                if let Some(owner) = owner {
                    wake(key(&owner.name));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(deployment) = turn.get::<Deployment>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let sets = claim(turn, &deployment)?;
        let mut rollout = Rollout::of(deployment, sets);
        if rollout.deployment.metadata.deletion_timestamp.is_some() {
            write_status(turn, &rollout, status_of(turn, &rollout))?;
            return Ok(Next::Done);
        }
        note_pause(turn, &mut rollout)?;
        if rollout.spec.paused == Some(true) || is_scaling(&rollout) {
            find_new(turn, &mut rollout, false)?;
            scale(turn, &mut rollout)?;
            if rollout.spec.paused == Some(true) {
                clean_up(turn, &rollout)?;
            }
            write_status(turn, &rollout, status_of(turn, &rollout))?;
            return Ok(Next::Done);
        }
        if rollout.is_rolling() {
            roll(turn, &mut rollout)?;
        } else {
            recreate(turn, &mut rollout)?;
        }
        progress(turn, &rollout)
    }
}

fn chooses(deployment: &Deployment, meta: &ObjectMeta) -> bool {
    let selector =
        deployment.spec.as_ref().and_then(|spec| Selector::from_label_selector(&spec.selector).ok());
    let labels = meta.labels.clone().unwrap_or_default();
    selector.is_some_and(|selector| !selector.is_empty() && selector.matches(&labels))
}

/// The Deployment's sets, after adopting and letting go.
fn claim(turn: &mut Turn<'_>, deployment: &Deployment) -> Result<Vec<ReplicaSet>, ApiStatus> {
    let uid = deployment.metadata.uid.clone().unwrap_or_default();
    let namespace = deployment.metadata.namespace.clone().unwrap_or_default();
    let mut sets = Vec::new();
    let all: Vec<ReplicaSet> = turn.list::<ReplicaSet>(Some(&namespace)).cloned().collect();
    for set in all {
        let name = set.metadata.name.clone().unwrap_or_default();
        let mine = is_managed_by(&set.metadata, &uid);
        match (mine, chooses(deployment, &set.metadata)) {
            (true, true) => sets.push(set),
            (true, false) => {
                turn.patch::<ReplicaSet>(&namespace, &name, |set| {
                    set.metadata.owner_references.get_or_insert_default().retain(|owner| owner.uid != uid);
                })?;
            }
            (false, true)
                if controller_of(&set.metadata).is_none()
                    && set.metadata.deletion_timestamp.is_none()
                    && deployment.metadata.deletion_timestamp.is_none() =>
            {
                let owner = managed_by(deployment);
                let adopted = turn.patch::<ReplicaSet>(&namespace, &name, |set| {
                    set.metadata.owner_references.get_or_insert_default().push(owner);
                })?;
                sets.extend(ReplicaSet::of(&adopted).cloned());
            }
            (false, _) => {}
        }
    }
    Ok(sets)
}

fn is_scaling(rollout: &Rollout) -> bool {
    rollout.all().filter(|set| wanted(set) > 0).any(|set| {
        let noted = set.metadata.annotations.as_ref().and_then(|all| all.get(rollout::DESIRED_REPLICAS));
        noted.and_then(|text| text.parse::<i32>().ok()).is_some_and(|noted| noted != rollout.replicas())
    })
}

/// Brings the new set's annotations up to date, or makes the set.
fn find_new(turn: &mut Turn<'_>, rollout: &mut Rollout, make: bool) -> Result<(), ApiStatus> {
    let next = rollout.next_revision();
    if let Some(mut set) = rollout.new.take() {
        let annotated = rollout::annotate(rollout, &mut set, next, true);
        let seconds = rollout.spec.min_ready_seconds;
        let spec = set.spec.get_or_insert_default();
        let slower = spec.min_ready_seconds.unwrap_or(0) != seconds.unwrap_or(0);
        spec.min_ready_seconds = seconds;
        if annotated || slower {
            let written = turn.update(set)?;
            rollout.new = ReplicaSet::of(&written).cloned();
        } else {
            rollout.new = Some(set);
        }
        let at = rollout.new.as_ref().map_or(next, revision);
        let found = found(rollout, "FoundNewReplicaSet", "Found new replica set");
        let known = condition(&rollout.deployment, "Progressing").is_some();
        return note(turn, rollout, at, found.filter(|_| !known));
    }
    if make { make_new(turn, rollout, next) } else { Ok(()) }
}

fn make_new(turn: &mut Turn<'_>, rollout: &mut Rollout, next: i64) -> Result<(), ApiStatus> {
    let mut template = rollout.spec.template.clone();
    let collisions = rollout.deployment.status.as_ref().and_then(|status| status.collision_count);
    let hash = template_hash(&template, collisions);
    let meta = template.metadata.get_or_insert_default();
    meta.labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash.clone());
    let labels = meta.labels.clone();
    let mut selector = rollout.spec.selector.clone();
    selector.match_labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash.clone());
    let replicas = rollout.new_replicas(0);
    let mut set = ReplicaSet {
        metadata: ObjectMeta {
            name: Some(format!("{}-{hash}", rollout.name())),
            namespace: Some(rollout.namespace().to_owned()),
            labels,
            owner_references: Some(vec![managed_by(&rollout.deployment)]),
            ..ObjectMeta::default()
        },
        spec: Some(ReplicaSetSpec {
            replicas: Some(replicas),
            min_ready_seconds: rollout.spec.min_ready_seconds,
            selector,
            template: Some(template),
        }),
        status: None,
    };
    rollout::annotate(rollout, &mut set, next, false);
    let made = match turn.create(set) {
        Ok(made) => made,
        Err(refusal) if refusal.code == 409 => {
            // A set of this name that is not ours: the next try draws another hash.
            let mut deployment = rollout.deployment.clone();
            deployment.status.get_or_insert_default().collision_count = Some(collisions.unwrap_or(0) + 1);
            turn.update_status(deployment)?;
            return Err(refusal);
        }
        Err(refusal) => {
            let failed = DeploymentCondition {
                status: "False".to_owned(),
                ..said("Progressing", "ReplicaSetCreateError", refusal.message.clone())
            };
            note(turn, rollout, next, rollout.has_deadline().then_some(failed))?;
            return Err(refusal);
        }
    };
    rollout.new = ReplicaSet::of(&made).cloned();
    if replicas > 0 {
        say_scaled(turn, rollout, "up", made.name(), 0, replicas);
    }
    let created = found(rollout, "NewReplicaSetCreated", "Created new replica set");
    note(turn, rollout, next, created)
}

fn say_scaled(turn: &mut Turn<'_>, rollout: &Rollout, way: &str, set: &str, from: i32, to: i32) {
    let message = format!("Scaled {way} replica set {set} from {from} to {to}");
    let about = rollout.deployment.clone().into_object();
    turn.event(&about, EventType::Normal, "ScalingReplicaSet", &message);
}

fn found(rollout: &Rollout, reason: &str, words: &str) -> Option<DeploymentCondition> {
    let name = rollout.new.as_ref()?.metadata.name.clone().unwrap_or_default();
    rollout.has_deadline().then(|| said("Progressing", reason, format!("{words} \"{name}\"")))
}

/// Writes the revision and a condition on the Deployment. UPSTREAM: through its status, which keeps annotations.
fn note(
    turn: &mut Turn<'_>,
    rollout: &mut Rollout,
    revision: i64,
    condition: Option<DeploymentCondition>,
) -> Result<(), ApiStatus> {
    let mut deployment = rollout.deployment.clone();
    let revision = revision.to_string();
    deployment.metadata.annotations.get_or_insert_default().insert(REVISION.to_owned(), revision);
    if let Some(condition) = condition {
        let status = deployment.status.get_or_insert_default();
        set_condition(status, condition, &turn.stamp());
    }
    if deployment != rollout.deployment {
        let written = turn.update_status(deployment)?;
        rollout.deployment = Deployment::of(&written).cloned().unwrap_or_default();
    }
    Ok(())
}

fn note_pause(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<(), ApiStatus> {
    let reason = condition(&rollout.deployment, "Progressing").and_then(|c| c.reason.clone());
    if !rollout.has_deadline() || reason.as_deref() == Some("ProgressDeadlineExceeded") {
        return Ok(());
    }
    let noted = reason.as_deref() == Some("DeploymentPaused");
    let (reason, message) = match (rollout.spec.paused == Some(true), noted) {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        (true, true) | (false, false) => return Ok(()),
    };
    let paused = DeploymentCondition {
        status: "Unknown".to_owned(),
        ..said("Progressing", reason, message.to_owned())
    };
    let mut deployment = rollout.deployment.clone();
    set_condition(deployment.status.get_or_insert_default(), paused, &turn.stamp());
    let written = turn.update_status(deployment)?;
    rollout.deployment = Deployment::of(&written).cloned().unwrap_or_default();
    Ok(())
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

fn resize_new(turn: &mut Turn<'_>, rollout: &mut Rollout, to: i32) -> Result<bool, ApiStatus> {
    let Some(mut set) = rollout.new.take() else { return Ok(false) };
    let scaled = resize(turn, rollout, &mut set, to);
    rollout.new = Some(set);
    scaled
}

fn resize_old(turn: &mut Turn<'_>, rollout: &mut Rollout, at: usize, to: i32) -> Result<bool, ApiStatus> {
    let mut set = rollout.old[at].clone();
    let scaled = resize(turn, rollout, &mut set, to)?;
    rollout.old[at] = set;
    Ok(scaled)
}

fn roll(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<(), ApiStatus> {
    find_new(turn, rollout, true)?;
    let has = rollout.new.as_ref().map_or(0, wanted);
    let to = if has > rollout.replicas() { rollout.replicas() } else { rollout.new_replicas(has) };
    if has != to && resize_new(turn, rollout, to)? {
        return Ok(());
    }
    if shrink_old(turn, rollout)? {
        return Ok(());
    }
    clean_up_when_complete(turn, rollout)
}

/// Takes pods from old sets: first those that are not available anyway, then as many as may be missing.
fn shrink_old(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<bool, ApiStatus> {
    let old: i32 = rollout.old.iter().map(wanted).sum();
    if old == 0 {
        return Ok(false);
    }
    let least = rollout.replicas() - rollout.max_unavailable();
    let all: i32 = rollout.all().map(wanted).sum();
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
    let mut spare = rollout.all().map(available).sum::<i32>() - least;
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

fn recreate(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<(), ApiStatus> {
    find_new(turn, rollout, false)?;
    let mut scaled = false;
    for at in 0..rollout.old.len() {
        if wanted(&rollout.old[at]) > 0 {
            scaled |= resize_old(turn, rollout, at, 0)?;
        }
    }
    if scaled || old_pods_remain(turn, rollout) {
        return Ok(());
    }
    if rollout.new.is_none() {
        find_new(turn, rollout, true)?;
    }
    resize_new(turn, rollout, rollout.replicas())?;
    clean_up_when_complete(turn, rollout)
}

fn old_pods_remain(turn: &Turn<'_>, rollout: &Rollout) -> bool {
    rollout.old.iter().filter_map(|set| set.metadata.uid.as_deref()).any(|uid| {
        let pods = turn.store().owned_by(turn.cluster(), uid).filter_map(|(_, pod)| Pod::of(pod));
        pods.into_iter().any(|pod| !matches!(phase(pod), "Succeeded" | "Failed"))
    })
}

/// Scales without rolling: the one active set, or all in proportion.
fn scale(turn: &mut Turn<'_>, rollout: &mut Rollout) -> Result<(), ApiStatus> {
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
    let total: i32 = rollout.all().map(wanted).sum();
    let allowed = if replicas > 0 { replicas + rollout.max_surge() } else { 0 };
    let add = allowed - total;
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

fn clean_up_when_complete(turn: &mut Turn<'_>, rollout: &Rollout) -> Result<(), ApiStatus> {
    let status = rollout.deployment.status.clone().unwrap_or_default();
    let number = |of: Option<i32>| of.unwrap_or(0);
    let observed = status.observed_generation.unwrap_or(0);
    let done = rollout.is_complete(
        number(status.updated_replicas),
        number(status.replicas),
        number(status.available_replicas),
        observed,
    );
    if done { clean_up(turn, rollout) } else { Ok(()) }
}

/// Removes empty old sets beyond the history limit, the lowest revision first.
fn clean_up(turn: &mut Turn<'_>, rollout: &Rollout) -> Result<(), ApiStatus> {
    let limit = usize::try_from(rollout.spec.revision_history_limit.unwrap_or(10)).unwrap_or(0);
    let mut alive: Vec<&ReplicaSet> =
        rollout.old.iter().filter(|set| set.metadata.deletion_timestamp.is_none()).collect();
    let Some(excess) = alive.len().checked_sub(limit) else { return Ok(()) };
    alive.sort_by_key(|set| revision(set));
    for set in alive.into_iter().take(excess) {
        let observed = set.status.as_ref().and_then(|status| status.observed_generation);
        if actual(set) != 0 || wanted(set) != 0 || set.metadata.generation > observed {
            continue;
        }
        let key =
            turn.key(Kind::ReplicaSet, rollout.namespace(), set.metadata.name.as_deref().unwrap_or_default());
        turn.delete(&key, None)?;
    }
    Ok(())
}

fn condition<'d>(deployment: &'d Deployment, type_: &str) -> Option<&'d DeploymentCondition> {
    deployment.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == type_)
}

/// A condition that holds.
fn said(type_: &str, reason: &str, message: String) -> DeploymentCondition {
    DeploymentCondition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        ..DeploymentCondition::default()
    }
}

/// Writes a condition, unless it says nothing new; its transition time moves with its status only.
fn set_condition(status: &mut DeploymentStatus, mut condition: DeploymentCondition, now: &api::meta::Time) {
    let conditions = status.conditions.get_or_insert_default();
    let had = conditions.iter().find(|had| had.type_ == condition.type_);
    if had.is_some_and(|had| had.status == condition.status && had.reason == condition.reason) {
        return;
    }
    renew(conditions, &mut condition, now);
}

fn renew(
    conditions: &mut Vec<DeploymentCondition>,
    condition: &mut DeploymentCondition,
    now: &api::meta::Time,
) {
    let had = conditions.iter().find(|had| had.type_ == condition.type_ && had.status == condition.status);
    let since = had.and_then(|had| had.last_transition_time.clone()).unwrap_or_else(|| now.clone());
    condition.last_transition_time = Some(since);
    condition.last_update_time = Some(now.clone());
    conditions.retain(|had| had.type_ != condition.type_);
    conditions.push(condition.clone());
}

fn status_of(turn: &Turn<'_>, rollout: &Rollout) -> DeploymentStatus {
    let sum = |of: fn(&ReplicaSet) -> i32| rollout.all().map(of).sum::<i32>();
    let shown = |number: i32| Some(number).filter(|number| *number != 0);
    let up = sum(available);
    let had = rollout.deployment.status.clone().unwrap_or_default();
    let mut status = DeploymentStatus {
        observed_generation: rollout.deployment.metadata.generation,
        replicas: shown(sum(actual)),
        updated_replicas: shown(rollout.new.as_ref().map_or(0, actual)),
        ready_replicas: shown(sum(ready)),
        available_replicas: shown(up),
        unavailable_replicas: shown((sum(wanted) - up).max(0)),
        collision_count: had.collision_count,
        conditions: had.conditions,
        ..DeploymentStatus::default()
    };
    let enough = up >= rollout.replicas() - rollout.max_unavailable();
    let condition = if enough {
        said("Available", "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
    } else {
        DeploymentCondition {
            status: "False".to_owned(),
            ..said(
                "Available",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.".to_owned(),
            )
        }
    };
    set_condition(&mut status, condition, &turn.stamp());
    status
}

/// Says how the rollout goes, and looks again when its deadline would pass.
fn progress(turn: &mut Turn<'_>, rollout: &Rollout) -> Result<Next, ApiStatus> {
    let mut status = status_of(turn, rollout);
    let now = turn.stamp();
    let had = rollout.deployment.status.clone().unwrap_or_default();
    let current = condition(&rollout.deployment, "Progressing").cloned();
    let is_settled = status.replicas == status.updated_replicas
        && current.as_ref().and_then(|c| c.reason.as_deref()) == Some("NewReplicaSetAvailable");
    let about = rollout.new.as_ref().map_or_else(
        || format!("Deployment \"{}\"", rollout.name()),
        |set| format!("ReplicaSet \"{}\"", set.metadata.name.as_deref().unwrap_or_default()),
    );
    let n = |number: Option<i32>| number.unwrap_or(0);
    let complete = rollout.is_complete(
        n(status.updated_replicas),
        n(status.replicas),
        n(status.available_replicas),
        status.observed_generation.unwrap_or(0),
    );
    if rollout.has_deadline() && !is_settled {
        if complete {
            let done = format!("{about} has successfully progressed.");
            set_condition(&mut status, said("Progressing", "NewReplicaSetAvailable", done), &now);
        } else if moves(&had, &status) {
            let mut moving = said("Progressing", "ReplicaSetUpdated", format!("{about} is progressing."));
            renew(status.conditions.get_or_insert_default(), &mut moving, &now);
        } else if timed_out(rollout, current.as_ref(), &now) {
            let late = DeploymentCondition {
                status: "False".to_owned(),
                ..said(
                    "Progressing",
                    "ProgressDeadlineExceeded",
                    format!("{about} has timed out progressing."),
                )
            };
            set_condition(&mut status, late, &now);
        }
    }
    note_failures(rollout, &mut status, &now);
    let left = deadline_left(rollout, &status, &now);
    write_status(turn, rollout, status)?;
    // Waiting for a deadline is not work: most Deployments are done before.
    Ok(if complete { Next::Done } else { left.map_or(Next::Done, Next::Every) })
}

fn moves(had: &DeploymentStatus, now: &DeploymentStatus) -> bool {
    let n = |number: Option<i32>| number.unwrap_or(0);
    n(now.updated_replicas) > n(had.updated_replicas)
        || n(now.replicas) - n(now.updated_replicas) < n(had.replicas) - n(had.updated_replicas)
        || n(now.ready_replicas) > n(had.ready_replicas)
        || n(now.available_replicas) > n(had.available_replicas)
}

fn timed_out(rollout: &Rollout, current: Option<&DeploymentCondition>, now: &api::meta::Time) -> bool {
    let Some(current) = current else { return false };
    match current.reason.as_deref() {
        Some("NewReplicaSetAvailable") => false,
        Some("ProgressDeadlineExceeded") => true,
        _ => {
            let since = current.last_update_time.as_ref().map_or(0, |time| time.0.as_second());
            since + i64::from(rollout.spec.progress_deadline_seconds.unwrap_or(600)) < now.0.as_second()
        }
    }
}

/// Until a second after the deadline, if one is running.
fn deadline_left(rollout: &Rollout, status: &DeploymentStatus, now: &api::meta::Time) -> Option<SimDuration> {
    let seconds = rollout.spec.progress_deadline_seconds.filter(|_| rollout.has_deadline())?;
    let current = status.conditions.as_ref()?.iter().find(|c| c.type_ == "Progressing")?;
    if current.reason.as_deref() == Some("ProgressDeadlineExceeded") {
        return None;
    }
    let since = current.last_update_time.as_ref()?.0.as_second();
    let left = since + i64::from(seconds) + 1 - now.0.as_second();
    Some(SimDuration::secs(u64::try_from(left.max(1)).unwrap_or(1)))
}

/// Passes on what a set could not create.
fn note_failures(rollout: &Rollout, status: &mut DeploymentStatus, now: &api::meta::Time) {
    let failure = rollout.new.iter().chain(&rollout.old).find_map(|set| {
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().find(|c| c.type_ == "ReplicaFailure" && c.status == "True")
    });
    match failure {
        Some(failure) => {
            let reason = failure.reason.clone().unwrap_or_default();
            set_condition(
                status,
                said("ReplicaFailure", &reason, failure.message.clone().unwrap_or_default()),
                now,
            );
        }
        None => status.conditions.get_or_insert_default().retain(|c| c.type_ != "ReplicaFailure"),
    }
}

fn write_status(turn: &mut Turn<'_>, rollout: &Rollout, status: DeploymentStatus) -> Result<(), ApiStatus> {
    if rollout.deployment.status.as_ref() == Some(&status) {
        return Ok(());
    }
    let mut deployment = rollout.deployment.clone();
    deployment.status = Some(status);
    turn.update_status(deployment).map(drop)
}
