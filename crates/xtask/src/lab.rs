//! What does `cargo lab` do?
//!
//! It builds the page, serves it below a sub-path as GitHub Pages would, and looks twice a second whether a source changed: a
//! build that fails leaves the last good page in place. The browser is reloaded by hand, for the page's policy allows no injected script.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it watches files on a real machine"
)]

use crate::bundle::{self, Purpose};
use crate::{assets, tool};
use anyhow::{Context as _, Result};
use std::time::{Duration, SystemTime};
use xtask::serve::Server;

/// The sub-path that the page is served below, here and in the journeys.
pub const SUB_PATH: &str = "/podpath/";
const SOURCES: [&str; 6] = ["crates", "web", "lessons", "index.html", "Cargo.toml", "Cargo.lock"];

/// `cargo lab [--port N] [--release]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let purpose = Purpose::of(arguments);
    let mut seen = changed()?;
    let folder = bundle::build(purpose)?;
    let server = match port(arguments)? {
        Some(port) => Server::start(&folder, SUB_PATH, port).with_context(|| format!("port {port}"))?,
        None => Server::start(&folder, SUB_PATH, 8080).or_else(|_| Server::start(&folder, SUB_PATH, 0))?,
    };
    let ready = || println!("\nPodpath is at {}   (Ctrl+C ends it)\n", server.url());
    ready();
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = changed()?;
        if now == seen {
            continue;
        }
        seen = now;
        match bundle::build(purpose) {
            Ok(_) => ready(),
            Err(failure) => eprintln!("error: {failure:#}\nthe last good page is still served"),
        }
    }
}

fn port(arguments: &[String]) -> Result<Option<u16>> {
    let Some(at) = arguments.iter().position(|argument| argument == "--port") else { return Ok(None) };
    let port = arguments.get(at + 1).context("--port needs a number")?;
    Ok(Some(port.parse().with_context(|| format!("--port {port}"))?))
}

/// How many sources there are, and when the newest was changed: either differs after any edit, new file or deletion.
fn changed() -> Result<(usize, Option<SystemTime>)> {
    let (mut count, mut newest) = (0, None);
    for source in SOURCES {
        let source = tool::root().join(source);
        if source.exists() {
            count += assets::files_below(&source)?.len();
            newest = newest.max(assets::newest(&source)?);
        }
    }
    Ok((count, newest))
}
