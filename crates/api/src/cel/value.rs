//! Of what values is an expression made, and what does an object look like to it?

use std::{cmp::Ordering, collections::BTreeMap, net::IpAddr, rc::Rc};

use ipnet::IpNet;
use serde_json::Value;

use super::{
    library::{
        authorizer::{Check, Verdict},
        time,
        url::Url,
    },
    types::Type,
};
use crate::quantity::Quantity;

/// A value.
#[derive(Clone, Debug)]
pub enum Val {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// `1`.
    Int(i64),
    /// `1u`.
    Uint(u64),
    /// `1.0`.
    Double(f64),
    /// `'a'`.
    Text(Rc<str>),
    /// `b'a'`.
    Bytes(Rc<[u8]>),
    /// `[1]`.
    List(Rc<Vec<Val>>),
    /// `{'a': 1}`.
    Map(Rc<BTreeMap<MapKey, Val>>),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    /// Nanoseconds.
    Duration(i64),
    /// A type's name.
    Type(Rc<str>),
    /// A value, or none.
    Optional(Option<Rc<Val>>),
    /// `1Gi`.
    Quantity(Quantity),
    /// `https://…`.
    Url(Rc<Url>),
    /// An address.
    Ip(IpAddr),
    /// A block of addresses; an address within it, as it was written.
    Cidr(IpNet),
    /// How names and the like must look.
    Format(&'static str),
    /// Major, minor and patch, what comes before the release, and what it was built of.
    Semver(Rc<semver::Version>),
    /// What the authorizer is asked, as far as it is put together.
    Check(Rc<Check>),
    /// What it answered.
    Verdict(Rc<Verdict>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MapKey {
    /// `true`.
    Bool(bool),
    /// Whole numbers of both signs.
    Int(i128),
    /// A text.
    Text(Rc<str>),
}

impl MapKey {
    /// A value as a key.
    pub(super) fn of(value: &Val) -> Option<MapKey> {
        match value {
            Val::Bool(it) => Some(MapKey::Bool(*it)),
            Val::Int(it) => Some(MapKey::Int(i128::from(*it))),
            Val::Uint(it) => Some(MapKey::Int(i128::from(*it))),
            Val::Double(it) if it.fract() == 0.0 && it.abs() < 1e18 => Some(MapKey::Int(*it as i128)),
            Val::Text(it) => Some(MapKey::Text(Rc::clone(it))),
            _ => None,
        }
    }

    /// A key as a value.
    pub(super) fn value(&self) -> Val {
        match self {
            MapKey::Bool(it) => Val::Bool(*it),
            MapKey::Int(it) => i64::try_from(*it).map_or_else(|_| Val::Uint(*it as u64), Val::Int),
            MapKey::Text(it) => Val::Text(Rc::clone(it)),
        }
    }
}

impl Val {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Val {
        Val::Text(Rc::from(text))
    }

    /// A list.
    #[must_use]
    pub fn list(items: Vec<Val>) -> Val {
        Val::List(Rc::new(items))
    }

    /// An object as it is, without anything said of its types.
    #[must_use]
    pub fn of(value: &Value) -> Val {
        match value {
            Value::Null => Val::Null,
            Value::Bool(it) => Val::Bool(*it),
            Value::Number(it) => match (it.as_i64(), it.as_u64(), it.as_f64()) {
                (Some(it), ..) => Val::Int(it),
                (None, Some(it), _) => Val::Uint(it),
                (None, None, it) => Val::Double(it.unwrap_or_default()),
            },
            Value::String(it) => Val::text(it),
            Value::Array(items) => Val::list(items.iter().map(Val::of).collect()),
            Value::Object(fields) => {
                let fields =
                    fields.iter().map(|(name, it)| (MapKey::Text(Rc::from(name.as_str())), Val::of(it)));
                Val::Map(Rc::new(fields.collect()))
            }
        }
    }

    /// An object whose types are declared: fields are called as expressions call them, what is not declared is not seen.
    #[must_use]
    pub fn typed(value: &Value, type_: &Type) -> Val {
        match (type_, value) {
            (Type::List(of), Value::Array(items)) => {
                Val::list(items.iter().map(|item| Val::typed(item, of)).collect())
            }
            (Type::Map(of), Value::Object(fields)) => {
                let key = |name: &str| MapKey::Text(Rc::from(name));
                Val::Map(Rc::new(
                    fields.iter().map(|(name, it)| (key(name), Val::typed(it, &of.1))).collect(),
                ))
            }
            (Type::Object(of), Value::Object(fields)) => {
                let seen = fields.iter().filter_map(|(name, it)| {
                    // Names that the API server declares itself stand as they are: `request.namespace`.
                    let name = if of.fields.contains_key(name) {
                        name.clone()
                    } else {
                        super::escape::escaped(name)?
                    };
                    let type_ = of.fields.get(&name)?;
                    Some((MapKey::Text(Rc::from(name.as_str())), Val::typed(it, type_)))
                });
                Val::Map(Rc::new(seen.collect()))
            }
            (Type::Double, Value::Number(number)) => Val::Double(number.as_f64().unwrap_or_default()),
            (Type::Timestamp, Value::String(text)) => time::date(text)
                .or_else(|| time::timestamp(text))
                .map_or_else(|| Val::of(value), Val::Timestamp),
            (Type::Duration, Value::String(text)) => {
                time::duration(text).map_or_else(|| Val::of(value), Val::Duration)
            }
            (Type::Bytes, Value::String(text)) => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                bytes.map_or_else(|_| Val::of(value), |bytes| Val::Bytes(bytes.into()))
            }
            _ => Val::of(value),
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Val::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What its type is called.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Val::Null => "null_type",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Uint(_) => "uint",
            Val::Double(_) => "double",
            Val::Text(_) => "string",
            Val::Bytes(_) => "bytes",
            Val::List(_) => "list",
            Val::Map(_) => "map",
            Val::Timestamp(_) => "google.protobuf.Timestamp",
            Val::Duration(_) => "google.protobuf.Duration",
            Val::Type(_) => "type",
            Val::Optional(_) => "optional_type",
            Val::Quantity(_) => "kubernetes.Quantity",
            Val::Url(_) => "kubernetes.URL",
            Val::Ip(_) => "net.IP",
            Val::Cidr(_) => "net.CIDR",
            Val::Format(_) => "kubernetes.NamedFormat",
            Val::Semver(_) => "kubernetes.Semver",
            Val::Check(check) => check.about.type_name(),
            Val::Verdict(_) => "kubernetes.authorization.Decision",
        }
    }

    /// How much it weighs when it is copied or looked through.
    pub(super) fn weight(&self) -> usize {
        match self {
            Val::Text(text) => 1 + text.len() / 10,
            Val::Bytes(bytes) => 1 + bytes.len() / 10,
            Val::List(items) => 1 + items.len(),
            Val::Map(fields) => 1 + fields.len(),
            _ => 1,
        }
    }

    /// Whether two values are the same; numbers are by what they count, whatever their type.
    pub(super) fn equals(&self, other: &Val) -> bool {
        match (self, other) {
            (Val::Null, Val::Null) => true,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::Text(a), Val::Text(b)) | (Val::Type(a), Val::Type(b)) => a == b,
            (Val::Bytes(a), Val::Bytes(b)) => a == b,
            (Val::List(a), Val::List(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b))
            }
            (Val::Map(a), Val::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| a.equals(b)))
            }
            (Val::Timestamp(a), Val::Timestamp(b)) => a == b,
            (Val::Duration(a), Val::Duration(b)) => a == b,
            (Val::Optional(a), Val::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (None, None) => true,
                _ => false,
            },
            (Val::Quantity(a), Val::Quantity(b)) => a.cmp(b).is_eq(),
            (Val::Url(a), Val::Url(b)) => a.text == b.text,
            (Val::Ip(a), Val::Ip(b)) => a == b,
            (Val::Cidr(a), Val::Cidr(b)) => a == b,
            (Val::Format(a), Val::Format(b)) => a == b,
            (Val::Semver(a), Val::Semver(b)) => a.cmp_precedence(b).is_eq(),
            (a, b) => a.order(b, true).is_ok_and(|it| it == Some(Ordering::Equal)),
        }
    }

    /// Which of two values comes first, if one does.
    /// # Errors
    /// For values that have no order.
    pub(super) fn order(&self, other: &Val, numbers_only: bool) -> Result<Option<Ordering>, ()> {
        Ok(Some(match (self, other) {
            (Val::Int(a), Val::Int(b)) => a.cmp(b),
            (Val::Uint(a), Val::Uint(b)) => a.cmp(b),
            (Val::Int(a), Val::Uint(b)) => i128::from(*a).cmp(&i128::from(*b)),
            (Val::Uint(a), Val::Int(b)) => i128::from(*a).cmp(&i128::from(*b)),
            (Val::Double(a), Val::Double(b)) => return Ok(a.partial_cmp(b)),
            (Val::Double(a), Val::Int(b)) => return Ok(a.partial_cmp(&(*b as f64))),
            (Val::Int(a), Val::Double(b)) => return Ok((*a as f64).partial_cmp(b)),
            (Val::Double(a), Val::Uint(b)) => return Ok(a.partial_cmp(&(*b as f64))),
            (Val::Uint(a), Val::Double(b)) => return Ok((*a as f64).partial_cmp(b)),
            _ if numbers_only => return Err(()),
            (Val::Bool(a), Val::Bool(b)) => a.cmp(b),
            (Val::Text(a), Val::Text(b)) => a.cmp(b),
            (Val::Bytes(a), Val::Bytes(b)) => a.cmp(b),
            (Val::Timestamp(a), Val::Timestamp(b)) => a.cmp(b),
            (Val::Duration(a), Val::Duration(b)) => a.cmp(b),
            _ => return Err(()),
        }))
    }
}
