//! What does a kind config file ask for?
//!
//! `Cluster` of `kind.x-k8s.io/v1alpha4`, with kind's defaults. Fields without an effect in the lab are kept.
//! Source: kind v0.27, `pkg/apis/config/v1alpha4`, `pkg/internal/apis/config` (`encoding/load.go`, `validate.go`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Diagnostic, FieldPath, Severity, decode,
    field::Step,
    schema,
    text::{Content, Document},
};

/// The one version kind reads.
pub const API_VERSION: &str = "kind.x-k8s.io/v1alpha4";

/// Reads a config file's document: what it asks for, unless it cannot be read, and all remarks on it.
#[must_use]
pub fn read(document: &Document) -> (Option<Cluster>, Vec<Diagnostic>) {
    let at = |field: FieldPath, message: String| {
        let span = document.span_of(&field);
        Diagnostic { span, ..Diagnostic::error(field, message) }
    };
    let version = document.api_version().unwrap_or_default();
    if version != API_VERSION {
        return (None, vec![at(FieldPath::of("apiVersion"), format!("unknown apiVersion: {version}"))]);
    }
    let kind = document.kind().unwrap_or_default();
    if kind != "Cluster" {
        let message = format!("unknown kind {kind} for apiVersion: {version}");
        return (None, vec![at(FieldPath::of("kind"), message)]);
    }
    let Some(schema) = schema::definition("kind.v1alpha4.Cluster") else { return (None, Vec::new()) };
    let (decoded, wrong) = decode::look(schema, document.value());
    let mut found = Vec::new();
    for unknown in decoded.unknown {
        let span = document.key_span_of(&unknown.field);
        let line = span.map_or(0, |span| span.line as usize - document.line);
        let mut parent = unknown.field.clone();
        let name = parent.0.pop().map(|step| match step {
            Step::Field(name) | Step::Key(name) => name,
            Step::Index(index) => index.to_string(),
        });
        let owner =
            schema::field(schema, &parent).and_then(|field| field.ty.inner_object()).unwrap_or(schema);
        let message =
            format!("line {line}: field {} not found in type {}", name.unwrap_or_default(), owner.go_name());
        found.push(Diagnostic { span, ..Diagnostic::error(unknown.field, message).hint("unknown-field") });
    }
    for wrong in wrong {
        let line = document.span_of(&wrong.field).map_or(0, |span| span.line as usize - document.line);
        let words = mismatch(document, &wrong.field, schema);
        found.push(at(wrong.field, format!("line {line}: {words}")));
    }
    if !found.is_empty() {
        return (None, found);
    }
    let mut value = decoded.value;
    if let Value::Object(fields) = &mut value {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    for (index, node) in value["nodes"].as_array().into_iter().flatten().enumerate() {
        if let Some(role) = node["role"].as_str().filter(|it| !matches!(*it, "control-plane" | "worker" | ""))
        {
            let message =
                format!("invalid configuration for node {index}: {role:?} is not a valid node role");
            found.push(at(FieldPath::of("nodes").index(index).field("role"), message));
        }
    }
    if !found.is_empty() {
        return (None, found);
    }
    match serde_json::from_value::<Cluster>(value) {
        Ok(cluster) => {
            if !cluster.nodes.is_empty() && cluster.nodes.iter().all(|node| node.role == Role::Worker) {
                found
                    .push(at(FieldPath::of("nodes"), "must have at least one control-plane node".to_owned()));
            }
            (Some(cluster), found)
        }
        Err(error) => (None, vec![at(FieldPath::root(), error.to_string())]),
    }
}

/// What kind prints after `ERROR: failed to create cluster: `, if it refuses the file.
#[must_use]
pub fn refusal(found: &[Diagnostic]) -> Option<String> {
    let errors: Vec<&str> =
        found.iter().filter(|it| it.severity == Severity::Error).map(|it| it.message.as_str()).collect();
    let first = errors.first()?;
    Some(if first.starts_with("line ") {
        format!("unable to decode config: yaml: unmarshal errors:\n  {}", errors.join("\n  "))
    } else if let [one] = errors.as_slice() {
        (*one).to_owned()
    } else {
        format!("[{}]", errors.join(", "))
    })
}

/// How Go's YAML says that a value has the wrong type.
fn mismatch(document: &Document, path: &FieldPath, schema: &'static schema::TypeSchema) -> String {
    let node = document.root.as_ref().and_then(|root| {
        let (node, _, taken) = root.walk(path);
        (taken == path.0.len()).then_some(node)
    });
    let (tag, shown) = match node.map(|node| &*node.content) {
        Some(Content::Scalar { text, .. }) => ("!!str", format!(" `{text}`")),
        Some(Content::List(_)) => ("!!seq", String::new()),
        Some(Content::Map(_)) | None => ("!!map", String::new()),
    };
    let in_list = matches!(path.0.last(), Some(Step::Index(_) | Step::Key(_)));
    let field = schema::field(schema, path);
    let go = field.map_or_else(String::new, |it| if in_list { it.go_item() } else { it.go_type() });
    format!("cannot unmarshal {tag}{shown} into {go}")
}

/// A cluster as kind is told to make it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cluster {
    /// Its name; `kind` if neither the file nor `--name` says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its nodes; one control plane if empty.
    pub nodes: Vec<Node>,
    /// Addresses and the network.
    pub networking: Networking,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// One node: a container on the laptop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// What it does.
    pub role: Role,
    /// Such as `kindest/node:v1.32.2`; kind's own default if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Labels of the node.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the control plane.
    #[default]
    ControlPlane,
    /// Runs pods only.
    Worker,
}

/// Addresses and the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Networking {
    /// `ipv4`, `ipv6` or `dual`.
    pub ip_family: String,
    /// Addresses of pods.
    pub pod_subnet: String,
    /// Addresses of Services.
    pub service_subnet: String,
    /// Leave out kindnet.
    #[serde(rename = "disableDefaultCNI")]
    pub disable_default_cni: bool,
    /// `iptables`, `ipvs`, `nftables` or `none`.
    pub kube_proxy_mode: String,
    /// Fields kept without effect.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

impl Default for Networking {
    fn default() -> Self {
        Self {
            ip_family: "ipv4".to_owned(),
            pod_subnet: "10.244.0.0/16".to_owned(),
            service_subnet: "10.96.0.0/16".to_owned(),
            disable_default_cni: false,
            kube_proxy_mode: "iptables".to_owned(),
            other: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn a_config_gives_its_nodes_and_kinds_own_addresses() {
        let text = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n  image: kindest/node:v1.32.2\n- role: worker\n";
        let cluster = read(&text::read(text).documents[0]).0.expect("a config");
        assert_eq!(cluster.nodes[0].image.as_deref(), Some("kindest/node:v1.32.2"));
        assert_eq!(cluster.nodes[1].role, Role::Worker);
        assert_eq!(cluster.networking.pod_subnet, "10.244.0.0/16");
    }

    #[test]
    fn a_field_that_kind_does_not_know_is_refused_in_its_words() {
        let text =
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes:\n- role: control-plane\n  imag: x\n";
        let (cluster, found) = read(&text::read(text).documents[0]);
        assert!(cluster.is_none());
        assert_eq!(
            refusal(&found).as_deref(),
            Some(
                "unable to decode config: yaml: unmarshal errors:\n  line 5: field imag not found in type v1alpha4.Node"
            )
        );
    }
}
