//! What is there to say of a type and its fields, be it built in or defined?
//!
//! A definition's schema is read as the API server publishes it: with `apiVersion`, `kind` and `metadata`, also of objects within.
//! Source: apiextensions-apiserver `pkg/controller/openapi/builder/builder.go`; kubectl `pkg/explain/v2/templates/plaintext.tmpl`.

use api::schema::{self, FieldSchema, Type, TypeSchema};
use serde_json::Value;

pub(super) use api::schema::Descriptions;

const API_VERSION: &str = "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const KIND: &str = "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const METADATA: &str = "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";
const INNER_API_VERSION: &str = "apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources";
const INNER_KIND: &str = "kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds";
const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// A type.
#[derive(Clone, Copy)]
pub(super) enum Shape<'s> {
    /// One of the API's own structs.
    Known(&'static TypeSchema),
    /// What a definition's schema says at some place; the root of a kind is marked.
    Defined(&'s Value, bool),
}

/// A field of a type.
pub(super) struct Field<'s> {
    pub(super) name: &'s str,
    pub(super) type_: String,
    pub(super) required: bool,
    /// What its owner says of it.
    pub(super) words: Option<String>,
    /// What its type says of itself.
    pub(super) more: Vec<String>,
    /// The only values it takes.
    pub(super) values: Vec<String>,
    /// The type whose fields come next, through lists and maps.
    pub(super) inner: Option<Shape<'s>>,
}

impl<'s> Shape<'s> {
    /// The struct's name, for whoever must not walk in circles; schemas of definitions have no circles.
    pub(super) fn definition(self) -> Option<&'static str> {
        match self {
            Shape::Known(of) => Some(of.definition),
            Shape::Defined(..) => None,
        }
    }

    /// What it says of itself.
    pub(super) fn words(self, descriptions: &Descriptions) -> Vec<String> {
        match self {
            Shape::Known(of) => descriptions.get(&(of.definition, "")).cloned().into_iter().collect(),
            Shape::Defined(schema, _) => described(schema),
        }
    }

    pub(super) fn fields(self, descriptions: &Descriptions) -> Vec<Field<'s>> {
        match self {
            Shape::Known(of) => of.fields.iter().map(|field| known(of, field, descriptions)).collect(),
            Shape::Defined(schema, is_root) => defined(schema, is_root, descriptions),
        }
    }
}

/// Fields that may hold anything, by the types that Go gives them. Source: apiextensions `v1/types_jsonschema.go`.
const LOOSE: [(&str, &str); 7] = [
    ("additionalItems", "JSONSchemaPropsOrBool"),
    ("additionalProperties", "JSONSchemaPropsOrBool"),
    ("default", "JSON"),
    ("dependencies", "map[string]JSONSchemaPropsOrStringArray"),
    ("enum", "[]JSON"),
    ("example", "JSON"),
    ("items", "JSONSchemaPropsOrArray"),
];

fn known<'s>(of: &'static TypeSchema, field: &'static FieldSchema, descriptions: &Descriptions) -> Field<'s> {
    let words = descriptions.get(&(of.definition, field.name)).filter(|words| !words.is_empty()).cloned();
    let inner = field.ty.inner_object();
    let type_words = inner.map(|of| of.definition).or_else(|| leaf(&field.ty));
    let loose = LOOSE.iter().find(|(name, _)| of.name() == "JSONSchemaProps" && *name == field.name);
    // A kind's metadata may be left out, whatever its Rust type says; only an Event's may not.
    let is_top = field.name == "metadata" && of.field("kind").is_some() && of.name() != "Event";
    Field {
        name: field.name,
        type_: match loose {
            _ if field.name == "fieldsV1" => "FieldsV1".to_owned(),
            Some((_, loose)) => (*loose).to_owned(),
            None => type_name(&field.ty),
        },
        required: field.required && !is_top,
        values: words.as_deref().map(values).unwrap_or_default().into_iter().map(str::to_owned).collect(),
        more: type_words.and_then(|of| descriptions.get(&(of, "")).cloned()).into_iter().collect(),
        inner: inner.map(Shape::Known),
        words,
    }
}

fn defined<'s>(schema: &'s Value, is_root: bool, descriptions: &Descriptions) -> Vec<Field<'s>> {
    let embedded = schema["x-kubernetes-embedded-resource"] == true;
    let required = |name: &str| {
        let said = schema["required"].as_array().into_iter().flatten().any(|it| it == name);
        said || (embedded && !is_root && name != "metadata")
    };
    let mut found: Vec<Field<'s>> = Vec::new();
    for (name, own) in schema["properties"].as_object().into_iter().flatten() {
        found.push(Field {
            name,
            type_: type_guess(own),
            required: required(name),
            words: own["description"].as_str().filter(|words| !words.is_empty()).map(str::to_owned),
            more: below(own),
            values: own["enum"].as_array().into_iter().flatten().map(shown).collect(),
            inner: innermost(own),
        });
    }
    if is_root || embedded {
        let text = |name: &'static str, words: &str| Field {
            name,
            type_: "string".to_owned(),
            required: required(name),
            words: Some(words.to_owned()),
            more: Vec::new(),
            values: Vec::new(),
            inner: None,
        };
        let meta = schema::definition(OBJECT_META);
        let metadata = Field {
            name: "metadata",
            type_: "ObjectMeta".to_owned(),
            required: required("metadata"),
            words: Some(METADATA.to_owned()),
            more: descriptions.get(&(OBJECT_META, "")).cloned().into_iter().collect(),
            values: Vec::new(),
            inner: meta.map(Shape::Known),
        };
        let (version, kind) = if is_root { (API_VERSION, KIND) } else { (INNER_API_VERSION, INNER_KIND) };
        found.retain(|field| !matches!(field.name, "apiVersion" | "kind" | "metadata"));
        found.extend([text("apiVersion", version), text("kind", kind), metadata]);
        found.sort_by_key(|field| field.name);
    }
    found
}

impl Field<'_> {
    /// What is said when it is asked for by itself.
    pub(super) fn paragraphs(&self) -> Vec<String> {
        let own = self.words.iter().cloned();
        own.chain(self.more.iter().cloned()).collect()
    }
}

fn every(schema: &Value) -> Option<&Value> {
    schema.get("additionalProperties").filter(|it| it.is_object())
}

/// What a schema says of itself and of its items or values.
fn described(schema: &Value) -> Vec<String> {
    let own = schema["description"].as_str().filter(|words| !words.is_empty()).map(str::to_owned);
    own.into_iter().chain(below(schema)).collect()
}

fn below(schema: &Value) -> Vec<String> {
    let next = schema.get("items").filter(|it| it.is_object()).or_else(|| every(schema));
    next.map(described).unwrap_or_default()
}

fn innermost(schema: &Value) -> Option<Shape<'_>> {
    let next = schema.get("items").filter(|it| it.is_object()).or_else(|| every(schema));
    if schema["properties"].is_object() || schema["x-kubernetes-embedded-resource"] == true {
        return Some(Shape::Defined(schema, false));
    }
    next.and_then(innermost)
}

fn type_guess(schema: &Value) -> String {
    if let Some(items) = schema.get("items").filter(|it| it.is_object()) {
        return format!("[]{}", type_guess(items));
    }
    if let Some(every) = every(schema) {
        return format!("map[string]{}", type_guess(every));
    }
    match schema["type"].as_str().unwrap_or_default() {
        "object" | "" => "Object".to_owned(),
        other => other.to_owned(),
    }
}

fn shown(value: &Value) -> String {
    match value.as_str() {
        Some("") => "\"\"".to_owned(),
        Some(text) => text.to_owned(),
        None if value.is_null() => "<nil>".to_owned(),
        None => value.to_string(),
    }
}

/// The values that a description names at its end.
fn values(description: &str) -> Vec<&str> {
    let Some((_, list)) = description.rsplit_once("Possible enum values:\n") else { return Vec::new() };
    let names = list.lines().filter_map(|line| line.strip_prefix(" - `\"")?.split_once("\"`"));
    names.map(|(name, _)| if name.is_empty() { "\"\"" } else { name }).collect()
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Text | Type::Time | Type::MicroTime | Type::Bytes => "string".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Int32 | Type::Int64 => "integer".to_owned(),
        Type::Float => "number".to_owned(),
        Type::Quantity => "Quantity".to_owned(),
        Type::IntOrString => "IntOrString".to_owned(),
        Type::Any => "Object".to_owned(),
        Type::List(item) => format!("[]{}", type_name(item)),
        Type::Map(item) => format!("map[string]{}", type_name(item)),
        Type::Object(id) => id.schema().name().to_owned(),
    }
}

/// What is said of a type that has no fields of its own.
fn leaf(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(item) | Type::Map(item) => leaf(item),
        Type::Time => Some("io.k8s.apimachinery.pkg.apis.meta.v1.Time"),
        Type::MicroTime => Some("io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"),
        Type::Quantity => Some("io.k8s.apimachinery.pkg.api.resource.Quantity"),
        Type::IntOrString => Some("io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
        Type::Text
        | Type::Bytes
        | Type::Boolean
        | Type::Int32
        | Type::Int64
        | Type::Float
        | Type::Any
        | Type::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_named_where_a_field_takes_only_some() {
        let descriptions = schema::descriptions();
        let of = |owner: &'static str, field: &'static str| {
            descriptions.get(&(owner, field)).map(|words| values(words)).unwrap_or_default()
        };
        assert_eq!(of("io.k8s.api.networking.v1.NetworkPolicyPort", "protocol"), ["SCTP", "TCP", "UDP"]);
        assert_eq!(of("io.k8s.api.core.v1.HostPathVolumeSource", "type")[..2], ["\"\"", "BlockDevice"]);
        assert!(of("io.k8s.api.core.v1.PersistentVolumeClaimSpec", "accessModes").is_empty());
        assert!(of("io.k8s.apimachinery.pkg.apis.meta.v1.Condition", "status").is_empty());
    }

    #[test]
    fn a_defined_kind_has_what_every_kind_has() {
        let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "description": "How many."}, "tags": {"type": "array", "items": {"type": "string"}},
            "either": {"x-kubernetes-int-or-string": true}, "labels": {"type": "object", "additionalProperties": {"type": "string"}}}}}});
        let descriptions = Descriptions::new();
        let shape = Shape::Defined(&schema, true);
        let names: Vec<&str> = shape.fields(&descriptions).iter().map(|field| field.name).collect();
        assert_eq!(names, ["apiVersion", "kind", "metadata", "spec"]);
        let spec = shape.fields(&descriptions).pop().and_then(|field| field.inner);
        let fields = spec.map(|spec| spec.fields(&descriptions)).unwrap_or_default();
        let said: Vec<String> =
            fields.iter().map(|it| format!("{} {} {}", it.name, it.type_, it.required)).collect();
        let right = [
            "either Object false",
            "labels map[string]string false",
            "size integer true",
            "tags []string false",
        ];
        assert_eq!(said, right);
    }
}
