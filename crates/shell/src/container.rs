//! What does the process of a container write, and when?
//!
//! The words of a shell and the tools for texts are known, so a script of those is run: in a world where nothing but time
//! passes, and as long as the container lives. MODEL: every other program says nothing here, and after 10,000 commands a
//! script says no more; its files are its own, without those of its image and its volumes.

use std::collections::BTreeMap;

use api::SimTime;
use cluster::World;
use jiff::Timestamp;

use crate::{
    eval::{Flow, Shell},
    files::Files,
    machine::Machine,
    output::{Output, Stdin},
    tool,
};

/// Tools of the learner's machine that a container has not, or whose answers depend on what lies in its image.
const NOT_INSIDE: &[&str] =
    &["aws", "eksctl", "find", "kind", "kubectl", "lab", "ls", "tree", "watch", "which", "type"];

/// Set around the moment that a sleep leaves in the output.
const MARK: char = '\u{0}';

/// Whether the lab knows what a program says.
pub(crate) fn knows(program: &str) -> bool {
    tool::find(program).is_some_and(|tool| !NOT_INSIDE.contains(&tool.name))
}

/// The lines with their moments; `None` if the command says nothing that the lab knows of.
pub(crate) fn lines(
    words: Vec<String>,
    environment: &BTreeMap<String, String>,
    (begun, until): (Timestamp, Timestamp),
) -> Option<Vec<(Timestamp, String)>> {
    if !words.first().is_some_and(|program| knows(program)) {
        return None;
    }
    let mut world = World::empty(0);
    let beginning = world.stamp(SimTime::ZERO).0;
    let millis = |at: Timestamp| u64::try_from(at.duration_since(beginning).as_millis()).unwrap_or(0);
    world.run_until(SimTime(millis(begun)), cluster::Budget::COMMAND);
    let mut machine = Machine { files: Files::with_home("/root"), cwd: "/".to_owned(), ..Machine::default() };
    machine.variables = imbl::OrdMap::new();
    machine.files.make_all("/etc");
    let name = environment.get("HOSTNAME").map(String::as_str).unwrap_or_default();
    if machine.files.write("/etc/hostname", &format!("{name}\n")).is_err() {
        return None;
    }
    for (name, value) in environment {
        machine.export(name, value);
    }
    let mut shell = Shell::inside(&mut machine, &mut world, SimTime(millis(until)));
    let mut out = Output::default();
    // However it ends, what it wrote stays.
    drop(shell.fields_run(words, &mut Stdin::of(""), &mut out));
    let text: String = out.chunks.iter().map(|(_, text)| text.as_str()).collect();
    let mut at = begun;
    let mut lines = Vec::new();
    for (i, part) in text.split(MARK).enumerate() {
        if i % 2 == 1 {
            let slept =
                part.parse().map_or(at, |millis| beginning + jiff::SignedDuration::from_millis(millis));
            at = slept;
            continue;
        }
        lines.extend(part.lines().map(|line| (at, line.to_owned())));
    }
    (!lines.is_empty()).then_some(lines)
}

impl Shell<'_> {
    /// What is different inside of a container; `None` where nothing is.
    pub(crate) fn run_inside(
        &mut self,
        name: &str,
        args: &[String],
        out: &mut Output,
    ) -> Option<Result<i32, Flow>> {
        let program = name.rsplit('/').next().unwrap_or_default();
        match program {
            "hostname" if args.is_empty() => {
                let own = self.machine.variable("HOSTNAME").unwrap_or_default().to_owned();
                out.line(&own);
                Some(Ok(0))
            }
            "whoami" => {
                out.line("root");
                Some(Ok(0))
            }
            // It waits for more for ever.
            "tail" if args.iter().any(|it| matches!(it.as_str(), "-f" | "-F")) => Some(Err(Flow::Exit(0))),
            _ if knows(name) => None,
            _ => Some(Ok(0)),
        }
    }

    /// Notes the moment after a sleep; ends a process that was ended while it slept.
    pub(crate) fn slept_inside(&mut self, out: &mut Output) -> Result<(), Flow> {
        if self.is_over() {
            return Err(Flow::Exit(0));
        }
        out.out(&format!("{MARK}{}{MARK}", self.world.now().0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str], seconds: i64) -> Option<Vec<(i64, String)>> {
        let begun: Timestamp = "2026-03-02T10:00:00Z".parse().expect("a moment");
        let environment = BTreeMap::from([("HOSTNAME".to_owned(), "web-0".to_owned())]);
        let words = words.iter().map(|it| (*it).to_owned()).collect();
        let lines = lines(words, &environment, (begun, begun + jiff::SignedDuration::from_secs(seconds)))?;
        Some(lines.into_iter().map(|(at, line)| (at.as_second() - begun.as_second(), line)).collect())
    }

    fn at(lines: &[(i64, &str)]) -> Option<Vec<(i64, String)>> {
        Some(lines.iter().map(|(at, line)| (*at, (*line).to_owned())).collect())
    }

    #[test]
    fn what_a_script_says_comes_in_its_time() {
        assert_eq!(said(&["echo", "hi  there"], 0), at(&[(0, "hi  there")]));
        let counter = "i=0; while true; do echo \"$i: $(date +%H:%M:%S)\"; i=$((i+1)); sleep 2; done";
        let lines = [(0, "0: 10:00:00"), (2, "1: 10:00:02"), (4, "2: 10:00:04")];
        assert_eq!(said(&["/bin/sh", "-c", counter], 5), at(&lines));
        assert_eq!(
            said(&["sh", "-c", "echo a >&2; sleep 3; hostname; exit 1; echo b"], 9),
            at(&[(0, "a"), (3, "web-0")])
        );
        assert_eq!(said(&["sh", "-c", "cat /etc/hostname; sleep 600; echo b"], 9), at(&[(0, "web-0")]));
    }

    #[test]
    fn programs_that_nobody_knows_say_nothing() {
        assert_eq!(said(&["nginx", "-g", "daemon off;"], 9), None);
        assert_eq!(said(&["sh", "-c", "exec nginx"], 9), None);
        assert_eq!(said(&["sh", "-c", "echo begin; nginx; kubectl get pods"], 9), at(&[(0, "begin")]));
    }
}
