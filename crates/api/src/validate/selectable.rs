//! By which fields may custom objects be selected?
//!
//! Source: apiextensions-apiserver `pkg/apis/apiextensions/validation/validation.go` (`ValidateCustomResourceSelectableFields`),
//! `pkg/apiserver/schema/cel/validation.go` (`ValidFieldPath`).

use serde_json::Value;

use super::report::{At, Report};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Fields by which objects may be selected.
pub(super) fn check(report: &mut Report, version: &Value, list: &At<'_>) {
    const MOST: usize = 8;
    let schema = &version["schema"]["openAPIV3Schema"];
    let mut seen: Vec<&str> = Vec::new();
    for (n, it) in version["selectableFields"].as_array().into_iter().flatten().enumerate() {
        let at = list.index(n);
        let at = at.field("jsonPath");
        let path = text(&it["jsonPath"]);
        if path.is_empty() {
            report.required(&at, "");
            continue;
        }
        let found = match field(schema, path) {
            Ok(found) => found,
            Err(why) => {
                report.invalid(&at, path, &format!("is an invalid path: {why}"));
                continue;
            }
        };
        if path == ".metadata" || path.starts_with(".metadata.") {
            report.invalid(&at, path, "must not point to fields in metadata");
        }
        if !matches!(text(&found["type"]), "string" | "boolean" | "integer") {
            let why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
            report.invalid(&at, path, why);
        }
        if seen.contains(&path) {
            report.duplicate(&at, path);
        } else {
            seen.push(path);
        }
    }
    if seen.len() > MOST {
        report.too_many(list, seen.len(), MOST);
    }
}

/// What the schema says of the field at a path such as `.spec.color`.
fn field<'a>(schema: &'a Value, path: &str) -> Result<&'a Value, String> {
    let mut at = schema;
    let mut rest = path;
    while !rest.is_empty() {
        if rest.starts_with('[') {
            return Err("array notation is not allowed".to_owned());
        }
        let Some(after) = rest.strip_prefix('.') else {
            let word = rest.split(['.', '[', ']']).next().filter(|it| !it.is_empty());
            return Err(format!("expected [ or . but got: {}", word.unwrap_or(&rest[..1])));
        };
        if after.is_empty() {
            return Err("unexpected end of JSON path".to_owned());
        }
        let end = after.find(['.', '[', ']']).unwrap_or(after.len()).max(1);
        let end = after.ceil_char_boundary(end);
        let nowhere = || "does not refer to a valid field".to_owned();
        at = match (at["properties"].as_object(), &at["additionalProperties"]) {
            (Some(fields), _) => fields.get(&after[..end]).ok_or_else(nowhere)?,
            (None, every) if every.is_object() => every,
            (None, _) => return Err(nowhere()),
        };
        rest = &after[end..];
    }
    Ok(at)
}
