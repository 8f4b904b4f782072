//! Which rule of which role allows it?
//!
//! Additive: a request is allowed by one rule of one role that one binding gives to the user or one of their groups.
//! Source: `plugin/pkg/auth/authorizer/rbac`, the reasons included.

use api::{Kind, Object};
use serde_json::{Map, Value};

use crate::{
    ClusterId, Principal, Store,
    auth::{Allowed, Attributes},
};

/// The rule that allows, and how it came to whom it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// `ClusterRoleBinding/name`, `RoleBinding/namespace/name`.
    pub(crate) binding: String,
    /// `ClusterRole/name`, `Role/namespace/name`.
    pub(crate) role: String,
    /// Such as `Group "dev"`.
    pub(crate) subject: String,
    /// The rule, as JSON in one line.
    pub(crate) rule: String,
}

pub(super) fn authorize(
    store: &Store,
    cluster: ClusterId,
    who: &Principal,
    what: &Attributes<'_>,
) -> Option<Allowed> {
    bindings(store, cluster, who, what.namespace).find_map(|bound| {
        let rule = rules(store, cluster, bound.body, bound.namespace).find(|rule| covers(rule, what))?;
        let reason = format!(
            "RBAC: allowed by {} \"{}\" of {} \"{}\" to {}",
            bound.kind.info().kind,
            if bound.namespace.is_empty() {
                bound.name.to_owned()
            } else {
                format!("{}/{}", bound.name, bound.namespace)
            },
            bound.role.0,
            bound.role.1,
            bound.subject,
        );
        let grant = Grant {
            binding: bound.id(),
            role: bound.role_id(),
            subject: bound.subject.clone(),
            rule: api::emit::compact(rule),
        };
        Some(Allowed { by: "RBAC", reason, grant: Some(grant) })
    })
}

/// Why bindings that name `who` give nothing: `RBAC: clusterrole.rbac.authorization.k8s.io "x" not found`; empty if all do.
pub(super) fn complaint(store: &Store, cluster: ClusterId, who: &Principal, namespace: &str) -> String {
    let missing = bindings(store, cluster, who, namespace).filter_map(|bound| {
        let (kind, name) = bound.role;
        let of = if kind == "ClusterRole" { Kind::ClusterRole } else { Kind::Role };
        let key = crate::Key::new(cluster, of, bound.namespace, name);
        let what = of.info().kind.to_lowercase();
        store.object(&key).is_none().then(|| format!("{what}.rbac.authorization.k8s.io \"{name}\" not found"))
    });
    let mut all: Vec<String> = Vec::new();
    for one in missing {
        // Of the same complaint one is enough.
        if !all.contains(&one) {
            all.push(one);
        }
    }
    match all.as_slice() {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        many => format!("RBAC: [{}]", many.join(", ")),
    }
}

/// Everything that `who` holds in a namespace: `binding → role`, that of the whole cluster first.
pub(crate) fn held(store: &Store, cluster: ClusterId, who: &Principal, namespace: &str) -> Vec<String> {
    bindings(store, cluster, who, namespace)
        .map(|bound| format!("{} → {}", bound.id(), bound.role_id()))
        .collect()
}

/// A binding that names somebody.
struct Bound<'s> {
    kind: Kind,
    namespace: &'s str,
    name: &'s str,
    body: &'s Map<String, Value>,
    /// Kind and name of its role.
    role: (&'s str, &'s str),
    subject: String,
}

impl Bound<'_> {
    fn id(&self) -> String {
        let space = if self.namespace.is_empty() { String::new() } else { format!("{}/", self.namespace) };
        format!("{}/{space}{}", self.kind.info().kind, self.name)
    }

    fn role_id(&self) -> String {
        let (kind, name) = self.role;
        if kind == "Role" { format!("Role/{}/{name}", self.namespace) } else { format!("{kind}/{name}") }
    }
}

/// The bindings that name `who`: those of the whole cluster, then those of the namespace, if there is one.
fn bindings<'s>(
    store: &'s Store,
    cluster: ClusterId,
    who: &'s Principal,
    namespace: &'s str,
) -> impl Iterator<Item = Bound<'s>> {
    let everywhere = store.objects(cluster, Kind::ClusterRoleBinding, None);
    let here = (!namespace.is_empty()).then(|| store.objects(cluster, Kind::RoleBinding, Some(namespace)));
    everywhere.chain(here.into_iter().flatten()).filter_map(move |(key, object)| {
        let body = body(object)?;
        let subject = subject(body, &key.namespace, who)?;
        let role = body.get("roleRef")?;
        let role = (text(role, "kind"), text(role, "name"));
        Some(Bound { kind: key.kind, namespace: &key.namespace, name: &key.name, body, role, subject })
    })
}

/// All rules of all roles that bindings give to `who`, those of the whole cluster first.
pub(super) fn rules_of<'s>(
    store: &'s Store,
    cluster: ClusterId,
    who: &'s Principal,
    namespace: &'s str,
) -> Vec<&'s Value> {
    bindings(store, cluster, who, namespace)
        .flat_map(|bound| rules(store, cluster, bound.body, bound.namespace))
        .collect()
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
