//! Where does a session begin?
//!
//! A scenario is real files: an eksctl `ClusterConfig` or kind `Cluster`, manifests, and what those cannot say in a
//! `podpath/v1 Scenario`. A lesson adds its own `start.yaml`, and files in the learner's home. The same scenario and seed
//! always give the same world.

use std::rc::Rc;

use api::{Diagnostic, FieldPath, kinds::sim::ControlPlane};
use cluster::{ClusterId, World, provision};
use shell::{Machine, machine::HOME};

/// Files under this name are the learner's, not the scenario's.
const HOME_FILES: &str = "home/";

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

    /// The world and the learner's machine at the beginning.
    /// # Errors
    /// Everything that is wrong with the files.
    pub fn build(&self, seed: u64) -> Result<(World, Machine), Vec<Diagnostic>> {
        let is_home = |name: &str| name.starts_with(HOME_FILES);
        let files: Vec<_> = self.files.iter().filter(|(name, _)| !is_home(name)).cloned().collect();
        let scenario = provision::Scenario::read(&files)?;
        let world = World::new(&scenario, seed)?;
        let mut machine = Machine::default();
        for (name, text) in &self.files {
            let Some(name) = name.strip_prefix(HOME_FILES) else { continue };
            let written = machine.files.write(&format!("{HOME}/{name}"), text);
            written
                .map_err(|error| vec![Diagnostic::error(FieldPath::root(), format!("{name}: {error:?}"))])?;
        }
        know(&mut machine, &world);
        Ok((world, machine))
    }
}

/// Writes the contexts that eksctl and kind would have written, the world's first cluster the current one.
fn know(machine: &mut Machine, world: &World) {
    let mut planes: Vec<&ControlPlane> = world.store().list(ClusterId::WORLD, None).collect();
    planes.sort_by_key(|plane| std::cmp::Reverse(plane.id));
    for plane in planes {
        let (context, cluster, user) = shell::kubectl::known::entries(world, plane);
        machine.kubeconfig.add(context, cluster, user);
    }
}
