//! What was typed, and when?
//!
//! A session is a list of lines, each with the simulated time at which it was entered. A line is what bash would read
//! at one go: here-documents and continued lines belong to it. Commands happen at the head of time; what lets time
//! pass is the page's clock between two lines, and within a line `sleep`, `lab wait` and tools that wait themselves.

use api::{SimDuration, SimTime};
use serde::{Deserialize, Serialize};

/// How long the world plays on, at most, before the next line of a script that gives no times: what reading an answer
/// and typing the next command take. It ends sooner when nothing is left to do.
pub const PACE: SimDuration = SimDuration::secs(10);

/// How long it plays on at least: nobody types faster.
pub const TYPING: SimDuration = SimDuration::secs(1);

/// One line and its moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When it was entered.
    pub at: SimTime,
    /// What was entered, without the last newline.
    pub text: String,
}

/// The lines of a script, comments and blank lines left out.
///
/// ```
/// let lines = lab::script::lines("# two lines\ncat <<EOF\na\nEOF\necho b\n");
/// assert_eq!(lines, ["cat <<EOF\na\nEOF", "echo b"]);
/// ```
#[must_use]
pub fn lines(script: &str) -> Vec<String> {
    shell::split(script)
}

/// Whether a line is one of the lab's own verbs: no command of the real world.
#[must_use]
pub fn is_lab(line: &str) -> bool {
    line.split_whitespace().next() == Some("lab")
}

/// Whether a line only lets time pass.
#[must_use]
pub fn is_wait(line: &str) -> bool {
    let mut words = line.split_whitespace();
    matches!((words.next(), words.next()), (Some("lab"), Some("wait")) | (Some("sleep"), _))
}

/// Longest text that is taken at once, in bytes.
pub const LONGEST_PASTE: usize = 1 << 20;

/// Whether a shell would ask for more: an open quote, here-document or compound command.
#[must_use]
pub fn is_open(text: &str) -> bool {
    const PROBE: &str = ": podpath-probe";
    lines(&format!("{}\n{PROBE}\n", text.trim_end_matches('\n'))).last().is_none_or(|last| last != PROBE)
}
