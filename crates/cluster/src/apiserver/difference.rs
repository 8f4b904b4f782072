//! Which fields differ between two forms of an object?
//!
//! Leaves, by their path; a field that is new as a whole is one difference. Items of lists are known by their name
//! where they have one, as in `spec.containers[web].image`, and by their place otherwise. Who owns which field
//! (`metadata.managedFields`) is no difference.

use serde_json::{Map, Value};

use crate::request::Edit;

/// Every difference, in the order of the fields' names.
pub(super) fn difference(before: &Value, after: &Value) -> Vec<Edit> {
    let mut out = Vec::new();
    walk("", before, after, &mut out);
    out
}

fn walk(path: &str, before: &Value, after: &Value, out: &mut Vec<Edit>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Value::Object(before), Value::Object(after)) => fields(path, before, after, out),
        // What was empty is new as a whole.
        (Value::Array(before), Value::Array(after)) if !before.is_empty() => items(path, before, after, out),
        (before, after) => {
            let text = |value: &Value| (!value.is_null()).then(|| api::emit::compact(value));
            out.push(Edit { field: path.to_owned(), before: text(before), after: text(after) });
        }
    }
}

fn fields(path: &str, before: &Map<String, Value>, after: &Map<String, Value>, out: &mut Vec<Edit>) {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (was, is) = (before.get(name), after.get(name));
        if was == is || (path == "metadata" && name == "managedFields") {
            continue;
        }
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match (was, is) {
            // A map that is new is told by what it holds, so that no difference is a whole object.
            (None, Some(Value::Object(after)))
                if path.starts_with("metadata") || path == "spec" || path == "status" =>
            {
                fields(&path, &Map::new(), after, out);
            }
            _ => walk(&path, was.unwrap_or(&Value::Null), is.unwrap_or(&Value::Null), out),
        }
    }
}

fn items(path: &str, before: &[Value], after: &[Value], out: &mut Vec<Edit>) {
    let name = |item: &Value| item.get("name").and_then(Value::as_str).map(str::to_owned);
    let named = before.iter().chain(after).all(|item| name(item).is_some());
    let at = |place: usize, item: &Value| name(item).filter(|_| named).unwrap_or_else(|| place.to_string());
    for (place, was) in before.iter().enumerate() {
        let id = at(place, was);
        let is = after.iter().enumerate().find(|(place, item)| at(*place, item) == id).map(|(_, item)| item);
        walk(&format!("{path}[{id}]"), was, is.unwrap_or(&Value::Null), out);
    }
    for (place, is) in after.iter().enumerate() {
        let id = at(place, is);
        if !before.iter().enumerate().any(|(place, item)| at(place, item) == id) {
            walk(&format!("{path}[{id}]"), &Value::Null, is, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        let all = difference(before, after).into_iter();
        all.map(|edit| format!("{}: {} > {}", edit.field, text(edit.before), text(edit.after))).collect()
    }

    #[test]
    fn items_with_names_are_known_by_them() {
        let of =
            |image: &str| json!({"spec": {"containers": [{"name": "log"}, {"name": "web", "image": image}]}});
        assert_eq!(told(&of("a:1"), &of("a:2")), ["spec.containers[web].image: \"a:1\" > \"a:2\""]);
    }

    #[test]
    fn a_list_that_was_not_there_is_one_difference() {
        let after = json!({"spec": {"tolerations": [{"key": "a"}]}});
        assert_eq!(told(&json!({"spec": {}}), &after), [r#"spec.tolerations: - > [{"key":"a"}]"#]);
    }

    #[test]
    fn what_goes_and_who_owns_what() {
        let before = json!({"metadata": {"labels": {"a": "1"}, "managedFields": [1]}});
        let after = json!({"metadata": {"labels": {}, "managedFields": [2]}});
        assert_eq!(told(&before, &after), [r#"metadata.labels.a: "1" > -"#]);
    }
}
