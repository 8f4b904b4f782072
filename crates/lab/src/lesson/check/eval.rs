//! Is it so, how far is it, and what differs?
//!
//! [`eval`] asks one [`Check`] of one moment. Its answer is three-valued: a value that the lesson has not remembered
//! yet makes the check unknown, which neither ticks a goal nor fires feedback, also under `not`.

use std::collections::BTreeMap;

use api::FieldPath;
use serde_json::Value;

use super::{
    Check, Match, Ref,
    paths::Paths,
    pattern::{Miss, Pattern, Tally, plain},
};
use crate::lesson::snapshot::Snapshot;

pub use super::{
    log::{Deed, Log},
    outcome::{Outcome, Truth, Why},
};

/// What a lesson remembered, by name.
pub type Lets = BTreeMap<String, Value>;

/// One moment to ask of.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// All objects, decisions, requests and events.
    pub snapshot: &'a Snapshot,
    /// What the learner did.
    pub log: &'a Log,
    /// What the lesson remembered.
    pub lets: &'a Lets,
    /// Who traces packets.
    pub paths: &'a dyn Paths,
}

/// Asks `check` of a moment.
#[must_use]
pub fn eval(check: &Check, moment: Moment<'_>) -> Outcome {
    match check {
        Check::Exists(of) => exists(of, moment),
        Check::Absent(of) => absent(of, moment),
        Check::Count { of, is } => count(of, is, moment),
        Check::Path(spec) => moment.paths.ask(spec, moment.snapshot),
        Check::Event { reason, about, kind } => {
            let seen = moment.snapshot.events.iter().any(|event| {
                event.reason == *reason
                    && about.as_ref().is_none_or(|about| event.is_about(about))
                    && kind.as_ref().is_none_or(|kind| event.kind == *kind)
            });
            Outcome::of(seen.into(), Why::NotSeen { reason: reason.clone() })
        }
        Check::Did { action, with, since } => did(action, with, since.as_deref(), moment),
        Check::Answered { id, is } => {
            let answer = moment.log.answer(id);
            let ok = answer.is_some_and(|a| is.as_ref().is_none_or(|is| plain(is) == a));
            Outcome {
                got: answer.map(str::to_owned),
                ..Outcome::of(ok.into(), Why::NotAnswered { id: id.clone() })
            }
        }
        Check::Equal(a, b) => equal(a, b, moment),
        Check::All(parts) => fold(parts, Truth::Yes, Truth::and, moment),
        Check::Any(parts) => fold(parts, Truth::No, Truth::or, moment),
        Check::Not(part) => Outcome::of(!eval(part, moment).ok, Why::Unwanted),
    }
}

fn fold(parts: &[Check], start: Truth, join: fn(Truth, Truth) -> Truth, moment: Moment<'_>) -> Outcome {
    let parts: Vec<Outcome> = parts.iter().map(|part| eval(part, moment)).collect();
    let ok = parts.iter().fold(start, |so_far, part| join(so_far, part.ok));
    Outcome { ok, parts, ..Outcome::default() }
}

/// The objects of a match that are like its body, and the one that comes nearest.
struct Found {
    like: u64,
    unknown: u64,
    first: Option<String>,
    nearest: Option<(String, Tally)>,
    any: bool,
}

fn find(of: &Match, moment: Moment<'_>) -> Result<Found, Outcome> {
    if let Some(name) = of.unbound(moment.lets) {
        return Err(Outcome::of(Truth::Unknown, Why::NotRemembered { name }));
    }
    let mut found = Found { like: 0, unknown: 0, first: None, nearest: None, any: false };
    for (name, value) in moment.snapshot.candidates(of) {
        found.any = true;
        let mut tally = Tally::default();
        let truth = of.compare(&value, moment.lets, &mut tally);
        match truth {
            Truth::Yes => {
                found.like += 1;
                found.first.get_or_insert(name);
                continue;
            }
            Truth::Unknown => found.unknown += 1,
            Truth::No => {}
        }
        if found.nearest.as_ref().is_none_or(|(_, best)| tally.hits > best.hits) {
            found.nearest = Some((name, tally));
        }
    }
    Ok(found)
}

fn exists(of: &Match, moment: Moment<'_>) -> Outcome {
    let found = match find(of, moment) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    if let Some(name) = found.first {
        return Outcome { ok: Truth::Yes, nearest: Some(name), ..Outcome::default() };
    }
    let ok = if found.unknown > 0 { Truth::Unknown } else { Truth::No };
    match found.nearest {
        Some((object, tally)) => differs(ok, object, tally.miss),
        None => Outcome::of(ok, Why::Nothing { what: of.subject.word() }),
    }
}

fn differs(ok: Truth, object: String, miss: Option<Miss>) -> Outcome {
    let Some(miss) = miss else { return Outcome { ok, nearest: Some(object), ..Outcome::default() } };
    Outcome {
        ok,
        got: miss.got,
        want: Some(miss.want),
        nearest: Some(object.clone()),
        why: Some(Why::Differs { object, field: miss.field.to_string() }),
        parts: Vec::new(),
    }
}

fn absent(of: &Match, moment: Moment<'_>) -> Outcome {
    let found = match find(of, moment) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    match found.first {
        Some(object) => Outcome {
            got: Some(found.like.to_string()),
            want: Some("0".to_owned()),
            nearest: Some(object.clone()),
            ..Outcome::of(Truth::No, Why::StillThere { object })
        },
        None if found.unknown > 0 => Outcome::of(Truth::Unknown, Why::Number),
        None => Outcome { ok: Truth::Yes, ..Outcome::default() },
    }
}

fn count(of: &Match, is: &Pattern, moment: Moment<'_>) -> Outcome {
    let found = match find(of, moment) {
        Ok(found) => found,
        Err(unknown) => return unknown,
    };
    let ok = match is.holds(Some(&Value::from(found.like)), moment.lets) {
        Truth::No if found.unknown > 0 => Truth::Unknown,
        other => other,
    };
    let nearest = match (&found.nearest, ok) {
        (Some((object, _)), Truth::No | Truth::Unknown) => Some(object.clone()),
        _ => None,
    };
    let why = match found.any {
        true => Why::Number,
        false => Why::Nothing { what: of.subject.word() },
    };
    Outcome { got: Some(found.like.to_string()), want: Some(is.describe()), nearest, ..Outcome::of(ok, why) }
}

fn did(action: &str, with: &[(String, Pattern)], since: Option<&str>, moment: Moment<'_>) -> Outcome {
    let why = Why::NotDone { action: action.to_owned() };
    let from = match since {
        None => 0,
        Some(goal) => match moment.log.marks.get(goal) {
            Some(mark) => *mark,
            None => return Outcome::of(Truth::Unknown, why),
        },
    };
    let like = |deed: &Deed| {
        let holds = |(name, pattern): &(String, Pattern)| {
            let value = deed.with.get(name).map(|text| Value::from(text.as_str()));
            pattern.holds(value.as_ref(), moment.lets) == Truth::Yes
        };
        deed.action == action && with.iter().all(holds)
    };
    Outcome::of(moment.log.deeds.iter().skip(from).any(like).into(), why)
}

fn equal(a: &Ref, b: &Ref, moment: Moment<'_>) -> Outcome {
    let (a, b) = (resolve(a, moment), resolve(b, moment));
    let ok = match (&a, &b) {
        (Some(a), Some(b)) => (a == b).into(),
        _ => Truth::Unknown,
    };
    Outcome { got: a.as_ref().map(plain), want: b.as_ref().map(plain), ..Outcome::of(ok, Why::Unequal) }
}

/// The value at a place, if there is one.
#[must_use]
pub fn resolve(place: &Ref, moment: Moment<'_>) -> Option<Value> {
    match place {
        Ref::Let(name) => moment.lets.get(name).cloned(),
        Ref::Field { of, field } => moment
            .snapshot
            .candidates(of)
            .find(|(_, value)| of.compare(value, moment.lets, &mut Tally::default()) == Truth::Yes)
            .and_then(|(_, value)| {
                field.split('.').try_fold(&*value, |value, step| value.get(step)).cloned()
            }),
    }
}

impl Match {
    /// The name of a value that this match needs and nobody has remembered.
    fn unbound(&self, lets: &Lets) -> Option<String> {
        self.body.iter().find_map(|(_, pattern)| pattern.unbound(lets))
    }

    fn compare(&self, value: &Value, lets: &Lets, tally: &mut Tally) -> Truth {
        self.body.iter().fold(Truth::Yes, |so_far, (name, pattern)| {
            so_far.and(pattern.compare(value.get(name), &FieldPath::of(name), lets, tally))
        })
    }

    /// Names that stand in the match as plain scalars.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (field, pattern) in &self.body {
            match (field.as_str(), pattern) {
                ("metadata", Pattern::Subset(fields)) => {
                    names.extend(fields.iter().filter(|(n, _)| n == "name").filter_map(|(_, p)| p.scalar()));
                    // A set of objects is known by its labels: `app: web`.
                    for (_, labels) in fields.iter().filter(|(n, _)| n == "labels") {
                        if let Pattern::Subset(labels) = labels {
                            names.extend(
                                labels.iter().filter(|(n, _)| n == "app").filter_map(|(_, p)| p.scalar()),
                            );
                        }
                    }
                }
                ("node" | "pod", pattern) => names.extend(pattern.scalar()),
                _ => {}
            }
        }
        names
    }
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;
