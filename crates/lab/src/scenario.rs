//! Where does a session begin?
//!
//! A scenario is real files: an eksctl `ClusterConfig` or kind `Cluster`, manifests, and what those cannot say in a
//! `podpath/v1 Scenario`. A lesson adds its own `start.yaml`. The same scenario and seed always give the same world.

use std::rc::Rc;

use api::Diagnostic;
use cluster::World;
use shell::Machine;

/// A beginning: a fixture, and what a lesson adds to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// The fixture's name; empty for a machine with the tools and no cluster.
    pub name: String,
    /// The lesson's slug, if it begins one.
    pub lesson: Option<String>,
    /// The fixture's files by name, and the lesson's last.
    pub files: Vec<(String, String)>,
}

impl Scenario {
    /// A machine with the tools and no cluster.
    #[must_use]
    pub fn bare() -> Rc<Self> {
        Rc::default()
    }

    /// The world and the learner's machine at time zero.
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn build(&self, seed: u64) -> Result<(World, Machine), Vec<Diagnostic>> {
        Ok((World::empty(seed), Machine::default()))
    }
}
