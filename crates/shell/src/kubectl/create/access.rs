//! Roles and their bindings.

use api::Kind;
use serde_json::{Value, json};

use super::{metadata, one_name};
use crate::kubectl::{Done, Fail, Kube, resource};

pub(super) fn role(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    Ok((Kind::Role, json!({"metadata": metadata(&name), "rules": rules(kube)?})))
}

pub(super) fn cluster_role(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let urls = kube.given.list("non-resource-url");
    let rules = if urls.is_empty() {
        rules(kube)?
    } else {
        json!([{"nonResourceURLs": urls, "verbs": kube.given.list("verb")}])
    };
    Ok((Kind::ClusterRole, json!({"metadata": metadata(&name), "rules": rules})))
}

fn rules(kube: &Kube<'_, '_>) -> Done<Value> {
    let verbs = kube.given.list("verb");
    if verbs.is_empty() {
        return Fail::error("at least one verb must be specified");
    }
    let words = kube.given.list("resource");
    if words.is_empty() {
        return Fail::error("at least one resource must be specified");
    }
    // One rule per API group, in the order the groups were named.
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in words {
        let (base, part) = word.split_once('/').map_or((word, None), |(b, p)| (b, Some(p)));
        let (group, plural) = if base == "*" {
            ("*".to_owned(), "*".to_owned())
        } else {
            let kind = resource::kind(base)?;
            (kind.info().group.to_owned(), kind.info().plural.to_owned())
        };
        let plural = part.map_or(plural.clone(), |p| format!("{plural}/{p}"));
        match groups.iter_mut().find(|(g, _)| *g == group) {
            Some((_, plurals)) => plurals.push(plural),
            None => groups.push((group, vec![plural])),
        }
    }
    let names = kube.given.list("resource-name");
    let rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = names.iter().copied().collect();
            }
            rule
        })
        .collect();
    Ok(rules.into())
}

pub(super) fn role_binding(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let (kind, role) = match (kube.given.value("clusterrole"), kube.given.value("role")) {
        (Some(_), Some(_)) | (None, None) => {
            return Fail::error("exactly one of clusterrole or role must be specified");
        }
        (Some(role), None) => ("ClusterRole", role.to_owned()),
        (None, Some(role)) => ("Role", role.to_owned()),
    };
    let subjects = subjects(kube)?;
    Ok((Kind::RoleBinding, binding(&name, kind, &role, subjects)))
}

pub(super) fn cluster_role_binding(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name(args)?;
    let role = super::required(kube, "clusterrole")?;
    let subjects = subjects(kube)?;
    Ok((Kind::ClusterRoleBinding, binding(&name, "ClusterRole", &role, subjects)))
}

fn binding(name: &str, kind: &str, role: &str, subjects: Vec<Value>) -> Value {
    let mut object = json!({"metadata": metadata(name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}});
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    object
}

fn subjects(kube: &Kube<'_, '_>) -> Done<Vec<Value>> {
    let mut all = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        all.extend(
            kube.given
                .list(flag)
                .into_iter()
                .map(|name| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})),
        );
    }
    for account in kube.given.list("serviceaccount") {
        let Some((namespace, name)) = account.split_once(':').filter(|(n, a)| !n.is_empty() && !a.is_empty())
        else {
            return Fail::error("serviceaccount must be <namespace>:<name>");
        };
        all.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    Ok(all)
}
