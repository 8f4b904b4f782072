//! What do CEL's operators and functions answer?
//!
//! Source: the CEL specification's list of standard definitions; cel-go `common/types`, `ext`; `k8s.io/apiserver/pkg/cel/library`.

pub(super) mod authorizer;
mod convert;
mod format;
mod lists;
mod network;
pub(super) mod strings;
pub(super) mod time;
pub(super) mod url;

use std::cmp::Ordering;

use super::{eval::no_overload, value::Val};

pub(super) use self::convert::shown;

type Answer = Result<Val, String>;

/// Functions whose names have dots.
const SPACED: [&str; 7] = [
    "optional.of",
    "optional.ofNonZeroValue",
    "optional.none",
    "strings.quote",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
];

pub(super) fn is_spaced(name: &str) -> bool {
    SPACED.contains(&name)
        || name == "ip.isCanonical"
        || (name.starts_with("format.") && format::is_known(name))
}

/// The answer of an operator or function; of a method the object comes first.
pub(super) fn call(name: &str, is_member: bool, args: &[Val]) -> Answer {
    match (name, args) {
        ("_==_", [a, b]) => Ok(Val::Bool(a.equals(b))),
        ("_!=_", [a, b]) => Ok(Val::Bool(!a.equals(b))),
        ("_<_", [a, b]) => order(a, b).map(|it| Val::Bool(it.is_lt())),
        ("_<=_", [a, b]) => order(a, b).map(|it| Val::Bool(it.is_le())),
        ("_>_", [a, b]) => order(a, b).map(|it| Val::Bool(it.is_gt())),
        ("_>=_", [a, b]) => order(a, b).map(|it| Val::Bool(it.is_ge())),
        ("@in", [a, Val::List(items)]) => Ok(Val::Bool(items.iter().any(|it| it.equals(a)))),
        ("@in", [a, Val::Map(fields)]) => {
            Ok(Val::Bool(super::value::MapKey::of(a).is_some_and(|key| fields.contains_key(&key))))
        }
        ("!_", [Val::Bool(is)]) => Ok(Val::Bool(!is)),
        ("-_", [Val::Int(a)]) => a.checked_neg().map(Val::Int).ok_or_else(|| "integer overflow".to_owned()),
        ("-_", [Val::Double(a)]) => Ok(Val::Double(-a)),
        ("_+_" | "_-_" | "_*_" | "_/_" | "_%_", [a, b]) => arithmetic(name, a, b),
        ("optional.of", [it]) => Ok(some(it.clone())),
        ("optional.none", []) => Ok(Val::Optional(None)),
        ("optional.ofNonZeroValue", [it]) => {
            Ok(if lists::is_zero(it) { Val::Optional(None) } else { some(it.clone()) })
        }
        ("value", [Val::Optional(it)]) => {
            it.as_deref().cloned().ok_or_else(|| "optional.none() dereference".to_owned())
        }
        ("hasValue", [Val::Optional(it)]) => Ok(Val::Bool(it.is_some())),
        ("size" | "type" | "dyn" | "bool" | "bytes" | "double" | "int" | "uint" | "string", [it]) => {
            convert::call(name, it)
        }
        ("duration", [it]) => time::to_duration(it),
        ("timestamp", [it]) => time::to_timestamp(it),
        (_, [Val::Timestamp(it), rest @ ..]) if is_member => time::of_timestamp(name, *it, rest),
        (_, [Val::Duration(it)]) if is_member => time::of_duration(name, *it),
        ("matches", [Val::Text(text), Val::Text(pattern)]) => strings::matches(text, pattern),
        ("strings.quote", [Val::Text(text)]) => Ok(Val::text(&format!("{text:?}"))),
        ("format", [Val::Text(text), Val::List(args)]) if is_member => strings::format(text, args),
        (_, [Val::Text(text), rest @ ..]) if is_member => strings::call(name, text, rest),
        ("sets.contains" | "sets.equivalent" | "sets.intersects", [Val::List(a), Val::List(b)]) => {
            Ok(Val::Bool(lists::sets(name, a, b)))
        }
        (_, [Val::List(items), rest @ ..]) if is_member => lists::call(name, items, rest),
        ("validate", [Val::Format(of), Val::Text(text)]) => Ok(format::validate(of, text)),
        (_, rest) if name.starts_with("format.") => format::make(name, rest),
        ("url" | "isURL", [Val::Text(text)]) => url::call(name, text),
        (_, [Val::Url(it)]) if is_member => url::of(name, it),
        (_, [Val::Check(check), rest @ ..]) if is_member => authorizer::ask(name, check, rest),
        (_, [Val::Verdict(verdict)]) if is_member => authorizer::told(name, verdict),
        _ => network::call(name, is_member, args),
    }
}

fn some(value: Val) -> Val {
    Val::Optional(Some(std::rc::Rc::new(value)))
}

pub(super) fn order(a: &Val, b: &Val) -> Result<Ordering, String> {
    match a.order(b, false) {
        Ok(Some(order)) => Ok(order),
        Ok(None) => Err("NaN values cannot be ordered".to_owned()),
        Err(()) => Err(no_overload()),
    }
}

/// Adds, subtracts, multiplies, divides or takes the rest; `None` of one of them is an overflow.
fn whole<T: Default + PartialEq>(
    name: &str,
    (a, b): (T, T),
    [add, subtract, multiply, divide, rest]: [fn(T, T) -> Option<T>; 5],
    sort: &str,
) -> Result<T, String> {
    let nothing = T::default();
    let result = match name {
        "_+_" => add(a, b),
        "_-_" => subtract(a, b),
        "_*_" => multiply(a, b),
        "_/_" if b == nothing => return Err("division by zero".to_owned()),
        "_/_" => divide(a, b),
        _ if b == nothing => return Err("modulus by zero".to_owned()),
        _ => rest(a, b),
    };
    result.ok_or_else(|| overflow(sort))
}

fn overflow(sort: &str) -> String {
    format!("{sort} overflow")
}

fn arithmetic(name: &str, a: &Val, b: &Val) -> Answer {
    match (a, b) {
        (Val::Int(a), Val::Int(b)) => {
            let by =
                [i64::checked_add, i64::checked_sub, i64::checked_mul, i64::checked_div, i64::checked_rem];
            whole(name, (*a, *b), by, "integer").map(Val::Int)
        }
        (Val::Uint(a), Val::Uint(b)) => {
            let by =
                [u64::checked_add, u64::checked_sub, u64::checked_mul, u64::checked_div, u64::checked_rem];
            whole(name, (*a, *b), by, "unsigned integer").map(Val::Uint)
        }
        (Val::Double(a), Val::Double(b)) => match name {
            "_+_" => Ok(Val::Double(a + b)),
            "_-_" => Ok(Val::Double(a - b)),
            "_*_" => Ok(Val::Double(a * b)),
            "_/_" => Ok(Val::Double(a / b)),
            _ => Err(no_overload()),
        },
        (Val::Text(a), Val::Text(b)) if name == "_+_" => Ok(Val::text(&format!("{a}{b}"))),
        (Val::Bytes(a), Val::Bytes(b)) if name == "_+_" => Ok(Val::Bytes([&**a, &**b].concat().into())),
        (Val::List(a), Val::List(b)) if name == "_+_" => {
            Ok(Val::list(a.iter().chain(b.iter()).cloned().collect()))
        }
        (Val::Duration(a), Val::Duration(b)) => {
            let sum = if name == "_+_" { a.checked_add(*b) } else { a.checked_sub(*b) };
            sum.map(Val::Duration).ok_or_else(|| overflow("duration"))
        }
        (Val::Timestamp(at), Val::Duration(by)) | (Val::Duration(by), Val::Timestamp(at)) => {
            let by = i128::from(*by);
            let at = if name == "_+_" { at + by } else { at - by };
            if time::is_in_range(at) { Ok(Val::Timestamp(at)) } else { Err(overflow("timestamp")) }
        }
        (Val::Timestamp(a), Val::Timestamp(b)) if name == "_-_" => {
            i64::try_from(a - b).map(Val::Duration).map_err(|_| overflow("duration"))
        }
        _ => Err(no_overload()),
    }
}
