//! What must be true before a change lands?
//!
//! [`everything`] is `cargo verify`: each step is the real tool, run to its end, and a failed step does not hide the later ones.
//! It ends with the test runners' own summary lines, repeated, and one plain line of all of them. The page that is shipped
//! takes minutes of one core, and packages minutes of the network: both are made ready beside the native tests.
#![expect(clippy::disallowed_methods, reason = "a tool may do two things at a time")]

use crate::bundle::{self, Purpose};
use crate::report::Report;
use crate::{dist, install, tool};
use anyhow::{Context as _, Result, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `cargo verify`.
pub fn everything() -> Result<()> {
    let mut report = Report::default();
    install::rust_components()?;
    install::wasm_target()?;
    let page = std::thread::spawn(|| {
        install::node()?;
        install::chromium()?;
        built_for_journeys()
    });
    natively(&mut report)?;
    let page = page.join().unwrap_or_else(|_| Err(anyhow!("building the page panicked")));
    match page {
        Ok(folder) => {
            report.step("browser journeys", &mut journey_tests(&folder, &UNMEASURED))?;
            report.step("measured journeys", &mut journey_tests(&folder, &MEASURED))?;
        }
        Err(failure) => report.failed("browser journeys", &failure),
    }
    report.close()
}

/// `cargo xtask check`: `cargo verify` without the browser.
pub fn without_browser() -> Result<()> {
    let mut report = Report::default();
    install::rust_components()?;
    natively(&mut report)?;
    report.close()
}

fn natively(report: &mut Report) -> Result<()> {
    report.step("format", &mut tool::cargo(&["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    report.step("lints", &mut tool::cargo(&clippy))?;
    let tests = ["test", "--workspace", "--no-fail-fast"];
    report.step("native tests", &mut tool::cargo(&tests))
}

/// `cargo xtask soak`.
pub fn soak() -> Result<()> {
    let mut cargo = tool::cargo(&["test", "--release", "--package", "cluster", "--test", "soak"]);
    tool::run(cargo.env("PODPATH_SOAK", "1000000"))
}

/// `cargo test` with this program as the runner that puts tests into headless Chromium.
fn cargo_in_browser() -> Result<Command> {
    let this = std::env::current_exe().context("this program has no path")?;
    let mut cargo = tool::cargo(&["test", "--target", "wasm32-unknown-unknown"]);
    cargo
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", format!("{} wasm-test-runner", this.display()))
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", tool::root().join("web/webdriver.json"))
        .env("WASM_BINDGEN_USE_BROWSER", "1");
    Ok(cargo)
}

/// Suites of `podpath bench` that are taken in the browser too, and the crates whose tests do it.
const BENCHES: [(&str, &str); 2] = [("scheduler", "scheduler"), ("api", "lab")];

/// `cargo xtask bench-web [SUITE]`: the figures of `podpath bench`, in headless Chromium and compiled as the page is shipped.
pub fn bench_in_browser(suites: &[String]) -> Result<()> {
    install::wasm_target()?;
    install::chromium()?;
    if let Some(unknown) = suites.iter().find(|it| BENCHES.iter().all(|(suite, _)| suite != it)) {
        bail!("unknown suite {unknown:?}: it is one of {}", BENCHES.map(|(suite, _)| suite).join(", "));
    }
    let wanted = |suite: &str| suites.is_empty() || suites.iter().any(|it| it == suite);
    BENCHES
        .into_iter()
        .filter(|(suite, _)| wanted(suite))
        .try_for_each(|(suite, package)| bench(suite, package))
}

fn bench(suite: &str, package: &str) -> Result<()> {
    let mut cargo = cargo_in_browser()?;
    cargo.args(["--package", package, "--test", "speed", "--profile", "web", "--", "--nocapture"]);
    // The runner gives up after 20 seconds otherwise.
    let said = cargo.env("WASM_BINDGEN_TEST_TIMEOUT", "600").stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&said.stdout);
    let figures = text.lines().filter_map(|line| line.find(&format!("{suite}/")).map(|at| &line[at..]));
    figures.for_each(|figure| println!("{figure}"));
    if !said.status.success() {
        bail!("the figures could not be taken:\n{text}");
    }
    Ok(())
}

/// `cargo xtask journeys [NAME…]`.
pub fn journeys(names: &[String]) -> Result<()> {
    install::chromium()?;
    let folder = built_for_journeys()?;
    if names.is_empty() {
        tool::run(&mut journey_tests(&folder, &UNMEASURED))?;
        return tool::run(&mut journey_tests(&folder, &MEASURED));
    }
    tool::run(&mut journey_tests(&folder, names))
}

/// The journeys go through the page as it is shipped.
fn built_for_journeys() -> Result<PathBuf> {
    let folder = tool::target().join("page/dist");
    dist::make(&bundle::build(Purpose::Ship)?, &folder)?;
    Ok(folder)
}

/// Two browsers on two cores disturb each other, which matters to those journeys that measure, and to no other.
const UNMEASURED: [&str; 3] = ["--test-threads=2", "--skip", "measure::"];
const MEASURED: [&str; 2] = ["--test-threads=1", "measure::"];

fn journey_tests<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Command {
    let mut cargo = tool::cargo(&["test", "--workspace", "--test", "journeys", "--", "--show-output"]);
    cargo.args(arguments).env("PODPATH_PAGE", folder);
    cargo
}

/// `cargo xtask shot ROUTE [OPTIONS] -o FILE.png`.
pub fn shot(arguments: &[String]) -> Result<()> {
    let Some((route, options)) = arguments.split_first().filter(|(route, _)| !route.starts_with('-')) else {
        bail!("which route? for example: cargo xtask shot '#/' -o page.png");
    };
    install::chromium()?;
    let folder = bundle::build(Purpose::of(options))?;
    let mut cargo = tool::cargo(&["run", "--quiet", "--manifest-path"]);
    // FILE is meant from where the person stands, not from the top of the repository.
    cargo.arg(tool::root().join("Cargo.toml")).current_dir(std::env::current_dir()?);
    cargo.args(["--package", "e2e", "--bin", "shot", "--"]).arg(folder).arg(route).args(options);
    tool::run(&mut cargo)
}
