//! Which finished Jobs have been looked at for long enough?
//!
//! `ttlSecondsAfterFinished` after its end a Job goes, and its pods before it.
//! Source: `pkg/controller/ttlafterfinished/ttlafterfinished_controller.go`.

use api::{ApiStatus, Kind, SimDuration, k8s::batch::v1::Job};

use super::{super::sim_time, status::is_finished};
use crate::{Change, Controller, Key, Next, Propagation, Store, Turn};

/// The controller.
pub(crate) struct TtlAfterFinished;

impl Controller for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::Job && change.after.is_some() {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(job) = turn.get::<Job>(&key.namespace, &key.name) else { return Ok(Next::Done) };
        let seconds = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
        let end = is_finished(job).and_then(|it| it.last_transition_time.as_ref());
        let (Some(seconds), Some(end), None) = (seconds, end, &job.metadata.deletion_timestamp) else {
            return Ok(Next::Done);
        };
        let until = sim_time(turn.world(), end) + SimDuration::secs(seconds.unsigned_abs().into());
        if turn.now() < until {
            return Ok(Next::Every(until.since(turn.now())));
        }
        turn.delete_with(key, None, Propagation::Foreground)?;
        Ok(Next::Done)
    }
}
