//! Which part of an object is whose to write, and when does its generation move?
//!
//! `spec` and metadata belong to the main resource, `status` to the status subresource; a write through one leaves
//! the other as it was. Source: the strategies in `pkg/registry/*/*/strategy.go`.

use crate::{Kind, Object, Resource, Stored, canonical::same, k8s::apps::v1::DaemonSet};

/// The annotation that stands for the old field `spec.templateGeneration`.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// THE LIST of typed kinds that have a status.
macro_rules! with_status {
    ($($kind:ident),*) => {
        /// Gives `into` the status of `from`.
        pub fn take_status(from: &Object, into: &mut Object) {
            match (from, into) {
                $((Object::$kind(from), Object::$kind(into)) => into.status.clone_from(&from.status),)*
                (Object::Stored(from), Object::Stored(into)) => {
                    match from.body.get("status") {
                        Some(status) => into.body.insert("status".to_owned(), status.clone()),
                        None => into.body.remove("status"),
                    };
                }
                _ => {}
            }
        }

        /// Takes the status off an object that a request brought.
        pub(crate) fn clear_status(of: &mut Object) {
            match of {
                $(Object::$kind(it) => it.status = None,)*
                Object::Stored(it) => drop(it.body.remove("status")),
                _ => {}
            }
        }

        /// Whether nothing but metadata and status differs, as the bytes are written.
        fn identical_spec(a: &Object, b: &Object) -> bool {
            match (a, b) {
                $((Object::$kind(a), Object::$kind(b)) => a.spec == b.spec,)*
                (Object::EndpointSlice(a), Object::EndpointSlice(b)) => {
                    a.endpoints == b.endpoints && a.ports == b.ports && a.metadata.labels == b.metadata.labels
                }
                (Object::Stored(a), Object::Stored(b)) => wished(a) == wished(b),
                _ => true,
            }
        }
    };
}

with_status!(
    Pod,
    Service,
    Node,
    Namespace,
    Deployment,
    ReplicaSet,
    DaemonSet,
    StatefulSet,
    HorizontalPodAutoscaler,
    CronJob,
    Job
);

fn wished(it: &Stored) -> serde_json::Map<String, serde_json::Value> {
    let mut body = it.body.clone();
    body.remove("status");
    body
}

/// Whether nothing but metadata and status differs.
fn same_spec(a: &Object, b: &Object) -> bool {
    if identical_spec(a, b) {
        return true;
    }
    let spec = |object: &Object| object.to_value().get("spec").cloned();
    // Two ways to write one quantity are the same wish.
    matches!((spec(a), spec(b)), (Some(a), Some(b)) if same(&a, &b))
}

/// The next generation, if the wish changed.
pub fn move_generation(old: &Object, new: &mut Object) {
    let generation = old.meta().generation;
    let same = same_spec(old, new)
        // UPSTREAM: a Deployment's annotations count as its spec: its controller copies them to the ReplicaSet.
        && (old.kind() != Kind::Deployment || old.meta().annotations == new.meta().annotations);
    new.meta_mut().generation = match generation {
        Some(generation) if !same => Some(generation + 1),
        // UPSTREAM: a driver has no generation until it first changes.
        None if !same && old.kind() == Kind::CSIDriver => Some(1),
        same => same,
    };
    if let (Some(old), Some(new)) = (DaemonSet::of(old), DaemonSet::of_mut(new)) {
        move_template_generation(old, new);
    }
}

/// The next generation of an object whose status has no door of its own.
pub fn move_generation_of_whole(old: &Object, new: &mut Object) {
    let same = match (old, &*new) {
        (Object::Stored(old), Object::Stored(new)) => old.body == new.body,
        _ => same_spec(old, new),
    };
    let generation = old.meta().generation;
    new.meta_mut().generation = if same { generation } else { generation.map(|it| it + 1) };
}

fn move_template_generation(old: &DaemonSet, new: &mut DaemonSet) {
    let of = |set: &DaemonSet| {
        let text = set.metadata.annotations.as_ref().and_then(|a| a.get(TEMPLATE_GENERATION));
        text.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0)
    };
    let template = |set: &DaemonSet| set.spec.as_ref().map(|spec| spec.template.clone());
    let next = of(old) + i64::from(template(old) != template(new));
    new.metadata.annotations.get_or_insert_default().insert(TEMPLATE_GENERATION.to_owned(), next.to_string());
}
