//! What does jq say where jaq says something else?
//!
//! jaq's messages carry the values they speak of as JSON; jq names the kind of each and shortens it.
//! Source: messages of jq 1.6, `jv_aux.c` and `builtin.c`.

use jaq_json::{Error, Val};
use serde_json::Value;

/// Most characters of a value in a message.
const LONGEST: usize = 14;

/// The rest of `jq: error (at …)`.
pub(super) fn error(error: Error) -> String {
    let value = error.into_val();
    match &value {
        Val::TStr(text) => format!(": {}", translated(&String::from_utf8_lossy(text))),
        other => format!(" (not a string): {}", super::write::compact(other)),
    }
}

fn translated(message: &str) -> String {
    let found = None
        .or_else(|| {
            let (value, rest) = value(message.strip_prefix("cannot index ")?)?;
            let (key, _) = self::value(rest.strip_prefix(" with ")?)?;
            Some(match key {
                Value::String(key) => format!("Cannot index {} with string {key:?}", kind(&value)),
                key => format!("Cannot index {} with {}", kind(&value), kind(&key)),
            })
        })
        .or_else(|| {
            let (value, rest) = value(message.strip_prefix("cannot use ")?)?;
            Some(match rest.strip_prefix(" as ")? {
                "iterable (array or object)" => format!("Cannot iterate over {}", named(&value)),
                "number" => format!("{} number required", named(&value)),
                "rangeable (array or string)" => format!("Cannot index {} with object", kind(&value)),
                what => format!("{} cannot be used as {what}", named(&value)),
            })
        })
        .or_else(|| {
            let (left, rest) = value(message.strip_prefix("cannot calculate ")?)?;
            let (operator, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
            let (right, _) = value(rest)?;
            let done = match operator {
                "+" => "added",
                "-" => "subtracted",
                "*" => "multiplied",
                _ => "divided",
            };
            Some(format!("{} and {} cannot be {done}", named(&left), named(&right)))
        });
    found.unwrap_or_else(|| message.to_owned())
}

/// The JSON value that a text begins with, and what follows it.
fn value(text: &str) -> Option<(Value, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let rest = text.get(values.byte_offset()..)?;
    Some((value, rest))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn named(value: &Value) -> String {
    let text = value.to_string();
    let shown = if text.len() > LONGEST {
        let head: String = text.chars().take(LONGEST - 3).collect();
        format!("{head}...")
    } else {
        text
    };
    format!("{} ({shown})", kind(value))
}
