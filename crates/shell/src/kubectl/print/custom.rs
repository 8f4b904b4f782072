//! What does the table of a custom kind show?
//!
//! The columns that its definition asks for, each the first value at a path. Source: apiextensions-apiserver
//! `pkg/registry/customresource/tableconvertor/tableconvertor.go`.

use api::{
    custom::{Column, Version},
    jsonpath::JsonPath,
};
use jiff::Timestamp;
use serde_json::Value;

use crate::kubectl::{age, field};

/// The columns' names in capitals, and whether only `-o wide` shows them.
pub(crate) fn columns(version: &Version) -> Vec<(String, bool)> {
    let own = version.columns.iter().map(|column| (column.name.to_uppercase(), column.wide));
    std::iter::once(("NAME".to_owned(), false)).chain(own).collect()
}

/// The cells of one object, in the order of [`columns`].
pub(crate) fn cells(version: &Version, object: &Value, now: Timestamp) -> Vec<String> {
    let own = version.columns.iter().map(|column| cell(column, object, now));
    std::iter::once(field::name(object).to_owned()).chain(own).collect()
}

/// What does not fit the column's type, or is not there, stays empty.
fn cell(column: &Column, object: &Value, now: Timestamp) -> String {
    let Ok(path) = JsonPath::parse(&format!("{{{}}}", column.path)) else { return String::new() };
    let found = path.values(object);
    let Some(value) = found.first().map(AsRef::as_ref).filter(|value| !value.is_null()) else {
        return String::new();
    };
    match (column.type_.as_str(), value) {
        ("string", Value::String(text)) => text.clone(),
        ("string", other) => other.to_string(),
        ("integer", Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.to_string(),
            (None, Some(number)) => format!("{:.0}", number.trunc()),
            (None, None) => String::new(),
        },
        ("number", Value::Number(number)) => number.as_f64().map(|it| it.to_string()).unwrap_or_default(),
        ("boolean", Value::Bool(is)) => is.to_string(),
        ("date", Value::String(text)) => match text.parse::<Timestamp>() {
            Ok(_) => age::since(text, now),
            Err(_) => "<invalid>".to_owned(),
        },
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_shows_what_fits_its_type() {
        let object = json!({"spec": {"size": 3, "on": true, "ratio": 0.5, "list": ["a", "b"], "when": "2026-01-02T03:04:05Z"}});
        let now = "2026-01-02T03:06:05Z".parse().expect("a time");
        for (type_, path, shown) in [
            ("integer", ".spec.size", "3"),
            ("string", ".spec.size", "3"),
            ("integer", ".spec.on", ""),
            ("boolean", ".spec.on", "true"),
            ("number", ".spec.ratio", "0.5"),
            ("string", ".spec.list", "[\"a\",\"b\"]"),
            ("string", ".spec.list[1]", "b"),
            ("date", ".spec.when", "2m"),
            ("date", ".spec.size", ""),
            ("string", ".spec.none", ""),
        ] {
            let column =
                Column { name: "X".to_owned(), type_: type_.to_owned(), path: path.to_owned(), wide: false };
            assert_eq!(cell(&column, &object, now), shown, "{type_} {path}");
        }
    }
}
