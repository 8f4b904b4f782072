//! What does a kind config file ask for?
//!
//! `Cluster` of `kind.x-k8s.io/v1alpha4`, with kind's defaults. Fields without an effect in the lab are kept.
//! Source: kind v0.27, `pkg/apis/config/v1alpha4`, `pkg/internal/apis/config` (`encoding/load.go`, `validate.go`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Diagnostic, FieldPath, text::Document};

/// Reads a config file's document: what it asks for, unless it cannot be read, and all remarks on it.
#[must_use]
pub fn read(document: &Document) -> (Option<Cluster>, Vec<Diagnostic>) {
    let mut value = document.to_value();
    if let Value::Object(fields) = &mut value {
        fields.remove("apiVersion");
        fields.remove("kind");
    }
    match serde_json::from_value(value) {
        Ok(cluster) => (Some(cluster), Vec::new()),
        Err(error) => {
            let message = format!("unable to decode config: yaml: unmarshal errors:\n  {error}");
            (None, vec![Diagnostic::error(FieldPath::root(), message)])
        }
    }
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
}
