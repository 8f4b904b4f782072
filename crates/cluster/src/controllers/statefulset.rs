//! Has every ordinal its pod, in order, with its claims?
//!
//! One pod after the other, upwards when made and downwards when removed; each waits for its neighbour unless the set is
//! `Parallel`. New templates replace pods from the highest ordinal down to the partition.
//! Source: `pkg/controller/statefulset/{stateful_set,stateful_set_control,stateful_pod_control}.go`.

mod identity;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use api::{
    ApiStatus, Kind, Object, Resource, SimDuration,
    k8s::{
        apps::v1::{StatefulSet, StatefulSetSpec, StatefulSetStatus},
        core::v1::Pod,
    },
    label::Selector,
    meta::Time,
    validate::Release,
};

use super::{
    adopt, controller_of, is_available, is_managed_by, is_ready, let_go, manager, phase,
    revision::{self, Revision},
};
use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

/// The controller.
pub(crate) struct StatefulSetController;

impl Controller for StatefulSetController {
    fn name(&self) -> &'static str {
        "statefulset-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::StatefulSet => wake(change.key.clone()),
            Kind::Pod => {
                let owners = [&change.before, &change.after];
                let owners = owners.into_iter().flatten().filter_map(|pod| manager(pod, Kind::StatefulSet));
                let named = identity::of_name(&change.key.name).map(|(set, _)| set);
                let orphan = change.after.as_deref().is_some_and(|pod| controller_of(pod.meta()).is_none());
                let sets = owners.map(|it| it.name.as_str()).chain(named.filter(|_| orphan));
                for set in sets {
                    wake(Key::new(change.key.cluster, Kind::StatefulSet, &change.key.namespace, set));
                }
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(set) = turn.get::<StatefulSet>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let Some(spec) = set.spec.clone() else { return Ok(Next::Done) };
        let selector = Selector::from_label_selector(&spec.selector).ok();
        if set.metadata.deletion_timestamp.is_none() {
            revision::adopt(turn, &set, selector.as_ref())?;
        }
        let pods = claim(turn, &set, selector.as_ref())?;
        let (current, update) = revisions(turn, &set, &spec)?;
        let round = Round { object: set.clone().into_object(), set: &set, spec: &spec, current, update };
        let mut status = round.status(turn, &pods);
        let done = match set.metadata.deletion_timestamp {
            Some(_) => Ok(()),
            None => round.work(turn, &pods, &mut status),
        };
        let waits = spec.min_ready_seconds.unwrap_or(0) > 0
            && status.ready_replicas.unwrap_or(0) != status.available_replicas.unwrap_or(0);
        round.write_status(turn, status)?;
        done?;
        let revisions =
            pods.iter().map(identity::revision).chain([round.current.name(), round.update.name()]);
        let live: BTreeSet<String> = revisions.map(str::to_owned).collect();
        if let Ok(limit) = usize::try_from(spec.revision_history_limit.unwrap_or(10)) {
            let uid = set.metadata.uid.as_deref().unwrap_or_default();
            let idle = revision::all(turn, uid).iter().filter(|it| !live.contains(it.name())).count();
            revision::trim(turn, uid, &live, idle.saturating_sub(limit))?;
        }
        // A pod becomes available by time alone.
        let seconds = spec.min_ready_seconds.unwrap_or(0).unsigned_abs();
        Ok(if waits { Next::After(SimDuration::secs(seconds.into())) } else { Next::Done })
    }
}

/// The set's pods by ordinal, after adopting and letting go.
fn claim(turn: &mut Turn<'_>, set: &StatefulSet, selector: Option<&Selector>) -> Result<Vec<Pod>, ApiStatus> {
    let uid = set.metadata.uid.clone().unwrap_or_default();
    let namespace = set.metadata.namespace.clone().unwrap_or_default();
    let nothing = BTreeMap::new();
    let fits = |pod: &Pod| {
        let labels = pod.metadata.labels.as_ref().unwrap_or(&nothing);
        identity::is_named_after(pod, set) && selector.is_some_and(|it| it.matches(labels))
    };
    let owned = turn.store().owned_by(turn.cluster(), &uid).filter_map(|(_, it)| Pod::of(it));
    let owned = owned.filter(|pod| is_managed_by(&pod.metadata, &uid));
    let (mut pods, lost): (Vec<Pod>, Vec<Pod>) = owned.cloned().partition(|pod| fits(pod));
    let orphans = turn.store().orphan_pods(turn.cluster(), &namespace);
    let found = orphans.filter(|pod| pod.metadata.deletion_timestamp.is_none() && fits(pod));
    let found: Vec<String> = found.filter_map(|pod| pod.metadata.name.clone()).collect();
    for pod in lost {
        let_go(turn, set, pod.metadata.name.as_deref().unwrap_or_default())?;
    }
    for name in found.iter().filter(|_| set.metadata.deletion_timestamp.is_none()) {
        let adopted = adopt(turn, set, name)?;
        pods.extend(Pod::of(&adopted).cloned());
    }
    pods.sort_by_key(identity::ordinal);
    Ok(pods)
}

/// The revision that the set comes from, and the one that it goes to.
fn revisions(
    turn: &mut Turn<'_>,
    set: &StatefulSet,
    spec: &StatefulSetSpec,
) -> Result<(Revision, Revision), ApiStatus> {
    let status = set.status.clone().unwrap_or_default();
    let data = revision::data_of(&spec.template, turn.release());
    let collisions = status.collision_count.unwrap_or(0);
    let update = revision::newest(turn, set, data, |_, data| {
        let hash = revision::hash_of(data, collisions);
        let labels = spec.template.metadata.as_ref().and_then(|it| it.labels.clone());
        let mut labels = labels.unwrap_or_default();
        labels.insert("controller.kubernetes.io/hash".to_owned(), hash.clone());
        (hash, labels)
    })?;
    let mut all = revision::all(turn, set.metadata.uid.as_deref().unwrap_or_default()).into_iter();
    let current = all.find(|it| Some(it.name()) == status.current_revision.as_deref());
    Ok((current.unwrap_or_else(|| update.clone()), update))
}

/// Whether the walk through the pods goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    On,
    Stop,
}

/// One look at a set.
struct Round<'s> {
    set: &'s StatefulSet,
    spec: &'s StatefulSetSpec,
    object: Object,
    current: Revision,
    update: Revision,
}

impl Round<'_> {
    /// Makes, waits for, removes and replaces pods, as far as the order allows in one round.
    fn work(
        &self,
        turn: &mut Turn<'_>,
        pods: &[Pod],
        status: &mut StatefulSetStatus,
    ) -> Result<(), ApiStatus> {
        let start = self.spec.ordinals.as_ref().and_then(|it| it.start).map_or(0, i64::from);
        let end = start + i64::from(self.spec.replicas.unwrap_or(1));
        let in_order = self.spec.pod_management_policy.as_deref() != Some("Parallel");
        let now = turn.stamp();
        let mut replicas = Vec::new();
        for ordinal in start..end {
            let had = pods.iter().find(|pod| identity::ordinal(pod) == ordinal);
            let walk = match had {
                Some(pod) => self.keep(turn, pod, in_order, &now)?,
                // MODEL: a crowd made in parallel comes in one round; upstream doubles its batches up to 500.
                None => self.create(turn, ordinal, start, status)?,
            };
            if in_order && walk == Walk::Stop {
                return Ok(());
            }
            replicas.extend(had);
        }
        let outside =
            |pod: &&Pod| identity::ordinal(pod) >= 0 && !(start..end).contains(&identity::ordinal(pod));
        let condemned: Vec<&Pod> = pods.iter().filter(outside).rev().collect();
        let upwards = replicas.iter().copied().chain(condemned.iter().rev().copied());
        let first_down =
            upwards.into_iter().find(|pod| !self.is_up(pod, &now)).and_then(|pod| pod.meta().uid.clone());
        for pod in condemned {
            self.own_claims(turn, pod, true)?;
            let first = pod.metadata.uid == first_down;
            if pod.metadata.deletion_timestamp.is_some() || in_order && !self.is_up(pod, &now) && !first {
                if in_order {
                    return Ok(());
                }
                continue;
            }
            self.delete(turn, pod)?;
            if in_order {
                return Ok(());
            }
        }
        self.roll(turn, &replicas, status, &now)
    }

    /// Running, ready for long enough, and not going.
    fn is_up(&self, pod: &Pod, now: &Time) -> bool {
        phase(pod) == "Running"
            && pod.metadata.deletion_timestamp.is_none()
            && is_available(pod, self.spec.min_ready_seconds.unwrap_or(0), now)
    }

    /// Looks after a pod that is there.
    fn keep(&self, turn: &mut Turn<'_>, pod: &Pod, in_order: bool, now: &Time) -> Result<Walk, ApiStatus> {
        if matches!(phase(pod), "Failed" | "Succeeded") {
            if pod.metadata.deletion_timestamp.is_none() {
                self.delete(turn, pod)?;
            }
            return Ok(Walk::Stop);
        }
        if phase(pod) == "Pending" {
            self.make_claims(turn, pod)?;
        }
        if in_order && !self.is_up(pod, now) {
            return Ok(Walk::Stop);
        }
        self.own_claims(turn, pod, false)?;
        Ok(Walk::On)
    }

    fn create(
        &self,
        turn: &mut Turn<'_>,
        ordinal: i64,
        start: i64,
        status: &StatefulSetStatus,
    ) -> Result<Walk, ApiStatus> {
        let strategy = self.spec.update_strategy.clone().unwrap_or_default();
        let old_below = match strategy.rolling_update {
            _ if strategy.type_.as_deref() != Some("RollingUpdate") => start,
            Some(rolling) => start + i64::from(rolling.partition.unwrap_or(0)),
            None => start + i64::from(status.current_replicas.unwrap_or(0)),
        };
        let revision = if ordinal < old_below { &self.current } else { &self.update };
        let pod = identity::pod(self.set, ordinal, (revision.name(), &revision.data));
        self.make_claims(turn, &pod)?;
        let made = turn.create(pod.clone());
        self.tell(turn, "create", &pod, made.as_ref().err());
        made.map(|_| Walk::Stop)
    }

    fn delete(&self, turn: &mut Turn<'_>, pod: &Pod) -> Result<(), ApiStatus> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let key = turn.key(Kind::Pod, self.object.namespace(), name);
        let gone = turn.delete(&key, None);
        self.tell(turn, "delete", pod, gone.as_ref().err());
        gone.map(|_| ())
    }

    fn tell(&self, turn: &mut Turn<'_>, verb: &str, pod: &Pod, refused: Option<&ApiStatus>) {
        let (what, name) = (self.word(turn, verb), pod.metadata.name.as_deref().unwrap_or_default());
        let set = self.object.name();
        let verb = capital(verb);
        match refused {
            None => {
                let message = format!("{what} Pod {name} in StatefulSet {set} successful");
                turn.event(&self.object, EventType::Normal, &format!("Successful{verb}"), &message);
            }
            Some(refusal) => {
                let message =
                    format!("{what} Pod {name} in StatefulSet {set} failed error: {}", refusal.message);
                turn.event(&self.object, EventType::Warning, &format!("Failed{verb}"), &message);
            }
        }
    }

    /// How the release writes a verb at the beginning of an event: 1.34 small, 1.36 (recorded) with a capital.
    fn word(&self, turn: &Turn<'_>, verb: &str) -> String {
        let capitals = turn.release() >= Release { minor: 36, patch: 0 };
        if capitals { capital(verb) } else { verb.to_owned() }
    }

    /// Makes the claims of a pod that are not there yet.
    fn make_claims(&self, turn: &mut Turn<'_>, pod: &Pod) -> Result<(), ApiStatus> {
        for (_, mut claim) in identity::claims(self.set, identity::ordinal(pod)) {
            let name = claim.metadata.name.clone().unwrap_or_default();
            let key = turn.key(Kind::PersistentVolumeClaim, self.object.namespace(), &name);
            if turn.store().object(&key).is_some() {
                continue;
            }
            let owner = identity::owner_of_claims(self.set, pod, false);
            claim.metadata.owner_references = owner.map(|it| vec![it]);
            let made = turn.create_object(Object::Stored(Box::new(claim)));
            let what = self.word(turn, "create");
            let (pod, set) = (pod.metadata.name.as_deref().unwrap_or_default(), self.object.name());
            match &made {
                Ok(_) => {
                    let message = format!("{what} Claim {name} Pod {pod} in StatefulSet {set} success");
                    turn.event(&self.object, EventType::Normal, "SuccessfulCreate", &message);
                }
                Err(refusal) => {
                    let message = format!(
                        "{what} Claim {name} for Pod {pod} in StatefulSet {set} failed error: {}",
                        refusal.message
                    );
                    turn.event(&self.object, EventType::Warning, "FailedCreate", &message);
                }
            }
            made?;
        }
        Ok(())
    }

    /// Gives a pod's claims to whoever takes them along, by the set's retention policy.
    fn own_claims(&self, turn: &mut Turn<'_>, pod: &Pod, condemned: bool) -> Result<(), ApiStatus> {
        let owner = identity::owner_of_claims(self.set, pod, condemned);
        let ours = [self.set.metadata.uid.as_deref(), pod.metadata.uid.as_deref()];
        for (_, claim) in identity::claims(self.set, identity::ordinal(pod)) {
            let name = claim.metadata.name.as_deref().unwrap_or_default();
            let key = turn.key(Kind::PersistentVolumeClaim, self.object.namespace(), name);
            let Some(had) = turn.store().object(&key) else { continue };
            let mut owners = had.meta().owner_references.clone().unwrap_or_default();
            owners.retain(|it| !ours.contains(&Some(it.uid.as_str())));
            owners.extend(owner.clone());
            if had.meta().owner_references.clone().unwrap_or_default() != owners {
                let mut claim = (**had).clone();
                claim.meta_mut().owner_references = (!owners.is_empty()).then_some(owners);
                turn.update_object(claim)?;
            }
        }
        Ok(())
    }

    /// Deletes the highest pod of an older revision, if all above it are up.
    fn roll(
        &self,
        turn: &mut Turn<'_>,
        replicas: &[&Pod],
        status: &mut StatefulSetStatus,
        now: &Time,
    ) -> Result<(), ApiStatus> {
        let strategy = self.spec.update_strategy.clone().unwrap_or_default();
        if strategy.type_.as_deref() == Some("OnDelete") {
            return Ok(());
        }
        let partition = strategy.rolling_update.and_then(|it| it.partition).unwrap_or(0);
        for pod in replicas.iter().skip(usize::try_from(partition).unwrap_or(0)).rev() {
            let going = pod.metadata.deletion_timestamp.is_some();
            if identity::revision(pod) != self.update.name() && !going {
                self.delete(turn, pod)?;
                status.current_replicas = status.current_replicas.map(|count| count - 1);
                return Ok(());
            }
            if !self.is_up(pod, now) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn status(&self, turn: &Turn<'_>, pods: &[Pod]) -> StatefulSetStatus {
        let now = turn.stamp();
        let seconds = self.spec.min_ready_seconds.unwrap_or(0);
        let count = |holds: &dyn Fn(&Pod) -> bool| {
            i32::try_from(pods.iter().filter(|pod| holds(pod)).count()).unwrap_or(i32::MAX)
        };
        let ready = |pod: &Pod| phase(pod) == "Running" && is_ready(pod);
        let of = |pod: &Pod, it: &Revision| {
            pod.metadata.deletion_timestamp.is_none() && identity::revision(pod) == it.name()
        };
        StatefulSetStatus {
            observed_generation: self.set.metadata.generation,
            replicas: count(&|_| true),
            ready_replicas: Some(count(&ready)),
            available_replicas: Some(count(&|pod| ready(pod) && is_available(pod, seconds, &now))),
            current_replicas: Some(count(&|pod| of(pod, &self.current))),
            updated_replicas: Some(count(&|pod| of(pod, &self.update))),
            current_revision: Some(self.current.name().to_owned()),
            update_revision: Some(self.update.name().to_owned()),
            collision_count: Some(self.set.status.as_ref().and_then(|it| it.collision_count).unwrap_or(0)),
            ..StatefulSetStatus::default()
        }
    }

    fn write_status(&self, turn: &mut Turn<'_>, mut status: StatefulSetStatus) -> Result<(), ApiStatus> {
        let rolls =
            self.spec.update_strategy.as_ref().and_then(|it| it.type_.as_deref()) == Some("RollingUpdate");
        let wanted = self.spec.replicas.unwrap_or(1);
        let all = [Some(status.replicas), status.ready_replicas, status.updated_replicas];
        if rolls && all.into_iter().all(|count| count == Some(wanted)) {
            status.current_replicas = status.updated_replicas;
            status.current_revision.clone_from(&status.update_revision);
        }
        for count in [&mut status.ready_replicas, &mut status.current_replicas, &mut status.updated_replicas]
        {
            // The API server leaves out zeros, but for the available ones.
            *count = count.filter(|it| *it != 0);
        }
        if self.set.status.as_ref() != Some(&status) {
            let mut set = self.set.clone();
            set.status = Some(status);
            set.metadata.resource_version = None;
            turn.update_status(set)?;
        }
        Ok(())
    }
}

fn capital(verb: &str) -> String {
    let mut letters = verb.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
