//! How does the page look? `cargo xtask shot` builds it, then calls this.

use e2e::{Page, Site, Size, Theme, View};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "shot FOLDER ROUTE [--size WxH] [--theme light|dark] [--lang en|ko] [--press CHORD]… [--after MS] -o FILE.png";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match shot(&arguments) {
        Ok(errors) if errors.is_empty() => ExitCode::SUCCESS,
        Ok(errors) => {
            errors.iter().for_each(|error| eprintln!("console: {error}"));
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Takes the picture; gives what the console counts as errors.
fn shot(arguments: &[String]) -> Result<Vec<String>, String> {
    let (mut view, mut presses, mut after, mut out, mut plain) =
        (View::desktop(), Vec::new(), 0_u32, None, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"));
        match word.as_str() {
            "--size" => view.size = Size::parse(value()?).ok_or(USAGE)?,
            "--theme" => view.theme = if value()? == "dark" { Theme::Dark } else { Theme::Light },
            "--lang" => view.language = value()?.clone(),
            "--press" => presses.push(value()?.clone()),
            "--after" => after = value()?.parse().map_err(|_| USAGE)?,
            "-o" => out = Some(value()?.clone()),
            "--reduced-motion" => view.reduced_motion = true,
            "--release" => {}
            other => plain.push(other),
        }
    }
    let (&[folder, route], Some(out)) = (plain.as_slice(), out) else { return Err(USAGE.to_owned()) };
    let site = Site::of(Path::new(folder));
    let page = Page::open_early(&site, route, &view);
    let ready = page.until_ready();
    presses.iter().for_each(|chord| page.press(chord));
    page.eval(&format!(
        "new Promise((done) => setTimeout(() => requestAnimationFrame(() => done(0)), {after}))"
    ));
    std::fs::write(&out, page.picture()).map_err(|failure| format!("{out}: {failure}"))?;
    println!("{out}");
    let mut errors = page.console_errors();
    if !ready {
        errors.push("the page did not say that it is ready (document.documentElement.dataset.ready)".into());
    }
    Ok(errors)
}
