//! Which types do rules in CEL see where a schema stands?
//!
//! What a schema does not describe is not seen: a field that keeps what is unknown cannot be named.
//! Source: `k8s.io/apiserver/pkg/cel/common/schemas.go`.

use serde_json::Value;

use crate::cel::{Type, escaped};

/// How deep schemas are followed.
const DEEPEST: usize = 64;

/// The type of what a schema describes; none where nothing of it is seen.
pub(crate) fn declared(schema: &Value, is_root: bool) -> Option<Type> {
    of("selfType", schema, is_root, 0)
}

fn of(name: &str, schema: &Value, is_root: bool, depth: usize) -> Option<Type> {
    if depth > DEEPEST {
        return None;
    }
    if schema["x-kubernetes-int-or-string"] == true {
        return Some(Type::Dyn);
    }
    let inner = |name: String, schema: &Value| {
        of(&name, schema, schema["x-kubernetes-embedded-resource"] == true, depth + 1)
    };
    let items = || inner(format!("{name}.@idx"), &schema["items"]);
    let text = schema["format"].as_str().unwrap_or_default();
    match schema["type"].as_str().unwrap_or_default() {
        "array" => Some(Type::list(items()?)),
        "object" => {
            let every = &schema["additionalProperties"];
            if every.is_object() {
                return Some(Type::map(inner(format!("{name}.@elem"), every)?));
            }
            let mut fields: Vec<(String, Type)> = Vec::new();
            for (field, own) in schema["properties"].as_object().into_iter().flatten() {
                if let (Some(field), Some(type_)) = (escaped(field), inner(format!("{name}.{field}"), own)) {
                    fields.push((field, type_));
                }
            }
            if is_root {
                let meta = ["name", "generateName"].map(|field| (field.to_owned(), Type::Text));
                fields.retain(|(field, _)| !matches!(field.as_str(), "apiVersion" | "kind" | "metadata"));
                fields.push(("apiVersion".to_owned(), Type::Text));
                fields.push(("kind".to_owned(), Type::Text));
                fields.push(("metadata".to_owned(), Type::object(&format!("{name}.metadata"), meta)));
            }
            Some(Type::object(name, fields))
        }
        "string" => Some(match text {
            "byte" => Type::Bytes,
            "duration" => Type::Duration,
            "date" | "date-time" => Type::Timestamp,
            _ => Type::Text,
        }),
        "boolean" => Some(Type::Bool),
        "number" => Some(Type::Double),
        "integer" => Some(Type::Int),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cel::Program;

    #[test]
    fn a_rule_sees_what_the_schema_describes() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer"}, "my-name": {"type": "string"},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}});
        let type_ = declared(&schema, true).expect("a type");
        let said = |rule: &str| Program::compile(rule, &[("self", type_.clone())]).err().unwrap_or_default();
        assert_eq!(
            said("self.spec.size > 1 && self.spec.my__dash__name != '' && self.metadata.name != ''"),
            ""
        );
        assert!(said("self.metadata.labels.size() > 0").contains("undefined field 'labels'"));
        assert!(said("self.spec.free.any").contains("undefined field 'any'"));
        assert!(
            said("self.spec.size > 'a'")
                .contains("found no matching overload for '_>_' applied to '(int, string)'")
        );
    }
}
