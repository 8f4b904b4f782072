//! Which clusters does this machine know, and as whom?
//!
//! The contents of `~/.kube/config`, typed.

use std::collections::BTreeMap;

use api::SimTime;
use serde_json::Value;

use crate::kubectl::config::FILE;
pub use crate::kubectl::discovery::Discovered;

/// A context: a cluster, a user, a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Such as `kind-myk8s`.
    pub name: String,
    /// Name of the cluster entry.
    pub cluster: String,
    /// Name of the user entry.
    pub user: String,
    /// Empty if not set.
    pub namespace: String,
}

/// A cluster entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its name in the file.
    pub name: String,
    /// Such as `https://127.0.0.1:34567`.
    pub server: String,
    /// Name of the `sim/ControlPlane` behind the address.
    pub control_plane: String,
    /// Whether the server's certificate is not looked at.
    pub insecure: bool,
    /// What else is said of it, such as `tls-server-name`: kept and shown.
    pub other: BTreeMap<String, Value>,
}

/// A user entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its name in the file.
    pub name: String,
    /// As the API server knows it.
    pub identity: String,
    /// Groups the API server knows it by.
    pub groups: Vec<String>,
    /// How it shows itself.
    pub credential: Credential,
    /// The id that the API server knows it by; often none.
    pub uid: String,
}

/// How a user shows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A client certificate, as kind writes.
    Certificate,
    /// Not at all.
    Nothing,
    /// A name and a password: nobody takes them.
    Password(String, String),
    /// A token.
    Token(String),
    /// `aws eks get-token`, with region and cluster.
    Exec(Vec<String>),
    /// In a way that the lab keeps and shows: another plugin, files of certificates. No server knows it.
    Other(Value),
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubeconfig {
    /// Sorted by name.
    pub contexts: Vec<Context>,
    /// Sorted by name.
    pub clusters: Vec<Cluster>,
    /// Sorted by name.
    pub users: Vec<User>,
    /// Servers whose list of resources is known already: kubectl keeps it in `~/.kube/cache`.
    pub discovered: Vec<String>,
    /// What definitions had added to servers when they were asked: kept there too.
    pub definitions: Vec<Discovered>,
    /// Empty if none.
    pub current: String,
    /// When the last change was made, for nobody but the page.
    pub changed: SimTime,
    /// Where it lies, if not in the home directory.
    pub path: Option<String>,
}

impl Kubeconfig {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(FILE)
    }

    /// The context with this name.
    #[must_use]
    pub fn context(&self, name: &str) -> Option<&Context> {
        self.contexts.iter().find(|c| c.name == name)
    }

    /// Adds or replaces a context with its cluster and user, and makes it the current one. Whether it is new.
    pub fn add(&mut self, context: Context, cluster: Cluster, user: User) -> bool {
        self.current.clone_from(&context.name);
        let new = self.context(&context.name).is_none();
        self.contexts.retain(|c| c.name != context.name);
        self.clusters.retain(|c| c.name != cluster.name);
        self.users.retain(|u| u.name != user.name);
        self.contexts.push(context);
        self.clusters.push(cluster);
        self.users.push(user);
        self.contexts.sort_by(|a, b| a.name.cmp(&b.name));
        self.clusters.sort_by(|a, b| a.name.cmp(&b.name));
        self.users.sort_by(|a, b| a.name.cmp(&b.name));
        new
    }

    /// The context with this name, made where there is none.
    pub fn context_mut(&mut self, name: &str) -> &mut Context {
        let at = match self.contexts.binary_search_by(|it| it.name.as_str().cmp(name)) {
            Ok(at) => at,
            Err(at) => {
                let (cluster, user, namespace) = (String::new(), String::new(), String::new());
                self.contexts.insert(at, Context { name: name.to_owned(), cluster, user, namespace });
                at
            }
        };
        &mut self.contexts[at]
    }

    /// The cluster with this name, made where there is none.
    pub fn cluster_mut(&mut self, name: &str) -> &mut Cluster {
        let at = match self.clusters.binary_search_by(|it| it.name.as_str().cmp(name)) {
            Ok(at) => at,
            Err(at) => {
                let (server, control_plane) = (String::new(), String::new());
                let made = Cluster {
                    name: name.to_owned(),
                    server,
                    control_plane,
                    insecure: false,
                    other: BTreeMap::new(),
                };
                self.clusters.insert(at, made);
                at
            }
        };
        &mut self.clusters[at]
    }

    /// Takes away a context with its cluster and user.
    pub fn remove(&mut self, name: &str) {
        let Some(context) = self.context(name).cloned() else { return };
        self.contexts.retain(|c| c.name != name);
        self.clusters.retain(|c| c.name != context.cluster);
        self.users.retain(|u| u.name != context.user);
        if self.current == name {
            self.current.clear();
        }
    }
}
