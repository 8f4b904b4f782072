//! `kubectl create`: from a file, or by one of its generators.
//!
//! THE REGISTRY of generators is [`GENERATORS`]. Source: kubectl `pkg/cmd/create`.

mod access;
mod config;
mod help;
mod service;
mod token;
mod workload;

pub(super) use token::owner as token_owner;

use api::Kind;
use serde_json::{Map, Value, json};

use crate::{
    flag::{Flag, int, optional, short_int, switch, value},
    kubectl::{
        Done, Fail, Kube,
        apply::DryRun,
        field,
        print::{self, Format},
        resource::typed,
    },
};

pub(super) const BELOW: &[&str] = &[
    "clusterrole",
    "clusterrolebinding",
    "configmap",
    "cronjob",
    "deployment",
    "ingress",
    "job",
    "namespace",
    "poddisruptionbudget",
    "priorityclass",
    "quota",
    "role",
    "rolebinding",
    "secret",
    "service",
    "serviceaccount",
    "token",
];

pub(super) const FLAGS: &[Flag] = &[
    value("filename", 'f'),
    value("kustomize", 'k'),
    value("output", 'o'),
    value("template", '\0'),
    value("selector", 'l'),
    value("field-manager", '\0'),
    value("raw", '\0'),
    optional("dry-run", "unchanged"),
    optional("validate", "strict"),
    switch("edit", '\0'),
    switch("recursive", 'R'),
    switch("save-config", '\0'),
    switch("show-managed-fields", '\0'),
    switch("windows-line-endings", '\0'),
    value("image", '\0'),
    short_int("replicas", 'r'),
    int("port"),
    value("from-literal", '\0'),
    value("from-file", '\0'),
    value("from-env-file", '\0'),
    value("from", '\0'),
    value("type", '\0'),
    value("tcp", '\0'),
    value("aggregation-rule", '\0'),
    value("bound-object-kind", '\0'),
    value("bound-object-name", '\0'),
    int("node-port"),
    value("clusterip", '\0'),
    value("external-name", '\0'),
    value("verb", '\0'),
    value("resource", '\0'),
    value("resource-name", '\0'),
    value("non-resource-url", '\0'),
    value("role", '\0'),
    value("clusterrole", '\0'),
    value("group", '\0'),
    value("serviceaccount", '\0'),
    value("hard", '\0'),
    value("scopes", '\0'),
    value("schedule", '\0'),
    value("restart", '\0'),
    value("class", '\0'),
    value("rule", '\0'),
    value("annotation", '\0'),
    value("default-backend", '\0'),
    value("min-available", '\0'),
    value("max-unavailable", '\0'),
    int("value"),
    value("description", '\0'),
    value("preemption-policy", '\0'),
    value("docker-server", '\0'),
    value("docker-username", '\0'),
    value("docker-password", '\0'),
    value("docker-email", '\0'),
    value("cert", '\0'),
    value("key", '\0'),
    value("duration", '\0'),
    value("audience", '\0'),
    switch("append-hash", '\0'),
    switch("global-default", '\0'),
];

/// What a generator makes of the arguments after its name.
type Generate = fn(&mut Kube<'_, '_>, &[String]) -> Done<(Kind, Value)>;

/// Every generator: its names and what it makes.
const GENERATORS: &[(&[&str], Generate)] = &[
    (&["clusterrole"], access::cluster_role),
    (&["clusterrolebinding"], access::cluster_role_binding),
    (&["configmap", "cm"], config::config_map),
    (&["cronjob", "cj"], workload::cron_job),
    (&["deployment", "deploy", "dep"], workload::deployment),
    (&["ingress", "ing"], service::ingress),
    (&["job"], workload::job),
    (&["namespace", "ns"], config::namespace),
    (&["poddisruptionbudget", "pdb"], workload::disruption_budget),
    (&["priorityclass", "pc"], config::priority_class),
    (&["quota", "resourcequota"], config::quota),
    (&["role"], access::role),
    (&["rolebinding"], access::role_binding),
    (&["secret"], config::secret),
    (&["service", "svc"], service::service),
    (&["serviceaccount", "sa"], config::account),
];

/// The name of a generator by any of its names.
pub(super) fn canonical(word: &str) -> &str {
    let known = GENERATORS.iter().find(|(names, _)| names.contains(&word));
    known.and_then(|(names, _)| names.first()).copied().unwrap_or(word)
}

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
    if args.is_empty() && matches!(word.as_str(), "secret" | "service" | "svc") {
        kube.out.err(if word == "secret" { help::SECRET } else { help::SERVICE });
        return Err(Fail::Exit(1));
    }
    let Some((_, generate)) = GENERATORS.iter().find(|(names, _)| names.contains(&word.as_str())) else {
        return Fail::error(format!(
            "Unexpected args: [{word}{}]\nSee 'kubectl create -h' for help and examples",
            args.iter().map(|a| format!(" {a}")).collect::<String>()
        ));
    };
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let (kind, mut object) = generate(kube, &args)?;
    let info = kind.info();
    object["apiVersion"] = info.api_version().into();
    object["kind"] = info.kind.into();
    let name = field::name(&object).to_owned();
    let namespaced = info.scope == api::Scope::Namespaced;
    if dry == DryRun::Client {
        if namespaced && let Some(namespace) = kube.given.value("namespace") {
            object["metadata"]["namespace"] = namespace.into();
        }
    } else {
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
    if !kube.given.has("filename") && !kube.given.has("kustomize") {
        return Fail::error("must specify one of -f and -k");
    }
    let dry = DryRun::of(kube)?;
    let mut failed = Vec::new();
    for manifest in kube.manifests()? {
        let done = manifest.and_then(|m| {
            if dry == DryRun::Client {
                let name = m.name.clone();
                return Ok((typed(m.kind, &name), m.value));
            }
            let sent = kube.validated(m.kind, &m.value);
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
