//! What did the text say, and where did each part of it stand?

use std::rc::Rc;

use crate::{FieldPath, Span, field::Step};

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: its type follows from its letters.
    Plain,
    /// In quotes, or as a block: always a string.
    Quoted,
}

/// One value of a document, with its place in the text.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands; for an alias, where the alias stands.
    pub span: Span,
    /// What it says. An alias shares this with its anchor.
    pub content: Rc<Content>,
    /// Whether this is an alias (`*name`).
    pub alias: bool,
}

/// What a node says.
#[derive(Debug)]
pub enum Content {
    /// A single value, not yet resolved.
    Scalar {
        /// Its letters, quotes and escapes taken away.
        text: String,
        /// How it was written.
        style: Style,
        /// Such as `!!str`, without its handle: `str`.
        tag: Option<String>,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the text; a key may stand twice.
    Map(Vec<Entry>),
}

/// One `key: value` of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The letters of a scalar.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &*self.content {
            Content::Scalar { text, .. } => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The entry of a map that wins: the last with this key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &*self.content {
            Content::Map(entries) => entries.iter().rev().find(|entry| entry.key.text() == Some(key)),
            Content::Scalar { .. } | Content::List(_) => None,
        }
    }

    /// The value of the entry that wins.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The items of a list; none for anything else.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        match &*self.content {
            Content::List(items) => items,
            Content::Scalar { .. } | Content::Map(_) => &[],
        }
    }

    /// The entries of a map; none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &*self.content {
            Content::Map(entries) => entries,
            Content::Scalar { .. } | Content::List(_) => &[],
        }
    }

    /// How far `path` leads: the node it ends at, the last key passed, and how many steps were taken.
    pub(crate) fn walk(&self, path: &FieldPath) -> (&Node, Option<&Node>, usize) {
        let (mut at, mut key) = (self, None);
        for (taken, step) in path.0.iter().enumerate() {
            let next = match step {
                Step::Field(name) | Step::Key(name) => at.entry(name).map(|e| (&e.value, Some(&e.key))),
                Step::Index(index) => match at.items().get(*index as usize) {
                    Some(item) => Some((item, None)),
                    None => at.entry(&index.to_string()).map(|e| (&e.value, Some(&e.key))),
                },
            };
            match next {
                Some((node, passed)) => {
                    at = node;
                    key = passed.or(key);
                }
                None => return (at, key, taken),
            }
        }
        (at, key, path.0.len())
    }
}
