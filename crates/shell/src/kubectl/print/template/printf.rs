//! What does `printf` write? Source: Go `fmt/print.go`, `fmt/format.go`.

use serde_json::Value;

use super::{
    super::columns_text,
    call::{Arg, go_type},
};

/// Go's `Sprintf`. MODEL: `%p`, `%w`, explicit argument indexes and `*` are not read.
pub(super) fn printf(format: &str, values: &[Arg]) -> String {
    let mut out = String::new();
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = String::new();
        while let Some(c) = chars.next_if(|c| "+-# 0".contains(*c)) {
            flags.push(c);
        }
        let mut number = String::new();
        while let Some(c) = chars.next_if(|c| c.is_ascii_digit() || *c == '.') {
            number.push(c);
        }
        let (width, precision) =
            number.split_once('.').map_or((number.as_str(), None), |(w, p)| (w, Some(p)));
        // Wider than any terminal is a slip of the finger.
        let width = width.parse::<usize>().unwrap_or(0).min(1000);
        let precision = precision.map(|p| p.parse::<usize>().unwrap_or(0).min(100));
        let Some(verb) = chars.next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = values.next() else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        let text = verb_text(verb, precision, value, &flags);
        let missing = width.saturating_sub(text.chars().count());
        match text.strip_prefix('-').filter(|_| flags.contains('0') && verb != 's') {
            _ if flags.contains('-') => out.push_str(&format!("{text}{}", " ".repeat(missing))),
            Some(bare) => out.push_str(&format!("-{}{bare}", "0".repeat(missing))),
            None if flags.contains('0') => out.push_str(&format!("{}{text}", "0".repeat(missing))),
            None => out.push_str(&format!("{}{text}", " ".repeat(missing))),
        }
    }
    let extra: Vec<String> =
        values.map(|it| format!("{}={}", it.go_type(), columns_text(it.plain()))).collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

impl Arg {
    fn plain(&self) -> &Value {
        self.value.as_ref().unwrap_or(&Value::Null)
    }
}

fn verb_text(verb: char, precision: Option<usize>, arg: &Arg, flags: &str) -> String {
    let value = arg.plain();
    let (signed, sharp) = (flags.contains('+'), flags.contains('#'));
    let plain = columns_text(value);
    let cut = |text: String| precision.map_or(text.clone(), |p| text.chars().take(p).collect());
    let hex = |text: String| if verb == 'X' { text.to_uppercase() } else { text };
    match (verb, value) {
        ('T', Value::Null) => "<nil>".to_owned(),
        ('T', _) => arg.go_type().to_owned(),
        ('v', _) if sharp => in_go(value),
        ('v', _) => plain,
        ('s', Value::String(_)) => cut(plain),
        ('s', Value::Array(_) | Value::Object(_)) => as_text(value),
        ('q', Value::String(text)) => format!("{text:?}"),
        ('t', Value::Bool(_)) => plain,
        ('x' | 'X', Value::String(text)) => hex(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        (_, Value::Number(number)) if !number.is_f64() => {
            let whole = number.as_i64().unwrap_or(i64::MAX);
            let letter = u32::try_from(whole).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            let sign = match whole {
                ..0 => "-",
                0.. if signed => "+",
                0.. => "",
            };
            let size = whole.unsigned_abs();
            match verb {
                'd' => format!("{sign}{size}"),
                'x' | 'X' => format!("{sign}{}{}", if sharp { "0x" } else { "" }, hex(format!("{size:x}"))),
                'o' => format!("{sign}{}{size:o}", if sharp { "0" } else { "" }),
                'O' => format!("{sign}0o{size:o}"),
                'b' => format!("{sign}{size:b}"),
                'c' => letter.to_string(),
                'q' => format!("'{letter}'"),
                'U' => format!("U+{size:04X}"),
                _ => format!("%!{verb}({}={plain})", arg.go_type()),
            }
        }
        ('f' | 'F', Value::Number(number)) => {
            format!("{:.*}", precision.unwrap_or(6), number.as_f64().unwrap_or(0.0))
        }
        ('g' | 'G', Value::Number(_)) => plain,
        (_, Value::Null) => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({}={plain})", arg.go_type()),
    }
}

/// A list or map by `%s`: what in it is no text is told so.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(as_text).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, it)| format!("{name}:{}", as_text(it))).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Null => "%!s(<nil>)".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => format!("%!s({}={})", go_type(value), columns_text(value)),
    }
}

/// A value as Go's source has it: `%#v`.
fn in_go(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            format!("[]interface {{}}{{{}}}", items.iter().map(in_go).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, it)| format!("{name:?}:{}", in_go(it))).collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => format!("{text:?}"),
        Value::Bool(_) | Value::Number(_) => columns_text(value),
    }
}
