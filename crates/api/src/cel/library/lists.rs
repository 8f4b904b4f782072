//! Lists and sets.
//!
//! Source: `k8s.io/apiserver/pkg/cel/library/lists.go`; cel-go `ext/sets.go`, `cel/library.go`.

use std::cmp::Ordering;

use super::{
    super::{eval::no_overload, value::Val},
    Answer, arithmetic, order, strings,
};

pub(super) fn is_zero(value: &Val) -> bool {
    match value {
        Val::Null => true,
        Val::Bool(it) => !it,
        Val::Int(it) => *it == 0,
        Val::Uint(it) => *it == 0,
        Val::Double(it) => *it == 0.0,
        Val::Text(it) => it.is_empty(),
        Val::Bytes(it) => it.is_empty(),
        Val::List(it) => it.is_empty(),
        Val::Map(it) => it.is_empty(),
        Val::Duration(it) => *it == 0,
        _ => false,
    }
}

fn holds(items: &[Val], it: &Val) -> bool {
    items.iter().any(|item| item.equals(it))
}

pub(super) fn sets(name: &str, a: &[Val], b: &[Val]) -> bool {
    let within = |a: &[Val], b: &[Val]| b.iter().all(|it| holds(a, it));
    match name {
        "sets.contains" => within(a, b),
        "sets.equivalent" => within(a, b) && within(b, a),
        _ => a.iter().any(|it| holds(b, it)),
    }
}

fn number(at: Option<usize>) -> Val {
    Val::Int(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
}

pub(super) fn call(name: &str, items: &[Val], rest: &[Val]) -> Answer {
    match (name, rest) {
        ("join", []) => strings::join(items, ""),
        ("join", [Val::Text(by)]) => strings::join(items, by),
        ("min", []) => best(name, items, Ordering::Less),
        ("max", []) => best(name, items, Ordering::Greater),
        ("sum", []) => {
            let start = match items.first() {
                Some(Val::Double(_)) => Val::Double(0.0),
                Some(Val::Uint(_)) => Val::Uint(0),
                Some(Val::Duration(_)) => Val::Duration(0),
                _ => Val::Int(0),
            };
            items.iter().try_fold(start, |sum, item| arithmetic("_+_", &sum, item))
        }
        ("isSorted", []) => {
            for two in items.windows(2) {
                if order(&two[0], &two[1])?.is_gt() {
                    return Ok(Val::Bool(false));
                }
            }
            Ok(Val::Bool(true))
        }
        ("indexOf", [it]) => Ok(number(items.iter().position(|item| item.equals(it)))),
        ("lastIndexOf", [it]) => Ok(number(items.iter().rposition(|item| item.equals(it)))),
        ("first", []) => Ok(Val::Optional(items.first().cloned().map(std::rc::Rc::new))),
        ("last", []) => Ok(Val::Optional(items.last().cloned().map(std::rc::Rc::new))),
        _ => Err(no_overload()),
    }
}

fn best(name: &str, items: &[Val], wanted: Ordering) -> Answer {
    let mut items = items.iter();
    let mut best = items.next().ok_or_else(|| format!("{name} called on empty list"))?;
    for item in items {
        if order(item, best)? == wanted {
            best = item;
        }
    }
    Ok(best.clone())
}
