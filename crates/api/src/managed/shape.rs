//! How do the fields of an object belong together?
//!
//! Structs and maps are owned field by field, lists as a whole, by item or by key, as the schema says.
//! Source of what the schema of `k8s-openapi` does not say: the `+listType`, `+listMapKey`, `+structType` and `+mapType` marks in
//! `k8s.io/api` v0.34, `types.go`.

use serde_json::Value;

use crate::{
    Kind,
    schema::{self, FieldSchema, Patch, Type, TypeSchema},
};

/// Structs that are owned as a whole.
const WHOLE: [&str; 25] = [
    "ConfigMapKeySelector",
    "CrossVersionObjectReference",
    "EndpointAddress",
    "EndpointPort",
    "FileKeySelector",
    "LabelSelector",
    "LocalObjectReference",
    "MatchResources",
    "NamedRuleWithOperations",
    "NodeSelector",
    "NodeSelectorTerm",
    "ObjectFieldSelector",
    "ObjectReference",
    "OwnerReference",
    "ParamKind",
    "ParamRef",
    "ResourceFieldSelector",
    "RoleRef",
    "ScopeSelector",
    "SecretKeySelector",
    "SecretReference",
    "ServiceBackendPort",
    "Subject",
    "TopologySelectorTerm",
    "TypedLocalObjectReference",
];

/// What stands at a place, as far as ownership goes.
#[derive(Clone, Copy)]
pub(super) enum Shape<'s> {
    /// A struct of the API.
    Struct(&'static TypeSchema),
    /// A field of one.
    Field(&'static FieldSchema),
    /// An item of a list of the API, or a value of a map.
    Item(&'static Type),
    /// A place in a custom kind's schema.
    Custom(&'s Value),
    /// Nobody knows.
    Any,
}

/// How the items of a list belong together.
pub(super) enum Listed {
    Whole,
    Values,
    /// Each key with what it is where an item does not say.
    Keys(Vec<(String, Option<Value>)>),
}

/// What form of value may stand at a place.
pub(super) enum Form {
    /// A struct, which has no fields but its own, or a map.
    Fields {
        closed: bool,
    },
    List,
    Text,
    Number,
    Boolean,
    Any,
}

impl<'s> Shape<'s> {
    pub(super) fn of(kind: Kind, custom: Option<&'s Value>) -> Self {
        match (schema::root(kind), custom) {
            (Some(root), _) => Self::Struct(root),
            (None, Some(schema)) => Self::Custom(schema),
            (None, None) => Self::Any,
        }
    }

    fn ty(self) -> Option<&'static Type> {
        match self {
            Self::Field(field) => Some(&field.ty),
            Self::Item(ty) => Some(ty),
            Self::Struct(_) | Self::Custom(_) | Self::Any => None,
        }
    }

    /// The shape of a field, and whether the schema names it.
    pub(super) fn field(self, name: &str, is_root: bool) -> (Shape<'s>, bool) {
        if let (Self::Custom(_) | Self::Any, true, "metadata") = (self, is_root, name) {
            let meta = schema::definition("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
            return (meta.map_or(Shape::Any, Shape::Struct), true);
        }
        let of = match self {
            Self::Struct(of) => Some(of),
            _ => self.ty().and_then(Type::object),
        };
        if let Some(of) = of {
            return of.field(name).map_or((Shape::Any, false), |field| (Shape::Field(field), true));
        }
        match (self, self.ty()) {
            (_, Some(Type::Map(item))) => (Shape::Item(item), false),
            (Self::Custom(schema), _) => match schema["properties"].get(name) {
                Some(own) => (Shape::Custom(own), true),
                None if schema["additionalProperties"].is_object() => {
                    (Shape::Custom(&schema["additionalProperties"]), false)
                }
                None => (Shape::Any, is_root && matches!(name, "apiVersion" | "kind")),
            },
            _ => (Shape::Any, false),
        }
    }

    pub(super) fn form(self) -> Form {
        match (self, self.ty()) {
            (Self::Struct(_), _) | (_, Some(Type::Object(_))) => Form::Fields { closed: true },
            (_, Some(Type::Map(_))) => Form::Fields { closed: false },
            (_, Some(Type::List(_))) => Form::List,
            (_, Some(Type::Text | Type::Bytes)) => Form::Text,
            (_, Some(Type::Boolean)) => Form::Boolean,
            (_, Some(Type::Int32 | Type::Int64 | Type::Float)) => Form::Number,
            // UPSTREAM: amounts and times may have any form as far as that is concerned.
            (_, Some(Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime)) => Form::Any,
            (Self::Custom(schema), _) => custom(schema),
            (_, Some(Type::Any) | None) => Form::Any,
        }
    }

    /// Whether a struct or map is owned as a whole.
    pub(super) fn is_whole(self) -> bool {
        let is_struct = |of: &TypeSchema| WHOLE.contains(&of.name());
        match self {
            Self::Struct(of) => is_struct(of),
            Self::Field(field) => {
                let is_map = matches!(field.ty, Type::Map(_));
                (is_map && matches!(field.name, "nodeSelector" | "selector"))
                    || field.ty.object().is_some_and(is_struct)
            }
            Self::Item(ty) => ty.object().is_some_and(is_struct),
            Self::Custom(schema) => schema["x-kubernetes-map-type"] == "atomic",
            Self::Any => false,
        }
    }

    pub(super) fn item(self) -> Shape<'s> {
        match (self, self.ty()) {
            (_, Some(Type::List(item))) => Shape::Item(item),
            (Self::Custom(schema), _) if schema["items"].is_object() => Shape::Custom(&schema["items"]),
            _ => Shape::Any,
        }
    }

    pub(super) fn listed(self) -> Listed {
        // UPSTREAM: what an item must say has a default in the schema all the same: an empty text, or zero.
        let text = |key: &str| (key.to_owned(), Some(Value::from("")));
        let number = |key: &str| (key.to_owned(), Some(Value::from(0)));
        match self {
            Self::Field(field) => {
                let Type::List(item) = &field.ty else { return Listed::Whole };
                let of = item.object().map(TypeSchema::name).unwrap_or_default();
                match (field.patch, of) {
                    (_, "Taint" | "Toleration" | "JobCondition" | "HostIP") => Listed::Whole,
                    (_, "ContainerPort") => Listed::Keys(vec![
                        number("containerPort"),
                        ("protocol".to_owned(), Some("TCP".into())),
                    ]),
                    (_, "ServicePort") => {
                        Listed::Keys(vec![number("port"), ("protocol".to_owned(), Some("TCP".into()))])
                    }
                    (_, "TopologySpreadConstraint") => {
                        Listed::Keys(vec![text("topologyKey"), text("whenUnsatisfiable")])
                    }
                    (_, "ResourceClaim") => Listed::Keys(vec![text("name")]),
                    (Patch::Merge { key: "", .. }, _) => Listed::Values,
                    (Patch::Merge { key, .. }, _) => Listed::Keys(vec![text(key)]),
                    (Patch::Replace | Patch::Whole | Patch::RetainKeys, _) => Listed::Whole,
                }
            }
            Self::Custom(schema) => match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => Listed::Values,
                Some("map") => {
                    let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
                    let default = |key: &str| {
                        let default = &schema["items"]["properties"][key]["default"];
                        (!default.is_null()).then(|| default.clone())
                    };
                    let keys = keys.filter_map(Value::as_str).map(|key| (key.to_owned(), default(key)));
                    Listed::Keys(keys.collect())
                }
                Some(_) | None => Listed::Whole,
            },
            Self::Struct(_) | Self::Item(_) | Self::Any => Listed::Whole,
        }
    }
}

fn custom(schema: &Value) -> Form {
    if schema["x-kubernetes-int-or-string"] == true {
        return Form::Any;
    }
    match schema["type"].as_str() {
        Some("object") => {
            let is_open = schema["x-kubernetes-preserve-unknown-fields"] == true
                || schema.get("additionalProperties").is_some_and(|every| *every != Value::Bool(false));
            // UPSTREAM: an object of whose fields nothing is said may have any.
            Form::Fields { closed: !is_open && schema["properties"].is_object() }
        }
        Some("array") => Form::List,
        Some("string") => Form::Text,
        Some("integer" | "number") => Form::Number,
        Some("boolean") => Form::Boolean,
        Some(_) | None => Form::Any,
    }
}
