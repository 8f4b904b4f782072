//! How does grep show a line: its file, number, place, what surrounds it?

use crate::{text::Options, tool::Call};

/// How lines are shown.
pub(super) struct Printer<'o> {
    pub regexes: &'o [fancy_regex::Regex],
    pub options: &'o Options,
    /// Lines before and after.
    pub context: (usize, usize),
    /// Whether any were asked for: groups stand apart then, also those of no lines.
    pub has_context: bool,
    pub named: bool,
    /// How wide numbers are with `-T`: as the size of the file.
    pub width: usize,
    /// Whether a group was printed, in this file or an earlier one.
    pub printed: bool,
}

impl Printer<'_> {
    /// What stands before a line or a match.
    fn prefix(&self, file: &str, line: usize, offset: usize, mark: char) -> String {
        let mut out = String::new();
        if self.named {
            out.push_str(file);
            out.push(if self.options.has('Z') { '\0' } else { mark });
        }
        if self.options.has('n') {
            out.push_str(&format!("{:width$}{mark}", line + 1, width = self.width));
        }
        if self.options.has('b') {
            out.push_str(&format!("{offset:width$}{mark}", width = self.width));
        }
        if self.options.has('T') && !out.is_empty() {
            out.push('\t');
        }
        out
    }

    fn is_coloured(&self) -> bool {
        self.options.value('K') == Some("always")
    }

    /// A line with what matches in colour, if that was asked for.
    fn coloured(&self, line: &str) -> String {
        if !self.is_coloured() {
            return line.to_owned();
        }
        let mut out = String::new();
        let mut done = 0;
        for (from, to) in self.matches(line) {
            out.push_str(&line[done..from]);
            out.push_str(&format!("\u{1b}[01;31m\u{1b}[K{}\u{1b}[m\u{1b}[K", &line[from..to]));
            done = to;
        }
        out.push_str(&line[done..]);
        out
    }

    /// What matches in a line, from its start to its end.
    fn matches(&self, line: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        while at <= line.len() {
            let next = self.regexes.iter().filter_map(|regex| regex.find_from_pos(line, at).ok().flatten());
            // The first; of those that begin there the longest.
            let Some(it) = next.min_by_key(|it| (it.start(), usize::MAX - it.end())) else { break };
            if it.end() > it.start() {
                found.push((it.start(), it.end()));
                at = it.end();
            } else {
                at = it.end() + line[it.end()..].chars().next().map_or(1, char::len_utf8);
            }
        }
        found
    }

    /// Prints the selected lines of a file and those around them.
    pub(super) fn print(&mut self, call: &mut Call<'_, '_>, file: &str, lines: &[&str], selected: &[usize]) {
        let end = if self.options.has('z') { '\0' } else { '\n' };
        let offsets: Vec<usize> = lines
            .iter()
            .scan(0, |at, line| {
                let begin = *at;
                *at += line.len() + 1;
                Some(begin)
            })
            .collect();
        let mut next = 0;
        for &at in selected {
            let from = at.saturating_sub(self.context.0).max(next);
            let apart = next == 0 || from > next;
            if self.has_context && self.context != (0, 0) && self.printed && apart {
                call.out.line("--");
            }
            let to = at.saturating_add(self.context.1).min(lines.len() - 1);
            for (i, text) in lines.iter().enumerate().take(to + 1).skip(from) {
                let is_selected = selected.binary_search(&i).is_ok();
                let mark = if is_selected { ':' } else { '-' };
                let text = if is_selected && !self.options.has('v') {
                    self.coloured(text)
                } else {
                    (*text).to_owned()
                };
                call.out.out(&format!("{}{text}{end}", self.prefix(file, i, offsets[i], mark)));
            }
            next = next.max(to + 1);
            self.printed = true;
        }
    }
}

/// `-o`: each match on a line of its own.
pub(super) fn say_matches(
    call: &mut Call<'_, '_>,
    printer: &Printer<'_>,
    file: &str,
    lines: &[&str],
    selected: &[usize],
) {
    if printer.options.has('v') {
        return;
    }
    let mut offset = 0;
    let end = if printer.options.has('z') { '\0' } else { '\n' };
    for (i, line) in lines.iter().enumerate() {
        if selected.binary_search(&i).is_ok() {
            for (from, to) in printer.matches(line) {
                let prefix = printer.prefix(file, i, offset + from, ':');
                let text = if printer.is_coloured() {
                    format!("\u{1b}[01;31m\u{1b}[K{}\u{1b}[m\u{1b}[K", &line[from..to])
                } else {
                    line[from..to].to_owned()
                };
                call.out.out(&format!("{prefix}{text}{end}"));
            }
        }
        offset += line.len() + 1;
    }
}
