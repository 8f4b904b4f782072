//! Does every secret that asks for an account's token hold one?
//!
//! A secret of the type `kubernetes.io/service-account-token` gets its account's token, the namespace and the certificate;
//! without the account it goes. MODEL: the token has the three parts of a real one and says whose it is; nobody signed it.
//! Source: `pkg/controller/serviceaccount/tokens_controller.go`, `pkg/serviceaccount/legacy.go`.

use api::{
    ApiStatus, ByteString, Kind, Object, Resource,
    k8s::core::v1::{Secret, ServiceAccount},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{Change, Controller, Key, Next, Store, Turn, apiserver};

const TYPE: &str = "kubernetes.io/service-account-token";
const NAME: &str = "kubernetes.io/service-account.name";
const UID: &str = "kubernetes.io/service-account.uid";

/// The controller.
pub(crate) struct TokensController;

impl Controller for TokensController {
    fn name(&self) -> &'static str {
        "serviceaccount-token-controller"
    }

    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key)) {
        match change.key.kind {
            Kind::Secret if change.after.as_deref().and_then(Secret::of).is_some_and(is_token) => {
                wake(change.key.clone());
            }
            Kind::ServiceAccount if change.before.is_none() || change.after.is_none() => {
                let secrets = store.objects(change.key.cluster, Kind::Secret, Some(&change.key.namespace));
                let of_account = |object: &Object| {
                    let secret = Secret::of(object).filter(|secret| is_token(secret));
                    secret.and_then(|secret| note(secret, NAME)) == Some(&change.key.name)
                };
                secrets.filter(|(_, object)| of_account(object)).for_each(|(key, _)| wake(key.clone()));
            }
            _ => {}
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(secret) = turn.get::<Secret>(&key.namespace, &key.name).cloned() else {
            return Ok(Next::Done);
        };
        let name = note(&secret, NAME).unwrap_or_default();
        let account = turn.get::<ServiceAccount>(&key.namespace, name);
        let uid = account.and_then(|account| account.metadata.uid.clone());
        let is_other =
            note(&secret, UID).is_some_and(|noted| !noted.is_empty() && Some(noted) != uid.as_deref());
        let Some(uid) = uid.filter(|_| !is_other) else {
            turn.delete(key, None)?;
            return Ok(Next::Done);
        };
        let certificate = apiserver::root_ca()["data"]["ca.crt"].as_str().unwrap_or_default().to_owned();
        let claims = json!({
            "iss": "kubernetes/serviceaccount",
            "kubernetes.io/serviceaccount/namespace": &*key.namespace,
            "kubernetes.io/serviceaccount/secret.name": &*key.name,
            "kubernetes.io/serviceaccount/service-account.name": name,
            "kubernetes.io/serviceaccount/service-account.uid": uid,
            "sub": format!("system:serviceaccount:{}:{name}", key.namespace),
        });
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let head = part(json!({"alg": "RS256", "kid": "podpath"}).to_string());
        let token = format!("{head}.{}.{}", part(claims.to_string()), part(uid.clone()));
        let wanted = [("ca.crt", certificate), ("namespace", key.namespace.to_string()), ("token", token)];
        let mut filled = secret.clone();
        let data = filled.data.get_or_insert_default();
        for (field, text) in wanted {
            // What somebody else wrote as the token stays theirs.
            if field != "token" || data.get(field).is_none_or(|held| held.0.is_empty()) {
                data.insert(field.to_owned(), ByteString(text.into_bytes()));
            }
        }
        filled.metadata.annotations.get_or_insert_default().insert(UID.to_owned(), uid);
        if filled != secret {
            turn.update(filled)?;
        }
        Ok(Next::Done)
    }
}

fn is_token(secret: &Secret) -> bool {
    secret.type_.as_deref() == Some(TYPE)
}

fn note<'s>(secret: &'s Secret, name: &str) -> Option<&'s str> {
    Some(secret.metadata.annotations.as_ref()?.get(name)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cluster, create, delete, get, settle};

    fn made(account: &str) -> crate::World {
        let mut world = cluster();
        create(
            &mut world,
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}),
        )
        .expect("made");
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "type": TYPE,
            "metadata": {"name": "t", "annotations": {NAME: account}}});
        create(&mut world, secret).expect("made");
        settle(&mut world);
        world
    }

    #[test]
    fn a_secret_that_asks_for_a_token_gets_one_and_goes_with_its_account() {
        let mut world = made("robot");
        let secret = get(&mut world, Kind::Secret, "t").expect("there");
        let data = Secret::of(&secret).and_then(|it| it.data.clone()).unwrap_or_default();
        assert_eq!(data.keys().collect::<Vec<_>>(), ["ca.crt", "namespace", "token"]);
        delete(&mut world, Kind::ServiceAccount, "robot").expect("gone");
        settle(&mut world);
        assert!(get(&mut world, Kind::Secret, "t").is_err());
    }

    #[test]
    fn a_secret_of_nobody_goes() {
        assert!(get(&mut made("ghost"), Kind::Secret, "t").is_err());
    }
}
