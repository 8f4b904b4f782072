//! Korean.

pub mod path;
pub mod sentences;
pub mod ui;
