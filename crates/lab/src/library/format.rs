//! What does the compact form hold? Shared by the build script that writes it and the crate that reads it.

use serde::{Deserialize, Serialize};

/// A folder and the text of its files; names are relative, with `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// The folder's name.
    pub name: String,
    /// Its files by name.
    pub files: Vec<(String, String)>,
}

/// A word that the lab explains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Its id in `[[id]]`.
    pub id: String,
    /// The term and one line about it, in English.
    pub en: (String, String),
    /// The same in Korean.
    pub ko: (String, String),
}

/// Something that the lab does more simply than the real thing, as the code itself says where it does so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simplification {
    /// The crate: `scheduler`.
    pub area: String,
    /// What it is about.
    pub about: String,
    /// What is simpler.
    pub text: String,
}

/// A recorded case that the lab answers otherwise on purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `session`, `kubectl`.
    pub suite: String,
    /// The case, and its step if it has several.
    pub case: String,
    /// Why, in English and in Korean.
    pub why: (String, String),
}

/// Everything of ours that the page carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Lessons by the order of their folders; `lesson.yaml` as JSON, scripts of the author left out but the solution.
    pub lessons: Vec<Folder>,
    /// Incidents, in the same form.
    pub incidents: Vec<Folder>,
    /// The sandbox's puzzles, in the same form.
    pub puzzles: Vec<Folder>,
    /// Fixtures by name.
    pub fixtures: Vec<Folder>,
    /// The glossary by id.
    pub glossary: Vec<Term>,
    /// By crate and file.
    pub simplifications: Vec<Simplification>,
    /// As they are listed.
    pub differences: Vec<Difference>,
}
