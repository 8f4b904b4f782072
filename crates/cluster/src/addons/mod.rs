//! What does a cluster run before its owner has run anything?
//!
//! The add-ons' own manifests, as objects of `kube-system`: aws-node, kube-proxy and CoreDNS on EKS; kindnet, kube-proxy,
//! CoreDNS and a local provisioner on kind. Settings are what eksctl's `configurationValues` say.
//! Source: the EKS add-ons' manifests and version tables (addons.md §3, §4); kind v0.27.

use api::{Kind, Object};
use serde_json::{Value, json};

use crate::{Turn, node::fargate::COMPUTE_TYPE};

/// What stands between `@` signs in a manifest, and what to put there.
pub(crate) type Words<'a> = &'a [(&'a str, &'a str)];

/// The VPC CNI.
pub(crate) const AWS_NODE: &str = include_str!("aws-node.yaml");
/// kube-proxy on EKS.
pub(crate) const KUBE_PROXY: &str = include_str!("kube-proxy.yaml");
/// CoreDNS.
pub(crate) const COREDNS: &str = include_str!("coredns.yaml");
/// Everything but CoreDNS on kind.
pub(crate) const KIND: &str = include_str!("kind.yaml");

/// Latest add-on versions for a Kubernetes minor: CNI, CoreDNS, kube-proxy. The node agent's goes with the CNI's.
/// Source: addons.md §3, AWS pages of 2026.
pub(crate) fn versions(minor: &str) -> (&'static str, &'static str, &'static str) {
    const CNI: &str = "v1.21.1-eksbuild.7";
    match minor {
        "1.30" => (CNI, "v1.11.4-eksbuild.40", "v1.30.14-eksbuild.28"),
        "1.31" => (CNI, "v1.11.4-eksbuild.40", "v1.31.14-eksbuild.9"),
        "1.32" => (CNI, "v1.11.4-eksbuild.40", "v1.32.13-eksbuild.5"),
        "1.33" => (CNI, "v1.12.4-eksbuild.18", "v1.33.10-eksbuild.2"),
        "1.35" => (CNI, "v1.14.3-eksbuild.3", "v1.35.3-eksbuild.2"),
        _ => (CNI, "v1.13.2-eksbuild.11", "v1.34.6-eksbuild.2"),
    }
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

/// CoreDNS as the EKS add-on has it: with a label of its own, and kept off Fargate unless its settings say otherwise.
///
/// MODEL: with `computeType: Fargate` the annotation is left out; what the add-on writes there is not recorded.
/// Source: EKS user guide ("Get started with AWS Fargate": CoreDNS), eksctl `pkg/fargate/coredns/coredns.go`.
pub(crate) fn coredns_on_eks(object: Object, values: &Value) -> Object {
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

/// An add-on's objects with `configurationValues` worked in, as far as the lab gives them a meaning: `env` and
/// `init.env` of vpc-cni; `resources`, `nodeSelector`, `tolerations`, `replicaCount` of all.
pub(crate) fn configured(objects: Vec<Object>, values: &Value) -> Vec<Object> {
    objects.into_iter().map(|object| configure(object, values)).collect()
}

fn configure(object: Object, values: &Value) -> Object {
    let kind = object.kind();
    if !matches!(kind, Kind::DaemonSet | Kind::Deployment) {
        return object;
    }
    let mut value = object.to_value();
    if let Some(replicas) = values.get("replicaCount") {
        value["spec"]["replicas"] = replicas.clone();
    }
    let template = &mut value["spec"]["template"]["spec"];
    for field in ["nodeSelector", "tolerations", "affinity"] {
        if let Some(wanted) = values.get(field) {
            template[field] = wanted.clone();
        }
    }
    if let Some(main) = template.pointer_mut("/containers/0") {
        if let Some(resources) = values.get("resources") {
            main["resources"] = resources.clone();
        }
        set_env(main, values.get("env"));
    }
    if let Some(init) = template.pointer_mut("/initContainers/0") {
        set_env(init, values.pointer("/init/env"));
    }
    Object::from_value(kind, value).unwrap_or(object)
}

fn set_env(container: &mut Value, wanted: Option<&Value>) {
    for (name, value) in wanted.and_then(Value::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let env = &mut container["env"];
        if !env.is_array() {
            *env = json!([]);
        }
        let Some(env) = env.as_array_mut() else { continue };
        match env.iter_mut().find(|var| var["name"] == name.as_str()) {
            Some(var) => var["value"] = json!(text),
            None => env.push(json!({"name": name, "value": text})),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_of_every_manifest_is_an_object() {
        for (manifest, count) in [(AWS_NODE, 6), (KUBE_PROXY, 4), (COREDNS, 4), (KIND, 9)] {
            assert_eq!(objects(manifest, &[("ENDPOINT", "https://x"), ("DNS", "10.96.0.10")]).len(), count);
        }
    }

    #[test]
    fn coredns_keeps_off_fargate_unless_its_settings_say_otherwise() {
        let written = |values: Value| {
            let all = objects(COREDNS, &[("DNS", "10.96.0.10")]).into_iter();
            let all = all.map(|it| coredns_on_eks(it, &values));
            let set =
                all.into_iter().find(|it| it.kind() == Kind::Deployment).expect("a Deployment").to_value();
            set["spec"]["template"]["metadata"]["annotations"][COMPUTE_TYPE].clone()
        };
        assert_eq!(written(Value::Null), json!("ec2"));
        assert_eq!(written(json!({"computeType": "Fargate"})), Value::Null);
    }

    #[test]
    fn configuration_values_change_the_environment() {
        let values = json!({"env": {"WARM_IP_TARGET": "2", "WARM_ENI_TARGET": "0"}});
        let all = configured(objects(AWS_NODE, &[]), &values);
        let daemon_set = all.iter().find(|o| o.kind() == Kind::DaemonSet).expect("a DaemonSet").to_value();
        let env = daemon_set["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
        assert!(env.contains(r#"{"name":"WARM_ENI_TARGET","value":"0"}"#));
        assert!(env.contains(r#"{"name":"WARM_IP_TARGET","value":"2"}"#));
    }
}
