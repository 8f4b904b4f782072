//! `kubectl auth reconcile`: roles and bindings as a file has them, what is more is kept.
//!
//! What was missing or too much is told on standard error.
//! Source: kubectl v1.32 `pkg/cmd/auth/reconcile.go`, component-helpers `auth/rbac/reconciliation`.

use api::Kind;
use cluster::{Propagation, apiserver::beyond};
use serde_json::{Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    field::{self, list, text},
    print,
    resource::typed,
};

/// What has to be done, and why.
#[derive(Default)]
struct Plan {
    /// `create`, `update`, `recreate`, or nothing.
    required: &'static str,
    /// What the file has and the cluster has not.
    missing: Vec<Value>,
    /// What the cluster has and the file has not.
    extra: Vec<Value>,
}

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    if !kube.given.has("filename") {
        return Fail::error("must specify one of -f and -k");
    }
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    let mut failed = Vec::new();
    for manifest in kube.manifests()? {
        let manifest = manifest?;
        let (removes, part) = match manifest.kind {
            Kind::Role | Kind::ClusterRole => ("remove-extra-permissions", "rules"),
            Kind::RoleBinding | Kind::ClusterRoleBinding => ("remove-extra-subjects", "subjects"),
            // UPSTREAM: other kinds are passed over without a word.
            _ => continue,
        };
        let removes = kube.given.on(removes);
        let (kind, namespace, name) = (manifest.kind, manifest.namespace, manifest.name);
        let planned = match kube.get(kind, &namespace, &name) {
            Err(fail) if fail.is_not_found() => {
                let missing = list(&manifest.value, part).to_vec();
                Ok((manifest.value, Plan { required: "create", missing, ..Plan::default() }))
            }
            Err(fail) => Err(fail),
            Ok(live) => Ok(planned(&live, &manifest.value, part, removes)),
        };
        let done = planned.and_then(|(wanted, plan)| {
            let on_server = dry == DryRun::Server;
            let object = match plan.required {
                "" => wanted,
                _ if dry == DryRun::Client => wanted,
                "update" => kube.update(kind, &namespace, &name, wanted, on_server)?,
                _ => {
                    if plan.required == "recreate" {
                        kube.remove((kind, &namespace, &name), None, Propagation::Background, on_server)?;
                    }
                    kube.create(kind, &namespace, wanted, on_server)?
                }
            };
            Ok((object, plan))
        });
        match done {
            Ok((object, plan)) => {
                match &format {
                    Some(format) => print::structured(kube, format, object)?,
                    None => kube.out.line(&format!("{} reconciled{}", typed(kind, &name), dry.suffix())),
                }
                tell(kube, &plan, part, removes);
            }
            Err(fail) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

fn tell(kube: &mut Kube<'_, '_>, plan: &Plan, part: &str, removes: bool) {
    if plan.required.is_empty() {
        return;
    }
    kube.out.err(&format!("\treconciliation required {}", plan.required));
    for (items, done) in [(&plan.missing, "missing {} added"), (&plan.extra, "extra {} removed")] {
        if items.is_empty() || (done.starts_with("extra") && !removes) {
            continue;
        }
        kube.out.err(&format!("\t{}:", done.replace("{}", part)));
        for item in items {
            kube.out.err(&format!("\t\t{}", shown(item, part)));
        }
    }
}

/// A rule or a subject as Go's `%+v` prints it.
fn shown(item: &Value, part: &str) -> String {
    let fields: &[(&str, &str)] = if part == "rules" {
        &[
            ("Verbs", "verbs"),
            ("APIGroups", "apiGroups"),
            ("Resources", "resources"),
            ("ResourceNames", "resourceNames"),
            ("NonResourceURLs", "nonResourceURLs"),
        ]
    } else {
        &[("Kind", "kind"), ("APIGroup", "apiGroup"), ("Name", "name"), ("Namespace", "namespace")]
    };
    let parts = fields.iter().map(|(title, key)| {
        let words: Vec<String> = list(item, key).iter().map(field::word).collect();
        if part == "rules" {
            format!("{title}:[{}]", words.join(" "))
        } else {
            format!("{title}:{}", text(item, key))
        }
    });
    format!("{{{}}}", parts.collect::<Vec<_>>().join(" "))
}

/// What there is with what the file has more; only what the file has where extras shall go.
fn planned(live: &Value, file: &Value, part: &str, removes: bool) -> (Value, Plan) {
    let mut plan = Plan::default();
    if part == "subjects" && live["roleRef"] != file["roleRef"] {
        plan.required = "recreate";
        return (file.clone(), plan);
    }
    let mut wanted = live.clone();
    for marks in ["labels", "annotations"] {
        for (key, value) in field::map(field::at(file, "metadata"), marks) {
            let all = field::make(&mut wanted, &format!("metadata.{marks}"));
            if all.is_null() {
                *all = json!({});
            }
            // UPSTREAM: what is there stays.
            if all.get(key).is_none() {
                all[key] = value.clone();
            }
        }
    }
    let (own, given) = (list(live, part), list(file, part));
    if part == "rules" {
        (plan.missing, plan.extra) = (beyond(own, given), beyond(given, own));
    } else {
        let without = |all: &[Value], but: &[Value]| {
            let mut left: Vec<Value> = Vec::new();
            for it in all {
                if !but.contains(it) && !left.contains(it) {
                    left.push(it.clone());
                }
            }
            left
        };
        (plan.missing, plan.extra) = (without(given, own), without(own, given));
    }
    if removes && !(plan.missing.is_empty() && plan.extra.is_empty()) {
        *field::make(&mut wanted, part) = given.into();
    } else if !plan.missing.is_empty() {
        *field::make(&mut wanted, part) = [own, &plan.missing].concat().into();
    }
    if wanted != *live {
        plan.required = "update";
    }
    (wanted, plan)
}
