//! Does EKS take these `configurationValues`?
//!
//! Each add-on has a JSON schema. MODEL: the schemas are those of addons.md and the chart, without definitions apart, and
//! without the words that no check needs.
//! Source: `aws eks describe-addon-configuration` as cited in addons.md §4; amazon-vpc-cni-k8s issues #2173, #2491 and the
//! messages of networknt's json-schema-validator, which EKS uses.

use std::sync::OnceLock;

use serde_json::Value;

/// The schema of an add-on.
pub(crate) fn of(addon: &str) -> Option<&'static Value> {
    static SCHEMAS: OnceLock<Value> = OnceLock::new();
    SCHEMAS.get_or_init(|| serde_json::from_str(include_str!("schemas.json")).unwrap_or_default()).get(addon)
}

/// What EKS says of settings that it does not take.
pub(crate) fn refusal(addon: &str, values: &Value) -> Option<String> {
    let mut found = Vec::new();
    if !values.is_null() {
        look("$", of(addon)?, values, &mut found);
    }
    (!found.is_empty()).then(|| {
        format!(
            "ConfigurationValue provided in request is not supported: Json schema validation failed with error: [{}]",
            found.join(", ")
        )
    })
}

fn look(at: &str, schema: &Value, value: &Value, found: &mut Vec<String>) {
    let wanted: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = name(value);
    let fits = |wanted: &&str| *wanted == is || (*wanted == "number" && is == "integer");
    if !wanted.is_empty() && !wanted.iter().any(fits) {
        let expected = if wanted.len() > 1 { format!("[{}]", wanted.join(", ")) } else { wanted.join("") };
        found.push(format!("{at}: {is} found, {expected} expected"));
        return;
    }
    if let Some(all) = schema["enum"].as_array().filter(|all| !all.contains(value)) {
        let all: Vec<&str> = all.iter().filter_map(Value::as_str).collect();
        found.push(format!("{at}: does not have a value in the enumeration [{}]", all.join(", ")));
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    found.extend(
        required
            .filter(|name| value.is_object() && value.get(*name).is_none())
            .map(|name| format!("{at}.{name}: is missing but it is required")),
    );
    for (key, inner) in value.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        match (schema["properties"].get(key), &schema["additionalProperties"]) {
            (Some(property), _) => look(&here, property, inner, found),
            (None, Value::Bool(false)) => found.push(format!(
                "{here}: is not defined in the schema and the schema does not allow additional properties"
            )),
            (None, other) => look(&here, other, inner, found),
        }
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        look(&format!("{at}[{index}]"), &schema["items"], inner, found);
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_schema_does_not_know_or_is_of_another_type_is_named() {
        let said = |values: Value| refusal("vpc-cni", &values).unwrap_or_default();
        assert_eq!(
            said(
                json!({"env": {"WARM_IP_TARGET": "2"}, "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}})
            ),
            ""
        );
        let unknown = said(json!({"env": {"DISABLE_TCP_EARLY_DEMUX": "true"}}));
        let words = "[$.env.DISABLE_TCP_EARLY_DEMUX: is not defined in the schema and the schema does not allow additional properties]";
        assert!(unknown.ends_with(words), "{unknown}");
        let number = said(json!({"env": {"WARM_PREFIX_TARGET": 1}}));
        assert!(number.ends_with("[$.env.WARM_PREFIX_TARGET: integer found, string expected]"), "{number}");
    }
}
