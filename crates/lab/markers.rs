//! Which `MODEL:` markers stand in the code?
//!
//! Run at build time over the crates below the page. A marker is the rest of its comment's paragraph. What it is about says
//! the documentation of its item, and otherwise the first line of its file: the question that the file answers.

use std::{error::Error, fs, path::Path};

use crate::format::Simplification;

/// Crates whose simplifications a learner could notice.
const CRATES: [&str; 6] = ["api", "scheduler", "cni", "network", "cluster", "shell"];

/// Every marker, by crate and file.
pub fn all() -> Result<Vec<Simplification>, Box<dyn Error>> {
    let mut found = Vec::new();
    for name in CRATES {
        let source = Path::new("..").join(name).join("src");
        println!("cargo:rerun-if-changed={}", source.display());
        walk(&source, name, &mut found)?;
    }
    Ok(found)
}

fn walk(at: &Path, area: &str, found: &mut Vec<Simplification>) -> Result<(), Box<dyn Error>> {
    let mut entries: Vec<_> = fs::read_dir(at)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, area, found)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            let code = fs::read_to_string(&path)?;
            found.extend(markers(&code).map(|(about, text)| Simplification {
                area: area.to_owned(),
                about: about.unwrap_or_else(|| question(&code)),
                text,
            }));
        }
    }
    Ok(())
}

/// The first sentence of a file.
fn question(code: &str) -> String {
    let first = code.lines().find_map(|line| line.strip_prefix("//! ")).unwrap_or_default();
    let end = first.find(['?', '.']).filter(|_| !first.starts_with('`')).map_or(first.len(), |at| at + 1);
    unlinked(&first[..end])
}

/// What an item is, where the marker stands in its documentation, and the marker.
fn markers(code: &str) -> impl Iterator<Item = (Option<String>, String)> {
    let lines: Vec<&str> = code.lines().map(str::trim_start).collect();
    (0..lines.len()).filter_map(move |at| {
        let (before, marker) = comment(lines[at]).split_once("MODEL:")?;
        let mut text = marker.trim_start().to_owned();
        for line in lines[at + 1..].iter().map(|it| comment(it)).take_while(|it| !it.is_empty()) {
            text = format!("{text} {line}");
        }
        let end = ["Source", " UPSTREAM: ", " INVARIANT: "].iter().filter_map(|it| text.find(it)).min();
        text.truncate(end.unwrap_or(text.len()));
        // The summary of the item's documentation, if the marker is part of one.
        let documented = lines[..at].iter().rev().take_while(|it| it.starts_with("///")).count();
        let summary = lines[at - documented..at].iter().map(|it| comment(it)).take_while(|it| !it.is_empty());
        let mut about: Vec<&str> = summary.collect();
        about.extend(Some(before).filter(|_| about.len() == documented));
        let about = Some(about.join(" ")).filter(|it| lines[at].starts_with("///") && !it.is_empty());
        Some((about.map(|it| unlinked(it.trim())), begun(&unlinked(text.trim()))))
    })
}

/// What a line comments; nothing for a line that does not.
fn comment(line: &str) -> &str {
    ["//!", "///", "//"].iter().find_map(|it| line.strip_prefix(it)).map_or("", str::trim)
}

/// Links between items of the code lead nowhere on the page: what they name stays.
fn unlinked(text: &str) -> String {
    text.replace("[`", "`").replace("`]", "`")
}

/// With a capital letter, unless it begins with the name of a tool.
fn begun(text: &str) -> String {
    let tools = ["kubectl ", "ipamd ", "eksctl ", "kwok", "containerd "];
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !tools.iter().any(|it| text.starts_with(it)) => {
            first.to_uppercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}
