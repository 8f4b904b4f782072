//! What must be on the machine, and how does it get there?
//!
//! Everything is asked for only when a command needs it, named before it is installed, and taken from the ordinary registries:
//! the target from rustup, Chromium, its driver and Node from Debian's packages, CodeMirror and esbuild from npm.

use crate::tool;
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// The compiler's WASM target.
pub fn wasm_target() -> Result<()> {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(tool::root()).output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib").join(TARGET).exists() {
        return Ok(());
    }
    tool::say(&format!("installing the Rust target {TARGET} (rustup, about 20 MB)"));
    tool::run(&mut tool::program("rustup", &["target", "add", TARGET])).with_context(|| {
        format!("the page needs the target {TARGET}: install it by hand if Rust did not come by rustup")
    })
}

/// Formatter and lints.
pub fn rust_components() -> Result<()> {
    if tool::answers("cargo-fmt", "--version") && tool::answers("cargo-clippy", "--version") {
        return Ok(());
    }
    tool::say("installing rustfmt and clippy (rustup)");
    tool::run(&mut tool::program("rustup", &["component", "add", "rustfmt", "clippy"]))
}

/// Node and npm, which bundle the editor.
pub fn node() -> Result<()> {
    if tool::answers("node", "--version") && tool::answers("npm", "--version") {
        return Ok(());
    }
    apt(&["nodejs", "npm"], "Node bundles the editor (CodeMirror)")
}

/// Chromium and its driver, which run the tests in a browser.
pub fn chromium() -> Result<()> {
    if tool::answers("chromium", "--version") && tool::answers("chromedriver", "--version") {
        return Ok(());
    }
    apt(
        &["chromium", "chromium-driver", "fonts-noto-cjk"],
        "the browser tests run in Chromium; the font shows Korean",
    )
}

fn apt(packages: &[&str], why: &str) -> Result<()> {
    let names = packages.join(" ");
    if !tool::answers("apt-get", "--version") {
        bail!("{why}: please install {names} (this machine has no apt-get)");
    }
    tool::say(&format!("installing {names} (apt): {why}"));
    let as_root = |arguments: &[&str]| {
        let mut command = if tool::answers("sudo", "--version") && !is_root() {
            let mut command = tool::program("sudo", &["apt-get"]);
            command.args(arguments);
            command
        } else {
            tool::program("apt-get", arguments)
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    tool::run(&mut as_root(&["update", "-qq"]))?;
    let mut install = as_root(&["install", "-y", "-qq", "--no-install-recommends"]);
    tool::run(install.args(packages)).with_context(|| format!("{why}: please install {names} by hand"))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
