//! How does the API server name a place and say what is wrong there?
//!
//! [`At`] is a place, cheap to extend because it is only written down when something is wrong; [`Report`] collects
//! causes in the words of `field.Error`. Source: apimachinery `util/validation/field` v0.34.1.

use std::fmt;

use serde_json::Value;

use crate::Cause;

/// A place in an object, as a chain of steps back to the root.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Field(&'p str),
    Key(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    /// A field of the object itself; `name` may be dotted.
    pub(super) const fn root(name: &'p str) -> Self {
        At { parent: None, step: Step::Field(name) }
    }

    /// One field further in; `name` may be dotted.
    pub(super) const fn field<'c>(&'c self, name: &'c str) -> At<'c> {
        At { parent: Some(self), step: Step::Field(name) }
    }

    /// One map key further in.
    pub(super) const fn key<'c>(&'c self, name: &'c str) -> At<'c> {
        At { parent: Some(self), step: Step::Key(name) }
    }

    /// One list item further in.
    pub(super) const fn index<'c>(&'c self, index: usize) -> At<'c> {
        At { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(out)?;
        }
        match self.step {
            Step::Field(name) if self.parent.is_none() => write!(out, "{name}"),
            Step::Field(name) => write!(out, ".{name}"),
            Step::Key(key) => write!(out, "[{key}]"),
            Step::Index(index) => write!(out, "[{index}]"),
        }
    }
}

/// A value as it stands in a cause.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for str {
    fn shown(&self) -> String {
        quoted(self)
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl Shown for i32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for i64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for bool {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for Value {
    fn shown(&self) -> String {
        // Go writes these so that JSON may stand in HTML and in JavaScript.
        let mut out = self.to_string();
        for (sign, written) in [
            ('&', "\\u0026"),
            ('<', "\\u003c"),
            ('>', "\\u003e"),
            ('\u{2028}', "\\u2028"),
            ('\u{2029}', "\\u2029"),
        ] {
            if out.contains(sign) {
                out = out.replace(sign, written);
            }
        }
        out
    }
}

/// Any value as it stands in a cause.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.shown(),
        other => other.shown(),
    }
}

/// A text between quotes as Go's `%q` writes it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for sign in text.chars() {
        match sign {
            '"' | '\\' => out.extend(['\\', sign]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            ..' ' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(sign))),
            _ if !sign.escape_debug().to_string().starts_with("\\u") => out.push(sign),
            ..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(sign))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(sign))),
        }
    }
    out.push('"');
    out
}

/// What is already written as Go writes it.
pub(super) struct Written(pub(super) String);

impl Shown for Written {
    fn shown(&self) -> String {
        self.0.clone()
    }
}

/// What was found wrong, in the order of finding.
#[derive(Default)]
pub(super) struct Report {
    pub(super) causes: Vec<Cause>,
}

impl Report {
    fn add(&mut self, at: &At<'_>, reason: &str, message: String) {
        self.causes.push(Cause { reason: format!("FieldValue{reason}"), message, field: at.to_string() });
    }

    /// `Required value`, with a remark if there is one.
    pub(super) fn required(&mut self, at: &At<'_>, remark: &str) {
        self.add(at, "Required", with("Required value".to_owned(), remark));
    }

    /// `Invalid value: …: why`.
    pub(super) fn invalid(&mut self, at: &At<'_>, value: &(impl Shown + ?Sized), why: &str) {
        self.add(at, "Invalid", with(format!("Invalid value: {}", value.shown()), why));
    }

    /// `Invalid value: why`, of a value that is not shown.
    pub(super) fn invalid_here(&mut self, at: &At<'_>, why: &str) {
        self.add(at, "Invalid", with("Invalid value".to_owned(), why));
    }

    /// `Too many: N: must have at most M items`, if there are more.
    pub(super) fn too_many(&mut self, at: &At<'_>, number: usize, most: usize) {
        if number > most {
            self.add(at, "TooMany", format!("Too many: {number}: must have at most {most} items"));
        }
    }

    /// One `Invalid value` for each of the reasons.
    pub(super) fn each_invalid(&mut self, at: &At<'_>, value: &(impl Shown + ?Sized), why: Vec<String>) {
        for why in why {
            self.invalid(at, value, &why);
        }
    }

    /// `Unsupported value: …: supported values: …`, in the order given.
    pub(super) fn not_supported(&mut self, at: &At<'_>, value: &(impl Shown + ?Sized), supported: &[&str]) {
        let listed: Vec<String> = supported.iter().map(|it| it.shown()).collect();
        let message =
            format!("Unsupported value: {}: supported values: {}", value.shown(), listed.join(", "));
        self.add(at, "NotSupported", message);
    }

    /// `Duplicate value: …`.
    pub(super) fn duplicate(&mut self, at: &At<'_>, value: &(impl Shown + ?Sized)) {
        self.add(at, "Duplicate", format!("Duplicate value: {}", value.shown()));
    }

    /// `Duplicate value: …: why`.
    pub(super) fn duplicate_because(&mut self, at: &At<'_>, value: &(impl Shown + ?Sized), why: &str) {
        self.add(at, "Duplicate", format!("Duplicate value: {}: {why}", value.shown()));
    }

    /// `Not found: …`.
    pub(super) fn not_found(&mut self, at: &At<'_>, value: &str, remark: &str) {
        self.add(at, "NotFound", with(format!("Not found: {}", value.shown()), remark));
    }

    /// `Forbidden: why`.
    pub(super) fn forbidden(&mut self, at: &At<'_>, why: &str) {
        self.add(at, "Forbidden", with("Forbidden".to_owned(), why));
    }

    /// `Too long: may not be more than N bytes`.
    pub(super) fn too_long(&mut self, at: &At<'_>, most: usize) {
        self.add(at, "TooLong", format!("Too long: may not be more than {most} bytes"));
    }

    /// `Internal error: why`.
    pub(super) fn internal(&mut self, at: &At<'_>, why: &str) {
        let message = format!("Internal error: {why}");
        self.causes.push(Cause { reason: "InternalError".to_owned(), message, field: at.to_string() });
    }

    /// A number that must not be negative.
    pub(super) fn not_negative(&mut self, at: &At<'_>, value: i64) {
        if value < 0 {
            self.invalid(at, &value, "must be greater than or equal to 0");
        }
    }

    /// A number that must be more than zero.
    pub(super) fn positive(&mut self, at: &At<'_>, value: i64) {
        if value <= 0 {
            self.invalid(at, &value, "must be greater than zero");
        }
    }
}

fn with(mut head: String, remark: &str) -> String {
    if !remark.is_empty() {
        head.push_str(": ");
        head.push_str(remark);
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_go_quotes_them() {
        for (text, written) in [
            ("a\"b\\", r#""a\"b\\""#),
            ("a\tb\n", r#""a\tb\n""#),
            ("\u{0}\u{7}\u{7f}", r#""\x00\a\x7f""#),
            ("가\u{a0}\u{feff}", r#""가\u00a0\ufeff""#),
        ] {
            assert_eq!(text.shown(), written);
        }
    }
}
