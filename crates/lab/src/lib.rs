//! What did we do, what do we see, is it solved?
//!
//! A lab is a scenario, a seed and a script; everything on screen is computed from those three. This crate does not
//! know about the DOM, a browser or the network.

pub mod lesson;
