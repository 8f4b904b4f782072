//! Suite `kubectl`. Nothing of it can be answered yet, so every case disagrees.

use serde_json::Value;

use super::{Disagreement, Outcome};

/// Runs one case.
pub(super) fn run(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default().to_owned();
    vec![Err(Disagreement {
        id,
        at: "stdout".to_owned(),
        wanted: case["stdout"].to_string(),
        got: String::new(),
    })]
}
