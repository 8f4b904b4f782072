//! What has changed in the table since somebody last looked?
//!
//! A table counts the changes of its nodes and namespaces and remembers, one by one, the pods that came and went, so that
//! who has worked something out can bring it up to date instead of working it out again. Old changes are forgotten.
//! This module does not know what anybody works out.

use std::rc::Rc;

use crate::pod::PodInfo;
use crate::table::NodeRef;

/// How many changes are remembered at least.
const MOST_CHANGES: usize = 1 << 12;

/// A pod came to a node or went from it.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) node: NodeRef,
    pub(crate) pod: Rc<PodInfo>,
    pub(crate) came: bool,
}

/// What has happened to a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// Counts nodes that came, went, or are not as they were.
    pub(crate) nodes: u64,
    /// Counts changes of namespaces.
    pub(crate) namespaces: u64,
    /// The latest last.
    changes: Vec<Change>,
    /// How many changes have been forgotten.
    forgotten: u64,
}

impl History {
    /// Adds a change. Of `nodes` nodes.
    pub(crate) fn push(&mut self, change: Change, nodes: usize) {
        if self.changes.len() >= MOST_CHANGES.max(4 * nodes) {
            self.forgotten = self.position();
            self.changes.clear();
        }
        self.changes.push(change);
    }

    /// How many changes there have been.
    pub(crate) fn position(&self) -> u64 {
        self.forgotten + u64::try_from(self.changes.len()).unwrap_or(0)
    }

    /// What came after a position; `None` if that has been forgotten.
    pub(crate) fn since(&self, position: u64) -> Option<&[Change]> {
        let skip = usize::try_from(position.checked_sub(self.forgotten)?).ok()?;
        self.changes.get(skip..)
    }
}
