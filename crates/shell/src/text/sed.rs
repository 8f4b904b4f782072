//! `sed`, the part of it that one-liners use.
//!
//! `s/re/with/[g][p][i][N]`, `p`, `d`, `q`, `a`, `i`, `c`, `y`, `=` and `{ }` with line, `$`, `/re/` and range addresses; `-n`, `-e`,
//! `-E`, `-i[SUFFIX]`.
//! MODEL: no hold space, joined lines, branches or files.

use crate::{
    eval::Flow,
    text::{Options, basic, extended, inputs, regex},
    tool::Call,
};

enum Address {
    Line(usize),
    Last,
    Match(regex::Regex),
}

struct Command {
    from: Option<Address>,
    to: Option<Address>,
    negated: bool,
    what: What,
    active: bool,
}

enum What {
    Substitute {
        pattern: regex::Regex,
        with: String,
        all: bool,
        print: bool,
        nth: usize,
    },
    Print,
    Delete,
    Quit,
    Append(String),
    Insert(String),
    Change(String),
    /// Letters that stand for others.
    Letters(Vec<(char, char)>),
    Number,
    Group(Vec<Command>),
}

/// What becomes of one line.
#[derive(Default)]
struct Line {
    text: String,
    number: usize,
    last: bool,
    deleted: bool,
    quit: bool,
    after: String,
}

/// `sed [-n] [-E] [-i] SCRIPT [FILE…]`.
pub fn run(call: &mut Call<'_, '_>) -> Result<i32, Flow> {
    let long =
        [("quiet", 'n'), ("silent", 'n'), ("expression", 'e'), ("regexp-extended", 'E'), ("in-place", 'i')];
    // What is attached to -i is the ending of the copies that are kept.
    let mut kept = String::new();
    for arg in &mut call.args {
        if let Some(suffix) = arg.strip_prefix("-i").filter(|it| it.starts_with(['.', '~', '_'])) {
            suffix.clone_into(&mut kept);
            "-i".clone_into(arg);
        }
    }
    let Some(mut options) = Options::parse(call, "nErisz", "e", &long) else { return Ok(1) };
    let mut script: Vec<String> = options.values('e').into_iter().map(str::to_owned).collect();
    if script.is_empty() {
        if options.operands.is_empty() {
            call.out.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...");
            return Ok(1);
        }
        script.push(options.operands.remove(0));
    }
    let script = script.join("\n");
    let mut commands = match parse(&script, options.has('E') || options.has('r')) {
        Ok(commands) => commands,
        Err(message) => {
            call.out.err(&format!("sed: -e expression #1, char {}: {message}", script.chars().count()));
            return Ok(1);
        }
    };
    let (texts, all) = inputs(call, &options.operands);
    let status = if all { 0 } else { 2 };
    if options.has('i') {
        for (name, text) in texts {
            let edited = edit(&text, &mut commands, options.has('n'));
            let path = call.shell.machine.path(&name);
            let files = &mut call.shell.machine.files;
            let copied = if kept.is_empty() { Ok(()) } else { files.write(&format!("{path}{kept}"), &text) };
            if let Err(error) = copied.and_then(|()| files.write(&path, &edited)) {
                call.out.err(&format!("sed: couldn't edit {name}: {error}"));
                return Ok(4);
            }
        }
        return Ok(status);
    }
    let text: String = texts.into_iter().map(|(_, t)| t).collect();
    let edited = edit(&text, &mut commands, options.has('n'));
    call.out.out(&edited);
    Ok(status)
}

fn edit(text: &str, commands: &mut [Command], quiet: bool) -> String {
    let mut out = String::new();
    let count = text.split_inclusive('\n').count();
    for (i, whole) in text.split_inclusive('\n').enumerate() {
        let (mut line, end) = match whole.strip_suffix('\n') {
            Some(line) => (line.to_owned(), "\n"),
            None => (whole.to_owned(), ""),
        };
        let mut now =
            Line { text: std::mem::take(&mut line), number: i + 1, last: i + 1 == count, ..Line::default() };
        run_all(commands, &mut now, &mut out);
        if !now.deleted && !quiet {
            out.push_str(&now.text);
            out.push_str(end);
        }
        out.push_str(&now.after);
        if now.quit {
            break;
        }
    }
    out
}

fn run_all(commands: &mut [Command], line: &mut Line, out: &mut String) {
    for command in commands.iter_mut() {
        if !command.applies(line.number, line.last, &line.text) {
            continue;
        }
        match &mut command.what {
            What::Substitute { pattern, with, all, print, nth } => {
                let mut seen = 0;
                let mut changed = false;
                line.text = pattern
                    .replace_all(&line.text.clone(), |found: &regex::Captures<'_>| {
                        seen += 1;
                        if seen == *nth || (*all && seen >= *nth) {
                            changed = true;
                            substitute(with, found)
                        } else {
                            found.get(0).map_or("", |m| m.as_str()).to_owned()
                        }
                    })
                    .into_owned();
                if *print && changed {
                    out.push_str(&line.text);
                    out.push('\n');
                }
            }
            What::Print => {
                out.push_str(&line.text);
                out.push('\n');
            }
            What::Delete => line.deleted = true,
            What::Quit => line.quit = true,
            What::Append(text) => line.after.push_str(&format!("{text}\n")),
            What::Insert(text) => out.push_str(&format!("{text}\n")),
            What::Change(text) => {
                out.push_str(&format!("{text}\n"));
                line.deleted = true;
            }
            What::Letters(pairs) => {
                let other = |c: char| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
                line.text = line.text.chars().map(other).collect();
            }
            What::Number => out.push_str(&format!("{}\n", line.number)),
            What::Group(inner) => run_all(inner, line, out),
        }
        if line.deleted || line.quit {
            break;
        }
    }
}

impl Command {
    fn applies(&mut self, number: usize, last: bool, line: &str) -> bool {
        let hit = |address: &Address| match address {
            Address::Line(n) => *n == number,
            Address::Last => last,
            Address::Match(regex) => regex.is_match(line),
        };
        let found = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => hit(from),
            (Some(from), Some(to)) => {
                if self.active {
                    self.active = match to {
                        Address::Line(n) => number < *n,
                        Address::Last | Address::Match(_) => !hit(to),
                    };
                    true
                } else if hit(from) {
                    self.active = !matches!(to, Address::Line(n) if *n <= number);
                    true
                } else {
                    false
                }
            }
        };
        found != self.negated
    }
}

fn substitute(with: &str, found: &regex::Captures<'_>) -> String {
    let mut out = String::new();
    let mut chars = with.chars();
    let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str(group(0)),
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(d) if d.is_ascii_digit() => out.push_str(group(d as usize - '0' as usize)),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(c),
        }
    }
    out
}

fn parse(script: &str, is_extended: bool) -> Result<Vec<Command>, String> {
    let mut chars = script.chars().peekable();
    let compile = |pattern: &str, insensitive: bool| {
        let pattern = if is_extended { extended(pattern) } else { basic(pattern) };
        let pattern = if insensitive { format!("(?i){pattern}") } else { pattern };
        regex(&pattern).map_err(|_| "unterminated address regex".to_owned())
    };
    commands(&mut chars, &compile, 0)
}

/// Deepest nesting of `{ }`.
const DEEPEST: usize = 20;

type Chars<'c> = std::iter::Peekable<std::str::Chars<'c>>;

fn commands(
    chars: &mut Chars<'_>,
    compile: &impl Fn(&str, bool) -> Result<regex::Regex, String>,
    depth: usize,
) -> Result<Vec<Command>, String> {
    let mut commands_here = Vec::new();
    if depth > DEEPEST {
        return Err("nested too deep".to_owned());
    }
    loop {
        while chars.peek().is_some_and(|c| c.is_whitespace() || *c == ';') {
            chars.next();
        }
        match chars.peek() {
            None if depth > 0 => return Err("unmatched `{'".to_owned()),
            None => return Ok(commands_here),
            Some('}') if depth > 0 => {
                chars.next();
                return Ok(commands_here);
            }
            Some('}') => return Err("unexpected `}'".to_owned()),
            Some(_) => {}
        }
        let from = address(chars, compile)?;
        let mut to = None;
        if chars.peek() == Some(&',') {
            chars.next();
            to = address(chars, compile)?;
            if to.is_none() {
                return Err("unexpected `,'".to_owned());
            }
        }
        while chars.peek().is_some_and(|c| *c == ' ') {
            chars.next();
        }
        let negated = chars.peek() == Some(&'!');
        if negated {
            chars.next();
        }
        let what = match chars.next() {
            Some('p') => What::Print,
            Some('d') => What::Delete,
            Some('q') => What::Quit,
            Some('=') => What::Number,
            Some('{') => What::Group(commands(chars, compile, depth + 1)?),
            Some('y') => {
                let open = "unterminated `y' command";
                let mark = chars.next().ok_or(open)?;
                let from = until(chars, mark, false).ok_or(open)?;
                let to = until(chars, mark, false).ok_or(open)?;
                if from.chars().count() != to.chars().count() {
                    return Err("strings for `y' command are different lengths".to_owned());
                }
                What::Letters(from.chars().zip(to.chars()).collect())
            }
            Some(letter @ ('a' | 'i' | 'c')) => {
                let rest: String = chars.by_ref().take_while(|c| *c != '\n').collect();
                let text = rest
                    .trim_start()
                    .strip_prefix('\\')
                    .map_or(rest.trim_start(), str::trim_start)
                    .to_owned();
                match letter {
                    'a' => What::Append(text),
                    'i' => What::Insert(text),
                    _ => What::Change(text),
                }
            }
            Some('s') => {
                let Some(mark) = chars.next() else { return Err("unterminated `s' command".to_owned()) };
                let pattern = until(chars, mark, true).ok_or("unterminated `s' command")?;
                let with = until(chars, mark, false).ok_or("unterminated `s' command")?;
                let (mut all, mut print, mut nth, mut insensitive) = (false, false, 1, false);
                while let Some(c) = chars.peek().copied().filter(|c| !matches!(c, ';' | '\n' | '}' | ' ')) {
                    chars.next();
                    match c {
                        'g' => all = true,
                        'p' => print = true,
                        'i' | 'I' => insensitive = true,
                        c => match c.to_digit(10).and_then(|d| usize::try_from(d).ok()).filter(|d| *d > 0) {
                            Some(digit) => nth = digit,
                            None => return Err("unknown option to `s'".to_owned()),
                        },
                    }
                }
                What::Substitute { pattern: compile(&pattern, insensitive)?, with, all, print, nth }
            }
            Some(other) => return Err(format!("unknown command: `{other}'")),
            None => return Err("missing command".to_owned()),
        };
        commands_here.push(Command { from, to, negated, what, active: false });
    }
}

fn address(
    chars: &mut Chars<'_>,
    compile: &impl Fn(&str, bool) -> Result<regex::Regex, String>,
) -> Result<Option<Address>, String> {
    match chars.peek() {
        Some('$') => {
            chars.next();
            Ok(Some(Address::Last))
        }
        Some('/') => {
            chars.next();
            let pattern = until(chars, '/', true).ok_or("unterminated address regex")?;
            Ok(Some(Address::Match(compile(&pattern, false)?)))
        }
        Some(c) if c.is_ascii_digit() => {
            let mut number = 0_usize;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                chars.next();
                number = number.saturating_mul(10).saturating_add(usize::try_from(digit).unwrap_or(0));
            }
            Ok(Some(Address::Line(number)))
        }
        Some(_) | None => Ok(None),
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

#[cfg(test)]
mod tests {
    use crate::text::tests::{sh, stdout};

    #[test]
    fn one_liners_work_as_in_sed() {
        for (line, wanted) in [
            ("echo aXbX | sed s/X/-/", "a-bX\n"),
            ("echo aXbX | sed s/X/-/g", "a-b-\n"),
            ("echo /a/b | sed 's#/a#[&]#'", "[/a]/b\n"),
            (r"echo ab | sed 's/\(a\)\(b\)/\2\1/'", "ba\n"),
            ("echo ab | sed -E 's/(a)(b)/\\2\\1/'", "ba\n"),
            ("seq 5 | sed -n 2,3p", "2\n3\n"),
            ("seq 3 | sed 1d", "2\n3\n"),
            ("seq 5 | sed '/2/,/4/d'", "1\n5\n"),
            ("seq 3 | sed '$d'", "1\n2\n"),
            ("seq 3 | sed -n '/2/{p;=}'", "2\n2\n"),
            ("seq 3 | sed -n '$='", "3\n"),
            ("echo abc | sed y/ab/xy/", "xyc\n"),
            ("echo a > f; sed -i.old s/a/b/ f; cat f f.old", "b\na\n"),
            ("echo 'image: a:1' > f; sed -i s/a:1/a:2/ f; cat f", "image: a:2\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
        assert_eq!(sh("echo a | sed s/a").1, "sed: -e expression #1, char 3: unterminated `s' command\n");
    }
}
