//! Where in an object?
//!
//! Written as the API server writes it: `spec.containers[0].ports[1].name`, `metadata.labels[a/b]`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One step into an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// A field of a struct: `.name`.
    Field(String),
    /// A key of a map: `[key]`.
    Key(String),
    /// A place in a list: `[0]`.
    Index(u32),
}

/// The way from an object's root to one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldPath(pub Vec<Step>);

impl FieldPath {
    /// The object itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A dotted list of plain fields: `FieldPath::of("spec.template")`.
    #[must_use]
    pub fn of(dotted: &str) -> Self {
        Self(dotted.split('.').filter(|s| !s.is_empty()).map(|s| Step::Field(s.to_owned())).collect())
    }

    /// Reads a path as the API server writes it; what stands in brackets is a place in a list if it is a number.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (mut steps, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            if let Some((inside, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
                let index = inside.parse().ok().filter(|_| inside.bytes().all(|b| b.is_ascii_digit()));
                steps.push(index.map_or_else(|| Step::Key(inside.to_owned()), Step::Index));
                rest = after;
                continue;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len()).max(1).min(rest.len());
            let end = (end..=rest.len()).find(|at| rest.is_char_boundary(*at)).unwrap_or(rest.len());
            if end > 0 {
                steps.push(Step::Field(rest[..end].to_owned()));
            }
            rest = &rest[end..];
        }
        Self(steps)
    }

    /// One field further in; `name` may be dotted.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let mut path = self.clone();
        path.0.extend(Self::of(name).0);
        path
    }

    /// One map key further in.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Key(key.to_owned()));
        path
    }

    /// One list item further in.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.clone();
        path.0.push(Step::Index(u32::try_from(index).unwrap_or(u32::MAX)));
        path
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(name) if i == 0 => write!(out, "{name}")?,
                Step::Field(name) => write!(out, ".{name}")?,
                Step::Key(key) => write!(out, "[{key}]")?,
                Step::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_the_api_server_writes_it() {
        let path = FieldPath::of("spec").field("containers").index(0).field("ports").index(1).field("name");
        assert_eq!(path.to_string(), "spec.containers[0].ports[1].name");
        assert_eq!(FieldPath::of("metadata.labels").key("a/b").to_string(), "metadata.labels[a/b]");
        for text in ["spec.containers[0].ports[1].name", "metadata.labels[a.b/c]", "spec", ""] {
            assert_eq!(FieldPath::parse(text).to_string(), text);
        }
    }
}
