//! `sed`, the part of it that one-liners use.
//!
//! Every command but `e`, `l`, `r`, `w`, with line, `$`, `first~step`, `/re/` and range addresses; `-n`, `-e`, `-E`, `-i[SUFFIX]`.
//! Source: GNU sed 4.9, `execute.c`.

mod parse;

use parse::{Address, Branch, Command, Substitute, Target, What};

use crate::{
    eval::Flow,
    text::{Options, inputs},
    tool::Call,
};

/// Most commands that one text may take.
const MOST: usize = 5_000_000;

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
    let mut commands = match parse::script(&script, options.has('E') || options.has('r')) {
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
            let (edited, _) = edit(&text, &mut commands, options.has('n'))?;
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
    let (edited, own) = edit(&text, &mut commands, options.has('n'))?;
    call.out.out(&edited);
    Ok(if status == 0 { own } else { status })
}

/// Where the work stands.
struct Work<'t> {
    lines: Vec<&'t str>,
    /// How many lines were read.
    read: usize,
    pattern: String,
    hold: String,
    out: String,
    /// What `a` put, until the line is done.
    after: String,
    /// Whether something was replaced since the last line or branch.
    replaced: bool,
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

/// What becomes of a text, and with which status.
fn edit(text: &str, commands: &mut [Command], quiet: bool) -> Result<(String, i32), Flow> {
    let mut work = Work {
        lines: text.split_inclusive('\n').collect(),
        read: 0,
        pattern: String::new(),
        hold: String::new(),
        out: String::new(),
        after: String::new(),
        replaced: false,
    };
    let (mut steps, mut status, mut again) = (0, 0, false);
    while again || work.next(false) {
        again = false;
        let end = work.round(commands, quiet, &mut steps)?;
        let prints = match end {
            End::Line { prints } | End::Quit { prints, .. } => prints,
            End::Again => {
                again = true;
                false
            }
        };
        if prints && !quiet {
            work.print();
        }
        work.flush();
        if let End::Quit { status: own, .. } = end {
            status = own;
            break;
        }
    }
    Ok((work.out, status))
}

impl Work<'_> {
    /// Reads the next line, in place of the pattern space or after it; whether there was one.
    fn next(&mut self, joins: bool) -> bool {
        let Some(line) = self.lines.get(self.read) else { return false };
        let line = line.strip_suffix('\n').unwrap_or(line);
        if joins {
            self.pattern.push('\n');
        } else {
            self.pattern.clear();
        }
        self.pattern.push_str(line);
        self.read += 1;
        true
    }

    fn is_last(&self) -> bool {
        self.read >= self.lines.len()
    }

    /// Prints the pattern space; the last line ends as it did.
    fn print(&mut self) {
        self.out.push_str(&self.pattern);
        let whole = self.read.checked_sub(1).and_then(|at| self.lines.get(at));
        if whole.is_none_or(|line| line.ends_with('\n')) {
            self.out.push('\n');
        }
    }

    fn flush(&mut self) {
        self.out.push_str(&std::mem::take(&mut self.after));
    }

    fn round(&mut self, commands: &mut [Command], quiet: bool, steps: &mut usize) -> Result<End, Flow> {
        let mut at = 0;
        while let Some(command) = commands.get_mut(at) {
            *steps += 1;
            if *steps > MOST {
                return Err(Flow::Stopped(format!("{MOST} commands of sed")));
            }
            at += 1;
            let applies = command.applies(self.read, self.is_last(), &self.pattern);
            if !applies {
                if let What::Open(end) = command.what {
                    at = end;
                }
                continue;
            }
            match &command.what {
                What::Substitute(it) => self.substitute(it),
                What::Print => {
                    self.out.push_str(&self.pattern);
                    self.out.push('\n');
                }
                What::PrintFirst => {
                    self.out.push_str(self.pattern.split('\n').next().unwrap_or_default());
                    self.out.push('\n');
                }
                What::Delete => return Ok(End::Line { prints: false }),
                What::DeleteFirst => match self.pattern.split_once('\n') {
                    None => return Ok(End::Line { prints: false }),
                    Some((_, rest)) => {
                        self.pattern = rest.to_owned();
                        return Ok(End::Again);
                    }
                },
                What::Next | What::Join => {
                    let joins = matches!(command.what, What::Join);
                    if self.is_last() {
                        return Ok(End::Quit { prints: true, status: 0 });
                    }
                    if !joins && !quiet {
                        self.print();
                    }
                    self.flush();
                    self.next(joins);
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
                What::Hold { adds: true } => self.hold = format!("{}\n{}", self.hold, self.pattern),
                What::Hold { adds: false } => self.hold.clone_from(&self.pattern),
                What::Get { adds: true } => self.pattern = format!("{}\n{}", self.pattern, self.hold),
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

    fn substitute(&mut self, it: &Substitute) {
        let (mut seen, mut changed) = (0, false);
        let after = it.pattern.replace_all(&self.pattern, |found: &regex::Captures<'_>| {
            seen += 1;
            if seen == it.nth || (it.all && seen >= it.nth) {
                changed = true;
                filled(&it.with, found)
            } else {
                found.get(0).map_or("", |m| m.as_str()).to_owned()
            }
        });
        self.pattern = after.into_owned();
        self.replaced |= changed;
        if it.print && changed {
            self.out.push_str(&self.pattern);
            self.out.push('\n');
        }
    }
}

impl Command {
    fn applies(&mut self, number: usize, last: bool, line: &str) -> bool {
        let hit = |address: &Address| match address {
            Address::Line(n) => *n == number,
            Address::Step(first, 0) => *first == number,
            Address::Step(first, step) => number >= *first && (number - first).is_multiple_of(*step),
            Address::More(_) => false,
            Address::Last => last,
            Address::Match(regex) => regex.is_match(line),
        };
        let found = match (&self.from, &self.to) {
            (None, _) => true,
            (Some(from), None) => hit(from),
            (Some(_), Some(to)) if self.active => {
                self.active = match (to, self.until) {
                    (_, Some(until)) => number < until,
                    (to, None) => !hit(to),
                };
                // A line before which the range would have ended is not of it, unless it began there.
                self.until.is_none_or(|until| number <= until)
            }
            // `0,/re/`: the end may be on the first line already.
            (Some(Address::Line(0)), Some(to @ Address::Match(_))) if number == 1 => {
                self.active = !hit(to);
                true
            }
            (Some(from), Some(to)) if hit(from) => {
                self.until = match to {
                    Address::Line(n) => Some(*n),
                    Address::More(n) => Some(number + n),
                    Address::Last | Address::Match(_) | Address::Step(..) => None,
                };
                self.active = match self.until {
                    Some(until) => until > number,
                    None => !(matches!(to, Address::Last) && last),
                };
                true
            }
            (Some(_), Some(_)) => false,
        };
        found != self.negated
    }
}

/// What a match is replaced with. UPSTREAM: `\U`, `\L` and `\E` change the letters that follow, `\u` and `\l` the next one.
fn filled(with: &str, found: &regex::Captures<'_>) -> String {
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
            ("seq 4 | sed '$!N;s/\\n/-/'", "1-2\n3-4\n"),
            ("seq 3 | sed ':a;N;$!ba;s/\\n/,/g'", "1,2,3\n"),
            ("seq 3 | sed '1!G;h;$!d'", "3\n2\n1\n"),
            ("seq 3 | sed -n 'x;p'", "\n1\n2\n"),
            ("printf 'a\\nb\\n' | sed 's/a/x/;tend;s/^/no:/;:end'", "x\nno:b\n"),
            ("seq 3 | sed -e '2i\\' -e 'two'", "1\ntwo\n2\n3\n"),
            ("seq 4 | sed '2,3c x'", "1\nx\n4\n"),
            ("seq 5 | sed -n '2,+1p;1~4p'", "1\n2\n3\n5\n"),
            ("seq 3 | sed '$!N;P;D'", "1\n2\n3\n"),
            ("echo ab | sed 's/a/\\U&/;s/b/<\\u&>/'", "A<B>\n"),
            ("seq 3 | sed 2q5; echo $?", "1\n2\n5\n"),
            ("seq 3 | sed '2{s/2/two/;p};#end'", "1\ntwo\ntwo\n3\n"),
            ("echo a > f; sed -i.old s/a/b/ f; cat f f.old", "b\na\n"),
            ("echo 'image: a:1' > f; sed -i s/a:1/a:2/ f; cat f", "image: a:2\n"),
        ] {
            assert_eq!(stdout(line), wanted, "{line}");
        }
        assert_eq!(sh("echo a | sed s/a").1, "sed: -e expression #1, char 3: unterminated `s' command\n");
    }
}
