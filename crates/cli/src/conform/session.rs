//! Suite `session`. Nothing of it can be answered yet, so every step disagrees.

use serde_json::Value;

use super::{Disagreement, Outcome};

/// Runs one session; a step is a case.
pub(super) fn run(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default();
    let steps = case["steps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let step = |(i, step): (usize, &Value)| {
        let wanted = step["stdout"].to_string();
        Err(Disagreement { id: id.to_owned(), at: format!("step {i}"), wanted, got: String::new() })
    };
    steps.iter().enumerate().map(step).collect()
}
