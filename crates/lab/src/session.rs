//! What did we do, and what if we had not?
//!
//! `world at time t = replay(scenario, seed, script up to t)`. Everything else here is there to get that answer
//! sooner: checkpoints before lines, and the copies that a world leaves behind while a line lets time pass. Commands
//! happen at the head of time. Acting in the past opens a branch: the old future stays as it was.

use std::{collections::BTreeMap, ops::Range, rc::Rc};

use api::{Diagnostic, SimDuration, SimTime, asset::Asset};
use cluster::{Budget, What, World};
use scheduler::Decision;
use shell::{Machine, Output};

use crate::{
    assets,
    checkpoint::{Checkpoints, Moment, Trail},
    lesson::{Lesson, progress::Progress},
    link::{LinkError, Shared},
    perform::{self, Wish},
    scenario::Scenario,
    script::{self, Line, PACE, TYPING},
};

/// Steps and facts that one line, or one stretch of play, may take. A lesson's command needs some hundred, a thousand pods
/// some twenty thousand; a world that needs more chases its own tail, or was asked for a hundred million pods.
pub const STEPS: u64 = 40_000;

/// Facts that tell who is busy.
const RECENT: usize = 1_000;

/// What one line did.
#[derive(Clone, Debug)]
pub struct LineResult {
    /// What it printed, in order.
    pub output: Output,
    /// Its exit status.
    pub exit: i32,
    /// Numbers of the facts that it led to before the next line.
    pub facts: Range<u64>,
    /// When it was entered.
    pub at: SimTime,
    /// When it came back.
    pub until: SimTime,
    /// Whether it was stopped because the world was still busy after [`STEPS`].
    pub stopped: bool,
    /// The text that it prints and nobody has brought yet: then nothing was done, and it can be done again.
    pub misses: Option<&'static Asset>,
}

/// A future that was left when somebody acted in its past, or started over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// `A`, `B`, ….
    pub name: String,
    /// What keyed draws started from.
    pub seed: u64,
    /// What was typed.
    pub lines: Vec<Line>,
    /// Where it ended.
    pub head: SimTime,
}

/// A lab: a scenario, a seed and a script, and the world they give.
pub struct Session {
    scenario: Rc<Scenario>,
    lesson: Option<Rc<Lesson>>,
    seed: u64,
    name: String,
    lines: Vec<Line>,
    undone: Vec<Line>,
    live: Moment,
    checkpoints: Checkpoints,
    trail: Trail,
    cursor: Option<World>,
    branches: Vec<Branch>,
}

impl Session {
    /// A session in which nothing has been done yet.
    /// # Errors
    /// What is wrong with the scenario's files.
    pub fn new(scenario: Rc<Scenario>, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        Self::begin(scenario, None, seed)
    }

    /// A lesson in which nothing has been done yet.
    /// # Errors
    /// What is wrong with the scenario's files.
    pub fn of_lesson(scenario: Rc<Scenario>, lesson: Rc<Lesson>, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        Self::begin(scenario, Some(lesson), seed)
    }

    fn begin(scenario: Rc<Scenario>, lesson: Option<Rc<Lesson>>, seed: u64) -> Result<Self, Vec<Diagnostic>> {
        let (world, machine) = scenario.build(seed)?;
        let progress = lesson.clone().map(|lesson| Progress::new(lesson, &world));
        let live = Moment { world, machine, progress };
        Ok(Self {
            scenario,
            lesson,
            seed,
            name: "A".to_owned(),
            lines: Vec::new(),
            undone: Vec::new(),
            checkpoints: Checkpoints::new(live.clone()),
            trail: Trail::new(live.world.clone()),
            live,
            cursor: None,
            branches: Vec::new(),
        })
    }

    /// Does one line at the head of time.
    ///
    /// `lab undo` and `lab redo` are not part of the script: they change it.
    pub fn run_line(&mut self, text: &str) -> LineResult {
        let line = Line { at: self.live.world.now(), text: text.trim_end_matches('\n').to_owned() };
        let before = self.live.clone();
        assets::forget();
        let (mut result, wish) = self.perform(&line);
        result.misses = assets::missed();
        if wish.is_none() && result.misses.is_none() {
            self.undone.clear();
            self.lines.push(line);
            return result;
        }
        self.put_back(before);
        match wish.filter(|_| result.misses.is_none()) {
            Some(Wish::Undo) => drop(self.undo()),
            Some(Wish::Redo) => drop(self.redo()),
            Some(Wish::Seed(seed)) => self.start_over(seed),
            None => {}
        }
        let now = self.live.world.now();
        LineResult { facts: 0..0, at: now, until: now, ..result }
    }

    /// Does the lines of a script; between them passes what [`Session::pause`] says.
    pub fn run_script(&mut self, text: &str) -> Vec<LineResult> {
        let mut results = Vec::new();
        for (i, line) in script::lines(text).iter().enumerate() {
            if i > 0 {
                self.pause();
            }
            results.push(self.run_line(line));
            if self.live.machine.exited {
                break;
            }
        }
        results
    }

    /// Lets pass what a person needs between two lines: until nothing is left to do, [`TYPING`] to [`PACE`].
    pub fn pause(&mut self) {
        let before = self.live.world.now();
        self.settle(PACE);
        let passed = self.live.world.now().since(before);
        if passed < TYPING {
            self.advance(SimDuration(TYPING.0 - passed.0));
        }
    }

    /// Lets the page's clock go on by so much. Less if the world is too busy: see [`STEPS`].
    pub fn advance(&mut self, by: SimDuration) {
        let until = self.live.world.now() + by;
        self.pass(|world| {
            world.allow(Some(STEPS));
            world.run_until(until, Budget::COMMAND);
            world.allow(None);
        });
    }

    /// Lets the world play on until nothing is left to do, at most so long. Less if it is too busy: see [`STEPS`].
    pub fn settle(&mut self, limit: SimDuration) {
        self.pass(|world| {
            world.allow(Some(STEPS));
            world.settle(limit);
            world.allow(None);
        });
    }

    fn pass(&mut self, run: impl FnOnce(&mut World)) {
        self.live.world.leave_trail();
        run(&mut self.live.world);
        self.trail.extend(self.live.world.take_trail(), self.lines.len());
        self.trail.end(self.live.world.clone(), self.lines.len());
        self.live.follow(Vec::new());
        self.cursor = None;
    }

    /// Does one line without asking what it means for the script.
    fn perform(&mut self, line: &Line) -> (LineResult, Option<Wish>) {
        if line.at > self.live.world.now() {
            let until = line.at;
            self.pass(|world| drop(world.run_until(until, Budget::COMMAND)));
        }
        self.checkpoints.add(self.lines.len(), &self.live);
        self.live.world.leave_trail();
        self.live.world.allow(Some(STEPS));
        let first = self.live.world.facts().len() as u64;
        let done = perform::line(&mut self.live, &line.text);
        let stopped = self.live.world.is_exhausted();
        self.live.world.allow(None);
        self.trail.extend(self.live.world.take_trail(), self.lines.len() + 1);
        self.trail.end(self.live.world.clone(), self.lines.len() + 1);
        self.cursor = None;
        let result = LineResult {
            output: done.output,
            exit: done.exit,
            facts: first..self.live.world.facts().len() as u64,
            at: line.at,
            until: self.live.world.now(),
            stopped,
            misses: None,
        };
        (result, done.wish)
    }

    /// Takes the last line back: the world is as it was just before it.
    pub fn undo(&mut self) -> bool {
        let Some(line) = self.lines.pop() else { return false };
        self.go_back(self.lines.len(), line.at);
        self.undone.push(line);
        true
    }

    /// Does the line again that was taken back last.
    pub fn redo(&mut self) -> Option<LineResult> {
        let line = self.undone.pop()?;
        let (result, _) = self.perform(&line);
        self.lines.push(line);
        Some(result)
    }

    /// Whether there is a line to take back, and one to do again.
    #[must_use]
    pub fn can_undo_redo(&self) -> (bool, bool) {
        (!self.lines.is_empty(), !self.undone.is_empty())
    }

    /// Goes back to the moment `at`, after the first `count` lines.
    fn go_back(&mut self, count: usize, at: SimTime) {
        let (from, moment) = self.checkpoints.before(count);
        self.live = moment;
        self.cursor = None;
        let missing: Vec<Line> = self.lines[from..count].to_vec();
        self.checkpoints.cut(from);
        self.trail.cut(from, self.live.world.now());
        self.lines.truncate(from);
        for line in missing {
            self.perform(&line);
            self.lines.push(line);
        }
        if at > self.live.world.now() {
            self.pass(|world| drop(world.run_until(at, Budget::COMMAND)));
        }
    }

    /// Opens a branch at `at`: lines entered later stay behind in the old one. A line that was still running then is
    /// kept whole, and the branch begins when it came back.
    pub fn branch_at(&mut self, at: SimTime) {
        if at >= self.live.world.now() {
            return;
        }
        self.leave_behind();
        let count = self.lines.partition_point(|line| line.at <= at);
        self.go_back(count, at);
    }

    /// Opens a branch here: what is done next is done there, and the present one stays behind as it is.
    pub fn fork(&mut self) {
        self.leave_behind();
    }

    fn start_over(&mut self, seed: u64) {
        self.leave_behind();
        if let Ok(fresh) = Self::begin(Rc::clone(&self.scenario), self.lesson.clone(), seed) {
            let (name, branches) = (std::mem::take(&mut self.name), std::mem::take(&mut self.branches));
            *self = Self { name, branches, ..fresh };
        }
    }

    fn leave_behind(&mut self) {
        let number = self.branches.len() + 1;
        let next = char::from_u32(u32::from(b'A') + number as u32 % 26).unwrap_or('A').to_string();
        self.branches.push(Branch {
            name: std::mem::replace(&mut self.name, next),
            seed: self.seed,
            lines: self.lines.clone(),
            head: self.live.world.now(),
        });
        self.undone.clear();
    }

    /// Changes to another branch: it becomes the live one, and the live one stays behind.
    pub fn switch(&mut self, index: usize) -> bool {
        if index >= self.branches.len() {
            return false;
        }
        let branch = self.branches.remove(index);
        let here = Branch {
            name: self.name.clone(),
            seed: self.seed,
            lines: self.lines.clone(),
            head: self.live.world.now(),
        };
        let Ok(mut fresh) = Self::begin(Rc::clone(&self.scenario), self.lesson.clone(), branch.seed) else {
            self.branches.insert(index, branch);
            return false;
        };
        if fresh.replay(&branch.lines, branch.head).is_some() {
            self.branches.insert(index, branch);
            return false;
        }
        fresh.name = branch.name;
        fresh.branches = std::mem::take(&mut self.branches);
        fresh.branches.insert(index, here);
        *self = fresh;
        true
    }

    /// Does lines at their own times, and lets the world play on to `head`. If nobody has brought a text yet that they print, gives
    /// that: then nothing was done.
    pub fn replay(&mut self, lines: &[Line], head: SimTime) -> Option<&'static Asset> {
        let (before, count) = (self.live.clone(), self.lines.len());
        assets::forget();
        for line in lines {
            self.perform(line);
            self.lines.push(line.clone());
            let misses = assets::missed();
            if misses.is_some() {
                self.lines.truncate(count);
                self.put_back(before);
                return misses;
            }
        }
        if head > self.live.world.now() {
            self.pass(|world| drop(world.run_until(head, Budget::COMMAND)));
        }
        None
    }

    /// Takes back what was done since the last of the lines, as if it had not been.
    fn put_back(&mut self, before: Moment) {
        self.live = before;
        self.trail.cut(self.lines.len(), self.live.world.now());
        self.checkpoints.cut(self.lines.len());
    }

    /// The world as it was at `at`; the present one if that lies ahead. Does not move the head.
    pub fn seek(&mut self, at: SimTime) -> &World {
        if at >= self.live.world.now() {
            return &self.live.world;
        }
        let near = self.trail.before(at);
        let world = match self.cursor.take() {
            // Playing forward goes on from where it was, unless a copy lies nearer.
            Some(cursor)
                if cursor.now() <= at && cursor.now() >= near.now() && !self.trail.between(&cursor, at) =>
            {
                cursor
            }
            _ => near.clone(),
        };
        let world = self.cursor.insert(world);
        world.run_until(at, Budget::COMMAND);
        world
    }

    /// The world at the head of time.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.live.world
    }

    /// The learner's machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.live.machine
    }

    /// The learner's machine, for what is not part of the script: completion, the editor's files.
    pub fn machine_mut(&mut self) -> &mut Machine {
        &mut self.live.machine
    }

    /// How far the learner is, in a lesson.
    #[must_use]
    pub fn progress(&self) -> Option<&Progress> {
        self.live.progress.as_ref()
    }

    /// What was typed, with its times.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The live branch's name, and those left behind.
    #[must_use]
    pub fn branches(&self) -> (&str, &[Branch]) {
        (&self.name, &self.branches)
    }

    /// Where it began.
    #[must_use]
    pub fn scenario(&self) -> &Rc<Scenario> {
        &self.scenario
    }

    /// What keyed draws start from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The head of time.
    #[must_use]
    pub fn head(&self) -> SimTime {
        self.live.world.now()
    }

    /// Everything that happened, oldest first.
    #[must_use]
    pub fn facts(&self) -> &imbl::GenericVector<Rc<cluster::Fact>, imbl::shared_ptr::RcK> {
        self.live.world.facts()
    }

    /// The decision that fact `seq` is, explained in full. In large clusters the fact says only what was decided; the rest
    /// is worked out again from the world as it was then.
    #[must_use]
    pub fn explained(&self, seq: u64) -> Option<Rc<Decision>> {
        let fact = self.facts().get(usize::try_from(seq).ok()?)?;
        let What::Decided(decision) = &fact.what else { return None };
        if !decision.nodes.is_empty() || decision.pre_filter_rejected.is_some() {
            return Some(Rc::clone(decision));
        }
        let explained = self.trail.before_fact(seq)?.explained(seq, fact.at, &decision.pod);
        Some(explained.unwrap_or_else(|| Rc::clone(decision)))
    }

    /// The world as it was when what is fact `seq` was about to happen.
    #[must_use]
    pub fn just_before(&self, seq: u64) -> Option<World> {
        let fact = self.facts().get(usize::try_from(seq).ok()?)?;
        self.trail.before_fact(seq)?.just_before(seq, fact.at)
    }

    /// One number for the world at the head of time. Reads every object: not for every frame.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.live.world.digest()
    }

    /// Who acted most in the last facts: when the world is too busy, the two that chase each other.
    #[must_use]
    pub fn busiest(&self) -> Vec<&'static str> {
        let facts = self.live.world.facts();
        let mut acted: BTreeMap<&'static str, usize> = BTreeMap::new();
        for fact in facts.iter().skip(facts.len().saturating_sub(RECENT)) {
            *acted.entry(fact.actor.0).or_default() += 1;
        }
        let mut actors: Vec<_> = acted.into_iter().collect();
        actors.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        actors.into_iter().take(2).map(|(actor, _)| actor).collect()
    }

    /// What has to travel for somebody else to see the same.
    #[must_use]
    pub fn shared(&self) -> Shared {
        Shared {
            fixture: self.scenario.name.clone(),
            lesson: self.scenario.lesson.clone(),
            seed: self.seed,
            lines: self.lines.clone(),
            head: self.live.world.now(),
        }
    }

    /// The link's payload.
    #[must_use]
    pub fn link(&self) -> String {
        self.shared().to_link()
    }
}

/// Why a session that travelled cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The link or file itself.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// There is no such lesson or fixture here.
    #[error("there is no {what} {name:?} here")]
    Unknown {
        /// `lesson` or `fixture`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The scenario's files.
    #[error("the scenario has {} errors", .0.len())]
    Scenario(Vec<Diagnostic>),
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
