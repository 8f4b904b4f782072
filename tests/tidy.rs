//! Is the tree fit to be read?
//!
//! What a reviewer would otherwise have to look for: paths of one machine, work left open, modules without a question,
//! files too long for one sitting.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Lines beyond which a file wants to be two.
const LONGEST: usize = 700;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize().expect("the workspace is there")
}

/// Every file of ours that is text, by its path from the root.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if matches!(name.as_str(), "target" | ".git" | "node_modules" | "dist" | "shots") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let relative = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
                found.push((relative, text));
            }
        }
    }
    found.sort();
    found
}

fn rust() -> Vec<(String, String)> {
    files().into_iter().filter(|(path, _)| path.ends_with(".rs")).collect()
}

/// Fails with every place, not with the first.
fn none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    // Written in two halves, so that this file does not find itself.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/Use", "rs/")];
    let mut found = Vec::new();
    for (path, text) in files() {
        for (number, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) && !path.ends_with(".lock") {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths of one machine", &found);
}

#[test]
fn no_work_is_left_open_in_the_code() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("todo", "!("),
        concat!("unimple", "mented!("),
    ];
    let mut found = Vec::new();
    for (path, text) in rust() {
        for (number, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("work left open", &found);
}

#[test]
fn every_file_says_what_it_is_for() {
    let quiet = |path: &str, text: &str| {
        let tests = path.ends_with("tests.rs") || path.contains("/tests/");
        !tests && !text.trim_start().starts_with("//!") && !text.trim_start().starts_with("#![")
    };
    let found: Vec<String> =
        rust().into_iter().filter(|(path, text)| quiet(path, text)).map(|(path, _)| path).collect();
    none("files without a question in their first line", &found);
}

#[test]
fn every_file_reads_in_one_sitting() {
    let found: Vec<String> = rust()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    none("files that want to be two", &found);
}

#[test]
fn no_library_skips_over_a_failure() {
    let mut found = Vec::new();
    for (path, text) in rust() {
        if !path.starts_with("crates/") || path.ends_with("tests.rs") || path.contains("/tests/") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            if line.contains(".unwrap()") && !line.trim_start().starts_with("//") {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("unwrap in a library", &found);
}

#[test]
fn both_languages_of_a_lesson_have_the_same_sections() {
    let mut found = Vec::new();
    for (path, text) in
        files().into_iter().filter(|(path, _)| path.starts_with("lessons/") && path.ends_with("/ko.md"))
    {
        let other = fs::read_to_string(root().join(path.replace("/ko.md", "/en.md"))).unwrap_or_default();
        let ids = |text: &str| {
            text.lines().filter_map(|line| line.strip_prefix("## ").map(str::to_owned)).collect::<Vec<_>>()
        };
        if ids(&text) != ids(&other) {
            found.push(path);
        }
    }
    none("lessons whose languages differ", &found);
}
