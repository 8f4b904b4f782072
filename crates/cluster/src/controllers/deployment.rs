//! How far is this Deployment's rollout, and what is its next step?
//!
//! One ReplicaSet per template; pods move from the old ones to the new one within `maxSurge` and `maxUnavailable`, or
//! all at once (Recreate). Every template keeps its hash, every rollout gets a revision.
//! Source: `pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go`.

mod progress;
mod rollout;
mod scale;

use api::{
    ApiStatus, Kind, Resource,
    k8s::{
        apps::v1::{Deployment, DeploymentCondition, ReplicaSet, ReplicaSetSpec},
        core::v1::Pod,
    },
    label::Selector,
    meta::ObjectMeta,
};

use self::{
    progress::{condition, progress, said, set_condition, status_of, write_status},
    rollout::{HASH_LABEL, REVISION, Rollout, actual, revision, wanted},
    scale::{resize_new, resize_old, say_scaled, scale, shrink_old},
};
use super::{controller_of, is_managed_by, managed_by, manager, phase, template_hash};
use crate::{Change, Controller, Key, Next, Store, Turn};

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
    let hash = template_hash(turn, &template, collisions);
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
