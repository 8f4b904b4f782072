//! Names by which one object means another: they follow what it is called now.

use serde_json::Value;

use super::resource::Resources;

/// Every name that an object built here has had, and the one it has.
struct Renamed {
    kind: String,
    names: Vec<String>,
    now: String,
}

/// Puts right what the objects call each other.
pub(super) fn fix(resources: &mut Resources) {
    let renamed: Vec<Renamed> = resources
        .all
        .iter()
        .filter(|it| it.names.len() > 1)
        .map(|it| Renamed { kind: it.kind().to_owned(), names: it.names.clone(), now: it.name().to_owned() })
        .collect();
    for resource in &mut resources.all {
        let kind = resource.kind().to_owned();
        walk(&mut resource.object, "", &kind, &renamed);
    }
}

fn now<'r>(renamed: &'r [Renamed], kind: &str, name: &str) -> Option<&'r str> {
    let found = renamed.iter().find(|it| it.kind == kind && it.names.iter().any(|own| own == name));
    found.map(|it| it.now.as_str())
}

/// Which kind a field names, by the object it stands in, the field that holds it, and itself.
fn named(of: &str, parent: &str, name: &str) -> Option<&'static str> {
    Some(match (of, parent, name) {
        (_, "configMap" | "configMapRef" | "configMapKeyRef", "name") => "ConfigMap",
        (
            _,
            "secret" | "secretRef" | "secretKeyRef" | "imagePullSecrets" | "nodePublishSecretRef",
            "name",
        )
        | ("ServiceAccount", "secrets", "name")
        | (_, "secret" | "tls", "secretName") => "Secret",
        (_, "persistentVolumeClaim", "claimName") => "PersistentVolumeClaim",
        (_, "spec", "serviceAccountName") => "ServiceAccount",
        ("StatefulSet", "spec", "serviceName") | ("Ingress", "service", "name") => "Service",
        ("PersistentVolumeClaim", "spec", "volumeName") => "PersistentVolume",
        (_, "spec", "storageClassName") => "StorageClass",
        (_, "spec", "priorityClassName") => "PriorityClass",
        ("Ingress", "spec", "ingressClassName") => "IngressClass",
        _ => return None,
    })
}

fn walk(at: &mut Value, parent: &str, of: &str, renamed: &[Renamed]) {
    match at {
        Value::Object(fields) => {
            // Some say themselves which kind they mean.
            if let "roleRef" | "subjects" | "scaleTargetRef" = parent {
                let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
                if let Some(Value::String(name)) = fields.get_mut("name")
                    && let Some(new) = now(renamed, &kind, name)
                {
                    new.clone_into(name);
                }
            }
            for (key, value) in fields {
                match (named(of, parent, key), &mut *value) {
                    (Some(kind), Value::String(name)) => {
                        if let Some(new) = now(renamed, kind, name) {
                            new.clone_into(name);
                        }
                    }
                    _ => walk(value, key, of, renamed),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, parent, of, renamed)),
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::{field, kustomize::resource::Resource};

    #[test]
    fn an_autoscaler_follows_what_it_scales() {
        let mut web = Resource::new(serde_json::json!({"kind": "Deployment", "metadata": {"name": "web"}}));
        web.rename("p-web".to_owned());
        let scaler = serde_json::json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"},
            "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}}});
        let mut all = Resources { all: vec![web, Resource::new(scaler)], ..Resources::default() };
        fix(&mut all);
        assert_eq!(field::text(&all.all[1].object, "spec.scaleTargetRef.name"), "p-web");
    }
}
