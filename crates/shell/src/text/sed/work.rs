//! What do the commands of a script do to the lines of a text?

use std::{collections::BTreeMap, rc::Rc};

use super::parse::{Address, Branch, Command, Substitute, Target, What};
use crate::{eval::Flow, files::FileError, machine::Machine};

/// Most commands that one text may take.
const MOST: usize = 5_000_000;
/// Longest output and longest pattern space, in bytes.
const MOST_BYTES: usize = 16 << 20;

/// One line: its text, whether it was ended, and the file it is from.
struct Line<'t> {
    text: &'t str,
    is_ended: bool,
    file: &'t str,
}

/// Where the work stands.
pub(super) struct Work<'m> {
    machine: &'m mut Machine,
    quiet: bool,
    /// What ends a line: a newline, or with `-z` a zero.
    mark: char,
    wrap: usize,
    /// How many lines were read.
    read: usize,
    pattern: String,
    hold: String,
    pub out: String,
    /// What `a`, `r` and `R` put, until the line is done.
    after: String,
    /// Whether something was replaced since the last line or branch.
    replaced: bool,
    /// The expression that was used last: an empty one stands for it.
    last: Option<Rc<fancy_regex::Regex>>,
    /// How many lines `R` has read of each file.
    taken: BTreeMap<String, usize>,
    steps: usize,
}

/// How a round of the commands ends.
enum End {
    /// The line is printed, unless it was deleted, and the next one read.
    Line {
        prints: bool,
    },
    /// `D`: the commands begin anew with what is left.
    Again,
    Quit {
        prints: bool,
        status: i32,
    },
}

impl<'m> Work<'m> {
    pub(super) fn new(machine: &'m mut Machine, quiet: bool, mark: char, wrap: usize) -> Self {
        Self {
            machine,
            quiet,
            mark,
            wrap,
            read: 0,
            pattern: String::new(),
            hold: String::new(),
            out: String::new(),
            after: String::new(),
            replaced: false,
            last: None,
            taken: BTreeMap::new(),
            steps: 0,
        }
    }

    /// Files that `w` writes are empty before the first line is read.
    pub(super) fn begin(&mut self, commands: &[Command]) {
        for command in commands {
            if let What::Write { file, .. } | What::Substitute(Substitute { file: Some(file), .. }) =
                &command.what
                && !file.starts_with("/dev/")
            {
                let path = self.machine.path(file);
                // UPSTREAM: a file that cannot be opened is said before anything runs; here nothing is written to it.
                self.machine.files.write(&path, "").unwrap_or_default();
            }
        }
    }

    /// `-i`: the edited text takes the file's place; a copy stays where one is wanted.
    pub(super) fn replace(
        &mut self,
        name: &str,
        suffix: &str,
        before: &str,
        after: &str,
    ) -> Result<(), FileError> {
        let path = self.machine.path(name);
        if !suffix.is_empty() {
            // A star stands for the name.
            let copy = if suffix.contains('*') {
                crate::files::resolve(
                    crate::files::parent(&path),
                    &suffix.replace('*', crate::files::base(&path)),
                )
            } else {
                format!("{path}{suffix}")
            };
            self.machine.files.write(&copy, before)?;
        }
        self.machine.files.write(&path, after)
    }

    /// Edits texts as one; the status that a `q` gave.
    pub(super) fn edit(
        &mut self,
        texts: &[(&str, &str)],
        commands: &mut [Command],
    ) -> Result<Option<i32>, Flow> {
        let mut lines = Vec::new();
        for (file, text) in texts {
            for line in text.split_inclusive(self.mark) {
                let bare = line.strip_suffix(self.mark);
                lines.push(Line { text: bare.unwrap_or(line), is_ended: bare.is_some(), file });
            }
        }
        // A line that another follows is ended.
        let count = lines.len();
        lines.iter_mut().take(count.saturating_sub(1)).for_each(|line| line.is_ended = true);
        self.read = 0;
        let mut again = false;
        while again || self.next(&lines, false) {
            again = false;
            let end = self.round(&lines, commands)?;
            let prints = match end {
                End::Line { prints } | End::Quit { prints, .. } => prints,
                End::Again => {
                    again = true;
                    false
                }
            };
            if prints && !self.quiet {
                self.print(&lines);
            }
            self.flush();
            if let End::Quit { status, .. } = end {
                return Ok(Some(status));
            }
        }
        Ok(None)
    }

    /// Reads the next line, in place of the pattern space or after it; whether there was one.
    fn next(&mut self, lines: &[Line<'_>], joins: bool) -> bool {
        let Some(line) = lines.get(self.read) else { return false };
        if joins {
            self.pattern.push(self.mark);
        } else {
            self.pattern.clear();
        }
        self.pattern.push_str(line.text);
        self.read += 1;
        true
    }

    /// Prints the pattern space; the last line ends as it did.
    fn print(&mut self, lines: &[Line<'_>]) {
        self.out.push_str(&self.pattern);
        let whole = self.read.checked_sub(1).and_then(|at| lines.get(at));
        if whole.is_none_or(|line| line.is_ended) {
            self.out.push(self.mark);
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push(self.mark);
    }

    fn flush(&mut self) {
        self.out.push_str(&std::mem::take(&mut self.after));
    }

    fn matches(&mut self, regex: Option<&Rc<fancy_regex::Regex>>) -> bool {
        let Some(regex) = regex.or(self.last.as_ref()).cloned() else { return false };
        let found = regex.is_match(self.pattern.as_str()).unwrap_or(false);
        self.last = Some(regex);
        found
    }

    fn round(&mut self, lines: &[Line<'_>], commands: &mut [Command]) -> Result<End, Flow> {
        let mut at = 0;
        while at < commands.len() {
            self.steps += 1;
            if self.steps > MOST || self.out.len() + self.pattern.len() + self.hold.len() > MOST_BYTES {
                return Err(Flow::Stopped(format!("{MOST} commands of sed, or {} MB", MOST_BYTES >> 20)));
            }
            let is_last = self.read >= lines.len();
            let applies = self.applies(&mut commands[at], is_last);
            let command = &commands[at];
            at += 1;
            if !applies {
                if let What::Open(end) = command.what {
                    at = end;
                }
                continue;
            }
            match &command.what {
                What::Substitute(it) => self.substitute(it),
                What::Print => {
                    let text = self.pattern.clone();
                    self.line(&text);
                }
                What::PrintFirst => {
                    let text = self.pattern.split(self.mark).next().unwrap_or_default().to_owned();
                    self.line(&text);
                }
                What::List(width) => {
                    let shown = listed(&self.pattern, width.unwrap_or(self.wrap));
                    self.out.push_str(&shown);
                }
                What::Delete => return Ok(End::Line { prints: false }),
                What::DeleteFirst => match self.pattern.split_once(self.mark) {
                    None => return Ok(End::Line { prints: false }),
                    Some((_, rest)) => {
                        self.pattern = rest.to_owned();
                        return Ok(End::Again);
                    }
                },
                What::Empty => self.pattern.clear(),
                What::Next | What::Join => {
                    let joins = matches!(command.what, What::Join);
                    if is_last {
                        return Ok(End::Quit { prints: true, status: 0 });
                    }
                    if !joins && !self.quiet {
                        self.print(lines);
                    }
                    self.flush();
                    self.next(lines, joins);
                }
                What::Quit { prints, status } => return Ok(End::Quit { prints: *prints, status: *status }),
                What::Append(text) => self.after.push_str(&format!("{text}\n")),
                What::Insert(text) => self.out.push_str(&format!("{text}\n")),
                What::Change(text) => {
                    if command.to.is_none() || !command.active || command.negated {
                        self.out.push_str(&format!("{text}\n"));
                    }
                    return Ok(End::Line { prints: false });
                }
                What::Letters(pairs) => {
                    let other = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                    self.pattern = self.pattern.chars().map(other).collect();
                }
                What::Number => self.out.push_str(&format!("{}\n", self.read)),
                What::File => {
                    let name =
                        self.read.checked_sub(1).and_then(|at| lines.get(at)).map_or("-", |line| line.file);
                    self.out.push_str(&format!("{name}\n"));
                }
                What::Read(file) => {
                    let path = self.machine.path(file);
                    if let Ok(text) = self.machine.files.read(&path) {
                        self.after.push_str(&text);
                    }
                }
                What::ReadLine(file) => {
                    let path = self.machine.path(file);
                    let taken = self.taken.entry(file.clone()).or_default();
                    if let Ok(text) = self.machine.files.read(&path)
                        && let Some(line) = crate::text::lines(&text).nth(*taken)
                    {
                        *taken += 1;
                        self.after.push_str(&format!("{line}\n"));
                    }
                }
                What::Write { file, whole } => {
                    let text = if *whole {
                        &self.pattern
                    } else {
                        self.pattern.split('\n').next().unwrap_or_default()
                    };
                    let text = text.to_owned();
                    self.write(file, &text);
                }
                What::Hold { adds: true } => {
                    self.hold = format!("{}{}{}", self.hold, self.mark, self.pattern);
                }
                What::Hold { adds: false } => self.hold.clone_from(&self.pattern),
                What::Get { adds: true } => {
                    self.pattern = format!("{}{}{}", self.pattern, self.mark, self.hold);
                }
                What::Get { adds: false } => self.pattern.clone_from(&self.hold),
                What::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
                What::Jump(branch, target) => {
                    let replaced = self.replaced;
                    if *branch != Branch::Always {
                        self.replaced = false;
                    }
                    let taken = match branch {
                        Branch::Always => true,
                        Branch::Replaced => replaced,
                        Branch::Not => !replaced,
                    };
                    if let (true, Target::At(there)) = (taken, target) {
                        at = *there;
                    }
                }
                What::Open(_) | What::Nothing => {}
            }
        }
        self.replaced = false;
        Ok(End::Line { prints: true })
    }

    fn write(&mut self, file: &str, text: &str) {
        let line = format!("{text}{}", self.mark);
        match file {
            "/dev/stdout" => self.out.push_str(&line),
            _ => {
                let path = self.machine.path(file);
                self.machine.files.append(&path, &line).unwrap_or_default();
            }
        }
    }

    fn substitute(&mut self, it: &Substitute) {
        let Some(regex) = it.pattern.as_ref().or(self.last.as_ref()).cloned() else { return };
        let (mut out, mut done, mut seen, mut changed) = (String::new(), 0, 0, false);
        for found in regex.captures_iter(self.pattern.as_str()).map_while(Result::ok) {
            let Some(whole) = found.get(0) else { break };
            seen += 1;
            if seen == it.nth || (it.all && seen >= it.nth) {
                changed = true;
                out.push_str(&self.pattern[done..whole.start()]);
                out.push_str(&filled(&it.with, &found));
                done = whole.end();
                if !it.all {
                    break;
                }
            }
        }
        out.push_str(&self.pattern[done..]);
        self.last = Some(regex);
        self.pattern = out;
        self.replaced |= changed;
        if changed && it.print {
            let text = self.pattern.clone();
            self.line(&text);
        }
        if let Some(file) = it.file.as_ref().filter(|_| changed) {
            let text = self.pattern.clone();
            self.write(file, &text);
        }
    }

    fn hits(&mut self, address: &Address, is_last: bool) -> bool {
        match address {
            Address::Line(n) => *n == self.read,
            Address::Step(first, 0) => *first == self.read,
            Address::Step(first, step) => self.read >= *first && (self.read - first).is_multiple_of(*step),
            Address::More(_) | Address::Multiple(_) => false,
            Address::Last => is_last,
            Address::Match(regex) => self.matches(regex.as_ref()),
        }
    }

    fn applies(&mut self, command: &mut Command, is_last: bool) -> bool {
        let number = self.read;
        let found = match (&command.from, &command.to) {
            (None, _) => true,
            (Some(from), None) => self.hits(from, is_last),
            (Some(_), Some(to)) if command.active => {
                command.active = match (to, command.until) {
                    (_, Some(until)) => number < until,
                    (to, None) => !self.hits(to, is_last),
                };
                // A line before which the range would have ended is not of it, unless it began there.
                command.until.is_none_or(|until| number <= until)
            }
            // `0,/re/`: the end may be on the first line already.
            (Some(Address::Line(0)), Some(to)) if number == 1 => {
                command.active = !self.hits(to, is_last);
                true
            }
            (Some(from), Some(to)) if self.hits(from, is_last) => {
                command.until = match to {
                    Address::Line(n) => Some(*n),
                    Address::More(n) => Some(number.saturating_add(*n)),
                    Address::Multiple(0) => Some(number),
                    Address::Multiple(n) => Some((number / n + 1).saturating_mul(*n)),
                    Address::Last | Address::Match(_) | Address::Step(..) => None,
                };
                command.active = match command.until {
                    Some(until) => until > number,
                    None => !(matches!(to, Address::Last) && is_last),
                };
                true
            }
            (Some(_), Some(_)) => false,
        };
        found != command.negated
    }
}

/// `l`: what cannot be seen in C's escapes, lines folded.
fn listed(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for byte in text.bytes() {
        let piece = match byte {
            b'\\' => "\\\\".to_owned(),
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            12 => "\\f".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            11 => "\\v".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            other => format!("\\{other:03o}"),
        };
        if width > 1 && column + piece.len() > width - 1 {
            out.push_str("\\\n");
            column = 0;
        }
        column += piece.len();
        out.push_str(&piece);
    }
    out.push_str("$\n");
    out
}

/// What a match is replaced with. UPSTREAM: `\U`, `\L` and `\E` change the letters that follow, `\u` and `\l` the next one.
fn filled(with: &str, found: &fancy_regex::Captures<'_, str>) -> String {
    let mut out = String::new();
    let (mut all, mut one) = (None, None);
    let mut put = |text: &str, all: Option<char>, one: &mut Option<char>| {
        for c in text.chars() {
            match one.take().or(all) {
                Some('U' | 'u') => out.extend(c.to_uppercase()),
                Some('L' | 'l') => out.extend(c.to_lowercase()),
                _ => out.push(c),
            }
        }
    };
    let mut chars = with.chars();
    let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
    while let Some(c) = chars.next() {
        match c {
            '&' => put(group(0), all, &mut one),
            '\\' => match chars.next() {
                Some('n') => put("\n", all, &mut one),
                Some('t') => put("\t", all, &mut one),
                Some(case @ ('U' | 'L')) => all = Some(case),
                Some('E') => all = None,
                Some(case @ ('u' | 'l')) => one = Some(case),
                Some(d) if d.is_ascii_digit() => put(group(d as usize - '0' as usize), all, &mut one),
                Some(other) => put(other.encode_utf8(&mut [0; 4]), all, &mut one),
                None => {}
            },
            c => put(c.encode_utf8(&mut [0; 4]), all, &mut one),
        }
    }
    out
}
