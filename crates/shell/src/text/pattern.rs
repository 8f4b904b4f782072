//! What does a POSIX regular expression mean to the regex crates?
//!
//! Basic (grep, sed), extended (`-E`, awk, `[[ =~ ]]`) and Perl's (`grep -P`). Back-references and look-around are fancy-regex's.
//! MODEL: of alternatives that match at one place the first is taken, where POSIX takes the longest.
//! Source: glibc `posix/regcomp.c` for the words of errors; GNU grep 3.8 and sed 4.9.

/// What is written how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Basic,
    Extended,
    /// awk's: extended, with backslashes in brackets.
    Awk,
}

/// An expression that may look back and around, in a size and with a patience that a page can afford.
///
/// # Errors
/// The words of `regerror`.
pub(crate) fn fancy(
    pattern: &str,
    insensitive: bool,
    lines: bool,
) -> Result<fancy_regex::Regex, &'static str> {
    let built = fancy_regex::RegexBuilder::new(pattern)
        .case_insensitive(insensitive)
        .multi_line(lines)
        .delegate_size_limit(4 << 20)
        .backtrack_limit(200_000)
        .build();
    built.map_err(|_| "Invalid regular expression")
}

/// An expression without back-references, in a size that a page can afford.
pub(crate) fn regex(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(pattern).size_limit(4 << 20).build()
}

/// An extended expression as the regex crates read it; what cannot be read stays as it is.
pub(crate) fn extended(pattern: &str) -> String {
    Reader::new(pattern, Flavour::Extended).read().unwrap_or_else(|_| pattern.to_owned())
}

/// An expression of a flavour as the regex crates read it.
/// # Errors
/// The words of `regerror`.
pub(crate) fn translated(pattern: &str, flavour: Flavour) -> Result<String, &'static str> {
    Reader::new(pattern, flavour).read()
}

type Chars<'p> = std::iter::Peekable<std::str::Chars<'p>>;

struct Reader<'p> {
    chars: Chars<'p>,
    flavour: Flavour,
    out: String,
    /// Where each open group begins.
    open: Vec<usize>,
    groups: u32,
    /// Where the last thing that can be repeated begins.
    atom: Option<usize>,
    /// Whether it has been repeated already.
    repeated: bool,
}

impl<'p> Reader<'p> {
    fn new(pattern: &'p str, flavour: Flavour) -> Self {
        Self {
            chars: pattern.chars().peekable(),
            flavour,
            // UPSTREAM: a newline is a character like others to a dot.
            out: "(?s)".to_owned(),
            open: Vec::new(),
            groups: 0,
            atom: None,
            repeated: false,
        }
    }

    fn is_basic(&self) -> bool {
        self.flavour == Flavour::Basic
    }

    fn read(mut self) -> Result<String, &'static str> {
        // Whether an expression begins here: at the start, in a group, behind a bar.
        let mut begins = true;
        while let Some(c) = self.chars.next() {
            let was_first = std::mem::take(&mut begins);
            let escaped = if c == '\\' { Some(self.chars.next().ok_or("Trailing backslash")?) } else { None };
            let op = match escaped {
                Some(e) if self.is_basic() && "(){|+?".contains(e) => e,
                Some(e) => {
                    self.escape(e)?;
                    continue;
                }
                None if self.is_basic() && "(){|+?".contains(c) => {
                    self.literal(c);
                    continue;
                }
                None => c,
            };
            match op {
                '(' => {
                    self.open.push(self.out.len());
                    self.groups += 1;
                    self.out.push('(');
                    self.atom = None;
                    begins = true;
                }
                ')' => match self.open.pop() {
                    Some(begin) => {
                        self.out.push(')');
                        (self.atom, self.repeated) = (Some(begin), false);
                    }
                    // UPSTREAM: a bracket that closes nothing stands for itself in extended expressions.
                    None if self.is_basic() => return Err("Unmatched ) or \\)"),
                    None => self.literal(')'),
                },
                '|' => {
                    self.out.push('|');
                    self.atom = None;
                    begins = true;
                }
                '*' | '+' | '?' => {
                    if op == '*' && was_first && self.is_basic() {
                        self.literal('*');
                    } else {
                        self.repeat(&op.to_string());
                        begins = was_first && !self.is_basic();
                    }
                }
                '{' => self.interval(was_first)?,
                '[' => {
                    let begin = self.out.len();
                    self.bracket()?;
                    (self.atom, self.repeated) = (Some(begin), false);
                }
                '^' if !self.is_basic() || was_first => {
                    self.out.push('^');
                    self.atom = None;
                    begins = true;
                }
                '$' if !self.is_basic() || self.closes() => {
                    self.out.push('$');
                    self.atom = None;
                }
                '.' => {
                    self.put(".");
                }
                other => self.literal(other),
            }
        }
        if self.open.is_empty() { Ok(self.out) } else { Err("Unmatched ( or \\(") }
    }

    /// Whether a basic expression ends here, so that `$` is its end.
    fn closes(&self) -> bool {
        let mut ahead = self.chars.clone();
        match ahead.next() {
            None => true,
            Some('\\') => matches!(ahead.next(), Some(')' | '|')),
            Some(_) => false,
        }
    }

    fn put(&mut self, text: &str) {
        (self.atom, self.repeated) = (Some(self.out.len()), false);
        self.out.push_str(text);
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.put(&regex::escape(c.encode_utf8(&mut buffer)));
    }

    fn repeat(&mut self, op: &str) {
        // UPSTREAM: what repeats nothing is nothing.
        let Some(begin) = self.atom else { return };
        if self.repeated {
            // A second one would make the first lazy to the regex crates.
            self.out.insert_str(begin, "(?:");
            self.out.push(')');
        }
        self.out.push_str(op);
        self.repeated = true;
    }

    fn interval(&mut self, is_first: bool) -> Result<(), &'static str> {
        let mut ahead = self.chars.clone();
        let mut body = String::new();
        let mut closed = false;
        while let Some(c) = ahead.next() {
            match c {
                '\\' if self.is_basic() && ahead.peek() == Some(&'}') => {
                    ahead.next();
                    closed = true;
                    break;
                }
                '}' if !self.is_basic() => {
                    closed = true;
                    break;
                }
                c => body.push(c),
            }
        }
        let (low, high) = body.split_once(',').map_or((body.as_str(), None), |(l, h)| (l, Some(h)));
        let number = |text: &str| text.parse::<u32>().ok().filter(|n| *n <= 32_767);
        let is_valid = !(low.is_empty() && high.is_none_or(str::is_empty))
            && (low.is_empty() || number(low).is_some())
            && high.is_none_or(|high| high.is_empty() || number(high).is_some());
        if !closed && self.is_basic() {
            return Err("Unmatched \\{");
        }
        if !closed || !is_valid || is_first {
            if self.is_basic() && !is_first {
                return Err("Invalid content of \\{\\}");
            }
            self.literal('{');
            return Ok(());
        }
        if let (Some(low), Some(high)) = (number(low), high.and_then(number))
            && low > high
        {
            return Err("Invalid content of \\{\\}");
        }
        self.chars = ahead;
        let low = if low.is_empty() { "0" } else { low };
        self.repeat(&match high {
            None => format!("{{{low}}}"),
            Some(high) => format!("{{{low},{high}}}"),
        });
        Ok(())
    }

    fn escape(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '<' => self.put(r"\b{start}"),
            '>' => self.put(r"\b{end}"),
            '`' => self.put(r"\A"),
            '\'' => self.put(r"\z"),
            'w' | 'W' | 's' | 'S' | 'b' | 'B' => self.put(&format!("\\{c}")),
            'y' if self.flavour == Flavour::Awk => self.put(r"\b"),
            'n' => self.put(r"\n"),
            't' => self.put(r"\t"),
            'r' => self.put(r"\r"),
            'f' => self.put(r"\f"),
            'v' => self.put(r"\v"),
            digit @ '1'..='9' if self.flavour != Flavour::Awk => {
                if digit.to_digit(10).is_none_or(|n| n > self.groups) {
                    return Err("Invalid back reference");
                }
                // The bracket keeps the digits that follow apart.
                self.put(&format!("(?:\\{digit})"));
            }
            other => self.literal(other),
        }
        Ok(())
    }

    fn bracket(&mut self) -> Result<(), &'static str> {
        const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        if self.chars.peek().is_none() {
            return Err("Invalid regular expression");
        }
        let mut is_first = true;
        // The last character, where a range may begin with it.
        let mut last: Option<char> = None;
        loop {
            let mut c = self.chars.next().ok_or(UNMATCHED)?;
            match c {
                ']' if !is_first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if matches!(self.chars.peek(), Some(':' | '.' | '=')) => {
                    let mark = self.chars.next().unwrap_or(':');
                    let mut name = String::new();
                    loop {
                        match self.chars.next().ok_or(UNMATCHED)? {
                            c if c == mark && self.chars.next_if_eq(&']').is_some() => break,
                            c => name.push(c),
                        }
                    }
                    is_first = false;
                    last = None;
                    if mark != ':' {
                        name.chars().for_each(|c| self.member(c));
                        continue;
                    }
                    if !CLASSES.contains(&name.as_str()) {
                        return Err("Invalid character class name");
                    }
                    self.out.push_str(&format!("[:{name}:]"));
                    continue;
                }
                '\\' if self.flavour == Flavour::Awk => {
                    c = match self.chars.next().ok_or(UNMATCHED)? {
                        'n' => '\n',
                        't' => '\t',
                        other => other,
                    };
                }
                '-' if last.is_some() && self.chars.peek().is_some_and(|c| *c != ']') => {
                    let high = self.chars.next().ok_or(UNMATCHED)?;
                    if last > Some(high) {
                        return Err("Invalid range end");
                    }
                    self.out.push('-');
                    self.member(high);
                    last = None;
                    continue;
                }
                _ => {}
            }
            self.member(c);
            last = Some(c);
            is_first = false;
        }
    }

    fn member(&mut self, c: char) {
        if "\\[]&~-^".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
    }
}

const CLASSES: [&str; 12] = [
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
    "xdigit",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, flavour: Flavour, text: &str) -> Option<String> {
        let regex = fancy(&translated(pattern, flavour).expect("read"), false, false).expect("built");
        regex.find(text).expect("in time").map(|it| it.as_str().to_owned())
    }

    #[test]
    fn both_kinds_find_what_gnu_finds() {
        for (pattern, flavour, text, wanted) in [
            (r"\(a\)\1", Flavour::Basic, "baab", Some("aa")),
            ("*a", Flavour::Basic, "b*a", Some("*a")),
            ("a+", Flavour::Basic, "aa a+", Some("a+")),
            (r"a\{2\}", Flavour::Basic, "aaa", Some("aa")),
            ("a$b", Flavour::Basic, "xa$b", Some("a$b")),
            ("^*x", Flavour::Basic, "*x", Some("*x")),
            ("a**", Flavour::Extended, "aa", Some("aa")),
            ("a{2", Flavour::Extended, "a{2", Some("a{2")),
            ("a)", Flavour::Extended, "a)", Some("a)")),
            ("(.)\\1", Flavour::Extended, "apple", Some("pp")),
            (r"[\n]", Flavour::Basic, "an", Some("n")),
            (r"\<b", Flavour::Basic, "ab b", Some("b")),
            ("[]a]", Flavour::Extended, "]", Some("]")),
            ("[[:upper:]-]", Flavour::Extended, "a-", Some("-")),
        ] {
            assert_eq!(found(pattern, flavour, text).as_deref(), wanted, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_as_glibc_says_it() {
        for (pattern, flavour, wanted) in [
            ("[a", Flavour::Basic, "Unmatched [, [^, [:, [., or [="),
            (r"\(", Flavour::Basic, r"Unmatched ( or \("),
            ("(", Flavour::Extended, r"Unmatched ( or \("),
            (r"\1", Flavour::Basic, "Invalid back reference"),
            (r"a\{2", Flavour::Basic, r"Unmatched \{"),
            ("[b-a]", Flavour::Extended, "Invalid range end"),
            ("[[:foo:]]", Flavour::Basic, "Invalid character class name"),
        ] {
            assert_eq!(translated(pattern, flavour), Err(wanted), "{pattern}");
        }
    }
}
