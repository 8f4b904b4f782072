//! How does the AWS CLI print an answer?
//!
//! `--query` narrows it by a JMESPath expression, `--output` chooses the layout. Source: AWS CLI 2, `awscli/text.py`, `formatter.py`.
//! MODEL: the fields that `{A: a, B: b}` makes come in the order of their names; `--output table` is not drawn.

use serde_json::{Map, Value};

use super::flag;
use crate::{output::Hint, tool::Call};

/// Prints an answer; the exit status.
pub(super) fn show(call: &mut Call<'_, '_>, answer: &Value, words: &[&str]) -> i32 {
    let mut shown = answer.clone();
    if let Some(query) = flag(words, "--query") {
        match narrowed(answer, query) {
            Ok(found) => shown = found,
            Err(why) => {
                call.out.err(&format!("\nBad value for --query {query}: {why}"));
                return 252;
            }
        }
    }
    match flag(words, "--output") {
        Some("text") => {
            let mut text = String::new();
            put(&shown, None, None, &mut text);
            call.out.out(&text);
        }
        Some("yaml") => call.out.out(&api::emit::yaml(&shown)),
        Some("table") => {
            call.out.hint(Hint::NotSimulated { what: "aws --output table".to_owned() });
            call.out.err("lab: --output table is not available in this lab yet: json, text and yaml are");
            return 252;
        }
        Some("json") | None => call.out.line(&api::emit::json(&shown)),
        Some(other) => {
            call.out.err(&format!("\nUnknown output type: {other}"));
            return 255;
        }
    }
    0
}

fn narrowed(answer: &Value, query: &str) -> Result<Value, String> {
    let expression = jmespath::compile(query).map_err(|error| {
        format!("Bad jmespath expression: {}:\n{query}\n{}^", error.reason, " ".repeat(error.column))
    })?;
    let found = expression.search(answer).map_err(|error| error.reason.to_string())?;
    serde_json::to_value(&*found).map_err(|error| error.to_string())
}

/// Text: tabs between scalars, a line for a struct or a list; what lies deeper follows under its name.
fn put(item: &Value, name: Option<&str>, keys: Option<&[String]>, out: &mut String) {
    match item {
        Value::Object(fields) => put_fields(fields, name, keys, out),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            let keys = scalar_keys(items);
            items.iter().for_each(|item| put(item, name, Some(&keys), out));
        }
        Value::Array(items) => {
            let (lists, scalars): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| item.is_array());
            let scalars: Vec<String> = scalars.into_iter().map(scalar).collect();
            match name {
                _ if scalars.is_empty() => {}
                Some(name) => {
                    let name = name.to_uppercase();
                    scalars.iter().for_each(|value| out.push_str(&format!("{name}\t{value}\n")));
                }
                None => out.push_str(&format!("{}\n", scalars.join("\t"))),
            }
            lists.into_iter().for_each(|list| put(list, name, None, out));
        }
        other => out.push_str(&format!("{}\n", scalar(other))),
    }
}

fn put_fields(fields: &Map<String, Value>, name: Option<&str>, keys: Option<&[String]>, out: &mut String) {
    let is_deep = |value: &Value| value.is_object() || value.is_array();
    let own: Vec<String> =
        fields.iter().filter(|(_, value)| !is_deep(value)).map(|(key, _)| key.clone()).collect();
    let keys = keys.unwrap_or(&own);
    let mut scalars: Vec<String> =
        keys.iter().map(|key| fields.get(key).map(scalar).unwrap_or_default()).collect();
    if !scalars.is_empty() {
        scalars.splice(0..0, name.map(str::to_uppercase));
        out.push_str(&format!("{}\n", scalars.join("\t")));
    }
    let mut rest: Vec<(&String, &Value)> = fields.iter().filter(|(key, _)| !keys.contains(key)).collect();
    rest.sort_by_key(|(key, _)| *key);
    rest.into_iter().for_each(|(key, value)| put(value, Some(key), None, out));
}

/// The fields that hold a scalar in any of the structs.
fn scalar_keys(items: &[Value]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (key, value) in items.iter().filter_map(Value::as_object).flatten() {
        if !value.is_object() && !value.is_array() {
            keys.push(key.clone());
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// A scalar as Python writes it.
fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::text::tests::{sh, stdout};

    fn text(value: &Value) -> String {
        let mut out = String::new();
        put(value, None, None, &mut out);
        out
    }

    #[test]
    fn text_has_tabs_and_names_what_lies_deeper() {
        assert_eq!(text(&json!([["a", "b"], ["c", null]])), "a\tb\nc\tNone\n");
        assert_eq!(text(&json!(["a", "b"])), "a\tb\n");
        assert_eq!(
            text(&json!({"subnets": [{"id": "s-1", "public": true, "tags": ["x"]}, {"id": "s-2"}]})),
            "SUBNETS\ts-1\tTrue\nTAGS\tx\nSUBNETS\ts-2\t\n"
        );
    }

    #[test]
    fn a_query_is_jmespath() {
        let who = "aws sts get-caller-identity";
        assert_eq!(
            stdout(&format!("{who} --query 'Account' --output text")),
            format!("{}\n", cluster::cloud::ACCOUNT)
        );
        assert_eq!(stdout(&format!("{who} --query 'length(@)'")), "3\n");
        assert_eq!(
            stdout(&format!("{who} --query \"[UserId, contains(Arn, 'alice')]\" --output text")),
            "AIDAEXAMPLEEXAMPLE\tTrue\n"
        );
        let (_, err, status) = sh(&format!("{who} --query 'a['"));
        assert!(
            err.starts_with("\nBad value for --query a[: Bad jmespath expression:") && status == 252,
            "{err}"
        );
    }
}
