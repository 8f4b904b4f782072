//! What does one line do?
//!
//! The one place where a line meets the shell. Verbs that the shell only notes down (`lab answer`, `lab select`,
//! `lab wait goal:…`) are carried out here; those that change the script itself are handed back as a [`Wish`].

use std::collections::BTreeMap;

use api::{SimDuration, SimTime};
use cluster::Budget;
use shell::{LabCall, Output};

use crate::{
    checkpoint::Moment,
    lesson::{check::log::Deed, progress::Standing},
};

/// The longest wait for a goal.
const LONGEST: SimDuration = SimDuration::secs(30 * 60);

/// A change of the script that a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Take the last line back.
    Undo,
    /// Do it again.
    Redo,
    /// Start over with another seed.
    Seed(u64),
}

/// What a line did.
pub struct Done {
    /// What it printed.
    pub output: Output,
    /// Its exit status.
    pub exit: i32,
    /// What it asks of the session.
    pub wish: Option<Wish>,
}

/// Does one line now.
pub fn line(moment: &mut Moment, text: &str) -> Done {
    let mut output = Output::default();
    let exit = shell::run(text, &mut moment.machine, &mut moment.world, &mut output);
    let mut deeds = Vec::new();
    let mut wish = None;
    for call in std::mem::take(&mut moment.machine.journal) {
        let at = moment.world.now();
        match call {
            LabCall::Answer { id, value } => {
                deeds.push(deed(at, "answer", &[("id", &id), ("value", &value)]));
            }
            LabCall::Select(object) => deeds.push(deed(at, "select", &[("object", &object_name(&object))])),
            LabCall::Explain { cause, evidence } => {
                let with = [("cause", cause.as_str()), ("evidence", &object_name(&evidence))];
                deeds.push(deed(at, "explain", &with));
            }
            LabCall::Why(object) => deeds.push(deed(at, "why", &[("object", &object_name(&object))])),
            LabCall::Trace { from, to } => {
                let (to, port) =
                    to.rsplit_once(':').map_or((to.as_str(), None), |(to, port)| (to, Some(port)));
                let mut with = vec![("from", from.as_str()), ("to", to)];
                with.extend(port.map(|port| ("port", port)));
                deeds.push(deed(at, "trace", &with));
            }
            LabCall::WaitForGoal(goal) => {
                moment.follow(std::mem::take(&mut deeds));
                wait_for(moment, &goal);
            }
            LabCall::Undo => wish = Some(Wish::Undo),
            LabCall::Redo => wish = Some(Wish::Redo),
            LabCall::Seed(seed) => wish = Some(Wish::Seed(seed)),
        }
    }
    if wish.is_none() {
        moment.follow(deeds);
    }
    Done { output, exit, wish }
}

fn deed(at: SimTime, action: &str, with: &[(&str, &str)]) -> Deed {
    let with: BTreeMap<_, _> = with.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Deed { at, action: action.to_owned(), with }
}

/// `pod/hello` as lessons write it: `Pod/hello`.
fn object_name(typed: &str) -> String {
    let Some((kind, name)) = typed.split_once('/') else { return typed.to_owned() };
    let known = api::Kind::EVERY.iter().map(|kind| kind.info()).find(|info| {
        let names = [info.kind, info.plural].into_iter().chain(info.short.iter().copied());
        names.into_iter().any(|n| n.eq_ignore_ascii_case(kind))
    });
    known.map_or_else(|| typed.to_owned(), |info| format!("{}/{name}", info.kind))
}

/// Lets time pass until a goal is met, nothing is left to do, or it takes too long.
fn wait_for(moment: &mut Moment, goal: &str) {
    let last = moment.world.now() + LONGEST;
    loop {
        let Some(state) = moment.progress.as_ref().and_then(|progress| progress.goal(goal)) else { return };
        if state.standing == Standing::Met {
            return;
        }
        let due = moment.progress.as_ref().and_then(crate::lesson::progress::Progress::next_due);
        let next = match (moment.world.next_at(), due) {
            (Some(a), Some(b)) => a.min(b),
            (Some(a), None) | (None, Some(a)) => a,
            (None, None) => return,
        };
        if next > last || moment.world.is_exhausted() {
            return;
        }
        moment.world.run_until(next, Budget::COMMAND);
        moment.follow(Vec::new());
    }
}
