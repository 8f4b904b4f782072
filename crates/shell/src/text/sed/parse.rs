//! What does a script of `sed` say? Its commands in a row, braces and branches as jumps.

use std::rc::Rc;

use crate::text::pattern::{Flavour, fancy, translated};

pub(super) enum Address {
    Line(usize),
    /// `first~step`.
    Step(usize, usize),
    /// `,+N`: so many lines more.
    More(usize),
    /// `,~N`: up to a multiple of it.
    Multiple(usize),
    Last,
    /// An expression; none for the one that was used last.
    Match(Option<Rc<fancy_regex::Regex>>),
}

pub(super) struct Command {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub negated: bool,
    pub what: What,
    /// The line at which an open range ends, where it is known.
    pub until: Option<usize>,
    pub active: bool,
}

pub(super) struct Substitute {
    /// None for the expression that was used last.
    pub pattern: Option<Rc<fancy_regex::Regex>>,
    pub with: String,
    pub all: bool,
    pub print: bool,
    pub nth: usize,
    /// Where a changed line is written too.
    pub file: Option<String>,
}

/// When a branch is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Branch {
    Always,
    /// `t`: if something was replaced since the last line or branch.
    Replaced,
    /// `T`: if nothing was.
    Not,
}

pub(super) enum What {
    Substitute(Substitute),
    Print,
    /// `P`: up to the first newline.
    PrintFirst,
    /// `l`: so that everything can be seen.
    List(Option<usize>),
    Delete,
    /// `z`: nothing is left.
    Empty,
    /// `D`.
    DeleteFirst,
    Next,
    /// `N`.
    Join,
    Quit {
        prints: bool,
        status: i32,
    },
    Append(String),
    Insert(String),
    Change(String),
    /// Letters that stand for others.
    Letters(Vec<(char, char)>),
    Number,
    /// `F`: the file's name.
    File,
    Read(String),
    ReadLine(String),
    /// `w`, and of the first line only `W`.
    Write {
        file: String,
        whole: bool,
    },
    /// `h`, `H`: into the hold space.
    Hold {
        adds: bool,
    },
    /// `g`, `G`: out of it.
    Get {
        adds: bool,
    },
    Exchange,
    /// Goes on at another command.
    Jump(Branch, Target),
    /// `{`: what follows up to the command is skipped where this one does not apply.
    Open(usize),
    /// `}` or a label.
    Nothing,
}

pub(super) enum Target {
    /// A label that was not met yet; empty for the end.
    Label(String),
    At(usize),
}

/// Deepest nesting of `{ }`.
const DEEPEST: usize = 20;

type Chars<'c> = std::iter::Peekable<std::str::Chars<'c>>;

struct Script<'c> {
    chars: Chars<'c>,
    is_extended: bool,
    commands: Vec<Command>,
    labels: Vec<(String, usize)>,
    open: Vec<usize>,
}

/// What is wrong, and behind how many characters; some errors have no place.
pub(super) type Wrong = (Option<usize>, String);

pub(super) fn script(text: &str, is_extended: bool) -> Result<Vec<Command>, Wrong> {
    let mut script = Script {
        chars: text.chars().peekable(),
        is_extended,
        commands: Vec::new(),
        labels: Vec::new(),
        open: Vec::new(),
    };
    let total = text.chars().count();
    loop {
        match script.command() {
            Ok(true) => {}
            Ok(false) => break,
            Err(message) => return Err((Some(total - script.chars.count()), message)),
        }
    }
    if !script.open.is_empty() {
        return Err((Some(0), "unmatched `{'".to_owned()));
    }
    let end = script.commands.len();
    for command in &mut script.commands {
        if let What::Jump(_, target) = &mut command.what
            && let Target::Label(name) = &*target
        {
            let found = script.labels.iter().find(|(it, _)| it == name).map(|(_, at)| *at);
            match found.or(name.is_empty().then_some(end)) {
                Some(at) => *target = Target::At(at),
                None => return Err((None, format!("can't find label for jump to `{name}'"))),
            }
        }
    }
    Ok(script.commands)
}

impl Script<'_> {
    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        while self.chars.next_if(|c| is_skipped(*c)).is_some() {}
    }

    fn number(&mut self) -> usize {
        let mut number = 0_usize;
        while let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(10)) {
            self.chars.next();
            number = number.saturating_mul(10).saturating_add(usize::try_from(digit).unwrap_or(0));
        }
        number
    }

    fn compile(
        &self,
        pattern: &str,
        insensitive: bool,
        lines: bool,
    ) -> Result<Option<Rc<fancy_regex::Regex>>, String> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let flavour = if self.is_extended { Flavour::Extended } else { Flavour::Basic };
        let read = translated(pattern, flavour)?;
        Ok(Some(Rc::new(fancy(&read, insensitive, lines)?)))
    }

    /// The rest of a line: the name of a file.
    fn file(&mut self) -> Result<String, String> {
        self.skip(|c| c == ' ' || c == '\t');
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| *c != '\n') {
            name.push(c);
        }
        if name.is_empty() { Err("missing filename in r/R/w/W commands".to_owned()) } else { Ok(name) }
    }

    /// A command must end where its line, its block or a semicolon does.
    fn ended(&mut self, what: What) -> Result<What, String> {
        self.skip(|c| c == ' ' || c == '\t');
        match self.chars.peek() {
            None | Some(';' | '\n' | '}' | '#') => Ok(what),
            Some(_) => {
                self.chars.next();
                Err("extra characters after command".to_owned())
            }
        }
    }

    /// Reads one command; whether there was one.
    fn command(&mut self) -> Result<bool, String> {
        self.skip(|c| c.is_whitespace() || c == ';');
        match self.chars.peek() {
            None => return Ok(false),
            Some('#') => {
                self.skip(|c| c != '\n');
                return Ok(true);
            }
            Some(_) => {}
        }
        let from = self.address()?;
        let mut to = None;
        if self.chars.next_if_eq(&',').is_some() {
            self.skip(|c| c == ' ');
            to = if self.chars.next_if_eq(&'+').is_some() {
                Some(Address::More(self.number()))
            } else if self.chars.next_if_eq(&'~').is_some() {
                Some(Address::Multiple(self.number()))
            } else {
                self.address()?
            };
            if to.is_none() {
                return Err("unexpected `,'".to_owned());
            }
        }
        if matches!(from, Some(Address::Line(0))) && !matches!(to, Some(Address::Match(_))) {
            return Err("invalid usage of line address 0".to_owned());
        }
        self.skip(|c| c == ' ');
        let negated = self.chars.next_if_eq(&'!').is_some();
        self.skip(|c| c == ' ');
        let Some(letter) = self.chars.next() else { return Err("missing command".to_owned()) };
        let what = self.what(letter)?;
        self.commands.push(Command { from, to, negated, what, until: None, active: false });
        Ok(true)
    }

    fn what(&mut self, letter: char) -> Result<What, String> {
        let here = self.commands.len();
        Ok(match letter {
            'p' => self.ended(What::Print)?,
            'P' => self.ended(What::PrintFirst)?,
            'd' => self.ended(What::Delete)?,
            'D' => self.ended(What::DeleteFirst)?,
            'n' => self.ended(What::Next)?,
            'N' => self.ended(What::Join)?,
            'h' | 'H' => self.ended(What::Hold { adds: letter == 'H' })?,
            'g' | 'G' => self.ended(What::Get { adds: letter == 'G' })?,
            'x' => self.ended(What::Exchange)?,
            'z' => self.ended(What::Empty)?,
            'F' => self.ended(What::File)?,
            '=' => self.ended(What::Number)?,
            'l' => {
                self.skip(|c| c == ' ');
                let is_given = self.chars.peek().is_some_and(char::is_ascii_digit);
                let width = self.number();
                self.ended(What::List(is_given.then_some(width)))?
            }
            'r' => What::Read(self.file()?),
            'R' => What::ReadLine(self.file()?),
            'w' | 'W' => What::Write { file: self.file()?, whole: letter == 'w' },
            'q' | 'Q' => {
                self.skip(|c| c == ' ');
                What::Quit { prints: letter == 'q', status: i32::try_from(self.number()).unwrap_or(1) }
            }
            ':' => {
                let name = self.label();
                if name.is_empty() {
                    return Err("\":\" lacks a label".to_owned());
                }
                self.labels.push((name, here));
                What::Nothing
            }
            'b' => What::Jump(Branch::Always, Target::Label(self.label())),
            't' => What::Jump(Branch::Replaced, Target::Label(self.label())),
            'T' => What::Jump(Branch::Not, Target::Label(self.label())),
            '{' => {
                if self.open.len() >= DEEPEST {
                    return Err("nested too deep".to_owned());
                }
                self.open.push(here);
                What::Open(here)
            }
            '}' => {
                let Some(open) = self.open.pop() else { return Err("unexpected `}'".to_owned()) };
                self.commands[open].what = What::Open(here);
                What::Nothing
            }
            'y' => {
                let open = "unterminated `y' command";
                let mark = self.chars.next().ok_or(open)?;
                let plain =
                    |text: String| text.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
                let from = plain(until(&mut self.chars, mark, false).ok_or(open)?);
                let to = plain(until(&mut self.chars, mark, false).ok_or(open)?);
                if from.chars().count() != to.chars().count() {
                    return Err("strings for `y' command are different lengths".to_owned());
                }
                What::Letters(from.chars().zip(to.chars()).collect())
            }
            'a' | 'i' | 'c' => {
                let text = self.text().ok_or("expected \\ after `a', `c' or `i'")?;
                match letter {
                    'a' => What::Append(text),
                    'i' => What::Insert(text),
                    _ => What::Change(text),
                }
            }
            's' => What::Substitute(self.substitute()?),
            other => return Err(format!("unknown command: `{other}'")),
        })
    }

    /// The name of a label: up to a semicolon, a brace or the line's end.
    fn label(&mut self) -> String {
        self.skip(|c| c == ' ');
        let mut name = String::new();
        while let Some(c) = self.chars.next_if(|c| !matches!(c, ';' | '\n' | '}')) {
            name.push(c);
        }
        name.trim_end().to_owned()
    }

    /// What `a`, `i` and `c` put: the rest of the line, or the lines after a backslash.
    fn text(&mut self) -> Option<String> {
        self.skip(|c| c == ' ' || c == '\t');
        if self.chars.next_if_eq(&'\\').is_some() {
            // What stands on the line itself keeps its blanks; blanks alone are none of it.
            let mut ahead = self.chars.clone();
            while ahead.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
            if ahead.next_if_eq(&'\n').is_some() {
                self.chars = ahead;
            }
        }
        self.chars.peek()?;
        let mut text = String::new();
        while let Some(c) = self.chars.next().filter(|c| *c != '\n') {
            match c {
                '\\' => text.extend(self.chars.next()),
                c => text.push(c),
            }
        }
        Some(text)
    }

    fn substitute(&mut self) -> Result<Substitute, String> {
        let open = "unterminated `s' command";
        let mark = self.chars.next().ok_or(open)?;
        let pattern = until(&mut self.chars, mark, true).ok_or(open)?;
        let with = until(&mut self.chars, mark, false).ok_or(open)?;
        let (mut all, mut print, mut nth) = (false, false, None);
        let (mut insensitive, mut lines, mut file) = (false, false, None);
        while let Some(c) = self.chars.peek().copied().filter(|c| !matches!(c, ';' | '\n' | '}' | ' ' | '#'))
        {
            if c.is_ascii_digit() {
                let number = self.number();
                if number == 0 {
                    return Err("number option to `s' command may not be zero".to_owned());
                }
                if nth.replace(number).is_some() {
                    return Err("multiple number options to `s' command".to_owned());
                }
                continue;
            }
            self.chars.next();
            match c {
                'g' | 'p' => {
                    let flag = if c == 'g' { &mut all } else { &mut print };
                    if std::mem::replace(flag, true) {
                        return Err(format!("multiple `{c}' options to `s' command"));
                    }
                }
                'i' | 'I' => insensitive = true,
                'm' | 'M' => lines = true,
                'w' => {
                    file = Some(self.file()?);
                    break;
                }
                _ => return Err("unknown option to `s'".to_owned()),
            }
        }
        let pattern = self.compile(&pattern, insensitive, lines)?;
        let groups = pattern.as_ref().map_or(9, |it| it.captures_len() - 1);
        let mut escaped = with.chars();
        while let Some(c) = escaped.next() {
            let digit = if c == '\\' { escaped.next().and_then(|c| c.to_digit(10)) } else { None };
            if let Some(digit) = digit.filter(|it| usize::try_from(*it).is_ok_and(|it| it > groups)) {
                return Err(format!("invalid reference \\{digit} on `s' command's RHS"));
            }
        }
        Ok(Substitute { pattern, with, all, print, nth: nth.unwrap_or(1), file })
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        match self.chars.peek() {
            Some('$') => {
                self.chars.next();
                Ok(Some(Address::Last))
            }
            Some(c @ ('/' | '\\')) => {
                let own = *c == '\\';
                self.chars.next();
                let mark = if own { self.chars.next() } else { Some('/') };
                let mark = mark.ok_or("unterminated address regex")?;
                let pattern = until(&mut self.chars, mark, true).ok_or("unterminated address regex")?;
                let (mut insensitive, mut lines) = (false, false);
                while let Some(c) = self.chars.next_if(|c| matches!(c, 'I' | 'M')) {
                    insensitive |= c == 'I';
                    lines |= c == 'M';
                }
                Ok(Some(Address::Match(self.compile(&pattern, insensitive, lines)?)))
            }
            Some(c) if c.is_ascii_digit() => {
                let first = self.number();
                if self.chars.next_if_eq(&'~').is_some() {
                    return Ok(Some(Address::Step(first, self.number())));
                }
                Ok(Some(Address::Line(first)))
            }
            Some(_) | None => Ok(None),
        }
    }
}

/// The text up to an unescaped mark; an escaped mark loses its backslash.
fn until(chars: &mut Chars<'_>, mark: char, brackets: bool) -> Option<String> {
    let mut out = String::new();
    let mut inside = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                escaped if escaped == mark => out.push(escaped),
                other => {
                    out.push('\\');
                    out.push(other);
                }
            },
            '[' if brackets => {
                inside = true;
                out.push(c);
            }
            ']' if brackets => {
                inside = false;
                out.push(c);
            }
            c if c == mark && !inside => return Some(out),
            c => out.push(c),
        }
    }
    None
}
