//! When, on the wall?
//!
//! The only place that knows. It says "now" many times a second while something plays; what is shown then is decided
//! by the app, from facts. It can never change a result.

use gloo::render::{AnimationFrame, request_animation_frame};
use yew::Callback;

/// A clock that ticks with the screen until it is dropped.
#[must_use]
pub struct Tick(#[allow(dead_code, reason = "dropping it cancels the frame")] AnimationFrame);

/// One tick at the next frame, with the milliseconds since the page began.
pub fn tick(then: Callback<f64>) -> Tick {
    Tick(request_animation_frame(move |now| then.emit(now)))
}

/// Milliseconds since the page began.
#[must_use]
pub fn now() -> f64 {
    gloo::utils::window().performance().map_or(0.0, |performance| performance.now())
}
