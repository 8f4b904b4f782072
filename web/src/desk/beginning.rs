//! Where does a session begin: at a lesson, a world, a link, or where one was last time?

use std::{cell::RefCell, rc::Rc};

use lab::{
    Scenario, Session,
    library::{self, Book},
    link::{LinkError, Shared},
};

use super::{Desk, Entry, FIRST, REST};
use crate::{route::Route, settings};

/// What went wrong when a page was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Why the link could not be read, and how much of it was.
    Link(LinkError),
    /// The address leads nowhere.
    NoPage,
    /// There is no such lesson.
    NoLesson(String),
    /// There is no such world.
    NoWorld(String),
    /// Last time the page ended while this line was running; it is not part of the session.
    Ended(String),
    /// Last time the page ended while the session was brought back: this is its link, and a new one begins.
    NotBack(String),
    /// What was done last time needs a text that did not come.
    NotBrought,
}

/// What a route begins with.
#[derive(Default)]
struct Beginning {
    book: Option<Book>,
    scenario: Option<Rc<Scenario>>,
    seed: u64,
    shared: Option<Shared>,
    trouble: Option<Trouble>,
    name: Option<String>,
}

impl Desk {
    /// The session that a page begins with; what was kept of it, if anything was.
    #[must_use]
    pub fn open(route: &Route) -> Self {
        let it = Beginning::of(route);
        let scenario = it.scenario.unwrap_or_else(Scenario::bare);
        let fresh = match &it.book {
            Some(book) => Session::of_lesson(scenario, Rc::clone(&book.lesson), it.seed).ok(),
            None => Session::new(scenario, it.seed).ok(),
        };
        let fresh = fresh
            .or_else(|| Session::new(Scenario::bare(), 0).ok())
            .unwrap_or_else(|| unreachable!("the bare machine has no files that could be wrong"));
        let mut desk = Self {
            seen: fresh.world().clone(),
            at: fresh.head(),
            session: fresh,
            book: it.book,
            story: None,
            beat: None,
            told: Vec::new(),
            before: None,
            furthest: 0,
            speed: 1.0,
            stepping: false,
            entries: Vec::new(),
            history: Vec::new(),
            open: String::new(),
            trouble: it.trouble,
            name: it.name,
            storage: None,
            batch: None,
            misses: None,
            late: None,
            explained: RefCell::new(None),
            made_in: RefCell::new(None),
            fresh: 0,
            complaint: None,
            asked_editor: None,
            asked_selection: None,
            path: None,
            paths: 0,
        };
        if let Some(shared) = it.shared {
            desk.bring_back(shared);
        } else {
            desk.session.settle(REST);
        }
        desk.stepping = desk.book.as_ref().is_some_and(|book| book.lesson.world.paused);
        desk.look_at_head();
        desk
    }

    /// Does again what was done. A mark stays in the browser until that is over.
    pub(super) fn bring_back(&mut self, shared: Shared) {
        let mark = self.name.as_ref().map(|name| format!("opening.{name}"));
        if let Some(mark) = &mark {
            settings::keep(mark, "1");
        }
        self.misses = self.session.replay(&shared.lines, shared.head);
        if let Some(mark) = &mark {
            settings::forget(mark);
        }
        if self.misses.is_some() {
            self.late = Some(shared);
            return;
        }
        for line in shared.lines {
            self.history.push(line.text.clone());
            self.entries.push(Entry::Typed(line.text, None));
        }
        self.fresh = self.entries.len();
    }
}

impl Beginning {
    fn of(route: &Route) -> Self {
        match route {
            Route::First => Self { name: Some(FIRST.to_owned()), ..Self::lesson(FIRST) },
            Route::Lessons | Route::Coverage => Self::default(),
            Route::Unknown(_) => Self { trouble: Some(Trouble::NoPage), ..Self::default() },
            Route::Lesson(slug) | Route::Incident(slug) => {
                Self::lesson(slug).kept(slug, |shared| shared.lesson.as_deref() == Some(slug.as_str()))
            }
            Route::Sandbox => Self::default().kept("sandbox", |shared| shared.lesson.is_none()),
            Route::World(name) => Self::world(name).kept(&format!("world.{name}"), |shared| {
                shared.fixture == *name || shared.lesson.as_deref() == Some(name.as_str())
            }),
            Route::Shared(payload) => match Shared::from_link(payload) {
                Ok(shared) => Self::shared(shared),
                Err(LinkError::Damaged { good: Some(good) }) => {
                    let trouble = Some(Trouble::Link(LinkError::Damaged { good: Some(good.clone()) }));
                    let it = Self::shared(*good);
                    Self { trouble: it.trouble.or(trouble), ..it }
                }
                Err(error) => Self { trouble: Some(Trouble::Link(error)), ..Self::default() },
            },
        }
    }

    fn lesson(slug: &str) -> Self {
        match library::lesson(slug) {
            Some(book) => Self {
                seed: book.lesson.world.seed,
                scenario: Some(Rc::clone(&book.scenario)),
                book: Some(book),
                ..Self::default()
            },
            None => Self { trouble: Some(Trouble::NoLesson(slug.to_owned())), ..Self::default() },
        }
    }

    fn world(name: &str) -> Self {
        match library::scenario(name) {
            Some(scenario) => Self { scenario: Some(scenario), ..Self::default() },
            None if name.is_empty() => Self::default(),
            None if library::lesson(name).is_some() => Self::lesson(name),
            None => Self { trouble: Some(Trouble::NoWorld(name.to_owned())), ..Self::default() },
        }
    }

    /// A session that came by a link. It is not kept over what the reader did: the link is where it stays.
    fn shared(shared: Shared) -> Self {
        let it = match &shared.lesson {
            Some(slug) => Self::lesson(slug),
            None => Self::world(&shared.fixture),
        };
        match it.trouble {
            // Without its world its lines mean something else.
            Some(_) => it,
            None => Self { seed: shared.seed, shared: Some(shared), ..it },
        }
    }

    /// Goes on where one was, if what was kept under this name fits.
    fn kept(self, name: &str, fits: impl Fn(&Shared) -> bool) -> Self {
        if self.trouble.is_some() {
            return self;
        }
        let named = Self { name: Some(name.to_owned()), ..self };
        let link = settings::kept(&format!("session.{name}"));
        let shared = link.as_ref().and_then(|link| Shared::from_link(link).ok()).filter(fits);
        let running = settings::kept(&format!("running.{name}"));
        settings::forget(&format!("running.{name}"));
        let trouble = running.map(Trouble::Ended);
        let Some((link, shared)) = link.zip(shared) else { return Self { trouble, ..named } };
        if settings::kept(&format!("opening.{name}")).is_some() {
            settings::forget(&format!("opening.{name}"));
            return Self { trouble: Some(Trouble::NotBack(link)), ..named };
        }
        let it = Self::shared(shared);
        Self { name: named.name, trouble: it.trouble.clone().or(trouble), ..it }
    }
}
