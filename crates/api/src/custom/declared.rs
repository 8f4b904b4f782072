//! Which types do rules in CEL see where a schema stands?
//!
//! What a schema does not describe is not seen: a field that keeps what is unknown cannot be named.
//! Source: `k8s.io/apiserver/pkg/cel/common/schemas.go`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cel::{Sizes, Type, escaped};

/// How deep schemas are followed.
const DEEPEST: usize = 64;

/// The largest request, in bytes. Source: `k8s.io/apiserver/pkg/apis/cel/config.go`, `pkg/cel/limits.go`, as the sizes below.
pub(crate) const LARGEST_REQUEST: u64 = 3 * 1024 * 1024;
const LONGEST_TIME: u64 = 32;
const DATE: u64 = 12;

/// What rules see of what a schema describes.
#[derive(Clone)]
pub(crate) struct Declaration {
    pub(crate) type_: Type,
    pub(crate) sizes: Sizes,
}

impl Declaration {
    fn plain(type_: Type, least: u64) -> Self {
        Self::long(type_, least, 0)
    }

    fn long(type_: Type, least: u64, most: u64) -> Self {
        Self { type_, sizes: Sizes { least, most, ..Sizes::default() } }
    }
}

/// What rules see where a schema stands; none where nothing of it is seen.
pub(crate) fn declared(schema: &Value, is_root: bool) -> Option<Declaration> {
    of("selfType", schema, is_root, 0)
}

fn of(name: &str, schema: &Value, is_root: bool, depth: usize) -> Option<Declaration> {
    if depth > DEEPEST {
        return None;
    }
    // A letter is of up to four bytes.
    let longest = number(schema, "maxLength").map(|letters| letters.saturating_mul(4));
    if schema["x-kubernetes-int-or-string"] == true {
        return Some(Declaration::long(Type::Dyn, 1, longest.unwrap_or(LARGEST_REQUEST - 2)));
    }
    let inner = |name: String, schema: &Value| {
        of(&name, schema, schema["x-kubernetes-embedded-resource"] == true, depth + 1)
    };
    match schema["type"].as_str().unwrap_or_default() {
        "array" => {
            let item = inner(format!("{name}.@idx"), &schema["items"])?;
            let most = number(schema, "maxItems");
            let most = most.unwrap_or((LARGEST_REQUEST - 2) / (item.sizes.least + 1));
            let sizes = Sizes { most, least: 2, items: Some(Box::new(item.sizes)), ..Sizes::default() };
            Some(Declaration { type_: Type::list(item.type_), sizes })
        }
        "object" => {
            let every = &schema["additionalProperties"];
            if !every.is_object() {
                return Some(fields(name, schema, is_root, &inner));
            }
            let value = inner(format!("{name}.@elem"), every)?;
            let most = number(schema, "maxProperties");
            let most = most.unwrap_or((LARGEST_REQUEST - 2) / (value.sizes.least + 6));
            let (keys, items) = (Sizes { least: 2, ..Sizes::default() }, value.sizes);
            let (keys, items) = (Some(Box::new(keys)), Some(Box::new(items)));
            let sizes = Sizes { most, least: 2, keys, items, ..Sizes::default() };
            Some(Declaration { type_: Type::map(value.type_), sizes })
        }
        "string" => {
            let longest = || match (longest, schema["enum"].as_array()) {
                (Some(longest), _) => longest,
                (None, Some(words)) if !words.is_empty() => {
                    words.iter().filter_map(Value::as_str).map(str::len).max().unwrap_or(0) as u64
                }
                _ => LARGEST_REQUEST - 2,
            };
            Some(match schema["format"].as_str().unwrap_or_default() {
                "byte" => {
                    let longest = number(schema, "maxLength").unwrap_or(LARGEST_REQUEST - 2);
                    Declaration::long(Type::Bytes, 2, longest)
                }
                "duration" => Declaration::long(Type::Duration, 3, LONGEST_TIME),
                "date" => Declaration::long(Type::Timestamp, DATE, DATE),
                "date-time" => Declaration::long(Type::Timestamp, 21, LONGEST_TIME),
                _ => Declaration::long(Type::Text, 2, longest()),
            })
        }
        "boolean" => Some(Declaration::plain(Type::Bool, 4)),
        "number" => Some(Declaration::plain(Type::Double, 1)),
        "integer" => Some(Declaration::plain(Type::Int, 1)),
        _ => None,
    }
}

/// A limit that a schema sets; one below nothing is nothing.
fn number(schema: &Value, limit: &str) -> Option<u64> {
    schema[limit].as_i64().map(|limit| u64::try_from(limit).unwrap_or(0))
}

/// An object's fields. What it must have, and what nothing fills in, makes it longer.
fn fields(
    name: &str,
    schema: &Value,
    is_root: bool,
    inner: &dyn Fn(String, &Value) -> Option<Declaration>,
) -> Declaration {
    let mut seen: BTreeMap<String, Declaration> = BTreeMap::new();
    let mut least = 2;
    let needed =
        |field: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|it| it == field));
    let mut own: Vec<(&str, &Value)> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, own)| (field.as_str(), own))
        .collect();
    let (text, meta);
    if is_root {
        text = serde_json::json!({"type": "string"});
        meta = serde_json::json!({"type": "object", "properties": {"name": text, "generateName": text}});
        own.retain(|(field, _)| !matches!(*field, "apiVersion" | "kind" | "metadata"));
        own.extend([("apiVersion", &text), ("kind", &text), ("metadata", &meta)]);
    }
    for (field, own) in own {
        let Some(declared) = inner(format!("{name}.{field}"), own) else { continue };
        if needed(field) && own["default"].is_null() {
            least += field.len() as u64 + declared.sizes.least + 4;
        }
        if let Some(escaped) = escaped(field) {
            seen.insert(escaped, declared);
        }
    }
    let types = seen.iter().map(|(field, it)| (field.clone(), it.type_.clone()));
    let type_ = Type::object(name, types.collect::<Vec<_>>());
    let fields = seen.into_iter().map(|(field, it)| (field, it.sizes)).collect();
    Declaration { type_, sizes: Sizes { least, fields, ..Sizes::default() } }
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
        let type_ = declared(&schema, true).expect("a type").type_;
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
