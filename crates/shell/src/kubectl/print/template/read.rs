//! Which words stand in a template? Text between actions, and the tokens of each action with their places.

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`; what follows is an action until [`Token::Close`].
    Open,
    Close,
    /// `.name`.
    Field(String),
    /// `$name`, or `$` alone.
    Variable(String),
    /// `.` alone.
    Dot,
    Word(String),
    /// A text in quotes, unquoted, and as written.
    Quoted(String, String),
    Number(String),
    Space,
    /// `|`, `(`, `)`, `,`, `:=`, `=`.
    Mark(&'static str),
}

/// The tokens with the byte at which each begins; the error names its line.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, String> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut trims = false;
    while let Some(open) = text[at..].find("{{").map(|i| i + at) {
        let mut inside = open + 2;
        let begins_trimmed = text[inside..].starts_with("- ");
        let mut before = &text[at..open];
        if trims {
            before = before.trim_start_matches(BLANK);
        }
        if begins_trimmed {
            before = before.trim_end_matches(BLANK);
            inside += 2;
        }
        if !before.is_empty() {
            out.push((at, Token::Text(before.to_owned())));
        }
        let line = |at: usize| 1 + text[..at].matches('\n').count();
        if let Some(comment) = text[inside..].strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return Err(format!("{}: unclosed comment", line(open)));
            };
            let after = &comment[end + 2..];
            trims = after.starts_with(" -}}");
            let Some(close) = after.strip_prefix(if trims { " -}}" } else { "}}" }) else {
                return Err(format!("{}: comment ends before closing delimiter", line(open)));
            };
            at = text.len() - close.len();
            continue;
        }
        out.push((open, Token::Open));
        (at, trims) = action(text, inside, &mut out).map_err(|(at, what)| format!("{}: {what}", line(at)))?;
    }
    let rest = if trims { text[at..].trim_start_matches(BLANK) } else { &text[at..] };
    if !rest.is_empty() {
        out.push((at, Token::Text(rest.to_owned())));
    }
    Ok(out)
}

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_of_a_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Reads one action; where the text goes on, and whether blanks there are dropped.
fn action(text: &str, from: usize, out: &mut Vec<(usize, Token)>) -> Result<(usize, bool), (usize, String)> {
    let mut at = from;
    let mut depth = 0_usize;
    loop {
        let rest = &text[at..];
        for (mark, trims) in [("}}", false), (" -}}", true)] {
            if rest.starts_with(mark) {
                if depth > 0 {
                    return Err((at, "unclosed left paren".to_owned()));
                }
                out.push((at, Token::Close));
                return Ok((at + mark.len(), trims));
            }
        }
        let Some(c) = rest.chars().next() else { return Err((at, "unclosed action".to_owned())) };
        let word = |rest: &str| rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        let (token, length) = match c {
            c if BLANK.contains(&c) => {
                let blanks = rest.find(|c| !BLANK.contains(&c)).unwrap_or(rest.len());
                // The last blank may belong to the end: ` -}}`.
                let kept = if rest[blanks..].starts_with("-}}") { blanks - 1 } else { blanks };
                if kept == 0 { (None, blanks - 1) } else { (Some(Token::Space), kept) }
            }
            '(' => (Some(Token::Mark("(")), 1),
            ')' if depth == 0 => return Err((at, "unexpected right paren".to_owned())),
            ')' => (Some(Token::Mark(")")), 1),
            '|' => (Some(Token::Mark("|")), 1),
            ',' => (Some(Token::Mark(",")), 1),
            '=' => (Some(Token::Mark("=")), 1),
            ':' if rest.starts_with(":=") => (Some(Token::Mark(":=")), 2),
            ':' => return Err((at, "expected :=".to_owned())),
            '$' => {
                let length = 1 + word(&rest[1..]);
                (Some(Token::Variable(rest[..length].to_owned())), length)
            }
            '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let length = 1 + word(&rest[1..]);
                let name = &rest[1..length];
                (Some(if name.is_empty() { Token::Dot } else { Token::Field(name.to_owned()) }), length)
            }
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let is_end = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    is_end
                });
                let Some(end) = end.filter(|end| !rest[1..=*end].contains('\n')) else {
                    return Err((at, "unterminated quoted string".to_owned()));
                };
                let body = crate::expand::ansi_c(&rest[1..=end]);
                (Some(Token::Quoted(body, rest[..end + 2].to_owned())), end + 2)
            }
            '`' => {
                let Some(end) = rest[1..].find('`') else {
                    return Err((at, "unterminated raw quoted string".to_owned()));
                };
                (Some(Token::Quoted(rest[1..=end].to_owned(), rest[..end + 2].to_owned())), end + 2)
            }
            c if c == '+' || c == '-' || c == '.' || c.is_ascii_digit() => {
                let length = 1 + rest[1..].find(|c| !is_of_a_word(c) && c != '.').unwrap_or(rest.len() - 1);
                let number = &rest[..length];
                if number.parse::<f64>().is_err() {
                    return Err((at, format!("bad number syntax: {number:?}")));
                }
                (Some(Token::Number(number.to_owned())), length)
            }
            c if is_of_a_word(c) => {
                let length = word(rest);
                (Some(Token::Word(rest[..length].to_owned())), length)
            }
            c => return Err((at, format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c)))),
        };
        if matches!(token, Some(Token::Variable(_) | Token::Field(_) | Token::Dot | Token::Word(_)))
            && let Some(next) = rest[length..].chars().next()
            && !(BLANK.contains(&next) || ".,|:()".contains(next) || rest[length..].starts_with("}}"))
        {
            return Err((at, format!("bad character U+{:04X} '{next}'", u32::from(next))));
        }
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if let Some(token) = token {
            out.push((at, token));
        }
        if length == 0 {
            return Err((at, "unclosed action".to_owned()));
        }
        at += length;
    }
}
