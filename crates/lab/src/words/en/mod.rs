//! English.

pub mod ui;
