//! From a template's text to its nodes, step by step as upstream's parser goes: what it accepts by accident is accepted here.

use super::{Filter, Node};

/// Why a template cannot be read, in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonPathError(String);

impl JsonPathError {
    /// What flags say of a path that has braces where they do not belong. Source: kubectl `pkg/cmd/get/customcolumn.go`.
    pub(super) fn unexpected() -> Self {
        let said = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'";
        Self(said.to_owned())
    }
}

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
pub(super) fn template(text: &str) -> Parsed<Vec<Node>> {
    read(text, 0)
}

fn read(text: &str, depth: usize) -> Parsed<Vec<Node>> {
    if depth > DEEPEST {
        return error("nested too deep");
    }
    let mut reader = Reader { chars: text.chars().collect(), at: 0, depth };
    let mut nodes = Vec::new();
    let mut literal = String::new();
    while let Some(c) = reader.next() {
        if c != '{' {
            literal.push(c);
            continue;
        }
        if !literal.is_empty() {
            nodes.push(Node::Text(std::mem::take(&mut literal)));
        }
        nodes.push(Node::List(reader.action()?));
    }
    if !literal.is_empty() {
        nodes.push(Node::Text(literal));
    }
    Ok(nodes)
}

/// What stands in braces around a text: the nodes of the first pair.
fn inside(text: &str, depth: usize) -> Parsed<Vec<Node>> {
    let mut nodes = read(&format!("{{{text}}}"), depth + 1)?.into_iter();
    match nodes.next() {
        Some(Node::List(list)) => Ok(list),
        _ => Ok(Vec::new()),
    }
}

fn ends_a_word(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn is_of_a_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
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

    fn text(&self, from: usize) -> String {
        self.chars.get(from..self.at.min(self.chars.len())).unwrap_or_default().iter().collect()
    }

    /// What stands between `{` and `}`.
    fn action(&mut self) -> Parsed<Vec<Node>> {
        let mut nodes = Vec::new();
        loop {
            let from = self.at;
            let ahead = |n: usize| self.chars.get(from + n).copied();
            match (ahead(0), ahead(1), ahead(2)) {
                (Some('}'), ..) => {
                    self.at += 1;
                    return Ok(nodes);
                }
                (Some('['), Some('?'), Some('(')) => {
                    self.at += 3;
                    nodes.push(self.filter()?);
                    continue;
                }
                (Some('.'), Some('.'), _) => {
                    if matches!(nodes.last(), Some(Node::Recursive)) {
                        return error("invalid multiple recursive descent");
                    }
                    self.at += 2;
                    nodes.push(Node::Recursive);
                    if self.peek().is_some_and(is_of_a_word) {
                        // UPSTREAM: the first letter stands where the dot of a field would.
                        self.field(from + 2, &mut nodes);
                    }
                    continue;
                }
                _ => {}
            }
            match self.next() {
                None | Some('\r' | '\n') => return error("unclosed action"),
                Some(' ' | '@' | '$') => {}
                Some('[') => self.array(from, &mut nodes)?,
                Some(quote @ ('"' | '\'')) => nodes.push(Node::Text(self.quoted(from, quote)?)),
                Some('.') => self.field(from + 1, &mut nodes),
                Some(c) if c == '+' || c == '-' || c.is_numeric() => {
                    self.at = from;
                    nodes.push(self.number()?);
                }
                Some(c) if is_of_a_word(c) => {
                    while self.peek().is_some_and(|c| !ends_a_word(c)) {
                        self.at += 1;
                    }
                    nodes.push(match self.text(from).as_str() {
                        "true" => Node::Bool(true),
                        "false" => Node::Bool(false),
                        other => Node::Identifier(other.to_owned()),
                    });
                }
                Some(c) => return error(format!("unrecognized character in action: {}", go_char(c))),
            }
        }
    }

    fn field(&mut self, from: usize, nodes: &mut Vec<Node>) {
        while let Some(c) = self.peek().filter(|c| !ends_a_word(*c)) {
            self.at += if c == '\\' { 2 } else { 1 };
        }
        let name = self.text(from);
        nodes.push(if name == "*" { Node::Wildcard } else { Node::Field(name.replace('\\', "")) });
    }

    fn number(&mut self) -> Parsed<Node> {
        let from = self.at;
        if matches!(self.peek(), Some('+' | '-')) {
            self.at += 1;
        }
        while self.peek().is_some_and(|c| c == '.' || c.is_numeric()) {
            self.at += 1;
        }
        let text = self.text(from);
        let float = || text.parse().map(Node::Float);
        text.parse()
            .map(Node::Int)
            .or_else(|_| float())
            .map_err(|_: std::num::ParseFloatError| JsonPathError(format!("cannot parse number {text}")))
    }

    fn quoted(&mut self, from: usize, quote: char) -> Parsed<String> {
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated quoted string"),
                Some(c) if c == quote && self.chars.get(self.at - 2) != Some(&'\\') => break,
                Some(_) => {}
            }
        }
        let typed = self.text(from);
        unquote(typed.get(1..typed.len().saturating_sub(1)).unwrap_or_default(), quote)
            .ok_or_else(|| JsonPathError(format!("unquote string {typed} error invalid syntax")))
    }

    /// What stands between `[` and `]`.
    fn array(&mut self, from: usize, nodes: &mut Vec<Node>) -> Parsed<()> {
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated array"),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let typed = self.text(from);
        let text = typed.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or_default();
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let member = |part: &str| inside(&format!("[{}]", part.trim_matches(' ')), self.depth);
            nodes.push(Node::Union(text.split(',').map(member).collect::<Parsed<_>>()?));
            return Ok(());
        }
        let key = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')).filter(|t| !t.contains('\''));
        if let Some(key) = key {
            nodes.extend(inside(&format!(".{key}"), self.depth)?);
            return Ok(());
        }
        nodes.push(slice(text)?);
        Ok(())
    }

    fn filter(&mut self) -> Parsed<Node> {
        let from = self.at;
        let (mut begun, mut ended, mut pair) = (false, false, ' ');
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated filter"),
                Some(c @ ('"' | '\'')) if !begun => (begun, pair) = (true, c),
                Some(c) if c == pair && begun && self.chars.get(self.at - 2) != Some(&'\\') => ended = true,
                Some(')') if begun == ended => break,
                Some(_) => {}
            }
        }
        let text: String = self.chars[from..self.at - 1].iter().collect();
        if self.next() != Some(']') {
            return error("unclosed array expect ]");
        }
        let is_operator = |c: char| "!<>=".contains(c);
        let left = text.find(is_operator).unwrap_or(0);
        let mut right = left + text[left..].find(|c| !is_operator(c)).unwrap_or(text.len() - left);
        if right == text.len() && right > left + 1 {
            // UPSTREAM: something must stand to the right, if need be the end of the operator.
            right -= 1;
        }
        if left == 0 || right == text.len() {
            let left = inside(&text, self.depth)?;
            return Ok(Node::Filter(Filter { left, op: "exists".to_owned(), right: Vec::new() }));
        }
        Ok(Node::Filter(Filter {
            left: inside(&text[..left], self.depth)?,
            op: text[left..right].to_owned(),
            right: inside(&text[right..], self.depth)?,
        }))
    }
}

/// `3`, `-1`, `0:2`, `::2`.
fn slice(text: &str) -> Parsed<Node> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &str| part.strip_prefix('-').unwrap_or(part).chars().all(|c| c.is_ascii_digit());
    if parts.len() > 3 || !parts.iter().all(|part| is_number(part)) {
        return error(format!("invalid array index {text}"));
    }
    let number = |i: usize| match parts.get(i) {
        None | Some(&"") => Ok(None),
        Some(part) => part
            .parse::<i64>()
            .map(Some)
            .map_err(|_| JsonPathError(format!("array index {part} is not a number"))),
    };
    let from = number(0)?;
    // An index is a slice of one.
    let only = parts.len() == 1;
    let to = if only { Some(from.unwrap_or(0).saturating_add(1)) } else { number(1)? };
    Ok(Node::Slice { from, to, only, step: number(2)? })
}

/// What Go's `strconv.Unquote` reads between the quotes, single ones treated as double ones; nothing where an escape is none.
#[must_use]
pub fn unquote(body: &str, quote: char) -> Option<String> {
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => digits(None, 2, 16, &mut chars)?,
            'u' => digits(None, 4, 16, &mut chars)?,
            'U' => digits(None, 8, 16, &mut chars)?,
            c @ '0'..='7' => digits(Some(c), 2, 8, &mut chars)?,
            c if c == quote => c,
            _ => return None,
        });
    }
    Some(out)
}

/// The character of so many more digits.
fn digits(
    first: Option<char>,
    more: usize,
    radix: u32,
    rest: &mut impl Iterator<Item = char>,
) -> Option<char> {
    let text: String = first.into_iter().chain(rest.take(more)).collect();
    let is_whole = text.chars().count() == more + usize::from(first.is_some());
    is_whole.then(|| u32::from_str_radix(&text, radix).ok()).flatten().and_then(char::from_u32)
}

fn go_char(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}
