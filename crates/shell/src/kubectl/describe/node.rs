//! `describe node`.

use api::{Kind, quantity::Quantity};
use jiff::Timestamp;
use serde_json::Value;

use super::{template, writer::Writer};
use crate::kubectl::{
    Done, Kube, age,
    client::Selection,
    field::{at, list, map, name, namespace, text, word},
    print::cells::roles,
};

pub(super) fn node(kube: &mut Kube<'_, '_>, o: &Value, events: Option<&str>, now: Timestamp) -> Done<String> {
    let mut w = Writer::default();
    let own = name(o).to_owned();
    template::head(&mut w, o, false);
    w.line(0, format!("Roles:\t{}", roles(o)));
    template::marks(&mut w, o);
    w.line(0, format!("CreationTimestamp:\t{}", age::long(text(o, "metadata.creationTimestamp"))));
    taints(&mut w, o);
    w.line(0, format!("Unschedulable:\t{}", at(o, "spec.unschedulable") == &Value::Bool(true)));
    match kube.get(Kind::Lease, "kube-node-lease", &own) {
        Ok(lease) => {
            w.line(0, "Lease:");
            let moment = |path: &str| match text(&lease, path) {
                "" => "<unset>".to_owned(),
                moment => age::long(moment),
            };
            let holder = text(&lease, "spec.holderIdentity");
            w.line(1, format!("HolderIdentity:\t{}", if holder.is_empty() { "<unset>" } else { holder }));
            w.line(1, format!("AcquireTime:\t{}", moment("spec.acquireTime")));
            w.line(1, format!("RenewTime:\t{}", moment("spec.renewTime")));
        }
        Err(fail) => {
            w.line(0, format!("Lease:\tFailed to get lease: {}", fail.bare()));
        }
    }
    if !list(o, "status.conditions").is_empty() {
        w.raw("Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n  ----\t------\t-----------------\t------------------\t------\t-------\n");
    }
    for condition in list(o, "status.conditions") {
        w.line(
            1,
            format!(
                "{} \t{} \t{} \t{} \t{} \t{}",
                text(condition, "type"),
                text(condition, "status"),
                age::long(text(condition, "lastHeartbeatTime")),
                age::long(text(condition, "lastTransitionTime")),
                text(condition, "reason"),
                text(condition, "message")
            ),
        );
    }
    w.line(0, "Addresses:");
    for address in list(o, "status.addresses") {
        w.line(1, format!("{}:\t{}", text(address, "type"), text(address, "address")));
    }
    for (title, path) in [("Capacity", "status.capacity"), ("Allocatable", "status.allocatable")] {
        w.line(0, format!("{title}:"));
        for (resource, amount) in map(o, path) {
            w.line(1, format!("{resource}:\t{}", word(amount)));
        }
    }
    w.line(0, "System Info:");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        w.line(1, format!("{title}:\t{}", text(at(o, "status.nodeInfo"), field)));
    }
    for (title, path) in [("PodCIDR", "spec.podCIDR"), ("ProviderID", "spec.providerID")] {
        if !text(o, path).is_empty() {
            w.line(0, format!("{title}:\t{}", text(o, path)));
        }
        if path == "spec.podCIDR" && !list(o, "spec.podCIDRs").is_empty() {
            let all: Vec<String> = list(o, "spec.podCIDRs").iter().map(word).collect();
            w.line(0, format!("PodCIDRs:\t{}", all.join(",")));
        }
    }
    let selection = Selection {
        labels: String::new(),
        fields: format!("spec.nodeName={own},status.phase!=Failed,status.phase!=Succeeded"),
    };
    let pods = kube.list(Kind::Pod, "", &selection)?;
    allocated(&mut w, o, &pods, now);
    Ok(template::close(w, events))
}

fn taints(w: &mut Writer, o: &Value) {
    let mut all: Vec<&Value> = list(o, "spec.taints").iter().collect();
    all.sort_by_key(|t| (text(t, "effect"), text(t, "key")));
    if all.is_empty() {
        w.line(0, "Taints:\t<none>");
    }
    for (i, taint) in all.iter().enumerate() {
        let value = text(taint, "value");
        let value = if value.is_empty() { String::new() } else { format!("={value}") };
        let title = if i == 0 { "Taints:" } else { "" };
        w.line(0, format!("{title}\t{}{value}:{}", text(taint, "key"), text(taint, "effect")));
    }
}

fn parse(value: &Value) -> Option<Quantity> {
    Quantity::parse(&word(value)).ok()
}

/// What a pod asks for, or may use: the larger of its containers together and any one init container, sidecars counted with the containers.
fn wanted(pod: &Value, what: &str, resource: &str) -> Quantity {
    let of = |c: &Value| at(c, "resources").get(what).and_then(|r| r.get(resource)).and_then(parse);
    let zero = || Quantity::new(0, api::quantity::Format::DecimalSi);
    let mut sum = zero();
    for container in list(pod, "spec.containers") {
        if let Some(amount) = of(container) {
            sum = sum + &amount;
        }
    }
    let mut largest = zero();
    let mut sidecars = zero();
    for init in list(pod, "spec.initContainers") {
        let Some(amount) = of(init) else { continue };
        if text(init, "restartPolicy") == "Always" {
            sidecars = sidecars + &amount;
            sum = sum + &amount;
            largest = largest.max(sidecars.clone());
        } else {
            largest = largest.max(sidecars.clone() + &amount);
        }
    }
    let most = sum.max(largest);
    match at(pod, "spec.overhead").get(resource).and_then(parse) {
        Some(overhead) if most.sign() > 0 => most + &overhead,
        Some(_) | None => most,
    }
}

fn percent(amount: &Quantity, whole: Option<&Quantity>, milli: bool) -> i64 {
    let value = |q: &Quantity| if milli { q.milli_value() } else { q.value() };
    match whole.map(value) {
        Some(whole) if whole > 0 => (value(amount) as f64 / whole as f64 * 100.0) as i64,
        Some(_) | None => 0,
    }
}

fn allocated(w: &mut Writer, o: &Value, pods: &[Value], now: Timestamp) {
    let allocatable = at(o, "status.allocatable");
    let whole = |resource: &str| allocatable.get(resource).and_then(parse);
    let cell = |amount: &Quantity, resource: &str| {
        format!("{} ({}%)", amount.canonical(), percent(amount, whole(resource).as_ref(), resource == "cpu"))
    };
    w.line(0, format!("Non-terminated Pods:\t({} in total)", pods.len()));
    w.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    w.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    for pod in pods {
        let amounts: Vec<String> =
            [("requests", "cpu"), ("limits", "cpu"), ("requests", "memory"), ("limits", "memory")]
                .iter()
                .map(|(what, resource)| cell(&wanted(pod, what, resource), resource))
                .collect();
        let age = age::since(text(pod, "metadata.creationTimestamp"), now);
        w.line(1, format!("{}\t{}\t\t{}\t{age}", namespace(pod), name(pod), amounts.join("\t")));
    }
    w.line(0, "Allocated resources:");
    w.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    w.line(1, "Resource\tRequests\tLimits");
    w.line(1, "--------\t--------\t------");
    let sum = |what: &str, resource: &str| {
        let zero = Quantity::new(0, api::quantity::Format::DecimalSi);
        pods.iter().map(|p| wanted(p, what, resource)).fold(zero, |sum, amount| sum + &amount)
    };
    let mut resources = vec!["cpu", "memory", "ephemeral-storage"];
    let others = map(o, "status.allocatable").map(|(k, _)| k);
    resources.extend(others.filter(|r| !matches!(*r, "cpu" | "memory" | "ephemeral-storage" | "pods")));
    for resource in resources {
        let (requests, limits) = (sum("requests", resource), sum("limits", resource));
        // UPSTREAM: resources of other groups are shown without a percentage.
        let line = if resource.contains('/') {
            format!("{resource}\t{}\t{}", requests.canonical(), limits.canonical())
        } else {
            format!("{resource}\t{}\t{}", cell(&requests, resource), cell(&limits, resource))
        };
        w.line(1, line);
    }
}
