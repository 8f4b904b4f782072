//! What values are in this text?
//!
//! jq's own parser: values one after another, each with the line where it was complete, and the words and columns of its errors.
//! It does not know about files or filters.
//! Source: jq 1.6 `jv_parse.c`; messages checked against jq 1.6.

use jaq_json::{Num, Val};

/// Deepest nesting that jq reads.
const DEEPEST: usize = 256;

/// What is wrong with a text, in jq's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ParseError(pub String);

/// One input of a filter.
#[derive(Clone, Debug)]
pub(super) struct Read {
    /// The value, or why there is none.
    pub value: Result<Val, ParseError>,
    /// Such as `<stdin>:1`.
    pub at: String,
}

/// Every value of a text; an error is the last.
pub(super) fn values(name: &str, text: &str) -> Vec<Read> {
    let mut parser = Parser::default();
    let mut found = Vec::new();
    // jq takes its input line by line: the whole line has been counted when a value in it is complete.
    let mut lines = 0;
    for chunk in text.split_inclusive('\n') {
        lines += usize::from(chunk.ends_with('\n'));
        let at = format!("{name}:{lines}");
        for letter in chunk.chars() {
            match parser.take(letter) {
                Ok(None) => {}
                Ok(Some(value)) => found.push(Read { value: Ok(value), at: at.clone() }),
                Err(words) => {
                    let words = format!("{words} at line {}, column {}", parser.line, parser.column);
                    found.push(Read { value: Err(ParseError(words)), at });
                    return found;
                }
            }
        }
    }
    let at = format!("{name}:{lines}");
    match parser.end() {
        Ok(None) => {}
        Ok(Some(value)) => found.push(Read { value: Ok(value), at }),
        Err(words) => {
            let words = format!("{words} at EOF at line {}, column {}", parser.line, parser.column);
            found.push(Read { value: Err(ParseError(words)), at });
        }
    }
    found
}

/// A list or object that is not closed yet.
enum Open {
    List(Vec<Val>),
    Object(Vec<(Val, Val)>),
    /// A key whose value is to come.
    Key(Val),
}

struct Parser {
    stack: Vec<Open>,
    next: Option<Val>,
    token: String,
    /// Within a string: whether the last character was a backslash.
    string: Option<bool>,
    line: usize,
    column: usize,
}

impl Default for Parser {
    fn default() -> Self {
        Self { stack: Vec::new(), next: None, token: String::new(), string: None, line: 1, column: 0 }
    }
}

impl Parser {
    fn take(&mut self, letter: char) -> Result<Option<Val>, &'static str> {
        self.column += letter.len_utf8();
        if letter == '\n' {
            self.line += 1;
            self.column = 0;
        }
        if let Some(escaped) = self.string {
            match (escaped, letter) {
                (false, '"') => {
                    self.string = None;
                    let text = unescaped(&std::mem::take(&mut self.token))?;
                    self.value(Val::from(text))?;
                }
                (false, '\\') => {
                    self.string = Some(true);
                    self.token.push(letter);
                }
                _ => {
                    self.string = Some(false);
                    self.token.push(letter);
                }
            }
            return Ok(None);
        }
        if !matches!(letter, ' ' | '\t' | '\r' | '\n' | '[' | '{' | ':' | ',' | ']' | '}' | '"') {
            self.token.push(letter);
            return Ok(None);
        }
        self.literal()?;
        let mut done = if letter == '"'
            || self.stack.is_empty() && self.next.is_some() && letter != ',' && letter != ':'
        {
            self.done()
        } else {
            None
        };
        match letter {
            '"' => self.string = Some(false),
            '[' | '{' | ':' | ',' | ']' | '}' => self.structure(letter)?,
            _ => {}
        }
        if done.is_none() {
            done = self.done();
        }
        Ok(done)
    }

    fn done(&mut self) -> Option<Val> {
        if self.stack.is_empty() { self.next.take() } else { None }
    }

    fn end(&mut self) -> Result<Option<Val>, &'static str> {
        if self.string.is_some() {
            return Err("Unfinished string");
        }
        self.literal()?;
        if self.stack.is_empty() { Ok(self.next.take()) } else { Err("Unfinished JSON term") }
    }

    fn value(&mut self, value: Val) -> Result<(), &'static str> {
        if self.next.is_some() {
            return Err("Expected separator between values");
        }
        self.next = Some(value);
        Ok(())
    }

    fn literal(&mut self) -> Result<(), &'static str> {
        if self.token.is_empty() {
            return Ok(());
        }
        let token = std::mem::take(&mut self.token);
        let value = match (token.as_bytes().first(), token.as_str()) {
            (_, "true") => Val::Bool(true),
            (_, "false") => Val::Bool(false),
            (_, "null") => Val::Null,
            (Some(b't' | b'f' | b'n'), _) => return Err("Invalid literal"),
            _ => number(&token).ok_or("Invalid numeric literal")?,
        };
        self.value(value)
    }

    fn structure(&mut self, letter: char) -> Result<(), &'static str> {
        match letter {
            '[' | '{' => {
                if self.stack.len() >= DEEPEST {
                    return Err("Exceeds depth limit for parsing");
                }
                if self.next.is_some() {
                    return Err("Expected separator between values");
                }
                self.stack.push(if letter == '[' {
                    Open::List(Vec::new())
                } else {
                    Open::Object(Vec::new())
                });
            }
            ':' => match (self.next.take(), self.stack.last()) {
                (None, _) => return Err("Expected string key before ':'"),
                (Some(_), None | Some(Open::List(_) | Open::Key(_))) => {
                    return Err("':' not as part of an object");
                }
                (Some(key @ Val::TStr(_)), Some(Open::Object(_))) => self.stack.push(Open::Key(key)),
                (Some(_), Some(Open::Object(_))) => return Err("Object keys must be strings"),
            },
            ',' => {
                let Some(value) = self.next.take().filter(|_| !self.stack.is_empty()) else {
                    return Err("Expected value before ','");
                };
                self.close_value(value)?;
            }
            ']' => {
                let Some(Open::List(mut list)) = self.stack.pop_if(|open| matches!(open, Open::List(_)))
                else {
                    return Err("Unmatched ']'");
                };
                match self.next.take() {
                    Some(value) => list.push(value),
                    None if !list.is_empty() => return Err("Expected another array element"),
                    None => {}
                }
                self.next = Some(list.into_iter().collect());
            }
            _ => {
                if self.stack.is_empty() {
                    return Err("Unmatched '}'");
                }
                match self.next.take() {
                    Some(value) => {
                        if !matches!(self.stack.last(), Some(Open::Key(_))) {
                            return Err("Objects must consist of key:value pairs");
                        }
                        self.close_value(value)?;
                    }
                    None => match self.stack.last() {
                        Some(Open::Object(fields)) if fields.is_empty() => {}
                        Some(Open::Object(_)) => return Err("Expected another key-value pair"),
                        _ => return Err("Unmatched '}'"),
                    },
                }
                if let Some(Open::Object(fields)) = self.stack.pop() {
                    self.next = Some(super::write::object(fields));
                }
            }
        }
        Ok(())
    }

    /// A value of the innermost list or object is complete.
    fn close_value(&mut self, value: Val) -> Result<(), &'static str> {
        match self.stack.pop() {
            Some(Open::List(mut list)) => {
                list.push(value);
                self.stack.push(Open::List(list));
            }
            Some(Open::Key(key)) => {
                if let Some(Open::Object(fields)) = self.stack.last_mut() {
                    fields.push((key, value));
                }
            }
            Some(Open::Object(_)) | None => return Err("Objects must consist of key:value pairs"),
        }
        Ok(())
    }
}

/// A number as jq reads it: a double.
fn number(token: &str) -> Option<Val> {
    if !token.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return None;
    }
    if let Ok(whole) = token.parse::<i32>()
        && token != "-0"
    {
        return Some(Val::Num(Num::Int(whole as isize)));
    }
    let float: f64 = token.parse().ok()?;
    Some(super::write::number(float.clamp(f64::MIN, f64::MAX)))
}

fn unescaped(text: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    let mut high: Option<u32> = None;
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            if high.take().is_some() {
                out.push('\u{fffd}');
            }
            out.push(letter);
            continue;
        }
        let escape = letters.next().ok_or("Expected escape character at end of string")?;
        if escape != 'u' && high.take().is_some() {
            out.push('\u{fffd}');
        }
        match escape {
            '\\' | '"' | '/' => out.push(escape),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            't' => out.push('\t'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            'u' => {
                let digits: String = letters.by_ref().take(4).collect();
                if digits.len() < 4 {
                    return Err("Invalid \\uXXXX escape");
                }
                let code = u32::from_str_radix(&digits, 16).map_err(|_| "Invalid escape")?;
                match (high.take(), code) {
                    (Some(first), 0xdc00..=0xdfff) => {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (code - 0xdc00);
                        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    (first, 0xd800..=0xdbff) => {
                        out.extend(first.map(|_| '\u{fffd}'));
                        high = Some(code);
                    }
                    (first, code) => {
                        out.extend(first.map(|_| '\u{fffd}'));
                        out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                }
            }
            _ => return Err("Invalid escape"),
        }
    }
    out.extend(high.map(|_| '\u{fffd}'));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_stand_where_jq_puts_them() {
        for (text, wanted) in [
            ("{\"a\" 1}", "Expected separator between values at line 1, column 7"),
            ("{a:1}", "Invalid numeric literal at line 1, column 3"),
            ("[1,]", "Expected another array element at line 1, column 4"),
            ("{\"a\":1,}", "Expected another key-value pair at line 1, column 8"),
            ("\"abc", "Unfinished string at EOF at line 1, column 4"),
            ("tru", "Invalid literal at EOF at line 1, column 3"),
            ("1 2 ]", "Unmatched ']' at line 1, column 5"),
            ("{\"a\"}", "Objects must consist of key:value pairs at line 1, column 5"),
            ("1,2", "Expected value before ',' at line 1, column 2"),
            (":", "Expected string key before ':' at line 1, column 1"),
            ("\"\\q\"", "Invalid escape at line 1, column 4"),
            ("[1 2]", "Expected separator between values at line 1, column 5"),
            ("{1:2}", "Object keys must be strings at line 1, column 3"),
            ("[1,2\n", "Unfinished JSON term at EOF at line 2, column 0"),
        ] {
            let last = values("", text).pop().map(|read| read.value);
            assert_eq!(last.and_then(Result::err), Some(ParseError(wanted.to_owned())), "{text}");
        }
    }

    #[test]
    fn values_follow_one_another() {
        let all = values("f", "1 [2]\n\"x\"{\"a\":null}\n3");
        let places: Vec<&str> = all.iter().map(|read| read.at.as_str()).collect();
        assert_eq!(places, ["f:1", "f:1", "f:2", "f:2", "f:2"]);
        assert!(all.iter().all(|read| read.value.is_ok()));
    }
}
