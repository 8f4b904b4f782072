//! `kubectl auth`: what may I do, and who am I?
//!
//! The answers are the server's reviews. Source: kubectl `pkg/cmd/auth`.

use api::{Kind, Scope};
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    client::Target,
    field::{at, list, text, word},
    print::{self, table::Table},
    rules,
};

/// Verbs of the API that `can-i` does not wonder about.
const VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
    "*",
    "use",
    "bind",
    "approve",
    "sign",
    "escalate",
    "impersonate",
    "proxy",
    "attest",
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    match args.split_first() {
        Some((word, rest)) if word == "can-i" => can_i(kube, rest),
        Some((word, _)) if word == "whoami" => whoami(kube),
        Some((word, _)) if word == "reconcile" => super::reconcile::run(kube),
        Some((word, _)) => {
            Fail::error(format!("unknown command {word:?}\nSee 'kubectl auth -h' for help and examples"))
        }
        None => Err(Fail::Exit(1)),
    }
}

fn can_i(kube: &mut Kube<'_, '_>, args: &[String]) -> Done {
    let listing = kube.given.on("list");
    let every = kube.given.on("all-namespaces");
    if listing {
        if !args.is_empty() {
            return Fail::error("list option must be specified with no arguments");
        }
        if kube.given.on("quiet") || every || kube.given.has("subresource") {
            return Fail::error(
                "list option can't be specified with neither quiet, all-namespaces nor subresource options",
            );
        }
        return rules_of(kube);
    }
    let [verb, what] = args else {
        return Fail::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        );
    };
    let namespace = if every { String::new() } else { kube.namespace()? };
    let spec = if what.starts_with('/') {
        if !matches!(verb.as_str(), "get" | "put" | "post" | "head" | "options" | "delete" | "patch" | "*") {
            warn(kube, &format!("verb '{verb}' is not a known verb"));
        }
        json!({"nonResourceAttributes": {"verb": verb, "path": what}})
    } else {
        let (typed, name) = what.split_once('/').unwrap_or((what, ""));
        let kind = kube.known(typed);
        if kind.is_none() && !matches!(typed, "*" | "users" | "groups") {
            match typed.split_once('.') {
                Some((resource, group)) => warn(
                    kube,
                    &format!("the server doesn't have a resource type '{resource}' in group '{group}'"),
                ),
                None => warn(kube, &format!("the server doesn't have a resource type '{typed}'")),
            }
        }
        if let Some(info) = kind.map(Kind::info).filter(|i| i.scope != Scope::Namespaced && !every) {
            let group =
                if info.group.is_empty() { String::new() } else { format!(" in group '{}'", info.group) };
            warn(kube, &format!("resource '{}' is not namespace scoped{group}", info.plural));
        }
        if !every && !VERBS.contains(&verb.as_str()) {
            warn(kube, &format!("verb '{verb}' is not a known verb"));
        }
        let (group, plural) = kind.map_or(("", typed), |k| (k.info().group, k.info().plural));
        let part = kube.given.value("subresource").unwrap_or_default();
        json!({"resourceAttributes": {"verb": verb, "group": group, "resource": plural, "subresource": part,
            "namespace": namespace, "name": name}})
    };
    if kube.given.on("no-headers") {
        return Fail::error("--no-headers cannot be set without --list specified");
    }
    let review = kube.create(Kind::SelfSubjectAccessReview, "", json!({"spec": spec}), false)?;
    let allowed = at(&review, "status.allowed") == &Value::Bool(true);
    if !kube.given.on("quiet") {
        let reason = text(&review, "status.reason");
        kube.out.line(&match (allowed, reason) {
            (true, _) => "yes".to_owned(),
            (false, "") => "no".to_owned(),
            (false, reason) => format!("no - {reason}"),
        });
    }
    if allowed { Ok(()) } else { Err(Fail::Exit(1)) }
}

/// UPSTREAM: these warnings end with a line of their own.
fn warn(kube: &mut Kube<'_, '_>, text: &str) {
    kube.out.err(&format!("Warning: {text}\n"));
}

fn rules_of(kube: &mut Kube<'_, '_>) -> Done {
    let namespace = kube.namespace()?;
    let asked = json!({"spec": {"namespace": namespace}});
    let review = kube.create(Kind::SelfSubjectRulesReview, "", asked, false)?;
    let mut all = list(&review, "status.resourceRules").to_vec();
    all.extend_from_slice(list(&review, "status.nonResourceRules"));
    let mut table = Table::default();
    if !kube.given.on("no-headers") {
        table.row(["Resources", "Non-Resource URLs", "Resource Names", "Verbs"].map(str::to_owned).to_vec());
    }
    for rule in rules::compact(&all) {
        let shown = |words: &[String]| format!("[{}]", words.join(" "));
        table.row(vec![rule.resource(), shown(&rule.urls), shown(&rule.names), shown(&rule.verbs)]);
    }
    kube.out.out(&table.print());
    Ok(())
}

fn whoami(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?;
    let Target { uid, extra, .. } = kube.target()?;
    let mut review = match kube.create(Kind::SelfSubjectReview, "", json!({}), false) {
        Err(Fail::Server(status)) if status.reason == "Forbidden" => {
            return Fail::error(
                "the selfsubjectreviews API is not enabled in the cluster or you do not have permission to call it",
            );
        }
        other => other?,
    };
    if !uid.is_empty() {
        review["status"]["userInfo"]["uid"] = uid.into();
    }
    for (name, value) in &extra {
        review["status"]["userInfo"]["extra"][*name] = json!([value]);
    }
    if let Some(format) = format {
        let now = kube.shell.world.stamp(kube.shell.world.now()).0.to_string();
        review["metadata"] = json!({"creationTimestamp": now});
        if let print::Format::Json = format {
            kube.out.line(&print::typed::json(&review));
            return Ok(());
        }
        return print::structured(kube, &format, review);
    }
    let user = at(&review, "status.userInfo");
    let mut table = Table::default();
    table.row(vec!["ATTRIBUTE".to_owned(), "VALUE".to_owned()]);
    for (title, value) in [("Username", text(user, "username")), ("UID", text(user, "uid"))] {
        if !value.is_empty() {
            table.row(vec![title.to_owned(), value.to_owned()]);
        }
    }
    let groups: Vec<String> = list(user, "groups").iter().map(word).collect();
    if !groups.is_empty() {
        table.row(vec!["Groups".to_owned(), format!("[{}]", groups.join(" "))]);
    }
    for (name, value) in extra {
        table.row(vec![format!("Extra: {name}"), format!("[{value}]")]);
    }
    kube.out.out(&table.print());
    Ok(())
}
