//! Is `world at time t = replay(scenario, seed, script up to t)` true?
//!
//! Every script in the repository is run; after every line its digest is compared with a replay from the session's link, with
//! undo and redo, and with looking back at that moment. The first difference is printed with its fact.

use std::{
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use api::SimTime;
use cluster::World;
use lab::{
    Scenario, Session,
    library::{self, Book},
    link::Shared,
    script,
};

/// A script and the world it belongs to.
struct Case {
    name: String,
    book: Option<Book>,
    lines: Vec<String>,
    seed: u64,
}

impl Case {
    fn begin(&self) -> Session {
        let scenario = self.book.as_ref().map_or_else(Scenario::bare, |book| Rc::clone(&book.scenario));
        let begun = match &self.book {
            Some(book) => Session::of_lesson(scenario, Rc::clone(&book.lesson), self.seed),
            None => Session::new(scenario, self.seed),
        };
        begun.unwrap_or_else(|wrong| panic!("{}: {wrong:?}", self.name))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every `.sh` of a lesson in that lesson; every other one under `tests/` on a machine without a cluster.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for book in library::lessons() {
        let folder = root().join("lessons").join(&book.folder.name);
        for path in scripts(&folder) {
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            let lines = script::lines(&fs::read_to_string(&path).unwrap_or_default());
            cases.push(Case { name, lines, seed: book.lesson.world.seed, book: Some(book.clone()) });
        }
    }
    for path in scripts(&root().join("tests")) {
        let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
        let lines = script::lines(&fs::read_to_string(&path).unwrap_or_default());
        cases.push(Case { name, lines, seed: 1, book: None });
    }
    cases
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == "sh") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The moment and the digest after each line.
fn run(case: &Case) -> (Session, Vec<(SimTime, u64)>) {
    let mut session = case.begin();
    let mut after = Vec::new();
    for (i, line) in case.lines.iter().enumerate() {
        if i > 0 {
            session.pause();
        }
        session.run_line(line);
        after.push((session.head(), session.digest()));
    }
    (session, after)
}

/// Where two worlds part, as told by their facts.
fn difference(one: &World, other: &World) -> String {
    let pairs = one.facts().iter().zip(other.facts().iter());
    let tell = |fact: &cluster::Fact| format!("{fact:?}").chars().take(2_000).collect::<String>();
    let first = pairs.clone().find(|(a, b)| tell(a) != tell(b));
    match first {
        Some((a, b)) => format!("first different fact:\n  {}\n  {}", tell(a), tell(b)),
        None => format!(
            "the same facts as far as both go ({} and {}); now {:?} and {:?}; revision {} and {}",
            one.facts().len(),
            other.facts().len(),
            one.now(),
            other.now(),
            one.store().revision(),
            other.store().revision()
        ),
    }
}

// Two tests, for the runner has a thread for each.
#[test]
fn scripts_give_the_same_worlds_again() {
    cases().iter().step_by(2).for_each(again);
}

#[test]
fn the_other_scripts_give_the_same_worlds_again() {
    cases().iter().skip(1).step_by(2).for_each(again);
}

fn again(case: &Case) {
    let (mut session, after) = run(case);
    a_replayed_link_gives_the_same_world(case, &session);
    // A script with `lab undo` in it has its own idea of what is there to take back.
    if session.lines().len() == case.lines.len() {
        looking_back_shows_the_same_worlds(case, &mut session, &after);
        undo_and_redo_give_the_same_worlds(case, &mut session, &after);
    }
}

fn a_replayed_link_gives_the_same_world(case: &Case, session: &Session) {
    let shared = Shared::from_link(&session.link()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let mut again = case.begin();
    again.replay(&shared.lines, shared.head);
    let told = || format!("{}: replay: {}", case.name, difference(session.world(), again.world()));
    assert_eq!(again.digest(), session.digest(), "{}", told());
}

fn looking_back_shows_the_same_worlds(case: &Case, session: &mut Session, after: &[(SimTime, u64)]) {
    // Of lines that end at one moment only the last can be looked back at.
    for (i, (at, digest)) in after.iter().enumerate() {
        if after.get(i + 1).is_some_and(|next| session.lines()[i + 1].at <= *at || next.0 <= *at) {
            continue;
        }
        let seen = session.seek(*at);
        let (now, found) = (seen.now(), seen.digest());
        assert_eq!((now, found), (*at, *digest), "{}: looking back at line {}", case.name, i + 1);
    }
}

fn undo_and_redo_give_the_same_worlds(case: &Case, session: &mut Session, after: &[(SimTime, u64)]) {
    let reference = session.world().clone();
    while session.undo() {}
    assert_eq!(session.digest(), case.begin().digest(), "{}: undo to the start", case.name);
    for (line, (at, digest)) in after.iter().enumerate() {
        session.redo();
        let told = || {
            let difference = difference(&reference, session.world());
            format!("{}: redo of line {} at {at:?}\n{difference}", case.name, line + 1)
        };
        assert_eq!(session.digest(), *digest, "{}", told());
    }
}
