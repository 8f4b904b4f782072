//! How does kubectl write an object down?
//!
//! [`yaml`] is what `-o yaml` prints, [`json`] what `-o json` prints. Keys of YAML come in the natural order of yaml.v2 (`a2` before
//! `a10`), keys of JSON by their bytes. Long plain and quoted scalars are folded at 80 columns, texts of several lines are literal
//! blocks.
//! Source: sigs.k8s.io/yaml v1.4 with its yaml.v2 (`encode.go`, `resolve.go`, `emitterc.go`, `sorter.go`), encoding/json.

use std::cmp::Ordering;

use serde::Serialize as _;
use serde_json::Value;

use crate::text::{Resolved, resolve};

/// Where yaml.v2 begins to look for a place to fold.
const WIDTH: usize = 80;

/// The YAML of a value, closed by a newline.
#[must_use]
pub fn yaml(value: &Value) -> String {
    let mut out = Yaml { text: String::new(), column: 0 };
    match value {
        Value::Object(fields) if !fields.is_empty() => out.mapping(fields, 0, false),
        Value::Array(items) if !items.is_empty() => out.sequence(items, 0),
        other => {
            out.scalar(other, 0);
            out.put("\n");
        }
    }
    out.text
}

/// The JSON of a value as Go indents it, without a final newline: four blanks, `<`, `>` and `&` escaped.
#[must_use]
pub fn json(value: &Value) -> String {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, format));
    // A Value always has a JSON form; an empty text is what is left if that ever changed.
    written.ok().and_then(|()| String::from_utf8(bytes).ok()).map(|text| escaped(&text)).unwrap_or_default()
}

/// The JSON of a value on one line, as Go's `json.Marshal` writes it.
#[must_use]
pub fn compact(value: &Value) -> String {
    escaped(&value.to_string())
}

fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

struct Yaml {
    text: String,
    column: usize,
}

impl Yaml {
    fn put(&mut self, text: &str) {
        for c in text.chars() {
            self.column = if c == '\n' { 0 } else { self.column + 1 };
        }
        self.text.push_str(text);
    }

    fn indent(&mut self, indent: usize) {
        if self.column > 0 {
            self.put("\n");
        }
        self.put(&" ".repeat(indent));
    }

    fn mapping(&mut self, fields: &serde_json::Map<String, Value>, indent: usize, started: bool) {
        let mut keys: Vec<&String> = fields.keys().collect();
        keys.sort_by(|a, b| natural(a, b));
        for (i, key) in keys.into_iter().enumerate() {
            if i > 0 || !started {
                self.put(&" ".repeat(indent));
            }
            self.string(key, indent, true);
            self.put(":");
            let value = &fields[key];
            match value {
                Value::Object(inner) if !inner.is_empty() => {
                    self.put("\n");
                    self.mapping(inner, indent + 2, false);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.put("\n");
                    self.sequence(items, indent);
                }
                other => {
                    self.put(" ");
                    self.scalar(other, indent + 2);
                    if self.column > 0 {
                        self.put("\n");
                    }
                }
            }
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.put(&" ".repeat(indent));
            self.put("- ");
            self.item(item, indent);
        }
    }

    fn item(&mut self, item: &Value, indent: usize) {
        match item {
            Value::Object(fields) if !fields.is_empty() => self.mapping(fields, indent + 2, true),
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.put(&" ".repeat(indent + 2));
                    }
                    self.put("- ");
                    self.item(item, indent + 2);
                }
            }
            other => {
                self.scalar(other, indent + 2);
                if self.column > 0 {
                    self.put("\n");
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.put("null"),
            Value::Bool(it) => self.put(if *it { "true" } else { "false" }),
            Value::Number(number) => self.put(&number.to_string()),
            Value::String(text) => self.string(text, indent, false),
            Value::Array(_) => self.put("[]"),
            Value::Object(_) => self.put("{}"),
        }
    }

    fn string(&mut self, text: &str, indent: usize, key: bool) {
        let shape = Shape::of(text);
        if text.contains('\n') && !key && shape.block {
            return self.literal(text, indent);
        }
        if text.contains('\n') || !is_plain(text) {
            return self.double(text, indent, key);
        }
        if shape.plain {
            self.folded(text, indent, key, false);
        } else if shape.single {
            self.put("'");
            self.folded(&text.replace('\'', "''"), indent, key, true);
            self.put("'");
        } else {
            self.double(text, indent, key);
        }
    }

    fn folded(&mut self, text: &str, indent: usize, key: bool, quoted: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut spaces = false;
        let mut buffer = [0; 4];
        for (i, c) in chars.iter().enumerate() {
            let last = quoted && (i == 0 || i + 1 == chars.len());
            if *c == ' ' && !key && !spaces && self.column > WIDTH && !last && chars.get(i + 1) != Some(&' ')
            {
                self.indent(indent);
            } else {
                self.put(c.encode_utf8(&mut buffer));
            }
            spaces = *c == ' ';
        }
    }

    fn double(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut spaces = false;
        let mut buffer = [0; 4];
        for (i, c) in chars.iter().enumerate() {
            if !is_printable(*c) || matches!(c, '"' | '\\' | '\n' | '\u{feff}') {
                let escape = match c {
                    '\0' => "\\0".to_owned(),
                    '\u{7}' => "\\a".to_owned(),
                    '\u{8}' => "\\b".to_owned(),
                    '\t' => "\\t".to_owned(),
                    '\n' => "\\n".to_owned(),
                    '\u{b}' => "\\v".to_owned(),
                    '\u{c}' => "\\f".to_owned(),
                    '\r' => "\\r".to_owned(),
                    '\u{1b}' => "\\e".to_owned(),
                    '"' => "\\\"".to_owned(),
                    '\\' => "\\\\".to_owned(),
                    '\u{85}' => "\\N".to_owned(),
                    '\u{a0}' => "\\_".to_owned(),
                    '\u{2028}' => "\\L".to_owned(),
                    '\u{2029}' => "\\P".to_owned(),
                    c if u32::from(*c) <= 0xff => format!("\\x{:02X}", u32::from(*c)),
                    c if u32::from(*c) <= 0xffff => format!("\\u{:04X}", u32::from(*c)),
                    c => format!("\\U{:08X}", u32::from(*c)),
                };
                self.put(&escape);
                spaces = false;
            } else if *c == ' ' {
                if !key && !spaces && self.column > WIDTH && i > 0 && i + 1 < chars.len() {
                    self.indent(indent);
                    if chars.get(i + 1) == Some(&' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else {
                self.put(c.encode_utf8(&mut buffer));
                spaces = false;
            }
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        let body = text.trim_end_matches('\n');
        match text.len() - body.len() {
            0 => self.put("-"),
            1 if !body.is_empty() => {}
            _ => self.put("+"),
        }
        self.put("\n");
        let lines = text.strip_suffix('\n').unwrap_or(text);
        for line in lines.split('\n') {
            if !line.is_empty() {
                self.put(&" ".repeat(indent));
                self.put(line);
            }
            self.put("\n");
        }
    }
}

/// Whether the bare text would be read back as the string it is.
fn is_plain(text: &str) -> bool {
    let special = matches!(text, "y" | "Y" | "n" | "N" | "<<" | "" | "~");
    !special
        && matches!(resolve(text), Resolved::Value(Value::String(_)))
        && !is_timestamp(text)
        && !is_base_60(text)
}

fn is_timestamp(text: &str) -> bool {
    let digits =
        |t: &str, most: usize| !t.is_empty() && t.len() <= most && t.chars().all(|c| c.is_ascii_digit());
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let is_date = parts.next().is_some_and(|y| y.len() == 4 && digits(y, 4))
        && parts.next().is_some_and(|m| digits(m, 2))
        && parts.next().is_some_and(|d| digits(d, 2))
        && parts.next().is_none();
    let is_time = |time: &str| {
        let zoned = text.contains(['T', 't']);
        let end = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let mut parts = time[..end].split(':');
        (zoned == (end < time.len()))
            && parts.next().is_some_and(|h| digits(h, 2))
            && parts.next().is_some_and(|m| digits(m, 2))
            && parts.next().is_some_and(|s| s.split('.').all(|p| digits(p, 9)))
            && parts.next().is_none()
    };
    is_date && time.is_none_or(is_time)
}

fn is_base_60(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = body.split_once('.').map_or((body, ""), |(w, f)| (w, f));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let mut more = false;
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.chars().all(|c| c.is_ascii_digit() || c == '_')
        && parts.all(|p| {
            more = true;
            (p.len() == 1 || (p.len() == 2 && p.starts_with(['0', '1', '2', '3', '4', '5'])))
                && p.chars().all(|c| c.is_ascii_digit())
        })
        && more
        && fraction.chars().all(|c| c.is_ascii_digit() || c == '_')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
        && !matches!(c, '\u{feff}')
}

/// In which styles a text may be written.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut break_space, mut space_break) = (false, false, false);
        for (i, &c) in chars.iter().enumerate() {
            let blank_after = chars.get(i + 1).is_none_or(|n| matches!(n, ' ' | '\t' | '\n' | '\r'));
            let blank_before = i == 0 || matches!(chars[i - 1], ' ' | '\t' | '\n' | '\r');
            indicators |= match c {
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => {
                    i == 0
                }
                '?' | '-' => i == 0 && blank_after,
                ':' => blank_after,
                '#' => blank_before,
                _ => false,
            };
            special |= !is_printable(c);
            let before = i.checked_sub(1).map(|i| chars[i]);
            break_space |= c == ' ' && before == Some('\n');
            space_break |= c == '\n' && before == Some(' ');
        }
        let ends = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
        let closed = space_break || special;
        Self {
            plain: !indicators
                && !ends
                && !break_space
                && !closed
                && !text.contains('\n')
                && !text.is_empty(),
            single: !break_space && !closed,
            block: !closed && !text.ends_with(' '),
        }
    }
}

/// The order of keys in yaml.v2: letters after everything else, runs of digits by their number.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for i in 0..a.len().min(b.len()) {
        if a[i] == b[i] {
            continue;
        }
        let (al, bl) = (a[i].is_alphabetic(), b[i].is_alphabetic());
        if al && bl {
            return a[i].cmp(&b[i]);
        }
        if al || bl {
            return if bl { Ordering::Less } else { Ordering::Greater };
        }
        let mut start = 0;
        if a[i] == '0' || b[i] == '0' {
            let run = a[..i].iter().rev().take_while(|c| c.is_ascii_digit());
            start = u64::from(run.into_iter().any(|c| *c != '0'));
        }
        let number = |chars: &[char]| {
            let digits = chars[i..].iter().take_while(|c| c.is_ascii_digit());
            digits.fold((start, 0_usize), |(n, len), c| {
                (n.wrapping_mul(10).wrapping_add(u64::from(c.to_digit(10).unwrap_or(0))), len + 1)
            })
        };
        let (left, right) = (number(&a), number(&b));
        return left.0.cmp(&right.0).then(left.1.cmp(&right.1)).then(a[i].cmp(&b[i]));
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_quoted_where_they_would_be_read_as_something_else() {
        for (text, wanted) in [
            ("plain", "plain"),
            ("true", "\"true\""),
            ("yes", "\"yes\""),
            ("y", "\"y\""),
            ("80", "\"80\""),
            ("1.27", "\"1.27\""),
            ("", "\"\""),
            ("null", "\"null\""),
            ("2026-03-02T09:00:00Z", "\"2026-03-02T09:00:00Z\""),
            ("12:30", "\"12:30\""),
            ("a: b", "'a: b'"),
            ("- a", "'- a'"),
            ("it's", "it's"),
            ("*", "'*'"),
            ("a #b", "'a #b'"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("10.0.0.1", "10.0.0.1"),
            ("100m", "100m"),
            ("app=web", "app=web"),
            ("{}", "'{}'"),
        ] {
            assert_eq!(yaml(&json!(text)), format!("{wanted}\n"), "{text:?}");
        }
    }

    #[test]
    fn texts_of_several_lines_are_literal_blocks() {
        assert_eq!(yaml(&json!({"d": {"f": "a\n b\n\nc\n"}})), "d:\n  f: |\n    a\n     b\n\n    c\n");
        assert_eq!(yaml(&json!({"f": "a\nb"})), "f: |-\n  a\n  b\n");
        assert_eq!(yaml(&json!({"f": "a \nb"})), "f: \"a \\nb\"\n");
    }

    #[test]
    fn lists_stand_under_their_key_without_indentation() {
        let value = json!({"items": [{"b": 1, "a": [["x"], []]}, {}], "kind": "List"});
        assert_eq!(yaml(&value), "items:\n- a:\n  - - x\n  - []\n  b: 1\n- {}\nkind: List\n");
    }

    #[test]
    fn long_texts_fold_at_the_first_blank_after_eighty() {
        let text = "0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available: 1 No preemption victims found.";
        assert_eq!(
            yaml(&json!({"status": {"message": text}})),
            "status:\n  message: '0/1 nodes are available: 1 Too many pods. preemption: 0/1 nodes are available:\n    1 No preemption victims found.'\n"
        );
    }

    #[test]
    fn keys_come_in_natural_order() {
        let mut keys = ["a10", "a2", "A", "_", "b"];
        keys.sort_by(|a, b| natural(a, b));
        assert_eq!(keys, ["_", "A", "a2", "a10", "b"]);
    }

    #[test]
    fn json_is_go_s() {
        assert_eq!(
            json(&json!({"a": [], "b": "<x>"})),
            "{\n    \"a\": [],\n    \"b\": \"\\u003cx\\u003e\"\n}"
        );
    }
}
