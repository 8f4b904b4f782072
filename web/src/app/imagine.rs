//! What a node would be with another type or other settings: kept until the world, or what is looked at, is another.

use api::SimTime;
use cluster::import::outlook::{Change, NoOutlook, Outlook, outlook};
use lab::view::{
    imagine::{Offer, offer},
    why::Why,
};

use super::{App, Tab};

/// A change that is imagined, and what would follow.
pub struct Imagined {
    /// The change.
    pub change: Change,
    /// What would follow.
    pub found: Result<Outlook, NoOutlook>,
    /// Of which world: how much had happened, and when it was.
    of: (usize, SimTime),
}

impl App {
    /// Imagines a change of the nodes; one that changes nothing ends it.
    pub(super) fn imagine(&mut self, change: Change) {
        let (world, cluster) = (self.desk.seen(), self.desk.cluster());
        let of = (world.facts().len(), world.now());
        self.imagined = (change != Change::default()).then(|| Imagined {
            found: outlook(world, cluster, &change),
            change,
            of,
        });
    }

    /// What is imagined of the node that is looked at.
    #[must_use]
    pub fn imagined(&self) -> Option<&Imagined> {
        let world = self.desk.seen();
        self.offer()?;
        self.imagined.as_ref().filter(|it| it.of == (world.facts().len(), world.now()))
    }

    /// What can be imagined of the node that is looked at. Not in a lesson, where it would answer what is asked.
    #[must_use]
    pub fn offer(&self) -> Option<Offer> {
        let selected = self.selected.as_deref()?;
        if self.tab != Tab::Why || self.desk.book().is_some() {
            return None;
        }
        let Some(Why::Node(node)) = self.desk.why(selected) else { return None };
        offer(self.desk.moment().store, self.desk.cluster(), &node.name)
    }
}
