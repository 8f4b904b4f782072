//! Which rules does every lesson keep?
//!
//! V1 to V15 of the lesson format: that a lesson can be solved, in more than one way, with disturbance, with other seeds;
//! that wrong attempts get their feedback; that both languages say the same; that it stays light. One function for each;
//! [`RULES`] is THE REGISTRY.

mod play;
mod prose;
mod runs;
mod shape;

use super::fields::LoadError;
use crate::library::{Book, Folder};

pub use play::{Played, play, solved};

/// Something that a lesson does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule: `V3`.
    pub rule: &'static str,
    /// Which file of the lesson.
    pub file: String,
    /// What.
    pub message: String,
}

/// What a rule looks at.
pub struct Case<'a> {
    /// The lesson.
    pub book: &'a Book,
    /// What the curriculum gives to lessons: concept and numbers of lessons; empty where it is not known.
    pub coverage: &'a [(String, Vec<u32>)],
    /// The solution, played once.
    pub solved: Played,
}

/// One rule: its name, what it asks, and the function that looks.
pub struct Rule {
    /// `V3`.
    pub name: &'static str,
    /// In a few words.
    pub asks: &'static str,
    /// Looks at a lesson.
    pub look: fn(&Case<'_>) -> Vec<Finding>,
}

/// Every rule, in the format's order.
pub const RULES: &[Rule] = &[
    Rule { name: "V1", asks: "files, ids and names are there", look: shape::complete },
    Rule { name: "V2", asks: "no goal is true at the start", look: runs::start_fails },
    Rule { name: "V3", asks: "the solution passes", look: runs::solution_passes },
    Rule {
        name: "V4",
        asks: "no command of the solution is spare at its end",
        look: runs::last_command_counts,
    },
    Rule { name: "V5", asks: "each wrong attempt gets its feedback", look: runs::feedback_is_right },
    Rule { name: "V6", asks: "other ways pass", look: runs::other_ways_pass },
    Rule { name: "V7", asks: "the solution passes with noise", look: runs::noise_is_harmless },
    Rule { name: "V8", asks: "demanded names are said", look: prose::names_are_said },
    Rule { name: "V9", asks: "both languages say the same sections", look: prose::languages_agree },
    Rule { name: "V10", asks: "the same again, and with other seeds", look: runs::repeats },
    Rule { name: "V11", asks: "it stays light", look: runs::stays_light },
    Rule { name: "V12", asks: "it claims its concepts, and starts soon", look: shape::covers },
    Rule { name: "V13", asks: "the extension is reached", look: runs::breaks },
    Rule { name: "V14", asks: "undo goes back to the start", look: runs::undoes },
    Rule { name: "V15", asks: "numbers come from facts", look: prose::numbers_are_facts },
];

impl Finding {
    fn new(rule: &'static str, file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { rule, file: file.into(), message: message.into() }
    }
}

/// A lesson opened for its rules, or why it cannot be.
///
/// # Errors
/// What is wrong with the machine part, or with the files of the world it happens in.
pub fn open<'f>(
    folder: Folder,
    fixture: impl Fn(&str) -> Option<&'f Folder>,
) -> Result<Book, Vec<LoadError>> {
    let book = Book::open(folder, fixture)?;
    if let Err(wrong) = book.scenario.build(book.lesson.world.seed) {
        let world = api::FieldPath::of("world");
        let say = |it: &api::Diagnostic| LoadError {
            field: world.clone(),
            message: format!("{}: {}", it.field, it.message),
        };
        return Err(wrong.iter().map(say).collect());
    }
    Ok(book)
}
