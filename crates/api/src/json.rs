//! What does Go say of a text that is no JSON?
//!
//! Source: Go `encoding/json/scanner.go`.

/// What the scanner waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// A value, or the end of an empty list.
    FirstItem,
    Key,
    /// A key, or the end of an empty object.
    FirstKey,
    Colon,
    /// A comma or the end of what is open.
    More,
}

/// The scanner's complaint; `None` if the text is JSON.
#[must_use]
pub fn error(text: &str) -> Option<String> {
    let mut open: Vec<char> = Vec::new();
    let mut next = Next::Value;
    let mut letters = text.chars().peekable();
    let wrong = |c: char, context: &str| {
        let shown = match c {
            '\'' => "'\\''".to_owned(),
            '"' => "'\"'".to_owned(),
            c => format!("'{c}'"),
        };
        Some(format!("invalid character {shown} {context}"))
    };
    while let Some(c) = letters.next() {
        if c.is_ascii_whitespace() {
            continue;
        }
        if open.is_empty() && next == Next::More {
            return wrong(c, "after top-level value");
        }
        match next {
            Next::Value | Next::FirstItem => match c {
                '{' => {
                    open.push('}');
                    next = Next::FirstKey;
                }
                '[' => {
                    open.push(']');
                    next = Next::FirstItem;
                }
                ']' if next == Next::FirstItem => {
                    open.pop();
                    next = Next::More;
                }
                '"' => {
                    if let Some(error) = string(&mut letters) {
                        return Some(error);
                    }
                    next = Next::More;
                }
                '-' | '0'..='9' => {
                    while letters
                        .next_if(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
                        .is_some()
                    {}
                    next = Next::More;
                }
                't' | 'f' | 'n' => {
                    let word = match c {
                        't' => "true",
                        'f' => "false",
                        _ => "null",
                    };
                    for expected in word.chars().skip(1) {
                        match letters.next() {
                            Some(c) if c == expected => {}
                            Some(c) => {
                                return wrong(c, &format!("in literal {word} (expecting '{expected}')"));
                            }
                            None => return Some("unexpected end of JSON input".to_owned()),
                        }
                    }
                    next = Next::More;
                }
                c => return wrong(c, "looking for beginning of value"),
            },
            Next::FirstKey if c == '}' => {
                open.pop();
                next = Next::More;
            }
            Next::Key | Next::FirstKey => {
                if c != '"' {
                    return wrong(c, "looking for beginning of object key string");
                }
                if let Some(error) = string(&mut letters) {
                    return Some(error);
                }
                next = Next::Colon;
            }
            Next::Colon => {
                if c != ':' {
                    return wrong(c, "after object key");
                }
                next = Next::Value;
            }
            Next::More => {
                let object = open.last() == Some(&'}');
                match c {
                    ',' => next = if object { Next::Key } else { Next::Value },
                    c if Some(&c) == open.last() => drop(open.pop()),
                    c if object => return wrong(c, "after object key:value pair"),
                    c => return wrong(c, "after array element"),
                }
            }
        }
    }
    (next != Next::More || !open.is_empty()).then(|| "unexpected end of JSON input".to_owned())
}

/// Goes past a string whose opening quote is read already.
fn string(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    loop {
        match letters.next() {
            Some('"') => return None,
            Some('\\') => drop(letters.next()),
            Some(c) if u32::from(c) < 0x20 => {
                return Some(format!("invalid character {c:?} in string literal"));
            }
            Some(_) => {}
            None => return Some("unexpected end of JSON input".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_go_s() {
        for (text, wanted) in [
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            (r#"{"a":1 "b"}"#, "invalid character '\"' after object key:value pair"),
            (r#"{"a":[1 2]}"#, "invalid character '2' after array element"),
            (r#"{"a":x}"#, "invalid character 'x' looking for beginning of value"),
            (r#"{"a":1}}"#, "invalid character '}' after top-level value"),
            (r#"{"a":tru}"#, "invalid character '}' in literal true (expecting 'e')"),
            (r#"{"a":1"#, "unexpected end of JSON input"),
        ] {
            assert_eq!(error(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(error(r#"{"a":[],"b":{},"c":[1,{"d":null}]}"#), None);
    }
}
