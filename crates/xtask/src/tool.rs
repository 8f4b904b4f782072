//! How is another program run, and where are our folders?

use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The top of the repository.
pub fn root() -> PathBuf {
    // Cargo sets it for `cargo run`; the compiled-in value serves a test runner that Cargo starts elsewhere.
    let manifest = std::env::var("CARGO_MANIFEST_DIR").ok().filter(|folder| folder.ends_with("xtask"));
    let manifest = PathBuf::from(manifest.as_deref().unwrap_or(env!("CARGO_MANIFEST_DIR")));
    manifest.ancestors().nth(2).map_or(manifest.clone(), Path::to_owned)
}

/// Where Cargo builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo, to be run at the top of the repository.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// A program, to be run at the top of the repository.
pub fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(root());
    command
}

/// Says what is being done; on the error stream, so that it stays in order with what the tools say.
pub fn say(text: &str) {
    eprintln!("\x1b[1m==>\x1b[0m {text}");
}

/// Runs it to the end and shows what it prints.
///
/// # Errors
/// It could not be started, or it failed; its own message has been shown then.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// What a program did: the lines of its standard output, which were also shown, and whether it succeeded.
pub struct Ran {
    pub lines: Vec<String>,
    pub succeeded: bool,
}

/// Runs it to the end, shows its output and keeps the lines.
///
/// # Errors
/// It could not be started. That it failed is told in the result.
pub fn run_and_keep(command: &mut Command) -> Result<Ran> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let mut lines = Vec::new();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            writeln!(std::io::stdout(), "{line}")?;
            lines.push(line);
        }
    }
    Ok(Ran { lines, succeeded: child.wait()?.success() })
}

/// True if the program is there and answers.
pub fn answers(name: &str, argument: &str) -> bool {
    Command::new(name)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
