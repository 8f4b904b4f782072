//! How many pods a second find their node?
//!
//! The workload and what is timed are [`scheduler::workload`]'s; here are the clock and the memory of the process.

#[allow(clippy::disallowed_types, reason = "a benchmark reads the clock")]
use std::time::Instant;

use scheduler::workload;

use crate::say;

#[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a benchmark reads the clock")]
pub(super) fn run() {
    let start = Instant::now();
    workload::figures(|| start.elapsed().as_secs_f64(), held, say::line);
}

/// Bytes of memory that the process holds, where the system tells.
fn held() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
