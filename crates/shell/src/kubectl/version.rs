//! `kubectl version` and `kubectl cluster-info`.
//!
//! MODEL: `--match-server-version` is not looked at; the real one refuses every server that is not of its own build.

use serde_json::{Value, json};

use crate::kubectl::{Done, Fail, Kube, client::Selection, field, print::typed, raw};

/// The version of kubectl whose words these are.
pub const CLIENT: &str = "v1.32.5";
const KUSTOMIZE: &str = "v5.5.0";

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    if !kube.given.args.is_empty() {
        return Fail::error(format!("extra arguments: [{}]", kube.given.args.join(" ")));
    }
    let own = kube.shell.machine.kubectl.clone();
    if kube.given.value("output").is_some_and(|o| !matches!(o, "" | "json" | "yaml")) {
        return Fail::error("--output must be 'yaml' or 'json'");
    }
    let server = if kube.given.on("client") { Ok(None) } else { kube.target().map(|t| Some(t.version)) };
    let format = kube.given.value("output").map(str::to_owned);
    let known = server.as_ref().ok().and_then(Clone::clone);
    if let Some(format) = format {
        let parts = |version: &str| {
            let mut numbers = version.trim_start_matches('v').split('.');
            let major = numbers.next().unwrap_or_default().to_owned();
            let minor = numbers.next().unwrap_or_default().to_owned();
            json!({"compiler": "gc", "gitTreeState": "clean", "gitVersion": version, "goVersion": "go1.23.8", "major": major,
                "minor": minor, "platform": "linux/amd64"})
        };
        let mut all = json!({"clientVersion": parts(&own), "kustomizeVersion": KUSTOMIZE});
        if let Some(version) = &known {
            let mut said: Value = serde_json::from_str(&raw::discovery::version(version)).unwrap_or_default();
            // What the server says of emulation came after 1.32: this kubectl does not know it.
            let unknown =
                ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"];
            said.as_object_mut()
                .into_iter()
                .for_each(|all| all.retain(|key, _| !unknown.contains(&key.as_str())));
            all["serverVersion"] = said;
        }
        let text = if format == "json" { typed::json(&all) + "\n" } else { api::emit::yaml(&all) };
        kube.out.out(&text);
    } else {
        kube.out.out(&format!("Client Version: {own}\nKustomize Version: {KUSTOMIZE}\n"));
        if let Some(version) = &known {
            kube.out.line(&format!("Server Version: {version}"));
        }
    }
    let minor = |version: &str| version.split('.').nth(1).and_then(|m| m.parse::<i64>().ok());
    if let Some(version) = &known
        && let (Some(client), Some(theirs)) = (minor(&own), minor(version))
        && (client - theirs).abs() > 1
    {
        kube.out.err(&format!(
            "WARNING: version difference between client (1.{client}) and server (1.{theirs}) exceeds the supported minor version skew of +/-1"
        ));
    }
    server.map(drop)
}

/// `kubectl options`: the flags of every verb, as kubectl v1.32 lists them.
pub(super) fn options(kube: &mut Kube<'_, '_>) -> Done {
    kube.out.out(include_str!("options.txt"));
    Ok(())
}

pub(super) fn cluster_info(kube: &mut Kube<'_, '_>) -> Done {
    if let Some(name) = kube.given.value("context").map(str::to_owned)
        && kube.shell.machine.kubeconfig.context(&name).is_none()
    {
        // UPSTREAM: this verb words it in its own way.
        return Fail::error(format!("context {name:?} does not exist"));
    }
    if kube.given.args.first().is_some_and(|it| it == "dump") {
        return super::dump::run(kube);
    }
    let target = kube.target()?;
    kube.out.line(&format!("Kubernetes control plane is running at {}", target.server));
    let selection =
        Selection { labels: "kubernetes.io/cluster-service=true".to_owned(), fields: String::new() };
    for service in kube.list(api::Kind::Service, "kube-system", &selection)? {
        let name = field::at(&service, "metadata.labels").get("kubernetes.io/name").map(field::word);
        let name = name.unwrap_or_else(|| field::name(&service).to_owned());
        let port =
            field::list(&service, "spec.ports").first().map(field::name_of).unwrap_or_default().to_owned();
        let port = if port.is_empty() { String::new() } else { format!(":{port}") };
        kube.out.line(&format!(
            "{name} is running at {}/api/v1/namespaces/kube-system/services/{}{port}/proxy",
            target.server,
            field::name(&service)
        ));
    }
    kube.out.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
    Ok(())
}
