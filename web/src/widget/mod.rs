//! Which small things do all panes use?

pub mod choices;
mod divider;
mod icon;
pub mod rich;

pub use divider::Divider;
pub use icon::{Icon, icon, mark, sprite};
