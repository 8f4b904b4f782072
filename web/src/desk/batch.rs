//! Running what was typed or pasted: one line at once, many in slices of a frame, so that the page stays alive between them.

use std::collections::VecDeque;

use api::asset::Asset;
use cluster::World;
use lab::{lesson::progress::Progress, script};

use super::{Desk, Entry, REST, Remark, Trouble};
use crate::settings;

/// Milliseconds that one slice may take before the browser gets its turn.
const SLICE: f64 = 12.0;
/// Milliseconds after which what was done so far is kept.
const KEEP: f64 = 1000.0;

/// Lines that wait to be run.
pub(super) struct Batch {
    lines: VecDeque<String>,
    of: usize,
    before: World,
    first: usize,
    kept: f64,
}

impl Desk {
    /// Runs what was typed or pasted: one line, or many, line by line. The name of the branch if that opened one.
    pub fn run(&mut self, text: &str, clock: fn() -> f64) -> Option<String> {
        if text.len() + self.open.len() > script::LONGEST_PASTE {
            self.refuse();
            return None;
        }
        let whole = if self.open.is_empty() { text.to_owned() } else { format!("{}\n{text}", self.open) };
        if script::is_open(&whole) {
            self.open = whole;
            return None;
        }
        self.open.clear();
        let lines = script::lines(&whole);
        if let Some(batch) = &mut self.batch {
            batch.of += lines.len();
            batch.lines.extend(lines);
            return None;
        }
        self.begin_output();
        let branch = self.leave_the_past();
        if lines.is_empty() {
            self.entries.push(Entry::Typed(String::new(), None));
        }
        self.batch = Some(Batch {
            of: lines.len(),
            lines: lines.into(),
            before: self.session.world().clone(),
            first: self.session.facts().len(),
            kept: clock(),
        });
        self.go_on(clock);
        branch
    }

    /// Runs lines in a branch of their own: what there is stays behind as it is. The name of the branch.
    pub fn run_in_branch(&mut self, text: &str, clock: fn() -> f64) -> String {
        self.stop();
        let back = !self.telling() && self.at < self.session.head();
        if !back {
            self.session.fork();
            self.entries.push(Entry::Remark(Remark::Branch(self.session.branches().0.to_owned())));
        }
        self.open.clear();
        self.run(text, clock);
        self.session.branches().0.to_owned()
    }

    /// Whether lines wait to be run.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.batch.is_some()
    }

    /// How many lines of a long paste are done, and of how many.
    #[must_use]
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.batch.as_ref().map(|batch| (batch.of - batch.lines.len(), batch.of))
    }

    /// The text without which it cannot go on, if one is missing.
    #[must_use]
    pub fn misses(&self) -> Option<&'static Asset> {
        self.misses
    }

    /// Goes on after a text was brought; if it could not be, says so and leaves undone what waits.
    pub fn brought(&mut self, there: bool, clock: fn() -> f64) {
        if self.misses.take().is_none() {
            return;
        }
        if there {
            if let Some(shared) = self.late.take() {
                self.bring_back(shared);
                self.look_at_head();
            }
            return self.go_on(clock);
        }
        let line = self.batch.as_mut().and_then(|batch| batch.lines.pop_front());
        if let Some(line) = line {
            self.entries.extend([Entry::Typed(line, None), Entry::Remark(Remark::NotBrought)]);
        }
        if self.late.is_some() {
            self.trouble = Some(Trouble::NotBrought);
            self.session.settle(REST);
        }
        self.stop();
    }

    /// Runs the lines that wait, for as long as a frame allows.
    pub fn go_on(&mut self, clock: fn() -> f64) {
        if self.misses.is_some() {
            return;
        }
        let Some(mut batch) = self.batch.take() else { return };
        let begun = clock();
        while let Some(line) = batch.lines.pop_front() {
            self.mark_running(&line);
            if batch.of > batch.lines.len() + 1 {
                self.session.settle(script::PACE);
            }
            let facts = self.session.facts().len();
            let result = self.session.run_line(&line);
            if result.misses.is_some() {
                self.misses = result.misses;
                batch.lines.push_front(line);
                self.batch = Some(batch);
                return;
            }
            self.print(&line, facts, result);
            self.follow_paths(facts);
            if clock() - begun > SLICE && !batch.lines.is_empty() {
                if clock() - batch.kept > KEEP {
                    self.keep();
                    batch.kept = clock();
                }
                self.batch = Some(batch);
                self.look_at_head();
                return;
            }
        }
        self.come_to_rest();
        self.tell(batch.before, batch.first, clock());
        self.keep();
        self.unmark_running();
    }

    /// Leaves the lines that wait undone.
    pub fn stop(&mut self) {
        if self.batch.take().is_some() && self.late.is_none() {
            self.misses = None;
            self.come_to_rest();
            self.look_at_head();
            self.keep();
            self.unmark_running();
        }
    }

    /// Plays on until nothing is left to do, and until goals that must hold for a while have held: nobody should have to ask for
    /// time to pass.
    pub(super) fn come_to_rest(&mut self) {
        self.session.settle(REST);
        let last = self.session.head() + REST;
        let due = |desk: &Self| desk.session.progress().and_then(Progress::next_due);
        while let Some(due) = due(self).filter(|due| *due > self.session.head() && *due <= last) {
            self.session.advance(due.since(self.session.head()));
            if self.session.head() < due {
                return;
            }
        }
    }

    /// Somebody who looks back and acts leaves the future that was there: it becomes a branch. While a story is told one looks at
    /// its moments too, but acts at the head.
    fn leave_the_past(&mut self) -> Option<String> {
        let back = !self.telling() && self.at < self.session.head();
        if back {
            self.session.branch_at(self.at);
        }
        self.look_at_head();
        let name = back.then(|| self.session.branches().0.to_owned());
        self.entries.extend(name.clone().map(|name| Entry::Remark(Remark::Branch(name))));
        name
    }

    /// Notes which line is running: if the page does not come back from it, the next visit can say so.
    fn mark_running(&self, line: &str) {
        if let Some(name) = &self.name {
            settings::keep(&format!("running.{name}"), line);
        }
    }

    fn unmark_running(&self) {
        if let Some(name) = &self.name {
            settings::forget(&format!("running.{name}"));
        }
    }
}
