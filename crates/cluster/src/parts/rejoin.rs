//! How does a part that comes back catch up?
//!
//! It lists everything before it watches: to each of its controllers every object is new.

use api::{
    ApiStatus, Kind, Resource, SimTime,
    kinds::sim::{Part, PartRole},
};

use super::Process;
use crate::{Change, Controller, Key, Next, Store, Turn};

/// Lets a part that was started begin its work.
pub(crate) struct Rejoin;

impl Controller for Rejoin {
    fn name(&self) -> &'static str {
        "rejoin"
    }

    fn process(&self) -> Process {
        Process::Alone
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind != Kind::Part {
            return;
        }
        let from = |it: &Option<std::rc::Rc<api::Object>>| {
            it.as_deref().and_then(Part::of).map_or(SimTime::ZERO, |part| part.acts_from)
        };
        if from(&change.before) != from(&change.after) {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(part) = turn.get::<Part>("", &key.name).filter(|part| part.running) else {
            return Ok(Next::Done);
        };
        let (role, from) = (part.role, part.acts_from);
        if turn.now() < from {
            return Ok(Next::After(from.since(turn.now())));
        }
        let process = match role {
            PartRole::ApiServer | PartRole::Etcd => Process::Client,
            PartRole::Scheduler => Process::Scheduler,
            PartRole::ControllerManager => Process::ControllerManager,
        };
        turn.world.list_again(turn.cluster, process, turn.cause);
        Ok(Next::Done)
    }
}
