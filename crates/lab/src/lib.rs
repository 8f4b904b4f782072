//! What did we do, what do we see, is it solved?
//!
//! A lab is a scenario, a seed and a script; everything on screen is computed from those three. This crate does not
//! know about the DOM, a browser or the network.

pub mod assets;
pub mod checkpoint;
pub mod lesson;
pub mod library;
pub mod link;
mod perform;
pub mod scenario;
pub mod script;
pub mod session;
pub mod view;
pub mod words;
pub mod workload;

pub use scenario::Scenario;
pub use session::{Branch, LineResult, Session};
