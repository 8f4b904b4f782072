//! What of a quota is used?
//!
//! Source: `pkg/controller/resourcequota/resource_quota_controller.go`.

use api::{ApiStatus, Kind, Object};
use serde_json::{Value, json};

use crate::{
    Change, Controller, Key, Next, Store, Turn,
    quota::{self, Amounts},
};

/// The controller.
pub(crate) struct ResourceQuotaController;

impl Controller for ResourceQuotaController {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        let key = &change.key;
        if key.namespace.is_empty() || matches!(key.kind, Kind::Event | Kind::Lease) {
            return;
        }
        // Only what comes, goes or is over changes a sum.
        let counts = key.kind == Kind::ResourceQuota
            || change.before.is_none()
            || change.after.is_none()
            || matches!(key.kind, Kind::Pod | Kind::Service | Kind::PersistentVolumeClaim);
        if counts {
            let quotas = store.objects(key.cluster, Kind::ResourceQuota, Some(&key.namespace));
            quotas.for_each(|(key, _)| wake(key.clone()));
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(Object::Stored(stored)) = turn.store().object(key).map(|object| (**object).clone()) else {
            return Ok(Next::Done);
        };
        let quota = Object::Stored(stored.clone()).to_value();
        let used = quota::used(turn.store(), key.cluster, &key.namespace, &quota);
        let shown = |amounts: &Amounts| {
            let fields = amounts.iter().map(|(name, amount)| (name.clone(), amount.canonical().into()));
            Value::Object(fields.collect())
        };
        let status = json!({"hard": shown(&quota::hard(&quota)), "used": shown(&used)});
        if stored.body.get("status") != Some(&status) {
            let mut stored = stored;
            stored.body.insert("status".to_owned(), status);
            turn.update_status_object(Object::Stored(stored))?;
        }
        Ok(Next::Done)
    }
}
