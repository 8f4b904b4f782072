//! What do the `lab` verbs do?
//!
//! What is not a command of the real world: waiting, answering, breaking things on purpose. Verbs that need the session are
//! handed to it through [`crate::Machine::journal`]; the rest act on the world at once.
//! THE REGISTRY of lab verbs is [`VERBS`].

use crate::{Hint, eval::Flow, tool::Call};

mod act;
mod calc;
mod import;
mod matrix;
pub mod path_fix;
mod trace;
mod wait;
pub mod what_if;

/// What the session has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabCall {
    /// `lab answer ID VALUE`.
    Answer {
        /// The prediction.
        id: String,
        /// What the learner says.
        value: String,
    },
    /// `lab select KIND/NAME`.
    Select(String),
    /// `lab explain CAUSE KIND/NAME`: what an incident's learner takes for its cause, and the object that proves it.
    Explain {
        /// One of the causes that the incident offers.
        cause: String,
        /// The object.
        evidence: String,
    },
    /// `lab undo`: the last line goes.
    Undo,
    /// `lab redo`.
    Redo,
    /// `lab seed N`: start over with another seed.
    Seed(u64),
    /// `lab wait goal:ID`.
    WaitForGoal(String),
    /// `lab trace A B:PORT`: asks for a path.
    Trace {
        /// Where it begins.
        from: String,
        /// Where it leads, with its port.
        to: String,
    },
    /// `lab why KIND/NAME`: opens the explanation.
    Why(String),
}

/// One `lab` verb.
pub struct Verb {
    /// What one types after `lab`.
    pub name: &'static str,
    /// How it is used.
    pub usage: &'static str,
    run: fn(&mut Call<'_, '_>) -> Result<i32, Flow>,
}

const FAULT: &str = "lab fault stop|clear PART | stop|clear kubelet|runtime|kube-proxy NODE | az ZONE | rebalance NODE | interrupt NODE | clear az ZONE | clear";

/// Every verb, sorted by name.
pub const VERBS: &[Verb] = &[
    Verb { name: "answer", usage: "lab answer ID VALUE", run: answer },
    Verb { name: "calc", usage: calc::USAGE, run: calc::run },
    Verb { name: "explain", usage: "lab explain CAUSE KIND/NAME", run: explain },
    Verb { name: "fault", usage: FAULT, run: act::fault },
    Verb {
        name: "fix",
        usage: "lab fix POD [-n NAMESPACE] [--json] | FROM TO[:PORT] [--json]",
        run: what_if::fix,
    },
    Verb { name: "help", usage: "lab help", run: help },
    Verb { name: "import", usage: import::USAGE, run: import::run },
    Verb { name: "matrix", usage: matrix::USAGE, run: matrix::run },
    Verb {
        name: "node",
        usage: "lab node add | iptables NODE | set-max-pods NODE N | restart NODE",
        run: act::node,
    },
    Verb { name: "redo", usage: "lab redo", run: redo },
    Verb { name: "seed", usage: "lab seed NUMBER", run: seed },
    Verb { name: "select", usage: "lab select KIND/NAME", run: select },
    Verb { name: "trace", usage: trace::USAGE, run: trace::run },
    Verb { name: "undo", usage: "lab undo", run: undo },
    Verb { name: "wait", usage: "lab wait idle|DURATION|goal:ID", run: wait::run },
    Verb {
        name: "what-if",
        usage: "lab what-if [--prefix-delegation] [--instance-type FROM=TO] [--warm-eni-target N] [--warm-ip-target N] [--minimum-ip-target N] [--warm-prefix-target N] [--json]\n       lab what-if POD [-n NAMESPACE] [--json] [--add-node NODE] [--delete-pod POD] [--label NODE:KEY=VALUE] [--max-pods NODE=N] [--request cpu=AMOUNT] [--tolerate KEY:EFFECT] [--uncordon NODE] [--without CONSTRAINT] [--without-taint NODE:KEY:EFFECT]",
        run: what_if::what_if,
    },
    Verb { name: "why", usage: "lab why KIND/NAME", run: why },
];

/// `lab VERB …`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    if call.args.is_empty() {
        return help(call);
    }
    let name = call.args.remove(0);
    match VERBS.iter().find(|verb| verb.name == name) {
        Some(verb) => (verb.run)(call),
        None => {
            call.out.err(&format!("lab: unknown verb \"{name}\""));
            let nearest = crate::tool::nearest(&name, VERBS.iter().map(|v| v.name));
            call.out.hint(Hint::UnknownCommand { name: format!("lab {name}"), nearest });
            Ok(2)
        }
    }
}

pub(crate) fn usage(call: &mut Call<'_, '_>, verb: &str) -> i32 {
    if let Some(verb) = VERBS.iter().find(|v| v.name == verb) {
        call.out.err(&format!("usage: {}", verb.usage));
    }
    2
}

fn help(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    for verb in VERBS {
        call.out.line(verb.usage);
    }
    Ok(0)
}

fn journal(call: &mut Call<'_, '_>, entry: LabCall) -> Result<i32, Flow> {
    call.shell.machine.journal.push(entry);
    Ok(0)
}

fn answer(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let [id, value @ ..] = call.args.as_slice() else { return Ok(usage(call, "answer")) };
    if value.is_empty() {
        return Ok(usage(call, "answer"));
    }
    let entry = LabCall::Answer { id: id.clone(), value: value.join(" ") };
    journal(call, entry)
}

fn explain(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let [cause, evidence] = call.args.as_slice() else { return Ok(usage(call, "explain")) };
    let entry = LabCall::Explain { cause: cause.clone(), evidence: evidence.clone() };
    journal(call, entry)
}

fn select(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let [what] = call.args.as_slice() else { return Ok(usage(call, "select")) };
    let object = what.clone();
    call.out.hint(Hint::Select { object: object.clone() });
    journal(call, LabCall::Select(object))
}

fn why(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let [what] = call.args.as_slice() else { return Ok(usage(call, "why")) };
    let entry = LabCall::Why(what.clone());
    journal(call, entry)
}

fn undo(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    journal(call, LabCall::Undo)
}

fn redo(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    journal(call, LabCall::Redo)
}

fn seed(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    match call.args.first().and_then(|a| a.parse().ok()) {
        Some(seed) => journal(call, LabCall::Seed(seed)),
        None => Ok(usage(call, "seed")),
    }
}
