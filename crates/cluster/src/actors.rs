//! THE REGISTRY of actors: everything that acts when the world changes, one line each.

use crate::{ActorId, Controller};

/// Every actor, in the order in which they hear of a change.
pub(crate) static ACTORS: &[&(dyn Controller + Sync)] = &[];

/// The actor with this name.
pub(crate) fn find(id: ActorId) -> Option<&'static (dyn Controller + Sync)> {
    ACTORS.iter().copied().find(|actor| actor.name() == id.0)
}
