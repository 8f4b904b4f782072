//! What is wrong with this text, where, and in whose words?

use serde::{Deserialize, Serialize};

use crate::FieldPath;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Refused by the real system.
    Error,
    /// Accepted by the real system, with a warning.
    Warning,
    /// Accepted and stored, but not simulated here.
    Info,
}

/// A stretch of text: byte offsets for machines, line and column (from 1, in characters) for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1.
    pub column: u32,
}

/// One remark on a learner's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// Which field.
    pub field: FieldPath,
    /// Where in the text, once somebody who holds the text has looked.
    pub span: Option<Span>,
    /// The real system's words.
    pub message: String,
    /// Id of one plain sentence and a suggestion in `lab::words`; behind a space, the word that was probably meant.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A refusal.
    #[must_use]
    pub fn error(field: FieldPath, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, field, span: None, message: message.into(), hint: None }
    }

    /// A warning.
    #[must_use]
    pub fn warning(field: FieldPath, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(field, message) }
    }

    /// The same remark with a plain sentence to go with it.
    #[must_use]
    pub fn hint(mut self, id: &str) -> Self {
        self.hint = Some(id.to_owned());
        self
    }

    /// The same remark at a place in the text.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }
}
