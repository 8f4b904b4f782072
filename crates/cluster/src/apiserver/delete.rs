//! How does an object leave the store?
//!
//! A pod gets its grace period and is removed by its kubelet; whatever has finalizers is marked and waits for them;
//! everything else is gone at once. Those it owned are the garbage collector's business.
//! Source: apiserver `pkg/registry/rest/delete.go`, `pkg/registry/generic/registry/store.go`;
//! `pkg/registry/core/{pod,namespace}/strategy.go`.

use std::rc::Rc;

use api::{ApiStatus, Kind, Object, SimDuration, k8s::core::v1::Pod};

use crate::{
    Propagation,
    apiserver::{Call, admission, read},
};

/// Held until those it owns are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// Held until those it owns have forgotten it.
pub(crate) const ORPHAN: &str = "orphan";
/// Holds a definition until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Deletes: the object as it was, or as it waits.
pub(super) fn delete(
    call: &mut Call<'_>,
    kind: Kind,
    namespace: &str,
    name: &str,
    grace: Option<u64>,
    propagation: Propagation,
) -> Result<Rc<Object>, ApiStatus> {
    call.look_up();
    let old = read::get(call, kind, namespace, name)?;
    admission::validate_delete(call, &old)?;
    let mut object = (*old).clone();
    hold(&mut object, propagation);
    if kind == Kind::CustomResourceDefinition && object.meta().deletion_timestamp.is_none() {
        let finalizers = object.meta_mut().finalizers.get_or_insert_default();
        if !finalizers.iter().any(|it| it == CLEANUP) {
            finalizers.push(CLEANUP.to_owned());
        }
    }
    let grace = match &object {
        Object::Pod(pod) => pod_grace(pod, grace),
        _ => 0,
    };
    mark(call, &mut object, grace);
    let waits = grace > 0 || has_finalizers(&object);
    if let Object::Namespace(namespace) = &mut object {
        namespace.status.get_or_insert_default().phase = Some("Terminating".to_owned());
    }
    if waits {
        return if object == *old { Ok(old) } else { Ok(call.write(object)) };
    }
    // UPSTREAM: a pod is always deleted gracefully, so that its mark is written though nobody waits; watchers see it.
    if kind == Kind::Pod && object != *old {
        call.write(object.clone());
    }
    let key = call.key(kind, namespace, name);
    call.remove(&key);
    Ok(Rc::new(object))
}

fn has_finalizers(object: &Object) -> bool {
    let own = object.meta().finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
    own || matches!(object, Object::Namespace(namespace)
        if namespace.spec.as_ref().and_then(|s| s.finalizers.as_ref()).is_some_and(|f| !f.is_empty()))
}

/// Adds or takes the finalizer that goes with the propagation.
fn hold(object: &mut Object, propagation: Propagation) {
    let finalizers = object.meta_mut().finalizers.get_or_insert_default();
    finalizers.retain(|finalizer| finalizer != FOREGROUND && finalizer != ORPHAN);
    match propagation {
        Propagation::Background => {}
        Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
        Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
    }
    if finalizers.is_empty() {
        object.meta_mut().finalizers = None;
    }
}

/// Seconds a pod has left: none if it never had a node or has ended already.
fn pod_grace(pod: &Pod, asked: Option<u64>) -> i64 {
    let spec = pod.spec.as_ref();
    let asked = asked
        .map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX))
        .or_else(|| spec.and_then(|spec| spec.termination_grace_period_seconds))
        .unwrap_or(30)
        .max(0);
    let unscheduled = spec.and_then(|s| s.node_name.as_deref()).unwrap_or_default().is_empty();
    let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default();
    if unscheduled || matches!(phase, "Succeeded" | "Failed") { 0 } else { asked }
}

/// Writes when it has to be gone; a second deletion can only shorten that.
fn mark(call: &Call<'_>, object: &mut Object, grace: i64) {
    let now = call.world.now();
    let until = |grace: i64| call.world.stamp(now + SimDuration::secs(grace.unsigned_abs()));
    let meta = object.meta_mut();
    if meta.deletion_timestamp.is_none() {
        meta.deletion_timestamp = Some(until(grace));
        meta.deletion_grace_period_seconds = Some(grace);
        meta.generation = meta.generation.map(|generation| generation + 1);
    } else if meta.deletion_grace_period_seconds.is_none_or(|had| grace < had) {
        meta.deletion_timestamp = Some(until(grace));
        meta.deletion_grace_period_seconds = Some(grace);
    }
}
