//! `-o custom-columns`. Source: kubectl `pkg/cmd/get/customcolumn.go`.

use api::jsonpath::JsonPath;
use serde_json::Value;

use crate::kubectl::{Done, Fail, print::table::Table};

/// Headers with their paths.
#[derive(Clone, Debug)]
pub(crate) struct Columns(Vec<(String, JsonPath)>);

impl Columns {
    /// Reads `NAME:.metadata.name,IP:.status.podIP`.
    pub(crate) fn parse(text: &str) -> Done<Self> {
        if text.is_empty() {
            return Fail::error("custom-columns format specified but no custom columns given");
        }
        let mut columns = Vec::new();
        for part in cut(text) {
            let Some((header, path)) = part.split_once(':') else {
                return Fail::error(format!(
                    "unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
                ));
            };
            let path = JsonPath::relaxed(path).map_err(|error| Fail::Error(error.to_string()))?;
            columns.push((header.to_owned(), path));
        }
        Ok(Self(columns))
    }

    /// The table of some objects.
    pub(crate) fn print(&self, objects: &[&Value], headers: bool) -> String {
        let mut table = Table::default();
        if headers {
            table.row(self.0.iter().map(|(header, _)| header.clone()).collect());
        }
        for object in objects {
            table.row(self.0.iter().map(|(_, path)| cell(&path.values(object))).collect());
        }
        table.print()
    }
}

/// What a file for `custom-columns-file` says, a line of headers and a line of paths, as `custom-columns` takes it.
pub(super) fn of_file(text: &str) -> Done<String> {
    let mut lines = text.lines();
    let words = |line: Option<&str>| {
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let (headers, paths) = (words(lines.next()), words(lines.next()));
    if headers.is_empty() || paths.is_empty() {
        return Fail::error("Failed to read from file: EOF");
    }
    if headers.len() != paths.len() {
        return Fail::error(format!(
            "number of headers ({}) and field specifications ({}) don't match",
            headers.len(),
            paths.len()
        ));
    }
    let pairs: Vec<String> =
        headers.iter().zip(&paths).map(|(header, path)| format!("{header}:{path}")).collect();
    Ok(pairs.join(","))
}

/// Cuts at commas outside of brackets.
fn cut(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_i32);
    for c in text.chars() {
        depth += i32::from(matches!(c, '[' | '(')) - i32::from(matches!(c, ']' | ')'));
        match (c, parts.last_mut()) {
            (',', _) if depth <= 0 => parts.push(String::new()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    parts
}

fn cell(values: &[std::borrow::Cow<'_, Value>]) -> String {
    if values.is_empty() {
        return "<none>".to_owned();
    }
    values.iter().map(|v| go_text(v)).collect::<Vec<_>>().join(",")
}

/// A value as Go's `%v` prints it.
pub(crate) fn go_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_text).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().map(|(k, v)| format!("{k}:{}", go_text(v))).collect();
            format!("map[{}]", inner.join(" "))
        }
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => go_float(float),
            None => number.to_string(),
        },
        Value::Bool(_) => value.to_string(),
    }
}

/// A float as Go's `%g` prints it: no more digits than it takes, and an exponent for the very large and small.
fn go_float(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        Ok(_) | Err(_) => float.to_string(),
    }
}
