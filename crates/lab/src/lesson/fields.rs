//! How is one of our own documents read, so that a typo becomes an error with a place and the nearest word?
//!
//! [`Fields`] opens an object, hands out the fields that are asked for, and names those that nobody asked for. All
//! errors are collected; nothing here stops at the first.

use api::FieldPath;
use serde_json::{Map, Value};

/// One thing that is wrong in a lesson's machine part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Where; whoever holds the text turns it into a line.
    pub field: FieldPath,
    /// What, with the nearest known word where there is one.
    pub message: String,
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.field, self.message)
    }
}

/// Collects errors while a document is read.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<LoadError>);

impl Errors {
    /// Adds an error at `field`.
    pub fn push(&mut self, field: &FieldPath, message: impl Into<String>) {
        self.0.push(LoadError { field: field.clone(), message: message.into() });
    }

    /// Adds an error for a word that is none of `known`, and names the nearest of them.
    pub fn unknown<'k>(
        &mut self,
        field: &FieldPath,
        what: &str,
        word: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let near = nearest(word, known).map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        self.push(field, format!("unknown {what} {word:?}{near}"));
    }
}

/// An object being read: which fields it has, and which of them somebody asked for.
pub struct Fields<'v> {
    map: &'v Map<String, Value>,
    /// Where the object stands.
    pub path: FieldPath,
    asked: Vec<&'static str>,
}

impl<'v> Fields<'v> {
    /// Opens `value`; an error if it is no object.
    pub fn open(value: &'v Value, path: &FieldPath, errors: &mut Errors) -> Option<Self> {
        let Value::Object(map) = value else {
            errors.push(path, format!("expected an object, found {}", type_name(value)));
            return None;
        };
        Some(Self { map, path: path.clone(), asked: Vec::new() })
    }

    /// The field `name`, if it is there.
    pub fn get(&mut self, name: &'static str) -> Option<&'v Value> {
        self.asked.push(name);
        self.map.get(name)
    }

    /// Where the field `name` stands or would stand.
    #[must_use]
    pub fn at(&self, name: &str) -> FieldPath {
        self.path.field(name)
    }

    /// The field `name`; an error if it is missing.
    pub fn need(&mut self, name: &'static str, errors: &mut Errors) -> Option<&'v Value> {
        let value = self.get(name);
        if value.is_none() {
            errors.push(&self.path, format!("{name:?} is missing"));
        }
        value
    }

    /// A text that must be there; empty, with an error, if it is not.
    pub fn text(&mut self, name: &'static str, errors: &mut Errors) -> String {
        self.need(name, errors).and_then(|v| text(v, &self.at(name), errors)).unwrap_or_default()
    }

    /// A text that may be absent.
    pub fn maybe_text(&mut self, name: &'static str, errors: &mut Errors) -> Option<String> {
        self.get(name).and_then(|v| text(v, &self.at(name), errors))
    }

    /// A whole number that must be there.
    pub fn number(&mut self, name: &'static str, errors: &mut Errors) -> u64 {
        let Some(value) = self.need(name, errors) else { return 0 };
        value.as_u64().unwrap_or_else(|| {
            errors.push(&self.at(name), format!("expected a whole number, found {}", type_name(value)));
            0
        })
    }

    /// A yes or no; no if absent.
    pub fn flag(&mut self, name: &'static str, errors: &mut Errors) -> bool {
        let Some(value) = self.get(name) else { return false };
        value.as_bool().unwrap_or_else(|| {
            errors.push(&self.at(name), format!("expected true or false, found {}", type_name(value)));
            false
        })
    }

    /// A list of texts; empty if absent.
    pub fn texts(&mut self, name: &'static str, errors: &mut Errors) -> Vec<String> {
        let path = self.at(name);
        self.items(name, errors)
            .iter()
            .enumerate()
            .filter_map(|(i, v)| text(v, &path.index(i), errors))
            .collect()
    }

    /// A list; empty if absent.
    pub fn items(&mut self, name: &'static str, errors: &mut Errors) -> &'v [Value] {
        let Some(value) = self.get(name) else { return &[] };
        let Value::Array(items) = value else {
            errors.push(&self.at(name), format!("expected a list, found {}", type_name(value)));
            return &[];
        };
        items
    }

    /// Every field that was not asked for, in the document's order.
    pub fn rest(&self) -> impl Iterator<Item = (&'v String, &'v Value)> {
        self.map.iter().filter(|(name, _)| !self.asked.contains(&name.as_str()))
    }

    /// Names every field that nobody asked for.
    pub fn close(self, errors: &mut Errors) {
        for (name, _) in self.rest() {
            errors.unknown(&self.path.field(name), "field", name, self.asked.iter().copied());
        }
    }
}

fn text(value: &Value, path: &FieldPath, errors: &mut Errors) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            errors.push(path, format!("expected a text, found {}", type_name(value)));
            None
        }
    }
}

/// What a value is, for messages.
#[must_use]
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The known word that is nearest to `word`, if any is near at all.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|k| (distance(&word.to_lowercase(), &k.to_lowercase()), k))
        .filter(|(d, k)| *d * 2 <= word.chars().count().max(k.chars().count()))
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let here = (before + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            before = row[j + 1];
            row[j + 1] = here;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_nobody_asked_for_is_named_with_the_nearest_word() {
        let mut errors = Errors::default();
        let value = json!({"minuets": 6, "slug": "a"});
        let mut fields = Fields::open(&value, &FieldPath::root(), &mut errors).expect("an object");
        assert_eq!(fields.text("slug", &mut errors), "a");
        fields.get("minutes");
        fields.close(&mut errors);
        assert_eq!(errors.0[0].to_string(), "minuets: unknown field \"minuets\"; did you mean \"minutes\"?");
    }

    #[test]
    fn a_word_far_from_all_others_gets_no_suggestion() {
        assert_eq!(nearest("zzzz", ["pod", "node"]), None);
        assert_eq!(nearest("Podd", ["Pod", "Node"]), Some("Pod"));
    }
}
