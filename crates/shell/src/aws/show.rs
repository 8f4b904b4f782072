//! How does the AWS CLI print an answer?
//!
//! `--query` narrows it by a JMESPath expression, `--output` chooses the layout.
//! Source: AWS CLI 2, `awscli/text.py`, `formatter.py`. MODEL: YAML is written by name, not in the model's order.

use serde::Serialize as _;
use serde_json::Value;

use super::{
    model::{Service, Type},
    order::{Orders, Tree},
    parameters::{Line, Wrong},
    table, usage,
};
use crate::tool::Call;

/// Prints an answer; the exit status.
pub(super) fn show(
    call: &mut Call<'_, '_>,
    line: &Line,
    service: &Service,
    operation: (&str, &'static str),
    answer: &Value,
) -> i32 {
    let (title, shape) = operation;
    let mut orders = Orders::default();
    orders.learn(answer, &Type::Structure(shape), service);
    let mut shown = answer.clone();
    if let Some(query) = line.global("query") {
        match narrowed(answer, query, &mut orders) {
            Ok(found) => shown = found,
            Err(why) => return usage(call, &Wrong::Value(format!("Bad value for --query {query}: {why}"))),
        }
    }
    // An operation without an answer prints nothing.
    if shown == serde_json::json!({}) {
        return 0;
    }
    let tree = orders.of(&shown);
    match line.global("output").unwrap_or("json") {
        "text" => {
            let mut text = String::new();
            put(&tree, None, None, &mut text);
            call.out.out(&text);
        }
        "yaml" => call.out.out(&api::emit::yaml(&shown)),
        "table" => match table::draw(title, &tree) {
            Ok(text) => call.out.out(&text),
            Err(why) => {
                call.out.err(&format!("\n{why}"));
                return 255;
            }
        },
        "json" => call.out.line(&json(&tree)),
        "off" => {}
        other => {
            let known = "argument --output: Invalid choice, valid choices are:\n\njson                                     | text                                    \ntable                                    | yaml                                    \nyaml-stream                             ";
            let wrong = if other == "yaml-stream" {
                Wrong::NotSimulated("aws --output yaml-stream".to_owned())
            } else {
                Wrong::Usage(known.to_owned())
            };
            return usage(call, &wrong);
        }
    }
    0
}

/// JSON as Python writes it: four blanks, every letter as it is.
fn json(tree: &Tree) -> String {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = tree.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, format));
    // A tree of JSON values always has a JSON form.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn narrowed(answer: &Value, query: &str, orders: &mut Orders) -> Result<Value, String> {
    let expression = jmespath::compile(query).map_err(|error| {
        format!("Bad jmespath expression: {}:\n{query}\n{}^", error.reason, " ".repeat(error.column))
    })?;
    orders.learn_query(expression.as_ast());
    let found = expression.search(answer).map_err(|error| error.reason.to_string())?;
    serde_json::to_value(&*found).map_err(|error| error.to_string())
}

/// Text: tabs between scalars, a line for a struct or a list; what lies deeper follows under its name.
fn put(item: &Tree, name: Option<&str>, keys: Option<&[String]>, out: &mut String) {
    match item {
        Tree::Fields(fields) => put_fields(fields, name, keys, out),
        Tree::List(items) if items.iter().any(|item| matches!(item, Tree::Fields(_))) => {
            let keys = scalar_keys(items);
            items.iter().for_each(|item| put(item, name, Some(&keys), out));
        }
        Tree::List(items) => {
            let (lists, scalars): (Vec<&Tree>, Vec<&Tree>) =
                items.iter().partition(|item| matches!(item, Tree::List(_)));
            let scalars: Vec<String> = scalars.into_iter().map(text).collect();
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
        Tree::Scalar(value) => out.push_str(&format!("{}\n", scalar(value))),
    }
}

fn put_fields(fields: &[(String, Tree)], name: Option<&str>, keys: Option<&[String]>, out: &mut String) {
    let mut fields: Vec<&(String, Tree)> = fields.iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let own: Vec<String> =
        fields.iter().filter(|(_, value)| is_scalar(value)).map(|(key, _)| key.clone()).collect();
    let keys = keys.unwrap_or(&own);
    let find = |key: &String| fields.iter().find(|(name, _)| name == key).map(|(_, value)| text(value));
    let mut scalars: Vec<String> = keys.iter().map(|key| find(key).unwrap_or_default()).collect();
    if !scalars.is_empty() {
        scalars.splice(0..0, name.map(str::to_uppercase));
        out.push_str(&format!("{}\n", scalars.join("\t")));
    }
    let rest = fields.into_iter().filter(|(key, _)| !keys.contains(key));
    rest.for_each(|(key, value)| put(value, Some(key), None, out));
}

/// The fields that hold a scalar in any of the structs.
fn scalar_keys(items: &[Tree]) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for item in items {
        if let Tree::Fields(fields) = item {
            keys.extend(fields.iter().filter(|(_, value)| is_scalar(value)).map(|(key, _)| key.clone()));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// Whether nothing lies deeper.
pub(super) fn is_scalar(tree: &Tree) -> bool {
    matches!(tree, Tree::Scalar(_))
}

/// A scalar as Python writes it; nothing of what lies deeper.
pub(super) fn text(tree: &Tree) -> String {
    if let Tree::Scalar(value) = tree { scalar(value) } else { String::new() }
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
        put(&Orders::default().of(value), None, None, &mut out);
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

    #[test]
    fn what_a_query_makes_stands_in_the_order_of_the_query() {
        let who = "aws sts get-caller-identity";
        assert_eq!(
            stdout(&format!("{who} --query '{{Z: UserId, A: Account}}'")),
            format!(
                "{{\n    \"Z\": \"AIDAEXAMPLEEXAMPLE\",\n    \"A\": \"{}\"\n}}\n",
                cluster::cloud::ACCOUNT
            )
        );
    }

    #[test]
    fn answers_stand_in_the_order_of_the_model() {
        let out = stdout("aws sts get-caller-identity");
        let at = |name: &str| out.find(&format!("\"{name}\"")).unwrap_or_default();
        assert!(at("UserId") < at("Account") && at("Account") < at("Arn"), "{out}");
    }
}
