//! What came out of a command, on which stream, and what might the page add to it?
//!
//! Chunks keep the order in which the two streams were written. Hints are data for the page: never part of a stream,
//! so that what a pipe or a test sees is exactly what the real tool prints.

use serde::{Deserialize, Serialize};

/// One of the two streams a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A remark for the page, beside what the real tool printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Hint {
    /// No such command on this machine; the nearest ones that are.
    UnknownCommand {
        /// What was typed.
        name: String,
        /// Names of tools, nearest first.
        nearest: Vec<String>,
    },
    /// The real tool has this, the lab does not.
    NotSimulated {
        /// Such as `kubectl proxy`.
        what: String,
    },
    /// A flag that the tool does not have; the nearest ones it has.
    UnknownFlag {
        /// What was typed.
        flag: String,
        /// Flags with their dashes, nearest first.
        nearest: Vec<String>,
    },
    /// The manifest lost its indentation; this is what it probably was.
    Reindent {
        /// File name, or `STDIN`.
        name: String,
        /// The re-indented manifest.
        text: String,
    },
    /// `lab select` points at something: a page shows it.
    Select {
        /// As it was typed: `pod/web`.
        object: String,
    },
    /// `kubectl edit` would open an editor; here it is closed without a change.
    Editor {
        /// The command that opens it on this one object.
        command: String,
        /// What it would show.
        text: String,
    },
    /// The line was stopped by one of the lab's own limits.
    Stopped {
        /// Such as `10000 commands`.
        limit: String,
    },
}

/// Everything a line printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// In the order written; neighbours on one stream are joined.
    pub chunks: Vec<(Stream, String)>,
    /// For the page only.
    pub hints: Vec<Hint>,
}

impl Output {
    /// Writes to one stream.
    pub fn write(&mut self, stream: Stream, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.chunks.last_mut() {
            Some((last, so_far)) if *last == stream => so_far.push_str(text),
            Some(_) | None => self.chunks.push((stream, text.to_owned())),
        }
    }

    /// Writes to standard output.
    pub fn out(&mut self, text: &str) {
        self.write(Stream::Out, text);
    }

    /// Writes a line to standard output.
    pub fn line(&mut self, text: &str) {
        self.write(Stream::Out, text);
        self.write(Stream::Out, "\n");
    }

    /// Writes a line to standard error.
    pub fn err(&mut self, text: &str) {
        self.write(Stream::Err, text);
        self.write(Stream::Err, "\n");
    }

    /// Adds a remark for the page.
    pub fn hint(&mut self, hint: Hint) {
        self.hints.push(hint);
    }

    /// All of one stream.
    #[must_use]
    pub fn text(&self, stream: Stream) -> String {
        self.chunks.iter().filter(|(s, _)| *s == stream).map(|(_, t)| t.as_str()).collect()
    }

    /// Standard output.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.text(Stream::Out)
    }

    /// Standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.text(Stream::Err)
    }

    /// Bytes on both streams.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|(_, text)| text.len()).sum()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}

/// Standard input of a command: a text and how far it has been read.
#[derive(Clone, Debug, Default)]
pub struct Stdin {
    text: std::rc::Rc<str>,
    at: usize,
    /// Whether nothing was connected: a terminal, where a real tool would wait for keys.
    pub terminal: bool,
}

impl Stdin {
    /// The learner's keyboard: nothing comes.
    #[must_use]
    pub fn terminal() -> Self {
        Self { text: "".into(), at: 0, terminal: true }
    }

    /// A text to read.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { text: text.into(), at: 0, terminal: false }
    }

    /// All that is left.
    pub fn rest(&mut self) -> String {
        let rest = self.text.get(self.at..).unwrap_or_default().to_owned();
        self.at = self.text.len();
        rest
    }

    /// The next line without its newline, and whether it had one.
    pub fn line(&mut self) -> Option<(String, bool)> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        match rest.find('\n') {
            Some(end) => {
                let line = rest[..end].to_owned();
                self.at += end + 1;
                Some((line, true))
            }
            None => {
                let line = rest.to_owned();
                self.at = self.text.len();
                Some((line, false))
            }
        }
    }
}

impl Stdin {
    /// Characters up to a mark, or so many, each with whether a backslash stood before it; and whether the mark or the count was
    /// reached. Unless `raw`, a backslash goes, with a newline behind it. None where nothing is left.
    pub(crate) fn until(
        &mut self,
        end: Option<char>,
        most: Option<usize>,
        raw: bool,
    ) -> Option<(Vec<(char, bool)>, bool)> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return None;
        }
        let mut out = Vec::new();
        let mut chars = rest.chars();
        let mut ended = most == Some(0);
        while !ended && let Some(c) = chars.next() {
            match c {
                '\\' if !raw => match chars.next() {
                    Some('\n') | None => {}
                    Some(next) => out.push((next, true)),
                },
                c if Some(c) == end => ended = true,
                c => out.push((c, false)),
            }
            ended |= most.is_some_and(|most| out.len() >= most);
        }
        self.at = self.text.len() - chars.as_str().len();
        Some((out, ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_writes_on_one_stream_are_one_chunk() {
        let mut out = Output::default();
        out.line("a");
        out.out("b");
        out.err("c");
        assert_eq!(out.chunks, [(Stream::Out, "a\nb".to_owned()), (Stream::Err, "c\n".to_owned())]);
    }

    #[test]
    fn lines_are_read_one_by_one() {
        let mut stdin = Stdin::of("a\nb");
        assert_eq!(stdin.line(), Some(("a".to_owned(), true)));
        assert_eq!(stdin.line(), Some(("b".to_owned(), false)));
        assert_eq!(stdin.line(), None);
    }
}
