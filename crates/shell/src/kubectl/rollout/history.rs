//! `kubectl rollout history`. Source: kubectl `pkg/polymorphichelpers/history.go`, `pkg/cmd/rollout/rollout_history.go`.

use api::Kind;
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    client::Selection,
    describe::template,
    field::{self, at, int as number, list},
    print::{self, Format},
    resource::typed,
    rollout::{Place, REVISION},
};

const CAUSE: &str = "kubernetes.io/change-cause";

pub(super) fn run(kube: &mut Kube<'_, '_>, place: Place<'_>) -> Done {
    let (kind, namespace, name) = place;
    kube.get(kind, namespace, name)?;
    has_history(kind, "history", "history viewer")?;
    let all = revisions(kube, place)?;
    let wanted = kube.given.int("revision").unwrap_or(0);
    if let Some(format) = print::format(kube, false)? {
        if wanted > 0 && !all.iter().any(|it| it.number == wanted) {
            return Fail::error("unable to find the specified revision");
        }
        let chosen: Vec<Revision> = all.into_iter().filter(|it| wanted == 0 || it.number == wanted).collect();
        for (i, revision) in chosen.into_iter().enumerate() {
            let object = print::typed::of_client(revision.kind, revision.object);
            match format {
                Format::Json => {
                    let mut object = object;
                    print::hide_managed(&mut object, kube);
                    kube.out.line(&print::typed::json(&object));
                }
                Format::Yaml if i > 0 => {
                    kube.out.line("---");
                    print::structured(kube, &format, object)?;
                }
                _ => print::structured(kube, &format, object)?,
            }
        }
        return Ok(());
    }
    let header = typed(kind, name);
    if wanted > 0 {
        let Some(chosen) = all.iter().find(|it| it.number == wanted) else {
            return Fail::error("unable to find the specified revision");
        };
        let text = template::bare(&chosen.template);
        kube.out.out(&format!("{header} with revision #{wanted}\n{text}\n"));
        return Ok(());
    }
    kube.out.out(&format!("{header} \nREVISION  CHANGE-CAUSE\n"));
    for Revision { number, cause, .. } in all {
        let cause = if cause.is_empty() { "<none>" } else { &cause };
        kube.out.line(&format!("{number:<10}{cause}"));
    }
    kube.out.out("\n");
    Ok(())
}

/// Whether a kind keeps its old templates.
pub(super) fn has_history(kind: Kind, sought: &str, what: &str) -> Done {
    let info = kind.info();
    match kind {
        Kind::Deployment | Kind::DaemonSet | Kind::StatefulSet => Ok(()),
        Kind::Pod | Kind::ReplicationController | Kind::ReplicaSet | Kind::Job | Kind::CronJob => {
            let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
            Fail::error(format!("no {what} has been implemented for \"{}{group}\"", info.kind))
        }
        _ => {
            let group = if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
            Fail::error(format!(
                "error retrieving {sought} for \"{}{group}\", no visitor method exists for {{{} {}}}",
                info.kind, info.group, info.kind
            ))
        }
    }
}

/// One of an object's old templates.
pub(super) struct Revision {
    pub number: i64,
    pub cause: String,
    pub template: Value,
    /// What its ReplicaSet, or its ControllerRevision, carries.
    pub annotations: serde_json::Map<String, Value>,
    /// The ReplicaSet, or the object itself as it was.
    object: Value,
    /// The kind of that.
    kind: Kind,
}

/// The revisions of an object, oldest first.
pub(super) fn revisions(kube: &mut Kube<'_, '_>, (kind, namespace, name): Place<'_>) -> Done<Vec<Revision>> {
    let owner = kube.get(kind, namespace, name)?;
    let labels = field::selector(at(&owner, "spec.selector"), "");
    let selection = Selection { labels, fields: String::new() };
    let history = if kind == Kind::Deployment { Kind::ReplicaSet } else { Kind::ControllerRevision };
    let owned = kube.list(history, namespace, &selection)?;
    let mut all: Vec<Revision> = owned
        .iter()
        .filter(|o| {
            list(o, "metadata.ownerReferences").iter().any(|r| at(r, "uid") == at(&owner, "metadata.uid"))
        })
        .map(|o| {
            let annotations = at(o, "metadata.annotations").as_object().cloned().unwrap_or_default();
            let annotation = |key: &str| annotations.get(key).map(field::word).unwrap_or_default();
            let cause = annotation(CAUSE);
            let (number, template) = if kind == Kind::Deployment {
                let mut template = at(o, "spec.template").clone();
                if !cause.is_empty() {
                    field::make(&mut template, "metadata.annotations")[CAUSE] = cause.clone().into();
                }
                (annotation(REVISION).parse().unwrap_or(0), template)
            } else {
                let mut template = at(o, "data.spec.template").clone();
                // How the controller wants the template to be merged is no part of it.
                if let Value::Object(fields) = &mut template {
                    fields.remove("$patch");
                }
                (number(o, "revision"), template)
            };
            let (kind, object) = if kind == Kind::Deployment {
                (history, o.clone())
            } else {
                let mut then = owner.clone();
                then["spec"]["template"] = template.clone();
                (kind, then)
            };
            Revision { number, cause, template, annotations, object, kind }
        })
        .collect();
    all.sort_by_key(|it| it.number);
    Ok(all)
}
