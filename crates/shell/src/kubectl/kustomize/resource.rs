//! One object on its way through kustomizations, and how the objects stand in what is built.

use api::Kind;
use serde_json::Value;

use super::generate;
use crate::kubectl::field;

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Resource {
    pub object: Value,
    /// Every name it has had, its first one first.
    pub names: Vec<String>,
    /// Whether its name gets a hash in the end.
    pub hash: bool,
}

/// Kinds that stand first, in this order; what is not named stands by group, version and kind.
const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

impl Resource {
    pub(super) fn new(object: Value) -> Self {
        let name = field::name(&object).to_owned();
        Self { object, names: vec![name], hash: false }
    }

    pub(super) fn kind(&self) -> &str {
        field::text(&self.object, "kind")
    }

    pub(super) fn name(&self) -> &str {
        field::name(&self.object)
    }

    /// The kind as the API knows it, if it is one of its own.
    pub(super) fn known(&self) -> Option<Kind> {
        Kind::of_manifest(field::text(&self.object, "apiVersion"), self.kind())
    }

    pub(super) fn group_version(&self) -> (&str, &str) {
        let version = field::text(&self.object, "apiVersion");
        version.split_once('/').unwrap_or(("", version))
    }

    /// As messages name it: `Deployment.v1.apps/web.[noNs]`.
    pub(super) fn id(&self) -> String {
        let (group, version) = self.group_version();
        id([group, version, self.kind()], self.name(), field::namespace(&self.object))
    }

    pub(super) fn rename(&mut self, name: String) {
        if self.name() != name {
            self.object["metadata"]["name"] = name.as_str().into();
            self.names.push(name);
        }
    }

    /// Whether something that calls it so means this one.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }
}

/// `Deployment.v1.apps/web.[noNs]`.
pub(super) fn id([group, version, kind]: [&str; 3], name: &str, namespace: &str) -> String {
    let word = |text: &str, none: &str| if text.is_empty() { none.to_owned() } else { text.to_owned() };
    format!(
        "{}.{}.{}/{}.{}",
        word(kind, "[noKind]"),
        word(version, "[noVer]"),
        word(group, "[noGrp]"),
        word(name, "[noName]"),
        word(namespace, "[noNs]")
    )
}

/// What has been gathered, in order.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub all: Vec<Resource>,
    /// The variables that kustomizations define.
    pub vars: Vec<Value>,
}

impl Resources {
    /// Takes another one in; there may be only one of each name.
    pub(super) fn add(&mut self, resource: Resource) -> Result<(), String> {
        let id = resource.id();
        if self.all.iter().any(|it| it.id() == id) {
            return Err(format!("may not add resource with an already registered id: {id}"));
        }
        self.all.push(resource);
        Ok(())
    }

    /// Gives every name that wants one its hash.
    pub(super) fn add_hashes(&mut self) {
        for resource in self.all.iter_mut().filter(|it| it.hash) {
            let hash = generate::hashed(&resource.object, "");
            resource.rename(format!("{}-{hash}", resource.name()));
        }
    }

    /// The legacy order.
    pub(super) fn sort(&mut self) {
        let rank = |kind: &str| {
            let at = |list: &[&str]| list.iter().position(|it| *it == kind);
            match (at(FIRST), at(LAST)) {
                (Some(at), _) => at,
                (None, Some(at)) => FIRST.len() + 1 + at,
                (None, None) => FIRST.len(),
            }
        };
        self.all.sort_by_key(|it| {
            let (group, version) = it.group_version();
            let (group, version) = (group.to_owned(), version.to_owned());
            let namespace = field::namespace(&it.object).to_owned();
            (rank(it.kind()), group, version, it.kind().to_owned(), namespace, it.name().to_owned())
        });
    }
}
