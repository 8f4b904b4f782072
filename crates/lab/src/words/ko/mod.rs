//! Korean.

pub mod path;
pub mod ui;
