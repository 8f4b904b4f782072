//! From an awk program's text to its words, each with its place.

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name with a bracket right behind it: a function of one's own is called.
    Calls(String),
    Op(&'static str),
    End,
}

/// A word and where it begins.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub token: Token,
    pub at: usize,
}

/// What is wrong, and where.
pub(super) type Wrong = (usize, String);

const OPS: &[&str] = &[
    "**=", "&&", "||", "==", "!=", "<=", ">=", ">>", "+=", "-=", "*=", "/=", "%=", "^=", "**", "++", "--",
    "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "?", ":", "<", ">", "=", "!",
    "~", "$", "|", "\n",
];

/// The words of a program.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, Wrong> {
    let mut out: Vec<Placed> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let begin = at;
        let token = match c {
            ' ' | '\t' | '\r' => {
                at += 1;
                continue;
            }
            '\\' if rest[1..].trim_start_matches('\r').starts_with('\n') => {
                at += rest.find('\n').unwrap_or(0) + 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' => {
                let (body, end) = string(rest).ok_or_else(|| (begin, "unterminated string".to_owned()))?;
                at += end;
                Token::Text(body)
            }
            '/' if !is_value(out.last()) => {
                let (body, end) = regex(rest).ok_or_else(|| (begin, "unterminated regexp".to_owned()))?;
                at += end;
                Token::Regex(body)
            }
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                let end = number(rest);
                at += end;
                Token::Number(match rest[..end].strip_prefix("0x").or(rest[..end].strip_prefix("0X")) {
                    Some(hex) => i64::from_str_radix(hex, 16).unwrap_or(i64::MAX) as f64,
                    None => rest[..end].parse().unwrap_or(0.0),
                })
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                at += end;
                let name = rest[..end].to_owned();
                if rest[end..].starts_with('(') { Token::Calls(name) } else { Token::Name(name) }
            }
            c => match OPS.iter().find(|op| rest.starts_with(**op)) {
                Some(op) => {
                    at += op.len();
                    Token::Op(match *op {
                        "**" => "^",
                        "**=" => "^=",
                        other => other,
                    })
                }
                None if c == '@' || c == '&' => return Err((begin, "syntax error".to_owned())),
                None => return Err((begin, format!("invalid char '{c}' in expression"))),
            },
        };
        out.push(Placed { token, at: begin });
    }
    out.push(Placed { token: Token::End, at: text.len() });
    Ok(out)
}

/// Whether a value stands there, so that a slash after it divides.
fn is_value(last: Option<&Placed>) -> bool {
    match last.map(|it| &it.token) {
        Some(Token::Number(_) | Token::Text(_) | Token::Regex(_)) => true,
        Some(Token::Name(name) | Token::Calls(name)) => {
            !matches!(name.as_str(), "print" | "printf" | "return" | "case" | "in" | "else" | "do" | "exit")
        }
        Some(Token::Op(op)) => matches!(*op, ")" | "]" | "$" | "++" | "--"),
        Some(Token::End) | None => false,
    }
}

fn number(text: &str) -> usize {
    let digits = |from: usize, is: fn(&u8) -> bool| {
        from + text.as_bytes()[from..].iter().take_while(|c| is(c)).count()
    };
    if text.starts_with("0x") || text.starts_with("0X") {
        let end = digits(2, u8::is_ascii_hexdigit);
        if end > 2 {
            return end;
        }
    }
    let mut end = digits(0, u8::is_ascii_digit);
    if text[end..].starts_with('.') {
        end = digits(end + 1, u8::is_ascii_digit);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign, u8::is_ascii_digit);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}

/// What stands in quotes, and where it ends.
fn string(text: &str) -> Option<(String, usize)> {
    let mut raw = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((unescaped(&raw), at + 1)),
            '\n' => return None,
            '\\' => {
                raw.push(c);
                raw.push(chars.next()?.1);
            }
            _ => raw.push(c),
        }
    }
    None
}

/// What stands between slashes, and where it ends; in brackets a slash is one of the characters.
fn regex(text: &str) -> Option<(String, usize)> {
    let mut body = String::new();
    let mut inside = false;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if !inside => return Some((body, at + 1)),
            '\n' => return None,
            '\\' => match chars.next()?.1 {
                '/' => body.push('/'),
                '"' => body.push('"'),
                other => body.extend(['\\', other]),
            },
            '[' if !inside => {
                inside = true;
                body.push('[');
                if let Some((_, c)) = chars.next_if(|(_, c)| *c == '^') {
                    body.push(c);
                }
                if let Some((_, c)) = chars.next_if(|(_, c)| *c == ']') {
                    body.push(c);
                }
            }
            '[' if chars.peek().is_some_and(|(_, c)| *c == ':') => {
                body.push('[');
                for (_, c) in chars.by_ref() {
                    body.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            ']' => {
                inside = false;
                body.push(c);
            }
            _ => body.push(c),
        }
    }
    None
}

/// `\n`, `\t`, `\"`, `\/`, `\052`: what backslashes stand for in a text. Others stay, for the regular expression it may become.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('\n') => {}
            Some(c @ ('"' | '/' | '\\')) => out.push(c),
            Some(digit) if digit.is_digit(8) => {
                let mut value = digit.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(next) = chars.peek().and_then(|c| c.to_digit(8)) else { break };
                    chars.next();
                    value = value * 8 + next;
                }
                out.extend(char::from_u32(value));
            }
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
