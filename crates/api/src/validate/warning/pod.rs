//! What is remarked on a pod or a pod template?
//!
//! Source: kubernetes v1.34.1 `pkg/api/pod/warnings.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        meta::text,
        name,
        report::{At, Shown},
    },
    address, deprecated_label, fraction, paths, volume,
};
use crate::{
    k8s::core::v1::{
        Container, ContainerPort, NodeSelectorTerm, PodAffinityTerm, PodSpec, Volume, WeightedPodAffinityTerm,
    },
    meta::ObjectMeta,
};

/// Where the spec and the metadata of a pod stand.
pub(super) struct Place<'p> {
    spec: At<'p>,
    metadata: At<'p>,
    is_template: bool,
}

impl<'p> Place<'p> {
    /// In a pod.
    pub(super) const POD: Place<'static> =
        Place { spec: At::root("spec"), metadata: At::root("metadata"), is_template: false };

    /// In a template at this place.
    pub(super) const fn template(at: &'p At<'p>) -> Self {
        Place { spec: at.field("spec"), metadata: at.field("metadata"), is_template: true }
    }
}

/// The remarks on a pod's spec and metadata.
pub(super) fn spec(out: &mut Vec<String>, spec: &PodSpec, metadata: &ObjectMeta, place: &Place<'_>) {
    let at = &place.spec;
    for (key, _) in spec.node_selector.iter().flatten() {
        if let Some(instead) = deprecated_label(key) {
            out.push(format!("{}: {instead}", at.field("nodeSelector").key(key)));
        }
    }
    node_affinity(out, spec, at);
    topology(out, spec, at);
    old_annotations(out, metadata, place);
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        old_volume(out, volume, &at.field("volumes").index(index));
    }
    paths::overlapping(out, spec.volumes.as_deref().unwrap_or_default());
    named_twice(out, spec, at);
    for resource in ["memory", "ephemeral-storage"] {
        fraction(out, spec.overhead.as_ref(), resource, &at.field("overhead"));
    }
    let annotated = |key: &str| metadata.annotations.as_ref().is_some_and(|it| it.contains_key(key));
    let profile = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
    let at_annotations = place.metadata.field("annotations");
    let context = spec.security_context.as_ref();
    if context.is_none_or(|it| it.seccomp_profile.is_none()) {
        let key = "seccomp.security.alpha.kubernetes.io/pod";
        if annotated(key) {
            out.push(format!("{}: {profile}", at_annotations.key(key)));
        }
    }
    for (field, index, container) in containers(spec) {
        let own = container.security_context.as_ref();
        let key = format!("container.seccomp.security.alpha.kubernetes.io/{}", container.name);
        if own.is_none_or(|it| it.seccomp_profile.is_none()) && annotated(&key) {
            out.push(format!("{}: {profile}", at_annotations.key(&key)));
        }
        let key = format!("container.apparmor.security.beta.kubernetes.io/{}", container.name);
        let without = own.is_none_or(|it| it.app_armor_profile.is_none())
            && context.is_none_or(|it| it.app_armor_profile.is_none());
        if place.is_template && without && annotated(&key) {
            let why = "deprecated since v1.30; use the \"appArmorProfile\" field instead";
            out.push(format!("{}: {why}", at_annotations.key(&key)));
        }
        self::container(out, container, &at.field(field).index(index));
    }
    ports(out, spec, at);
    if spec.termination_grace_period_seconds.is_some_and(|it| it < 0) {
        let why = "must be >= 0; negative values are invalid and will be treated as 1";
        out.push(format!("{}: {why}", at.field("terminationGracePeriodSeconds")));
    }
    pod_affinity(out, spec, at);
    let servers = spec.dns_config.iter().flat_map(|it| it.nameservers.iter().flatten());
    for (index, server) in servers.enumerate() {
        address::ip(out, server, &at.field("dnsConfig.nameservers").index(index));
    }
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        address::ip(out, &alias.ip, &at.field("hostAliases").index(index).field("ip"));
    }
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = (&'static str, usize, &Container)> {
    let init = spec.init_containers.iter().flatten().enumerate();
    let main = spec.containers.iter().enumerate();
    init.map(|(index, it)| ("initContainers", index, it))
        .chain(main.map(|(index, it)| ("containers", index, it)))
}

fn node_affinity(out: &mut Vec<String>, spec: &PodSpec, at: &At<'_>) {
    let Some(affinity) = spec.affinity.as_ref().and_then(|it| it.node_affinity.as_ref()) else { return };
    let at = at.field("affinity.nodeAffinity");
    let required = affinity.required_during_scheduling_ignored_during_execution.iter();
    for (index, term) in required.flat_map(|it| &it.node_selector_terms).enumerate() {
        let at = at.field("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
        node_selector_term(out, term, false, &at.index(index));
    }
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, term) in preferred.enumerate() {
        let at = at.field("preferredDuringSchedulingIgnoredDuringExecution");
        node_selector_term(out, &term.preference, true, &at.index(index).field("preference"));
    }
}

/// One term; `values` says whether the values are looked at too.
pub(super) fn node_selector_term(out: &mut Vec<String>, term: &NodeSelectorTerm, values: bool, at: &At<'_>) {
    for (index, expression) in term.match_expressions.iter().flatten().enumerate() {
        let at = at.field("matchExpressions");
        let at = at.index(index);
        if let Some(instead) = deprecated_label(&expression.key) {
            out.push(format!("{}: {} is {instead}", at.field("key"), expression.key));
        }
        for (index, value) in expression.values.iter().flatten().enumerate().filter(|_| values) {
            for why in name::label_value(value) {
                out.push(format!("{}: {value} is invalid, {why}", at.field("values").index(index)));
            }
        }
    }
}

const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

fn topology(out: &mut Vec<String>, spec: &PodSpec, at: &At<'_>) {
    for (index, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let at = at.field("topologySpreadConstraints");
        let at = at.index(index);
        if let Some(instead) = deprecated_label(&constraint.topology_key) {
            out.push(format!("{}: {} is {instead}", at.field("topologyKey"), constraint.topology_key));
        }
        if constraint.label_selector.is_none() {
            out.push(format!("{}: {NO_SELECTOR}", at.field("labelSelector")));
        }
    }
}

fn pod_affinity(out: &mut Vec<String>, spec: &PodSpec, at: &At<'_>) {
    let Some(affinity) = &spec.affinity else { return };
    let mut terms = |field: &str,
                     required: Option<&Vec<PodAffinityTerm>>,
                     preferred: Option<&Vec<WeightedPodAffinityTerm>>| {
        let at = at.field("affinity");
        let at = at.field(field);
        for (index, term) in required.into_iter().flatten().enumerate() {
            if term.label_selector.is_none() {
                let at = at.field("requiredDuringSchedulingIgnoredDuringExecution");
                out.push(format!("{}: {NO_SELECTOR}", at.index(index).field("labelSelector")));
            }
        }
        for (index, term) in preferred.into_iter().flatten().enumerate() {
            if term.pod_affinity_term.label_selector.is_none() {
                let at = at.field("preferredDuringSchedulingIgnoredDuringExecution");
                let at = at.index(index);
                out.push(format!("{}: {NO_SELECTOR}", at.field("podAffinityTerm.labelSelector")));
            }
        }
    };
    if let Some(it) = &affinity.pod_affinity {
        terms(
            "podAffinity",
            it.required_during_scheduling_ignored_during_execution.as_ref(),
            it.preferred_during_scheduling_ignored_during_execution.as_ref(),
        );
    }
    if let Some(it) = &affinity.pod_anti_affinity {
        terms(
            "podAntiAffinity",
            it.required_during_scheduling_ignored_during_execution.as_ref(),
            it.preferred_during_scheduling_ignored_during_execution.as_ref(),
        );
    }
}

fn old_annotations(out: &mut Vec<String>, metadata: &ObjectMeta, place: &Place<'_>) {
    let at = place.metadata.field("annotations");
    for (key, instead) in [
        (
            "scheduler.alpha.kubernetes.io/critical-pod",
            "non-functional in v1.16+; use the \"priorityClassName\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
        (
            "security.alpha.kubernetes.io/unsafe-sysctls",
            "non-functional in v1.11+; use the \"sysctls\" field instead",
        ),
    ] {
        if metadata.annotations.as_ref().is_some_and(|it| it.contains_key(key)) {
            out.push(format!("{}: {instead}", at.key(key)));
        }
    }
}

fn old_volume(out: &mut Vec<String>, it: &Volume, at: &At<'_>) {
    let mut say = |field: &str, there: bool, since: &str| {
        if there {
            out.push(format!("{}: deprecated in {since}", at.field(field)));
        }
    };
    say("photonPersistentDisk", it.photon_persistent_disk.is_some(), "v1.11, non-functional in v1.16+");
    say("gitRepo", it.git_repo.is_some(), "v1.11, and disabled by default in v1.33+");
    say("scaleIO", it.scale_io.is_some(), "v1.16, non-functional in v1.22+");
    say("flocker", it.flocker.is_some(), "v1.22, non-functional in v1.25+");
    say("storageOS", it.storageos.is_some(), "v1.22, non-functional in v1.25+");
    say("quobyte", it.quobyte.is_some(), "v1.22, non-functional in v1.25+");
    say("glusterfs", it.glusterfs.is_some(), "v1.25, non-functional in v1.26+");
    if let Some(claim) = it.ephemeral.as_ref().and_then(|it| it.volume_claim_template.as_ref()) {
        volume::claim(out, &claim.spec, &at.field("ephemeral.volumeClaimTemplate.spec"));
    }
    let mut say = |field: &str, there: bool| {
        if there {
            out.push(format!("{}: deprecated in v1.28, non-functional in v1.31+", at.field(field)));
        }
    };
    say("cephfs", it.cephfs.is_some());
    say("rbd", it.rbd.is_some());
}

fn named_twice(out: &mut Vec<String>, spec: &PodSpec, at: &At<'_>) {
    let mut seen = BTreeSet::new();
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !seen.insert(&alias.ip) {
            let at = at.field("hostAliases");
            out.push(format!("{}: duplicate ip {}", at.index(index).field("ip"), alias.ip.shown()));
        }
    }
    let secrets = spec.image_pull_secrets.as_deref().unwrap_or_default();
    let at = at.field("imagePullSecrets");
    let mut seen = BTreeSet::new();
    for (index, secret) in secrets.iter().enumerate() {
        if !seen.insert(&secret.name) {
            out.push(format!("{}: duplicate name {}", at.index(index).field("name"), secret.name.shown()));
        }
    }
    for (index, _) in secrets.iter().enumerate().filter(|(_, secret)| secret.name.is_empty()) {
        out.push(format!("{}: invalid empty name \"\"", at.index(index).field("name")));
    }
}

fn container(out: &mut Vec<String>, container: &Container, at: &At<'_>) {
    if let Some(resources) = &container.resources {
        for resource in ["memory", "ephemeral-storage"] {
            fraction(out, resources.limits.as_ref(), resource, &at.field("resources.limits"));
            fraction(out, resources.requests.as_ref(), resource, &at.field("resources.requests"));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, var) in container.env.iter().flatten().enumerate() {
        let (value, own) = (text(var.value.as_ref()), format!("$({})", var.name));
        // A value that is made of the earlier one does not hide it.
        let hides = var.value_from.is_some() || value == own || !value.contains(&own);
        if !seen.insert(&var.name) && hides {
            out.push(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                at.field("env").index(index),
                var.name.shown()
            ));
        }
    }
}

fn ports(out: &mut Vec<String>, spec: &PodSpec, at: &At<'_>) {
    let each = || {
        containers(spec).flat_map(|(field, index, container)| {
            let ports = container.ports.iter().flatten().enumerate();
            ports.map(move |(number, port)| {
                (at.field(field).index(index).field("ports").index(number).to_string(), port)
            })
        })
    };
    let mut known: BTreeMap<(i32, &str), Vec<(String, &ContainerPort)>> = BTreeMap::new();
    for (place, port) in each() {
        let (number, ip) = (port.host_port.unwrap_or_default(), text(port.host_ip.as_ref()));
        if !ip.is_empty() && number == 0 {
            out.push(format!(
                "{place}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{ip}}}",
                text(port.name.as_ref()),
                port.container_port,
                text(port.protocol.as_ref())
            ));
        }
        let others = known.entry((port.container_port, text(port.protocol.as_ref()))).or_default();
        for (other, before) in others.iter() {
            if let Some(how) = port_clash(port, before) {
                out.push(format!("{place}: {how} port definition with {other}"));
            }
        }
        others.push((place, port));
    }
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (place, port) in each() {
        let name = text(port.name.as_ref());
        match names.get(name) {
            _ if name.is_empty() => {}
            Some(other) => out.push(format!(
                "{place}: duplicate port name {} with {other}, services and probes that select ports by name will use {other}",
                name.shown()
            )),
            None => {
                names.insert(name, place);
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
