//! `kubectl set subject`: for whom a binding is. Source: kubectl `pkg/cmd/set/set_subject.go`.

use api::Kind;
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube, field,
    set::{only_files, picked, send},
};

pub(super) fn run(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    only_files(kube)?;
    let all = picked(kube, args)?;
    let values =
        |flag: &str| -> Vec<String> { kube.given.list(flag).into_iter().map(str::to_owned).collect() };
    let (users, groups, accounts) = (values("user"), values("group"), values("serviceaccount"));
    if kube.given.on("all") && kube.given.has("selector") {
        return Fail::error("cannot set --all and --selector at the same time");
    }
    if users.is_empty() && groups.is_empty() && accounts.is_empty() {
        return Fail::error("you must specify at least one value of user, group or serviceaccount");
    }
    for account in &accounts {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, _] = parts.as_slice() else {
            return Fail::error("serviceaccount must be <namespace>:<name>");
        };
        if namespace.is_empty() && all.iter().any(|one| one.kind == Kind::ClusterRoleBinding) {
            return Fail::error("serviceaccount must be <namespace>:<name>, namespace must be specified");
        }
    }
    let own = if kube.given.on("local") { "default".to_owned() } else { kube.namespace()? };
    let named = |kind: &'static str| move |name: &String| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let mut wanted: Vec<Value> = users.iter().map(named("User")).collect();
    wanted.extend(groups.iter().map(named("Group")));
    wanted.extend(accounts.iter().map(|account| {
        let (namespace, name) = account.split_once(':').unwrap_or_default();
        let namespace = if namespace.is_empty() { own.as_str() } else { namespace };
        json!({"kind": "ServiceAccount", "name": name, "namespace": namespace})
    }));
    let mut failed = Vec::new();
    for one in all {
        if !matches!(one.kind, Kind::RoleBinding | Kind::ClusterRoleBinding) {
            failed.push(Fail::Error(format!(
                "{} setting subjects is only supported for RoleBinding/ClusterRoleBinding",
                one.shown()
            )));
            continue;
        }
        let mut after = one.live.clone();
        let mut subjects = field::list(&one.live, "subjects").to_vec();
        for subject in &wanted {
            if !subjects.contains(subject) {
                subjects.push(subject.clone());
            }
        }
        after["subjects"] = subjects.into();
        failed.extend(send(kube, &one, after, "subjects updated").err().map(|fail| match fail {
            Fail::Server(status) => {
                Fail::Error(format!("failed to patch subjects to rolebinding: {}", status.message))
            }
            other => other,
        }));
    }
    crate::kubectl::get::finish(kube, failed)
}
