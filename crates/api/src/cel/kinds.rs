//! Of which type is an object of a kind of the API?
//!
//! Source: apiserver `pkg/cel/openapi`: what may be a number or a text is of any type.

use super::{escape, types::Type};
use crate::{
    Kind,
    schema::{self, TypeSchema},
};

/// How deep fields have types; below, anything may stand.
const DEEPEST: usize = 16;

/// The type of a kind's objects; `None` for kinds that have no schema.
#[must_use]
pub fn type_of(kind: Kind) -> Option<Type> {
    schema::root(kind).map(|root| object(root, 0))
}

fn object(of: &TypeSchema, depth: usize) -> Type {
    let fields = of.fields.iter().filter_map(|field| {
        let name = escape::escaped(field.name)?;
        Some((name, value(&field.ty, depth + 1)))
    });
    Type::object(of.name(), fields)
}

fn value(of: &schema::Type, depth: usize) -> Type {
    if depth > DEEPEST {
        return Type::Dyn;
    }
    match of {
        schema::Type::Text => Type::Text,
        schema::Type::Boolean => Type::Bool,
        schema::Type::Int32 | schema::Type::Int64 => Type::Int,
        schema::Type::Float => Type::Double,
        schema::Type::Time | schema::Type::MicroTime => Type::Timestamp,
        schema::Type::Bytes => Type::Bytes,
        schema::Type::Quantity | schema::Type::IntOrString | schema::Type::Any => Type::Dyn,
        schema::Type::List(item) => Type::list(value(item, depth + 1)),
        schema::Type::Map(item) => Type::map(value(item, depth + 1)),
        schema::Type::Object(_) => of.object().map_or(Type::Dyn, |of| object(of, depth + 1)),
    }
}
