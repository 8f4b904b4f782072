//! Which part of an object is whose to write, and when does its generation move?
//!
//! `spec` and metadata belong to the main resource, `status` to the status subresource; a write through one leaves
//! the other as it was. Source: the strategies in `pkg/registry/*/*/strategy.go`.

use api::{Kind, Object, Resource, k8s::apps::v1::DaemonSet};

/// The annotation that stands for the old field `spec.templateGeneration`.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

macro_rules! with_status {
    ($($kind:ident),*) => {
        /// Gives `into` the status of `from`.
        pub(crate) fn take_status(from: &Object, into: &mut Object) {
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

        /// Whether nothing but metadata and status differs.
        pub(crate) fn same_spec(a: &Object, b: &Object) -> bool {
            match (a, b) {
                $((Object::$kind(a), Object::$kind(b)) => a.spec == b.spec,)*
                (Object::EndpointSlice(a), Object::EndpointSlice(b)) => {
                    a.endpoints == b.endpoints && a.ports == b.ports && a.metadata.labels == b.metadata.labels
                }
                (Object::Stored(a), Object::Stored(b)) => {
                    let spec = |it: &'_ api::Stored| {
                        let mut body = it.body.clone();
                        body.remove("status");
                        body
                    };
                    spec(a) == spec(b)
                }
                _ => true,
            }
        }
    };
}

with_status!(Pod, Service, Node, Namespace, Deployment, ReplicaSet, DaemonSet, StatefulSet);

/// The next generation, if the wish changed.
pub(crate) fn move_generation(old: &Object, new: &mut Object) {
    let generation = old.meta().generation;
    let same = same_spec(old, new)
        // UPSTREAM: a Deployment's annotations count as its spec: its controller copies them to the ReplicaSet.
        && (old.kind() != Kind::Deployment || old.meta().annotations == new.meta().annotations);
    new.meta_mut().generation = match generation {
        Some(generation) if !same => Some(generation + 1),
        same => same,
    };
    if let (Some(old), Some(new)) = (DaemonSet::of(old), DaemonSet::of_mut(new)) {
        move_template_generation(old, new);
    }
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
