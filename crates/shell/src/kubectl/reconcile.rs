//! `kubectl auth reconcile`: roles and bindings as a file has them, what is more is kept.
//!
//! Source: kubectl v1.32 `pkg/cmd/auth/reconcile.go`, component-helpers `auth/rbac/reconciliation`.

use api::Kind;
use serde_json::Value;

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print, resource::typed};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    if !kube.given.has("filename") {
        return Fail::error("must specify one of -f and -k");
    }
    let dry = DryRun::of(kube)?;
    let format = print::format(kube, false)?;
    let mut failed = Vec::new();
    for manifest in kube.manifests()? {
        let manifest = manifest?;
        let (extra, list) = match manifest.kind {
            Kind::Role | Kind::ClusterRole => ("remove-extra-permissions", "rules"),
            Kind::RoleBinding | Kind::ClusterRoleBinding => ("remove-extra-subjects", "subjects"),
            // UPSTREAM: other kinds are passed over without a word.
            _ => continue,
        };
        let (kind, namespace, name) = (manifest.kind, manifest.namespace, manifest.name);
        let done = match kube.get(kind, &namespace, &name) {
            Err(fail) if fail.is_not_found() && dry == DryRun::Client => Ok(manifest.value),
            Err(fail) if fail.is_not_found() => {
                kube.create(kind, &namespace, manifest.value, dry == DryRun::Server)
            }
            Err(fail) => Err(fail),
            Ok(live) => {
                let wanted = merged(&live, &manifest.value, list, kube.given.on(extra));
                if wanted == live || dry == DryRun::Client {
                    Ok(wanted)
                } else {
                    kube.update(kind, &namespace, &name, wanted, dry == DryRun::Server)
                }
            }
        };
        match (done, &format) {
            (Ok(object), Some(format)) => print::structured(kube, format, object)?,
            (Ok(_), None) => kube.out.line(&format!("{} reconciled{}", typed(kind, &name), dry.suffix())),
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// What there is with what the file has more; only what the file has where extras shall go.
fn merged(live: &Value, file: &Value, list: &str, remove: bool) -> Value {
    let mut wanted = live.clone();
    for part in ["labels", "annotations"] {
        for (key, value) in field::map(field::at(file, "metadata"), part) {
            let all = field::make(&mut wanted, &format!("metadata.{part}"));
            if all.is_null() {
                *all = serde_json::json!({});
            }
            all[key] = value.clone();
        }
    }
    let given = field::list(file, list);
    let mut all = if remove { Vec::new() } else { field::list(live, list).to_vec() };
    // A subject's group is filled in by the server.
    let same = |a: &Value, b: &Value| match list {
        "subjects" => ["kind", "name", "namespace"].iter().all(|it| field::text(a, it) == field::text(b, it)),
        _ => a == b,
    };
    let more: Vec<Value> = given.iter().filter(|it| !all.iter().any(|own| same(own, it))).cloned().collect();
    all.extend(more);
    if !all.is_empty() || remove {
        *field::make(&mut wanted, list) = all.into();
    }
    wanted
}
