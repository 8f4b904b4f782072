//! How does a value become one of another type?

use std::rc::Rc;

use super::{super::eval::no_overload, super::value::Val, Answer, time};

pub(super) fn call(name: &str, value: &Val) -> Answer {
    let wrong = || format!("type conversion error from '{}' to '{name}'", value.type_name());
    match (name, value) {
        ("type", it) => Ok(Val::Type(Rc::from(it.type_name()))),
        ("dyn", it) => Ok(it.clone()),
        ("size", it) => size(it),
        ("bool", Val::Bool(_))
        | ("bytes", Val::Bytes(_))
        | ("double", Val::Double(_))
        | ("int", Val::Int(_))
        | ("uint", Val::Uint(_))
        | ("string", Val::Text(_)) => Ok(value.clone()),
        ("bool", Val::Text(text)) => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Val::Bool(false)),
            _ => Err(wrong()),
        },
        ("bytes", Val::Text(text)) => Ok(Val::Bytes(text.as_bytes().into())),
        ("double", Val::Int(it)) => Ok(Val::Double(*it as f64)),
        ("double", Val::Uint(it)) => Ok(Val::Double(*it as f64)),
        ("double", Val::Text(text)) => text.parse().map(Val::Double).map_err(|_| wrong()),
        ("int", Val::Uint(it)) => i64::try_from(*it).map(Val::Int).map_err(|_| "integer overflow".to_owned()),
        ("int", Val::Double(it)) if it.abs() < 9.2e18 => Ok(Val::Int(it.trunc() as i64)),
        ("int", Val::Double(_)) => Err("integer overflow".to_owned()),
        ("int", Val::Text(text)) => text.parse().map(Val::Int).map_err(|_| wrong()),
        ("int", Val::Timestamp(at)) => {
            i64::try_from(at.div_euclid(1_000_000_000)).map(Val::Int).map_err(|_| wrong())
        }
        ("int", Val::Duration(it)) => Ok(Val::Int(*it)),
        ("uint", Val::Int(it)) => {
            u64::try_from(*it).map(Val::Uint).map_err(|_| "unsigned integer overflow".to_owned())
        }
        ("uint", Val::Double(it)) if *it >= 0.0 && *it < 1.8e19 => Ok(Val::Uint(it.trunc() as u64)),
        ("uint", Val::Double(_)) => Err("unsigned integer overflow".to_owned()),
        ("uint", Val::Text(text)) => text.parse().map(Val::Uint).map_err(|_| wrong()),
        ("string", Val::Bytes(bytes)) => std::str::from_utf8(bytes)
            .map(Val::text)
            .map_err(|_| "invalid UTF-8 in bytes, cannot convert to string".to_owned()),
        (
            "string",
            Val::Bool(_)
            | Val::Int(_)
            | Val::Uint(_)
            | Val::Double(_)
            | Val::Timestamp(_)
            | Val::Duration(_)
            | Val::Ip(_)
            | Val::Cidr(_),
        ) => Ok(Val::text(&shown(value))),
        _ => Err(no_overload()),
    }
}

fn size(value: &Val) -> Answer {
    let size = match value {
        Val::Text(text) => text.chars().count(),
        Val::Bytes(bytes) => bytes.len(),
        Val::List(items) => items.len(),
        Val::Map(fields) => fields.len(),
        _ => return Err(no_overload()),
    };
    i64::try_from(size).map(Val::Int).map_err(|_| no_overload())
}

/// A number as Go's `%g` prints it.
pub(super) fn double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{number}")
}

/// A value as it is named in a message.
pub(in super::super) fn shown(value: &Val) -> String {
    match value {
        Val::Null => "null".to_owned(),
        Val::Bool(it) => it.to_string(),
        Val::Int(it) => it.to_string(),
        Val::Uint(it) => it.to_string(),
        Val::Double(it) => double(*it),
        Val::Text(it) | Val::Type(it) => it.to_string(),
        Val::Timestamp(at) => time::shown_timestamp(*at),
        Val::Duration(it) => time::shown_duration(*it),
        Val::Ip(it) => it.to_string(),
        Val::Cidr(it) => it.to_string(),
        Val::Quantity(it) => it.canonical(),
        Val::Url(it) => it.text.clone(),
        Val::Format(name) => (*name).to_owned(),
        Val::Semver(it) => it.to_string(),
        Val::Bytes(it) => String::from_utf8_lossy(it).into_owned(),
        Val::List(_) | Val::Map(_) | Val::Optional(_) | Val::Check(_) | Val::Verdict(_) => {
            value.type_name().to_owned()
        }
    }
}
