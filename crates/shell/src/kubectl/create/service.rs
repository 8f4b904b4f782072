//! Services and Ingresses.

use api::Kind;
use serde_json::{Value, json};

use super::{metadata, one_name};
use crate::kubectl::{Done, Fail, Kube};

pub(super) fn service(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let Some((flavour, rest)) = args.split_first() else {
        return Fail::error("must specify one of clusterip, externalname, loadbalancer, nodeport");
    };
    let kind = match flavour.as_str() {
        "clusterip" => "ClusterIP",
        "nodeport" => "NodePort",
        "loadbalancer" => "LoadBalancer",
        "externalname" => "ExternalName",
        other => {
            return Fail::error(format!(
                "unknown command {other:?}\nSee 'kubectl create service -h' for help and examples"
            ));
        }
    };
    let name = one_name(&format!("service {flavour}"), rest)?;
    let mut ports = Vec::new();
    for text in kube.given.list("tcp") {
        let parts: Vec<&str> = text.splitn(2, ':').collect();
        let number = port(parts[0])?;
        let target: Value = match parts.get(1) {
            // UPSTREAM: a third part is dropped.
            Some(target) => {
                let target = target.split(':').next().unwrap_or_default();
                match target.parse::<i64>() {
                    Ok(_) => port(target)?.into(),
                    Err(_) => target.into(),
                }
            }
            None => number.into(),
        };
        let mut entry =
            json!({"name": text.replace(':', "-"), "port": number, "protocol": "TCP", "targetPort": target});
        if let Some(node) = kube.given.int("node-port").filter(|n| *n != 0 && kind == "NodePort") {
            entry["nodePort"] = node.into();
        }
        ports.push(entry);
    }
    let headless = kube.given.value("clusterip") == Some("None");
    if ports.is_empty() && !headless && kind != "ExternalName" {
        return Fail::error("at least one tcp port specifier must be provided");
    }
    let mut spec = json!({"selector": {"app": name}, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    if let Some(ip) = kube.given.value("clusterip") {
        spec["clusterIP"] = ip.into();
    }
    if kind == "ExternalName" {
        let target = kube.given.value("external-name").unwrap_or_default();
        if !api::label::subdomain_errors(target).is_empty() {
            return Fail::error(format!("invalid service external name {target}"));
        }
        spec["externalName"] = target.into();
    }
    let mut meta = metadata(&name);
    meta["labels"] = json!({"app": name});
    Ok((Kind::Service, json!({"metadata": meta, "spec": spec, "status": {"loadBalancer": {}}})))
}

/// A port as Go reads it.
fn port(text: &str) -> Done<i64> {
    match text.parse::<u64>() {
        Ok(number) if number <= 65_535 => i64::try_from(number).map_err(|e| Fail::Error(e.to_string())),
        Ok(_) => Fail::error(format!("strconv.ParseUint: parsing {text:?}: value out of range")),
        Err(_) => Fail::error(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")),
    }
}

/// The host, the path and the backend of `host/path=service:port[,tls[=secret]]`.
fn read_rule(rule: &str) -> Option<(&str, &str, &str)> {
    let (left, right) = rule.split(',').next()?.split_once('=')?;
    let (host, path) = left.split_once('/')?;
    let is_word =
        |text: &str| text.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let (service, port) = right.split_once(':')?;
    let all = |text: &str| is_word(text) && text.chars().all(|c| is_word(&c.to_string()));
    (all(service) && is_word(port)).then_some((host, path, right))
}

pub(super) fn ingress(kube: &mut Kube<'_, '_>, args: &[String]) -> Done<(Kind, Value)> {
    let name = one_name("ingress", args)?;
    let rules = kube.given.values("rule");
    if rules.is_empty() && !kube.given.has("default-backend") {
        return Fail::error(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    let backend = |text: &str| -> Done<Value> {
        let Some((service, port)) = text.split_once(':') else {
            return Fail::error(format!("{text} is not valid. Service port is not specified"));
        };
        let port = port.parse::<i64>().map_or_else(|_| json!({"name": port}), |n| json!({"number": n}));
        Ok(json!({"service": {"name": service, "port": port}}))
    };
    let mut spec = json!({});
    if let Some(class) = kube.given.value("class") {
        spec["ingressClassName"] = class.into();
    }
    if let Some(text) = kube.given.value("default-backend") {
        if !text.contains(':') {
            return Fail::error("default-backend should be in format servicename:serviceport");
        }
        spec["defaultBackend"] = backend(text)?;
    }
    let mut hosts: Vec<(String, Vec<Value>)> = Vec::new();
    let mut tls = Vec::new();
    for rule in rules {
        let Some((host, path, right)) = read_rule(rule) else {
            return Fail::error(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ));
        };
        // UPSTREAM: whatever stands behind the only comma means TLS, and what stands behind its equals sign is the secret.
        let parts: Vec<&str> = rule.split(',').collect();
        let secret = match parts.as_slice() {
            [_, tls] => Some(tls.split('=').nth(1).unwrap_or_default()),
            _ => None,
        };
        let (path, path_type) = match path.strip_suffix('*') {
            Some(prefix) => (format!("/{prefix}"), "Prefix"),
            None => (format!("/{path}"), "Exact"),
        };
        let entry = json!({"backend": backend(right)?, "path": path, "pathType": path_type});
        match hosts.iter_mut().find(|(h, _)| h == host) {
            Some((_, paths)) => paths.push(entry),
            None => hosts.push((host.to_owned(), vec![entry])),
        }
        if let Some(secret) = secret {
            let mut entry = if host.is_empty() { json!({}) } else { json!({"hosts": [host]}) };
            if !secret.is_empty() {
                entry["secretName"] = secret.into();
            }
            tls.push(entry);
        }
    }
    if !hosts.is_empty() {
        let rules: Vec<Value> = hosts
            .into_iter()
            .map(|(host, paths)| {
                let mut rule = json!({"http": {"paths": paths}});
                if !host.is_empty() {
                    rule["host"] = host.into();
                }
                rule
            })
            .collect();
        spec["rules"] = rules.into();
    }
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    let mut meta = metadata(&name);
    let annotations: Vec<&str> = kube.given.values("annotation");
    if !annotations.is_empty() {
        meta["annotations"] =
            annotations.iter().flat_map(|a| super::pairs(a)).collect::<serde_json::Map<_, _>>().into();
    }
    Ok((Kind::Ingress, json!({"metadata": meta, "spec": spec, "status": {"loadBalancer": {}}})))
}
