//! What does a cluster run before its owner has run anything?
//!
//! The add-ons' own manifests, as objects of `kube-system`: aws-node, kube-proxy and CoreDNS on EKS; kindnet, kube-proxy,
//! CoreDNS and a local provisioner on kind; on EKS the Metrics Server and the Pod Identity Agent for whoever asks for them.
//! Source: the EKS add-ons' manifests and version tables (addons.md §3, §4); kind v0.27.

mod apply;
mod configure;
mod keep;
pub(crate) mod schema;
#[cfg(test)]
mod tests;

use api::{Kind, Object, kinds::eks::EksCluster};
use serde_json::{Value, json};

pub(crate) use apply::Resolve;
pub(crate) use keep::{Addons, Wanted, asked_for, create, delete, update};

use crate::{Turn, node::fargate::COMPUTE_TYPE, provision::dns_address};

/// The add-ons that eksctl makes of itself. MODEL: it makes metrics-server too; here that is for whoever asks for it, so that a new
/// cluster has room for the learner's pods.
/// Source: eksctl `pkg/apis/eksctl.io/v1alpha5/known_addons.go`.
pub(crate) const DEFAULT: [&str; 3] = ["vpc-cni", "kube-proxy", "coredns"];
/// Every add-on that the lab knows. MODEL: EKS offers many more.
pub(crate) const KNOWN: [&str; 5] =
    ["vpc-cni", "kube-proxy", "coredns", "metrics-server", "eks-pod-identity-agent"];

/// What stands between `@` signs in a manifest, and what to put there.
pub(crate) type Words<'a> = &'a [(&'a str, &'a str)];

/// The VPC CNI.
pub(crate) const AWS_NODE: &str = include_str!("aws-node.yaml");
/// kube-proxy on EKS.
pub(crate) const KUBE_PROXY: &str = include_str!("kube-proxy.yaml");
/// The Metrics Server.
const METRICS_SERVER: &str = include_str!("metrics-server.yaml");
/// The agent of EKS Pod Identity.
const POD_IDENTITY_AGENT: &str = include_str!("eks-pod-identity-agent.yaml");
/// CoreDNS.
pub(crate) const COREDNS: &str = include_str!("coredns.yaml");
/// Everything but CoreDNS on kind.
pub(crate) const KIND: &str = include_str!("kind.yaml");

/// Versions of an add-on that fit a Kubernetes minor, the latest first.
/// Source: addons.md §3, AWS pages of late 2025 and of 2026.
pub(crate) fn versions(addon: &str, minor: &str) -> &'static [&'static str] {
    match (addon, minor) {
        ("vpc-cni", _) => &["v1.21.1-eksbuild.7", "v1.20.4-eksbuild.1"],
        ("coredns", "1.30" | "1.31" | "1.32") => &["v1.11.4-eksbuild.40", "v1.11.4-eksbuild.24"],
        ("coredns", "1.33") => &["v1.12.4-eksbuild.18", "v1.12.4-eksbuild.1"],
        ("coredns", "1.35") => &["v1.14.3-eksbuild.3"],
        ("coredns", _) => &["v1.13.2-eksbuild.11", "v1.12.4-eksbuild.1"],
        ("kube-proxy", "1.30") => &["v1.30.14-eksbuild.28", "v1.30.14-eksbuild.8"],
        ("kube-proxy", "1.31") => &["v1.31.14-eksbuild.9", "v1.31.13-eksbuild.2"],
        ("kube-proxy", "1.32") => &["v1.32.13-eksbuild.5", "v1.32.9-eksbuild.2"],
        ("kube-proxy", "1.33") => &["v1.33.10-eksbuild.2", "v1.33.5-eksbuild.2"],
        ("kube-proxy", "1.35") => &["v1.35.3-eksbuild.2"],
        ("kube-proxy", _) => &["v1.34.6-eksbuild.2", "v1.34.1-eksbuild.2"],
        // As clusters of late 2025 show them.
        ("metrics-server", _) => &["v0.8.0-eksbuild.3", "v0.7.2-eksbuild.3"],
        ("eks-pod-identity-agent", _) => &["v1.3.10-eksbuild.3"],
        _ => &[],
    }
}

/// An add-on's objects in a version, with its settings worked in.
fn render(cluster: &EksCluster, addon: &str, version: &str, values: &str) -> Vec<Object> {
    let manifest = match addon {
        "vpc-cni" => AWS_NODE,
        "kube-proxy" => KUBE_PROXY,
        "coredns" => COREDNS,
        "metrics-server" => METRICS_SERVER,
        "eks-pod-identity-agent" => POD_IDENTITY_AGENT,
        _ => return Vec::new(),
    };
    let name = cluster.metadata.name.as_deref().unwrap_or_default();
    let registry = format!("602401143452.dkr.ecr.{}.amazonaws.com", cluster.region());
    let image = format!("{registry}/eks/coredns:{version}");
    // The tenth address of the Services' block.
    let dns = dns_address(cluster.service_cidr);
    let ipv6 = cluster.service_cidr.addr().is_ipv6();
    let (on, off) = if ipv6 { ("true", "false") } else { ("false", "true") };
    let words = [
        ("REGISTRY", registry.as_str()),
        ("CNI_UPSTREAM", version.split('-').next().unwrap_or(version)),
        ("CNI", version),
        ("NODE_AGENT", "v1.2.7-eksbuild.1"),
        ("KUBE_PROXY", version),
        ("COREDNS", &image),
        ("VERSION", version),
        ("AGENT", "v0.1.37"),
        ("REGION", cluster.region()),
        ("DNS", &dns),
        ("ENDPOINT", &cluster.endpoint),
        ("CLUSTER", name),
        ("VPC", &cluster.vpc),
        ("IPV6", on),
        ("IPV4", off),
        ("ANY", if ipv6 { "::" } else { "0.0.0.0" }),
        ("ANY_HOST", if ipv6 { "[::]" } else { "0.0.0.0" }),
    ];
    let settings = settings(values);
    let mut objects = objects(manifest, &words);
    if addon == "coredns" && settings["podDisruptionBudget"].is_object() {
        objects.extend(coredns_budget());
    }
    let objects = configure::configured(addon, objects, &settings);
    match addon {
        "coredns" => objects.into_iter().map(|it| coredns_on_eks(it, &settings)).collect(),
        _ => objects,
    }
}

/// `configurationValues`: JSON or YAML text.
fn settings(text: &str) -> Value {
    api::text::read(text).documents.first().map(api::text::Document::to_value).unwrap_or_default()
}

/// The objects of a manifest with its words filled in.
pub(crate) fn objects(manifest: &str, words: Words<'_>) -> Vec<Object> {
    let text = words
        .iter()
        .fold(manifest.to_owned(), |text, (word, value)| text.replace(&format!("@{word}@"), value));
    let documents = api::text::read(&text).documents;
    documents.iter().filter_map(|document| object(document.to_value())).collect()
}

fn object(value: Value) -> Option<Object> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let kind = Kind::of_manifest(text("apiVersion"), text("kind"))?;
    Object::from_value(kind, value).ok()
}

/// Creates objects through the API server; one that is there already stays as it is.
pub(crate) fn install(turn: &mut Turn<'_>, objects: Vec<Object>) {
    for object in objects {
        // A refusal here means that somebody has made an object of that name: theirs stays.
        let _ = turn.create_object(object);
    }
}

/// The budget of CoreDNS. MODEL: EKS makes it unless it is told not to; here it is there for whoever sets it.
/// Source: addons.md §4 (`podDisruptionBudget`).
fn coredns_budget() -> Option<Object> {
    let labels = json!({"eks.amazonaws.com/component": "coredns", "k8s-app": "kube-dns"});
    object(json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": labels},
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}}}))
}

/// CoreDNS as the EKS add-on has it: with a label of its own, and kept off Fargate unless its settings say otherwise.
///
/// MODEL: with `computeType: Fargate` the annotation is left out; what the add-on writes there is not recorded.
/// Source: EKS user guide ("Get started with AWS Fargate": CoreDNS), eksctl `pkg/fargate/coredns/coredns.go`.
fn coredns_on_eks(object: Object, values: &Value) -> Object {
    let Object::Deployment(mut it) = object else { return object };
    let template = &mut it.spec.get_or_insert_default().template;
    let meta = template.metadata.get_or_insert_default();
    let annotations = meta.annotations.get_or_insert_default();
    if values["computeType"].as_str().is_some_and(|it| it.eq_ignore_ascii_case("fargate")) {
        annotations.remove(COMPUTE_TYPE);
    } else {
        annotations.entry(COMPUTE_TYPE.to_owned()).or_insert_with(|| "ec2".to_owned());
    }
    meta.labels
        .get_or_insert_default()
        .insert("eks.amazonaws.com/component".to_owned(), "coredns".to_owned());
    Object::Deployment(it)
}
