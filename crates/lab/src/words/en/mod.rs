//! English.

pub mod path;
pub mod reason;
pub mod sentences;
pub mod ui;
