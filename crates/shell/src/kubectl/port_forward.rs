//! `kubectl port-forward`.
//!
//! MODEL: the line ends at once instead of holding the terminal; nothing is carried.
//! Source: kubectl `pkg/cmd/portforward`, client-go `tools/portforward`.

use api::Kind;
use serde_json::Value;

use crate::kubectl::{
    Done, Fail, Kube,
    field::{at, int, list, name, name_of, text, word},
};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let args = kube.given.args.clone();
    let Some((what, ports)) = args.split_first().filter(|(_, ports)| !ports.is_empty()) else {
        return Fail::error(
            "TYPE/NAME and list of ports are required for port-forward\nSee 'kubectl port-forward -h' for help and examples",
        );
    };
    let (kind, object) = kube.meant(what)?;
    let service = (kind == Kind::Service).then(|| object.clone());
    let (pod, _) = kube.pod_of(kind, object, "attach to")?;
    let mut pairs = Vec::new();
    for port in ports {
        let (local, remote) = port.split_once(':').unwrap_or((port, port));
        let remote = match &service {
            Some(service) => of_service(service, &pod, remote)?,
            None => of_pod(&pod, remote)?,
        };
        let local = if local.is_empty() { "0" } else { local };
        let local = if port.contains(':') || local.parse::<u16>().is_ok() {
            local.to_owned()
        } else {
            remote.clone()
        };
        pairs.push((local, remote));
    }
    let phase = text(&pod, "status.phase");
    if phase != "Running" {
        return Fail::error(format!(
            "unable to forward port because pod is not running. Current status={phase}"
        ));
    }
    if pairs.iter().any(|(_, remote)| remote == "0") {
        return Fail::error("remote port must be > 0");
    }
    kube.may_create(name(&pod), "portforward").map_err(|fail| match fail {
        Fail::Server(status) => Fail::Error(format!("error upgrading connection: {}", status.message)),
        other => other,
    })?;
    for (local, remote) in &pairs {
        for number in [local, remote] {
            if number.parse::<u16>().is_err() {
                return Fail::error(format!(
                    "error parsing {} port '{number}': strconv.ParseUint: parsing {number:?}: invalid syntax",
                    if number == local { "local" } else { "remote" }
                ));
            }
        }
        for host in ["127.0.0.1", "[::1]"] {
            kube.out.line(&format!("Forwarding from {host}:{local} -> {remote}"));
        }
    }
    Ok(())
}

/// The pod's port behind a port of its service.
fn of_service(service: &Value, pod: &Value, port: &str) -> Done<String> {
    let number = port.parse::<i64>().ok();
    let found = list(service, "spec.ports").iter().find(|p| match number {
        Some(number) => int(p, "port") == number,
        None => name_of(p) == port,
    });
    let Some(found) = found else {
        return Fail::error(match number {
            Some(number) => format!("Service {} does not have a service port {number}", name(service)),
            None => format!("Service '{}' does not have a named port '{port}'", name(service)),
        });
    };
    if text(service, "spec.clusterIP") == "None" {
        return Ok(int(found, "port").to_string());
    }
    match at(found, "targetPort") {
        Value::String(named) => of_pod(pod, named),
        Value::Null => Ok(int(found, "port").to_string()),
        other => Ok(word(other)),
    }
}

/// The number of a pod's port.
fn of_pod(pod: &Value, port: &str) -> Done<String> {
    if port.parse::<i64>().is_ok() {
        return Ok(port.to_owned());
    }
    let mut all = list(pod, "spec.containers").iter().flat_map(|c| list(c, "ports"));
    match all.find(|p| name_of(p) == port) {
        Some(found) => Ok(int(found, "containerPort").to_string()),
        None => Fail::error(format!("Pod '{}' does not have a named port '{port}'", name(pod))),
    }
}
