//! What is drawn, in plain data?
//!
//! Pure functions from a world (and what happened in it) to small structs. A pane of the page draws one struct and
//! computes nothing; sentences are made from the same structs in [`crate::words`]. Nothing here knows a language, a
//! colour or the browser.

pub mod amount;
pub mod attempts;
pub mod beats;
mod behind;
pub mod coverage;
pub mod decision;
pub mod fargate;
pub mod feed;
pub mod imagine;
pub mod inspector;
pub mod lesson;
pub mod manifest;
pub mod names;
pub mod outline;
pub mod path;
pub mod pod;
pub mod pool;
pub mod reason;
pub mod request;
pub mod scene;
pub mod subnet;
pub mod timeline;
pub mod what_if;
pub mod why;

use api::SimTime;
use cluster::{Store, World};
use jiff::Timestamp;

/// A world at a moment: all that a view of state may look at.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'w> {
    /// All state.
    pub store: &'w Store,
    /// Simulated time.
    pub now: SimTime,
    /// The same moment as objects write it.
    pub clock: Timestamp,
}

impl<'w> Moment<'w> {
    /// The moment at which a world stands.
    #[must_use]
    pub fn of(world: &'w World) -> Self {
        Self { store: world.store(), now: world.now(), clock: world.stamp(world.now()).0 }
    }
}
