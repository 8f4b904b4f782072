//! What is a lesson, and how far is the learner?
//!
//! A lesson is a folder: a machine part without prose ([`Lesson`]), prose without machinery ([`prose::Prose`], one per
//! language), and scripts. [`progress::Progress`] follows a world fact by fact and says which goals are met. The rules
//! that every lesson in the repository keeps are in [`rules`].

pub mod check;
mod derived;
pub mod facts;
pub mod fields;
pub mod incident;
mod load;
pub mod progress;
pub mod prose;
pub mod rules;
pub mod snapshot;

use api::SimDuration;
use serde_json::Value;

use self::{
    check::{Check, Ref},
    incident::Diagnosis,
};

/// The machine part of a lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The route `#/lesson/<slug>`; never changes.
    pub slug: String,
    /// Its number.
    pub order: u32,
    /// Part of the curriculum, `A` to `F`.
    pub part: String,
    /// How long it takes.
    pub minutes: u32,
    /// Concepts it covers, by the curriculum's ids.
    pub seeds: Vec<String>,
    /// Lessons that are better done before.
    pub requires: Vec<String>,
    /// Where it happens.
    pub world: Place,
    /// The first view.
    pub ui: FirstView,
    /// What it keeps short; everything is allowed if absent.
    pub allow: Option<Allow>,
    /// Glossary entries it uses.
    pub terms: Vec<String>,
    /// Values it remembers.
    pub lets: Vec<Let>,
    /// Questions about what will happen.
    pub predict: Vec<Question>,
    /// What has to be reached.
    pub goals: Vec<Goal>,
    /// Feedback on attempts that lead nowhere.
    pub wrong: Vec<Wrong>,
    /// Hints.
    pub hints: Vec<Hint>,
    /// Questions after the goals.
    pub quiz: Vec<Question>,
    /// An extension: what it leads to.
    pub breakit: Option<Check>,
    /// The next lesson's slug.
    pub next: Option<String>,
    /// What an incident asks at its end; nothing for a lesson or a puzzle.
    pub diagnosis: Option<Diagnosis>,
}

/// Where a lesson happens.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Name of a fixture.
    pub fixture: String,
    /// File of objects applied on top of it.
    pub start: Option<String>,
    /// What keyed draws start from.
    pub seed: u64,
    /// How fast the page plays, in hundredths; as the page likes if absent.
    pub speed: Option<u32>,
    /// Whether the page starts paused.
    pub paused: bool,
}

/// The first view.
#[derive(Clone, Debug, Default)]
pub struct FirstView {
    /// Panes that are open.
    pub panes: Vec<String>,
    /// What is selected, as `Node/worker-a`.
    pub select: Option<String>,
    /// How near the scene is.
    pub zoom: Option<String>,
}

/// What a lesson keeps short.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    /// Commands that may be used; all if empty.
    pub commands: Vec<String>,
    /// Whether manifests may be edited.
    pub edit: bool,
}

/// A value remembered when a goal is first met.
#[derive(Clone, Debug)]
pub struct Let {
    /// Its name in `$ref`.
    pub name: String,
    /// Where it stands.
    pub from: Ref,
    /// Which goal.
    pub when: String,
}

/// A goal.
#[derive(Clone, Debug)]
pub struct Goal {
    /// Its section in the prose.
    pub id: String,
    /// What has to be true.
    pub check: Check,
    /// Counts only after this goal was met.
    pub after: Option<String>,
    /// Once met, it stays met.
    pub once: bool,
    /// How long it must be true without a break.
    pub hold: SimDuration,
    /// May be true from the start.
    pub from_start: bool,
}

/// Feedback on an attempt that leads nowhere.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// Its section in the prose.
    pub id: String,
    /// When it is shown.
    pub when: Check,
    /// When it leaves, besides `when` turning false.
    pub until: Option<Check>,
}

/// A hint.
#[derive(Clone, Debug)]
pub struct Hint {
    /// Its section in the prose.
    pub id: String,
    /// The goal it helps with.
    pub goal: String,
}

/// A question: before something happens, or at the end.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its section in the prose.
    pub id: String,
    /// What kind of answer it wants.
    pub form: Form,
    /// The right answer.
    pub answer: Value,
    /// The goal that waits for an answer.
    pub before: Option<String>,
}

/// What kind of answer a question wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// One of these options, in the prose's order.
    Choice(Vec<String>),
    /// A number, this far off at most.
    Number {
        /// How far off still counts.
        tolerance: u64,
    },
    /// An object in the scene.
    Pick,
    /// These cards in the right order.
    Order(Vec<String>),
    /// A table of choices.
    Cells {
        /// Names of the rows.
        rows: Vec<String>,
        /// Names of the columns.
        columns: Vec<String>,
        /// What each cell may be.
        options: Vec<String>,
    },
}

impl Question {
    /// Whether `given`, as `lab answer` wrote it, is the right answer.
    #[must_use]
    pub fn is_right(&self, given: &str) -> bool {
        match (&self.form, &self.answer) {
            (Form::Number { tolerance }, Value::Number(want)) => {
                match (given.trim().parse::<i64>(), want.as_i64()) {
                    (Ok(given), Some(want)) => given.abs_diff(want) <= *tolerance,
                    _ => false,
                }
            }
            (_, Value::Array(cards)) => {
                given.split(',').map(str::trim).eq(cards.iter().map(|card| card.as_str().unwrap_or_default()))
            }
            (_, Value::Object(rows)) => {
                let mut given: Vec<&str> = given.split(';').map(str::trim).collect();
                given.sort_unstable();
                rows.len() == given.len()
                    && rows.iter().zip(given).all(|((row, cells), given)| {
                        let cells: Vec<_> =
                            cells.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                        given == format!("{row}={}", cells.join(","))
                    })
            }
            (_, Value::String(want)) => given.trim() == want,
            (_, other) => given.trim() == *other,
        }
    }
}

impl Lesson {
    /// The goal with this id.
    #[must_use]
    pub fn goal(&self, id: &str) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.id == id)
    }

    /// How it is numbered: two digits, or `I1` for an incident.
    #[must_use]
    pub fn number(&self) -> String {
        match self.diagnosis {
            Some(_) => format!("I{}", self.order),
            None => format!("{:02}", self.order),
        }
    }

    /// The section ids that its prose must have, in order.
    #[must_use]
    pub fn sections(&self) -> Vec<String> {
        let mut ids = vec!["intro".to_owned()];
        ids.extend(self.goals.iter().map(|goal| format!("goal:{}", goal.id)));
        ids.extend(self.predict.iter().map(|question| format!("predict:{}", question.id)));
        ids.extend(self.hints.iter().map(|hint| format!("hint:{}", hint.id)));
        ids.extend(self.wrong.iter().map(|wrong| format!("wrong:{}", wrong.id)));
        ids.extend(self.quiz.iter().map(|question| format!("quiz:{}", question.id)));
        ids.extend(self.diagnosis.iter().flat_map(|it| {
            std::iter::once("causes".to_owned()).chain(it.causes.iter().map(|cause| format!("cause:{cause}")))
        }));
        ids.push("done".to_owned());
        ids.extend(self.breakit.iter().map(|_| "break".to_owned()));
        ids.push("sources".to_owned());
        ids
    }
}
