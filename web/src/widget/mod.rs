//! Which small things do all panes use?

mod icon;
pub mod rich;

pub use icon::{Icon, icon, mark, sprite};
