//! Where do an awk program's records and fields come from: files, standard input, `getline`?

use std::rc::Rc;

use super::{
    machine::{Awk, Done, Stop},
    tree::{Expr, From},
    value::Value,
};
use crate::{files::FileError, output::Stdin};

/// A text and how far it has been read.
pub(super) struct Reader {
    text: Rc<str>,
    at: usize,
}

impl Reader {
    pub(super) fn of(text: &str) -> Self {
        Self { text: text.into(), at: 0 }
    }
}

/// Whether an operand is `NAME=VALUE`.
pub(super) fn is_assignment(operand: &str) -> bool {
    operand.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
            && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
    })
}

impl<'a> Awk<'a, '_, '_> {
    /// The next record of a reader.
    fn read(&mut self, reader: &mut Reader) -> Done<Option<String>> {
        self.round()?;
        let separator = self.text_of("RS");
        let mut rest = &reader.text[reader.at..];
        if separator.is_empty() {
            let trimmed = rest.trim_start_matches('\n');
            reader.at += rest.len() - trimmed.len();
            rest = trimmed;
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let mut chars = separator.chars();
        let found = match (chars.next(), chars.next()) {
            (None, _) => {
                rest.find("\n\n").map(|at| at..rest.len() - rest[at..].trim_start_matches('\n').len())
            }
            (Some(one), None) => rest.find(one).map(|at| at..at + one.len_utf8()),
            _ => self.regex(&separator)?.find(rest).map(|it| it.range()).filter(|it| !it.is_empty()),
        };
        let record = match &found {
            Some(end) => &rest[..end.start],
            // The newline that ends a file is no part of its last record where lines are none.
            None if separator.is_empty() => rest.trim_end_matches('\n'),
            None => rest,
        };
        let record = record.to_owned();
        reader.at += found.map_or(rest.len(), |it| it.end);
        Ok(Some(record))
    }

    /// The next record of the files that were named, or of standard input.
    pub(super) fn next_record(&mut self) -> Done<Option<String>> {
        loop {
            if let Some(mut reader) = self.reading.take() {
                let record = self.read(&mut reader)?;
                self.reading = Some(reader);
                if record.is_some() {
                    for name in ["NR", "FNR"] {
                        let number = self.get(name).number() + 1.0;
                        self.set_number(name, number);
                    }
                    return Ok(record);
                }
                self.reading = None;
            }
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// Opens the next file; whether there is one.
    fn next_file(&mut self) -> Done<bool> {
        while (self.argument as f64) < self.get("ARGC").number() {
            let arguments = self.array("ARGV")?;
            let key: Rc<str> = self.argument.to_string().into();
            self.argument += 1;
            let name = self.arrays[arguments].get(&key).map(|it| it.shown("%.6g")).unwrap_or_default();
            if name.is_empty() {
                continue;
            }
            if is_assignment(&name) {
                self.assign_argument(&name);
                continue;
            }
            self.had_file = true;
            let text = match &*name {
                "-" | "/dev/stdin" => self.call.stdin.rest(),
                "/dev/null" => String::new(),
                _ => {
                    let machine = &self.call.shell.machine;
                    match machine.files.read(&machine.path(&name)) {
                        Ok(text) => text.to_string(),
                        Err(FileError::IsDirectory) => {
                            self.say(&format!(
                                "warning: command line argument `{name}' is a directory: skipped"
                            ));
                            continue;
                        }
                        Err(error) => {
                            self.say(&format!("fatal: cannot open file `{name}' for reading: {error}"));
                            return Err(Stop::Fatal);
                        }
                    }
                }
            };
            self.begin(&name, &text);
            return Ok(true);
        }
        if self.had_file {
            return Ok(false);
        }
        self.had_file = true;
        let text = self.call.stdin.rest();
        self.begin("", &text);
        Ok(true)
    }

    fn begin(&mut self, name: &str, text: &str) {
        self.set_text("FILENAME", name);
        self.set_number("FNR", 0.0);
        self.reading = Some(Reader::of(text));
    }

    /// `getline`: 1 for a record, 0 at the end, -1 where nothing can be read.
    pub(super) fn getline(&mut self, from: &'a From, into: Option<&'a Expr>) -> Done<Value> {
        let record = match from {
            From::Input => self.next_record()?,
            From::File(file) => {
                let name = self.text(file)?;
                if !self.sources.contains_key(&*name) {
                    let text = match &*name {
                        "-" | "/dev/stdin" => self.call.stdin.rest(),
                        _ => {
                            let machine = &self.call.shell.machine;
                            match machine.files.read(&machine.path(&name)) {
                                Ok(text) => text.to_string(),
                                Err(_) => return Ok(Value::Number(-1.0)),
                            }
                        }
                    };
                    self.sources.insert(name.to_string(), Reader::of(&text));
                }
                self.next_of(&name, false)?
            }
            From::Command(command) => {
                let line = self.text(command)?;
                if !self.sources.contains_key(&*line) {
                    let (text, _) = self.command(&line, &mut Stdin::of(""), true)?;
                    self.sources.insert(line.to_string(), Reader::of(&text));
                }
                self.next_of(&line, true)?
            }
        };
        let Some(record) = record else { return Ok(Value::Number(0.0)) };
        match into {
            Some(place) => self.assign(place, Value::input(&record))?,
            None => self.set_record(&record),
        }
        Ok(Value::Number(1.0))
    }

    fn next_of(&mut self, name: &str, counts: bool) -> Done<Option<String>> {
        let Some(mut reader) = self.sources.remove(name) else { return Ok(None) };
        let record = self.read(&mut reader)?;
        self.sources.insert(name.to_owned(), reader);
        if counts && record.is_some() {
            let number = self.get("NR").number() + 1.0;
            self.set_number("NR", number);
        }
        Ok(record)
    }

    /// A text cut at a separator, as records are; with `by_lines` at newlines too.
    pub(super) fn cut(&mut self, text: &str, separator: &str, by_lines: bool) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let owned = |parts: &mut dyn Iterator<Item = &str>| parts.map(str::to_owned).collect();
        let mut chars = separator.chars();
        match (chars.next(), chars.next()) {
            (None, _) => text.chars().map(String::from).collect(),
            (Some(' '), None) => owned(&mut text.split([' ', '\t', '\n']).filter(|word| !word.is_empty())),
            (Some(one), None) if one != '\\' => {
                owned(&mut text.split(|c| c == one || (by_lines && c == '\n')))
            }
            _ => {
                let pattern = if by_lines { format!("({separator})|\n") } else { separator.to_owned() };
                match self.regex(&pattern) {
                    Ok(regex) => owned(&mut regex.split(text)),
                    Err(_) => vec![text.to_owned()],
                }
            }
        }
    }
}
