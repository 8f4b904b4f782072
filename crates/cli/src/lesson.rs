//! `podpath lesson test [PATH…]`: does every lesson keep its rules?
//!
//! A PATH is a lesson's folder or a folder of lessons (and of `incidents/`); without one, `lessons/` of the working directory. Prints one
//! line for each rule and lesson as a test runner would, then what failed; exit status 0 only if nothing did.

use std::{
    fs,
    path::{Path, PathBuf},
};

use lab::{
    lesson::{
        fields::LoadError,
        rules::{self, Case, Finding, RULES, play},
    },
    library::{self, Folder},
    script,
};
use serde_json::Value;

use crate::say;

/// The command itself; gives the exit status.
pub(crate) fn command(args: &[String]) -> i32 {
    let Some(("test", paths)) = args.split_first().map(|(verb, rest)| (verb.as_str(), rest)) else {
        say::complain("usage: podpath lesson test [PATH…]");
        return 2;
    };
    let paths: Vec<PathBuf> = match paths {
        [] => vec![PathBuf::from("lessons")],
        paths => paths.iter().map(PathBuf::from).collect(),
    };
    let (mut passed, mut failed) = (0, 0);
    let mut later = Vec::new();
    for path in &paths {
        let folders = match lesson_folders(path) {
            Ok(folders) => folders,
            Err(message) => {
                say::complain(format_args!("podpath: {message}"));
                return 2;
            }
        };
        let coverage = coverage(path);
        for folder in &folders {
            let tested = test(folder, &coverage);
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            for (rule, asks, findings) in &tested {
                let ok = findings.is_empty();
                say::line(format_args!("{name} {rule} {asks} ... {}", if ok { "ok" } else { "FAILED" }));
                *(if ok { &mut passed } else { &mut failed }) += 1;
                later.extend(
                    findings.iter().map(|it| format!("{name}/{}: {}: {}", it.file, it.rule, it.message)),
                );
            }
        }
        print_uncovered(&coverage, &folders);
    }
    if !later.is_empty() {
        say::line("\nfailures:\n");
        say::line(later.join("\n"));
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    say::line(format_args!("\nlesson result: {word}. {passed} passed; {failed} failed"));
    i32::from(failed > 0)
}

/// What a rule says of a lesson.
type Tested = (&'static str, &'static str, Vec<Finding>);

/// Every rule of one lesson; one line for its loading if that fails.
pub(crate) fn test(path: &Path, coverage: &[(String, Vec<u32>)]) -> Vec<Tested> {
    let first = &RULES[0];
    let broken = |message: String| {
        let (file, message) =
            message.split_once('\t').map_or(("", message.as_str()), |(file, rest)| (file, rest));
        vec![(
            first.name,
            first.asks,
            vec![Finding { rule: first.name, file: file.to_owned(), message: message.to_owned() }],
        )]
    };
    let folder = match read_lesson(path) {
        Ok(folder) => folder,
        Err(message) => return broken(message),
    };
    let fixtures = fixtures(path);
    let find = |name: &str| fixtures.iter().find(|it| it.name == name).or_else(|| library::fixture(name));
    let source = folder.file("lesson.yaml").unwrap_or_default().to_owned();
    let book = match rules::open(folder, find) {
        Ok(book) => book,
        Err(errors) => {
            let findings = errors.iter().map(|error| Finding {
                rule: first.name,
                file: format!("lesson.yaml:{}", line_of(&source, error)),
                message: error.to_string(),
            });
            return vec![(first.name, first.asks, findings.collect())];
        }
    };
    let Some(solved) = play(&book, &script::lines(book.solution()), book.lesson.world.seed) else {
        return broken("lesson.yaml\tthe world cannot be built".to_owned());
    };
    let case = Case { book: &book, coverage, solved };
    RULES.iter().map(|rule| (rule.name, rule.asks, (rule.look)(&case))).collect()
}

/// The line on which a field stands, or its nearest parent.
fn line_of(source: &str, error: &LoadError) -> u32 {
    let reading = api::text::read(source);
    reading.documents.first().and_then(|document| document.span_of(&error.field)).map_or(1, |span| span.line)
}

/// Concepts and the numbers of the lessons that cover them, from `coverage.yaml` beside or above the lessons.
fn coverage(path: &Path) -> Vec<(String, Vec<u32>)> {
    let near = [Some(path), path.parent()];
    let text = near.into_iter().flatten().find_map(|at| fs::read_to_string(at.join("coverage.yaml")).ok());
    let value: Option<Value> = text.and_then(|text| serde_yaml::from_str(&text).ok());
    let Some(Value::Object(map)) = value else { return Vec::new() };
    let lessons = |value: &Value| -> Vec<u32> {
        let numbers = value[1].as_array().into_iter().flatten();
        numbers.filter_map(Value::as_u64).filter_map(|n| u32::try_from(n).ok()).collect()
    };
    map.iter().map(|(concept, value)| (concept.clone(), lessons(value))).collect()
}

/// Names concepts that no lesson in these folders covers yet: nothing is wrong with that.
fn print_uncovered(coverage: &[(String, Vec<u32>)], folders: &[PathBuf]) {
    let here: Vec<u32> = folders
        .iter()
        .filter_map(|folder| folder.file_name()?.to_string_lossy().split('-').next()?.parse().ok())
        .collect();
    let open: Vec<&str> = coverage
        .iter()
        .filter(|(_, lessons)| !lessons.iter().any(|number| here.contains(number)))
        .map(|(concept, _)| concept.as_str())
        .collect();
    if !open.is_empty() {
        say::line(format_args!("\n{} concepts wait for lessons to come: {}", open.len(), open.join(" ")));
    }
}

/// The lesson itself, or every lesson in a folder of lessons.
pub(crate) fn lesson_folders(path: &Path) -> Result<Vec<PathBuf>, String> {
    if path.join("lesson.yaml").is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // A folder of lessons may hold a folder of incidents.
    let incidents = fs::read_dir(path.join("incidents")).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries
        .chain(incidents)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|at| at.join("lesson.yaml").is_file())
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(format!("{}: no lesson here (no lesson.yaml)", path.display()));
    }
    Ok(found)
}

/// A lesson's folder, its `lesson.yaml` also as JSON.
pub(crate) fn read_lesson(path: &Path) -> Result<Folder, String> {
    let mut folder = read_folder(path)?;
    let text = folder.file("lesson.yaml").unwrap_or_default();
    let value: Value = serde_yaml::from_str(text).map_err(|error| format!("lesson.yaml\t{error}"))?;
    folder.files.push(("lesson.json".to_owned(), value.to_string()));
    Ok(folder)
}

/// Fixtures that lie beside the lesson, or beside the folder of incidents it is in; they come before the ones that we
/// carry.
fn fixtures(lesson: &Path) -> Vec<Folder> {
    let near = lesson.ancestors().skip(1).take(2).map(|above| above.join("fixtures"));
    let entries = near.filter_map(|root| fs::read_dir(root).ok()).flatten();
    entries.filter_map(|entry| read_folder(&entry.ok()?.path()).ok()).collect()
}

/// A folder with the text of all files under it, sorted by name.
pub(crate) fn read_folder(path: &Path) -> Result<Folder, String> {
    let name =
        path.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let mut folder = Folder { name: name.unwrap_or_default(), files: Vec::new() };
    let mut open = vec![path.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).map_err(|error| format!("{}: {error}", at.display()))? {
            let here = entry.map_err(|error| error.to_string())?.path();
            if here.is_dir() {
                open.push(here);
                continue;
            }
            let relative = here.strip_prefix(path).map_err(|error| error.to_string())?;
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            let text = fs::read_to_string(&here).map_err(|error| format!("{}: {error}", here.display()))?;
            folder.files.push((parts.join("/"), text));
        }
    }
    folder.files.sort();
    Ok(folder)
}
