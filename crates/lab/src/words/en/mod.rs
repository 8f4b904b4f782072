//! English.

pub mod path;
pub mod ui;
