//! Is a pod legal, by itself and in a template?
//!
//! Source: kubernetes v1.34.1 `pkg/apis/core/validation`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    affinity, container,
    container::Around,
    internal,
    meta::{self, text},
    name, os,
    report::{At, Report},
    resources::{self, Owner},
    security, volume,
};
use crate::{
    default::blank,
    k8s::core::v1::{Container, Pod, PodSpec, PodTemplateSpec, ResourceRequirements},
    meta::ObjectMeta,
    quantity::Quantity,
};

/// A new pod.
pub(super) fn create(report: &mut Report, pod: &Pod) {
    metadata_and_spec(report, pod);
    let Some(spec) = &pod.spec else { return };
    let at = At::root("spec");
    if spec.ephemeral_containers.as_ref().is_some_and(|it| !it.is_empty()) {
        report.forbidden(&at.field("ephemeralContainers"), "cannot be set on create");
    }
    let gated = spec.scheduling_gates.as_ref().is_some_and(|it| !it.is_empty());
    if !blank(spec.node_name.as_ref()) && gated {
        report.forbidden(&at.field("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}

pub(super) fn metadata_and_spec(report: &mut Report, pod: &Pod) {
    meta::object_meta(report, &pod.metadata, true, name::subdomain);
    let node = pod.spec.as_ref().and_then(|it| it.node_name.as_ref());
    pod_annotations(report, pod.metadata.annotations.as_ref(), node, &At::root("metadata.annotations"));
    let Some(spec) = &pod.spec else { return };
    let at = At::root("spec");
    pod_spec(report, spec, Some(&pod.metadata), &at);
    if blank(spec.service_account_name.as_ref()) {
        let at = at.field("volumes");
        for (index, volume) in spec.volumes.iter().flatten().enumerate() {
            let sources = volume.projected.iter().filter_map(|it| it.sources.as_ref()).flatten();
            for (source, _) in
                sources.enumerate().filter(|(_, source)| source.service_account_token.is_some())
            {
                let at = at.index(index);
                let at = at.field("projected.sources");
                let at = at.index(source);
                let why = "must not be specified when serviceAccountName is not set";
                report.forbidden(&at.field("serviceAccountToken"), why);
            }
        }
    }
    container::only_for_pods(report, &spec.containers, &at.field("containers"));
    let init = spec.init_containers.as_deref().unwrap_or_default();
    container::only_for_pods(report, init, &at.field("initContainers"));
}

/// The template of a workload.
pub(super) fn template(report: &mut Report, template: &PodTemplateSpec, at: &At<'_>) {
    template_metadata(report, template, at);
    let Some(spec) = &template.spec else { return };
    pod_spec(report, spec, None, &at.field("spec"));
    if spec.ephemeral_containers.as_ref().is_some_and(|it| !it.is_empty()) {
        let why = "ephemeral containers not allowed in pod template";
        report.forbidden(&at.field("spec.ephemeralContainers"), why);
    }
}

/// The labels and annotations of a template.
pub(super) fn template_metadata(report: &mut Report, template: &PodTemplateSpec, at: &At<'_>) {
    let metadata = template.metadata.as_ref();
    let annotations = metadata.and_then(|it| it.annotations.as_ref());
    meta::labels(report, metadata.and_then(|it| it.labels.as_ref()), &at.field("labels"));
    meta::annotations(report, annotations, &at.field("annotations"));
    let node = template.spec.as_ref().and_then(|it| it.node_name.as_ref());
    pod_annotations(report, annotations, node, &at.field("annotations"));
}

/// The annotations that mean something to pods: a static pod's mirror, and what deleting it costs.
fn pod_annotations(
    report: &mut Report,
    annotations: Option<&BTreeMap<String, String>>,
    node: Option<&String>,
    at: &At<'_>,
) {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    if let Some(mirror) = annotations.and_then(|it| it.get(MIRROR)).filter(|_| blank(node)) {
        report.invalid(&at.key(MIRROR), mirror, "must set spec.nodeName if mirror pod annotation is set");
    }
    const COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let Some(cost) = annotations.and_then(|it| it.get(COST)) else { return };
    // Go reads neither a plus sign nor leading zeros here.
    let canonical = cost.parse::<i32>().is_ok_and(|number| number.to_string() == *cost);
    if !canonical {
        report.invalid(&at.key(COST), cost, "must be a 32bit integer");
    }
}

/// A pod's spec; `metadata` is the pod's own, absent in a template.
fn pod_spec(report: &mut Report, spec: &PodSpec, metadata: Option<&ObjectMeta>, at: &At<'_>) {
    let restart_policy = text(spec.restart_policy.as_ref());
    let volumes = spec.volumes.as_deref().unwrap_or_default();
    let claims = spec.resource_claims.as_deref().unwrap_or_default();
    let around = Around {
        volumes: volume::volumes(report, volumes, metadata, &at.field("volumes")),
        claims: claims.iter().map(|claim| claim.name.as_str()).collect(),
        grace: spec.termination_grace_period_seconds,
        restart_policy,
        host_users: spec.host_users.unwrap_or(true),
        os: spec.os.as_ref().map(|os| os.name.as_str()),
    };
    resource_claims(report, spec, &at.field("resourceClaims"));
    container::containers(report, &spec.containers, &around, &at.field("containers"));
    let init = spec.init_containers.as_deref().unwrap_or_default();
    container::init_containers(report, init, &spec.containers, &around, &at.field("initContainers"));
    let ephemeral = spec.ephemeral_containers.as_deref().unwrap_or_default();
    container::ephemeral_containers(report, ephemeral, spec, &around, &at.field("ephemeralContainers"));
    pod_resources(report, spec, &around, &at.field("resources"));
    if spec.host_network == Some(true) {
        host_network_ports(report, &spec.containers, metadata.is_some(), &at.field("containers"));
    }
    match restart_policy {
        "Always" | "OnFailure" | "Never" => {}
        "" => report.required(&at.field("restartPolicy"), ""),
        other => report.not_supported(&at.field("restartPolicy"), other, &["Always", "OnFailure", "Never"]),
    }
    const DNS_POLICIES: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    let dns_policy = text(spec.dns_policy.as_ref());
    if dns_policy.is_empty() {
        report.required(&at.field("dnsPolicy"), "");
    } else if !DNS_POLICIES.contains(&dns_policy) {
        report.not_supported(&at.field("dnsPolicy"), dns_policy, DNS_POLICIES);
    }
    meta::labels(report, spec.node_selector.as_ref(), &at.field("nodeSelector"));
    if let Some(context) = &spec.security_context {
        security::of_pod(report, context, spec, &at.field("securityContext"));
    }
    if let Some(wishes) = &spec.affinity {
        affinity::affinity(report, wishes, &at.field("affinity"));
    }
    dns_config(report, spec, &at.field("dnsConfig"));
    let at_gates = at.field("readinessGates");
    for (index, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        let at = at_gates.index(index);
        report.each_invalid(
            &at.field("conditionType"),
            &gate.condition_type,
            name::qualified(&gate.condition_type),
        );
    }
    let mut gates = BTreeSet::new();
    let at_gates = at.field("schedulingGates");
    for (index, gate) in spec.scheduling_gates.iter().flatten().enumerate() {
        report.each_invalid(&at_gates.index(index), &gate.name, name::qualified(&gate.name));
        if !gates.insert(&gate.name) {
            report.duplicate(&at_gates.index(index), &gate.name);
        }
    }
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    affinity::spread(report, constraints, &at.field("topologySpreadConstraints"));
    os::host_processes(report, spec, at);
    if spec.host_users == Some(false) {
        for (field, set) in
            [("hostNetwork", spec.host_network), ("HostPID", spec.host_pid), ("HostIPC", spec.host_ipc)]
        {
            if set == Some(true) {
                report.forbidden(&at.field(field), "when `hostUsers` is false");
            }
        }
    }
    names(report, spec, at);
    if let Some(seconds) = spec.active_deadline_seconds.filter(|it| !(1..=i64::from(i32::MAX)).contains(it)) {
        let why = "must be between 1 and 2147483647, inclusive";
        report.invalid(&at.field("activeDeadlineSeconds"), &seconds, why);
    }
    rest(report, spec, at);
}

fn names(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    if let Some(name) = spec.service_account_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("serviceAccountName"), name, name::subdomain(name, false));
    }
    if let Some(name) = spec.node_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("nodeName"), name, name::subdomain(name, false));
    }
}

fn rest(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    for (field, label) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        if let Some(label) = label.as_ref().filter(|it| !it.is_empty()) {
            report.each_invalid(&at.field(field), label, name::label(label));
        }
    }
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    affinity::tolerations(report, tolerations, &at.field("tolerations"));
    let at_aliases = at.field("hostAliases");
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let at = at_aliases.index(index);
        report.each_invalid(&at.field("ip"), &alias.ip, name::ip_errors(&alias.ip));
        for (index, hostname) in alias.hostnames.iter().flatten().enumerate() {
            let at = at.field("hostnames");
            report.each_invalid(&at.index(index), hostname, name::subdomain(hostname, false));
        }
    }
    if let Some(name) = spec.priority_class_name.as_ref().filter(|it| !it.is_empty()) {
        report.each_invalid(&at.field("priorityClassName"), name, name::subdomain(name, false));
    }
    if let Some(name) = &spec.runtime_class_name {
        report.each_invalid(&at.field("runtimeClassName"), name, name::subdomain(name, false));
    }
    match spec.preemption_policy.as_deref() {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => report.required(&at.field("preemptionPolicy"), ""),
        Some(other) => {
            report.not_supported(&at.field("preemptionPolicy"), other, &["PreemptLowerPriority", "Never"]);
        }
    }
    if let Some(overhead) = &spec.overhead {
        let limits = ResourceRequirements { limits: Some(overhead.clone()), ..Default::default() };
        let none = BTreeSet::new();
        resources::requirements(report, &limits, Owner::Container, &none, &at.field("overhead"));
    }
    if let Some(os) = &spec.os {
        os::os(report, spec, &os.name, at);
    }
}

fn resource_claims(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    let mut names = BTreeSet::new();
    for (index, claim) in spec.resource_claims.iter().flatten().enumerate() {
        let at = at.index(index);
        if claim.name.is_empty() {
            report.required(&at.field("name"), "");
        } else if names.insert(&claim.name) {
            report.each_invalid(&at.field("name"), &claim.name, name::label(&claim.name));
        } else {
            report.duplicate(&at.field("name"), &claim.name);
        }
        let (by_name, by_template) = (&claim.resource_claim_name, &claim.resource_claim_template_name);
        match (by_name, by_template) {
            (None, None) => {
                let why = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                report.invalid(&at, &internal::resource_claim(claim), why);
            }
            (Some(_), Some(_)) => {
                let why =
                    "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                report.invalid(&at, &internal::resource_claim(claim), why);
            }
            _ => {}
        }
        for (field, name) in [("resourceClaimName", by_name), ("resourceClaimTemplateName", by_template)] {
            if let Some(name) = name {
                report.each_invalid(&at.field(field), name, name::subdomain(name, false));
            }
        }
    }
}

fn pod_resources(report: &mut Report, spec: &PodSpec, around: &Around<'_>, at: &At<'_>) {
    let Some(resources) = &spec.resources else { return };
    if around.os == Some("windows") {
        report.forbidden(at, "may not be set for a windows pod");
        return;
    }
    if resources.claims.is_some() {
        report.forbidden(&at.field("claims"), "claims may not be set for Resources at pod-level");
    }
    resources::requirements(report, resources, Owner::Pod, &around.claims, at);
    for (name, asked) in crate::default::container_requests(spec) {
        let own = resources.requests.as_ref().and_then(|it| it.get(&name));
        let Some(own) = own.and_then(|it| Quantity::parse(&it.0).ok()) else { continue };
        if asked > own {
            let why = format!(
                "must be greater than or equal to aggregate container requests of {}",
                asked.canonical()
            );
            report.invalid(&at.field("requests").key(&name), &own.canonical(), &why);
        }
    }
    let limits = resources.limits.as_ref();
    let most = |name: &str| limits.and_then(|it| it.get(name)).and_then(|it| Quantity::parse(&it.0).ok());
    for (index, container) in spec.containers.iter().enumerate() {
        let own = container.resources.iter().filter_map(|it| it.limits.as_ref()).flatten();
        for (name, limit) in own {
            let (Some(most), Ok(limit)) = (most(name), Quantity::parse(&limit.0)) else { continue };
            if limit > most {
                let why = format!("must be less than or equal to pod limits of {}", most.canonical());
                // UPSTREAM: named as if the pod's resources had containers.
                let at = at.field("containers");
                let at = at.index(index);
                report.invalid(&at.key(name).field("limits"), &limit.canonical(), &why);
            }
        }
    }
}

fn host_network_ports(report: &mut Report, containers: &[Container], is_pod: bool, at: &At<'_>) {
    for (index, container) in containers.iter().enumerate() {
        for (number, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or_default();
            if (is_pod || host_port != 0) && host_port != port.container_port {
                let why = "must match `containerPort` when `hostNetwork` is true";
                report.invalid(
                    &at.index(index).field("ports").index(number).field("hostPort"),
                    &host_port,
                    why,
                );
            }
        }
    }
}

fn dns_config(report: &mut Report, spec: &PodSpec, at: &At<'_>) {
    let none = spec.dns_policy.as_deref() == Some("None");
    let Some(config) = &spec.dns_config else {
        if none {
            report.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        return;
    };
    let servers = config.nameservers.as_deref().unwrap_or_default();
    let at_servers = at.field("nameservers");
    if none && servers.is_empty() {
        report.required(&at_servers, "must provide at least one DNS nameserver when `dnsPolicy` is None");
        return;
    }
    if servers.len() > 3 {
        report.invalid(&at_servers, &json!(servers), "must not have more than 3 nameservers");
    }
    for (index, server) in servers.iter().enumerate() {
        report.each_invalid(&at_servers.index(index), server, name::ip_errors(server));
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    let at_searches = at.field("searches");
    if searches.len() > 32 {
        report.invalid(&at_searches, &json!(searches), "must not have more than 32 search paths");
    }
    if searches.join(" ").len() > 2048 {
        let why = "must not have more than 2048 characters (including spaces) in the search list";
        report.invalid(&at_searches, &json!(searches), why);
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        report.each_invalid(&at_searches.index(index), search, name::subdomain_with_underscore(search));
    }
    for (index, option) in config.options.iter().flatten().enumerate() {
        if blank(option.name.as_ref()) {
            report.required(&at.field("options").index(index), "must not be empty");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Kind, decode, default, validate};

    #[test]
    fn a_container_stays_below_the_limits_of_its_pod() {
        let container = json!({"name": "c", "image": "i", "resources": {"limits": {"memory": "2Gi"}}});
        let spec = json!({"resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}}, "containers": [container]});
        let pod = json!({"metadata": {"name": "a", "namespace": "default",
            "annotations": {"kubernetes.io/config.mirror": "x"}}, "spec": spec});
        let mut pod = decode::decode(Kind::Pod, &pod).expect("a pod");
        default::apply_defaults(&mut pod);
        let said: Vec<String> =
            validate::create(&pod).into_iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
        assert_eq!(
            said,
            [
                "metadata.annotations[kubernetes.io/config.mirror]: Invalid value: \"x\": must set spec.nodeName if mirror pod annotation is set",
                "spec.resources.requests: Invalid value: \"2Gi\": must be less than or equal to memory limit of 1Gi",
                "spec.resources.containers[0][memory].limits: Invalid value: \"2Gi\": must be less than or equal to pod limits of 1Gi"
            ]
        );
    }
}
