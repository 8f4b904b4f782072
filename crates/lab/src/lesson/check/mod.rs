//! What has to be true for a goal?
//!
//! The language of lesson-format §3: a partial object with `$` operators and a few verbs. [`Check::read`] turns a
//! lesson's words into a [`Check`], naming every unknown operator, kind and field; [`eval::eval`] is a pure function of
//! a [`Snapshot`](super::snapshot::Snapshot), the learner's log and the remembered values. It does not know when it is
//! asked, nor what follows from the answer: that is [`super::progress`].

pub mod eval;
mod known;
pub mod log;
pub mod outcome;
pub mod paths;
mod pattern;
mod read;

use std::collections::BTreeSet;

use api::Kind;
use serde_json::Value;

pub use pattern::{Op, Pattern};

/// One check.
#[derive(Clone, Debug)]
pub enum Check {
    /// At least one object is like this.
    Exists(Match),
    /// No object is like this.
    Absent(Match),
    /// So many objects are like this.
    Count {
        /// Like what.
        of: Match,
        /// How many: a number, or `$` comparisons.
        is: Pattern,
    },
    /// A packet's way.
    Path(Box<PathSpec>),
    /// Kubernetes said so in an Event, or a request was refused.
    Event {
        /// Such as `FailedScheduling`, or `RequestInvalid` for a refusal.
        reason: String,
        /// Such as `Pod/waiter`.
        about: Option<String>,
        /// `Normal` or `Warning`.
        kind: Option<String>,
    },
    /// The learner did so.
    Did {
        /// Such as `trace` or `select`.
        action: String,
        /// What it was done with.
        with: Vec<(String, Pattern)>,
        /// Counts only what was done after this goal was met.
        since: Option<String>,
    },
    /// The learner answered.
    Answered {
        /// Which question.
        id: String,
        /// With what; anything if absent.
        is: Option<Value>,
    },
    /// Two values are the same.
    Equal(Ref, Ref),
    /// All of them.
    All(Vec<Check>),
    /// One of them.
    Any(Vec<Check>),
    /// Not so.
    Not(Box<Check>),
}

/// What a match looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Objects of the store.
    Kind(Kind),
    /// `sim/Decision`: one per scheduling attempt.
    Decision,
    /// `sim/Request`: one per request at an API server.
    Request,
}

/// A partial object.
#[derive(Clone, Debug)]
pub struct Match {
    /// What to look at.
    pub subject: Subject,
    /// In which namespace, for kinds that have one.
    pub namespace: String,
    /// What it must be like; `name` and `labels` already moved under `metadata`.
    pub body: Vec<(String, Pattern)>,
}

/// A place where a value stands.
#[derive(Clone, Debug)]
pub enum Ref {
    /// In an object.
    Field {
        /// Which object: the first that matches.
        of: Match,
        /// Dotted path.
        field: String,
    },
    /// In what the lesson remembered.
    Let(String),
}

/// A packet's way, and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PathSpec {
    /// Such as `laptop`, `Node/worker-a`, `Pod/web-1`.
    pub from: String,
    /// Such as `api`.
    pub to: String,
    /// Destination port.
    pub port: Option<u16>,
    /// `tcp` or `udp`.
    pub proto: Option<String>,
    /// Whether it must arrive.
    pub ok: bool,
    /// Hops that it passes, in this order.
    pub via: Vec<Value>,
    /// Hops that it does not pass.
    pub not_via: Vec<Value>,
    /// The hop that stops it.
    pub blocked_by: Option<Value>,
}

/// What a check can depend on: it is asked again only when one of these changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Objects of a kind.
    Kind(Kind),
    /// Scheduling attempts.
    Decisions,
    /// Requests at an API server.
    Requests,
    /// Kubernetes Events and refusals.
    Events,
    /// What the learner did and answered.
    Deeds,
    /// Anything that a packet meets.
    Paths,
}

impl Match {
    fn topics(&self, into: &mut BTreeSet<Topic>) {
        match self.subject {
            Subject::Kind(kind) => {
                into.insert(Topic::Kind(kind));
                into.extend(known::derived_from(kind, &self.body).iter().map(|k| Topic::Kind(*k)));
            }
            Subject::Decision => {
                into.insert(Topic::Decisions);
            }
            // A refused request is told as an event as well.
            Subject::Request => into.extend([Topic::Requests, Topic::Events]),
        }
    }
}

impl Ref {
    fn topics(&self, into: &mut BTreeSet<Topic>) {
        match self {
            Ref::Field { of, .. } => of.topics(into),
            Ref::Let(_) => {}
        }
    }
}

impl Check {
    /// Adds what this check depends on.
    pub fn topics(&self, into: &mut BTreeSet<Topic>) {
        match self {
            Check::Exists(of) | Check::Absent(of) | Check::Count { of, .. } => of.topics(into),
            Check::Path(_) => {
                into.insert(Topic::Paths);
            }
            Check::Event { .. } => {
                into.insert(Topic::Events);
            }
            Check::Did { .. } | Check::Answered { .. } => {
                into.insert(Topic::Deeds);
            }
            Check::Equal(a, b) => {
                a.topics(into);
                b.topics(into);
            }
            Check::All(parts) | Check::Any(parts) => parts.iter().for_each(|part| part.topics(into)),
            Check::Not(part) => part.topics(into),
        }
    }

    /// Every name that a learner has to know to satisfy this check, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self {
            Check::Exists(of) | Check::Count { of, .. } => of.names(),
            Check::Absent(_)
            | Check::Path(_)
            | Check::Event { .. }
            | Check::Did { .. }
            | Check::Answered { .. }
            | Check::Equal(..)
            | Check::Not(_) => Vec::new(),
            Check::All(parts) => parts.iter().flat_map(Check::names).collect(),
            // One of several ways: none of its names is demanded.
            Check::Any(_) => Vec::new(),
        }
    }
}
