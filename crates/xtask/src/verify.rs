//! What must be true before a change lands?

use crate::{install, tool};
use anyhow::Result;

/// `cargo xtask check`: format, lints and native tests.
pub fn without_browser() -> Result<()> {
    install::rust_components()?;
    tool::run(&mut tool::cargo(&["fmt", "--all", "--check"]))?;
    tool::run(&mut tool::cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    tool::run(&mut tool::cargo(&["test", "--workspace"]))
}
