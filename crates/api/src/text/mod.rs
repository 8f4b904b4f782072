//! What does this text say, and where does it say it?
//!
//! [`read`] takes any text for a stream of YAML documents as kubectl does and never fails: it gives what it could read
//! and, for each document, why it broke off. Every value keeps its place, so that whoever knows a field path can point
//! at the text. It does not know which fields exist: that is [`crate::schema`].
//!
//! ```
//! let reading = api::text::read("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n");
//! let pod = &reading.documents[0];
//! assert_eq!(pod.kind(), Some("Pod"));
//! assert_eq!(pod.to_value()["metadata"]["name"], "web");
//! assert_eq!(pod.span_of(&api::FieldPath::of("metadata.name")).map(|span| span.line), Some(4));
//! ```

mod error;
mod node;
mod parse;
mod scalar;
mod split;
mod value;

use serde_json::Value;

pub use self::{
    error::Broken,
    node::{Content, Entry, Node, Style},
    split::{Piece, split},
    value::Duplicate,
};
pub use crate::reindent::reindent;
pub(crate) use scalar::{Resolved, resolve};

use crate::{Diagnostic, FieldPath, Span, field::Step};

/// The largest text that is read: the limit the API server sets on a request.
pub const MAX_BYTES: usize = 3_145_728;

/// What a text says.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Its documents; empty ones left out.
    pub documents: Vec<Document>,
    /// Why documents could not be read, with their places.
    pub diagnostics: Vec<Diagnostic>,
}

/// One document of a stream.
#[derive(Clone, Debug)]
pub struct Document {
    /// What was read of it; nothing if it breaks at once or holds only comments.
    pub root: Option<Node>,
    /// Why it could not be read to its end or be turned into JSON.
    pub error: Option<Broken>,
    /// Keys that stand twice.
    pub duplicates: Vec<Duplicate>,
    /// How many lines of the stream stand before it.
    pub line: usize,
    value: Value,
}

/// Reads a stream of documents.
#[must_use]
pub fn read(text: &str) -> Reading {
    if text.len() > MAX_BYTES {
        let message = format!("Request entity too large: limit is {MAX_BYTES}");
        let start = Span { start: 0, end: 0, line: 1, column: 1 };
        let diagnostic = Diagnostic::error(FieldPath::root(), message).hint("text-too-large").at(start);
        return Reading { documents: Vec::new(), diagnostics: vec![diagnostic] };
    }
    let documents: Vec<Document> = split(text).into_iter().filter_map(document).collect();
    let diagnostics = documents.iter().filter_map(|document| document.error.as_ref());
    let diagnostics = diagnostics.map(|error| {
        let message = format!("error converting YAML to JSON: {}", error.message);
        Diagnostic::error(FieldPath::root(), message).hint("yaml-broken").at(error.span)
    });
    let diagnostics = diagnostics.collect();
    Reading { documents, diagnostics }
}

fn document(piece: Piece<'_>) -> Option<Document> {
    let (root, error) = parse::parse(piece);
    let mut document = Document { root, error, duplicates: Vec::new(), line: piece.line, value: Value::Null };
    if document.error.is_none() {
        match value::convert(document.root.as_ref()?) {
            Ok((value, duplicates)) => {
                document.value = value;
                document.duplicates = duplicates;
            }
            Err(error) => document.error = Some(error),
        }
    }
    Some(document)
}

impl Document {
    /// The JSON that kubectl makes of it; null where it could not be read.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.value.clone()
    }

    /// The same, to look at.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// `apiVersion`, if it is there and a string.
    #[must_use]
    pub fn api_version(&self) -> Option<&str> {
        self.value.get("apiVersion").and_then(Value::as_str)
    }

    /// `kind`, if it is there and a string.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.value.get("kind").and_then(Value::as_str)
    }

    /// What kubectl prints after `error: error parsing FILE: `, if the document is broken.
    #[must_use]
    pub fn kubectl_error(&self) -> Option<String> {
        self.error.as_ref().map(|error| format!("error converting YAML to JSON: {}", error.message))
    }

    /// Where the value at `path` stands, or its nearest parent that is there.
    #[must_use]
    pub fn span_of(&self, path: &FieldPath) -> Option<Span> {
        let root = self.root.as_ref()?;
        let (node, key, taken) = root.walk(path);
        if taken == path.0.len() {
            return Some(node.span);
        }
        // A missing field is shown at its parent's name, or at the first name of its list item, not over a whole block.
        let in_item = taken > 0 && matches!(path.0[taken - 1], Step::Index(_));
        let key = if in_item { node.entries().first().map(|entry| &entry.key) } else { key };
        Some(key.map_or(first_line(node.span), |key| key.span))
    }

    /// Where the name of the field at `path` stands, or the nearest name above it.
    #[must_use]
    pub fn key_span_of(&self, path: &FieldPath) -> Option<Span> {
        let (node, key, _) = self.root.as_ref()?.walk(path);
        Some(key.map_or(first_line(node.span), |key| key.span))
    }

    /// The API server's word on keys that stand twice, if there are any.
    #[must_use]
    pub fn duplicate_error(&self) -> Option<String> {
        if self.duplicates.is_empty() {
            return None;
        }
        let each = self.duplicates.iter().map(|it| {
            format!("\n  line {}: key {:?} already set in map", it.value_line as usize - self.line, it.key)
        });
        Some(format!("yaml: unmarshal errors:{}", each.collect::<String>()))
    }
}

fn first_line(span: Span) -> Span {
    Span { end: span.start, ..span }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(text: &str) -> Document {
        read(text).documents.remove(0)
    }

    fn said(text: &str) -> String {
        one(text).error.map(|error| error.message).unwrap_or_default()
    }

    #[test]
    fn broken_yaml_is_named_in_kubectls_words_and_lines() {
        let lost_dedent = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n spec:\n  containers: []\n";
        assert_eq!(said(lost_dedent), "yaml: line 4: did not find expected key");
        let colon = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web: 1\n";
        assert_eq!(said(colon), "yaml: line 4: mapping values are not allowed in this context");
        assert_eq!(said("a: 1\nb\nc: 2\n"), "yaml: line 3: could not find expected ':'");
        let no_colon = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec\n";
        assert_eq!(said(no_colon), "yaml: line 6: could not find expected ':'");
        let no_dash = "rules:\n- verbs:\n  - get\n  resources:\n  - pods\n  names\n- verbs: []\n";
        assert_eq!(said(no_dash), "yaml: line 7: could not find expected ':'");
        let no_dash = "kind: Role\nrules:\n  - pods\n  verbs:\n  - get\n";
        assert_eq!(said(no_dash), "yaml: line 3: did not find expected '-' indicator");
        let quote = "metadata:\n  name: \"web\nspec:\n  a: b\n";
        assert_eq!(said(quote), "yaml: line 5: found unexpected end of stream");
        let tab = "metadata:\n  name: web\n\tlabels: {}\n";
        assert_eq!(said(tab), "yaml: line 3: found a tab character that violates indentation");
        let bracket = "kind: Service\nspec: [1\n  selector:\n    app: web\n";
        assert_eq!(said(bracket), "yaml: line 2: did not find expected ',' or ']'");
        assert_eq!(
            said("replicas: {{ .Values.replicas }}\n"),
            "yaml: invalid map key: map[interface {}]interface {}{\".Values.replicas\":interface {}(nil)}"
        );
        assert_eq!(said("a:\n\tb: 1\n"), "yaml: line 2: found character that cannot start any token");
        assert_eq!(said("a: *x\n"), "yaml: unknown anchor 'x' referenced");
        assert_eq!(said("a: .inf\n"), "json: unsupported value: +Inf");
    }

    #[test]
    fn the_last_of_equal_keys_wins_and_is_noted() {
        let pod = one("a: 1\nb:\n  c: 1\n  c: 2\n");
        assert_eq!(pod.to_value(), json!({"a": 1, "b": {"c": 2}}));
        assert_eq!(
            pod.duplicate_error().as_deref(),
            Some("yaml: unmarshal errors:\n  line 4: key \"c\" already set in map")
        );
    }

    #[test]
    fn merges_and_aliases_are_followed() {
        let value = one("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\ne: *x\n").to_value();
        assert_eq!(value["d"], json!({"b": 1, "c": 3}));
        assert_eq!(value["e"], json!({"b": 1, "c": 2}));
    }

    #[test]
    fn a_yaml_bomb_is_refused_in_gos_words() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..12 {
            let below = vec![format!("*a{}", level - 1); 10].join(",");
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        assert_eq!(said(&bomb), "yaml: document contains excessive aliasing");
    }

    #[test]
    fn deep_nesting_and_large_texts_are_refused_and_not_followed() {
        assert_eq!(said(&"[".repeat(100_000)), "yaml: exceeded max depth of 200");
        assert_eq!(said(&"- ".repeat(100_000)), "yaml: exceeded max depth of 200");
        let large = read(&"a: 1\n".repeat(2_000_000));
        assert_eq!(large.diagnostics[0].message, "Request entity too large: limit is 3145728");
    }

    #[test]
    fn a_path_points_at_its_text_in_any_document() {
        let text = "a: 1\n---\nname: 가나\nlist:\n- x: \"y\"\n  z: [1, 22]\n";
        let document = &read(text).documents[1];
        let at = |path: &FieldPath| {
            let span = document.span_of(path).expect("a place");
            (&text[span.start as usize..span.end as usize], span.line, span.column)
        };
        assert_eq!(at(&FieldPath::of("name")), ("가나", 3, 7));
        let item = FieldPath::of("list").index(0);
        assert_eq!(at(&item.field("x")), ("\"y\"", 5, 6));
        assert_eq!(at(&item.field("z").index(1)), ("22", 6, 10));
        assert_eq!(at(&item.field("z")), ("[1, 22]", 6, 6));
        assert_eq!(at(&FieldPath::of("list.missing")), ("list", 4, 1));
    }
}
