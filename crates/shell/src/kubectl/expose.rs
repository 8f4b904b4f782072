//! `kubectl expose`: a Service in front of something. Source: kubectl `pkg/cmd/expose/expose.go`.

use api::Kind;
use serde_json::{Map, Value, json};

use crate::kubectl::{Done, Fail, Kube, apply::DryRun, field, print};

pub(super) fn run(kube: &mut Kube<'_, '_>) -> Done {
    let format = print::format(kube, false)?;
    let dry = DryRun::of(kube)?;
    let mut failed = Vec::new();
    for (kind, namespace, name) in kube.chosen()? {
        let done = one(kube, (kind, &namespace, &name), dry);
        match (done, &format) {
            (Ok(service), Some(print::Format::Json)) if dry == DryRun::Client => {
                kube.out.line(&print::typed::json(&service));
            }
            (Ok(service), Some(format)) => print::structured(kube, format, service)?,
            (Ok(service), None) => {
                kube.out.line(&format!("service/{} exposed{}", field::name(&service), dry.suffix()));
            }
            (Err(fail), _) => failed.push(fail),
        }
    }
    super::get::finish(kube, failed)
}

fn one(kube: &mut Kube<'_, '_>, (kind, namespace, name): (Kind, &str, &str), dry: DryRun) -> Done<Value> {
    let live = kube.get(kind, namespace, name)?;
    let selector: Map<String, Value> = match kube.given.value("selector") {
        Some(text) => {
            text.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.into())).collect()
        }
        None => {
            let path = match kind {
                Kind::Pod => "metadata.labels",
                Kind::Service | Kind::ReplicationController => "spec.selector",
                Kind::Deployment | Kind::ReplicaSet => "spec.selector.matchLabels",
                other => {
                    let info = other.info();
                    let group =
                        if info.group.is_empty() { String::new() } else { format!(".{}", info.group) };
                    return Fail::error(format!("cannot expose a {}{group}", info.kind));
                }
            };
            field::map(&live, path).map(|(k, v)| (k.to_owned(), v.clone())).collect()
        }
    };
    if selector.is_empty() {
        return Fail::error(match kind {
            Kind::Pod => {
                "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed"
            }
            Kind::Deployment => {
                "couldn't retrieve selectors via --selector flag or introspection: invalid deployment: no selectors, therefore cannot be exposed"
            }
            Kind::ReplicaSet => {
                "couldn't retrieve selectors via --selector flag or introspection: invalid replicaset: no selectors, therefore cannot be exposed"
            }
            _ => {
                "couldn't retrieve selectors via --selector flag or introspection: the object has no selector"
            }
        });
    }
    let own = ports(kind, &live);
    let protocol = kube.given.value("protocol").map(str::to_uppercase);
    let given: Vec<String> = match kube.given.value("port") {
        Some(text) => text.split(',').map(str::to_owned).collect(),
        None => own.iter().map(|(port, _)| port.to_string()).collect(),
    };
    if given.is_empty() {
        return Fail::error("couldn't find port via --port flag or introspection");
    }
    let target = kube.given.value("target-port").map(str::to_owned);
    let mut all = Vec::new();
    for (i, text) in given.iter().enumerate() {
        let Ok(port) = text.parse::<i64>() else {
            return Fail::error(format!("strconv.Atoi: parsing {text:?}: invalid syntax"));
        };
        let known = own.iter().find(|(p, _)| *p == port).map(|(_, protocol)| protocol.clone());
        let protocol = protocol.clone().or(known).unwrap_or_else(|| "TCP".to_owned());
        let target: Value = match target.as_deref() {
            Some(text) => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
            None => port.into(),
        };
        let mut entry = json!({"port": port, "protocol": protocol, "targetPort": target});
        if given.len() > 1 {
            entry["name"] = format!("port-{}", i + 1).into();
        }
        all.push(entry);
    }
    let labels: Map<String, Value> = match kube.given.value("labels") {
        Some(text) => {
            text.split(',').filter_map(|p| p.split_once('=')).map(|(k, v)| (k.to_owned(), v.into())).collect()
        }
        None => field::map(&live, "metadata.labels").map(|(k, v)| (k.to_owned(), v.clone())).collect(),
    };
    let service_name = kube.given.value("name").unwrap_or(name).to_owned();
    let mut metadata = json!({"creationTimestamp": null, "name": service_name});
    if !labels.is_empty() {
        metadata["labels"] = Value::Object(labels);
    }
    if let Some(other) =
        kube.given.value("session-affinity").filter(|it| !matches!(*it, "" | "None" | "ClientIP"))
    {
        return Fail::error(format!("unknown session affinity: {other}"));
    }
    let mut spec = json!({"ports": all, "selector": selector});
    let text = |flag: &str| kube.given.value(flag).filter(|v| !v.is_empty()).map(str::to_owned);
    for (flag, field) in [
        ("type", "type"),
        ("cluster-ip", "clusterIP"),
        ("session-affinity", "sessionAffinity"),
        ("load-balancer-ip", "loadBalancerIP"),
    ] {
        if let Some(text) = text(flag) {
            spec[field] = text.into();
        }
    }
    if let Some(ip) = text("external-ip") {
        spec["externalIPs"] = json!([ip]);
    }
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}});
    if let Some(text) = kube.given.value("overrides")
        && let Ok(overrides) = serde_json::from_str::<Value>(text)
    {
        api::patch::json_merge(&mut service, &overrides);
    }
    if kube.given.has("namespace") {
        service["metadata"]["namespace"] = namespace.into();
    }
    service = super::apply::saved_typed(kube, service);
    if dry == DryRun::Client {
        return Ok(service);
    }
    kube.create(Kind::Service, namespace, service, dry == DryRun::Server)
}

/// Ports and protocols of the containers, or of the Service.
fn ports(kind: Kind, live: &Value) -> Vec<(i64, String)> {
    let protocol = |p: &Value| match field::text(p, "protocol") {
        "" => "TCP".to_owned(),
        text => text.to_owned(),
    };
    if kind == Kind::Service {
        return field::list(live, "spec.ports")
            .iter()
            .map(|p| (field::int(p, "port"), protocol(p)))
            .collect();
    }
    let spec = field::at(live, super::set::pod_spec(kind).unwrap_or("spec"));
    field::list(spec, "containers")
        .iter()
        .flat_map(|c| field::list(c, "ports"))
        .map(|p| (field::int(p, "containerPort"), protocol(p)))
        .collect()
}
