//! What do the webhooks that the cluster's owner registered say to a request?
//!
//! Nobody answers them here: a webhook that a request concerns cannot be called, and its `failurePolicy` decides. MODEL: a program
//! behind a Service does not speak the webhook's protocol, whatever its image is.
//! Source: `k8s.io/apiserver/pkg/admission/plugin/webhook/{validating,mutating}/dispatcher.go`, `kube-aggregator`'s
//! resolver of endpoints, which EKS uses.

use api::{ApiStatus, Kind, Object, k8s::core::v1::Service};
use serde_json::{Value, json};

use super::{
    Review,
    policy::{Asked, matching},
};
use crate::{Key, apiserver::status};

/// Whether a cluster has a webhook of this kind at all.
pub(super) fn is_used(review: &Review<'_>, kind: Kind) -> bool {
    review.world.store().objects(review.cluster, kind, None).next().is_some()
}

pub(super) fn mutate(review: &Review<'_>, object: &mut Object) -> Result<(), ApiStatus> {
    let operation = if review.is_create() { "CREATE" } else { "UPDATE" };
    call(review, Kind::MutatingWebhookConfiguration, operation, object, Some(object))
}

pub(super) fn validate(review: &Review<'_>, object: &Object, _: &mut Vec<String>) -> Result<(), ApiStatus> {
    let operation = if review.is_create() { "CREATE" } else { "UPDATE" };
    call(review, Kind::ValidatingWebhookConfiguration, operation, object, Some(object))
}

/// The same for a deletion.
pub(super) fn validate_delete(review: &Review<'_>, kind: Kind, object: &Object) -> Result<(), ApiStatus> {
    call(review, kind, "DELETE", object, None)
}

fn call(
    review: &Review<'_>,
    kind: Kind,
    operation: &str,
    about: &Object,
    new: Option<&Object>,
) -> Result<(), ApiStatus> {
    // No webhook is asked about webhooks.
    if about.kind().info().group == "admissionregistration.k8s.io" {
        return Ok(());
    }
    let asked = Asked::new(review, operation, about, new);
    for (_, configuration) in review.world.store().objects(review.cluster, kind, None) {
        let Object::Stored(configuration) = &**configuration else { continue };
        let hooks = configuration.body.get("webhooks").and_then(Value::as_array);
        for hook in hooks.into_iter().flatten() {
            let rules = json!({
                "resourceRules": hook["rules"],
                "namespaceSelector": hook["namespaceSelector"],
                "objectSelector": hook["objectSelector"],
            });
            if matching::covers(review, &asked, &rules, true)
                && asked.is_meant(review, hook) != Ok(false)
                && hook["failurePolicy"] != "Ignore"
            {
                let name = hook["name"].as_str().unwrap_or_default();
                let why = format!(
                    "failed calling webhook {name:?}: failed to call webhook: {}",
                    failure(review, hook)
                );
                return Err(status(500, "InternalError", format!("Internal error occurred: {why}")));
            }
        }
    }
    Ok(())
}

/// Why the call came to nothing.
fn failure(review: &Review<'_>, hook: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let seconds = hook["timeoutSeconds"].as_i64().unwrap_or(10);
    let client = &hook["clientConfig"];
    if let Some(url) = client["url"].as_str() {
        let host = url.trim_start_matches("https://").split(['/', ':']).next().unwrap_or_default();
        return format!("Post \"{url}?timeout={seconds}s\": dial tcp: lookup {host}: no such host");
    }
    let service = &client["service"];
    let (namespace, name, path) =
        (text(&service["namespace"]), text(&service["name"]), text(&service["path"]));
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let port = service["port"].as_i64().unwrap_or(443);
    let store = review.world.store();
    let why = match store.get::<Service>(review.cluster, &namespace, &name) {
        None => format!("service {name:?} not found"),
        Some(found) => {
            let ports = found.spec.as_ref().and_then(|it| it.ports.as_ref());
            let is_served = ports.into_iter().flatten().any(|it| i64::from(it.port) == port);
            match ready_address(review, &namespace, &name) {
                _ if !is_served => format!("no service port {port} found for service {name:?}"),
                None => format!("no endpoints available for service {name:?}"),
                Some(address) => format!("dial tcp {address}: connect: connection refused"),
            }
        }
    };
    format!("Post \"https://{name}.{namespace}.svc:{port}{path}?timeout={seconds}s\": {why}")
}

/// Address and port of the first ready endpoint.
fn ready_address(review: &Review<'_>, namespace: &str, name: &str) -> Option<String> {
    let key = Key::new(review.cluster, Kind::Endpoints, namespace, name);
    let endpoints = review.world.store().object(&key)?.to_value();
    let subsets = endpoints["subsets"].as_array()?;
    subsets.iter().find_map(|subset| {
        let address = subset.pointer("/addresses/0/ip")?.as_str()?;
        Some(api::host_port::join(address, subset.pointer("/ports/0/port")?))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests say what must hold")]
    use serde_json::json;

    use crate::fixture::{cluster, config, create};

    /// What is said to a new ConfigMap where a webhook is to be asked that nobody serves.
    fn said(policy: &str, rules: &str) -> String {
        let mut world = cluster();
        let hook = json!({"name": "a.hook.io", "clientConfig": {"service": {"name": "hook", "namespace": "sec", "path": "/v"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": [rules]}],
            "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": policy, "timeoutSeconds": 2});
        create(
            &mut world,
            json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "hook"}, "webhooks": [hook]}),
        )
        .unwrap();
        create(&mut world, config("c")).map_or_else(|error| error, |_| String::new())
    }

    #[test]
    fn a_webhook_that_cannot_be_called_refuses_unless_failures_are_ignored() {
        // As kube-apiserver 1.34 says it.
        let words = "Internal error occurred: failed calling webhook \"a.hook.io\": failed to call webhook: Post \
                     \"https://hook.sec.svc:443/v?timeout=2s\": service \"hook\" not found";
        assert_eq!(said("Fail", "configmaps"), words);
        assert_eq!(said("Ignore", "configmaps"), "");
        assert_eq!(said("Fail", "secrets"), "");
    }
}
