//! Which values do the nodes of a template choose?

use std::{borrow::Cow, cmp::Ordering};

use serde_json::Value;

use super::{Filter, Node, PrintError};

type Found<'v> = Vec<Cow<'v, Value>>;
type Evaluated<T> = Result<T, PrintError>;

fn error<T>(text: impl Into<String>) -> Evaluated<T> {
    Err(PrintError(text.into()))
}

/// Where a template stands in its ranges.
#[derive(Default)]
struct Ranges {
    begin: usize,
    inside: usize,
    ending: usize,
    /// The `{end}` met last.
    last_end: Option<usize>,
    /// Whether a field must be there.
    needs_keys: bool,
}

/// What each piece of the template gives for a value.
pub(super) fn all<'v>(nodes: &[Node], value: &'v Value, needs_keys: bool) -> Evaluated<Vec<Found<'v>>> {
    find(nodes, 0, &[Cow::Borrowed(value)], &mut Ranges { needs_keys, ..Ranges::default() })
}

fn find<'v>(
    nodes: &[Node],
    from: usize,
    here: &[Cow<'v, Value>],
    ranges: &mut Ranges,
) -> Evaluated<Vec<Found<'v>>> {
    let mut groups = Vec::new();
    let mut i = from;
    while let Some(node) = nodes.get(i) {
        let found = walk(here.to_vec(), node, ranges)?;
        if ranges.ending > 0 && ranges.ending <= ranges.inside {
            ranges.ending -= 1;
            ranges.last_end = Some(i);
            break;
        }
        if ranges.begin > 0 {
            ranges.begin -= 1;
            ranges.inside += 1;
            if found.is_empty() {
                // Only to find the end.
                find(nodes, i + 1, &[], ranges)?;
            }
            for value in found {
                groups.extend(find(nodes, i + 1, &[value], ranges)?);
            }
            ranges.inside -= 1;
            // UPSTREAM: what follows a range without an end is printed once more, for the whole value.
            i = ranges.last_end.filter(|end| *end > i).unwrap_or(i) + 1;
            continue;
        }
        groups.push(found);
        i += 1;
    }
    Ok(groups)
}

fn list<'v>(mut found: Found<'v>, nodes: &[Node], ranges: &mut Ranges) -> Evaluated<Found<'v>> {
    for node in nodes {
        found = walk(found, node, ranges)?;
    }
    Ok(found)
}

/// The members of each value that `choose` names.
fn members<'v>(input: Found<'v>, choose: impl Fn(&Value) -> Vec<&Value>) -> Found<'v> {
    let of = |value: Cow<'v, Value>| -> Found<'v> {
        match value {
            Cow::Borrowed(value) => choose(value).into_iter().map(Cow::Borrowed).collect(),
            Cow::Owned(value) => choose(&value).into_iter().map(|v| Cow::Owned(v.clone())).collect(),
        }
    };
    input.into_iter().flat_map(of).collect()
}

fn walk<'v>(input: Found<'v>, node: &Node, ranges: &mut Ranges) -> Evaluated<Found<'v>> {
    let literal = |value: Value| input.iter().map(|_| Cow::Owned(value.clone())).collect();
    Ok(match node {
        Node::Text(text) => vec![Cow::Owned(Value::from(text.clone()))],
        Node::Int(number) => literal(Value::from(*number)),
        Node::Float(number) => literal(Value::from(*number)),
        Node::Bool(it) => literal(Value::from(*it)),
        Node::List(nodes) => list(input, nodes, ranges)?,
        Node::Identifier(name) => match name.as_str() {
            "range" => {
                ranges.begin += 1;
                input
            }
            "end" if ranges.inside > 0 => {
                ranges.ending += 1;
                Vec::new()
            }
            "end" => return error("not in range, nothing to end"),
            other => return error(format!("unrecognized identifier {other}")),
        },
        Node::Field(name) => {
            let found = members(input, |value| value.get(name).into_iter().collect());
            if found.is_empty() && ranges.needs_keys {
                return error(format!("{name} is not found"));
            }
            found
        }
        Node::Wildcard => members(input, children),
        Node::Recursive => members(input, |value| {
            let mut all = Vec::new();
            descend(value, &mut all);
            all
        }),
        Node::Slice { from, to, only, step } => {
            for value in &input {
                slice(value, (*from, *to, *only, *step))?;
            }
            members(input, |value| slice(value, (*from, *to, *only, *step)).unwrap_or_default())
        }
        Node::Filter(filter) => {
            let mut found = Vec::new();
            for value in input {
                if !value.is_array() {
                    return error(format!(
                        "{} is not array or slice and cannot be filtered",
                        emit_go(value.as_ref())
                    ));
                }
                for item in members(vec![value], children) {
                    if holds(filter, &item, ranges)? {
                        found.push(item);
                    }
                }
            }
            found
        }
        Node::Union(parts) => {
            let mut found = Vec::new();
            for part in parts {
                found.extend(list(input.clone(), part, ranges)?);
            }
            found
        }
    })
}

fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn descend<'v>(value: &'v Value, out: &mut Vec<&'v Value>) {
    // UPSTREAM: a text is a row of letters, and so is chosen; what is empty is not.
    let below = children(value);
    if !below.is_empty() || value.as_str().is_some_and(|text| !text.is_empty()) {
        out.push(value);
    }
    for child in below {
        descend(child, out);
    }
}

type Bounds = (Option<i64>, Option<i64>, bool, Option<i64>);

fn slice(value: &Value, (from, to, only, step): Bounds) -> Evaluated<Vec<&Value>> {
    let Value::Array(items) = value else {
        return if value.is_null() {
            Ok(Vec::new())
        } else {
            error(format!("{} is not array or slice", go_type(value)))
        };
    };
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let start = from.map_or(0, |from| if from < 0 { from + length } else { from });
    let end = match to {
        None => length,
        Some(to) if to < 0 || (to == 0 && only) => to + length,
        Some(to) => to,
    };
    if start == end {
        return Ok(Vec::new());
    }
    let outside = |at: i64| error(format!("array index out of bounds: index {at}, length {length}"));
    if start >= length || start < 0 {
        return outside(start);
    }
    if end > length || end < 0 {
        return outside(end - 1);
    }
    if start > end {
        return error(format!("starting index {start} is greater than ending index {end}"));
    }
    let step = match step.map(usize::try_from) {
        None => 1,
        Some(Ok(step)) if step > 0 => step,
        Some(_) => return error("step must be > 0"),
    };
    let bound = |at: i64| usize::try_from(at).unwrap_or(0);
    Ok(items.get(bound(start)..bound(end)).unwrap_or_default().iter().step_by(step).collect())
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "map[string]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::Array(_) | Value::Null => "[]interface {}",
    }
}

/// A value as Go's `%v` prints it.
fn emit_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let pairs: Vec<String> = fields.iter().map(|(k, v)| format!("{k}:{}", emit_go(v))).collect();
            format!("map[{}]", pairs.join(" "))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(emit_go).collect::<Vec<_>>().join(" "))
        }
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn holds(filter: &Filter, item: &Value, ranges: &mut Ranges) -> Evaluated<bool> {
    let left = list(vec![Cow::Borrowed(item)], &filter.left, ranges);
    if filter.op == "exists" {
        // UPSTREAM: what cannot be evaluated counts as there.
        return Ok(left.is_err() || left.is_ok_and(|found| !found.is_empty()));
    }
    let only = |found: Found<'_>| match <[Cow<'_, Value>; 1]>::try_from(found) {
        Ok([value]) => Ok(Some(value.into_owned())),
        Err(found) if found.is_empty() => Ok(None),
        Err(_) => error("can only compare one element at a time"),
    };
    let Some(left) = only(left?)? else { return Ok(false) };
    let Some(right) = only(list(vec![Cow::Borrowed(item)], &filter.right, ranges)?)? else {
        return Ok(false);
    };
    let holds: fn(Ordering) -> bool = match filter.op.as_str() {
        "==" => Ordering::is_eq,
        "!=" => Ordering::is_ne,
        "<" => Ordering::is_lt,
        "<=" => Ordering::is_le,
        ">" => Ordering::is_gt,
        ">=" => Ordering::is_ge,
        other => return error(format!("unrecognized filter operator {other}")),
    };
    let is_ordered = !matches!(filter.op.as_str(), "==" | "!=");
    compare(&left, &right, is_ordered).map(holds)
}

/// UPSTREAM: numbers with a fraction and those without one are different kinds; truth values have no order.
fn compare(left: &Value, right: &Value, is_ordered: bool) -> Evaluated<Ordering> {
    let invalid = || error("invalid type for comparison");
    for side in [left, right] {
        if matches!(side, Value::Null | Value::Array(_) | Value::Object(_)) {
            return invalid();
        }
    }
    match (left, right) {
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Bool(_), Value::Bool(_)) if is_ordered => invalid(),
        (Value::Bool(a), Value::Bool(b)) => Ok(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) if a.is_f64() == b.is_f64() => {
            Ok(match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
            })
        }
        _ => error("incompatible types for comparison"),
    }
}
