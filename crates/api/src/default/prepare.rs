//! What does the API server do once to a new object, before it looks whether it is valid?

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Kind, Object, Scope, Stored,
    default::{batch::labels_of_template, blank, definition, gate},
    k8s::{
        batch::v1::{Job, JobSpec},
        coordination::v1::Lease,
        core::v1::{
            Container, LoadBalancerStatus, ObjectReference, PersistentVolumeClaim, Pod, PodCondition,
            PodSpec, PodStatus, PodTemplateSpec, Secret, ServiceAccount, ServiceSpec,
            TypedLocalObjectReference, TypedObjectReference,
        },
        storage::v1::CSIDriver,
    },
    meta::{LabelSelector, LabelSelectorRequirement, ObjectMeta, Time},
    parts,
    quantity::Quantity,
};

/// Empties the status, sets the generation and what else the server decides; `now` stamps a gated pod's condition.
///
/// The object must have its uid already: Jobs are selected by it.
pub fn prepare_for_create(object: &mut Object, now: &Time) {
    if object.kind().info().scope == Scope::Cluster {
        object.meta_mut().namespace = None;
    }
    drop_disabled(object);
    match object {
        Object::Namespace(_) => {}
        Object::Node(it) => {
            if let Some(spec) = &mut it.spec {
                spec.config_source = None;
            }
        }
        Object::Stored(it) if !has_own_status(it.kind) => {}
        _ => parts::clear_status(object),
    }
    match object {
        Object::Pod(pod) => self::pod(pod, now),
        Object::DaemonSet(it) => {
            first(&mut it.metadata);
            // UPSTREAM: what was a field once is an annotation now.
            let annotations = it.metadata.annotations.get_or_insert_default();
            annotations.insert("deprecated.daemonset.template.generation".to_owned(), "1".to_owned());
        }
        Object::Deployment(_)
        | Object::ReplicaSet(_)
        | Object::StatefulSet(_)
        | Object::CronJob(_)
        | Object::PriorityClass(_) => first(object.meta_mut()),
        Object::EndpointSlice(it) => {
            first(&mut it.metadata);
            for endpoint in &mut it.endpoints {
                endpoint.deprecated_topology = None;
            }
        }
        Object::Job(it) => job(it),
        Object::Namespace(it) => {
            let finalizers = it.spec.get_or_insert_default().finalizers.get_or_insert_default();
            if !finalizers.iter().any(|name| name == "kubernetes") {
                finalizers.push("kubernetes".to_owned());
            }
            it.status.get_or_insert_default().phase = Some("Active".to_owned());
        }
        Object::Secret(it) => clear_text(it),
        Object::ServiceAccount(it) => names_only(it),
        Object::Lease(it) => uncoordinated(it),
        Object::Stored(stored) => match stored.kind {
            Kind::CertificateSigningRequest
            | Kind::PodDisruptionBudget
            | Kind::Ingress
            | Kind::IngressClass
            | Kind::NetworkPolicy
            | Kind::PodTemplate
            | Kind::ReplicationController
            | Kind::ValidatingAdmissionPolicy
            | Kind::ValidatingAdmissionPolicyBinding
            | Kind::ValidatingWebhookConfiguration
            | Kind::MutatingWebhookConfiguration
            | Kind::Custom(_) => {
                first(&mut stored.metadata);
            }
            Kind::CustomResourceDefinition => {
                definition::of_new(stored);
                first(&mut stored.metadata);
            }
            Kind::PersistentVolumeClaim => stored.edit(claim),
            // MutableCSINodeAllocatableCount is off.
            Kind::CSIDriver => stored.edit(|it: &mut CSIDriver| {
                it.spec.node_allocatable_update_period_seconds = None;
            }),
            Kind::PersistentVolume => {
                let time = serde_json::to_value(now).unwrap_or_default();
                let status = serde_json::json!({"phase": "Pending", "lastPhaseTransitionTime": time});
                stored.body.insert("status".to_owned(), status);
            }
            _ => {}
        },
        _ => {}
    }
}

/// Whether a stored kind's status is only the server's to write.
fn has_own_status(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::PodDisruptionBudget
            | Kind::Ingress
            | Kind::PersistentVolumeClaim
            | Kind::ReplicationController
            | Kind::ResourceQuota
            | Kind::VolumeAttachment
    )
}

/// Drops from a pod, or from a workload's template, the fields whose features are off.
fn drop_disabled(object: &mut Object) {
    let of = |template: Option<&mut PodTemplateSpec>| {
        if let Some(spec) = template.and_then(|it| it.spec.as_mut()) {
            gate::drop_disabled(spec);
        }
    };
    match object {
        Object::Pod(it) => {
            if let Some(spec) = &mut it.spec {
                gate::drop_disabled(spec);
            }
        }
        Object::Deployment(it) => of(it.spec.as_mut().map(|it| &mut it.template)),
        Object::ReplicaSet(it) => of(it.spec.as_mut().and_then(|it| it.template.as_mut())),
        Object::DaemonSet(it) => of(it.spec.as_mut().map(|it| &mut it.template)),
        Object::StatefulSet(it) => {
            let Some(spec) = &mut it.spec else { return };
            of(Some(&mut spec.template));
            let rolling = spec.update_strategy.as_mut().and_then(|it| it.rolling_update.as_mut());
            if let Some(rolling) = rolling {
                // MaxUnavailableStatefulSet is off.
                rolling.max_unavailable = None;
            }
        }
        Object::Job(it) => of(it.spec.as_mut().map(|it| &mut it.template)),
        Object::CronJob(it) => {
            let job = it.spec.as_mut().and_then(|it| it.job_template.spec.as_mut());
            of(job.map(|it| &mut it.template));
        }
        _ => {}
    }
}

/// What the server does to a changed object before it looks whether it is valid: the status stays the stored one's, and
/// where the kind counts generations, a changed spec counts.
///
/// For requests to the object itself; its status is written through its own door.
pub fn prepare_for_update(new: &mut Object, old: &Object) {
    drop_disabled(new);
    parts::take_status(old, new);
    match (&mut *new, old) {
        (Object::Service(new), Object::Service(old)) => {
            if let (Some(new), Some(old)) = (&mut new.spec, &old.spec) {
                drop_what_the_type_had(new, old);
            }
            if new.spec.as_ref().is_some_and(|spec| spec.type_.as_deref() != Some("LoadBalancer"))
                && let Some(status) = &mut new.status
            {
                status.load_balancer = Some(LoadBalancerStatus::default());
            }
        }
        (Object::Namespace(new), Object::Namespace(old)) => new.spec.clone_from(&old.spec),
        (Object::Pod(new), _) => {
            if let Some(spec) = &mut new.spec {
                positive_grace(spec);
            }
        }
        (Object::Secret(new), _) => clear_text(new),
        (Object::ServiceAccount(new), _) => names_only(new),
        (Object::Lease(new), _) => uncoordinated(new),
        (Object::Stored(new), Object::Stored(old)) if new.kind == Kind::CertificateSigningRequest => {
            take(old, new, "spec");
        }
        (Object::Job(new), _) => {
            // A body need not say its uid, so the defaults could not tell that the Job is there already.
            if let Some(spec) = &new.spec {
                labels_of_template(&mut new.metadata, &spec.template);
            }
        }
        _ => {}
    }
    new.meta_mut().generation = old.meta().generation;
    parts::move_generation(old, new);
}

/// Gives `into` a part as `from` has it.
fn take(from: &Stored, into: &mut Stored, part: &str) {
    match from.body.get(part) {
        Some(value) => into.body.insert(part.to_owned(), value.clone()),
        None => into.body.remove(part),
    };
}

/// What a signing request's status becomes when it is written through `part`: only its conditions may be approved, and those that say
/// whether it is stay as they are when it is signed. Each condition gets its times.
/// Source: `pkg/registry/certificates/certificates/strategy.go`.
pub fn prepare_signing(new: &mut Stored, old: &Stored, part: &str, now: &Time) {
    let list = |of: &Stored| -> Vec<Value> {
        let status = of.body.get("status").and_then(|status| status["conditions"].as_array());
        status.cloned().unwrap_or_default()
    };
    let (mut conditions, before) = (list(new), list(old));
    if part == "approval" {
        take(old, new, "status");
    } else {
        for type_ in ["Approved", "Denied"] {
            let kept: Vec<&Value> = before.iter().filter(|it| it["type"] == type_).collect();
            let places: Vec<usize> =
                (0..conditions.len()).filter(|at| conditions[*at]["type"] == type_).collect();
            if kept.len() == places.len() {
                for (at, kept) in places.into_iter().zip(kept) {
                    conditions[at] = kept.clone();
                }
            }
        }
    }
    let now = Value::String(now.0.to_string());
    for condition in &mut conditions {
        if condition["lastUpdateTime"].is_null() {
            condition["lastUpdateTime"] = now.clone();
        }
        if condition["lastTransitionTime"].is_null() {
            let same = before.iter().find(|it| {
                it["type"] == condition["type"]
                    && it["status"] == condition["status"]
                    && !it["lastTransitionTime"].is_null()
            });
            condition["lastTransitionTime"] =
                same.map_or_else(|| now.clone(), |it| it["lastTransitionTime"].clone());
        }
    }
    let had = !before.is_empty();
    if had || !conditions.is_empty() {
        let status = new.body.entry("status").or_insert_with(|| serde_json::json!({}));
        status["conditions"] = Value::Array(conditions);
    }
}

/// A Service that changes its type loses what only the old type had, unless its author changed that too.
/// Source: `dropTypeDependentFields` of `pkg/registry/core/service/strategy.go`.
fn drop_what_the_type_had(new: &mut ServiceSpec, old: &ServiceSpec) {
    let kind = |spec: &ServiceSpec| spec.type_.clone().unwrap_or_default();
    let has_ip = |spec: &ServiceSpec| kind(spec) != "ExternalName";
    let balanced = |spec: &ServiceSpec| kind(spec) == "LoadBalancer";
    let has_ports = |spec: &ServiceSpec| {
        kind(spec) == "NodePort" || (balanced(spec) && spec.allocate_load_balancer_node_ports != Some(false))
    };
    let outside = |spec: &ServiceSpec| {
        matches!(kind(spec).as_str(), "NodePort" | "LoadBalancer")
            || (kind(spec) == "ClusterIP" && spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()))
    };
    let checked =
        |spec: &ServiceSpec| balanced(spec) && spec.external_traffic_policy.as_deref() == Some("Local");
    if has_ip(old) && !has_ip(new) {
        if new.cluster_ip == old.cluster_ip && new.cluster_ips == old.cluster_ips {
            (new.cluster_ip, new.cluster_ips) = (None, None);
        }
        new.internal_traffic_policy.take_if(|it| Some(&*it) == old.internal_traffic_policy.as_ref());
        new.ip_families.take_if(|it| Some(&*it) == old.ip_families.as_ref());
        new.ip_family_policy.take_if(|it| Some(&*it) == old.ip_family_policy.as_ref());
    }
    let numbers = |spec: &ServiceSpec| -> std::collections::BTreeSet<i32> {
        spec.ports.iter().flatten().filter_map(|port| port.node_port).filter(|port| *port != 0).collect()
    };
    if has_ports(old) && !has_ports(new) && numbers(new).is_subset(&numbers(old)) {
        for port in new.ports.iter_mut().flatten() {
            port.node_port = None;
        }
    }
    if checked(old) && !checked(new) && new.health_check_node_port == old.health_check_node_port {
        new.health_check_node_port = None;
    }
    if balanced(old) && !balanced(new) {
        let had = old.allocate_load_balancer_node_ports;
        new.allocate_load_balancer_node_ports.take_if(|it| Some(*it) == had);
        new.load_balancer_class.take_if(|it| Some(&*it) == old.load_balancer_class.as_ref());
    }
    if outside(old) && !outside(new) && new.external_traffic_policy == old.external_traffic_policy {
        new.external_traffic_policy = None;
    }
}

/// What a Secret was given in clear goes where the rest is.
fn clear_text(secret: &mut Secret) {
    for (key, text) in secret.string_data.take().into_iter().flatten() {
        secret.data.get_or_insert_default().insert(key, k8s_openapi::ByteString(text.into_bytes()));
    }
}

/// Of the secrets that an account may use, only their names are kept.
fn names_only(account: &mut ServiceAccount) {
    for secret in account.secrets.iter_mut().flatten() {
        *secret = ObjectReference { name: secret.name.take(), ..ObjectReference::default() };
    }
}

/// CoordinatedLeaderElection is off.
fn uncoordinated(lease: &mut Lease) {
    if let Some(spec) = &mut lease.spec {
        spec.strategy = None;
        spec.preferred_holder = None;
    }
}

fn first(metadata: &mut ObjectMeta) {
    metadata.generation = Some(1);
}

/// UPSTREAM: a negative grace period means one second.
fn positive_grace(spec: &mut PodSpec) {
    if let Some(period) = spec.termination_grace_period_seconds.as_mut().filter(|period| **period < 0) {
        *period = 1;
    }
}

fn pod(pod: &mut Pod, now: &Time) {
    first(&mut pod.metadata);
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    let Some(spec) = &mut pod.spec else { return };
    positive_grace(spec);
    merge_match_label_keys(spec, &labels);
    let mut status = PodStatus {
        phase: Some("Pending".to_owned()),
        qos_class: Some(qos_class(spec).to_owned()),
        ..PodStatus::default()
    };
    if spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        status.conditions = Some(vec![PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "False".to_owned(),
            reason: Some("SchedulingGated".to_owned()),
            message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
            last_transition_time: Some(now.clone()),
            ..PodCondition::default()
        }]);
    }
    pod.status = Some(status);
}

/// `matchLabelKeys` become requirements on the pod's own values.
fn merge_match_label_keys(spec: &mut PodSpec, labels: &BTreeMap<String, String>) {
    let merge = |selector: &mut LabelSelector, keys: &[String], operator: &str| {
        for key in keys {
            let Some(value) = labels.get(key) else { continue };
            selector.match_expressions.get_or_insert_default().push(LabelSelectorRequirement {
                key: key.clone(),
                operator: operator.to_owned(),
                values: Some(vec![value.clone()]),
            });
        }
    };
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        if let (Some(selector), Some(keys)) = (&mut constraint.label_selector, &constraint.match_label_keys) {
            merge(selector, keys, "In");
        }
    }
    let Some(affinity) = &mut spec.affinity else { return };
    let pod_affinity = affinity.pod_affinity.iter_mut().flat_map(|it| {
        let preferred = it.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        let required = it.required_during_scheduling_ignored_during_execution.iter_mut().flatten();
        required.chain(preferred.map(|it| &mut it.pod_affinity_term))
    });
    let pod_anti_affinity = affinity.pod_anti_affinity.iter_mut().flat_map(|it| {
        let preferred = it.preferred_during_scheduling_ignored_during_execution.iter_mut().flatten();
        let required = it.required_during_scheduling_ignored_during_execution.iter_mut().flatten();
        required.chain(preferred.map(|it| &mut it.pod_affinity_term))
    });
    for term in pod_affinity.chain(pod_anti_affinity) {
        let Some(selector) = &mut term.label_selector else { continue };
        merge(selector, term.match_label_keys.as_deref().unwrap_or_default(), "In");
        merge(selector, term.mismatch_label_keys.as_deref().unwrap_or_default(), "NotIn");
    }
}

/// `Guaranteed`, `Burstable` or `BestEffort`: by CPU and memory only. Source: `pkg/apis/core/helper/qos`.
#[must_use]
pub fn qos_class(spec: &PodSpec) -> &'static str {
    let counts = |name: &str| matches!(name, "cpu" | "memory");
    if let Some(resources) = &spec.resources {
        let has = |list: &Option<BTreeMap<String, _>>| list.as_ref().is_some_and(|it| !it.is_empty());
        if has(&resources.limits) || has(&resources.requests) {
            return class(&[(
                amounts(resources.requests.as_ref(), counts),
                amounts(resources.limits.as_ref(), counts),
            )]);
        }
    }
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let each: Vec<_> = containers
        .map(|container: &Container| {
            let resources = container.resources.as_ref();
            let requests = amounts(resources.and_then(|it| it.requests.as_ref()), counts);
            (requests, amounts(resources.and_then(|it| it.limits.as_ref()), counts))
        })
        .collect();
    class(&each)
}

type Amounts = Vec<(String, Quantity)>;

fn amounts(
    list: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
    counts: impl Fn(&str) -> bool,
) -> Amounts {
    let parsed = list.into_iter().flatten().filter(|(name, _)| counts(name));
    let parsed = parsed.filter_map(|(name, amount)| Some((name.clone(), Quantity::parse(&amount.0).ok()?)));
    parsed.filter(|(_, amount)| amount.sign() > 0).collect()
}

fn class(each: &[(Amounts, Amounts)]) -> &'static str {
    if each.iter().all(|(requests, limits)| requests.is_empty() && limits.is_empty()) {
        return "BestEffort";
    }
    let guaranteed = each.iter().all(|(requests, limits)| limits.len() == 2 && requests == limits);
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

/// The older field for a claim's source and the newer one say the same; an empty group is none.
fn claim(claim: &mut PersistentVolumeClaim) {
    let Some(spec) = &mut claim.spec else { return };
    // CrossNamespaceVolumeDataSource is off.
    spec.data_source_ref = spec.data_source_ref.take().filter(|it| blank(it.namespace.as_ref()));
    if spec.data_source_ref.is_none() {
        // What the older field could not mean it does not say.
        spec.data_source = spec.data_source.take().filter(|it| {
            let group = it.api_group.as_deref().unwrap_or_default();
            matches!(
                (it.kind.as_str(), group),
                ("PersistentVolumeClaim", "") | ("VolumeSnapshot", "snapshot.storage.k8s.io")
            )
        });
    }
    if let Some(source) = &mut spec.data_source {
        source.api_group = source.api_group.take().filter(|group| !group.is_empty());
    }
    if let Some(source) = &mut spec.data_source_ref {
        source.api_group = source.api_group.take().filter(|group| !group.is_empty());
    }
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(source), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                namespace: None,
            });
        }
        (None, Some(source)) if source.namespace.is_none() => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
            });
        }
        _ => {}
    }
}

/// A Job selects its pods by its uid, unless its author does.
fn job(job: &mut Job) {
    first(&mut job.metadata);
    let Some(spec) = &mut job.spec else { return };
    // UPSTREAM: its labels were defaulted to its template's, the very map that gets more here.
    let shared = spec.template.metadata.as_ref().is_some_and(|it| it.labels.is_some());
    generate_selector(&job.metadata, spec);
    if shared {
        labels_of_template(&mut job.metadata, &spec.template);
    }
}

fn generate_selector(metadata: &ObjectMeta, spec: &mut JobSpec) {
    let Some(uid) = metadata.uid.clone() else { return };
    let name = metadata.name.clone().unwrap_or_default();
    if spec.manual_selector == Some(true) || blank(Some(&uid)) {
        return;
    }
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for (key, value) in [
        ("controller-uid", &uid),
        ("job-name", &name),
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
    ] {
        labels.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    let selector = spec.selector.get_or_insert_default().match_labels.get_or_insert_default();
    selector.entry("batch.kubernetes.io/controller-uid".to_owned()).or_insert(uid);
}
