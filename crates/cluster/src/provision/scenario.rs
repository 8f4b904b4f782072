//! What does a scenario's folder say?
//!
//! Real files: an eksctl `ClusterConfig`, a kind `Cluster` or a `KwokctlConfiguration`, manifests, and one small `podpath/v1 Scenario` for what
//! those cannot say. Later files add to earlier ones, so that a lesson's `start.yaml` comes last.

use std::{collections::BTreeMap, net::Ipv4Addr};

use api::{
    Diagnostic, FieldPath,
    kinds::{eksctl, kind_config},
    text::{self, Document},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kwok;

/// The cluster of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterFile {
    /// As eksctl would make it.
    Eks(Box<eksctl::ClusterConfig>),
    /// As kind would make it.
    Kind(Box<kind_config::Cluster>),
    /// As kwokctl would make it: a control plane of this version; its nodes are among the manifests.
    Kwok {
        /// Such as `v1.34.1`.
        version: String,
    },
}

/// Somebody outside the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ActorSpec {
    /// Its name.
    pub name: String,
    /// `internet` or `subnet/<name>`.
    pub at: String,
    /// Its address; in a subnet the lowest free one if absent.
    pub address: Option<Ipv4Addr>,
    /// Whose credentials it holds.
    pub identity: Option<String>,
}

/// What containers of an image do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ImageSpec {
    /// The image, with or without its tag, or a pattern with `*`.
    pub name: String,
    /// Bytes to pull.
    pub size: u64,
    /// Milliseconds that its pull takes.
    pub pull_takes: Option<u64>,
    /// Whether no registry has it.
    pub missing: bool,
    /// Ports that its process serves.
    pub ports: Vec<u16>,
    /// Milliseconds from its start until it serves them.
    pub serves_after: u64,
    /// After so many milliseconds it accepts connections and answers no more.
    pub hangs_after: Option<u64>,
    /// What HTTP answers for a path; `*` for those not named.
    pub answers: BTreeMap<String, u16>,
    /// The user it runs as; root without.
    pub user: Option<String>,
    /// After so many milliseconds its process ends.
    pub ends_after: Option<u64>,
    /// Its exit code.
    pub exit_code: i32,
    /// Whether it ends at once when it is asked to.
    pub obeys_term: Option<bool>,
    /// Thousandths of a CPU that each of its containers uses.
    pub cpu: u64,
    /// Thousandths of a CPU that all its running containers share.
    pub shared_cpu: u64,
    /// Bytes of memory that each of its containers uses.
    pub memory: u64,
    /// Bytes that each of its containers writes to its disk.
    pub disk: u64,
    /// What it writes to its log.
    pub log: Vec<String>,
}

/// Network interfaces of the account that stand in a subnet at the beginning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct InterfaceSpec {
    /// Name of the subnet.
    pub subnet: String,
    /// One interface for each.
    pub addresses: Vec<Ipv4Addr>,
    /// As the console's description column shows them.
    pub description: String,
}

/// A rule of a security group, as scenarios write it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct RuleSpec {
    /// A port, or `all`.
    pub port: Value,
    /// `self`, `sg/<name>` or a block.
    pub from: String,
}

/// A security group that gets further rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SecurityGroupSpec {
    /// Its name.
    pub name: String,
    /// Allowed in.
    pub inbound: Vec<RuleSpec>,
}

/// The endpoint of a scenario's cluster, where its config file does not say it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EndpointSpec {
    /// The cluster's name.
    pub name: String,
    /// Whether the endpoint's name answers a public address.
    pub endpoint_public_access: Option<bool>,
    /// Whether it answers private addresses inside the VPC.
    pub endpoint_private_access: Option<bool>,
    /// Who may use the public door.
    pub public_access_cidrs: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct File {
    nodes: BTreeMap<String, Vec<String>>,
    actors: Vec<ActorSpec>,
    images: Vec<ImageSpec>,
    interfaces: Vec<InterfaceSpec>,
    security_groups: Vec<SecurityGroupSpec>,
    cluster: Option<EndpointSpec>,
}

/// A beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// The cluster, if there is one.
    pub cluster: Option<ClusterFile>,
    /// Names of nodes by node group, in the order of their launch.
    pub nodes: BTreeMap<String, Vec<String>>,
    /// Who stands outside.
    pub actors: Vec<ActorSpec>,
    /// What images do.
    pub images: Vec<ImageSpec>,
    /// What stands in subnets besides the cluster.
    pub interfaces: Vec<InterfaceSpec>,
    /// Further rules.
    pub security_groups: Vec<SecurityGroupSpec>,
    /// The endpoint's modes.
    pub endpoint: Option<EndpointSpec>,
    /// Objects that are there at the beginning.
    pub manifests: Vec<Value>,
}

impl Scenario {
    /// Reads files by name and text; scripts and prose among them are passed over.
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(files: &[(String, String)]) -> Result<Self, Vec<Diagnostic>> {
        let mut scenario = Self::default();
        let mut wrong = Vec::new();
        for (_, text) in files.iter().filter(|(name, _)| name.ends_with(".yaml")) {
            let reading = text::read(text);
            wrong.extend(reading.diagnostics);
            for document in &reading.documents {
                scenario.add(document, &mut wrong);
            }
        }
        if wrong.is_empty() { Ok(scenario) } else { Err(wrong) }
    }

    fn add(&mut self, document: &Document, wrong: &mut Vec<Diagnostic>) {
        match (document.api_version().unwrap_or_default(), document.kind().unwrap_or_default()) {
            (version, "ClusterConfig") if version.starts_with("eksctl.io/") => {
                let (config, remarks) = eksctl::read(document);
                wrong.extend(remarks.into_iter().filter(|_| config.is_none()));
                self.cluster =
                    config.map(|config| ClusterFile::Eks(Box::new(config))).or(self.cluster.take());
            }
            (version, "Cluster") if version.starts_with("kind.x-k8s.io/") => {
                let (config, remarks) = kind_config::read(document);
                wrong.extend(remarks.into_iter().filter(|_| config.is_none()));
                self.cluster =
                    config.map(|config| ClusterFile::Kind(Box::new(config))).or(self.cluster.take());
            }
            (version, "KwokctlConfiguration") if version.starts_with("config.kwok.x-k8s.io/") => {
                let value = document.to_value();
                let version = value.pointer("/options/kubeVersion").and_then(Value::as_str);
                let version = version.unwrap_or(kwok::DEFAULT_VERSION).to_owned();
                self.cluster = Some(ClusterFile::Kwok { version });
            }
            ("podpath/v1", "Scenario") => match scenario_file(document) {
                Ok(file) => self.merge(file),
                Err(why) => wrong.push(Diagnostic::error(FieldPath::root(), why)),
            },
            ("podpath/v1", _) => {}
            _ => self.manifests.push(document.to_value()),
        }
    }

    fn merge(&mut self, file: File) {
        self.nodes.extend(file.nodes);
        self.actors.extend(file.actors);
        self.images.extend(file.images);
        self.interfaces.extend(file.interfaces);
        self.security_groups.extend(file.security_groups);
        self.endpoint = file.cluster.or(self.endpoint.take());
    }
}

fn scenario_file(document: &Document) -> Result<File, String> {
    let mut value = document.to_value();
    if let Value::Object(fields) = &mut value {
        for field in ["apiVersion", "kind", "metadata"] {
            fields.remove(field);
        }
    }
    serde_json::from_value(value).map_err(|error| format!("podpath/v1 Scenario: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Scenario, Vec<Diagnostic>> {
        Scenario::read(&[("a.yaml".to_owned(), text.to_owned())])
    }

    #[test]
    fn one_file_may_hold_everything() {
        let scenario = read(
            "apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\nname: kind1\n---\napiVersion: podpath/v1\nkind: Scenario\n\
             nodes: {small: [worker-a]}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n",
        )
        .expect("a scenario");
        assert!(matches!(scenario.cluster, Some(ClusterFile::Kind(_))));
        assert_eq!(scenario.nodes["small"], ["worker-a"]);
        assert_eq!(scenario.manifests.len(), 1);
    }

    #[test]
    fn a_field_that_scenarios_do_not_have_is_named() {
        let wrong = read("apiVersion: podpath/v1\nkind: Scenario\nnods: {}\n").expect_err("a complaint");
        assert!(wrong[0].message.contains("nods"), "{}", wrong[0].message);
    }
}
