//! Which plugins run, with which weight, and whose words are used?

use serde::{Deserialize, Serialize};

use crate::plugin::Plugin;
use crate::registry;

/// A version of Kubernetes, for texts that changed between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// 1.
    pub major: u32,
    /// Such as 34.
    pub minor: u32,
    /// Such as 1.
    pub patch: u32,
}

impl Version {
    /// `Version::new(1, 34, 1)` is v1.34.1.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Whether a taint's reason names the taint: up to 1.34.1.
    #[must_use]
    pub fn names_the_taint(self) -> bool {
        self <= Self::new(1, 34, 1)
    }

    /// Whether a volume that is elsewhere is spoken of as "PersistentVolume's node affinity": from 1.33 on.
    #[must_use]
    pub fn names_volume_affinity(self) -> bool {
        self >= Self::new(1, 33, 0)
    }

    /// Whether a request larger than a whole node is known to be hopeless: from 1.34 on. Before, preemption was tried.
    #[must_use]
    pub fn knows_hopeless_requests(self) -> bool {
        self >= Self::new(1, 34, 0)
    }

    /// Whether the namespaces that a pod's own terms select are also tried without their labels: from 1.34 on.
    ///
    /// UPSTREAM: the namespaces are looked up first, but the selector is then not put away (kubernetes/kubernetes#141526),
    /// so that one that only excludes means pods of every namespace.
    #[must_use]
    pub fn forgets_namespace_labels(self) -> bool {
        self >= Self::new(1, 34, 0)
    }

    /// Whether the dynamic-resources plugin has a say: from 1.34 on.
    #[must_use]
    pub fn has_claims(self) -> bool {
        self >= Self::new(1, 34, 0)
    }
}

/// A plugin and what its score counts for.
#[derive(Clone, Copy)]
pub struct Enabled {
    /// The plugin.
    pub plugin: &'static dyn Plugin,
    /// Factor of its normalised score; 0 for one that does not score.
    pub weight: i64,
}

/// The scheduler's configuration.
#[derive(Clone)]
pub struct Profile {
    /// `schedulerName`.
    pub name: String,
    /// Whose words to use.
    pub version: Version,
    /// In the order in which they run.
    pub plugins: Vec<Enabled>,
}

impl Profile {
    /// The default profile of 1.34 in the words of its current patch.
    #[must_use]
    pub fn default_1_34() -> Profile {
        Profile {
            name: "default-scheduler".to_owned(),
            version: Version::new(1, 34, 2),
            plugins: registry::default_plugins(),
        }
    }

    /// The same profile in the words of another version.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Profile {
        self.version = version;
        self
    }
}
