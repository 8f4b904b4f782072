//! How long does a learner wait for an answer?
//!
//! What is asked is [`lab::workload`]'s; here is the clock.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use crate::say;

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run() {
    let start = Instant::now();
    lab::workload::figures(move || start.elapsed().as_secs_f64()).for_each(say::line);
}
