//! `kubectl create`: from a file, or by one of its generators.
//!
//! THE REGISTRY of generators is [`GENERATORS`]. Source: kubectl `pkg/cmd/create`.

mod access;
mod config;
mod service;
mod token;
mod workload;

pub(super) use token::{bearer, owner as token_owner};

use api::Kind;
use serde_json::{Map, Value, json};

use crate::kubectl::{
    Done, Fail, Kube,
    apply::DryRun,
    edit::{self, Opened},
    field,
    print::{self, Format},
    resource::typed,
    source::Manifest,
};

/// What a generator makes of the arguments after its name.
type Generate = fn(&mut Kube<'_, '_>, &[String]) -> Done<(Kind, Value)>;

/// Every generator: its name and what it makes.
const GENERATORS: &[(&str, Generate)] = &[
    ("clusterrole", access::cluster_role),
    ("clusterrolebinding", access::cluster_role_binding),
    ("configmap", config::config_map),
    ("cronjob", workload::cron_job),
    ("deployment", workload::deployment),
    ("ingress", service::ingress),
    ("job", workload::job),
    ("namespace", config::namespace),
    ("poddisruptionbudget", workload::disruption_budget),
    ("priorityclass", config::priority_class),
    ("quota", config::quota),
    ("role", access::role),
    ("rolebinding", access::role_binding),
    ("secret", config::secret),
    ("service", service::service),
    ("serviceaccount", config::account),
];

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let mut args = kube.given.args.clone();
    if let Some(path) = kube.given.value("raw").map(str::to_owned) {
        return super::raw::create(kube, &path);
    }
    if args.is_empty() {
        return from_files(kube);
    }
    let word = args.remove(0);
    if word == "token" {
        return token::run(kube, &args);
    }
    let Some((_, generate)) = GENERATORS.iter().find(|(name, _)| *name == word) else {
        return Fail::error(format!(
            "Unexpected args: [{word}{}]\nSee 'kubectl create -h' for help and examples",
            args.iter().map(|a| format!(" {a}")).collect::<String>()
        ));
    };
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    if let Some(other) = kube
        .given
        .value("validate")
        .filter(|it| !matches!(*it, "" | "strict" | "true" | "warn" | "ignore" | "false"))
    {
        return Fail::error(format!(
            "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore (or false)"
        ));
    }
    let (kind, mut object) = generate(kube, &args)?;
    let info = kind.info();
    object["apiVersion"] = info.api_version().into();
    object["kind"] = info.kind.into();
    let namespaced = info.scope == api::Scope::Namespaced;
    if namespaced && let Some(namespace) = kube.given.value("namespace") {
        object["metadata"]["namespace"] = namespace.into();
    }
    if kube.given.on("append-hash") {
        let hash = super::kustomize::hashed(&object, field::name(&object));
        object["metadata"]["name"] = format!("{}-{hash}", field::name(&object)).into();
    }
    let name = field::name(&object).to_owned();
    object = super::apply::saved_typed(kube, object);
    if dry != DryRun::Client {
        let namespace = if namespaced { kube.namespace()? } else { String::new() };
        let server_type = field::text(&object, "spec.type").to_owned();
        object = kube
            .create(kind, &namespace, object, dry == DryRun::Server)
            .map_err(|fail| failed(kind, &server_type, fail))?;
    }
    match format {
        Some(Format::Json) => {
            print::hide_managed(&mut object, kube);
            kube.out.line(&print::typed::json(&object));
            Ok(())
        }
        Some(format) => print::structured(kube, &format, object),
        None => {
            kube.out.line(&format!("{} created{}", typed(kind, &name), dry.suffix()));
            Ok(())
        }
    }
}

/// Most generators wrap a refusal in words of their own.
fn failed(kind: Kind, server_type: &str, fail: Fail) -> Fail {
    let what = match kind {
        Kind::ClusterRoleBinding => "clusterrolebinding:",
        Kind::ConfigMap => "configmap:",
        Kind::CronJob => "cronjob:",
        Kind::Deployment => "deployment:",
        Kind::Ingress => "ingress:",
        Kind::Job => "job:",
        Kind::PodDisruptionBudget => "poddisruptionbudgets:",
        Kind::PriorityClass => "priorityclass:",
        Kind::ResourceQuota => "quota:",
        Kind::RoleBinding => "rolebinding:",
        Kind::Secret => "secret",
        Kind::Service => &format!("{server_type} service:"),
        Kind::ServiceAccount => "serviceaccount:",
        _ => return fail,
    };
    match fail {
        Fail::Server(status) => Fail::Error(format!("failed to create {what} {}", status.message)),
        other => other,
    }
}

fn from_files(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?;
    if !kube.given.has("filename") {
        return Fail::error("must specify one of -f and -k");
    }
    let dry = DryRun::of(kube)?;
    let mut failed = Vec::new();
    if kube.given.on("edit") {
        for manifest in kube.manifests()? {
            failed.extend(manifest.and_then(|manifest| edited(kube, manifest)).err());
        }
        return super::get::finish(kube, failed);
    }
    for manifest in kube.manifests()? {
        let done = manifest.and_then(|m| {
            if dry == DryRun::Client {
                let name = m.name.clone();
                return Ok((typed(m.kind, &name), super::apply::saved(kube, m.value)));
            }
            let sent = kube.validated(m.kind, &m.value);
            let sent = super::apply::saved(kube, sent);
            let object = kube
                .create(m.kind, &m.namespace, sent, dry == DryRun::Server)
                .map_err(|fail| fail.when("creating", &m.source))?;
            Ok((typed(m.kind, field::name(&object)), object))
        });
        match (done, &format) {
            (Ok((_, object)), Some(format)) => print::structured(kube, format, object)?,
            (Ok((line, _)), None) => kube.out.line(&format!("{line} created{}", dry.suffix())),
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

/// `--edit`: an object is made of what an editor leaves of it.
fn edited(kube: &mut Kube<'_, '_>, manifest: Manifest) -> Done {
    let Manifest { kind, namespace, name, value, .. } = manifest;
    let named = edit::named(kind, &name);
    let opened = Opened { head: edit::HEAD, text: &api::emit::yaml(&value), json: false, named, again: None };
    edit::open(kube, opened, |kube, objects, _| {
        for wanted in objects {
            let sent = super::apply::saved(kube, wanted);
            let object = kube.create(kind, &namespace, sent, false)?;
            kube.out.line(&format!("{} created", typed(kind, field::name(&object))));
        }
        Ok(())
    })
}

/// The one name that a generator wants; `path` is its own name.
fn one_name(path: &str, args: &[String]) -> Done<String> {
    match args {
        [name] => Ok(name.clone()),
        _ => Fail::error(format!(
            "exactly one NAME is required, got {}\nSee 'kubectl create {path} -h' for help and examples",
            args.len()
        )),
    }
}

/// `metadata` with a name, as kubectl's generators write it.
fn metadata(name: &str) -> Value {
    json!({"creationTimestamp": null, "name": name})
}

/// `a=1,b=2` as a map.
fn pairs(text: &str) -> Map<String, Value> {
    text.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.into())).collect()
}
