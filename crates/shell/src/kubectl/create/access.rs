//! Roles and their bindings.

use api::Kind;
use serde_json::{Value, json};

use super::{metadata, one_name};
use crate::kubectl::{Done, Fail, Kube};

pub(super) fn role(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("role", args)?;
    Ok((Kind::Role, json!({"metadata": metadata(&name), "rules": rules(kube, false)?})))
}

pub(super) fn cluster_role(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("clusterrole", args)?;
    let mut object = json!({"metadata": metadata(&name), "rules": null});
    let aggregated = kube.given.list("aggregation-rule").join(",");
    let said = ["verb", "resource", "resource-name", "non-resource-url"];
    if !aggregated.is_empty() && said.iter().any(|flag| kube.given.has(flag)) {
        return Fail::error(
            "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
        );
    }
    if aggregated.is_empty() {
        object["rules"] = rules(kube, true)?;
    } else {
        object["aggregationRule"] =
            json!({"clusterRoleSelectors": [{"matchLabels": super::pairs(&aggregated)}]});
    }
    Ok((Kind::ClusterRole, object))
}

/// Verbs that some resource has.
const VERBS: &[&str] = &[
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "approve",
    "sign",
    "escalate",
    "impersonate",
];

/// Whether a verb that only few resources have is one of this resource's.
fn may(verb: &str, group: &str, plural: &str) -> bool {
    match verb {
        "bind" | "escalate" => {
            group == "rbac.authorization.k8s.io" && matches!(plural, "roles" | "clusterroles")
        }
        "use" => plural == "podsecuritypolicies",
        "impersonate" => {
            matches!(
                (group, plural),
                ("", "users" | "serviceaccounts" | "groups") | ("authentication.k8s.io", "userextras")
            )
        }
        _ => true,
    }
}

fn rules(kube: &mut Kube<'_, '_>, cluster: bool) -> Done<Value> {
    let list = |flag: &str| {
        let mut all: Vec<String> = Vec::new();
        for word in kube.given.list(flag) {
            if !all.iter().any(|known| known == word) {
                all.push(word.to_owned());
            }
        }
        all
    };
    let (mut verbs, words, names) = (list("verb"), list("resource"), list("resource-name"));
    let urls = if cluster { list("non-resource-url") } else { Vec::new() };
    if verbs.is_empty() {
        return Fail::error("at least one verb must be specified");
    }
    if verbs.iter().any(|v| v == "*") {
        verbs = vec!["*".to_owned()];
    }
    let mut unknown = verbs.iter().filter(|v| !VERBS.contains(&v.as_str()));
    if !words.is_empty() || !cluster {
        for verb in unknown.by_ref() {
            kube.out.err(&format!("Warning: '{verb}' is not a standard resource verb"));
        }
    }
    if words.is_empty() && urls.is_empty() {
        return Fail::error(if cluster {
            "at least one resource or nonResourceURL must be specified"
        } else {
            "at least one resource must be specified"
        });
    }
    // One rule per API group, in the order the groups were named.
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for word in &words {
        let (base, part) = word.split_once('/').map_or((word.as_str(), None), |(b, p)| (b, Some(p)));
        let (group, plural) = if let ("*", group) = base.split_once('.').unwrap_or((base, "")) {
            (group.to_owned(), "*".to_owned())
        } else {
            let Some(kind) = kube.known(base) else {
                // UPSTREAM: the server's words stand alone.
                return Err(Fail::Plain(format!("the server doesn't have a resource type {base:?}")));
            };
            (kind.info().group.to_owned(), kind.info().plural.to_owned())
        };
        if plural != "*"
            && let Some(verb) = verbs.iter().find(|verb| !may(verb, &group, &plural))
        {
            return Fail::error(format!("can not perform '{verb}' on '{plural}' in group '{group}'"));
        }
        let plural = part.map_or(plural.clone(), |p| format!("{plural}/{p}"));
        match groups.iter_mut().find(|(g, _)| *g == group) {
            Some((_, plurals)) => plurals.push(plural),
            None => groups.push((group, vec![plural])),
        }
    }
    let of_urls =
        |verb: &str| matches!(verb, "get" | "put" | "post" | "head" | "options" | "delete" | "patch" | "*");
    if !urls.is_empty()
        && let Some(verb) = verbs.iter().find(|verb| !of_urls(verb))
    {
        return Fail::error(format!("invalid verb: '{verb}' for nonResourceURL"));
    }
    for url in urls.iter().filter(|url| *url != "*") {
        let Some(path) = url.strip_prefix('/') else {
            return Fail::error("nonResourceURL should start with /");
        };
        if path.find('*').is_some_and(|at| at + 1 < path.len()) {
            return Fail::error("nonResourceURL only supports wildcard matches when '*' is at the end");
        }
    }
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = names.clone().into();
            }
            rule
        })
        .collect();
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    Ok(rules.into())
}

pub(super) fn role_binding(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("rolebinding", args)?;
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
    let name = one_name("clusterrolebinding", args)?;
    let role = kube.given.value("clusterrole").unwrap_or_default().to_owned();
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
