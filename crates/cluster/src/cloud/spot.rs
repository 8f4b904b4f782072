//! How does EC2 take a spot instance back?
//!
//! It may say early that the risk has grown (a rebalance recommendation); it says two minutes ahead that it will (an interruption notice),
//! and then terminates the instance, whatever still runs on it.
//! Source: EC2 user guide (Spot Instance interruption notices; EC2 instance rebalance recommendations; instance state reason codes).
//! MODEL: the instance always ends; hibernation and stopping are not offered. Which instance it is, and when, somebody says.

use api::{
    Resource, SimDuration,
    kinds::aws::{Instance, InstanceState},
};

use super::instance;
use crate::{ClusterId, Key, Next, Note, Turn, What};

/// From the notice to the end.
pub(crate) const NOTICE: SimDuration = SimDuration::secs(120);

/// What EC2 tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The rebalance recommendation.
    Rebalance,
    /// The interruption notice, with a recommendation at the latest now.
    Interruption,
}

/// Tells an instance; says why not.
pub(crate) fn tell(turn: &mut Turn<'_>, id: &str, signal: Signal) -> Result<(), String> {
    let Some(mut it) = instance::get(turn.store(), id).cloned() else {
        return Err(format!("no instance {id:?}"));
    };
    if !it.spot {
        return Err(format!("{id} is an On-Demand Instance: EC2 interrupts Spot Instances only"));
    }
    if it.state != InstanceState::Running {
        return Err(format!("{id} does not run"));
    }
    let now = turn.now();
    let name = match signal {
        Signal::Rebalance => "SpotRebalanceRecommendation",
        Signal::Interruption => "SpotInterruptionNotice",
    };
    it.rebalance_recommended = it.rebalance_recommended.or(Some(now));
    if signal == Signal::Interruption {
        it.interruption_notice = it.interruption_notice.or(Some(now));
    }
    let node = it.node.clone().unwrap_or_default();
    turn.put(it.into_object());
    let about = Key::new(ClusterId::WORLD, Instance::KIND, "", id);
    turn.fact(What::Noted(Note::Step { name, about, detail: vec![("node", node)] }));
    Ok(())
}

/// Ends an instance whose two minutes are over; nothing if none run.
pub(super) fn reclaim(turn: &mut Turn<'_>, mut it: Instance) -> Option<Next> {
    let told = it.interruption_notice.filter(|_| it.state == InstanceState::Running)?;
    let passed = turn.now().since(told);
    if passed < NOTICE {
        return Some(Next::After(SimDuration(NOTICE.0 - passed.0)));
    }
    let id = it.metadata.name.clone().unwrap_or_default();
    it.state_reason = Some("Server.SpotInstanceTermination: Spot instance termination".to_owned());
    turn.put(it.into_object());
    instance::shut_down(turn, &id, true);
    None
}
