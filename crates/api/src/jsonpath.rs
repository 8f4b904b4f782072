//! What does kubectl's `-o jsonpath` print?
//!
//! kubectl's own dialect: templates with `{…}`, `range`/`end`, filters, slices, unions, `..`; a missing field prints nothing.
//! MODEL: the values of a map come in the order of their keys; upstream they come in any.
//! Source: client-go `util/jsonpath` (parser.go, jsonpath.go) v0.32.

use std::borrow::Cow;

use serde_json::Value;

use crate::emit;

mod evaluate;
mod parse;

pub use parse::{JsonPathError, unquote};

/// A step of a path, or a pair of braces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Text(String),
    List(Vec<Node>),
    Field(String),
    /// `range`, `end`, or a word that means nothing.
    Identifier(String),
    /// `[from:to:step]`; `only` for a single index.
    Slice {
        from: Option<i64>,
        to: Option<i64>,
        only: bool,
        step: Option<i64>,
    },
    Filter(Filter),
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
}

/// `[?(left op right)]`; the operator `exists` asks whether `left` is there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Filter {
    pub left: Vec<Node>,
    pub op: String,
    pub right: Vec<Node>,
}

/// A template, ready to print.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    nodes: Vec<Node>,
    needs_keys: bool,
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
        parse::template(text).map(|nodes| Self { nodes, needs_keys: false })
    }

    /// Reads a template for flags that also take a bare path: `.metadata.name`, `metadata.name`.
    /// # Errors
    /// kubectl's words.
    pub fn relaxed(text: &str) -> Result<Self, JsonPathError> {
        if text.is_empty() {
            return Self::parse("{}");
        }
        let bare = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
        let bare = bare.strip_prefix('.').unwrap_or(bare);
        if bare.is_empty() || bare.contains(['{', '}']) {
            return Err(JsonPathError::unexpected());
        }
        Self::parse(&format!("{{.{bare}}}"))
    }

    /// The same template, to which a missing field is a mistake.
    #[must_use]
    pub fn needing_keys(self) -> Self {
        Self { needs_keys: true, ..self }
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
        let groups = evaluate::all(&self.nodes, value, self.needs_keys)?;
        let line = |found: &Vec<Cow<'_, Value>>| found.iter().map(|v| text(v)).collect::<Vec<_>>().join(" ");
        Ok(groups.iter().map(line).collect())
    }

    /// The values of the template's first path.
    #[must_use]
    pub fn values<'v>(&self, value: &'v Value) -> Vec<Cow<'v, Value>> {
        let groups = evaluate::all(&self.nodes, value, self.needs_keys).unwrap_or_default();
        groups.into_iter().next().unwrap_or_default()
    }

    /// The values of each path as `-o jsonpath-as-json` lists them.
    /// # Errors
    /// kubectl's words, such as an index out of bounds.
    pub fn as_json(&self, value: &Value) -> Result<String, PrintError> {
        let groups = evaluate::all(&self.nodes, value, self.needs_keys)?;
        let list = |found: Vec<Cow<'_, Value>>| {
            let all: Vec<Value> = found.into_iter().map(Cow::into_owned).collect();
            format!("{}\n", emit::json(&Value::Array(all)))
        };
        Ok(groups.into_iter().map(list).collect())
    }
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
            ("{.a[b]}", "invalid array index b"),
            ("{....a}", "invalid multiple recursive descent"),
            ("{.a[?(@.b=~\"c\")]}", "unrecognized character in action: U+007E '~'"),
            ("{.a[?(@.b==1 && @.c)]}", "unrecognized character in action: U+0026 '&'"),
        ] {
            assert_eq!(JsonPath::parse(template).expect_err(template).to_string(), wanted);
        }
    }

    #[test]
    fn what_cannot_be_printed_is_refused_in_kubectl_s_words() {
        let value = json!({"a": [1, 2], "o": {"k": "v"}, "c": [{"n": 3, "ok": true}]});
        for (template, wanted) in [
            ("{.a[5]}", "array index out of bounds: index 5, length 2"),
            ("{.a[-5]}", "array index out of bounds: index -3, length 2"),
            ("{.a[0:9]}", "array index out of bounds: index 8, length 2"),
            ("{.a[1:0]}", "starting index 1 is greater than ending index 0"),
            ("{.a[::0]}", "step must be > 0"),
            ("{.o[0]}", "map[string]interface {} is not array or slice"),
            ("{.o[?(@==\"v\")]}", "map[k:v] is not array or slice and cannot be filtered"),
            ("{.c[?(@.n==\"3\")]}", "incompatible types for comparison"),
            ("{.c[?(@.n>0.5)]}", "incompatible types for comparison"),
            ("{.c[?(@.ok>false)]}", "invalid type for comparison"),
            ("{.c[?(@.n=!3)]}", "unrecognized filter operator =!"),
            ("{nope}", "unrecognized identifier nope"),
            ("{end}", "not in range, nothing to end"),
        ] {
            let error = JsonPath::parse(template).expect(template).try_print(&value).expect_err(template);
            assert_eq!(error.to_string(), wanted, "{template}");
        }
    }

    #[test]
    fn what_upstream_takes_by_accident_is_taken() {
        let value = json!({"kind": "Pod", "metadata": {"name": "web"}, "c": [{"n": "a", "i": "x"}, {"n": "b", "i": "y"}]});
        for (template, wanted) in [
            ("{.c[*]['n','i']}", "a b x y"),
            ("{.metadata .name}", "web"),
            ("{\"x\" .metadata.name}", ""),
            ("{.kind.}", ""),
            ("{.}", ""),
            ("{.c[?(@.n in \"a\")].i}", "x y"),
            ("{\"a\\u0041\"}", "aA"),
            ("{range .c[*]}{.n}", "ab"),
            ("{range .c[*]}{.n}{range .none[*]}{.q}{end};{end}!", "a;b;!"),
        ] {
            let path = JsonPath::parse(template).expect(template);
            assert_eq!(path.try_print(&value).expect(template), wanted, "{template}");
        }
        assert!(JsonPath::parse("{}").expect("read").print(&value).starts_with("{\"c\":"));
    }
}
