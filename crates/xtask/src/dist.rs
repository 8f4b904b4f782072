//! How does the page become a folder for any static host?
//!
//! Every file but `index.html` gets a name with a hash of its content, and every reference to it follows; all of them are
//! relative, so the folder works below any sub-path. A file is renamed only after those it refers to, so that a changed leaf renames whatever leads to it.

use crate::{assets, bundle, size, tool};
use anyhow::{Context as _, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// `cargo xtask dist [FOLDER]`.
pub fn run(arguments: &[String]) -> Result<()> {
    let out = arguments.first().map_or_else(|| tool::root().join("dist"), PathBuf::from);
    make(&bundle::build(bundle::Purpose::Ship)?, &out)?;
    size::print(&out)?;
    println!("\n{} is ready for any static host", out.display());
    Ok(())
}

/// Writes the files of `built` into `out` under their final names; what was there before is removed.
pub fn make(built: &Path, out: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    for file in assets::files_below(built)? {
        files.insert(file.strip_prefix(built)?.display().to_string(), std::fs::read(&file)?);
    }
    if out.exists() {
        std::fs::remove_dir_all(out)?;
    }
    for (name, content) in renamed(files)? {
        let file = out.join(name);
        std::fs::create_dir_all(file.parent().context("a file has a folder")?)?;
        std::fs::write(file, content)?;
    }
    Ok(())
}

/// The files under their final names, with the references in them changed to match.
fn renamed(files: BTreeMap<String, Vec<u8>>) -> Result<BTreeMap<String, Vec<u8>>> {
    let names: Vec<String> = files.keys().cloned().collect();
    let mut waiting = files;
    let (mut done, mut finals) = (BTreeMap::new(), BTreeMap::<String, String>::new());
    while !waiting.is_empty() {
        let ready = waiting.iter().find(|(name, content)| {
            let others = names.iter().filter(|other| other != name && !finals.contains_key(*other));
            !is_text(name)
                || !others.into_iter().any(|other| refers(&String::from_utf8_lossy(content), other))
        });
        let Some(name) = ready.map(|(name, _)| name.clone()) else {
            bail!("these files refer to each other in a circle: {:?}", waiting.keys());
        };
        let Some(mut content) = waiting.remove(&name) else { continue };
        if is_text(&name) {
            let mut text = String::from_utf8(content).with_context(|| name.clone())?;
            for (plain, hashed) in &finals {
                text = pointed(&text, plain, hashed);
            }
            content = text.into_bytes();
        }
        let hashed = if name == "index.html" { name.clone() } else { with_hash(&name, &content) };
        finals.insert(name, hashed.clone());
        done.insert(hashed, content);
    }
    Ok(done)
}

fn is_text(name: &str) -> bool {
    [".html", ".js", ".css", ".webmanifest"].iter().any(|ending| name.ends_with(ending))
}

/// How files name each other: in quotes, with or without `./`, or in a style sheet's `url(…)`.
fn references(name: &str) -> [(String, char); 5] {
    [
        (format!("\"{name}"), '"'),
        (format!("\"./{name}"), '"'),
        (format!("'{name}"), '\''),
        (format!("'./{name}"), '\''),
        (format!("url({name}"), ')'),
    ]
}

fn refers(text: &str, name: &str) -> bool {
    references(name).iter().any(|(start, end)| text.contains(&format!("{start}{end}")))
}

fn pointed(text: &str, plain: &str, hashed: &str) -> String {
    references(plain).iter().zip(references(hashed)).fold(text.to_owned(), |text, ((old, end), (new, _))| {
        text.replace(&format!("{old}{end}"), &format!("{new}{end}"))
    })
}

/// `web_bg.wasm` with the first 8 hexadecimal digits of its content's FNV-1a hash before the ending.
fn with_hash(name: &str, content: &[u8]) -> String {
    let hash = content.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}-{:08x}.{ending}", hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(wasm: &str) -> BTreeMap<String, Vec<u8>> {
        let files = [
            ("index.html", "<script src=\"boot.js\"></script>"),
            ("boot.js", "import init from \"./web.js\"; \"./web_bg.wasm\""),
            ("web.js", "new URL('web_bg.wasm', import.meta.url)"),
            ("web_bg.wasm", wasm),
        ];
        files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
    }

    #[test]
    fn every_reference_follows_the_new_name() {
        let done = renamed(site("wasm")).expect("no circle");
        let names: Vec<&String> = done.keys().collect();
        let named =
            |start: &str| names.iter().find(|name| name.starts_with(start)).expect("there").to_string();
        let text = |name: &str| String::from_utf8(done[name].clone()).expect("text");
        assert_eq!(text("index.html"), format!("<script src=\"{}\"></script>", named("boot-")));
        assert_eq!(text(&named("web-")), format!("new URL('{}', import.meta.url)", named("web_bg-")));
        assert_eq!(
            text(&named("boot-")),
            format!("import init from \"./{}\"; \"./{}\"", named("web-"), named("web_bg-"))
        );
    }

    #[test]
    fn changed_leaf_renames_what_leads_to_it_and_nothing_else() {
        let (before, after) =
            (renamed(site("one")).expect("no circle"), renamed(site("two")).expect("no circle"));
        assert!(
            before.keys().zip(after.keys()).all(|(a, b)| a == "index.html" || a != b),
            "{before:?} {after:?}"
        );
        let again = renamed(site("one")).expect("no circle");
        assert_eq!(before, again);
    }

    #[test]
    fn files_in_a_circle_are_refused() {
        let files = [("a.js", "import './b.js'"), ("b.js", "import './a.js'")];
        let files =
            files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect();
        assert!(renamed(files).is_err());
    }
}
