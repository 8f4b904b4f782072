//! May somebody grant what a role says?
//!
//! Only what they hold themselves, unless they may `escalate` the role or `bind` it. Source: `pkg/registry/rbac/{role,
//! rolebinding}/policybased`, `pkg/registry/rbac/validation/{rule,policy_comparator,policy_compact}.go`, 1.34.

use std::collections::{BTreeMap, BTreeSet};

use api::{ApiStatus, Kind, Object};
use serde_json::Value;

use super::{Attributes, authorize, rbac};
use crate::{ClusterId, Key, Principal, Store};

/// Whether `who` may write this role or binding over `old`.
/// # Errors
/// 403 with what they would grant without holding it; 404 of the role that a binding names.
pub(crate) fn confirm(
    store: &Store,
    cluster: ClusterId,
    who: &Principal,
    object: &Object,
    old: Option<&Object>,
) -> Result<(), ApiStatus> {
    let Object::Stored(stored) = object else { return Ok(()) };
    let kind = stored.kind;
    let (role, name, verb) = match kind {
        Kind::Role | Kind::ClusterRole => (kind, object.name().to_owned(), "escalate"),
        Kind::RoleBinding | Kind::ClusterRoleBinding => {
            let field = |name: &str| {
                let role = stored.body.get("roleRef").and_then(|it| it.get(name));
                role.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let role = if field("kind") == "ClusterRole" { Kind::ClusterRole } else { Kind::Role };
            (role, field("name"), "bind")
        }
        _ => return Ok(()),
    };
    if who.groups.iter().any(|group| group == "system:masters") || old.is_some_and(|old| same(old, object)) {
        return Ok(());
    }
    let namespace = object.namespace();
    let may = Attributes { verb, namespace, name: &name, ..Attributes::of(role) };
    if authorize(store, cluster, who, &may).is_ok() {
        return Ok(());
    }
    let granted = if verb == "escalate" {
        stored.body.get("rules").cloned()
    } else {
        let space = if role == Kind::Role { namespace } else { "" };
        let found = store.object(&Key::new(cluster, role, space, &name));
        let Some(found) = found else { return Err(ApiStatus::not_found(role, &name)) };
        found.to_value().get("rules").cloned()
    };
    let held: Vec<Rule> = rbac::rules_of(store, cluster, who, namespace).into_iter().map(Rule::of).collect();
    let asked = granted.as_ref().and_then(Value::as_array).into_iter().flatten().map(Rule::of);
    let missing: Vec<Rule> = asked
        .flat_map(|rule| rule.broken_down())
        .filter(|rule| !held.iter().any(|held| held.covers(rule)))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let lines: BTreeSet<String> = compacted(missing).iter().map(Rule::shown).collect();
    let lines: Vec<String> = lines.into_iter().collect();
    let why = format!(
        "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
        who.user,
        list(&who.groups),
        lines.join("\n")
    );
    let info = kind.info();
    let resource = info.resource();
    let mut status = ApiStatus::forbidden(format!("{resource} {:?} is forbidden: {why}", object.name()));
    (status.name, status.group) = (object.name().to_owned(), info.group.to_owned());
    info.plural.clone_into(&mut status.kind);
    Err(status)
}

/// What `asked` allows beyond `held`: one rule for each thing, in the form of a role's rules.
#[must_use]
pub fn beyond(held: &[Value], asked: &[Value]) -> Vec<Value> {
    let held: Vec<Rule> = held.iter().map(Rule::of).collect();
    let asked = asked.iter().map(Rule::of).flat_map(|rule| rule.broken_down());
    asked.filter(|rule| !held.iter().any(|held| held.covers(rule))).map(Rule::value).collect()
}

/// Whether nothing but metadata differs that the garbage collector writes.
fn same(old: &Object, new: &Object) -> bool {
    let without = |object: &Object| {
        let mut object = object.clone();
        let meta = object.meta_mut();
        (meta.owner_references, meta.finalizers, meta.managed_fields) = (None, None, None);
        object
    };
    without(old) == without(new)
}

#[derive(Clone, Default)]
struct Rule {
    groups: Vec<String>,
    resources: Vec<String>,
    urls: Vec<String>,
    names: Vec<String>,
    verbs: Vec<String>,
}

impl Rule {
    fn of(rule: &Value) -> Self {
        let texts = |field: &str| {
            let items = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            groups: texts("apiGroups"),
            resources: texts("resources"),
            urls: texts("nonResourceURLs"),
            names: texts("resourceNames"),
            verbs: texts("verbs"),
        }
    }

    fn value(self) -> Value {
        let fields = [
            ("apiGroups", self.groups),
            ("resources", self.resources),
            ("nonResourceURLs", self.urls),
            ("resourceNames", self.names),
            ("verbs", self.verbs),
        ];
        fields.into_iter().filter(|(_, items)| !items.is_empty()).collect()
    }

    /// One rule for each thing that it allows.
    fn broken_down(&self) -> Vec<Self> {
        let one = |text: &String| vec![text.clone()];
        let mut out = Vec::new();
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let rule = Self {
                        groups: one(group),
                        resources: one(resource),
                        verbs: one(verb),
                        ..Self::default()
                    };
                    if self.names.is_empty() {
                        out.push(rule);
                    } else {
                        out.extend(self.names.iter().map(|name| Self { names: one(name), ..rule.clone() }));
                    }
                }
            }
        }
        for url in &self.urls {
            out.extend(self.verbs.iter().map(|verb| Self {
                urls: one(url),
                verbs: one(verb),
                ..Self::default()
            }));
        }
        out
    }

    fn covers(&self, other: &Self) -> bool {
        let all = |own: &[String], asked: &[String]| {
            own.iter().any(|it| it == "*") || asked.iter().all(|it| own.contains(it))
        };
        let resource = |asked: &String| {
            self.resources.contains(asked)
                || asked
                    .split_once('/')
                    .is_some_and(|(_, part)| self.resources.contains(&format!("*/{part}")))
        };
        let url = |asked: &String| {
            self.urls.iter().any(|own| match own.strip_suffix('*') {
                Some(prefix) => asked.starts_with(prefix),
                None => own == asked,
            })
        };
        all(&self.verbs, &other.verbs)
            && all(&self.groups, &other.groups)
            && (self.resources.iter().any(|it| it == "*") || other.resources.iter().all(resource))
            && other.urls.iter().all(url)
            && (self.names.is_empty()
                || (!other.names.is_empty() && other.names.iter().all(|it| self.names.contains(it))))
    }

    fn shown(&self) -> String {
        let parts = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let parts = parts.iter().filter(|(_, items)| !items.is_empty());
        let parts: Vec<String> = parts.map(|(name, items)| format!("{name}:{}", list(items))).collect();
        format!("{{{}}}", parts.join(", "))
    }
}

/// Rules of one resource each, with all verbs in one.
fn compacted(rules: Vec<Rule>) -> Vec<Rule> {
    let mut by_resource: BTreeMap<[Vec<String>; 3], Rule> = BTreeMap::new();
    let mut out = Vec::new();
    for rule in rules {
        if !rule.urls.is_empty() {
            out.push(rule);
            continue;
        }
        let key = [rule.groups.clone(), rule.resources.clone(), rule.names.clone()];
        match by_resource.get_mut(&key) {
            Some(same) => same.verbs.extend(rule.verbs),
            None => {
                by_resource.insert(key, rule);
            }
        }
    }
    out.extend(by_resource.into_values());
    out
}

/// A list as Go prints it with `%q`.
fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|it| format!("{it:?}")).collect();
    format!("[{}]", items.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_told_by_resource() {
        let held =
            Rule::of(&json!({"apiGroups": [""], "resources": ["pods", "*/log"], "verbs": ["get", "list"]}));
        let asked = json!({"apiGroups": [""], "resources": ["pods", "pods/log", "secrets"], "verbs": ["get", "delete"]});
        let missing: Vec<Rule> =
            Rule::of(&asked).broken_down().into_iter().filter(|rule| !held.covers(rule)).collect();
        let lines: Vec<String> = compacted(missing).iter().map(Rule::shown).collect();
        assert_eq!(
            lines,
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}"#,
                r#"{APIGroups:[""], Resources:["pods/log"], Verbs:["delete"]}"#,
                r#"{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}"#,
            ]
        );
    }

    #[test]
    fn a_rule_for_one_name_does_not_cover_all() {
        let held = Rule::of(
            &json!({"apiGroups": ["*"], "resources": ["*"], "resourceNames": ["a"], "verbs": ["*"]}),
        );
        let one = Rule::of(
            &json!({"apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"], "verbs": ["get"]}),
        );
        let all = Rule::of(&json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}));
        assert!(held.covers(&one) && !held.covers(&all));
    }
}
