//! `lab wait`: lets simulated time pass.

use api::SimDuration;

use crate::{eval::Flow, lab::LabCall, tool::Call};

/// Longest wait for everything to come to rest. A cluster that is not idle by then is working on something that never ends.
const LONGEST: SimDuration = SimDuration::secs(30 * 60);

/// `lab wait idle|DURATION|goal:ID`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let Some(what) = call.args.first().cloned() else { return Ok(super::usage(call, "wait")) };
    if what == "idle" {
        call.shell.settle(LONGEST, call.out);
        return Ok(0);
    }
    if let Some(goal) = what.strip_prefix("goal:") {
        call.shell.machine.journal.push(LabCall::WaitForGoal(goal.to_owned()));
        return Ok(0);
    }
    match crate::text::sleep::seconds(&what) {
        Some(wait) => {
            let until = call.shell.world.now() + wait;
            call.shell.sleep_until(until, call.out);
            Ok(0)
        }
        None => Ok(super::usage(call, "wait")),
    }
}
