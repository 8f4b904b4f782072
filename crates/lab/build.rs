//! Packs `lessons/`, and what the code says of its own simplifications, into the compact form that the crate includes.

use std::{collections::BTreeMap, error::Error, fs, path::Path};

#[path = "src/library/format.rs"]
#[allow(dead_code, reason = "the crate reads what this writes")]
mod format;
mod markers;

use format::{Contents, Difference, Folder, Term};

type Sided = BTreeMap<String, BTreeMap<String, (String, String)>>;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../lessons");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut contents = Contents::default();
    let others = ["fixtures", "incidents", "puzzles"];
    for name in folders(root)?.into_iter().filter(|name| !others.contains(&name.as_str())) {
        contents.lessons.push(lesson(root, &name)?);
    }
    for (folder, into) in [("incidents", &mut contents.incidents), ("puzzles", &mut contents.puzzles)] {
        let folder = root.join(folder);
        for name in folders(&folder)? {
            into.push(lesson(&folder, &name)?);
        }
    }
    let fixtures = root.join("fixtures");
    for name in folders(&fixtures)? {
        contents.fixtures.push(read(&fixtures.join(&name), &name)?);
    }
    contents.simplifications = markers::all()?;
    contents.differences = differences(Path::new("../../tests/vectors/differs.tsv"))?;
    let glossary: Sided = serde_yaml::from_str(&fs::read_to_string(root.join("glossary.yaml"))?)?;
    for (id, mut sides) in glossary {
        let mut side = |language: &str| {
            sides.remove(language).ok_or_else(|| format!("glossary.yaml: {id} has no {language}"))
        };
        let (en, ko) = (side("en")?, side("ko")?);
        contents.glossary.push(Term { id, en, ko });
    }
    let out = Path::new(&std::env::var("OUT_DIR")?).join("library.bin");
    fs::write(out, postcard::to_allocvec(&contents)?)?;
    Ok(())
}

/// What the list of recorded cases that differ on purpose says.
fn differences(path: &Path) -> Result<Vec<Difference>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", path.display());
    let mut all = Vec::new();
    for line in fs::read_to_string(path)?.lines().skip(1) {
        let [suite, case, steps, en, ko] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("{}: {line:?} has not five columns", path.display()).into());
        };
        let case = if steps.is_empty() { case.to_owned() } else { format!("{case} {steps}") };
        all.push(Difference { suite: suite.to_owned(), case, why: (en.to_owned(), ko.to_owned()) });
    }
    Ok(all)
}

/// A lesson or a puzzle without the scripts of its author; its machine part as JSON.
fn lesson(root: &Path, name: &str) -> Result<Folder, Box<dyn Error>> {
    let mut folder = read(&root.join(name), name)?;
    folder
        .files
        .retain(|(path, _)| !["alt/", "wrong/", "break/"].iter().any(|authors| path.starts_with(authors)));
    for (path, text) in &mut folder.files {
        if path == "lesson.yaml" {
            let value: serde_json::Value =
                serde_yaml::from_str(text).map_err(|error| format!("{name}/lesson.yaml: {error}"))?;
            (*path, *text) = ("lesson.json".to_owned(), value.to_string());
        }
    }
    Ok(folder)
}

/// Names of the folders in `path`, sorted; none if it is not there.
fn folders(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    if !path.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A folder with all files under it, sorted by name.
fn read(path: &Path, name: &str) -> Result<Folder, Box<dyn Error>> {
    let mut folder = Folder { name: name.to_owned(), files: Vec::new() };
    let mut open = vec![path.to_owned()];
    while let Some(at) = open.pop() {
        println!("cargo:rerun-if-changed={}", at.display());
        for entry in fs::read_dir(&at)? {
            let here = entry?.path();
            if here.is_dir() {
                open.push(here);
            } else {
                let relative = here.strip_prefix(path)?.components();
                let parts: Vec<_> = relative.map(|part| part.as_os_str().to_string_lossy()).collect();
                println!("cargo:rerun-if-changed={}", here.display());
                folder.files.push((parts.join("/"), fs::read_to_string(&here)?));
            }
        }
    }
    folder.files.sort();
    Ok(folder)
}
