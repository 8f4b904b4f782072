//! How far is the learner?
//!
//! [`Progress`] follows a world fact by fact. A goal is asked again when something it depends on changed; it is met
//! when its check has been true for its `hold`, after the goal it waits for, and after its question was answered.
//! A goal with `once` stays met; another one that is no longer true says so. Feedback on wrong attempts comes in the
//! lesson's order, one at a time. Only simulated time counts.

use std::{collections::BTreeSet, rc::Rc};

use api::SimTime;
use cluster::World;

use super::{
    Goal, Lesson,
    check::{
        Check, Topic,
        eval::{Lets, Moment, eval, resolve},
        log::{Deed, Log},
        outcome::{Outcome, Truth},
        paths::{NoPaths, Paths, Present},
    },
    snapshot::Snapshot,
};

/// How a goal stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Waits for a question or for another goal.
    Locked,
    /// Not met yet.
    #[default]
    Open,
    /// True, but not yet for long enough.
    Holding,
    /// Met.
    Met,
    /// Was met and is no longer true.
    Was,
}

/// One goal and how it stands.
#[derive(Clone, Debug, Default)]
pub struct GoalState {
    /// How it stands.
    pub standing: Standing,
    /// When it was first met.
    pub met_at: Option<SimTime>,
    /// How many facts there were then: much can happen at one time.
    pub met_by: Option<u64>,
    /// Since when its check is true without a break.
    pub since: Option<SimTime>,
    /// The check's last answer: how far, and what differs.
    pub outcome: Rc<Outcome>,
}

/// How far the learner is.
#[derive(Clone)]
pub struct Progress {
    lesson: Rc<Lesson>,
    topics: Rc<Topics>,
    snapshot: Snapshot,
    lets: Lets,
    log: Log,
    goals: Vec<GoalState>,
    wrong: Vec<WrongState>,
    fired: Vec<String>,
    broken: Truth,
}

/// What each check depends on.
#[derive(Debug)]
struct Topics {
    goals: Vec<BTreeSet<Topic>>,
    wrong: Vec<BTreeSet<Topic>>,
    breakit: BTreeSet<Topic>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct WrongState {
    when: Truth,
    until: bool,
}

impl Progress {
    /// A learner who has just opened the lesson, in the world as it is now.
    #[must_use]
    pub fn new(lesson: Rc<Lesson>, world: &World) -> Self {
        let of = |checks: &[&Check]| {
            let mut topics = BTreeSet::new();
            checks.iter().for_each(|check| check.topics(&mut topics));
            topics
        };
        // A goal that waits for an answer has to be asked again when one is given.
        let asked =
            |goal: &Goal| lesson.predict.iter().any(|question| question.before.as_ref() == Some(&goal.id));
        let of_goal = |goal: &Goal| {
            let mut topics = of(&[&goal.check]);
            topics.extend(asked(goal).then_some(Topic::Deeds));
            topics
        };
        let topics = Topics {
            goals: lesson.goals.iter().map(of_goal).collect(),
            wrong: lesson
                .wrong
                .iter()
                .map(|w| of(&std::iter::once(&w.when).chain(&w.until).collect::<Vec<_>>()))
                .collect(),
            breakit: of(&lesson.breakit.iter().collect::<Vec<_>>()),
        };
        let mut progress = Self {
            topics: Rc::new(topics),
            snapshot: Snapshot::of(world),
            lets: Lets::new(),
            log: Log::default(),
            goals: vec![GoalState::default(); lesson.goals.len()],
            wrong: vec![WrongState::default(); lesson.wrong.len()],
            fired: Vec::new(),
            broken: Truth::No,
            lesson,
        };
        progress.ask(None);
        progress
    }

    /// The lesson.
    #[must_use]
    pub fn lesson(&self) -> &Rc<Lesson> {
        &self.lesson
    }

    /// How each goal stands, in the lesson's order.
    #[must_use]
    pub fn goals(&self) -> &[GoalState] {
        &self.goals
    }

    /// How the goal `id` stands.
    #[must_use]
    pub fn goal(&self, id: &str) -> Option<&GoalState> {
        let index = self.lesson.goals.iter().position(|goal| goal.id == id)?;
        self.goals.get(index)
    }

    /// Whether all goals are met.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.goals.iter().all(|goal| goal.standing == Standing::Met)
    }

    /// The feedback to show, if any.
    #[must_use]
    pub fn feedback(&self) -> Option<&str> {
        let index = self.wrong.iter().position(|state| state.when == Truth::Yes && !state.until)?;
        self.lesson.wrong.get(index).map(|wrong| wrong.id.as_str())
    }

    /// Feedback that was shown, in the order in which each came first.
    #[must_use]
    pub fn fired(&self) -> &[String] {
        &self.fired
    }

    /// Whether the extension's state is reached.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken == Truth::Yes
    }

    /// The learner's answer to a question.
    #[must_use]
    pub fn answer(&self, id: &str) -> Option<&str> {
        self.log.answer(id)
    }

    /// Whether a check that is no goal holds now.
    #[must_use]
    pub fn sees(&self, check: &Check) -> bool {
        eval(check, self.moment(&NoPaths)).ok == Truth::Yes
    }

    /// What the learner last took for the cause of an incident, and as its proof.
    #[must_use]
    pub fn explanation(&self) -> Option<(&str, &str)> {
        self.log.explanation()
    }

    /// Follows the world to its present; `deeds` are what the learner did since the last call, in order.
    pub fn follow(&mut self, world: &World, deeds: Vec<Deed>) {
        let paths: &dyn Paths = &Present(world);
        let mut deeds = deeds.into_iter().peekable();
        while let Some(fact) = world.facts().get(self.snapshot.next()).cloned() {
            while let Some(deed) = deeds.next_if(|deed| deed.at <= fact.at) {
                self.deed(deed, paths);
            }
            self.wait(fact.at, paths);
            if let Some(topic) = self.snapshot.take(&fact) {
                self.ask_with(Some(topic), paths);
            }
        }
        for deed in deeds {
            self.deed(deed, paths);
        }
        self.wait(world.now(), paths);
        self.ask_with(Some(Topic::Paths), paths);
    }

    fn deed(&mut self, deed: Deed, paths: &dyn Paths) {
        self.wait(deed.at, paths);
        self.log.deeds.push_back(deed);
        self.ask_with(Some(Topic::Deeds), paths);
    }

    /// Lets time pass without anything happening: goals that hold may be met by it.
    fn wait(&mut self, until: SimTime, paths: &dyn Paths) {
        // The goal that is due first comes first: another one may wait for it.
        while let Some(due) = self.next_due().filter(|due| *due <= until) {
            self.snapshot.at = self.snapshot.at.max(due);
            self.ask_with(None, paths);
        }
        self.snapshot.at = self.snapshot.at.max(until);
    }

    /// When a goal that is true will have been true for long enough.
    #[must_use]
    pub fn next_due(&self) -> Option<SimTime> {
        let goals = self.goals.iter().zip(&self.lesson.goals);
        goals
            .filter(|(state, _)| state.standing == Standing::Holding)
            .filter_map(|(state, goal)| Some(state.since? + goal.hold))
            .min()
    }

    fn ask(&mut self, topic: Option<Topic>) {
        self.ask_with(topic, &NoPaths);
    }

    /// Asks every check that depends on `topic`; all of them without one. A goal that is met for the first time can
    /// unlock others and give a value that others wait for, so everything is asked again then.
    fn ask_with(&mut self, topic: Option<Topic>, paths: &dyn Paths) {
        let mut topic = topic;
        let present = paths.now(&self.snapshot);
        loop {
            let mut first_met = false;
            for index in 0..self.goals.len() {
                if concerns(&self.topics.goals[index], topic, present) {
                    first_met |= self.ask_goal(index, paths);
                }
            }
            if !first_met {
                break;
            }
            topic = None;
        }
        for index in 0..self.wrong.len() {
            if concerns(&self.topics.wrong[index], topic, present) {
                self.ask_wrong(index, paths);
            }
        }
        if let Some(check) =
            self.lesson.breakit.as_ref().filter(|_| concerns(&self.topics.breakit, topic, present))
        {
            self.broken = eval(check, self.moment(paths)).ok;
        }
        if let Some(id) = self.feedback().filter(|id| !self.fired.iter().any(|f| f == id)) {
            self.fired.push(id.to_owned());
        }
    }

    fn moment<'a>(&'a self, paths: &'a dyn Paths) -> Moment<'a> {
        Moment { snapshot: &self.snapshot, log: &self.log, lets: &self.lets, paths }
    }

    /// Asks one goal; whether it is met for the first time.
    fn ask_goal(&mut self, index: usize, paths: &dyn Paths) -> bool {
        let lesson = Rc::clone(&self.lesson);
        let goal = &lesson.goals[index];
        if goal.once && self.goals[index].met_at.is_some() {
            return false;
        }
        let outcome = eval(&goal.check, self.moment(paths));
        let locked = self.is_locked(index);
        let now = self.snapshot.at;
        let state = &mut self.goals[index];
        let so = outcome.ok == Truth::Yes && !locked;
        state.since = if so { state.since.or(Some(now)) } else { None };
        let held = state.since.is_some_and(|since| now.since(since) >= goal.hold);
        state.outcome = Rc::new(outcome);
        state.standing = match (so, held, state.met_at) {
            (true, true, _) => Standing::Met,
            (true, false, None) => Standing::Holding,
            // Once met, it need not hold again to be met again.
            (true, false, Some(_)) => Standing::Met,
            (false, _, Some(_)) => Standing::Was,
            (false, _, None) if locked => Standing::Locked,
            (false, _, None) => Standing::Open,
        };
        let first = state.standing == Standing::Met && state.met_at.is_none();
        if first {
            state.met_at = Some(now);
            state.met_by = Some(self.snapshot.next() as u64);
            self.log.marks.insert(goal.id.clone(), self.log.deeds.len());
            for it in lesson.lets.iter().filter(|it| it.when == goal.id) {
                if let Some(value) = resolve(&it.from, self.moment(paths)) {
                    self.lets.insert(it.name.clone(), value);
                }
            }
        }
        first
    }

    /// Whether a goal waits for another one, or for the answer to a question.
    fn is_locked(&self, index: usize) -> bool {
        let goal = &self.lesson.goals[index];
        let waits =
            goal.after.as_ref().is_some_and(|id| self.goal(id).is_none_or(|other| other.met_at.is_none()));
        let asks = self.lesson.predict.iter().any(|question| {
            question.before.as_ref() == Some(&goal.id) && self.answer(&question.id).is_none()
        });
        waits || asks
    }

    fn ask_wrong(&mut self, index: usize, paths: &dyn Paths) {
        let wrong = &self.lesson.wrong[index];
        let when = eval(&wrong.when, self.moment(paths)).ok;
        let ended =
            wrong.until.as_ref().is_some_and(|until| eval(until, self.moment(paths)).ok == Truth::Yes);
        let before = self.wrong[index];
        // `until` ends this appearance; the next one begins when `when` has been false in between.
        let until = when == Truth::Yes && (before.until || ended);
        self.wrong[index] = WrongState { when, until };
    }
}

/// Whether a check has to be asked again. A packet's way can depend on anything, and is asked of the present only.
fn concerns(topics: &BTreeSet<Topic>, topic: Option<Topic>, present: bool) -> bool {
    match topics.contains(&Topic::Paths) {
        true => present,
        false => topic.is_none_or(|topic| topics.contains(&topic)),
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
