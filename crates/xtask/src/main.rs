//! How do we check and ship?
//!
//! `cargo lab`, `cargo verify` and `cargo xtask …` are this program (aliases in `.cargo/config.toml`). It installs what is
//! missing, says so, and runs the real tools; it knows nothing of Kubernetes. One module, one question.

mod assets;
mod bundle;
mod dist;
mod editor;
mod install;
mod lab;
mod report;
mod size;
mod texts;
mod tool;
mod verify;

use std::process::ExitCode;

const USAGE: &str = "\
cargo lab [--port N] [--release]   build the page, serve it, and build again when a file changes
cargo verify                       everything that must be true before a change lands
cargo xtask check                  the same without a browser: format, lints, native tests
cargo xtask dist [FOLDER]          the folder to put on any static host (default: dist), with its sizes
cargo xtask size                   sizes of the page: raw, gzip, brotli
cargo xtask build-web [--release]  the page into target/page, without a server
cargo xtask editor                 only the editor's bundle, into target/editor
cargo xtask texts                  only the texts that the page fetches late, into target/texts
cargo xtask bench-web [SUITE…]     the figures of podpath bench scheduler and api, inside a browser
cargo xtask journeys [NAME…]       the browser journeys of tests/e2e, on the folder that dist makes
cargo xtask soak                   a million random operations on clusters, every invariant looked at after each
cargo xtask shot ROUTE [--size 1440x900|390x844] [--theme dark] [--lang ko] [--release] -o FILE.png
                                   a picture of the page, and what its console said";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(());
    };
    match command.as_str() {
        "lab" => lab::run(rest),
        "verify" => verify::everything(),
        "check" => verify::without_browser(),
        "dist" => dist::run(rest),
        "size" => size::run(),
        "build-web" => bundle::run(rest),
        "editor" => editor::bundle().map(drop),
        "texts" => texts::run(),
        "bench-web" => verify::bench_in_browser(rest),
        "journeys" => verify::journeys(rest),
        "soak" => verify::soak(),
        "shot" => verify::shot(rest),
        // Cargo calls this for a test binary that is WASM: see `verify::in_browser`.
        "wasm-test-runner" => bundle::run_wasm_tests(rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => anyhow::bail!("unknown command {other:?}\n\n{USAGE}"),
    }
}
