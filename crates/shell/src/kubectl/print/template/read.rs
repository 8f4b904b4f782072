//! Which words stand in a template? Text between actions, and the tokens of each action with their places.

use api::jsonpath::unquote;
use serde_json::Value;

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
    /// A number, and as written.
    Number(Value, String),
    /// What has the form of a text or a number and is none: why, and as written.
    Misspelt(String, String),
    Space,
    /// `|`, `(`, `)`, `,`, `:=`, `=`.
    Mark(&'static str),
    /// A character that means nothing anywhere.
    Char(char),
    /// Why no more could be read. It counts only if the parser comes this far.
    Wrong(String),
}

/// The tokens with the byte at which each begins.
pub(super) fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut out = Vec::new();
    if let Err((at, what)) = read(text, &mut out) {
        out.push((at, Token::Wrong(what)));
    }
    out
}

fn read(text: &str, out: &mut Vec<(usize, Token)>) -> Result<(), (usize, String)> {
    let mut at = 0;
    let mut trims = false;
    while let Some(open) = text[at..].find("{{").map(|i| i + at) {
        let mut inside = open + 2;
        let begins_trimmed = text[inside..].strip_prefix('-').is_some_and(|it| it.starts_with(BLANK));
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
        if let Some(comment) = text[inside..].strip_prefix("/*") {
            let Some(end) = comment.find("*/") else {
                return Err((open, "unclosed comment".to_owned()));
            };
            let after = &comment[end + 2..];
            let Some((length, is_trimmed)) = close(after) else {
                return Err((open, "comment ends before closing delimiter".to_owned()));
            };
            trims = is_trimmed;
            at = text.len() - after.len() + length;
            continue;
        }
        out.push((open, Token::Open));
        (at, trims) = action(text, inside, out)?;
    }
    let rest = if trims { text[at..].trim_start_matches(BLANK) } else { &text[at..] };
    if !rest.is_empty() {
        out.push((at, Token::Text(rest.to_owned())));
    }
    Ok(())
}

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_of_a_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// How long the end of an action is, if one begins here, and whether blanks after it are dropped.
fn close(text: &str) -> Option<(usize, bool)> {
    if text.starts_with("}}") {
        return Some((2, false));
    }
    text.strip_prefix(BLANK).is_some_and(|it| it.starts_with("-}}")).then_some((4, true))
}

/// Reads one action; where the text goes on, and whether blanks there are dropped.
fn action(text: &str, from: usize, out: &mut Vec<(usize, Token)>) -> Result<(usize, bool), (usize, String)> {
    let mut at = from;
    let mut depth = 0_usize;
    loop {
        let rest = &text[at..];
        if let Some((length, trims)) = close(rest) {
            if depth > 0 {
                return Err((at, "unclosed left paren".to_owned()));
            }
            out.push((at, Token::Close));
            return Ok((at + length, trims));
        }
        let Some(c) = rest.chars().next() else { return Err((at, "unclosed action".to_owned())) };
        let word = |rest: &str| rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
        let (token, length) = match c {
            c if BLANK.contains(&c) => {
                let blanks = rest.find(|c| !BLANK.contains(&c)).unwrap_or(rest.len());
                // The last blank may belong to the end: ` -}}`.
                let kept = if rest[blanks..].starts_with("-}}") { blanks - 1 } else { blanks };
                (Token::Space, kept)
            }
            '(' => (Token::Mark("("), 1),
            ')' if depth == 0 => return Err((at, "unexpected right paren".to_owned())),
            ')' => (Token::Mark(")"), 1),
            '|' => (Token::Mark("|"), 1),
            ',' => (Token::Mark(","), 1),
            '=' => (Token::Mark("="), 1),
            ':' if rest.starts_with(":=") => (Token::Mark(":="), 2),
            ':' => return Err((at, "expected :=".to_owned())),
            '$' => {
                let length = 1 + word(&rest[1..]);
                (Token::Variable(rest[..length].to_owned()), length)
            }
            // UPSTREAM: at the very end a dot is read as a number.
            '.' if rest.len() > 1 && !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let length = 1 + word(&rest[1..]);
                let name = &rest[1..length];
                (if name.is_empty() { Token::Dot } else { Token::Field(name.to_owned()) }, length)
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
                let typed = rest[..end + 2].to_owned();
                let token = match unquote(&rest[1..=end], '"') {
                    Some(body) => Token::Quoted(body, typed),
                    None => Token::Misspelt("invalid syntax".to_owned(), typed),
                };
                (token, end + 2)
            }
            '\'' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let is_end = c == '\'' && !escaped;
                    escaped = c == '\\' && !escaped;
                    is_end
                });
                let Some(end) = end.filter(|end| !rest[1..=*end].contains('\n')) else {
                    return Err((at, "unterminated character constant".to_owned()));
                };
                let typed = rest[..end + 2].to_owned();
                let body = unquote(&rest[1..=end], '\'').unwrap_or_default();
                let token = match (body.chars().next(), body.chars().count()) {
                    (Some(c), 1) => Token::Number(u32::from(c).into(), typed),
                    (None, _) => Token::Misspelt("invalid syntax".to_owned(), typed),
                    (Some(_), _) => Token::Misspelt(format!("malformed character constant: {typed}"), typed),
                };
                (token, end + 2)
            }
            '`' => {
                let Some(end) = rest[1..].find('`') else {
                    return Err((at, "unterminated raw quoted string".to_owned()));
                };
                (Token::Quoted(rest[1..=end].to_owned(), rest[..end + 2].to_owned()), end + 2)
            }
            '+' | '-' | '.' | '0'..='9' => {
                let length = number_length(rest);
                let number = &rest[..length];
                if let Some(next) = rest[length..].chars().next().filter(|c| is_of_a_word(*c)) {
                    let number = &rest[..length + next.len_utf8()];
                    return Err((at, format!("bad number syntax: {number:?}")));
                }
                (number_token(number), length)
            }
            c if is_of_a_word(c) => {
                let length = word(rest);
                (Token::Word(rest[..length].to_owned()), length)
            }
            c if c.is_ascii_graphic() => (Token::Char(c), 1),
            c => return Err((at, format!("unrecognized character in action: {}", shown(c)))),
        };
        if matches!(token, Token::Variable(_) | Token::Field(_) | Token::Dot | Token::Word(_))
            && let Some(next) = rest[length..].chars().next()
            && !(BLANK.contains(&next) || ".,|:()".contains(next) || rest[length..].starts_with("}}"))
        {
            return Err((at, format!("bad character {}", shown(next))));
        }
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        out.push((at, token));
        at += length;
    }
}

/// A character as Go's `%#U` writes it.
fn shown(c: char) -> String {
    if c.is_control() { format!("U+{:04X}", u32::from(c)) } else { format!("U+{:04X} '{c}'", u32::from(c)) }
}

/// How far a number reaches, which need not be one yet.
fn number_length(text: &str) -> usize {
    let sign = usize::from(text.starts_with(['+', '-']));
    let mut at = sign;
    let run =
        |at: usize, digits: &str| at + text[at..].find(|c| !digits.contains(c)).unwrap_or(text.len() - at);
    let digits = match text[sign..].get(..2) {
        Some("0x" | "0X") => "0123456789abcdefABCDEF_",
        Some("0o" | "0O") => "01234567_",
        Some("0b" | "0B") => "01_",
        _ => "0123456789_",
    };
    at += if digits.starts_with("0123456789_") { 0 } else { 2 };
    at = run(at, digits);
    if text[at..].starts_with('.') {
        at = run(at + 1, digits);
    }
    let exponent: &[char] = if digits == "0123456789_" { &['e', 'E'] } else { &['p', 'P'] };
    if digits.len() >= 11 && text[at..].starts_with(exponent) {
        at += 1;
        at += usize::from(text[at..].starts_with(['+', '-']));
        at = run(at, "0123456789_");
    }
    at
}

/// MODEL: imaginary numbers are not read.
fn number_token(typed: &str) -> Token {
    let (sign, body) = match typed.strip_prefix('-') {
        Some(body) => ("-", body),
        None => ("", typed.strip_prefix('+').unwrap_or(typed)),
    };
    let plain = body.replace('_', "");
    let radix = match plain.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    let octal = radix == 10 && plain.len() > 1 && plain.starts_with('0') && !plain.contains(['.', 'e', 'E']);
    let (radix, digits) = match radix {
        10 if octal => (8, &plain[1..]),
        10 => (10, plain.as_str()),
        radix => (radix, &plain[2..]),
    };
    let whole = i64::from_str_radix(&format!("{sign}{digits}"), radix).map(Value::from);
    let value = whole.or_else(|_| u64::from_str_radix(&format!("{sign}{digits}"), radix).map(Value::from));
    let typed = typed.to_owned();
    match (value, plain.parse::<f64>()) {
        (Ok(value), _) => Token::Number(value, typed),
        (Err(_), Ok(_)) if !plain.contains(['.', 'e', 'E']) => {
            Token::Misspelt(format!("integer overflow: {typed:?}"), typed)
        }
        (Err(_), Ok(float)) => Token::Number((if sign.is_empty() { float } else { -float }).into(), typed),
        (Err(_), Err(_)) => Token::Misspelt(format!("illegal number syntax: {typed:?}"), typed),
    }
}
