//! Korean.

pub mod ui;
