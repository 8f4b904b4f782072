//! What do CEL's operators and functions answer?
//!
//! Source: the CEL specification's list of standard definitions; cel-go `ext/strings.go`; `k8s.io/apiserver/pkg/cel/library`.

use std::cmp::Ordering;

use cel::common::ast::operators;
use regex::Regex;
use serde_json::Value;

/// Names of types, which are values too.
pub(super) const TYPES: [&str; 9] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "uint"];

const GLOBAL: [&str; 8] = ["size", "int", "uint", "double", "string", "bool", "dyn", "type"];

type Answer = Result<Value, String>;

/// Whether a function can be called without an object before it.
pub(super) fn is_known(name: &str) -> bool {
    name.starts_with(['_', '!', '-', '@']) || GLOBAL.contains(&name) || name == "matches"
}

fn no_overload() -> String {
    "no such overload".to_owned()
}

/// A value as the key of a map.
pub(super) fn key(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err("unsupported key type".to_owned()),
    }
}

/// The answer of an operator or function; of a member function the object comes first.
pub(super) fn call(name: &str, is_member: bool, args: &[&Value]) -> Answer {
    match (name, args) {
        (operators::EQUALS, [a, b]) => Ok(equal(a, b).into()),
        (operators::NOT_EQUALS, [a, b]) => Ok((!equal(a, b)).into()),
        (operators::LESS, [a, b]) => order(a, b).map(|it| it.is_lt().into()),
        (operators::LESS_EQUALS, [a, b]) => order(a, b).map(|it| it.is_le().into()),
        (operators::GREATER, [a, b]) => order(a, b).map(|it| it.is_gt().into()),
        (operators::GREATER_EQUALS, [a, b]) => order(a, b).map(|it| it.is_ge().into()),
        (operators::IN, [a, Value::Array(items)]) => Ok(items.iter().any(|it| equal(a, it)).into()),
        (operators::IN, [a, Value::Object(fields)]) => Ok(fields.contains_key(&key(a)?).into()),
        (operators::LOGICAL_NOT, [Value::Bool(is)]) => Ok((!is).into()),
        (operators::NEGATE, [a]) => match (a.as_i64(), a.as_f64()) {
            (Some(a), _) => a.checked_neg().map(Value::from).ok_or_else(|| "integer overflow".to_owned()),
            (None, Some(a)) => Ok((-a).into()),
            (None, None) => Err(no_overload()),
        },
        (operators::ADD, [Value::String(a), Value::String(b)]) => Ok(format!("{a}{b}").into()),
        (operators::ADD, [Value::Array(a), Value::Array(b)]) => {
            Ok(Value::Array(a.iter().chain(b).cloned().collect()))
        }
        (
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO,
            [a, b],
        ) => arithmetic(name, a, b),
        ("size", [it]) => size(it),
        ("int", [it]) => to_int(it),
        ("uint", [it]) => match to_int(it)?.as_i64() {
            Some(number) if number >= 0 => Ok(number.into()),
            _ => Err("unsigned integer overflow".to_owned()),
        },
        ("double", [it]) => to_double(it),
        ("string", [it]) => match it {
            Value::String(_) => Ok((*it).clone()),
            Value::Bool(_) | Value::Number(_) => Ok(it.to_string().into()),
            _ => Err(no_overload()),
        },
        ("bool", [Value::Bool(is)]) => Ok((*is).into()),
        ("bool", [Value::String(text)]) => match text.as_str() {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(true.into()),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(false.into()),
            _ => Err("type conversion error from 'string' to 'bool'".to_owned()),
        },
        ("dyn", [it]) => Ok((*it).clone()),
        ("type", [it]) => Ok(type_of(it).into()),
        ("matches", [Value::String(text), Value::String(pattern)]) => matches(text, pattern),
        (name, [Value::String(text), rest @ ..]) if is_member => of_text(name, text, rest),
        (name, [Value::Array(items), rest @ ..]) if is_member => of_list(name, items, rest),
        _ => Err(no_overload()),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null_type",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "double",
        Value::Number(_) => "int",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

/// Numbers are equal by their value, whatever their type.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => order(a, b).is_ok_and(Ordering::is_eq),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Result<Ordering, String> {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Ok(a.cmp(&b)),
            _ => {
                let (Some(a), Some(b)) = (a.as_f64(), b.as_f64()) else { return Err(no_overload()) };
                a.partial_cmp(&b).ok_or_else(|| "NaN values cannot be ordered".to_owned())
            }
        },
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        _ => Err(no_overload()),
    }
}

fn arithmetic(name: &str, a: &Value, b: &Value) -> Answer {
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        let result = match name {
            operators::ADD => a.checked_add(b),
            operators::SUBSTRACT => a.checked_sub(b),
            operators::MULTIPLY => a.checked_mul(b),
            operators::DIVIDE if b == 0 => return Err("division by zero".to_owned()),
            operators::DIVIDE => a.checked_div(b),
            _ if b == 0 => return Err("modulus by zero".to_owned()),
            _ => a.checked_rem(b),
        };
        return result.map(Value::from).ok_or_else(|| "integer overflow".to_owned());
    }
    let (true, true, Some(a), Some(b)) = (a.is_f64(), b.is_f64(), a.as_f64(), b.as_f64()) else {
        return Err(no_overload());
    };
    match name {
        operators::ADD => Ok((a + b).into()),
        operators::SUBSTRACT => Ok((a - b).into()),
        operators::MULTIPLY => Ok((a * b).into()),
        operators::DIVIDE => Ok((a / b).into()),
        _ => Err(no_overload()),
    }
}

fn size(value: &Value) -> Answer {
    match value {
        Value::String(text) => Ok(text.chars().count().into()),
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(fields) => Ok(fields.len().into()),
        _ => Err(no_overload()),
    }
}

fn to_int(value: &Value) -> Answer {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole.into()),
            (None, Some(number)) if number.abs() < 9.2e18 => Ok((number.trunc() as i64).into()),
            _ => Err("integer overflow".to_owned()),
        },
        Value::String(text) => {
            let wrong = || format!("strconv.ParseInt: parsing {text:?}: invalid syntax");
            text.parse::<i64>().map(Value::from).map_err(|_| wrong())
        }
        _ => Err(no_overload()),
    }
}

fn to_double(value: &Value) -> Answer {
    match value {
        Value::Number(number) => number.as_f64().map(Value::from).ok_or_else(no_overload),
        Value::String(text) => {
            let wrong = || format!("strconv.ParseFloat: parsing {text:?}: invalid syntax");
            text.parse::<f64>().map(Value::from).map_err(|_| wrong())
        }
        _ => Err(no_overload()),
    }
}

fn matches(text: &str, pattern: &str) -> Answer {
    Regex::new(pattern)
        .map(|pattern| pattern.is_match(text).into())
        .map_err(|error| format!("error parsing regexp: {error}"))
}

fn whole(value: &Value) -> Result<usize, String> {
    value.as_i64().and_then(|it| usize::try_from(it).ok()).ok_or_else(no_overload)
}

fn of_text(name: &str, text: &str, rest: &[&Value]) -> Answer {
    match (name, rest) {
        ("contains", [Value::String(it)]) => Ok(text.contains(it.as_str()).into()),
        ("startsWith", [Value::String(it)]) => Ok(text.starts_with(it.as_str()).into()),
        ("endsWith", [Value::String(it)]) => Ok(text.ends_with(it.as_str()).into()),
        ("lowerAscii", []) => Ok(text.to_ascii_lowercase().into()),
        ("upperAscii", []) => Ok(text.to_ascii_uppercase().into()),
        ("trim", []) => Ok(text.trim().into()),
        ("reverse", []) => Ok(text.chars().rev().collect::<String>().into()),
        ("charAt", [at]) => {
            let at = whole(at)?;
            if at > text.chars().count() {
                return Err(format!("index out of range: {at}"));
            }
            Ok(text.chars().nth(at).map(String::from).unwrap_or_default().into())
        }
        ("split", [Value::String(by)]) => {
            let parts: Vec<Value> = if by.is_empty() {
                text.chars().map(|c| c.to_string().into()).collect()
            } else {
                text.split(by.as_str()).map(Value::from).collect()
            };
            Ok(Value::Array(parts))
        }
        ("replace", [Value::String(old), Value::String(new)]) => Ok(text.replace(old.as_str(), new).into()),
        ("indexOf", [Value::String(it)]) => {
            let at = text.find(it.as_str()).map(|at| text[..at].chars().count());
            Ok(at.map_or(Value::from(-1), Value::from))
        }
        ("lastIndexOf", [Value::String(it)]) => {
            let at = text.rfind(it.as_str()).map(|at| text[..at].chars().count());
            Ok(at.map_or(Value::from(-1), Value::from))
        }
        ("substring", [from]) => substring(text, whole(from)?, text.chars().count()),
        ("substring", [from, to]) => substring(text, whole(from)?, whole(to)?),
        ("find", [Value::String(pattern)]) => Regex::new(pattern)
            .map(|pattern| pattern.find(text).map_or("", |found| found.as_str()).into())
            .map_err(|error| format!("error parsing regexp: {error}")),
        _ => Err(no_overload()),
    }
}

fn substring(text: &str, from: usize, to: usize) -> Answer {
    let letters = text.chars().count();
    if from > letters || to > letters {
        return Err(format!("index out of range: {}", if from > letters { from } else { to }));
    }
    if from > to {
        return Err(format!("invalid substring range. start: {from}, end: {to}"));
    }
    Ok(text.chars().skip(from).take(to - from).collect::<String>().into())
}

fn of_list(name: &str, items: &[Value], rest: &[&Value]) -> Answer {
    let best = |wanted: Ordering| {
        let mut best: Option<&Value> = None;
        for item in items {
            if best.is_none_or(|best| order(item, best) == Ok(wanted)) {
                best = Some(item);
            }
        }
        best.cloned().ok_or_else(|| format!("{name} called on empty list"))
    };
    match (name, rest) {
        ("join", []) => join(items, ""),
        ("join", [Value::String(by)]) => join(items, by),
        ("min", []) => best(Ordering::Less),
        ("max", []) => best(Ordering::Greater),
        ("sum", []) => items.iter().try_fold(Value::from(0), |sum, item| {
            let start = if item.is_f64() && sum == 0 { Value::from(0.0) } else { sum };
            arithmetic(operators::ADD, &start, item)
        }),
        ("isSorted", []) => {
            Ok(items.windows(2).all(|two| order(&two[0], &two[1]).is_ok_and(Ordering::is_le)).into())
        }
        ("indexOf", [it]) => {
            Ok(items.iter().position(|item| equal(item, it)).map_or(Value::from(-1), Value::from))
        }
        ("lastIndexOf", [it]) => {
            Ok(items.iter().rposition(|item| equal(item, it)).map_or(Value::from(-1), Value::from))
        }
        _ => Err(no_overload()),
    }
}

fn join(items: &[Value], by: &str) -> Answer {
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.map(|texts| texts.join(by).into()).ok_or_else(no_overload)
}
