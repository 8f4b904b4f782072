//! How true is the lab?
//!
//! `podpath conform SUITE FILE…` runs recorded cases of the real systems and prints `SUITE: N of M agree (P %)`, then up
//! to `--show K` disagreements. A file is `.jsonl` or `.yaml`, plain or `.gz`; a folder means the case files directly in
//! it; other files are named and skipped. What differs on purpose ([`differs`]) is named apart: only what is not on that list, or is on it and
//! agrees, makes the run fail. THE REGISTRY of suites: a new one is a file and a line here.

use std::{
    collections::BTreeSet,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

mod cni;
mod differs;
mod kubectl;
mod paths;
mod renamed;
mod scheduler;
mod session;
mod validate;

use differs::Listed;

use crate::say;

/// What became of one case.
pub(crate) type Outcome = Result<(), Disagreement>;

/// Where the lab and the real system differ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Disagreement {
    /// The case's id.
    pub id: String,
    /// The field or step.
    pub at: String,
    /// What the real system gave.
    pub wanted: String,
    /// What the lab gives.
    pub got: String,
}

/// Runs one document of a case file: a line of a `.jsonl`, or a whole `.yaml` with its steps.
type Run = fn(&Value) -> Vec<Outcome>;

/// Each suite, and a field that every case of it has: three of them lie in one folder.
const SUITES: &[(&str, &str, Run)] = &[
    ("cni", "id", cni::run),
    ("dns", "resolv", paths::run_dns),
    ("iptables", "rules", paths::run_iptables),
    ("kubectl", "id", kubectl::run),
    ("paths", "query", paths::run),
    ("scheduler", "id", scheduler::run),
    ("session", "id", session::run),
    ("validate", "id", validate::run),
];

/// The command itself; gives the exit status.
pub(crate) fn command(args: &[String]) -> i32 {
    let (mut show, mut words) = (0, Vec::new());
    let mut rest = args.iter();
    while let Some(word) = rest.next() {
        if word == "--show" {
            show = rest.next().and_then(|k| k.parse().ok()).unwrap_or(10);
        } else {
            words.push(word.as_str());
        }
    }
    let Some((suite, files)) = words.split_first().filter(|(_, files)| !files.is_empty()) else {
        say::complain("usage: podpath conform SUITE FILE… [--show K]");
        return 2;
    };
    let Some((_, field, run)) = SUITES.iter().find(|(name, ..)| name == suite) else {
        let names: Vec<&str> = SUITES.iter().map(|(name, ..)| *name).collect();
        say::complain(format_args!("podpath: no suite {suite:?}; there are {}", names.join(", ")));
        return 2;
    };
    let (mut outcomes, mut ran) = (Vec::new(), BTreeSet::new());
    for path in files.iter().flat_map(|file| case_files(Path::new(file))) {
        match documents(&path) {
            Ok(documents) if documents.first().is_some_and(|case| case.get(*field).is_none()) => {
                say::complain(format_args!("{}: not cases of {suite}; skipped", path.display()));
            }
            Ok(documents) => {
                ran.extend(documents.iter().filter_map(|case| case["id"].as_str().map(str::to_owned)));
                outcomes.extend(documents.iter().flat_map(run));
            }
            Err(why) => say::complain(format_args!("{}: {why}; skipped", path.display())),
        }
    }
    let listed: Vec<Listed> = differs::of(suite).into_iter().filter(|it| ran.contains(it.case)).collect();
    report(suite, &outcomes, &listed, show)
}

fn report(suite: &str, outcomes: &[Outcome], listed: &[Listed], show: usize) -> i32 {
    let agree = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let all = outcomes.len();
    let percent = if all == 0 { 0.0 } else { agree as f64 * 100.0 / all as f64 };
    say::line(format_args!("{suite}: {agree} of {all} agree ({percent:.1} %)"));
    let wrong: Vec<&Disagreement> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let is_listed = |it: &Disagreement| listed.iter().any(|on| on.explains(suite, it));
    let (on_purpose, unknown): (Vec<&Disagreement>, Vec<&Disagreement>) =
        wrong.iter().copied().partition(|it| is_listed(it));
    // A sequence tells only the first step that is not on the list: of those that are, it then says nothing.
    let is_open = |on: &Listed| unknown.iter().any(|it| it.id == on.case && suite == "kubectl");
    let untrue: Vec<&Listed> =
        listed.iter().filter(|on| !is_open(on) && !wrong.iter().any(|it| on.explains(suite, it))).collect();
    if !listed.is_empty() {
        say::line(format_args!("{suite}: {} differ on purpose, {} differ", on_purpose.len(), unknown.len()));
    }
    for on in listed.iter().filter(|on| !untrue.contains(on)) {
        say::line(format_args!("{}: on purpose: {}", on.shown(), on.why));
    }
    for on in &untrue {
        say::line(format_args!("{}: agrees, and is listed as different", on.shown()));
    }
    for it in unknown.iter().take(show) {
        say::line(format_args!("{} at {}\n  wanted {}\n  got    {}", it.id, it.at, it.wanted, it.got));
    }
    i32::from(!unknown.is_empty() || !untrue.is_empty() || all == 0)
}

/// The file itself, or the files directly in a folder, by name.
fn case_files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut files: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

/// The documents of a case file.
pub(crate) fn documents(path: &Path) -> Result<Vec<Value>, String> {
    let name = path.to_string_lossy();
    let (name, zipped) = name.strip_suffix(".gz").map_or((&*name, false), |name| (name, true));
    if !name.ends_with(".jsonl") && !name.ends_with(".yaml") {
        return Err("not a case file".to_owned());
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = if zipped {
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text)
    } else {
        (&bytes[..]).read_to_string(&mut text)
    };
    read.map_err(|error| error.to_string())?;
    if name.ends_with(".yaml") {
        return serde_yaml::from_str(&text).map(|it| vec![it]).map_err(|error| error.to_string());
    }
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::command;

    /// The exit status of a run over every open case of a suite.
    fn run(suite: &str, folder: &str) -> i32 {
        let folder = format!("{}/../../tests/vectors/{folder}", env!("CARGO_MANIFEST_DIR"));
        command(&[suite.to_owned(), folder, "--show".to_owned(), "5".to_owned()])
    }

    #[test]
    fn recorded_sessions_agree_but_for_those_that_differ_on_purpose() {
        assert_eq!(run("session", "session/open"), 0);
    }

    #[test]
    fn recorded_lines_of_kubectl_agree_but_for_those_that_differ_on_purpose() {
        assert_eq!(run("kubectl", "kubectl"), 0);
    }
}
