//! What do the functions of a template give? The errors are Go's, after `error calling NAME: `.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    super::columns_text,
    escape,
    printf::{self, printf},
    run::Maybe,
};

/// Their names.
pub(super) const FUNCTIONS: &[&str] = &[
    "and",
    "base64decode",
    "call",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

/// What a function is given.
pub(super) struct Arg {
    pub value: Maybe,
    /// Whether the template itself says a whole number: Go calls it an `int`, those of an object `int64`.
    pub is_int: bool,
    /// As the template says it.
    pub text: String,
}

impl Arg {
    pub(super) fn go_type(&self) -> &'static str {
        if self.is_int { "int" } else { self.value.as_ref().map_or("interface {}", go_type) }
    }
}

/// Calls one.
pub(super) fn function(name: &str, values: Vec<Arg>) -> Result<Maybe, String> {
    let count = values.len();
    let least = usize::from(!matches!(name, "print" | "println" | "html" | "js" | "urlquery"));
    let most = match name {
        "len" | "not" | "base64decode" => 1,
        "ne" | "lt" | "le" | "gt" | "ge" => 2,
        _ => usize::MAX,
    };
    if count > most || count < least || (most == 2 && count != 2) {
        let want = match (name, most) {
            (_, usize::MAX) => format!("at least {least}"),
            (_, most) => most.to_string(),
        };
        return Err(format!("wrong number of args for {name}: want {want} got {count}"));
    }
    let failed = |what: String| format!("error calling {name}: {what}");
    let is_int = values.first().is_some_and(|arg| arg.is_int);
    let called = values.first().map(|arg| arg.text.clone()).unwrap_or_default();
    let mut values = values.into_iter();
    let mut first = || values.next().and_then(|arg| arg.value);
    let texts =
        |values: std::vec::IntoIter<Arg>| print(&values.map(|arg| arg.value).collect::<Vec<_>>(), false);
    Ok(Some(match name {
        "and" | "or" => return Ok(values.last().and_then(|arg| arg.value)),
        "html" => Value::from(escape::html(&texts(values))),
        "js" => Value::from(escape::js(&texts(values))),
        "urlquery" => Value::from(escape::urlquery(&texts(values))),
        // No value of an object is a function.
        "call" => match first() {
            None | Some(Value::Null) => return Err(failed("call of nil".to_owned())),
            Some(other) => {
                let of = if is_int { "int" } else { go_type(&other) };
                return Err(failed(format!("non-function {called} of type {of}")));
            }
        },
        "not" => Value::from(!truth(&first())),
        "len" => match first() {
            Some(Value::Array(items)) => Value::from(items.len()),
            Some(Value::Object(fields)) => Value::from(fields.len()),
            Some(Value::String(text)) => Value::from(text.len()),
            None | Some(Value::Null) => {
                return Err(failed("reflect: call of reflect.Value.Type on zero Value".to_owned()));
            }
            Some(_) if is_int => return Err(failed("len of type int".to_owned())),
            Some(other) => return Err(failed(format!("len of type {}", go_type(&other)))),
        },
        "base64decode" => match first() {
            Some(Value::String(text)) => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(text.as_bytes());
                let bytes = bytes.map_err(|_| {
                    failed("base64 decode failed: illegal base64 data at input byte 0".to_owned())
                })?;
                Value::from(String::from_utf8_lossy(&bytes).into_owned())
            }
            None | Some(Value::Null) => return Err("invalid value; expected string".to_owned()),
            Some(other) => {
                return Err(format!("wrong type for value; expected string; got {}", go_type(&other)));
            }
        },
        "index" => {
            let Some(of) = first().filter(|it| !it.is_null()) else {
                return Err(failed("index of untyped nil".to_owned()));
            };
            let mut value = Some(of);
            for at in values {
                value = step(value, at).map_err(failed)?;
            }
            return Ok(value);
        }
        "slice" => {
            let Some(of) = first().filter(|it| !it.is_null()) else {
                return Err(failed("slice of untyped nil".to_owned()));
            };
            slice(of, &values.collect::<Vec<_>>()).map_err(failed)?
        }
        "exists" => {
            let mut value = first();
            for at in values {
                value = match (value, at.value) {
                    (Some(Value::Array(items)), Some(Value::Number(at))) => {
                        let at = at.as_u64().and_then(|at| usize::try_from(at).ok());
                        match at.and_then(|at| items.into_iter().nth(at)) {
                            Some(item) => Some(item),
                            None => return Ok(Some(Value::from(false))),
                        }
                    }
                    (Some(Value::Object(mut fields)), Some(Value::String(key))) => fields.remove(&key),
                    _ => return Ok(Some(Value::from(false))),
                };
            }
            Value::from(value.is_some_and(|it| !it.is_null()))
        }
        "print" => Value::from(texts(values)),
        "println" => {
            Value::from(format!("{}\n", print(&values.map(|arg| arg.value).collect::<Vec<_>>(), true)))
        }
        "printf" => match first() {
            Some(Value::String(format)) => Value::from(printf(&format, &values.collect::<Vec<_>>())),
            None | Some(Value::Null) => return Err("invalid value; expected string".to_owned()),
            Some(other) => {
                return Err(format!("wrong type for value; expected string; got {}", go_type(&other)));
            }
        },
        "eq" => {
            let one = first();
            let mut any = false;
            let mut others = 0;
            for other in values {
                others += 1;
                any |= equal(&one, &other.value).map_err(failed)?;
            }
            if others == 0 {
                return Err(failed("missing argument for comparison".to_owned()));
            }
            Value::from(any)
        }
        "ne" => {
            let one = first();
            Value::from(!equal(&one, &first()).map_err(failed)?)
        }
        _ => {
            let (one, other) = (first(), first());
            let order = order(&one, &other).map_err(failed)?;
            Value::from(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
    }))
}

fn step(value: Maybe, at: Arg) -> Result<Maybe, String> {
    match value {
        None | Some(Value::Null) => Err("index of nil pointer".to_owned()),
        Some(Value::Array(items)) => match at.value {
            Some(Value::Number(at)) if at.is_i64() || at.is_u64() => {
                let item = at.as_u64().and_then(|at| items.into_iter().nth(usize::try_from(at).ok()?));
                item.map(Some).ok_or_else(|| format!("index out of range: {at}"))
            }
            Some(_) => Err(format!("cannot index slice/array with type {}", at.go_type())),
            None => Err("cannot index slice/array with nil".to_owned()),
        },
        Some(Value::String(text)) => match at.value.as_ref().and_then(Value::as_u64) {
            Some(place) => {
                let byte = usize::try_from(place).ok().and_then(|place| text.as_bytes().get(place).copied());
                byte.map(|byte| Some(byte.into())).ok_or_else(|| format!("index out of range: {place}"))
            }
            None => Err(format!("cannot index slice/array with type {}", at.go_type())),
        },
        Some(Value::Object(mut fields)) => match at.value {
            Some(Value::String(key)) => Ok(fields.remove(&key)),
            Some(_) => Err(format!("value has type {}; should be string", at.go_type())),
            None => Err("value is nil; should be of type string".to_owned()),
        },
        Some(other) => Err(format!("can't index item of type {}", go_type(&other))),
    }
}

/// `x[from:to]`. Source: Go `text/template/funcs.go` (`slice`).
fn slice(of: Value, at: &[Arg]) -> Result<Value, String> {
    let length = match &of {
        Value::String(_) if at.len() == 3 => return Err("cannot 3-index slice a string".to_owned()),
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        other => return Err(format!("can't slice item of type {}", go_type(other))),
    };
    if at.len() > 3 {
        return Err(format!("too many slice indexes: {}", at.len()));
    }
    let mut bounds = [0, length];
    for (place, index) in at.iter().enumerate() {
        let index = match &index.value {
            Some(Value::Number(number)) => number.as_i64(),
            Some(_) => return Err(format!("cannot index slice/array with type {}", index.go_type())),
            None => return Err("cannot index slice/array with nil".to_owned()),
        };
        let found = index.and_then(|it| usize::try_from(it).ok()).filter(|it| *it <= length);
        let Some(found) = found else {
            return Err(format!("index out of range: {}", index.unwrap_or_default()));
        };
        if place < 2 {
            bounds[place] = found;
        }
    }
    let (from, to) = (bounds[0], bounds[1]);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match of {
        Value::Array(items) => items[from..to].to_vec().into(),
        Value::String(text) => String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned().into(),
        other => other,
    })
}

/// Whether a value counts as true.
pub(super) fn truth(value: &Maybe) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(it)) => *it,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
    }
}

/// The Go type of a value.
pub(super) fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "interface {}",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Kinds that may be compared with their like; `None` for lists and maps.
fn basic(value: &Maybe) -> Option<u8> {
    match value {
        None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => None,
        Some(Value::Bool(_)) => Some(0),
        Some(Value::String(_)) => Some(1),
        Some(Value::Number(number)) => Some(if number.is_f64() { 2 } else { 3 }),
    }
}

fn equal(one: &Maybe, other: &Maybe) -> Result<bool, String> {
    let is_nothing = |value: &Maybe| matches!(value, None | Some(Value::Null));
    if is_nothing(one) || is_nothing(other) {
        return Ok(is_nothing(one) && is_nothing(other));
    }
    match (basic(one), basic(other)) {
        (Some(a), Some(b)) if a == b => Ok(one == other),
        (Some(_), Some(_)) => Err("incompatible types for comparison".to_owned()),
        (a, _) => {
            // UPSTREAM: of two lists or maps the second is named.
            let wrong = if a.is_none() && basic(other).is_some() { one } else { other };
            let wrong = wrong.as_ref().unwrap_or(&Value::Null);
            Err(format!("non-comparable type {}: {}", printf::as_text(wrong), go_type(wrong)))
        }
    }
}

fn order(one: &Maybe, other: &Maybe) -> Result<Ordering, String> {
    let (Some(a), Some(b)) = (basic(one), basic(other)) else {
        return Err("invalid type for comparison".to_owned());
    };
    match (one, other) {
        _ if a != b => Err("incompatible types for comparison".to_owned()),
        (Some(Value::String(a)), Some(Value::String(b))) => Ok(a.cmp(b)),
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            Ok(a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal))
        }
        _ => Err("invalid type for comparison".to_owned()),
    }
}

/// Go's `Sprint`: a blank between two that are no texts; with `all`, `Sprintln` without its end.
fn print(values: &[Maybe], all: bool) -> String {
    let mut out = String::new();
    let mut was_text = true;
    for (i, value) in values.iter().enumerate() {
        let is_text = matches!(value, Some(Value::String(_)));
        if i > 0 && (all || (!is_text && !was_text)) {
            out.push(' ');
        }
        out.push_str(&columns_text(value.as_ref().unwrap_or(&Value::Null)));
        was_text = is_text;
    }
    out
}
