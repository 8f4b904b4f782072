//! Who makes a bound volume larger?
//!
//! Not the controller manager, where the volume is a CSI driver's: it says on the claim for whom it waits, and leaves the rest to the
//! driver's own resizer. Source: `pkg/controller/volume/expand/expand_controller.go`.

use api::{ApiStatus, Kind, Object, quantity::Quantity};

use crate::{Change, Controller, EventType, Key, Next, Store, Turn};

/// Looks at claims that begin to ask for more than their volume has.
pub(crate) struct VolumeExpand;

/// An amount of storage somewhere in a claim; `path` begins below the object.
fn storage(claim: &Object, part: &str, path: &str) -> Option<Quantity> {
    let Object::Stored(claim) = claim else { return None };
    let size = claim.body.get(part)?.pointer(path)?;
    let text = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
    Quantity::parse(&text).ok()
}

fn asked(claim: &Object) -> Option<Quantity> {
    storage(claim, "spec", "/resources/requests/storage")
}

impl Controller for VolumeExpand {
    fn name(&self) -> &'static str {
        "volume_expand"
    }

    fn watch(&self, change: &Change, _: &Store, wake: &mut dyn FnMut(Key)) {
        if change.key.kind == Kind::PersistentVolumeClaim
            && let (Some(before), Some(after)) = (&change.before, &change.after)
            && asked(before).is_some_and(|had| asked(after) > Some(had))
        {
            wake(change.key.clone());
        }
    }

    fn reconcile(&self, turn: &mut Turn<'_>, key: &Key) -> Result<Next, ApiStatus> {
        let Some(claim) = turn.store().object(key).cloned() else { return Ok(Next::Done) };
        let is_bound = matches!(&*claim, Object::Stored(it)
            if it.body.get("status").is_some_and(|status| status["phase"] == "Bound"));
        if is_bound && asked(&claim) > storage(&claim, "status", "/capacity/storage") {
            let message = "waiting for an external controller to expand this PVC";
            turn.event(&claim, EventType::Normal, "ExternalExpanding", message);
        }
        Ok(Next::Done)
    }
}
