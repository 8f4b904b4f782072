//! Is a namespace that was deleted empty yet?
//!
//! Everything in it is deleted, of every kind; when the last is gone the namespace loses its finalizer and goes too.
//! Source: `pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.

use api::{ApiStatus, Domain, Kind, Scope, k8s::core::v1::Namespace};

use crate::{Change, Controller, Key, Next, Store, Turn, apiserver};

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
        } else if change.after.is_none() && !change.key.namespace.is_empty() && going(&change.key.namespace) {
            wake(Key::new(change.key.cluster, Kind::Namespace, "", &change.key.namespace));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let going =
            turn.get::<Namespace>("", &key.name).is_some_and(|it| it.metadata.deletion_timestamp.is_some());
        if !going {
            return Ok(Next::Done);
        }
        let mut left = false;
        let mut custom = apiserver::custom_kinds(turn.store(), turn.cluster());
        custom.dedup();
        let kinds = Kind::EVERY.iter().copied().chain(custom).filter(|kind| {
            kind.info().scope == Scope::Namespaced && kind.info().domain() == Domain::Kubernetes
        });
        for kind in kinds {
            let content: Vec<(Key, bool)> = turn
                .store()
                .objects(turn.cluster(), kind, Some(&key.name))
                .map(|(key, object)| (key.clone(), object.meta().deletion_timestamp.is_some()))
                .collect();
            for (key, going) in content {
                if !going {
                    turn.delete(&key, None)?;
                }
                left |= turn.store().object(&key).is_some();
            }
        }
        if !left {
            turn.finalize_namespace(&key.name)?;
        }
        Ok(Next::Done)
    }
}
