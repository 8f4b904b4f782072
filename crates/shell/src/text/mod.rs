//! What do the text tools print?
//!
//! One file per tool, after GNU coreutils 9 and grep 3 in the C.UTF-8 locale. They know nothing of clusters.

pub mod awk;
pub mod base64;
pub mod cat;
pub mod columns;
pub mod cut;
pub mod date;
pub mod diff;
pub mod echo;
pub mod expr;
pub mod files;
pub mod find;
pub(crate) mod format;
pub mod grep;
pub mod head;
pub mod join;
pub mod jq;
pub mod paste;
pub(crate) mod pattern;
pub mod printf;
pub mod sed;
pub mod seq;
pub mod sleep;
pub mod small;
pub mod sort;
pub mod tee;
pub mod tr;
pub mod uniq;
pub mod wc;
pub mod xargs;

pub(crate) use pattern::{extended, regex};

use crate::tool::Call;

/// Short options as in `getopt`: letters that may be joined, some with a value that follows or is attached.
#[derive(Debug, Default)]
pub(crate) struct Options {
    given: Vec<(char, String)>,
    /// What is not an option.
    pub operands: Vec<String>,
}

impl Options {
    /// Reads the arguments: `flags` stand alone, `valued` take a value, `long` names both. Says what is wrong itself.
    pub(crate) fn parse(
        call: &mut Call<'_, '_>,
        flags: &str,
        valued: &str,
        long: &[(&str, char)],
    ) -> Option<Self> {
        let mut options = Self::default();
        let mut args = std::mem::take(&mut call.args).into_iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                options.operands.extend(args);
                break;
            }
            if let Some(name) = arg.strip_prefix("--") {
                let (name, value) =
                    name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v.to_owned())));
                let Some((_, letter)) = long.iter().find(|(l, _)| *l == name) else {
                    call.out.err(&format!("{}: unrecognized option '--{name}'", call.name));
                    usage(call);
                    return None;
                };
                let value = if valued.contains(*letter) { value.or_else(|| args.next()) } else { value };
                options.given.push((*letter, value.unwrap_or_default()));
                continue;
            }
            if arg.len() < 2 || !arg.starts_with('-') {
                options.operands.push(arg);
                continue;
            }
            for (at, letter) in arg.char_indices().skip(1) {
                if valued.contains(letter) {
                    let attached = &arg[at + letter.len_utf8()..];
                    let value = if attached.is_empty() { args.next() } else { Some(attached.to_owned()) };
                    let Some(value) = value else {
                        call.out.err(&format!("{}: option requires an argument -- '{letter}'", call.name));
                        usage(call);
                        return None;
                    };
                    options.given.push((letter, value));
                    break;
                }
                if !flags.contains(letter) {
                    call.out.err(&format!("{}: invalid option -- '{letter}'", call.name));
                    usage(call);
                    return None;
                }
                options.given.push((letter, String::new()));
            }
        }
        Some(options)
    }

    /// Whether a flag was given.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.given.iter().any(|(l, _)| *l == letter)
    }

    /// The last value of an option.
    pub(crate) fn value(&self, letter: char) -> Option<&str> {
        self.given.iter().rev().find(|(l, _)| *l == letter).map(|(_, v)| v.as_str())
    }

    /// All values of an option.
    pub(crate) fn values(&self, letter: char) -> Vec<&str> {
        self.given.iter().filter(|(l, _)| *l == letter).map(|(_, v)| v.as_str()).collect()
    }

    /// The option given last among some.
    pub(crate) fn last(&self, letters: &str) -> Option<(char, &str)> {
        self.given.iter().rev().find(|(l, _)| letters.contains(*l)).map(|(l, v)| (*l, v.as_str()))
    }
}

fn usage(call: &mut Call<'_, '_>) {
    let name = call.name;
    if name == "grep" {
        call.out.err("Usage: grep [OPTION]... PATTERNS [FILE]...");
    }
    if name == "sed" {
        call.out.err(sed::USAGE.trim_end_matches('\n'));
        return;
    }
    call.out.err(&format!("Try '{name} --help' for more information."));
}

/// The operands' texts with their names, `-` and none at all being standard input; and whether all could be read.
pub(crate) fn inputs(call: &mut Call<'_, '_>, operands: &[String]) -> (Vec<(String, String)>, bool) {
    if operands.is_empty() {
        return (vec![("-".to_owned(), call.stdin.rest())], true);
    }
    let mut texts = Vec::new();
    let mut all = true;
    for name in operands {
        match name.as_str() {
            "-" | "/dev/stdin" => texts.push((name.clone(), call.stdin.rest())),
            "/dev/null" => texts.push((name.clone(), String::new())),
            _ => match call.shell.machine.files.read(&call.shell.machine.path(name)) {
                Ok(text) => texts.push((name.clone(), text.to_string())),
                Err(error) => {
                    let said = match (call.name, error) {
                        ("head" | "tail", crate::files::FileError::IsDirectory) => {
                            format!("error reading '{name}': {error}")
                        }
                        ("head" | "tail", _) => format!("cannot open '{name}' for reading: {error}"),
                        ("sort", _) => format!("cannot read: {name}: {error}"),
                        ("rev", _) => format!("cannot open {name}: {error}"),
                        ("sed", _) => format!("can't read {name}: {error}"),
                        _ => format!("{name}: {error}"),
                    };
                    call.out.err(&format!("{}: {said}", call.name));
                    all = false;
                }
            },
        }
    }
    (texts, all)
}

/// The lines of a text without their newlines.
pub(crate) fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    let whole = text.strip_suffix('\n').or_else(|| (!text.is_empty()).then_some(text));
    whole.into_iter().flat_map(|t| t.split('\n'))
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::{Machine, Output, run};

    /// Runs one line on a fresh machine: stdout, stderr, status.
    pub(crate) fn sh(line: &str) -> (String, String, i32) {
        let mut machine = Machine::default();
        let mut world = cluster::World::empty(1);
        let mut out = Output::default();
        let status = run(line, &mut machine, &mut world, &mut out);
        (out.stdout(), out.stderr(), status)
    }

    /// Standard output only.
    pub(crate) fn stdout(line: &str) -> String {
        sh(line).0
    }
}
