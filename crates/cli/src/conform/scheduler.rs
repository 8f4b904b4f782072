//! Suite `scheduler`: decisions of kube-scheduler 1.34.1.

use scheduler::replay;
use serde_json::Value;

use super::{Disagreement, Outcome};

/// Runs one scenario.
pub(super) fn run(case: &Value) -> Vec<Outcome> {
    let id = case["id"].as_str().unwrap_or_default().to_owned();
    vec![match replay::disagreement(case) {
        None => Ok(()),
        Some(replay::Disagreement { at, wanted, got }) => Err(Disagreement { id, at, wanted, got }),
    }]
}
