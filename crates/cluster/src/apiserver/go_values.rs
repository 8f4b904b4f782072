//! How did older API servers show a bad value that is a list or a map?
//!
//! As Go prints it, where newer ones print JSON: `[]string{"None"}`, `map[string]string{"app":"x"}`.
//! Source: recorded from 1.32.13 (tests/vectors/kubectl) and from 1.34 (tests/vectors/session).

use api::ApiStatus;
use serde_json::Value;

const BEFORE: &str = "Invalid value: ";

/// Writes the values in a refusal as Go does.
pub(super) fn write(status: &mut ApiStatus) {
    status.message = rewritten(&status.message);
    for cause in &mut status.causes {
        cause.message = rewritten(&cause.message);
    }
}

fn rewritten(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEFORE) {
        let (before, after) = rest.split_at(at + BEFORE.len());
        out.push_str(before);
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).filter(|_| after.starts_with(['[', '{']));
        rest = match value.as_ref().and_then(go) {
            Some(shown) => {
                out.push_str(&shown);
                &after[values.byte_offset()..]
            }
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// Lists and maps of texts; other values have Go types that their JSON does not tell.
fn go(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let all: Option<Vec<String>> =
                items.iter().map(|i| i.as_str().map(|s| format!("{s:?}"))).collect();
            Some(format!("[]string{{{}}}", all?.join(", ")))
        }
        Value::Object(fields) => {
            let pair = |(key, value): (&String, &Value)| value.as_str().map(|v| format!("{key:?}:{v:?}"));
            let all: Option<Vec<String>> = fields.iter().map(pair).collect();
            Some(format!("map[string]string{{{}}}", all?.join(", ")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_of_texts_are_written_as_go_writes_them() {
        for (json, wanted) in [
            (r#"x: Invalid value: ["None"]: may not"#, r#"x: Invalid value: []string{"None"}: may not"#),
            (r#"Invalid value: {"app":"x"}: no"#, r#"Invalid value: map[string]string{"app":"x"}: no"#),
            (r#"Invalid value: "a": no"#, r#"Invalid value: "a": no"#),
            (r#"Invalid value: {"a":1}: no"#, r#"Invalid value: {"a":1}: no"#),
        ] {
            assert_eq!(rewritten(json), wanted);
        }
    }
}
