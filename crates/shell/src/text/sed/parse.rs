//! What does a script of `sed` say? Its commands in a row, braces and branches as jumps.

use crate::text::{basic, extended, regex};

pub(super) enum Address {
    Line(usize),
    /// `first~step`.
    Step(usize, usize),
    /// `,+N`: so many lines more.
    More(usize),
    Last,
    Match(regex::Regex),
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
    pub pattern: regex::Regex,
    pub with: String,
    pub all: bool,
    pub print: bool,
    pub nth: usize,
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
    Delete,
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

pub(super) fn script(text: &str, is_extended: bool) -> Result<Vec<Command>, String> {
    let mut script = Script {
        chars: text.chars().peekable(),
        is_extended,
        commands: Vec::new(),
        labels: Vec::new(),
        open: Vec::new(),
    };
    while script.command()? {}
    if !script.open.is_empty() {
        return Err("unmatched `{'".to_owned());
    }
    let end = script.commands.len();
    for command in &mut script.commands {
        if let What::Jump(_, target) = &mut command.what
            && let Target::Label(name) = &*target
        {
            let found = script.labels.iter().find(|(it, _)| it == name).map(|(_, at)| *at);
            match found.or(name.is_empty().then_some(end)) {
                Some(at) => *target = Target::At(at),
                None => return Err(format!("can't find label for jump to `{name}'")),
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

    fn compile(&self, pattern: &str, insensitive: bool) -> Result<regex::Regex, String> {
        let pattern = if self.is_extended { extended(pattern) } else { basic(pattern) };
        let pattern = if insensitive { format!("(?i){pattern}") } else { pattern };
        regex(&pattern).map_err(|_| "unterminated address regex".to_owned())
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
            } else {
                self.address()?
            };
            if to.is_none() {
                return Err("unexpected `,'".to_owned());
            }
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
            'p' => What::Print,
            'P' => What::PrintFirst,
            'd' => What::Delete,
            'D' => What::DeleteFirst,
            'n' => What::Next,
            'N' => What::Join,
            'h' | 'H' => What::Hold { adds: letter == 'H' },
            'g' | 'G' => What::Get { adds: letter == 'G' },
            'x' => What::Exchange,
            '=' => What::Number,
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
                let from = until(&mut self.chars, mark, false).ok_or(open)?;
                let to = until(&mut self.chars, mark, false).ok_or(open)?;
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
            self.skip(|c| c == ' ');
            self.chars.next_if_eq(&'\n');
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
        let (mut all, mut print, mut nth, mut insensitive) = (false, false, 1, false);
        while let Some(c) = self.chars.peek().copied().filter(|c| !matches!(c, ';' | '\n' | '}' | ' ')) {
            if c.is_ascii_digit() && c != '0' {
                nth = self.number();
                continue;
            }
            self.chars.next();
            match c {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => insensitive = true,
                _ => return Err("unknown option to `s'".to_owned()),
            }
        }
        Ok(Substitute { pattern: self.compile(&pattern, insensitive)?, with, all, print, nth })
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
                let insensitive = self.chars.next_if_eq(&'I').is_some();
                Ok(Some(Address::Match(self.compile(&pattern, insensitive)?)))
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
