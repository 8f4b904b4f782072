//! Which words and signs is an expression made of?
//!
//! Source: cel-go `parser/gen/CEL.g4`; ANTLR's lexer drops what it cannot read, and says so.

/// A word or sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Bytes before it.
    pub(super) at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operator, bracket or other sign, `in`, `true`, `false`, `null`.
    Sign,
    Float,
    Int,
    Uint,
    Text,
    Bytes,
    Name,
    End,
}

/// Longer signs before those that they begin with.
const SIGNS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":",
    "+", "*", "/", "%",
];

/// The tokens, the end last; and what could not be read, with its place.
pub(super) fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<(usize, String)>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let first = rest.chars().next().unwrap_or_default();
        if matches!(first, ' ' | '\t' | '\r' | '\n' | '\u{c}') {
            at += first.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        match one(rest) {
            Ok((kind, len)) => {
                found.push(Token { kind, text: &rest[..len], at });
                at += len;
            }
            Err(len) => {
                wrong.push((
                    at,
                    format!("Syntax error: token recognition error at: '{}'", shown(&rest[..len])),
                ));
                at += len;
            }
        }
    }
    found.push(Token { kind: Kind::End, text: "<EOF>", at: text.len() });
    (found, wrong)
}

fn shown(text: &str) -> String {
    text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
}

/// The token that a text begins with, or how much of it is dropped.
fn one(rest: &str) -> Result<(Kind, usize), usize> {
    if let Some(found) = quoted(rest) {
        return found;
    }
    let first = rest.chars().next().unwrap_or_default();
    if first.is_ascii_alphabetic() || first == '_' {
        let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let kind = match &rest[..len] {
            "in" | "true" | "false" | "null" => Kind::Sign,
            _ => Kind::Name,
        };
        return Ok((kind, len));
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let is_fraction = first == '.' && digits(&rest[1..]) > 0;
    if first.is_ascii_digit() || is_fraction {
        return Ok(number(rest));
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return Ok((Kind::Sign, sign.len()));
    }
    let next = rest[first.len_utf8()..].chars().next();
    match (first, next) {
        // Half of a sign takes what stands where its other half is missing.
        ('=' | '&' | '|', Some(next)) => Err(first.len_utf8() + next.len_utf8()),
        _ => Err(first.len_utf8()),
    }
}

fn number(rest: &str) -> (Kind, usize) {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unsigned = |len: usize| match rest[len..].chars().next() {
        Some('u' | 'U') => (Kind::Uint, len + 1),
        _ => (Kind::Int, len),
    };
    if let Some(hex) = rest.strip_prefix("0x") {
        let hex = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        if hex > 0 {
            return unsigned(2 + hex);
        }
    }
    let whole = digits(rest);
    let mut len = whole;
    if rest[len..].starts_with('.') {
        let fraction = digits(&rest[len + 1..]);
        if fraction > 0 {
            len += 1 + fraction;
        }
    }
    let exponent =
        rest[len..].strip_prefix(['e', 'E']).map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    if let Some(exponent) = exponent {
        let some = digits(exponent);
        if some > 0 {
            len = rest.len() - exponent.len() + some;
        }
    }
    if len > whole { (Kind::Float, len) } else { unsigned(whole) }
}

/// A text or bytes in quotes, if the text begins with one.
fn quoted(rest: &str) -> Option<Result<(Kind, usize), usize>> {
    let (mut raw, mut bytes, mut open) = (false, false, 0);
    for letter in rest.chars().take(2) {
        match letter {
            'r' | 'R' if !raw => raw = true,
            'b' | 'B' if !bytes => bytes = true,
            _ => break,
        }
        open += 1;
    }
    let quote = rest[open..].chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let triple: String = std::iter::repeat_n(quote, 3).collect();
    let is_triple = rest[open..].starts_with(&triple);
    let mut at = open + if is_triple { 3 } else { 1 };
    let kind = if bytes { Kind::Bytes } else { Kind::Text };
    loop {
        let Some(letter) = rest[at..].chars().next() else { return Some(Err(rest.len())) };
        if is_triple && rest[at..].starts_with(&triple) {
            return Some(Ok((kind, at + 3)));
        }
        if !is_triple && letter == quote {
            return Some(Ok((kind, at + 1)));
        }
        if !is_triple && matches!(letter, '\n' | '\r') {
            return Some(Err(at + 1));
        }
        at += letter.len_utf8();
        if letter == '\\' && !raw {
            let Some(next) = rest[at..].chars().next() else { return Some(Err(rest.len())) };
            at += next.len_utf8();
            if !matches!(
                next,
                'a' | 'b'
                    | 'f'
                    | 'n'
                    | 'r'
                    | 't'
                    | 'v'
                    | '"'
                    | '\''
                    | '`'
                    | '\\'
                    | '?'
                    | 'x'
                    | 'X'
                    | 'u'
                    | 'U'
                    | '0'..='3'
            ) {
                return Some(Err(at));
            }
        }
    }
}

/// What a text or bytes in quotes says.
/// # Errors
/// `unable to unescape string`.
pub(super) fn unquoted(token: &str) -> Result<Vec<u8>, String> {
    let prefix = token.find(['"', '\'']).unwrap_or(0);
    let is_raw = token[..prefix].contains(['r', 'R']);
    let is_bytes = token[..prefix].contains(['b', 'B']);
    let body = &token[prefix..];
    let quotes =
        if body.len() >= 6 && (body.starts_with("\"\"\"") || body.starts_with("'''")) { 3 } else { 1 };
    let body = body.get(quotes..body.len().saturating_sub(quotes)).unwrap_or_default();
    if is_raw {
        return Ok(body.as_bytes().to_vec());
    }
    let mut out = Vec::new();
    let mut letters = body.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.extend(letter.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let wrong = || "unable to unescape string".to_owned();
        let (digits, radix, kind) = match letters.next().ok_or_else(wrong)? {
            'a' => (0, 7, ' '),
            'b' => (0, 8, ' '),
            'f' => (0, 12, ' '),
            'n' => (0, 10, ' '),
            'r' => (0, 13, ' '),
            't' => (0, 9, ' '),
            'v' => (0, 11, ' '),
            same @ ('\\' | '\'' | '"' | '`' | '?') => (0, same as u32, ' '),
            'x' | 'X' => (2, 16, 'x'),
            'u' if !is_bytes => (4, 16, 'u'),
            'U' if !is_bytes => (8, 16, 'u'),
            first @ '0'..='3' => {
                let rest: String = letters.by_ref().take(2).collect();
                let code = u32::from_str_radix(&format!("{first}{rest}"), 8).map_err(|_| wrong())?;
                push(&mut out, code, is_bytes).ok_or_else(wrong)?;
                continue;
            }
            _ => return Err(wrong()),
        };
        if digits == 0 {
            push(&mut out, radix, is_bytes).ok_or_else(wrong)?;
        } else {
            let text: String = letters.by_ref().take(digits).collect();
            let code =
                u32::from_str_radix(&text, radix).ok().filter(|_| text.len() == digits).ok_or_else(wrong)?;
            push(&mut out, code, is_bytes && kind == 'x').ok_or_else(wrong)?;
        }
    }
    Ok(out)
}

fn push(out: &mut Vec<u8>, code: u32, is_byte: bool) -> Option<()> {
    if is_byte {
        out.push(u8::try_from(code).ok()?);
    } else {
        out.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes());
    }
    Some(())
}
