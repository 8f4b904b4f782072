//! Running lines in a branch of their own: how a fix is applied.

use lab::words::fill;
use yew::Context;

use super::App;
use crate::clock;

impl App {
    /// Opens a branch, says so, and runs lines there.
    pub(super) fn run_in_branch(&mut self, context: &Context<Self>, lines: &str) {
        let paths = self.desk.paths;
        self.tried.clear();
        self.link = None;
        self.alarm.clear();
        let branch = self.desk.run_in_branch(lines, clock::now);
        self.say(context, fill(self.ui().branch_opened, branch));
        self.after(context, paths);
    }
}
