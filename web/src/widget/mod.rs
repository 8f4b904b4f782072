//! Which small things do all panes use?

mod icon;

pub use icon::{Icon, icon, mark, sprite};
