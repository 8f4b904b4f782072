//! What does the API server accept with a remark?
//!
//! Source: kubernetes v1.34.1 `pkg/api/pod/warnings.go`, `pkg/api/service/warnings.go`.

use std::collections::BTreeMap;

use super::{meta::text, report::At};
use crate::{
    Object,
    k8s::core::v1::{Container, ContainerPort, PodSpec},
    quantity::Quantity,
};

/// The `Warning:` headers for an object, in the server's order.
#[must_use]
pub fn warnings(object: &Object) -> Vec<String> {
    let mut out = Vec::new();
    let at = At::root("spec");
    let in_template = at.field("template.spec");
    match object {
        Object::Pod(it) => pod_spec(&mut out, it.spec.as_ref(), &at),
        Object::Deployment(it) => {
            let template = it.spec.as_ref().map(|it| &it.template);
            pod_spec(&mut out, template.and_then(|it| it.spec.as_ref()), &in_template);
        }
        Object::ReplicaSet(it) => {
            let template = it.spec.as_ref().and_then(|it| it.template.as_ref());
            pod_spec(&mut out, template.and_then(|it| it.spec.as_ref()), &in_template);
        }
        Object::DaemonSet(it) => {
            let template = it.spec.as_ref().map(|it| &it.template);
            pod_spec(&mut out, template.and_then(|it| it.spec.as_ref()), &in_template);
        }
        Object::Endpoints(_) => {
            out.push(
                "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned(),
            );
        }
        _ => {}
    }
    out
}

fn pod_spec(out: &mut Vec<String>, spec: Option<&PodSpec>, at: &At<'_>) {
    let Some(spec) = spec else { return };
    for (key, _) in spec.node_selector.iter().flatten() {
        if let Some(instead) = deprecated_label(key) {
            out.push(format!("{}: {instead}", at.field("nodeSelector").key(key)));
        }
    }
    let at_aliases = at.field("hostAliases");
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let earlier = spec.host_aliases.iter().flatten().take(index);
        if earlier.clone().any(|it| it.ip == alias.ip) {
            out.push(format!("{}: duplicate ip \"{}\"", at_aliases.index(index).field("ip"), alias.ip));
        }
    }
    let init = spec.init_containers.as_deref().unwrap_or_default();
    for (field, containers) in [("initContainers", init), ("containers", spec.containers.as_slice())] {
        for (index, container) in containers.iter().enumerate() {
            self::container(out, container, &at.field(field).index(index));
        }
    }
    let mut ports: BTreeMap<(i32, &str), Vec<(String, &ContainerPort)>> = BTreeMap::new();
    for (field, containers) in [("initContainers", init), ("containers", spec.containers.as_slice())] {
        for (index, container) in containers.iter().enumerate() {
            for (number, port) in container.ports.iter().flatten().enumerate() {
                let place = at.field(field).index(index).field("ports").index(number).to_string();
                let others = ports.entry((port.container_port, text(port.protocol.as_ref()))).or_default();
                for (other, before) in others.iter() {
                    if let Some(how) = port_clash(port, before) {
                        out.push(format!("{place}: {how} port definition with {other}"));
                    }
                }
                others.push((place, port));
            }
        }
    }
}

fn port_clash(port: &ContainerPort, other: &ContainerPort) -> Option<&'static str> {
    let (a, b) = (port.host_port.unwrap_or_default(), other.host_port.unwrap_or_default());
    let (x, y) = (text(port.host_ip.as_ref()), text(other.host_ip.as_ref()));
    if a == b && x == y {
        Some("duplicate")
    } else if a == 0 || b == 0 {
        Some("overlapping")
    } else if a == b && x.is_empty() != y.is_empty() {
        Some("dangerously ambiguous")
    } else {
        None
    }
}

fn container(out: &mut Vec<String>, container: &Container, at: &At<'_>) {
    if let Some(resources) = &container.resources {
        for (field, list) in
            [("resources.limits", &resources.limits), ("resources.requests", &resources.requests)]
        {
            for (name, amount) in list.iter().flatten() {
                let bytes =
                    matches!(name.as_str(), "memory" | "ephemeral-storage") || name.starts_with("hugepages-");
                let fraction = Quantity::parse(&amount.0).is_ok_and(|it| it.milli_value() % 1000 != 0);
                if bytes && fraction {
                    let at = at.field(field);
                    let place = at.key(name);
                    out.push(format!(
                        "{place}: fractional byte value \"{}\" is invalid, must be an integer",
                        amount.0
                    ));
                }
            }
        }
    }
    let mut seen: Vec<(&str, bool)> = Vec::new();
    for (index, var) in container.env.iter().flatten().enumerate() {
        let place = at.field("env");
        let place = place.index(index);
        let value = text(var.value.as_ref());
        if seen.iter().any(|(name, _)| *name == var.name) && !value.contains(&format!("$({})", var.name)) {
            out.push(format!(
                "{place}: hides previous definition of \"{}\", which may be dropped when using apply",
                var.name
            ));
        }
        seen.push((&var.name, true));
    }
}

fn deprecated_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "beta.kubernetes.io/os" => "deprecated since v1.14; use \"kubernetes.io/os\" instead",
        "beta.kubernetes.io/instance-type" => {
            "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead"
        }
        "failure-domain.beta.kubernetes.io/region" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead"
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead"
        }
        _ => return None,
    })
}
