//! Is a namespace that was deleted empty yet?
//!
//! Five seconds after its deletion its pods are deleted, and once they are gone everything else, of every kind. What stays is
//! written into the conditions; the controller looks again five seconds after such a change, or when half of what the rest
//! may take is over. When nothing is left the namespace loses its finalizer and goes too.
//! Source: `pkg/controller/namespace/{namespace_controller.go,deletion}`, 1.34 (`OrderedNamespaceDeletion`).

use std::collections::BTreeMap;

use api::{
    ApiStatus, Domain, Kind, Scope, SimDuration, SimTime,
    k8s::core::v1::{Namespace, NamespaceCondition, Pod},
};

use super::{phase, sim_time};
use crate::{Change, Controller, Key, Next, Store, Turn, apiserver};

/// How long it leaves a namespace alone after it was deleted or its status changed (`namespaceDeletionGracePeriod`).
const GRACE: SimDuration = SimDuration::secs(5);
/// What somebody is given to take a finalizer off, in seconds (`finalizerEstimateSeconds`).
const FINALIZER: u64 = 15;

/// Type, reason and message of every condition while all is well.
const WELL: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    (
        "NamespaceDeletionGroupVersionParsingFailure",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
];

/// The controller.
pub(crate) struct NamespaceController;

impl Controller for NamespaceController {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let going = |name: &str| {
            let namespace = store.get::<Namespace>(change.key.cluster, "", name);
            namespace.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
        };
        if change.key.kind == Kind::Namespace && going(&change.key.name) {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(namespace) = turn.get::<Namespace>("", &key.name) else { return Ok(Next::Done) };
        let Some(touched) = last_touched(turn, namespace) else { return Ok(Next::Done) };
        let due = touched + GRACE;
        if turn.now() < due {
            return Ok(Next::Every(due.since(turn.now())));
        }
        let mut left = Left::default();
        let grace = grace_of_pods(turn, key);
        left.delete(turn, Kind::Pod, key, grace)?;
        let pods = !left.kinds.is_empty();
        if !pods {
            let mut custom = apiserver::custom_kinds(turn.store(), turn.cluster());
            custom.dedup();
            let kinds = Kind::EVERY.iter().copied().chain(custom).filter(|kind| {
                kind.info().scope == Scope::Namespaced && kind.info().domain() == Domain::Kubernetes
            });
            for kind in kinds.filter(|kind| *kind != Kind::Pod) {
                left.delete(turn, kind, key, 0)?;
            }
        }
        // UPSTREAM: while there are pods nothing is said of what is left.
        let changed = left.write(turn, key, !pods)?;
        if let Some(trouble) = left.troubles.into_iter().next() {
            // It fails, and is tried again with back-off.
            return Err(ApiStatus::bad_request(trouble));
        }
        if left.kinds.is_empty() {
            turn.finalize_namespace(&key.name)?;
            return Ok(Next::Done);
        }
        let again = SimDuration::secs(left.estimate / 2 + 1);
        Ok(Next::Every(if changed { GRACE.min(again) } else { again }))
    }
}

/// When a namespace that goes was deleted or its conditions changed.
fn last_touched(turn: &Turn<'_>, namespace: &Namespace) -> Option<SimTime> {
    let deleted = namespace.metadata.deletion_timestamp.as_ref()?;
    let conditions = namespace.status.iter().flat_map(|it| it.conditions.iter().flatten());
    let times = conditions.filter_map(|it| it.last_transition_time.as_ref()).chain([deleted]);
    times.map(|time| sim_time(turn.world(), time)).max()
}

/// The longest that a pod may still take, in seconds; nothing once that is over since the namespace was deleted.
fn grace_of_pods(turn: &Turn<'_>, key: &Key) -> u64 {
    let alive = turn.list::<Pod>(Some(&key.name)).filter(|pod| !matches!(phase(pod), "Succeeded" | "Failed"));
    let graces = alive.filter_map(|pod| pod.spec.as_ref()?.termination_grace_period_seconds);
    let longest = graces.filter_map(|seconds| u64::try_from(seconds).ok()).max().unwrap_or(0);
    let deleted = turn
        .get::<Namespace>("", &key.name)
        .and_then(|it| it.metadata.deletion_timestamp.as_ref())
        .map_or(turn.now(), |time| sim_time(turn.world(), time));
    if turn.now().since(deleted) >= SimDuration::secs(longest) { 0 } else { longest }
}

/// What is still there.
#[derive(Default)]
struct Left {
    kinds: BTreeMap<String, usize>,
    finalizers: BTreeMap<String, usize>,
    troubles: Vec<String>,
    /// How long the rest may take, in seconds.
    estimate: u64,
}

impl Left {
    /// Deletes everything of a kind, which may take `grace` seconds, and counts what stays.
    fn delete(
        &mut self,
        turn: &mut Turn<'_>,
        kind: Kind,
        namespace: &Key,
        grace: u64,
    ) -> Result<(), ApiStatus> {
        let content: Vec<(Key, bool)> = turn
            .store()
            .objects(turn.cluster(), kind, Some(&namespace.name))
            .map(|(key, object)| (key.clone(), object.meta().deletion_timestamp.is_some()))
            .collect();
        let (mut count, mut held) = (0, false);
        for (key, going) in content {
            if !going {
                match turn.delete(&key, None) {
                    Err(refusal) if refusal.code != 404 => return Err(refusal),
                    Ok(_) | Err(_) => {}
                }
            }
            let Some(object) = turn.store().object(&key) else { continue };
            count += 1;
            for finalizer in object.meta().finalizers.iter().flatten() {
                held = true;
                *self.finalizers.entry(finalizer.clone()).or_default() += 1;
            }
        }
        if count > 0 {
            let info = kind.info();
            self.kinds.insert(format!("{}.{}", info.plural, info.group), count);
            let estimate = if grace == 0 && held { FINALIZER } else { grace };
            self.estimate = self.estimate.max(estimate);
            if estimate == 0 {
                let resource = format!("{}/{}, Resource={}", info.group, info.version, info.plural);
                self.troubles.push(format!(
                    "unexpected items still remain in namespace: {} for gvr: {resource}",
                    namespace.name
                ));
            }
        }
        Ok(())
    }

    /// What is wrong with a condition, if something is: its reason and message.
    fn trouble(&self, type_: &str, totals: bool) -> Option<(&'static str, String)> {
        let list = |all: &BTreeMap<String, usize>, verb: &str| {
            let each = all.iter().map(|(name, count)| format!("{name} {verb} {count} resource instances"));
            each.collect::<Vec<_>>().join(", ")
        };
        match type_ {
            "NamespaceDeletionContentFailure" if !self.troubles.is_empty() => Some((
                "ContentDeletionFailed",
                format!(
                    "Failed to delete all resource types, {} remaining: {}",
                    self.troubles.len(),
                    self.troubles.join(", ")
                ),
            )),
            "NamespaceContentRemaining" if totals && !self.kinds.is_empty() => Some((
                "SomeResourcesRemain",
                format!("Some resources are remaining: {}", list(&self.kinds, "has")),
            )),
            "NamespaceFinalizersRemaining" if totals && !self.finalizers.is_empty() => Some((
                "SomeFinalizersRemain",
                format!(
                    "Some content in the namespace has finalizers remaining: {}",
                    list(&self.finalizers, "in")
                ),
            )),
            _ => None,
        }
    }

    /// Writes the conditions; whether any was another before.
    fn write(&self, turn: &mut Turn<'_>, key: &Key, totals: bool) -> Result<bool, ApiStatus> {
        let stamp = turn.stamp();
        let before =
            turn.get::<Namespace>("", &key.name).and_then(|it| it.status.clone()).unwrap_or_default();
        let mut after = before.clone();
        let all = after.conditions.get_or_insert_default();
        for (type_, reason, message) in WELL {
            let trouble = self.trouble(type_, totals);
            let status = if trouble.is_some() { "True" } else { "False" };
            let (reason, message) = trouble.unwrap_or((reason, message.to_owned()));
            let at = all.iter().position(|it| it.type_ == type_);
            let old = at.and_then(|at| all.get(at)).filter(|old| old.status == status);
            let new = NamespaceCondition {
                type_: type_.to_owned(),
                status: status.to_owned(),
                reason: Some(reason.to_owned()),
                message: Some(message),
                last_transition_time: old.map_or(Some(stamp.clone()), |old| old.last_transition_time.clone()),
            };
            match at.and_then(|at| all.get_mut(at)) {
                Some(old) => *old = new,
                None => all.push(new),
            }
        }
        let changed = before != after;
        if changed {
            turn.patch_status::<Namespace>("", &key.name, |it| it.status = Some(after))?;
        }
        Ok(changed)
    }
}
