//! Texts.
//!
//! Source: cel-go `ext/strings.go`, `ext/formatting.go`; `k8s.io/apiserver/pkg/cel/library/regex.go`.

use regex::Regex;

use super::{
    super::{eval::no_overload, value::Val},
    Answer, convert, shown,
};

pub(super) fn matches(text: &str, pattern: &str) -> Answer {
    compiled(pattern).map(|pattern| Val::Bool(pattern.is_match(text)))
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| crate::validate::regexp::go_words(pattern, &error))
}

fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

fn out_of_range(at: i64) -> String {
    format!("index out of range: {at}")
}

pub(super) fn call(name: &str, text: &str, rest: &[Val]) -> Answer {
    match (name, rest) {
        ("contains", [Val::Text(it)]) => Ok(Val::Bool(text.contains(&**it))),
        ("startsWith", [Val::Text(it)]) => Ok(Val::Bool(text.starts_with(&**it))),
        ("endsWith", [Val::Text(it)]) => Ok(Val::Bool(text.ends_with(&**it))),
        ("lowerAscii", []) => Ok(Val::text(&text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Val::text(&text.to_ascii_uppercase())),
        ("trim", []) => Ok(Val::text(text.trim())),
        ("charAt", [Val::Int(at)]) => match usize::try_from(*at).ok().filter(|_| *at <= count(text)) {
            Some(place) => Ok(Val::text(&text.chars().nth(place).map(String::from).unwrap_or_default())),
            None => Err(out_of_range(*at)),
        },
        ("indexOf" | "lastIndexOf", [Val::Text(it)]) => place(name, text, it, None),
        ("indexOf" | "lastIndexOf", [Val::Text(it), Val::Int(from)]) => place(name, text, it, Some(*from)),
        ("replace", [Val::Text(old), Val::Text(new)]) => Ok(Val::text(&text.replace(&**old, new))),
        ("replace", [Val::Text(old), Val::Text(new), Val::Int(times)]) => {
            let times = usize::try_from(*times).unwrap_or(usize::MAX);
            Ok(Val::text(&text.replacen(&**old, new, times)))
        }
        ("split", [Val::Text(by)]) => Ok(split(text, by, -1)),
        ("split", [Val::Text(by), Val::Int(most)]) => Ok(split(text, by, *most)),
        ("substring", [Val::Int(from)]) if *from < 0 || *from > count(text) => Err(out_of_range(*from)),
        ("substring", [Val::Int(from)]) => substring(text, *from, count(text)),
        ("substring", [Val::Int(from), Val::Int(to)]) => substring(text, *from, *to),
        ("find", [Val::Text(pattern)]) => {
            compiled(pattern).map(|it| Val::text(it.find(text).map_or("", |found| found.as_str())))
        }
        ("findAll", [Val::Text(pattern)]) => find_all(text, pattern, -1),
        ("findAll", [Val::Text(pattern), Val::Int(most)]) => find_all(text, pattern, *most),
        _ => Err(no_overload()),
    }
}

fn find_all(text: &str, pattern: &str, most: i64) -> Answer {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let pattern = compiled(pattern)?;
    Ok(Val::list(pattern.find_iter(text).take(most).map(|found| Val::text(found.as_str())).collect()))
}

fn split(text: &str, by: &str, most: i64) -> Val {
    let parts: Vec<&str> = match (most, by) {
        (0, _) => Vec::new(),
        (_, "") => text.split("").filter(|part| !part.is_empty()).collect(),
        (most, by) if most > 0 => text.splitn(usize::try_from(most).unwrap_or(usize::MAX), by).collect(),
        (_, by) => text.split(by).collect(),
    };
    Val::list(parts.into_iter().map(Val::text).collect())
}

fn place(name: &str, text: &str, it: &str, from: Option<i64>) -> Answer {
    let (letters, wanted): (Vec<char>, Vec<char>) = (text.chars().collect(), it.chars().collect());
    if let Some(from) = from.filter(|from| *from < 0) {
        return Err(out_of_range(from));
    }
    if from.is_some_and(|from| from >= count(text) && !wanted.is_empty()) {
        return Ok(Val::Int(-1));
    }
    let is_at = |at: usize| letters[at..].starts_with(&wanted);
    let last = letters.len().checked_sub(wanted.len());
    let from = from.and_then(|from| usize::try_from(from).ok());
    let found = last.and_then(|last| {
        if name == "indexOf" {
            (from.unwrap_or(0)..=last).find(|at| is_at(*at))
        } else {
            (0..=from.unwrap_or(last).min(last)).rev().find(|at| is_at(*at))
        }
    });
    Ok(Val::Int(found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
}

fn substring(text: &str, from: i64, to: i64) -> Answer {
    let letters = count(text);
    if from > to {
        return Err(format!("invalid substring range. start: {from}, end: {to}"));
    }
    if from < 0 || from > letters {
        return Err(out_of_range(from));
    }
    if to < 0 || to > letters {
        return Err(out_of_range(to));
    }
    let (skip, take) = (usize::try_from(from).unwrap_or(0), usize::try_from(to - from).unwrap_or(0));
    Ok(Val::text(&text.chars().skip(skip).take(take).collect::<String>()))
}

/// `'%s is %d'.format([a, b])`.
pub(super) fn format(text: &str, args: &[Val]) -> Answer {
    let args: Vec<Option<Val>> = args.iter().cloned().map(Some).collect();
    filled(text, &args).map(|text| Val::text(&text)).map_err(|(_, words)| words)
}

/// What is wrong with a format, as far as its arguments are known; and which of them is to blame.
pub(in super::super) fn misformed(text: &str, args: &[Option<Val>]) -> Option<(Option<usize>, String)> {
    filled(text, args).err()
}

fn filled(text: &str, args: &[Option<Val>]) -> Result<String, (Option<usize>, String)> {
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    let mut next = 0;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut precision = None;
        if letters.peek() == Some(&'%') {
            letters.next();
            out.push('%');
            continue;
        }
        if letters.peek() == Some(&'.') {
            letters.next();
            let mut digits = String::new();
            while let Some(digit) = letters.peek().filter(|c| c.is_ascii_digit()) {
                digits.push(*digit);
                letters.next();
            }
            precision = digits.parse::<usize>().ok();
        }
        let Some(clause) = letters.next() else { return Err((None, "unexpected end of string".to_owned())) };
        if !"sdfebxXo".contains(clause) {
            let words =
                format!("could not parse formatting clause: unrecognized formatting clause \"{clause}\"");
            return Err((None, words));
        }
        let Some(arg) = args.get(next) else { return Err((None, format!("index {next} out of range"))) };
        if let Some(arg) = arg {
            let made = clause_of(clause, arg, precision.map(|it| it.min(100)));
            out.push_str(&made.map_err(|words| (Some(next), words))?);
        }
        next += 1;
    }
    Ok(out)
}

fn clause_of(clause: char, arg: &Val, precision: Option<usize>) -> Result<String, String> {
    let wrong = |what: &str| Err(format!("error during formatting: {what} was given {}", arg.type_name()));
    Ok(match (clause, arg) {
        ('s', it) => nested(it),
        ('d', Val::Int(_) | Val::Uint(_)) => shown(arg),
        ('d', Val::Double(it)) if it.is_nan() || it.is_infinite() => convert::double(*it),
        ('d', _) => return wrong("decimal clause can only be used on integers,"),
        ('f', Val::Double(it)) => format!("{it:.*}", precision.unwrap_or(6)),
        ('f', Val::Int(it)) => format!("{:.*}", precision.unwrap_or(6), *it as f64),
        ('e', Val::Double(it)) => {
            let text = format!("{it:.*e}", precision.unwrap_or(6));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let number: i32 = exponent.parse().unwrap_or(0);
            format!("{digits}e{}{:02}", if number < 0 { '-' } else { '+' }, number.abs())
        }
        ('b', Val::Bool(it)) => u8::from(*it).to_string(),
        ('b', Val::Int(it)) => {
            if *it < 0 {
                format!("-{:b}", it.unsigned_abs())
            } else {
                format!("{it:b}")
            }
        }
        ('b', Val::Uint(it)) => format!("{it:b}"),
        ('x', Val::Int(it)) => {
            if *it < 0 {
                format!("-{:x}", it.unsigned_abs())
            } else {
                format!("{it:x}")
            }
        }
        ('x', Val::Uint(it)) => format!("{it:x}"),
        ('x', Val::Text(it)) => it.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ('X', Val::Int(it)) => {
            if *it < 0 {
                format!("-{:X}", it.unsigned_abs())
            } else {
                format!("{it:X}")
            }
        }
        ('X', Val::Uint(it)) => format!("{it:X}"),
        ('X', Val::Text(it)) => it.bytes().map(|byte| format!("{byte:02X}")).collect(),
        ('o', Val::Int(it)) => {
            if *it < 0 {
                format!("-{:o}", it.unsigned_abs())
            } else {
                format!("{it:o}")
            }
        }
        ('o', Val::Uint(it)) => format!("{it:o}"),
        _ => return wrong("this clause"),
    })
}

/// A value as text, lists and maps with what is in them; texts within those are quoted.
fn nested(value: &Val) -> String {
    let inner = |it: &Val| match it {
        Val::Text(text) => format!("{text:?}"),
        other => nested(other),
    };
    match value {
        Val::List(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(", ")),
        Val::Map(fields) => {
            let each = fields.iter().map(|(key, it)| format!("{}: {}", inner(&key.value()), inner(it)));
            format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
        }
        other => shown(other),
    }
}

pub(super) fn join(items: &[Val], by: &str) -> Answer {
    let texts: Option<Vec<&str>> = items.iter().map(Val::as_text).collect();
    texts.map(|texts| Val::text(&texts.join(by))).ok_or_else(no_overload)
}
