//! From a template's text to its pieces.

use serde_json::Value;

use super::{Filter, Operand, Piece, Step};

/// Why a template cannot be read, in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonPathError(String);

type Parsed<T> = Result<T, JsonPathError>;

fn error<T>(text: impl Into<String>) -> Parsed<T> {
    Err(JsonPathError(text.into()))
}

/// Deepest nesting of filters and unions.
const DEEPEST: usize = 32;

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

/// Reads a whole template.
pub(super) fn template(text: &str) -> Parsed<Vec<Piece>> {
    let mut reader = Reader { chars: text.chars().collect(), at: 0, depth: 0 };
    let mut pieces = Vec::new();
    let mut literal = String::new();
    while let Some(c) = reader.next() {
        if c != '{' {
            literal.push(c);
            continue;
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        reader.action(&mut pieces)?;
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|c| c == ' ') {
            self.at += 1;
        }
    }

    /// What stands between `{` and `}`.
    fn action(&mut self, pieces: &mut Vec<Piece>) -> Parsed<()> {
        let mut operands: Vec<Operand> = Vec::new();
        let mut range = false;
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('\n') => return error("unclosed action"),
                Some('}') => {
                    self.at += 1;
                    break;
                }
                Some('"' | '\'') => {
                    let text = self.quoted()?;
                    operands.push(Operand::Literal(Value::String(text)));
                }
                Some(c) if c == '@' || c == '$' || c == '.' || c == '[' => {
                    operands.push(Operand::Steps(self.steps("}")?));
                }
                Some(c) if c.is_ascii_digit() || c == '-' || c == '+' => {
                    operands.push(Operand::Literal(self.number()?));
                }
                Some(c) if c.is_alphabetic() => match self.word().as_str() {
                    "range" => range = true,
                    "end" => {
                        pieces.push(Piece::End);
                        self.skip_blanks();
                        if self.peek() == Some('}') {
                            self.at += 1;
                            return Ok(());
                        }
                    }
                    "true" => operands.push(Operand::Literal(Value::Bool(true))),
                    "false" => operands.push(Operand::Literal(Value::Bool(false))),
                    other => return error(format!("unrecognized identifier {other}")),
                },
                Some(c) => return error(format!("unrecognized character in action: {}", go_char(c))),
            }
        }
        if range {
            pieces.push(Piece::Range(operands));
        } else {
            pieces.push(Piece::Path(operands));
        }
        Ok(())
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            word.push(c);
            self.at += 1;
        }
        word
    }

    fn number(&mut self) -> Parsed<Value> {
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_digit() || "+-.eE".contains(*c)) {
            text.push(c);
            self.at += 1;
        }
        if let Ok(number) = text.parse::<i64>() {
            return Ok(Value::from(number));
        }
        match text.parse::<f64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => error(format!("cannot parse number {text}")),
        }
    }

    fn quoted(&mut self) -> Parsed<String> {
        let quote = self.next().unwrap_or('"');
        let mut out = String::new();
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated quoted string"),
                Some('\\') => match self.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some(c) => out.push(c),
                    None => return error("unterminated quoted string"),
                },
                Some(c) if c == quote => return Ok(out),
                Some(c) => out.push(c),
            }
        }
    }

    /// A path until one of the characters that may follow it.
    fn steps(&mut self, until: &str) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            match self.peek() {
                None => return Ok(steps),
                Some('@' | '$') => self.at += 1,
                Some('.') => {
                    self.at += 1;
                    match self.peek() {
                        Some('.') => {
                            self.at += 1;
                            steps.push(Step::Recursive);
                            if self.peek().is_some_and(|c| c != '.' && c != '[' && !until.contains(c)) {
                                self.field(&mut steps)?;
                            }
                        }
                        Some('[') => {}
                        Some(_) => self.field(&mut steps)?,
                        None => {}
                    }
                }
                Some('[') => {
                    self.at += 1;
                    let step = self.array()?;
                    steps.push(step);
                }
                Some(_) => return Ok(steps),
            }
        }
    }

    fn field(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    name.extend(self.next());
                    continue;
                }
                ' ' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' | ')' | '(' | '=' | '!' | '<'
                | '>' => break,
                _ => name.push(c),
            }
            self.at += 1;
        }
        if name == "*" {
            steps.push(Step::Wildcard);
        } else if !name.is_empty() {
            steps.push(Step::Field(name));
        }
        Ok(())
    }

    /// What stands between `[` and `]`.
    fn array(&mut self) -> Parsed<Step> {
        if self.depth > DEEPEST {
            return error("nested too deep");
        }
        self.depth += 1;
        let step = self.array_inner();
        self.depth -= 1;
        step
    }

    fn array_inner(&mut self) -> Parsed<Step> {
        let mut members: Vec<Vec<Step>> = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('\n') => return error("unterminated array"),
                Some('?') => {
                    self.at += 1;
                    if self.next() != Some('(') {
                        return error("unterminated filter");
                    }
                    let filter = self.filter()?;
                    if self.next() != Some(']') {
                        return error("unclosed array expect ]");
                    }
                    return Ok(Step::Filter(Box::new(filter)));
                }
                Some('\'' | '"') => {
                    let name = self.quoted()?;
                    members.push(vec![Step::Field(name)]);
                }
                Some('*') => {
                    self.at += 1;
                    members.push(vec![Step::Wildcard]);
                }
                Some(_) => {
                    let mut text = String::new();
                    while let Some(c) = self.peek().filter(|c| *c != ']' && *c != ',') {
                        if c == '\n' {
                            return error("unterminated array");
                        }
                        text.push(c);
                        self.at += 1;
                    }
                    if self.peek().is_none() {
                        return error("unterminated array");
                    }
                    members.push(vec![index(text.trim())?]);
                }
            }
            self.skip_blanks();
            match self.next() {
                Some(',') => {}
                Some(']') => break,
                Some(_) | None => return error("unterminated array"),
            }
        }
        match <[Vec<Step>; 1]>::try_from(members) {
            Ok([mut only]) if only.len() == 1 => Ok(only.remove(0)),
            Ok([only]) => Ok(Step::Union(vec![only])),
            Err(members) => Ok(Step::Union(members)),
        }
    }

    fn filter(&mut self) -> Parsed<Filter> {
        let left = self.side()?;
        self.skip_blanks();
        let mut op = String::new();
        while let Some(c) = self.peek().filter(|c| "=!<>".contains(*c)) {
            op.push(c);
            self.at += 1;
        }
        self.skip_blanks();
        if op.is_empty() {
            return match self.next() {
                Some(')') => Ok(Filter { left, op: "exists".to_owned(), right: Vec::new() }),
                Some(_) | None => error("unterminated filter"),
            };
        }
        if !matches!(op.as_str(), "==" | "!=" | "<" | ">" | "<=" | ">=") {
            return error(format!("unrecognized filter operator {op}"));
        }
        let right = self.side()?;
        self.skip_blanks();
        match self.next() {
            Some(')') => Ok(Filter { left, op, right }),
            Some(_) | None => error("unterminated filter"),
        }
    }

    fn side(&mut self) -> Parsed<Vec<Operand>> {
        self.skip_blanks();
        match self.peek() {
            Some('"' | '\'') => Ok(vec![Operand::Literal(Value::String(self.quoted()?))]),
            Some('@' | '$' | '.') => Ok(vec![Operand::Steps(self.steps(")")?)]),
            Some(c) if c.is_ascii_digit() || c == '-' => Ok(vec![Operand::Literal(self.number()?)]),
            Some(c) if c.is_alphabetic() => match self.word().as_str() {
                "true" => Ok(vec![Operand::Literal(Value::Bool(true))]),
                "false" => Ok(vec![Operand::Literal(Value::Bool(false))]),
                other => error(format!("unrecognized identifier {other}")),
            },
            Some(_) | None => error("unterminated filter"),
        }
    }
}

/// `3`, `-1`, `0:2`, `::2`.
fn index(text: &str) -> Parsed<Step> {
    let bad = || JsonPathError(format!("invalid array index {text}"));
    let number =
        |part: &str| if part.is_empty() { Ok(None) } else { part.parse().map(Some).map_err(|_| bad()) };
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [only] => {
            let at: i64 = only.parse().map_err(|_| bad())?;
            Ok(Step::Slice(Some(at), at.checked_add(1), Some(0)))
        }
        [from, to] => Ok(Step::Slice(number(from)?, number(to)?, None)),
        [from, to, by] => Ok(Step::Slice(number(from)?, number(to)?, number(by)?.filter(|b| *b != 0))),
        _ => Err(bad()),
    }
}

fn go_char(c: char) -> String {
    format!("U+{:04X} {c:?}", u32::from(c))
}
