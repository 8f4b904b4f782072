//! What comes of playing a script in a lesson?

use std::rc::Rc;

use api::{SimDuration, SimTime};

use crate::{
    lesson::progress::{Progress, Standing},
    library::{self, Book},
    script,
    session::Session,
};

/// How long the world plays on after the last line: until it is quiet, and then long enough for the longest `hold`.
const AFTER: SimDuration = SimDuration::secs(120);

/// A script that was played, and what came of it.
pub struct Played {
    /// The session at its end.
    pub session: Session,
    /// The digest at the start.
    pub start: u64,
    /// The moment of the start.
    pub began: SimTime,
    /// What each line printed on its error stream, with its exit status, where that is not 0.
    pub failed: Vec<(String, i32, String)>,
    /// By goal: number of the learner's commands entered until it was first met.
    pub commands_until: Vec<Option<usize>>,
    /// The learner's commands.
    pub commands: usize,
    /// Most engine steps that one command took.
    pub steps: u64,
}

impl Played {
    /// How far the learner got.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        self.session.progress()
    }

    /// Whether all goals are met.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.progress().is_some_and(Progress::is_done)
    }

    /// How long it took until the last goal was met.
    #[must_use]
    pub fn took(&self) -> Option<SimDuration> {
        let last = self.progress()?.goals().iter().filter_map(|goal| goal.met_at).max()?;
        Some(last.since(self.began))
    }

    /// Goals that are not met, with what differs.
    #[must_use]
    pub fn open_goals(&self) -> Vec<String> {
        let Some(progress) = self.progress() else { return Vec::new() };
        let goals = progress.lesson().goals.iter().zip(progress.goals());
        let mut open: Vec<String> = goals
            .filter(|(_, state)| state.standing != Standing::Met)
            .map(|(goal, state)| {
                let part = state.outcome.first_open();
                let value = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
                format!(
                    "goal {} is {:?}: got {}, want {}, nearest {}, because {:?}",
                    goal.id,
                    state.standing,
                    value(&part.got),
                    value(&part.want),
                    value(&part.nearest),
                    part.why
                )
            })
            .collect();
        open.extend(self.failed.iter().map(|(line, status, said)| {
            format!("{:?} exited {status}: {}", line.lines().next().unwrap_or_default(), said.trim_end())
        }));
        open
    }
}

/// Plays a script in a lesson with a seed; nothing if its world cannot be built.
#[must_use]
pub fn play(book: &Book, script: &[String], seed: u64) -> Option<Played> {
    let mut session = Session::of_lesson(Rc::clone(&book.scenario), Rc::clone(&book.lesson), seed).ok()?;
    let (start, began) = (session.digest(), session.head());
    let mut failed = Vec::new();
    let (mut commands, mut steps) = (0, 0);
    let mut commands_until = vec![None; book.lesson.goals.len()];
    for (i, line) in script.iter().enumerate() {
        if i > 0 {
            session.pause();
        }
        let before = session.world().steps();
        let result = session.run_line(line);
        commands += usize::from(!script::is_lab(line));
        if result.exit != 0 {
            failed.push((line.clone(), result.exit, result.output.stderr()));
        }
        steps = steps.max(session.world().steps().saturating_sub(before));
        note(&session, commands, &mut commands_until);
    }
    let hold = book.lesson.goals.iter().map(|goal| goal.hold).max().unwrap_or_default();
    session.settle(AFTER);
    session.advance(hold);
    note(&session, commands, &mut commands_until);
    Some(Played { session, start, began, failed, commands_until, commands, steps })
}

fn note(session: &Session, commands: usize, until: &mut [Option<usize>]) {
    let Some(progress) = session.progress() else { return };
    for (slot, goal) in until.iter_mut().zip(progress.goals()) {
        if goal.met_at.is_some() {
            slot.get_or_insert(commands);
        }
    }
}

/// Every packed lesson after its solution, with its slug.
pub fn solved() -> impl Iterator<Item = (String, Session)> {
    library::lessons().into_iter().filter_map(|book| {
        let script = script::lines(book.solution());
        let played = play(&book, &script, book.lesson.world.seed)?;
        Some((book.lesson.slug.clone(), played.session))
    })
}
