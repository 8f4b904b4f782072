//! How fast is the lab?
//!
//! `podpath bench SUITE` prints one line for each figure: name, value, unit. THE REGISTRY of suites: a new one is a
//! file and a line here.

mod api;
mod replay;
mod scheduler;
mod settle;
mod trace;

/// Prints the figures of a suite.
type Run = fn();

const SUITES: &[(&str, Run)] = &[
    ("api", api::run),
    ("replay", replay::run),
    ("scheduler", scheduler::run),
    ("settle", settle::run),
    ("trace", trace::run),
];

/// The command itself; gives the exit status.
pub(crate) fn command(args: &[String]) -> i32 {
    let suite = args.first().map(String::as_str).unwrap_or_default();
    match SUITES.iter().find(|(name, _)| *name == suite) {
        Some((_, run)) => {
            run();
            0
        }
        None => {
            let names: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
            crate::say::complain(format_args!("podpath: no suite {suite:?}; there are {}", names.join(", ")));
            2
        }
    }
}
