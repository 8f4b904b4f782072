//! How does one read a field of an object in its JSON form?

use serde_json::Value;

/// The value at a dotted path of plain fields; null if it is not there.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    const NULL: &Value = &Value::Null;
    path.split('.').try_fold(value, |v, name| v.get(name)).unwrap_or(NULL)
}

/// A text at a dotted path; empty if it is not there.
pub(crate) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).as_str().unwrap_or_default()
}

/// A whole number at a dotted path; 0 if it is not there.
pub(crate) fn int(value: &Value, path: &str) -> i64 {
    at(value, path).as_i64().unwrap_or_default()
}

/// A list at a dotted path; empty if it is not there.
pub(crate) fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// The pairs of a map at a dotted path, sorted; empty if it is not there.
pub(crate) fn map<'v>(value: &'v Value, path: &str) -> impl Iterator<Item = (&'v str, &'v Value)> + use<'v> {
    at(value, path).as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v))
}

/// A scalar as Go prints it; empty for null.
pub(crate) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// `a=1,b=2`, or the given word if there is nothing.
pub(crate) fn pairs(value: &Value, path: &str, none: &str) -> String {
    let all: Vec<String> = map(value, path).map(|(k, v)| format!("{k}={}", word(v))).collect();
    if all.is_empty() { none.to_owned() } else { all.join(",") }
}

/// `metadata.name`.
pub(crate) fn name(value: &Value) -> &str {
    text(value, "metadata.name")
}

/// `metadata.namespace`.
pub(crate) fn namespace(value: &Value) -> &str {
    text(value, "metadata.namespace")
}

/// The field of a path, made where it is missing.
pub(crate) fn make<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    path.split('.').filter(|p| !p.is_empty()).fold(value, |v, name| {
        if !v.is_object() {
            *v = Value::Object(serde_json::Map::new());
        }
        &mut v[name]
    })
}

/// The condition of a type.
pub(crate) fn condition<'v>(value: &'v Value, kind: &str) -> Option<&'v Value> {
    list(value, "status.conditions").iter().find(|c| text(c, "type") == kind)
}

/// A label selector as kubectl prints it: `a=b,c in (x,y),!d`.
pub(crate) fn selector(value: &Value, none: &str) -> String {
    let mut all: Vec<(&str, String)> =
        map(value, "matchLabels").map(|(k, v)| (k, format!("{k}={}", word(v)))).collect();
    for expression in list(value, "matchExpressions") {
        let key = text(expression, "key");
        let mut values: Vec<String> = list(expression, "values").iter().map(word).collect();
        values.sort();
        let values = values.join(",");
        let shown = match text(expression, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        };
        all.push((key, shown));
    }
    if all.is_empty() {
        return none.to_owned();
    }
    all.sort_by_key(|(key, _)| *key);
    all.into_iter().map(|(_, shown)| shown).collect::<Vec<_>>().join(",")
}

/// `name` at the top: containers, variables, volumes.
pub(crate) fn name_of(value: &Value) -> &str {
    text(value, "name")
}
