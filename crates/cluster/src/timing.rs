//! How long does it take?
//!
//! Every duration of the simulation with its source. Nothing here is measured by a clock.

use api::SimDuration;

/// From a write to the moment a watching controller looks. MODEL: real watches take 1 to 10 ms; one figure here.
pub const WATCH: SimDuration = SimDuration::millis(2);

/// Wait of a controller after a refusal. MODEL: client-go starts at 5 ms and doubles; one figure here.
pub const RETRY: SimDuration = SimDuration::secs(1);
