//! What JSON does kubectl make of a tree?
//!
//! Scalars are resolved, aliases copied under a budget, `<<` merged, and of equal keys the last wins; what the API
//! server would refuse besides is noted. Source: goyaml.v2 `decode.go`, sigs.k8s.io/yaml `yaml.go`.

use serde_json::{Map, Number, Value};

use super::{
    error::Broken,
    node::{Content, Entry, Node, Style},
    scalar::{Resolved, resolve},
};
use crate::Span;

/// A key that stands twice in one map. kubectl takes the last; the API server refuses a posted body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub key: String,
    /// Where it stands the second time.
    pub span: Span,
    /// The line its value begins on, which is the one that Go names.
    pub value_line: u32,
}

/// The JSON of a tree, and the keys that stand twice.
/// # Errors
/// What JSON cannot say, a merge that is none, or aliases that would fill the memory.
pub(super) fn convert(root: &Node) -> Result<(Value, Vec<Duplicate>), Broken> {
    let mut conversion = Conversion::default();
    let value = conversion.value(root)?;
    Ok((value, conversion.duplicates))
}

#[derive(Default)]
struct Conversion {
    duplicates: Vec<Duplicate>,
    decoded: u32,
    by_alias: u32,
    alias_depth: u32,
}

impl Conversion {
    fn value(&mut self, node: &Node) -> Result<Value, Broken> {
        self.count(node)?;
        self.alias_depth += u32::from(node.alias);
        let value = match &*node.content {
            Content::Scalar { text, style, tag } => scalar(text, *style, tag.as_deref(), node.span),
            Content::List(items) => {
                items.iter().map(|item| self.value(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Content::Map(entries) => self.map(entries).map(Value::Object),
        };
        self.alias_depth -= u32::from(node.alias);
        value
    }

    /// Go's own guard: a small document may alias freely, a large one only in part.
    fn count(&mut self, node: &Node) -> Result<(), Broken> {
        self.decoded += 1;
        self.by_alias += u32::from(self.alias_depth > 0 || node.alias);
        let (decoded, by_alias) = (f64::from(self.decoded), f64::from(self.by_alias));
        let allowed = match self.decoded {
            ..=400_000 => 0.99,
            4_000_000.. => 0.10,
            _ => 0.99 - 0.89 * ((decoded - 400_000.0) / 3_600_000.0),
        };
        if self.by_alias > 100 && self.decoded > 1000 && by_alias / decoded > allowed {
            let message = "yaml: document contains excessive aliasing".to_owned();
            return Err(Broken { message, span: node.span });
        }
        Ok(())
    }

    fn map(&mut self, entries: &[Entry]) -> Result<Map<String, Value>, Broken> {
        let mut map = Map::new();
        let mut own = std::collections::BTreeSet::new();
        for entry in entries {
            let Some(key) = key(&entry.key)? else {
                self.merge(&entry.value, &mut map)?;
                continue;
            };
            if !own.insert(key.clone()) && self.alias_depth == 0 {
                self.duplicates.push(Duplicate {
                    key: key.clone(),
                    span: entry.key.span,
                    value_line: entry.value.span.line,
                });
            }
            let value = self.value(&entry.value)?;
            map.insert(key, value);
        }
        Ok(map)
    }

    /// `<<`: a map, or a list of maps of which the earlier win.
    fn merge(&mut self, node: &Node, into: &mut Map<String, Value>) -> Result<(), Broken> {
        match self.value(node)? {
            Value::Object(map) => into.extend(map),
            Value::Array(maps) if maps.iter().all(Value::is_object) => {
                for map in maps.into_iter().rev() {
                    if let Value::Object(map) = map {
                        into.extend(map);
                    }
                }
            }
            _ => {
                let message = "yaml: map merge requires map or sequence of maps as the value".to_owned();
                return Err(Broken { message, span: node.span });
            }
        }
        Ok(())
    }
}

/// A key as JSON must have it; nothing for `<<`.
fn key(node: &Node) -> Result<Option<String>, Broken> {
    let unsupported = |kind: &str| {
        let message = format!("Unsupported map key of type: {kind}");
        Err(Broken { message, span: node.span })
    };
    match &*node.content {
        Content::Scalar { text, style: Style::Quoted, .. } => Ok(Some(text.clone())),
        Content::Scalar { text, tag: Some(tag), .. } if tag == "str" => Ok(Some(text.clone())),
        Content::Scalar { text, .. } => match resolve(text) {
            Resolved::Value(Value::String(key)) => Ok(Some(key)),
            Resolved::Value(Value::Null) => unsupported("%!s(<nil>)"),
            Resolved::Value(value) => Ok(Some(value.to_string())),
            Resolved::Unsupported(word) => Ok(Some(word.to_owned())),
            Resolved::Merge => Ok(None),
        },
        Content::List(_) | Content::Map(_) => {
            let message = format!("yaml: invalid map key: {}", go(node));
            Err(Broken { message, span: node.span })
        }
    }
}

/// A value as Go's `%#v` writes it.
fn go(node: &Node) -> String {
    match &*node.content {
        Content::Map(entries) => {
            let written = entries.iter().map(|it| format!("{}:{}", go(&it.key), go(&it.value)));
            format!("map[interface {{}}]interface {{}}{{{}}}", written.collect::<Vec<_>>().join(", "))
        }
        Content::List(items) => {
            let written: Vec<String> = items.iter().map(go).collect();
            format!("[]interface {{}}{{{}}}", written.join(", "))
        }
        Content::Scalar { text, style, tag } => {
            match scalar(text, *style, tag.as_deref(), node.span).unwrap_or_default() {
                Value::Null => "interface {}(nil)".to_owned(),
                other => other.to_string(),
            }
        }
    }
}

fn scalar(text: &str, style: Style, tag: Option<&str>, span: Span) -> Result<Value, Broken> {
    if tag == Some("binary") {
        return Ok(Value::String(binary(text)));
    }
    let typed = matches!(tag, Some("int" | "float" | "bool" | "null"));
    if tag == Some("str") || (style == Style::Quoted && !typed) {
        return Ok(Value::String(text.to_owned()));
    }
    match resolve(text) {
        Resolved::Value(Value::Number(number)) if tag == Some("float") => {
            Ok(number.as_f64().and_then(Number::from_f64).map_or(Value::Null, |float| {
                if number.is_f64() { Value::Number(float) } else { Value::Number(number) }
            }))
        }
        Resolved::Value(value) => Ok(value),
        Resolved::Unsupported(word) => {
            Err(Broken { message: format!("json: unsupported value: {word}"), span })
        }
        Resolved::Merge => Ok(Value::String(text.to_owned())),
    }
}

fn binary(text: &str) -> String {
    use base64::Engine as _;
    let letters: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(letters).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
