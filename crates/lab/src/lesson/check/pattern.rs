//! Is this value like that?
//!
//! An object is a subset, a list contains each listed item, a scalar is equal; `$` operators say the rest. Quantities
//! (`100m`, `32Mi`) compare as quantities. Every comparison counts the leaves that agree and keeps the first that does
//! not, so that a learner can be told how far and what differs.

use api::{FieldPath, quantity::Quantity};
use ipnet::Ipv4Net;
use regex::Regex;
use serde_json::Value;

use super::{eval::Lets, outcome::Truth};

/// What a value must be like.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Equal to this scalar.
    Equal(Value),
    /// An object that has at least these fields.
    Subset(Vec<(String, Pattern)>),
    /// A list that contains each of these.
    Contains(Vec<Pattern>),
    /// All of these operators hold.
    Ops(Vec<Op>),
}

/// A `$` operator.
#[derive(Clone, Debug)]
pub enum Op {
    /// `$gt`.
    Gt(Value),
    /// `$gte`.
    Gte(Value),
    /// `$lt`.
    Lt(Value),
    /// `$lte`.
    Lte(Value),
    /// `$ne`.
    Ne(Value),
    /// `$in`.
    In(Vec<Value>),
    /// `$nin`.
    Nin(Vec<Value>),
    /// `$re`: anywhere in the text.
    Re(Box<Regex>),
    /// `$absent`, or `$present: false`.
    Absent,
    /// `$present`, or `$absent: false`.
    Present,
    /// `$len`: of a list, an object or a text.
    Len(Box<Pattern>),
    /// `$only`: these items and no others, in any order.
    Only(Vec<Pattern>),
    /// `$each`: every item.
    Each(Box<Pattern>),
    /// `$cidr`: an address inside this block.
    Cidr(Ipv4Net),
    /// `$ref`: the value the lesson remembered.
    Ref(String),
}

/// How a comparison went.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Leaves that agree.
    pub hits: u32,
    /// The first leaf that does not.
    pub miss: Option<Miss>,
}

/// A leaf that does not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Where.
    pub field: FieldPath,
    /// What stands there; nothing if absent.
    pub got: Option<String>,
    /// What should.
    pub want: String,
}

impl Pattern {
    /// Compares `got` with this pattern; what stands at `at` is counted in `tally`.
    pub fn compare(&self, got: Option<&Value>, at: &FieldPath, lets: &Lets, tally: &mut Tally) -> Truth {
        match self {
            Pattern::Equal(want) => leaf(got.is_some_and(|got| same(got, want)).into(), self, got, at, tally),
            Pattern::Subset(fields) => subset(fields, got, at, lets, tally),
            Pattern::Contains(items) => {
                let Some(Value::Array(list)) = got else { return leaf(Truth::No, self, got, at, tally) };
                items
                    .iter()
                    .fold(Truth::Yes, |so_far, item| so_far.and(contained(item, list, at, lets, tally)))
            }
            Pattern::Ops(ops) => {
                let truth = ops.iter().fold(Truth::Yes, |so_far, op| so_far.and(op.holds(got, lets)));
                leaf(truth, self, got, at, tally)
            }
        }
    }

    /// The same without a count.
    #[must_use]
    pub fn holds(&self, got: Option<&Value>, lets: &Lets) -> Truth {
        self.compare(got, &FieldPath::root(), lets, &mut Tally::default())
    }

    /// The name of a value that it needs and that is not remembered yet.
    #[must_use]
    pub fn unbound(&self, lets: &Lets) -> Option<String> {
        match self {
            Pattern::Equal(_) => None,
            Pattern::Subset(fields) => fields.iter().find_map(|(_, p)| p.unbound(lets)),
            Pattern::Contains(items) => items.iter().find_map(|p| p.unbound(lets)),
            Pattern::Ops(ops) => ops.iter().find_map(|op| match op {
                Op::Ref(name) => (!lets.contains_key(name)).then(|| name.clone()),
                Op::Len(inner) | Op::Each(inner) => inner.unbound(lets),
                Op::Only(items) => items.iter().find_map(|p| p.unbound(lets)),
                Op::Gt(_)
                | Op::Gte(_)
                | Op::Lt(_)
                | Op::Lte(_)
                | Op::Ne(_)
                | Op::In(_)
                | Op::Nin(_)
                | Op::Re(_)
                | Op::Absent
                | Op::Present
                | Op::Cidr(_) => None,
            }),
        }
    }

    /// The text of a plain scalar.
    #[must_use]
    pub fn scalar(&self) -> Option<String> {
        match self {
            Pattern::Equal(value) => Some(plain(value)),
            Pattern::Subset(_) | Pattern::Contains(_) | Pattern::Ops(_) => None,
        }
    }

    /// As a learner reads it: `9`, `≥ 12`, `present`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Pattern::Equal(value) => plain(value),
            Pattern::Subset(fields) => {
                let parts: Vec<_> = fields.iter().map(|(n, p)| format!("{n}: {}", p.describe())).collect();
                format!("{{{}}}", parts.join(", "))
            }
            Pattern::Contains(items) => {
                format!("[{}]", items.iter().map(Pattern::describe).collect::<Vec<_>>().join(", "))
            }
            Pattern::Ops(ops) => ops.iter().map(Op::describe).collect::<Vec<_>>().join(", "),
        }
    }
}

impl Op {
    fn holds(&self, got: Option<&Value>, lets: &Lets) -> Truth {
        let compare = |want: &Value, is: fn(std::cmp::Ordering) -> bool| {
            got.and_then(|got| order(got, want)).is_some_and(is).into()
        };
        match self {
            Op::Gt(want) => compare(want, std::cmp::Ordering::is_gt),
            Op::Gte(want) => compare(want, std::cmp::Ordering::is_ge),
            Op::Lt(want) => compare(want, std::cmp::Ordering::is_lt),
            Op::Lte(want) => compare(want, std::cmp::Ordering::is_le),
            Op::Ne(want) => (!got.is_some_and(|got| same(got, want))).into(),
            Op::In(any) => got.is_some_and(|got| any.iter().any(|want| same(got, want))).into(),
            Op::Nin(none) => (!got.is_some_and(|got| none.iter().any(|want| same(got, want)))).into(),
            Op::Re(re) => got.is_some_and(|got| re.is_match(&plain(got))).into(),
            Op::Absent => is_absent(got).into(),
            Op::Present => (!is_absent(got)).into(),
            Op::Len(want) => match length(got) {
                Some(length) => want.holds(Some(&Value::from(length)), lets),
                None => Truth::No,
            },
            Op::Only(items) => only(items, got, lets),
            Op::Each(pattern) => match got {
                Some(Value::Array(list)) => {
                    list.iter().fold(Truth::Yes, |so_far, item| so_far.and(pattern.holds(Some(item), lets)))
                }
                Some(_) | None => Truth::No,
            },
            Op::Cidr(block) => got
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok())
                .is_some_and(|ip: std::net::Ipv4Addr| block.contains(&ip))
                .into(),
            Op::Ref(name) => match lets.get(name) {
                Some(want) => got.is_some_and(|got| same(got, want)).into(),
                None => Truth::Unknown,
            },
        }
    }

    fn describe(&self) -> String {
        let list = |items: &[Value]| items.iter().map(plain).collect::<Vec<_>>().join(", ");
        match self {
            Op::Gt(v) => format!("> {}", plain(v)),
            Op::Gte(v) => format!("≥ {}", plain(v)),
            Op::Lt(v) => format!("< {}", plain(v)),
            Op::Lte(v) => format!("≤ {}", plain(v)),
            Op::Ne(v) => format!("≠ {}", plain(v)),
            Op::In(v) => format!("∈ {{{}}}", list(v)),
            Op::Nin(v) => format!("∉ {{{}}}", list(v)),
            Op::Re(re) => format!("~ /{re}/"),
            Op::Absent => "∅".to_owned(),
            Op::Present => "≠ ∅".to_owned(),
            Op::Len(pattern) => format!("# {}", pattern.describe()),
            Op::Only(items) => format!("= {}", Pattern::Contains(items.clone()).describe()),
            Op::Each(pattern) => format!("∀ {}", pattern.describe()),
            Op::Cidr(block) => format!("∈ {block}"),
            Op::Ref(name) => format!("${name}"),
        }
    }
}

fn subset(
    fields: &[(String, Pattern)],
    got: Option<&Value>,
    at: &FieldPath,
    lets: &Lets,
    tally: &mut Tally,
) -> Truth {
    let map = match got {
        Some(Value::Object(map)) => Some(map),
        Some(_) | None => None,
    };
    fields.iter().fold(Truth::Yes, |so_far, (name, pattern)| {
        so_far.and(pattern.compare(map.and_then(|map| map.get(name)), &at.field(name), lets, tally))
    })
}

/// Some item of `list` is like `item`; if none is, the likest one tells what differs.
fn contained(item: &Pattern, list: &[Value], at: &FieldPath, lets: &Lets, tally: &mut Tally) -> Truth {
    let mut truth = Truth::No;
    let mut best: Option<Tally> = None;
    for (i, got) in list.iter().enumerate() {
        let mut here = Tally::default();
        let like = item.compare(Some(got), &at.index(i), lets, &mut here);
        truth = truth.or(like);
        if like == Truth::Yes {
            tally.hits += here.hits;
            return Truth::Yes;
        }
        if best.as_ref().is_none_or(|best| here.hits > best.hits) {
            best = Some(here);
        }
    }
    match best {
        Some(best) => {
            tally.hits += best.hits;
            if tally.miss.is_none() {
                tally.miss = best.miss;
            }
            truth
        }
        None => leaf(Truth::No, item, None, at, tally),
    }
}

/// A way to give every item a partner of its own, both ways.
fn only(items: &[Pattern], got: Option<&Value>, lets: &Lets) -> Truth {
    let list: &[Value] = match got {
        Some(Value::Array(list)) => list,
        None | Some(Value::Null) => &[],
        Some(_) => return Truth::No,
    };
    if list.len() != items.len() {
        return Truth::No;
    }
    let like: Vec<Vec<Truth>> =
        items.iter().map(|item| list.iter().map(|got| item.holds(Some(got), lets)).collect()).collect();
    if paired(&like, Truth::Yes) {
        Truth::Yes
    } else if paired(&like, Truth::Unknown) {
        Truth::Unknown
    } else {
        Truth::No
    }
}

/// Whether every row finds a column of its own that is at least as true as `least`.
fn paired(like: &[Vec<Truth>], least: Truth) -> bool {
    fn find(
        row: usize,
        like: &[Vec<Truth>],
        least: Truth,
        of: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        for column in 0..of.len() {
            if like[row][column] >= least && !seen[column] {
                seen[column] = true;
                if of[column].is_none_or(|other| find(other, like, least, of, seen)) {
                    of[column] = Some(row);
                    return true;
                }
            }
        }
        false
    }
    let mut of = vec![None; like.len()];
    (0..like.len()).all(|row| find(row, like, least, &mut of, &mut vec![false; like.len()]))
}

fn leaf(truth: Truth, pattern: &Pattern, got: Option<&Value>, at: &FieldPath, tally: &mut Tally) -> Truth {
    if truth == Truth::Yes {
        tally.hits += 1;
    } else if tally.miss.is_none() {
        tally.miss = Some(Miss { field: at.clone(), got: got.map(plain), want: pattern.describe() });
    }
    truth
}

/// Null, an empty list and an empty object are how the API server writes "nothing".
fn is_absent(got: Option<&Value>) -> bool {
    match got {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => false,
    }
}

fn length(got: Option<&Value>) -> Option<u64> {
    match got {
        None | Some(Value::Null) => Some(0),
        Some(Value::Array(list)) => Some(list.len() as u64),
        Some(Value::Object(map)) => Some(map.len() as u64),
        Some(Value::String(text)) => Some(text.chars().count() as u64),
        Some(Value::Bool(_) | Value::Number(_)) => None,
    }
}

/// Equal, quantities as quantities.
fn same(got: &Value, want: &Value) -> bool {
    got == want || order(got, want).is_some_and(std::cmp::Ordering::is_eq)
}

/// How two numbers or quantities stand; nothing for other values.
fn order(got: &Value, want: &Value) -> Option<std::cmp::Ordering> {
    let quantity = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Some(quantity(got)?.cmp(&quantity(want)?))
}

/// A value as a learner reads it: texts without quotes.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
