//! What becomes of objects whose owner goes?
//!
//! In the background they are deleted after it, in the foreground before it, and orphans only forget it.
//! Source: `pkg/controller/garbagecollector/garbagecollector.go`.

use api::{ApiStatus, Kind, Object, Scope, meta::OwnerReference};

use crate::{
    Change, ClusterId, Controller, EventType, Key, Next, Propagation, Store, Turn,
    apiserver::{self, FOREGROUND, ORPHAN},
};

/// The controller.
pub(crate) struct GarbageCollector;

impl Controller for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let cluster = change.key.cluster;
        match (&change.before, &change.after) {
            (Some(gone), None) => {
                let uid = gone.meta().uid.as_deref().unwrap_or_default();
                if !uid.is_empty() {
                    store.owned_by(cluster, uid).for_each(|(key, _)| wake(key.clone()));
                }
                // An owner that waits for those it owns may now go.
                for owner in gone.meta().owner_references.iter().flatten() {
                    if let Some((key, _)) = find(store, cluster, gone.namespace(), owner) {
                        wake(key);
                    }
                }
            }
            (had, Some(new))
                if new.meta().owner_references.is_some()
                    && had.as_ref().and_then(|had| had.meta().owner_references.as_ref())
                        != new.meta().owner_references.as_ref() =>
            {
                wake(change.key.clone());
            }
            (_, Some(object)) if waits_for(object, FOREGROUND) || waits_for(object, ORPHAN) => {
                wake(change.key.clone());
            }
            (_, Some(_)) | (None, None) => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(object) = turn.store().object(key).cloned() else { return Ok(Next::Done) };
        if waits_for(&object, ORPHAN) {
            return orphan(turn, key, &object);
        }
        if waits_for(&object, FOREGROUND) {
            return foreground(turn, key, &object);
        }
        if object.meta().deletion_timestamp.is_none() {
            follow(turn, key, &object)?;
        }
        Ok(Next::Done)
    }
}

fn waits_for(object: &Object, finalizer: &str) -> bool {
    let meta = object.meta();
    meta.deletion_timestamp.is_some() && meta.finalizers.iter().flatten().any(|has| has == finalizer)
}

/// The owner that a reference names, if it is still the same object.
fn find<'s>(
    store: &'s Store,
    cluster: ClusterId,
    namespace: &str,
    owner: &OwnerReference,
) -> Option<(Key, &'s Object)> {
    let kind = apiserver::kind_of_manifest(store, cluster, &owner.api_version, &owner.kind)?;
    let namespace = if kind.info().scope == Scope::Namespaced { namespace } else { "" };
    let key = Key::new(cluster, kind, namespace, &owner.name);
    let object = store.object(&key).filter(|object| object.meta().uid.as_deref() == Some(&owner.uid))?;
    Some((key, object))
}

/// Deletes an object when none of its owners is left, and takes off those that are gone.
fn follow(turn: &mut Turn<'_>, key: &Key, object: &Object) -> Result<(), ApiStatus> {
    let owners: Vec<OwnerReference> = object.meta().owner_references.clone().unwrap_or_default();
    if owners.is_empty() {
        return Ok(());
    }
    let namespace = key.namespace.to_string();
    for owner in &owners {
        let kind = apiserver::kind_of_manifest(turn.store(), turn.cluster(), &owner.api_version, &owner.kind);
        // UPSTREAM: what cannot be looked up keeps the object, whatever became of its other owners.
        let Some(kind) = kind else { return Ok(()) };
        let is_below = kind.info().scope == Scope::Namespaced;
        if is_below {
            complain(turn, key, object, (kind, owner));
        }
        if is_below && namespace.is_empty() {
            return Ok(());
        }
    }
    let (mut solid, mut dangling, mut leaving) = (0, Vec::new(), 0);
    for owner in &owners {
        match find(turn.store(), turn.cluster(), &namespace, owner) {
            Some((_, found)) if waits_for(found, FOREGROUND) => leaving += 1,
            Some(_) => solid += 1,
            None => dangling.push(owner.uid.clone()),
        }
    }
    if solid == 0 {
        let finalizers = object.meta().finalizers.clone().unwrap_or_default();
        let propagation = if finalizers.iter().any(|it| it == ORPHAN) {
            Propagation::Orphan
        } else if leaving > 0 || finalizers.iter().any(|it| it == FOREGROUND) {
            Propagation::Foreground
        } else {
            Propagation::Background
        };
        turn.delete_with(key, None, propagation)?;
    } else if !dangling.is_empty() {
        turn.disown(key, &dangling)?;
    }
    Ok(())
}

/// Says that an owner is in another namespace, where it can own nothing here.
fn complain(turn: &mut Turn<'_>, key: &Key, object: &Object, (kind, owner): (Kind, &OwnerReference)) {
    let elsewhere = turn.store().objects(turn.cluster(), kind, None).any(|(at, found)| {
        at.namespace != key.namespace && found.meta().uid.as_deref() == Some(owner.uid.as_str())
    });
    if elsewhere {
        let message = format!(
            "ownerRef [{}/{}, namespace: {}, name: {}, uid: {}] does not exist in namespace {:?}",
            owner.api_version, owner.kind, key.namespace, owner.name, owner.uid, &*key.namespace
        );
        turn.event(object, EventType::Warning, "OwnerRefInvalidNamespace", &message);
    }
}

/// Takes the owner off everything it owns, then its finalizer.
fn orphan(turn: &mut Turn<'_>, key: &Key, object: &Object) -> Result<Next, ApiStatus> {
    let uid = object.meta().uid.clone().unwrap_or_default();
    let owned: Vec<Key> = turn.store().owned_by(turn.cluster(), &uid).map(|(key, _)| key.clone()).collect();
    for owned in owned {
        turn.disown(&owned, std::slice::from_ref(&uid))?;
    }
    turn.take_finalizer(key, ORPHAN)?;
    Ok(Next::Done)
}

/// Deletes everything it owns; when nothing that blocks it is left, takes its finalizer.
fn foreground(turn: &mut Turn<'_>, key: &Key, object: &Object) -> Result<Next, ApiStatus> {
    let uid = object.meta().uid.clone().unwrap_or_default();
    let blocks = |owned: &Object| {
        let owners = owned.meta().owner_references.iter().flatten();
        owners.into_iter().any(|owner| owner.uid == uid && owner.block_owner_deletion == Some(true))
    };
    let owned: Vec<(Key, bool, bool)> = turn
        .store()
        .owned_by(turn.cluster(), &uid)
        .map(|(key, owned)| (key.clone(), blocks(owned), owned.meta().deletion_timestamp.is_some()))
        .collect();
    let mut blocked = false;
    for (owned, blocks, going) in owned {
        if !going && let Some(object) = turn.store().object(&owned).cloned() {
            follow(turn, &owned, &object)?;
        }
        blocked |= blocks && turn.store().object(&owned).is_some();
    }
    if !blocked {
        turn.take_finalizer(key, FOREGROUND)?;
    }
    Ok(Next::Done)
}
