//! Who acts?
//!
//! Controllers, kubelets, ipamd, cloud services and autoscalers are one trait: level-triggered, without memory of
//! their own. All they know is in the store. A new one is a file and a line in `actors.rs`.

use api::{ApiStatus, SimDuration};

use crate::{Change, Key, Store, Turn, client::Rate, parts::Process};

/// Who, as facts and events name it: `replicaset-controller`, `kubelet`, `default-scheduler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub &'static str);

/// When an actor wants to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// When something it watches changes.
    Done,
    /// After this long: it has work in hand (a pull, an attachment, a back-off).
    After(SimDuration),
    /// After this long, and for ever: a lease, a resync. Waiting for it is not work.
    Every(SimDuration),
}

/// Something that acts when the world changes.
///
/// ```
/// use cluster::{Change, Controller, Key, Next, Store, Turn};
/// struct Nobody;
/// impl Controller for Nobody {
///     fn name(&self) -> &'static str { "nobody" }
///     fn watch(&self, _: &Change, _: &Store, _: &mut dyn FnMut(Key)) {}
///     fn reconcile(&self, _: &mut Turn<'_>, _: &Key) -> Result<Next, api::ApiStatus> { Ok(Next::Done) }
/// }
/// assert_eq!(Nobody.name(), "nobody");
/// ```
pub trait Controller {
    /// As facts and events name it.
    fn name(&self) -> &'static str;

    /// In which process it lives: it stands still with it.
    fn process(&self) -> Process {
        Process::ControllerManager
    }

    /// How long after a change it looks: the way of a watch event and the work queue.
    // INVARIANT: never zero. What a line leaves to be done at the moment at which it ends would be done when that moment is looked back at.
    fn reaction(&self) -> SimDuration {
        crate::timing::WATCH
    }

    /// Whether somebody who waits until nothing is left to do waits for that too. Not for one that lets things rest first.
    fn is_awaited(&self) -> bool {
        true
    }

    /// How fast its client may call; no limit for most. MODEL: every client has one; only those that write one thing after
    /// another are held to it here.
    fn client(&self) -> Option<Rate> {
        None
    }

    /// Which keys to look at because of `change`.
    fn watch(&self, change: &Change, store: &Store, wake: &mut dyn FnMut(Key));

    /// Whether a change is news to it that it made itself.
    fn heeds_own(&self, _: &Change) -> bool {
        true
    }

    /// Moves one step towards what the store asks for. May run twice for one change.
    /// # Errors
    /// A refusal by the API server: the wake is tried again with back-off.
    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus>;
}
