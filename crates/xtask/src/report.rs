//! What came of it all?
//!
//! [`Report`] runs the steps, keeps the summary lines of test runners, and repeats them at the end, where people and CI look.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it tells how long a step took on this machine"
)]

use crate::tool;
use anyhow::{Result, bail};
use std::process::Command;
use std::time::Instant;

/// The steps so far.
#[derive(Default)]
pub struct Report {
    steps: Vec<Step>,
}

struct Step {
    name: String,
    seconds: u64,
    succeeded: bool,
    /// What the runners said at their end.
    summaries: Vec<String>,
}

impl Report {
    /// Runs one step and shows what it prints. That it failed is kept for the end.
    ///
    /// # Errors
    /// It could not be started.
    pub fn step(&mut self, name: &str, command: &mut Command) -> Result<()> {
        tool::say(name);
        let start = Instant::now();
        let ran = tool::run_and_keep(command)?;
        let summaries = ran.lines.into_iter().filter(|line| counts(line).is_some()).collect();
        let seconds = start.elapsed().as_secs();
        self.steps.push(Step { name: name.to_owned(), seconds, succeeded: ran.succeeded, summaries });
        Ok(())
    }

    /// A step that could not even begin.
    pub fn failed(&mut self, name: &str, failure: &anyhow::Error) {
        eprintln!("error: {name}: {failure:#}");
        self.steps.push(Step { name: name.to_owned(), seconds: 0, succeeded: false, summaries: Vec::new() });
    }

    /// Prints the steps, their runners' summary lines, and the sum as the last line.
    ///
    /// # Errors
    /// A step failed.
    pub fn close(self) -> Result<()> {
        tool::say("summary");
        for step in &self.steps {
            let outcome = if step.succeeded { "ok" } else { "FAILED" };
            println!("{:<22} {outcome:<7} {:>4} s", step.name, step.seconds);
            step.summaries.iter().for_each(|line| println!("  {line}"));
        }
        let (passed, failed) = sum(&self.steps);
        println!("{passed} passed, {failed} failed");
        let names: Vec<&str> =
            self.steps.iter().filter(|step| !step.succeeded).map(|step| step.name.as_str()).collect();
        if !names.is_empty() {
            bail!("failed: {}", names.join(", "));
        }
        Ok(())
    }
}

/// Tests in all; a step without tests counts as one.
fn sum(steps: &[Step]) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for step in steps {
        let counted = step.summaries.iter().filter_map(|line| counts(line));
        let (yes, no) = counted.fold((0, 0), |(yes, no), (more_yes, more_no)| (yes + more_yes, no + more_no));
        let says_enough = if step.succeeded { yes > 0 } else { no > 0 };
        passed += yes + u64::from(!says_enough && step.succeeded);
        failed += no + u64::from(!says_enough && !step.succeeded);
    }
    (passed, failed)
}

/// Passed and failed, from `test result: ok. 5 passed; 0 failed; …` or `5 passed, 0 failed`; nothing for any other line.
fn counts(line: &str) -> Option<(u64, u64)> {
    let line = line.trim();
    let summary = line
        .strip_prefix("test result: ")
        .map_or(line, |rest| rest.split_once(". ").map_or(rest, |(_, counts)| counts));
    let mut parts = summary.split([';', ',']).map(str::trim);
    let passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(succeeded: bool, summaries: &[&str]) -> Step {
        let summaries = summaries.iter().map(|line| (*line).to_owned()).collect();
        Step { name: String::new(), seconds: 0, succeeded, summaries }
    }

    #[test]
    fn summary_lines_of_runners_are_counted() {
        let cargo = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(counts(cargo), Some((12, 3)));
        assert_eq!(counts("28 passed, 0 failed"), Some((28, 0)));
        assert_eq!((counts("test a::b ... ok"), counts("5 passed")), (None, None));
    }

    #[test]
    fn step_without_tests_counts_as_one_and_a_broken_build_as_a_failure() {
        assert_eq!(sum(&[step(true, &[]), step(false, &[])]), (1, 1));
        assert_eq!(sum(&[step(false, &["test result: ok. 5 passed; 0 failed"])]), (5, 1));
        assert_eq!(sum(&[step(false, &["4 passed, 2 failed"])]), (4, 2));
    }
}
