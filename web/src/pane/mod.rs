//! Which panes are there? Each is a function of the app's state to what is drawn.

pub mod decision;
pub mod diagnosis;
pub mod editor;
pub mod feed;
mod imagine;
pub mod inspector;
pub mod lesson;
pub mod matrix;
pub mod notices;
pub mod order;
pub mod outline;
pub mod path;
mod pool;
pub mod request;
pub mod terminal;
pub mod timeline;
pub mod top;
pub mod what_if;
