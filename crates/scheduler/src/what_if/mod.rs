//! What would be decided if one thing were different?
//!
//! A [`Question`] is a pod, the cluster as the scheduler sees it, and the objects behind it. [`Question::decide`] makes
//! edits on a copy and asks [`schedule`](crate::schedule) again: there is no second copy of any rule, and nothing is
//! committed. [`fix::smallest`] looks for the smallest sets of edits after which the pod fits.
//!
//! ```
//! use scheduler::{NodeTable, Profile, what_if::Question};
//! let pod = serde_json::from_str(r#"{"metadata": {"name": "web"}, "spec": {"containers": []}}"#)?;
//! let table = NodeTable::default();
//! let (profile, none) = (Profile::default_1_34(), |_: &str| None);
//! let question = Question { profile: &profile, table: &table, pod: &pod, tie: 0, node: &none, like: &none };
//! assert_eq!(question.decide(&[]).message.as_deref(), Some("no nodes available to schedule pods"));
//! # Ok::<(), serde_json::Error>(())
//! ```

mod answer;
pub mod edit;
pub mod fix;
mod offer;
#[cfg(test)]
mod tests;
mod trial;

pub use edit::{Edit, Side};
pub use fix::{Fix, Fixes};
pub use offer::offers;

use api::k8s::core::v1::{Node, Pod};

use crate::plugin::ClusterEvent;
use crate::{Decision, NodeTable, Profile, schedule};
use trial::Trial;

/// A pod that wants a node, and all that its decision depends on.
///
/// A pod that is on a node already is looked at as if it were not. MODEL: the others stay where they are now, also those
/// that came after it.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The scheduler's configuration.
    pub profile: &'a Profile,
    /// The cluster.
    pub table: &'a NodeTable,
    /// The pod.
    pub pod: &'a Pod,
    /// Breaks ties.
    pub tie: u64,
    /// The object behind a node of the table.
    pub node: &'a dyn Fn(&str) -> Option<Node>,
    /// What one more node like a node of the table would be; its name is not looked at.
    pub like: &'a dyn Fn(&str) -> Option<Node>,
}

impl Question<'_> {
    /// The decision after edits, explained in full; without edits, the decision as things are.
    #[must_use]
    pub fn decide(&self, edits: &[Edit]) -> Decision {
        let mut trial = Trial::new(self);
        trial.with(edits, |cycle| schedule(cycle.profile, cycle.table, cycle.pod, self.tie))
    }

    /// The name that a fresh node has in answers.
    #[must_use]
    pub fn fresh_name(&self) -> String {
        trial::fresh_name(self.table)
    }
}

/// What makes the scheduler look again after a plugin's refusal.
#[must_use]
pub fn retries_on(profile: &Profile, plugin: &str) -> &'static [ClusterEvent] {
    let found = profile.plugins.iter().find(|it| it.plugin.name() == plugin);
    found.map_or(&[], |it| it.plugin.retries_on())
}
