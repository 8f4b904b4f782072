//! Which lessons, fixtures and words do we carry?
//!
//! `build.rs` packs `lessons/` into a compact form, so that the page needs no YAML reader for our own files. A folder on
//! disk can take the place of a packed one: both are a [`Folder`].

mod format;

use std::{collections::BTreeMap, rc::Rc, sync::OnceLock};

use serde_json::Value;

pub use format::{Contents, Difference, Folder, Simplification, Term};

use crate::{
    lesson::{Lesson, fields::LoadError, prose::Prose},
    scenario::Scenario,
};

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

/// What was packed at build time.
#[must_use]
pub fn packed() -> &'static Contents {
    static CONTENTS: OnceLock<Contents> = OnceLock::new();
    CONTENTS.get_or_init(|| postcard::from_bytes(PACKED).unwrap_or_default())
}

/// The fixture with this name.
#[must_use]
pub fn fixture(name: &str) -> Option<&'static Folder> {
    packed().fixtures.iter().find(|folder| folder.name == name)
}

/// The glossary's entry with this id.
#[must_use]
pub fn term(id: &str) -> Option<&'static Term> {
    packed().glossary.iter().find(|term| term.id == id)
}

/// The packed lesson, incident or puzzle with this slug.
#[must_use]
pub fn lesson(slug: &str) -> Option<Book> {
    let named = |folder: &&Folder| folder.name.split_once('-').is_some_and(|(_, name)| name == slug);
    let folder = packed().lessons.iter().chain(&packed().incidents).chain(&packed().puzzles).find(named)?;
    Book::open(folder.clone(), fixture).ok()
}

/// All packed lessons, in order.
#[must_use]
pub fn lessons() -> Vec<Book> {
    books(&packed().lessons)
}

/// All packed incidents, in order.
#[must_use]
pub fn incidents() -> Vec<Book> {
    books(&packed().incidents)
}

/// The sandbox's puzzles, in order: worlds with a story and a question. The answers are a real scheduler's.
#[must_use]
pub fn puzzles() -> Vec<Book> {
    books(&packed().puzzles)
}

fn books(folders: &[Folder]) -> Vec<Book> {
    let mut books: Vec<Book> =
        folders.iter().filter_map(|folder| Book::open(folder.clone(), fixture).ok()).collect();
    books.sort_by_key(|book| book.lesson.order);
    books
}

/// The scenario of a fixture; the bare machine for an empty name.
#[must_use]
pub fn scenario(name: &str) -> Option<Rc<Scenario>> {
    if name.is_empty() {
        return Some(Scenario::bare());
    }
    let folder = fixture(name)?;
    Some(Rc::new(Scenario { name: name.to_owned(), lesson: None, files: folder.files.clone() }))
}

impl Folder {
    /// The text of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&str> {
        self.files.iter().find(|(path, _)| path == name).map(|(_, text)| text.as_str())
    }

    /// The files under a folder inside it, by their names there.
    pub fn under<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.files.iter().filter_map(move |(path, text)| {
            let name = path.strip_prefix(folder)?.strip_prefix('/')?;
            Some((name, text.as_str()))
        })
    }
}

/// An opened lesson: machine part, prose, and where it begins.
#[derive(Clone, Debug)]
pub struct Book {
    /// The machine part.
    pub lesson: Rc<Lesson>,
    /// Everything it says in Korean.
    pub ko: Prose,
    /// Everything it says in English.
    pub en: Prose,
    /// Where it begins.
    pub scenario: Rc<Scenario>,
    /// Its files.
    pub folder: Folder,
}

impl Book {
    /// Opens a folder; `fixture` finds the world it happens in.
    /// # Errors
    /// Everything that is wrong with the machine part.
    pub fn open<'f>(
        folder: Folder,
        fixture: impl Fn(&str) -> Option<&'f Folder>,
    ) -> Result<Self, Vec<LoadError>> {
        let value: Value =
            folder.file("lesson.json").and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let lesson = Lesson::read(&value)?;
        let prose = |name: &str| folder.file(name).map(Prose::read).unwrap_or_default();
        let mut files = fixture(&lesson.world.fixture).map(|it| it.files.clone()).unwrap_or_default();
        if let Some((name, text)) = lesson.world.start.as_ref().and_then(|n| Some((n, folder.file(n)?))) {
            files.push((format!("start/{name}"), text.to_owned()));
        }
        files.extend(folder.under("home").map(|(name, text)| (format!("home/{name}"), text.to_owned())));
        let scenario =
            Scenario { name: lesson.world.fixture.clone(), lesson: Some(lesson.slug.clone()), files };
        Ok(Self {
            ko: prose("ko.md"),
            en: prose("en.md"),
            scenario: Rc::new(scenario),
            lesson: Rc::new(lesson),
            folder,
        })
    }

    /// The author's script: what "show solution" types.
    #[must_use]
    pub fn solution(&self) -> &str {
        self.folder.file("solution.sh").unwrap_or_default()
    }
}

/// The glossary by id.
#[must_use]
pub fn glossary() -> BTreeMap<&'static str, &'static Term> {
    packed().glossary.iter().map(|term| (term.id.as_str(), term)).collect()
}
