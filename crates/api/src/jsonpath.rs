//! What does kubectl's `-o jsonpath` print?
//!
//! kubectl's own dialect: templates with `{…}`, `range`/`end`, filters, slices, unions, `..`; a missing field prints nothing.
//! Source: client-go `util/jsonpath` (parser.go, jsonpath.go) v0.32.

use serde_json::Value;

use crate::emit;

mod parse;

pub use parse::JsonPathError;

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(String),
    Wildcard,
    Recursive,
    Slice(Option<i64>, Option<i64>, Option<i64>),
    Filter(Box<Filter>),
    Union(Vec<Vec<Step>>),
}

/// `[?(left op right)]`; without an operator, whether `left` is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub left: Vec<Operand>,
    pub op: String,
    pub right: Vec<Operand>,
}

/// Part of a filter's side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    Literal(Value),
    Steps(Vec<Step>),
}

/// A piece of the template.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// Steps and literals that stand in one pair of braces.
    Path(Vec<Operand>),
    Range(Vec<Operand>),
    End,
}

/// A template, ready to print.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    pieces: Vec<Piece>,
}

/// Why a value cannot be printed, in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PrintError(String);

impl JsonPath {
    /// Reads a template such as `{.items[*].metadata.name}`.
    /// # Errors
    /// kubectl's words.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        parse::template(text).map(|pieces| Self { pieces })
    }

    /// Reads a template for flags that also take a bare path: `.metadata.name`, `metadata.name`.
    /// # Errors
    /// kubectl's words.
    pub fn relaxed(text: &str) -> Result<Self, JsonPathError> {
        let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let dotted = if bare.starts_with(['.', '[', '$']) || bare.is_empty() {
            bare.to_owned()
        } else {
            format!(".{bare}")
        };
        Self::parse(&format!("{{{dotted}}}"))
    }

    /// What the template prints for a value.
    #[must_use]
    pub fn print(&self, value: &Value) -> String {
        self.try_print(value).unwrap_or_default()
    }

    /// What the template prints for a value.
    /// # Errors
    /// kubectl's words, such as an index out of bounds.
    pub fn try_print(&self, value: &Value) -> Result<String, PrintError> {
        let mut out = String::new();
        run(&self.pieces, value, value, &mut out)?;
        Ok(out)
    }

    /// The values of the template's first path.
    #[must_use]
    pub fn values<'v>(&self, value: &'v Value) -> Vec<std::borrow::Cow<'v, Value>> {
        for piece in &self.pieces {
            if let Piece::Path(operands) = piece {
                return evaluate(operands, value, value).unwrap_or_default();
            }
        }
        Vec::new()
    }

    /// The values of each path as `-o jsonpath-as-json` lists them.
    #[must_use]
    pub fn as_json(&self, value: &Value) -> String {
        let all: Vec<Value> = self
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Path(operands) => Some(evaluate(operands, value, value).unwrap_or_default()),
                Piece::Text(_) | Piece::Range(_) | Piece::End => None,
            })
            .flatten()
            .map(std::borrow::Cow::into_owned)
            .collect();
        format!("{}\n", emit::json(&Value::Array(all)))
    }
}

fn run(pieces: &[Piece], root: &Value, here: &Value, out: &mut String) -> Result<(), PrintError> {
    let mut i = 0;
    while let Some(piece) = pieces.get(i) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Path(operands) => {
                let found = evaluate(operands, root, here)?;
                let texts: Vec<String> = found.iter().map(|v| text(v)).collect();
                out.push_str(&texts.join(" "));
            }
            Piece::Range(operands) => {
                let mut depth = 1;
                let length = pieces[i + 1..].iter().take_while(|p| {
                    match p {
                        Piece::Range(_) => depth += 1,
                        Piece::End => depth -= 1,
                        Piece::Text(_) | Piece::Path(_) => {}
                    }
                    depth > 0
                });
                let body = &pieces[i + 1..i + 1 + length.count()];
                for item in evaluate(operands, root, here)? {
                    run(body, &item, &item, out)?;
                }
                i += body.len() + 1;
            }
            Piece::End => {}
        }
        i += 1;
    }
    Ok(())
}

/// A value as the template prints it.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => emit::compact(value),
    }
}

type Found<'v> = Vec<std::borrow::Cow<'v, Value>>;

fn evaluate<'v>(operands: &[Operand], root: &'v Value, here: &'v Value) -> Result<Found<'v>, PrintError> {
    let mut found = Vec::new();
    for operand in operands {
        match operand {
            Operand::Literal(value) => found.push(std::borrow::Cow::Owned(value.clone())),
            Operand::Steps(steps) => {
                let values = walk(steps, vec![here], root)?;
                found.extend(values.into_iter().map(std::borrow::Cow::Borrowed));
            }
        }
    }
    Ok(found)
}

fn walk<'v>(
    steps: &[Step],
    mut values: Vec<&'v Value>,
    root: &'v Value,
) -> Result<Vec<&'v Value>, PrintError> {
    for step in steps {
        let mut next = Vec::new();
        for value in values {
            match step {
                Step::Field(name) => match value {
                    Value::Object(fields) => next.extend(fields.get(name)),
                    Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                },
                Step::Wildcard => match value {
                    Value::Object(fields) => next.extend(fields.values()),
                    Value::Array(items) => next.extend(items),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                },
                Step::Recursive => descend(value, &mut next),
                Step::Slice(from, to, by) => slice(value, (*from, *to, *by), &mut next)?,
                Step::Filter(filter) => {
                    if let Value::Array(items) = value {
                        for item in items {
                            if holds(filter, item, root)? {
                                next.push(item);
                            }
                        }
                    }
                }
                Step::Union(members) => {
                    for member in members {
                        next.extend(walk(member, vec![value], root)?);
                    }
                }
            }
        }
        values = next;
    }
    Ok(values)
}

fn descend<'v>(value: &'v Value, out: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            out.push(value);
            fields.values().for_each(|v| descend(v, out));
        }
        Value::Array(items) => {
            out.push(value);
            items.iter().for_each(|v| descend(v, out));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

type Bounds = (Option<i64>, Option<i64>, Option<i64>);

fn slice<'v>(value: &'v Value, (from, to, by): Bounds, out: &mut Vec<&'v Value>) -> Result<(), PrintError> {
    let Value::Array(items) = value else {
        return match value {
            Value::Null => Ok(()),
            Value::Object(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(PrintError(format!("{} is not array or slice", go_type(value))))
            }
        };
    };
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let absolute = |n: i64| if n < 0 { n + len } else { n };
    let start = absolute(from.unwrap_or(0));
    let end = to.map_or(len, absolute);
    // UPSTREAM: `[3]` is parsed as `[3:4]`, an index out of bounds is an error, a slice out of bounds is not.
    if from.is_some() && to == from.and_then(|f| f.checked_add(1)) && by == Some(0) && start >= len {
        return Err(PrintError(format!("array index out of bounds: index {start}, length {len}")));
    }
    let step = by.filter(|b| *b != 0).unwrap_or(1);
    let end = if to == Some(0) && by == Some(0) { len } else { end.min(len) };
    let mut at = start.max(0);
    while at < end && step > 0 {
        out.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
        at = at.saturating_add(step);
    }
    Ok(())
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::Array(_) | Value::Null => "[]interface {}",
    }
}

fn holds(filter: &Filter, item: &Value, root: &Value) -> Result<bool, PrintError> {
    let left = evaluate(&filter.left, root, item);
    if filter.op == "exists" {
        // UPSTREAM: an index out of bounds counts as there.
        return Ok(left.is_err() || left.is_ok_and(|found| !found.is_empty()));
    }
    let left = left?;
    let right = evaluate(&filter.right, root, item)?;
    let many = |found: &Found<'_>| found.len() > 1;
    if many(&left) || many(&right) {
        return Err(PrintError("can only compare one element at a time".to_owned()));
    }
    let (Some(left), Some(right)) = (left.first(), right.first()) else { return Ok(false) };
    let order = match (left.as_ref(), right.as_ref()) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    };
    Ok(match (filter.op.as_str(), order) {
        ("==", order) => order.is_some_and(std::cmp::Ordering::is_eq),
        ("!=", order) => order.is_none_or(std::cmp::Ordering::is_ne),
        ("<", Some(order)) => order.is_lt(),
        ("<=", Some(order)) => order.is_le(),
        (">", Some(order)) => order.is_gt(),
        (">=", Some(order)) => order.is_ge(),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_print_as_in_kubectl() {
        let value = json!({"kind": "List", "items": [
            {"name": "a", "ports": [80, 443], "labels": {"app.io/x": "1"}, "ready": true},
            {"name": "b", "ports": [], "labels": {}, "ready": false}]});
        for (template, wanted) in [
            ("{.kind}", "List"),
            ("{.items[*].name}", "a b"),
            ("{.items[0].ports}", "[80,443]"),
            ("{.items[-1:].name}", "b"),
            ("{.items[-1].name}", "b"),
            ("{.items[0:2].name}", "a b"),
            ("{.nope.at.all}", ""),
            ("{..name}", "a b"),
            (r"{.items[0].labels.app\.io/x}", "1"),
            ("{.items[0]['name','ready']}", "a true"),
            ("{.items[?(@.name==\"b\")].name}", "b"),
            ("{.items[?(@.ready==false)].name}", "b"),
            ("{.items[?(@.ports)].name}", "a b"),
            ("{range .items[*]}{.name}={.ready}{\"\\n\"}{end}", "a=true\nb=false\n"),
            ("x{.kind}y", "xListy"),
            ("{.items[*]['name']}", "a b"),
            ("{.items[0].labels}", "{\"app.io/x\":\"1\"}"),
        ] {
            let path = JsonPath::parse(template).expect(template);
            assert_eq!(path.print(&value), wanted, "{template}");
        }
    }

    #[test]
    fn errors_are_kubectl_s() {
        for (template, wanted) in [
            ("{.items[0].spec", "unclosed action"),
            ("{.items[0", "unterminated array"),
            ("{.items[?(@.a", "unterminated filter"),
            ("{nope}", "unrecognized identifier nope"),
        ] {
            assert_eq!(JsonPath::parse(template).expect_err(template).to_string(), wanted);
        }
        let error = JsonPath::parse("{.a[5]}")
            .expect("read")
            .try_print(&json!({"a": [1]}))
            .expect_err("out of bounds");
        assert_eq!(error.to_string(), "array index out of bounds: index 5, length 1");
    }
}
