//! What does the API server accept with a remark?
//!
//! Remarks are made on objects that are legal; an object that is refused gets none.
//! Source: kubernetes v1.34.1 `pkg/api/{pod,service,node,persistentvolumeclaim,persistentvolume,storage,job}`,
//! `WarningsOnCreate` in `pkg/registry/*/strategy.go`.

mod address;
mod paths;
mod pod;
mod volume;

use std::collections::BTreeMap;

use self::pod::Place;
use super::{
    meta::text,
    name,
    report::{At, Shown},
};
use crate::{
    Kind, Object, Stored,
    k8s::{
        apps::v1::StatefulSet,
        batch::v1::JobSpec,
        core::v1::{
            Node, PersistentVolume, PersistentVolumeClaim, PodTemplate, PodTemplateSpec,
            ReplicationController, Secret, Service,
        },
        networking::v1::{Ingress, NetworkPolicy, NetworkPolicyPeer},
        storage::v1::StorageClass,
    },
    meta::ObjectMeta,
};

const SPEC: At<'static> = At::root("spec");
const IN_NAMES: &str = "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ";

/// A release of the API server, such as 1.34.1: some remarks come and go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    /// 34 in 1.34.1.
    pub minor: u32,
    /// 1 in 1.34.1.
    pub patch: u32,
}

impl Release {
    /// 1.34 with the patches that EKS has by now.
    pub const CURRENT: Self = Self { minor: 34, patch: 2 };

    /// Reads `v1.34.2`, `1.34` or `v1.34.2-eks-ecaa3a6`; [`Release::CURRENT`] where that is none.
    #[must_use]
    pub fn of(version: &str) -> Self {
        let mut numbers = version.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
        let mut next = || numbers.next().and_then(|part| part.parse().ok());
        let (_, minor, patch): (Option<u32>, _, _) = (next(), next(), next());
        minor.map_or(Self::CURRENT, |minor| Self { minor, patch: patch.unwrap_or(Self::CURRENT.patch) })
    }
}

/// The `Warning:` headers for a new object, in the server's order.
#[must_use]
pub fn warnings(object: &Object, release: Release) -> Vec<String> {
    let mut out = Vec::new();
    match object {
        Object::Pod(it) => {
            let why = "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: ";
            named(&mut out, &it.metadata, why);
            if let Some(spec) = &it.spec {
                pod::spec(&mut out, spec, &it.metadata, &Place::POD);
            }
        }
        Object::Deployment(it) => {
            named(&mut out, &it.metadata, IN_NAMES);
            template(&mut out, it.spec.as_ref().map(|it| &it.template), &SPEC.field("template"));
        }
        Object::ReplicaSet(it) => {
            named(&mut out, &it.metadata, IN_NAMES);
            let of = it.spec.as_ref().and_then(|it| it.template.as_ref());
            template(&mut out, of, &SPEC.field("template"));
        }
        Object::DaemonSet(it) => {
            template(&mut out, it.spec.as_ref().map(|it| &it.template), &SPEC.field("template"));
        }
        Object::StatefulSet(it) => stateful_set(&mut out, it),
        Object::Job(it) => {
            named(&mut out, &it.metadata, IN_NAMES);
            if let Some(spec) = &it.spec {
                job(&mut out, spec, &SPEC);
            }
        }
        Object::CronJob(it) => {
            named(&mut out, &it.metadata, IN_NAMES);
            if let Some(spec) = it.spec.as_ref().and_then(|it| it.job_template.spec.as_ref()) {
                job(&mut out, spec, &SPEC.field("jobTemplate.spec"));
            }
        }
        Object::Service(it) => service(&mut out, it, release),
        Object::Node(it) => node(&mut out, it),
        Object::Endpoints(_) => {
            out.push(
                "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice".to_owned(),
            );
        }
        Object::EndpointSlice(it) => {
            if it.address_type == "FQDN" {
                out.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
            }
            let at = At::root("endpoints");
            for (index, endpoint) in it.endpoints.iter().enumerate() {
                let at = at.index(index);
                let at = at.field("addresses");
                for (index, address) in endpoint.addresses.iter().enumerate() {
                    address::ip(&mut out, address, &at.index(index));
                }
            }
        }
        Object::Secret(it) => out.extend(key_pair(it)),
        Object::Stored(it) => stored(&mut out, it),
        _ => {}
    }
    out
}

/// What keeps a certificate and a key from being a pair.
// MODEL: a TLS Secret passes if its key and certificate can be read; the real server also looks whether the two belong together.
fn key_pair(secret: &Secret) -> Option<String> {
    if secret.type_.as_deref() != Some("kubernetes.io/tls") {
        return None;
    }
    let unread = |key: &str| {
        let data = secret.data.as_ref().and_then(|it| it.get(key));
        data.is_none_or(|it| !String::from_utf8_lossy(&it.0).contains("-----BEGIN "))
    };
    let what = ["certificate", "key"].into_iter().zip(["tls.crt", "tls.key"]).find(|(_, key)| unread(key))?.0;
    Some(format!("tls: failed to find any PEM data in {what} input"))
}

/// The same for a changed object: pods get none, workloads only where what they want has changed, names no more.
#[must_use]
pub fn warnings_on_update(old: &Object, new: &Object, release: Release) -> Vec<String> {
    let counts = new.meta().generation.is_some();
    if matches!(new, Object::Pod(_)) || counts && new.meta().generation == old.meta().generation {
        return Vec::new();
    }
    let mut out = warnings(new, release);
    out.retain(|remark| !remark.starts_with("metadata.name: "));
    out
}

fn stored(out: &mut Vec<String>, it: &Stored) {
    match it.kind {
        Kind::PersistentVolumeClaim => super::with(it, |it: &PersistentVolumeClaim| {
            volume::old_class(out, &it.metadata);
            if let Some(spec) = &it.spec {
                volume::claim(out, spec, &SPEC);
            }
        }),
        Kind::PersistentVolume => super::with(it, |it: &PersistentVolume| volume::persistent(out, it)),
        Kind::StorageClass => super::with(it, |it: &StorageClass| volume::class(out, it)),
        Kind::Ingress => super::with(it, |it: &Ingress| {
            let classed = it.spec.as_ref().is_some_and(|it| it.ingress_class_name.is_some());
            let annotations = it.metadata.annotations.as_ref();
            if !classed && annotations.is_some_and(|it| it.contains_key(OLD_INGRESS_CLASS)) {
                let why = "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead";
                out.push(why.to_owned());
            }
        }),
        Kind::NetworkPolicy => super::with(it, |it| network_policy(out, it)),
        Kind::ReplicationController => super::with(it, |it: &ReplicationController| {
            named(out, &it.metadata, IN_NAMES);
            let of = it.spec.as_ref().and_then(|it| it.template.as_ref());
            template(out, of, &SPEC.field("template"));
        }),
        Kind::PodTemplate => super::with(it, |it: &PodTemplate| {
            template(out, it.template.as_ref(), &At::root("template"));
        }),
        _ => {}
    }
}

const OLD_INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// Pods are called after what they belong to, and hosts after pods.
fn named(out: &mut Vec<String>, metadata: &ObjectMeta, why: &str) {
    let errors = name::label(text(metadata.name.as_ref()));
    if !errors.is_empty() {
        out.push(format!("{why}[{}]", errors.join(" ")));
    }
}

fn template(out: &mut Vec<String>, template: Option<&PodTemplateSpec>, at: &At<'_>) {
    let Some(template) = template else { return };
    let none = ObjectMeta::default();
    let metadata = template.metadata.as_ref().unwrap_or(&none);
    if let Some(spec) = &template.spec {
        pod::spec(out, spec, metadata, &Place::template(at));
    }
}

fn stateful_set(out: &mut Vec<String>, it: &StatefulSet) {
    let Some(spec) = &it.spec else { return };
    template(out, Some(&spec.template), &SPEC.field("template"));
    let at = SPEC.field("volumeClaimTemplates");
    for (index, claim) in spec.volume_claim_templates.iter().flatten().enumerate() {
        if let Some(spec) = &claim.spec {
            volume::claim(out, spec, &at.index(index));
        }
    }
    if spec.revision_history_limit.is_some_and(|limit| limit < 0) {
        out.push("spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended".to_owned());
    }
}

fn job(out: &mut Vec<String>, spec: &JobSpec, at: &At<'_>) {
    let indexed = spec.completion_mode.as_deref() == Some("Indexed");
    if indexed
        && spec.completions.unwrap_or_default() > 100_000
        && spec.parallelism.unwrap_or_default() > 10_000
    {
        out.push(format!(
            "{at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    template(out, Some(&spec.template), &at.field("template"));
}

fn service(out: &mut Vec<String>, it: &Service, release: Release) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    let Some(spec) = &it.spec else { return };
    if it.metadata.annotations.as_ref().is_some_and(|it| it.contains_key(HINTS)) {
        out.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let kind = text(spec.type_.as_ref());
    let first = text(spec.cluster_ip.as_ref());
    let outside = spec.external_ips.as_deref().unwrap_or_default();
    let balancer = text(spec.load_balancer_ip.as_ref());
    if kind != "ExternalName" && !matches!(first, "" | "None") {
        for (index, ip) in spec.cluster_ips.iter().flatten().enumerate() {
            address::ip(out, ip, &SPEC.field("clusterIPs").index(index));
        }
    }
    if kind == "ClusterIP" && first == "None" {
        // UPSTREAM: 1.34.0 and 1.34.1 remark on the default too (kubernetes#134040).
        let affinity = text(spec.session_affinity.as_ref());
        let plain = if release.minor == 34 && release.patch < 2 { "" } else { "None" };
        for (field, there) in [
            ("loadBalancerIP", !balancer.is_empty()),
            ("externalIPs", !outside.is_empty()),
            ("SessionAffinity", !affinity.is_empty() && affinity != plain),
        ] {
            if there {
                out.push(format!("spec.{field} is ignored for headless services"));
            }
        }
    }
    for (index, ip) in outside.iter().enumerate() {
        address::ip(out, ip, &SPEC.field("externalIPs").index(index));
    }
    if !balancer.is_empty() {
        address::ip(out, balancer, &SPEC.field("loadBalancerIP"));
    }
    for (index, block) in spec.load_balancer_source_ranges.iter().flatten().enumerate() {
        address::cidr(out, block, &SPEC.field("loadBalancerSourceRanges").index(index));
    }
    if kind == "ExternalName" && !outside.is_empty() {
        out.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !text(spec.external_name.as_ref()).is_empty() {
        out.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
}

fn node(out: &mut Vec<String>, it: &Node) {
    let Some(spec) = &it.spec else { return };
    if spec.config_source.is_some() {
        out.push("spec.configSource: the feature is removed".to_owned());
    }
    if !text(spec.external_id.as_ref()).is_empty() {
        let why = "spec.externalID: this field is deprecated, and is unused by Kubernetes";
        out.push(why.to_owned());
    }
    for (index, block) in spec.pod_cidrs.iter().flatten().enumerate() {
        address::cidr(out, block, &SPEC.field("podCIDRs").index(index));
    }
}

fn network_policy(out: &mut Vec<String>, it: &NetworkPolicy) {
    let Some(spec) = &it.spec else { return };
    let mut peers = |peers: Option<&Vec<NetworkPolicyPeer>>, at: &At<'_>| {
        for (index, peer) in peers.into_iter().flatten().enumerate() {
            let Some(block) = &peer.ip_block else { continue };
            let at = at.index(index);
            let at = at.field("ipBlock");
            address::cidr(out, &block.cidr, &at.field("cidr"));
            for (index, except) in block.except.iter().flatten().enumerate() {
                address::cidr(out, except, &at.field("except").index(index));
            }
        }
    };
    for (index, rule) in spec.ingress.iter().flatten().enumerate() {
        peers(rule.from.as_ref(), &SPEC.field("ingress").index(index).field("from"));
    }
    for (index, rule) in spec.egress.iter().flatten().enumerate() {
        peers(rule.to.as_ref(), &SPEC.field("egress").index(index).field("to"));
    }
}

/// What the label was replaced by.
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
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => {
            "deprecated since v1.22; use Taints and Tolerations instead"
        }
        "node-role.kubernetes.io/master" => "use \"node-role.kubernetes.io/control-plane\" instead",
        _ => return None,
    })
}

/// Bytes do not come in halves.
fn fraction(
    out: &mut Vec<String>,
    list: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
    resource: &str,
    at: &At<'_>,
) {
    let Some(amount) = list.and_then(|list| list.get(resource)) else { return };
    if crate::quantity::Quantity::parse(&amount.0)
        .is_ok_and(|it| it.milli_value() % 1000 != 0 && it.milli_value() != i64::MAX)
    {
        out.push(format!(
            "{}: fractional byte value {} is invalid, must be an integer",
            at.key(resource),
            amount.0.shown()
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{decode, default};

    const EARLY: Release = Release { minor: 34, patch: 1 };

    fn said(kind: Kind, manifest: &Value) -> Vec<String> {
        said_by(EARLY, kind, manifest)
    }

    fn said_by(release: Release, kind: Kind, manifest: &Value) -> Vec<String> {
        let mut object = decode::decode(kind, manifest).expect("an object");
        default::apply_defaults(&mut object);
        warnings(&object, release)
    }

    #[test]
    fn old_labels_and_missing_selectors_are_named_with_their_places() {
        let term = json!({"matchExpressions": [{"key": "beta.kubernetes.io/arch", "operator": "Exists"}]});
        let spec = json!({"containers": [{"name": "c", "image": "i"}], "terminationGracePeriodSeconds": -1,
            "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "a", "whenUnsatisfiable": "DoNotSchedule"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}});
        let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": spec});
        let object = json!({"metadata": {"name": "a.b"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}});
        assert_eq!(
            said(Kind::Deployment, &object),
            [
                "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
                "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is deprecated since v1.14; use \"kubernetes.io/arch\" instead",
                "spec.template.spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
                "spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
            ]
        );
    }

    #[test]
    fn ports_and_variables_that_stand_twice_are_named() {
        let port = |name: &str| json!({"name": name, "containerPort": 80});
        let env = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}, {"name": "A", "value": "3"}]);
        let containers = json!([{"name": "c", "image": "i", "env": env, "ports": [port("web")]},
            {"name": "d", "image": "i", "ports": [port("web")]}]);
        assert_eq!(
            said(Kind::Pod, &json!({"metadata": {"name": "a"}, "spec": {"containers": containers}})),
            [
                "spec.containers[0].env[2]: hides previous definition of \"A\", which may be dropped when using apply",
                "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
                "spec.containers[1].ports[0]: duplicate port name \"web\" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]"
            ]
        );
    }

    #[test]
    fn keys_of_a_volume_that_land_on_one_path_are_named() {
        let items = json!([{"key": "a", "path": "x"}, {"key": "b", "path": "x/y"}]);
        let spec = json!({"containers": [{"name": "c", "image": "i"}],
            "volumes": [{"name": "v", "configMap": {"name": "m", "items": items}}]});
        assert_eq!(
            said(Kind::Pod, &json!({"metadata": {"name": "a"}, "spec": spec})),
            ["volume \"v\" (ConfigMap \"m\"): overlapping paths: \"x/y\" with \"x\""]
        );
    }

    #[test]
    fn pods_and_workloads_that_want_the_same_get_no_remarks_again() {
        let of = |kind, generation| {
            let spec = json!({"nodeSelector": {"beta.kubernetes.io/os": "linux"}, "containers": []});
            let spec = if kind == Kind::Pod { spec } else { json!({"template": {"spec": spec}}) };
            let object = json!({"metadata": {"name": "a.b", "generation": generation}, "spec": spec});
            decode::decode(kind, &object).expect("an object")
        };
        let said = |kind, generation| warnings_on_update(&of(kind, 1), &of(kind, generation), EARLY).len();
        assert_eq!((said(Kind::Pod, 2), said(Kind::Deployment, 1), said(Kind::Deployment, 2)), (0, 0, 1));
    }

    #[test]
    fn a_services_fields_without_effect_are_named() {
        let spec = json!({"clusterIP": "None", "clusterIPs": ["None"], "externalName": "a.b", "ports": [{"port": 1}]});
        assert_eq!(
            said(Kind::Service, &json!({"metadata": {"name": "a"}, "spec": spec})),
            [
                "spec.SessionAffinity is ignored for headless services",
                "spec.externalName is ignored when spec.type is not \"ExternalName\""
            ]
        );
    }

    #[test]
    fn the_default_affinity_of_a_headless_service_was_remarked_on_for_two_patches() {
        let spec = json!({"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 1}]});
        let count = |version: &str| {
            let manifest = json!({"metadata": {"name": "a"}, "spec": spec});
            said_by(Release::of(version), Kind::Service, &manifest).len()
        };
        assert_eq!(
            ["v1.33.1", "1.34.0", "v1.34.1", "v1.34.2-eks-ecaa3a6", "1.34", "v1.36.2"].map(count),
            [0, 1, 1, 0, 0, 0]
        );
    }
}
