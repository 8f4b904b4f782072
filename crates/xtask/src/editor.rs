//! How does CodeMirror become one file of the page?
//!
//! `web/editor` keeps the binding, package.json and its lock; npm fetches exactly those, esbuild bundles them. The bundle is made
//! at build time and never committed.

use crate::{assets, install, tool};
use anyhow::{Context as _, Result};
use std::path::PathBuf;

/// Makes `target/editor/editor.js` if an input is newer, and gives its path.
pub fn bundle() -> Result<PathBuf> {
    let folder = tool::root().join("web/editor");
    // The path does not follow CARGO_TARGET_DIR: index.html names it, for trunk.
    let bundle = tool::root().join("target/editor/editor.js");
    let inputs = assets::newest(&folder)?;
    if let Ok(made) = bundle.metadata().and_then(|metadata| metadata.modified())
        && inputs.is_some_and(|newest| newest <= made)
    {
        return Ok(bundle);
    }
    install::node()?;
    let lock = folder.join("package-lock.json");
    // npm writes this file last, so it tells of a complete install.
    let installed = folder.join("node_modules/.package-lock.json");
    let modified = |file: &PathBuf| file.metadata().and_then(|metadata| metadata.modified()).ok();
    if modified(&installed).is_none_or(|at| modified(&lock).is_some_and(|lock| lock > at)) {
        tool::say("installing CodeMirror and esbuild (npm, as web/editor/package-lock.json says)");
        let mut npm =
            tool::program("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
        tool::run(npm.current_dir(&folder))?;
    }
    tool::say("bundling the editor (esbuild)");
    let out = format!("--outfile={}", bundle.display());
    let options =
        ["editor.js", "--bundle", "--format=esm", "--minify", "--target=es2022", "--log-level=warning", &out];
    let esbuild = folder.join("node_modules/.bin/esbuild");
    let mut esbuild = tool::program(&esbuild.to_string_lossy(), &options);
    tool::run(esbuild.current_dir(&folder)).context("the editor could not be bundled")?;
    Ok(bundle)
}
