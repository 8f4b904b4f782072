//! Of which type may a value be, and which types go together?
//!
//! Unification is cel-go's: what is dynamic goes with everything, a type's parameter takes the first type that it meets.
//! Source: cel-go `checker/types.go`, `checker/format.go`.

use std::{collections::BTreeMap, fmt, rc::Rc};

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything: it is looked at when it is there.
    Dyn,
    /// Of an expression that is wrong.
    Error,
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool,
    /// A signed whole number.
    Int,
    /// A whole number that is not negative.
    Uint,
    /// A number with a fraction.
    Double,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// A time.
    Timestamp,
    /// A span of time.
    Duration,
    /// Of items.
    List(Rc<Type>),
    /// Of keys and values.
    Map(Rc<(Type, Type)>),
    /// A type that is not known yet.
    Param(u32),
    /// Such as `kubernetes.Quantity`, `optional_type`.
    Opaque(&'static str, Vec<Type>),
    /// With fields of its own.
    Object(Rc<Declared>),
    /// The type of a type.
    TypeOf(Rc<Type>),
}

/// A type with fields of its own.
#[derive(Debug, Default)]
pub struct Declared {
    /// What it is called in complaints.
    pub name: String,
    /// Its fields as expressions name them.
    pub fields: BTreeMap<String, Type>,
}

impl PartialEq for Declared {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.fields.len() == other.fields.len()
    }
}

impl Type {
    /// A list of such items.
    #[must_use]
    pub fn list(of: Type) -> Type {
        Type::List(Rc::new(of))
    }

    /// A map of such values by text.
    #[must_use]
    pub fn map(of: Type) -> Type {
        Type::Map(Rc::new((Type::Text, of)))
    }

    /// Such a value, or none.
    #[must_use]
    pub fn optional(of: Type) -> Type {
        Type::Opaque("optional_type", vec![of])
    }

    /// A type with these fields.
    #[must_use]
    pub fn object(name: &str, fields: impl IntoIterator<Item = (String, Type)>) -> Type {
        Type::Object(Rc::new(Declared { name: name.to_owned(), fields: fields.into_iter().collect() }))
    }

    pub(super) fn is_free(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }

    /// The type within an optional one, and whether it was.
    pub(super) fn within(&self) -> (Type, bool) {
        match self {
            Type::Opaque("optional_type", of) => (of.first().cloned().unwrap_or(Type::Dyn), true),
            other => (other.clone(), false),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Dyn => f.write_str("dyn"),
            Type::Error => f.write_str("!error!"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Uint => f.write_str("uint"),
            Type::Double => f.write_str("double"),
            Type::Text => f.write_str("string"),
            Type::Bytes => f.write_str("bytes"),
            Type::Timestamp => f.write_str("timestamp"),
            Type::Duration => f.write_str("duration"),
            Type::List(of) => write!(f, "list({of})"),
            Type::Map(of) => write!(f, "map({}, {})", of.0, of.1),
            Type::Param(at) => write!(f, "_var{at}"),
            Type::Opaque(name, of) if of.is_empty() => f.write_str(name),
            Type::Opaque(name, of) => {
                let of: Vec<String> = of.iter().map(ToString::to_string).collect();
                write!(f, "{name}({})", of.join(", "))
            }
            Type::Object(of) => f.write_str(&of.name),
            Type::TypeOf(of) => write!(f, "type({of})"),
        }
    }
}

/// What the parameters met so far stand for.
#[derive(Clone, Default)]
pub(super) struct Mapping {
    met: BTreeMap<u32, Type>,
    next: u32,
}

impl Mapping {
    pub(super) fn fresh(&mut self) -> Type {
        self.next += 1;
        Type::Param(self.next - 1)
    }

    /// Whether types go together pair by pair; only then is anything learnt.
    pub(super) fn fits_all(&mut self, given: &[Type], wanted: &[Type]) -> bool {
        let mut tried = self.clone();
        let fits = given.len() == wanted.len() && given.iter().zip(wanted).all(|(a, b)| tried.go(a, b, 0));
        if fits {
            *self = tried;
        }
        fits
    }

    pub(super) fn fits(&mut self, a: &Type, b: &Type) -> bool {
        self.fits_all(std::slice::from_ref(a), std::slice::from_ref(b))
    }

    fn go(&mut self, a: &Type, b: &Type, depth: usize) -> bool {
        if depth > 64 {
            return false;
        }
        if let Type::Param(of) = b {
            let (valid, known) = self.stands(a, *of, depth);
            if valid || known {
                return valid;
            }
        }
        if let Type::Param(of) = a {
            return self.stands(b, *of, depth).0;
        }
        if a.is_free() || b.is_free() {
            return true;
        }
        let nullable = |it: &Type| {
            matches!(it, Type::Opaque(..) | Type::Object(_) | Type::Duration | Type::Timestamp | Type::Null)
        };
        match (a, b) {
            (Type::Null, other) | (other, Type::Null) => nullable(other),
            (Type::TypeOf(_), Type::TypeOf(_)) => true,
            (Type::List(a), Type::List(b)) => self.go(a, b, depth + 1),
            (Type::Map(a), Type::Map(b)) => self.go(&a.0, &b.0, depth + 1) && self.go(&a.1, &b.1, depth + 1),
            (Type::Opaque(a, of), Type::Opaque(b, other)) => {
                a == b
                    && of.len() == other.len()
                    && of.iter().zip(other).all(|(a, b)| self.go(a, b, depth + 1))
            }
            (Type::Object(a), Type::Object(b)) => a.name == b.name,
            (a, b) => a == b,
        }
    }

    /// Whether a parameter may stand for a type, and whether it already stood for something.
    fn stands(&mut self, type_: &Type, of: u32, depth: usize) -> (bool, bool) {
        if *type_ == Type::Param(of) {
            return (true, true);
        }
        match self.met.get(&of).cloned() {
            Some(known) if known == *type_ => (true, true),
            Some(known) => {
                if !self.go(type_, &known, depth + 1) {
                    return (false, true);
                }
                let general = general(type_, &known);
                if !self.holds(&general, of, 0) {
                    self.met.insert(of, general);
                }
                (true, true)
            }
            None if self.holds(type_, of, 0) => (false, false),
            None => {
                self.met.insert(of, type_.clone());
                (true, false)
            }
        }
    }

    /// Whether a parameter is part of a type.
    fn holds(&self, within: &Type, of: u32, depth: usize) -> bool {
        match within {
            _ if depth > 64 => true,
            Type::Param(it) if *it == of => depth > 0,
            Type::Param(it) => self.met.get(it).is_some_and(|known| self.holds(known, of, depth + 1)),
            Type::List(it) | Type::TypeOf(it) => self.holds(it, of, depth + 1),
            Type::Map(it) => self.holds(&it.0, of, depth + 1) || self.holds(&it.1, of, depth + 1),
            Type::Opaque(_, all) => all.iter().any(|it| self.holds(it, of, depth + 1)),
            _ => false,
        }
    }

    /// A type with all that is known put in; what is not known is anything, if `whole`.
    pub(super) fn put_in(&self, type_: &Type, whole: bool) -> Type {
        self.put(type_, whole, 0)
    }

    fn put(&self, type_: &Type, whole: bool, depth: usize) -> Type {
        let all = |it: &Type| self.put(it, whole, depth + 1);
        match type_ {
            Type::Param(_) if depth > 64 => Type::Dyn,
            Type::Param(of) => match self.met.get(of) {
                Some(known) => all(known),
                None if whole => Type::Dyn,
                None => type_.clone(),
            },
            Type::List(of) => Type::list(all(of)),
            Type::Map(of) => Type::Map(Rc::new((all(&of.0), all(&of.1)))),
            Type::Opaque(name, of) => Type::Opaque(name, of.iter().map(all).collect()),
            Type::TypeOf(of) => Type::TypeOf(Rc::new(all(of))),
            other => other.clone(),
        }
    }
}

/// The less specific of two types that go together.
pub(super) fn general(a: &Type, b: &Type) -> Type {
    if is_wider(a, b) { a.clone() } else { b.clone() }
}

fn is_wider(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Param(_), _) => true,
        (_, Type::Dyn | Type::Param(_)) => false,
        (Type::List(a), Type::List(b)) => is_wider(a, b),
        (Type::Map(a), Type::Map(b)) => is_wider(&a.0, &b.0) && is_wider(&a.1, &b.1),
        (Type::Opaque(a, of), Type::Opaque(b, other)) => {
            a == b && of.len() == other.len() && of.iter().zip(other).all(|(a, b)| is_wider(a, b))
        }
        (Type::TypeOf(_), Type::TypeOf(_)) => true,
        (a, b) => a == b,
    }
}
