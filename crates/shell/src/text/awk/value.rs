//! What is a value in awk: a number, a text, or a text from the input that looks like a number?
//!
//! Source: POSIX `awk`, "Expressions in awk".

use std::{cmp::Ordering, rc::Rc};

use crate::text::format::Spec;

/// A value.
#[derive(Clone, Debug, Default)]
pub(super) enum Value {
    /// Never set: an empty text and 0.
    #[default]
    Unset,
    Number(f64),
    Text(Rc<str>),
    /// From the input, and looks like a number.
    Numeric(Rc<str>, f64),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn flag(it: bool) -> Self {
        Self::Number(f64::from(u8::from(it)))
    }

    /// What came from outside: fields, `getline`, `-v`, the environment.
    pub(super) fn input(text: &str) -> Self {
        let trimmed = text.trim_matches([' ', '\t', '\n']);
        match prefix(trimmed) {
            (number, end) if end > 0 && end == trimmed.len() => Self::Numeric(text.into(), number),
            _ => Self::text(text),
        }
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) | Self::Numeric(_, number) => *number,
            Self::Text(text) => number(text),
        }
    }

    /// As a text; a number that is not whole by the format of `CONVFMT` or `OFMT`.
    pub(super) fn shown(&self, format: &str) -> Rc<str> {
        match self {
            Self::Unset => "".into(),
            Self::Text(text) | Self::Numeric(text, _) => text.clone(),
            Self::Number(number) => shown(*number, format).into(),
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Unset => false,
            Self::Number(number) | Self::Numeric(_, number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
        }
    }

    /// As numbers where both are or look like some, else as texts.
    pub(super) fn compare(&self, other: &Self, format: &str) -> Option<Ordering> {
        if matches!(self, Self::Text(_)) || matches!(other, Self::Text(_)) {
            return Some(self.shown(format).cmp(&other.shown(format)));
        }
        self.number().partial_cmp(&other.number())
    }
}

/// The number a text begins with.
pub(super) fn number(text: &str) -> f64 {
    prefix(text.trim_start_matches([' ', '\t', '\n'])).0
}

/// The number a text begins with, and how long it is.
fn prefix(text: &str) -> (f64, usize) {
    let digits =
        |from: usize| text[from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| from + at);
    let begin = usize::from(text.starts_with(['+', '-']));
    // UPSTREAM: with a sign these are numbers to gawk.
    if let Some(word) = text.get(begin..begin + 3).filter(|_| begin == 1) {
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        match word.to_ascii_lowercase().as_str() {
            "inf" => return (sign * f64::INFINITY, 4),
            "nan" => return (sign * f64::NAN, 4),
            _ => {}
        }
    }
    let mut end = digits(begin);
    let whole = end - begin;
    if text[end..].starts_with('.') {
        let after = digits(end + 1);
        if whole + after - end - 1 == 0 {
            return (0.0, 0);
        }
        end = after;
    } else if whole == 0 {
        return (0.0, 0);
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    (text[..end].parse().unwrap_or(0.0), end)
}

/// Whole numbers with all their digits, others by the format.
pub(super) fn shown(number: f64, format: &str) -> String {
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "+nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+inf" } else { "-inf" }.to_owned();
    }
    if number == number.trunc() {
        return format!("{number:.0}");
    }
    let mut chars = format.strip_prefix('%').unwrap_or(".6g").chars().peekable();
    let spec = Spec::read(&mut chars, || 0);
    spec.float(number, chars.next().filter(|c| "eEfFgG".contains(*c)).unwrap_or('g'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_input_that_look_like_numbers_are_numbers() {
        assert!(matches!(Value::input(" 10 "), Value::Numeric(_, 10.0)));
        assert!(matches!(Value::input("10a"), Value::Text(_)));
        assert!(matches!(Value::input("."), Value::Text(_)));
        assert_eq!(number("3x"), 3.0);
        assert_eq!(number("1e3"), 1000.0);
        assert_eq!(Value::input("10").compare(&Value::input("9"), "%.6g"), Some(Ordering::Greater));
        assert_eq!(Value::text("10").compare(&Value::input("9"), "%.6g"), Some(Ordering::Less));
    }

    #[test]
    fn whole_numbers_have_all_their_digits() {
        for (number, wanted) in
            [(1e18, "1000000000000000000"), (0.1 + 0.2, "0.3"), (1e-5, "1e-05"), (-3.0, "-3")]
        {
            assert_eq!(shown(number, "%.6g"), wanted);
        }
    }
}
