//! Has every namespace the account and the certificate that its pods need?
//!
//! Source: `pkg/controller/serviceaccount/serviceaccounts_controller.go`,
//! `pkg/controller/certificates/rootcacertpublisher/publisher.go`.

use api::{
    ApiStatus, Kind, Object,
    k8s::core::v1::{ConfigMap, Namespace, ServiceAccount},
};
use serde_json::json;

use crate::{Change, Controller, Key, Next, Store, Turn, apiserver};

const ROOT_CA: &str = "kube-root-ca.crt";

/// The controller of accounts, and the publisher of certificates.
pub(crate) struct ServiceAccountController;

impl Controller for ServiceAccountController {
    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        let of_namespace = |name: &str| Key::new(change.key.cluster, Kind::Namespace, "", name);
        match change.key.kind {
            Kind::Namespace if change.before.is_none() => wake(change.key.clone()),
            Kind::ServiceAccount if &*change.key.name == "default" && change.after.is_none() => {
                wake(of_namespace(&change.key.namespace));
            }
            Kind::ConfigMap if &*change.key.name == ROOT_CA && change.before.is_some() => {
                wake(of_namespace(&change.key.namespace));
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let active =
            turn.get::<Namespace>("", &key.name).is_some_and(|it| it.metadata.deletion_timestamp.is_none());
        if !active {
            return Ok(Next::Done);
        }
        let (root, account) = (apiserver::root_ca(), json!({"metadata": {"name": "default"}}));
        if turn.get::<ServiceAccount>(&key.name, "default").is_none() {
            create(turn, Kind::ServiceAccount, &key.name, account)?;
        }
        let data = root.get("data").cloned();
        match turn.get::<ConfigMap>(&key.name, ROOT_CA) {
            None => create(turn, Kind::ConfigMap, &key.name, root)?,
            Some(map) => {
                let data = data.and_then(|data| serde_json::from_value(data).ok());
                if map.data != data {
                    turn.patch::<ConfigMap>(&key.name, ROOT_CA, |map| map.data = data)?;
                }
            }
        }
        Ok(Next::Done)
    }
}

fn create(
    turn: &mut Turn<'_>,
    kind: Kind,
    namespace: &str,
    mut value: serde_json::Value,
) -> Result<(), ApiStatus> {
    value["metadata"]["namespace"] = json!(namespace);
    match Object::from_value(kind, value) {
        Ok(object) => turn.create_object(object).map(drop),
        Err(_) => Ok(()),
    }
}
