//! Is somebody still holding the pod back?
//!
//! Source: `schedulinggates`, 1.34.

use crate::plugin::{ClusterEvent, EventAction, EventResource, Phase, Plugin, Reach, Rejection, Verdict};
use crate::pod::PodInfo;
use crate::reason::Reason;

/// Keeps pods with `schedulingGates` out of the queue.
pub struct SchedulingGates;

impl Plugin for SchedulingGates {
    fn name(&self) -> &'static str {
        "SchedulingGates"
    }

    fn phases(&self) -> &'static [Phase] {
        &[Phase::PreEnqueue]
    }

    fn pre_enqueue(&self, pod: &PodInfo) -> Verdict {
        let gates = &pod.template.gates;
        if gates.is_empty() {
            return Ok(());
        }
        Err(Rejection::unresolvable(Reason::Gated { gates: gates.clone() }.words()))
    }

    fn reach(&self, _pod: &PodInfo) -> Reach {
        Reach::Shape
    }

    fn retries_on(&self) -> &'static [ClusterEvent] {
        const {
            &[ClusterEvent::new(
                EventResource::UnscheduledPod,
                EventAction::UpdatePodSchedulingGatesEliminated,
            )]
        }
    }
}
