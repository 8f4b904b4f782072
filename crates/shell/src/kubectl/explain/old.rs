//! `--output=plaintext-openapiv2`: as kubectl before 1.27 explained. Source: kubectl `pkg/explain/{model_printer,formatter}.go`.

use api::KindInfo;

use super::{
    DEEPEST,
    shape::{Descriptions, Field, Shape},
};

/// The longest line.
const WRAP: usize = 80;

/// What is said of a kind, or of a field of it; `at` is the struct whose fields are listed.
pub(super) fn text(
    info: &KindInfo,
    field: Option<&Field<'_>>,
    words: &[String],
    at: Option<Shape<'_>>,
    descriptions: &Descriptions,
    recursive: bool,
) -> String {
    let mut text = format!("KIND:     {}\nVERSION:  {}\n\n", info.kind, info.api_version());
    match (field, at) {
        (Some(field), Some(_)) => {
            text.push_str(&format!("RESOURCE: {} <{}>\n\n", field.name, plain(&field.type_)));
        }
        (Some(field), None) => {
            text.push_str(&format!("FIELD:    {} <{}>\n\n", field.name, plain(&field.type_)));
        }
        (None, _) => {}
    }
    text.push_str("DESCRIPTION:\n");
    for (i, words) in words.iter().enumerate() {
        text.push_str(if i > 0 { "\n" } else { "" });
        text.push_str(&wrapped(words, 5));
    }
    if words.is_empty() {
        text.push_str("     <empty>\n");
    }
    let Some(of) = at else { return text };
    text.push_str("\nFIELDS:\n");
    if recursive {
        names(of, descriptions, 3, &mut vec![of.definition()], &mut text);
        return text;
    }
    for field in of.fields(descriptions) {
        let required = if field.required { " -required-" } else { "" };
        text.push_str(&format!("   {}\t<{}>{required}\n", field.name, plain(&field.type_)));
        text.push_str(&wrapped(field.words.as_deref().unwrap_or_default(), 5));
        text.push('\n');
    }
    text
}

fn names(
    of: Shape<'_>,
    descriptions: &Descriptions,
    indent: usize,
    above: &mut Vec<Option<&'static str>>,
    text: &mut String,
) {
    for field in of.fields(descriptions) {
        text.push_str(&format!("{}{}\t<{}>\n", " ".repeat(indent), field.name, plain(&field.type_)));
        let Some(inner) = field.inner else { continue };
        let is_new = inner.definition().is_none() || !above.contains(&inner.definition());
        if is_new && above.len() < DEEPEST {
            above.push(inner.definition());
            names(inner, descriptions, indent + 3, above, text);
            above.pop();
        }
    }
}

/// A type without the names of structs.
fn plain(type_: &str) -> String {
    let at = type_.rfind(']').map_or(0, |at| at + 1);
    let (of, name) = type_.split_at(at);
    let name = match name {
        "string" | "boolean" | "integer" | "number" => name,
        "Quantity" | "IntOrString" => "string",
        // UPSTREAM: a map of nobody knows what.
        "FieldsV1" => "map[string]",
        _ => "Object",
    };
    format!("{of}{name}")
}

/// Lines of at most [`WRAP`] columns. Lists, code and empty lines begin lines of their own; all else flows together.
fn wrapped(words: &str, indent: usize) -> String {
    let width = WRAP - indent;
    let mut lines: Vec<String> = Vec::new();
    let mut now = String::new();
    let mut ends_a_list = false;
    for line in words.split('\n') {
        let is_code = line.starts_with("    ");
        let is_blank = line.trim().is_empty();
        if is_code || is_blank || begins_item(line.trim()) || ends_a_list {
            lines.extend((!now.is_empty()).then(|| std::mem::take(&mut now)));
            ends_a_list = false;
        }
        if is_code {
            lines.push(line.to_owned());
            continue;
        }
        if is_blank && !lines.is_empty() {
            lines.push(String::new());
            continue;
        }
        for word in line.split_whitespace() {
            if !now.is_empty() && now.len() + 1 + word.len() > width {
                lines.push(std::mem::take(&mut now));
            }
            now.push_str(if now.is_empty() { "" } else { " " });
            now.push_str(word);
            ends_a_list = word.ends_with(':');
        }
    }
    lines.extend((!now.is_empty()).then_some(now));
    let pad = " ".repeat(indent);
    let line = |line: String| if line.is_empty() { "\n".to_owned() } else { format!("{pad}{line}\n") };
    lines.into_iter().map(line).collect()
}

/// `- …`, `* …`, `1. …`.
fn begins_item(line: &str) -> bool {
    let Some((mark, _)) = line.split_once(char::is_whitespace) else { return false };
    let digits = mark.strip_suffix('.').unwrap_or(mark);
    matches!(mark, "-" | "*") || (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_flows_and_lists_do_not() {
        let words = "One of\nthese:\n\nValues:\n - a b\n   c\n    code  here";
        assert_eq!(wrapped(words, 2), "  One of these:\n\n  Values:\n  - a b c\n      code  here\n");
    }

    #[test]
    fn structs_have_no_names() {
        assert_eq!(
            (plain("[]Container"), plain("map[string]Quantity")),
            ("[]Object".into(), "map[string]string".into())
        );
    }
}
