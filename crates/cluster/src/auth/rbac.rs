//! Which rule of which role allows it?
//!
//! Additive: a request is allowed by one rule of one role that one binding gives to the user or one of their groups.
//! Source: `plugin/pkg/auth/authorizer/rbac`, the reasons included.

use api::{Kind, Object};
use serde_json::{Map, Value};

use crate::{ClusterId, Principal, Store, auth::Attributes};

pub(super) fn authorize(
    store: &Store,
    cluster: ClusterId,
    who: &Principal,
    what: &Attributes<'_>,
) -> Option<String> {
    let everywhere = (Kind::ClusterRoleBinding, None);
    let here = (Kind::RoleBinding, Some(what.namespace));
    let scopes = if what.namespace.is_empty() { vec![everywhere] } else { vec![everywhere, here] };
    for (kind, namespace) in scopes {
        for (key, object) in store.objects(cluster, kind, namespace) {
            let Some(binding) = body(object) else { continue };
            let Some(subject) = subject(binding, &key.namespace, who) else { continue };
            if rules(store, cluster, binding, &key.namespace).any(|rule| covers(rule, what)) {
                let role = binding.get("roleRef")?;
                let name = if key.namespace.is_empty() {
                    key.name.to_string()
                } else {
                    format!("{}/{}", key.name, key.namespace)
                };
                return Some(format!(
                    "RBAC: allowed by {} \"{name}\" of {} \"{}\" to {subject}",
                    kind.info().kind,
                    text(role, "kind"),
                    text(role, "name"),
                ));
            }
        }
    }
    None
}

/// All rules of all roles that bindings give to `who`, those of the whole cluster first.
pub(super) fn rules_of<'s>(
    store: &'s Store,
    cluster: ClusterId,
    who: &Principal,
    namespace: &str,
) -> Vec<&'s Value> {
    let mut all = Vec::new();
    for (kind, space) in [(Kind::ClusterRoleBinding, None), (Kind::RoleBinding, Some(namespace))] {
        for (key, object) in store.objects(cluster, kind, space) {
            if let Some(binding) = body(object)
                && subject(binding, &key.namespace, who).is_some()
            {
                all.extend(rules(store, cluster, binding, &key.namespace));
            }
        }
    }
    all
}

fn body(object: &Object) -> Option<&Map<String, Value>> {
    if let Object::Stored(stored) = object { Some(&stored.body) } else { None }
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// How the binding's list of subjects names `who`.
fn subject(binding: &Map<String, Value>, namespace: &str, who: &Principal) -> Option<String> {
    let subjects = binding.get("subjects")?.as_array()?;
    subjects.iter().find_map(|subject| {
        let name = text(subject, "name");
        match text(subject, "kind") {
            "User" if name == who.user => Some(format!("User \"{name}\"")),
            "Group" if who.groups.iter().any(|group| group == name) => Some(format!("Group \"{name}\"")),
            "ServiceAccount" => {
                let of = match text(subject, "namespace") {
                    "" => namespace,
                    of => of,
                };
                (who.user == format!("system:serviceaccount:{of}:{name}"))
                    .then(|| format!("ServiceAccount \"{name}/{of}\""))
            }
            _ => None,
        }
    })
}

fn rules<'s>(
    store: &'s Store,
    cluster: ClusterId,
    binding: &Map<String, Value>,
    namespace: &str,
) -> impl Iterator<Item = &'s Value> + use<'s> {
    let role = binding.get("roleRef").and_then(|role| {
        let kind = if text(role, "kind") == "ClusterRole" { Kind::ClusterRole } else { Kind::Role };
        store.object(&crate::Key::new(cluster, kind, namespace, text(role, "name")))
    });
    let rules = role.and_then(|role| body(role)).and_then(|role| role.get("rules")).and_then(Value::as_array);
    rules.into_iter().flatten()
}

fn covers(rule: &Value, what: &Attributes<'_>) -> bool {
    let has = |field: &str, wanted: &[&str]| {
        let list = rule.get(field).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).any(|item| wanted.contains(&item))
    };
    if !what.path.is_empty() {
        let paths = rule.get("nonResourceURLs").and_then(Value::as_array);
        let covers = |url: &str| match url.strip_suffix('*') {
            Some(prefix) => what.path.starts_with(prefix),
            None => url == what.path,
        };
        return has("verbs", &["*", what.verb])
            && paths.into_iter().flatten().filter_map(Value::as_str).any(covers);
    }
    let resource = if what.subresource.is_empty() {
        what.resource.to_owned()
    } else {
        format!("{}/{}", what.resource, what.subresource)
    };
    let any_of = format!("*/{}", what.subresource);
    let named = rule.get("resourceNames").and_then(Value::as_array).is_none_or(Vec::is_empty)
        || (!what.name.is_empty() && has("resourceNames", &[what.name]));
    has("verbs", &["*", what.verb])
        && has("apiGroups", &["*", what.group])
        && has("resources", &["*", &resource, &any_of])
        && named
}
