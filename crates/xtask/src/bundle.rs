//! How does the crate `web` become a folder that a browser can open?
//!
//! Cargo compiles it, wasm-bindgen (as a library, so `Cargo.lock` pins it) makes JavaScript and WASM, and the files that
//! `index.html` names are put beside them with plain names. [`dist`](crate::dist) gives them their final names.

use crate::{assets, editor, install, texts, tool};
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// What the page is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To be looked at while working: builds fast.
    Loop,
    /// To be shipped: the profile `web`.
    Ship,
}

impl Purpose {
    /// `--release` among the arguments asks for what is shipped.
    pub fn of(arguments: &[String]) -> Purpose {
        if arguments.iter().any(|argument| argument == "--release") { Purpose::Ship } else { Purpose::Loop }
    }

    /// The folder it is built into.
    pub fn folder(self) -> PathBuf {
        tool::target().join(match self {
            Purpose::Loop => "page/loop",
            Purpose::Ship => "page/ship",
        })
    }
}

/// `cargo xtask build-web [--release]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let folder = build(Purpose::of(arguments))?;
    println!("{}", folder.display());
    Ok(())
}

/// Builds the page, and gives the folder.
pub fn build(purpose: Purpose) -> Result<PathBuf> {
    install::wasm_target()?;
    let editor = editor::bundle()?;
    compile(purpose)?;
    let folder = purpose.folder();
    std::fs::create_dir_all(&folder)?;
    bind(purpose, &folder)?;
    let root = tool::root();
    let page = assets::Page::read(&root)?;
    for file in &page.files {
        let source = if file.ends_with("editor.js") { editor.clone() } else { root.join(file) };
        assets::copy_into(&source, &folder).context("index.html names a file that cannot be copied")?;
    }
    // Last, so that a page that is loaded has all its files.
    std::fs::write(folder.join("index.html"), page.html)?;
    Ok(folder)
}

fn compile(purpose: Purpose) -> Result<()> {
    let mut cargo = tool::cargo(&["build", "--package", "web", "--bin", "web", "--target", TARGET]);
    match purpose {
        Purpose::Loop => quick(&mut cargo),
        Purpose::Ship => cargo.args(["--profile", "web"]),
    };
    tool::say("compiling the page to WASM");
    texts::build_and_pack(&mut cargo)
}

/// The dev profile shares its procedural macros and build scripts with the native build, a little optimisation makes the page
/// usable, and unread debug information would only be linked and thrown away.
fn quick(cargo: &mut Command) -> &mut Command {
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-Copt-level=1 -Cstrip=debuginfo")
}

fn bind(purpose: Purpose, folder: &Path) -> Result<()> {
    let built = match purpose {
        Purpose::Loop => "debug",
        Purpose::Ship => "web",
    };
    let wasm = tool::target().join(TARGET).join(built).join("web.wasm");
    let (wasm, folder) = (wasm.display().to_string(), folder.display().to_string());
    let mut arguments =
        vec!["wasm-bindgen", "--target", "web", "--no-typescript", "--out-name", "web", "--out-dir", &folder];
    if purpose == Purpose::Ship {
        // Names are only read in stack traces of a panic; the message and its place are kept.
        arguments.extend(["--remove-name-section", "--remove-producers-section"]);
    }
    arguments.push(&wasm);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments).context("wasm-bindgen")
}

/// `cargo xtask wasm-test-runner TEST.wasm …`: what Cargo runs instead of a test binary that it cannot execute itself.
pub fn run_wasm_tests(arguments: &[String]) -> Result<()> {
    if arguments.is_empty() {
        bail!("this is called by Cargo, with a test binary");
    }
    let arguments = std::iter::once("wasm-bindgen-test-runner").chain(arguments.iter().map(String::as_str));
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}
