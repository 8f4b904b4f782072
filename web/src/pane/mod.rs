//! Which panes are there? Each is a function of the app's state to what is drawn.

pub mod path;
pub mod top;
