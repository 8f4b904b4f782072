//! How does jq write a value?
//!
//! Source: jq 1.6 `jv_print.c`, and `jv_dtoa.c` for numbers.

use jaq_core::ValT as _;
use jaq_json::{Num, Val};

/// Layout of the output.
#[derive(Clone, Debug)]
pub(super) struct Style {
    /// One step, or none for everything on one line.
    pub indent: Option<String>,
    /// Keys in the order of their names.
    pub sorted: bool,
    /// Everything beyond ASCII as `\u…`.
    pub ascii: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { indent: Some("  ".to_owned()), sorted: false, ascii: false }
    }
}

/// A value on one line.
pub(super) fn compact(value: &Val) -> String {
    text(value, &Style { indent: None, sorted: false, ascii: false })
}

/// A value as JSON.
pub(super) fn text(value: &Val, style: &Style) -> String {
    let mut out = String::new();
    put(value, style, 0, &mut out);
    out
}

/// An object of these fields; of two with one key the last.
pub(super) fn object(fields: impl IntoIterator<Item = (Val, Val)>) -> Val {
    Val::from_map(fields).unwrap_or_default()
}

/// A number, whole where it can be.
pub(super) fn number(float: f64) -> Val {
    if float.fract() == 0.0 && float.abs() < f64::from(i32::MAX) && (float != 0.0 || float.is_sign_positive())
    {
        Val::Num(Num::Int(float as isize))
    } else {
        Val::from(float)
    }
}

/// A value as messages name it: at most 14 characters.
pub(super) fn shortened(value: &Val) -> String {
    let text = compact(value);
    if text.chars().count() <= 14 {
        return text;
    }
    format!("{}...", text.chars().take(11).collect::<String>())
}

fn put(value: &Val, style: &Style, level: usize, out: &mut String) {
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Val::Num(number) => out.push_str(&digits(number)),
        Val::BStr(text) | Val::TStr(text) => quoted(&String::from_utf8_lossy(text), style.ascii, out),
        Val::Arr(list) => {
            out.push('[');
            for (i, item) in list.iter().enumerate() {
                step(i, style, level + 1, out);
                put(item, style, level + 1, out);
            }
            close(list.is_empty(), style, level, out);
            out.push(']');
        }
        Val::Obj(map) => {
            let mut fields: Vec<(&Val, &Val)> = map.iter().collect();
            if style.sorted {
                fields.sort_by(|a, b| a.0.cmp(b.0));
            }
            out.push('{');
            for (i, (key, item)) in fields.iter().enumerate() {
                step(i, style, level + 1, out);
                put(key, style, level + 1, out);
                out.push_str(if style.indent.is_some() { ": " } else { ":" });
                put(item, style, level + 1, out);
            }
            close(fields.is_empty(), style, level, out);
            out.push('}');
        }
    }
}

fn step(i: usize, style: &Style, level: usize, out: &mut String) {
    if i > 0 {
        out.push(',');
    }
    if let Some(indent) = &style.indent {
        out.push('\n');
        out.push_str(&indent.repeat(level));
    }
}

fn close(empty: bool, style: &Style, level: usize, out: &mut String) {
    if let Some(indent) = &style.indent
        && !empty
    {
        out.push('\n');
        out.push_str(&indent.repeat(level));
    }
}

fn quoted(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ if ascii && !letter.is_ascii() => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

fn digits(number: &Num) -> String {
    if let Num::Int(whole) = number
        && (whole.unsigned_abs() as u64) < 1_000_000_000_000_000
    {
        return whole.to_string();
    }
    let float: f64 = number.to_string().parse().unwrap_or(f64::NAN);
    if float.is_nan() {
        return "null".to_owned();
    }
    let float = float.clamp(f64::MIN, f64::MAX);
    let sign = if float.is_sign_negative() { "-" } else { "" };
    // Rust's shortest form has the digits; where the point goes is jq's.
    let shortest = format!("{:e}", float.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let figures: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = i32::try_from(figures.len()).unwrap_or(0);
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    if float == 0.0 {
        return format!("{sign}0");
    }
    if point <= -4 || point > count + 15 {
        let rest = if count > 1 { format!(".{}", &figures[1..]) } else { String::new() };
        let power = point - 1;
        return format!(
            "{sign}{}{rest}e{}{:02}",
            &figures[..1],
            if power < 0 { '-' } else { '+' },
            power.abs()
        );
    }
    if point <= 0 {
        return format!("{sign}0.{}{figures}", "0".repeat(usize::try_from(-point).unwrap_or(0)));
    }
    let before = usize::try_from(point).unwrap_or(0);
    if point >= count {
        return format!("{sign}{figures}{}", "0".repeat(before - figures.len()));
    }
    format!("{sign}{}.{}", &figures[..before], &figures[before..])
}
