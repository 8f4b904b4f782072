//! Which whole pages are there?

pub mod coverage;
pub mod first;
pub mod lab;
pub mod lessons;
mod phone;
pub mod story;
